//! Notices: each change on record is told to everyone who is to be told, until they have taken it.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use tokio::sync::Notify;
use url::Url;

use crate::format::digest::Digest;
use crate::statement::StatementId;
use crate::work::daemon::status::Status;
use crate::work::fault::Fault;
use crate::work::run::Stop;
use crate::world::services::webhook::Secret;
use crate::world::services::{Services, command, mail, webhook};
use crate::world::store::Store;
use crate::world::store::queue::{ChangeRow, Fate, Notice, Queue};

/// Pauses after failed deliveries; the last one repeats.
const PAUSES: [SignedDuration; 8] = [
    SignedDuration::from_secs(10),
    SignedDuration::from_mins(1),
    SignedDuration::from_mins(5),
    SignedDuration::from_mins(30),
    SignedDuration::from_hours(2),
    SignedDuration::from_hours(6),
    SignedDuration::from_hours(12),
    SignedDuration::from_hours(24),
];
/// Deliveries tried, more than a week of them; the notice then stays in the table as given up.
const TRIES: u32 = 16;
/// Notices fetched at once.
const AT_ONCE: usize = 100;
/// A program that takes a notice has so long.
const COMMAND: Duration = Duration::from_secs(60);
/// Nothing sleeps longer, so that a clock that was set is noticed.
const NAP: Duration = Duration::from_secs(3600);

/// Who is told.
#[derive(Clone, Debug)]
pub struct Target {
    /// its name in the queue and in messages
    pub name: String,
    /// the kinds of change it is told of; all where empty
    pub only: Vec<String>,
    /// how
    pub way: TargetWay,
}

/// How someone is told.
#[derive(Clone, Debug)]
pub enum TargetWay {
    /// an HTTP POST
    Webhook {
        /// where to
        url: Url,
        /// what it is signed with
        secret: Option<Secret>,
        /// the client
        services: Services,
    },
    /// a program, with the notice on its standard input
    Command(Vec<String>),
    /// a letter
    Mail(Box<mail::Post>),
}

/// A notice as it is told. Adding fields is free.
#[derive(Clone, Debug, Serialize)]
pub struct Told {
    /// `change.seen`
    pub kind: &'static str,
    /// the archive: its ledger's origin
    pub archive: String,
    /// ledger index of the record
    pub index: u64,
    /// when it was seen
    pub at: Timestamp,
    /// the statement
    pub statement: StatementId,
    /// where that came from
    pub source: String,
    /// the citation
    pub citation: Digest,
    /// as it stands in the statement
    pub raw: String,
    /// what stood there
    pub before: Stood,
    /// what stands there now
    pub after: Stood,
    /// what changed
    pub changes: Vec<Changed>,
}

/// One look.
#[derive(Clone, Debug, Serialize)]
pub struct Stood {
    /// how it ended
    pub ending: String,
    /// the snapshot
    #[serde(skip_serializing_if = "Option::is_none")]
    pub snapshot: Option<Digest>,
}

/// One change.
#[derive(Clone, Debug, Serialize)]
pub struct Changed {
    /// which kind
    pub what: String,
    /// before
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// now
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}

impl Told {
    /// What is told of a change.
    pub fn of(row: ChangeRow, archive: &str) -> Self {
        Self {
            kind: "change.seen",
            archive: archive.to_owned(),
            index: row.record,
            at: row.at,
            statement: row.statement,
            source: row.source,
            citation: row.citation,
            raw: row.raw,
            before: Stood { ending: row.ending_before, snapshot: row.snapshot_before },
            after: Stood { ending: row.ending_after, snapshot: row.snapshot_after },
            changes: row.changes.into_iter().map(|(what, before, after)| Changed { what, before, after }).collect(),
        }
    }

    /// One line for people. What the statement says is not to be trusted by a terminal.
    pub fn title(&self) -> String {
        let whats: Vec<&str> = self.changes.iter().map(|change| change.what.as_str()).collect();
        let raw: String = self.raw.chars().map(|c| if c.is_control() { ' ' } else { c }).take(120).collect();
        format!("{}: {raw}", whats.join(", "))
    }

    /// The whole of it for people.
    pub fn text(&self) -> String {
        let mut out = format!(
            "{}\n\nstatement: {} ({})\ncitation:  {}\nbefore:    {}\nafter:     {}\n",
            self.title(),
            self.source,
            self.statement.0,
            self.citation,
            self.before.ending,
            self.after.ending
        );
        for change in &self.changes {
            let quoted = |text: &Option<String>| text.clone().unwrap_or_else(|| "nothing".to_owned());
            out.push_str(&format!(
                "\n{}\n  before: {}\n  after:  {}\n",
                change.what,
                quoted(&change.before),
                quoted(&change.after)
            ));
        }
        out.push_str(&format!("\nledger index {} of {}, seen {}\n", self.index, self.archive, self.at));
        out
    }
}

