//! Attacks on proof bundles: both verifiers judge each alike, and so does `onrecord ledger check`.

use super::*;
use std::fs;

/// One bundle, damaged: which bundle, how, whether the key is given, the exit code, and the kinds of the problems.
struct Case {
    name: &'static str,
    of: &'static str,
    damage: fn(&str) -> String,
    key: &'static str,
    kinds: &'static [&'static str],
}

const fn case(
    name: &'static str,
    of: &'static str,
    key: &'static str,
    kinds: &'static [&'static str],
    damage: fn(&str) -> String,
) -> Case {
    Case { name, of, damage, key, kinds }
}

fn as_it_is(text: &str) -> String {
    text.to_owned()
}

/// A bundle with its fields changed.
fn with(text: &str, change: impl FnOnce(&mut Value)) -> String {
    let mut value: Value = serde_json::from_str(text).unwrap();
    change(&mut value);
    serde_json::to_string_pretty(&value).unwrap()
}

/// A field of text, changed.
fn field(text: &str, name: &str, change: impl FnOnce(&str) -> String) -> String {
    with(text, |value| value[name] = change(value[name].as_str().unwrap()).into())
}

/// One line of the proof: the first that `is` fits.
fn line(text: &str, is: impl Fn(usize, &str) -> bool, change: impl Fn(&str) -> String) -> String {
    field(text, "proof", |proof| {
        let at = proof.split('\n').enumerate().position(|(n, l)| is(n, l)).unwrap();
        let lines = proof.split('\n').enumerate().map(|(n, l)| if n == at { change(l) } else { l.to_owned() });
        lines.collect::<Vec<_>>().join("\n")
    })
}

fn is_hash(n: usize, line: &str) -> bool {
    n > 1 && line.len() == 44
}

/// Another letter first.
fn other(text: &str) -> String {
    format!("{}{}", if text.starts_with('A') { 'B' } else { 'A' }, &text[1..])
}

/// The signature's last letters but two.
fn unsigned(text: &str) -> String {
    let at = text.len() - 6;
    format!("{}{}{}", &text[..at], if &text[at..=at] == "A" { 'B' } else { 'A' }, &text[at + 1..])
}

/// A map's first value, changed.
fn first(text: &str, map: &str, ending: &str, change: impl FnOnce(&str) -> String) -> String {
    with(text, |value| {
        let (_, held) =
            value[map].as_object_mut().unwrap().iter_mut().find(|(name, _)| name.ends_with(ending)).unwrap();
        *held = change(held.as_str().unwrap()).into();
    })
}

fn mid(text: &str) -> String {
    let at = text.len() / 2;
    format!("{}{}{}", &text[..at], if &text[at..=at] == "A" { 'B' } else { 'A' }, &text[at + 1..])
}

