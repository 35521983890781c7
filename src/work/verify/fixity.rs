//! A scheduled look: some WARC records chosen at random, read again, and a record that says it was done.

use crate::record::Event;
use crate::work::archive::{Choices, OpenArchive};
use crate::work::fault::Fault;
use crate::work::parts::Paths;
use crate::work::seal::Deed;
use crate::work::verify::{Report, Trust, target};
use crate::world::random::Random;

/// Problems named in the record; the report has all.
const NAMED: usize = 100;

/// Reads `count` WARC records again and puts on record what came of it.
///
/// # Errors
/// There is no archive, it is in use, or nothing can be written.
pub fn fixity(paths: Paths, choices: Choices, count: u64, trust: &Trust) -> Result<Report, Fault> {
    let random = choices.seed.map_or_else(Random::system, Random::seeded);
    let mut report = target::sample(&paths, count, trust, &random)?;
    // An archive that is damaged where it must be whole to be written to is reported all the same.
    match OpenArchive::open(paths, choices) {
        Ok(open) => {
            let problems = report.problems.iter().take(NAMED).map(|p| format!("{} {}", p.kind, p.place)).collect();
            let event = Event::FixityChecked { checked: report.checked.warc_records, problems };
            open.seal.commit_now(Deed::of(vec![event]))?;
            open.close()?;
        }
        Err(why) if report.problems.is_empty() => return Err(why),
        Err(why) => report.notes.push(format!("it could not be put on record: {why}")),
    }
    Ok(report)
}
