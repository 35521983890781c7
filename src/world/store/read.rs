//! What the deeds ask of the catalogue: by id, by digest, by time. Every question here has an index.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};
use uuid::Uuid;

use crate::citation::{Citation, CitationId};
use crate::format::digest::Digest;
use crate::resolution::ending::Ending;
use crate::resolution::exchange::RecordName;
use crate::statement::StatementId;
use crate::world::store::{Error, Store, keys};

/// How often a copy elsewhere is asked about before it is left alone.
const COPY_TRIES: i64 = 12;

/// Where a WARC record lies, and its digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Located {
    /// its id
    pub id: Uuid,
    /// base name of its file, without `.open`
    pub file: String,
    /// first byte of its member
    pub offset: u64,
    /// bytes of its member
    pub length: u64,
    /// as numbered in schema.sql
    pub kind: u8,
    /// whole-record digest
    pub digest: Digest,
}

/// A citation whose next look is not planned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unplanned {
    /// the citation
    pub citation: CitationId,
    /// settled looks so far
    pub looks: u32,
    /// retryable endings in a row
    pub failures: u32,
    /// how the last look ended
    pub ending: Ending,
    /// when
    pub at: Timestamp,
    /// when the other side asked to be asked again
    pub retry_at: Option<Timestamp>,
}

/// The first record that holds a body: in the order of the index, which ends the search at the first one however often the same
/// body came.
pub(super) const BODY: &str = "SELECT w.id, f.name, w.place, w.length, w.type, w.digest, e.url, e.at FROM exchange e
     CROSS JOIN warc_record w ON w.place = e.place CROSS JOIN warc_file f ON f.id = w.place >> 38
     WHERE e.payload IS NOT NULL AND substr(e.payload, 1, 6) = substr(?1, 1, 6) AND e.payload = ?1 AND e.payload_len = ?2
      AND e.refers_to IS NULL ORDER BY e.place LIMIT 1";

/// A citation that is due, by where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Owed {
    /// ledger index of the record that brought its statement
    pub statement: u64,
    /// its place among what that cites, from 0
    pub place: usize,
}

/// A record's place in ledger and WARC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordRow {
    /// ledger index
    pub index: u64,
    /// the leaf's data
    pub leaf: Digest,
    /// the WARC record it lies in
    pub warc: Uuid,
    /// its kind
    pub kind: String,
}

const LOCATED: &str = "SELECT w.id, f.name, w.place, w.length, w.type, w.digest FROM warc_record w JOIN warc_file f ON f.id = w.place >> 38";

const LOCATED_RECORD: &str = "SELECT w.id, f.name, w.place, w.length, w.type, w.digest
    FROM record r JOIN warc_record w ON w.place = r.warc JOIN warc_file f ON f.id = w.place >> 38 WHERE r.idx = ?1";

