//! Attacks on what a change says of the looks it lies between, by a thief of the key: everything else is made right again.

use std::path::Path;
use std::process::Command;

use onrecord_replica::reply::Reply;
use onrecord_replica::{Options, Replica};

use super::world::Fixture;
use super::{Attack, attack};

/// A page that was one thing, then another, failed for a while, went, and came back, beside one that stayed; at last it is gone.
pub(super) fn make(archive: &Path) {
    let replica = Replica::start_blocking(Options::default()).unwrap();
    let (folder, page) = (tempfile::tempdir().unwrap(), |words: &str| Reply::html(200, format!("<p>{words}</p>")));
    let (statement, ca) = (folder.path().join("said.txt"), folder.path().join("ca.pem"));
    std::fs::write(&statement, "See http://press.example/said and http://press.example/stays\n").unwrap();
    std::fs::write(&ca, replica.ca_pem()).unwrap();
    replica.route("press.example", "/stays", page("it stays"));
    let bad = || Reply::html(503, "a bad day");
    let gone = || Reply::html(410, "gone");
    for reply in [page("this"), page("that"), bad(), bad(), bad(), bad(), page("that"), gone(), page("that"), gone()] {
        replica.route("press.example", "/said", reply);
        let mut run = Command::new(env!("CARGO_BIN_EXE_onrecord"));
        run.arg("--archive").arg(archive).args(["-q", "run", "--allow-net", "127.0.0.0/8", "--ca-cert"]).arg(&ca);
        for rule in replica.connect_to() {
            run.args(["--connect-to", &rule]);
        }
        let said = run.arg(&statement).output().unwrap();
        assert_eq!(said.status.code(), Some(0), "{}", String::from_utf8_lossy(&said.stderr));
    }
}

/// Rewrites what the last change says. The catalogue is made anew from it.
fn changed(f: &Fixture, from: &str, to: &str) -> String {
    let place = f.rewrite("change.seen", |json| {
        assert!(json.contains(from), "{json}");
        json.replacen(from, to, 1)
    });
    f.reindex();
    place
}

/// The leaf of a look: of the page that changed or the one that stayed, the first or the last but one.
fn leaf(f: &Fixture, which: &str) -> String {
    f.one(&format!(
        "SELECT 'sha256:' || lower(hex(l.leaf)) FROM resolution r JOIN record l ON l.idx = r.record JOIN citation c ON c.key = r.citation WHERE {which}"
    ))
}

/// What the last change says its look before was.
fn before(f: &Fixture) -> String {
    leaf(f, "c.raw LIKE '%said' ORDER BY r.record DESC LIMIT 1 OFFSET 1")
}

pub(super) const ATTACKS: &[Attack] = &[
    attack("change-that-lies-about-how-it-was", &["record-false"], |f| {
        changed(f, "\"before\":{\"ending\":\"captured\"", "\"before\":{\"ending\":\"suspended\"")
    }),
    attack("change-that-lies-about-how-it-is", &["record-false"], |f| {
        changed(f, "\"after\":{\"ending\":\"gone\"", "\"after\":{\"ending\":\"suspended\"")
    }),
    attack("change-that-lies-about-what-was-there", &["record-false"], |f| {
        let old = f.one("SELECT lower(hex(s.id)) FROM snapshot s JOIN change c ON c.snapshot_before = s.record ORDER BY c.record DESC LIMIT 1");
        let other = f.one(&format!("SELECT lower(hex(max(id))) FROM snapshot WHERE id <> x'{old}'"));
        changed(f, &format!("\"snapshot\":\"sha256:{old}"), &format!("\"snapshot\":\"sha256:{other}"))
    }),
    attack("change-that-names-the-look-at-another-citation", &["record-false"], |f| {
        let other = leaf(f, "c.raw LIKE '%stays' ORDER BY r.record LIMIT 1");
        changed(f, &before(f), &other)
    }),
    attack("change-that-passes-over-a-look", &["record-false"], |f| {
        let older = leaf(f, "c.raw LIKE '%said' ORDER BY r.record LIMIT 1");
        changed(f, &before(f), &older)
    }),
    attack("change-that-names-no-look", &["record-false"], |f| {
        changed(f, &before(f), &format!("sha256:{}", "0".repeat(64)))
    }),
];
