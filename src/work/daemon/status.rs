//! What the daemon is doing, for whoever asks: health, readiness, metrics.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};

use jiff::Timestamp;

use crate::work::news::{News, Watch};
use crate::world::clock::Clock;

/// A number that only grows.
#[derive(Debug, Default)]
pub struct Count(AtomicU64);

impl Count {
    /// One more.
    pub fn up(&self) {
        self.add(1);
    }

    /// So many more.
    pub fn add(&self, n: u64) {
        self.0.fetch_add(n, Ordering::Relaxed);
    }

    /// How many.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A moment, or none yet.
#[derive(Debug)]
pub struct Moment(AtomicI64);

impl Default for Moment {
    fn default() -> Self {
        Self(AtomicI64::new(i64::MIN))
    }
}

impl Moment {
    /// Sets it.
    pub fn set(&self, at: Option<Timestamp>) {
        self.0.store(at.map_or(i64::MIN, Timestamp::as_microsecond), Ordering::Relaxed);
    }

    /// It, where there is one.
    pub fn get(&self) -> Option<Timestamp> {
        Timestamp::from_microsecond(self.0.load(Ordering::Relaxed)).ok()
    }
}

/// The daemon's state; written by the daemon, read by anyone.
#[derive(Debug, Default)]
pub struct Status {
    /// it takes work
    pub ready: AtomicBool,
    /// it has been told to stop
    pub stopping: AtomicBool,
    /// a run is under way
    pub running: AtomicBool,
    /// it began
    pub began: Moment,
    /// it last showed life
    pub beat: Moment,
    /// its last run ended
    pub last_run: Moment,
    /// its next scheduled run begins
    pub next_run: Moment,
    /// runs that came to their end
    pub runs: Count,
    /// runs that were told to stop
    pub runs_interrupted: Count,
    /// occurrences that were missed
    pub missed: Count,
    /// statements taken in
    pub statements: Count,
    /// statements and pages that could not be had
    pub refused: Count,
    /// feeds that were read
    pub feeds: Count,
    /// feeds that could not be
    pub feeds_failed: Count,
    /// statements handed in
    pub handed_in: Count,
    /// and turned away
    pub turned_away: Count,
    /// captured pages put into the index of words
    pub pages_indexed: Count,
    /// notices delivered
    pub notices: Count,
    /// deliveries that failed
    pub notices_failed: Count,
    /// settings read anew
    pub reloads: Count,
    /// and not taken
    pub reloads_failed: Count,
    /// the last thing that went wrong, for people
    trouble: Mutex<Option<String>>,
    /// the clock
    pub clock: Clock,
}

impl Status {
    /// With this clock.
    pub fn new(clock: Clock) -> Self {
        let status = Self { clock, ..Self::default() };
        status.began.set(Some(status.clock.now()));
        status.alive();
        status
    }

    /// It is alive now.
    pub fn alive(&self) {
        self.beat.set(Some(self.clock.now()));
    }

    /// Something went wrong and it goes on: one line, to the logs and to whoever asks.
    pub fn trouble(&self, line: String) {
        tracing::warn!("{line}");
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = Some(line);
    }

    /// The last thing that went wrong.
    pub fn last_trouble(&self) -> Option<String> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether it takes work.
    pub fn is_ready(&self) -> bool {
        self.ready.load(Ordering::Relaxed) && !self.stopping.load(Ordering::Relaxed)
    }
}

impl Watch for Status {
    fn see(&self, news: News) {
        self.alive();
        match news {
            News::Planned { citations } => tracing::info!(citations, "run opened"),
            News::Ended { label, ending, .. } => {
                tracing::info!(citation = label, ending = ending.as_str(), "citation ended");
            }
            News::Closed => tracing::info!("run closed"),
            News::Stage { .. } | News::Hop { .. } => {}
        }
    }
}
