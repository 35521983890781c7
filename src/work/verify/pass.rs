//! One pass over an archive that is in order: each record is taken up as soon as it has been read, and nothing of it is set down.
//!
//! Whatever is not as it should be ends the pass and is not named here. Then everything is looked at again step by step, by the rooms
//! that tell what is wrong: what they say of a damaged archive does not depend on how a sound one is read.

use std::cell::Cell;
use std::collections::{HashMap, HashSet, VecDeque};
use std::path::{Path, PathBuf};

use uuid::Uuid;

use crate::format::digest::Digest;
use crate::format::json;
use crate::format::warc::RecordType;
use crate::format::warc::read::{Item, Want};
use crate::record::{self, Record};
use crate::resolution::exchange::RecordName;
use crate::work::fault::Fault;
use crate::work::parts::Paths;
use crate::work::reindex;
use crate::work::rows::{self, Lying};
use crate::work::verify::anchors::Expected;
use crate::work::verify::heard::Heard;
use crate::work::verify::keys::Said;
use crate::work::verify::log::{self, Log, Order};
use crate::work::verify::records::{METADATA, bears_out, claim};
use crate::work::verify::scan::{HELD, ROW, Seen};
use crate::work::verify::stretch::{self, Look};
use crate::work::verify::{Report, Trust};
use crate::world::store;
use crate::world::store::Store;
use crate::world::store::apply::{Batch, Bound, Documents, Leaf, WarcRow};
use crate::world::store::beside::Beside;
use crate::world::vault::place::{self, Place};

/// An archive in order.
pub(super) struct Passed {
    pub(super) seen: Seen,
    pub(super) log: Log,
    pub(super) expected: Expected,
    /// rows of the catalogue in use, if it has been compared
    pub(super) rows: Option<u64>,
}

/// Reads everything once; none where something is not in order, and then nothing that `report` says counts.
pub(super) fn all(paths: &Paths, trust: &Trust, anew: &Path, report: &mut Report) -> Result<Option<Passed>, Fault> {
    let mut files = Vec::new();
    for file in place::files(&paths.warc())? {
        let (path, _) = place::open(&paths.warc(), &file)?;
        // Another process is at work, or was cut off: not everything need be there.
        if path.extension().is_some_and(|end| end == "open") {
            return Ok(None);
        }
        files.push((file, path));
    }
    let used = paths.catalogue();
    let beside = if used.is_file() { Store::scratch_beside(anew, &used)? } else { None };
    let is_beside = beside.is_some();
    let mut anew = match beside {
        Some(anew) => anew,
        None => Store::scratch(&anew.with_extension("whole"))?,
    };
    let mut taken = Taken::new(paths, trust);
    let walked = match walked(&files, &mut anew, is_beside, &mut taken, report) {
        // A page of the catalogue in use that cannot be read.
        Err(Fault::Store(_)) if is_beside => return Ok(None),
        other => other?,
    };
    if matches!(walked, Walked::Amiss) || anew.warc_records().ok() != Some(report.checked.warc_records) {
        return Ok(None);
    }
    let Taken { index, said, mut heard, .. } = taken;
    let seen = Seen { anew, seeds: 0, unsealed: false, open: Vec::new(), tainted: HashSet::new(), broken: false, said };
    let log = log::check(paths, trust, &seen, report)?;
    if log.size != Some(index) || !seen.anew.has_leaves(|from| log.some(from))? {
        return Ok(None);
    }
    heard.conclude(report);
    if !report.problems.is_empty() {
        return Ok(None);
    }
    let rows = match walked {
        // Each row that was compared says which record names it.
        Walked::Beside(lent) => match seen.anew.rest_agrees(&used, lent) {
            Ok(Some(rows)) => Some(rows),
            _ => return Ok(None),
        },
        Walked::Alone | Walked::Amiss => {
            let mut is_named = true;
            seen.anew.unnamed(|_| is_named = false)?;
            if !is_named {
                return Ok(None);
            }
            None
        }
    };
    Ok(Some(Passed { seen, log, expected: heard.anchors, rows }))
}

