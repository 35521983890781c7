//! The vault: the archive's `warc/` folder and its single writer.
//!
//! Whoever alters a file here can destroy evidence but not forge it: the ledger names every record by the digest of its
//! whole bytes.
//!
//! One rolling file is written at a time, `onrecord-<UTC>-<serial>.warc.gz.open`: a warcinfo record, then one gzip member
//! a record. It is sealed by fsync, a rename to the name without `.open`, and an fsync of the folder; from then on
//! nothing changes it. A record is acknowledged by [`Vault::sync`], not by [`Vault::append`]. A crash leaves at most a
//! torn last member, which the next [`Vault::open`] cuts off.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use uuid::Uuid;

use crate::format::warc::record::Record;
use crate::resolution::exchange::RecordName;
use crate::world::durable::{self, Disk};

pub mod long;
pub mod pack;
pub mod place;
pub mod recover;
pub mod stream;

use long::{Long, Parts};
use pack::{Member, Packing};
use place::{OPEN, Place, path_of};
use recover::Recovered;
use stream::Stream;

/// How large things may grow.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// a file this long is sealed and the next begun
    pub roll_at: u64,
}

/// No record begins behind this byte of a file, whatever the settings say, so that a place is a small number.
pub const ROLL_MOST: u64 = 1 << 37;

impl Default for Limits {
    fn default() -> Self {
        Self { roll_at: 1 << 30 }
    }
}

/// Where time and ids come from, and what the warcinfo records say.
pub struct Making {
    /// the clock
    pub now: Box<dyn FnMut() -> Timestamp + Send>,
    /// random ids
    pub id: Box<dyn FnMut() -> Uuid + Send>,
    /// warc-fields of every file's first record: software, format, conformsTo, hostname, http-header-user-agent, …
    pub about: Vec<(String, String)>,
}

/// A record that was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// its name
    pub name: RecordName,
    /// where it lies
    pub place: Place,
    /// bytes of its block
    pub block_len: u64,
}

/// Why a record is not kept or not found.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// the disk
    #[error(transparent)]
    Disk(#[from] durable::Error),
    /// an earlier failure left the file in an unknown state; the vault must be opened anew
    #[error("write to the vault: an earlier failure left its file in doubt")]
    InDoubt,
    /// a file of the vault cannot be read
    #[error("read {}", .path.display())]
    Read {
        /// which
        path: PathBuf,
        /// what the system said
        source: std::io::Error,
    },
    /// a long block that was deflated and cannot be inflated again
    #[error("pack a long block")]
    Long {
        /// how it was found
        source: std::io::Error,
    },
    /// no file of that name
    #[error("find {file}: no such file in the vault")]
    NoSuchFile {
        /// its name
        file: String,
    },
    /// what lies there is not the one whole record that should
    #[error("read the record at {place}: {what}")]
    Damaged {
        /// where
        place: Place,
        /// what is wrong
        what: String,
    },
}

/// The single writer. Its caller holds the archive's lock.
pub struct Vault {
    dir: PathBuf,
    limits: Limits,
    making: Making,
    disk: Disk,
    /// packs what comes one by one, its memory used again
    own: Option<Packing>,
    main: Option<Main>,
    serial: u64,
    in_doubt: bool,
    /// no other file is begun, however long this one is
    stays: bool,
    /// warcinfo records that nobody has been told of
    begun: Vec<(Record, Kept)>,
}

/// The file being written.
struct Main {
    /// its name once sealed
    name: String,
    path: PathBuf,
    file: Arc<File>,
    len: u64,
    /// bytes were written since the last sync
    dirty: bool,
    /// held while it is synced, and whether that ever failed: the system tells of a failure once, and whoever asks again hears that
    /// all is well
    failed: Arc<Mutex<bool>>,
    /// its name in the folder is not durable yet
    nameless: bool,
    /// its warcinfo record, until another stands behind it
    info: Option<(Record, Kept)>,
}

impl Vault {
    /// Opens the folder, which is made where it is missing, and recovers what a crash left open. No file is begun before
    /// the first record.
    ///
    /// # Errors
    /// A folder that cannot be read or written.
    pub fn open(dir: &Path, limits: Limits, making: Making, disk: Disk) -> Result<(Self, Recovered), Error> {
        disk.create_folder(dir)?;
        let (recovered, main) = recover::recover(dir, &disk)?;
        let serial = place::files(dir)?.iter().filter_map(|name| place::serial(name)).max().unwrap_or(0);
        let vault = Self {
            dir: dir.to_owned(),
            limits,
            making,
            disk,
            own: None,
            main,
            serial,
            in_doubt: false,
            stays: false,
            begun: Vec::new(),
        };
        Ok((vault, recovered))
    }

