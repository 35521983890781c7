//! Markdown (CommonMark 0.31): its words with their places, its links, its quotations, the HTML in it.

use std::ops::Range;

use pulldown_cmark::{Event, LinkType, Options, Parser, Tag, TagEnd};

use crate::format::effort::looked_at;
use crate::format::html;
use crate::format::reading::{Anchor, Reading};

/// Markdown, read.
#[derive(Clone, Debug, Default)]
pub struct Markdown {
    /// its words
    pub reading: Reading,
    /// keys and values of its front matter
    pub front: Vec<(String, String)>,
    /// its first heading
    pub title: Option<String>,
}

/// Reads Markdown. Never fails: every text is Markdown.
pub fn read(source: &str) -> Markdown {
    let mut options = Options::empty();
    options.insert(
        Options::ENABLE_TABLES
            | Options::ENABLE_FOOTNOTES
            | Options::ENABLE_STRIKETHROUGH
            | Options::ENABLE_YAML_STYLE_METADATA_BLOCKS,
    );
    let mut reader = Reader { source, ..Reader::default() };
    for (event, range) in Parser::new_ext(source, options).into_offset_iter() {
        reader.event(event, range);
    }
    reader.flush_html();
    let mut out = reader.out;
    out.reading.quiet.sort_by_key(|r| r.start);
    out.reading.embeds.sort_by_key(|r| (r.start, std::cmp::Reverse(r.end)));
    out.reading.anchors.sort_by_key(|a| (a.words.start, a.words.end));
    out
}

#[derive(Default)]
struct Reader<'s> {
    source: &'s str,
    out: Markdown,
    due: usize,
    quotes: Vec<usize>,
    links: Vec<(String, usize, Range<usize>)>,
    code: Option<usize>,
    metadata: bool,
    heading: Option<usize>,
    html: Option<Range<usize>>,
}

