//! A whole response read from the bytes that crossed the wire (RFC 9112): used on bytes just received and on kept ones
//! alike, so that what was read at capture is what a verifier reads.

use crate::format::http::body::Body;
use crate::format::http::coding::{self, Limits};
use crate::format::http::head::{Fault, Framing, Head, end_of_head};
use crate::format::http::{Answer, Headers, Method, Truncated};

/// How much of a body that nobody reads as text is kept in the reading copy: enough to tell its type.
pub const GLANCE: usize = 4 << 10;

/// The parts of a response's wire bytes.
#[derive(Clone, Debug)]
pub struct Message<'a> {
    /// the head
    pub head: Head,
    /// bytes of the head, its empty line included
    pub head_len: usize,
    /// how the body was framed
    pub framing: Framing,
    /// the body as it crossed the wire, framing and all
    pub body: &'a [u8],
    /// bytes that belong to the message; what follows them does not
    pub len: usize,
    /// whether the message is whole, if the peer closed after the last byte
    pub whole: bool,
    /// broken framing inside the body
    pub fault: Option<Fault>,
}

impl<'a> Message<'a> {
    /// Takes apart the final response to `asked` that `wire` begins with.
    ///
    /// # Errors
    /// No head, or a framing that cannot be told.
    pub fn read(wire: &'a [u8], asked: Method) -> Result<Self, Fault> {
        let head_len = end_of_head(wire, 0).unwrap_or(wire.len());
        let mut head = Head::parse(wire.get(..head_len).unwrap_or_default())?;
        let framing = head.framing(asked)?;
        let rest = wire.get(head_len..).unwrap_or_default();
        let mut reader = Body::new(framing, u64::MAX);
        let (taken, fault) = match reader.feed(rest, |_| ()) {
            Ok(taken) => (taken, None),
            Err(fault) => (rest.len(), Some(fault)),
        };
        let whole = fault.is_none() && reader.is_whole_at_close();
        let body = rest.get(..taken).unwrap_or_default();
        Ok(Self { head, head_len, framing, body, len: head_len + taken, whole, fault })
    }

    /// The message whose head was read before and whose bytes are exactly `wire`.
    pub fn known(head: Head, head_len: usize, framing: Framing, fault: Option<Fault>, wire: &'a [u8]) -> Self {
        let body = wire.get(head_len..).unwrap_or_default();
        Self { head, head_len, framing, body, len: wire.len(), whole: fault.is_none(), fault }
    }

    /// Each piece of the entity (framing undone, content coding kept), in order, without a copy.
    pub fn entity(&self, piece: impl FnMut(&'a [u8])) {
        // A fault was already found when the message was read; the pieces before it are handed on all the same.
        let _ = Body::new(self.framing, u64::MAX).feed(self.body, piece);
    }

    /// The reading copy. `truncated` says whether and why the wire bytes are not the whole message.
    pub fn answer(self, truncated: Option<Truncated>, limits: &Limits) -> Answer {
        self.answer_cut(truncated, truncated.is_some(), limits)
    }

    /// The same where only the beginning of the wire bytes is at hand (`cut`), truncated or not.
    pub fn answer_cut(self, truncated: Option<Truncated>, cut: bool, limits: &Limits) -> Answer {
        let readable = is_readable(&self.head.headers);
        let keep = if readable { limits.keep } else { limits.keep.min(GLANCE) };
        let limits = Limits { keep, ..*limits };
        let (body, unread) = self.decoded(cut, &limits);
        let unread = self.fault.as_ref().map(ToString::to_string).or(unread);
        let Head { status, reason, headers, .. } = self.head;
        Answer { status, reason, headers, body, truncated, unread }
    }

    fn decoded(&self, cut: bool, limits: &Limits) -> (Vec<u8>, Option<String>) {
        let values: Vec<String> = self.head.headers.all("content-encoding").map(|v| v.into_owned()).collect();
        let coded = !values.is_empty();
        let gathered;
        let entity: &[u8] = match self.framing {
            Framing::Chunked => {
                gathered = self.gathered(if coded { usize::MAX } else { limits.keep });
                &gathered
            }
            Framing::Length(_) | Framing::Close => self.body,
        };
        if let Some(coding) = self.transfer_coding() {
            return (Vec::new(), Some(format!("has a transfer coding that was not asked for: {coding}")));
        }
        let (body, why) = coding::decode(&values, entity, limits);
        let why = why.filter(|why| !(cut && matches!(why, coding::Unread::Broken(..))));
        (body, why.map(|why| why.to_string()))
    }

    fn gathered(&self, most: usize) -> Vec<u8> {
        let mut entity = Vec::with_capacity(self.body.len().min(most));
        self.entity(|piece| {
            let room = most.saturating_sub(entity.len()).min(piece.len());
            entity.extend_from_slice(piece.get(..room).unwrap_or_default());
        });
        entity
    }

    fn transfer_coding(&self) -> Option<String> {
        let value = self.head.headers.get("transfer-encoding")?;
        let first = value.split(',').map(str::trim).find(|c| !c.is_empty() && !c.eq_ignore_ascii_case("identity"))?;
        (!first.eq_ignore_ascii_case("chunked")).then(|| first.escape_default().take(40).collect())
    }
}

/// Whether anybody reads bodies of this type as text: all but pictures, sound, films, fonts and archives.
pub fn is_readable(headers: &Headers) -> bool {
    let value = headers.get("content-type").unwrap_or_default();
    let media = value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let kind = media.split('/').next().unwrap_or_default();
    let opaque = matches!(kind, "image" | "video" | "audio" | "font") && !media.ends_with("+xml");
    let packed = matches!(media.as_str(), "application/octet-stream" | "application/zip" | "application/gzip");
    !opaque && !packed
}

/// Splits the interim (1xx) heads off the front of `wire`: each one's length. The final response begins after their sum.
pub fn interim_heads(wire: &[u8], most: usize) -> Vec<usize> {
    let mut lengths = Vec::new();
    let mut at = 0;
    while lengths.len() < most {
        let rest = wire.get(at..).unwrap_or_default();
        let Some(len) = end_of_head(rest, 0) else { break };
        match Head::parse(rest.get(..len).unwrap_or_default()) {
            Ok(head) if head.is_interim() => lengths.push(len),
            _ => break,
        }
        at += len;
    }
    lengths
}

impl Answer {
    /// The reading copy of a kept final response to `asked`.
    ///
    /// # Errors
    /// As [`Message::read`].
    pub fn from_wire(wire: &[u8], asked: Method, truncated: Option<Truncated>, limits: &Limits) -> Result<Self, Fault> {
        Message::read(wire, asked).map(|message| message.answer(truncated, limits))
    }
}
