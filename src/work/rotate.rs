//! Rotating: the ledger passes from one key to the next, and both sign that it does.
//!
//! New key in a file beside the old one → the record of the change, sealed under the old key → a checkpoint signed by both,
//! then the new verifier key → the new key's file in the old one's place. Cut between any two, the same command finishes:
//! it takes up the key that waits and says nothing twice.

use crate::format::note::{KeyKind, Signer as _, VerifierKey};
use crate::proof::Rotation;
use crate::record::Record;
use crate::work::archive::OpenArchive;
use crate::work::fault::Fault;
use crate::work::seal::Deed;
use crate::world::durable::Disk;
use crate::world::keys::{self, SecretKey};
use crate::world::store::Store;

/// A change of keys that has happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rotated {
    /// the key until now
    pub old: VerifierKey,
    /// the key from now on
    pub new: VerifierKey,
    /// leaves under the checkpoint that both signed
    pub size: u64,
}

/// Hands the ledger of an open archive over to a new key, and closes the archive.
///
/// # Errors
/// The disk; what stops the sealing.
pub fn rotate(open: OpenArchive) -> Result<Rotated, Fault> {
    let disk = Disk::default();
    let (key, next) = (open.paths.key.clone(), keys::waiting(&open.paths.key));
    let secret = if next.exists() { SecretKey::load(&next)? } else { SecretKey::create(&next, &disk)? };
    let old = open.tools.key.key().clone();
    let new = secret.signer(old.name.clone(), KeyKind::Ed25519)?;
    if !announced(&open, &new.key().to_string())? {
        let rotation = Rotation::signed(&open.tools.key, &new)?;
        open.seal.commit_now(Deed::of(vec![rotation.event()]))?;
    }
    let tools = open.tools.clone();
    let mut size = 0;
    open.close_after(|log| {
        size = log.rotate(&tools.key, &new)?.checkpoint.size;
        Ok(())
    })?;
    keys::settle(&key, new.key(), &disk)?;
    Ok(Rotated { old, new: new.key().clone(), size })
}

/// Whether the last change on record is the one to this key.
fn announced(open: &OpenArchive, new: &str) -> Result<bool, Fault> {
    let last = rotations(&Store::open_read(&open.paths.catalogue())?)?.pop();
    Ok(last.is_some_and(|rotation| rotation.new == new))
}

/// Every change of keys on record, oldest first.
///
/// # Errors
/// The catalogue's.
pub fn rotations(store: &Store) -> Result<Vec<Rotation>, Fault> {
    let read = |body: &String| serde_json::from_str::<Record>(body).ok().and_then(|record| Rotation::of(&record.event));
    Ok(store.rotations()?.iter().filter_map(read).collect())
}
