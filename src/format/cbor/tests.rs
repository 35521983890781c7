//! Canonical spellings pass and come back byte for byte; every other spelling is refused by its name.

use proptest::prelude::*;

use super::*;

fn fault(bytes: &[u8]) -> CborFault {
    Value::decode(bytes).expect_err("should be refused").fault
}

#[test]
fn each_kind_of_disorder_has_its_name() {
    let cases: &[(&[u8], CborFault)] = &[
        (b"", CborFault::Truncated),
        (b"\x62a", CborFault::Truncated),
        (b"\x5b\xff\xff\xff\xff\xff\xff\xff\xff", CborFault::Truncated),
        (b"\x9b\xff\xff\xff\xff\xff\xff\xff\xff", CborFault::Truncated),
        (b"\xbb\x00\x00\x00\x01\x00\x00\x00\x00", CborFault::Truncated),
        (b"\x00\x00", CborFault::Trailing),
        (b"\x18\x17", CborFault::NotMinimal),
        (b"\x19\x00\xff", CborFault::NotMinimal),
        (b"\x1a\x00\x00\xff\xff", CborFault::NotMinimal),
        (b"\x1b\x00\x00\x00\x00\xff\xff\xff\xff", CborFault::NotMinimal),
        (b"\x38\x00", CborFault::NotMinimal),
        (b"\x58\x01a", CborFault::NotMinimal),
        (b"\x78\x01a", CborFault::NotMinimal),
        (b"\x5f\x41a\xff", CborFault::Indefinite),
        (b"\x7f\x61a\xff", CborFault::Indefinite),
        (b"\x9f\x00\xff", CborFault::Indefinite),
        (b"\xbf\xff", CborFault::Indefinite),
        (b"\xff", CborFault::Simple),
        (b"\xf9\x3c\x00", CborFault::Float),
        (b"\xfa\x3f\x80\x00\x00", CborFault::Float),
        (b"\xfb\x3f\xf0\x00\x00\x00\x00\x00\x00", CborFault::Float),
        (b"\xf7", CborFault::Simple),
        (b"\xf8\x20", CborFault::Simple),
        (b"\xe0", CborFault::Simple),
        (b"\x1c", CborFault::Simple),
        (b"\xc1\x00", CborFault::Tag),
        (b"\xd8\x2a\x61a", CborFault::Tag),
        (b"\xd8\x2a\x42\x00\x01", CborFault::Link(CidError::Length)),
        (b"\x61\xff", CborFault::Utf8),
        (b"\xa1\x01\x01", CborFault::KeyNotText),
        (b"\xa2\x61b\x01\x61a\x01", CborFault::KeyOrder),
        (b"\xa2\x62aa\x01\x61b\x01", CborFault::KeyOrder),
        (b"\xa2\x61a\x01\x61a\x01", CborFault::KeyTwice),
        (b"\x1b\xff\xff\xff\xff\xff\xff\xff\xff", CborFault::Integer),
        (b"\x3b\x80\x00\x00\x00\x00\x00\x00\x00", CborFault::Integer),
    ];
    for (bytes, expected) in cases {
        assert_eq!(fault(bytes), *expected, "{bytes:x?}");
    }
}

#[test]
fn the_ends_of_the_integers_round_trip() {
    for n in [0, 23, 24, 255, 256, 65_535, 65_536, 4_294_967_295, 4_294_967_296, i64::MAX, -1, -24, -25, i64::MIN] {
        let bytes = Value::Int(n).encode();
        assert_eq!(Value::decode(&bytes), Ok(Value::Int(n)), "{n}");
    }
}

#[test]
fn depth_is_bounded_on_both_sides() {
    let nest = |n: usize| [vec![0x81; n], vec![0x00]].concat();
    assert!(Value::decode(&nest(MAX_DEPTH)).is_ok());
    assert_eq!(fault(&nest(MAX_DEPTH + 1)), CborFault::TooDeep);
    assert_eq!(fault(&vec![0x81; 1 << 20]), CborFault::TooDeep);
    assert_eq!(fault(&b"\xa1\x61a".repeat(1 << 18)), CborFault::TooDeep);
}

