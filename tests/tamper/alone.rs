//! What is asked of an archive beside the corpus: one thing by itself, a ledger put back, what is new, a sample, files that nobody wrote.

use super::*;

/// One thing is looked at by itself: a snapshot, a statement, a file, a WARC record.
#[test]
fn one_thing_is_found_and_judged_by_itself() {
    let fixture = world().fixture("one");
    let base = &fixture.root;
    let db = rusqlite::Connection::open(base.join("onrecord.db")).unwrap();
    let hex = |sql: &str| db.query_row(sql, [], |row| row.get::<_, String>(0)).unwrap();
    for target in [
        format!("sha256:{}", hex("SELECT lower(hex(id)) FROM snapshot LIMIT 1")),
        format!("sha256:{}", hex("SELECT lower(hex(id)) FROM statement LIMIT 1")),
        format!("sha256:{}", hex("SELECT lower(hex(digest)) FROM warc_record WHERE type = 2 LIMIT 1")),
        format!("sha256:{}", hex("SELECT lower(hex(payload)) FROM exchange WHERE payload_len > 512 LIMIT 1")),
        hex("SELECT lower(hex(id)) FROM warc_record WHERE type = 4 LIMIT 1"),
        "0".to_owned(),
    ] {
        let said = verified(base, std::slice::from_ref(&target));
        assert_eq!((said.code, said.verdict.as_str()), (Some(0), "intact"), "{target}: {}", said.whole);
    }
    let absent = format!("sha256:{}", "0".repeat(64));
    let run = Command::new(env!("CARGO_BIN_EXE_onrecord"))
        .args(["--archive".as_ref(), base.as_os_str(), "verify".as_ref(), absent.as_ref()])
        .output()
        .unwrap();
    assert_eq!(run.status.code(), Some(3));
}

/// What the next command makes of a ledger of an earlier day: the later records are logged again, and that it was so stays on record.
#[test]
fn a_ledger_put_back_is_not_healed_in_silence() {
    let rolled_back = |of: &Fixture| {
        of.one("SELECT CAST(count(*) AS TEXT) FROM event WHERE kind = 'fixity.checked' AND body LIKE '%checkpoint-rolled-back%'")
    };
    let opened = |of: &Fixture| {
        let run = Command::new(env!("CARGO_BIN_EXE_onrecord"))
            .args(["--archive".as_ref(), of.root.as_os_str(), "reindex".as_ref()])
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&run.stderr).into_owned();
        assert_eq!(run.status.code(), Some(0), "{said}");
        said
    };
    let sound = world().fixture("sound");
    assert!(!opened(&sound).contains("rolled-back") && rolled_back(&sound) == "0");
    let fixture = world().fixture("put-back");
    let size = fixture.size();
    std::fs::remove_dir_all(fixture.root.join("ledger")).unwrap();
    world::copy(&world().path("older").join("ledger"), &fixture.root.join("ledger"));
    assert!(fixture.size() < size);
    assert!(opened(&fixture).contains("checkpoint-rolled-back"));
    assert!(rolled_back(&fixture) == "1" && fixture.size() > size);
    assert_eq!(verified(&fixture.root, &[]).verdict, "intact");
    assert!(!opened(&fixture).contains("rolled-back") && rolled_back(&fixture) == "1", "it is said once");
}

/// A change is judged by itself against the look it names.
#[test]
fn one_change_is_judged_by_the_look_it_names() {
    let fixture = world().copy_of("changed", "one-change");
    let db = rusqlite::Connection::open(fixture.root.join("onrecord.db")).unwrap();
    let mut query = db.prepare("SELECT DISTINCT CAST(record AS TEXT) FROM change ORDER BY record").unwrap();
    let all: Vec<String> = query.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    assert_eq!(all.len(), 6, "words, lost, back, deleted, back, deleted");
    for index in &all {
        let said = verified(&fixture.root, std::slice::from_ref(index));
        assert_eq!((said.code, said.verdict.as_str()), (Some(0), "intact"), "{index}: {}", said.whole);
    }
    let last = all.last().unwrap();
    for attack in
        changes::ATTACKS.iter().filter(|attack| attack.name.contains("how-it-was") || attack.name.contains("citation"))
    {
        let fixture = world().fixture(attack.name);
        (attack.damage)(&fixture);
        let said = verified(&fixture.root, std::slice::from_ref(last));
        let kinds: Vec<&str> = said.problems.iter().map(|(kind, _)| kind.as_str()).collect();
        assert_eq!((said.code, kinds), (Some(5), vec!["record-false"]), "{}: {}", attack.name, said.whole);
    }
}

