//! Finding: citations by what they say, where they led and how they ended.

mod plan;
pub mod words;

use std::collections::HashSet;

use jiff::Timestamp;
use rusqlite::types::Value;
use rusqlite::{OptionalExtension as _, Row, params_from_iter};

use crate::citation::{Citation, CitationId};
use crate::format::digest::Digest;
use crate::statement::StatementId;
use crate::world::store::find::plan::{Part, Plan};
use crate::world::store::read::{digest, instant};
use crate::world::store::{Error, Store};

/// What is looked for; every condition narrows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// words, in statements, posts and captured pages
    pub text: Option<String>,
    /// best match first, where there is a text; newest first otherwise
    pub ranked: bool,
    /// in one of these statements
    pub statements: Option<Vec<StatementId>>,
    /// one citation
    pub citation: Option<CitationId>,
    /// link, handle, hashtag, post
    pub kind: Option<String>,
    /// handle without `@`, in any case: cited, or of the post it led to
    pub handle: Option<String>,
    /// part of a name: of the author cited, or of the post it led to
    pub author: Option<String>,
    /// platform: of the citation, or of the post it led to
    pub platform: Option<String>,
    /// a URL cited or led through; a `*` at its end matches any rest
    pub url: Option<String>,
    /// the post it led to: `x:1138…`
    pub post: Option<String>,
    /// anything with this digest: statement, citation, snapshot, record, entity, whole WARC record
    pub digest: Option<Digest>,
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
    /// at most so many
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
    /// exchanges on the way
    pub hops: u64,
    /// the post it led to
    pub post: Option<String>,
    /// when that was posted, as its platform says
    pub posted: Option<Timestamp>,
    /// what stands there
    pub snapshot: Option<Digest>,
    /// the verdict on it
    pub verdict: Option<String>,
    /// an outside authority vouches for a checkpoint over it
    pub anchored: bool,
    /// the body kept of its end is not whole: disconnect, length, time
    pub truncated: Option<String>,
    /// why that body could not be decoded
    pub unread: Option<String>,
}

/// Of `resolution r` and `citation c`; ?1 is the number of records that outside authorities vouch for.
const END: &str = "r.record, r.at, r.ending, r.why, coalesce(r.start, c.url), r.final_url, r.hops, r.post,
 r.posted, r.snapshot_id, r.verdict, r.record < ?1, r.truncated, r.unread";

impl Store {
    /// Every citation that fits, newest ending first and what was never followed last; `each` gets them one by one. With a
    /// text, newest document first, or the best.
    ///
    /// # Errors
    /// SQLite's own, or `each`'s.
    pub fn find<E: From<Error>>(&self, wanted: &Wanted, mut each: impl FnMut(Hit) -> Result<(), E>) -> Result<(), E> {
        let anchored = self.anchored_size()?;
        let plan = Plan::of(wanted, anchored);
        let most = wanted.limit.unwrap_or(usize::MAX);
        let mut seen = HashSet::new();
        let mut given = 0;
        if most == 0 {
            return Ok(());
        }
        let mut give = |hit: Hit| -> Result<bool, E> {
            // With words, a citation can come up by its statement and by what it led to.
            if plan.repeats() && !seen.insert(hit.citation.id) {
                return Ok(false);
            }
            each(hit)?;
            given += 1;
            Ok(given >= most)
        };
        if let Some(text) = plan.documents() {
            return self.documents(text, wanted.ranked, &mut |kind, of| {
                for part in plan.parts_of(kind) {
                    if self.rows(&plan, *part, Some(of), &mut give)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            });
        }
        for part in plan.parts() {
            if self.rows(&plan, *part, None, &mut give)? {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Gives the rows of one part of a plan; says whether enough was given.
    fn rows<E: From<Error>>(
        &self,
        plan: &Plan,
        part: Part,
        of: Option<i64>,
        give: &mut impl FnMut(Hit) -> Result<bool, E>,
    ) -> Result<bool, E> {
        let Some(sql) = plan.sql(part) else { return Ok(false) };
        let mut values = plan.values().to_vec();
        values.extend(of.map(Value::Integer));
        let mut query = self.db().prepare_cached(&sql).map_err(Error::from)?;
        let mut rows = query.query(params_from_iter(values)).map_err(Error::from)?;
        while let Some(row) = rows.next().map_err(Error::from)? {
            if give(hit(row)?)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Records that stand under a checkpoint which an outside authority vouches for: all below this ledger index.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn anchored_size(&self) -> Result<u64, Error> {
        let size: Option<i64> = self
            .db()
            .prepare_cached(
                "SELECT size FROM anchor WHERE state IN ('verified', 'confirmed') ORDER BY size DESC LIMIT 1",
            )?
            .query_row([], |r| r.get(0))
            .optional()?;
        Ok(size.unwrap_or(0).unsigned_abs())
    }

    /// How a citation ended, each time it was followed, oldest first. The verdict is the one made then.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn ends(&self, citation: &CitationId) -> Result<Vec<End>, Error> {
        let then = "(SELECT f.verdict FROM finding f WHERE f.citation = r.citation AND f.run = r.run ORDER BY f.record DESC LIMIT 1)";
        let columns = END.replace("r.verdict", then);
        let sql = format!(
            "SELECT {columns} FROM citation c CROSS JOIN resolution r ON r.citation = c.key
             WHERE substr(c.id, 1, 6) = substr(?2, 1, 6) AND c.id = ?2 ORDER BY r.record"
        );
        let anchored = i64::try_from(self.anchored_size()?).unwrap_or(i64::MAX);
        let mut query = self.db().prepare_cached(&sql)?;
        let rows = query.query_map(rusqlite::params![anchored, citation.0.0], |row| end(row, 0))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Statements that came from this source: a path, a URL, or the end of one behind a `/`.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn from_source(&self, source: &str) -> Result<Vec<StatementId>, Error> {
        let mut query = self.db().prepare_cached(
            "SELECT s.id FROM statement s WHERE s.record IN (SELECT statement FROM statement_source WHERE source = ?1
             UNION SELECT statement FROM statement_source WHERE substr(source, -length(?1) - 1) = '/' || ?1) ORDER BY s.id",
        )?;
        let rows = query.query_map([source], |r| digest(r, 0).map(StatementId))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
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
    let posted = match row.get::<_, Option<i64>>(from + 8)? {
        Some(_) => Some(instant(row, from + 8)?),
        None => None,
    };
    Ok(End {
        index: row.get::<_, i64>(from)?.unsigned_abs(),
        at: instant(row, from + 1)?,
        ending: row.get(from + 2)?,
        why: row.get(from + 3)?,
        start: row.get(from + 4)?,
        final_url: row.get(from + 5)?,
        hops: row.get::<_, i64>(from + 6)?.unsigned_abs(),
        post: row.get(from + 7)?,
        posted,
        snapshot: row.get::<_, Option<[u8; 32]>>(from + 9)?.map(Digest),
        verdict: row.get(from + 10)?,
        anchored: row.get(from + 11)?,
        truncated: row.get(from + 12)?,
        unread: row.get(from + 13)?,
    })
}
