//! What goes back: a reply in parts, and the exact bytes and pauses it becomes.

use std::borrow::Cow;
use std::fmt;
use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::calendar;

/// A response before it is put on the wire.
#[derive(Debug, Clone)]
pub struct Reply {
    /// The status code.
    pub status: u16,
    /// The reason phrase; the usual one when none is given.
    pub reason: Option<String>,
    /// Header fields in order; values are bytes, for hosts that send what is not text.
    pub headers: Vec<(Cow<'static, str>, Vec<u8>)>,
    /// The body, before framing.
    pub body: Vec<u8>,
    /// How the body's end is told.
    pub framing: Framing,
    /// The body in a content coding, for clients that take it.
    pub coded: Option<(&'static str, Vec<u8>)>,
    /// Whole interim heads sent first (`HTTP/1.1 103 Early Hints…\r\n\r\n`).
    pub interim: Vec<u8>,
}

/// How the body's end is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Framing {
    /// A Content-Length, added unless the fields have one.
    Length,
    /// Chunks of at most this many bytes, with these trailers.
    Chunked {
        /// The largest chunk.
        size: usize,
        /// Trailer lines, each with its CRLF.
        trailers: String,
        /// What stands after each chunk size (`;name=value`).
        extension: String,
    },
    /// Until the connection closes.
    UntilClose,
    /// None at all: the body is put there as it is.
    AsGiven,
}

impl Reply {
    /// A status alone, dated.
    pub fn new(status: u16) -> Reply {
        let reply = Reply {
            status,
            reason: None,
            headers: vec![],
            body: vec![],
            framing: Framing::Length,
            coded: None,
            interim: vec![],
        };
        reply.with("date", calendar::NOW_HTTP)
    }

