//! Links as people write them: with or without a scheme, defanged, glued, hugged by punctuation of any script (RFC 3986 is the least of it).

use std::borrow::Cow;

use super::Form;
use super::letters::{char_at, char_before, is_direction, is_invisible, is_latin_accent, is_path_letter, is_spaceless};
use super::mark::{Link, Mark, What};
use crate::platform::{permalink, shortener};

/// Codes of `t.co` have had ten characters since February 2013, seven or eight before.
const CODE: usize = 10;
/// No service makes longer ones; what is longer is no code.
const CODE_MAX: usize = 40;

/// Where a host ends and what it is.
#[derive(Debug)]
pub(super) struct Host {
    /// lower case, marks of defanging undone
    pub(super) name: String,
    pub(super) end: usize,
    pub(super) defanged: bool,
    /// an address, or a name under a top-level domain that exists
    pub(super) known: bool,
}

/// Where the rest of a URL ends.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Rest {
    pub(super) end: usize,
    /// an ellipsis follows directly: the statement shows only a part
    pub(super) cut: bool,
    /// holds characters that are written but not meant: invisible ones, `&amp;`
    pub(super) dirty: bool,
}

/// The scheme that ends right before the colon at `colon`, where the URL begins, and whether it is defanged.
pub(super) fn scheme_before(text: &str, floor: usize, colon: usize) -> Option<(usize, Scheme)> {
    const SCHEMES: &[(&str, Scheme)] = &[
        ("https", Scheme::Https),
        ("hxxps", Scheme::DefangedHttps),
        ("h**ps", Scheme::DefangedHttps),
        ("http", Scheme::Http),
        ("hxxp", Scheme::DefangedHttp),
        ("h**p", Scheme::DefangedHttp),
        ("at", Scheme::At),
        ("tg", Scheme::Tg),
    ];
    let bytes = text.as_bytes();
    for (name, scheme) in SCHEMES {
        let Some(start) = colon.checked_sub(name.len()).filter(|s| *s >= floor) else { continue };
        if !bytes.get(start..colon)?.eq_ignore_ascii_case(name.as_bytes()) {
            continue;
        }
        let alone = char_before(text, start).is_none_or(|c| !c.is_ascii_alphanumeric());
        if alone || !matches!(scheme, Scheme::At | Scheme::Tg) {
            return Some((start, *scheme));
        }
    }
    None
}

/// How a URL says it is to be fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scheme {
    Https,
    Http,
    DefangedHttps,
    DefangedHttp,
    At,
    Tg,
    /// none was written
    Missing,
}

/// Reads a host at `at`. Labels may be of any script; `None` where none begins.
pub(super) fn host(text: &str, at: usize) -> Option<Host> {
    let bytes = text.as_bytes();
    if bytes.get(at..).is_some_and(|t| t.starts_with(b"t.co/")) {
        return Some(Host { name: "t.co".to_owned(), end: at + 4, defanged: false, known: true });
    }
    let (mut i, mut defanged) = (at, false);
    let mut name = String::new();
    let mut label = 0;
    let end = loop {
        if i - at > 300 {
            return None;
        }
        match bytes.get(i) {
            Some(b) if b.is_ascii_alphanumeric() || *b == b'-' || *b == b'_' => {
                name.push(char::from(b.to_ascii_lowercase()));
                i += 1;
                label += 1;
                continue;
            }
            Some(b'.') if label > 0 && starts_label(text, i + 1) => {
                name.push('.');
                i += 1;
                label = 0;
                continue;
            }
            Some(b'[' | b'(' | b'{' | b'\\' | b' ') => {
                let Some(next) = defanged_dot(text, i).filter(|n| label > 0 && starts_label(text, *n)) else { break i };
                defanged = true;
                name.push('.');
                i = next;
                label = 0;
                continue;
            }
            Some(b) if b.is_ascii() => break i,
            None => break i,
            Some(_) => {}
        }
        let Some(c) = char_at(text, i) else { break i };
        if is_invisible(c) && starts_label(text, i + c.len_utf8()) {
            i += c.len_utf8();
        } else if c.is_alphanumeric() || unicode_normalization::char::is_combining_mark(c) {
            if is_spaceless(c) && label > 0 && ascii_tld(&name) {
                break i;
            }
            name.extend(c.to_lowercase());
            i += c.len_utf8();
            label += 1;
        } else {
            break i;
        }
    };
    let known = valid_host(&name)?;
    Some(Host { name, end, defanged, known })
}

fn starts_label(text: &str, at: usize) -> bool {
    char_at(text, at).is_some_and(|c| c.is_alphanumeric() || c == '-' || c == '_')
}

