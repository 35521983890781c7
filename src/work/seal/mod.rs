//! The seal: the one order in which anything becomes durable.
//!
//! WARC bytes fsynced → SQLite commit → ledger tiles fsynced → checkpoint signed and renamed into place → acknowledged.
//! A crash between any two leaves an archive that [`catch_up`](crate::work::archive) brings level with the functions below.
//! Many deeds share one pass (group commit): whoever hands one in waits for the pass that carries it.

mod inbox;
mod pass;

use std::collections::HashMap;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use jiff::Timestamp;
use tokio::sync::{mpsc, oneshot};
use uuid::Uuid;

use crate::citation::CitationId;
use crate::format::checkpoint::Checkpoint;
use crate::format::digest::Digest;
use crate::format::json;
use crate::format::note::Signature;
use crate::format::warc::record::Record as WarcRecord;
use crate::record::{Event, Held};
use crate::resolution::exchange::RecordName;
use crate::work::fault::Fault;
use crate::work::parts::{self, Parts, Tools};
use crate::work::seal::inbox::Inbox;
use crate::world::store::apply::WarcRow;
use crate::world::vault::long::{self, Long};
use crate::world::vault::pack::Packing;
use crate::world::vault::{Kept, Vault};

/// A record's inline value above this many bytes of JSON moves to a WARC record of its own.
const INLINE: usize = 48 * 1024;
/// Bytes of a long list that are packed at once.
const PIECE: usize = 16 * 1024;
const _: () = assert!(PIECE <= INLINE);

/// Events to be written together, and what the queue is to be told.
#[derive(Debug, Default)]
pub struct Deed {
    /// in order
    pub events: Vec<Event>,
    /// when citations are due again
    pub due: Vec<(CitationId, Timestamp)>,
    /// blocks of the documents that the events name, for the catalogue to read
    blocks: HashMap<Uuid, Block>,
}

/// A document on its way to the catalogue.
#[derive(Debug)]
enum Block {
    Whole(Vec<u8>),
    /// a list that may have a million items
    Long(Long),
}

/// The pass that carried a deed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// ledger index of the deed's first event
    pub first: u64,
    /// leaves under the checkpoint
    pub size: u64,
    /// its root
    pub root: Digest,
}

impl Deed {
    /// Events alone.
    pub fn of(events: Vec<Event>) -> Self {
        Self { events, ..Self::default() }
    }
}

/// A deed that was handed in and is nowhere yet.
#[derive(Debug)]
#[must_use = "a deed stands once its pass has been waited for"]
pub struct Pending(oneshot::Receiver<Result<Sealed, Fault>>);

impl Pending {
    /// Waits for the pass that carries it.
    ///
    /// # Errors
    /// As [`Seal::commit`].
    pub async fn sealed(self) -> Result<Sealed, Fault> {
        self.0.await.unwrap_or(Err(STOPPED))
    }
}

struct Order {
    what: What,
    done: oneshot::Sender<Result<Sealed, Fault>>,
}

enum What {
    /// events to be sealed
    Deed(Deed),
    /// signature lines for the published checkpoint, where it still is this one
    Lines(Checkpoint, Vec<Signature>),
}

/// What was appended since the last pass.
struct Bench {
    vault: Vault,
    rows: Vec<WarcRow>,
}

/// The seal of an open archive; clones share it.
#[derive(Clone)]
pub struct Seal {
    bench: Arc<Mutex<Bench>>,
    /// for packing what is kept before the bench is locked: as many as ever packed at once
    packings: Arc<Mutex<Vec<Packing>>>,
    tools: Arc<Tools>,
    orders: mpsc::UnboundedSender<Order>,
    /// more deeds will come, whatever becomes of those handed in
    more: Arc<AtomicBool>,
}

impl std::fmt::Debug for Seal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Seal")
    }
}

/// The thread that makes the passes; joined when the archive closes.
#[derive(Debug)]
pub struct Sealer(JoinHandle<Result<Parts, Fault>>);

