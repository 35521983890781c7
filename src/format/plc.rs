//! The history of a did:plc (web.plc.directory/spec/v0.1/did-plc): operations chained by hash and signed by the keys the one
//! before names, so that the directory can withhold but not invent.

use data_encoding::{BASE32_NOPAD, BASE64URL_NOPAD};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value as Json;

use crate::format::cbor::Value;
use crate::format::cid::Cid;
use crate::format::did::Did;
use crate::format::digest::Digest;
use crate::format::multikey::{PublicKey, SignatureError};

/// How long a key of higher rank may undo what one of lower rank did.
const RECOVERY: SignedDuration = SignedDuration::from_hours(72);

/// Operations read; each costs a few signature checks. Long histories have dozens.
const MAX_OPERATIONS: usize = 2_000;

/// Rotation keys tried for one operation; the directory allows ten.
const MAX_ROTATION_KEYS: usize = 10;

/// One operation of a history that was verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// its CID
    pub cid: Cid,
    /// when the directory took it: the directory's claim
    pub at: Timestamp,
    /// the key that signs the repository from then on, as `did:key:…`; none after a tombstone
    pub key: Option<String>,
    /// handles claimed, without `at://`
    pub handles: Vec<String>,
    /// the server that holds the repository
    pub pds: Option<String>,
    /// undone by a key of higher rank
    pub nullified: bool,
}

/// A history whose every hash and signature holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct History {
    /// whose
    pub did: Did,
    /// all operations in the log's order
    pub versions: Vec<Version>,
}

/// Why a log proves nothing: the number of the entry, from 0, and what is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("plc log entry {entry}: {fault}")]
pub struct PlcError {
    /// which entry
    pub entry: usize,
    /// what is wrong
    pub fault: PlcFault,
}

/// What can be wrong with an entry of a log.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlcFault {
    /// no list of entries, or an empty one, or more than `MAX_OPERATIONS`
    #[error("not a list of 1 to 2,000 operations")]
    Log,
    /// a field is missing or of another kind
    #[error("malformed {0}")]
    Shape(&'static str),
    /// the entry is about somebody else
    #[error("about another DID")]
    OtherDid,
    /// the first operation does not hash to the DID
    #[error("a first operation that does not hash to the DID")]
    Genesis,
    /// its CID is not the hash of its bytes
    #[error("a CID that is not the hash of the operation")]
    Cid,
    /// it follows no operation that stands
    #[error("an operation that follows none that stands")]
    Previous,
    /// no rotation key signed it
    #[error("{0}")]
    Signature(SignatureError),
    /// it undoes others with a key of no higher rank
    #[error("a recovery not signed by a key of higher rank")]
    Rank,
    /// it undoes others after more than 72 hours
    #[error("a recovery after more than 72 hours")]
    TooLate,
    /// it is dated before the one it follows
    #[error("an operation dated before the one it follows")]
    Backwards,
    /// the log says nullified where the rules do not, or the reverse
    #[error("nullified otherwise than the rules have it")]
    Nullified,
}

impl History {
    /// Reads and verifies `/log/audit` of the directory.
    ///
    /// # Errors
    /// [`PlcError`] at the first entry that does not hold.
    pub fn read(did: &Did, json: &[u8]) -> Result<Self, PlcError> {
        let fail = |entry, fault| PlcError { entry, fault };
        let log: Vec<Json> = serde_json::from_slice(json).map_err(|_| fail(0, PlcFault::Log))?;
        if log.is_empty() || log.len() > MAX_OPERATIONS {
            return Err(fail(0, PlcFault::Log));
        }
        let mut chain = Chain { did, ops: Vec::new(), live: Vec::new() };
        for (entry, json) in log.iter().enumerate() {
            chain.add(json).map_err(|fault| fail(entry, fault))?;
        }
        for (entry, (op, json)) in chain.ops.iter().zip(&log).enumerate() {
            let claimed = json.get("nullified").and_then(Json::as_bool).unwrap_or(false);
            if claimed != op.version.nullified {
                return Err(fail(entry, PlcFault::Nullified));
            }
        }
        Ok(Self { did: did.clone(), versions: chain.ops.into_iter().map(|op| op.version).collect() })
    }