    /// A body of some type.
    pub fn body(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Reply {
        let mut reply = Reply::new(status).with("content-type", content_type);
        reply.body = body.into();
        reply
    }

    /// A page.
    pub fn html(status: u16, body: impl Into<Vec<u8>>) -> Reply {
        Reply::body(status, "text/html; charset=utf-8", body)
    }

    /// JSON.
    pub fn json(status: u16, body: impl Into<Vec<u8>>) -> Reply {
        Reply::body(status, "application/json; charset=utf-8", body)
    }

    /// A redirect without a body.
    pub fn to(status: u16, location: &str) -> Reply {
        Reply::new(status).with("location", location)
    }

    /// One more field.
    #[must_use]
    pub fn with(mut self, name: impl Into<Cow<'static, str>>, value: impl AsRef<[u8]>) -> Reply {
        self.headers.push((name.into(), value.as_ref().to_vec()));
        self
    }

    /// Sent in chunks of at most `size` bytes.
    #[must_use]
    pub fn chunked(mut self, size: usize) -> Reply {
        self.framing = Framing::Chunked { size: size.max(1), trailers: String::new(), extension: String::new() };
        self
    }

    /// Coded for clients that take it: `gzip`, `br`, `zstd`.
    #[must_use]
    pub fn offering(mut self, coding: &'static str) -> Reply {
        let coded = match coding {
            "br" => brotli(&self.body),
            "zstd" => zstd::bulk::compress(&self.body, 3).unwrap_or_default(),
            _ => gzip(&self.body),
        };
        self.coded = Some((coding, coded));
        self.with("vary", "Accept-Encoding")
    }

    /// Takes the coded body if this Accept-Encoding lets it.
    #[must_use]
    pub fn negotiated(mut self, accept: &str) -> Reply {
        let takes = |coding: &str| {
            accept.split(',').any(|part| {
                let (name, weight) = part.split_once(';').unwrap_or((part, ""));
                name.trim().eq_ignore_ascii_case(coding) && weight.trim().replace(' ', "") != "q=0"
            })
        };
        match self.coded.take() {
            Some((coding, body)) if takes(coding) => {
                self.body = body;
                self.with("content-encoding", coding)
            }
            _ => self,
        }
    }

    /// The exact bytes: head, framing and, unless only the head was asked for, the body.
    pub fn wire(&self, head_only: bool) -> RawResponse {
        let mut bytes = self.interim.clone();
        let reason = self.reason.clone().unwrap_or_else(|| usual_reason(self.status).to_owned());
        bytes.extend_from_slice(format!("HTTP/1.1 {} {reason}\r\n", self.status).as_bytes());
        for (name, value) in &self.headers {
            bytes.extend_from_slice(name.as_bytes());
            bytes.extend_from_slice(b": ");
            bytes.extend_from_slice(value);
            bytes.extend_from_slice(b"\r\n");
        }
        let bodyless = matches!(self.status, 204 | 304);
        match &self.framing {
            Framing::Length if !bodyless && !self.has("content-length") => {
                bytes.extend_from_slice(format!("content-length: {}\r\n", self.body.len()).as_bytes());
            }
            Framing::Chunked { .. } if !self.has("transfer-encoding") => {
                bytes.extend_from_slice(b"transfer-encoding: chunked\r\n");
            }
            Framing::UntilClose => bytes.extend_from_slice(b"connection: close\r\n"),
            _ => {}
        }
        bytes.extend_from_slice(b"\r\n");
        if !head_only && !bodyless {
            self.put_body(&mut bytes);
        }
        let then = if self.framing == Framing::UntilClose { Then::Close } else { Then::KeepAlive };
        RawResponse { pieces: vec![Piece::Bytes(bytes)], then, interim: self.interim.len() }
    }

    fn has(&self, name: &str) -> bool {
        self.headers.iter().any(|(n, _)| n.eq_ignore_ascii_case(name))
    }

    fn put_body(&self, bytes: &mut Vec<u8>) {
        let Framing::Chunked { size, trailers, extension } = &self.framing else {
            bytes.extend_from_slice(&self.body);
            return;
        };
        for chunk in self.body.chunks(*size) {
            bytes.extend_from_slice(format!("{:x}{extension}\r\n", chunk.len()).as_bytes());
            bytes.extend_from_slice(chunk);
            bytes.extend_from_slice(b"\r\n");
        }
        bytes.extend_from_slice(format!("0\r\n{trailers}\r\n").as_bytes());
    }
}

/// Exact bytes for the wire, with pauses, and what becomes of the connection.
#[derive(Debug, Clone, Default)]
pub struct RawResponse {
    /// What is put on the wire, in order.
    pub pieces: Vec<Piece>,
    /// What follows the last piece.
    pub then: Then,
    /// How many of the first bytes are interim (1xx) heads.
    pub interim: usize,
}

/// One step of a raw response.
#[derive(Debug, Clone)]
pub enum Piece {
    /// These bytes, at once.
    Bytes(Vec<u8>),
    /// Nothing, for so long.
    Pause(Duration),
    /// These bytes one at a time, so far apart.
    Drip(Vec<u8>, Duration),
    /// The block over and over until this many bytes are out: large bodies without their memory.
    Fill(Vec<u8>, u64),
}

/// What becomes of the connection after a response.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Then {
    /// It stays open for the next request.
    #[default]
    KeepAlive,
    /// It is closed in order (TLS: with close_notify).
    Close,
    /// It is closed without TLS's close_notify, as a cut line would.
    Cut,
    /// It is reset (TCP RST).
    Reset,
    /// It stays open and silent.
    Hang,
}

impl RawResponse {
    /// These bytes, then close.
    pub fn closing(bytes: impl Into<Vec<u8>>) -> RawResponse {
        RawResponse { pieces: vec![Piece::Bytes(bytes.into())], then: Then::Close, interim: 0 }
    }

    /// These bytes, and the connection stays open.
    pub fn keeping(bytes: impl Into<Vec<u8>>) -> RawResponse {
        RawResponse { then: Then::KeepAlive, ..RawResponse::closing(bytes) }
    }

    /// Nothing at all, and then this.
    pub fn only(then: Then) -> RawResponse {
        RawResponse { pieces: vec![], then, interim: 0 }
    }

    /// One more piece.
    #[must_use]
    pub fn and(mut self, piece: Piece) -> RawResponse {
        self.pieces.push(piece);
        self
    }

