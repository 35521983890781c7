//! OpenTimestamps proofs: the detached timestamp file, version 1, of the reference client (opentimestamps-client 0.7).
//!
//! ```text
//! magic ‖ 01 ‖ 08 ‖ digest (32) ‖ timestamp          08: the file was hashed with SHA-256
//! timestamp = item, or ff item … item                 all but the last are announced by ff
//! item      = 00 ‖ tag (8) ‖ varbytes                 an attestation, or
//!             operation ‖ timestamp                   what the operation makes of the message, and what attests to that
//! ```
//! Attestations stand before operations, both in order; that is how the reference client writes. A *pending* attestation
//! is a calendar's promise and proves nothing; a Bitcoin attestation holds once the message is the Merkle root of the
//! block at its height.

use std::collections::BTreeMap;

use sha2::Digest as _;
use sha3::Keccak256;

use crate::format::digest::Digest;

const MAGIC: &[u8] = b"\x00OpenTimestamps\x00\x00Proof\x00\xbf\x89\xe2\xe8\x84\xe8\x92\x94";
const PENDING: [u8; 8] = [0x83, 0xdf, 0xe3, 0x0d, 0x2e, 0xf9, 0x0c, 0x8e];
const BITCOIN: [u8; 8] = [0x05, 0x88, 0x96, 0x0d, 0x73, 0xd7, 0x19, 0x01];

/// Longest proof read; a calendar's answer must stay below 10 kB.
pub const MAX_BYTES: usize = 64 * 1024;
const MAX_MESSAGE: usize = 4096;
const MAX_PAYLOAD: usize = 8192;
const MAX_URI: usize = 1000;
const MAX_DEPTH: usize = 256;

/// A proof for one digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// what is proved to have existed
    pub digest: Digest,
    /// how
    pub timestamp: Timestamp,
}

/// What attests to a message, and to what operations make of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Timestamp {
    attestations: std::collections::BTreeSet<Attestation>,
    operations: BTreeMap<Operation, Timestamp>,
}

/// Who says that a message existed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Attestation {
    /// the message is the Merkle root of the Bitcoin block at this height
    Bitcoin(u64),
    /// a calendar promises to have one, at this address
    Pending(String),
    /// another kind, kept as it came
    Other([u8; 8], Vec<u8>),
}

/// A step from one message to the next.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Operation {
    /// SHA-1 of the message
    Sha1,
    /// RIPEMD-160 of it
    Ripemd160,
    /// SHA-256 of it
    Sha256,
    /// Keccak-256 of it
    Keccak256,
    /// bytes after it
    Append(Vec<u8>),
    /// bytes before it
    Prepend(Vec<u8>),
    /// its bytes from last to first
    Reverse,
    /// its hex digits
    Hexlify,
}

/// Why bytes are no proof.
#[derive(Clone, Copy, Debug, thiserror::Error, PartialEq, Eq)]
pub enum Malformed {
    /// something else altogether
    #[error("not an OpenTimestamps proof of a SHA-256 digest")]
    NotAProof,
    /// cut short
    #[error("the OpenTimestamps proof is cut short")]
    Short,
    /// something after the end
    #[error("the OpenTimestamps proof has bytes after its end")]
    Trailing,
    /// longer or deeper than allowed
    #[error("the OpenTimestamps proof is too large")]
    TooLarge,
    /// an operation that no one knows
    #[error("the OpenTimestamps proof has an unknown operation")]
    UnknownOperation,
    /// an attestation that is not formed as its kind asks
    #[error("the OpenTimestamps proof has a malformed attestation")]
    BadAttestation,
}

