//! Many audit paths of one log at one size: what they share is read and hashed once.
//!
//! A path runs through tiles: eight hashes in each full one, found beside each other, and above the last full tile a rest
//! that all leaves below the same subtree share.

use std::collections::HashMap;

use super::nodes::Nodes;
use super::reader::Tiles;
use super::{Error, of};
use crate::format::digest::Digest;
use crate::format::merkle;
use crate::format::tile::{MAX_LEVEL, Row, SPAN, Tile, WIDTH};
use crate::ledger::{Source as _, View};

/// Rests of paths kept; of a tree of 2³² leaves there are 255 at most.
const RESTS: usize = 1024;

/// Makes audit paths.
#[derive(Debug)]
pub struct Prover<'a> {
    tiles: &'a Tiles,
    nodes: Option<Nodes>,
    size: u64,
    rests: HashMap<(u8, u64), Vec<Digest>>,
}

impl<'a> Prover<'a> {
    /// For the first `size` leaves of a log.
    pub fn new(tiles: &'a Tiles, size: u64) -> Self {
        Self { tiles, nodes: Nodes::open(tiles.folder()), size, rests: HashMap::new() }
    }

    /// The same from the tiles alone, whatever else is stored.
    pub fn from_tiles(tiles: &'a Tiles, size: u64) -> Self {
        Self { tiles, nodes: None, size, rests: HashMap::new() }
    }

    /// The audit path of leaf `index`, the leaf's sibling first.
    ///
    /// # Errors
    /// An index out of range; a tile that is missing or damaged.
    pub fn inclusion(&mut self, index: u64) -> Result<Vec<Digest>, Error> {
        let mut path = Vec::with_capacity(40);
        let mut height = 0;
        for level in 0..=MAX_LEVEL {
            let Some(tile) = self.full_tile(level, index) else { break };
            self.through(tile, index >> height, &mut path)?;
            height += SPAN;
        }
        let place = (height, index.checked_shr(height.into()).unwrap_or(0));
        if !self.rests.contains_key(&place) || height == 0 {
            let mut view = View { source: self.tiles, size: self.size };
            let rest = merkle::inclusion_above(&mut view, index, self.size, height).map_err(|e| of(e, index))?;
            if self.rests.len() >= RESTS {
                self.rests.clear();
            }
            self.rests.insert(place, rest);
        }
        path.extend(self.rests.get(&place).into_iter().flatten());
        Ok(path)
    }

    /// The tile of `level` above leaf `index`, if it is full.
    fn full_tile(&self, level: u8, index: u64) -> Option<Tile> {
        let number = index.checked_shr(u32::from(SPAN) * (u32::from(level) + 1)).unwrap_or(0);
        let whole = self.size.checked_shr(u32::from(SPAN) * (u32::from(level) + 1)).unwrap_or(0);
        (number < whole).then(|| Tile::full(Row::Level(level), number))
    }

    /// The eight siblings within a full tile of its hash `at`.
    fn through(&self, tile: Tile, at: u64, path: &mut Vec<Digest>) -> Result<(), Error> {
        if tile.row == Row::Level(0)
            && let Some(siblings) = self.nodes.as_ref().and_then(|nodes| nodes.siblings(at))
        {
            path.extend(siblings);
            return Ok(());
        }
        let mut source = self.tiles;
        let inner = source.tile(tile)?;
        path.extend((0..SPAN).filter_map(|rise| inner.node(rise, ((at % WIDTH) >> rise) ^ 1)));
        Ok(())
    }
}
