//! Where the bytes stand that can begin, or stand inside, a citation: half a kibibyte of them looked at in a stroke.
//!
//! A colon may end a scheme, a full stop stand in a domain, a bracket hide either; `EF` begins their full-width forms.

use crate::format::effort::looked_at;

/// A bit for each byte of as many.
const WORD: usize = 64;
/// Words of bits that are looked for together.
const WORDS: usize = 8;
/// How many bytes that is.
const BLOCK: usize = WORD * WORDS;

/// The triggers of a block, the first byte's the lowest bit of the first word.
type Hits = [u64; WORDS];

/// The triggers of the block that was looked at last, kept because it holds many.
pub(super) struct Triggers {
    block: usize,
    hits: Hits,
}

impl Default for Triggers {
    fn default() -> Self {
        Self { block: usize::MAX, hits: [0; WORDS] }
    }
}

impl Triggers {
    /// The first at or behind `from`.
    #[inline]
    pub(super) fn next(&mut self, bytes: &[u8], from: usize) -> Option<usize> {
        let block = from - from % BLOCK;
        if self.block != block {
            self.load(bytes, block);
        }
        let mut word = from % BLOCK / WORD;
        let mut hits = self.hits.get(word)? & (u64::MAX << (from % WORD));
        while hits == 0 {
            word += 1;
            if word == WORDS {
                let next = self.block.saturating_add(BLOCK);
                if next >= bytes.len() {
                    return None;
                }
                self.load(bytes, next);
                word = 0;
            }
            hits = *self.hits.get(word)?;
        }
        Some(self.block + word * WORD + hits.trailing_zeros() as usize)
    }

    fn load(&mut self, bytes: &[u8], block: usize) {
        self.block = block;
        let tail = bytes.get(block..).unwrap_or_default();
        looked_at(tail.len().min(BLOCK));
        self.hits = match tail.first_chunk() {
            Some(whole) => vector::hits(whole),
            None => {
                let mut filled = [0; BLOCK];
                for (to, from) in filled.iter_mut().zip(tail) {
                    *to = *from;
                }
                vector::hits(&filled)
            }
        };
    }
}

/// For any CPU. The first half is in a shape that compilers turn into vector instructions.
fn portable(block: &[u8; BLOCK]) -> Hits {
    let mut hits = [0; WORDS];
    for (hits, bytes) in hits.iter_mut().zip(block.as_chunks::<WORD>().0) {
        let mut found = [0u8; WORD];
        for (found, b) in found.iter_mut().zip(bytes) {
            let signs = u8::from(*b == b':') | u8::from(*b == b'.') | u8::from(*b == b'@') | u8::from(*b == b'#');
            // the two brackets differ in one bit
            *found = signs | u8::from(*b | 0x20 == b'{') | u8::from(*b == b'(') | u8::from(*b == 0xef);
        }
        // gathers the lowest bits of eight bytes in the highest one
        let gathered = |eight: &[u8; 8]| u64::from_le_bytes(*eight).wrapping_mul(0x0102_0408_1020_4080) >> 56;
        *hits = found.as_chunks().0.iter().rev().fold(0, |hits, eight| hits << 8 | gathered(eight));
    }
    hits
}

#[cfg(target_arch = "x86_64")]
#[expect(
    unsafe_code,
    reason = "AVX2: a quarter of the CPU seconds of its twin, an eighth of those that finding takes in all"
)]
mod vector {
    use std::arch::x86_64::{
        __m256i, _mm256_and_si256, _mm256_cmpeq_epi8, _mm256_movemask_epi8, _mm256_set_epi64x, _mm256_set1_epi8,
        _mm256_setzero_si256, _mm256_shuffle_epi8, _mm256_srli_epi16,
    };

    use super::{BLOCK, Hits, WORDS, portable};

    /// By the low half of a byte, the kinds of byte it may be; by the high half, which of them it is.
    const KINDS: ([u8; 16], [u8; 16]) = kinds();