    /// What holds now.
    pub fn current(&self) -> Option<&Version> {
        self.versions.iter().rev().find(|version| !version.nullified)
    }

    /// What held at `time`, by the directory's dates.
    pub fn at(&self, time: Timestamp) -> Option<&Version> {
        self.versions.iter().rev().find(|version| !version.nullified && version.at <= time)
    }

    /// Every signing key that ever stood, oldest first, each once.
    pub fn keys(&self) -> Vec<&str> {
        let mut keys: Vec<&str> = Vec::new();
        for key in self.versions.iter().filter(|version| !version.nullified).filter_map(|v| v.key.as_deref()) {
            if !keys.contains(&key) {
                keys.push(key);
            }
        }
        keys
    }

    /// Whether `handle` was ever claimed, in an operation that stands.
    pub fn ever_claimed(&self, handle: &str) -> bool {
        let claimed = self.versions.iter().filter(|version| !version.nullified).flat_map(|v| &v.handles);
        claimed.into_iter().any(|h| h.eq_ignore_ascii_case(handle))
    }
}

/// Whether `operation`, a signed first operation in JSON, hashes to `did`.
pub fn is_genesis_of(operation: &Json, did: &Did) -> bool {
    Value::from_json(operation)
        .is_ok_and(|value| did.method() == "plc" && did.specific() == identifier(&value.encode()))
}

/// The part of a did:plc after its method: 24 characters of the hash of the signed first operation.
fn identifier(signed: &[u8]) -> String {
    let mut text = BASE32_NOPAD.encode(&Digest::of(signed).0).to_ascii_lowercase();
    text.truncate(24);
    text
}

/// The operations so far, and which of them stand.
struct Chain<'a> {
    did: &'a Did,
    ops: Vec<Op>,
    live: Vec<usize>,
}

struct Op {
    version: Version,
    tombstone: bool,
    rotation: Vec<PublicKey>,
    /// rank, among the keys of the operation before, of the key that signed this one
    rank: usize,
}

impl Chain<'_> {
    fn add(&mut self, json: &Json) -> Result<(), PlcFault> {
        let entry = Entry::read(json)?;
        if entry.did != self.did.as_str() {
            return Err(PlcFault::OtherDid);
        }
        let rank = match entry.previous {
            None => self.genesis(&entry)?,
            Some(previous) => self.follow(&entry, previous)?,
        };
        self.live.push(self.ops.len());
        self.ops.push(entry.into_op(rank));
        Ok(())
    }

    fn genesis(&self, entry: &Entry) -> Result<usize, PlcFault> {
        let hashes = self.did.method() == "plc" && self.did.specific() == identifier(&entry.signed);
        if !self.ops.is_empty() || entry.tombstone || !hashes {
            return Err(PlcFault::Genesis);
        }
        signer(&entry.rotation, entry).map_err(PlcFault::Signature)
    }

    /// Checks an operation that follows another; what stood after that one is undone. Returns the rank of its signer.
    fn follow(&mut self, entry: &Entry, previous: Cid) -> Result<usize, PlcFault> {
        let place = self.live.iter().position(|&i| self.ops.get(i).is_some_and(|op| op.version.cid == previous));
        let place = place.ok_or(PlcFault::Previous)?;
        let before = self.live.get(place).and_then(|&i| self.ops.get(i)).ok_or(PlcFault::Previous)?;
        if before.tombstone {
            return Err(PlcFault::Previous);
        }
        if entry.at < before.version.at {
            return Err(PlcFault::Backwards);
        }
        let rank = signer(&before.rotation, entry).map_err(PlcFault::Signature)?;
        let undone = self.live.get(place + 1..).unwrap_or_default().to_vec();
        if let Some(first) = undone.first().and_then(|&i| self.ops.get(i)) {
            if rank >= first.rank {
                return Err(PlcFault::Rank);
            }
            if entry.at.duration_since(first.version.at) > RECOVERY {
                return Err(PlcFault::TooLate);
            }
        }
        for i in undone {
            if let Some(op) = self.ops.get_mut(i) {
                op.version.nullified = true;
            }
        }
        self.live.truncate(place + 1);
        Ok(rank)
    }
}

