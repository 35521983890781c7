//! The citation: a span of the statement that points outward.

mod attribution;
mod broken;
#[cfg(test)]
mod effort;
mod flow;
pub mod found;
mod handle;
mod hashtag;
mod json;
mod letters;
mod link;
mod mark;
mod page;
mod post;
mod read;
mod scan;
mod shortcode;
mod trigger;

use std::convert::Infallible;

use serde::{Deserialize, Serialize};

use crate::format::digest::Digest;
use crate::platform::post::Platform;
use crate::statement::Statement;
use found::Found;

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
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Citation {
    /// its id
    pub id: CitationId,
    /// what it is
    pub kind: Kind,
    /// exactly as it stands in the statement
    pub raw: String,
    /// UTF-8 byte offsets `[start, end)`
    pub span: (usize, usize),
    /// `Some("text")` where the span is of the text read, not of the stored bytes
    pub span_of: Option<String>,
    /// a guess
    pub candidate: bool,
}

impl Citation {
    /// Whether it is followed at all. Hashtags are recorded, not followed: they name no one thing.
    pub fn is_followed(&self) -> bool {
        !matches!(self.kind, Kind::Hashtag { .. })
    }
}

/// Every citation of a statement, in order of place.
pub fn find(statement: &Statement) -> Vec<Citation> {
    let mut citations = Vec::new();
    let taken: Result<(), Infallible> = each(statement, |found| {
        citations.push(found.into());
        Ok(())
    });
    match taken {
        Ok(()) => citations,
        Err(never) => match never {},
    }
}

/// How many citations a statement has: the same ones that [`each`] hands over, none of them given its id.
pub fn count(statement: &Statement) -> usize {
    match &statement.reading {
        Some(reading) => page::find(statement, reading).len(),
        None => flow::count(statement),
    }
}

/// Hands every citation of a statement over, in order of place, as soon as nothing that follows can change it.
///
/// # Errors
/// What `take` says; then nothing more is handed over.
pub fn each<E>(statement: &Statement, mut take: impl FnMut(Found<'_>) -> Result<(), E>) -> Result<(), E> {
    match &statement.reading {
        Some(reading) => {
            let mut all = page::find(statement, reading);
            // a post comes before what it quotes only where it begins before it
            all.sort_by_key(|one| found::place(one.span));
            found::hand_over(statement, all.iter().map(page::One::item), &mut take)
        }
        None => flow::each(statement, &mut take),
    }
}

/// What a document of this name says it cites, for the tests of this folder; nothing where it cannot be read.
#[cfg(test)]
pub(crate) fn found_in(source: &str, text: &str) -> Vec<Citation> {
    let hint = crate::statement::Hint { source: source.to_owned(), content_type: None };
    let statement = crate::statement::read(text.as_bytes().to_vec(), &hint);
    statement.map(|statement| find(&statement)).unwrap_or_default()
}
