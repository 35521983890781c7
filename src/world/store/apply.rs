//! From records to rows: the one way in which a row is ever made, in the normal run and in `reindex` alike.

use std::cell::RefCell;
use std::collections::HashMap;

use jiff::Timestamp;
use rusqlite::{OptionalExtension, Transaction, params};
use uuid::Uuid;

use crate::citation::{Citation, Kind};
use crate::format::digest::Digest;
use crate::format::json;
use crate::format::terms;
use crate::platform::post::Post;
use crate::record::{self, ChangeSeen, Event, FindingMade, Held, Record, ResolutionEnded, StatementAdded};
use crate::resolution::exchange::RecordName;
use crate::snapshot::Manifest;
use crate::statement::{self, Hint};
use crate::world::store::Error;
use crate::world::store::read::{Located, locate};

/// A WARC record as the catalogue sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WarcRow {
    /// its id
    pub id: Uuid,
    /// base name of its file, without `.open`
    pub file: String,
    /// first byte of its member
    pub offset: u64,
    /// bytes of its member
    pub length: u64,
    /// as numbered in schema.sql
    pub kind: u8,
    /// whole-record digest
    pub digest: Digest,
    /// what a response or revisit adds
    pub exchange: Option<ExchangeRow>,
}

/// What a response or revisit record tells of its exchange.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExchangeRow {
    /// WARC-Target-URI
    pub url: String,
    /// WARC-Date
    pub at: Timestamp,
    /// WARC-IP-Address
    pub ip: Option<String>,
    /// HTTP status
    pub status: Option<u16>,
    /// media type
    pub media_type: Option<String>,
    /// entity digest
    pub payload: Option<Digest>,
    /// entity bytes
    pub payload_len: Option<u64>,
    /// WARC-Refers-To
    pub refers_to: Option<Uuid>,
}

/// Gives the block of the WARC record that a ledger record names.
pub trait Documents {
    /// The block of `name`, checked against the digest in it.
    ///
    /// # Errors
    /// [`Error::Document`] where it is not to be had.
    fn block(&self, name: &RecordName) -> Result<Vec<u8>, Error>;

    /// The same for bytes that are not ours: whatever they say, they name nothing.
    ///
    /// # Errors
    /// As [`Documents::block`].
    fn foreign(&self, name: &RecordName) -> Result<Vec<u8>, Error> {
        self.block(name)
    }
}

/// Remembers what the documents that pass through it name.
struct Named<'a> {
    docs: &'a dyn Documents,
    names: RefCell<Vec<RecordName>>,
}

impl Documents for Named<'_> {
    fn block(&self, name: &RecordName) -> Result<Vec<u8>, Error> {
        let block = self.docs.block(name)?;
        self.names.borrow_mut().extend(record::names(&block));
        Ok(block)
    }

    fn foreign(&self, name: &RecordName) -> Result<Vec<u8>, Error> {
        self.docs.foreign(name)
    }
}

/// A record on its way into the catalogue.
#[derive(Clone, Copy, Debug)]
pub struct Leaf<'a> {
    /// its ledger index
    pub index: u64,
    /// the leaf's data
    pub data: Digest,
    /// the WARC record it lies in
    pub warc: Uuid,
    /// itself
    pub record: &'a Record,
}

/// Which WARC records the ledger's records bind: the first record that names one, by its own digest.
#[derive(Debug, Default)]
pub struct Bound {
    /// records of ours, by the WARC record they lie in
    own: HashMap<Uuid, i64>,
    named: HashMap<RecordName, i64>,
}

impl Bound {
    /// The ledger index of the record that binds this one.
    fn take(&mut self, row: &WarcRow) -> Option<i64> {
        let named = self.named.remove(&RecordName { id: row.id, digest: row.digest });
        self.own.remove(&row.id).or(named)
    }
}

/// A WARC file as far as a transaction has come with it.
#[derive(Clone, Copy)]
struct Written {
    id: i64,
    known: u64,
}

/// One transaction's worth of rows.
pub struct Batch<'a> {
    tx: &'a Transaction<'a>,
    words: bool,
    files: RefCell<HashMap<String, Written>>,
}

