//! Bluesky: the app view, one account's own server, its DID and its key history (PLATFORMS 4).
//!
//! `observer.replica.example` is byte for byte from the fixtures; composed accounts have keys and repositories of their
//! own, so that a post deleted in the world is proved absent.

use std::collections::BTreeMap;

use crate::fixtures;
use crate::post::{attribute, quote};
use crate::reply::Reply;
use crate::request::Request;
use crate::world::{Proof, World};

mod repo;

const DID: &str = "did:plc:iehgelpsa6hrxqbomgxsvwfi";
const HANDLE: &str = "observer.replica.example";

/// A composed post.
#[derive(Debug, Clone)]
pub struct Composed {
    /// The author's handle.
    pub handle: String,
    /// The author's DID.
    pub did: String,
    /// The author's display name.
    pub name: String,
    /// The record key.
    pub rkey: String,
    /// The words.
    pub text: String,
    /// When, as the client claims: RFC 3339.
    pub created_at: String,
    /// The at-URI of the post it answers, and that post's CID.
    pub answers: Option<(String, String)>,
}

impl Composed {
    fn record(&self) -> repo::Record<'_> {
        let answers = self.answers.as_ref().map(|(uri, cid)| (uri.as_str(), cid.as_str()));
        repo::Record { text: &self.text, created_at: &self.created_at, answers }
    }
}

impl World {
    /// Adds a post to an account's repository and the app view; its at-URI comes back.
    pub fn add_bluesky(&mut self, handle: &str, name: &str, text: &str, created_at: &str) -> String {
        // A handle whose name makes no valid key is as likely as a collision of SHA-256.
        let did = repo::Account::of(handle).map_or_else(String::new, |account| account.did);
        let rkey = tid(created_at);
        let uri = format!("at://{did}/{COLLECTION}/{rkey}");
        let (handle, name, text) = (handle.to_owned(), name.to_owned(), text.to_owned());
        let created_at = created_at.to_owned();
        self.bluesky.insert(uri.clone(), Composed { handle, did, name, rkey, text, created_at, answers: None });
        uri
    }

    /// Adds an answer to a post that is in the world; its at-URI comes back.
    pub fn answer_bluesky(&mut self, parent: &str, handle: &str, name: &str, text: &str, created_at: &str) -> String {
        let cid = self.bluesky.get(parent).map(|post| repo::cid_of(&post.record().encode())).unwrap_or_default();
        let uri = self.add_bluesky(handle, name, text, created_at);
        if let Some(post) = self.bluesky.get_mut(&uri) {
            post.answers = Some((parent.to_owned(), cid));
        }
        uri
    }
}

const COLLECTION: &str = "app.bsky.feed.post";

/// The composed account of a DID.
fn account(world: &World, did: &str) -> Option<repo::Account> {
    let post = world.bluesky.values().find(|post| post.did == did)?;
    repo::Account::of(&post.handle)
}

/// Whether a host is a composed account's handle.
pub(crate) fn is_handle(world: &World, host: &str) -> bool {
    world.bluesky.values().any(|post| handle_now(world, post) == host)
}

/// The handle that an account has now.
fn handle_now<'a>(world: &'a World, post: &'a Composed) -> &'a str {
    world.renamed.get(&post.handle).map_or(post.handle.as_str(), |(_, now)| now)
}

/// When the handle of this account was changed, and to what.
fn renamed(world: &World, did: &str) -> Option<(String, String)> {
    let post = world.bluesky.values().find(|post| post.did == did)?;
    world.renamed.get(&post.handle).cloned()
}

/// What stands in a composed account's repository now, and its revision.
fn records(world: &World, did: &str) -> (BTreeMap<String, Vec<u8>>, String) {
    let mut removed = 0;
    let mut kept = BTreeMap::new();
    for (uri, post) in world.bluesky.iter().filter(|(_, post)| post.did == did) {
        if deleted(world, uri) {
            removed += 1;
        } else {
            kept.insert(format!("{COLLECTION}/{}", post.rkey), post.record().encode());
        }
    }
    (kept, tid(&format!("2026-01-01T00:00:0{}Z", removed % 10)))
}

