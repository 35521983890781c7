//! The ledger: the append-only Merkle log of records (C2SP tlog-tiles) with signed checkpoints.
//!
//! The value is the log's right [`Edge`], all that is needed to go on appending; the step is [`Edge::append`]; the text
//! form is the tiles it fills and, at a checkpoint, the partial ones. Where the tiles are kept is `world/tiles`' business.

use std::sync::Arc;

use crate::format::digest::Digest;
use crate::format::merkle::{self, Frontier, NotMade, Subtrees};
use crate::format::note::KeyName;
use crate::format::tile::{self, MAX_LEVEL, Row, SPAN, Tile, WIDTH};

/// The right edge of a log: the frontier of its tree, and what its last tiles hold so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Edge {
    frontier: Frontier,
    entries: Vec<Digest>,
    levels: Vec<Vec<Digest>>,
}

impl Edge {
    /// Number of leaves.
    pub fn size(&self) -> u64 {
        self.frontier.size()
    }

    /// The root.
    pub fn root(&self) -> Digest {
        self.frontier.root()
    }

    /// The records that do not fill a bundle yet.
    pub fn open_entries(&self) -> &[Digest] {
        &self.entries
    }

    /// Takes up a log of `size` leaves again, with O(log n) reads of tiles.
    ///
    /// # Errors
    /// What the source says. Whether the root is the signed one is for the caller to compare.
    pub fn restored<S: Source>(source: S, size: u64) -> Result<Self, NotMade<S::Error>> {
        let mut view = View { source, size };
        let frontier = merkle::frontier(&mut view, size)?;
        let mut edge = Self { frontier, entries: view.rest(Row::Entries)?, levels: Vec::new() };
        for level in 0..=MAX_LEVEL {
            let rest = view.rest(Row::Level(level))?;
            edge.levels.push(rest);
        }
        while edge.levels.last().is_some_and(Vec::is_empty) {
            edge.levels.pop();
        }
        Ok(edge)
    }

    /// Appends a record by its digest. `full` hears of every tile and bundle this fills.
    pub fn append(&mut self, record: &Digest, full: &mut impl FnMut(Tile, &[Digest])) {
        self.append_subtree(std::slice::from_ref(record), 0, full);
    }

    /// Appends records by their digests: in the largest subtrees they make, whose hashes do not wait for each other.
    pub fn append_all(&mut self, records: &[Digest], full: &mut impl FnMut(Tile, &[Digest])) {
        let mut rest = records;
        while let Some(most) = rest.len().checked_ilog2() {
            let height = most.min(self.size().trailing_zeros()).min(SPAN.into());
            let (now, later) = rest.split_at(1 << height);
            self.append_subtree(now, u8::try_from(height).unwrap_or(0), full);
            rest = later;
        }
    }

    /// Appends the 2^`height` records of a subtree that lies within one tile.
    fn append_subtree(&mut self, records: &[Digest], height: u8, full: &mut impl FnMut(Tile, &[Digest])) {
        let index = self.size() / WIDTH;
        let size = self.size() + records.len() as u64;
        self.entries.extend_from_slice(records);
        if self.entries.len() == 256 {
            full(Tile::full(Row::Entries, index), &self.entries);
            self.entries.clear();
        }
        let leaves = merkle::record_leaves(records);
        put(&mut self.levels, 0, &leaves, size, full);
        let top = (0..height).fold(leaves, |row, _| merkle::row_above(&row));
        if height == SPAN {
            put(&mut self.levels, 1, &top, size, full);
        }
        let levels = &mut self.levels;
        for root in top {
            self.frontier.push_subtree(height, root, |height, hash| {
                if height % SPAN == 0 {
                    put(levels, height / SPAN, &[hash], size, full);
                }
            });
        }
    }

    /// The tiles and bundles that are not full: what a checkpoint of this size needs besides the full ones.
    pub fn partial(&self) -> impl Iterator<Item = (Tile, &[Digest])> {
        let levels = (0..=MAX_LEVEL).zip(&self.levels).map(|(level, hashes)| (Row::Level(level), hashes));
        let rows = std::iter::once((Row::Entries, &self.entries)).chain(levels);
        rows.filter(|(_, held)| !held.is_empty()).map(|(row, held)| {
            let index = tile::length(row, self.size()) / WIDTH;
            let width = u16::try_from(held.len()).unwrap_or(256);
            (Tile { row, index, width }, held.as_slice())
        })
    }
}

