//! HTML cut into tags and text with their places (WHATWG HTML §13.2.5, the states that matter to a reader).

use std::ops::Range;

use crate::format::effort::looked_at;

/// A piece of the source.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Token<'s> {
    /// text, character references still in it
    Text(Range<usize>),
    /// a start tag
    Open(Tag<'s>),
    /// an end tag
    Close(String),
}

/// A start tag.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Tag<'s> {
    /// lower case
    pub(super) name: String,
    /// lower-case names, and where the values stand
    pub(super) attributes: Vec<(String, Range<usize>)>,
    pub(super) closed: bool,
    source: &'s str,
}

/// No tag needs more attributes than this; what is beyond is left out.
const ATTRIBUTES: usize = 256;

impl<'s> Tag<'s> {
    /// A value as it stands.
    pub(super) fn raw(&self, name: &str) -> Option<(&'s str, Range<usize>)> {
        looked_at(self.attributes.len());
        let (_, range) = self.attributes.iter().find(|(n, _)| n == name)?;
        Some((self.source.get(range.clone())?, range.clone()))
    }

    /// A value with its character references undone.
    pub(super) fn value(&self, name: &str) -> Option<String> {
        self.raw(name).map(|(raw, _)| unescaped(raw))
    }
}

/// The tokens of a source, in order.
pub(super) struct Tokens<'s> {
    source: &'s str,
    at: usize,
    /// the element whose text runs to its end tag, whatever stands in it
    raw: Option<String>,
}

impl<'s> Tokens<'s> {
    pub(super) fn of(source: &'s str) -> Self {
        Self { source, at: 0, raw: None }
    }

    /// Where what was read last ends.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    fn bytes(&self) -> &'s [u8] {
        self.source.as_bytes()
    }

    /// Where the end tag of the raw-text element `name` begins.
    fn raw_end(&self, name: &str) -> usize {
        let bytes = self.bytes();
        let mut from = self.at;
        while let Some(i) = bytes.get(from..).and_then(|t| memchr::memmem::find(t, b"</")) {
            let at = from + i;
            looked_at(i + 2);
            let word = bytes.get(at + 2..at + 2 + name.len());
            if word.is_some_and(|w| w.eq_ignore_ascii_case(name.as_bytes())) {
                return at;
            }
            from = at + 2;
        }
        looked_at(bytes.len() - from.min(bytes.len()));
        bytes.len()
    }

    fn tag(&mut self, name_at: usize) -> Option<Tag<'s>> {
        let bytes = self.bytes();
        let mut i = name_at;
        while bytes.get(i).is_some_and(|b| !b.is_ascii_whitespace() && !matches!(b, b'>' | b'/')) {
            i += 1;
        }
        let name = self.source.get(name_at..i)?.to_ascii_lowercase();
        let mut tag = Tag { name, attributes: Vec::new(), closed: false, source: self.source };
        loop {
            while bytes.get(i).is_some_and(|b| b.is_ascii_whitespace() || *b == b'/') {
                tag.closed = bytes.get(i) == Some(&b'/');
                i += 1;
            }
            match bytes.get(i) {
                None => {
                    self.at = i;
                    return Some(tag);
                }
                Some(b'>') => {
                    self.at = i + 1;
                    return Some(tag);
                }
                Some(_) => {
                    tag.closed = false;
                    i = self.attribute(i, &mut tag);
                }
            }
        }
    }

    fn attribute(&self, start: usize, tag: &mut Tag<'s>) -> usize {
        let bytes = self.bytes();
        let mut i = start + 1;
        while bytes.get(i).is_some_and(|b| !b.is_ascii_whitespace() && !matches!(b, b'>' | b'/' | b'=')) {
            i += 1;
        }
        let name = self.source.get(start..i).unwrap_or_default().to_ascii_lowercase();
        let mut after = i;
        while bytes.get(after).is_some_and(u8::is_ascii_whitespace) {
            after += 1;
        }
        let value = if bytes.get(after) == Some(&b'=') {
            after += 1;
            while bytes.get(after).is_some_and(u8::is_ascii_whitespace) {
                after += 1;
            }
            match bytes.get(after) {
                Some(quote @ (b'"' | b'\'')) => {
                    let len = bytes
                        .get(after + 1..)
                        .and_then(|t| memchr::memchr(*quote, t))
                        .unwrap_or(bytes.len() - after - 1);
                    let value = after + 1..after + 1 + len;
                    i = (value.end + 1).min(bytes.len());
                    value
                }
                _ => {
                    let from = after;
                    while bytes.get(after).is_some_and(|b| !b.is_ascii_whitespace() && *b != b'>') {
                        after += 1;
                    }
                    i = after;
                    from..after
                }
            }
        } else {
            i..i
        };
        if tag.attributes.len() < ATTRIBUTES {
            tag.attributes.push((name, value));
        }
        i.max(start + 1)
    }

    /// Behind a comment, a doctype or a processing instruction at `at`.
    fn behind_markup(&self, at: usize) -> usize {
        let bytes = self.bytes();
        let tail = bytes.get(at..).unwrap_or_default();
        if tail.starts_with(b"<!--") {
            return tail.get(4..).and_then(|t| memchr::memmem::find(t, b"-->")).map_or(bytes.len(), |n| at + 4 + n + 3);
        }
        memchr::memchr(b'>', tail).map_or(bytes.len(), |n| at + n + 1)
    }
}

