//! The catalogue, row by row, against the one made anew from WARC files and ledger.

use crate::work::fault::Fault;
use crate::work::parts::Paths;
use crate::work::verify::Report;
use crate::work::verify::scan::Seen;
use crate::world::store::compare::{self, Difference};
use crate::world::store::{self, Store};

/// Compares the catalogues.
pub(super) fn check(paths: &Paths, seen: &mut Seen, report: &mut Report) -> Result<(), Fault> {
    if seen.broken {
        let why = "the catalogue: records it follows from are missing or damaged; onrecord reindex makes it anew";
        report.not_checked.push(why.to_owned());
        return Ok(());
    }
    say_what_is_not_checked(report);
    let path = paths.catalogue();
    if !path.is_file() {
        report.problem("row-missing", "onrecord.db", "there is no catalogue; onrecord reindex makes it anew");
        return Ok(());
    }
    let opened = Store::open_read(&path).and_then(|used| Ok((compare::rows(&seen.anew, &path)?, used)));
    let (compared, used) = match opened {
        Ok(both) => both,
        Err(store::Error::Unfolded(_)) => {
            let why = "the catalogue: a process that was cut off left its write-ahead log, which cannot be read where nothing can be \
                       written; verify a copy";
            report.not_checked.push(why.to_owned());
            return Ok(());
        }
        Err(store::Error::Empty(_)) => {
            report.problem("row-missing", "onrecord.db", "the catalogue is empty; onrecord reindex makes it anew");
            return Ok(());
        }
        Err(error) => {
            report.problem("row-changed", "onrecord.db", error.to_string());
            return Ok(());
        }
    };
    report.checked.rows += compared.rows;
    // Behind a process that was cut off, the catalogue may lack what the next one takes up.
    let behind = seen.unsealed;
    for Difference { table, key, kind } in compared.differences {
        // A WARC record that is not what the ledger names has been named as that; so has what rows take from it.
        let at = seen.anew.rests_on(&table, &key)?;
        let is_tainted =
            |store: &Store, place| store.warc_at(place).ok().flatten().is_some_and(|id| seen.tainted.contains(&id));
        let known = at.is_some_and(|place| is_tainted(&seen.anew, place) || is_tainted(&used, place));
        if known || (behind && kind == "row-missing") {
            continue;
        }
        let what = match kind {
            "row-missing" => "warc/ and ledger/ have it, the catalogue does not",
            "row-added" => "nothing in warc/ or ledger/ says so",
            _ => "warc/ and ledger/ say otherwise",
        };
        report.problem(kind, format!("onrecord.db:{table}/{key}"), what);
    }
    Ok(())
}

/// Takes up that so many rows are the same as those made anew.
pub(super) fn agreed(rows: u64, report: &mut Report) {
    say_what_is_not_checked(report);
    report.checked.rows += rows;
}

fn say_what_is_not_checked(report: &mut Report) {
    report.not_checked.push(
        "the full-text index and the queue of what is due: they are aids, and reindex makes them anew".to_owned(),
    );
}
