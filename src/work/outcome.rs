//! The outcome of a run: one value that is printed as JSON and drawn as a table. Those of its citations wait beside memory, so that a
//! run over very many does not grow with each.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use jiff::Timestamp;
use serde::ser::{Error as _, SerializeSeq as _};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::value::RawValue;

use crate::citation::CitationId;
use crate::finding::{Check, Verdict};
use crate::format::digest::Digest;
use crate::format::http::Truncated;
use crate::platform::post::Author;
use crate::resolution::ending::Ending;
use crate::statement::{StatementId, Unread};
use crate::work::anchor::Attested;
use crate::world::aside::{Aside, Spot};

/// A whole run.
#[derive(Clone, Debug, Serialize)]
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
#[derive(Clone, Debug, Serialize)]
pub struct StatementOutcome {
    /// SHA-256 of its bytes
    pub id: StatementId,
    /// where it came from
    pub source: String,
    /// what of it could not be read as it stands
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unread: Vec<Unread>,
    /// each citation, in the order of the statement
    pub citations: Listed,
}

/// What became of citations, written down as they ended, by the place of each.
#[derive(Debug, Default)]
pub struct Outcomes {
    aside: Aside,
    at: Vec<Option<Spot>>,
}

/// Outcomes in the order of a statement, read one by one.
#[derive(Clone, Debug, Default)]
pub struct Listed {
    all: Arc<Aside>,
    spots: Vec<Spot>,
}

impl Outcomes {
    /// Writes down what became of the citation at `place`.
    ///
    /// # Errors
    /// One whose JSON cannot be made, or has 4 GiB.
    pub fn add(&mut self, place: usize, outcome: &CitationOutcome) -> io::Result<()> {
        let spot = self.write(outcome)?;
        if place >= self.at.len() {
            self.at.resize(place + 1, None);
        }
        if let Some(at) = self.at.get_mut(place) {
            *at = Some(spot);
        }
        Ok(())
    }

    fn write(&mut self, outcome: &CitationOutcome) -> io::Result<Spot> {
        self.aside.push(&serde_json::to_vec(outcome)?)
    }

    /// Those of each statement's citations, given by their places; `unfollowed` says what stands for one that is not here.
    ///
    /// # Errors
    /// As [`Outcomes::add`], and what `unfollowed` says.
    pub fn listed<S: IntoIterator<Item = usize>>(
        mut self,
        statements: impl IntoIterator<Item = S>,
        unfollowed: impl Fn(usize) -> io::Result<CitationOutcome>,
    ) -> io::Result<Vec<Listed>> {
        let mut all = Vec::new();
        for places in statements {
            let mut spots = Vec::new();
            for place in places {
                spots.push(match self.at.get(place).copied().flatten() {
                    Some(spot) => spot,
                    None => self.write(&unfollowed(place)?)?,
                });
            }
            all.push(spots);
        }
        let aside = Arc::new(self.aside);
        Ok(all.into_iter().map(|spots| Listed { all: aside.clone(), spots }).collect())
    }
}

impl Listed {
    /// One after the other.
    pub fn iter(&self) -> impl Iterator<Item = io::Result<CitationOutcome>> {
        self.spots.iter().map(|spot| Ok(serde_json::from_slice(&self.all.read(*spot)?)?))
    }
}

impl Serialize for Listed {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(Some(self.spots.len()))?;
        for spot in &self.spots {
            let json = self.all.read(*spot).and_then(|json| String::from_utf8(json).map_err(io::Error::other));
            list.serialize_element(&RawValue::from_string(json.map_err(S::Error::custom)?).map_err(S::Error::custom)?)?;
        }
        list.end()
    }
}

/// What became of one citation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CitationOutcome {
    /// the citation
    pub id: CitationId,
    /// `link`, `handle`, `hashtag`, `post`
    pub kind: Cow<'static, str>,
    /// as it stands in the statement
    pub raw: String,
    /// how it ended; none where it was recorded and not planned (a hashtag)
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ending: Option<Ending>,
    /// what the ending rests on
    #[serde(skip_serializing_if = "String::is_empty", default)]
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
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub posts: Vec<String>,
    /// the body kept of its end is not whole
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub truncated: Option<Truncated>,
    /// why that body could not be decoded
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub unread: Option<String>,
    /// the account a handle leads to; its id survives a renaming
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<Author>,
    /// what the statement claims of it, checked
    pub findings: Vec<FindingOutcome>,
}

/// One finding, as the contract has it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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
    /// those at whose end a snapshot stands
    #[serde(skip)]
    pub kept: usize,
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
            counts.kept += usize::from(ending.is_kept());
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
        self.is_complete() && self.counts.kept == self.counts.ended
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
