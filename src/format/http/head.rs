//! The head of an HTTP/1.x response (RFC 9112 §2 to §5), and how long the body after it is (§6).
//!
//! Strict where two readers could disagree about where a message ends; lenient, with a note, where browsers are and no
//! boundary depends on it. Every leniency is an [`Oddity`]: the wire never uses a connection again after one.

use crate::format::http::{Headers, Method};

/// Why bytes are no HTTP/1.x response, or one whose end nobody can tell.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// the first line is no status line
    #[error("no status line: {0}")]
    StatusLine(String),
    /// no end of head within the bound
    #[error("head longer than {0} bytes")]
    HeadTooLong(usize),
    /// two lengths, or one that is no number
    #[error("Content-Length that cannot be believed: {0}")]
    Length(String),
    /// chunked twice, or chunked and then something else
    #[error("Transfer-Encoding that cannot be undone: {0}")]
    TransferEncoding(String),
    /// broken chunk framing
    #[error("broken chunk framing: {0}")]
    Chunk(&'static str),
    /// more interim answers than anyone sends
    #[error("more than {0} interim answers")]
    TooManyInterim(usize),
}

/// What was odd about a message that could be read all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Oddity {
    /// lines that end in LF alone
    BareLf,
    /// a CR or NUL inside a line; read as a space
    ControlInLine,
    /// a header line without a colon or with an impossible name; left out of the reading copy
    LineIgnored,
    /// white space between a header's name and its colon
    SpaceBeforeColon,
    /// a header continued on the next line (obs-fold); joined with a space
    Folded,
    /// the same Content-Length more than once
    RepeatedLength,
    /// Content-Length beside Transfer-Encoding, which wins
    LengthAndTransferEncoding,
    /// Transfer-Encoding in an HTTP/1.0 message
    TransferEncodingIn10,
    /// white space before a chunk's size ends
    SpaceInChunkSize,
}

impl Oddity {
    /// In a few words, for the exchange's metadata.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::BareLf => "bare LF",
            Self::ControlInLine => "control character in a line",
            Self::LineIgnored => "header line ignored",
            Self::SpaceBeforeColon => "space before colon",
            Self::Folded => "folded header",
            Self::RepeatedLength => "repeated Content-Length",
            Self::LengthAndTransferEncoding => "Content-Length beside Transfer-Encoding",
            Self::TransferEncodingIn10 => "Transfer-Encoding in HTTP/1.0",
            Self::SpaceInChunkSize => "space in chunk size",
        }
    }
}

/// A set of oddities; small enough to copy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Oddities(u16);

impl Oddities {
    /// Adds one.
    pub fn note(&mut self, oddity: Oddity) {
        self.0 |= 1 << oddity as u16;
    }

    /// Adds all of `other`.
    pub fn merge(&mut self, other: Self) {
        self.0 |= other.0;
    }

    /// Whether there is none.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Each one, in order of declaration.
    pub fn iter(self) -> impl Iterator<Item = Oddity> {
        ALL.into_iter().filter(move |&oddity| self.0 & (1 << oddity as u16) != 0)
    }
}

const ALL: [Oddity; 9] = [
    Oddity::BareLf,
    Oddity::ControlInLine,
    Oddity::LineIgnored,
    Oddity::SpaceBeforeColon,
    Oddity::Folded,
    Oddity::RepeatedLength,
    Oddity::LengthAndTransferEncoding,
    Oddity::TransferEncodingIn10,
    Oddity::SpaceInChunkSize,
];

/// A head, read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Head {
    /// the digit after `HTTP/1.`
    pub minor: u8,
    /// three digits
    pub status: u16,
    /// reason phrase as sent
    pub reason: String,
    /// header fields
    pub headers: Headers,
    /// what was odd
    pub odd: Oddities,
}

/// How far the body goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// so many bytes; 0 where there is none by rule
    Length(u64),
    /// chunks
    Chunked,
    /// until the peer closes
    Close,
}

