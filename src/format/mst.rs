//! The Merkle search tree of AT Protocol repositories (atproto.com/specs/repository#mst-structure): whether a key is in the
//! tree a root names, or is not, proved by the nodes on its path alone.

use crate::format::cbor::{CborError, Value};
use crate::format::cid::Cid;
use crate::format::digest::Digest;

/// What the tree says of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// it is there, and this is its value
    Present(Cid),
    /// it is not there, and no node that is missing here could hold it
    Absent,
}

/// Why the nodes at hand prove nothing. The CID is the node's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MstError {
    /// a node on the path is not at hand
    #[error("tree node {0} is missing")]
    Missing(Cid),
    /// a node is not canonical
    #[error("tree node {0} is {1}")]
    Bytes(Cid, CborError),
    /// a node lacks a field, has one of another kind, or is empty where the tree allows none
    #[error("tree node {0} is malformed")]
    Shape(Cid),
    /// a key shares more or less with the one before than it says
    #[error("tree node {0} has a key compressed otherwise than the one way allowed")]
    Prefix(Cid),
    /// keys out of order, or outside what the parent leaves to this node
    #[error("tree node {0} has keys out of order")]
    Order(Cid),
    /// a key on a layer that is not its own
    #[error("tree node {0} has a key of another layer")]
    Layer(Cid),
}

/// Looks `key` up from `root`. Every node on the way is checked: form, order, bounds and layer, so that neither answer can be
/// had from a tree that hides something.
///
/// # Errors
/// [`MstError`] where a node is missing or breaks a rule of the tree.
pub fn find<'a>(block: impl Fn(&Cid) -> Option<&'a [u8]>, root: Cid, key: &[u8]) -> Result<Found, MstError> {
    let mut cid = root;
    let mut bounds = Bounds::default();
    let mut layer = None;
    loop {
        let bytes = block(&cid).ok_or(MstError::Missing(cid))?;
        let node = Node::read(cid, bytes)?;
        layer = Some(node.check(&bounds, layer)?);
        let next = match node.entries.iter().position(|entry| entry.key.as_slice() >= key) {
            Some(at) => {
                let entry = node.entries.get(at).ok_or(MstError::Shape(cid))?;
                if entry.key == key {
                    return Ok(Found::Present(entry.value));
                }
                bounds.high = Some(entry.key.clone());
                node.before(at, &mut bounds)
            }
            None => node.before(node.entries.len(), &mut bounds),
        };
        match next {
            Some(next) => cid = next,
            None => return Ok(Found::Absent),
        }
    }
}

/// The layer a key belongs to: leading zero bits of its SHA-256, in pairs.
pub fn height(key: &[u8]) -> u32 {
    let mut zeros = 0;
    for byte in Digest::of(key).0 {
        zeros += byte.leading_zeros();
        if byte != 0 {
            break;
        }
    }
    zeros / 2
}

/// How many bytes two keys share at their beginnings.
pub fn common_prefix(a: &[u8], b: &[u8]) -> usize {
    a.iter().zip(b).take_while(|(x, y)| x == y).count()
}

/// What the parents leave to a node, both ends excluded.
#[derive(Default)]
struct Bounds {
    low: Option<Vec<u8>>,
    high: Option<Vec<u8>>,
}

struct Node {
    cid: Cid,
    left: Option<Cid>,
    entries: Vec<Entry>,
}

struct Entry {
    key: Vec<u8>,
    value: Cid,
    right: Option<Cid>,
}

impl Node {
    fn read(cid: Cid, bytes: &[u8]) -> Result<Self, MstError> {
        let value = Value::decode(bytes).map_err(|why| MstError::Bytes(cid, why))?;
        let left = link_or_null(&value, "l").ok_or(MstError::Shape(cid))?;
        let list = value.get("e").and_then(Value::as_list).ok_or(MstError::Shape(cid))?;
        let mut entries: Vec<Entry> = Vec::new();
        let mut total = 0usize;
        for item in list {
            let last = entries.last().map(|entry| entry.key.as_slice()).unwrap_or_default();
            let entry = Entry::read(cid, item, last)?;
            // keys are short paths; compression must not let a small node stand for a large one
            total = total.saturating_add(entry.key.len());
            if total > MAX_KEYS {
                return Err(MstError::Shape(cid));
            }
            entries.push(entry);
        }
        Ok(Self { cid, left, entries })
    }

