//! DAG-CBOR (ipld.io/specs/codecs/dag-cbor) as the AT Protocol data model narrows it (atproto.com/specs/data-model): one
//! byte string for one value, no floats, so that the hash of the bytes names the value.

mod decode;
mod encode;
mod model;

use std::borrow::Cow;

use crate::format::cid::{Cid, CidError};

/// Nesting a value may have; AT Protocol records stay far below.
pub const MAX_DEPTH: usize = 64;

/// Values one document may hold, lest a megabyte of small ones becomes a gigabyte of memory.
pub const MAX_ITEMS: usize = 1 << 18;

/// One value; text and bytes are borrowed from the document where it was decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value<'a> {
    /// null
    Null,
    /// true or false
    Bool(bool),
    /// an integer of 64 bits with sign, all that the data model allows
    Int(i64),
    /// a byte string
    Bytes(Cow<'a, [u8]>),
    /// UTF-8 text
    Text(Cow<'a, str>),
    /// an array
    List(Vec<Value<'a>>),
    /// a map with text keys; in canonical order where it was decoded
    Map(Vec<(Cow<'a, str>, Value<'a>)>),
    /// a link to other content (tag 42)
    Link(Cid),
}

/// Why bytes are not canonical DAG-CBOR, with the offset where it shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not canonical dag-cbor at byte {at}: {fault}")]
pub struct CborError {
    /// what is wrong
    pub fault: CborFault,
    /// byte offset
    pub at: usize,
}

/// The ways in which bytes fail to be canonical DAG-CBOR.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CborFault {
    /// the value runs past the end
    #[error("cut short")]
    Truncated,
    /// bytes after the value
    #[error("bytes after the end")]
    Trailing,
    /// deeper than [`MAX_DEPTH`]
    #[error("nested too deep")]
    TooDeep,
    /// more than [`MAX_ITEMS`] values
    #[error("too many values")]
    TooMany,
    /// a number or length in more bytes than it needs
    #[error("a number not in its shortest form")]
    NotMinimal,
    /// a string, list or map without a stated length
    #[error("an indefinite length")]
    Indefinite,
    /// a floating-point number
    #[error("a float")]
    Float,
    /// undefined and other simple values
    #[error("a simple value that is not null, true or false")]
    Simple,
    /// any tag but 42
    #[error("a tag other than 42")]
    Tag,
    /// tag 42 around something that is no link
    #[error("a malformed link: {0}")]
    Link(CidError),
    /// text that is not UTF-8
    #[error("text that is not UTF-8")]
    Utf8,
    /// a key that is not text
    #[error("a map key that is not text")]
    KeyNotText,
    /// keys out of order (shorter first, then bytewise)
    #[error("map keys out of order")]
    KeyOrder,
    /// one key twice
    #[error("a map key that stands twice")]
    KeyTwice,
    /// an integer beyond 64 bits with sign
    #[error("an integer beyond 64 bits")]
    Integer,
}

impl<'a> Value<'a> {
    /// Reads one value that fills `bytes` exactly.
    ///
    /// # Errors
    /// [`CborError`] names the first thing that is not canonical.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, CborError> {
        decode::whole(bytes)
    }

    /// Its canonical bytes; map entries are put in order, and of a key given twice the first stands.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        encode::value(self, &mut out);
        out
    }

    /// The value under `key`, where this is a map that has it.
    pub fn get(&self, key: &str) -> Option<&Value<'a>> {
        match self {
            Self::Map(entries) => entries.iter().find(|(k, _)| k == key).map(|(_, value)| value),
            _ => None,
        }
    }

    /// The text, where it is text.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The bytes, where it is a byte string.
    pub fn as_bytes(&self) -> Option<&[u8]> {
        match self {
            Self::Bytes(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// The integer, where it is one.
    pub fn as_int(&self) -> Option<i64> {
        match self {
            Self::Int(n) => Some(*n),
            _ => None,
        }
    }

    /// The link, where it is one.
    pub fn as_link(&self) -> Option<Cid> {
        match self {
            Self::Link(cid) => Some(*cid),
            _ => None,
        }
    }

    /// The elements, where it is a list.
    pub fn as_list(&self) -> Option<&[Value<'a>]> {
        match self {
            Self::List(items) => Some(items),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests;
