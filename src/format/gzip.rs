//! Gzip members (RFC 1952) and the deflate blocks in them (RFC 1951): written stored or deflated, read as a stream.
//!
//! A stored block is `final-bit` (one byte, as the bits before it are aligned here), LEN and its complement (two bytes
//! each, little-endian), then LEN bytes as they are. What does not compress is kept in such blocks: it costs 5 bytes in
//! 65,535, and reading it back costs a checksum and no inflating.

pub mod member;

/// The longest run of bytes one stored block holds.
pub const STORED_MAX: usize = 65_535;
/// Bytes before a stored block's data.
pub const STORED_HEAD: usize = 5;
/// Bytes after the last deflate block: CRC-32 and length.
pub const TRAILER: usize = 8;
/// The head of every member written here: no name, no time, no operating system.
pub const HEAD: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
/// A gzip head longer than this is not read; its file name and comment have no bound in the RFC.
const HEAD_MAX: usize = 64 * 1024;

/// What is wrong with a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Damage {
    /// the first bytes are no gzip head
    #[error("no gzip member begins here")]
    NotGzip,
    /// the input ends before the member does
    #[error("the gzip member is cut off")]
    Truncated,
    /// deflate data that cannot be
    #[error("the deflate data is not valid")]
    Deflate,
    /// the checksum is of other bytes
    #[error("the gzip checksum does not match")]
    Checksum,
    /// the length modulo 2^32 is of other bytes
    #[error("the gzip length does not match")]
    Length,
    /// bytes after the only member
    #[error("{0} bytes follow the gzip member")]
    Trailing(usize),
}

/// Writes members. Holds one compressor (about 600 KiB for level 1), so keep it and use it again.
pub struct Packer {
    deflate: libdeflater::Compressor,
}

impl Default for Packer {
    fn default() -> Self {
        // libdeflate 1: the ratio of zlib 6 within a tenth, at several times its speed.
        let level = libdeflater::CompressionLvl::new(1).unwrap_or_default();
        Self { deflate: libdeflater::Compressor::new(level) }
    }
}

impl Packer {
    /// Appends one member that holds `plain`, deflated; stored where deflating does not make it smaller.
    pub fn deflated(&mut self, plain: &[u8], out: &mut Vec<u8>) {
        let start = out.len();
        out.extend_from_slice(&HEAD);
        let data = out.len();
        out.resize(data + self.deflate.deflate_compress_bound(plain.len()), 0);
        let room = out.get_mut(data..).unwrap_or_default();
        match self.deflate.deflate_compress(plain, room) {
            Ok(n) if n < stored_len(plain.len()) => {
                out.truncate(data + n);
                out.extend_from_slice(&trailer(crc32fast::hash(plain), plain.len() as u64));
            }
            _ => {
                out.truncate(start);
                stored(&[plain], out);
            }
        }
    }

    /// Whether deflating would save at least an eighth of `sample`. Ask with some tens of kilobytes, not with the whole.
    pub fn compresses(&mut self, sample: &[u8], scratch: &mut Vec<u8>) -> bool {
        scratch.resize(self.deflate.deflate_compress_bound(sample.len()), 0);
        let made = self.deflate.deflate_compress(sample, scratch).unwrap_or(sample.len());
        made < sample.len() - sample.len() / 8
    }
}

/// Appends one member that holds the parts one after the other, stored.
pub fn stored(parts: &[&[u8]], out: &mut Vec<u8>) {
    let total: usize = parts.iter().map(|p| p.len()).sum();
    out.reserve(HEAD.len() + stored_len(total) + TRAILER);
    out.extend_from_slice(&HEAD);
    let mut crc = crc32fast::Hasher::new();
    let mut left = total;
    let mut room = 0;
    for part in parts {
        crc.update(part);
        let mut rest = *part;
        while !rest.is_empty() {
            if room == 0 {
                room = left.min(STORED_MAX);
                out.extend_from_slice(&stored_head(room, left == room));
            }
            let (now, later) = rest.split_at(room.min(rest.len()));
            out.extend_from_slice(now);
            room -= now.len();
            left -= now.len();
            rest = later;
        }
    }
    if total == 0 {
        out.extend_from_slice(&stored_head(0, true));
    }
    out.extend_from_slice(&trailer(crc.finalize(), total as u64));
}

/// Bytes that `len` bytes take in stored blocks.
pub fn stored_len(len: usize) -> usize {
    len + len.div_ceil(STORED_MAX).max(1) * STORED_HEAD
}

