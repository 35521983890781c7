//! Feed, oEmbed and kept JSON say the same of one post; refusals are told apart.

use super::*;
use crate::format::http::Headers;

const FEED: &str = include_str!("../../../tests/fixtures/other/reddit/comments.rss");
const OEMBED: &str = include_str!("../../../tests/fixtures/other/reddit/oembed.json");
const KEPT: &str = include_str!("../../../tests/fixtures/other/reddit/comments.json");

fn answer(status: u16, media_type: &str, body: &str) -> Answer {
    let headers = Headers(vec![("content-type".into(), media_type.as_bytes().to_vec())]);
    Answer { status, headers, body: body.as_bytes().to_vec(), ..Answer::default() }
}

fn read(feed: &Answer, oembed: &Answer) -> Read {
    let mut reader: Box<dyn Reader> = Box::new(PostReader::new("1abcde").unwrap());
    while !reader.done() {
        for (id, request) in reader.asks() {
            let answer = if request.url.path() == "/oembed" { oembed } else { feed };
            reader.learn(id, Ok(answer));
        }
    }
    reader.finish()
}

fn feed_only(xml: &str) -> Read {
    read(&answer(200, "application/atom+xml", xml), &answer(200, "application/json", "{}"))
}

const TEXT: &str = "Quay 4 closed until Friday\n\nThe notice hangs at the gate & says why.\n\nPedestrians may pass.";

#[test]
fn the_feed_gives_the_whole_post() {
    let read = feed_only(FEED);
    let post = read.post.unwrap();
    assert_eq!(post.name.to_string(), "reddit:1abcde");
    assert_eq!(post.text, TEXT);
    assert_eq!(post.links[0].expanded, "https://harbour.example/q4?a=1&b=2");
    assert_eq!(post.author.handle, "odelie_m");
    assert_eq!(post.posted.unwrap().to_string(), "2026-03-04T09:15:30Z");
    assert_eq!(post.permalink, "https://www.reddit.com/r/harbour/comments/1abcde/quay_4_closed_until_friday/");
    assert_eq!((post.media, read.notes), (vec![], vec![]));
}

#[test]
fn link_posts_and_removed_ones_are_told() {
    let link = "https://www.reddit.com/r/harbour/comments/1abcde/quay_4_closed_until_friday/&quot;&gt;[link]";
    let picture = FEED.replacen(link, "https://i.redd.it/a.png&quot;&gt;[link]", 1);
    let media = feed_only(&picture).post.unwrap().media;
    assert_eq!((media[0].kind.as_str(), media[0].url.as_str()), ("photo", "https://i.redd.it/a.png"));
    let removed = FEED.replacen("/u/odelie_m</name>", "/u/[deleted]</name>", 1);
    assert_eq!(feed_only(&removed).notes.len(), 1);
}

#[test]
fn a_feed_that_begins_with_something_else_is_not_taken() {
    assert_eq!(feed_only(&FEED.replace("<id>t3_1abcde", "<id>t3_other")).state, Some(State::Unknown));
    assert_eq!(feed_only("<feed></feed>").state, Some(State::Unknown));
    assert_eq!(feed_only("").state, Some(State::Unknown));
}

#[test]
fn oembed_stands_in_and_says_what_it_lacks() {
    let read_with = |oembed: &str| read(&answer(403, "text/html", "<html>"), &answer(200, "application/json", oembed));
    let read = read_with(OEMBED);
    let post = read.post.unwrap();
    assert_eq!((post.text.as_str(), post.cut, post.posted), ("Quay 4 closed until Friday", true, None));
    assert_eq!(post.author.handle, "odelie_m");
    assert_eq!(read.notes.len(), 1);
    let other = read_with(&OEMBED.replace("1abcde", "2abcde"));
    assert_eq!((other.post, other.state), (None, Some(State::Blocked)));
}

#[test]
fn refusals_are_told_apart() {
    let page = answer(200, "text/html", "<html>");
    let mut login = answer(302, "text/html", "");
    login.headers.0.push(("Location".into(), b"https://www.reddit.com/login/?reason=lor2".to_vec()));
    for (feed, state) in [
        (answer(404, "text/html", ""), State::NotFound),
        (answer(403, "text/html", ""), State::Blocked),
        (answer(429, "text/html", ""), State::RateLimited),
        (answer(503, "text/html", ""), State::ServerError),
        (page.clone(), State::Blocked),
    ] {
        assert_eq!(read(&feed, &page).state, Some(state), "{}", feed.status);
    }
    assert_eq!(read(&login, &login).state, Some(State::LoginGated));
    assert!(PostReader::new("a/b").is_none());
}

#[test]
fn json_that_was_kept_is_read() {
    let json: Json = serde_json::from_str(KEPT).unwrap();
    let (post, notes) = listing::of_json(&json).unwrap();
    assert_eq!(post.text, TEXT);
    assert_eq!(post.links[0].expanded, "https://harbour.example/q4?a=1&b=2");
    assert_eq!((post.author.id.as_deref(), post.edited), (Some("t2_9qrstu"), true));
    assert_eq!(post.posted.unwrap().to_string(), "2026-03-04T09:15:30Z");
    assert!(notes[0].starts_with("edited at 2026-03-04T09:30:00Z"));
    let alone = json.pointer("/0/data/children/0").unwrap();
    assert_eq!(listing::of_json(alone).unwrap().0, post);
    for wrong in
        [serde_json::json!([]), serde_json::json!({"kind": "t1", "data": {}}), serde_json::json!({"kind": "t3"})]
    {
        assert_eq!(listing::of_json(&wrong), None);
    }
}
