//! What no statement of the other files turns on: whose cookies, which clock, whose handle it was, which door of a platform answered,
//! what was proved and what failed to be, and what a page says of how it is embedded.

use jiff::Timestamp;
use onrecord_replica::hosts::wayback::Capture;
use onrecord_replica::post::{Archived, NewPost, State};
use onrecord_replica::reply::Reply;
use onrecord_replica::world::{Proof, XPages};
use serde_json::Value;

use super::world::{World, check, of_kind};

fn at(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

fn said(world: &World) -> String {
    String::from_utf8_lossy(&world.bytes()).into_owned()
}

/// Runs one statement and gives its first citation of a kind.
fn one(world: &World, name: &str, text: &str, kind: &str) -> Value {
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
fn quoting(world: &World, post: NewPost, date: &str) -> (u64, String) {
    world.replica.set(|world| {
        let (text, name, handle) = (post.text.clone(), post.name.clone(), post.handle.clone());
        let id = world.add_post(post);
        (id, format!("“{text}” — {name} (@{handle}) {date} {}\n", world.posts[&id].permalink()))
    })
}

fn post(handle: &str, text: &str, when: &str) -> NewPost {
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
fn bluesky_is_proved_and_a_false_proof_is_named() {
    let told = |proof: Proof| {
        let world = World::new();
        world.replica.set(|world| world.switches.proof = proof);
        let url = "https://bsky.app/profile/observer.replica.example/post/3mg7x3ipobs2f";
        let link = one(&world, "a.txt", &format!("It was said at {url} that day.\n"), "link");
        assert_eq!(link["ending"], "captured", "{link:#}");
        let shown = world.json("show", &[link["snapshot"].as_str().expect("a snapshot").to_owned()]);
        assert_eq!(world.json("verify", &[])["verdict"], "intact");
        shown.to_string()
    };
    let honest = told(Proof::Honest);
    for what in [
        "the post shown is the record signed",
        "the history of did:plc:iehgelpsa6hrxqbomgxsvwfi",
        "the handle observer.replica.example is did:plc:iehgelpsa6hrxqbomgxsvwfi",
        "the handle leads to the account, and its document leads back",
    ] {
        assert!(honest.contains(what), "{what}: {honest}");
    }
    assert!(!honest.contains("\"holds\":false"), "{honest}");
    for (proof, fault) in [(Proof::Tampered, "tampered-block"), (Proof::ForgedKey, "forged-key")] {
        let shown = told(proof);
        assert!(shown.contains("\"holds\":false") && shown.contains(fault), "{fault}: {shown}");
    }
}

#[test]
fn a_copy_on_another_server_leads_to_its_origin_by_each_door() {
    let world = World::new();
    let (copy, home) = world.replica.set(|world| {
        let home = world.add_mastodon("mole", "Mole", "The mole is closed to cars.", at("2025-04-02T10:00:00.123Z"));
        let uri =
            format!("https://fedi.replica.example/users/mole/statuses/{}", home.rsplit('/').next().unwrap_or_default());
        let copy = world.fediverse.iter().find(|(place, status)| status.uri == uri && place.starts_with("mastodon."));
        (copy.expect("a copy").0.clone(), home)
    });
    let id = home.rsplit('/').next().unwrap_or_default().to_owned();
    let name = Value::from(format!("mastodon:fedi.replica.example/{id}"));
    let link = format!(
        "https://mastodon.replica.example/@mole@fedi.replica.example/{}",
        copy.rsplit('/').next().unwrap_or_default()
    );
    let citation = one(&world, "copy.txt", &format!("See {link} for it.\n"), "link");
    assert_eq!((&citation["post"], &citation["ending"]), (&name, &Value::from("captured")), "{citation:#}");
    assert!(said(&world).contains("words and time are the same"));

    // a server that shows its API to members alone gives the object; where it gives nothing, its page may
    for (shut, why) in [(1, "the ActivityPub object"), (2, "the post's own page")] {
        let world = World::new();
        let home = world.replica.set(|world| {
            let home =
                world.add_mastodon("mole", "Mole", "The mole is closed to cars.", at("2025-04-02T10:00:00.123Z"));
            let id = home.rsplit('/').next().unwrap_or_default().to_owned();
            let members = || Reply::json(401, "{\"error\":\"This API requires an authenticated user\"}");
            world.route("fedi.replica.example", &format!("/api/v1/statuses/{id}"), members());
            if shut > 1 {
                world.fediverse.values_mut().for_each(|status| status.object = false);
            }
            home
        });
        let text = format!("“The mole is closed to cars.” — Mole (@mole@fedi.replica.example) April 2, 2025 {home}\n");
        let citation = one(&world, "a.txt", &text, "post");
        assert_eq!(citation["findings"][0]["verdict"], "corroborated", "{shut}: {citation:#}");
        assert!(citation["why"].as_str().is_some_and(|told| told.contains(why)), "{shut}: {citation:#}");
        assert!(world.replica.log().iter().any(|served| served.target.starts_with("/@mole/")));
    }
    let handle = one(&World::new(), "h.txt", "Seen: @mira@fedi.replica.example there.\n", "handle");
    assert_eq!(handle["account"]["id"], "https://fedi.replica.example/users/mira", "{handle:#}");
}

#[test]
fn each_door_of_reddit_and_youtube_leads_to_the_same_post() {
    let compose = |world: &World| {
        world.replica.set(|world| {
            let words = ("Nine cranes are idle", "I counted them twice from the wall.");
            world.add_reddit("2ddd01", "harbour", "tally_ho", words, at("2025-04-02T10:00:00Z"));
            world.add_video(
                "doorFilm001",
                ("DoorFilms", "Door Films"),
                ("The sluice at night", "One take."),
                at("2025-04-02T10:00:00Z"),
            );
        });
    };
    let world = World::new();
    compose(&world);
    for (n, url) in [
        "https://old.reddit.com/r/harbour/comments/2ddd01/nine_cranes_are_idle/",
        "https://www.reddit.com/r/harbour/comments/2ddd01/nine_cranes_are_idle.json",
        "https://redd.it/2ddd01",
    ]
    .into_iter()
    .enumerate()
    {
        let link = one(&world, &format!("r{n}.txt"), &format!("See {url} for it.\n"), "link");
        assert_eq!(
            (&link["ending"], &link["post"]),
            (&Value::from("captured"), &Value::from("reddit:2ddd01")),
            "{url}: {link:#}"
        );
    }
    let quoted = "“Nine cranes are idle” — tally_ho (@tally_ho) April 2, 2025 https://old.reddit.com/r/harbour/comments/2ddd01/nine_cranes_are_idle/\n";
    // the feed and oEmbed shut: the page itself shows it
    let world = World::new();
    compose(&world);
    world.replica.set(|world| {
        world.route("www.reddit.com", "/comments/2ddd01/.rss", Reply::html(403, "<title>no</title>"));
        world.route("www.reddit.com", "/oembed", Reply::html(403, "<title>no</title>"));
    });
    let quoted_new = quoted.replace("old.", "www.");
    let post = one(&world, "a.txt", &quoted_new, "post");
    assert_eq!(post["findings"][0]["verdict"], "corroborated", "{post:#}");
    assert!(post["why"].as_str().is_some_and(|why| why.contains("the post's own page")), "{post:#}");
    // all shut, and an archive has the JSON that the site gave until May 2026
    let world = World::new();
    compose(&world);
    world.replica.set(|world| {
        world.gone.insert("reddit:2ddd01".into());
        let json = "[{\"kind\":\"Listing\",\"data\":{\"children\":[{\"kind\":\"t3\",\"data\":{\"id\":\"2ddd01\",\"title\":\"Nine cranes are idle\",\
            \"selftext\":\"I counted them twice from the wall.\",\"author\":\"tally_ho\",\"author_fullname\":\"t2_9\",\"created_utc\":1743588000.0,\
            \"permalink\":\"/r/harbour/comments/2ddd01/nine_cranes_are_idle/\",\"url\":\"https://www.reddit.com/r/harbour/comments/2ddd01/x/\"}}]}}]";
        let place = "https://www.reddit.com/r/harbour/comments/2ddd01/nine_cranes_are_idle/.json";
        world.capture(Capture::new(place, at("2025-04-03T00:00:00Z"), "application/json", 200, json.into()));
    });
    let post = one(&world, "a.txt", &quoted_new, "post");
    assert_eq!(
        (&post["ending"], &post["findings"][0]["verdict"]),
        (&Value::from("captured-from-archive"), &Value::from("corroborated")),
        "{post:#}"
    );
    // a channel's lasting number, by its page and by a video's
    let world = World::new();
    compose(&world);
    let text = "See https://www.youtube.com/@DoorFilms and https://www.youtube.com/watch?v=doorFilm001 and https://youtu.be/doorFilm001\n";
    let run = world.json("run", &[world.statement("y.txt", text)]);
    assert!(
        run["statements"][0]["citations"].as_array().is_some_and(|all| all.iter().all(|c| c["ending"] == "captured")),
        "{run:#}"
    );
    let rows = world.json("sql", &["SELECT author_id FROM posts WHERE platform = 'youtube'".to_owned()]).to_string();
    let id = rows.split('"').find(|part| part.starts_with("UC") && part.len() == 24).unwrap_or_default().to_owned();
    assert!(!id.is_empty(), "{rows}");
    assert!(
        said(&world).contains(&format!("https://www.youtube.com/channel/{id}")),
        "the channel's page says the same"
    );
}

#[test]
fn json_that_an_archive_kept_of_a_status_is_read() {
    let world = World::new();
    let (home, name) = world.replica.set(|world| {
        let home = world.add_mastodon("mole", "Mole", "The mole is closed to cars.", at("2025-04-02T10:00:00.123Z"));
        let id = home.rsplit('/').next().unwrap_or_default().to_owned();
        let note = format!(
            "{{\"@context\":\"https://www.w3.org/ns/activitystreams\",\"id\":\"https://fedi.replica.example/users/mole/statuses/{id}\",\
             \"type\":\"Note\",\"published\":\"2025-04-02T10:00:00Z\",\"url\":\"{home}\",\"attributedTo\":\
             \"https://fedi.replica.example/users/mole\",\"content\":\"<p>The mole is closed to cars.</p>\"}}"
        );
        world.capture(Capture::new(&home, at("2025-04-03T00:00:00Z"), "application/activity+json", 200, note.into()));
        let name = format!("mastodon:fedi.replica.example/{id}");
        world.gone.insert(name.clone());
        (home, name)
    });
    let text = format!("“The mole is closed to cars.” — Mole (@mole@fedi.replica.example) April 2, 2025 {home}\n");
    let post = one(&world, "a.txt", &text, "post");
    assert_eq!(
        (&post["ending"], &post["post"], post["findings"][0]["verdict"].as_str()),
        (&Value::from("captured-from-archive"), &Value::from(name), Some("corroborated")),
        "{post:#}"
    );
}

#[test]
fn a_copy_of_another_shape_and_one_that_is_not_whole_are_told_apart() {
    // the digest that the archive's index claims is held against what it hands out
    let world = World::new();
    let (id, text) = quoting(
        &world,
        NewPost {
            state: State::Deleted,
            archived: vec![(at("2024-05-06T00:00:00Z"), Archived::ApiV2Json)],
            ..post("tide_desk", "The gauge has stood still since noon", "2024-05-05T10:00:00Z")
        },
        "May 5, 2024",
    );
    let kept = |world: &World, name: &str| {
        let citation = one(world, name, &text, "post");
        assert_eq!(citation["post"], format!("x:{id}"), "{citation:#}");
        let shown = world.json("show", &[citation["snapshot"].as_str().expect("a snapshot").to_owned()]).to_string();
        (citation["ending"].as_str().unwrap_or_default().to_owned(), shown)
    };
    let (ending, shown) = kept(&world, "a.txt");
    assert_eq!(ending, "captured-from-archive");
    assert!(shown.contains("\"digest_matches\":true") && shown.contains("web.archive.org"), "{shown}");
    let world = World::new();
    let (_, text) = (0, text.clone());
    world.replica.set(|world| {
        let id = world.add_post(NewPost {
            state: State::Deleted,
            archived: vec![(at("2024-05-06T00:00:00Z"), Archived::ApiV2Json)],
            ..post("tide_desk", "The gauge has stood still since noon", "2024-05-05T10:00:00Z")
        });
        for capture in world.captures.iter_mut().filter(|capture| capture.original.contains(&id.to_string())) {
            let mut other = (**capture).clone();
            other.digest = "A".repeat(32);
            *capture = std::sync::Arc::new(other);
        }
    });
    let citation = one(&world, "b.txt", &text, "post");
    let shown = world.json("show", &[citation["snapshot"].as_str().expect("a snapshot").to_owned()]).to_string();
    assert!(shown.contains("\"digest_matches\":false"), "{shown}");
    assert_eq!(check(&citation, "text"), "agrees");
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
