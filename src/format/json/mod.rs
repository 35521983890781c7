//! Canonical JSON (RFC 8785): one byte string for one value, so that its digest names it.

use crate::format::digest::Digest;
use writer::Writer;

/// The canonical bytes of `value`.
///
/// # Errors
/// A value that JSON cannot hold (a map with keys that are no text, a float that is no number).
pub fn canonical<T: serde::Serialize>(value: &T) -> Result<Vec<u8>, serde_json::Error> {
    let mut writer = Writer::default();
    value.serialize(&mut writer)?;
    Ok(writer.out)
}

/// About how many bytes `value` has as JSON, without making them: numbers that are not whole may be spelt otherwise.
///
/// # Errors
/// As [`canonical`].
pub fn length<T: serde::Serialize>(value: &T) -> Result<usize, serde_json::Error> {
    struct Count(usize);
    impl std::io::Write for Count {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0 += bytes.len();
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let mut count = Count(0);
    serde_json::to_writer(&mut count, value)?;
    Ok(count.0)
}

/// Whether `bytes` are exactly the canonical form of what they say: no other spacing, order, number or escape, no key
/// twice, nothing after the end.
pub fn is_canonical(bytes: &[u8]) -> bool {
    plain::is_canonical(bytes).unwrap_or_else(|| written_again(bytes))
}

fn written_again(bytes: &[u8]) -> bool {
    serde_json::from_slice::<serde_json::Value>(bytes)
        .ok()
        .and_then(|value| canonical(&value).ok())
        .is_some_and(|again| again == bytes)
}

/// The digest of the canonical bytes of `value`.
///
/// # Errors
/// As [`canonical`].
pub fn digest<T: serde::Serialize>(value: &T) -> Result<Digest, serde_json::Error> {
    canonical(value).map(|bytes| Digest::of(&bytes))
}

mod plain;
mod writer;

#[cfg(test)]
mod tests {
    use serde_json::{Number, Value};

    use super::*;

    #[test]
    fn only_the_canonical_spelling_passes() {
        assert!(is_canonical(br#"{"a":1,"b":"x"}"#));
        for other in [
            r#"{"b":"x","a":1}"#,
            r#"{"a": 1,"b":"x"}"#,
            r#"{"a":1.0,"b":"x"}"#,
            r#"{"a":1,"a":1,"b":"x"}"#,
            "{\"a\":1,\"b\":\"x\"}\n",
        ] {
            assert!(!is_canonical(other.as_bytes()), "{other}");
        }
    }

    #[test]
    fn the_quick_look_says_what_the_long_one_says() {
        let some = br#"{"a":[1,-7,true,null,{"b":"x\\y\"z\n\u00e9"},0.5],"c":{"d":"e","f":[]},"g":"\u001f"}"#;
        let mut seen = [0; 3];
        for at in 0..some.len() {
            for byte in [b' ', b'0', b'"', b',', b'}', b'\\', b'z', b'-', 0x7f, 0xc3] {
                for (from, to) in [(at, at), (at, at + 1), (at, some.len())] {
                    let changed = [&some[..from], &[byte], &some[to..]].concat();
                    let quick = plain::is_canonical(&changed);
                    seen[quick.map_or(2, usize::from)] += 1;
                    assert!(quick.is_none_or(|quick| quick == written_again(&changed)), "{}", changed.escape_ascii());
                }
            }
        }
        assert_eq!(plain::is_canonical(br#"{"a":[1,-7,"x\n\"\\"],"b":{}}"#), Some(true));
        assert_eq!(plain::is_canonical(br#"{"a":1,"a":2}"#), Some(false));
        assert!(seen[0] > 100 && seen[2] > 100, "{seen:?}");
        let deep = [b"[".repeat(1000), b"]".repeat(1000)].concat();
        assert_eq!(plain::is_canonical(&deep), None);
    }

    #[test]
    fn a_length_is_that_of_what_would_be_written() -> Result<(), serde_json::Error> {
        for list in
            [vec![], vec![Value::from(1)], vec![serde_json::json!({"b": [1.5, "x"], "a": null}), Value::from("y")]]
        {
            assert_eq!(length(&list)?, canonical(&list)?.len());
        }
        Ok(())
    }

    fn any_value() -> impl proptest::strategy::Strategy<Value = Value> {
        use proptest::prelude::*;
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            (-1000_i64..1000).prop_map(Value::from),
            any::<f64>().prop_filter_map("a number", |n| Number::from_f64(n).map(Value::Number)),
            "\\PC{0,8}".prop_map(Value::from),
            "[\u{0}-\u{20}\"\\\\/\u{7f}]{0,6}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 40, 6, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                proptest::collection::vec(("[a-c\u{e000}\u{1f600}é\"]{0,3}", inner), 0..6)
                    .prop_map(|fields| Value::Object(fields.into_iter().collect())),
            ]
        })
    }

    proptest::proptest! {
        #[test]
        fn the_reference_crate_says_the_same(value in any_value()) {
            let reference = serde_jcs::to_vec(&value).map_err(|e| proptest::test_runner::TestCaseError::fail(e.to_string()))?;
            let ours = canonical(&value).map_err(|e| proptest::test_runner::TestCaseError::fail(e.to_string()))?;
            proptest::prop_assert_eq!(String::from_utf8_lossy(&ours), String::from_utf8_lossy(&reference));
        }
    }
}