impl Sealer {
    /// Waits for the last pass, once every [`Seal`] is gone, and gives the archive's parts back.
    ///
    /// # Errors
    /// What stopped it.
    pub fn finish(self) -> Result<Parts, Fault> {
        self.0.join().unwrap_or(Err(Fault::Broken("the sealing thread died")))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Seal {
    /// Starts sealing for an open archive.
    ///
    /// # Errors
    /// A thread that cannot be started.
    pub fn start(parts: Parts, tools: Arc<Tools>) -> Result<(Self, Sealer), Fault> {
        let Parts { vault, store, log } = parts;
        let bench = Arc::new(Mutex::new(Bench { vault, rows: Vec::new() }));
        let (orders, inbox) = mpsc::unbounded_channel();
        let more: Arc<AtomicBool> = Arc::default();
        let seal =
            Self { bench: bench.clone(), packings: Arc::default(), tools: tools.clone(), orders, more: more.clone() };
        let work = move || pass::passes(bench, store, log, &tools, Inbox::new(inbox, more));
        let thread = std::thread::Builder::new().name("seal".to_owned()).spawn(work).map_err(Fault::thread)?;
        Ok((seal, Sealer(thread)))
    }

    /// Whether more deeds will come before anyone needs those handed in: passes may then wait longer for company.
    pub fn expect_more(&self, more: bool) {
        self.more.store(more, Relaxed);
    }

    /// Appends WARC records that belong together; they are durable with the next pass.
    ///
    /// # Errors
    /// The vault's: the disk is full, read-only or broken.
    pub fn keep(&self, records: &[WarcRecord]) -> Result<Vec<RecordName>, Fault> {
        if records.is_empty() {
            return Ok(Vec::new());
        }
        Ok(self.packed(records)?.into_iter().map(|kept| kept.name).collect())
    }

    /// Packs records and appends them; the bench is locked for the appending alone.
    fn packed(&self, records: &[WarcRecord]) -> Result<Vec<Kept>, Fault> {
        let mut packing = lock(&self.packings).pop().unwrap_or_default();
        records.iter().for_each(|record| packing.add(record));
        let kept = lock(&self.bench).keep(records, &packing);
        packing.clear();
        lock(&self.packings).push(packing);
        kept
    }

    /// Runs `with` on the vault alone, for bodies that are written as they come.
    ///
    /// # Errors
    /// What `with` says.
    pub fn with_vault<T>(&self, with: impl FnOnce(&mut Vault) -> Result<T, Fault>) -> Result<T, Fault> {
        with(&mut lock(&self.bench).vault)
    }

    /// Takes up the rows of records that are in the vault already.
    pub fn took(&self, rows: impl IntoIterator<Item = WarcRow>) {
        lock(&self.bench).rows.extend(rows);
    }

    /// Keeps a document of ours for `deed`: a metadata record whose block is `block`. The digest of that, and the record.
    ///
    /// # Errors
    /// As [`Seal::keep`].
    pub fn document(&self, deed: &mut Deed, what: &str, block: Vec<u8>) -> Result<(Digest, RecordName), Fault> {
        let digest = Digest::of(&block);
        let record = document_of(&self.tools, what, digest, block)?;
        Ok((digest, self.keep_readable(deed, record)?))
    }

    /// Keeps a record whose block the catalogue reads when the event of `deed` that names it is applied.
    ///
    /// # Errors
    /// As [`Seal::keep`].
    pub fn keep_readable(&self, deed: &mut Deed, record: WarcRecord) -> Result<RecordName, Fault> {
        let name = self.packed(std::slice::from_ref(&record))?.pop().map(|kept| kept.name);
        let name = name.ok_or(Fault::Broken("the vault kept a record without a name"))?;
        deed.blocks.insert(name.id, Block::Whole(record.block));
        Ok(name)
    }

    /// A value in place where it is short, as a document where it is long.
    ///
    /// # Errors
    /// As [`Seal::keep`].
    pub fn hold<T: serde::Serialize>(&self, deed: &mut Deed, what: &str, value: T) -> Result<Held<T>, Fault> {
        if json::length(&value).map_err(Fault::json)? <= INLINE {
            return Ok(Held::Here(value));
        }
        let bytes = json::canonical(&value).map_err(Fault::json)?;
        Ok(Held::Apart { kept: self.document(deed, what, bytes)?.1 })
    }

    /// The same for a list, of which one item at a time is held: a list may have a million. Nothing in it names a WARC record.
    ///
    /// # Errors
    /// As [`Seal::keep`], and the first item that is none.
    pub fn hold_all<T: serde::Serialize>(
        &self,
        deed: &mut Deed,
        what: &str,
        items: impl Iterator<Item = Result<T, Fault>>,
    ) -> Result<Held<Vec<T>>, Fault> {
        let (mut here, mut json, mut long) = (Vec::new(), Vec::new(), None);
        for (n, item) in items.enumerate() {
            let item = item?;
            json.push(if n == 0 { b'[' } else { b',' });
            json.append(&mut json::canonical(&item).map_err(Fault::json)?);
            // The closing bracket fits too.
            if long.is_none() && json.len() < INLINE {
                here.push(item);
                continue;
            }
            here = Vec::new();
            if json.len() >= PIECE {
                long.get_or_insert_with(long::Writer::default).write(&json).map_err(Fault::packing)?;
                json.clear();
            }
        }
        let Some(mut writer) = long else { return Ok(Held::Here(here)) };
        json.push(b']');
        writer.write(&json).map_err(Fault::packing)?;
        let long = writer.finish().map_err(Fault::packing)?;
        let record = document_of(&self.tools, what, long.digest(), Vec::new())?;
        Ok(Held::Apart { kept: lock(&self.bench).keep_long(deed, record, long)? })
    }

    /// Seals a deed; when this returns it is on disk, in the ledger and under a signed checkpoint.
    ///
    /// # Errors
    /// Whatever stopped the pass. Nothing after it is acknowledged either.
    pub async fn commit(&self, deed: Deed) -> Result<Sealed, Fault> {
        self.hand_in(deed)?.sealed().await
    }

    /// Hands in a deed without waiting for its pass. Deeds are sealed in the order in which they were handed in.
    ///
    /// # Errors
    /// Sealing has stopped.
    pub fn hand_in(&self, deed: Deed) -> Result<Pending, Fault> {
        self.order(What::Deed(deed)).map(Pending)
    }

    /// The same, for callers outside the runtime.
    ///
    /// # Errors
    /// As [`Seal::commit`].
    pub fn commit_now(&self, deed: Deed) -> Result<Sealed, Fault> {
        self.order(What::Deed(deed))?.blocking_recv().unwrap_or(Err(STOPPED))
    }

    /// Adds signature lines, whose worth the caller has checked, to the published checkpoint. Where that has moved on
    /// meanwhile nothing is added; what is published then is in the answer.
    ///
    /// # Errors
    /// As [`Seal::commit`].
    pub async fn cosign(&self, checkpoint: Checkpoint, lines: Vec<Signature>) -> Result<Sealed, Fault> {
        self.order(What::Lines(checkpoint, lines))?.await.unwrap_or(Err(STOPPED))
    }

    /// The same, for callers outside the runtime.
    ///
    /// # Errors
    /// As [`Seal::commit`].
    pub fn cosign_now(&self, checkpoint: Checkpoint, lines: Vec<Signature>) -> Result<Sealed, Fault> {
        self.order(What::Lines(checkpoint, lines))?.blocking_recv().unwrap_or(Err(STOPPED))
    }

    fn order(&self, what: What) -> Result<oneshot::Receiver<Result<Sealed, Fault>>, Fault> {
        let (done, wait) = oneshot::channel();
        self.orders.send(Order { what, done }).map_err(|_| STOPPED)?;
        Ok(wait)
    }
}

impl Bench {
    /// Appends what is packed, and takes up its rows.
    fn keep(&mut self, records: &[WarcRecord], packing: &Packing) -> Result<Vec<Kept>, Fault> {
        let kept = self.vault.append_all(packing)?;
        self.rows.extend(records.iter().zip(&kept).map(|(record, kept)| parts::row(record, kept)));
        Ok(kept)
    }

    /// The rows of everything kept since this was last asked, the beginnings of files among them.
    fn take_rows(&mut self) -> Vec<WarcRow> {
        let mut rows: Vec<_> = self.vault.begun().iter().map(|(record, kept)| parts::row(record, kept)).collect();
        rows.append(&mut self.rows);
        rows
    }

    fn keep_readable(&mut self, deed: &mut Deed, record: WarcRecord) -> Result<RecordName, Fault> {
        let kept = self.vault.append(&record)?;
        self.rows.push(parts::row(&record, &kept));
        deed.blocks.insert(kept.name.id, Block::Whole(record.block));
        Ok(kept.name)
    }

    fn keep_long(&mut self, deed: &mut Deed, record: WarcRecord, long: Long) -> Result<RecordName, Fault> {
        let kept = self.vault.append_long(&record, &long)?;
        self.rows.push(parts::row(&record, &kept));
        deed.blocks.insert(kept.name.id, Block::Long(long));
        Ok(kept.name)
    }
}

fn document(
    bench: &mut Bench,
    tools: &Tools,
    deed: &mut Deed,
    what: &str,
    block: Vec<u8>,
) -> Result<RecordName, Fault> {
    let record = document_of(tools, what, Digest::of(&block), block)?;
    bench.keep_readable(deed, record)
}

/// The record of a document, which its own digest names.
fn document_of(tools: &Tools, what: &str, digest: Digest, block: Vec<u8>) -> Result<WarcRecord, Fault> {
    let uri = format!("urn:onrecord:{what}:{}", digest.hex());
    Ok(WarcRecord::metadata(tools.uuid()?, tools.clock.now(), "application/json", block)
        .about(&uri)
        .known(Some(digest)))
}

fn hold<T: serde::Serialize>(
    bench: &mut Bench,
    tools: &Tools,
    deed: &mut Deed,
    what: &str,
    value: T,
) -> Result<Held<T>, Fault> {
    if json::length(&value).map_err(Fault::json)? <= INLINE {
        return Ok(Held::Here(value));
    }
    let bytes = json::canonical(&value).map_err(Fault::json)?;
    Ok(Held::Apart { kept: document(bench, tools, deed, what, bytes)? })
}

const STOPPED: Fault = Fault::Broken("the sealing thread has stopped");
