//! Finding: citations by what they say, where they led and how they ended.

use jiff::Timestamp;
use rusqlite::types::Value;
use rusqlite::{Row, params_from_iter};

use crate::citation::{Citation, CitationId};
use crate::format::digest::Digest;
use crate::statement::StatementId;
use crate::world::store::read::{digest, instant};
use crate::world::store::{Error, Store};

/// What is looked for; every condition narrows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// words, in statements, posts and captured pages
    pub text: Option<String>,
    /// the statement
    pub statement: Option<StatementId>,
    /// link, handle, hashtag, post
    pub kind: Option<String>,
    /// handle without `@`, in any case
    pub handle: Option<String>,
    /// platform
    pub platform: Option<String>,
    /// a URL cited or led to; a `*` at its end matches any rest
    pub url: Option<String>,
    /// ending
    pub ending: Option<String>,
    /// verdict
    pub verdict: Option<String>,
    /// ended at or after
    pub since: Option<Timestamp>,
    /// ended before
    pub until: Option<Timestamp>,
    /// statement dated on or after, `YYYY-MM-DD`
    pub cited_since: Option<String>,
    /// statement dated on or before
    pub cited_until: Option<String>,
    /// posted at or after
    pub posted_since: Option<Timestamp>,
    /// posted before
    pub posted_until: Option<Timestamp>,
    /// under a checkpoint that an outside authority vouches for
    pub anchored: bool,
    /// at most so many, newest first
    pub limit: Option<usize>,
}

/// One citation found.
#[derive(Clone, Debug, PartialEq)]
pub struct Hit {
    /// where it stands
    pub statement: StatementId,
    /// where that came from
    pub source: String,
    /// its date
    pub statement_date: Option<String>,
    /// itself
    pub citation: Citation,
    /// its latest ending, where it was followed
    pub end: Option<End>,
}

/// How a citation ended last.
#[derive(Clone, Debug, PartialEq)]
pub struct End {
    /// ledger index of the record that says so
    pub index: u64,
    /// when
    pub at: Timestamp,
    /// how
    pub ending: String,
    /// what the ending rests on
    pub why: String,
    /// where it began
    pub start: String,
    /// where it ended
    pub final_url: Option<String>,
    /// the post it led to
    pub post: Option<String>,
    /// what stands there
    pub snapshot: Option<Digest>,
    /// the verdict on it
    pub verdict: Option<String>,
    /// an outside authority vouches for a checkpoint over it
    pub anchored: bool,
}

const COLUMNS: &str = "SELECT c.statement, s.source, s.date, c.body, r.record, r.at, r.ending, r.why, r.start, r.final_url, r.post, r.snapshot,
 (SELECT f.verdict FROM finding f WHERE f.citation = c.id ORDER BY f.record DESC LIMIT 1),
 EXISTS (SELECT 1 FROM anchor a WHERE a.size > r.record AND a.state IN ('verified', 'confirmed'))
 FROM citation c JOIN statement s ON s.id = c.statement
 LEFT JOIN resolution r ON r.record = (SELECT max(record) FROM resolution WHERE citation = c.id)";

/// Conditions and their values, in step.
#[derive(Default)]
struct Where {
    conditions: Vec<String>,
    values: Vec<Value>,
}

impl Where {
    fn add(&mut self, condition: &str, value: impl Into<Value>) {
        self.values.push(value.into());
        self.conditions.push(condition.replace("?", &format!("?{}", self.values.len())));
    }

    fn add_if<T: Into<Value>>(&mut self, condition: &str, value: Option<T>) {
        if let Some(value) = value {
            self.add(condition, value);
        }
    }
}

impl Store {
    /// Every citation that fits, newest ending first; `each` gets them one by one.
    ///
    /// # Errors
    /// SQLite's own, or `each`'s.
    pub fn find<E: From<Error>>(&self, wanted: &Wanted, mut each: impl FnMut(Hit) -> Result<(), E>) -> Result<(), E> {
        let all = conditions(wanted);
        let mut sql = COLUMNS.to_owned();
        if !all.conditions.is_empty() {
            sql.push_str(" WHERE ");
            sql.push_str(&all.conditions.join(" AND "));
        }
        sql.push_str(" ORDER BY r.record DESC, s.record DESC, c.seq");
        if let Some(limit) = wanted.limit {
            sql.push_str(&format!(" LIMIT {limit}"));
        }
        let mut query = self.db().prepare_cached(&sql).map_err(Error::from)?;
        let mut rows = query.query(params_from_iter(all.values)).map_err(Error::from)?;
        while let Some(row) = rows.next().map_err(Error::from)? {
            each(hit(row)?)?;
        }
        Ok(())
    }

