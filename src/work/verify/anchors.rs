//! The anchors: each file the one its record names, each stamping the checkpoint kept beside it, each believed only by
//! roots, keys and headers that came from outside.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::format::checkpoint::Signed;
use crate::format::digest::Digest;
use crate::format::note::{Note, signature_lines};
use crate::format::ots::{Proof, Status};
use crate::format::tsp::{self, Query, Refused};
use crate::record::{Event, Record};
use crate::work::verify::growth::against;
use crate::work::verify::keys::Keys;
use crate::work::verify::{Independence, Report, Trust};
use crate::world::durable::Disk;
use crate::world::tiles::anchors::AnchorFolder;
use crate::world::tiles::reader::Tiles;

/// What the records say of anchors, and how far the ledger holds evidence.
#[derive(Debug, Default)]
pub(super) struct Expected {
    /// by file: every digest it was recorded with, the last one last
    files: BTreeMap<String, Vec<Digest>>,
    /// one past the last leaf that is evidence, not an anchor or another word about the archive itself
    pub(super) substance: u64,
}

impl Expected {
    /// Takes up a record.
    pub(super) fn hear(&mut self, record: &Record, index: u64) {
        match &record.event {
            Event::AnchorAdded { file, digest, .. } => self.files.entry(file.clone()).or_default().push(*digest),
            Event::FixityChecked { .. }
            | Event::KeyRotated { .. }
            | Event::EvidenceKept { .. }
            | Event::ArchiveRequested(_)
            | Event::ExportMade { .. }
            | Event::RunMissed { .. } => {}
            _ => self.substance = self.substance.max(index + 1),
        }
    }
}

/// How far each kind of vouching reaches: leaves under the largest checkpoint vouched for so.
#[derive(Debug, Default)]
pub(super) struct Reach {
    witnessed: u64,
    anchored: u64,
    pending: u64,
}

impl Reach {
    /// The strongest that covers `leaves`.
    pub(super) fn over(&self, leaves: u64) -> Independence {
        match leaves.max(1) {
            n if self.witnessed >= n => Independence::Witnessed,
            n if self.anchored >= n => Independence::Anchored,
            n if self.pending.max(self.anchored).max(self.witnessed) >= n => Independence::Pending,
            _ => Independence::SelfAttested,
        }
    }

    /// Says how far it reaches where that is not all.
    pub(super) fn tell(&self, leaves: u64, report: &mut Report) {
        let reached = self.anchored.max(self.witnessed);
        if reached > 0 && reached < leaves {
            report.notes.push(format!("outside authorities vouch for the first {reached} of {leaves} ledger records"));
        }
    }
}

/// Looks at the anchors. `only`: those of these checkpoint sizes, where not all are wanted.
pub(super) struct Look<'a> {
    pub(super) folder: AnchorFolder,
    pub(super) tiles: &'a Tiles,
    pub(super) keys: &'a Keys,
    pub(super) trust: &'a Trust,
    pub(super) signed: &'a Signed,
}

impl<'a> Look<'a> {
    pub(super) fn new(tiles: &'a Tiles, keys: &'a Keys, trust: &'a Trust, signed: &'a Signed) -> Self {
        let folder = AnchorFolder::new(tiles.folder(), Disk::default());
        Self { folder, tiles, keys, trust, signed }
    }

    /// Every anchor, and every record of one.
    pub(super) fn all(&self, expected: &Expected, report: &mut Report) -> Reach {
        for (file, digests) in &expected.files {
            self.recorded(file, digests, report);
        }
        let names = self.names(report);
        let unrecorded = names
            .iter()
            .filter(|n| !expected.files.contains_key(*n) && !n.ends_with(".checkpoint") && !n.ends_with(".tsq"))
            .count();
        if unrecorded > 0 {
            report.notes.push(format!("{unrecorded} anchors are named by no record"));
        }
        self.weigh(names, report)
    }

