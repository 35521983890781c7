//! Timestamp identifiers (atproto.com/specs/tid): thirteen characters that hold microseconds and a clock's number. The client
//! chooses them, so the time in one is a claim.

use std::fmt::{self, Write as _};
use std::str::FromStr;

use jiff::Timestamp;

const ALPHABET: &[u8; 32] = b"234567abcdefghijklmnopqrstuvwxyz";

/// A TID: 53 bits of microseconds since 1970, then 10 bits of clock number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tid(u64);

/// Text that is no TID.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a TID: expected 13 characters of base32-sortable, the first of them 2 to j")]
pub struct NotATid;

impl Tid {
    /// The first TID of an instant; none before 1970 or after 2255.
    pub fn at(time: Timestamp, clock: u16) -> Option<Self> {
        let micros = u64::try_from(time.as_microsecond()).ok()?;
        (micros < 1 << 53).then_some(Self((micros << 10) | u64::from(clock & 0x3ff)))
    }

    /// The time it holds, to the microsecond.
    pub fn time(self) -> Timestamp {
        // 53 bits of microseconds end in 2255, well within what a timestamp holds
        i64::try_from(self.0 >> 10).ok().and_then(|us| Timestamp::from_microsecond(us).ok()).unwrap_or_default()
    }

    /// The number of the clock that made it.
    pub fn clock(self) -> u16 {
        (self.0 & 0x3ff) as u16
    }
}

impl FromStr for Tid {
    type Err = NotATid;

    fn from_str(text: &str) -> Result<Self, NotATid> {
        // the top bit of 65 is never there and the next is reserved as zero: the first character is at most j
        if text.len() != 13 || !text.starts_with(|c| matches!(c, '2'..='7' | 'a'..='j')) {
            return Err(NotATid);
        }
        let mut value = 0u64;
        for byte in text.bytes() {
            let digit = ALPHABET.iter().position(|&c| c == byte).ok_or(NotATid)?;
            value = (value << 5) | digit as u64;
        }
        Ok(Self(value))
    }
}

impl fmt::Display for Tid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (0..13).rev().try_for_each(|place| {
            let digit = (self.0 >> (5 * place)) & 0x1f;
            f.write_char(char::from(ALPHABET.get(digit as usize).copied().unwrap_or(b'2')))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn times_are_read_to_the_microsecond() {
        for (text, time) in [
            ("3mg7x3ipobs2f", "2026-03-04T09:15:30.123Z"),
            ("3mg7xffoz722f", "2026-03-04T09:21:02.5Z"),
            ("3mgdeuc6u222f", "2026-03-05T18:00:00Z"),
        ] {
            let tid: Tid = text.parse().unwrap();
            assert_eq!(tid.time(), time.parse().unwrap());
            assert_eq!(tid.to_string(), text);
            assert_eq!(Tid::at(tid.time(), tid.clock()), Some(tid));
        }
    }

    #[test]
    fn other_texts_are_refused() {
        for text in
            ["", "222", "3jzfcijpj2z21", "3JZFCIJPJ2Z2A", "zzzzzzzzzzzzz", "kjzfcijpj2z2a", "3jzfcijpj2z2aa", "ééééééé"]
        {
            assert_eq!(text.parse::<Tid>(), Err(NotATid), "{text}");
        }
    }

    proptest! {
        #[test]
        fn text_and_time_sort_alike(a in 0u64..1 << 62, b in 0u64..1 << 62) {
            let (a, b) = (Tid(a), Tid(b));
            prop_assert_eq!(a.cmp(&b), a.to_string().cmp(&b.to_string()));
            prop_assert_eq!(a.to_string().parse(), Ok(a));
        }
    }
}