/// A timestamp identifier: 53 bits of microseconds, 10 of a clock, base32-sortable.
fn tid(at: &str) -> String {
    let micros = u64::try_from(crate::calendar::at(at).as_microsecond()).unwrap_or(0);
    let value = micros << 10 | 22;
    let letter = |n: u32| b"234567abcdefghijklmnopqrstuvwxyz".get((value >> (5 * n) & 31) as usize).copied();
    (0..13).rev().filter_map(letter).map(char::from).collect()
}

/// The answer of whichever of its hosts was asked.
pub(crate) fn answer(world: &World, request: &Request) -> Option<Reply> {
    let path = request.path();
    match request.host.as_str() {
        "plc.directory" => Some(plc(world, path)),
        "bsky.app" => Some(page(world, path)),
        "cdn.bsky.app" => Some(Reply::body(200, "image/png", fixtures::bytes("bluesky/blob.png"))),
        HANDLE => (path == "/.well-known/atproto-did")
            .then(|| Reply::body(200, "text/plain", fixtures::bytes("bluesky/well-known-atproto-did.txt"))),
        host if is_handle(world, host) => {
            let post = world.bluesky.values().find(|post| handle_now(world, post) == host)?;
            (path == "/.well-known/atproto-did").then(|| Reply::body(200, "text/plain", post.did.clone()))
        }
        _ => Some(xrpc(world, request, path.trim_start_matches("/xrpc/"))),
    }
}

fn file(status: u16, name: &str) -> Reply {
    Reply::json(status, fixtures::bytes(&format!("bluesky/{name}")))
}

fn error(status: u16, name: &str, message: &str) -> Reply {
    Reply::json(status, format!("{{\"error\":\"{name}\",\"message\":{}}}", quote(message)))
}

fn plc(world: &World, path: &str) -> Reply {
    let (did, rest) = path.get(1..).and_then(|path| path.split_once('/')).unwrap_or((path.get(1..).unwrap_or(""), ""));
    if let Some(account) = account(world, did) {
        return match rest {
            "" => {
                let now = renamed(world, did).map(|(_, handle)| handle);
                Reply::body(200, "application/did+ld+json; charset=utf-8", account.document(now.as_deref()))
            }
            _ => {
                let change = renamed(world, did);
                Reply::json(200, account.audit_log(change.as_ref().map(|(at, handle)| (at.as_str(), handle.as_str()))))
            }
        };
    }
    match path.strip_prefix(&format!("/{DID}")) {
        Some("") => Reply::body(200, "application/did+ld+json; charset=utf-8", fixtures::bytes("bluesky/did.json")),
        Some("/log/audit") => file(200, "plc-log-audit.json"),
        Some("/log") => Reply::json(200, [b"[", fixtures::bytes("bluesky/plc-genesis-op.json"), b"]"].concat()),
        Some("/data" | "/log/last") => file(200, "plc-genesis-op.json"),
        _ => Reply::json(404, format!("{{\"message\":{}}}", quote(&format!("DID not registered: {path}")))),
    }
}

fn xrpc(world: &World, request: &Request, method: &str) -> Reply {
    let one = |name: &str| request.param(name).unwrap_or_default();
    match method {
        "com.atproto.identity.resolveHandle" => resolve(world, &one("handle")),
        "app.bsky.feed.getPosts" => posts(world, &request.params("uris")),
        "app.bsky.feed.getPostThread" => thread(world, &one("uri")),
        "app.bsky.actor.getProfile" => profile(world, &one("actor")),
        "com.atproto.repo.getRecord" => record(world, &one("repo"), &one("rkey")),
        "com.atproto.repo.listRecords" => list(world, request),
        "app.bsky.feed.getAuthorFeed" => feed(world, request),
        "com.atproto.sync.getRecord" => proof(world, &one("did"), &one("rkey")),
        "com.atproto.sync.getRepo" if one("did") == DID => car(fixtures::bytes("bluesky/getRepo.car")),
        "com.atproto.sync.getBlob" if one("did") == DID => {
            Reply::body(200, "image/png", fixtures::bytes("bluesky/blob.png"))
        }
        "com.atproto.sync.getRepo" if account(world, &one("did")).is_some() => proof_of(world, &one("did"), None),
        "com.atproto.sync.getRepo" | "com.atproto.sync.getBlob" => {
            error(400, "RepoNotFound", &format!("Could not find repo for DID: {}", one("did")))
        }
        _ => error(501, "MethodNotImplemented", "Method Not Implemented"),
    }
}

