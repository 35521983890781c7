//! A daemon under test: its folder, its loopback platforms, its process, and what it answers.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use onrecord_replica::{Options, Replica};
use serde_json::Value;
use tempfile::TempDir;

/// Nothing awaited here takes nearly so long; it only ends a test that would wait for ever.
const FOR_EVER: Duration = Duration::from_secs(240);

/// A folder with an archive in it, beside loopback platforms.
pub(super) struct House {
    dir: TempDir,
    pub(super) replica: Replica,
    settings: String,
}

impl House {
    /// `settings` are further lines of onrecord.toml.
    pub(super) fn new(options: Options, settings: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let replica = Replica::start_blocking(options).unwrap();
        fs::create_dir_all(dir.path().join("archive/statements")).unwrap();
        fs::write(dir.path().join("ca.pem"), replica.ca_pem()).unwrap();
        let house = Self { dir, replica, settings: settings.to_owned() };
        house.set(settings);
        house
    }

    /// Writes other settings.
    pub(super) fn set(&self, settings: &str) {
        let rules: Vec<String> = self.replica.connect_to().iter().map(|rule| format!("{rule:?}")).collect();
        // A section of the test's own goes into ours.
        let (network, settings) = match settings.strip_prefix("[network]\n") {
            Some(rest) => rest.split_once('\n').unwrap_or((rest, "")),
            None => ("", settings),
        };
        let text = format!(
            "[network]\n{network}\nconnect-to = [{}]\nca-cert = [{:?}]\nallow-net = [\"127.0.0.0/8\"]\n[serve]\nlisten = \"127.0.0.1:0\"\n{settings}",
            rules.join(", "),
            self.dir.path().join("ca.pem").display().to_string(),
        );
        fs::write(self.archive().join("onrecord.toml"), text).unwrap();
    }

    pub(super) fn archive(&self) -> PathBuf {
        self.dir.path().join("archive")
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_onrecord"));
        // Two at once, so that a run can be cut off in its middle.
        command.env_clear().env("ONRECORD_NETWORK_CONCURRENCY", "2");
        command.current_dir(self.dir.path()).env("PATH", "/usr/bin:/bin").args(arguments).stdin(Stdio::null());
        command
    }

    /// Runs another command over the archive.
    pub(super) fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// The same, which must end with 0; its JSON.
    pub(super) fn json(&self, arguments: &[&str]) -> Value {
        let output = self.run(&[arguments, &["--json"]].concat());
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// The first number a question to the catalogue gives.
    pub(super) fn count(&self, sql: &str) -> i64 {
        let db = rusqlite::Connection::open(self.archive().join("onrecord.db")).unwrap();
        db.query_row(sql, [], |row| row.get(0)).unwrap()
    }

    /// Changes the queue behind the daemon's back.
    pub(super) fn change(&self, sql: &str) {
        rusqlite::Connection::open(self.archive().join("onrecord.db")).unwrap().execute_batch(sql).unwrap();
    }

    /// Drops a statement into the inbox.
    pub(super) fn drop_in(&self, name: &str, text: &str) {
        fs::write(self.archive().join("statements").join(name), text).unwrap();
    }

    pub(super) fn start(&self) -> Process {
        self.start_as(&["daemon", "--json"], &[])
    }

    /// Starts it with these arguments and, besides its own, these variables.
    pub(super) fn start_as(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Process {
        self.set_if_missing();
        let mut command = self.command(arguments);
        command.envs(variables.iter().copied());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let lines = Arc::new(Mutex::new(Vec::new()));
        let (stderr, kept) = (child.stderr.take().unwrap(), lines.clone());
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                kept.lock().unwrap().push(line);
            }
        });
        let mut process = Process { child, lines, at: None };
        let ready = process.until("daemon ready");
        process.at = serde_json::from_str::<Value>(&ready).unwrap()["at"].as_str().and_then(|at| at.parse().ok());
        process
    }

    fn set_if_missing(&self) {
        if !self.archive().join("onrecord.toml").exists() {
            self.set(&self.settings);
        }
    }
}

/// A running daemon. It is killed when dropped.
pub(super) struct Process {
    child: Child,
    lines: Arc<Mutex<Vec<String>>>,
    at: Option<SocketAddr>,
}

