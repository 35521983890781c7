//! What the records say together: runs, anchors, beacons and removals.

use std::collections::{HashMap, HashSet};

use crate::record::{Event, Record, RunId};
use crate::resolution::exchange::RecordName;
use crate::work::verify::anchors::Expected;
use crate::work::verify::beacon::Beacons;
use crate::work::verify::{Report, Trust};
use crate::world::vault::place::Place;

/// What the records say that no single one of them shows.
#[derive(Default)]
pub(super) struct Heard {
    runs: Runs,
    pub(super) anchors: Expected,
    beacons: Beacons,
    /// what was taken away by law
    pub(super) removed: HashSet<RecordName>,
    /// the file of the last record behind which nothing was left unnamed
    pub(super) last_close: Option<String>,
}

impl Heard {
    /// Takes up a record that lies at `place`.
    pub(super) fn hear(&mut self, record: &Record, index: u64, place: &Place, trust: &Trust, report: &mut Report) {
        self.beacons.see(record, place, trust, report);
        self.runs.see(record);
        self.anchors.hear(record, index);
        match &record.event {
            Event::ContentRemoved { record, .. } => {
                self.removed.insert(*record);
            }
            Event::RunClosed { .. } | Event::ArchiveCreated { .. } => {
                self.last_close = Some(place.file.clone());
            }
            _ => {}
        }
    }

    /// Says what they came to, once each of them has been heard.
    pub(super) fn conclude(&mut self, report: &mut Report) {
        self.tell_beacons(report);
        self.tell_runs(report);
    }

    pub(super) fn tell_beacons(&mut self, report: &mut Report) {
        std::mem::take(&mut self.beacons).tell(report);
    }

    pub(super) fn tell_runs(&mut self, report: &mut Report) {
        std::mem::take(&mut self.runs).conclude(report);
    }
}

/// Runs by their records: planned, ended, closed.
#[derive(Default)]
struct Runs {
    planned: HashMap<RunId, u64>,
    ended: HashMap<RunId, u64>,
    closed: HashSet<RunId>,
    outcomes: Vec<(RunId, u64, u64, bool)>,
}

impl Runs {
    fn see(&mut self, record: &Record) {
        match &record.event {
            Event::RunOpened { run, planned, .. } => {
                self.planned.insert(*run, *planned);
            }
            Event::ResolutionEnded(ended) => *self.ended.entry(ended.run).or_default() += 1,
            Event::RunClosed { run, planned, ended, interrupted, .. } => {
                self.closed.insert(*run);
                self.outcomes.push((*run, *planned, *ended, *interrupted));
            }
            _ => {}
        }
    }

    fn conclude(self, report: &mut Report) {
        for (run, planned, ended, interrupted) in &self.outcomes {
            let recorded = self.ended.get(run).copied().unwrap_or_default();
            let short = *ended < *planned && !interrupted;
            if recorded != *ended || short || self.planned.get(run) != Some(planned) {
                let what =
                    format!("run {run} planned {planned}, says {ended} ended, and {recorded} endings are on record");
                report.problem("outcome-missing", format!("run/{run}"), what);
            }
        }
        let open = self.planned.keys().filter(|run| !self.closed.contains(run)).count();
        if open > 0 {
            report.notes.push(format!("{open} runs were opened and never closed: they were cut off"));
        }
    }
}
