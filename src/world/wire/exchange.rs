//! One exchange over one connection: the request's bytes out, the response's bytes in, every one of them kept.
//!
//! HTTP/1.1 is spoken here and not by a library, because the bytes are the product: one reader sees each byte once, knows to
//! the byte where a message ends, and is the same that reads kept bytes back (`format::http`).

use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::format::digest::Digest;
use crate::format::http::body::Body;
use crate::format::http::head::{Fault, Framing, Head, Oddities, end_of_head};
use crate::format::http::message::{GLANCE, Message, is_readable};
use crate::format::http::{Answer, Method, Truncated};
use crate::format::sha2x::{self, Lane};
use crate::resolution::exchange::Failure;
use crate::world::wire::settings::Settings;
use crate::world::wire::stream::Stream;
use crate::world::wire::taken::{Overflow, Received};

/// Room for a redirect's whole answer.
const FIRST_READ: usize = 4 << 10;
/// After bytes that cannot be read, how long and how far the rest of what the peer says is listened to, as evidence.
const LINGER: Duration = Duration::from_secs(1);
const LINGER_BYTES: usize = 64 << 10;
/// Room beyond a body whose length is known, where bytes that do not belong to it would show.
const SURPLUS: usize = 256;
/// How much is read at a time from there on.
const READ: usize = 64 << 10;

/// An exchange under way. It outlives the future that drives it, so that what came before a timeout is kept.
pub(super) struct Live<'a, 'o> {
    settings: &'a Settings,
    method: Method,
    request: Vec<u8>,
    sent: usize,
    interim: Vec<Vec<u8>>,
    wire: Vec<u8>,
    body: Option<Reading>,
    fault: Option<Fault>,
    surplus: Vec<u8>,
    overflow: Option<&'o mut (dyn Overflow + 'o)>,
    overflow_error: Option<io::Error>,
    spilled: Option<Spilled>,
}

/// A final response whose head is known.
struct Reading {
    head: Head,
    head_len: usize,
    framing: Framing,
    body: Body,
    /// the entity's digest
    payload: Lane,
    payload_len: u64,
    /// the digest of head and body as they crossed the wire, step in step with the other: two at once cost little more than
    /// one
    block: Lane,
}

/// A response too large for memory: what went to the overflow, and how much of its beginning stays for reading.
struct Spilled {
    len: u64,
    keep: usize,
}

/// How it stopped.
#[derive(Debug)]
pub(super) enum Stop {
    /// the whole response came
    Whole,
    /// the body is longer than the bound
    Full,
    /// the connection ended or broke
    Closed(Option<io::Error>),
    /// bytes that cannot be read as HTTP
    Fault,
    /// the overflow failed
    Overflow,
    /// time is up
    Timeout,
}

/// What an exchange comes to.
pub(super) struct Ended {
    pub(super) sent: Vec<u8>,
    pub(super) interim: Vec<Vec<u8>>,
    pub(super) received: Received,
    pub(super) surplus: Vec<u8>,
    pub(super) odd: Oddities,
    pub(super) outcome: Result<Answer, Failure>,
    pub(super) payload: Option<Digest>,
    pub(super) payload_len: u64,
    pub(super) block: Option<Digest>,
    pub(super) chunked: bool,
    pub(super) truncated: Option<Truncated>,
    pub(super) overflow_error: Option<io::Error>,
    /// the connection may carry another exchange
    pub(super) reusable: bool,
}

/// The pieces of an entity, all but the last of them hashed: where there is one alone, as a rule, it is hashed in step with
/// the block.
#[derive(Default)]
struct Pieces<'a> {
    last: &'a [u8],
}

impl<'a> Pieces<'a> {
    fn add(&mut self, piece: &'a [u8], payload: &mut Lane) {
        payload.update(std::mem::replace(&mut self.last, piece));
    }
}

