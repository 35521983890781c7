//! A composed account's repository, signed: DAG-CBOR records in a Merkle search tree under a commit, as the AT Protocol
//! has them, and the did:plc operation that names its key.

use std::collections::BTreeMap;

use k256::ecdsa::signature::Signer;
use k256::ecdsa::{Signature, SigningKey};
use sha2::{Digest, Sha256};

use crate::pixels;
use crate::post::quote;

/// A CID's bytes: version 1, a codec, SHA-256.
type Cid = Vec<u8>;

/// An account with its keys.
pub(crate) struct Account {
    /// Its DID.
    pub(crate) did: String,
    handle: String,
    key: SigningKey,
    signed_genesis: Vec<u8>,
    genesis_signature: String,
    rotation_key: SigningKey,
    rotation: String,
}

impl Account {
    /// The account of a handle: keys made from its name, a DID made from its signed genesis operation.
    pub(crate) fn of(handle: &str) -> Option<Account> {
        let key = SigningKey::from_slice(&pixels::noise(handle, 32)).ok()?;
        let rotation_key = SigningKey::from_slice(&pixels::noise(&format!("{handle} rotation"), 32)).ok()?;
        let rotation = did_key(&rotation_key);
        let fields = |signature: Option<&str>| operation(handle, &did_key(&key), &rotation, None, signature);
        let signature: Signature = rotation_key.sign(&fields(None).encode());
        let genesis_signature = data_encoding::BASE64URL_NOPAD.encode(&signature.to_bytes());
        let signed_genesis = fields(Some(&genesis_signature)).encode();
        let digest = data_encoding::BASE32_NOPAD.encode(&Sha256::digest(&signed_genesis)).to_lowercase();
        let did = format!("did:plc:{}", digest.get(..24)?);
        Some(Account { did, handle: handle.to_owned(), key, signed_genesis, genesis_signature, rotation_key, rotation })
    }

    /// Its DID document, with the handle it has now.
    pub(crate) fn document(&self, now: Option<&str>) -> String {
        let (did, handle, key) = (&self.did, now.unwrap_or(&self.handle), did_key(&self.key));
        let key = key.trim_start_matches("did:key:");
        format!(
            "{{\"@context\":[\"https://www.w3.org/ns/did/v1\",\"https://w3id.org/security/multikey/v1\",\
             \"https://w3id.org/security/suites/secp256k1-2019/v1\"],\"id\":\"{did}\",\"alsoKnownAs\":\
             [\"at://{handle}\"],\"verificationMethod\":[{{\"id\":\"{did}#atproto\",\"type\":\"Multikey\",\
             \"controller\":\"{did}\",\"publicKeyMultibase\":\"{key}\"}}],\"service\":[{{\"id\":\"#atproto_pds\",\
             \"type\":\"AtprotoPersonalDataServer\",\"serviceEndpoint\":\"https://pds.replica.example\"}}]}}"
        )
    }

    /// Its history at plc.directory: the genesis operation, and the one that changed the handle, if it was changed.
    pub(crate) fn audit_log(&self, renamed: Option<(&str, &str)>) -> String {
        let genesis = cid_text(&cid(&self.signed_genesis));
        let first = self.entry(&self.handle, None, &self.genesis_signature, &genesis, "2025-01-01T00:00:00.000Z");
        let Some((at, handle)) = renamed else { return format!("[{first}]") };
        let fields =
            |signature: Option<&str>| operation(handle, &did_key(&self.key), &self.rotation, Some(&genesis), signature);
        let signature: Signature = self.rotation_key.sign(&fields(None).encode());
        let signature = data_encoding::BASE64URL_NOPAD.encode(&signature.to_bytes());
        let own = cid_text(&cid(&fields(Some(&signature)).encode()));
        format!("[{first},{}]", self.entry(handle, Some(&genesis), &signature, &own, at))
    }

    fn entry(&self, handle: &str, before: Option<&str>, signature: &str, cid: &str, at: &str) -> String {
        format!(
            "{{\"did\":\"{}\",\"operation\":{{\"type\":\"plc_operation\",\"rotationKeys\":[\"{}\"],\
             \"verificationMethods\":{{\"atproto\":\"{}\"}},\"alsoKnownAs\":[\"at://{handle}\"],\"services\":\
             {{\"atproto_pds\":{{\"type\":\"AtprotoPersonalDataServer\",\"endpoint\":\"https://pds.replica.example\"}}}},\
             \"prev\":{},\"sig\":\"{signature}\"}},\"cid\":\"{cid}\",\"nullified\":false,\"createdAt\":\"{at}\"}}",
            self.did,
            self.rotation,
            did_key(&self.key),
            before.map_or_else(|| "null".to_owned(), quote),
        )
    }

