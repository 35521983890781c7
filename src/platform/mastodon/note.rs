//! A post as an ActivityPub object (W3C Activity Vocabulary): Mastodon, Misskey, Pleroma, Lemmy, PeerTube and others, as they
//! were in 2026.

use jiff::Timestamp;
use serde_json::Value as Json;
use url::Url;

use super::status::text;
use super::{authority, id_time, name_of_url};
use crate::platform::post::{Author, Media, Post};
use crate::platform::prose::prose;

/// What an object is.
#[derive(Clone, Debug, PartialEq)]
pub enum Object {
    /// a post; its author is known by address only
    Post(Box<Post>),
    /// what a deleted post leaves behind, with the time of its deletion where that is told
    Tombstone(Option<Timestamp>),
    /// an account
    Actor(Actor),
}

/// An account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// who
    pub author: Author,
    /// where it says it has gone
    pub moved_to: Option<String>,
    /// suspended by its server
    pub suspended: bool,
}

/// Reads the object that `from` answered with. An object whose id is at another server than the one that gave it is
/// nobody's word and is not read.
pub fn of_json(json: &Json, from: &Url) -> Option<Object> {
    let json = if text(json, "type") == Some("Create") { json.get("object")? } else { json };
    let id = Url::parse(text(json, "id")?).ok()?;
    if authority(&id) != authority(from) {
        return None;
    }
    match text(json, "type")? {
        "Note" | "Article" | "Page" | "Question" | "Video" | "Audio" | "Image" | "Event" => {
            post(json, &id).map(|post| Object::Post(Box::new(post)))
        }
        "Tombstone" => Some(Object::Tombstone(time(json, "deleted"))),
        "Person" | "Service" | "Group" | "Organization" | "Application" => actor(json, &id).map(Object::Actor),
        _ => None,
    }
}

/// The post in an object of that server, whoever kept it.
pub fn of_host(json: &Json, host: &str) -> Option<Post> {
    let id = Url::parse(text(json, "id")?).ok().filter(|id| authority(id).as_deref() == Some(host))?;
    match of_json(json, &id)? {
        Object::Post(post) => Some(*post),
        Object::Tombstone(_) | Object::Actor(_) => None,
    }
}

fn post(json: &Json, id: &Url) -> Option<Post> {
    let page = links(json.get("url")).into_iter().find(|link| link.html).map(|link| link.href);
    let name = page.as_ref().and_then(|page| name_of_url(&Url::parse(page).ok()?)).or_else(|| name_of_url(id))?;
    let words = words(json);
    let posted = time(json, "published");
    let updated = time(json, "updated");
    let local = name.id.rsplit('/').next().unwrap_or_default();
    Some(Post {
        permalink: page.unwrap_or_else(|| id.to_string()),
        author: addressed(&first_id(json.get("attributedTo")?)?),
        id_time: id_time(local),
        name,
        posted,
        text: words.text,
        language: language(json),
        cut: false,
        links: words.links,
        media: media(json),
        versions: Vec::new(),
        others: Vec::new(),
        edited: matches!((posted, updated), (Some(posted), Some(updated)) if updated > posted),
        reply_to: json.get("inReplyTo").and_then(first_id).and_then(|uri| name_of_url(&Url::parse(&uri).ok()?)),
        quotes: None,
    })
}

/// Title or warning, then the text.
fn words(json: &Json) -> crate::platform::prose::Prose {
    let plain = text(json, "mediaType").is_some_and(|kind| kind == "text/plain" || kind == "text/markdown");
    let content = text(json, "content").unwrap_or_default();
    let mut words = prose(content);
    if plain {
        words = crate::platform::prose::Prose { text: content.trim().to_owned(), links: Vec::new() };
    }
    let above = ["name", "summary"].map(|key| text(json, key).map(|above| prose(above).text).unwrap_or_default());
    let parts: Vec<&str> =
        above.iter().chain([&words.text]).map(String::as_str).filter(|part| !part.is_empty()).collect();
    words.text = parts.join("\n\n");
    words
}

