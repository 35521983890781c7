//! Any bytes as a WARC file: no panic, it ends, and the same records with the same problems however the bytes come.
#![no_main]

use std::io::{Cursor, Read, Seek, SeekFrom};

use libfuzzer_sys::fuzz_target;
use onrecord::format::digest::Digest;
use onrecord::format::warc::problem::Kind;
use onrecord::format::warc::read::{Reader, Rules, Want};

/// Gives at most so many bytes at a time.
struct Slow<'a>(Cursor<&'a [u8]>, usize);

impl Read for Slow<'_> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let most = self.1.min(into.len());
        self.0.read(&mut into[..most])
    }
}

impl Seek for Slow<'_> {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        self.0.seek(to)
    }
}

type Seen = (u64, u64, u64, Option<Digest>, Vec<Kind>);

fn read(data: &[u8], at_once: usize, want: Want) -> Vec<Seen> {
    let mut reader = Reader::new(Slow(Cursor::new(data), at_once), 0, want).expect("a slice can be positioned");
    let mut seen = Vec::new();
    while let Some(item) = reader.next().expect("a slice can be read") {
        assert!(item.offset <= data.len() as u64);
        assert!(item.offset + item.length <= data.len() as u64);
        assert!(item.prefix.len() <= want.keep);
        let kinds = item.problems.iter().map(|problem| problem.kind).collect();
        seen.push((item.offset, item.length, item.block_len, item.digests.whole, kinds));
        assert!(seen.len() <= data.len() + 1, "it does not end");
    }
    seen
}

fuzz_target!(|data: &[u8]| {
    let Some((&how, file)) = data.split_first() else { return };
    let rules = if how & 1 == 0 { Rules::Ours } else { Rules::Foreign };
    let want = Want { rules, keep: 64, ..Want::ours() };
    let whole = read(file, usize::MAX, want);
    assert_eq!(whole, read(file, usize::from(how >> 1) + 1, want));
});
