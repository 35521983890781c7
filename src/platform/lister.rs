//! The lister of an account: what it posted in a stretch of time, as far as its platform shows that to those without a login.
//! Sans-I/O, one implementation a platform.

use std::ops::Range;

use jiff::Timestamp;

use crate::format::http::{Answer, Request};
use crate::platform::post::{Post, PostName};
use crate::platform::reader::State;

/// From the first instant to before the last.
pub type Stretch = Range<Timestamp>;

/// What a list amounts to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listed {
    /// the account's posts of the stretch
    pub posts: Vec<Post>,
    /// nothing that the account has there now is left out
    pub whole: bool,
    /// why there is no list
    pub state: Option<State>,
    /// in words: which answer lists them, how far, or why none does
    pub why: String,
}

impl Listed {
    /// No list, and why.
    pub fn none(state: State, why: impl Into<String>) -> Self {
        Self { state: Some(state), why: why.into(), ..Self::default() }
    }
}

/// Where a web archive may keep what is not listed any more, as an index is asked: without scheme, `*` for any ending.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shelf {
    /// addresses of posts
    pub posts: Vec<String>,
    /// addresses of lists of them
    pub lists: Vec<String>,
}

/// Lists the posts of one account. It says what to ask and is told what was answered, and it asks little: every request counts
/// against the citation's budget.
pub trait Lister {
    /// Begins to look at a stretch. What is known of the account by then is not asked again.
    fn look(&mut self, stretch: Stretch);
    /// New requests, each with an id unique within the lister; empty while it waits, and when it is done.
    fn asks(&mut self) -> Vec<(u32, Request)>;
    /// The answer to request `id`, or in words why there is none. Every request gets exactly one.
    fn learn(&mut self, id: u32, answer: Result<&Answer, &str>);
    /// Whether nothing is asked or awaited any more.
    fn done(&self) -> bool;
    /// What the last look came to.
    fn heard(&mut self) -> Listed;
    /// Where an archive may keep posts of a stretch.
    fn shelf(&self, stretch: &Stretch) -> Shelf;
    /// Whether a post of this name may be the account's, of that stretch.
    fn may_be(&self, name: &PostName, stretch: &Stretch) -> bool;
    /// The account's posts on a list that somebody kept.
    fn on_list(&self, answer: &Answer) -> Vec<Post>;
}

/// Whether a post is of a stretch, by the time in its id or the one that its platform states.
pub(crate) fn is_of(post: &Post, stretch: &Stretch) -> bool {
    post.id_time.is_some_and(|at| stretch.contains(&at)) || post.posted.is_some_and(|at| stretch.contains(&at))
}
