//! Sums: the archive at a glance from kept counts, and link rot as a curve.

use jiff::Timestamp;
use rusqlite::OptionalExtension as _;

use crate::citation::CitationId;
use crate::statement::StatementId;
use crate::world::store::read::{digest, instant};
use crate::world::store::{Error, Store};

/// A kept count: its name, what is counted, how many.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tally {
    /// `ending`, `standing`, `verdict`, `kind`, `platform`, `total`
    pub name: String,
    /// `captured`, `contradicted`, `link`, `x`, `statement` …
    pub value: String,
    /// how many
    pub n: u64,
}

/// What is due, and when.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Due {
    /// citations that are due now, counted up to [`Due::MOST`]
    pub now: u64,
    /// when the next one is due, past or to come
    pub next: Option<Timestamp>,
}

impl Due {
    /// Due citations that are counted; more are `MOST`.
    pub const MOST: u64 = 1_000_000;
}

/// The first record that no outside authority vouches for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unanchored {
    /// its ledger index
    pub index: u64,
    /// when it was made
    pub since: Timestamp,
}

/// One time that one citation was followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Look {
    /// the citation
    pub citation: CitationId,
    /// when
    pub at: Timestamp,
    /// how it ended
    pub ending: String,
}

/// The runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Runs {
    /// all that were opened
    pub opened: u64,
    /// those that never were closed
    pub cut_off: u64,
    /// when the last one was opened
    pub last: Option<Timestamp>,
}

impl Store {
    /// Every kept count, by name and value.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn tallies(&self) -> Result<Vec<Tally>, Error> {
        let mut query = self.db().prepare_cached("SELECT name, value, n FROM tally ORDER BY name, n DESC, value")?;
        let rows = query.query_map([], |r| {
            Ok(Tally { name: r.get(0)?, value: r.get(1)?, n: r.get::<_, i64>(2)?.unsigned_abs() })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// What is due at `now`.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn due_at(&self, now: Timestamp) -> Result<Due, Error> {
        let db = self.db();
        let next =
            db.prepare_cached("SELECT at FROM due ORDER BY at LIMIT 1")?.query_row([], |r| instant(r, 0)).optional()?;
        let most = i64::try_from(Due::MOST).unwrap_or(i64::MAX);
        let n: i64 = db
            .prepare_cached("SELECT count(*) FROM (SELECT 1 FROM due WHERE at <= ?1 LIMIT ?2)")?
            .query_row([now.as_microsecond(), most], |r| r.get(0))?;
        Ok(Due { now: n.unsigned_abs(), next })
    }

    /// The first record that stands under no checkpoint which an outside authority vouches for.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn unanchored(&self) -> Result<Option<Unanchored>, Error> {
        let from = i64::try_from(self.anchored_size()?).unwrap_or(i64::MAX);
        Ok(self
            .db()
            .prepare_cached("SELECT idx, at FROM record WHERE idx >= ?1 ORDER BY idx LIMIT 1")?
            .query_row([from], |r| Ok(Unanchored { index: r.get::<_, i64>(0)?.unsigned_abs(), since: instant(r, 1)? }))
            .optional()?)
    }

    /// The runs at a glance.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn runs(&self) -> Result<Runs, Error> {
        let (opened, cut_off, last): (i64, i64, Option<i64>) =
            self.db().query_row("SELECT count(*), count(*) - count(closed), max(opened) FROM run", [], |r| {
                Ok((r.get(0)?, r.get(1)?, r.get(2)?))
            })?;
        let last = last.and_then(|us| Timestamp::from_microsecond(us).ok());
        Ok(Runs { opened: opened.unsigned_abs(), cut_off: cut_off.unsigned_abs(), last })
    }

    /// Every time a citation of a statement was followed, up to `until`, oldest first.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn looks_of(&self, statement: &StatementId, until: Timestamp) -> Result<Vec<Look>, Error> {
        let mut query = self.db().prepare_cached(
            "SELECT c.id, r.at, r.ending FROM statement s
             CROSS JOIN citation c ON c.key BETWEEN s.record << 24 AND (s.record << 24) + 16777215
             CROSS JOIN resolution r ON r.citation = c.key
             WHERE substr(s.id, 1, 6) = substr(?1, 1, 6) AND s.id = ?1 AND r.at < ?2 ORDER BY r.record",
        )?;
        let rows = query.query_map(rusqlite::params![statement.0.0, until.as_microsecond()], |r| {
            Ok(Look { citation: CitationId(digest(r, 0)?), at: instant(r, 1)?, ending: r.get(2)? })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}
