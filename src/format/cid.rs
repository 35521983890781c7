//! Content identifiers as AT Protocol uses them (CIDv1 of the multiformats CID spec; atproto.com/specs/data-model): SHA-256
//! of a DAG-CBOR value or of raw bytes, written in lower-case base32.

use std::fmt;
use std::str::FromStr;

use data_encoding::BASE32_NOPAD;

use crate::format::digest::Digest;

/// Bytes of a CID in its binary form: version, codec, hash function, hash length, hash.
pub const LENGTH: usize = 36;

/// What the hashed bytes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Codec {
    /// DAG-CBOR (0x71): records, tree nodes, commits
    DagCbor,
    /// raw bytes (0x55): pictures and other blobs
    Raw,
}

impl Codec {
    fn code(self) -> u8 {
        match self {
            Self::DagCbor => 0x71,
            Self::Raw => 0x55,
        }
    }
}

/// A content identifier: whoever has the bytes can tell whether they are the ones named.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Cid {
    /// what was hashed
    pub codec: Codec,
    /// its SHA-256
    pub digest: Digest,
}

/// Why something is no CID of the kind AT Protocol allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CidError {
    /// not `b` and lower-case base32 without padding
    #[error("not a CID: expected b and lower-case base32")]
    Text,
    /// shorter or longer than 36 bytes
    #[error("a CID of the wrong length")]
    Length,
    /// a version other than 1
    #[error("a CID that is not version 1")]
    Version,
    /// neither DAG-CBOR nor raw
    #[error("a CID of a codec that is neither dag-cbor nor raw")]
    Codec,
    /// a hash other than SHA-256
    #[error("a CID whose hash is not SHA-256")]
    Hash,
}

impl Cid {
    /// The CID of the canonical DAG-CBOR `bytes`.
    pub fn of_cbor(bytes: &[u8]) -> Self {
        Self { codec: Codec::DagCbor, digest: Digest::of(bytes) }
    }

    /// The CID of raw `bytes`.
    pub fn of_raw(bytes: &[u8]) -> Self {
        Self { codec: Codec::Raw, digest: Digest::of(bytes) }
    }

    /// Whether `bytes` are what it names.
    pub fn matches(&self, bytes: &[u8]) -> bool {
        Digest::of(bytes) == self.digest
    }

    /// Its 36 bytes.
    pub fn to_bytes(self) -> [u8; LENGTH] {
        let mut out = [0u8; LENGTH];
        let (head, hash) = out.split_at_mut(4);
        head.copy_from_slice(&[1, self.codec.code(), 0x12, 0x20]);
        hash.copy_from_slice(&self.digest.0);
        out
    }

    /// Reads exactly 36 bytes.
    ///
    /// # Errors
    /// [`CidError`], but never `Text`.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, CidError> {
        let bytes: &[u8; LENGTH] = bytes.try_into().map_err(|_| CidError::Length)?;
        let [version, codec, function, length, hash @ ..] = bytes;
        if *version != 1 {
            return Err(CidError::Version);
        }
        let codec = match codec {
            0x71 => Codec::DagCbor,
            0x55 => Codec::Raw,
            _ => return Err(CidError::Codec),
        };
        if (*function, *length) != (0x12, 0x20) {
            return Err(CidError::Hash);
        }
        Ok(Self { codec, digest: Digest(*hash) })
    }
}

impl fmt::Display for Cid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("b")?;
        f.write_str(&BASE32_NOPAD.encode(&self.to_bytes()).to_ascii_lowercase())
    }
}

impl fmt::Debug for Cid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Cid {
    type Err = CidError;

    fn from_str(text: &str) -> Result<Self, CidError> {
        let rest = text.strip_prefix('b').ok_or(CidError::Text)?;
        if rest.len() > 2 * LENGTH || rest.bytes().any(|b| b.is_ascii_uppercase()) {
            return Err(CidError::Text);
        }
        let bytes = BASE32_NOPAD.decode(rest.to_ascii_uppercase().as_bytes()).map_err(|_| CidError::Text)?;
        Self::from_bytes(&bytes)
    }
}

impl serde::Serialize for Cid {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Cid {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = String::deserialize(d)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BLOB: &str = "bafkreibznbfosl7tbhj2v5bh35ovip74fszie3kd2efashiji4qv5lduc4";

    #[test]
    fn both_forms_round_trip() {
        let cid: Cid = BLOB.parse().unwrap();
        assert_eq!(cid.codec, Codec::Raw);
        assert_eq!(cid.to_string(), BLOB);
        assert_eq!(Cid::from_bytes(&cid.to_bytes()), Ok(cid));
        assert!(Cid::of_raw(b"x").matches(b"x"));
        assert!(!Cid::of_raw(b"x").matches(b"y"));
        assert_ne!(Cid::of_raw(b"x"), Cid::of_cbor(b"x"));
    }

    #[test]
    fn other_kinds_are_refused_by_name() {
        assert_eq!(BLOB.to_uppercase().parse::<Cid>(), Err(CidError::Text));
        assert_eq!(format!("{BLOB}a").parse::<Cid>(), Err(CidError::Text), "stray bits");
        assert_eq!("b".repeat(4000).parse::<Cid>(), Err(CidError::Text));
        assert_eq!("bafkreia".parse::<Cid>(), Err(CidError::Length));
        let dag_pb = "bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi";
        assert_eq!(dag_pb.parse::<Cid>(), Err(CidError::Codec));
        let mut bytes = Cid::of_raw(b"x").to_bytes();
        bytes[2] = 0x13;
        assert_eq!(Cid::from_bytes(&bytes), Err(CidError::Hash));
        bytes[0] = 0;
        assert_eq!(Cid::from_bytes(&bytes), Err(CidError::Version));
    }
}
