//! One thing: a statement, a snapshot, a record, a WARC record, any digest, or a file: "do you hold this?"
//!
//! Looks at that thing, what it rests on, and its place under the checkpoint; nothing else is read, so it takes no longer
//! in a large archive than in a small one.

use std::path::Path;

use uuid::Uuid;

use crate::format::digest::Digest;
use crate::format::merkle::{record_leaf, verify_inclusion};
use crate::record::{self, Record};
use crate::resolution::exchange::RecordName;
use crate::work::fault::Fault;
use crate::work::parts::Paths;
use crate::work::verify::{Report, Trust, log};
use crate::world::input;
use crate::world::store::Store;
use crate::world::store::holds::Thing;
use crate::world::store::read::Located;
use crate::world::tiles::reader::Tiles;
use crate::world::vault::place::{self, Place};

/// Checks one thing.
///
/// # Errors
/// It is not here, or nothing can be read.
pub fn one(paths: &Paths, target: &str, trust: &Trust) -> Result<Report, Fault> {
    if !paths.is_archive() {
        return Err(Fault::NoArchive(paths.root.clone()));
    }
    let store = Store::open_read(&paths.catalogue())?;
    let things = find(&store, target)?;
    if things.is_empty() {
        return Err(Fault::NotHere(format!("{target} is not in the archive")));
    }
    let mut report = Report::new(target);
    let Some(signed) = log::signed(paths, trust, &mut report)? else { return Ok(report.conclude()) };
    let look = Look { paths, store: &store, tiles: Tiles::new(&paths.ledger()), signed };
    for thing in things {
        look.at(&thing, &mut report)?;
    }
    report.not_checked.push("everything else in the archive: onrecord verify looks at all of it".to_owned());
    Ok(report.conclude())
}

fn find(store: &Store, target: &str) -> Result<Vec<Thing>, Fault> {
    if let Ok(digest) = target.parse::<Digest>() {
        return Ok(store.things(&digest)?);
    }
    let bare = target.trim_start_matches("<urn:uuid:").trim_start_matches("urn:uuid:").trim_end_matches('>');
    if let Ok(id) = bare.parse::<Uuid>() {
        return Ok(store.locate(id)?.map(|at| Thing::Warc(at.id)).into_iter().collect());
    }
    if let Ok(index) = target.parse::<u64>() {
        return Ok(store.record(index)?.map(|row| Thing::Record(row.index)).into_iter().collect());
    }
    let path = Path::new(target);
    // The beginning of an id, unless a file has that name.
    if !path.exists() {
        let hex = target.strip_prefix("sha256:").unwrap_or(target);
        let found = store.by_prefix(&hex.to_ascii_lowercase())?;
        if found.len() > 1 {
            return Err(Fault::Input {
                what: format!("{target} is the beginning of several ids"),
                hint: "give more digits".to_owned(),
            });
        }
        if let Some(digest) = found.first() {
            return Ok(store.things(digest)?);
        }
    }
    let digest = input::digest(path).map_err(|e| Fault::Input {
        what: format!("{target}: {e}"),
        hint: "expected sha256:…, a WARC record's id, a ledger index, or a file".to_owned(),
    })?;
    Ok(store.things(&digest)?)
}

struct Look<'a> {
    paths: &'a Paths,
    store: &'a Store,
    tiles: Tiles,
    signed: crate::format::checkpoint::Signed,
}

