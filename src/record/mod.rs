//! The record: one event in canonical JSON (RFC 8785), naming by digest everything it rests on.
//!
//! The SHA-256 of the JSON bytes is the leaf's data in the ledger. The random nonce keeps a leaf from telling its record:
//! whoever sees tiles alone learns nothing, and whoever is shown one record learns nothing of the others.

pub mod beacon;

use beacon::Beacon;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::citation::{Citation, CitationId};
use crate::finding::{Check, Verdict};
use crate::format::digest::Digest;
use crate::format::json;
use crate::platform::post::{Author, PostName};
use crate::platform::reader::Attestation;
use crate::resolution::ending::Ending;
use crate::resolution::exchange::{Evidence, RecordName};
use crate::resolution::hop::{Candidate, FromArchive, Hop};
use crate::snapshot::change::Change;
use crate::statement::{About, Seal, StatementId, Unread};

/// Longest canonical JSON of a record, bytes: a tlog entry holds 65,535 at most.
pub const MAX_BYTES: usize = 64 * 1024 - 1;

/// A value that stands in the record itself, or, where it would be too long, in a WARC record of its own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Held<T> {
    /// in the WARC record of this name, whose block is its canonical JSON
    Apart {
        /// that record
        kept: RecordName,
    },
    /// right here
    Here(T),
}

/// A run's id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RunId(pub Uuid);

impl std::fmt::Display for RunId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// A statement as it entered the archive.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StatementAdded {
    /// SHA-256 of its bytes
    pub statement: StatementId,
    /// where it came from
    pub source: String,
    /// media type
    pub media_type: String,
    /// bytes
    pub bytes: u64,
    /// the resource record whose block is those bytes
    pub content: RecordName,
    /// what it says of itself
    pub about: About,
    /// what of it could not be read
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub unread: Vec<Unread>,
    /// signatures of an e-mail
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub signatures: Vec<Signed>,
    /// how many citations were found
    pub count: u64,
    /// what it cites
    pub citations: Held<Vec<Citation>>,
    /// the exchange that brought it, where it was a URL
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub fetched: Option<Evidence>,
}

/// A signature of an e-mail (DKIM), judged when the statement came in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signed {
    /// what it says, and what became of it
    #[serde(flatten)]
    pub seal: Seal,
    /// it was meant to hold no longer when it was judged
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub expired: bool,
    /// what the name servers said of its key
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub key: Option<RecordName>,
}

/// A citation's ending and the way to it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ResolutionEnded {
    /// the run it belongs to
    pub run: RunId,
    /// the statement
    pub statement: StatementId,
    /// the citation
    pub citation: CitationId,
    /// how it ended
    pub ending: Ending,
    /// the post it led to
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub post: Option<PostName>,
    /// what stands there: the manifest's digest
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub snapshot: Option<Digest>,
    /// when the other side asked to be asked again
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub retry_at: Option<Timestamp>,
    /// the way
    pub way: Held<Way>,
}

/// The way of a resolution: hop by hop, and what else was asked and considered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Way {
    /// where it began
    pub start: String,
    /// in words: what the ending rests on
    pub why: String,
    /// where it ended
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub final_url: Option<String>,
    /// the steps
    pub hops: Vec<Hop>,
    /// posts considered
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub candidates: Vec<Candidate>,
    /// whose copy it is
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub from_archive: Option<FromArchive>,
    /// exchanges that are no hop
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub asked: Vec<crate::resolution::hop::Part>,
    /// the account, where a handle led to it: its id survives a renaming
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub account: Option<Author>,
    /// what the answers prove by signature or arithmetic, and fail to
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub attestations: Vec<Attestation>,
    /// what the reader should know and no field says
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub notes: Vec<String>,
    /// the final body is not whole
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub truncated: Option<crate::format::http::Truncated>,
    /// the final body could not be decoded
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub unread: Option<String>,
}

