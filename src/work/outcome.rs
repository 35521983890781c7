//! The outcome of a run: one value that is printed as JSON and drawn as a table.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use crate::citation::CitationId;
use crate::finding::{Check, Verdict};
use crate::format::digest::Digest;
use crate::platform::post::Author;
use crate::resolution::ending::Ending;
use crate::statement::{StatementId, Unread};
use crate::work::anchor::Attested;

/// A whole run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RunOutcome {
    /// the run's id
    pub run: String,
    /// one entry for each statement handed in, in order
    pub statements: Vec<StatementOutcome>,
    /// how many of what
    pub counts: Counts,
    /// the checkpoint that covers it
    pub checkpoint: Option<CheckpointOutcome>,
    /// the round of a randomness beacon that opened it, where the settings name a beacon
    #[serde(skip_serializing_if = "Option::is_none")]
    pub beacon: Option<BeaconOutcome>,
    /// who else vouches for it since, where anyone is named in the settings
    #[serde(skip_serializing_if = "Option::is_none")]
    pub anchors: Option<Attested>,
}

/// What came of asking a randomness beacon.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum BeaconOutcome {
    /// a round that verifies
    Named {
        /// its number
        round: u64,
        /// when it was due: nothing of the run was written before
        not_before: Timestamp,
    },
    /// none
    Failed {
        /// why
        failed: String,
    },
}

/// One statement's citations.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StatementOutcome {
    /// SHA-256 of its bytes
    pub id: StatementId,
    /// where it came from
    pub source: String,
    /// what of it could not be read as it stands
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unread: Vec<Unread>,
    /// each citation, in the order of the statement
    pub citations: Vec<CitationOutcome>,
}

/// What became of one citation.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CitationOutcome {
    /// the citation
    pub id: CitationId,
    /// `link`, `handle`, `hashtag`, `post`
    pub kind: &'static str,
    /// as it stands in the statement
    pub raw: String,
    /// how it ended; none where it was recorded and not planned (a hashtag)
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ending: Option<Ending>,
    /// what the ending rests on
    #[serde(skip_serializing_if = "String::is_empty")]
    pub why: String,
    /// where it led
    #[serde(skip_serializing_if = "Option::is_none")]
    pub final_url: Option<String>,
    /// exchanges, the final one included
    pub hops: usize,
    /// the snapshot's digest
    #[serde(skip_serializing_if = "Option::is_none")]
    pub snapshot: Option<Digest>,
    /// the post it leads to, `x:1138137…`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub post: Option<String>,
    /// the posts it may lead to, where several match the quoted words equally
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub posts: Vec<String>,
    /// the account a handle leads to; its id survives a renaming
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<Author>,
    /// what the statement claims of it, checked
    pub findings: Vec<FindingOutcome>,
}

/// One finding, as the contract has it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FindingOutcome {
    /// the citation that claims
    pub citation: CitationId,
    /// the post
    pub post: String,
    /// the snapshot it was checked against
    pub snapshot: Digest,
    /// the whole of it
    pub verdict: Verdict,
    /// each check
    pub checks: Vec<Check>,
}

/// How many of what.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// citations to resolve: links, handles and posts
    pub planned: usize,
    /// those with a recorded ending
    pub ended: usize,
    /// by ending; `captured` is always there
    #[serde(flatten)]
    pub endings: BTreeMap<String, usize>,
}

/// The ledger's checkpoint after the run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CheckpointOutcome {
    /// leaves
    pub size: u64,
    /// base64, as in the checkpoint
    pub root: String,
}

impl Counts {
    /// Counts what ended, of `planned` citations.
    pub fn of(planned: usize, endings: impl IntoIterator<Item = Ending>) -> Self {
        let mut counts = Self { planned, ..Self::default() };
        counts.endings.insert(Ending::Captured.as_str().to_owned(), 0);
        for ending in endings {
            counts.ended += 1;
            *counts.endings.entry(ending.as_str().to_owned()).or_default() += 1;
        }
        counts
    }
}

impl RunOutcome {
    /// Whether every planned citation has an ending.
    pub fn is_complete(&self) -> bool {
        self.counts.planned == self.counts.ended
    }

    /// Whether a snapshot stands at every planned citation's end, which `--strict` asks for.
    pub fn is_all_kept(&self) -> bool {
        let endings = self.statements.iter().flat_map(|s| &s.citations).filter_map(|c| c.ending);
        self.is_complete() && endings.into_iter().all(Ending::is_kept)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_stand_beside_each_other() {
        let counts = Counts::of(3, [Ending::Gone, Ending::Soft404, Ending::Gone]);
        let json = serde_json::to_string(&counts).unwrap();
        assert_eq!(json, r#"{"planned":3,"ended":3,"captured":0,"gone":2,"soft-404":1}"#);
    }
}