const CASES: &[Case] = &[
    case("as it is", "plain", "", &[], as_it_is),
    case("with the key", "plain", "vkey", &[], as_it_is),
    case("with another key", "plain", "stranger", &["key-unknown"], as_it_is),
    case("of the first leaf", "first", "vkey", &[], as_it_is),
    case("of the last leaf", "last", "vkey", &[], as_it_is),
    case("in one line", "plain", "", &[], |t| with(t, |_| ()).replace('\n', "")),
    case("record flipped", "plain", "", &["leaf-changed"], |t| field(t, "record", world::other_nonce)),
    case("record spaced", "plain", "", &["record-malformed"], |t| field(t, "record", |r| r.replacen(',', ", ", 1))),
    case("record of another", "plain", "", &["leaf-changed"], |t| {
        field(t, "record", |_| "{\"at\":\"2026-11-23T06:00:00Z\",\"kind\":\"x\",\"nonce\":\"0\",\"v\":1}".to_owned())
    }),
    case("record that is none", "plain", "", &["record-malformed"], |t| field(t, "record", |_| "{".to_owned())),
    case("hash flipped", "plain", "", &["leaf-changed"], |t| line(t, is_hash, other)),
    case("hash in another spelling", "plain", "", &["bundle-malformed"], |t| {
        line(t, is_hash, |l| {
            // The last letter before the padding holds two bits that mean nothing.
            let last = l.as_bytes()[42];
            let letters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
            let n = letters.iter().position(|c| *c == last).unwrap();
            format!("{}{}=", &l[..42], letters[n | 1] as char)
        })
    }),
    case("hash too many", "plain", "", &["leaf-changed"], |t| line(t, is_hash, |l| format!("{l}\n{l}"))),
    case("hash too few", "plain", "", &["leaf-changed"], |t| {
        let hash =
            serde_json::from_str::<Value>(t).unwrap()["proof"].as_str().unwrap().lines().nth(2).unwrap().to_owned();
        field(t, "proof", |p| p.replacen(&format!("{hash}\n"), "", 1))
    }),
    case("hash cut", "plain", "", &["bundle-malformed"], |t| line(t, is_hash, |l| l[..40].to_owned())),
    case("index of another", "plain", "", &["leaf-changed"], |t| line(t, |n, _| n == 1, |_| "index 4".to_owned())),
    case("index beyond", "plain", "", &["leaf-changed"], |t| line(t, |n, _| n == 1, |_| "index 100000".to_owned())),
    case("index with a zero", "plain", "", &["bundle-malformed"], |t| {
        line(t, |n, _| n == 1, |l| l.replace("index ", "index 0"))
    }),
    case("proof of another version", "plain", "", &["bundle-malformed"], |t| {
        line(t, |n, _| n == 0, |l| l.replace("v1", "v2"))
    }),
    case("proof without its checkpoint", "plain", "", &["bundle-malformed"], |t| {
        field(t, "proof", |p| p.split("\n\n").next().unwrap().to_owned())
    }),
    case("checkpoint's root edited", "plain", "", &["checkpoint-bad-signature"], |t| {
        field(t, "proof", |p| {
            let (head, note) = p.split_once("\n\n").unwrap();
            let root = note.lines().nth(2).unwrap();
            format!("{head}\n\n{}", note.replacen(root, &other(root), 1))
        })
    }),
    case("checkpoint's size edited", "plain", "", &["checkpoint-bad-signature"], |t| {
        field(t, "proof", |p| {
            let (head, note) = p.split_once("\n\n").unwrap();
            let size = note.lines().nth(1).unwrap();
            format!("{head}\n\n{}", note.replacen(&format!("\n{size}\n"), &format!("\n{size}0\n"), 1))
        })
    }),
    case("checkpoint's signature flipped", "plain", "", &["checkpoint-bad-signature"], |t| {
        line(t, |_, l| l.starts_with('\u{2014}'), unsigned)
    }),
    case("checkpoint's signature stripped", "plain", "", &["checkpoint-bad-signature"], |t| {
        line(t, |_, l| l.starts_with('\u{2014}'), |_| String::new())
    }),
    case("checkpoint's last newline cut", "plain", "", &["checkpoint-bad-signature"], |t| {
        field(t, "proof", |p| p.trim_end().to_owned())
    }),
    case("checkpoint with a line of an odd name", "plain", "", &["checkpoint-bad-signature"], |t| {
        line(t, |_, l| l.starts_with('\u{2014}'), |l| format!("{l}\n\u{2014} a+b AAAAAAAA"))
    }),
    case("checkpoint with a stranger's line", "plain", "", &[], |t| {
        line(t, |_, l| l.starts_with('\u{2014}'), |l| format!("{l}\n\u{2014} stranger AAAAAAAA"))
    }),
    case("key of another log", "plain", "", &["key-unknown"], |t| {
        field(t, "vkey", |_| fs::read_to_string(world().path("other/ledger/vkey")).unwrap().trim().to_owned())
    }),
    case("key that is none", "plain", "", &["key-unknown"], |t| field(t, "vkey", |_| "none".to_owned())),
    case("key with a space behind it", "plain", "", &["key-unknown"], |t| field(t, "vkey", |k| format!("{k} "))),
    case("cut off", "plain", "", &["bundle-malformed"], |t| t[..t.len() / 2].to_owned()),
    case("with bytes behind it", "plain", "", &["bundle-malformed"], |t| format!("{t}x")),
    case("of another format", "plain", "", &["bundle-malformed"], |t| t.replacen("proof/1", "proof/2", 1)),
    case("with another field", "plain", "", &["bundle-malformed"], |t| with(t, |v| v["more"] = "x".into())),
    case("without its proof", "plain", "", &["bundle-malformed"], |t| {
        with(t, |v| drop(v.as_object_mut().unwrap().remove("proof")))
    }),
    case("with a field twice", "plain", "", &["bundle-malformed"], |t| {
        t.replacen('{', "{\"format\":\"onrecord-proof/1\",", 1)
    }),
    case("with rotations that are none", "plain", "", &["bundle-malformed"], |t| {
        with(t, |v| v["rotations"] = serde_json::json!([5]))
    }),
    case("with evidence", "evidence", "vkey", &[], as_it_is),
    case("without its evidence", "evidence", "", &[], |t| with(t, |v| v["evidence"].as_object_mut().unwrap().clear())),
    case("evidence flipped", "evidence", "", &["payload-changed"], |t| first(t, "evidence", "", mid)),
    case("evidence that is no member", "evidence", "", &["payload-changed"], |t| {
        first(t, "evidence", "", |_| "AAAA".to_owned())
    }),
    case("evidence that is no base64", "evidence", "", &["payload-changed"], |t| {
        first(t, "evidence", "", |e| format!("!{e}"))
    }),
    case("evidence added", "evidence", "", &["record-added"], |t| {
        with(t, |v| v["evidence"]["00000000-0000-4000-8000-000000000001"] = "AAAA".into())
    }),
    case("evidence by a name in capitals", "evidence", "", &["bundle-malformed"], |t| {
        with(t, |v| v["evidence"]["0000000A-0000-4000-8000-000000000001"] = "AAAA".into())
    }),
    case("evidence twice", "evidence", "", &["bundle-malformed"], |t| {
        let value: Value = serde_json::from_str(t).unwrap();
        let (id, held) = value["evidence"].as_object().unwrap().iter().next().unwrap();
        t.replacen("\"evidence\": {", &format!("\"evidence\": {{\"{id}\": {held},"), 1)
    }),
    case("after a change of keys, with the new key", "rotated", "new", &[], as_it_is),
    case("after a change of keys, with the old key", "rotated", "vkey", &[], as_it_is),
    case("after a change of keys that only one signed", "rotated", "vkey", &["key-unknown"], |t| {
        with(t, |v| v["rotations"][0]["by_new"] = v["rotations"][0]["by_old"].clone())
    }),
    case("after a change of keys that it does not tell of", "rotated", "vkey", &["key-unknown"], |t| {
        with(t, |v| drop(v.as_object_mut().unwrap().remove("rotations")))
    }),
];

