//! A post out of JSON, whichever of X's shapes it has: syndication `tweet-result`, v1.1 and v2 API objects (as archived),
//! GraphQL, and the front end api.fxtwitter.com.

use jiff::Timestamp;
use serde_json::Value;

use crate::format::markup::unescape;
use crate::platform::post::{Author, Media, Platform, Post, PostLink, PostName};
use crate::platform::reader::State;
use crate::platform::x::{self, snowflake};

/// What a JSON answer says.
#[derive(Clone, Debug, PartialEq)]
pub enum Said {
    /// here is the post
    Post(Box<Post>),
    /// the post is not shown, and why, in the platform's words where it has any
    Not(State, String),
}

/// Quoted posts are read this deep; the platform itself shows one.
const DEPTH: usize = 2;

/// Reads any of the shapes; `None` where it is none of them.
pub fn read(json: &Value) -> Option<Said> {
    let object = json.as_object()?;
    if let Some(data) = object.get("data") {
        return if data.get("tweetResult").is_some() || data.get("tweet_result").is_some() {
            graphql(json)
        } else {
            v2(json)
        };
    }
    if object.contains_key("code") && object.contains_key("tweet") {
        return fxtwitter(json);
    }
    match text(json, "__typename") {
        Some("TweetTombstone") => Some(tombstone(json.get("tombstone"))),
        Some("TweetUnavailable") => Some(unavailable(json)),
        _ if object.is_empty() => {
            Some(Said::Not(State::Withheld, "an empty object: hidden from readers without a login".to_owned()))
        }
        _ if object.contains_key("id_str") => rest(json, DEPTH).map(said),
        _ => None,
    }
}

fn said(post: Post) -> Said {
    Said::Post(Box::new(post))
}

/// The sentence of a tombstone tells which of several things happened (wording of 2023 to 2026, `Tweet` before).
fn tombstone(stone: Option<&Value>) -> Said {
    let words = stone.and_then(|s| s.pointer("/text/text")).and_then(Value::as_str).unwrap_or_default();
    let folded = words.to_lowercase();
    let state = if folded.contains("deleted") {
        State::Gone
    } else if folded.contains("suspended") {
        State::Suspended
    } else if folded.contains("age-restricted") || folded.contains("under 18") || folded.contains("verify your age") {
        State::AgeGated
    } else if folded.contains("limits who can view") || folded.contains("protected") {
        State::Protected
    } else if folded.contains("no longer exists") || folded.contains("doesn’t exist") {
        State::Gone
    } else {
        State::Withheld
    };
    if words.is_empty() {
        return Said::Not(
            state,
            "a tombstone without words: the post is live but withheld from readers without a login".into(),
        );
    }
    Said::Not(state, format!("the platform says: {}", words.trim_end_matches("Learn more").trim_end()))
}

fn unavailable(json: &Value) -> Said {
    let reason = text(json, "reason").unwrap_or_default();
    let state = match reason {
        "Deleted" => State::Gone,
        "Suspended" => State::Suspended,
        "Protected" => State::Protected,
        "NsfwLoggedOut" | "NsfwViewerHasNoStatedAge" | "NsfwViewerIsUnderage" => State::AgeGated,
        _ => State::Withheld,
    };
    Said::Not(state, format!("the platform gives the reason {reason:?}"))
}

fn text<'a>(json: &'a Value, key: &str) -> Option<&'a str> {
    json.get(key).and_then(Value::as_str).filter(|t| !t.is_empty())
}

/// An id as text, or as a number of an older shape.
fn id(json: &Value, key: &str) -> Option<String> {
    match json.get(key)? {
        Value::String(id) if x::is_id(id) => Some(id.clone()),
        Value::Number(id) => id.as_u64().map(|id| id.to_string()),
        _ => None,
    }
}

fn name(id: &str) -> PostName {
    PostName { platform: Platform::X, id: id.to_owned() }
}

/// ISO 8601, or v1.1's `Mon Jun 10 04:52:09 +0000 2019`.
pub fn time(text: &str) -> Option<Timestamp> {
    text.parse().ok().or_else(|| Timestamp::strptime("%a %b %d %H:%M:%S %z %Y", text).ok())
}

