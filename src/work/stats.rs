//! The archive at a glance, and link rot as a curve: how many of what was cited still stood, look by look.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use serde::Serialize;

use crate::citation::{Citation, CitationId};
use crate::format::time;
use crate::statement::StatementId;
use crate::work::fault::Fault;
use crate::work::parts::Paths;
use crate::world::input;
use crate::world::store::Store;
use crate::world::store::sum::Due;

/// Bytes on disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Sizes {
    /// WARC files
    pub warc_files: u64,
    /// their bytes
    pub warc_bytes: u64,
    /// the catalogue, its write-ahead log included
    pub catalogue_bytes: u64,
    /// tiles, checkpoint, anchors
    pub ledger_bytes: u64,
}

/// The archive at a glance. Counts are kept, not counted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Overview {
    /// ledger records
    pub records: u64,
    /// statements
    pub statements: u64,
    /// citations, by kind
    pub citations: BTreeMap<String, u64>,
    /// citations, by platform
    pub platforms: BTreeMap<String, u64>,
    /// snapshots
    pub snapshots: u64,
    /// snapshots that hold a post
    pub posts: u64,
    /// citations by how they ended when they were followed last
    pub endings: BTreeMap<String, u64>,
    /// times that citations were followed
    pub followed: u64,
    /// findings by verdict
    pub verdicts: BTreeMap<String, u64>,
    /// bytes on disk
    pub sizes: Sizes,
    /// runs opened, and how many of them never closed
    pub runs: Runs,
    /// what outside authorities vouch for
    pub anchored: Anchored,
    /// what is due
    pub due: DueWhen,
    /// captured pages whose words are not in the index yet
    pub not_indexed: u64,
}

/// The runs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Runs {
    /// all
    pub opened: u64,
    /// never closed
    pub cut_off: u64,
    /// when the last one was opened
    pub last: Option<String>,
}

/// How far outside authorities vouch.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Anchored {
    /// records under a checkpoint that one vouches for
    pub records: u64,
    /// records under none
    pub missing: u64,
    /// since when the oldest of those waits
    pub waiting_since: Option<String>,
}

/// What is due.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct DueWhen {
    /// citations that are due now
    pub now: u64,
    /// when the next one is due
    pub next: Option<String>,
}

/// Looks at the archive.
///
/// # Errors
/// There is none; the catalogue's.
pub fn overview(paths: &Paths, now: Timestamp) -> Result<Overview, Fault> {
    let store = open(paths)?;
    let mut out = Overview { records: store.leaves()?, not_indexed: store.waiting_count()?, ..Overview::default() };
    for tally in store.tallies()? {
        match (tally.name.as_str(), tally.value.as_str()) {
            ("total", "statement") => out.statements = tally.n,
            ("total", "snapshot") => out.snapshots = tally.n,
            ("total", "post") => out.posts = tally.n,
            ("kind", _) => drop(out.citations.insert(tally.value, tally.n)),
            ("platform", _) => drop(out.platforms.insert(tally.value, tally.n)),
            ("standing", _) => drop(out.endings.insert(tally.value, tally.n)),
            ("ending", _) => out.followed += tally.n,
            ("verdict", _) => drop(out.verdicts.insert(tally.value, tally.n)),
            _ => {}
        }
    }
    out.sizes = sizes(paths)?;
    let runs = store.runs()?;
    out.runs = Runs { opened: runs.opened, cut_off: runs.cut_off, last: runs.last.map(time::rfc3339) };
    let records = store.anchored_size()?.min(out.records);
    out.anchored = Anchored {
        records,
        missing: out.records - records,
        waiting_since: store.unanchored()?.map(|first| time::rfc3339(first.since)),
    };
    let Due { now, next } = store.due_at(now)?;
    out.due = DueWhen { now, next: next.map(time::rfc3339) };
    Ok(out)
}

fn open(paths: &Paths) -> Result<Store, Fault> {
    if !paths.is_archive() {
        return Err(Fault::NoArchive(paths.root.clone()));
    }
    Ok(Store::open_read(&paths.catalogue())?)
}

