//! Durability: the one room that creates, writes, syncs, cuts and renames what must survive a crash.
//!
//! The system calls, so that a trace can be read against them: *keep* is open, write, fdatasync, rename, fsync of the
//! folder, and of several files each step for all of them; *replace* the same with an older file under the name; *write* and
//! *sync* on an open file are write and fdatasync. A new file's name is durable only once its folder is synced.
//!
//! Every deed asks a [`Fault`] first, where one is set: a table of tests can let any of them fail, fail although it was
//! done, or tear, and see that the archive opens again.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What is about to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Deed {
    /// a new file
    Create,
    /// bytes into an open file
    Write,
    /// a file's bytes to the disk
    Sync,
    /// a folder's names to the disk
    SyncFolder,
    /// another name for a file
    Rename,
    /// a file made shorter
    Cut,
    /// a file taken away
    Remove,
    /// a transaction of the catalogue
    Commit,
}

impl Deed {
    fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Write => "write",
            Self::Sync | Self::SyncFolder => "sync",
            Self::Rename => "rename",
            Self::Cut => "cut",
            Self::Remove => "remove",
            Self::Commit => "commit",
        }
    }
}

/// What becomes of a deed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// it is done
    Done,
    /// it fails and nothing is done
    Failed,
    /// it is done and yet reported as failed
    FailedAfter,
    /// a write stops after so many bytes and fails; any other deed fails
    Torn(usize),
}

/// Decides the fate of deeds. A test's fault that stands for a killed process answers [`Fate::Failed`] ever after.
pub trait Fault: Send + Sync {
    /// Asked before each deed.
    fn fate(&self, deed: Deed, path: &Path) -> Fate;
}

/// Why something is not durable.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// no room on the disk, or the quota is used up
    #[error("{} {}: no space left", .deed.as_str(), .path.display())]
    Full {
        /// what was tried
        deed: Deed,
        /// on what
        path: PathBuf,
    },
    /// the disk is mounted read-only, or the folder is not ours to write
    #[error("{} {}: not writable", .deed.as_str(), .path.display())]
    NotWritable {
        /// what was tried
        deed: Deed,
        /// on what
        path: PathBuf,
    },
    /// a name that must never change stands for other bytes already
    #[error("keep {}: it exists with other content", .path.display())]
    Breach {
        /// the name
        path: PathBuf,
    },
    /// anything else the system says
    #[error("{} {}", .deed.as_str(), .path.display())]
    Io {
        /// what was tried
        deed: Deed,
        /// on what
        path: PathBuf,
        /// what the system said
        source: io::Error,
    },
}

impl Error {
    /// What the system said about a deed, by its kind.
    pub(crate) fn new(deed: Deed, path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
                Self::Full { deed, path }
            }
            io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied => Self::NotWritable { deed, path },
            _ => Self::Io { deed, path, source },
        }
    }
}

/// Whether [`Disk::keep`] wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keeping {
    /// it was not there
    New,
    /// it was, byte for byte
    Same,
}

/// Threads that wait for files' syncs at once.
const SYNCING: usize = 4;

/// The way to the disk. Cheap to clone.
#[derive(Clone, Default)]
pub struct Disk {
    fault: Option<Arc<dyn Fault>>,
}

impl Disk {
    /// A disk whose deeds a test decides.
    pub fn with_fault(fault: Arc<dyn Fault>) -> Self {
        Self { fault: Some(fault) }
    }

    /// Keeps bytes under a name for ever: where the name is taken the bytes are compared, never overwritten. Durable on
    /// return.
    ///
    /// # Errors
    /// [`Error::Breach`] where other bytes stand there; what the system says.
    pub fn keep(&self, path: &Path, bytes: &[u8]) -> Result<Keeping, Error> {
        let keeping = self.keep_all(&[(path, bytes)])?;
        Ok(keeping.first().copied().unwrap_or(Keeping::Same))
    }

