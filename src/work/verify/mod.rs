//! Verify: everything, each problem by its name; nothing is believed because it lies in the archive.
//!
//! The WARC files are read whole, the ledger is computed again from its leaves, every record is read from the one spelling
//! it can have, every name in it is looked for, and the catalogue is made anew beside the old one and compared row by row.

mod anchors;
mod beacon;
mod bundle;
mod fixity;
mod foreign;
mod growth;
mod heard;
mod keys;
mod leftover;
mod log;
mod pass;
mod records;
mod rows;
mod scan;
mod stretch;
mod target;

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Serialize;

use crate::format::drand::Hex;
use crate::format::note::VerifierKey;
use crate::format::ots::Header;
use crate::format::tsp::Roots;
use crate::work::fault::Fault;
use crate::work::parts::Paths;
use crate::work::verify::pass::Passed;
use crate::world::input::{self, ScratchFolder};
use crate::world::vault::place::OPEN;

/// Longest file of a ledger: a bundle of 256 leaves is far shorter.
const MAX_FILE: u64 = 1 << 20;

/// What is trusted from outside, and what is asked for.
#[derive(Clone, Debug, Default)]
pub struct Trust {
    /// the verifier key as remembered elsewhere
    pub key: Option<VerifierKey>,
    /// a checkpoint as remembered elsewhere: its signed note
    pub checkpoint: Option<Vec<u8>>,
    /// roots of timestamp authorities
    pub roots: Roots,
    /// Bitcoin block headers by height
    pub headers: BTreeMap<u64, Header>,
    /// keys of witnesses
    pub witnesses: Vec<VerifierKey>,
    /// randomness beacons to believe besides those everyone knows, by their chains' hashes
    pub beacons: Vec<Hex>,
}

/// The whole of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// everything looked at is as it was written
    Intact,
    /// bytes, rows, leaves or signatures are not what they were
    Damaged,
    /// something that must be there is not
    Incomplete,
    /// there was nothing to look at
    NothingChecked,
}

/// Who besides the archive itself vouches for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Independence {
    /// nobody
    SelfAttested,
    /// an authority was asked and has not confirmed yet
    Pending,
    /// a timestamp authority or a block chain, for a checkpoint over it
    Anchored,
    /// a witness that saw every checkpoint extend the last
    Witnessed,
}

/// How much was looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Checked {
    /// WARC records
    pub warc_records: u64,
    /// bytes of WARC files
    pub bytes: u64,
    /// ledger records
    pub records: u64,
    /// leaves
    pub leaves: u64,
    /// checkpoints
    pub checkpoints: u64,
    /// anchors
    pub anchors: u64,
    /// catalogue rows
    pub rows: u64,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Problem {
    /// its name in the contract
    pub kind: &'static str,
    /// `warc/FILE@OFFSET`, `onrecord.db:TABLE/ROW`, `ledger/PATH`
    #[serde(rename = "where")]
    pub place: String,
    /// in words
    pub what: String,
}

/// What verification came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// what was looked at
    pub target: String,
    /// the whole of it
    pub verdict: Verdict,
    /// who else vouches for it
    pub independence: Independence,
    /// how much was looked at
    pub checked: Checked,
    /// what is wrong, each by its name
    pub problems: Vec<Problem>,
    /// what this verification did not look at
    pub not_checked: Vec<String>,
    /// what no verification of an archive can show
    pub not_proved: Vec<String>,
    /// what is worth knowing and wrong in nothing
    pub notes: Vec<String>,
}

impl Report {
    fn new(target: impl Into<String>) -> Self {
        Self {
            target: target.into(),
            verdict: Verdict::NothingChecked,
            independence: Independence::SelfAttested,
            checked: Checked::default(),
            problems: Vec::new(),
            not_checked: Vec::new(),
            not_proved: NOT_PROVED.iter().map(|text| (*text).to_owned()).collect(),
            notes: Vec::new(),
        }
    }

    fn problem(&mut self, kind: &'static str, place: impl Into<String>, what: impl Into<String>) {
        self.problems.push(Problem { kind, place: place.into(), what: what.into() });
    }

