//! An errand: documents handed in, or whatever is due, taken through a whole run over an open archive.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;

use url::Url;

use crate::citation::CitationId;
use crate::format::http::Request;
use crate::resolution::hop::{Ask, Role};
use crate::resolution::pursuit;
use crate::snapshot::gather;
use crate::statement::{Hint, StatementId};
use crate::work::archive::OpenArchive;
use crate::work::beacon;
use crate::work::capture::Capture;
use crate::work::cited::Cited;
use crate::work::drive::Fetch;
use crate::work::fault::Fault;
use crate::work::keep::Keys;
use crate::work::news::Watch;
use crate::work::outcome::RunOutcome;
use crate::work::pursue::{Again, Context};
use crate::work::robots::Policy;
use crate::work::run::{self, Stop, Work};
use crate::work::seal::Deed;
use crate::work::statements::{Handed, Known, Statements};
use crate::world::input;
use crate::world::store::Store;
use crate::world::store::read::Unplanned;
use crate::world::wire::Wire;

/// Bytes of one statement; a document that cites posts is far shorter.
pub const MAX_STATEMENT: u64 = 1 << 30;
/// Citations taken up by one run over what is due; the rest is still due afterwards.
const DUE_AT_ONCE: usize = 100_000;
/// Citations planned anew in one pass.
const REPLANNED: usize = 10_000;

/// What is handed in.
#[derive(Clone, Debug)]
pub enum Input {
    /// a document, read already
    Document(Handed),
    /// a page, to be captured and then read
    Page(Url),
}

/// How a run goes about it.
#[derive(Clone, Debug)]
pub struct Manner {
    /// how far a resolution goes
    pub limits: pursuit::Limits,
    /// how much of a page is kept with it
    pub budget: Option<gather::Budget>,
    /// when citations are followed again
    pub again: Again,
    /// the Wayback Machine is asked to keep a copy of what was captured live
    pub keep: Option<Keys>,
    /// citations followed at once
    pub at_once: usize,
    /// what robots.txt is to us
    pub robots: Policy,
    /// a randomness beacon, whose round opens each run
    pub beacon: Option<beacon::Asking>,
    /// how long what is in flight is waited for once told to stop; for ever where none
    pub grace: Option<std::time::Duration>,
}

/// What a round takes up.
#[derive(Clone, Debug, Default)]
pub struct Round {
    /// files that are statements
    pub files: Vec<PathBuf>,
    /// pages that are
    pub pages: Vec<Url>,
    /// and every citation that is due
    pub due: bool,
}

/// What came of a round.
#[derive(Debug)]
pub struct RoundDone {
    /// the run; none where there was nothing to follow
    pub done: Option<Done>,
    /// sources that were taken in
    pub taken: Vec<String>,
    /// sources that could not be had, and why
    pub refused: Vec<(String, Fault)>,
}

/// What came of it.
#[derive(Debug)]
pub struct Done {
    /// the run
    pub outcome: RunOutcome,
    /// it was told to stop before its end
    pub interrupted: bool,
    /// documents that were kept and could not be read: source and why
    pub unreadable: Vec<(String, String)>,
}

/// Everything an errand needs.
pub struct Errand<'a> {
    /// the archive
    pub open: &'a OpenArchive,
    /// the network
    pub wire: Wire,
    /// how
    pub manner: Manner,
    /// who is told
    pub watch: Arc<dyn Watch>,
}

impl std::fmt::Debug for Errand<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Errand({:?})", self.manner)
    }
}

