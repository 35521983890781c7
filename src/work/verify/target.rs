//! One thing: a statement, a snapshot, a record, a WARC record, any digest, or a file: "do you hold this?"
//!
//! Looks at that thing, what it rests on, and its place under the checkpoint; nothing else is read, so it takes no longer
//! in a large archive than in a small one.

use std::collections::HashSet;
use std::path::Path;

use uuid::Uuid;

use crate::format::checkpoint::Signed;
use crate::format::digest::Digest;
use crate::format::merkle::{record_leaf, verify_inclusion};
use crate::record::{self, Event, Record, ResolutionEnded};
use crate::resolution::ending::Ending;
use crate::resolution::exchange::RecordName;
use crate::work::fault::Fault;
use crate::work::parts::Paths;
use crate::work::verify::beacon::Beacons;
use crate::work::verify::keys::Said;
use crate::work::verify::log::Open;
use crate::work::verify::records::{FALSE, METADATA, UNBORNE, claim};
use crate::work::verify::{Report, Trust, Verdict};
use crate::world::input;
use crate::world::random::Random;
use crate::world::store::Store;
use crate::world::store::holds::Thing;
use crate::world::store::read::{Located, RecordRow};
use crate::world::tiles::prover::Prover;
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
    let Some(mut look) = Look::open(paths, &store, trust, &mut report)? else { return Ok(report.conclude()) };
    look.wanted = target.parse().ok();
    if look.wanted.is_none() && Path::new(target).is_file() {
        look.wanted = input::digest(Path::new(target)).ok();
    }
    for thing in things {
        look.thing(&thing, &mut report)?;
    }
    look.vouched(&mut report);
    report.not_checked.push("everything else in the archive: onrecord verify looks at all of it".to_owned());
    Ok(report.conclude())
}

/// Checks what came after a checkpoint that is remembered: that the ledger grew from it, and every record since.
///
/// # Errors
/// There is no archive, or nothing can be read.
pub fn since(paths: &Paths, trust: &Trust) -> Result<Report, Fault> {
    if !paths.is_archive() {
        return Err(Fault::NoArchive(paths.root.clone()));
    }
    let store = Store::open_read(&paths.catalogue())?;
    let mut report = Report::new("archive since the checkpoint given");
    let old = trust.checkpoint.as_deref().and_then(|note| Signed::parse(note).ok()).ok_or_else(|| Fault::Input {
        what: "the checkpoint given is none".to_owned(),
        hint: "expected a signed checkpoint, as in ledger/checkpoint".to_owned(),
    })?;
    let Some(mut look) = Look::open(paths, &store, trust, &mut report)? else { return Ok(report.conclude()) };
    let size = look.open.signed.checkpoint.size;
    for index in old.checkpoint.size..size {
        if store.record(index)?.is_none() {
            report.problem("row-missing", format!("onrecord.db:record/{index}"), "the ledger has a leaf there");
        }
        look.record(index, &mut report)?;
    }
    look.vouched(&mut report);
    report.not_checked.push(format!(
        "the first {} records and what they name; WARC records that no record names; the catalogue's other rows: onrecord verify looks at all of it",
        old.checkpoint.size
    ));
    let is_level = size == old.checkpoint.size;
    if is_level {
        report.notes.push(format!("nothing came after the checkpoint given: the ledger has {size} leaves, as it says"));
    }
    let mut report = report.conclude();
    if is_level && report.verdict == Verdict::NothingChecked {
        // What is remembered was put beside what is there.
        report.verdict = Verdict::Intact;
    }
    Ok(report)
}

