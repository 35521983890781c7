//! Attacks on the ledger: its files, its checkpoint, its key; by a stranger, and by a thief of the key.

use std::fs;
use std::path::{Path, PathBuf};

use onrecord::format::checkpoint::Signed;
use onrecord::format::note::{Ed25519Signer, KeyKind, Note, Signer as _};
use onrecord::world::keys::SecretKey;

use super::world::{Fixture, copy, other_nonce};
use super::{Attack, Kept, attack, world};

/// The last file of a row: a bundle (`entries`) or a tile.
fn tile(f: &Fixture, row: &str) -> (PathBuf, String) {
    let name = format!("tile/{row}/000.p/{}", f.size());
    (f.ledger(&name), format!("ledger/{name}"))
}

/// The same as it was under the checkpoint before the last run.
fn older_tile(f: &Fixture, row: &str) -> (PathBuf, String) {
    let size = Signed::parse(&fs::read(older("ledger/checkpoint")).unwrap()).unwrap().checkpoint.size;
    let name = format!("tile/{row}/000.p/{size}");
    (f.ledger(&name), format!("ledger/{name}"))
}

fn older(name: &str) -> PathBuf {
    world().path("older").join(name)
}

fn stranger(f: &Fixture) -> Ed25519Signer {
    let name = f.key().key().name.clone();
    SecretKey::generate().unwrap().signer(name, KeyKind::Ed25519).unwrap()
}

fn text_edit(path: &Path, how: impl Fn(&str) -> String) {
    let text = fs::read_to_string(path).unwrap();
    fs::write(path, how(&text)).unwrap();
}

fn line(text: &str, n: usize, new: &str) -> String {
    let mut lines: Vec<&str> = text.split('\n').collect();
    lines[n] = new;
    lines.join("\n")
}

fn replace_archive(f: &Fixture, from: &Path) {
    fs::remove_dir_all(&f.root).unwrap();
    copy(from, &f.root);
}

