//! The queue: schedules, entries of feeds, files taken in, notices on their way out.
//!
//! Trust: nothing here is evidence. Whoever alters it can make the daemon look too early, too late or not at all, and tell
//! people wrong things; the records say what was really done and when.

use std::path::Path;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};

use crate::format::digest::Digest;
use crate::statement::StatementId;
use crate::world::store::read::{digest, instant};
use crate::world::store::{Error, Store};

/// The queue of a catalogue, over a connection of its own.
#[derive(Debug)]
pub struct Queue(Store);

/// An entry of a feed whose page is to be captured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// the source's name
    pub feed: String,
    /// the entry's id
    pub entry: String,
    /// its page
    pub url: String,
    /// how often it could not be had
    pub tries: u32,
}

/// A notice to be delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// its number
    pub id: i64,
    /// ledger index of the change
    pub change: u64,
    /// which target
    pub target: String,
    /// how often it failed
    pub tries: u32,
}

/// What became of something that waited.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// done
    Done,
    /// to be tried again then
    Again(Timestamp, String),
    /// no longer tried
    GivenUp(String),
}

impl Fate {
    fn state(&self) -> i64 {
        match self {
            Self::Again(..) => 0,
            Self::Done => 1,
            Self::GivenUp(_) => 2,
        }
    }

    fn at(&self) -> Option<i64> {
        if let Self::Again(at, _) = self { Some(at.as_microsecond()) } else { None }
    }

    fn why(&self) -> Option<&str> {
        match self {
            Self::Done => None,
            Self::Again(_, why) | Self::GivenUp(why) => Some(why),
        }
    }
}

/// A change on record, for whoever is told of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangeRow {
    /// ledger index
    pub record: u64,
    /// the citation
    pub citation: Digest,
    /// the statement it stands in
    pub statement: StatementId,
    /// where that came from
    pub source: String,
    /// as it stands there
    pub raw: String,
    /// when it was seen
    pub at: Timestamp,
    /// how the look before ended
    pub ending_before: String,
    /// how this one did
    pub ending_after: String,
    /// what stood there
    pub snapshot_before: Option<Digest>,
    /// what stands there now
    pub snapshot_after: Option<Digest>,
    /// kind, before, after
    pub changes: Vec<(String, Option<String>, Option<String>)>,
}

/// How much waits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lengths {
    /// citations due now, counted up to a million
    pub due: u64,
    /// entries of feeds
    pub entries: u64,
    /// notices
    pub notices: u64,
    /// notices given up
    pub notices_given_up: u64,
}