/// The five bytes before a stored block of `len` (at most [`STORED_MAX`]) bytes.
pub fn stored_head(len: usize, last: bool) -> [u8; STORED_HEAD] {
    let [a, b] = u16::try_from(len).unwrap_or(u16::MAX).to_le_bytes();
    [u8::from(last), a, b, !a, !b]
}

/// Appends `bytes` as stored blocks none of which is the last.
pub fn stored_blocks(bytes: &[u8], out: &mut Vec<u8>) {
    for piece in bytes.chunks(STORED_MAX) {
        out.extend_from_slice(&stored_head(piece.len(), false));
        out.extend_from_slice(piece);
    }
}

/// The shortest room from which on [`padding`] fills every length.
pub const PADDING_MIN: usize = 20;

/// Appends `len` bytes (0, or at least [`PADDING_MIN`]) of blocks that hold nothing: five bytes are an empty stored
/// block, six an empty block of fixed codes and an empty stored one, and every length from 20 on is a sum of fives and
/// sixes. So a head of a length not known beforehand fills room left for it to the byte.
pub fn padding(len: usize, out: &mut Vec<u8>) {
    let sixes = len % 5;
    for _ in 0..sixes {
        out.extend_from_slice(&[0x02, 0, 0, 0, 0xff, 0xff]);
    }
    for _ in 0..(len.saturating_sub(6 * sixes)) / 5 {
        out.extend_from_slice(&stored_head(0, false));
    }
}

/// The eight bytes that close a member.
pub fn trailer(crc: u32, len: u64) -> [u8; TRAILER] {
    let [a, b, c, d] = crc.to_le_bytes();
    // RFC 1952 keeps the length modulo 2^32.
    let [e, f, g, h, ..] = len.to_le_bytes();
    [a, b, c, d, e, f, g, h]
}

/// The length of the gzip head at the start of `bytes`; none while it does not end within them.
///
/// # Errors
/// Bytes that are no gzip head, or one longer than 64 KiB.
pub fn head_len(bytes: &[u8]) -> Result<Option<usize>, Damage> {
    for (have, want) in bytes.iter().zip([0x1f, 0x8b, 8]) {
        if *have != want {
            return Err(Damage::NotGzip);
        }
    }
    let Some(flags) = bytes.get(3).copied() else { return Ok(None) };
    if flags & 0xe0 != 0 {
        return Err(Damage::NotGzip);
    }
    let mut at = 10;
    if flags & 4 != 0 {
        let Some(&[low, high]) = bytes.get(at..at + 2) else { return Ok(None) };
        at += 2 + usize::from(u16::from_le_bytes([low, high]));
    }
    for text in [8, 16] {
        if flags & text != 0 {
            match bytes.get(at..).and_then(|rest| memchr::memchr(0, rest)) {
                Some(n) => at += n + 1,
                None if bytes.len() > HEAD_MAX => return Err(Damage::NotGzip),
                None => return Ok(None),
            }
        }
    }
    if flags & 2 != 0 {
        at += 2;
    }
    Ok((bytes.len() >= at).then_some(at))
}

/// What one step of [`Unpacker::step`] did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// bytes taken from the input
    pub used: usize,
    /// bytes put into the output
    pub made: usize,
    /// the member has ended
    pub done: bool,
    /// it has, but its checksum or length is of other bytes
    pub wrong: Option<Damage>,
}

/// Reads one member as a stream, in bounded memory, and checks its end.
#[derive(Debug)]
pub struct Unpacker {
    inflate: flate2::Decompress,
    state: State,
    crc: crc32fast::Hasher,
    made: u64,
    /// bytes of a head or trailer that came in pieces
    held: Vec<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Head,
    Data,
    Trailer,
    Done,
}

impl Default for Unpacker {
    fn default() -> Self {
        Self {
            inflate: flate2::Decompress::new(false),
            state: State::Head,
            crc: crc32fast::Hasher::new(),
            made: 0,
            held: Vec::new(),
        }
    }
}

impl Unpacker {
    /// Ready for the next member, its memory used again.
    pub fn reset(&mut self) {
        self.inflate.reset(false);
        self.state = State::Head;
        self.crc = crc32fast::Hasher::new();
        self.made = 0;
        self.held.clear();
    }

