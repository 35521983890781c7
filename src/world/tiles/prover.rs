//! Many audit paths of one log at one size: what they share is read and hashed once.
//!
//! A path runs through tiles: eight hashes in each full one, found beside each other, and above the last full tile a rest
//! that all leaves below the same subtree share.

use std::ops::Deref;

use super::nodes::{Laid, Nodes};
use super::reader::Tiles;
use super::{Error, of};
use crate::format::digest::Digest;
use crate::format::merkle;
use crate::format::tile::{Row, SPAN, Tile, WIDTH};
use crate::ledger::{Source as _, View};

/// Ways on from a tile that are kept, each in the place its number falls on: those of 33 million leaves without any
/// being made twice, in 10 MiB.
const KEPT: usize = 512;

/// Makes audit paths. `T` leads to the tiles: borrowed, or kept with it.
#[derive(Debug)]
pub struct Prover<T> {
    tiles: T,
    nodes: Option<Nodes>,
    size: u64,
    /// above full tiles of leaves
    first: Vec<Option<Above>>,
    /// above full tiles of those
    second: Vec<Option<Above>>,
}

/// What all paths through a tile have in common.
#[derive(Debug)]
struct Above {
    number: u64,
    /// the tile's hashes, of a tile in the second row
    tile: Option<Laid>,
    rest: Vec<Digest>,
}

impl<T: Deref<Target = Tiles>> Prover<T> {
    /// For the first `size` leaves of a log.
    pub fn new(tiles: T, size: u64) -> Self {
        Self { nodes: Nodes::open(tiles.folder()), ..Self::from_tiles(tiles, size) }
    }

    /// The same from the tiles alone, whatever else is stored.
    pub fn from_tiles(tiles: T, size: u64) -> Self {
        Self { tiles, nodes: None, size, first: Vec::new(), second: Vec::new() }
    }

    /// The audit path of leaf `index`, the leaf's sibling first.
    ///
    /// # Errors
    /// An index out of range; a tile that is missing or damaged.
    pub fn inclusion(&mut self, index: u64) -> Result<Vec<Digest>, Error> {
        let (tiles, size) = (&*self.tiles, self.size);
        if index / WIDTH >= size / WIDTH {
            return rest(tiles, index, size, 0);
        }
        let second = index / WIDTH / WIDTH;
        let (kept, level) = if second < size / WIDTH / WIDTH { (&mut self.second, 1) } else { (&mut self.first, 0) };
        let above = kept_above(kept, tiles, index, size, level)?;
        let mut path = Vec::with_capacity(2 * usize::from(SPAN) + above.rest.len());
        within(tiles, self.nodes.as_ref(), index, &mut path)?;
        if let Some(tile) = &above.tile {
            tile.siblings(index / WIDTH, &mut path);
        }
        path.extend_from_slice(&above.rest);
        Ok(path)
    }
}

/// The eight siblings within the full tile of leaf `index`.
fn within(mut tiles: &Tiles, nodes: Option<&Nodes>, index: u64, path: &mut Vec<Digest>) -> Result<(), Error> {
    if !nodes.is_some_and(|nodes| nodes.siblings(index, path)) {
        let inner = tiles.tile(Tile::full(Row::Level(0), index / WIDTH))?;
        path.extend((0..SPAN).filter_map(|rise| inner.node(rise, ((index % WIDTH) >> rise) ^ 1)));
    }
    Ok(())
}

/// What stands above the full tile of leaf `index` in row `level`, which is 0 or 1.
fn kept_above<'k>(
    kept: &'k mut Vec<Option<Above>>,
    mut tiles: &Tiles,
    index: u64,
    size: u64,
    level: u8,
) -> Result<&'k Above, Error> {
    if kept.is_empty() {
        kept.resize_with(KEPT, || None);
    }
    let height = SPAN * (level + 1);
    let number = index >> height;
    let slot =
        usize::try_from(number % KEPT as u64).ok().and_then(|at| kept.get_mut(at)).ok_or(Error::OutOfRange(index))?;
    if slot.as_ref().is_none_or(|above| above.number != number) {
        let tile = if level > 0 { Some(Laid::of(&*tiles.tile(Tile::full(Row::Level(level), number))?)) } else { None };
        *slot = Some(Above { number, tile, rest: rest(tiles, index, size, height)? });
    }
    slot.as_ref().ok_or(Error::OutOfRange(index))
}

/// The part of a path above a subtree of `height`.
fn rest(tiles: &Tiles, index: u64, size: u64, height: u8) -> Result<Vec<Digest>, Error> {
    let mut view = View { source: tiles, size };
    merkle::inclusion_above(&mut view, index, size, height).map_err(|e| of(e, index))
}
