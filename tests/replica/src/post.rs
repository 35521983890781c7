//! A post on X as the platform holds it, and every form in which it is shown.

use jiff::Timestamp;

use crate::calendar;
use crate::hosts::wayback::Capture;
use crate::pixels;
use crate::world::World;

pub mod legacy;
pub mod oembed;
pub mod result;

/// A post to be added.
#[derive(Debug, Clone)]
pub struct NewPost {
    /// The handle, without `@`.
    pub handle: String,
    /// The display name.
    pub name: String,
    /// The words, with the t.co links that stand in them; a photo's own link is added at the end.
    pub text: String,
    /// When it was made; the id follows.
    pub at: Timestamp,
    /// The language it is labelled with.
    pub lang: String,
    /// The author's permanent number; made from the handle when none is given.
    pub user_id: Option<u64>,
    /// The codes in the words, and where each leads.
    pub links: Vec<(String, String)>,
    /// The code of its photos' link (`pic.twitter.com/CODE`), and how many photos there are.
    pub photos: Option<(String, usize)>,
    /// The code of its video's link.
    pub video: Option<String>,
    /// When its media were uploaded; twenty seconds before it when none is given.
    pub uploaded: Option<Timestamp>,
    /// The post it quotes.
    pub quotes: Option<u64>,
    /// The post it answers.
    pub answers: Option<u64>,
    /// The version it replaces, itself already in the world.
    pub replaces: Option<u64>,
    /// The whole text, where `text` is only its beginning (a note).
    pub note: Option<String>,
    /// When the web archive took it, and in which form.
    pub archived: Vec<(Timestamp, Archived)>,
    /// The handle it was archived under, where the author has changed it since.
    pub former_handle: Option<String>,
    /// What became of it.
    pub state: State,
    /// The last 22 bits of its id.
    pub low: u64,
}

impl Default for NewPost {
    fn default() -> NewPost {
        NewPost {
            handle: String::new(),
            name: String::new(),
            text: String::new(),
            at: Timestamp::UNIX_EPOCH,
            lang: "en".into(),
            user_id: None,
            links: vec![],
            photos: None,
            video: None,
            uploaded: None,
            quotes: None,
            answers: None,
            replaces: None,
            note: None,
            archived: vec![],
            former_handle: None,
            state: State::Live,
            low: 0x5000,
        }
    }
}

/// The form in which the web archive holds a post (PLATFORMS 6.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Archived {
    /// The HTML of before 2020.
    LegacyHtml,
    /// The v1.1 JSON of a stream.
    StreamJson,
    /// The JSON of API v2.
    ApiV2Json,
    /// The pages of 2022, with microdata.
    Microdata,
    /// A page that is nothing without its script.
    Shell,
}

/// What became of a post.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It is there.
    Live,
    /// Its author deleted it.
    Deleted,
    /// Its account is suspended.
    Suspended,
    /// Its account shows its posts to followers only.
    Protected,
    /// It asks for an age.
    AgeRestricted,
    /// It is there, but not shown to who is not logged in.
    Withheld,
    /// The same, the tombstone without its field.
    WithheldBare,
    /// 200 and `{}`.
    Empty,
    /// There never was one.
    Never,
}

/// A post in the world.
#[derive(Debug, Clone)]
pub struct Post {
    /// Its id.
    pub id: u64,
    /// When it was made: the id's own time.
    pub at: Timestamp,
    /// What was asked for, its text with every link in it.
    pub made: NewPost,
    /// The author's permanent number.
    pub user_id: u64,
    /// The names of its photos' files, without extension.
    pub media: Vec<String>,
    /// Every version of it, the oldest first.
    pub versions: Vec<u64>,
}

impl Post {
    /// `https://x.com/HANDLE/status/ID`, or on twitter.com before 2024.
    pub fn permalink(&self) -> String {
        format!("{}/{}/status/{}", self.origin(), self.made.handle, self.id)
    }

    /// Where links of its time led.
    pub fn origin(&self) -> &'static str {
        if self.at < calendar::at("2024-05-17T00:00:00Z") { "https://twitter.com" } else { "https://x.com" }
    }

    /// `pic.twitter.com`, or `pic.x.com` in posts since 2024.
    pub fn pic_host(&self) -> &'static str {
        if self.at < calendar::at("2024-05-17T00:00:00Z") { "pic.twitter.com" } else { "pic.x.com" }
    }

    /// The code of its photos or video, and where it leads.
    pub fn media_link(&self) -> Option<(&str, String)> {
        let photos = self.made.photos.as_ref().map(|(code, _)| (code.as_str(), "photo"));
        let video = self.made.video.as_ref().map(|code| (code.as_str(), "video"));
        photos.or(video).map(|(code, kind)| (code, format!("{}/{kind}/1", self.permalink())))
    }

    /// The text as a page that embeds the post shows it, where scripts do not run: what statements are quoted from.
    pub fn remnant(&self) -> String {
        let mut text = self.made.text.clone();
        if let Some((code, _)) = self.media_link() {
            text = text.replace(&format!("https://t.co/{code}"), &format!("{}/{code}", self.pic_host()));
        }
        format!("{text} — {} (@{}) {}", self.made.name, self.made.handle, calendar::long(self.at))
    }

    /// Whether this is not the last of its versions.
    pub fn is_stale(&self) -> bool {
        self.versions.last() != Some(&self.id)
    }

    /// The text with its HTML escaped, as X's JSON has it.
    pub fn escaped(&self) -> String {
        escape(&self.made.text)
    }
}

