//! The proof that an account signed a repository with a record in it, or without (atproto.com/specs/repository,
//! `com.atproto.sync.getRecord`).
//!
//! It proves that the account's key signed a repository state that holds exactly these bytes under this name, or nothing
//! under it. It proves no time: revision, record key and `createdAt` are all chosen by the account's own software.

use jiff::Timestamp;
use serde::Serialize;

use super::POSTS;
use crate::format::car::{Car, CarError};
use crate::format::cbor::{CborError, Value};
use crate::format::cid::Cid;
use crate::format::did::{Did, DidDocument, MethodError};
use crate::format::mst::{self, Found, MstError};
use crate::format::multikey::{PublicKey, SignatureError};
use crate::format::plc::History;
use crate::format::tid::Tid;
use crate::platform::reader::Attestation;

/// What a repository says of a name in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Claim {
    /// this record stands under it
    Included(Cid),
    /// nothing stands under it
    Absent,
}

/// Where the account's key is known from; without either nothing is proved.
#[derive(Clone, Copy, Debug, Default)]
pub struct Keys<'a> {
    /// the DID document
    pub document: Option<&'a DidDocument>,
    /// the verified history of a did:plc
    pub history: Option<&'a History>,
}

/// What a CAR proves of a record.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Proof {
    /// the AT URI asked about
    pub uri: String,
    /// what the repository says; only worth something where [`Proof::verified`]
    pub claim: Option<Claim>,
    /// the commit
    pub commit: Option<Cid>,
    /// its revision, a TID
    pub rev: Option<String>,
    /// the time that the revision claims
    pub rev_time: Option<Timestamp>,
    /// the key that signed it, as `did:key:…`
    pub key: Option<String>,
    /// the record in its JSON form, where it is included
    pub record: Option<serde_json::Value>,
    /// the first rule that is broken
    #[serde(serialize_with = "by_name")]
    pub fault: Option<Fault>,
}

/// Why a CAR does not prove what it should.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// a block's bytes are not what its CID names
    #[error("block {0} was altered")]
    TamperedBlock(Cid),
    /// the archive cannot be read
    #[error("{0}")]
    MalformedCar(CarError),
    /// not one root, or the block it names is not there
    #[error("an archive without its one commit")]
    MissingCommit,
    /// bytes in another spelling than the canonical one
    #[error("{0} is {1}")]
    NonCanonical(&'static str, CborError),
    /// a commit without its fields, or of a version other than 3
    #[error("a commit without the fields of version 3")]
    MalformedCommit,
    /// a commit of another account's repository
    #[error("a commit of another account")]
    WrongAccount,
    /// no key to check the signature with
    #[error("no key of the account is known: {0}")]
    NoKey(MethodError),
    /// the signature is not in the one form allowed
    #[error("{0}")]
    MalformedSignature(SignatureError),
    /// the signature is by no key the account has or had
    #[error("a commit signed by no key that the account has or had")]
    ForgedKey,
    /// the document's key is in no operation of the account's history
    #[error("a key that stands in the document and not in the history")]
    KeyNotInHistory,
    /// the account's key, at another time than the commit's
    #[error("a commit signed by a key that the account did not have at its revision")]
    KeyOutOfTime,
    /// a node on the way to the record's name is not in the archive
    #[error("an archive that does not lead to the record's name: {0}")]
    WrongPath(MstError),
    /// a node breaks a rule of the tree
    #[error("{0}")]
    MalformedTree(MstError),
    /// the tree names the record, whose block is not there
    #[error("an archive without the record {0}")]
    MissingRecord(Cid),
}

impl Fault {
    /// Its short name.
    pub fn name(&self) -> &'static str {
        match self {
            Self::TamperedBlock(_) => "tampered-block",
            Self::MalformedCar(_) => "malformed-car",
            Self::MissingCommit => "missing-commit",
            Self::NonCanonical(..) => "non-canonical-cbor",
            Self::MalformedCommit => "malformed-commit",
            Self::WrongAccount => "wrong-account",
            Self::NoKey(_) => "no-key",
            Self::MalformedSignature(SignatureError::HighS) => "high-s-signature",
            Self::MalformedSignature(_) => "malformed-signature",
            Self::ForgedKey => "forged-key",
            Self::KeyNotInHistory => "key-not-in-history",
            Self::KeyOutOfTime => "key-out-of-time",
            Self::WrongPath(_) => "wrong-path",
            Self::MalformedTree(_) => "malformed-tree",
            Self::MissingRecord(_) => "missing-record",
        }
    }
}

#[expect(clippy::ref_option, reason = "the form serde asks for")]
fn by_name<S: serde::Serializer>(fault: &Option<Fault>, s: S) -> Result<S::Ok, S::Error> {
    match fault {
        Some(fault) => s.collect_str(&format_args!("{}: {fault}", fault.name())),
        None => s.serialize_none(),
    }
}

impl Proof {
    /// Whether every check holds.
    pub fn verified(&self) -> bool {
        self.fault.is_none() && self.claim.is_some()
    }

    /// The same as an attestation.
    pub fn attestation(&self) -> Attestation {
        let claim = match self.claim {
            Some(Claim::Included(cid)) => format!("holds {cid} under"),
            Some(Claim::Absent) => "holds nothing under".to_owned(),
            None => "speaks of".to_owned(),
        };
        let what = format!("the signed repository {claim} {}", self.uri);
        let why = match (&self.fault, &self.commit, &self.rev, &self.key) {
            (Some(fault), ..) => format!("{}: {fault}", fault.name()),
            (None, Some(commit), Some(rev), Some(key)) => format!("commit {commit}, revision {rev}, signed by {key}"),
            _ => String::new(),
        };
        Attestation { what, holds: self.verified(), why }
    }
}