fn resolve(world: &World, handle: &str) -> Reply {
    if handle.eq_ignore_ascii_case(HANDLE) {
        return file(200, "resolveHandle.json");
    }
    match world.bluesky.values().find(|post| handle_now(world, post).eq_ignore_ascii_case(handle)) {
        Some(post) => Reply::json(200, format!("{{\"did\":\"{}\"}}", post.did)),
        None => file(400, "resolveHandle.notfound.400.json"),
    }
}

/// Deleted posts are missing from the list; a gone name (`bluesky:DID/RKEY`) counts as deleted.
fn posts(world: &World, uris: &[String]) -> Reply {
    let uris: Vec<String> = uris.iter().map(|uri| by_did(world, uri)).collect();
    let signed_uris = ["3mg7x3ipobs2f", "3mg7xffoz722f", "3mgdeuc6u222f"];
    let signed_uris = signed_uris.map(|rkey| format!("at://{DID}/app.bsky.feed.post/{rkey}"));
    if uris == signed_uris && !uris.iter().any(|uri| deleted(world, uri)) {
        return file(200, "getPosts.json");
    }
    let mut found: Vec<String> = Vec::new();
    let signed: serde_json::Value = serde_json::from_str(fixtures::text("bluesky/getPosts.json")).unwrap_or_default();
    for uri in uris {
        if deleted(world, &uri) {
            continue;
        }
        let fixture = signed.get("posts").and_then(|p| p.as_array()).into_iter().flatten();
        found.extend(fixture.filter(|p| p.get("uri").and_then(|u| u.as_str()) == Some(&uri)).map(ToString::to_string));
        found.extend(world.bluesky.get(&uri).map(|post| view(world, &uri, post)));
    }
    if found.is_empty() {
        return file(200, "getPosts.deleted.json");
    }
    Reply::json(200, format!("{{\"posts\":[{}]}}", found.join(",")))
}

/// at-URIs may name the author by handle.
fn by_did(world: &World, uri: &str) -> String {
    let whole = uri.replacen(&format!("at://{HANDLE}/"), &format!("at://{DID}/"), 1);
    let named = world.bluesky.values().find(|post| uri.starts_with(&format!("at://{}/", handle_now(world, post))));
    named.map_or(whole, |post| uri.replacen(handle_now(world, post), &post.did, 1))
}

fn deleted(world: &World, uri: &str) -> bool {
    world.is_gone(&uri.replace("at://", "bluesky:").replace("app.bsky.feed.post/", ""))
}

fn view(world: &World, uri: &str, post: &Composed) -> String {
    format!(
        "{{\"uri\":{},\"cid\":\"{}\",\"author\":{{\
         \"did\":\"{}\",\"handle\":{},\"displayName\":{},\"labels\":[]}},\"record\":{},\"replyCount\":0,\
         \"repostCount\":0,\"likeCount\":0,\"quoteCount\":0,\"indexedAt\":\"{}\",\"labels\":[]}}",
        quote(uri),
        repo::cid_of(&post.record().encode()),
        post.did,
        quote(handle_now(world, post)),
        quote(&post.name),
        value(post),
        post.created_at
    )
}

fn value(post: &Composed) -> String {
    post.record().json()
}

fn thread(world: &World, uri: &str) -> Reply {
    let uri = by_did(world, uri);
    let missing = || error(400, "NotFound", &format!("Post not found: {uri}"));
    if deleted(world, &uri) {
        return missing();
    }
    match uri.rsplit('/').next() {
        Some("3mg7x3ipobs2f") => file(200, "getPostThread.json"),
        Some("3mg7xffoz722f") => file(200, "getPostThread.parent-deleted.json"),
        Some("3mg7x3ippb22f") => file(400, "getPostThread.notfound.400.json"),
        _ => match world.bluesky.get(&uri) {
            Some(post) => Reply::json(
                200,
                format!(
                    "{{\"thread\":{{\"$type\":\"app.bsky.feed.defs#threadViewPost\",\"post\":{},\"replies\":[]}}}}",
                    view(world, &uri, post)
                ),
            ),
            None => missing(),
        },
    }
}