#[test]
fn a_crowd_of_small_values_is_refused_before_it_fills_memory() {
    let count = u32::try_from(MAX_ITEMS).unwrap();
    let mut bytes = vec![0x9a];
    bytes.extend(count.to_be_bytes());
    bytes.extend(std::iter::repeat_n(0xf6, MAX_ITEMS));
    assert_eq!(fault(&bytes), CborFault::TooMany);
}

#[test]
fn encoding_puts_keys_in_order_and_keeps_the_first_of_two() {
    let entry = |key: &'static str, n| (Cow::Borrowed(key), Value::Int(n));
    let map = Value::Map(vec![entry("bb", 1), entry("c", 2), entry("c", 3), entry("a", 4)]);
    assert_eq!(map.encode(), b"\xa3\x61a\x04\x61c\x02\x62bb\x01");
}

#[test]
fn json_links_and_bytes_must_stand_alone() {
    use super::model::ModelError;
    let refuse = |json: &str| Value::from_json(&serde_json::from_str(json).unwrap()).expect_err(json);
    assert_eq!(refuse(r#"{"a":1.5}"#), ModelError::Number);
    assert_eq!(refuse(r#"{"a":18446744073709551615}"#), ModelError::Number);
    assert_eq!(refuse(r#"{"$link":"."}"#), ModelError::Link);
    assert_eq!(
        refuse(r#"{"$link":"bafkreibznbfosl7tbhj2v5bh35ovip74fszie3kd2efashiji4qv5lduc4","x":1}"#),
        ModelError::Link
    );
    assert_eq!(refuse(r#"{"$bytes":[1]}"#), ModelError::Bytes);
    assert_eq!(refuse(r#"{"$bytes":"nFER","x":1}"#), ModelError::Bytes);
    assert_eq!(Value::from_json(&serde_json::json!(123.0)), Ok(Value::Int(123)));
}

fn any_value() -> impl Strategy<Value = Value<'static>> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::Int),
        prop::collection::vec(any::<u8>(), 0..40).prop_map(|b| Value::Bytes(Cow::Owned(b))),
        "\\PC{0,12}".prop_map(|t| Value::Text(Cow::Owned(t))),
        any::<[u8; 8]>().prop_map(|b| Value::Link(Cid::of_raw(&b))),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::List),
            prop::collection::btree_map("[a-z]{0,5}", inner, 0..6)
                .prop_map(|map| Value::Map(map.into_iter().map(|(k, v)| (Cow::Owned(k), v)).collect())),
        ]
    })
}

proptest! {
    #[test]
    fn what_is_encoded_decodes_and_encodes_to_the_same_bytes(value in any_value()) {
        let bytes = value.encode();
        let again = Value::decode(&bytes).unwrap();
        prop_assert_eq!(again.encode(), bytes);
    }

    #[test]
    fn any_bytes_that_decode_are_their_own_canonical_form(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        if let Ok(value) = Value::decode(&bytes) {
            prop_assert_eq!(value.encode(), bytes);
        }
    }

    #[test]
    fn one_byte_changed_never_reads_as_the_same_value(value in any_value(), at in any::<prop::sample::Index>(), flip in 1u8..) {
        let mut bytes = value.encode();
        let original = bytes.clone();
        let at = at.index(bytes.len());
        bytes[at] ^= flip;
        if let Ok(other) = Value::decode(&bytes) {
            prop_assert_ne!(other.encode(), original);
        }
    }

    #[test]
    fn the_json_form_holds_the_same_value(value in any_value()) {
        // a map that happens to be written like a link or bytes cannot arise: its keys have no dollar sign
        let json = value.to_json();
        prop_assert_eq!(Value::from_json(&json).unwrap().encode(), value.encode());
    }
}