    /// A CAR with the commit over these records and, of them, the one named, or the way to where it would be; without a
    /// name all of them.
    pub(crate) fn car(&self, records: &BTreeMap<String, Vec<u8>>, revision: &str, wanted: Option<&str>) -> Vec<u8> {
        let keys: Vec<(&str, Cid)> = records.iter().map(|(key, bytes)| (key.as_str(), cid(bytes))).collect();
        let mut tree = Tree { blocks: vec![], wanted };
        let top = keys.iter().map(|(key, _)| layer(key)).max().unwrap_or(0);
        let root = tree.node(&keys, top, true);
        let unsigned = self.commit(revision, &root, None);
        let signature: Signature = self.key.sign(&unsigned.encode());
        let commit = self.commit(revision, &root, Some(signature.to_bytes().to_vec())).encode();
        let mut blocks = vec![(cid(&commit), commit)];
        blocks.append(&mut tree.blocks);
        let shown = records.iter().filter(|(key, _)| wanted.is_none_or(|wanted| wanted == key.as_str()));
        blocks.extend(shown.map(|(_, bytes)| (cid(bytes), bytes.clone())));
        car(&blocks)
    }

    fn commit(&self, revision: &str, data: &Cid, signature: Option<Vec<u8>>) -> Value {
        let mut fields = vec![
            ("did", Value::text(&self.did)),
            ("rev", Value::text(revision)),
            ("data", Value::Link(data.clone())),
            ("prev", Value::Null),
            ("version", Value::Number(3)),
        ];
        fields.extend(signature.map(|bytes| ("sig", Value::Bytes(bytes))));
        Value::map(fields)
    }
}

fn operation(handle: &str, key: &str, rotation: &str, before: Option<&str>, signature: Option<&str>) -> Value {
    let service = Value::map(vec![
        ("type", Value::text("AtprotoPersonalDataServer")),
        ("endpoint", Value::text("https://pds.replica.example")),
    ]);
    let mut fields = vec![
        ("type", Value::text("plc_operation")),
        ("rotationKeys", Value::List(vec![Value::text(rotation)])),
        ("verificationMethods", Value::map(vec![("atproto", Value::text(key))])),
        ("alsoKnownAs", Value::List(vec![Value::text(&format!("at://{handle}"))])),
        ("services", Value::map(vec![("atproto_pds", service)])),
        ("prev", before.map_or(Value::Null, Value::text)),
    ];
    fields.extend(signature.map(|text| ("sig", Value::text(text))));
    Value::map(fields)
}

/// A post's record.
#[derive(Clone, Copy)]
pub(crate) struct Record<'a> {
    pub(crate) text: &'a str,
    pub(crate) created_at: &'a str,
    /// The at-URI and CID of the post it answers.
    pub(crate) answers: Option<(&'a str, &'a str)>,
}

impl Record<'_> {
    /// In DAG-CBOR.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut fields = vec![
            ("$type", Value::text("app.bsky.feed.post")),
            ("text", Value::text(self.text)),
            ("langs", Value::List(vec![Value::text("en")])),
            ("createdAt", Value::text(self.created_at)),
        ];
        let named = |(uri, cid): (&str, &str)| Value::map(vec![("uri", Value::text(uri)), ("cid", Value::text(cid))]);
        fields.extend(self.answers.map(|to| ("reply", Value::map(vec![("root", named(to)), ("parent", named(to))]))));
        Value::map(fields).encode()
    }

    /// As JSON.
    pub(crate) fn json(&self) -> String {
        let named = |(uri, cid): (&str, &str)| format!("{{\"cid\":\"{cid}\",\"uri\":{}}}", quote(uri));
        let reply = |to| format!(",\"reply\":{{\"root\":{0},\"parent\":{0}}}", named(to));
        format!(
            "{{\"$type\":\"app.bsky.feed.post\",\"text\":{},\"langs\":[\"en\"],\"createdAt\":\"{}\"{}}}",
            quote(self.text),
            self.created_at,
            self.answers.map(reply).unwrap_or_default()
        )
    }
}

