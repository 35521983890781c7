//! Reindex: every row of the catalogue, read again from the WARC files and the ledger.
//!
//! The same function takes up what a crash left uncatalogued and makes a whole catalogue anew: it looks at each WARC file
//! from the byte where the catalogue's knowledge of it ends, which in an empty catalogue is its first.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use crate::format::digest::Digest;
use crate::format::note::Ed25519Signer;
use crate::format::warc::read::{Item, Want};
use crate::record::Record;
use crate::resolution::exchange::RecordName;
use crate::work::fault::Fault;
use crate::work::mark;
use crate::work::parts::RECORD_URN;
use crate::work::rows::{self, Lying, Seen};
use crate::world::store::apply::{Batch, Documents, Leaf};
use crate::world::store::{self, Store};
use crate::world::tiles::Log;
use crate::world::vault::place::{self, Place};
use crate::world::vault::recover::Leftover;

/// WARC records in one transaction.
const BATCH: usize = 4096;

/// What was taken up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TakenUp {
    /// WARC records
    pub rows: u64,
    /// ledger records
    pub records: u64,
    /// WARC records that were put there by someone else, and have no rows
    pub left_out: u64,
}

/// A ledger record seen in a WARC file, not yet applied.
pub struct Seed {
    /// the leaf's data
    pub leaf: Digest,
    /// the WARC record it lies in
    pub name: RecordName,
    /// where that lies
    pub place: Place,
}

/// Takes up everything in `warc` that the catalogue does not know, in the ledger's order. `open` are the files that a process that was
/// cut off had not sealed: what no record names is taken up where such a process may have left it, and nowhere else.
///
/// # Errors
/// Files that cannot be read, a record that is not logged and was not written with `key`, a document that a record names and that is not there, SQLite's own. Damage behind which
/// records stand is left to `verify`; what can be read is taken up.
pub fn take_up(
    warc: &Path,
    store: &mut Store,
    log: &Log,
    key: &Ed25519Signer,
    open: &[Leftover],
) -> Result<TakenUp, Fault> {
    let mut out = TakenUp::default();
    let mut seeds = Vec::new();
    let known = store.known_files()?;
    let mut looked = Vec::new();
    for file in place::files(warc)? {
        // A file that is sealed and known whole is not even opened: opening an archive costs what is new in it.
        let (from, sealed) = known.get(&file).copied().unwrap_or_default();
        if sealed {
            continue;
        }
        out.rows += scan(warc, &file, from, store, &mut seeds)?;
        looked.push((file, from));
    }
    if !seeds.is_empty() {
        let logged = in_ledger_order(&mut seeds, store.leaves()?, log)?;
        let ours: HashSet<String> = seeds.iter().take(logged).map(|seed| seed.place.file.clone()).collect();
        let checked = unmarked(warc, key, &mut seeds, logged, |file| {
            let known = looked.iter().any(|(name, from)| name == file && *from > 0);
            (known || ours.contains(file)) && !open.iter().any(|leftover| leftover.file == file)
        });
        if let Err(fault) = checked {
            // As if nobody had looked: the next process is to find it too.
            store.commit(|batch| looked.iter().try_for_each(|(file, from)| batch.forget(file, *from)))?;
            return Err(fault);
        }
        out.records = apply(warc, store, &seeds)?;
    }
    out.left_out = leave_out(store, open)?;
    seal_known(warc, store)?;
    Ok(out)
}