    /// Writes one record. It is there for readers at once, and durable after the next [`Vault::sync`].
    ///
    /// # Errors
    /// As [`Vault::append_all`].
    pub fn append(&mut self, record: &Record) -> Result<Kept, Error> {
        self.with_own(|vault, packing| {
            packing.add(record);
            vault.append_all(packing)?.pop().ok_or(Error::InDoubt)
        })
    }

    /// Writes a record whose block is `long`.
    ///
    /// # Errors
    /// As [`Vault::append_all`].
    pub fn append_long(&mut self, record: &Record, long: &Long) -> Result<Kept, Error> {
        let Parts { front, packed, back, member } = long.member(record).map_err(|source| Error::Long { source })?;
        self.appended(&[&front, packed, &back], &[member])?.pop().ok_or(Error::InDoubt)
    }

    /// Writes records that are packed already, all of them into one file and at once.
    ///
    /// # Errors
    /// The disk's; nothing of the records is then left in the file, or the vault is in doubt and says so from now on.
    pub fn append_all(&mut self, packing: &Packing) -> Result<Vec<Kept>, Error> {
        self.appended(&[&packing.bytes], &packing.members)
    }

    fn appended(&mut self, parts: &[&[u8]], members: &[Member]) -> Result<Vec<Kept>, Error> {
        if self.in_doubt {
            return Err(Error::InDoubt);
        }
        if !self.stays && self.main.as_ref().is_some_and(|main| main.len >= self.limits.roll_at.min(ROLL_MOST)) {
            self.turn()?;
        }
        if self.main.is_none() {
            self.begin()?;
        }
        let kept = self.write(parts, members)?;
        // Not before: a file that holds nothing else is taken away again, and nothing may speak of it.
        self.begun.extend(self.main.as_mut().and_then(|main| main.info.take()));
        Ok(kept)
    }

    /// The warcinfo records of files begun since this was last asked, each once another record stands behind it.
    pub fn begun(&mut self) -> Vec<(Record, Kept)> {
        std::mem::take(&mut self.begun)
    }

    /// From now on a file goes on however long it is, or no longer so. Whoever names what is in the files needs a last one:
    /// a name written into the next file would leave that one's beginning to be named.
    pub fn stay(&mut self, stays: bool) {
        self.stays = stays;
    }

    /// Makes everything appended so far durable: one fdatasync, and one of the folder where a file is new.
    ///
    /// # Errors
    /// The disk's; the vault is then in doubt, since nobody knows what of the file reached it.
    pub fn sync(&mut self) -> Result<(), Error> {
        if self.in_doubt {
            return Err(Error::InDoubt);
        }
        let Some(main) = &mut self.main else { return Ok(()) };
        let done = main.unsynced(&self.disk, &self.dir).run();
        self.in_doubt = done.is_err();
        done
    }

    /// What [`Vault::sync`] would do, to be done by [`Unsynced::run`] while others go on appending: it covers what was appended so
    /// far. Where that fails the caller says so by [`Vault::doubt`].
    ///
    /// # Errors
    /// An earlier failure.
    pub fn unsynced(&mut self) -> Result<Option<Unsynced>, Error> {
        if self.in_doubt {
            return Err(Error::InDoubt);
        }
        Ok(self.main.as_mut().map(|main| main.unsynced(&self.disk, &self.dir)))
    }

    /// From now on nothing is appended: nobody knows what of the file reached the disk.
    pub fn doubt(&mut self) {
        self.in_doubt = true;
    }

    /// Seals the file being written; the next record begins another. One that holds nothing but its beginning is taken away.
    ///
    /// # Errors
    /// The disk's.
    pub fn roll(&mut self) -> Result<(), Error> {
        if let Some(main) = &mut self.main {
            // Whoever is still syncing it elsewhere may not have come to its end.
            main.dirty = true;
        }
        self.sync()?;
        self.main.take().map_or(Ok(()), |main| self.finish(&main))
    }

    /// Goes on to the next file. It is begun before the last one is sealed, so that whoever is cut off in between leaves an open file
    /// too: what is named by nothing in a sealed file, with none open, was put there by someone else.
    fn turn(&mut self) -> Result<(), Error> {
        if let Some(main) = &mut self.main {
            main.dirty = true;
        }
        self.sync()?;
        let last = self.main.take();
        if let Err(error) = self.begin() {
            self.main = last;
            return Err(error);
        }
        last.map_or(Ok(()), |main| self.finish(&main))
    }

    fn finish(&mut self, main: &Main) -> Result<(), Error> {
        let sealed = match main.info {
            None => seal(&self.disk, &self.dir, &main.path, &main.name),
            Some(_) => self.disk.remove(&main.path).and_then(|()| self.disk.sync_folder(&self.dir)),
        };
        self.in_doubt = sealed.is_err();
        Ok(sealed?)
    }

    /// Seals and lets go.
    ///
    /// # Errors
    /// The disk's.
    pub fn close(mut self) -> Result<(), Error> {
        self.roll()
    }

