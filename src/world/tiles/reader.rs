//! Reading a log's folder: any size that was ever published, with few reads and no lock.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::{Error, of, unreadable};
use crate::format::checkpoint::Signed;
use crate::format::digest::Digest;
use crate::format::merkle;
use crate::format::note::VerifierKey;
use crate::format::tile::{self, Row, Tile};
use crate::ledger::{Edge, Inner, Source, View};
use crate::world::durable::Disk;

/// Tiles kept in memory with the hashes between theirs, 16 KiB each.
const CACHED: usize = 512;

/// No note, key or partial tile is longer.
const MAX_FILE: u64 = 64 * 1024;

/// A log's folder, for reading.
#[derive(Debug)]
pub struct Tiles {
    folder: PathBuf,
    cache: Mutex<HashMap<Tile, Arc<Inner>>>,
}

impl Tiles {
    /// The log in `folder`. Nothing is read yet.
    pub fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), cache: Mutex::default() }
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where a tile lies.
    pub fn path(&self, tile: Tile) -> PathBuf {
        self.folder.join(tile.to_string())
    }

    /// The key in `vkey`. It proves nothing by lying there: who holds the folder can put another one.
    ///
    /// # Errors
    /// The file is missing or is no key.
    pub fn key(&self) -> Result<VerifierKey, Error> {
        let path = self.folder.join("vkey");
        let text = read(path.clone()).map(|b| String::from_utf8_lossy(&b).into_owned())?;
        text.trim_end_matches('\n').parse().map_err(|_| Error::Damaged { path, what: "it is no verifier key" })
    }

    /// The published checkpoint, signed by one of `known`.
    ///
    /// # Errors
    /// The file is missing, or does not hold.
    pub fn checkpoint(&self, known: &[VerifierKey]) -> Result<Signed, Error> {
        let path = self.folder.join("checkpoint");
        let note = read(path.clone())?;
        Signed::open(&note, known).map_err(|source| Error::Checkpoint { path, source })
    }

    /// The size that the published checkpoint claims, whoever signed it.
    pub fn claimed_size(&self) -> Option<u64> {
        let note = read(self.folder.join("checkpoint")).ok()?;
        Signed::parse(&note).ok().map(|signed| signed.checkpoint.size)
    }

    /// Names every file below `tile/`, by its path from the log's folder, whatever it is.
    ///
    /// # Errors
    /// A folder that cannot be read.
    pub fn lying(&self, each: &mut dyn FnMut(&str)) -> Result<(), Error> {
        let top = self.folder.join("tile");
        if top.is_dir() { list(&top, "tile", DEEPEST, each) } else { Ok(()) }
    }

    /// The record at `index` of a log of `size`.
    ///
    /// # Errors
    /// An index out of range; a bundle that is missing or damaged.
    pub fn leaf(&self, index: u64, size: u64) -> Result<Digest, Error> {
        View { source: self, size }.record(index).map_err(|e| of(e, index))
    }

    /// The proof that the first `old` leaves are a prefix of the first `new` ones.
    ///
    /// # Errors
    /// A size out of range; a tile that is missing or damaged.
    pub fn consistency(&self, old: u64, new: u64) -> Result<Vec<Digest>, Error> {
        merkle::consistency(&mut View { source: self, size: new }, old, new).map_err(|e| of(e, old))
    }

    /// The root of the first `size` leaves of a log that has `of_size`.
    ///
    /// # Errors
    /// A size out of range; a tile that is missing or damaged.
    pub fn root(&self, size: u64, of_size: u64) -> Result<Digest, Error> {
        if size > of_size {
            return Err(Error::OutOfRange(size));
        }
        merkle::root(&mut View { source: self, size: of_size }, size).map_err(|e| of(e, size))
    }

    /// The leaves of the last bundle must be those its tile hashes.
    pub(super) fn check_open_entries(&self, edge: &Edge) -> Result<(), Error> {
        let held = |wanted: Row| edge.partial().find(|(tile, _)| tile.row == wanted);
        let (Some((bundle, records)), Some((_, hashes))) = (held(Row::Entries), held(Row::Level(0))) else {
            return Ok(());
        };
        let agree = records.len() == hashes.len() && records.iter().map(merkle::record_leaf).eq(hashes.iter().copied());
        if agree {
            Ok(())
        } else {
            Err(Error::Damaged { path: self.path(bundle), what: "its records are not those its tile hashes" })
        }
    }

    /// Takes away the partial tiles beside a full one that is on the disk.
    pub(super) fn forget_partial(&self, full: Tile, disk: &Disk) -> Result<(), Error> {
        let mut folder = self.path(full).into_os_string();
        folder.push(".p");
        let folder = PathBuf::from(folder);
        let Ok(entries) = std::fs::read_dir(&folder) else { return Ok(()) };
        if !self.path(full).is_file() {
            return Ok(());
        }
        for entry in entries.flatten() {
            disk.remove(&entry.path())?;
        }
        // An empty folder left behind harms no one.
        let _ = std::fs::remove_dir(&folder);
        Ok(())
    }

    /// The bytes of a tile, or of the full one in its place, cut to its width.
    fn bytes(&self, tile: Tile, item: usize) -> Result<Vec<u8>, Error> {
        let wanted = usize::from(tile.width) * item;
        let path = self.path(tile);
        let (path, mut bytes) = match read(path.clone()) {
            Err(Error::Missing { path: partial }) if !tile.is_full() => {
                let full = self.path(Tile::full(tile.row, tile.index));
                match read(full.clone()) {
                    Err(Error::Missing { .. }) => return Err(Error::Missing { path: partial }),
                    other => (full, other?),
                }
            }
            other => (path, other?),
        };
        let whole = bytes.len() == wanted || bytes.len() == item * 256;
        if !whole {
            return Err(Error::Damaged { path, what: "it has not the length its name says" });
        }
        bytes.truncate(wanted);
        Ok(bytes)
    }
}

