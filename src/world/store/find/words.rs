//! Documents by their words: newest first without looking at the rest, or the best of the newest.

use rusqlite::OptionalExtension as _;

use crate::format::digest::Digest;
use crate::format::terms;
use crate::statement::StatementId;
use crate::world::store::read::{digest, instant};
use crate::world::store::{Error, Store};

/// Documents that are ranked: the newest that have the words. Ranking every one that has a common word takes seconds.
pub const RANKED: i64 = 1000;

/// Documents that have a word, beyond which it tells too little of any of them to be ranked by: a ranking counts them all.
const COMMON: i64 = 500_000;

/// Places in the index at which it is looked how close together the documents lie that have a word.
const LOOKS: i64 = 4;

/// A document as words are looked for in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Document {
    /// a statement's bytes, its source and its media type
    Statement {
        /// as handed in
        bytes: Vec<u8>,
        /// where it came from
        source: String,
        /// its type
        media_type: String,
    },
    /// a post's words
    Post(String),
}

/// A captured page whose words are not in the index yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// the snapshot
    pub snapshot: Digest,
    /// the text digest its manifest states
    pub text: Option<Digest>,
}

/// An exchange of a snapshot, as its words are looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PagePart {
    /// its WARC record
    pub exchange: uuid::Uuid,
    /// the record that holds the body, where this one only refers to it
    pub body: uuid::Uuid,
    /// asked
    pub url: String,
    /// when
    pub at: jiff::Timestamp,
}

/// What the catalogue says of a page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PageHead {
    /// its title
    pub title: Option<String>,
    /// the digest of the text a reader reads
    pub text: Option<Digest>,
}

impl Store {
    /// Gives documents that have the words, until it is told that it is enough.
    pub(super) fn documents<E: From<Error>>(
        &self,
        fts: &str,
        ranked: bool,
        enough: &mut impl FnMut(&str, i64) -> Result<bool, E>,
    ) -> Result<(), E> {
        self.documents_by(fts, ranked.then_some(COMMON), enough)
    }

