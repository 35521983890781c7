//! Canonical JSON (RFC 8785): one byte string for one value, so that its digest names it.

use crate::format::digest::Digest;

/// The canonical bytes of `value`.
///
/// # Errors
/// A value that JSON cannot hold (a map with keys that are no text, a float that is no number).
pub fn canonical<T: serde::Serialize>(value: &T) -> Result<Vec<u8>, serde_json::Error> {
    serde_jcs::to_vec(value)
}

/// Whether `bytes` are exactly the canonical form of what they say: no other spacing, order, number or escape, no key
/// twice, nothing after the end.
pub fn is_canonical(bytes: &[u8]) -> bool {
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

#[cfg(test)]
mod tests {
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
}
