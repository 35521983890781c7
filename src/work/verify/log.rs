//! The ledger, computed again from its leaves: every bundle, every tile, the root, the signature.

use std::collections::{HashMap, VecDeque};

use crate::format::checkpoint::{Refused, Signed};
use crate::format::digest::Digest;
use crate::format::merkle::{record_leaf, root_of};
use crate::format::note::VerifierKey;
use crate::format::tile::{self, Row, Tile};
use crate::ledger::Edge;
use crate::work::fault::Fault;
use crate::work::parts::Paths;
use crate::work::verify::anchors::{self, Expected};
use crate::work::verify::growth::against;
use crate::work::verify::keys::{self, Keys, Said};
use crate::work::verify::leftover;
use crate::work::verify::scan::Seen;
use crate::work::verify::{MAX_FILE, Report, Trust};
use crate::world::input;
use crate::world::tiles::reader::Tiles;

/// Bundles that cannot be read, behind which no more are looked for: a checkpoint can claim any size.
const GAPS: usize = 1000;

/// The leaves under the checkpoint.
#[derive(Debug)]
enum Leaves {
    /// there is no readable checkpoint
    None,
    /// so many, as they lie in the bundles
    Lying(u64),
    /// as they were put together from what is not damaged; None where one cannot be known
    Held(Vec<Option<Digest>>),
}

/// The leaves one by one as they lie in the bundles, before anyone has looked whether they lead to the checkpoint.
#[derive(Debug)]
pub(super) struct Order {
    tiles: Tiles,
    size: u64,
    next: u64,
    ahead: VecDeque<Digest>,
}

impl Order {
    pub(super) fn new(paths: &Paths) -> Self {
        let tiles = Tiles::new(&paths.ledger());
        let size = tiles.claimed_size().unwrap_or(0);
        Self { tiles, size, next: 0, ahead: VecDeque::new() }
    }

    /// The next leaf; none at the end, or where it cannot be read.
    pub(super) fn next(&mut self) -> Option<Digest> {
        if self.ahead.is_empty() && self.next < self.size {
            self.ahead.extend(bundle(&self.tiles, at(self.next, self.size)).ok()?);
            self.next += self.ahead.len() as u64;
        }
        self.ahead.pop_front()
    }
}

/// The bundle that begins with this leaf in a log of this size.
fn at(from: u64, size: u64) -> Tile {
    let width = (size - from).min(tile::WIDTH);
    Tile { row: Row::Entries, index: from / tile::WIDTH, width: u16::try_from(width).unwrap_or(256) }
}

/// The ledger as far as it can be read.
#[derive(Debug)]
pub(super) struct Log {
    leaves: Leaves,
    /// the checkpoint's size; none where there is no readable checkpoint
    pub(super) size: Option<u64>,
    /// what it is read with; none where there is no readable checkpoint
    open: Option<Open>,
}

/// The ledger, its checkpoint read.
#[derive(Debug)]
pub(super) struct Open {
    pub(super) tiles: Tiles,
    pub(super) keys: Keys,
    pub(super) signed: Signed,
    /// its signature holds
    believed: bool,
}

impl Log {
    /// The next leaves from `from` on, a multiple of what a bundle holds; none at the end.
    pub(super) fn some(&self, from: u64) -> Vec<Option<Digest>> {
        match (&self.leaves, &self.open) {
            (Leaves::Held(held), _) => {
                let from = usize::try_from(from).unwrap_or(usize::MAX);
                held.iter().skip(from).take(tile::WIDTH as usize).copied().collect()
            }
            (Leaves::Lying(size), Some(open)) if from < *size => {
                let tile = at(from, *size);
                match bundle(&open.tiles, tile) {
                    Ok(records) => records.into_iter().map(Some).collect(),
                    // It was there a moment ago.
                    Err(_) => vec![None; tile.width.into()],
                }
            }
            _ => Vec::new(),
        }
    }

    /// A key that was replaced signs nothing that came later.
    fn replaced(&self, report: &mut Report) {
        let Some(open) = &self.open else { return };
        for (key, leaf) in &open.keys.replaced {
            let Some((at, last)) = self.place_of(leaf) else { continue };
            let others: Vec<VerifierKey> = open.keys.all.iter().filter(|k| *k != key).cloned().collect();
            // The rotation's own record may still be under the old key alone.
            if !last && Signed::open(&open.signed.note, &others).is_err() {
                let what = format!("it is signed with {key} alone, which leaf {at} replaced");
                report.problem("key-unknown", "ledger/checkpoint", what);
            }
        }
    }

