//! The records: each leaf has one, each is the one spelling of what it says, and everything it names is there.

use std::collections::{HashMap, HashSet};

use uuid::Uuid;

use crate::format::digest::Digest;
use crate::format::json;
use crate::format::warc::RecordType;
use crate::format::warc::read::Want;
use crate::record::{self, Event, Record, RunId};
use crate::resolution::exchange::RecordName;
use crate::work::fault::Fault;
use crate::work::parts::Paths;
use crate::work::reindex::{Files, Seed};
use crate::work::verify::anchors::Expected;
use crate::work::verify::beacon::Beacons;
use crate::work::verify::log::Log;
use crate::work::verify::scan::Seen;
use crate::work::verify::{Report, Trust};
use crate::world::store;
use crate::world::store::Store;
use crate::world::store::apply::Leaf;
use crate::world::vault::place::{self, Place};

/// Metadata records, as schema.sql numbers them.
pub(super) const METADATA: u8 = 5;

/// Ledger records in one transaction of the scratch catalogue.
const BATCH: usize = 1024;

/// Checks the records against ledger and WARC files, and fills the new catalogue from them.
pub(super) fn check(
    paths: &Paths,
    log: &Log,
    seen: &mut Seen,
    trust: &Trust,
    report: &mut Report,
) -> Result<Expected, Fault> {
    let seeds = std::mem::take(&mut seen.seeds);
    // The first of two copies is the one the ledger means; the other one's WARC record is named by nothing.
    let mut by_leaf = HashMap::with_capacity(seeds.len());
    for (n, seed) in seeds.iter().enumerate() {
        by_leaf.entry(seed.leaf).or_insert(n);
    }
    let mut heard = Heard::default();
    let leaves: Vec<(u64, Digest)> = (0_u64..).zip(&log.leaves).filter_map(|(n, leaf)| Some((n, (*leaf)?))).collect();
    for some in leaves.chunks(BATCH) {
        let mut found = Vec::with_capacity(some.len());
        for (index, leaf) in some {
            let Some(seed) = by_leaf.get(leaf).and_then(|n| seeds.get(*n)) else {
                seen.broken = true;
                let what = format!("no WARC file holds the record {leaf}");
                report.problem("record-missing", format!("ledger/leaf/{index}"), what);
                continue;
            };
            match read(paths, seed, report) {
                Some(record) => {
                    report.checked.records += 1;
                    heard.hear(&record, *index);
                    heard.beacons.see(&record, &seed.place.to_string(), trust, report);
                    found.push((*index, seed, record));
                }
                None => seen.broken = true,
            }
        }
        apply(paths, seen, &found, report)?;
        for (_, seed, record) in &found {
            names(paths, seen, seed, record, &heard.removed, report)?;
        }
    }
    std::mem::take(&mut heard.beacons).tell(report);
    let logged: HashSet<Digest> = leaves.iter().map(|(_, leaf)| *leaf).collect();
    seen.broken |= leaves.len() < log.leaves.len() || log.size.is_none();
    let later = later(log, &seeds, &logged, seen.unsealed, report);
    if later.at_the_end && !seen.broken {
        let next = leaves.len() as u64;
        // Cut off between WARC file and catalogue, it has only some of them; the next run takes up the others.
        let used = Store::open_read(&paths.catalogue()).ok().filter(|_| seen.unsealed);
        let is_in =
            |seed: &Seed| used.as_ref().is_none_or(|used| used.things(&seed.leaf).is_ok_and(|found| !found.is_empty()));
        let found: Vec<_> = (next..)
            .zip(later.seeds.iter().filter(|seed| is_in(seed)))
            .filter_map(|(index, seed)| Some((index, *seed, read(paths, seed, report)?)))
            .collect();
        apply(paths, seen, &found, report)?;
    }
    let unlogged: HashSet<Uuid> = later.seeds.iter().map(|seed| seed.name.id).collect();
    let behind = heard.last_close.and_then(|leaf| by_leaf.get(&leaf)).and_then(|n| seeds.get(*n));
    if seen.broken {
        report.not_checked.push(
            "whether the ledger names every WARC record, and whether every run has all its outcomes: records that would say so are missing or damaged"
                .to_owned(),
        );
        return Ok(heard.anchors);
    }
    unnamed(seen, &unlogged, behind.map(|seed| seed.place.file.as_str()), log.size.is_some(), report)?;
    heard.runs.conclude(report);
    Ok(heard.anchors)
}

