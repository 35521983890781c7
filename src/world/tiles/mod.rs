//! The archive's `ledger/` folder: tiles, bundles, the checkpoint and the verifier key (C2SP tlog-tiles on disk).
//!
//! Trust: whoever alters this folder without the signing key can hide the log, never rewrite it unseen: every root under
//! a signature names every leaf. Whoever holds the key too can rewrite what no one else remembers; against that stand the
//! remembered checkpoint, the witness and the anchor.
//!
//! The order of a commit, each step durable before the next: tiles and bundles → the new tree proved an extension of the
//! signed one, from what the disk gives back → checkpoint signed and renamed into place → partial tiles that became full
//! taken away. A crash between any two leaves tiles that no checkpoint names; the same leaves, appended again, are
//! compared with them and find them there. Others are refused: those tiles may have been signed once.

pub mod anchors;
pub mod nodes;
pub mod prover;
pub mod reader;

use std::collections::HashSet;
use std::fs::File;
use std::path::{Path, PathBuf};

use reader::Tiles;

use crate::format::checkpoint::{Checkpoint, Refused, Signed};
use crate::format::digest::Digest;
use crate::format::merkle::{self, NotMade, Unproved, empty_root};
use crate::format::note::{NotSigned, Note, Signature, Signer, VerifierKey};
use crate::format::tile::{self, MAX_LEVEL, Row, Tile, WIDTH};
use crate::ledger::{Edge, View};
use crate::world::durable::{self, Disk};
use crate::world::lock::Held;

/// The log, open for appending; no second one opens while this lives.
pub struct Log {
    tiles: Tiles,
    disk: Disk,
    key: VerifierKey,
    signed: Signed,
    edge: Edge,
    /// full tiles and bundles that are not on the disk yet
    filled: Vec<(Tile, Vec<u8>)>,
    /// partial ones that are
    published: HashSet<Tile>,
    _lock: Held,
}

