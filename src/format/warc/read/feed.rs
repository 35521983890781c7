//! The plain bytes of a file, member after member: buffered, inflated, and found again behind damage.

use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;

use crate::format::gzip::member::{Inflater, Whole};
use crate::format::gzip::{self, Damage, Unpacker};

/// Compressed bytes held at once.
const WINDOW: usize = 384 * 1024;
/// Of them, so many should be there before a member is tried at once.
const AHEAD: usize = WINDOW / 4;
/// Plain bytes made at once: at first, and at most. A member that makes more is read as a stream.
const PLAIN: usize = 256 * 1024;
const PLAIN_MAX: usize = 2 * 1024 * 1024;
/// Bytes of damaged members that are read anew without asking how many there are.
const AGAIN_MAX: u64 = 256 * 1024 * 1024;
/// How far a member found by its first bytes is inflated to see whether a record begins in it.
const GLIMPSE: usize = 16;
/// What every record begins with.
const VERSION: &[u8] = b"WARC/";
/// What every gzip member begins with.
const MAGIC: &[u8] = &[0x1f, 0x8b, 8];

/// What a pull brought.
pub(super) enum Pull {
    /// [`Feed::plain`] is not empty
    Bytes,
    /// the member has ended
    End,
    /// it cannot be read on
    Damaged(Damage),
}

/// How a member ended.
pub(super) enum End {
    /// with the record; its length in the file
    Member(u64),
    /// not yet: more bytes follow in it
    MoreRecords,
    /// badly
    Damaged(Damage),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    Unknown,
    Gzip,
    Plain,
}

pub(super) struct Feed<R> {
    source: R,
    window: Vec<u8>,
    /// what of the window is not consumed yet
    held: Range<usize>,
    /// file offset of the window's first byte
    base: u64,
    eof: bool,
    /// what lies behind this offset is not read before it is needed
    until: u64,
    shape: Shape,
    /// the file is one of ours: compressed, but where somebody has unpacked it
    ours: bool,
    unpacker: Unpacker,
    /// for members that the window holds whole
    inflater: Option<Inflater>,
    /// nothing of the member was read yet
    fresh: bool,
    out: Vec<u8>,
    made: Range<usize>,
    /// bytes read of members that then were damaged
    again: u64,
    /// where the member (or uncompressed record) began
    at: u64,
    in_member: bool,
    ended: bool,
    /// what the member's end says of its bytes
    wrong: Option<Damage>,
    mid: bool,
    /// the member's gzip head is sound and not the one that every member written here has
    odd: bool,
}

impl<R: Read + Seek> Feed<R> {
    pub(super) fn new(mut source: R, from: u64, ours: bool) -> io::Result<Self> {
        source.seek(SeekFrom::Start(from))?;
        Ok(Self {
            source,
            window: vec![0; WINDOW],
            held: 0..0,
            base: from,
            eof: false,
            until: u64::MAX,
            shape: Shape::Unknown,
            ours,
            unpacker: Unpacker::default(),
            inflater: Inflater::new(),
            fresh: false,
            out: vec![0; PLAIN],
            made: 0..0,
            again: 0,
            at: from,
            in_member: false,
            ended: false,
            wrong: None,
            mid: false,
            odd: false,
        })
    }

    /// Reads what lies behind an offset only where a member goes on there.
    pub(super) fn until(&mut self, offset: u64) {
        self.until = offset;
    }

    pub(super) fn into_source(self) -> R {
        self.source
    }

    /// Ready for the next record; false at the end of the file.
    pub(super) fn begin(&mut self) -> io::Result<bool> {
        self.mid = self.in_member;
        if self.in_member {
            return Ok(true);
        }
        if self.held.is_empty() {
            self.fill()?;
        }
        if self.shape == Shape::Unknown {
            self.shape = self.looks()?;
        }
        if self.shape == Shape::Plain {
            self.skip_blank_lines()?;
        }
        self.at = self.base + self.held.start as u64;
        (self.ended, self.wrong) = (false, None);
        self.made = 0..0;
        self.fresh = true;
        self.in_member = self.shape == Shape::Gzip && !self.held.is_empty();
        while self.in_member && self.held.len() < gzip::HEAD.len() && !self.eof {
            self.fill()?;
        }
        let head = self.held().get(..gzip::HEAD.len()).unwrap_or_default();
        let is_unpacked = self.ours && self.shape == Shape::Plain && self.at == 0;
        self.odd = is_unpacked || (self.in_member && head.starts_with(MAGIC) && head != gzip::HEAD);
        Ok(!self.held.is_empty())
    }

    /// What the file's first bytes look like. One of ours that begins with neither is a compressed one behind something else.
    fn looks(&mut self) -> io::Result<Shape> {
        while self.held.len() < VERSION.len() && !self.eof {
            self.fill()?;
        }
        let is_gzip = if self.ours { !self.held().starts_with(VERSION) } else { self.held().first() == Some(&0x1f) };
        Ok(if is_gzip { Shape::Gzip } else { Shape::Plain })
    }

