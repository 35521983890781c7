//! HTML as a reader sees it (WHATWG HTML): words with their places, anchors, embedded posts, and what the page says of itself.

pub mod page;
mod token;

use std::ops::Range;

use crate::format::effort::looked_at;
use crate::format::reading::{Anchor, Pointer, Reading};
use page::Page;
use token::{Tag, Token, Tokens};

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
    for token in Tokens::of(source) {
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
    /// where its words begin
    from: usize,
    /// an anchor's URL and where it stands
    href: Option<(String, Range<usize>)>,
}

/// Deeper nesting is flattened: no page of words needs it.
const DEPTH: usize = 512;

struct Reader<'s> {
    source: &'s str,
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
}

impl<'s> Reader<'s> {
    fn new(source: &'s str, scope: Option<&'static str>) -> Self {
        Self {
            source,
            scope,
            in_scope: 0,
            html: Html::default(),
            stack: Vec::new(),
            hidden: 0,
            quiet: 0,
            pre: 0,
            due: 0,
            space: None,
        }
    }

    fn is_read(&self) -> bool {
        self.hidden == 0 && (self.scope.is_none() || self.in_scope > 0)
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
        self.html.page.tag(tag);
        let name = tag.name.as_str();
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
        let href = (name == "a" && self.is_read())
            .then(|| tag.raw("href").map(|(raw, range)| (token::unescaped(raw.trim()), trimmed(raw, range))))
            .flatten();
        // an anchor's words begin behind the space before it
        if href.is_some() && self.space.is_some() && self.due == 0 {
            self.due_breaks(0);
        }
        self.stack.push(Open {
            name: tag.name.clone(),
            hidden,
            quiet,
            pre: name == "pre",
            embed,
            from: self.html.reading.text.len(),
            href,
        });
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
        self.in_scope -= usize::from(self.scope == Some(open.name.as_str()));
        let reading = &mut self.html.reading;
        let words = open.from..reading.text.len();
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
        let named: Vec<Pointer> = std::mem::take(&mut reading.pointers);
        reading.pointers = named;
        self.html
    }
}

fn trimmed(raw: &str, range: Range<usize>) -> Range<usize> {
    let start = range.start + (raw.len() - raw.trim_start().len());
    start..start + raw.trim().len()
}

#[cfg(test)]
mod tests {
    use super::*;

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
