//! DKIM signatures (RFC 6376, RFC 8301, RFC 8463): what an e-mail's say, and whether they hold under a key.

mod canon;
mod key;
mod tags;

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use crate::format::digest::{Digest, Hasher};
use canon::{Field, Way};
use tags::Tags;

/// Signatures of one message that are looked at: each costs a pass over the body.
pub const MOST: usize = 8;

/// A signature as its header field has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// the domain that signs (`d=`), lower case
    pub domain: String,
    /// the name of its key (`s=`)
    pub selector: String,
    /// `rsa-sha256`, `ed25519-sha256`, or what else is written there
    pub algorithm: String,
    /// seconds since 1970 when it was made (`t=`)
    pub made: Option<i64>,
    /// seconds since 1970 until when it is meant to hold (`x=`)
    pub expires: Option<i64>,
    /// how much of the body is signed (`l=`), where not all of it is
    pub length: Option<u64>,
    /// whether the body is the one that was signed
    pub body: Body,
    /// why it can hold under no key
    pub fault: Option<String>,
    identity: String,
    signed: Vec<u8>,
    value: Vec<u8>,
}

/// Whether a body is the one that was signed, which is known without a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Body {
    /// its digest is the one in the signature
    Same,
    /// it was changed since, or cut
    Changed,
}

/// What became of a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// it holds under the key that the domain published
    Verified,
    /// it does not: header fields were changed, or it is not by that key
    Wrong,
    /// the body is not the one that was signed
    BodyChanged,
    /// it is no signature that can hold
    Malformed,
    /// it is by an algorithm that proves nothing any more (RFC 8301)
    Outdated,
    /// nobody was asked for the key
    NotAsked,
    /// the name servers did not say
    Unanswered,
    /// the domain publishes no such key
    KeyAbsent,
    /// the domain withdrew the key
    KeyRevoked,
    /// what is published is no key that can be used for it
    KeyUnusable,
}

/// What became of a signature, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged {
    /// in a word
    pub state: State,
    /// in words
    pub why: String,
    /// the key is one that its domain only tries out (`t=y`)
    pub testing: bool,
}

impl Judged {
    fn new(state: State, why: impl Into<String>) -> Self {
        Self { state, why: why.into(), testing: false }
    }
}

/// The signatures of a message, from its first header field on, at most [`MOST`].
pub fn signatures(message: &[u8]) -> Vec<Signature> {
    let (fields, body) = canon::split(message);
    let ours = fields.iter().filter(|field| field.is("dkim-signature")).take(MOST);
    ours.map(|field| Signature::read(field, &fields, body)).collect()
}

