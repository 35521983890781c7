//! HTML as a reader sees it (WHATWG HTML): words with their places, anchors, embedded posts, and what the page says of itself.

pub mod page;
mod token;

use std::ops::Range;

use crate::format::effort::looked_at;
use crate::format::reading::{Anchor, Reading};
use page::Page;
use token::{Tag, Token, Tokens};
use url::Url;

/// A page or a fragment of one, read.
#[derive(Clone, Debug, Default)]
pub struct Html {
    /// its words
    pub reading: Reading,
    /// what it says of itself
    pub page: Page,
}

/// Elements that stand apart from what is around them.
const BLOCKS: &[&str] = &[
    "address",
    "article",
    "aside",
    "blockquote",
    "body",
    "center",
    "dd",
    "details",
    "dialog",
    "div",
    "dl",
    "dt",
    "fieldset",
    "figcaption",
    "figure",
    "footer",
    "form",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "header",
    "hr",
    "html",
    "li",
    "main",
    "nav",
    "ol",
    "p",
    "pre",
    "section",
    "summary",
    "table",
    "tbody",
    "td",
    "tfoot",
    "th",
    "thead",
    "tr",
    "ul",
];

/// Elements whose text nobody reads.
const HIDDEN: &[&str] = &[
    "script", "style", "template", "svg", "math", "select", "datalist", "head", "noframes", "noembed", "iframe",
    "textarea", "object", "canvas", "audio", "video",
];

/// Parts of a whole page that belong to the site, not to the statement.
const FURNITURE: &[&str] = &["nav", "footer", "aside", "form", "menu", "dialog"];

const VOID: &[&str] =
    &["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"];

/// Whether `text` is HTML: it begins like a page, or holds tags that only markup holds.
pub fn looks_like(text: &str) -> bool {
    let mut head = text.len().min(4096);
    while !text.is_char_boundary(head) {
        head -= 1;
    }
    let head = text.get(..head).unwrap_or(text).trim_start_matches(['\u{feff}', ' ', '\t', '\r', '\n']);
    let lower = head.to_ascii_lowercase();
    if lower.starts_with("<!doctype html") || lower.starts_with("<html") {
        return true;
    }
    const TAGS: &[&str] = &[
        "<p>",
        "<p ",
        "<div",
        "<blockquote",
        "<a href",
        "<a class",
        "<article",
        "<body",
        "<span",
        "<br>",
        "<br/",
        "<br />",
        "<table",
        "<ul>",
        "<iframe",
        "<section",
        "<h1",
        "<h2",
        "<script",
    ];
    lower.starts_with('<') && TAGS.iter().any(|t| lower.starts_with(t))
        || TAGS.iter().filter(|t| lower.contains(*t)).count() >= 2 && lower.contains("</")
}

/// Reads a page or a fragment. Never fails: HTML has no errors.
pub fn read(source: &str) -> Html {
    let scope = page::scope(source);
    let mut reader = Reader::new(source, scope);
    let mut tokens = Tokens::of(source);
    while let Some(token) = tokens.next() {
        reader.at = tokens.at();
        match token {
            Token::Text(range) => reader.text(range),
            Token::Open(tag) => reader.open(&tag),
            Token::Close(name) => reader.close(&name),
        }
    }
    reader.finish()
}

/// An element that is open.
struct Open {
    name: String,
    hidden: bool,
    quiet: bool,
    pre: bool,
    embed: bool,
    /// says of itself that it holds who wrote the page and when
    byline: bool,
    /// where its words begin
    from: usize,
    /// a quotation mark was put before its words
    marked: bool,
    /// an anchor's URL and where it stands
    href: Option<(String, Range<usize>)>,
}

/// Deeper nesting is flattened: no page of words needs it.
const DEPTH: usize = 512;

struct Reader<'s> {
    source: &'s str,
    /// where the present token ends
    at: usize,
    scope: Option<&'static str>,
    in_scope: usize,
    html: Html,
    stack: Vec<Open>,
    hidden: usize,
    quiet: usize,
    pre: usize,
    /// a break is due before the next words: how many line ends
    due: usize,
    /// a space is due, and where it stands
    space: Option<usize>,
    /// drawings that are open: of them only the links are read
    drawn: usize,
    /// what relative links are relative to
    base: Option<Url>,
}

impl<'s> Reader<'s> {
    fn new(source: &'s str, scope: Option<&'static str>) -> Self {
        Self {
            source,
            at: 0,
            scope,
            in_scope: 0,
            html: Html::default(),
            stack: Vec::new(),
            hidden: 0,
            quiet: 0,
            pre: 0,
            due: 0,
            space: None,
            drawn: 0,
            base: None,
        }
    }

