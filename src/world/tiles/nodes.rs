//! The hashes between a tile's own, stored: `ledger/nodes`, from which a proof is read and never hashed.
//!
//! Derived from the tiles and no part of the evidence: it may be deleted at any time, and nothing is lost but speed. A tile
//! of 256 leaves takes 32 blocks, one for each 8 leaves: the hashes of heights 0 to 2 among them, then the five siblings of
//! what is above them in the tile. A path through the tile is therefore one read, of few lines of the CPU's cache.
//!
//! ```text
//! block = 8 hashes, 4 of the height above, 2, then one each of heights 3 to 7, and the CRC-32 of these 608 bytes, big-endian
//! ```
//! Trust: whoever alters this file can make proofs fail and never hold, since a proof is worth what its root is. What a
//! crash or a bad disk does to a block, its checksum tells; the tile itself is then read.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use super::reader::Tiles;
use super::{Error, unreadable};
use crate::format::digest::Digest;
use crate::format::tile::{Row, SPAN, Tile, WIDTH};
use crate::ledger::{Inner, Source as _};

/// Heights of which a block has several hashes, and the leaves it stands for.
const LOW: u8 = 3;
const LEAVES: u64 = 1 << LOW;
const BLOCKS: u64 = WIDTH / LEAVES;

/// Where, in a block, each of its rows begins, and the siblings above.
const ROWS: [usize; LOW as usize] = [0, 8, 12];
const ABOVE: usize = 14;
const HASHES: usize = ABOVE + (SPAN - LOW) as usize;
const BLOCK: usize = HASHES * 32 + 4;
const WHOLE: u64 = BLOCKS * BLOCK as u64;

/// Written at once, and from a multiple of it on: the system then keeps the file in large pieces of memory, and finds a
/// block among few of them instead of among hundreds of thousands of pages.
const PIECE: usize = 2 << 20;

/// The file, for reading.
#[derive(Debug)]
pub struct Nodes(File);

impl Nodes {
    /// That of the log in `folder`; `None` where there is none.
    pub fn open(folder: &Path) -> Option<Self> {
        File::open(path(folder)).ok().map(Self)
    }

    /// Stores the hashes of every full tile of a log of `size` that are not there yet. Gives how many tiles were added. A
    /// file that does not begin and end with whole blocks is made anew.
    ///
    /// # Errors
    /// A tile that is missing or damaged; the disk.
    pub fn build(tiles: &Tiles, size: u64) -> Result<u64, Error> {
        let path = path(tiles.folder());
        let failed = |source| unreadable(path.clone(), source);
        let mut choices = OpenOptions::new();
        let file = choices.create(true).truncate(false).read(true).write(true).open(&path).map_err(failed)?;
        let there = file.metadata().map_err(failed)?.len() / WHOLE;
        let known = Self(file);
        let whole = |number: u64| known.read(number, &mut [0; BLOCK]);
        let have = if there > 0 && whole(0) && whole(there * BLOCKS - 1) { there } else { 0 };
        let Self(file) = known;
        file.set_len(have * WHOLE).map_err(failed)?;
        let mut out = Pieces { file, at: have * WHOLE, held: Vec::with_capacity(PIECE) };
        for index in have..size / WIDTH {
            let mut source = tiles;
            let inner = source.tile(Tile::full(Row::Level(0), index))?;
            (0..BLOCKS).try_for_each(|number| out.put(&block(&inner, number))).map_err(failed)?;
        }
        out.flush().map_err(failed)?;
        Ok((size / WIDTH).saturating_sub(have))
    }

    /// Adds the first eight hashes of leaf `index`'s path, those within its full tile, lowest first, to `path`. Says
    /// whether they are here, and whole.
    pub fn siblings(&self, index: u64, path: &mut Vec<Digest>) -> bool {
        let mut block = [0; BLOCK];
        let here = self.read(index / LEAVES, &mut block);
        if here {
            picked(&block, index, path);
        }
        here
    }

    fn read(&self, number: u64, block: &mut [u8; BLOCK]) -> bool {
        let read = number.checked_mul(BLOCK as u64).map(|at| self.0.read_exact_at(block, at));
        let sum = block.split_last_chunk::<4>();
        matches!(read, Some(Ok(())))
            && sum.is_some_and(|(hashes, sum)| crc32fast::hash(hashes) == u32::from_be_bytes(*sum))
    }
}

/// A tile's hashes in memory, those of one path beside each other as in the file: fewer lines of the CPU's cache.
#[derive(Debug)]
pub struct Laid(Vec<[u8; BLOCK]>);

impl Laid {
    /// Those of a full tile.
    pub fn of(inner: &Inner) -> Self {
        Self((0..BLOCKS).map(|number| block(inner, number)).collect())
    }

    /// As [`Nodes::siblings`], of the tile's hash `at`.
    pub fn siblings(&self, at: u64, path: &mut Vec<Digest>) {
        let number = usize::try_from(at % WIDTH / LEAVES).unwrap_or(usize::MAX);
        if let Some(block) = self.0.get(number) {
            picked(block, at, path);
        }
    }
}

/// Adds the hashes in a block that are hash `at`'s siblings.
fn picked(block: &[u8; BLOCK], at: u64, path: &mut Vec<Digest>) {
    let (hashes, _) = block.as_chunks::<32>();
    let mut found = [Digest([0; 32]); SPAN as usize];
    let (below, above) = found.split_at_mut(usize::from(LOW));
    for ((height, row), slot) in (0u32..).zip(ROWS).zip(below) {
        let beside = usize::try_from(((at % LEAVES) >> height) ^ 1).unwrap_or(0);
        if let Some(hash) = hashes.get(row + beside) {
            slot.0 = *hash;
        }
    }
    for (slot, hash) in above.iter_mut().zip(hashes.iter().skip(ABOVE)) {
        slot.0 = *hash;
    }
    path.extend_from_slice(&found);
}

fn path(folder: &Path) -> PathBuf {
    folder.join("nodes")
}

/// One of a tile's blocks.
fn block(inner: &Inner, number: u64) -> [u8; BLOCK] {
    let mut block = [0; BLOCK];
    let below = (0..LOW).flat_map(|rise| {
        let count = LEAVES >> rise;
        (number * count..(number + 1) * count).map(move |at| (rise, at))
    });
    let above = (LOW..SPAN).map(|rise| (rise, (number >> (rise - LOW)) ^ 1));
    let (slots, _) = block.as_chunks_mut::<32>();
    for (slot, (rise, at)) in slots.iter_mut().zip(below.chain(above)) {
        *slot = inner.node(rise, at).map_or([0; 32], |node| node.0);
    }
    if let Some((hashes, sum)) = block.split_last_chunk_mut::<4>() {
        *sum = crc32fast::hash(hashes).to_be_bytes();
    }
    block
}

/// Writes a file on in aligned pieces.
struct Pieces {
    file: File,
    at: u64,
    held: Vec<u8>,
}

impl Pieces {
    fn put(&mut self, mut bytes: &[u8]) -> std::io::Result<()> {
        while !bytes.is_empty() {
            let begun = usize::try_from(self.at % PIECE as u64).unwrap_or(0);
            let room = PIECE - begun - self.held.len();
            let (now, later) = bytes.split_at(room.min(bytes.len()));
            self.held.extend_from_slice(now);
            if now.len() == room {
                self.flush()?;
            }
            bytes = later;
        }
        Ok(())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.file.write_all_at(&self.held, self.at)?;
        self.at += self.held.len() as u64;
        self.held.clear();
        Ok(())
    }
}
