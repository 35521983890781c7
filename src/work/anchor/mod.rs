//! Anchoring: a signed checkpoint is shown to everyone named in the settings at once, and what they sign is kept.
//!
//! Runs after the commit. Whoever does not answer is named and asked again the next time; nothing here can harm what is
//! committed. In `ledger/anchors/`, SIZE being the checkpoint's:
//!
//! ```text
//! SIZE.checkpoint                 the signed note; its SHA-256 is what all others stamp
//! SIZE.AUTHORITY.tsq / .tsr       request and response (RFC 3161): openssl ts -verify -data SIZE.checkpoint -in ….tsr -CAfile ROOTS
//! SIZE.CALENDAR.ots               OpenTimestamps: ots verify -f SIZE.checkpoint ….ots
//! SIZE.WITNESS.cosignature        signature lines (C2SP tlog-cosignature v1)
//! ```
//! A `.ots` is the one file here that changes: a later proof holds all that the earlier one held, and lies beside it, as
//! `….ots.new`, until the record that names it is in the ledger.

mod ask;

use std::collections::HashSet;
use std::path::PathBuf;

use jiff::Timestamp;
use url::Url;

use crate::format::checkpoint::Refused as BadCheckpoint;
use crate::format::digest::Digest;
use crate::format::note::{Signature, VerifierKey};
use crate::format::ots::{self};
use crate::format::tsp::{self, Roots};
use crate::proof::WitnessRefusal;
use crate::world::durable::{self};
use crate::world::keys;
use crate::world::services::node::{self, Headers};
use crate::world::services::{self, Services};
use crate::world::tiles;
use crate::world::tiles::anchors::AnchorFolder;

/// Whom to ask.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// RFC 3161 authorities
    pub authorities: Vec<Url>,
    /// the roots they are believed by
    pub roots: Roots,
    /// OpenTimestamps calendars
    pub calendars: Vec<Url>,
    /// where block headers come from; without them no proof is ever confirmed
    pub headers: Option<Headers>,
    /// witnesses
    pub witnesses: Vec<Witness>,
}

/// A witness: by its key it is believed, at its address, where it has one, it is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Witness {
    /// its cosigner key
    pub key: VerifierKey,
    /// where it takes checkpoints (C2SP tlog-witness: `<url>/add-checkpoint`)
    pub url: Option<Url>,
}

impl Settings {
    /// Where to ask what became of a promise, by the address it names. Only what the settings name is ever asked, a calendar or the
    /// pool it stands behind: a proof could name any address.
    fn calendar_at(&self, uri: &str) -> Option<Url> {
        let named = self.calendars.iter().find(|url| same_place(url, uri));
        named
            .cloned()
            .or_else(|| Url::parse(uri).ok().filter(|url| self.calendars.iter().any(|pool| behind(pool, url))))
    }

    /// Whether nobody is named.
    pub fn is_empty(&self) -> bool {
        self.authorities.is_empty() && self.calendars.is_empty() && self.witnesses.iter().all(|w| w.url.is_none())
    }
}

/// The public pools, and the ends of the names of the calendars that each hands a digest on to: a promise it brings back names one of
/// them. As opentimestamps.org lists them and the reference client believes them, 2026-11.
const POOLS: [(&str, &str); 3] = [
    (".pool.opentimestamps.org", ".calendar.opentimestamps.org"),
    (".pool.eternitywall.com", ".calendar.eternitywall.com"),
    ("ots.btc.catallaxy.com", ".calendar.catallaxy.com"),
];

/// What kind of anchor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// an RFC 3161 response
    Tsr,
    /// an OpenTimestamps proof
    Ots,
    /// a witness's cosignature
    Cosignature,
}

/// What it is worth now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// signed by someone pinned
    Verified,
    /// promised; proves nothing yet
    Pending,
    /// names a block whose header is not known here
    Unchecked,
    /// a known block header commits to it
    Confirmed,
}

impl Kind {
    /// The name, which is the file's ending too.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tsr => "tsr",
            Self::Ots => "ots",
            Self::Cosignature => "cosignature",
        }
    }
}

impl State {
    /// The name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Verified => "verified",
            Self::Pending => "pending",
            Self::Unchecked => "unchecked",
            Self::Confirmed => "confirmed",
        }
    }
}

