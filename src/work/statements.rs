//! Statements of a run on their way into the archive: many share a pass of the seal, and all are sealed before anything they cite is planned.

use std::collections::{HashSet, VecDeque};
use std::ops::Range;

use crate::citation::Citation;
use crate::format::digest::Digest;
use crate::format::warc::record::Record as WarcRecord;
use crate::record::{Event, StatementAdded};
use crate::resolution::exchange::Evidence;
use crate::statement::{self, About, Hint, Statement, StatementId, Unread};
use crate::work::cited::Cited;
use crate::work::fault::Fault;
use crate::work::parts::Tools;
use crate::work::seal::{Deed, Pending, Seal};
use crate::work::signed;
use crate::world::store;
use crate::world::wire::Wire;

/// Statements handed to the seal and not waited for: enough for a pass to begin at once.
const WAITING: usize = 256;
/// Bytes of statements handed to the seal and not waited for, which holds them until they are in the catalogue.
const WAITING_BYTES: usize = 16 << 20;

/// A document on its way into the archive.
#[derive(Clone, Debug)]
pub struct Handed {
    /// exactly as handed in
    pub bytes: Vec<u8>,
    /// where it came from, and what was declared of it
    pub hint: Hint,
    /// the exchange that brought it, where it was a URL
    pub fetched: Option<Evidence>,
}

/// A statement in the archive, with what it cites.
#[derive(Clone, Debug)]
pub struct Known {
    /// its id
    pub id: StatementId,
    /// where it came from
    pub source: String,
    /// what it says of itself
    pub about: About,
    /// what it cites: places in the run's [`Cited`]
    pub citations: Range<usize>,
    /// why it could not be read; its bytes are kept all the same
    pub unreadable: Option<String>,
    /// what of it could not be read
    pub unread: Vec<Unread>,
}

/// The statements of a run.
pub struct Statements<'a> {
    seal: &'a Seal,
    tools: &'a Tools,
    wire: &'a Wire,
    all: Vec<Known>,
    cited: Cited,
    /// handed to the seal, oldest first, each with its bytes
    waiting: VecDeque<(Pending, usize)>,
    waiting_bytes: usize,
    /// taken in by this run, which the catalogue may not tell of yet
    new: HashSet<(StatementId, String)>,
}

impl std::fmt::Debug for Statements<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Statements({})", self.all.len())
    }
}

impl<'a> Statements<'a> {
    /// None yet.
    pub fn new(seal: &'a Seal, tools: &'a Tools, wire: &'a Wire) -> Self {
        Self {
            seal,
            tools,
            wire,
            all: Vec::new(),
            cited: Cited::default(),
            waiting: VecDeque::new(),
            waiting_bytes: 0,
            new: HashSet::new(),
        }
    }

    /// All of them, as handed in, repeats included.
    pub fn all(&self) -> &[Known] {
        &self.all
    }

    /// What they cite.
    pub fn cited(&self) -> &Cited {
        &self.cited
    }

    /// Takes up a citation that is due, behind those of its statement that were taken up just before.
    ///
    /// # Errors
    /// As [`Cited::push`].
    pub fn take_up(&mut self, added: &StatementAdded, citation: &Citation) -> Result<(), Fault> {
        let at = self.cited.count();
        self.cited.push(citation).map_err(Fault::beside)?;
        match self.all.last_mut() {
            Some(last) if last.id == added.statement => last.citations.end = at + 1,
            _ => {
                let (id, source, about) = (added.statement, added.source.clone(), added.about.clone());
                let (citations, unread) = (at..at + 1, Vec::new());
                self.all.push(Known { id, source, about, citations, unreadable: None, unread });
            }
        }
        Ok(())
    }