/// A finding on record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FindingMade {
    /// the run
    pub run: RunId,
    /// the statement
    pub statement: StatementId,
    /// the citation judged
    pub citation: CitationId,
    /// the snapshot it was judged against
    pub snapshot: Digest,
    /// the post, `x:1138…`
    pub post: String,
    /// the whole of it
    pub verdict: Verdict,
    /// the checks
    pub checks: Held<Vec<Check>>,
}

/// How far a request for a copy went. One is never taken for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Requested {
    /// the archive took it on and has not said more
    Submitted,
    /// the archive says that it has the copy
    Claimed,
    /// the copy of that instant was read back
    Confirmed,
    /// the archive refuses
    Refused,
    /// the archive cannot now
    Later,
}

/// An outside archive was asked to keep a copy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ArchiveRequested {
    /// the run
    pub run: RunId,
    /// the archive's host
    pub archive: String,
    /// of what
    pub url: String,
    /// how far it went
    pub state: Requested,
    /// why no further, where it went no further
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub why: String,
    /// the archive's name for the job
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub job: Option<String>,
    /// 14 digits: the instant of the copy
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub timestamp: Option<String>,
    /// the exchanges, in order
    pub asked: Vec<Evidence>,
}

/// What stood at a citation's end at one look.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stood {
    /// the leaf of the record that says so; none for the look this record is made with
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub record: Option<Digest>,
    /// how it ended
    pub ending: Ending,
    /// what was there
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub snapshot: Option<Digest>,
}

/// A citation that is no longer what it was at the look before.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChangeSeen {
    /// the run that saw it; its resolution.ended of this citation has the evidence
    pub run: RunId,
    /// the statement
    pub statement: StatementId,
    /// the citation
    pub citation: CitationId,
    /// the look before
    pub before: Stood,
    /// this look
    pub after: Stood,
    /// what changed
    pub changes: Held<Vec<Change>>,
}

/// One citation's outcome in a closing record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// the citation
    pub citation: CitationId,
    /// how it ended
    pub ending: Ending,
}