/// What the walk through the files came to.
enum Walked {
    /// something on the way is not in order
    Amiss,
    /// everything is in order, and its rows were made
    Alone,
    /// everything is in order, and so many rows of the catalogue in use were the same
    Beside(u64),
}

/// Walks through the files. All of it is one transaction, so that what fits into memory is never written.
fn walked(
    files: &[(String, PathBuf)],
    anew: &mut Store,
    is_beside: bool,
    taken: &mut Taken<'_>,
    report: &mut Report,
) -> Result<Walked, Fault> {
    let mut walked = Ok(());
    let mut walk = |batch: &Batch<'_>, mut beside: Option<&mut Beside<'_>>| {
        walked =
            stretch::walk(files, Want::ours(), &Ours, |part| taken.take(batch, beside.as_deref_mut(), part, report));
    };
    let lent = anew.commit(|batch| {
        if !is_beside {
            walk(batch, None);
            return Ok(Walked::Alone);
        }
        let ((), lent) = batch.beside(|beside| walk(batch, Some(beside)))?;
        Ok(lent.map_or(Walked::Amiss, Walked::Beside))
    })?;
    match walked {
        Err(Fault::Broken(why)) if why == STOP => Ok(Walked::Amiss),
        other => other.map(|()| lent),
    }
}

/// Ends the walk.
const STOP: &str = "something is not in order";

/// A ledger record.
struct Spoken {
    leaf: Digest,
    name: RecordName,
    place: Place,
    record: Record,
    block: Vec<u8>,
    names: Vec<RecordName>,
}

/// A document of ours.
struct Doc {
    /// of its block
    digest: Digest,
    block: Vec<u8>,
    names: Vec<RecordName>,
}

/// What was read in a stretch.
#[derive(Default)]
struct Part {
    /// each with its document, where it is one of ours
    rows: Vec<(WarcRow, Option<Doc>)>,
    spoken: Vec<Spoken>,
    bytes: u64,
    held: usize,
    irregular: bool,
}

struct Ours;

impl Look for Ours {
    type Out = Part;

    fn see(&self, part: &mut Part, file: &str, item: &Item) {
        part.bytes += item.length;
        part.irregular |= !part.irregular && part.read(file, item).is_none();
    }

    /// A record's JSON is here as it stands and once more taken apart.
    fn weight(&self, part: &Part) -> usize {
        part.rows.len() * ROW + part.spoken.len() * 2 * ROW + 3 * part.held
    }
}

impl Part {
    /// Takes up an item; none where it is not as it should be.
    fn read(&mut self, file: &str, item: &Item) -> Option<()> {
        let (kind, id, date) = (item.head.kind()?, item.head.uuid()?, item.head.date()?);
        let digest = item.digests.whole.filter(|_| item.is_whole() && item.problems.is_empty())?;
        if kind == RecordType::Warcinfo && item.head.get("WARC-Filename") != Some(file) {
            return None;
        }
        let name = RecordName { id, digest };
        let lying = Lying { file, offset: item.offset, length: item.length };
        let row = rows::row(kind, date, name, &lying, item);
        let is_whole = item.prefix.len() as u64 == item.block_len;
        let has_room = self.held + item.prefix.len() <= HELD;
        let mut doc = None;
        if let Some(leaf) = reindex::leaf(item) {
            if !has_room {
                return None;
            }
            self.held += item.prefix.len();
            let record = Record::read(&item.prefix).ok().filter(|_| item.digests.block == Some(leaf))?;
            let place = Place { file: file.to_owned(), offset: item.offset, length: item.length };
            let names = record::names(&item.prefix);
            self.spoken.push(Spoken { leaf, name, place, record, block: item.prefix.clone(), names });
        } else if kind == RecordType::Metadata && is_whole && has_room {
            self.held += item.prefix.len();
            doc = item.digests.block.map(|digest| Doc::new(digest, item.prefix.clone()));
        }
        self.rows.push((row, doc));
        Some(())
    }
}

