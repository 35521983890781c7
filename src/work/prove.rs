//! Proving: a record with all that a stranger needs to believe it, handed over as one bundle; and judging such a bundle.
//!
//! Judging needs no archive: a key remembered from elsewhere, and for the anchors the roots, witnesses and block headers
//! that are trusted. What of these is not there is named as not checked.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::Serialize;
use uuid::Uuid;

use crate::format::checkpoint::{Refused, Signed};
use crate::format::digest::Digest;
use crate::format::note::{Note, VerifierKey};
use crate::format::ots::{self, Header, Status};
use crate::format::tlog_proof::{TlogProof, Unproven};
use crate::format::tsp::{self, Query, Roots};
use crate::proof::{Bundle, Proved, Unbelieved, names, successors};
use crate::record::{Event, Record};
use crate::resolution::exchange::RecordName;
use crate::work::anchor::{Kind, State};
use crate::work::fault::Fault;
use crate::work::parts::Paths;
use crate::work::rotate::rotations;
use crate::work::verify::{Independence, Problem, Verdict};
use crate::world::durable::Disk;
use crate::world::store::Store;
use crate::world::store::holds::Thing;
use crate::world::tiles::anchors::AnchorFolder;
use crate::world::tiles::prover::Prover;
use crate::world::tiles::reader::Tiles;
use crate::world::vault::place::{self, Place};

/// Bytes of evidence that one bundle carries at most; a larger case is an evidence package's.
const MAX_EVIDENCE: u64 = 40 * 1024 * 1024;

/// Proves the record that speaks of `id`: a ledger index, or the digest of a statement, citation, snapshot or leaf. Of
/// several the latest is proved. The checkpoint is the earliest one over it that someone outside vouches for, or else
/// the published one. With `evidence` the WARC records it rests on come with it.
///
/// # Errors
/// Nothing has that id; files of the archive that are missing or damaged.
pub fn prove(paths: &Paths, id: &str, evidence: bool) -> Result<Bundle, Fault> {
    if !paths.is_archive() {
        return Err(Fault::NoArchive(paths.root.clone()));
    }
    let store = Store::open_read(&paths.catalogue())?;
    let index = find(&store, id)?;
    let row = store.record(index)?.ok_or_else(|| Fault::NotHere(format!("the ledger has no record {index}")))?;
    let block =
        member(paths, &store, row.warc)?.ok_or_else(|| Fault::Damaged(format!("record {index} is not in warc/")))?;
    let record = String::from_utf8(block.block).map_err(|_| Fault::Damaged(format!("record {index} is no text")))?;
    let tiles = Tiles::new(&paths.ledger());
    let key = tiles.key()?;
    let now = tiles.checkpoint(std::slice::from_ref(&key))?;
    if index >= now.checkpoint.size {
        return Err(Fault::Damaged(format!("record {index} is not under the checkpoint yet")));
    }
    let (signed, anchors) = anchored(paths, &store, index, &key)?.unwrap_or((now, BTreeMap::new()));
    let path = Prover::new(&tiles, signed.checkpoint.size).inclusion(index)?;
    let proof = TlogProof { extra: None, index, path, checkpoint: signed.note };
    let mut bundle = Bundle::new(record, &key, &proof, anchors);
    bundle.rotations = rotations(&store)?;
    if evidence {
        add_evidence(paths, &store, &mut bundle)?;
    }
    // What is handed over has been believed once.
    let proved = bundle.verify(std::slice::from_ref(&key));
    proved.map_err(|why| Fault::Damaged(format!("the proof of record {index} does not hold: {}", said(&why))))?;
    Ok(bundle)
}

fn find(store: &Store, id: &str) -> Result<u64, Fault> {
    if let Ok(index) = id.parse::<u64>()
        && id.len() < 12
    {
        return Ok(index);
    }
    let missing = || Fault::NotHere(format!("no record of the archive speaks of {id}"));
    let hex = id.strip_prefix("sha256:").unwrap_or(id);
    let digests = if hex.len() == 64 {
        id.parse().or_else(|_| format!("sha256:{hex}").parse()).map(|d| vec![d]).unwrap_or_default()
    } else {
        store.by_prefix(hex)?
    };
    if digests.len() > 1 {
        return Err(Fault::Input {
            what: format!("{id} is the beginning of several ids"),
            hint: "give more digits".to_owned(),
        });
    }
    let mut records = Vec::new();
    for digest in &digests {
        let things = store.things(digest)?;
        records.extend(things.into_iter().filter_map(|thing| match thing {
            Thing::Record(index) => Some(index),
            Thing::Warc(_) => None,
        }));
    }
    records.into_iter().max().ok_or_else(missing)
}

