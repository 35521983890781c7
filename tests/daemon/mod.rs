//! The daemon: the real process with real files, against the loopback platforms.

mod house;
mod month;
mod service;
mod told;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use onrecord_replica::Options;
use onrecord_replica::reply::Reply;
use serde_json::Value;

use self::house::{Held, House, metrics, read};

const STATEMENT: &str =
    "2019-06-10 The Union's foreign service said: https://t.co/AEoFZOhI3p and others https://t.co/Mph7cr3obq\n";

fn house() -> House {
    House::new(Options::default(), "")
}

fn captured(house: &House) -> i64 {
    house.count("SELECT count(*) FROM resolution WHERE ending IN ('captured', 'unchanged')")
}

#[test]
fn a_statement_dropped_in_is_archived_and_everything_verifies() {
    let house = house();
    let mut daemon = house.start();
    house.drop_in("first.txt.part", "half of it https://t.co/AEoFZOhI3p");
    house.drop_in("first.txt", STATEMENT);
    daemon.until("run closed");
    assert_eq!(house.count("SELECT count(*) FROM statement"), 1, "an unfinished file is left alone");
    assert_eq!(daemon.get("/healthz").0, 200);
    assert_eq!(daemon.get("/readyz").0, 200);
    assert_eq!(daemon.get("/nothing").0, 404);
    // The run is counted when its report is made, a moment after it says that it is closed.
    let counted = |text: &str| text.contains("onrecord_runs_total{result=\"closed\"} 1\n");
    let asked = (0..200).map(|_| {
        std::thread::sleep(std::time::Duration::from_millis(25));
        daemon.get("/metrics")
    });
    let (status, text) = asked.into_iter().find(|(_, text)| counted(text)).expect("the run was never counted");
    assert_eq!(status, 200);
    let samples = metrics(&text);
    let sample = |name: &str| samples.iter().find(|(series, _)| series == name).map(|(_, value)| *value);
    assert_eq!(sample("onrecord_citations_total{kind=\"link\"}"), Some(2.0), "{text}");
    assert_eq!(sample("onrecord_ready"), Some(1.0));
    let (code, out) = daemon.stop();
    assert_eq!(code, Some(0));
    let end: Value = serde_json::from_str(&out).expect("one JSON document");
    assert_eq!(end["runs"], 1);
    assert_eq!(house.json(&["verify"])["verdict"], "intact");
    // The same file again, with another time: read, known, and no run made of it.
    house.drop_in("first.txt", STATEMENT);
    let daemon = house.start();
    assert_eq!(daemon.stop().0, Some(0));
    assert_eq!(house.count("SELECT count(*) FROM run"), 1);
}

#[test]
fn a_statement_is_handed_in_with_the_token_and_never_without() {
    let house = house();
    let mut daemon = house.start();
    let file = house.archive().join("keys/intake.token");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let token = read(&file);
    let token = token.trim();
    for headers in ["", "Authorization: Bearer wrong\r\n", "Authorization: Basic eDp5\r\n"] {
        assert_eq!(daemon.post("/statements", headers, STATEMENT).0, 401, "{headers}");
    }
    let allowed = format!("Authorization: Bearer {token}\r\nContent-Type: text/plain; charset=utf-8\r\n");
    assert_eq!(daemon.post("/statements", &allowed, "").0, 400);
    let (status, answer) = daemon.post("/statements", &allowed, STATEMENT);
    assert_eq!(status, 202, "{answer}");
    let answer: Value = serde_json::from_str(&answer).unwrap();
    assert_eq!(answer["new"], true);
    let again =
        daemon.post("/statements", &allowed.replace("Authorization: Bearer", "authorization: bearer"), STATEMENT).1;
    let again: Value = serde_json::from_str(&again).unwrap();
    assert_eq!((&again["new"], &again["statement"]), (&Value::Bool(false), &answer["statement"]));
    daemon.until("run closed");
    assert_eq!(captured(&house), 2);
    let held = format!("SELECT count(*) FROM statements WHERE id = '{}'", answer["statement"].as_str().unwrap());
    assert_eq!(house.count(&held), 1);
    let log = daemon.log().join("\n");
    assert!(!log.contains(token), "the token is in the log");
    assert!(log.lines().all(|line| serde_json::from_str::<Value>(line).is_ok()), "{log}");
}

