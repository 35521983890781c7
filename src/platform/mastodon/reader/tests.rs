//! Whole readings: a server's own post, a copy of another's, other software, and each refusal.

use serde_json::json;

use super::*;

macro_rules! fixture {
    ($name:literal) => {
        include_str!(concat!("../../../../tests/fixtures/other/mastodon/", $name))
    };
}

const ID: &str = "fedi.replica.example/116170144489341607";

/// URL, status, body.
type World<'a> = [(&'a str, u16, String)];

fn drive(mut reader: Box<dyn Reader>, world: &World<'_>) -> (Read, Vec<String>) {
    let mut asked = Vec::new();
    while !reader.done() {
        for (id, request) in reader.asks() {
            asked.push(request.url.to_string());
            match world.iter().find(|(url, ..)| *url == request.url.as_str()) {
                Some((_, status, body)) => {
                    let answer = Answer { status: *status, body: body.clone().into_bytes(), ..Answer::default() };
                    reader.learn(id, Ok(&answer));
                }
                None => reader.learn(id, Err("no connection")),
            }
        }
    }
    (reader.finish(), asked)
}

fn read(id: &str, world: &World<'_>) -> Read {
    drive(Box::new(PostReader::new(id).unwrap()), world).0
}

const API: &str = "https://fedi.replica.example/api/v1/statuses/116170144489341607";
const COPY: &str = "https://copies.example/api/v1/statuses/116170144490000000";
const OBJECT: &str = "https://fedi.replica.example/users/mira/statuses/116170144489341607";

#[test]
fn a_server_s_own_post_takes_one_request() {
    let world = [(API, 200, fixture!("api-v1-status.json").to_owned())];
    let (read, asked) = drive(Box::new(PostReader::new(ID).unwrap()), &world);
    assert_eq!(asked, [API]);
    let post = read.post.unwrap();
    assert_eq!(post.name.to_string(), format!("mastodon:{ID}"));
    assert_eq!(post.permalink, "https://fedi.replica.example/@mira/116170144489341607");
    assert_eq!(post.text, "Gauge 2 reads high: https://harbour.example/q4 #HarbourWatch");
    assert_eq!(
        (post.links[0].raw.as_str(), post.links[0].shown.as_deref()),
        ("https://harbour.example/q4", Some("harbour.example/q4"))
    );
    assert_eq!(post.links.len(), 1);
    assert_eq!(post.author.handle, "mira@fedi.replica.example");
    assert_eq!(post.author.name.as_deref(), Some("Mira Solvang-Ökmen"));
    assert_eq!(post.author.id.as_deref(), Some("https://fedi.replica.example/users/mira"));
    assert_eq!((post.posted, post.language.as_deref()), (post.id_time, Some("en")));
    assert_eq!((post.media[0].kind.as_str(), post.media[0].alt.as_deref()), ("photo", Some("A tide gauge.")));
    assert!(!post.edited && read.attestations.is_empty());
}

/// What another server keeps of the fixture's post.
fn copy() -> String {
    let mut copy: Json = serde_json::from_str(fixture!("api-v1-status.json")).unwrap();
    copy["id"] = json!("116170144490000000");
    copy["account"]["acct"] = json!("mira@fedi.replica.example");
    copy.to_string()
}

#[test]
fn a_copy_leads_to_its_origin() {
    let mut world = vec![(COPY, 200, copy()), (API, 200, fixture!("api-v1-status.json").to_owned())];
    let id = "copies.example/116170144490000000";
    let read_one = |world: &World<'_>| read(id, world);
    let read = read_one(&world);
    assert_eq!(read.post.unwrap().name.to_string(), format!("mastodon:{ID}"));
    assert!(read.attestations[0].holds);

    world[1].1 = 401;
    world.push((OBJECT, 200, fixture!("activitypub-note.json").to_owned()));
    let read = read_one(&world);
    let post = read.post.unwrap();
    assert_eq!(post.name.to_string(), format!("mastodon:{ID}"));
    assert_eq!(post.author.name.as_deref(), Some("Mira Solvang-Ökmen"));
    assert!(read.attestations[0].holds);

    world[2].2 = fixture!("activitypub-note.json").replace("reads high", "reads low");
    let read = read_one(&world);
    assert!(!read.attestations[0].holds);
    assert!(read.post.unwrap().text.contains("reads low"));

    world[2] = (OBJECT, 410, json!({"id": OBJECT, "type": "Tombstone", "deleted": "2026-04-01T00:00:00Z"}).to_string());
    let read = read_one(&world);
    assert_eq!(read.post.unwrap().name.to_string(), format!("mastodon:{id}"));
    assert!(read.notes[0].contains("deleted at 2026-04-01"), "{:?}", read.notes);

    world.truncate(1);
    assert!(read_one(&world).notes[0].contains("no connection"));
}