impl Look<'_> {
    fn at(&self, thing: &Thing, report: &mut Report) -> Result<(), Fault> {
        match thing {
            Thing::Record(index) => self.record(*index, report),
            Thing::Warc(id) => match self.store.locate(*id)? {
                Some(at) => {
                    self.warc(&at, report);
                    report.not_checked.push(format!(
                        "which record names the WARC record {id}; the digest in the catalogue was taken"
                    ));
                    Ok(())
                }
                None => Ok(()),
            },
        }
    }

    /// A record: its bytes, its leaf, its place under the checkpoint, and everything it names.
    fn record(&self, index: u64, report: &mut Report) -> Result<(), Fault> {
        let Some(row) = self.store.record(index)? else { return Ok(()) };
        let place = format!("ledger/leaf/{index}");
        self.included(index, &row.leaf, &place, report);
        let Some(at) = self.store.locate(row.warc)? else {
            report.problem("record-missing", place, "its WARC record is not in the catalogue");
            return Ok(());
        };
        let Some(block) = self.block(&at, report) else { return Ok(()) };
        if Digest::of(&block) != row.leaf {
            report.problem(
                "payload-changed",
                format!("warc/{}@{}", at.file, at.offset),
                "it is not the record its leaf names",
            );
            return Ok(());
        }
        let record = match Record::read(&block) {
            Ok(record) => record,
            Err(why) => {
                report.problem("record-malformed", format!("warc/{}@{}", at.file, at.offset), why.to_string());
                return Ok(());
            }
        };
        report.checked.records += 1;
        let mut names = Vec::new();
        record::named(&serde_json::to_value(&record).map_err(Fault::json)?, &mut names);
        for name in names {
            self.named(&name, report)?;
        }
        Ok(())
    }

    fn included(&self, index: u64, leaf: &Digest, place: &str, report: &mut Report) {
        let checkpoint = &self.signed.checkpoint;
        report.checked.leaves += 1;
        let holds = self.tiles.inclusion(index, checkpoint.size).map_err(|e| e.to_string()).and_then(|proof| {
            verify_inclusion(&record_leaf(leaf), index, checkpoint.size, &proof, &checkpoint.root)
                .map_err(|e| e.to_string())
        });
        if let Err(why) = holds {
            report.problem("leaf-changed", place, why);
        }
    }

    /// A named WARC record, and what it names in turn where it is a document of ours.
    fn named(&self, name: &RecordName, report: &mut Report) -> Result<(), Fault> {
        let Some(at) = self.store.locate(name.id)? else {
            report.problem("record-missing", format!("warc/{}", name.id), "it is named and not in the catalogue");
            return Ok(());
        };
        if at.digest != name.digest {
            report.problem(
                "row-changed",
                format!("onrecord.db:warc_record/{}", name.id),
                "the ledger names another digest",
            );
        }
        if at.kind != 5 {
            self.warc(&Located { digest: name.digest, ..at }, report);
            return Ok(());
        }
        let Some(block) = self.block(&Located { digest: name.digest, ..at }, report) else { return Ok(()) };
        if let Ok(value) = serde_json::from_slice(&block) {
            let mut names = Vec::new();
            record::named(&value, &mut names);
            for inner in names {
                self.named(&inner, report)?;
            }
        }
        Ok(())
    }

    fn warc(&self, at: &Located, report: &mut Report) {
        let place = Place { file: at.file.clone(), offset: at.offset, length: at.length };
        match place::whole_digest(&self.paths.warc(), &place) {
            Ok(digest) if digest == at.digest => {}
            Ok(_) => report.problem("header-changed", place.to_string(), "it is not the record that the ledger names"),
            Err(why) => report.problem("payload-changed", place.to_string(), why.to_string()),
        }
        report.checked.warc_records += 1;
        report.checked.bytes += at.length;
    }

    fn block(&self, at: &Located, report: &mut Report) -> Option<Vec<u8>> {
        let place = Place { file: at.file.clone(), offset: at.offset, length: at.length };
        report.checked.warc_records += 1;
        report.checked.bytes += at.length;
        match place::read_at(&self.paths.warc(), &place) {
            Ok(found) if found.name.digest == at.digest => Some(found.record.block),
            Ok(_) => {
                report.problem("header-changed", place.to_string(), "it is not the record that the ledger names");
                None
            }
            Err(why) => {
                report.problem("payload-changed", place.to_string(), why.to_string());
                None
            }
        }
    }
}
