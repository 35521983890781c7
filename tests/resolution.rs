//! Whole pursuits as plain values: a small world of answers, and what each citation comes to in it.

use std::collections::BTreeMap;

use onrecord::citation::Kind;
use onrecord::format::http::{Answer, Headers};
use onrecord::platform::post::Platform;
use onrecord::resolution::ending::Ending;
use onrecord::resolution::exchange::{Exchange, Failure};
use onrecord::resolution::hop::{Ask, Resolution, Role, Step};
use onrecord::resolution::pursuit::{Limits, Pursuit};

/// Answers by URL; what is not there answers 404, as a server does that knows nothing.
#[derive(Default)]
struct World {
    answers: BTreeMap<String, Result<Answer, Failure>>,
    asked: Vec<(Role, String)>,
}

fn fixture(path: &str) -> Vec<u8> {
    std::fs::read(format!("{}/tests/fixtures/{path}", env!("CARGO_MANIFEST_DIR"))).unwrap_or_default()
}

fn answer(status: u16, headers: &[(&str, &str)], body: impl Into<Vec<u8>>) -> Answer {
    let headers = headers.iter().map(|(n, v)| ((*n).to_owned(), v.as_bytes().to_vec())).collect();
    Answer { status, headers: Headers(headers), body: body.into(), ..Answer::default() }
}

impl World {
    fn with(mut self, url: &str, given: Answer) -> Self {
        self.answers.insert(url.to_owned(), Ok(given));
        self
    }

    fn redirect(self, url: &str, to: &str) -> Self {
        self.with(url, answer(301, &[("location", to)], ""))
    }

    fn fails(mut self, url: &str, failure: Failure) -> Self {
        self.answers.insert(url.to_owned(), Err(failure));
        self
    }

    fn page(self, url: &str, html: &str) -> Self {
        self.with(url, answer(200, &[("content-type", "text/html")], html))
    }

    fn json(self, url: &str, path: &str) -> Self {
        self.with(url, answer(200, &[("content-type", "application/json")], fixture(path)))
    }

    fn post(self, id: &str, path: &str) -> Self {
        self.json(&onrecord::platform::x::reader::syndication_url(id), path)
    }

    fn index(self, url: &str, path: &str) -> Self {
        match onrecord::platform::wayback::cdx(url, 200) {
            Some(request) => self.json(request.url.as_str(), path),
            None => self,
        }
    }

    fn days(self, url: &str, path: &str) -> Self {
        match onrecord::platform::wayback::cdx(url, 150) {
            Some(request) => self.json(request.url.as_str(), path),
            None => self,
        }
    }

    fn memento(self, stamp: &str, original: &str, kind: &str, payload: &str) -> Self {
        let at =
            onrecord::platform::wayback::instant(stamp).map(|at| at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string());
        let url = format!("https://web.archive.org/web/{stamp}id_/{original}");
        let body = fixture(&format!("wayback/payloads/{payload}"));
        self.with(&url, answer(200, &[("content-type", kind), ("memento-datetime", &at.unwrap_or_default())], body))
    }

    fn exchange(&mut self, ask: &Ask) -> Exchange {
        let url = ask.request.url.to_string();
        self.asked.push((ask.role, url.clone()));
        let outcome = self.answers.get(&url).cloned().unwrap_or_else(|| Ok(answer(404, &[], "")));
        Exchange {
            request: ask.request.clone(),
            at: jiff::Timestamp::UNIX_EPOCH,
            ms: 1,
            remote: None,
            outcome,
            evidence: None,
        }
    }

    fn drive(&mut self, mut pursuit: Pursuit) -> Resolution {
        for _ in 0..200 {
            let asks = pursuit.asks();
            if asks.is_empty() {
                break;
            }
            for ask in asks {
                let exchange = self.exchange(&ask);
                pursuit.learn(ask.id, exchange);
            }
        }
        assert!(pursuit.done(), "the pursuit waits for nothing");
        pursuit.finish()
    }

    fn link(&mut self, url: &str) -> Resolution {
        self.drive(Pursuit::link(url, Limits::default()))
    }

    fn count(&self, role: Role) -> usize {
        self.asked.iter().filter(|(r, _)| *r == role).count()
    }
}

fn vias(resolution: &Resolution) -> Vec<&str> {
    resolution.hops.iter().map(|hop| hop.via.as_str()).collect()
}

const ID: &str = "1137945522884755456";

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