    /// Ends like this instead.
    #[must_use]
    pub fn then(mut self, then: Then) -> RawResponse {
        self.then = then;
        self
    }

    /// Every byte of it, pauses left out; `Fill` is not for this.
    pub fn bytes(&self) -> Vec<u8> {
        let mut all = Vec::new();
        for piece in &self.pieces {
            match piece {
                Piece::Bytes(bytes) | Piece::Drip(bytes, _) | Piece::Fill(bytes, _) => all.extend_from_slice(bytes),
                Piece::Pause(_) => {}
            }
        }
        all
    }
}

/// What a host answers with.
#[derive(Debug, Clone)]
pub enum Answer {
    /// A reply to be framed.
    Reply(Reply),
    /// Bytes as they are.
    Raw(RawResponse),
    /// A reply made when it is asked for: pictures and bombs cost nothing until then.
    Made(Maker),
}

/// Makes a reply, the same each time.
#[derive(Clone)]
pub struct Maker(Arc<dyn Fn() -> Reply + Send + Sync>);

impl fmt::Debug for Maker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Maker")
    }
}

impl Answer {
    /// An answer made anew whenever it is asked for.
    pub fn made(make: impl Fn() -> Reply + Send + Sync + 'static) -> Answer {
        Answer::Made(Maker(Arc::new(make)))
    }

    /// The bytes for the wire.
    pub fn wire(&self, head_only: bool) -> RawResponse {
        match self {
            Answer::Reply(reply) => reply.wire(head_only),
            Answer::Raw(raw) => raw.clone(),
            Answer::Made(maker) => maker.0().wire(head_only),
        }
    }

    /// The body in the coding that this Accept-Encoding lets it have.
    #[must_use]
    pub fn negotiated(self, accept: &str) -> Answer {
        match self {
            Answer::Reply(reply) => Answer::Reply(reply.negotiated(accept)),
            Answer::Made(maker) => Answer::Reply(maker.0().negotiated(accept)),
            raw => raw,
        }
    }
}

impl From<Reply> for Answer {
    fn from(reply: Reply) -> Answer {
        Answer::Reply(reply)
    }
}

impl From<RawResponse> for Answer {
    fn from(raw: RawResponse) -> Answer {
        Answer::Raw(raw)
    }
}

/// One gzip member, the same bytes each time.
pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    // Writing to memory does not fail.
    encoder.write_all(bytes).and_then(|()| encoder.finish()).unwrap_or_default()
}

/// One Brotli stream, the same bytes each time.
fn brotli(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = brotli::CompressorWriter::new(Vec::new(), 4096, 5, 20);
    // Writing to memory does not fail.
    encoder.write_all(bytes).map(|()| encoder.into_inner()).unwrap_or_default()
}

fn usual_reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        201 => "Created",
        204 => "No Content",
        206 => "Partial Content",
        301 => "Moved Permanently",
        302 => "Found",
        303 => "See Other",
        304 => "Not Modified",
        307 => "Temporary Redirect",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        402 => "Payment Required",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        410 => "Gone",
        416 => "Range Not Satisfiable",
        429 => "Too Many Requests",
        451 => "Unavailable For Legal Reasons",
        500 => "Internal Server Error",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_by_length_and_by_chunks() {
        let plain = Reply::html(200, "abcde").wire(false).bytes();
        assert!(plain.ends_with(b"content-length: 5\r\n\r\nabcde"));
        let chunked = Reply::html(200, "abcde").chunked(2).wire(false).bytes();
        assert!(chunked.ends_with(b"transfer-encoding: chunked\r\n\r\n2\r\nab\r\n2\r\ncd\r\n1\r\ne\r\n0\r\n\r\n"));
    }

    #[test]
    fn a_head_has_the_length_and_no_body() {
        let head = Reply::html(200, "abcde").wire(true).bytes();
        assert!(head.ends_with(b"content-length: 5\r\n\r\n"));
    }

    #[test]
    fn gzip_is_the_same_each_time() {
        assert_eq!(gzip(b"word word word"), gzip(b"word word word"));
        assert_eq!(gzip(b"x").get(..2), Some([0x1f, 0x8b].as_slice()));
    }
}