/// Delivers notices.
pub struct Messenger {
    queue: Queue,
    reader: Store,
    targets: Vec<Target>,
    status: Arc<Status>,
    archive: String,
}

impl std::fmt::Debug for Messenger {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Messenger({} targets)", self.targets.len())
    }
}

impl Messenger {
    /// For the catalogue at `path`.
    ///
    /// # Errors
    /// The catalogue's.
    pub fn new(
        path: &std::path::Path,
        targets: Vec<Target>,
        status: Arc<Status>,
        archive: String,
    ) -> Result<Self, Fault> {
        Ok(Self { queue: Queue::open(path)?, reader: Store::open_read(path)?, targets, status, archive })
    }

    /// Delivers what there is whenever `wake` says that there is more, and what failed when its time has come, until told to
    /// stop.
    pub async fn run(mut self, wake: Arc<Notify>, mut stop: Stop) {
        loop {
            let next = match self.deliver().await {
                Ok(next) => next,
                Err(fault) => {
                    self.status.trouble(format!("failed to deliver notices: {fault}"));
                    None
                }
            };
            let sleep = next.map_or(NAP, |at| self.status.clock.until(at).min(NAP));
            tokio::select! {
                () = wake.notified() => {}
                () = tokio::time::sleep(sleep) => {}
                _ = stop.wait_for(|told| *told) => return,
            }
        }
    }

    /// Delivers everything whose time has come; when the next one's has.
    ///
    /// # Errors
    /// The catalogue's. A delivery that fails is none.
    pub async fn deliver(&mut self) -> Result<Option<Timestamp>, Fault> {
        let names: Vec<(String, Vec<String>)> = self.targets.iter().map(|t| (t.name.clone(), t.only.clone())).collect();
        self.queue.announce(&names, self.status.clock.now())?;
        loop {
            let waiting = self.queue.notices(self.status.clock.now(), AT_ONCE)?;
            if waiting.is_empty() {
                return Ok(self.queue.next()?.1);
            }
            for notice in waiting {
                let fate = self.one(&notice).await?;
                // Cut here, it is delivered twice under the same id, never lost.
                self.queue.notice(notice.id, &fate)?;
            }
        }
    }

    async fn one(&mut self, notice: &Notice) -> Result<Fate, Fault> {
        let Some(target) = self.targets.iter().find(|target| target.name == notice.target).cloned() else {
            return Ok(Fate::GivenUp("it is no longer among the settings".to_owned()));
        };
        let Some(row) = self.reader.change(notice.change)? else {
            return Ok(Fate::GivenUp("the change is not in the catalogue".to_owned()));
        };
        let told = Told::of(row, &self.archive);
        match tell(&target.way, notice, &told, self.status.clock.now()).await {
            Ok(()) => {
                self.status.notices.up();
                Ok(Fate::Done)
            }
            Err(why) => {
                self.status.notices_failed.up();
                let tries = notice.tries + 1;
                let pause =
                    PAUSES.get(notice.tries as usize).or(PAUSES.last()).copied().unwrap_or(SignedDuration::ZERO);
                let at = self.status.clock.now().checked_add(pause).unwrap_or(Timestamp::MAX);
                self.status.trouble(format!("failed to tell {} of a change ({tries} of {TRIES}): {why}", target.name));
                Ok(if tries >= TRIES { Fate::GivenUp(why) } else { Fate::Again(at, why) })
            }
        }
    }
}

/// Tells one target.
async fn tell(way: &TargetWay, notice: &Notice, told: &Told, now: Timestamp) -> Result<(), String> {
    let body = || serde_json::to_vec(told).map_err(|e| e.to_string());
    // The same for the same notice, however often it is sent.
    let id = Digest::of(format!("{} {} {}", told.archive, notice.change, notice.target).as_bytes()).hex();
    let id = format!("change-{}-{}", notice.change, id.get(..12).unwrap_or_default());
    match way {
        TargetWay::Webhook { url, secret, services } => {
            match webhook::post(services, url, secret.as_ref(), &id, now, body()?).await.map_err(|e| e.to_string())? {
                200..=299 => Ok(()),
                status => Err(format!("it answered HTTP {status}")),
            }
        }
        TargetWay::Command(command) => command::run(command, &body()?, COMMAND).await.map_err(|e| causes(&e)),
        TargetWay::Mail(post) => {
            post.send(&id, &format!("onrecord: {}", told.title()), told.text()).await.map_err(|e| causes(&e))
        }
    }
}

/// An error and its innermost cause, on one line.
fn causes(error: &dyn std::error::Error) -> String {
    let mut said = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        let text = next.to_string();
        if !said.contains(&text) {
            said = format!("{said}: {text}");
        }
        cause = next.source();
    }
    said
}