impl Operation {
    /// What it makes of `message`.
    ///
    /// # Errors
    /// A result that is longer than allowed.
    pub fn apply(&self, message: &[u8]) -> Result<Vec<u8>, Malformed> {
        let result = match self {
            Self::Sha1 => sha1::Sha1::digest(message).to_vec(),
            Self::Ripemd160 => ripemd::Ripemd160::digest(message).to_vec(),
            Self::Sha256 => sha2::Sha256::digest(message).to_vec(),
            Self::Keccak256 => Keccak256::digest(message).to_vec(),
            Self::Append(bytes) => [message, bytes].concat(),
            Self::Prepend(bytes) => [bytes, message].concat(),
            Self::Reverse => message.iter().rev().copied().collect(),
            Self::Hexlify => data_encoding::HEXLOWER.encode(message).into_bytes(),
        };
        if result.is_empty() || result.len() > MAX_MESSAGE { Err(Malformed::TooLarge) } else { Ok(result) }
    }

    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Sha1 => out.push(0x02),
            Self::Ripemd160 => out.push(0x03),
            Self::Sha256 => out.push(0x08),
            Self::Keccak256 => out.push(0x67),
            Self::Reverse => out.push(0xf2),
            Self::Hexlify => out.push(0xf3),
            Self::Append(bytes) => write_with(out, 0xf0, bytes),
            Self::Prepend(bytes) => write_with(out, 0xf1, bytes),
        }
    }
}

fn write_with(out: &mut Vec<u8>, tag: u8, bytes: &[u8]) {
    out.push(tag);
    write_bytes(out, bytes);
}

/// LEB128.
fn write_number(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

fn write_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    write_number(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

impl Attestation {
    fn write(&self, out: &mut Vec<u8>) {
        let mut payload = Vec::new();
        let tag = match self {
            Self::Bitcoin(height) => {
                write_number(&mut payload, *height);
                BITCOIN
            }
            Self::Pending(uri) => {
                write_bytes(&mut payload, uri.as_bytes());
                PENDING
            }
            Self::Other(tag, bytes) => {
                payload.clone_from(bytes);
                *tag
            }
        };
        out.push(0x00);
        out.extend_from_slice(&tag);
        write_bytes(out, &payload);
    }
}

impl Proof {
    /// Reads a proof file.
    ///
    /// # Errors
    /// Bytes that are none.
    pub fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        let rest = bytes.strip_prefix(MAGIC).and_then(|r| r.strip_prefix(&[0x01, 0x08])).ok_or(Malformed::NotAProof)?;
        let (digest, rest) = rest.split_first_chunk::<32>().ok_or(Malformed::Short)?;
        let timestamp = Timestamp::parse(rest, &digest[..])?;
        Ok(Self { digest: Digest(*digest), timestamp })
    }

    /// The file, in the reference client's order.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = [MAGIC, &[0x01, 0x08], &self.digest.0].concat();
        self.timestamp.write(&mut out);
        out
    }

    /// The proof a calendar's answer makes: `digest`, hidden behind `nonce`, was sent to it as [`commitment`].
    ///
    /// # Errors
    /// An answer that is no timestamp, or attests to nothing.
    pub fn submitted(digest: Digest, nonce: &[u8; 16], answer: &[u8]) -> Result<Self, Malformed> {
        let sent = commitment(&digest, nonce);
        let answer = Timestamp::parse(answer, &sent)?;
        if answer.attested(&sent)?.is_empty() {
            return Err(Malformed::BadAttestation);
        }
        let hashed = Timestamp { operations: [(Operation::Sha256, answer)].into(), ..Timestamp::default() };
        let operations = [(Operation::Append(nonce.to_vec()), hashed)].into();
        Ok(Self { digest, timestamp: Timestamp { operations, ..Timestamp::default() } })
    }

    /// Everything that attests to something, with the message it attests to.
    ///
    /// # Errors
    /// An operation whose result is too long.
    pub fn attested(&self) -> Result<Vec<(Vec<u8>, Attestation)>, Malformed> {
        self.timestamp.attested(&self.digest.0)
    }

    /// What is still only promised: the calendar's address and what to ask it for.
    ///
    /// # Errors
    /// An operation whose result is too long.
    pub fn pending(&self) -> Result<Vec<(String, Vec<u8>)>, Malformed> {
        let all = self.attested()?.into_iter();
        let pending = all.filter_map(|(message, attestation)| match attestation {
            Attestation::Pending(uri) => Some((uri, message)),
            _ => None,
        });
        Ok(pending.collect())
    }

    /// Adds what a calendar answered for `message`; whether that message is one of this proof's.
    ///
    /// # Errors
    /// An answer that is no timestamp.
    pub fn upgrade(&mut self, message: &[u8], answer: &[u8]) -> Result<bool, Malformed> {
        let answer = Timestamp::parse(answer, message)?;
        self.timestamp.graft(&self.digest.0, message, &answer)
    }

    /// Joins another proof of the same digest; false if it is of another one.
    pub fn join(&mut self, other: Self) -> bool {
        let same = self.digest == other.digest;
        if same {
            self.timestamp.merge(other.timestamp);
        }
        same
    }

    /// What it amounts to, given the Merkle roots that `root_at` knows by height (as they stand in block headers).
    ///
    /// # Errors
    /// An operation whose result is too long.
    pub fn status(&self, mut root_at: impl FnMut(u64) -> Option<[u8; 32]>) -> Result<Status, Malformed> {
        let mut unchecked = Vec::new();
        let mut contradicted = Vec::new();
        let mut confirmed: Option<u64> = None;
        let mut pending = false;
        for (message, attestation) in self.attested()? {
            match attestation {
                Attestation::Bitcoin(height) => match root_at(height) {
                    Some(root) if root == *message => confirmed = Some(confirmed.map_or(height, |h| h.min(height))),
                    Some(_) => contradicted.push(height),
                    None => unchecked.push(height),
                },
                Attestation::Pending(_) => pending = true,
                Attestation::Other(..) => (),
            }
        }
        Ok(match (confirmed, contradicted.first(), unchecked.first(), pending) {
            (_, Some(height), ..) => Status::Contradicted(*height),
            (Some(height), ..) => Status::Confirmed(height),
            (None, None, Some(height), _) => Status::Unchecked(*height),
            (None, None, None, true) => Status::Pending,
            (None, None, None, false) => Status::Nothing,
        })
    }
}

