//! Article pages with everything a reader of them needs: pictures, styles, fonts, icons, films, frames.

use jiff::Timestamp;

use crate::calendar;
use crate::pixels;
use crate::post::{escape, quote};
use crate::reply::{Answer, Reply};
use crate::world::World;

/// An article to be put on a host.
#[derive(Debug, Clone)]
pub struct Article {
    /// The host.
    pub host: String,
    /// The path, with its slash.
    pub path: String,
    /// The headline.
    pub title: String,
    /// Who publishes it.
    pub site: String,
    /// Who wrote it, or nothing.
    pub author: String,
    /// When it was published.
    pub published: Timestamp,
    /// The language it is labelled with.
    pub lang: String,
    /// Its paragraphs: plain text, or HTML where one starts with `<`.
    pub paragraphs: Vec<String>,
    /// How it is sent.
    pub sent: Sent,
    /// Whether it needs pictures and the rest, or is words alone.
    pub requisites: bool,
}

/// How a page is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sent {
    /// With a Content-Length.
    Plain,
    /// In chunks.
    Chunked,
    /// Gzipped, with a Content-Length.
    Gzip,
    /// Gzipped and in chunks.
    GzipChunked,
    /// With Brotli, in chunks.
    Brotli,
    /// With Zstandard.
    Zstd,
}

impl Article {
    /// A short article without requisites.
    pub fn note(place: &str, title: &str, paragraphs: &[&str]) -> Article {
        let cut = place.find('/').unwrap_or(place.len());
        let (host, path) = place.split_at(cut);
        Article {
            host: host.to_owned(),
            path: if path.is_empty() { "/".into() } else { path.to_owned() },
            title: title.to_owned(),
            site: host.to_owned(),
            author: String::new(),
            published: calendar::at("2026-03-04T08:00:00Z"),
            lang: "en".into(),
            paragraphs: paragraphs.iter().map(|p| (*p).to_owned()).collect(),
            sent: Sent::Plain,
            requisites: false,
        }
    }

    /// Its URL.
    pub fn url(&self) -> String {
        format!("https://{}{}", self.host, self.path)
    }

    /// What its files are named after.
    fn slug(&self) -> String {
        format!("{:08x}", pixels::hash(&self.path) >> 32)
    }

    /// The page.
    pub fn html(&self) -> String {
        let (title, site, url) = (escape(&self.title), escape(&self.site), escape(&self.url()));
        let paragraph = |p: &String| if p.starts_with('<') { p.clone() } else { format!("<p>{}</p>", escape(p)) };
        let paragraphs: Vec<String> = self.paragraphs.iter().map(paragraph).collect();
        let published = calendar::form(self.published, "%Y-%m-%dT%H:%M:%SZ");
        let (links, figures, after) = if self.requisites {
            (self.links(), self.figures(), self.after())
        } else {
            (String::new(), String::new(), String::new())
        };
        format!(
            "<!doctype html>\n<html lang=\"{lang}\">\n<head>\n<meta charset=\"utf-8\">\n<title>{title} | {site}</title>\n\
             <link rel=\"canonical\" href=\"{url}\">\n<meta property=\"og:type\" content=\"article\">\n\
             <meta property=\"og:title\" content=\"{title}\">\n<meta property=\"og:site_name\" content=\"{site}\">\n\
             <meta property=\"article:published_time\" content=\"{published}\">\n\
             <meta name=\"author\" content=\"{author}\">\n{links}\
             <script type=\"application/ld+json\">{{\"@context\":\"https://schema.org\",\"@type\":\"NewsArticle\",\
             \"headline\":{headline},\"datePublished\":\"{published}\",\"author\":{{\"@type\":\"Person\",\"name\":\
             {writer}}}}}</script>\n</head>\n<body>\n<article>\n<h1>{title}</h1>\n\
             <p class=\"byline\"><time datetime=\"{published}\">{day}</time> {author}</p>\n{figures}{prose}\n\
             </article>\n{after}</body>\n</html>\n",
            lang = self.lang,
            author = escape(&self.author),
            headline = quote(&self.title),
            writer = quote(&self.author),
            day = calendar::long(self.published),
            prose = paragraphs.join("\n"),
        )
    }

    fn links(&self) -> String {
        let slug = self.slug();
        format!(
            "<meta property=\"og:image\" content=\"https://{host}/assets/{slug}-1280.jpg\">\n\
             <link rel=\"icon\" href=\"/favicon.ico\">\n\
             <link rel=\"apple-touch-icon\" sizes=\"180x180\" href=\"/apple-touch-icon.png\">\n\
             <link rel=\"stylesheet\" href=\"/assets/site.css\">\n\
             <link rel=\"preload\" as=\"font\" href=\"/assets/fonts/text.woff2\" crossorigin>\n\
             <style>.hero{{background:url('/assets/inline.png')}}</style>\n",
            host = self.host
        )
    }

    fn figures(&self) -> String {
        let (slug, host) = (self.slug(), &self.host);
        format!(
            "<figure class=\"hero\"><img src=\"/assets/{slug}-640.jpg\" \
             srcset=\"/assets/{slug}-640.jpg 640w, /assets/{slug}-1280.jpg 1280w\" \
             sizes=\"(max-width: 40em) 100vw, 40em\" alt=\"\"></figure>\n\
             <picture><source media=\"(min-width: 60em)\" srcset=\"/assets/{slug}-wide.png 1x, \
             /assets/{slug}-wide@2x.png 2x\"><img src=\"//cdn.{host}/{slug}-narrow.png\" alt=\"\"></picture>\n"
        )
    }