/// A post with its name, links to it and clock filled in.
pub fn bare(id: &str, author: Author, words: String) -> Post {
    Post {
        name: name(id),
        permalink: x::permalink(&author.handle, id),
        author,
        posted: None,
        id_time: snowflake::time_of(id),
        text: words,
        language: None,
        cut: false,
        links: Vec::new(),
        media: Vec::new(),
        versions: Vec::new(),
        others: Vec::new(),
        edited: false,
        reply_to: None,
        quotes: None,
    }
}

/// The REST object, which `tweet-result` and v1.1 share but for a few keys.
fn rest(json: &Value, depth: usize) -> Option<Post> {
    let id_str = id(json, "id_str")?;
    let words = text(json, "full_text").or_else(|| text(json, "text")).unwrap_or_default();
    let author = author(json.get("user"));
    let mut post = bare(&id_str, author, unescape(words).into_owned());
    if let Some(extended) = json.get("extended_tweet") {
        // v1.1 streams put what does not fit into 140 characters here
        if let Some(full) = text(extended, "full_text") {
            post.text = unescape(full).into_owned();
        }
        links(extended, &mut post);
        media(extended, &mut post);
    } else {
        post.cut = json.get("truncated").and_then(Value::as_bool).unwrap_or(false) || json.get("note_tweet").is_some();
        links(json, &mut post);
        media(json, &mut post);
    }
    post.posted = text(json, "created_at").and_then(time);
    post.language = text(json, "lang").filter(|l| *l != "und").map(str::to_owned);
    card(json, &mut post);
    edits(json, &mut post);
    post.reply_to = id(json, "in_reply_to_status_id_str").map(|id| name(&id));
    post.quotes = ["quoted_tweet", "quoted_status"]
        .iter()
        .filter(|_| depth > 0)
        .find_map(|key| rest(json.get(*key)?, depth - 1))
        .map(Box::new);
    Some(post)
}

fn author(user: Option<&Value>) -> Author {
    let Some(user) = user else { return Author::default() };
    Author {
        handle: text(user, "screen_name").or_else(|| text(user, "username")).unwrap_or_default().to_owned(),
        name: text(user, "name").map(str::to_owned),
        id: id(user, "id_str").or_else(|| id(user, "id")),
    }
}

/// Links are found by the short form that stands in the text, never by indices: those count code points in one answer and
/// UTF-16 units in the next.
fn links(json: &Value, post: &mut Post) {
    let each = |key: &str| json.pointer(key).and_then(Value::as_array).into_iter().flatten();
    for entity in each("/entities/urls").chain(each("/entities/media")).chain(each("/extended_entities/media")) {
        let Some(raw) = text(entity, "url") else { continue };
        if post.links.iter().any(|known| known.raw == raw) {
            continue;
        }
        post.links.push(PostLink {
            raw: raw.to_owned(),
            expanded: text(entity, "unwound_url")
                .or_else(|| text(entity, "expanded_url"))
                .map_or_else(|| raw.to_owned(), |u| unescape(u).into_owned()),
            shown: text(entity, "display_url").map(|u| unescape(u).into_owned()),
        });
    }
}

fn media(json: &Value, post: &mut Post) {
    let all = ["/mediaDetails", "/extended_entities/media", "/entities/media"]
        .iter()
        .filter_map(|key| json.pointer(key).and_then(Value::as_array))
        .find(|all| all.iter().any(|one| one.get("media_url_https").is_some()));
    for one in all.into_iter().flatten() {
        let Some(still) = text(one, "media_url_https") else { continue };
        let kind = text(one, "type").unwrap_or("photo");
        let uploaded = snowflake::uploaded(still);
        let alt = text(one, "ext_alt_text").map(|t| unescape(t).into_owned());
        let made = match (kind, best_variant(one)) {
            ("video" | "animated_gif", Some(url)) => Media {
                kind: if kind == "video" { "video" } else { "gif" }.to_owned(),
                uploaded: snowflake::uploaded(&url).or(uploaded),
                url,
                poster: Some(still.to_owned()),
                alt,
            },
            _ => Media { kind: "photo".to_owned(), url: original(still), poster: None, alt, uploaded },
        };
        if !post.media.iter().any(|known| known.url == made.url) {
            post.media.push(made);
        }
    }
}

