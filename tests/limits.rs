//! Every bound as a setting, crossed through the real binary: what is cut, left or refused says so, and stays small.

use std::io::Read as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use onrecord::format::digest::Digest;
use onrecord::format::gzip::Packer;
use onrecord::format::json;
use onrecord::format::warc::record::Record;
use onrecord_replica::reply::{Piece, RawResponse, Reply, gzip};
use onrecord_replica::{Options, Replica};
use serde_json::Value;
use uuid::Uuid;

const HOST: &str = "bounds.replica.test";

/// An archive, and the loopback host that it asks.
struct World {
    replica: Replica,
    dir: tempfile::TempDir,
}

impl World {
    fn new() -> Self {
        let replica = Replica::start_blocking(Options::default()).unwrap();
        Self { replica, dir: tempfile::tempdir().unwrap() }
    }

    fn archive(&self) -> std::path::PathBuf {
        self.dir.path().join("archive")
    }

    /// Runs over a statement that names these paths, under these settings (`network.max-body=9`); the outcome.
    fn run(&self, paths: &[&str], settings: &[(&str, &str)]) -> Value {
        let statement = self.dir.path().join("statement.txt");
        let links: String = paths.iter().map(|path| format!("http://{HOST}{path}\n")).collect();
        std::fs::write(&statement, links).unwrap();
        self.run_over(&[&statement], settings)
    }