/// A checkpoint and its anchors' files by name.
type Anchored = (Signed, BTreeMap<String, Vec<u8>>);

/// The earliest checkpoint over `index` that others vouch for and that the log's present key signed, with its anchors.
fn anchored(paths: &Paths, store: &Store, index: u64, key: &VerifierKey) -> Result<Option<Anchored>, Fault> {
    let folder = AnchorFolder::new(&paths.ledger(), Disk::default());
    let rows = store.anchors()?;
    let strong = |size: u64| rows.iter().any(|row| row.size == size && row.state != "pending");
    let mut sizes: Vec<u64> = rows.iter().map(|row| row.size).filter(|size| *size > index).collect();
    sizes.sort_by_key(|size| (!strong(*size), *size));
    sizes.dedup();
    for size in sizes {
        let Some(note) = folder.read(&format!("{size}.checkpoint"))? else { continue };
        let Ok(signed) = Signed::open(&note, std::slice::from_ref(key)) else { continue };
        let mut anchors = BTreeMap::new();
        for row in rows.iter().filter(|row| row.size == size) {
            let query = row.file.strip_suffix(".tsr").map(|stem| format!("{stem}.tsq"));
            for file in std::iter::once(row.file.clone()).chain(query) {
                anchors.extend(folder.read(&file)?.map(|bytes| (file, bytes)));
            }
        }
        return Ok(Some((signed, anchors)));
    }
    Ok(None)
}

fn member(paths: &Paths, store: &Store, id: Uuid) -> Result<Option<crate::format::warc::record::Record>, Fault> {
    let Some(at) = store.locate(id)? else { return Ok(None) };
    let place = Place { file: at.file, offset: at.offset, length: at.length };
    Ok(Some(place::read_at(&paths.warc(), &place)?.record))
}

/// The WARC records that the record names, those that documents among them name, and so on.
fn add_evidence(paths: &Paths, store: &Store, bundle: &mut Bundle) -> Result<(), Fault> {
    let mut waiting = names(&serde_json::from_str(&bundle.record).map_err(Fault::json)?);
    let mut bytes = 0;
    while let Some(name) = waiting.pop() {
        if bundle.evidence.contains_key(&name.id) {
            continue;
        }
        let Some(at) = store.locate(name.id)? else {
            return Err(Fault::Damaged(format!("the WARC record {} is not in the catalogue", name.id)));
        };
        bytes += at.length;
        if bytes > MAX_EVIDENCE {
            return Err(Fault::Input {
                what: format!("the evidence is longer than the {MAX_EVIDENCE} bytes that one bundle carries"),
                hint: "hand over the bundle without --evidence together with the WARC files".to_owned(),
            });
        }
        let place = Place { file: at.file, offset: at.offset, length: at.length };
        let mut member = Vec::new();
        place::member_at(&paths.warc(), &place, &mut member)?;
        bundle.put_evidence(name.id, &member);
        waiting.extend(bundle.evidence(name.id).map(|plain| named_in(&plain)).unwrap_or_default());
    }
    Ok(())
}

/// What a WARC record names, where its block is a document of ours.
fn named_in(plain: &[u8]) -> Vec<RecordName> {
    let Some(end) = memchr::memmem::find(plain, b"\r\n\r\n") else { return Vec::new() };
    let (head, block) = plain.split_at(end + 4);
    if memchr::memmem::find(head, b"WARC-Type: metadata\r\n").is_none() {
        return Vec::new();
    }
    serde_json::from_slice(block).map(|document| names(&document)).unwrap_or_default()
}