impl Doc {
    /// What is not in its one spelling names nothing.
    fn new(digest: Digest, block: Vec<u8>) -> Self {
        let names = if json::is_canonical(&block) { record::names(&block) } else { Vec::new() };
        Self { digest, block, names }
    }
}

/// What the stretches came to so far.
struct Taken<'a> {
    warc: PathBuf,
    trust: &'a Trust,
    order: Order,
    /// the ledger index of the next record
    index: u64,
    said: Said,
    heard: Heard,
    near: Near,
}

/// Documents that wait for the record that names them are held up to this many bytes, and WARC records up to this many: what is
/// named later is looked for in the catalogue and read again.
const NEAR: (usize, usize) = (3 << 19, 2048);

/// What lies not far back: a record stands behind all that it names, but not always close behind.
#[derive(Default)]
struct Near {
    all: HashMap<Uuid, Lately>,
    /// as they came, each with its document's bytes
    order: VecDeque<(Uuid, usize)>,
    bytes: usize,
}

struct Lately {
    kind: u8,
    digest: Digest,
    place: Place,
    doc: Option<Doc>,
    /// the ledger record that binds it, as the catalogue in use says
    bound: Option<i64>,
}

impl Near {
    fn add(&mut self, row: &WarcRow, doc: Option<Doc>, bound: Option<i64>) {
        let bytes = doc.as_ref().map_or(0, |doc| doc.block.len());
        let place = Place { file: row.file.clone(), offset: row.offset, length: row.length };
        self.all.insert(row.id, Lately { kind: row.kind, digest: row.digest, place, doc, bound });
        self.order.push_back((row.id, bytes));
        self.bytes += bytes;
    }

    fn forget(&mut self) {
        while self.bytes > NEAR.0 || self.order.len() > NEAR.1 {
            let Some((id, bytes)) = self.order.pop_front() else { break };
            self.all.remove(&id);
            self.bytes -= bytes;
        }
    }
}

impl<'a> Taken<'a> {
    fn new(paths: &Paths, trust: &'a Trust) -> Self {
        Self {
            warc: paths.warc(),
            trust,
            order: Order::new(paths),
            index: 0,
            said: Said::default(),
            heard: Heard::default(),
            near: Near::default(),
        }
    }

    /// Takes up a stretch.
    fn take(
        &mut self,
        batch: &Batch<'_>,
        mut beside: Option<&mut Beside<'_>>,
        part: Part,
        report: &mut Report,
    ) -> Result<(), Fault> {
        let Part { rows, spoken, bytes, irregular, .. } = part;
        if irregular {
            return Err(Fault::Broken(STOP));
        }
        report.checked.bytes += bytes;
        report.checked.warc_records += rows.len() as u64;
        let near = &mut self.near;
        let mut expected = Vec::with_capacity(rows.len());
        for (row, doc) in rows {
            let bound = match beside.as_deref_mut() {
                Some(beside) => Some(beside.next(batch.place(&row)?, &row)?.ok_or(Fault::Broken(STOP))?),
                None => None,
            };
            near.add(&row, doc, bound);
            expected.push(row);
        }
        batch.expect(&expected)?;
        let hand = Hand { warc: &self.warc, batch, near, claimed: Cell::new(None), read: Cell::new(None) };
        let mut bound = Bound::default();
        for one in &spoken {
            if self.order.next() != Some(one.leaf) {
                return Err(Fault::Broken(STOP));
            }
            self.said.hear(&one.record, one.leaf);
            self.heard.hear(&one.record, self.index, &one.place, self.trust, report);
            if !hand.applied(self.index, one, &mut bound)? || !hand.has_all(one)? || !report.problems.is_empty() {
                return Err(Fault::Broken(STOP));
            }
            self.index += 1;
            report.checked.records += 1;
        }
        match beside {
            Some(beside) => {
                let lately = |id: &Uuid| near.all.get(id).and_then(|lately| Some((lately.digest, lately.bound?)));
                if !beside.binds(batch, &bound, lately)? {
                    return Err(Fault::Broken(STOP));
                }
                batch.expected();
            }
            None => batch.warcs(&expected, bound)?,
        }
        self.near.forget();
        Ok(())
    }
}

