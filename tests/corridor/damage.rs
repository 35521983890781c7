//! What becomes of an archive that is damaged: each damage is named and placed, and what another left in it is not signed.

use std::collections::BTreeSet;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::founded;
use crate::world::{World, copy, err, everything, prove, verify, warcs};

/// Damages a copy of `archive` and has it verified.
fn damaged(archive: &Path, damage: impl FnOnce(&Path)) -> (Option<i32>, Vec<(String, String)>, Value) {
    let scratch = tempfile::tempdir().unwrap();
    let copied = scratch.path().join("archive");
    copy(archive, &copied);
    damage(&copied);
    let (code, report) = verify(&copied);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let problems = report["problems"].as_array().unwrap();
    (code, problems.iter().map(|p| (text(&p["kind"]), text(&p["where"]))).collect(), report)
}

fn edit(path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = fs::read(path).unwrap();
    change(&mut bytes);
    fs::write(path, bytes).unwrap();
}

fn first_warc(archive: &Path) -> PathBuf {
    warcs(archive).remove(0)
}

fn with_database(archive: &Path, sql: &str) {
    let db = rusqlite::Connection::open(archive.join("onrecord.db")).unwrap();
    assert!(db.execute(sql, []).unwrap() > 0, "{sql} changed nothing");
}

#[test]
fn each_damage_is_named() {
    let (mut world, _) = founded();
    world.pass(1);
    world.run(&["statement.txt"]);
    let archive = world.archive();
    type Damage = fn(&Path);
    let cases: [(&[&str], &str, Damage); 16] = [
        (&["file-truncated"], "warc/", |a| edit(&first_warc(a), |b| b.truncate(b.len() - 9))),
        (&["record-missing"], "ledger/leaf/", |a| edit(&first_warc(a), |b| b.truncate(b.len() / 2))),
        (&["record-missing"], "ledger/leaf/", |a| fs::remove_file(first_warc(a)).unwrap()),
        (&["record-missing"], "ledger/leaf/", |a| fs::write(first_warc(a), "").unwrap()),
        (&["gzip-head-changed"], "warc/", |a| edit(&first_warc(a), |b| b[9] = 3)),
        (&["trailing-garbage"], "warc/", |a| edit(&first_warc(a), |b| b.extend_from_slice(b"more"))),
        (&["checkpoint-bad-signature"], "ledger/checkpoint", |a| {
            edit(&a.join("ledger/checkpoint"), |b| {
                let at = b.len() - 10;
                b[at] = if b[at] == b'A' { b'B' } else { b'A' };
            });
        }),
        (&["checkpoint-bad-signature"], "ledger/checkpoint", |a| {
            edit(&a.join("ledger/checkpoint"), |b| {
                let at = b.iter().position(|c| *c == b'\n').unwrap() + 1;
                b[at] = if b[at] == b'1' { b'2' } else { b'1' };
            });
        }),
        (&["checkpoint-missing"], "ledger/checkpoint", |a| fs::remove_file(a.join("ledger/checkpoint")).unwrap()),
        (&["row-changed"], "onrecord.db:finding", |a| with_database(a, "UPDATE finding SET verdict = 'contradicted'")),
        (&["row-changed"], "onrecord.db:statement", |a| with_database(a, "UPDATE statement SET bytes = x'20'")),
        (&["row-missing"], "onrecord.db:citation", |a| {
            with_database(a, "DELETE FROM citation WHERE kind = 'post'");
        }),
        (&["row-added"], "onrecord.db:tally", |a| {
            with_database(a, "INSERT INTO tally VALUES ('verdict', 'contradicted', 9)");
        }),
        (&["row-missing"], "onrecord.db", |a| fs::remove_file(a.join("onrecord.db")).unwrap()),
        (&["leaf-changed"], "ledger/", |a| edit(&entries(a), |b| b[40] ^= 1)),
        (&["leaf-missing"], "ledger/", |a| fs::remove_file(entries(a)).unwrap()),
    ];
    for (kinds, place, damage) in cases {
        let (code, problems, report) = damaged(&archive, damage);
        assert_eq!(code, Some(5), "{kinds:?}: {report:#}");
        let named = |(kind, at): &(String, String)| kinds.contains(&kind.as_str()) && at.starts_with(place);
        assert!(problems.iter().any(named), "{kinds:?} at {place}: {report:#}");
    }
    // The older of two checkpoints put back: the archive was closed cleanly, so this is no crash.
    let (_, _, report) = damaged(&archive, |_| ());
    assert_eq!(report["verdict"], "intact", "the copy itself is whole");
}

