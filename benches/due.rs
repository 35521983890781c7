//! What planning a run over what is due costs: an archive of many statements is made with the tool itself, and each due citation is then found
//! in the ledger's record of its statement, as a run does it.
//!
//! `ONRECORD_BENCH_N` citations (10,000 unless said): once each in a statement of its own, once ten to a statement. The least and the median of
//! 20 rounds, each from nothing but the archive's files, by the clock and by the CPU of all threads.

#![expect(clippy::unwrap_used, reason = "a bench that cannot go on has nothing to measure")]
#![expect(clippy::print_stdout, reason = "its figures are what it is for")]

use std::collections::HashSet;
use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use onrecord::work::cited::Cited;
use onrecord::work::parts::Paths;
use onrecord::work::plan::plan;
use onrecord::work::recall::Recall;
use onrecord::world::store::Store;

const ROUNDS: usize = 20;

fn main() {
    let citations = std::env::var("ONRECORD_BENCH_N").map_or(10_000, |n| n.parse().unwrap());
    for each in [1, 10] {
        let folder = tempfile::tempdir().unwrap();
        make(folder.path(), citations / each, each);
        let mut times: Vec<(Duration, Duration)> = (0..ROUNDS).map(|_| timed(folder.path(), citations)).collect();
        times.sort_unstable();
        let mut cpu: Vec<Duration> = times.iter().map(|(_, cpu)| *cpu).collect();
        cpu.sort_unstable();
        let ms = |time: Duration| time.as_secs_f64() * 1e3;
        println!(
            "{citations} due of {} statements: clock {:.1} ms least, {:.1} median; CPU {:.1} least, {:.1} median",
            citations / each,
            ms(times.first().unwrap().0),
            ms(times.get(ROUNDS / 2).unwrap().0),
            ms(*cpu.first().unwrap()),
            ms(*cpu.get(ROUNDS / 2).unwrap()),
        );
    }
}

/// An archive of statements that cite so many links each, none of which was to be had.
fn make(archive: &Path, statements: usize, each: usize) {
    let inbox = Paths::new(archive).statements();
    std::fs::create_dir_all(&inbox).unwrap();
    for number in 0..statements {
        let mut text = format!("Statement number {number} of the press office, with what it cites:\n\n");
        for link in 0..each {
            writeln!(text, "see https://t.co/{number:07}{link:02}z for the rest.").unwrap();
        }
        std::fs::write(inbox.join(format!("{number}.txt")), text).unwrap();
    }
    let tool = || Command::new(env!("CARGO_BIN_EXE_onrecord"));
    assert!(tool().arg("--archive").arg(archive).args(["init", "-q"]).output().unwrap().status.success());
    // Which exit code tells of links that were not to be had is no matter here: what is due is counted.
    tool().arg("--archive").arg(archive).args(["run", "--offline", "-q"]).output().unwrap();
}

/// One round, by the clock and the CPU.
fn timed(folder: &Path, citations: usize) -> (Duration, Duration) {
    let paths = Paths::new(folder);
    let later = Timestamp::now() + Duration::from_secs(1_000 * 24 * 3_600);
    let (began, used) = (Instant::now(), cpu());
    let store = Store::open_read(&paths.catalogue()).unwrap();
    let due = store.due(later, 100_000).unwrap();
    let (mut cited, mut only) = (Cited::default(), HashSet::new());
    let mut gone = Vec::new();
    let each = |_: &_, citation: &onrecord::citation::Citation| {
        only.insert(citation.id);
        cited.push(citation).unwrap();
        Ok(())
    };
    Recall::new(&paths).owed(&store, &due, each, |index| gone.push(index)).unwrap();
    assert_eq!(gone, [0; 0], "statements that are not to be had");
    let count = cited.count();
    assert_eq!(plan(&cited, std::iter::once(0..count), Some(&only)).count(), citations);
    (began.elapsed(), cpu() - used)
}

/// What this process has used of the CPU.
fn cpu() -> Duration {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::new(now.tv_sec.unsigned_abs(), u32::try_from(now.tv_nsec).unwrap_or(0))
}
