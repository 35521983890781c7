//! Every fixture is served by some address, byte for byte, in some world.

#![expect(clippy::unwrap_used, reason = "a failed unwrap here is a failed test")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use onrecord_replica::Options;
use onrecord_replica::request::Request;
use onrecord_replica::world::{Proof, World};

/// Fixtures that describe others, and are not served themselves.
const ABOUT: [&str; 21] = [
    "http-transactions.json",
    "bluesky/expected.json",
    "mastodon/id-note.txt",
    "mastodon/api-v1-status.401.json",
    "wayback/availability.hit.json",
    "wayback/availability.miss.json",
    "wayback/cdx.annotated.json",
    "wayback/cdx.all.txt", // the index itself, of several hosts
    "wayback/memento-transactions.json",
    "x/day-prefix-vectors.json",
    "x/expected.json",
    "x/snowflake-vectors.json",
    "x/token-vectors.json",
    "x/oembed/plain-text-remnants.json",
    "x/oembed/omit_script.html.txt",
    "x/tweet-result/note-truncated.full-text.txt",
    "youtube/errors.txt",
    // Their job ids are made from the URL that is saved.
    "wayback/spn2/status.pending.json",
    "wayback/spn2/status.success.json",
    "wayback/spn2/submit.200.json",
    "wayback/spn2/submit.too-soon.200.json",
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures")
}

/// What the replica embeds: the folders it owns under `tests/fixtures`.
fn files() -> BTreeSet<String> {
    let mut found = BTreeSet::from(["http-transactions.json".to_owned()]);
    let mut folders: Vec<PathBuf> =
        ["bluesky", "mastodon", "reddit", "telegram", "wayback", "x", "youtube"].map(|name| root().join(name)).into();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.insert(path.strip_prefix(root()).unwrap().to_string_lossy().replace('\\', "/"));
            }
        }
    }
    found
}

fn body(world: &World, request: &Request) -> Vec<u8> {
    let wire = world.answer(request).wire(false).bytes();
    let head = wire.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
    wire[head + 4..].to_vec()
}

