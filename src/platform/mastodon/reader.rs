//! The readers of a Mastodon post and account: the server named, then the one the post comes from.

use serde_json::Value as Json;
use url::Url;

use super::note::{self, Object};
use super::status::{self, Status, text};
use super::{address, authority, get_history, get_object, get_status, name_of_url, oembed, webfinger};
use crate::format::http::{Answer, Request};
use crate::platform::errand::{Errands, endpoint, refusal};
use crate::platform::post::{Author, Post, Version};
use crate::platform::reader::{Attestation, Read, Reader, State};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Purpose {
    /// the server named in the citation
    Status,
    /// the server the post comes from, by its client API
    OriginStatus,
    /// the same, as an ActivityPub object
    OriginNote,
    /// the server named, as an ActivityPub object
    Note,
    /// the author of an object
    Actor,
    /// what the server says of its page to who would embed it: the author alone
    Oembed,
    /// which account a handle is
    Webfinger,
    /// what an edited post said before
    History,
}

/// Reads one post.
#[derive(Debug)]
pub struct PostReader {
    errands: Errands<Purpose>,
    host: String,
    id: String,
    page: Option<Url>,
    here: Option<Status>,
    origin: Option<Post>,
    actor: Option<Author>,
    embedded: Option<Author>,
    hidden: Option<(State, String)>,
    versions: Vec<Version>,
    notes: Vec<String>,
}

impl PostReader {
    /// The reader for the post whose id is `<host>/<id>`; none where the id has another shape.
    pub fn new(id: &str) -> Option<Self> {
        let (host, id) = address(id)?;
        let mut errands = Errands::new();
        errands.ask(Purpose::Status, get_status(host, id)?);
        let (host, id) = (host.to_owned(), id.to_owned());
        Some(Self {
            errands,
            host,
            id,
            page: None,
            here: None,
            origin: None,
            actor: None,
            embedded: None,
            hidden: None,
            versions: Vec::new(),
            notes: Vec::new(),
        })
    }

    /// The same where the post's page is known too: it is asked for its object when the client API gives nothing.
    #[must_use]
    pub fn with_page(mut self, page: Url) -> Self {
        self.page = Some(page);
        self
    }

    fn heard_status(&mut self, answer: Result<&Answer, &str>) {
        let status = match answer {
            Ok(answer) => success(answer).map_err(|why| (refusal(answer.status), why)),
            Err(why) => Err((State::Unknown, why.to_owned())),
        }
        .and_then(|json| {
            let none = || (State::Unknown, "the client API's answer is no status".to_owned());
            status::of_json(&json, &self.host).ok_or_else(none)
        });
        match status {
            Ok(status) => self.heard_here(status),
            Err(hidden) => {
                self.hidden = Some(hidden);
                self.ask_object();
            }
        }
    }

    fn heard_here(&mut self, status: Status) {
        let elsewhere = status.uri.clone().filter(|uri| authority(uri).is_some_and(|origin| origin != self.host));
        let edited = status.post.edited;
        self.here = Some(status);
        let Some(uri) = elsewhere else {
            if edited {
                self.ask_history(&self.host.clone(), &self.id.clone());
            }
            return;
        };
        let named = name_of_url(&uri).map(|name| name.id);
        let api = named.as_deref().and_then(address).filter(|(_, id)| id.bytes().all(|b| b.is_ascii_digit()));
        match api.and_then(|(host, id)| get_status(host, id)).filter(|_| uri.path().contains("/statuses/")) {
            Some(request) => self.errands.ask(Purpose::OriginStatus, request),
            None => self.errands.ask(Purpose::OriginNote, get_object(&uri)),
        }
    }

    /// Servers of this kind keep every version of a public post, and give them out.
    fn ask_history(&mut self, host: &str, id: &str) {
        if let Some(request) = get_history(host, id) {
            self.errands.ask(Purpose::History, request);
        }
    }

    fn heard_history(&mut self, answer: Result<&Answer, &str>) {
        let json = answer.map_err(str::to_owned).and_then(success);
        match json {
            Ok(json) => self.versions = status::versions(&json),
            Err(why) => self.notes.push(format!("the words of before the edit are not here: {why}")),
        }
    }

