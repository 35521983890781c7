//! The records: each leaf has one, each is the one spelling of what it says, and everything it names is there.

use std::collections::{HashMap, HashSet};

use crate::format::digest::Digest;
use crate::format::json;
use crate::record::{self, Event, Record, RunId};
use crate::resolution::exchange::RecordName;
use crate::work::fault::Fault;
use crate::work::parts::Paths;
use crate::work::reindex::{Files, Seed};
use crate::work::verify::Report;
use crate::work::verify::log::Log;
use crate::work::verify::scan::Seen;
use crate::world::store::apply::Leaf;
use crate::world::store::{self, compare};
use crate::world::vault::place;

/// Checks the records against ledger and WARC files, and fills the new catalogue from them.
pub(super) fn check(paths: &Paths, log: &Log, seen: &mut Seen, report: &mut Report) -> Result<(), Fault> {
    let seeds = std::mem::take(&mut seen.seeds);
    let by_leaf: HashMap<Digest, usize> = seeds.iter().enumerate().map(|(n, seed)| (seed.leaf, n)).collect();
    let mut logged = HashSet::new();
    let mut runs = Runs::default();
    for (index, leaf) in (0_u64..).zip(&log.leaves) {
        let Some(leaf) = leaf else { continue };
        let Some(seed) = by_leaf.get(leaf).and_then(|n| seeds.get(*n)) else {
            report.problem(
                "record-missing",
                format!("ledger/leaf/{index}"),
                format!("no WARC file holds the record {leaf}"),
            );
            continue;
        };
        logged.insert(*leaf);
        if let Some(record) = read(paths, seed, report) {
            report.checked.records += 1;
            names(paths, seen, seed, &record, report)?;
            runs.see(&record);
            apply(paths, seen, index, seed, &record, report)?;
        }
    }
    if report.checked.records == log.size.unwrap_or_default() {
        unbound(seen, report)?;
    } else {
        report.not_checked.push("whether every WARC record is named: not all ledger records can be read".to_owned());
    }
    if seen.unsealed {
        // Cut off between the catalogue's commit and the ledger's: the next run logs these, in the order they lie there.
        let mut index = log.size.unwrap_or_default();
        for seed in seeds.iter().filter(|seed| !logged.contains(&seed.leaf)) {
            if let Some(record) = read(paths, seed, report) {
                apply(paths, seen, index, seed, &record, report)?;
                index += 1;
            }
        }
    }
    unlogged(log, &seeds, &logged, seen.unsealed, report);
    runs.conclude(report);
    Ok(())
}

/// WARC records that no record names. A process that ends in order leaves none.
fn unbound(seen: &Seen, report: &mut Report) -> Result<(), Fault> {
    let unbound = seen.anew.unbound()?;
    if seen.unsealed && !unbound.is_empty() {
        report
            .notes
            .push(format!("{} WARC records are named by no record yet; the next run names them", unbound.len()));
        return Ok(());
    }
    for name in unbound.iter().take(compare::MOST) {
        if let Some(at) = seen.anew.locate(name.id)? {
            let place = format!("warc/{}@{}", at.file, at.offset);
            report.problem("record-added", place, "no record of the ledger names it");
        }
    }
    Ok(())
}

/// Records in the WARC files that no leaf names.
fn unlogged(log: &Log, seeds: &[Seed], logged: &HashSet<Digest>, unsealed: bool, report: &mut Report) {
    let Some(size) = log.size else { return };
    let extra: Vec<&Seed> = seeds.iter().filter(|seed| !logged.contains(&seed.leaf)).collect();
    if extra.is_empty() {
        return;
    }
    if unsealed {
        report.notes.push(format!("{} records are not in the ledger yet; the next run logs them", extra.len()));
        return;
    }
    // The files were sealed, so the process ended in order and its checkpoint covered every record.
    let last_logged = seeds.iter().rposition(|seed| logged.contains(&seed.leaf));
    let behind = seeds.iter().position(|seed| !logged.contains(&seed.leaf));
    let at_the_end = behind > last_logged;
    if at_the_end {
        let what = format!("the checkpoint has {size} leaves, and {} later records are in warc/", extra.len());
        report.problem("checkpoint-rolled-back", "ledger/checkpoint", what);
    } else {
        for seed in extra {
            report.problem("record-added", seed.place.to_string(), "no leaf of the ledger names this record");
        }
    }
}

