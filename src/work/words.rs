//! Words of captured pages: read from their WARC records, after the run that kept them, and put into the index.
//!
//! A run indexes statements and posts as it goes; pages are long and wait. Whoever calls here holds the archive's lock.

use std::path::Path;

use crate::format::digest::Digest;
use crate::format::http::coding::Limits;
use crate::format::http::{Answer, Method};
use crate::format::terms::{self, Snippet};
use crate::platform::page as reading;
use crate::snapshot::text_digest;
use crate::statement::{self, Hint, StatementId};
use crate::work::fault::Fault;
use crate::work::parts::Paths;
use crate::world::lock::Lock;
use crate::world::store::Store;
use crate::world::store::find::Hit;
use crate::world::store::find::words::Document;
use crate::world::vault::place::{self, Place};

/// Pages in one transaction: short, so that a run beside it never waits long.
const BATCH: usize = 32;

/// What indexing came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Indexed {
    /// pages whose words are in the index now
    pub pages: u64,
    /// pages in which no words could be read
    pub unread: u64,
    /// pages that still wait
    pub waiting: u64,
}

/// Takes the archive's lock for a moment and indexes at most `most` pages; where another process has the lock, or the
/// folder cannot be written, nothing is done and `waiting` says how many wait.
///
/// # Errors
/// The catalogue's.
pub fn catch_up(paths: &Paths, most: usize) -> Result<Indexed, Fault> {
    let waiting = Store::open_read(&paths.catalogue())?.waiting_count()?;
    if waiting == 0 {
        return Ok(Indexed::default());
    }
    let Ok(_lock) = Lock::take(&paths.root) else { return Ok(Indexed { waiting, ..Indexed::default() }) };
    let Ok(mut store) = Store::open(&paths.catalogue()) else { return Ok(Indexed { waiting, ..Indexed::default() }) };
    index(&paths.warc(), &mut store, most)
}

/// Indexes at most `most` pages that wait.
///
/// # Errors
/// The catalogue's. A page that cannot be read is marked and passed over: `verify` names what is wrong with it.
pub fn index(warc: &Path, store: &mut Store, most: usize) -> Result<Indexed, Fault> {
    let mut out = Indexed::default();
    let mut left = most;
    while left > 0 {
        let some = store.waiting_pages(left.min(BATCH))?;
        if some.is_empty() {
            break;
        }
        left -= some.len();
        let read: Vec<(Digest, Option<String>)> =
            some.iter().map(|w| Ok((w.snapshot, document(warc, store, &w.snapshot)?))).collect::<Result<_, Fault>>()?;
        store.commit(|batch| {
            for (snapshot, text) in &read {
                batch.page(snapshot, text.as_deref())?;
            }
            Ok(())
        })?;
        out.pages += read.iter().filter(|(_, text)| text.is_some()).count() as u64;
        out.unread += read.iter().filter(|(_, text)| text.is_none()).count() as u64;
    }
    out.waiting = store.waiting_count()?;
    Ok(out)
}

/// A page as it is searched: its title and its words.
fn document(warc: &Path, store: &Store, snapshot: &Digest) -> Result<Option<String>, Fault> {
    let title = store.page_head(snapshot)?.title;
    let text = page_text(warc, store, snapshot)?;
    Ok(match (title, text) {
        (Some(title), Some(text)) => Some(format!("{title}\n{text}")),
        (title, text) => text.or(title),
    })
}

/// What a reader of a captured page reads.
///
/// # Errors
/// The catalogue's. A record that cannot be read gives nothing.
pub fn page_text(warc: &Path, store: &Store, snapshot: &Digest) -> Result<Option<String>, Fault> {
    Ok(page(warc, store, snapshot)?.map(|(_, text)| text).filter(|text| !text.is_empty()))
}

/// The answer in which a snapshot's page was read, and its text: the one whose text has the digest that the manifest
/// states, or else the last in which there is any.
///
/// # Errors
/// As [`page_text`].
pub fn page(warc: &Path, store: &Store, snapshot: &Digest) -> Result<Option<(Answer, String)>, Fault> {
    let wanted = store.page_head(snapshot)?.text;
    let mut last = None;
    for part in store.page_parts(snapshot)? {
        let Some(answer) = answer(warc, store, part.body)? else { continue };
        let Some(said) = reading::read(&answer) else { continue };
        if Some(text_digest(&said.text)) == wanted {
            return Ok(Some((answer, said.text)));
        }
        if last.is_none() {
            last = Some((answer, said.text));
        }
    }
    Ok(last)
}

/// The reading copy of a kept response.
///
/// # Errors
/// The catalogue's. A record that cannot be read, or is no response, gives nothing.
pub fn answer(warc: &Path, store: &Store, id: uuid::Uuid) -> Result<Option<Answer>, Fault> {
    let Some(at) = store.locate(id)? else { return Ok(None) };
    let place = Place { file: at.file, offset: at.offset, length: at.length };
    let Ok(found) = place::read_at(warc, &place) else { return Ok(None) };
    Ok(Answer::from_wire(&found.record.block, Method::Get, None, &Limits::default()).ok())
}

/// Where the words of a question stand in what was found.
#[derive(Debug)]
pub struct Snippets<'a> {
    warc: std::path::PathBuf,
    store: &'a Store,
    typed: String,
    /// the last statement looked at: hits of one stand together
    statement: Option<(StatementId, String)>,
}

impl<'a> Snippets<'a> {
    /// For `typed` words.
    pub fn new(paths: &Paths, store: &'a Store, typed: &str) -> Self {
        Self { warc: paths.warc(), store, typed: typed.to_owned(), statement: None }
    }

    /// Where the words stand: `citation`, `post`, `page` or `statement`, the nearest to the citation first.
    ///
    /// # Errors
    /// The catalogue's.
    pub fn of(&mut self, hit: &Hit) -> Result<Option<(&'static str, Snippet)>, Fault> {
        let whole =
            |text: &str, typed: &str| terms::has_all(text, typed).then(|| terms::snippet(text, typed)).flatten();
        if let Some(snippet) = whole(&hit.citation.raw, &self.typed) {
            return Ok(Some(("citation", snippet)));
        }
        if let Some(snapshot) = hit.end.as_ref().and_then(|end| end.snapshot) {
            if let Some(Document::Post(text)) = self.store.post_document(&snapshot)?
                && let Some(snippet) = whole(&text, &self.typed)
            {
                return Ok(Some(("post", snippet)));
            }
            if let Some(text) = document(&self.warc, self.store, &snapshot)?
                && let Some(snippet) = whole(&text, &self.typed)
            {
                return Ok(Some(("page", snippet)));
            }
        }
        let typed = self.typed.clone();
        Ok(terms::snippet(self.statement(&hit.statement)?, &typed).map(|snippet| ("statement", snippet)))
    }

    fn statement(&mut self, id: &StatementId) -> Result<&str, Fault> {
        if self.statement.as_ref().is_none_or(|(last, _)| last != id) {
            let text = match self.store.statement_document(id)? {
                Some(Document::Statement { bytes, source, media_type }) => {
                    statement::read(bytes, &Hint { source, content_type: Some(media_type) }).map(|read| read.text)
                }
                _ => Ok(String::new()),
            };
            self.statement = Some((*id, text.unwrap_or_default()));
        }
        Ok(self.statement.as_ref().map_or("", |(_, text)| text))
    }
}
