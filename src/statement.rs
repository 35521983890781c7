//! The statement: the document handed in. Its exact bytes, what they are, and the text read from them.

use serde::{Deserialize, Serialize};

use crate::format::digest::Digest;

/// A statement's id: the SHA-256 of its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StatementId(pub Digest);

impl std::fmt::Display for StatementId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// What is known of a document before it is read.
#[derive(Clone, Debug, Default)]
pub struct Hint {
    /// where it came from: a path, a URL, `-`
    pub source: String,
    /// media type with parameters, where something declares one (an HTTP answer does)
    pub content_type: Option<String>,
}

/// A part that could not be read, named so that nothing is skipped in silence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unread {
    /// which part: `page 3`, `part 2 (image/png)`, `bytes 120..123`
    pub part: String,
    /// why
    pub why: String,
}

/// A document's own words about itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    /// its date, `YYYY-MM-DD`
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub date: Option<String>,
    /// title
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub title: Option<String>,
    /// BCP 47 tag
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub language: Option<String>,
    /// publisher
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub publisher: Option<String>,
    /// author
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub author: Option<String>,
    /// canonical URL
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub canonical: Option<String>,
}

/// A statement and the text read from it.
#[derive(Clone, Debug)]
pub struct Statement {
    /// SHA-256 of `bytes`
    pub id: StatementId,
    /// exactly as handed in
    pub bytes: Vec<u8>,
    /// where it came from
    pub source: String,
    /// media type: `text/plain`, `text/html`, `message/rfc822`, …
    pub media_type: String,
    /// what it says of itself
    pub about: About,
    /// what of it could not be read
    pub unread: Vec<Unread>,
    /// the text that citations are found in (the bytes themselves where they are UTF-8 text)
    pub text: String,
}
