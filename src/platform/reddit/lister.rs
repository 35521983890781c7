//! What an account of Reddit posted in a stretch of time, by the feed of its posts (www.reddit.com/user/NAME/submitted/.rss, 2026):
//! the newest hundred first, and those before them.

use super::{feed, get_submitted, page, readable};
use crate::format::http::{Answer, Request};
use crate::format::markup::decode;
use crate::platform::errand::Errands;
use crate::platform::lister::{Listed, Lister, Shelf, Stretch, is_of};
use crate::platform::post::{Post, PostName};
use crate::platform::reader::State;

/// Pages asked for at most in one look.
const PAGES: usize = 3;

/// Lists the posts of one account.
#[derive(Debug)]
pub struct PostLister {
    errands: Errands<()>,
    user: String,
    stretch: Stretch,
    pages: usize,
    /// every post seen, the newest first: what one look passed by, the next may want
    seen: Vec<Post>,
    /// the feed gave its last post
    ended: bool,
    hidden: Option<(State, String)>,
}

impl PostLister {
    /// The lister for an account's name; none where it cannot be one.
    pub fn new(user: &str) -> Option<Self> {
        let sound = (3..=24).contains(&user.len())
            && user.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'));
        sound.then(|| Self {
            errands: Errands::new(),
            user: user.to_owned(),
            stretch: jiff::Timestamp::UNIX_EPOCH..jiff::Timestamp::UNIX_EPOCH,
            pages: 0,
            seen: Vec::new(),
            ended: false,
            hidden: None,
        })
    }

    /// Whether the posts seen go back to before the stretch.
    fn reaches(&self) -> bool {
        self.ended || self.seen.last().and_then(|post| post.posted).is_some_and(|at| at < self.stretch.start)
    }

    fn go_on(&mut self) {
        if self.reaches() || self.pages >= PAGES {
            return;
        }
        let after = self.seen.last().map(|post| format!("t3_{}", post.name.id));
        if let Some(request) = get_submitted(&self.user, after.as_deref()) {
            self.pages += 1;
            self.errands.ask((), request);
        }
    }
}

impl Lister for PostLister {
    fn look(&mut self, stretch: Stretch) {
        self.stretch = stretch;
        (self.pages, self.hidden) = (0, None);
        self.go_on();
    }

    fn asks(&mut self) -> Vec<(u32, Request)> {
        self.errands.take()
    }

    fn learn(&mut self, id: u32, answer: Result<&Answer, &str>) {
        if self.errands.settle(id, answer).is_none() {
            return;
        }
        match readable(answer, "the account's feed") {
            Ok(answer) => {
                let posts = feed::list(&decode(&answer.body, "charset=utf-8"));
                let new = posts.into_iter().filter(|post| !self.seen.iter().any(|seen| seen.name == post.name));
                let new: Vec<Post> = new.filter(|post| post.author.handle.eq_ignore_ascii_case(&self.user)).collect();
                self.ended = new.is_empty();
                self.seen.extend(new);
                self.go_on();
            }
            Err(hidden) => self.hidden = Some(hidden),
        }
    }

    fn done(&self) -> bool {
        self.errands.idle()
    }

    fn heard(&mut self) -> Listed {
        let posts: Vec<Post> = self.seen.iter().filter(|post| is_of(post, &self.stretch)).cloned().collect();
        match self.hidden.take() {
            Some((state, why)) if self.seen.is_empty() => Listed::none(state, why),
            _ => {
                Listed { posts, whole: self.reaches(), state: None, why: "the feed of the account's posts".to_owned() }
            }
        }
    }

    /// A post's address does not name its author; the pages of accounts that archives keep do list them.
    fn shelf(&self, _: &Stretch) -> Shelf {
        let user = &self.user;
        Shelf {
            posts: Vec::new(),
            lists: vec![format!("reddit.com/user/{user}*"), format!("old.reddit.com/user/{user}*")],
        }
    }

    fn may_be(&self, _: &PostName, _: &Stretch) -> bool {
        false
    }

    fn on_list(&self, answer: &Answer) -> Vec<Post> {
        let content_type = answer.headers.get("content-type").unwrap_or_default();
        let text = decode(&answer.body, &content_type);
        let mut posts = feed::list(&text);
        posts.extend(page::list(&text));
        posts.retain(|post| post.author.handle.eq_ignore_ascii_case(&self.user));
        posts
    }
}
