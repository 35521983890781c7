//! Links that a page, a printer or a hand broke: what they were is a guess, and is marked so.

use super::Form;
use super::letters::{char_at, char_before};
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

/// A link that goes on in the next line: as it stands it is cited, joined it is a guess.
pub(super) fn wrapped<'t>(text: &'t str, mark: &Mark<'t>) -> Vec<Mark<'t>> {
    let What::Link(first) = &mark.what else { return Vec::new() };
    let tail = text.get(mark.end..).unwrap_or_default();
    let Some(next) = tail.strip_prefix("\r\n").or_else(|| tail.strip_prefix('\n')) else { return Vec::new() };
    let coded = matches!(first.form, Form::Pic | Form::Tco);
    if coded && !is_short(&first.url) {
        return Vec::new();
    }
    let piece = continuation(next);
    if piece.is_empty() || coded && !code_continues(&first.url, piece) {
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

/// A code that is short of its length at the line's end and comes to it with the next line's first word.
fn code_continues(url: &str, piece: &str) -> bool {
    let code = url.rsplit('/').next().unwrap_or_default();
    code.len() < 10 && code.len() + piece.len() == 10 && piece.bytes().all(|b| b.is_ascii_alphanumeric())
}

/// A code that is short of its length.
fn is_short(url: &str) -> bool {
    url.bytes().rev().take(10).any(|b| b == b'/')
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
