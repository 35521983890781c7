//! What a channel of YouTube published in a stretch of time, by the feed of its videos (www.youtube.com/feeds/videos.xml, 2026): the
//! fifteen newest, and no way to ask for those before them.

use super::{Author, ProfileReader, instant, name, watch};
use crate::format::http::{Answer, Request};
use crate::format::markup::decode;
use crate::platform::atom;
use crate::platform::errand::{Errands, endpoint, refusal};
use crate::platform::lister::{Listed, Lister, Shelf, Stretch, is_of};
use crate::platform::post::{Post, PostName};
use crate::platform::reader::{Reader, State};

/// Videos in a feed.
const FEED: usize = 15;
/// The number of the feed's own request; the channel's page has those of its reader.
const OWN: u32 = 1 << 16;

/// Lists the videos of one channel.
#[derive(Debug)]
pub struct PostLister {
    handle: String,
    /// who it is, where its handle says not
    channel: Option<Box<ProfileReader>>,
    id: Option<String>,
    display: Option<String>,
    errands: Errands<()>,
    stretch: Stretch,
    seen: Vec<Post>,
    told: bool,
    hidden: Option<(State, String)>,
}

impl PostLister {
    /// The lister for a channel's handle or lasting id; none where it can be neither.
    pub fn new(handle: &str) -> Option<Self> {
        let channel = ProfileReader::new(handle)?;
        let lasting = handle.len() == 24 && handle.starts_with("UC");
        Some(Self {
            handle: handle.to_owned(),
            channel: (!lasting).then(|| Box::new(channel)),
            id: lasting.then(|| handle.to_owned()),
            display: None,
            errands: Errands::new(),
            stretch: jiff::Timestamp::UNIX_EPOCH..jiff::Timestamp::UNIX_EPOCH,
            seen: Vec::new(),
            told: false,
            hidden: None,
        })
    }

    fn ask_feed(&mut self) {
        let Some(id) = &self.id else { return };
        if let Some(url) = endpoint("https://www.youtube.com/feeds/videos.xml", &[("channel_id", id)]) {
            self.errands.ask((), Request::get(url));
        }
    }

    fn heard_channel(&mut self) {
        let Some(reader) = self.channel.take_if(|reader| reader.done()) else { return };
        let read = reader.finish();
        self.display = read.author.as_ref().and_then(|author| author.name.clone());
        match read.author.and_then(|author| author.id) {
            Some(id) => {
                self.id = Some(id);
                self.ask_feed();
            }
            None => self.hidden = Some((read.state.unwrap_or(State::Unknown), read.why)),
        }
    }

    fn heard_feed(&mut self, answer: Result<&Answer, &str>) {
        match answer {
            Ok(answer) if answer.status == 200 => {
                self.told = true;
                self.seen = self.on_list(answer);
            }
            Ok(answer) => {
                let why = format!("the feed of the channel's videos answered with status {}", answer.status);
                self.hidden = Some((refusal(answer.status), why));
            }
            Err(why) => self.hidden = Some((State::Unknown, format!("the feed of the channel's videos: {why}"))),
        }
    }

    fn video(&self, entry: &atom::Entry) -> Option<Post> {
        let id = entry.id.trim().strip_prefix("yt:video:")?;
        let text = [entry.title.trim(), entry.content.trim()];
        Some(Post {
            permalink: watch(id),
            author: Author {
                handle: self.handle.clone(),
                name: Some(entry.author.trim().to_owned()).filter(|name| !name.is_empty()).or(self.display.clone()),
                id: self.id.clone(),
            },
            posted: instant(&entry.published),
            text: text.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n\n"),
            ..Post::bare(name(id)?)
        })
    }
}

impl Lister for PostLister {
    fn look(&mut self, stretch: Stretch) {
        self.stretch = stretch;
        if !self.told && self.hidden.is_none() {
            self.ask_feed();
        }
    }

    fn asks(&mut self) -> Vec<(u32, Request)> {
        let mut asks = self.channel.as_mut().map(|reader| reader.asks()).unwrap_or_default();
        asks.extend(self.errands.take().into_iter().map(|(id, request)| (OWN | id, request)));
        asks
    }

    fn learn(&mut self, id: u32, answer: Result<&Answer, &str>) {
        if id & OWN != 0 {
            if self.errands.settle(id & !OWN, answer).is_some() {
                self.heard_feed(answer);
            }
        } else if let Some(channel) = &mut self.channel {
            channel.learn(id, answer);
            self.heard_channel();
        }
    }

    fn done(&self) -> bool {
        self.errands.idle() && self.channel.as_ref().is_none_or(|reader| reader.done())
    }

    fn heard(&mut self) -> Listed {
        if let Some((state, why)) = self.hidden.clone() {
            return Listed::none(state, why);
        }
        let posts = self.seen.iter().filter(|post| is_of(post, &self.stretch)).cloned().collect();
        let earlier = self.seen.iter().filter_map(|post| post.posted).any(|at| at < self.stretch.start);
        let whole = self.told && (earlier || self.seen.len() < FEED);
        Listed { posts, whole, state: None, why: "the feed of the channel's newest videos".to_owned() }
    }

    /// A video's address does not name its channel; feeds that archives keep do list them.
    fn shelf(&self, _: &Stretch) -> Shelf {
        let feed = |id: &String| format!("youtube.com/feeds/videos.xml?channel_id={id}");
        Shelf { posts: Vec::new(), lists: self.id.iter().map(feed).collect() }
    }

    fn may_be(&self, _: &PostName, _: &Stretch) -> bool {
        false
    }

    fn on_list(&self, answer: &Answer) -> Vec<Post> {
        let xml = decode(&answer.body, "charset=utf-8");
        let entries = atom::entries(&xml, 10 * FEED);
        entries.iter().filter_map(|entry| self.video(entry)).collect()
    }
}
