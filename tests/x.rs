//! Every shape in which X tells of a post, against what the fixtures say is in it.

use onrecord::format::http::Answer;
use onrecord::platform::post::Post;
use onrecord::platform::reader::{Reader as _, State};
use onrecord::platform::x::answer::{self, Said};
use onrecord::platform::x::{embed, legacy, reader};
use serde_json::Value;

type Fallible<T> = Result<T, Box<dyn std::error::Error>>;

fn bytes(path: &str) -> Fallible<Vec<u8>> {
    Ok(std::fs::read(format!("{}/tests/fixtures/{path}", env!("CARGO_MANIFEST_DIR")))?)
}

fn json(path: &str) -> Fallible<Value> {
    Ok(serde_json::from_slice(&bytes(path)?)?)
}

fn post(path: &str) -> Fallible<Post> {
    match answer::read(&json(path)?) {
        Some(Said::Post(post)) => Ok(*post),
        other => Err(format!("{path} was read as {other:?}").into()),
    }
}

#[test]
fn tweet_results_as_expected() -> Fallible<()> {
    let expected = json("x/expected.json")?;
    for (name, want) in expected.as_object().ok_or("no table")? {
        let post = post(&format!("x/tweet-result/{name}.json"))?;
        assert_eq!(want["id"], post.name.id, "{name}");
        assert_eq!(want["text_unescaped"], post.text, "{name}");
        assert_eq!(want["screen_name"], post.author.handle, "{name}");
        assert_eq!(want["permalink"], post.permalink, "{name}");
        assert_eq!(want["snowflake_time"].as_str().map(str::parse).transpose()?, post.id_time, "{name}");
        assert_eq!(want["created_at"].as_str().map(str::parse).transpose()?, post.posted, "{name}");
        for (short, long) in want["tco"].as_object().into_iter().flatten() {
            let link = post.links.iter().find(|link| link.raw == *short).ok_or(format!("{name}: {short}"))?;
            assert_eq!(long, &link.expanded, "{name}");
        }
        let media: Vec<_> = post.media.iter().filter(|m| m.kind != "card").collect();
        assert_eq!(want["media"].as_array().map(Vec::len), Some(media.len()), "{name}");
        for (want, media) in want["media"].as_array().into_iter().flatten().zip(media) {
            assert_eq!(want["type"], media.kind, "{name}");
            let link = post.links.iter().find(|link| want["short"] == link.raw).ok_or("no link of the picture")?;
            assert_eq!(want["pic"].as_str(), link.shown.as_deref());
        }
    }
    Ok(())
}

#[test]
fn best_quality_and_upload_times() -> Fallible<()> {
    let photo = post("x/tweet-result/photo-2019.json")?;
    assert_eq!(
        photo.media.first().map(|m| m.url.as_str()),
        Some("https://pbs.twimg.com/media/D8rLXpLWcABk1XU?format=jpg&name=orig")
    );
    let (uploaded, posted) = (photo.media.first().and_then(|m| m.uploaded), photo.id_time);
    assert!(uploaded.is_some() && uploaded < posted, "{uploaded:?} {posted:?}");
    let video = post("x/tweet-result/video-quote.json")?;
    let media = video.media.first().ok_or("no video")?;
    assert!(media.url.contains("/1280x720/"), "{}", media.url);
    assert!(media.poster.is_some());
    assert_eq!(video.quotes.map(|q| q.name.id).as_deref(), Some("2029824320608677890"));
    assert_eq!(
        post("x/tweet-result/reply-parent.json")?.reply_to.map(|n| n.id).as_deref(),
        Some("2030252121895743492")
    );
    let edited = post("x/tweet-result/edited-latest.json")?;
    assert!(edited.edited && edited.versions.len() == 2);
    assert!(post("x/tweet-result/note-truncated.json")?.cut);
    Ok(())
}

#[test]
fn the_same_post_in_every_shape() -> Fallible<()> {
    let one = post("x/tweet-result/photos.json")?;
    for path in [
        "x/graphql/TweetResultByRestId.photos.json",
        "x/graphql/TweetResultByRestId.visibility.json",
        "x/graphql/error.unspecified.200.json",
        "x/fxtwitter/status.photos.json",
    ] {
        let other = post(path)?;
        assert_eq!((&one.name, &one.text, &one.author), (&other.name, &other.text, &other.author), "{path}");
        assert_eq!(one.media.len(), other.media.len(), "{path}");
    }
    let note = post("x/graphql/TweetResultByRestId.note.json")?;
    assert_eq!(note.text.trim(), String::from_utf8(bytes("x/tweet-result/note-truncated.full-text.txt")?)?.trim());
    assert!(!note.cut);
    Ok(())
}

