//! Sound proofs hold; each kind of unsound one is refused by its own name.

use proptest::prelude::*;

use super::*;
use crate::format::mst::tests::Forest;
use crate::format::plc::tests::{Pair, did_of, entry, operation, signed};

const INCLUDED: &[u8] = include_bytes!("../../../../tests/fixtures/bluesky/getRecord.rk1.car");
const ABSENT: &[u8] = include_bytes!("../../../../tests/fixtures/bluesky/getRecord.nonexistent.car");
const TAMPERED: &[u8] = include_bytes!("../../../../tests/fixtures/bluesky/getRecord.rk1.tampered.car");
const FORGED: &[u8] = include_bytes!("../../../../tests/fixtures/bluesky/getRecord.rk1.forged-key.car");
const WHOLE: &[u8] = include_bytes!("../../../../tests/fixtures/bluesky/getRepo.car");
const DOCUMENT: &[u8] = include_bytes!("../../../../tests/fixtures/bluesky/did.json");
const LOG: &[u8] = include_bytes!("../../../../tests/fixtures/bluesky/plc-log-audit.json");
const EXPECTED: &[u8] = include_bytes!("../../../../tests/fixtures/bluesky/expected.json");

fn fixture_did() -> Did {
    "did:plc:iehgelpsa6hrxqbomgxsvwfi".parse().unwrap()
}

fn prove_fixture(rkey: &str, car: &[u8]) -> Proof {
    let document = DidDocument::read(DOCUMENT).unwrap();
    let history = History::read(&document.id, LOG).unwrap();
    prove(&fixture_did(), rkey, car, Keys { document: Some(&document), history: Some(&history) })
}

fn fault(proof: &Proof) -> &'static str {
    assert!(!proof.verified());
    assert!(!proof.attestation().holds);
    proof.fault.as_ref().map_or("none", Fault::name)
}

#[test]
fn the_fixtures_prove_what_they_were_made_to_prove() {
    let expected: serde_json::Value = serde_json::from_slice(EXPECTED).unwrap();
    let proof = prove_fixture("3mg7x3ipobs2f", INCLUDED);
    assert_eq!(proof.fault, None);
    let Some(Claim::Included(cid)) = proof.claim else { panic!("not included") };
    assert_eq!(cid.to_string(), expected["cids"]["post"]);
    assert_eq!(proof.commit.unwrap().to_string(), expected["cids"]["commit"]);
    assert_eq!(proof.rev.as_deref(), expected["commit"]["rev"].as_str());
    let shown: serde_json::Value =
        serde_json::from_slice(include_bytes!("../../../../tests/fixtures/bluesky/repo.getRecord.json")).unwrap();
    assert_eq!(proof.record.as_ref(), Some(&shown["value"]));
    assert!(proof.attestation().holds);

    let absent = prove_fixture("3mg7x3ippb22f", ABSENT);
    assert_eq!((absent.claim, absent.verified()), (Some(Claim::Absent), true));

    for (name, rkey) in [("post", "3mg7x3ipobs2f"), ("reply", "3mg7xffoz722f"), ("quote", "3mgdeuc6u222f")] {
        let Some(Claim::Included(cid)) = prove_fixture(rkey, WHOLE).claim else { panic!("{name} not included") };
        assert_eq!(cid.to_string(), expected["cids"][name]);
    }
}

#[test]
fn unsound_fixtures_fail_by_name() {
    assert_eq!(fault(&prove_fixture("3mg7x3ipobs2f", TAMPERED)), "tampered-block");
    assert_eq!(fault(&prove_fixture("3mg7x3ipobs2f", FORGED)), "forged-key");
    assert_eq!(fault(&prove_fixture("3mg7x3ipobs2f", b"")), "malformed-car");
    assert_eq!(fault(&prove_fixture("3mg7x3ipobs2f", &INCLUDED[..INCLUDED.len() - 1])), "malformed-car");
}

#[test]
fn a_proof_of_another_record_proves_nothing_of_this_one() {
    for rkey in ["3mg7xffoz722f", "3mgdeuc6u222f", "2222222222222", "3zzzzzzzzzzzz"] {
        let proof = prove_fixture(rkey, INCLUDED);
        if proof.verified() {
            // absence may be proved by the same nodes, inclusion may not; the whole repository must say the same
            assert_eq!(proof.claim, prove_fixture(rkey, WHOLE).claim, "{rkey}");
        } else {
            assert!(matches!(fault(&proof), "wrong-path" | "missing-record"), "{rkey}");
        }
    }
}

