//! Links as people write them: with or without a scheme, defanged, glued, hugged by punctuation of any script.

mod code;
pub(super) mod file;
pub(super) mod host;
pub(super) mod rest;

use std::borrow::Cow;

use super::Form;
use super::letters::{char_at, char_before, is_direction, is_invisible, is_latin_accent};
use super::mark::{Link, Mark, Named, What};
use crate::format::effort::looked_at;
use crate::platform::{permalink, shortener};
use host::Host;
use rest::Rest;

/// Where `https` begins that ends right before the colon at `colon`: most schemes are that, in small letters.
pub(super) fn https_before(bytes: &[u8], floor: usize, colon: usize) -> Option<usize> {
    let start = colon.checked_sub(5).filter(|start| *start >= floor)?;
    (bytes.get(start..)?.first_chunk() == Some(b"https")).then_some(start)
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

/// A whole link, given where it starts, its scheme and its host. `None`: what looks like one is none.
pub(super) fn whole<'t>(
    text: &'t str,
    start: usize,
    scheme: Scheme,
    host_at: usize,
    host: Host<'_>,
) -> Option<Mark<'t>> {
    let bytes = text.as_bytes();
    let mut after = host.end;
    if bytes.get(after) == Some(&b':') {
        let digits = bytes.get(after + 1..)?.iter().take_while(|b| b.is_ascii_digit()).count();
        if (1..=5).contains(&digits) {
            after += 1 + digits;
        }
    }
    let coded = matches!(host.name.as_ref(), "t.co" | "pic.twitter.com" | "pic.x.com");
    let slash = bytes.get(after) == Some(&b'/');
    let rest = match (coded && slash && bytes.get(after + 1).is_some_and(u8::is_ascii_alphanumeric))
        .then(|| code::code(text, after))
    {
        Some(code) => {
            let code = code?;
            match bytes.get(code.end) {
                // another link may be glued to it with the mark that ends its sentence
                Some(b'?' | b'#') if !code.cut && !begins_with_scheme(bytes, code.end + 1) => {
                    let more = rest::rest(text, code.end);
                    if more.end > code.end + 1 { Rest { dirty: code.dirty || more.dirty, ..more } } else { code }
                }
                _ => code,
            }
        }
        None => rest::rest(text, after),
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

fn begins_with_scheme(bytes: &[u8], at: usize) -> bool {
    bytes.get(at..).is_some_and(|tail| tail.starts_with(b"https://") || tail.starts_with(b"http://"))
}

/// `https://t.co/` and ten letters or digits with nothing behind them that could belong to the link: most links of most
/// statements, read without the steps that the others need. `after` is behind the slashes.
pub(super) fn whole_code(text: &str, start: usize, after: usize) -> Option<Mark<'_>> {
    const HEAD: &[u8] = b"https://t.co/";
    let end = start + HEAD.len() + code::CODE;
    let raw = text.as_bytes().get(start..end)?;
    let (head, code) = raw.split_at_checked(HEAD.len())?;
    // no branch for each of ten
    let sound = head == HEAD
        && after + 5 == start + HEAD.len()
        && code.iter().fold(true, |sound, b| sound & b.is_ascii_alphanumeric());
    let alone = text.as_bytes().get(end).is_none_or(|b| !b.is_ascii_alphanumeric() && !matches!(b, b':' | b'?' | b'#'));
    if !(sound && alone) {
        return None;
    }
    looked_at(raw.len());
    let link = Link { form: Form::Tco, url: Cow::Borrowed(text.get(start..end)?), named: None, defanged: false };
    Some(Mark { start, end, what: What::Link(link), candidate: false })
}

/// A bare domain, with or without a path, is a guess unless the platform's own grammar or `www.` confirms it.
fn is_guess(link: &Link<'_>, host: &Host<'_>, _raw: &str) -> bool {
    let known_host = host.name == "t.co" || host.name.starts_with("pic.") && link.form == Form::Pic;
    !(host.name.starts_with("www.")
        || known_host
        || link.named.is_some()
        || matches!(link.form, Form::Tco | Form::Pic | Form::Permalink | Form::Archive | Form::Shortener))
}

/// What to ask: scheme and host in lower case, defanging and invisible characters undone, path and codes untouched.
fn url_of<'t>(text: &'t str, scheme: Scheme, host_at: usize, host: &Host<'_>, rest: Rest) -> Option<Cow<'t, str>> {
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
        match (c, rest::entity(tail, i)) {
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
        return Link { form, url, named: None, defanged: false };
    }
    let classed = |glance: Option<&permalink::Glance<'_>>, archived: bool| match glance {
        _ if archived => Form::Archive,
        Some(n) if n.post.is_some() && n.way != permalink::Way::Wrapper => Form::Permalink,
        _ if shortener::is_known(host) => Form::Shortener,
        _ => Form::Url,
    };
    let (class, named) = match &url {
        Cow::Borrowed(url) => {
            let (glance, archived) = permalink::glance(url, host);
            (form.unwrap_or_else(|| classed(glance.as_ref(), archived)), glance.map(Named::seen))
        }
        Cow::Owned(url) => {
            let (glance, archived) = permalink::glance(url, host);
            (form.unwrap_or_else(|| classed(glance.as_ref(), archived)), glance.map(Named::seen_elsewhere))
        }
    };
    Link { form: class, url, named, defanged: false }
}

/// Where `pic.twitter.com/` or `pic.x.com/` begins whose first dot stands at `dot`, and which only letters or digits are glued
/// to: a post's text is often given without the space before its picture.
pub(super) fn picture(bytes: &[u8], dot: usize) -> Option<usize> {
    let start = dot.checked_sub(3)?;
    let tail = bytes.get(start..)?;
    let before = start.checked_sub(1).and_then(|i| bytes.get(i));
    let coded = tail.starts_with(b"pic.twitter.com/") || tail.starts_with(b"pic.x.com/");
    (coded && before.is_some_and(|b| b.is_ascii_alphanumeric() || !b.is_ascii())).then_some(start)
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
        || host::host(authority, 0).is_some_and(|h| h.end == authority.len());
    let link = classified(Cow::Borrowed(raw), "", false);
    (sound && link.named.is_some()).then(|| Mark {
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
    let run = tail
        .iter()
        .take_while(|b| {
            b.is_ascii_alphanumeric()
                || matches!(b, b'.' | b'-' | b'_' | b'/' | b'?' | b'=' | b'%' | b'&' | b'#' | b'+' | b'~')
        })
        .count();
    looked_at(run);
    at + run
}