#[test]
fn killed_in_the_middle_it_goes_on_where_it_was_and_loses_nothing() {
    let house = House::new(Options { latency: std::time::Duration::from_millis(150), ..Options::default() }, "");
    let links: Vec<String> = (0..12).map(|n| format!("https://page{n}.example/a")).collect();
    for n in 0..12 {
        house.replica.route(&format!("page{n}.example"), "/a", Reply::html(200, format!("<p>page {n}</p>")));
    }
    house.set("[schedule]\nruns = \"0 0 1 1 *\"\n[capture]\nrequisites = false\n");
    let mut daemon = house.start();
    house.drop_in("many.txt", &links.join("\n"));
    daemon.until_times("citation ended", 2);
    daemon.kill();
    let before = house.count("SELECT count(*) FROM resolution");
    assert!((2..12).contains(&before), "{before} of 12 before the kill");
    let mut daemon = house.start();
    daemon.until("run closed");
    assert_eq!(daemon.stop().0, Some(0));
    assert_eq!(house.count("SELECT count(DISTINCT citation) FROM resolution WHERE ending = 'captured'"), 12);
    assert_eq!(house.count("SELECT count(*) FROM run WHERE closed IS NULL"), 1, "the broken run says so for ever");
    assert_eq!(house.count("SELECT count(*) FROM due"), 12);
    assert_eq!(house.count("SELECT count(*) FROM due WHERE planned = 0 OR looks = 0"), 0);
    assert_eq!(house.json(&["verify"])["verdict"], "intact");
    // And a catalogue made anew agrees.
    house.json(&["reindex"]);
    assert_eq!(house.count("SELECT count(*) FROM due"), 12);
}

#[test]
fn pages_captured_by_a_running_daemon_are_found_by_their_words() {
    let house = house();
    let page = "<title>Harbour notice</title><p>No ferries on Sunday, says the harbourmaster.</p>";
    house.replica.route("press.example", "/said", Reply::html(200, page));
    house.set("[capture]\nrequisites = false\n");
    let mut daemon = house.start();
    house.drop_in("said.txt", "http://press.example/said\n");
    daemon.until("run closed");
    daemon.until_so("in the index", || house.count("SELECT count(*) FROM snapshot WHERE indexed = 1") == 1);
    let found = house.run(&["query", "harbourmaster", "--json"]);
    let said = String::from_utf8_lossy(&found.stderr).into_owned();
    assert_eq!((found.status.code(), said.as_str()), (Some(0), ""));
    let line: Value = serde_json::from_slice(&found.stdout).unwrap();
    assert_eq!(line["matched"]["in"], "page", "{line}");
    let samples = metrics(&daemon.get("/metrics").1);
    for (name, value) in [("onrecord_pages_indexed_total", 1.0), ("onrecord_pages_waiting", 0.0)] {
        assert!(samples.contains(&(name.to_owned(), value)), "{name}");
    }
    assert_eq!(daemon.stop().0, Some(0));
    assert_eq!(house.json(&["verify"])["verdict"], "intact");
}

