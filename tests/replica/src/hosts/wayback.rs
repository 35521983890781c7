//! web.archive.org: what it holds, and its doors (PLATFORMS 6).

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use sha1::{Digest, Sha1};

use crate::calendar;
use crate::reply::Reply;
use crate::request::Request;
use crate::world::World;

pub mod cdx;
pub mod memento;
pub mod save;

/// One row of the index, with what it stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Capture {
    /// The SURT key, case folded.
    pub key: String,
    /// Fourteen digits.
    pub stamp: String,
    /// The URL as it was asked for.
    pub original: String,
    /// The media type; `warc/revisit` for a repeat.
    pub mime: String,
    /// The status; none for a repeat.
    pub status: Option<u16>,
    /// Base32 of the payload's SHA-1.
    pub digest: String,
    /// The length of the compressed record.
    pub length: usize,
    /// The body.
    pub payload: Vec<u8>,
    /// Where a redirect led.
    pub location: Option<String>,
}

impl Capture {
    /// A capture of this body.
    pub fn new(original: &str, at: Timestamp, mime: &str, status: u16, payload: Vec<u8>) -> Capture {
        Capture {
            key: surt(original),
            stamp: calendar::fourteen(at),
            original: original.to_owned(),
            mime: mime.to_owned(),
            status: Some(status),
            digest: data_encoding::BASE32.encode(&Sha1::digest(&payload)),
            length: payload.len() * 2 / 5 + 440,
            payload,
            location: None,
        }
    }

    /// A capture of a redirect.
    pub fn redirect(original: &str, at: Timestamp, status: u16, location: &str) -> Capture {
        Capture { location: Some(location.to_owned()), ..Capture::new(original, at, "text/html", status, vec![]) }
    }
}

/// Pages that were asked to be saved.
pub(crate) type Saves = BTreeMap<String, save::Job>;

/// The archive's answer.
pub(crate) fn answer(world: &World, request: &Request) -> Reply {
    let path = request.path();
    if path.starts_with("/cdx/search") {
        return cdx::answer(world, request);
    }
    if path == "/wayback/available" {
        return memento::available(world, request);
    }
    if path == "/save" || path.starts_with("/save/") {
        return save::answer(world, request);
    }
    match request.target.strip_prefix("/web/") {
        Some(rest) => memento::answer(world, request, rest),
        None => page("Wayback Machine", "Search the history of pages on the web."),
    }
}

/// Everything held: the index, and what was saved and is no longer hidden.
pub(crate) fn held(world: &World) -> Vec<Arc<Capture>> {
    let mut all = world.captures.clone();
    let saved = save::visible(world);
    if saved.is_empty() {
        return all;
    }
    all.extend(saved);
    all.sort_by(|a, b| (&a.key, &a.stamp, &a.original).cmp(&(&b.key, &b.stamp, &b.original)));
    all
}

/// A page of the archive itself: 200 and no Memento-Datetime.
pub(crate) fn page(title: &str, words: &str) -> Reply {
    let body = format!(
        "<!DOCTYPE html><html lang=\"en\"><head><title>{title}</title></head><body>\
         <p class=\"code shift red\">{words}</p></body></html>"
    );
    own(Reply::html(200, body))
}

/// The fields that stand in the archive's own answers.
pub(crate) fn own(reply: Reply) -> Reply {
    reply
        .with("server", "nginx")
        .with("x-na", "0")
        .with("x-nid", "-")
        .with("x-rl", "0")
        .with("referrer-policy", "no-referrer-when-downgrade")
        .with("permissions-policy", "interest-cohort=()")
        .with("x-page-cache", "MISS")
        .with("x-location", "All")
        .with("x-app-server", "wwwb-app220")
}

/// The sort-friendly key: host reversed, `www.`, scheme, port, case and a last slash folded.
pub fn surt(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let rest = rest.split('#').next().unwrap_or_default();
    let cut = rest.find(['/', '?']).unwrap_or(rest.len());
    let (host, path) = (rest.get(..cut).unwrap_or_default(), rest.get(cut..).unwrap_or_default());
    let host = host.to_ascii_lowercase();
    let host = host.split(':').next().unwrap_or_default();
    let host = host.strip_prefix("www.").unwrap_or(host);
    let reversed: Vec<&str> = host.rsplit('.').collect();
    let path = path.to_ascii_lowercase();
    let path = if path.len() > 1 { path.strip_suffix('/').unwrap_or(&path) } else { "" };
    let path = if path.is_empty() { "/" } else { path };
    format!("{}){path}", reversed.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures;

    #[test]
    fn keys_and_digests_are_those_of_the_index() {
        for line in fixtures::text("wayback/cdx.all.txt").lines() {
            let fields: Vec<&str> = line.split(' ').collect();
            assert_eq!(surt(fields[2]), fields[0], "{line}");
            let payload = fixtures::bytes(&format!("wayback/payloads/{}", fields[5]));
            assert_eq!(data_encoding::BASE32.encode(&Sha1::digest(payload)), fields[5], "{line}");
        }
    }

    #[test]
    fn keys_fold_what_they_fold() {
        assert_eq!(surt("http://www.Example.org:80/A/b/?C=D"), "org,example)/a/b/?c=d");
        assert_eq!(surt("https://t.co/AEoFZOhI3p"), "co,t)/aeofzohi3p");
        assert_eq!(surt("twitter.com/MajaEUspox/status/1138*"), "com,twitter)/majaeuspox/status/1138*");
    }
}
