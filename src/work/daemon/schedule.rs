//! A schedule as a value: which of its occurrences are owed, which were missed, when the next one is. No clock is read.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::format::cron::Cron;
use crate::format::digest::Digest;

/// A run that begins so much later than it should have is a missed one.
pub const LATE: SignedDuration = SignedDuration::from_mins(5);
/// Occurrences counted one by one; of a schedule that was left alone for longer it is said that it was at least so many.
const COUNTED: u64 = 10_000;

/// A cron line in its zone, with the name under which it is served.
#[derive(Clone, Debug)]
pub struct Schedule {
    /// its name in the queue, in records and messages
    pub name: String,
    /// when
    pub cron: Cron,
    /// by which clocks
    pub zone: TimeZone,
    /// each occurrence is put off by a part of this, always the same part
    pub jitter: SignedDuration,
}

/// Occurrences that have come round and were not served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owed {
    /// the first
    pub first: Timestamp,
    /// the last
    pub last: Timestamp,
    /// how many; the highest count stands for that many or more
    pub count: u64,
    /// when the last was to begin
    pub begin: Timestamp,
}

/// Occurrences that did not happen when they should have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missed {
    /// the first
    pub first: Timestamp,
    /// the last
    pub last: Timestamp,
    /// how many
    pub count: u64,
}

/// What is to be done about what is owed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged {
    /// whether to run now
    pub run: bool,
    /// what goes on record as missed
    pub missed: Option<Missed>,
    /// the schedule is served up to here then
    pub done: Timestamp,
}

impl Schedule {
    /// When the first occurrence after `served` begins, jitter included.
    pub fn next(&self, served: Timestamp) -> Option<Timestamp> {
        self.after(served).map(|at| self.begin(at))
    }

    /// The occurrences after `served` that have begun by `now`.
    pub fn due(&self, served: Timestamp, now: Timestamp) -> Option<Owed> {
        let first = self.after(served).filter(|at| self.begin(*at) <= now)?;
        let mut owed = Owed { first, last: first, count: 1, begin: self.begin(first) };
        while let Some(at) = self.after(owed.last).filter(|at| self.begin(*at) <= now) {
            owed.last = at;
            owed.count += 1;
            if owed.count >= COUNTED {
                owed.last = self.before(now).unwrap_or(at);
                break;
            }
        }
        owed.begin = self.begin(owed.last);
        Some(owed)
    }

    fn after(&self, at: Timestamp) -> Option<Timestamp> {
        self.cron.next(&at.to_zoned(self.zone.clone())).map(|next| next.timestamp())
    }

    /// The last occurrence that had surely begun by `now`.
    fn before(&self, now: Timestamp) -> Option<Timestamp> {
        let at = now.checked_sub(self.jitter).ok()?;
        self.cron.last(&at.to_zoned(self.zone.clone())).map(|last| last.timestamp())
    }

    /// When an occurrence begins: the same after a restart, another for each occurrence and each schedule.
    fn begin(&self, at: Timestamp) -> Timestamp {
        let seed = Digest::of(format!("{} {}", self.name, at.as_second()).as_bytes());
        let part = seed.0.iter().take(4).fold(0_u32, |n, byte| (n << 8) | u32::from(*byte));
        let millis = self.jitter.as_millis().saturating_mul(i128::from(part)) >> 32;
        let off = SignedDuration::from_millis(i64::try_from(millis).unwrap_or_default());
        at.checked_add(off).unwrap_or(at)
    }
}

