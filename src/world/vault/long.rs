//! A block too long to be held as it is: deflated as it comes, and read again as a stream.
//!
//! Documents that list every citation of a statement are ten times shorter so. What is made is a part of the member in which the
//! block is kept: the record's head, which says the block's digest and comes first, is put before it in stored blocks.

use std::io::{self, Read};

use crate::format::digest::Digest;
use crate::format::gzip;
use crate::format::sha2x::Lane;
use crate::format::warc::record::Record;
use crate::resolution::exchange::RecordName;
use crate::world::vault::pack::Member;

/// zlib-rs gives text little at level 1.
const LEVEL: u32 = 3;
/// Stands behind every block.
const CLOSING: &[u8] = b"\r\n\r\n";
/// Bytes hashed at once when the block is read again.
const PIECE: usize = 32 << 10;

/// Takes a block piece by piece.
pub struct Writer {
    deflate: flate2::Compress,
    packed: Vec<u8>,
    digest: Lane,
    crc: crc32fast::Hasher,
    len: u64,
}

/// A whole block, deflated, the closing lines of its record behind it.
pub struct Long {
    packed: Vec<u8>,
    digest: Digest,
    /// of the block and the closing lines
    crc: crc32fast::Hasher,
    len: u64,
}

impl std::fmt::Debug for Long {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Long({} bytes)", self.len)
    }
}

impl Default for Writer {
    fn default() -> Self {
        Self {
            deflate: flate2::Compress::new(flate2::Compression::new(LEVEL), false),
            packed: Vec::new(),
            digest: Lane::default(),
            crc: crc32fast::Hasher::new(),
            len: 0,
        }
    }
}

impl std::fmt::Debug for Writer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Writer({} bytes)", self.len)
    }
}

impl Writer {
    /// Adds bytes to the block.
    ///
    /// # Errors
    /// Bytes that cannot be deflated, of which there are none.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.digest.update(bytes);
        self.len += bytes.len() as u64;
        self.deflate(bytes, flate2::FlushCompress::None)
    }

    /// The block is whole.
    ///
    /// # Errors
    /// As [`Writer::write`].
    pub fn finish(mut self) -> io::Result<Long> {
        self.deflate(CLOSING, flate2::FlushCompress::Finish)?;
        self.packed.shrink_to_fit();
        Ok(Long { packed: self.packed, digest: self.digest.finish(), crc: self.crc, len: self.len })
    }

    fn deflate(&mut self, mut bytes: &[u8], flush: flate2::FlushCompress) -> io::Result<()> {
        self.crc.update(bytes);
        loop {
            self.packed.reserve(4096);
            let before = self.deflate.total_in();
            let status = self.deflate.compress_vec(bytes, &mut self.packed, flush).map_err(io::Error::other)?;
            let used = usize::try_from(self.deflate.total_in() - before).map_err(io::Error::other)?;
            bytes = bytes.get(used..).unwrap_or_default();
            let finishing = matches!(flush, flate2::FlushCompress::Finish);
            if status == flate2::Status::StreamEnd || (bytes.is_empty() && !finishing) {
                return Ok(());
            }
        }
    }
}

impl Long {
    /// The block's digest.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// Bytes of the block.
    pub fn length(&self) -> u64 {
        self.len
    }