/// An anchor that is kept: what the record `anchor.added` says.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Added {
    /// the checkpoint's size
    pub size: u64,
    /// what kind
    pub kind: Kind,
    /// who
    pub authority: String,
    /// what it is worth now
    pub state: State,
    /// its file in `ledger/anchors/`
    pub file: String,
    /// SHA-256 of that file
    pub digest: Digest,
    /// the time it vouches for; a block's is true to some two hours
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
}

/// Why someone asked gave nothing that counts.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// no answer
    #[error(transparent)]
    Unreachable(#[from] services::Error),
    /// an answer of another kind: status and media type
    #[error("it answered {0} {1}")]
    Answer(u16, String),
    /// a token that does not hold
    #[error(transparent)]
    Token(#[from] tsp::Refused),
    /// a calendar's answer that is none
    #[error(transparent)]
    Proof(#[from] ots::Malformed),
    /// a block that says otherwise
    #[error("the header of block {0} does not commit to it")]
    Contradicted(u64),
    /// no header
    #[error(transparent)]
    Header(#[from] node::Error),
    /// a witness that did not sign
    #[error(transparent)]
    Witness(#[from] WitnessRefusal),
    /// the log's own tiles
    #[error(transparent)]
    Tiles(#[from] tiles::Error),
    /// the disk
    #[error(transparent)]
    Disk(#[from] durable::Error),
    /// the system gave no randomness
    #[error(transparent)]
    Randomness(#[from] keys::Error),
    /// nothing has been asked of anyone in this time
    #[error("no answer within the time there was")]
    Late,
    /// a file that belongs to no checkpoint here, or is an anchor of another one
    #[error("it is no anchor of the checkpoint kept with it")]
    Strange,
    /// the checkpoint kept beside the anchors is none
    #[error("the checkpoint kept with the anchors does not hold")]
    Checkpoint(#[from] BadCheckpoint),
}

/// What came of asking.
#[derive(Debug, Default)]
pub struct Outcome {
    /// what is kept, new or known better than before
    pub added: Vec<Added>,
    /// who gave nothing, and why
    pub failed: Vec<(String, Failure)>,
    /// signature lines that belong on the published checkpoint
    pub cosignatures: Vec<Signature>,
    /// files that have grown
    pub changed: HashSet<String>,
}

/// Who vouches now, and who does not.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Attested {
    /// size of the checkpoint that was shown
    pub checkpoint: u64,
    /// anchors that are new, or worth more than before
    pub added: Vec<Added>,
    /// who gave nothing, and why
    pub failed: Vec<Refusal>,
    /// proofs that wait for a block
    pub pending: u64,
    /// calendars that promised, and were not asked what became of it since nobody named them
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unasked: Vec<Unasked>,
}

/// A calendar that only proofs name.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Unasked {
    /// the address that they name
    pub calendar: String,
    /// how many of them wait there
    pub proofs: u64,
}

/// Someone who gave nothing.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Refusal {
    /// who, or which file
    pub authority: String,
    /// why
    pub why: String,
}

/// Where anchors are kept, and the tools to get them.
#[derive(Clone)]
pub struct Anchors {
    tiles: PathBuf,
    folder: AnchorFolder,
    settings: Settings,
    services: Services,
}

impl Attested {
    /// Takes in what came of asking; `late` if not everyone had the time to answer.
    pub fn take(&mut self, outcome: Outcome, late: bool) {
        self.added.extend(outcome.added);
        self.failed
            .extend(outcome.failed.into_iter().map(|(authority, failure)| Refusal { authority, why: said(&failure) }));
        if late {
            let authority = "whoever has not answered".to_owned();
            self.failed.push(Refusal { authority, why: Failure::Late.to_string() });
        }
    }
}

impl Outcome {
    /// Adds what else came.
    pub fn extend(&mut self, other: Self) {
        self.added.extend(other.added);
        self.failed.extend(other.failed);
        self.cosignatures.extend(other.cosignatures);
        self.changed.extend(other.changed);
    }

    fn take(&mut self, who: String, result: Result<Option<Added>, Failure>) {
        match result {
            Ok(added) => self.added.extend(added),
            Err(failure) => self.failed.push((who, failure)),
        }
    }
}

/// A failure with its causes, each said once.
fn said(failure: &Failure) -> String {
    let mut text = failure.to_string();
    let mut cause = std::error::Error::source(failure);
    while let Some(next) = cause {
        let more = next.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        cause = next.source();
    }
    text
}

/// An address as part of a file name: host, port and path, joined by what no host has.
pub fn name(url: &Url) -> String {
    let port = url.port().map(|port| format!("_{port}")).unwrap_or_default();
    let path = url.path().trim_matches('/');
    let path = if path.is_empty() { String::new() } else { format!("_{path}") };
    let whole = format!("{}{port}{path}", url.host_str().unwrap_or_default());
    plain(&whole)
}

/// A name as part of a file name.
fn plain(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() || c == '.' || c == '-' { c } else { '_' }).collect()
}

/// Whether a calendar's address in a proof is the one in the settings.
fn same_place(url: &Url, uri: &str) -> bool {
    Url::parse(uri).is_ok_and(|other| other.as_str().trim_end_matches('/') == url.as_str().trim_end_matches('/'))
}

/// Whether a calendar stands behind a public pool.
fn behind(pool: &Url, calendar: &Url) -> bool {
    let is_plain = |url: &Url| {
        let bare = url.username().is_empty() && url.password().is_none() && url.port().is_none();
        url.scheme() == "https" && bare && url.path() == "/" && url.query().is_none()
    };
    let (Some(pool_host), Some(host)) = (pool.host_str(), calendar.host_str()) else { return false };
    let fits = |(of_pool, of_calendar): &(&str, &str)| pool_host.ends_with(of_pool) && host.ends_with(of_calendar);
    is_plain(pool) && is_plain(calendar) && POOLS.iter().any(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_safe_and_tell_authorities_apart() {
        let named = |url: &str| name(&url.parse().unwrap());
        assert_eq!(named("https://tsa.example/"), "tsa.example");
        assert_eq!(named("http://127.0.0.1:8080/"), "127.0.0.1_8080");
        assert_eq!(named("https://tsa.example/a/../b?x=/.."), "tsa.example_b");
        assert_eq!(named("http://[::1]:80/%2e%2e/x"), "___1__x");
        assert_ne!(named("https://tsa.example/ec"), named("https://tsa.example/rsa"));
    }

    #[test]
    fn only_the_calendar_itself_is_the_calendar() {
        let url: Url = "https://calendar.example/".parse().unwrap();
        assert!(same_place(&url, "https://calendar.example"));
        for other in ["http://calendar.example", "https://calendar.example.evil", "https://calendar.example:1", "x"] {
            assert!(!same_place(&url, other), "{other}");
        }
    }

    #[test]
    fn naming_a_pool_names_the_calendars_behind_it_and_no_others() {
        let of = |named: &str, uri: &str| {
            let settings = Settings { calendars: vec![named.parse().unwrap()], ..Settings::default() };
            settings.calendar_at(uri).map(|url| url.to_string())
        };
        let pool = "https://a.pool.opentimestamps.org";
        let alice = "https://alice.btc.calendar.opentimestamps.org";
        assert_eq!(of(pool, alice), Some(format!("{alice}/")));
        assert!(of("https://a.pool.eternitywall.com/", "https://finney.calendar.eternitywall.com").is_some());
        assert!(of("https://ots.btc.catallaxy.com/", "https://btc.calendar.catallaxy.com").is_some());
        for (named, uri) in [
            (pool, "https://finney.calendar.eternitywall.com"),
            (pool, "http://alice.btc.calendar.opentimestamps.org"),
            (pool, "https://alice.btc.calendar.opentimestamps.org:8443"),
            (pool, "https://alice.btc.calendar.opentimestamps.org.evil.example"),
            (pool, "https://evilcalendar.opentimestamps.org"),
            (pool, "https://u:p@alice.btc.calendar.opentimestamps.org"),
            (pool, "https://alice.btc.calendar.opentimestamps.org/elsewhere"),
            ("http://a.pool.opentimestamps.org", alice),
            ("https://pool.opentimestamps.org.evil.example", alice),
            ("https://calendar.example", alice),
        ] {
            assert_eq!(of(named, uri), None, "{named}: {uri}");
        }
    }
}