/// What a judge of bundles trusts from elsewhere.
#[derive(Clone, Debug, Default)]
pub struct Trusted {
    /// the log's key; without one the bundle's own is taken, and that is said
    pub keys: Vec<VerifierKey>,
    /// roots of timestamp authorities
    pub roots: Roots,
    /// witnesses
    pub witnesses: Vec<VerifierKey>,
    /// block headers by height
    pub headers: BTreeMap<u64, Header>,
}

/// What a bundle came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Judged {
    /// always `bundle`
    pub target: &'static str,
    /// the whole of it
    pub verdict: Verdict,
    /// who besides the log vouches for it
    pub independence: Independence,
    /// the record's digest
    #[serde(skip_serializing_if = "Option::is_none")]
    pub record: Option<Digest>,
    /// its kind
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<&'static str>,
    /// when it says it happened
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// its place in the log
    #[serde(skip_serializing_if = "Option::is_none")]
    pub index: Option<u64>,
    /// the log
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
    /// leaves under the checkpoint
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// its anchors
    pub anchors: Vec<JudgedAnchor>,
    /// WARC records that came with it and are those that are named
    pub evidence: u64,
    /// what is wrong, each by its name
    pub problems: Vec<Problem>,
    /// what was not looked at
    pub not_checked: Vec<String>,
}

/// An anchor in a bundle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct JudgedAnchor {
    /// its file name
    pub file: String,
    /// what it is worth
    pub state: State,
    /// the time it vouches for
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
}

/// The heights of the blocks whose headers a judge needs.
pub fn heights(bundle: &Bundle) -> BTreeSet<u64> {
    let proofs = bundle.anchors.keys().filter(|name| name.ends_with(".ots")).filter_map(|name| bundle.anchor(name));
    let attested = proofs.filter_map(|bytes| ots::Proof::parse(&bytes).ok()?.attested().ok().map(heights_of));
    attested.flatten().collect()
}

fn heights_of(attested: Vec<(Vec<u8>, ots::Attestation)>) -> Vec<u64> {
    let height =
        |(_, attestation)| if let ots::Attestation::Bitcoin(height) = attestation { Some(height) } else { None };
    attested.into_iter().filter_map(height).collect()
}

/// Judges a bundle's bytes.
pub fn judge(bytes: &[u8], trusted: &Trusted) -> Judged {
    let mut judged = Judged {
        target: "bundle",
        verdict: Verdict::NothingChecked,
        independence: Independence::SelfAttested,
        record: None,
        kind: None,
        at: None,
        index: None,
        origin: None,
        size: None,
        anchors: Vec::new(),
        evidence: 0,
        problems: Vec::new(),
        not_checked: Vec::new(),
    };
    match Bundle::parse(bytes) {
        Ok(bundle) => judged.whole(&bundle, trusted),
        Err(why) => judged.problem("bundle-malformed", "bundle", said(&why)),
    }
    judged.verdict = if judged.problems.is_empty() { Verdict::Intact } else { Verdict::Damaged };
    judged
}

impl Judged {
    fn problem(&mut self, kind: &'static str, place: &str, what: impl Into<String>) {
        self.problems.push(Problem { kind, place: place.to_owned(), what: what.into() });
    }

    fn whole(&mut self, bundle: &Bundle, trusted: &Trusted) {
        let Some(keys) = self.keys(bundle, &trusted.keys) else { return };
        let proved = match bundle.verify(&keys) {
            Ok(proved) => proved,
            Err(why) => return self.problem(kind_of(&why), "bundle/proof", said(&why)),
        };
        self.take(bundle, &proved);
        for name in bundle.anchors.keys().filter(|name| !name.ends_with(".tsq")) {
            self.anchor(bundle, name, &proved.checkpoint, trusted);
        }
        self.witnesses(&proved.checkpoint, &trusted.witnesses);
        self.evidence(bundle);
    }

