//! Evidence for strangers, through the real binary: checkpoints, proof bundles, anchors, cosignatures, a change of the key.
//! Authorities and calendars are scripts on loopback, the witness is one of this file.

mod anchors;
mod bundles;
mod keys;
mod passes;
mod paths;
mod witness;

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use onrecord::format::note::{KeyKind, Signer as _};
use onrecord::world::keys::SecretKey;
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

impl Archive {
    fn json_code(&self, arguments: &[&str]) -> (i32, Value) {
        let output = self.run(&[&["--json"], arguments].concat());
        (output.status.code().unwrap(), serde_json::from_slice(&output.stdout).unwrap_or_default())
    }
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

fn other_key() -> String {
    let signer = SecretKey::generate().unwrap().signer("log.example".parse().unwrap(), KeyKind::Ed25519).unwrap();
    signer.key().to_string()
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