/// The last of what is owed is run, late or not, unless it is late and nothing is made up for; what is late is on record.
pub fn judge(owed: &Owed, now: Timestamp, catch_up: bool) -> Judged {
    let late = now.duration_since(owed.begin) > LATE;
    let run = !late || catch_up;
    let missed = if late {
        Some(Missed { first: owed.first, last: owed.last, count: owed.count })
    } else {
        // All but the last, which is on time.
        (owed.count > 1).then(|| Missed { first: owed.first, last: owed.last, count: owed.count - 1 })
    };
    Judged { run, missed, done: owed.last }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schedule(line: &str, zone: &str, jitter: SignedDuration) -> Schedule {
        let zone = TimeZone::get(zone).unwrap();
        Schedule { name: "runs".to_owned(), cron: Cron::read(line).unwrap(), zone, jitter }
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn nothing_is_owed_before_its_time() {
        let quarter = schedule("*/15 * * * *", "UTC", SignedDuration::ZERO);
        assert_eq!(quarter.due(at("2026-11-23T07:15:00Z"), at("2026-11-23T07:29:59Z")), None);
        let owed = quarter.due(at("2026-11-23T07:15:00Z"), at("2026-11-23T07:30:00Z")).unwrap();
        assert_eq!((owed.last, owed.count), (at("2026-11-23T07:30:00Z"), 1));
        let judged = judge(&owed, at("2026-11-23T07:30:01Z"), false);
        assert_eq!(judged, Judged { run: true, missed: None, done: at("2026-11-23T07:30:00Z") });
    }

    #[test]
    fn what_was_missed_is_told_and_made_up_for_where_wanted() {
        let quarter = schedule("*/15 * * * *", "UTC", SignedDuration::ZERO);
        let now = at("2026-11-23T09:10:00Z");
        let owed = quarter.due(at("2026-11-23T07:15:00Z"), now).unwrap();
        let missed = Missed { first: at("2026-11-23T07:30:00Z"), last: at("2026-11-23T09:00:00Z"), count: 7 };
        for catch_up in [true, false] {
            let judged = judge(&owed, now, catch_up);
            assert_eq!(judged, Judged { run: catch_up, missed: Some(missed.clone()), done: missed.last });
        }
        // A run that took half an hour: the occurrence in it was missed, the last one is on time.
        let owed = quarter.due(at("2026-11-23T07:15:00Z"), at("2026-11-23T07:46:00Z")).unwrap();
        let judged = judge(&owed, at("2026-11-23T07:46:00Z"), false);
        assert_eq!((judged.run, judged.missed.map(|missed| missed.count)), (true, Some(1)));
    }

    /// A month, minute by minute, with the machine off now and then: every occurrence is either run or missed, once.
    #[test]
    fn a_month_with_gaps_loses_no_occurrence() {
        for (line, zone, jitter) in [
            ("*/15 * * * *", "UTC", 0),
            ("7 3 * * *", "Europe/Brussels", 0),
            ("0 */6 * * *", "America/New_York", 20),
            ("30 2 * * 0", "Europe/Brussels", 3),
        ] {
            let schedule = schedule(line, zone, SignedDuration::from_mins(jitter));
            let start = at("2026-10-10T00:00:00Z");
            let end = at("2026-11-10T00:00:00Z");
            let (mut now, mut served, mut runs, mut missed) = (start, start, 0, 0);
            let mut minute = 0_u32;
            while now < end {
                // Off for the first 7 hours of every fifth day, and for 20 minutes of every 11 hours.
                let off = (minute / 1440) % 5 == 4 && minute % 1440 < 420 || minute % 660 < 20;
                if !off && let Some(owed) = schedule.due(served, now) {
                    let judged = judge(&owed, now, true);
                    runs += u64::from(judged.run);
                    missed += judged.missed.as_ref().map_or(0, |m| m.count);
                    // A late one that is made up for is both.
                    runs -= u64::from(judged.missed.is_some_and(|m| m.count == owed.count));
                    served = judged.done;
                }
                now += SignedDuration::from_mins(1);
                minute += 1;
            }
            let all = std::iter::successors(schedule.after(start), |at| schedule.after(*at));
            let all = all.take_while(|occurrence| *occurrence <= served).count() as u64;
            assert_eq!(runs + missed, all, "{line} {zone}: {runs} run, {missed} missed");
            assert!(runs > 0 && (missed > 0 || line.contains("* * 0")), "{line}: {runs} run, {missed} missed");
        }
    }

    #[test]
    fn jitter_is_bounded_spread_and_the_same_again() {
        let day = schedule("0 0 * * *", "UTC", SignedDuration::from_hours(1));
        let mut seen = std::collections::BTreeSet::new();
        let mut served = at("2026-01-01T00:00:00Z");
        for _ in 0..100 {
            let nominal = day.after(served).unwrap();
            let begin = day.next(served).unwrap();
            let off = begin.duration_since(nominal);
            assert!(off >= SignedDuration::ZERO && off < day.jitter, "{off}");
            assert_eq!(day.next(served), Some(begin));
            seen.insert(off.as_millis());
            served = nominal;
        }
        assert!(seen.len() > 90, "{} of 100 differ", seen.len());
    }

    #[test]
    fn years_of_minutes_are_not_counted_out() {
        let minute = schedule("* * * * *", "UTC", SignedDuration::ZERO);
        let owed = minute.due(at("2000-01-01T00:00:00Z"), at("2026-11-23T07:15:30Z")).unwrap();
        assert_eq!((owed.count, owed.last), (COUNTED, at("2026-11-23T07:15:00Z")));
    }
}
