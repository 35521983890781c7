//! A run: one pass over statements, opened with a plan and closed with an outcome for everything planned.

use std::collections::HashSet;
use std::sync::Arc;

use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use crate::citation::CitationId;
use crate::record::beacon::Beacon;
use crate::record::{ArchiveRequested, Event, Outcome};
use crate::resolution::ending::Ending;
use crate::statement::About;
use crate::work::cited::Cited;
use crate::work::fault::Fault;
use crate::work::keep;
use crate::work::news::News;
use crate::work::outcome::{
    CheckpointOutcome, CitationOutcome, Counts, Listed, Outcomes, RunOutcome, StatementOutcome,
};
use crate::work::plan::{Plan, Planned, plan};
use crate::work::pursue::{Context, pursue, unfollowed};
use crate::work::seal::{Deed, Sealed};
use crate::work::statements::Known;

/// Told to stop: nothing new is begun, what is in flight is finished.
pub type Stop = watch::Receiver<bool>;

/// A run over statements that are in the archive already.
#[derive(Debug)]
pub struct Work {
    /// as handed in, repeats included
    pub statements: Vec<Known>,
    /// what they cite
    pub cited: Cited,
    /// only these citations of them, where it is a due run
    pub only: Option<HashSet<CitationId>>,
    /// the round that opens it, from which its id is made
    pub beacon: Option<Box<Beacon>>,
    /// citations followed at once
    pub at_once: usize,
    /// how long what is in flight is waited for once told to stop; for ever where none
    pub grace: Option<std::time::Duration>,
}

/// Runs: plan on record, every planned citation to its end, outcomes on record.
///
/// # Errors
/// What stops the whole run; what was acknowledged before stands.
pub async fn run(context: Context, work: Work, stop: Stop) -> Result<(RunOutcome, bool), Fault> {
    let context = Arc::new(context);
    let Work { statements, cited, only, beacon, at_once, grace } = work;
    let plan = plan(&cited, statements.iter().map(|known| known.citations.clone()), only.as_ref());
    let count = plan.count();
    open(&context, (&plan, &cited), beacon).await?;
    context.watch.see(News::Planned { citations: count });
    let unconfirmed = unconfirmed(&context)?;
    let (followed, interrupted) = follow(&context, &plan, (&statements, &cited), at_once, (stop, grace)).await?;
    context.seal.expect_more(false);
    if !interrupted {
        ask_again(&context, unconfirmed).await?;
    }
    let Followed { outcomes, ended } = followed;
    let counts = Counts::of(count, ended.iter().copied().flatten());
    let sealed = close(&context, counts.clone(), (&cited, ended), interrupted).await?;
    context.watch.see(News::Closed);
    let told = told(&statements, (&plan, &cited), only.as_ref(), outcomes)?;
    Ok((report(&context, told, counts, &sealed), interrupted))
}

/// Copies elsewhere that earlier runs asked for and that nobody has read back yet.
fn unconfirmed(context: &Context) -> Result<Vec<ArchiveRequested>, Fault> {
    if context.keep.is_none() {
        return Ok(Vec::new());
    }
    let now = context.tools.clock.now();
    let mut all = context.capture.unconfirmed_copies(keep::ASKED_AGAIN)?;
    all.retain(|(at, requested)| keep::is_due(requested.state, *at, now));
    Ok(all.into_iter().map(|(_, requested)| requested).collect())
}

async fn ask_again(context: &Context, all: Vec<ArchiveRequested>) -> Result<(), Fault> {
    let Some(keys) = &context.keep else { return Ok(()) };
    for before in all {
        let requested = keep::again(&context.capture, context.run, before, keys).await?;
        let mut deed = Deed::default();
        deed.events.push(Event::ArchiveRequested(Box::new(requested)));
        context.seal.commit(deed).await?;
    }
    Ok(())
}

async fn open(context: &Context, (plan, cited): (&Plan, &Cited), beacon: Option<Box<Beacon>>) -> Result<(), Fault> {
    let mut deed = Deed::default();
    let ids = plan.places().into_iter().filter_map(|place| cited.id(place)).map(Ok);
    let planned = plan.count() as u64;
    let plan = context.seal.hold_all(&mut deed, "plan", ids)?;
    deed.events.push(Event::RunOpened { run: context.run, planned, plan, beacon });
    context.seal.commit(deed).await?;
    Ok(())
}

/// Citations that have left the network and wait to be sealed: they hold no place of those being followed.
const SEALING: usize = 256;

/// What was followed: each outcome is written down, and its ending stays at hand for the closing record.
#[derive(Default)]
struct Followed {
    outcomes: Outcomes,
    /// by place
    ended: Vec<Option<Ending>>,
}

impl Followed {
    fn add(&mut self, place: usize, outcome: &CitationOutcome) -> Result<(), Fault> {
        self.outcomes.add(place, outcome).map_err(Fault::beside)?;
        if place >= self.ended.len() {
            self.ended.resize(place + 1, None);
        }
        if let Some(ended) = self.ended.get_mut(place) {
            *ended = outcome.ending;
        }
        Ok(())
    }
}

