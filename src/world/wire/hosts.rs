//! What is remembered of each host: how many exchanges run with it, its idle connections, its pace, and until when it wants to
//! be left alone.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::Semaphore;

use crate::world::clock::{Clock, Stopwatch};
use crate::world::manners::{Pace, Rate};
use crate::world::wire::stream::Stream;
use crate::world::wire::taken::Connection;

/// Hosts remembered before those without anything going on are forgotten: memory does not grow with their number.
const REMEMBERED: usize = 512;

/// All hosts.
#[derive(Debug)]
pub(super) struct Hosts {
    map: Mutex<HashMap<Box<str>, Arc<Host>>>,
    idling: AtomicUsize,
    most_idle: usize,
    per_host: usize,
    idle: Duration,
}

/// One host, whatever the port.
#[derive(Debug)]
pub(super) struct Host {
    /// exchanges it may still be asked for
    pub(super) permits: Semaphore,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    idle: Vec<Idle>,
    closed_until: Option<Timestamp>,
    paces: Vec<(u8, Arc<Pace>)>,
}

#[derive(Debug)]
struct Idle {
    https: bool,
    port: u16,
    since: Stopwatch,
    line: Line,
}

/// A connection with its facts.
#[derive(Debug)]
pub(super) struct Line {
    /// its bytes
    pub(super) stream: Stream,
    /// what is known of it
    pub(super) facts: Arc<Connection>,
    /// whether it has carried an exchange
    pub(super) used: bool,
}

impl Hosts {
    /// Knows nobody yet. At most `most_idle` connections are kept, so that a run over a thousand hosts does not use up the
    /// process's file descriptors.
    pub(super) fn new(per_host: usize, most_idle: usize, idle: Duration) -> Self {
        Self { map: Mutex::default(), idling: AtomicUsize::new(0), most_idle, per_host: per_host.max(1), idle }
    }

    /// The host of this name.
    pub(super) fn get(&self, name: &str, clock: &Clock) -> Arc<Host> {
        let mut map = lock(&self.map);
        if let Some(host) = map.get(name) {
            return Arc::clone(host);
        }
        if map.len() >= REMEMBERED {
            let now = clock.now();
            map.retain(|_, host| {
                let stays = Arc::strong_count(host) > 1 || host.matters(now, self.idle);
                if !stays {
                    self.idling.fetch_sub(lock(&host.state).idle.len(), Ordering::Relaxed);
                }
                stays
            });
        }
        let host = Arc::new(Host { permits: Semaphore::new(self.per_host), state: Mutex::default() });
        map.insert(name.into(), Arc::clone(&host));
        host
    }

    /// Keeps a connection for the next exchange with the same host, scheme and port.
    pub(super) fn keep(&self, host: &Host, https: bool, port: u16, line: Line, since: Stopwatch) {
        if self.idling.load(Ordering::Relaxed) >= self.most_idle {
            self.thin_out();
        }
        let mut state = lock(&host.state);
        state.idle.push(Idle { https, port, since, line });
        self.idling.fetch_add(1, Ordering::Relaxed);
        if state.idle.len() > self.per_host {
            state.idle.remove(0); // the one unused longest
            self.idling.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// A connection that may be used again, the one used last.
    pub(super) fn reuse(&self, host: &Host, https: bool, port: u16) -> Option<Line> {
        loop {
            let mut found = {
                let mut state = lock(&host.state);
                let at = state.idle.iter().rposition(|idle| idle.https == https && idle.port == port)?;
                state.idle.remove(at)
            };
            self.idling.fetch_sub(1, Ordering::Relaxed);
            if found.since.elapsed() < self.idle && found.line.stream.is_quiet() {
                return Some(found.line);
            }
        }
    }

    /// Closes the connections unused longest until half as many are left as may be, so that it is rarely needed.
    fn thin_out(&self) {
        let map = lock(&self.map);
        let mut ages: Vec<Duration> = Vec::new();
        for host in map.values() {
            ages.extend(lock(&host.state).idle.iter().map(|idle| idle.since.elapsed()));
        }
        ages.sort_unstable_by_key(|age| Reverse(*age));
        let surplus = ages.len().saturating_sub(self.most_idle / 2);
        let mut left = surplus;
        let Some(oldest) = surplus.checked_sub(1).and_then(|at| ages.get(at)).copied() else { return };
        for host in map.values() {
            lock(&host.state).idle.retain(|idle| {
                let goes = left > 0 && idle.since.elapsed() >= oldest;
                left -= usize::from(goes);
                !goes
            });
        }
        self.idling.fetch_sub(surplus - left, Ordering::Relaxed);
    }
}

impl Host {
    /// Until when it wants to be left alone.
    pub(super) fn closed_until(&self) -> Option<Timestamp> {
        lock(&self.state).closed_until
    }

    /// Leaves it alone until then.
    pub(super) fn close_until(&self, then: Timestamp) {
        lock(&self.state).closed_until = Some(then);
    }

    /// The pace of one of its counters.
    pub(super) fn pace(&self, counter: u8, rate: Rate) -> Arc<Pace> {
        let mut state = lock(&self.state);
        if let Some((_, pace)) = state.paces.iter().find(|(n, _)| *n == counter) {
            return Arc::clone(pace);
        }
        let pace = Arc::new(Pace::new(rate));
        state.paces.push((counter, Arc::clone(&pace)));
        pace
    }

    fn matters(&self, now: Timestamp, idle: Duration) -> bool {
        let state = lock(&self.state);
        let warm = state.idle.iter().any(|kept| kept.since.elapsed() < idle);
        warm || !state.paces.is_empty() || state.closed_until.is_some_and(|then| then > now)
    }
}

/// A panic elsewhere leaves these tables whole: every change to them is one step.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
