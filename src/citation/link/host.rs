//! Hosts as people write them: of any script, defanged, with what only looks like one told apart (RFC 3986 §3.2.2, RFC 5890).

use std::borrow::Cow;

use crate::citation::letters::{char_at, is_invisible, is_spaceless};
use crate::format::effort::looked_at;

/// Where a host ends and what it is.
#[derive(Debug)]
pub(in crate::citation) struct Host<'t> {
    /// lower case, marks of defanging undone
    pub(in crate::citation) name: Cow<'t, str>,
    pub(in crate::citation) end: usize,
    pub(in crate::citation) defanged: bool,
    /// an address, or a name under a top-level domain that exists
    pub(in crate::citation) known: bool,
}

/// Reads a host at `at`. Labels may be of any script; `None` where none begins.
pub(in crate::citation) fn host(text: &str, at: usize) -> Option<Host<'_>> {
    let bytes = text.as_bytes();
    if bytes.get(at..).is_some_and(|t| t.starts_with(b"t.co/")) {
        return Some(Host { name: Cow::Borrowed("t.co"), end: at + 4, defanged: false, known: true });
    }
    if bytes.get(at) == Some(&b'[') {
        return address(text, at);
    }
    if let Some(end) = plain_host(bytes, at) {
        let name = text.get(at..end)?;
        looked_at(name.len());
        return Some(Host { name: Cow::Borrowed(name), end, defanged: false, known: valid_plain_host(name)? });
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
    looked_at(end - at);
    let known = valid_host(&name)?;
    Some(Host { name: Cow::Owned(name), end, defanged, known })
}

/// `[2001:db8::1]`: an address of IPv6 (RFC 3986 §3.2.2).
fn address(text: &str, at: usize) -> Option<Host<'_>> {
    let inside = text.as_bytes().get(at + 1..)?.iter().take(46).position(|b| *b == b']')?;
    let end = at + inside + 2;
    text.get(at + 1..end - 1)?.parse::<std::net::Ipv6Addr>().ok()?;
    let name = text.get(at..end)?;
    let lower = !name.bytes().any(|b| b.is_ascii_uppercase());
    let name = if lower { Cow::Borrowed(name) } else { Cow::Owned(name.to_ascii_lowercase()) };
    Some(Host { name, end, defanged: false, known: true })
}

/// Small letters, digits, hyphens and low lines.
const PLAIN: [bool; 256] = {
    let (mut table, mut b) = ([false; 256], 0u8);
    while b < 128 {
        table[b as usize] = b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_';
        b += 1;
    }
    table
};

/// Where a host of small letters, digits, hyphens and dots alone ends, which most are; `None` where anything else is in
/// play or may be.
fn plain_host(bytes: &[u8], at: usize) -> Option<usize> {
    let fits = |b: u8| PLAIN.get(usize::from(b)).is_some_and(|is| *is);
    let (mut i, mut label) = (at, false);
    loop {
        match bytes.get(i) {
            Some(b) if fits(*b) => label = true,
            Some(b'.') if label => match bytes.get(i + 1) {
                Some(b) if fits(*b) => label = false,
                Some(b) if b.is_ascii_uppercase() || !b.is_ascii() => return None,
                _ => return Some(i),
            },
            Some(b'A'..=b'Z' | b'[' | b'(' | b'{' | b'\\' | 0x80..) => return None,
            Some(b' ') if matches!(bytes.get(i + 1), Some(b'[' | b'(')) => return None,
            _ => return Some(i),
        }
        i += 1;
        if i - at > 300 {
            return None;
        }
    }
}

fn starts_label(text: &str, at: usize) -> bool {
    char_at(text, at).is_some_and(|c| c.is_alphanumeric() || c == '-' || c == '_')
}

/// `[.]`, `(.)`, `{.}`, `[dot]`, `\.` and their spaced kin at `at`: where the next label begins.
pub(in crate::citation) fn defanged_dot(text: &str, at: usize) -> Option<usize> {
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
pub(in crate::citation) fn exists(tld: &str) -> bool {
    tld::exist(tld) || matches!(tld, "example" | "test" | "invalid" | "onion") || (!tld.is_ascii() && idna_exists(tld))
}

fn idna_exists(tld: &str) -> bool {
    url::Host::parse(tld).is_ok_and(|h| matches!(h, url::Host::Domain(d) if tld::exist(&d)))
}

/// As [`valid_host`], of a name in small letters, digits, hyphens and dots between labels that are not empty.
fn valid_plain_host(name: &str) -> Option<bool> {
    let bytes = name.as_bytes();
    let tld_at = memchr::memrchr(b'.', bytes)? + 1;
    if name.len() > 63 * 4 || bytes.last().is_some_and(u8::is_ascii_digit) {
        return valid_host(name);
    }
    let edge = |b: u8| matches!(b, b'-' | b'_' | b'.');
    let (mut before, mut underscored) = (b'.', false);
    for b in bytes.iter().chain(b".") {
        // each dot has letters or digits beside it, and so have the ends
        if before == b'.' && edge(*b) || *b == b'.' && edge(before) {
            return None;
        }
        underscored |= *b == b'_';
        before = *b;
    }
    if underscored {
        return valid_host(name);
    }
    let tld = name.get(tld_at..)?;
    let plain = tld.len() >= 2 && (tld.starts_with("xn--") || tld.bytes().all(|b| b.is_ascii_alphabetic()));
    plain.then(|| matches!(tld, "com" | "org" | "net") || exists(tld))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_host_is_judged_as_any_other() {
        let labels =
            ["a", "b-c", "-d", "e-", "f_g", "_h", "i_", "1", "255", "256", "com", "xn--p1ai", "x1", "c", "café"];
        let mut seen = 0;
        for first in labels {
            for second in labels {
                for third in labels {
                    for name in [format!("{first}.{second}"), format!("{first}.{second}.{third}.{second}")] {
                        if plain_host(name.as_bytes(), 0) == Some(name.len()) {
                            assert_eq!(valid_plain_host(&name), valid_host(&name), "{name}");
                            seen += 1;
                        }
                    }
                }
            }
        }
        assert!(seen > 4000, "{seen}");
    }
}
