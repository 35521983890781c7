//! The log on disk: crashes, forks, damage.

use super::prover::Prover;
use super::*;
use crate::format::merkle::{record_leaf, root_of, verify_consistency, verify_inclusion};
use crate::format::note::{Ed25519Signer, KeyKind, cosignature};
use crate::world::durable::{Deed, Fate, Fault};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

fn signer_of(seed: u8) -> Ed25519Signer {
    let secret = ed25519_dalek::SigningKey::from_bytes(&[seed; 32]);
    Ed25519Signer::new("log.example/test".parse().unwrap(), KeyKind::Ed25519, secret).unwrap()
}

fn records(range: std::ops::Range<u64>) -> Vec<Digest> {
    range.map(|i| Digest::of(&i.to_be_bytes())).collect()
}

fn root(size: u64) -> Digest {
    root_of(&records(0..size).iter().map(record_leaf).collect::<Vec<_>>())
}

/// Everything a log must hold, checked from its files alone.
fn check(folder: &Path) -> u64 {
    let size = check_files(folder);
    let tiles = Tiles::new(folder);
    let signed_root = root(size);
    for index in (0..size).step_by(37).chain(size.checked_sub(1)) {
        assert_eq!(tiles.leaf(index, size).unwrap(), records(index..index + 1)[0]);
        let proof = Prover::new(&tiles, size).inclusion(index).unwrap();
        let leaf = record_leaf(&records(index..index + 1)[0]);
        assert_eq!(verify_inclusion(&leaf, index, size, &proof, &signed_root), Ok(()));
    }
    for old in (0..=size).step_by(53) {
        let proof = tiles.consistency(old, size).unwrap();
        assert_eq!(verify_consistency(old, &root(old), size, &signed_root, &proof), Ok(()));
        assert_eq!(tiles.root(old, size).unwrap(), root(old));
    }
    size
}

/// The checkpoint, and that every tile it asks for is there and as long as its name says.
fn check_files(folder: &Path) -> u64 {
    let tiles = Tiles::new(folder);
    let signed = tiles.checkpoint(&[tiles.key().unwrap()]).unwrap();
    let Checkpoint { size, root: signed_root, .. } = signed.checkpoint;
    assert_eq!(signed_root, root(size));
    for tile in tile::all(size) {
        let item = if tile.row == Row::Entries { 34 } else { 32 };
        assert_eq!(std::fs::read(tiles.path(tile)).unwrap().len(), usize::from(tile.width) * item, "{tile}");
    }
    size
}

fn made(folder: &Path, sizes: &[u64]) -> Log {
    let mut log = Log::create(folder, &signer_of(1), &Disk::default()).unwrap();
    for size in sizes {
        log.append(&records(log.size()..*size));
        log.commit(&signer_of(1)).unwrap();
    }
    log
}

#[test]
fn a_log_grows_by_commits_and_goes_on_after_being_opened() {
    let folder = tempfile::tempdir().unwrap();
    let sizes = [1, 2, 255, 256, 257, 700, 1024, 1025];
    let mut log = made(folder.path(), &[]);
    assert_eq!(log.signed().checkpoint.size, 0);
    for size in sizes {
        let first = log.append(&records(log.size()..size));
        assert_eq!(log.leaf(first).unwrap(), records(first..first + 1)[0], "readable before it is committed");
        let signed = log.commit(&signer_of(1)).unwrap().clone();
        assert_eq!((signed.checkpoint.size, signed.checkpoint.root), (size, root(size)));
        assert_eq!(check(folder.path()), size);
        drop(log);
        log = Log::open(folder.path(), &Disk::default()).unwrap();
        assert_eq!(log.commit(&signer_of(1)).unwrap(), &signed, "nothing new, nothing signed");
    }
    let left: Vec<_> = std::fs::read_dir(folder.path().join("tile/0")).unwrap().flatten().collect();
    assert_eq!(left.len(), 4 + 1, "four full tiles, one partial; those that became full are gone");
}

