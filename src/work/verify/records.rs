//! The records: each leaf has one, each is the one spelling of what it says, and everything it names is there.

use std::cell::Cell;
use std::collections::{HashSet, VecDeque};
use std::path::Path;

use uuid::Uuid;

use crate::format::digest::Digest;
use crate::format::json;
use crate::format::warc::RecordType;
use crate::format::warc::read::Want;
use crate::record::{self, Event, Record};
use crate::resolution::exchange::RecordName;
use crate::work::fault::Fault;
use crate::work::parts::Paths;
use crate::work::reindex::Files;
use crate::work::verify::anchors::Expected;
use crate::work::verify::heard::Heard;
use crate::work::verify::log::Log;
use crate::work::verify::scan::Seen;
use crate::work::verify::{Report, Trust};
use crate::world::store;
use crate::world::store::Store;
use crate::world::store::apply::{Batch, Bound, Documents, Leaf};
use crate::world::store::scratch::SeedRow;
use crate::world::vault::place::{self, Place};

/// Metadata records, as schema.sql numbers them.
pub(super) const METADATA: u8 = 5;

/// Ledger records held at once.
const BATCH: usize = 256;

/// Checks the records against ledger and WARC files, and fills the new catalogue from them.
pub(super) fn check(
    paths: &Paths,
    log: &Log,
    seen: &mut Seen,
    trust: &Trust,
    report: &mut Report,
) -> Result<Expected, Fault> {
    let mut heard = Heard::default();
    let mut line = Line::default();
    let (mut next, mut last) = (0, 0);
    loop {
        let leaves = log.some(next);
        if leaves.is_empty() {
            break;
        }
        let mut found = Vec::with_capacity(leaves.len());
        for (index, leaf) in (next..).zip(&leaves) {
            // One that cannot be known has been named.
            let Some(leaf) = leaf else {
                seen.broken = true;
                continue;
            };
            let Some(seed) = line.find(&seen.anew, leaf)? else {
                seen.broken = true;
                let what = format!("no WARC file holds the record {leaf}");
                report.problem("record-missing", format!("ledger/leaf/{index}"), what);
                continue;
            };
            if std::mem::replace(&mut last, seed.n) > seed.n {
                let what = "it stands before the record of an earlier leaf";
                report.problem("record-misplaced", place(&seed).to_string(), what);
            }
            match read(&seed, report) {
                Some(record) => {
                    report.checked.records += 1;
                    heard.hear(&record, index, &place(&seed), trust, report);
                    found.push((index, seed, record));
                }
                None => seen.broken = true,
            }
        }
        apply(paths, seen, &found, report)?;
        for (_, seed, _) in &found {
            names(paths, seen, seed, &heard.removed, report)?;
        }
        next += leaves.len() as u64;
    }
    heard.tell_beacons(report);
    seen.broken |= log.size.is_none();
    let later = later(log, &line, seen, report)?;
    if later.at_the_end && !seen.broken {
        // Cut off between WARC file and catalogue, it has only some of them; the next run takes up the others.
        let used = Store::open_read(&paths.catalogue()).ok().filter(|_| seen.unsealed);
        let is_in = |seed: &Behind| {
            used.as_ref().is_none_or(|used| used.things(&seed.leaf).is_ok_and(|found| !found.is_empty()))
        };
        let mut missed = (next..).zip(later.seeds.iter().filter(|seed| is_in(seed)));
        loop {
            let some: Vec<_> = missed.by_ref().take(BATCH).collect();
            if some.is_empty() {
                break;
            }
            let mut found = Vec::with_capacity(some.len());
            for (index, Behind { n, .. }) in some {
                let Some(seed) = seen.anew.seeds(*n, 1)?.pop() else { continue };
                found.extend(read(&seed, report).map(|record| (index, seed, record)));
            }
            apply(paths, seen, &found, report)?;
        }
    }
    let unlogged: HashSet<Uuid> = later.seeds.iter().map(|seed| seed.id).collect();
    if !later.at_the_end {
        // Each has been named; whether the catalogue has rows of it says no more.
        seen.tainted.extend(&unlogged);
    }
    if seen.broken {
        report.not_checked.push(
            "whether the ledger names every WARC record, every run has all its outcomes and every change follows from its looks: records that would say so are missing or damaged"
                .to_owned(),
        );
        return Ok(heard.anchors);
    }
    unnamed(seen, &unlogged, heard.last_close.as_deref(), log.size.is_some(), report)?;
    heard.tell_runs(report);
    Ok(heard.anchors)
}