/// The rank of the key that signed `entry`; the fault of the last try where none did.
fn signer(keys: &[PublicKey], entry: &Entry) -> Result<usize, SignatureError> {
    let mut fault = SignatureError::Forged;
    for (rank, key) in keys.iter().enumerate() {
        match key.verify(&entry.unsigned, &entry.signature) {
            Ok(()) => return Ok(rank),
            Err(why) => fault = why,
        }
    }
    Err(fault)
}

/// One line of the log, read but not yet judged.
struct Entry {
    did: String,
    at: Timestamp,
    cid: Cid,
    signed: Vec<u8>,
    unsigned: Vec<u8>,
    signature: Vec<u8>,
    previous: Option<Cid>,
    tombstone: bool,
    rotation: Vec<PublicKey>,
    key: Option<String>,
    handles: Vec<String>,
    pds: Option<String>,
}

impl Entry {
    fn read(json: &Json) -> Result<Self, PlcFault> {
        let operation = json.get("operation").ok_or(PlcFault::Shape("operation"))?;
        let (signed, unsigned) = encoded(operation)?;
        let cid = Cid::of_cbor(&signed);
        if text(json, "cid").and_then(|text| text.parse().ok()) != Some(cid) {
            return Err(PlcFault::Cid);
        }
        let signature = text(operation, "sig").and_then(|sig| BASE64URL_NOPAD.decode(sig.as_bytes()).ok());
        let previous = match operation.get("prev") {
            Some(Json::Null) => None,
            Some(Json::String(text)) => Some(text.parse().map_err(|_| PlcFault::Shape("prev"))?),
            _ => return Err(PlcFault::Shape("prev")),
        };
        let fields = Fields::read(operation)?;
        Ok(Self {
            did: text(json, "did").unwrap_or_default().to_owned(),
            at: text(json, "createdAt").and_then(|t| t.parse().ok()).ok_or(PlcFault::Shape("createdAt"))?,
            cid,
            signed,
            unsigned,
            signature: signature.ok_or(PlcFault::Shape("sig"))?,
            previous,
            tombstone: fields.key.is_none(),
            rotation: fields.rotation,
            key: fields.key,
            handles: fields.handles,
            pds: fields.pds,
        })
    }

    fn into_op(self, rank: usize) -> Op {
        let Self { cid, at, key, handles, pds, tombstone, rotation, .. } = self;
        Op { version: Version { cid, at, key, handles, pds, nullified: false }, tombstone, rotation, rank }
    }
}

/// The bytes of an operation with its signature, and without.
fn encoded(operation: &Json) -> Result<(Vec<u8>, Vec<u8>), PlcFault> {
    let value = Value::from_json(operation).map_err(|_| PlcFault::Shape("operation"))?;
    let signed = value.encode();
    let Value::Map(entries) = value else { return Err(PlcFault::Shape("operation")) };
    let unsigned = Value::Map(entries.into_iter().filter(|(key, _)| key != "sig").collect());
    Ok((signed, unsigned.encode()))
}

/// What an operation sets, in whichever of its three forms.
#[derive(Default)]
struct Fields {
    rotation: Vec<PublicKey>,
    key: Option<String>,
    handles: Vec<String>,
    pds: Option<String>,
}

impl Fields {
    fn read(operation: &Json) -> Result<Self, PlcFault> {
        match text(operation, "type") {
            Some("plc_operation") => Self::today(operation),
            Some("create") => Self::first_form(operation),
            Some("plc_tombstone") => Ok(Self::default()),
            _ => Err(PlcFault::Shape("type")),
        }
    }

