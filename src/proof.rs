//! The proof: what a stranger needs to believe one record.
//!
//! The value is the [`Bundle`], one JSON document: the record's own bytes, its place under a signed checkpoint (C2SP
//! tlog-proof) and the anchors of that checkpoint. Besides it a stranger needs only the log's verifier key, from elsewhere.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

use data_encoding::BASE64;
use serde::de::{Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use uuid::Uuid;

use crate::format::checkpoint::{Checkpoint, Signed};
use crate::format::digest::Digest;
use crate::format::gzip;
use crate::format::json;
use crate::format::merkle::verify_consistency;
use crate::format::note::{NotSigned, Note, Signature, Signer, VerifierKey, signature_lines};
use crate::format::tlog_proof::{NotAProof, TlogProof, Unproven};
use crate::record::Event;
use crate::resolution::exchange::RecordName;

const FORMAT: &str = "onrecord-proof/1";

/// No bundle is longer. One without evidence is far shorter: a record of 64 KiB, a path of 62 hashes, a few anchors.
pub const MAX_BYTES: usize = 64 * 1024 * 1024;

/// Bytes of a file that are looked at for how bundles begin.
const BEGINNING: usize = 64;

/// A proof bundle as it is handed over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bundle {
    format: String,
    /// the record: canonical JSON, kept as text so that its bytes are those that were hashed
    pub record: String,
    /// the log's key as the archive names it; to be compared with what is known from elsewhere
    pub vkey: String,
    /// the `.tlog-proof` file
    pub proof: String,
    /// the checkpoint's anchors by file name, base64; each stamps the SHA-256 of the checkpoint kept with it
    #[serde(default, deserialize_with = "once", skip_serializing_if = "BTreeMap::is_empty")]
    pub anchors: BTreeMap<String, String>,
    /// WARC records that the record names, and those that these name, by id: their gzip members, base64
    #[serde(default, deserialize_with = "once", skip_serializing_if = "BTreeMap::is_empty")]
    pub evidence: BTreeMap<Uuid, String>,
    /// the changes of the log's key, oldest first: whoever remembers an earlier key is led to the one that signed
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rotations: Vec<Rotation>,
}

/// What a bundle proves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proved {
    /// the record's digest: the leaf
    pub record: Digest,
    /// its place
    pub index: u64,
    /// the checkpoint that covers it
    pub checkpoint: Signed,
}

