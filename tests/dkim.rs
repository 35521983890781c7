//! Signatures of e-mails: keys asked of a name server on loopback, its answers kept, what holds on record.

use std::io::Read as _;
use std::net::{SocketAddr, UdpSocket};
use std::path::Path;

use onrecord::statement::Hint;
use onrecord::work::archive::{Choices, OpenArchive};
use onrecord::work::parts::Paths;
use onrecord::work::statements::{Handed, Statements};
use onrecord::world::clock::Clock;
use onrecord::world::wire::Wire;
use onrecord::world::wire::names::SystemNames;
use onrecord::world::wire::settings::Settings;
use serde_json::Value;

use crate::world::{World, prove, warcs};

/// What a name server says to every question.
#[derive(Clone, Copy)]
enum Says {
    Text(&'static str),
    NoSuchName,
    Trouble,
}

fn name_server(says: Says) -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let at = socket.local_addr().unwrap();
    std::thread::spawn(move || {
        let mut packet = [0; 512];
        while let Ok((len, from)) = socket.recv_from(&mut packet) {
            let _ = socket.send_to(&said(&packet[..len], says), from);
        }
    });
    at
}

fn said(question: &[u8], says: Says) -> Vec<u8> {
    let mut end = 12;
    while question[end] != 0 {
        end += usize::from(question[end]) + 1;
    }
    let (code, count) = match says {
        Says::Text(_) => (0, 1),
        Says::NoSuchName => (3, 0),
        Says::Trouble => (2, 0),
    };
    // the response bit, what was asked for, recursion (RFC 1035 §4.1.1)
    let mut out = question[..2].to_vec();
    out.extend([0x81, 0x80 | code, 0, 1, 0, count, 0, 0, 0, 0]);
    out.extend(&question[12..end + 5]);
    if let Says::Text(text) = says {
        // in two strings, as long keys are published
        let (a, b) = text.split_at(text.len() / 2);
        out.extend([0xc0, 12, 0, 16, 0, 1, 0, 0, 0, 60]);
        out.extend((text.len() as u16 + 2).to_be_bytes());
        for part in [a, b] {
            out.push(part.len() as u8);
            out.extend(part.as_bytes());
        }
    }
    out
}

fn mail(name: &str) -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/dkim").join(name)).unwrap()
}

fn keys() -> Value {
    serde_json::from_slice(&mail("keys.json")).unwrap()
}

/// Takes a message into an archive of its own while a name server says something.
fn taken_in(archive: &Path, message: Vec<u8>, says: Says) {
    let open = OpenArchive::or_init(Paths::new(archive), Choices::default()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let names = Box::new(SystemNames::of(name_server(says), Clock::real()));
        let wire = Wire::with_names(Settings::default(), Clock::real(), names).unwrap();
        let hint = Hint { source: "press.eml".to_owned(), content_type: None };
        let handed = Handed { bytes: message, hint, fetched: None };
        let mut statements = Statements::new(&open.seal, &open.tools, &wire);
        statements.take_in(handed, |_, _| Ok(false)).await.unwrap();
        statements.sealed().await.unwrap();
    });
    open.close().unwrap();
}

/// Everything that an archive's WARC files hold, as text.
fn kept(archive: &Path) -> String {
    let mut all = Vec::new();
    for file in warcs(archive) {
        let bytes = std::fs::read(file).unwrap();
        flate2::read::MultiGzDecoder::new(bytes.as_slice()).read_to_end(&mut all).unwrap();
    }
    String::from_utf8_lossy(&all).into_owned()
}

#[test]
fn what_became_of_a_signature_is_on_record_with_what_the_name_servers_said() {
    let ed: &'static str = keys()["ed"].as_str().unwrap().to_owned().leak();
    let changed =
        String::from_utf8(mail("ed25519.eml")).unwrap().replace("Subject: Quay 4", "Subject: Quay 5").into_bytes();
    for (message, says, state, answered) in [
        (mail("ed25519.eml"), Says::Text(ed), "verified", true),
        (changed, Says::Text(ed), "wrong", true),
        (mail("expired.eml"), Says::Text(ed), "verified", true),
        (mail("ed25519.eml"), Says::Text("v=DKIM1; k=ed25519; p="), "key-revoked", true),
        (mail("ed25519.eml"), Says::Text("v=spf1 -all"), "key-absent", true),
        (mail("ed25519.eml"), Says::NoSuchName, "key-absent", false),
        (mail("ed25519.eml"), Says::Trouble, "unanswered", false),
        (mail("sha1.eml"), Says::Text(ed), "outdated", false),
    ] {
        let here = tempfile::tempdir().unwrap();
        let archive = here.path().join("archive");
        taken_in(&archive, message, says);
        prove(&archive);
        let kept = kept(&archive);
        assert!(kept.contains(&format!("\"state\":\"{state}\"")), "{state}");
        assert_eq!(kept.contains("dns:s1._domainkey.harbour.example?type=TXT"), answered, "{state}");
        assert_eq!(kept.matches("\"key\":{").count(), usize::from(answered), "{state}: the answer is named");
    }
}