/// `[.]`, `(.)`, `{.}`, `[dot]`, `\.` and their spaced kin at `at`: where the next label begins.
pub(super) fn defanged_dot(text: &str, at: usize) -> Option<usize> {
    const DOTS: &[&str] =
        &["[.]", "(.)", "{.}", "[dot]", "(dot)", "{dot}", "[.", "\\.", " [.] ", " [dot] ", " (dot) ", "[d0t]"];
    DOTS.iter()
        .find(|d| text.as_bytes().get(at..at + d.len()).is_some_and(|t| t.eq_ignore_ascii_case(d.as_bytes())))
        .map(|d| at + d.len())
}

fn ascii_tld(name: &str) -> bool {
    name.rsplit_once('.').is_some_and(|(_, tld)| tld.is_ascii() && exists(tld))
}

/// Whether a top-level domain exists (IANA) or is kept for examples (RFC 2606) or onion services (RFC 7686).
pub(super) fn exists(tld: &str) -> bool {
    tld::exist(tld) || matches!(tld, "example" | "test" | "invalid" | "onion") || (!tld.is_ascii() && idna_exists(tld))
}

fn idna_exists(tld: &str) -> bool {
    url::Host::parse(tld).is_ok_and(|h| matches!(h, url::Host::Domain(d) if tld::exist(&d)))
}

/// `None`: no host at all. `Some(false)`: well formed, but under no top-level domain that exists.
fn valid_host(name: &str) -> Option<bool> {
    let labels = name.split('.').count();
    if labels == 4 && name.parse::<std::net::Ipv4Addr>().is_ok() {
        return Some(true);
    }
    if labels < 2 {
        return None;
    }
    for (n, label) in name.split('.').enumerate() {
        let edge = |c: char| c == '-' || c == '_';
        if label.is_empty()
            || label.len() > 63 * 4
            || label.starts_with(edge)
            || label.ends_with(edge)
            || (n + 2 >= labels && label.contains('_'))
        {
            return None;
        }
    }
    let tld = name.rsplit('.').next()?;
    let plain = tld.chars().count() >= 2
        && (tld.starts_with("xn--") || tld.chars().all(|c| c.is_alphabetic() || !c.is_ascii()));
    plain.then(|| exists(tld))
}