/// Why a bundle proves nothing.
#[derive(Debug, thiserror::Error)]
pub enum Unbelieved {
    /// not a bundle
    #[error("not a proof bundle")]
    NotABundle,
    /// the record's bytes are not canonical
    #[error("the bundle's record is not in canonical form")]
    NotCanonical,
    /// the proof file in it is none
    #[error("the bundle's proof is malformed")]
    Proof(#[from] NotAProof),
    /// the proof does not hold
    #[error("the bundle's proof does not hold")]
    Unproven(#[from] Unproven),
}

impl Bundle {
    /// A bundle of what the archive holds. `anchors` are files by name.
    pub fn new(record: String, key: &VerifierKey, proof: &TlogProof, anchors: BTreeMap<String, Vec<u8>>) -> Self {
        let anchors = anchors.into_iter().map(|(name, bytes)| (name, BASE64.encode(&bytes))).collect();
        let proof = String::from_utf8_lossy(&proof.to_bytes()).into_owned();
        let evidence = BTreeMap::new();
        let rotations = Vec::new();
        Self { format: FORMAT.to_owned(), record, vkey: key.to_string(), proof, anchors, evidence, rotations }
    }

    /// Adds a WARC record's gzip member.
    pub fn put_evidence(&mut self, id: Uuid, member: &[u8]) {
        self.evidence.insert(id, BASE64.encode(member));
    }

    /// The bytes of a WARC record, from the member in `evidence`: without the separator after them.
    /// `None` where it is missing or no member.
    pub fn evidence(&self, id: Uuid) -> Option<Vec<u8>> {
        let member = BASE64.decode(self.evidence.get(&id)?.as_bytes()).ok()?;
        let mut plain = gzip::whole(&member, MAX_BYTES).ok()?;
        let end = plain.len().checked_sub(4).filter(|_| plain.ends_with(b"\r\n\r\n"))?;
        plain.truncate(end);
        Some(plain)
    }

    /// Reads a bundle without believing it.
    ///
    /// # Errors
    /// Bytes that are none.
    pub fn parse(bytes: &[u8]) -> Result<Self, Unbelieved> {
        let bundle: Self = Some(bytes)
            .filter(|b| b.len() <= MAX_BYTES)
            .and_then(|b| serde_json::from_slice(b).ok())
            .ok_or(Unbelieved::NotABundle)?;
        if bundle.format == FORMAT { Ok(bundle) } else { Err(Unbelieved::NotABundle) }
    }

    /// Whether bytes say that they are a bundle, whatever else is wrong with them.
    pub fn is_meant(bytes: &[u8]) -> bool {
        #[derive(Deserialize)]
        struct Form {
            format: String,
        }
        let family = FORMAT.split('/').next().unwrap_or(FORMAT);
        // One that was cut off, or has bytes behind it, still begins as all of them do.
        let begins: Vec<u8> = bytes.iter().take(BEGINNING).copied().filter(|b| !b.is_ascii_whitespace()).collect();
        begins.starts_with(format!("{{\"format\":\"{family}/").as_bytes())
            || serde_json::from_slice::<Form>(bytes).is_ok_and(|form| form.format.split('/').next() == Some(family))
    }

    /// An anchor's bytes.
    pub fn anchor(&self, name: &str) -> Option<Vec<u8>> {
        BASE64.decode(self.anchors.get(name)?.as_bytes()).ok()
    }

    /// Checks that the record stands in the log whose key is one of `known`. Keys from the bundle itself prove nothing.
    ///
    /// # Errors
    /// The first thing that does not hold.
    pub fn verify(&self, known: &[VerifierKey]) -> Result<Proved, Unbelieved> {
        if !json::is_canonical(self.record.as_bytes()) {
            return Err(Unbelieved::NotCanonical);
        }
        let proof = TlogProof::parse(self.proof.as_bytes())?;
        let record = Digest::of(self.record.as_bytes());
        let checkpoint = proof.verify(&record.0, known)?;
        Ok(Proved { record, index: proof.index, checkpoint })
    }
}

/// A map with each key once, in the one spelling that we write: of two values for a key nobody could say which was meant.
fn once<'de, K, D>(input: D) -> Result<BTreeMap<K, String>, D::Error>
where
    K: Ord + FromStr + fmt::Display,
    D: Deserializer<'de>,
{
    struct Once<K>(PhantomData<K>);

    impl<'de, K: Ord + FromStr + fmt::Display> Visitor<'de> for Once<K> {
        type Value = BTreeMap<K, String>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("texts by names")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut all = BTreeMap::new();
            while let Some((name, text)) = map.next_entry::<String, String>()? {
                let key = name.parse::<K>().ok().filter(|key| key.to_string() == name);
                let key = key.ok_or_else(|| A::Error::custom("a name in another spelling"))?;
                if all.insert(key, text).is_some() {
                    return Err(A::Error::custom("a name twice"));
                }
            }
            Ok(all)
        }
    }

    input.deserialize_map(Once(PhantomData))
}

/// Every WARC record that a record or a document of ours names, in order.
pub fn names(document: &serde_json::Value) -> Vec<RecordName> {
    let mut found = Vec::new();
    let mut waiting = vec![document];
    while let Some(value) = waiting.pop() {
        if let serde_json::Value::Object(map) = value
            && map.len() == 2
            && let Ok(name) = RecordName::deserialize(value)
        {
            found.push(name);
        }
        match value {
            serde_json::Value::Object(map) => waiting.extend(map.values().rev()),
            serde_json::Value::Array(list) => waiting.extend(list.iter().rev()),
            _ => {}
        }
    }
    found
}

/// How a remembered checkpoint stands to the log's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Standing {
    /// the same tree
    Equal,
    /// the log has grown from it
    Prefix,
    /// it is of a larger tree than the log has: the log was rolled back
    Newer,
    /// the log did not grow from it: one of the two was signed for another history
    Forked,
    /// it is of another log
    Unrelated,
}