    fn is_read(&self) -> bool {
        self.hidden == 0 && self.is_in_scope()
    }

    fn is_in_scope(&self) -> bool {
        self.scope.is_none() || self.in_scope > 0
    }

    /// What a tag says of the page. An embed speaks of another one, and a time among the words of what they tell.
    fn metadata(&mut self, tag: &Tag<'s>) {
        let head = match tag.name.as_str() {
            "time" | "meta" if self.stack.iter().any(|o| o.embed) => return,
            "time" => self.hidden == 0 && (is_byline(tag) || self.stack.iter().any(|o| o.byline)),
            _ => true,
        };
        self.html.page.tag(tag, head);
        if tag.name == "base" && self.base.is_none() {
            let href = tag.raw("href").and_then(|(raw, _)| Url::parse(&token::unescaped(raw.trim())).ok());
            self.base = href.filter(|url| matches!(url.scheme(), "http" | "https"));
        }
    }

    /// Where a link leads and where that stands. A relative one is read where the page says what it is relative to.
    fn href(&self, tag: &Tag<'s>) -> Option<(String, Range<usize>)> {
        let (raw, range) = tag.raw("href").or_else(|| tag.raw("xlink:href"))?;
        let url = token::unescaped(raw.trim());
        let relative = !url.is_empty() && !url.starts_with('#') && Url::parse(&url).is_err();
        let joined = self.base.as_ref().filter(|_| relative).and_then(|base| base.join(&url).ok());
        Some((joined.map_or(url, String::from), trimmed(raw, range)))
    }

    /// A link without words: a part of a picture.
    fn area(&mut self, tag: &Tag<'s>) {
        let at = self.html.reading.text.len();
        if let Some((url, source)) = self.href(tag) {
            self.html.reading.anchors.push(Anchor { words: at..at, url, source });
        }
    }

    fn text(&mut self, range: Range<usize>) {
        let raw = self.source.get(range.clone()).unwrap_or_default();
        match self.stack.last().map(|o| o.name.as_str()) {
            Some("title") => return self.html.page.title(&token::unescaped(raw)),
            Some("script") => return self.html.page.script(raw),
            _ => {}
        }
        if !self.is_read() {
            return;
        }
        if self.pre > 0 { self.words(raw, range.start, true) } else { self.words(raw, range.start, false) }
    }

    /// Adds text: references undone, runs of space folded to one where `keep` is false.
    fn words(&mut self, raw: &str, base: usize, keep: bool) {
        let mut at = 0;
        while let Some(rest) = raw.get(at..).filter(|r| !r.is_empty()) {
            looked_at(1);
            let plain = rest
                .find(|c: char| c == '&' || (!keep && matches!(c, ' ' | '\n' | '\t' | '\r' | '\x0c')))
                .unwrap_or(rest.len());
            if plain > 0 {
                looked_at(plain);
                self.due_breaks(base + at);
                self.html.reading.push(rest.get(..plain).unwrap_or_default(), base + at);
                at += plain;
                continue;
            }
            if !rest.starts_with('&') {
                self.space.get_or_insert(base + at);
                at += 1;
                continue;
            }
            let (c, len) = token::reference(rest).unwrap_or_else(|| ("&".into(), 1));
            self.due_breaks(base + at);
            self.html.reading.push_for(&c, base + at..base + at + len);
            at += len;
        }
    }

    /// Puts the break or the space that is due before words that begin at `source`.
    fn due_breaks(&mut self, source: usize) {
        let empty = self.html.reading.text.is_empty();
        if self.due > 0 && !empty {
            let breaks = if self.due > 1 { "\n\n" } else { "\n" };
            self.html.reading.push_for(breaks, source..source);
        } else if let Some(at) = self.space.filter(|_| !empty) {
            self.html.reading.push_for(" ", at..at + 1);
        }
        self.due = 0;
        self.space = None;
    }