/// Adds hashes to a level's last tile, which they do not overfill, and empties it when full. `size` is the log's, these
/// leaves included.
fn put(levels: &mut Vec<Vec<Digest>>, level: u8, hashes: &[Digest], size: u64, full: &mut impl FnMut(Tile, &[Digest])) {
    if levels.len() <= usize::from(level) {
        levels.push(Vec::with_capacity(256));
    }
    let Some(held) = levels.get_mut(usize::from(level)) else { return };
    held.extend_from_slice(hashes);
    if held.len() == 256 {
        let row = Row::Level(level);
        full(Tile::full(row, tile::length(row, size).div_ceil(WIDTH).saturating_sub(1)), held);
        held.clear();
    }
}

/// Where tiles and bundles are read.
pub trait Source {
    /// Why one is not to be had.
    type Error;

    /// A tile with the hashes between its own; at least as wide as asked.
    ///
    /// # Errors
    /// It is missing, or holds less than its width says.
    fn tile(&mut self, tile: Tile) -> Result<Arc<Inner>, Self::Error>;

    /// The records in a bundle; at least as many as its width says.
    ///
    /// # Errors
    /// As [`Source::tile`].
    fn bundle(&mut self, tile: Tile) -> Result<Vec<Digest>, Self::Error>;
}

/// A log of a certain size, seen through its tiles.
#[derive(Clone, Debug)]
pub struct View<S> {
    /// where tiles are read
    pub source: S,
    /// number of leaves
    pub size: u64,
}

impl<S: Source> View<S> {
    /// What stands in the last, partial tile of a row.
    fn rest(&mut self, row: Row) -> Result<Vec<Digest>, NotMade<S::Error>> {
        let length = tile::length(row, self.size);
        let width = length % WIDTH;
        let Some(tile) = self.covering(row, length.wrapping_sub(1)).filter(|_| width > 0) else {
            return Ok(Vec::new());
        };
        let held = match row {
            Row::Entries => self.source.bundle(tile).map_err(NotMade::Source)?,
            Row::Level(_) => self.source.tile(tile).map_err(NotMade::Source)?.base().to_vec(),
        };
        Ok(held.into_iter().take(usize::from(tile.width)).collect())
    }

    /// The tile that holds a row's `at`-th item in a log of this size.
    fn covering(&self, row: Row, at: u64) -> Option<Tile> {
        let length = tile::length(row, self.size);
        let index = at / WIDTH;
        let width = length.checked_sub(index * WIDTH)?.min(WIDTH);
        let width = u16::try_from(width).ok()?;
        (at < length).then_some(Tile { row, index, width })
    }

    /// The record at `index`.
    ///
    /// # Errors
    /// An index out of range, or what the source says.
    pub fn record(&mut self, index: u64) -> Result<Digest, NotMade<S::Error>> {
        let tile = self.covering(Row::Entries, index).ok_or(NotMade::OutOfRange)?;
        let held = self.source.bundle(tile).map_err(NotMade::Source)?;
        let at = usize::try_from(index % WIDTH).map_err(|_| NotMade::OutOfRange)?;
        held.get(at).copied().ok_or(NotMade::OutOfRange)
    }
}

impl<S: Source> Subtrees for View<S> {
    type Error = S::Error;

    fn subtree(&mut self, height: u8, index: u64) -> Result<Digest, NotMade<S::Error>> {
        let (level, rise) = (height / SPAN, height % SPAN);
        let first = index.checked_mul(1 << rise).ok_or(NotMade::OutOfRange)?;
        let last = first.checked_add((1 << rise) - 1).ok_or(NotMade::OutOfRange)?;
        let tile = self.covering(Row::Level(level), last).ok_or(NotMade::OutOfRange)?;
        let inner = self.source.tile(tile).map_err(NotMade::Source)?;
        inner.node(rise, (first % WIDTH) >> rise).ok_or(NotMade::OutOfRange)
    }
}

/// A tile's hashes and those of every complete subtree above them within the tile, so that a proof reads and never hashes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inner {
    /// by rise: rows[0] the tile's own hashes, rows[7] at most two
    rows: [Vec<Digest>; 8],
}

