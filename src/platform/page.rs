//! Any page: what it says of itself (title, author, date, words), and whether it is the page at all, or a wall before it, or
//! an error that says 200.

use serde_json::Value;
use url::Url;

use crate::format::http::Answer;
use crate::format::markup::{self, Piece, Plain, Tag};

/// What a page says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Said {
    /// title, the page's own words before the browser's
    pub title: Option<String>,
    /// what a reader reads
    pub text: String,
    /// author
    pub author: Option<String>,
    /// when it was published, as written
    pub published: Option<String>,
    /// language tag
    pub language: Option<String>,
    /// canonical URL it claims
    pub canonical: Option<String>,
    /// its oEmbed endpoint
    pub oembed: Option<String>,
}

/// What stands there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stands {
    /// a page
    Page,
    /// an error page that says 200
    Soft404,
    /// a page that asks for a login
    Login,
    /// a page that asks for age
    Age,
    /// a test for robots
    Challenge,
}

/// The words of a page that are kept for reading and searching (characters).
const WORDS: usize = 200_000;

/// Reads an answer whose body is text; a media type that is none gives nothing.
pub fn read(answer: &Answer) -> Option<Said> {
    let kind = answer.media_type();
    let content_type = answer.headers.get("content-type").unwrap_or_default();
    if is_markup(answer) {
        return Some(html(&markup::decode(&answer.body, &content_type)));
    }
    if kind.starts_with("text/") || kind.ends_with("json") || kind.ends_with("xml") {
        let text = cut(markup::decode(&answer.body, &content_type).into_owned());
        return Some(Said { text, ..Said::default() });
    }
    None
}

/// Whether [`read`] takes it for HTML.
pub fn is_markup(answer: &Answer) -> bool {
    let kind = answer.media_type();
    kind.contains("html") || (kind.is_empty() && answer.body.trim_ascii_start().starts_with(b"<"))
}

/// Reads HTML.
pub fn html(html: &str) -> Said {
    let mut reader = Reader::default();
    let mut pieces = markup::walk(html);
    while let Some(piece) = pieces.next() {
        reader.add(&piece);
        pieces.reuse(piece);
    }
    reader.finish()
}

/// What a page's oEmbed answer (oembed.com, 1.0) says beside its HTML: title and author.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Embedded {
    /// `title`
    pub title: Option<String>,
    /// `author_name`
    pub author: Option<String>,
}

/// Reads an answer of oEmbed; none where it is none.
pub fn embedded(answer: &Answer) -> Option<Embedded> {
    let json: Value = serde_json::from_slice(&answer.body).ok().filter(|_| answer.status == 200)?;
    json.get("version")?;
    let text = |key: &str| json.get(key).and_then(Value::as_str).map(fold).filter(|text| !text.is_empty());
    Some(Embedded { title: text("title"), author: text("author_name") })
}

/// Reads a page piece by piece, for whoever walks through it anyway.
#[derive(Debug, Default)]
pub struct Reader {
    metas: Vec<(String, String)>,
    title: String,
    heading: String,
    inside: Inside,
    text: Plain,
    language: Option<String>,
    canonical: Option<String>,
    oembed: Option<String>,
    graphs: Vec<Value>,
    time: Option<String>,
}

#[derive(Debug, Default, PartialEq)]
enum Inside {
    #[default]
    Body,
    Title,
    Heading,
    Graph,
}

impl Reader {
    /// The next piece.
    pub fn add(&mut self, piece: &Piece<'_>) {
        match piece {
            Piece::Open(tag) => self.open(tag),
            Piece::Close(name) => {
                if matches!(&**name, "title" | "h1" | "script") {
                    self.inside = Inside::Body;
                }
            }
            Piece::Text(text) => match self.inside {
                Inside::Title if self.title.is_empty() => self.title = fold(text),
                Inside::Heading => self.heading.push_str(text),
                Inside::Graph if self.graphs.len() < 32 => self.graphs.extend(serde_json::from_str(text)),
                _ => {}
            },
        }
        self.text.add(piece);
    }

