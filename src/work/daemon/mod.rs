//! The daemon: one loop over one archive. It waits for a time, a file, an order; does one round; waits again.
//!
//! One round at a time, in one process that holds the archive's lock: no job is ever done twice at once. What a round is
//! about stays in the queue or in its folder until the round has made it durable: none is ever lost.

pub mod inbox;
pub mod notices;
pub mod schedule;
pub mod status;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinHandle;
use url::Url;

use crate::format::feed;
use crate::record::Event;
use crate::work::archive::OpenArchive;
use crate::work::daemon::inbox::Quiet;
use crate::work::daemon::notices::{Messenger, Target};
use crate::work::daemon::schedule::{Missed, Schedule, judge};
use crate::work::daemon::status::Status;
use crate::work::errand::{self, Errand, Manner, Round};
use crate::work::fault::Fault;
use crate::work::run::Stop;
use crate::work::seal::Deed;
use crate::work::words;
use crate::world::input::{self, Lying};
use crate::world::store::Store;
use crate::world::store::queue::{Fate, Queue, Waiting};
use crate::world::watcher::Watcher;
use crate::world::wire::Wire;

/// It never sleeps longer, so that a machine that slept, or a clock that was set, is noticed.
const NAP: Duration = Duration::from_secs(60);
/// Pages of feeds captured in one round.
const PAGES: usize = 50;
/// Captured pages put into the index of words before the daemon looks again whether there is something to do.
const PAGES_READ: usize = 16;
/// Pauses before a page of a feed is tried again; after the last it is given up.
const PAGE_PAUSES: [SignedDuration; 4] = [
    SignedDuration::from_mins(5),
    SignedDuration::from_hours(1),
    SignedDuration::from_hours(6),
    SignedDuration::from_hours(24),
];

/// A feed and when it is read.
#[derive(Clone, Debug)]
pub struct Feed {
    /// its name is the schedule's
    pub schedule: Schedule,
    /// where it is
    pub url: Url,
}

/// What the daemon is to do; replaced as a whole when settings are read anew.
pub struct Orders {
    /// when due citations are followed
    pub runs: Schedule,
    /// whether missed runs are made up for
    pub catch_up: bool,
    /// how long a file must have been left alone
    pub quiet: SignedDuration,
    /// folders of statements, the inbox among them
    pub folders: Vec<PathBuf>,
    /// feeds
    pub feeds: Vec<Feed>,
    /// how a run goes about it
    pub manner: Manner,
    /// the network
    pub wire: Wire,
    /// who is told of changes
    pub targets: Vec<Target>,
}

impl std::fmt::Debug for Orders {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Orders({:?}, {} folders, {} feeds)", self.runs, self.folders.len(), self.feeds.len())
    }
}

/// What the daemon listens to.
#[derive(Debug)]
pub struct Ears {
    /// told to stop
    pub stop: Stop,
    /// other orders
    pub orders: mpsc::Receiver<Orders>,
    /// something was put into the inbox
    pub handed_in: Arc<Notify>,
}

/// One round's work.
#[derive(Debug, Default)]
struct Work {
    missed: Vec<(String, Missed)>,
    feeds: Vec<Feed>,
    files: Vec<Lying>,
    pages: Vec<Waiting>,
    due: bool,
    served: Vec<(String, Timestamp)>,
}

impl Work {
    fn is_empty(&self) -> bool {
        let Self { missed, feeds, files, pages, due, served } = self;
        missed.is_empty() && feeds.is_empty() && files.is_empty() && pages.is_empty() && !due && served.is_empty()
    }
}

/// The daemon over an open archive.
pub struct Daemon<'a> {
    open: &'a OpenArchive,
    orders: Orders,
    status: Arc<Status>,
    queue: Queue,
    reader: Store,
    quiet: Quiet,
    watcher: Watcher,
    /// when to look into the folders; now, where it is past
    look: Option<Timestamp>,
    messenger: JoinHandle<()>,
    tell: Arc<Notify>,
    stop: Stop,
    is_first: bool,
}

