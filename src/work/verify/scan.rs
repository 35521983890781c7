//! The WARC files, record by record: what is wrong with each, and a catalogue made from them alone.
//!
//! Files are read in stretches, several at once. Where a stretch ends is a guess, tested by the one before it: its last
//! record must end exactly there. Behind damage, or a wrong guess, the rest of the file is read in one piece, so that
//! what is said of it does not depend on how many cores there are.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use crate::format::digest::Digest;
use crate::format::warc::RecordType;
use crate::format::warc::read::{Item, Want};
use crate::record::Record;
use crate::resolution::exchange::RecordName;
use crate::work::fault::Fault;
use crate::work::parts::Paths;
use crate::work::reindex::{self, Seed};
use crate::work::rows::{self, Lying};
use crate::work::verify::keys::Said;
use crate::work::verify::{Problem, Report};
use crate::world::store::Store;
use crate::world::store::apply::WarcRow;
use crate::world::vault::place::{self, Place};

/// Bytes of a stretch: a few thousand records, whose rows are held until they are written.
const STRETCH: u64 = 16 << 20;

/// What the WARC files hold.
pub(super) struct Seen {
    /// a catalogue of their records, and of nothing else
    pub(super) anew: Store,
    /// ledger records, in the order they lie there
    pub(super) seeds: Vec<Seed>,
    /// a file that was not sealed: the last process was cut off, or is at work
    pub(super) unsealed: bool,
    /// ids of WARC records that are not what the ledger names
    pub(super) tainted: HashSet<uuid::Uuid>,
    /// a record could not be read, so that `anew` lacks what follows from it
    pub(super) broken: bool,
    /// what the records say of the log's keys
    pub(super) said: Said,
}

/// A part of a file that one thread reads.
#[derive(Clone, Debug)]
struct Stretch {
    file: String,
    path: PathBuf,
    from: u64,
    /// where the next one begins; none where the file ends with it
    to: Option<u64>,
}

/// What was read in it.
#[derive(Default)]
struct Read {
    rows: Vec<(WarcRow, String)>,
    seeds: Vec<Seed>,
    /// records that speak of keys
    keys: Vec<(Record, Digest)>,
    problems: Vec<Problem>,
    bytes: u64,
    /// where the last whole record ended; none where a record was not whole
    end: Option<u64>,
}

impl Read {
    /// Whether it ended where the next stretch begins, without a doubt on the way.
    fn is_sound(&self, stretch: &Stretch) -> bool {
        stretch.to.is_none() || self.end == stretch.to
    }
}

/// Reads every file.
pub(super) fn all(paths: &Paths, anew: &Path, report: &mut Report) -> Result<Seen, Fault> {
    let mut seen = Seen {
        anew: Store::scratch(anew)?,
        seeds: Vec::new(),
        unsealed: false,
        tainted: HashSet::new(),
        broken: false,
        said: Said::default(),
    };
    let mut stretches = Vec::new();
    for file in place::files(&paths.warc())? {
        let (path, _) = place::open(&paths.warc(), &file)?;
        seen.unsealed |= path.extension().is_some_and(|end| end == "open");
        stretches.extend(cut(&file, &path)?);
    }
    let mut ids = HashSet::new();
    let cores = std::thread::available_parallelism().map_or(1, |n| n.get().min(16));
    let mut whole: Option<String> = None;
    in_turn(&stretches, cores, |stretch, read| {
        // The rest of this file has been read in one piece.
        if whole.as_ref() == Some(&stretch.file) {
            return Ok(());
        }
        let read = read?;
        if read.is_sound(stretch) {
            return take(read, &mut seen, &mut ids, report);
        }
        whole = Some(stretch.file.clone());
        take(one(&Stretch { to: None, ..stretch.clone() })?, &mut seen, &mut ids, report)
    })?;
    if seen.unsealed {
        report.notes.push(
            "a WARC file is not sealed: another process is at work, or was cut off; the next run takes up what it left"
                .to_owned(),
        );
    }
    Ok(seen)
}

