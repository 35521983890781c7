//! One citation, from the statement to the ledger: resolved, captured, checked, recorded.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::OwnedSemaphorePermit;

use crate::citation::{Citation, Kind};
use crate::finding::{self, Finding};
use crate::format::digest::Digest;
use crate::platform::post::Author;
use crate::record::{ChangeSeen, Event, FindingMade, ResolutionEnded, RunId, Stood, Way};
use crate::resolution::ending::Ending;
use crate::resolution::hop::{Part, Resolution, Role};
use crate::resolution::pursuit::{self, Pursuit};
use crate::snapshot::Manifest;
use crate::snapshot::change::{self, Change};
use crate::snapshot::gather::{self, Gather, Gathered};
use crate::statement::About;
use crate::work::capture::Capture;
use crate::work::drive::drive;
use crate::work::fault::Fault;
use crate::work::keep::{Keys, keep};
use crate::work::news::{News, Stage, Watch};
use crate::work::outcome::{CitationOutcome, FindingOutcome};
use crate::work::parts::Tools;
use crate::work::plan::Planned;
use crate::work::recall::{Before, Past};
use crate::work::seal::{Deed, Seal};

/// The longest pause that a server's Retry-After can ask for.
const LONGEST_PAUSE: SignedDuration = SignedDuration::from_hours(24 * 7);

/// What is the same for every citation of a run.
pub struct Context {
    /// the run
    pub run: RunId,
    /// makes exchanges and keeps them
    pub capture: Arc<Capture>,
    /// makes deeds durable
    pub seal: Seal,
    /// clock and randomness
    pub tools: Arc<Tools>,
    /// how far a resolution goes
    pub limits: pursuit::Limits,
    /// how much of a page is kept with it; none to keep the page alone
    pub budget: Option<gather::Budget>,
    /// when a citation is followed again
    pub again: Again,
    /// the Wayback Machine is asked to keep a copy of what was captured live
    pub keep: Option<Keys>,
    /// who is told
    pub watch: Arc<dyn Watch>,
}

impl std::fmt::Debug for Context {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Context({})", self.run)
    }
}

/// When a citation is followed again, by how it ended and how often it has been followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Again {
    /// ages after which a settled citation is looked at again; the last one repeats
    pub ages: Vec<SignedDuration>,
    /// pauses after retryable endings; the last one repeats
    pub retries: Vec<SignedDuration>,
}

impl Default for Again {
    fn default() -> Self {
        let hours = SignedDuration::from_hours;
        Self {
            ages: vec![hours(1), hours(24), hours(24 * 7), hours(24 * 30), hours(24 * 90)],
            retries: vec![hours(1), hours(4), hours(12), hours(24), hours(24 * 7)],
        }
    }
}

impl Again {
    /// When to follow a citation next: by how many settled looks there have been, or how many failures in a row, the one
    /// that ended at `at` included.
    pub fn after(
        &self,
        ending: Ending,
        at: Timestamp,
        (looks, failures): (u32, u32),
        retry_at: Option<Timestamp>,
    ) -> Timestamp {
        let (pauses, count) = if ending.is_retryable() { (&self.retries, failures) } else { (&self.ages, looks) };
        let n = (count.saturating_sub(1) as usize).min(pauses.len().saturating_sub(1));
        let pause = pauses.get(n).copied().unwrap_or(SignedDuration::from_hours(24));
        let next = at.checked_add(pause).unwrap_or(Timestamp::MAX);
        // A server may ask for a pause, but not for ever.
        let latest = at.checked_add(LONGEST_PAUSE).unwrap_or(Timestamp::MAX);
        retry_at.map_or(next, |asked| asked.clamp(at, latest))
    }
}

