//! SURT keys: the sort-friendly form of a URL that CDX indexes are ordered by, as the Internet Archive's `surt` makes it
//! (0.3.1, <https://github.com/internetarchive/surt>; checked against it). `https://www.A.example/B?y=1&x` becomes
//! `example,a)/b?x&y=1`.

use std::borrow::Cow;
use std::net::Ipv4Addr;
use std::sync::LazyLock;

use regex::bytes::Regex;

/// The key of a URL. What is no `http`, `ftp` or such keeps its scheme; a `urn:` is its own key.
pub fn key(url: &str) -> String {
    if url.starts_with("urn:") {
        return url.replace(char::is_whitespace, "%20");
    }
    let cleaned: String = url.trim().chars().filter(|c| !matches!(c, '\n' | '\r' | '\t')).collect();
    if cleaned.is_empty() {
        return "-".to_owned();
    }
    let whole = with_scheme(&cleaned);
    match Parts::of(single_scheme(&whole)) {
        Some(parts) => parts.key(),
        // A port that is no number: no key can be made, the URL stands for itself as in other indexers.
        None => text(&escaped(url.trim().as_bytes())),
    }
}

struct Parts<'a> {
    scheme: &'a str,
    host: Option<Vec<u8>>,
    port: Option<u16>,
    path: Option<&'a [u8]>,
    query: Option<&'a [u8]>,
}

impl<'a> Parts<'a> {
    /// RFC 2396's split, with a host looked for in the path of `http:////host/`.
    fn of(url: &'a str) -> Option<Self> {
        let (scheme, rest) = url.split_once(':')?;
        let rest = rest.split('#').next().unwrap_or_default();
        let (before, query) = match rest.split_once('?') {
            Some((before, query)) => (before, Some(query)),
            None => (rest, None),
        };
        let (authority, path) = match before.strip_prefix("//") {
            Some(after) => after.split_at(after.find('/').unwrap_or(after.len())),
            None => ("", before),
        };
        let (mut host, port) = host_and_port(authority.trim_end_matches(':'))?;
        let mut path = path;
        if host.is_none() && scheme.starts_with("http") {
            let found = path.trim_start_matches('/');
            let end = found.find('/').unwrap_or(found.len());
            host = found.get(..end).map(str::to_owned);
            path = found.get(end..).unwrap_or_default();
        }
        let some = |part: &'a str| (!part.is_empty()).then_some(part.as_bytes());
        let host = host.filter(|h| !h.is_empty()).map(String::into_bytes);
        Some(Self { scheme, host, port, path: some(path), query: query.and_then(some) })
    }

    fn key(&self) -> String {
        let path = self.path_key();
        let query = self.query.map(query_key).filter(|q| !q.is_empty());
        let mut out = Vec::with_capacity(path.len() + 64);
        match &self.host {
            Some(host) => {
                let host = host_key(host, self.scheme);
                let mut labels: Vec<&[u8]> = host.split(|&b| b == b'.').collect();
                labels.reverse();
                out.extend_from_slice(&labels.join(&b','));
                if let Some(port) = self.port.filter(|&p| Some(p) != default_port(self.scheme)) {
                    out.extend_from_slice(format!(":{port}").as_bytes());
                }
                out.push(b')');
            }
            None => {
                out.extend_from_slice(self.scheme.as_bytes());
                out.push(b':');
            }
        }
        if path.is_empty() && query.is_some() {
            out.push(b'/');
        }
        out.extend_from_slice(&path);
        if let Some(query) = query {
            out.push(b'?');
            out.extend_from_slice(&query);
        }
        text(&out)
    }

    fn path_key(&self) -> Vec<u8> {
        let plain = unescaped(self.path.unwrap_or_default());
        let walked = if self.host.is_some() { walked(&plain) } else { plain.into_owned() };
        let mut path = without_path_session(escaped(&walked).to_ascii_lowercase());
        if path.len() > 1 && path.ends_with(b"/") {
            path.pop();
        }
        path
    }
}