/// Ten thousand citations are due at once; the process is killed among them, and each is followed all the same.
#[test]
fn ten_thousand_due_citations_survive_a_kill_and_none_is_done_twice_in_a_run() {
    let house = house();
    // Without a network each ends at once, as one to be tried again.
    house.set("[network]\noffline = true\n[schedule]\nruns = \"0 0 1 1 *\"\n");
    let links: Vec<String> = (0..10_000).map(|n| format!("http://many{n}.example/")).collect();
    house.drop_in("many.txt", &links.join("\n"));
    let mut daemon = house.start();
    daemon.until_times("citation ended", 500);
    daemon.kill();
    let before = house.count("SELECT count(*) FROM resolution");
    assert!((500..10_000).contains(&before), "{before} before the kill");
    let mut daemon = house.start();
    daemon.until("run closed");
    assert_eq!(daemon.stop().0, Some(0));
    assert_eq!(house.count("SELECT count(DISTINCT citation) FROM resolution"), 10_000);
    assert_eq!(
        house.count("SELECT count(*) FROM (SELECT 1 FROM resolution GROUP BY run, citation HAVING count(*) > 1)"),
        0
    );
    assert_eq!(house.count("SELECT count(*) FROM resolution"), 10_000, "what had ended was not due again");
    assert_eq!(house.count("SELECT count(*) FROM due WHERE planned = 1"), 10_000);
    assert_eq!(house.count("SELECT count(*) FROM run WHERE closed IS NULL"), 1);
    assert_eq!(house.json(&["verify"])["verdict"], "intact");
}

#[test]
fn a_second_daemon_is_told_who_holds_the_archive() {
    let house = house();
    let daemon = house.start();
    let second = house.run(&["daemon"]);
    let said = String::from_utf8_lossy(&second.stderr).into_owned();
    assert_eq!(second.status.code(), Some(6), "{said}");
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    assert!(said.contains(&format!("in use by process {} on {host}", daemon.id())), "{said}");
    // Nor may anything else write beside it; reading is free.
    assert_eq!(house.run(&["run"]).status.code(), Some(6));
    assert_eq!(house.run(&["stats"]).status.code(), Some(0));
    assert_eq!(daemon.stop().0, Some(0));
}

#[test]
fn runs_missed_while_it_was_off_are_on_record() {
    let house = House::new(Options::default(), "[schedule]\nruns = \"0 * * * *\"\n");
    let mut daemon = house.start();
    daemon.until_so("served", || house.count("SELECT count(*) FROM schedule") == 1);
    assert_eq!(daemon.stop().0, Some(0));
    house.change("UPDATE schedule SET done = done - 3 * 86400 * 1000000");
    let mut daemon = house.start();
    daemon.until_so("on record", || house.count("SELECT count(*) FROM event WHERE kind = 'run.missed'") == 1);
    let samples = metrics(&daemon.get("/metrics").1);
    let missed = samples.iter().find(|(name, _)| name == "onrecord_runs_missed_total").unwrap().1;
    assert!((70.0..=73.0).contains(&missed), "{missed}");
    assert_eq!(daemon.stop().0, Some(0));
    let why =
        "SELECT count(*) FROM event WHERE body LIKE '%no daemon was running%' AND body LIKE '%\"schedule\":\"runs\"%'";
    assert_eq!(house.count(why), 1);
    // It is not told again.
    assert_eq!(house.start().stop().0, Some(0));
    assert_eq!(house.count("SELECT count(*) FROM event"), 1);
}

#[test]
fn feeds_are_read_and_one_that_is_none_stops_nobody() {
    let house = house();
    let rss = "<rss version=\"2.0\"><channel><title>t</title><link>http://press.example/</link><description>d</description>\
        <item><title>One</title><link>http://press.example/one</link><guid>n1</guid></item>\
        <item><title>Gone</title><link>http://press.example/gone</link><guid>n2</guid></item></channel></rss>";
    house.replica.route("press.example", "/feed", Reply::body(200, "application/rss+xml", rss));
    let page = "<html><body><p>They said so: <a href=\"https://t.co/AEoFZOhI3p\">here</a>.</p></body></html>";
    house.replica.route("press.example", "/one", Reply::html(200, page));
    house.replica.route("press.example", "/gone", Reply::html(404, "no"));
    house.replica.route("odd.example", "/feed", Reply::html(200, "<p>this is no feed</p>"));
    house.set(
        "[[source]]\nkind = \"feed\"\nurl = \"http://odd.example/feed\"\n[[source]]\nkind = \"feed\"\nname = \"press\"\n\
         url = \"http://press.example/feed\"\n[[source]]\nkind = \"feed\"\nurl = \"http://127.0.0.1:1/feed\"\n",
    );
    let mut daemon = house.start();
    daemon.until("neither RSS, Atom nor JSON Feed");
    daemon.until("run closed");
    daemon.until_so("taken", || house.count("SELECT count(*) FROM feed_entry WHERE state = 1") == 1);
    assert_eq!(house.count("SELECT count(*) FROM statement WHERE source = 'http://press.example/one'"), 1);
    let again = "SELECT count(*) FROM feed_entry WHERE state = 0 AND tries = 1 AND why LIKE '%404%'";
    daemon.until_so("to be tried again", || house.count(again) == 1);
    let troubles = daemon.log().into_iter().filter(|line| line.contains("failed to read feed")).count();
    assert_eq!(troubles, 2, "one line each: {}", daemon.log().join("\n"));
    assert_eq!(daemon.stop().0, Some(0));
}

