//! Bad input: each one clear line and its own exit code, and not one byte of an archive is changed by it.

use std::fs;
use std::path::Path;
use std::process::Output;

use onrecord::format::digest::Digest;

use crate::world::{World, bare, copy, err, everything, prove};

const STATEMENT: &str = "See https://t.co/AEoFZOhI3p for more.";

/// One line that names it, at most one hint, no panic, nothing on standard output.
fn assert_refused(output: &Output, code: i32, said: &str) {
    let message = err(output);
    assert_eq!(output.status.code(), Some(code), "{message}");
    let mut lines = message.lines();
    let first = lines.next().unwrap_or_default();
    assert!(first.starts_with("onrecord: ") && first.contains(said), "{message}");
    assert!(lines.by_ref().take(1).all(|line| line.starts_with("hint: ")) && lines.next().is_none(), "{message}");
    assert!(output.stdout.is_empty(), "{}", String::from_utf8_lossy(&output.stdout));
    assert!(!message.contains("panicked") && !message.contains("RUST_BACKTRACE"), "{message}");
}

/// A world with an archive that holds one statement, followed offline.
fn settled() -> World {
    let world = World::new();
    world.file("good.txt", STATEMENT);
    let output = world.command(&["run", "--offline", "good.txt"]).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    prove(&world.archive());
    world
}

#[test]
fn statements_that_are_none_change_nothing() {
    let world = settled();
    world.file("empty.txt", "");
    fs::create_dir(world.folder().join("folder")).unwrap();
    let before = everything(world.folder());
    for (arguments, said) in [
        (&["run", "--offline", "missing.txt"][..], "missing.txt: no such file"),
        (&["run", "--offline", "folder"], "folder: not a file but a folder"),
        (&["run", "--offline", "empty.txt"], "empty.txt: it is empty"),
        (&["run", "--offline", "good.txt", "missing.txt"], "missing.txt: no such file"),
        (&["run", "--offline", "-"], "-: it is empty"),
        (&["run", "--nonsense", "good.txt"], "'--nonsense'"),
        (&["run", "--offline", "http://"], "http://"),
        (&["rnu", "good.txt"], "'rnu'"),
        (&["cite", "missing.txt"], "missing.txt: no such file"),
        (&["verify", "--nonsense"], "'--nonsense'"),
        (&["sql", "DELETE FROM statement"], "failed to ask"),
        (&["sql", "SELECT nonsense"], "nonsense"),
        (&["run", "--offline", "--timeout", "never", "good.txt"], "never"),
    ] {
        assert_refused(&world.command(arguments).output().unwrap(), 2, said);
        assert!(everything(world.folder()) == before, "{arguments:?} changed something");
    }
    for (arguments, said) in
        [(&["show", "sha256:00"][..], "sha256:00"), (&["show", "x:1"], "x:1"), (&["show", "999999"], "999999")]
    {
        assert_refused(&world.command(arguments).output().unwrap(), 3, said);
    }
}

#[test]
fn where_there_was_no_archive_bad_input_makes_none() {
    let world = World::new();
    world.file("empty.txt", "");
    for name in ["missing.txt", "empty.txt", "."] {
        assert_eq!(world.command(&["run", "--offline", name]).output().unwrap().status.code(), Some(2));
    }
    for command in [&["verify"][..], &["query"], &["show", "0"], &["sql", "SELECT 1"], &["reindex"]] {
        assert_refused(&world.command(command).output().unwrap(), 3, "no archive in ./archive");
    }
    assert!(!world.archive().exists());
}

