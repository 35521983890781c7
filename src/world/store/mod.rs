//! SQLite: the catalogue and the queue. `schema.sql` is its one definition.
//!
//! Trust: whoever alters this file can make answers wrong, never evidence; `verify` names each row that differs from the
//! WARC files and the ledger, and `reindex` makes them anew.

pub mod anchors;
pub mod apply;
pub mod ask;
pub mod beside;
pub mod compare;
pub mod find;
pub mod holds;
mod keys;
pub mod queue;
pub mod read;
pub mod scratch;
pub mod sum;

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::functions::FunctionFlags;
use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use crate::format::terms;
use crate::world::durable::{self, Disk};

/// The one definition of the catalogue.
pub const SCHEMA: &str = include_str!("../../../schema.sql");
/// `PRAGMA user_version` of a catalogue written by this version.
pub const VERSION: i64 = 6;
/// Bytes of the file that are read where they lie; SQLite itself takes no more than 2 GiB.
const MAPPED: i64 = 1 << 40;
/// `PRAGMA application_id`: "onrc".
const APPLICATION_ID: i64 = 0x6f6e_7263;

/// Why the catalogue cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// SQLite's own
    #[error("catalogue {0}")]
    Sqlite(PathBuf, #[source] rusqlite::Error),
    /// the file system's word
    #[error("catalogue {0}")]
    File(PathBuf, #[source] std::io::Error),
    /// made by a later version
    #[error("catalogue {path} has version {found}, this program knows {VERSION} and older")]
    Newer {
        /// the file
        path: PathBuf,
        /// its version
        found: i64,
    },
    /// made by an earlier version, whose tables are others
    #[error("catalogue {path} has version {found}, this program writes {VERSION}")]
    Older {
        /// the file
        path: PathBuf,
        /// its version
        found: i64,
    },
    /// a file without a single table
    #[error("catalogue {0} is empty")]
    Empty(PathBuf),
    /// a database of something else
    #[error("{0} is a database, but not an onrecord catalogue")]
    Foreign(PathBuf),
    /// a process that was cut off left a write-ahead log, and where it lies nothing can be written, which reading it needs
    #[error("catalogue {0} has a write-ahead log, which cannot be read where nothing can be written")]
    Unfolded(PathBuf),
    /// a row says what it cannot
    #[error("row in {table} holds what it cannot hold: {what}")]
    Row {
        /// the table
        table: &'static str,
        /// what is wrong
        what: String,
    },
    /// a document that a record names is not to be had
    #[error("document {0} is not in the archive")]
    Document(uuid::Uuid),
    /// a document has another shape than its record says
    #[error("document {0} has an unknown shape")]
    Shape(uuid::Uuid, #[source] serde_json::Error),
    /// the query in the middle
    #[error("catalogue query")]
    Query(#[from] rusqlite::Error),
    /// a transaction that did not become durable
    #[error(transparent)]
    Disk(#[from] durable::Error),
}

/// The catalogue, open.
pub struct Store {
    db: Connection,
    path: PathBuf,
    /// whether texts go into the index of words
    words: bool,
    disk: Disk,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Store({})", self.path.display())
    }
}

impl Store {
    /// Opens the catalogue for writing, making an empty one where there is none.
    ///
    /// # Errors
    /// A newer or foreign file, and SQLite's own.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let wrap = |e| Error::Sqlite(path.to_owned(), e);
        let db = Connection::open(path).map_err(wrap)?;
        let mut store = Self { db, path: path.to_owned(), words: true, disk: Disk::default() };
        store.functions().map_err(wrap)?;
        store.check()?;
        store.settle().map_err(wrap)?;
        Ok(store)
    }

    /// A new catalogue that nobody will want after a crash: no journal on disk, no waiting for it, no index of words.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn scratch(path: &Path) -> Result<Self, Error> {
        let store = Self::unjournaled(path)?;
        store.lay_beside().map_err(|e| Error::Sqlite(path.to_owned(), e))?;
        Ok(store)
    }

    fn unjournaled(path: &Path) -> Result<Self, Error> {
        let wrap = |e| Error::Sqlite(path.to_owned(), e);
        let mut store = Self {
            db: Connection::open(path).map_err(wrap)?,
            path: path.to_owned(),
            words: false,
            disk: Disk::default(),
        };
        store.functions().map_err(wrap)?;
        let set = |db: &Connection| {
            // Nobody else has it: without this every question would lock the file and let go of it again.
            db.pragma_update(Some("main"), "locking_mode", "EXCLUSIVE")?;
            db.pragma_update(None, "journal_mode", "MEMORY")?;
            db.pragma_update(None, "synchronous", "OFF")?;
            db.pragma_update(None, "temp_store", "FILE")?;
            db.pragma_update(Some("main"), "cache_size", -2048)
        };
        set(&store.db).and_then(|()| store.lay()).map_err(wrap)?;
        Ok(store)
    }

    /// A new catalogue that is made whole before anyone uses it: nothing is waited for on the way, and a crash leaves
    /// nothing of worth. [`Store::whole`] ends that.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn anew(path: &Path) -> Result<Self, Error> {
        let store = Self { words: true, ..Self::unjournaled(path)? };
        store.db.pragma_update(None, "cache_size", -65_536)?;
        Ok(store)
    }

    /// Puts a catalogue made by [`Store::anew`] on disk, all of it.
    ///
    /// # Errors
    /// SQLite's own, and the disk's.
    pub fn whole(self) -> Result<(), Error> {
        let Self { db, path, disk, .. } = self;
        db.close().map_err(|(_, e)| Error::Sqlite(path.clone(), e))?;
        let file = std::fs::File::open(&path).map_err(|e| Error::File(path.clone(), e))?;
        Ok(disk.sync(&file, &path)?)
    }

    /// Opens it for reading alone; it is never written through this value.
    ///
    /// # Errors
    /// As [`Store::open`]; a missing file too.
    pub fn open_read(path: &Path) -> Result<Self, Error> {
        let wrap = |e| Error::Sqlite(path.to_owned(), e);
        let (db, _) = reading(path)?;
        let store = Self { db, path: path.to_owned(), words: true, disk: Disk::default() };
        store.check()?;
        if probe(&store.db).map_err(wrap)? == 0 {
            return Err(Error::Empty(path.to_owned()));
        }
        store.functions().map_err(wrap)?;
        store.db.busy_timeout(Duration::from_secs(10)).map_err(wrap)?;
        Ok(store)
    }

    /// Another look at the same catalogue, for another thread, which cannot write either.
    ///
    /// # Errors
    /// As [`Store::open_read`].
    pub fn again(&self) -> Result<Self, Error> {
        Self::open_read(&self.path)
    }

    /// Runs `ask` on the catalogue as it is now, whatever is committed meanwhile: many short questions then share one lock.
    ///
    /// # Errors
    /// SQLite's own, and what `ask` says.
    pub fn at_once<T, E: From<Error>>(&self, ask: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
        let begun = self.db.unchecked_transaction().map_err(Error::from)?;
        let answer = ask()?;
        begun.finish().map_err(Error::from)?;
        Ok(answer)
    }

    /// The same, its pages read where they lie in memory instead of copied: for a process that asks and ends. One that stays
    /// would have all it ever looked at counted as its own.
    #[must_use]
    pub fn mapped(self) -> Self {
        // Where it cannot be mapped it is read as ever.
        let _ = self.db.pragma_update(None, "mmap_size", MAPPED);
        self
    }

    /// `folded(text)`: its words as the index of words has them, for comparing names.
    fn functions(&self) -> Result<(), rusqlite::Error> {
        let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC | FunctionFlags::SQLITE_INNOCUOUS;
        self.db.create_scalar_function("folded", 1, flags, |context| {
            Ok(context.get::<Option<String>>(0)?.map(|text| terms::indexed(&text)))
        })
    }

    /// The same, its transactions committed by way of `disk`.
    #[must_use]
    pub fn on(self, disk: Disk) -> Self {
        Self { disk, ..self }
    }

    fn check(&self) -> Result<(), Error> {
        let wrap = |e| Error::Sqlite(self.path.clone(), e);
        let version: i64 = self.db.query_row("PRAGMA user_version", [], |r| r.get(0)).map_err(wrap)?;
        let application: i64 = self.db.query_row("PRAGMA application_id", [], |r| r.get(0)).map_err(wrap)?;
        let tables = probe(&self.db).map_err(wrap)?;
        if application != APPLICATION_ID && (tables > 0 || version != 0) {
            return Err(Error::Foreign(self.path.clone()));
        }
        if tables > 0 && version < VERSION {
            return Err(Error::Older { path: self.path.clone(), found: version });
        }
        if version > VERSION {
            return Err(Error::Newer { path: self.path.clone(), found: version });
        }
        Ok(())
    }

    fn settle(&mut self) -> Result<(), rusqlite::Error> {
        self.db.busy_timeout(Duration::from_secs(10))?;
        self.db.pragma_update(None, "journal_mode", "WAL")?;
        // FULL: a commit is on disk before it is acknowledged (DESIGN: order of durability).
        self.db.pragma_update(None, "synchronous", "FULL")?;
        self.db.pragma_update(None, "temp_store", "MEMORY")?;
        self.db.pragma_update(None, "cache_size", -8192)?;
        // 16 MiB of log before it is folded in: pages that many transactions change are folded in once.
        self.db.pragma_update(None, "wal_autocheckpoint", 4096)?;
        self.lay()
    }

    /// Makes the tables where there are none.
    fn lay(&mut self) -> Result<(), rusqlite::Error> {
        self.db.set_prepared_statement_cache_capacity(64);
        let version: i64 = self.db.query_row("PRAGMA user_version", [], |r| r.get(0))?;
        if version == 0 {
            let tx = self.db.transaction()?;
            tx.execute_batch(SCHEMA)?;
            tx.pragma_update(None, "application_id", APPLICATION_ID)?;
            tx.pragma_update(None, "user_version", VERSION)?;
            tx.commit()?;
        }
        Ok(())
    }

    /// The connection, for the rooms of this folder.
    pub(crate) fn db(&self) -> &Connection {
        &self.db
    }

    /// Runs `deed` in one transaction, durable when this returns.
    ///
    /// # Errors
    /// What `deed` says, and SQLite's own; nothing is kept then.
    pub fn commit<T>(&mut self, deed: impl FnOnce(&apply::Batch<'_>) -> Result<T, Error>) -> Result<T, Error> {
        // From its first read on nobody else writes: a transaction that reads and then finds the catalogue changed could only fail.
        let tx = self.db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let batch = apply::Batch::new(&tx, self.words);
        let out = deed(&batch)?;
        batch.settle()?;
        drop(batch);
        self.disk.commit(&self.path, || tx.commit().map_err(Error::from))?;
        Ok(out)
    }

    /// Takes a catalogue's files away; one that is not there is no error.
    ///
    /// # Errors
    /// The file system's.
    pub fn remove(path: &Path) -> Result<(), Error> {
        for end in ["", "-wal", "-shm"] {
            let mut name = path.as_os_str().to_owned();
            name.push(end);
            match std::fs::remove_file(&name) {
                Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(Error::File(name.into(), e)),
                _ => {}
            }
        }
        Ok(())
    }

    /// Folds the write-ahead log into the file, so that the archive's folder is complete by itself when closed.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn checkpoint(&self) -> Result<(), Error> {
        self.db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        Ok(())
    }
}