fn with_scheme(url: &str) -> Cow<'_, str> {
    let scheme = url.split(':').next().unwrap_or_default();
    let legal = scheme.len() < url.len()
        && scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b));
    if legal { Cow::Borrowed(url) } else { Cow::Owned(format!("http://{url}")) }
}

/// `http://https://host` means the last of them.
fn single_scheme(url: &str) -> &str {
    let mut last = url;
    let mut rest = url;
    while let Some(after) = rest.strip_prefix("http://").or_else(|| rest.strip_prefix("https://")) {
        last = rest;
        rest = after;
    }
    last
}

/// Host in lower case and port of an authority, whose user is dropped; none where the port is no number.
fn host_and_port(authority: &str) -> Option<(Option<String>, Option<u16>)> {
    let place = authority.rsplit('@').next().unwrap_or_default();
    let (host, port) = match place.strip_prefix('[').and_then(|inner| inner.split_once(']')) {
        Some((host, after)) => (host, after.strip_prefix(':').unwrap_or_default()),
        None => place.split_once(':').unwrap_or((place, "")),
    };
    let port = match port {
        "" => None,
        digits if digits.bytes().all(|b| b.is_ascii_digit()) => Some(digits.parse().ok()?),
        _ => return None,
    };
    // A port of 0 counts as none.
    let port = port.filter(|&p| p != 0);
    Some(((!host.is_empty()).then(|| host.to_lowercase()), port))
}

fn default_port(scheme: &str) -> Option<u16> {
    match scheme.to_ascii_lowercase().as_str() {
        "http" => Some(80),
        "https" => Some(443),
        _ => None,
    }
}

fn host_key(host: &[u8], scheme: &str) -> Vec<u8> {
    let plain = unescaped(host);
    let mut name = match plain.is_ascii() {
        true => String::from_utf8_lossy(&plain).into_owned(),
        false => {
            // The reference drops what is no UTF-8 before it asks IDNA, and leaves the bytes where IDNA refuses.
            let unicode = String::from_utf8_lossy(&plain).replace('\u{fffd}', "");
            match url::Host::parse(&unicode) {
                Ok(url::Host::Domain(ascii)) => ascii,
                _ => return massaged(escaped(&plain).to_ascii_lowercase(), scheme),
            }
        }
    };
    name = name.replace("..", ".");
    let name = name.trim_matches('.');
    let host = match address(name) {
        Some(ip) => ip.to_string().into_bytes(),
        None => escaped(name.to_lowercase().as_bytes()).into_owned(),
    };
    massaged(host.to_ascii_lowercase(), scheme)
}

/// Without `www.`, `www2.` and the like.
fn massaged(host: Vec<u8>, scheme: &str) -> Vec<u8> {
    if scheme == "dns" {
        return host;
    }
    let Some(after) = host.strip_prefix(b"www") else { return host };
    let digits = after.iter().take_while(|b| b.is_ascii_digit()).count();
    match after.get(digits..) {
        Some([b'.', rest @ ..]) => rest.to_vec(),
        _ => host,
    }
}

/// An IPv4 address in any form that `inet_aton` reads, except hexadecimal.
fn address(host: &str) -> Option<Ipv4Addr> {
    let digits = !host.is_empty() && host.bytes().all(|b| b.is_ascii_digit());
    if digits {
        let value = host.bytes().fold(0_u32, |n, b| n.wrapping_mul(10).wrapping_add(u32::from(b - b'0')));
        return Some(Ipv4Addr::from(value));
    }
    let octal = host.starts_with('0');
    let parts: Vec<&str> = host.split('.').collect();
    let digit = |b: u8| b.is_ascii_digit() && (!octal || b < b'8');
    if parts.len() > 4 || !parts.iter().all(|p| !p.is_empty() && p.bytes().all(digit)) {
        return None;
    }
    let values: Option<Vec<u64>> = parts.iter().map(|part| number(part)).collect();
    let values = values?;
    let (last, firsts) = values.split_last()?;
    if firsts.iter().any(|&v| v > 255) || *last >= 1 << (8 * (4 - firsts.len())) {
        return None;
    }
    let lead = firsts.iter().enumerate().fold(0, |n, (i, v)| n | v << (24 - 8 * i));
    u32::try_from(lead | last).ok().map(Ipv4Addr::from)
}

