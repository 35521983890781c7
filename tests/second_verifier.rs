//! `tools/verify.py`, the verifier that shares no code with ours: it passes a whole archive and names each damage.

use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use onrecord::format::digest::Digest;
use onrecord::format::note::KeyKind;
use onrecord::proof::Rotation;
use onrecord::world::durable::Disk;
use onrecord::world::keys::SecretKey;
use onrecord::world::tiles::Log;

/// Python with what the script needs; none where that is not there.
fn python() -> Option<Command> {
    let there = Command::new("python3").args(["-c", "import cryptography"]).output().is_ok_and(|o| o.status.success());
    if !there {
        #[expect(clippy::print_stdout, reason = "a test that checks nothing must say so")]
        {
            println!("not run: there is no python3 with cryptography");
        }
    }
    there.then(|| Command::new("python3"))
}

/// A WARC record as one gzip member.
fn member(kind: &str, id: u32, content_type: &str, block: &[u8]) -> (Vec<u8>, String, Digest) {
    let id = format!("00000000-0000-4000-8000-{id:012}");
    let name = match kind {
        "warcinfo" => "WARC-Filename: a.warc.gz\r\n".to_owned(),
        "metadata" => format!("WARC-Target-URI: urn:onrecord:record:{}\r\n", Digest::of(block).hex()),
        _ => String::new(),
    };
    let head = format!(
        "WARC/1.1\r\nWARC-Type: {kind}\r\n{name}WARC-Record-ID: <urn:uuid:{id}>\r\nWARC-Date: 2026-11-23T06:00:00Z\r\n\
         WARC-Block-Digest: {}\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\n\r\n",
        Digest::of(block),
        block.len()
    );
    let whole = [head.as_bytes(), block].concat();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(&[&whole[..], b"\r\n\r\n"].concat()).unwrap();
    (gzip.finish().unwrap(), id, Digest::of(&whole))
}

/// An archive of one response and four records, the third of them a change of keys.
fn archive(folder: &Path) {
    let name = || "log.example/a".parse().unwrap();
    let keys = [SecretKey::generate().unwrap(), SecretKey::generate().unwrap()];
    let [old, new] = keys.map(|key| key.signer(name(), KeyKind::Ed25519).unwrap());
    let mut log = Log::create(&folder.join("ledger"), &old, &Disk::default()).unwrap();

    let body = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\npost";
    let (response, id, digest) = member("response", 1, "application/http;msgtype=response", body);
    let rotation = serde_json::to_value(Rotation::signed(&old, &new).unwrap()).unwrap();
    let mut rotated = serde_json::json!({"at": "2026-11-23T06:00:00Z", "v": 1, "kind": "key.rotated", "nonce": "03"});
    rotated.as_object_mut().unwrap().extend(rotation.as_object().unwrap().clone());
    let vkey = log.key().to_string();
    let (mut warc, info, begun) = member("warcinfo", 0, "application/warc-fields", b"software: a test\r\n");
    let records = [
        serde_json::json!({"at": "2026-11-23T06:00:00Z", "v": 1, "kind": "archive.created", "nonce": "01", "vkey": vkey}),
        serde_json::json!({"at": "2026-11-23T06:00:00Z", "v": 1, "kind": "run.opened", "nonce": "02", "run": "r", "planned": 0, "evidence": [{"id": info, "digest": begun}, {"id": id, "digest": digest}]}),
        rotated,
        serde_json::json!({"at": "2026-11-23T06:00:00Z", "v": 1, "kind": "run.closed", "nonce": "04", "run": "r", "planned": 0, "ended": 0, "score": 0.98, "small": 1e-7, "tongue": "ру\u{1f600}\n"}),
    ];
    warc.extend(response);
    let mut leaves = Vec::new();
    for (n, record) in (2..).zip(&records) {
        let block = onrecord::format::json::canonical(record).unwrap();
        leaves.push(Digest::of(&block));
        warc.extend(member("metadata", n, "application/json", &block).0);
    }
    std::fs::create_dir(folder.join("warc")).unwrap();
    std::fs::write(folder.join("warc/a.warc.gz"), warc).unwrap();
    log.append(&leaves[..3]);
    log.commit(&old).unwrap();
    std::fs::copy(folder.join("ledger/checkpoint"), folder.join("remembered")).unwrap();
    log.rotate(&old, &new).unwrap();
    log.append(&leaves[3..]);
    log.commit(&new).unwrap();
}

fn judged(folder: &Path, arguments: &[&str]) -> (Option<i32>, String) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tools/verify.py");
    let run = Command::new("python3").arg(script).arg(folder).args(arguments).output().unwrap();
    assert!(run.stderr.is_empty(), "{}", String::from_utf8_lossy(&run.stderr));
    (run.status.code(), String::from_utf8(run.stdout).unwrap())
}

fn edit(path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = std::fs::read(path).unwrap();
    change(&mut bytes);
    std::fs::write(path, bytes).unwrap();
}