#[test]
fn a_copy_that_was_pending_is_asked_about_by_the_daemons_next_run() {
    let house = House::new(Options::default(), "[archives]\nsave-keys-file = \"../keys\"\n");
    fs::write(house.path("keys"), "ACCESS:s3cretSaveKey").unwrap();
    let job = "spn2-00000000000000000000000000000000000000aa";
    let status = format!("/save/status/{job}");
    house.replica.set(|world| {
        let submitted = format!("{{\"url\":\"https://harbour.example/plain\",\"job_id\":\"{job}\"}}");
        world.route("web.archive.org", "/save", Reply::json(200, submitted));
        world.route("web.archive.org", &status, Reply::json(503, "{}"));
    });
    let states = |state: &str| {
        house.count(&format!(
            "SELECT count(*) FROM event WHERE kind = 'archive.requested' AND body LIKE '%\"state\":\"{state}\"%'"
        ))
    };
    let mut daemon = house.start();
    house.drop_in("a.txt", "See https://harbour.example/plain for it.\n");
    daemon.until_so("submitted", || states("submitted") == 1);
    house.replica.set(|world| {
        let done = format!(
            "{{\"job_id\":\"{job}\",\"status\":\"success\",\"timestamp\":\"20261123060005\",\
             \"original_url\":\"https://harbour.example/plain\",\"http_status\":200}}"
        );
        world.route("web.archive.org", &status, Reply::json(200, done));
        world.keep("https://harbour.example/plain", "2026-11-23T06:00:05Z".parse().unwrap());
    });
    // the next run has work of its own, and this besides
    house.drop_in("b.txt", "See https://dead.example/page, which is no more.\n");
    daemon.until_so("confirmed", || states("confirmed") == 1);
    assert_eq!(daemon.stop().0, Some(0));
    let submissions = house.replica.log().iter().filter(|served| served.target == "/save").count();
    assert_eq!(submissions, 1, "nothing is submitted twice");
    assert_eq!(house.json(&["verify"])["verdict"], "intact");
}