    /// Where the member (or uncompressed record) at hand began.
    pub(super) fn offset(&self) -> u64 {
        self.at
    }

    /// Whether the member's gzip head says what none written here says: a time, a system, a name. No checksum covers it. Of a file of
    /// ours that was unpacked, whether this is its beginning.
    pub(super) fn is_oddly_headed(&self) -> bool {
        self.odd
    }

    /// Whether the file is not compressed.
    pub(super) fn is_plain(&self) -> bool {
        self.shape == Shape::Plain
    }

    /// Whether the record at hand is not the first of its member.
    pub(super) fn is_mid_member(&self) -> bool {
        self.mid
    }

    /// The plain bytes at hand.
    pub(super) fn plain(&self) -> &[u8] {
        match self.shape {
            Shape::Plain => self.held(),
            _ => self.out.get(self.made.clone()).unwrap_or_default(),
        }
    }

    /// Takes `n` of them away.
    pub(super) fn consume(&mut self, n: usize) {
        let range = if self.shape == Shape::Plain { &mut self.held } else { &mut self.made };
        range.start = (range.start + n).min(range.end);
    }

    /// Sees to it that there are plain bytes, if the member has more.
    pub(super) fn pull(&mut self) -> io::Result<Pull> {
        if !self.plain().is_empty() {
            return Ok(Pull::Bytes);
        }
        if self.shape == Shape::Plain {
            self.fill()?;
            return Ok(if self.held.is_empty() { Pull::Damaged(Damage::Truncated) } else { Pull::Bytes });
        }
        if std::mem::take(&mut self.fresh) {
            if self.at_once()? {
                return Ok(if self.made.is_empty() { Pull::End } else { Pull::Bytes });
            }
            self.unpacker.reset();
        }
        while !self.ended {
            let input = self.window.get(self.held.clone()).unwrap_or_default();
            let step = match self.unpacker.step(input, &mut self.out) {
                Ok(step) => step,
                Err(damage) => return Ok(Pull::Damaged(damage)),
            };
            self.held.start += step.used;
            self.made = 0..step.made;
            self.ended = step.done;
            self.wrong = step.wrong;
            if step.made > 0 {
                return Ok(Pull::Bytes);
            }
            if step.used == 0 && !step.done {
                self.fill()?;
                if self.eof && self.held.is_empty() {
                    return Ok(Pull::Damaged(Damage::Truncated));
                }
            }
        }
        Ok(match self.wrong.take() {
            Some(damage) => Pull::Damaged(damage),
            None => Pull::End,
        })
    }

    /// Inflates the member at once, where the window holds all of it and it is sound.
    fn at_once(&mut self) -> io::Result<bool> {
        if self.held.len() < AHEAD && !self.eof && self.reached() < self.until {
            self.fill()?;
        }
        loop {
            let Some(inflater) = &mut self.inflater else { return Ok(false) };
            let input = self.window.get(self.held.clone()).unwrap_or_default();
            match inflater.inflate(input, &mut self.out) {
                Whole::Member { used, made } => {
                    self.held.start += used;
                    self.made = 0..made;
                    self.ended = true;
                    return Ok(true);
                }
                Whole::Short if self.out.len() < PLAIN_MAX => self.out.resize(PLAIN_MAX, 0),
                // The rest of it may not have been read yet.
                Whole::Unsure if !self.eof && self.held.len() < WINDOW => self.fill()?,
                Whole::Short | Whole::Unsure => return Ok(false),
            }
        }
    }

    /// The record has ended: has its member?
    pub(super) fn end_member(&mut self) -> io::Result<End> {
        if self.shape == Shape::Gzip {
            match self.pull()? {
                Pull::Bytes => return Ok(End::MoreRecords),
                Pull::Damaged(damage) => return Ok(End::Damaged(damage)),
                Pull::End => self.in_member = false,
            }
        }
        Ok(End::Member(self.base + self.held.start as u64 - self.at))
    }

    /// Passes over what is left of a record whose end is not known.
    pub(super) fn skip(&mut self) -> io::Result<End> {
        if self.shape == Shape::Plain {
            self.resync(true)?;
            return Ok(End::MoreRecords);
        }
        loop {
            let n = self.plain().len();
            self.consume(n);
            match self.end_member()? {
                End::MoreRecords => {}
                other => return Ok(other),
            }
        }
    }