fn sizes(paths: &Paths) -> Result<Sizes, Fault> {
    let (warc_files, warc_bytes) = input::size(&paths.warc()).map_err(Fault::file("folder", paths.warc()))?;
    let (_, ledger_bytes) = input::size(&paths.ledger()).map_err(Fault::file("folder", paths.ledger()))?;
    let log = paths.root.join("onrecord.db-wal");
    let catalogue_bytes = input::length(&paths.catalogue()) + input::length(&log);
    Ok(Sizes { warc_files, warc_bytes, catalogue_bytes, ledger_bytes })
}

/// One citation of a curve.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Line {
    /// itself
    pub citation: Citation,
    /// how it ended when it was followed last, up to the date asked for
    pub ending: Option<String>,
    /// when that was
    pub at: Option<String>,
    /// times it was followed
    pub times: u64,
    /// every time: when, and how it ended
    pub looks: Vec<Point>,
}

/// One look.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Point {
    /// when
    pub at: String,
    /// how it ended
    pub ending: String,
    /// what was cited stood there
    pub alive: bool,
}

/// How many citations stood, after a day on which some were followed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Day {
    /// the day, UTC
    pub day: String,
    /// citations followed by then
    pub followed: u64,
    /// those of them that stood when they were followed last
    pub alive: u64,
}

/// Link rot of one citation, or of all citations of a statement.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Rot {
    /// the statement
    pub statement: StatementId,
    /// what came later is left out
    pub until: String,
    /// citations that are followed at all
    pub planned: u64,
    /// by how they ended last
    pub endings: BTreeMap<String, u64>,
    /// the curve
    pub curve: Vec<Day>,
    /// the citations
    pub citations: Vec<Line>,
}

/// The curve of a statement, or of the one citation named, up to `until`.
///
/// # Errors
/// There is none; the catalogue's.
pub fn rot(paths: &Paths, statement: StatementId, only: Option<CitationId>, until: Timestamp) -> Result<Rot, Fault> {
    let store = open(paths)?;
    let mut looks: HashMap<CitationId, Vec<Point>> = HashMap::new();
    let mut standing: HashMap<CitationId, bool> = HashMap::new();
    let mut curve: Vec<Day> = Vec::new();
    for look in store.looks_of(&statement, until)? {
        if only.is_some_and(|only| only != look.citation) {
            continue;
        }
        let alive = is_alive(&look.ending);
        standing.insert(look.citation, alive);
        let day = look.at.strftime("%Y-%m-%d").to_string();
        let (followed, count) = (standing.len() as u64, standing.values().filter(|alive| **alive).count() as u64);
        match curve.last_mut().filter(|last| last.day == day) {
            Some(last) => (last.followed, last.alive) = (followed, count),
            None => curve.push(Day { day, followed, alive: count }),
        }
        let point = Point { at: time::rfc3339(look.at), ending: look.ending, alive };
        looks.entry(look.citation).or_default().push(point);
    }
    let mut rot = Rot {
        statement,
        until: time::rfc3339(until),
        planned: 0,
        endings: BTreeMap::new(),
        curve,
        citations: Vec::new(),
    };
    for citation in store.citations(&statement)? {
        if only.is_some_and(|only| only != citation.id) || !citation.is_followed() {
            continue;
        }
        let looks = looks.remove(&citation.id).unwrap_or_default();
        rot.planned += 1;
        let last = looks.last();
        if let Some(last) = last {
            *rot.endings.entry(last.ending.clone()).or_default() += 1;
        }
        let (ending, at) = (last.map(|p| p.ending.clone()), last.map(|p| p.at.clone()));
        rot.citations.push(Line { citation, ending, at, times: looks.len() as u64, looks });
    }
    Ok(rot)
}

/// What was cited stood where it was cited; a web archive's copy says that it no longer did.
fn is_alive(ending: &str) -> bool {
    matches!(ending, "captured" | "unchanged")
}
