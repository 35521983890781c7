//! The doors of the platforms beside the first one, what is proved at them, and what archives kept of a post, a code, a page.

use onrecord_replica::hosts::wayback::Capture;
use onrecord_replica::post::{Archived, NewPost, State};
use onrecord_replica::reply::Reply;
use onrecord_replica::world::Proof;
use serde_json::Value;

use super::clauses::{at, one, post, quoting, said};
use super::world::{World, check};

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
fn of_an_archives_copies_the_one_nearest_the_statements_day_is_taken() {
    let world = World::new();
    let page = "https://gone.example/press";
    world.replica.set(|world| {
        for (when, words) in [
            ("2018-01-05T00:00:00Z", "as it was in the winter"),
            ("2019-06-09T00:00:00Z", "as it was in June"),
            ("2023-01-01T00:00:00Z", "as it was at last"),
        ] {
            let html = format!("<!doctype html><title>Press</title><p>The notice {words}, word for word.</p>");
            world.capture(Capture::new(page, at(when), "text/html", 200, html.into()));
        }
        // what the archive kept of an error is no copy of the page
        world.capture(Capture::new(page, at("2019-06-10T00:00:00Z"), "text/html", 404, b"<title>404</title>".to_vec()));
    });
    for (date, of) in [("2018-02-01", "2018-01-05"), ("2019-06-10", "2019-06-09"), ("2025-01-01", "2023-01-01")] {
        let text = format!("date {date} What was said, put together for the record.\n\nSee {page} for it, {date}.\n");
        let link = one(&world, &format!("{date}.txt"), &text, "link");
        let why = link["why"].as_str().unwrap_or_default();
        assert!(why.contains(&format!("web.archive.org keeps a copy of {of}")), "{date}: {link:#}");
    }
}

#[test]
fn codes_that_differ_in_case_alone_are_two_live_and_archived() {
    let world = World::new();
    let said = world.json(
        "resolve",
        &["https://t.co/CaSe5eNsEa", "https://t.co/cAsE5EnSeA", "https://t.co/case5ensea"].map(str::to_owned),
    );
    let ends: Vec<&str> = said["resolutions"]
        .as_array()
        .expect("resolutions")
        .iter()
        .filter_map(|one| one["final_url"].as_str())
        .collect();
    assert_eq!(
        ends,
        ["https://harbour-times.example/morning", "https://harbour-times.example/evening", "https://t.co/case5ensea"],
        "{said:#}"
    );
    // one key of the archive's index stands for both: only the row of the very code is taken
    let world = World::new();
    world.replica.set(|world| {
        for (code, at_, to) in
            [("dEaDcOdE01", "2019-06-01T00:00:00Z", "upper"), ("deadcode01", "2019-06-02T00:00:00Z", "lower")]
        {
            let to = format!("https://harbour.example/{to}");
            world.capture(Capture::redirect(&format!("https://t.co/{code}"), at(at_), 301, &to));
            world.page(
                to.trim_start_matches("https://"),
                Reply::html(200, "<title>A page</title><p>Words that stand on it, enough of them.</p>"),
            );
        }
    });
    for (code, to) in [("dEaDcOdE01", "upper"), ("deadcode01", "lower")] {
        let link = one(&world, &format!("{code}.txt"), &format!("See https://t.co/{code} for it.\n"), "link");
        assert_eq!(link["final_url"], format!("https://harbour.example/{to}"), "{link:#}");
    }
}
