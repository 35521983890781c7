//! The words of a post that comes as HTML: lines and paragraphs as a reader sees them, and its links where they stand.

use crate::format::markup::{Piece, Tag, pieces};
use crate::platform::post::PostLink;

/// Words and links.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Prose {
    /// plain text, links written out in full
    pub(crate) text: String,
    /// links, but for mentions and hashtags, which are words
    pub(crate) links: Vec<PostLink>,
}

/// Reads a fragment of HTML.
pub(crate) fn prose(html: &str) -> Prose {
    let mut writer = Writer::default();
    for piece in pieces(html) {
        writer.add(&piece);
    }
    writer.finish()
}

/// Takes pieces one by one.
#[derive(Debug, Default)]
pub(crate) struct Writer {
    out: Prose,
    /// line ends owed before the next word
    owed: usize,
    space: bool,
    verbatim: u32,
    hidden: Option<String>,
    anchor: Option<Anchor>,
    /// one entry for each open span: what it does to the link around it
    spans: Vec<Span>,
}

#[derive(Debug)]
struct Anchor {
    href: String,
    start: usize,
    shown: String,
    is_word: bool,
}

/// Mastodon writes a link out in full and hides its beginning and its tail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Span {
    Plain,
    Invisible,
    Ellipsis,
}

impl Writer {
    pub(crate) fn add(&mut self, piece: &Piece<'_>) {
        match (piece, &self.hidden) {
            (Piece::Close(name), Some(hidden)) if name == hidden => self.hidden = None,
            (_, Some(_)) => {}
            (Piece::Open(tag), None) => self.open(tag),
            (Piece::Close(name), None) => self.close(name),
            (Piece::Text(text), None) => self.words(text),
        }
    }

    /// A line ends here.
    pub(crate) fn line_end(&mut self) {
        self.break_line(1);
    }

    pub(crate) fn finish(mut self) -> Prose {
        self.end_anchor();
        let kept = self.out.text.trim_end().len();
        self.out.text.truncate(kept);
        self.out
    }

    fn open(&mut self, tag: &Tag<'_>) {
        match &*tag.name {
            "script" | "style" | "title" | "template" | "svg" => self.hidden = Some(tag.name.to_string()),
            "br" => self.break_line(1),
            "li" => self.block(1),
            "pre" => {
                self.block(2);
                self.verbatim = self.verbatim.saturating_add(1);
            }
            "a" => {
                self.end_anchor();
                self.pay();
                let is_word = ["mention", "hashtag"].iter().any(|class| tag.has_class(class));
                let href = tag.get("href").unwrap_or_default().to_owned();
                self.anchor = Some(Anchor { href, start: self.out.text.len(), shown: String::new(), is_word });
            }
            "span" => self.spans.push(match tag {
                tag if tag.has_class("invisible") => Span::Invisible,
                tag if tag.has_class("ellipsis") => Span::Ellipsis,
                _ => Span::Plain,
            }),
            "img" => {
                // a server's own emoji; other pictures in a text have words of their own beside them
                if let Some(alt) = tag.get("alt").filter(|_| tag.has_class("custom-emoji") || tag.has_class("emoji")) {
                    self.words(alt);
                }
            }
            name if is_paragraph(name) => self.block(2),
            _ => {}
        }
    }

    fn close(&mut self, name: &str) {
        match name {
            "a" => self.end_anchor(),
            "li" => self.block(1),
            "pre" => {
                self.verbatim = self.verbatim.saturating_sub(1);
                self.block(2);
            }
            "span" => {
                if let (Some(Span::Ellipsis), Some(anchor)) = (self.spans.pop(), &mut self.anchor) {
                    anchor.shown.push('…');
                }
            }
            name if is_paragraph(name) => self.block(2),
            _ => {}
        }
    }

    fn end_anchor(&mut self) {
        let Some(anchor) = self.anchor.take() else { return };
        let raw = self.out.text.get(anchor.start..).unwrap_or_default();
        let web = anchor.href.starts_with("https://") || anchor.href.starts_with("http://");
        if anchor.is_word || !web || raw.is_empty() {
            return;
        }
        let raw = raw.trim_start().to_owned();
        let shown = Some(anchor.shown).filter(|shown| *shown != raw && !shown.is_empty());
        self.out.links.push(PostLink { raw, expanded: anchor.href, shown });
    }

