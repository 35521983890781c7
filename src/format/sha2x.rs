//! SHA-256 (FIPS 180-4) of two messages that pass together, such as a record's block and its payload.
//!
//! The CPU's SHA instructions have more latency than throughput: one message leaves the unit idle half of the time, two
//! interleaved fill it. Where the CPU has none of them the `sha2` crate does the work, one message after the other.

use crate::format::digest::{Digest, Hasher};

/// The bytes SHA-256 takes at once.
pub const BLOCK: usize = 64;
const START: [u32; 8] =
    [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19];

/// A running digest that can keep step with another.
#[derive(Clone)]
pub struct Lane(Way);

#[derive(Clone)]
enum Way {
    Portable(Hasher),
    Paired(Box<Running>),
}

#[derive(Clone)]
struct Running {
    state: [u32; 8],
    held: [u8; BLOCK],
    have: usize,
    len: u64,
}

impl Default for Lane {
    fn default() -> Self {
        if ni::is_here() {
            Self(Way::Paired(Box::new(Running { state: START, held: [0; BLOCK], have: 0, len: 0 })))
        } else {
            Self::portable()
        }
    }
}

impl Lane {
    /// The twin in safe code, whatever the CPU has.
    pub fn portable() -> Self {
        Self(Way::Portable(Hasher::default()))
    }

    /// Adds bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        match &mut self.0 {
            Way::Portable(hasher) => hasher.update(bytes),
            Way::Paired(running) => {
                let rest = running.top_up(bytes);
                let (blocks, tail) = rest.as_chunks::<BLOCK>();
                ni::one(&mut running.state, blocks);
                running.hold(tail);
            }
        }
    }

    /// The digest of everything added.
    pub fn finish(self) -> Digest {
        match self.0 {
            Way::Portable(hasher) => hasher.finish(),
            Way::Paired(running) => running.finish(),
        }
    }
}

/// Adds bytes to two digests in step.
pub fn update_both(a: &mut Lane, to_a: &[u8], b: &mut Lane, to_b: &[u8]) {
    let (Way::Paired(first), Way::Paired(second)) = (&mut a.0, &mut b.0) else {
        a.update(to_a);
        b.update(to_b);
        return;
    };
    let (blocks_a, tail_a) = first.top_up(to_a).as_chunks::<BLOCK>();
    let (blocks_b, tail_b) = second.top_up(to_b).as_chunks::<BLOCK>();
    let both = blocks_a.len().min(blocks_b.len());
    let (a_now, a_later) = blocks_a.split_at(both);
    let (b_now, b_later) = blocks_b.split_at(both);
    ni::two(&mut first.state, a_now, &mut second.state, b_now);
    ni::one(&mut first.state, a_later);
    ni::one(&mut second.state, b_later);
    first.hold(tail_a);
    second.hold(tail_b);
}

/// The same bytes to two digests, and others, most of them the same, to a third: three messages in pairs, since three at once do not
/// fit into the registers.
pub fn update_three(a: &mut Lane, b: &mut Lane, to_both: &[u8], c: &mut Lane, to_c: &[u8]) {
    let (early, late) = to_both.split_at(to_both.len() / 2);
    let (c_early, c_late) = to_c.split_at(to_c.len() / 2);
    update_both(a, early, c, c_early);
    update_both(b, early, a, late);
    update_both(b, late, c, c_late);
}

/// The digests of two messages.
pub fn pair(a: &[u8], b: &[u8]) -> (Digest, Digest) {
    let (mut first, mut second) = (Lane::default(), Lane::default());
    update_both(&mut first, a, &mut second, b);
    (first.finish(), second.finish())
}

/// The digests of two blocks, each a whole message padded (§5.1.1).
pub fn block_pair(a: &[u8; BLOCK], b: &[u8; BLOCK]) -> (Digest, Digest) {
    padded_pair(std::slice::from_ref(a), std::slice::from_ref(b))
}

/// The digests of two messages of as many blocks, padded (§5.1.1).
pub fn padded_pair(a: &[[u8; BLOCK]], b: &[[u8; BLOCK]]) -> (Digest, Digest) {
    match ni::whole([a, b]) {
        Some([a, b]) => (Digest(a), Digest(b)),
        _ => (padded_alone(a), padded_alone(b)),
    }
}