    /// Checks order, bounds and layer; returns the layer. `above` is the parent's.
    fn check(&self, bounds: &Bounds, above: Option<u32>) -> Result<u32, MstError> {
        let ordered = self.entries.windows(2).all(|pair| matches!(pair, [a, b] if a.key < b.key));
        let over = self.entries.first().is_none_or(|e| bounds.low.as_ref().is_none_or(|low| *low < e.key));
        let under = self.entries.last().is_none_or(|e| bounds.high.as_ref().is_none_or(|high| e.key < *high));
        if !(ordered && over && under) {
            return Err(MstError::Order(self.cid));
        }
        let own = self.entries.first().map(|entry| height(&entry.key));
        let layer = match (above, own) {
            // the whole tree is empty
            (None, None) if self.left.is_none() => return Ok(0),
            // a top without keys should have been trimmed; a leaf without keys should not be
            (None, None) => return Err(MstError::Shape(self.cid)),
            (Some(_), None) if self.left.is_none() => return Err(MstError::Shape(self.cid)),
            (None, Some(own)) => own,
            (Some(above), _) => above.checked_sub(1).ok_or(MstError::Layer(self.cid))?,
        };
        if self.entries.iter().any(|entry| height(&entry.key) != layer) {
            return Err(MstError::Layer(self.cid));
        }
        Ok(layer)
    }

    /// The subtree just before entry `at`; the lower bound moves up to the entry before it.
    fn before(&self, at: usize, bounds: &mut Bounds) -> Option<Cid> {
        match at.checked_sub(1).and_then(|i| self.entries.get(i)) {
            Some(entry) => {
                bounds.low = Some(entry.key.clone());
                entry.right
            }
            None => self.left,
        }
    }
}

/// Bytes of keys one node may hold once their compression is undone (keys have at most 1,024 bytes).
const MAX_KEYS: usize = 4 << 20;

impl Entry {
    fn read(cid: Cid, item: &Value<'_>, last: &[u8]) -> Result<Self, MstError> {
        let shape = MstError::Shape(cid);
        let shared = item.get("p").and_then(Value::as_int).ok_or(shape)?;
        let rest = item.get("k").and_then(Value::as_bytes).ok_or(shape)?;
        let prefix = usize::try_from(shared).ok().and_then(|n| last.get(..n)).ok_or(MstError::Prefix(cid))?;
        let key = [prefix, rest].concat();
        if key.is_empty() || common_prefix(&key, last) != prefix.len() {
            return Err(MstError::Prefix(cid));
        }
        let value = item.get("v").and_then(Value::as_link).ok_or(shape)?;
        let right = link_or_null(item, "t").ok_or(shape)?;
        Ok(Self { key, value, right })
    }
}