/// The records as they lie in the files, beside the leaves: as a rule they stand in the same order, so that each is found where
/// the last one ended.
#[derive(Default)]
struct Line {
    ahead: VecDeque<SeedRow>,
    next: u64,
    /// a bit for each: a leaf names it
    named: Vec<u64>,
    /// the last one that a leaf names
    last: Option<u64>,
}

impl Line {
    fn find(&mut self, store: &Store, leaf: &Digest) -> Result<Option<SeedRow>, Fault> {
        if self.ahead.is_empty() {
            self.ahead.extend(store.seeds(self.next, BATCH)?);
        }
        let in_turn = self.ahead.pop_front_if(|seed| seed.leaf == *leaf);
        let found = match in_turn {
            Some(seed) => Some(seed),
            None => store.seed_of(leaf)?.inspect(|_| self.ahead.clear()),
        };
        if let Some(seed) = &found {
            self.next = seed.n + 1;
            self.last = self.last.max(Some(seed.n));
            let (word, bit) = split(seed.n);
            if self.named.len() <= word {
                self.named.resize(word + 1, 0);
            }
            if let Some(word) = self.named.get_mut(word) {
                *word |= bit;
            }
        }
        Ok(found)
    }

    fn is_named(&self, n: u64) -> bool {
        let (word, bit) = split(n);
        self.named.get(word).is_some_and(|word| word & bit != 0)
    }
}

fn split(n: u64) -> (usize, u64) {
    (usize::try_from(n / 64).unwrap_or(usize::MAX), 1 << (n % 64))
}

fn place(seed: &SeedRow) -> Place {
    Place { file: seed.file.clone(), offset: seed.offset, length: seed.length }
}

/// A record behind the ledger's last one, without its text: there may be many.
struct Behind {
    n: u64,
    leaf: Digest,
    id: Uuid,
    place: Place,
}

/// Records in the WARC files that no leaf names.
struct Later {
    seeds: Vec<Behind>,
    /// all of them stand behind those that a leaf names
    at_the_end: bool,
}