fn number(part: &str) -> Option<u64> {
    let radix = if part.len() > 1 && part.starts_with('0') { 8 } else { 10 };
    u64::from_str_radix(part, radix).ok()
}

/// `.` and `..` walked, empty segments dropped, a final slash kept.
fn walked(path: &[u8]) -> Vec<u8> {
    let mut kept: Vec<&[u8]> = Vec::new();
    for part in path.split(|&b| b == b'/').skip(1) {
        match part {
            b"." => {}
            b".." if !kept.is_empty() => {
                kept.pop();
            }
            other => kept.push(other),
        }
    }
    let mut out = vec![b'/'];
    if let Some((last, firsts)) = kept.split_last() {
        for part in firsts.iter().filter(|p| !p.is_empty()) {
            out.extend_from_slice(part);
            out.push(b'/');
        }
        out.extend_from_slice(last);
    }
    out
}

fn query_key(query: &[u8]) -> Vec<u8> {
    let plain = escaped(&unescaped(query)).into_owned();
    let bare = without_query_session(plain).to_ascii_lowercase();
    if bare.len() <= 1 {
        return bare;
    }
    let mut pairs: Vec<(&[u8], Option<&[u8]>)> = bare
        .split(|&b| b == b'&')
        .map(|pair| match pair.iter().position(|&b| b == b'=') {
            Some(n) => (pair.get(..n).unwrap_or_default(), pair.get(n + 1..)),
            None => (pair, None),
        })
        .collect();
    pairs.sort();
    let mut out = Vec::with_capacity(bare.len());
    for (i, (name, value)) in pairs.iter().enumerate() {
        if i > 0 {
            out.push(b'&');
        }
        out.extend_from_slice(name);
        if let Some(value) = value {
            out.push(b'=');
            out.extend_from_slice(value);
        }
    }
    out
}

/// ASP.NET's cookieless sessions: `/(S(24 letters))/` or `/(24 letters)/` before an `.aspx`.
fn without_path_session(path: Vec<u8>) -> Vec<u8> {
    static SESSIONS: LazyLock<Vec<Regex>> = LazyLock::new(|| {
        patterns(&[
            r"(?i-u)^(?P<a>.*/)\((?:[a-z]\([0-9a-z]{24}\))+\)/(?P<b>[^?]+\.aspx.*)$",
            r"(?i-u)^(?P<a>.*/)\([0-9a-z]{24}\)/(?P<b>[^?]+\.aspx.*)$",
        ])
    });
    if memchr::memmem::find(&path, b".aspx").is_none() {
        return path;
    }
    cut_out(path, &SESSIONS)
}

/// Java's, PHP's, ASP's and ColdFusion's session parameters.
fn without_query_session(query: Vec<u8>) -> Vec<u8> {
    static SESSIONS: LazyLock<Vec<Regex>> = LazyLock::new(|| {
        let session = |parameter: &str| format!("(?i-u)^(?P<a>.*)(?:{parameter})(?:&(?P<b>.*))?$");
        let parameters = [
            "jsessionid=[0-9a-z]{32}",
            "phpsessid=[0-9a-z]{32}",
            "sid=[0-9a-z]{32}",
            "aspsessionid[a-z]{8}=[a-z]{24}",
            "cfid=[^&]+&cftoken=[^&]+",
        ];
        let whole = parameters.map(session);
        patterns(&whole.each_ref().map(String::as_str))
    });
    let suspicious = query.windows(2).any(|pair| pair.eq_ignore_ascii_case(b"id"));
    if suspicious { cut_out(query, &SESSIONS) } else { query }
}

