//! A randomness beacon on loopback that signs with a key of its own: its rounds open runs, and one that lies opens none.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::{Arc, Mutex};

use blst::min_sig::SecretKey;
use jiff::Timestamp;
use onrecord::format::digest::Digest;
use onrecord::format::drand::{Chain, Hex, Scheme};
use serde_json::{Value, json};

/// What signs rounds.
pub(crate) struct Signer {
    key: SecretKey,
    pub(crate) chain: Chain,
}

impl Signer {
    /// A chain with a round every 3 seconds since 2026.
    pub(crate) fn new(seed: u8) -> Self {
        let key = SecretKey::key_gen(&[seed; 32], &[]).unwrap();
        let mut chain = Chain {
            hash: Hex::of(&[]),
            scheme: Scheme::UnchainedG1,
            public_key: Hex::of(&key.sk_to_pk().to_bytes()),
            period: 3,
            genesis_time: 1_767_225_600,
            seed: Hex::of(&[seed; 32]),
            id: "loopback".to_owned(),
        };
        chain.hash = chain.computed();
        Self { key, chain }
    }

    pub(crate) fn sign(&self, round: u64) -> Hex {
        let message = Digest::of(&round.to_be_bytes());
        Hex::of(&self.key.sign(&message.0, b"BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_NUL_", &[]).to_bytes())
    }

    /// The round due now.
    pub(crate) fn now(&self) -> u64 {
        ((Timestamp::now().as_second() - self.chain.genesis_time) / 3 + 1).unsigned_abs()
    }

    fn info(&self) -> Value {
        json!({
            "public_key": self.chain.public_key, "period": self.chain.period, "genesis_time": self.chain.genesis_time,
            "hash": self.chain.hash, "groupHash": self.chain.seed, "schemeID": "bls-unchained-g1-rfc9380",
            "metadata": {"beaconID": self.chain.id},
        })
    }

    fn latest(&self, round: u64) -> Value {
        let signature = self.sign(round);
        json!({"round": round, "signature": signature, "randomness": Digest::of(signature.bytes()).hex()})
    }
}

/// Answers of a server by the end of the path.
type Answers = Arc<Mutex<Vec<(&'static str, String)>>>;

/// A server of a chain, for as long as the test runs.
pub(crate) struct Served {
    pub(crate) url: String,
    answers: Answers,
}

pub(crate) fn serve(signer: &Signer) -> Served {
    let answers: Answers = Arc::default();
    let served = Served { url: String::new(), answers: answers.clone() };
    served.say("/info", signer.info().to_string());
    served.say("/public/latest", signer.latest(signer.now()).to_string());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/{}", listener.local_addr().unwrap(), signer.chain.hash);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut lines = BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok);
            let first = lines.next().unwrap_or_default();
            let path = first.split(' ').nth(1).unwrap_or_default().to_owned();
            lines.find(|line| line.is_empty());
            let answers = answers.lock().unwrap();
            let found = answers.iter().find(|(end, _)| path.ends_with(end));
            let (status, body) = found.map_or(("404 Not Found", ""), |(_, body)| ("200 OK", body.as_str()));
            let length = body.len();
            let head = format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
            let _ = stream.write_all(format!("{head}{body}").as_bytes());
        }
    });
    Served { url, ..served }
}

impl Served {
    fn say(&self, end: &'static str, body: String) {
        let mut answers = self.answers.lock().unwrap();
        answers.retain(|(other, _)| *other != end);
        answers.push((end, body));
    }
}

/// Runs over a statement that cites nothing, in an archive that this beacon opens runs of.
pub(crate) fn run(archive: &Path, beacon: &str, more: &[&str]) -> Output {
    std::fs::create_dir_all(archive).unwrap();
    std::fs::write(archive.join("onrecord.toml"), format!("[anchor]\nbeacon = \"{beacon}\"\n")).unwrap();
    let statement = archive.parent().unwrap().join("statement.txt");
    std::fs::write(&statement, "Nothing in here leads anywhere.\n").unwrap();
    let run = Command::new(env!("CARGO_BIN_EXE_onrecord"))
        .arg("--archive")
        .arg(archive)
        .args(["run", "--json"])
        .args(more)
        .arg(&statement)
        .output()
        .unwrap();
    assert_eq!(run.status.code(), Some(0), "{}", String::from_utf8_lossy(&run.stderr));
    run
}

fn onrecord(archive: &Path, arguments: &[&str]) -> (Option<i32>, Value) {
    let run = Command::new(env!("CARGO_BIN_EXE_onrecord")).arg("--archive").arg(archive).args(arguments).output();
    let run = run.unwrap();
    (run.status.code(), serde_json::from_slice(&run.stdout).unwrap_or_default())
}

