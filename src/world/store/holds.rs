//! "Do you hold this?": what in the archive has a given digest.

use jiff::Timestamp;
use rusqlite::{OptionalExtension, Row};
use uuid::Uuid;

use crate::format::digest::Digest;
use crate::statement::StatementId;
use crate::world::store::read::{digest, instant, uuid};
use crate::world::store::{Error, Store};

/// Something that can be verified by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Thing {
    /// a record, by ledger index
    Record(u64),
    /// a WARC record
    Warc(Uuid),
}

/// A run's row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunRow {
    /// ledger index of its opening
    pub record: u64,
    /// ledger index of its closing
    pub closing: Option<u64>,
    /// when it was opened
    pub opened: Timestamp,
    /// when it was closed
    pub closed: Option<Timestamp>,
    /// citations planned
    pub planned: u64,
    /// citations ended
    pub ended: Option<u64>,
}

/// A statement without its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatementCard {
    /// ledger index of the record that brought it
    pub record: u64,
    /// media type
    pub media_type: String,
    /// bytes
    pub bytes: u64,
    /// its own date
    pub date: Option<String>,
    /// its own title
    pub title: Option<String>,
    /// its language
    pub language: Option<String>,
    /// who published it, in its own words
    pub publisher: Option<String>,
    /// who wrote it, in its own words
    pub author: Option<String>,
    /// where the same bytes came from
    pub sources: Vec<String>,
}

/// The smallest and the largest value of `digits` hex digits that begin so; none where it is no beginning of four or more.
fn range(hex: &str, digits: usize) -> Option<(Vec<u8>, Vec<u8>)> {
    if !(4..=digits).contains(&hex.len()) {
        return None;
    }
    let whole = |fill: &str| {
        data_encoding::HEXLOWER_PERMISSIVE.decode(format!("{hex}{}", fill.repeat(digits - hex.len())).as_bytes())
    };
    Some((whole("0").ok()?, whole("f").ok()?))
}

impl Store {
    /// Digests that begin with these hex digits, four at least: of statements, citations, snapshots, leaves, entities and
    /// whole WARC records; at most ten.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn by_prefix(&self, hex: &str) -> Result<Vec<Digest>, Error> {
        let Some((from, to)) = range(hex, 64) else { return Ok(Vec::new()) };
        let mut query = self.db().prepare_cached(
            "SELECT id FROM statement WHERE substr(id, 1, 6) BETWEEN substr(?1, 1, 6) AND substr(?2, 1, 6) AND id BETWEEN ?1 AND ?2
             UNION SELECT id FROM citation WHERE substr(id, 1, 6) BETWEEN substr(?1, 1, 6) AND substr(?2, 1, 6) AND id BETWEEN ?1 AND ?2
             UNION SELECT id FROM snapshot WHERE substr(id, 1, 6) BETWEEN substr(?1, 1, 6) AND substr(?2, 1, 6) AND id BETWEEN ?1 AND ?2
             UNION SELECT leaf FROM record
              WHERE substr(leaf, 1, 6) BETWEEN substr(?1, 1, 6) AND substr(?2, 1, 6) AND leaf BETWEEN ?1 AND ?2
             UNION SELECT payload FROM exchange WHERE payload IS NOT NULL
              AND substr(payload, 1, 6) BETWEEN substr(?1, 1, 6) AND substr(?2, 1, 6) AND payload BETWEEN ?1 AND ?2
             UNION SELECT digest FROM warc_record
              WHERE substr(digest, 1, 6) BETWEEN substr(?1, 1, 6) AND substr(?2, 1, 6) AND digest BETWEEN ?1 AND ?2 LIMIT 10",
        )?;
        let rows = query.query_map([from, to], |r| digest(r, 0))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// WARC records and runs whose UUID begins with these hex digits, four at least; at most ten of each.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn by_uuid_prefix(&self, hex: &str) -> Result<(Vec<Uuid>, Vec<Uuid>), Error> {
        let Some((from, to)) = range(hex, 32) else { return Ok((Vec::new(), Vec::new())) };
        let ask = |sql: &str| -> Result<Vec<Uuid>, Error> {
            let mut query = self.db().prepare_cached(sql)?;
            let rows = query.query_map([&from, &to], |r| uuid(r, 0))?;
            Ok(rows.collect::<Result<_, _>>()?)
        };
        Ok((
            ask("SELECT id FROM warc_record WHERE substr(id, 1, 8) BETWEEN substr(?1, 1, 8) AND substr(?2, 1, 8)
                  AND id BETWEEN ?1 AND ?2 LIMIT 10")?,
            ask("SELECT id FROM run WHERE id BETWEEN ?1 AND ?2 LIMIT 10")?,
        ))
    }