impl Signature {
    fn read(field: &Field<'_>, fields: &[Field<'_>], body: &[u8]) -> Self {
        let tags = Tags::of(field.value);
        let text = |name: &str| tags.get(name).unwrap_or_default();
        let number = |name: &str| tags.get(name).and_then(|n| n.parse::<u64>().ok());
        let (header_way, body_way) = ways(tags.get("c").as_deref().unwrap_or("simple/simple"));
        let seconds = |name: &str| number(name).and_then(|n| i64::try_from(n).ok());
        let domain = text("d").to_ascii_lowercase();
        let mut signature = Self {
            identity: tags.get("i").unwrap_or_else(|| format!("@{domain}")).to_ascii_lowercase(),
            selector: text("s"),
            algorithm: text("a").to_ascii_lowercase(),
            made: seconds("t"),
            expires: seconds("x"),
            length: number("l"),
            body: Body::Changed,
            fault: None,
            signed: Vec::new(),
            value: base64(&text("b")).unwrap_or_default(),
            domain,
        };
        signature.fault = signature.fault_in(&tags, header_way.is_some() && body_way.is_some());
        let (Some(header_way), Some(body_way)) = (header_way, body_way) else { return signature };
        match digest_of(body, body_way, signature.length) {
            Some(digest) if base64(&text("bh")).is_some_and(|named| named == digest.0) => signature.body = Body::Same,
            Some(_) => {}
            None => signature.fault = signature.fault.or(Some("it signs more of the body than there is".into())),
        }
        signature.signed = signed(field, fields, &text("h"), header_way);
        signature
    }

    fn fault_in(&self, tags: &Tags, ways_known: bool) -> Option<String> {
        if let Some(missing) = ["v", "a", "b", "bh", "d", "h", "s"].iter().find(|tag| tags.get(tag).is_none()) {
            return Some(format!("it lacks {missing}="));
        }
        let names = tags.get("h").unwrap_or_default();
        let own = self.identity.rsplit('@').next().unwrap_or_default();
        let within = own == self.domain || own.strip_suffix(&self.domain).is_some_and(|left| left.ends_with('.'));
        let says = |tag: &str, known: &dyn Fn(&str) -> bool| tags.get(tag).is_none_or(|value| known(&value));
        Some(
            if tags.repeats() {
                "it names a tag twice"
            } else if !says("v", &|v| v == "1") {
                "it is of another version"
            } else if !ways_known {
                "its canonicalisation is unknown"
            } else if !names.split(':').any(|name| name.trim().eq_ignore_ascii_case("from")) {
                "it leaves the author's address unsigned"
            } else if !within {
                "it speaks for an address that is not its domain's"
            } else if !says("l", &|l| l.parse::<u64>().is_ok()) {
                "its length is no number"
            } else if !says("q", &|q| q.split(':').any(|way| way.trim() == "dns/txt")) {
                "its key is not to be asked of name servers"
            } else if !is_name(&self.domain) || !is_name(&self.selector) {
                "its domain or selector is no name"
            } else if self.expires.zip(self.made).is_some_and(|(expires, made)| expires <= made) {
                "it expires before it was made"
            } else if self.value.is_empty() {
                "its value is not base64"
            } else {
                return None;
            }
            .to_owned(),
        )
    }

    /// The name whose TXT record is the key.
    pub fn key_name(&self) -> String {
        format!("{}._domainkey.{}", self.selector, self.domain)
    }

    /// What can be said without a key; none where a key would decide.
    pub fn without_key(&self) -> Option<Judged> {
        if let Some(fault) = &self.fault {
            return Some(Judged::new(State::Malformed, fault));
        }
        if !matches!(self.algorithm.as_str(), "rsa-sha256" | "ed25519-sha256") {
            return Some(Judged::new(State::Outdated, format!("{} is not taken", self.algorithm)));
        }
        (self.body == Body::Changed)
            .then(|| Judged::new(State::BodyChanged, "the body's digest is not the one that was signed"))
    }

    /// Judges it under what the name servers say: the texts of the TXT records of [`Signature::key_name`], each joined.
    pub fn under(&self, keys: &[String]) -> Judged {
        if let Some(judged) = self.without_key() {
            return judged;
        }
        let ours: Vec<&String> = keys.iter().filter(|text| key::is_key(text)).collect();
        let [text] = ours.as_slice() else {
            return match ours.len() {
                0 => Judged::new(State::KeyAbsent, "the name has no record that is a key"),
                _ => Judged::new(State::KeyUnusable, "the name has several keys"),
            };
        };
        key::judge(self, text)
    }

    /// Whether it was meant to hold no longer than before `now` (seconds since 1970).
    pub fn is_expired(&self, now: i64) -> bool {
        self.expires.is_some_and(|until| until < now)
    }
}

/// `relaxed/simple`: how the header is put in order, and how the body.
fn ways(text: &str) -> (Option<Way>, Option<Way>) {
    let (header, body) = text.split_once('/').unwrap_or((text, "simple"));
    let way = |name: &str| match name.trim() {
        "simple" => Some(Way::Simple),
        "relaxed" => Some(Way::Relaxed),
        _ => None,
    };
    (way(header), way(body))
}

/// The digest of a body in order; none where it has fewer bytes than are signed.
fn digest_of(body: &[u8], way: Way, length: Option<u64>) -> Option<Digest> {
    let mut left = length.unwrap_or(u64::MAX);
    let mut hasher = Hasher::default();
    canon::body(body, way, |piece| {
        let take = usize::try_from(left).unwrap_or(usize::MAX).min(piece.len());
        hasher.update(piece.get(..take).unwrap_or_default());
        left -= take as u64;
    });
    (length.is_none() || left == 0).then(|| hasher.finish())
}

/// The bytes that the signature is of: the fields it names, each from the last one up, then itself without its value.
fn signed(own: &Field<'_>, fields: &[Field<'_>], names: &str, way: Way) -> Vec<u8> {
    let mut by_name: HashMap<String, Vec<&Field<'_>>> = HashMap::new();
    for field in fields {
        by_name.entry(field.name()).or_default().push(field);
    }
    let mut out = Vec::new();
    for name in names.split(':') {
        // a name without a field left stands for none, so that none can be added
        if let Some(field) = by_name.get_mut(&name.trim().to_ascii_lowercase()).and_then(Vec::pop) {
            canon::header(field, way, &mut out);
            out.extend_from_slice(b"\r\n");
        }
    }
    let bare = tags::without_signature(own.value);
    canon::header(&Field { label: own.label, value: &bare }, way, &mut out);
    out
}

/// A domain name, as far as a question to a name server needs it.
fn is_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 253
        && name.split('.').all(|label| {
            (1..=63).contains(&label.len())
                && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_' || b >= 0x80)
        })
}

/// Base64 with blanks anywhere in it.
fn base64(text: &str) -> Option<Vec<u8>> {
    let solid: String = text.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    data_encoding::BASE64.decode(solid.as_bytes()).ok().filter(|bytes| !bytes.is_empty())
}

#[cfg(test)]
mod tests;
