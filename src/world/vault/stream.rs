//! One record of any size, written in one pass into a file of its own, in less than a mebibyte of memory.
//!
//! A WARC head comes first and says how long the block is and what its digest is, which nobody knows before the end. So
//! room is left for it: the head stands in stored deflate blocks of its own, the block follows as it comes, and at the
//! end the head is written into the room, empty deflate blocks fill what is left of it, and the checksums of head and
//! block are combined. Until then the member's checksum does not hold, so a crash leaves a torn member and no record.
//!
//! The digest of the whole record begins with the head, so it needs a second look at the block: the file is read back
//! once, from the page cache as a rule, at the price of one more SHA-256 over it.

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use crate::format::digest::Digest;
use crate::format::gzip::{self, PADDING_MIN, STORED_HEAD, STORED_MAX, Unpacker};
use crate::format::sha2x::{self, Lane};
use crate::format::warc::RecordType;
use crate::format::warc::record::{Record, is_transfer_coded};
use crate::resolution::exchange::RecordName;
use crate::world::durable::Disk;

use super::place::{OPEN, Place};
use super::{Error, Kept, seal};

/// Room for what is known at the end: length, digests, and the fields `finish` adds.
const FINISH_ROOM: usize = 512;
/// Whole stored blocks in the buffer that is written at once.
const BLOCKS: usize = 4;
/// Deflate level of bodies that compress: streams are rare, and zlib-rs gives text little at level 1.
const LEVEL: u32 = 3;

/// A record being written. Dropped unfinished, it leaves an open file that the next [`super::Vault::open`] removes.
pub struct Stream {
    disk: Disk,
    dir: PathBuf,
    name: String,
    path: PathBuf,
    file: File,
    /// what the file begins with
    info: (Record, Kept),
    record: Record,
    /// where the member begins
    start: u64,
    /// bytes between the member's head and the block
    room: usize,
    /// where the next bytes of the file go
    at: u64,
    block_len: u64,
    /// block bytes that are not payload: an HTTP head
    lead: usize,
    /// a payload digest is written
    payload: bool,
    /// the digests are worked out here
    hashes: bool,
    block_digest: Lane,
    payload_digest: Lane,
    crc: crc32fast::Hasher,
    packing: Packing,
    out: Vec<u8>,
}

/// A record written so.
#[derive(Clone, Debug)]
pub struct Streamed {
    /// itself
    pub kept: Kept,
    /// the warcinfo record its file begins with
    pub begun: (Record, Kept),
}

enum Packing {
    Stored,
    Deflated(Box<flate2::Compress>),
}

impl Stream {
    pub(super) fn begin(
        disk: Disk,
        dir: &Path,
        name: String,
        (info, member): (Record, Vec<u8>),
        mut record: Record,
        deflate: bool,
    ) -> Result<Self, Error> {
        let path = dir.join(format!("{name}{OPEN}"));
        let file = disk.create(&path)?;
        disk.write_at(&file, &path, &member, 0)?;
        let begun = std::mem::take(&mut record.block);
        // Its constructor could only digest the beginning.
        record.fields.retain(|(name, _)| !name.eq_ignore_ascii_case("WARC-Payload-Digest"));
        let (lead, payload) = payload_of(&record, &begun);
        let longest = record.head(Digest([0; 32]), u64::MAX).len() + FINISH_ROOM;
        let room = longest + longest.div_ceil(STORED_MAX) * STORED_HEAD;
        let start = member.len() as u64;
        let place = Place { file: name.clone(), offset: 0, length: start };
        let written = RecordName { id: info.id, digest: info.sealed().1 };
        let block_len = info.block.len() as u64;
        let info = (info, Kept { name: written, place, block_len });
        let mut stream = Self {
            disk,
            dir: dir.to_owned(),
            name,
            path,
            file,
            info,
            record,
            start,
            room,
            at: start + (gzip::HEAD.len() + room) as u64,
            block_len: 0,
            lead,
            payload,
            hashes: true,
            block_digest: Lane::default(),
            payload_digest: Lane::default(),
            crc: crc32fast::Hasher::new(),
            packing: match deflate {
                true => Packing::Deflated(Box::new(flate2::Compress::new(flate2::Compression::new(LEVEL), false))),
                false => Packing::Stored,
            },
            out: Vec::with_capacity(BLOCKS * (STORED_HEAD + STORED_MAX)),
        };
        // Something stands in the room from the first, so that a torn file ends in a torn member and not in a hole.
        let opening = stream.opening(&stream.record.head(Digest([0; 32]), 0))?;
        stream.disk.write_at(&stream.file, &stream.path, &opening, start)?;
        stream.write(&begun)?;
        Ok(stream)
    }