/// Every transaction of the fixtures by its URL; what has two answers by User-Agent gives the plain client's.
fn transactions() -> Result<World, serde_json::Error> {
    let all: Vec<serde_json::Value> = serde_json::from_slice(&fixture("http-transactions.json"))?;
    let mut world = World::default();
    for one in all.iter().rev() {
        let request = &one["request"];
        if request["method"] == "HEAD" || (request["ua"] == "browser" && one["id"] == "tco-browser") {
            continue;
        }
        let headers: Vec<(String, Vec<u8>)> = one["response"]["headers"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|h| Some((h[0].as_str()?.to_owned(), h[1].as_str()?.as_bytes().to_vec())))
            .collect();
        let body = one["response"]["body"].as_str().unwrap_or_default();
        let body = body.strip_prefix("@../").map_or_else(|| body.as_bytes().to_vec(), fixture);
        let status = one["response"]["status"].as_u64().and_then(|s| u16::try_from(s).ok()).unwrap_or(0);
        let given = Answer { status, headers: Headers(headers), body, ..Answer::default() };
        world.answers.insert(request["url"].as_str().unwrap_or_default().to_owned(), Ok(given));
    }
    let page = |path: &str| (format!("https://harbour.example{path}"), "<title>Quay 4</title><p>Closed until Friday.");
    for path in [
        "/notices/2026/quay-4?ref=post&lang=en",
        "/a",
        "/b",
        "/q4",
        "/plain",
        "/%D0%B2%D1%8B%D0%B1%D0%BE%D1%80%D1%8B-2019",
    ] {
        let (url, html) = page(path);
        world = world.page(&url, html);
    }
    let (_, html) = page("");
    Ok(world
        .page("http://harbour.example/plain", html)
        .page("http://harbour.example/a", html)
        .page("https://a.example/", html)
        .page("https://short.replica.test/final?x=1", html)
        .page("https://hootsuite.com/error/lost-owly", html)
        .page("https://www.amazon.com/", html)
        .page("https://twitter.com/harbour_staff", "<title>X</title>")
        .page("http://phish.example/login?a=1", html)
        .fails("http://169.254.169.254/latest/meta-data/", Failure::Refused("169.254.169.254 is link-local".into()))
        .post(ID, "x/tweet-result/photo-2019.json"))
}