/// Reads `count` WARC records chosen at random again, each against the digest that the ledger names it by.
///
/// # Errors
/// As [`since`].
pub(super) fn sample(paths: &Paths, count: u64, trust: &Trust, random: &Random) -> Result<Report, Fault> {
    if !paths.is_archive() {
        return Err(Fault::NoArchive(paths.root.clone()));
    }
    let store = Store::open_read(&paths.catalogue())?;
    let drawn = draw(&store, count, random)?;
    let mut report = Report::new(format!("a sample of {} WARC records", drawn.len()));
    let Some(mut look) = Look::open(paths, &store, trust, &mut report)? else { return Ok(report.conclude()) };
    for id in &drawn {
        look.bound(*id, &mut report)?;
    }
    // Records that name them were read on the way, some of them often: none of that makes the sample larger.
    report.checked.warc_records = drawn.len() as u64;
    look.vouched(&mut report);
    report.not_checked.push("everything that was not in the sample: onrecord verify looks at all of it".to_owned());
    Ok(report.conclude())
}

/// So many WARC records, none of them twice; all of them where there are no more.
fn draw(store: &Store, count: u64, random: &Random) -> Result<Vec<Uuid>, Fault> {
    let all = store.warc_records()?;
    let mut drawn = Vec::new();
    if count <= all / 4 {
        // Few of many: hardly one is drawn again.
        let mut known = HashSet::new();
        while (drawn.len() as u64) < count {
            let Some(at) = store.at_or_after(&Digest::of(&random.bits128()?.to_be_bytes()))? else { break };
            if known.insert(at.id) {
                drawn.push(at.id);
            }
        }
        return Ok(drawn);
    }
    // Each is taken with the chance of those still wanted among those still to come.
    let (mut wanted, mut left) = (count.min(all), all);
    store.warc_ids(|id| {
        if wanted > 0 && random.bits128()? % u128::from(left.max(1)) < u128::from(wanted) {
            drawn.push(id);
            wanted -= 1;
        }
        left = left.saturating_sub(1);
        Ok::<_, Fault>(())
    })?;
    Ok(drawn)
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
    open: Open,
    trust: &'a Trust,
    beacons: Beacons,
    /// the digest asked for, where one was
    wanted: Option<Digest>,
    /// it was met with in what was read
    met: bool,
    /// the last leaf that was looked at
    last: u64,
}

impl<'a> Look<'a> {
    fn open(paths: &'a Paths, store: &'a Store, trust: &'a Trust, report: &mut Report) -> Result<Option<Self>, Fault> {
        let (first, vkey) = (store.record(0)?, store.meta("vkey")?.and_then(|vkey| vkey.parse().ok()));
        let mut said =
            Said { made: first.zip(vkey).map(|(row, key)| (row.leaf, key)).into_iter().collect(), ..Said::default() };
        for (leaf, body) in store.events("key.rotated")? {
            if let Ok(record) = serde_json::from_str(&body) {
                said.hear(&record, leaf);
            }
        }
        let open = Open::read(paths, trust, &said, report)?;
        Ok(open.map(|open| Self {
            paths,
            store,
            open,
            trust,
            beacons: Beacons::default(),
            wanted: None,
            met: false,
            last: 0,
        }))
    }

    fn vouched(self, report: &mut Report) {
        self.beacons.tell(report);
        let reach = self.open.anchors(self.trust).covering(self.last, report);
        report.independence = reach.over(self.last + 1);
    }

    /// A thing that the catalogue says the digest asked for is of: it must be met with there, or the row lies.
    fn thing(&mut self, thing: &Thing, report: &mut Report) -> Result<(), Fault> {
        let before = report.problems.len();
        self.met = false;
        self.at(thing, report)?;
        if let Some(wanted) = self.wanted.filter(|_| !self.met && report.problems.len() == before) {
            let place = match thing {
                Thing::Record(index) => format!("onrecord.db:record/{index}"),
                Thing::Warc(id) => format!("onrecord.db:warc_record/{}", id.simple()),
            };
            report.problem("row-changed", place, format!("the catalogue leads here from {wanted}, which is not here"));
        }
        Ok(())
    }

    fn at(&mut self, thing: &Thing, report: &mut Report) -> Result<(), Fault> {
        match thing {
            Thing::Record(index) => self.record(*index, report),
            Thing::Warc(id) => match self.bound(*id, report)? {
                Some(index) => self.record(index, report),
                None => Ok(()),
            },
        }
    }

