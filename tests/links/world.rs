//! A small world for whole pursuits: the loopback platforms, a folder, and the real binary between them.

use std::io::Read as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use onrecord_replica::{Options, Replica};
use serde_json::Value;

/// The platforms and an archive.
pub(super) struct World {
    pub(super) replica: Replica,
    folder: tempfile::TempDir,
}

impl World {
    pub(super) fn new() -> Self {
        let replica = Replica::start_blocking(Options::default()).expect("the loopback platforms start");
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("ca.pem"), replica.ca_pem()).expect("the authority's certificate");
        Self { replica, folder }
    }

    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Writes settings of the archive.
    pub(super) fn settings(&self, text: &str) {
        std::fs::create_dir_all(self.folder().join("archive")).expect("the archive's folder");
        std::fs::write(self.folder().join("archive/onrecord.toml"), text).expect("settings");
    }

    /// Everything in the archive's files, inflated where they are compressed, its settings aside.
    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        let mut folders = vec![self.folder().join("archive")];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
                let path = entry.path();
                if path.is_dir() {
                    folders.push(path);
                    continue;
                }
                let bytes = std::fs::read(&path).expect("a file");
                if bytes.starts_with(&[0x1f, 0x8b]) {
                    flate2::read::MultiGzDecoder::new(bytes.as_slice()).read_to_end(&mut out).expect("gzip");
                }
                out.extend(bytes);
            }
        }
        out
    }

    /// Writes a statement and gives its name.
    pub(super) fn statement(&self, name: &str, text: &str) -> String {
        std::fs::write(self.folder().join(name), text).expect("a statement");
        name.to_owned()
    }

    /// Runs the binary, every host led to the loopback platforms.
    pub(super) fn onrecord(&self, command: &str, arguments: &[String]) -> Output {
        let mut all = Command::new(env!("CARGO_BIN_EXE_onrecord"));
        all.current_dir(self.folder()).env_clear().stdin(Stdio::null()).args([
            "--archive",
            "archive",
            "--json",
            command,
        ]);
        if matches!(command, "run" | "resolve") {
            for rule in self.replica.connect_to() {
                all.args(["--connect-to", &rule]);
            }
            all.args(["--ca-cert", "ca.pem", "--allow-net", "127.0.0.0/8", "--timeout", "5"]);
        }
        all.args(arguments).output().expect("the binary runs")
    }

    /// Runs the binary and reads what it prints; its code must be 0.
    pub(super) fn json(&self, command: &str, arguments: &[String]) -> Value {
        let output = self.onrecord(command, arguments);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{command}: {said}");
        serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{command}: {e}: {said}"))
    }
}

/// The first citation of that kind of a statement's outcome.
pub(super) fn of_kind<'a>(statement: &'a Value, kind: &str) -> &'a Value {
    let all = statement["citations"].as_array().into_iter().flatten();
    all.into_iter().find(|c| c["kind"] == kind).unwrap_or(&Value::Null)
}

/// What one check of the first finding came to.
pub(super) fn check<'a>(citation: &'a Value, name: &str) -> &'a Value {
    let all = citation["findings"][0]["checks"].as_array().into_iter().flatten();
    all.into_iter().find(|c| c["check"] == name).map_or(&Value::Null, |c| &c["result"])
}
