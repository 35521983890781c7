//! Anchoring against a timestamp authority, a calendar and a node on loopback, each a script of its own; and against
//! those that misbehave.

use std::collections::HashSet;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use onrecord::format::checkpoint::Signed;
use onrecord::format::digest::Digest;
use onrecord::format::note::KeyKind;
use onrecord::format::tsp::Roots;
use onrecord::work::anchor::{Anchors, Kind, Outcome, Settings, State, name};
use onrecord::world::durable::Disk;
use onrecord::world::keys::SecretKey;
use onrecord::world::services::Services;
use onrecord::world::services::node::Headers;
use onrecord::world::tiles::Log;
use url::Url;

/// A script that serves until it is dropped.
struct Served {
    child: Child,
    url: Url,
    ready: String,
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn scripts() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared");
    let shared = std::env::var_os("ONRECORD_SHARED").map_or(beside, PathBuf::from);
    let scripts = shared.join("validators");
    let there = scripts.join("local-tsa.py").exists() && Command::new("python3").arg("-V").output().is_ok();
    if !there {
        #[expect(clippy::print_stdout, reason = "a test that checks nothing must say so")]
        {
            println!("not run: {} or python3 is not there", scripts.display());
        }
    }
    there.then_some(scripts)
}

fn serve(script: &Path, arguments: &[&str]) -> Served {
    let mut child = Command::new("python3").arg(script).args(arguments).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let ready = line.trim().to_owned();
    let url = ready.split(' ').nth(1).unwrap().parse().unwrap();
    Served { child, url, ready }
}

/// What a script says of itself besides: its folder.
fn roots(authority: &Served) -> Roots {
    let folder = Path::new(authority.ready.split(' ').nth(2).unwrap());
    Roots::from_pem(&std::fs::read(folder.join("ca.pem")).unwrap()).unwrap()
}

fn services() -> Services {
    Services::new("onrecord-test", Duration::from_secs(20), &[]).unwrap()
}

fn log(folder: &Path) -> Signed {
    let signer = SecretKey::generate().unwrap().signer("log.example".parse().unwrap(), KeyKind::Ed25519).unwrap();
    let mut log = Log::create(folder, &signer, &Disk::default()).unwrap();
    log.append(&[Digest::of(b"one"), Digest::of(b"two")]);
    log.commit(&signer).unwrap().clone()
}

fn anchors(folder: &Path, settings: Settings) -> Anchors {
    Anchors::new(folder, settings, services(), Disk::default())
}

fn failures(outcome: &Outcome) -> Vec<String> {
    outcome.failed.iter().map(|(_, failure)| failure.to_string()).collect()
}

/// A request by hand: the calendar's control, which no client of ours has.
fn post(url: &Url, path: &str) {
    let mut stream = std::net::TcpStream::connect((url.host_str().unwrap(), url.port().unwrap())).unwrap();
    write!(stream, "POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").unwrap();
    stream.read_to_string(&mut String::new()).unwrap();
}