    /// The same over statements as they are.
    fn run_over(&self, statements: &[&Path], settings: &[(&str, &str)]) -> Value {
        let mut command = Command::new(env!("CARGO_BIN_EXE_onrecord"));
        command.env_clear().stdin(Stdio::null()).arg("--archive").arg(self.archive()).args(["-q", "--json", "run"]);
        command.args(statements).args(["--allow-net", "127.0.0.0/8"]);
        for rule in self.replica.connect_to() {
            command.args(["--connect-to", &rule]);
        }
        for (key, value) in settings {
            match key.split_once('.') {
                Some((section, key)) => {
                    let name = format!("ONRECORD_{section}_{key}").replace('-', "_").to_uppercase();
                    command.env(name, value)
                }
                None => command.env(key, value),
            };
        }
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// The same for one path: how it ended.
    fn ending(&self, path: &str, settings: &[(&str, &str)]) -> String {
        let outcome = self.run(&[path], settings);
        outcome["statements"][0]["citations"][0]["ending"].as_str().unwrap().to_owned()
    }

    fn ask<T: rusqlite::types::FromSql>(&self, sql: &str) -> T {
        let db = rusqlite::Connection::open(self.archive().join("onrecord.db")).unwrap();
        db.query_row(sql, [], |row| row.get(0)).unwrap()
    }

    fn warc_files(&self) -> usize {
        std::fs::read_dir(self.archive().join("warc")).unwrap().count()
    }

    fn is_intact(&self) -> bool {
        let mut command = Command::new(env!("CARGO_BIN_EXE_onrecord"));
        let output = command.env_clear().arg("--archive").arg(self.archive()).arg("verify").output().unwrap();
        output.status.success()
    }

    /// Everything that the last ended resolution says.
    fn told(&self) -> String {
        let index: i64 = self.ask("SELECT max(idx) FROM record WHERE kind = 'resolution.ended'");
        let mut command = Command::new(env!("CARGO_BIN_EXE_onrecord"));
        command.env_clear().arg("--archive").arg(self.archive()).args(["--json", "show", &index.to_string()]);
        String::from_utf8(command.output().unwrap().stdout).unwrap()
    }

    fn page(&self, path: &str, body: impl Into<Vec<u8>>) {
        self.replica.route(HOST, path, Reply::html(200, body));
    }

    fn asked(&self, path: &str) -> usize {
        self.replica.log().iter().filter(|served| served.host == HOST && served.target == path).count()
    }
}

fn archive_size(path: &Path) -> u64 {
    let entries = std::fs::read_dir(path).unwrap();
    entries.map(|entry| entry.unwrap().metadata().unwrap().len()).sum()
}

#[test]
fn hops() {
    let world = World::new();
    for n in 0..9 {
        world.replica.route(HOST, &format!("/h/{n}"), Reply::to(302, &format!("/h/{}", n + 1)));
    }
    world.page("/h/9", "<title>The end</title>");
    assert_eq!(world.ending("/h/0", &[("network.max-hops", "9")]), "too-many-hops");
    assert_eq!(world.asked("/h/9"), 0);
    assert_eq!(world.ending("/h/0", &[("network.max-hops", "10")]), "captured");
}

#[test]
fn bodies_heads_and_what_they_decode_to() {
    let world = World::new();
    let noise: Vec<u8> = (0..50_000_u32).flat_map(|n| n.wrapping_mul(2_654_435_761).to_be_bytes()).collect();
    world.replica.route(HOST, "/large", Reply::body(200, "text/plain", noise));
    assert_eq!(world.ending("/large", &[("network.max-body", "5000")]), "too-large");
    assert_eq!(world.ask::<i64>("SELECT max(payload_len) FROM exchange WHERE url LIKE '%/large'"), 5000);
    assert!(archive_size(&world.archive().join("warc")) < 30_000);
    assert!(world.is_intact());

    let header = "x".repeat(4000);
    world.replica.route(HOST, "/head", Reply::html(200, "hi").with("X-Long", header));
    assert_eq!(world.ending("/head", &[("network.max-head", "2000")]), "malformed");
    assert_eq!(world.ending("/head", &[]), "captured");

    let bomb = gzip(format!("<title>Bomb</title>{}", " ".repeat(1 << 20)).as_bytes());
    world.replica.route(HOST, "/bomb", Reply::html(200, bomb.clone()).with("Content-Encoding", "gzip"));
    for (n, bound) in [("network.max-decoded", "100000"), ("network.max-ratio", "3")].into_iter().enumerate() {
        world.run(&[&format!("/bomb?{n}")], &[bound]);
        let len: i64 = world.ask(&format!("SELECT payload_len FROM exchange WHERE url LIKE '%/bomb?{n}'"));
        assert_eq!(len, bomb.len() as i64, "the bytes as they came are kept whole");
        assert!(world.told().contains("decodes to more than"), "{bound:?}");
    }
    assert!(world.is_intact());
}

#[test]
fn time_of_an_exchange_and_of_a_citation() {
    let world = World::new();
    let slow =
        RawResponse::closing("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n").and(Piece::Pause(Duration::from_secs(30)));
    world.replica.route(HOST, "/slow", slow);
    assert_eq!(world.ending("/slow", &[("network.timeout", "1")]), "captured");
    assert_eq!(world.ask::<i64>("SELECT payload_len FROM exchange WHERE url LIKE '%/slow'"), 0);
    let silent = RawResponse::closing("").and(Piece::Pause(Duration::from_secs(30)));
    world.replica.route(HOST, "/silent", silent);
    assert_eq!(world.ending("/silent", &[("network.timeout", "1")]), "timeout");

    for n in 0..12 {
        let head = format!("HTTP/1.1 302 Found\r\nLocation: /step/{}\r\nContent-Length: 0\r\n\r\n", n + 1);
        let step =
            RawResponse::closing("").and(Piece::Pause(Duration::from_millis(400))).and(Piece::Bytes(head.into()));
        world.replica.route(HOST, &format!("/step/{n}"), step);
    }
    assert_eq!(world.ending("/step/0", &[("network.citation-timeout", "1")]), "timeout");
    assert_eq!(world.asked("/step/11"), 0);
}

#[test]
fn what_is_too_long_for_memory_has_a_file_of_its_own() {
    let world = World::new();
    world.replica.route(HOST, "/film", Reply::body(200, "video/mp4", vec![7; 300_000]));
    assert_eq!(world.ending("/film", &[("network.stream-from", "100000")]), "captured");
    assert_eq!(world.warc_files(), 2);
    assert!(world.is_intact());
}

/// The one document of ours of this sort: its items, once its bytes are those that its name says.
fn document(plain: &[u8], what: &str) -> Vec<Value> {
    let name = format!("WARC-Target-URI: urn:onrecord:{what}:");
    let places: Vec<usize> = memchr::memmem::find_iter(plain, &name).map(|at| at + name.len()).collect();
    let [at] = places[..] else { panic!("{} documents of {what}", places.len()) };
    let block = at + memchr::memmem::find(&plain[at..], b"\r\n\r\n").unwrap() + 4;
    let head = String::from_utf8(plain[at..block].to_vec()).unwrap();
    let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: ")).unwrap();
    let block = &plain[block..][..length.parse::<usize>().unwrap()];
    assert_eq!(Digest::of(block).hex(), head[..64]);
    assert!(json::is_canonical(block) && block.len() > 48 << 10, "{what}");
    serde_json::from_slice(block).unwrap()
}

#[test]
fn lists_too_long_for_memory_are_whole_documents() {
    let world = World::new();
    let mut paths: Vec<String> = (0..900).map(|n| format!("http://10.0.0.1/{n}")).collect();
    paths.extend((0..300).map(|n| format!("#tag{n}")));
    let statement = world.dir.path().join("statement.txt");
    std::fs::write(&statement, paths.join("\n")).unwrap();
    let outcome = world.run_over(&[&statement, &statement], &[]);
    let told: Vec<&Value> = (0..2).flat_map(|n| outcome["statements"][n]["citations"].as_array().unwrap()).collect();
    assert_eq!(told.len(), 2 * paths.len());
    for (one, raw) in told.iter().zip(paths.iter().cycle()) {
        let ending = if raw.starts_with('#') { Value::Null } else { "refused".into() };
        assert_eq!((one["raw"].as_str(), &one["ending"]), (Some(raw.as_str()), &ending));
    }
    assert_eq!(outcome["counts"]["planned"], 900);
    let mut plain = Vec::new();
    for file in std::fs::read_dir(world.archive().join("warc")).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        flate2::read::MultiGzDecoder::new(bytes.as_slice()).read_to_end(&mut plain).unwrap();
    }
    let ids = |list: &[Value]| list.iter().map(|one| one["id"].clone()).collect::<Vec<_>>();
    let citations = document(&plain, "citations");
    assert_eq!(ids(&citations), told[..paths.len()].iter().map(|one| one["id"].clone()).collect::<Vec<_>>());
    assert_eq!(document(&plain, "plan"), ids(&citations)[..900]);
    let outcomes = document(&plain, "outcomes");
    let ended: Vec<Value> = outcomes.iter().map(|one| one["citation"].clone()).collect();
    assert_eq!(ended, ids(&citations)[..900]);
    assert_eq!(world.ask::<i64>("SELECT count(*) FROM citation"), paths.len() as i64);
    assert_eq!(world.ask::<i64>("SELECT count(*) FROM run_plan"), 900);
    // Verifying makes every row anew, from the documents read whole, and compares.
    assert!(world.is_intact());
}

