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

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use backon::{ExponentialBuilder, Retryable as _};
use jiff::Timestamp;
use tokio::task::JoinSet;
use url::Url;

use crate::format::checkpoint::{Checkpoint, Refused as BadCheckpoint, Signed};
use crate::format::digest::Digest;
use crate::format::note::{Note, Signature, VerifierKey};
use crate::format::ots::{self, Proof, Status, commitment};
use crate::format::tsp::{self, Query, Roots};
use crate::proof::{Submission, WitnessRefusal, Witnessed};
use crate::world::durable::{self, Disk};
use crate::world::keys;
use crate::world::services::node::{self, Headers};
use crate::world::services::{self, Services, calendar, tsa, witness};
use crate::world::tiles;
use crate::world::tiles::anchors::AnchorFolder;
use crate::world::tiles::reader::Tiles;

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
    /// Whether nobody is named.
    pub fn is_empty(&self) -> bool {
        self.authorities.is_empty() && self.calendars.is_empty() && self.witnesses.iter().all(|w| w.url.is_none())
    }
}

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

impl Anchors {
    /// Those of the log in `ledger`.
    pub fn new(ledger: &Path, settings: Settings, services: Services, disk: Disk) -> Self {
        Self { tiles: ledger.to_owned(), folder: AnchorFolder::new(ledger, disk), settings, services }
    }

    /// Asks everyone for an anchor of `signed`, all at once. Those that gave theirs before are not asked again.
    ///
    /// # Errors
    /// The checkpoint cannot be kept; what goes wrong with one of those asked is in the outcome.
    pub async fn anchor(&self, signed: &Signed) -> Result<Outcome, Failure> {
        let signed = self.stamped(signed)?;
        let mut tasks = JoinSet::new();
        for url in self.settings.authorities.clone() {
            let (anchors, signed) = (self.clone(), signed.clone());
            tasks.spawn(async move { (name(&url), anchors.token(&signed, &url).await) });
        }
        for url in self.settings.calendars.clone() {
            let (anchors, signed) = (self.clone(), signed.clone());
            tasks.spawn(async move { (name(&url), anchors.promise(&signed, &url).await) });
        }
        for Witness { key, url } in self.settings.witnesses.clone() {
            let Some(url) = url else { continue };
            let (anchors, signed) = (self.clone(), signed.clone());
            tasks.spawn(async move { (name(&url), anchors.cosignature(&signed, &url, &key).await) });
        }
        let mut outcome = Outcome::default();
        while let Some(Ok((who, result))) = tasks.join_next().await {
            outcome.take(who, result);
        }
        outcome.cosignatures = self.cosignatures(&outcome.added)?;
        Ok(outcome)
    }

    /// Asks the calendars what became of their promises, and the headers whether they were kept. Proofs in `settled`
    /// are left alone; so is, for the rest of this pass, a calendar or a node that does not answer.
    ///
    /// # Errors
    /// The folder cannot be read; what goes wrong with one proof is in the outcome.
    pub async fn upgrade(&self, settled: &HashSet<String>) -> Result<Outcome, Failure> {
        let mut outcome = Outcome::default();
        let mut silent: HashSet<String> = HashSet::new();
        for file in self.folder.names("ots")? {
            let authority = place(&file).map(|(_, authority)| authority).unwrap_or_default();
            let grown = self.folder.grown(&file)?.is_some();
            if settled.contains(&file) && !grown || silent.contains(authority) {
                continue;
            }
            let before = Digest::of(&self.folder.read(&file)?.unwrap_or_default());
            let result = self.upgraded(&file).await;
            if matches!(&result, Ok(Some(added)) if added.digest != before) {
                outcome.changed.insert(file.clone());
            }
            if let Err(Failure::Unreachable(_) | Failure::Header(_)) = result {
                silent.insert(authority.to_owned());
            }
            outcome.take(file, result);
        }
        Ok(outcome)
    }