/// Every address that might serve a fixture, with the headers some of them ask for.
fn addresses() -> Vec<Request> {
    let mut urls: Vec<String> = Vec::new();
    let ids = [
        "2029123557775388672",
        "2029618631391064065",
        "2029832183410339843",
        "2030254010515337221",
        "2030746619989995526",
        "1137945522884755456",
        "1138119077245759497",
        "2030947919696506891",
        "2030946738999930890",
        "2031512928516321292",
        "2031611073136963597",
        "2031611073136963598",
        "99",
        "x",
    ];
    for id in ids {
        urls.push(format!("https://cdn.syndication.twimg.com/tweet-result?id={id}&lang=en&token=a"));
        for host in ["publish.x.com", "publish.twitter.com"] {
            urls.push(format!("https://{host}/oembed?url=https%3A%2F%2Fx.com%2Fa%2Fstatus%2F{id}"));
        }
        urls.push(format!("https://api.fxtwitter.com/status/{id}"));
        let variables = format!("%7B%22tweetId%22%3A%22{id}%22%7D");
        urls.push(format!("https://api.x.com/graphql/q/TweetResultByRestId?features=%7B%7D&variables={variables}"));
    }
    for lang in ["de", "fr", "es", "pt", "ru", "ja", "ko", "pl", "ar"] {
        let post = "https%3A%2F%2Fx.com%2Fodelie_m%2Fstatus%2F1137945522884755456";
        urls.push(format!("https://publish.twitter.com/oembed?url={post}&lang={lang}"));
    }
    let plain = [
        "https://publish.x.com/oembed",
        "https://api.x.com/1.1/guest/activate.json",
        "https://api.x.com/graphql/q/UserByScreenName?features=%7B%7D&variables=%7B%22screen_name%22%3A%22mira_solvang%22%7D",
        "https://api.x.com/graphql/q/UserByScreenName?features=%7B%7D&variables=%7B%22screen_name%22%3A%22nobody%22%7D",
        "https://api.x.com/graphql/q/TweetResultByRestId",
        "https://api.x.com/graphql/q/TweetResultByRestId?features_missing=1",
        "https://public.api.bsky.app/xrpc/com.atproto.identity.resolveHandle?handle=observer.replica.example",
        "https://public.api.bsky.app/xrpc/com.atproto.identity.resolveHandle?handle=nobody.example",
        "https://plc.directory/did:plc:iehgelpsa6hrxqbomgxsvwfi",
        "https://plc.directory/did:plc:iehgelpsa6hrxqbomgxsvwfi/log/audit",
        "https://plc.directory/did:plc:iehgelpsa6hrxqbomgxsvwfi/log/last",
        "https://observer.replica.example/.well-known/atproto-did",
        "https://pds.replica.example/xrpc/com.atproto.sync.getRepo?did=did:plc:iehgelpsa6hrxqbomgxsvwfi",
        "https://pds.replica.example/xrpc/com.atproto.sync.getBlob?did=did:plc:iehgelpsa6hrxqbomgxsvwfi&cid=b",
        "https://fedi.replica.example/api/v1/statuses/116170144489341607",
        "https://fedi.replica.example/api/v1/statuses/1",
        "https://fedi.replica.example/api/oembed?url=https://fedi.replica.example/@mira/116170144489341607",
        "https://fedi.replica.example/.well-known/webfinger?resource=acct:mira@fedi.replica.example",
        "https://fedi.replica.example/users/mira/statuses/116170144489341607",
        "https://t.me/nochannel/1?embed=1",
        "https://www.youtube.com/oembed?url=https://www.youtube.com/watch?v=aB3dE5gH7jK",
        "https://www.reddit.com/oembed?url=https://www.reddit.com/comments/1abcde/",
        "https://www.reddit.com/comments/1abcde/.rss?limit=1",
        "https://web.archive.org/cdx/search/cdx?url=https://excluded.example/",
        "https://web.archive.org/web/timemap/link/https://twitter.com/odelie_m/status/1137945522884755456",
        "https://archive.ph/timemap/https://twitter.com/odelie_m/status/1137945522884755456",
        "https://archive.ph/timemap/https://nobody.example/",
        "https://web.archive.org/save/status/system",
        "https://web.archive.org/save/status/user",
        "https://web.archive.org/cdx/search/cdx?url=never.example",
        "https://web.archive.org/cdx/search/cdx?url=never.example&output=json",
    ];
    urls.extend(plain.map(str::to_owned));
    let status = "twitter.com/odelie_m/status/";
    for query in [
        format!("{status}1137945522884755456&output=json&filter=statuscode:200&filter=mimetype:application/json"),
        format!("{status}*&limit=3&showResumeKey=true"),
        format!("{status}*&limit=3&showResumeKey=true&output=json"),
        format!("{status}*&output=json"),
        format!("{status}*&output=json&fl=original,timestamp,digest,mimetype,statuscode"),
        format!("{status}11379*&output=json"),
        "t.co/CdsTMkBRtm&output=json".to_owned(),
    ] {
        urls.push(format!("https://web.archive.org/cdx/search/cdx?url={query}"));
    }
    let posts = ["3mg7x3ipobs2f", "3mg7xffoz722f", "3mgdeuc6u222f"];
    let uris = posts.map(|rkey| format!("uris=at://did:plc:iehgelpsa6hrxqbomgxsvwfi/app.bsky.feed.post/{rkey}"));
    urls.push(format!("https://public.api.bsky.app/xrpc/app.bsky.feed.getPosts?{}", uris.join("&")));
    for rkey in ["3mg7x3ipobs2f", "3mg7xffoz722f", "3mg7x3ippb22f"] {
        let did = "did:plc:iehgelpsa6hrxqbomgxsvwfi";
        let uri = format!("at://{did}/app.bsky.feed.post/{rkey}");
        let pds = "https://pds.replica.example/xrpc/com.atproto";
        urls.push(format!("https://public.api.bsky.app/xrpc/app.bsky.feed.getPostThread?uri={uri}"));
        urls.push(format!("https://public.api.bsky.app/xrpc/app.bsky.feed.getPosts?uris={uri}"));
        urls.push(format!("{pds}.repo.getRecord?repo={did}&collection=app.bsky.feed.post&rkey={rkey}"));
        urls.push(format!("{pds}.sync.getRecord?did={did}&collection=app.bsky.feed.post&rkey={rkey}"));
    }
    let embed = fs::read_to_string(root().join("telegram/embed.html")).unwrap();
    let place = embed.split("data-post=\"").nth(1).unwrap().split('"').next().unwrap();
    urls.push(format!("https://t.me/{place}?embed=1&mode=tme"));
    for line in fs::read_to_string(root().join("wayback/cdx.all.txt")).unwrap().lines() {
        let fields: Vec<&str> = line.split(' ').collect();
        urls.push(format!("https://web.archive.org/web/{}id_/{}", fields[1], fields[2]));
    }
    urls.iter().map(|url| with_headers(url)).collect()
}

