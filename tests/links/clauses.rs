//! What no statement of the other files turns on: whose cookies, which clock, whose handle it was, which door of a platform answered,
//! what was proved and what failed to be, and what a page says of how it is embedded.

use jiff::Timestamp;
use onrecord_replica::post::{Archived, NewPost, State};
use onrecord_replica::reply::Reply;
use onrecord_replica::tls::CertificateFault;
use onrecord_replica::world::{Outage, XPages};
use serde_json::Value;

use super::world::{World, of_kind};

pub(super) fn at(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

pub(super) fn said(world: &World) -> String {
    String::from_utf8_lossy(&world.bytes()).into_owned()
}

/// Runs one statement and gives its first citation of a kind.
pub(super) fn one(world: &World, name: &str, text: &str, kind: &str) -> Value {
    let run = world.json("run", &[world.statement(name, text)]);
    of_kind(&run["statements"][0], kind).clone()
}

/// A check's result and reason.
fn checked(citation: &Value, name: &str) -> (String, String) {
    let all = citation["findings"][0]["checks"].as_array().cloned().unwrap_or_default();
    let found = all.into_iter().find(|check| check["check"] == name).unwrap_or_default();
    let text = |key: &str| found[key].as_str().unwrap_or("none").to_owned();
    (text("result"), text("why"))
}

#[test]
fn cookies_are_a_chains_own() {
    let world = World::new();
    let gate = "https://hostile.replica.test/cookie-gate";
    let said = world.json("resolve", &[format!("{gate}?a"), format!("{gate}?b"), "--links-only".to_owned()]);
    for one in said["resolutions"].as_array().expect("resolutions") {
        assert_eq!(
            (&one["ending"], one["hops"].as_array().map(Vec::len)),
            (&Value::from("captured"), Some(2)),
            "{one:#}"
        );
    }
    let statuses: Vec<u16> =
        world.replica.log().iter().filter(|s| s.target.starts_with("/cookie-gate")).map(|s| s.status).collect();
    assert_eq!(
        statuses.iter().filter(|status| **status == 302).count(),
        2,
        "each chain was turned back once: {statuses:?}"
    );
    // with another cookie the same address is another question; with the same it is a loop
    let said = world.json(
        "resolve",
        &["https://hostile.replica.test/cookie-loop", "https://carrier.replica.test/cookie"].map(str::to_owned),
    );
    let ending = |n: usize| said["resolutions"][n]["ending"].as_str().unwrap_or_default().to_owned();
    assert_eq!((ending(0), ending(1)), ("too-many-hops".to_owned(), "loop".to_owned()));
}

#[test]
fn what_a_page_asserts_is_noted_and_never_followed() {
    let world = World::new();
    world.replica.set(|world| {
        let html = "<!doctype html><html lang=en><head><title>The ferry is late</title>\
                    <link rel=canonical href=https://elsewhere.example/ferry></head><p>The ferry is late again, by an hour.</p>";
        world.page("harbour.example/ferry", Reply::html(200, html));
    });
    let said = world.json("resolve", &["https://harbour.example/ferry".to_owned()]);
    let one = &said["resolutions"][0];
    assert_eq!(one["final_url"], "https://harbour.example/ferry");
    assert!(one["hops"][0]["notes"].to_string().contains("canonical: https://elsewhere.example/ferry"), "{one:#}");
    assert!(world.replica.log().iter().all(|served| served.host != "elsewhere.example"));
}

#[test]
fn shells_traps_and_walls_of_x_are_told_for_what_they_are() {
    for (pages, ending) in [(XPages::Shell, "captured"), (XPages::Migrate, "captured"), (XPages::Blocked, "blocked")] {
        let world = World::new();
        world.replica.set(|world| world.switches.x_pages = pages);
        let said = world.json("resolve", &["https://x.com/explore".to_owned(), "--links-only".to_owned()]);
        assert_eq!(said["resolutions"][0]["ending"], ending, "{pages:?}: {said:#}");
        // the first answer sends a browser to another host's page, which sends back: that is noted and not entered upon
        let hops = said["resolutions"][0]["hops"].as_array().cloned().unwrap_or_default();
        assert_eq!(hops.len(), 1, "{pages:?}: {said:#}");
        assert_eq!(hops[0]["notes"].to_string().contains("migrate"), pages == XPages::Migrate, "{said:#}");
        // whatever its pages say, the post is asked for elsewhere
        let url = world.replica.set(|world| world.posts[&world.cast["quoted"]].permalink());
        let said = world.json("resolve", &[url]);
        assert_eq!(said["resolutions"][0]["ending"], "captured", "{pages:?}: {said:#}");
    }
    let world = World::new();
    world.replica.set(|world| world.switches.x_pages = XPages::Shell);
    world.json("run", &[world.statement("a.txt", "See https://x.com/explore for more.\n")]);
    assert!(said(&world).contains("an empty shell until its scripts run"));
}

/// A post of X and what a statement says of it, with its permalink.
pub(super) fn quoting(world: &World, post: NewPost, date: &str) -> (u64, String) {
    world.replica.set(|world| {
        let (text, name, handle) = (post.text.clone(), post.name.clone(), post.handle.clone());
        let id = world.add_post(post);
        (id, format!("“{text}” — {name} (@{handle}) {date} {}\n", world.posts[&id].permalink()))
    })
}

pub(super) fn post(handle: &str, text: &str, when: &str) -> NewPost {
    NewPost { handle: handle.into(), name: "Tide Desk".into(), text: text.into(), at: at(when), ..NewPost::default() }
}

#[test]
fn clocks_are_held_against_each_other() {
    let world = World::new();
    let pictured = |text: &str, code: &str, uploaded: &str| NewPost {
        photos: Some((code.into(), 1)),
        uploaded: Some(at(uploaded)),
        low: 0x5000 + code.len() as u64,
        ..post("tide_desk", text, "2024-05-05T10:00:00Z")
    };
    let (_, before) =
        quoting(&world, pictured("The gauge at noon", "PicBef0re1", "2024-05-05T09:59:40Z"), "May 5, 2024");
    let (_, behind) =
        quoting(&world, pictured("The gauge at one", "PicBeh1nd22", "2024-05-06T10:00:00Z"), "May 5, 2024");
    let citation = one(&world, "a.txt", &before, "post");
    assert_eq!(checked(&citation, "media-time"), ("agrees".into(), "uploaded 20 s before the post was made".into()));
    assert_eq!(checked(&citation, "id-time").0, "agrees");
    let citation = one(&world, "b.txt", &behind, "post");
    assert_eq!(
        checked(&citation, "media-time"),
        ("disagrees".into(), "uploaded 86400 s after the post was made".into())
    );

    // an answer whose time is not the one in its id
    let world = World::new();
    let json = include_str!("../fixtures/x/tweet-result/link-2019.json");
    let moved = json.replacen("\"created_at\":\"2019-06-10", "\"created_at\":\"2019-06-12", 1);
    let moved = if moved == json {
        json.replacen("\"created_at\": \"2019-06-10", "\"created_at\": \"2019-06-12", 1)
    } else {
        moved
    };
    assert_ne!(moved, json);
    world
        .replica
        .set(|world| world.route("cdn.syndication.twimg.com", "/tweet-result", Reply::json(200, moved.clone())));
    let value: Value = serde_json::from_str(json).expect("JSON");
    let id = value["id_str"].as_str().expect("an id");
    let text = format!(
        "“Statement by the spokesperson on the \"harbour board\" elections” — Mira (@mira_solvang) June 10, 2019 https://x.com/mira_solvang/status/{id}\n"
    );
    let citation = one(&world, "a.txt", &text, "post");
    let (result, why) = checked(&citation, "id-time");
    assert_eq!(result, "disagrees", "{citation:#}");
    assert!(why.contains("the platform states 2019-06-12"), "{why}");
    assert_eq!(checked(&citation, "date").0, "agrees", "the day is that of the id");
}

#[test]
fn a_day_is_explained_by_the_statements_own_clock_alone() {
    let world = World::new();
    let (_, quoted) =
        quoting(&world, post("tide_desk", "Low water came early tonight", "2024-05-05T21:30:00Z"), "May 6, 2024");
    let mail = |zone: &str| {
        format!(
            "From: press@harbour.example\r\nTo: all@harbour.example\r\nSubject: Press\r\nDate: Tue, 7 May 2024 09:00:00 {zone}\r\n\
             MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n{quoted}"
        )
    };
    let there = one(&world, "there.eml", &mail("+0600"), "post");
    let (result, why) = checked(&there, "date");
    assert_eq!(
        (result.as_str(), &there["findings"][0]["verdict"]),
        ("disagrees", &Value::from("corroborated")),
        "{there:#}"
    );
    assert!(why.contains("it was 21:30 UTC, which is 2024-05-06 by the statement's own clock (UTC+06:00)"), "{why}");
    let west = one(&world, "west.eml", &mail("-0500"), "post");
    assert_eq!(west["findings"][0]["verdict"], "contradicted", "{west:#}");
    assert_eq!(checked(&west, "date").0, "disagrees");
}

#[test]
fn a_renamed_account_is_told_from_a_handle_that_another_has_now() {
    let world = World::new();
    let (old, new) = world.replica.set(|world| {
        let line = |name: &str, who: &str| {
            let post = &world.posts[&world.cast[name]];
            format!("“{}” — {who} {} {}", post.made.text, post.at.strftime("%B %-d, %Y"), post.permalink())
        };
        (line("renamed", "Quay Camera (@quaycam)"), line("taken-over", "Cheap Quay Cams (@quaycam)"))
    });
    let first = one(&world, "old.txt", &format!("{old}\n"), "post");
    let (result, why) = checked(&first, "author");
    assert_eq!(
        (result.as_str(), &first["findings"][0]["verdict"]),
        ("disagrees", &Value::from("corroborated")),
        "{first:#}"
    );
    assert!(why.contains("renamed: an earlier capture has @quaycam with the same account id 741852963"), "{why}");
    assert_eq!(checked(&first, "identity").0, "agrees");
    // the same words in the mouth of whoever has that handle now: another account
    let second = one(&world, "new.txt", &format!("{new}\n"), "post");
    assert_eq!(checked(&second, "author").0, "agrees", "{second:#}");
    let taken = world.replica.set(|world| {
        let taken = NewPost {
            user_id: Some(99),
            former_handle: Some("tide_watch".into()),
            archived: vec![(at("2024-05-06T00:00:00Z"), Archived::LegacyHtml)],
            ..post("tide_desk", "High water at four", "2024-05-05T10:00:00Z")
        };
        let id = world.add_post(taken);
        let other =
            NewPost { user_id: Some(7), ..post("tide_watch", "A post of the new owner", "2024-06-05T10:00:00Z") };
        let other = world.add_post(other);
        [id, other].map(|id| world.posts[&id].permalink())
    });
    let owner = format!("“A post of the new owner” — Tide Desk (@tide_watch) June 5, 2024 {}\n", taken[1]);
    assert_eq!(checked(&one(&world, "c.txt", &owner, "post"), "author").0, "agrees");
    let first_words = format!("“High water at four” — Tide Desk (@tide_watch) May 5, 2024 {}\n", taken[0]);
    let both = one(&world, "d.txt", &first_words, "post");
    // the account of these words had the handle once; by now it is another's, and both are told
    assert_eq!(checked(&both, "identity").0, "disagrees", "{both:#}");
    assert!(checked(&both, "identity").1.contains("another account id"), "{both:#}");
    assert_eq!(both["findings"][0]["verdict"], "corroborated");
}

#[test]
fn a_page_says_who_wrote_it_by_each_of_its_ways() {
    let world = World::new();
    world.replica.set(|world| {
        let page = |head: &str| {
            Reply::html(200, format!("<!doctype html><html lang=en><head>{head}</head><p>The sluice was opened at night, nobody said why.</p>"))
        };
        world.page("harbour.example/og", page("<meta property=og:title content='By Open Graph'><meta property=article:author content='Ana Ruiz'>\
            <meta property=article:published_time content=2024-05-01T10:00:00Z>"));
        world.page("harbour.example/ld", page("<script type=application/ld+json>{\"@type\":\"NewsArticle\",\"headline\":\"By linked data\",\
            \"datePublished\":\"2024-05-02\",\"author\":{\"name\":\"Bo Lind\"}}</script>"));
        world.page("harbour.example/embedded", page("<title>By oEmbed</title><link rel=alternate type=application/json+oembed \
            href=/oembed?url=x>"));
        world.page("harbour.example/oembed?url=x", Reply::json(200, "{\"version\":\"1.0\",\"type\":\"link\",\"title\":\"Another title\",\
            \"author_name\":\"Cleo Marsh\"}"));
        world.page("harbour.example/refused", page("<title>Without an answer</title><link rel=alternate type=application/json+oembed \
            href=https://down.example/oembed>"));
    });
    let urls = ["og", "ld", "embedded", "refused"].map(|path| format!("https://harbour.example/{path}"));
    let run = world.json("run", &[world.statement("a.txt", &format!("See {}\n", urls.join(" and ")))]);
    let mut told = Vec::new();
    for citation in run["statements"][0]["citations"].as_array().expect("citations") {
        assert_eq!(citation["ending"], "captured", "{citation:#}");
        let shown = world.json("show", &[citation["snapshot"].as_str().expect("a snapshot").to_owned()]).to_string();
        told.push(shown);
    }
    for (shown, (title, author)) in told.iter().zip([
        ("By Open Graph", "Ana Ruiz"),
        ("By linked data", "Bo Lind"),
        ("By oEmbed", "Cleo Marsh"),
        ("Without an answer", ""),
    ]) {
        assert!(shown.contains(title) && shown.contains(author), "{title}, {author}: {shown}");
    }
    assert!(told[0].contains("2024-05-01T10:00:00Z") && told[1].contains("2024-05-02"));
    assert!(world.replica.log().iter().any(|served| served.target.starts_with("/oembed?url=x")));
}

#[test]
fn a_job_that_is_pending_is_asked_about_in_later_runs() {
    let world = World::new();
    std::fs::write(world.folder().join("keys"), "ACCESS:s3cretSaveKey").expect("keys");
    world.settings("[archives]\nsave-keys-file = \"../keys\"\n");
    let (job, stamp) = ("spn2-00000000000000000000000000000000000000aa", "20261123060005");
    let status = format!("/save/status/{job}");
    let url = "https://harbour.example/plain";
    world.replica.set(|world| {
        world.route(
            "web.archive.org",
            "/save",
            Reply::json(200, format!("{{\"url\":\"{url}\",\"job_id\":\"{job}\"}}")),
        );
        world.route("web.archive.org", &status, Reply::json(503, "{}"));
    });
    let states = |world: &World| -> Vec<String> {
        let all = said(world);
        let lines = all.lines().filter(|line| line.contains("\"kind\":\"archive.requested\"") && line.starts_with('{'));
        let mut all: Vec<Value> = lines.filter_map(|line| serde_json::from_str(line.trim()).ok()).collect();
        all.sort_by_key(|record| record["at"].to_string());
        all.dedup();
        all.iter().map(|record| record["state"].as_str().unwrap_or_default().to_owned()).collect()
    };
    world.json("run", &[world.statement("a.txt", &format!("See {url} for it.\n"))]);
    assert_eq!(states(&world), ["submitted"]);
    let pending = Reply::json(200, format!("{{\"job_id\":\"{job}\",\"resources\":[],\"status\":\"pending\"}}"));
    world.replica.set(|world| world.route("web.archive.org", &status, pending.clone()));
    world.json("run", &[]);
    assert_eq!(states(&world), ["submitted", "submitted"]);
    let done = format!(
        "{{\"job_id\":\"{job}\",\"status\":\"success\",\"timestamp\":\"{stamp}\",\"original_url\":\"{url}\",\"http_status\":200,\"duration_sec\":3.1,\
         \"resources\":[\"{url}\"],\"outlinks\":[],\"counters\":{{\"embeds\":1,\"outlinks\":0}}}}"
    );
    world.replica.set(|world| world.route("web.archive.org", &status, Reply::json(200, done.clone())));
    world.json("run", &[]);
    assert_eq!(states(&world).last().map(String::as_str), Some("claimed"), "said to be there, and not read back yet");
    world.replica.set(|world| world.keep(url, at("2026-11-23T06:00:05Z")));
    world.json("run", &[]);
    assert_eq!(states(&world).last().map(String::as_str), Some("confirmed"));
    let submissions = world.replica.log().iter().filter(|served| served.target == "/save").count();
    assert_eq!(submissions, 1, "nothing is submitted twice");
    assert_eq!(world.json("verify", &[])["verdict"], "intact");
}

#[test]
fn every_ending_is_reached_and_says_on_what() {
    let world = World::new();
    world.settings("[network]\nmax-body = \"150 kB\"\n");
    let posts = world.replica.set(|world| {
        world.outages.insert("busy.example".into(), Outage::RateLimited(Some(3600)));
        world.outages.insert("forged.example".into(), Outage::Certificate(CertificateFault::Expired));
        world.outages.insert("nowhere.example".into(), Outage::NoSuchHost);
        world.outages.insert("shut.example".into(), Outage::Refuse);
        world.outages.insert("silent.example".into(), Outage::Hang);
        // the embeds that show to everybody what the platform keeps from readers without a login are shut too
        world.route("publish.x.com", "/oembed", Reply::html(404, "<title>no</title>"));
        let states = [State::Suspended, State::Protected, State::AgeRestricted, State::Withheld, State::Deleted];
        let mut n = 0;
        states.map(|state| {
            n += 1;
            let text = format!("Reading number {n} of the old gauge");
            let id =
                world.add_post(NewPost { state, low: 0x5000 + n, ..post("tide_desk", &text, "2024-05-05T10:00:00Z") });
            world.posts[&id].permalink()
        })
    });
    let [suspended, protected, aged, withheld, deleted] = &posts;
    let rows = [
        ("https://harbour.example/q4", "captured"),
        ("https://ministry.example/press/2018-12-01", "captured-from-archive"),
        ("https://dead.example/page", "gone"),
        (deleted.as_str(), "gone"),
        (suspended, "suspended"),
        (protected, "protected"),
        (aged, "age-gated"),
        (withheld, "withheld"),
        ("https://hostile.replica.test/401", "login-gated"),
        ("https://hostile.replica.test/451", "withheld"),
        ("https://x.gd/zzzz9", "soft-404"),
        ("https://busy.example/page", "rate-limited"),
        ("https://hostile.replica.test/403", "blocked"),
        ("http://10.0.0.1/page", "refused"),
        ("https://forged.example/page", "untrusted"),
        ("https://nowhere.example/page", "no-such-host"),
        ("https://shut.example/page", "unreachable"),
        ("https://silent.example/page", "timeout"),
        ("https://carrier.replica.test/cookie", "loop"),
        ("https://carrier.replica.test/long/0", "too-many-hops"),
        ("https://load.example/big/200000", "too-large"),
        ("https://hostile.replica.test/http-3.7", "malformed"),
        ("https://hostile.replica.test/500", "server-error"),
    ];
    let text: String = rows.iter().map(|(url, _)| format!("See {url} for it.\n\n")).collect();
    let name = world.statement("a.txt", &text);
    let run = world.json("run", std::slice::from_ref(&name));
    let links: Vec<&Value> = run["statements"][0]["citations"]
        .as_array()
        .expect("citations")
        .iter()
        .filter(|c| c["kind"] == "link")
        .collect();
    assert_eq!(links.len(), rows.len(), "{run:#}");
    let wrong: Vec<String> = links
        .iter()
        .zip(rows)
        .filter(|(link, (_, ending))| link["ending"] != *ending || link["why"].as_str().is_none_or(str::is_empty))
        .map(|(link, (url, ending))| format!("{url}: {} not {ending}: {}", link["ending"], link["why"]))
        .collect();
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
    // every ending rests on an exchange, or on the failure of one, that is on record
    let ended = world.json("sql", &["SELECT ending FROM resolutions".to_owned()]).to_string();
    assert!(ended.contains("too-large"), "{ended}");
    let why = |ending: &str| {
        let link = links.iter().find(|link| link["ending"] == ending);
        link.and_then(|link| link["why"].as_str()).unwrap_or_default().to_lowercase()
    };
    for (ending, word) in [
        ("untrusted", "expired"),
        ("refused", "10.0.0.1"),
        ("loop", "asked before with the same cookies"),
        ("too-many-hops", "would be one more"),
        ("timeout", "s"),
        ("soft-404", "x.gd"),
        ("suspended", "suspended account"),
        ("withheld", "withheld"),
    ] {
        assert!(why(ending).contains(word), "{ending}: {}", why(ending));
    }
    assert!(said(&world).contains("\"error\":"), "a failure is on record");
    assert_eq!(world.json("verify", &[])["verdict"], "intact");
}

#[test]
fn a_platform_that_changes_or_refuses_costs_the_post_and_not_the_record() {
    let world = World::new();
    let (_, quoted) = quoting(
        &world,
        post("tide_desk", "The gauge has stood still since noon", "2024-05-05T10:00:00Z"),
        "May 5, 2024",
    );
    world.replica.set(|world| {
        for (host, path) in
            [("cdn.syndication.twimg.com", "/tweet-result"), ("publish.x.com", "/oembed"), ("api.fxtwitter.com", "/")]
        {
            world.route(host, path, Reply::json(200, "{\"a\":[\"new shape\"]}"));
        }
        world.outages.insert("api.fxtwitter.com".into(), Outage::Status(500));
    });
    let citation = one(&world, "a.txt", &quoted, "post");
    assert_eq!(
        (&citation["ending"], &citation["findings"]),
        (&Value::from("unsupported"), &Value::Array(Vec::new())),
        "{citation:#}"
    );
    assert!(citation["why"].as_str().is_some_and(|why| why.contains("in no known shape")), "{citation:#}");
    let all = said(&world);
    assert!(
        all.contains("new shape") && all.contains("WARC-Target-URI: https://x.com/tide_desk/status/"),
        "both are on record"
    );
    assert_eq!(world.json("verify", &[])["verdict"], "intact");
}

#[test]
fn media_come_in_the_best_quality_there_is() {
    let world = World::new();
    let (photo, video) = world.replica.set(|world| {
        let line = |name: &str| format!("See {} for it.\n\n", world.posts[&world.cast[name]].permalink());
        (line("photos-four"), line("video"))
    });
    world.json("run", &[world.statement("a.txt", &format!("{photo}{video}"))]);
    let log = world.replica.log();
    let asked: Vec<&str> = log.iter().filter(|s| s.host.ends_with("twimg.com")).map(|s| s.target.as_str()).collect();
    assert_eq!(asked.iter().filter(|target| target.contains("name=orig")).count(), 4, "{asked:?}");
    let films: Vec<&&str> = asked.iter().filter(|target| target.contains(".mp4")).collect();
    assert_eq!(films.len(), 1, "one of its sizes: {asked:?}");
    let json = said(&world);
    let sizes: Vec<u32> =
        json.split("/vid/").filter_map(|rest| rest.split(['x', '/']).find_map(|part| part.parse().ok())).collect();
    let widest = sizes.iter().max().copied().unwrap_or(0);
    assert!(films[0].contains(&format!("/{widest}x")), "{films:?} of {sizes:?}");
    // what its author signed is what was fetched
    let world = World::new();
    let url = "https://bsky.app/profile/observer.replica.example/post/3mg7x3ipobs2f";
    one(&world, "b.txt", &format!("It was said at {url} that day.\n"), "link");
    assert!(said(&world).contains("its bytes hash to it"), "the picture is the blob of the signed record");
}