/// What happened. The name of each kind is fixed for good.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind")]
pub enum Event {
    /// the archive was made
    #[serde(rename = "archive.created")]
    ArchiveCreated {
        /// the ledger's origin line
        origin: String,
        /// the verifier key, C2SP vkey
        vkey: String,
        /// name and version of the software
        software: String,
    },
    /// a statement was added
    #[serde(rename = "statement.added")]
    StatementAdded(Box<StatementAdded>),
    /// a run began
    #[serde(rename = "run.opened")]
    RunOpened {
        /// its id
        run: RunId,
        /// how many citations it undertakes
        planned: u64,
        /// which, in order
        plan: Held<Vec<CitationId>>,
        /// a public randomness beacon's round: not before
        #[serde(skip_serializing_if = "Option::is_none", default)]
        beacon: Option<Box<Beacon>>,
    },
    /// a citation came to its end
    #[serde(rename = "resolution.ended")]
    ResolutionEnded(Box<ResolutionEnded>),
    /// a snapshot was taken
    #[serde(rename = "snapshot.taken")]
    SnapshotTaken {
        /// the run
        run: RunId,
        /// SHA-256 of the manifest
        snapshot: Digest,
        /// the record whose block the manifest is
        manifest: RecordName,
    },
    /// nothing changed since the last snapshot
    #[serde(rename = "snapshot.unchanged")]
    SnapshotUnchanged {
        /// the run
        run: RunId,
        /// the citation looked at
        citation: CitationId,
        /// the snapshot that still stands
        snapshot: Digest,
        /// the content digest both have
        content: Digest,
    },
    /// something changed since the last look
    #[serde(rename = "change.seen")]
    ChangeSeen(Box<ChangeSeen>),
    /// a citation was judged
    #[serde(rename = "finding.made")]
    FindingMade(Box<FindingMade>),
    /// a run ended, with an outcome for every planned citation
    #[serde(rename = "run.closed")]
    RunClosed {
        /// its id
        run: RunId,
        /// how many were planned
        planned: u64,
        /// how many came to an end
        ended: u64,
        /// which, and how
        outcomes: Held<Vec<Outcome>>,
        /// it was told to stop before its end
        #[serde(skip_serializing_if = "std::ops::Not::not", default)]
        interrupted: bool,
    },
    /// a scheduled run did not happen
    #[serde(rename = "run.missed")]
    RunMissed {
        /// the schedule's name
        schedule: String,
        /// when it was due; of several in a row, the first
        due: Timestamp,
        /// of several in a row, the last
        #[serde(skip_serializing_if = "Option::is_none", default)]
        until: Option<Timestamp>,
        /// how many in a row
        #[serde(skip_serializing_if = "Option::is_none", default)]
        count: Option<u64>,
        /// why, where it is known
        why: String,
    },
    /// the signing key changed
    #[serde(rename = "key.rotated")]
    KeyRotated {
        /// the old verifier key
        old: String,
        /// the new one
        new: String,
        /// the new key signed by the old, base64
        by_old: String,
        /// the old key signed by the new, base64
        by_new: String,
    },
    /// bytes were removed by law; digests stay
    #[serde(rename = "content.removed")]
    ContentRemoved {
        /// what
        record: RecordName,
        /// by whom
        who: String,
        /// why
        why: String,
    },
    /// an outside witness of a checkpoint
    #[serde(rename = "anchor.added")]
    AnchorAdded {
        /// checkpoint size
        size: u64,
        /// `tsr`, `ots`, `cosignature`
        anchor: String,
        /// who
        authority: String,
        /// `verified`, `pending`, `confirmed`
        state: String,
        /// file name in ledger/anchors/
        file: String,
        /// SHA-256 of that file
        digest: Digest,
        /// the time it vouches for
        #[serde(skip_serializing_if = "Option::is_none", default)]
        time: Option<Timestamp>,
    },
    /// an outside archive was asked to keep a copy
    #[serde(rename = "archive.requested")]
    ArchiveRequested(Box<ArchiveRequested>),
    /// something was exported
    #[serde(rename = "export.made")]
    ExportMade {
        /// `warc`, `cdxj`, `wacz`, …
        format: String,
        /// SHA-256 of the file
        digest: Digest,
        /// what was in it
        what: String,
    },
    /// what was kept and no other record names: who was there (DNS, certificates), tries that failed, looks that found
    /// nothing new, work that was cut short
    #[serde(rename = "evidence.kept")]
    EvidenceKept {
        /// the WARC records
        records: Held<Vec<RecordName>>,
    },
    /// fixity was checked
    #[serde(rename = "fixity.checked")]
    FixityChecked {
        /// WARC records read
        checked: u64,
        /// problems named
        problems: Vec<String>,
    },
}

impl Event {
    /// The name of its kind.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::ArchiveCreated { .. } => "archive.created",
            Self::StatementAdded(_) => "statement.added",
            Self::RunOpened { .. } => "run.opened",
            Self::ResolutionEnded(_) => "resolution.ended",
            Self::SnapshotTaken { .. } => "snapshot.taken",
            Self::SnapshotUnchanged { .. } => "snapshot.unchanged",
            Self::ChangeSeen(_) => "change.seen",
            Self::FindingMade(_) => "finding.made",
            Self::RunClosed { .. } => "run.closed",
            Self::RunMissed { .. } => "run.missed",
            Self::KeyRotated { .. } => "key.rotated",
            Self::ContentRemoved { .. } => "content.removed",
            Self::AnchorAdded { .. } => "anchor.added",
            Self::ArchiveRequested(_) => "archive.requested",
            Self::ExportMade { .. } => "export.made",
            Self::EvidenceKept { .. } => "evidence.kept",
            Self::FixityChecked { .. } => "fixity.checked",
        }
    }
}

/// One event with its time and nonce.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// version of this shape: 1
    pub v: u8,
    /// when, our clock
    pub at: Timestamp,
    /// 128 random bits, 32 hex digits
    pub nonce: String,
    /// what
    #[serde(flatten)]
    pub event: Event,
}

