//! The keys a log may be signed with: the trusted one, and those that followed it by a rotation that both keys signed.

use crate::format::digest::Digest;
use crate::format::note::VerifierKey;
use crate::proof::Rotation;
use crate::record::{Event, Record};
use crate::work::verify::{Report, Trust};
use crate::world::tiles::reader::Tiles;

/// What the records say of keys. It proves itself: a rotation counts only with both signatures.
#[derive(Debug, Default)]
pub(super) struct Said {
    /// keys named by records that say an archive was made, by their leaves; those of another archive's files among them
    pub(super) made: Vec<(Digest, VerifierKey)>,
    /// changes of keys, with the leaf that records each
    pub(super) rotations: Vec<(Rotation, Digest)>,
}

impl Said {
    /// Takes up what a record says, if it speaks of keys.
    pub(super) fn hear(&mut self, record: &Record, leaf: Digest) {
        match &record.event {
            Event::ArchiveCreated { vkey, .. } => self.made.extend(vkey.parse().ok().map(|key| (leaf, key))),
            Event::KeyRotated { old, new, by_old, by_new } => {
                let (old, new) = (old.clone(), new.clone());
                let rotation = Rotation { old, new, by_old: by_old.clone(), by_new: by_new.clone() };
                self.rotations.push((rotation, leaf));
            }
            _ => {}
        }
    }
}

impl Said {
    /// The key that leaf 0's record names. Where the leaf cannot be read the first record that says so counts.
    fn first(&self, tiles: &Tiles) -> Option<VerifierKey> {
        let leaf = tiles.claimed_size().and_then(|size| tiles.leaf(0, size).ok());
        let named = self.made.iter().find(|(made, _)| Some(*made) == leaf).or_else(|| self.made.first());
        named.map(|(_, key)| key.clone())
    }
}

/// The keys of a log.
#[derive(Debug)]
pub(super) struct Keys {
    /// every key it was signed with in its time
    pub(super) all: Vec<VerifierKey>,
    /// keys that were replaced, each with the leaf that says so
    pub(super) replaced: Vec<(VerifierKey, Digest)>,
}

/// The keys that count, and what is wrong with the one that lies in the ledger's folder.
pub(super) fn known(tiles: &Tiles, said: &Said, trust: &Trust, report: &mut Report) -> Option<Keys> {
    let lying = match tiles.key() {
        Ok(key) => Some(key),
        Err(e) => {
            report.problem("key-unknown", "ledger/vkey", e.to_string());
            None
        }
    };
    if trust.key.is_none() {
        report.not_checked.push("whether the signing key is the right one: none was given with --key".to_owned());
    }
    let first = trust.key.clone().or_else(|| said.first(tiles)).or_else(|| lying.clone())?;
    let keys = chain(first, said);
    if let Some(lying) = lying.filter(|lying| !keys.all.contains(lying)) {
        let whose = if trust.key.is_some() { "the trusted one" } else { "the one the archive was made with" };
        let what = format!("the key there is {lying}, neither {whose} nor one that followed it");
        report.problem("key-unknown", "ledger/vkey", what);
    }
    Some(keys)
}

fn chain(first: VerifierKey, said: &Said) -> Keys {
    let mut keys = Keys { all: vec![first.clone()], replaced: Vec::new() };
    let mut now = first.clone();
    // Each turn needs a rotation of its own, so this ends.
    for _ in 0..said.rotations.len() {
        let next = said.rotations.iter().find_map(|(r, leaf)| Some((r.successor_of(&now).ok()?, *leaf)));
        let Some((new, leaf)) = next.filter(|(new, _)| !keys.all.contains(new)) else { break };
        keys.replaced.push((std::mem::replace(&mut now, new.clone()), leaf));
        keys.all.push(new);
    }
    // Backwards: what the trusted key itself says it followed, for checkpoints of that time.
    let mut earliest = first;
    for _ in 0..said.rotations.len() {
        let before = said.rotations.iter().find_map(|(r, leaf)| {
            let old: VerifierKey = r.old.parse().ok()?;
            (r.successor_of(&old).as_ref() == Ok(&earliest)).then_some((old, *leaf))
        });
        let Some((old, leaf)) = before.filter(|(old, _)| !keys.all.contains(old)) else { break };
        keys.all.push(old.clone());
        keys.replaced.push((old.clone(), leaf));
        earliest = old;
    }
    keys
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::note::{Ed25519Signer, KeyKind, Signer as _};

    fn signer(seed: u8) -> Ed25519Signer {
        let secret = ed25519_dalek::SigningKey::from_bytes(&[seed; 32]);
        Ed25519Signer::new("log.example".parse().unwrap(), KeyKind::Ed25519, secret).unwrap()
    }

    #[test]
    fn keys_follow_each_other_only_by_both_signatures() {
        let [a, b, c, d] = [1, 2, 3, 4].map(signer);
        let mut said = Said::default();
        let leaf = |n: u8| Digest([n; 32]);
        said.rotations.push((Rotation::signed(&b, &c).unwrap(), leaf(2)));
        said.rotations.push((Rotation::signed(&a, &b).unwrap(), leaf(1)));
        let forged = Rotation { by_old: String::new(), ..Rotation::signed(&c, &d).unwrap() };
        said.rotations.push((forged, leaf(3)));
        let keys = chain(a.key().clone(), &said);
        assert_eq!(keys.all, [&a, &b, &c].map(|s| s.key().clone()));
        assert_eq!(keys.replaced, [(a.key().clone(), leaf(1)), (b.key().clone(), leaf(2))]);
        let late = chain(c.key().clone(), &said);
        assert_eq!(late.all, [&c, &b, &a].map(|s| s.key().clone()));
        assert_eq!(late.replaced.len(), 2);
        assert_eq!(chain(d.key().clone(), &said).all, [d.key().clone()]);
    }
}
