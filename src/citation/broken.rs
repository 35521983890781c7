//! Links that a page, a printer or a hand broke: what they were is a guess, and is marked so.

use super::Form;
use super::letters::{char_at, char_before, is_spaceless};
use super::link::{self, Scheme};
use super::mark::{Link, Mark, What};

/// How far a broken link is looked at.
const REACH: usize = 240;

/// A link whose host itself is cut (`https://twitter.co…`): nothing can be asked of it.
pub(super) fn cut_host(_text: &str, mark: &Mark<'_>) -> bool {
    let What::Link(link) = &mark.what else { return false };
    mark.candidate
        && link.form == Form::Weak
        && link.url.split_once("://").is_some_and(|(_, rest)| !rest.contains(['/', '?', '#']))
}

fn guess<'t>(start: usize, end: usize, link: Link<'_>) -> Mark<'t> {
    let link = Link { form: Form::Weak, ..link.into_owned() };
    Mark { start, end, what: What::Link(link), candidate: true }
}

/// Reads `url`, made of pieces of the text, as one link; its length in `url` and the link.
fn reread(url: &str) -> Option<(usize, Link<'_>)> {
    let colon = url.find("://")?;
    let (start, scheme) = link::scheme_before(url, 0, colon)?;
    let host = link::host::host(url, colon + 3)?;
    if start != 0 || !host.known {
        return None;
    }
    let mark = link::whole(url, 0, scheme, colon + 3, host)?;
    match mark.what {
        What::Link(link) if !mark.candidate => Some((mark.end, link)),
        _ => None,
    }
}

/// The other reading of a link that a script without spaces follows directly: it ends before the first letter of that script.
pub(super) fn shorter<'t>(text: &'t str, mark: &Mark<'t>) -> Option<Mark<'t>> {
    let raw = text.get(mark.start..mark.end).filter(|raw| !mark.candidate && !raw.is_ascii())?;
    let host = raw.find("://")? + 3;
    let path = host + raw.get(host..)?.find('/')?;
    let wide = |(i, c): &(usize, char)| {
        is_spaceless(*c) && raw.as_bytes().get(i.wrapping_sub(1)).is_some_and(u8::is_ascii_alphanumeric)
    };
    let (end, _) = raw.char_indices().skip_while(|(i, _)| *i <= path).find(wide)?;
    let (len, link) = reread(raw.get(..end)?)?;
    (len == end).then(|| guess(mark.start, mark.start + end, link))
}

/// The code of a link to a service whose codes have ten characters.
fn code_of(url: &str) -> Option<&str> {
    ["https://t.co/", "https://pic.twitter.com/", "https://pic.x.com/"].iter().find_map(|head| url.strip_prefix(head))
}

/// Whether a link is the stump of one that a line end cut: less than any code ever was, or what the next line makes whole.
pub(super) fn is_stump(text: &str, mark: &Mark<'_>) -> bool {
    let What::Link(link) = &mark.what else { return false };
    let Some(code) = code_of(&link.url) else { return false };
    let cut = next_line(text.get(mark.end..).unwrap_or_default()).is_some();
    code.is_empty() || cut && code.len() < SHORTEST && code.bytes().all(|b| b.is_ascii_alphanumeric())
}

/// Codes of `t.co` never had fewer characters.
const SHORTEST: usize = 7;

fn next_line(tail: &str) -> Option<&str> {
    tail.strip_prefix("\r\n").or_else(|| tail.strip_prefix('\n'))
}

/// The line's first word, where it makes a code of what stands before the line end, and is no word of prose: it holds a digit, or
/// small letters and a capital inside.
fn rest_of_code<'n>(code: &str, next: &'n str) -> &'n str {
    let len = next.bytes().take_while(u8::is_ascii_alphanumeric).take(11).count();
    let piece = next.get(..len).unwrap_or_default();
    let mixed = piece.bytes().skip(1).any(|b| b.is_ascii_uppercase()) && piece.bytes().any(|b| b.is_ascii_lowercase());
    let telling = mixed || piece.bytes().any(|b| b.is_ascii_digit());
    let alone = !next.get(len..).is_some_and(|t| t.starts_with(['@', '/', '_', ':']));
    let whole = code.len() < 10 && code.len() + len == 10 && code.bytes().all(|b| b.is_ascii_alphanumeric());
    if telling && alone && whole { piece } else { "" }
}

/// A link that goes on in the next line: as it stands it is cited, joined it is a guess.
pub(super) fn wrapped<'t>(text: &'t str, mark: &Mark<'t>) -> Vec<Mark<'t>> {
    let What::Link(first) = &mark.what else { return Vec::new() };
    let tail = text.get(mark.end..).unwrap_or_default();
    let Some(next) = next_line(tail) else { return Vec::new() };
    let piece = match code_of(&first.url) {
        Some(code) => rest_of_code(code, next),
        None => continuation(next),
    };
    if piece.is_empty() {
        return Vec::new();
    }
    let at = mark.end + (tail.len() - next.len());
    let end = at + piece.len();
    let mut guesses = vec![format!("{}{piece}", first.url)];
    if let Some(cut) = first.url.strip_suffix('-') {
        guesses.push(format!("{cut}{piece}"));
    }
    guesses
        .iter()
        .filter_map(|url| {
            reread(url).filter(|(len, _)| *len == url.len()).map(|(_, link)| guess(mark.start, end, link))
        })
        .collect()
}