impl Inner {
    /// From a tile's own hashes.
    pub fn above(base: Vec<Digest>) -> Self {
        let mut rows: [Vec<Digest>; 8] = Default::default();
        let mut row = base;
        for slot in &mut rows {
            let next = merkle::row_above(&row);
            *slot = std::mem::replace(&mut row, next);
        }
        Self { rows }
    }

    /// The tile's own hashes.
    pub fn base(&self) -> &[Digest] {
        let [base, ..] = &self.rows;
        base
    }

    /// The subtree `index` of 2^`rise` of the tile's hashes.
    pub fn node(&self, rise: u8, index: u64) -> Option<Digest> {
        self.rows.get(usize::from(rise))?.get(usize::try_from(index).ok()?).copied()
    }
}

/// The name of a log that was given none: nothing resolves below `.invalid`, and the key's hash tells logs apart.
pub fn default_origin(public: &[u8; 32]) -> Option<KeyName> {
    let hash = Digest::of(public).hex();
    format!("onrecord.invalid/{}", hash.get(..16)?).parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::merkle::{record_leaf, root_of, verify_consistency, verify_inclusion};
    use std::collections::HashMap;

    /// A log's tiles in memory, as files would be.
    #[derive(Clone, Default)]
    struct Shelf(HashMap<Tile, Vec<Digest>>);

    #[derive(Debug, PartialEq, Eq)]
    struct Absent(Tile);

    impl Source for &Shelf {
        type Error = Absent;

        fn tile(&mut self, tile: Tile) -> Result<Arc<Inner>, Absent> {
            self.0.get(&tile).cloned().map(|held| Arc::new(Inner::above(held))).ok_or(Absent(tile))
        }

        fn bundle(&mut self, tile: Tile) -> Result<Vec<Digest>, Absent> {
            self.0.get(&tile).cloned().ok_or(Absent(tile))
        }
    }

    fn record(i: u64) -> Digest {
        Digest::of(&i.to_be_bytes())
    }

    /// A log of `size`, published at each of `stops` too.
    fn grown(size: u64, stops: &[u64]) -> (Edge, Shelf) {
        let (mut edge, mut shelf) = (Edge::default(), Shelf::default());
        for i in 0..size {
            edge.append(&record(i), &mut |tile, held| assert!(shelf.0.insert(tile, held.to_vec()).is_none()));
            if stops.contains(&(i + 1)) {
                shelf.0.extend(edge.partial().map(|(tile, held)| (tile, held.to_vec())));
            }
        }
        shelf.0.extend(edge.partial().map(|(tile, held)| (tile, held.to_vec())));
        (edge, shelf)
    }

    #[test]
    fn a_log_writes_exactly_the_tiles_its_size_asks_for() {
        for size in [0, 1, 255, 256, 257, 600, 65_535, 65_536, 65_537, 66_000] {
            let (_, shelf) = grown(size, &[]);
            let mut wanted: Vec<_> = tile::all(size).collect();
            let mut written: Vec<_> = shelf.0.keys().copied().collect();
            wanted.sort();
            written.sort();
            assert_eq!(written, wanted, "size {size}");
            assert!(shelf.0.iter().all(|(tile, held)| usize::from(tile.width) == held.len()));
        }
    }

    #[test]
    fn an_edge_taken_up_again_is_the_edge_that_was_left() {
        for size in [0, 1, 2, 255, 256, 257, 511, 512, 65_536, 65_793] {
            let (edge, shelf) = grown(size, &[]);
            let again = Edge::restored(&shelf, size).unwrap();
            assert_eq!((again.root(), again.size()), (edge.root(), size));
            let mut both = [edge, again];
            let mut filled = [Vec::new(), Vec::new()];
            for (edge, filled) in both.iter_mut().zip(&mut filled) {
                for i in size..size + 300 {
                    edge.append(&record(i), &mut |tile, held| filled.push((tile, held.to_vec())));
                }
            }
            assert_eq!(filled[0], filled[1]);
            assert_eq!(both[0].root(), both[1].root());
        }
    }

    #[test]
    fn proofs_come_from_tiles_at_every_published_size() {
        let sizes = [1, 2, 255, 256, 257, 300, 511, 513, 1000];
        let (edge, shelf) = grown(1000, &sizes);
        let leaves: Vec<_> = (0..1000).map(|i| record_leaf(&record(i))).collect();
        assert_eq!(edge.root(), root_of(&leaves));
        for size in sizes {
            let root = root_of(&leaves[..usize::try_from(size).unwrap()]);
            let mut view = View { source: &shelf, size };
            assert_eq!(merkle::root(&mut view, size), Ok(root));
            for index in (0..size).step_by(7).chain([size - 1]) {
                assert_eq!(view.record(index), Ok(record(index)));
                let proof = merkle::inclusion(&mut view, index, size).unwrap();
                let leaf = record_leaf(&record(index));
                assert_eq!(verify_inclusion(&leaf, index, size, &proof, &root), Ok(()));
            }
            for old in (0..=size).step_by(11) {
                let was = root_of(&leaves[..usize::try_from(old).unwrap()]);
                let proof = merkle::consistency(&mut view, old, size).unwrap();
                assert_eq!(verify_consistency(old, &was, size, &root, &proof), Ok(()));
            }
            assert_eq!(view.record(size), Err(NotMade::OutOfRange));
        }
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig::with_cases(48))]

        #[test]
        fn whatever_was_published_is_proved_and_nothing_else(
            stops in proptest::collection::btree_set(1u64..1500, 1..8), pick: u64, bit in 0usize..256,
        ) {
            let sizes: Vec<u64> = stops.into_iter().collect();
            let size = *sizes.last().unwrap();
            let (edge, shelf) = grown(size, &sizes);
            for now in sizes {
                let mut view = View { source: &shelf, size: now };
                let root = merkle::root(&mut view, now).unwrap();
                let (index, old) = (pick % now, pick % (now + 1));
                let leaf = record_leaf(&record(index));
                let mut path = merkle::inclusion(&mut view, index, now).unwrap();
                proptest::prop_assert_eq!(verify_inclusion(&leaf, index, now, &path, &root), Ok(()));
                let was = merkle::root(&mut View { source: &shelf, size: now }, old).unwrap();
                let mut proof = merkle::consistency(&mut view, old, now).unwrap();
                proptest::prop_assert_eq!(verify_consistency(old, &was, now, &root, &proof), Ok(()));
                for hashes in [&mut path, &mut proof] {
                    let count = hashes.len();
                    if let Some(hash) = hashes.get_mut(bit % count.max(1)) {
                        hash.0[bit / 8] ^= 1 << (bit % 8);
                    }
                }
                proptest::prop_assert!(path.is_empty() || verify_inclusion(&leaf, index, now, &path, &root).is_err());
                proptest::prop_assert!(proof.is_empty() || verify_consistency(old, &was, now, &root, &proof).is_err());
            }
            proptest::prop_assert_eq!(Edge::restored(&shelf, size).unwrap().root(), edge.root());
        }
    }

    #[test]
    fn records_at_once_make_the_log_that_records_one_by_one_make() {
        for (seed, total) in [(1u64, 5000), (2, 70_000)] {
            let (one_by_one, shelf) = grown(total, &[]);
            let (mut edge, mut filled, mut at, mut draw) = (Edge::default(), HashMap::new(), 0, seed);
            while at < total {
                draw = draw.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                let end = (at + (draw >> 40) % (1 << ((draw >> 33) % 13))).min(total);
                let batch: Vec<_> = (at..end).map(record).collect();
                edge.append_all(&batch, &mut |tile, held| assert!(filled.insert(tile, held.to_vec()).is_none()));
                at = end;
            }
            assert_eq!(edge, one_by_one);
            filled.extend(edge.partial().map(|(tile, held)| (tile, held.to_vec())));
            assert!(filled == shelf.0);
        }
    }

    #[test]
    fn a_missing_tile_is_named() {
        let (_, mut shelf) = grown(300, &[]);
        let gone = Tile { row: Row::Level(0), index: 1, width: 44 };
        shelf.0.remove(&gone);
        let mut view = View { source: &shelf, size: 300 };
        let proof = merkle::inclusion(&mut view, 299, 300);
        assert_eq!(proof, Err(NotMade::Source(Absent(gone))));
    }
}
