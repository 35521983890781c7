//! Feeds: RSS 0.9 to 2.0, Atom (RFC 4287) and JSON Feed 1.1 read alike; Atom written.

use std::fmt::Write as _;

use jiff::Timestamp;
use url::Url;

use crate::format::time;

/// One entry: which one it is, and where its page is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// the same whenever the same entry is read again
    pub id: String,
    /// its page
    pub url: Url,
}

/// Bytes that are no feed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("neither RSS, Atom nor JSON Feed: {0}")]
pub struct NotAFeed(String);

/// Reads a feed that was had from `base`. Entries without a page of their own on the web are left out.
///
/// # Errors
/// Bytes that are no feed.
pub fn read(bytes: &[u8], base: &Url) -> Result<Vec<Entry>, NotAFeed> {
    let parser = feed_rs::parser::Builder::new().base_uri(Some(base.as_str())).build();
    let feed = parser.parse(bytes).map_err(|e| NotAFeed(e.to_string().chars().take(200).collect()))?;
    Ok(feed.entries.into_iter().filter_map(|entry| page(entry, base)).collect())
}

fn page(entry: feed_rs::model::Entry, base: &Url) -> Option<Entry> {
    let at = |href: &str| base.join(href.trim()).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
    let own = entry.links.iter().find(|link| link.rel.as_deref().is_none_or(|rel| rel == "alternate"));
    let url = own.and_then(|link| at(&link.href)).or_else(|| at(&entry.id).filter(|_| entry.id.contains("://")))?;
    let id = if entry.id.is_empty() { url.to_string() } else { entry.id };
    Some(Entry { id: id.chars().take(1000).collect(), url })
}

/// One entry of a feed of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// an IRI that never changes
    pub id: String,
    /// one line
    pub title: String,
    /// plain text
    pub text: String,
    /// where it leads
    pub link: Option<String>,
    /// when
    pub at: Timestamp,
}

/// An Atom feed.
pub fn atom(id: &str, title: &str, items: &[Item], made: Timestamp) -> String {
    let newest = items.iter().map(|item| item.at).max().unwrap_or(made);
    let mut out =
        String::from("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<feed xmlns=\"http://www.w3.org/2005/Atom\">\n");
    let _ = writeln!(out, "<id>{}</id><title>{}</title>", escaped(id), escaped(title));
    let _ = writeln!(out, "<updated>{}</updated><author><name>onrecord</name></author>", time::rfc3339(newest));
    for item in items {
        let _ = writeln!(out, "<entry><id>{}</id><title>{}</title>", escaped(&item.id), escaped(&item.title));
        let _ = writeln!(out, "<updated>{}</updated>", time::rfc3339(item.at));
        if let Some(link) = &item.link {
            let _ = writeln!(out, "<link rel=\"related\" href=\"{}\"/>", escaped(link));
        }
        let _ = writeln!(out, "<content type=\"text\">{}</content></entry>", escaped(&item.text));
    }
    out.push_str("</feed>\n");
    out
}

/// Text that XML 1.0 can hold: marks as entities, characters it cannot have as U+FFFD.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\t' | '\n' | '\r' => out.push(c),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base() -> Url {
        Url::parse("https://press.example/feed.xml").unwrap()
    }

    #[test]
    fn three_kinds_of_feed_read_alike() {
        let rss = r#"<rss version="2.0"><channel><title>t</title><link>https://press.example/</link><description>d</description>
            <item><title>One</title><link>/one?a=1&amp;b=2</link><guid isPermaLink="false">n1</guid></item>
            <item><title>No page</title><guid isPermaLink="false">n2</guid></item></channel></rss>"#;
        let atom = r#"<feed xmlns="http://www.w3.org/2005/Atom"><id>f</id><title>t</title><updated>2026-11-23T00:00:00Z</updated>
            <entry><id>n1</id><title>One</title><updated>2026-11-23T00:00:00Z</updated><link rel="enclosure" href="a.mp3"/>
            <link href="one?a=1&amp;b=2"/></entry></feed>"#;
        let json = r#"{"version":"https://jsonfeed.org/version/1.1","title":"t","items":[
            {"id":"n1","url":"https://press.example/one?a=1&b=2","content_text":"x"}]}"#;
        for feed in [rss, atom, json] {
            let entries = read(feed.as_bytes(), &base()).unwrap();
            let urls: Vec<&str> = entries.iter().map(|entry| entry.url.as_str()).collect();
            assert_eq!(urls, ["https://press.example/one?a=1&b=2"], "{feed}");
            assert_eq!(entries.first().map(|entry| entry.id.as_str()), Some("n1"), "{feed}");
        }
    }

    #[test]
    fn what_is_no_feed_says_so_and_what_leads_off_the_web_is_left_out() {
        for bytes in [&b""[..], b"<html><body>not found</body></html>", b"{\"a\":1}", b"\xff\xfe\x00", b"<rss"] {
            assert!(read(bytes, &base()).is_err(), "{bytes:?}");
        }
        let feed = r#"<rss version="2.0"><channel><title>t</title><link>https://a.example</link><description/>
            <item><title>x</title><link>javascript:alert(1)</link></item>
            <item><title>y</title><link>file:///etc/passwd</link></item></channel></rss>"#;
        assert_eq!(read(feed.as_bytes(), &base()), Ok(Vec::new()));
    }

    #[test]
    fn ours_is_read_by_the_reader_of_others() {
        let at: Timestamp = "2026-11-23T07:15:00Z".parse().unwrap();
        let item = |n: u32| Item {
            id: format!("urn:onrecord:change:{n}"),
            title: "<deleted> & \u{1b}[2J gone".to_owned(),
            text: "before: \"a\"\nafter: b\u{0}".to_owned(),
            link: Some("https://x.com/a?b=1&c=2".to_owned()),
            at,
        };
        let text = atom("urn:onrecord:a", "changes", &[item(1), item(2)], at);
        let feed = feed_rs::parser::parse(text.as_bytes()).unwrap();
        assert_eq!(feed.entries.len(), 2);
        let title = feed.entries.first().and_then(|e| e.title.clone()).map(|t| t.content);
        assert_eq!(title.as_deref(), Some("<deleted> & \u{fffd}[2J gone"));
        assert!(!text.contains('\u{1b}') && !text.contains('\0'));
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_are_too_odd(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..200)) {
            let _ = read(&bytes, &base());
        }
    }
}