/// The CID of a block, as text.
pub(crate) fn cid_of(block: &[u8]) -> String {
    cid_text(&cid(block))
}

fn cid(block: &[u8]) -> Cid {
    [&[0x01, 0x71, 0x12, 0x20], Sha256::digest(block).as_slice()].concat()
}

fn cid_text(cid: &Cid) -> String {
    format!("b{}", data_encoding::BASE32_NOPAD.encode(cid).to_lowercase())
}

fn did_key(key: &SigningKey) -> String {
    let point = key.verifying_key().to_sec1_point(true);
    format!("did:key:z{}", base58(&[&[0xe7, 0x01], point.as_bytes()].concat()))
}

/// Bitcoin's base 58.
fn base58(bytes: &[u8]) -> String {
    const LETTERS: &[u8] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
    let mut digits: Vec<u32> = Vec::new();
    for byte in bytes {
        let mut carry = u32::from(*byte);
        for digit in &mut digits {
            carry += *digit << 8;
            *digit = carry % 58;
            carry /= 58;
        }
        while carry > 0 {
            digits.push(carry % 58);
            carry /= 58;
        }
    }
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    let letters =
        digits.iter().rev().filter_map(|digit| LETTERS.get(*digit as usize)).map(|letter| char::from(*letter));
    std::iter::repeat_n('1', zeros).chain(letters).collect()
}

/// How high in the tree a key stands: pairs of leading zero bits in its digest.
fn layer(key: &str) -> u32 {
    let digest = Sha256::digest(key.as_bytes());
    let whole = digest.iter().take_while(|byte| **byte == 0).count();
    let rest = digest.get(whole).map_or(0, |byte| byte.leading_zeros());
    (u32::try_from(whole).unwrap_or(0) * 8 + rest) / 2
}

/// Collects the nodes that a CAR needs: all of them, or those on the way to one key.
struct Tree<'a> {
    blocks: Vec<(Cid, Vec<u8>)>,
    wanted: Option<&'a str>,
}

impl Tree<'_> {
    /// The node of these sorted keys at a layer; `on_the_way` says whether the wanted key belongs under it.
    fn node(&mut self, keys: &[(&str, Cid)], at: u32, on_the_way: bool) -> Cid {
        let wanted = self.wanted.filter(|_| on_the_way);
        let keep = on_the_way || self.wanted.is_none();
        let own: Vec<usize> =
            (0..keys.len()).filter(|n| keys.get(*n).is_some_and(|(key, _)| layer(key) == at)).collect();
        let here = self.blocks.len();
        let mut entries = Vec::new();
        let mut before = "";
        let mut children = Vec::new();
        for (n, start) in std::iter::once(0).chain(own.iter().map(|n| n + 1)).enumerate() {
            let end = own.get(n).copied().unwrap_or(keys.len());
            let run = keys.get(start..end).unwrap_or_default();
            let after = start.checked_sub(1).and_then(|n| keys.get(n)).map(|(key, _)| *key);
            let until = keys.get(end).map(|(key, _)| *key);
            let under = wanted.is_some_and(|key| after.is_none_or(|a| a < key) && until.is_none_or(|u| key < u));
            let child =
                if run.is_empty() { Value::Null } else { Value::Link(self.node(run, at.saturating_sub(1), under)) };
            children.push(child);
        }
        let mut children = children.into_iter();
        let left = children.next().unwrap_or(Value::Null);
        for (n, right) in own.into_iter().zip(children) {
            let Some((key, link)) = keys.get(n) else { continue };
            let shared = before.bytes().zip(key.bytes()).take_while(|(a, b)| a == b).count();
            entries.push(Value::map(vec![
                ("k", Value::Bytes(key.as_bytes().get(shared..).unwrap_or_default().to_vec())),
                ("p", Value::Number(shared as u64)),
                ("t", right),
                ("v", Value::Link(link.clone())),
            ]));
            before = key;
        }
        let block = Value::map(vec![("l", left), ("e", Value::List(entries))]).encode();
        let name = cid(&block);
        if keep {
            self.blocks.insert(here, (name.clone(), block));
        }
        name
    }
}

