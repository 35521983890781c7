//! Two catalogues, row by row: the one in use and one made anew.

use std::cmp::Ordering;
use std::path::Path;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension as _, Row, params_from_iter};

use crate::world::store::{Error, Store, reading};

/// A row that is not the same in both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// its table
    pub table: String,
    /// its key, as text
    pub key: String,
    /// `row-changed`, `row-missing` (from the one in use), `row-added` (to it)
    pub kind: &'static str,
}

/// What a comparison came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Compared {
    /// rows of the one in use
    pub rows: u64,
    /// what differs; at most [`MOST`] a table
    pub differences: Vec<Difference>,
}

/// Differences named in each table; more say no more.
pub const MOST: usize = 1000;

/// Tables that are not rebuilt row for row: the queue, and the index of words.
const NOT_COMPARED: [&str; 7] = ["due", "schedule", "feed_entry", "taken_file", "notice", "noticed", "words_doc"];
/// Columns that say how far something is looked through.
const NOT_COMPARED_COLUMNS: [(&str, &str); 3] =
    [("snapshot", "indexed"), ("warc_file", "known"), ("warc_file", "sealed")];

/// Compares the catalogue at `path` with `anew`; meanwhile another core looks through its indexes.
///
/// # Errors
/// SQLite's own: a file that is damaged so that it cannot be read.
pub fn rows(anew: &Store, path: &Path) -> Result<Compared, Error> {
    let tables = tables(anew.db())?;
    with_indexes(path, &tables, || beside(anew.db(), path, &tables))
}

/// The tables that are compared.
fn tables(db: &Connection) -> Result<Vec<String>, Error> {
    let mut tables = db.prepare(
        "SELECT name FROM main.sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name NOT LIKE 'words%' ORDER BY name",
    )?;
    let mut names = tables.query_map([], |r| r.get(0))?.collect::<Result<Vec<String>, _>>()?;
    names.retain(|name| !NOT_COMPARED.contains(&name.as_str()));
    Ok(names)
}

/// Compares all but the tables `lent` with the catalogue in use, which is attached.
///
/// # Errors
/// As [`rows`].
pub(super) fn rest(anew: &Store, path: &Path, lent: &[&str]) -> Result<Compared, Error> {
    let tables = tables(anew.db())?;
    let all: Vec<String> = tables.iter().cloned().chain(lent.iter().map(|table| (*table).to_owned())).collect();
    with_indexes(path, &all, || {
        let mut compared = Compared::default();
        tables.iter().try_for_each(|table| one(anew.db(), table, &mut compared))?;
        Ok(compared)
    })
}

/// Does `deed` while another core looks through the indexes.
fn with_indexes(
    path: &Path,
    tables: &[String],
    deed: impl FnOnce() -> Result<Compared, Error>,
) -> Result<Compared, Error> {
    let (compared, indexes) = std::thread::scope(|scope| {
        let indexes = scope.spawn(|| indexes(path, tables));
        (deed(), indexes.join())
    });
    let mut compared = compared?;
    compared.differences.extend(indexes.unwrap_or_else(|panic| std::panic::resume_unwind(panic))?);
    Ok(compared)
}

/// Puts the catalogue at `path` beside the one made anew.
pub(super) fn attach(db: &Connection, path: &Path) -> Result<(), Error> {
    let (_held, uri) = reading(path)?;
    db.execute("ATTACH ?1 AS used", [uri])?;
    Ok(())
}

/// Whether the catalogue in use, which is attached, has tables and views as they should be.
pub(super) fn is_laid_alike(db: &Connection) -> Result<bool, Error> {
    let mut compared = Compared::default();
    schema(db, &mut compared)?;
    Ok(compared.differences.is_empty())
}

fn beside(db: &Connection, path: &Path, tables: &[String]) -> Result<Compared, Error> {
    attach(db, path)?;
    let compared = attached(db, tables);
    db.execute("DETACH used", [])?;
    compared
}