/// The content map has one entry where the author said which language it is.
fn language(json: &Json) -> Option<String> {
    let map = json.get("contentMap")?.as_object()?;
    map.keys().next().filter(|_| map.len() == 1).cloned()
}

fn media(json: &Json) -> Vec<Media> {
    let own = match text(json, "type") {
        Some("Video") => links(json.get("url"))
            .into_iter()
            .find(|link| link.kind.starts_with("video/"))
            .map(|link| Media { kind: "video".to_owned(), url: link.href, poster: None, alt: None, uploaded: None }),
        _ => None,
    };
    own.into_iter().chain(each(json.get("attachment")).filter_map(attachment)).collect()
}

fn attachment(json: &Json) -> Option<Media> {
    let media_type = text(json, "mediaType").unwrap_or_default();
    let kind = match (text(json, "type")?, media_type.split('/').next()) {
        ("Link", _) => "card",
        ("Image", _) | ("Document", Some("image")) => "photo",
        ("Video", _) | ("Document", Some("video")) => "video",
        ("Audio", _) | ("Document", Some("audio")) => "audio",
        _ => return None,
    };
    let link = links(json.get("url").or_else(|| json.get("href"))).into_iter().next()?;
    let alt = text(json, "name").filter(|alt| !alt.is_empty()).map(str::to_owned);
    Some(Media { kind: kind.to_owned(), url: link.href, poster: None, alt, uploaded: None })
}

/// What an actor's address tells without asking it: `/users/NAME` and `/@NAME` are how most software writes them.
pub fn addressed(uri: &str) -> Author {
    let url = Url::parse(uri).ok();
    let user = url.as_ref().and_then(|url| url.path_segments()?.rfind(|segment| !segment.is_empty()));
    let handle = match (user, url.as_ref().and_then(authority)) {
        (Some(user), Some(host)) => format!("{}@{host}", user.trim_start_matches('@')),
        _ => uri.to_owned(),
    };
    Author { handle, name: None, id: Some(uri.to_owned()) }
}

fn actor(json: &Json, id: &Url) -> Option<Actor> {
    let user = text(json, "preferredUsername")?;
    let name = text(json, "name").filter(|name| !name.is_empty());
    let author = Author {
        handle: format!("{user}@{}", authority(id)?),
        name: name.map(str::to_owned),
        id: text(json, "id").map(str::to_owned),
    };
    let suspended = json.get("suspended").and_then(Json::as_bool).unwrap_or(false);
    Some(Actor { author, moved_to: json.get("movedTo").and_then(first_id), suspended })
}

/// An id, whether it stands alone, in an object or first in a list.
fn first_id(json: &Json) -> Option<String> {
    each(Some(json)).find_map(|item| item.as_str().or_else(|| text(item, "id"))).map(str::to_owned)
}

struct Link {
    href: String,
    kind: String,
    html: bool,
}

/// Links, whether there is one or a list, as text or as objects.
fn links(json: Option<&Json>) -> Vec<Link> {
    let link = |item: &Json| {
        let href = item.as_str().or_else(|| text(item, "href")).or_else(|| text(item, "url"))?;
        let kind = text(item, "mediaType").unwrap_or_default().to_owned();
        let web = href.starts_with("https://") || href.starts_with("http://");
        web.then(|| Link { href: href.to_owned(), html: kind.is_empty() || kind == "text/html", kind })
    };
    each(json).filter_map(link).collect()
}

/// One thing or each of a list.
fn each(json: Option<&Json>) -> impl Iterator<Item = &Json> {
    let (list, one) = match json {
        Some(Json::Array(items)) => (items.as_slice(), None),
        one => (&[][..], one),
    };
    list.iter().chain(one)
}

fn time(json: &Json, key: &str) -> Option<Timestamp> {
    text(json, key)?.parse().ok()
}