#[tokio::test]
async fn a_checkpoint_is_stamped_promised_and_at_last_confirmed() {
    let Some(scripts) = scripts() else { return };
    let folder = tempfile::tempdir().unwrap();
    let signed = log(folder.path());
    let authority = serve(&scripts.join("local-tsa.py"), &[]);
    let calendar = serve(&scripts.join("local-calendar.py"), &[]);
    let mut settings = Settings {
        authorities: vec![authority.url.clone()],
        roots: roots(&authority),
        calendars: vec![calendar.url.clone()],
        ..Settings::default()
    };
    let outcome = anchors(folder.path(), settings.clone()).anchor(&signed).await.unwrap();
    assert_eq!(failures(&outcome), Vec::<String>::new());
    let mut states: Vec<_> = outcome.added.iter().map(|a| (a.kind, a.state, a.size)).collect();
    states.sort_by_key(|(kind, ..)| *kind == Kind::Ots);
    assert_eq!(states, [(Kind::Tsr, State::Verified, 2), (Kind::Ots, State::Pending, 2)]);
    for anchor in &outcome.added {
        let bytes = std::fs::read(folder.path().join("anchors").join(&anchor.file)).unwrap();
        assert_eq!(Digest::of(&bytes), anchor.digest);
    }
    judged_by_openssl(folder.path(), &authority);

    let again = anchors(folder.path(), settings.clone()).anchor(&signed).await.unwrap();
    assert!(again.added.is_empty() && again.failed.is_empty(), "no one is asked twice");
    let waiting = anchors(folder.path(), settings.clone()).upgrade(&HashSet::new()).await.unwrap();
    assert!(waiting.added.is_empty() && waiting.failed.is_empty(), "still pending, and called nothing else");

    post(&calendar.url, "/_mine");
    settings.headers = Some(Headers::Node(calendar.url.clone()));
    let outcome = anchors(folder.path(), settings.clone()).upgrade(&HashSet::new()).await.unwrap();
    assert_eq!(failures(&outcome), Vec::<String>::new());
    let [confirmed] = &outcome.added[..] else { panic!("{outcome:?}") };
    assert_eq!((confirmed.state, &confirmed.authority), (State::Confirmed, &name(&calendar.url)));
    assert!(confirmed.at.is_some());
    // Until a record names it, the old proof stays in its place; a crash now, and the same is found again.
    let file = folder.path().join("anchors").join(&confirmed.file);
    assert_ne!(Digest::of(&std::fs::read(&file).unwrap()), confirmed.digest);
    let all = HashSet::from([confirmed.file.clone()]);
    let again = anchors(folder.path(), settings.clone()).upgrade(&all).await.unwrap();
    assert_eq!((&again.added, &again.changed), (&outcome.added, &all));
    anchors(folder.path(), settings.clone()).settle(&again.added).unwrap();
    assert_eq!(Digest::of(&std::fs::read(&file).unwrap()), confirmed.digest);
    let done = anchors(folder.path(), settings.clone()).upgrade(&all).await.unwrap();
    assert!(done.added.is_empty() && done.failed.is_empty(), "{done:?}");
    judged_by_references(&scripts, folder.path(), &authority, &calendar);
}

/// The reference client of OpenTimestamps and a second reader of tokens, through the scripts that drive them.
fn judged_by_references(scripts: &Path, folder: &Path, authority: &Served, calendar: &Served) {
    let home = std::env::var_os("HOME").map(PathBuf::from).unwrap_or_default();
    let installed = std::env::var_os("VAL_VENV").map_or(home.join(".cache/onrecord-val"), PathBuf::from);
    if !installed.join("bin/ots").exists() {
        #[expect(clippy::print_stdout, reason = "a test that checks nothing must say so")]
        {
            println!("not run: the reference client of OpenTimestamps is not installed");
        }
        return;
    }
    let judge = |script: &str, arguments: &[&str]| {
        let mut run = Command::new("bash");
        run.arg(scripts.join(script)).args(arguments).current_dir(folder.join("anchors"));
        let run = run.output().unwrap();
        let said = String::from_utf8_lossy(&run.stdout).into_owned();
        assert!(run.status.success(), "{script}: {said}{}", String::from_utf8_lossy(&run.stderr));
        said
    };
    let node = calendar.url.as_str().trim_end_matches('/').replace("http://", "http://u:p@");
    let proof = format!("2.{}.ots", name(&calendar.url));
    let said = judge("check-ots.sh", &["--data", "2.checkpoint", "--node", &node, &proof]);
    assert!(said.contains("bitcoin=1"), "{said}");
    let ca = format!("{}/ca.pem", authority.ready.split(' ').nth(2).unwrap());
    let stem = format!("2.{}", name(&authority.url));
    let (query, token) = (format!("{stem}.tsq"), format!("{stem}.tsr"));
    judge("check-tsr.sh", &["--ca", &ca, "--data", "2.checkpoint", "--query", &query, &token]);
}