impl std::fmt::Debug for Daemon<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Daemon({:?})", self.orders)
    }
}

impl<'a> Daemon<'a> {
    /// Sets it up; nothing is done yet.
    ///
    /// # Errors
    /// The catalogue's, and folders that cannot be watched at all.
    pub fn new(open: &'a OpenArchive, orders: Orders, status: Arc<Status>, stop: Stop) -> Result<Self, Fault> {
        let catalogue = open.paths.catalogue();
        let tell = Arc::new(Notify::new());
        let mut daemon = Self {
            open,
            queue: Queue::open(&catalogue)?,
            reader: Store::open_read(&catalogue)?,
            quiet: Quiet::new(orders.quiet),
            watcher: Watcher::over(&[]).map_err(Fault::file("watch of", open.paths.statements()))?.0,
            look: Some(Timestamp::UNIX_EPOCH),
            messenger: tokio::spawn(async {}),
            orders,
            status,
            tell,
            stop,
            is_first: true,
        };
        daemon.settle()?;
        Ok(daemon)
    }

    /// Takes up what the orders say: what is watched, who is told.
    fn settle(&mut self) -> Result<(), Fault> {
        let catalogue = self.open.paths.catalogue();
        let (watcher, failed) =
            Watcher::over(&self.orders.folders).map_err(Fault::file("watch of", self.open.paths.statements()))?;
        for (folder, error) in failed {
            self.status
                .trouble(format!("failed to watch {}: {error}; it is looked into at every run", folder.display()));
        }
        self.watcher = watcher;
        self.quiet = Quiet::new(self.orders.quiet);
        self.look = Some(Timestamp::UNIX_EPOCH);
        self.messenger.abort();
        let messenger =
            Messenger::new(&catalogue, self.orders.targets.clone(), self.status.clone(), self.open.origin.clone())?;
        self.messenger = tokio::spawn(messenger.run(self.tell.clone(), self.stop.clone()));
        Ok(())
    }

    /// Works until told to stop.
    ///
    /// # Errors
    /// What stops the archive itself; never what one source, link or target did.
    pub async fn run(mut self, mut ears: Ears) -> Result<(), Fault> {
        self.status.ready.store(true, Ordering::Relaxed);
        while !*ears.stop.borrow() {
            self.status.alive();
            let now = self.now();
            let work = self.work(now)?;
            if !work.is_empty() {
                self.round(work).await?;
                self.tell.notify_one();
                continue;
            }
            if self.read_on()? {
                continue;
            }
            let next = self.next(now)?;
            let nap = next.map_or(NAP, |at| self.status.clock.until(at).min(NAP));
            tokio::select! {
                _ = ears.stop.changed() => {}
                Some(orders) = ears.orders.recv() => {
                    self.orders = orders;
                    self.settle()?;
                }
                () = self.watcher.stirred() => self.look = Some(now),
                () = ears.handed_in.notified() => self.look = Some(now),
                () = tokio::time::sleep(nap) => {}
            }
        }
        self.status.ready.store(false, Ordering::Relaxed);
        // What the last round saw is told on the next start, where there is no time for it now.
        let _ = tokio::time::timeout(Duration::from_secs(5), self.messenger).await;
        Ok(())
    }

    fn now(&self) -> Timestamp {
        self.status.clock.now()
    }

    /// With nothing else to do, a few captured pages are put into the index of words; says whether there were any.
    fn read_on(&mut self) -> Result<bool, Fault> {
        let indexed = words::index(&self.open.paths.warc(), self.queue.store(), PAGES_READ)?;
        self.status.pages_indexed.add(indexed.pages);
        Ok(indexed.pages + indexed.unread > 0)
    }