    fn open(&mut self, tag: &Tag<'_>) {
        match &*tag.name {
            "title" => self.inside = Inside::Title,
            "h1" if self.heading.is_empty() => self.inside = Inside::Heading,
            "script" if tag.get("type").is_some_and(|t| t.trim().eq_ignore_ascii_case("application/ld+json")) => {
                self.inside = Inside::Graph;
            }
            "html" => self.language = tag.get("lang").filter(|l| !l.trim().is_empty()).map(str::to_owned),
            "meta" => {
                let name = tag.get("property").or_else(|| tag.get("name")).or_else(|| tag.get("itemprop"));
                if let (Some(name), Some(content)) = (name, tag.get("content")) {
                    self.metas.push((name.trim().to_ascii_lowercase(), fold(content)));
                }
            }
            "link" => self.link(tag),
            "time" if self.time.is_none() => self.time = tag.get("datetime").map(str::to_owned),
            _ => {}
        }
    }

    fn link(&mut self, tag: &Tag<'_>) {
        let rel = tag.get("rel").unwrap_or_default().to_ascii_lowercase();
        let Some(href) = tag.get("href") else { return };
        if self.canonical.is_none() && rel.split_ascii_whitespace().any(|r| r == "canonical") {
            self.canonical = Some(href.to_owned());
        }
        if self.oembed.is_none() && tag.get("type").is_some_and(|t| t.trim() == "application/json+oembed") {
            self.oembed = Some(href.to_owned());
        }
    }

    fn meta(&self, names: &[&str]) -> Option<String> {
        let of = |name: &&str| self.metas.iter().find(|(n, v)| n == name && !v.is_empty()).map(|(_, v)| v.clone());
        names.iter().find_map(of)
    }

    /// What it says, once it is through.
    pub fn finish(mut self) -> Said {
        let graph = std::mem::take(&mut self.graphs);
        let article = graph.iter().find_map(article);
        let of = |key: &str| article.and_then(|a| a.get(key)).and_then(Value::as_str).map(fold);
        let heading = Some(fold(&self.heading)).filter(|h| !h.is_empty());
        let title = Some(std::mem::take(&mut self.title)).filter(|t| !t.is_empty());
        Said {
            title: self.meta(&["og:title", "twitter:title"]).or_else(|| of("headline")).or(title).or(heading),
            author: article.and_then(author).or_else(|| {
                self.meta(&["author", "article:author", "og:article:author", "dc.creator", "parsely-author", "byl"])
            }),
            published: of("datePublished")
                .or_else(|| {
                    self.meta(&[
                        "article:published_time",
                        "og:article:published_time",
                        "datepublished",
                        "date",
                        "dc.date",
                        "dc.date.issued",
                        "pubdate",
                        "parsely-pub-date",
                        "sailthru.date",
                    ])
                })
                .or(self.time),
            language: self
                .language
                .or_else(|| self.metas.iter().find(|(n, _)| n == "og:locale").map(|(_, v)| v.replace('_', "-"))),
            canonical: self.canonical,
            oembed: self.oembed,
            text: cut(self.text.finish()),
        }
    }
}

/// No more than [`WORDS`] characters.
fn cut(mut text: String) -> String {
    if text.len() > WORDS
        && let Some((end, _)) = text.char_indices().nth(WORDS)
    {
        text.truncate(end);
    }
    text
}

