//! The walk through a document: where its tags begin and end.

use std::borrow::Cow;

use crate::format::markup::{Piece, Tag, unescape};

/// The attributes read of one tag; no honest tag has as many.
const ATTRIBUTES: usize = 256;

/// The pieces of a document, one by one.
#[derive(Clone, Debug)]
pub struct Pieces<'a> {
    html: &'a str,
    at: usize,
    /// the piece just read
    found: Option<Piece<'a>>,
    /// the element whose contents come next as text
    raw: Option<&'static str>,
    /// an empty list for the next tag's attributes
    spare: Vec<(Cow<'a, str>, Cow<'a, str>)>,
}

/// The element, where its contents are text (WHATWG HTML §13.2.6.4: raw text and escapable raw text).
fn raw(name: &str) -> Option<&'static str> {
    match name {
        "script" => Some("script"),
        "style" => Some("style"),
        "textarea" => Some("textarea"),
        "title" => Some("title"),
        "xmp" => Some("xmp"),
        "iframe" => Some("iframe"),
        "noembed" => Some("noembed"),
        "noframes" => Some("noframes"),
        _ => None,
    }
}

impl<'a> Iterator for Pieces<'a> {
    type Item = Piece<'a>;

    fn next(&mut self) -> Option<Piece<'a>> {
        while self.found.is_none() && self.at < self.html.len() {
            if let Some(name) = self.raw.take() {
                self.raw(name);
                continue;
            }
            let rest = self.rest();
            let text = memchr::memchr(b'<', rest.as_bytes()).unwrap_or(rest.len());
            if text > 0 {
                self.text(text);
            } else if !self.markup() {
                self.text(1); // a `<` that opens nothing is text
            }
        }
        self.found.take()
    }
}

impl<'a> Pieces<'a> {
    pub(super) fn new(html: &'a str) -> Self {
        Pieces { html, at: 0, found: None, raw: None, spare: Vec::new() }
    }

    /// Bytes read so far.
    pub fn at(&self) -> usize {
        self.at
    }

    /// Takes back a piece that was looked at: the next tag uses its memory.
    pub fn reuse(&mut self, piece: Piece<'a>) {
        if let Piece::Open(Tag { mut attributes, .. }) = piece {
            attributes.clear();
            self.spare = attributes;
        }
    }

    fn rest(&self) -> &'a str {
        self.html.get(self.at..).unwrap_or_default()
    }

    fn text(&mut self, length: usize) {
        if let Some(text) = self.rest().get(..length) {
            self.found = Some(Piece::Text(unescape(text)));
        }
        self.at += length;
    }

    fn markup(&mut self) -> bool {
        let rest = self.rest();
        match rest.as_bytes().get(1) {
            Some(b'!' | b'?') => self.skip_comment(rest),
            Some(b'/') => self.end_tag(rest),
            Some(c) if c.is_ascii_alphabetic() => self.start_tag(rest),
            _ => return false,
        }
        true
    }

    fn skip_comment(&mut self, rest: &str) {
        let length = if let Some(body) = rest.strip_prefix("<!--") {
            match body {
                b if b.starts_with('>') => 5,
                b if b.starts_with("->") => 6,
                b => b.find("-->").map_or(rest.len(), |end| end + 7),
            }
        } else {
            rest.find('>').map_or(rest.len(), |end| end + 1)
        };
        self.at += length;
    }

    fn end_tag(&mut self, rest: &'a str) {
        let end = memchr::memchr(b'>', rest.as_bytes()).unwrap_or(rest.len());
        let inside = rest.get(2..end).unwrap_or_default();
        let name = take(inside, &mut 0, |c| !c.is_ascii_whitespace() && c != b'/');
        if name.as_bytes().first().is_some_and(u8::is_ascii_alphabetic) {
            self.found = Some(Piece::Close(lower(name)));
        }
        self.at += (end + 1).min(rest.len());
    }

    fn start_tag(&mut self, rest: &'a str) {
        let (tag, length) = read_tag(rest, std::mem::take(&mut self.spare));
        self.at += length;
        self.raw = raw(&tag.name);
        self.found = Some(Piece::Open(tag));
    }

    fn raw(&mut self, name: &str) {
        let rest = self.rest();
        let length = end_of_raw(rest, name);
        if let Some(text) = rest.get(..length).filter(|t| !t.is_empty()) {
            let escapable = matches!(name, "textarea" | "title");
            self.found = Some(Piece::Text(if escapable { unescape(text) } else { Cow::Borrowed(text) }));
        }
        self.at += length;
    }
}

/// In lower case; as it is where it is that already, which is nearly always.
fn lower(name: &str) -> Cow<'_, str> {
    match name.bytes().any(|byte| byte.is_ascii_uppercase()) {
        true => Cow::Owned(name.to_ascii_lowercase()),
        false => Cow::Borrowed(name),
    }
}

