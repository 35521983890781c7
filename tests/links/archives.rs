//! What is gone, kept elsewhere, or shown to those alone who bring a key.

use onrecord_replica::reply::Reply;
use serde_json::Value;

use super::world::{World, of_kind};

fn holds(hay: &[u8], needle: &str) -> bool {
    memchr::memmem::find(hay, needle.as_bytes()).is_some()
}

#[test]
fn a_timegate_that_the_settings_name_is_asked_for_what_is_gone() {
    let world = World::new();
    let page = "https://dead.example/page";
    let gate = format!("/timegate/{page}");
    let copy = format!("/20200102030405/{page}");
    let leads = Reply::to(302, &format!("https://gate.example{copy}")).with("vary", "accept-datetime");
    world.replica.route("gate.example", &gate, leads);
    let kept =
        Reply::html(200, "<!doctype html><title>Kept</title><p>What stood on that page in those days, word for word.")
            .with("memento-datetime", "Thu, 02 Jan 2020 03:04:05 GMT");
    world.replica.route("gate.example", &copy, kept);
    let statement = world.statement("a.txt", &format!("See {page} for what was said then.\n"));

    let before = world.json("run", std::slice::from_ref(&statement));
    assert_eq!(of_kind(&before["statements"][0], "link")["ending"], "gone", "{before:#}");
    world.settings("[archives]\ntimegates = [\"https://gate.example/timegate/\"]\n");
    let after = world.json("run", &[statement]);
    let link = of_kind(&after["statements"][0], "link");
    assert_eq!(link["ending"], "captured-from-archive", "{link:#}");
    assert!(
        link["why"].as_str().is_some_and(|why| why.contains("gate.example keeps a copy of 2020-01-02")),
        "{link:#}"
    );
}

#[test]
fn a_users_token_reads_what_others_are_not_shown_and_is_kept_nowhere() {
    let world = World::new();
    let token = "AAAAsecretBearerToken%2Fdoes0not0leak";
    std::fs::write(world.folder().join("bearer"), format!("{token}\n")).expect("a token");
    world.settings("[platforms]\nx-bearer-file = \"../bearer\"\n");
    for (host, path) in [("cdn.syndication.twimg.com", "/tweet-result"), ("publish.x.com", "/oembed")] {
        world.replica.route(host, path, Reply::html(403, "<title>no</title>"));
    }
    let (id, url) = world.replica.set(|world| {
        let id = world.cast["quoted"];
        (id, world.posts[&id].permalink())
    });
    let run = world.json("run", &[world.statement("a.txt", &format!("The board said so: {url}\n"))]);
    let link = of_kind(&run["statements"][0], "link");
    assert_eq!(
        (&link["ending"], &link["post"]),
        (&Value::from("captured"), &Value::from(format!("x:{id}"))),
        "{link:#}"
    );
    assert!(link["why"].as_str().is_some_and(|why| why.contains("the user's token")), "{link:#}");
    let all = world.bytes();
    assert!(holds(&all, "api.x.com") && holds(&all, "Authorization: (withheld)"));
    assert!(!holds(&all, "secretBearerToken"));
    assert_eq!(world.json("verify", &[])["verdict"], "intact");
}

fn requested(world: &World) -> Vec<Value> {
    let all = String::from_utf8_lossy(&world.bytes()).into_owned();
    let bodies = all.lines().filter(|line| line.contains("\"kind\":\"archive.requested\"") && line.starts_with('{'));
    let mut all: Vec<Value> = bodies.filter_map(|line| serde_json::from_str(line.trim()).ok()).collect();
    all.sort_by_key(|record| record["at"].to_string());
    all.dedup();
    all
}

