//! Bluesky: posts by DID and record key, read from the public AppView and proved from the account's own signed repository
//! (atproto.com/specs; docs.bsky.app, 2026).

mod account;
pub mod identity;
pub mod lister;
pub mod page;
pub mod post;
pub mod proof;
pub mod reader;
pub mod view;

use url::Url;

use crate::format::aturi::{AtUri, Authority, is_record_key};
use crate::format::cid::Cid;
use crate::format::did::Did;
use crate::format::http::Request;
use crate::platform::errand::endpoint;
use crate::platform::post::{Platform, PostName};

/// The collection that posts are in.
pub const POSTS: &str = "app.bsky.feed.post";

/// The AppView that answers without a login.
const APPVIEW: &str = "https://public.api.bsky.app";

/// Takes a post's id apart: `<did or handle>/<rkey>`.
pub fn address(id: &str) -> Option<(Authority, &str)> {
    let (authority, rkey) = id.split_once('/')?;
    is_record_key(rkey).then_some(())?;
    Some((authority.parse().ok()?, rkey))
}

/// The name of a post.
pub fn name(did: &Did, rkey: &str) -> PostName {
    PostName { platform: Platform::Bluesky, id: format!("{did}/{rkey}") }
}

/// The name of the post an AT URI means, where it means one.
pub fn name_of_uri(uri: &str) -> Option<PostName> {
    let uri: AtUri = uri.parse().ok()?;
    match (uri.authority, uri.collection.as_deref(), uri.rkey) {
        (Authority::Did(did), Some(POSTS), Some(rkey)) => Some(name(&did, &rkey)),
        _ => None,
    }
}

/// Asks which DID a handle has, by the AppView's word.
pub fn resolve_handle(handle: &str) -> Option<Request> {
    xrpc(APPVIEW, "com.atproto.identity.resolveHandle", &[("handle", handle)])
}

/// Asks the handle's own host which DID it has; DNS (`_atproto.<handle>` TXT) is the other way, and not asked here.
pub fn well_known(handle: &str) -> Option<Request> {
    endpoint(&format!("https://{handle}/.well-known/atproto-did"), &[]).map(Request::get)
}

/// Asks the AppView for a post with nothing around it.
pub fn get_post_thread(did: &Did, rkey: &str) -> Option<Request> {
    let uri = format!("at://{did}/{POSTS}/{rkey}");
    xrpc(APPVIEW, "app.bsky.feed.getPostThread", &[("uri", &uri), ("depth", "0"), ("parentHeight", "0")])
}

/// Asks the AppView for an account.
pub fn get_profile(did: &Did) -> Option<Request> {
    xrpc(APPVIEW, "app.bsky.actor.getProfile", &[("actor", did.as_str())])
}

/// Asks for a DID's document.
pub fn document(did: &Did) -> Option<Request> {
    did.document_url().map(Request::get)
}

/// Asks the PLC directory for every operation of a did:plc, undone ones too.
pub fn audit_log(did: &Did) -> Option<Request> {
    let url = format!("https://plc.directory/{did}/log/audit");
    (did.method() == "plc").then(|| endpoint(&url, &[]).map(Request::get))?
}

/// Asks the account's server for the proof that a record is in its repository, or is not.
pub fn get_record_proof(pds: &Url, did: &Did, rkey: &str) -> Option<Request> {
    let query = [("did", did.as_str()), ("collection", POSTS), ("rkey", rkey)];
    xrpc(pds.as_str(), "com.atproto.sync.getRecord", &query).map(|r| r.with("Accept", "application/vnd.ipld.car"))
}

/// Asks the account's server for its newest posts with keys below `before`, a page at a time.
pub fn list_records(pds: &Url, did: &Did, before: &str) -> Option<Request> {
    let query = [("repo", did.as_str()), ("collection", POSTS), ("limit", "100"), ("cursor", before)];
    xrpc(pds.as_str(), "com.atproto.repo.listRecords", &query)
}

/// Asks the AppView for the newest posts of an account, from where its last page ended.
pub fn get_author_feed(did: &Did, cursor: Option<&str>) -> Option<Request> {
    let mut query = vec![("actor", did.as_str()), ("filter", "posts_with_replies"), ("limit", "100")];
    query.extend(cursor.map(|cursor| ("cursor", cursor)));
    xrpc(APPVIEW, "app.bsky.feed.getAuthorFeed", &query)
}

/// Where the account's server gives out a picture or video as it was uploaded.
pub fn blob_url(pds: &Url, did: &Did, cid: &Cid) -> Option<Url> {
    let query = [("did", did.as_str()), ("cid", &cid.to_string())];
    xrpc(pds.as_str(), "com.atproto.sync.getBlob", &query).map(|request| request.url)
}

/// The CID that a [`blob_url`] asks for.
pub fn blob_cid(url: &Url) -> Option<Cid> {
    let blob = url.path().ends_with("/xrpc/com.atproto.sync.getBlob");
    let cid = url.query_pairs().find(|(name, _)| name == "cid").map(|(_, value)| value.into_owned());
    cid.filter(|_| blob)?.parse().ok()
}

/// Whether `bytes` are the blob that `cid` names.
pub fn blob_matches(cid: &Cid, bytes: &[u8]) -> bool {
    cid.codec == crate::format::cid::Codec::Raw && cid.matches(bytes)
}

fn xrpc(base: &str, method: &str, query: &[(&str, &str)]) -> Option<Request> {
    endpoint(&format!("{}/xrpc/{method}", base.trim_end_matches('/')), query).map(Request::get)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blobs_are_checked_by_their_name() {
        let did: Did = "did:plc:iehgelpsa6hrxqbomgxsvwfi".parse().unwrap();
        let cid: Cid = "bafkreibznbfosl7tbhj2v5bh35ovip74fszie3kd2efashiji4qv5lduc4".parse().unwrap();
        let blob = include_bytes!("../../../tests/fixtures/bluesky/blob.png");
        assert!(blob_matches(&cid, blob));
        assert!(!blob_matches(&cid, &blob[1..]));
        let url = blob_url(&"https://pds.replica.example".parse().unwrap(), &did, &cid).unwrap();
        assert_eq!(blob_cid(&url), Some(cid));
        assert_eq!(blob_cid(&"https://pds.replica.example/?cid=x".parse().unwrap()), None);
    }

    #[test]
    fn addresses_are_taken_apart() {
        assert!(address("did:plc:iehgelpsa6hrxqbomgxsvwfi/3mg7x3ipobs2f").is_some());
        assert!(address("observer.replica.example/3mg7x3ipobs2f").is_some());
        for wrong in
            ["", "x/y", "observer.replica.example", "observer.replica.example/", "a.example/b/c", "a b.example/c"]
        {
            assert_eq!(address(wrong), None, "{wrong}");
        }
        let own = "at://did:plc:iehgelpsa6hrxqbomgxsvwfi/app.bsky.feed.post/3mg7x3ipobs2f";
        assert_eq!(name_of_uri(own).unwrap().to_string(), "bluesky:did:plc:iehgelpsa6hrxqbomgxsvwfi/3mg7x3ipobs2f");
        assert_eq!(name_of_uri(&own.replace("feed.post", "feed.like")), None);
    }
}
