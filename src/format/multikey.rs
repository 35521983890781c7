//! Public keys as text (W3C Controlled Identifiers §2.2.2 Multikey; did:key; atproto.com/specs/cryptography) and the ECDSA
//! signatures made with them, of which AT Protocol allows one form only: 64 bytes, low S.

use std::fmt;
use std::str::FromStr;

use k256::ecdsa::signature::Verifier as _;

/// A public key on one of the two curves that AT Protocol allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PublicKey {
    /// secp256k1
    K256(k256::ecdsa::VerifyingKey),
    /// secp256r1, also called P-256
    P256(p256::ecdsa::VerifyingKey),
}

/// Why text is no public key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// not `z` and base58btc
    #[error("a key that is not z and base58btc")]
    Text,
    /// a key of another kind
    #[error("a key of an unsupported kind")]
    Kind,
    /// bytes that are no point of the curve
    #[error("a key that is no point of its curve")]
    Point,
}

/// Why a signature does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// not the 64 bytes of r and s, or one of them out of range
    #[error("a signature that is not 64 bytes of r and s")]
    Form,
    /// the other, forbidden half of a signature that anyone can compute from the first
    #[error("a signature with a high s")]
    HighS,
    /// it was not made by this key over these bytes
    #[error("a signature not made by this key over these bytes")]
    Forged,
}

impl PublicKey {
    /// Reads a DID document's `publicKeyMultibase`. `suite` is the verification method's type: `Multikey`, or one of the two
    /// older suites whose key has no kind prefix.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn of_method(suite: &str, multibase: &str) -> Result<Self, KeyError> {
        let bytes = base58(multibase.strip_prefix('z').ok_or(KeyError::Text)?).ok_or(KeyError::Text)?;
        match suite {
            "Multikey" => Self::of_multikey(&bytes),
            "EcdsaSecp256k1VerificationKey2019" => k256_key(&bytes),
            "EcdsaSecp256r1VerificationKey2019" => p256_key(&bytes),
            _ => Err(KeyError::Kind),
        }
    }

    /// Reads kind prefix and compressed point.
    fn of_multikey(bytes: &[u8]) -> Result<Self, KeyError> {
        let (kind, point) = bytes.split_at_checked(2).ok_or(KeyError::Kind)?;
        if !matches!((kind, point.len()), ([0xe7, 0x01] | [0x80, 0x24], 33)) {
            return Err(KeyError::Kind);
        }
        if kind == K256_KIND { k256_key(point) } else { p256_key(point) }
    }

    /// Checks a signature over `message`, which is hashed with SHA-256 first.
    ///
    /// # Errors
    /// [`SignatureError`] names which rule it breaks.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), SignatureError> {
        match self {
            Self::K256(key) => {
                let signature = k256::ecdsa::Signature::from_slice(signature).map_err(|_| SignatureError::Form)?;
                if signature.normalize_s() != signature {
                    return Err(SignatureError::HighS);
                }
                key.verify(message, &signature).map_err(|_| SignatureError::Forged)
            }
            Self::P256(key) => {
                let signature = p256::ecdsa::Signature::from_slice(signature).map_err(|_| SignatureError::Form)?;
                if signature.normalize_s() != signature {
                    return Err(SignatureError::HighS);
                }
                key.verify(message, &signature).map_err(|_| SignatureError::Forged)
            }
        }
    }

    fn multikey(&self) -> Vec<u8> {
        let (kind, point) = match self {
            Self::K256(key) => (K256_KIND, key.to_sec1_point(true).as_bytes().to_vec()),
            Self::P256(key) => (P256_KIND, key.to_sec1_point(true).as_bytes().to_vec()),
        };
        [&kind[..], &point].concat()
    }
}

/// Multicodec numbers 0xe7 and 0x1200 as varints.
const K256_KIND: [u8; 2] = [0xe7, 0x01];
const P256_KIND: [u8; 2] = [0x80, 0x24];

fn k256_key(point: &[u8]) -> Result<PublicKey, KeyError> {
    k256::ecdsa::VerifyingKey::from_sec1_bytes(point).map(PublicKey::K256).map_err(|_| KeyError::Point)
}

fn p256_key(point: &[u8]) -> Result<PublicKey, KeyError> {
    p256::ecdsa::VerifyingKey::from_sec1_bytes(point).map(PublicKey::P256).map_err(|_| KeyError::Point)
}

impl fmt::Display for PublicKey {
    /// The `did:key` form.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "did:key:z{}", to_base58(&self.multikey()))
    }
}

impl FromStr for PublicKey {
    type Err = KeyError;

    /// Reads the `did:key` form.
    fn from_str(text: &str) -> Result<Self, KeyError> {
        Self::of_method("Multikey", text.strip_prefix("did:key:").ok_or(KeyError::Text)?)
    }
}

const BASE58: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

/// Keys have at most 65 bytes; longer text is no key, and the work is quadratic.
const MAX_BASE58: usize = 128;

fn base58(text: &str) -> Option<Vec<u8>> {
    if text.len() > MAX_BASE58 {
        return None;
    }
    let mut out: Vec<u8> = Vec::new(); // least significant byte first
    for byte in text.bytes() {
        let mut carry = BASE58.iter().position(|&c| c == byte)? as u32;
        for place in &mut out {
            carry += u32::from(*place) * 58;
            *place = carry as u8;
            carry >>= 8;
        }
        while carry > 0 {
            out.push(carry as u8);
            carry >>= 8;
        }
    }
    out.extend(text.bytes().take_while(|&b| b == b'1').map(|_| 0));
    out.reverse();
    Some(out)
}

fn to_base58(bytes: &[u8]) -> String {
    let mut digits: Vec<u8> = Vec::new(); // least significant first
    for &byte in bytes {
        let mut carry = u32::from(byte);
        for digit in &mut digits {
            carry += u32::from(*digit) << 8;
            *digit = (carry % 58) as u8;
            carry /= 58;
        }
        while carry > 0 {
            digits.push((carry % 58) as u8);
            carry /= 58;
        }
    }
    digits.extend(bytes.iter().take_while(|&&b| b == 0).map(|_| 0));
    digits.iter().rev().filter_map(|&d| BASE58.get(usize::from(d)).copied().map(char::from)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const KEY: &str = "did:key:zQ3shcv1GXPxd9YPu1HVB3Y97NLNnBbZ57NHLnq1eWq89StZy";

    #[test]
    fn keys_round_trip_and_others_are_named() {
        let key: PublicKey = KEY.parse().unwrap();
        assert_eq!(key.to_string(), KEY);
        assert_eq!(KEY.replace("did:key:z", "did:key:m").parse::<PublicKey>(), Err(KeyError::Text));
        assert_eq!(KEY.replace("Zy", "0O").parse::<PublicKey>(), Err(KeyError::Text));
        assert_eq!(KEY.trim_end_matches("Zy").parse::<PublicKey>(), Err(KeyError::Kind));
        let ed25519 = "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK";
        assert_eq!(ed25519.parse::<PublicKey>(), Err(KeyError::Kind));
        assert_eq!(PublicKey::of_method("Multikey", &"z".repeat(5000)), Err(KeyError::Text));
        let off_curve = format!("did:key:z{}", to_base58(&[&K256_KIND[..], &[2], &[0xff; 32]].concat()));
        assert_eq!(off_curve.parse::<PublicKey>(), Err(KeyError::Point));
    }

    proptest! {
        #[test]
        fn base58_round_trips(bytes in prop::collection::vec(any::<u8>(), 0..70)) {
            prop_assert_eq!(base58(&to_base58(&bytes)), Some(bytes));
        }
    }
}
