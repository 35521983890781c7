//! The corridor, end to end: a statement in, its cited posts on record, through the real binary, the production network path
//! and the loopback platforms; and what becomes of an archive that is asked twice, cut short or robbed of its index.

mod damage;

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use onrecord::format::digest::Digest;
use onrecord_replica::post::State;
use onrecord_replica::world::Outage;
use serde_json::Value;

use crate::world::{World, absent, bare, err, everything, judge, others, prove, shared, verify, warcs};

const SAMPLE: &str = include_str!("../../archive/statements/kazakhstan-election-2019.txt");

/// The founding case: links that lead where, posts of whom.
const LINKS: [(&str, &[&str]); 3] = [
    (
        "https://t.co/AEoFZOhI3p",
        &[
            "start 301 https://t.co/AEoFZOhI3p",
            "http-301 200 https://eeas.europa.eu/headquarters/headquarters-homepage/63902/presidential-elections-republic-kazakhstan_en",
        ],
    ),
    (
        "https://t.co/Mph7cr3obq",
        &[
            "start 301 https://t.co/Mph7cr3obq",
            "http-301 301 https://bit.ly/2KcTQx8",
            "http-301 200 https://asiatimes.com/2019/06/article/kazakhstan-elects-handpicked-successor/",
        ],
    ),
    (
        "pic.twitter.com/AZJTrKcoce",
        &[
            "start 301 https://pic.twitter.com/AZJTrKcoce",
            "http-301 301 https://t.co/AZJTrKcoce",
            "http-301 - https://twitter.com/rayhandemytrie/status/1137954480378105856/photo/1",
        ],
    ),
];
const POSTS: [(&str, &str, &str, &str, &str); 3] = [
    ("Maja Kocijančič", "MajaEUspox", "2019-06-10", "On the presidential elections", "x:1138099655561728000"),
    ("Asia Times", "asiatimesonline", "2019-06-09", "Kazakhstan elected the hand-picked", "x:1137867300842524672"),
    ("rayhan demytrie", "rayhandemytrie", "2019-06-10", "The site of Sunday protests", "x:1137954480378105856"),
];

/// A world that has run over the sample statement once.
fn founded() -> (World, Value) {
    let world = World::new();
    world.file("statement.txt", SAMPLE);
    let outcome = world.run(&["statement.txt"]);
    (world, outcome)
}

fn citations(outcome: &Value) -> &Vec<Value> {
    outcome["statements"][0]["citations"].as_array().unwrap()
}

fn endings(outcome: &Value) -> Vec<String> {
    let statements = outcome["statements"].as_array().unwrap();
    let citations = statements.iter().flat_map(|s| s["citations"].as_array().unwrap());
    citations.filter_map(|c| c["ending"].as_str()).map(str::to_owned).collect()
}

/// Everything issue after issue hangs on, of one statement that cites the founding three posts.
fn assert_founding_case(world: &World, name: &str, bytes: &[u8]) {
    let cited = world.json(&["cite", "--json", name]);
    let outcome = world.run(&[name]);
    let counts = &outcome["counts"];
    assert_eq!((&counts["planned"], &counts["ended"], &counts["captured"]), (&9.into(), &9.into(), &9.into()));
    // The three posts are named: by whom, when, in which words, and which post on the platform each is.
    for (author, handle, date, words, post) in POSTS {
        let of = |c: &&Value| c["kind"] == "post" && c["handle"] == handle;
        let named = cited["statements"][0]["citations"].as_array().unwrap().iter().find(of).unwrap();
        assert_eq!((named["author"].as_str(), named["date"].as_str()), (Some(author), Some(date)));
        assert!(named["quoted"].as_str().unwrap().starts_with(words), "{named}");
        let ended = citations(&outcome).iter().find(|c| c["id"] == named["id"]).unwrap();
        assert_eq!((ended["ending"].as_str(), ended["post"].as_str()), (Some("captured"), Some(post)), "{ended}");
        assert_eq!(ended["findings"][0]["verdict"], "corroborated", "{ended:#}");
        assert!(ended["snapshot"].as_str().unwrap().starts_with("sha256:"));
    }
    // Each link's hops are listed one by one.
    for (raw, hops) in LINKS {
        let link = citations(&outcome).iter().find(|c| c["kind"] == "link" && c["raw"] == raw).unwrap();
        let rows = world.sql(&format!(
            "SELECT h.via || ' ' || coalesce(h.status, '-') || ' ' || h.url AS hop FROM hops h JOIN resolutions r \
             ON r.ledger_index = h.ledger_index WHERE r.citation = '{}' ORDER BY h.n",
            link["id"].as_str().unwrap()
        ));
        let listed: Vec<&str> = rows.iter().map(|row| row["hop"].as_str().unwrap()).collect();
        assert_eq!(listed, hops);
    }
    // The statement's bytes come back unchanged.
    let rows = world.sql("SELECT bytes, lower(hex(id)) AS id FROM statement");
    let back = data_encoding::HEXLOWER.decode(rows[0]["bytes"].as_str().unwrap().as_bytes()).unwrap();
    assert_eq!(back, bytes);
    assert_eq!(rows[0]["id"], Digest::of(bytes).hex());
}