/// The digest of a message that is padded already.
pub fn padded_alone(blocks: &[[u8; BLOCK]]) -> Digest {
    ni::whole([blocks]).map_or_else(|| padded_portable(blocks), |[digest]| Digest(digest))
}

/// The twin in safe code, whatever the CPU has.
fn padded_portable(blocks: &[[u8; BLOCK]]) -> Digest {
    let mut state = START;
    sha2::block_api::compress256(&mut state, blocks);
    digest(state)
}

/// The block that a short message is with its padding (§5.1.1); none where it is longer than 55 bytes.
pub fn padded(message: &[u8]) -> Option<[u8; BLOCK]> {
    let mut block = [0; BLOCK];
    let room = block.get_mut(..BLOCK - 8)?;
    let (text, rest) = room.split_at_mut_checked(message.len())?;
    text.copy_from_slice(message);
    *rest.first_mut()? = 0x80;
    let bits = (message.len() as u64 * 8).to_be_bytes();
    block.get_mut(BLOCK - 8..)?.copy_from_slice(&bits);
    Some(block)
}

fn digest(state: [u32; 8]) -> Digest {
    let mut out = [0; 32];
    for (bytes, word) in out.chunks_exact_mut(4).zip(state) {
        bytes.copy_from_slice(&word.to_be_bytes());
    }
    Digest(out)
}

impl Running {
    /// Fills up the block begun earlier; the bytes that are left.
    fn top_up<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        self.len += bytes.len() as u64;
        if self.have == 0 {
            return bytes;
        }
        let (now, later) = bytes.split_at((BLOCK - self.have).min(bytes.len()));
        self.put(now);
        if self.have == BLOCK {
            ni::one(&mut self.state, &[self.held]);
            self.have = 0;
        }
        later
    }

    fn hold(&mut self, tail: &[u8]) {
        if !tail.is_empty() {
            self.put(tail);
        }
    }

    fn put(&mut self, bytes: &[u8]) {
        if let Some(room) = self.held.get_mut(self.have..self.have + bytes.len()) {
            room.copy_from_slice(bytes);
            self.have += bytes.len();
        }
    }

    fn finish(mut self) -> Digest {
        let bits = self.len.wrapping_mul(8).to_be_bytes();
        let zeros = (BLOCK + 55 - self.have) % BLOCK;
        let mut padding = [0; BLOCK + 8];
        if let Some(first) = padding.first_mut() {
            *first = 0x80;
        }
        let rest = self.top_up(padding.get(..=zeros).unwrap_or_default()).len();
        self.hold(padding.get(1 + zeros - rest..=zeros).unwrap_or_default());
        self.top_up(&bits);
        digest(self.state)
    }
}

#[cfg(target_arch = "x86_64")]
#[expect(unsafe_code, reason = "SHA instructions: 1.6 times the bytes a second of one message after the other")]
mod ni {
    use std::arch::x86_64::{
        __m128i, _mm_add_epi32, _mm_alignr_epi8, _mm_extract_epi32, _mm_loadu_si128, _mm_set_epi32, _mm_set_epi64x,
        _mm_setzero_si128, _mm_sha256msg1_epu32, _mm_sha256msg2_epu32, _mm_sha256rnds2_epu32, _mm_shuffle_epi8,
        _mm_shuffle_epi32, _mm_storeu_si128, _mm_unpackhi_epi64, _mm_unpacklo_epi64,
    };

    use super::{BLOCK, START};