    pub(super) fn hits(block: &[u8; BLOCK]) -> Hits {
        if std::arch::is_x86_feature_detected!("avx2") {
            // SAFETY: the CPU has these instructions
            unsafe { with_avx2(block) }
        } else {
            portable(block)
        }
    }

    const fn kinds() -> ([u8; 16], [u8; 16]) {
        // each high half is a kind of its own, so that no two triggers lend each other a half
        let triggers = [(b'#', 1), (b'(', 1), (b'.', 1), (b':', 2), (b'@', 4), (b'[', 8), (b'{', 16), (0xef, 32)];
        let (mut low, mut high) = ([0; 16], [0; 16]);
        let mut n = 0;
        while n < triggers.len() {
            let (byte, kind): (u8, u8) = triggers[n];
            low[(byte & 15) as usize] |= kind;
            high[(byte >> 4) as usize] |= kind;
            n += 1;
        }
        (low, high)
    }

    #[target_feature(enable = "avx2")]
    fn with_avx2(block: &[u8; BLOCK]) -> Hits {
        let (low, high) = (twice(&KINDS.0), twice(&KINDS.1));
        let mut hits = [0; WORDS];
        for (hits, bytes) in hits.iter_mut().zip(block.as_chunks::<32>().0.as_chunks::<2>().0) {
            let [first, second] = bytes.each_ref().map(|bytes| u64::from(thirty_two(bytes, low, high)));
            *hits = first | second << 32;
        }
        hits
    }

    /// A bit for each byte whose halves have a kind in common.
    #[target_feature(enable = "avx2")]
    fn thirty_two(bytes: &[u8; 32], low: __m256i, high: __m256i) -> u32 {
        let bytes = loaded(bytes);
        let half = _mm256_set1_epi8(15);
        let by_low = _mm256_shuffle_epi8(low, _mm256_and_si256(bytes, half));
        let by_high = _mm256_shuffle_epi8(high, _mm256_and_si256(_mm256_srli_epi16::<4>(bytes), half));
        let none = _mm256_cmpeq_epi8(_mm256_and_si256(by_low, by_high), _mm256_setzero_si256());
        !_mm256_movemask_epi8(none).cast_unsigned()
    }

    #[target_feature(enable = "avx2")]
    fn twice(table: &[u8; 16]) -> __m256i {
        let mut both = [0; 32];
        for (to, from) in both.iter_mut().zip(table.iter().cycle()) {
            *to = *from;
        }
        loaded(&both)
    }

    #[target_feature(enable = "avx2")]
    fn loaded(bytes: &[u8; 32]) -> __m256i {
        let [a, b, c, d] = *bytes.as_chunks::<8>().0 else { return _mm256_setzero_si256() };
        let number = |bytes| u64::from_le_bytes(bytes).cast_signed();
        _mm256_set_epi64x(number(d), number(c), number(b), number(a))
    }
}

#[cfg(not(target_arch = "x86_64"))]
mod vector {
    pub(super) use super::portable as hits;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_trigger(b: u8) -> bool {
        matches!(b, b':' | b'.' | b'@' | b'#' | b'[' | b'{' | b'(' | 0xef)
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
                    let mut want = [if is_trigger(fill) { u64::MAX } else { 0 }; WORDS];
                    if let Some(word) = want.get_mut(at / WORD) {
                        let bit = 1 << (at % WORD);
                        *word = if is_trigger(byte) { *word | bit } else { *word & !bit };
                    }
                    assert_eq!((vector::hits(&block), portable(&block)), (want, want), "{byte} at {at} among {fill}");
                }
            }
        }
    }

    #[test]
    fn none_is_passed_over_wherever_the_search_begins() {
        let text = format!("{}.{}@:{}{}#", "a".repeat(63), "b".repeat(130), "c#".repeat(5), "d".repeat(BLOCK * 2));
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
        assert_eq!(found.len(), 9);
    }
}