pub(super) const ATTACKS: &[Attack] = &[
    attack("leaf-flipped", &["leaf-changed"], |f| {
        let (path, place) = tile(f, "entries");
        f.edit(&path, |b| b[40] ^= 1);
        place
    }),
    attack("leaves-swapped", &["leaf-changed"], |f| {
        let (path, place) = tile(f, "entries");
        f.edit(&path, |b| {
            let (one, two) = b.split_at_mut(34);
            one[..34].swap_with_slice(&mut two[..34]);
        });
        place
    }),
    attack("leaves-cut", &["leaf-changed"], |f| {
        let (path, place) = tile(f, "entries");
        f.edit(&path, |b| b.truncate(b.len() - 34));
        place
    }),
    attack("leaves-removed", &["leaf-missing"], |f| {
        let (path, place) = tile(f, "entries");
        fs::remove_file(path).unwrap();
        place
    }),
    attack("tile-flipped", &["tile-changed"], |f| {
        let (path, place) = tile(f, "0");
        f.edit(&path, |b| b[40] ^= 1);
        place
    }),
    attack("tile-removed", &["tile-missing"], |f| {
        let (path, place) = tile(f, "0");
        fs::remove_file(path).unwrap();
        place
    }),
    attack("tile-of-an-older-checkpoint-flipped", &["tile-changed"], |f| {
        let (path, place) = older_tile(f, "0");
        f.edit(&path, |b| b[40] ^= 1);
        place
    }),
    attack("leaves-of-an-older-checkpoint-flipped", &["leaf-changed"], |f| {
        let (path, place) = older_tile(f, "entries");
        f.edit(&path, |b| b[40] ^= 1);
        place
    }),
    attack("leaves-of-an-older-checkpoint-cut", &["leaf-changed"], |f| {
        let (path, place) = older_tile(f, "entries");
        f.edit(&path, |b| b.truncate(b.len() - 34));
        place
    }),
    attack("leaves-beyond-the-checkpoint", &["tile-added"], |f| {
        let (path, _) = tile(f, "entries");
        let mut bytes = fs::read(&path).unwrap();
        bytes.extend_from_within(bytes.len() - 34..);
        fs::write(path.with_file_name((f.size() + 1).to_string()), bytes).unwrap();
        format!("ledger/tile/entries/000.p/{}", f.size() + 1)
    }),
    attack("leaves-beyond-the-checkpoint-of-another-log", &["leaf-changed"], |f| {
        let (path, _) = tile(f, "entries");
        let mut bytes = fs::read(&path).unwrap();
        bytes.extend_from_within(bytes.len() - 34..);
        bytes[40] ^= 1;
        fs::write(path.with_file_name((f.size() + 1).to_string()), bytes).unwrap();
        format!("ledger/tile/entries/000.p/{}", f.size() + 1)
    }),
    attack("tile-beyond-the-checkpoint", &["tile-added"], |f| {
        let (path, _) = tile(f, "0");
        let place = path.parent().unwrap().with_file_name("001.p");
        fs::create_dir(&place).unwrap();
        fs::write(place.join("1"), [7; 32]).unwrap();
        "ledger/tile/0/001.p/1".to_owned()
    }),
    attack("tile-that-is-none", &["tile-added"], |f| {
        fs::write(f.ledger("tile/0/evidence"), "of something").unwrap();
        "ledger/tile/0/evidence".to_owned()
    }),
    attack("tree-of-nodes-for-leaves", &["leaf-changed"], |f| {
        // Second preimage: two leaves become one entry of 64 bytes, an inner node's input.
        let (path, place) = tile(f, "entries");
        f.edit(&path, |b| {
            let joined = [&[0, 64], &b[2..34], &b[36..68]].concat();
            b.splice(0..68, joined);
        });
        place
    }),
    attack("tree-with-its-last-leaf-repeated", &["checkpoint-bad-signature"], |f| {
        let size = f.size();
        for (row, item) in [("entries", 34), ("0", 32)] {
            let (path, _) = tile(f, row);
            let mut bytes = fs::read(&path).unwrap();
            let last = bytes[bytes.len() - item..].to_vec();
            bytes.extend(last);
            fs::write(path.with_file_name((size + 1).to_string()), bytes).unwrap();
        }
        text_edit(&f.ledger("checkpoint"), |text| line(text, 1, &(size + 1).to_string()));
        "ledger/checkpoint".to_owned()
    }),
    attack("checkpoint-root-edited", &["checkpoint-bad-signature"], |f| {
        text_edit(&f.ledger("checkpoint"), |text| {
            let root = text.split('\n').nth(2).unwrap();
            let first = if root.starts_with('A') { "B" } else { "A" };
            line(text, 2, &format!("{first}{}", &root[1..]))
        });
        "ledger/checkpoint".to_owned()
    }),
    attack("checkpoint-size-edited", &["checkpoint-bad-signature"], |f| {
        let size = f.size() - 1;
        text_edit(&f.ledger("checkpoint"), |text| line(text, 1, &size.to_string()));
        "ledger/checkpoint".to_owned()
    }),
    attack("checkpoint-of-a-size-beyond-belief", &["checkpoint-bad-signature"], |f| {
        // Whoever looks for all those leaves never ends.
        text_edit(&f.ledger("checkpoint"), |text| line(text, 1, "9007199254740991"));
        "ledger/checkpoint".to_owned()
    }),
    attack("checkpoint-signature-stripped", &["checkpoint-bad-signature"], |f| {
        text_edit(&f.ledger("checkpoint"), |text| text.split_once("\n\n").unwrap().0.to_owned() + "\n");
        "ledger/checkpoint".to_owned()
    }),
    attack("checkpoint-removed", &["checkpoint-missing"], |f| {
        fs::remove_file(f.ledger("checkpoint")).unwrap();
        "ledger/checkpoint".to_owned()
    }),
    attack("checkpoint-signed-by-a-stranger", &["key-unknown"], |f| {
        let text = fs::read_to_string(f.ledger("checkpoint")).unwrap();
        let text = text.split_once("\n\n").unwrap().0.to_owned() + "\n";
        let line = onrecord::format::note::signature(&text, &stranger(f)).unwrap();
        fs::write(f.ledger("checkpoint"), Note { text, signatures: vec![line] }.to_bytes()).unwrap();
        "ledger/checkpoint".to_owned()
    }),
    attack("checkpoint-of-another-archive", &["key-unknown"], |f| {
        fs::copy(world().path("other").join("ledger/checkpoint"), f.ledger("checkpoint")).unwrap();
        "ledger/checkpoint".to_owned()
    }),
    attack("checkpoint-with-an-older-signature", &["checkpoint-bad-signature"], |f| {
        let old = fs::read_to_string(older("ledger/checkpoint")).unwrap();
        let signature = old.split_once("\n\n").unwrap().1.to_owned();
        text_edit(&f.ledger("checkpoint"), |text| format!("{}\n\n{signature}", text.split_once("\n\n").unwrap().0));
        "ledger/checkpoint".to_owned()
    }),
    attack("checkpoint-with-the-signature-of-another-archive", &["key-unknown"], |f| {
        let other = fs::read_to_string(world().path("other").join("ledger/checkpoint")).unwrap();
        let signature = other.split_once("\n\n").unwrap().1.to_owned();
        text_edit(&f.ledger("checkpoint"), |text| format!("{}\n\n{signature}", text.split_once("\n\n").unwrap().0));
        "ledger/checkpoint".to_owned()
    }),
    attack("checkpoint-with-the-signature-of-another-archive-renamed", &["checkpoint-bad-signature"], |f| {
        // As if this archive's key had made it: its name and number, the other's signature.
        let read = |path: &Path| fs::read_to_string(path).unwrap();
        let (own, other) = (read(&f.ledger("checkpoint")), read(&world().path("other").join("ledger/checkpoint")));
        let bytes = |note: &str| {
            let line = note.trim_end().rsplit(' ').next().unwrap().to_owned();
            data_encoding::BASE64.decode(line.as_bytes()).unwrap()
        };
        let forged = [&bytes(&own)[..4], &bytes(&other)[4..]].concat();
        let (head, _) = own.trim_end().rsplit_once(' ').unwrap();
        fs::write(f.ledger("checkpoint"), format!("{head} {}\n", data_encoding::BASE64.encode(&forged))).unwrap();
        "ledger/checkpoint".to_owned()
    }),
    attack("key-file-swapped", &["key-unknown"], |f| {
        fs::write(f.ledger("vkey"), format!("{}\n", stranger(f).key())).unwrap();
        "ledger/vkey".to_owned()
    }),
    attack("key-swapped-and-signed-anew", &["key-unknown"], |f| {
        f.relog(&stranger(f));
        "ledger/vkey".to_owned()
    }),
    attack("key-of-an-archive-made-anew", &["key-unknown"], |f| {
        replace_archive(f, &world().path("other"));
        "ledger/".to_owned()
    })
    .kept(Kept::Key),
    attack("log-cut", &["checkpoint-rolled-back", "tile-added"], |f| {
        let now = f.size();
        fs::copy(older("ledger/checkpoint"), f.ledger("checkpoint")).unwrap();
        let size = f.size();
        for row in ["entries", "0"] {
            let from = f.ledger(&format!("tile/{row}/000.p/{now}"));
            let item = if row == "entries" { 34 } else { 32 };
            let bytes = fs::read(&from).unwrap();
            fs::write(from.with_file_name(size.to_string()), &bytes[..size as usize * item]).unwrap();
        }
        "ledger/checkpoint".to_owned()
    }),
    attack("log-restored-from-a-backup", &["checkpoint-rolled-back"], |f| {
        fs::remove_dir_all(f.root.join("ledger")).unwrap();
        copy(&older("ledger"), &f.root.join("ledger"));
        "ledger/checkpoint".to_owned()
    }),
    attack(
        "log-and-catalogue-restored-from-a-backup",
        &["checkpoint-rolled-back", "row-missing", "row-changed"],
        |f| {
            fs::remove_dir_all(f.root.join("ledger")).unwrap();
            copy(&older("ledger"), &f.root.join("ledger"));
            fs::copy(older("onrecord.db"), f.root.join("onrecord.db")).unwrap();
            "ledger/checkpoint".to_owned()
        },
    ),
    attack("archive-restored-from-a-backup", &["checkpoint-rolled-back"], |f| {
        replace_archive(f, &world().path("older"));
        "ledger/checkpoint".to_owned()
    })
    .kept(Kept::Checkpoint),
    attack("log-forked-by-the-key-thief", &["checkpoint-forked"], |f| {
        f.rewrite("run.closed", other_nonce);
        "ledger/checkpoint".to_owned()
    })
    .kept(Kept::Checkpoint),
    attack("log-cut-and-appended-to-by-the-key-thief", &["checkpoint-rolled-back"], |f| {
        // Back to the backup, then on with other records: shorter than what was signed before.
        replace_archive(f, &world().path("older"));
        f.relog(&f.key());
        "ledger/checkpoint".to_owned()
    })
    .kept(Kept::Checkpoint),
    attack("record-with-a-look-alike-letter-by-the-key-thief", &["checkpoint-forked"], |f| {
        // A Cyrillic letter in place of a Latin one, in the words that say what an ending rests on.
        let why = f.one("SELECT why FROM resolution ORDER BY record DESC LIMIT 1");
        let looks = why.replacen('e', "\u{435}", 1);
        f.rewrite("resolution.ended", |json| {
            json.replacen(&format!("\"why\":\"{why}"), &format!("\"why\":\"{looks}"), 1)
        });
        f.sql(&format!("UPDATE resolution SET why = '{looks}' WHERE record = (SELECT max(record) FROM resolution)"));
        "ledger/checkpoint".to_owned()
    })
    .kept(Kept::Checkpoint),
    attack("snapshot-moved-to-another-citation-by-the-key-thief", &["checkpoint-forked"], |f| {
        let [one, other] = ["ORDER BY r.record", "ORDER BY r.record DESC"].map(|order| {
            f.one(&format!(
                "SELECT lower(hex(s.id)) FROM resolution r JOIN snapshot s ON s.record = r.snapshot {order} LIMIT 1"
            ))
        });
        assert_ne!(one, other);
        f.rewrite("resolution.ended", |json| json.replace(&other, &one));
        f.reindex();
        "ledger/checkpoint".to_owned()
    })
    .kept(Kept::Checkpoint),
    attack("record-that-lies-about-its-statement", &["record-false"], |f| {
        let place = f.rewrite("statement.added", |json| {
            let at = json.find("\"statement\":\"sha256:").unwrap() + 20;
            let new = if json[at..].starts_with('0') { "1" } else { "0" };
            format!("{}{new}{}", &json[..at], &json[at + 1..])
        });
        f.reindex();
        place
    }),
    attack("record-that-lies-about-its-snapshot", &["record-false"], |f| {
        let place = f.rewrite("snapshot.taken", |json| {
            let at = json.find("\"snapshot\":\"sha256:").unwrap() + 19;
            let new = if json[at..].starts_with('0') { "1" } else { "0" };
            format!("{}{new}{}", &json[..at], &json[at + 1..])
        });
        f.reindex();
        place
    }),
    attack("record-with-a-key-twice", &["record-malformed"], |f| {
        f.rewrite("run.closed", |json| json.replacen("\"v\":1", "\"v\":1,\"v\":1", 1))
    }),
    attack("record-with-a-number-written-otherwise", &["record-malformed"], |f| {
        f.rewrite("run.closed", |json| json.replacen("\"v\":1", "\"v\":1.0", 1))
    }),
    attack("record-with-a-letter-escaped", &["record-malformed"], |f| {
        f.rewrite("run.closed", |json| json.replacen("run.closed", "run.clos\\u0065d", 1))
    }),
    attack("record-with-a-look-alike-key", &["record-malformed"], |f| {
        f.rewrite("run.closed", |json| json.replacen("\"kind\"", "\"k\u{456}nd\"", 1))
    }),
    attack("record-with-a-space", &["record-malformed"], |f| {
        f.rewrite("run.closed", |json| json.replacen("\"v\":1", "\"v\": 1", 1))
    }),
    attack("record-with-bytes-behind-it", &["record-malformed"], |f| {
        f.rewrite("run.closed", |json| format!("{json} "))
    }),
    attack("record-with-keys-in-another-order", &["record-malformed"], |f| {
        f.rewrite("run.closed", |json| format!("{{\"v\":1,{}", json[1..].replacen(",\"v\":1}", "}", 1)))
    }),
    attack("record-of-a-run-that-hides-an-outcome", &["outcome-missing"], |f| {
        f.rewrite("run.closed", |json| {
            let at = json.find("\"ended\":").unwrap() + 8;
            let end = at + json[at..].find(',').unwrap();
            let ended: u64 = json[at..end].parse().unwrap();
            let run = format!("{}{}{}", &json[..at], ended - 1, &json[end..]);
            run
        });
        f.sql("UPDATE run SET ended = ended - 1 WHERE record = (SELECT max(record) FROM run)");
        "run/".to_owned()
    }),
];
