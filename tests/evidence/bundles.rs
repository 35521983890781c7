//! Remembered checkpoints, and bundles that convince a stranger.

use std::fs;

use serde_json::Value;

use super::{Archive, copy, other_key};

#[test]
fn a_remembered_checkpoint_tells_what_became_of_the_archive() {
    let archive = Archive::new();
    archive.remember("then");
    let (code, said) = archive.said(&["ledger", "check", "then"]);
    assert_eq!((code, said.starts_with("equal: ")), (0, true), "{said}");

    copy(&archive.path("archive"), &archive.path("old"));
    archive.take_in("two", "She wrote to @MajaEUspox.");
    let (code, said) = archive.said(&["ledger", "check", "then"]);
    assert_eq!((code, said.starts_with("prefix: ")), (0, true), "{said}");
    archive.remember("later");

    // an older copy put back over the archive
    fs::rename(archive.path("archive"), archive.path("new")).unwrap();
    copy(&archive.path("old"), &archive.path("archive"));
    let (code, said) = archive.said(&["ledger", "check", "later"]);
    assert_eq!((code, said.starts_with("newer: ")), (5, true), "{said}");
    assert!(said.contains("rolled back"), "{said}");

    // and gone on with differently
    while archive.size() < fs::read_to_string(archive.path("later")).unwrap().lines().nth(1).unwrap().parse().unwrap() {
        archive.take_in("three", &format!("Another story, told by @rayhandemytrie after {}.", archive.size()));
    }
    let forked = archive.json_code(&["ledger", "check", "later"]);
    assert_eq!((forked.0, &forked.1["standing"]), (5, &Value::from("forked")), "{forked:?}");

    fs::write(archive.path("nonsense"), "none").unwrap();
    let (code, said) = archive.said(&["ledger", "check", "nonsense"]);
    assert_eq!((code, said.contains("no checkpoint")), (2, true), "{said}");
    let stranger = Archive::new();
    stranger.remember("then");
    fs::copy(stranger.path("then"), archive.path("stranger")).unwrap();
    let (code, said) = archive.said(&["ledger", "check", "stranger"]);
    assert_eq!((code, said.starts_with("unrelated: ")), (5, true), "{said}");
}

