//! The citation: a span of the statement that points outward.

mod attribution;
mod broken;
mod handle;
mod hashtag;
mod json;
mod letters;
mod link;
mod mark;
mod page;
mod post;
mod scan;
mod shortcode;

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::format::digest::{Digest, Hasher};
use crate::platform::post::Platform;
use crate::statement::{Statement, StatementId};
use attribution::Ground;
use mark::What;

/// A citation's id: stable for the same statement bytes, place and kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CitationId(pub Digest);

impl std::fmt::Display for CitationId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// How a link is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Form {
    /// `t.co/…`
    Tco,
    /// `pic.twitter.com/…`, `pic.x.com/…`
    Pic,
    /// a URL that names a post
    Permalink,
    /// a web archive's copy
    Archive,
    /// `at://…`
    AtUri,
    /// a known shortener
    Shortener,
    /// any other URL
    Url,
    /// a guess: a bare domain, a code cut by `…`
    Weak,
}

/// What a citation is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Kind {
    /// a link
    Link {
        /// how it is written
        form: Form,
        /// what to ask; codes and paths never altered
        url: String,
        /// the platform, where the URL names a post or a profile
        #[serde(skip_serializing_if = "Option::is_none", default)]
        platform: Option<Platform>,
        /// the post it names, without the platform
        #[serde(skip_serializing_if = "Option::is_none", default)]
        post_id: Option<String>,
        /// the account it names, without `@`
        #[serde(skip_serializing_if = "Option::is_none", default)]
        handle: Option<String>,
        /// written so that it cannot be clicked (`hxxp`, `[.]`)
        #[serde(skip_serializing_if = "std::ops::Not::not", default)]
        defanged: bool,
    },
    /// an account
    Handle {
        /// where it lives, `x` where nothing says otherwise
        platform: Platform,
        /// without `@`
        handle: String,
    },
    /// a hashtag; recorded, not resolved
    Hashtag {
        /// without `#`
        tag: String,
    },
    /// a quoted post: the remnant of an embed, or prose that quotes one
    Post {
        /// where it was posted
        platform: Platform,
        /// display name as the statement gives it
        author: Option<String>,
        /// handle without `@`
        handle: Option<String>,
        /// the cited day, `YYYY-MM-DD`; none where it has two readings or none
        date: Option<String>,
        /// the readings of a date with two
        #[serde(skip_serializing_if = "Vec::is_empty", default)]
        dates: Vec<String>,
        /// the date as it stands
        date_raw: Option<String>,
        /// the quoted words, links at their end included
        quoted: String,
        /// the statement itself cut the words
        truncated: bool,
        /// links inside the quoted words, in order, as URLs to ask
        links: Vec<String>,
        /// the post's own URL, where the statement gives it
        permalink: Option<String>,
        /// its id, where the permalink names it
        post_id: Option<String>,
    },
}

/// One citation. In JSON the kind's fields stand beside the others.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Citation {
    /// its id
    pub id: CitationId,
    /// what it is
    #[serde(flatten)]
    pub kind: Kind,
    /// exactly as it stands in the statement
    pub raw: String,
    /// UTF-8 byte offsets `[start, end)`
    pub span: (usize, usize),
    /// `Some("text")` where the span is of the text read, not of the stored bytes
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub span_of: Option<String>,
    /// a guess
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub candidate: bool,
}

/// Every citation of a statement, in order of place.
pub fn find(statement: &Statement) -> Vec<Citation> {
    let mut citations = match &statement.reading {
        Some(reading) => page::find(statement, reading),
        None => plain(statement),
    };
    // a post comes before what it quotes only where it begins before it
    citations.sort_by_key(|c| (c.span.0, std::cmp::Reverse(c.span.1)));
    citations
}

/// In a text that is its own words.
fn plain(statement: &Statement) -> Vec<Citation> {
    let text = statement.text.as_str();
    let marks = scan::scan(text, &[]);
    let ground = Ground { language: statement.about.language.as_deref(), ..Ground::of(text, &marks) };
    let told = attribution::find(&ground);
    let posts: Vec<Citation> = told
        .into_iter()
        .map(|t| placed(statement, post::kind(text, &marks, &[], &t), t.span.clone(), t.candidate))
        .collect();
    let mut citations: Vec<Citation> = marks
        .into_iter()
        .map(|mark| placed(statement, kind(mark.what), mark.start..mark.end, mark.candidate))
        .collect();
    citations.extend(posts);
    citations
}

fn kind(what: What<'_>) -> Kind {
    match what {
        What::Link(link) => Kind::Link {
            form: link.form,
            url: link.url.into_owned(),
            platform: link.platform,
            post_id: link.post_id,
            handle: link.handle,
            defanged: link.defanged,
        },
        What::Handle(platform, handle) => Kind::Handle { platform, handle: handle.into_owned() },
        What::Hashtag(tag) => Kind::Hashtag { tag: tag.into_owned() },
    }
}

/// A citation at its place in the statement's text.
fn placed(statement: &Statement, kind: Kind, span: Range<usize>, candidate: bool) -> Citation {
    let raw = statement.text.get(span.clone()).unwrap_or_default().to_owned();
    let span = (span.start, span.end);
    let span_of = statement.transformed.then(|| "text".to_owned());
    Citation { id: id_of(statement.id, &kind, span), kind, raw, span, span_of, candidate }
}

/// SHA-256 over the statement's id, one letter for the kind, and the span as two 64-bit big-endian numbers.
fn id_of(statement: StatementId, kind: &Kind, span: (usize, usize)) -> CitationId {
    let letter = match kind {
        Kind::Link { .. } => b'l',
        Kind::Handle { .. } => b'h',
        Kind::Hashtag { .. } => b't',
        Kind::Post { .. } => b'p',
    };
    let mut hasher = Hasher::default();
    hasher.update(&statement.0.0);
    hasher.update(&[letter]);
    hasher.update(&(span.0 as u64).to_be_bytes());
    hasher.update(&(span.1 as u64).to_be_bytes());
    CitationId(hasher.finish())
}
