//! Remembering: what is published now, how a checkpoint remembered elsewhere stands to it, and who else signs it.

use serde::Serialize;

use crate::format::checkpoint::Signed;
use crate::format::note::{Note, Signature, VerifierKey, signature_lines};
use crate::proof::{Standing, standing, successors};
use crate::work::anchor::{Added, Anchors, Settings};
use crate::work::archive::OpenArchive;
use crate::work::fault::Fault;
use crate::work::parts::Paths;
use crate::work::rotate;
use crate::world::durable::Disk;
use crate::world::services::Services;
use crate::world::store::Store;
use crate::world::tiles::nodes::Nodes;
use crate::world::tiles::reader::Tiles;

/// The published checkpoint and the key it is signed with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
    /// the checkpoint
    pub signed: Signed,
    /// the archive's own word on its key
    pub key: VerifierKey,
}

/// What is published.
///
/// # Errors
/// No archive; a checkpoint that does not hold.
pub fn published(paths: &Paths) -> Result<Published, Fault> {
    if !paths.is_archive() {
        return Err(Fault::NoArchive(paths.root.clone()));
    }
    let tiles = Tiles::new(&paths.ledger());
    let key = tiles.key()?;
    let signed = tiles.checkpoint(std::slice::from_ref(&key))?;
    Ok(Published { signed, key })
}

/// How a remembered checkpoint stands to the archive's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Remembered {
    /// in one word
    pub standing: Standing,
    /// in a sentence
    pub what: String,
    /// leaves under the remembered one
    pub remembered: u64,
    /// leaves under the archive's
    pub archive: u64,
}

/// Compares a remembered checkpoint, a signed note, with the archive's. It may be signed with any key that the log went
/// by; with `trusted`, with that one or one that followed it.
///
/// # Errors
/// No archive, a file that is no checkpoint, one that no such key signed.
pub fn compare(paths: &Paths, note: &[u8], trusted: Option<&VerifierKey>) -> Result<Remembered, Fault> {
    let Published { signed, key } = published(paths)?;
    let keys = keys(paths, trusted.unwrap_or(&key), &key)?;
    let refused = |what: String| Fault::Input {
        what,
        hint: "expected a checkpoint of this archive as onrecord ledger checkpoint prints it".to_owned(),
    };
    let remembered = Signed::parse(note).map_err(|why| refused(format!("the file is no checkpoint: {why}")))?;
    let (old, now) = (&remembered.checkpoint, &signed.checkpoint);
    if old.origin == now.origin {
        // Whoever changed the archive's key would be caught here: what is remembered no longer verifies.
        Signed::open(note, &keys).map_err(|why| {
            Fault::Damaged(format!("the remembered checkpoint is not signed by this log's key: {why}"))
        })?;
        if trusted.is_some() {
            Signed::open(&signed.note, &keys).map_err(|why| {
                Fault::Damaged(format!("the archive's checkpoint is not signed by the trusted key: {why}"))
            })?;
        }
    }
    let tiles = Tiles::new(&paths.ledger());
    let standing = standing(old, now, |from, to| tiles.consistency(from, to))?;
    let (m, n) = (old.size, now.size);
    let what = match standing {
        Standing::Equal => format!("the archive is at this checkpoint of {n} leaves"),
        Standing::Prefix => format!("its {m} leaves are the first of the archive's {n}"),
        Standing::Newer => format!(
            "it has {m} leaves and the archive only {n}: the archive was rolled back, or this is an older copy of it"
        ),
        Standing::Forked => {
            format!("its {m} leaves are not the first of the archive's {n}: two histories were signed")
        }
        Standing::Unrelated => format!("it is of the log {}, the archive is {}", old.origin, now.origin),
    };
    Ok(Remembered { standing, what, remembered: m, archive: n })
}

/// Every key that the log went by, as far as both keys signed each change.
fn keys(paths: &Paths, from: &VerifierKey, now: &VerifierKey) -> Result<Vec<VerifierKey>, Fault> {
    let rotations = rotate::rotations(&Store::open_read(&paths.catalogue())?)?;
    let first = rotations.first().and_then(|rotation| rotation.old.parse::<VerifierKey>().ok());
    let from = match first {
        // Without a key from elsewhere the log's first key is where the chain begins, if it leads to the present one.
        Some(first) if from == now && successors(&first, &rotations).contains(now) => first,
        _ => from.clone(),
    };
    let mut keys = successors(&from, &rotations);
    keys.reverse();
    Ok(keys)
}

/// Adds the lines in `file` that are of one of `witnesses` to the published checkpoint, and keeps them among the anchors.
///
/// # Errors
/// No line of a known witness, or one that is not over the published checkpoint.
pub fn cosign(open: &OpenArchive, file: &[u8], witnesses: &[VerifierKey]) -> Result<Vec<Added>, Fault> {
    let Published { signed, .. } = published(&open.paths)?;
    let lines = lines_in(file)?;
    let mut added = Vec::new();
    let services = Services::new("", std::time::Duration::from_secs(1), &[])?;
    let anchors = Anchors::new(&open.paths.ledger(), Settings::default(), services, Disk::default());
    for key in witnesses {
        let own = |line: &&Signature| line.name == key.name && line.id == key.id;
        let theirs: Vec<Signature> = lines.iter().filter(own).cloned().collect();
        if theirs.is_empty() {
            continue;
        }
        let note = Note { text: signed.checkpoint.to_string(), signatures: theirs.clone() };
        note.verify(std::slice::from_ref(key)).map_err(|_| Fault::Input {
            what: format!(
                "{}'s line is not over the published checkpoint of {} leaves",
                key.name, signed.checkpoint.size
            ),
            hint: "have the checkpoint cosigned that onrecord ledger checkpoint prints now".to_owned(),
        })?;
        added.push(anchors.keep_lines(&signed, key, theirs.clone())?);
        open.seal.cosign_now(signed.checkpoint.clone(), theirs)?;
    }
    if added.is_empty() {
        return Err(Fault::Input {
            what: "no signature line in it is of a known witness".to_owned(),
            hint: "name the witness's key with --witness VKEY, or in [anchor] witnesses".to_owned(),
        });
    }
    Ok(added)
}

/// Stores the inner hashes of every full tile that has none stored yet. Gives how many tiles that were.
///
/// # Errors
/// Tiles that are missing or damaged; the disk.
pub fn index(open: &OpenArchive) -> Result<u64, Fault> {
    let size = published(&open.paths)?.signed.checkpoint.size;
    Ok(Nodes::build(&Tiles::new(&open.paths.ledger()), size)?)
}

/// The signature lines of a note, or lines alone.
fn lines_in(file: &[u8]) -> Result<Vec<Signature>, Fault> {
    let not_lines = || Fault::Input {
        what: "the file holds no signature lines".to_owned(),
        hint: "expected lines such as: \u{2014} witness.example c2lnbmF0dXJl".to_owned(),
    };
    if let Ok(note) = Note::parse(file) {
        return Ok(note.signatures);
    }
    let text = std::str::from_utf8(file).map_err(|_| not_lines())?;
    signature_lines(text.trim_end_matches('\n')).map_err(|_| not_lines())
}
