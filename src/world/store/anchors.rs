//! What the catalogue knows of anchors and of the keys that signed.

use jiff::Timestamp;
use rusqlite::{Row, params};

use crate::world::store::{Error, Store};

/// The last word on one anchor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnchorRow {
    /// ledger index of the record that says so
    pub record: u64,
    /// size of the checkpoint it is an anchor of
    pub size: u64,
    /// `tsr`, `ots`, `cosignature`
    pub kind: String,
    /// who
    pub authority: String,
    /// `verified`, `pending`, `unchecked`, `confirmed`
    pub state: String,
    /// its file in `ledger/anchors/`
    pub file: String,
    /// the time it vouches for
    pub at: Option<Timestamp>,
}

/// Of several records on one file the last one speaks; SQLite takes the other columns from the row of the maximum.
const LAST: &str = "SELECT max(record), size, kind, authority, state, file, at FROM anchor";

impl Store {
    /// The last word on every anchor, by checkpoint.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn anchors(&self) -> Result<Vec<AnchorRow>, Error> {
        let mut query = self.db().prepare_cached(&format!("{LAST} GROUP BY file ORDER BY size, file"))?;
        let rows = query.query_map([], row)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The anchors over a leaf: of each authority's, those of the earliest checkpoint that covers it.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn anchors_over(&self, index: u64) -> Result<Vec<AnchorRow>, Error> {
        let sql = format!(
            "{LAST} a WHERE size = (SELECT min(size) FROM anchor b
                WHERE b.kind = a.kind AND b.authority = a.authority AND b.size > ?1)
             GROUP BY file ORDER BY size, file"
        );
        let mut query = self.db().prepare_cached(&sql)?;
        let rows = query.query_map(params![i64::try_from(index).unwrap_or(i64::MAX)], row)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The changes of the log's key in order, each record as JSON.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn rotations(&self) -> Result<Vec<String>, Error> {
        let mut query =
            self.db().prepare_cached("SELECT body FROM event WHERE kind = 'key.rotated' ORDER BY record")?;
        let rows = query.query_map([], |r| r.get(0))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

fn row(row: &Row<'_>) -> rusqlite::Result<AnchorRow> {
    let at: Option<i64> = row.get(6)?;
    Ok(AnchorRow {
        record: row.get::<_, i64>(0)?.unsigned_abs(),
        size: row.get::<_, i64>(1)?.unsigned_abs(),
        kind: row.get(2)?,
        authority: row.get(3)?,
        state: row.get(4)?,
        file: row.get(5)?,
        at: at.and_then(|at| Timestamp::from_microsecond(at).ok()),
    })
}
