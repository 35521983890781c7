//! Every transaction of the fixtures, as a world of its own.

use onrecord::format::http::{Answer, Headers};
use onrecord::resolution::ending::Ending;
use onrecord::resolution::exchange::Failure;
use onrecord::resolution::pursuit::{Limits, Pursuit};

use super::world::{ID, World, fixture};

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