/// Rows that lead from a digest to something that does not hold it are no answer to "do you hold this?".
#[test]
fn a_row_never_makes_the_archive_hold_what_it_does_not() {
    let fixture = world().fixture("claims");
    let evil = fixture.root.join("../evil.html");
    std::fs::write(&evil, "what was never captured").unwrap();
    let digest = onrecord::format::digest::Digest::of(b"what was never captured");
    let hex = digest.hex();
    for row in [
        format!(
            "UPDATE exchange SET payload = x'{hex}' WHERE place = (SELECT max(place) FROM exchange WHERE status = 200)"
        ),
        format!("UPDATE snapshot SET id = x'{hex}' WHERE id = (SELECT max(id) FROM snapshot)"),
        format!("UPDATE statement SET id = x'{hex}' WHERE id = (SELECT max(id) FROM statement)"),
    ] {
        let fixture = world().fixture("claims");
        fixture.sql(&row);
        for target in [digest.to_string(), evil.display().to_string()] {
            let said = verified(&fixture.root, &[target]);
            assert_eq!(said.code, Some(5), "{row}: {}", said.whole);
            assert_eq!(said.problems[0].0, "row-changed", "{row}: {}", said.whole);
        }
    }
}

#[test]
fn what_came_after_a_checkpoint_is_checked_by_itself() {
    let world = world();
    let fixture = world.fixture("since");
    let arguments = ["--since-checkpoint".to_owned(), world.path("older-checkpoint").display().to_string()];
    let said = verified(&fixture.root, &arguments);
    assert_eq!(said.code, Some(0), "{}", said.whole);
    let warc = fixture.warc();
    let last = fixture.find_last(&warc, |m| m.kind() == "response");
    fixture.change(&last, world::flip_body);
    assert_eq!(verified(&fixture.root, &arguments).code, Some(5));
}

/// What a process that was cut off may leave in an unfinished file is no damage, and what hides behind such is; both verifiers see it alike.
#[test]
fn garbage_in_an_unfinished_file_is_judged_alike_by_both() {
    let whole = world().fixture("garbage");
    let file = whole.warc_names().pop().unwrap();
    let member = whole.find_last(&whole.warc(), |m| m.kind() == "response").1;
    let other = member.with_field("WARC-Record-ID", "<urn:uuid:00000000-0000-4000-8000-000000000001>");
    let packed = world::gzip(&other);
    let short = world::gzip(&other[..other.len() - 10]);
    let odd = [b"\x1f\x8b\x08\0\x01\0\0\0\0\xff", &packed[10..]].concat();
    // A stored member that was cut off: what looks like members in it came from some server.
    let mut stored = b"\x1f\x8b\x08\0\0\0\0\0\0\xff\0\x20\x4e\xdf\xb1".to_vec();
    stored.extend_from_slice(b"WARC/1.1\r\n");
    stored.extend_from_slice(&packed);
    // A member that holds a record and breaks off behind it: nothing counts of what comes out of it.
    let both = world::gzip(&[&other[..], &other].concat());
    let torn = &both[..both.len() - 20];
    let followed = world::gzip(&[&other[..], b"and more"].concat());
    let twice = [&other[..], &other[..other.len() / 2]].concat();
    let garbage: [(&str, &[u8], [i32; 3]); 14] = [
        ("words", b"and more", [0, 0, 0]),
        ("zeros", &[0; 1000], [0, 0, 0]),
        ("half a head", &packed[..2], [0, 0, 0]),
        ("half a record", &packed[..packed.len() / 2], [0, 0, 0]),
        ("a stored member cut off", &stored, [0, 0, 0]),
        ("no record", &world::gzip(b"hello"), [0, 0, 0]),
        ("a record cut short in its member", &short, [0, 0, 0]),
        ("a record that is named by nothing yet", &packed, [0, 5, 5]),
        ("a record behind words", &[b"and more", &packed[..]].concat(), [5, 5, 5]),
        ("a record with another gzip head", &odd, [5, 5, 5]),
        ("a record unpacked", &other, [0, 5, 5]),
        ("a record in a member that is cut off behind it", torn, [0, 0, 0]),
        ("a record with words in its member", &followed, [0, 0, 0]),
        ("a record unpacked and half of another", &twice, [0, 5, 5]),
    ];
    for (name, bytes, expected) in garbage {
        // Behind what is there, in a file of its own, which does not begin as one must, and in one that no run of this archive would begin.
        for (n, code) in expected.into_iter().enumerate() {
            let fixture = world().fixture("garbage");
            let open = fixture.path(&format!("{file}.open"));
            let at = match n {
                0 => {
                    std::fs::rename(fixture.path(&file), &open).unwrap();
                    open
                }
                1 => fixture.path("onrecord-20300101000000-000099.warc.gz.open"),
                _ => fixture.path("foreign.warc.gz.open"),
            };
            let mut to = std::fs::OpenOptions::new().append(true).create(true).open(at).unwrap();
            std::io::Write::write_all(&mut to, bytes).unwrap();
            let said = verified(&fixture.root, &[]);
            assert_eq!(said.code, Some(code), "{name} ({n}): {}", said.whole);
            if let Some((theirs, said)) = second(&fixture.root, &[]) {
                assert_eq!(theirs, Some(code), "{name} ({n}): {said}");
            }
        }
    }
}