    /// Puts the proofs that have grown in their places, now that records name them.
    ///
    /// # Errors
    /// The disk.
    pub fn settle(&self, recorded: &[Added]) -> Result<(), Failure> {
        for added in recorded.iter().filter(|added| added.kind == Kind::Ots) {
            self.folder.settle(&added.file)?;
        }
        Ok(())
    }

    /// What the anchors that lie here and are not among `known` are worth: those whose record a crash prevented, and
    /// cosignatures, whose record comes later.
    ///
    /// # Errors
    /// The folder cannot be read; what goes wrong with one of them is in the outcome.
    pub async fn unrecorded(&self, known: &HashSet<String>) -> Result<Outcome, Failure> {
        let mut outcome = Outcome::default();
        for kind in [Kind::Tsr, Kind::Ots, Kind::Cosignature] {
            for file in self.folder.names(kind.as_str())? {
                if !known.contains(&file) {
                    let result = self.worth(kind, &file).await.map(Some);
                    outcome.take(file, result);
                }
            }
        }
        Ok(outcome)
    }

    /// Keeps a witness's lines for the checkpoint that is published; they must verify.
    ///
    /// # Errors
    /// No line of `key` that verifies; the disk.
    pub fn keep_lines(&self, signed: &Signed, key: &VerifierKey, lines: Vec<Signature>) -> Result<Added, Failure> {
        let signed = self.stamped(signed)?;
        let authority = plain(key.name.as_str());
        let file = format!("{}.{authority}.cosignature", signed.checkpoint.size);
        self.keep_cosignature(&signed, key, file, authority, lines)
    }

    /// What a file that lies here is worth.
    async fn worth(&self, kind: Kind, file: &str) -> Result<Added, Failure> {
        let (size, authority) = place(file).ok_or(Failure::Strange)?;
        let note = self.folder.read(&format!("{size}.checkpoint"))?.ok_or(Failure::Strange)?;
        let signed = Signed::parse(&note)?;
        let bytes = self.folder.read(file)?.unwrap_or_default();
        let (state, at) = match kind {
            Kind::Tsr => {
                let query = self.folder.read(&file.replace(".tsr", ".tsq"))?;
                let nonce = query.and_then(|query| Query::parse(&query).ok()).map(|query| query.nonce);
                let stamp = tsp::verify(&bytes, &signed.digest(), nonce.as_ref(), &self.settings.roots)?;
                (State::Verified, Some(stamp.at))
            }
            Kind::Ots => {
                let proof = Proof::parse(&bytes)?;
                if proof.digest != signed.digest() {
                    return Err(Failure::Strange);
                }
                self.confirmed(&proof).await?
            }
            Kind::Cosignature => {
                let keys: Vec<VerifierKey> = self.settings.witnesses.iter().map(|w| w.key.clone()).collect();
                let lines = lines(&bytes);
                let known = |line: &Signature| keys.iter().any(|key| key.name == line.name && key.id == line.id);
                if lines.iter().any(known) {
                    (State::Verified, Some(cosigned_at(&signed, lines, &keys).ok_or(WitnessRefusal::NoCosignature)?))
                } else {
                    (State::Unchecked, None)
                }
            }
        };
        let (file, authority, digest) = (file.to_owned(), authority.to_owned(), Digest::of(&bytes));
        Ok(Added { size, kind, authority, state, file, digest, at })
    }

    /// The checkpoint that anchors of this size stamp: the one kept already, or this one from now on.
    fn stamped(&self, signed: &Signed) -> Result<Signed, Failure> {
        let file = format!("{}.checkpoint", signed.checkpoint.size);
        if let Some(note) = self.folder.read(&file)? {
            let kept = Signed::parse(&note)?;
            if kept.checkpoint == signed.checkpoint {
                return Ok(kept);
            }
        }
        self.folder.keep(&file, &signed.note)?;
        Ok(signed.clone())
    }