/// Reads stretches on `cores` threads and hands them over in order, while the next ones are being read.
fn in_turn(
    stretches: &[Stretch],
    cores: usize,
    mut each: impl FnMut(&Stretch, Result<Read, Fault>) -> Result<(), Fault>,
) -> Result<(), Fault> {
    std::thread::scope(|scope| {
        let begin = |some: &'_ [Stretch]| -> Vec<_> {
            some.iter().cloned().map(|stretch| scope.spawn(move || one(&stretch))).collect()
        };
        let mut waves = stretches.chunks(cores.max(1));
        let mut now = waves.next();
        let mut reading = now.map(begin).unwrap_or_default();
        while let Some(wave) = now {
            let next = waves.next();
            let done: Vec<_> = reading.drain(..).map(std::thread::ScopedJoinHandle::join).collect();
            reading = next.map(begin).unwrap_or_default();
            for (stretch, read) in wave.iter().zip(done) {
                each(stretch, read.unwrap_or(Err(Fault::Broken("a reading thread died"))))?;
            }
            now = next;
        }
        Ok(())
    })
}

/// Cuts a file where members seem to begin.
fn cut(file: &str, path: &Path) -> Result<Vec<Stretch>, Fault> {
    let starts = place::starts(path, STRETCH)?;
    let ends = starts.iter().skip(1).copied().map(Some).chain([None]);
    let stretch = |(from, to)| Stretch { file: file.to_owned(), path: path.to_owned(), from, to };
    Ok(starts.iter().copied().zip(ends).map(stretch).collect())
}

fn one(stretch: &Stretch) -> Result<Read, Fault> {
    let mut reader = place::scan(&stretch.path, stretch.from, Want::ours())?;
    let mut out = Read { end: Some(stretch.from), ..Read::default() };
    while out.end.is_none() || stretch.to.is_none_or(|to| out.end < Some(to)) {
        let Some(item) = reader.next().map_err(Fault::file("WARC file", &stretch.path))? else { break };
        let at = format!("warc/{}@{}", stretch.file, item.offset);
        for problem in &item.problems {
            out.problems.push(Problem { kind: problem.kind.as_str(), place: at.clone(), what: problem.what.clone() });
        }
        out.bytes += item.length;
        let sound = item.is_whole() && item.length > 0;
        out.end = out.end.filter(|_| sound).map(|_| item.offset + item.length);
        if out.end.is_none() && stretch.to.is_some() {
            // It is read again, together with what lies behind it.
            break;
        }
        let Some((row, seed)) = of(&stretch.file, item) else { continue };
        if let Some(seed) = &seed {
            out.keys.extend(about_keys(item, seed).map(|record| (record, seed.leaf)));
        }
        out.seeds.extend(seed);
        out.rows.push((row, at));
    }
    Ok(out)
}

/// Takes up what was read, in the order it lies there.
fn take(read: Read, seen: &mut Seen, ids: &mut HashSet<uuid::Uuid>, report: &mut Report) -> Result<(), Fault> {
    report.problems.extend(read.problems);
    report.checked.bytes += read.bytes;
    let mut again = HashSet::new();
    let mut rows = Vec::with_capacity(read.rows.len());
    for (row, at) in read.rows {
        report.checked.warc_records += 1;
        if !ids.insert(row.id) {
            report.problem("duplicate-id", &at, format!("another record has the id {}", row.id));
            again.insert(at);
        } else if row.kind != rows::number(RecordType::Warcinfo) {
            rows.push(row);
        }
    }
    seen.seeds.extend(read.seeds.into_iter().filter(|seed| !again.contains(&seed.place.to_string())));
    for (record, leaf) in read.keys {
        seen.said.hear(&record, leaf);
    }
    Ok(seen.anew.commit(|batch| rows.iter().try_for_each(|row| batch.warc(row)))?)
}

/// Only records that speak of keys are read here.
fn about_keys(item: &Item, seed: &Seed) -> Option<Record> {
    let speaks = |kind: &[u8]| memchr::memmem::find(&item.prefix, kind).is_some();
    if !speaks(b"\"archive.created\"") && !speaks(b"\"key.rotated\"") {
        return None;
    }
    Record::read(&item.prefix).ok().filter(|_| item.digests.block == Some(seed.leaf))
}

fn of(file: &str, item: &Item) -> Option<(WarcRow, Option<Seed>)> {
    let (kind, id, date) = (item.head.kind()?, item.head.uuid()?, item.head.date()?);
    let digest = item.digests.whole.filter(|_| item.is_whole())?;
    let name = RecordName { id, digest };
    let lying = Lying { file, offset: item.offset, length: item.length };
    let place = || Place { file: file.to_owned(), offset: item.offset, length: item.length };
    let seed = reindex::leaf(item).map(|leaf| Seed { leaf, name, place: place() });
    Some((rows::row(kind, date, name, &lying, item), seed))
}