/// A connection that reads a catalogue, and the URI under which another one does.
pub(crate) fn reading(path: &Path) -> Result<(Connection, String), Error> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
    let open = |how: &str| {
        let uri = uri(path, how);
        let db = Connection::open_with_flags(&uri, flags)?;
        // Only when it is asked does SQLite open the file.
        probe(&db).map(|_| (db, uri))
    };
    let wrap = |e| Error::Sqlite(path.to_owned(), e);
    match open("mode=ro") {
        Ok(both) => Ok(both),
        Err(error) if is_unfolded(path, &error) => Err(Error::Unfolded(path.to_owned())),
        // Where nothing can be written WAL has no place for its shared memory, unless the file is promised not to change.
        Err(error) if is_for_want_of_writing(&error) => open("immutable=1").map_err(wrap),
        Err(error) => Err(wrap(error)),
    }
}

/// A file's name as SQLite reads it from a URI (<https://www.sqlite.org/uri.html>).
fn uri(path: &Path, how: &str) -> String {
    use std::os::unix::ffi::OsStrExt as _;
    let mut uri = String::from("file:");
    for &byte in path.as_os_str().as_bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' => uri.push(char::from(byte)),
            _ => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    uri + "?" + how
}

/// Whether a catalogue cannot be read for want of a place for its log's shared memory. To read it as if it had no log would
/// show an older catalogue as the one in use.
fn is_unfolded(path: &Path, error: &rusqlite::Error) -> bool {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    is_for_want_of_writing(error) && std::fs::metadata(log).is_ok_and(|log| log.len() > 0)
}

