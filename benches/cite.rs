//! Finds what a text cites, in process: megabytes a CPU second for reading, finding, naming and printing, and for texts of
//! one kind of citation each.
//!
//! `cargo bench --bench cite -- FILE [ROUNDS [found]]` for a file; without one it does nothing. `found`: the finding in that file and
//! nothing else, as a profiler wants it. `-- signs [MB]`: texts and pages of one sign alone, 50 MB each, beside a tenth of them. Linux
//! only (`/proc`).

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a bench measures, says so, and dies of what it cannot do"
)]

use std::convert::Infallible;
use std::hint::black_box;

use onrecord::citation;
use onrecord::statement::{self, Hint, Statement};

/// Words between two citations, about as many as posts have.
const WORDS: &str = "the minister said after the vote that no more than a few of them had come in time for it ";

/// Texts that cite in one way alone.
const KINDS: [(&str, &str); 5] = [
    ("links", "https://t.co/AEoFZOhI3p "),
    ("permalinks", "https://x.com/odelie_m/status/1137945522884755456 "),
    ("handles", "@odelie_m "),
    ("hashtags", "#harbour "),
    ("posts", "https://t.co/AEoFZOhI3p — Odelie (@odelie_m) June 10, 2019\n\n"),
];

/// Bytes of each such text.
const SIZE: usize = 16 << 20;

fn main() {
    let mut args = std::env::args().skip(1).filter(|arg| arg != "--bench");
    // `cargo test` and `cargo bench` without a file run it too; there is nothing to do then.
    let Some(file) = args.next() else { return };
    if file == "signs" {
        return measure_signs(args.next().map_or(50, |n| n.parse().unwrap()));
    }
    let rounds = args.next().map_or(5, |n| n.parse().unwrap());
    let bytes = std::fs::read(&file).unwrap();
    if args.next().is_some_and(|what| what == "found") {
        return measure_finding(bytes, rounds);
    }
    measure("the file", &bytes, rounds);
    measure("words alone", WORDS.repeat(SIZE / WORDS.len()).as_bytes(), rounds);
    for (kind, one) in KINDS {
        let unit = format!("{WORDS}{one}");
        measure(kind, unit.repeat(SIZE / unit.len()).as_bytes(), rounds);
    }
}

/// What a hostile text may be made of.
const SIGNS: [&str; 14] = [
    "@",
    "(",
    "—",
    "http://",
    "\u{301}",
    "e\u{301}",
    "#",
    "[",
    "“",
    "https://t.co/",
    "@a ",
    "— A (@a) ",
    "a.",
    "2019 ",
];

/// Texts of one sign: ten times as much must take some ten times as long.
fn measure_signs(megabytes: usize) {
    for name in ["a.txt", "a.html"] {
        for sign in SIGNS {
            let spent = |size: usize| {
                let bytes = sign.repeat(size / sign.len()).into_bytes();
                let from = cpu();
                let hint = Hint { source: name.to_owned(), content_type: None };
                let count = statement::read(bytes, &hint).map_or(0, |statement| citation::count(&statement));
                (cpu() - from, count)
            };
            let ((tenth, _), (whole, count)) = (spent(megabytes * 100_000), spent(megabytes * 1_000_000));
            println!(
                "{name} of {sign:?}: {tenth:.2} and {whole:.2} CPU seconds for {} and {megabytes} MB; {count} citations",
                megabytes / 10
            );
        }
    }
}

/// Finding alone, the best of some rounds.
fn measure_finding(bytes: Vec<u8>, rounds: usize) {
    let size = bytes.len() as f64 / 1e6;
    let statement = statement::read(bytes, &Hint { source: "a.txt".to_owned(), content_type: None }).unwrap();
    let least = (0..rounds).map(|_| seconds(|| assert!(citation::count(&statement) > 0))).fold(f64::MAX, f64::min);
    println!("found: {:.1} MB a CPU second", size / least);
}

/// The best of some rounds: other work on the machine only ever adds.
fn measure(what: &str, bytes: &[u8], rounds: usize) {
    let (mut read, mut found, mut named, mut printed) = (f64::MAX, f64::MAX, f64::MAX, f64::MAX);
    let mut count = 0;
    for _ in 0..rounds {
        let mut statement = None;
        read = read.min(seconds(|| {
            let hint = Hint { source: "a.txt".to_owned(), content_type: None };
            statement = statement::read(bytes.to_vec(), &hint).ok();
        }));
        let Some(statement) = &statement else { return };
        found = found.min(seconds(|| count = citation::count(statement)));
        named = named.min(seconds(|| {
            each(statement, |one| {
                let _ = black_box(one);
            })
        }));
        let mut json = Vec::with_capacity(256 * 1024);
        printed = printed.min(seconds(|| {
            each(statement, |one| {
                if json.len() > 128 * 1024 {
                    json.clear();
                }
                one.write_json(&mut json);
            });
        }));
    }
    let rate = |seconds: f64| bytes.len() as f64 / 1e6 / seconds;
    println!(
        "{what}: {} bytes, {count} citations; MB a CPU second: read (and copied) {:.0}, found {:.0}, found and named {:.0}, with its JSON {:.0}, all of it {:.0}",
        bytes.len(),
        rate(read),
        rate(found),
        rate(named),
        rate(printed),
        rate(read + printed),
    );
}

fn each(statement: &Statement, mut take: impl FnMut(citation::found::Found<'_>)) {
    let taken: Result<(), Infallible> = citation::each(statement, |found| {
        take(found);
        Ok(())
    });
    match taken {
        Ok(()) => {}
        Err(never) => match never {},
    }
}

/// CPU seconds of this thread that `work` takes: often enough in a row that the kernel's ticks do not show.
fn seconds(mut work: impl FnMut()) -> f64 {
    let from = cpu();
    let mut times = 0;
    loop {
        work();
        times += 1;
        let spent = cpu() - from;
        if spent > 0.2 {
            return spent / f64::from(times);
        }
    }
}

fn cpu() -> f64 {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    stat.split(' ').next().unwrap().parse::<f64>().unwrap() / 1e9
}
