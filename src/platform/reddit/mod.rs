//! Reddit: a post by its feed, else by oEmbed, else from JSON that somebody kept (www.reddit.com, 2026: the JSON answers are
//! closed to clients without a login since May, old.reddit.com since June; feeds still answer).

pub mod feed;
pub mod lister;
pub mod listing;
pub mod page;

use serde_json::Value as Json;

use crate::format::http::{Answer, Request};
use crate::format::markup::decode;
use crate::platform::errand::{Errands, endpoint, refusal};
use crate::platform::post::{Author, Platform, Post, PostName};
use crate::platform::reader::{Read, Reader, State};

/// The name of a post; none where the id is no base-36 number.
pub fn name(id: &str) -> Option<PostName> {
    let sound = (1..=13).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric());
    sound.then(|| PostName { platform: Platform::Reddit, id: id.to_ascii_lowercase() })
}

/// What the site writes in place of an author, or of words, that are no longer shown.
fn is_taken_away(text: &str) -> bool {
    matches!(text.trim(), "[removed]" | "[deleted]" | "[removed by reddit]" | "[ Removed by Reddit ]")
}

/// An author as shown: none where the site names nobody any more.
fn handle(shown: &str) -> String {
    if is_taken_away(shown) { String::new() } else { shown.to_owned() }
}

/// Title and words, and whether the words are no longer shown.
fn put_together(title: &str, body: &str) -> (String, bool) {
    let cut = is_taken_away(body);
    let body = if cut { "" } else { body };
    ([title.trim(), body].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n\n"), cut)
}

fn page(id: &str) -> String {
    format!("https://www.reddit.com/comments/{id}/")
}

/// Asks for the feed of a post and its comments.
pub fn get_feed(id: &str) -> Option<Request> {
    endpoint(&format!("https://www.reddit.com/comments/{id}/.rss"), &[("limit", "1")]).map(Request::get)
}

/// Asks for the feed of what an account posted, the newest first, behind the post `after`.
pub fn get_submitted(user: &str, after: Option<&str>) -> Option<Request> {
    let mut query = vec![("limit", "100")];
    query.extend(after.map(|after| ("after", after)));
    endpoint(&format!("https://www.reddit.com/user/{user}/submitted/.rss"), &query).map(Request::get)
}

/// Asks how a post is embedded.
pub fn get_oembed(id: &str) -> Option<Request> {
    endpoint("https://www.reddit.com/oembed", &[("url", &page(id))]).map(Request::get)
}

/// The post in an oEmbed answer: title and author, no more. The title is read from the card's own link, which must name the
/// post asked for.
pub fn of_oembed(json: &Json, name: &PostName) -> Option<Post> {
    let text = |key: &str| json.get(key).and_then(Json::as_str).filter(|text| !text.is_empty());
    let html = crate::platform::prose::prose(text("html").unwrap_or_default());
    let link = html.links.iter().find(|link| link.expanded.contains(&format!("/comments/{}/", name.id)))?;
    let title = text("title").unwrap_or(&link.raw);
    Some(Post {
        name: name.clone(),
        permalink: link.expanded.split(['?', '#']).next().unwrap_or_default().to_owned(),
        author: Author { handle: text("author_name").unwrap_or_default().to_owned(), name: None, id: None },
        posted: None,
        id_time: None,
        text: title.to_owned(),
        language: None,
        cut: true,
        links: Vec::new(),
        media: Vec::new(),
        versions: Vec::new(),
        others: Vec::new(),
        edited: false,
        reply_to: None,
        quotes: None,
    })
}

#[derive(Clone, Copy, Debug)]
enum Purpose {
    Feed,
    Oembed,
}

/// Reads one post.
#[derive(Debug)]
pub struct PostReader {
    errands: Errands<Purpose>,
    name: PostName,
    post: Option<(Post, &'static str)>,
    hidden: Option<(State, String)>,
    notes: Vec<String>,
}

impl PostReader {
    /// The reader for a post's id, without `t3_`.
    pub fn new(id: &str) -> Option<Self> {
        let name = name(id)?;
        let mut errands = Errands::new();
        errands.ask(Purpose::Feed, get_feed(&name.id)?);
        Some(Self { errands, name, post: None, hidden: None, notes: Vec::new() })
    }

    fn heard_feed(&mut self, answer: Result<&Answer, &str>) {
        let read = readable(answer, "the feed").and_then(|answer| {
            let xml = decode(&answer.body, "charset=utf-8");
            feed::read(&xml, &self.name).ok_or((State::Unknown, "the feed does not begin with the post".to_owned()))
        });
        match read {
            Ok((post, notes)) => {
                self.notes = notes;
                self.post = Some((post, "the post's feed"));
            }
            Err(hidden) => {
                self.hidden = Some(hidden);
                if let Some(request) = get_oembed(&self.name.id) {
                    self.errands.ask(Purpose::Oembed, request);
                }
            }
        }
    }

    fn heard_oembed(&mut self, answer: Result<&Answer, &str>) {
        let json = readable(answer, "oEmbed").map(|answer| serde_json::from_slice(&answer.body).unwrap_or_default());
        match json.map(|json| of_oembed(&json, &self.name)) {
            Ok(Some(post)) => {
                self.notes.push("oEmbed gives the title and the author; date and text are not in it".to_owned());
                self.post = Some((post, "oEmbed"));
            }
            Ok(None) => {}
            // the feed came first and says as much, unless nobody answered there
            Err(hidden) if self.hidden.as_ref().is_none_or(|(state, _)| *state == State::Unknown) => {
                self.hidden = Some(hidden);
            }
            Err(_) => {}
        }
    }
}

/// A successful answer; a page where data was asked for is the site's way of refusing.
fn readable<'a>(answer: Result<&'a Answer, &str>, what: &str) -> Result<&'a Answer, (State, String)> {
    let answer = answer.map_err(|why| (State::Unknown, format!("{what} gave no answer: {why}")))?;
    let login = answer.headers.get("location").is_some_and(|to| to.contains("/login"));
    match (answer.status, answer.media_type().as_str()) {
        (301..=399, _) if login => Err((State::LoginGated, format!("{what} asks for a login"))),
        (200, "text/html") => Err((State::Blocked, format!("{what} answered with a page instead"))),
        (200, _) => Ok(answer),
        (404, _) => Err((State::NotFound, format!("{what} has no such post (status 404)"))),
        (status, _) => Err((refusal(status), format!("{what} answered with status {status}"))),
    }
}

impl Reader for PostReader {
    fn asks(&mut self) -> Vec<(u32, Request)> {
        self.errands.take()
    }

    fn learn(&mut self, id: u32, answer: Result<&Answer, &str>) {
        match self.errands.settle(id, answer) {
            Some((Purpose::Feed, _)) => self.heard_feed(answer),
            Some((Purpose::Oembed, _)) => self.heard_oembed(answer),
            None => {}
        }
    }

    fn done(&self) -> bool {
        self.errands.idle()
    }

    fn finish(self: Box<Self>) -> Read {
        let notes = self.notes;
        match (self.post, self.hidden) {
            (Some((post, why)), _) => Read { notes, ..Read::post(post, why) },
            (None, hidden) => {
                let (state, why) = hidden.unwrap_or((State::Unknown, "nothing was asked".to_owned()));
                Read { notes, ..Read::ended(state, why) }
            }
        }
    }
}

#[cfg(test)]
mod tests;