fn attached(db: &Connection, tables: &[String]) -> Result<Compared, Error> {
    let mut compared = Compared::default();
    schema(db, &mut compared)?;
    tables.iter().try_for_each(|table| one(db, table, &mut compared))?;
    Ok(compared)
}

/// What the catalogue in use is made of: a view that says otherwise, a trigger, a table more, and every row may be right and
/// every answer wrong. The scratch catalogue has fewer indexes; those that lie are found by [`indexes`].
fn schema(db: &Connection, compared: &mut Compared) -> Result<(), Error> {
    let laid = "SELECT type, name, sql FROM main.sqlite_schema WHERE name NOT LIKE 'sqlite_%'";
    let used = "SELECT type, name, sql FROM used.sqlite_schema WHERE name NOT LIKE 'sqlite_%'";
    for (kind, first, second) in [("row-changed", laid, used), ("row-added", used, laid)] {
        let sql = format!(
            "SELECT type, name FROM ({first} EXCEPT {second}) WHERE type <> 'index' AND
             (?1 <> 'row-added' OR name NOT IN (SELECT name FROM main.sqlite_schema)) ORDER BY type, name"
        );
        let mut query = db.prepare(&sql)?;
        let names =
            query.query_map([kind], |r| Ok(format!("{}/{}", r.get::<_, String>(0)?, r.get::<_, String>(1)?)))?;
        for name in names.take(MOST) {
            compared.differences.push(Difference { table: "sqlite_schema".to_owned(), key: name?, kind });
        }
    }
    Ok(())
}

/// Where a table's indexes say something else than its rows: what is there is not found then.
fn indexes(path: &Path, tables: &[String]) -> Result<Vec<Difference>, Error> {
    let used = Store::open_read(path)?;
    let mut differences = Vec::new();
    for table in tables {
        let mut query = used.db().prepare(&format!("PRAGMA integrity_check('{table}')"))?;
        let said = query.query_map([], |r| r.get::<_, String>(0))?.collect::<Result<Vec<_>, _>>()?;
        let wrong = said.into_iter().filter(|said| said != "ok");
        differences.extend(wrong.map(|key| Difference { table: "sqlite_schema".to_owned(), key, kind: "row-changed" }));
    }
    Ok(differences)
}

struct Column {
    name: String,
    /// its place in the key, from 1; 0 where it is none of it
    key: i64,
}

fn one(db: &Connection, table: &str, compared: &mut Compared) -> Result<(), Error> {
    let mut info = db.prepare("SELECT name, pk FROM pragma_table_info(?1)")?;
    let columns: Vec<Column> =
        info.query_map([table], |r| Ok(Column { name: r.get(0)?, key: r.get(1)? }))?.collect::<Result<_, _>>()?;
    let columns: Vec<Column> =
        columns.into_iter().filter(|c| !NOT_COMPARED_COLUMNS.contains(&(table, c.name.as_str()))).collect();
    let n: i64 = db.query_row(&format!("SELECT count(*) FROM used.{table}"), [], |r| r.get(0))?;
    compared.rows += n.unsigned_abs();
    // Both in the order of their keys, side by side: nothing is sorted and nothing is held.
    let (mut here, mut there) =
        (db.prepare(&select("main", table, &columns))?, db.prepare(&select("used", table, &columns))?);
    let (mut here, mut there) = (here.query([])?, there.query([])?);
    let (mut mine, mut theirs) = (here.next()?, there.next()?);
    let mut found = 0;
    while found < MOST {
        let (order, row) = match (mine, theirs) {
            (None, None) => break,
            (Some(row), None) => (Ordering::Less, row),
            (None, Some(row)) => (Ordering::Greater, row),
            (Some(a), Some(b)) => (by_key(a, b, &columns)?, a),
        };
        let kind = match (order, mine, theirs) {
            (Ordering::Less, ..) => Some("row-missing"),
            (Ordering::Greater, ..) => Some("row-added"),
            (Ordering::Equal, Some(a), Some(b)) => differ(a, b, columns.len())?.then_some("row-changed"),
            (Ordering::Equal, ..) => None,
        };
        if let Some(kind) = kind {
            let row = if order == Ordering::Greater { theirs.unwrap_or(row) } else { row };
            compared.differences.push(Difference { table: table.to_owned(), key: key_of(row, &columns)?, kind });
            found += 1;
        }
        if order != Ordering::Greater {
            mine = here.next()?;
        }
        if order != Ordering::Less {
            theirs = there.next()?;
        }
    }
    Ok(())
}