    /// Goes on behind damage. A member whose checksum is wrong may have an end all the same, where another begins; else the
    /// next is looked for, from the byte after the damaged one's first. Only in a stored member that reaches to the file's
    /// end nothing is looked for: its bytes stand there as they came from some server, and if they are a WARC file
    /// themselves, its records must not be taken for records of this one.
    pub(super) fn recover(&mut self, damage: Damage) -> io::Result<()> {
        match damage {
            Damage::Checksum | Damage::Length if self.is_at_member()? => {
                (self.in_member, self.made) = (false, 0..0);
                Ok(())
            }
            Damage::Checksum | Damage::Length | Damage::Truncated if self.held.is_empty() => {
                let last = self.shape == Shape::Plain || self.is_stored()?;
                self.resync(!last)
            }
            _ => self.resync(true),
        }
    }

    /// Whether a member begins here.
    fn is_at_member(&mut self) -> io::Result<bool> {
        while self.held.len() < MAGIC.len() && !self.eof {
            self.fill()?;
        }
        Ok(self.held().starts_with(MAGIC))
    }

    /// Whether the member at hand is stored blocks and nothing else, as far as the file goes.
    fn is_stored(&mut self) -> io::Result<bool> {
        let end = self.source.seek(SeekFrom::End(0))?;
        let mut at = self.at + gzip::HEAD.len() as u64;
        loop {
            let mut head = [0; gzip::STORED_HEAD];
            if at + head.len() as u64 > end {
                return Ok(true);
            }
            self.source.seek(SeekFrom::Start(at))?;
            self.source.read_exact(&mut head)?;
            let [kind, a, b, c, d] = head;
            if kind > 1 || [!a, !b] != [c, d] {
                return Ok(false);
            }
            at += (head.len() + usize::from(u16::from_le_bytes([a, b]))) as u64;
            if kind == 1 {
                return Ok(true);
            }
        }
    }

    fn resync(&mut self, search: bool) -> io::Result<()> {
        self.in_member = false;
        self.made = 0..0;
        if !search {
            self.source.seek(SeekFrom::End(0))?;
            (self.held, self.eof) = (0..0, true);
            return Ok(());
        }
        let reached = self.base + self.held.start as u64;
        self.again += (reached - self.at).max(WINDOW as u64);
        let from = if self.again > AGAIN_MAX + 8 * reached {
            // Bytes made to be read again and again: from here on only forward, and no tries on top.
            self.inflater = None;
            reached.max(self.at + 1)
        } else {
            self.at + 1
        };
        self.base = self.source.seek(SeekFrom::Start(from))?;
        (self.held, self.eof) = (0..0, false);
        let mark: &[u8] = if self.shape == Shape::Plain { b"\nWARC/1." } else { MAGIC };
        loop {
            if self.held.len() < WINDOW / 2 && !self.eof {
                self.fill()?;
                continue;
            }
            match memchr::memmem::find(self.held(), mark) {
                Some(n) => {
                    self.held.start += n;
                    if self.shape == Shape::Plain {
                        self.held.start += 1;
                        return Ok(());
                    }
                    if self.begins_record() {
                        return Ok(());
                    }
                    self.held.start += 1;
                }
                None if self.eof => {
                    self.held.start = self.held.end;
                    return Ok(());
                }
                None => self.held.start = self.held.end - (mark.len() - 1).min(self.held.len()),
            }
        }
    }

    fn begins_record(&mut self) -> bool {
        self.unpacker.reset();
        let input = self.window.get(self.held.clone()).unwrap_or_default();
        let input = input.get(..4096).unwrap_or(input);
        let mut plain = [0; GLIMPSE];
        let made = self.unpacker.step(input, &mut plain).map_or(0, |step| step.made);
        plain.get(..made).is_some_and(|start| start.starts_with(b"WARC/"))
    }

    /// The file offset up to which it was read.
    fn reached(&self) -> u64 {
        self.base + self.held.end as u64
    }

    fn held(&self) -> &[u8] {
        self.window.get(self.held.clone()).unwrap_or_default()
    }

    fn skip_blank_lines(&mut self) -> io::Result<()> {
        loop {
            let blank = self.held().iter().take_while(|b| matches!(b, b'\r' | b'\n')).count();
            self.held.start += blank;
            if !self.held.is_empty() || self.eof {
                return Ok(());
            }
            self.fill()?;
        }
    }

    /// Reads more behind what is held; after it, `eof` says whether the source has ended.
    fn fill(&mut self) -> io::Result<()> {
        if self.held.start > 0 {
            self.window.copy_within(self.held.clone(), 0);
            self.base += self.held.start as u64;
            self.held = 0..self.held.len();
        }
        let left = self.until.checked_sub(self.reached()).filter(|left| *left > 0).unwrap_or(u64::MAX);
        let room = self.window.get_mut(self.held.end..).unwrap_or_default();
        let wanted = usize::try_from(left).unwrap_or(usize::MAX).min(room.len());
        let room = room.get_mut(..wanted).unwrap_or_default();
        if room.is_empty() {
            return Ok(());
        }
        let n = loop {
            match self.source.read(room) {
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                other => break other?,
            }
        };
        self.held.end += n;
        self.eof = n == 0;
        Ok(())
    }
}