/// How far a proof goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// a block at this height, whose header is known, commits to the digest
    Confirmed(u64),
    /// it names a block whose header is not known here
    Unchecked(u64),
    /// it names a block whose header says otherwise
    Contradicted(u64),
    /// calendars promise one; that proves nothing
    Pending,
    /// nothing attests to it
    Nothing,
}

/// What is sent to a calendar: the digest behind a nonce, so that the calendar learns nothing.
pub fn commitment(digest: &Digest, nonce: &[u8; 16]) -> [u8; 32] {
    Digest::of(&[&digest.0[..], nonce].concat()).0
}

impl Timestamp {
    /// Reads a timestamp of `message`: what a calendar answers with.
    ///
    /// # Errors
    /// Bytes that are none.
    pub fn parse(bytes: &[u8], message: &[u8]) -> Result<Self, Malformed> {
        if bytes.len() > MAX_BYTES {
            return Err(Malformed::TooLarge);
        }
        let mut reader = Reader(bytes);
        let timestamp = reader.timestamp(message, MAX_DEPTH)?;
        if reader.0.is_empty() { Ok(timestamp) } else { Err(Malformed::Trailing) }
    }

    fn write(&self, out: &mut Vec<u8>) {
        let items = self.attestations.len() + self.operations.len();
        let mut attestations: Vec<Vec<u8>> = self.attestations.iter().map(written).collect();
        attestations.sort();
        let operations = self.operations.iter().map(|(operation, after)| {
            let mut item = Vec::new();
            operation.write(&mut item);
            after.write(&mut item);
            item
        });
        for (n, item) in attestations.into_iter().chain(operations).enumerate() {
            if n + 1 < items {
                out.push(0xff);
            }
            out.extend_from_slice(&item);
        }
    }

