//! Whole pursuits as plain values: a small world of answers, and what each citation comes to in it.

mod hostile;
mod transactions;
mod world;

use onrecord::citation::Kind;
use onrecord::platform::post::Platform;
use onrecord::resolution::ending::Ending;
use onrecord::resolution::exchange::{Exchange, Failure};
use onrecord::resolution::hop::{Role, Step};
use onrecord::resolution::pursuit::{Limits, Pursuit};

use world::{ID, World, answer, vias};

#[test]
fn a_short_link_to_a_page() {
    let mut world = World::default()
        .redirect("https://t.co/UQRJgN8qRs", "https://harbour.example/q4?a=1&b=2")
        .page("https://harbour.example/q4?a=1&b=2", "<title>Quay 4</title><p>Closed.");
    let end = world.link("https://t.co/UQRJgN8qRs");
    assert_eq!(end.ending, Ending::Captured, "{}", end.why);
    assert_eq!(end.final_url.as_deref(), Some("https://harbour.example/q4?a=1&b=2"));
    assert_eq!(vias(&end), ["start", "http-301"]);
    assert_eq!(end.exchanges(), 2);
    assert_eq!(end.page.and_then(|p| p.title).as_deref(), Some("Quay 4"));
    assert_eq!(world.asked.len(), 2);
}

#[test]
fn a_picture_code_leads_to_the_post() {
    let mut world = World::default()
        .redirect("https://pic.twitter.com/CdsTMkBRtm", "https://t.co/CdsTMkBRtm")
        .redirect("https://t.co/CdsTMkBRtm", &format!("https://twitter.com/odelie_m/status/{ID}/photo/1"))
        .post(ID, "x/tweet-result/photo-2019.json")
        .json(&onrecord::platform::x::reader::oembed_url(ID), "x/oembed/new-shape.photo-2019.json")
        .with("https://pbs.twimg.com/media/D8rLXpLWcABk1XU?format=jpg&name=orig", answer(200, &[], "jpeg"));
    let end = world.link("https://pic.twitter.com/CdsTMkBRtm");
    assert_eq!(end.ending, Ending::Captured, "{}", end.why);
    assert!(end.why.contains("oEmbed says the same"), "{}", end.why);
    assert_eq!(vias(&end), ["start", "http-301", "http-301"]);
    assert_eq!(end.exchanges(), 2);
    let post = end.post.as_ref().map(|post| (post.name.to_string(), post.author.handle.clone()));
    assert_eq!(post, Some((format!("x:{ID}"), "odelie_m".to_owned())));
    assert_eq!((world.count(Role::Hop), world.count(Role::Platform), world.count(Role::Media)), (2, 2, 1));
    assert!(end.notes.is_empty(), "{:?}", end.notes);
}

#[test]
fn tombstones_are_told_apart_and_archives_asked() {
    for (name, ending) in [
        ("tombstone.deleted", Ending::Gone),
        ("tombstone.suspended", Ending::Suspended),
        ("tombstone.protected", Ending::Protected),
        ("tombstone.age-restricted", Ending::AgeGated),
        ("tombstone.empty", Ending::Withheld),
        ("tombstone.bare", Ending::Withheld),
        ("empty-object", Ending::Withheld),
        ("error.400", Ending::Gone),
    ] {
        let mut world = World::default().post(ID, &format!("x/tweet-result/{name}.json"));
        let end = world.link(&format!("https://x.com/odelie_m/status/{ID}"));
        if name == "error.400" {
            // a 400 comes with its status in the wild; as 200 it is no known shape
            continue;
        }
        assert_eq!(end.ending, ending, "{name}: {}", end.why);
        assert!(world.count(Role::Archive) > 0, "{name}");
        assert_eq!(end.names.map(|n| n.id).as_deref(), Some(ID));
    }
}