#[test]
fn the_sample_statement_is_put_on_record() {
    let world = World::new();
    world.file("statement.txt", SAMPLE);
    assert_founding_case(&world, "statement.txt", SAMPLE.as_bytes());
    judge(&world.archive());
}

#[test]
fn the_statement_that_all_of_it_was_made_for() {
    let folder = shared().join("seed");
    let Some(file) = fs::read_dir(&folder).ok().and_then(|mut entries| entries.next()) else {
        return absent("the founding statement itself, which is not here");
    };
    let bytes = fs::read(file.unwrap().path()).unwrap();
    let world = World::new();
    world.file("statement.txt", &bytes);
    assert_founding_case(&world, "statement.txt", &bytes);
}

#[test]
fn a_statement_of_our_own_ends_whole() {
    let world = World::new();
    let remnants: Vec<String> = ["true", "deleted", "withheld", "deleted-unkept", "emoji"]
        .iter()
        .map(|name| world.replica.set(|w| w.posts[&w.cast[name]].remnant()))
        .collect();
    let text = format!(
        "Harbour diary, 2024-06-05\n\nWhat was said of the lock, and by whom.\n\n{}\n\nSee also \
         https://asiatimes.com/2019/06/article/kazakhstan-elects-handpicked-successor/ and https://no-such-page.example/x.\n",
        remnants.join("\n\n")
    );
    world.file("diary.txt", &text);
    let outcome = world.run(&["diary.txt"]);
    assert_eq!(outcome["counts"]["planned"], outcome["counts"]["ended"], "{outcome:#}");
    let posts: Vec<_> = citations(&outcome).iter().filter(|c| c["kind"] == "post").collect();
    assert_eq!(posts.len(), remnants.len(), "{outcome:#}");
    assert!(posts.iter().filter(|c| c["post"].is_string()).count() >= 3, "{outcome:#}");
    assert!(citations(&outcome).iter().all(|c| c["kind"] == "hashtag" || c["ending"].is_string()));
    judge(&world.archive());
}

#[test]
fn a_second_run_adds_no_content() {
    let (mut world, first) = founded();
    let count = |world: &World, table: &str| world.sql(&format!("SELECT count(*) AS n FROM {table}"))[0]["n"].clone();
    let tables = ["statement", "citation", "snapshot", "post"];
    let before: Vec<Value> = tables.iter().map(|table| count(&world, table)).collect();
    let bodies = "SELECT coalesce(sum(payload_len), 0) AS bytes FROM exchange WHERE refers_to IS NULL";
    let kept = world.sql(bodies)[0]["bytes"].as_u64().unwrap();
    assert!(kept > 50_000, "{kept} bytes of bodies are too few to mean anything");
    world.pass(1);
    let second = world.run(&["statement.txt"]);
    assert!(endings(&second).iter().all(|ending| ending == "unchanged"), "{second:#}");
    assert_eq!(second["counts"]["ended"], 9);
    let ids = |outcome: &Value| -> Vec<Value> { citations(outcome).iter().map(|c| c["snapshot"].clone()).collect() };
    assert_eq!(ids(&first), ids(&second), "the same snapshots stand");
    assert_eq!(before, tables.iter().map(|table| count(&world, table)).collect::<Vec<_>>());
    assert_eq!(world.sql(bodies)[0]["bytes"].as_u64(), Some(kept), "a body was kept twice");
    assert_eq!(world.sql("SELECT count(*) AS n FROM runs")[0]["n"], 2);
}

