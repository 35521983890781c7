//! The text a reader sees.

use crate::format::markup::{Piece, Tag, walk};

/// The text a reader sees: no markup, blocks on lines of their own, runs of white space folded.
pub fn plain(html: &str) -> String {
    let mut out = Plain::default();
    let mut pieces = walk(html);
    while let Some(piece) = pieces.next() {
        out.add(&piece);
        pieces.reuse(piece);
    }
    out.finish()
}

/// Text gathered piece by piece, as [`plain`] does.
#[derive(Clone, Debug, Default)]
pub struct Plain {
    text: String,
    hidden: Option<String>,
    space: bool,
    most: Option<usize>,
}

impl Plain {
    /// Gathers no more once there are so many bytes.
    pub fn up_to(bytes: usize) -> Self {
        Self { most: Some(bytes), ..Self::default() }
    }

    /// Adds a piece.
    pub fn add(&mut self, piece: &Piece<'_>) {
        match piece {
            Piece::Open(tag) => self.open(tag),
            Piece::Close(name) => self.close(name),
            Piece::Text(text) if self.hidden.is_none() => self.words(text),
            Piece::Text(_) => {}
        }
    }

    /// The text, trimmed.
    pub fn finish(mut self) -> String {
        self.text.truncate(self.text.trim_end().len());
        let begins = self.text.len() - self.text.trim_start().len();
        self.text.drain(..begins);
        self.text.shrink_to_fit();
        self.text
    }

    /// Characters so far.
    pub fn is_empty(&self) -> bool {
        self.text.trim().is_empty()
    }

    fn open(&mut self, tag: &Tag<'_>) {
        if self.hidden.is_some() {
            return;
        }
        match &*tag.name {
            "script" | "style" | "template" | "svg" | "noframes" | "iframe" | "title" => {
                self.hidden = Some(tag.name.to_string());
            }
            "br" => self.line(),
            "img" => {
                if let Some(alt) = tag.get("alt").filter(|_| tag.has_class("Emoji") || tag.has_class("emoji")) {
                    self.words(alt);
                }
            }
            name if is_block(name) => self.line(),
            _ => {}
        }
    }

    fn close(&mut self, name: &str) {
        if self.hidden.as_deref() == Some(name) {
            self.hidden = None;
        } else if self.hidden.is_none() && is_block(name) {
            self.line();
        }
    }

    fn line(&mut self) {
        self.space = false;
        if !self.text.is_empty() && !self.text.ends_with('\n') {
            self.text.push('\n');
        }
    }

    fn words(&mut self, text: &str) {
        if self.most.is_some_and(|most| self.text.len() >= most) {
            return;
        }
        let mut rest = text;
        loop {
            let blank = rest.bytes().take_while(|&b| is_blank(b)).count();
            self.space |= blank > 0;
            rest = rest.get(blank..).unwrap_or_default();
            if rest.is_empty() {
                return;
            }
            if self.space && !self.text.is_empty() && !self.text.ends_with('\n') {
                self.text.push(' ');
            }
            self.space = false;
            let (run, after) = rest.split_at(folded(rest.as_bytes()));
            self.text.push_str(run);
            rest = after;
        }
    }
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0xc)
}

/// How much of `text`, which begins with no blank, needs no folding: words with one space between them.
fn folded(text: &[u8]) -> usize {
    let mut at = 0;
    // Most of a text is such words: whole pieces of it are looked at at once.
    while let Some(piece) = text.get(at..at + 65) {
        let pairs = piece.iter().zip(piece.get(1..).unwrap_or_default());
        let odd = pairs.fold(false, |odd, (&byte, &next)| {
            let blank = |b: u8| (b == b' ') | (b == b'\t') | (b == b'\n') | (b == b'\r') | (b == 0xc);
            odd | (blank(byte) & ((byte != b' ') | blank(next)))
        });
        if odd {
            break;
        }
        at += 64;
    }
    while let Some(&byte) = text.get(at) {
        if is_blank(byte) && (byte != b' ' || text.get(at + 1).is_none_or(|&next| is_blank(next))) {
            break;
        }
        at += 1;
    }
    at
}

fn is_block(name: &str) -> bool {
    matches!(
        name,
        "p" | "div"
            | "h1"
            | "h2"
            | "h3"
            | "h4"
            | "h5"
            | "h6"
            | "ul"
            | "ol"
            | "li"
            | "table"
            | "tr"
            | "td"
            | "th"
            | "section"
            | "article"
            | "header"
            | "footer"
            | "nav"
            | "aside"
            | "main"
            | "blockquote"
            | "pre"
            | "form"
            | "fieldset"
            | "figure"
            | "figcaption"
            | "dl"
            | "dt"
            | "dd"
            | "address"
            | "hr"
            | "body"
            | "head"
            | "option"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_begins_and_ends_with_a_word() {
        assert_eq!(plain("<p>&nbsp; one two&nbsp;</p>&#x3000;"), "one two");
        assert_eq!(plain("<p>&nbsp;</p>"), "");
    }

    #[test]
    fn text_of_blocks() {
        assert_eq!(plain("<title>t</title><p>a  <b>b</b>\n c</p><p>d<br>e<script>x</script>"), "a b c\nd\ne");
    }
}
