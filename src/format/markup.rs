//! HTML read as a flat run of tags and text (WHATWG HTML §13.2.5): no tree, so hostile nesting costs nothing.
//!
//! Contents of `script`, `style`, `textarea`, `title`, `xmp`, `iframe`, `noembed` and `noframes` are text; those of
//! `noscript` are markup, for we run no script. Time is linear in the input and memory a small multiple of it.

use std::borrow::Cow;

/// A tag or a run of text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece<'a> {
    /// a start tag
    Open(Tag<'a>),
    /// an end tag's name, lower case
    Close(Cow<'a, str>),
    /// text; entities undone, save inside `script` and `style`, where there are none
    Text(Cow<'a, str>),
}

/// A start tag.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tag<'a> {
    /// lower case
    pub name: Cow<'a, str>,
    /// names in lower case, values with entities undone, in order
    pub attributes: Vec<(Cow<'a, str>, Cow<'a, str>)>,
}

impl Tag<'_> {
    /// The first value of an attribute.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(n, _)| n == name).map(|(_, value)| &**value)
    }

    /// Whether its `class` holds this word.
    pub fn has_class(&self, class: &str) -> bool {
        self.get("class").is_some_and(|all| all.split_ascii_whitespace().any(|one| one == class))
    }
}

/// What is read of one document; the rest of a longer one is left.
pub const BOUND: usize = 8 << 20;

/// The attributes read of one tag; no honest tag has as many.
const ATTRIBUTES: usize = 256;

/// Every piece of `html`, in order.
pub fn pieces(html: &str) -> Vec<Piece<'_>> {
    walk(html).collect()
}

/// The same one by one: nothing but the piece at hand is held.
pub fn walk(html: &str) -> Pieces<'_> {
    Pieces { html: head(html, BOUND), at: 0, found: None, raw: None, spare: Vec::new() }
}

/// Bytes as text: a byte order mark wins, then the declared charset, then the document's own `meta`, then UTF-8 where it
/// is UTF-8, then windows-1252.
pub fn decode<'a>(bytes: &'a [u8], content_type: &str) -> Cow<'a, str> {
    if let Some((encoding, _)) = encoding_rs::Encoding::for_bom(bytes) {
        return encoding.decode(bytes).0;
    }
    let declared = charset_of(content_type).or_else(|| declared_inside(bytes));
    match declared.and_then(|label| encoding_rs::Encoding::for_label(label.as_bytes())) {
        Some(encoding) => encoding.decode_without_bom_handling(bytes).0,
        None => match std::str::from_utf8(bytes) {
            Ok(text) => Cow::Borrowed(text),
            Err(bad) if bad.error_len().is_none() && bad.valid_up_to() >= BOUND => String::from_utf8_lossy(bytes), // cut
            Err(_) => encoding_rs::WINDOWS_1252.decode_without_bom_handling(bytes).0,
        },
    }
}

/// Text with its character references undone.
pub fn unescape(text: &str) -> Cow<'_, str> {
    if memchr::memchr(b'&', text.as_bytes()).is_none() {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = memchr::memchr(b'&', rest.as_bytes()) {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        let used = reference(from, &mut out);
        rest = from.get(used..).unwrap_or_default();
    }
    out.push_str(rest);
    Cow::Owned(out)
}

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