/// Reads path, query and fragment from `at`, which is just behind the host (and port).
pub(super) fn rest(text: &str, at: usize) -> Rest {
    let bytes = text.as_bytes();
    if !matches!(bytes.get(at), Some(b'/' | b'?' | b'#')) {
        return Rest { end: at, cut: is_ellipsis(text, at), dirty: false };
    }
    let (mut i, mut query, mut dirty) = (at, false, false);
    let (mut open, mut first_open) = (0usize, None);
    let mut kept = at; // behind the last character that may end a URL
    while let Some(&b) = bytes.get(i) {
        match class(b) {
            Class::Plain => {
                if b == b'h' && i > kept.saturating_sub(8) && begins_another(text, i) {
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
                } else if is_spaceless(c) && spaceless_belongs(text, at, i) {
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

fn class(b: u8) -> Class {
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

fn is_ellipsis(text: &str, at: usize) -> bool {
    let tail = text.as_bytes().get(at..).unwrap_or_default();
    tail.starts_with("…".as_bytes())
        || tail.starts_with(b"&hellip;")
        || (tail.starts_with(b"...") && !tail.starts_with(b"....."))
}

/// A character reference at `at`, where a plain text still holds one: its length and its character.
pub(super) fn entity(text: &str, at: usize) -> Option<(usize, char)> {
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

/// The code of `t.co` and `pic.twitter.com` behind the slash at `slash`: where it ends, whether it is cut.
fn code(text: &str, slash: usize) -> Option<Rest> {
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

/// A whole link, given where it starts, its scheme and its host. `None`: what looks like one is none.
pub(super) fn whole<'t>(text: &'t str, start: usize, scheme: Scheme, host_at: usize, host: Host) -> Option<Mark<'t>> {
    let bytes = text.as_bytes();
    let mut after = host.end;
    if bytes.get(after) == Some(&b':') {
        let digits = bytes.get(after + 1..)?.iter().take_while(|b| b.is_ascii_digit()).count();
        if (1..=5).contains(&digits) {
            after += 1 + digits;
        }
    }
    let coded = matches!(host.name.as_str(), "t.co" | "pic.twitter.com" | "pic.x.com");
    let slash = bytes.get(after) == Some(&b'/');
    let rest = match (coded && slash && bytes.get(after + 1).is_some_and(u8::is_ascii_alphanumeric))
        .then(|| code(text, after))
    {
        Some(code) => {
            let code = code?;
            match bytes.get(code.end) {
                Some(b'?' | b'#') if !code.cut => {
                    let more = self::rest(text, code.end);
                    if more.end > code.end + 1 { Rest { dirty: code.dirty || more.dirty, ..more } } else { code }
                }
                _ => code,
            }
        }
        None => self::rest(text, after),
    };
    let is_code = coded && slash && rest.end > after + 1;
    let raw = text.get(start..rest.end)?;
    let url = url_of(text, scheme, host_at, &host, rest)?;
    let defanged = host.defanged || matches!(scheme, Scheme::DefangedHttp | Scheme::DefangedHttps);
    let mut link = classified(url, &host.name, is_code);
    link.defanged = defanged;
    let weak = rest.cut || (scheme == Scheme::Missing && is_guess(&link, &host, raw));
    if weak {
        link.form = Form::Weak;
    }
    Some(Mark { start, end: rest.end, what: What::Link(link), candidate: weak })
}

/// A bare domain, with or without a path, is a guess unless the platform's own grammar or `www.` confirms it.
fn is_guess(link: &Link<'_>, host: &Host, _raw: &str) -> bool {
    let known_host = host.name == "t.co" || host.name.starts_with("pic.") && link.form == Form::Pic;
    !(host.name.starts_with("www.")
        || known_host
        || link.platform.is_some()
        || matches!(link.form, Form::Tco | Form::Pic | Form::Permalink | Form::Archive | Form::Shortener))
}

/// What to ask: scheme and host in lower case, defanging and invisible characters undone, path and codes untouched.
fn url_of<'t>(text: &'t str, scheme: Scheme, host_at: usize, host: &Host, rest: Rest) -> Option<Cow<'t, str>> {
    let tail = text.get(host.end..rest.end)?;
    let name = text.get(host_at..host.end)?;
    let secure = |host: &str| matches!(host, "t.co" | "pic.twitter.com" | "pic.x.com");
    let prefix = match scheme {
        Scheme::At => "at://",
        Scheme::Tg => "tg://",
        _ if secure(&host.name) => "https://",
        Scheme::Https | Scheme::DefangedHttps => "https://",
        Scheme::Http | Scheme::DefangedHttp => "http://",
        Scheme::Missing
            if permalink::glance(text.get(host_at..rest.end)?, &host.name).0.is_some()
                || shortener::is_known(&host.name) =>
        {
            "https://"
        }
        Scheme::Missing => "http://",
    };
    let as_is = host_at.checked_sub(prefix.len()).and_then(|from| text.get(from..rest.end));
    if let Some(as_is) = as_is.filter(|u| !rest.dirty && name == host.name && u.starts_with(prefix)) {
        return Some(Cow::Borrowed(as_is));
    }
    let mut url = String::with_capacity(prefix.len() + host.name.len() + tail.len());
    url.push_str(prefix);
    url.push_str(&host.name);
    if rest.dirty {
        push_clean(&mut url, tail)
    } else {
        url.push_str(tail)
    }
    Some(Cow::Owned(url))
}

fn push_clean(url: &mut String, tail: &str) {
    let mut i = 0;
    while let Some(c) = char_at(tail, i) {
        match (c, entity(tail, i)) {
            ('&', Some((len, '&'))) => {
                url.push('&');
                i += len;
                continue;
            }
            _ if is_invisible(c) || is_direction(c) => {}
            _ => url.push(c),
        }
        i += c.len_utf8();
    }
}

/// A link's form and what it names.
pub(super) fn classified<'t>(url: Cow<'t, str>, host: &str, is_code: bool) -> Link<'t> {
    let form = match host {
        "t.co" if is_code => Some(Form::Tco),
        "pic.twitter.com" | "pic.x.com" if is_code => Some(Form::Pic),
        _ if url.starts_with("at://") => Some(Form::AtUri),
        _ => None,
    };
    if let Some(form @ (Form::Tco | Form::Pic)) = form {
        return Link { form, url, platform: None, post_id: None, handle: None, defanged: false };
    }
    let (named, archived) = permalink::glance(&url, host);
    let form = form.unwrap_or_else(|| match &named {
        _ if archived => Form::Archive,
        Some(n) if n.post.is_some() && n.way != permalink::Way::Wrapper => Form::Permalink,
        _ if shortener::is_known(host) => Form::Shortener,
        _ => Form::Url,
    });
    let (platform, post_id, handle) = named.map_or((None, None, None), |n| (Some(n.platform), n.post, n.handle));
    Link { form, url, platform, post_id, handle, defanged: false }
}

/// Whether a domain without a scheme may begin behind `c`.
pub(super) fn may_precede_bare(c: Option<char>) -> bool {
    !c.is_some_and(|c| {
        matches!(c, '@' | '＠' | '#' | '＃' | '$' | '-' | '_' | '.' | '/' | '\\' | '=' | '&' | '~' | '*' | ':')
            || c.is_ascii_alphanumeric()
            || is_latin_accent(c)
    })
}

/// `at://…` and `tg://resolve?…`: the platforms' own schemes. `after` is behind the slashes.
pub(super) fn other_scheme<'t>(text: &'t str, start: usize, scheme: Scheme, after: usize) -> Option<Mark<'t>> {
    let bytes = text.as_bytes();
    let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b':' | b'~' | b'-' | b'/' | b'%');
    let fits_tg = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'?' | b'=' | b'&');
    let len = bytes
        .get(after..)?
        .iter()
        .take(2048)
        .take_while(|b| if scheme == Scheme::At { fits(**b) } else { fits_tg(**b) })
        .count();
    let raw = text.get(start..after + len)?.trim_end_matches(['.', ':', '-', '/', '~', '?', '&', '=']);
    let authority = raw.get(after - start..)?.split('/').next()?;
    let sound = scheme == Scheme::Tg
        || authority.starts_with("did:")
        || host(authority, 0).is_some_and(|h| h.end == authority.len());
    let link = classified(Cow::Borrowed(raw), "", false);
    (sound && link.platform.is_some()).then(|| Mark {
        start,
        end: start + raw.len(),
        what: What::Link(link),
        candidate: false,
    })
}