/// The command that stands in the archive's README.
fn judged_by_openssl(folder: &Path, authority: &Served) {
    let file = format!("2.{}.tsr", name(&authority.url));
    let ca = Path::new(authority.ready.split(' ').nth(2).unwrap()).join("ca.pem");
    let verify = Command::new("openssl")
        .args(["ts", "-verify", "-data", "2.checkpoint", "-in", &file, "-CAfile"])
        .arg(ca)
        .current_dir(folder.join("anchors"))
        .output()
        .unwrap();
    assert!(verify.status.success(), "{}", String::from_utf8_lossy(&verify.stderr));
}

#[tokio::test]
async fn authorities_that_misbehave_are_named_and_leave_nothing() {
    let Some(scripts) = scripts() else { return };
    for (bad, expected) in [
        ("imprint", "the token stamps another digest"),
        ("nonce", "the token answers another nonce"),
        ("reject", "the authority rejected the request (status 2)"),
        ("html", "it answered 200 text/html"),
        ("http500", "it answered 500 text/plain"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let signed = log(folder.path());
        let authority = serve(&scripts.join("local-tsa.py"), &["--bad", bad]);
        let pinned = roots(&authority);
        let settings = Settings { authorities: vec![authority.url.clone()], roots: pinned, ..Settings::default() };
        let outcome = anchors(folder.path(), settings).anchor(&signed).await.unwrap();
        assert_eq!(failures(&outcome), [expected], "{bad}");
        assert!(outcome.added.is_empty());
        let kept: Vec<_> = std::fs::read_dir(folder.path().join("anchors")).unwrap().flatten().collect();
        assert_eq!(kept.len(), 1, "only the checkpoint");
    }
}

#[tokio::test]
async fn calendars_that_misbehave_are_named_and_leave_nothing() {
    let Some(scripts) = scripts() else { return };
    for (bad, expected) in
        [("big", "it answered 200"), ("http500", "it answered 500"), ("garbage", "the OpenTimestamps proof")]
    {
        let folder = tempfile::tempdir().unwrap();
        let signed = log(folder.path());
        let calendar = serve(&scripts.join("local-calendar.py"), &["--bad", bad]);
        let settings = Settings { calendars: vec![calendar.url.clone()], ..Settings::default() };
        let outcome = anchors(folder.path(), settings).anchor(&signed).await.unwrap();
        let [said] = &failures(&outcome)[..] else { panic!("{outcome:?}") };
        assert!(said.contains(expected), "{bad}: {said}");
        assert!(outcome.added.is_empty());
    }
}

#[tokio::test]
async fn a_block_that_says_otherwise_is_not_a_confirmation() {
    let Some(scripts) = scripts() else { return };
    let folder = tempfile::tempdir().unwrap();
    let signed = log(folder.path());
    let calendar = serve(&scripts.join("local-calendar.py"), &["--bad", "badroot"]);
    let settings = Settings {
        calendars: vec![calendar.url.clone()],
        headers: Some(Headers::Node(calendar.url.clone())),
        ..Settings::default()
    };
    anchors(folder.path(), settings.clone()).anchor(&signed).await.unwrap();
    post(&calendar.url, "/_mine");
    let outcome = anchors(folder.path(), settings).upgrade(&HashSet::new()).await.unwrap();
    let [said] = &failures(&outcome)[..] else { panic!("{outcome:?}") };
    assert!(said.starts_with("the header of block"), "{said}");
}

#[tokio::test]
async fn an_authority_that_is_not_there_is_named_and_harms_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let signed = log(folder.path());
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let url: Url = format!("http://{closed}/").parse().unwrap();
    let settings = Settings { authorities: vec![url], ..Settings::default() };
    let outcome = anchors(folder.path(), settings).anchor(&signed).await.unwrap();
    let [said] = &failures(&outcome)[..] else { panic!("{outcome:?}") };
    assert!(said.contains("ask http://127.0.0.1") && said.contains("refused"), "{said}");
}