    /// The same, ranked by phrases that at most about so many have.
    fn documents_by<E: From<Error>>(
        &self,
        fts: &str,
        ranked: Option<i64>,
        enough: &mut impl FnMut(&str, i64) -> Result<bool, E>,
    ) -> Result<(), E> {
        let newest = "SELECT rowid FROM words WHERE words MATCH ?1 ORDER BY rowid DESC";
        let best = "SELECT rowid FROM words WHERE words MATCH ?1 AND rowid >= ?2 AND
             (?3 OR rowid IN (SELECT rowid FROM words WHERE words MATCH ?4 AND rowid >= ?2)) ORDER BY bm25(words), rowid DESC";
        let db = self.db();
        let telling = ranked.map_or(Ok(None), |common| self.telling(fts, common))?;
        let mut query = db.prepare_cached(if telling.is_some() { best } else { newest }).map_err(Error::from)?;
        let mut rows = match &telling {
            Some(telling) => query.query(rusqlite::params![telling, self.cut(fts, i64::MAX)?, telling == fts, fts]),
            None => query.query([fts]),
        }
        .map_err(Error::from)?;
        let mut doc = db.prepare_cached("SELECT kind, ref FROM words_doc WHERE id = ?1").map_err(Error::from)?;
        while let Some(row) = rows.next().map_err(Error::from)? {
            let id: i64 = row.get(0).map_err(Error::from)?;
            let found: Option<(String, i64)> =
                doc.query_row([id], |r| Ok((r.get(0)?, r.get(1)?))).optional().map_err(Error::from)?;
            if let Some((kind, of)) = found
                && enough(&kind, of)?
            {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Of a query, the phrases that documents are ranked by: those that at most about `common` have. None where there is none
    /// such: then the newest are the best.
    fn telling(&self, fts: &str, common: i64) -> Result<Option<String>, Error> {
        let top: Option<i64> =
            self.db().prepare_cached("SELECT max(id) FROM words_doc")?.query_row([], |r| r.get(0))?;
        let mut telling = Vec::new();
        for phrase in terms::phrases(fts) {
            if self.about(phrase, top.unwrap_or(0))? <= common {
                telling.push(phrase);
            }
        }
        Ok((!telling.is_empty()).then(|| telling.join(" ")))
    }

    /// About how many of the `top` documents have a phrase: by how far one goes back at a few places to meet so many as are
    /// ranked. What fewer have costs nothing to count.
    fn about(&self, phrase: &str, top: i64) -> Result<i64, Error> {
        let mut about = 0;
        for n in 1..=LOOKS {
            let from = top / LOOKS * n;
            let back = self.cut(phrase, from)?;
            if back > 0 {
                about += RANKED * (top / LOOKS) / (from - back + 1).max(1);
            }
        }
        Ok(about)
    }

    /// The oldest document that is ranked of those up to `from`; 0 where fewer have the words.
    fn cut(&self, fts: &str, from: i64) -> Result<i64, Error> {
        let cut: Option<i64> = self
            .db()
            .prepare_cached(
                "SELECT rowid FROM words WHERE words MATCH ?1 AND rowid <= ?3 ORDER BY rowid DESC LIMIT 1 OFFSET ?2",
            )?
            .query_row(rusqlite::params![fts, RANKED - 1, from], |r| r.get(0))
            .optional()?;
        Ok(cut.unwrap_or(0))
    }

    /// Pages whose words are not in the index yet, oldest first; at most `limit`.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn waiting_pages(&self, limit: usize) -> Result<Vec<Waiting>, Error> {
        let mut query =
            self.db().prepare_cached("SELECT id, text FROM snapshot WHERE indexed = 0 ORDER BY record LIMIT ?1")?;
        let rows = query.query_map([i64::try_from(limit).unwrap_or(i64::MAX)], |r| {
            Ok(Waiting { snapshot: digest(r, 0)?, text: r.get::<_, Option<[u8; 32]>>(1)?.map(Digest) })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// How many pages wait for that.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn waiting_count(&self) -> Result<u64, Error> {
        let n: i64 =
            self.db().prepare_cached("SELECT count(*) FROM snapshot WHERE indexed = 0")?.query_row([], |r| r.get(0))?;
        Ok(n.unsigned_abs())
    }

    /// The exchanges of a snapshot that can hold its page: hops and answers of archives, last one first.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn page_parts(&self, snapshot: &Digest) -> Result<Vec<PagePart>, Error> {
        let mut query = self.db().prepare_cached(
            "SELECT w.id, coalesce(e.refers_to, w.id), e.url, e.at FROM snapshot s CROSS JOIN snapshot_part p ON p.snapshot = s.record
             CROSS JOIN exchange e ON e.place = p.exchange CROSS JOIN warc_record w ON w.place = e.place
             WHERE substr(s.id, 1, 6) = substr(?1, 1, 6) AND s.id = ?1 AND p.role IN ('hop', 'archive', 'platform') ORDER BY p.n DESC LIMIT 32",
        )?;
        let uuid = |r: &rusqlite::Row<'_>, n: usize| r.get::<_, [u8; 16]>(n).map(uuid::Uuid::from_bytes);
        let rows = query.query_map([snapshot.0], |r| {
            Ok(PagePart { exchange: uuid(r, 0)?, body: uuid(r, 1)?, url: r.get(2)?, at: instant(r, 3)? })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// A page's title and the digest of its text.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn page_head(&self, snapshot: &Digest) -> Result<PageHead, Error> {
        Ok(self
            .db()
            .prepare_cached("SELECT title, text FROM snapshot WHERE substr(id, 1, 6) = substr(?1, 1, 6) AND id = ?1")?
            .query_row([snapshot.0], |r| {
                Ok(PageHead { title: r.get(0)?, text: r.get::<_, Option<[u8; 32]>>(1)?.map(Digest) })
            })
            .optional()?
            .unwrap_or_default())
    }

    /// A statement as words are looked for in it.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn statement_document(&self, id: &StatementId) -> Result<Option<Document>, Error> {
        Ok(self
            .db()
            .prepare_cached(
                "SELECT bytes, source, media_type FROM statement WHERE substr(id, 1, 6) = substr(?1, 1, 6) AND id = ?1",
            )?
            .query_row([id.0.0], |r| {
                Ok(Document::Statement { bytes: r.get(0)?, source: r.get(1)?, media_type: r.get(2)? })
            })
            .optional()?)
    }

    /// The post of a snapshot as words are looked for in it.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn post_document(&self, snapshot: &Digest) -> Result<Option<Document>, Error> {
        Ok(self
            .db()
            .prepare_cached(
                "SELECT p.text || char(10) || coalesce(p.author, '') || ' @' || p.handle FROM snapshot s CROSS JOIN post p ON p.snapshot = s.record
                 WHERE substr(s.id, 1, 6) = substr(?1, 1, 6) AND s.id = ?1",
            )?
            .query_row([snapshot.0], |r| r.get(0).map(Document::Post))
            .optional()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Word `all` stands in each document, `half` in every other, `few` in ten of them, the oldest one of which says it often.
    fn filled(documents: i64) -> Store {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&dir.path().join("onrecord.db")).unwrap();
        store.db().execute_batch("BEGIN").unwrap();
        for n in 1..=documents {
            let half = if n % 2 == 0 { " half" } else { "" };
            let few = if n % (documents / 10) == 0 { " few" } else { "" };
            let often = if n == documents / 10 { " few few few" } else { "" };
            let text = format!("all{half}{few}{often}");
            store.db().execute("INSERT INTO words (rowid, text) VALUES (?1, ?2)", rusqlite::params![n, text]).unwrap();
            store.db().execute("INSERT INTO words_doc (id, kind, ref) VALUES (?1, 'post', ?1)", [n]).unwrap();
        }
        store.db().execute_batch("COMMIT").unwrap();
        store
    }

    #[test]
    fn what_nearly_all_documents_have_is_not_ranked_by() {
        let store = filled(20_000);
        let about = |word: &str| store.about(&format!("\"{word}\""), 20_000).unwrap();
        assert!((19_000..=21_000).contains(&about("all")), "{}", about("all"));
        assert!((9_500..=10_500).contains(&about("half")), "{}", about("half"));
        assert_eq!(about("few"), 0);
        let telling = |fts: &str| store.telling(fts, 5_000).unwrap();
        assert_eq!(telling("\"all\""), None);
        assert_eq!(telling("\"all\" \"few\" \"half\"*").as_deref(), Some("\"few\""));
        assert_eq!(store.telling("\"all\" \"few\"", 50_000).unwrap().as_deref(), Some("\"all\" \"few\""));
    }

    #[test]
    fn the_best_is_the_one_that_says_it_most() {
        let store = filled(20_000);
        // Of the last one's words the first is too common to count.
        for (fts, common) in [("\"few\"", COMMON), ("\"all\" \"few\"", COMMON), ("\"all\" \"few\"", 5_000)] {
            let mut found = Vec::new();
            let mut take = |_: &str, of: i64| -> Result<bool, Error> {
                found.push(of);
                Ok(false)
            };
            store.documents_by(fts, Some(common), &mut take).unwrap();
            assert_eq!((found.len(), found[0]), (10, 2_000), "{fts}: {found:?}");
        }
    }
}