    fn today(operation: &Json) -> Result<Self, PlcFault> {
        let keys = operation.get("rotationKeys").and_then(Json::as_array).ok_or(PlcFault::Shape("rotationKeys"))?;
        let methods = operation.get("verificationMethods").ok_or(PlcFault::Shape("verificationMethods"))?;
        let known = operation.get("alsoKnownAs").and_then(Json::as_array).ok_or(PlcFault::Shape("alsoKnownAs"))?;
        let handles = known.iter().filter_map(|uri| uri.as_str()?.strip_prefix("at://")).map(str::to_owned);
        let pds = operation.pointer("/services/atproto_pds/endpoint").and_then(Json::as_str);
        Ok(Self {
            rotation: rotation(keys.iter().filter_map(Json::as_str))?,
            // an account may set up no repository key; the operation is no tombstone for that
            key: Some(text(methods, "atproto").unwrap_or_default().to_owned()),
            handles: handles.collect(),
            pds: pds.map(str::to_owned),
        })
    }

    /// The form of 2022 and 2023: the recovery key ranks before the signing key.
    fn first_form(operation: &Json) -> Result<Self, PlcFault> {
        let field = |name: &'static str| text(operation, name).ok_or(PlcFault::Shape(name));
        let (signing, recovery) = (field("signingKey")?, field("recoveryKey")?);
        Ok(Self {
            rotation: rotation([recovery, signing].into_iter())?,
            key: Some(signing.to_owned()),
            handles: vec![field("handle")?.trim_start_matches("at://").to_owned()],
            pds: Some(field("service")?.to_owned()),
        })
    }
}

fn rotation<'a>(keys: impl Iterator<Item = &'a str>) -> Result<Vec<PublicKey>, PlcFault> {
    let keys: Result<Vec<PublicKey>, _> = keys.map(str::parse).collect();
    keys.ok().filter(|keys| (1..=MAX_ROTATION_KEYS).contains(&keys.len())).ok_or(PlcFault::Shape("rotationKeys"))
}

fn text<'a>(json: &'a Json, key: &str) -> Option<&'a str> {
    json.get(key).and_then(Json::as_str)
}

#[cfg(test)]
pub(crate) mod tests {
    use k256::ecdsa::signature::Signer as _;
    use serde_json::json;

    use super::*;

    const LOG: &str = include_str!("../../tests/fixtures/bluesky/plc-log-audit.json");
    const GENESIS: &str = include_str!("../../tests/fixtures/bluesky/plc-genesis-op.json");
    const DID: &str = "did:plc:iehgelpsa6hrxqbomgxsvwfi";

    /// A key pair made from one byte: the tests' own accounts.
    pub(crate) struct Pair(k256::ecdsa::SigningKey);

    impl Pair {
        pub(crate) fn of(seed: u8) -> Self {
            Self(k256::ecdsa::SigningKey::from_slice(&[seed; 32]).unwrap())
        }

        pub(crate) fn did_key(&self) -> String {
            PublicKey::K256(*self.0.verifying_key()).to_string()
        }

        pub(crate) fn sign(&self, message: &[u8]) -> Vec<u8> {
            let signature: k256::ecdsa::Signature = self.0.sign(message);
            signature.normalize_s().to_bytes().to_vec()
        }
    }

    /// Signs an operation; returns it with its CID.
    pub(crate) fn signed(mut operation: Json, by: &Pair) -> (Json, Cid) {
        let unsigned = Value::from_json(&operation).unwrap().encode();
        operation["sig"] = json!(BASE64URL_NOPAD.encode(&by.sign(&unsigned)));
        let cid = Cid::of_cbor(&Value::from_json(&operation).unwrap().encode());
        (operation, cid)
    }