/// A small account of the tests' own, whose every part can be bent.
struct Account {
    did: Did,
    document: DidDocument,
    history: History,
    forest: Forest,
    root: Cid,
}

const RKEY: &str = "3mg7x3ipobs2f";

fn key_of(seed: u8) -> Result<PublicKey, MethodError> {
    Ok(Pair::of(seed).did_key().parse().unwrap())
}

/// Signed by key 1 until February 2026, by key 2 from then on.
fn account(record: &[u8]) -> Account {
    let genesis = signed(operation(&[&Pair::of(7)], &Pair::of(1), "a.example", None), &Pair::of(7));
    let next = signed(operation(&[&Pair::of(7)], &Pair::of(2), "b.example", Some(genesis.1)), &Pair::of(7));
    let did = did_of(&genesis);
    let log = [entry(&did, &genesis, "2026-01-01T00:00:00Z", false), entry(&did, &next, "2026-02-01T00:00:00Z", false)];
    let history = History::read(&did, &serde_json::to_vec(&log).unwrap()).unwrap();
    let document = DidDocument { id: did.clone(), handles: vec!["b.example".into()], key: key_of(2), pds: None };
    let mut forest = Forest::default();
    let cid = Cid::of_cbor(record);
    forest.blocks.insert(cid, record.to_vec());
    let root = forest.plant(&[(format!("{POSTS}/{RKEY}").into_bytes(), cid)]);
    Account { did, document, history, forest, root }
}

fn record() -> Vec<u8> {
    Value::from_json(&serde_json::json!({"$type": POSTS, "text": "x", "createdAt": "2026-03-04T09:15:30Z"}))
        .unwrap()
        .encode()
}

fn commit(account: &Account, rev: &str) -> Vec<(std::borrow::Cow<'static, str>, Value<'static>)> {
    vec![
        ("did".into(), Value::Text(account.did.to_string().into())),
        ("version".into(), Value::Int(3)),
        ("data".into(), Value::Link(account.root)),
        ("rev".into(), Value::Text(rev.to_owned().into())),
        ("prev".into(), Value::Null),
    ]
}

fn sign(mut fields: Vec<(std::borrow::Cow<'static, str>, Value<'static>)>, by: &Pair) -> Vec<u8> {
    let sig = by.sign(&Value::Map(fields.clone()).encode());
    fields.push(("sig".into(), Value::Bytes(sig.into())));
    Value::Map(fields).encode()
}

fn pack(account: &Account, commit: &[u8]) -> Vec<u8> {
    let head = Value::Map(vec![
        ("roots".into(), Value::List(vec![Value::Link(Cid::of_cbor(commit))])),
        ("version".into(), Value::Int(1)),
    ]);
    let mut out = Vec::new();
    let mut section = |parts: &[&[u8]]| {
        let mut length: usize = parts.iter().map(|part| part.len()).sum();
        while length > 0x7f {
            out.push((length & 0x7f) as u8 | 0x80);
            length >>= 7;
        }
        out.push(length as u8);
        parts.iter().for_each(|part| out.extend_from_slice(part));
    };
    section(&[&head.encode()]);
    section(&[&Cid::of_cbor(commit).to_bytes(), commit]);
    for (cid, bytes) in &account.forest.blocks {
        section(&[&cid.to_bytes(), bytes]);
    }
    out
}

fn prove_own(account: &Account, car: &[u8]) -> Proof {
    prove(&account.did, RKEY, car, Keys { document: Some(&account.document), history: Some(&account.history) })
}

/// Revisions in January and in March 2026.
fn revs() -> (String, String) {
    let tid = |time: &str| Tid::at(time.parse().unwrap(), 7).unwrap().to_string();
    (tid("2026-01-15T00:00:00Z"), tid("2026-03-15T00:00:00Z"))
}

#[test]
fn every_rule_that_a_server_could_bend_has_its_name() {
    let own = account(&record());
    let (january, march) = revs();
    let with = |fields, by: u8| prove_own(&own, &pack(&own, &sign(fields, &Pair::of(by))));
    let bent = |name: &str, value: Value<'static>| {
        let mut fields = commit(&own, &march);
        fields.iter_mut().filter(|(key, _)| key == name).for_each(|field| field.1 = value.clone());
        with(fields, 2)
    };
    assert!(with(commit(&own, &march), 2).verified());
    assert!(with(commit(&own, &january), 1).verified(), "the former key, in its time");
    assert_eq!(fault(&with(commit(&own, &march), 1)), "key-out-of-time");
    assert_eq!(fault(&with(commit(&own, &march), 9)), "forged-key");
    assert_eq!(fault(&bent("did", Value::Text("did:plc:other".into()))), "wrong-account");
    assert_eq!(fault(&bent("version", Value::Int(2))), "malformed-commit");
    assert_eq!(fault(&bent("rev", Value::Text("yesterday".into()))), "malformed-commit");
    assert_eq!(fault(&bent("data", Value::Null)), "malformed-commit");
    assert_eq!(fault(&bent("data", Value::Link(Cid::of_cbor(b"x")))), "wrong-path");
}