    /// The block again, from its first byte.
    pub fn read(&self) -> Reader<'_> {
        Reader { rest: &self.packed, inflate: flate2::Decompress::new(false), left: self.len }
    }

    /// The member of `record`, whose block this is: it is written from where it lies, and not put together.
    ///
    /// # Errors
    /// What was deflated cannot be inflated.
    pub(super) fn member(&self, record: &Record) -> io::Result<Parts<'_>> {
        let head = record.head(self.digest, self.len);
        let mut front = gzip::HEAD.to_vec();
        gzip::stored_blocks(&head, &mut front);
        let mut crc = crc32fast::Hasher::new();
        crc.update(&head);
        crc.combine(&self.crc);
        let plain = head.len() as u64 + self.len + CLOSING.len() as u64;
        let back = gzip::trailer(crc.finalize(), plain);
        let length = (front.len() + self.packed.len() + back.len()) as u64;
        let name = RecordName { id: record.id, digest: self.whole(&head)? };
        Ok(Parts { front, packed: &self.packed, back, member: Member { name, length, block_len: self.len } })
    }

    /// The digest of the whole record begins with the head, which says the block's: the block is read again.
    fn whole(&self, head: &[u8]) -> io::Result<Digest> {
        let mut whole = Lane::default();
        whole.update(head);
        let (mut reader, mut piece) = (self.read(), vec![0; PIECE]);
        loop {
            let n = reader.read(&mut piece)?;
            if n == 0 {
                return Ok(whole.finish());
            }
            whole.update(piece.get(..n).unwrap_or_default());
        }
    }
}

/// A member in the parts that stand one behind the other in the file.
pub(super) struct Parts<'a> {
    pub(super) front: Vec<u8>,
    pub(super) packed: &'a [u8],
    pub(super) back: [u8; gzip::TRAILER],
    /// all of it
    pub(super) member: Member,
}

/// Reads the block.
pub struct Reader<'a> {
    rest: &'a [u8],
    inflate: flate2::Decompress,
    left: u64,
}

impl std::fmt::Debug for Reader<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Reader({} bytes left)", self.left)
    }
}

impl Read for Reader<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let room = usize::try_from(self.left).unwrap_or(usize::MAX).min(out.len());
        if room == 0 {
            return Ok(0);
        }
        let (used, made) = (self.inflate.total_in(), self.inflate.total_out());
        let out = out.get_mut(..room).unwrap_or_default();
        self.inflate.decompress(self.rest, out, flate2::FlushDecompress::None).map_err(io::Error::other)?;
        let used = usize::try_from(self.inflate.total_in() - used).map_err(io::Error::other)?;
        let made = self.inflate.total_out() - made;
        self.rest = self.rest.get(used..).unwrap_or_default();
        self.left -= made;
        if made == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        usize::try_from(made).map_err(io::Error::other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_member_is_the_one_of_a_block_at_hand() {
        for n in [0_u32, 1, 40_000] {
            let pieces: Vec<Vec<u8>> = (0..n).map(|n| format!("{{\"n\":{n}}}").into_bytes()).collect();
            let block = pieces.concat();
            let mut writer = Writer::default();
            pieces.iter().for_each(|piece| writer.write(piece).unwrap());
            let long = writer.finish().unwrap();
            assert!(n < 2 || long.packed.len() < block.len() / 3);
            assert_eq!((long.digest(), long.length()), (Digest::of(&block), block.len() as u64));
            let mut again = Vec::new();
            long.read().read_to_end(&mut again).unwrap();
            assert_eq!(again, block);
            let record = Record::metadata(uuid::Uuid::nil(), jiff::Timestamp::UNIX_EPOCH, "application/json", block);
            let headed = Record { block: Vec::new(), ..record.clone() };
            let Parts { front, packed, back, member } = long.member(&headed).unwrap();
            let bytes = [&front[..], packed, &back].concat();
            assert_eq!(member.name, RecordName { id: record.id, digest: record.sealed().1 });
            assert_eq!((member.length, member.block_len), (bytes.len() as u64, long.length()));
            let plain = gzip::whole(&bytes, 1 << 24).unwrap();
            assert_eq!(plain, [&record.to_bytes()[..], CLOSING].concat());
        }
    }

    #[test]
    fn one_cut_short_says_so() {
        let mut writer = Writer::default();
        writer.write(&b"a long list".repeat(1000)).unwrap();
        let mut long = writer.finish().unwrap();
        long.packed.truncate(long.packed.len() / 2);
        assert!(long.read().read_to_end(&mut Vec::new()).is_err());
    }
}