/// The second gzip member of a file: where it begins and ends.
fn second_member(warc: &[u8]) -> (usize, usize) {
    let starts: Vec<_> = (0..warc.len()).filter(|at| warc[*at..].starts_with(&[0x1f, 0x8b, 8])).collect();
    (starts[1], starts[2])
}

#[test]
fn a_whole_archive_passes_and_stays_within_its_size() {
    if python().is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    archive(folder.path());
    let (code, said) = judged(folder.path(), &[]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("intact") && said.contains("leaves=4") && said.contains("warc_records=6"), "{said}");
    let remembered = folder.path().join("remembered").display().to_string();
    assert_eq!(judged(folder.path(), &["--checkpoint", &remembered]).0, Some(0));
    let script = include_str!("../tools/verify.py");
    assert!(script.lines().count() <= 300, "a second verifier is worth what a person can read of it");
}

#[test]
fn each_damage_has_its_name() {
    if python().is_none() {
        return;
    }
    type Damage = fn(&Path);
    let cases: [(&str, Damage); 14] = [
        ("file-truncated", |f| edit(&f.join("warc/a.warc.gz"), |b| b.truncate(b.len() - 9))),
        ("trailing-garbage", |f| edit(&f.join("warc/a.warc.gz"), |b| b.extend_from_slice(b"more"))),
        ("record-missing", |f| {
            edit(&f.join("warc/a.warc.gz"), |b| {
                let (from, to) = second_member(b);
                b.drain(from..to);
            });
        }),
        ("record-added", |f| {
            let added = member("response", 9, "text/plain", b"new").0;
            edit(&f.join("warc/a.warc.gz"), |b| b.extend(added));
        }),
        ("record-added", |f| {
            let added = member("metadata", 9, "application/json", br#"{"kind":"run.missed","nonce":"9"}"#).0;
            edit(&f.join("warc/a.warc.gz"), |b| {
                let (from, _) = second_member(b);
                b.splice(from..from, added);
            });
        }),
        ("payload-changed", |f| {
            let changed = member("response", 1, "application/http;msgtype=response", b"HTTP/1.1 200 OK\r\n\r\nother").0;
            edit(&f.join("warc/a.warc.gz"), |b| {
                let (from, to) = second_member(b);
                b.splice(from..to, changed);
            });
        }),
        ("leaf-changed", |f| edit(&f.join("ledger/tile/entries/000.p/4"), |b| b[40] ^= 1)),
        ("leaf-missing", |f| std::fs::remove_file(f.join("ledger/tile/entries/000.p/4")).unwrap()),
        ("tile-changed", |f| edit(&f.join("ledger/tile/0/000.p/4"), |b| b[40] ^= 1)),
        ("tile-missing", |f| std::fs::remove_file(f.join("ledger/tile/0/000.p/4")).unwrap()),
        ("checkpoint-bad-signature", |f| edit(&f.join("ledger/checkpoint"), |b| b[14] = b'3')),
        ("checkpoint-missing", |f| std::fs::remove_file(f.join("ledger/checkpoint")).unwrap()),
        ("key-unknown", |f| {
            let key = SecretKey::generate().unwrap();
            let other = key.signer("log.example/a".parse().unwrap(), KeyKind::Ed25519).unwrap();
            let vkey = onrecord::format::note::Signer::key(&other).to_string();
            std::fs::write(f.join("ledger/vkey"), vkey).unwrap();
        }),
        ("anchor-invalid", |f| {
            std::fs::create_dir(f.join("ledger/anchors")).unwrap();
            std::fs::copy(f.join("ledger/checkpoint"), f.join("ledger/anchors/4.checkpoint")).unwrap();
            std::fs::write(f.join("ledger/anchors/4.x.tsr"), [0x30, 5, 0x30, 3, 2, 1, 2]).unwrap();
        }),
    ];
    for (name, damage) in cases {
        let folder = tempfile::tempdir().unwrap();
        archive(folder.path());
        damage(folder.path());
        let (code, said) = judged(folder.path(), &[]);
        assert_eq!(code, Some(5), "{name}: {said}");
        assert!(said.lines().any(|line| line.starts_with(&format!("{name}  "))), "{name}: {said}");
    }
}

#[test]
fn a_remembered_checkpoint_catches_a_ledger_made_anew() {
    if python().is_none() {
        return;
    }
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    archive(one.path());
    archive(two.path());
    let remembered = one.path().join("remembered").display().to_string();
    let (code, said) = judged(two.path(), &["--checkpoint", &remembered]);
    assert_eq!(code, Some(5), "another key: {said}");
    let vkey = std::fs::read_to_string(one.path().join("ledger/vkey")).unwrap();
    let (code, said) = judged(two.path(), &["--vkey", vkey.trim()]);
    assert_eq!(code, Some(5), "{said}");
    assert!(said.contains("key-unknown"), "{said}");
}