fn later(log: &Log, line: &Line, seen: &Seen, report: &mut Report) -> Result<Later, Fault> {
    let mut extra = Vec::new();
    let Some(size) = log.size else { return Ok(Later { seeds: extra, at_the_end: false }) };
    for n in (0..seen.seeds).filter(|n| !line.is_named(*n)) {
        let Some(seed) = seen.anew.seeds(n, 1)?.pop() else { continue };
        // A second copy of one that a leaf names: its WARC record is named by nothing.
        if !seen.anew.seed_of(&seed.leaf)?.is_some_and(|first| line.is_named(first.n)) {
            extra.push(Behind { n: seed.n, leaf: seed.leaf, id: seed.name.id, place: place(&seed) });
        }
    }
    let Some(first) = extra.first().map(|seed| seed.n) else { return Ok(Later { seeds: extra, at_the_end: false }) };
    let at_the_end = Some(first) > line.last;
    match (at_the_end, seen.unsealed) {
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
    Ok(Later { seeds: extra, at_the_end })
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

fn read(seed: &SeedRow, report: &mut Report) -> Option<Record> {
    let Some(block) = &seed.block else {
        // What is wrong with the WARC record the scan has named.
        if !seed.named {
            report.problem("payload-changed", place(seed).to_string(), "the record is not the one its own name says");
        }
        return None;
    };
    match Record::read(block) {
        Ok(record) => Some(record),
        Err(why) => {
            report.problem("record-malformed", place(seed).to_string(), why.to_string());
            None
        }
    }
}

/// Every WARC record that a record names must be there with the digest it is named by.
fn names(
    paths: &Paths,
    seen: &mut Seen,
    seed: &SeedRow,
    removed: &HashSet<RecordName>,
    report: &mut Report,
) -> Result<(), Fault> {
    let block = seed.block.as_deref().unwrap_or_default();
    let wanted = record::names(block);
    // What a document of ours names is bound by it as by the record itself.
    let documents: Vec<Vec<u8>> = wanted.iter().filter_map(|name| document(paths, seen, name)).collect();
    let inner: Vec<RecordName> = documents.iter().flat_map(|block| record::names(block)).collect();
    for name in wanted.into_iter().chain(inner) {
        if seen.anew.digest_of(name.id)?.is_some_and(|(_, digest)| digest == name.digest) {
            continue;
        }
        match seen.anew.locate(name.id)? {
            Some(at) => {
                seen.tainted.insert(name.id);
                seen.broken |= at.kind == METADATA;
                let place = Place { file: at.file, offset: at.offset, length: at.length };
                let speaking = documents.iter().map(Vec::as_slice).chain([block]);
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
                let what = format!("the record {} that {} names is in no WARC file", name.id, place(seed));
                report.problem("record-missing", format!("warc/{}", name.id), what);
            }
        }
    }
    Ok(())
}

/// Which part of a record changed that is sound in itself. What `speaking` says of its content tells, where it says it.
fn changed<'a>(paths: &Paths, place: &Place, speaking: impl Iterator<Item = &'a [u8]>) -> &'static str {
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
    let (_, _) = seen.anew.digest_of(name.id).ok().flatten().filter(|(kind, _)| *kind == METADATA)?;
    let block = match seen.anew.kept_doc(name.id).ok().flatten() {
        Some(block) => block,
        None => {
            let at = seen.anew.locate(name.id).ok().flatten()?;
            let place = Place { file: at.file, offset: at.offset, length: at.length };
            place::read_at(&paths.warc(), &place).ok()?.record.block
        }
    };
    json::is_canonical(&block).then_some(block)
}

/// What a record says the SHA-256 of a block is, and the name of the WARC record that has that block.
pub(super) fn claim(record: &Record) -> Option<(Digest, RecordName)> {
    match &record.event {
        Event::StatementAdded(added) => Some((added.statement.0, added.content)),
        Event::SnapshotTaken { snapshot, manifest, .. } => Some((*snapshot, *manifest)),
        _ => None,
    }
}

/// What is said of a record whose [`claim`] does not hold.
pub(super) const FALSE: (&str, &str) = ("record-false", "the digest it gives is not that of the content it names");

/// What is said of a change.seen that the looks it names do not bear out.
pub(super) const UNBORNE: (&str, &str) = ("record-false", "what it says of a look is not what that look's record says");

/// Whether what a record says of earlier ones is what those say; they have their rows already.
pub(super) fn bears_out(batch: &Batch<'_>, index: u64, record: &Record) -> Result<bool, store::Error> {
    match &record.event {
        Event::ChangeSeen(seen) => batch.bears_out(index, seen),
        _ => Ok(true),
    }
}

/// Documents as they were set down when the files were read; what is too long for that, as it lies in them.
struct Kept<'a> {
    files: Files<'a>,
    /// the one whose digest is wanted, and that digest once it was read
    claimed: Option<RecordName>,
    read: Cell<Option<Digest>>,
}

impl Kept<'_> {
    fn seen(&self, name: &RecordName, block: Vec<u8>) -> Vec<u8> {
        if self.claimed == Some(*name) {
            self.read.set(Some(Digest::of(&block)));
        }
        block
    }
}