/// What the records say that no single one of them shows.
#[derive(Default)]
struct Heard {
    runs: Runs,
    anchors: Expected,
    beacons: Beacons,
    /// what was taken away by law
    removed: HashSet<RecordName>,
    /// index of the last record behind which nothing was left unnamed
    last_close: Option<Digest>,
}

impl Heard {
    fn hear(&mut self, record: &Record, index: u64) {
        self.runs.see(record);
        self.anchors.hear(record, index);
        match &record.event {
            Event::ContentRemoved { record, .. } => {
                self.removed.insert(*record);
            }
            Event::RunClosed { .. } | Event::ArchiveCreated { .. } => {
                self.last_close = record.seal().ok().map(|(_, leaf)| leaf);
            }
            _ => {}
        }
    }
}

/// Records in the WARC files that no leaf names.
struct Later<'a> {
    seeds: Vec<&'a Seed>,
    /// all of them stand behind those that a leaf names
    at_the_end: bool,
}

fn later<'a>(log: &Log, seeds: &'a [Seed], logged: &HashSet<Digest>, unsealed: bool, report: &mut Report) -> Later<'a> {
    let is_logged = |seed: &Seed| logged.contains(&seed.leaf);
    let extra: Vec<&Seed> = seeds.iter().filter(|seed| !is_logged(seed)).collect();
    let (first, last) = (seeds.iter().position(|s| !is_logged(s)), seeds.iter().rposition(is_logged));
    let Some(size) = log.size.filter(|_| !extra.is_empty()) else {
        return Later { seeds: Vec::new(), at_the_end: false };
    };
    let at_the_end = first > last;
    match (at_the_end, unsealed) {
        (true, true) => {
            report.notes.push(format!("{} records are not in the ledger yet; the next run logs them", extra.len()));
        }
        // The files were sealed, so the process ended in order and its checkpoint covered every record.
        (true, false) => {
            let what = format!("the checkpoint has {size} leaves, and {} later records are in warc/", extra.len());
            report.problem("checkpoint-rolled-back", "ledger/checkpoint", what);
        }
        (false, _) => {
            for seed in &extra {
                report.problem("record-added", seed.place.to_string(), "no leaf of the ledger names this record");
            }
        }
    }
    Later { seeds: extra, at_the_end }
}

/// WARC records that no record names. A process at work, or one that was cut off, has some behind its last closed run; the
/// next one that opens the archive names them.
fn unnamed(
    seen: &mut Seen,
    unlogged: &HashSet<Uuid>,
    behind: Option<&str>,
    readable: bool,
    report: &mut Report,
) -> Result<(), Fault> {
    let mut excused = 0;
    let (tainted, unsealed) = (&mut seen.tainted, seen.unsealed);
    seen.anew.unnamed(|at| {
        // One that is named by its id and has changed has its own problem.
        if unlogged.contains(&at.id) || !readable || tainted.contains(&at.id) {
            return;
        }
        let later = behind.is_none_or(|file| place::serial(&at.file) >= place::serial(file));
        if unsealed && later {
            excused += 1;
        } else {
            tainted.insert(at.id);
            let place = format!("warc/{}@{}", at.file, at.offset);
            report.problem("record-added", place, "no record of the ledger names it");
        }
    })?;
    if excused > 0 {
        report.notes.push(format!("{excused} WARC records are named by no record yet; the next run names them"));
    }
    Ok(())
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
fn names(
    paths: &Paths,
    seen: &mut Seen,
    seed: &Seed,
    record: &Record,
    removed: &HashSet<RecordName>,
    report: &mut Report,
) -> Result<(), Fault> {
    let block = record.seal()?.0;
    let wanted = record::names(&block);
    // What a document of ours names is bound by it as by the record itself.
    let documents: Vec<Vec<u8>> = wanted.iter().filter_map(|name| document(paths, seen, name)).collect();
    let inner: Vec<RecordName> = documents.iter().flat_map(|block| record::names(block)).collect();
    for name in wanted.into_iter().chain(inner) {
        match seen.anew.locate(name.id)? {
            Some(at) if at.digest == name.digest => {}
            Some(at) => {
                seen.tainted.insert(name.id);
                seen.broken |= at.kind == METADATA;
                let place = Place { file: at.file, offset: at.offset, length: at.length };
                let speaking = documents.iter().chain([&block]);
                // A record that is not what its own digests say has been named already.
                if !report.speaks_of(&place.to_string()) {
                    let kind = changed(paths, &place, speaking);
                    report.problem(kind, place.to_string(), "it is not the record that the ledger names");
                }
            }
            None if removed.contains(&name) => {}
            None => {
                seen.tainted.insert(name.id);
                seen.broken = true;
                let what = format!("the record {} that {} names is in no WARC file", name.id, seed.place);
                report.problem("record-missing", format!("warc/{}", name.id), what);
            }
        }
    }
    Ok(())
}

/// Which part of a record changed that is sound in itself. What `speaking` says of its content tells, where it says it.
fn changed<'a>(paths: &Paths, place: &Place, speaking: impl Iterator<Item = &'a Vec<u8>>) -> &'static str {
    let Some(seen) = place::open(&paths.warc(), &place.file)
        .ok()
        .and_then(|(path, _)| place::scan(&path, place.offset, Want { keep: 0, ..Want::ours() }).ok())
        .and_then(|mut reader| reader.next().ok().flatten().cloned())
    else {
        return "payload-changed";
    };
    let content = match seen.head.kind() {
        Some(RecordType::Response | RecordType::Revisit) => seen.entity.map(|(digest, _)| digest),
        _ => seen.digests.block,
    };
    let spelled = content.map(|digest| digest.to_string()).unwrap_or_default();
    let mut speaking = speaking;
    let id = seen.head.uuid();
    let same = match (seen.head.kind(), id) {
        (Some(RecordType::Response | RecordType::Revisit), Some(id)) => {
            speaking.any(|block| payload_of(block, id).is_some_and(|said| said == spelled.as_bytes()))
        }
        _ => speaking.any(|block| memchr::memmem::find(block, spelled.as_bytes()).is_some()),
    };
    let of_ours = ["urn:onrecord:statement:", "urn:onrecord:snapshot:"];
    match seen.head.kind() {
        _ if same && !spelled.is_empty() => "header-changed",
        Some(RecordType::Response) => "payload-changed",
        _ if seen.head.uri().is_some_and(|uri| of_ours.iter().any(|urn| uri.starts_with(urn))) => "payload-changed",
        _ => "record-changed",
    }
}

