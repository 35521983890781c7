//! The frozen world: an archive, the loopback platforms and the real binary between them, and a checker that proves all of
//! an archive again after every step.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use onrecord_replica::{Options, Replica};
use serde_json::Value;

/// When the frozen world is, until a test moves it.
const THEN: &str = "2026-01-05T09:00:00Z";

/// The loopback platforms, a folder, and what the binary is told of both.
pub(crate) struct World {
    /// the platforms
    pub(crate) replica: Replica,
    folder: tempfile::TempDir,
    now: jiff::Timestamp,
    seed: u64,
}

impl World {
    /// A world in which nothing has happened yet.
    pub(crate) fn new() -> Self {
        let replica = Replica::start_blocking(Options::default()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("ca.pem"), replica.ca_pem()).unwrap();
        Self { replica, folder, now: THEN.parse().unwrap(), seed: 7 }
    }

    /// The working folder of every command.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The archive that commands use unless told otherwise.
    pub(crate) fn archive(&self) -> PathBuf {
        self.folder.path().join("archive")
    }

    /// Puts a file into the working folder.
    pub(crate) fn file(&self, name: &str, bytes: impl AsRef<[u8]>) {
        fs::write(self.folder.path().join(name), bytes).unwrap();
    }

    /// Time passes.
    pub(crate) fn pass(&mut self, hours: i64) {
        self.now += jiff::SignedDuration::from_hours(hours);
    }

    /// The frozen instant, as it is printed.
    pub(crate) fn now(&self) -> String {
        self.now.to_string()
    }

    /// The binary with a cleared environment, a clock that stands and randomness from a seed.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = bare(self.folder.path(), arguments);
        command.env("ONRECORD_TEST_CLOCK", self.now.to_string()).env("ONRECORD_TEST_SEED", self.seed.to_string());
        command
    }

    /// The same command, to be led to the loopback platforms through the production network path.
    pub(crate) fn networked(&self, arguments: &[&str]) -> Command {
        let mut command = self.command(arguments);
        command.args(["--ca-cert", "ca.pem", "--allow-net", "127.0.0.0/8", "--timeout", "10"]);
        for rule in self.replica.connect_to() {
            command.args(["--connect-to", &rule]);
        }
        command
    }

    /// `onrecord run --json` over `statements`, which must succeed; the archive is proved afterwards.
    pub(crate) fn run(&self, statements: &[&str]) -> Value {
        let output = self.networked(&[&["run", "--json"], statements].concat()).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", err(&output));
        prove(&self.archive());
        serde_json::from_slice(&output.stdout).expect("standard output is one JSON document")
    }

    /// What a command prints as JSON; it must end with 0.
    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        let output = self.command(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", err(&output));
        serde_json::from_slice(&output.stdout).expect("standard output is one JSON document")
    }

    /// The rows of a query.
    pub(crate) fn sql(&self, sql: &str) -> Vec<Value> {
        self.json(&["sql", "--json", sql]).as_array().cloned().unwrap_or_default()
    }
}

/// The binary in `folder` with a cleared environment.
pub(crate) fn bare(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_onrecord"));
    command.current_dir(folder).env_clear().args(arguments).stdin(Stdio::null());
    command
}

