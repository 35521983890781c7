//! The seal: the one order in which anything becomes durable.
//!
//! WARC bytes fsynced → SQLite commit → ledger tiles fsynced → checkpoint signed and renamed into place → acknowledged.
//! A crash between any two leaves an archive that [`catch_up`](crate::work::archive) brings level with the functions below.
//! Many deeds share one pass (group commit): whoever hands one in waits for the pass that carries it.

mod inbox;

use std::collections::HashMap;
use std::io::Read as _;
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
use crate::record::{Event, Held, Record};
use crate::resolution::exchange::RecordName;
use crate::work::fault::Fault;
use crate::work::mark;
use crate::work::parts::{self, Parts, RECORD_URN, Tools};
use crate::work::seal::inbox::Inbox;
use crate::world::clock::Stopwatch;
use crate::world::store::apply::{Batch, Bound, Documents, Leaf, List, WarcRow};
use crate::world::store::{self, Store};
use crate::world::vault::long::{self, Long};
use crate::world::vault::pack::Packing;
use crate::world::vault::{Kept, Unsynced, Vault};

/// Deeds in one pass, so that a pass stays short.
const PASS: usize = 512;
/// A record's inline value above this many bytes of JSON moves to a WARC record of its own.
const INLINE: usize = 48 * 1024;
/// Bytes of a long list that are packed at once.
const PIECE: usize = 16 * 1024;
const _: () = assert!(PIECE <= INLINE);
/// WARC records named by one record, so that its document stays well below a megabyte.
const BOUND_AT_ONCE: usize = 4096;
/// Beginnings of files named by one record, in place.
const BEGUN_AT_ONCE: usize = 256;

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
        let work = move || passes(bench, store, log, &tools, Inbox::new(inbox, more));
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
        let mut packing = lock(&self.packings).pop().unwrap_or_default();
        records.iter().for_each(|record| packing.add(record));
        let kept = lock(&self.bench).keep(records, &packing);
        packing.clear();
        lock(&self.packings).push(packing);
        Ok(kept?.into_iter().map(|kept| kept.name).collect())
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

    /// Keeps a document of ours for `deed`: a metadata record whose block is `block`.
    ///
    /// # Errors
    /// As [`Seal::keep`].
    pub fn document(&self, deed: &mut Deed, what: &str, block: Vec<u8>) -> Result<RecordName, Fault> {
        document(&mut lock(&self.bench), &self.tools, deed, what, block)
    }

    /// Keeps a record whose block the catalogue reads when the event of `deed` that names it is applied.
    ///
    /// # Errors
    /// As [`Seal::keep`].
    pub fn keep_readable(&self, deed: &mut Deed, record: WarcRecord) -> Result<RecordName, Fault> {
        lock(&self.bench).keep_readable(deed, record)
    }

    /// A value in place where it is short, as a document where it is long.
    ///
    /// # Errors
    /// As [`Seal::keep`].
    pub fn hold<T: serde::Serialize>(&self, deed: &mut Deed, what: &str, value: T) -> Result<Held<T>, Fault> {
        hold(&mut lock(&self.bench), &self.tools, deed, what, value)
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

fn passes(
    bench: Arc<Mutex<Bench>>,
    mut store: Store,
    mut log: crate::world::tiles::Log,
    tools: &Tools,
    mut inbox: Inbox,
) -> Result<Parts, Fault> {
    let mut last: Option<(Stopwatch, usize)> = None;
    while let Some(first) = inbox.first() {
        let mut orders = vec![first];
        inbox.gather(last.as_ref().map(|(end, carried)| (end.elapsed(), *carried)));
        orders.extend(std::iter::from_fn(|| inbox.next()).take(PASS - 1));
        let carried = orders.len();
        let (whats, done): (Vec<What>, Vec<_>) = orders.into_iter().map(|o| (o.what, o.done)).unzip();
        // Lines are for the checkpoint as it stands, so they come before what moves it on.
        let lined = lines(&mut log, &whats);
        let deed = |what| if let What::Deed(deed) = what { deed } else { Deed::default() };
        let deeds: Vec<Deed> = whats.into_iter().map(deed).collect();
        let closes = deeds.iter().flat_map(|deed| &deed.events).any(|event| matches!(event, Event::RunClosed { .. }));
        let bound = if closes { bind(&bench, &mut store, &mut log, tools) } else { Ok(()) };
        match lined.and(bound).and_then(|()| pass(&bench, &mut store, &mut log, tools, deeds)) {
            Ok(sealed) => {
                for (sealed, done) in sealed.into_iter().zip(done) {
                    // Whoever no longer waits has been interrupted; the deed stands all the same.
                    let _ = done.send(Ok(sealed));
                }
            }
            Err(fault) => {
                let why = fault.whole();
                for done in done {
                    let _ = done.send(Err(Fault::Sealing(why.clone())));
                }
                return Err(fault);
            }
        }
        last = Some((tools.clock.start(), carried));
    }
    // Exchanges of work that was cut short are evidence too: their bytes are kept, indexed and named.
    bind(&bench, &mut store, &mut log, tools)?;
    let bench = Arc::try_unwrap(bench).map_err(|_| Fault::Broken("the vault is still in use"))?;
    let bench = bench.into_inner().unwrap_or_else(PoisonError::into_inner);
    Ok(Parts { vault: bench.vault, store, log })
}

/// Names everything kept that no record names yet, so that the ledger binds every byte in the WARC files.
fn bind(
    bench: &Mutex<Bench>,
    store: &mut Store,
    log: &mut crate::world::tiles::Log,
    tools: &Tools,
) -> Result<(), Fault> {
    let rows = {
        let mut bench = lock(bench);
        let rows = bench.take_rows();
        if !rows.is_empty() {
            bench.vault.sync()?;
        }
        rows
    };
    if !rows.is_empty() {
        store.commit(|batch| batch.warcs(&rows, Bound::default()))?;
    }
    for some in store.unbound()?.chunks(BOUND_AT_ONCE) {
        let mut deed = Deed::default();
        let records = hold(&mut lock(bench), tools, &mut deed, "evidence", some.to_vec())?;
        deed.events.push(Event::EvidenceKept { records });
        pass(bench, store, log, tools, vec![deed])?;
    }
    Ok(())
}

fn lines(log: &mut crate::world::tiles::Log, whats: &[What]) -> Result<(), Fault> {
    for what in whats {
        if let What::Lines(checkpoint, lines) = what
            && *checkpoint == log.signed().checkpoint
        {
            log.add_signatures(lines.clone())?;
        }
    }
    Ok(())
}

struct Made {
    leaf: Digest,
    warc: Uuid,
    record: Record,
    /// its canonical bytes, once they are kept
    bytes: Vec<u8>,
}

fn pass(
    bench: &Mutex<Bench>,
    store: &mut Store,
    log: &mut crate::world::tiles::Log,
    tools: &Tools,
    deeds: Vec<Deed>,
) -> Result<Vec<Sealed>, Fault> {
    let mut due = Vec::new();
    let mut counts = Vec::with_capacity(deeds.len());
    let mut made = Vec::new();
    let mut blocks = HashMap::new();
    let (mut packing, mut records) = (Packing::default(), Vec::new());
    for deed in deeds {
        counts.push(deed.events.len() as u64);
        due.extend(deed.due);
        blocks.extend(deed.blocks);
        for event in deed.events {
            let (one, record) = make(tools, event)?;
            packing.add(&record);
            made.push(one);
            records.push(record);
        }
    }
    // 1. The bytes. Cut here, the tail of the WARC file is indexed by the next open.
    let (rows, unsynced) = {
        let mut bench = lock(bench);
        if !records.is_empty() {
            bench.keep(&records, &packing)?;
            for (one, record) in made.iter_mut().zip(records) {
                one.bytes = record.block;
            }
            name_begun(&mut bench, tools, &mut made)?;
        }
        let unsynced = bench.vault.unsynced()?;
        (bench.take_rows(), unsynced)
    };
    // While the disk is waited for, others go on appending.
    if let Err(error) = unsynced.map_or(Ok(()), Unsynced::run) {
        lock(bench).vault.doubt();
        return Err(error.into());
    }
    // 2. The rows. Cut here, the ledger is behind the catalogue; the next open appends the leaves it lacks.
    let first = store.commit(|batch| {
        let first = batch.next_index()?;
        batch.expect(&rows)?;
        let bound = apply(batch, first, &made, &Blocks(&blocks))?;
        batch.warcs(&rows, bound)?;
        due.iter().try_for_each(|(citation, at)| batch.due(&citation.0, *at))?;
        Ok(first)
    })?;
    // 3. The leaves, then the checkpoint over them. Cut between, tiles are longer than the checkpoint says; the next
    //    open takes them up again.
    let leaves: Vec<Digest> = made.iter().map(|m| m.leaf).collect();
    let (size, root) =
        if leaves.is_empty() { parts::head(log.signed()) } else { parts::append(log, tools, first, &leaves)? };
    let mut at = first;
    Ok(counts
        .into_iter()
        .map(|n| {
            let sealed = Sealed { first: at, size, root };
            at += n;
            sealed
        })
        .collect())
}

/// The beginning of a file is named by the pass that began it: nothing is left to say when the archive closes, and a checkpoint that a
/// witness has signed stays the last one. The name goes into a file that is begun already, or its beginning would be to be named.
fn name_begun(bench: &mut Bench, tools: &Tools, made: &mut Vec<Made>) -> Result<(), Fault> {
    let begun = bench.vault.begun();
    bench.rows.extend(begun.iter().map(|(record, kept)| parts::row(record, kept)));
    for some in begun.chunks(BEGUN_AT_ONCE) {
        let records = Held::Here(some.iter().map(|(_, kept)| kept.name).collect());
        bench.vault.stay(true);
        let named = append(bench, tools, Event::EvidenceKept { records });
        bench.vault.stay(false);
        made.push(named?);
    }
    Ok(())
}

fn append(bench: &mut Bench, tools: &Tools, event: Event) -> Result<Made, Fault> {
    let (made, record) = make(tools, event)?;
    let kept = bench.vault.append(&record)?;
    bench.rows.push(parts::row(&record, &kept));
    Ok(Made { bytes: record.block, ..made })
}

/// The record of an event, and the WARC record whose block it is.
fn make(tools: &Tools, event: Event) -> Result<(Made, WarcRecord), Fault> {
    let record = Record::new(tools.clock.now(), tools.random.bits128()?, event);
    let (bytes, leaf) = record.seal()?;
    let id = tools.uuid()?;
    let uri = format!("{}{}", RECORD_URN, leaf.hex());
    let marked = mark::of(&tools.key, &leaf);
    let kept_record =
        WarcRecord::metadata(id, record.at, "application/json", bytes).about(&uri).with(mark::FIELD, &marked);
    Ok((Made { leaf, warc: id, record, bytes: Vec::new() }, kept_record))
}

fn apply(batch: &Batch<'_>, first: u64, made: &[Made], docs: &dyn Documents) -> Result<Bound, store::Error> {
    let mut bound = Bound::default();
    for (index, one) in (first..).zip(made) {
        let leaf = Leaf { index, data: one.leaf, warc: one.warc, record: &one.record };
        batch.record_naming(leaf, &one.bytes, docs, &mut bound)?;
    }
    Ok(bound)
}

struct Blocks<'a>(&'a HashMap<Uuid, Block>);

impl Blocks<'_> {
    fn of(&self, name: &RecordName) -> Result<&Block, store::Error> {
        self.0.get(&name.id).ok_or(store::Error::Document(name.id))
    }
}

impl Documents for Blocks<'_> {
    fn block(&self, name: &RecordName) -> Result<Vec<u8>, store::Error> {
        match self.of(name)? {
            Block::Whole(block) => Ok(block.clone()),
            Block::Long(long) => {
                let mut block = Vec::new();
                long.read().read_to_end(&mut block).map_err(|_| store::Error::Document(name.id))?;
                Ok(block)
            }
        }
    }

    fn list(&self, name: &RecordName) -> Result<List<'_>, store::Error> {
        match self.of(name)? {
            Block::Whole(_) => self.block(name).map(List::Whole),
            Block::Long(long) => Ok(List::Stream(Box::new(long.read()))),
        }
    }
}