#[test]
fn refusals_are_told_apart() -> Fallible<()> {
    for (path, state) in [
        ("tweet-result/tombstone.deleted.json", State::Gone),
        ("tweet-result/tombstone.suspended.json", State::Suspended),
        ("tweet-result/tombstone.protected.json", State::Protected),
        ("tweet-result/tombstone.age-restricted.json", State::AgeGated),
        ("tweet-result/tombstone.empty.json", State::Withheld),
        ("tweet-result/tombstone.bare.json", State::Withheld),
        ("tweet-result/empty-object.json", State::Withheld),
        ("graphql/TweetResultByRestId.tombstone.json", State::Suspended),
        ("graphql/TweetResultByRestId.unavailable.Deleted.json", State::Gone),
        ("graphql/TweetResultByRestId.unavailable.Protected.json", State::Protected),
        ("graphql/TweetResultByRestId.unavailable.Suspended.json", State::Suspended),
        ("graphql/TweetResultByRestId.unavailable.NsfwLoggedOut.json", State::AgeGated),
        ("graphql/TweetResultByRestId.unavailable.NsfwViewerHasNoStatedAge.json", State::AgeGated),
        ("graphql/TweetResultByRestId.empty.json", State::NotFound),
        ("fxtwitter/status.404.json", State::NotFound),
    ] {
        match answer::read(&json(&format!("x/{path}"))?) {
            Some(Said::Not(said, _)) => assert_eq!(said, state, "{path}"),
            other => return Err(format!("{path} was read as {other:?}").into()),
        }
    }
    for path in [
        "tweet-result/error.400.json",
        "graphql/error.429.json",
        "graphql/guest-activate.json",
        "graphql/UserByScreenName.json",
    ] {
        assert_eq!(answer::read(&json(&format!("x/{path}"))?), None, "{path}");
    }
    Ok(())
}

#[test]
fn embeds_in_every_language_and_age() -> Fallible<()> {
    let whole = post("x/tweet-result/photo-2019.json")?;
    let mut read = 0;
    for entry in std::fs::read_dir(format!("{}/tests/fixtures/x/oembed", env!("CARGO_MANIFEST_DIR")))? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if !name.ends_with("photo-2019.json") {
            continue;
        }
        let post = embed::read(&json(&format!("x/oembed/{name}"))?).ok_or(format!("{name} was not read"))?;
        assert_eq!(
            (&post.name, &post.text, &post.author.handle, &post.author.name),
            (&whole.name, &whole.text, &whole.author.handle, &whole.author.name),
            "{name}"
        );
        read += 1;
    }
    assert!(read >= 10);
    Ok(())
}

#[test]
fn archived_shapes() -> Fallible<()> {
    const ID: &str = "1137945522884755456";
    let whole = post("x/tweet-result/photo-2019.json")?;
    for payload in [
        "6TDJMD5DEZF6HWREDRNOY74LPOWFD4XY",
        "25A4ZJ2ZRQATJ7JVFE5WQMNKVQ3D3XOL",
        "D2S3HPZ5PCBSDP42AT5VB7E65ZQ3SSIS",
        "5KK5HAKY6QYTHQQ2HZQHDVXJ2BGLYVV3",
    ] {
        let body = bytes(&format!("wayback/payloads/{payload}"))?;
        let post = reader::archived(&body, "", ID).ok_or(format!("{payload} was not read"))?;
        assert_eq!((&post.text, &post.author), (&whole.text, &whole.author), "{payload}");
        assert_eq!(post.posted.map(|t| t.as_second()), whole.posted.map(|t| t.as_second()), "{payload}");
        assert_eq!(reader::archived(&body, "", "99"), None, "{payload} is of another post");
    }
    let rendered = String::from_utf8(bytes("wayback/payloads/QSLW2LAAZZISZWHZ7IO3GQYVNMZP37MZ")?)?;
    let post = legacy::read(&rendered, Some(ID)).ok_or("the microdata was not read")?;
    assert!(post.text.starts_with("Polling station 211") && post.author == whole.author && post.posted == whole.posted);
    for useless in ["MYKUFVR72BYEG2GUZDK6ZJKYQFZ3FEG3", "3PV52DK7FZAJKZHOBNYO3OWYIDYP7ZXV"] {
        assert_eq!(reader::archived(&bytes(&format!("wayback/payloads/{useless}"))?, "", ID), None);
    }
    assert!(legacy::is_shell(&String::from_utf8(bytes("wayback/payloads/MYKUFVR72BYEG2GUZDK6ZJKYQFZ3FEG3")?)?));
    assert!(!legacy::is_shell(&rendered));
    Ok(())
}

#[test]
fn a_long_post_is_completed_and_says_by_whom() -> Fallible<()> {
    let mut one = Box::new(reader::XReader::new("2030746619989995526", false));
    let whole = String::from_utf8(bytes("x/tweet-result/note-truncated.full-text.txt")?)?;
    let front = serde_json::json!({"code":200,"tweet":{"id":"2030746619989995526","text":whole.trim(),"author":{"screen_name":"tidalgaugebot"}}});
    while !one.done() {
        for (id, request) in one.asks() {
            let body = if request.url.host_str() == Some("api.fxtwitter.com") {
                serde_json::to_vec(&front)?
            } else {
                bytes("x/tweet-result/note-truncated.json")?
            };
            one.learn(id, Ok(&Answer { status: 200, body, ..Answer::default() }));
        }
    }
    let read = one.finish();
    let post = read.post.ok_or("no post")?;
    assert!(!post.cut && post.text == whole.trim());
    assert!(read.notes.iter().any(|note| note.contains("front end")));
    Ok(())
}
