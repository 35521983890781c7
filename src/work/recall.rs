//! Recall: what the ledger says of an earlier time, read from its records.
//!
//! A row of the catalogue says where a record lies, and anyone who can write the file can change it. Before something is signed that rests on
//! an earlier record, that record is read from its WARC file and found under the signed checkpoint.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{Builder, Scope, available_parallelism, scope};

use jiff::Timestamp;

use crate::citation::{Citation, CitationId};
use crate::format::checkpoint::Checkpoint;
use crate::format::digest::Digest;
use crate::format::merkle::{record_leaf, verify_inclusion};
use crate::platform::post::{Author, Platform};
use crate::record::{ArchiveRequested, Event, Record, ResolutionEnded, StatementAdded, Stood};
use crate::resolution::ending::Ending;
use crate::resolution::exchange::RecordName;
use crate::snapshot::Manifest;
use crate::work::fault::Fault;
use crate::work::parts::Paths;
use crate::world::store::apply::{Documents, held_each};
use crate::world::store::read::Owed;
use crate::world::store::{self, Store};
use crate::world::tiles::prover::Prover;
use crate::world::tiles::reader::Tiles;
use crate::world::vault::place::{self, Place, Shelf};

/// Reads records back.
#[derive(Debug)]
pub struct Recall {
    warc: PathBuf,
    tiles: Arc<Tiles>,
    desk: Mutex<Desk>,
    /// the checkpoint they are looked for under; an older one serves as well
    under: Mutex<Option<Checkpoint>>,
    missed: Mutex<Missed>,
}

/// Records so far back are looked through for a citation that never led anywhere.
const FAR: u64 = 1_000_000;
/// Records without a row that are read; where there are more, nothing is said of any look.
const MOST: usize = 10_000;

/// Looks and changes that the ledger has and the catalogue lacks, of the indexes from `from` up to `to`.
#[derive(Debug, Default)]
struct Missed {
    from: u64,
    to: u64,
    looks: HashMap<CitationId, Vec<u64>>,
    changes: HashMap<CitationId, Vec<u64>>,
    /// one of them could not be read: whose look it was nobody knows
    untold: bool,
}

/// Statements whose records a thread of its own is not begun for.
const READ_BY_ONE: usize = 64;
/// Records of statements that a thread has read and nobody has asked for yet.
const AHEAD: usize = 32;

/// A statement's record as a thread read it; none where it is not to be had.
type Read = Result<Option<Box<StatementAdded>>, Fault>;

/// What several threads read of one list, each every so manieth, in the order of the list.
fn in_turn(readers: &[Receiver<Read>]) -> impl Iterator<Item = Read> {
    let died = |_| Err(Fault::Broken("a thread that reads records died"));
    readers.iter().cycle().map(move |reader| reader.recv().unwrap_or_else(died))
}

/// Where records are read one after another, each found under a signed checkpoint: what they share is read once.
#[derive(Debug)]
struct Desk {
    shelf: Shelf,
    prover: Option<(Checkpoint, Prover<Arc<Tiles>>)>,
}

impl Desk {
    fn new(warc: &Path) -> Self {
        Self { shelf: Shelf::new(warc), prover: None }
    }
}

/// What stood at a citation's end before a look at it.
#[derive(Clone, Debug, PartialEq)]
pub enum Past {
    /// what the ledger says
    Known(Box<Before>),
    /// its records are not where the catalogue says, or say something else
    Untold,
}

/// The looks before, as their records have them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Before {
    /// the last settled look; none where there was none
    pub look: Option<Stood>,
    /// the last snapshot that a look led to
    pub snapshot: Option<(Digest, Manifest)>,
    /// retryable endings in a row since that look
    pub failures: u32,
    /// the ledger index of the oldest look that was read for this
    pub oldest: Option<u64>,
}

/// The last settled look.
struct Settled {
    index: u64,
    leaf: Digest,
    ending: Ending,
}

impl Recall {
    /// Over an archive. Nothing is read yet.
    pub fn new(paths: &Paths) -> Self {
        Self {
            warc: paths.warc(),
            tiles: Arc::new(Tiles::new(&paths.ledger())),
            desk: Mutex::new(Desk::new(&paths.warc())),
            under: Mutex::default(),
            missed: Mutex::default(),
        }
    }

