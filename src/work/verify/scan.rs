//! The WARC files, record by record: what is wrong with each, and a catalogue made from them alone.

use std::collections::HashSet;
use std::path::Path;

use crate::format::warc::RecordType;
use crate::format::warc::read::{Item, Want};
use crate::resolution::exchange::RecordName;
use crate::work::fault::Fault;
use crate::work::parts::Paths;
use crate::work::reindex::{self, Seed};
use crate::work::rows::{self, Lying};
use crate::work::verify::Report;
use crate::world::store::Store;
use crate::world::store::apply::WarcRow;
use crate::world::vault::place::{self, Place};

/// Rows in one transaction.
const BATCH: usize = 8192;

/// What the WARC files hold.
pub(super) struct Seen {
    /// a catalogue of their records, and of nothing else
    pub(super) anew: Store,
    /// ledger records, in the order they lie there
    pub(super) seeds: Vec<Seed>,
    /// a file that was not sealed: the last process was cut off, or is at work
    pub(super) unsealed: bool,
}

/// Reads every file.
pub(super) fn all(paths: &Paths, anew: &Path, report: &mut Report) -> Result<Seen, Fault> {
    let mut seen = Seen { anew: Store::open(anew)?, seeds: Vec::new(), unsealed: false };
    let mut ids = HashSet::new();
    for file in place::files(&paths.warc())? {
        one(paths, &file, &mut seen, &mut ids, report)?;
    }
    if seen.unsealed {
        report.notes.push(
            "a WARC file is not sealed: another process is at work, or was cut off; the next run takes up what it left"
                .to_owned(),
        );
    }
    Ok(seen)
}

fn one(
    paths: &Paths,
    file: &str,
    seen: &mut Seen,
    ids: &mut HashSet<uuid::Uuid>,
    report: &mut Report,
) -> Result<(), Fault> {
    let (path, _) = place::open(&paths.warc(), file)?;
    seen.unsealed |= path.extension().is_some_and(|end| end == "open");
    let mut reader = place::scan(&path, 0, Want::ours())?;
    let mut rows = Vec::new();
    while let Some(item) = reader.next().map_err(Fault::file("WARC file", &path))? {
        let at = format!("warc/{file}@{}", item.offset);
        for problem in &item.problems {
            report.problem(problem.kind.as_str(), &at, &problem.what);
        }
        report.checked.bytes += item.length;
        let Some((row, seed)) = read(file, item) else { continue };
        report.checked.warc_records += 1;
        if !ids.insert(row.id) {
            report.problem("duplicate-id", &at, format!("another record has the id {}", row.id));
            continue;
        }
        seen.seeds.extend(seed);
        if row.kind != rows::number(RecordType::Warcinfo) {
            rows.push(row);
        }
        if rows.len() >= BATCH {
            flush(&mut rows, &mut seen.anew)?;
        }
    }
    flush(&mut rows, &mut seen.anew)
}

fn flush(rows: &mut Vec<WarcRow>, anew: &mut Store) -> Result<(), Fault> {
    Ok(anew.commit(|batch| rows.drain(..).try_for_each(|row| batch.warc(&row)))?)
}

fn read(file: &str, item: &Item) -> Option<(WarcRow, Option<Seed>)> {
    let (kind, id, date) = (item.head.kind()?, item.head.uuid()?, item.head.date()?);
    let digest = item.digests.whole.filter(|_| item.is_whole())?;
    let name = RecordName { id, digest };
    let lying = Lying { file, offset: item.offset, length: item.length };
    let place = || Place { file: file.to_owned(), offset: item.offset, length: item.length };
    let seed = reindex::leaf(item).map(|leaf| Seed { leaf, name, place: place() });
    Some((rows::row(kind, date, name, &lying, item), seed))
}