#[test]
fn what_unpacks_a_hundredfold_is_not_held_by_verify() {
    let world = World::new();
    world.page("/page", "a page");
    world.run(&["/page"], &[]);
    // Sound records that no ledger record names, each a document of ours by its shape: 100 MB in one.
    let mut file = std::fs::read_dir(world.archive().join("warc")).unwrap();
    let file = file.next().unwrap().unwrap().path();
    let mut bytes = std::fs::read(&file).unwrap();
    let before = bytes.len();
    let mut packer = Packer::default();
    for n in 0..1600_u128 {
        let block = format!("[{n},\"{}\"]", "a".repeat(60_000)).into_bytes();
        let added =
            Record::metadata(Uuid::from_u128(n), "2026-01-01T00:00:00Z".parse().unwrap(), "application/json", block);
        packer.deflated(&[&added.to_bytes()[..], b"\r\n\r\n"].concat(), &mut bytes);
    }
    assert!(bytes.len() - before < 1_500_000, "{}", bytes.len());
    std::fs::write(&file, bytes).unwrap();
    // Kilobytes of memory of its own that the process may come to have.
    let mut command = Command::new("sh");
    command.args([
        "-c",
        "ulimit -d 60000 && exec \"$0\" --archive archive verify --json",
        env!("CARGO_BIN_EXE_onrecord"),
    ]);
    let output = command.env_clear().current_dir(world.dir.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(5), "{}", String::from_utf8_lossy(&output.stderr));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let added = report["problems"].as_array().unwrap().iter().filter(|problem| problem["kind"] == "record-added");
    assert_eq!(added.count(), 1600);
}

#[test]
fn files_roll() {
    let world = World::new();
    for n in 0..4_u8 {
        world.replica.route(HOST, &format!("/{n}"), Reply::body(200, "image/png", vec![n; 20_000]));
    }
    world.run(&["/0", "/1", "/2", "/3"], &[("capture.warc-size", "30000")]);
    assert!(world.warc_files() >= 2, "{}", world.warc_files());
    assert!(world.is_intact());
}