    /// The round constants (FIPS 180-4 §4.2.2).
    const K: [u32; 64] = [
        0x428a_2f98,
        0x7137_4491,
        0xb5c0_fbcf,
        0xe9b5_dba5,
        0x3956_c25b,
        0x59f1_11f1,
        0x923f_82a4,
        0xab1c_5ed5,
        0xd807_aa98,
        0x1283_5b01,
        0x2431_85be,
        0x550c_7dc3,
        0x72be_5d74,
        0x80de_b1fe,
        0x9bdc_06a7,
        0xc19b_f174,
        0xe49b_69c1,
        0xefbe_4786,
        0x0fc1_9dc6,
        0x240c_a1cc,
        0x2de9_2c6f,
        0x4a74_84aa,
        0x5cb0_a9dc,
        0x76f9_88da,
        0x983e_5152,
        0xa831_c66d,
        0xb003_27c8,
        0xbf59_7fc7,
        0xc6e0_0bf3,
        0xd5a7_9147,
        0x06ca_6351,
        0x1429_2967,
        0x27b7_0a85,
        0x2e1b_2138,
        0x4d2c_6dfc,
        0x5338_0d13,
        0x650a_7354,
        0x766a_0abb,
        0x81c2_c92e,
        0x9272_2c85,
        0xa2bf_e8a1,
        0xa81a_664b,
        0xc24b_8b70,
        0xc76c_51a3,
        0xd192_e819,
        0xd699_0624,
        0xf40e_3585,
        0x106a_a070,
        0x19a4_c116,
        0x1e37_6c08,
        0x2748_774c,
        0x34b0_bcb5,
        0x391c_0cb3,
        0x4ed8_aa4a,
        0x5b9c_ca4f,
        0x682e_6ff3,
        0x748f_82ee,
        0x78a5_636f,
        0x84c8_7814,
        0x8cc7_0208,
        0x90be_fffa,
        0xa450_6ceb,
        0xbef9_a3f7,
        0xc671_78f2,
    ];

    pub(super) fn is_here() -> bool {
        std::is_x86_feature_detected!("sha")
            && std::is_x86_feature_detected!("ssse3")
            && std::is_x86_feature_detected!("sse4.1")
    }

    pub(super) fn one(state: &mut [u32; 8], blocks: &[[u8; BLOCK]]) {
        if blocks.is_empty() || !is_here() {
            return;
        }
        let mut states = [*state];
        // SAFETY: the CPU has the features the function is compiled for, as was just asked.
        unsafe { compress(&mut states, [blocks]) };
        [*state] = states;
    }

    /// As many blocks of each.
    pub(super) fn two(a: &mut [u32; 8], of_a: &[[u8; BLOCK]], b: &mut [u32; 8], of_b: &[[u8; BLOCK]]) {
        if of_a.is_empty() || !is_here() {
            return;
        }
        let mut states = [*a, *b];
        // SAFETY: the CPU has the features the function is compiled for, as was just asked.
        unsafe { compress(&mut states, [of_a, of_b]) };
        [*a, *b] = states;
    }

    /// The digests of padded messages of as many blocks; none where they are not, or the CPU has no such instructions.
    pub(super) fn whole<const N: usize>(messages: [&[[u8; BLOCK]]; N]) -> Option<[[u8; 32]; N]> {
        let alike = messages.iter().all(|blocks| Some(blocks.len()) == messages.first().map(|first| first.len()));
        if !alike || !is_here() {
            return None;
        }
        // SAFETY: the CPU has the features the function is compiled for, as was just asked.
        Some(unsafe { digests(messages) })
    }

    #[target_feature(enable = "sha,ssse3,sse4.1")]
    fn digests<const N: usize>(messages: [&[[u8; BLOCK]]; N]) -> [[u8; 32]; N] {
        let lanes = run([open(&START); N], messages);
        let mut out = [[0; 32]; N];
        for i in 0..N {
            store(lanes[i], &mut out[i]);
        }
        out
    }

    /// N messages in lock step, as far as the shortest goes.
    #[target_feature(enable = "sha,ssse3,sse4.1")]
    fn compress<const N: usize>(states: &mut [[u32; 8]; N], blocks: [&[[u8; BLOCK]]; N]) {
        let mut lanes = [[_mm_setzero_si128(); 2]; N];
        for i in 0..N {
            lanes[i] = open(&states[i]);
        }
        lanes = run(lanes, blocks);
        for i in 0..N {
            states[i] = close(lanes[i]);
        }
    }