fn head(text: &str, bound: usize) -> &str {
    let mut end = bound.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

fn charset_of(content_type: &str) -> Option<String> {
    let at = content_type.to_ascii_lowercase().find("charset")?;
    let value = content_type.get(at + 7..)?.trim_start().strip_prefix('=')?.trim_start();
    let value = value.trim_start_matches(['"', '\'']);
    let end = value.find(['"', '\'', ';', ' ', '>', '/']).unwrap_or(value.len());
    value.get(..end).filter(|label| !label.is_empty()).map(str::to_owned)
}

/// The first kilobytes are where a document must declare itself (WHATWG HTML §13.2.3.2 says 1,024; many are late).
fn declared_inside(bytes: &[u8]) -> Option<String> {
    let start = String::from_utf8_lossy(bytes.get(..4096).unwrap_or(bytes));
    let meta = start.to_ascii_lowercase().find("<meta")?;
    charset_of(start.get(meta..)?)
}

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

/// One character reference at the start of `from` (which begins with `&`): what it means goes to `out`; how long it was.
fn reference(from: &str, out: &mut String) -> usize {
    let numeric = from.strip_prefix("&#").and_then(numeric);
    if let Some((c, used)) = numeric {
        out.push(c);
        return used + 2;
    }
    let name = from.get(1..).unwrap_or_default();
    // the longest name there is has 31 letters
    let end = name.bytes().take(32).position(|c| !c.is_ascii_alphanumeric()).unwrap_or(name.len().min(32));
    let with_semicolon = usize::from(name.as_bytes().get(end) == Some(&b';'));
    for length in (1..=end + with_semicolon).rev() {
        let found = name.get(..length).and_then(|n| html5ever::data::NAMED_ENTITIES.get(n));
        if let Some(&(first, second)) = found.filter(|(first, _)| *first != 0) {
            out.extend(char::from_u32(first));
            out.extend(char::from_u32(second).filter(|_| second != 0));
            return length + 1;
        }
    }
    out.push('&');
    1
}

fn numeric(digits: &str) -> Option<(char, usize)> {
    let (body, radix, skipped) = match digits.strip_prefix(['x', 'X']) {
        Some(hex) => (hex, 16, 1),
        None => (digits, 10, 0),
    };
    let length = body.bytes().position(|c| !char::from(c).is_digit(radix)).unwrap_or(body.len());
    let number = u32::from_str_radix(body.get(..length)?, radix);
    if length == 0 {
        return None;
    }
    let semicolon = usize::from(body.as_bytes().get(length) == Some(&b';'));
    let code = number.unwrap_or(0);
    let c = windows_1252(code).or_else(|| char::from_u32(code)).filter(|&c| c != '\0').unwrap_or('\u{fffd}');
    Some((c, skipped + length + semicolon))
}

/// Numbers that name C1 controls mean windows-1252's characters (WHATWG HTML §13.2.5.80).
fn windows_1252(code: u32) -> Option<char> {
    let byte = u8::try_from(code).ok().filter(|b| (0x80..=0x9f).contains(b))?;
    encoding_rs::WINDOWS_1252.decode_without_bom_handling(&[byte]).0.chars().next()
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn text_begins_and_ends_with_a_word() {
        assert_eq!(plain("<p>&nbsp; one two&nbsp;</p>&#x3000;"), "one two");
        assert_eq!(plain("<p>&nbsp;</p>"), "");
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

    #[test]
    fn references() {
        assert_eq!(
            unescape("a &amp;&#x41;&#66;&mdash; &copy2 &nosuch; &#128; & &#0;"),
            "a &AB— ©2 &nosuch; € & \u{fffd}"
        );
    }

    #[test]
    fn text_of_blocks() {
        assert_eq!(plain("<title>t</title><p>a  <b>b</b>\n c</p><p>d<br>e<script>x</script>"), "a b c\nd\ne");
    }

    #[test]
    fn charsets() {
        assert_eq!(decode("жук".as_bytes(), ""), "жук");
        assert_eq!(decode(&[0xe6, 0xf3, 0xea], "text/html; charset=windows-1251"), "жук");
        assert_eq!(decode(b"<meta charset=\"koi8-r\">\xd6", ""), "<meta charset=\"koi8-r\">ж");
        assert_eq!(decode(b"caf\xe9", ""), "café");
    }

    proptest::proptest! {
        #[test]
        fn anything_ends(html in ".{0,400}") {
            let _ = pieces(&html);
            let _ = plain(&html);
        }

        #[test]
        fn tag_soup_ends(html in "[<>/!a-c =\"'&#;é-]{0,200}") {
            let _ = plain(&html);
        }
    }
}