#[test]
fn a_snapshot_costs_no_more_than_its_budget() {
    let world = World::new();
    let pictures: String = (0..12).map(|n| format!("<img src=/picture/{n}.png>")).collect();
    for path in ["/count", "/bytes", "/all", "/none"] {
        world.page(path, format!("<title>{path}</title>{pictures}"));
    }
    for n in 0..12_u8 {
        world.replica.route(HOST, &format!("/picture/{n}.png"), Reply::body(200, "image/png", vec![n; 9000]));
    }
    let parts = |path: &str| {
        let sql =
            "SELECT count(*) FROM snapshot_part p JOIN snapshot s ON s.record = p.snapshot WHERE p.role = 'requisite'";
        world.ask::<i64>(&format!("{sql} AND s.target LIKE '%{path}'"))
    };
    world.run(&["/count"], &[("capture.requisites-max", "2")]);
    assert_eq!(parts("/count"), 2);
    world.run(&["/bytes"], &[("capture.snapshot-max-bytes", "1")]);
    assert!(parts("/bytes") < 12, "{}", parts("/bytes"));
    world.run(&["/none"], &[("capture.requisites", "false")]);
    assert_eq!(parts("/none"), 0);
    world.run(&["/all"], &[]);
    assert_eq!(parts("/all"), 12);
    // What was left out is in the manifest, with the reason.
    let db = rusqlite::Connection::open(world.archive().join("onrecord.db")).unwrap();
    let id: Vec<u8> =
        db.query_row("SELECT id FROM snapshot WHERE target LIKE '%/count'", [], |row| row.get(0)).unwrap();
    let id: String = id.iter().map(|byte| format!("{byte:02x}")).collect();
    let mut show = Command::new(env!("CARGO_BIN_EXE_onrecord"));
    let shown =
        show.env_clear().arg("--archive").arg(world.archive()).args(["--json", "show"]).arg(format!("sha256:{id}"));
    let shown = String::from_utf8(shown.output().unwrap().stdout).unwrap();
    assert_eq!(shown.matches("the snapshot's requests are used up").count(), 10, "{shown}");
}

/// How three links end under a policy, and the world they were in.
fn under(policy: &str) -> (World, Vec<String>) {
    let world = World::new();
    let robots = "User-agent: onrecord\nDisallow: /private\n";
    world.replica.route(HOST, "/robots.txt", Reply::body(200, "text/plain", robots));
    world.page("/private/a", "<title>A</title><img src=/private/b.png>");
    world.page("/private/c", "<title>C</title>");
    world.page("/open", "<title>Open</title><img src=/private/b.png>");
    world.replica.route(HOST, "/private/b.png", Reply::body(200, "image/png", vec![1; 900]));
    let outcome = world.run(&["/private/a", "/private/c", "/open"], &[("capture.robots", policy)]);
    let citations = outcome["statements"][0]["citations"].as_array().unwrap();
    let endings = citations.iter().map(|c| c["ending"].as_str().unwrap().to_owned()).collect();
    (world, endings)
}

#[test]
fn robots_txt_is_kept_and_obeyed_only_where_asked_for() {
    let parts = |world: &World| world.ask::<i64>("SELECT count(*) FROM snapshot_part WHERE role = 'robots'");
    let (world, endings) = under("record");
    assert_eq!(endings, ["captured"; 3]);
    assert_eq!((world.asked("/robots.txt"), parts(&world)), (1, 3));
    assert_eq!(world.asked("/private/b.png"), 1);

    let (world, endings) = under("obey");
    assert_eq!(endings, ["refused", "refused", "captured"]);
    assert_eq!((world.asked("/robots.txt"), world.asked("/private/a"), world.asked("/private/b.png")), (1, 0, 0));
    let refused: String = world.ask("SELECT error FROM hops WHERE url LIKE '%/private/a'");
    assert!(refused.contains("robots.txt"), "{refused}");
    assert!(world.is_intact());

    let (world, endings) = under("ignore");
    assert_eq!(endings, ["captured"; 3]);
    assert_eq!((world.asked("/robots.txt"), parts(&world)), (0, 0));
}

#[test]
fn who_asks_says_how_to_be_reached_and_asks_no_proxy() {
    let world = World::new();
    world.page("/page", "<title>Page</title>");
    let proxy = "http://127.0.0.1:9";
    let settings = [
        ("network.contact", "https://archive.example/about"),
        ("http_proxy", proxy),
        ("https_proxy", proxy),
        ("HTTP_PROXY", proxy),
        ("ALL_PROXY", proxy),
        ("all_proxy", proxy),
    ];
    assert_eq!(world.ending("/page", &settings), "captured");
    let log = world.replica.log();
    let agent = &log.iter().find(|served| served.target == "/page").unwrap().user_agent;
    assert!(agent.starts_with("onrecord/") && agent.ends_with(" (+https://archive.example/about)"), "{agent}");
}
