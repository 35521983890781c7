//! Evidence for strangers, through the real binary: checkpoints, proof bundles, anchors, cosignatures, a change of the key.
//! Authorities and calendars are scripts on loopback, the witness is one of this file.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, Mutex};

use data_encoding::BASE64;
use onrecord::format::checkpoint::{Checkpoint, Signed};
use onrecord::format::digest::Digest;
use onrecord::format::merkle::{record_leaf, verify_consistency, verify_inclusion};
use onrecord::format::note::{Ed25519Signer, KeyKind, Signer as _, VerifierKey, cosignature};
use onrecord::world::keys::SecretKey;
use onrecord::world::tiles::Log;
use onrecord::world::tiles::nodes::Nodes;
use onrecord::world::tiles::prover::Prover;
use onrecord::world::tiles::reader::Tiles;
use serde_json::Value;

/// An archive in a folder of its own, with one statement that was taken in without a network.
struct Archive {
    here: tempfile::TempDir,
}

impl Archive {
    fn new() -> Self {
        let archive = Self { here: tempfile::tempdir().unwrap() };
        archive.take_in("one", "The minister answered on Twitter: https://t.co/AEoFZOhI3p (June 9, 2019).");
        archive
    }

    fn path(&self, name: &str) -> PathBuf {
        self.here.path().join(name)
    }