    /// Without a client API: the page's own object, or where Misskey keeps its notes.
    fn ask_object(&mut self) {
        let misskey = !self.id.bytes().all(|b| b.is_ascii_digit());
        let notes = || endpoint(&format!("https://{}/notes/{}", self.host, self.id), &[]).filter(|_| misskey);
        if let Some(url) = self.page.clone().or_else(notes) {
            self.errands.ask(Purpose::Note, get_object(&url));
        }
    }

    fn uri(&self) -> Option<&Url> {
        self.here.as_ref()?.uri.as_ref()
    }

    fn heard_origin_status(&mut self, answer: Result<&Answer, &str>, url: &Url) {
        let json = answer.ok().and_then(|answer| success(answer).ok());
        let status = json.zip(authority(url)).and_then(|(json, host)| status::of_json(&json, &host));
        // the id in a path need not be the one the server counts by
        match status.filter(|status| status.uri.as_ref() == self.uri()) {
            Some(status) => {
                self.notes.extend(status.notes);
                if let Some((host, id)) = address(&status.post.name.id).filter(|_| status.post.edited) {
                    self.ask_history(host, id);
                }
                self.origin = Some(status.post);
            }
            None => {
                if let Some(uri) = self.uri().cloned() {
                    self.errands.ask(Purpose::OriginNote, get_object(&uri));
                }
            }
        }
    }

    fn heard_origin_note(&mut self, answer: Result<&Answer, &str>, url: &Url) {
        match object(answer, url) {
            Ok(Object::Post(mut post)) => {
                // the object names its author by address; the copy knows the rest
                if let Some(here) = self.here.as_ref().map(|here| &here.post.author) {
                    post.author.name = here.name.clone();
                }
                self.origin = Some(*post);
            }
            Ok(Object::Tombstone(at)) => self.notes.push(deleted("the server it comes from", at)),
            Ok(Object::Actor(_)) => self.notes.push("the post's own address answers with an account".to_owned()),
            Err((_, why)) => self.notes.push(format!("read from a copy; the server it comes from: {why}")),
        }
    }

    fn heard_note(&mut self, answer: Result<&Answer, &str>, url: &Url) {
        match object(answer, url) {
            Ok(Object::Post(post)) => {
                let author = post.author.id.as_deref().and_then(|id| Url::parse(id).ok());
                if let Some(author) = author.filter(|author| authority(author) == authority(url)) {
                    self.errands.ask(Purpose::Actor, get_object(&author));
                }
                self.origin = Some(*post);
            }
            Ok(Object::Tombstone(at)) => self.hidden = Some((State::Gone, deleted("the server", at))),
            Ok(Object::Actor(_)) => {}
            Err((state, why)) => {
                // a login asked for at the API says more than a page without an object
                let vague =
                    self.hidden.as_ref().is_none_or(|(state, _)| matches!(state, State::Unknown | State::NotFound));
                if vague && state != State::Unknown {
                    self.hidden = Some((state, why));
                }
                // a server that shows its posts to members alone may still let them be embedded
                if let Some(request) = self.page.as_ref().and_then(oembed) {
                    self.errands.ask(Purpose::Oembed, request);
                }
            }
        }
    }

    fn read(self) -> Read {
        let why = if self.here.is_some() { "the client API" } else { "the ActivityPub object" };
        let mut notes = self.notes;
        let (here, here_notes) = self.here.map(|here| (here.post, here.notes)).unzip();
        notes.append(&mut here_notes.unwrap_or_default());
        let mut attestations = Vec::new();
        if let (Some(here), Some(origin)) = (&here, &self.origin) {
            attestations.push(same(here, origin, &self.host));
        }
        let Some(mut post) = self.origin.or(here) else {
            let (state, why) = self.hidden.unwrap_or((State::Unknown, "the server gave no answer".to_owned()));
            return Read { notes, author: self.embedded, ..Read::ended(state, why) };
        };
        if let Some(actor) = self.actor {
            post.author = actor;
        }
        post.others = self.versions.into_iter().filter(|version| version.text != post.text).collect();
        Read { attestations, notes, ..Read::post(post, why) }
    }
}