impl Store {
    /// Where a WARC record lies.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn locate(&self, id: Uuid) -> Result<Option<Located>, Error> {
        locate(self.db(), id)
    }

    /// Type and digest of a WARC record.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn digest_of(&self, id: Uuid) -> Result<Option<(u8, Digest)>, Error> {
        digest_of(self.db(), id)
    }

    /// Where a response lies whose entity has this digest and length.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn body(&self, payload: &Digest, len: u64) -> Result<Option<Located>, Error> {
        let row = self
            .db()
            .prepare_cached(BODY)?
            .query_row(params![payload.0, i64::try_from(len).unwrap_or(i64::MAX)], located)
            .optional()?;
        Ok(row)
    }

    /// How far each WARC file is known: name, the end of its last known member, and whether it is sealed and known whole.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn known_files(&self) -> Result<std::collections::HashMap<String, (u64, bool)>, Error> {
        let mut query = self.db().prepare_cached("SELECT name, known, sealed FROM warc_file")?;
        let rows = query.query_map([], |r| Ok((r.get(0)?, (r.get::<_, i64>(1)?.unsigned_abs(), r.get(2)?))))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// How many records the catalogue holds.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn leaves(&self) -> Result<u64, Error> {
        let mut query = self.db().prepare_cached("SELECT coalesce(max(idx) + 1, 0) FROM record")?;
        let n: i64 = query.query_row([], |r| r.get(0))?;
        Ok(n.unsigned_abs())
    }

    /// Records from ledger index `from` on, in order.
    ///
    /// # Errors
    /// SQLite's own, or `each`'s.
    pub fn records<E: From<Error>>(
        &self,
        from: u64,
        mut each: impl FnMut(RecordRow) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut query = self
            .db()
            .prepare_cached("SELECT r.idx, r.leaf, w.id, r.kind FROM record r LEFT JOIN warc_record w ON w.place = r.warc WHERE r.idx >= ?1 ORDER BY r.idx")
            .map_err(Error::from)?;
        let mut rows = query.query([i64::try_from(from).unwrap_or(i64::MAX)]).map_err(Error::from)?;
        while let Some(row) = rows.next().map_err(Error::from)? {
            each(record_row(row).map_err(Error::from)?)?;
        }
        Ok(())
    }

    /// The record at a ledger index.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn record(&self, index: u64) -> Result<Option<RecordRow>, Error> {
        Ok(self
            .db()
            .prepare_cached("SELECT r.idx, r.leaf, w.id, r.kind FROM record r LEFT JOIN warc_record w ON w.place = r.warc WHERE r.idx = ?1")?
            .query_row([i64::try_from(index).unwrap_or(i64::MAX)], record_row)
            .optional()?)
    }

    /// Where the WARC record that holds a ledger record lies, by its ledger index.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn locate_record(&self, index: u64) -> Result<Option<Located>, Error> {
        let index = i64::try_from(index).unwrap_or(i64::MAX);
        Ok(self.db().prepare_cached(LOCATED_RECORD)?.query_row([index], located).optional()?)
    }

    /// The ledger index of the last word on each copy that an outside archive was asked for and that was neither confirmed nor refused;
    /// the oldest first. One asked about `COPY_TRIES` times is left alone.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn unconfirmed_copies(&self, limit: usize) -> Result<Vec<u64>, Error> {
        let mut query = self.db().prepare_cached(
            "SELECT last FROM (SELECT body, max(record) AS last, count(*) AS tries FROM event WHERE kind = 'archive.requested'
               GROUP BY json_extract(body, '$.archive'), json_extract(body, '$.url'))
             WHERE json_extract(body, '$.state') IN ('submitted', 'claimed', 'later') AND tries < ?1 ORDER BY last LIMIT ?2",
        )?;
        let rows = query.query_map(params![COPY_TRIES, i64::try_from(limit).unwrap_or(i64::MAX)], |row| {
            Ok(row.get::<_, i64>(0)?.unsigned_abs())
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Whether a statement with this id came from this source before.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn knows(&self, statement: &StatementId, source: &str) -> Result<bool, Error> {
        let here: Option<bool> = self
            .db()
            .prepare_cached(
                "SELECT EXISTS (SELECT 1 FROM statement_source WHERE statement = s.record AND source = ?2) FROM statement s
                 WHERE substr(s.id, 1, 6) = substr(?1, 1, 6) AND s.id = ?1",
            )?
            .query_row(params![statement.0.0, source], |r| r.get(0))
            .optional()?;
        Ok(here == Some(true))
    }

    /// A statement's bytes.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn statement_bytes(&self, id: &StatementId) -> Result<Option<Vec<u8>>, Error> {
        Ok(self
            .db()
            .prepare_cached("SELECT bytes FROM statement WHERE substr(id, 1, 6) = substr(?1, 1, 6) AND id = ?1")?
            .query_row([id.0.0], |r| r.get(0))
            .optional()?)
    }

    /// A statement's source, media type and own date.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn statement_head(&self, id: &StatementId) -> Result<Option<(String, String, Option<String>)>, Error> {
        Ok(self
            .db()
            .prepare_cached(
                "SELECT source, media_type, date FROM statement WHERE substr(id, 1, 6) = substr(?1, 1, 6) AND id = ?1",
            )?
            .query_row([id.0.0], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?)))
            .optional()?)
    }

    /// A statement's citations, in order.
    ///
    /// # Errors
    /// SQLite's own, and a body that is no citation.
    pub fn citations(&self, statement: &StatementId) -> Result<Vec<Citation>, Error> {
        let mut query = self.db().prepare_cached(
            "SELECT c.body FROM statement s CROSS JOIN citation c ON c.key BETWEEN s.record << 24 AND (s.record << 24) + 16777215
             WHERE substr(s.id, 1, 6) = substr(?1, 1, 6) AND s.id = ?1 ORDER BY c.key",
        )?;
        let bodies = query.query_map([statement.0.0], |r| r.get::<_, String>(0))?;
        bodies.map(|body| citation(&body?)).collect()
    }

    /// One citation and the statement it stands in.
    ///
    /// # Errors
    /// SQLite's own, and a body that is no citation.
    pub fn citation(&self, id: &CitationId) -> Result<Option<(StatementId, Citation)>, Error> {
        let row = self
            .db()
            .prepare_cached(
                "SELECT s.id, c.body FROM citation c JOIN statement s ON s.record = c.key >> 24
                 WHERE substr(c.id, 1, 6) = substr(?1, 1, 6) AND c.id = ?1",
            )?
            .query_row([id.0.0], |r| Ok((digest(r, 0)?, r.get::<_, String>(1)?)))
            .optional()?;
        row.map(|(statement, body)| Ok((StatementId(statement), citation(&body)?))).transpose()
    }

    /// Of each account in captured posts that shares a handle or the lasting id, the ledger index of one of its snapshots: who wrote the
    /// post, that one says.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn accounts(&self, platform: &str, handle: &str, id: Option<&str>) -> Result<Vec<u64>, Error> {
        let mut query = self.db().prepare_cached(
            "SELECT min(snapshot) FROM
              (SELECT p.handle, p.author, p.author_id, p.snapshot FROM resolution r CROSS JOIN post p ON p.snapshot = r.snapshot
               WHERE r.handle = ?2 COLLATE NOCASE AND p.platform = ?1
               UNION SELECT handle, author, author_id, snapshot FROM post WHERE platform = ?1 AND author_id = ?3)
             GROUP BY handle, author, author_id LIMIT 100",
        )?;
        let rows = query.query_map(params![platform, handle, id], |r| Ok(r.get::<_, i64>(0)?.unsigned_abs()))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Whether a snapshot is here.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn has_snapshot(&self, id: &Digest) -> Result<bool, Error> {
        Ok(self
            .db()
            .prepare_cached("SELECT 1 FROM snapshot WHERE substr(id, 1, 6) = substr(?1, 1, 6) AND id = ?1")?
            .query_row([id.0], |_| Ok(()))
            .optional()?
            .is_some())
    }

    /// Citations due at `now`, by statement, in the statement's order; at most `limit`. What they are, the statement's record says.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn due(&self, now: Timestamp, limit: usize) -> Result<Vec<Owed>, Error> {
        let mut query = self.db().prepare_cached("SELECT citation FROM due WHERE at <= ?1 ORDER BY at LIMIT ?2")?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let rows = query.query_map(params![now.as_microsecond(), limit], |r| {
            let (statement, place) = keys::cited(r.get(0)?);
            Ok(Owed { statement, place })
        })?;
        let mut all: Vec<Owed> = rows.collect::<Result<_, _>>()?;
        all.sort_unstable();
        Ok(all)
    }

    /// Settled looks at a citation, and retryable endings in a row.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn looks(&self, citation: &CitationId) -> Result<(u32, u32), Error> {
        let mut query = self.db().prepare_cached(
            "SELECT d.looks, d.failures FROM citation c CROSS JOIN due d ON d.citation = c.key
             WHERE substr(c.id, 1, 6) = substr(?1, 1, 6) AND c.id = ?1",
        )?;
        let counts = query.query_row([citation.0.0], |r| Ok((r.get(0)?, r.get(1)?))).optional()?;
        Ok(counts.unwrap_or_default())
    }

    /// Citations whose next look the policy has not been asked for: what the last look was, and the counts.
    ///
    /// # Errors
    /// SQLite's own, and an ending that is none.
    pub fn unplanned(&self, limit: usize) -> Result<Vec<Unplanned>, Error> {
        let mut query = self.db().prepare_cached(
            "SELECT c.id, d.looks, d.failures, r.ending, r.at, r.retry_at FROM due d
             CROSS JOIN citation c ON c.key = d.citation CROSS JOIN resolution r ON r.record = c.last
             WHERE d.planned = 0 LIMIT ?1",
        )?;
        let mut rows = query.query([i64::try_from(limit).unwrap_or(i64::MAX)])?;
        let mut out = Vec::new();
        while let Some(r) = rows.next()? {
            out.push(Unplanned {
                citation: CitationId(digest(r, 0)?),
                looks: r.get(1)?,
                failures: r.get(2)?,
                ending: ending(&r.get::<_, String>(3)?)?,
                at: instant(r, 4)?,
                retry_at: r.get::<_, Option<i64>>(5)?.and_then(|us| Timestamp::from_microsecond(us).ok()),
            });
        }
        Ok(out)
    }

    /// The ledger indexes of the looks at a citation, the last one first.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn looked(&self, citation: &CitationId) -> Result<Vec<u64>, Error> {
        let Some(key) = keys::of_citation(self.db(), &citation.0)? else { return Ok(Vec::new()) };
        let mut query =
            self.db().prepare_cached("SELECT record FROM resolution WHERE citation = ?1 ORDER BY record DESC")?;
        let rows = query.query_map([key], |r| Ok(r.get::<_, i64>(0)?.unsigned_abs()))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The ledger index of the record that brought the statement a citation stands in.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn cited_at(&self, citation: &CitationId) -> Result<Option<u64>, Error> {
        Ok(keys::of_citation(self.db(), &citation.0)?.map(|key| keys::cited(key).0))
    }

    /// Ledger indexes from `from` up to `to` of looks and changes that have no row of their own, at most `most`; none where a record's
    /// own row is missing too, so that nobody knows what it is.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn unlisted(&self, from: u64, to: u64, most: usize) -> Result<Option<Vec<u64>>, Error> {
        let (first, end) = (i64::try_from(from).unwrap_or(i64::MAX), i64::try_from(to).unwrap_or(i64::MAX));
        let mut query = self.db().prepare_cached("SELECT count(*) FROM record WHERE idx >= ?1 AND idx < ?2")?;
        let there: i64 = query.query_row([first, end], |r| r.get(0))?;
        if there.unsigned_abs() != to.saturating_sub(from) {
            return Ok(None);
        }
        let mut query = self.db().prepare_cached(
            "SELECT r.idx FROM record r WHERE r.idx >= ?1 AND r.idx < ?2 AND CASE r.kind
              WHEN 'resolution.ended' THEN NOT EXISTS (SELECT 1 FROM resolution x WHERE x.record = r.idx)
              WHEN 'change.seen' THEN NOT EXISTS (SELECT 1 FROM change x WHERE x.record = r.idx)
              ELSE 0 END LIMIT ?3",
        )?;
        let rows = query.query_map(params![first, end, i64::try_from(most).unwrap_or(i64::MAX)], |r| {
            Ok(r.get::<_, i64>(0)?.unsigned_abs())
        })?;
        Ok(Some(rows.collect::<Result<_, _>>()?))
    }

    /// The ledger index of the last change seen of a citation, where it stands behind index `after`.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn changed_after(&self, citation: &CitationId, after: u64) -> Result<Option<u64>, Error> {
        let Some(key) = keys::of_citation(self.db(), &citation.0)? else { return Ok(None) };
        let mut query =
            self.db().prepare_cached("SELECT max(record) FROM change WHERE citation = ?1 AND record > ?2")?;
        let last: Option<i64> =
            query.query_row(params![key, i64::try_from(after).unwrap_or(i64::MAX)], |r| r.get(0))?;
        Ok(last.map(i64::unsigned_abs))
    }

    /// WARC records that no ledger record names yet, in the order they lie there.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn unbound(&self) -> Result<Vec<RecordName>, Error> {
        let mut query =
            self.db().prepare_cached("SELECT id, digest FROM warc_record WHERE record IS NULL ORDER BY place")?;
        let rows = query.query_map([], |r| Ok(RecordName { id: uuid(r, 0)?, digest: digest(r, 1)? }))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The ids of all WARC records, in the order they lie.
    ///
    /// # Errors
    /// SQLite's own, and what `each` says.
    pub fn warc_ids<E: From<Error>>(&self, mut each: impl FnMut(uuid::Uuid) -> Result<(), E>) -> Result<(), E> {
        let mut query = self.db().prepare("SELECT id FROM warc_record ORDER BY place").map_err(Error::from)?;
        let mut rows = query.query([]).map_err(Error::from)?;
        while let Some(row) = rows.next().map_err(Error::from)? {
            let id: [u8; 16] = row.get(0).map_err(Error::from)?;
            each(uuid::Uuid::from_bytes(id))?;
        }
        Ok(())
    }

    /// The WARC record with this digest, or the one with the next higher one; the first of all behind the last. Digests lie
    /// evenly, so a random one gives a random record.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn at_or_after(&self, digest: &Digest) -> Result<Option<Located>, Error> {
        let sql = format!(
            "{LOCATED} WHERE substr(w.digest, 1, 6) >= substr(?1, 1, 6) ORDER BY substr(w.digest, 1, 6) LIMIT 1"
        );
        let mut query = self.db().prepare_cached(&sql)?;
        match query.query_row([digest.0], located).optional()? {
            Some(found) => Ok(Some(found)),
            None => Ok(query.query_row([[0_u8; 32]], located).optional()?),
        }
    }

    /// Events of one kind, in order: the leaf and the record as JSON.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn events(&self, kind: &str) -> Result<Vec<(Digest, String)>, Error> {
        let mut query = self.db().prepare_cached(
            "SELECT r.leaf, e.body FROM event e CROSS JOIN record r ON r.idx = e.record WHERE e.kind = ?1 ORDER BY e.record",
        )?;
        let rows = query.query_map([kind], |r| Ok((digest(r, 0)?, r.get(1)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The file of the last record behind which nothing was left unnamed: a run's closing, or the archive's beginning.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn settled(&self) -> Result<Option<String>, Error> {
        let mut query = self.db().prepare_cached(
            "SELECT f.name FROM record r JOIN warc_file f ON f.id = r.warc >> 38
             WHERE r.kind IN ('run.closed', 'archive.created') ORDER BY r.idx DESC LIMIT 1",
        )?;
        Ok(query.query_row([], |r| r.get(0)).optional()?)
    }

    /// Hands over every WARC record that no ledger record names.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn unnamed(&self, mut each: impl FnMut(Located)) -> Result<(), Error> {
        let sql = format!("{LOCATED} WHERE w.record IS NULL ORDER BY w.place");
        let mut query = self.db().prepare_cached(&sql)?;
        let mut rows = query.query([])?;
        while let Some(row) = rows.next()? {
            each(located(row)?);
        }
        Ok(())
    }

    /// The WARC record at a place, as the tables number it.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn warc_at(&self, place: i64) -> Result<Option<Uuid>, Error> {
        let mut query = self.db().prepare_cached("SELECT id FROM warc_record WHERE place = ?1")?;
        Ok(query.query_row([place], |r| uuid(r, 0)).optional()?)
    }

    /// The first ledger record that names a WARC record, or lies in it.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn named_by(&self, id: Uuid) -> Result<Option<u64>, Error> {
        let mut query = self
            .db()
            .prepare_cached("SELECT record FROM warc_record WHERE substr(id, 1, 8) = substr(?1, 1, 8) AND id = ?1")?;
        let index: Option<Option<i64>> = query.query_row([id.as_bytes()], |r| r.get(0)).optional()?;
        Ok(index.flatten().map(i64::unsigned_abs))
    }

    /// Runs that were opened and never closed.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn open_runs(&self) -> Result<Vec<Uuid>, Error> {
        let mut query = self.db().prepare_cached("SELECT id FROM run WHERE closed IS NULL ORDER BY record")?;
        let rows = query.query_map([], |r| uuid(r, 0))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// A value of the archive's first record.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn meta(&self, key: &str) -> Result<Option<String>, Error> {
        Ok(self.db().query_row("SELECT value FROM meta WHERE key = ?1", [key], |r| r.get(0)).optional()?)
    }
}