fn fold(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The first object of a JSON-LD graph that says when it was published.
fn article(graph: &Value) -> Option<&Value> {
    match graph {
        Value::Array(all) => all.iter().take(64).find_map(article),
        Value::Object(object) => match object.get("@graph") {
            Some(Value::Array(all)) => all.iter().take(64).find_map(article),
            _ => object.contains_key("datePublished").then_some(graph),
        },
        _ => None,
    }
}

fn author(article: &Value) -> Option<String> {
    fn name(value: &Value) -> Option<String> {
        match value {
            Value::String(name) => Some(fold(name)),
            Value::Object(person) => person.get("name").and_then(Value::as_str).map(fold),
            _ => None,
        }
    }
    match article.get("author")? {
        Value::Array(all) => {
            let names: Vec<String> = all.iter().take(16).filter_map(name).collect();
            (!names.is_empty()).then(|| names.join(", "))
        }
        one => name(one),
    }
}

/// Titles of error pages, folded to lower case; a title must be one of these, or begin or end with one beside a bar.
const MISSING: [&str; 34] = [
    "404",
    "404 not found",
    "not found",
    "page not found",
    "page not found (404)",
    "error 404",
    "404 error",
    "file not found",
    "404 page not found",
    "404 - page not found",
    "page cannot be found",
    "the page you requested was not found",
    "page no longer available",
    "this page isn't available",
    "this page isn’t available",
    "page unavailable",
    "content not found",
    "this post is unavailable :(",
    "this post is unavailable",
    "article not found",
    "video unavailable",
    "twitter / ?",
    "seite nicht gefunden",
    "seite nicht gefunden (404)",
    "page non trouvée",
    "page introuvable",
    "página no encontrada",
    "página não encontrada",
    "pagina non trovata",
    "pagina niet gevonden",
    "страница не найдена",
    "nie znaleziono strony",
    "ページが見つかりません",
    "الصفحة غير موجودة",
];

/// Where services send codes they do not know: pages that answer 200 and are not the target (host, path).
const LOST: [(&str, &str); 8] = [
    ("hootsuite.com", "/error/lost-owly"),
    ("www.hootsuite.com", "/error/lost-owly"),
    ("x.gd", "/view/notfound"),
    ("www.shorturl.at", "/url-error.php"),
    ("www.youtube.com", "/oops"),
    ("bitly.com", "/404"),
    ("tinyurl.com", "/app/nopage"),
    ("www.linkedin.com", "/404/"),
];

/// Titles under which sites ask for a login on the page's own URL (2024 to 2026).
const LOGINS: [(&str, &str); 8] = [
    ("instagram.com", "login • instagram"),
    ("instagram.com", "instagram"),
    ("facebook.com", "log in to facebook"),
    ("facebook.com", "log into facebook"),
    ("facebook.com", "facebook"),
    ("threads.com", "threads • log in"),
    ("threads.net", "threads • log in"),
    ("linkedin.com", "sign up | linkedin"),
];

const CHALLENGES: [&str; 8] = [
    "just a moment...",
    "attention required! | cloudflare",
    "ddos-guard",
    "access denied",
    "are you a robot?",
    "verify you are human",
    "please verify you are a human",
    "one moment, please...",
];

/// What an answer of 2xx really is. `from` is the URL that led here, where one did.
pub fn stands(url: &Url, from: Option<&Url>, answer: &Answer, said: Option<&Said>) -> (Stands, String) {
    let host = url.host_str().unwrap_or_default();
    if LOST.iter().any(|(h, p)| *h == host && url.path().starts_with(p)) {
        return (Stands::Soft404, format!("{host}{} is where this service sends codes it does not know", url.path()));
    }
    if answer.headers.get("cf-mitigated").is_some_and(|v| v.eq_ignore_ascii_case("challenge")) {
        return (Stands::Challenge, "the answer says it is a challenge (cf-mitigated)".to_owned());
    }
    if let Some(from) = from
        && sent_home(from, url)
    {
        return (Stands::Soft404, format!("{from} sends to the front page of {host}"));
    }
    if is_login(url) {
        return (Stands::Login, format!("{} is a login page", url.path()));
    }
    let Some(said) = said else { return (Stands::Page, String::new()) };
    let short = said.text.chars().nth(3000).is_none();
    let title = said.title.as_deref().unwrap_or_default().to_lowercase();
    if short && LOGINS.iter().any(|(h, t)| host.ends_with(h) && title.trim() == *t) {
        return (Stands::Login, format!("its title is {title:?}"));
    }
    if short && CHALLENGES.contains(&title.trim()) {
        return (Stands::Challenge, format!("its title is {title:?}"));
    }
    if short && is_missing(&title) {
        return (Stands::Soft404, format!("its title is {title:?}"));
    }
    let heading = said.text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default().trim().to_lowercase();
    if said.text.chars().nth(600).is_none() && is_missing(heading.trim_end_matches(['.', '!'])) {
        return (Stands::Soft404, format!("it says {heading:?}"));
    }
    (Stands::Page, String::new())
}

fn is_missing(title: &str) -> bool {
    title
        .split(['|', '–', '—', '·', '•'])
        .map(str::trim)
        .any(|part| MISSING.contains(&part.trim_end_matches(['.', '!'])))
        || title.split(" - ").map(str::trim).any(|part| MISSING.contains(&part))
        || title.starts_with("404 ")
}

/// A deep link that ends on the front page: of its own site, or of the shop whose shortener does not know the code.
fn sent_home(from: &Url, to: &Url) -> bool {
    let bare = |url: &Url| url.host_str().unwrap_or_default().trim_start_matches("www.").to_owned();
    let front = matches!(to.path(), "" | "/" | "/index.html" | "/index.php") && to.query().is_none();
    let deep = from.path().trim_matches('/').len() > 12 || from.path().trim_matches('/').contains('/');
    let shop = bare(from) == "amzn.to" && bare(to).starts_with("amazon.");
    front && (shop || (deep && bare(from) == bare(to)))
}

fn is_login(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let path = url.path();
    match host {
        "x.com" | "twitter.com" | "mobile.twitter.com" | "www.x.com" => {
            path == "/login" || path.starts_with("/i/flow/login") || path == "/account/access"
        }
        "www.facebook.com" | "facebook.com" | "m.facebook.com" => {
            path.starts_with("/login") || path.starts_with("/checkpoint")
        }
        "www.instagram.com" | "instagram.com" => path.starts_with("/accounts/login"),
        "www.threads.net" | "www.threads.com" => path.starts_with("/login"),
        "www.linkedin.com" => {
            path.starts_with("/authwall") || path.starts_with("/uas/login") || path.starts_with("/login")
        }
        "www.reddit.com" | "old.reddit.com" => path.starts_with("/login"),
        "accounts.google.com" => path.contains("signin") || path.contains("ServiceLogin"),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Fallible = Result<(), Box<dyn std::error::Error>>;

    #[test]
    fn what_a_page_says_of_itself() {
        let said = html(
            "<html lang=fr><head><title>T | Site</title><meta property=og:title content='Le  titre'>\
             <meta property=article:published_time content=2019-06-10T08:00:00Z><link rel=canonical href=/a>\
             <link rel=alternate type=application/json+oembed href=/oembed>\
             <script type=application/ld+json>{\"@graph\":[{\"x\":1},{\"datePublished\":\"2019-06-11\",\"author\":[{\"name\":\"A B\"},{\"name\":\"C\"}]}]}</script>\
             <body><p>Un <b>mot</b>.",
        );
        assert_eq!(said.title.as_deref(), Some("Le titre"));
        assert_eq!(said.text, "Un mot.");
        assert_eq!(said.author.as_deref(), Some("A B, C"));
        assert_eq!(said.published.as_deref(), Some("2019-06-11"));
        assert_eq!(said.language.as_deref(), Some("fr"));
        assert_eq!(said.canonical.as_deref(), Some("/a"));
        assert_eq!(said.oembed.as_deref(), Some("/oembed"));
        assert_eq!(html("<h1>Only\n this</h1>").title.as_deref(), Some("Only this"));
    }

    fn is(url: &str, from: Option<&str>, page: &str) -> Result<Stands, url::ParseError> {
        let from = from.map(Url::parse).transpose()?;
        Ok(stands(&Url::parse(url)?, from.as_ref(), &Answer { status: 200, ..Answer::default() }, Some(&html(page))).0)
    }

    #[test]
    fn walls_and_errors_that_say_200() -> Fallible {
        let page = "<title>Quay 4 closed</title><p>Until Friday.";
        assert_eq!(is("https://h.example/a", None, page)?, Stands::Page);
        assert_eq!(is("https://h.example/", Some("https://t.co/abcdefghij"), page)?, Stands::Page);
        assert_eq!(is("https://h.example/", Some("https://h.example/"), page)?, Stands::Page);
        assert_eq!(is("https://h.example/", Some("https://www.h.example/news/2019/a-story"), page)?, Stands::Soft404);
        assert_eq!(is("https://www.amazon.com/", Some("https://amzn.to/zzzz9"), page)?, Stands::Soft404);
        assert_eq!(is("https://hootsuite.com/error/lost-owly", Some("http://ow.ly/zzzz9"), page)?, Stands::Soft404);
        assert_eq!(is("https://h.example/a", None, "<title>Page not found | Harbour</title>")?, Stands::Soft404);
        assert_eq!(
            is("https://h.example/a", None, "<title>Harbour</title><h1>Page not found</h1><p>Sorry.")?,
            Stands::Soft404
        );
        let story = format!("<title>404 ways to cook</title><p>{}", "word ".repeat(2000));
        assert_eq!(is("https://h.example/a", None, &story)?, Stands::Page);
        assert_eq!(is("https://h.example/a", None, "<title>Just a moment...</title>")?, Stands::Challenge);
        assert_eq!(is("https://x.com/i/flow/login?redirect=x", None, page)?, Stands::Login);
        Ok(())
    }
}
