//! The finding: what the statement claims of a post, against what was captured.

use serde::{Deserialize, Serialize};

/// What a check came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Agreement {
    /// both sides say the same
    Agrees,
    /// they do not
    Disagrees,
    /// one side is silent, or the capture cannot tell
    Unknown,
}

/// One check: one thing claimed, one thing found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Check {
    /// `author`, `date`, `text`, `links`, `media-time`, `id-time`, `identity`, `edits`
    pub check: String,
    /// what it came to
    pub result: Agreement,
    /// what the statement says
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub cited: Option<String>,
    /// what was found
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub found: Option<String>,
    /// 0 to 1 for words
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub score: Option<f64>,
    /// why, where the result alone does not say
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub why: Option<String>,
}

/// The whole of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// author and words agree, and the date agrees or is explained
    Corroborated,
    /// author, date or words disagree and nothing recorded explains it
    Contradicted,
    /// neither
    Undetermined,
}
