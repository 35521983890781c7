//! Reads one post of X without a login: the syndication endpoint for the post, oEmbed as a second witness, and for long
//! posts, which both cut, a front end that has all the words.

use serde_json::Value;
use url::Url;

use crate::format::http::{Answer, Request};
use crate::format::markup;
use crate::format::query;
use crate::platform::post::Post;
use crate::platform::reader::{Read, Reader, State};
use crate::platform::secret::Secret;
use crate::platform::x::answer::{self, Said};
use crate::platform::x::{embed, legacy, token};

const SYNDICATION: u32 = 0;
const OEMBED: u32 = 1;
const FRONT_END: u32 = 2;
const API: u32 = 3;
/// Redirects of oEmbed between its two homes get numbers of their own.
const MOVED: u32 = 10;

/// The reader of one post.
#[derive(Debug)]
pub struct XReader {
    id: String,
    witness: bool,
    queue: Vec<(u32, Request)>,
    waiting: Vec<u32>,
    syndication: Option<Said>,
    oembed: Option<Said>,
    front_end: Option<Said>,
    api: Option<Said>,
    moved: u32,
    notes: Vec<String>,
}

impl XReader {
    /// A reader for the post `id`. With `witness`, oEmbed is asked too.
    pub fn new(id: &str, witness: bool) -> Self {
        let mut reader = Self {
            id: id.to_owned(),
            witness,
            queue: Vec::new(),
            waiting: Vec::new(),
            syndication: None,
            oembed: None,
            front_end: None,
            api: None,
            moved: 0,
            notes: Vec::new(),
        };
        reader.ask(SYNDICATION, &syndication_url(id));
        if witness {
            reader.ask(OEMBED, &oembed_url(id));
        }
        reader
    }

    /// The same with a user's own bearer token: the API is asked too. The token goes into that one request.
    #[must_use]
    pub fn with_bearer(mut self, bearer: Option<&Secret>) -> Self {
        if let (Some(bearer), Ok(url)) = (bearer, Url::parse(&api_url(&self.id))) {
            let request = Request::get(url).with("Authorization", &format!("Bearer {}", bearer.reveal()));
            self.queue.push((API, request));
        }
        self
    }

    fn ask(&mut self, number: u32, url: &str) {
        if let Ok(url) = Url::parse(url) {
            self.queue.push((number, Request::get(url)));
        }
    }

    fn oembed_moved(&mut self, answer: &Answer) {
        let to = answer.headers.get("location").and_then(|to| Url::parse(&to).ok());
        let home = to.filter(|to| matches!(to.host_str(), Some("publish.x.com" | "publish.twitter.com")));
        match home {
            // the two homes have pointed at each other by turns since 2024
            Some(to) if self.moved < 2 => {
                self.moved += 1;
                self.queue.push((MOVED + self.moved, Request::get(to)));
            }
            _ => self.notes.push("oEmbed redirects elsewhere".to_owned()),
        }
    }

    fn hear(&mut self, number: u32, answer: &Answer) {
        if number == API {
            self.api = Some(json_post(answer, &self.id, "the API"));
        } else if number == OEMBED || number > MOVED {
            if (300..400).contains(&answer.status) {
                return self.oembed_moved(answer);
            }
            self.oembed = Some(oembed(answer, &self.id));
        } else if number == FRONT_END {
            self.front_end = Some(json_post(answer, &self.id, "the front end"));
        } else {
            let said = json_post(answer, &self.id, "the syndication endpoint");
            let cut = matches!(&said, Said::Post(post) if post.cut);
            let silent = matches!(&said, Said::Not(State::Unknown | State::ServerError, _));
            self.syndication = Some(said);
            if cut || silent {
                let url = format!("https://api.fxtwitter.com/status/{}", self.id);
                self.ask(FRONT_END, &url);
            }
        }
    }
}

/// Where the syndication endpoint tells of a post.
pub fn syndication_url(id: &str) -> String {
    format!("https://cdn.syndication.twimg.com/tweet-result?id={id}&lang=en&token={}", token::of(id))
}