const ANCHORED: &[Case] = &[
    case("anchored", "anchored", "vkey", &[], as_it_is),
    case("token flipped", "anchored", "", &["anchor-invalid"], |t| first(t, "anchors", ".tsr", unsigned)),
    case("token that is no base64", "anchored", "", &["anchor-invalid"], |t| {
        first(t, "anchors", ".tsr", |e| format!("!{e}"))
    }),
    case("token by another ending", "anchored", "", &["anchor-invalid"], |t| {
        with(t, |v| v["anchors"]["5.x.odd"] = "AAAA".into())
    }),
    case("anchored, and its record flipped", "anchored", "", &["leaf-changed"], |t| {
        field(t, "record", world::other_nonce)
    }),
];

/// What `ledger prove` writes of an archive.
fn prove(archive: &Path, id: &str, more: &[&str]) -> String {
    let run = Command::new(env!("CARGO_BIN_EXE_onrecord"))
        .args(["--archive".as_ref(), archive.as_os_str(), "ledger".as_ref(), "prove".as_ref(), id.as_ref()])
        .args(more)
        .output()
        .unwrap();
    assert_eq!(run.status.code(), Some(0), "{}", String::from_utf8_lossy(&run.stderr));
    String::from_utf8(run.stdout).unwrap()
}

