//! Passes of the seal: what is handed in together shares them, in the order it was handed in.

use std::collections::BTreeSet;

use onrecord::record::Event;
use onrecord::work::archive::{Choices, OpenArchive};
use onrecord::work::parts::Paths;
use onrecord::work::seal::Deed;

#[test]
fn deeds_handed_in_before_any_is_waited_for_share_passes_and_keep_their_order() {
    let folder = tempfile::tempdir().unwrap();
    let open = OpenArchive::or_init(Paths::new(folder.path().join("archive")), Choices::default()).unwrap();
    let due = "2026-01-05T09:00:00Z".parse().unwrap();
    let deed = |n: u64| {
        let why = "nobody was here".to_owned();
        Deed::of(vec![Event::RunMissed { schedule: format!("runs {n}"), due, until: None, count: None, why }])
    };
    let pending: Vec<_> = (0..400).map(|n| open.seal.hand_in(deed(n)).unwrap()).collect();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let sealed: Vec<_> = pending.into_iter().map(|one| runtime.block_on(one.sealed()).unwrap()).collect();
    open.close().unwrap();
    assert!(sealed.windows(2).all(|two| two[0].first + 1 == two[1].first), "out of order");
    assert!(sealed.iter().all(|one| one.first < one.size), "acknowledged before it was under a checkpoint");
    let passes: BTreeSet<u64> = sealed.iter().map(|one| one.size).collect();
    assert!(passes.len() <= 40, "400 deeds took {} passes", passes.len());
}
