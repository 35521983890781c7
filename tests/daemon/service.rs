//! The daemon as a service: what systemd is told, and that unit and container agree with the binary.

use std::collections::BTreeMap;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use onrecord_replica::Options;

use super::house::{House, read};

fn packaged(name: &str) -> String {
    read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging").join(name))
}

/// The lines of a unit, by key; a key that comes twice has both values.
fn unit() -> BTreeMap<String, Vec<String>> {
    let mut out: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for line in packaged("onrecord.service").lines().filter(|line| !line.starts_with(['#', '['])) {
        if let Some((key, value)) = line.split_once('=') {
            out.entry(key.to_owned()).or_default().push(value.to_owned());
        }
    }
    out
}

/// What systemd hears.
struct Ear(UnixDatagram);

impl Ear {
    fn at(path: &Path) -> Self {
        let socket = UnixDatagram::bind(path).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(240))).unwrap();
        Self(socket)
    }

    /// The next message in which `word` is a line, or begins one.
    fn until(&self, word: &str) -> String {
        loop {
            let mut bytes = [0; 4096];
            let length = self.0.recv(&mut bytes).unwrap_or_else(|e| panic!("no {word}: {e}"));
            let message = String::from_utf8_lossy(&bytes[..length]).into_owned();
            if message.lines().any(|line| line.starts_with(word)) {
                return message;
            }
        }
    }
}

#[test]
fn systemd_is_told_when_it_is_ready_reloads_is_well_and_stops() {
    let house = House::new(Options::default(), "");
    let path = house.path("notify");
    let ear = Ear::at(&path);
    let socket = path.display().to_string();
    let daemon = house.start_as(&["daemon", "--json"], &[("NOTIFY_SOCKET", &socket), ("WATCHDOG_USEC", "400000")]);
    let ready = ear.until("READY=1");
    assert!(ready.contains("STATUS=listening at 127.0.0.1:"), "{ready}");
    for _ in 0..3 {
        ear.until("WATCHDOG=1");
    }
    daemon.hang_up();
    // systemd from 253 on wants both in one message.
    let reloading = ear.until("RELOADING=1");
    let since = reloading.lines().find_map(|line| line.strip_prefix("MONOTONIC_USEC="));
    assert!(since.is_some_and(|since| since.parse::<u64>().is_ok_and(|since| since > 0)), "{reloading}");
    ear.until("READY=1");
    house.set("[schedule]\nruns = \"never\"\n");
    daemon.hang_up();
    ear.until("RELOADING=1");
    ear.until("READY=1");
    assert_eq!(daemon.stop().0, Some(0));
    let stopping = ear.until("STOPPING=1");
    assert!(stopping.contains("EXTEND_TIMEOUT_USEC="), "{stopping}");
}

#[test]
fn a_watchdog_that_waits_for_another_process_hears_nothing() {
    let house = House::new(Options::default(), "");
    let path = house.path("notify");
    let ear = Ear::at(&path);
    let socket = path.display().to_string();
    let others = [("NOTIFY_SOCKET", socket.as_str()), ("WATCHDOG_USEC", "1000"), ("WATCHDOG_PID", "1")];
    let daemon = house.start_as(&["daemon", "--json"], &others);
    ear.until("READY=1");
    assert_eq!(daemon.stop().0, Some(0));
    let mut bytes = [0; 4096];
    let length = ear.0.recv(&mut bytes).unwrap();
    let next = String::from_utf8_lossy(&bytes[..length]);
    assert!(next.contains("STOPPING=1"), "{next}");
}

#[test]
fn the_unit_starts_what_the_binary_understands() {
    let unit = unit();
    let one = |key: &str| unit.get(key).and_then(|values| values.last()).unwrap_or_else(|| panic!("no {key}")).clone();
    let house = House::new(Options::default(), "");
    let root = house.archive().display().to_string();
    let line = one("ExecStart").replace("/var/lib/onrecord/archive", &root);
    let words: Vec<&str> = line.split_whitespace().collect();
    assert_eq!(words.first(), Some(&"/usr/bin/onrecord"));
    let daemon = house.start_as(&words[1..], &[]);
    assert_eq!(daemon.stop().0, Some(0));
    assert_eq!(one("Type"), "notify");
    assert_eq!(one("ExecReload"), "/bin/kill -HUP $MAINPID");
    assert_eq!(one("StateDirectory"), "onrecord", "the archive of ExecStart lies in it");
    // What starting again does not help against; the codes are the contract's.
    assert_eq!(one("RestartPreventExitStatus"), "2 5 6");
    // The longest stop is the default grace, ten seconds to close, and some.
    let config = house.json(&["config"]);
    let grace = config["settings"].as_array().unwrap().iter().find(|row| row["key"] == "schedule.grace").unwrap();
    assert_eq!(grace["value"], 30, "{grace}");
    assert!(one("TimeoutStopSec").parse::<u64>().unwrap() >= 30 + 10);
    // And where the tool that knows is there, it is asked.
    let path = house.path("onrecord.service");
    let text = packaged("onrecord.service").replace("/usr/bin/onrecord", env!("CARGO_BIN_EXE_onrecord"));
    std::fs::write(&path, text).unwrap();
    let asked = Command::new("systemd-analyze").args(["verify", "--man=no"]).arg(&path).output();
    let Ok(said) = asked else { return absent() };
    let said = String::from_utf8_lossy(&said.stderr).into_owned();
    let ours: Vec<&str> = said.lines().filter(|line| line.contains("onrecord.service")).collect();
    assert!(ours.is_empty(), "{said}");
}

#[expect(clippy::print_stdout, reason = "a check that was not made is said to be so")]
fn absent() {
    println!("systemd-analyze is absent: the unit was read by this test alone");
}

#[test]
fn the_container_starts_what_the_binary_understands() {
    let text = packaged("Dockerfile");
    let line = |word: &str| text.lines().rfind(|line| line.starts_with(word)).unwrap_or_else(|| panic!("no {word}"));
    let list = |word: &str| -> Vec<String> { serde_json::from_str(line(word).split_once(' ').unwrap().1).unwrap() };
    assert_eq!(list("ENTRYPOINT"), ["/usr/bin/onrecord"]);
    let arguments = list("CMD");
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let variables: BTreeMap<&str, &str> =
        line("ENV").split_whitespace().skip(1).filter_map(|word| word.split_once('=')).collect();
    let port = variables["ONRECORD_SERVE_LISTEN"].rsplit(':').next().unwrap();
    assert_eq!(line("EXPOSE"), format!("EXPOSE {port}"));
    let house = House::new(Options::default(), "");
    let root = house.archive().display().to_string();
    let listen = variables["ONRECORD_SERVE_LISTEN"].replace(port, "0");
    let set: Vec<(&str, &str)> = variables
        .keys()
        .map(|name| match *name {
            "ONRECORD_ARCHIVE" => (*name, root.as_str()),
            "ONRECORD_SERVE_LISTEN" => (*name, listen.as_str()),
            other => panic!("{other} is set, and no test knows it"),
        })
        .collect();
    let daemon = house.start_as(&arguments, &set);
    assert_eq!(daemon.stop().0, Some(0));
    // Built as Cargo.toml wants it.
    let manifest = read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml"));
    let version = manifest.lines().find_map(|line| line.strip_prefix("rust-version = ")).unwrap().trim_matches('"');
    assert!(text.lines().any(|line| line.starts_with(&format!("FROM rust:{version}-"))), "rust {version}");
    assert!(text.contains("cargo build --release --locked --no-default-features"), "no replica in the container");
}