impl std::fmt::Debug for Batch<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Batch")
    }
}

impl<'a> Batch<'a> {
    pub(crate) fn new(tx: &'a Transaction<'a>, words: bool) -> Self {
        Self { tx, words, files: RefCell::default() }
    }

    /// Writes what was left for the end of the transaction.
    pub(crate) fn settle(&self) -> Result<(), Error> {
        for file in self.files.borrow().values() {
            self.put(
                "UPDATE warc_file SET known = max(known, ?2) WHERE id = ?1",
                params![file.id, signed(file.known)],
            )?;
        }
        Ok(())
    }

    pub(super) fn db(&self) -> &rusqlite::Connection {
        self.tx
    }

    pub(super) fn put(&self, sql: &str, values: impl rusqlite::Params) -> Result<usize, Error> {
        Ok(self.tx.prepare_cached(sql)?.execute(values)?)
    }

    /// Does `deed` and takes it back where it fails, without touching the rest of the transaction.
    ///
    /// # Errors
    /// What `deed` says, and SQLite's own.
    pub fn apart<T>(&self, deed: impl FnOnce(&Self) -> Result<T, Error>) -> Result<T, Error> {
        self.tx.prepare_cached("SAVEPOINT apart")?.execute([])?;
        let before = self.files.borrow().clone();
        let done = deed(self);
        if done.is_err() {
            self.files.replace(before);
            self.tx.prepare_cached("ROLLBACK TO apart")?.execute([])?;
        }
        self.tx.prepare_cached("RELEASE apart")?.execute([])?;
        done
    }

