//! Growth: a checkpoint that was signed once must be a prefix of the log as it is now.

use crate::format::checkpoint::Checkpoint;
use crate::format::merkle::verify_consistency;
use crate::work::verify::Report;
use crate::world::tiles::reader::Tiles;

/// An earlier checkpoint must be a prefix of the log as it is `now`.
pub(super) fn against(tiles: &Tiles, old: &Checkpoint, now: &Checkpoint, place: &str, report: &mut Report) {
    if old.size > now.size {
        let what = format!("a checkpoint of {} leaves was signed, and the ledger has {}", old.size, now.size);
        report.problem("checkpoint-rolled-back", place, what);
        return;
    }
    let holds = tiles
        .consistency(old.size, now.size)
        .is_ok_and(|proof| verify_consistency(old.size, &old.root, now.size, &now.root, &proof).is_ok());
    if !holds {
        let what = format!("the first {} leaves are not those that a checkpoint was signed over", old.size);
        report.problem("checkpoint-forked", place, what);
    }
}
