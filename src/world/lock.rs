//! One process writes to an archive at a time: a lock file that names its holder.
//!
//! The lock is the kernel's (`flock`), so it ends with its process however that ends; what stands in the file is for people.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};

/// Name of the lock file in the archive's folder.
pub const FILE: &str = ".lock";

/// The lock, held until it is dropped.
#[derive(Debug)]
pub struct Lock {
    _held: Held,
}

/// A file or folder that is locked until this is dropped.
#[derive(Debug)]
pub(super) struct Held(pub(super) File);

impl Held {
    /// Locks it at once; none where another one has it.
    ///
    /// # Errors
    /// The kernel's.
    pub(super) fn of(file: File) -> std::io::Result<Result<Self, File>> {
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Ok(Self(file))),
            Err(rustix::io::Errno::WOULDBLOCK) => Ok(Err(file)),
            Err(e) => Err(e.into()),
        }
    }
}

impl Drop for Held {
    /// Closing the file would not do: a process that is just being started has a copy of it until its program is loaded, and
    /// the lock would be held as long.
    fn drop(&mut self) {
        let _ = flock(&self.0, FlockOperation::Unlock);
    }
}

/// Why the lock is not to be had.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// another process has it
    #[error("archive {dir} is in use by {holder}")]
    Held {
        /// the archive
        dir: PathBuf,
        /// pid and host, as that process wrote them
        holder: String,
    },
    /// the file cannot be made or locked
    #[error("lock file {0}")]
    File(PathBuf, #[source] std::io::Error),
}

impl Lock {
    /// Takes the lock of the archive in `dir`.
    ///
    /// # Errors
    /// [`Error::Held`] with its holder, at once; it never waits.
    pub fn take(dir: &Path) -> Result<Self, Error> {
        let path = dir.join(FILE);
        let wrap = |e| Error::File(path.clone(), e);
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path).map_err(wrap)?;
        match Held::of(file).map_err(wrap)? {
            Ok(mut held) => {
                let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
                held.0.set_len(0).map_err(wrap)?;
                held.0.rewind().map_err(wrap)?;
                write!(held.0, "process {} on {host}", std::process::id()).map_err(wrap)?;
                Ok(Self { _held: held })
            }
            Err(file) => {
                let mut holder = String::new();
                // A holder that cannot be read still holds.
                let _ = file.take(200).read_to_string(&mut holder);
                let holder = holder.trim();
                let holder = if holder.is_empty() { "another process" } else { holder };
                Err(Error::Held { dir: dir.to_owned(), holder: holder.to_owned() })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_is_told_who_holds_it() -> Result<(), Box<dyn std::error::Error>> {
        let dir = tempfile::tempdir()?;
        let first = Lock::take(dir.path())?;
        let second = Lock::take(dir.path()).map(|_| ()).map_err(|e| e.to_string());
        assert!(second.is_err_and(|e| e.contains(&format!("process {}", std::process::id()))));
        drop(first);
        assert!(Lock::take(dir.path()).is_ok());
        Ok(())
    }

    #[test]
    fn it_ends_with_its_holder_though_another_process_is_just_being_started() -> Result<(), Box<dyn std::error::Error>>
    {
        let dir = tempfile::tempdir()?;
        let first = Lock::take(dir.path())?;
        // What such a process has: another name of the same open file.
        let copy = first._held.0.try_clone()?;
        drop(first);
        assert!(Lock::take(dir.path()).is_ok());
        drop(copy);
        Ok(())
    }
}