    fn attested(&self, message: &[u8]) -> Result<Vec<(Vec<u8>, Attestation)>, Malformed> {
        let mut found: Vec<_> = self.attestations.iter().map(|a| (message.to_vec(), a.clone())).collect();
        for (operation, after) in &self.operations {
            found.extend(after.attested(&operation.apply(message)?)?);
        }
        Ok(found)
    }

    fn merge(&mut self, other: Self) {
        self.attestations.extend(other.attestations);
        for (operation, after) in other.operations {
            self.operations.entry(operation).or_default().merge(after);
        }
    }

    fn graft(&mut self, here: &[u8], at: &[u8], more: &Self) -> Result<bool, Malformed> {
        if here == at {
            self.merge(more.clone());
            return Ok(true);
        }
        let mut found = false;
        for (operation, after) in &mut self.operations {
            found |= after.graft(&operation.apply(here)?, at, more)?;
        }
        Ok(found)
    }
}

fn written(attestation: &Attestation) -> Vec<u8> {
    let mut out = Vec::new();
    attestation.write(&mut out);
    out
}

/// What is left to read.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn timestamp(&mut self, message: &[u8], depth: usize) -> Result<Timestamp, Malformed> {
        let depth = depth.checked_sub(1).ok_or(Malformed::TooLarge)?;
        let mut timestamp = Timestamp::default();
        loop {
            let (more, tag) = match self.byte()? {
                0xff => (true, self.byte()?),
                tag => (false, tag),
            };
            if tag == 0x00 {
                timestamp.attestations.insert(self.attestation()?);
            } else {
                let operation = self.operation(tag)?;
                let after = self.timestamp(&operation.apply(message)?, depth)?;
                timestamp.operations.entry(operation).or_default().merge(after);
            }
            if !more {
                return Ok(timestamp);
            }
        }
    }

    fn operation(&mut self, tag: u8) -> Result<Operation, Malformed> {
        Ok(match tag {
            0x02 => Operation::Sha1,
            0x03 => Operation::Ripemd160,
            0x08 => Operation::Sha256,
            0x67 => Operation::Keccak256,
            0xf0 => Operation::Append(self.argument()?),
            0xf1 => Operation::Prepend(self.argument()?),
            0xf2 => Operation::Reverse,
            0xf3 => Operation::Hexlify,
            _ => return Err(Malformed::UnknownOperation),
        })
    }

    fn argument(&mut self) -> Result<Vec<u8>, Malformed> {
        let bytes = self.bytes(MAX_MESSAGE)?;
        if bytes.is_empty() { Err(Malformed::UnknownOperation) } else { Ok(bytes.to_vec()) }
    }

    fn attestation(&mut self) -> Result<Attestation, Malformed> {
        let (tag, rest) = self.0.split_first_chunk::<8>().ok_or(Malformed::Short)?;
        self.0 = rest;
        let payload = self.bytes(MAX_PAYLOAD)?;
        let mut inside = Reader(payload);
        let attestation = match *tag {
            BITCOIN => Attestation::Bitcoin(inside.number()?),
            PENDING => Attestation::Pending(uri(inside.bytes(MAX_URI)?)?),
            other => return Ok(Attestation::Other(other, payload.to_vec())),
        };
        if inside.0.is_empty() { Ok(attestation) } else { Err(Malformed::BadAttestation) }
    }

    fn byte(&mut self) -> Result<u8, Malformed> {
        let (byte, rest) = self.0.split_first().ok_or(Malformed::Short)?;
        self.0 = rest;
        Ok(*byte)
    }

    fn number(&mut self) -> Result<u64, Malformed> {
        let mut number = 0u64;
        for shift in (0..63).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(Malformed::TooLarge)
    }

    fn bytes(&mut self, at_most: usize) -> Result<&'a [u8], Malformed> {
        let length = usize::try_from(self.number()?).unwrap_or(usize::MAX);
        if length > at_most {
            return Err(Malformed::TooLarge);
        }
        let (bytes, rest) = self.0.split_at_checked(length).ok_or(Malformed::Short)?;
        self.0 = rest;
        Ok(bytes)
    }
}