#[test]
fn a_copy_elsewhere_is_asked_for_with_keys_and_believed_when_read_back() {
    let world = World::new();
    let ask = |name: &str, path: &str| {
        let url = format!("https://harbour.example{path}");
        world.json("run", &[world.statement(name, &format!("See {url} for what was said then, {name}.\n"))])
    };
    ask("a.txt", "/q4");
    assert!(requested(&world).is_empty(), "nobody is asked without keys");
    assert!(world.replica.log().iter().all(|served| served.target != "/save"));

    std::fs::write(world.folder().join("keys"), "ACCESS:s3cretSaveKey").expect("keys");
    world.settings("[archives]\nsave-keys-file = \"../keys\"\n");
    ask("b.txt", "/q4?b");
    world.replica.set(|world| world.switches.save_lag = 1000);
    ask("c.txt", "/plain");
    let all = requested(&world);
    let states: Vec<&Value> = all.iter().map(|record| &record["state"]).collect();
    assert_eq!(states, ["confirmed", "claimed"], "{all:#?}");
    assert!(all.iter().all(|record| record["job"].as_str().is_some_and(|job| job.starts_with("spn2-"))));
    assert!(!holds(&world.bytes(), "s3cretSaveKey"));
    assert_eq!(world.json("verify", &[])["verdict"], "intact");
}

/// What each resolution on record asked for: its hops that crossed the wire, and everything beside them; with what it says.
fn costs(world: &World) -> Vec<(usize, usize, String)> {
    let all = String::from_utf8_lossy(&world.bytes()).into_owned();
    let mut ways: Vec<Value> = Vec::new();
    for line in all.lines().map(str::trim).filter(|line| line.starts_with('{') && line.contains("\"start\":")) {
        let Ok(value) = serde_json::from_str::<Value>(line) else { continue };
        let way = if value["kind"] == "resolution.ended" { value["way"].clone() } else { value };
        if way["hops"].is_array() && way["start"].is_string() && !ways.contains(&way) {
            ways.push(way);
        }
    }
    let count = |way: &Value| {
        let hops = way["hops"].as_array().into_iter().flatten().filter(|hop| hop["at"].is_string()).count();
        let asked = way["asked"].as_array().map_or(0, Vec::len);
        (hops, asked, format!("{} {} {}", way["start"], way["why"], way["notes"]))
    };
    ways.iter().map(count).collect()
}

#[test]
fn a_citation_costs_no_more_requests_than_allowed() {
    for (allowed, setting) in [(12, ""), (4, "[capture]\nrequests-per-citation = 4\nrequisites = false\n")] {
        let world = World::new();
        world.settings(setting);
        let mut names = super::statements::write(&world);
        names.extend(super::platforms::write(&world));
        names.extend(super::unlinked::write(&world));
        // everything that can be asked for is: an index that lists ten posts of the day, none of them the one
        names.push(
            world.statement("wordy.txt", "Water level at 23:30 is 9.9 m — Gauge (@gauge_bot) November 7, 2019\n"),
        );
        let run = world.json("run", &names);
        assert_eq!(run["counts"]["planned"], run["counts"]["ended"], "{}", run["counts"]);
        let costs = costs(&world);
        assert!(costs.len() >= 100, "{} on record", costs.len()); // what is cited twice is told once
        let over: Vec<&(usize, usize, String)> =
            costs.iter().filter(|(hops, asked, _)| hops + asked > allowed).collect();
        assert!(over.is_empty(), "more than {allowed}: {over:#?}");
        // the wire saw no more than the records tell; what several citations share is asked for once
        let told: usize = costs.iter().map(|(hops, asked, _)| hops + asked).sum();
        let wire = world.replica.log().iter().filter(|served| served.target != "/robots.txt").count();
        if allowed < 12 {
            assert!(wire <= told + costs.len(), "{wire} on the wire, {told} on record");
            let short = costs.iter().filter(|(_, _, said)| said.contains("used up")).count();
            assert!(short > 5, "{short} say what was left out");
        }
        let most = costs.iter().map(|(hops, asked, _)| hops + asked).max().unwrap_or(0);
        println!(
            "at most {allowed} allowed: {} citations, {told} requests, {most} for the dearest, {wire} on the wire",
            costs.len()
        );
    }
}