#[test]
fn signatures_in_another_form_are_refused() {
    let own = account(&record());
    let (_, march) = revs();
    let fields = commit(&own, &march);
    let sig = Pair::of(2).sign(&Value::Map(fields.clone()).encode());
    let with = |sig: Vec<u8>| {
        let mut fields = fields.clone();
        fields.push(("sig".into(), Value::Bytes(sig.into())));
        prove_own(&own, &pack(&own, &Value::Map(fields).encode()))
    };
    assert!(with(sig.clone()).verified());
    assert_eq!(fault(&with(high_s(&sig))), "high-s-signature");
    assert_eq!(fault(&with(sig[..63].to_vec())), "malformed-signature");
    assert_eq!(fault(&with(vec![0; 64])), "malformed-signature");
    assert_eq!(fault(&prove_own(&own, &pack(&own, &Value::Map(fields.clone()).encode()))), "malformed-commit");
}

/// The other signature that fits wherever this one does.
fn high_s(sig: &[u8]) -> Vec<u8> {
    let (r, s) = k256::ecdsa::Signature::from_slice(sig).unwrap().split_scalars();
    let high = k256::ecdsa::Signature::from_scalars(r.to_bytes(), (-*s).to_bytes()).unwrap();
    high.to_bytes().to_vec()
}

#[test]
fn missing_and_unclean_blocks_have_names() {
    let (_, march) = revs();
    let mut own = account(&record());
    let car = |own: &Account| pack(own, &sign(commit(own, &march), &Pair::of(2)));
    own.forest.blocks.remove(&Cid::of_cbor(&record()));
    assert_eq!(fault(&prove_own(&own, &car(&own))), "missing-record");

    let unclean = account(b"\xa1\x61a\xfb\x3f\xf8\x00\x00\x00\x00\x00\x00");
    assert_eq!(fault(&prove_own(&unclean, &car(&unclean))), "non-canonical-cbor");

    let mut hollow = account(&record());
    let node = hollow.forest.store(Value::Null, Vec::new());
    hollow.root = hollow.forest.store(Value::Link(node), Vec::new());
    assert_eq!(fault(&prove_own(&hollow, &car(&hollow))), "malformed-tree");

    let own = account(&record());
    assert_eq!(fault(&prove_own(&own, &pack(&own, b"x"))), "non-canonical-cbor", "the commit");
}

#[test]
fn keys_must_be_known_and_in_the_history() {
    let own = account(&record());
    let (_, march) = revs();
    let car = pack(&own, &sign(commit(&own, &march), &Pair::of(2)));
    let stranger = pack(&own, &sign(commit(&own, &march), &Pair::of(9)));
    let prove = |car: &[u8], keys: Keys<'_>| super::prove(&own.did, RKEY, car, keys);
    let (document, history) = (Some(&own.document), Some(&own.history));
    assert_eq!(fault(&prove(&car, Keys::default())), "no-key");
    assert!(prove(&car, Keys { document, history: None }).verified());
    assert!(prove(&car, Keys { document: None, history }).verified());
    assert_eq!(fault(&prove(&stranger, Keys { document, history: None })), "forged-key");
    let planted = DidDocument { key: key_of(9), ..own.document.clone() };
    assert_eq!(fault(&prove(&stranger, Keys { document: Some(&planted), history })), "key-not-in-history");
    let keyless = DidDocument { key: Err(MethodError::Missing), ..own.document.clone() };
    assert_eq!(fault(&prove(&car, Keys { document: Some(&keyless), history: None })), "no-key");
}

proptest! {
    #[test]
    fn no_changed_byte_leaves_the_proof_standing_with_another_meaning(
        at in any::<prop::sample::Index>(),
        flip in 1u8..,
    ) {
        let mut car = INCLUDED.to_vec();
        car[at.index(INCLUDED.len())] ^= flip;
        let proof = prove_fixture(RKEY, &car);
        prop_assert!(!proof.verified() || proof == prove_fixture(RKEY, INCLUDED));
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(!prove_fixture(RKEY, &bytes).verified());
    }
}