#[test]
fn leaves_told_again_are_compared() {
    let folder = tempfile::tempdir().unwrap();
    let mut log = made(folder.path(), &[300]);
    log.append(&records(300..310));
    log.append_at(250, &records(250..320)).unwrap();
    assert_eq!(log.size(), 320);
    assert!(matches!(log.append_at(319, &records(7..8)), Err(Error::Forked(319))));
    assert!(matches!(log.append_at(12, &records(7..8)), Err(Error::Forked(12))));
    assert!(matches!(log.append_at(321, &records(321..322)), Err(Error::Gap { first: 321, size: 320 })));
    log.commit(&signer_of(1)).unwrap();
    assert_eq!(check(folder.path()), 320);
}

#[test]
fn a_second_appender_is_turned_away_and_so_is_another_key() {
    let folder = tempfile::tempdir().unwrap();
    let mut log = made(folder.path(), &[3]);
    assert!(matches!(Log::open(folder.path(), &Disk::default()), Err(Error::InUse(_))));
    log.append(&records(3..4));
    assert!(matches!(log.commit(&signer_of(2)), Err(Error::OtherKey(_))));
    assert!(matches!(Log::create(folder.path(), &signer_of(2), &Disk::default()), Err(Error::Exists(_))));
}

#[test]
fn a_checkpoint_that_someone_else_changed_is_not_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let mut log = made(folder.path(), &[3]);
    let before = std::fs::read(folder.path().join("checkpoint")).unwrap();
    log.append(&records(3..5));
    log.commit(&signer_of(1)).unwrap();
    std::fs::write(folder.path().join("checkpoint"), before).unwrap();
    log.append(&records(5..6));
    assert!(matches!(log.commit(&signer_of(1)), Err(Error::Moved(_))));
}

#[test]
fn after_a_rollback_other_leaves_are_refused_and_the_same_are_taken() {
    let folder = tempfile::tempdir().unwrap();
    let mut log = made(folder.path(), &[3]);
    let before = std::fs::read(folder.path().join("checkpoint")).unwrap();
    log.append(&records(3..300));
    log.commit(&signer_of(1)).unwrap();
    drop(log);
    std::fs::write(folder.path().join("checkpoint"), before).unwrap();
    // the partial tiles of size 3 went when the tile became full: the full one stands in for them
    let mut log = Log::open(folder.path(), &Disk::default()).unwrap();
    log.append(&records(1003..1300));
    assert!(matches!(log.commit(&signer_of(1)), Err(Error::ForkedTile(_))));
    drop(log);
    let mut log = Log::open(folder.path(), &Disk::default()).unwrap();
    log.append(&records(3..300));
    log.commit(&signer_of(1)).unwrap();
    assert_eq!(check(folder.path()), 300);
}

#[test]
fn keys_change_under_both_signatures() {
    let folder = tempfile::tempdir().unwrap();
    let mut log = made(folder.path(), &[3]);
    log.rotate(&signer_of(1), &signer_of(2)).unwrap();
    let both = Note::parse(&log.signed().note).unwrap();
    assert_eq!(both.verify(&[signer_of(1).key().clone(), signer_of(2).key().clone()]).unwrap().len(), 2);
    log.append(&records(3..4));
    assert!(matches!(log.commit(&signer_of(1)), Err(Error::OtherKey(_))));
    log.commit(&signer_of(2)).unwrap();
    drop(log);
    assert_eq!(Log::open(folder.path(), &Disk::default()).unwrap().key(), signer_of(2).key());
}

#[test]
fn cosignatures_stand_in_the_published_checkpoint_and_it_still_grows() {
    let folder = tempfile::tempdir().unwrap();
    let mut log = made(folder.path(), &[3]);
    let secret = ed25519_dalek::SigningKey::from_bytes(&[9; 32]);
    let witness = Ed25519Signer::new("w.example".parse().unwrap(), KeyKind::CosignatureV1, secret).unwrap();
    let line = cosignature(&log.signed().checkpoint.to_string(), 1_700_000_000, &witness).unwrap();
    log.add_signatures(vec![line.clone(), line]).unwrap();
    let note = std::fs::read(folder.path().join("checkpoint")).unwrap();
    let keys = [log.key().clone()];
    let (_, seen) = Signed::open_cosigned(&note, &keys, &[witness.key().clone()]).unwrap();
    assert_eq!(seen.len(), 1);
    log.append(&records(3..4));
    log.commit(&signer_of(1)).unwrap();
    assert_eq!(check(folder.path()), 4);
}