/// The MP4 of most bits a second: a playlist is no picture until it is put together.
fn best_variant(media: &Value) -> Option<String> {
    let variants = media.pointer("/video_info/variants")?.as_array()?;
    variants
        .iter()
        .filter(|v| text(v, "content_type").is_some_and(|t| t == "video/mp4"))
        .max_by_key(|v| v.get("bitrate").and_then(Value::as_u64).unwrap_or(0))
        .and_then(|v| text(v, "url"))
        .map(str::to_owned)
}

/// A photo in the size it was uploaded in: `…/NAME.jpg` becomes `…/NAME?format=jpg&name=orig`.
pub fn original(url: &str) -> String {
    let bare = url.split(['?', '#']).next().unwrap_or(url);
    let bare = bare.rsplit_once(':').filter(|(_, size)| !size.contains('/')).map_or(bare, |(bare, _)| bare);
    let format = url.split_once("format=").and_then(|(_, rest)| rest.split('&').next());
    match (bare.contains("pbs.twimg.com/media/"), format, bare.rsplit_once('.')) {
        (true, Some(format), _) => format!("{bare}?format={format}&name=orig"),
        (true, None, Some((stem, extension))) if !extension.contains('/') => {
            format!("{stem}?format={extension}&name=orig")
        }
        _ => url.to_owned(),
    }
}

/// The picture of a link's card: a reader of the post saw it.
fn card(json: &Value, post: &mut Post) {
    let Some(values) = json.pointer("/card/binding_values") else { return };
    let image = [
        "photo_image_full_size_original",
        "photo_image_full_size_large",
        "summary_photo_image_large",
        "thumbnail_image_original",
        "thumbnail_image",
    ]
    .iter()
    .find_map(|key| values.get(*key)?.get("image_value"));
    if let Some((image, url)) = image.and_then(|image| Some((image, text(image, "url")?))) {
        post.media.push(Media {
            kind: "card".to_owned(),
            url: url.to_owned(),
            poster: None,
            alt: text(image, "alt").map(str::to_owned),
            uploaded: snowflake::uploaded(url),
        });
    }
}

fn edits(json: &Value, post: &mut Post) {
    let control = json.get("edit_control").map(|c| c.get("edit_control_initial").unwrap_or(c));
    let ids = control.and_then(|c| c.get("edit_tweet_ids")).and_then(Value::as_array);
    let ids: Vec<String> = ids.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect();
    if ids.len() > 1 {
        post.edited = ids.first() != Some(&post.name.id);
        post.versions = ids;
    }
    post.edited |= json.get("isEdited").and_then(Value::as_bool).unwrap_or(false);
}

/// GraphQL's `TweetResultByRestId`. An answer may carry errors and a whole post at once.
fn graphql(json: &Value) -> Option<Said> {
    let data = json.get("data")?;
    let found = data.get("tweetResult").or_else(|| data.get("tweet_result"))?;
    match found.get("result") {
        None => Some(Said::Not(State::NotFound, "the platform knows no such post".to_owned())),
        Some(result) => graphql_result(result, DEPTH),
    }
}

fn graphql_result(result: &Value, depth: usize) -> Option<Said> {
    match text(result, "__typename") {
        Some("TweetTombstone") => return Some(tombstone(result.get("tombstone"))),
        Some("TweetUnavailable") => return Some(unavailable(result)),
        _ => {}
    }
    let tweet = result.get("tweet").unwrap_or(result);
    let legacy = tweet.get("legacy")?;
    let mut post = rest(legacy, 0)?;
    post.author = graphql_author(tweet.pointer("/core/user_results/result"));
    post.permalink = x::permalink(&post.author.handle, &post.name.id);
    edits(tweet, &mut post);
    if let Some(note) = tweet.pointer("/note_tweet/note_tweet_results/result") {
        post.text = text(note, "text").map_or(post.text, str::to_owned); // a note's text is not escaped
        post.cut = false;
        let entities = serde_json::json!({ "entities": note.get("entity_set") });
        links(&entities, &mut post);
    }
    let quoted = tweet.pointer("/quoted_status_result/result").filter(|_| depth > 0);
    if let Some(Said::Post(quoted)) = quoted.and_then(|quoted| graphql_result(quoted, depth - 1)) {
        post.quotes = Some(quoted);
    }
    Some(said(post))
}