fn read(paths: &Paths, seed: &Seed, report: &mut Report) -> Option<Record> {
    let at = seed.place.to_string();
    let block = match place::read_at(&paths.warc(), &seed.place) {
        Ok(found) => found.record.block,
        Err(_) => return None, // the scan has named it
    };
    if Digest::of(&block) != seed.leaf {
        report.problem("payload-changed", &at, "the record is not the one its own name says");
        return None;
    }
    match Record::read(&block) {
        Ok(record) => Some(record),
        Err(why) => {
            report.problem("record-malformed", &at, why.to_string());
            None
        }
    }
}

/// Every WARC record that a record names must be there with the digest it is named by.
fn names(paths: &Paths, seen: &Seen, seed: &Seed, event: &Record, report: &mut Report) -> Result<(), Fault> {
    let value = serde_json::to_value(event).map_err(Fault::json)?;
    let mut wanted = Vec::new();
    record::named(&value, &mut wanted);
    // What a document of ours names is bound by it as by the record itself.
    for name in wanted.clone() {
        if let Some(document) = document(paths, seen, &name) {
            record::named(&document, &mut wanted);
        }
    }
    for name in wanted {
        match seen.anew.locate(name.id)? {
            Some(at) if at.digest == name.digest => {}
            Some(at) => {
                let kind = if headers_alone(paths, &at) { "header-changed" } else { "payload-changed" };
                report.problem(
                    kind,
                    format!("warc/{}@{}", at.file, at.offset),
                    "it is not the record that the ledger names",
                );
            }
            None => {
                let what = format!("the record {} that {} names is in no WARC file", name.id, seed.place);
                report.problem("record-missing", format!("warc/{}", name.id), what);
            }
        }
    }
    Ok(())
}

/// Whether the block is still what its own digest says, so that only the head can have changed.
fn headers_alone(paths: &Paths, at: &crate::world::store::read::Located) -> bool {
    let place = place::Place { file: at.file.clone(), offset: at.offset, length: at.length };
    place::whole_digest(&paths.warc(), &place).is_ok()
}

fn document(paths: &Paths, seen: &Seen, name: &RecordName) -> Option<serde_json::Value> {
    let at = seen.anew.locate(name.id).ok().flatten()?;
    // Metadata alone: a statement's own bytes name nothing.
    if at.kind != 5 {
        return None;
    }
    let place = place::Place { file: at.file, offset: at.offset, length: at.length };
    let found = place::read_at(&paths.warc(), &place).ok()?;
    serde_json::from_slice(&found.record.block).ok().filter(|_| json::is_canonical(&found.record.block))
}

fn apply(
    paths: &Paths,
    seen: &mut Seen,
    index: u64,
    seed: &Seed,
    record: &Record,
    report: &mut Report,
) -> Result<(), Fault> {
    let leaf = Leaf { index, data: seed.leaf, warc: seed.name.id, record };
    let warc = paths.warc();
    let applied = seen.anew.commit(|batch| batch.record(leaf, &Files { warc: &warc, batch }));
    match applied {
        Err(store::Error::Document(id)) => {
            report.problem(
                "record-missing",
                seed.place.to_string(),
                format!("the document {id} it names cannot be read"),
            );
            Ok(())
        }
        Err(store::Error::Shape(id, why)) => {
            report.problem("record-malformed", seed.place.to_string(), format!("the document {id} it names: {why}"));
            Ok(())
        }
        other => Ok(other?),
    }
}

/// Runs by their records: planned, ended, closed.
#[derive(Default)]
struct Runs {
    planned: HashMap<RunId, u64>,
    ended: HashMap<RunId, u64>,
    closed: HashSet<RunId>,
    outcomes: Vec<(RunId, u64, u64, bool)>,
}

impl Runs {
    fn see(&mut self, record: &Record) {
        match &record.event {
            Event::RunOpened { run, planned, .. } => {
                self.planned.insert(*run, *planned);
            }
            Event::ResolutionEnded(ended) => *self.ended.entry(ended.run).or_default() += 1,
            Event::RunClosed { run, planned, ended, interrupted, .. } => {
                self.closed.insert(*run);
                self.outcomes.push((*run, *planned, *ended, *interrupted));
            }
            _ => {}
        }
    }

    fn conclude(self, report: &mut Report) {
        for (run, planned, ended, interrupted) in &self.outcomes {
            let recorded = self.ended.get(run).copied().unwrap_or_default();
            let short = *ended < *planned && !interrupted;
            if recorded != *ended || short || self.planned.get(run) != Some(planned) {
                let what =
                    format!("run {run} planned {planned}, says {ended} ended, and {recorded} endings are on record");
                report.problem("outcome-missing", format!("run/{run}"), what);
            }
        }
        let open = self.planned.keys().filter(|run| !self.closed.contains(run)).count();
        if open > 0 {
            report.notes.push(format!("{open} runs were opened and never closed: they were cut off"));
        }
    }
}