impl<'s> Iterator for Tokens<'s> {
    type Item = Token<'s>;

    fn next(&mut self) -> Option<Token<'s>> {
        let start = self.at;
        let token = self.cut();
        looked_at(self.at - start);
        token
    }
}

impl<'s> Tokens<'s> {
    fn cut(&mut self) -> Option<Token<'s>> {
        let bytes = self.bytes();
        loop {
            let start = self.at;
            if start >= bytes.len() {
                return None;
            }
            if let Some(name) = self.raw.take() {
                self.at = self.raw_end(&name);
                if self.at > start {
                    return Some(Token::Text(start..self.at));
                }
            }
            let less = bytes.get(start..).and_then(|t| memchr::memchr(b'<', t)).map_or(bytes.len(), |n| start + n);
            let next = bytes.get(less + 1).copied().unwrap_or(b' ');
            let markup = next.is_ascii_alphabetic() || matches!(next, b'/' | b'!' | b'?');
            if less > start || !markup {
                // a `<` that begins nothing is text
                let end = if less > start {
                    less
                } else {
                    bytes.get(less + 1..).and_then(|t| memchr::memchr(b'<', t)).map_or(bytes.len(), |n| less + 1 + n)
                };
                self.at = end;
                return Some(Token::Text(start..end));
            }
            match next {
                b'!' | b'?' => self.at = self.behind_markup(less),
                b'/' if bytes.get(less + 2).is_some_and(u8::is_ascii_alphabetic) => {
                    return self.tag(less + 2).map(|t| Token::Close(t.name));
                }
                b'/' => self.at = self.behind_markup(less),
                _ => {
                    let tag = self.tag(less + 1)?;
                    if matches!(
                        tag.name.as_str(),
                        "script" | "style" | "textarea" | "title" | "xmp" | "noembed" | "noframes" | "iframe"
                    ) && !tag.closed
                    {
                        self.raw = Some(tag.name.clone());
                    }
                    return Some(Token::Open(tag));
                }
            }
        }
    }
}

/// One character reference at the beginning of `text` (which begins with `&`): what it stands for and its length.
pub(super) fn reference(text: &str) -> Option<(String, usize)> {
    let body = text.get(1..)?;
    if let Some(number) = body.strip_prefix('#') {
        let (digits, radix) = number.strip_prefix(['x', 'X']).map_or((number, 10), |hex| (hex, 16));
        let len = digits.bytes().take(8).take_while(|b| char::from(*b).is_digit(radix)).count();
        let code = u32::from_str_radix(digits.get(..len)?, radix).ok()?;
        // windows-1252's leftovers, as browsers read them (WHATWG §13.2.5.80)
        let c = match code {
            0x80..=0x9f => {
                encoding_rs::WINDOWS_1252.decode_without_bom_handling(&[u8::try_from(code).ok()?]).0.chars().next()?
            }
            0 => '\u{fffd}',
            _ => char::from_u32(code).unwrap_or('\u{fffd}'),
        };
        let head = text.len() - digits.len() + len;
        return Some((c.to_string(), head + usize::from(text.as_bytes().get(head) == Some(&b';'))));
    }
    let len = body.bytes().take(32).take_while(u8::is_ascii_alphanumeric).count();
    let with = (body.as_bytes().get(len) == Some(&b';')).then_some(len + 1);
    // the longest name wins; without its semicolon only where the old names allow it
    with.into_iter().chain((2..=len.min(6)).rev()).find_map(|n| {
        let (first, second) =
            html5ever::data::NAMED_ENTITIES.get(body.get(..n)?).copied().filter(|(first, _)| *first != 0)?;
        let out: String = [first, second].into_iter().filter(|c| *c != 0).filter_map(char::from_u32).collect();
        Some((out, n + 1))
    })
}

/// A value with its character references undone.
pub(super) fn unescaped(raw: &str) -> String {
    let mut out = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(i) = rest.find('&') {
        out.push_str(rest.get(..i).unwrap_or_default());
        let tail = rest.get(i..).unwrap_or_default();
        // in attributes a name without semicolon that goes on with `=` or a letter is no reference: `&copy=1`
        let found = reference(tail).filter(|(_, len)| {
            tail.as_bytes().get(len - 1) == Some(&b';')
                || !tail.as_bytes().get(*len).is_some_and(|b| *b == b'=' || b.is_ascii_alphanumeric())
        });
        let len = match found {
            Some((c, len)) => {
                out.push_str(&c);
                len
            }
            None => {
                out.push('&');
                1
            }
        };
        rest = tail.get(len..).unwrap_or_default();
    }
    out.push_str(rest);
    out
}