impl Process {
    /// Its number.
    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Its log so far.
    pub(super) fn log(&self) -> Vec<String> {
        self.lines.lock().unwrap().clone()
    }

    /// Waits for a line of its log that has `word` in it.
    pub(super) fn until(&mut self, word: &str) -> String {
        self.until_times(word, 1)
    }

    /// Waits for the nth such line.
    pub(super) fn until_times(&mut self, word: &str, times: usize) -> String {
        let began = Instant::now();
        loop {
            let found: Vec<String> = self.log().into_iter().filter(|line| line.contains(word)).collect();
            if let Some(line) = found.get(times - 1) {
                return line.clone();
            }
            let ended = self.child.try_wait().unwrap();
            assert!(
                ended.is_none() && began.elapsed() < FOR_EVER,
                "{ended:?}: no {word:?} in\n{}",
                self.log().join("\n")
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Waits until `so`, looking now and then.
    pub(super) fn until_so(&mut self, what: &str, so: impl Fn() -> bool) {
        let began = Instant::now();
        while !so() {
            let ended = self.child.try_wait().unwrap();
            assert!(ended.is_none() && began.elapsed() < FOR_EVER, "{ended:?}: not {what}:\n{}", self.log().join("\n"));
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn signal(&self, signal: rustix::process::Signal) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, signal).unwrap();
    }

    pub(super) fn hang_up(&self) {
        self.signal(rustix::process::Signal::HUP);
    }

    /// Asks it to stop and waits until it says that it will.
    pub(super) fn tell_to_stop(&mut self) {
        self.signal(rustix::process::Signal::TERM);
        self.until("stopping: ");
    }

    /// Asks it to stop and waits; its exit code and what it printed.
    pub(super) fn stop(self) -> (Option<i32>, String) {
        self.signal(rustix::process::Signal::TERM);
        self.ended()
    }

    /// Waits for its end; its exit code and what it printed.
    pub(super) fn ended(mut self) -> (Option<i32>, String) {
        let code = self.child.wait().unwrap().code();
        let mut out = String::new();
        self.child.stdout.take().unwrap().read_to_string(&mut out).unwrap();
        (code, out)
    }

    /// Kills it as a power cut would.
    pub(super) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    pub(super) fn get(&self, path: &str) -> (u16, String) {
        self.ask(&format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"))
    }

    pub(super) fn post(&self, path: &str, headers: &str, body: &str) -> (u16, String) {
        let length = body.len();
        self.ask(&format!(
            "POST {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n{body}"
        ))
    }

    fn ask(&self, request: &str) -> (u16, String) {
        let mut socket = TcpStream::connect(self.at.unwrap()).unwrap();
        socket.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).unwrap();
        let status = answer.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or(0);
        (status, answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap_or_default())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A site whose page comes when it is let go, and not before.
pub(super) struct Held {
    pub(super) url: String,
    asked: Arc<AtomicBool>,
    gate: Arc<(Mutex<bool>, Condvar)>,
}

impl Held {
    pub(super) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/page", listener.local_addr().unwrap());
        let (asked, gate) = (Arc::new(AtomicBool::new(false)), Arc::new((Mutex::new(false), Condvar::new())));
        let held = Self { url, asked: asked.clone(), gate: gate.clone() };
        std::thread::spawn(move || {
            for socket in listener.incoming().map_while(Result::ok) {
                let (asked, gate) = (asked.clone(), gate.clone());
                std::thread::spawn(move || {
                    if request(&socket).is_some_and(|request| request.starts_with("GET /page ")) {
                        asked.store(true, Ordering::Release);
                        drop(gate.1.wait_while(gate.0.lock().unwrap(), |open| !*open).unwrap());
                    }
                    let _ = (&socket).write_all(
                        b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 4\r\nConnection: close\r\n\r\nhere",
                    );
                });
            }
        });
        held
    }

    /// Whether its page has been asked for.
    pub(super) fn is_asked(&self) -> bool {
        self.asked.load(Ordering::Acquire)
    }

    pub(super) fn let_go(&self) {
        *self.gate.0.lock().unwrap() = true;
        self.gate.1.notify_all();
    }
}

/// A receiver of webhooks: it answers each request with the next status and keeps what came.
pub(super) struct Receiver {
    pub(super) url: String,
    pub(super) got: Arc<Mutex<Vec<String>>>,
}

impl Receiver {
    /// After `statuses` are used up it answers 204.
    pub(super) fn start(statuses: &[u16]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let got = Arc::new(Mutex::new(Vec::new()));
        let (kept, statuses) = (got.clone(), statuses.to_vec());
        let mut statuses = statuses.into_iter();
        std::thread::spawn(move || {
            for socket in listener.incoming().map_while(Result::ok) {
                if let Some(request) = request(&socket) {
                    kept.lock().unwrap().push(request);
                    let status = statuses.next().unwrap_or(204);
                    let _ = (&socket).write_all(
                        format!("HTTP/1.1 {status} X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").as_bytes(),
                    );
                }
            }
        });
        Self { url, got }
    }

    pub(super) fn got(&self) -> Vec<String> {
        self.got.lock().unwrap().clone()
    }
}

fn request(socket: &TcpStream) -> Option<String> {
    let mut reader = BufReader::new(socket);
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 || line == "\r\n" {
            break;
        }
        if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
        head.push_str(&line);
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(format!("{head}\n{}", String::from_utf8_lossy(&body)))
}

/// A mail server that takes one letter after the other; the letters as they came.
pub(super) fn mail_server() -> (SocketAddr, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (at, got) = (listener.local_addr().unwrap(), Arc::new(Mutex::new(Vec::new())));
    let kept = got.clone();
    std::thread::spawn(move || {
        for socket in listener.incoming().map_while(Result::ok) {
            let mut reader = BufReader::new(&socket);
            let say = |line: &str| (&socket).write_all(format!("{line}\r\n").as_bytes());
            let _ = say("220 here");
            let mut line = String::new();
            while reader.read_line(&mut line).is_ok_and(|n| n > 0) {
                let word = line.split_whitespace().next().unwrap_or_default().to_uppercase();
                match word.as_str() {
                    "EHLO" => drop(say("250 here")),
                    "DATA" => {
                        let _ = say("354 go on");
                        let mut letter = String::new();
                        while reader.read_line(&mut letter).is_ok_and(|n| n > 0) && !letter.ends_with("\r\n.\r\n") {}
                        kept.lock().unwrap().push(letter);
                        let _ = say("250 kept");
                    }
                    "QUIT" => {
                        let _ = say("221 bye");
                        break;
                    }
                    _ => drop(say("250 yes")),
                }
                line.clear();
            }
        }
    });
    (at, got)
}

/// Checks a text of metrics as promtool does: every line has its place, every metric help, type and a name that fits.
pub(super) fn metrics(text: &str) -> Vec<(String, f64)> {
    let mut samples: Vec<(String, f64)> = Vec::new();
    let (mut helped, mut typed): (Vec<String>, Vec<(String, String)>) = (Vec::new(), Vec::new());
    assert!(text.ends_with('\n'), "the last line ends");
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            let (name, help) = rest.split_once(' ').expect("help has words");
            assert!(help.ends_with('.'), "{line}");
            assert!(!helped.contains(&name.to_owned()), "{name} is there twice");
            helped.push(name.to_owned());
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').expect("a type");
            assert_eq!(helped.last().map(String::as_str), Some(name), "help comes before type");
            assert!(matches!(kind, "counter" | "gauge"), "{line}");
            assert_eq!(kind == "counter", name.ends_with("_total"), "counters, and only they, end in _total: {line}");
            typed.push((name.to_owned(), kind.to_owned()));
        } else {
            let (series, value) = line.rsplit_once(' ').expect("a value");
            let name = series.split('{').next().unwrap();
            assert!(
                !name.is_empty() && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_'),
                "{line}"
            );
            assert_eq!(
                typed.last().map(|(name, _)| name.as_str()),
                Some(name),
                "samples stand under their type: {line}"
            );
            if let Some(labels) = series.strip_prefix(name).filter(|labels| !labels.is_empty()) {
                assert!(labels.starts_with('{') && labels.ends_with("\"}") && labels.contains("=\""), "{line}");
            }
            assert!(!samples.iter().any(|(other, _)| other == series), "{series} is there twice");
            samples.push((series.to_owned(), value.parse().expect("a number")));
        }
    }
    samples
}

pub(super) fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap()
}