/// Where the API does, for who has a token (v2; no free reading since 2026-02-06).
pub fn api_url(id: &str) -> String {
    let fields = "author_id,created_at,edit_history_tweet_ids,entities,lang,note_tweet,referenced_tweets";
    format!(
        "https://api.x.com/2/tweets/{id}?tweet.fields={fields}&expansions=author_id,attachments.media_keys\
         &user.fields=name,username&media.fields=alt_text,type,url,variants"
    )
}

/// Where oEmbed does; a URL without handle is answered with the author's own.
pub fn oembed_url(id: &str) -> String {
    let url = query::encode(&format!("https://x.com/i/status/{id}"));
    format!("https://publish.x.com/oembed?url={url}&omit_script=1&dnt=true")
}

impl Reader for XReader {
    fn asks(&mut self) -> Vec<(u32, Request)> {
        let asks = std::mem::take(&mut self.queue);
        self.waiting.extend(asks.iter().map(|(number, _)| *number));
        asks
    }

    fn learn(&mut self, id: u32, answer: Result<&Answer, &str>) {
        self.waiting.retain(|waiting| *waiting != id);
        match answer {
            Ok(answer) => self.hear(id, answer),
            Err(why) => {
                self.notes.push(format!("{} gave no answer: {why}", place(id)));
                if id == SYNDICATION {
                    self.syndication = Some(Said::Not(State::Unknown, format!("{} gave no answer: {why}", place(id))));
                }
            }
        }
    }

    fn done(&self) -> bool {
        self.queue.is_empty() && self.waiting.is_empty()
    }

    fn finish(self: Box<Self>) -> Read {
        let mut read = conclude(self.syndication, self.oembed, self.front_end);
        if let Some(api) = self.api {
            read = beside_api(read, api);
        }
        read.notes.splice(0..0, self.notes);
        if self.witness && read.post.is_some() && read.why == SYNDICATION_SAYS {
            read.notes.push("oEmbed did not confirm the post".to_owned());
        }
        read
    }
}

/// What the API says to who has a token: it stands where nothing else shows the post, and else confirms or completes it.
fn beside_api(mut read: Read, api: Said) -> Read {
    match (api, &mut read.post) {
        (Said::Post(own), None) => {
            let mut all = Read::post(*own, format!("read from the platform's API with the user's token; {}", read.why));
            all.notes = read.notes;
            all
        }
        (Said::Post(own), Some(post)) => {
            if post.cut && !own.cut && own.text.len() > post.text.len() {
                post.text = own.text;
                post.cut = false;
                read.notes.push("the end of this long post was read from the platform's API".to_owned());
            }
            read
        }
        (Said::Not(_, why), _) => {
            read.notes.push(why);
            read
        }
    }
}

fn place(number: u32) -> &'static str {
    match number {
        SYNDICATION => "the syndication endpoint",
        FRONT_END => "the front end",
        API => "the API",
        _ => "oEmbed",
    }
}

const SYNDICATION_SAYS: &str = "read from the platform's syndication answer";
const BOTH_SAY: &str = "read from the platform's syndication answer, and oEmbed says the same";

fn conclude(syndication: Option<Said>, oembed: Option<Said>, front_end: Option<Said>) -> Read {
    let whole = match front_end {
        Some(Said::Post(post)) => Some(post),
        _ => None,
    };
    match (syndication, oembed) {
        (Some(Said::Post(post)), witness) => live(*post, witness, whole),
        (syndication, Some(Said::Post(post))) => {
            let why = match syndication {
                Some(Said::Not(_, why)) => format!("read from the platform's oEmbed answer; {why}"),
                _ => "read from the platform's oEmbed answer".to_owned(),
            };
            let mut read = Read::post(*post, why);
            if let Some(whole) = whole {
                complete(&mut read, *whole);
            }
            read
        }
        (Some(Said::Not(State::Unknown | State::ServerError, why)), _) if whole.is_some() => {
            let why = format!("read from the front end api.fxtwitter.com; {why}");
            let notes = vec!["the post was read from a front end, not from the platform".to_owned()];
            Read { post: whole.map(|post| *post), why, notes, ..Read::default() }
        }
        (Some(Said::Not(State::Unknown | State::Withheld, _)), Some(Said::Not(state @ State::Protected, why))) => {
            Read::ended(state, why)
        }
        (Some(Said::Not(State::Unknown, first)), Some(Said::Not(state, why))) if state != State::Unknown => {
            Read::ended(state, format!("{why}; {first}"))
        }
        (Some(Said::Not(state, why)), _) | (None, Some(Said::Not(state, why))) => Read::ended(state, why),
        (None, None) => Read::ended(State::Unknown, "the platform was not asked"),
    }
}