    async fn token(&self, signed: &Signed, url: &Url) -> Result<Option<Added>, Failure> {
        let stem = format!("{}.{}", signed.checkpoint.size, name(url));
        let file = format!("{stem}.tsr");
        if self.folder.has(&file) {
            return Ok(None);
        }
        let query = Query { imprint: signed.digest(), nonce: keys::random()? };
        let ask = || tsa::ask(&self.services, url, &query);
        let response = match ask.retry(patience()).await? {
            tsa::Answer::Response(bytes) => bytes,
            tsa::Answer::Other(status, kind) => return Err(Failure::Answer(status, kind)),
        };
        let stamp = tsp::verify(&response, &query.imprint, Some(&query.nonce), &self.settings.roots)?;
        // A crash between an earlier request and its response left a request that nothing answers.
        self.folder.replace(&format!("{stem}.tsq"), &query.to_der())?;
        self.folder.keep(&file, &response)?;
        let digest = Digest::of(&response);
        let (size, authority) = (signed.checkpoint.size, name(url));
        let at = Some(stamp.at);
        Ok(Some(Added { size, kind: Kind::Tsr, authority, state: State::Verified, file, digest, at }))
    }

    async fn promise(&self, signed: &Signed, url: &Url) -> Result<Option<Added>, Failure> {
        let file = format!("{}.{}.ots", signed.checkpoint.size, name(url));
        if self.folder.has(&file) {
            return Ok(None);
        }
        let (digest, nonce) = (signed.digest(), keys::random()?);
        let sent = commitment(&digest, &nonce);
        let ask = || calendar::submit(&self.services, url, &sent);
        let answer = match ask.retry(patience()).await? {
            calendar::Answer::Timestamp(bytes) => bytes,
            calendar::Answer::NotYet(_) => return Err(Failure::Answer(404, String::new())),
            calendar::Answer::Other(status) => return Err(Failure::Answer(status, String::new())),
        };
        let proof = Proof::submitted(digest, &nonce, &answer)?.to_bytes();
        self.folder.keep(&file, &proof)?;
        let (size, authority, digest) = (signed.checkpoint.size, name(url), Digest::of(&proof));
        Ok(Some(Added { size, kind: Kind::Ots, authority, state: State::Pending, file, digest, at: None }))
    }

    async fn cosignature(&self, signed: &Signed, url: &Url, key: &VerifierKey) -> Result<Option<Added>, Failure> {
        let Checkpoint { size, .. } = signed.checkpoint;
        let file = format!("{size}.{}.cosignature", name(url));
        if self.folder.has(&file) {
            return Ok(None);
        }
        let text = signed.checkpoint.to_string();
        let mut old = 0;
        // At most once more: the witness says where it stands, and that is where the second proof begins.
        for _ in 0..2 {
            let proof = Tiles::new(&self.tiles).consistency(old, size)?;
            let submission = Submission { old, proof, note: signed.note.clone() };
            let ask = || witness::submit(&self.services, url, key, &submission, &text);
            match ask.retry(patience()).await? {
                Witnessed::Cosigned(lines) => {
                    return self.keep_cosignature(signed, key, file, name(url), lines).map(Some);
                }
                Witnessed::From(seen) if seen <= size && seen != old => old = seen,
                Witnessed::From(_) => return Err(WitnessRefusal::Inconsistent.into()),
                Witnessed::Refused(why) => return Err(why.into()),
            }
        }
        Err(WitnessRefusal::Status(409).into())
    }

    fn keep_cosignature(
        &self,
        signed: &Signed,
        key: &VerifierKey,
        file: String,
        authority: String,
        lines: Vec<Signature>,
    ) -> Result<Added, Failure> {
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        let at = cosigned_at(signed, lines, std::slice::from_ref(key)).ok_or(WitnessRefusal::NoCosignature)?;
        self.folder.keep(&file, text.as_bytes())?;
        let at = Some(at);
        let (size, digest) = (signed.checkpoint.size, Digest::of(text.as_bytes()));
        Ok(Added { size, kind: Kind::Cosignature, authority, state: State::Verified, file, digest, at })
    }