#[test]
fn a_deleted_post_comes_from_the_archive() {
    let mut world = World::default()
        .post(ID, "x/tweet-result/tombstone.deleted.json")
        .index(&format!("twitter.com/odelie_m/status/{ID}*"), "wayback/cdx.prefix.json")
        .memento(
            "20190610050001",
            &format!("https://twitter.com/odelie_m/status/{ID}"),
            "application/json",
            "6TDJMD5DEZF6HWREDRNOY74LPOWFD4XY",
        );
    let end = world.link(&format!("https://twitter.com/odelie_m/status/{ID}"));
    assert_eq!(end.ending, Ending::CapturedFromArchive, "{} {:?}", end.why, end.notes);
    let from = end.from_archive.clone();
    assert_eq!(from.as_ref().map(|f| f.archive.as_str()), Some("web.archive.org"));
    assert_eq!(from.as_ref().and_then(|f| f.digest_matches), Some(true));
    assert_eq!(from.map(|f| f.at.to_string()).as_deref(), Some("2019-06-10T05:00:01Z"));
    assert!(end.post.is_some_and(|post| post.text.starts_with("Polling station 211")));
    assert!(end.why.contains("deleted by the Post author"), "{}", end.why);
}

#[test]
fn a_platform_that_fails_leaves_the_page_and_the_reason() {
    let failing = answer(503, &[], "");
    let page = format!("https://x.com/odelie_m/status/{ID}");
    let mut world = World::default()
        .with(&onrecord::platform::x::reader::syndication_url(ID), failing.clone())
        .with(&onrecord::platform::x::reader::oembed_url(ID), failing)
        .page(&page, "<title>X</title><div id=react-root></div>");
    let end = world.link(&page);
    assert_eq!(end.ending, Ending::ServerError, "{}", end.why);
    assert!(end.parts.iter().any(|part| part.role == Role::Hop && part.url == page));
}

#[test]
fn offline_and_other_failures() {
    for (failure, ending) in [
        (Failure::Offline, Ending::Offline),
        (Failure::Timeout("30 s".into()), Ending::Timeout),
        (Failure::Untrusted("expired".into()), Ending::Untrusted),
        (Failure::Refused("169.254.169.254 is link-local".into()), Ending::Refused),
        (Failure::NoSuchHost("h.example".into()), Ending::NoSuchHost),
        (Failure::Unreachable("reset".into()), Ending::Unreachable),
        (Failure::Malformed("no head".into()), Ending::Malformed),
    ] {
        let mut world = World::default().fails("https://h.example/a", failure.clone());
        let end = world.link("https://h.example/a");
        assert_eq!(end.ending, ending, "{}", end.why);
        assert!(end.hops.first().is_some_and(|hop| hop.error.is_some()));
    }
}

#[test]
fn a_dead_short_link_is_read_from_the_archive() {
    let index = r#"[["urlkey","timestamp","original","mimetype","statuscode","digest","length"],
        ["co,t)/abcdefghij","20190610052000","https://t.co/ABCdefGHIj","text/html","301","3I42H3S6NNFQ2MSVX7XZKYAYSCX5QBYJ","440"],
        ["co,t)/abcdefghij","20190610052000","https://t.co/abcdefghij","text/html","301","3I42H3S6NNFQ2MSVX7XZKYAYSCX5QBYJ","440"]]"#;
    let cdx =
        onrecord::platform::wayback::cdx("https://t.co/abcdefghij", 200).map(|r| r.url.to_string()).unwrap_or_default();
    let mut world = World::default()
        .with(&cdx, answer(200, &[], index))
        .with(
            "https://web.archive.org/web/20190610052000id_/https://t.co/abcdefghij",
            answer(
                301,
                &[
                    ("memento-datetime", "Mon, 10 Jun 2019 05:20:00 GMT"),
                    ("location", "https://web.archive.org/web/20190610052000id_/https://harbour.example/q4"),
                ],
                "",
            ),
        )
        .page("https://harbour.example/q4", "<title>Quay 4</title>");
    let end = world.link("https://t.co/abcdefghij");
    assert_eq!(end.ending, Ending::Captured, "{} {:?}", end.why, end.notes);
    assert_eq!(end.final_url.as_deref(), Some("https://harbour.example/q4"));
    assert!(end.notes.iter().any(|n| n.contains("keeps a redirect")), "{:?}", end.notes);
}

#[test]
fn loops_and_endless_chains() {
    let mut world = World::default()
        .redirect("https://a.example/", "https://b.example/")
        .redirect("https://b.example/", "https://a.example/");
    assert_eq!(world.link("https://a.example/").ending, Ending::Loop);
    let mut world = World::default();
    for n in 0..40 {
        world = world.redirect(&format!("https://a.example/{n}"), &format!("https://a.example/{}", n + 1));
    }
    let end = world.link("https://a.example/0");
    assert_eq!(end.ending, Ending::TooManyHops);
    assert_eq!(end.exchanges(), 20);
    let mut world = World::default().page("https://a.example/19", "<p>here");
    for n in 0..19 {
        world = world.redirect(&format!("https://a.example/{n}"), &format!("https://a.example/{}", n + 1));
    }
    assert_eq!(world.link("https://a.example/0").ending, Ending::Captured);
}