/// Records that are to be logged must bear the archive's mark. One that does not, in a file of the archive that was sealed long ago,
/// was put into it and is left out; anywhere else it is refused. `is_ours` says so of a file that was known before.
fn unmarked(
    warc: &Path,
    key: &Ed25519Signer,
    seeds: &mut Vec<Seed>,
    logged: usize,
    is_ours: impl Fn(&str) -> bool,
) -> Result<(), Fault> {
    let mut put = HashSet::new();
    for seed in seeds.iter().skip(logged) {
        match mark::check(key, warc, &seed.place, &seed.leaf) {
            Err(fault) if !is_ours(&seed.place.file) => return Err(fault),
            Err(_) => drop(put.insert(seed.name.id)),
            Ok(()) => {}
        }
    }
    let mut rest = seeds.split_off(logged.min(seeds.len()));
    rest.retain(|seed| !put.contains(&seed.name.id));
    seeds.append(&mut rest);
    Ok(())
}

/// Takes the rows of records away that no record of the ledger names and no process left there that was cut off. Nothing of them
/// is ever put on record as evidence; `verify` names them. A whole file of that kind is refused: the next run would name what lies in
/// it as if it had been captured.
fn leave_out(store: &mut Store, open: &[Leftover]) -> Result<u64, Fault> {
    let mut put = Vec::new();
    store.unnamed(|at| put.push((at.file, at.offset)))?;
    if put.is_empty() {
        return Ok(0);
    }
    let settled = store.settled()?.and_then(|file| place::serial(&file));
    put.retain(|(file, _)| open.is_empty() || settled.is_some_and(|settled| place::serial(file) < Some(settled)));
    // A file's beginning is named by the first records that go into it, unless a process was cut off in it.
    if let Some((file, _)) = put.iter().find(|(_, offset)| *offset == 0) {
        return Err(Fault::Damaged(format!(
            "warc/{file} is no file of this archive: no record of the ledger names its beginning, and no process was cut off while it \
             wrote; nothing is signed until it is taken away"
        )));
    }
    for (file, offset) in &put {
        tracing::warn!(
            "record-added: no record of the ledger names the one at warc/{file}@{offset}, and no process was cut off there; it is left \
             out of the catalogue: onrecord verify says more"
        );
    }
    store.commit(|batch| put.iter().try_for_each(|(file, offset)| batch.leave_out(file, *offset)))?;
    Ok(put.len() as u64)
}

/// Marks the files that nothing will be added to and of which every byte is known.
///
/// # Errors
/// A folder that cannot be read, and SQLite's own.
pub fn seal_known(warc: &Path, store: &mut Store) -> Result<(), Fault> {
    let whole: Vec<String> = store
        .known_files()?
        .into_iter()
        .filter(|(file, (end, sealed))| !sealed && place::sealed_length(warc, file) == Some(*end))
        .map(|(file, _)| file)
        .collect();
    if !whole.is_empty() {
        store.commit(|batch| whole.iter().try_for_each(|file| batch.sealed(file)))?;
    }
    Ok(())
}

fn scan(warc: &Path, file: &str, from: u64, store: &mut Store, seeds: &mut Vec<Seed>) -> Result<u64, Fault> {
    let (path, _) = place::open(warc, file)?;
    let want = Want { check: false, ..Want::ours() };
    let mut reader = place::scan(&path, from, want)?;
    let mut rows = Vec::new();
    let mut count = 0;
    let mut flush = |rows: &mut Vec<_>, store: &mut Store| -> Result<(), Fault> {
        count += rows.len() as u64;
        store.commit(|batch| rows.drain(..).try_for_each(|row| batch.warc(&row).map(drop)))?;
        Ok(())
    };
    while let Some(item) = reader.next().map_err(Fault::file("WARC file", &path))? {
        let (Some(kind), Some(id), Some(date), Some(digest)) =
            (item.head.kind(), item.head.uuid(), item.head.date(), item.digests.whole)
        else {
            continue;
        };
        if !item.is_whole() {
            continue;
        }
        let name = RecordName { id, digest };
        let lying = Lying { file, offset: item.offset, length: item.length };
        rows.push(rows::row(kind, date, name, &lying, item));
        if let Some(leaf) = leaf(item) {
            let place = Place { file: file.to_owned(), offset: item.offset, length: item.length };
            seeds.push(Seed { leaf, name, place });
        }
        if rows.len() >= BATCH {
            flush(&mut rows, store)?;
        }
    }
    flush(&mut rows, store)?;
    Ok(count)
}