#[test]
fn an_end_that_has_passed_is_told() {
    let ed: &'static str = keys()["ed"].as_str().unwrap().to_owned().leak();
    for (name, expired) in [("expired.eml", 1), ("ed25519.eml", 0)] {
        let here = tempfile::tempdir().unwrap();
        taken_in(&here.path().join("archive"), mail(name), Says::Text(ed));
        assert_eq!(kept(&here.path().join("archive")).matches("\"expired\":true").count(), expired, "{name}");
    }
}

#[test]
fn cite_and_an_offline_run_ask_nobody() {
    let world = World::new();
    world.file("press.eml", mail("rsa.eml"));
    world.file("changed.eml", String::from_utf8(mail("rsa.eml")).unwrap().replace("Monday", "Tuesday"));
    for (name, state, body) in [("press.eml", "not-asked", "same"), ("changed.eml", "body-changed", "changed")] {
        let document = world.json(&["cite", "--json", name]);
        let signature = &document["statements"][0]["signatures"][0];
        assert_eq!((&signature["state"], &signature["body"]), (&state.into(), &body.into()), "{document:#}");
        assert_eq!((&signature["domain"], &signature["selector"]), (&"harbour.example".into(), &"s1".into()));
        let table = world.command(&["cite", name]).output().unwrap();
        assert!(String::from_utf8_lossy(&table.stdout).contains("signed by harbour.example: "));
    }
    let output = world.command(&["run", "--offline", "press.eml"]).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", crate::world::err(&output));
    prove(&world.archive());
    assert!(kept(&world.archive()).contains("\"state\":\"not-asked\""));
}

/// What `show` says of the one statement of a run, whose e-mail's key a name server gives out.
fn shown(message: &[u8], says: Says) -> Value {
    let mut world = World::new();
    // past the end of the signature that has one
    world.pass(90 * 24);
    world.file("press.eml", message);
    let server = name_server(says).to_string();
    let output = world.networked(&["run", "--json", "press.eml", "--name-server", &server]).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", crate::world::err(&output));
    let run: Value = serde_json::from_slice(&output.stdout).unwrap();
    prove(&world.archive());
    let shown = world.json(&["show", "--json", run["statements"][0]["id"].as_str().unwrap()]);
    // a database made anew from WARC files and ledger says the same
    std::fs::remove_file(world.archive().join("onrecord.db")).unwrap();
    assert_eq!(world.command(&["reindex"]).output().unwrap().status.code(), Some(0));
    assert_eq!(world.json(&["show", "--json", run["statements"][0]["id"].as_str().unwrap()]), shown);
    shown
}

#[test]
fn a_run_asks_the_name_server_it_is_given_and_show_says_what_became_of_each_signature() {
    let key = |name: &str| -> &'static str { keys()[name].as_str().unwrap().to_owned().leak() };
    let body = String::from_utf8(mail("rsa.eml")).unwrap().replace("Monday", "Tuesday").into_bytes();
    for (message, says, state, answered) in [
        (mail("rsa.eml"), Says::Text(key("rsa")), "verified", true),
        (mail("ed25519.eml"), Says::Text(key("ed")), "verified", true),
        (mail("ed25519.eml"), Says::Text(key("other")), "wrong", true),
        (mail("ed25519.eml"), Says::Text("v=DKIM1; k=ed25519; p="), "key-revoked", true),
        (mail("ed25519.eml"), Says::NoSuchName, "key-absent", false),
        (mail("ed25519.eml"), Says::Trouble, "unanswered", false),
        (mail("expired.eml"), Says::Text(key("ed")), "verified", true),
        (body, Says::Text(key("rsa")), "body-changed", false),
    ] {
        let signatures = &shown(&message, says)["signatures"];
        let first = &signatures[0];
        assert_eq!((&first["state"], &first["domain"]), (&state.into(), &"harbour.example".into()), "{signatures:#}");
        assert_eq!(first.get("key").is_some(), answered, "{signatures:#}");
        assert_eq!(first.get("expired").is_some(), message == mail("expired.eml"), "{signatures:#}");
    }
}

#[test]
fn what_is_no_name_server_is_named() {
    let world = World::new();
    for wrong in ["dns.example", "127.0.0.1:0", "127.0.0.1:99999", "[::1", "1.2.3"] {
        let output = world.command(&["config", "--name-server", wrong]).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{wrong}");
        assert!(crate::world::err(&output).contains("expected the address of a name server"), "{wrong}");
    }
    for (right, told) in
        [("9.9.9.9", "9.9.9.9:53"), ("[::1]", "[::1]:53"), ("::1", "[::1]:53"), ("[::1]:5353", "[::1]:5353")]
    {
        let output = world.command(&["config", "--json", "--name-server", right]).output().unwrap();
        assert!(String::from_utf8_lossy(&output.stdout).contains(&format!("\"{told}\"")), "{right}");
    }
}