#[test]
fn every_transaction_ends_as_it_should() -> Result<(), serde_json::Error> {
    use Ending::{Captured, Gone, Loop, Malformed, Refused, Soft404, Unsupported};
    let notice = "https://harbour.example/notices/2026/quay-4?ref=post&lang=en";
    let post = format!("https://twitter.com/odelie_m/status/{ID}");
    let q4 = "https://harbour.example/q4";
    // URL, ending, final URL, how its last hop was reached
    let rows: Vec<(&str, Ending, String, &str)> = vec![
        ("https://t.co/UQRJgN8qRs", Captured, notice.into(), "http-301"),
        ("http://t.co/d", Captured, "https://twitter.com/harbour_staff".into(), "http-301"),
        ("https://t.co/oldShape1", Captured, "http://harbour.example/a".into(), "meta-refresh"),
        ("http://t.co/oldShape2", Captured, "https://harbour.example/b".into(), "meta-refresh"),
        ("https://t.co/UQRJgN8qRs?amp=1", Captured, notice.into(), "http-301"),
        ("https://t.co/uNsAfE0123", Captured, "http://phish.example/login?a=1".into(), "interstitial"),
        ("https://t.co/bad", Gone, "https://t.co/bad".into(), "start"),
        ("https://pic.twitter.com/CdsTMkBRtm", Captured, format!("{post}/photo/1"), "http-301"),
        (&post, Captured, post.clone(), "start"),
        ("https://x.com/nobody_here/status/1", Gone, "https://x.com/nobody_here/status/1".into(), "start"),
        (
            "https://twitter.com/some_old_handle/status/1137945522884755456",
            Captured,
            "https://twitter.com/some_old_handle/status/1137945522884755456".into(),
            "start",
        ),
        (
            "https://twitter.com/statuses/1137945522884755456",
            Captured,
            "https://twitter.com/statuses/1137945522884755456".into(),
            "start",
        ),
        (
            "https://mobile.twitter.com/odelie_m/status/1137945522884755456?s=20",
            Captured,
            "https://mobile.twitter.com/odelie_m/status/1137945522884755456?s=20".into(),
            "start",
        ),
        (
            "https://fxtwitter.com/odelie_m/status/1137945522884755456",
            Captured,
            "https://fxtwitter.com/odelie_m/status/1137945522884755456".into(),
            "start",
        ),
        ("http://ow.ly/zzzz9", Soft404, "https://hootsuite.com/error/lost-owly".into(), "http-301"),
        ("https://amzn.to/zzzz9", Soft404, "https://www.amazon.com/".into(), "http-302"),
        ("https://lnkd.in/eAbCdEfG", Captured, q4.into(), "interstitial"),
        (
            "https://href.li/?https://x.com/odelie_m/status/1137945522884755456",
            Captured,
            format!("https://x.com/odelie_m/status/{ID}"),
            "unwrapped",
        ),
        ("http://t.cn/A6AbCdEf", Captured, q4.into(), "unwrapped"),
        ("https://reurl.cc/E2zlnA", Captured, q4.into(), "interstitial"),
        ("https://short.replica.test/rel", Captured, "https://short.replica.test/final?x=1#frag".into(), "http-302"),
        ("https://short.replica.test/sl", Captured, q4.into(), "http-302"),
        (
            "https://short.replica.test/utf8",
            Captured,
            "https://harbour.example/%D0%B2%D1%8B%D0%B1%D0%BE%D1%80%D1%8B-2019".into(),
            "http-301",
        ),
        ("https://short.replica.test/noloc", Malformed, "https://short.replica.test/noloc".into(), "start"),
        ("https://short.replica.test/two", Captured, "https://a.example/".into(), "http-301"),
        ("https://short.replica.test/loop", Loop, "https://short.replica.test/loop".into(), "start"),
        ("https://short.replica.test/down", Captured, "http://harbour.example/plain".into(), "http-302"),
        ("https://short.replica.test/app", Unsupported, "fb://profile/1".into(), "start"),
        ("https://short.replica.test/ssrf", Refused, "http://169.254.169.254/latest/meta-data/".into(), "http-302"),
        ("https://short.replica.test/delay", Captured, "https://short.replica.test/delay".into(), "start"),
        ("https://short.replica.test/comment", Captured, "https://short.replica.test/comment".into(), "start"),
        ("https://short.replica.test/q", Captured, q4.into(), "meta-refresh"),
        ("https://amp.replica.test/q4", Captured, "https://amp.replica.test/q4".into(), "start"),
    ];
    let mut wrong = Vec::new();
    for (url, ending, last, via) in &rows {
        let end = transactions()?.link(url);
        let reached = end.hops.last().map(|hop| hop.via.clone()).unwrap_or_default();
        if (end.ending, end.final_url.as_deref(), reached.as_str()) != (*ending, Some(last.as_str()), *via) {
            wrong.push(format!(
                "{url}: {:?} at {:?} by {reached}, not {ending:?} at {last} by {via}; {}",
                end.ending, end.final_url, end.why
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}

#[test]
fn a_browser_view_of_tco_is_compared() -> Result<(), serde_json::Error> {
    let limits = Limits { both_views: true, ..Limits::default() };
    let end = transactions()?.drive(Pursuit::link("https://t.co/UQRJgN8qRs", limits));
    assert!(end.notes.iter().any(|note| note.contains("leads a browser to the same place")), "{:?}", end.notes);
    Ok(())
}

/// Answers that lead on and on, in every way an answer can.
fn any_answer() -> impl proptest::strategy::Strategy<Value = Result<Answer, Failure>> {
    use proptest::prelude::*;
    let url = prop_oneof![
        Just("https://t.co/abcdefghij".to_owned()),
        Just(format!("https://x.com/odelie_m/status/{ID}")),
        Just("https://web.archive.org/web/2019id_/https://a.example/".to_owned()),
        Just("fb://x".to_owned()),
        Just("http://[".to_owned()),
        "[a-z]{1,3}".prop_map(|path| format!("https://a.example/{path}")),
    ];
    let header = prop_oneof![
        url.clone().prop_map(|to| ("location".to_owned(), to)),
        url.clone().prop_map(|to| ("refresh".to_owned(), format!("0;url={to}"))),
        Just(("memento-datetime".to_owned(), "Mon, 10 Jun 2019 05:20:00 GMT".to_owned())),
        "[a-z]=[0-9]".prop_map(|cookie| ("set-cookie".to_owned(), cookie)),
        Just(("content-type".to_owned(), "text/html".to_owned())),
    ];
    let body = prop_oneof![
        url.prop_map(|to| format!("<meta http-equiv=refresh content='0;url={to}'>").into_bytes()),
        Just(fixture("wayback/cdx.prefix.json")),
        Just(fixture("x/tweet-result/photos.json")),
        Just(fixture("x/tweet-result/tombstone.deleted.json")),
        Just(fixture("wayback/payloads/D2S3HPZ5PCBSDP42AT5VB7E65ZQ3SSIS")),
        Just(b"{\"errors\":[{}]}".to_vec()),
        proptest::collection::vec(any::<u8>(), 0..60),
    ];
    let status =
        prop_oneof![Just(200_u16), Just(301), Just(302), Just(404), Just(403), Just(429), Just(503), 100_u16..600];
    let given = (status, proptest::collection::vec(header, 0..3), body).prop_map(|(status, headers, body)| {
        let headers = headers.into_iter().map(|(n, v)| (n, v.into_bytes())).collect();
        Ok(Answer { status, headers: Headers(headers), body, ..Answer::default() })
    });
    prop_oneof![9 => given, 1 => Just(Err(Failure::Timeout("30 s".into())))]
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(400))]

    /// Whatever is answered, a pursuit ends, within its requests: only the chain itself may go beyond them.
    #[test]
    fn every_pursuit_ends(answers in proptest::collection::vec(any_answer(), 1..40), which in 0..4_u8, requests in 1..14_usize) {
        let limits = Limits { requests, both_views: which == 3, ..Limits::default() };
        let mut pursuit = match which {
            0 => Pursuit::link("https://t.co/abcdefghij", limits),
            1 => Pursuit::post(&quote(&["https://t.co/abcdefghij", "https://pic.twitter.com/CdsTMkBRtm"], WORDS, "2019-06-10"), limits),
            2 => Pursuit::handle(Platform::X, "odelie_m", limits),
            _ => Pursuit::post(&quote(&[], WORDS, "2023-07-10"), limits),
        };
        let (mut hops, mut others, mut turn) = (0, 0, 0);
        while !pursuit.done() {
            let asks = pursuit.asks();
            proptest::prop_assert!(!asks.is_empty() || pursuit.done(), "it waits for nothing");
            for ask in asks {
                if ask.role == Role::Hop { hops += 1 } else { others += 1 }
                let outcome = answers.get(turn % answers.len()).cloned().unwrap_or(Err(Failure::Offline));
                turn += 1;
                pursuit.learn(ask.id, Exchange { request: ask.request, at: jiff::Timestamp::UNIX_EPOCH, ms: 0, remote: None, outcome, evidence: None });
            }
            proptest::prop_assert!(turn < 500, "it goes on and on");
        }
        let chains = 3; // a quest follows each link of the quote
        proptest::prop_assert!(hops <= 20 * chains + 1 && others <= requests, "{hops} hops and {others} others for {requests}");
        let end = pursuit.finish();
        proptest::prop_assert!(!end.why.is_empty());
        proptest::prop_assert_eq!(end.parts.len(), turn);
    }
}

/// What platforms answer that list an account's posts: each of it well made, none of it what was asked for.
fn any_list() -> impl proptest::strategy::Strategy<Value = Result<Answer, Failure>> {
    use proptest::prelude::*;
    let record = |rkey: &str, day: &str| {
        format!(
            "{{\"uri\":\"at://did:plc:iehgelpsa6hrxqbomgxsvwfi/app.bsky.feed.post/{rkey}\",\"cid\":\"bafy\",\"value\":\
             {{\"$type\":\"app.bsky.feed.post\",\"text\":{WORDS:?},\"createdAt\":\"2026-03-0{day}T09:00:00Z\"}}}}"
        )
    };
    let records = format!(
        "{{\"records\":[{},{}],\"cursor\":\"3mg7x3ipobs2f\"}}",
        record("3mg7x3ipobs2f", "4"),
        record("3mg7xffoz722f", "5")
    );
    let status = |n: u64| {
        let ms = 1_772_614_800_000_u64 + n * 60_000;
        format!(
            "{{\"id\":\"{}\",\"created_at\":\"2026-03-04T09:00:00Z\",\"content\":\"<p>{WORDS}</p>\",\"uri\":\"https://a.example/1\",\
             \"edited_at\":\"2026-03-04T10:00:00Z\",\"in_reply_to_id\":\"{}\",\"account\":{{\"acct\":\"odelie_m\"}}}}",
            ms << 16,
            (ms + 60_000) << 16
        )
    };
    let statuses = format!("[{}]", (0..40).map(status).collect::<Vec<_>>().join(","));
    let widget = |n: u64| {
        format!(
            "<div class=tgme_channel_info></div><div class='tgme_widget_message' data-post='odelie_m/{n}'><div class='js-message_text'>{WORDS}</div>\
             <a class=tgme_widget_message_date><time datetime='2026-03-0{}T09:00:00+00:00'></time></a></div>",
            1 + n % 9
        )
    };
    let page: String = (20..40).map(widget).collect();
    let entry = |n: u64| {
        format!(
            "<entry><id>yt:video:aB3dE5gH7j{n}</id><title>{WORDS}</title><published>2026-03-0{n}T09:00:00+00:00</published></entry>\
             <entry><id>t3_{n}abc</id><author><name>/u/odelie_m</name></author><title>{WORDS}</title><published>2026-03-0{n}T09:00:00+00:00</published></entry>"
        )
    };
    let feed = format!("<feed>{}</feed>", (1..9).map(entry).collect::<String>());
    let body = prop_oneof![
        Just(b"{\"did\":\"did:plc:iehgelpsa6hrxqbomgxsvwfi\"}".to_vec()),
        Just(fixture("bluesky/did.json")),
        Just(fixture("bluesky/getRecord.rk1.car")),
        Just(fixture("bluesky/getPostThread.json")),
        Just(records.into_bytes()),
        Just(b"{\"id\":\"9\",\"acct\":\"odelie_m\"}".to_vec()),
        Just(statuses.into_bytes()),
        Just(page.into_bytes()),
        Just(feed.into_bytes()),
        Just(b"<link rel=canonical href=https://www.youtube.com/channel/UCabcdefghijklmnopqrstuv>".to_vec()),
        Just(b"[]".to_vec()),
        Just(b"[[\"timestamp\",\"original\",\"mimetype\",\"statuscode\",\"digest\"],[\"20260305000000\",\"https://t.me/s/odelie_m\",\"text/html\",\"200\",\"A\"],\
            [\"20260305000000\",\"https://t.me/odelie_m/27?embed=1\",\"text/html\",\"200\",\"B\"]]".to_vec()),
        proptest::collection::vec(any::<u8>(), 0..60),
    ];
    let status = prop_oneof![12 => Just(200_u16), 1 => Just(404), 1 => Just(429), 1 => Just(503), 1 => 100_u16..600];
    let given = (status, any::<bool>(), body).prop_map(|(status, kept, body)| {
        let at = "Thu, 05 Mar 2026 00:00:00 GMT";
        let headers = [("memento-datetime", at), ("content-type", "text/html")];
        answer(status, if kept { &headers } else { &[] }, body)
    });
    prop_oneof![14 => given.prop_map(Ok), 1 => Just(Err(Failure::Timeout("30 s".into())))]
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(600))]

    /// The same for posts that nothing links to: lists that lie, repeat themselves and never end cost no more than is allowed.
    #[test]
    fn every_search_of_a_list_ends(answers in proptest::collection::vec(any_list(), 1..30), which in 0..5_usize, requests in 1..14_usize, two in proptest::prelude::any::<bool>()) {
        let accounts = [
            (Platform::Bluesky, "observer.replica.example"),
            (Platform::Mastodon, "odelie_m@a.example"),
            (Platform::Telegram, "odelie_m"),
            (Platform::Youtube, "odelie_m"),
            (Platform::Reddit, "odelie_m"),
        ];
        let (site, account) = accounts[which];
        let mut kind = quote(&[], &format!("{WORDS} And more is said in what follows it."), "2026-03-04");
        if let Kind::Post { platform, handle, date, dates, .. } = &mut kind {
            (*platform, *handle) = (site, Some(account.to_owned()));
            if two {
                *dates = vec!["2026-03-04".into(), "2026-04-03".into()];
                *date = None;
            }
        }
        let mut pursuit = Pursuit::post(&kind, Limits { requests, ..Limits::default() });
        let mut turn = 0;
        while !pursuit.done() {
            let asks = pursuit.asks();
            proptest::prop_assert!(!asks.is_empty() || pursuit.done(), "it waits for nothing");
            for ask in asks {
                let outcome = answers[turn % answers.len()].clone();
                turn += 1;
                pursuit.learn(ask.id, Exchange { request: ask.request, at: jiff::Timestamp::UNIX_EPOCH, ms: 0, remote: None, outcome, evidence: None });
            }
            proptest::prop_assert!(turn <= requests + 20, "{turn} requests for {requests}");
        }
        let end = pursuit.finish();
        proptest::prop_assert!(!end.why.is_empty());
        proptest::prop_assert_eq!(end.parts.len(), turn);
        // a post that is taken is on record as the one that was
        if let Some(post) = &end.post {
            proptest::prop_assert!(end.candidates.iter().any(|c| c.taken && c.post == post.name) || !end.also.is_empty() || end.ending == Ending::Captured);
        }
    }
}