    fn open(&mut self, tag: &Tag<'s>) {
        let name = tag.name.as_str();
        self.metadata(tag);
        if name == "br" {
            self.due = (self.due + 1).min(2);
            return;
        }
        if BLOCKS.contains(&name) {
            self.due = 2;
        }
        if matches!(name, "td" | "th") {
            self.due = 2;
        }
        if self.is_read() || name == "iframe" {
            page::pointers(tag, self.html.reading.text.len(), &mut self.html.reading.pointers);
        }
        if name == "area" && self.is_read() {
            self.area(tag);
        }
        if VOID.contains(&name) || tag.closed && name != "a" || self.stack.len() >= DEPTH {
            return;
        }
        if matches!(name, "p" | "li" | "td" | "tr" | "dd" | "dt" | "option")
            && self.stack.last().is_some_and(|o| o.name == name)
        {
            let same = tag.name.clone();
            self.close(&same);
        }
        let whole = self.html.page.whole;
        let hidden = HIDDEN.contains(&name)
            || (whole && FURNITURE.contains(&name))
            || tag.raw("hidden").is_some() && name != "blockquote";
        let quiet = matches!(name, "code" | "kbd" | "samp" | "pre" | "tt");
        let class = tag.raw("class").map(|(c, _)| c.to_ascii_lowercase()).unwrap_or_default();
        let embed = name == "blockquote" || name == "figure" && class.contains("embed");
        self.hidden += usize::from(hidden);
        self.quiet += usize::from(quiet);
        self.pre += usize::from(name == "pre");
        self.in_scope += usize::from(self.scope == Some(name));
        self.drawn += usize::from(name == "svg");
        let linked = name == "a" && (self.is_read() || self.hidden == self.drawn && self.is_in_scope());
        let href = linked.then(|| self.href(tag)).flatten();
        // an anchor's words begin behind the space before it
        if href.is_some() && self.space.is_some() && self.due == 0 {
            self.due_breaks(0);
        }
        let marked = name == "q" && self.is_read() && !self.has_mark();
        if marked {
            self.due_breaks(self.at);
            self.html.reading.push_for("“", self.at..self.at);
        }
        self.stack.push(Open {
            name: tag.name.clone(),
            hidden,
            quiet,
            pre: name == "pre",
            embed,
            byline: name == "header" || is_byline(tag),
            from: self.html.reading.text.len(),
            marked,
            href,
        });
    }

    /// Whether the words that follow bring a quotation mark of their own: a `q` element has one on the screen unless a style takes it away.
    fn has_mark(&self) -> bool {
        let words = self.source.get(self.at..).unwrap_or_default().trim_start();
        let named = ["&quot;", "&ldquo;", "&laquo;", "&bdquo;", "&lsquo;", "&lsaquo;", "&sbquo;"];
        words.starts_with(['"', '“', '”', '„', '«', '»', '‘', '‚', '‹', '「', '『', '\''])
            || named.iter().any(|name| words.starts_with(name))
    }

    fn close(&mut self, name: &str) {
        if name == "p" || BLOCKS.contains(&name) {
            self.due = 2;
        }
        looked_at(self.stack.len());
        let Some(depth) = self.stack.iter().rposition(|o| o.name == name) else { return };
        // an inline end tag does not close the blocks around it
        if !BLOCKS.contains(&name) && self.stack.len() - depth > 8 {
            return;
        }
        while self.stack.len() > depth {
            if let Some(open) = self.stack.pop() {
                self.shut(open);
            }
        }
    }

    fn shut(&mut self, open: Open) {
        self.hidden -= usize::from(open.hidden);
        self.quiet -= usize::from(open.quiet);
        self.pre -= usize::from(open.pre);
        self.drawn -= usize::from(open.name == "svg");
        self.in_scope -= usize::from(self.scope == Some(open.name.as_str()));
        let reading = &mut self.html.reading;
        let words = open.from..reading.text.len();
        if open.marked {
            reading.push_for("”", self.at..self.at);
        }
        if open.quiet && self.quiet == 0 && !words.is_empty() {
            reading.quiet.push(words.clone());
        }
        if open.embed && !words.is_empty() {
            reading.embeds.push(words.clone());
        }
        if let Some((url, source)) = open.href {
            reading.anchors.push(Anchor { words, url, source });
        }
    }

    fn finish(mut self) -> Html {
        while let Some(open) = self.stack.pop() {
            self.shut(open);
        }
        let reading = &mut self.html.reading;
        reading.anchors.sort_by_key(|a| (a.words.start, a.words.end));
        reading.quiet.sort_by_key(|r| r.start);
        reading.embeds.sort_by_key(|r| (r.start, std::cmp::Reverse(r.end)));
        self.html
    }
}

/// Whether an element's names say that it holds who wrote the page and when.
fn is_byline(tag: &Tag<'_>) -> bool {
    const WORDS: &[&str] = &[
        "byline",
        "dateline",
        "date",
        "published",
        "publication",
        "publish",
        "pubdate",
        "posted",
        "timestamp",
        "meta",
        "metadata",
    ];
    ["class", "id"].iter().filter_map(|name| tag.raw(name)).any(|(names, _)| {
        let mut words = names.split(|c: char| !c.is_ascii_alphanumeric());
        words.any(|word| WORDS.iter().any(|known| word.eq_ignore_ascii_case(known)))
    })
}