    /// Adds a WARC record. The same one again changes nothing.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn warc(&self, row: &WarcRow) -> Result<(), Error> {
        self.warc_bound(row, None).map(drop)
    }

    /// The same; false where a record of that id is there already.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn warc_anew(&self, row: &WarcRow) -> Result<bool, Error> {
        self.warc_bound(row, None)
    }

    /// The same for records that are bound by records just added: written once, and not again to say so.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn warcs(&self, rows: &[WarcRow], mut bound: Bound) -> Result<(), Error> {
        rows.iter().try_for_each(|row| self.warc_bound(row, bound.take(row)).map(drop))?;
        self.bind(bound)
    }

    fn warc_bound(&self, row: &WarcRow, record: Option<i64>) -> Result<bool, Error> {
        let file = self.file(row)?;
        let added = self.put(
            "INSERT OR IGNORE INTO warc_record (id, file, offset, length, type, digest, record)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            params![
                row.id.as_bytes(),
                file,
                signed(row.offset),
                signed(row.length),
                i64::from(row.kind),
                row.digest.0,
                record
            ],
        )?;
        let Some(e) = &row.exchange else { return Ok(added > 0) };
        self.put(
            "INSERT OR IGNORE INTO exchange (id, url, at, ip, status, media_type, payload, payload_len, refers_to)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            params![
                row.id.as_bytes(),
                e.url,
                e.at.as_microsecond(),
                e.ip,
                e.status,
                e.media_type,
                e.payload.map(|d| d.0),
                e.payload_len.map(signed),
                e.refers_to.map(|id| *id.as_bytes()),
            ],
        )?;
        Ok(added > 0)
    }

    /// The number of a record's file, which is known to the record's end from now on.
    fn file(&self, row: &WarcRow) -> Result<i64, Error> {
        let end = row.offset.saturating_add(row.length);
        if let Some(file) = self.files.borrow_mut().get_mut(&row.file) {
            file.known = file.known.max(end);
            return Ok(file.id);
        }
        let found: Option<i64> = self
            .tx
            .prepare_cached("SELECT id FROM warc_file WHERE name = ?1")?
            .query_row([&row.file], |r| r.get(0))
            .optional()?;
        let id = match found {
            Some(id) => id,
            None => {
                self.put("INSERT INTO warc_file (name) VALUES (?1)", [&row.file])?;
                self.tx.last_insert_rowid()
            }
        };
        self.files.borrow_mut().insert(row.file.clone(), Written { id, known: end });
        Ok(id)
    }

    /// The ledger index the next record gets.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn next_index(&self) -> Result<u64, Error> {
        let next: i64 =
            self.tx.prepare_cached("SELECT coalesce(max(idx) + 1, 0) FROM record")?.query_row([], |r| r.get(0))?;
        Ok(next.unsigned_abs())
    }

    /// Where a WARC record lies, rows of this transaction included.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn locate(&self, id: Uuid) -> Result<Option<Located>, Error> {
        locate(self.tx, id)
    }

    /// Whether a leaf is here already.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn holds(&self, leaf: &Digest) -> Result<bool, Error> {
        Ok(self
            .tx
            .prepare_cached("SELECT 1 FROM record WHERE substr(leaf, 1, 6) = substr(?1, 1, 6) AND leaf = ?1")?
            .query_row([leaf.0], |_| Ok(()))
            .optional()?
            .is_some())
    }

    /// Adds a record and every row that follows from it.
    ///
    /// # Errors
    /// A document that is missing or has another shape, and SQLite's own.
    pub fn record(&self, leaf: Leaf<'_>, docs: &dyn Documents) -> Result<(), Error> {
        let text = text_of(leaf.record)?;
        let mut bound = Bound::default();
        self.record_naming(leaf, text.as_bytes(), docs, &mut bound)?;
        self.bind(bound)
    }

    /// The same where the record's canonical bytes are at hand; the WARC records that it binds go to `bound`.
    ///
    /// # Errors
    /// As [`Batch::record`].
    pub fn record_naming(
        &self,
        leaf: Leaf<'_>,
        canonical: &[u8],
        docs: &dyn Documents,
        bound: &mut Bound,
    ) -> Result<(), Error> {
        let idx = signed(leaf.index);
        let named = Named { docs, names: RefCell::new(record::names(canonical)) };
        self.rows(leaf, &named)?;
        bound.own.entry(leaf.warc).or_insert(idx);
        for name in named.names.into_inner() {
            bound.named.entry(name).or_insert(idx);
        }
        Ok(())
    }

    /// Notes which records bind WARC records that are in the catalogue already; what was bound before stays as it is.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn bind(&self, bound: Bound) -> Result<(), Error> {
        for (id, idx) in bound.own {
            let mine = "UPDATE warc_record SET record = ?1 WHERE id = ?2 AND record IS NULL";
            self.put(mine, params![idx, id.as_bytes()])?;
        }
        for (name, idx) in bound.named {
            self.put(
                "UPDATE warc_record SET record = ?1 WHERE id = ?2 AND record IS NULL AND digest = ?3",
                params![idx, name.id.as_bytes(), name.digest.0],
            )?;
        }
        Ok(())
    }

    fn rows(&self, leaf: Leaf<'_>, docs: &dyn Documents) -> Result<(), Error> {
        let Leaf { index, data, warc, record } = leaf;
        self.put(
            "INSERT INTO record (idx, leaf, warc, kind, at) VALUES (?1, ?2, ?3, ?4, ?5)",
            params![signed(index), data.0, warc.as_bytes(), record.event.kind(), record.at.as_microsecond()],
        )?;
        let idx = signed(index);
        match &record.event {
            Event::ArchiveCreated { origin, vkey, software } => {
                for (key, value) in [
                    ("origin", origin.as_str()),
                    ("vkey", vkey),
                    ("software", software),
                    ("created", &crate::format::time::rfc3339(record.at)),
                ] {
                    self.put("INSERT OR REPLACE INTO meta (key, value) VALUES (?1, ?2)", [key, value])?;
                }
                Ok(())
            }
            Event::StatementAdded(added) => self.statement(idx, record.at, added, docs),
            Event::RunOpened { run, planned, plan, .. } => {
                self.put(
                    "INSERT INTO run (id, opened, planned, record) VALUES (?1, ?2, ?3, ?4)",
                    params![run.0.as_bytes(), record.at.as_microsecond(), signed(*planned), idx],
                )?;
                for citation in held(plan, docs)? {
                    self.put(
                        "INSERT OR IGNORE INTO run_plan (run, citation) VALUES (?1, ?2)",
                        params![run.0.as_bytes(), citation.0.0],
                    )?;
                }
                Ok(())
            }
            Event::ResolutionEnded(ended) => self.resolution(idx, record.at, ended, docs),
            Event::SnapshotTaken { snapshot, manifest, .. } => self.snapshot(idx, snapshot, manifest, docs),
            Event::SnapshotUnchanged { .. } => Ok(()),
            Event::ChangeSeen(seen) => self.change(idx, record.at, seen, docs),
            Event::FindingMade(made) => self.finding(idx, record.at, made, docs),
            Event::RunClosed { run, ended, .. } => {
                self.put(
                    "UPDATE run SET closed = ?2, ended = ?3, closing = ?4 WHERE id = ?1",
                    params![run.0.as_bytes(), record.at.as_microsecond(), signed(*ended), idx],
                )?;
                Ok(())
            }
            Event::AnchorAdded { size, anchor, authority, state, file, time, .. } => {
                self.put(
                    "INSERT INTO anchor (record, size, kind, authority, state, file, at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                    params![idx, signed(*size), anchor, authority, state, file, time.map(|t| t.as_microsecond())],
                )?;
                Ok(())
            }
            // What it names is bound by it, and that is all.
            Event::EvidenceKept { records } => held(records, docs).map(drop),
            Event::ArchiveRequested(_)
            | Event::RunMissed { .. }
            | Event::KeyRotated { .. }
            | Event::ContentRemoved { .. }
            | Event::ExportMade { .. }
            | Event::FixityChecked { .. } => {
                self.put(
                    "INSERT INTO event (record, kind, at, body) VALUES (?1, ?2, ?3, ?4)",
                    params![idx, record.event.kind(), record.at.as_microsecond(), text_of(record)?],
                )?;
                Ok(())
            }
        }
    }

    fn statement(&self, idx: i64, at: Timestamp, added: &StatementAdded, docs: &dyn Documents) -> Result<(), Error> {
        let id = added.statement.0.0;
        self.put(
            "INSERT OR IGNORE INTO statement_source (statement, source, record) VALUES (?1, ?2, ?3)",
            params![id, added.source, idx],
        )?;
        let bytes = docs.foreign(&added.content)?;
        let about = &added.about;
        let fresh = self.put(
            "INSERT OR IGNORE INTO statement (id, bytes, media_type, source, date, title, language, publisher, author, record)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
            params![
                id,
                bytes,
                added.media_type,
                added.source,
                about.date,
                about.title,
                about.language,
                about.publisher,
                about.author,
                idx
            ],
        )?;
        if fresh == 0 {
            return Ok(());
        }
        self.count("total", "statement")?;
        for (seq, citation) in held(&added.citations, docs)?.iter().enumerate() {
            self.citation(&id, seq, citation)?;
            if citation.is_followed() {
                self.put(
                    "INSERT OR IGNORE INTO due (citation, at, looks, failures, planned) VALUES (?1, ?2, 0, 0, 1)",
                    params![citation.id.0.0, at.as_microsecond()],
                )?;
            }
        }
        let hint = Hint { source: added.source.clone(), content_type: Some(added.media_type.clone()) };
        if self.words
            && let Ok(read) = statement::read(bytes, &hint)
        {
            self.words("statement", &id, &read.text)?;
        }
        Ok(())
    }

    fn citation(&self, statement: &[u8; 32], seq: usize, citation: &Citation) -> Result<(), Error> {
        let columns = Columns::of(&citation.kind);
        self.put(
            "INSERT OR IGNORE INTO citation (id, statement, seq, kind, form, raw, url, platform, handle, tag, author, date, quoted,
             span_start, span_end, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)",
            params![
                citation.id.0.0,
                statement,
                seq as i64,
                columns.kind,
                columns.form,
                citation.raw,
                columns.url,
                columns.platform,
                columns.handle,
                columns.tag,
                columns.author,
                columns.date,
                columns.quoted,
                citation.span.0 as i64,
                citation.span.1 as i64,
                text_of(citation)?,
            ],
        )?;
        if let Some(platform) = columns.platform {
            self.count("platform", platform)?;
        }
        self.count("kind", columns.kind)
    }

    fn resolution(&self, idx: i64, at: Timestamp, ended: &ResolutionEnded, docs: &dyn Documents) -> Result<(), Error> {
        let way = held(&ended.way, docs)?;
        let asked = way.hops.iter().filter(|hop| hop.at.is_some()).count();
        self.overtake(&ended.citation.0)?;
        self.put(
            "INSERT INTO resolution (record, run, citation, at, ending, why, start, final_url, hops, post, snapshot, retry_at, latest, verdict)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, 1,
              (SELECT f.verdict FROM finding f WHERE f.citation = ?3 ORDER BY f.record DESC LIMIT 1))",
            params![
                idx,
                ended.run.0.as_bytes(),
                ended.citation.0.0,
                at.as_microsecond(),
                ended.ending.as_str(),
                way.why,
                way.start,
                way.final_url,
                asked as i64,
                ended.post.as_ref().map(ToString::to_string),
                ended.snapshot.map(|d| d.0),
                ended.retry_at.map(Timestamp::as_microsecond),
            ],
        )?;
        for hop in &way.hops {
            let exchange = hop.evidence.as_ref().and_then(|e| e.response).map(|r| *r.id.as_bytes());
            self.put(
                "INSERT INTO hop (resolution, n, url, status, via, to_url, at, ip, ms, error, exchange)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
                params![
                    idx,
                    hop.n as i64,
                    hop.url,
                    hop.status,
                    hop.via,
                    hop.to,
                    hop.at.map(Timestamp::as_microsecond),
                    hop.ip,
                    hop.ms.map(signed),
                    hop.error,
                    exchange,
                ],
            )?;
        }
        let mut urls: Vec<&str> = vec![&way.start];
        urls.extend(way.final_url.as_deref());
        urls.extend(way.hops.iter().map(|hop| hop.url.as_str()));
        for url in urls {
            self.put("INSERT OR IGNORE INTO way (url, record) VALUES (?1, ?2)", params![url, idx])?;
        }
        self.looked(ended, at)?;
        self.count("ending", ended.ending.as_str())?;
        self.count("standing", ended.ending.as_str())
    }

    /// The citation's last ending, if it has one, is no longer its last.
    fn overtake(&self, citation: &Digest) -> Result<(), Error> {
        let last: Option<(i64, String)> = self
            .tx
            .prepare_cached("SELECT record, ending FROM resolution WHERE citation = ?1 AND latest = 1")?
            .query_row([citation.0], |r| Ok((r.get(0)?, r.get(1)?)))
            .optional()?;
        let Some((record, ending)) = last else { return Ok(()) };
        self.put("UPDATE resolution SET latest = 0, verdict = NULL WHERE record = ?1", [record])?;
        self.put("UPDATE tally SET n = n - 1 WHERE name = 'standing' AND value = ?1", [&ending])?;
        self.put("DELETE FROM tally WHERE name = 'standing' AND n = 0", [])?;
        Ok(())
    }

    /// Counts a look; when the next one is due is the policy's word, which [`Batch::due`] brings.
    fn looked(&self, ended: &ResolutionEnded, at: Timestamp) -> Result<(), Error> {
        let (looks, failures) = if ended.ending.is_retryable() { (0, 1) } else { (1, 0) };
        let at = ended.retry_at.unwrap_or(at).as_microsecond();
        self.put(
            "INSERT INTO due (citation, at, looks, failures, planned) VALUES (?1, ?2, ?3, ?4, 0)
             ON CONFLICT (citation) DO UPDATE SET at = excluded.at, looks = looks + excluded.looks,
             failures = CASE excluded.failures WHEN 0 THEN 0 ELSE failures + 1 END, planned = 0",
            params![ended.citation.0.0, at, looks, failures],
        )?;
        Ok(())
    }

    fn change(&self, idx: i64, at: Timestamp, seen: &ChangeSeen, docs: &dyn Documents) -> Result<(), Error> {
        for (n, change) in held(&seen.changes, docs)?.iter().enumerate() {
            self.put(
                "INSERT INTO change (record, n, citation, at, what, before, after, ending_before, ending_after, snapshot_before,
                 snapshot_after) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
                params![
                    idx,
                    n as i64,
                    seen.citation.0.0,
                    at.as_microsecond(),
                    change.what.as_str(),
                    change.before,
                    change.after,
                    seen.before.ending.as_str(),
                    seen.after.ending.as_str(),
                    seen.before.snapshot.map(|d| d.0),
                    seen.after.snapshot.map(|d| d.0),
                ],
            )?;
            self.count("change", change.what.as_str())?;
        }
        Ok(())
    }

    fn snapshot(&self, idx: i64, id: &Digest, manifest_name: &RecordName, docs: &dyn Documents) -> Result<(), Error> {
        let block = docs.block(manifest_name)?;
        let manifest: Manifest = serde_json::from_slice(&block).map_err(|e| Error::Shape(manifest_name.id, e))?;
        let (post, page) = (manifest.post.as_ref(), manifest.page.as_ref());
        let fresh = self.put(
            "INSERT OR IGNORE INTO snapshot (id, record, manifest, target, final, ending, at, title, post, content, text, indexed)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
            params![
                id.0,
                idx,
                manifest_name.id.as_bytes(),
                manifest.target,
                manifest.final_url,
                manifest.ending.as_str(),
                manifest.at.as_microsecond(),
                page.and_then(|page| page.title.as_deref()),
                post.map(|p| p.name.to_string()),
                manifest.content_digest.0,
                page.map(|page| page.text_digest.0),
                // A post's words go in with it; a page's are read from its WARC record later, off the run's path.
                i64::from(page.is_none()),
            ],
        )?;
        if fresh == 0 {
            return Ok(());
        }
        self.count("total", "snapshot")?;
        for (n, part) in manifest.parts.iter().enumerate() {
            let exchange = part.evidence.as_ref().and_then(|e| e.response).map(|r| *r.id.as_bytes());
            self.put(
                "INSERT INTO snapshot_part (snapshot, n, role, exchange, url) VALUES (?1, ?2, ?3, ?4, ?5)",
                params![id.0, n as i64, name_of(&part.role), exchange, part.url],
            )?;
        }
        if let Some(post) = post {
            self.post(id, post)?;
        }
        Ok(())
    }

    fn post(&self, snapshot: &Digest, post: &Post) -> Result<(), Error> {
        self.put(
            "INSERT INTO post (snapshot, name, platform, handle, author, author_id, posted, text, body)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            params![
                snapshot.0,
                post.name.to_string(),
                post.name.platform.as_str(),
                post.author.handle,
                post.author.name,
                post.author.id,
                post.posted.or(post.id_time).map(Timestamp::as_microsecond),
                post.text,
                text_of(post)?,
            ],
        )?;
        self.count("total", "post")?;
        let name = post.author.name.as_deref().unwrap_or_default();
        self.words("post", &snapshot.0, &format!("{}\n{} @{}", post.text, name, post.author.handle))
    }

    fn finding(&self, idx: i64, at: Timestamp, made: &FindingMade, docs: &dyn Documents) -> Result<(), Error> {
        let verdict = name_of(&made.verdict).unwrap_or_default();
        self.put(
            "INSERT INTO finding (record, run, citation, snapshot, post, verdict, at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            params![
                idx,
                made.run.0.as_bytes(),
                made.citation.0.0,
                made.snapshot.0,
                made.post,
                verdict,
                at.as_microsecond(),
            ],
        )?;
        for (n, check) in held(&made.checks, docs)?.iter().enumerate() {
            self.put(
                "INSERT INTO finding_check (finding, n, \"check\", result, cited, found, score, why)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                params![
                    idx,
                    n as i64,
                    check.check,
                    name_of(&check.result),
                    check.cited,
                    check.found,
                    check.score,
                    check.why
                ],
            )?;
        }
        self.put(
            "UPDATE resolution SET verdict = ?2 WHERE citation = ?1 AND latest = 1",
            params![made.citation.0.0, verdict],
        )?;
        self.count("verdict", &verdict)
    }

    /// Adds a text to the full-text index, under the thing it belongs to.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn words(&self, kind: &str, of: &[u8; 32], text: &str) -> Result<(), Error> {
        if !self.words
            || self.put("INSERT OR IGNORE INTO words_doc (kind, ref) VALUES (?1, ?2)", params![kind, of])? == 0
        {
            return Ok(());
        }
        let id = self.tx.last_insert_rowid();
        self.put("INSERT INTO words (rowid, text) VALUES (?1, ?2)", params![id, terms::indexed(text)])?;
        Ok(())
    }

    /// Marks a page's text as indexed, or as one in which nothing could be read.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn indexed(&self, snapshot: &Digest, read: bool) -> Result<(), Error> {
        self.put("UPDATE snapshot SET indexed = ?2 WHERE id = ?1", params![snapshot.0, if read { 1 } else { 2 }])?;
        Ok(())
    }

    /// When a citation is to be followed again, as the policy says.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn due(&self, citation: &Digest, at: Timestamp) -> Result<(), Error> {
        self.put("UPDATE due SET at = ?2, planned = 1 WHERE citation = ?1", params![citation.0, at.as_microsecond()])?;
        Ok(())
    }

    /// A WARC file that is sealed and known to its end.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn sealed(&self, file: &str) -> Result<(), Error> {
        self.put("UPDATE warc_file SET sealed = 1 WHERE name = ?1", [file])?;
        Ok(())
    }

    fn count(&self, name: &str, value: &str) -> Result<(), Error> {
        self.put(
            "INSERT INTO tally (name, value, n) VALUES (?1, ?2, 1) ON CONFLICT (name, value) DO UPDATE SET n = n + 1",
            [name, value],
        )?;
        Ok(())
    }
}