/// Where the head that begins `bytes` ends: the offset just after its empty line. `from` is where an earlier look
/// stopped, so that looking again and again stays linear.
pub fn end_of_head(bytes: &[u8], from: usize) -> Option<usize> {
    let start = from.saturating_sub(2);
    let mut at = start;
    while let Some(lf) = bytes.get(at..).and_then(|rest| memchr::memchr(b'\n', rest)) {
        let next = at + lf + 1;
        match bytes.get(next..) {
            Some([b'\n', ..]) => return Some(next + 1),
            Some([b'\r', b'\n', ..]) => return Some(next + 2),
            _ => at = next,
        }
    }
    None
}

impl Head {
    /// Reads a whole head, its empty line included.
    ///
    /// # Errors
    /// Only where the first line is no HTTP/1.x status line.
    pub fn parse(bytes: &[u8]) -> Result<Self, Fault> {
        let mut lines = Lines { rest: bytes, odd: Oddities::default() };
        let first = lines.next().unwrap_or_default();
        let (minor, status, reason) = status_line(first)?;
        let reason = latin1(reason, &mut lines.odd);
        let mut head = Self { minor, status, reason, ..Self::default() };
        while let Some(line) = lines.next() {
            if line.is_empty() {
                break;
            }
            head.field(line);
        }
        head.odd.merge(lines.odd);
        Ok(head)
    }

    fn field(&mut self, line: &[u8]) {
        if matches!(line.first(), Some(b' ' | b'\t')) {
            return self.fold(line);
        }
        let Some(colon) = memchr::memchr(b':', line) else { return self.odd.note(Oddity::LineIgnored) };
        let (name, value) = (line.get(..colon).unwrap_or_default(), line.get(colon + 1..).unwrap_or_default());
        let trimmed = name.trim_ascii_end();
        if trimmed.len() != name.len() {
            self.odd.note(Oddity::SpaceBeforeColon);
        }
        match std::str::from_utf8(trimmed) {
            Ok(name) if is_token(trimmed) => {
                let value = clean(value.trim_ascii(), &mut self.odd);
                self.headers.0.push((name.to_owned(), value));
            }
            _ => self.odd.note(Oddity::LineIgnored),
        }
    }

    fn fold(&mut self, line: &[u8]) {
        self.odd.note(Oddity::Folded);
        let more = clean(line.trim_ascii(), &mut self.odd);
        if let Some((_, value)) = self.headers.0.last_mut() {
            if !value.is_empty() && !more.is_empty() {
                value.push(b' ');
            }
            value.extend_from_slice(&more);
        }
    }

    /// Whether this is an interim answer (1xx); 101 ends HTTP on the connection and is no interim answer.
    pub fn is_interim(&self) -> bool {
        (100..200).contains(&self.status) && self.status != 101
    }

    /// How long the body is (RFC 9112 §6.3). Notes what was odd about it.
    ///
    /// # Errors
    /// Lengths or codings that two readers would read differently.
    pub fn framing(&mut self, asked: Method) -> Result<Framing, Fault> {
        if asked == Method::Head || matches!(self.status, 100..=199 | 204 | 304) {
            return Ok(Framing::Length(0));
        }
        let chunked = self.transfer_encoding()?;
        let length = self.content_length();
        match chunked {
            None => Ok(length?.map_or(Framing::Close, Framing::Length)),
            Some(chunked) => {
                if !matches!(length, Ok(None)) {
                    self.odd.note(Oddity::LengthAndTransferEncoding);
                }
                if self.minor == 0 {
                    self.odd.note(Oddity::TransferEncodingIn10);
                }
                Ok(if chunked { Framing::Chunked } else { Framing::Close })
            }
        }
    }

    /// None without the field; else whether chunked comes last.
    fn transfer_encoding(&self) -> Result<Option<bool>, Fault> {
        let mut codings: Vec<String> = Vec::new();
        for value in self.headers.all("transfer-encoding") {
            codings.extend(value.split(',').map(|c| c.trim().to_ascii_lowercase()));
        }
        codings.retain(|c| !c.is_empty() && c != "identity");
        let count = codings.iter().filter(|c| *c == "chunked").count();
        let last = codings.last().map(|c| c == "chunked");
        if count > 1 || (count == 1 && last == Some(false)) {
            return Err(Fault::TransferEncoding(codings.join(", ")));
        }
        Ok(last)
    }