impl Errand<'_> {
    /// Runs over what is handed in.
    ///
    /// # Errors
    /// What stops the whole run.
    pub async fn over(self, inputs: Vec<Input>, stop: Stop) -> Result<Done, Fault> {
        let capture = Arc::new(self.open.capture(self.wire.clone())?.heeding(self.manner.robots));
        let mut statements = Statements::new(&self.open.seal, &self.open.tools, capture.wire());
        for input in inputs {
            let handed = match input {
                Input::Document(handed) => handed,
                Input::Page(url) => page(&capture, url).await?,
            };
            take_in(&capture, &mut statements, handed).await?;
        }
        let taken = statements.done().await?;
        self.finish(capture, taken, None, stop).await
    }

    /// Runs over what lies in the inbox and is new, and over every citation that is due.
    ///
    /// # Errors
    /// What stops the whole run, a file of the inbox that cannot be read among it.
    pub async fn due(self, stop: Stop) -> Result<Done, Fault> {
        let mut files = inbox(self.open)?;
        // A file still being written, or nothing at all.
        files.retain(|path| !matches!(input::probe(path), Ok(Some(0))));
        let round = self.round(Round { files, pages: Vec::new(), due: true }, stop).await?;
        match round.refused.into_iter().next() {
            Some((_, fault)) => Err(fault),
            None => round.done.ok_or(Fault::Broken("a run that was asked for did not happen")),
        }
    }

    /// Takes in files and pages, each that cannot be had named and left, and runs over them and, where asked for, over every
    /// citation that is due.
    ///
    /// # Errors
    /// What stops the whole run.
    pub async fn round(self, round: Round, stop: Stop) -> Result<RoundDone, Fault> {
        let capture = Arc::new(self.open.capture(self.wire.clone())?.heeding(self.manner.robots));
        let mut refused: Vec<(String, Fault)> = Vec::new();
        let mut statements = Statements::new(&self.open.seal, &self.open.tools, capture.wire());
        for path in round.files {
            let source = path.display().to_string();
            match file(&capture, &mut statements, &path).await {
                Ok(()) => {}
                Err(fault @ Fault::Input { .. }) => refused.push((source, fault)),
                Err(fault) => return Err(fault),
            }
        }
        for url in round.pages {
            if *stop.borrow() {
                break;
            }
            let source = url.to_string();
            match page(&capture, url).await {
                Ok(handed) => take_in(&capture, &mut statements, handed).await?,
                Err(fault @ Fault::Input { .. }) => refused.push((source, fault)),
                Err(fault) => return Err(fault),
            }
        }
        let taken = statements.all().iter().map(|known| known.source.clone()).collect();
        let only = self.owed(&capture, &mut statements, round.due).await?;
        let statements = statements.done().await?;
        if only.is_empty() && !round.due {
            return Ok(RoundDone { done: None, taken, refused });
        }
        let done = self.finish(capture, statements, Some(only), stop).await?;
        Ok(RoundDone { done: Some(done), taken, refused })
    }

    /// The citations to follow: of `statements` those never followed, and where `all` is asked for everything that is due;
    /// their statements are added.
    async fn owed(
        &self,
        capture: &Capture,
        statements: &mut Statements<'_>,
        all: bool,
    ) -> Result<HashSet<CitationId>, Fault> {
        statements.sealed().await?;
        let mut only = HashSet::new();
        let cited = statements.cited();
        for id in (0..cited.count()).filter_map(|place| cited.id(place)) {
            if capture.catalogue(|store| store.looks(&id))? == (0, 0) {
                only.insert(id);
            }
        }
        if !all {
            return Ok(only);
        }
        replan(self.open, &self.manner.again).await?;
        let now = self.open.tools.clock.now();
        let listed: HashSet<StatementId> = statements.all().iter().map(|known| known.id).collect();
        let due = capture.catalogue(|store| store.due(now, DUE_AT_ONCE))?;
        capture.owed(&due, |added, citation| {
            only.insert(citation.id);
            if listed.contains(&added.statement) {
                return Ok(());
            }
            statements.take_up(added, citation)
        })?;
        Ok(only)
    }

    async fn finish(
        self,
        capture: Arc<Capture>,
        (statements, cited): (Vec<Known>, Cited),
        only: Option<HashSet<CitationId>>,
        stop: Stop,
    ) -> Result<Done, Fault> {
        let unreadable =
            statements.iter().filter_map(|known| Some((known.source.clone(), known.unreadable.clone()?))).collect();
        let (run, named, asked) = beacon::open(self.manner.beacon.as_ref(), &self.open.tools).await?;
        let context = Context {
            run,
            capture,
            seal: self.open.seal.clone(),
            tools: self.open.tools.clone(),
            limits: self.manner.limits,
            budget: self.manner.budget,
            again: self.manner.again,
            keep: self.manner.keep,
            watch: self.watch,
        };
        let work =
            Work { statements, cited, only, beacon: named, at_once: self.manner.at_once, grace: self.manner.grace };
        let (mut outcome, interrupted) = run::run(context, work, stop).await?;
        outcome.beacon = asked;
        Ok(Done { outcome, interrupted, unreadable })
    }
}

