//! Content-addressed archives, version 1 (ipld.io/specs/transport/car/carv1): a header with roots, then blocks, each under
//! the CID that must be the hash of its bytes.

use std::collections::BTreeMap;

use crate::format::cbor::{CborError, Value};
use crate::format::cid::{Cid, CidError, LENGTH};

/// A CAR whose every block has been hashed and found to be what its CID names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Car<'a> {
    /// what the archive is about, in order
    pub roots: Vec<Cid>,
    blocks: BTreeMap<Cid, &'a [u8]>,
}

/// Why bytes are no sound CAR.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CarError {
    /// it ends inside a length, a CID or a block
    #[error("a CAR cut short at byte {0}")]
    Truncated(usize),
    /// a length that is not a shortest-form varint of at most nine bytes
    #[error("a malformed length at byte {0} of a CAR")]
    Varint(usize),
    /// a header that is no canonical CBOR
    #[error("a CAR header that is {0}")]
    HeaderBytes(CborError),
    /// a header without version 1 or without a list of roots
    #[error("a CAR header without version 1 and a list of roots")]
    Header,
    /// a block's CID is not of a supported kind
    #[error("a CAR block at byte {0} under {1}")]
    BlockName(usize, CidError),
    /// a block's bytes are not what its CID names
    #[error("a CAR block whose bytes are not what {0} names")]
    Changed(Cid),
}

impl<'a> Car<'a> {
    /// Reads a CAR and hashes each of its blocks.
    ///
    /// # Errors
    /// [`CarError`]: the first thing that is not sound.
    pub fn read(bytes: &'a [u8]) -> Result<Self, CarError> {
        let mut at = 0;
        let header = Value::decode(section(bytes, &mut at)?).map_err(CarError::HeaderBytes)?;
        let roots = roots(&header).ok_or(CarError::Header)?;
        let mut blocks = BTreeMap::new();
        while at < bytes.len() {
            let start = at;
            let section = section(bytes, &mut at)?;
            let (name, block) = section.split_at_checked(LENGTH).ok_or(CarError::Truncated(start))?;
            let cid = Cid::from_bytes(name).map_err(|why| CarError::BlockName(start, why))?;
            if !cid.matches(block) {
                return Err(CarError::Changed(cid));
            }
            blocks.insert(cid, block);
        }
        Ok(Self { roots, blocks })
    }

    /// The bytes that `cid` names, where they are in the archive.
    pub fn block(&self, cid: &Cid) -> Option<&'a [u8]> {
        self.blocks.get(cid).copied()
    }

    /// How many different blocks there are.
    pub fn len(&self) -> usize {
        self.blocks.len()
    }

    /// Whether there is no block at all.
    pub fn is_empty(&self) -> bool {
        self.blocks.is_empty()
    }
}

fn roots(header: &Value<'_>) -> Option<Vec<Cid>> {
    if header.get("version")?.as_int()? != 1 {
        return None;
    }
    header.get("roots")?.as_list()?.iter().map(Value::as_link).collect()
}

/// The next length-prefixed section.
fn section<'a>(bytes: &'a [u8], at: &mut usize) -> Result<&'a [u8], CarError> {
    let start = *at;
    let length = varint(bytes, at)?;
    let end = usize::try_from(length).ok().and_then(|n| at.checked_add(n));
    let section = end.and_then(|end| bytes.get(*at..end)).ok_or(CarError::Truncated(start))?;
    *at += section.len();
    Ok(section)
}

/// An unsigned LEB128 number, at most nine bytes, in its shortest form (multiformats unsigned-varint).
fn varint(bytes: &[u8], at: &mut usize) -> Result<u64, CarError> {
    let start = *at;
    let mut value = 0u64;
    for shift in (0..63).step_by(7) {
        let byte = *bytes.get(*at).ok_or(CarError::Truncated(start))?;
        *at += 1;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            let padded = byte == 0 && shift > 0;
            return if padded { Err(CarError::Varint(start)) } else { Ok(value) };
        }
    }
    Err(CarError::Varint(start))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn archive(blocks: &[&[u8]]) -> Vec<u8> {
        let root = Value::List(vec![Value::Link(Cid::of_raw(blocks[0]))]);
        let header = Value::Map(vec![("roots".into(), root), ("version".into(), Value::Int(1))]).encode();
        let mut out = vec![u8::try_from(header.len()).unwrap()];
        out.extend(header);
        for block in blocks {
            out.push(u8::try_from(LENGTH + block.len()).unwrap());
            out.extend(Cid::of_raw(block).to_bytes());
            out.extend(*block);
        }
        out
    }

    #[test]
    fn blocks_are_found_by_name() {
        let bytes = archive(&[b"one", b"two", b"one"]);
        let car = Car::read(&bytes).unwrap();
        assert_eq!(car.roots, [Cid::of_raw(b"one")]);
        assert_eq!(car.len(), 2);
        assert_eq!(car.block(&Cid::of_raw(b"two")), Some(&b"two"[..]));
        assert_eq!(car.block(&Cid::of_raw(b"three")), None);
    }

    #[test]
    fn damage_is_named() {
        let sound = archive(&[b"one", b"two"]);
        let changed = |at: usize| {
            let mut bytes = sound.clone();
            bytes[at] ^= 1;
            Car::read(&bytes).unwrap_err()
        };
        assert_eq!(changed(sound.len() - 1), CarError::Changed(Cid::of_raw(b"two")));
        assert!(matches!(changed(1), CarError::HeaderBytes(_)));
        assert_eq!(Car::read(&sound[..sound.len() - 1]), Err(CarError::Truncated(sound.len() - 40)));
        assert_eq!(Car::read(b""), Err(CarError::Truncated(0)));
        assert_eq!(Car::read(b"\x80\x00"), Err(CarError::Varint(0)));
        assert_eq!(Car::read(&[0xff; 12]), Err(CarError::Varint(0)));
        assert_eq!(Car::read(b"\xff\xff\xff\xff\xff\xff\xff\x7f"), Err(CarError::Truncated(0)));
        assert_eq!(Car::read(b"\x01\xa0"), Err(CarError::Header));
        let mut foreign = sound.clone();
        let block = sound.len() - 39;
        foreign[block + 1] = 0x70;
        assert_eq!(Car::read(&foreign), Err(CarError::BlockName(block - 1, CidError::Codec)));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = Car::read(&bytes);
        }

        #[test]
        fn a_changed_byte_is_never_the_same_archive(at in any::<prop::sample::Index>(), flip in 1u8..) {
            let sound = archive(&[b"one", b"two"]);
            let mut bytes = sound.clone();
            bytes[at.index(sound.len())] ^= flip;
            prop_assert_ne!(Car::read(&bytes).ok(), Car::read(&sound).ok());
        }
    }
}
