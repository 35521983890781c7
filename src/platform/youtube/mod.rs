//! YouTube: a video's title and channel by oEmbed (www.youtube.com/oembed, 2026), which gives no date; its day, the words below
//! it and the channel's lasting id by its watch page, where no wall stands before that.

pub mod lister;

use serde_json::Value as Json;

use crate::format::http::{Answer, Request};
use crate::format::markup::{Piece, decode, pieces};
use crate::platform::errand::{Errands, endpoint, refusal};
use crate::platform::head::Head;
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
            Some(post) => return Read::post(post, "oEmbed"),
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
        others: Vec::new(),
        edited: false,
        reply_to: None,
        quotes: None,
    })
}

/// A video as its watch page tells it: title, channel, day and the words below it; none where the page is a wall before it, or
/// another video's (www.youtube.com/watch, 2020 to 2026). Without scripts the page says all this in microdata, and once more in
/// the data its player starts from.
pub fn of_page(html: &str, wanted: &PostName) -> Option<Post> {
    let pieces = pieces(html);
    let head = Head::read(&pieces);
    let watched = |url: &str| crate::platform::permalink::read(url).and_then(|n| n.post).as_ref() == Some(&wanted.id);
    let own = head.meta(&["identifier", "videoid"]) == Some(&wanted.id)
        || head.links("canonical").any(watched)
        || head.meta(&["og:url"]).is_some_and(watched);
    let title = head.meta(&["og:title", "title", "name"]).filter(|_| own)?;
    let below = started(html, "shortDescription");
    let cut = below.is_none();
    let below = below.or_else(|| head.meta(&["description", "og:description"]).map(str::to_owned)).unwrap_or_default();
    let page = head.links("url").find(|url| url.contains("/@") || url.contains("/channel/")).unwrap_or_default();
    let mut author = author(page, head.links("name").next());
    author.id = author.id.or_else(|| {
        let id = head.meta(&["channelid"]).map(str::to_owned).or_else(|| started(html, "externalChannelId"));
        id.or_else(|| started(html, "channelId")).filter(|id| id.starts_with("UC"))
    });
    Some(Post {
        permalink: watch(&wanted.id),
        author,
        posted: head.meta(&["datepublished", "uploaddate"]).and_then(instant),
        text: [title, below.trim()].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n\n"),
        cut,
        ..Post::bare(wanted.clone())
    })
}

/// A day alone is taken as its noon, UTC: nobody says which hour was meant.
fn instant(text: &str) -> Option<jiff::Timestamp> {
    let text = text.trim();
    let noon = || {
        let day: jiff::civil::Date = text.parse().ok()?;
        Some(day.at(12, 0, 0, 0).to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp())
    };
    text.parse().ok().or_else(noon)
}

/// The first string of that key in the data that a page's player starts from.
fn started(html: &str, key: &str) -> Option<String> {
    let key = format!("\"{key}\":\"");
    let at = memchr::memmem::find(html.as_bytes(), key.as_bytes())? + key.len();
    let rest = html.get(at - 1..)?;
    let mut escaped = false;
    let end = rest.char_indices().skip(1).find_map(|(i, c)| match c {
        _ if escaped => {
            escaped = false;
            None
        }
        '\\' => {
            escaped = true;
            None
        }
        '"' => Some(i),
        _ => None,
    })?;
    serde_json::from_str(rest.get(..=end)?).ok()
}