/// Compares a remembered checkpoint with the log's own. `consistency` is asked for the proof from the smaller size to
/// the larger, where that is the log's.
///
/// # Errors
/// What `consistency` says.
pub fn standing<E>(
    remembered: &Checkpoint,
    ours: &Checkpoint,
    consistency: impl FnOnce(u64, u64) -> Result<Vec<Digest>, E>,
) -> Result<Standing, E> {
    if remembered.origin != ours.origin {
        return Ok(Standing::Unrelated);
    }
    if remembered.size > ours.size {
        return Ok(Standing::Newer);
    }
    let proof = consistency(remembered.size, ours.size)?;
    Ok(match verify_consistency(remembered.size, &remembered.root, ours.size, &ours.root, &proof) {
        Ok(()) if remembered.size == ours.size => Standing::Equal,
        Ok(()) => Standing::Prefix,
        Err(_) => Standing::Forked,
    })
}

/// A checkpoint on its way to a witness (C2SP tlog-witness: `POST <prefix>/add-checkpoint`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Submission {
    /// the size the witness saw last
    pub old: u64,
    /// the proof from there
    pub proof: Vec<Digest>,
    /// the signed checkpoint
    pub note: Vec<u8>,
}

impl Submission {
    /// The request's body.
    pub fn to_body(&self) -> Vec<u8> {
        let mut head = format!("old {}\n", self.old);
        for hash in &self.proof {
            head.push_str(&BASE64.encode(&hash.0));
            head.push('\n');
        }
        head.push('\n');
        [head.as_bytes(), &self.note].concat()
    }
}

/// What a witness answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Witnessed {
    /// it cosigned; the lines verify
    Cosigned(Vec<Signature>),
    /// it last saw this size: ask again from there
    From(u64),
    /// it did not
    Refused(WitnessRefusal),
}

/// Why a witness gave no cosignature that counts.
#[derive(Clone, Copy, Debug, thiserror::Error, PartialEq, Eq)]
pub enum WitnessRefusal {
    /// 404
    #[error("the witness does not know this log")]
    UnknownLog,
    /// 403
    #[error("the witness does not accept the log's signature")]
    BadSignature,
    /// 422: it holds another history
    #[error("the witness says that the log is not the one it saw")]
    Inconsistent,
    /// 200, but no line of the witness's key that verifies
    #[error("the witness gave no signature of its key")]
    NoCosignature,
    /// anything else
    #[error("the witness answered {0}")]
    Status(u16),
}

/// Reads a witness's answer to a [`Submission`] of `text`, the checkpoint's.
pub fn witnessed(status: u16, media_type: &str, body: &[u8], text: &str, witness: &VerifierKey) -> Witnessed {
    let refused = match status {
        200 => return cosigned(body, text, witness).map_or_else(Witnessed::Refused, Witnessed::Cosigned),
        409 if media_type == "text/x.tlog.size" => {
            let size = std::str::from_utf8(body).ok().and_then(|b| b.strip_suffix('\n')).and_then(|n| n.parse().ok());
            return size.map_or(Witnessed::Refused(WitnessRefusal::Status(409)), Witnessed::From);
        }
        403 => WitnessRefusal::BadSignature,
        404 => WitnessRefusal::UnknownLog,
        422 => WitnessRefusal::Inconsistent,
        other => WitnessRefusal::Status(other),
    };
    Witnessed::Refused(refused)
}

