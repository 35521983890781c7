//! The WARC files, record by record: what is wrong with each, and a catalogue made from them alone.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;

use uuid::Uuid;

use crate::format::digest::Digest;
use crate::format::warc::RecordType;
use crate::format::warc::problem::Kind;
use crate::format::warc::read::{Item, Want};
use crate::record::Record;
use crate::resolution::exchange::RecordName;
use crate::work::fault::Fault;
use crate::work::parts::Paths;
use crate::work::reindex;
use crate::work::rows::{self, Lying};
use crate::work::verify::keys::Said;
use crate::work::verify::stretch::{self, Look};
use crate::work::verify::{Problem, Report};
use crate::world::store::Store;
use crate::world::store::apply::WarcRow;
use crate::world::store::scratch::SeedRow;
use crate::world::vault::place::{self, OPEN, Place};

/// What the WARC files hold.
pub(super) struct Seen {
    /// a catalogue of their records, and of nothing else; beside it the ledger's records in the order they lie there
    pub(super) anew: Store,
    /// how many of those
    pub(super) seeds: u64,
    /// a file that was not sealed: the last process was cut off, or is at work
    pub(super) unsealed: bool,
    /// those files
    pub(super) open: Vec<String>,
    /// ids of WARC records that are not what the ledger names
    pub(super) tainted: HashSet<Uuid>,
    /// a record could not be read, so that `anew` lacks what follows from it
    pub(super) broken: bool,
    /// what the records say of the log's keys
    pub(super) said: Said,
}

/// What was read in a stretch.
#[derive(Default)]
struct Part {
    rows: Vec<WarcRow>,
    /// each with its block, or what is to be read again for it
    seeds: Vec<(SeedRow, Option<Place>)>,
    /// documents of ours, whole
    docs: Vec<(Uuid, Vec<u8>)>,
    /// records that speak of keys
    keys: Vec<(Record, Digest)>,
    problems: Vec<Problem>,
    /// where the last whole record of each file ends
    ends: BTreeMap<String, u64>,
    bytes: u64,
    held: usize,
}

/// Bytes of blocks that are held of one stretch: a little of what was packed well unpacks to a thousand times as much, and what is
/// longer is read again when its turn comes.
pub const HELD: usize = 4 << 20;
/// About what a row takes in memory, its texts included.
pub(super) const ROW: usize = 512;

struct Ours {
    held: usize,
}

impl Look for Ours {
    type Out = Part;

    fn see(&self, part: &mut Part, file: &str, item: &Item) {
        if !item.is_whole() {
            part.take_back(file, item.offset);
        }
        // The same is said of ids in whatever stretch they lie.
        for problem in item.problems.iter().filter(|problem| problem.kind != Kind::DuplicateId) {
            let place = place_of(file, item.offset);
            part.problems.push(Problem { kind: problem.kind.as_str(), place, what: problem.what.clone() });
        }
        part.bytes += item.length;
        if item.is_whole() && item.length > 0 {
            part.ends.insert(file.to_owned(), item.offset + item.length);
        }
        let (Some(kind), Some(id), Some(date)) = (item.head.kind(), item.head.uuid(), item.head.date()) else { return };
        let Some(digest) = item.digests.whole.filter(|_| item.is_whole()) else { return };
        if kind == RecordType::Warcinfo && item.head.get("WARC-Filename") != Some(file) {
            let (place, what) = (place_of(file, item.offset), "it begins another file".to_owned());
            part.problems.push(Problem { kind: "warcinfo-misplaced", place, what });
        }
        let name = RecordName { id, digest };
        let lying = Lying { file, offset: item.offset, length: item.length };
        part.rows.push(rows::row(kind, date, name, &lying, item));
        let is_whole = item.prefix.len() as u64 == item.block_len;
        let has_room = part.held + item.prefix.len() <= self.held;
        if let Some(leaf) = reindex::leaf(item) {
            part.keys.extend(about_keys(item, leaf).map(|record| (record, leaf)));
            let mut seed = seed(file, item, leaf, name);
            let again = seed.block.take_if(|_| !has_room);
            part.held += seed.block.as_ref().map_or(0, Vec::len);
            let place = Place { file: file.to_owned(), offset: item.offset, length: item.length };
            part.seeds.push((seed, again.map(|_| place)));
        } else if kind == RecordType::Metadata && is_whole && item.problems.is_empty() && has_room {
            part.held += item.prefix.len();
            part.docs.push((id, item.prefix.clone()));
        }
    }

    fn weight(&self, part: &Part) -> usize {
        part.held + part.rows.len() * ROW + part.problems.len() * 256
    }
}

impl Part {
    /// Takes back what was read of a member that turned out to be broken behind it: what comes out of such a member is not what was
    /// written, and a process that is cut off leaves none of it to the next.
    fn take_back(&mut self, file: &str, offset: u64) {
        if self.rows.last().is_none_or(|row| row.file != file || row.offset != offset) {
            return;
        }
        let place = place_of(file, offset);
        self.problems.retain(|problem| problem.place != place);
        self.rows.retain(|row| row.offset != offset || row.file != file);
        self.seeds.retain(|(seed, _)| seed.offset != offset || seed.file != file);
    }
}