fn profile(world: &World, actor: &str) -> Reply {
    match world.bluesky.values().find(|post| post.did == actor || handle_now(world, post) == actor) {
        Some(post) => Reply::json(
            200,
            format!(
                "{{\"did\":\"{}\",\"handle\":{},\"displayName\":{},\"postsCount\":1,\"labels\":[]}}",
                post.did,
                quote(handle_now(world, post)),
                quote(&post.name)
            ),
        ),
        None if actor == DID || actor == HANDLE => Reply::json(
            200,
            format!("{{\"did\":\"{DID}\",\"handle\":\"{HANDLE}\",\"displayName\":\"Replica Observer\",\"labels\":[]}}"),
        ),
        None => error(400, "InvalidRequest", "Profile not found"),
    }
}

fn record(world: &World, repo: &str, rkey: &str) -> Reply {
    let uri = by_did(world, &format!("at://{repo}/app.bsky.feed.post/{rkey}"));
    let missing = || error(400, "RecordNotFound", &format!("Could not locate record: {uri}"));
    if deleted(world, &uri) {
        return missing();
    }
    if uri == format!("at://{DID}/app.bsky.feed.post/3mg7x3ipobs2f") {
        return file(200, "repo.getRecord.json");
    }
    if uri == format!("at://{DID}/app.bsky.feed.post/3mg7x3ippb22f") {
        return file(400, "repo.getRecord.notfound.400.json");
    }
    match world.bluesky.get(&uri) {
        Some(post) => {
            let cid = repo::cid_of(&post.record().encode());
            Reply::json(200, format!("{{\"uri\":{},\"cid\":\"{cid}\",\"value\":{}}}", quote(&uri), value(post)))
        }
        None => missing(),
    }
}

/// An account's posts that are there, the highest key first, below the cursor.
fn below(world: &World, did: &str, cursor: Option<&str>, limit: usize) -> Vec<(String, Composed)> {
    let own = world.bluesky.iter().filter(|(uri, post)| post.did == did && !deleted(world, uri));
    let mut own: Vec<_> = own.map(|(uri, post)| (uri.clone(), post.clone())).collect();
    own.sort_by(|one, other| other.1.rkey.cmp(&one.1.rkey));
    own.retain(|(_, post)| cursor.is_none_or(|cursor| post.rkey.as_str() < cursor));
    own.truncate(limit);
    own
}

fn limit(request: &Request) -> usize {
    request.param("limit").and_then(|text| text.parse().ok()).unwrap_or(50).min(100)
}

/// A page of a repository's records, and the key to go on below.
fn list(world: &World, request: &Request) -> Reply {
    let did = request.param("repo").unwrap_or_default();
    if account(world, &did).is_none() {
        return error(400, "InvalidRequest", &format!("Could not find repo: {did}"));
    }
    let page = below(world, &did, request.param("cursor").as_deref(), limit(request));
    let one = |(uri, post): &(String, Composed)| {
        let cid = repo::cid_of(&post.record().encode());
        format!("{{\"uri\":{},\"cid\":\"{cid}\",\"value\":{}}}", quote(uri), value(post))
    };
    let all: Vec<String> = page.iter().map(one).collect();
    let cursor = page.last().map(|(_, post)| format!(",\"cursor\":\"{}\"", post.rkey)).unwrap_or_default();
    Reply::json(200, format!("{{\"records\":[{}]{cursor}}}", all.join(",")))
}

/// The app view's page of an account's posts; its cursor is the last one's time.
fn feed(world: &World, request: &Request) -> Reply {
    let actor = request.param("actor").unwrap_or_default();
    let Some(post) = world.bluesky.values().find(|post| post.did == actor || handle_now(world, post) == actor) else {
        return error(400, "InvalidRequest", "Profile not found");
    };
    let cursor = request.param("cursor").map(|at| tid(&at));
    let page = below(world, &post.did.clone(), cursor.as_deref(), limit(request));
    let all: Vec<String> = page.iter().map(|(uri, post)| format!("{{\"post\":{}}}", view(world, uri, post))).collect();
    let cursor = page.last().map(|(_, post)| format!(",\"cursor\":\"{}\"", post.created_at)).unwrap_or_default();
    Reply::json(200, format!("{{\"feed\":[{}]{cursor}}}", all.join(",")))
}