#[test]
fn statements_come_twice_from_standard_input_and_from_the_inbox() {
    let mut world = World::new();
    world.file("statement.txt", SAMPLE);
    let outcome = world.run(&["statement.txt", "./statement.txt"]);
    let statements = outcome["statements"].as_array().unwrap();
    assert_eq!(statements.len(), 2, "one entry per argument, repeats included");
    assert_eq!(statements[0]["citations"], statements[1]["citations"]);
    assert_eq!(outcome["counts"]["planned"], 9, "followed once");

    let mut child =
        world.networked(&["run", "--json", "-"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), SAMPLE.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    let piped: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(piped["statements"][0]["id"], statements[0]["id"]);
    prove(&world.archive());
    let sources = world.sql("SELECT source FROM statement_source ORDER BY source");
    let sources: Vec<&str> = sources.iter().map(|row| row["source"].as_str().unwrap()).collect();
    assert_eq!(sources, ["-", "./statement.txt", "statement.txt"]);

    // Twice the same in one run: the second is found out though the first may still be on its way.
    world.file("new.txt", "See https://t.co/AEoFZOhI3p, says @MajaEUspox.");
    assert_eq!(world.run(&["new.txt", "new.txt"])["statements"].as_array().unwrap().len(), 2);
    assert_eq!(world.sql("SELECT count(*) AS n FROM statement_source WHERE source = 'new.txt'")[0]["n"], 1);
    assert_eq!(world.sql("SELECT count(*) AS n FROM record WHERE kind = 'statement.added'")[0]["n"], 4);

    // Nothing new and nothing due: an empty run, on record like any other.
    assert_eq!(world.run(&[])["counts"]["planned"], 0);
    fs::write(world.archive().join("statements/note.txt"), "See https://t.co/Mph7cr3obq for more.").unwrap();
    let inbox = world.run(&[]);
    assert_eq!((&inbox["counts"]["planned"], &inbox["counts"]["captured"]), (&1.into(), &1.into()), "{inbox:#}");
    world.pass(25);
    let due = world.run(&[]);
    assert_eq!(due["counts"]["planned"], 12, "after a day everything is due again: {due:#}");
    assert!(endings(&due).iter().all(|ending| ending == "unchanged"), "{due:#}");
}

/// So many that more than one thread reads their records.
#[test]
fn what_is_due_of_many_statements_is_taken_up_in_their_order() {
    let mut world = World::new();
    let names: Vec<String> = (0..200).map(|n| format!("statement-{n:03}.txt")).collect();
    for (n, name) in names.iter().enumerate() {
        world.file(name, format!("Statement {n} cites https://t.co/AEoFZOhI3p alone."));
    }
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    assert_eq!(world.run(&names)["counts"]["planned"], 200);
    world.pass(25);
    let due = world.run(&[]);
    let sources: Vec<&str> =
        due["statements"].as_array().unwrap().iter().map(|one| one["source"].as_str().unwrap()).collect();
    assert_eq!(sources, names);
    assert_eq!((&due["counts"]["planned"], &due["counts"]["unchanged"]), (&200.into(), &200.into()));
}

#[test]
fn a_page_is_captured_and_then_read() {
    let world = World::new();
    let page = format!("<!doctype html><title>Diary</title><p>{}</p>", "See https://t.co/Mph7cr3obq for more.");
    world.replica.set(|w| {
        w.page("diary.example/now", onrecord_replica::reply::Reply::html(200, page));
        w.page("diary.example/", onrecord_replica::reply::Reply::to(302, "https://diary.example/now"));
    });
    let outcome = world.run(&["https://diary.example/"]);
    assert_eq!((&outcome["counts"]["planned"], &outcome["counts"]["captured"]), (&1.into(), &1.into()), "{outcome:#}");
    assert_eq!(world.sql("SELECT source FROM statement")[0]["source"], "https://diary.example/");
}

/// What the replica put on the wire and what the archive keeps, exchange by exchange.
#[test]
fn the_bytes_kept_are_the_bytes_served() {
    let (mut world, _) = founded();
    world.pass(1);
    world.run(&["statement.txt"]);
    let records: Vec<_> = warcs(&world.archive()).iter().flat_map(|file| others(file)).collect();
    let by_id: HashMap<&str, usize> = records.iter().enumerate().map(|(n, r)| (r.id.as_str(), n)).collect();
    let mut kept: BTreeMap<(String, Digest), usize> = BTreeMap::new();
    let mut asked: BTreeMap<(String, Digest), usize> = BTreeMap::new();
    let (mut whole, mut referred) = (0, 0);
    for record in &records {
        let uri = record.uri.clone();
        match record.kind.as_str() {
            "response" => {
                *kept.entry((uri, Digest::of(&record.block))).or_default() += 1;
                whole += 1;
            }
            // The head as it came, and the body of the record it refers to, in the framing it came in.
            "revisit" => {
                let body = &records[by_id[record.refers_to.as_str()]].block;
                assert_eq!(records[by_id[record.refers_to.as_str()]].kind, "response");
                let start = body.windows(4).position(|four| four == b"\r\n\r\n").unwrap() + 4;
                *kept.entry((uri, Digest::of(&[&record.block, &body[start..]].concat()))).or_default() += 1;
                referred += 1;
            }
            "request" => *asked.entry((uri, Digest::of(&record.block))).or_default() += 1,
            _ => {}
        }
    }
    let mut served: BTreeMap<(String, Digest), usize> = BTreeMap::new();
    let mut requests: BTreeMap<(String, Digest), usize> = BTreeMap::new();
    for exchange in world.replica.log() {
        *served.entry((exchange.url(), Digest(exchange.final_sha256))).or_default() += 1;
        *requests.entry((exchange.url(), Digest(exchange.request_sha256))).or_default() += 1;
    }
    assert!(whole > 30 && referred > 30, "{whole} whole and {referred} referred records are too few to mean anything");
    let difference = |one: &BTreeMap<_, usize>, other: &BTreeMap<(String, Digest), usize>| -> Vec<String> {
        one.iter().filter(|(key, n)| other.get(key) != Some(n)).map(|((url, _), n)| format!("{n} x {url}")).collect()
    };
    assert_eq!(difference(&served, &kept), [""; 0], "served and not kept as served");
    assert_eq!(difference(&kept, &served), [""; 0], "kept and never served");
    assert_eq!(difference(&requests, &asked), [""; 0], "asked and not kept as asked");
    assert_eq!(difference(&asked, &requests), [""; 0], "kept and never asked");
}

/// Every table of a catalogue as text, but for the queue's timers and the index of words.
fn tables(archive: &Path) -> BTreeMap<String, Vec<String>> {
    let db = rusqlite::Connection::open(archive.join("onrecord.db")).unwrap();
    let mut names =
        db.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'words%'").unwrap();
    let names: Vec<String> = names.query_map([], |r| r.get(0)).unwrap().map(Result::unwrap).collect();
    let mut out = BTreeMap::new();
    for name in names.into_iter().filter(|name| name != "due") {
        let mut rows = db.prepare(&format!("SELECT * FROM \"{name}\"")).unwrap();
        let width = rows.column_count();
        let rows = rows.query_map([], |r| Ok((0..width).map(|n| format!("{:?}|", r.get_ref(n).unwrap())).collect()));
        let mut rows: Vec<String> = rows.unwrap().map(Result::unwrap).collect();
        rows.sort();
        out.insert(name, rows);
    }
    out
}

#[test]
fn a_lost_database_is_made_anew_row_for_row() {
    let (mut world, outcome) = founded();
    world.replica.set(|w| w.gone.insert("x:1138099655561728000".into()));
    world.pass(1);
    world.run(&["statement.txt"]);
    let statement = outcome["statements"][0]["id"].as_str().unwrap().to_owned();
    let mut ids: Vec<String> = vec![statement, "0".into(), "5".into(), POSTS[1].4.into()];
    for citation in citations(&outcome) {
        ids.extend([&citation["id"], &citation["snapshot"]].into_iter().filter_map(Value::as_str).map(str::to_owned));
    }
    let answers = |world: &World| -> Vec<Vec<u8>> {
        let mut out = Vec::new();
        for arguments in
            [&["query", "--json"][..], &["query", "--json", "riot"], &["query", "--json", "--verdict", "corroborated"]]
        {
            let output = world.command(arguments).output().unwrap();
            assert_eq!(output.status.code(), Some(0), "{}", err(&output));
            assert!(!output.stdout.is_empty(), "{arguments:?} finds nothing");
            out.push(output.stdout);
        }
        for id in &ids {
            let output = world.command(&["show", "--json", id]).output().unwrap();
            assert_eq!(output.status.code(), Some(0), "{id}: {}", err(&output));
            out.push(output.stdout);
        }
        out
    };
    let (rows, said) = (tables(&world.archive()), answers(&world));
    assert!(rows.values().map(Vec::len).sum::<usize>() > 500);
    fs::remove_file(world.archive().join("onrecord.db")).unwrap();
    let output = world.command(&["reindex"]).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    prove(&world.archive());
    assert_eq!(tables(&world.archive()), rows);
    assert_eq!(answers(&world), said);
    // Over a catalogue that is broken, and by a plain run over none at all.
    world.file("archive/onrecord.db", "no database at all, but long enough to be looked at as one ".repeat(40));
    let output = world.command(&["query"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", err(&output));
    assert_eq!(world.command(&["reindex"]).output().unwrap().status.code(), Some(0));
    assert_eq!(tables(&world.archive()), rows);
    fs::remove_file(world.archive().join("onrecord.db")).unwrap();
    assert_eq!(world.run(&["statement.txt"])["counts"]["ended"], 9);
}

#[test]
fn an_interrupted_run_closes_cleanly_and_is_taken_up_again() {
    let world = World::new();
    world.file("statement.txt", SAMPLE);
    world.replica.set(|w| w.latencies.insert(String::new(), std::time::Duration::from_millis(60)));
    let mut child = world
        .networked(&["run", "--json", "--concurrency", "1", "statement.txt"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let first = lines.find(|line| line.as_ref().is_ok_and(|line| line.starts_with("[1/9]"))).unwrap().unwrap();
    assert!(first.contains("captured"), "{first}");
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    let rest = std::thread::spawn(move || lines.map_while(Result::ok).collect::<Vec<_>>());
    let output = child.wait_with_output().unwrap();
    let said = rest.join().unwrap();
    assert_eq!(output.status.code(), Some(130), "{said:?}");
    let outcome: Value = serde_json::from_slice(&output.stdout).unwrap();
    let ended = outcome["counts"]["ended"].as_u64().unwrap();
    assert!((1..9).contains(&ended), "{outcome:#}");
    prove(&world.archive());
    let runs = world.sql("SELECT planned, ended, closed FROM runs");
    assert_eq!((&runs[0]["planned"], &runs[0]["ended"]), (&9.into(), &ended.into()));
    assert!(runs[0]["closed"].is_string(), "an interrupted run is closed");
    world.replica.set(|w| w.latencies.insert(String::new(), std::time::Duration::ZERO));
    let again = world.run(&["statement.txt"]);
    assert_eq!(again["counts"]["ended"], 9);
    assert_eq!(again["counts"]["unchanged"], ended, "{again:#}");
}

#[test]
fn without_a_network_everything_ends_offline() {
    let world = World::new();
    world.file("statement.txt", SAMPLE);
    let output = world.networked(&["run", "--json", "--offline", "statement.txt"]).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    let outcome: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&outcome["counts"]["ended"], &outcome["counts"]["offline"]), (&9.into(), &9.into()));
    assert_eq!(world.replica.connections(), 0, "nobody was asked");
    prove(&world.archive());
    let strict = world.networked(&["run", "--offline", "--strict", "statement.txt"]).output().unwrap();
    assert!(String::from_utf8_lossy(&strict.stderr).contains("were captured"), "why it ends with 4 is said");
    assert_eq!(strict.status.code(), Some(4), "{}", err(&strict));
    prove(&world.archive());
}

#[test]
fn what_is_no_more_ends_as_what_it_is() {
    let (mut world, _) = founded();
    world.replica.set(|w| {
        w.gone.insert("asiatimes.com/2019/06/article/kazakhstan-elects-handpicked-successor/".into());
        w.posts.get_mut(&1_137_954_480_378_105_856).unwrap().made.state = State::Suspended;
        w.posts.get_mut(&1_137_954_480_378_105_856).unwrap().made.archived.clear();
        w.captures.retain(|capture| !capture.original.contains("1137954480378105856"));
        w.outages.insert("eeas.europa.eu".into(), Outage::Refuse);
    });
    world.pass(1);
    let outcome = world.run(&["statement.txt"]);
    assert_eq!(outcome["counts"]["ended"], 9, "{outcome:#}");
    let of = |raw: &str| {
        let found = citations(&outcome).iter().find(|c| c["kind"] != "post" && c["raw"] == raw);
        found.unwrap()["ending"].as_str().unwrap().to_owned()
    };
    assert_eq!(of("https://t.co/Mph7cr3obq"), "gone", "{outcome:#}");
    assert_eq!(of("https://t.co/AEoFZOhI3p"), "unreachable");
    assert_eq!(of("pic.twitter.com/AZJTrKcoce"), "suspended");
    // What was captured before stands, and can be asked for.
    let kept = world.sql("SELECT count(*) AS n FROM posts WHERE name = 'x:1137954480378105856'");
    assert!(kept[0]["n"].as_u64() >= Some(1), "{kept:#?}");
}

#[test]
fn an_archive_in_use_names_its_holder() {
    let (world, _) = founded();
    let before = everything(&world.archive());
    let held = onrecord::world::lock::Lock::take(&world.archive()).unwrap();
    for arguments in [&["run", "--offline", "statement.txt"][..], &["init"], &["reindex"]] {
        let output = world.command(arguments).output().unwrap();
        let said = err(&output);
        assert_eq!(output.status.code(), Some(6), "{arguments:?}: {said}");
        assert!(said.contains(&format!("in use by process {}", std::process::id())), "{said}");
        assert_eq!(said.lines().count(), 2, "{said}");
    }
    // Readers need no lock.
    for arguments in [&["verify"][..], &["query"], &["sql", "SELECT count(*) FROM records"], &["show", "0"]] {
        assert_eq!(world.command(arguments).output().unwrap().status.code(), Some(0), "{arguments:?}");
    }
    drop(held);
    let bytes = |files: Vec<(PathBuf, Vec<u8>)>| -> Vec<_> {
        let ours = |path: &Path| !path.ends_with(".lock") && !path.to_string_lossy().contains("onrecord.db-");
        files.into_iter().filter(|(path, _)| ours(path)).collect()
    };
    assert_eq!(bytes(everything(&world.archive())), bytes(before), "whoever is refused writes nothing");
}

#[test]
fn a_frozen_world_says_that_it_is_one_and_comes_out_the_same_twice() {
    let worlds: Vec<(World, Value)> = (0..2).map(|_| founded()).collect();
    let facts = |outcome: &Value| -> Vec<String> {
        let of = |c: &Value| format!("{} {} {} {} {}", c["id"], c["ending"], c["final_url"], c["hops"], c["post"]);
        citations(outcome).iter().map(of).collect()
    };
    assert_eq!(facts(&worlds[0].1), facts(&worlds[1].1));
    for (world, _) in &worlds {
        let software = world.sql("SELECT value FROM meta WHERE key = 'software'");
        assert!(software[0]["value"].as_str().unwrap().contains("its clock stands still, its randomness has a seed"));
        let moments = world.sql("SELECT DISTINCT at FROM records");
        assert_eq!(moments.len(), 1, "one instant: {moments:?}");
        assert_eq!(moments[0]["at"], world.now());
    }
    // Keys are never made from a seed.
    let key = |world: &World| fs::read(world.archive().join("keys/ledger.pem")).unwrap();
    assert_ne!(key(&worlds[0].0), key(&worlds[1].0));
    let plain = tempfile::tempdir().unwrap();
    assert_eq!(bare(plain.path(), &["init"]).output().unwrap().status.code(), Some(0));
    let said = bare(plain.path(), &["sql", "SELECT value FROM meta WHERE key = 'software'"]).output().unwrap();
    assert!(!String::from_utf8_lossy(&said.stdout).contains("a test"));
    let refused = bare(plain.path(), &["init"]).env("ONRECORD_TEST_SEED", "many").output().unwrap();
    assert_eq!(refused.status.code(), Some(2), "{}", err(&refused));
}

#[test]
fn the_demonstration_runs_twice_in_one_folder() {
    let folder = tempfile::tempdir().unwrap();
    for ending in ["captured", "unchanged"] {
        let output = bare(folder.path(), &["demo"]).output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert_eq!(output.status.code(), Some(0), "{}", err(&output));
        assert!(said.contains(&format!("9 of 9 citations ended: 9 {ending}")), "{said}");
        prove(&folder.path().join("onrecord-demo"));
    }
    let names: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(names, ["onrecord-demo"], "a demonstration leaves its archive and nothing else");
}

#[test]
fn a_run_that_was_killed_is_brought_level_by_the_next() {
    let world = World::new();
    world.file("statement.txt", SAMPLE);
    world.replica.set(|w| w.latencies.insert(String::new(), std::time::Duration::from_millis(40)));
    let mut child = world
        .networked(&["run", "--concurrency", "3", "statement.txt"])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    lines.find(|line| line.as_ref().is_ok_and(|line| line.starts_with("[2/9]"))).unwrap().unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    let (code, report) = verify(&world.archive());
    assert_eq!((code, report["verdict"].as_str()), (Some(0), Some("intact")), "{report:#}");
    assert!(report["notes"].to_string().contains("was cut off"), "verify says so: {report:#}");
    // What was acknowledged is there, and what the killed process had kept besides is named by the next.
    let ended = world.sql("SELECT count(*) AS n FROM resolutions")[0]["n"].as_u64().unwrap();
    assert!(ended >= 2, "{ended}");
    world.replica.set(|w| w.latencies.insert(String::new(), std::time::Duration::ZERO));
    let again = world.run(&["statement.txt"]);
    assert_eq!(again["counts"]["ended"], 9);
    assert_eq!(world.sql("SELECT count(*) AS n FROM warc_record WHERE record IS NULL")[0]["n"], 0);
    assert_eq!(world.sql("SELECT count(*) AS n FROM runs WHERE closed IS NULL")[0]["n"], 1, "it stays visible");
}

#[test]
fn in_files_as_small_as_can_be_every_record_is_named() {
    let world = World::new();
    fs::create_dir_all(world.archive()).unwrap();
    fs::write(world.archive().join("onrecord.toml"), "[capture]\nwarc-size = \"1 KiB\"\n").unwrap();
    world.file("one.txt", "The site of Sunday protests: https://t.co/AEoFZOhI3p (June 9, 2019).\n");
    world.run(&["one.txt"]);
    let files = fs::read_dir(world.archive().join("warc")).unwrap().count();
    assert!(files > 10, "only {files} files");
}