/// A channel's address holds its handle, or its lasting id.
fn author(url: &str, name: Option<&str>) -> Author {
    let last = url.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    let id = Some(last).filter(|_| url.contains("/channel/UC")).map(str::to_owned);
    Author { handle: last.trim_start_matches('@').to_owned(), name: name.map(str::to_owned), id }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Purpose {
    Oembed,
    Page,
}

/// Reads one video.
#[derive(Debug)]
pub struct PostReader {
    errands: Errands<Purpose>,
    name: PostName,
    read: Read,
}

impl PostReader {
    /// The reader for a video's id of eleven characters.
    pub fn new(id: &str) -> Option<Self> {
        let mut errands = Errands::new();
        let name = name(id)?;
        errands.ask(Purpose::Oembed, get_oembed(id)?);
        Some(Self { errands, name, read: Read::default() })
    }

    fn heard_oembed(&mut self, answer: Result<&Answer, &str>) {
        self.read = match answer {
            Ok(answer) => of_oembed(answer, &self.name),
            Err(why) => Read::ended(State::Unknown, format!("oEmbed gave no answer: {why}")),
        };
        // the page tells nothing of a video that is private or not there
        let told = matches!(self.read.state, Some(State::NotFound | State::Protected | State::RateLimited));
        if let Some(request) = endpoint("https://www.youtube.com/watch", &[("v", &self.name.id)]).filter(|_| !told) {
            self.errands.ask(Purpose::Page, Request::get(request));
        }
    }

    fn heard_page(&mut self, answer: Result<&Answer, &str>) {
        let page = answer.ok().filter(|answer| answer.status == 200).and_then(|answer| {
            let content_type = answer.headers.get("content-type");
            of_page(&decode(&answer.body, content_type.as_deref().unwrap_or("text/html")), &self.name)
        });
        match (page, &mut self.read.post) {
            (Some(page), Some(post)) => {
                // oEmbed names the channel as it is called; the page knows the rest
                let own = std::mem::replace(post, page);
                post.author.handle = own.author.handle;
                post.author.name = own.author.name.or(post.author.name.take());
                post.author.id = own.author.id.or(post.author.id.take());
                post.media = own.media;
                "oEmbed and the watch page".clone_into(&mut self.read.why);
            }
            (Some(page), None) => self.read = Read::post(page, format!("the watch page; {}", self.read.why)),
            (None, _) => self.read.notes.push(
                "oEmbed gives the title and the channel; the date and the words below the video are on the watch page, \
                 which was not shown"
                    .to_owned(),
            ),
        }
    }
}

impl Reader for PostReader {
    fn asks(&mut self) -> Vec<(u32, Request)> {
        self.errands.take()
    }

    fn learn(&mut self, id: u32, answer: Result<&Answer, &str>) {
        match self.errands.settle(id, answer) {
            Some((Purpose::Oembed, _)) => self.heard_oembed(answer),
            Some((Purpose::Page, _)) => self.heard_page(answer),
            None => {}
        }
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

    const OEMBED: &[u8] = include_bytes!("../../../tests/fixtures/other/youtube/oembed.json");

    fn ask(reader: Box<dyn Reader>, status: u16, body: &[u8]) -> Read {
        both(reader, (status, body), (404, b""))
    }

    fn both(mut reader: Box<dyn Reader>, oembed: (u16, &[u8]), page: (u16, &[u8])) -> Read {
        while !reader.done() {
            for (id, request) in reader.asks() {
                let (status, body) = if request.url.path() == "/watch" { page } else { oembed };
                reader.learn(id, Ok(&Answer { status, body: body.to_vec(), ..Answer::default() }));
            }
        }
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

    const WATCH: &str = "<title>Tide over the lower steps - YouTube</title><meta property=og:title content='Tide over the lower steps'>\
        <meta itemprop=identifier content=aB3dE5gH7jK><meta itemprop=datePublished content=2024-05-01T23:30:00-07:00>\
        <link itemprop=url href=http://www.youtube.com/@HarbourBulletin><link itemprop=name content='Harbour Bulletin'>\
        <meta name=description content='Filmed from the...'><script>var ytInitialPlayerResponse = {\"videoDetails\":{\"shortDescription\":\
        \"Filmed from the \\\"old\\\" pier.\\nNo wind.\"},\"externalChannelId\":\"UCabc\"}</script>";

    #[test]
    fn the_watch_page_tells_the_day_the_words_and_whose_channel_it_is() {
        let reader = || Box::new(PostReader::new("aB3dE5gH7jK").unwrap());
        for oembed in [(200, OEMBED), (401, b"Unauthorized".as_slice())] {
            let post = both(reader(), oembed, (200, WATCH.as_bytes())).post.unwrap();
            assert_eq!(post.text, "Tide over the lower steps\n\nFilmed from the \"old\" pier.\nNo wind.");
            assert_eq!((post.author.handle.as_str(), post.author.id.as_deref()), ("HarbourBulletin", Some("UCabc")));
            assert_eq!(post.posted.unwrap().to_string(), "2024-05-02T06:30:00Z");
            assert!(!post.cut);
        }
        let walled = both(reader(), (200, OEMBED), (200, b"<title>Before you continue to YouTube</title>"));
        assert_eq!((walled.post.unwrap().posted, walled.notes.len()), (None, 1));
        let other = WATCH.replace("aB3dE5gH7jK", "zzzzzzzzzzz");
        assert_eq!(both(reader(), (200, OEMBED), (200, other.as_bytes())).post.unwrap().posted, None);
        for broken in ["\"shortDescription\":\"", "\"shortDescription\":\"\\", "\"shortDescription\":\"\\x\""] {
            assert_eq!(started(broken, "shortDescription"), None);
        }
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