/// `&`, `<` and `>` as X escapes them.
pub fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// The same inside an attribute.
pub fn attribute(text: &str) -> String {
    escape(text).replace('"', "&quot;")
}

/// A JSON string.
pub fn quote(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

impl World {
    /// Adds a post with everything that shows it: tweet-result, oEmbed, codes, media, captures. Its id comes back.
    pub fn add_post(&mut self, mut made: NewPost) -> u64 {
        let id = calendar::snowflake(made.at, made.low);
        let user_id = made.user_id.unwrap_or_else(|| 100_000_000 + pixels::hash(&made.handle) % 2_000_000_000);
        let tail = made.photos.as_ref().map(|(code, _)| code).or(made.video.as_ref());
        if let Some(code) = tail {
            made.text = format!("{} https://t.co/{code}", made.text);
        }
        for (code, target) in &made.links {
            self.code(code, target);
        }
        let media = media_names(&made);
        let mut versions = made.replaces.and_then(|old| self.posts.get(&old)).map_or(vec![], |p| p.versions.clone());
        versions.push(id);
        for old in &versions {
            if let Some(post) = self.posts.get_mut(old) {
                post.versions.clone_from(&versions);
            }
        }
        let post = Post { id, at: calendar::snowflake_time(id), made, user_id, media, versions };
        if let Some((code, target)) = post.media_link() {
            let code = code.to_owned();
            self.code(&code, &target);
        }
        for capture in captures(&post) {
            self.capture(capture);
        }
        self.posts.insert(id, post);
        id
    }

    /// Keeps an account's profile page in the web archive, with its permanent number.
    pub fn archive_profile(&mut self, handle: &str, at: Timestamp) {
        let post = self
            .posts
            .values()
            .find(|post| post.made.former_handle.as_deref().unwrap_or(&post.made.handle).eq_ignore_ascii_case(handle));
        let Some(page) = post.map(|post| legacy::profile(handle, post)) else { return };
        let url = format!("https://twitter.com/{handle}");
        self.capture(Capture::new(&url, at, "text/html", 200, page.into_bytes()));
    }

    /// Changes what became of a post.
    pub fn set_state(&mut self, id: u64, state: State) {
        if let Some(post) = self.posts.get_mut(&id) {
            post.made.state = state;
        }
    }

    /// Gives every post of an account a new handle and name; the number stays.
    pub fn rename(&mut self, handle: &str, new_handle: &str, new_name: &str) {
        for post in self.posts.values_mut().filter(|post| post.made.handle.eq_ignore_ascii_case(handle)) {
            post.made.handle = new_handle.to_owned();
            post.made.name = new_name.to_owned();
        }
    }

    /// Adds a later version of a post (an edit): a new id, in one chain with the old.
    pub fn edit_post(&mut self, id: u64, at: Timestamp, text: &str) -> Option<u64> {
        let old = self.posts.get(&id)?.made.clone();
        let made = NewPost {
            text: text.to_owned(),
            at,
            photos: None,
            video: None,
            replaces: Some(id),
            archived: vec![],
            ..old
        };
        Some(self.add_post(made))
    }
}

/// Upload snowflakes: twenty seconds before the post, and a little apart.
fn media_names(made: &NewPost) -> Vec<String> {
    let count = made.photos.as_ref().map_or(usize::from(made.video.is_some()), |(_, count)| *count);
    let name = |n: usize| {
        let before = jiff::SignedDuration::from_millis(20_000 - 1_500 * i64::try_from(n).unwrap_or(0));
        let at = made.uploaded.unwrap_or_else(|| made.at.checked_sub(before).unwrap_or(made.at));
        let upload = calendar::snowflake(at, 0x5_0000 + n as u64);
        let noise = pixels::noise(&format!("{}{n}", made.handle), 3);
        calendar::media_name(upload, [0x40 | noise.first().copied().unwrap_or(0) & 0x3f, 0x51, 0x77])
    };
    (0..count).map(name).collect()
}

fn captures(post: &Post) -> Vec<Capture> {
    let handle = post.made.former_handle.as_ref().unwrap_or(&post.made.handle);
    let mut seen = post.clone();
    seen.made.handle.clone_from(handle);
    let permalink = format!("https://twitter.com/{handle}/status/{}", post.id);
    let taken = post.made.archived.iter().map(|(at, form)| {
        let (mime, payload) = match form {
            Archived::LegacyHtml => ("text/html", legacy::html(&seen)),
            Archived::StreamJson => ("application/json", legacy::stream_json(&seen)),
            Archived::ApiV2Json => ("application/json", legacy::v2_json(&seen)),
            Archived::Microdata => ("text/html", legacy::microdata(&seen)),
            Archived::Shell => ("text/html", crate::hosts::x::SHELL.to_owned()),
        };
        Capture::new(&permalink, *at, mime, 200, payload.into_bytes())
    });
    let mut all: Vec<Capture> = taken.collect();
    let first = post.made.archived.first().map(|(at, _)| *at);
    if let (Some((code, target)), Some(at)) = (post.media_link(), first) {
        all.push(Capture::redirect(&format!("https://t.co/{code}"), at, 301, &target));
    }
    if let Some(at) = first {
        for (code, target) in &post.made.links {
            all.push(Capture::redirect(&format!("https://t.co/{code}"), at, 301, target));
        }
    }
    all
}
