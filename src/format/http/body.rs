//! The body of an HTTP/1.1 message, framing undone piece by piece (RFC 9112 §6, §7.1), without a copy.

use crate::format::http::head::{Fault, Framing, Oddities, Oddity};

/// The longest chunk-size line, its extensions included.
const MAX_SIZE_LINE: u32 = 16 * 1024;
/// All trailer lines together.
const MAX_TRAILERS: u32 = 256 * 1024;

/// Reads a body's framing. It sees every byte once and remembers a few numbers only.
#[derive(Clone, Debug)]
pub struct Body {
    state: State,
    room: u64,
    odd: Oddities,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// so many entity bytes to come
    Length(u64),
    /// entity bytes until the peer closes
    Close,
    /// in a chunk's size: its value and digits so far
    Size { value: u64, digits: u8 },
    /// after the size's digits, in white space
    AfterSize { value: u64, line: u32 },
    /// in a chunk extension
    Extension { value: u64, line: u32, cr: bool },
    /// so many bytes of this chunk to come
    Data(u64),
    /// after a chunk's data: CR, or LF, is due
    AfterData { cr: bool },
    /// after the last chunk: bytes in this line, in all lines
    Trailer { line: u32, all: u32, cr: bool },
    /// nothing more belongs to it
    Done,
    /// there is more, but no room
    Full,
}

impl Body {
    /// A body of this framing of which at most `room` entity bytes are taken.
    pub fn new(framing: Framing, room: u64) -> Self {
        let state = match framing {
            Framing::Length(0) => State::Done,
            Framing::Length(length) => State::Length(length),
            Framing::Chunked => State::Size { value: 0, digits: 0 },
            Framing::Close => State::Close,
        };
        Self { state, room, odd: Oddities::default() }
    }

    /// Whether the whole body has been seen.
    pub fn is_done(&self) -> bool {
        self.state == State::Done
    }

    /// Whether it was cut because there is no more room.
    pub fn is_full(&self) -> bool {
        self.state == State::Full
    }

    /// What the end of the connection means now: whether the body is whole.
    pub fn is_whole_at_close(&self) -> bool {
        matches!(self.state, State::Done | State::Close)
    }

    /// What was odd about the framing.
    pub fn odd(&self) -> Oddities {
        self.odd
    }

    /// Takes the next bytes of the wire, hands each piece of the entity to `entity`, and says how many bytes belong to
    /// this body: fewer than given once it is done or full.
    ///
    /// # Errors
    /// Chunk framing that is broken. The bytes before it were handed on.
    pub fn feed<'a>(&mut self, input: &'a [u8], mut entity: impl FnMut(&'a [u8])) -> Result<usize, Fault> {
        let mut at = 0;
        while let Some(rest) = input.get(at..).filter(|rest| !rest.is_empty()) {
            at += match self.state {
                State::Done | State::Full => break,
                State::Length(left) => match self.take(rest, left, &mut entity) {
                    0 => break,
                    n => {
                        self.state = if n == left { State::Done } else { State::Length(left - n) };
                        to_usize(n)
                    }
                },
                State::Data(left) => match self.take(rest, left, &mut entity) {
                    0 => break,
                    n => {
                        self.state = if n == left { State::AfterData { cr: false } } else { State::Data(left - n) };
                        to_usize(n)
                    }
                },
                State::Close => match self.take(rest, u64::MAX, &mut entity) {
                    0 => break,
                    n => to_usize(n),
                },
                _ => {
                    self.state = self.step(rest.first().copied().unwrap_or_default())?;
                    1
                }
            };
        }
        Ok(at)
    }

    /// Hands on as much of `rest` as belongs here and fits; 0, and full, where nothing fits.
    fn take<'a>(&mut self, rest: &'a [u8], left: u64, entity: &mut impl FnMut(&'a [u8])) -> u64 {
        let n = left.min(self.room).min(rest.len() as u64);
        if n == 0 {
            self.state = State::Full;
            return 0;
        }
        self.room -= n;
        entity(rest.get(..to_usize(n)).unwrap_or_default());
        n
    }

    /// One byte of chunk framing.
    fn step(&mut self, byte: u8) -> Result<State, Fault> {
        match self.state {
            State::Size { value, digits } => self.size(value, digits, byte),
            State::AfterSize { value, line } => self.after_size(value, line, byte),
            State::Extension { value, line, cr } => self.extension(value, line, cr, byte),
            State::AfterData { cr } => self.after_data(cr, byte),
            State::Trailer { line, all, cr } => self.trailer(line, all, cr, byte),
            other => Ok(other),
        }
    }

    fn size(&mut self, value: u64, digits: u8, byte: u8) -> Result<State, Fault> {
        if let Some(digit) = char::from(byte).to_digit(16) {
            if digits == 16 {
                return Err(Fault::Chunk("a size of more than 16 digits"));
            }
            return Ok(State::Size { value: value << 4 | u64::from(digit), digits: digits + 1 });
        }
        if digits == 0 {
            return Err(Fault::Chunk("no size where one is due"));
        }
        self.after_size(value, u32::from(digits), byte)
    }

    fn after_size(&mut self, value: u64, line: u32, byte: u8) -> Result<State, Fault> {
        match byte {
            b' ' | b'\t' if line < MAX_SIZE_LINE => {
                self.odd.note(Oddity::SpaceInChunkSize);
                Ok(State::AfterSize { value, line: line + 1 })
            }
            b';' => Ok(State::Extension { value, line, cr: false }),
            b'\r' => Ok(State::Extension { value, line, cr: true }),
            b'\n' => self.extension(value, line, false, byte),
            _ => Err(Fault::Chunk("a size that is no number")),
        }
    }

    fn extension(&mut self, value: u64, line: u32, cr: bool, byte: u8) -> Result<State, Fault> {
        match byte {
            b'\n' => {
                self.bare_lf(cr);
                Ok(if value == 0 { State::Trailer { line: 0, all: 0, cr: false } } else { State::Data(value) })
            }
            _ if cr => Err(Fault::Chunk("a CR without LF after a size")),
            b'\r' => Ok(State::Extension { value, line, cr: true }),
            _ if line >= MAX_SIZE_LINE => Err(Fault::Chunk("an extension without end")),
            _ => Ok(State::Extension { value, line: line + 1, cr: false }),
        }
    }

    fn after_data(&mut self, cr: bool, byte: u8) -> Result<State, Fault> {
        match byte {
            b'\n' => {
                self.bare_lf(cr);
                Ok(State::Size { value: 0, digits: 0 })
            }
            b'\r' if !cr => Ok(State::AfterData { cr: true }),
            _ => Err(Fault::Chunk("data longer than its size")),
        }
    }

    fn trailer(&mut self, line: u32, all: u32, cr: bool, byte: u8) -> Result<State, Fault> {
        match byte {
            b'\n' => {
                self.bare_lf(cr);
                let next = State::Trailer { line: 0, all: all + 1, cr: false };
                Ok(if line == 0 { State::Done } else { next })
            }
            _ if all >= MAX_TRAILERS => Err(Fault::Chunk("trailers without end")),
            b'\r' if !cr => Ok(State::Trailer { line, all: all + 1, cr: true }),
            _ => Ok(State::Trailer { line: line + 1, all: all + 1, cr: false }),
        }
    }

    fn bare_lf(&mut self, cr: bool) {
        if !cr {
            self.odd.note(Oddity::BareLf);
        }
    }
}

/// Lengths that were bounded by a slice's.
fn to_usize(n: u64) -> usize {
    usize::try_from(n).unwrap_or(usize::MAX)
}
