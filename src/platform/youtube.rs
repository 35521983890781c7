//! YouTube: a video's title and channel by oEmbed (www.youtube.com/oembed, 2026). It gives no date; the watch page, kept as a
//! page, may.

use serde_json::Value as Json;

use crate::format::http::{Answer, Request};
use crate::format::markup::{Piece, decode, pieces};
use crate::platform::errand::{Errands, endpoint, refusal};
use crate::platform::post::{Author, Media, Platform, Post, PostName};
use crate::platform::reader::{Read, Reader, State};

/// The name of a video; none where the id is no id.
pub fn name(id: &str) -> Option<PostName> {
    let sound = id.len() == 11 && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b));
    sound.then(|| PostName { platform: Platform::Youtube, id: id.to_owned() })
}

fn watch(id: &str) -> String {
    format!("https://www.youtube.com/watch?v={id}")
}

/// Asks how a video is embedded.
pub fn get_oembed(id: &str) -> Option<Request> {
    endpoint("https://www.youtube.com/oembed", &[("url", &watch(id)), ("format", "json")]).map(Request::get)
}

/// Reads the answer of oEmbed for a video.
pub fn of_oembed(answer: &Answer, name: &PostName) -> Read {
    let (state, why) = match answer.status {
        200 => match serde_json::from_slice(&answer.body).ok().and_then(|json| post(&json, name)) {
            Some(post) => {
                let note =
                    "oEmbed gives the title and the channel; the date and the words below the video are not in it";
                return Read { notes: vec![note.to_owned()], ..Read::post(post, "oEmbed") };
            }
            None => (State::Unknown, "oEmbed answered with something else"),
        },
        400 => (State::NotFound, "oEmbed takes the id for none (status 400)"),
        401 => (State::Unknown, "the video is there, its owner has turned embedding off (status 401)"),
        403 => (State::Protected, "the video is private (status 403)"),
        404 => (State::NotFound, "the video is not there: deleted, or never was (status 404)"),
        status => (refusal(status), "oEmbed gave an error"),
    };
    Read::ended(state, why)
}

fn post(json: &Json, name: &PostName) -> Option<Post> {
    let text = |key: &str| json.get(key).and_then(Json::as_str).filter(|text| !text.is_empty());
    let title = text("title")?;
    let still = text("thumbnail_url").map(|url| Media {
        kind: "photo".to_owned(),
        url: url.to_owned(),
        poster: None,
        alt: Some("a still of the video".to_owned()),
        uploaded: None,
    });
    Some(Post {
        name: name.clone(),
        permalink: watch(&name.id),
        author: author(text("author_url").unwrap_or_default(), text("author_name")),
        posted: None,
        id_time: None,
        text: title.to_owned(),
        language: None,
        cut: true,
        links: Vec::new(),
        media: still.into_iter().collect(),
        versions: Vec::new(),
        edited: false,
        reply_to: None,
        quotes: None,
    })
}

/// A channel's address holds its handle, or its lasting id.
fn author(url: &str, name: Option<&str>) -> Author {
    let last = url.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    let id = Some(last).filter(|_| url.contains("/channel/UC")).map(str::to_owned);
    Author { handle: last.trim_start_matches('@').to_owned(), name: name.map(str::to_owned), id }
}

/// Reads one video.
#[derive(Debug)]
pub struct PostReader {
    errands: Errands<()>,
    name: PostName,
    read: Read,
}

impl PostReader {
    /// The reader for a video's id of eleven characters.
    pub fn new(id: &str) -> Option<Self> {
        let mut errands = Errands::new();
        let name = name(id)?;
        errands.ask((), get_oembed(id)?);
        Some(Self { errands, name, read: Read::default() })
    }
}

impl Reader for PostReader {
    fn asks(&mut self) -> Vec<(u32, Request)> {
        self.errands.take()
    }

    fn learn(&mut self, id: u32, answer: Result<&Answer, &str>) {
        if self.errands.settle(id, answer).is_none() {
            return;
        }
        self.read = match answer {
            Ok(answer) => of_oembed(answer, &self.name),
            Err(why) => Read::ended(State::Unknown, format!("oEmbed gave no answer: {why}")),
        };
    }

    fn done(&self) -> bool {
        self.errands.idle()
    }

    fn finish(self: Box<Self>) -> Read {
        self.read
    }
}

/// Reads one channel by its handle.
#[derive(Debug)]
pub struct ProfileReader {
    errands: Errands<()>,
    handle: String,
    read: Read,
}

