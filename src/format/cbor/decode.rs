//! DAG-CBOR bytes to values (RFC 8949 §3, narrowed): every spelling but the canonical one is refused, and no stated length
//! is believed before the bytes are there.

use std::borrow::Cow;
use std::cmp::Ordering;

use super::{CborError, CborFault, MAX_DEPTH, MAX_ITEMS, Value};
use crate::format::cid::Cid;

pub(super) fn whole(bytes: &[u8]) -> Result<Value<'_>, CborError> {
    let mut reader = Reader { bytes, at: 0, left: MAX_ITEMS };
    let value = reader.value(0)?;
    if reader.at < bytes.len() {
        return Err(CborError { fault: CborFault::Trailing, at: reader.at });
    }
    Ok(value)
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    left: usize,
}

impl<'a> Reader<'a> {
    fn fail<T>(&self, at: usize, fault: CborFault) -> Result<T, CborError> {
        Err(CborError { fault, at })
    }

    fn take(&mut self, length: u64) -> Result<&'a [u8], CborError> {
        let end = usize::try_from(length).ok().and_then(|n| self.at.checked_add(n));
        let slice = end.and_then(|end| self.bytes.get(self.at..end));
        let Some(slice) = slice else { return self.fail(self.at, CborFault::Truncated) };
        self.at += slice.len();
        Ok(slice)
    }

    /// Major type and argument of the next item.
    fn head(&mut self) -> Result<(u8, u64), CborError> {
        let start = self.at;
        let first = self.take(1)?.first().copied().unwrap_or_default();
        let (major, low) = (first >> 5, first & 0x1f);
        let width = match low {
            0..=23 => return Ok((major, u64::from(low))),
            24..=27 => 1u64 << (low - 24),
            31 if matches!(major, 2..=5) => return self.fail(start, CborFault::Indefinite),
            _ => return self.fail(start, CborFault::Simple),
        };
        if major == 7 {
            let fault = if low == 24 { CborFault::Simple } else { CborFault::Float };
            return self.fail(start, fault);
        }
        let argument = self.take(width)?.iter().fold(0u64, |n, &b| (n << 8) | u64::from(b));
        let smallest = match low {
            24 => 24,
            25 => 1 << 8,
            26 => 1 << 16,
            _ => 1 << 32,
        };
        if argument < smallest {
            return self.fail(start, CborFault::NotMinimal);
        }
        Ok((major, argument))
    }

    fn value(&mut self, depth: usize) -> Result<Value<'a>, CborError> {
        let start = self.at;
        if depth > MAX_DEPTH {
            return self.fail(start, CborFault::TooDeep);
        }
        let Some(left) = self.left.checked_sub(1) else { return self.fail(start, CborFault::TooMany) };
        self.left = left;
        let (major, argument) = self.head()?;
        match major {
            0 => i64::try_from(argument).map(Value::Int).or_else(|_| self.fail(start, CborFault::Integer)),
            // the argument of a negative number n is -1 - n, which is the bitwise complement
            1 => i64::try_from(argument).map(|n| Value::Int(!n)).or_else(|_| self.fail(start, CborFault::Integer)),
            2 => self.take(argument).map(|b| Value::Bytes(Cow::Borrowed(b))),
            3 => self.text(start, argument).map(|t| Value::Text(Cow::Borrowed(t))),
            4 => self.list(argument, depth),
            5 => self.map(argument, depth),
            6 => self.link(start, argument),
            _ => match argument {
                20 => Ok(Value::Bool(false)),
                21 => Ok(Value::Bool(true)),
                22 => Ok(Value::Null),
                _ => self.fail(start, CborFault::Simple),
            },
        }
    }

    fn text(&mut self, start: usize, length: u64) -> Result<&'a str, CborError> {
        let bytes = self.take(length)?;
        std::str::from_utf8(bytes).or_else(|_| self.fail(start, CborFault::Utf8))
    }

    /// Every element takes at least one byte, so a length beyond what is left is a lie and is told before any memory is used.
    fn plausible(&self, length: u64) -> Result<usize, CborError> {
        let left = self.bytes.len().saturating_sub(self.at);
        match usize::try_from(length) {
            Ok(n) if n <= left => Ok(n),
            _ => self.fail(self.at, CborFault::Truncated),
        }
    }

    fn list(&mut self, length: u64, depth: usize) -> Result<Value<'a>, CborError> {
        let mut items = Vec::new();
        for _ in 0..self.plausible(length)? {
            items.push(self.value(depth + 1)?);
        }
        Ok(Value::List(items))
    }

    fn map(&mut self, length: u64, depth: usize) -> Result<Value<'a>, CborError> {
        let mut entries: Vec<(Cow<'a, str>, Value<'a>)> = Vec::new();
        for _ in 0..self.plausible(length)? {
            let start = self.at;
            let key = self.key()?;
            let order = entries.last().map_or(Ordering::Less, |(last, _)| by_length_then_bytes(last, key));
            match order {
                Ordering::Less => {}
                Ordering::Equal => return self.fail(start, CborFault::KeyTwice),
                Ordering::Greater => return self.fail(start, CborFault::KeyOrder),
            }
            entries.push((Cow::Borrowed(key), self.value(depth + 1)?));
        }
        Ok(Value::Map(entries))
    }

    fn key(&mut self) -> Result<&'a str, CborError> {
        let start = self.at;
        match self.head()? {
            (3, length) => self.text(start, length),
            _ => self.fail(start, CborFault::KeyNotText),
        }
    }

    /// Tag 42 holds a byte string: a zero byte (the identity base), then the CID.
    fn link(&mut self, start: usize, tag: u64) -> Result<Value<'a>, CborError> {
        if tag != 42 {
            return self.fail(start, CborFault::Tag);
        }
        let (major, length) = self.head()?;
        if major != 2 {
            return self.fail(start, CborFault::Tag);
        }
        let bytes = self.take(length)?;
        let cid = bytes.strip_prefix(&[0]).ok_or(crate::format::cid::CidError::Length).and_then(Cid::from_bytes);
        cid.map(Value::Link).or_else(|why| self.fail(start, CborFault::Link(why)))
    }
}

/// The order of map keys: shorter first, then bytewise.
pub(super) fn by_length_then_bytes(a: &str, b: &str) -> Ordering {
    a.len().cmp(&b.len()).then_with(|| a.as_bytes().cmp(b.as_bytes()))
}
