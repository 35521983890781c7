//! The keys that domains publish (RFC 6376 §3.6.1, RFC 8463 §4) and what holds under them.

use ring::signature::{
    ED25519, RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY, UnparsedPublicKey, VerificationAlgorithm,
};

use super::tags::Tags;
use super::{Judged, Signature, State, base64};
use crate::format::der::{self, Element};
use crate::format::digest::Digest;

/// Whether a TXT record is meant as a key: it has a `p=`, and where it names a version, this one.
pub(super) fn is_key(text: &str) -> bool {
    let tags = Tags::of(text.as_bytes());
    tags.get("p").is_some() && tags.get("v").is_none_or(|v| v == "DKIM1")
}

/// Judges a signature, which is sound in itself and whose body is the one signed, under a key's record.
pub(super) fn judge(signature: &Signature, text: &str) -> Judged {
    let tags = Tags::of(text.as_bytes());
    let flag = |flag: &str| tags.get("t").is_some_and(|t| t.split(':').any(|f| f.trim() == flag));
    let mut judged = decide(signature, &tags, flag("s"));
    judged.testing = flag("y");
    judged
}

fn decide(signature: &Signature, tags: &Tags, strict: bool) -> Judged {
    let unusable = |why: &str| Judged::new(State::KeyUnusable, why);
    let allows = |tag: &str, what: &[&str]| {
        tags.get(tag).is_none_or(|list| list.split(':').any(|one| what.contains(&one.trim())))
    };
    let kind = tags.get("k").unwrap_or_else(|| "rsa".to_owned());
    let published = tags.get("p").unwrap_or_default();
    if published.is_empty() {
        return Judged::new(State::KeyRevoked, "the domain published the key as withdrawn");
    }
    if !allows("h", &["sha256"]) {
        return unusable("the key is not for SHA-256");
    }
    if !allows("s", &["*", "email"]) {
        return unusable("the key is not for e-mail");
    }
    if strict && signature.identity.rsplit('@').next() != Some(signature.domain.as_str()) {
        return unusable("the key is not for subdomains");
    }
    let wanted = signature.algorithm.split('-').next().unwrap_or_default();
    if kind != wanted {
        return unusable("the key is of another kind");
    }
    let Some(bytes) = base64(&published) else { return unusable("the key is not base64") };
    let holds = match wanted {
        "ed25519" if bytes.len() == 32 => {
            // RFC 8463 §3: the signature is of the digest
            check(&ED25519, &bytes, &Digest::of(&signature.signed).0, &signature.value)
        }
        "rsa" => match rsa(&bytes) {
            Some((key, bits)) if bits >= 1024 => {
                check(&RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY, key, &signature.signed, &signature.value)
            }
            Some(_) => return unusable("the key has fewer than 1024 bits"),
            None => return unusable("the key is not an RSA key"),
        },
        _ => return unusable("the key has not 32 bytes"),
    };
    if holds {
        Judged::new(State::Verified, "it holds under the key that the domain published")
    } else {
        Judged::new(State::Wrong, "it does not hold under the key that the domain published")
    }
}

fn check(way: &'static dyn VerificationAlgorithm, key: &[u8], message: &[u8], value: &[u8]) -> bool {
    UnparsedPublicKey::new(way, key).verify(message, value).is_ok()
}

/// The `RSAPublicKey` (RFC 8017 A.1.1) in a published key, which wraps it as X.509 does or leaves it bare; and its bits.
fn rsa(bytes: &[u8]) -> Option<(&[u8], usize)> {
    let outer = Element::only(bytes).ok()?;
    let mut inside = outer.inside_of(der::SEQUENCE).ok()?;
    let key = match inside.take_if(der::INTEGER) {
        Some(_) => outer,
        None => {
            inside.take(der::SEQUENCE).ok()?;
            let (unused, key) = inside.take(der::BIT_STRING).ok()?.value.split_first()?;
            Element::only(key).ok().filter(|_| *unused == 0)?
        }
    };
    let modulus = key.inside_of(der::SEQUENCE).ok()?.take(der::INTEGER).ok()?.value;
    let first = modulus.iter().position(|b| *b != 0)?;
    let bits = (modulus.len() - first) * 8 - usize::try_from(modulus.get(first)?.leading_zeros()).unwrap_or(0);
    Some((key.raw, bits))
}
