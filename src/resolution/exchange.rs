//! The exchange: one request and what came of it. The wire's bytes lie in the WARC; this is the reading copy with its
//! evidence by name.

use std::net::SocketAddr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::format::digest::Digest;
use crate::format::http::{Answer, Request};

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// our own guard refused the address, scheme or port; says which rule
    #[error("refused by the guard: {0}")]
    Refused(String),
    /// TLS did not verify; the chain is kept all the same
    #[error("TLS did not verify: {0}")]
    Untrusted(String),
    /// the name has no address
    #[error("no such host: {0}")]
    NoSuchHost(String),
    /// no connection, or it broke before a whole head came
    #[error("unreachable: {0}")]
    Unreachable(String),
    /// nothing whole within the bound
    #[error("timed out: {0}")]
    Timeout(String),
    /// bytes that are no HTTP; they are kept
    #[error("not HTTP: {0}")]
    Malformed(String),
    /// asked to wait longer than a run waits; when it may be asked again
    #[error("rate limited until {0}")]
    RateLimited(Timestamp),
    /// the network is off by request
    #[error("offline")]
    Offline,
}

/// A WARC record, named so that URL, date and bytes are bound: by id and by the digest of the whole record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct RecordName {
    /// the UUID of its WARC-Record-ID
    pub id: Uuid,
    /// SHA-256 from `WARC/1.1` to the last byte of the block
    pub digest: Digest,
}

/// Where an exchange's bytes are kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// the response or revisit record; none where no byte came
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub response: Option<RecordName>,
    /// the request record; none where nothing was sent
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub request: Option<RecordName>,
    /// the metadata record: connection facts, interim heads, the error
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub metadata: Option<RecordName>,
    /// what else was kept on the way to it: the name's addresses, the certificates, tries before this one
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub also: Vec<RecordName>,
    /// digest of the entity as transferred, chunk framing undone, content coding kept
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub payload: Option<Digest>,
    /// bytes of that entity
    #[serde(default)]
    pub length: u64,
}

impl Evidence {
    /// Every record it names.
    pub fn names(&self) -> impl Iterator<Item = RecordName> {
        [self.response, self.request, self.metadata].into_iter().flatten().chain(self.also.iter().copied())
    }
}

/// One request and what came of it.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// what was asked
    pub request: Request,
    /// our clock at request start, microseconds
    pub at: Timestamp,
    /// milliseconds until the last byte
    pub ms: u64,
    /// the address really connected to
    pub remote: Option<SocketAddr>,
    /// the reading copy, or why there is none
    pub outcome: Result<Answer, Failure>,
    /// where the bytes are; none where nothing is kept (`resolve`)
    pub evidence: Option<Evidence>,
}

impl Exchange {
    /// When its last byte came, or nothing more did.
    pub fn ended(&self) -> Timestamp {
        let took = jiff::SignedDuration::from_millis(i64::try_from(self.ms).unwrap_or(i64::MAX));
        self.at.checked_add(took).unwrap_or(Timestamp::MAX)
    }
}
