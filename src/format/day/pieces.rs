//! A date cut into its numbers and words, and what stands between them.

use std::borrow::Cow;

use super::{is_marker, number, words};

/// The most pieces a date has, weekday included.
const PIECES: usize = 14;
/// The most bytes a date has.
const LONGEST: usize = 120;

/// One piece of a date as it stands.
#[derive(Clone, Debug)]
pub(super) struct Piece<'t> {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) kind: Kind<'t>,
    pub(super) ascii: bool,
    /// the separator before it
    pub(super) glue: char,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind<'t> {
    Number {
        value: i32,
        digits: usize,
    },
    /// in lower case
    Word(Cow<'t, str>),
}

pub(super) fn skip(text: &str, at: usize) -> usize {
    let rest = text.get(at..).unwrap_or_default();
    at + (rest.len() - rest.trim_start_matches(is_space).len())
}

pub(super) fn is_space(c: char) -> bool {
    c.is_whitespace()
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{61c}' | '\u{2066}'..='\u{2069}' | '\u{202a}'..='\u{202e}')
}

/// Cuts the text behind `start` into numbers and words, as long as only date punctuation stands between them.
pub(super) fn pieces(text: &str, start: usize) -> Vec<Piece<'_>> {
    let mut pieces = Vec::with_capacity(PIECES);
    let mut at = start;
    let mut glue = ' ';
    while let Some(c) = text.get(at..).and_then(|t| t.chars().next()) {
        if pieces.len() >= PIECES || at - start > LONGEST {
            break;
        }
        let rest = text.get(at..).unwrap_or_default();
        if number::digit(c).is_some() {
            let (len, value, digits) = number_in(rest);
            // hours and minutes are neither day nor year
            if rest.get(len..).is_some_and(|tail| {
                tail.strip_prefix(':').is_some_and(|t| t.starts_with(|c| number::digit(c).is_some()))
            }) {
                break;
            }
            pieces.push(Piece {
                start: at,
                end: at + len,
                kind: Kind::Number { value, digits },
                ascii: c.is_ascii(),
                glue,
            });
            at += len;
            glue = '\0';
        } else if words::is_word(c) {
            // words are glued to a date's last sign: `2022年4月3日发推`
            let marked =
                glue == '\0' && is_marker(c) && matches!(pieces.last(), Some(Piece { kind: Kind::Number { .. }, .. }));
            let most = if marked { 1 } else { 40 };
            let len: usize = rest.chars().take_while(|c| words::is_word(*c)).take(most).map(char::len_utf8).sum();
            let word = rest.get(..len).unwrap_or_default();
            pieces.push(Piece {
                start: at,
                end: at + len,
                kind: Kind::Word(lower(word)),
                ascii: word.is_ascii(),
                glue,
            });
            at += len;
            glue = '\0';
        } else if is_space(c) || matches!(c, '.' | ',' | '/' | '-' | '،' | '、' | '(' | ')' | '‐' | '‑' | '·' | '․')
        {
            if c == '\n' && rest.starts_with("\n\n") {
                break;
            }
            if glue == '\0' || is_space(glue) {
                glue = c;
            }
            at += c.len_utf8();
        } else {
            break;
        }
    }
    pieces
}

fn lower(word: &str) -> Cow<'_, str> {
    if word.bytes().all(|b| b.is_ascii_lowercase()) { Cow::Borrowed(word) } else { Cow::Owned(word.to_lowercase()) }
}

pub(super) fn number_in(text: &str) -> (usize, i32, usize) {
    let (mut len, mut value, mut digits) = (0, 0i32, 0);
    for c in text.chars() {
        let Some(d) = number::digit(c) else { break };
        value = value.saturating_mul(10).saturating_add(i32::try_from(d).unwrap_or(0));
        len += c.len_utf8();
        digits += 1;
    }
    (len, value, digits)
}
