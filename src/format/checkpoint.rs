//! Checkpoints of a transparency log (C2SP tlog-checkpoint v1): three lines, signed as a note.
//!
//! ```text
//! <origin>            which log: a URL prefix without its scheme
//! <size>              decimal number of leaves
//! <root>              base64 of the Merkle root
//! ```

use std::fmt;
use std::str::FromStr;

use data_encoding::BASE64;

use crate::format::digest::Digest;
use crate::format::merkle::{MAX_SIZE, empty_root};
use crate::format::note::{BadSignature, KeyKind, KeyName, Malformed, NotSigned, Note, Signer, VerifierKey, signature};

/// What a log says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// which log
    pub origin: KeyName,
    /// how many leaves
    pub size: u64,
    /// the Merkle root of them
    pub root: Digest,
}

impl Checkpoint {
    /// The root as it stands in the text.
    pub fn root_base64(&self) -> String {
        BASE64.encode(&self.root.0)
    }
}

/// The text, its last newline included: what is signed.
impl fmt::Display for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\n{}\n{}", self.origin, self.size, self.root_base64())
    }
}

/// Text that is no checkpoint.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("not a checkpoint: expected a line each for origin, size and root")]
pub struct NotACheckpoint;

impl FromStr for Checkpoint {
    type Err = NotACheckpoint;

    /// Extension lines after the third are passed over, as the specification asks of readers.
    fn from_str(text: &str) -> Result<Self, NotACheckpoint> {
        let mut lines = text.strip_suffix('\n').ok_or(NotACheckpoint)?.split('\n');
        let (Some(origin), Some(size), Some(root)) = (lines.next(), lines.next(), lines.next()) else {
            return Err(NotACheckpoint);
        };
        if lines.any(str::is_empty) {
            return Err(NotACheckpoint);
        }
        let origin = origin.parse().map_err(|_| NotACheckpoint)?;
        let number: u64 = size.parse().map_err(|_| NotACheckpoint)?;
        let root = BASE64.decode(root.as_bytes()).ok().and_then(|r| r.try_into().ok()).map(Digest);
        let root = root.ok_or(NotACheckpoint)?;
        let canonical = number.to_string() == size && number <= MAX_SIZE;
        if canonical && (number > 0 || root == empty_root()) {
            Ok(Self { origin, size: number, root })
        } else {
            Err(NotACheckpoint)
        }
    }
}

/// A checkpoint together with the signed note that it was read from, byte for byte.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    /// what it says
    pub checkpoint: Checkpoint,
    /// the signed note's bytes
    pub note: Vec<u8>,
}