    /// A WARC record by itself, and the ledger record that names it; the index of the one that lies in it, if one does.
    fn bound(&mut self, id: Uuid, report: &mut Report) -> Result<Option<u64>, Fault> {
        let Some(at) = self.store.locate(id)? else { return Ok(None) };
        let place = Place { file: at.file.clone(), offset: at.offset, length: at.length }.to_string();
        let Some(index) = self.store.named_by(id)? else {
            report.problem("record-added", place, "no record of the ledger names it");
            self.warc(&at, report);
            return Ok(None);
        };
        let Some(row) = self.store.record(index)? else {
            report.problem("row-missing", format!("onrecord.db:record/{index}"), "a WARC record is named by it");
            return Ok(None);
        };
        let Some((_, block)) = self.leaf(index, &row, report)? else { return Ok(None) };
        if row.warc == id {
            return Ok(Some(index));
        }
        let name = RecordName { id, digest: at.digest };
        let mut names = record::names(&block);
        for inner in names.clone() {
            if let Some(at) = self.store.locate(inner.id)?.filter(|at| at.kind == METADATA && !names.contains(&name)) {
                let block = self.block(&Located { digest: inner.digest, ..at }, report);
                names.extend(block.map(|block| record::names(&block)).unwrap_or_default());
            }
        }
        if !names.contains(&name) {
            let what = format!("the ledger record {index} does not name it by this digest");
            report.problem("row-changed", format!("onrecord.db:warc_record/{}", id.simple()), what);
        }
        self.warc(&at, report);
        Ok(None)
    }

    /// A record: its bytes, its leaf, its place under the checkpoint, and everything it names.
    fn record(&mut self, index: u64, report: &mut Report) -> Result<(), Fault> {
        let Some(row) = self.store.record(index)? else { return Ok(()) };
        let Some((record, block)) = self.leaf(index, &row, report)? else { return Ok(()) };
        for name in record::names(&block) {
            self.named(&name, report)?;
        }
        self.followed(index, &record, report)?;
        self.claimed(index, &record, report)
    }

    /// What a change says of the look before must be what that look's record says. How failures since then ended, which may stand
    /// there instead, takes more than that one record to tell.
    fn followed(&mut self, index: u64, record: &Record, report: &mut Report) -> Result<(), Fault> {
        let Event::ChangeSeen(seen) = &record.event else { return Ok(()) };
        let mut look = None;
        for thing in seen.before.record.map_or(Ok(Vec::new()), |leaf| self.store.things(&leaf))? {
            if let Thing::Record(earlier) = thing
                && earlier < index
                && let Some(row) = self.store.record(earlier)?.filter(|row| Some(row.leaf) == seen.before.record)
            {
                look = look.or(self.leaf(earlier, &row, report)?);
            }
        }
        let is_so = |ended: &ResolutionEnded| {
            let same = ended.ending == seen.before.ending
                || (ended.ending == Ending::Unchanged && seen.before.ending.is_kept())
                || seen.before.ending.is_retryable();
            same && ended.citation == seen.citation
        };
        if !matches!(look, Some((Record { event: Event::ResolutionEnded(ended), .. }, _)) if is_so(&ended)) {
            report.problem(UNBORNE.0, format!("ledger/leaf/{index}"), UNBORNE.1);
        }
        Ok(())
    }

    /// What a record says of its content's digest must be so.
    fn claimed(&self, index: u64, record: &Record, report: &mut Report) -> Result<(), Fault> {
        let Some((said, name)) = claim(record) else { return Ok(()) };
        let Some(at) = self.store.locate(name.id)? else { return Ok(()) };
        let place = Place { file: at.file, offset: at.offset, length: at.length };
        // One that is not the record named has been named itself.
        let read = place::digests_at(&self.paths.warc(), &place).ok().filter(|(whole, _)| *whole == name.digest);
        if read.is_some_and(|(_, inner)| inner.first() != Some(&said)) {
            report.problem(FALSE.0, format!("ledger/leaf/{index}"), FALSE.1);
        }
        Ok(())
    }

