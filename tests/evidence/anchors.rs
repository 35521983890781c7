//! Authorities and calendars.

use std::fs;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::Command;

use data_encoding::BASE64;
use serde_json::Value;

use super::{Archive, absent, accepted_by_tlog, err, pair, post, serve, states};

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
fn whom_to_name_is_said_and_headers_that_are_none_are_refused() {
    let Some(calendar) = serve("local-calendar.py", &[]) else { return };
    let archive = Archive::new();
    archive.json(&["anchor", "--calendar", &calendar.url]);
    fs::write(archive.path("words.txt"), "no header\n").unwrap();
    fs::write(archive.path("empty.txt"), "").unwrap();
    for file in ["missing.txt", "words.txt", "empty.txt"] {
        let (code, said) = archive.said(&["anchor", "--calendar", &calendar.url, "--bitcoin-headers", file]);
        assert_eq!((code, said.contains(file)), (2, true), "{said}");
    }
    let (code, said) = archive.said(&["anchor"]);
    assert_eq!((code, said.contains("name the calendar that promised them")), (2, true), "{said}");
    assert!(said.contains(calendar.url.trim_end_matches('/')), "which one is said: {said}");
}

/// Nobody is named on the command line: whom the settings name is asked what became of its promises. Where they name others, the
/// calendar that was left out is named, and not asked.
#[test]
fn pending_proofs_are_taken_further_by_whom_the_settings_name() {
    let (Some(tsa), Some(calendar)) = (serve("local-tsa.py", &[]), serve("local-calendar.py", &[])) else { return };
    let archive = Archive::new();
    let roots = tsa.folder.join("ca.pem").display().to_string();
    archive.json(&["anchor", "--calendar", &calendar.url]);
    post(&calendar.url, "/_mine");
    archive.settings(&format!("[anchor]\ntsa = [\"{}\"]\ntsa-roots = [\"{roots}\"]\n", tsa.url));
    let (code, said) = archive.said(&["anchor"]);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("not asked: ") && said.contains(calendar.url.trim_end_matches('/')), "{said}");
    let attested = archive.json(&["anchor"]);
    assert_eq!(
        (attested["unasked"][0]["proofs"].as_u64(), attested["pending"].as_u64()),
        (Some(1), Some(1)),
        "{attested:#}"
    );
    archive.settings(&format!("[anchor]\ncalendars = [\"{}\"]\n", calendar.url));
    let attested = archive.json(&["anchor"]);
    assert!(states(&attested).contains(&pair("ots", "unchecked")) && attested["unasked"].is_null(), "{attested:#}");
    // Block headers alone, and nobody to ask: what is known is weighed against them.
    archive.settings(&format!("[anchor]\nbitcoin-headers = \"{}\"\n", calendar.url));
    let attested = archive.json(&["anchor"]);
    assert!(states(&attested).contains(&pair("ots", "confirmed")), "{attested:#}");
    archive.assert_intact();
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
