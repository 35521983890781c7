//! Where paragraphs, lines and sentences begin and end around a place.

use crate::citation::letters::char_at;
use crate::format::effort::looked_at;

/// How far an attribution is looked for on either side; longer names and sentences belong to nobody.
pub(super) const WINDOW: usize = 320;

/// The nearest character boundary at or before `at`.
pub(super) fn floor(text: &str, mut at: usize) -> usize {
    at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// The text of at most `WINDOW` bytes before `at`, not before `least`.
pub(super) fn before(text: &str, least: usize, at: usize) -> &str {
    let mut from = at.saturating_sub(WINDOW).max(least).min(at);
    while !text.is_char_boundary(from) {
        from += 1;
    }
    looked_at(at - from);
    text.get(from..at).unwrap_or_default()
}

/// The text of at most `WINDOW` bytes behind `at`.
pub(super) fn behind(text: &str, at: usize) -> &str {
    looked_at(WINDOW);
    text.get(at..floor(text, at + WINDOW)).unwrap_or_default()
}

/// Where the paragraph that holds `at` begins: behind a blank line, or behind any line end where `spaced` is false.
pub(super) fn paragraph(text: &str, least: usize, at: usize, spaced: bool) -> usize {
    let begins = paragraph_in(text, least, at, spaced);
    looked_at(at.saturating_sub(begins));
    begins
}

fn paragraph_in(text: &str, least: usize, at: usize, spaced: bool) -> usize {
    let head = text.get(least..at).unwrap_or_default();
    if !spaced {
        return least + head.rfind('\n').map_or(0, |i| i + 1);
    }
    let mut end = head.len();
    while let Some(i) = head.get(..end).and_then(|h| h.rfind('\n')) {
        let line = head.get(i + 1..end).unwrap_or_default();
        if end < head.len() && line.trim().is_empty() {
            return least + end + 1;
        }
        end = i;
    }
    least
}

/// Spaces, line ends and marks of direction.
#[inline]
pub(super) fn is_blank(c: char) -> bool {
    if c.is_ascii() {
        return c.is_whitespace();
    }
    c.is_whitespace() || super::super::letters::is_direction(c) || super::super::letters::is_invisible(c)
}

/// Behind the blanks at `at`, but not over a blank line.
pub(super) fn skip_blank(text: &str, at: usize) -> usize {
    let (mut end, mut lines) = (at, 0);
    for _ in 0..64 {
        let Some(c) = char_at(text, end) else { break };
        lines += usize::from(c == '\n');
        if lines > 1 || !is_blank(c) {
            break;
        }
        end += c.len_utf8();
    }
    end
}
