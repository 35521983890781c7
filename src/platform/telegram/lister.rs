//! What a channel posted in a stretch of time, by its public list (`t.me/s/…`, twenty posts a page, 2026). Numbers hold no time, so
//! the page of that stretch is searched for: from numbers whose times are known to the number where the time should be.

use std::borrow::Cow;
use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{address, get_before, get_channel, is_channel, widget};
use crate::format::http::{Answer, Request};
use crate::format::markup::decode;
use crate::platform::errand::{Errands, refusal};
use crate::platform::lister::{Listed, Lister, Shelf, Stretch, is_of};
use crate::platform::post::{Platform, Post, PostName};
use crate::platform::reader::State;
use crate::platform::x::snowflake;

/// Pages asked for at most in one look.
const PAGES: usize = 7;
/// Numbers of one page.
const PAGE: u64 = 20;
/// Prefixes of one stretch of numbers.
const PREFIXES: usize = 2;

/// Lists the posts of one channel.
#[derive(Debug)]
pub struct PostLister {
    /// the number that a page was to stay below; none for the newest page
    errands: Errands<Option<u64>>,
    channel: String,
    stretch: Stretch,
    pages: usize,
    /// every post seen, by its number
    seen: BTreeMap<u64, Post>,
    /// numbers that pages show all posts of: from, and to before
    shown: Vec<(u64, u64)>,
    whole: bool,
    hidden: Option<(State, String)>,
}

impl PostLister {
    /// The lister for a channel's name; none where it cannot be one.
    pub fn new(channel: &str) -> Option<Self> {
        is_channel(channel).then(|| Self {
            errands: Errands::new(),
            channel: channel.to_owned(),
            stretch: Timestamp::UNIX_EPOCH..Timestamp::UNIX_EPOCH,
            pages: 0,
            seen: BTreeMap::new(),
            shown: Vec::new(),
            whole: false,
            hidden: None,
        })
    }

    /// The last number known to be before the stretch, and the first known to be behind it.
    fn around(&self, stretch: &Stretch) -> (u64, u64) {
        let at = |post: &Post| post.posted;
        let before = self.seen.iter().rev().find(|(_, post)| at(post).is_some_and(|at| at < stretch.start));
        let behind = self.seen.iter().find(|(_, post)| at(post).is_some_and(|at| at >= stretch.end));
        (before.map_or(0, |(number, _)| *number), behind.map_or(u64::MAX, |(number, _)| *number))
    }

    /// The highest number below `to`, and above `from`, that no page has shown the whole of; none where all are shown.
    fn gap(&self, from: u64, to: u64) -> Option<u64> {
        let mut end = to;
        while end > from + 1 {
            match self.shown.iter().find(|(first, behind)| *first < end && end <= *behind) {
                Some((first, _)) => end = *first,
                None => return Some(end),
            }
        }
        None
    }

    /// Asks for the page that tells most, or ends the look.
    fn go_on(&mut self) {
        let (from, to) = self.around(&self.stretch);
        let Some(gap) = self.gap(from, to) else {
            self.whole = true;
            return;
        };
        if self.pages >= PAGES {
            return;
        }
        let inside = self.seen.range(from + 1..to).next().is_some();
        let below = match gap {
            u64::MAX => None,
            // by the time of its neighbours, unless a post of the stretch is at hand already
            gap if !inside => Some(self.guess(from, to).map_or(gap, |guess| guess.clamp(from + 2, gap))),
            gap => Some(gap),
        };
        let request = match below {
            None => get_channel(&self.channel),
            Some(number) => get_before(&self.channel, number),
        };
        if let Some(request) = request {
            self.pages += 1;
            self.errands.ask(below, request);
        }
    }

    /// Half a page behind the number where the stretch should end, as the channel posted evenly between the posts known on both
    /// sides; before the first of them, as it posted since.
    fn guess(&self, from: u64, to: u64) -> Option<u64> {
        let point = |number: u64| Some((number as f64, self.seen.get(&number)?.posted?.as_second() as f64));
        let behind = point(to)?;
        let other =
            point(from).or_else(|| point(*self.seen.keys().next_back()?)).filter(|other| other.0 != behind.0)?;
        let wanted = self.stretch.end.as_second() as f64;
        let pace = (behind.0 - other.0) / (behind.1 - other.1);
        let number = behind.0 - pace * (behind.1 - wanted) + PAGE as f64 / 2.0;
        // without a post on the other side the first page of all is as good a second point as any
        number.is_finite().then_some(if number < 1.0 { PAGE + 1 } else { number as u64 })
    }