fn judged(case: &Case, text: &str, folder: &Path) -> Vec<String> {
    let file = folder.join("bundle.json");
    fs::write(&file, text).unwrap();
    let nowhere = folder.join("nowhere");
    let mut ours = vec![file.display().to_string()];
    let mut theirs = Vec::new();
    if !case.key.is_empty() {
        let key = folder.join(case.key);
        ours.extend(["--key".to_owned(), key.display().to_string()]);
        theirs.extend(["--vkey".to_owned(), fs::read_to_string(key).unwrap()]);
    }
    let mut wrong = Vec::new();
    let code = Some(if case.kinds.is_empty() { 0 } else { 5 });
    let said = verified(&nowhere, &ours);
    let kinds: Vec<&str> = said.problems.iter().map(|(kind, _)| kind.as_str()).collect();
    if said.code != code || kinds != case.kinds {
        wrong.push(format!("{}: verify: {:?} {}", case.name, said.code, said.whole));
    }
    let checked = Command::new(env!("CARGO_BIN_EXE_onrecord"))
        .args(["--archive".as_ref(), nowhere.as_os_str(), "ledger".as_ref(), "check".as_ref()])
        .args(&ours)
        .output()
        .unwrap();
    if checked.status.code() != code {
        let said = String::from_utf8_lossy(&checked.stdout);
        wrong.push(format!("{}: ledger check: {:?} {said}", case.name, checked.status.code()));
    }
    if let Some((theirs, said)) = second(&file, &theirs) {
        let named = said.lines().take_while(|line| !line.starts_with("not checked"));
        let kinds: Vec<&str> = named.filter_map(|line| line.split_once("  ")).map(|(kind, _)| kind).collect();
        if theirs != code || kinds != case.kinds {
            wrong.push(format!("{}: verify.py: {theirs:?} {said}", case.name));
        }
    }
    wrong
}

#[test]
fn a_bundle_is_judged_alike_by_both() {
    let base = world().path("base");
    let fixture = world().fixture("bundles");
    let folder = fixture.root.parent().unwrap();
    let last = (fixture.size() - 1).to_string();
    let snapshot = fixture.one("SELECT lower(hex(id)) FROM snapshot LIMIT 1");
    let copies = [("vkey", base.join("ledger/vkey")), ("stranger", world().path("other/ledger/vkey"))];
    for (name, from) in copies {
        fs::copy(from, folder.join(name)).unwrap();
    }
    let mut texts = std::collections::BTreeMap::from([
        ("plain", prove(&fixture.root, "5", &[])),
        ("first", prove(&fixture.root, "0", &[])),
        ("last", prove(&fixture.root, &last, &[])),
        ("evidence", prove(&fixture.root, &snapshot, &["--evidence"])),
    ]);
    let run = Command::new(env!("CARGO_BIN_EXE_onrecord"))
        .args(["-q".as_ref(), "--archive".as_ref(), fixture.root.as_os_str(), "ledger".as_ref(), "rotate-key".as_ref()])
        .output()
        .unwrap();
    assert_eq!(run.status.code(), Some(0), "{}", String::from_utf8_lossy(&run.stderr));
    fs::copy(fixture.root.join("ledger/vkey"), folder.join("new")).unwrap();
    texts.insert("rotated", prove(&fixture.root, "5", &[]));
    let mut cases: Vec<&Case> = CASES.iter().collect();
    if world().authority.is_some() {
        texts.insert("anchored", prove(&world().copy_of("anchored", "anchored-bundle").root, "5", &[]));
        cases.extend(ANCHORED);
    }
    let wrong: Vec<String> =
        cases.iter().flat_map(|case| judged(case, &(case.damage)(&texts[case.of]), folder)).collect();
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}