/// A catalogue that is only busy must never be read as one that does not change.
fn is_for_want_of_writing(error: &rusqlite::Error) -> bool {
    use rusqlite::ErrorCode::{CannotOpen, ReadOnly};
    matches!(error.sqlite_error_code(), Some(CannotOpen | ReadOnly))
}

fn probe(db: &Connection) -> Result<i64, rusqlite::Error> {
    db.query_row("SELECT count(*) FROM sqlite_schema", [], |r| r.get(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opens_twice_and_names_newer_and_foreign_files() -> Result<(), Box<dyn std::error::Error>> {
        let dir = tempfile::tempdir()?;
        let path = dir.path().join("onrecord.db");
        drop(Store::open(&path)?);
        drop(Store::open(&path)?);
        Connection::open(&path)?.pragma_update(None, "user_version", VERSION - 1)?;
        assert!(matches!(Store::open(&path), Err(Error::Older { found, .. }) if found == VERSION - 1));
        Connection::open(&path)?.pragma_update(None, "user_version", VERSION + 1)?;
        assert!(matches!(Store::open(&path), Err(Error::Newer { found, .. }) if found == VERSION + 1));
        let other = dir.path().join("other.db");
        Connection::open(&other)?.execute_batch("CREATE TABLE t (x)")?;
        assert!(matches!(Store::open(&other), Err(Error::Foreign(_))));
        assert!(matches!(Store::open_read(&other), Err(Error::Foreign(_))));
        let text = dir.path().join("text.db");
        std::fs::write(&text, "not a database, but long enough to be looked at as one by SQLite".repeat(20))?;
        assert!(Store::open(&text).is_err());
        Ok(())
    }

    #[test]
    fn a_body_that_came_a_thousand_times_is_found_as_fast_as_one_that_came_once()
    -> Result<(), Box<dyn std::error::Error>> {
        let dir = tempfile::tempdir()?;
        let store = Store::open(&dir.path().join("onrecord.db"))?;
        store.db.execute_batch("INSERT INTO warc_file (id, name) VALUES (1, 'a.warc.gz')")?;
        let steps = |store: &Store| -> Result<(i64, i32), rusqlite::Error> {
            let mut query = store.db.prepare(read::BODY)?;
            let found = query.query_row(rusqlite::params![[7_u8; 32], 700], |r| r.get("place"))?;
            Ok((found, query.get_status(rusqlite::StatementStatus::VmStep)))
        };
        let add = |place: i64, refers_to: Option<[u8; 16]>| -> Result<(), rusqlite::Error> {
            let id = u128::from(place.unsigned_abs()).to_be_bytes();
            store.db.execute(
                "INSERT INTO warc_record (place, id, length, type, digest) VALUES (?1, ?2, 1, 1, ?3)",
                rusqlite::params![place, id, [0_u8; 32]],
            )?;
            store.db.execute(
                "INSERT INTO exchange (place, url, at, payload, payload_len, refers_to) VALUES (?1, 'u', ?2, ?3, 700, ?4)",
                rusqlite::params![place, -place, [7_u8; 32], refers_to],
            )?;
            Ok(())
        };
        let first = 1 << 38;
        add(first, None)?;
        let alone = steps(&store)?;
        store.db.execute_batch("BEGIN")?;
        for n in 1..1000 {
            add(first + n, (n % 2 == 0).then_some([1; 16]))?;
        }
        store.db.execute_batch("COMMIT")?;
        assert_eq!(steps(&store)?, alone);
        assert_eq!(alone.0, first);
        Ok(())
    }

    #[test]
    fn events_of_one_kind_are_found_among_any_number_of_others() -> Result<(), Box<dyn std::error::Error>> {
        let dir = tempfile::tempdir()?;
        let store = Store::open(&dir.path().join("onrecord.db"))?;
        store.db.execute_batch(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
             INSERT INTO event (record, kind, at, body) SELECT i, 'run.missed', 0, '{}' FROM n",
        )?;
        // It is called once for each thousand of SQLite's steps, and ends the query then.
        store.db.progress_handler(1000, Some(|| true))?;
        assert_eq!(store.rotations()?.len(), 0);
        assert_eq!(store.events("key.rotated")?.len(), 0);
        assert_eq!(store.unconfirmed_copies(10)?.len(), 0);
        assert!(store.events("run.missed").is_err(), "they are many");
        Ok(())
    }

    #[test]
    fn whoever_reads_and_then_writes_is_not_overtaken() -> Result<(), Box<dyn std::error::Error>> {
        let dir = tempfile::tempdir()?;
        let path = dir.path().join("onrecord.db");
        let (mut one, mut other) = (Store::open(&path)?, Store::open(&path)?);
        let (done, wait) = std::sync::mpsc::channel();
        let second = one.commit(|batch| {
            batch.next_index()?;
            // The other one begins when this one has read; not held back, it would be done long before this one writes.
            let second = std::thread::spawn(move || {
                let sealed = other.commit(|batch| batch.sealed("b.warc.gz"));
                let _ = done.send(());
                sealed
            });
            assert!(wait.recv_timeout(Duration::from_millis(100)).is_err(), "it did not wait");
            batch.sealed("a.warc.gz")?;
            Ok(second)
        })?;
        second.join().map_err(|_| "it died")??;
        Ok(())
    }
}
