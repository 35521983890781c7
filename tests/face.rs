//! The face, through the real binary: usage, settings in layers, completions, manual pages, exit codes.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

/// The binary in a cleared environment, in `folder`.
fn onrecord(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_onrecord"));
    command.current_dir(folder).env_clear().args(arguments).stdin(Stdio::null());
    command
}

fn run(folder: &Path, arguments: &[&str]) -> Output {
    onrecord(folder, arguments).output().expect("the binary runs")
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("standard output is UTF-8")
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("standard error is UTF-8")
}

fn json(output: &Output) -> Value {
    assert_eq!(output.status.code(), Some(0), "{}", err(output));
    serde_json::from_slice(&output.stdout).expect("standard output is one JSON document")
}

fn setting(document: &Value, key: &str) -> Value {
    let rows = document["settings"].as_array().expect("settings");
    rows.iter().find(|row| row["key"] == key).unwrap_or_else(|| panic!("{key} is missing")).clone()
}

/// Bad usage is one line that names it, one hint, code 2, and nothing on standard output.
fn assert_bad_usage(output: &Output, said: &str) {
    let message = err(output);
    assert_eq!(output.status.code(), Some(2), "{message}");
    assert!(output.stdout.is_empty(), "{}", out(output));
    let mut lines = message.lines();
    let first = lines.next().unwrap_or_default();
    assert!(first.starts_with("onrecord: ") && first.contains(said), "{message}");
    assert!(lines.all(|line| line.starts_with("hint: ")), "{message}");
    assert!(!output.stderr.contains(&0x1b), "what was typed steers the terminal");
}

#[test]
fn bad_usage_is_one_clear_line() {
    let here = tempfile::tempdir().unwrap();
    for (arguments, said) in [
        (&["--nonsense"][..], "'--nonsense'"),
        (&["confgi"], "'confgi'"),
        (&["config", "--max-hops", "many"], "expected a whole number"),
        (&["config", "--timeout", "0"], "expected a length of time"),
        (&["config", "--max-body", "big"], "expected a number of bytes"),
        (&["config", "--allow-net", "10.0.0.0/99"], "expected an address range"),
        (&["config", "--connect-to", "a:b"], "expected HOST1:PORT1:HOST2:PORT2"),
        (&["config", "--concurrency", "0"], "at least 1"),
        (&["config", "--color", "pink"], "'pink'"),
        (&["config", "-v", "-q"], "cannot be used with"),
        (&["completions"], "<SHELL>"),
        (&["completions", "\u{1b}[31m"], "<SHELL>"),
    ] {
        assert_bad_usage(&run(here.path(), arguments), said);
    }
    assert_eq!(fs::read_dir(here.path()).unwrap().count(), 0, "bad usage leaves nothing behind");
}