/// The longest bundle of leaves.
fn entries(archive: &Path) -> PathBuf {
    let files = everything(&archive.join("ledger/tile/entries"));
    files.into_iter().filter(|(path, _)| path.is_file()).max_by_key(|(_, bytes)| bytes.len()).unwrap().0
}

/// A file's records and where their gzip members begin, as another library inflates them; None where it cannot.
fn inflated(mut rest: &[u8]) -> Option<(Vec<usize>, Vec<u8>)> {
    let (length, mut starts, mut out) = (rest.len(), Vec::new(), Vec::new());
    while !rest.is_empty() {
        starts.push(length - rest.len());
        let mut member = flate2::bufread::GzDecoder::new(rest);
        member.read_to_end(&mut out).ok()?;
        rest = member.into_inner();
    }
    Some((starts, out))
}

#[test]
fn one_flipped_bit_anywhere_is_found_and_placed_or_is_one_that_gzip_does_not_use() {
    let (world, _) = founded();
    let archive = world.archive();
    let file = first_warc(&archive);
    let name = format!("warc/{}", file.file_name().unwrap().to_string_lossy());
    let bytes = fs::read(&file).unwrap();
    let (length, whole) = (bytes.len(), inflated(&bytes).unwrap());
    // Deterministic places, among them a gzip header's, a deflate stream's and a trailer's.
    let mut places: BTreeSet<(usize, u8)> = (0..24).map(|n| (n * length / 24 + n * 7, 0x10)).collect();
    places.extend([0, 3, 9, length - 1, length - 5].map(|at| (at, 0x10)));
    // All of the first member's last byte of deflate: a stream of bits ends within a byte.
    places.extend((0..8).map(|bit| (whole.0[1] - 9, 1 << bit)));
    let mut named = 0;
    for (at, bits) in places.into_iter().filter(|(at, _)| *at < length) {
        let (code, problems, report) = damaged(&archive, |a| edit(&first_warc(a), |b| b[at] ^= bits));
        let mut flipped = bytes.clone();
        flipped[at] ^= bits;
        // The bits behind a stream's last code are nobody's (RFC 1951): the records are what they were. A gzip head's are not.
        let in_a_head = whole.0.iter().any(|start| (*start..start + 10).contains(&at));
        if !in_a_head && inflated(&flipped).as_ref() == Some(&whole) {
            assert_eq!((code, problems), (Some(0), Vec::new()), "bits {bits:#x} of byte {at} of {length}: {report:#}");
            continue;
        }
        assert_eq!(code, Some(5), "bits {bits:#x} of byte {at} of {length}: {report:#}");
        assert!(problems.iter().any(|(_, place)| place.starts_with(&name)), "byte {at} of {length}: {report:#}");
        named += 1;
    }
    assert!(named >= 24, "{named}");
}

/// What a run over the sample statement comes to where it must not sign: nothing is, and the archive's key is spoken of.
fn assert_nothing_is_signed(world: &World, arguments: &[&str]) {
    let before = fs::read(world.archive().join("ledger/checkpoint")).unwrap();
    let mut command = if arguments == ["reindex"] { world.command(arguments) } else { world.networked(arguments) };
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(5), "{arguments:?}: {}", err(&output));
    assert!(err(&output).contains("was not written with this archive's key"), "{arguments:?}: {}", err(&output));
    assert_eq!(fs::read(world.archive().join("ledger/checkpoint")).unwrap(), before, "{arguments:?}");
}

#[test]
fn what_another_left_as_if_by_a_process_that_was_cut_off_is_not_signed() {
    let ((world, _), (other, _)) = (founded(), founded());
    // Whole records, each with a name of its own digest, under another archive's key.
    let left = world.archive().join("warc/onrecord-29990101000000-000009.warc.gz.open");
    fs::copy(first_warc(&other.archive()), &left).unwrap();
    assert_nothing_is_signed(&world, &["run", "statement.txt"]);
    assert_nothing_is_signed(&world, &["run", "statement.txt"]);
    assert_nothing_is_signed(&world, &["reindex"]);
    fs::remove_file(left.with_extension("")).or_else(|_| fs::remove_file(&left)).unwrap();
    assert_eq!(world.command(&["reindex"]).output().unwrap().status.code(), Some(0));
    prove(&world.archive());
    // A row of the catalogue alone is nothing to sign either.
    with_database(
        &world.archive(),
        "INSERT INTO record SELECT max(idx) + 1, randomblob(32), max(warc), 'finding.made', 0 FROM record",
    );
    assert_nothing_is_signed(&world, &["run", "statement.txt"]);
    assert_eq!(world.command(&["reindex"]).output().unwrap().status.code(), Some(0));
    assert_eq!(world.run(&["statement.txt"])["counts"]["ended"], 9);
    prove(&world.archive());
}