    /// What there is to do now.
    fn work(&mut self, now: Timestamp) -> Result<Work, Fault> {
        let mut work = Work::default();
        let runs = self.orders.runs.clone();
        if self.is_owed(&runs, now, &mut work)? {
            work.due = true;
            self.look = Some(now);
        }
        for feed in self.orders.feeds.clone() {
            if self.is_owed(&feed.schedule, now, &mut work)? {
                work.feeds.push(feed);
            }
        }
        // What an earlier process left undone is not left until the next time the schedule comes round.
        work.due |= std::mem::take(&mut self.is_first) && self.orders.catch_up;
        work.due = work.due && self.reader.is_due(now)?;
        work.files = self.files(now)?;
        work.pages = self.queue.entries(now, PAGES)?;
        Ok(work)
    }

    /// Whether a schedule has come round and is to be run; what it missed is noted.
    fn is_owed(&self, schedule: &Schedule, now: Timestamp, work: &mut Work) -> Result<bool, Fault> {
        let Some(served) = self.queue.served(&schedule.name)? else {
            work.served.push((schedule.name.clone(), now));
            return Ok(true);
        };
        // A clock that was put back must not stop the schedule until it has caught up.
        if served > now {
            work.served.push((schedule.name.clone(), now));
            return Ok(false);
        }
        let Some(owed) = schedule.due(served, now) else { return Ok(false) };
        let judged = judge(&owed, now, self.orders.catch_up);
        work.missed.extend(judged.missed.map(|missed| (schedule.name.clone(), missed)));
        work.served.push((schedule.name.clone(), judged.done));
        Ok(judged.run)
    }

    /// Files that are new or changed and have been left alone.
    fn files(&mut self, now: Timestamp) -> Result<Vec<Lying>, Fault> {
        if self.look.is_none_or(|at| at > now) {
            return Ok(Vec::new());
        }
        let mut lying = Vec::new();
        for folder in &self.orders.folders {
            match input::lying(folder) {
                Ok(files) => lying.extend(files),
                Err(error) => self.status.trouble(format!("failed to read the folder {}: {error}", folder.display())),
            }
        }
        let mut fresh = Vec::new();
        for file in lying {
            if !self.queue.has_taken(&file.path.display().to_string(), file.size, file.changed)? {
                fresh.push(file);
            }
        }
        let (ready, again) = self.quiet.sort(fresh, now);
        self.look = again;
        Ok(ready)
    }

    /// When there is something to do next, as far as is known.
    fn next(&self, now: Timestamp) -> Result<Option<Timestamp>, Fault> {
        let run = self.orders.runs.next(self.queue.served(&self.orders.runs.name)?.unwrap_or(now));
        self.status.next_run.set(run);
        let mut next = [run, self.look, self.queue.next()?.0].into_iter().flatten().min();
        for feed in &self.orders.feeds {
            let at = feed.schedule.next(self.queue.served(&feed.schedule.name)?.unwrap_or(now));
            next = [next, at].into_iter().flatten().min();
        }
        Ok(next)
    }

    async fn round(&mut self, work: Work) -> Result<(), Fault> {
        let Work { missed, feeds, files, mut pages, due, served } = work;
        self.record(missed).await?;
        for feed in feeds {
            self.read(&feed).await?;
        }
        if pages.is_empty() {
            pages = self.queue.entries(self.now(), PAGES)?;
        }
        if due || !files.is_empty() || !pages.is_empty() {
            self.errand(files, pages, due).await?;
        }
        // Only now: cut off before, the same occurrence is owed again.
        for (schedule, done) in served {
            self.queue.serve(&schedule, done)?;
        }
        Ok(())
    }