#[test]
fn a_binary_file_is_kept_and_said_to_be_unreadable() {
    let world = settled();
    let noise: Vec<u8> = (0_u32..40_000).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    world.file("noise.bin", &noise);
    let output = world.command(&["run", "--offline", "--quiet", "noise.bin"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", err(&output));
    assert!(err(&output).starts_with("onrecord: failed to read the statement noise.bin: "), "{}", err(&output));
    assert_eq!(err(&output).lines().count(), 2, "{}", err(&output));
    prove(&world.archive());
    let kept =
        world.sql(&format!("SELECT 1 AS here FROM statement WHERE lower(hex(id)) = '{}'", Digest::of(&noise).hex()));
    assert_eq!(kept.len(), 1, "its bytes are in the archive");
}

#[test]
fn what_is_no_utf_8_is_kept_byte_for_byte_and_said_so() {
    let world = settled();
    let mixed = b"Caf\xc3\xa9 \xe2\x80\x94 see https://t.co/Mph7cr3obq \xff\xfe and na\xc3\xafve #tag".to_vec();
    let latin = b"Caf\xe9 see https://t.co/Mph7cr3obq, tr\xe8s bien".to_vec();
    for (name, bytes, said) in [("mixed.txt", &mixed, "replacement"), ("latin.txt", &latin, "not UTF-8")] {
        world.file(name, bytes);
        let document = world.json(&["run", "--json", "--offline", name]);
        let statement = &document["statements"][0];
        assert!(statement["unread"].to_string().contains(said), "{document:#}");
        assert_eq!(statement["citations"][0]["raw"], "https://t.co/Mph7cr3obq");
        assert_eq!(statement["id"], Digest::of(bytes).to_string());
        let rows =
            world.sql(&format!("SELECT bytes FROM statement WHERE lower(hex(id)) = '{}'", Digest::of(bytes).hex()));
        assert_eq!(rows[0]["bytes"], data_encoding::HEXLOWER.encode(bytes));
        let table = world.command(&["run", "--offline", name]).output().unwrap();
        assert!(String::from_utf8_lossy(&table.stdout).contains("not read as it stands: "), "a person is told too");
    }
    prove(&world.archive());
}

#[test]
fn what_of_a_statement_cannot_be_read_is_named_and_the_rest_is_cited() {
    let world = World::new();
    let pdf = fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/unread/second-page.pdf")).unwrap();
    let mail = "From: a@b.example\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n\nsee https://t.co/Hq7LmZx2Pa\n--b\nContent-Type: image/png\nContent-Transfer-Encoding: base64\n\niVBORw0KG";
    let mixed = [&b"caf\xc3\xa9 https://t.co/Hq7LmZx2Pa d\xe9j\xe0 "[..], "— é".as_bytes()].concat();
    for (name, bytes, part) in
        [("a.pdf", pdf, "page 2"), ("a.eml", mail.into(), "part 2 (image/png)"), ("a.txt", mixed, "bytes 31..32")]
    {
        world.file(name, &bytes);
        let output = world.command(&["cite", "--json", name]).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{name}: {}", err(&output));
        let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let statement = &document["statements"][0];
        let unread = statement["unread"].as_array().cloned().unwrap_or_default();
        assert!(unread.iter().any(|u| u["part"] == part && u["why"] != ""), "{document:#}");
        assert_eq!(statement["citations"][0]["raw"], "https://t.co/Hq7LmZx2Pa", "{document:#}");
        assert!(err(&output).contains(name) && err(&output).contains("not read as it stands"), "{}", err(&output));
        let table = world.command(&["cite", name]).output().unwrap();
        assert!(String::from_utf8_lossy(&table.stdout).contains(&format!("not read: {part}")));
    }
}

#[test]
fn a_statement_in_which_nothing_can_be_read_is_refused_and_kept_by_a_run() {
    let world = World::new();
    for (name, bytes) in [
        ("broken.pdf", &b"%PDF-1.7\nnothing of the kind"[..]),
        ("empty.eml", b"From: a@b.example\nMIME-Version: 1.0\nContent-Type: image/png\nContent-Transfer-Encoding: base64\n\niVBORw0KG"),
    ] {
        world.file(name, bytes);
        assert_refused(&world.command(&["cite", name]).output().unwrap(), 2, name);
        let output = world.command(&["run", "--offline", "--quiet", name]).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{name}: {}", err(&output));
        let kept =
            world.sql(&format!("SELECT 1 AS here FROM statement WHERE lower(hex(id)) = '{}'", Digest::of(bytes).hex()));
        assert_eq!(kept.len(), 1, "{name}");
        prove(&world.archive());
    }
}

#[test]
fn a_run_keeps_what_cannot_be_read_beside_what_can() {
    let world = World::new();
    let broken = &b"%PDF-1.7\nnothing of the kind"[..];
    world.file("broken.pdf", broken);
    world.file("good.txt", "Nothing is cited here.");
    let output = world.command(&["run", "--json", "--offline", "broken.pdf", "good.txt"]).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    assert!(err(&output).contains("broken.pdf is not read: "), "{}", err(&output));
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document["statements"][0]["unread"][0]["part"], "all of it", "{document:#}");
    let kept =
        world.sql(&format!("SELECT 1 AS here FROM statement WHERE lower(hex(id)) = '{}'", Digest::of(broken).hex()));
    assert_eq!(kept.len(), 1);
    prove(&world.archive());
}

#[test]
fn ten_megabytes_on_one_line_are_read_to_their_end() {
    let world = World::new();
    let line = format!("{}https://t.co/Hq7LmZx2Pa", "words and @a, ".repeat((10 << 20) / 14));
    world.file("line.txt", &line);
    let document = world.json(&["cite", "--json", "line.txt"]);
    let citations = document["statements"][0]["citations"].as_array().unwrap();
    assert_eq!(citations.len(), (10 << 20) / 14 + 1);
    assert_eq!(citations.last().unwrap()["span"][1], line.len());
}

#[test]
fn fifty_megabytes_of_one_character_are_a_statement_like_any_other() {
    let world = World::new();
    let long = vec![b'a'; 50 << 20];
    world.file("long.txt", &long);
    let document = world.json(&["run", "--json", "--offline", "long.txt"]);
    assert_eq!(document["counts"]["planned"], 0);
    assert_eq!(document["statements"][0]["id"], Digest::of(&long).to_string());
    let length = world.sql("SELECT length(bytes) AS n FROM statement");
    assert_eq!(length[0]["n"], 50 << 20);
    prove(&world.archive());
}

/// Runs every command on the folder `name`, which must refuse with `code` and change nothing.
fn assert_all_refuse(world: &World, name: &str, commands: &[&[&str]], code: i32, said: &str) {
    let folder = world.folder().join(name);
    let before = if folder.is_dir() { everything(&folder) } else { vec![(folder.clone(), fs::read(&folder).unwrap())] };
    for command in commands {
        let output = world.command(&[command, &["--archive", name][..]].concat()).output().unwrap();
        assert_refused(&output, code, said);
        let after =
            if folder.is_dir() { everything(&folder) } else { vec![(folder.clone(), fs::read(&folder).unwrap())] };
        let (before, after) = (content(&before), content(&after));
        assert!(before == after, "{command:?} changed {name}: {before:?} became {after:?}");
    }
}

/// Names and digests; the lock file is nobody's content.
fn content(files: &[(std::path::PathBuf, Vec<u8>)]) -> Vec<(String, String)> {
    let ours = files.iter().filter(|(path, _)| !path.ends_with(".lock"));
    ours.map(|(path, bytes)| (path.display().to_string(), Digest::of(bytes).hex())).collect()
}

const WRITERS: [&[&str]; 2] = [&["run", "--offline", "good.txt"], &["init"]];
const READERS: [&[&str]; 3] = [&["query"], &["show", "0"], &["sql", "SELECT 1"]];

#[test]
fn folders_that_are_no_archive_are_left_alone() {
    let world = settled();
    world.file("plain", "a file");
    assert_all_refuse(&world, "plain", &WRITERS, 2, "plain is no archive: it is a file");
    assert_all_refuse(&world, "plain", &READERS, 3, "no archive in plain");
    fs::create_dir(world.folder().join("foreign")).unwrap();
    world.file("foreign/thesis.doc", "years of work");
    assert_all_refuse(&world, "foreign", &WRITERS, 2, "foreign is no archive: it holds thesis.doc");
    assert_all_refuse(&world, "foreign", &READERS, 3, "no archive in foreign");
    assert_all_refuse(&world, "foreign", &[&["verify"], &["reindex"]], 3, "no archive in foreign");
}

/// A copy of the archive whose catalogue is something else.
fn with_catalogue(world: &World, name: &str, change: impl FnOnce(&Path)) {
    let folder = world.folder().join(name);
    copy(&world.archive(), &folder);
    change(&folder.join("onrecord.db"));
}

#[test]
fn databases_of_others_and_of_later_versions_are_left_alone() {
    let world = settled();
    with_catalogue(&world, "newer", |path| {
        let db = rusqlite::Connection::open(path).unwrap();
        db.pragma_update(None, "user_version", 99).unwrap();
        db.pragma_update(None, "journal_mode", "DELETE").unwrap();
    });
    let said =
        format!("newer/onrecord.db has version 99, this program knows {} and older", onrecord::world::store::VERSION);
    assert_all_refuse(&world, "newer", &[&WRITERS[..], &READERS[..], &[&["reindex"]]].concat(), 2, &said);
    with_catalogue(&world, "others", |path| {
        fs::remove_file(path).unwrap();
        rusqlite::Connection::open(path)
            .unwrap()
            .execute_batch("CREATE TABLE accounts (x); INSERT INTO accounts VALUES (1)")
            .unwrap();
    });
    let said = "others/onrecord.db is a database, but not an onrecord catalogue";
    assert_all_refuse(&world, "others", &[&WRITERS[..], &READERS[..], &[&["reindex"]]].concat(), 2, said);
    with_catalogue(&world, "broken", |path| fs::write(path, STATEMENT.repeat(400)).unwrap());
    assert_all_refuse(&world, "broken", &[&WRITERS[..], &READERS[..]].concat(), 1, "file is not a database");
    // Moved away, or broken: reindex brings the archive back.
    fs::remove_file(world.folder().join("others/onrecord.db")).unwrap();
    for name in ["others", "broken"] {
        let output = world.command(&["reindex", "--archive", name]).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", err(&output));
        prove(&world.folder().join(name));
    }
}

#[test]
fn an_archive_that_cannot_be_read_is_named() {
    let world = settled();
    // Permissions do not bind every user; a folder in a file's place binds them all.
    let folder = world.folder().join("robbed");
    copy(&world.archive(), &folder);
    fs::remove_file(folder.join("keys/ledger.pem")).unwrap();
    fs::create_dir(folder.join("keys/ledger.pem")).unwrap();
    assert_all_refuse(&world, "robbed", &WRITERS, 1, "keys/ledger.pem");
    copy(&world.archive(), &world.folder().join("headless"));
    fs::remove_file(world.folder().join("headless/onrecord.db")).unwrap();
    fs::create_dir(world.folder().join("headless/onrecord.db")).unwrap();
    assert_all_refuse(&world, "headless", &[&WRITERS[..], &READERS[..]].concat(), 1, "headless/onrecord.db");
    let settings = world.folder().join("archive/onrecord.toml");
    fs::write(&settings, [0xff, 0xfe]).unwrap();
    assert_refused(&bare(world.folder(), &["run", "--offline", "good.txt"]).output().unwrap(), 2, "onrecord.toml");
}

#[test]
fn what_verify_is_handed_is_told_from_the_archive() {
    let world = settled();
    world.file("words.txt", "no checkpoint, no key, no WARC file\n");
    fs::create_dir(world.folder().join("folder")).unwrap();
    let before = everything(world.folder());
    for (arguments, said) in [
        (&["verify", "--checkpoint", "words.txt"][..], "read the checkpoint in words.txt"),
        (&["verify", "--since-checkpoint", "words.txt"], "read the checkpoint in words.txt"),
        (&["verify", "--key", "words.txt"], "words.txt"),
        (&["verify", "--foreign", "missing.warc"], "missing.warc: no such file"),
        (&["verify", "--foreign", "folder"], "folder: not a file but a folder"),
        (&["verify", "--sample", "0"], "--sample"),
        (&["run", "--offline", "--max-hops", "0", "good.txt"], "--max-hops"),
        (&["run", "--ca-cert", "words.txt", "good.txt"], "words.txt"),
        (&["run", "--ca-cert", "missing.pem", "good.txt"], "missing.pem"),
    ] {
        assert_refused(&world.command(arguments).output().unwrap(), 2, said);
        assert!(everything(world.folder()) == before, "{arguments:?} changed something");
    }
}

#[test]
fn an_uncompressed_warc_file_is_told_of_in_its_own_words() {
    let world = settled();
    let record = "WARC/1.0\r\nWARC-Type: resource\r\nWARC-Record-ID: <urn:uuid:00000000-0000-4000-8000-000000000001>\r\n\
                  WARC-Date: 2026-01-01T00:00:00Z\r\nContent-Length: 4\r\n\r\npost\r\n\r\n";
    for (text, code, kind, what) in [
        (record.to_owned(), 0, "", ": intact"),
        (record[..record.len() - 6].to_owned(), 5, "file-truncated", "the file ends within the record"),
        (record.replace('\r', ""), 5, "head-malformed", "end in LF, not in CR LF"),
    ] {
        world.file("plain.warc", &text);
        let output = world.command(&["verify", "--foreign", "plain.warc"]).output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert_eq!(output.status.code(), Some(code), "{said}");
        assert!(said.contains(kind) && said.contains(what) && !said.contains("gzip"), "{said}");
    }
}

#[test]
fn a_sample_is_of_distinct_records_and_of_no_more_than_there_are() {
    let world = settled();
    let report = |arguments: &[&str]| {
        let output = world.command(arguments).output().unwrap();
        serde_json::from_slice::<serde_json::Value>(&output.stdout).unwrap()
    };
    let all = report(&["--json", "verify"])["checked"]["warc_records"].as_u64().unwrap();
    let sample = report(&["--json", "verify", "--sample", "99999"]);
    assert_eq!(sample["target"], format!("a sample of {all} WARC records"));
    assert_eq!(sample["checked"]["warc_records"], all, "{sample:#}");
    let few = report(&["--json", "verify", "--sample", "2"]);
    assert_eq!(few["checked"]["warc_records"], 2, "{few:#}");
}

#[test]
fn a_proof_is_written_over_nothing_and_not_into_the_archive() {
    let world = settled();
    world.file("mine.txt", "mine");
    let before = everything(world.folder());
    for (file, said) in [
        ("mine.txt", "it is there already"),
        ("archive/keys/ledger.pem", "it is inside the archive"),
        ("archive/warc/new.json", "it is inside the archive"),
        ("nowhere/new.json", "nowhere/new.json"),
    ] {
        let output = world.command(&["ledger", "prove", "0", "-o", file]).output().unwrap();
        assert_refused(&output, 2, said);
        assert!(everything(world.folder()) == before, "{file} was written");
    }
    let output = world.command(&["ledger", "prove", "0", "--tlog-proof", "-o", "new.proof"]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && !said.contains("ledger check new.proof"), "{said}");
}
