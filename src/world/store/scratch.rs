//! The scratch catalogue that `verify` fills anew, and what it sets down beside it: the ledger's records and their documents
//! as they were read in passing, so that nothing of it is held in memory and nothing is read from the files twice.

use rusqlite::{Connection, OptionalExtension as _, Row, params};
use uuid::Uuid;

use crate::format::digest::Digest;
use crate::resolution::exchange::RecordName;
use crate::world::store::apply::Batch;
use crate::world::store::read::{digest, uuid};
use crate::world::store::{Error, Store};

/// What lies beside the catalogue is in SQLite's temporary file, which the comparison with the one in use passes over.
const LAID: &str = "
    CREATE TEMP TABLE seed (n INTEGER PRIMARY KEY, leaf BLOB, id BLOB, digest BLOB, file TEXT, offset INTEGER, length INTEGER,
        named INTEGER, block BLOB) STRICT;
    CREATE TEMP TABLE doc (id BLOB UNIQUE, block BLOB) STRICT;
    PRAGMA temp.cache_size = -2048;
    DROP INDEX warc_record_digest; DROP INDEX warc_record_left; DROP INDEX exchange_payload; DROP INDEX event_kind;
    DROP INDEX warc_record_id; CREATE UNIQUE INDEX warc_record_id ON warc_record (id);";

const SEED: &str = "SELECT n, leaf, id, digest, file, offset, length, named, block FROM temp.seed";

/// A ledger record as it was found in a WARC file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeedRow {
    /// the how manieth one, from 0, in the order they lie there
    pub n: u64,
    /// the leaf that it is named by
    pub leaf: Digest,
    /// the WARC record it lies in
    pub name: RecordName,
    /// base name of its file
    pub file: String,
    /// first byte of its member
    pub offset: u64,
    /// bytes of its member
    pub length: u64,
    /// something is wrong with the WARC record and has been named
    pub named: bool,
    /// its JSON; none where that is not what its leaf is the digest of
    pub block: Option<Vec<u8>>,
}

impl Store {
    /// Lays the tables beside the catalogue, and takes away the indexes that are for questions.
    pub(super) fn lay_beside(&self) -> Result<(), rusqlite::Error> {
        self.db().execute_batch(LAID)
    }

    /// Up to `most` seeds from the `from`th on.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn seeds(&self, from: u64, most: usize) -> Result<Vec<SeedRow>, Error> {
        let mut query = self.db().prepare_cached(&format!("{SEED} WHERE n >= ?1 ORDER BY n LIMIT ?2"))?;
        let rows = query.query_map(params![number(from), most as i64], seed)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The first seed of a leaf. The first question makes the index for it: in an archive whose records stand in the order of
    /// their leaves nobody asks.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn seed_of(&self, leaf: &Digest) -> Result<Option<SeedRow>, Error> {
        self.db().execute_batch("CREATE INDEX IF NOT EXISTS temp.seed_leaf ON seed (leaf, n)")?;
        let mut query = self.db().prepare_cached(&format!("{SEED} WHERE leaf = ?1 ORDER BY n LIMIT 1"))?;
        Ok(query.query_row([leaf.0], seed).optional()?)
    }

    /// The block of a document that was set down.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn kept_doc(&self, id: Uuid) -> Result<Option<Vec<u8>>, Error> {
        kept_doc(self.db(), id)
    }

    /// How many WARC records it has.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn warc_records(&self) -> Result<u64, Error> {
        let n: i64 = self.db().query_row("SELECT count(*) FROM warc_record", [], |r| r.get(0))?;
        Ok(n.unsigned_abs())
    }

    /// Whether its records stand under these leaves, one for one; `some` gives those from an index on, and none at the end.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn has_leaves(&self, some: impl Fn(u64) -> Vec<Option<Digest>>) -> Result<bool, Error> {
        let mut query = self.db().prepare_cached("SELECT leaf FROM record ORDER BY idx")?;
        let mut rows = query.query([])?;
        let mut from = 0;
        loop {
            let leaves = some(from);
            if leaves.is_empty() {
                return Ok(rows.next()?.is_none());
            }
            from += leaves.len() as u64;
            for leaf in leaves {
                let Some(row) = rows.next()? else { return Ok(false) };
                if leaf != Some(digest(row, 0)?) {
                    return Ok(false);
                }
            }
        }
    }

    /// The leaf of every seed, in order.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn seed_leaves(&self, mut each: impl FnMut(Digest)) -> Result<(), Error> {
        let mut query = self.db().prepare_cached("SELECT leaf FROM temp.seed ORDER BY n")?;
        let mut rows = query.query([])?;
        while let Some(row) = rows.next()? {
            each(digest(row, 0)?);
        }
        Ok(())
    }
}

impl Batch<'_> {
    /// Sets a ledger record down.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn seed(&self, seed: &SeedRow) -> Result<(), Error> {
        self.put(
            "INSERT INTO temp.seed (n, leaf, id, digest, file, offset, length, named, block) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            params![
                number(seed.n),
                seed.leaf.0,
                seed.name.id.as_bytes(),
                seed.name.digest.0,
                seed.file,
                number(seed.offset),
                number(seed.length),
                seed.named,
                seed.block
            ],
        )
        .map(drop)
    }

    /// Sets down the block of a document of ours.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn doc(&self, id: Uuid, block: &[u8]) -> Result<(), Error> {
        self.put("INSERT OR IGNORE INTO temp.doc (id, block) VALUES (?1, ?2)", params![id.as_bytes(), block]).map(drop)
    }

    /// The block of a document that was set down.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn kept_doc(&self, id: Uuid) -> Result<Option<Vec<u8>>, Error> {
        kept_doc(self.db(), id)
    }
}

fn kept_doc(db: &Connection, id: Uuid) -> Result<Option<Vec<u8>>, Error> {
    let mut query = db.prepare_cached("SELECT block FROM temp.doc WHERE id = ?1")?;
    Ok(query.query_row([id.as_bytes()], |r| r.get(0)).optional()?)
}

fn seed(r: &Row<'_>) -> Result<SeedRow, rusqlite::Error> {
    let unsigned = |n: usize| r.get::<_, i64>(n).map(i64::unsigned_abs);
    Ok(SeedRow {
        n: unsigned(0)?,
        leaf: digest(r, 1)?,
        name: RecordName { id: uuid(r, 2)?, digest: digest(r, 3)? },
        file: r.get(4)?,
        offset: unsigned(5)?,
        length: unsigned(6)?,
        named: r.get(7)?,
        block: r.get(8)?,
    })
}

fn number(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}