fn live(post: Post, witness: Option<Said>, whole: Option<Box<Post>>) -> Read {
    let mut read = Read::post(post, SYNDICATION_SAYS);
    if let (Some(Said::Post(other)), Some(post)) = (&witness, &read.post) {
        let squeeze = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        let same = squeeze(&other.text) == squeeze(&post.text) && other.author.handle == post.author.handle;
        if same {
            read.why = BOTH_SAY.to_owned();
        } else {
            read.why = "read from the platform's syndication answer; oEmbed shows other words".to_owned();
            read.notes.push(format!("oEmbed shows: {}", other.text));
        }
    }
    if let Some(whole) = whole {
        complete(&mut read, *whole);
    }
    read
}

/// Long posts come cut; the front end's words are taken where they begin as the platform's do.
fn complete(read: &mut Read, whole: Post) {
    let Some(post) = read.post.as_mut().filter(|post| post.cut) else { return };
    let start = post.text.split('…').next().unwrap_or_default().trim();
    if whole.name == post.name && whole.text.len() > start.len() && whole.text.starts_with(start) {
        post.text = whole.text;
        post.cut = false;
        read.notes.push("the end of this long post was read from the front end api.fxtwitter.com".to_owned());
    }
}

fn by_status(answer: &Answer, from: &str) -> Said {
    let state = match answer.status {
        404 | 400 => State::NotFound,
        410 => State::Gone,
        401 => State::LoginGated,
        403 => State::Blocked,
        429 => State::RateLimited,
        451 => State::Withheld,
        500.. => State::ServerError,
        _ => State::Unknown,
    };
    Said::Not(state, format!("{from} answered {}", answer.status))
}

fn json_post(answer: &Answer, id: &str, from: &str) -> Said {
    let json: Option<Value> = serde_json::from_slice(&answer.body).ok();
    let said = json.as_ref().and_then(answer::read);
    match said {
        Some(Said::Post(post)) if post.name.id != id => {
            Said::Not(State::Unknown, format!("{from} answered with another post, {}", post.name))
        }
        Some(said) => said,
        None if answer.status == 200 => Said::Not(State::Unknown, format!("{from} answered in no known shape")),
        None => by_status(answer, from),
    }
}

fn oembed(answer: &Answer, id: &str) -> Said {
    let json: Option<Value> = serde_json::from_slice(&answer.body).ok();
    match json.as_ref().and_then(embed::read) {
        Some(post) if post.name.id == id => Said::Post(Box::new(post)),
        Some(post) => Said::Not(State::Unknown, format!("oEmbed answered with another post, {}", post.name)),
        None if answer.status == 403 && json.is_some() => {
            Said::Not(State::Protected, "oEmbed answered that we are not authorized to see this status".to_owned())
        }
        None => by_status(answer, "oEmbed"),
    }
}

/// A post out of a stored body, whichever shape an archive kept of it.
pub fn archived(body: &[u8], content_type: &str, id: &str) -> Option<Post> {
    if let Ok(json) = serde_json::from_slice::<Value>(body) {
        let said = answer::read(&json);
        let post = match said {
            Some(Said::Post(post)) => Some(*post),
            _ => embed::read(&json),
        };
        return post.filter(|post| post.name.id == id);
    }
    legacy::read(&markup::decode(body, content_type), Some(id))
}