    /// Adds bytes to the block.
    ///
    /// # Errors
    /// The disk's; the stream can then only be abandoned.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let lead = usize::try_from(self.block_len).map_or(0, |done| self.lead.saturating_sub(done));
        let body = bytes.get(lead.min(bytes.len())..).unwrap_or_default();
        if !self.hashes {
            // whoever hands the bytes over has hashed them
        } else if self.payload {
            sha2x::update_both(&mut self.block_digest, bytes, &mut self.payload_digest, body);
        } else {
            self.block_digest.update(bytes);
        }
        self.crc.update(bytes);
        self.block_len += bytes.len() as u64;
        match self.packing {
            Packing::Stored => self.store(bytes),
            Packing::Deflated(_) => self.deflate(bytes, flate2::FlushCompress::None),
        }
    }

    /// Sets the record's date, where the event that it belongs to began before the record did.
    pub fn set_date(&mut self, at: jiff::Timestamp) {
        self.record.date = crate::format::time::to_micros(at);
    }

    /// Bytes of the block so far.
    pub fn block_len(&self) -> u64 {
        self.block_len
    }

    /// Closes the record, with further fields (`WARC-Truncated`) where there are any, and seals its file: durable on
    /// return.
    ///
    /// # Errors
    /// The disk's; fields that do not fit into the room left for them (512 bytes with digest and length).
    pub fn finish(mut self, fields: &[(&str, &str)]) -> Result<Streamed, Error> {
        let block = std::mem::take(&mut self.block_digest).finish();
        let payload = std::mem::take(&mut self.payload_digest).finish();
        self.finish_known(block, payload, fields)
    }

    /// From now on no byte is hashed here: [`Stream::finish_known`] is told the digests.
    pub fn hashed_elsewhere(&mut self) {
        self.hashes = false;
    }

    /// The same, the digests of block and payload being known.
    ///
    /// # Errors
    /// As [`Stream::finish`].
    pub fn finish_known(mut self, block: Digest, payload: Digest, fields: &[(&str, &str)]) -> Result<Streamed, Error> {
        if self.payload {
            self.record = self.record.with("WARC-Payload-Digest", &payload.to_string());
        }
        for (name, value) in fields {
            self.record = self.record.with(name, value);
        }
        let head = self.record.head(block, self.block_len);
        let opening = self.opening(&head)?;
        let body_end = self.close_block(&head)?;
        self.disk.write_at(&self.file, &self.path, &opening, self.start)?;
        let digest = self.digest_of_whole(&head, body_end)?;
        self.disk.sync(&self.file, &self.path)?;
        seal(&self.disk, &self.dir, &self.path, &self.name)?;
        let place = Place { file: self.name, offset: self.start, length: self.at - self.start };
        let kept = Kept { name: RecordName { id: self.record.id, digest }, place, block_len: self.block_len };
        Ok(Streamed { kept, begun: self.info })
    }

    /// Takes the file away.
    ///
    /// # Errors
    /// The disk's.
    pub fn abandon(self) -> Result<(), Error> {
        Ok(self.disk.remove(&self.path)?)
    }

    /// The member's bytes up to the block: its head, the record's head, and padding to the end of the room.
    fn opening(&self, head: &[u8]) -> Result<Vec<u8>, Error> {
        let mut opening = gzip::HEAD.to_vec();
        gzip::stored_blocks(head, &mut opening);
        let end = gzip::HEAD.len() + self.room;
        match end.checked_sub(opening.len()) {
            Some(left) if left >= PADDING_MIN => gzip::padding(left, &mut opening),
            _ => return Err(self.damaged("its fields are longer than the room for them")),
        }
        Ok(opening)
    }

    /// Writes what is left of the block, the closing lines and the checksum of head and block together. Where the
    /// block's packed bytes end.
    fn close_block(&mut self, head: &[u8]) -> Result<u64, Error> {
        self.crc.update(b"\r\n\r\n");
        let mut crc = crc32fast::Hasher::new();
        crc.update(head);
        crc.combine(&self.crc);
        let plain = head.len() as u64 + self.block_len + 4;
        let end = match self.packing {
            Packing::Stored => {
                self.flush_stored()?;
                let end = self.at;
                self.out.extend_from_slice(&gzip::stored_head(4, true));
                self.out.extend_from_slice(b"\r\n\r\n");
                end
            }
            Packing::Deflated(_) => {
                self.deflate(b"\r\n\r\n", flate2::FlushCompress::Finish)?;
                self.at
            }
        };
        self.out.extend_from_slice(&gzip::trailer(crc.finalize(), plain));
        self.flush()?;
        Ok(end)
    }

    /// Fills the buffer with whole stored blocks: a block's head is put down with its first byte and set right when the
    /// buffer is written.
    fn store(&mut self, mut bytes: &[u8]) -> Result<(), Error> {
        while !bytes.is_empty() {
            let in_block = self.out.len() % (STORED_HEAD + STORED_MAX);
            if in_block == 0 {
                if self.out.len() == BLOCKS * (STORED_HEAD + STORED_MAX) {
                    self.flush()?;
                }
                self.out.extend_from_slice(&gzip::stored_head(STORED_MAX, false));
                continue;
            }
            let room = STORED_HEAD + STORED_MAX - in_block;
            let (now, later) = bytes.split_at(room.min(bytes.len()));
            self.out.extend_from_slice(now);
            bytes = later;
        }
        Ok(())
    }

    /// Writes the buffer, its last block as short as it is.
    fn flush_stored(&mut self) -> Result<(), Error> {
        let whole = STORED_HEAD + STORED_MAX;
        let last = self.out.len() / whole * whole;
        let len = self.out.len() - last;
        if len > 0 {
            let short = gzip::stored_head(len - STORED_HEAD, false);
            if let Some(place) = self.out.get_mut(last..last + STORED_HEAD) {
                place.copy_from_slice(&short);
            }
        }
        self.flush()
    }

    fn deflate(&mut self, mut bytes: &[u8], flush: flate2::FlushCompress) -> Result<(), Error> {
        loop {
            if self.out.capacity() - self.out.len() < 4096 {
                self.flush()?;
            }
            let Packing::Deflated(compress) = &mut self.packing else { return Ok(()) };
            let before = compress.total_in();
            let Ok(status) = compress.compress_vec(bytes, &mut self.out, flush) else {
                return Err(self.damaged("its bytes cannot be deflated"));
            };
            let used = usize::try_from(compress.total_in() - before).unwrap_or(0);
            bytes = bytes.get(used..).unwrap_or_default();
            let ended = status == flate2::Status::StreamEnd;
            let finishing = matches!(flush, flate2::FlushCompress::Finish);
            if ended || (bytes.is_empty() && !finishing) {
                return Ok(());
            }
        }
    }

    fn flush(&mut self) -> Result<(), Error> {
        self.disk.write_at(&self.file, &self.path, &self.out, self.at)?;
        self.at += self.out.len() as u64;
        self.out.clear();
        Ok(())
    }

    fn digest_of_whole(&mut self, head: &[u8], end: u64) -> Result<Digest, Error> {
        let mut whole = Lane::default();
        whole.update(head);
        let from = self.start + (gzip::HEAD.len() + self.room) as u64;
        match self.packing {
            Packing::Stored => self.read_stored(from, end, &mut whole)?,
            Packing::Deflated(_) => self.read_deflated(&mut whole, head.len() as u64)?,
        }
        Ok(whole.finish())
    }

    /// The block again, out of the stored blocks just written.
    fn read_stored(&mut self, from: u64, end: u64, whole: &mut Lane) -> Result<(), Error> {
        let mut at = from;
        let mut piece = std::mem::take(&mut self.out);
        while at < end {
            let most = (BLOCKS * (STORED_HEAD + STORED_MAX)) as u64;
            piece.resize(usize::try_from((end - at).min(most)).unwrap_or(0), 0);
            self.read_exact(&mut piece, at)?;
            for block in piece.chunks(STORED_HEAD + STORED_MAX) {
                whole.update(block.get(STORED_HEAD..).unwrap_or_default());
            }
            at += piece.len() as u64;
        }
        Ok(())
    }

    /// The block again, inflated.
    fn read_deflated(&mut self, whole: &mut Lane, head_len: u64) -> Result<(), Error> {
        let mut unpacker = Unpacker::default();
        let mut packed = std::mem::take(&mut self.out);
        let mut plain = vec![0; 64 * 1024];
        let (mut skip, mut left, mut at) = (head_len, self.block_len, self.start);
        while at < self.at {
            packed.resize(usize::try_from((self.at - at).min(64 * 1024)).unwrap_or(0), 0);
            self.read_exact(&mut packed, at)?;
            at += packed.len() as u64;
            let mut used = 0;
            loop {
                let step = unpacker
                    .step(packed.get(used..).unwrap_or_default(), &mut plain)
                    .map_err(|damage| self.damaged(&damage.to_string()))?;
                used += step.used;
                let made = plain.get(..step.made).unwrap_or_default();
                let made = made.get(usize::try_from(skip).unwrap_or(usize::MAX).min(made.len())..).unwrap_or_default();
                skip -= step.made as u64 - made.len() as u64;
                let made = made.get(..usize::try_from(left).unwrap_or(usize::MAX).min(made.len())).unwrap_or_default();
                left -= made.len() as u64;
                whole.update(made);
                if let Some(damage) = step.wrong {
                    return Err(self.damaged(&damage.to_string()));
                }
                if step.done || (step.used == 0 && step.made == 0) {
                    break;
                }
            }
        }
        Ok(())
    }

    fn read_exact(&self, into: &mut [u8], at: u64) -> Result<(), Error> {
        self.file.read_exact_at(into, at).map_err(|source| Error::Read { path: self.path.clone(), source })
    }

    fn damaged(&self, what: &str) -> Error {
        let place = Place { file: self.name.clone(), offset: self.start, length: 0 };
        Error::Damaged { place, what: what.to_owned() }
    }
}

/// How much of the block is no payload, and whether a payload digest belongs on the record.
fn payload_of(record: &Record, begun: &[u8]) -> (usize, bool) {
    match record.kind {
        RecordType::Resource | RecordType::Conversion => (0, true),
        RecordType::Response => match memchr::memmem::find(begun, b"\r\n\r\n") {
            Some(n) => (n + 4, !is_transfer_coded(begun.get(..n).unwrap_or_default())),
            None => (0, false),
        },
        _ => (0, false),
    }
}
