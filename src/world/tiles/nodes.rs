//! The hashes between a tile's own, stored: `ledger/nodes`, from which a proof is read and never hashed.
//!
//! Derived from the tiles and no part of the evidence: it may be deleted at any time, and nothing is lost but speed. A tile
//! of 256 leaves takes 16 blocks, one for each 16 leaves: the hashes of heights 0 to 3 among them, then the four siblings of what is
//! above them in the tile. A path through the tile is therefore one read.
//!
//! ```text
//! block = 16 hashes, 8 of the height above, 4, 2, then one each of heights 4 to 7, and the CRC-32 of these 1088 bytes, big-endian
//! ```
//! Trust: whoever alters this file can make proofs fail and never hold, since a proof is worth what its root is. What a
//! crash or a bad disk does to a block, its checksum tells; the tile itself is then read.

use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use super::reader::Tiles;
use super::{Error, unreadable};
use crate::format::digest::Digest;
use crate::format::tile::{Row, Tile, WIDTH};
use crate::ledger::{Inner, Source as _};

const HASHES: usize = 34;
const BLOCK: usize = HASHES * 32 + 4;
const BLOCKS: u64 = 16;

/// Where, in a block, each of its four rows begins, and the siblings above.
const ROWS: [usize; 4] = [0, 16, 24, 28];
const ABOVE: usize = 30;

/// The file, for reading.
#[derive(Debug)]
pub struct Nodes(File);

impl Nodes {
    /// That of the log in `folder`; `None` where there is none.
    pub fn open(folder: &Path) -> Option<Self> {
        File::open(path(folder)).ok().map(Self)
    }

    /// Stores the hashes of every full tile of a log of `size` that are not there yet. Gives how many tiles were added.
    ///
    /// # Errors
    /// A tile that is missing or damaged; the disk.
    pub fn build(tiles: &Tiles, size: u64) -> Result<u64, Error> {
        let path = path(tiles.folder());
        let failed = |source| unreadable(path.clone(), source);
        let mut file = OpenOptions::new().create(true).truncate(false).write(true).open(&path).map_err(failed)?;
        let whole = BLOCKS * BLOCK as u64;
        let have = file.metadata().map_err(failed)?.len() / whole;
        file.set_len(have * whole).map_err(failed)?;
        file.seek(SeekFrom::End(0)).map_err(failed)?;
        let mut out = BufWriter::with_capacity(1 << 18, file);
        for index in have..size / WIDTH {
            let mut source = tiles;
            let inner = source.tile(Tile::full(Row::Level(0), index))?;
            blocks(&inner).try_for_each(|block| out.write_all(&block)).map_err(failed)?;
        }
        out.flush().map_err(failed)?;
        Ok((size / WIDTH).saturating_sub(have))
    }

    /// The first eight hashes of leaf `index`'s path, those within its full tile, lowest first. `None` where they are not
    /// here, or not whole.
    pub fn siblings(&self, index: u64) -> Option<[Digest; 8]> {
        let block = self.block(index / 16)?;
        let (hashes, _) = block.as_chunks::<32>();
        let mut path = [Digest([0; 32]); 8];
        let (below, above) = path.split_at_mut(4);
        for ((height, row), slot) in (0u32..).zip(ROWS).zip(below) {
            slot.0 = *hashes.get(row + usize::try_from(((index % 16) >> height) ^ 1).ok()?)?;
        }
        for (slot, hash) in above.iter_mut().zip(hashes.get(ABOVE..)?) {
            slot.0 = *hash;
        }
        Some(path)
    }

    fn block(&self, number: u64) -> Option<[u8; BLOCK]> {
        let mut block = [0; BLOCK];
        self.0.read_exact_at(&mut block, number.checked_mul(BLOCK as u64)?).ok()?;
        let (hashes, sum) = block.split_last_chunk::<4>()?;
        (crc32fast::hash(hashes) == u32::from_be_bytes(*sum)).then_some(block)
    }
}

fn path(folder: &Path) -> PathBuf {
    folder.join("nodes")
}

/// A tile's blocks.
fn blocks(inner: &Inner) -> impl Iterator<Item = Vec<u8>> {
    (0..BLOCKS).map(move |number| {
        let mut bytes = Vec::with_capacity(BLOCK);
        let mut put = |rise: u8, at: u64| {
            let node = inner.node(rise, at).unwrap_or(Digest([0; 32]));
            bytes.extend_from_slice(&node.0);
        };
        for (rise, count) in [(0, 16), (1, 8), (2, 4), (3, 2)] {
            (number * count..(number + 1) * count).for_each(|at| put(rise, at));
        }
        (0..4).for_each(|height| put(4 + height, (number >> height) ^ 1));
        let sum = crc32fast::hash(&bytes).to_be_bytes();
        bytes.extend_from_slice(&sum);
        bytes
    })
}