#[test]
fn an_object_of_another_server_is_nobody_s_word() {
    let foreign = fixture!("activitypub-note.json")
        .replace("fedi.replica.example/users/mira/statuses", "evil.example/users/mira/statuses");
    let world = [(COPY, 200, copy()), (OBJECT, 200, foreign)];
    let read = read("copies.example/116170144490000000", &world);
    assert!(read.notes[0].contains("no object of its own"), "{:?}", read.notes);
}

#[test]
fn refusals_are_told_apart() {
    for (status, body, state) in [
        (401, fixture!("api-v1-status.401.json"), State::LoginGated),
        (404, fixture!("api-v1-status.404.json"), State::NotFound),
        (410, "", State::Gone),
        (403, "", State::Blocked),
        (429, "", State::RateLimited),
        (503, "", State::ServerError),
        (200, "<html>", State::Unknown),
        (200, "{}", State::Unknown),
    ] {
        let read = read(ID, &[(API, status, body.to_owned())]);
        assert_eq!((read.post, read.state), (None, Some(state)), "{status} {body}");
        assert!(!read.why.is_empty());
    }
    assert_eq!(read(ID, &[]).state, Some(State::Unknown));
}

#[test]
fn a_page_stands_in_for_a_closed_api() {
    let page: Url = "https://fedi.replica.example/@mira/116170144489341607".parse().unwrap();
    let reader = || Box::new(PostReader::new(ID).unwrap().with_page(page.clone()));
    let actor = json!({"id": "https://fedi.replica.example/users/mira", "type": "Person", "preferredUsername": "mira", "name": "Mira"});
    let mut world = vec![
        (API, 401, String::new()),
        (page.as_str(), 200, fixture!("activitypub-note.json").to_owned()),
        ("https://fedi.replica.example/users/mira", 200, actor.to_string()),
    ];
    let (read, _) = drive(reader(), &world);
    let post = read.post.unwrap();
    assert_eq!((post.author.handle.as_str(), post.author.name.as_deref()), ("mira@fedi.replica.example", Some("Mira")));
    assert_eq!(post.posted.unwrap().to_string(), "2026-03-04T09:15:30Z");
    assert_eq!(post.id_time.unwrap().to_string(), "2026-03-04T09:15:30.123Z");
    assert_eq!(post.language.as_deref(), Some("en"));
    assert_eq!(post.media[0].kind, "photo");

    world[1].1 = 401;
    let closed = drive(reader(), &world).0;
    assert_eq!((closed.state, closed.author), (Some(State::LoginGated), None));
    // the page may be embedded all the same: that tells who wrote it, and no more
    let oembed = super::super::oembed(&page).unwrap().url.to_string();
    world.push((oembed.as_str(), 200, fixture!("oembed.json").to_owned()));
    let told = drive(reader(), &world).0;
    assert_eq!((told.state, told.post), (Some(State::LoginGated), None));
    assert_eq!(told.author.unwrap().handle, "mira@fedi.replica.example");
    world.pop();
    let foreign =
        fixture!("oembed.json").replace("https://fedi.replica.example/@mira\"", "https://other.example/@mira\"");
    world.push((oembed.as_str(), 200, foreign));
    assert_eq!(drive(reader(), &world).0.author, None, "another server's account");
}