/// The lines of `witness` among cosignature lines; only those that verify count, and a bad one of its own spoils all.
fn cosigned(body: &[u8], text: &str, witness: &VerifierKey) -> Result<Vec<Signature>, WitnessRefusal> {
    let lines = std::str::from_utf8(body).ok().and_then(|b| b.strip_suffix('\n'));
    let lines = lines.and_then(|l| signature_lines(l).ok()).ok_or(WitnessRefusal::NoCosignature)?;
    let note = Note { text: text.to_owned(), signatures: lines };
    match note.verify(std::slice::from_ref(witness)) {
        Ok(vouched) if vouched.iter().any(|v| v.at.is_some()) => {
            Ok(note.signatures.into_iter().filter(|s| s.name == witness.name && s.id == witness.id).collect())
        }
        _ => Err(WitnessRefusal::NoCosignature),
    }
}

/// A change of the log's key, as the record `key.rotated` holds it. Signed by both, so that neither the holder of the old
/// key alone can name a successor, nor the new one claim the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rotation {
    /// the key until now, a vkey line
    pub old: String,
    /// the key from now on, a vkey line
    pub new: String,
    /// the old key's signature over [`Rotation::text`], base64
    pub by_old: String,
    /// the new key's over the same
    pub by_new: String,
}

/// Why a rotation does not count.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum NotRotated {
    /// a key that is none, or one by another name
    #[error("the rotation's new key is none of this log")]
    NewKey,
    /// it starts from another key
    #[error("the rotation does not start from the trusted key")]
    OtherOld,
    /// a signature is missing or does not verify
    #[error("the rotation is not signed by both keys")]
    NotBoth,
}

impl Rotation {
    /// Signs a change of keys.
    ///
    /// # Errors
    /// A key is out of reach.
    pub fn signed(old: &dyn Signer, new: &dyn Signer) -> Result<Self, NotSigned> {
        let (before, after) = (old.key().to_string(), new.key().to_string());
        let text = rotation_text(&before, &after);
        let by_old = BASE64.encode(&old.sign(text.as_bytes())?);
        let by_new = BASE64.encode(&new.sign(text.as_bytes())?);
        Ok(Self { old: before, new: after, by_old, by_new })
    }

    /// The change that a record speaks of.
    pub fn of(event: &Event) -> Option<Self> {
        let Event::KeyRotated { old, new, by_old, by_new } = event else { return None };
        Some(Self { old: old.clone(), new: new.clone(), by_old: by_old.clone(), by_new: by_new.clone() })
    }

    /// The record of it.
    pub fn event(&self) -> Event {
        let Self { old, new, by_old, by_new } = self.clone();
        Event::KeyRotated { old, new, by_old, by_new }
    }

    /// What both sign: a line that says what it is, the old vkey, the new one.
    pub fn text(&self) -> String {
        rotation_text(&self.old, &self.new)
    }

    /// The key that follows `trusted`, if both signed that it does.
    ///
    /// # Errors
    /// Whatever keeps it from counting.
    pub fn successor_of(&self, trusted: &VerifierKey) -> Result<VerifierKey, NotRotated> {
        if self.old != trusted.to_string() {
            return Err(NotRotated::OtherOld);
        }
        let new: VerifierKey = self.new.parse().map_err(|_| NotRotated::NewKey)?;
        if new.name != trusted.name {
            return Err(NotRotated::NewKey);
        }
        let signed = |key: &VerifierKey, by: &str| {
            BASE64.decode(by.as_bytes()).is_ok_and(|signature| key.check(self.text().as_bytes(), &signature))
        };
        if signed(trusted, &self.by_old) && signed(&new, &self.by_new) { Ok(new) } else { Err(NotRotated::NotBoth) }
    }
}