/// The ending of that name.
pub(super) fn ending(name: &str) -> Result<Ending, Error> {
    Ending::of(name).ok_or_else(|| Error::Row { table: "resolution", what: format!("the ending {name:?}") })
}

fn citation(body: &str) -> Result<Citation, Error> {
    serde_json::from_str(body).map_err(|e| Error::Row { table: "citation", what: e.to_string() })
}

/// Where a WARC record lies, as `db` sees it.
pub(super) fn locate(db: &Connection, id: Uuid) -> Result<Option<Located>, Error> {
    let sql = format!("{LOCATED} WHERE substr(w.id, 1, 8) = substr(?1, 1, 8) AND w.id = ?1");
    Ok(db.prepare_cached(&sql)?.query_row([id.as_bytes()], located).optional()?)
}

/// Type and digest of a WARC record, as `db` sees it.
pub(super) fn digest_of(db: &Connection, id: Uuid) -> Result<Option<(u8, Digest)>, Error> {
    let mut query = db
        .prepare_cached("SELECT type, digest FROM warc_record WHERE substr(id, 1, 8) = substr(?1, 1, 8) AND id = ?1")?;
    Ok(query.query_row([id.as_bytes()], |r| Ok((r.get(0)?, digest(r, 1)?))).optional()?)
}