fn patterns(sources: &[&str]) -> Vec<Regex> {
    sources.iter().filter_map(|source| Regex::new(source).ok()).collect()
}

fn cut_out(text: Vec<u8>, sessions: &[Regex]) -> Vec<u8> {
    sessions.iter().fold(text, |text, session| {
        let Some(found) = session.captures(&text) else { return text };
        let part = |name| found.name(name).map_or(&[][..], |m| m.as_bytes());
        [part("a"), part("b")].concat()
    })
}

/// Percent-decoded until nothing changes.
fn unescaped(bytes: &[u8]) -> Cow<'_, [u8]> {
    if !bytes.contains(&b'%') {
        return Cow::Borrowed(bytes);
    }
    // Once from the left with the result read again is the same as round after round, and linear: each decoding makes
    // the text two bytes shorter and looks back no further than two.
    let mut out: Vec<u8> = Vec::with_capacity(bytes.len());
    for &byte in bytes {
        out.push(byte);
        while let [.., b'%', high, low] = out.as_slice()
            && let (Some(high), Some(low)) = (hex(*high), hex(*low))
        {
            out.truncate(out.len() - 3);
            out.push(high << 4 | low);
        }
    }
    Cow::Owned(out)
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|d| u8::try_from(d).ok())
}

/// Percent-encoded where a byte is no visible ASCII, or `#` or `%`.
fn escaped(bytes: &[u8]) -> Cow<'_, [u8]> {
    let plain = |b: &u8| (0x21..0x7f).contains(b) && !matches!(b, b'#' | b'%');
    if bytes.iter().all(plain) {
        return Cow::Borrowed(bytes);
    }
    let mut out = Vec::with_capacity(bytes.len() + 16);
    for byte in bytes {
        match plain(byte) {
            true => out.push(*byte),
            false => out.extend_from_slice(format!("%{byte:02X}").as_bytes()),
        }
    }
    Cow::Owned(out)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::key;

    #[test]
    fn keys_as_other_tools_make_them() {
        for (url, want) in [
            ("https://www.A.example/B?y=1&x", "example,a)/b?x&y=1"),
            ("http://127.0.0.1:80/x", "1,0,0,127)/x"),
            ("http://127.0.0.1:8080/", "1,0,0,127:8080)/"),
            ("ftp://www.ex.com:21/A/", "com,ex:21)/a"),
            ("http://www2.a.example/a//b/./../c/", "example,a)/a/c"),
            ("http://a.example?x", "example,a)/?x"),
            ("http:////www.v.com/P", "com,v)/p"),
            ("http://https://a.example/", "example,a)/"),
            ("ex.com/x", "com,ex)/x"),
            ("http://ex.com/a?b=%2541", "com,ex)/a?b=a"),
            ("http://b\u{fc}cher.ch/\u{fc}", "ch,xn--bcher-kva)/%c3%bc"),
            ("http://017.1/", "1,0,0,15)/"),
            ("http://1.2.3.400/", "400,3,2,1)/"),
            ("http://user:pass@a.example/", "example,a)/"),
            ("http://[::1]:80/", "::1)/"),
            ("dns:www.Example.com", "dns:www.example.com"),
            ("file:///shot.png", "file:/shot.png"),
            ("urn:X:Y", "urn:X:Y"),
            ("http://a.example/?sid=0123456789abcdef0123456789abcdef&a=1", "example,a)/?a=1"),
            ("http://a.example/(S(0123456789abcdefghijklmn))/p.aspx", "example,a)/p.aspx"),
            ("", "-"),
        ] {
            assert_eq!(key(url), want, "{url}");
        }
    }

    #[test]
    fn no_key_has_a_space_in_it() {
        for url in
            ["http://a.example/a b?c d", "x y z", "urn:a b", "http://a b.example:80x/", "\u{a0}http://a/\u{2003}"]
        {
            assert!(!key(url).contains(char::is_whitespace), "{url:?}: {:?}", key(url));
        }
    }
}