/// A field that must be there and is a link or null.
fn link_or_null(value: &Value<'_>, key: &str) -> Option<Option<Cid>> {
    match value.get(key)? {
        Value::Null => Some(None),
        Value::Link(cid) => Some(Some(*cid)),
        _ => None,
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use proptest::prelude::*;

    use super::*;

    /// Builds whole trees from their rules, to test the reader against.
    #[derive(Default)]
    pub(crate) struct Forest {
        pub(crate) blocks: BTreeMap<Cid, Vec<u8>>,
    }

    impl Forest {
        /// The root of the tree that holds `keys`.
        pub(crate) fn plant(&mut self, keys: &[(Vec<u8>, Cid)]) -> Cid {
            let top = keys.iter().map(|(key, _)| height(key)).max();
            match top {
                Some(top) => self.grow(keys, top),
                None => self.store(Value::Null, Vec::new()),
            }
        }

        fn grow(&mut self, keys: &[(Vec<u8>, Cid)], layer: u32) -> Cid {
            let split: Vec<usize> = (0..keys.len()).filter(|&i| height(&keys[i].0) == layer).collect();
            let ends = split.iter().copied().chain([keys.len()]);
            let starts = std::iter::once(0).chain(split.iter().map(|i| i + 1));
            let mut below: Vec<Value<'static>> = Vec::new();
            for (start, end) in starts.zip(ends) {
                let part = &keys[start..end];
                below.push(if part.is_empty() { Value::Null } else { Value::Link(self.grow(part, layer - 1)) });
            }
            let mut last: &[u8] = b"";
            let mut entries = Vec::new();
            for (&i, right) in split.iter().zip(&below[1..]) {
                let (key, value) = &keys[i];
                entries.push(entry(last, key, *value, right.clone()));
                last = key;
            }
            self.store(below[0].clone(), entries)
        }

        pub(crate) fn store(&mut self, left: Value<'static>, entries: Vec<Value<'static>>) -> Cid {
            let bytes = Value::Map(vec![("e".into(), Value::List(entries)), ("l".into(), left)]).encode();
            let cid = Cid::of_cbor(&bytes);
            self.blocks.insert(cid, bytes);
            cid
        }

        fn find(&self, root: Cid, key: &[u8]) -> Result<Found, MstError> {
            find(|cid| self.blocks.get(cid).map(Vec::as_slice), root, key)
        }
    }

    fn entry(last: &[u8], key: &[u8], value: Cid, right: Value<'static>) -> Value<'static> {
        let shared = common_prefix(last, key);
        raw_entry(shared as i64, &key[shared..], value, right)
    }

    fn raw_entry(shared: i64, rest: &[u8], value: Cid, right: Value<'static>) -> Value<'static> {
        Value::Map(vec![
            ("p".into(), Value::Int(shared)),
            ("k".into(), Value::Bytes(rest.to_vec().into())),
            ("v".into(), Value::Link(value)),
            ("t".into(), right),
        ])
    }

    fn tree(keys: impl IntoIterator<Item = String>) -> Vec<(Vec<u8>, Cid)> {
        let sorted: BTreeSet<Vec<u8>> = keys.into_iter().map(String::into_bytes).collect();
        sorted.into_iter().map(|key| (key.clone(), Cid::of_cbor(&key))).collect()
    }

    /// A key of the given layer, found by trying.
    fn key_of(layer: u32, from: u32) -> Vec<u8> {
        (from..).map(|n| format!("k/{n:06}").into_bytes()).find(|key| height(key) == layer).unwrap()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn every_key_is_proved_present_and_every_other_absent(
            keys in prop::collection::btree_set("[a-c]{1,3}/[0-9]{1,4}", 0..60),
            others in prop::collection::vec("[a-c]{1,3}/[0-9]{1,4}", 20),
        ) {
            let planted = tree(keys.iter().cloned());
            let mut forest = Forest::default();
            let root = forest.plant(&planted);
            for (key, value) in &planted {
                prop_assert_eq!(forest.find(root, key), Ok(Found::Present(*value)));
            }
            for other in others.iter().filter(|other| !keys.contains(*other)) {
                prop_assert_eq!(forest.find(root, other.as_bytes()), Ok(Found::Absent));
            }
        }

        #[test]
        fn without_a_node_on_its_path_nothing_is_proved(keys in prop::collection::btree_set("[a-c]/[0-9]{1,4}", 1..60)) {
            let planted = tree(keys);
            let mut forest = Forest::default();
            let root = forest.plant(&planted);
            let (key, _) = &planted[planted.len() / 2];
            for cid in forest.blocks.keys().copied().collect::<Vec<_>>() {
                let taken = forest.blocks.remove(&cid).unwrap();
                let answer = forest.find(root, key);
                prop_assert!(answer != Ok(Found::Absent), "a missing node must not pass for absence");
                forest.blocks.insert(cid, taken);
            }
        }
    }

    #[test]
    fn trees_that_could_hide_a_key_are_refused_by_name() {
        let mut forest = Forest::default();
        let value = Cid::of_cbor(b"v");
        let low = key_of(0, 0);
        let next = key_of(0, 1 + String::from_utf8_lossy(&low[2..]).parse::<u32>().unwrap());
        let high = key_of(1, 0);
        let leaf = |key: &[u8]| raw_entry(0, key, value, Value::Null);

        let swapped = forest.store(Value::Null, vec![leaf(&next), entry(&next, &low, value, Value::Null)]);
        assert_eq!(forest.find(swapped, &low), Err(MstError::Order(swapped)));

        let loose = forest.store(Value::Null, vec![leaf(&low), leaf(&next)]);
        assert_eq!(forest.find(loose, &low), Err(MstError::Prefix(loose)));

        let beyond = forest.store(Value::Null, vec![raw_entry(3, &low, value, Value::Null)]);
        assert_eq!(forest.find(beyond, &low), Err(MstError::Prefix(beyond)));

        let below = forest.store(Value::Null, vec![leaf(&high)]);
        let top = forest.store(Value::Link(below), vec![leaf(&key_of(1, 5000))]);
        assert_eq!(forest.find(top, b"a"), Err(MstError::Layer(below)));

        let outside = forest.store(Value::Null, vec![leaf(b"zzz/0")]);
        let parent = forest.store(Value::Link(outside), vec![leaf(&high)]);
        assert_eq!(forest.find(parent, b"a"), Err(MstError::Order(outside)));

        let hollow = forest.store(Value::Null, Vec::new());
        assert_eq!(forest.find(hollow, b"a"), Ok(Found::Absent));
        let untrimmed = forest.store(Value::Link(hollow), Vec::new());
        assert_eq!(forest.find(untrimmed, b"a"), Err(MstError::Shape(untrimmed)));
        let over_hollow = forest.store(Value::Link(hollow), vec![leaf(&high)]);
        assert_eq!(forest.find(over_hollow, b"a"), Err(MstError::Shape(hollow)));

        let no_list = Value::Map(vec![("l".into(), Value::Null)]).encode();
        let cid = Cid::of_cbor(&no_list);
        forest.blocks.insert(cid, no_list);
        assert_eq!(forest.find(cid, b"a"), Err(MstError::Shape(cid)));
        assert_eq!(forest.find(value, b"a"), Err(MstError::Missing(value)));
    }

    #[test]
    #[expect(clippy::print_stdout, reason = "a test that checks nothing must say so")]
    fn planted_trees_have_the_roots_that_the_protocol_states() {
        let shared = std::env::var("ONRECORD_SHARED")
            .unwrap_or_else(|_| concat!(env!("CARGO_MANIFEST_DIR"), "/../shared").into());
        let path = format!("{shared}/data/atproto-interop/firehose/commit-proof-fixtures.json");
        let Ok(json) = std::fs::read(&path) else {
            println!("ABSENT: {path}; nothing was checked");
            return;
        };
        let fixtures: Vec<serde_json::Value> = serde_json::from_slice(&json).unwrap();
        for fixture in &fixtures {
            let list = |name: &str| -> Vec<String> { serde_json::from_value(fixture[name].clone()).unwrap() };
            let leaf: Cid = fixture["leafValue"].as_str().unwrap().parse().unwrap();
            let root = |keys: BTreeSet<String>| {
                let keys: Vec<_> = keys.into_iter().map(|key| (key.into_bytes(), leaf)).collect();
                Forest::default().plant(&keys).to_string()
            };
            let before: BTreeSet<String> = list("keys").into_iter().collect();
            let mut after = before.clone();
            after.extend(list("adds"));
            list("dels").iter().for_each(|key| assert!(after.remove(key)));
            assert_eq!(root(before), fixture["rootBeforeCommit"].as_str().unwrap(), "{}", fixture["comment"]);
            assert_eq!(root(after), fixture["rootAfterCommit"].as_str().unwrap(), "{}", fixture["comment"]);
        }
    }

    #[test]
    fn a_node_cannot_swell_beyond_its_bound() {
        // each key shares all but one byte with the one before: quadratic once uncompressed
        let mut forest = Forest::default();
        let value = Cid::of_cbor(b"v");
        let entries = (0..4000).map(|n| raw_entry(n, b"a", value, Value::Null)).collect();
        let root = forest.store(Value::Null, entries);
        assert_eq!(forest.find(root, b"b"), Err(MstError::Shape(root)));
    }
}