#[test]
fn what_archive_today_alone_has_is_found_there() {
    let page = "https://ministry.example/press/2018-12-01";
    let text = format!("See {page} for what was said then.\n");
    let ending = |world: &World, name: &str| {
        let run = world.json("run", &[world.statement(name, &text)]);
        let link = of_kind(&run["statements"][0], "link").clone();
        (link["ending"].as_str().unwrap_or_default().to_owned(), link["why"].as_str().unwrap_or_default().to_owned())
    };
    let world = World::new();
    let (found, why) = ending(&world, "a.txt");
    assert_eq!(found, "captured-from-archive", "{why}");
    assert!(why.contains("archive.is keeps a copy of 2018-12-03T10:15:00Z"), "{why}");

    let off = World::new();
    off.settings("[archives]\narchive-today = false\n");
    assert_eq!(ending(&off, "a.txt").0, "gone");
    assert!(off.replica.log().iter().all(|served| !served.host.starts_with("archive.")));

    // to robots it shows a picture to read: the want of an answer is on record, and no more is asked
    let shut = World::new();
    shut.replica.set(|world| {
        for host in ["archive.ph", "archive.is"] {
            world.outages.insert(host.to_owned(), onrecord_replica::world::Outage::Status(429));
        }
    });
    assert_eq!(ending(&shut, "a.txt").0, "gone");
    let asked = shut.replica.log().iter().filter(|served| served.host.starts_with("archive.")).count();
    assert_eq!(asked, 1, "who asks on is locked out");
    assert!(holds(&shut.bytes(), "shows its copies to people alone"));

    let said = world
        .json("resolve", &[format!("https://archive.ph/newest/{page}"), format!("https://archive.ph/oldest/{page}")]);
    for one in said["resolutions"].as_array().expect("resolutions") {
        let end = format!("https://archive.is/20181203101500/{page}");
        assert_eq!((&one["ending"], &one["final_url"]), (&Value::from("captured"), &Value::from(end)), "{one:#}");
    }
}

#[test]
fn a_copy_that_was_not_confirmed_is_asked_about_again() {
    let world = World::new();
    std::fs::write(world.folder().join("keys"), "ACCESS:s3cretSaveKey").expect("keys");
    world.settings("[archives]\nsave-keys-file = \"../keys\"\n");
    // said to be there, and not found yet; then the archive's index catches up
    world.replica.set(|world| world.switches.save_lag = 1000);
    let ask = |name: &str, url: &str| {
        world.json("run", &[world.statement(name, &format!("See {url} for what was said then, {name}.\n"))])
    };
    ask("a.txt", "https://harbour.example/plain");
    let states = |world: &World| -> Vec<(String, String)> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        requested(world).iter().map(|record| (text(&record["url"]), text(&record["state"]))).collect()
    };
    let plain = "https://harbour.example/plain".to_owned();
    assert_eq!(states(&world), [(plain.clone(), "claimed".to_owned())]);
    world.replica.set(|world| world.switches.save_lag = 0);
    world.replica.clear_log();
    world.json("run", &[]);
    assert_eq!(states(&world).last(), Some(&(plain, "confirmed".to_owned())), "{:#?}", states(&world));
    let submissions = || world.replica.log().iter().filter(|served| served.target == "/save").count();
    assert_eq!(submissions(), 0, "the copy is read back; it is not asked for once more");
    // confirmed is confirmed
    let before = requested(&world).len();
    world.json("run", &[]);
    assert_eq!(requested(&world).len(), before);

    // what the archive puts off is left alone for an hour, what it refuses for good
    world.replica.set(|world| {
        for host in ["session-limit.example", "daily-limit.example"] {
            world.page(
                &format!("{host}/"),
                Reply::html(200, "<title>A page</title><p>Words that stand on a page, enough of them."),
            );
        }
    });
    ask("b.txt", "https://session-limit.example/");
    ask("c.txt", "https://daily-limit.example/");
    let told = states(&world);
    let submitted = submissions();
    world.json("run", &[]);
    assert_eq!((states(&world), submissions()), (told, submitted));
    assert_eq!(world.json("verify", &[])["verdict"], "intact");
}
