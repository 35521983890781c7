//! "Do you hold this?": what in the archive has a given digest.

use jiff::Timestamp;
use rusqlite::{OptionalExtension, Row};
use uuid::Uuid;

use crate::format::digest::Digest;
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

impl Store {
    /// Ids of statements, citations, snapshots and leaves that begin with these hex digits; at most ten.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn by_prefix(&self, hex: &str) -> Result<Vec<Digest>, Error> {
        let digits = hex.len().min(64);
        let whole =
            |fill: char| format!("{}{}", hex.get(..digits).unwrap_or_default(), fill.to_string().repeat(64 - digits));
        let bytes = |text: String| data_encoding::HEXLOWER_PERMISSIVE.decode(text.as_bytes()).ok();
        let (Some(from), Some(to)) = (bytes(whole('0')), bytes(whole('f'))) else { return Ok(Vec::new()) };
        if digits < 4 {
            return Ok(Vec::new());
        }
        let mut query = self.db().prepare_cached(
            "SELECT id FROM statement WHERE id BETWEEN ?1 AND ?2 UNION SELECT id FROM citation WHERE id BETWEEN ?1 AND ?2
             UNION SELECT id FROM snapshot WHERE id BETWEEN ?1 AND ?2 UNION SELECT leaf FROM record WHERE leaf BETWEEN ?1 AND ?2
             UNION SELECT payload FROM exchange WHERE payload BETWEEN ?1 AND ?2 LIMIT 10",
        )?;
        let rows = query.query_map([from, to], |r| digest(r, 0))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The ledger index and manifest record of a snapshot.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn manifest(&self, snapshot: &Digest) -> Result<Option<(u64, Uuid)>, Error> {
        let mut query = self.db().prepare_cached("SELECT record, manifest FROM snapshot WHERE id = ?1")?;
        Ok(query.query_row([snapshot.0], |r| Ok((r.get::<_, i64>(0)?.unsigned_abs(), uuid(r, 1)?))).optional()?)
    }

    /// The citations that led to a snapshot, with the ledger index that says so.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn led_to(&self, snapshot: &Digest) -> Result<Vec<(u64, Digest)>, Error> {
        let mut query =
            self.db().prepare_cached("SELECT record, citation FROM resolution WHERE snapshot = ?1 ORDER BY record")?;
        let rows = query.query_map([snapshot.0], |r| Ok((r.get::<_, i64>(0)?.unsigned_abs(), digest(r, 1)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The snapshots that hold a post, oldest first: id, when, the post as JSON.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn snapshots_of(&self, post: &str) -> Result<Vec<(Digest, Timestamp, String)>, Error> {
        let mut query = self.db().prepare_cached(
            "SELECT p.snapshot, s.at, p.body FROM post p JOIN snapshot s ON s.id = p.snapshot WHERE p.name = ?1 ORDER BY s.record",
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
            "SELECT record FROM statement WHERE id = ?1",
            "SELECT record FROM snapshot WHERE id = ?1",
            "SELECT idx FROM record WHERE leaf = ?1",
            "SELECT record FROM resolution WHERE citation = ?1 ORDER BY record DESC LIMIT 100",
        ];
        let mut things = Vec::new();
        for sql in records {
            let mut query = self.db().prepare_cached(sql)?;
            things.extend(query.query_map([wanted.0], index)?.collect::<Result<Vec<_>, _>>()?);
        }
        for sql in [
            "SELECT id FROM exchange WHERE payload = ?1 LIMIT 100",
            "SELECT id FROM warc_record WHERE digest = ?1 LIMIT 100",
        ] {
            // Whole-record digests have no index: they are asked for only where nothing else has the digest.
            if things.is_empty() {
                let mut query = self.db().prepare_cached(sql)?;
                things.extend(query.query_map([wanted.0], warc)?.collect::<Result<Vec<_>, _>>()?);
            }
        }
        Ok(things)
    }
}