/// Names moved from `legacy` to `core` in 2025.
fn graphql_author(user: Option<&Value>) -> Author {
    let Some(user) = user else { return Author::default() };
    let of = |key: &str| ["core", "legacy"].iter().find_map(|place| text(user.get(*place)?, key)).map(str::to_owned);
    Author { handle: of("screen_name").unwrap_or_default(), name: of("name"), id: id(user, "rest_id") }
}

/// API v2's `{data, includes}`.
fn v2(json: &Value) -> Option<Said> {
    let data = json.get("data")?;
    let id_str = id(data, "id")?;
    let users = json.pointer("/includes/users").and_then(Value::as_array);
    let by = text(data, "author_id");
    let user = users.into_iter().flatten().find(|user| text(user, "id") == by);
    let mut author = author(user);
    author.id = author.id.or_else(|| by.map(str::to_owned));
    let words = data.pointer("/note_tweet/text").and_then(Value::as_str).or_else(|| text(data, "text"))?;
    let mut post = bare(&id_str, author, unescape(words).into_owned());
    post.posted = text(data, "created_at").and_then(time);
    post.language = text(data, "lang").filter(|l| *l != "und").map(str::to_owned);
    links(data, &mut post);
    v2_media(json, &mut post);
    let versions: Vec<String> = strings(data.get("edit_history_tweet_ids"));
    if versions.len() > 1 {
        post.edited = versions.first() != Some(&id_str);
        post.versions = versions;
    }
    let referenced = data.get("referenced_tweets").and_then(Value::as_array);
    let answered = referenced.into_iter().flatten().find(|r| text(r, "type") == Some("replied_to"));
    post.reply_to = answered.and_then(|r| id(r, "id")).map(|id| name(&id));
    Some(said(post))
}

fn strings(json: Option<&Value>) -> Vec<String> {
    json.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

fn v2_media(json: &Value, post: &mut Post) {
    for one in json.pointer("/includes/media").and_then(Value::as_array).into_iter().flatten() {
        let Some(url) = text(one, "url").or_else(|| text(one, "preview_image_url")) else { continue };
        let kind = text(one, "type").unwrap_or("photo");
        post.media.push(Media {
            kind: if kind == "animated_gif" { "gif" } else { kind }.to_owned(),
            url: original(url),
            poster: None,
            alt: text(one, "alt_text").map(str::to_owned),
            uploaded: snowflake::uploaded(url),
        });
    }
}

/// api.fxtwitter.com: a front end, not the platform; it has the full text of long posts.
fn fxtwitter(json: &Value) -> Option<Said> {
    let Some(tweet) = json.get("tweet").filter(|t| t.is_object()) else {
        let code = json.get("code").and_then(Value::as_u64).unwrap_or(0);
        let state = match code {
            404 => State::NotFound,
            401 => State::Protected,
            _ => State::Unknown,
        };
        return Some(Said::Not(state, format!("the front end answered {code}")));
    };
    let id_str = id(tweet, "id")?;
    let words = tweet.pointer("/raw_text/text").and_then(Value::as_str).or_else(|| text(tweet, "text"));
    let mut post = bare(&id_str, author(tweet.get("author")), words.unwrap_or_default().to_owned());
    for facet in tweet.pointer("/raw_text/facets").and_then(Value::as_array).into_iter().flatten() {
        if let (Some(raw), Some(to)) = (text(facet, "original"), text(facet, "replacement")) {
            let shown = text(facet, "display").map(str::to_owned);
            post.links.push(PostLink { raw: raw.to_owned(), expanded: to.to_owned(), shown });
        }
    }
    post.posted = tweet.get("created_timestamp").and_then(Value::as_i64).and_then(|s| Timestamp::from_second(s).ok());
    post.language = text(tweet, "lang").map(str::to_owned);
    post.reply_to = id(tweet, "replying_to_status").map(|id| name(&id));
    for one in tweet.pointer("/media/all").and_then(Value::as_array).into_iter().flatten() {
        let Some(url) = text(one, "url") else { continue };
        post.media.push(Media {
            kind: text(one, "type").unwrap_or("photo").to_owned(),
            url: original(url),
            poster: text(one, "thumbnail_url").map(str::to_owned),
            alt: text(one, "altText").map(str::to_owned),
            uploaded: snowflake::uploaded(url),
        });
    }
    Some(said(post))
}
