//! Where path, query and fragment end among the punctuation of any script (RFC 3986 §3.3 to §3.5 is the least of it).

use crate::citation::letters::{char_at, is_invisible, is_path_letter, is_spaceless};
use crate::format::effort::looked_at;

/// Parentheses inside parentheses are followed this far: a URL ends before one that stays open, and what stands behind it is
/// read again.
const DEEPEST: usize = 8;

/// Where the rest of a URL ends.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::citation) struct Rest {
    pub(in crate::citation) end: usize,
    /// an ellipsis follows directly: the statement shows only a part
    pub(in crate::citation) cut: bool,
    /// holds characters that are written but not meant: invisible ones, `&amp;`
    pub(in crate::citation) dirty: bool,
}

/// Reads path, query and fragment from `at`, which is just behind the host (and port).
pub(in crate::citation) fn rest(text: &str, at: usize) -> Rest {
    let bytes = text.as_bytes();
    if !matches!(bytes.get(at), Some(b'/' | b'?' | b'#')) {
        return Rest { end: at, cut: is_ellipsis(text, at), dirty: false };
    }
    let (mut i, mut query, mut dirty) = (at, false, false);
    let (mut open, mut first_open) = (0usize, None);
    let mut kept = at; // behind the last character that may end a URL
    while let Some(&b) = bytes.get(i) {
        match CLASSES.get(usize::from(b)).copied().unwrap_or(Class::Stop) {
            Class::Plain => {
                if b == b'h' && i > kept.saturating_sub(8) && begins_another(text, i)
                    || b == b'p' && kept == i && crate::citation::link::picture(bytes, i + 3).is_some()
                {
                    break;
                }
                i += 1;
                kept = i;
            }
            Class::Soft => i += 1,
            Class::Stop => break,
            Class::Special => match b {
                b'?' | b'#' => {
                    query = true;
                    i += 1;
                }
                b'(' if open >= DEEPEST => break,
                b'(' => {
                    first_open = first_open.or(Some(i));
                    open += 1;
                    i += 1;
                }
                b')' if open > 0 => {
                    open -= 1;
                    if open == 0 {
                        first_open = None;
                    }
                    i += 1;
                    kept = i;
                }
                b'[' | b']' | b'|' if query => i += 1,
                b'&' => match entity(text, i) {
                    Some((len, '&')) => {
                        dirty = true;
                        i += len;
                    }
                    Some(_) => break,
                    None => i += 1,
                },
                _ => break,
            },
            Class::Wide => {
                let Some(c) = char_at(text, i) else { break };
                let next = i + c.len_utf8();
                if is_invisible(c) {
                    if char_at(text, next)
                        .is_none_or(|n| !n.is_ascii_alphanumeric() && n != '/' && n != '-' && n != '_')
                    {
                        break;
                    }
                    dirty = true;
                    i = next;
                } else if is_path_letter(c) {
                    i = next;
                    kept = next;
                } else if joins(text, c, next, kept == i) {
                    i = next;
                } else if is_spaceless(c) && (spaceless_belongs(text, at, i) || title_goes_on(text, at, i)) {
                    while let Some(c) = char_at(text, i).filter(|c| is_spaceless(*c)) {
                        i += c.len_utf8();
                    }
                    kept = i;
                } else {
                    break;
                }
            }
        }
    }
    if let Some(open_at) = first_open.filter(|o| open > 0 && *o < kept) {
        kept = open_at;
    }
    looked_at(i - at);
    let end = trim(text, at, kept, i, query);
    Rest { end, cut: end == i && is_ellipsis(text, i), dirty }
}

/// Signs that stand between the letters of a path: degrees and numbers, and a dash inside a name (`Hatfield–McCoy`).
fn joins(text: &str, c: char, next: usize, behind_letter: bool) -> bool {
    let after = char_at(text, next);
    match c {
        '°' | 'º' | 'ª' | '·' | '№' => after.is_some_and(|n| n.is_ascii_alphanumeric()),
        '–' => behind_letter && after.is_some_and(|n| n.is_alphanumeric() && !is_spaceless(n)),
        _ => false,
    }
}

/// What a byte can be inside a URL.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    /// may stand anywhere in it, its end included
    Plain,
    /// may stand inside, not at its end
    Soft,
    /// depends on what is around
    Special,
    /// ends it
    Stop,
    /// begins a character beyond ASCII
    Wide,
}

/// Of every byte.
const CLASSES: [Class; 256] = {
    let mut classes = [Class::Wide; 256];
    let mut b = 0u8;
    while b < 128 {
        classes[b as usize] = class(b);
        b += 1;
    }
    classes
};

