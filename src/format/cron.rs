//! Cron lines: five fields as in `crontab` of IEEE Std 1003.1, with the steps, names and nicknames of Vixie cron, and when
//! they come round.
//!
//! Clocks that are put forward or back are dealt with as Vixie cron does: a fixed hour that is skipped comes right after
//! the gap, and one that comes twice is taken once.

use std::fmt;
use std::str::FromStr as _;

use jiff::Zoned;

/// No cron line a person writes is longer.
const LONGEST: usize = 256;
/// The fields in order.
const FIELDS: [&str; 5] = ["minute", "hour", "day of the month", "month", "day of the week"];
/// What stands for a whole line.
const NICKNAMES: [(&str, &str); 7] = [
    ("@yearly", "0 0 1 1 *"),
    ("@annually", "0 0 1 1 *"),
    ("@monthly", "0 0 1 * *"),
    ("@weekly", "0 0 * * 0"),
    ("@daily", "0 0 * * *"),
    ("@midnight", "0 0 * * *"),
    ("@hourly", "0 * * * *"),
];

/// A cron line.
#[derive(Clone)]
pub struct Cron {
    line: String,
    pattern: croner::Cron,
}

impl fmt::Debug for Cron {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cron({:?})", self.line)
    }
}

impl fmt::Display for Cron {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.line)
    }
}

/// Why a text is no cron line. Columns count characters from 1.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotCron {
    /// it has more or fewer than five fields
    #[error("{0} fields where a cron line has five: minute, hour, day of the month, month, day of the week")]
    Fields(usize),
    /// one field says nothing that a clock can show
    #[error("{text:?} at column {column} is no {field}")]
    Field {
        /// what stands there
        text: String,
        /// where
        column: usize,
        /// which
        field: &'static str,
    },
    /// a nickname that does not exist
    #[error("{0:?} is no nickname; there are @hourly, @daily, @weekly, @monthly and @yearly")]
    Nickname(String),
    /// each field can be, and all together never come
    #[error("it never comes round")]
    Never,
    /// longer than any
    #[error("longer than {LONGEST} characters")]
    TooLong,
}

impl Cron {
    /// Reads a line.
    ///
    /// # Errors
    /// Each way in which a text can be none, with its place.
    pub fn read(line: &str) -> Result<Self, NotCron> {
        if line.chars().count() > LONGEST {
            return Err(NotCron::TooLong);
        }
        let plain = match line.trim() {
            nickname if nickname.starts_with('@') => {
                let known = NICKNAMES.iter().find(|(name, _)| nickname.eq_ignore_ascii_case(name));
                known.ok_or_else(|| NotCron::Nickname(nickname.to_owned()))?.1.to_owned()
            }
            fields => fields.split_whitespace().collect::<Vec<_>>().join(" "),
        };
        let fields: Vec<&str> = plain.split(' ').filter(|field| !field.is_empty()).collect();
        if fields.len() != FIELDS.len() {
            return Err(NotCron::Fields(fields.len()));
        }
        for (n, (field, name)) in fields.iter().zip(FIELDS).enumerate() {
            if !is_field(n, field) {
                return Err(NotCron::Field { text: (*field).to_owned(), column: column(line, n), field: name });
            }
        }
        let pattern = croner::Cron::from_str(&plain).map_err(|_| NotCron::Never)?;
        let cron = Self { line: line.trim().to_owned(), pattern };
        let start = jiff::civil::date(2024, 1, 1).at(0, 0, 0, 0).to_zoned(jiff::tz::TimeZone::UTC);
        match start.ok().and_then(|start| cron.next(&start)) {
            Some(_) => Ok(cron),
            None => Err(NotCron::Never),
        }
    }

    /// The first time after `after` at which it comes round, in the same zone.
    pub fn next(&self, after: &Zoned) -> Option<Zoned> {
        self.pattern.find_next_occurrence(after, false).ok()
    }

    /// The last time at or before `at` at which it came round.
    pub fn last(&self, at: &Zoned) -> Option<Zoned> {
        self.pattern.find_previous_occurrence(at, true).ok()
    }
}

/// Whether a field, all others left open, can be read.
fn is_field(n: usize, field: &str) -> bool {
    let mut line = ["*"; FIELDS.len()];
    if let Some(place) = line.get_mut(n) {
        *place = field;
    }
    !field.starts_with('@') && croner::Cron::from_str(&line.join(" ")).is_ok()
}

