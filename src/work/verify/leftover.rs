//! Files of `ledger/tile/` that the checkpoint does not need: the states of a tile under earlier checkpoints, which are prefixes of
//! what it is now, and what lies beyond the checkpoint, which nobody signed for.

use crate::format::tile::{self, Row, Tile, WIDTH};
use crate::work::fault::Fault;
use crate::work::verify::{MAX_FILE, Report};
use crate::world::input;
use crate::world::tiles::reader::Tiles;

/// Files named; more say no more.
const MOST: u32 = 1000;

/// Looks at every file there is, of a ledger of `size` leaves whose tiles are sound. `unfinished`: a process at work, or one that was cut off, may have
/// written tiles for a checkpoint that it has not signed.
pub(super) fn check(tiles: &Tiles, size: u64, unfinished: bool, report: &mut Report) -> Result<(), Fault> {
    let (mut named, mut beyond) = (0, 0_u64);
    tiles.lying(&mut |name| {
        let (kind, what) = match judge(tiles, size, name) {
            Lies::Sound => return,
            Lies::Beyond if unfinished => {
                beyond += 1;
                return;
            }
            Lies::Beyond => ("tile-added", "the checkpoint does not cover it"),
            Lies::Stranger => ("tile-added", "it is no tile of the ledger"),
            Lies::Changed(Row::Entries) => ("leaf-changed", "it does not hold the leaves that the ledger has there"),
            Lies::Changed(Row::Level(_)) => ("tile-changed", "it does not hold the hashes that the ledger has there"),
        };
        named += 1;
        if named <= MOST {
            report.problem(kind, format!("ledger/{name}"), what);
        }
    })?;
    if beyond > 0 {
        report.notes.push(format!("{beyond} tiles are under no checkpoint yet; the next run signs one over them"));
    }
    Ok(())
}

/// What a file of `ledger/tile/` is.
enum Lies {
    Sound,
    Beyond,
    Changed(Row),
    Stranger,
}

fn judge(tiles: &Tiles, size: u64, name: &str) -> Lies {
    let Some(tile) = Tile::parse(name) else {
        // A file has such a name until it is whole.
        let passing = name.rsplit('/').next().is_some_and(|last| last.starts_with('.') && last.ends_with(".new"));
        return if passing { Lies::Beyond } else { Lies::Stranger };
    };
    let held = tile::length(tile.row, size);
    let below = held.saturating_sub(tile.index.saturating_mul(WIDTH)).min(WIDTH);
    let width = u64::from(tile.width);
    if below == width {
        // Compared when the tree was built.
        return Lies::Sound;
    }
    let item = if tile.row == Row::Entries { 34 } else { 32 };
    let read = |name: &str| input::file(&tiles.folder().join(name), MAX_FILE).ok();
    let now = match u16::try_from(below) {
        Ok(below) if below > 0 => read(&Tile { width: below, ..tile }.to_string()),
        _ => Some(Vec::new()),
    };
    // One that is missing has been named; against it nothing can be measured.
    let Some(now) = now else { return Lies::Sound };
    match read(name) {
        Some(lies) if lies.len() as u64 != width * item => Lies::Changed(tile.row),
        Some(lies) if width < below && now.starts_with(&lies) => Lies::Sound,
        Some(lies) if width > below && lies.starts_with(&now) => Lies::Beyond,
        _ => Lies::Changed(tile.row),
    }
}
