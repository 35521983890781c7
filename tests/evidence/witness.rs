//! Witnesses.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use data_encoding::BASE64;
use onrecord::format::checkpoint::Signed;
use onrecord::format::digest::Digest;
use onrecord::format::merkle::verify_consistency;
use onrecord::format::note::{Ed25519Signer, KeyKind, Signer as _, VerifierKey, cosignature};
use onrecord::world::keys::SecretKey;
use serde_json::Value;

use super::{Archive, accepted_by_tlog, copy, pair, states};

/// A witness on loopback (C2SP tlog-witness): it remembers the last checkpoint and cosigns what extends it.
struct Witness {
    url: String,
    key: VerifierKey,
}

impl Witness {
    fn start(log: VerifierKey) -> Self {
        let secret = SecretKey::generate().unwrap();
        let signer = secret.signer("witness.example/w".parse().unwrap(), KeyKind::CosignatureV1).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (url, key) = (format!("http://{}", listener.local_addr().unwrap()), signer.key().clone());
        let seen = Arc::new(Mutex::new((0, Digest::of(b""))));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let mut reader = BufReader::new(stream);
                let (mut length, mut line) = (0, String::new());
                while reader.read_line(&mut line).is_ok_and(|n| n > 2) {
                    let lower = line.to_ascii_lowercase();
                    length = lower.strip_prefix("content-length:").map_or(length, |n| n.trim().parse().unwrap());
                    line.clear();
                }
                let mut body = vec![0; length];
                reader.read_exact(&mut body).unwrap();
                let (status, kind, text) = answer(&body, &log, &signer, &mut seen.lock().unwrap());
                let mut stream = reader.into_inner();
                let head = format!("HTTP/1.1 {status} x\r\nContent-Type: {kind}\r\nContent-Length: {}", text.len());
                write!(stream, "{head}\r\nConnection: close\r\n\r\n{text}").unwrap();
            }
        });
        Self { url, key }
    }
}

fn answer(
    body: &[u8],
    log: &VerifierKey,
    signer: &Ed25519Signer,
    seen: &mut (u64, Digest),
) -> (u16, &'static str, String) {
    let text = String::from_utf8(body.to_vec()).unwrap();
    let (head, note) = text.split_once("\n\n").unwrap();
    let mut lines = head.lines();
    let old: u64 = lines.next().unwrap().strip_prefix("old ").unwrap().parse().unwrap();
    let proof: Vec<Digest> = lines.map(|l| Digest(BASE64.decode(l.as_bytes()).unwrap().try_into().unwrap())).collect();
    let Ok(signed) = Signed::open(note.as_bytes(), std::slice::from_ref(log)) else {
        return (403, "text/plain", String::new());
    };
    if old != seen.0 {
        return (409, "text/x.tlog.size", format!("{}\n", seen.0));
    }
    let new = &signed.checkpoint;
    if verify_consistency(old, &seen.1, new.size, &new.root, &proof).is_err() {
        return (422, "text/plain", String::new());
    }
    *seen = (new.size, new.root);
    (200, "text/plain", format!("{}\n", cosignature(&new.to_string(), 1_760_000_000, signer).unwrap()))
}

#[test]
fn a_witness_cosigns_what_is_published_and_notices_another_history() {
    let archive = Archive::new();
    let log: VerifierKey = fs::read_to_string(archive.path("archive/ledger/vkey")).unwrap().trim().parse().unwrap();
    let witness = Witness::start(log);
    archive.settings(&format!("[anchor]\nwitnesses = [\"{} {}\"]\n", witness.key, witness.url));
    copy(&archive.path("archive"), &archive.path("before"));
    for round in 0..2 {
        let attested = archive.json(&["anchor"]);
        assert_eq!(attested["failed"], Value::Array(vec![]), "{attested:#}");
        let news = states(&attested);
        assert!(news.contains(&pair("cosignature", "verified")), "round {round}: {attested:#}");
        accepted_by_tlog(&archive, &["--witness", &witness.key.to_string(), "--min-witnesses", "1"]);
        archive.assert_intact();
        archive.take_in(&format!("more-{round}"), &format!("Round {round}: @MajaEUspox again."));
    }
    // the archive put back, and gone on with otherwise
    fs::rename(archive.path("archive"), archive.path("after")).unwrap();
    copy(&archive.path("before"), &archive.path("archive"));
    for n in 0..6 {
        archive.take_in("other", &format!("Another story, {n}, by @rayhandemytrie."));
    }
    let (code, attested) = archive.json_code(&["anchor"]);
    let why = attested["failed"][0]["why"].as_str().unwrap();
    assert_eq!((code, why.contains("not the one it saw")), (1, true), "{attested:#}");
}

#[test]
fn a_cosignature_handed_over_as_a_file_stands_on_the_checkpoint() {
    let archive = Archive::new();
    let secret = SecretKey::generate().unwrap();
    let signer = secret.signer("witness.example/w".parse().unwrap(), KeyKind::CosignatureV1).unwrap();
    let vkey = signer.key().to_string();
    archive.remember("then");
    let signed = Signed::parse(&fs::read(archive.path("then")).unwrap()).unwrap();
    let line = cosignature(&signed.checkpoint.to_string(), 1_760_000_000, &signer).unwrap();
    fs::write(archive.path("line"), format!("{line}\n")).unwrap();

    let (code, said) = archive.said(&["ledger", "cosign", "line"]);
    assert_eq!((code, said.contains("no signature line in it is of a known witness")), (2, true), "{said}");
    let (code, said) = archive.said(&["ledger", "cosign", "line", "--witness", &vkey]);
    assert_eq!(code, 0, "{said}");
    accepted_by_tlog(&archive, &["--witness", &vkey, "--min-witnesses", "1"]);
    archive.assert_intact();

    archive.take_in("two", "She wrote to @MajaEUspox.");
    let (code, said) = archive.said(&["ledger", "cosign", "line", "--witness", &vkey]);
    assert_eq!((code, said.contains("not over the published checkpoint")), (2, true), "{said}");
    fs::write(archive.path("words"), "I saw it.\n").unwrap();
    let (code, said) = archive.said(&["ledger", "cosign", "words", "--witness", &vkey]);
    assert_eq!((code, said.contains("no signature lines")), (2, true), "{said}");
}