/// Verifies what `car`, an answer of `com.atproto.sync.getRecord`, says of the post `rkey` of `did`.
pub fn prove(did: &Did, rkey: &str, car: &[u8], keys: Keys<'_>) -> Proof {
    let uri = format!("at://{did}/{POSTS}/{rkey}");
    let mut proof =
        Proof { uri, claim: None, commit: None, rev: None, rev_time: None, key: None, record: None, fault: None };
    proof.fault = check(&mut proof, did, rkey, car, keys).err();
    proof
}

fn check(proof: &mut Proof, did: &Did, rkey: &str, car: &[u8], keys: Keys<'_>) -> Result<(), Fault> {
    let car = Car::read(car).map_err(|why| match why {
        CarError::Changed(cid) => Fault::TamperedBlock(cid),
        why => Fault::MalformedCar(why),
    })?;
    let commit = Commit::read(&car, did)?;
    (proof.commit, proof.rev) = (Some(commit.cid), Some(commit.rev.to_string()));
    proof.rev_time = Some(commit.rev.time());
    proof.key = Some(signer(&commit, keys)?);
    let path = format!("{POSTS}/{rkey}");
    let found = mst::find(|cid| car.block(cid), commit.data, path.as_bytes()).map_err(|why| match why {
        MstError::Missing(_) => Fault::WrongPath(why),
        MstError::Bytes(_, cbor) => Fault::NonCanonical("a tree node", cbor),
        why => Fault::MalformedTree(why),
    })?;
    let Found::Present(cid) = found else {
        proof.claim = Some(Claim::Absent);
        return Ok(());
    };
    proof.claim = Some(Claim::Included(cid));
    let record = car.block(&cid).ok_or(Fault::MissingRecord(cid))?;
    let record = Value::decode(record).map_err(|why| Fault::NonCanonical("the record", why))?;
    proof.record = Some(record.to_json());
    Ok(())
}

/// The signed root of a repository.
struct Commit {
    cid: Cid,
    rev: Tid,
    data: Cid,
    unsigned: Vec<u8>,
    signature: Vec<u8>,
}

impl Commit {
    fn read(car: &Car<'_>, did: &Did) -> Result<Self, Fault> {
        let [cid] = *car.roots.as_slice() else { return Err(Fault::MissingCommit) };
        let bytes = car.block(&cid).ok_or(Fault::MissingCommit)?;
        let value = Value::decode(bytes).map_err(|why| Fault::NonCanonical("the commit", why))?;
        let field = |name| value.get(name).ok_or(Fault::MalformedCommit);
        if field("version")?.as_int() != Some(3) {
            return Err(Fault::MalformedCommit);
        }
        if field("did")?.as_text() != Some(did.as_str()) {
            return Err(Fault::WrongAccount);
        }
        let rev = field("rev")?.as_text().and_then(|rev| rev.parse().ok()).ok_or(Fault::MalformedCommit)?;
        let data = field("data")?.as_link().ok_or(Fault::MalformedCommit)?;
        let signature = field("sig")?.as_bytes().ok_or(Fault::MalformedCommit)?.to_vec();
        let Value::Map(entries) = value else { return Err(Fault::MalformedCommit) };
        let unsigned = Value::Map(entries.into_iter().filter(|(key, _)| key != "sig").collect()).encode();
        Ok(Self { cid, rev, data, unsigned, signature })
    }
}

/// The key that signed `commit`: the one in the document, or one that the history shows at the commit's revision (an account
/// that changed its key and has not written since).
fn signer(commit: &Commit, keys: Keys<'_>) -> Result<String, Fault> {
    let stated = keys.document.map_or(Err(MethodError::Missing), |document| document.key);
    if keys.history.is_none() || stated.is_ok() {
        let key = stated.map_err(Fault::NoKey)?;
        match (key.verify(&commit.unsigned, &commit.signature), keys.history) {
            (Ok(()), Some(history)) if !history.keys().contains(&key.to_string().as_str()) => {
                return Err(Fault::KeyNotInHistory);
            }
            (Ok(()), _) => return Ok(key.to_string()),
            (Err(SignatureError::Forged), Some(_)) => {}
            (Err(SignatureError::Forged), None) => return Err(Fault::ForgedKey),
            (Err(why), _) => return Err(Fault::MalformedSignature(why)),
        }
    }
    let history = keys.history.ok_or(Fault::ForgedKey)?;
    former_signer(commit, history)
}

fn former_signer(commit: &Commit, history: &History) -> Result<String, Fault> {
    let held = history.at(commit.rev.time()).and_then(|version| version.key.as_deref());
    for text in history.keys() {
        let Ok(key) = text.parse::<PublicKey>() else { continue };
        match key.verify(&commit.unsigned, &commit.signature) {
            Ok(()) if held == Some(text) => return Ok(text.to_owned()),
            Ok(()) => return Err(Fault::KeyOutOfTime),
            Err(SignatureError::Forged) => {}
            Err(why) => return Err(Fault::MalformedSignature(why)),
        }
    }
    Err(Fault::ForgedKey)
}

#[cfg(test)]
mod tests;