    /// Begins a record of any size in a file of its own, beside the rolling one. `record.block` is what there is of the
    /// block so far, an HTTP head whole; the rest comes through [`Stream::write`]. `body` is what is at hand of it, by which it is
    /// told whether deflating is worth the while.
    ///
    /// # Errors
    /// The disk's.
    pub fn stream(&mut self, record: Record, body: &[u8]) -> Result<Stream, Error> {
        let at = (self.making.now)();
        self.serial += 1;
        let name = place::name(at, self.serial);
        let info = Record::warcinfo((self.making.id)(), at, &name, &self.making.about);
        let (first, deflate) = self.with_own(|_, packing| {
            packing.add(&info);
            let deflate = packing.deflates(&record, body);
            (std::mem::take(&mut packing.bytes), deflate)
        });
        Stream::begin(self.disk.clone(), &self.dir, name, (info, first), record, deflate)
    }

    /// The folder.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    fn begin(&mut self) -> Result<(), Error> {
        let at = (self.making.now)();
        self.serial += 1;
        let name = place::name(at, self.serial);
        let path = self.dir.join(format!("{name}{OPEN}"));
        let file = Arc::new(self.disk.create(&path)?);
        let info = Record::warcinfo((self.making.id)(), at, &name, &self.making.about);
        self.main =
            Some(Main { name, path, file, len: 0, dirty: true, failed: Arc::default(), nameless: true, info: None });
        let mut packing = Packing::default();
        packing.add(&info);
        match (self.write(&[&packing.bytes], &packing.members), &mut self.main) {
            (Ok(mut kept), Some(main)) => {
                main.info = kept.pop().map(|kept| (info, kept));
                Ok(())
            }
            (written, _) => {
                // No record may become the file's first in its place; the next open takes the empty file away.
                self.main = None;
                written.map(drop)
            }
        }
    }

    fn with_own<T>(&mut self, with: impl FnOnce(&mut Self, &mut Packing) -> T) -> T {
        let mut packing = self.own.take().unwrap_or_default();
        packing.clear();
        let done = with(self, &mut packing);
        self.own = Some(packing);
        done
    }

    /// Writes parts that make up members, one behind the other: all of them, or none.
    fn write(&mut self, parts: &[&[u8]], members: &[Member]) -> Result<Vec<Kept>, Error> {
        let Some(main) = &mut self.main else { return Err(Error::InDoubt) };
        let mut at = main.len;
        for part in parts {
            if let Err(error) = self.disk.write_at(&main.file, &main.path, part, at) {
                // What part of it was written must not stand before the next record.
                self.in_doubt = self.disk.cut(&main.file, &main.path, main.len).is_err();
                return Err(error.into());
            }
            at += part.len() as u64;
        }
        main.dirty = true;
        let mut kept = Vec::with_capacity(members.len());
        for member in members {
            let place = Place { file: main.name.clone(), offset: main.len, length: member.length };
            main.len += member.length;
            kept.push(Kept { name: member.name, place, block_len: member.block_len });
        }
        Ok(kept)
    }
}

impl Main {
    fn unsynced(&mut self, disk: &Disk, dir: &Path) -> Unsynced {
        let bytes = std::mem::take(&mut self.dirty).then(|| (Arc::clone(&self.file), self.path.clone()));
        let name = std::mem::take(&mut self.nameless).then(|| dir.to_owned());
        Unsynced { disk: disk.clone(), failed: Arc::clone(&self.failed), bytes, name }
    }
}

/// What was appended and is not known to be on the disk.
#[must_use = "it is not durable before it is run"]
pub struct Unsynced {
    disk: Disk,
    failed: Arc<Mutex<bool>>,
    bytes: Option<(Arc<File>, PathBuf)>,
    name: Option<PathBuf>,
}

impl std::fmt::Debug for Unsynced {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Unsynced({:?})", self.bytes.as_ref().map(|(_, path)| path))
    }
}

impl Unsynced {
    /// One fdatasync, and one of the folder where the file is new.
    ///
    /// # Errors
    /// The disk's, then or earlier: nobody knows what of the file reached it.
    pub fn run(self) -> Result<(), Error> {
        let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        if *failed {
            return Err(Error::InDoubt);
        }
        let done = self.sync();
        *failed = done.is_err();
        Ok(done?)
    }

    fn sync(&self) -> Result<(), durable::Error> {
        if let Some((file, path)) = &self.bytes {
            self.disk.sync(file, path)?;
        }
        self.name.iter().try_for_each(|folder| self.disk.sync_folder(folder))
    }
}

/// The last step of a file's life: its bytes are synced, now its name says that it is whole.
fn seal(disk: &Disk, dir: &Path, open: &Path, name: &str) -> Result<(), durable::Error> {
    disk.rename(open, &path_of(dir, name))?;
    disk.sync_folder(dir)
}

#[cfg(test)]
mod tests;