    /// The anchors of the few checkpoints that first cover leaf `index`.
    pub(super) fn covering(&self, index: u64, report: &mut Report) -> Reach {
        const ENOUGH: usize = 4;
        let names = self.names(report);
        let sizes: BTreeSet<u64> = names.iter().filter_map(|name| size(name)).filter(|n| *n > index).collect();
        let some: BTreeSet<u64> = sizes.iter().take(ENOUGH).chain(sizes.last()).copied().collect();
        self.weigh(names.into_iter().filter(|n| size(n).is_some_and(|n| some.contains(&n))).collect(), report)
    }

    fn recorded(&self, file: &str, digests: &[Digest], report: &mut Report) {
        let place = format!("ledger/anchors/{file}");
        if file.contains('/') || file.starts_with('.') {
            return report.problem("anchor-invalid", place, "its record names no file of that folder");
        }
        match self.folder.read(file) {
            Ok(Some(bytes)) if digests.last() == Some(&Digest::of(&bytes)) => {}
            Ok(Some(bytes)) if digests.contains(&Digest::of(&bytes)) => {
                let grown = self.folder.grown(file).ok().flatten();
                if grown.is_some_and(|grown| digests.last() == Some(&Digest::of(&grown))) {
                    report.notes.push(format!("{file} has grown; the next onrecord anchor puts it in its place"));
                } else {
                    report.problem("anchor-changed", place, "it is an earlier state than the last one on record");
                }
            }
            Ok(Some(_)) => report.problem("anchor-changed", place, "it is not the file that its record names"),
            Ok(None) => report.problem("anchor-missing", place, "a record names it"),
            Err(e) => report.problem("anchor-changed", place, e.to_string()),
        }
    }

    fn names(&self, report: &mut Report) -> Vec<String> {
        let mut names = Vec::new();
        for end in ["checkpoint", "tsr", "ots", "cosignature"] {
            match self.folder.names(end) {
                Ok(some) => names.extend(some),
                Err(e) => report.problem("anchor-missing", "ledger/anchors", e.to_string()),
            }
        }
        names
    }

    fn weigh(&self, names: Vec<String>, report: &mut Report) -> Reach {
        let mut reach = Reach::default();
        let mut stamped = BTreeMap::new();
        for name in names {
            let place = format!("ledger/anchors/{name}");
            let Some(size) = size(&name) else {
                report.problem("anchor-invalid", place, "its name begins with no checkpoint size");
                continue;
            };
            let read = self.folder.read(&name).map_err(|e| e.to_string());
            let Some(bytes) = read.and_then(|b| b.ok_or("it is gone".to_owned())).map_or_else(
                |why| {
                    report.problem("anchor-missing", &place, why);
                    None
                },
                Some,
            ) else {
                continue;
            };
            if name.ends_with(".checkpoint") {
                stamped.extend(self.checkpoint(size, &bytes, &place, report).map(|signed| (size, signed)));
                continue;
            }
            report.checked.anchors += 1;
            let Some(signed) = stamped.get(&size) else {
                report.problem("anchor-invalid", place, "no sound checkpoint lies beside it");
                continue;
            };
            match self.anchor(&name, &bytes, signed, report) {
                Ok(None) => {}
                Ok(Some(Independence::Witnessed)) => reach.witnessed = reach.witnessed.max(size),
                Ok(Some(Independence::Anchored)) => reach.anchored = reach.anchored.max(size),
                Ok(Some(_)) => reach.pending = reach.pending.max(size),
                Err(why) => report.problem("anchor-invalid", place, why),
            }
        }
        self.published(&mut reach);
        reach
    }

    /// Witnesses may have signed the published checkpoint itself.
    fn published(&self, reach: &mut Reach) {
        let opened = Signed::open_cosigned(&self.signed.note, &self.keys.all, &self.trust.witnesses);
        if opened.is_ok_and(|(_, witnesses)| !witnesses.is_empty()) {
            reach.witnessed = reach.witnessed.max(self.signed.checkpoint.size);
        }
    }

    /// The checkpoint that anchors of this size stamp: signed, and a prefix of the log.
    fn checkpoint(&self, size: u64, note: &[u8], place: &str, report: &mut Report) -> Option<Signed> {
        let signed = match Signed::open(note, &self.keys.all) {
            Ok(signed) => signed,
            Err(why) => {
                report.problem("anchor-invalid", place, why.to_string());
                return None;
            }
        };
        report.checked.checkpoints += 1;
        if signed.checkpoint.size != size {
            report.problem("anchor-invalid", place, format!("it is of {} leaves", signed.checkpoint.size));
            return None;
        }
        against(self.tiles, &signed.checkpoint, &self.signed.checkpoint, place, report);
        Some(signed)
    }