/// The author in an oEmbed answer of `host`; the words are not in it.
fn embedded(answer: &Answer, host: &str) -> Option<Author> {
    let json = success(answer).ok()?;
    let url = Url::parse(text(&json, "author_url")?).ok()?;
    let user = url.path().strip_prefix("/@").filter(|user| !user.is_empty() && !user.contains('/'))?;
    let name = text(&json, "author_name").filter(|name| !name.is_empty()).map(str::to_owned);
    let own = authority(&url).as_deref() == Some(host);
    own.then(|| Author { handle: format!("{user}@{host}"), name, id: None })
}

/// Whether a copy says what its origin says.
fn same(here: &Post, origin: &Post, host: &str) -> Attestation {
    let holds = here.text == origin.text && here.posted.map(|t| t.as_second()) == origin.posted.map(|t| t.as_second());
    let why = if holds { "words and time are the same" } else { "words or time differ; the origin's are taken" };
    Attestation { what: format!("the copy at {host} is {}", origin.name), holds, why: why.to_owned() }
}

fn deleted(server: &str, at: Option<jiff::Timestamp>) -> String {
    let at = at.map(|at| format!(" at {at}")).unwrap_or_default();
    format!("{server} says that the post was deleted{at}")
}

/// The JSON of a successful answer; else, in words, what the server says.
pub(super) fn success(answer: &Answer) -> Result<Json, String> {
    let json: Option<Json> = serde_json::from_slice(&answer.body).ok();
    let error = json.as_ref().and_then(|json| text(json, "error")).unwrap_or_default();
    match (answer.status, json.is_some()) {
        (200, true) => json.ok_or_else(String::new),
        (200, false) => Err("it answered with something that is no JSON".to_owned()),
        (401, _) => Err(format!("it shows posts to its own users and to servers it knows ({error:?})")),
        (404, true) => Err(format!("it has no such post, or shows it to followers only ({error:?})")),
        (410, _) => Err("it says that the post or its author is gone".to_owned()),
        (status, _) => Err(format!("it answered with status {status} ({error:?})")),
    }
}

fn object(answer: Result<&Answer, &str>, url: &Url) -> Result<Object, (State, String)> {
    let answer = answer.map_err(|why| (State::Unknown, why.to_owned()))?;
    // a tombstone comes with 410, and some servers send it with 404
    let json = serde_json::from_slice(&answer.body).ok();
    let object = json.and_then(|json| note::of_json(&json, url));
    match (answer.status, object) {
        (200, Some(object)) => Ok(object),
        (404 | 410, Some(object @ Object::Tombstone(_))) => Ok(object),
        (200, None) => Err((State::Unknown, "it answered with no object of its own".to_owned())),
        (status, _) => Err((refusal(status), success(answer).err().unwrap_or_default())),
    }
}

impl Reader for PostReader {
    fn asks(&mut self) -> Vec<(u32, Request)> {
        self.errands.take()
    }

    fn learn(&mut self, id: u32, answer: Result<&Answer, &str>) {
        let Some((purpose, url)) = self.errands.settle(id, answer) else { return };
        match purpose {
            Purpose::Status => self.heard_status(answer),
            Purpose::OriginStatus => self.heard_origin_status(answer, &url),
            Purpose::OriginNote => self.heard_origin_note(answer, &url),
            Purpose::Note => self.heard_note(answer, &url),
            Purpose::Oembed => self.embedded = answer.ok().and_then(|answer| embedded(answer, &self.host)),
            Purpose::Actor => {
                if let Ok(Object::Actor(actor)) = object(answer, &url) {
                    self.actor = Some(actor.author);
                }
            }
            Purpose::History => self.heard_history(answer),
            Purpose::Webfinger => {}
        }
    }

    fn done(&self) -> bool {
        self.errands.idle()
    }

    fn finish(self: Box<Self>) -> Read {
        self.read()
    }
}

/// Reads one account.
#[derive(Debug)]
pub struct ProfileReader {
    errands: Errands<Purpose>,
    handle: String,
    address: Option<String>,
    read: Read,
}

