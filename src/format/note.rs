//! Signed notes (C2SP signed-note v1): text that several keys vouch for, each by its name.
//!
//! ```text
//! text, ends in a newline
//! <empty line>
//! — <key name> base64(<key id, 4 bytes> ‖ <signature>)
//! key id = SHA-256(<key name> ‖ LF ‖ <type> ‖ <public key>)[..4]
//! vkey   = <key name>+<key id, 8 hex digits>+base64(<type> ‖ <public key>)
//! ```
//! A line of a known key that does not verify spoils the whole note; a line of an unknown key is passed over.

use std::fmt;
use std::str::FromStr;

use data_encoding::{BASE64, HEXLOWER};
use hmac::{KeyInit as _, Mac as _};
use sha2::Digest as _;

use crate::format::digest::Digest;

/// No note of ours, with all its cosignatures, comes near.
pub const MAX_BYTES: usize = 64 * 1024;

/// Lines of signatures that are read; the specification asks for 16 at least.
pub const MAX_SIGNATURES: usize = 64;

/// A signed note as it stands: not yet verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// the text, its last newline included
    pub text: String,
    /// one for every line, in order
    pub signatures: Vec<Signature>,
}

/// One signature line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// who signed
    pub name: KeyName,
    /// which of that name's keys
    pub id: [u8; 4],
    /// what follows the id, in the form the key's type gives it
    pub bytes: Vec<u8>,
}

/// Why bytes are no signed note.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum Malformed {
    /// longer than [`MAX_BYTES`]
    #[error("the note is too long")]
    TooLong,
    /// not UTF-8, or control characters
    #[error("the note is not plain text")]
    NotText,
    /// no empty line before the signatures, or no newline at the end
    #[error("the note has no signatures after an empty line")]
    NoSignatures,
    /// a line that is no signature
    #[error("line {0} of the signatures is not one")]
    Line(usize),
}

impl Note {
    /// Reads a note.
    ///
    /// # Errors
    /// Bytes that are none.
    pub fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        if bytes.len() > MAX_BYTES {
            return Err(Malformed::TooLong);
        }
        let whole = std::str::from_utf8(bytes).map_err(|_| Malformed::NotText)?;
        if whole.chars().any(|c| c < ' ' && c != '\n') {
            return Err(Malformed::NotText);
        }
        let (text, lines) = whole.rsplit_once("\n\n").ok_or(Malformed::NoSignatures)?;
        let lines = lines.strip_suffix('\n').ok_or(Malformed::NoSignatures)?;
        let signatures = signature_lines(lines)?;
        Ok(Self { text: format!("{text}\n"), signatures })
    }

    /// The note's bytes; [`Note::parse`] of them gives the same note.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = format!("{}\n", self.text);
        for signature in &self.signatures {
            out.push_str(&signature.to_string());
            out.push('\n');
        }
        out.into_bytes()
    }

    /// Checks every line of a key in `known`, and gives those keys with what their signature says.
    ///
    /// # Errors
    /// A line of a known key that does not verify. A note without any line of a known key is no error: the answer is
    /// empty.
    pub fn verify<'k>(&self, known: &'k [VerifierKey]) -> Result<Vec<Vouched<'k>>, BadSignature> {
        let mut vouched: Vec<Vouched<'k>> = Vec::new();
        for signature in &self.signatures {
            let Some(key) = known.iter().find(|k| k.name == signature.name && k.id == signature.id) else { continue };
            let at = key.verify(&self.text, &signature.bytes).ok_or_else(|| BadSignature(key.name.clone()))?;
            if !vouched.iter().any(|v| v.key == key) {
                vouched.push(Vouched { key, at });
            }
        }
        Ok(vouched)
    }
}

/// Reads signature lines alone, as a witness answers with them.
///
/// # Errors
/// The first line that is none.
pub fn signature_lines(lines: &str) -> Result<Vec<Signature>, Malformed> {
    if lines.lines().count() > MAX_SIGNATURES {
        return Err(Malformed::TooLong);
    }
    lines
        .split('\n')
        .enumerate()
        .map(|(n, line)| line.parse().map_err(|NotASignature| Malformed::Line(n + 1)))
        .collect()
}

/// A key that signed a note.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vouched<'k> {
    /// the key
    pub key: &'k VerifierKey,
    /// seconds since 1970, where the key's type signs the time too
    pub at: Option<u64>,
}

/// A signature of a known key that does not verify.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("the signature of {0} does not verify")]
pub struct BadSignature(pub KeyName);

/// Text that is no signature line.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("not a signature line")]
pub struct NotASignature;