/// Behind `user:secret@` where an authority begins with one.
pub(super) fn behind_user(text: &str, at: usize) -> usize {
    let tail = text.as_bytes().get(at..).unwrap_or_default();
    let run = tail
        .iter()
        .take(128)
        .take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'%' | b'+' | b'~' | b':' | b'-'))
        .count();
    if run > 0 && tail.get(run) == Some(&b'@') && tail.get(run + 1).is_some_and(u8::is_ascii_alphanumeric) {
        at + run + 1
    } else {
        at
    }
}

/// Behind a run of what URLs are made of: nothing in it is a link once its beginning was none.
pub(super) fn ruined(text: &str, at: usize) -> usize {
    let tail = text.as_bytes().get(at..).unwrap_or_default();
    at + tail
        .iter()
        .take_while(|b| {
            b.is_ascii_alphanumeric()
                || matches!(b, b'.' | b'-' | b'_' | b'/' | b'?' | b'=' | b'%' | b'&' | b'#' | b'+' | b'~')
        })
        .count()
}

/// Endings of files that are top-level domains too.
const FILE_ENDINGS: &[&str] = &[
    "rs", "py", "md", "sh", "pl", "zip", "mov", "ps", "cc", "so", "pm", "ml", "mm", "app", "dev.js", "cfg", "bz", "ai",
    "st", "vi", "tf", "la", "ac", "am", "in", "mo", "sc", "cab",
];

/// Of those, the ones that name files so seldom that a bare domain is likelier.
const LIKELIER_DOMAINS: &[&str] = &["so", "ai", "st", "la", "ac", "in", "sc", "am", "app", "mo", "cc"];

/// A bare name with a dot that is a file, a call, a unit of code or two sentences run together, rather than a domain.
pub(super) fn is_no_domain(text: &str, start: usize, end: usize) -> bool {
    let Some(name) = text.get(start..end) else { return true };
    let Some((front, tld)) = name.rsplit_once('.') else { return true };
    let lower = tld.to_ascii_lowercase();
    if matches!(text.as_bytes().get(end), Some(b'(' | b'[' | b'_' | b'='))
        || char_at(text, end).is_some_and(|c| c.is_alphanumeric() && !is_spaceless(c))
    {
        return true;
    }
    if FILE_ENDINGS.contains(&lower.as_str())
        && (!LIKELIER_DOMAINS.contains(&lower.as_str()) || front.starts_with("lib"))
    {
        return true;
    }
    let first = |s: &str| s.chars().next().is_some_and(char::is_uppercase);
    let has_lower = |s: &str| s.chars().any(char::is_lowercase);
    let label = front.rsplit('.').next().unwrap_or(front);
    // `end.It began`: a sentence without its space; `ASP.NET`: a name
    let run_together = first(tld) && has_lower(tld) && (!first(label) || tld.len() == 2 || !has_lower(label));
    let shouted = !has_lower(tld) && tld.is_ascii() && (has_lower(label) || lower == "net");
    let number = label.bytes().all(|b| b.is_ascii_digit());
    run_together || shouted || number
}