    fn heard_page(&mut self, answer: Result<&Answer, &str>, below: Option<u64>) {
        let (posts, is_list) = match page(answer) {
            Ok(html) => (widget::list(&html), html.contains("tgme_channel_")),
            Err(hidden) => {
                self.hidden.get_or_insert(hidden);
                return;
            }
        };
        let numbered = |post: Post| {
            let (channel, number) = address(&post.name.id)?;
            Some((number.parse::<u64>().ok().filter(|_| channel.eq_ignore_ascii_case(&self.channel))?, post))
        };
        let own: BTreeMap<u64, Post> = posts.into_iter().filter_map(numbered).collect();
        let end = below.unwrap_or(u64::MAX);
        match own.keys().next() {
            Some(first) => self.shown.push((*first, end)),
            // below the channel's first post there is nothing
            None if below.is_some() && is_list => self.shown.push((0, end)),
            None => {
                let why = "t.me shows no list of this channel: its preview is off, or it is none";
                self.hidden.get_or_insert((State::Unknown, why.to_owned()));
                return;
            }
        }
        self.seen.extend(own);
        self.go_on();
    }
}

fn page<'a>(answer: Result<&'a Answer, &str>) -> Result<Cow<'a, str>, (State, String)> {
    let answer = answer.map_err(|why| (State::Unknown, format!("t.me gave no answer: {why}")))?;
    match answer.status {
        200 => Ok(html(answer)),
        status => Err((refusal(status), format!("t.me answered with status {status}"))),
    }
}

fn html(answer: &Answer) -> Cow<'_, str> {
    decode(&answer.body, answer.headers.get("content-type").as_deref().unwrap_or("text/html"))
}

impl Lister for PostLister {
    fn look(&mut self, stretch: Stretch) {
        self.stretch = stretch;
        (self.pages, self.whole, self.hidden) = (0, false, None);
        self.go_on();
    }

    fn asks(&mut self) -> Vec<(u32, Request)> {
        self.errands.take()
    }

    fn learn(&mut self, id: u32, answer: Result<&Answer, &str>) {
        if let Some((below, _)) = self.errands.settle(id, answer) {
            self.heard_page(answer, below);
        }
    }

    fn done(&self) -> bool {
        self.errands.idle()
    }

    fn heard(&mut self) -> Listed {
        let posts: Vec<Post> = self.seen.values().filter(|post| is_of(post, &self.stretch)).cloned().collect();
        match self.hidden.take() {
            Some((state, why)) if self.shown.is_empty() => Listed::none(state, why),
            _ => Listed { posts, whole: self.whole, state: None, why: "the channel's list".to_owned() },
        }
    }

    /// Posts by their numbers, where the list tells which are of the stretch; else lists of then.
    fn shelf(&self, stretch: &Stretch) -> Shelf {
        let (from, to) = self.around(stretch);
        let channel = &self.channel;
        let known = from > 0 && to < u64::MAX;
        let numbers = snowflake::prefixes(&(from + 1..=to.saturating_sub(1)), PREFIXES).into_iter().filter(|_| known);
        let mut posts: Vec<String> = numbers.map(|prefix| format!("t.me/{channel}/{prefix}*")).collect();
        posts.truncate(PREFIXES);
        Shelf { posts, lists: vec![format!("t.me/s/{channel}*")] }
    }

    fn may_be(&self, name: &PostName, stretch: &Stretch) -> bool {
        let own = address(&name.id)
            .filter(|(channel, _)| name.platform == Platform::Telegram && channel.eq_ignore_ascii_case(&self.channel));
        let (from, to) = self.around(stretch);
        own.and_then(|(_, number)| number.parse().ok()).is_some_and(|number: u64| number > from && number < to)
    }

    fn on_list(&self, answer: &Answer) -> Vec<Post> {
        let own = |post: &Post| post.author.handle.eq_ignore_ascii_case(&self.channel);
        widget::list(&html(answer)).into_iter().filter(own).collect()
    }
}