    /// In plain loops over fixed counts, here and above: closures are compiled without the features of the function around them, and then called.
    #[expect(clippy::needless_range_loop, reason = "an iterator that is not inlined costs half of the speed")]
    #[inline]
    #[target_feature(enable = "sha,ssse3,sse4.1")]
    fn run<const N: usize>(mut lanes: [[__m128i; 2]; N], blocks: [&[[u8; BLOCK]]; N]) -> [[__m128i; 2]; N] {
        let mut count = usize::MAX;
        for i in 0..N {
            count = count.min(blocks[i].len());
        }
        for n in 0..count {
            let before = lanes;
            let mut words = [[_mm_setzero_si128(); 4]; N];
            for i in 0..N {
                words[i] = load(&blocks[i][n]);
            }
            for round in 0..16 {
                let k = _mm_set_epi32(
                    K[4 * round + 3] as i32,
                    K[4 * round + 2] as i32,
                    K[4 * round + 1] as i32,
                    K[4 * round] as i32,
                );
                for i in 0..N {
                    let [a, b, c, d] = words[i];
                    let w = _mm_add_epi32(a, k);
                    let [mut abef, mut cdgh] = lanes[i];
                    cdgh = _mm_sha256rnds2_epu32(cdgh, abef, w);
                    abef = _mm_sha256rnds2_epu32(abef, cdgh, _mm_shuffle_epi32::<0x0e>(w));
                    lanes[i] = [abef, cdgh];
                    let next = _mm_add_epi32(_mm_sha256msg1_epu32(a, b), _mm_alignr_epi8::<4>(d, c));
                    words[i] = [b, c, d, _mm_sha256msg2_epu32(next, d)];
                }
            }
            for i in 0..N {
                lanes[i] = [_mm_add_epi32(lanes[i][0], before[i][0]), _mm_add_epi32(lanes[i][1], before[i][1])];
            }
        }
        lanes
    }

    /// The state as the digest's bytes: its words in their order, each big-endian.
    #[inline]
    #[target_feature(enable = "sha,ssse3,sse4.1")]
    fn store([abef, cdgh]: [__m128i; 2], out: &mut [u8; 32]) {
        let order = _mm_set_epi64x(0x0809_0a0b_0c0d_0e0f, 0x0001_0203_0405_0607);
        let first = _mm_shuffle_epi8(_mm_unpackhi_epi64(abef, cdgh), order);
        let second = _mm_shuffle_epi8(_mm_unpacklo_epi64(abef, cdgh), order);
        let at = out.as_mut_ptr().cast::<__m128i>();
        // SAFETY: two unaligned stores of 16 bytes are the digest's 32.
        unsafe {
            _mm_storeu_si128(at, first);
            _mm_storeu_si128(at.add(1), second);
        }
    }

    /// The state in the order the instructions want: ABEF and CDGH.
    #[inline]
    #[target_feature(enable = "sha,ssse3,sse4.1")]
    fn open(s: &[u32; 8]) -> [__m128i; 2] {
        let [a, b, c, d, e, f, g, h] = *s;
        [_mm_set_epi32(a as i32, b as i32, e as i32, f as i32), _mm_set_epi32(c as i32, d as i32, g as i32, h as i32)]
    }

    #[inline]
    #[target_feature(enable = "sha,ssse3,sse4.1")]
    fn close([abef, cdgh]: [__m128i; 2]) -> [u32; 8] {
        [
            _mm_extract_epi32::<3>(abef) as u32,
            _mm_extract_epi32::<2>(abef) as u32,
            _mm_extract_epi32::<3>(cdgh) as u32,
            _mm_extract_epi32::<2>(cdgh) as u32,
            _mm_extract_epi32::<1>(abef) as u32,
            _mm_extract_epi32::<0>(abef) as u32,
            _mm_extract_epi32::<1>(cdgh) as u32,
            _mm_extract_epi32::<0>(cdgh) as u32,
        ]
    }

    /// Sixteen big-endian words.
    #[inline]
    #[target_feature(enable = "sha,ssse3,sse4.1")]
    fn load(block: &[u8; BLOCK]) -> [__m128i; 4] {
        let order = _mm_set_epi64x(0x0c0d_0e0f_0809_0a0b, 0x0405_0607_0001_0203);
        let at = block.as_ptr().cast::<__m128i>();
        // SAFETY: four unaligned loads of 16 bytes are the block's 64.
        let [a, b, c, d] = unsafe {
            [_mm_loadu_si128(at), _mm_loadu_si128(at.add(1)), _mm_loadu_si128(at.add(2)), _mm_loadu_si128(at.add(3))]
        };
        [_mm_shuffle_epi8(a, order), _mm_shuffle_epi8(b, order), _mm_shuffle_epi8(c, order), _mm_shuffle_epi8(d, order)]
    }
}

/// Without the instructions no lane is paired, so none of these is ever asked for work.
#[cfg(not(target_arch = "x86_64"))]
mod ni {
    use super::BLOCK;

