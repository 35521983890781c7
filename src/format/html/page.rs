//! What a page says of itself (HTML metadata, Open Graph, schema.org), and the posts its attributes name.

use super::token::{Tag, unescaped};
use crate::format::reading::Pointer;

/// A page's own words about itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// a whole page rather than a fragment
    pub whole: bool,
    /// the charset its `meta` declares
    pub charset: Option<String>,
    /// `og:title`, else `<title>`
    pub title: Option<String>,
    /// language of the page
    pub language: Option<String>,
    /// when it was published, as it stands
    pub published: Option<String>,
    /// the site
    pub publisher: Option<String>,
    /// who wrote it
    pub author: Option<String>,
    /// its own URL
    pub canonical: Option<String>,
    /// how sure the date is: the lower the surer
    rank: u8,
    og_title: bool,
}

/// The part of a page that holds the statement, where the page says so: `main`, or its only `article`.
pub(super) fn scope(source: &str) -> Option<&'static str> {
    let lower = |name: &[u8]| {
        let mut count = 0;
        for at in memchr::memchr_iter(b'<', source.as_bytes()) {
            let word = source.as_bytes().get(at + 1..at + 1 + name.len());
            let ends =
                source.as_bytes().get(at + 1 + name.len()).is_some_and(|b| b.is_ascii_whitespace() || *b == b'>');
            count += usize::from(ends && word.is_some_and(|w| w.eq_ignore_ascii_case(name)));
        }
        count
    };
    if lower(b"body") == 0 && lower(b"html") == 0 {
        return None;
    }
    match (lower(b"main"), lower(b"article")) {
        (_, 1) => Some("article"),
        (1, _) => Some("main"),
        _ => None,
    }
}

impl Page {
    pub(super) fn title(&mut self, text: &str) {
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        if self.title.is_none() && !text.is_empty() {
            self.title = Some(text);
        }
    }

    /// Takes what a tag says. `head`: a time stands where a page says when it was published.
    pub(super) fn tag(&mut self, tag: &Tag<'_>, head: bool) {
        match tag.name.as_str() {
            "html" => {
                self.whole = true;
                self.language = tag.value("lang").or_else(|| tag.value("xml:lang")).filter(|l| !l.is_empty());
            }
            "body" | "head" => self.whole = true,
            "meta" => self.meta(tag),
            "link" if tag.value("rel").is_some_and(|r| r.eq_ignore_ascii_case("canonical")) => {
                set(&mut self.canonical, tag.value("href"))
            }
            "time" if tag.raw("pubdate").is_some() || tag.value("itemprop").is_some_and(|p| p == "datePublished") => {
                self.date(tag.value("datetime"), 2)
            }
            "time" if head => self.date(tag.value("datetime"), 5),
            _ => {}
        }
    }

    fn meta(&mut self, tag: &Tag<'_>) {
        if let Some(charset) = tag.value("charset") {
            set(&mut self.charset, Some(charset));
        }
        let Some(content) = tag.value("content").filter(|c| !c.trim().is_empty()) else { return };
        let Some(name) = ["property", "name", "itemprop", "http-equiv"].iter().find_map(|n| tag.value(n)) else {
            return;
        };
        match name.to_ascii_lowercase().as_str() {
            "content-type" => set(
                &mut self.charset,
                content.split("charset=").nth(1).map(|c| c.trim_matches(['"', '\'', ' ', ';']).to_owned()),
            ),
            "og:title" | "twitter:title" if !self.og_title => {
                self.og_title = true;
                self.title = Some(content.trim().to_owned());
            }
            "og:site_name" | "publisher" | "dc.publisher" | "dcterms.publisher" => {
                set(&mut self.publisher, Some(content))
            }
            "author" | "article:author" | "dc.creator" | "dcterms.creator" | "parsely-author" | "sailthru.author"
                if !content.starts_with("http") =>
            {
                set(&mut self.author, Some(content))
            }
            "og:url" => set(&mut self.canonical, Some(content)),
            "og:locale" | "content-language" | "dc.language" => {
                set(&mut self.language, Some(content.replace('_', "-")))
            }
            "article:published_time" | "datepublished" | "og:published_time" => self.date(Some(content), 1),
            "date"
            | "pubdate"
            | "publish-date"
            | "dc.date"
            | "dc.date.issued"
            | "dcterms.date"
            | "dcterms.issued"
            | "dcterms.created"
            | "parsely-pub-date"
            | "sailthru.date"
            | "citation_publication_date" => {
                self.date(Some(content), 3);
            }
            _ => {}
        }
    }

