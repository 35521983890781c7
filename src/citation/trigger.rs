//! Where the bytes stand that can begin, or stand inside, a citation: sixty-four of them looked at in a stroke.
//!
//! A colon may end a scheme, a full stop stand in a domain, a bracket hide either; `EF` begins their full-width forms.

use crate::format::effort::looked_at;

/// How many are looked at together: a bit each.
const BLOCK: usize = 64;

/// The triggers of the block that was looked at last, kept because most blocks hold several.
pub(super) struct Triggers {
    block: usize,
    hits: u64,
}

impl Default for Triggers {
    fn default() -> Self {
        Self { block: usize::MAX, hits: 0 }
    }
}

impl Triggers {
    /// The first at or behind `from`.
    pub(super) fn next(&mut self, bytes: &[u8], from: usize) -> Option<usize> {
        let block = from - from % BLOCK;
        if self.block != block {
            self.load(bytes, block);
        }
        let mut hits = self.hits & (u64::MAX << (from - block));
        while hits == 0 {
            let next = self.block.saturating_add(BLOCK);
            if next >= bytes.len() {
                return None;
            }
            self.load(bytes, next);
            hits = self.hits;
        }
        Some(self.block + hits.trailing_zeros() as usize)
    }

    fn load(&mut self, bytes: &[u8], block: usize) {
        self.block = block;
        let tail = bytes.get(block..).unwrap_or_default();
        looked_at(tail.len().min(BLOCK));
        self.hits = match tail.first_chunk() {
            Some(whole) => hits(whole),
            None => {
                let mut filled = [0; BLOCK];
                for (to, from) in filled.iter_mut().zip(tail) {
                    *to = *from;
                }
                hits(&filled)
            }
        };
    }
}

/// A bit for each trigger, the first byte's lowest. The first half is in a shape that compilers turn into vector instructions.
fn hits(block: &[u8; BLOCK]) -> u64 {
    let mut found = [0u8; BLOCK];
    for (found, b) in found.iter_mut().zip(block) {
        let signs = u8::from(*b == b':') | u8::from(*b == b'.') | u8::from(*b == b'@') | u8::from(*b == b'#');
        // the two brackets differ in one bit
        *found = signs | u8::from(*b | 0x20 == b'{') | u8::from(*b == 0xef);
    }
    // gathers the lowest bits of eight bytes in the highest one
    let gathered = |eight: &[u8; 8]| u64::from_le_bytes(*eight).wrapping_mul(0x0102_0408_1020_4080) >> 56;
    found.as_chunks().0.iter().rev().fold(0, |hits, eight| hits << 8 | gathered(eight))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_trigger(b: u8) -> bool {
        matches!(b, b':' | b'.' | b'@' | b'#' | b'[' | b'{' | 0xef)
    }

    #[test]
    fn every_byte_at_every_place_is_told_apart() {
        for byte in 0..=255u8 {
            for at in 0..BLOCK {
                for fill in [b'a', 0x80, b'.'] {
                    let mut block = [fill; BLOCK];
                    if let Some(place) = block.get_mut(at) {
                        *place = byte;
                    }
                    let want = block.iter().rev().fold(0, |hits, b| hits << 1 | u64::from(is_trigger(*b)));
                    assert_eq!(hits(&block), want, "{byte} at {at} among {fill}");
                }
            }
        }
    }

    #[test]
    fn none_is_passed_over_wherever_the_search_begins() {
        let text = format!("{}.{}@:{}", "a".repeat(63), "b".repeat(130), "c#".repeat(5));
        let bytes = text.as_bytes();
        for from in 0..=bytes.len() + 2 {
            let want = (from..bytes.len()).find(|n| bytes.get(*n).is_some_and(|b| is_trigger(*b)));
            assert_eq!(Triggers::default().next(bytes, from), want, "{from}");
        }
        let mut triggers = Triggers::default();
        let (mut at, mut found) = (0, Vec::new());
        while let Some(here) = triggers.next(bytes, at) {
            found.push(here);
            at = here + 1;
        }
        assert_eq!(found.len(), 8);
    }
}
