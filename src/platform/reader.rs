//! The reader of a post: what to ask its platform, and what the answers amount to. Sans-I/O, one implementation a platform.

use crate::format::http::{Answer, Request};
use crate::platform::post::{Author, Post, PostName};

/// What a platform says of a post that it does not show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum State {
    /// deleted by its author or the platform
    Gone,
    /// the account is suspended
    Suspended,
    /// only approved followers see it
    Protected,
    /// a login is asked for
    LoginGated,
    /// an age check is asked for
    AgeGated,
    /// hidden from this viewer; it may well be live
    Withheld,
    /// the platform says there never was such a post
    NotFound,
    /// asked too often
    RateLimited,
    /// 403, a challenge
    Blocked,
    /// the platform's own failure (5xx)
    ServerError,
    /// the answers do not tell: another way must be tried
    Unknown,
}

/// Something an answer proves, or fails to prove, by signature or arithmetic.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Attestation {
    /// what was checked: `commit signature by did:plc:…`
    pub what: String,
    /// whether it holds
    pub holds: bool,
    /// why not, or with which key
    pub why: String,
}

/// What a reader makes of its answers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Read {
    /// the post, as complete as the answers allow
    pub post: Option<Post>,
    /// the account, where a handle was asked for, or where an answer names it without showing the post
    pub author: Option<Author>,
    /// the post's name as the answers have it, where it is another than the one asked by: a handle's post is an account's
    pub name: Option<PostName>,
    /// accounts that the answers show behind other handles: the same one's former names
    pub known: Vec<Author>,
    /// why there is no post
    pub state: Option<State>,
    /// in words: which answer says so
    pub why: String,
    /// what was proved
    pub attestations: Vec<Attestation>,
    /// what the user should know and no field says
    pub notes: Vec<String>,
}

impl Read {
    /// A post that was read; `why` names the answer it was read from.
    pub fn post(post: Post, why: impl Into<String>) -> Self {
        Self { post: Some(post), why: why.into(), ..Self::default() }
    }

    /// No post, and why.
    pub fn ended(state: State, why: impl Into<String>) -> Self {
        Self { state: Some(state), why: why.into(), ..Self::default() }
    }
}

/// Reads one post, or one account. It says what to ask and is told what was answered; redirects of its own endpoints are
/// its own business, and so is asking little: every request counts against the citation's budget.
pub trait Reader {
    /// New requests, each with an id unique within the reader; empty while it waits, and when it is done. The most
    /// telling one comes first: a caller short of requests may refuse the rest (`learn` then says why).
    fn asks(&mut self) -> Vec<(u32, Request)>;
    /// The answer to request `id`, or in words why there is none. Every request gets exactly one.
    fn learn(&mut self, id: u32, answer: Result<&Answer, &str>);
    /// Whether nothing is asked or awaited any more.
    fn done(&self) -> bool;
    /// What it came to; called once, when done.
    fn finish(self: Box<Self>) -> Read;
}