const fn class(b: u8) -> Class {
    match b {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'_' | b'=' | b'+' | b'$' | b'%' | b'@' => Class::Plain,
        b'.' | b',' | b':' | b';' | b'!' | b'\'' | b'~' | b'*' => Class::Soft,
        b'?' | b'#' | b'&' | b'(' | b')' | b'[' | b']' | b'|' => Class::Special,
        0x80.. => Class::Wide,
        _ => Class::Stop,
    }
}

/// A path that has begun (`…/wiki/`) may go on in a script without spaces; a root or a word glued to it may not.
fn spaceless_belongs(text: &str, path: usize, at: usize) -> bool {
    at > path + 1 && matches!(text.as_bytes().get(at - 1), Some(b'/' | b'=' | b'_' | b':'))
}

/// What stands before a title in a path: encyclopaedias and their kin name a page by its title, of whatever script.
const TITLES: &[&str] = &["wiki", "w", "a", "item", "content", "keyword", "tag", "tags"];
/// Longer titles are not looked through for their beginning.
const LONGEST_TITLE: usize = 200;

/// A title that began with letters or digits of ASCII (`…/wiki/2019年…`) goes on in a script without spaces, unless what
/// follows begins like a particle: in Hiragana, or as one or two syllables of Hangul and no more.
fn title_goes_on(text: &str, path: usize, at: usize) -> bool {
    let bytes = text.as_bytes();
    let near = bytes.get(path.max(at.saturating_sub(LONGEST_TITLE))..at).unwrap_or_default();
    let mut parts = near.rsplit(|b| *b == b'/');
    let (Some(begun), Some(before)) = (parts.next(), parts.next()) else { return false };
    looked_at(near.len());
    let titled = TITLES.iter().any(|title| title.as_bytes() == before) && !begun.contains(&b'?');
    if !(titled && bytes.get(at.wrapping_sub(1)).is_some_and(u8::is_ascii_alphanumeric)) {
        return false;
    }
    let mut rest = text.get(at..).unwrap_or_default().chars();
    let hangul = |c: &char| matches!(c, '\u{ac00}'..='\u{d7a3}');
    match rest.next() {
        Some('\u{3041}'..='\u{309f}') => false,
        Some(first) if hangul(&first) => rest.take(2).filter(hangul).count() == 2,
        _ => true,
    }
}

/// `http` at `at` begins a URL of its own, glued to this one.
fn begins_another(text: &str, at: usize) -> bool {
    let tail = text.as_bytes().get(at..).unwrap_or_default();
    if !(tail.starts_with(b"http://") || tail.starts_with(b"https://")) {
        return false;
    }
    let before = text.as_bytes().get(at.saturating_sub(3)..at).unwrap_or_default();
    match before {
        [b'%', a, b] if a.is_ascii_hexdigit() && b.is_ascii_hexdigit() => false,
        [.., last] => last.is_ascii_alphanumeric() || matches!(last, b',' | b';' | b'|' | b')'),
        [] => false,
    }
}

/// Drops what punctuation the end of a sentence, a footnote or a possessive left at the end.
fn trim(text: &str, at: usize, kept: usize, reached: usize, query: bool) -> usize {
    let bytes = text.as_bytes();
    let mut end = kept.max(at);
    // `?` and `#` alone may stand at an end only where something follows them
    if end == at && matches!(bytes.get(at), Some(b'/')) && reached > at {
        end = at + 1;
    }
    if query && end < reached && bytes.get(end..reached).is_some_and(|t| t.iter().all(|b| matches!(b, b'&' | b'#'))) {
        end = reached;
    }
    end
}

pub(in crate::citation) fn is_ellipsis(text: &str, at: usize) -> bool {
    let tail = text.as_bytes().get(at..).unwrap_or_default();
    tail.starts_with("…".as_bytes())
        || tail.starts_with(b"&hellip;")
        || (tail.starts_with(b"...") && !tail.starts_with(b"....."))
}

/// A character reference at `at`, where a plain text still holds one: its length and its character.
pub(in crate::citation) fn entity(text: &str, at: usize) -> Option<(usize, char)> {
    let tail = text.as_bytes().get(at..(at + 12).min(text.len()))?;
    let len = tail.iter().position(|b| *b == b';')?;
    let name = std::str::from_utf8(tail.get(1..len)?).ok()?;
    let c = match name.strip_prefix('#') {
        Some(digits) => {
            let code = match digits.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => digits.parse().ok()?,
            };
            char::from_u32(code)?
        }
        None => match name {
            "amp" => '&',
            "lt" => '<',
            "gt" => '>',
            "quot" => '"',
            "apos" => '\'',
            "nbsp" => '\u{a0}',
            "mdash" => '—',
            "ndash" => '–',
            "hellip" => '…',
            "laquo" => '«',
            "raquo" => '»',
            "ldquo" => '“',
            "rdquo" => '”',
            "lsquo" => '‘',
            "rsquo" => '’',
            "middot" => '·',
            _ => return None,
        },
    };
    Some((len + 1, c))
}
