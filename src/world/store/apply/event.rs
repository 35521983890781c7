//! A ledger record's own row, and the rows of what it says.

use std::cell::RefCell;

use rusqlite::params;

use crate::citation::CitationId;
use crate::format::time;
use crate::record::{self, Event};
use crate::resolution::exchange::RecordName;
use crate::world::store::apply::{Batch, Bound, Documents, Leaf, List, held, held_each, signed, text_of};
use crate::world::store::{Error, keys};

/// Remembers what the documents that pass through it name.
struct Named<'a> {
    docs: &'a dyn Documents,
    names: RefCell<Vec<RecordName>>,
}

impl Documents for Named<'_> {
    fn block(&self, name: &RecordName) -> Result<Vec<u8>, Error> {
        let block = self.docs.block(name)?;
        self.names.borrow_mut().extend(record::names(&block));
        Ok(block)
    }

    fn foreign(&self, name: &RecordName) -> Result<Vec<u8>, Error> {
        self.docs.foreign(name)
    }

    fn list(&self, name: &RecordName) -> Result<List<'_>, Error> {
        let list = self.docs.list(name)?;
        if let List::Whole(block) = &list {
            // What another hand wrote may hold anything; what is streamed is of our own making.
            self.names.borrow_mut().extend(record::names(block));
        }
        Ok(list)
    }
}

impl Batch<'_> {
    /// Adds a record and every row that follows from it.
    ///
    /// # Errors
    /// A document that is missing or has another shape, and SQLite's own.
    pub fn record(&self, leaf: Leaf<'_>, docs: &dyn Documents) -> Result<(), Error> {
        let text = text_of(leaf.record)?;
        let mut bound = Bound::default();
        self.record_naming(leaf, text.as_bytes(), docs, &mut bound)?;
        self.bind(bound)
    }

    /// The same where the record's canonical bytes are at hand; the WARC records that it binds go to `bound`.
    ///
    /// # Errors
    /// As [`Batch::record`].
    pub fn record_naming(
        &self,
        leaf: Leaf<'_>,
        canonical: &[u8],
        docs: &dyn Documents,
        bound: &mut Bound,
    ) -> Result<(), Error> {
        let idx = signed(leaf.index);
        let named = Named { docs, names: RefCell::new(record::names(canonical)) };
        self.rows(leaf, &named)?;
        bound.own.entry(leaf.warc).or_insert(idx);
        for name in named.names.into_inner() {
            bound.named.entry(name).or_insert(idx);
        }
        Ok(())
    }

    fn rows(&self, leaf: Leaf<'_>, docs: &dyn Documents) -> Result<(), Error> {
        let Leaf { index, data, warc, record } = leaf;
        let place = self.placed(&warc)?.ok_or(Error::Document(warc))?.place;
        self.put(
            "INSERT INTO record (idx, leaf, warc, kind, at) VALUES (?1, ?2, ?3, ?4, ?5)",
            params![signed(index), data.0, place, record.event.kind(), record.at.as_microsecond()],
        )?;
        let idx = signed(index);
        match &record.event {
            Event::ArchiveCreated { origin, vkey, software } => {
                for (key, value) in [
                    ("origin", origin.as_str()),
                    ("vkey", vkey),
                    ("software", software),
                    ("created", &time::rfc3339(record.at)),
                ] {
                    self.put("INSERT OR REPLACE INTO meta (key, value) VALUES (?1, ?2)", [key, value])?;
                }
                Ok(())
            }
            Event::StatementAdded(added) => self.statement(idx, record.at, added, docs),
            Event::RunOpened { run, planned, plan, .. } => {
                self.put(
                    "INSERT INTO run (id, opened, planned, record) VALUES (?1, ?2, ?3, ?4)",
                    params![run.0.as_bytes(), record.at.as_microsecond(), signed(*planned), idx],
                )?;
                held_each(plan, docs, |_, citation: &CitationId| {
                    if let Some(citation) = keys::of_citation(self.tx, &citation.0)? {
                        self.put("INSERT OR IGNORE INTO run_plan (run, citation) VALUES (?1, ?2)", [idx, citation])?;
                    }
                    Ok(())
                })
            }
            Event::ResolutionEnded(ended) => self.resolution(idx, record.at, ended, docs),
            Event::SnapshotTaken { snapshot, manifest, .. } => self.snapshot(idx, snapshot, manifest, docs),
            Event::SnapshotUnchanged { .. } => Ok(()),
            Event::ChangeSeen(seen) => self.change(idx, record.at, seen, docs),
            Event::FindingMade(made) => self.finding(idx, record.at, made, docs),
            Event::RunClosed { run, ended, .. } => {
                self.put(
                    "UPDATE run SET closed = ?2, ended = ?3, closing = ?4 WHERE id = ?1",
                    params![run.0.as_bytes(), record.at.as_microsecond(), signed(*ended), idx],
                )?;
                Ok(())
            }
            Event::AnchorAdded { size, anchor, authority, state, file, time, .. } => {
                self.put(
                    "INSERT INTO anchor (record, size, kind, authority, state, file, at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                    params![idx, signed(*size), anchor, authority, state, file, time.map(|t| t.as_microsecond())],
                )?;
                Ok(())
            }
            // What it names is bound by it, and that is all.
            Event::EvidenceKept { records } => held(records, docs).map(drop),
            Event::ArchiveRequested(_)
            | Event::RunMissed { .. }
            | Event::KeyRotated { .. }
            | Event::ContentRemoved { .. }
            | Event::ExportMade { .. }
            | Event::FixityChecked { .. } => {
                self.put(
                    "INSERT INTO event (record, kind, at, body) VALUES (?1, ?2, ?3, ?4)",
                    params![idx, record.event.kind(), record.at.as_microsecond(), text_of(record)?],
                )?;
                Ok(())
            }
        }
    }
}