    /// How a citation ended, each time it was followed, oldest first.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn ends(&self, citation: &CitationId) -> Result<Vec<End>, Error> {
        let mut query = self.db().prepare_cached(
            "SELECT r.record, r.at, r.ending, r.why, r.start, r.final_url, r.post, r.snapshot,
             (SELECT f.verdict FROM finding f WHERE f.citation = r.citation AND f.record > r.record - 8 AND f.run = r.run LIMIT 1),
             EXISTS (SELECT 1 FROM anchor a WHERE a.size > r.record AND a.state IN ('verified', 'confirmed'))
             FROM resolution r WHERE r.citation = ?1 ORDER BY r.record",
        )?;
        let rows = query.query_map([citation.0.0], |row| end(row, 0))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

fn conditions(wanted: &Wanted) -> Where {
    let mut all = Where::default();
    all.add_if("c.statement = ?", wanted.statement.map(|id| id.0.0.to_vec()));
    all.add_if("c.kind = ?", wanted.kind.clone());
    all.add_if("c.handle = ? COLLATE NOCASE", wanted.handle.clone());
    all.add_if("c.platform = ?", wanted.platform.clone());
    all.add_if("r.ending = ?", wanted.ending.clone());
    all.add_if(
        "(SELECT f.verdict FROM finding f WHERE f.citation = c.id ORDER BY f.record DESC LIMIT 1) = ?",
        wanted.verdict.clone(),
    );
    all.add_if("r.at >= ?", wanted.since.map(Timestamp::as_microsecond));
    all.add_if("r.at < ?", wanted.until.map(Timestamp::as_microsecond));
    all.add_if("s.date >= ?", wanted.cited_since.clone());
    all.add_if("s.date <= ?", wanted.cited_until.clone());
    let posted = "EXISTS (SELECT 1 FROM post p WHERE p.snapshot = r.snapshot AND p.posted";
    all.add_if(&format!("{posted} >= ?)"), wanted.posted_since.map(Timestamp::as_microsecond));
    all.add_if(&format!("{posted} < ?)"), wanted.posted_until.map(Timestamp::as_microsecond));
    if wanted.anchored {
        all.conditions.push(
            "EXISTS (SELECT 1 FROM anchor a WHERE a.size > r.record AND a.state IN ('verified', 'confirmed'))"
                .to_owned(),
        );
    }
    if let Some(url) = &wanted.url {
        url_is(&mut all, url);
    }
    if let Some(text) = &wanted.text {
        words_are(&mut all, text);
    }
    all
}

/// A prefix is a range of the index: from itself up to itself followed by the last code point there is.
fn url_is(all: &mut Where, url: &str) {
    let one_of = |test: &str| {
        format!(
            "(c.url {test} OR r.start {test} OR r.final_url {test} OR EXISTS (SELECT 1 FROM hop h WHERE h.resolution = r.record AND h.url {test}))"
        )
    };
    match url.strip_suffix('*') {
        None => {
            all.values.push(url.to_owned().into());
            all.conditions.push(one_of(&format!("= ?{}", all.values.len())));
        }
        Some(prefix) => {
            all.values.push(prefix.to_owned().into());
            all.values.push(format!("{prefix}\u{10FFFF}").into());
            let n = all.values.len();
            all.conditions.push(one_of(&format!("BETWEEN ?{} AND ?{n}", n - 1)));
        }
    }
}

fn words_are(all: &mut Where, text: &str) {
    let fts = fts_query(text);
    all.values.push(fts.into());
    let n = all.values.len();
    let mut sources = vec![format!("SELECT rowid FROM words WHERE words MATCH ?{n}")];
    // The trigram index answers for three characters and more.
    if text.chars().count() >= 3 {
        sources.push(format!("SELECT rowid FROM words_tri WHERE words_tri MATCH ?{n}"));
    }
    let hits = format!("SELECT kind, ref FROM words_doc WHERE id IN ({})", sources.join(" UNION "));
    all.conditions.push(format!(
        "(c.statement IN (SELECT ref FROM ({hits}) WHERE kind = 'statement') OR r.snapshot IN (SELECT ref FROM ({hits}) WHERE kind <> 'statement'))"
    ));
}

/// What a person typed, as an FTS5 query: every word must be there; words in quotes stand together; nothing is syntax.
fn fts_query(text: &str) -> String {
    let mut out = Vec::new();
    for (n, piece) in text.split('"').enumerate() {
        if n % 2 == 1 {
            if !piece.trim().is_empty() {
                out.push(format!("\"{piece}\""));
            }
        } else {
            out.extend(piece.split_whitespace().map(|word| match word.strip_suffix('*') {
                Some(stem) if !stem.is_empty() => format!("\"{stem}\"*"),
                _ => format!("\"{word}\""),
            }));
        }
    }
    if out.is_empty() { "\"\"".to_owned() } else { out.join(" ") }
}

fn hit(row: &Row<'_>) -> Result<Hit, Error> {
    let body: String = row.get(3)?;
    let citation = serde_json::from_str(&body).map_err(|e| Error::Row { table: "citation", what: e.to_string() })?;
    let end = match row.get::<_, Option<i64>>(4)? {
        Some(_) => Some(end(row, 4)?),
        None => None,
    };
    Ok(Hit { statement: StatementId(digest(row, 0)?), source: row.get(1)?, statement_date: row.get(2)?, citation, end })
}

fn end(row: &Row<'_>, from: usize) -> Result<End, rusqlite::Error> {
    Ok(End {
        index: row.get::<_, i64>(from)?.unsigned_abs(),
        at: instant(row, from + 1)?,
        ending: row.get(from + 2)?,
        why: row.get(from + 3)?,
        start: row.get(from + 4)?,
        final_url: row.get(from + 5)?,
        post: row.get(from + 6)?,
        snapshot: row.get::<_, Option<[u8; 32]>>(from + 7)?.map(Digest),
        verdict: row.get(from + 8)?,
        anchored: row.get(from + 9)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_is_words_and_never_syntax() {
        assert_eq!(fts_query("riot police"), "\"riot\" \"police\"");
        assert_eq!(fts_query("\"riot police\" site*"), "\"riot police\" \"site\"*");
        assert_eq!(fts_query("a AND (b OR"), "\"a\" \"AND\" \"(b\" \"OR\"");
        assert_eq!(fts_query("  "), "\"\"");
        assert_eq!(fts_query("un\"closed"), "\"un\" \"closed\"");
    }
}