#[test]
fn a_cookie_that_a_server_waits_for() {
    // the first answer sets it and sends back; a client that returns it is let in
    struct Gate(bool);
    let mut gate = Gate(false);
    let mut pursuit = Pursuit::link("https://gate.example/", Limits::default());
    for _ in 0..4 {
        for ask in pursuit.asks() {
            gate.0 = ask.request.headers.iter().any(|(n, v)| n == "Cookie" && v == "k=1");
            let given = if gate.0 {
                answer(200, &[], "in")
            } else {
                answer(302, &[("location", "/"), ("set-cookie", "k=1")], "")
            };
            let exchange = Exchange {
                request: ask.request.clone(),
                at: jiff::Timestamp::UNIX_EPOCH,
                ms: 0,
                remote: None,
                outcome: Ok(given),
                evidence: None,
            };
            pursuit.learn(ask.id, exchange);
        }
    }
    assert!(pursuit.done());
    assert_eq!(pursuit.finish().ending, Ending::Captured);
    assert!(gate.0);
}

fn quote(links: &[&str], words: &str, date: &str) -> Kind {
    Kind::Post {
        platform: Platform::X,
        author: Some("Odélie Marchetti".into()),
        handle: Some("odelie_m".into()),
        date: Some(date.into()),
        dates: Vec::new(),
        date_raw: None,
        quoted: words.into(),
        truncated: false,
        links: links.iter().map(|l| (*l).to_owned()).collect(),
        permalink: None,
        post_id: None,
    }
}

const WORDS: &str = "Polling station 211, 09:50 local time: the queue reaches the bus stop. #HarbourElection";

#[test]
fn a_quoted_post_by_its_picture_code() {
    let mut world = World::default()
        .redirect("https://pic.twitter.com/CdsTMkBRtm", &format!("https://twitter.com/odelie_m/status/{ID}/photo/1"))
        .post(ID, "x/tweet-result/photo-2019.json");
    let kind = quote(&["https://pic.twitter.com/CdsTMkBRtm"], WORDS, "2019-06-10");
    let end = world.drive(Pursuit::post(&kind, Limits::default()));
    assert_eq!(end.ending, Ending::Captured, "{}", end.why);
    assert!(end.candidates.iter().any(|c| c.taken && c.by == "pic-code"), "{:?}", end.candidates);
}

#[test]
fn a_quoted_post_by_who_when_and_words() {
    let mut world = World::default()
        .days("twitter.com/odelie_m/status/1137*", "wayback/cdx.prefix.json")
        .post(ID, "x/tweet-result/photo-2019.json");
    let end = world.drive(Pursuit::post(&quote(&[], WORDS, "2019-06-10"), Limits::default()));
    assert_eq!(end.ending, Ending::Captured, "{} {:?}", end.why, end.notes);
    assert_eq!(end.post.map(|p| p.name.id).as_deref(), Some(ID));
    let taken: Vec<_> = end.candidates.iter().filter(|c| c.taken).collect();
    assert_eq!(taken.len(), 1);
    assert!(end.candidates.len() > 1, "the other post of that day is on record: {:?}", end.candidates);
    assert!(world.asked.len() <= 12);
}

#[test]
fn a_quoted_post_that_nothing_names() {
    let mut world = World::default();
    let end = world.drive(Pursuit::post(&quote(&[], WORDS, "2019-06-10"), Limits::default()));
    assert_eq!(end.ending, Ending::Unsupported, "{}", end.why);
    assert!(end.post.is_none());
}

#[test]
fn following_only() {
    let page = format!("https://x.com/odelie_m/status/{ID}");
    let mut world = World::default()
        .redirect("https://t.co/CdsTMkBRtm", &page)
        .page(&page, "<title>X</title><div id=react-root></div>");
    let end = world.drive(Pursuit::link("https://t.co/CdsTMkBRtm", Limits::follow_only()));
    assert_eq!(end.exchanges(), 2);
    assert_eq!(world.asked.len(), 2);
}
