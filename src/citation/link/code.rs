//! Codes of `t.co` and `pic.twitter.com`: how long they are and what may be glued to them.

use super::rest::{Rest, is_ellipsis};
use crate::citation::letters::{char_at, is_invisible};

/// Codes of `t.co` have had ten characters since February 2013, seven or eight before.
pub(super) const CODE: usize = 10;
/// No service makes longer ones; what is longer is no code.
const CODE_MAX: usize = 40;

/// The code of `t.co` and `pic.twitter.com` behind the slash at `slash`: where it ends, whether it is cut.
pub(in crate::citation) fn code(text: &str, slash: usize) -> Option<Rest> {
    let bytes = text.as_bytes();
    let (mut i, mut n, mut dirty, mut kept) = (slash + 1, 0usize, false, slash + 1);
    while n <= CODE_MAX {
        match bytes.get(i) {
            Some(b) if b.is_ascii_alphanumeric() => {
                i += 1;
                n += 1;
                kept = i;
            }
            Some(b) if !b.is_ascii() && n < CODE => match char_at(text, i) {
                Some(c) if is_invisible(c) && bytes.get(i + c.len_utf8()).is_some_and(u8::is_ascii_alphanumeric) => {
                    i += c.len_utf8();
                    dirty = true;
                }
                _ => break,
            },
            _ => break,
        }
    }
    if n > CODE_MAX {
        return None;
    }
    let mut end = kept;
    if bytes.get(end..).is_some_and(|t| t.starts_with(b"://")) {
        let run = bytes.get(slash + 1..end)?;
        let scheme = ["https", "http"].iter().find(|s| run.ends_with(s.as_bytes()))?;
        end -= scheme.len();
        n -= scheme.len();
    } else if n > CODE && !dirty && glued_word(bytes.get(slash + 1 + CODE..end)?) {
        end = slash + 1 + CODE;
        n = CODE;
    }
    if n == 0 {
        return None;
    }
    let cut = is_ellipsis(text, end) && n < CODE;
    Some(Rest { end, cut, dirty })
}

/// What follows ten characters of code is a word the code ran into, not more code: one capital at most, then small letters.
fn glued_word(tail: &[u8]) -> bool {
    tail.first().is_some_and(u8::is_ascii_alphabetic) && tail.iter().skip(1).all(u8::is_ascii_lowercase)
}
