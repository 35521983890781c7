//! The daemon's metrics: from its state and the catalogue to Prometheus' text.

use std::path::Path;
use std::sync::atomic::Ordering;

use jiff::Timestamp;

use crate::format::metrics::{Kind, Text};
use crate::work::daemon::status::Status;
use crate::world::store::{Error, Store};

/// All of them, as of now.
///
/// # Errors
/// The catalogue's.
pub fn text(status: &Status, catalogue: &Path) -> Result<String, Error> {
    let mut text = Text::default();
    let about = vec![("version", env!("CARGO_PKG_VERSION").to_owned())];
    text.metric("onrecord_build_info", Kind::Gauge, "The program's version.", [(about, 1.0)]);
    state(&mut text, status);
    counts(&mut text, status);
    let store = Store::open_read(catalogue)?;
    archive(&mut text, &store, status.clock.now())?;
    Ok(text.finish())
}

fn state(text: &mut Text, status: &Status) {
    let flag = |on: bool| f64::from(u8::from(on));
    text.one("onrecord_ready", Kind::Gauge, "1 while the daemon takes work.", flag(status.is_ready()));
    let running = flag(status.running.load(Ordering::Relaxed));
    text.one("onrecord_run_active", Kind::Gauge, "1 while a run is under way.", running);
    for (name, help, at) in [
        ("onrecord_start_time_seconds", "When the daemon began.", status.began.get()),
        ("onrecord_last_sign_of_life_seconds", "When the daemon last showed life.", status.beat.get()),
        ("onrecord_last_run_time_seconds", "When the last run ended.", status.last_run.get()),
        ("onrecord_next_run_time_seconds", "When the next scheduled run begins.", status.next_run.get()),
    ] {
        text.metric(name, Kind::Gauge, help, at.map(|at| (Vec::new(), at.as_millisecond() as f64 / 1000.0)));
    }
}

fn counts(text: &mut Text, status: &Status) {
    let by = |label: &'static str, value: &str, n: u64| (vec![(label, value.to_owned())], n as f64);
    text.metric(
        "onrecord_runs_total",
        Kind::Counter,
        "Runs by how they ended.",
        [by("result", "closed", status.runs.get()), by("result", "interrupted", status.runs_interrupted.get())],
    );
    for (name, help, count) in [
        ("onrecord_runs_missed_total", "Scheduled runs that did not happen when they should have.", &status.missed),
        ("onrecord_statements_taken_total", "Statements taken in, known ones included.", &status.statements),
        ("onrecord_statements_refused_total", "Files and pages that could not be had.", &status.refused),
        ("onrecord_intake_accepted_total", "Statements handed in over HTTP.", &status.handed_in),
        ("onrecord_intake_refused_total", "Statements turned away at the intake.", &status.turned_away),
        ("onrecord_feeds_read_total", "Feeds read.", &status.feeds),
        ("onrecord_feeds_failed_total", "Feeds that could not be read.", &status.feeds_failed),
        ("onrecord_pages_indexed_total", "Captured pages whose words were put into the index.", &status.pages_indexed),
        ("onrecord_notices_delivered_total", "Notices delivered.", &status.notices),
        ("onrecord_notices_failed_total", "Deliveries that failed and are tried again.", &status.notices_failed),
        ("onrecord_reloads_total", "Settings read anew.", &status.reloads),
        ("onrecord_reloads_failed_total", "Settings that could not be taken.", &status.reloads_failed),
    ] {
        text.one(name, Kind::Counter, help, count.get() as f64);
    }
}

fn archive(text: &mut Text, store: &Store, now: Timestamp) -> Result<(), Error> {
    let waiting = store.lengths(now)?;
    for (name, help, n) in [
        ("onrecord_pages_waiting", "Captured pages whose words are not in the index yet.", store.waiting_count()?),
        ("onrecord_citations_due", "Citations whose next look is due now.", waiting.due),
        ("onrecord_feed_entries_waiting", "Feed entries whose pages are yet to be captured.", waiting.entries),
        ("onrecord_notices_waiting", "Notices yet to be delivered.", waiting.notices),
        ("onrecord_notices_given_up", "Notices that nobody took.", waiting.notices_given_up),
        ("onrecord_ledger_records", "Records in the ledger.", store.leaves()?),
    ] {
        text.one(name, Kind::Gauge, help, n as f64);
    }
    let tallies = store.tallies()?;
    for (tally, name, help) in [
        ("ending", "onrecord_endings_total", "Citations followed, by how they ended."),
        ("verdict", "onrecord_findings_total", "Findings, by verdict."),
        ("kind", "onrecord_citations_total", "Citations found in statements, by kind."),
        ("change", "onrecord_changes_total", "Changes seen, by kind."),
    ] {
        let of = tallies.iter().filter(|counted| counted.name == tally);
        let samples = of.map(|counted| (vec![(tally, counted.value.clone())], counted.n as f64));
        text.metric(name, Kind::Counter, help, samples.collect::<Vec<_>>());
    }
    Ok(())
}