#[test]
fn misskey_notes_are_found_by_their_object() {
    let note = json!({
        "id": "https://misskey.example/notes/9abcdefg01", "type": "Note", "published": "2026-03-04T09:15:30.123Z",
        "attributedTo": "https://misskey.example/users/9xyz", "content": "<p>hi<br>there</p>", "summary": "care",
        "attachment": {"type": "Document", "mediaType": "video/mp4", "url": "https://misskey.example/f.mp4", "name": null},
        "inReplyTo": "https://other.example/users/a/statuses/7", "updated": "2026-03-05T00:00:00Z",
    });
    let actor =
        json!({"id": "https://misskey.example/users/9xyz", "type": "Person", "preferredUsername": "aoi", "name": ""});
    let world = [
        ("https://misskey.example/api/v1/statuses/9abcdefg01", 404, "{}".to_owned()),
        ("https://misskey.example/notes/9abcdefg01", 200, note.to_string()),
        ("https://misskey.example/users/9xyz", 200, actor.to_string()),
    ];
    let post = read("misskey.example/9abcdefg01", &world).post.unwrap();
    assert_eq!(post.text, "care\n\nhi\nthere");
    assert_eq!(post.author.handle, "aoi@misskey.example");
    assert_eq!(post.reply_to.unwrap().to_string(), "mastodon:other.example/7");
    assert_eq!((post.media[0].kind.as_str(), post.edited), ("video", true));
}

#[test]
fn boosts_quotes_polls_and_warnings_are_read() {
    let own: Json = serde_json::from_str(fixture!("api-v1-status.json")).unwrap();
    let mut status = own.clone();
    status["spoiler_text"] = json!("Numbers");
    status["edited_at"] = json!("2026-03-04T10:00:00Z");
    status["poll"] = json!({"options": [{"title": "yes"}, {"title": "no"}]});
    status["card"] = json!({"url": "https://harbour.example/q4", "title": "Quay 4", "image": null});
    status["in_reply_to_id"] = json!("42");
    status["quote"] = json!({"state": "accepted", "quoted_status": own});
    let read = status::of_json(&status, "fedi.replica.example").unwrap();
    assert!(read.post.text.starts_with("Numbers\n\nGauge 2"));
    assert!(read.post.edited);
    assert_eq!(read.post.reply_to.as_ref().unwrap().id, "fedi.replica.example/42");
    assert_eq!(read.post.media[1].kind, "card");
    assert_eq!(read.post.quotes.as_ref().unwrap().name.to_string(), format!("mastodon:{ID}"));
    assert_eq!(read.notes.len(), 2);

    let boost = json!({"id": "7", "content": "", "account": {"acct": "friend"}, "reblog": own});
    let read = status::of_json(&boost, "fedi.replica.example").unwrap();
    assert_eq!(read.post.name.to_string(), format!("mastodon:{ID}"));
    assert!(read.notes[0].contains("friend"));
}

#[test]
fn accounts_are_found_by_webfinger() {
    let webfinger = "https://fedi.replica.example/.well-known/webfinger?resource=acct%3Amira%40fedi.replica.example";
    let address = "https://fedi.replica.example/users/mira";
    let actor = json!({"id": address, "type": "Person", "preferredUsername": "mira", "name": "Mira", "movedTo": "https://new.example/users/mira"});
    let mut world = vec![(webfinger, 200, fixture!("webfinger.json").to_owned()), (address, 200, actor.to_string())];
    let profile =
        |world: &World<'_>| drive(Box::new(ProfileReader::new("@mira@fedi.replica.example").unwrap()), world).0;
    let read = profile(&world);
    let author = read.author.unwrap();
    assert_eq!((author.id.as_deref(), author.name.as_deref()), (Some(address), Some("Mira")));
    assert!(read.attestations[0].holds && read.notes[0].contains("new.example"));

    world[1].2 = actor.to_string().replace("\"mira\"", "\"other\"");
    assert!(!profile(&world).attestations[0].holds);
    world[1].1 = 401;
    let read = profile(&world);
    assert_eq!((read.state, read.author.unwrap().id.as_deref()), (None, Some(address)));
    world[1] = (address, 410, String::new());
    assert_eq!(profile(&world).state, Some(State::Gone));
    world[0].1 = 404;
    assert_eq!(profile(&world).state, Some(State::NotFound));
    for wrong in ["mira", "@mira", "mira@", "mira@host", "m ira@a.example", "mira@a.example/x"] {
        assert!(ProfileReader::new(wrong).is_none(), "{wrong}");
    }
}