/// Where the end tag of a raw element begins.
fn end_of_raw(rest: &str, name: &str) -> usize {
    let bytes = rest.as_bytes();
    for at in memchr::memmem::find_iter(bytes, b"</") {
        let after = bytes.get(at + 2..).unwrap_or_default();
        let found = after.get(..name.len()).is_some_and(|n| n.eq_ignore_ascii_case(name.as_bytes()));
        if found && after.get(name.len()).is_none_or(|c| c.is_ascii_whitespace() || matches!(c, b'>' | b'/')) {
            return at;
        }
    }
    rest.len()
}

/// Reads `<name attributes>` at the start of `rest`; the length read includes the `>`.
fn read_tag<'a>(rest: &'a str, attributes: Vec<(Cow<'a, str>, Cow<'a, str>)>) -> (Tag<'a>, usize) {
    let bytes = rest.as_bytes();
    let mut at = 1;
    let name = take(rest, &mut at, |c| !c.is_ascii_whitespace() && !matches!(c, b'/' | b'>'));
    let mut tag = Tag { name: lower(name), attributes };
    loop {
        take(rest, &mut at, |c| c.is_ascii_whitespace() || c == b'/');
        match bytes.get(at) {
            None => return (tag, rest.len()),
            Some(b'>') => return (tag, at + 1),
            Some(_) => {}
        }
        let (name, value) = read_attribute(rest, &mut at);
        if tag.attributes.len() < ATTRIBUTES {
            tag.attributes.push((lower(name), unescape(value)));
        }
    }
}

fn read_attribute<'a>(rest: &'a str, at: &mut usize) -> (&'a str, &'a str) {
    let start = *at;
    *at += 1; // a `=` may begin a name, and something must be read
    take(rest, at, |c| !c.is_ascii_whitespace() && !matches!(c, b'/' | b'>' | b'='));
    while !rest.is_char_boundary(*at) {
        *at += 1;
    }
    let name = rest.get(start..*at).unwrap_or_default();
    let mut ahead = *at;
    take(rest, &mut ahead, |c| c.is_ascii_whitespace());
    if rest.as_bytes().get(ahead) != Some(&b'=') {
        return (name, "");
    }
    *at = ahead + 1;
    take(rest, at, |c| c.is_ascii_whitespace());
    let value = match rest.as_bytes().get(*at) {
        Some(&quote @ (b'"' | b'\'')) => {
            *at += 1;
            let tail = rest.get(*at..).unwrap_or_default();
            let value = tail.get(..memchr::memchr(quote, tail.as_bytes()).unwrap_or(tail.len())).unwrap_or_default();
            *at += value.len() + 1;
            value
        }
        _ => take(rest, at, |c| !c.is_ascii_whitespace() && c != b'>'),
    };
    (name, value)
}

fn take<'a>(rest: &'a str, at: &mut usize, while_: impl Fn(u8) -> bool) -> &'a str {
    let start = (*at).min(rest.len());
    let tail = rest.as_bytes().get(start..).unwrap_or_default();
    let length = tail.iter().position(|&c| !while_(c)).unwrap_or(tail.len());
    *at = start + length;
    rest.get(start..*at).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::markup::{pieces, walk};

    fn open<'a>(name: &'a str, attributes: &[(&'a str, &'a str)]) -> Piece<'a> {
        let attributes = attributes.iter().map(|(n, v)| (Cow::Borrowed(*n), Cow::Borrowed(*v))).collect();
        Piece::Open(Tag { name: name.into(), attributes })
    }

    #[test]
    fn pieces_given_back_change_none_that_follows() {
        let html = "<p class=a id=b c>x<br><img src='&amp;1' alt=y><a HREF=z>t</a><script>1<2</script><i>";
        let mut walked = Vec::new();
        let mut walk = walk(html);
        while let Some(piece) = walk.next() {
            walked.push(piece.clone());
            walk.reuse(piece);
        }
        assert_eq!(walked, pieces(html));
    }

    #[test]
    fn tags_as_they_are_written_badly() {
        assert_eq!(
            pieces("<META HTTP-EQUIV=Refresh CONTENT=\"0; url='x'\"><a b c='1&amp;2' / d=e>t</A >"),
            [
                open("meta", &[("http-equiv", "Refresh"), ("content", "0; url='x'")]),
                open("a", &[("b", ""), ("c", "1&2"), ("d", "e")]),
                Piece::Text("t".into()),
                Piece::Close("a".into()),
            ]
        );
    }

    #[test]
    fn comments_and_raw_text_hide_tags() {
        let html = "<!-- <meta a> --><script>'</scr'+\"<b>\"</script><title>a &lt; b</title><!doctype x><noscript><i>";
        let names: Vec<_> =
            pieces(html).into_iter().filter_map(|p| if let Piece::Open(t) = p { Some(t.name) } else { None }).collect();
        assert_eq!(names, ["script", "title", "noscript", "i"]);
        assert!(pieces(html).contains(&Piece::Text("a < b".into())));
    }
}