    pub(crate) fn operation(rotation: &[&Pair], key: &Pair, handle: &str, prev: Option<Cid>) -> Json {
        json!({
            "type": "plc_operation",
            "rotationKeys": rotation.iter().map(|pair| pair.did_key()).collect::<Vec<_>>(),
            "verificationMethods": {"atproto": key.did_key()},
            "alsoKnownAs": [format!("at://{handle}")],
            "services": {"atproto_pds": {"type": "AtprotoPersonalDataServer", "endpoint": "https://pds.example"}},
            "prev": prev.map(|cid| cid.to_string()),
        })
    }

    pub(crate) fn entry(did: &Did, (operation, cid): &(Json, Cid), at: &str, nullified: bool) -> Json {
        json!({"did": did.as_str(), "operation": operation, "cid": cid.to_string(), "nullified": nullified, "createdAt": at})
    }

    pub(crate) fn did_of(genesis: &(Json, Cid)) -> Did {
        format!("did:plc:{}", identifier(&Value::from_json(&genesis.0).unwrap().encode())).parse().unwrap()
    }

    fn read(did: &Did, log: &[Json]) -> Result<History, PlcError> {
        History::read(did, &serde_json::to_vec(log).unwrap())
    }

    #[test]
    fn the_fixture_verifies_and_its_first_operation_is_its_did() {
        let did: Did = DID.parse().unwrap();
        let history = History::read(&did, LOG.as_bytes()).unwrap();
        assert_eq!(history.keys(), ["did:key:zQ3shcv1GXPxd9YPu1HVB3Y97NLNnBbZ57NHLnq1eWq89StZy"]);
        assert!(history.ever_claimed("Observer.replica.example"));
        assert!(history.at("2025-12-31T23:59:59Z".parse().unwrap()).is_none());
        let genesis: Json = serde_json::from_str(GENESIS).unwrap();
        assert!(is_genesis_of(&genesis, &did));
        assert!(!is_genesis_of(&genesis, &"did:plc:iehgelpsa6hrxqbomgxsvwfa".parse().unwrap()));
    }

    #[test]
    fn damage_to_the_fixture_is_named() {
        let did: Did = DID.parse().unwrap();
        let fault = |from: &str, to: &str| {
            assert!(LOG.contains(from), "{from}");
            History::read(&did, LOG.replace(from, to).as_bytes()).unwrap_err().fault
        };
        assert_eq!(fault("observer.replica", "stranger.replica"), PlcFault::Cid);
        assert_eq!(fault("\"did\": \"did:plc:i", "\"did\": \"did:plc:j"), PlcFault::OtherDid);
        assert_eq!(fault("bafyreicbb", "bafyreicba"), PlcFault::Cid);
        assert_eq!(fault("\"nullified\": false", "\"nullified\": true"), PlcFault::Nullified);
        assert_eq!(fault("plc_operation", "plc_op"), PlcFault::Cid);
        assert_eq!(History::read(&did, b"[]").unwrap_err().fault, PlcFault::Log);
        assert_eq!(History::read(&did, b"{}").unwrap_err().fault, PlcFault::Log);
    }

