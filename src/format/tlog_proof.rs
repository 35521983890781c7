//! Proof files of a transparency log (C2SP tlog-proof v1): a leaf's place under a signed checkpoint.
//!
//! ```text
//! c2sp.org/tlog-proof@v1
//! extra <base64>              optional
//! index <decimal>
//! <base64 hash>               the audit path, the leaf's sibling first
//! <empty line>
//! <the signed checkpoint>
//! ```

use data_encoding::BASE64;

use crate::format::checkpoint::{Refused, Signed};
use crate::format::digest::Digest;
use crate::format::merkle::{MAX_PROOF, Unproved, leaf_hash, verify_inclusion};
use crate::format::note::VerifierKey;

const HEADER: &str = "c2sp.org/tlog-proof@v1";

/// A proof that one entry stands in one log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlogProof {
    /// whatever the log's reader needs besides
    pub extra: Option<Vec<u8>>,
    /// the leaf's place
    pub index: u64,
    /// its audit path
    pub path: Vec<Digest>,
    /// the signed note of the checkpoint
    pub checkpoint: Vec<u8>,
}

/// Bytes that are no proof file.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("not a c2sp.org/tlog-proof@v1 file")]
pub struct NotAProof;

/// Why a proof file does not prove its entry.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum Unproven {
    /// the checkpoint does not hold
    #[error("the proof's checkpoint does not hold")]
    Checkpoint(#[from] Refused),
    /// the path does not
    #[error("the proof's path does not hold")]
    Path(#[from] Unproved),
}

impl TlogProof {
    /// The file.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut head = format!("{HEADER}\n");
        if let Some(extra) = &self.extra {
            head.push_str(&format!("extra {}\n", BASE64.encode(extra)));
        }
        head.push_str(&format!("index {}\n", self.index));
        for hash in &self.path {
            head.push_str(&BASE64.encode(&hash.0));
            head.push('\n');
        }
        head.push('\n');
        [head.as_bytes(), &self.checkpoint].concat()
    }

    /// Reads a file without believing it.
    ///
    /// # Errors
    /// Bytes that are none.
    pub fn parse(bytes: &[u8]) -> Result<Self, NotAProof> {
        let text = std::str::from_utf8(bytes).map_err(|_| NotAProof)?;
        let (head, checkpoint) = text.split_once("\n\n").ok_or(NotAProof)?;
        let mut lines = head.split('\n').peekable();
        if lines.next() != Some(HEADER) {
            return Err(NotAProof);
        }
        let extra = lines.next_if(|line| line.starts_with("extra ")).map(|line| line.trim_start_matches("extra "));
        let extra = extra.map(|b| BASE64.decode(b.as_bytes())).transpose().map_err(|_| NotAProof)?;
        let number = lines.next().and_then(|line| line.strip_prefix("index ")).ok_or(NotAProof)?;
        let index: u64 = number.parse().map_err(|_| NotAProof)?;
        let path: Option<Vec<_>> = lines.take(MAX_PROOF + 1).map(hash).collect();
        let path = path.filter(|p| p.len() <= MAX_PROOF && index.to_string() == number).ok_or(NotAProof)?;
        Ok(Self { extra, index, path, checkpoint: checkpoint.as_bytes().to_vec() })
    }

    /// Checks that `entry` stands in the log whose key is one of `log`, and gives the checkpoint that covers it.
    ///
    /// # Errors
    /// The first thing that does not hold.
    pub fn verify(&self, entry: &[u8], log: &[VerifierKey]) -> Result<Signed, Unproven> {
        let signed = Signed::open(&self.checkpoint, log)?;
        let Signed { checkpoint, .. } = &signed;
        verify_inclusion(&leaf_hash(entry), self.index, checkpoint.size, &self.path, &checkpoint.root)?;
        Ok(signed)
    }
}

fn hash(line: &str) -> Option<Digest> {
    BASE64.decode(line.as_bytes()).ok()?.try_into().ok().map(Digest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::checkpoint::Checkpoint;
    use crate::format::merkle::{inclusion, record_leaf, root_of};
    use crate::format::note::{Ed25519Signer, KeyKind, Signer as _};

    fn made() -> (TlogProof, Vec<Digest>, VerifierKey) {
        let entries: Vec<_> = (0..5u8).map(|i| Digest::of(&[i])).collect();
        let leaves: Vec<_> = entries.iter().map(record_leaf).collect();
        let secret = ed25519_dalek::SigningKey::from_bytes(&[1; 32]);
        let signer = Ed25519Signer::new("log.example".parse().unwrap(), KeyKind::Ed25519, secret).unwrap();
        let checkpoint = Checkpoint { origin: "log.example".parse().unwrap(), size: 5, root: root_of(&leaves) };
        let signed = Signed::sign(checkpoint, &signer).unwrap();
        let path = inclusion(&mut &leaves[..], 2, 5).unwrap();
        let proof = TlogProof { extra: Some(b"more".to_vec()), index: 2, path, checkpoint: signed.note };
        (proof, entries, signer.key().clone())
    }

    #[test]
    fn a_proof_proves_its_entry_and_no_other() {
        let (proof, entries, key) = made();
        let read = TlogProof::parse(&proof.to_bytes()).unwrap();
        assert_eq!(read, proof);
        assert!(read.verify(&entries[2].0, std::slice::from_ref(&key)).is_ok());
        let other = read.verify(&entries[3].0, std::slice::from_ref(&key));
        assert_eq!(other, Err(Unproven::Path(Unproved::OtherRoot)));
        let moved = TlogProof { index: 3, ..read.clone() };
        assert!(moved.verify(&entries[2].0, std::slice::from_ref(&key)).is_err());
        assert!(matches!(read.verify(&entries[2].0, &[]), Err(Unproven::Checkpoint(_))));
    }

    #[test]
    fn other_spellings_are_refused() {
        let text = String::from_utf8(made().0.to_bytes()).unwrap();
        for wrong in [
            text.replace("@v1", "@v2"),
            text.replace("index 2", "index 02"),
            text.replace("index 2", "index -2"),
            text.replace("extra ", "extra !"),
            text.replace("\n\n", "\n"),
            text.replacen("=\n\n", "\n\n", 1),
        ] {
            assert_eq!(TlogProof::parse(wrong.as_bytes()), Err(NotAProof), "{wrong}");
        }
    }

    proptest::proptest! {
        #[test]
        fn a_proof_is_written_as_it_was_read(at in 0usize..600, with in "[ -~\n]{0,3}", over in 0usize..3) {
            let (proof, entries, key) = made();
            let mut bytes = proof.to_bytes();
            let from = at.min(bytes.len());
            let to = (from + over).min(bytes.len());
            bytes.splice(from..to, with.bytes());
            if let Ok(read) = TlogProof::parse(&bytes) {
                proptest::prop_assert_eq!(read.to_bytes(), bytes);
                let place = |p: &TlogProof| (p.index, p.path.clone());
                let believed = read.verify(&entries[2].0, &[key]).is_ok();
                proptest::prop_assert!(!believed || place(&read) == place(&proof));
            }
        }
    }
}
