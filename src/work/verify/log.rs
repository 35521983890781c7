//! The ledger, computed again from its leaves: every bundle, every tile, the root, the signature.

use crate::format::checkpoint::{Refused, Signed};
use crate::format::digest::Digest;
use crate::format::merkle::verify_consistency;
use crate::format::note::VerifierKey;
use crate::format::tile::{self, Row, Tile};
use crate::ledger::Edge;
use crate::work::fault::Fault;
use crate::work::parts::Paths;
use crate::work::verify::{Report, Trust};
use crate::world::input;
use crate::world::tiles::reader::Tiles;

/// Longest file of a ledger: a bundle of 256 leaves is far shorter.
const MAX_FILE: u64 = 1 << 20;

/// The ledger as far as it can be read.
#[derive(Debug, Default)]
pub(super) struct Log {
    /// leaves under the checkpoint, as they lie in the bundles; None where one cannot be read
    pub(super) leaves: Vec<Option<Digest>>,
    /// the checkpoint's size; none where there is no readable checkpoint
    pub(super) size: Option<u64>,
}

/// Checks `ledger/`.
pub(super) fn check(paths: &Paths, trust: &Trust, report: &mut Report) -> Result<Log, Fault> {
    let tiles = Tiles::new(&paths.ledger());
    let Some(key) = key(&tiles, trust, report) else { return Ok(Log::default()) };
    let Some(signed) = checkpoint(paths, &key, report)? else { return Ok(Log::default()) };
    report.checked.checkpoints += 1;
    let size = signed.checkpoint.size;
    let leaves = leaves(&tiles, size, report);
    tree(&tiles, &signed, &leaves, report);
    remembered(&tiles, trust, &key, &signed, report);
    Ok(Log { leaves, size: Some(size) })
}

/// The checkpoint alone, its signature checked.
pub(super) fn signed(paths: &Paths, trust: &Trust, report: &mut Report) -> Result<Option<Signed>, Fault> {
    let tiles = Tiles::new(&paths.ledger());
    let Some(key) = key(&tiles, trust, report) else { return Ok(None) };
    let signed = checkpoint(paths, &key, report)?;
    if let Some(signed) = &signed {
        report.checked.checkpoints += 1;
        remembered(&tiles, trust, &key, signed, report);
    }
    Ok(signed)
}

fn key(tiles: &Tiles, trust: &Trust, report: &mut Report) -> Option<VerifierKey> {
    let lying = match tiles.key() {
        Ok(key) => Some(key),
        Err(e) => {
            report.problem("key-unknown", "ledger/vkey", e.to_string());
            None
        }
    };
    match (&trust.key, lying) {
        (Some(trusted), Some(lying)) if *trusted != lying => {
            report.problem("key-unknown", "ledger/vkey", format!("the archive's key is {lying}, not the trusted one"));
            Some(trusted.clone())
        }
        (Some(trusted), _) => Some(trusted.clone()),
        (None, lying) => {
            report.not_checked.push("whether the signing key is the right one: none was given with --key".to_owned());
            lying
        }
    }
}

fn checkpoint(paths: &Paths, key: &VerifierKey, report: &mut Report) -> Result<Option<Signed>, Fault> {
    let path = paths.ledger().join("checkpoint");
    let note = match input::file(&path, MAX_FILE) {
        Ok(note) => note,
        Err(e) => {
            report.problem("checkpoint-missing", "ledger/checkpoint", e.to_string());
            return Ok(None);
        }
    };
    match Signed::open(&note, std::slice::from_ref(key)) {
        Ok(signed) => Ok(Some(signed)),
        Err(refused) => {
            let kind = match refused {
                Refused::KeyUnknown(_) | Refused::OtherOrigin(_) => "key-unknown",
                _ => "checkpoint-bad-signature",
            };
            report.problem(kind, "ledger/checkpoint", refused.to_string());
            // What it claims is still compared, so that one edit does not hide another.
            Ok(Signed::parse(&note).ok())
        }
    }
}

fn leaves(tiles: &Tiles, size: u64, report: &mut Report) -> Vec<Option<Digest>> {
    let mut leaves = Vec::new();
    for tile in tile::all(size).filter(|tile| tile.row == Row::Entries) {
        let here = usize::from(tile.width);
        match read(tiles, tile).as_deref().and_then(tile::records_from_bytes) {
            Some(records) if records.len() == here => {
                report.checked.leaves += records.len() as u64;
                leaves.extend(records.into_iter().map(Some));
            }
            found => {
                let kind = if tiles.path(tile).exists() { "leaf-changed" } else { "leaf-missing" };
                let what = match found {
                    Some(records) => format!("{} leaves where {here} belong", records.len()),
                    None => "it cannot be read".to_owned(),
                };
                report.problem(kind, format!("ledger/{tile}"), what);
                leaves.extend(std::iter::repeat_n(None, here));
            }
        }
    }
    leaves
}

fn read(tiles: &Tiles, tile: Tile) -> Option<Vec<u8>> {
    input::file(&tiles.path(tile), MAX_FILE).ok()
}

/// Builds the tree again and compares every tile and the root.
fn tree(tiles: &Tiles, signed: &Signed, leaves: &[Option<Digest>], report: &mut Report) {
    let Some(known) = leaves.iter().copied().collect::<Option<Vec<Digest>>>() else { return };
    let mut edge = Edge::default();
    let mut compare = |tile: Tile, hashes: &[Digest]| {
        if tile.row == Row::Entries {
            return;
        }
        let lying = read(tiles, tile);
        if lying.as_deref() != Some(&tile::hashes_to_bytes(hashes)) {
            let kind = if lying.is_some() { "tile-changed" } else { "tile-missing" };
            report.problem(kind, format!("ledger/{tile}"), "it is not what its leaves hash to");
        }
    };
    for leaf in &known {
        edge.append(leaf, &mut compare);
    }
    let partial: Vec<(Tile, Vec<Digest>)> = edge.partial().map(|(tile, hashes)| (tile, hashes.to_vec())).collect();
    for (tile, hashes) in partial {
        compare(tile, &hashes);
    }
    if edge.root() != signed.checkpoint.root {
        report.problem("leaf-changed", "ledger/checkpoint", "the leaves lead to another root than the checkpoint's");
    }
}

/// A checkpoint remembered elsewhere must be a prefix of this log.
fn remembered(tiles: &Tiles, trust: &Trust, key: &VerifierKey, signed: &Signed, report: &mut Report) {
    let Some(note) = &trust.checkpoint else {
        report
            .not_checked
            .push("whether the log was rolled back or forked: no checkpoint was given with --checkpoint".to_owned());
        return;
    };
    let old = match Signed::open(note, std::slice::from_ref(key)) {
        Ok(old) => old.checkpoint,
        Err(refused) => {
            report.problem("key-unknown", "the checkpoint given", refused.to_string());
            return;
        }
    };
    report.checked.checkpoints += 1;
    let now = &signed.checkpoint;
    if old.size > now.size {
        let what = format!("the checkpoint given has {} leaves, the archive's {}", old.size, now.size);
        report.problem("checkpoint-rolled-back", "ledger/checkpoint", what);
        return;
    }
    let holds = tiles
        .consistency(old.size, now.size)
        .is_ok_and(|proof| verify_consistency(old.size, &old.root, now.size, &now.root, &proof).is_ok());
    if !holds {
        let what = format!("the first {} leaves are not those of the checkpoint given", old.size);
        report.problem("checkpoint-forked", "ledger/checkpoint", what);
    }
}