/// Follows one citation and records what came of it. When this returns, it is durable; `slot` is given back when nothing
/// more is asked of the network.
///
/// # Errors
/// What stops the whole run; never what a link did.
pub async fn pursue(
    context: &Context,
    planned: &Planned,
    about: &About,
    slot: OwnedSemaphorePermit,
) -> Result<CitationOutcome, Fault> {
    let citation = &planned.citation;
    let stage = |stage| {
        context.watch.see(News::Stage { number: planned.number, label: citation.raw.clone(), stage });
    };
    stage(Stage::Resolving);
    let mut hops = 0;
    let captured = captured_accounts(context, &citation.kind)?;
    let limits = pursuit::Limits { accounts: captured.is_empty(), ..context.limits.clone() };
    let mut resolution = drive(step(&citation.kind, limits, about), &context.capture, |ask| {
        if ask.role == Role::Hop {
            hops += 1;
            let url = ask.request.url.to_string();
            context.watch.see(News::Hop { number: planned.number, hops, url });
        }
    })
    .await?;
    tell_account(&mut resolution, captured);
    let before = before(context, citation, &mut resolution)?;
    let mut deed = Deed::default();
    // What was cut at its bound is kept as far as it came, with the mark on it.
    let taken = if resolution.ending.is_kept() || resolution.ending == Ending::TooLarge {
        stage(Stage::Capturing);
        Some(snapshot(context, citation, &mut resolution, before.as_deref(), &mut deed).await?)
    } else {
        None
    };
    stage(Stage::Checking);
    let known = accounts(context, &citation.kind, &resolution)?;
    let findings = match &taken {
        Some(_) => finding::check(citation, about, &resolution, &known),
        None => Vec::new(),
    };
    stage(Stage::Recording);
    let ending = taken.as_ref().map_or(resolution.ending, |taken| taken.ending);
    let outcome = outcome(citation, &resolution, ending, taken.as_ref(), &findings);
    let seen = changes(context, planned, (before, resolution.ending), taken.as_ref(), &mut deed)?;
    record(context, planned, resolution, taken.map(|t| t.id), ending, &mut deed)?;
    deed.events.extend(seen);
    for (finding, snapshot) in findings.into_iter().zip(std::iter::repeat(outcome.snapshot)) {
        let Some(snapshot) = snapshot else { break };
        let made = FindingMade {
            run: context.run,
            statement: planned.statement,
            citation: citation.id,
            snapshot,
            post: finding.post,
            verdict: finding.verdict,
            checks: context.seal.hold(&mut deed, "checks", finding.checks)?,
        };
        deed.events.push(Event::FindingMade(Box::new(made)));
    }
    drop(slot);
    context.seal.commit(deed).await?;
    if let (Some(keys), Ending::Captured, Some(url)) = (&context.keep, ending, &outcome.final_url) {
        let requested = keep(&context.capture, context.run, url, keys).await?;
        let mut deed = Deed::default();
        deed.events.push(Event::ArchiveRequested(Box::new(requested)));
        context.seal.commit(deed).await?;
    }
    context.watch.see(News::Ended { number: planned.number, label: citation.raw.clone(), ending });
    Ok(outcome)
}

/// The accounts that a cited handle was, by the posts captured so far.
fn captured_accounts(context: &Context, kind: &Kind) -> Result<Vec<Author>, Fault> {
    let Kind::Handle { platform, handle } = kind else { return Ok(Vec::new()) };
    let mut all = context.capture.accounts(*platform, handle, None)?;
    all.retain(|account| account.id.is_some());
    all.sort_by(|one, other| one.id.cmp(&other.id));
    all.dedup_by(|one, other| one.id == other.id);
    Ok(all)
}

/// The account's own page goes before the posts captured; where they name several accounts, all are told.
fn tell_account(resolution: &mut Resolution, captured: Vec<Author>) {
    if captured.len() > 1 {
        let ids: Vec<&str> = captured.iter().filter_map(|account| account.id.as_deref()).collect();
        resolution.notes.push(format!("captured posts show this handle with several accounts: {}", ids.join(", ")));
    }
    if resolution.account.is_none() && captured.len() == 1 {
        resolution.account = captured.into_iter().next();
    }
}

/// Accounts of the post's author id or handle, and of the cited handle, in other captures: a renamed account is told from another one,
/// and a handle that changed hands from both.
fn accounts(context: &Context, kind: &Kind, resolution: &Resolution) -> Result<Vec<Author>, Fault> {
    let mut all = resolution.known.clone();
    let cited = if let Kind::Post { handle, .. } = kind { handle.as_deref() } else { None };
    for post in resolution.posts() {
        let Author { handle, id, .. } = &post.author;
        let platform = post.name.platform;
        all.extend(context.capture.accounts(platform, handle, id.as_deref())?);
        if let Some(cited) = cited.filter(|cited| !cited.eq_ignore_ascii_case(handle)) {
            all.extend(context.capture.accounts(platform, cited, None)?);
        }
    }
    Ok(all)
}

