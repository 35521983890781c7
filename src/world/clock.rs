//! The clock: the only place where it is read. Real, or frozen where a run must give the same bytes twice.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};

/// Tells the time, in microseconds. Cheap to clone; clones of a frozen clock share their hands.
#[derive(Clone, Debug, Default)]
pub struct Clock(Hands);

#[derive(Clone, Debug, Default)]
enum Hands {
    #[default]
    Real,
    Frozen(Arc<AtomicI64>),
}

impl Clock {
    /// The system's clock.
    pub fn real() -> Self {
        Self(Hands::Real)
    }

    /// A clock that stands at `at` until it is moved.
    pub fn frozen(at: Timestamp) -> Self {
        Self(Hands::Frozen(Arc::new(AtomicI64::new(at.as_microsecond()))))
    }

    /// The instant, cut to microseconds.
    pub fn now(&self) -> Timestamp {
        match &self.0 {
            Hands::Real => crate::format::time::to_micros(Timestamp::now()),
            Hands::Frozen(at) => Timestamp::from_microsecond(at.load(Ordering::Relaxed)).unwrap_or_default(),
        }
    }

    /// Moves a frozen clock on; a real one moves by itself.
    pub fn advance(&self, by: Duration) {
        if let Hands::Frozen(at) = &self.0 {
            at.fetch_add(i64::try_from(by.as_micros()).unwrap_or(i64::MAX), Ordering::Relaxed);
        }
    }

    /// How long until `then`; nothing where it is past.
    pub fn until(&self, then: Timestamp) -> Duration {
        Duration::try_from(then.duration_since(self.now()).max(SignedDuration::ZERO)).unwrap_or_default()
    }

    /// Starts measuring. What it gives stands still where the clock does.
    pub fn start(&self) -> Stopwatch {
        match self.0 {
            Hands::Real => Stopwatch(Some(Instant::now())),
            Hands::Frozen(_) => Stopwatch(None),
        }
    }
}

/// How long something takes.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch(Option<Instant>);

impl Stopwatch {
    /// Since it was started.
    pub fn elapsed(&self) -> Duration {
        self.0.map(|start| start.elapsed()).unwrap_or_default()
    }
}

/// Certificates are judged at this clock's time.
impl rustls::time_provider::TimeProvider for Clock {
    fn current_time(&self) -> Option<rustls_pki_types::UnixTime> {
        let seconds = u64::try_from(self.now().as_second()).ok()?;
        Some(rustls_pki_types::UnixTime::since_unix_epoch(Duration::from_secs(seconds)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frozen_clock_stands_and_its_clones_move_together() -> Result<(), jiff::Error> {
        let at: Timestamp = "2019-06-10T07:58:44.123456789Z".parse()?;
        let clock = Clock::frozen(at);
        let other = clock.clone();
        assert_eq!(clock.now().to_string(), "2019-06-10T07:58:44.123456Z");
        assert_eq!(clock.start().elapsed(), Duration::ZERO);
        other.advance(Duration::from_secs(2));
        assert_eq!(clock.now().to_string(), "2019-06-10T07:58:46.123456Z");
        assert_eq!(clock.until("2019-06-10T07:58:56.123456Z".parse()?), Duration::from_secs(10));
        assert_eq!(clock.until(at), Duration::ZERO);
        Ok(())
    }

    #[test]
    fn the_real_clock_is_cut_to_microseconds() {
        assert_eq!(Clock::real().now().subsec_nanosecond() % 1000, 0);
    }
}
