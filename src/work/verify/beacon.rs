//! The beacons that opened the runs: each a round that its chain signed, and each run's id made from it.

use std::collections::BTreeMap;
use std::fmt::Display;

use crate::format::drand::{Chain, Hex};
use crate::record::{Event, Record};
use crate::work::verify::{Report, Trust};

/// Runs by what their beacon came to.
#[derive(Debug, Default)]
pub(super) struct Beacons {
    /// runs that a round of a chain believed bounds
    bound: u64,
    /// runs by chain that nobody told us to believe
    unknown: BTreeMap<String, u64>,
}

impl Beacons {
    /// Takes up a record that lies at `place`.
    pub(super) fn see(&mut self, record: &Record, place: &dyn Display, trust: &Trust, report: &mut Report) {
        let Event::RunOpened { run, beacon: Some(beacon), .. } = &record.event else { return };
        match beacon.bounds(*run, record.at) {
            Err(why) => report.problem("beacon-invalid", place.to_string(), why.to_string()),
            Ok(_) if believed(&beacon.chain.hash, trust) => self.bound += 1,
            Ok(_) => *self.unknown.entry(beacon.chain.hash.to_string()).or_default() += 1,
        }
    }

    /// Says what they came to.
    pub(super) fn tell(self, report: &mut Report) {
        if self.bound > 0 {
            report.notes.push(format!(
                "{} runs were opened with a round of a public randomness beacon: no record of theirs was written before it",
                self.bound
            ));
        }
        for (chain, runs) in self.unknown {
            report.not_checked.push(format!(
                "whether the beacon {chain}, whose rounds opened {runs} runs, is a public one: it is neither known nor named by [anchor] beacon"
            ));
        }
    }
}

/// Anyone can make a chain of their own; only one that others watch bounds anything.
fn believed(chain: &Hex, trust: &Trust) -> bool {
    Chain::known(chain).is_some() || trust.beacons.contains(chain)
}