    /// The keys to believe: those that are trusted, or the bundle's own where none is.
    fn keys(&mut self, bundle: &Bundle, trusted: &[VerifierKey]) -> Option<Vec<VerifierKey>> {
        let own = match bundle.vkey.parse::<VerifierKey>() {
            Ok(own) => own,
            Err(why) => {
                self.problem("key-unknown", "bundle/vkey", why.to_string());
                return None;
            }
        };
        if trusted.is_empty() {
            self.not_checked.push("whether the signing key is the right one: none was given with --key".to_owned());
            return Some(vec![own]);
        }
        // A change of keys is signed by both, so it can be believed wherever it comes from.
        let keys: Vec<VerifierKey> =
            trusted.iter().flat_map(|trusted| successors(trusted, &bundle.rotations)).collect();
        if keys.contains(&own) {
            return Some(keys);
        }
        let given: Vec<String> = trusted.iter().map(ToString::to_string).collect();
        let mut what = format!("it is signed with {own}, and what is trusted is {}", given.join(" and "));
        if trusted.iter().any(|trusted| trusted.name == own.name) {
            what.push_str(
                ": both go by the log's name, so it may have changed its key in between; check it with the key that the log had \
                 then, where you know that one",
            );
        }
        self.problem("key-unknown", "bundle/vkey", what);
        None
    }

    fn take(&mut self, bundle: &Bundle, proved: &Proved) {
        let checkpoint = &proved.checkpoint.checkpoint;
        (self.record, self.index) = (Some(proved.record), Some(proved.index));
        (self.origin, self.size) = (Some(checkpoint.origin.to_string()), Some(checkpoint.size));
        match Record::read(bundle.record.as_bytes()) {
            Ok(record) => {
                (self.kind, self.at) = (Some(record.event.kind()), Some(record.at));
                if let Event::RunOpened { run, beacon: Some(beacon), .. } = &record.event
                    && let Err(why) = beacon.bounds(*run, record.at)
                {
                    self.problem("beacon-invalid", "bundle/record", why.to_string());
                }
            }
            Err(why) => self.problem("record-malformed", "bundle/record", why.to_string()),
        }
    }

    fn anchor(&mut self, bundle: &Bundle, name: &str, signed: &Signed, trusted: &Trusted) {
        let place = format!("bundle/anchors/{name}");
        let Some(bytes) = bundle.anchor(name) else {
            return self.problem("anchor-invalid", &place, "it is not base64");
        };
        let nonce = name.strip_suffix(".tsr").and_then(|stem| bundle.anchor(&format!("{stem}.tsq")));
        let nonce = nonce.and_then(|query| Query::parse(&query).ok()).map(|query| query.nonce);
        match worth(name, &bytes, nonce, signed, trusted) {
            Ok((state, at)) => {
                let strength = match state {
                    State::Verified if name.ends_with(".cosignature") => Independence::Witnessed,
                    State::Verified | State::Confirmed => Independence::Anchored,
                    State::Pending => Independence::Pending,
                    State::Unchecked => {
                        self.not_checked.push(format!("{name}: {}", unchecked(name)));
                        Independence::Pending
                    }
                };
                self.independence = self.independence.max(strength);
                self.anchors.push(JudgedAnchor { file: name.to_owned(), state, at });
            }
            Err(why) => self.problem("anchor-invalid", &place, why),
        }
    }

    /// Lines of known witnesses on the checkpoint itself.
    fn witnesses(&mut self, signed: &Signed, known: &[VerifierKey]) {
        let vouched = Note::parse(&signed.note).ok().map(|note| note.verify(known).map(|v| v.len()));
        match vouched {
            Some(Ok(n)) if n > 0 => self.independence = Independence::Witnessed,
            Some(Err(bad)) => self.problem("anchor-invalid", "bundle/proof", bad.to_string()),
            _ => {}
        }
    }

    /// Each member is the WARC record that the record, or a document it names, names.
    fn evidence(&mut self, bundle: &Bundle) {
        let record = serde_json::from_str(&bundle.record).unwrap_or_default();
        let mut waiting = names(&record);
        let mut seen = BTreeSet::new();
        let mut absent = 0;
        while let Some(name) = waiting.pop() {
            if !seen.insert(name.id) {
                continue;
            }
            if !bundle.evidence.contains_key(&name.id) {
                absent += 1;
                continue;
            }
            match bundle.evidence(name.id).filter(|plain| Digest::of(plain) == name.digest) {
                Some(plain) => {
                    self.evidence += 1;
                    waiting.extend(named_in(&plain));
                }
                None => self.problem(
                    "payload-changed",
                    &format!("bundle/evidence/{}", name.id),
                    "it is not the WARC record that the ledger names",
                ),
            }
        }
        for id in bundle.evidence.keys().filter(|id| !seen.contains(id)) {
            self.problem("record-added", &format!("bundle/evidence/{id}"), "nothing in the record names it");
        }
        if absent > 0 {
            self.not_checked.push(format!("{absent} WARC records that it names and that are not in the bundle"));
        }
    }
}

