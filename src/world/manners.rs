//! Manners: when to ask again, how long to wait, how often a service lets itself be asked.

use std::num::NonZeroU32;
use std::time::Duration;

use governor::clock::{Clock as _, MonotonicClock};
use governor::middleware::NoOpMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use jiff::Timestamp;

use crate::format::http::{Answer, Method};
use crate::resolution::exchange::Failure;
use crate::world::wire::taken::Taken;

/// The longest wait within a run; what asks for more is due again in a later one.
pub const LONGEST_WAIT: Duration = Duration::from_secs(10);
/// Tries of one request, the first included.
pub const MOST_TRIES: u32 = 4;
/// The wait before the second try; it doubles from there.
const FIRST_WAIT: Duration = Duration::from_millis(500);

/// Whether to ask again after the try `taken` (the `tries`th, counted from 1), and after how long. `jitter`, from 0 to 1,
/// spreads the waits of many who failed together. Only GET and HEAD are asked again.
pub fn again(taken: &Taken, tries: u32, jitter: f64) -> Option<Duration> {
    if tries >= MOST_TRIES || taken.request.method == Method::Post || taken.overflow_error.is_some() {
        return None;
    }
    match &taken.outcome {
        // Web archives give no Retry-After, and lock out for an hour whoever asks on (2023-11).
        Ok(answer) if answer.status == 429 && is_archive(taken.request.url.host_str().unwrap_or_default()) => None,
        Ok(answer) => again_after_answer(answer, taken.at, tries, jitter),
        // Some networks drop one connection in a hundred; a host that is really down is not asked over and over.
        Err(Failure::Unreachable(_)) if tries < 3 => Some(backoff(tries, jitter)),
        Err(_) => None,
    }
}

fn is_archive(host: &str) -> bool {
    host == "web.archive.org" || crate::platform::archive_today::is_host(host)
}

fn again_after_answer(answer: &Answer, at: Timestamp, tries: u32, jitter: f64) -> Option<Duration> {
    let asked = || answer.headers.retry_after(at).map(|then| wait(at, then));
    match answer.status {
        429 | 503 => match asked() {
            Some(wait) => (wait <= LONGEST_WAIT).then_some(wait),
            None => Some(backoff(tries, jitter)),
        },
        500 | 502 | 504 | 520..=527 => Some(backoff(tries, jitter)),
        _ => None,
    }
}

fn wait(now: Timestamp, then: Timestamp) -> Duration {
    Duration::try_from(then.duration_since(now)).unwrap_or_default()
}

/// Half a second, one, two …, each between half and one and a half times that, and never more than [`LONGEST_WAIT`].
fn backoff(tries: u32, jitter: f64) -> Duration {
    let doubled = FIRST_WAIT.saturating_mul(1 << tries.saturating_sub(1).min(10));
    doubled.mul_f64(0.5 + jitter.clamp(0.0, 1.0)).min(LONGEST_WAIT)
}

/// When a 429 answer says its host may be asked again. (A 503 speaks for one page, a 429 for the asker.)
pub fn host_is_closed_until(answer: &Answer, at: Timestamp) -> Option<Timestamp> {
    (answer.status == 429).then(|| answer.headers.retry_after(at)).flatten().filter(|then| *then > at)
}

/// A service's usual rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// requests …
    pub requests: NonZeroU32,
    /// … in so much time
    pub per: Duration,
}

const fn rate(requests: u32, seconds: u64) -> Rate {
    let requests = match NonZeroU32::new(requests) {
        Some(requests) => requests,
        None => NonZeroU32::MIN,
    };
    Rate { requests, per: Duration::from_secs(seconds) }
}

/// The usual rate of `host` for `path`, and which of its counters it is. The Wayback Machine blocks an address for an hour
/// above about 15 CDX requests a minute from one client library, and tolerates 24 from well-known ones; mementos are
/// served from other machines at 8 a second (2026). archive.today shows a challenge after a few pages a minute.
pub fn usual_rate(host: &str, path: &str) -> Option<(u8, Rate)> {
    match host {
        "web.archive.org" if path.starts_with("/cdx/") || path.starts_with("/web/timemap/") => Some((0, rate(24, 60))),
        // Save Page Now takes seven submissions a minute from one account (2025-10)
        "web.archive.org" if path == "/save" => Some((2, rate(7, 60))),
        "web.archive.org" => Some((1, rate(8, 1))),
        "archive.org" | "www.archive.org" => Some((0, rate(24, 60))),
        "archive.today" | "archive.ph" | "archive.is" | "archive.li" | "archive.md" | "archive.vn" | "archive.fo" => {
            Some((0, rate(6, 60)))
        }
        "t.co" => Some((0, rate(10, 1))),
        "cdn.syndication.twimg.com" | "publish.twitter.com" | "publish.x.com" => Some((0, rate(5, 1))),
        "public.api.bsky.app" | "plc.directory" => Some((0, rate(8, 1))),
        _ => None,
    }
}

/// Keeps one counter of one host within its rate.
#[derive(Debug)]
pub struct Pace {
    limiter: RateLimiter<NotKeyed, InMemoryState, MonotonicClock, NoOpMiddleware<std::time::Instant>>,
    clock: MonotonicClock,
}

impl Pace {
    /// Evenly spread, with a burst of a tenth of the allowance.
    pub fn new(rate: Rate) -> Self {
        let clock = MonotonicClock;
        let each = rate.per / rate.requests.get();
        let burst = NonZeroU32::new(rate.requests.get() / 10).unwrap_or(NonZeroU32::MIN);
        let quota = Quota::with_period(each).unwrap_or(Quota::per_second(rate.requests)).allow_burst(burst);
        Self { limiter: RateLimiter::direct_with_clock(quota, clock.clone()), clock }
    }

