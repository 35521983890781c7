//! A gzip member that lies in memory whole (RFC 1952), inflated at once by libdeflate: half as much again as the bytes a
//! second of a stream. Its safe wrapper does not say where the member ended, which a file of members needs to know.

#![expect(unsafe_code, reason = "libdeflate's C interface; crate::format::gzip::Unpacker is the twin in safe code")]

use std::ptr::NonNull;

/// What became of a try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whole {
    /// the member, its checksum and length right
    Member {
        /// bytes of the input it took
        used: usize,
        /// bytes of the output it made
        made: usize,
    },
    /// it makes more than the output holds
    Short,
    /// it is damaged, or not all of it is there: [`super::Unpacker`] says which
    Unsure,
}

/// Inflates members.
pub struct Inflater {
    raw: NonNull<libdeflate_sys::libdeflate_decompressor>,
}

// SAFETY: the decompressor is memory that nobody else knows of, and every use of it takes `&mut self`.
unsafe impl Send for Inflater {}

impl Inflater {
    /// One, unless there is no memory for it (about 12 KiB).
    pub fn new() -> Option<Self> {
        // SAFETY: the call takes nothing, and answers null or a decompressor that is ours alone.
        let raw = unsafe { libdeflate_sys::libdeflate_alloc_decompressor() };
        NonNull::new(raw).map(|raw| Self { raw })
    }

    /// Inflates the member that `input` begins with; what follows it is not looked at.
    pub fn inflate(&mut self, input: &[u8], output: &mut [u8]) -> Whole {
        let (mut used, mut made) = (0, 0);
        // SAFETY: the decompressor is alive, both slices are valid for their lengths and do not overlap, and the two
        // results outlive the call.
        let result = unsafe {
            libdeflate_sys::libdeflate_gzip_decompress_ex(
                self.raw.as_ptr(),
                input.as_ptr().cast(),
                input.len(),
                output.as_mut_ptr().cast(),
                output.len(),
                &mut used,
                &mut made,
            )
        };
        match result {
            libdeflate_sys::libdeflate_result_LIBDEFLATE_SUCCESS => Whole::Member { used, made },
            libdeflate_sys::libdeflate_result_LIBDEFLATE_INSUFFICIENT_SPACE => Whole::Short,
            _ => Whole::Unsure,
        }
    }
}

impl Drop for Inflater {
    fn drop(&mut self) {
        // SAFETY: it came from the allocation above and is freed once.
        unsafe { libdeflate_sys::libdeflate_free_decompressor(self.raw.as_ptr()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::gzip::{Packer, stored, whole};

    #[test]
    fn it_says_what_the_safe_twin_says_of_every_cut_and_flip() {
        let mut inflater = Inflater::new().unwrap();
        let plain = b"what was said on Monday and what on Tuesday ".repeat(20);
        let mut members = [Vec::new(), Vec::new()];
        Packer::default().deflated(&plain, &mut members[0]);
        stored(&[&plain], &mut members[1]);
        for member in &members {
            let mut room = vec![0; plain.len()];
            let mut followed = member.clone();
            followed.extend_from_slice(b"\x1f\x8bmore");
            let want = Whole::Member { used: member.len(), made: plain.len() };
            assert_eq!(inflater.inflate(&followed, &mut room), want);
            assert_eq!(room, plain);
            assert_eq!(inflater.inflate(member, &mut room[1..]), Whole::Short);
            for cut in 0..member.len() {
                assert_eq!(inflater.inflate(&member[..cut], &mut room), Whole::Unsure, "{cut}");
            }
            for at in 10..member.len() {
                let mut flipped = member.clone();
                flipped[at] ^= 0x10;
                let sound = inflater.inflate(&flipped, &mut room) == want;
                assert_eq!(sound, whole(&flipped, plain.len()).is_ok(), "{at}");
            }
        }
    }
}