impl ProfileReader {
    /// The reader for a handle; none where it cannot be one.
    pub fn new(handle: &str) -> Option<Self> {
        let sound = (1..=100).contains(&handle.chars().count()) && !handle.contains(['/', '?', '#', '@', ' ']);
        let mut errands = Errands::new();
        errands
            .ask((), endpoint(&format!("https://www.youtube.com/@{handle}"), &[]).filter(|_| sound).map(Request::get)?);
        Some(Self { errands, handle: handle.to_owned(), read: Read::default() })
    }

    /// The channel's page names its lasting id in its canonical link.
    fn heard(&self, answer: &Answer) -> Read {
        if answer.status != 200 {
            return Read::ended(
                refusal(answer.status),
                format!("the channel's page answered with status {}", answer.status),
            );
        }
        let html = decode(&answer.body, answer.headers.get("content-type").as_deref().unwrap_or("text/html"));
        let (mut id, mut name) = (None, None);
        for piece in pieces(&html) {
            let Piece::Open(tag) = piece else { continue };
            match (&*tag.name, tag.get("rel"), tag.get("property")) {
                ("link", Some("canonical"), _) => {
                    let channel = tag.get("href").and_then(|href| href.split("/channel/").nth(1));
                    id = channel.filter(|id| id.starts_with("UC")).map(str::to_owned);
                }
                ("meta", _, Some("og:title")) => name = tag.get("content").map(str::to_owned),
                _ => {}
            }
        }
        match id {
            Some(id) => Read {
                author: Some(Author { handle: self.handle.clone(), name, id: Some(id) }),
                why: "the channel's page".to_owned(),
                ..Read::default()
            },
            None => Read::ended(State::Unknown, "the channel's page names no channel id"),
        }
    }
}

impl Reader for ProfileReader {
    fn asks(&mut self) -> Vec<(u32, Request)> {
        self.errands.take()
    }

    fn learn(&mut self, id: u32, answer: Result<&Answer, &str>) {
        if self.errands.settle(id, answer).is_none() {
            return;
        }
        self.read = match answer {
            Ok(answer) => self.heard(answer),
            Err(why) => Read::ended(State::Unknown, format!("the channel's page gave no answer: {why}")),
        };
    }

    fn done(&self) -> bool {
        self.errands.idle()
    }

    fn finish(self: Box<Self>) -> Read {
        self.read
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OEMBED: &[u8] = include_bytes!("../../tests/fixtures/other/youtube/oembed.json");

    fn ask(mut reader: Box<dyn Reader>, status: u16, body: &[u8]) -> Read {
        for (id, _) in reader.asks() {
            reader.learn(id, Ok(&Answer { status, body: body.to_vec(), ..Answer::default() }));
        }
        assert!(reader.done());
        reader.finish()
    }

    fn video(status: u16, body: &[u8]) -> Read {
        ask(Box::new(PostReader::new("aB3dE5gH7jK").unwrap()), status, body)
    }

    #[test]
    fn title_and_channel_are_read_and_no_date_is_made_up() {
        let post = video(200, OEMBED).post.unwrap();
        assert_eq!(post.name.to_string(), "youtube:aB3dE5gH7jK");
        assert_eq!(post.text, "Tide over the lower steps");
        assert_eq!(
            (post.author.handle.as_str(), post.author.name.as_deref()),
            ("HarbourBulletin", Some("Harbour Bulletin"))
        );
        assert_eq!((post.posted, post.id_time, post.cut), (None, None, true));
        assert_eq!(post.media[0].url, "https://i.ytimg.com/vi/aB3dE5gH7jK/hqdefault.jpg");
    }

    #[test]
    fn statuses_are_told_apart() {
        for (status, state) in [
            (400, State::NotFound),
            (401, State::Unknown),
            (403, State::Protected),
            (404, State::NotFound),
            (429, State::RateLimited),
            (500, State::ServerError),
        ] {
            let read = video(status, b"Error");
            assert_eq!((read.post, read.state), (None, Some(state)), "{status}");
        }
        assert_eq!(video(200, b"<html>").state, Some(State::Unknown));
        for wrong in ["", "short", "aB3dE5gH7jK1", "aB3dE5gH7j/"] {
            assert!(PostReader::new(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn channels_are_read_from_their_page() {
        let page = br#"<meta property="og:title" content="Harbour Bulletin"><link rel="canonical" href="https://www.youtube.com/channel/UCabc">"#;
        let profile = |status, body: &[u8]| ask(Box::new(ProfileReader::new("HarbourBulletin").unwrap()), status, body);
        let author = profile(200, page).author.unwrap();
        assert_eq!((author.name.as_deref(), author.id.as_deref()), (Some("Harbour Bulletin"), Some("UCabc")));
        assert_eq!(profile(404, b"").state, Some(State::NotFound));
        assert_eq!(profile(200, b"<title>Before you continue</title>").state, Some(State::Unknown));
        assert!(ProfileReader::new("a/b").is_none());
    }
}