    /// The ledger index of a run's opening, and of its closing where it was closed.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn run(&self, id: &Uuid) -> Result<Option<RunRow>, Error> {
        let mut query = self
            .db()
            .prepare_cached("SELECT record, closing, opened, closed, planned, ended FROM run WHERE id = ?1")?;
        let when = |r: &Row<'_>, n: usize| r.get::<_, Option<i64>>(n).map(|us| us.map(|_| instant(r, n)).transpose());
        Ok(query
            .query_row([id.as_bytes()], |r| {
                Ok(RunRow {
                    record: r.get::<_, i64>(0)?.unsigned_abs(),
                    closing: r.get::<_, Option<i64>>(1)?.map(i64::unsigned_abs),
                    opened: instant(r, 2)?,
                    closed: when(r, 3)??,
                    planned: r.get::<_, i64>(4)?.unsigned_abs(),
                    ended: r.get::<_, Option<i64>>(5)?.map(i64::unsigned_abs),
                })
            })
            .optional()?)
    }

    /// What a run came to, in the order in which the citations ended: ledger index, citation, how it stands in its statement,
    /// ending. Runs come one after the other, so its records lie between its own two.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn run_endings(&self, run: &Uuid) -> Result<Vec<(u64, Digest, String, String)>, Error> {
        let mut query = self.db().prepare_cached(
            "SELECT r.record, c.id, c.raw, r.ending FROM run this
             CROSS JOIN resolution r ON r.run = this.record AND r.record > this.record
              AND r.record < coalesce(this.closing, (SELECT min(next.record) FROM run next WHERE next.record > this.record),
               9223372036854775807)
             CROSS JOIN citation c ON c.key = r.citation WHERE this.id = ?1 ORDER BY r.record",
        )?;
        let rows = query.query_map([run.as_bytes()], |r| {
            Ok((r.get::<_, i64>(0)?.unsigned_abs(), digest(r, 1)?, r.get(2)?, r.get(3)?))
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// What a statement says of itself, where it came from and the record that brought it.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn statement_card(&self, id: &StatementId) -> Result<Option<StatementCard>, Error> {
        let mut query = self.db().prepare_cached(
            "SELECT record, media_type, length(bytes), date, title, language, publisher, author FROM statement
             WHERE substr(id, 1, 6) = substr(?1, 1, 6) AND id = ?1",
        )?;
        let card = query
            .query_row([id.0.0], |r| {
                Ok(StatementCard {
                    record: r.get::<_, i64>(0)?.unsigned_abs(),
                    media_type: r.get(1)?,
                    bytes: r.get::<_, i64>(2)?.unsigned_abs(),
                    date: r.get(3)?,
                    title: r.get(4)?,
                    language: r.get(5)?,
                    publisher: r.get(6)?,
                    author: r.get(7)?,
                    sources: Vec::new(),
                })
            })
            .optional()?;
        let Some(mut card) = card else { return Ok(None) };
        let mut query =
            self.db().prepare_cached("SELECT source FROM statement_source WHERE statement = ?1 ORDER BY record")?;
        card.sources = query.query_map([card.record as i64], |r| r.get(0))?.collect::<Result<_, _>>()?;
        Ok(Some(card))
    }

    /// The ledger index and manifest record of a snapshot.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn manifest(&self, snapshot: &Digest) -> Result<Option<(u64, Uuid)>, Error> {
        let mut query = self.db().prepare_cached(
            "SELECT s.record, w.id FROM snapshot s JOIN warc_record w ON w.place = s.manifest
             WHERE substr(s.id, 1, 6) = substr(?1, 1, 6) AND s.id = ?1",
        )?;
        Ok(query.query_row([snapshot.0], |r| Ok((r.get::<_, i64>(0)?.unsigned_abs(), uuid(r, 1)?))).optional()?)
    }

    /// The citations that led to a snapshot, with the ledger index that says so.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn led_to(&self, snapshot: &Digest) -> Result<Vec<(u64, Digest)>, Error> {
        let mut query =
            self.db().prepare_cached(
            "SELECT r.record, c.id FROM snapshot s CROSS JOIN resolution r INDEXED BY resolution_snapshot ON r.snapshot = s.record
             CROSS JOIN citation c ON c.key = r.citation WHERE substr(s.id, 1, 6) = substr(?1, 1, 6) AND s.id = ?1 ORDER BY r.record",
        )?;
        let rows = query.query_map([snapshot.0], |r| Ok((r.get::<_, i64>(0)?.unsigned_abs(), digest(r, 1)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The snapshots that hold a post, oldest first: id, when, the post as JSON.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn snapshots_of(&self, post: &str) -> Result<Vec<(Digest, Timestamp, String)>, Error> {
        let mut query = self.db().prepare_cached(
            "SELECT s.id, s.at, p.body FROM post p JOIN snapshot s ON s.record = p.snapshot WHERE p.name = ?1 ORDER BY s.record",
        )?;
        let rows = query.query_map([post], |r| Ok((digest(r, 0)?, instant(r, 1)?, r.get(2)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Everything with this digest: statements, citations, snapshots and leaves by the record that speaks of them, entities
    /// and whole WARC records by themselves. At most a hundred.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn things(&self, wanted: &Digest) -> Result<Vec<Thing>, Error> {
        let index = |r: &Row<'_>| Ok(Thing::Record(r.get::<_, i64>(0)?.unsigned_abs()));
        let warc = |r: &Row<'_>| Ok(Thing::Warc(uuid(r, 0)?));
        let records = [
            "SELECT record FROM statement WHERE substr(id, 1, 6) = substr(?1, 1, 6) AND id = ?1",
            "SELECT record FROM snapshot WHERE substr(id, 1, 6) = substr(?1, 1, 6) AND id = ?1",
            "SELECT idx FROM record WHERE substr(leaf, 1, 6) = substr(?1, 1, 6) AND leaf = ?1",
            "SELECT r.record FROM citation c CROSS JOIN resolution r ON r.citation = c.key
              WHERE substr(c.id, 1, 6) = substr(?1, 1, 6) AND c.id = ?1 ORDER BY r.record DESC LIMIT 100",
        ];
        let mut things = Vec::new();
        for sql in records {
            let mut query = self.db().prepare_cached(sql)?;
            things.extend(query.query_map([wanted.0], index)?.collect::<Result<Vec<_>, _>>()?);
        }
        for sql in [
            "SELECT w.id FROM exchange e CROSS JOIN warc_record w ON w.place = e.place
              WHERE e.payload IS NOT NULL AND substr(e.payload, 1, 6) = substr(?1, 1, 6) AND e.payload = ?1 LIMIT 100",
            "SELECT id FROM warc_record WHERE substr(digest, 1, 6) = substr(?1, 1, 6) AND digest = ?1 LIMIT 100",
        ] {
            if things.is_empty() {
                let mut query = self.db().prepare_cached(sql)?;
                things.extend(query.query_map([wanted.0], warc)?.collect::<Result<Vec<_>, _>>()?);
            }
        }
        Ok(things)
    }
}