/// `trusted` and every key that followed it, oldest first. A change that is not signed by both keys ends the chain.
pub fn successors(trusted: &VerifierKey, rotations: &[Rotation]) -> Vec<VerifierKey> {
    let mut keys = vec![trusted.clone()];
    for rotation in rotations {
        if let Some(new) = keys.last().and_then(|last| rotation.successor_of(last).ok()) {
            keys.push(new);
        }
    }
    keys
}

fn rotation_text(old: &str, new: &str) -> String {
    format!("onrecord key rotation\n{old}\n{new}\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::merkle::{consistency, inclusion, record_leaf, root_of};
    use crate::format::note::{Ed25519Signer, KeyKind, cosignature};
    use std::convert::Infallible;

    fn signer(kind: KeyKind, seed: u8) -> Ed25519Signer {
        let secret = ed25519_dalek::SigningKey::from_bytes(&[seed; 32]);
        Ed25519Signer::new("log.example".parse().unwrap(), kind, secret).unwrap()
    }

    fn leaves(n: u8) -> Vec<Digest> {
        (0..n).map(|i| record_leaf(&Digest::of(format!("{{\"n\":{i}}}").as_bytes()))).collect()
    }

    fn checkpoint(n: u8) -> Checkpoint {
        Checkpoint { origin: "log.example".parse().unwrap(), size: n.into(), root: root_of(&leaves(n)) }
    }

    fn bundle() -> Bundle {
        let log = signer(KeyKind::Ed25519, 1);
        let signed = Signed::sign(checkpoint(5), &log).unwrap();
        let path = inclusion(&mut &leaves(5)[..], 3, 5).unwrap();
        let proof = TlogProof { extra: None, index: 3, path, checkpoint: signed.note };
        let anchors = [("5.tsa.example.tsr".to_owned(), vec![1, 2, 3])].into();
        Bundle::new("{\"n\":3}".to_owned(), log.key(), &proof, anchors)
    }

    #[test]
    fn a_bundle_carries_its_record_across() {
        let known = [signer(KeyKind::Ed25519, 1).key().clone()];
        let read = Bundle::parse(&serde_json::to_vec(&bundle()).unwrap()).unwrap();
        let proved = read.verify(&known).unwrap();
        assert_eq!((proved.index, proved.checkpoint.checkpoint), (3, checkpoint(5)));
        assert_eq!(read.anchor("5.tsa.example.tsr").as_deref(), Some(&[1, 2, 3][..]));
    }

    #[test]
    fn a_bundle_that_was_touched_proves_nothing() {
        let known = [signer(KeyKind::Ed25519, 1).key().clone()];
        let other = Bundle { record: "{\"n\":4}".to_owned(), ..bundle() };
        assert!(matches!(other.verify(&known), Err(Unbelieved::Unproven(_))));
        let spaced = Bundle { record: "{\"n\": 3}".to_owned(), ..bundle() };
        assert!(matches!(spaced.verify(&known), Err(Unbelieved::NotCanonical)));
        let stranger = [signer(KeyKind::Ed25519, 2).key().clone()];
        assert!(matches!(bundle().verify(&stranger), Err(Unbelieved::Unproven(_))));
        let text = serde_json::to_string(&bundle()).unwrap();
        for wrong in [text.replace("proof/1", "proof/2"), text.replace("\"vkey\"", "\"key\""), format!("{text}x")] {
            assert!(matches!(Bundle::parse(wrong.as_bytes()), Err(Unbelieved::NotABundle)));
        }
    }

    #[test]
    fn a_remembered_checkpoint_stands_in_one_of_five_ways() {
        let ours = checkpoint(5);
        let judge = |remembered: &Checkpoint| {
            let proof = |old, new| Ok::<_, Infallible>(consistency(&mut &leaves(5)[..], old, new).unwrap());
            standing(remembered, &ours, proof).unwrap()
        };
        assert_eq!(judge(&checkpoint(5)), Standing::Equal);
        assert_eq!(judge(&checkpoint(3)), Standing::Prefix);
        assert_eq!(judge(&checkpoint(0)), Standing::Prefix);
        assert_eq!(judge(&checkpoint(6)), Standing::Newer);
        for size in [3, 4, 5] {
            assert_eq!(judge(&Checkpoint { root: Digest::of(b"other"), ..checkpoint(size) }), Standing::Forked);
        }
        let elsewhere = Checkpoint { origin: "b.example".parse().unwrap(), ..checkpoint(3) };
        assert_eq!(judge(&elsewhere), Standing::Unrelated);
    }

    #[test]
    fn a_witness_is_believed_only_by_its_own_signature() {
        let witness = signer(KeyKind::CosignatureV1, 7);
        let text = checkpoint(5).to_string();
        let line = cosignature(&text, 1_700_000_000, &witness).unwrap();
        let body = format!("{line}\n");
        let read = |status, kind: &str, body: &str| witnessed(status, kind, body.as_bytes(), &text, witness.key());
        assert_eq!(read(200, "text/plain", &body), Witnessed::Cosigned(vec![line]));
        let other = cosignature(&checkpoint(4).to_string(), 1, &witness).unwrap();
        let refused = |why| Witnessed::Refused(why);
        assert_eq!(read(200, "", &format!("{other}\n")), refused(WitnessRefusal::NoCosignature));
        assert_eq!(read(200, "", ""), refused(WitnessRefusal::NoCosignature));
        assert_eq!(read(409, "text/x.tlog.size", "3\n"), Witnessed::From(3));
        assert_eq!(read(409, "text/plain", "3\n"), refused(WitnessRefusal::Status(409)));
        assert_eq!(read(404, "", ""), refused(WitnessRefusal::UnknownLog));
        assert_eq!(read(422, "", ""), refused(WitnessRefusal::Inconsistent));
        assert_eq!(read(500, "", ""), refused(WitnessRefusal::Status(500)));
        let submission = Submission { old: 3, proof: vec![Digest([0; 32])], note: b"note".to_vec() };
        let body = String::from_utf8(submission.to_body()).unwrap();
        assert_eq!(body, "old 3\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\nnote");
    }

    #[test]
    fn a_key_changes_only_when_both_say_so() {
        let (old, new) = (signer(KeyKind::Ed25519, 1), signer(KeyKind::Ed25519, 2));
        let rotation = Rotation::signed(&old, &new).unwrap();
        assert_eq!(rotation.successor_of(old.key()).as_ref(), Ok(new.key()));
        assert_eq!(rotation.successor_of(new.key()), Err(NotRotated::OtherOld));
        let alone = Rotation { by_new: rotation.by_old.clone(), ..rotation.clone() };
        assert_eq!(alone.successor_of(old.key()), Err(NotRotated::NotBoth));
        let unsigned = Rotation { by_old: String::new(), ..rotation.clone() };
        assert_eq!(unsigned.successor_of(old.key()), Err(NotRotated::NotBoth));
        let third = signer(KeyKind::Ed25519, 3).key().to_string();
        let other = Rotation { new: third, ..rotation };
        assert_eq!(other.successor_of(old.key()), Err(NotRotated::NotBoth));
    }

    proptest::proptest! {
        #[test]
        fn no_edit_of_a_bundle_proves_another_record(at in 0usize..2000, with in "[ -~]{0,3}", over in 0usize..3) {
            let known = [signer(KeyKind::Ed25519, 1).key().clone()];
            let mut bytes = serde_json::to_vec(&bundle()).unwrap();
            let from = at % bytes.len();
            let to = (from + over).min(bytes.len());
            bytes.splice(from..to, with.bytes());
            if let Ok(read) = Bundle::parse(&bytes) {
                let proved = read.verify(&known).map(|proved| (proved.record, proved.index));
                let ours = (Digest::of(b"{\"n\":3}"), 3);
                proptest::prop_assert!(proved.is_err() || proved.is_ok_and(|proved| proved == ours));
            }
        }
    }
}