fn step(kind: &Kind, limits: pursuit::Limits, about: &About) -> Pursuit {
    // Of an archive's copies the one nearest to the statement's own day is taken.
    let near = about.date.as_deref().and_then(|day| day.parse::<jiff::civil::Date>().ok());
    let near = near.and_then(|day| day.to_zoned(jiff::tz::TimeZone::UTC).ok()).map(|zoned| zoned.timestamp());
    let limits = pursuit::Limits { near, ..limits };
    match kind {
        Kind::Link { url, .. } => Pursuit::link(url, limits),
        Kind::Handle { platform, handle } => Pursuit::handle(*platform, handle, limits),
        Kind::Post { .. } => Pursuit::post(kind, limits),
        Kind::Hashtag { tag } => Pursuit::link(tag, limits),
    }
}

/// What stood at the citation's end before; none where the ledger does not tell, which is said beside the look.
fn before(context: &Context, citation: &Citation, resolution: &mut Resolution) -> Result<Option<Box<Before>>, Fault> {
    match context.capture.before(&citation.id)? {
        Past::Known(before) => Ok(Some(before)),
        Past::Untold => {
            tracing::warn!("{}: {UNTOLD}; onrecord verify says what is wrong", citation.raw.escape_debug());
            resolution.notes.push(UNTOLD.to_owned());
            Ok(None)
        }
    }
}

/// Said where a look before is on record and cannot be relied on.
const UNTOLD: &str =
    "what the ledger has of the looks before is not where the catalogue says: whether anything changed is not told";

/// A snapshot that stands for this citation now.
struct Standing {
    id: Digest,
    ending: Ending,
    /// where it is not what stood there before
    anew: Option<Box<Manifest>>,
}

/// The requisites of the page at the end, where it is one and they are wanted.
fn gather(resolution: &mut Resolution, budget: Option<gather::Budget>) -> Option<Gather> {
    let needs = resolution.needs.take()?;
    Some(Gather::new(needs, &resolution.parts, budget?))
}

/// What is kept beside the end: a page's requisites, and its site's robots.txt.
async fn gathered(context: &Context, resolution: &mut Resolution) -> Result<Gathered, Fault> {
    let page = resolution.final_url.as_deref().and_then(|url| url::Url::parse(url).ok());
    let Some(page) = page.filter(|_| resolution.needs.is_some()) else { return Ok(Gathered::default()) };
    let gather = gather(resolution, context.budget);
    let requisites = async {
        match gather {
            Some(gather) => drive(gather, &context.capture, |_| ()).await,
            None => Ok(Gathered::default()),
        }
    };
    let (robots, mut gathered) = tokio::try_join!(context.capture.robots(&page), requisites)?;
    gathered.parts.extend(robots);
    Ok(gathered)
}

async fn snapshot(
    context: &Context,
    citation: &Citation,
    resolution: &mut Resolution,
    before: Option<&Before>,
    deed: &mut Deed,
) -> Result<Standing, Fault> {
    let gathered = gathered(context, resolution).await?;
    let at = resolution.parts.iter().map(|part| part.at).max().unwrap_or_else(|| context.tools.clock.now());
    let manifest = Manifest::of(resolution, gathered, at)?;
    let last = before.and_then(|before| before.snapshot.as_ref());
    if let Some((snapshot, _)) = last.filter(|(_, last)| last.content_digest == manifest.content_digest) {
        deed.events.push(Event::SnapshotUnchanged {
            run: context.run,
            citation: citation.id,
            snapshot: *snapshot,
            content: manifest.content_digest,
        });
        let ending = if resolution.ending.is_kept() { Ending::Unchanged } else { resolution.ending };
        return Ok(Standing { id: *snapshot, ending, anew: None });
    }
    let block = manifest.canonical()?;
    let (id, name) = context.seal.document(deed, "snapshot", block)?;
    deed.events.push(Event::SnapshotTaken { run: context.run, snapshot: id, manifest: name });
    let anew = last.map(|_| Box::new(manifest));
    Ok(Standing { id, ending: resolution.ending, anew })
}