impl Documents for Kept<'_> {
    fn block(&self, name: &RecordName) -> Result<Vec<u8>, store::Error> {
        let batch = self.files.batch;
        let block = match batch.kept_doc(name.id)? {
            Some(block) if batch.locate(name.id)?.is_some_and(|at| at.digest == name.digest) => block,
            _ => self.files.block(name)?,
        };
        Ok(self.seen(name, block))
    }

    fn foreign(&self, name: &RecordName) -> Result<Vec<u8>, store::Error> {
        Ok(self.seen(name, self.files.block(name)?))
    }
}

/// Rows of the new catalogue. They are made together; only where one cannot be is each made by itself, so that the others
/// have theirs.
fn apply(paths: &Paths, seen: &mut Seen, found: &[Found], report: &mut Report) -> Result<(), Fault> {
    let warc = paths.warc();
    let together = seen.anew.commit(|batch| {
        let (mut bound, mut lies) = (Bound::default(), Vec::new());
        for one in found {
            if let Some(lie) = made(&warc, batch, one, &mut bound)? {
                lies.push((lie, place(&one.1).to_string()));
            }
        }
        batch.bind(bound)?;
        Ok(lies)
    });
    match together {
        Ok(lies) => {
            tell(lies, seen.broken, report);
            Ok(())
        }
        Err(store::Error::Document(_) | store::Error::Shape(..) | store::Error::Query(_)) => {
            one_by_one(&warc, seen, found, report)
        }
        Err(other) => Err(other.into()),
    }
}

/// What a record says that is not so.
type Lie = (&'static str, &'static str);

/// Names what is not so. Where records are missing, the looks that a change names may be among them.
fn tell(lies: Vec<(Lie, String)>, broken: bool, report: &mut Report) {
    for ((kind, what), at) in lies.into_iter().filter(|(lie, _)| !broken || *lie != UNBORNE) {
        report.problem(kind, at, what);
    }
}

/// A record with its leaf's index and where it was found.
type Found = (u64, SeedRow, Record);

/// Makes a record's rows; says what is not so of what it says of its content or of earlier records.
fn made(
    warc: &Path,
    batch: &Batch<'_>,
    (index, seed, record): &Found,
    bound: &mut Bound,
) -> Result<Option<Lie>, store::Error> {
    let leaf = Leaf { index: *index, data: seed.leaf, warc: seed.name.id, record };
    let bytes = seed.block.as_deref().unwrap_or_default();
    let claim = claim(record);
    let docs = Kept { files: Files { warc, batch }, claimed: claim.map(|(_, name)| name), read: Cell::new(None) };
    batch.record_naming(leaf, bytes, &docs, bound)?;
    if claim.zip(docs.read.get()).is_some_and(|((said, _), read)| said != read) {
        return Ok(Some(FALSE));
    }
    Ok((!bears_out(batch, *index, record)?).then_some(UNBORNE))
}

fn one_by_one(warc: &Path, seen: &mut Seen, found: &[Found], report: &mut Report) -> Result<(), Fault> {
    let (problems, lies, broken) = seen.anew.commit(|batch| {
        let (mut problems, mut lies) = (Vec::new(), Vec::new());
        let (mut broken, mut bound) = (false, Bound::default());
        for one in found {
            let done = batch.apart(|batch| made(warc, batch, one, &mut bound));
            let at = place(&one.1).to_string();
            match done {
                Ok(lie) => lies.extend(lie.map(|lie| (lie, at))),
                // The look at what it names says which document is not there.
                Err(store::Error::Document(_)) => broken = true,
                Err(store::Error::Shape(id, why)) => {
                    problems.push(("record-malformed", at, format!("the document {id} it names: {why}")));
                }
                Err(store::Error::Query(why)) => problems.push(("record-malformed", at, why.to_string())),
                Err(other) => return Err(other),
            }
        }
        batch.bind(bound)?;
        Ok((problems, lies, broken))
    })?;
    seen.broken |= broken || !problems.is_empty() || lies.iter().any(|(lie, _)| *lie == FALSE);
    tell(lies, seen.broken, report);
    for (kind, at, what) in problems {
        report.problem(kind, at, what);
    }
    Ok(())
}
