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

/// Why a document cannot be a statement.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum Error {
    /// no bytes, or nothing but spaces
    #[error("the statement is empty: expected text, HTML, Markdown, an e-mail, a PDF, JSON or CSV")]
    Empty,
    /// bytes, but no words
    #[error("the statement is unreadable ({0}): expected text, HTML, Markdown, an e-mail, a PDF, JSON or CSV")]
    Unreadable(String),
}

/// Reads a document: its text, what it says of itself, and what of it could not be read.
///
/// # Errors
/// Nothing in it can be read. Its bytes can be kept all the same; the caller has them.
pub fn read(bytes: Vec<u8>, hint: &Hint) -> Result<Statement, Error> {
    let id = StatementId(Digest::of(&bytes));
    let mut unread = Vec::new();
    let text = match std::str::from_utf8(&bytes) {
        Ok(text) => text.to_owned(),
        Err(e) => {
            unread.push(Unread { part: format!("bytes {}..", e.valid_up_to()), why: "not UTF-8".into() });
            String::from_utf8_lossy(&bytes).into_owned()
        }
    };
    if text.trim().is_empty() {
        return Err(Error::Empty);
    }
    if text.contains('\0') {
        return Err(Error::Unreadable("binary data".into()));
    }
    Ok(Statement {
        id,
        bytes,
        source: hint.source.clone(),
        media_type: "text/plain".into(),
        about: About::default(),
        unread,
        text,
    })
}