impl ProfileReader {
    /// The reader for `user@host`; none where the handle has another shape.
    pub fn new(handle: &str) -> Option<Self> {
        let (user, host) = handle.trim_start_matches('@').split_once('@')?;
        let user_ok = !user.is_empty() && user.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.-".contains(&b));
        address(&format!("{host}/x")).filter(|_| user_ok)?;
        let mut errands = Errands::new();
        errands.ask(Purpose::Webfinger, webfinger(user, host)?);
        Some(Self { errands, handle: format!("{user}@{host}"), address: None, read: Read::default() })
    }

    fn heard_webfinger(&mut self, answer: Result<&Answer, &str>) {
        let json = match answer.map(success) {
            Ok(Ok(json)) => json,
            Ok(Err(why)) => return self.end(answer.map_or(State::Unknown, |answer| refusal(answer.status)), &why),
            Err(why) => return self.end(State::Unknown, why),
        };
        let Some(href) = own_link(&json) else { return self.end(State::Unknown, "webfinger names no account to ask") };
        self.address = Some(href.to_string());
        if let Some(subject) = text(&json, "subject").and_then(|subject| subject.strip_prefix("acct:")) {
            let same = subject.eq_ignore_ascii_case(&self.handle);
            if !same {
                self.read.notes.push(format!("the server calls the account {subject}"));
            }
        }
        self.errands.ask(Purpose::Actor, get_object(&href));
    }

    fn heard_actor(&mut self, answer: Result<&Answer, &str>, url: &Url) {
        let known = Author { handle: self.handle.clone(), name: None, id: self.address.clone() };
        self.read.author = Some(known);
        let actor = match object(answer, url) {
            Ok(Object::Actor(actor)) => actor,
            Ok(Object::Tombstone(at)) => return self.end(State::Gone, &deleted("the server", at)),
            Ok(Object::Post(_)) => return self.read.notes.push("the account's address answers with a post".to_owned()),
            Err((State::Gone, why)) => return self.end(State::Gone, &why),
            // who it is, is known by now; what it calls itself is not
            Err((_, why)) => {
                self.read.notes.push(format!("the account's own page: {why}"));
                self.read.why = "webfinger".to_owned();
                return;
            }
        };
        let user = |handle: &str| handle.split('@').next().unwrap_or_default().to_ascii_lowercase();
        let holds = user(&actor.author.handle) == user(&self.handle) && actor.author.id == self.address;
        self.read.attestations.push(Attestation {
            what: format!("the handle {} is {}", self.handle, self.address.as_deref().unwrap_or_default()),
            holds,
            why: format!("webfinger leads to it; it calls itself {}", actor.author.handle),
        });
        self.read.notes.extend(actor.moved_to.map(|to| format!("the account says that it has moved to {to}")));
        self.read.author = Some(Author { handle: self.handle.clone(), ..actor.author });
        self.read.why = "webfinger and the account's object".to_owned();
        if actor.suspended {
            self.read.state = Some(State::Suspended);
        }
    }

    fn end(&mut self, state: State, why: &str) {
        self.read.state = Some(state);
        why.clone_into(&mut self.read.why);
    }
}

/// The link to the account's own object.
fn own_link(json: &Json) -> Option<Url> {
    let links = json.get("links")?.as_array()?;
    let own = links.iter().find(|link| {
        let kind = text(link, "type").unwrap_or_default();
        text(link, "rel") == Some("self") && (kind.contains("activity+json") || kind.contains("activitystreams"))
    });
    Url::parse(text(own?, "href")?).ok().filter(|url| matches!(url.scheme(), "http" | "https"))
}

impl Reader for ProfileReader {
    fn asks(&mut self) -> Vec<(u32, Request)> {
        self.errands.take()
    }

    fn learn(&mut self, id: u32, answer: Result<&Answer, &str>) {
        match self.errands.settle(id, answer) {
            Some((Purpose::Webfinger, _)) => self.heard_webfinger(answer),
            Some((Purpose::Actor, url)) => self.heard_actor(answer, &url),
            _ => {}
        }
    }

    fn done(&self) -> bool {
        self.errands.idle()
    }

    fn finish(self: Box<Self>) -> Read {
        self.read
    }
}

#[cfg(test)]
mod tests;