    /// A block begins or ends: what follows stands on lines of its own.
    fn block(&mut self, lines: usize) {
        self.owed = self.owed.max(lines);
        self.space = false;
    }

    fn break_line(&mut self, lines: usize) {
        // no text has reason to hold more empty lines than one
        self.owed = (self.owed + lines).min(2);
        self.space = false;
    }

    /// Writes the line ends and the space that are owed.
    fn pay(&mut self) {
        let (owed, space) = (std::mem::take(&mut self.owed), std::mem::take(&mut self.space));
        if self.out.text.is_empty() {
            return;
        }
        if owed > 0 {
            self.out.text.extend(std::iter::repeat_n('\n', owed));
        } else if space && !self.out.text.ends_with(char::is_whitespace) {
            self.out.text.push(' ');
            if let Some(anchor) = self.anchor.as_mut().filter(|anchor| !anchor.shown.is_empty()) {
                anchor.shown.push(' ');
            }
        }
    }

    fn words(&mut self, text: &str) {
        let visible = !self.spans.contains(&Span::Invisible);
        for c in text.chars() {
            match c {
                '\n' if self.verbatim > 0 => self.break_line(1),
                ' ' | '\t' | '\n' | '\r' | '\u{c}' if self.verbatim == 0 => self.space = true,
                c => {
                    self.pay();
                    self.out.text.push(c);
                    if let Some(anchor) = self.anchor.as_mut().filter(|_| visible) {
                        anchor.shown.push(c);
                    }
                }
            }
        }
    }
}

fn is_paragraph(name: &str) -> bool {
    matches!(name, "p" | "div" | "blockquote" | "ul" | "ol" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6" | "hr" | "table")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text(html: &str) -> String {
        prose(html).text
    }

    #[test]
    fn lines_and_paragraphs_are_a_reader_s() {
        assert_eq!(
            text("<p>One  two\n three</p><p>Four<br>five<br/><br/>six</p>"),
            "One two three\n\nFour\nfive\n\nsix"
        );
        assert_eq!(text("<p>List:</p><ul><li>a</li><li>b</li></ul>after"), "List:\n\na\nb\n\nafter");
        assert_eq!(text("<pre><code>a  b\n c</code></pre>"), "a  b\n c");
        assert_eq!(text("a &amp; b &lt;c&gt; &quot;d&quot;"), "a & b <c> \"d\"");
        assert_eq!(text("  <p></p><p> x </p> "), "x");
        assert_eq!(text("x<script>alert(1)</script><style>p{}</style>y"), "xy");
        assert_eq!(text("<img class=\"emojione custom-emoji\" alt=\":wave:\" src=x><img alt=photo>"), ":wave:");
    }

    #[test]
    fn links_are_whole_and_mentions_are_words() {
        let html = r#"<p>See <a href="https://harbour.example/q4/long"><span class="invisible">https://</span><span class="ellipsis">harbour.example/q4</span><span class="invisible">/long</span></a>, <a href="https://x.example/tags/a" class="mention hashtag">#<span>a</span></a> <a class="u-url mention" href="https://x.example/@b">@<span>b</span></a> <a href="javascript:x">y</a></p>"#;
        let prose = prose(html);
        assert_eq!(prose.text, "See https://harbour.example/q4/long, #a @b y");
        assert_eq!(
            prose.links,
            [PostLink {
                raw: "https://harbour.example/q4/long".into(),
                expanded: "https://harbour.example/q4/long".into(),
                shown: Some("harbour.example/q4…".into()),
            }]
        );
    }

    #[test]
    fn unclosed_and_crossed_tags_lose_no_words() {
        assert_eq!(text("a <b>b <a href='https://c.example'>c <p>d <span>e"), "a b c\n\nd e");
        assert_eq!(text("</a></span></p></pre>a"), "a");
        assert_eq!(prose("<a href=https://a.example>x<a href=https://b.example>y").links.len(), 2);
    }

    proptest! {
        #[test]
        fn no_markup_makes_it_panic_or_grow(html in "(<[a-z/!\"= ]{0,9}>?|&[a-z#0-9;]{0,5}|[a-zé\\n ]{0,4}|<a href=https://x|<span class=invisible>){0,60}") {
            let prose = prose(&html);
            prop_assert!(prose.text.len() <= 4 * html.len());
            for link in &prose.links {
                prop_assert!(prose.text.contains(&link.raw));
            }
        }
    }
}