fn located(r: &Row<'_>) -> Result<Located, rusqlite::Error> {
    Ok(Located {
        id: uuid(r, 0)?,
        file: r.get(1)?,
        offset: keys::offset(r.get(2)?),
        length: r.get::<_, i64>(3)?.unsigned_abs(),
        kind: r.get(4)?,
        digest: digest(r, 5)?,
    })
}

fn record_row(r: &Row<'_>) -> Result<RecordRow, rusqlite::Error> {
    Ok(RecordRow { index: r.get::<_, i64>(0)?.unsigned_abs(), leaf: digest(r, 1)?, warc: uuid(r, 2)?, kind: r.get(3)? })
}

/// A 32-byte column.
pub(crate) fn digest(r: &Row<'_>, column: usize) -> Result<Digest, rusqlite::Error> {
    r.get::<_, [u8; 32]>(column).map(Digest)
}

/// A 16-byte column.
pub(crate) fn uuid(r: &Row<'_>, column: usize) -> Result<Uuid, rusqlite::Error> {
    r.get::<_, [u8; 16]>(column).map(Uuid::from_bytes)
}

/// A column of microseconds.
pub(crate) fn instant(r: &Row<'_>, column: usize) -> Result<Timestamp, rusqlite::Error> {
    let us: i64 = r.get(column)?;
    Timestamp::from_microsecond(us).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(column, us))
}