/// The start of a line that can be the rest of a URL: no word of prose, no link of its own.
fn continuation(line: &str) -> &str {
    let fits = |b: &u8| b.is_ascii_alphanumeric() || b"-._~/?#=&%+,:;@!$*".contains(b);
    let len = line.bytes().take(REACH).take_while(fits).count();
    let piece = line.get(..len).unwrap_or_default().trim_end_matches(['.', ',', ':', ';', '!', '?', '*']);
    let telling = piece.bytes().any(|b| b.is_ascii_digit() || b"-_/=&%?".contains(&b));
    if !telling {
        return "";
    }
    let domain = link::host::host(piece, 0).is_some_and(|h| h.known);
    let own = domain
        || piece.starts_with(['@', '#', '*', '-', '+', '/'])
        || piece.contains("//")
        || piece.starts_with("www.");
    let listed = piece.bytes().all(|b| b.is_ascii_digit() || b == b'.')
        && line.get(len..).is_some_and(|t| t.starts_with([' ', ')', '\t']))
        && line.get(..len).is_some_and(|t| t.ends_with('.'));
    if !own && !listed { piece } else { "" }
}

/// `https://https://t.co/…`, `http://https//t.co/…`: pasted twice. `after` is behind the first slashes.
pub(super) fn doubled<'t>(text: &'t str, start: usize, after: usize) -> Option<Mark<'t>> {
    let tail = text.get(after..)?;
    let lower = tail.as_bytes().get(..8)?.to_ascii_lowercase();
    let (scheme, rest) = if lower.starts_with(b"https") {
        (Scheme::Https, tail.get(5..)?)
    } else if lower.starts_with(b"http") {
        (Scheme::Http, tail.get(4..)?)
    } else {
        return None;
    };
    let host_text = rest.strip_prefix("://").or_else(|| rest.strip_prefix("//")).or_else(|| rest.strip_prefix(":/"))?;
    let host_at = after + (tail.len() - host_text.len());
    let host = link::host::host(text, host_at)?;
    let mark = link::whole(text, start, scheme, host_at, host)?;
    match mark.what {
        What::Link(link) => Some(guess(start, mark.end, link)),
        _ => None,
    }
}

/// `https: //t.co/…`, `https://t .co/…`: spaces that a scanner or a typesetter let in. `colon` is the scheme's.
pub(super) fn spaced<'t>(text: &'t str, floor: usize, colon: usize) -> Option<Mark<'t>> {
    let (start, _) =
        link::scheme_before(text, floor, colon).filter(|(_, s)| matches!(s, Scheme::Http | Scheme::Https))?;
    let mut joined = text.get(start..colon)?.to_owned();
    let mut ends: Vec<usize> = (start + 1..=colon).collect();
    let (mut at, mut spaces, mut slashes) = (colon, 0usize, 0usize);
    while let Some(c) = char_at(text, at).filter(|c| *c != '\n' && at - start < REACH) {
        let next = at + c.len_utf8();
        if c == ' ' {
            let joint = |c: Option<char>| matches!(c, Some(':' | '/' | '.'));
            let at_joint = joint(joined.chars().next_back()) || joint(char_at(text, next));
            if !at_joint || slashes > 2 || spaces > 3 {
                break;
            }
            spaces += 1;
        } else {
            slashes += usize::from(c == '/');
            joined.push(c);
            ends.extend(std::iter::repeat_n(next, c.len_utf8()));
        }
        at = next;
    }
    if spaces == 0 {
        return None;
    }
    let (len, link) = reread(&joined)?;
    let end = *ends.get(len.checked_sub(1)?)?;
    let has_path = link.url.split_once("://").is_some_and(|(_, rest)| rest.contains('/'));
    (has_path && text.get(start..end)?.contains(' ')).then(|| guess(start, end, link))
}

/// `ｈｔｔｐｓ：／／ｔ．ｃｏ／…`: full-width forms (Unicode NFKC) around the colon at `colon`.
pub(super) fn full_width<'t>(text: &'t str, floor: usize, colon: usize) -> Option<Mark<'t>> {
    let mut start = colon;
    while let Some(c) =
        char_before(text, start).filter(|c| folded(*c).is_ascii_alphabetic() && start > floor && colon - start < 18)
    {
        start -= c.len_utf8();
    }
    let mut joined = String::new();
    let mut ends = Vec::new();
    let mut at = start;
    while let Some(c) = char_at(text, at).filter(|_| at - start < 3 * REACH) {
        let plain = folded(c);
        if !plain.is_ascii_graphic() {
            break;
        }
        at += c.len_utf8();
        joined.push(plain);
        ends.push(at);
    }
    let (len, link) = reread(&joined)?;
    Some(guess(start, *ends.get(len.checked_sub(1)?)?, link))
}

fn folded(c: char) -> char {
    match u32::from(c) {
        code @ 0xff01..=0xff5e => char::from_u32(code - 0xfee0).unwrap_or(c),
        _ => c,
    }
}
