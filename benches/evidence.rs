//! Large archives for `verify`: `cargo bench --bench evidence -- grow ARCHIVE RECORDS` puts so many records more into an archive
//! that is there, by the path every run takes. What `onrecord verify` costs in it then is measured from outside.

#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]
#![expect(clippy::unwrap_used, reason = "a benchmark that fails may end")]

use std::path::Path;
use std::time::Instant;

use onrecord::record::Event;
use onrecord::work::archive::{Choices, OpenArchive};
use onrecord::work::parts::Paths;
use onrecord::work::seal::Deed;

/// Records in one deed.
const DEED: u64 = 1000;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    // `cargo test` runs it without words; there is nothing to do then.
    if let ["grow", archive, records] = words.as_slice() {
        grow(Path::new(archive), records.parse().unwrap());
    }
}

/// Records that name nothing but themselves: the smallest there are.
fn grow(archive: &Path, records: u64) {
    let open = OpenArchive::open(Paths::new(archive), Choices::default()).unwrap();
    let from = Instant::now();
    let due = open.tools.clock.now();
    for first in (0..records).step_by(usize::try_from(DEED).unwrap()) {
        let event = |n: u64| Event::RunMissed {
            schedule: format!("runs {n}"),
            due,
            until: None,
            count: None,
            why: "a benchmark".to_owned(),
        };
        open.seal.commit_now(Deed::of((first..records.min(first + DEED)).map(event).collect())).unwrap();
    }
    open.close().unwrap();
    println!("{{\"what\":\"grow\",\"records\":{records},\"wall_s\":{:.1}}}", from.elapsed().as_secs_f64());
}