/// `— name base64`, without the newline.
impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\u{2014} {} {}", self.name, BASE64.encode(&[&self.id, &self.bytes[..]].concat()))
    }
}

impl FromStr for Signature {
    type Err = NotASignature;

    fn from_str(line: &str) -> Result<Self, NotASignature> {
        let (name, data) = line.strip_prefix("\u{2014} ").and_then(|l| l.split_once(' ')).ok_or(NotASignature)?;
        let name = name.parse().map_err(|_| NotASignature)?;
        let data = BASE64.decode(data.as_bytes()).map_err(|_| NotASignature)?;
        let (id, bytes) = data.split_first_chunk::<4>().filter(|(_, b)| !b.is_empty()).ok_or(NotASignature)?;
        Ok(Self { name, id: *id, bytes: bytes.to_vec() })
    }
}

/// A key's name: not empty, without `+`, white space or control characters.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyName(String);

impl KeyName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for KeyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Text that names no key.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("not a key name: expected text without +, white space or control characters")]
pub struct NotAName;

impl FromStr for KeyName {
    type Err = NotAName;

    fn from_str(text: &str) -> Result<Self, NotAName> {
        let fits = !text.is_empty() && text.len() <= 255;
        let plain = !text.chars().any(|c| c == '+' || c.is_whitespace() || c.is_control());
        if fits && plain { Ok(Self(text.to_owned())) } else { Err(NotAName) }
    }
}

/// What a key signs and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyKind {
    /// 0x01: Ed25519 over the text
    Ed25519,
    /// 0x04: Ed25519 over the text and a time (C2SP tlog-cosignature v1)
    CosignatureV1,
}

impl KeyKind {
    fn byte(self) -> u8 {
        match self {
            Self::Ed25519 => 1,
            Self::CosignatureV1 => 4,
        }
    }
}

/// A verifier key (vkey): a name, and the public key that goes by it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifierKey {
    /// the name
    pub name: KeyName,
    /// the first bytes of the hash of name, type and public key
    pub id: [u8; 4],
    /// what it signs
    pub kind: KeyKind,
    public: ed25519_dalek::VerifyingKey,
}

/// Text that is no verifier key.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum NotAKey {
    /// not three parts
    #[error("not a verifier key: expected name+id+key")]
    Form,
    /// the id belongs to another key
    #[error("the verifier key's id is not that of its name and key")]
    Id,
    /// a type that is not known here
    #[error("the verifier key's type is neither Ed25519 nor a cosigner's")]
    Type,
    /// no point of the curve, or a weak one
    #[error("the verifier key is no usable Ed25519 key")]
    Point,
}

impl VerifierKey {
    /// From its parts.
    ///
    /// # Errors
    /// A public key that is no point of the curve, or one that every signature fits.
    pub fn new(name: KeyName, kind: KeyKind, public: &[u8; 32]) -> Result<Self, NotAKey> {
        let id = key_id(&name, kind, public);
        let public = ed25519_dalek::VerifyingKey::from_bytes(public).map_err(|_| NotAKey::Point)?;
        if public.is_weak() { Err(NotAKey::Point) } else { Ok(Self { name, id, kind, public }) }
    }

    /// The public key's 32 bytes.
    pub fn public(&self) -> &[u8; 32] {
        self.public.as_bytes()
    }

    /// The time the signature gives, if any; `None` if it does not verify.
    #[expect(clippy::option_option, reason = "the outer one is the verdict, the inner one what a good signature says")]
    fn verify(&self, text: &str, bytes: &[u8]) -> Option<Option<u64>> {
        match self.kind {
            KeyKind::Ed25519 => self.check(text.as_bytes(), bytes).then_some(None),
            KeyKind::CosignatureV1 => {
                let (at, signature) = bytes.split_first_chunk::<8>()?;
                let at = u64::from_be_bytes(*at);
                let fits = at <= i64::MAX as u64 && self.check(cosigned(text, at).as_bytes(), signature);
                fits.then_some(Some(at))
            }
        }
    }

    /// Whether `signature` is this key's over `message`. Strict: a signature that could be bent into another is refused.
    pub fn check(&self, message: &[u8], signature: &[u8]) -> bool {
        ed25519_dalek::Signature::from_slice(signature)
            .is_ok_and(|signature| self.public.verify_strict(message, &signature).is_ok())
    }
}

fn key_id(name: &KeyName, kind: KeyKind, public: &[u8; 32]) -> [u8; 4] {
    let hash = Digest::of(&[name.as_str().as_bytes(), b"\n", &[kind.byte()], public].concat());
    let [a, b, c, d, ..] = hash.0;
    [a, b, c, d]
}