    fn date(&mut self, value: Option<String>, rank: u8) {
        if let Some(value) = value.filter(|v| v.len() >= 8 && (self.published.is_none() || rank < self.rank)) {
            self.rank = rank;
            self.published = Some(value.trim().to_owned());
        }
    }

    /// schema.org in JSON-LD: the few fields that say when, who and in which language.
    pub(super) fn script(&mut self, raw: &str) {
        if !raw.contains("datePublished") && !raw.contains("\"headline\"") {
            return;
        }
        let Ok(value) = serde_json::from_str::<serde_json::Value>(raw.trim()) else { return };
        self.linked(&value, 0);
    }

    fn linked(&mut self, value: &serde_json::Value, depth: usize) {
        if depth > 4 {
            return;
        }
        match value {
            serde_json::Value::Array(items) => items.iter().take(64).for_each(|v| self.linked(v, depth + 1)),
            serde_json::Value::Object(map) => {
                let text = |key: &str| map.get(key).and_then(|v| v.as_str()).map(str::to_owned);
                let name = |key: &str| match map.get(key)? {
                    serde_json::Value::Array(list) => list.first()?.get("name")?.as_str().map(str::to_owned),
                    serde_json::Value::String(s) => Some(s.clone()),
                    other => other.get("name")?.as_str().map(str::to_owned),
                };
                if text("datePublished").is_some() {
                    self.date(text("datePublished"), 2);
                    set(&mut self.author, name("author"));
                    set(&mut self.publisher, name("publisher"));
                    set(&mut self.language, text("inLanguage"));
                    set(&mut self.title, text("headline"));
                }
                if let Some(graph) = map.get("@graph") {
                    self.linked(graph, depth + 1);
                }
            }
            _ => {}
        }
    }
}

fn set(field: &mut Option<String>, value: Option<String>) {
    if field.is_none()
        && let Some(value) = value.map(|v| v.trim().to_owned()).filter(|v| !v.is_empty())
    {
        *field = Some(value);
    }
}

/// Attributes that hold the URL of an embedded post, page or video.
const URL_ATTRIBUTES: &[&str] = &[
    "data-embed-url",
    "data-instgrm-permalink",
    "data-bluesky-uri",
    "data-text-post-permalink",
    "data-href",
    "data-url",
    "data-tweet-url",
    "data-oembed-url",
    "data-src",
    "cite",
    "src",
];

/// Attributes that hold a post's bare id, what the element must mention, and the URL an id makes.
const ID_ATTRIBUTES: &[(&str, &str, &str)] = &[
    ("data-tweet-id", "", "https://x.com/i/status/"),
    ("data-tweetid", "", "https://x.com/i/status/"),
    ("data-twitter-id", "", "https://x.com/i/status/"),
    ("data-embed-id", "twit", "https://x.com/i/status/"),
    ("data-embed-id", "tweet", "https://x.com/i/status/"),
    ("data-id", "tweet", "https://x.com/i/status/"),
    ("data-item-id", "tweet", "https://x.com/i/status/"),
    ("data-telegram-post", "", "https://t.me/"),
    ("data-youtube-id", "", "https://www.youtube.com/watch?v="),
    ("data-videoid", "youtube", "https://www.youtube.com/watch?v="),
    ("videoid", "youtube", "https://www.youtube.com/watch?v="),
];

/// What the attributes of a tag name.
pub(super) fn pointers(tag: &Tag<'_>, at: usize, out: &mut Vec<Pointer>) {
    if matches!(tag.name.as_str(), "a" | "link" | "meta" | "img" | "source" | "script")
        && tag.raw("data-telegram-post").is_none()
    {
        return;
    }
    let hint =
        format!("{} {} {}", tag.name, tag.value("class").unwrap_or_default(), tag.value("id").unwrap_or_default())
            .to_ascii_lowercase();
    for (name, needs, base) in ID_ATTRIBUTES {
        if let Some((raw, source)) = tag.raw(name).filter(|(v, _)| hint.contains(needs) && !v.trim().is_empty()) {
            out.push(Pointer { url: format!("{base}{}", raw.trim()), source, at });
            return;
        }
    }
    for name in URL_ATTRIBUTES {
        if let Some((raw, source)) = tag.raw(name) {
            let url = unescaped(raw.trim());
            let url = url.strip_prefix("//").map(|rest| format!("https://{rest}")).unwrap_or(url);
            if url.starts_with("http") || url.starts_with("at://") {
                out.push(Pointer { url, source, at });
            }
        }
    }
}