impl Seen for Item {
    fn field(&self, name: &str) -> Option<String> {
        self.head.get(name).map(str::to_owned)
    }

    fn beginning(&self) -> &[u8] {
        if self.http.is_empty() { &self.prefix } else { &self.http }
    }

    fn block_len(&self) -> u64 {
        self.block_len
    }
}

/// The leaf that a record of ours is named by.
pub fn leaf(item: &Item) -> Option<Digest> {
    format!("sha256:{}", item.head.uri()?.strip_prefix(RECORD_URN)?).parse().ok()
}

/// Puts seeds into the order the ledger has them; those it does not have yet follow in the order they were written. Gives how many
/// it has.
fn in_ledger_order(seeds: &mut Vec<Seed>, from: u64, log: &Log) -> Result<usize, Fault> {
    // Of a record that lies there twice the first counts, as it does for `verify`.
    let mut written = HashMap::new();
    for (n, seed) in seeds.iter().enumerate() {
        written.entry(seed.leaf).or_insert(n);
    }
    let mut order = Vec::with_capacity(seeds.len());
    for index in from..log.size() {
        let leaf = log.leaf(index)?;
        match written.remove(&leaf) {
            Some(n) => order.push(n),
            // A record the ledger names and the files lack: what comes after it cannot stand at its own index.
            None => {
                return Err(Fault::Damaged(format!("the record of ledger leaf {index} is not in warc/")));
            }
        }
    }
    let mut rest: Vec<usize> = written.into_values().collect();
    rest.sort_unstable();
    let logged = order.len();
    order.extend(rest);
    let mut slots: Vec<Option<Seed>> = seeds.drain(..).map(Some).collect();
    seeds.extend(order.into_iter().filter_map(|n| slots.get_mut(n).and_then(Option::take)));
    Ok(logged)
}

fn apply(warc: &Path, store: &mut Store, seeds: &[Seed]) -> Result<u64, Fault> {
    let mut count = 0;
    for some in seeds.chunks(BATCH) {
        let records = some.iter().map(|seed| read(warc, seed)).collect::<Result<Vec<_>, _>>()?;
        count += store.commit(|batch| {
            let mut index = batch.next_index()?;
            let mut taken = 0;
            let docs = Files { warc, batch };
            for (seed, record) in some.iter().zip(&records) {
                if batch.holds(&seed.leaf)? {
                    continue;
                }
                batch.record(Leaf { index, data: seed.leaf, warc: seed.name.id, record }, &docs)?;
                index += 1;
                taken += 1;
            }
            Ok(taken)
        })?;
    }
    Ok(count)
}

fn read(warc: &Path, seed: &Seed) -> Result<Record, Fault> {
    let found = place::read_at(warc, &seed.place)?;
    let record = Record::read(&found.record.block)?;
    if Digest::of(&found.record.block) != seed.leaf {
        return Err(Fault::Damaged(format!("the record at {} is not the one its name says", seed.place)));
    }
    Ok(record)
}

/// Documents as they lie in the WARC files.
pub struct Files<'a> {
    /// their folder
    pub warc: &'a Path,
    /// where they lie in it
    pub batch: &'a Batch<'a>,
}

impl Documents for Files<'_> {
    fn block(&self, name: &RecordName) -> Result<Vec<u8>, store::Error> {
        let missing = || store::Error::Document(name.id);
        let at = self.batch.locate(name.id)?.ok_or_else(missing)?;
        let place = Place { file: at.file, offset: at.offset, length: at.length };
        let found = place::read_at(self.warc, &place).map_err(|_| missing())?;
        if found.name.digest != name.digest {
            return Err(missing());
        }
        Ok(found.record.block)
    }
}
