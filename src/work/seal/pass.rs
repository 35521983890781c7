//! A pass: what was handed in by then, through all stores in the order of durability.

use std::collections::HashMap;
use std::io::Read as _;
use std::sync::{Arc, Mutex, PoisonError};

use uuid::Uuid;

use crate::format::digest::Digest;
use crate::format::warc::record::Record as WarcRecord;
use crate::record::{Event, Held, Record};
use crate::resolution::exchange::RecordName;
use crate::work::fault::Fault;
use crate::work::mark;
use crate::work::parts::{self, Parts, RECORD_URN, Tools};
use crate::work::seal::inbox::Inbox;
use crate::work::seal::{Bench, Block, Deed, Sealed, What, hold, lock};
use crate::world::clock::Stopwatch;
use crate::world::store::apply::{Batch, Bound, Documents, Leaf, List};
use crate::world::store::{self, Store};
use crate::world::vault::Unsynced;
use crate::world::vault::pack::Packing;

/// Deeds in one pass, so that a pass stays short.
const PASS: usize = 512;
/// WARC records named by one record, so that its document stays well below a megabyte.
const BOUND_AT_ONCE: usize = 4096;
/// Beginnings of files named by one record, in place.
const BEGUN_AT_ONCE: usize = 256;

/// Makes passes until nobody can hand in anything any more; the archive's parts back.
pub(super) fn passes(
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
