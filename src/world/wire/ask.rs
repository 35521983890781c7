//! A request as bytes: one order, one spelling, nothing that a caller could smuggle in (RFC 9112 §3).

use url::{Position, Url};

use crate::format::http::{Method, Request};
use crate::resolution::exchange::Failure;

/// Fields that say where a message ends or to whom it goes: the wire's own.
const OWN: [&str; 10] = [
    "host",
    "content-length",
    "transfer-encoding",
    "connection",
    "te",
    "trailer",
    "upgrade",
    "expect",
    "keep-alive",
    "proxy-connection",
];

/// The request's exact bytes. A header of the caller's replaces the default of the same name.
///
/// # Errors
/// A header that is the wire's own, or that is none.
pub(super) fn bytes(request: &Request, user_agent: &str) -> Result<Vec<u8>, Failure> {
    for (name, value) in &request.headers {
        check(name, value)?;
    }
    let url = &request.url;
    let mut out = Vec::with_capacity(512);
    let path = &url[Position::BeforePath..Position::AfterQuery];
    for part in [request.method.as_str(), " ", if path.starts_with('/') { "" } else { "/" }, path, " HTTP/1.1\r\n"] {
        out.extend_from_slice(part.as_bytes());
    }
    field(&mut out, "Host", authority(url));
    // gzip alone: every reader of WARCs can undo it.
    for (name, value) in [("User-Agent", user_agent), ("Accept", "*/*"), ("Accept-Encoding", "gzip")] {
        if !request.headers.iter().any(|(own, _)| own.eq_ignore_ascii_case(name)) {
            field(&mut out, name, value);
        }
    }
    for (name, value) in &request.headers {
        field(&mut out, name, value);
    }
    field(&mut out, "Connection", "keep-alive");
    if request.method == Method::Post {
        field(&mut out, "Content-Length", &request.body.len().to_string());
    }
    out.extend_from_slice(b"\r\n");
    if request.method == Method::Post {
        out.extend_from_slice(&request.body);
    }
    Ok(out)
}

fn field(out: &mut Vec<u8>, name: &str, value: &str) {
    for part in [name, ": ", value, "\r\n"] {
        out.extend_from_slice(part.as_bytes());
    }
}

fn authority(url: &Url) -> &str {
    &url[Position::BeforeHost..Position::AfterPort]
}

fn check(name: &str, value: &str) -> Result<(), Failure> {
    let token = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b));
    let clean = value.bytes().all(|b| b == b'\t' || (b >= 0x20 && b != 0x7f));
    if !token || !clean {
        return Err(Failure::Refused(format!("header {:?} is not one", name.escape_debug().to_string())));
    }
    if OWN.iter().any(|own| own.eq_ignore_ascii_case(name)) {
        return Err(Failure::Refused(format!("header {name} is the wire's own")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(request: &Request) -> String {
        String::from_utf8(bytes(request, "onrecord/0 (+mail)").unwrap()).unwrap()
    }

    #[test]
    fn one_order_and_spelling() {
        let get = Request::get("https://EXAMPLE.org:443/a b?q=1&r=\u{e9}#frag".parse().unwrap());
        assert_eq!(
            text(&get),
            "GET /a%20b?q=1&r=%C3%A9 HTTP/1.1\r\nHost: example.org\r\nUser-Agent: onrecord/0 (+mail)\r\nAccept: */*\r\n\
             Accept-Encoding: gzip\r\nConnection: keep-alive\r\n\r\n"
        );
        let other = Request::get("http://[::1]:8080".parse().unwrap()).with("accept", "text/html").with("X-A", "b");
        assert_eq!(
            text(&other),
            "GET / HTTP/1.1\r\nHost: [::1]:8080\r\nUser-Agent: onrecord/0 (+mail)\r\nAccept-Encoding: gzip\r\n\
             accept: text/html\r\nX-A: b\r\nConnection: keep-alive\r\n\r\n"
        );
        let post =
            Request { method: Method::Post, body: b"x=1".to_vec(), ..Request::get("http://e.org/".parse().unwrap()) };
        assert!(text(&post).ends_with("Connection: keep-alive\r\nContent-Length: 3\r\n\r\nx=1"));
    }

    #[test]
    fn nothing_is_smuggled_in() {
        let get = || Request::get("http://example.org/".parse().unwrap());
        for (name, value) in [
            ("Host", "x"),
            ("content-length", "5"),
            ("Transfer-Encoding", "chunked"),
            ("Connection", "close"),
            ("X", "a\r\nY: b"),
            ("X", "a\nb"),
            ("X", "a\0"),
            ("X Y", "a"),
            ("", "a"),
            ("X:", "a"),
            ("X\r\n", "a"),
        ] {
            assert!(matches!(bytes(&get().with(name, value), "ua"), Err(Failure::Refused(_))), "{name:?}: {value:?}");
        }
    }
}