/// Standard error.
pub(crate) fn err(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Where shared fixtures and validators lie, beside the repository unless told otherwise.
pub(crate) fn shared() -> PathBuf {
    let near = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared");
    std::env::var_os("ONRECORD_SHARED").map_or(near, PathBuf::from)
}

/// Says plainly what was not checked.
pub(crate) fn absent(what: &str) {
    #[expect(clippy::print_stdout, reason = "a test that checks nothing must say so")]
    {
        println!("NOT CHECKED: {what}");
    }
}

/// The folder of the validators' tools.
pub(crate) fn validators() -> Option<PathBuf> {
    let home = || std::env::var_os("HOME").map(|home| Path::new(&home).join(".cache/onrecord-val"));
    std::env::var_os("VAL_VENV").map(PathBuf::from).or_else(home)
}

/// A Python with `cryptography`, which the second verifier needs.
fn python() -> Option<PathBuf> {
    let candidates = validators().map(|v| v.join("bin/python")).into_iter().chain([PathBuf::from("python3")]);
    candidates.into_iter().find(|python| {
        Command::new(python).args(["-c", "import cryptography"]).output().is_ok_and(|o| o.status.success())
    })
}

/// The WARC files of an archive, sealed or not.
pub(crate) fn warcs(archive: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> =
        fs::read_dir(archive.join("warc")).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

/// What `onrecord verify --json` says of an archive, and its exit code.
pub(crate) fn verify(archive: &Path) -> (Option<i32>, Value) {
    let folder = archive.parent().unwrap();
    let output = bare(folder, &["verify", "--json", "--archive", &archive.display().to_string()]).output().unwrap();
    let report = serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}: {}", err(&output)));
    (output.status.code(), report)
}

/// Proves the whole archive again: by our verifier, by the one in Python that shares no code with it, and by a WARC reader
/// of another project; and that none of them left a byte out.
pub(crate) fn prove(archive: &Path) {
    let (code, report) = verify(archive);
    assert_eq!((code, report["verdict"].as_str()), (Some(0), Some("intact")), "{report:#}");
    let files = warcs(archive);
    let bytes: u64 = files.iter().map(|file| file.metadata().unwrap().len()).sum();
    assert_eq!(report["checked"]["bytes"], bytes, "bytes were left out: {report:#}");
    assert_eq!(report["checked"]["records"], report["checked"]["leaves"], "{report:#}");
    let records: usize = files.iter().map(|file| others(file).len()).sum();
    assert_eq!(report["checked"]["warc_records"], records, "another reader counts otherwise: {report:#}");
    match python() {
        Some(python) => {
            let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tools/verify.py");
            let output = Command::new(python).arg(script).arg(archive).output().unwrap();
            let said = String::from_utf8_lossy(&output.stdout);
            assert_eq!(output.status.code(), Some(0), "{said}{}", err(&output));
            assert!(said.contains(&format!("bytes={bytes} ")), "the second verifier left bytes out: {said}");
        }
        None => absent("the second verifier, for there is no python3 with cryptography"),
    }
}

/// A WARC record as the `warc` crate reads it.
pub(crate) struct Other {
    /// WARC-Type
    pub(crate) kind: String,
    /// WARC-Record-ID, the UUID alone
    pub(crate) id: String,
    /// WARC-Target-URI
    pub(crate) uri: String,
    /// WARC-Refers-To, the UUID alone
    pub(crate) refers_to: String,
    /// the block
    pub(crate) block: Vec<u8>,
}

/// Every record of a file, as a reader of another project sees it.
pub(crate) fn others(file: &Path) -> Vec<Other> {
    use ::warc::WarcHeader;
    let bare = |id: &str| id.trim_matches(['<', '>']).trim_start_matches("urn:uuid:").to_owned();
    let reader = ::warc::WarcReader::from_path_gzip(file).unwrap();
    let mut records = Vec::new();
    for record in reader.iter_records() {
        let record = record.unwrap_or_else(|e| panic!("{}: {e}", file.display()));
        let field = |name: WarcHeader| record.header(name).map(|value| value.into_owned()).unwrap_or_default();
        records.push(Other {
            kind: record.warc_type().to_string(),
            id: bare(record.warc_id()),
            uri: field(WarcHeader::TargetURI),
            refers_to: bare(&field(WarcHeader::RefersTo)),
            block: record.body().to_vec(),
        });
    }
    records
}

/// Has four readers of other projects judge every WARC file: a strict ISO 28500 checker, warcio, FastWARC, cdxj-indexer.
pub(crate) fn judge(archive: &Path) {
    let script = shared().join("validators/check-warc.sh");
    if !script.exists() || !validators().is_some_and(|v| v.join("bin/warcio").exists()) {
        return absent("the WARC validators are not installed here");
    }
    let output = Command::new("bash").arg(script).arg("--sha256-required").args(warcs(archive)).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("CHECK-WARC PASS"), "{said}{}", err(&output));
}

/// Copies a folder with all that is in it.
pub(crate) fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// Every file under a folder with its bytes, in order.
pub(crate) fn everything(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut out = Vec::new();
    let Ok(entries) = fs::read_dir(folder) else { return out };
    for entry in entries {
        let path = entry.unwrap().path();
        if path.is_dir() {
            out.push((path.clone(), Vec::new()));
            out.extend(everything(&path));
        } else {
            let bytes = fs::read(&path).unwrap();
            out.push((path, bytes));
        }
    }
    out.sort();
    out
}