    /// The index of a leaf, and whether it is the last one.
    fn place_of(&self, leaf: &Digest) -> Option<(u64, bool)> {
        let mut from = 0;
        loop {
            let some = self.some(from);
            if some.is_empty() {
                return None;
            }
            let next = from + some.len() as u64;
            if let Some(at) = some.iter().position(|l| l.as_ref() == Some(leaf)) {
                return Some((from + at as u64, at + 1 == some.len() && self.some(next).is_empty()));
            }
            from = next;
        }
    }

    /// Who else vouches for it.
    pub(super) fn vouched(&self, trust: &Trust, expected: &Expected, report: &mut Report) {
        let Some(open) = &self.open else { return };
        let reach = open.anchors(trust).all(expected, report);
        let substance = expected.substance.min(open.signed.checkpoint.size);
        report.independence = reach.over(substance);
        reach.tell(substance, report);
    }
}

impl Open {
    /// Reads key and checkpoint, and compares them with what is remembered elsewhere. Nothing else is read.
    pub(super) fn read(paths: &Paths, trust: &Trust, said: &Said, report: &mut Report) -> Result<Option<Self>, Fault> {
        let tiles = Tiles::new(&paths.ledger());
        let Some(keys) = keys::known(&tiles, said, trust, report) else { return Ok(None) };
        let Some((signed, believed)) = checkpoint(paths, &keys.all, report)? else { return Ok(None) };
        report.checked.checkpoints += 1;
        if believed {
            remembered(&tiles, trust, &keys.all, &signed, report);
        }
        Ok(Some(Self { tiles, keys, signed, believed }))
    }

    /// The anchors beside it.
    pub(super) fn anchors<'a>(&'a self, trust: &'a Trust) -> anchors::Look<'a> {
        anchors::Look::new(&self.tiles, &self.keys, trust, &self.signed)
    }
}

/// Checks `ledger/`.
pub(super) fn check(paths: &Paths, trust: &Trust, seen: &Seen, report: &mut Report) -> Result<Log, Fault> {
    let nothing = Log { leaves: Leaves::None, size: None, open: None };
    let Some(open) = Open::read(paths, trust, &seen.said, report)? else { return Ok(nothing) };
    let size = open.signed.checkpoint.size;
    let mut found = Report::new("ledger");
    let leaves = match climb(&open, &mut found) {
        true => {
            // What nobody signed for is measured against nothing.
            if open.believed {
                leftover::check(&open.tiles, size, seen.unsealed, &mut found)?;
            }
            Leaves::Lying(size)
        }
        false => Leaves::Held(from_tiles(&open, seen, &mut found)?),
    };
    if !open.believed && !found.problems.is_empty() {
        // Nobody signed for that size: what lies there is measured against nothing.
        return Ok(nothing);
    }
    report.checked.leaves += found.checked.leaves;
    report.problems.append(&mut found.problems);
    report.notes.append(&mut found.notes);
    let log = Log { leaves, size: Some(size), open: Some(open) };
    log.replaced(report);
    Ok(log)
}

fn checkpoint(paths: &Paths, keys: &[VerifierKey], report: &mut Report) -> Result<Option<(Signed, bool)>, Fault> {
    let path = paths.ledger().join("checkpoint");
    let note = match input::file(&path, MAX_FILE) {
        Ok(note) => note,
        Err(e) => {
            report.problem("checkpoint-missing", "ledger/checkpoint", e.to_string());
            return Ok(None);
        }
    };
    match Signed::open(&note, keys) {
        Ok(signed) => Ok(Some((signed, true))),
        Err(refused) => {
            let kind = match refused {
                Refused::KeyUnknown(_) | Refused::OtherOrigin(_) => "key-unknown",
                _ => "checkpoint-bad-signature",
            };
            report.problem(kind, "ledger/checkpoint", refused.to_string());
            // What it claims is still compared, so that one edit does not hide another.
            Ok(Signed::parse(&note).ok().map(|signed| (signed, false)))
        }
    }
}

fn read(tiles: &Tiles, tile: Tile) -> Option<Vec<u8>> {
    input::file(&tiles.path(tile), MAX_FILE).ok()
}

/// The bundles that a log of this size has, in order.
fn bundles(size: u64) -> impl Iterator<Item = Tile> {
    tile::all(size).filter(|tile| tile.row == Row::Entries)
}

/// The records in a bundle, or in words why not.
fn bundle(tiles: &Tiles, tile: Tile) -> Result<Vec<Digest>, String> {
    let here = usize::from(tile.width);
    match read(tiles, tile).as_deref().and_then(tile::records_from_bytes) {
        Some(records) if records.len() == here => Ok(records),
        Some(records) => Err(format!("{} leaves where {here} belong", records.len())),
        None => Err("it cannot be read".to_owned()),
    }
}

