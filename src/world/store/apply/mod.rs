//! From records to rows: the one way in which a row is ever made, in the normal run and in `reindex` alike.

mod event;
mod followed;
mod list;
mod snapshot;
mod statement;
mod warc;

use std::cell::RefCell;
use std::collections::HashMap;
use std::io::{BufReader, Read};

use jiff::Timestamp;
use rusqlite::{OptionalExtension as _, Transaction};
use uuid::Uuid;

use crate::format::digest::Digest;
use crate::format::json;
use crate::record::{Held, Record};
use crate::resolution::exchange::{Evidence, RecordName};
use crate::world::store::Error;
use crate::world::store::read::{Located, digest_of, locate};

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

    /// The same for a list of what names no WARC record, which may be read as it comes.
    ///
    /// # Errors
    /// As [`Documents::block`].
    fn list(&self, name: &RecordName) -> Result<List<'_>, Error> {
        self.block(name).map(List::Whole)
    }
}

/// A document that is a list.
pub enum List<'a> {
    /// all of it
    Whole(Vec<u8>),
    /// too long for that
    Stream(Box<dyn Read + 'a>),
}

impl std::fmt::Debug for List<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Whole(_) => "Whole",
            Self::Stream(_) => "Stream",
        })
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
    /// Each WARC record that is bound: by its digest too where it is named, and by the ledger index of which record.
    pub(super) fn each(&self) -> impl Iterator<Item = (&Uuid, Option<&Digest>, i64)> {
        let own = self.own.iter().map(|(id, index)| (id, None, *index));
        // A record of ours is bound by itself, whatever names it besides.
        let named = self.named.iter().filter(|(name, _)| !self.own.contains_key(&name.id));
        own.chain(named.map(|(name, index)| (&name.id, Some(&name.digest), *index)))
    }

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

/// What a row says of a WARC record by its number, and of its exchange by the URL.
#[derive(Clone, Debug)]
struct Placed {
    place: i64,
    url: Option<String>,
}

/// One transaction's worth of rows.
pub struct Batch<'a> {
    tx: &'a Transaction<'a>,
    words: bool,
    files: RefCell<HashMap<String, Written>>,
    /// WARC records whose rows come at the end of this transaction
    coming: RefCell<HashMap<Uuid, Placed>>,
}

impl std::fmt::Debug for Batch<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Batch")
    }
}

impl<'a> Batch<'a> {
    pub(crate) fn new(tx: &'a Transaction<'a>, words: bool) -> Self {
        Self { tx, words, files: RefCell::default(), coming: RefCell::default() }
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

    /// Type and digest of a WARC record, rows of this transaction included.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn digest_of(&self, id: Uuid) -> Result<Option<(u8, Digest)>, Error> {
        digest_of(self.tx, id)
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

    /// The exchange that brought an answer.
    fn exchange(&self, evidence: Option<&Evidence>) -> Result<Option<Placed>, Error> {
        let response = evidence.and_then(|evidence| evidence.response);
        response.map_or(Ok(None), |response| self.placed(&response.id))
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

/// The same for a list, of which `each` is shown one item after the other, with its number from 0.
///
/// # Errors
/// As [`held`], and what `each` says.
pub fn held_each<T: serde::de::DeserializeOwned>(
    value: &Held<Vec<T>>,
    docs: &dyn Documents,
    mut each: impl FnMut(usize, &T) -> Result<(), Error>,
) -> Result<(), Error> {
    let kept = match value {
        Held::Here(items) => return items.iter().enumerate().try_for_each(|(n, item)| each(n, item)),
        Held::Apart { kept } => kept,
    };
    let read = match docs.list(kept)? {
        List::Whole(block) => list::each(&mut serde_json::Deserializer::from_slice(&block), &mut each),
        List::Stream(read) => list::each(&mut serde_json::Deserializer::from_reader(BufReader::new(read)), &mut each),
    };
    read.map_err(|why| why.of(kept.id))
}

/// A URL, where it is not that of its exchange.
fn own_url<'a>(url: &'a str, asked: Option<&Placed>) -> Option<&'a str> {
    let same = asked.is_some_and(|asked| asked.url.as_deref() == Some(url));
    (!same).then_some(url)
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