impl Queue {
    /// Opens the queue of the catalogue at `path`.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn open(path: &Path) -> Result<Self, Error> {
        let store = Store::open(path)?;
        // A second connection that mostly sleeps needs no cache of its own to speak of.
        store.db().pragma_update(None, "cache_size", -256)?;
        store
            .db()
            .execute("INSERT OR IGNORE INTO noticed (one, upto) SELECT 1, coalesce(max(idx) + 1, 0) FROM record", [])?;
        Ok(Self(store))
    }

    /// The catalogue it is part of, for writing.
    pub fn store(&mut self) -> &mut Store {
        &mut self.0
    }

    fn put(&self, sql: &str, values: impl rusqlite::Params) -> Result<usize, Error> {
        Ok(self.0.db().prepare_cached(sql)?.execute(values)?)
    }

    /// How far a schedule has been served; none where it is new.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn served(&self, schedule: &str) -> Result<Option<Timestamp>, Error> {
        let mut query = self.0.db().prepare_cached("SELECT done FROM schedule WHERE name = ?1")?;
        Ok(query.query_row([schedule], |r| instant(r, 0)).optional()?)
    }

    /// A schedule has been served up to `done`.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn serve(&self, schedule: &str, done: Timestamp) -> Result<(), Error> {
        self.put(
            "INSERT INTO schedule (name, done) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET done = excluded.done",
            params![schedule, done.as_microsecond()],
        )?;
        Ok(())
    }

    /// Takes up the entries of a feed that are new; how many were.
    ///
    /// # Errors
    /// SQLite's own; none is taken up then.
    pub fn enlist(&mut self, feed: &str, entries: &[(String, String)], now: Timestamp) -> Result<usize, Error> {
        let tx = self.0.db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut fresh = 0;
        for (entry, url) in entries {
            fresh += tx
                .prepare_cached(
                    "INSERT OR IGNORE INTO feed_entry (feed, entry, url, state, tries, at) VALUES (?1, ?2, ?3, 0, 0, ?4)",
                )?
                .execute(params![feed, entry, url, now.as_microsecond()])?;
        }
        tx.commit()?;
        Ok(fresh)
    }

    /// Entries whose pages are to be captured now, oldest first.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn entries(&self, now: Timestamp, limit: usize) -> Result<Vec<Waiting>, Error> {
        let mut query = self.0.db().prepare_cached(
            "SELECT feed, entry, url, tries FROM feed_entry WHERE state = 0 AND at <= ?1 ORDER BY at LIMIT ?2",
        )?;
        let rows = query.query_map(params![now.as_microsecond(), limit as i64], |r| {
            Ok(Waiting { feed: r.get(0)?, entry: r.get(1)?, url: r.get(2)?, tries: r.get(3)? })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// What became of an entry.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn entry(&self, waiting: &Waiting, fate: &Fate) -> Result<(), Error> {
        self.put(
            "UPDATE feed_entry SET state = ?3, at = coalesce(?4, at), why = ?5, tries = tries + (?3 <> 1)
             WHERE feed = ?1 AND entry = ?2",
            params![waiting.feed, waiting.entry, fate.state(), fate.at(), fate.why()],
        )?;
        Ok(())
    }

    /// Whether a file was taken in as it is now.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn has_taken(&self, path: &str, size: u64, changed: Timestamp) -> Result<bool, Error> {
        let mut query =
            self.0.db().prepare_cached("SELECT 1 FROM taken_file WHERE path = ?1 AND size = ?2 AND changed = ?3")?;
        let found = query.query_row(params![path, size as i64, changed.as_microsecond()], |_| Ok(())).optional()?;
        Ok(found.is_some())
    }

    /// A file was taken in as it is.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn take(&self, path: &str, size: u64, changed: Timestamp) -> Result<(), Error> {
        self.put(
            "INSERT OR REPLACE INTO taken_file (path, size, changed) VALUES (?1, ?2, ?3)",
            params![path, size as i64, changed.as_microsecond()],
        )?;
        Ok(())
    }

    /// Writes a notice to each target for every change since the last time; how many were written. A target takes the kinds
    /// it names, or all where it names none.
    ///
    /// # Errors
    /// SQLite's own; nothing is written then, and the next time takes up the same changes.
    pub fn announce(&mut self, targets: &[(String, Vec<String>)], now: Timestamp) -> Result<usize, Error> {
        let span = |db: &Connection| -> rusqlite::Result<(i64, i64)> {
            db.query_row("SELECT upto, (SELECT coalesce(max(idx) + 1, 0) FROM record) FROM noticed", [], |r| {
                Ok((r.get(0)?, r.get(1)?))
            })
        };
        let (upto, next) = span(&self.0.db)?;
        if next == upto {
            return Ok(0);
        }
        let tx = self.0.db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let (upto, next) = span(&tx)?;
        let mut written = 0;
        let changes: Vec<(i64, String)> = tx
            .prepare_cached("SELECT record, what FROM change WHERE record >= ?1 AND record < ?2 ORDER BY record, n")?
            .query_map([upto, next], |r| Ok((r.get(0)?, r.get(1)?)))?
            .collect::<Result<_, _>>()?;
        for (record, what) in &changes {
            for (target, _) in targets.iter().filter(|(_, only)| only.is_empty() || only.contains(what)) {
                written += tx
                    .prepare_cached(
                        "INSERT OR IGNORE INTO notice (change, target, state, tries, at) VALUES (?1, ?2, 0, 0, ?3)",
                    )?
                    .execute(params![record, target, now.as_microsecond()])?;
            }
        }
        tx.execute("UPDATE noticed SET upto = ?1", [next])?;
        tx.commit()?;
        Ok(written)
    }

    /// Notices to be delivered now, oldest first.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn notices(&self, now: Timestamp, limit: usize) -> Result<Vec<Notice>, Error> {
        let mut query = self.0.db().prepare_cached(
            "SELECT id, change, target, tries FROM notice WHERE state = 0 AND at <= ?1 ORDER BY at, id LIMIT ?2",
        )?;
        let rows = query.query_map(params![now.as_microsecond(), limit as i64], |r| {
            let change: i64 = r.get(1)?;
            Ok(Notice { id: r.get(0)?, change: change.unsigned_abs(), target: r.get(2)?, tries: r.get(3)? })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// What became of a notice.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn notice(&self, id: i64, fate: &Fate) -> Result<(), Error> {
        self.put(
            "UPDATE notice SET state = ?2, at = coalesce(?3, at), why = ?4, tries = tries + (?2 <> 1) WHERE id = ?1",
            params![id, fate.state(), fate.at(), fate.why()],
        )?;
        Ok(())
    }

    /// When the next thing that waits is to be tried: an entry or a notice.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn next(&self) -> Result<(Option<Timestamp>, Option<Timestamp>), Error> {
        let one = |sql: &str| -> Result<Option<Timestamp>, Error> {
            let at: Option<i64> = self.0.db().prepare_cached(sql)?.query_row([], |r| r.get(0))?;
            Ok(at.and_then(|us| Timestamp::from_microsecond(us).ok()))
        };
        Ok((one("SELECT min(at) FROM feed_entry WHERE state = 0")?, one("SELECT min(at) FROM notice WHERE state = 0")?))
    }
}