/// What a cosigner signs.
fn cosigned(text: &str, at: u64) -> String {
    format!("cosignature/v1\ntime {at}\n{text}")
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = [&[self.kind.byte()], &self.public.as_bytes()[..]].concat();
        write!(f, "{}+{}+{}", self.name, HEXLOWER.encode(&self.id), BASE64.encode(&key))
    }
}

impl FromStr for VerifierKey {
    type Err = NotAKey;

    fn from_str(line: &str) -> Result<Self, NotAKey> {
        let mut parts = line.splitn(3, '+');
        let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(NotAKey::Form);
        };
        let name: KeyName = name.parse().map_err(|_| NotAKey::Form)?;
        let key = BASE64.decode(key.as_bytes()).map_err(|_| NotAKey::Form)?;
        let kind = match key.first() {
            Some(1) => KeyKind::Ed25519,
            Some(4) => KeyKind::CosignatureV1,
            _ => return Err(NotAKey::Type),
        };
        let public = key.get(1..).and_then(|k| k.try_into().ok()).ok_or(NotAKey::Form)?;
        let vkey = Self::new(name, kind, &public)?;
        if HEXLOWER.encode(&vkey.id) == id { Ok(vkey) } else { Err(NotAKey::Id) }
    }
}

/// Whoever can sign notes: a key in memory, or one that lives elsewhere.
pub trait Signer {
    /// The key others check the signatures with.
    fn key(&self) -> &VerifierKey;

    /// The 64 bytes of an Ed25519 signature over `message`.
    ///
    /// # Errors
    /// The key is out of reach.
    fn sign(&self, message: &[u8]) -> Result<[u8; 64], NotSigned>;
}

/// The key is out of reach.
#[derive(Debug, thiserror::Error)]
#[error("the signing key gave no signature")]
pub struct NotSigned;

/// Signs `text`, which ends in a newline, with a key of type [`KeyKind::Ed25519`].
///
/// # Errors
/// The key is out of reach.
pub fn signature(text: &str, signer: &dyn Signer) -> Result<Signature, NotSigned> {
    let bytes = signer.sign(text.as_bytes())?.to_vec();
    Ok(Signature { name: signer.key().name.clone(), id: signer.key().id, bytes })
}

/// Cosigns `text` at `at` (seconds since 1970) with a key of type [`KeyKind::CosignatureV1`].
///
/// # Errors
/// The key is out of reach.
pub fn cosignature(text: &str, at: u64, signer: &dyn Signer) -> Result<Signature, NotSigned> {
    let signed = signer.sign(cosigned(text, at).as_bytes())?;
    let bytes = [&at.to_be_bytes()[..], &signed].concat();
    Ok(Signature { name: signer.key().name.clone(), id: signer.key().id, bytes })
}

/// A signing key in memory.
pub struct Ed25519Signer {
    key: VerifierKey,
    secret: ed25519_dalek::SigningKey,
}

impl Ed25519Signer {
    /// A key that signs under `name`.
    ///
    /// # Errors
    /// Never for a key made from random bytes; a weak public key is refused.
    pub fn new(name: KeyName, kind: KeyKind, secret: ed25519_dalek::SigningKey) -> Result<Self, NotAKey> {
        let key = VerifierKey::new(name, kind, secret.verifying_key().as_bytes())?;
        Ok(Self { key, secret })
    }

    /// HMAC-SHA256 (RFC 2104) of `message` under a key that follows from the secret and `purpose`: whoever has the secret can
    /// tell that it was made with it, and nobody else.
    pub fn mac(&self, purpose: &str, message: &[u8]) -> [u8; 32] {
        let key = sha2::Sha256::new().chain_update(purpose).chain_update(self.secret.as_bytes()).finalize();
        let Ok(mac) = hmac::Hmac::<sha2::Sha256>::new_from_slice(&key) else { return [0; 32] };
        mac.chain_update(message).finalize().into_bytes().into()
    }
}

impl Signer for Ed25519Signer {
    fn key(&self) -> &VerifierKey {
        &self.key
    }

    fn sign(&self, message: &[u8]) -> Result<[u8; 64], NotSigned> {
        Ok(ed25519_dalek::Signer::sign(&self.secret, message).to_bytes())
    }
}