impl Store {
    /// The WARC record that a row is about, or takes its URL from: its place. None where the row has none of its own.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn rests_on(&self, table: &str, key: &str) -> Result<Option<i64>, Error> {
        let numbers: Vec<i64> = key.split(',').filter_map(|part| part.parse().ok()).collect();
        let sql = match (table, numbers.as_slice()) {
            ("warc_record" | "exchange", [place]) => return Ok(Some(*place)),
            ("hop", [_, _]) => "SELECT exchange FROM hop WHERE resolution = ?1 AND n = ?2",
            ("snapshot_part", [_, _]) => "SELECT exchange FROM snapshot_part WHERE snapshot = ?1 AND n = ?2",
            _ => return Ok(None),
        };
        let mut query = self.db().prepare_cached(sql)?;
        Ok(query.query_row(params_from_iter(numbers), |r| r.get(0)).optional()?.flatten())
    }
}

/// How two values are ordered by SQLite: numbers before text before blobs, text by its bytes.
fn ranked(value: ValueRef<'_>) -> (u8, i64, &[u8]) {
    match value {
        ValueRef::Null => (0, 0, &[]),
        ValueRef::Integer(i) => (1, i, &[]),
        ValueRef::Real(x) => (1, x as i64, &[]),
        ValueRef::Text(text) => (2, 0, text),
        ValueRef::Blob(bytes) => (3, 0, bytes),
    }
}

fn by_key(a: &Row<'_>, b: &Row<'_>, columns: &[Column]) -> Result<Ordering, Error> {
    for n in in_key_order(columns) {
        let order = ranked(a.get_ref(n)?).cmp(&ranked(b.get_ref(n)?));
        if order != Ordering::Equal {
            return Ok(order);
        }
    }
    Ok(Ordering::Equal)
}

fn differ(a: &Row<'_>, b: &Row<'_>, columns: usize) -> Result<bool, Error> {
    for n in 0..columns {
        if a.get_ref(n)? != b.get_ref(n)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The places of the key's columns, in the key's own order.
fn in_key_order(columns: &[Column]) -> Vec<usize> {
    let mut places: Vec<usize> = (0..columns.len()).filter(|n| columns.get(*n).is_some_and(|c| c.key > 0)).collect();
    places.sort_by_key(|n| columns.get(*n).map(|c| c.key));
    places
}

/// The rows of a table, in the order of its key.
fn select(db: &str, table: &str, columns: &[Column]) -> String {
    let list: Vec<String> = columns.iter().map(|c| format!("t.\"{}\"", c.name)).collect();
    let order: Vec<String> = in_key_order(columns).iter().map(|n| (n + 1).to_string()).collect();
    format!("SELECT {} FROM {db}.{table} t ORDER BY {}", list.join(", "), order.join(", "))
}

fn key_of(row: &Row<'_>, columns: &[Column]) -> Result<String, Error> {
    let mut parts = Vec::new();
    for (n, _) in columns.iter().enumerate().filter(|(_, c)| c.key > 0) {
        parts.push(match row.get_ref(n)? {
            ValueRef::Integer(i) => i.to_string(),
            ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned(),
            ValueRef::Blob(bytes) => data_encoding::HEXLOWER.encode(bytes),
            other => format!("{other:?}"),
        });
    }
    Ok(parts.join(","))
}