    fn anchor(
        &self,
        name: &str,
        bytes: &[u8],
        signed: &Signed,
        report: &mut Report,
    ) -> Result<Option<Independence>, String> {
        match name.rsplit_once('.').map(|(_, end)| end) {
            Some("tsr") => self.token(name, bytes, signed, report),
            Some("ots") => self.proof(name, bytes, signed, report),
            _ => self.cosignature(name, bytes, signed, report),
        }
    }

    fn token(
        &self,
        name: &str,
        bytes: &[u8],
        signed: &Signed,
        report: &mut Report,
    ) -> Result<Option<Independence>, String> {
        let asked = self.folder.read(&name.replace(".tsr", ".tsq")).ok().flatten();
        let nonce = asked.and_then(|der| Query::parse(&der).ok()).map(|query| query.nonce);
        let roots = &self.trust.roots;
        match tsp::verify(bytes, &signed.digest(), nonce.as_ref(), roots) {
            Ok(_) => Ok(Some(Independence::Anchored)),
            Err(Refused::UnpinnedAuthority) if roots.is_empty() => {
                report.not_checked.push(format!(
                    "whether the signer of {name} leads to a root you trust: no roots were given ([anchor] tsa-roots, --tsa-roots)"
                ));
                Ok(Some(Independence::Pending))
            }
            Err(why) => Err(why.to_string()),
        }
    }

    fn proof(
        &self,
        name: &str,
        bytes: &[u8],
        signed: &Signed,
        report: &mut Report,
    ) -> Result<Option<Independence>, String> {
        let proof = Proof::parse(bytes).map_err(|e| e.to_string())?;
        if proof.digest != signed.digest() {
            return Err("it is of another file than the checkpoint beside it".to_owned());
        }
        let headers = &self.trust.headers;
        match proof.status(|height| headers.get(&height).map(|h| h.root)).map_err(|e| e.to_string())? {
            Status::Confirmed(height) => {
                let time = headers.get(&height).and_then(|h| Timestamp::from_second(h.time.into()).ok());
                let time = time.map(|t| format!(", {t}")).unwrap_or_default();
                report.notes.push(format!("{name} is confirmed by Bitcoin block {height}{time}"));
                Ok(Some(Independence::Anchored))
            }
            Status::Unchecked(height) => {
                report.not_checked.push(format!(
                    "whether Bitcoin block {height} commits to {name}: its header was not given ([anchor] bitcoin-headers)"
                ));
                Ok(Some(Independence::Pending))
            }
            Status::Contradicted(height) => Err(format!("the header of Bitcoin block {height} does not commit to it")),
            Status::Pending => {
                report.not_checked.push(format!("{name} is pending and proves nothing yet"));
                Ok(Some(Independence::Pending))
            }
            Status::Nothing => Err("nothing attests to it".to_owned()),
        }
    }

    fn cosignature(
        &self,
        name: &str,
        bytes: &[u8],
        signed: &Signed,
        report: &mut Report,
    ) -> Result<Option<Independence>, String> {
        let text = std::str::from_utf8(bytes).map_err(|_| "it is no text".to_owned())?;
        let signatures = signature_lines(text.trim_end_matches('\n')).map_err(|e| e.to_string())?;
        let note = Note { text: signed.checkpoint.to_string(), signatures };
        let vouched = note.verify(&self.trust.witnesses).map_err(|e| e.to_string())?;
        if vouched.iter().any(|v| v.at.is_some()) {
            return Ok(Some(Independence::Witnessed));
        }
        report.not_checked.push(format!("{name}: the key of no witness that signed it was given ([anchor] witnesses)"));
        Ok(Some(Independence::Pending))
    }
}

fn size(name: &str) -> Option<u64> {
    name.split_once('.')?.0.parse().ok()
}