    /// Puts runs on record that did not happen.
    async fn record(&self, missed: Vec<(String, Missed)>) -> Result<(), Fault> {
        if missed.is_empty() {
            return Ok(());
        }
        let began = self.status.began.get();
        let mut deed = Deed::default();
        for (schedule, Missed { first, last, count }) in missed {
            self.status.missed.add(count);
            let why = if began.is_some_and(|began| last <= began) {
                "no daemon was running"
            } else {
                "the run before was still under way, or the machine slept"
            };
            self.status.trouble(format!("{count} of {schedule} missed from {first} to {last}: {why}"));
            deed.events.push(Event::RunMissed {
                schedule,
                due: first,
                until: (last != first).then_some(last),
                count: (count != 1).then_some(count),
                why: why.to_owned(),
            });
        }
        self.open.seal.commit(deed).await?;
        Ok(())
    }

    /// Reads a feed and takes up its new entries.
    async fn read(&mut self, feed: &Feed) -> Result<(), Fault> {
        let name = &feed.schedule.name;
        let robots = self.orders.manner.robots;
        let capture = Arc::new(self.open.capture(self.orders.wire.clone())?.heeding(robots));
        let bytes = match errand::page(&capture, feed.url.clone()).await {
            Ok(handed) => handed.bytes,
            Err(Fault::Input { what, .. }) => {
                self.status.feeds_failed.up();
                self.status.trouble(format!("failed to read {name}: {what}"));
                return Ok(());
            }
            Err(fault) => return Err(fault),
        };
        match feed::read(&bytes, &feed.url) {
            Ok(entries) => {
                let entries: Vec<_> = entries.into_iter().map(|entry| (entry.id, entry.url.to_string())).collect();
                let fresh = self.queue.enlist(name, &entries, self.status.clock.now())?;
                self.status.feeds.up();
                tracing::info!(feed = name, entries = entries.len(), fresh, "feed read");
            }
            Err(error) => {
                self.status.feeds_failed.up();
                self.status.trouble(format!("failed to read {name}: {error}"));
            }
        }
        Ok(())
    }

    async fn errand(&mut self, files: Vec<Lying>, pages: Vec<Waiting>, due: bool) -> Result<(), Fault> {
        let urls = pages.iter().filter_map(|page| Url::parse(&page.url).ok()).collect();
        let round = Round { files: files.iter().map(|file| file.path.clone()).collect(), pages: urls, due };
        let errand = Errand {
            open: self.open,
            wire: self.orders.wire.clone(),
            manner: self.orders.manner.clone(),
            watch: self.status.clone(),
        };
        self.status.running.store(true, Ordering::Relaxed);
        let done = errand.round(round, self.stop.clone()).await;
        self.status.running.store(false, Ordering::Relaxed);
        let done = done?;
        for (source, fault) in &done.refused {
            self.status.refused.up();
            self.status.trouble(format!("failed to take in {source}: {fault}"));
        }
        self.status.statements.add(done.taken.len() as u64);
        for file in files {
            self.queue.take(&file.path.display().to_string(), file.size, file.changed)?;
        }
        for page in pages {
            if let Some(fate) = self.fate(&page, &done) {
                self.queue.entry(&page, &fate)?;
            }
        }
        if let Some(run) = done.done {
            let which = if run.interrupted { &self.status.runs_interrupted } else { &self.status.runs };
            which.up();
            self.status.last_run.set(Some(self.now()));
            for (source, why) in run.unreadable {
                self.status.trouble(format!("{source} was kept, but nothing in it could be read: {why}"));
            }
        }
        Ok(())
    }

    /// What became of a feed's page; nothing where the round was told to stop before it came to it.
    fn fate(&self, page: &Waiting, done: &errand::RoundDone) -> Option<Fate> {
        let Ok(url) = Url::parse(&page.url) else {
            return Some(Fate::GivenUp("its address is none".to_owned()));
        };
        let source = url.to_string();
        if done.taken.contains(&source) {
            return Some(Fate::Done);
        }
        let why = done.refused.iter().find(|(refused, _)| *refused == source)?.1.to_string();
        Some(match PAGE_PAUSES.get(page.tries as usize) {
            Some(pause) => Fate::Again(self.now().checked_add(*pause).unwrap_or(Timestamp::MAX), why),
            None => Fate::GivenUp(why),
        })
    }
}