/// What was put beside the archive's files is not put on record by the next run as if it had been captured.
#[test]
fn what_was_planted_in_a_file_of_its_own_is_never_signed() {
    let fixture = world().fixture("planted");
    let name = "onrecord-20300101000000-000099.warc.gz";
    let (file, info) = fixture.find(&fixture.warc(), |m| m.kind() == "warcinfo");
    let (_, response) = fixture.find(&fixture.warc(), |m| m.kind() == "response");
    let begun = info.with_field("WARC-Record-ID", "<urn:uuid:00000000-0000-4000-8000-000000000001>");
    let begun = String::from_utf8(begun).unwrap().replace(&file, name);
    let other = response.with_field("WARC-Record-ID", "<urn:uuid:00000000-0000-4000-8000-000000000002>");
    std::fs::write(fixture.path(name), [world::gzip(begun.as_bytes()), world::gzip(&other)].concat()).unwrap();
    let size = fixture.size();
    for arguments in [&["reindex"][..], &["run", "--offline"], &["run", "--offline"]] {
        let archive = fixture.root.display().to_string();
        let run = Command::new(env!("CARGO_BIN_EXE_onrecord"))
            .args(["--archive", &archive])
            .args(arguments)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&run.stderr).into_owned();
        assert_eq!(run.status.code(), Some(5), "{arguments:?}: {said}");
        assert!(said.contains(name) && said.contains("onrecord verify"), "{arguments:?}: {said}");
    }
    assert_eq!(fixture.size(), size, "nothing was signed");
    let said = verified(&fixture.root, &[]);
    assert!(said.problems.iter().any(|(kind, at)| kind == "record-added" && at.contains(name)), "{}", said.whole);
    // Taken away again, all is as it was.
    std::fs::remove_file(fixture.path(name)).unwrap();
    fixture.reindex();
    assert_eq!(verified(&fixture.root, &[]).code, Some(0));
}

/// With nothing new the ledger is still what is remembered: that was looked at, and it is in order.
#[test]
fn nothing_came_after_the_last_checkpoint_and_that_is_no_failure() {
    let fixture = world().fixture("since-the-last");
    let remembered = fixture.root.join("../remembered");
    std::fs::copy(fixture.root.join("ledger/checkpoint"), &remembered).unwrap();
    let arguments = ["--since-checkpoint".to_owned(), remembered.display().to_string()];
    let said = verified(&fixture.root, &arguments);
    assert_eq!((said.code, said.verdict.as_str()), (Some(0), "intact"), "{}", said.whole);
    assert!(said.whole.contains("nothing came after"), "{}", said.whole);
    // Its own signature alone says so: a note of that size that the key never signed is none.
    let note = std::fs::read_to_string(&remembered).unwrap();
    let root = note.lines().nth(2).unwrap();
    let other = format!("{}{}", if root.starts_with('A') { 'B' } else { 'A' }, &root[1..]);
    std::fs::write(&remembered, note.replacen(root, &other, 1)).unwrap();
    assert_eq!(verified(&fixture.root, &arguments).code, Some(5));
}

#[test]
fn a_fixity_check_is_put_on_record_and_sees_damage() {
    let fixture = world().fixture("fixity");
    let arguments = ["--sample".to_owned(), "500".to_owned()];
    let said = verified(&fixture.root, &arguments);
    assert_eq!(said.code, Some(0), "{}", said.whole);
    let db = rusqlite::Connection::open(fixture.root.join("onrecord.db")).unwrap();
    let bodies: String =
        db.query_row("SELECT body FROM event WHERE kind = 'fixity.checked'", [], |r| r.get(0)).unwrap();
    assert!(bodies.contains("\"checked\":"), "{bodies}");
    drop(db);
    assert_eq!(verified(&fixture.root, &[]).code, Some(0));
    let all = fixture.members(&fixture.warc_names()[0]);
    for member in all.iter().filter(|m| m.kind() == "request") {
        fixture.change(&(fixture.warc_names()[0].clone(), member.clone()), world::flip_body);
    }
    assert_eq!(verified(&fixture.root, &arguments).code, Some(5));
}

/// Anyone's WARC file, without an archive.
#[test]
fn a_foreign_file_is_checked_by_itself() {
    let fixture = world().fixture("foreign");
    let file: PathBuf = fixture.root.join("warc").join(&fixture.warc_names()[0]);
    let arguments = ["--foreign".to_owned(), file.display().to_string()];
    let nowhere = fixture.root.join("nowhere");
    let said = verified(&nowhere, &arguments);
    assert_eq!((said.code, said.verdict.as_str()), (Some(0), "intact"), "{}", said.whole);
    let warc = fixture.warc();
    let one = fixture
        .find(&warc, |m| m.kind() == "response" && m.field("WARC-Payload-Digest").is_some() && m.block().len() > 400);
    fixture.change(&one, world::flip_body);
    let said = verified(&nowhere, &arguments);
    assert_eq!(said.code, Some(5), "{}", said.whole);
    assert_eq!(said.problems.iter().map(|(kind, _)| kind.as_str()).collect::<Vec<_>>(), ["payload-changed"]);
}