#[test]
fn a_bundle_convinces_a_stranger_and_every_damage_to_it_is_named() {
    let archive = Archive::new();
    archive.take_in("two", "She wrote to @MajaEUspox.");
    let id = archive.json(&["run", "--offline", "one.txt"])["statements"][0]["id"].as_str().unwrap().to_owned();
    let (code, said) = archive.said(&["ledger", "prove", &id, "--evidence", "-o", "bundle.json"]);
    assert_eq!(code, 0, "{said}");

    // the stranger has the bundle and the key, and no archive
    let stranger = Archive { here: tempfile::tempdir().unwrap() };
    fs::copy(archive.path("archive/ledger/vkey"), stranger.path("vkey")).unwrap();
    fs::copy(archive.path("bundle.json"), stranger.path("bundle.json")).unwrap();
    let judged = stranger.json(&["ledger", "check", "bundle.json", "--key", "vkey"]);
    assert_eq!((&judged["verdict"], &judged["kind"]), (&"intact".into(), &"statement.added".into()), "{judged:#}");
    assert_eq!(judged["independence"], "self-attested");
    assert!(judged["evidence"].as_u64() >= Some(1), "{judged:#}");
    assert_eq!(judged["not_checked"], Value::Array(vec![]), "{judged:#}");
    let verified = stranger.json(&["verify", "bundle.json", "--key", "vkey"]);
    assert_eq!((&verified["verdict"], &verified["checked"]["leaves"]), (&"intact".into(), &1.into()), "{verified:#}");
    assert_eq!(stranger.json_code(&["verify", "bundle.json", "--key", "vkey", "--require", "anchored"]).0, 4);
    let unpinned = stranger.json(&["ledger", "check", "bundle.json"]);
    assert!(unpinned["not_checked"][0].as_str().unwrap().contains("signing key"), "{unpinned:#}");

    let good: Value = serde_json::from_slice(&fs::read(archive.path("bundle.json")).unwrap()).unwrap();
    let other: Value = archive.json(&["ledger", "prove", "0"]);
    let member = good["evidence"].as_object().unwrap().keys().next().unwrap().clone();
    let altered = |change: &dyn Fn(&mut Value)| {
        let mut bundle = good.clone();
        change(&mut bundle);
        bundle
    };
    let text = |bundle: &Value, field: &str| bundle[field].as_str().unwrap().to_owned();
    for (damage, bundle, kind) in [
        ("another record", altered(&|b| b["record"] = other["record"].clone()), "leaf-changed"),
        (
            "a space in it",
            altered(&|b| b["record"] = text(b, "record").replace(",\"v\":1", ", \"v\":1").into()),
            "record-malformed",
        ),
        (
            "a digit in it",
            altered(&|b| b["record"] = text(b, "record").replace("\"count\":1", "\"count\":2").into()),
            "leaf-changed",
        ),
        (
            "another place",
            altered(&|b| b["proof"] = text(b, "proof").replacen("\nindex 2\n", "\nindex 3\n", 1).into()),
            "leaf-changed",
        ),
        ("a larger tree", altered(&|b| b["proof"] = larger(&text(b, "proof")).into()), "checkpoint-bad-signature"),
        ("no proof", altered(&|b| b["proof"] = "x".into()), "bundle-malformed"),
        ("another key", altered(&|b| b["vkey"] = other_key().into()), "key-unknown"),
        ("no key", altered(&|b| b["vkey"] = "key".into()), "key-unknown"),
        ("a field more", altered(&|b| b["extra"] = 1.into()), "bundle-malformed"),
        ("another form", altered(&|b| b["format"] = "onrecord-proof/2".into()), "bundle-malformed"),
        ("evidence cut", altered(&|b| b["evidence"][&member] = "AAAA".into()), "payload-changed"),
        (
            "evidence added",
            altered(&|b| b["evidence"]["00000000-0000-4000-8000-000000000000"] = b["evidence"][&member].clone()),
            "record-added",
        ),
    ] {
        assert_ne!(bundle, good, "{damage}: nothing was altered");
        fs::write(stranger.path("bent.json"), bundle.to_string()).unwrap();
        let (code, judged) = stranger.json_code(&["ledger", "check", "bent.json", "--key", "vkey"]);
        let kinds: Vec<_> = judged["problems"].as_array().unwrap().iter().map(|p| p["kind"].clone()).collect();
        assert_eq!((code, kinds.contains(&kind.into())), (5, true), "{damage}: {judged:#}");
        let (code, verified) = stranger.json_code(&["verify", "bent.json", "--key", "vkey"]);
        let same: Vec<_> = verified["problems"].as_array().unwrap().iter().map(|p| p["kind"].clone()).collect();
        assert_eq!((code, same.len()), (5, kinds.len()), "{damage}: {verified:#}");
    }
    let without = altered(&|b| drop(b.as_object_mut().unwrap().remove("evidence")));
    fs::write(stranger.path("bare.json"), without.to_string()).unwrap();
    let judged = stranger.json(&["ledger", "check", "bare.json", "--key", "vkey"]);
    assert!(judged["not_checked"][0].as_str().unwrap().contains("not in the bundle"), "{judged:#}");
}

/// A proof whose checkpoint speaks of one leaf more.
fn larger(proof: &str) -> String {
    let (head, note) = proof.split_once("\n\n").unwrap();
    let lines: Vec<&str> = note.splitn(3, '\n').collect();
    let [origin, size, rest] = lines[..] else { panic!("{note}") };
    format!("{head}\n\n{origin}\n{}\n{rest}", size.parse::<u64>().unwrap() + 1)
}

#[test]
fn what_is_not_there_cannot_be_proved() {
    let archive = Archive::new();
    for id in ["999", "sha256:0000000000000000000000000000000000000000000000000000000000000000", "ffffffffffff"] {
        let (code, said) = archive.said(&["ledger", "prove", id]);
        assert_eq!(code, 3, "{id}: {said}");
    }
    let nowhere = Archive { here: tempfile::tempdir().unwrap() };
    assert_eq!(nowhere.said(&["ledger", "checkpoint"]).0, 3);
}