/// What changed since the last look, as the event that says so; nothing at a first look.
fn changes(
    context: &Context,
    planned: &Planned,
    (before, ending): (Option<Box<Before>>, Ending),
    taken: Option<&Standing>,
    deed: &mut Deed,
) -> Result<Option<Event>, Fault> {
    let Some(Before { look: Some(look), snapshot, failures, .. }) = before.map(|before| *before) else {
        return Ok(None);
    };
    let mut changes: Vec<Change> =
        change::of_ending(look.ending, ending, failures.saturating_add(1)).into_iter().collect();
    let anew = taken.and_then(|taken| taken.anew.as_ref());
    if let Some(((_, old), manifest)) = snapshot.zip(anew) {
        changes.extend(change::of_content(&old, manifest));
    }
    if changes.is_empty() {
        return Ok(None);
    }
    Ok(Some(Event::ChangeSeen(Box::new(ChangeSeen {
        run: context.run,
        statement: planned.statement,
        citation: planned.citation.id,
        before: look,
        after: Stood { record: None, ending, snapshot: taken.map(|taken| taken.id) },
        changes: context.seal.hold(deed, "changes", changes)?,
    }))))
}

fn record(
    context: &Context,
    planned: &Planned,
    resolution: Resolution,
    snapshot: Option<Digest>,
    ending: Ending,
    deed: &mut Deed,
) -> Result<(), Fault> {
    let citation = planned.citation.id;
    let retry_at = resolution.retry_at;
    let post = resolution.leads_to().cloned();
    let asked: Vec<Part> = resolution.parts.into_iter().filter(|part| part.role != Role::Hop).collect();
    let way = Way {
        start: resolution.start,
        why: resolution.why,
        final_url: resolution.final_url,
        hops: resolution.hops,
        candidates: resolution.candidates,
        from_archive: resolution.from_archive,
        asked,
        account: resolution.account,
        attestations: resolution.attestations,
        notes: resolution.notes,
        truncated: resolution.truncated,
        unread: resolution.unread,
    };
    let ended = ResolutionEnded {
        run: context.run,
        statement: planned.statement,
        citation,
        ending,
        post,
        snapshot,
        retry_at,
        way: context.seal.hold(deed, "way", way)?,
    };
    deed.events.push(Event::ResolutionEnded(Box::new(ended)));
    let (looks, failures) = context.capture.catalogue(|store| store.looks(&citation))?;
    let counts = (looks.saturating_add(1), failures.saturating_add(1));
    deed.due.push((citation, context.again.after(ending, context.tools.clock.now(), counts, retry_at)));
    Ok(())
}

fn outcome(
    citation: &Citation,
    resolution: &Resolution,
    ending: Ending,
    taken: Option<&Standing>,
    findings: &[Finding],
) -> CitationOutcome {
    let snapshot = taken.map(|t| t.id);
    let told = |finding: &Finding, snapshot: Digest| FindingOutcome {
        citation: citation.id,
        post: finding.post.clone(),
        snapshot,
        verdict: finding.verdict,
        checks: finding.checks.clone(),
    };
    let findings = snapshot.map(|id| findings.iter().map(|finding| told(finding, id)).collect()).unwrap_or_default();
    CitationOutcome {
        id: citation.id,
        kind: kind_name(&citation.kind).into(),
        raw: citation.raw.clone(),
        ending: Some(ending),
        why: resolution.why.clone(),
        final_url: resolution.final_url.clone(),
        hops: resolution.hops.iter().filter(|hop| hop.at.is_some()).count(),
        snapshot,
        post: resolution.leads_to().map(ToString::to_string),
        posts: match resolution.also.as_slice() {
            [] => Vec::new(),
            _ => resolution.posts().map(|post| post.name.to_string()).collect(),
        },
        truncated: resolution.truncated,
        unread: resolution.unread.clone(),
        account: resolution.account.clone(),
        findings,
    }
}

/// The kind's name in the contract.
pub fn kind_name(kind: &Kind) -> &'static str {
    match kind {
        Kind::Link { .. } => "link",
        Kind::Handle { .. } => "handle",
        Kind::Hashtag { .. } => "hashtag",
        Kind::Post { .. } => "post",
    }
}

/// A citation that was recorded and not followed.
pub fn unfollowed(citation: &Citation) -> CitationOutcome {
    CitationOutcome {
        id: citation.id,
        kind: kind_name(&citation.kind).into(),
        raw: citation.raw.clone(),
        ending: None,
        why: String::new(),
        final_url: None,
        hops: 0,
        snapshot: None,
        post: None,
        posts: Vec::new(),
        truncated: None,
        unread: None,
        account: None,
        findings: Vec::new(),
    }
}