/// What one anchor is worth to this judge, or why it is none.
fn worth(
    name: &str,
    bytes: &[u8],
    nonce: Option<[u8; 8]>,
    signed: &Signed,
    trusted: &Trusted,
) -> Result<(State, Option<Timestamp>), String> {
    let ending = name.rsplit_once('.').map(|(_, ending)| ending).unwrap_or_default();
    if ending == Kind::Tsr.as_str() {
        return match tsp::verify(bytes, &signed.digest(), nonce.as_ref(), &trusted.roots) {
            Ok(stamp) => Ok((State::Verified, Some(stamp.at))),
            Err(tsp::Refused::UnpinnedAuthority) if trusted.roots.is_empty() => Ok((State::Unchecked, None)),
            Err(why) => Err(why.to_string()),
        };
    }
    if ending == Kind::Ots.as_str() {
        return promised(bytes, signed, trusted);
    }
    if ending == Kind::Cosignature.as_str() {
        let lines = String::from_utf8_lossy(bytes).lines().filter_map(|line| line.parse().ok()).collect();
        let note = Note { text: signed.checkpoint.to_string(), signatures: lines };
        let vouched = note.verify(&trusted.witnesses).map_err(|bad| bad.to_string())?;
        let at = vouched.iter().find_map(|v| v.at).and_then(|at| i64::try_from(at).ok());
        let at = at.and_then(|at| Timestamp::from_second(at).ok());
        return Ok(if vouched.is_empty() { (State::Unchecked, None) } else { (State::Verified, at) });
    }
    Err("it is no anchor".to_owned())
}

fn promised(bytes: &[u8], signed: &Signed, trusted: &Trusted) -> Result<(State, Option<Timestamp>), String> {
    let proof = ots::Proof::parse(bytes).map_err(|why| why.to_string())?;
    if proof.digest != signed.digest() {
        return Err("the proof is of another digest".to_owned());
    }
    let known = |height| trusted.headers.get(&height);
    match proof.status(|height| known(height).map(|header| header.root)).map_err(|why| why.to_string())? {
        Status::Confirmed(height) => {
            let at = known(height).and_then(|header| Timestamp::from_second(header.time.into()).ok());
            Ok((State::Confirmed, at))
        }
        Status::Unchecked(_) => Ok((State::Unchecked, None)),
        Status::Pending => Ok((State::Pending, None)),
        Status::Contradicted(height) => Err(format!("the header of block {height} does not commit to it")),
        Status::Nothing => Err("nothing attests to it".to_owned()),
    }
}

fn unchecked(name: &str) -> &'static str {
    match name.rsplit_once('.') {
        Some((_, "tsr")) => "no roots of timestamp authorities were given",
        Some((_, "ots")) => "the header of its block was not given",
        _ => "its witness is not among those that are known",
    }
}

/// The contract's name for what is wrong with a bundle.
fn kind_of(why: &Unbelieved) -> &'static str {
    match why {
        Unbelieved::NotABundle | Unbelieved::Proof(_) => "bundle-malformed",
        Unbelieved::NotCanonical => "record-malformed",
        Unbelieved::Unproven(Unproven::Path(_)) => "leaf-changed",
        Unbelieved::Unproven(Unproven::Checkpoint(refused)) => match refused {
            Refused::KeyUnknown(_) | Refused::OtherOrigin(_) => "key-unknown",
            _ => "checkpoint-bad-signature",
        },
    }
}

fn said(why: &dyn std::error::Error) -> String {
    let mut text = why.to_string();
    let mut cause = why.source();
    while let Some(next) = cause {
        text = format!("{text}: {next}");
        cause = next.source();
    }
    text
}
