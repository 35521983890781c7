//! What a reader sees of a marked-up source, and where each stretch of it stands there (UTF-8 byte offsets on both sides).

use std::ops::Range;

/// Words read from a source, and the way back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// the words
    pub text: String,
    /// code: its at signs and number signs are no handles and no hashtags
    pub quiet: Vec<Range<usize>>,
    /// what the page itself marks as one quotation or one embedded post
    pub embeds: Vec<Range<usize>>,
    /// words that are anchors
    pub anchors: Vec<Anchor>,
    /// URLs and posts named in attributes, without words of their own
    pub pointers: Vec<Pointer>,
    /// records of an export that say who posted what and when
    pub rows: Vec<Row>,
    /// where the cell read last begins
    cell: usize,
    /// breaks that stand for nothing in the source
    stretches: Vec<Stretch>,
}

/// Words that lead somewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Anchor {
    /// the words, in the reading's text
    pub words: Range<usize>,
    /// where they lead, character references undone
    pub url: String,
    /// where the URL stands in the source
    pub source: Range<usize>,
}

/// A record of an export, cell by cell, in the reading's text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// the words
    pub text: Range<usize>,
    /// the account
    pub handle: Option<Range<usize>>,
    /// the name; or the account, where it begins with an at sign
    pub author: Option<Range<usize>>,
    /// when
    pub date: Range<usize>,
    /// where
    pub url: Option<Range<usize>>,
}

/// A URL in an attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pointer {
    /// the URL, character references undone
    pub url: String,
    /// where it stands in the source
    pub source: Range<usize>,
    /// where in the reading's text it would stand
    pub at: usize,
}

/// A run of the reading that came from one run of the source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stretch {
    text: usize,
    source: usize,
    /// length in the source
    len: usize,
    /// byte for byte the same on both sides
    literal: bool,
}

impl Reading {
    /// A source that is its own words.
    pub fn literal(source: &str) -> Self {
        let mut reading = Self::default();
        reading.push(source, 0);
        reading
    }

    /// Adds words that stand literally at `source`.
    pub fn push(&mut self, words: &str, source: usize) {
        if words.is_empty() {
            return;
        }
        if let Some(last) = self
            .stretches
            .last_mut()
            .filter(|s| s.literal && s.source + s.len == source && s.text + s.len == self.text.len())
        {
            last.len += words.len();
        } else {
            self.stretches.push(Stretch { text: self.text.len(), source, len: words.len(), literal: true });
        }
        self.text.push_str(words);
    }

    /// Adds words that `source` stands for without being them (a character reference, folded space).
    pub fn push_for(&mut self, words: &str, source: Range<usize>) {
        self.stretches.push(Stretch { text: self.text.len(), source: source.start, len: source.len(), literal: false });
        self.text.push_str(words);
    }

    /// Adds another reading whose source begins at `base` of this one's, after a blank line.
    pub fn append(&mut self, other: Self, base: usize) {
        if !self.text.is_empty() && !other.text.is_empty() {
            self.push_for("\n\n", base..base);
        }
        let shift = self.text.len();
        let moved = |r: Range<usize>, by: usize| r.start + by..r.end + by;
        let cell = |r: Option<Range<usize>>| r.map(|r| moved(r, shift));
        self.rows.extend(other.rows.into_iter().map(|r| Row {
            text: moved(r.text, shift),
            handle: cell(r.handle),
            author: cell(r.author),
            date: moved(r.date, shift),
            url: cell(r.url),
        }));
        self.text.push_str(&other.text);
        self.stretches.extend(other.stretches.into_iter().map(|s| Stretch {
            text: s.text + shift,
            source: s.source + base,
            ..s
        }));
        self.quiet.extend(other.quiet.into_iter().map(|r| moved(r, shift)));
        self.embeds.extend(other.embeds.into_iter().map(|r| moved(r, shift)));
        self.anchors.extend(other.anchors.into_iter().map(|a| Anchor {
            words: moved(a.words, shift),
            url: a.url,
            source: moved(a.source, base),
        }));
        self.pointers.extend(other.pointers.into_iter().map(|p| Pointer {
            url: p.url,
            source: moved(p.source, base),
            at: p.at + shift,
        }));
    }

    /// The words behind the last blank line that was put between cells.
    pub(super) fn last_cell(&self) -> Range<usize> {
        self.cell..self.text.len()
    }

    /// Sets a new cell apart from the one before it; `source` is where it begins.
    pub(super) fn begin_cell(&mut self, source: usize) {
        if !self.text.is_empty() {
            self.push_for("\n\n", source..source);
        }
        self.cell = self.text.len();
    }

    /// Where the words of `range` stand in the source: from the first of them to the last.
    pub fn source(&self, range: Range<usize>) -> Range<usize> {
        let start = self
            .stretch(range.start)
            .map_or(0, |s| if s.literal { s.source + (range.start - s.text).min(s.len) } else { s.source });
        let last = range.end.saturating_sub(1).max(range.start);
        let end = self
            .stretch(last)
            .map_or(start, |s| if s.literal { s.source + (range.end - s.text).min(s.len) } else { s.source + s.len });
        start..end.max(start)
    }

    fn stretch(&self, at: usize) -> Option<&Stretch> {
        let n = self.stretches.partition_point(|s| s.text <= at);
        n.checked_sub(1).and_then(|n| self.stretches.get(n))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_back_crosses_references_and_gaps() {
        // source: `a&amp;b<i>c</i>`
        let mut r = Reading::default();
        r.push("a", 0);
        r.push_for("&", 1..6);
        r.push("b", 6);
        r.push("c", 10);
        assert_eq!(r.text, "a&bc");
        assert_eq!((r.source(0..1), r.source(1..2), r.source(0..3), r.source(2..4)), (0..1, 1..6, 0..7, 6..11));
    }
}
