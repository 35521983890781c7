//! A change of the key.

use std::fs;

use onrecord::format::note::VerifierKey;
use onrecord::world::keys::SecretKey;

use super::{Archive, other_key};

#[test]
fn a_change_of_the_key_is_signed_by_both_and_the_log_goes_on() {
    let archive = Archive::new();
    archive.remember("then");
    fs::copy(archive.path("archive/ledger/vkey"), archive.path("first.vkey")).unwrap();
    let rotated = archive.json(&["ledger", "rotate-key"]);
    assert_ne!(rotated["old"], rotated["new"]);
    let vkey = fs::read_to_string(archive.path("archive/ledger/vkey")).unwrap();
    assert_eq!(vkey.trim(), rotated["new"]);
    assert!(!archive.path("archive/keys/ledger.next.pem").exists());
    archive.assert_intact();

    archive.take_in("two", "She wrote to @MajaEUspox.");
    archive.assert_intact();
    for arguments in [&["ledger", "check", "then"][..], &["ledger", "check", "then", "--key", "first.vkey"]] {
        let (code, said) = archive.said(arguments);
        assert_eq!((code, said.starts_with("prefix: ")), (0, true), "{said}");
    }
    // a second change, and the first key still leads to the last
    archive.json(&["ledger", "rotate-key"]);
    archive.take_in("three", "And to @asiatimesonline.");
    let (code, said) = archive.said(&["ledger", "check", "then", "--key", "first.vkey"]);
    assert_eq!((code, said.starts_with("prefix: ")), (0, true), "{said}");
    fs::write(archive.path("stranger.vkey"), other_key()).unwrap();
    let (code, said) = archive.said(&["ledger", "check", "then", "--key", "stranger.vkey"]);
    assert_eq!(code, 5, "{said}");
}

/// A bundle made after a change of the key leads whoever remembers the earlier one to the key that signed it. One made before is
/// judged with the key of its time, and it says so.
#[test]
fn a_bundle_is_checked_with_the_key_that_is_remembered() {
    let archive = Archive::new();
    fs::copy(archive.path("archive/ledger/vkey"), archive.path("first.vkey")).unwrap();
    fs::write(archive.path("stranger.vkey"), other_key()).unwrap();
    assert_eq!(archive.said(&["ledger", "prove", "1", "-o", "before.json"]).0, 0);
    for _ in 0..2 {
        archive.json(&["ledger", "rotate-key"]);
        archive.take_in("more", "She wrote to @MajaEUspox.");
    }
    fs::copy(archive.path("archive/ledger/vkey"), archive.path("last.vkey")).unwrap();
    assert_eq!(archive.said(&["ledger", "prove", "1", "-o", "after.json"]).0, 0);
    for (bundle, key, code) in [
        ("after", "first", 0),
        ("after", "last", 0),
        ("before", "first", 0),
        ("before", "last", 5),
        ("after", "stranger", 5),
    ] {
        let (file, key_file) = (format!("{bundle}.json"), format!("{key}.vkey"));
        for arguments in
            [["ledger", "check", &file, "--key", &key_file], ["verify", &file, "--key", &key_file, "--json"]]
        {
            let (got, said) = archive.said(&arguments);
            assert_eq!(got, code, "{arguments:?}: {said}");
            if (bundle, key) == ("before", "last") {
                let first = fs::read_to_string(archive.path("first.vkey")).unwrap();
                assert!(said.contains(first.trim()) && said.contains("the key that the log had then"), "{said}");
                assert_eq!(said.matches("key-unknown").count(), 1, "said once: {said}");
            }
        }
    }
    // A change that the earlier key did not sign leads nowhere.
    let text = fs::read_to_string(archive.path("after.json")).unwrap();
    let mut forged: serde_json::Value = serde_json::from_str(&text).unwrap();
    forged["rotations"][0]["by_old"] = forged["rotations"][1]["by_old"].clone();
    fs::write(archive.path("after.json"), forged.to_string()).unwrap();
    assert_eq!(archive.said(&["ledger", "check", "after.json", "--key", "first.vkey"]).0, 5);
    assert_eq!(archive.said(&["ledger", "check", "after.json", "--key", "last.vkey"]).0, 0);
}

#[test]
fn a_change_of_the_key_that_was_cut_off_is_finished() {
    // cut before the record: a key waits that nothing speaks of yet
    let archive = Archive::new();
    let waiting = archive.path("archive/keys/ledger.next.pem");
    let made = SecretKey::create(&waiting, &onrecord::world::durable::Disk::default()).unwrap();
    archive.take_in("two", "She wrote to @MajaEUspox.");
    archive.assert_intact();
    let rotated = archive.json(&["ledger", "rotate-key"]);
    let new: VerifierKey = rotated["new"].as_str().unwrap().parse().unwrap();
    assert_eq!((new.public(), waiting.exists()), (&made.public(), false), "the key that waited is the one taken");

    // cut after the ledger went over, before the file took its place
    fs::copy(archive.path("archive/keys/ledger.pem"), &waiting).unwrap();
    SecretKey::create(&archive.path("elsewhere/old.pem"), &onrecord::world::durable::Disk::default()).unwrap();
    fs::copy(archive.path("elsewhere/old.pem"), archive.path("archive/keys/ledger.pem")).unwrap();
    archive.take_in("three", "And to @asiatimesonline.");
    assert!(!waiting.exists());
    archive.assert_intact();
}