/// What stands in the record, or in the document it names.
///
/// # Errors
/// A document that is missing or has another shape.
pub fn held<T: serde::de::DeserializeOwned + Clone>(value: &Held<T>, docs: &dyn Documents) -> Result<T, Error> {
    match value {
        Held::Here(value) => Ok(value.clone()),
        Held::Apart { kept } => {
            let block = docs.block(kept)?;
            serde_json::from_slice(&block).map_err(|e| Error::Shape(kept.id, e))
        }
    }
}

#[derive(Default)]
struct Columns<'a> {
    kind: &'static str,
    form: Option<String>,
    url: Option<&'a str>,
    platform: Option<&'static str>,
    handle: Option<&'a str>,
    tag: Option<&'a str>,
    author: Option<&'a str>,
    date: Option<&'a str>,
    quoted: Option<&'a str>,
}

impl<'a> Columns<'a> {
    fn of(kind: &'a Kind) -> Self {
        match kind {
            Kind::Link { form, url, platform, handle, .. } => Self {
                kind: "link",
                form: name_of(form),
                url: Some(url),
                platform: platform.map(|p| p.as_str()),
                handle: handle.as_deref(),
                ..Self::default()
            },
            Kind::Handle { platform, handle } => {
                Self { kind: "handle", platform: Some(platform.as_str()), handle: Some(handle), ..Self::default() }
            }
            Kind::Hashtag { tag } => Self { kind: "hashtag", tag: Some(tag), ..Self::default() },
            Kind::Post { platform, author, handle, date, quoted, permalink, .. } => Self {
                kind: "post",
                url: permalink.as_deref(),
                platform: Some(platform.as_str()),
                handle: handle.as_deref(),
                author: author.as_deref(),
                date: date.as_deref(),
                quoted: Some(quoted),
                ..Self::default()
            },
        }
    }
}

/// The name that an enum without fields has in the contract's JSON.
fn name_of<T: serde::Serialize>(value: &T) -> Option<String> {
    serde_json::to_value(value).ok().and_then(|v| v.as_str().map(str::to_owned))
}

fn text_of<T: serde::Serialize>(value: &T) -> Result<String, Error> {
    json::canonical(value)
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .ok_or(Error::Row { table: "body", what: "a value that is no JSON".to_owned() })
}

// SQLite's integers are signed; no offset, length or count here comes near 2^63.
fn signed(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}
