//! A post in the shape the site's own JSON had until May 2026: for files that a user or an archive kept.

use jiff::Timestamp;
use serde_json::Value as Json;

use super::feed::media;
use super::name;
use crate::format::markup::unescape;
use crate::platform::post::{Author, Post};
use crate::platform::prose::prose;

/// The post in a page's listing (`[post listing, comments]`), in a listing alone, or standing by itself (`t3`); with notes.
pub fn of_json(json: &Json) -> Option<(Post, Vec<String>)> {
    let thing = json.get(0).unwrap_or(json);
    let thing = thing.pointer("/data/children/0").unwrap_or(thing);
    if text(thing, "kind") != Some("t3") {
        return None;
    }
    let data = thing.get("data")?;
    let name = name(text(data, "id")?)?;
    let body = words(data);
    let title = unescape(text(data, "title")?).into_owned();
    let own = format!("https://www.reddit.com{}", text(data, "permalink")?);
    let (words, cut) = super::put_together(&title, &body.text);
    let link = text(data, "url").filter(|url| !url.contains(&format!("/comments/{}", name.id)));
    let post = Post {
        permalink: own,
        author: Author {
            handle: super::handle(text(data, "author").unwrap_or_default()),
            name: None,
            id: text(data, "author_fullname").map(str::to_owned),
        },
        posted: seconds(data, "created_utc"),
        id_time: None,
        text: words,
        language: None,
        cut,
        links: body.links,
        media: link.map(|url| media(unescape(url).into_owned())).into_iter().collect(),
        versions: Vec::new(),
        others: Vec::new(),
        // false, or the time of the last edit
        edited: data.get("edited").is_some_and(Json::is_number),
        reply_to: None,
        quotes: None,
        name,
    };
    Some((post, notes(data)))
}

/// The text as HTML where it is there, for its links; else as the author typed it.
fn words(data: &Json) -> crate::platform::prose::Prose {
    match text(data, "selftext_html") {
        // the site escapes the HTML inside its JSON once more
        Some(html) => prose(&unescape(html)),
        None => crate::platform::prose::Prose {
            text: unescape(text(data, "selftext").unwrap_or_default()).into_owned(),
            links: Vec::new(),
        },
    }
}

fn notes(data: &Json) -> Vec<String> {
    let removed = text(data, "removed_by_category").map(|by| format!("removed by {by}"));
    let edited = seconds(data, "edited").map(|at| format!("edited at {at}; the words of before are not here"));
    let adult = data.get("over_18").and_then(Json::as_bool).unwrap_or(false);
    let adult = adult.then(|| "marked as for adults".to_owned());
    [removed, edited, adult].into_iter().flatten().collect()
}

fn seconds(data: &Json, key: &str) -> Option<Timestamp> {
    let seconds = data.get(key)?.as_f64().filter(|seconds| seconds.abs() < 1e11)?;
    Timestamp::from_second(seconds as i64).ok()
}

fn text<'a>(json: &'a Json, key: &str) -> Option<&'a str> {
    json.get(key).and_then(Json::as_str)
}
