//! Questions in SQL from people: read-only, one statement, within a time.

use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::limits::Limit;
use rusqlite::types::ValueRef;

use crate::world::store::{Error, SCHEMA, Store};

/// One value of an answer.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// NULL
    Null,
    /// an integer
    Integer(i64),
    /// a floating-point number
    Real(f64),
    /// text
    Text(String),
    /// bytes
    Blob(Vec<u8>),
}

/// Why a question got no answer.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// the catalogue itself
    #[error(transparent)]
    Store(#[from] Error),
    /// SQLite's word on the question
    #[error("{0}")]
    Sql(String),
    /// it writes, or reaches out of the catalogue
    #[error("only one statement that reads the catalogue is taken")]
    NotAReading,
    /// it would need more memory than it is given
    #[error("no answer within {0} MiB of memory")]
    TooMuch(u64),
    /// it took too long
    #[error("no answer within {0:?}")]
    TooLong(Duration),
    /// whoever takes the rows
    #[error("rows could not be written")]
    Rows(#[source] std::io::Error),
}

/// Bytes that SQLite may hold for a question; of this process as a whole, and never more again once set.
const MEMORY: u64 = 256 << 20;

/// The documented views, as they stand in the schema, each with its comment.
pub fn views() -> String {
    let from = SCHEMA.find("-- Statements: id, source").unwrap_or(0);
    SCHEMA.get(from..).unwrap_or_default().to_owned()
}

/// Asks the catalogue at `path`. `each` gets the column names with every row.
///
/// # Errors
/// A question that is none, writes, or takes longer than `within`.
pub fn ask(
    path: &Path,
    sql: &str,
    within: Duration,
    mut each: impl FnMut(&[String], Vec<Value>) -> std::io::Result<()>,
) -> Result<(), Refused> {
    let store = Store::open_read(path)?;
    let db = store.db();
    let said = |e: rusqlite::Error| Refused::Sql(sqlite_word(&e));
    db.set_limit(Limit::SQLITE_LIMIT_ATTACHED, 0).map_err(said)?;
    db.set_limit(Limit::SQLITE_LIMIT_LENGTH, 64 << 20).map_err(said)?;
    // What is sorted or gathered on the way stays in memory, and that has a bound: a question cannot fill the disk.
    db.pragma_update(None, "temp_store", "MEMORY").map_err(said)?;
    db.query_row(&format!("PRAGMA hard_heap_limit = {MEMORY}"), [], |_| Ok(())).map_err(said)?;
    let begun = Instant::now();
    db.progress_handler(10_000, Some(move || begun.elapsed() > within)).map_err(said)?;
    let mut query = db.prepare(sql).map_err(said)?;
    if !query.readonly() || query.column_count() == 0 {
        return Err(Refused::NotAReading);
    }
    let names: Vec<String> = query.column_names().into_iter().map(str::to_owned).collect();
    let late = |e: rusqlite::Error| match e.sqlite_error_code() {
        Some(rusqlite::ErrorCode::OperationInterrupted) => Refused::TooLong(within),
        Some(rusqlite::ErrorCode::OutOfMemory) => Refused::TooMuch(MEMORY >> 20),
        _ => said(e),
    };
    let mut rows = query.query([]).map_err(late)?;
    while let Some(row) = rows.next().map_err(late)? {
        let values =
            (0..names.len()).map(|n| row.get_ref(n).map(value)).collect::<Result<Vec<_>, _>>().map_err(late)?;
        each(&names, values).map_err(Refused::Rows)?;
    }
    Ok(())
}

fn sqlite_word(e: &rusqlite::Error) -> String {
    match e {
        rusqlite::Error::SqliteFailure(_, Some(word)) => word.clone(),
        rusqlite::Error::SqlInputError { msg, .. } => msg.clone(),
        other => other.to_string(),
    }
}

fn value(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(n) => Value::Integer(n),
        ValueRef::Real(x) => Value::Real(x),
        ValueRef::Text(text) => Value::Text(String::from_utf8_lossy(text).into_owned()),
        ValueRef::Blob(bytes) => Value::Blob(bytes.to_vec()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(sql: &str, within: Duration) -> Result<Vec<Vec<Value>>, Refused> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("onrecord.db");
        drop(Store::open(&path)?);
        let mut rows = Vec::new();
        ask(&path, sql, within, |_, row| {
            rows.push(row);
            Ok(())
        })?;
        Ok(rows)
    }

    #[test]
    fn reads_and_nothing_else() {
        let quick = Duration::from_secs(5);
        assert_eq!(answer("SELECT 1, 'a', NULL", quick).unwrap()[0][1], Value::Text("a".to_owned()));
        assert!(answer("SELECT count(*) FROM citations", quick).is_ok());
        for hostile in [
            "DELETE FROM statement",
            "ATTACH 'x.db' AS x",
            "PRAGMA journal_mode = DELETE",
            "CREATE TABLE t (x)",
            "SELECT 1; DELETE FROM statement",
            "VACUUM INTO 'x.db'",
            "PRAGMA writable_schema = ON",
            "PRAGMA user_version = 9",
            "SELECT load_extension('x.so')",
            "SELECT writefile('x', 'y')",
            "SELECT readfile('/etc/passwd')",
            "SELECT edit('x')",
            "SELECT length(zeroblob(1000000000))",
            "SELECT length(printf('%.*c', 1000000000, 'x'))",
            "WITH RECURSIVE n (x) AS (SELECT 'ab' UNION ALL SELECT x || x FROM n) SELECT max(length(x)) FROM n",
            "INSERT INTO words (words) VALUES ('rebuild')",
            "REINDEX",
            "ANALYZE",
            "BEGIN IMMEDIATE",
            "EXPLAIN",
            "",
        ] {
            assert!(answer(hostile, quick).is_err(), "{hostile}");
        }
        // It would give away an address in memory, were it not off.
        assert_eq!(answer("SELECT fts3_tokenizer('simple')", quick).unwrap(), [[Value::Null]]);
    }

    #[test]
    fn an_endless_question_is_cut_off() {
        let endless = "WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT max(x) FROM n";
        assert!(matches!(answer(endless, Duration::from_millis(50)), Err(Refused::TooLong(_))));
    }

    #[test]
    fn every_view_is_documented() {
        let views = views();
        assert!(views.starts_with("-- Statements"));
        for (at, _) in views.match_indices("CREATE VIEW") {
            assert!(views[..at].trim_end().lines().last().unwrap().starts_with("--"), "{}", &views[at..at + 40]);
        }
    }
}