impl Store {
    /// Whether any citation is due at `now`, or waits for the policy's word.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn is_due(&self, now: Timestamp) -> Result<bool, Error> {
        let mut query = self.db().prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM due WHERE at <= ?1) OR EXISTS (SELECT 1 FROM due WHERE planned = 0)",
        )?;
        Ok(query.query_row([now.as_microsecond()], |r| r.get(0))?)
    }

    /// How much waits.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn lengths(&self, now: Timestamp) -> Result<Lengths, Error> {
        let mut query = self.db().prepare_cached(
            "SELECT (SELECT count(*) FROM (SELECT 1 FROM due WHERE at <= ?1 LIMIT 1000000)), (SELECT count(*) FROM feed_entry WHERE state = 0), (SELECT count(*) FROM notice WHERE state = 0),
             (SELECT count(*) FROM notice WHERE state = 2)",
        )?;
        Ok(query.query_row([now.as_microsecond()], |r| {
            let count = |n| r.get::<_, i64>(n).map(i64::unsigned_abs);
            Ok(Lengths { due: count(0)?, entries: count(1)?, notices: count(2)?, notices_given_up: count(3)? })
        })?)
    }

    /// A change on record.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn change(&self, record: u64) -> Result<Option<ChangeRow>, Error> {
        Ok(self.changes(i64::try_from(record).unwrap_or(i64::MAX), 1)?.into_iter().find(|row| row.record == record))
    }

    /// The newest changes on record, newest first.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn newest_changes(&self, limit: usize) -> Result<Vec<ChangeRow>, Error> {
        self.changes(i64::MAX, limit)
    }

    /// Changes at `upto` and before, newest first.
    fn changes(&self, upto: i64, limit: usize) -> Result<Vec<ChangeRow>, Error> {
        let mut query = self.db().prepare_cached(
            "SELECT k.record, c.id, s.id, s.source, c.raw, k.at, k.ending_before, k.ending_after, b.id, a.id
             FROM change k JOIN citation c ON c.key = k.citation JOIN statement s ON s.record = c.key >> 24
             LEFT JOIN snapshot b ON b.record = k.snapshot_before LEFT JOIN snapshot a ON a.record = k.snapshot_after
             WHERE k.n = 0 AND k.record <= ?1 ORDER BY k.record DESC LIMIT ?2",
        )?;
        let optional = |r: &rusqlite::Row<'_>, n| r.get::<_, Option<[u8; 32]>>(n).map(|d| d.map(Digest));
        let rows = query.query_map(params![upto, limit as i64], |r| {
            Ok(ChangeRow {
                record: r.get::<_, i64>(0)?.unsigned_abs(),
                citation: digest(r, 1)?,
                statement: StatementId(digest(r, 2)?),
                source: r.get(3)?,
                raw: r.get(4)?,
                at: instant(r, 5)?,
                ending_before: r.get(6)?,
                ending_after: r.get(7)?,
                snapshot_before: optional(r, 8)?,
                snapshot_after: optional(r, 9)?,
                changes: Vec::new(),
            })
        })?;
        let mut found = rows.collect::<Result<Vec<_>, _>>()?;
        for row in &mut found {
            let mut query =
                self.db().prepare_cached("SELECT what, before, after FROM change WHERE record = ?1 ORDER BY n")?;
            let parts = query.query_map([row.record as i64], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?)))?;
            row.changes = parts.collect::<Result<_, _>>()?;
        }
        Ok(found)
    }
}