/// Builds the tree again from the bundles and compares every tile and the root; false where the leaves do not lead to it.
fn climb(open: &Open, report: &mut Report) -> bool {
    let tiles = &open.tiles;
    let mut wrong = Report::new("tiles");
    let mut compare = |tile: Tile, hashes: &[Digest]| {
        if tile.row == Row::Entries {
            return;
        }
        let lying = read(tiles, tile);
        if lying.as_deref() != Some(&tile::hashes_to_bytes(hashes)) {
            let kind = if lying.is_some() { "tile-changed" } else { "tile-missing" };
            wrong.problem(kind, format!("ledger/{tile}"), "it is not what its leaves hash to");
        }
    };
    let (mut edge, mut gaps) = (Edge::default(), 0);
    for tile in bundles(open.signed.checkpoint.size) {
        match bundle(tiles, tile) {
            Ok(records) => {
                report.checked.leaves += records.len() as u64;
                records.iter().filter(|_| gaps == 0).for_each(|leaf| edge.append(leaf, &mut compare));
            }
            Err(what) => {
                let kind = if tiles.path(tile).exists() { "leaf-changed" } else { "leaf-missing" };
                report.problem(kind, format!("ledger/{tile}"), what);
                gaps += 1;
                if gaps == GAPS {
                    break;
                }
            }
        }
    }
    let partial: Vec<(Tile, Vec<Digest>)> = edge.partial().map(|(tile, hashes)| (tile, hashes.to_vec())).collect();
    if gaps > 0 || edge.root() != open.signed.checkpoint.root {
        return false;
    }
    for (tile, hashes) in partial {
        compare(tile, &hashes);
    }
    report.problems.append(&mut wrong.problems);
    true
}

/// Leaves that do not lead to the root are measured against the tiles above them, if those do; what a leaf must be is
/// then known by its hash, and the record that has it is looked for. Only here all leaves are held at once.
fn from_tiles(open: &Open, seen: &Seen, report: &mut Report) -> Result<Vec<Option<Digest>>, Fault> {
    let size = open.signed.checkpoint.size;
    let (mut leaves, mut hashes, mut gaps) = (Vec::new(), Vec::new(), 0);
    for tile in bundles(size) {
        let records = bundle(&open.tiles, tile).ok();
        gaps += usize::from(records.is_none());
        match records {
            Some(records) => leaves.extend(records.into_iter().map(Some)),
            None => leaves.extend(std::iter::repeat_n(None, tile.width.into())),
        }
        let level = Tile { row: Row::Level(0), ..tile };
        hashes.extend(read(&open.tiles, level).as_deref().and_then(tile::hashes_from_bytes).unwrap_or_default());
        if gaps == GAPS {
            break;
        }
    }
    if hashes.len() != leaves.len() || root_of(&hashes) != open.signed.checkpoint.root {
        report.problem("leaf-changed", "ledger/checkpoint", "neither leaves nor tiles lead to the checkpoint's root");
        return Ok(leaves);
    }
    let mut by_hash = HashMap::new();
    seen.anew.seed_leaves(|leaf| {
        by_hash.insert(record_leaf(&leaf), leaf);
    })?;
    let mut healed = Vec::with_capacity(leaves.len());
    for ((index, leaf), hash) in (0_u64..).zip(leaves).zip(&hashes) {
        let sound = leaf.filter(|leaf| record_leaf(leaf) == *hash);
        if leaf.is_some() && sound.is_none() {
            let tile = bundles(size).find(|t| t.index == index / tile::WIDTH);
            let place = tile.map(|tile| format!("ledger/{tile}")).unwrap_or_default();
            report.problem("leaf-changed", place, format!("leaf {index} is not the one that the tiles hash"));
        }
        healed.push(sound.or_else(|| by_hash.get(hash).copied()));
    }
    Ok(healed)
}

/// A checkpoint remembered elsewhere must be a prefix of this log.
fn remembered(tiles: &Tiles, trust: &Trust, keys: &[VerifierKey], signed: &Signed, report: &mut Report) {
    let Some(note) = &trust.checkpoint else {
        report
            .not_checked
            .push("whether the log was rolled back or forked: no checkpoint was given with --checkpoint".to_owned());
        return;
    };
    match Signed::open(note, keys) {
        Ok(old) => {
            report.checked.checkpoints += 1;
            against(tiles, &old.checkpoint, &signed.checkpoint, "ledger/checkpoint", report);
        }
        Err(refused) => report.problem("key-unknown", "the checkpoint given", refused.to_string()),
    }
}