/// A calendar's address, of the characters the reference client allows.
fn uri(bytes: &[u8]) -> Result<String, Malformed> {
    let allowed = |b: &u8| b.is_ascii_alphanumeric() || b"-._/:".contains(b);
    let text = bytes.iter().all(allowed).then(|| bytes.iter().map(|b| char::from(*b)).collect());
    text.ok_or(Malformed::BadAttestation)
}

/// The Merkle root and the time in a Bitcoin block header of 80 bytes whose hash meets its own target.
///
/// It tells a header from noise; that the header stands in the chain of most work is for whoever supplies it.
pub fn header(bytes: &[u8]) -> Option<Header> {
    let bytes: &[u8; 80] = bytes.try_into().ok()?;
    let (head, tail) = bytes.split_at(68);
    let root = *head.last_chunk::<32>()?;
    let (time, bits) = (tail.first_chunk::<4>()?, tail.get(4..8)?.first_chunk::<4>()?);
    let mut hash = Digest::of(&Digest::of(bytes).0).0;
    hash.reverse();
    (hash <= target(u32::from_le_bytes(*bits))?).then_some(Header { root, time: u32::from_le_bytes(*time) })
}

/// What a block header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// the Merkle root, in the order the header has it
    pub root: [u8; 32],
    /// when the miner says it was made, seconds since 1970; true to some two hours
    pub time: u32,
}

