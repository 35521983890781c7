//! A status as the client API gives it (docs.joinmastodon.org/entities/Status, 2026; Pleroma, GoToSocial and Pixelfed give
//! the same shape).

use serde_json::Value as Json;
use url::Url;

use super::{id_time, name, name_of_url};
use crate::platform::post::{Author, Media, Post, Version};
use crate::platform::prose::prose;

/// A status, and where it comes from.
#[derive(Clone, Debug, PartialEq)]
pub struct Status {
    /// the post, by this server's word
    pub post: Post,
    /// the object's own id, at the server it comes from
    pub uri: Option<Url>,
    /// boosts, polls and whatever else a reader should know
    pub notes: Vec<String>,
}

/// Reads the status that `host` gave; none where the JSON is none.
pub fn of_json(json: &Json, host: &str) -> Option<Status> {
    let Some(boosted) = json.get("reblog").filter(|inner| inner.is_object()) else { return plain(json, host) };
    let by = json.pointer("/account/acct").and_then(Json::as_str).unwrap_or_default();
    let mut status = plain(boosted, host)?;
    status.notes.push(format!("asked for a boost by {by}; this is the post boosted"));
    Some(status)
}

fn plain(json: &Json, host: &str) -> Option<Status> {
    let id = text(json, "id")?;
    let words = words(json)?;
    let account = json.get("account")?;
    let uri = text(json, "uri").and_then(|uri| Url::parse(uri).ok());
    let page = text(json, "url").filter(|url| url.starts_with("http"));
    let posted = text(json, "created_at").and_then(|time| time.parse().ok());
    let edited = text(json, "edited_at");
    let reply = text(json, "in_reply_to_id").map(|id| name(host, id));
    let post = Post {
        name: name(host, id),
        permalink: page.map_or_else(|| format!("https://{host}/statuses/{id}"), str::to_owned),
        author: author(account, host)?,
        posted,
        id_time: id_time(id),
        text: words.text,
        language: text(json, "language").map(str::to_owned),
        cut: false,
        links: words.links,
        media: media(json),
        versions: Vec::new(),
        others: Vec::new(),
        edited: edited.is_some(),
        reply_to: reply,
        quotes: quote(json, host).map(Box::new),
    };
    let mut notes: Vec<String> = edited.map(|at| format!("edited at {at}")).into_iter().collect();
    notes.extend(poll(json));
    Some(Status { post, uri, notes })
}

/// Versions told of at most; a post may have been edited a few times.
const VERSIONS: usize = 50;

/// Every version of a post, as its history gives them (entities/StatusEdit), oldest first.
pub fn versions(json: &Json) -> Vec<Version> {
    let all = json.as_array().into_iter().flatten().take(VERSIONS);
    all.filter_map(|edit| {
        let at = text(edit, "created_at").and_then(|time| time.parse().ok());
        Some(Version { id: None, at, text: words(edit)?.text })
    })
    .collect()
}

/// The warning, where there is one, stands above the text.
fn words(json: &Json) -> Option<crate::platform::prose::Prose> {
    let mut words = prose(text(json, "content")?);
    let warning = text(json, "spoiler_text").map(|warning| prose(warning).text).filter(|warning| !warning.is_empty());
    if let Some(warning) = warning {
        words.text = format!("{warning}\n\n{}", words.text).trim_end().to_owned();
    }
    Some(words)
}

/// The author, with the host added that a server leaves out of its own accounts.
fn author(account: &Json, host: &str) -> Option<Author> {
    let acct = text(account, "acct").or_else(|| text(account, "username"))?;
    let handle = if acct.contains('@') { acct.to_owned() } else { format!("{acct}@{host}") };
    let id = text(account, "uri").or_else(|| text(account, "url"));
    let name = text(account, "display_name").filter(|name| !name.is_empty());
    Some(Author { handle, name: name.map(str::to_owned), id: id.map(str::to_owned) })
}

fn media(json: &Json) -> Vec<Media> {
    let attached = json.get("media_attachments").and_then(Json::as_array).into_iter().flatten();
    attached.filter_map(attachment).chain(card(json)).collect()
}

fn attachment(json: &Json) -> Option<Media> {
    let kind = match text(json, "type")? {
        "image" => "photo",
        "gifv" => "gif",
        kind @ ("video" | "audio") => kind,
        _ => "photo",
    };
    let url = text(json, "url").or_else(|| text(json, "remote_url"))?;
    let poster = text(json, "preview_url").filter(|_| kind != "photo").map(str::to_owned);
    let alt = text(json, "description").filter(|alt| !alt.is_empty()).map(str::to_owned);
    Some(Media { kind: kind.to_owned(), url: url.to_owned(), poster, alt, uploaded: None })
}

fn card(json: &Json) -> Option<Media> {
    let card = json.get("card").filter(|card| card.is_object())?;
    let alt = text(card, "title").filter(|title| !title.is_empty()).map(str::to_owned);
    let poster = text(card, "image").map(str::to_owned);
    Some(Media { kind: "card".to_owned(), url: text(card, "url")?.to_owned(), poster, alt, uploaded: None })
}

/// The quoted post, one level deep: Mastodon 4.5 wraps it with a state, Pleroma's descendants do not.
fn quote(json: &Json, host: &str) -> Option<Post> {
    let quote = json.get("quote").filter(|quote| quote.is_object())?;
    let status = quote.get("quoted_status").unwrap_or(quote);
    let mut inner = status.clone();
    inner.as_object_mut()?.remove("quote");
    let read = plain(&inner, host)?;
    let mut post = read.post;
    // another server's post has its own name
    if let Some(name) = read.uri.as_ref().and_then(name_of_url).filter(|name| !name.id.starts_with(&format!("{host}/")))
    {
        post.name = name;
    }
    Some(post)
}

fn poll(json: &Json) -> Option<String> {
    let options = json.pointer("/poll/options")?.as_array()?;
    let titles: Vec<&str> = options.iter().filter_map(|option| text(option, "title")).collect();
    Some(format!("a poll: {}", titles.join(" / ")))
}

pub(super) fn text<'a>(json: &'a Json, key: &str) -> Option<&'a str> {
    json.get(key).and_then(Json::as_str)
}