fn trimmed(raw: &str, range: Range<usize>) -> Range<usize> {
    let start = range.start + (raw.len() - raw.trim_start().len());
    start..start + raw.trim().len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_in_a_q_element_stand_between_marks() {
        let read = |source: &str| super::read(source).reading;
        let text = |source: &str| read(source).text;
        assert_eq!(text("<p>She wrote: <q>All is <b>well</b></q>.</p>"), "She wrote: “All is well”.");
        assert_eq!(
            text("<p><q>One <q>two</q> three</q> <q>“four”</q><q> &laquo;five&raquo;</q>"),
            "“One “two” three” “four” «five»"
        );
        assert_eq!(text("<script><q>no</q></script><p hidden><q>no</q></p><p><q>never closed"), "“never closed”");
        let source = "<p>See <q>the words</q>!</p>";
        let reading = read(source);
        let words = reading.text.find("the").unwrap()..reading.text.find('”').unwrap();
        assert_eq!(&source[reading.source(words)], "the words");
    }

    #[test]
    fn words_come_with_their_places() {
        let source = "<p>One &amp; two<br>three</p>\n<pre>a  b</pre><script>x<y</script><p>fo<b>ur</b> <a href=' /x?a&amp;b '>five</a>";
        let html = read(source);
        assert_eq!(html.reading.text, "One & two\nthree\n\na  b\n\nfour five");
        let at = html.reading.text.find("four").unwrap_or(0);
        assert_eq!(source.get(html.reading.source(at..at + 4)), Some("fo<b>ur"));
        let anchor = &html.reading.anchors[0];
        assert_eq!((anchor.url.as_str(), source.get(anchor.source.clone())), ("/x?a&b", Some("/x?a&amp;b")));
        assert_eq!(html.reading.quiet.len(), 1);
    }

    #[test]
    fn a_date_is_the_pages_only_in_publication_markup() {
        let time = "<time datetime=\"2020-01-01\">x</time>";
        for (source, want) in [
            (format!("<p>Words {time}</p>"), None),
            (format!("<blockquote><header>{time}</header></blockquote>"), None),
            ("<blockquote><time pubdate datetime=\"2020-01-01\">x</time></blockquote>".to_owned(), None),
            (format!("<aside class=\"date\">{time}</aside>"), None),
            (format!("<article><header><h1>T</h1>{time}</header></article>"), Some("2020-01-01")),
            (format!("<p class=\"entry-meta\">By Ann, {time}</p>"), Some("2020-01-01")),
            ("<time class=\"published\" datetime=\"2020-01-01\">x</time>".to_owned(), Some("2020-01-01")),
            ("<p><time itemprop=\"datePublished\" datetime=\"2020-01-01\">x</time>".to_owned(), Some("2020-01-01")),
            (
                format!("<header>{time}</header><meta property=\"article:published_time\" content=\"2021-01-01\">"),
                Some("2021-01-01"),
            ),
        ] {
            let page = read(&format!("<html><body>{source}</body></html>")).page;
            assert_eq!(page.published.as_deref(), want, "{source}");
        }
    }

    #[test]
    fn links_of_every_kind_of_element() {
        let urls = |source: &str| read(source).reading.anchors.into_iter().map(|a| a.url).collect::<Vec<_>>();
        assert_eq!(
            urls(
                "<base href=\"https://a.example/dir/\"><a href=\"b.html\">b</a><a href=\"/c\">c</a><a href=\"#d\">d</a><a href=\"https://e.example/f\">e</a>"
            ),
            ["https://a.example/dir/b.html", "https://a.example/c", "#d", "https://e.example/f"]
        );
        assert_eq!(urls("<a href=\"b.html\">b</a>"), ["b.html"]);
        assert_eq!(urls("<map><area href=\"https://a.example/q\"></map>"), ["https://a.example/q"]);
        let drawn =
            "<svg><a href=\"https://a.example/q\"><text>hi</text></a><a xlink:href=\"https://a.example/r\"/></svg>";
        assert_eq!(urls(drawn), ["https://a.example/q", "https://a.example/r"]);
        assert_eq!(read(drawn).reading.text, "");
        assert_eq!(urls(&format!("<template>{drawn}</template>")), Vec::<String>::new());
    }

    #[test]
    fn references_as_browsers_read_them() {
        for (source, want) in [
            ("&mdash;&#8212;&#x2014;&#151;", "————"),
            ("&amp;amp; &ampx &nope; &", "&amp; &x &nope; &"),
            ("&notit; &copy", "¬it; ©"),
            ("&#0;&#xFFFFFFFFFF;", "\u{fffd}\u{fffd}FF;"),
        ] {
            assert_eq!(read(source).reading.text, want, "{source}");
        }
    }
}