/// The number that a header's hash must not exceed, from its short form, big-endian.
fn target(bits: u32) -> Option<[u8; 32]> {
    let (exponent, mantissa) = (usize::try_from(bits >> 24).ok()?, bits & 0x00ff_ffff);
    let mut target = [0; 32];
    for (n, octet) in mantissa.to_be_bytes().into_iter().skip(1).enumerate() {
        let place = (32 + n).checked_sub(exponent)?;
        match target.get_mut(place) {
            Some(slot) => *slot = octet,
            None if octet == 0 => (),
            None => return None,
        }
    }
    (mantissa & 0x0080_0000 == 0).then_some(target)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CALENDAR: &str = "https://calendar.example";

    /// As a calendar answers: append a nonce of its own, hash, then a promise.
    fn promise(calendar: &str) -> Vec<u8> {
        let mut out = vec![0xf0, 2, 9, 9, 0x08];
        Attestation::Pending(calendar.to_owned()).write(&mut out);
        out
    }

    fn proof() -> Proof {
        Proof::submitted(Digest::of(b"checkpoint"), &[3; 16], &promise(CALENDAR)).unwrap()
    }

    /// As a calendar answers later: hash, and the block.
    fn block(height: u64) -> Vec<u8> {
        let mut out = vec![0x08];
        Attestation::Bitcoin(height).write(&mut out);
        out
    }

    #[test]
    fn pending_stays_pending_until_a_known_header_confirms_it() {
        let mut proof = proof();
        assert_eq!(proof.status(|_| None), Ok(Status::Pending));
        assert_eq!(proof.status(|_| Some([0; 32])), Ok(Status::Pending), "a promise is never confirmed");
        let [(calendar, message)] = &proof.pending().unwrap()[..] else { panic!("one calendar") };
        assert_eq!(calendar, CALENDAR);
        assert_eq!(proof.upgrade(message, &block(800_000)), Ok(true));
        assert_eq!(proof.upgrade(b"something else", &block(800_000)), Ok(false));
        let root = Digest::of(message).0;
        assert_eq!(proof.status(|_| None), Ok(Status::Unchecked(800_000)));
        assert_eq!(proof.status(|height| (height == 800_000).then_some(root)), Ok(Status::Confirmed(800_000)));
        assert_eq!(proof.status(|_| Some([0; 32])), Ok(Status::Contradicted(800_000)));
        assert_eq!(Proof::parse(&proof.to_bytes()), Ok(proof));
    }

    #[test]
    fn several_calendars_in_one_file() {
        let mut both = proof();
        let other = Proof::submitted(both.digest, &[4; 16], &promise("https://other.example")).unwrap();
        assert!(both.join(other));
        assert_eq!(both.pending().unwrap().len(), 2);
        assert_eq!(Proof::parse(&both.to_bytes()).as_ref(), Ok(&both));
        assert!(!both.join(Proof { digest: Digest::of(b"other"), ..proof() }));
    }

    #[test]
    fn every_operation_does_what_it_says() {
        for (operation, hex) in [
            (Operation::Sha1, "a9993e364706816aba3e25717850c26c9cd0d89d"),
            (Operation::Ripemd160, "8eb208f7e05d987a9b044a8e98c6b087f15a0bfc"),
            (Operation::Sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            (Operation::Keccak256, "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45"),
            (Operation::Append(b"d".to_vec()), "61626364"),
            (Operation::Prepend(b"d".to_vec()), "64616263"),
            (Operation::Reverse, "636261"),
            (Operation::Hexlify, "363136323633"),
        ] {
            assert_eq!(data_encoding::HEXLOWER.encode(&operation.apply(b"abc").unwrap()), hex, "{operation:?}");
        }
    }

    #[test]
    fn malformed_proofs_are_named() {
        let good = proof().to_bytes();
        let bent = |at: usize, to: u8| {
            let mut bytes = good.clone();
            bytes[at] = to;
            Proof::parse(&bytes)
        };
        let first = MAGIC.len() + 2 + 32;
        assert_eq!(bent(0, 1), Err(Malformed::NotAProof));
        assert_eq!(bent(MAGIC.len() + 1, 0x02), Err(Malformed::NotAProof));
        assert_eq!(bent(first, 0x77), Err(Malformed::UnknownOperation));
        assert_eq!(bent(good.len() - 1, b'?'), Err(Malformed::BadAttestation));
        assert_eq!(Proof::parse(&[&good[..], &[0]].concat()), Err(Malformed::Trailing));
        for length in 0..good.len() {
            assert!(Proof::parse(&good[..length]).is_err());
        }
        let deep = [&good[..first], &[0x08; 300]].concat();
        assert_eq!(Proof::parse(&deep), Err(Malformed::TooLarge));
        let endless = [&good[..first], &[0x00], &PENDING, &[0xff; 20]].concat();
        assert_eq!(Proof::parse(&endless), Err(Malformed::TooLarge));
        let growing = [&good[..first], &[0xf3; 20]].concat();
        assert_eq!(Proof::parse(&growing), Err(Malformed::TooLarge));
    }

    /// The first block's header, as every node has it.
    #[test]
    fn a_header_is_told_from_noise_by_its_work() {
        let hex = "0100000000000000000000000000000000000000000000000000000000000000000000003ba3edfd7a7b12b27ac72c3e\
            67768f617fc81bc3888a51323a9fb8aa4b1e5e4a29ab5f49ffff001d1dac2b7c";
        let mut bytes = data_encoding::HEXLOWER.decode(hex.as_bytes()).unwrap();
        let read = header(&bytes).unwrap();
        assert_eq!(read.time, 1_231_006_505);
        assert_eq!(data_encoding::HEXLOWER.encode(&read.root[..4]), "3ba3edfd");
        bytes[40] ^= 1;
        assert_eq!(header(&bytes), None);
        assert_eq!(header(&bytes[..79]), None);
    }
}