/// Why a signed checkpoint does not hold.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum Refused {
    /// no signed note
    #[error("the checkpoint is no signed note")]
    Malformed(#[from] Malformed),
    /// a note, but of something else
    #[error(transparent)]
    NotACheckpoint(#[from] NotACheckpoint),
    /// a line of a known key that does not verify
    #[error("the checkpoint has a bad signature")]
    BadSignature(#[from] BadSignature),
    /// no line of the log's key
    #[error("the checkpoint is not signed with the key {0}")]
    KeyUnknown(KeyName),
    /// another log's
    #[error("the checkpoint is of the log {0}")]
    OtherOrigin(KeyName),
}

/// Who vouched for a checkpoint besides the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cosigned {
    /// the witness's name
    pub witness: KeyName,
    /// when it saw the checkpoint, seconds since 1970
    pub at: u64,
}

impl Signed {
    /// Signs a checkpoint.
    ///
    /// # Errors
    /// The key is out of reach.
    pub fn sign(checkpoint: Checkpoint, signer: &dyn Signer) -> Result<Self, NotSigned> {
        let text = checkpoint.to_string();
        let signatures = vec![signature(&text, signer)?];
        let note = Note { text, signatures }.to_bytes();
        Ok(Self { checkpoint, note })
    }

    /// Reads a signed checkpoint without believing it.
    ///
    /// # Errors
    /// Bytes that are no note, or a note of something else.
    pub fn parse(note: &[u8]) -> Result<Self, Refused> {
        let checkpoint = Note::parse(note)?.text.parse()?;
        Ok(Self { checkpoint, note: note.to_vec() })
    }

    /// Reads a signed checkpoint of the log whose key is one of `log`, the newest first. Its origin is the key's name.
    ///
    /// # Errors
    /// The first thing that does not hold.
    pub fn open(note: &[u8], log: &[VerifierKey]) -> Result<Self, Refused> {
        Self::open_cosigned(note, log, &[]).map(|(signed, _)| signed)
    }

    /// The same, with the witnesses among `witnesses` that cosigned it.
    ///
    /// # Errors
    /// The first thing that does not hold; a missing witness is not one.
    pub fn open_cosigned(
        note: &[u8],
        log: &[VerifierKey],
        witnesses: &[VerifierKey],
    ) -> Result<(Self, Vec<Cosigned>), Refused> {
        let parsed = Note::parse(note)?;
        let checkpoint: Checkpoint = parsed.text.parse()?;
        let ours = parsed.verify(log)?;
        if !ours.iter().any(|v| v.key.kind == KeyKind::Ed25519 && v.key.name == checkpoint.origin) {
            return Err(match log.iter().find(|key| key.name == checkpoint.origin).or(log.first()) {
                Some(key) if key.name == checkpoint.origin => Refused::KeyUnknown(key.name.clone()),
                _ => Refused::OtherOrigin(checkpoint.origin),
            });
        }
        let cosigned = parsed.verify(witnesses)?;
        let cosigned = cosigned.into_iter().filter_map(|v| Some(Cosigned { witness: v.key.name.clone(), at: v.at? }));
        Ok((Self { checkpoint, note: note.to_vec() }, cosigned.collect()))
    }

    /// The digest that timestamps stamp: SHA-256 of the signed note's bytes.
    pub fn digest(&self) -> Digest {
        Digest::of(&self.note)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::note::{Ed25519Signer, cosignature};

    fn signer(name: &str, kind: KeyKind, seed: u8) -> Ed25519Signer {
        let secret = ed25519_dalek::SigningKey::from_bytes(&[seed; 32]);
        Ed25519Signer::new(name.parse().unwrap(), kind, secret).unwrap()
    }

    fn checkpoint() -> Checkpoint {
        Checkpoint { origin: "log.example/a".parse().unwrap(), size: 7, root: Digest::of(b"root") }
    }

    #[test]
    fn text_round_trips_and_other_spellings_are_refused() {
        let text = checkpoint().to_string();
        assert_eq!(text, format!("log.example/a\n7\n{}\n", BASE64.encode(&checkpoint().root.0)));
        assert_eq!(text.parse(), Ok(checkpoint()));
        assert_eq!(format!("{text}an extension\n").parse(), Ok(checkpoint()));
        for wrong in [
            text.replace("\n7\n", "\n07\n"),
            text.replace("\n7\n", "\n+7\n"),
            text.replace("\n7\n", "\n0\n"),
            text.replace("\n7\n", "\n9223372036854775808\n"),
            text.replace("=\n", "\n"),
            text.replace("log.example/a", ""),
            format!("{text}\n"),
            text.trim_end().to_owned(),
        ] {
            assert_eq!(wrong.parse::<Checkpoint>(), Err(NotACheckpoint), "{wrong}");
        }
    }

    #[test]
    fn only_the_logs_own_key_makes_a_checkpoint() {
        let log = signer("log.example/a", KeyKind::Ed25519, 1);
        let signed = Signed::sign(checkpoint(), &log).unwrap();
        let known = [log.key().clone()];
        assert_eq!(Signed::open(&signed.note, &known), Ok(signed.clone()));

        let name = || "log.example/a".parse().unwrap();
        let thief = signer("log.example/a", KeyKind::Ed25519, 2);
        let forged = Signed::sign(checkpoint(), &thief).unwrap();
        assert_eq!(Signed::open(&forged.note, &known), Err(Refused::KeyUnknown(name())));
        let other = signer("log.example/b", KeyKind::Ed25519, 1);
        assert_eq!(Signed::open(&signed.note, &[other.key().clone()]), Err(Refused::OtherOrigin(name())));
        let grown = String::from_utf8(signed.note.clone()).unwrap().replace("\n7\n", "\n8\n");
        assert_eq!(Signed::open(grown.as_bytes(), &known), Err(BadSignature(name()).into()));
        // a cosigner's key under the log's name does not speak for the log
        let cosigner = signer("log.example/a", KeyKind::CosignatureV1, 3);
        let line = cosignature(&checkpoint().to_string(), 5, &cosigner).unwrap();
        let only = Note { text: checkpoint().to_string(), signatures: vec![line] }.to_bytes();
        assert_eq!(Signed::open(&only, &[cosigner.key().clone()]), Err(Refused::KeyUnknown(name())));
    }

    #[test]
    fn witnesses_are_counted_only_if_known() {
        let log = signer("log.example/a", KeyKind::Ed25519, 1);
        let witness = signer("witness.example/w", KeyKind::CosignatureV1, 3);
        let mut note = Note::parse(&Signed::sign(checkpoint(), &log).unwrap().note).unwrap();
        note.signatures.push(cosignature(&note.text, 1_700_000_000, &witness).unwrap());
        let bytes = note.to_bytes();
        let keys = [log.key().clone()];
        let (_, seen) = Signed::open_cosigned(&bytes, &keys, &[witness.key().clone()]).unwrap();
        assert_eq!(seen, [Cosigned { witness: "witness.example/w".parse().unwrap(), at: 1_700_000_000 }]);
        assert_eq!(Signed::open_cosigned(&bytes, &keys, &[]).unwrap().1, []);
    }
}