    #[test]
    fn rotation_keys_change_hands_by_signature_only() {
        let (a, b, stranger) = (Pair::of(1), Pair::of(2), Pair::of(9));
        let genesis = signed(operation(&[&a], &b, "one.example", None), &a);
        let did = did_of(&genesis);
        let next = signed(operation(&[&b], &stranger, "two.example", Some(genesis.1)), &a);
        let log = |second: &(Json, Cid)| {
            vec![
                entry(&did, &genesis, "2026-01-01T00:00:00Z", false),
                entry(&did, second, "2026-02-01T00:00:00Z", false),
            ]
        };
        let history = read(&did, &log(&next)).unwrap();
        assert_eq!(history.at("2026-01-15T00:00:00Z".parse().unwrap()).unwrap().key, Some(b.did_key()));
        assert_eq!(history.current().unwrap().key, Some(stranger.did_key()));
        assert_eq!(history.current().unwrap().handles, ["two.example"]);
        assert!(history.ever_claimed("one.example"));

        let forged = signed(operation(&[&b], &stranger, "two.example", Some(genesis.1)), &stranger);
        assert_eq!(read(&did, &log(&forged)).unwrap_err().fault, PlcFault::Signature(SignatureError::Forged));
        let orphan = signed(operation(&[&b], &b, "two.example", Some(Cid::of_cbor(b"x"))), &a);
        assert_eq!(read(&did, &log(&orphan)).unwrap_err().fault, PlcFault::Previous);
        let mut early = log(&next);
        early[1]["createdAt"] = json!("2025-01-01T00:00:00Z");
        assert_eq!(read(&did, &early).unwrap_err().fault, PlcFault::Backwards);
        let second_first = signed(operation(&[&a], &b, "one.example", None), &a);
        assert_eq!(read(&did, &log(&second_first)).unwrap_err().fault, PlcFault::Genesis);
    }

    #[test]
    fn a_higher_key_undoes_a_lower_one_within_72_hours() {
        let (high, low, key) = (Pair::of(1), Pair::of(2), Pair::of(3));
        let genesis = signed(operation(&[&high, &low], &key, "mine.example", None), &high);
        let did = did_of(&genesis);
        let theft = signed(operation(&[&low], &key, "thief.example", Some(genesis.1)), &low);
        let rescue_by = |pair: &Pair| signed(operation(&[&high], &key, "mine.example", Some(genesis.1)), pair);
        let log = |rescue: &(Json, Cid), at: &str| {
            let dates = "2026-01-01T00:00:00Z";
            vec![
                entry(&did, &genesis, dates, false),
                entry(&did, &theft, "2026-01-02T00:00:00Z", true),
                entry(&did, rescue, at, false),
            ]
        };
        let history = read(&did, &log(&rescue_by(&high), "2026-01-04T23:00:00Z")).unwrap();
        assert!(history.versions[1].nullified);
        assert!(!history.ever_claimed("thief.example"));
        assert_eq!(read(&did, &log(&rescue_by(&high), "2026-01-05T01:00:00Z")).unwrap_err().fault, PlcFault::TooLate);
        assert_eq!(read(&did, &log(&rescue_by(&low), "2026-01-03T00:00:00Z")).unwrap_err().fault, PlcFault::Rank);
    }

    #[test]
    fn a_tombstone_ends_the_chain() {
        let (a, key) = (Pair::of(1), Pair::of(3));
        let genesis = signed(operation(&[&a], &key, "mine.example", None), &a);
        let did = did_of(&genesis);
        let end = signed(json!({"type": "plc_tombstone", "prev": genesis.1.to_string()}), &a);
        let after = signed(operation(&[&a], &key, "mine.example", Some(end.1)), &a);
        let mut log = vec![
            entry(&did, &genesis, "2026-01-01T00:00:00Z", false),
            entry(&did, &end, "2026-01-02T00:00:00Z", false),
        ];
        assert_eq!(read(&did, &log).unwrap().current().unwrap().key, None);
        log.push(entry(&did, &after, "2026-01-03T00:00:00Z", false));
        assert_eq!(read(&did, &log).unwrap_err().fault, PlcFault::Previous);
    }

    #[test]
    fn the_first_form_of_operation_is_read() {
        let (signing, recovery) = (Pair::of(4), Pair::of(5));
        let create = json!({
            "type": "create", "signingKey": signing.did_key(), "recoveryKey": recovery.did_key(),
            "handle": "old.example", "service": "https://old.example", "prev": null,
        });
        let genesis = signed(create, &signing);
        let did = did_of(&genesis);
        let history = read(&did, &[entry(&did, &genesis, "2022-11-20T00:00:00Z", false)]).unwrap();
        assert_eq!(history.keys(), [signing.did_key()]);
        assert_eq!(history.versions[0].handles, ["old.example"]);
    }
}
