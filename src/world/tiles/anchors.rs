//! The `ledger/anchors/` folder: small files by name, each written once but for proofs that grow.
//!
//! A proof that has grown lies beside the old one, as `FILE.new`, until the record that names it is in the ledger: whichever of
//! the two a crash leaves in place, a record names it.

use std::path::{Path, PathBuf};

use super::{Error, unreadable};
use crate::world::durable::{self, Disk};

/// No anchor is longer.
const MAX_FILE: u64 = 1024 * 1024;

/// The folder, made when the first file is kept.
#[derive(Clone)]
pub struct AnchorFolder {
    folder: PathBuf,
    disk: Disk,
}

impl AnchorFolder {
    /// That of the log in `ledger`.
    pub fn new(ledger: &Path, disk: Disk) -> Self {
        Self { folder: ledger.join("anchors"), disk }
    }

    /// Where a file lies.
    pub fn path(&self, file: &str) -> PathBuf {
        self.folder.join(file)
    }

    /// Whether there is a file of that name.
    pub fn has(&self, file: &str) -> bool {
        self.path(file).exists()
    }

    /// A file's bytes, if there is one of that name.
    ///
    /// # Errors
    /// What the system says; a file that is far too long.
    pub fn read(&self, file: &str) -> Result<Option<Vec<u8>>, Error> {
        let path = self.path(file);
        match std::fs::metadata(&path) {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Ok(about) if about.len() > MAX_FILE => Err(Error::Damaged { path, what: "it is too long" }),
            _ => std::fs::read(&path).map(Some).map_err(|e| unreadable(path, e)),
        }
    }

    /// The names that end in `.extension`, in order.
    ///
    /// # Errors
    /// What the system says; a folder that is not there yet is empty.
    pub fn names(&self, extension: &str) -> Result<Vec<String>, Error> {
        let entries = match std::fs::read_dir(&self.folder) {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            other => other.map_err(|e| unreadable(self.folder.clone(), e))?,
        };
        let names = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
        let wanted =
            |name: &String| !name.starts_with('.') && name.rsplit_once('.').is_some_and(|(_, e)| e == extension);
        let mut names: Vec<_> = names.filter(wanted).collect();
        names.sort();
        Ok(names)
    }

    /// Keeps a file for ever.
    ///
    /// # Errors
    /// There is one with other bytes; the disk.
    pub fn keep(&self, file: &str, bytes: &[u8]) -> Result<(), durable::Error> {
        self.disk.create_folder(&self.folder)?;
        self.disk.keep(&self.path(file), bytes).map(drop)
    }

    /// Puts what a file has grown to beside it.
    ///
    /// # Errors
    /// The disk.
    pub fn put_beside(&self, file: &str, bytes: &[u8]) -> Result<(), durable::Error> {
        self.replace(&beside(file), bytes)
    }

    /// What a file has grown to, where that is not in its place yet.
    ///
    /// # Errors
    /// As [`AnchorFolder::read`].
    pub fn grown(&self, file: &str) -> Result<Option<Vec<u8>>, Error> {
        self.read(&beside(file))
    }

    /// Puts what a file has grown to in its place.
    ///
    /// # Errors
    /// The disk.
    pub fn settle(&self, file: &str) -> Result<(), Error> {
        let Some(bytes) = self.grown(file)? else { return Ok(()) };
        self.replace(file, &bytes)?;
        // Crash here: the same bytes twice.
        Ok(self.disk.remove(&self.path(&beside(file)))?)
    }

    /// Puts a file in place of an earlier one.
    ///
    /// # Errors
    /// The disk.
    pub fn replace(&self, file: &str, bytes: &[u8]) -> Result<(), durable::Error> {
        self.disk.create_folder(&self.folder)?;
        self.disk.replace(&self.path(file), bytes)
    }
}

fn beside(file: &str) -> String {
    format!("{file}.new")
}