/// Why bytes are no record, or an event can be none.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// more than the ledger takes
    #[error("record of {0} bytes is longer than {MAX_BYTES}")]
    TooLong(usize),
    /// not the one spelling its value has
    #[error("record is not canonical JSON (RFC 8785)")]
    NotCanonical,
    /// not a shape known here
    #[error("record has an unknown shape")]
    Shape(#[from] serde_json::Error),
}

/// Every WARC record that canonical JSON names, in order, repeats included.
///
/// A name's canonical spelling is `{"digest":"sha256:…","id":"…"}` and nothing else; its quotation marks cannot stand
/// unescaped within a string, so the bytes are searched and nothing is parsed.
pub fn names(canonical: &[u8]) -> Vec<RecordName> {
    const BEFORE: &[u8] = b"{\"digest\":\"sha256:";
    const BETWEEN: &[u8] = b"\",\"id\":\"";
    let mut names = Vec::new();
    for at in memchr::memmem::find_iter(canonical, BEFORE) {
        let rest = canonical.get(at + BEFORE.len()..).unwrap_or_default();
        let Some((hex, rest)) = rest.split_at_checked(64) else { continue };
        let Some((id, rest)) = rest.strip_prefix(BETWEEN).and_then(|rest| rest.split_at_checked(36)) else { continue };
        if !rest.starts_with(b"\"}") {
            continue;
        }
        let text = |bytes| std::str::from_utf8(bytes).ok();
        let digest = text(hex).and_then(|hex| format!("sha256:{hex}").parse().ok());
        let id = text(id).and_then(|id| Uuid::parse_str(id).ok());
        names.extend(digest.zip(id).map(|(digest, id)| RecordName { id, digest }));
    }
    names
}

impl Record {
    /// An event, made a record.
    pub fn new(at: Timestamp, nonce: u128, event: Event) -> Self {
        Self { v: 1, at: crate::format::time::to_micros(at), nonce: format!("{nonce:032x}"), event }
    }

    /// Its canonical bytes and their digest, the leaf's data.
    ///
    /// # Errors
    /// [`Error::TooLong`].
    pub fn seal(&self) -> Result<(Vec<u8>, Digest), Error> {
        let bytes = json::canonical(self)?;
        if bytes.len() > MAX_BYTES {
            return Err(Error::TooLong(bytes.len()));
        }
        let leaf = Digest::of(&bytes);
        Ok((bytes, leaf))
    }

    /// Reads a record back, only from the one spelling it can have.
    ///
    /// # Errors
    /// Each way in which bytes can be none.
    pub fn read(bytes: &[u8]) -> Result<Self, Error> {
        let record = Self::read_proved(bytes)?;
        if json::canonical(&record)? != bytes {
            return Err(Error::NotCanonical);
        }
        Ok(record)
    }

    /// Reads back bytes that were found under a signed checkpoint: whoever signed them had written them in that one spelling.
    ///
    /// # Errors
    /// Bytes that are no record.
    pub fn read_proved(bytes: &[u8]) -> Result<Self, Error> {
        if bytes.len() > MAX_BYTES {
            return Err(Error::TooLong(bytes.len()));
        }
        Ok(serde_json::from_slice(bytes)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_wherever_they_stand_and_nowhere_else() {
        let name = |n: u8| RecordName { id: Uuid::from_bytes([n; 16]), digest: Digest([n; 32]) };
        let spelled = String::from_utf8(json::canonical(&name(3)).unwrap()).unwrap();
        let value = serde_json::json!({
            "a": [name(1), {"b": {"c": name(2)}}],
            "quoted": spelled,
            "more": {"digest": name(4).digest, "id": name(4).id, "x": 1},
            "less": {"digest": name(5).digest},
            "z": name(6),
        });
        let bytes = json::canonical(&value).unwrap();
        assert_eq!(names(&bytes), [name(1), name(2), name(6)]);
        for end in 0..bytes.len() {
            assert!(names(&bytes[..end]).len() <= 3);
        }
    }
}