/// The little of DAG-CBOR that repositories need.
enum Value {
    Null,
    Number(u64),
    Bytes(Vec<u8>),
    Text(String),
    List(Vec<Value>),
    Map(Vec<(&'static str, Value)>),
    Link(Cid),
}

impl Value {
    fn text(text: &str) -> Value {
        Value::Text(text.to_owned())
    }

    /// A map in canonical order: shorter keys first.
    fn map(mut fields: Vec<(&'static str, Value)>) -> Value {
        fields.sort_by_key(|(key, _)| (key.len(), *key));
        Value::Map(fields)
    }

    fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.put(&mut out);
        out
    }

    fn put(&self, out: &mut Vec<u8>) {
        match self {
            Value::Null => out.push(0xf6),
            Value::Number(number) => head(out, 0, *number),
            Value::Bytes(bytes) => {
                head(out, 2, bytes.len() as u64);
                out.extend(bytes);
            }
            Value::Text(text) => {
                head(out, 3, text.len() as u64);
                out.extend(text.as_bytes());
            }
            Value::List(items) => {
                head(out, 4, items.len() as u64);
                items.iter().for_each(|item| item.put(out));
            }
            Value::Map(fields) => {
                head(out, 5, fields.len() as u64);
                for (key, value) in fields {
                    head(out, 3, key.len() as u64);
                    out.extend(key.as_bytes());
                    value.put(out);
                }
            }
            Value::Link(cid) => {
                out.extend([0xd8, 42]);
                head(out, 2, cid.len() as u64 + 1);
                out.push(0);
                out.extend(cid);
            }
        }
    }
}

/// A major type with its number in the fewest bytes.
fn head(out: &mut Vec<u8>, major: u8, number: u64) {
    let bytes = number.to_be_bytes();
    let (mark, width) = match number {
        0..24 => (bytes[7], 0),
        24..0x100 => (24, 1),
        0x100..0x1_0000 => (25, 2),
        0x1_0000..0x1_0000_0000 => (26, 4),
        _ => (27, 8),
    };
    out.push(major << 5 | mark);
    out.extend(bytes.get(8 - width..).unwrap_or_default());
}

/// CAR version 1; the first block is its root.
fn car(blocks: &[(Cid, Vec<u8>)]) -> Vec<u8> {
    let roots = blocks.first().map(|(cid, _)| Value::Link(cid.clone()));
    let header = Value::map(vec![("roots", Value::List(roots.into_iter().collect())), ("version", Value::Number(1))]);
    let header = header.encode();
    let mut out = Vec::new();
    varint(&mut out, header.len());
    out.extend(header);
    for (cid, block) in blocks {
        varint(&mut out, cid.len() + block.len());
        out.extend(cid);
        out.extend(block);
    }
    out
}

fn varint(out: &mut Vec<u8>, mut number: usize) {
    while number >= 0x80 {
        out.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    out.push((number & 0x7f) as u8);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures;

    #[test]
    fn records_have_the_cids_of_their_cbor() {
        // The fixture's reply record holds more fields; the shortest common ground is an empty tree's node.
        let node = Value::map(vec![("l", Value::Null), ("e", Value::List(vec![]))]).encode();
        assert_eq!(node, [0xa2, 0x61, b'e', 0x80, 0x61, b'l', 0xf6]);
        assert_eq!(cid_of(&node).len(), 59);
    }

    #[test]
    fn base58_is_bitcoins() {
        assert_eq!(base58(b"Hello World!"), "2NEpo7TZRRrLZSi2U");
        assert_eq!(base58(&[0, 0, 1]), "112");
    }

    #[test]
    fn layers_are_counted_in_pairs_of_zero_bits() {
        // From the AT Protocol's description of its tree.
        assert_eq!(layer("2653ae71"), 0);
        assert_eq!(layer("blue"), 1);
        assert_eq!(layer("app.bsky.feed.post/454397e440ec"), 4);
        assert_eq!(layer("app.bsky.feed.post/9adeb165882c"), 8);
    }

    #[test]
    fn the_same_account_each_time() {
        let (one, two) = (Account::of("lena.replica.example").unwrap(), Account::of("lena.replica.example").unwrap());
        assert_eq!((one.did.len(), one.document(None)), (32, two.document(None)));
        assert!(fixtures::text("bluesky/did.json").contains("\"type\": \"Multikey\""));
    }
}