/// Folders in folders that a tile's name can have, and more.
const DEEPEST: u32 = 16;

fn list(folder: &Path, name: &str, deep: u32, each: &mut dyn FnMut(&str)) -> Result<(), Error> {
    let failed = |source| unreadable(folder.to_owned(), source);
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let below = format!("{name}/{}", entry.file_name().to_string_lossy());
        if deep > 0 && entry.file_type().map_err(failed)?.is_dir() {
            list(&entry.path(), &below, deep - 1, each)?;
        } else {
            each(&below);
        }
    }
    Ok(())
}

/// The whole of a small file.
fn read(path: PathBuf) -> Result<Vec<u8>, Error> {
    use std::io::Read as _;
    let file = std::fs::File::open(&path).map_err(|e| unreadable(path.clone(), e))?;
    let mut bytes = Vec::new();
    file.take(MAX_FILE + 1).read_to_end(&mut bytes).map_err(|e| unreadable(path.clone(), e))?;
    if bytes.len() as u64 > MAX_FILE { Err(Error::Damaged { path, what: "it is too long" }) } else { Ok(bytes) }
}

impl Source for &Tiles {
    type Error = Error;

    fn tile(&mut self, tile: Tile) -> Result<Arc<Inner>, Error> {
        let known = self.cache.lock().unwrap_or_else(PoisonError::into_inner).get(&tile).cloned();
        if let Some(inner) = known {
            return Ok(inner);
        }
        let hashes = tile::hashes_from_bytes(&self.bytes(tile, 32)?).unwrap_or_default();
        let inner = Arc::new(Inner::above(hashes));
        let mut cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        if cache.len() >= CACHED {
            // The higher a tile, the more proofs pass through it.
            cache.retain(|known, _| known.row > Row::Level(0) && known.is_full());
        }
        if cache.len() >= CACHED {
            cache.clear();
        }
        // A growing log comes by with one width after the other: the widest is enough.
        cache.retain(|known, _| (known.row, known.index) != (tile.row, tile.index) || known.width > tile.width);
        cache.insert(tile, Arc::clone(&inner));
        Ok(inner)
    }

    fn bundle(&mut self, tile: Tile) -> Result<Vec<Digest>, Error> {
        let bytes = self.bytes(tile, 34)?;
        let path = self.path(tile);
        tile::records_from_bytes(&bytes).ok_or(Error::Damaged { path, what: "it holds an entry that is no digest" })
    }
}