#[test]
fn settings_are_read_again_and_wrong_ones_leave_the_old_in_force() {
    let house = house();
    let mut daemon = house.start();
    house.set("[schedule]\nruns = \"61 * * * *\"\n");
    daemon.hang_up();
    let said = daemon.until("the old settings stay in force");
    assert!(said.contains("is no minute"), "{said}");
    let more = house.path("more");
    fs::create_dir(&more).unwrap();
    fs::write(more.join("b.txt"), STATEMENT).unwrap();
    house.set(&format!("[[source]]\nkind = \"folder\"\npath = {:?}\n", more.display().to_string()));
    daemon.hang_up();
    daemon.until("settings read anew");
    daemon.until("run closed");
    assert_eq!(captured(&house), 2);
    let (code, _) = daemon.stop();
    assert_eq!(code, Some(0));
    // Wrong from the beginning, it does not begin.
    house.set("[schedule]\nruns = \"61 * * * *\"\n");
    let output = house.run(&["daemon"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("schedule.runs: \"61\" at column 1 is no minute"), "{said}");
}

#[test]
fn told_to_stop_it_closes_the_run_within_its_grace() {
    let house = House::new(Options { latency: std::time::Duration::from_secs(3), ..Options::default() }, "");
    let links: Vec<String> = (0..8).map(|n| format!("https://slow{n}.example/a")).collect();
    for n in 0..8 {
        house.replica.route(&format!("slow{n}.example"), "/a", Reply::html(200, "slow"));
    }
    house.set("[schedule]\ngrace = \"1s\"\n[capture]\nrequisites = false\n");
    let mut daemon = house.start();
    house.drop_in("slow.txt", &links.join("\n"));
    daemon.until("run opened");
    let (code, _) = daemon.stop();
    assert_eq!(code, Some(0));
    assert_eq!(house.count("SELECT count(*) FROM run WHERE closed IS NOT NULL"), 1, "the run is closed");
    assert!(house.count("SELECT ended FROM run") < 8);
    assert_eq!(house.count("SELECT count(*) FROM due WHERE looks = 0"), 8 - house.count("SELECT ended FROM run"));
    assert_eq!(house.json(&["verify"])["verdict"], "intact");
}

/// Whoever watches it sees a process that is well and takes no more work, for as long as a run is being brought to its end.
#[test]
fn it_answers_until_the_run_is_closed() {
    let (house, site) = (house(), Held::start());
    house.set("[schedule]\ngrace = \"10m\"\n[capture]\nrequisites = false\n");
    let mut daemon = house.start();
    let ready = daemon.get("/readyz");
    assert!(ready.0 == 200 && ready.1.contains("\"state\":\"ready\""), "{ready:?}");
    house.drop_in("slow.txt", &site.url);
    daemon.until_so("asked for", || site.is_asked());
    daemon.tell_to_stop();
    let (ready, health) = (daemon.get("/readyz"), daemon.get("/healthz"));
    assert!(ready.0 == 503 && ready.1.contains("\"state\":\"stopping\""), "{ready:?}");
    assert_eq!(health.0, 200, "{}", health.1);
    assert!(metrics(&daemon.get("/metrics").1).contains(&("onrecord_ready".to_owned(), 0.0)));
    site.let_go();
    let (code, out) = daemon.ended();
    assert_eq!(code, Some(0), "{out}");
    assert_eq!(captured(&house), 1, "what was in flight was finished");
}

/// The checker of metrics is worth something only if it fails what promtool fails.
#[test]
fn the_checker_of_metrics_fails_what_is_wrong() {
    let good = "# HELP a_total Things.\n# TYPE a_total counter\na_total{kind=\"x\"} 1\n";
    assert_eq!(metrics(good), [("a_total{kind=\"x\"}".to_owned(), 1.0)]);
    for (wrong, why) in [
        ("# HELP a_total Things.\n# TYPE a_total counter\na_total 1", "the last line does not end"),
        ("# TYPE a_total counter\na_total 1\n", "no help"),
        ("# HELP a_total Things.\na_total 1\n", "no type"),
        ("# HELP a Things.\n# TYPE a counter\na 1\n", "a counter without _total"),
        ("# HELP a_total Things.\n# TYPE a_total gauge\na_total 1\n", "a gauge with it"),
        ("# HELP a_total Things.\n# TYPE a_total counter\nb_total 1\n", "a sample under another's type"),
        ("# HELP a_total Things.\n# TYPE a_total counter\na_total 1\na_total 2\n", "twice the same"),
        ("# HELP A_total Things.\n# TYPE A_total counter\nA_total 1\n", "an upper-case name"),
        ("# HELP a_total Things.\n# TYPE a_total counter\na_total{kind=x} 1\n", "a bare label"),
        ("# HELP a_total Things.\n# TYPE a_total counter\na_total one\n", "no number"),
    ] {
        assert!(std::panic::catch_unwind(|| metrics(wrong)).is_err(), "{why}");
    }
}
