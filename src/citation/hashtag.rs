//! Hashtags of every script; not colours, not numbers, not `C#`.

use super::letters::{char_at, char_before, is_letter, is_tag_char, is_word};
use crate::format::effort::looked_at;

/// Longer ones are no tags: no platform takes them.
const LONGEST: usize = 600;

/// Reads the sign at `at`, `width` bytes wide. The tag and its end, or where to go on.
pub(super) fn read(text: &str, at: usize, width: usize) -> Result<(usize, &str), usize> {
    let start = at + width;
    if char_before(text, at).is_some_and(|c| is_tag_char(c) || matches!(c, '&' | '#' | '＃' | '/' | '@')) {
        return Err(start);
    }
    let (end, letter) = run(text, start)?;
    let mut tag = text.get(start..end).unwrap_or_default();
    if !tag.ends_with(|c: char| c.is_ascii()) {
        tag = tag.trim_end_matches(['\u{b7}', '\u{30fb}', '\u{200c}', '\u{200d}', '\u{ff65}']);
    }
    let end = start + tag.len();
    if !letter || tag.is_empty() {
        return Err(end.max(start));
    }
    let next = char_at(text, end);
    if matches!(next, Some('#' | '＃')) && width == 1
        || text.as_bytes().get(end..).is_some_and(|t| t.starts_with(b"://"))
    {
        return Err(end);
    }
    if is_colour(text, at, tag) || is_directive(text, at, tag) {
        return Err(end);
    }
    Ok((end, tag))
}

/// What could be a tag, from `start`: where it ends, and whether it holds a letter.
fn run(text: &str, start: usize) -> Result<(usize, bool), usize> {
    let bytes = text.as_bytes();
    let (mut end, mut letter) = (start, false);
    while let Some(b) = bytes.get(end) {
        if b.is_ascii() {
            if !is_word(*b) {
                break;
            }
            letter |= b.is_ascii_alphabetic();
            end += 1;
        } else {
            let Some(c) = char_at(text, end) else { break };
            let alphabetic = is_letter(c);
            if !(alphabetic || is_tag_char(c)) {
                break;
            }
            letter |= alphabetic;
            end += c.len_utf8();
        }
        if end - start > LONGEST {
            return Err(end);
        }
    }
    looked_at(end - start);
    Ok((end, letter))
}

/// `#ff8800`, and `#abc` where something says colour.
fn is_colour(text: &str, at: usize, tag: &str) -> bool {
    let bytes = tag.as_bytes();
    if !matches!(bytes.len(), 3 | 4 | 6 | 8) || !bytes.iter().all(u8::is_ascii_hexdigit) {
        return false;
    }
    let digits = bytes.iter().filter(|b| b.is_ascii_digit()).count();
    if bytes.len() >= 6 && digits > 0 {
        return true;
    }
    let uniform = bytes.windows(2).all(|w| matches!(w, [a, b] if a == b))
        || bytes.len() == 6 && bytes.chunks(2).all(|w| matches!(w, [a, b] if a == b));
    if uniform {
        return true;
    }
    let mut from = at.saturating_sub(32);
    while !text.is_char_boundary(from) {
        from += 1;
    }
    let before = text.get(from..at).unwrap_or_default().to_ascii_lowercase();
    let after = text.as_bytes().get(at + 1 + tag.len());
    let named = ["color", "colour", "background", "border", "fill", "stroke", "hex", "rgb", "shade"]
        .iter()
        .any(|w| before.contains(w));
    named || (matches!(after, Some(b';')) && before.trim_end().ends_with(':'))
}

/// What compilers are told (C17 6.10.6, and what GCC, Clang and MSVC add).
const PRAGMAS: &[&str] = &[
    "once",
    "omp",
    "pack",
    "STDC",
    "GCC",
    "clang",
    "warning",
    "comment",
    "message",
    "mark",
    "region",
    "endregion",
    "unroll",
    "acc",
    "intrinsic",
    "optimize",
    "push_macro",
    "pop_macro",
];

/// One name of a program and nothing else, but for a comment.
fn is_identifier(line: &str) -> bool {
    let word = line.split("//").next().unwrap_or_default().split("/*").next().unwrap_or_default().trim();
    !word.is_empty()
        && !word.starts_with(|c: char| c.is_ascii_digit())
        && word.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// Whether nothing but a few blanks stand before in the line.
fn begins_line(text: &str, at: usize) -> bool {
    let head = text.as_bytes().get(at.saturating_sub(40)..at).unwrap_or_default();
    let blanks = head.iter().rev().take_while(|b| matches!(b, b' ' | b'\t')).count();
    head.len().checked_sub(blanks + 1).map_or(head.len() < 40, |last| head.get(last) == Some(&b'\n'))
}

/// Lines of C and its kin: `#include <…>`, `#define X`.
fn is_directive(text: &str, at: usize, tag: &str) -> bool {
    const WORDS: &[&str] =
        &["include", "define", "undef", "ifdef", "ifndef", "endif", "pragma", "elif", "region", "endregion"];
    WORDS.contains(&tag)
        && begins_line(text, at)
        && text.get(at + 1 + tag.len()..).is_some_and(|t| {
            let line = t.split('\n').next().unwrap_or_default().trim();
            line.is_empty() && tag == "endif"
                || matches!(tag, "undef" | "ifdef" | "ifndef") && is_identifier(line)
                || tag == "pragma" && line.split([' ', '(']).next().is_some_and(|word| PRAGMAS.contains(&word))
                || line.starts_with(['<', '"'])
                || line.split(['(', ' ']).next().is_some_and(|w| {
                    w.len() > 1 && w.bytes().all(|b| b.is_ascii_uppercase() || b == b'_' || b.is_ascii_digit())
                })
        })
}