    /// The same for several, in folders that are made where they are missing. All are written, and on their way to the disk,
    /// before the first is waited for, and they are synced side by side: what waits for a file system's journal at the same
    /// time is written to it at once.
    ///
    /// # Errors
    /// As [`Disk::keep`]; where one fails, others are kept, but perhaps not durable.
    pub fn keep_all(&self, files: &[(&Path, &[u8])]) -> Result<Vec<Keeping>, Error> {
        let mut folders: Vec<PathBuf> = Vec::new();
        let mut kept = Vec::with_capacity(files.len());
        let mut new = Vec::new();
        for (path, bytes) in files {
            let keeping = match std::fs::read(path) {
                Ok(there) if there == *bytes => Keeping::Same,
                Ok(_) => return Err(Error::Breach { path: path.to_path_buf() }),
                Err(e) if e.kind() == io::ErrorKind::NotFound => {
                    self.folders_above(path, &mut folders)?;
                    new.push((*path, self.beside(path, bytes)?));
                    Keeping::New
                }
                Err(e) => return Err(Error::new(Deed::Create, path, e)),
            };
            // A crash may have come between an earlier rename and its folder's sync: what is there already is synced too.
            add(&mut folders, parent(path));
            kept.push(keeping);
        }
        self.sync_all(&new)?;
        for (path, _) in &new {
            self.deed(Deed::Rename, path, || std::fs::rename(passing(path), path))?;
        }
        for folder in folders {
            self.sync_folder(&folder)?;
        }
        Ok(kept)
    }

    /// Makes the folders above a file that are missing, and adds those that got a new name to the ones to be synced.
    fn folders_above(&self, path: &Path, to_sync: &mut Vec<PathBuf>) -> Result<(), Error> {
        let folder = parent(path);
        if folder.is_dir() {
            return Ok(());
        }
        self.folders_above(folder, to_sync)?;
        self.make_folder(folder)?;
        add(to_sync, parent(folder));
        Ok(())
    }

    /// Files that lie under their passing names, to the disk.
    fn sync_all(&self, files: &[(&Path, File)]) -> Result<(), Error> {
        let one = |(path, file): &(&Path, File)| self.sync(file, &passing(path));
        if self.fault.is_some() || files.len() < 3 {
            // A test decides the fate of each in turn.
            return files.iter().try_for_each(one);
        }
        files.iter().for_each(|(_, file)| begin(file));
        let share = files.len().div_ceil(SYNCING);
        std::thread::scope(|scope| {
            let shares: Vec<_> =
                files.chunks(share).map(|some| scope.spawn(move || some.iter().try_for_each(one))).collect();
            shares.into_iter().try_for_each(|share| {
                share.join().unwrap_or_else(|_| Err(Error::new(Deed::Sync, Path::new("."), fault())))
            })
        })
    }

    /// Puts bytes under a name in one step, whatever stood there: a reader sees the old or the new, never half. Durable
    /// on return.
    ///
    /// # Errors
    /// What the system says; the old bytes then stand, or the new ones do, whole.
    pub fn replace(&self, path: &Path, bytes: &[u8]) -> Result<(), Error> {
        self.place(path, bytes)?;
        self.sync_folder(parent(path))
    }

    /// Makes a folder and those above it; its name is durable on return.
    ///
    /// # Errors
    /// What the system says.
    pub fn create_folder(&self, path: &Path) -> Result<(), Error> {
        if path.is_dir() {
            return Ok(());
        }
        let above = parent(path);
        self.create_folder(above)?;
        self.make_folder(path)?;
        self.sync_folder(above)
    }

    fn make_folder(&self, path: &Path) -> Result<(), Error> {
        self.deed(Deed::Create, path, || match std::fs::create_dir(path) {
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
            other => other,
        })
    }

    /// A new file, open for writing; its name is not durable yet.
    ///
    /// # Errors
    /// One of that name is there; what the system says.
    pub fn create(&self, path: &Path) -> Result<File, Error> {
        self.deed(Deed::Create, path, || OpenOptions::new().read(true).write(true).create_new(true).open(path))
    }

    /// Writes at a position.
    ///
    /// # Errors
    /// What the system says; some of the bytes may be there.
    pub fn write_at(&self, file: &File, path: &Path, bytes: &[u8], offset: u64) -> Result<(), Error> {
        self.written(path, bytes, |bytes| file.write_all_at(bytes, offset))
    }