async fn file(capture: &Capture, statements: &mut Statements<'_>, path: &std::path::Path) -> Result<(), Fault> {
    let bytes = input::file(path, MAX_STATEMENT).map_err(|e| unreadable(path, &e))?;
    let hint = Hint { source: path.display().to_string(), content_type: None };
    take_in(capture, statements, Handed { bytes, hint, fetched: None }).await
}

async fn take_in(capture: &Capture, statements: &mut Statements<'_>, handed: Handed) -> Result<(), Fault> {
    statements.take_in(handed, |id, source| capture.catalogue(|store| store.knows(id, source))).await
}

/// Asks the policy when citations are due again that a rebuild or a crash left without an answer.
///
/// # Errors
/// The catalogue's, and what stops the sealing.
pub async fn replan(open: &OpenArchive, again: &Again) -> Result<(), Fault> {
    let reader = Store::open_read(&open.paths.catalogue())?;
    loop {
        let left = reader.unplanned(REPLANNED)?;
        if left.is_empty() {
            return Ok(());
        }
        let mut deed = Deed::default();
        let next = |u: &Unplanned| again.after(u.ending, u.at, (u.looks, u.failures), u.retry_at);
        deed.due.extend(left.iter().map(|u| (u.citation, next(u))));
        open.seal.commit(deed).await?;
    }
}

/// Captures a page that is a statement itself.
pub(crate) async fn page(capture: &Arc<Capture>, mut url: Url) -> Result<Handed, Fault> {
    let source = url.to_string();
    for id in 0..10 {
        let ask = Ask { id, role: Role::Hop, request: Request::get(url.clone()) };
        let exchange = capture.clone().fetch(ask).await?;
        let answer = exchange.outcome.map_err(|failure| Fault::Input {
            what: format!("the statement {source} could not be had: {failure}"),
            hint: "check the address, or hand in a saved copy of the page as a file".to_owned(),
        })?;
        let onward = answer.headers.get("location").filter(|_| (300..400).contains(&answer.status));
        if let Some(next) = onward.and_then(|to| url.join(&to).ok()) {
            url = next;
            continue;
        }
        if answer.status >= 400 {
            return Err(Fault::Input {
                what: format!("the statement {source} could not be had: HTTP {}", answer.status),
                hint: "check the address, or hand in a saved copy of the page as a file".to_owned(),
            });
        }
        let content_type = answer.headers.get("content-type").map(|value| value.into_owned());
        return Ok(Handed { bytes: answer.body, hint: Hint { source, content_type }, fetched: exchange.evidence });
    }
    Err(Fault::Input {
        what: format!("the statement {source} is redirected more than ten times"),
        hint: "hand in the address where the page really is".to_owned(),
    })
}

/// Files in the inbox, by name; hidden ones and folders are left alone.
fn inbox(open: &OpenArchive) -> Result<Vec<PathBuf>, Fault> {
    let folder = open.paths.statements();
    let mut files = input::files(&folder).map_err(Fault::file("inbox", folder))?;
    files.sort();
    Ok(files)
}

fn unreadable(path: &std::path::Path, error: &input::InputError) -> Fault {
    Fault::Input {
        what: format!("statement {}: {error}", path.display()),
        hint: "make it readable, or move it out of the inbox".to_owned(),
    }
}