/// Says whose key it is, never the key.
impl fmt::Debug for Ed25519Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ed25519Signer({})", self.key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the specification.
    const NOTE: &str = "This is an example message.\n\n\u{2014} example.com/foo \
        Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";
    const KEY: &str = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";

    fn signer(name: &str, kind: KeyKind, seed: u8) -> Ed25519Signer {
        let secret = ed25519_dalek::SigningKey::from_bytes(&[seed; 32]);
        Ed25519Signer::new(name.parse().unwrap(), kind, secret).unwrap()
    }

    #[test]
    fn the_specifications_example_verifies_and_no_altered_one() {
        let key: VerifierKey = KEY.parse().unwrap();
        assert_eq!(key.to_string(), KEY);
        let note = Note::parse(NOTE.as_bytes()).unwrap();
        assert_eq!(note.to_bytes(), NOTE.as_bytes());
        assert_eq!(note.verify(std::slice::from_ref(&key)).unwrap().len(), 1);
        assert_eq!(note.verify(&[]).unwrap(), []);
        let altered = Note::parse(NOTE.replace("an example", "an exampel").as_bytes()).unwrap();
        assert_eq!(altered.verify(&[key]), Err(BadSignature("example.com/foo".parse().unwrap())));
    }

    #[test]
    fn malformed_notes_are_named() {
        for (wrong, why) in [
            (NOTE.replace("\n\n", "\n"), Malformed::NoSignatures),
            (NOTE.trim_end().to_owned(), Malformed::NoSignatures),
            (NOTE.replace("\u{2014} ", "- "), Malformed::Line(1)),
            (NOTE.replace("example.com/foo ", "example.com/foo  "), Malformed::Line(1)),
            (NOTE.replace("yaQM=", "yaQN="), Malformed::Line(1)), // base64 with stray bits
            (NOTE.replace("This", "This\r"), Malformed::NotText),
            (format!("{NOTE}\n"), Malformed::NoSignatures),
            ("x".repeat(MAX_BYTES + 1), Malformed::TooLong),
        ] {
            assert_eq!(Note::parse(wrong.as_bytes()), Err(why), "{wrong:.80}");
        }
        assert_eq!(Note::parse(b"\xff\n\n"), Err(Malformed::NotText));
    }

    #[test]
    fn malformed_keys_are_named() {
        for (wrong, why) in [
            (KEY.replace("530d903a", "530d903b"), NotAKey::Id),
            (KEY.replace("530d903a", "530D903A"), NotAKey::Id),
            (KEY.replace("+530d903a+", "+"), NotAKey::Form),
            (KEY.replace("example.com", "example com"), NotAKey::Form),
            (KEY.replace("Aeky", "Beky"), NotAKey::Type),
            (KEY.replace("v3U2k", "v3U2"), NotAKey::Form),
        ] {
            assert_eq!(wrong.parse::<VerifierKey>(), Err(why), "{wrong}");
        }
        // the identity point: every signature would fit
        let mut identity = [0; 32];
        identity[0] = 1;
        let weak = VerifierKey::new("a".parse().unwrap(), KeyKind::Ed25519, &identity);
        assert_eq!(weak, Err(NotAKey::Point));
    }

    #[test]
    fn a_cosignature_binds_its_time() {
        let witness = signer("witness.example/w", KeyKind::CosignatureV1, 7);
        let text = "origin\n1\nhash\n";
        let line = cosignature(text, 1_700_000_000, &witness).unwrap();
        let mut note = Note { text: text.to_owned(), signatures: vec![line] };
        let known = [witness.key().clone()];
        assert_eq!(note.verify(&known).unwrap()[0].at, Some(1_700_000_000));
        note.signatures[0].bytes[7] ^= 1;
        assert!(note.verify(&known).is_err());
    }

    #[test]
    fn debug_shows_no_secret() {
        let secret = signer("a", KeyKind::Ed25519, 7);
        assert!(!format!("{secret:?}").contains("7, 7"));
    }

    proptest::proptest! {
        #[test]
        fn a_note_is_written_as_it_was_read(at in 0usize..200, with in "[ -~\n\u{2014}]{0,3}", over in 0usize..3) {
            let mut text: Vec<char> = NOTE.chars().collect();
            let from = at.min(text.len());
            let to = (from + over).min(text.len());
            text.splice(from..to, with.chars());
            let text: String = text.into_iter().collect();
            let key: VerifierKey = KEY.parse().unwrap();
            if let Ok(note) = Note::parse(text.as_bytes()) {
                proptest::prop_assert_eq!(note.to_bytes(), text.as_bytes());
                let believed = note.verify(&[key]).is_ok_and(|vouched| !vouched.is_empty());
                let mine = Note::parse(NOTE.as_bytes()).unwrap().text;
                proptest::prop_assert!(!believed || note.text == mine, "{}", text);
            }
        }
    }
}