/// The payload digest that stands beside a response's name: in canonical JSON `payload`, `request` and `response` follow
/// each other.
fn payload_of(block: &[u8], response: Uuid) -> Option<&[u8]> {
    const BEFORE: &[u8] = b"\"payload\":\"";
    let name = format!("\"id\":\"{response}\"}}");
    memchr::memmem::find_iter(block, name.as_bytes()).find_map(|at| {
        let evidence = block.get(at.saturating_sub(450)..at)?;
        let from = memchr::memmem::rfind(evidence, BEFORE)? + BEFORE.len();
        let said = evidence.get(from..from + 71)?;
        let between = evidence.get(from..)?;
        let own = memchr::memmem::find_iter(between, b"\"response\":").count() == 1;
        own.then_some(said)
    })
}

/// The block of a document of ours. Metadata alone: a statement's own bytes name nothing.
fn document(paths: &Paths, seen: &Seen, name: &RecordName) -> Option<Vec<u8>> {
    let at = seen.anew.locate(name.id).ok().flatten().filter(|at| at.kind == METADATA)?;
    let place = Place { file: at.file, offset: at.offset, length: at.length };
    let block = place::read_at(&paths.warc(), &place).ok()?.record.block;
    json::is_canonical(&block).then_some(block)
}

/// Rows of the new catalogue, each record's by itself: what one that cannot be read leaves out, the others have.
fn apply(paths: &Paths, seen: &mut Seen, found: &[(u64, &Seed, Record)], report: &mut Report) -> Result<(), Fault> {
    let warc = paths.warc();
    let (problems, broken) = seen.anew.commit(|batch| {
        let mut problems = Vec::new();
        let mut broken = false;
        for (index, seed, record) in found {
            let leaf = Leaf { index: *index, data: seed.leaf, warc: seed.name.id, record };
            let made = batch.apart(|batch| batch.record(leaf, &Files { warc: &warc, batch }));
            let at = seed.place.to_string();
            match made {
                Ok(()) => {}
                // The look at what it names says which document is not there.
                Err(store::Error::Document(_)) => broken = true,
                Err(store::Error::Shape(id, why)) => {
                    problems.push(("record-malformed", at, format!("the document {id} it names: {why}")));
                }
                Err(store::Error::Query(why)) => problems.push(("record-malformed", at, why.to_string())),
                Err(other) => return Err(other),
            }
        }
        Ok((problems, broken))
    })?;
    seen.broken |= broken || !problems.is_empty();
    for (kind, at, what) in problems {
        report.problem(kind, at, what);
    }
    Ok(())
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