impl<'a, 'o> Live<'a, 'o> {
    /// An exchange that will send `request`.
    pub(super) fn new(
        settings: &'a Settings,
        method: Method,
        request: Vec<u8>,
        overflow: Option<&'o mut (dyn Overflow + 'o)>,
    ) -> Self {
        Self {
            settings,
            method,
            request,
            sent: 0,
            interim: Vec::new(),
            wire: Vec::new(),
            body: None,
            fault: None,
            surplus: Vec::new(),
            overflow,
            overflow_error: None,
            spilled: None,
        }
    }

    /// Whether not one byte of an answer has come.
    pub(super) fn is_unanswered(&self) -> bool {
        self.wire.is_empty() && self.interim.is_empty()
    }

    /// Takes back what a second try on another connection needs; nothing was answered on the first.
    pub(super) fn rewind(&mut self) {
        self.sent = 0;
        self.wire.clear();
    }

    /// Runs it to its stop. May be dropped at any point; what has come by then is kept.
    pub(super) async fn drive(&mut self, stream: &mut Stream) -> Stop {
        let broken = self.send(stream).await.err();
        // A server may answer before it has read everything, and close: so even after a failed write there may be an answer.
        match self.receive(stream).await {
            Stop::Closed(None) => Stop::Closed(broken),
            Stop::Fault => {
                let _ = tokio::time::timeout(LINGER, self.linger(stream)).await;
                Stop::Fault
            }
            stop => stop,
        }
    }

    /// Keeps some more of what cannot be read: where it ends is not known, but what it says may tell what went wrong.
    async fn linger(&mut self, stream: &mut Stream) {
        while self.spilled.is_none() && self.wire.len() < LINGER_BYTES {
            self.room(FIRST_READ);
            if !matches!(stream.read_buf(&mut self.wire).await, Ok(n) if n > 0) {
                break;
            }
        }
    }

    async fn send(&mut self, stream: &mut Stream) -> io::Result<()> {
        while let Some(rest) = self.request.get(self.sent..).filter(|rest| !rest.is_empty()) {
            match stream.write(rest).await? {
                0 => return Err(io::ErrorKind::WriteZero.into()),
                n => self.sent += n,
            }
        }
        stream.flush().await
    }

    async fn receive(&mut self, stream: &mut Stream) -> Stop {
        loop {
            match self.head(stream).await {
                Ok(true) => return self.rest(stream).await,
                Ok(false) => (),
                Err(stop) => return stop,
            }
        }
    }

    /// Reads one head: an interim one is set aside, the final one begins the body.
    async fn head(&mut self, stream: &mut Stream) -> Result<bool, Stop> {
        let mut looked = 0;
        let end = loop {
            if let Some(end) = end_of_head(&self.wire, looked) {
                break end;
            }
            looked = self.wire.len();
            self.check_head_so_far()?;
            self.room(looked.clamp(FIRST_READ, READ));
            match stream.read_buf(&mut self.wire).await {
                Ok(0) => return Err(Stop::Closed(None)),
                Ok(_) => (),
                Err(e) => return Err(Stop::Closed(Some(e))),
            }
        };
        if end > self.settings.max_head {
            return Err(self.faulty(Fault::HeadTooLong(self.settings.max_head)));
        }
        let mut head = Head::parse(self.wire.get(..end).unwrap_or_default()).map_err(|fault| self.faulty(fault))?;
        if head.is_interim() {
            return self.set_aside(end).map(|()| false);
        }
        let framing = head.framing(self.method).map_err(|fault| self.faulty(fault))?;
        let body = Body::new(framing, self.settings.max_body);
        let mut block = Lane::default();
        block.update(self.wire.get(..end).unwrap_or_default());
        let payload = Lane::default();
        self.body = Some(Reading { head, head_len: end, framing, body, payload, payload_len: 0, block });
        self.take(end)?;
        Ok(true)
    }

    /// Room for so much where there is little left, and no more: a head that is refused for its length was not first read far
    /// beyond it, and one that drips in is not moved with every byte.
    fn room(&mut self, bytes: usize) {
        if self.wire.capacity() - self.wire.len() < FIRST_READ / 4 {
            self.wire.reserve_exact(bytes);
        }
    }

    /// Bytes that begin no status line are refused at once, not after a quarter of a megabyte.
    fn check_head_so_far(&mut self) -> Result<(), Stop> {
        let start = b"HTTP/1.";
        let n = self.wire.len().min(start.len());
        if self.wire.get(..n) != start.get(..n) {
            let line = self.wire.split(|&b| b == b'\n').next().unwrap_or_default();
            let fault = Head::parse(line).err().unwrap_or(Fault::HeadTooLong(n));
            return Err(self.faulty(fault));
        }
        if self.wire.len() > self.settings.max_head {
            return Err(self.faulty(Fault::HeadTooLong(self.settings.max_head)));
        }
        Ok(())
    }

    fn set_aside(&mut self, end: usize) -> Result<(), Stop> {
        let total: usize = self.interim.iter().map(Vec::len).sum();
        if self.interim.len() >= self.settings.max_interim || total + end > self.settings.max_head {
            return Err(self.faulty(Fault::TooManyInterim(self.interim.len())));
        }
        let rest = self.wire.split_off(end);
        self.interim.push(std::mem::replace(&mut self.wire, rest));
        Ok(())
    }

    fn faulty(&mut self, fault: Fault) -> Stop {
        self.fault = Some(fault);
        Stop::Fault
    }

    /// Reads the body to its end.
    async fn rest(&mut self, stream: &mut Stream) -> Stop {
        loop {
            match self.body.as_ref() {
                Some(reading) if reading.body.is_done() => return Stop::Whole,
                Some(reading) if reading.body.is_full() => return Stop::Full,
                _ => (),
            }
            let before = match self.make_room() {
                Ok(before) => before,
                Err(stop) => return stop,
            };
            match stream.read_buf(&mut self.wire).await {
                Ok(0) => return Stop::Closed(None),
                Ok(_) => (),
                Err(e) => return Stop::Closed(Some(e)),
            }
            if let Err(stop) = self.take(before) {
                return stop;
            }
        }
    }

    /// Room for the next read: just enough where the length is known, so that memory holds the response once and no more.
    fn make_room(&mut self) -> Result<usize, Stop> {
        if self.spilled.is_none() && self.wire.len() >= self.settings.spill_at {
            self.spill()?;
        }
        let before = self.wire.len();
        let Some(reading) = &self.body else { return Ok(before) };
        let due = match reading.framing {
            Framing::Length(length) => usize::try_from(length - reading.payload_len.min(length)).unwrap_or(usize::MAX),
            Framing::Chunked | Framing::Close => before.clamp(FIRST_READ, READ),
        };
        let most = if self.spilled.is_some() { READ } else { self.settings.spill_at };
        if self.wire.capacity() - before < due.min(FIRST_READ) {
            self.wire.reserve_exact(due.saturating_add(SURPLUS).min(most.max(READ)));
        }
        Ok(before)
    }

    /// Takes in the bytes from `before` on.
    fn take(&mut self, before: usize) -> Result<(), Stop> {
        let Some(Reading { body, payload, payload_len, block, .. }) = &mut self.body else { return Ok(()) };
        let new = self.wire.get(before..).unwrap_or_default();
        let mut pieces = Pieces::default();
        let fed = body.feed(new, |piece| {
            *payload_len += piece.len() as u64;
            pieces.add(piece, payload);
        });
        let own = fed.as_ref().map_or(new, |n| new.get(..*n).unwrap_or_default());
        sha2x::update_both(block, own, payload, pieces.last);
        match fed {
            Ok(n) => {
                if before + n < self.wire.len() {
                    let surplus = self.wire.split_off(before + n);
                    if body.is_done() {
                        self.surplus = surplus;
                    }
                }
                self.pass_on(before)
            }
            Err(fault) => {
                self.pass_on(before)?;
                Err(self.faulty(fault))
            }
        }
    }

    /// What came goes to the overflow, once the response is too large for memory.
    fn pass_on(&mut self, before: usize) -> Result<(), Stop> {
        let Some(spilled) = &mut self.spilled else { return Ok(()) };
        let new = self.wire.get(before..).unwrap_or_default();
        spilled.len += new.len() as u64;
        let written = self.overflow.as_mut().map_or(Ok(()), |overflow| overflow.write(new));
        self.wire.truncate(spilled.keep);
        written.map_err(|e| self.overflow_failed(e))
    }

    fn spill(&mut self) -> Result<(), Stop> {
        let readable = self.body.as_ref().is_some_and(|reading| is_readable(&reading.head.headers));
        let head = end_of_head(&self.wire, 0).unwrap_or_default();
        let keep = head + if readable { self.settings.reading.keep } else { GLANCE };
        self.spilled = Some(Spilled { len: self.wire.len() as u64, keep });
        let written = self.overflow.as_mut().map_or(Ok(()), |overflow| overflow.write(&self.wire));
        self.wire.truncate(keep);
        self.wire.shrink_to(keep.min(self.wire.len()) + READ);
        written.map_err(|e| self.overflow_failed(e))
    }

    fn overflow_failed(&mut self, error: io::Error) -> Stop {
        self.overflow_error = Some(error);
        Stop::Overflow
    }

    /// What it comes to.
    pub(super) fn end(mut self, stop: Stop) -> Ended {
        let truncated = self.truncated(&stop);
        let reusable = matches!(stop, Stop::Whole) && self.reusable();
        let mut ended = Ended {
            sent: Vec::new(),
            interim: std::mem::take(&mut self.interim),
            received: Received::Nothing,
            surplus: std::mem::take(&mut self.surplus),
            odd: Oddities::default(),
            outcome: Err(self.failure(&stop)),
            payload: None,
            payload_len: 0,
            block: None,
            chunked: false,
            truncated,
            overflow_error: self.overflow_error.take(),
            reusable,
        };
        if let Some(reading) = self.body.take() {
            ended.odd = reading.head.odd;
            ended.odd.merge(reading.body.odd());
            ended.chunked = reading.framing == Framing::Chunked;
            ended.payload_len = reading.payload_len;
            ended.outcome = Ok(self.answer(reading.head, reading.head_len, reading.framing, truncated));
            ended.payload = Some(reading.payload.finish());
            // After a fault some more was listened to and not hashed, unless it was too much for memory already.
            let hashed = self.fault.is_none() || self.spilled.is_some();
            ended.block = hashed.then(|| reading.block.finish());
        }
        ended.received = match (&self.spilled, self.wire.is_empty()) {
            (Some(spilled), _) => Received::Overflowed { len: spilled.len },
            (None, true) => Received::Nothing,
            (None, false) => Received::Memory(self.wire),
        };
        self.request.truncate(self.sent);
        ended.sent = self.request;
        ended
    }

    fn answer(&mut self, head: Head, head_len: usize, framing: Framing, truncated: Option<Truncated>) -> Answer {
        let coded = ["content-encoding", "transfer-encoding"].iter().any(|name| head.headers.get(name).is_some());
        if self.spilled.is_some() && !coded {
            // What is left of a large body is not copied once more.
            let mut body = std::mem::take(&mut self.wire);
            body.drain(..head_len.min(body.len()));
            return Answer {
                status: head.status,
                reason: head.reason,
                headers: head.headers,
                body,
                truncated,
                unread: None,
            };
        }
        let cut = truncated.is_some() || self.spilled.as_ref().is_some_and(|s| s.len > self.wire.len() as u64);
        let fault = self.fault.clone();
        Message::known(head, head_len, framing, fault, &self.wire).answer_cut(truncated, cut, &self.settings.reading)
    }

    fn truncated(&self, stop: &Stop) -> Option<Truncated> {
        let begun = self.body.is_some() || !self.wire.is_empty();
        match stop {
            Stop::Full => Some(Truncated::Length),
            Stop::Timeout if begun => Some(Truncated::Time),
            Stop::Closed(None) => {
                let whole = self.body.as_ref().is_some_and(|reading| reading.body.is_whole_at_close());
                (begun && !whole).then_some(Truncated::Disconnect)
            }
            Stop::Closed(Some(_)) if begun => Some(Truncated::Disconnect),
            _ => None,
        }
    }

    fn failure(&self, stop: &Stop) -> Failure {
        match (stop, &self.fault) {
            (Stop::Fault, Some(fault)) => Failure::Malformed(fault.to_string()),
            (Stop::Timeout, _) if self.wire.is_empty() => {
                Failure::Timeout(format!("no answer within {} s", self.settings.timeout.as_secs_f32()))
            }
            (Stop::Timeout, _) => {
                Failure::Timeout(format!("no whole head within {} s", self.settings.timeout.as_secs_f32()))
            }
            (Stop::Closed(Some(e)), _) => Failure::Unreachable(format!("the connection broke: {e}")),
            _ if self.wire.is_empty() => Failure::Unreachable("closed before an answer".to_owned()),
            _ => Failure::Unreachable("closed within the head".to_owned()),
        }
    }

    fn reusable(&self) -> bool {
        self.body.as_ref().is_some_and(|reading| {
            let clean = reading.head.odd.is_empty() && reading.body.odd().is_empty() && self.surplus.is_empty();
            let bounded = reading.framing != Framing::Close && reading.head.status != 101;
            clean && bounded && reading.head.keeps_alive()
        })
    }
}