#[test]
fn without_a_command_help_is_shown_and_the_code_says_bad_usage() {
    let here = tempfile::tempdir().unwrap();
    let output = run(here.path(), &[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(err(&output).contains("Usage: onrecord"), "{}", err(&output));
    let asked = run(here.path(), &["--help"]);
    assert_eq!(asked.status.code(), Some(0));
    assert!(out(&asked).contains("config") && asked.stderr.is_empty());
    let one = run(here.path(), &["help", "config"]);
    assert!(one.status.code() == Some(0) && out(&one).contains("--max-hops"), "{}", out(&one));
    let version = run(here.path(), &["--version"]);
    assert_eq!(out(&version).trim(), concat!("onrecord ", env!("CARGO_PKG_VERSION")));
}

#[test]
fn settings_come_in_layers_and_say_where_from() {
    let here = tempfile::tempdir().unwrap();
    fs::create_dir(here.path().join("box")).unwrap();
    fs::write(here.path().join("box/onrecord.toml"), "[network]\ntimeout = 5\nmax-hops = 3\nper-host = 7\n").unwrap();
    let output = onrecord(here.path(), &["config", "--json", "--timeout", "7"])
        .env("ONRECORD_ARCHIVE", "box")
        .env("ONRECORD_NETWORK_TIMEOUT", "6")
        .env("ONRECORD_NETWORK_MAX_HOPS", "4")
        .output()
        .unwrap();
    let document = json(&output);
    for (key, value, from, place) in [
        ("archive", "\"box\"", "environment", Some("ONRECORD_ARCHIVE")),
        ("network.timeout", "7", "flag", Some("--timeout")),
        ("network.max-hops", "4", "environment", Some("ONRECORD_NETWORK_MAX_HOPS")),
        ("network.per-host", "7", "file", Some("onrecord.toml:4")),
        ("network.max-body", "536870912", "default", None),
        ("serve.listen", "\"127.0.0.1:8044\"", "default", None),
    ] {
        let row = setting(&document, key);
        assert_eq!(row["value"].to_string(), value, "{key}");
        assert_eq!(row["from"], from, "{key}");
        assert_eq!(row.get("where").and_then(Value::as_str), place, "{key}");
    }
    let table = onrecord(here.path(), &["--archive", "box", "config"]).output().unwrap();
    assert!(out(&table).lines().any(|line| line.starts_with("network.max-body ") && line.contains("512 MiB")));
}

#[test]
fn a_wrong_settings_file_is_one_clear_line() {
    let here = tempfile::tempdir().unwrap();
    fs::create_dir(here.path().join("archive")).unwrap();
    let file = here.path().join("archive/onrecord.toml");
    for (text, said) in [
        ("[network]\nmax_hop = 3\n", "onrecord.toml line 2: unknown key \"max_hop\", did you mean \"max-hops\"?"),
        (
            "[network]\n\ntimeout = \"soon\"\n",
            "onrecord.toml line 3: network.timeout is \"soon\", expected a length of time",
        ),
        ("[network\n", "line 1: not TOML"),
        ("[\"a\u{1b}[31m\"]\n", "not TOML"),
    ] {
        fs::write(&file, text).unwrap();
        assert_bad_usage(&run(here.path(), &["config"]), said);
    }
    fs::write(&file, [0xff, 0xfe]).unwrap();
    assert_bad_usage(&run(here.path(), &["config"]), "not UTF-8 text at byte 0");
    fs::remove_file(&file).unwrap();
    fs::create_dir(&file).unwrap();
    assert_bad_usage(&run(here.path(), &["config"]), "not a file but a folder");
    fs::remove_dir(&file).unwrap();
    let variable = onrecord(here.path(), &["config"]).env("ONRECORD_SERVE_LISTN", "x").output().unwrap();
    assert_bad_usage(&variable, "did you mean \"ONRECORD_SERVE_LISTEN\"?");
    let logs = onrecord(here.path(), &["config"]).env("ONRECORD_LOG", "a=b=c").output().unwrap();
    assert_bad_usage(&logs, "failed to read the filter in ONRECORD_LOG: ");
}

#[test]
#[expect(clippy::print_stdout, reason = "a test that checks nothing must say so")]
fn every_shell_gets_a_script_that_knows_the_commands() {
    let here = tempfile::tempdir().unwrap();
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let output = run(here.path(), &["completions", shell]);
        assert_eq!(output.status.code(), Some(0), "{shell}");
        assert!(out(&output).contains("completions"), "{shell}");
    }
    let script = run(here.path(), &["completions", "bash"]);
    let checked = Command::new("bash").arg("-n").stdin(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let Ok(mut bash) = checked else {
        println!("bash is not here; its reading of the script was not checked");
        return;
    };
    bash.stdin.take().unwrap().write_all(&script.stdout).unwrap();
    let verdict = bash.wait_with_output().unwrap();
    assert!(verdict.status.success(), "{}", err(&verdict));
}

#[test]
fn manual_pages_are_printed_or_written() {
    let here = tempfile::tempdir().unwrap();
    let page = out(&run(here.path(), &["man"]));
    assert!(page.contains(".TH onrecord 1") && page.contains("ONRECORD_ARCHIVE") && page.contains("130"), "{page}");
    let output = run(here.path(), &["man", "--out", "."]);
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    let mut names: Vec<_> =
        fs::read_dir(here.path()).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    for name in ["onrecord.1", "onrecord-config.1", "onrecord-man.1"] {
        assert!(names.iter().any(|n| n == name), "{name} is missing in {names:?}");
    }
    let nowhere = run(here.path(), &["man", "--out", "no/such/folder"]);
    assert_eq!(nowhere.status.code(), Some(1));
    assert!(err(&nowhere).starts_with("onrecord: failed to write the manual pages into no/such/folder: "));
}

#[test]
fn a_reader_who_leaves_is_no_error() {
    let here = tempfile::tempdir().unwrap();
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = onrecord(here.path(), &["completions", "bash"]).stdout(writer).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    assert!(output.stderr.is_empty(), "{}", err(&output));
}

#[test]
#[expect(clippy::print_stdout, reason = "a test that checks nothing must say so")]
fn a_full_disk_is_said() {
    let Ok(full) = fs::OpenOptions::new().write(true).open("/dev/full") else {
        println!("/dev/full is not here; writing to a full disk was not checked");
        return;
    };
    let here = tempfile::tempdir().unwrap();
    let output = onrecord(here.path(), &["config", "--json"]).stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(err(&output).starts_with("onrecord: failed to write to standard output: "), "{}", err(&output));
}

#[test]
fn colour_is_asked_for_or_left_out() {
    let here = tempfile::tempdir().unwrap();
    assert!(!run(here.path(), &["config"]).stdout.contains(&0x1b));
    assert!(run(here.path(), &["config", "--color", "always"]).stdout.contains(&0x1b));
    assert!(!run(here.path(), &["nonsense"]).stderr.contains(&0x1b));
    assert!(run(here.path(), &["--color", "always", "nonsense"]).stderr.contains(&0x1b));
}

#[test]
fn cite_prints_one_entry_for_each_argument_in_order() {
    let here = tempfile::tempdir().unwrap();
    let text = "Seen at https://t.co/AEoFZOhI3p and #NurSultan by @MajaEUspox today.\n";
    fs::write(here.path().join("a.txt"), text).unwrap();
    fs::write(here.path().join("b.txt"), "Nothing is cited here.\n").unwrap();
    let mut command = onrecord(here.path(), &["cite", "--json", "a.txt", "b.txt", "-", "a.txt"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let document = json(&child.wait_with_output().unwrap());
    let statements = document["statements"].as_array().unwrap();
    let sources: Vec<_> = statements.iter().map(|s| s["source"].as_str().unwrap()).collect();
    assert_eq!(sources, ["a.txt", "b.txt", "-", "a.txt"]);
    let first = &statements[0];
    assert_eq!(first["bytes"], text.len());
    assert_eq!(first["media_type"], "text/plain");
    let hash = onrecord::format::digest::Digest::of(text.as_bytes()).to_string();
    assert_eq!(first["id"], hash);
    assert_eq!(statements[1]["citations"], Value::Array(Vec::new()));
    assert_eq!(first["citations"], statements[2]["citations"]);
    let kinds: Vec<_> = first["citations"].as_array().unwrap().iter().map(|c| c["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["link", "hashtag", "handle"]);
    for citation in first["citations"].as_array().unwrap() {
        let at = |n: usize| usize::try_from(citation["span"][n].as_u64().unwrap()).unwrap();
        assert_eq!(citation["raw"], text[at(0)..at(1)], "{citation}");
        assert!(citation["id"].as_str().unwrap().starts_with("sha256:"));
    }
    let link = &first["citations"][0];
    assert_eq!((link["form"].as_str(), link["url"].as_str()), (Some("tco"), Some("https://t.co/AEoFZOhI3p")));
}

#[test]
fn cite_says_that_nothing_can_be_read_before_it_prints_anything() {
    let here = tempfile::tempdir().unwrap();
    fs::write(here.path().join("good.txt"), "See https://t.co/AEoFZOhI3p for more.").unwrap();
    fs::write(here.path().join("empty.txt"), "").unwrap();
    fs::create_dir(here.path().join("folder")).unwrap();
    for (arguments, said) in [
        (&["cite", "--json", "missing.txt", "empty.txt"][..], "read the statement missing.txt: no such file"),
        (&["cite", "folder"], "read the statement folder: not a file but a folder"),
        (&["cite", "empty.txt"], "read the statement empty.txt: it is empty"),
        (&["cite", "good.txt/x"], "no such file"),
        (&["cite", "-", "-"], "standard input is named twice"),
        (&["cite"], "read the statement -: it is empty"),
        (&["cite", "a\u{1b}[2Jb"], "a\\u{1b}[2Jb"),
    ] {
        assert_bad_usage(&run(here.path(), arguments), said);
    }
    assert_eq!(fs::read_dir(here.path()).unwrap().count(), 3, "cite makes no archive");
}

#[test]
fn cite_prints_what_can_be_read_beside_what_cannot() {
    let here = tempfile::tempdir().unwrap();
    fs::write(here.path().join("good.txt"), "See https://t.co/AEoFZOhI3p for more.").unwrap();
    fs::write(here.path().join("broken.pdf"), "%PDF-1.7\nnothing of the kind").unwrap();
    fs::write(here.path().join("empty.txt"), "").unwrap();
    fs::create_dir(here.path().join("folder")).unwrap();
    let unread = |arguments: &[&str], code: i32, said: &str| {
        let output = run(here.path(), arguments);
        assert_eq!(output.status.code(), Some(code), "{arguments:?} {}", err(&output));
        assert!(err(&output).contains(said), "{arguments:?} {}", err(&output));
        let document: Value = serde_json::from_slice(&output.stdout).unwrap();
        let entries = document["statements"].as_array().cloned().unwrap_or_default();
        let sources: Vec<_> = entries.iter().map(|s| s["source"].as_str().unwrap_or_default().to_owned()).collect();
        assert_eq!(sources, arguments[2..], "one entry for each argument, in order");
        let good = entries.iter().filter(|s| s["citations"][0]["raw"] == "https://t.co/AEoFZOhI3p").count();
        assert_eq!(good, arguments.iter().filter(|a| **a == "good.txt").count(), "{document:#}");
        entries
    };
    let entries =
        unread(&["cite", "--json", "broken.pdf", "good.txt", "empty.txt", "good.txt"], 0, "broken.pdf is not read");
    assert_eq!(entries[0]["unread"][0]["part"], "all of it");
    assert!(entries[0]["unread"][0]["why"].as_str().unwrap().contains("a PDF, but"), "{entries:?}");
    assert_eq!(entries[0]["id"], onrecord::format::digest::Digest::of(b"%PDF-1.7\nnothing of the kind").to_string());
    assert_eq!((&entries[2]["bytes"], &entries[2]["citations"]), (&Value::from(0), &Value::Array(Vec::new())));
    let entries = unread(&["cite", "--json", "folder", "good.txt", "missing.txt"], 2, "missing.txt: no such file");
    assert_eq!((&entries[0]["id"], &entries[0]["unread"][0]["why"]), (&Value::Null, &"not a file but a folder".into()));
    unread(&["cite", "--json", "broken.pdf"], 2, "read the statement broken.pdf");
    let table = run(here.path(), &["cite", "broken.pdf", "good.txt"]);
    assert!(out(&table).contains("not read: all of it") && out(&table).contains("AEoFZOhI3p"), "{}", out(&table));
}

#[test]
fn cite_draws_a_table_that_a_statement_cannot_steer() {
    let here = tempfile::tempdir().unwrap();
    let text = "See https://t.co/AEoFZOhI3p and the \u{1b}]0;owned\u{7} post #سلام \u{202e} there";
    fs::write(here.path().join("a.txt"), text).unwrap();
    let output = run(here.path(), &["cite", "a.txt"]);
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    let table = out(&output);
    assert!(table.contains("https://t.co/AEoFZOhI3p"), "{table}");
    assert!(!table.contains(['\u{1b}', '\u{7}', '\u{202e}']), "{table:?}");
}

#[test]
fn cite_reads_a_pipe_once() {
    let here = tempfile::tempdir().unwrap();
    let pipe = here.path().join("pipe");
    rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
    let writer = {
        let pipe = pipe.clone();
        std::thread::spawn(move || fs::write(pipe, "See https://t.co/AEoFZOhI3p for more."))
    };
    let document = json(&run(here.path(), &["cite", "--json", "pipe"]));
    writer.join().unwrap().unwrap();
    assert_eq!(document["statements"][0]["citations"][0]["raw"], "https://t.co/AEoFZOhI3p");
}