/// Where the nth field of a line begins, in characters from 1.
fn column(line: &str, n: usize) -> usize {
    let (mut seen, mut inside) = (0, false);
    for (at, c) in line.chars().enumerate() {
        let begins = !c.is_whitespace() && !inside;
        inside = !c.is_whitespace();
        if begins {
            if seen == n {
                return at + 1;
            }
            seen += 1;
        }
    }
    1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(line: &str, at: &str) -> String {
        let at: Zoned = at.parse().unwrap();
        Cron::read(line).unwrap().next(&at).map(|next| next.to_string()).unwrap_or_default()
    }

    #[test]
    fn lines_come_round() {
        for (line, at, next) in [
            ("*/15 * * * *", "2026-11-23T07:14:59+00:00[UTC]", "2026-11-23T07:15:00+00:00[UTC]"),
            ("*/15 * * * *", "2026-11-23T07:15:00+00:00[UTC]", "2026-11-23T07:30:00+00:00[UTC]"),
            (
                "0 9 * * MON-FRI",
                "2026-11-20T09:00:00+01:00[Europe/Brussels]",
                "2026-11-23T09:00:00+01:00[Europe/Brussels]",
            ),
            ("30 4 1,15 * *", "2026-11-15T04:30:00+00:00[UTC]", "2026-12-01T04:30:00+00:00[UTC]"),
            ("0 0 29 2 *", "2026-11-23T00:00:00+00:00[UTC]", "2028-02-29T00:00:00+00:00[UTC]"),
            ("@weekly", "2026-11-23T00:00:00+00:00[UTC]", "2026-11-29T00:00:00+00:00[UTC]"),
        ] {
            assert_eq!(after(line, at), next, "{line}");
        }
    }

    #[test]
    fn clocks_put_forward_and_back() {
        // 02:30 did not exist on 29 March 2026 in Brussels, and came twice on 25 October.
        let spring = after("30 2 * * *", "2026-03-28T12:00:00+01:00[Europe/Brussels]");
        assert!(spring.starts_with("2026-03-29T03:"), "{spring}");
        let autumn = after("30 2 * * *", "2026-10-24T12:00:00+02:00[Europe/Brussels]");
        assert_eq!(autumn, "2026-10-25T02:30:00+02:00[Europe/Brussels]");
        let once = after("30 2 * * *", &autumn);
        assert_eq!(once, "2026-10-26T02:30:00+01:00[Europe/Brussels]");
        // What comes round every quarter of an hour does so in both of the hours.
        let quarter = after("*/15 * * * *", "2026-10-25T02:45:00+02:00[Europe/Brussels]");
        assert_eq!(quarter, "2026-10-25T02:00:00+01:00[Europe/Brussels]");
    }

    #[test]
    fn what_is_wrong_is_named_with_its_place() {
        for (line, said) in [
            ("", "0 fields where a cron line has five"),
            ("* * * *", "4 fields"),
            ("* * * * * *", "6 fields"),
            ("61 * * * *", "\"61\" at column 1 is no minute"),
            ("*/15  25 * * *", "\"25\" at column 7 is no hour"),
            ("0 0 32 * *", "\"32\" at column 5 is no day of the month"),
            ("0 0 1 13 *", "\"13\" at column 7 is no month"),
            ("0 0 1 1 funday", "\"funday\" at column 9 is no day of the week"),
            ("0 0 é * *", "column 5"),
            ("0 0 30 2 *", "it never comes round"),
            ("@sometimes", "\"@sometimes\" is no nickname"),
        ] {
            let message = Cron::read(line).map_or_else(|e| e.to_string(), |_| "accepted".to_owned());
            assert!(message.contains(said), "{line:?}: {message}");
        }
        assert_eq!(Cron::read(&"1,".repeat(200)).err(), Some(NotCron::TooLong));
    }

    proptest::proptest! {
        #[test]
        fn no_line_is_too_odd(line in "([0-9*/,\\-LW#?@ ]|MON|jan|.){0,24}") {
            if let Ok(cron) = Cron::read(&line) {
                let at: Zoned = "2026-11-23T00:00:00+00:00[UTC]".parse().unwrap();
                if let Some(next) = cron.next(&at) {
                    proptest::prop_assert!(next > at);
                }
            }
        }
    }
}