#[test]
fn damage_is_named_when_the_log_is_opened() {
    type Damage = fn(&Path);
    let cases: [(&str, Damage, &str); 8] = [
        ("tile-missing", |f| std::fs::remove_file(f.join("tile/0/001.p/44")).unwrap(), "it is missing"),
        ("tile-changed", |f| flip(&f.join("tile/0/001.p/44")), "its tiles lead to another root"),
        ("tile-cut", |f| cut(&f.join("tile/1/000.p/1")), "it has not the length its name says"),
        ("bundle-missing", |f| std::fs::remove_file(f.join("tile/entries/001.p/44")).unwrap(), "it is missing"),
        ("bundle-changed", |f| flip(&f.join("tile/entries/001.p/44")), "its records are not those its tile hashes"),
        ("checkpoint-missing", |f| std::fs::remove_file(f.join("checkpoint")).unwrap(), "it is missing"),
        ("checkpoint-changed", |f| grow(&f.join("checkpoint")), "the checkpoint has a bad signature"),
        ("vkey-changed", |f| std::fs::write(f.join("vkey"), "x\n").unwrap(), "it is no verifier key"),
    ];
    for (name, damage, expected) in cases {
        let folder = tempfile::tempdir().unwrap();
        drop(made(folder.path(), &[300]));
        damage(folder.path());
        let error = Log::open(folder.path(), &Disk::default()).unwrap_err();
        let source = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
        let said = format!("{error}: {source}");
        assert!(said.contains(expected), "{name}: {said}");
    }
}

fn flip(path: &Path) {
    let mut bytes = std::fs::read(path).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    std::fs::write(path, bytes).unwrap();
}

fn cut(path: &Path) {
    let bytes = std::fs::read(path).unwrap();
    std::fs::write(path, &bytes[1..]).unwrap();
}

fn grow(path: &Path) {
    let text = std::fs::read_to_string(path).unwrap();
    std::fs::write(path, text.replace("\n300\n", "\n301\n")).unwrap();
}

/// Stands for a process killed, or a disk failing, at the n-th deed.
struct At {
    left: AtomicUsize,
    fate: Fate,
}

impl Fault for At {
    fn fate(&self, _: Deed, _: &Path) -> Fate {
        match self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1)) {
            Ok(1) => self.fate,
            Ok(_) => Fate::Done,
            Err(_) => Fate::Failed, // killed stays killed
        }
    }
}

/// Where it breaks × whether the deed was done: whatever the place, the log opens again at the old or the new
/// checkpoint, takes the same leaves, and ends where it would have ended without the fault.
#[test]
fn a_commit_broken_off_anywhere_is_finished_by_the_next() {
    for fate in [Fate::Failed, Fate::FailedAfter, Fate::Torn(7)] {
        let mut finished = false;
        for nth in 1..200 {
            let folder = tempfile::tempdir().unwrap();
            drop(made(folder.path(), &[200]));
            let disk = Disk::with_fault(Arc::new(At { left: AtomicUsize::new(nth), fate }));
            let opened = Log::open(folder.path(), &disk);
            let done = opened.is_ok_and(|mut log| {
                log.append(&records(200..270));
                log.commit(&signer_of(1)).is_ok()
            });
            let mut again = Log::open(folder.path(), &Disk::default()).unwrap();
            let size = again.size();
            assert!(size == 270 || (size == 200 && !done), "{fate:?} at {nth}: {size}");
            again.append_at(200, &records(200..270)).unwrap();
            again.commit(&signer_of(1)).unwrap();
            drop(again);
            assert_eq!(Log::open(folder.path(), &Disk::default()).unwrap().size(), 270);
            assert_eq!(check_files(folder.path()), 270);
            finished = done;
            if done {
                break;
            }
        }
        assert!(finished, "{fate:?}: every deed of the commit was broken once");
    }
}

#[test]
fn a_log_is_let_go_of_though_another_process_is_just_being_started() {
    let folder = tempfile::tempdir().unwrap();
    let log = made(folder.path(), &[1, 3]);
    // What such a process has: another name of the same open file.
    let copy = log._lock.0.try_clone().unwrap();
    drop(log);
    assert!(Log::open(folder.path(), &Disk::default()).is_ok());
    drop(copy);
}