/// What a stretch's records speak of: what was just read, and what lies further back.
struct Hand<'a> {
    warc: &'a Path,
    batch: &'a Batch<'a>,
    near: &'a Near,
    /// the document whose digest is wanted, and that digest once it was read
    claimed: Cell<Option<RecordName>>,
    read: Cell<Option<Digest>>,
}

impl Hand<'_> {
    /// Makes a record's rows; false where they cannot be made, or it says something of its content that is not so.
    fn applied(&self, index: u64, one: &Spoken, bound: &mut Bound) -> Result<bool, Fault> {
        let leaf = Leaf { index, data: one.leaf, warc: one.name.id, record: &one.record };
        let claim = claim(&one.record);
        self.claimed.set(claim.map(|(_, name)| name));
        self.read.set(None);
        match self.batch.record_naming(leaf, &one.block, self, bound) {
            Ok(()) => {
                let is_so = claim.zip(self.read.get()).is_none_or(|((said, _), read)| said == read);
                Ok(is_so && bears_out(self.batch, index, &one.record)?)
            }
            Err(store::Error::Document(_) | store::Error::Shape(..) | store::Error::Query(_)) => Ok(false),
            Err(other) => Err(other.into()),
        }
    }

    /// Whether every WARC record that a record names is there with the digest it is named by; what a document of ours
    /// names is bound by it as by the record itself.
    fn has_all(&self, one: &Spoken) -> Result<bool, Fault> {
        for name in &one.names {
            let Some(kind) = self.kind_of(name)? else { return Ok(false) };
            if kind != METADATA {
                continue;
            }
            let far;
            let inner = match self.doc(name) {
                Some(doc) => doc,
                None => {
                    let Some(block) = self.lying(name)? else { return Ok(false) };
                    far = Doc::new(Digest::of(&block), block);
                    &far
                }
            };
            for name in &inner.names {
                if self.kind_of(name)?.is_none() {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    /// The type of a WARC record, where it is there with the digest it is named by.
    fn kind_of(&self, name: &RecordName) -> Result<Option<u8>, Fault> {
        let found = match self.near.all.get(&name.id) {
            Some(lately) => Some((lately.kind, lately.digest)),
            None => self.batch.digest_of(name.id)?,
        };
        Ok(found.filter(|(_, digest)| *digest == name.digest).map(|(kind, _)| kind))
    }

    fn doc(&self, name: &RecordName) -> Option<&Doc> {
        self.near.all.get(&name.id).filter(|lately| lately.digest == name.digest)?.doc.as_ref()
    }

    /// A block as it lies in the files.
    fn lying(&self, name: &RecordName) -> Result<Option<Vec<u8>>, store::Error> {
        let place = match self.near.all.get(&name.id) {
            Some(lately) => Some(lately.place.clone()),
            None => {
                let at = self.batch.locate(name.id)?;
                at.map(|at| Place { file: at.file, offset: at.offset, length: at.length })
            }
        };
        let found = place.and_then(|place| place::read_at(self.warc, &place).ok());
        Ok(found.filter(|found| found.name.digest == name.digest).map(|found| found.record.block))
    }

    fn has_read(&self, name: &RecordName, digest: impl FnOnce() -> Digest) {
        if self.claimed.get() == Some(*name) {
            self.read.set(Some(digest()));
        }
    }
}

impl Documents for Hand<'_> {
    fn block(&self, name: &RecordName) -> Result<Vec<u8>, store::Error> {
        let Some(doc) = self.doc(name) else { return self.foreign(name) };
        self.has_read(name, || doc.digest);
        Ok(doc.block.clone())
    }

    fn foreign(&self, name: &RecordName) -> Result<Vec<u8>, store::Error> {
        let block = self.lying(name)?.ok_or(store::Error::Document(name.id))?;
        self.has_read(name, || Digest::of(&block));
        Ok(block)
    }
}