    /// The record at a ledger index and its leaf; none where the catalogue leads to no record that the ledger has there.
    ///
    /// # Errors
    /// The catalogue's.
    pub fn record(&self, store: &Store, index: u64) -> Result<Option<(Digest, Record)>, Fault> {
        self.at(store, index, &mut self.desk.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn at(&self, store: &Store, index: u64, desk: &mut Desk) -> Result<Option<(Digest, Record)>, Fault> {
        let Some(at) = store.locate_record(index)? else { return Ok(None) };
        let place = Place { file: at.file, offset: at.offset, length: at.length };
        let Ok(block) = desk.shelf.block(&place) else { return Ok(None) };
        let leaf = Digest::of(&block);
        if !self.has(index, &leaf, desk) {
            return Ok(None);
        }
        Ok(Record::read_proved(&block).ok().map(|record| (leaf, record)))
    }

    /// Whether the ledger has this leaf at this index.
    fn has(&self, index: u64, leaf: &Digest, desk: &mut Desk) -> bool {
        if desk.prover.as_ref().is_none_or(|(under, _)| under.size <= index) {
            let Some(under) = self.checkpoint(index) else { return false };
            let prover = Prover::from_tiles(Arc::clone(&self.tiles), under.size);
            desk.prover = Some((under, prover));
        }
        let Some((Checkpoint { size, root, .. }, prover)) = &mut desk.prover else { return false };
        let path = prover.inclusion(index);
        path.is_ok_and(|path| verify_inclusion(&record_leaf(leaf), index, *size, &path, root).is_ok())
    }

    /// The record at `index`, where it brought a statement.
    fn statement(&self, store: &Store, index: u64, desk: &mut Desk) -> Read {
        Ok(match self.at(store, index, desk)? {
            Some((_, Record { event: Event::StatementAdded(added), .. })) => Some(added),
            _ => None,
        })
    }

    /// Whether a signed checkpoint is over this index yet.
    pub fn covers(&self, index: u64) -> bool {
        self.checkpoint(index).is_some()
    }

    /// A signed checkpoint over `index`.
    fn checkpoint(&self, index: u64) -> Option<Checkpoint> {
        let mut under = self.under.lock().unwrap_or_else(PoisonError::into_inner);
        if under.as_ref().is_none_or(|known| known.size <= index) {
            let key = self.tiles.key().ok()?;
            *under = Some(self.tiles.checkpoint(std::slice::from_ref(&key)).ok()?.checkpoint);
        }
        under.clone().filter(|known| known.size > index)
    }

    /// Shows `each` what is due, in the order of `due`, as the records of its statements have it. `missing` is told the ledger index of each
    /// statement whose record, or the document that lists what it cites, is not to be had, or has not all that is due of it.
    ///
    /// # Errors
    /// The catalogue's, and what `each` says.
    pub fn owed(
        &self,
        store: &Store,
        due: &[Owed],
        mut each: impl FnMut(&StatementAdded, &Citation) -> Result<(), Fault>,
        mut missing: impl FnMut(u64),
    ) -> Result<(), Fault> {
        let statements: Vec<&[Owed]> = due.chunk_by(|one, next| one.statement == next.statement).collect();
        let indexes: Vec<u64> = statements.iter().filter_map(|some| some.first()).map(|owed| owed.statement).collect();
        let threads = available_parallelism().map_or(1, usize::from).min(indexes.len() / READ_BY_ONE + 1);
        scope(|scope| {
            let mut readers = Vec::new();
            for nth in 0..threads {
                readers.push(self.read_ahead(
                    scope,
                    store.again()?,
                    indexes.iter().copied().skip(nth).step_by(threads),
                )?);
            }
            for ((some, index), added) in statements.iter().zip(&indexes).zip(in_turn(&readers)) {
                let all_there = match added? {
                    Some(added) => self.listed(store, &added, some, &mut each)?,
                    None => false,
                };
                if !all_there {
                    missing(*index);
                }
            }
            Ok(())
        })
    }

    /// Starts a thread that reads the records of statements at `indexes`, in their order.
    fn read_ahead<'scope>(
        &'scope self,
        scope: &'scope Scope<'scope, '_>,
        store: Store,
        indexes: impl Iterator<Item = u64> + Send + 'scope,
    ) -> Result<Receiver<Read>, Fault> {
        let (out, read) = sync_channel(AHEAD);
        let work = move || {
            let mut desk = Desk::new(&self.warc);
            let all = store.at_once(|| {
                for index in indexes {
                    if out.send(self.statement(&store, index, &mut desk)).is_err() {
                        break;
                    }
                }
                Ok::<(), store::Error>(())
            });
            if let Err(error) = all {
                // Nobody may be listening any more, and then nobody wants to know.
                let _ = out.send(Err(error.into()));
            }
        };
        Builder::new().spawn_scoped(scope, work).map_err(Fault::thread)?;
        Ok(read)
    }

    /// Shows `each` what is due of one statement, in the statement's order; false where the document that lists what it cites is not to be
    /// had, or has not all of it.
    fn listed(
        &self,
        store: &Store,
        added: &StatementAdded,
        some: &[Owed],
        each: &mut impl FnMut(&StatementAdded, &Citation) -> Result<(), Fault>,
    ) -> Result<bool, Fault> {
        let (mut left, mut failed) = (some.iter().peekable(), None);
        let read = held_each(&added.citations, &Listed { warc: &self.warc, store }, |place, citation: &Citation| {
            if left.next_if(|owed| owed.place == place).is_some() && failed.is_none() && citation.is_followed() {
                failed = each(added, citation).err();
            }
            Ok(())
        });
        match (failed, read) {
            (Some(fault), _) => Err(fault),
            (None, Ok(())) => Ok(left.peek().is_none()),
            (None, Err(store::Error::Document(_) | store::Error::Shape(..))) => Ok(false),
            (None, Err(error)) => Err(error.into()),
        }
    }

    /// What stood at a citation's end.
    ///
    /// # Errors
    /// The catalogue's.
    pub fn before(&self, store: &Store, citation: &CitationId) -> Result<Past, Fault> {
        let looked = store.looked(citation)?;
        let past = self.past(store, citation, &looked)?;
        let Past::Known(before) = &past else { return Ok(past) };
        // A row that was taken away makes an older look the last one: what lies behind those that told is gone through.
        let oldest = match &before.snapshot {
            Some(_) => before.oldest,
            None => store.cited_at(citation)?.filter(|index| store.leaves().is_ok_and(|n| n - n.min(*index) <= FAR)),
        };
        let oldest = oldest.or(before.oldest).or(looked.last().copied()).unwrap_or_default();
        let mut missed = self.missed.lock().unwrap_or_else(PoisonError::into_inner);
        if !self.go_through(store, oldest, &mut missed)? {
            return Ok(Past::Untold);
        }
        let more = missed.looks.get(citation).cloned().unwrap_or_default();
        if more.is_empty() && !missed.changes.contains_key(citation) {
            return Ok(past);
        }
        drop(missed);
        let mut all = [looked, more].concat();
        all.sort_by_key(|index| std::cmp::Reverse(*index));
        self.past(store, citation, &all)
    }

    /// Sees to it that `missed` has what the catalogue lacks from `oldest` on; false where that cannot be known.
    fn go_through(&self, store: &Store, oldest: u64, missed: &mut Missed) -> Result<bool, Fault> {
        let now = store.leaves()?;
        if missed.to == 0 {
            (missed.from, missed.to) = (now, now);
        }
        for (from, to) in [(missed.to, now), (oldest.min(missed.from), missed.from)] {
            let Some(lacking) = (if from < to { store.unlisted(from, to, MOST)? } else { Some(Vec::new()) }) else {
                missed.untold = true;
                continue;
            };
            missed.untold |= lacking.len() >= MOST;
            if !lacking.is_empty() {
                tracing::warn!(
                    "the catalogue lacks {} looks or changes that the ledger has: onrecord reindex makes it anew",
                    lacking.len()
                );
            }
            for index in lacking {
                match self.record(store, index)?.map(|(_, record)| record.event) {
                    Some(Event::ResolutionEnded(ended)) => missed.looks.entry(ended.citation).or_default().push(index),
                    Some(Event::ChangeSeen(seen)) => missed.changes.entry(seen.citation).or_default().push(index),
                    Some(_) => {}
                    None => missed.untold = true,
                }
            }
        }
        (missed.from, missed.to) = (oldest.min(missed.from), now.max(missed.to));
        Ok(!missed.untold)
    }

    /// The same by these looks, the last one first.
    fn past(&self, store: &Store, citation: &CitationId, looked: &[u64]) -> Result<Past, Fault> {
        let mut before = Before::default();
        let (mut settled, mut led_to) = (None, None);
        for index in looked.iter().copied() {
            before.oldest = Some(index);
            let Some((leaf, ended)) = self.ended(store, index, citation)? else { return Ok(Past::Untold) };
            led_to = led_to.or(ended.snapshot);
            if settled.is_none() && ended.ending.is_retryable() {
                before.failures += 1;
            } else if settled.is_none() {
                settled = Some(Settled { index, leaf, ending: ended.ending });
            }
            if settled.is_some() && led_to.is_some() {
                break;
            }
        }
        if let Some(id) = led_to {
            let Some(manifest) = self.manifest(store, &id)? else { return Ok(Past::Untold) };
            before.snapshot = Some((id, manifest));
        }
        let Some(settled) = settled else { return Ok(Past::Known(Box::new(before))) };
        let Some(ending) = self.stood(store, citation, &settled, before.snapshot.as_ref())? else {
            return Ok(Past::Untold);
        };
        before.look = Some(Stood { record: Some(settled.leaf), ending, snapshot: led_to });
        Ok(Past::Known(Box::new(before)))
    }

    /// The last word on a copy that an outside archive was asked for, and its time; none where the ledger has no such record there.
    ///
    /// # Errors
    /// The catalogue's.
    pub fn requested(&self, store: &Store, index: u64) -> Result<Option<(Timestamp, ArchiveRequested)>, Fault> {
        Ok(self.record(store, index)?.and_then(|(_, record)| match record.event {
            Event::ArchiveRequested(requested) => Some((record.at, *requested)),
            _ => None,
        }))
    }

    /// Who wrote the post in the snapshot that the record at a ledger index brought; none where the ledger has no such record there.
    ///
    /// # Errors
    /// The catalogue's.
    pub fn author(&self, store: &Store, index: u64) -> Result<Option<(Platform, Author)>, Fault> {
        let Some((_, Record { event: Event::SnapshotTaken { snapshot, .. }, .. })) = self.record(store, index)? else {
            return Ok(None);
        };
        let post = self.manifest(store, &snapshot)?.and_then(|manifest| manifest.post);
        Ok(post.map(|post| (post.name.platform, post.author)))
    }

    /// The look at a citation that a record tells of.
    fn ended(
        &self,
        store: &Store,
        index: u64,
        citation: &CitationId,
    ) -> Result<Option<(Digest, Box<ResolutionEnded>)>, Fault> {
        let Some((leaf, record)) = self.record(store, index)? else { return Ok(None) };
        let Event::ResolutionEnded(ended) = record.event else { return Ok(None) };
        Ok((ended.citation == *citation).then_some((leaf, ended)))
    }

    /// How what stood at a settled look ended: where nothing had changed, as its snapshot did; where failures that lasted have since
    /// been put on record, as they say.
    fn stood(
        &self,
        store: &Store,
        citation: &CitationId,
        settled: &Settled,
        snapshot: Option<&(Digest, Manifest)>,
    ) -> Result<Option<Ending>, Fault> {
        // The record right behind the look's own is of the change that this look saw.
        let missed = self.missed.lock().unwrap_or_else(PoisonError::into_inner);
        let more = missed.changes.get(citation).and_then(|more| more.iter().max().copied());
        drop(missed);
        let more = more.filter(|index| *index > settled.index + 1);
        if let Some(index) = store.changed_after(citation, settled.index + 1)?.max(more) {
            let Some((_, Record { event: Event::ChangeSeen(seen), .. })) = self.record(store, index)? else {
                return Ok(None);
            };
            return Ok((seen.citation == *citation).then_some(seen.after.ending));
        }
        Ok(match settled.ending {
            Ending::Unchanged => snapshot.map(|(_, manifest)| manifest.ending),
            other => Some(other),
        })
    }

    /// The manifest with this digest.
    fn manifest(&self, store: &Store, snapshot: &Digest) -> Result<Option<Manifest>, Fault> {
        let Some((_, id)) = store.manifest(snapshot)? else { return Ok(None) };
        let Some(at) = store.locate(id)? else { return Ok(None) };
        let place = Place { file: at.file, offset: at.offset, length: at.length };
        let Ok(found) = place::read_at(&self.warc, &place) else { return Ok(None) };
        let block = found.record.block;
        Ok((Digest::of(&block) == *snapshot).then(|| serde_json::from_slice(&block).ok()).flatten())
    }
}

/// Documents that a record names, each checked against the digest it is named by.
struct Listed<'a> {
    warc: &'a Path,
    store: &'a Store,
}

impl Documents for Listed<'_> {
    fn block(&self, name: &RecordName) -> Result<Vec<u8>, store::Error> {
        let missing = || store::Error::Document(name.id);
        let at = self.store.locate(name.id)?.ok_or_else(missing)?;
        let place = Place { file: at.file, offset: at.offset, length: at.length };
        let found = place::read_at(self.warc, &place).map_err(|_| missing())?;
        if found.name == *name { Ok(found.record.block) } else { Err(missing()) }
    }
}
