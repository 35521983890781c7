//! Audit paths from tiles.

use std::fs;
use std::process::Command;

use onrecord::format::checkpoint::Checkpoint;
use onrecord::format::digest::Digest;
use onrecord::format::merkle::{record_leaf, verify_inclusion};
use onrecord::format::note::KeyKind;
use onrecord::record::Event;
use onrecord::work::archive::{Choices, OpenArchive};
use onrecord::work::parts::Paths;
use onrecord::work::seal::Deed;
use onrecord::world::keys::SecretKey;
use onrecord::world::tiles::Log;
use onrecord::world::tiles::nodes::Nodes;
use onrecord::world::tiles::prover::Prover;
use onrecord::world::tiles::reader::Tiles;

/// Paths from the tiles, from the stored hashes, from stored hashes that a bad disk changed, and from half of them.
#[test]
fn every_path_leads_to_the_root_whatever_it_is_made_from() {
    let folder = tempfile::tempdir().unwrap();
    let disk = onrecord::world::durable::Disk::default();
    let signer = SecretKey::generate().unwrap().signer("log.example".parse().unwrap(), KeyKind::Ed25519).unwrap();
    let mut log = Log::create(folder.path(), &signer, &disk).unwrap();
    let record = |i: u64| Digest::of(&i.to_be_bytes());
    let mut published = Vec::new();
    for size in [1, 255, 256, 257, 600, 65_535, 65_536, 66_000] {
        log.append(&(log.size()..size).map(record).collect::<Vec<_>>());
        published.push(log.commit(&signer).unwrap().checkpoint.clone());
    }
    let all = |what: &str| {
        let tiles = Tiles::new(folder.path());
        for Checkpoint { size, root, .. } in &published {
            let mut prover = Prover::new(&tiles, *size);
            for index in (0..*size).step_by(97).chain([size - 1, size / 2]) {
                let path = prover.inclusion(index).unwrap();
                let holds = verify_inclusion(&record_leaf(&record(index)), index, *size, &path, root);
                assert_eq!(holds, Ok(()), "{what}: {index} of {size}");
            }
            assert!(prover.inclusion(*size).is_err());
        }
    };
    all("tiles");
    assert_eq!(Nodes::build(&Tiles::new(folder.path()), 1000).unwrap(), 3);
    all("some stored");
    assert_eq!(Nodes::build(&Tiles::new(folder.path()), 66_000).unwrap(), 254);
    all("all stored");
    let file = folder.path().join("nodes");
    let mut bytes = fs::read(&file).unwrap();
    for at in (0..bytes.len()).step_by(5003) {
        bytes[at] ^= 1;
    }
    fs::write(&file, &bytes).unwrap();
    all("damaged");
    fs::write(&file, &bytes[..bytes.len() / 2]).unwrap();
    all("cut");
    assert!(Nodes::build(&Tiles::new(folder.path()), 66_000).unwrap() > 100, "what was cut is made again");
    all("made again");
    fs::write(&file, vec![7; 10 * 17_472]).unwrap();
    assert_eq!(Nodes::build(&Tiles::new(folder.path()), 66_000).unwrap(), 257, "of another form, it is made anew");
    assert_eq!(fs::metadata(&file).unwrap().len(), 257 * 32 * 612);
    all("made anew");
}

/// Whoever forges the stored hashes gains a word about them, and no proof fails for it.
#[test]
fn forged_hashes_between_the_tiles_are_told_from_a_changed_leaf() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("archive");
    let open = OpenArchive::or_init(Paths::new(&root), Choices::default()).unwrap();
    let due = "2026-01-05T09:00:00Z".parse().unwrap();
    let event = |n: u64| Event::RunMissed {
        schedule: format!("runs {n}"),
        due,
        until: None,
        count: None,
        why: "nobody was here".to_owned(),
    };
    open.seal.commit_now(Deed::of((0..300).map(event).collect())).unwrap();
    open.close().unwrap();
    let judged = || {
        let run = Command::new(env!("CARGO_BIN_EXE_onrecord"))
            .args(["--json", "--archive"])
            .arg(&root)
            .args(["verify", "17"])
            .output()
            .unwrap();
        (run.status.code(), String::from_utf8(run.stdout).unwrap())
    };
    assert_eq!(Nodes::build(&Tiles::new(&root.join("ledger")), 300).unwrap(), 1);
    let (code, said) = judged();
    assert_eq!((code, said.contains("ledger/nodes")), (Some(0), false), "{said}");
    let file = root.join("ledger/nodes");
    let mut bytes = fs::read(&file).unwrap();
    for block in bytes.chunks_mut(612) {
        block[9 * 32] ^= 1;
        block[600] ^= 1;
        let sum = crc32fast::hash(&block[..608]).to_be_bytes();
        block[608..].copy_from_slice(&sum);
    }
    fs::write(&file, bytes).unwrap();
    let (code, said) = judged();
    assert_eq!((code, said.contains("ledger/nodes")), (Some(0), true), "{said}");
}