    fn run(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_onrecord"))
            .current_dir(self.here.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .args(arguments)
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }

    fn json(&self, arguments: &[&str]) -> Value {
        let output = self.run(&[&["--json"], arguments].concat());
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", err(&output));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// Exit code, and both outputs as text.
    fn said(&self, arguments: &[&str]) -> (i32, String) {
        let output = self.run(arguments);
        (output.status.code().unwrap(), format!("{}{}", String::from_utf8_lossy(&output.stdout), err(&output)))
    }

    fn take_in(&self, name: &str, text: &str) -> Value {
        let file = format!("{name}.txt");
        fs::write(self.path(&file), text).unwrap();
        self.json(&["run", "--offline", &file])
    }

    /// Writes the published checkpoint to a file, as someone who wants to remember it would.
    fn remember(&self, name: &str) {
        let output = self.run(&["ledger", "checkpoint"]);
        assert_eq!(output.status.code(), Some(0), "{}", err(&output));
        fs::write(self.path(name), output.stdout).unwrap();
    }

    fn settings(&self, text: &str) {
        fs::write(self.path("archive/onrecord.toml"), text).unwrap();
    }

    fn size(&self) -> u64 {
        self.json(&["ledger", "checkpoint"])["size"].as_u64().unwrap()
    }

    fn assert_intact(&self) {
        let report = self.json(&["verify"]);
        assert_eq!(report["verdict"], "intact", "{report:#}");
    }
}

fn err(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().flatten() {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

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

impl Archive {
    fn json_code(&self, arguments: &[&str]) -> (i32, Value) {
        let output = self.run(&[&["--json"], arguments].concat());
        (output.status.code().unwrap(), serde_json::from_slice(&output.stdout).unwrap_or_default())
    }
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
            altered(&|b| b["proof"] = text(b, "proof").replacen("\nindex 1\n", "\nindex 2\n", 1).into()),
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

fn other_key() -> String {
    let signer = SecretKey::generate().unwrap().signer("log.example".parse().unwrap(), KeyKind::Ed25519).unwrap();
    signer.key().to_string()
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

/// A script that serves until it is dropped.
struct Served {
    child: Child,
    url: String,
    folder: PathBuf,
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn shared() -> PathBuf {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared");
    std::env::var_os("ONRECORD_SHARED").map_or(beside, PathBuf::from)
}

/// None, and a word about it, where the scripts or python3 are not there.
fn serve(script: &str, arguments: &[&str]) -> Option<Served> {
    let path = shared().join("validators").join(script);
    if !path.exists() || Command::new("python3").arg("-V").output().is_err() {
        absent(&format!("{} or python3", path.display()));
        return None;
    }
    let mut child = Command::new("python3").arg(path).args(arguments).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let mut words = line.trim().split(' ').skip(1).map(str::to_owned);
    let (url, folder) = (words.next().unwrap(), words.next().unwrap_or_default().into());
    Some(Served { child, url, folder })
}

#[expect(clippy::print_stdout, reason = "a test that checks nothing must say so")]
fn absent(what: &str) {
    println!("not run: {what} is not there");
}

fn post(url: &str, path: &str) -> String {
    let host = url.trim_start_matches("http://").trim_end_matches('/');
    let mut stream = std::net::TcpStream::connect(host).unwrap();
    write!(stream, "POST {path} HTTP/1.0\r\nHost: {host}\r\nContent-Length: 0\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

fn states(attested: &Value) -> Vec<(String, String)> {
    let mut states: Vec<_> = attested["added"]
        .as_array()
        .unwrap()
        .iter()
        .map(|a| (a["kind"].as_str().unwrap().to_owned(), a["state"].as_str().unwrap().to_owned()))
        .collect();
    states.sort();
    states
}

fn pair(kind: &str, state: &str) -> (String, String) {
    (kind.to_owned(), state.to_owned())
}

/// The commands that `show` prints for what is on record at `index`, by kind.
fn commands(archive: &Archive, id: &str) -> Vec<(String, String)> {
    let shown = archive.json(&["show", id]);
    let anchors = shown["anchors"].as_array().unwrap_or_else(|| panic!("{shown:#}"));
    let line = |a: &Value| Some((a["kind"].as_str()?.to_owned(), a["check"].as_str()?.to_owned()));
    anchors.iter().filter_map(line).collect()
}

#[test]
fn anchors_are_asked_for_recorded_upgraded_and_checked_by_the_commands_that_show_prints() {
    let (Some(tsa), Some(calendar)) = (serve("local-tsa.py", &[]), serve("local-calendar.py", &[])) else { return };
    let archive = Archive::new();
    let roots = tsa.folder.join("ca.pem").display().to_string();
    let asked = ["anchor", "--tsa", &tsa.url, "--tsa-roots", &roots, "--calendar", &calendar.url];
    let before = archive.size();
    let attested = archive.json(&asked);
    assert_eq!(states(&attested), [pair("ots", "pending"), pair("tsr", "verified")], "{attested:#}");
    assert_eq!((attested["checkpoint"].as_u64(), attested["pending"].as_u64()), (Some(before), Some(1)));
    assert!(archive.path(&format!("archive/ledger/anchors/{before}.checkpoint")).exists());
    archive.assert_intact();

    archive.settings(&format!("[anchor]\ntsa-roots = [\"{roots}\"]\nbitcoin-headers = \"{}\"\n", calendar.url));
    let waiting = archive.json(&["anchor", "--calendar", &calendar.url]);
    assert_eq!(states(&waiting), [pair("ots", "pending")], "only the new checkpoint's: {waiting:#}");
    post(&calendar.url, "/_mine");
    let confirmed = archive.json(&["anchor", "--calendar", &calendar.url]);
    let news = states(&confirmed);
    assert_eq!(news, [pair("ots", "confirmed"), pair("ots", "confirmed"), pair("ots", "pending")], "{confirmed:#}");
    archive.assert_intact();

    let lines = commands(&archive, "0");
    assert_eq!(lines.len(), 2, "{lines:?}");
    for (kind, line) in &lines {
        let installed = std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache/onrecord-val/bin"));
        let line = match (kind.as_str(), installed.filter(|bin| bin.join("ots").exists())) {
            ("ots", None) => {
                absent("the reference client of OpenTimestamps");
                continue;
            }
            // the printed line, told besides which node and network to believe
            ("ots", Some(bin)) => {
                let node = calendar.url.replace("http://", "http://u:p@");
                let options = format!("--no-cache --no-default-whitelist --btc-regtest --bitcoin-node {node}");
                line.replacen("ots verify", &format!("{}/ots {options} verify", bin.display()), 1)
            }
            _ => line.clone(),
        };
        let run = Command::new("sh").args(["-c", &line]).current_dir(archive.here.path()).output().unwrap();
        assert!(run.status.success(), "{line}: {}{}", String::from_utf8_lossy(&run.stdout), err(&run));
    }

    // the same record, proved to a stranger together with what vouches for it
    assert_eq!(archive.said(&["ledger", "prove", "0", "-o", "bundle.json"]).0, 0);
    let judged = archive.json(&["ledger", "check", "bundle.json"]);
    assert_eq!(judged["independence"], "anchored", "{judged:#}");
    let mut worth: Vec<_> = judged["anchors"].as_array().unwrap().iter().map(|a| a["state"].clone()).collect();
    worth.sort_by_key(|state| state.to_string());
    assert_eq!(worth, ["confirmed", "verified"], "{judged:#}");
    let swapped = swap_anchors(&archive);
    assert_eq!(swapped, 5, "an anchor of another checkpoint is no anchor of this one");
    let stored = archive.json(&["ledger", "index"]);
    assert_eq!(stored["tiles"], 0, "a short log has no full tile: {stored:#}");
    accepted_by_tlog(&archive, &[]);
}

/// Puts another checkpoint's proof into the bundle.
fn swap_anchors(archive: &Archive) -> i32 {
    let mut bundle: Value = serde_json::from_slice(&fs::read(archive.path("bundle.json")).unwrap()).unwrap();
    let name = bundle["anchors"].as_object().unwrap().keys().find(|name| name.ends_with(".ots")).unwrap().clone();
    let size = name.split_once('.').unwrap().0.to_owned();
    let folder = archive.path("archive/ledger/anchors");
    let other = fs::read_dir(folder).unwrap().flatten().map(|e| e.path()).find(|path| {
        let file = path.file_name().unwrap().to_string_lossy().into_owned();
        file.ends_with(".ots") && !file.starts_with(&format!("{size}."))
    });
    bundle["anchors"][&name] = BASE64.encode(&fs::read(other.unwrap()).unwrap()).into();
    fs::write(archive.path("swapped.json"), bundle.to_string()).unwrap();
    let (code, judged) = archive.json_code(&["ledger", "check", "swapped.json"]);
    assert_eq!(judged["problems"][0]["kind"], "anchor-invalid", "{judged:#}");
    code
}

/// Another program's check of the ledger's folder.
fn accepted_by_tlog(archive: &Archive, more: &[&str]) {
    let script = shared().join("validators/check-tlog.py");
    let has = Command::new("python3").args(["-c", "import cryptography"]).output().is_ok_and(|o| o.status.success());
    if !script.exists() || !has {
        return absent("check-tlog.py, or Python's cryptography");
    }
    let vkey = fs::read_to_string(archive.path("archive/ledger/vkey")).unwrap();
    let run = Command::new("python3")
        .arg(script)
        .args(["--vkey", vkey.trim(), "--dir", "archive/ledger", "--all"])
        .args(more)
        .current_dir(archive.here.path())
        .output()
        .unwrap();
    assert!(run.status.success(), "{}{}", String::from_utf8_lossy(&run.stdout), err(&run));
}

#[test]
fn authorities_that_misbehave_are_told_apart_and_nothing_of_theirs_is_kept() {
    for (bad, said) in [
        ("imprint", "stamps another digest"),
        ("nonce", "answers another nonce"),
        ("reject", "rejected the request"),
        ("html", "answered 200 text/html"),
        ("http500", "answered 500"),
    ] {
        let Some(tsa) = serve("local-tsa.py", &["--bad", bad]) else { return };
        let archive = Archive::new();
        let roots = tsa.folder.join("ca.pem").display().to_string();
        let (code, attested) = archive.json_code(&["anchor", "--tsa", &tsa.url, "--tsa-roots", &roots]);
        let why = attested["failed"][0]["why"].as_str().unwrap_or_default();
        assert_eq!((code, why.contains(said)), (1, true), "{bad}: {attested:#}");
        let kept = fs::read_dir(archive.path("archive/ledger/anchors")).unwrap().count();
        assert_eq!(kept, 1, "{bad}: only the checkpoint that was shown");
        archive.assert_intact();
    }
}

#[test]
fn a_token_given_to_someone_else_is_not_ours() {
    let Some(tsa) = serve("local-tsa.py", &["--bad", "expired"]) else { return };
    let roots = tsa.folder.join("ca.pem").display().to_string();
    let ask = |archive: &Archive| archive.json_code(&["anchor", "--tsa", &tsa.url, "--tsa-roots", &roots]);
    assert_eq!(ask(&Archive::new()).0, 0, "the first answer is fresh, all later ones are the same");
    let (code, attested) = ask(&Archive::new());
    let why = attested["failed"][0]["why"].as_str().unwrap_or_default();
    assert_eq!((code, why.contains("stamps another digest")), (1, true), "{attested:#}");
}

#[test]
fn an_authority_without_a_pinned_root_is_not_believed() {
    let Some(tsa) = serve("local-tsa.py", &[]) else { return };
    let archive = Archive::new();
    let (code, attested) = archive.json_code(&["anchor", "--tsa", &tsa.url]);
    let why = attested["failed"][0]["why"].as_str().unwrap();
    assert_eq!((code, why.contains("no pinned root")), (1, true), "{attested:#}");
    let (code, said) = archive.said(&["anchor"]);
    assert_eq!((code, said.contains("nobody is named")), (2, true), "{said}");
}

#[test]
fn a_run_is_anchored_after_its_commit_and_never_fails_for_want_of_it() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let archive = Archive::new();
    archive.settings(&format!("[anchor]\ntsa = [\"http://{closed}/\"]\n[network]\ntimeout = 2\n"));
    fs::write(archive.path("two.txt"), "Nothing is cited here but #NurSultan.").unwrap();
    let outcome = archive.json(&["run", "two.txt"]);
    let failed = &outcome["anchors"]["failed"];
    assert!(failed[0]["why"].as_str().unwrap().contains("refused"), "{outcome:#}");
    assert_eq!(outcome["anchors"]["checkpoint"], outcome["checkpoint"]["size"]);
    let offline = archive.take_in("three", "Nor here: #Kazakhstan.");
    assert!(offline.get("anchors").is_none(), "{offline:#}");
    assert_eq!(archive.json(&["verify"])["independence"], "self-attested");

    let Some(tsa) = serve("local-tsa.py", &[]) else { return };
    let roots = tsa.folder.join("ca.pem").display().to_string();
    archive.settings(&format!("[anchor]\ntsa = [\"{}\"]\ntsa-roots = [\"{roots}\"]\n", tsa.url));
    fs::write(archive.path("four.txt"), "Nor here: #Astana.").unwrap();
    let outcome = archive.json(&["run", "four.txt"]);
    assert_eq!(states(&outcome["anchors"]), [pair("tsr", "verified")], "{outcome:#}");
    archive.assert_intact();
}

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

/// Paths from the tiles, from the stored hashes, from stored hashes that a bad disk changed, and from half of them.
#[test]
fn every_path_leads_to_the_root_whatever_it_is_made_from() {
    let folder = tempfile::tempdir().unwrap();
    let disk = onrecord::world::durable::Disk::default();
    let signer = SecretKey::generate().unwrap().signer("log.example".parse().unwrap(), KeyKind::Ed25519).unwrap();
    let mut log = Log::create(folder.path(), &signer, &disk).unwrap();
    let record = |i: u64| Digest::of(&i.to_be_bytes());
    let mut published = Vec::new();
    for size in [1, 255, 256, 257, 600, 65_535, 65_536, 66_000] {
        log.append(&(log.size()..size).map(record).collect::<Vec<_>>());
        published.push(log.commit(&signer).unwrap().checkpoint.clone());
    }
    let all = |what: &str| {
        let tiles = Tiles::new(folder.path());
        for Checkpoint { size, root, .. } in &published {
            let mut prover = Prover::new(&tiles, *size);
            for index in (0..*size).step_by(97).chain([size - 1, size / 2]) {
                let path = prover.inclusion(index).unwrap();
                let holds = verify_inclusion(&record_leaf(&record(index)), index, *size, &path, root);
                assert_eq!(holds, Ok(()), "{what}: {index} of {size}");
            }
            assert!(prover.inclusion(*size).is_err());
        }
    };
    all("tiles");
    assert_eq!(Nodes::build(&Tiles::new(folder.path()), 1000).unwrap(), 3);
    all("some stored");
    assert_eq!(Nodes::build(&Tiles::new(folder.path()), 66_000).unwrap(), 254);
    all("all stored");
    let file = folder.path().join("nodes");
    let mut bytes = fs::read(&file).unwrap();
    for at in (0..bytes.len()).step_by(5003) {
        bytes[at] ^= 1;
    }
    fs::write(&file, &bytes).unwrap();
    all("damaged");
    fs::write(&file, &bytes[..bytes.len() / 2]).unwrap();
    all("cut");
    assert!(Nodes::build(&Tiles::new(folder.path()), 66_000).unwrap() > 100, "what was cut is made again");
    all("made again");
}