fn with_headers(url: &str) -> Request {
    let mut request = Request::get(url, "curl/8.5.0");
    let activity = url.contains("/users/mira/statuses/");
    request.headers.push(("accept".into(), if activity { "application/activity+json" } else { "*/*" }.into()));
    request.headers.push(("authorization".into(), "LOW key:secret".into()));
    if !url.ends_with("TweetResultByRestId") || url.contains('?') {
        request.headers.push(("x-guest-token".into(), "1".into()));
    }
    request
}

/// The saves: each host stands for one ending.
fn saves(world: &World) -> Vec<Vec<u8>> {
    let mut bodies = Vec::new();
    let hosts = ["daily-limit", "session-limit", "error", "no-captures", "too-many-requests-in-200"];
    for host in hosts {
        let mut submit = with_headers("https://web.archive.org/save");
        submit.method = "POST".into();
        submit.body = format!("url=https%3A%2F%2F{host}.example%2F").into_bytes();
        let answer = body(world, &submit);
        let text = String::from_utf8(answer.clone()).unwrap();
        bodies.push(answer);
        if let Some(job) = text.split("\"job_id\":\"").nth(1).and_then(|rest| rest.split('"').next()) {
            for _ in 0..2 {
                bodies.push(body(world, &with_headers(&format!("https://web.archive.org/save/status/{job}"))));
            }
        }
        submit.headers.retain(|(name, _)| name != "authorization");
        bodies.push(body(world, &submit));
    }
    bodies
}

#[test]
fn every_fixture_is_served() {
    let mut worlds = Vec::new();
    for proof in [Proof::Honest, Proof::Tampered, Proof::ForgedKey] {
        let mut options = Options::default();
        options.switches.proof = proof;
        options.switches.guests = proof != Proof::Honest;
        options.switches.oembed_2024 = proof != Proof::Honest;
        worlds.push(World::new(&options));
    }
    let mut served: BTreeSet<Vec<u8>> = BTreeSet::new();
    for world in &worlds {
        served.extend(addresses().iter().map(|request| body(world, request)));
        served.extend(saves(world));
        let ids: Vec<u64> = world.cast.values().copied().collect();
        for id in ids {
            let url = format!("https://cdn.syndication.twimg.com/tweet-result?id={id}&token=a");
            served.insert(body(world, &with_headers(&url)));
            let variables = format!("%7B%22tweetId%22%3A%22{id}%22%7D");
            let url = format!("https://api.x.com/graphql/q/TweetResultByRestId?features=%7B%7D&variables={variables}");
            served.insert(body(world, &with_headers(&url)));
            let url = format!("https://publish.x.com/oembed?url=https://x.com/a/status/{id}");
            served.insert(body(world, &with_headers(&url)));
        }
    }
    for name in [
        "TweetResultByRestId.tombstone",
        "TweetResultByRestId.unavailable.NsfwViewerHasNoStatedAge",
        "TweetResultByRestId.visibility",
        "UserByScreenName.suspended",
        "error.429",
        "error.unspecified.200",
    ] {
        let mut options = Options::default();
        options.switches.graphql = Some(name);
        let url = "https://api.x.com/graphql/q/Any?features=%7B%7D&variables=%7B%7D";
        served.insert(body(&World::new(&options), &with_headers(url)));
    }
    let is_about = |name: &String| ABOUT.contains(&name.as_str());
    let missing: Vec<String> = files()
        .into_iter()
        .filter(|name| !is_about(name) && !served.contains(&fs::read(root().join(name)).unwrap()))
        .collect();
    assert!(missing.is_empty(), "not served by any address: {missing:#?}");
}