    fn content_length(&mut self) -> Result<Option<u64>, Fault> {
        let mut found: Option<u64> = None;
        let mut repeated = false;
        for value in self.headers.all("content-length") {
            for part in value.split(',') {
                let length = digits(part.trim()).ok_or_else(|| Fault::Length(shown(value.as_bytes())))?;
                match found {
                    Some(first) if first != length => return Err(Fault::Length(format!("{first} and {length}"))),
                    Some(_) => repeated = true,
                    None => found = Some(length),
                }
            }
        }
        if repeated {
            self.odd.note(Oddity::RepeatedLength);
        }
        Ok(found)
    }

    /// Whether the peer keeps the connection open after this message (RFC 9112 §9.3).
    pub fn keeps_alive(&self) -> bool {
        let mut close = false;
        let mut keep = false;
        for value in self.headers.all("connection") {
            for option in value.split(',') {
                close |= option.trim().eq_ignore_ascii_case("close");
                keep |= option.trim().eq_ignore_ascii_case("keep-alive");
            }
        }
        !close && (self.minor >= 1 || keep)
    }
}

/// Lines without their ends.
struct Lines<'a> {
    rest: &'a [u8],
    odd: Oddities,
}

impl<'a> Lines<'a> {
    fn next(&mut self) -> Option<&'a [u8]> {
        let lf = memchr::memchr(b'\n', self.rest)?;
        let (line, rest) = self.rest.split_at_checked(lf)?;
        self.rest = rest.get(1..)?;
        match line.strip_suffix(b"\r") {
            Some(line) => Some(line),
            None => {
                self.odd.note(Oddity::BareLf);
                Some(line)
            }
        }
    }
}

fn status_line(line: &[u8]) -> Result<(u8, u16, &[u8]), Fault> {
    let wrong = || Fault::StatusLine(shown(line));
    let rest = line.strip_prefix(b"HTTP/1.").ok_or_else(wrong)?;
    let (&minor, rest) = rest.split_first().filter(|(d, _)| d.is_ascii_digit()).ok_or_else(wrong)?;
    let rest = rest.strip_prefix(b" ").ok_or_else(wrong)?.trim_ascii_start();
    let code = rest.get(..3).and_then(|code| std::str::from_utf8(code).ok()).and_then(digits).ok_or_else(wrong)?;
    let code = u16::try_from(code).ok().filter(|code| *code >= 100).ok_or_else(wrong)?;
    match rest.get(3..).unwrap_or_default() {
        [] => Ok((minor - b'0', code, b"")),
        [b' ', reason @ ..] => Ok((minor - b'0', code, reason)),
        _ => Err(wrong()),
    }
}

/// Digits and nothing else: no sign, no space.
fn digits(text: &str) -> Option<u64> {
    (!text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok()).flatten()
}

fn is_token(name: &[u8]) -> bool {
    !name.is_empty() && name.iter().all(|&b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b))
}

fn clean(value: &[u8], odd: &mut Oddities) -> Vec<u8> {
    let mut value = value.to_vec();
    for byte in &mut value {
        if matches!(byte, 0 | b'\r') {
            odd.note(Oddity::ControlInLine);
            *byte = b' ';
        }
    }
    value
}

fn latin1(bytes: &[u8], odd: &mut Oddities) -> String {
    let bytes = clean(bytes, odd);
    String::from_utf8(bytes).unwrap_or_else(|e| e.as_bytes().iter().map(|&b| char::from(b)).collect())
}

/// The first bytes of something hostile, fit for one line of a message.
fn shown(bytes: &[u8]) -> String {
    let start = bytes.get(..bytes.len().min(60)).unwrap_or_default();
    start.escape_ascii().to_string()
}
