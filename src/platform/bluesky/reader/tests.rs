//! Whole readings against the fixtures, with one answer bent at a time.

use super::*;

const DID: &str = "did:plc:iehgelpsa6hrxqbomgxsvwfi";
const RKEY: &str = "3mg7x3ipobs2f";

macro_rules! fixture {
    ($name:literal) => {
        include_bytes!(concat!("../../../../tests/fixtures/bluesky/", $name)).as_slice()
    };
}

/// What each endpoint answers: part of its URL, status, body.
type World = Vec<(&'static str, u16, Vec<u8>)>;

fn world() -> World {
    vec![
        ("resolveHandle", 200, fixture!("resolveHandle.json").to_vec()),
        ("atproto-did", 200, fixture!("well-known-atproto-did.txt").to_vec()),
        ("getPostThread", 200, fixture!("getPostThread.json").to_vec()),
        ("log/audit", 200, fixture!("plc-log-audit.json").to_vec()),
        ("plc.directory/did", 200, fixture!("did.json").to_vec()),
        ("sync.getRecord", 200, fixture!("getRecord.rk1.car").to_vec()),
        ("getProfile", 200, br#"{"did":"did:plc:iehgelpsa6hrxqbomgxsvwfi","displayName":"Replica Observer"}"#.to_vec()),
    ]
}

fn with(part: &'static str, status: u16, body: &[u8]) -> World {
    let mut world = world();
    world.iter_mut().filter(|(name, ..)| *name == part).for_each(|entry| *entry = (part, status, body.to_vec()));
    world
}

fn drive(mut reader: Box<dyn Reader>, world: &World) -> (Read, Vec<String>) {
    let mut asked = Vec::new();
    while !reader.done() {
        for (id, request) in reader.asks() {
            asked.push(request.url.to_string());
            let found = world.iter().find(|(part, ..)| request.url.as_str().contains(part));
            match found {
                Some((_, status, body)) => {
                    let answer = Answer { status: *status, body: body.clone(), ..Answer::default() };
                    reader.learn(id, Ok(&answer));
                }
                None => reader.learn(id, Err("no connection")),
            }
        }
    }
    (reader.finish(), asked)
}

fn read(id: &str, world: &World) -> Read {
    drive(Box::new(PostReader::new(id).unwrap()), world).0
}

fn by_did(world: &World) -> Read {
    read(&format!("{DID}/{RKEY}"), world)
}

fn held(read: &Read) -> Vec<bool> {
    read.attestations.iter().map(|a| a.holds).collect()
}

#[test]
fn a_post_is_read_proved_and_cheap() {
    let (read, asked) =
        drive(Box::new(PostReader::new(&format!("observer.replica.example/{RKEY}")).unwrap()), &world());
    assert_eq!(asked.len(), 5, "{asked:#?}");
    assert_eq!(held(&read), [true; 4], "{:#?}", read.attestations);
    assert_eq!(read.notes, Vec::<String>::new());
    let post = read.post.unwrap();
    assert_eq!(post.name.to_string(), format!("bluesky:{DID}/{RKEY}"));
    assert_eq!(post.permalink, format!("https://bsky.app/profile/observer.replica.example/post/{RKEY}"));
    assert_eq!(post.author.name.as_deref(), Some("Replica Observer"));
    assert_eq!(post.author.id.as_deref(), Some(DID));
    assert_eq!(post.posted, post.id_time);
    assert_eq!(post.posted.unwrap().to_string(), "2026-03-04T09:15:30.123Z");
    assert_eq!(post.language.as_deref(), Some("en"));
    assert_eq!(post.links.len(), 1);
    assert_eq!(post.links[0].raw, "replica.example/notice");
    assert_eq!(post.links[0].expanded, "https://replica.example/notice?id=7");
    assert_eq!(post.media.len(), 1);
    assert!(post.media[0].url.starts_with("https://pds.replica.example/xrpc/com.atproto.sync.getBlob?did="));
    assert_eq!(post.media[0].alt.as_deref(), Some("A four-colour test image"));
    assert_eq!(read.author.unwrap().handle, "observer.replica.example");
}

#[test]
fn the_handle_s_own_host_stands_in_for_the_appview() {
    let world = with("resolveHandle", 400, fixture!("resolveHandle.notfound.400.json"));
    let id = format!("observer.replica.example/{RKEY}");
    assert!(read(&id, &world).post.is_some());
    let mut none = world;
    none.retain(|(part, ..)| *part != "atproto-did");
    let read = read(&id, &none);
    assert_eq!((read.post, read.state), (None, Some(State::NotFound)));
}

#[test]
fn a_handle_that_the_account_does_not_claim_back_is_told() {
    let document = String::from_utf8(fixture!("did.json").to_vec()).unwrap().replace("at://observer", "at://other");
    let read = read(&format!("observer.replica.example/{RKEY}"), &with("plc.directory/did", 200, document.as_bytes()));
    assert!(!read.attestations[0].holds);
    assert!(read.attestations[0].why.contains("other.replica.example"));
}

#[test]
fn each_state_is_told_apart() {
    let not_found = fixture!("getPostThread.notfound.400.json");
    let error = |name: &str| format!(r#"{{"error":"{name}","message":"x"}}"#).into_bytes();
    let mut hidden = with("getPostThread", 400, not_found);
    let set = |world: &mut World, part: &'static str, status: u16, body: Vec<u8>| {
        world.iter_mut().filter(|(name, ..)| *name == part).for_each(|entry| *entry = (part, status, body.clone()));
    };
    for (name, state) in [
        ("RecordNotFound", State::NotFound),
        ("RepoNotFound", State::NotFound),
        ("RepoTakendown", State::Suspended),
        ("RepoSuspended", State::Suspended),
        ("RepoDeactivated", State::Gone),
    ] {
        set(&mut hidden, "sync.getRecord", 400, error(name));
        let read = by_did(&hidden);
        assert_eq!((read.post, read.state), (None, Some(state)), "{name}: {}", read.why);
        assert_eq!(read.author.unwrap().handle, "observer.replica.example");
    }
    let thread = |kind: &str| format!(r#"{{"thread":{{"$type":"app.bsky.feed.defs#{kind}","uri":"x"}}}}"#).into_bytes();
    for (kind, state) in
        [("blockedPost", State::Withheld), ("notFoundPost", State::NotFound), ("newKind", State::Unknown)]
    {
        let mut world = with("getPostThread", 200, &thread(kind));
        world.retain(|(part, ..)| *part != "sync.getRecord");
        assert_eq!(by_did(&world).state, Some(state), "{kind}");
    }
    for (status, state) in
        [(429, State::RateLimited), (403, State::Blocked), (502, State::ServerError), (200, State::Unknown)]
    {
        let mut world = with("getPostThread", status, b"<html>");
        world.retain(|(part, ..)| *part != "sync.getRecord");
        assert_eq!(by_did(&world).state, Some(state), "{status}");
    }
    assert_eq!(by_did(&Vec::new()).state, Some(State::Unknown));
}

#[test]
fn absence_is_proved_and_says_so() {
    let mut world = with("sync.getRecord", 200, fixture!("getRecord.nonexistent.car"));
    world.retain(|(part, ..)| *part != "getPostThread");
    world.push(("getPostThread", 400, fixture!("getPostThread.notfound.400.json").to_vec()));
    let read = read(&format!("{DID}/3mg7x3ippb22f"), &world);
    assert_eq!(read.state, Some(State::Gone));
    assert!(read.why.contains("3n2x6jwujos2d"), "{}", read.why);
    assert_eq!(held(&read), [true, true]);
}

#[test]
fn unsound_proofs_are_kept_beside_the_post_by_name() {
    for (car, name) in [
        (fixture!("getRecord.rk1.tampered.car"), "tampered-block"),
        (fixture!("getRecord.rk1.forged-key.car"), "forged-key"),
        (b"<html>".as_slice(), "malformed-car"),
    ] {
        let read = by_did(&with("sync.getRecord", 200, car));
        assert!(read.post.is_some());
        let proof = read.attestations.last().unwrap();
        assert!(!proof.holds);
        assert!(proof.why.starts_with(name), "{}", proof.why);
    }
}

#[test]
fn a_post_the_appview_hides_is_read_from_the_signed_repository() {
    let read = by_did(&with("getPostThread", 400, fixture!("getPostThread.notfound.400.json")));
    let post = read.post.unwrap();
    assert!(post.text.starts_with("Counting in district 7"));
    assert_eq!(post.author.handle, "observer.replica.example");
    assert!(read.notes[0].contains("not shown"));
}

#[test]
fn words_that_differ_from_the_signed_ones_do_not_pass() {
    let altered =
        String::from_utf8(fixture!("getPostThread.json").to_vec()).unwrap().replace("40 minutes", "90 minutes");
    let read = by_did(&with("getPostThread", 200, altered.as_bytes()));
    assert!(read.post.unwrap().text.contains("40 minutes"), "the signed words go before the shown ones");
    let same = read.attestations.last().unwrap();
    assert!(!same.holds && same.what.contains("shown"));
}

#[test]
fn a_broken_history_is_told_and_the_document_still_checks() {
    let log = String::from_utf8(fixture!("plc-log-audit.json").to_vec()).unwrap().replace("_sIB7", "_sIB8");
    let read = by_did(&with("log/audit", 200, log.as_bytes()));
    assert_eq!(held(&read), [false, true, true]);
}

#[test]
fn another_account_s_document_is_no_document() {
    let document = String::from_utf8(fixture!("did.json").to_vec()).unwrap().replace("wfi", "wfa");
    let read = by_did(&with("plc.directory/did", 200, document.as_bytes()));
    assert!(read.post.is_some());
    assert!(read.notes.iter().any(|note| note.contains("another account's")), "{:?}", read.notes);
}

#[test]
fn quotes_and_replies_are_named() {
    let list: serde_json::Value = serde_json::from_slice(fixture!("getPosts.json")).unwrap();
    let answer = |view: &serde_json::Value| {
        let thread = serde_json::json!({"thread": {"$type": "app.bsky.feed.defs#threadViewPost", "post": view}});
        Answer { status: 200, body: serde_json::to_vec(&thread).unwrap(), ..Answer::default() }
    };
    let shown = post_from_thread(&answer(&list["posts"][1]), None).unwrap();
    assert!(shown.hashes);
    let quoted = shown.post.quotes.unwrap();
    assert_eq!(quoted.name.to_string(), format!("bluesky:{DID}/{RKEY}"));
    assert!(quoted.media[0].url.starts_with("https://cdn.bsky.app/img/feed_fullsize/plain/did:plc:"));

    let thread =
        Answer { status: 200, body: fixture!("getPostThread.parent-deleted.json").to_vec(), ..Answer::default() };
    let reply = post_from_thread(&thread, None).unwrap();
    assert_eq!(reply.post.reply_to.unwrap().to_string(), format!("bluesky:{DID}/{RKEY}"));
    assert!(reply.post.text.ends_with("возобновлён 🗳️"));

    let mut hidden = list["posts"][1].clone();
    hidden["embed"]["record"] = serde_json::json!({"$type": "app.bsky.embed.record#viewBlocked", "uri": "at://x"});
    let shown = post_from_thread(&answer(&hidden), None).unwrap();
    assert_eq!(shown.post.quotes, None);
    assert!(shown.notes[0].contains("behind a block"));
}

#[test]
fn lists_leave_deleted_posts_out() {
    use super::super::view::post_from_list;
    let did: Did = DID.parse().unwrap();
    let answer = |body: &[u8]| Answer { status: 200, body: body.to_vec(), ..Answer::default() };
    assert!(post_from_list(&answer(fixture!("getPosts.json")), &did, RKEY, None).is_ok());
    let gone = post_from_list(&answer(fixture!("getPosts.deleted.json")), &did, RKEY, None);
    assert_eq!(gone.unwrap_err().state, State::NotFound);
}

#[test]
fn facets_out_of_range_or_inside_a_character_mark_nothing() {
    let did: Did = DID.parse().unwrap();
    let at = Whereabouts { did: &did, rkey: RKEY, handle: None, name: None, pds: None };
    let links = |start: i64, end: i64| {
        let record = serde_json::json!({
            "$type": "app.bsky.feed.post", "text": "é https://a.example", "createdAt": "2026-03-04T09:15:30Z",
            "facets": [{"index": {"byteStart": start, "byteEnd": end},
                        "features": [{"$type": "app.bsky.richtext.facet#link", "uri": "https://a.example"}]}],
        });
        of_record(&record, &at).unwrap().links
    };
    assert_eq!(links(3, 20)[0].raw, "https://a.example");
    for (start, end) in [(1, 5), (3, 21), (9, 3), (-1, 4), (3, i64::MAX)] {
        assert_eq!(links(start, end), [], "{start}..{end}");
    }
}

#[test]
fn times_set_apart_by_hand_are_told() {
    let proof_less = |thread: &[u8]| {
        let mut world = with("getPostThread", 200, thread);
        world.retain(|(part, ..)| *part != "sync.getRecord");
        by_did(&world)
    };
    let back_dated = String::from_utf8(fixture!("getPostThread.json").to_vec()).unwrap();
    let back_dated = back_dated
        .replace("\"createdAt\": \"2026-03-04T09:15:30.123Z\"", "\"createdAt\": \"2020-03-04T09:15:30.123Z\"");
    assert!(proof_less(back_dated.as_bytes()).notes.iter().any(|note| note.contains("chosen by hand")));
}

#[test]
fn accounts_are_read_with_the_check_in_both_directions() {
    let profile = |world: &World| drive(Box::new(ProfileReader::new("Observer.Replica.Example").unwrap()), world);
    let (read, asked) = profile(&world());
    assert_eq!(asked.len(), 3);
    let author = read.author.unwrap();
    assert_eq!((author.handle.as_str(), author.id.as_deref()), ("observer.replica.example", Some(DID)));
    assert_eq!(author.name.as_deref(), Some("Replica Observer"));
    assert_eq!((read.state, read.attestations[0].holds), (None, true));

    let down = with("getProfile", 400, br#"{"error":"AccountTakedown","message":"x"}"#);
    let (read, _) = profile(&down);
    assert_eq!(read.state, Some(State::Suspended));
    assert_eq!(read.author.unwrap().id.as_deref(), Some(DID));

    assert_eq!(profile(&Vec::new()).0.state, Some(State::Unknown));
    assert!(ProfileReader::new("no handle").is_none());
}

#[test]
fn answers_that_were_refused_end_the_reading() {
    let mut reader = PostReader::new(&format!("{DID}/{RKEY}")).unwrap();
    for (id, _) in reader.asks() {
        reader.learn(id, Err("no request left"));
    }
    assert!(reader.done());
    let read = reader.read();
    assert_eq!(read.state, Some(State::Unknown));
    assert!(read.why.contains("no request left"));
}