    /// Puts a document into the archive, unless `catalogue` tells that the same bytes came from the same source before. It is there for
    /// certain once [`Statements::sealed`] has returned.
    ///
    /// # Errors
    /// What stops the run. A document that cannot be read is kept and says so.
    pub async fn take_in(
        &mut self,
        handed: Handed,
        catalogue: impl FnOnce(&StatementId, &str) -> Result<bool, store::Error>,
    ) -> Result<(), Fault> {
        let Handed { bytes, hint, fetched } = handed;
        let (statement, unreadable) = match statement::read(bytes.clone(), &hint) {
            Ok(statement) => {
                drop(bytes);
                (statement, None)
            }
            Err(why) => (unread(bytes, &hint), Some(why.to_string())),
        };
        let citations = self.cited.find(&statement).map_err(Fault::beside)?;
        let (id, source) = (statement.id, statement.source.clone());
        self.all.push(Known {
            id,
            source: source.clone(),
            about: statement.about.clone(),
            citations: citations.clone(),
            unread: statement.unread.clone(),
            unreadable,
        });
        if catalogue(&id, &source)? || !self.new.insert((id, source)) {
            return Ok(());
        }
        let bytes = statement.bytes().len();
        let mut deed = Deed::default();
        let signatures = signed::judged((self.seal, self.tools, self.wire), &statement.signatures).await?;
        let added = StatementAdded { signatures, ..self.added(&mut deed, statement, citations, fetched)? };
        deed.events.push(Event::StatementAdded(Box::new(added)));
        self.waiting.push_back((self.seal.hand_in(deed)?, bytes));
        self.waiting_bytes += bytes;
        while self.waiting.len() > WAITING || self.waiting_bytes > WAITING_BYTES {
            self.wait_for_oldest().await?;
        }
        Ok(())
    }

    /// Waits until all of them are on disk and in the ledger.
    ///
    /// # Errors
    /// What stopped it.
    pub async fn sealed(&mut self) -> Result<(), Fault> {
        while !self.waiting.is_empty() {
            self.wait_for_oldest().await?;
        }
        Ok(())
    }

    /// What they are and what they cite, once all are sealed.
    ///
    /// # Errors
    /// As [`Statements::sealed`].
    pub async fn done(mut self) -> Result<(Vec<Known>, Cited), Fault> {
        self.sealed().await?;
        Ok((self.all, self.cited))
    }

    async fn wait_for_oldest(&mut self) -> Result<(), Fault> {
        if let Some((pending, bytes)) = self.waiting.pop_front() {
            self.waiting_bytes -= bytes;
            pending.sealed().await?;
        }
        Ok(())
    }

    fn added(
        &self,
        deed: &mut Deed,
        statement: Statement,
        citations: Range<usize>,
        fetched: Option<Evidence>,
    ) -> Result<StatementAdded, Fault> {
        let uri = format!("urn:onrecord:statement:{}", statement.id.0.hex());
        let size = statement.bytes().len() as u64;
        let bytes = statement.original.unwrap_or_else(|| statement.text.into_bytes());
        let now = self.tools.clock.now();
        let record = WarcRecord::resource(self.tools.uuid()?, now, &uri, &statement.media_type, bytes);
        let content = self.seal.keep_readable(deed, record)?;
        let count = citations.len() as u64;
        let citations = citations.map(|place| self.cited.get(place).map_err(Fault::beside));
        Ok(StatementAdded {
            statement: statement.id,
            source: statement.source,
            media_type: statement.media_type,
            bytes: size,
            content,
            about: statement.about,
            unread: statement.unread,
            signatures: Vec::new(),
            count,
            citations: self.seal.hold_all(deed, "citations", citations)?,
            fetched,
        })
    }
}

/// A document in which nothing could be read, as a statement without text.
fn unread(bytes: Vec<u8>, hint: &Hint) -> Statement {
    Statement {
        id: StatementId(Digest::of(&bytes)),
        original: Some(bytes),
        source: hint.source.clone(),
        media_type: hint.content_type.clone().unwrap_or_else(|| "application/octet-stream".to_owned()),
        about: About::default(),
        unread: vec![Unread { part: "all of it".to_owned(), why: "nothing in it can be read".to_owned() }],
        text: String::new(),
        transformed: false,
        signatures: Vec::new(),
        reading: None,
    }
}