fn said(run: &Output) -> (Value, String) {
    (serde_json::from_slice(&run.stdout).unwrap(), String::from_utf8_lossy(&run.stderr).into_owned())
}

#[test]
fn a_round_opens_the_run_and_is_verified_again() {
    let folder = tempfile::tempdir().unwrap();
    let archive = folder.path().join("archive");
    let signer = Signer::new(1);
    let served = serve(&signer);
    let (outcome, _) = said(&run(&archive, &served.url, &[]));
    let due = outcome["beacon"]["not_before"].as_str().unwrap().parse::<Timestamp>().unwrap();
    let age = Timestamp::now().duration_since(due);
    assert!((0..600).contains(&age.as_secs()), "{outcome}");

    let (code, report) = onrecord(&archive, &["verify", "--json"]);
    assert_eq!((code, &report["verdict"]), (Some(0), &json!("intact")), "{report}");
    assert!(report["notes"].to_string().contains("1 runs were opened with a round"), "{report}");

    let id = outcome["run"].as_str().unwrap();
    assert_eq!(&id[14..15], "8", "the id is made, not drawn: {id}");
    let (_, shown) = onrecord(&archive, &["show", "--json", id]);
    assert_eq!(shown["not_before"]["at"], outcome["beacon"]["not_before"], "{shown}");
    // Every record of the run is bounded by the round, the closing one too.
    let closing = shown["closing_record"].to_string();
    let (_, closing) = onrecord(&archive, &["show", "--json", &closing]);
    assert_eq!(closing["not_before"]["round"], outcome["beacon"]["round"], "{closing}");
    let (code, one) = onrecord(&archive, &["verify", "--json", &shown["opening_record"].to_string()]);
    assert_eq!(code, Some(0), "{one}");
    assert!(one["notes"].to_string().contains("opened with a round"), "{one}");

    // A chain that nobody told the verifier of is somebody's own.
    std::fs::remove_file(archive.join("onrecord.toml")).unwrap();
    let (code, report) = onrecord(&archive, &["verify", "--json"]);
    assert_eq!(code, Some(0), "{report}");
    assert!(report["not_checked"].to_string().contains(&signer.chain.hash.to_string()), "{report}");
    assert!(!report["notes"].to_string().contains("opened with a round"), "{report}");
}

#[test]
fn a_beacon_that_is_silent_or_lies_opens_nothing_and_stops_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (signer, other) = (Signer::new(2), Signer::new(3));
    let served = serve(&signer);
    let now = signer.now();
    let good = signer.latest(now);
    let with = |key: &str, value: Value| {
        let mut answer = good.clone();
        answer[key] = value;
        answer.to_string()
    };
    let forged = other.latest(now).to_string();
    let cases = [
        ("/public/latest", forged, "signature of round"),
        ("/public/latest", with("round", json!(now + 1)), "signature of round"),
        ("/public/latest", with("randomness", json!("00".repeat(32))), "randomness"),
        ("/public/latest", signer.latest(now + 1000).to_string(), "one of the two is wrong"),
        ("/public/latest", "<html>".to_owned(), "not a round"),
        ("/info", other.info().to_string(), "the chain is"),
        ("/info", "{}".to_owned(), "not a chain"),
    ];
    for (n, (end, answer, why)) in cases.into_iter().enumerate() {
        served.say("/info", signer.info().to_string());
        served.say("/public/latest", good.to_string());
        served.say(end, answer);
        let archive = folder.path().join(format!("{n}"));
        let (outcome, told) = said(&run(&archive, &served.url, &[]));
        assert!(outcome["beacon"]["failed"].to_string().contains(why), "{why}: {outcome}");
        assert!(told.contains(why), "{why}: {told}");
        let (code, report) = onrecord(&archive, &["verify", "--json"]);
        assert_eq!(code, Some(0), "{report}");
        assert!(!report["notes"].to_string().contains("opened with a round"), "{report}");
    }
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let archive = folder.path().join("nobody");
    let (outcome, told) = said(&run(&archive, &format!("http://{nobody}"), &[]));
    assert!(outcome["beacon"]["failed"].is_string() && told.contains("names no round"), "{outcome}{told}");
    let (outcome, told) = said(&run(&archive, &served.url, &["--offline"]));
    assert!(outcome["beacon"]["failed"].to_string().contains("not to be asked"), "{outcome}{told}");
}

#[test]
fn an_old_round_is_taken_and_said_to_be_old() {
    let folder = tempfile::tempdir().unwrap();
    let signer = Signer::new(4);
    let served = serve(&signer);
    served.say("/public/latest", signer.latest(signer.now() - 1000).to_string());
    let (outcome, told) = said(&run(&folder.path().join("archive"), &served.url, &[]));
    assert!(outcome["beacon"]["round"].as_u64().unwrap() < signer.now() - 900, "{outcome}");
    assert!(told.contains("that old"), "{told}");
}