    pub(super) fn is_here() -> bool {
        false
    }

    pub(super) fn one(_: &mut [u32; 8], _: &[[u8; BLOCK]]) {}

    pub(super) fn two(_: &mut [u32; 8], _: &[[u8; BLOCK]], _: &mut [u32; 8], _: &[[u8; BLOCK]]) {}

    pub(super) fn whole<const N: usize>(_: [&[[u8; BLOCK]]; N]) -> Option<[[u8; 32]; N]> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(len: usize, seed: u32) -> Vec<u8> {
        (0..len as u32).map(|i| (i ^ seed).wrapping_mul(2_654_435_761).to_be_bytes()[0]).collect()
    }

    #[test]
    fn both_ways_agree_at_every_length() {
        for len in (0..200).chain([1000, 4095, 4096, 10_001]) {
            let (a, b) = (bytes(len, 1), bytes(2 * len / 3 + 7, 2));
            assert_eq!(pair(&a, &b), (Digest::of(&a), Digest::of(&b)), "{len}");
            assert_eq!(pair(&b, &a), (Digest::of(&b), Digest::of(&a)), "{len}");
            let mut portable = Lane::portable();
            update_both(&mut portable, &a, &mut Lane::default(), &b);
            assert_eq!(portable.finish(), Digest::of(&a));
        }
    }

    #[test]
    fn short_messages_make_the_same_digests() {
        for len in 0..56 {
            let (a, b) = (bytes(len, 5), bytes(len * 2 / 3, 6));
            let (Some(first), Some(second)) = (padded(&a), padded(&b)) else { panic!("{len} bytes are one block") };
            assert_eq!(block_pair(&first, &second), (Digest::of(&a), Digest::of(&b)), "{len}");
            for alone in [padded_alone, padded_portable] {
                assert_eq!((alone(&[first]), alone(&[second])), (Digest::of(&a), Digest::of(&b)), "{len}");
            }
            assert_eq!(padded_pair(&[first], &[]).0, Digest::of(&a), "unlike lengths are no pair");
        }
        assert_eq!(padded(&bytes(56, 1)), None);
    }

    #[test]
    fn padded_messages_of_many_blocks_make_the_same_digests() {
        for count in 0..5usize {
            let blocks = |seed| -> Vec<[u8; BLOCK]> { bytes(count * BLOCK, seed).as_chunks().0.to_vec() };
            let (a, b) = (blocks(8), blocks(9));
            let portable = (padded_portable(&a), padded_portable(&b));
            assert_eq!((padded_alone(&a), padded_alone(&b)), portable, "{count}");
            assert_eq!(padded_pair(&a, &b), portable, "{count}");
        }
    }

    #[test]
    fn three_in_pairs_are_the_three() {
        for len in [0, 1, 2, 63, 64, 65, 127, 128, 1000, 10_001] {
            let all = bytes(len, 7);
            let part = &all[len / 3..];
            let (mut a, mut b, mut c) = (Lane::default(), Lane::default(), Lane::default());
            for _ in 0..2 {
                update_three(&mut a, &mut b, &all, &mut c, part);
            }
            let twice = |bytes: &[u8]| Digest::of(&[bytes, bytes].concat());
            assert_eq!((a.finish(), b.finish(), c.finish()), (twice(&all), twice(&all), twice(part)), "{len}");
        }
    }

    #[test]
    fn pieces_of_any_size_make_the_same_digest() {
        let (a, b) = (bytes(5000, 3), bytes(4700, 4));
        for piece in [1, 3, 63, 64, 65, 127, 700] {
            let (mut first, mut second) = (Lane::default(), Lane::default());
            let (mut left_a, mut left_b) = (&a[..], &b[..]);
            while !left_a.is_empty() || !left_b.is_empty() {
                let (now_a, later_a) = left_a.split_at(piece.min(left_a.len()));
                let (now_b, later_b) = left_b.split_at((piece / 2 + 1).min(left_b.len()));
                update_both(&mut first, now_a, &mut second, now_b);
                (left_a, left_b) = (later_a, later_b);
            }
            assert_eq!((first.finish(), second.finish()), (Digest::of(&a), Digest::of(&b)), "{piece}");
        }
    }
}