/// The signed proof of a record, or of its absence.
fn proof(world: &World, did: &str, rkey: &str) -> Reply {
    if account(world, did).is_some() {
        return proof_of(world, did, Some(rkey));
    }
    if did != DID {
        return error(400, "RepoNotFound", &format!("Could not find repo for DID: {did}"));
    }
    let gone = deleted(world, &format!("at://{DID}/app.bsky.feed.post/{rkey}"));
    match rkey {
        "3mg7x3ipobs2f" if !gone => car(fixtures::bytes(match world.switches.proof {
            Proof::Honest => "bluesky/getRecord.rk1.car",
            Proof::Tampered => "bluesky/getRecord.rk1.tampered.car",
            Proof::ForgedKey => "bluesky/getRecord.rk1.forged-key.car",
        })),
        "3mg7x3ippb22f" => car(fixtures::bytes("bluesky/getRecord.nonexistent.car")),
        _ if gone => error(400, "RecordNotFound", "Could not locate record"),
        _ => car(fixtures::bytes("bluesky/getRepo.car")),
    }
}

/// A composed account's proof of a record or of its absence; without a key the whole repository.
fn proof_of(world: &World, did: &str, rkey: Option<&str>) -> Reply {
    let Some(account) = account(world, did) else { return error(400, "RepoNotFound", "Could not find repo") };
    let (records, revision) = records(world, did);
    let wanted = rkey.map(|rkey| format!("{COLLECTION}/{rkey}"));
    Reply::body(200, "application/vnd.ipld.car", account.car(&records, &revision, wanted.as_deref()))
}

fn car(bytes: &'static [u8]) -> Reply {
    Reply::body(200, "application/vnd.ipld.car", bytes)
}

/// bsky.app's page: a shell whose head, and a summary for those who run no scripts, tell the post.
fn page(world: &World, path: &str) -> Reply {
    let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
    let ["profile", who, "post", rkey] = parts.as_slice() else {
        return Reply::html(200, "<!doctype html><title>Bluesky</title><div id=\"root\"></div>");
    };
    let uri = by_did(world, &format!("at://{who}/app.bsky.feed.post/{rkey}"));
    let shown = world.bluesky.get(&uri).filter(|_| !deleted(world, &uri));
    let observed = || uri.ends_with("3mg7x3ipobs2f").then(|| "Counting in district 7 paused for 40 minutes".to_owned());
    let (handle, name, text, at) = match shown {
        Some(post) => {
            (handle_now(world, post).to_owned(), post.name.clone(), post.text.clone(), post.created_at.clone())
        }
        None => match observed().filter(|_| !deleted(world, &uri)) {
            Some(text) => {
                (HANDLE.to_owned(), "Replica Observer".to_owned(), text, "2026-03-04T09:15:30.123Z".to_owned())
            }
            None => return Reply::html(200, "<!doctype html><title>Bluesky</title><div id=\"root\"></div>"),
        },
    };
    let body = format!(
        "<!doctype html><html><head><title>@{handle} on Bluesky</title><meta property=\"og:type\" content=\"article\">\
         <meta property=\"profile:username\" content=\"{handle}\">\
         <link rel=\"canonical\" href=\"https://bsky.app/profile/{handle}/post/{rkey}\" />\
         <meta property=\"og:title\" content=\"{name} (@{handle})\"><meta name=\"description\" content=\"{text}\">\
         <meta property=\"og:description\" content=\"{text}\"><meta property=\"article:published_time\" content=\"{at}\">\
         <link rel=\"alternate\" href=\"{uri}\" /></head><body><div id=\"root\"></div><noscript><div id=\"bsky_post_summary\">\
         <h3>Post</h3><p id=\"bsky_display_name\">{name}</p><p id=\"bsky_handle\">{handle}</p>\
         <p id=\"bsky_did\">{did}</p><p id=\"bsky_post_text\">{text}</p></div></noscript></body></html>\n",
        name = attribute(&name),
        text = attribute(&text),
        did = uri.split('/').nth(2).unwrap_or_default(),
    );
    Reply::html(200, body)
}