    /// A record's block, its leaf and its place under the checkpoint.
    fn leaf(&mut self, index: u64, row: &RecordRow, report: &mut Report) -> Result<Option<(Record, Vec<u8>)>, Fault> {
        let place = format!("ledger/leaf/{index}");
        self.last = self.last.max(index);
        self.included(index, &row.leaf, &place, report);
        let Some(at) = self.store.locate(row.warc)? else {
            report.problem("record-missing", place, "its WARC record is not in the catalogue");
            return Ok(None);
        };
        let Some(block) = self.block(&at, report) else { return Ok(None) };
        let place = format!("warc/{}@{}", at.file, at.offset);
        if Digest::of(&block) != row.leaf {
            report.problem("payload-changed", place, "it is not the record its leaf names");
            return Ok(None);
        }
        let record = match Record::read(&block) {
            Ok(record) => record,
            Err(why) => {
                report.problem("record-malformed", place, why.to_string());
                return Ok(None);
            }
        };
        self.beacons.see(&record, &place, self.trust, report);
        report.checked.records += 1;
        let speaks = |wanted: Digest| memchr::memmem::find(&block, wanted.hex().as_bytes()).is_some();
        self.met |= self.wanted.is_some_and(|wanted| wanted == row.leaf || wanted == at.digest || speaks(wanted));
        Ok(Some((record, block)))
    }

    fn included(&self, index: u64, leaf: &Digest, place: &str, report: &mut Report) {
        let checkpoint = &self.open.signed.checkpoint;
        report.checked.leaves += 1;
        let holds = |mut prover: Prover<&Tiles>| {
            let proof = prover.inclusion(index).map_err(|e| e.to_string())?;
            verify_inclusion(&record_leaf(leaf), index, checkpoint.size, &proof, &checkpoint.root)
                .map_err(|e| e.to_string())
        };
        let tiles = &self.open.tiles;
        if holds(Prover::new(tiles, checkpoint.size)).is_err() {
            match holds(Prover::from_tiles(tiles, checkpoint.size)) {
                Ok(()) => report.notes.push(
                    "ledger/nodes holds other hashes than the tiles; delete it, and onrecord ledger index makes it anew"
                        .to_owned(),
                ),
                Err(why) => report.problem("leaf-changed", place, why),
            }
        }
    }

    /// A named WARC record, and what it names in turn where it is a document of ours.
    fn named(&mut self, name: &RecordName, report: &mut Report) -> Result<(), Fault> {
        let Some(at) = self.store.locate(name.id)? else {
            report.problem("record-missing", format!("warc/{}", name.id), "it is named and not in the catalogue");
            return Ok(());
        };
        if at.digest != name.digest {
            report.problem(
                "row-changed",
                format!("onrecord.db:warc_record/{}", name.id.simple()),
                "the ledger names another digest",
            );
        }
        if at.kind != METADATA {
            self.warc(&Located { digest: name.digest, ..at }, report);
            return Ok(());
        }
        let Some(block) = self.block(&Located { digest: name.digest, ..at }, report) else { return Ok(()) };
        for inner in record::names(&block) {
            // One step: a document names the records of exchanges, and those name nothing.
            if let Some(at) = self.store.locate(inner.id)? {
                self.warc(&Located { digest: inner.digest, ..at }, report);
            } else {
                report.problem("record-missing", format!("warc/{}", inner.id), "it is named and not in the catalogue");
            }
        }
        Ok(())
    }

    fn warc(&mut self, at: &Located, report: &mut Report) {
        let place = Place { file: at.file.clone(), offset: at.offset, length: at.length };
        match place::digests_at(&self.paths.warc(), &place) {
            Ok((whole, inner)) if whole == at.digest => {
                self.met |= self.wanted.is_some_and(|wanted| wanted == whole || inner.contains(&wanted));
            }
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
