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

#[test]
fn a_citation_costs_no_more_requests_than_allowed() {
    let world = World::new();
    // everything that can be asked for is asked for: deleted, with four pictures, an index that lists ten posts of the day
    let (wordy, quoting) = world.replica.set(|world| {
        let id = world.cast["photos-four"];
        ("Water level at 23:30 is 9.9 m — Gauge (@gauge_bot) November 7, 2019".to_owned(), world.posts[&id].remnant())
    });
    for (name, text) in [("a.txt", wordy), ("b.txt", quoting)] {
        world.replica.clear_log();
        let _run = world.json("run", &[world.statement(name, &format!("{text}\n"))]);
        let asked = world.replica.log().iter().filter(|served| served.target != "/robots.txt").count();
        // the post and its author's handle are two citations
        assert!(asked > 3 && asked <= 24, "{name}: {asked}");
    }
}