async fn follow(
    context: &Arc<Context>,
    plan: &Plan,
    (statements, cited): (&[Known], &Cited),
    at_once: usize,
    (stop, grace): (Stop, Option<std::time::Duration>),
) -> Result<(Followed, bool), Fault> {
    let mut followed = Followed::default();
    let mut flying: JoinSet<Result<(usize, CitationOutcome), Fault>> = JoinSet::new();
    let (mut accounts, mut waiting) = (Some(plan.accounts.as_slice()), plan.first.as_slice());
    let slots = Arc::new(Semaphore::new(at_once.max(1)));
    let patience = patience(stop.clone(), grace);
    tokio::pin!(patience);
    loop {
        if waiting.is_empty() && flying.is_empty() {
            waiting = accounts.take().unwrap_or_default();
        }
        let interrupted = *stop.borrow();
        context.seal.expect_more(!waiting.is_empty() && !interrupted);
        let more = !waiting.is_empty() && !interrupted && flying.len() < at_once.max(1) + SEALING;
        tokio::select! {
            Ok(slot) = slots.clone().acquire_owned(), if more => {
                // Told to stop while it waited for a slot: nothing new is begun.
                if *stop.borrow() {
                    continue;
                }
                let Some((place, rest)) = waiting.split_first() else { continue };
                waiting = rest;
                let Some((next, about)) = planned(statements, cited, *place)? else { continue };
                let context = context.clone();
                flying.spawn(async move { Ok((next.number, pursue(&context, &next, &about, slot).await?)) });
            }
            Some(landed) = flying.join_next() => match landed {
                Ok(landed) => {
                    let (place, outcome) = landed?;
                    followed.add(place, &outcome)?;
                }
                Err(_) => return Err(Fault::Broken("a citation's task died")),
            },
            () = &mut patience, if !flying.is_empty() => {
                // What is dropped here has no ending in this run, and the run says so; it is due again.
                flying.shutdown().await;
                return Ok((followed, true));
            }
            else => {
                let left = !waiting.is_empty() || accounts.is_some_and(|accounts| !accounts.is_empty());
                return Ok((followed, interrupted && left));
            }
        }
    }
}

/// The citation at a place, with what its statement says of itself.
fn planned(statements: &[Known], cited: &Cited, place: usize) -> Result<Option<(Planned, About)>, Fault> {
    let at = statements.partition_point(|known| known.citations.end <= place);
    let Some(known) = statements.get(at) else { return Ok(None) };
    let citation = cited.get(place).map_err(Fault::beside)?;
    Ok(Some((Planned { number: place, statement: known.id, citation }, known.about.clone())))
}

/// Ends when what is in flight has been waited for long enough.
async fn patience(mut stop: Stop, grace: Option<std::time::Duration>) {
    match (grace, stop.wait_for(|told| *told).await.is_ok()) {
        (Some(grace), true) => tokio::time::sleep(grace).await,
        _ => std::future::pending().await,
    }
}

async fn close(
    context: &Context,
    counts: Counts,
    (cited, ended): (&Cited, Vec<Option<Ending>>),
    interrupted: bool,
) -> Result<Sealed, Fault> {
    let mut deed = Deed::default();
    let outcome =
        |(place, ending): (usize, Option<Ending>)| Some(Outcome { citation: cited.id(place)?, ending: ending? });
    let outcomes = ended.into_iter().enumerate().filter_map(outcome).map(Ok);
    let outcomes = context.seal.hold_all(&mut deed, "outcomes", outcomes)?;
    let (planned, ended) = (counts.planned as u64, counts.ended as u64);
    deed.events.push(Event::RunClosed { run: context.run, planned, ended, outcomes, interrupted });
    context.seal.commit(deed).await
}

/// What is told of each statement.
fn told(
    statements: &[Known],
    (plan, cited): (&Plan, &Cited),
    only: Option<&HashSet<CitationId>>,
    outcomes: Outcomes,
) -> Result<Vec<StatementOutcome>, Fault> {
    let wanted = |place: &usize| only.is_none_or(|only| cited.id(*place).is_some_and(|id| only.contains(&id)));
    let places =
        |known: &Known| known.citations.clone().filter(wanted).map(|place| plan.first_place(place)).collect::<Vec<_>>();
    let unfollowed = |place| Ok(unfollowed(&cited.get(place)?));
    let listed = outcomes.listed(statements.iter().map(places), unfollowed).map_err(Fault::beside)?;
    let told = |(known, citations): (&Known, Listed)| StatementOutcome {
        id: known.id,
        source: known.source.clone(),
        unread: known.unread.clone(),
        citations,
    };
    Ok(statements.iter().zip(listed).map(told).collect())
}

fn report(context: &Context, statements: Vec<StatementOutcome>, counts: Counts, sealed: &Sealed) -> RunOutcome {
    RunOutcome {
        run: context.run.to_string(),
        statements,
        counts,
        checkpoint: Some(CheckpointOutcome { size: sealed.size, root: data_encoding::BASE64.encode(&sealed.root.0) }),
        beacon: None,
        anchors: None,
    }
}
