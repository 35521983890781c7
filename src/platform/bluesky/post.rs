//! A post's record, whoever hands it over (lexicon `app.bsky.feed.post`, 2026): text, links by byte offsets, media, what it
//! answers.

use serde_json::Value as Json;
use url::Url;

use super::{POSTS, blob_url, name, name_of_uri};
use crate::format::cid::Cid;
use crate::format::did::Did;
use crate::format::tid::Tid;
use crate::platform::post::{Author, Media, Post, PostLink};

/// What a record does not say of itself.
#[derive(Clone, Debug)]
pub struct Whereabouts<'a> {
    /// whose it is
    pub did: &'a Did,
    /// its key
    pub rkey: &'a str,
    /// the account's handle, where known
    pub handle: Option<&'a str>,
    /// the account's display name, where known
    pub name: Option<&'a str>,
    /// the account's server, where known: it has the media as uploaded
    pub pds: Option<&'a Url>,
}

/// The post that a record in its JSON form holds; none where it is no post.
pub fn of_record(record: &Json, at: &Whereabouts<'_>) -> Option<Post> {
    if text(record, "$type") != Some(POSTS) {
        return None;
    }
    let words = text(record, "text")?;
    let who = at.handle.unwrap_or(at.did.as_str());
    let reply = record.pointer("/reply/parent/uri").and_then(Json::as_str);
    Some(Post {
        name: name(at.did, at.rkey),
        permalink: format!("https://bsky.app/profile/{who}/post/{}", at.rkey),
        author: Author { handle: who.to_owned(), name: at.name.map(str::to_owned), id: Some(at.did.to_string()) },
        posted: text(record, "createdAt").and_then(|time| time.parse().ok()),
        id_time: at.rkey.parse().ok().map(Tid::time),
        text: words.to_owned(),
        language: record.pointer("/langs/0").and_then(Json::as_str).map(str::to_owned),
        cut: false,
        links: links(record, words),
        media: record.get("embed").map(|embed| media(embed, at)).unwrap_or_default(),
        versions: Vec::new(),
        others: Vec::new(),
        edited: false,
        reply_to: reply.and_then(name_of_uri),
        quotes: None,
    })
}

/// The AT URI of the record that a post quotes.
pub fn quoted_uri(record: &Json) -> Option<&str> {
    let embed = record.get("embed")?;
    match text(embed, "$type")? {
        "app.bsky.embed.record" => embed.pointer("/record/uri")?.as_str(),
        "app.bsky.embed.recordWithMedia" => embed.pointer("/record/record/uri")?.as_str(),
        _ => None,
    }
}

/// Links stand beside the text as facets, whose offsets count UTF-8 bytes; one that is out of range or cuts a character
/// marks nothing.
fn links(record: &Json, words: &str) -> Vec<PostLink> {
    let facets = record.get("facets").and_then(Json::as_array).into_iter().flatten();
    facets.filter_map(|facet| link(facet, words)).collect()
}

fn link(facet: &Json, words: &str) -> Option<PostLink> {
    let offset = |end| usize::try_from(facet.pointer(end)?.as_u64()?).ok();
    let raw = words.get(offset("/index/byteStart")?..offset("/index/byteEnd")?)?;
    let features = facet.get("features")?.as_array()?;
    let feature = features.iter().find(|feature| text(feature, "$type") == Some("app.bsky.richtext.facet#link"))?;
    Some(PostLink { raw: raw.to_owned(), expanded: text(feature, "uri")?.to_owned(), shown: None })
}

fn media(embed: &Json, at: &Whereabouts<'_>) -> Vec<Media> {
    match text(embed, "$type") {
        Some("app.bsky.embed.images") => {
            let images = embed.get("images").and_then(Json::as_array).into_iter().flatten();
            images.filter_map(|image| blob(image.get("image")?, "photo", alt(image), at)).collect()
        }
        Some("app.bsky.embed.video") => {
            let kind = if text(embed, "presentation") == Some("gif") { "gif" } else { "video" };
            embed.get("video").and_then(|video| blob(video, kind, alt(embed), at)).into_iter().collect()
        }
        Some("app.bsky.embed.external") => {
            embed.get("external").and_then(|card| self::card(card, at)).into_iter().collect()
        }
        Some("app.bsky.embed.recordWithMedia") => {
            // the inner embed is never another of the same kind, so this goes one step down and no further
            let inner = embed.get("media").filter(|inner| text(inner, "$type") != text(embed, "$type"));
            inner.map(|inner| media(inner, at)).unwrap_or_default()
        }
        _ => Vec::new(),
    }
}

fn alt(of: &Json) -> Option<String> {
    text(of, "alt").filter(|alt| !alt.is_empty()).map(str::to_owned)
}

fn blob(blob: &Json, kind: &str, alt: Option<String>, at: &Whereabouts<'_>) -> Option<Media> {
    let url = blob_of(blob, at)?;
    Some(Media { kind: kind.to_owned(), url, poster: None, alt, uploaded: None })
}

fn card(card: &Json, at: &Whereabouts<'_>) -> Option<Media> {
    let poster = card.get("thumb").and_then(|thumb| blob_of(thumb, at));
    let title = text(card, "title").filter(|title| !title.is_empty()).map(str::to_owned);
    Some(Media { kind: "card".to_owned(), url: text(card, "uri")?.to_owned(), poster, alt: title, uploaded: None })
}

/// Where a blob can be had: from the account's server as it was uploaded, else re-encoded from the content network.
fn blob_of(blob: &Json, at: &Whereabouts<'_>) -> Option<String> {
    let cid: Cid = blob.pointer("/ref/$link")?.as_str()?.parse().ok()?;
    match at.pds.and_then(|pds| blob_url(pds, at.did, &cid)) {
        Some(url) => Some(url.into()),
        None if text(blob, "mimeType")?.starts_with("video/") => {
            Some(format!("https://video.bsky.app/watch/{}/{cid}/playlist.m3u8", at.did))
        }
        None => Some(format!("https://cdn.bsky.app/img/feed_fullsize/plain/{}/{cid}@jpeg", at.did)),
    }
}

pub(super) fn text<'a>(json: &'a Json, key: &str) -> Option<&'a str> {
    json.get(key).and_then(Json::as_str)
}
