//! archive.today (also .ph, .is, .md, .li, .vn, .fo): its list of copies of a URL in link-format, and what it answers to those it
//! takes for robots (as it was in 2026).

use jiff::Timestamp;
use url::Url;

use crate::format::http::{Answer, Request};
use crate::platform::wayback;

/// The name that is asked; the others lead to the same place.
const HOST: &str = "archive.ph";

/// Whether a host is one of its names.
pub fn is_host(host: &str) -> bool {
    let name = host.strip_prefix("www.").unwrap_or(host).strip_prefix("archive.");
    name.is_some_and(|end| matches!(end, "today" | "ph" | "is" | "md" | "li" | "vn" | "fo"))
}

/// Asks for the list of its copies. The URL stands behind the path as it is, a fragment's sign aside.
pub fn list(url: &str) -> Option<Request> {
    let bare = url.split('#').next().unwrap_or_default();
    Url::parse(&format!("https://{HOST}/timemap/{bare}")).ok().filter(|_| !bare.is_empty()).map(Request::get)
}

/// The copies in its answer, oldest first.
///
/// # Errors
/// In words, why there are none.
pub fn copies(answer: &Answer) -> Result<Vec<(Timestamp, Url)>, String> {
    match answer.status {
        200 => {
            let mut copies = wayback::time_map(&String::from_utf8_lossy(&answer.body));
            copies.retain(|(_, url)| url.host_str().is_some_and(is_host));
            (!copies.is_empty()).then_some(copies).ok_or_else(|| format!("{HOST} answered with no list of copies"))
        }
        404 => Err(format!("{HOST} has no copy of it")),
        429 | 403 | 503 => Err(format!("{HOST} shows its copies to people alone just now (status {})", answer.status)),
        status => Err(format!("{HOST} answered with status {status}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &[u8] = include_bytes!("../../tests/fixtures/wayback/archive-today.timemap.link");

    fn answer(status: u16, body: &[u8]) -> Answer {
        Answer { status, body: body.to_vec(), ..Answer::default() }
    }

    #[test]
    fn lists_are_read_and_refusals_told_apart() {
        let copies = copies(&answer(200, LIST)).unwrap();
        assert!(copies.len() > 1 && copies.is_sorted_by_key(|(at, _)| *at), "{copies:?}");
        let why = |status, body: &[u8]| super::copies(&answer(status, body)).unwrap_err();
        assert!(why(404, b"TimeMap does not exists.").contains("no copy"));
        assert!(why(429, b"<title>archive.ph</title>").contains("people alone"));
        assert!(why(200, b"<html>").contains("no list"));
        let foreign =
            b"<https://evil.example/1/https://a.example/>; rel=\"memento\"; datetime=\"Thu, 02 Jan 2020 03:04:05 GMT\"";
        assert!(why(200, foreign).contains("no list"));
    }

    #[test]
    fn urls_stand_behind_the_path() {
        let request = list("https://a.example/x?y=1#z").unwrap();
        assert_eq!(request.url.as_str(), "https://archive.ph/timemap/https://a.example/x?y=1");
        assert!(list("").is_none());
        for (host, is) in
            [("archive.is", true), ("www.archive.today", true), ("archive.org", false), ("archive.ph.example", false)]
        {
            assert_eq!(is_host(host), is, "{host}");
        }
    }
}