    /// Sees to it that a file's bytes are on the disk. After an error nothing is known of them: do not ask again, open
    /// the file anew and look.
    ///
    /// # Errors
    /// What the system says.
    pub fn sync(&self, file: &File, path: &Path) -> Result<(), Error> {
        self.deed(Deed::Sync, path, || file.sync_data())
    }

    /// Sees to it that a folder's names are on the disk.
    ///
    /// # Errors
    /// What the system says.
    pub fn sync_folder(&self, path: &Path) -> Result<(), Error> {
        self.deed(Deed::SyncFolder, path, || File::open(path)?.sync_all())
    }

    /// Gives a file another name; never one that is taken. The folder is not synced.
    ///
    /// # Errors
    /// [`Error::Breach`] where the name is taken; what the system says.
    pub fn rename(&self, from: &Path, to: &Path) -> Result<(), Error> {
        if to.symlink_metadata().is_ok() {
            return Err(Error::Breach { path: to.to_owned() });
        }
        self.deed(Deed::Rename, to, || std::fs::rename(from, to))
    }

    /// Makes a file shorter.
    ///
    /// # Errors
    /// What the system says.
    pub fn cut(&self, file: &File, path: &Path, len: u64) -> Result<(), Error> {
        self.deed(Deed::Cut, path, || file.set_len(len))
    }

    /// Takes a file away. The folder is not synced.
    ///
    /// # Errors
    /// What the system says.
    pub fn remove(&self, path: &Path) -> Result<(), Error> {
        self.deed(Deed::Remove, path, || std::fs::remove_file(path))
    }

    /// Commits a transaction: the one deed that is not a system call here but SQLite's.
    ///
    /// # Errors
    /// What `act` says, and a test's fault.
    pub fn commit<E: From<Error>>(&self, path: &Path, act: impl FnOnce() -> Result<(), E>) -> Result<(), E> {
        let failed = || Err(Error::new(Deed::Commit, path, fault()).into());
        match self.fault.as_ref().map_or(Fate::Done, |f| f.fate(Deed::Commit, path)) {
            Fate::Done => act(),
            Fate::FailedAfter => act().and_then(|()| failed()),
            Fate::Failed | Fate::Torn(_) => failed(),
        }
    }

    /// A file with those bytes, synced, renamed into place.
    fn place(&self, path: &Path, bytes: &[u8]) -> Result<(), Error> {
        let file = self.beside(path, bytes)?;
        self.sync(&file, &passing(path))?;
        self.deed(Deed::Rename, path, || std::fs::rename(passing(path), path))
    }

    /// A file with those bytes under its passing name, not synced.
    fn beside(&self, path: &Path, bytes: &[u8]) -> Result<File, Error> {
        let passing = passing(path);
        // One that a crash left behind is no one's.
        let mut file = self.deed(Deed::Create, &passing, || File::create(&passing))?;
        self.written(&passing, bytes, |bytes| file.write_all(bytes))?;
        Ok(file)
    }

    fn written(&self, path: &Path, bytes: &[u8], mut write: impl FnMut(&[u8]) -> io::Result<()>) -> Result<(), Error> {
        let torn = match self.fault.as_ref().map(|f| f.fate(Deed::Write, path)) {
            None | Some(Fate::Done) => return write(bytes).map_err(|e| Error::new(Deed::Write, path, e)),
            Some(Fate::Failed) => 0,
            Some(Fate::FailedAfter) => bytes.len(),
            Some(Fate::Torn(n)) => n.min(bytes.len()),
        };
        write(bytes.get(..torn).unwrap_or_default()).map_err(|e| Error::new(Deed::Write, path, e))?;
        Err(Error::new(Deed::Write, path, fault()))
    }

    fn deed<T>(&self, deed: Deed, path: &Path, mut act: impl FnMut() -> io::Result<T>) -> Result<T, Error> {
        match self.fault.as_ref().map_or(Fate::Done, |f| f.fate(deed, path)) {
            Fate::Done => act().map_err(|e| Error::new(deed, path, e)),
            Fate::FailedAfter => {
                act().map_err(|e| Error::new(deed, path, e))?;
                Err(Error::new(deed, path, fault()))
            }
            Fate::Failed | Fate::Torn(_) => Err(Error::new(deed, path, fault())),
        }
    }
}

