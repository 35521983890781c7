//! Asking: every authority, calendar and witness at once, and again about what is pending.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::Path;

use backon::{ExponentialBuilder, Retryable as _};
use jiff::Timestamp;
use tokio::task::JoinSet;
use url::Url;

use crate::format::checkpoint::{Checkpoint, Signed};
use crate::format::digest::Digest;
use crate::format::note::{Note, Signature, VerifierKey};
use crate::format::ots::{self, Proof, Status, commitment};
use crate::format::tsp::{self, Query};
use crate::proof::{Submission, WitnessRefusal, Witnessed};
use crate::work::anchor::{Added, Anchors, Failure, Kind, Outcome, Settings, State, Unasked, Witness, name, plain};
use crate::world::durable::Disk;
use crate::world::keys;
use crate::world::services::node::{self};
use crate::world::services::{Services, calendar, tsa, witness};
use crate::world::tiles::anchors::AnchorFolder;
use crate::world::tiles::reader::Tiles;

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

    /// Calendars that pending proofs name and the settings do not, with how many proofs wait there; a file that is no proof names none.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn unasked(&self) -> Result<Vec<Unasked>, Failure> {
        let mut found: BTreeMap<String, u64> = BTreeMap::new();
        for file in self.folder.names("ots")? {
            let Ok(proof) = Proof::parse(&self.folder.read(&file)?.unwrap_or_default()) else { continue };
            if !matches!(proof.status(|_| None), Ok(Status::Pending)) {
                continue;
            }
            let named: BTreeSet<String> = proof.pending()?.into_iter().map(|(uri, _)| uri).collect();
            // One that is asked is enough: it takes the whole proof further.
            if named.iter().all(|uri| self.settings.calendar_at(uri).is_none()) {
                named.into_iter().for_each(|uri| *found.entry(uri).or_default() += 1);
            }
        }
        Ok(found.into_iter().map(|(calendar, proofs)| Unasked { calendar, proofs }).collect())
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
            let Some(url) = self.settings.calendar_at(&uri) else { continue };
            let ask = || calendar::redeem(&self.services, &url, &message);
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