    /// Takes what it can of `input` and fills what it can of `output`. A step that neither uses nor makes anything wants
    /// more input; at the end of the input that is [`Damage::Truncated`].
    ///
    /// # Errors
    /// Whatever is wrong with the member. Bytes made by earlier steps are then not to be trusted.
    pub fn step(&mut self, input: &[u8], output: &mut [u8]) -> Result<Step, Damage> {
        let mut step = Step { used: 0, made: 0, done: false, wrong: None };
        if self.state == State::Head {
            step.used = self.head(input)?;
        }
        if self.state == State::Data {
            let rest = input.get(step.used..).unwrap_or_default();
            let (used, made) = self.data(rest, output)?;
            step.used += used;
            step.made = made;
        }
        if self.state == State::Trailer {
            let rest = input.get(step.used..).unwrap_or_default();
            step.used += self.trailer(rest);
            if self.state == State::Done {
                step.wrong = check(&self.held, self.crc.clone().finalize(), self.made).err();
            }
        }
        step.done = self.state == State::Done;
        Ok(step)
    }

    /// The bytes of the one member that `bytes` is, at most `max` of them; nothing of earlier steps matters.
    ///
    /// # Errors
    /// A damaged member, one cut off, bytes after it; more than `max` bytes count as [`Damage::Length`].
    pub fn whole(&mut self, bytes: &[u8], max: usize) -> Result<Vec<u8>, Damage> {
        self.reset();
        let mut out = Vec::new();
        let mut at = 0;
        loop {
            let from = out.len();
            let room = (bytes.len().saturating_mul(2)).clamp(4096, 1 << 20).min(max.saturating_sub(from).max(1));
            out.resize(from + room, 0);
            let input = bytes.get(at..).unwrap_or_default();
            let step = self.step(input, out.get_mut(from..).unwrap_or_default())?;
            at += step.used;
            out.truncate(from + step.made);
            if out.len() > max {
                return Err(Damage::Length);
            }
            if let Some(damage) = step.wrong {
                return Err(damage);
            }
            if step.done {
                let after = bytes.len() - at;
                return if after == 0 { Ok(out) } else { Err(Damage::Trailing(after)) };
            }
            if step.used == 0 && step.made == 0 {
                return Err(Damage::Truncated);
            }
        }
    }

    fn head(&mut self, input: &[u8]) -> Result<usize, Damage> {
        let before = self.held.len();
        if before == 0 {
            // The usual case: the whole head is there, nothing needs holding.
            if let Some(n) = head_len(input)? {
                self.state = State::Data;
                return Ok(n);
            }
        }
        self.held.extend_from_slice(input);
        let Some(n) = head_len(&self.held)? else { return Ok(input.len()) };
        self.held.clear();
        self.state = State::Data;
        Ok(n - before)
    }

    fn data(&mut self, input: &[u8], output: &mut [u8]) -> Result<(usize, usize), Damage> {
        let (used, made) = (self.inflate.total_in(), self.inflate.total_out());
        let status =
            self.inflate.decompress(input, output, flate2::FlushDecompress::None).map_err(|_| Damage::Deflate)?;
        let used = usize::try_from(self.inflate.total_in() - used).unwrap_or(0);
        let made = usize::try_from(self.inflate.total_out() - made).unwrap_or(0);
        self.crc.update(output.get(..made).unwrap_or_default());
        self.made += made as u64;
        if status == flate2::Status::StreamEnd {
            self.state = State::Trailer;
        }
        Ok((used, made))
    }

    fn trailer(&mut self, input: &[u8]) -> usize {
        let take = (TRAILER - self.held.len()).min(input.len());
        self.held.extend_from_slice(input.get(..take).unwrap_or_default());
        if self.held.len() == TRAILER {
            self.state = State::Done;
        }
        take
    }
}

fn check(have: &[u8], crc: u32, made: u64) -> Result<(), Damage> {
    let want = trailer(crc, made);
    if have.get(..4) != want.get(..4) {
        return Err(Damage::Checksum);
    }
    if have.get(4..) != want.get(4..) {
        return Err(Damage::Length);
    }
    Ok(())
}

