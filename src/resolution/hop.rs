//! Hops, and what a resolution amounts to.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::format::digest::Digest;
use crate::platform::post::{Author, Post, PostName};
use crate::platform::reader::Attestation;
use crate::resolution::ending::Ending;
use crate::resolution::exchange::{Evidence, Exchange};

/// One step on the way, named as in the contract.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Hop {
    /// from 0
    pub n: usize,
    /// what was asked, or unwrapped
    pub url: String,
    /// status of the answer; none where nothing was asked or nothing came
    pub status: Option<u16>,
    /// how this URL was reached: `start`, `http-<status>`, `location-200`, `refresh-header`, `meta-refresh`, `script`,
    /// `interstitial`, `unwrapped`
    pub via: String,
    /// where it leads
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub to: Option<String>,
    /// when it was asked
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub at: Option<Timestamp>,
    /// the address connected to
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub ip: Option<String>,
    /// milliseconds
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub ms: Option<u64>,
    /// why there was no answer, where there was none
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub error: Option<String>,
    /// other things the answer asserts, never followed: `canonical`, a second Location
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub notes: Vec<String>,
    /// where its bytes are kept
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub evidence: Option<Evidence>,
}

/// Why an exchange was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// a hop of the chain, the final answer included
    Hop,
    /// the platform's own answer about a post, a profile, an identity
    Platform,
    /// a picture or video of the post
    Media,
    /// what a reader of the page needs to see it
    Requisite,
    /// an archive's index or memento
    Archive,
    /// robots.txt, recorded
    Robots,
}

/// A request that a step wants made. Several may be made at once.
#[derive(Clone, Debug)]
pub struct Ask {
    /// names the answer when it comes back; unique within the step
    pub id: u32,
    /// why
    pub role: Role,
    /// what
    pub request: crate::format::http::Request,
}

/// A step written sans-I/O: it says what to ask and is told what came.
pub trait Step {
    /// What it makes.
    type Out;
    /// New requests; empty while it only waits for answers, and when it is done.
    fn asks(&mut self) -> Vec<Ask>;
    /// The answer to ask `id`. Every ask gets exactly one.
    fn learn(&mut self, id: u32, exchange: Exchange);
    /// Whether nothing is asked or awaited any more.
    fn done(&self) -> bool;
    /// The result; called once, when done.
    fn finish(self) -> Self::Out;
}

/// Whose copy a capture from an archive is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FromArchive {
    /// the archive's host
    pub archive: String,
    /// the memento's URL
    pub url: String,
    /// its Memento-Datetime
    pub at: Timestamp,
    /// the digest the archive's index claims (`sha1:…`), and whether the payload has it
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub digest: Option<String>,
    /// whether it has
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub digest_matches: Option<bool>,
}

/// A post that might be the cited one, and why it was taken or dropped.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Candidate {
    /// the post
    pub post: PostName,
    /// how it came up: `permalink`, `pic-code`, `tco-in-quote`, `link-behind`, `list` (what the account lists of the day), `versions` (one of
    /// those, edited), `cdx-prefix`, `kept-list` (an archive's copy of the account's list), `thread`
    pub by: String,
    /// taken as the cited post
    pub taken: bool,
    /// why, or why not
    pub why: String,
}

/// An exchange by the role it had.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Part {
    /// its role
    pub role: Role,
    /// URL asked
    pub url: String,
    /// status
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub status: Option<u16>,
    /// media type
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub media_type: String,
    /// when it was asked
    pub at: Timestamp,
    /// why it failed
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub error: Option<String>,
    /// where its bytes are kept
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub evidence: Option<Evidence>,
}

impl Part {
    /// An exchange in its role.
    pub fn of(role: Role, exchange: &Exchange) -> Self {
        let answer = exchange.outcome.as_ref().ok();
        Self {
            role,
            url: exchange.request.url.to_string(),
            status: answer.map(|a| a.status),
            media_type: answer.map(|a| a.media_type()).unwrap_or_default(),
            at: exchange.at,
            error: exchange.outcome.as_ref().err().map(ToString::to_string),
            evidence: exchange.evidence.clone(),
        }
    }
}

/// The title and text of a page that is no post.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Page {
    /// title
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub title: Option<String>,
    /// what a reader reads
    pub text: String,
    /// who wrote it, as it says
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub author: Option<String>,
    /// when, as it says
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub published: Option<String>,
    /// language tag
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub language: Option<String>,
    /// canonical URL it claims
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub canonical: Option<String>,
}

/// What a resolution amounts to.
#[derive(Clone, Debug, PartialEq)]
pub struct Resolution {
    /// where it began
    pub start: String,
    /// the steps
    pub hops: Vec<Hop>,
    /// how it ended
    pub ending: Ending,
    /// in words: what the ending rests on
    pub why: String,
    /// the last URL
    pub final_url: Option<String>,
    /// the post that the link names, or that was found for the quoted words, readable or not
    pub names: Option<PostName>,
    /// the post at the end
    pub post: Option<Post>,
    /// other posts that match the quoted words no less: which of them is cited cannot be told
    pub also: Vec<Post>,
    /// the posts of one thread that the quoted words join, in order, `post` among them; empty where they join none
    pub thread: Vec<Post>,
    /// the account at the end, where a handle was resolved
    pub account: Option<Author>,
    /// accounts that had the cited handle, by an archive's copies
    pub known: Vec<Author>,
    /// the page at the end, where it is no post
    pub page: Option<Page>,
    /// what the answer at the end refers to, where it was a captured page or file
    pub needs: Option<crate::format::need::Needs>,
    /// the archive whose copy it is
    pub from_archive: Option<FromArchive>,
    /// posts considered
    pub candidates: Vec<Candidate>,
    /// the final body is not whole
    pub truncated: Option<crate::format::http::Truncated>,
    /// the final body could not be decoded
    pub unread: Option<String>,
    /// every exchange made, the hops' own included, in the order asked
    pub parts: Vec<Part>,
    /// the final answer's entity digest
    pub payload: Option<Digest>,
    /// when asking again makes sense (Retry-After)
    pub retry_at: Option<Timestamp>,
    /// what the platform's answers prove by signature or arithmetic, and fail to
    pub attestations: Vec<Attestation>,
    /// what the user should know and no field says
    pub notes: Vec<String>,
}

impl Resolution {
    /// A resolution that has only begun.
    pub fn begun(start: &str) -> Self {
        Self {
            start: start.to_owned(),
            hops: Vec::new(),
            ending: Ending::Unsupported,
            why: String::new(),
            final_url: None,
            names: None,
            post: None,
            also: Vec::new(),
            thread: Vec::new(),
            account: None,
            known: Vec::new(),
            page: None,
            needs: None,
            from_archive: None,
            candidates: Vec::new(),
            truncated: None,
            unread: None,
            parts: Vec::new(),
            payload: None,
            retry_at: None,
            attestations: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// The one post that it leads to, shown there or not; none where several match equally.
    pub fn leads_to(&self) -> Option<&PostName> {
        let shown = self.post.as_ref().map(|post| &post.name);
        shown.or(self.names.as_ref()).filter(|_| self.also.is_empty())
    }

    /// Every post that was read and may be the cited one.
    pub fn posts(&self) -> impl Iterator<Item = &Post> {
        self.post.iter().chain(&self.also)
    }

    /// The hops that crossed the wire, the final one included; what was unwrapped or read through a platform is none.
    pub fn exchanges(&self) -> usize {
        self.hops.iter().filter(|hop| hop.at.is_some()).count()
    }
}