/// Has the system begin to write a file, so that the first of many is not waited for before the next is begun. A hint:
/// what is on the disk is said by the syncs alone.
fn begin(file: &File) {
    #[cfg(target_os = "linux")]
    let _ = rustix::fs::fadvise(file, 0, None, rustix::fs::Advice::DontNeed);
    #[cfg(not(target_os = "linux"))]
    let _ = file;
}

fn add(folders: &mut Vec<PathBuf>, folder: &Path) {
    if !folders.iter().any(|known| known == folder) {
        folders.push(folder.to_owned());
    }
}

fn fault() -> io::Error {
    io::Error::other("input/output error")
}

/// The name a file has until it is whole.
fn passing(path: &Path) -> PathBuf {
    let mut name = std::ffi::OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(".new");
    path.with_file_name(name)
}

fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// Lets the n-th deed have another fate.
    struct Nth(AtomicUsize, Fate);

    impl Fault for Nth {
        fn fate(&self, _: Deed, _: &Path) -> Fate {
            if self.0.fetch_sub(1, Ordering::Relaxed) == 1 { self.1 } else { Fate::Done }
        }
    }

    #[test]
    fn what_is_kept_is_compared_not_overwritten() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("000");
        let disk = Disk::default();
        assert_eq!(disk.keep(&path, b"tile").unwrap(), Keeping::New);
        assert_eq!(disk.keep(&path, b"tile").unwrap(), Keeping::Same);
        assert!(matches!(disk.keep(&path, b"other"), Err(Error::Breach { .. })));
        assert_eq!(std::fs::read(&path).unwrap(), b"tile");
        assert!(matches!(disk.rename(&path, &path), Err(Error::Breach { .. })));
    }

    #[test]
    fn whatever_fails_a_name_stands_for_the_old_bytes_or_the_new() {
        for fate in [Fate::Failed, Fate::FailedAfter, Fate::Torn(2)] {
            for n in 1..=5 {
                let dir = tempfile::tempdir().unwrap();
                let path = dir.path().join("checkpoint");
                std::fs::write(&path, b"old").unwrap();
                let faulty = Disk::with_fault(Arc::new(Nth(AtomicUsize::new(n), fate)));
                assert!(faulty.replace(&path, b"newer").is_err(), "{fate:?} at {n}");
                let stands = std::fs::read(&path).unwrap();
                assert!(stands == b"old" || stands == b"newer", "{fate:?} at {n}: {stands:?}");
                Disk::default().replace(&path, b"newest").unwrap();
                assert_eq!(std::fs::read(&path).unwrap(), b"newest");
            }
        }
    }

    #[test]
    fn several_are_kept_with_their_folders_or_can_be_kept_again() {
        let names = ["tile/0/000", "tile/0/001.p/7", "tile/entries/000", "tile/entries/x001/000", "checkpoint"];
        let kept = |disk: &Disk, dir: &Path| {
            let files: Vec<_> = names.iter().map(|name| (dir.join(name), name.as_bytes())).collect();
            let files: Vec<_> = files.iter().map(|(path, bytes)| (path.as_path(), *bytes)).collect();
            disk.keep_all(&files)
        };
        for n in 1.. {
            let dir = tempfile::tempdir().unwrap();
            let faulty = Disk::with_fault(Arc::new(Nth(AtomicUsize::new(n), Fate::FailedAfter)));
            let failed = kept(&faulty, dir.path());
            let again = kept(&Disk::default(), dir.path()).unwrap();
            assert!(names.iter().all(|name| std::fs::read(dir.path().join(name)).unwrap() == name.as_bytes()));
            if failed.is_ok() {
                assert!(n > 20, "only {n} deeds");
                assert!(again.iter().all(|keeping| *keeping == Keeping::Same));
                break;
            }
        }
    }

    #[test]
    fn a_read_only_folder_is_said_to_be_one() {
        let error = Error::new(Deed::Write, Path::new("x"), io::ErrorKind::ReadOnlyFilesystem.into());
        assert_eq!(error.to_string(), "write x: not writable");
        let error = Error::new(Deed::Write, Path::new("x"), io::ErrorKind::StorageFull.into());
        assert_eq!(error.to_string(), "write x: no space left");
    }
}