/// The bytes of the one member that `bytes` is, at most `max` of them.
///
/// # Errors
/// As [`Unpacker::whole`].
pub fn whole(bytes: &[u8], max: usize) -> Result<Vec<u8>, Damage> {
    Unpacker::default().whole(bytes, max)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(len: usize) -> Vec<u8> {
        let mut x = 0x9e37_79b9_u32;
        let mut next = || {
            x ^= x << 13;
            x ^= x >> 17;
            x ^= x << 5;
            x.to_le_bytes()[1]
        };
        (0..len).map(|_| next()).collect()
    }

    fn in_pieces(member: &[u8], input: usize, output: usize) -> Result<Vec<u8>, Damage> {
        let (mut unpacker, mut plain, mut at) = (Unpacker::default(), Vec::new(), 0);
        let mut room = vec![0; output];
        loop {
            let end = (at + input).min(member.len());
            let step = unpacker.step(&member[at..end], &mut room)?;
            at += step.used;
            plain.extend_from_slice(&room[..step.made]);
            if let Some(damage) = step.wrong {
                return Err(damage);
            }
            if step.done {
                assert_eq!(at, member.len());
                return Ok(plain);
            }
            if step.used == 0 && step.made == 0 && end == member.len() {
                return Err(Damage::Truncated);
            }
        }
    }

    #[test]
    fn members_come_back_whole_and_in_pieces() {
        let mut packer = Packer::default();
        for len in [0, 1, 100, STORED_MAX, STORED_MAX + 1, 200_000] {
            let text: Vec<u8> = b"to be put on record, ".iter().copied().cycle().take(len).collect();
            let random = noise(len);
            let (head, tail) = random.split_at(len / 3);
            for plain in [&text, &random] {
                let mut deflated = Vec::new();
                packer.deflated(plain, &mut deflated);
                assert_eq!(whole(&deflated, len).as_ref(), Ok(plain));
                assert!(deflated.len() <= 18 + stored_len(len), "never longer than stored");
                for (i, o) in [(1, 7), (13, 4096), (70_000, 1)] {
                    if len < 1000 || o > 1 {
                        assert_eq!(in_pieces(&deflated, i, o).as_ref(), Ok(plain));
                    }
                }
            }
            let mut parts = Vec::new();
            stored(&[head, b"", tail], &mut parts);
            assert_eq!(parts.len(), 18 + stored_len(len));
            assert_eq!(whole(&parts, len).as_ref(), Ok(&random));
        }
    }

    #[test]
    fn each_damage_is_named() {
        let mut member = Vec::new();
        Packer::default().deflated(&b"record ".repeat(50), &mut member);
        let end = member.len();
        let with = |at: usize, flip: u8| {
            let mut copy = member.clone();
            copy[at] ^= flip;
            copy
        };
        assert_eq!(whole(&with(0, 1), 1000), Err(Damage::NotGzip));
        assert_eq!(whole(&with(10, 0x06), 1000), Err(Damage::Deflate), "block type 3");
        assert_eq!(whole(&with(end - 8, 1), 1000), Err(Damage::Checksum));
        assert_eq!(whole(&with(end - 4, 1), 1000), Err(Damage::Length));
        assert_eq!(whole(&member, 349), Err(Damage::Length), "more than allowed");
        for cut in 0..end {
            assert_eq!(whole(&member[..cut], 1000), Err(Damage::Truncated), "cut at {cut}");
        }
        member.extend_from_slice(b"\0\0\0");
        assert_eq!(whole(&member, 1000), Err(Damage::Trailing(3)));
    }

    #[test]
    fn heads_with_every_optional_field() {
        let head =
            [&[0x1f, 0x8b, 8, 0b0001_1110, 0, 0, 0, 0, 0, 255][..], &[2, 0, 9, 9], b"name\0", b"comment\0", &[1, 2]];
        let head = head.concat();
        for n in 0..head.len() {
            assert_eq!(head_len(&head[..n]), Ok(None), "{n}");
        }
        assert_eq!(head_len(&head), Ok(Some(head.len())));
        assert_eq!(head_len(&[0x1f, 0x8b, 8, 0x20]), Err(Damage::NotGzip), "a reserved flag");
    }

    #[test]
    fn padding_fills_to_the_byte_and_holds_nothing() {
        for len in std::iter::once(0).chain(PADDING_MIN..200) {
            let mut member = HEAD.to_vec();
            stored_blocks(b"head", &mut member);
            let before = member.len();
            padding(len, &mut member);
            assert_eq!(member.len() - before, len);
            member.extend_from_slice(&stored_head(4, true));
            member.extend_from_slice(b"tail");
            member.extend_from_slice(&trailer(crc32fast::hash(b"headtail"), 8));
            assert_eq!(whole(&member, 8).unwrap(), b"headtail");
            let mut plain = vec![0; 8];
            assert_eq!(libdeflater::Decompressor::new().gzip_decompress(&member, &mut plain), Ok(8));
        }
    }

    #[test]
    fn only_what_compresses_is_said_to() {
        let (mut packer, mut scratch) = (Packer::default(), Vec::new());
        assert!(packer.compresses(&b"<p>words</p>".repeat(500), &mut scratch));
        assert!(!packer.compresses(&noise(20_000), &mut scratch));
    }
}
