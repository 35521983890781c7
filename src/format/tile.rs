//! Tiles and entry bundles of a transparency log on disk (C2SP tlog-tiles v1): where they lie and what is in them.
//!
//! ```text
//! tile/<L>/<N>[.p/<W>]         up to 256 hashes of 32 bytes; level L holds the roots of subtrees of height 8·L
//! tile/entries/<N>[.p/<W>]     up to 256 entries, each its length in two bytes, big-endian, then its bytes
//! <N> in groups of three digits: 1234067 is x001/x234/067; <W> only where the tile is not full
//! ```

use std::fmt;

use crate::format::digest::Digest;

/// Hashes in a full tile, entries in a full bundle.
pub const WIDTH: u64 = 256;

/// Heights a level spans.
pub const SPAN: u8 = 8;

/// No tree of 2⁶² leaves has a higher level.
pub const MAX_LEVEL: u8 = 7;

/// Which of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Row {
    /// the entries themselves
    Entries,
    /// hashes of subtrees of height 8·level
    Level(u8),
}

/// One file of the log: a tile or an entry bundle of a certain width.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Tile {
    /// entries or hashes
    pub row: Row,
    /// which in its row
    pub index: u64,
    /// 1 to 256
    pub width: u16,
}

impl Tile {
    /// The full one.
    pub fn full(row: Row, index: u64) -> Self {
        Self { row, index, width: 256 }
    }

    /// Whether nothing more fits in.
    pub fn is_full(&self) -> bool {
        u64::from(self.width) == WIDTH
    }

    /// Reads a path as [`fmt::Display`] writes it. `None` for anything else, other spellings of the same included.
    pub fn parse(path: &str) -> Option<Self> {
        let (row, rest) = path.strip_prefix("tile/")?.split_once('/')?;
        let row = match row {
            "entries" => Row::Entries,
            level => Row::Level(level.parse().ok().filter(|l| *l <= MAX_LEVEL)?),
        };
        let (number, width) = match rest.split_once(".p/") {
            Some((number, width)) => (number, width.parse().ok().filter(|w| (1..256).contains(w))?),
            None => (rest, 256),
        };
        let mut index = 0u64;
        for group in number.split('/') {
            let digits = group.trim_start_matches('x');
            let value: u64 = digits.parse().ok().filter(|v| *v < 1000)?;
            index = index.checked_mul(1000)?.checked_add(value)?;
        }
        let tile = Self { row, index, width };
        (tile.to_string() == path).then_some(tile)
    }
}

/// The path below the log's folder.
impl fmt::Display for Tile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.row {
            Row::Entries => f.write_str("tile/entries/")?,
            Row::Level(level) => write!(f, "tile/{level}/")?,
        }
        let mut above = 1u64;
        while let Some(next) = above.checked_mul(1000).filter(|next| *next <= self.index) {
            above = next;
        }
        while above > 1 {
            write!(f, "x{:03}/", self.index / above % 1000)?;
            above /= 1000;
        }
        write!(f, "{:03}", self.index % 1000)?;
        if self.is_full() { Ok(()) } else { write!(f, ".p/{}", self.width) }
    }
}

/// How many hashes the tree of `size` leaves has on `level`, or entries.
pub fn length(row: Row, size: u64) -> u64 {
    match row {
        Row::Entries => size,
        Row::Level(level) => size.checked_shr(u32::from(level) * u32::from(SPAN)).unwrap_or(0),
    }
}

/// Every tile and bundle a log of `size` must have, bundles first, then level by level.
pub fn all(size: u64) -> impl Iterator<Item = Tile> {
    let rows = std::iter::once(Row::Entries).chain((0..=MAX_LEVEL).map(Row::Level));
    rows.flat_map(move |row| {
        let length = length(row, size);
        (0..length.div_ceil(WIDTH)).map(move |index| {
            let width = (length - index * WIDTH).min(WIDTH);
            Tile { row, index, width: u16::try_from(width).unwrap_or(256) }
        })
    })
}

/// A tile's bytes.
pub fn hashes_to_bytes(hashes: &[Digest]) -> Vec<u8> {
    hashes.iter().flat_map(|hash| hash.0).collect()
}