/// What a log does not do.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// the disk failed, or refused
    #[error(transparent)]
    Disk(#[from] durable::Error),
    /// a file that is not to be read
    #[error("read {}", .path.display())]
    Read {
        /// the file
        path: PathBuf,
        /// what the system said
        source: std::io::Error,
    },
    /// a file the log must have and does not
    #[error("read {}: it is missing", .path.display())]
    Missing {
        /// the file
        path: PathBuf,
    },
    /// a file that holds something else than it must
    #[error("read {}: {what}", .path.display())]
    Damaged {
        /// the file
        path: PathBuf,
        /// what is wrong with it
        what: &'static str,
    },
    /// the checkpoint does not hold
    #[error("read {}", .path.display())]
    Checkpoint {
        /// the file
        path: PathBuf,
        /// why
        source: Refused,
    },
    /// there is a log already
    #[error("make the ledger in {}: there is one already", .0.display())]
    Exists(PathBuf),
    /// another process, or another place in this one, appends
    #[error("open the ledger in {}: it is in use", .0.display())]
    InUse(PathBuf),
    /// a leaf of the log is another than the one handed in
    #[error("append to the ledger: leaf {0} is another record already")]
    Forked(u64),
    /// a tile that no checkpoint names holds other leaves than those handed in
    #[error("append to the ledger: {} holds other leaves", .0.display())]
    ForkedTile(PathBuf),
    /// leaves handed in leave a gap
    #[error("append to the ledger: leaf {first} does not follow the {size} there are")]
    Gap {
        /// index of the first leaf handed in
        first: u64,
        /// leaves there are
        size: u64,
    },
    /// the checkpoint on the disk is not the one this log knows
    #[error("sign a checkpoint: {} was changed by someone else", .0.display())]
    Moved(PathBuf),
    /// the tree on the disk does not extend the signed one
    #[error("sign a checkpoint: the tree does not extend the last one signed")]
    Inconsistent(#[from] Unproved),
    /// the key is not the log's
    #[error("sign a checkpoint: the log's key is {0}")]
    OtherKey(Box<VerifierKey>),
    /// the key gave no signature
    #[error("sign a checkpoint")]
    NotSigned(#[from] NotSigned),
    /// the log has no such leaf or size
    #[error("the ledger has no leaf or size {0}")]
    OutOfRange(u64),
}

impl Log {
    /// Makes an empty log that `signer`'s key signs and whose origin is that key's name, with a signed checkpoint of
    /// size 0.
    ///
    /// # Errors
    /// There is one already, the disk, the key.
    pub fn create(folder: &Path, signer: &dyn Signer, disk: &Disk) -> Result<Self, Error> {
        let checkpoint = folder.join("checkpoint");
        if checkpoint.exists() {
            return Err(Error::Exists(folder.to_owned()));
        }
        disk.create_folder(folder)?;
        disk.keep(&folder.join("vkey"), format!("{}\n", signer.key()).as_bytes())?;
        let empty = Checkpoint { origin: signer.key().name.clone(), size: 0, root: empty_root() };
        // A crash before this line leaves a vkey alone, and the same call finishes.
        disk.keep(&checkpoint, &Signed::sign(empty, signer)?.note)?;
        Self::open(folder, disk)
    }

    /// Opens the log at its last checkpoint: O(log n) reads, whose hashes must lead to the signed root.
    ///
    /// # Errors
    /// Another one is open; files are missing or damaged; the checkpoint is not signed with the key in `vkey`.
    pub fn open(folder: &Path, disk: &Disk) -> Result<Self, Error> {
        let lock = locked(folder)?;
        let tiles = Tiles::new(folder);
        let key = tiles.key()?;
        let signed = tiles.checkpoint(std::slice::from_ref(&key))?;
        let Checkpoint { size, root, .. } = signed.checkpoint;
        let edge = Edge::restored(&tiles, size).map_err(|e| of(e, size))?;
        if edge.root() != root {
            return Err(Error::Damaged { path: folder.join("checkpoint"), what: "its tiles lead to another root" });
        }
        tiles.check_open_entries(&edge)?;
        let mut log = Self {
            tiles,
            disk: disk.clone(),
            key,
            signed,
            edge,
            filled: Vec::new(),
            published: HashSet::new(),
            _lock: lock,
        };
        log.published = log.edge.partial().map(|(tile, _)| tile).collect();
        log.settle_folders()?;
        log.prune(size.saturating_sub(1))?;
        Ok(log)
    }

    /// Number of leaves, those not committed included.
    pub fn size(&self) -> u64 {
        self.edge.size()
    }

    /// The last checkpoint, as it was signed.
    pub fn signed(&self) -> &Signed {
        &self.signed
    }

    /// The key that signs this log.
    pub fn key(&self) -> &VerifierKey {
        &self.key
    }

    /// The committed part, for reading.
    pub fn tiles(&self) -> &Tiles {
        &self.tiles
    }

    /// Appends records by their digests and gives the index of the first. Nothing is on the disk before
    /// [`Log::commit`].
    pub fn append(&mut self, records: &[Digest]) -> u64 {
        let first = self.size();
        let filled = &mut self.filled;
        self.edge.append_all(records, &mut |tile, held| filled.push((tile, bytes(tile, held))));
        first
    }

    /// The same for records whose place is known: those that stand there already are compared, the others appended.
    ///
    /// # Errors
    /// [`Error::Forked`] where another stands there, [`Error::Gap`] where they do not follow what there is.
    pub fn append_at(&mut self, first: u64, records: &[Digest]) -> Result<(), Error> {
        let size = self.size();
        let known = size.checked_sub(first).ok_or(Error::Gap { first, size })?;
        let known = usize::try_from(known).unwrap_or(usize::MAX).min(records.len());
        let (old, new) = records.split_at(known);
        for (index, record) in (first..).zip(old) {
            if self.leaf(index)? != *record {
                return Err(Error::Forked(index));
            }
        }
        self.append(new);
        Ok(())
    }

    /// Makes what was appended durable and signs for it. Gives the checkpoint, the last one where nothing is new.
    ///
    /// # Errors
    /// Whatever keeps one of the steps from being done; none after it is tried, and the log must be opened anew.
    pub fn commit(&mut self, signer: &dyn Signer) -> Result<&Signed, Error> {
        if self.size() == self.signed.checkpoint.size {
            return Ok(&self.signed);
        }
        if *signer.key() != self.key {
            return Err(Error::OtherKey(Box::new(self.key.clone())));
        }
        self.keep_tiles()?;
        // Crash here: tiles that no checkpoint names. The same leaves, appended again, find them.
        let next = Checkpoint { origin: self.key.name.clone(), size: self.size(), root: self.edge.root() };
        self.prove_extension(&next)?;
        let before = self.signed.checkpoint.size;
        let next = Signed::sign(next, signer)?;
        self.publish(next)?;
        // Crash here: partial tiles beside full ones, taken away when the log is opened.
        self.prune(before)?;
        Ok(&self.signed)
    }

    /// Hands the log over to another key of the same name: a checkpoint signed by both, then the new verifier key.
    /// Everything appended must be committed. The record that says so is the caller's.
    ///
    /// # Errors
    /// As [`Log::commit`]; a new key by another name.
    pub fn rotate(&mut self, old: &dyn Signer, new: &dyn Signer) -> Result<&Signed, Error> {
        self.commit(old)?;
        if new.key().name != self.key.name || *old.key() != self.key {
            return Err(Error::OtherKey(Box::new(self.key.clone())));
        }
        let text = self.signed.checkpoint.to_string();
        let by_new = crate::format::note::signature(&text, new)?;
        self.add_signatures(vec![by_new])?;
        // Crash here: a checkpoint that both keys verify, under the old verifier key.
        self.disk.replace(&self.tiles.folder().join("vkey"), format!("{}\n", new.key()).as_bytes())?;
        self.key = new.key().clone();
        Ok(&self.signed)
    }

    /// Adds signature lines to the published checkpoint: witnesses' for the most part. Their worth is the caller's to
    /// check; the text they sign is that of [`Log::signed`].
    ///
    /// # Errors
    /// The disk; the checkpoint on it is another.
    pub fn add_signatures(&mut self, lines: Vec<Signature>) -> Result<(), Error> {
        let path = self.tiles.folder().join("checkpoint");
        let refused = |source: Refused| Error::Checkpoint { path: path.clone(), source };
        let mut note = Note::parse(&self.signed.note).map_err(|e| refused(e.into()))?;
        for line in lines {
            if !note.signatures.contains(&line) {
                note.signatures.push(line);
            }
        }
        let signed = Signed { checkpoint: self.signed.checkpoint.clone(), note: note.to_bytes() };
        self.publish(signed)
    }

    /// The record at `index`, committed or not.
    ///
    /// # Errors
    /// An index out of range; a bundle that is missing or damaged.
    pub fn leaf(&self, index: u64) -> Result<Digest, Error> {
        let open = self.edge.open_entries();
        let before = self.size() - open.len() as u64;
        let at = |from: u64| usize::try_from(index.checked_sub(from)?).ok();
        if let Some(record) = at(before).and_then(|at| open.get(at)) {
            return Ok(*record);
        }
        let bundle = Tile::full(Row::Entries, index / WIDTH);
        if let Some((_, bytes)) = self.filled.iter().find(|(tile, _)| *tile == bundle) {
            let held = tile::records_from_bytes(bytes).unwrap_or_default();
            return at(bundle.index * WIDTH).and_then(|at| held.get(at).copied()).ok_or(Error::OutOfRange(index));
        }
        self.tiles.leaf(index, before)
    }

    /// A process that was cut off may have made a folder whose name is not durable yet, and the next tile in it would take
    /// it for one that is.
    fn settle_folders(&self) -> Result<(), Error> {
        let top = self.tiles.folder();
        let mut above = HashSet::from([top.join("tile")]);
        for (tile, _) in self.edge.partial() {
            let path = self.tiles.path(tile);
            above.extend(path.ancestors().skip(2).take_while(|folder| *folder != top).map(Path::to_owned));
        }
        above.iter().filter(|folder| folder.is_dir()).try_for_each(|folder| Ok(self.disk.sync_folder(folder)?))
    }

    /// Every new tile, durable.
    fn keep_tiles(&mut self) -> Result<(), Error> {
        let partial = self.edge.partial().filter(|(tile, _)| !self.published.contains(tile));
        let mut files = std::mem::take(&mut self.filled);
        files.extend(partial.map(|(tile, held)| (tile, bytes(tile, held))));
        let files: Vec<_> = files.iter().map(|(tile, b)| (self.tiles.path(*tile), b.as_slice())).collect();
        let files: Vec<_> = files.iter().map(|(path, bytes)| (path.as_path(), *bytes)).collect();
        self.disk.keep_all(&files).map_err(|error| match error {
            durable::Error::Breach { path } => Error::ForkedTile(path),
            other => Error::Disk(other),
        })?;
        self.published = self.edge.partial().map(|(tile, _)| tile).collect();
        Ok(())
    }

    /// From what the disk gives back, not from what was meant to be written.
    fn prove_extension(&self, next: &Checkpoint) -> Result<(), Error> {
        let Checkpoint { size: old, root, .. } = &self.signed.checkpoint;
        let mut view = View { source: &self.tiles, size: next.size };
        let proof = merkle::consistency(&mut view, *old, next.size).map_err(|e| of(e, next.size))?;
        merkle::verify_consistency(*old, root, next.size, &next.root, &proof)?;
        let written = merkle::root(&mut view, next.size).map_err(|e| of(e, next.size))?;
        if written == next.root { Ok(()) } else { Err(Unproved::OtherRoot.into()) }
    }

    /// Compare and swap: the checkpoint on the disk must still say what the last one said.
    fn publish(&mut self, next: Signed) -> Result<(), Error> {
        let path = self.tiles.folder().join("checkpoint");
        let there = self.tiles.checkpoint(std::slice::from_ref(&self.key))?;
        if there.checkpoint != self.signed.checkpoint {
            return Err(Error::Moved(path));
        }
        self.disk.replace(&path, &next.note)?;
        self.signed = next;
        Ok(())
    }

    /// Takes away partial tiles beside full ones, of those that the leaves from `from` on made full.
    fn prune(&mut self, from: u64) -> Result<(), Error> {
        let size = self.signed.checkpoint.size;
        for row in std::iter::once(Row::Entries).chain((0..=MAX_LEVEL).map(Row::Level)) {
            for index in tile::length(row, from) / WIDTH..tile::length(row, size) / WIDTH {
                self.tiles.forget_partial(Tile::full(row, index), &self.disk)?;
            }
        }
        Ok(())
    }
}

fn bytes(tile: Tile, held: &[Digest]) -> Vec<u8> {
    match tile.row {
        Row::Entries => tile::records_to_bytes(held),
        Row::Level(_) => tile::hashes_to_bytes(held),
    }
}

fn of(error: NotMade<Error>, asked: u64) -> Error {
    match error {
        NotMade::OutOfRange => Error::OutOfRange(asked),
        NotMade::Source(error) => error,
    }
}

/// One appender at a time. The lock is the folder's own and ends with the process.
fn locked(folder: &Path) -> Result<Held, Error> {
    let file = File::open(folder).map_err(|e| unreadable(folder.to_owned(), e))?;
    let held = Held::of(file).map_err(|source| Error::Read { path: folder.to_owned(), source })?;
    held.map_err(|_| Error::InUse(folder.to_owned()))
}

fn unreadable(path: PathBuf, source: std::io::Error) -> Error {
    match source.kind() {
        std::io::ErrorKind::NotFound => Error::Missing { path },
        _ => Error::Read { path, source },
    }
}

/// Says where and how long.
impl std::fmt::Debug for Log {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Log({}, {} leaves)", self.tiles.folder().display(), self.size())
    }
}

#[cfg(test)]
mod tests;
