//! Posts composed for each platform, read as a run reads them, from the first request to the post.

use onrecord::format::http::{Answer, Headers};
use onrecord::platform::post::{Platform, PostName};
use onrecord::platform::reader::Read;
use onrecord::platform::registry::{Aids, reader};
use serde_json::Value;

/// Drives the reader of one post; every request that the fixture does not answer gets no connection.
fn read(platform: Platform, case: &Value) -> Read {
    let name = PostName { platform, id: case["id"].as_str().unwrap().to_owned() };
    let mut reader = reader(&name, Aids::default()).unwrap();
    while !reader.done() {
        for (id, request) in reader.asks() {
            let mut answers = case["answers"].as_array().unwrap().iter();
            match answers.find(|answer| request.url.as_str().contains(answer[0].as_str().unwrap())) {
                Some(given) => reader.learn(id, Ok(&answer(given))),
                None => reader.learn(id, Err("no connection")),
            }
        }
    }
    reader.finish()
}

fn answer(given: &Value) -> Answer {
    let media_type = given[2].as_str().unwrap().as_bytes().to_vec();
    Answer {
        status: u16::try_from(given[1].as_u64().unwrap()).unwrap(),
        headers: Headers(vec![("Content-Type".into(), media_type)]),
        body: given[3].as_str().unwrap().as_bytes().to_vec(),
        ..Answer::default()
    }
}

fn check(platform: Platform) {
    let path = format!("{}/tests/fixtures/posts/{}.json", env!("CARGO_MANIFEST_DIR"), platform.as_str());
    let cases: Vec<Value> = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    assert!(cases.len() > 10);
    for case in &cases {
        let (read, expect) = (read(platform, case), &case["expect"]);
        let Some(post) = read.post else {
            assert_eq!(read.state.map(|state| format!("{state:?}")).as_deref(), expect["state"].as_str(), "{case}");
            continue;
        };
        assert_eq!(post.name.id, case["id"].as_str().unwrap());
        assert_eq!(Some(post.text.as_str()), expect["text"].as_str());
        assert_eq!(Some(post.author.handle.as_str()), expect["handle"].as_str());
        assert_eq!(post.posted, expect["posted"].as_str().map(|time| time.parse().unwrap()), "{case}");
        let links: Vec<&str> = post.links.iter().map(|link| link.expanded.as_str()).collect();
        let expected: Vec<&str> = expect["links"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
        assert_eq!(links, expected, "{case}");
        if let Some(id_time) = post.id_time {
            assert_eq!(Some(id_time.as_second()), post.posted.map(|time| time.as_second()), "{case}");
        }
    }
}

#[test]
fn bluesky() {
    check(Platform::Bluesky);
}

#[test]
fn mastodon() {
    check(Platform::Mastodon);
}

#[test]
fn telegram() {
    check(Platform::Telegram);
}

#[test]
fn youtube() {
    check(Platform::Youtube);
}

#[test]
fn reddit() {
    check(Platform::Reddit);
}
