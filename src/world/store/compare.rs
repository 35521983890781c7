//! Two catalogues, row by row: the one in use and one made anew.

use std::path::Path;

use rusqlite::Connection;

use crate::world::store::{Error, Store};

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

/// Tables that are not rebuilt row for row: the queue's timers, and the index of words. What is unbound is judged by the
/// new catalogue alone: behind one damaged file much seems so.
const NOT_COMPARED: [&str; 3] = ["due", "unbound", "words_doc"];
/// Columns that say how far the index of words is.
const NOT_COMPARED_COLUMNS: [(&str, &str); 1] = [("snapshot", "indexed")];

/// Compares the catalogue at `path` with `anew`.
///
/// # Errors
/// SQLite's own: a file that is damaged so that it cannot be read.
pub fn rows(anew: &Store, path: &Path) -> Result<Compared, Error> {
    let db = anew.db();
    db.execute("ATTACH ?1 AS used", [format!("file:{}?mode=ro", path.display())])?;
    let compared = attached(db);
    db.execute("DETACH used", [])?;
    compared
}

fn attached(db: &Connection) -> Result<Compared, Error> {
    let mut compared = Compared::default();
    let mut tables = db.prepare(
        "SELECT name FROM main.sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name NOT LIKE 'words%' ORDER BY name",
    )?;
    let names = tables.query_map([], |r| r.get::<_, String>(0))?.collect::<Result<Vec<_>, _>>()?;
    for table in names.iter().filter(|name| !NOT_COMPARED.contains(&name.as_str())) {
        one(db, table, &mut compared)?;
    }
    Ok(compared)
}

struct Column {
    name: String,
    key: bool,
}

fn one(db: &Connection, table: &str, compared: &mut Compared) -> Result<(), Error> {
    let mut info = db.prepare("SELECT name, pk FROM pragma_table_info(?1)")?;
    let columns: Vec<Column> = info
        .query_map([table], |r| Ok(Column { name: r.get(0)?, key: r.get::<_, i64>(1)? > 0 }))?
        .collect::<Result<_, _>>()?;
    let columns: Vec<Column> =
        columns.into_iter().filter(|c| !NOT_COMPARED_COLUMNS.contains(&(table, c.name.as_str()))).collect();
    let n: i64 = db.query_row(&format!("SELECT count(*) FROM used.{table}"), [], |r| r.get(0))?;
    compared.rows += n.unsigned_abs();
    let (here, there) = (select("main", table, &columns), select("used", table, &columns));
    let missing = keys_of(db, &format!("{here} EXCEPT {there}"), &columns)?;
    let extra = keys_of(db, &format!("{there} EXCEPT {here}"), &columns)?;
    for key in &missing {
        let kind = if extra.contains(key) { "row-changed" } else { "row-missing" };
        compared.differences.push(Difference { table: table.to_owned(), key: key.clone(), kind });
    }
    for key in extra.into_iter().filter(|key| !missing.contains(key)) {
        compared.differences.push(Difference { table: table.to_owned(), key, kind: "row-added" });
    }
    Ok(())
}

/// The rows of a table; a file's small number, which only order of creation gives, is read as its name.
fn select(db: &str, table: &str, columns: &[Column]) -> String {
    let list: Vec<String> = columns
        .iter()
        .map(|c| match (table, c.name.as_str()) {
            ("warc_record", "file") => format!("(SELECT f.name FROM {db}.warc_file f WHERE f.id = t.file) AS file"),
            // Its name is its key then.
            ("warc_file", "id") => "t.name AS id".to_owned(),
            (_, name) => format!("t.\"{name}\""),
        })
        .collect();
    format!("SELECT {} FROM {db}.{table} t", list.join(", "))
}

fn keys_of(db: &Connection, sql: &str, columns: &[Column]) -> Result<Vec<String>, Error> {
    let mut query = db.prepare(&format!("{sql} LIMIT {MOST}"))?;
    let mut rows = query.query([])?;
    let mut keys = Vec::new();
    while let Some(row) = rows.next()? {
        let mut parts = Vec::new();
        for (n, _) in columns.iter().enumerate().filter(|(_, c)| c.key) {
            parts.push(match row.get_ref(n)? {
                rusqlite::types::ValueRef::Integer(i) => i.to_string(),
                rusqlite::types::ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned(),
                rusqlite::types::ValueRef::Blob(bytes) => data_encoding::HEXLOWER.encode(bytes),
                other => format!("{other:?}"),
            });
        }
        keys.push(parts.join(","));
    }
    Ok(keys)
}