fn place_of(file: &str, offset: u64) -> String {
    format!("warc/{file}@{offset}")
}

fn seed(file: &str, item: &Item, leaf: Digest, name: RecordName) -> SeedRow {
    let named = !item.problems.is_empty();
    let block = (item.digests.block == Some(leaf) && !named).then(|| item.prefix.clone());
    SeedRow { n: 0, leaf, name, file: file.to_owned(), offset: item.offset, length: item.length, named, block }
}

/// Only records that speak of keys are read here.
fn about_keys(item: &Item, leaf: Digest) -> Option<Record> {
    let speaks = |kind: &[u8]| memchr::memmem::find(&item.prefix, kind).is_some();
    if !speaks(b"\"archive.created\"") && !speaks(b"\"key.rotated\"") {
        return None;
    }
    Record::read(&item.prefix).ok().filter(|_| item.digests.block == Some(leaf))
}

/// Reads every file, holding so many bytes of blocks of each stretch.
pub(super) fn all(paths: &Paths, anew: &Path, held: usize, report: &mut Report) -> Result<Seen, Fault> {
    let mut seen = Seen {
        anew: Store::scratch(anew)?,
        seeds: 0,
        unsealed: false,
        open: Vec::new(),
        tainted: HashSet::new(),
        broken: false,
        said: Said::default(),
    };
    let mut files = Vec::new();
    for file in place::files(&paths.warc())? {
        let (path, _) = place::open(&paths.warc(), &file)?;
        if path.extension().is_some_and(|end| end == "open") {
            seen.unsealed = true;
            seen.open.push(file.clone());
        }
        files.push((file, path));
    }
    let warc = paths.warc();
    let mut ends = BTreeMap::new();
    stretch::walk(&files, Want::ours(), &Ours { held }, |mut part| {
        ends.append(&mut part.ends);
        take(&warc, part, &mut seen, report)
    })?;
    seen.open.iter().for_each(|file| excuse(file, ends.get(file).copied().unwrap_or(0), report));
    if seen.unsealed {
        report.notes.push(
            "a WARC file is not sealed: another process is at work, or was cut off; the next run takes up what it left"
                .to_owned(),
        );
    }
    Ok(seen)
}

/// What stands behind the last whole record of a file that is not sealed is being written, or was when a process was cut off:
/// it is on record nowhere, and the next process that writes cuts it off.
fn excuse(file: &str, end: u64, report: &mut Report) {
    let mut torn = None;
    report.problems.retain(|problem| {
        let at = problem.place.strip_prefix("warc/").and_then(|place| place.strip_prefix(file)?.strip_prefix('@'));
        let behind = at.and_then(|at| at.parse::<u64>().ok()).filter(|at| *at >= end);
        torn = torn.or(behind);
        behind.is_none()
    });
    if torn.is_some() {
        report.notes.push(format!(
            "warc/{file}{OPEN}@{end}: what follows makes no whole record: another process is writing it, or was cut off \
             while it did; the next run sees to it"
        ));
    }
}

/// Takes up what was read, in the order it lies there.
fn take(warc: &Path, part: Part, seen: &mut Seen, report: &mut Report) -> Result<(), Fault> {
    report.problems.extend(part.problems);
    report.checked.bytes += part.bytes;
    report.checked.warc_records += part.rows.len() as u64;
    for (record, leaf) in part.keys {
        seen.said.hear(&record, leaf);
    }
    let mut again: Vec<(Uuid, String)> = Vec::new();
    let (rows, mut seeds) = (part.rows, part.seeds);
    let first = seen.seeds;
    let taken = seen.anew.commit(|batch| {
        for row in &rows {
            if !batch.warc(row)? {
                again.push((row.id, place_of(&row.file, row.offset)));
            }
        }
        seeds.retain(|(seed, _)| {
            let place = place_of(&seed.file, seed.offset);
            !again.iter().any(|(_, at)| *at == place)
        });
        for (n, (seed, unheld)) in (first..).zip(&mut seeds) {
            seed.n = n;
            let found = unheld.as_ref().and_then(|place| place::read_at(warc, place).ok());
            if let Some(found) = found.filter(|found| found.name == seed.name) {
                seed.block = Some(found.record.block);
            }
            batch.seed(seed)?;
            if unheld.is_some() {
                seed.block = None;
            }
        }
        part.docs.iter().try_for_each(|(id, block)| batch.doc(*id, block))?;
        Ok(seeds.len() as u64)
    })?;
    seen.seeds += taken;
    for (id, place) in again {
        report.problem(Kind::DuplicateId.as_str(), place, format!("another record has the id {id}"));
    }
    Ok(())
}