impl Reader<'_> {
    fn event(&mut self, event: Event<'_>, range: Range<usize>) {
        if !matches!(event, Event::Html(_) | Event::InlineHtml(_) | Event::End(TagEnd::HtmlBlock))
            && self.html.as_ref().is_some_and(|h| h.end <= range.start)
        {
            self.flush_html();
        }
        match event {
            Event::Start(tag) => self.start(tag, range),
            Event::End(tag) => self.end(tag),
            Event::Text(words) => self.words(&words, range),
            Event::Code(words) => {
                self.settle(range.start);
                let from = self.out.reading.text.len();
                self.words(&words, range);
                self.out.reading.quiet.push(from..self.out.reading.text.len());
            }
            Event::SoftBreak | Event::HardBreak => self.due = self.due.max(1),
            Event::Html(_) => self.html = Some(self.html.take().map_or(range.clone(), |h| h.start..range.end)),
            _ => {}
        }
    }

    fn start(&mut self, tag: Tag<'_>, range: Range<usize>) {
        match tag {
            Tag::BlockQuote(_) => {
                self.due = 2;
                self.settle(range.start);
                self.quotes.push(self.out.reading.text.len());
            }
            Tag::CodeBlock(_) => {
                self.due = 2;
                self.settle(range.start);
                self.code = Some(self.out.reading.text.len());
            }
            Tag::Link { link_type, dest_url, .. } => {
                self.settle(range.start);
                let inline = !matches!(link_type, LinkType::Autolink | LinkType::Email);
                if inline {
                    let place = self.place(&dest_url, range);
                    self.links.push((dest_url.into_string(), self.out.reading.text.len(), place));
                } else {
                    self.links.push((String::new(), 0, 0..0));
                }
            }
            Tag::MetadataBlock(_) => self.metadata = true,
            Tag::Heading { .. } => {
                self.due = 2;
                self.settle(range.start);
                self.heading = Some(self.out.reading.text.len());
            }
            Tag::Paragraph
            | Tag::Item
            | Tag::TableCell
            | Tag::Table(_)
            | Tag::FootnoteDefinition(_)
            | Tag::List(_)
            | Tag::HtmlBlock => self.due = 2,
            _ => {}
        }
    }

    /// Where a link's URL stands in the source of the link.
    fn place(&self, url: &str, range: Range<usize>) -> Range<usize> {
        let source = self.source.get(range.clone()).unwrap_or_default();
        looked_at(2 * source.len());
        let from = source.rfind("](").map_or(0, |i| i + 2);
        match source.get(from..).and_then(|t| t.find(url)) {
            Some(i) if !url.is_empty() => range.start + from + i..range.start + from + i + url.len(),
            _ => range,
        }
    }

    fn end(&mut self, tag: TagEnd) {
        let end = self.out.reading.text.len();
        match tag {
            TagEnd::BlockQuote(_) => {
                if let Some(from) = self.quotes.pop().filter(|f| *f < end) {
                    self.out.reading.embeds.push(from..end);
                }
                self.due = 2;
            }
            TagEnd::CodeBlock => {
                if let Some(from) = self.code.take().filter(|f| *f < end) {
                    self.out.reading.quiet.push(from..end);
                }
                self.due = 2;
            }
            TagEnd::Link => {
                if let Some((url, from, source)) = self.links.pop().filter(|l| !l.0.is_empty()) {
                    self.out.reading.anchors.push(Anchor { words: from..end, url, source });
                }
            }
            TagEnd::Heading(_) => {
                let words =
                    self.heading.take().and_then(|f| self.out.reading.text.get(f..)).map(|t| t.trim().to_owned());
                self.out.title = self.out.title.take().or(words.filter(|w| !w.is_empty()));
                self.due = 2;
            }
            TagEnd::MetadataBlock(_) => self.metadata = false,
            TagEnd::Paragraph | TagEnd::Item | TagEnd::TableCell | TagEnd::Table => self.due = 2,
            _ => {}
        }
    }

    fn words(&mut self, words: &str, range: Range<usize>) {
        if self.metadata {
            self.front(words);
            return;
        }
        self.settle(range.start);
        let raw = self.source.get(range.clone()).unwrap_or_default();
        looked_at(raw.len());
        if raw == words {
            self.out.reading.push(words, range.start);
        } else if let Some(i) = raw.find(words).filter(|_| !words.is_empty()) {
            self.out.reading.push(words, range.start + i);
        } else {
            self.out.reading.push_for(words, range);
        }
    }

    fn front(&mut self, block: &str) {
        for line in block.lines().take(100) {
            if let Some((key, value)) = line.split_once(':') {
                let value = value.trim().trim_matches(['"', '\'']);
                if !value.is_empty() && !key.starts_with(' ') {
                    self.out.front.push((key.trim().to_lowercase(), value.to_owned()));
                }
            }
        }
    }

    /// Puts the break that is due before what begins at `source`.
    fn settle(&mut self, source: usize) {
        if self.due > 0 && !self.out.reading.text.is_empty() {
            let breaks = if self.due > 1 { "\n\n" } else { "\n" };
            self.out.reading.push_for(breaks, source..source);
        }
        self.due = 0;
    }

    /// Reads the HTML block that has ended.
    fn flush_html(&mut self) {
        let Some(range) = self.html.take() else { return };
        let Some(source) = self.source.get(range.clone()) else { return };
        let mut read = html::read(source).reading;
        read.pointers.retain(|p| !p.url.is_empty());
        self.out.reading.append(read, range.start);
        self.due = 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_links_quotations_and_code() {
        let source = "---\ntitle: \"Quay 4\"\ndate: 2026-03-06\n---\n# Heading\n\n> Pier *open*\n> — Ana\\_R (@ana_ruiz9) [March 6, 2026](https://x.com/ana_ruiz9/status/20)\n\n`@x` and\n\n```\n@y\n```\n";
        let md = read(source);
        assert!(md.reading.text.contains("Pier open\n— Ana_R (@ana_ruiz9) March 6, 2026"), "{:?}", md.reading.text);
        assert_eq!(md.front, [("title".into(), "Quay 4".into()), ("date".into(), "2026-03-06".into())]);
        assert_eq!(md.title.as_deref(), Some("Heading"));
        let anchor = &md.reading.anchors[0];
        assert_eq!(source.get(anchor.source.clone()), Some("https://x.com/ana_ruiz9/status/20"));
        assert_eq!((md.reading.quiet.len(), md.reading.embeds.len()), (2, 1));
    }
}
