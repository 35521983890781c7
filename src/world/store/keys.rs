//! The small numbers by which rows refer to each other, and how they are found. Each follows from the evidence alone, so that a
//! catalogue made anew has the same ones.

use rusqlite::{Connection, OptionalExtension as _, Params};
use uuid::Uuid;

use crate::format::digest::Digest;
use crate::world::store::Error;
use crate::world::vault;

/// Bits of a place that say where in its file a record begins; [`vault::ROLL_MOST`] keeps them enough.
const OFFSET_BITS: u32 = 38;
/// Bits of a citation's number that say which one of its statement it is.
const SEQ_BITS: u32 = 24;

const _: () = assert!(vault::ROLL_MOST < 1 << OFFSET_BITS);

/// The number of a WARC record.
pub(super) fn place(file: i64, offset: u64) -> Result<i64, Error> {
    let number = |offset| file.checked_mul(1 << OFFSET_BITS)?.checked_add(offset);
    i64::try_from(offset)
        .ok()
        .filter(|offset| *offset < 1 << OFFSET_BITS)
        .and_then(number)
        .ok_or_else(|| Error::Row { table: "warc_record", what: format!("the offset {offset} in file {file}") })
}

/// Where in its file a record begins.
pub(super) fn offset(place: i64) -> u64 {
    (place & ((1 << OFFSET_BITS) - 1)).unsigned_abs()
}

/// The number of a citation: of the statement that a ledger record brought, the how manieth.
pub(super) fn citation(statement: i64, seq: usize) -> Result<i64, Error> {
    let number = |seq| statement.checked_mul(1 << SEQ_BITS)?.checked_add(seq);
    i64::try_from(seq)
        .ok()
        .filter(|seq| *seq < 1 << SEQ_BITS)
        .and_then(number)
        .ok_or_else(|| Error::Row { table: "citation", what: format!("citation {seq} of one statement") })
}

/// The ledger index of the record that brought a citation's statement, and the citation's place in that.
pub(super) fn cited(citation: i64) -> (u64, usize) {
    let place = citation & ((1 << SEQ_BITS) - 1);
    ((citation >> SEQ_BITS).unsigned_abs(), usize::try_from(place).unwrap_or(usize::MAX))
}

fn one(db: &Connection, sql: &str, values: impl Params) -> Result<Option<i64>, Error> {
    Ok(db.prepare_cached(sql)?.query_row(values, |r| r.get(0)).optional()?)
}

/// Of a citation.
pub(super) fn of_citation(db: &Connection, id: &Digest) -> Result<Option<i64>, Error> {
    one(db, "SELECT key FROM citation WHERE substr(id, 1, 6) = substr(?1, 1, 6) AND id = ?1", [id.0])
}

/// Of a statement.
pub(super) fn of_statement(db: &Connection, id: &Digest) -> Result<Option<i64>, Error> {
    one(db, "SELECT record FROM statement WHERE substr(id, 1, 6) = substr(?1, 1, 6) AND id = ?1", [id.0])
}

/// Of a snapshot.
pub(super) fn of_snapshot(db: &Connection, id: &Digest) -> Result<Option<i64>, Error> {
    one(db, "SELECT record FROM snapshot WHERE substr(id, 1, 6) = substr(?1, 1, 6) AND id = ?1", [id.0])
}

/// Of a run.
pub(super) fn of_run(db: &Connection, id: &Uuid) -> Result<Option<i64>, Error> {
    one(db, "SELECT record FROM run WHERE id = ?1", [id.as_bytes()])
}

/// Of a WARC record.
pub(super) fn of_warc(db: &Connection, id: &Uuid) -> Result<Option<i64>, Error> {
    one(db, "SELECT place FROM warc_record WHERE substr(id, 1, 8) = substr(?1, 1, 8) AND id = ?1", [id.as_bytes()])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_made_of_two_and_says_where_it_cannot_be() {
        assert_eq!(place(3, 17).map(offset).unwrap(), 17);
        assert_eq!(place(-1, 17).map(offset).unwrap(), 17, "a file of other making");
        assert!(place(2, 0).unwrap() > place(1, (1 << OFFSET_BITS) - 1).unwrap());
        assert!(matches!(place(1, 1 << OFFSET_BITS), Err(Error::Row { table: "warc_record", .. })));
        assert!(place(i64::MAX, 0).is_err());
        assert_eq!(cited(citation(5, 17).unwrap()), (5, 17));
        assert!(citation(5, 1).unwrap() > citation(4, (1 << SEQ_BITS) - 1).unwrap());
        assert!(citation(5, 1 << SEQ_BITS).is_err());
        assert!(citation(i64::MAX, 0).is_err());
    }
}