    fn after(&self) -> String {
        let slug = self.slug();
        format!(
            "<aside style=\"background-image:url(/assets/aside.png)\">\
             <img loading=\"lazy\" data-src=\"/assets/{slug}-lazy.jpg\" \
             src=\"data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw==\" alt=\"\">\n\
             <noscript><img src=\"/assets/{slug}-lazy.jpg\" alt=\"\"></noscript>\n\
             <video poster=\"/assets/{slug}-poster.jpg\" preload=\"none\"><source src=\"/assets/{slug}.mp4\" \
             type=\"video/mp4\"></video>\n<iframe src=\"/embed/{slug}\" title=\"map\"></iframe></aside>\n\
             <img src=\"/assets/not-there.jpg\" alt=\"a picture that was taken down\">\n\
             <script src=\"/assets/site.js\"></script>\n"
        )
    }
}

impl World {
    /// Puts an article and its requisites on its host.
    pub fn add_article(&mut self, article: &Article) {
        let page = Reply::html(200, article.html())
            .with("server", "nginx")
            .with("last-modified", calendar::http(article.published))
            .with("etag", format!("\"{}\"", article.slug()));
        let page = match article.sent {
            Sent::Plain => page,
            Sent::Chunked => page.chunked(1021),
            Sent::Gzip => page.offering("gzip"),
            Sent::GzipChunked => page.offering("gzip").chunked(509),
            Sent::Brotli => page.offering("br").chunked(4096),
            Sent::Zstd => page.offering("zstd"),
        };
        self.page(&format!("{}{}", article.host, article.path), page);
        if article.requisites {
            self.add_requisites(article);
        }
    }

    /// A file made of its own place, when it is asked for.
    fn file(&mut self, place: String, kind: &'static str, make: impl Fn(&str) -> Vec<u8> + Send + Sync + 'static) {
        let name = place.clone();
        self.page(&place, Answer::made(move || file_of(kind, make(&name))));
    }

    fn add_requisites(&mut self, article: &Article) {
        let (host, slug) = (&article.host, article.slug());
        let named = |file: &str| format!("{host}/{file}");
        for (file, width, height) in [("640", 640, 480), ("1280", 1280, 960), ("lazy", 320, 240), ("poster", 640, 360)]
        {
            let place = format!("{host}/assets/{slug}-{file}.jpg");
            self.file(place, "image/jpeg", move |name| pixels::jpeg(name, width, height));
        }
        for (place, width, height) in [
            (format!("{host}/assets/{slug}-wide.png"), 200, 100),
            (format!("{host}/assets/{slug}-wide@2x.png"), 400, 200),
            (format!("cdn.{host}/{slug}-narrow.png"), 100, 100),
            (named("assets/inline.png"), 24, 24),
            (named("assets/aside.png"), 24, 24),
            (named("assets/pattern.png"), 16, 16),
            (named("apple-touch-icon.png"), 180, 180),
        ] {
            self.file(place, "image/png", move |name| pixels::png(name, width, height));
        }
        self.file(named("favicon.ico"), "image/x-icon", pixels::ico);
        self.file(named("assets/fonts/text.woff2"), "font/woff2", pixels::woff2);
        self.file(named(&format!("assets/{slug}.mp4")), "video/mp4", |name| pixels::mp4(name, 20_000));
        self.page(&named("assets/site.css"), file_of("text/css", SITE_CSS).offering("gzip"));
        self.page(&named("assets/print.css"), file_of("text/css", "@media print{.hero{display:none}}\n"));
        self.page(&named("assets/site.js"), file_of("text/javascript", "document.body.classList.add('js');\n"));
        let frame =
            "<!doctype html><title>Map</title><link rel=\"stylesheet\" href=\"/assets/site.css\"><p>A map.</p>\n";
        self.page(&named(&format!("embed/{slug}")), Reply::html(200, frame));
    }
}

const SITE_CSS: &str = "@charset \"utf-8\";\n@import url(\"print.css\") print;\n@font-face{font-family:Text;\
    src:url(fonts/text.woff2) format(\"woff2\")}\nbody{font:1em/1.5 Text,serif;background:url(\"/assets/pattern.png\")}\n\
    /* url(/assets/in-a-comment.png) */\n.byline{color:#555}\n";

fn file_of(kind: &str, body: impl Into<Vec<u8>>) -> Reply {
    Reply::body(200, kind, body).with("cache-control", "public, max-age=86400").with("server", "nginx")
}

/// The small pages that the rows of the transactions lead to.
pub(crate) fn populate(world: &mut World) {
    let notices = [
        ("harbour.example/notices/2026/quay-4", "Quay 4: surge barrier test"),
        ("harbour.example/q4", "Quay 4"),
        ("harbour.example/a", "Notice A"),
        ("harbour.example/b", "Notice B"),
        ("harbour.example/plain", "A page without TLS"),
        ("harbour.example/%D0%B2%D1%8B%D0%B1%D0%BE%D1%80%D1%8B-2019", "Выборы 2019"),
        ("harbour.example/", "Harbour board"),
        ("news.example.org/statement/harbour-board-elections_en", "Statement on the harbour board elections"),
        ("short.replica.test/final", "The end of a relative redirect"),
        ("a.example/", "The first of two"),
        ("b.example/", "The second of two"),
        ("phish.example/login", "Not a bank"),
        ("replica.example/notice", "Counting in district 7"),
    ];
    for (place, title) in notices {
        world.add_article(&Article::note(place, title, &["The tide table for this week is posted at the gate."]));
    }
    world.page(
        "hootsuite.com/error/lost-owly",
        Reply::html(200, "<!doctype html><title>Lost owly</title><h1>Oops</h1>"),
    );
    world.page("www.amazon.com/", Reply::html(200, "<!doctype html><title>Amazon.com</title>"));
}