    /// Whether a problem at this place is named already.
    fn speaks_of(&self, place: &str) -> bool {
        self.problems.iter().any(|problem| problem.place == place)
    }

    /// Names a file that is not sealed as it is called.
    fn name_open(&mut self, file: &str) {
        for problem in &mut self.problems {
            let at = problem.place.strip_prefix("warc/").and_then(|place| place.strip_prefix(file));
            if let Some(at) = at.filter(|at| at.starts_with('@')) {
                problem.place = format!("warc/{file}{OPEN}{at}");
            }
        }
    }

    /// The verdict, once everything has been looked at.
    fn conclude(mut self) -> Self {
        self.problems.sort();
        self.problems.dedup();
        let missing = |p: &Problem| {
            matches!(
                p.kind,
                "record-missing"
                    | "leaf-missing"
                    | "tile-missing"
                    | "row-missing"
                    | "outcome-missing"
                    | "anchor-missing"
            )
        };
        let looked = self.checked.warc_records + self.checked.leaves + self.checked.rows;
        self.verdict = match () {
            () if self.problems.iter().any(|p| !missing(p)) => Verdict::Damaged,
            () if !self.problems.is_empty() => Verdict::Incomplete,
            () if looked == 0 => Verdict::NothingChecked,
            () => Verdict::Intact,
        };
        self
    }
}

const NOT_PROVED: [&str; 4] = [
    "that what the pages and posts say is true",
    "that the sites showed others what they showed this machine",
    "when it happened, more closely than between its beacon's round and its first outside anchor, where it has them",
    "that the key's holder kept no second archive",
];

/// Checks the whole archive: in one pass where it is in order, and otherwise step by step.
///
/// # Errors
/// There is none, or it cannot be read at all. Damage is in the report.
pub fn whole(paths: &Paths, trust: &Trust) -> Result<Report, Fault> {
    if !paths.is_archive() {
        return Err(Fault::NoArchive(paths.root.clone()));
    }
    match in_one_pass(paths, trust)? {
        Some(report) => Ok(report),
        None => step_by_step(paths, trust, HELD),
    }
}

/// Checks an archive that is in order; none where WARC files or ledger are not, which [`step_by_step`] then tells about.
///
/// # Errors
/// What cannot be read at all.
pub fn in_one_pass(paths: &Paths, trust: &Trust) -> Result<Option<Report>, Fault> {
    let scratch = scratch()?;
    let mut report = Report::new("archive");
    let found = pass::all(paths, trust, &scratch.path().join("anew.db"), &mut report)?;
    let Some(Passed { mut seen, log, expected, rows }) = found else { return Ok(None) };
    log.vouched(trust, &expected, &mut report);
    match rows {
        Some(rows) => rows::agreed(rows, &mut report),
        None => rows::check(paths, &mut seen, &mut report)?,
    }
    Ok(Some(report.conclude()))
}

/// Checks an archive in whatever state it is: what is wrong with each thing is named, and what rests on it is left out. Of what
/// is read in one go `held` bytes are held, the rest is read again.
///
/// # Errors
/// As [`in_one_pass`].
pub fn step_by_step(paths: &Paths, trust: &Trust, held: usize) -> Result<Report, Fault> {
    let scratch = scratch()?;
    let mut report = Report::new("archive");
    let mut seen = scan::all(paths, &scratch.path().join("anew.db"), held, &mut report)?;
    let log = log::check(paths, trust, &seen, &mut report)?;
    let expected = records::check(paths, &log, &mut seen, trust, &mut report)?;
    log.vouched(trust, &expected, &mut report);
    rows::check(paths, &mut seen, &mut report)?;
    seen.open.iter().for_each(|file| report.name_open(file));
    Ok(report.conclude())
}

fn scratch() -> Result<ScratchFolder, Fault> {
    input::scratch_folder().map_err(Fault::file("temporary folder", PathBuf::new()))
}

pub use bundle::bundle;
pub use fixity::fixity;
pub use foreign::foreign;
pub use scan::HELD;
pub use target::{one, since};