    /// One proof, taken further where that can be done; `None` where nothing is new.
    async fn upgraded(&self, file: &str) -> Result<Option<Added>, Failure> {
        let before = self.folder.read(file)?.unwrap_or_default();
        let mut proof = Proof::parse(&before)?;
        for (uri, message) in proof.pending()? {
            // Only calendars of the settings are asked: a proof could name any address.
            let Some(url) = self.settings.calendars.iter().find(|url| same_place(url, &uri)) else { continue };
            let ask = || calendar::redeem(&self.services, url, &message);
            match ask.retry(patience()).await? {
                calendar::Answer::Timestamp(bytes) => proof.upgrade(&message, &bytes).map(drop)?,
                calendar::Answer::NotYet(_) => (),
                calendar::Answer::Other(status) => return Err(Failure::Answer(status, String::new())),
            }
        }
        let (state, at) = self.confirmed(&proof).await?;
        let after = proof.to_bytes();
        Proof::parse(&after)?;
        if after == before && state == State::Pending {
            return Ok(None);
        }
        let (size, authority) = place(file).ok_or(Failure::Strange)?;
        if after != before {
            self.folder.put_beside(file, &after)?;
        }
        let (file, authority, digest) = (file.to_owned(), authority.to_owned(), Digest::of(&after));
        Ok(Some(Added { size, kind: Kind::Ots, authority, state, file, digest, at }))
    }

    /// What a proof is worth given the headers there are.
    async fn confirmed(&self, proof: &Proof) -> Result<(State, Option<Timestamp>), Failure> {
        let mut known = std::collections::BTreeMap::new();
        for (_, attestation) in proof.attested()? {
            let (ots::Attestation::Bitcoin(height), Some(source)) = (attestation, &self.settings.headers) else {
                continue;
            };
            if let Some(header) = node::at(&self.services, source, height).await? {
                known.insert(height, header);
            }
        }
        let time = |height| known.get(&height).and_then(|h| Timestamp::from_second(h.time.into()).ok());
        match proof.status(|height| known.get(&height).map(|h| h.root))? {
            Status::Confirmed(height) => Ok((State::Confirmed, time(height))),
            Status::Unchecked(_) => Ok((State::Unchecked, None)),
            Status::Contradicted(height) => Err(Failure::Contradicted(height)),
            Status::Pending | Status::Nothing => Ok((State::Pending, None)),
        }
    }

    fn cosignatures(&self, added: &[Added]) -> Result<Vec<Signature>, Failure> {
        let mut lines = Vec::new();
        for anchor in added.iter().filter(|anchor| anchor.kind == Kind::Cosignature) {
            let text = self.folder.read(&anchor.file)?.unwrap_or_default();
            lines.extend(self::lines(&text));
        }
        Ok(lines)
    }
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

/// Twice more, soon: whoever is down longer is asked at the next anchoring.
fn patience() -> ExponentialBuilder {
    ExponentialBuilder::default().with_jitter().with_max_times(2)
}

/// Size and authority in an anchor's file name.
fn place(file: &str) -> Option<(u64, &str)> {
    let (size, rest) = file.split_once('.')?;
    let (authority, _) = rest.rsplit_once('.')?;
    Some((size.parse().ok()?, authority))
}

/// The signature lines in a file.
fn lines(bytes: &[u8]) -> Vec<Signature> {
    String::from_utf8_lossy(bytes).lines().filter_map(|line| line.parse().ok()).collect()
}

/// When one of `keys` cosigned.
fn cosigned_at(signed: &Signed, lines: Vec<Signature>, keys: &[VerifierKey]) -> Option<Timestamp> {
    let note = Note { text: signed.checkpoint.to_string(), signatures: lines };
    let at = note.verify(keys).ok()?.iter().find_map(|vouched| vouched.at)?;
    Timestamp::from_second(i64::try_from(at).ok()?).ok()
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
}