/// A tile's hashes; `None` if the bytes are not a whole number of them, or more than a tile holds.
pub fn hashes_from_bytes(bytes: &[u8]) -> Option<Vec<Digest>> {
    let (hashes, rest) = bytes.as_chunks::<32>();
    (rest.is_empty() && hashes.len() <= 256).then(|| hashes.iter().copied().map(Digest).collect())
}

/// An entry bundle's bytes, where every entry is a digest.
pub fn records_to_bytes(entries: &[Digest]) -> Vec<u8> {
    let mut out = Vec::with_capacity(entries.len() * 34);
    for entry in entries {
        out.extend_from_slice(&[0, 32]);
        out.extend_from_slice(&entry.0);
    }
    out
}

/// The entries of a bundle of ours; `None` if it is cut, has more than 256, or one that is not 32 bytes long.
pub fn records_from_bytes(bytes: &[u8]) -> Option<Vec<Digest>> {
    let (entries, rest) = bytes.as_chunks::<34>();
    if !rest.is_empty() || entries.len() > 256 {
        return None;
    }
    entries.iter().map(|entry| entry.strip_prefix(&[0, 32])?.try_into().ok().map(Digest)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_those_of_the_specification_and_only_those() {
        let tile = |row, index, width| Tile { row, index, width };
        for (path, expected) in [
            ("tile/0/000", tile(Row::Level(0), 0, 256)),
            ("tile/0/999.p/1", tile(Row::Level(0), 999, 1)),
            ("tile/1/x001/000", tile(Row::Level(1), 1000, 256)),
            ("tile/0/x001/x234/067", tile(Row::Level(0), 1_234_067, 256)),
            ("tile/entries/x001/x234/067.p/255", tile(Row::Entries, 1_234_067, 255)),
        ] {
            assert_eq!(expected.to_string(), path);
            assert_eq!(Tile::parse(path), Some(expected));
        }
        for wrong in [
            "tile/0/0",
            "tile/0/0000",
            "tile/00/000",
            "tile/0/x000/000",
            "tile/0/000.p/256",
            "tile/0/000.p/0",
            "tile/0/000.p/01",
            "tile/0/../000",
            "tile/0/x001",
            "tile/0/+01",
            "tile/8/000",
            "tile/data/000",
            "tile/0/000/",
            "tile/entries/x018/x446/x744/x073/x709/x551/x616",
            "checkpoint",
        ] {
            assert_eq!(Tile::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_log_has_the_tiles_its_size_asks_for() {
        let paths = |size| all(size).map(|t| t.to_string()).collect::<Vec<_>>();
        assert_eq!(paths(0), Vec::<String>::new());
        assert_eq!(paths(256), ["tile/entries/000", "tile/0/000", "tile/1/000.p/1"]);
        assert_eq!(
            paths(600),
            [
                "tile/entries/000",
                "tile/entries/001",
                "tile/entries/002.p/88",
                "tile/0/000",
                "tile/0/001",
                "tile/0/002.p/88",
                "tile/1/000.p/2"
            ]
        );
        assert_eq!(all(70_000).filter(|t| t.row == Row::Level(2)).count(), 1);
    }

    #[test]
    fn contents_round_trip_and_cut_or_foreign_ones_are_refused() {
        let some: Vec<_> = (0..256u16).map(|i| Digest::of(&i.to_be_bytes())).collect();
        for n in [0, 1, 255, 256] {
            assert_eq!(hashes_from_bytes(&hashes_to_bytes(&some[..n])).as_deref(), Some(&some[..n]));
            assert_eq!(records_from_bytes(&records_to_bytes(&some[..n])).as_deref(), Some(&some[..n]));
        }
        let bundle = records_to_bytes(&some);
        assert_eq!(records_from_bytes(&bundle[..bundle.len() - 1]), None);
        assert_eq!(records_from_bytes(&[&[0, 31], &bundle[2..34]].concat()), None);
        assert_eq!(records_from_bytes(&[&bundle[..], &bundle[..34]].concat()), None);
        assert_eq!(hashes_from_bytes(&bundle[..33]), None);
    }
}
