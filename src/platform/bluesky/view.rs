//! What the AppView answers (lexicons `app.bsky.feed.getPostThread`, `getPosts`, `app.bsky.actor.getProfile`, 2026).

use serde_json::Value as Json;
use url::Url;

use super::post::{Whereabouts, of_record, text};
use crate::format::aturi::{AtUri, Authority};
use crate::format::cbor::Value;
use crate::format::cid::Cid;
use crate::format::did::Did;
use crate::format::http::Answer;
use crate::platform::errand::refusal;
use crate::platform::post::Post;
use crate::platform::reader::State;

/// A post as the AppView shows it.
#[derive(Clone, Debug, PartialEq)]
pub struct Shown {
    /// the post
    pub post: Post,
    /// the CID that the AppView states
    pub cid: Option<Cid>,
    /// whether the record shown hashes to that CID
    pub hashes: bool,
    /// labels, hidden quotes and whatever else a reader should know
    pub notes: Vec<String>,
}

/// Why there is nothing to show: the state and, in words, which answer says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hidden {
    /// the state
    pub state: State,
    /// in words
    pub why: String,
}

impl Hidden {
    pub(super) fn new(state: State, why: impl Into<String>) -> Self {
        Self { state, why: why.into() }
    }
}

/// Reads an answer of `getPostThread`. `pds` is the account's server, where known.
///
/// # Errors
/// [`Hidden`] where it shows no post.
pub fn post_from_thread(answer: &Answer, pds: Option<&Url>) -> Result<Shown, Hidden> {
    let json = success(answer, "getPostThread")?;
    let thread = json.get("thread").unwrap_or(&Json::Null);
    match text(thread, "$type") {
        Some("app.bsky.feed.defs#threadViewPost") => thread.get("post").and_then(|view| shown(view, pds)),
        Some("app.bsky.feed.defs#notFoundPost") => {
            return Err(Hidden::new(State::NotFound, "the AppView does not have the post: deleted, or never there"));
        }
        Some("app.bsky.feed.defs#blockedPost") => {
            return Err(Hidden::new(State::Withheld, "the AppView hides the post behind a block"));
        }
        _ => None,
    }
    .ok_or_else(|| Hidden::new(State::Unknown, "the AppView's answer holds no post of a known shape"))
}

/// Reads an answer of `getPosts` for the one post asked: a deleted one is missing from the list.
///
/// # Errors
/// [`Hidden`] where it shows no post.
pub fn post_from_list(answer: &Answer, did: &Did, rkey: &str, pds: Option<&Url>) -> Result<Shown, Hidden> {
    let json = success(answer, "getPosts")?;
    let unread = || Hidden::new(State::Unknown, "the AppView's answer holds no list of posts");
    let posts = json.get("posts").and_then(Json::as_array).ok_or_else(unread)?;
    let id = format!("at://{did}/{}/{rkey}", super::POSTS);
    let view = posts.iter().find(|view| text(view, "uri") == Some(&id));
    let view = view.ok_or_else(|| Hidden::new(State::NotFound, "the AppView's list leaves the post out"))?;
    shown(view, pds).ok_or_else(|| Hidden::new(State::Unknown, "the AppView's list holds a post of an unknown shape"))
}

/// The JSON of a successful answer.
///
/// # Errors
/// What the error says of the post or of the account.
pub(super) fn success(answer: &Answer, method: &str) -> Result<Json, Hidden> {
    let json: Option<Json> = serde_json::from_slice(&answer.body).ok();
    if answer.status == 200 {
        return json.ok_or_else(|| Hidden::new(State::Unknown, format!("the answer of {method} is no JSON")));
    }
    let error = json.as_ref().and_then(|json| text(json, "error")).unwrap_or_default();
    let message = json.as_ref().and_then(|json| text(json, "message")).unwrap_or_default();
    let (state, meaning) = match error {
        "NotFound" | "RecordNotFound" => (State::NotFound, "does not have the post: deleted, or never there"),
        "RepoNotFound" => (State::NotFound, "does not have the account's repository"),
        "RepoTakendown" | "AccountTakedown" => (State::Suspended, "has taken the account down"),
        "RepoSuspended" => (State::Suspended, "has suspended the account"),
        "RepoDeactivated" | "AccountDeactivated" => (State::Gone, "says that its owner has deactivated the account"),
        "AuthMissing" | "AuthenticationRequired" => (State::LoginGated, "asks for a login"),
        "RateLimitExceeded" => (State::RateLimited, "was asked too often"),
        // the AppView's one error for an unknown handle and for an account it does not know
        "InvalidRequest" if message.contains("not found") || message.contains("resolve") => {
            (State::NotFound, "does not know the account")
        }
        _ => (refusal(answer.status), "gave an error"),
    };
    Err(Hidden::new(state, format!("{method} {meaning} (status {}, {error:?})", answer.status)))
}

pub(super) fn shown(view: &Json, pds: Option<&Url>) -> Option<Shown> {
    let record = view.get("record")?;
    let mut notes = labels(view);
    let mut post = view_of(view, record, pds)?;
    post.quotes = quote(view, &mut notes).map(Box::new);
    let cid: Option<Cid> = text(view, "cid").and_then(|cid| cid.parse().ok());
    let own = Value::from_json(record).ok().map(|value| Cid::of_cbor(&value.encode()));
    Some(Shown { post, hashes: cid.is_some() && cid == own, cid, notes })
}

fn view_of(view: &Json, record: &Json, pds: Option<&Url>) -> Option<Post> {
    let uri: AtUri = text(view, "uri")?.parse().ok()?;
    let (Authority::Did(did), Some(rkey)) = (uri.authority, uri.rkey) else { return None };
    let author = view.get("author")?;
    if text(author, "did") != Some(did.as_str()) {
        return None;
    }
    // the AppView writes this where the handle does not lead back to the account
    let handle = text(author, "handle").filter(|handle| *handle != "handle.invalid");
    let name = text(author, "displayName").filter(|name| !name.is_empty());
    of_record(record, &Whereabouts { did: &did, rkey: &rkey, handle, name, pds })
}

/// The quoted post, one level deep; what hides it becomes a note.
fn quote(view: &Json, notes: &mut Vec<String>) -> Option<Post> {
    let embed = view.get("embed")?;
    let record = match text(embed, "$type")? {
        "app.bsky.embed.record#view" => embed.get("record")?,
        "app.bsky.embed.recordWithMedia#view" => embed.pointer("/record/record")?,
        _ => return None,
    };
    let gone = match text(record, "$type")? {
        "app.bsky.embed.record#viewRecord" => return view_of(record, record.get("value")?, None),
        "app.bsky.embed.record#viewNotFound" => "is deleted",
        "app.bsky.embed.record#viewBlocked" => "is hidden behind a block",
        "app.bsky.embed.record#viewDetached" => "was detached by its author",
        _ => return None,
    };
    notes.push(format!("the quoted post {} {gone}", text(record, "uri").unwrap_or_default()));
    None
}

fn labels(view: &Json) -> Vec<String> {
    let author = view.get("author").unwrap_or(&Json::Null);
    let list = |of: &'static str, json: &Json| -> Vec<String> {
        let labels = json.get("labels").and_then(Json::as_array).into_iter().flatten();
        labels
            .filter_map(|label| {
                Some(format!("the {of} is labelled {} by {}", text(label, "val")?, text(label, "src")?))
            })
            .collect()
    };
    [list("post", view), list("account", author)].concat()
}