    /// Takes a place, or says how long to wait before trying for one.
    ///
    /// # Errors
    /// The wait.
    pub fn take(&self) -> Result<(), Duration> {
        self.limiter.check().map_err(|not_yet| not_yet.wait_time_from(self.clock.now()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::http::{Headers, Request};
    use crate::world::wire::taken::Received;

    fn taken(method: Method, outcome: Result<(u16, Option<&str>), Failure>) -> Taken {
        let request = Request { method, ..Request::get("http://example.org/".parse().unwrap()) };
        let outcome = outcome.map(|(status, retry)| Answer {
            status,
            headers: Headers(retry.map(|v| ("Retry-After".to_owned(), v.into())).into_iter().collect()),
            ..Answer::default()
        });
        Taken {
            request,
            at: "2019-06-10T00:00:00Z".parse().unwrap(),
            ms: 1,
            connection: None,
            dns: None,
            first_use_of_connection: true,
            sent: Vec::new(),
            interim: Vec::new(),
            received: Received::Nothing,
            surplus: Vec::new(),
            odd: Default::default(),
            outcome,
            payload: None,
            payload_len: 0,
            block: None,
            chunked: false,
            truncated: None,
            overflow_error: None,
            replaced_stale: false,
        }
    }

    fn get(status: u16, retry: Option<&str>) -> Taken {
        taken(Method::Get, Ok((status, retry)))
    }

    #[test]
    fn what_is_asked_again_and_when() {
        let half = |t: &Taken, tries| again(t, tries, 0.5);
        assert_eq!(half(&get(200, None), 1), None);
        assert_eq!(half(&get(404, None), 1), None);
        assert_eq!(half(&get(500, None), 1), Some(Duration::from_millis(500)));
        assert_eq!(half(&get(500, None), 2), Some(Duration::from_secs(1)));
        assert_eq!(half(&get(502, None), 3), Some(Duration::from_secs(2)));
        assert_eq!(half(&get(504, None), 4), None);
        assert_eq!(half(&get(429, Some("3")), 1), Some(Duration::from_secs(3)));
        assert_eq!(half(&get(429, Some("10")), 1), Some(LONGEST_WAIT));
        assert_eq!(half(&get(429, Some("11")), 1), None);
        assert_eq!(half(&get(503, Some("Mon, 10 Jun 2019 00:00:07 GMT")), 1), Some(Duration::from_secs(7)));
        assert_eq!(half(&get(503, Some("Sun, 09 Jun 2019 00:00:07 GMT")), 1), Some(Duration::ZERO));
        assert_eq!(half(&get(503, Some("soon")), 1), Some(Duration::from_millis(500)));
        let gone = taken(Method::Get, Err(Failure::Unreachable("reset".into())));
        assert!(half(&gone, 1).is_some() && half(&gone, 2).is_some() && half(&gone, 3).is_none());
        assert_eq!(half(&taken(Method::Get, Err(Failure::Refused("x".into()))), 1), None);
        assert_eq!(half(&taken(Method::Get, Err(Failure::Untrusted("x".into()))), 1), None);
        assert_eq!(half(&taken(Method::Post, Ok((503, None))), 1), None);
    }

    #[test]
    fn jitter_spreads_and_stays_within_bounds() {
        let t = get(500, None);
        assert_eq!(again(&t, 1, 0.0), Some(Duration::from_millis(250)));
        assert_eq!(again(&t, 1, 1.0), Some(Duration::from_millis(750)));
        assert_eq!(again(&t, 1, 99.0), Some(Duration::from_millis(750)));
        assert_eq!(backoff(30, 1.0), LONGEST_WAIT);
    }

    #[test]
    fn archives_that_refuse_are_not_asked_on() {
        for (host, retried) in [("web.archive.org", false), ("archive.ph", false), ("harbour.example", true)] {
            let mut taken = get(429, None);
            taken.request.url = format!("https://{host}/x").parse().unwrap();
            assert_eq!(again(&taken, 1, 0.5).is_some(), retried, "{host}");
        }
    }

    #[test]
    fn only_a_429_closes_the_host() {
        let at = "2019-06-10T00:00:00Z".parse().unwrap();
        let closed = |status, retry| host_is_closed_until(get(status, retry).outcome.as_ref().unwrap(), at);
        assert_eq!(closed(429, Some("60")).map(|t| t.to_string()), Some("2019-06-10T00:01:00Z".to_owned()));
        assert_eq!(closed(429, None), None);
        assert_eq!(closed(429, Some("0")), None);
        assert_eq!(closed(503, Some("60")), None);
    }

    #[test]
    fn services_have_their_own_rates_and_a_pace_holds_them() {
        assert_eq!(usual_rate("web.archive.org", "/cdx/search/cdx").map(|(n, _)| n), Some(0));
        assert_eq!(usual_rate("web.archive.org", "/web/2019id_/http://x/").map(|(n, _)| n), Some(1));
        assert_eq!(usual_rate("example.org", "/"), None);
        let pace = Pace::new(rate(24, 60));
        assert!(pace.take().is_ok() && pace.take().is_ok(), "a burst of two");
        let wait = pace.take().unwrap_err();
        assert!(wait > Duration::from_secs(1) && wait <= Duration::from_millis(2500), "{wait:?}");
    }
}
