//! When it was posted: the cited day against the UTC day of the post, which is the day that embeds print; a day that differs
//! by one may be the same moment elsewhere, where something says that the statement goes by a clock of elsewhere.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::Offset;

use crate::finding::{Agreement, Claim, Judged, made};
use crate::platform::post::Post;
use crate::statement::About;

/// The cited day against the post's.
pub(super) fn check(claim: &Claim<'_>, post: &Post, about: &About) -> Judged {
    let at = post.id_time.or(post.posted);
    let day = at.and_then(|at| on(at, 0));
    let cited: Vec<Date> = claim.dates.iter().filter_map(|d| d.parse().ok()).collect();
    let shown = (!claim.dates.is_empty()).then(|| claim.dates.join(" or "));
    let of = |result| made("date", result, shown.clone(), day.map(|d| d.to_string()));
    let (Some(at), Some(day)) = (at, day) else {
        return Judged::plain(of(Agreement::Unknown).because("the capture tells no time"));
    };
    if cited.is_empty() {
        return Judged::plain(of(Agreement::Unknown).because("the statement gives no day"));
    }
    if cited.contains(&day) {
        let check = of(Agreement::Agrees);
        return Judged::plain(if cited.len() > 1 { check.because("one of the date's two readings") } else { check });
    }
    if let Some((date, there)) = cited.iter().find_map(|date| elsewhere(at, *date, about).map(|there| (date, there))) {
        let why = format!("it was {} UTC, which is {date} {there}", at.strftime("%H:%M"));
        return Judged::explained(of(Agreement::Disagrees).because(why));
    }
    if let Some(why) = earlier_version(post, &cited) {
        return Judged::explained(of(Agreement::Disagrees).because(why));
    }
    let apart = cited.iter().map(|date| day.since(*date).map_or(0, |s| s.get_days())).min_by_key(|n| n.abs());
    let days = apart.unwrap_or(0).abs();
    let why = if days == 1 {
        "1 day apart, and no clock that the statement is known to go by read that day then".to_owned()
    } else {
        format!("{days} days apart")
    };
    Judged::plain(of(Agreement::Disagrees).because(why))
}

fn on(at: Timestamp, minutes: i32) -> Option<Date> {
    Some(Offset::from_seconds(minutes.checked_mul(60)?).ok()?.to_datetime(at).date())
}

/// Until then X's own pages, and what archives kept of them, showed US Pacific time to everybody not logged in.
const PACIFIC_PAGES_END: Date = jiff::civil::date(2020, 7, 1);

/// Where the moment falls on that day: by the statement's own clock, by one of its language's press, or on X's old pages.
fn elsewhere(at: Timestamp, date: Date, about: &About) -> Option<String> {
    let reads = |minutes: i32| on(at, minutes) == Some(date);
    let own = about.zone.as_deref().and_then(minutes_of);
    if let Some(minutes) = own {
        // a statement that says its own clock needs no guess at it
        return reads(minutes).then(|| format!("by the statement's own clock ({})", shown(minutes)));
    }
    let language = about.language.as_deref().unwrap_or_default();
    if let Some(minutes) = clocks(language).iter().map(|clock| clock.at(at)).find(|minutes| reads(*minutes)) {
        return Some(format!("where the language {language} is written ({})", shown(minutes)));
    }
    let pacific = Clock { minutes: -480, summer: Summer::America }.at(at);
    let of_then = on(at, 0).is_some_and(|day| day < PACIFIC_PAGES_END);
    (of_then && reads(pacific))
        .then(|| format!("in US Pacific time ({}), as the platform's pages showed", shown(pacific)))
}

fn shown(minutes: i32) -> String {
    let sign = if minutes < 0 { '-' } else { '+' };
    format!("UTC{sign}{:02}:{:02}", minutes.abs() / 60, minutes.abs() % 60)
}

/// `+06:00`, `-0330` as minutes.
fn minutes_of(zone: &str) -> Option<i32> {
    let (sign, rest) = match zone.split_at_checked(1)? {
        ("+", rest) => (1, rest),
        ("-", rest) => (-1, rest),
        _ => return None,
    };
    let (hours, minutes) = rest.split_at_checked(2)?;
    let (hours, minutes): (i32, i32) = (hours.parse().ok()?, minutes.trim_start_matches(':').parse().ok()?);
    (hours <= 14 && minutes < 60).then_some(sign * (hours * 60 + minutes))
}

/// Whose summer time a clock keeps.
#[derive(Clone, Copy, Debug)]
enum Summer {
    Never,
    /// last Sunday of March to last Sunday of October, everywhere at 01:00 UTC (Directive 2000/84/EC)
    Europe,
    /// second Sunday of March to first Sunday of November (Energy Policy Act of 2005)
    America,
}

/// Winter's distance from UTC, and summer's rule.
#[derive(Clone, Copy, Debug)]
struct Clock {
    minutes: i32,
    summer: Summer,
}

impl Clock {
    fn at(self, at: Timestamp) -> i32 {
        let local = on(at, self.minutes).unwrap_or_default();
        let (from, until) = match self.summer {
            Summer::Never => return self.minutes,
            Summer::Europe => (sunday(local.year(), 3, -1), sunday(local.year(), 10, -1)),
            Summer::America => (sunday(local.year(), 3, 2), sunday(local.year(), 11, 1)),
        };
        let summer = from.zip(until).is_some_and(|(from, until)| local >= from && local < until);
        self.minutes + if summer { 60 } else { 0 }
    }
}

/// The `nth` Sunday of a month; -1 is the last.
fn sunday(year: i16, month: i8, nth: i8) -> Option<Date> {
    Date::new(year, month, 1).ok()?.nth_weekday_of_month(nth, jiff::civil::Weekday::Sunday).ok()
}

/// Clocks of the places where a language's press sits. English says nothing of a place unless its tag names one.
fn clocks(language: &str) -> Vec<Clock> {
    use Summer::{America, Europe, Never};
    let mut parts = language.split(['-', '_']);
    let primary = parts.next().unwrap_or_default().to_ascii_lowercase();
    let region = parts.find(|part| part.len() == 2).unwrap_or_default().to_ascii_uppercase();
    let (hours, summer): (&[i32], Summer) = match (primary.as_str(), region.as_str()) {
        (_, "US" | "CA") => (&[-480, -420, -360, -300], America),
        (_, "GB" | "IE" | "PT") => (&[0], Europe),
        (_, "MX") => (&[-360], Never),
        (_, "CO" | "PE" | "EC") => (&[-300], Never),
        (_, "BR" | "AR" | "UY") => (&[-180], Never),
        (_, "CL" | "VE" | "BO") => (&[-240, -180], Never),
        (_, "IN") => (&[330], Never),
        (_, "AU") => (&[480, 570, 600, 630, 660], Never),
        (_, "NZ") => (&[720, 780], Never),
        (_, "SG" | "PH" | "MY" | "HK" | "TW") => (&[480], Never),
        (_, "ZA") => (&[120], Never),
        (_, "KE" | "ET") => (&[180], Never),
        (_, "NG") => (&[60], Never),
        (_, "KZ") => (&[300, 360], Never),
        (_, "PK") => (&[300], Never),
        (
            "de" | "fr" | "it" | "nl" | "pl" | "cs" | "sk" | "hu" | "sv" | "da" | "nb" | "nn" | "no" | "hr" | "sr"
            | "sl" | "sq" | "bs" | "mk" | "ca" | "eu" | "mt",
            _,
        ) => (&[60], Europe),
        ("ro" | "bg" | "el" | "fi" | "uk" | "et" | "lv" | "lt" | "he", _) => (&[120], Europe),
        ("tr" | "be" | "ru", _) => (&[180], Never),
        ("ar", _) => (&[60, 120, 180, 240], Never),
        ("fa", _) => (&[210, 270], Never),
        ("hy" | "ka" | "az", _) => (&[240], Never),
        ("kk" | "ky", _) => (&[300, 360], Never),
        ("uz" | "tg" | "tk" | "ur", _) => (&[300], Never),
        ("hi" | "ta" | "te" | "mr" | "si", _) => (&[330], Never),
        ("ne", _) => (&[345], Never),
        ("bn", _) => (&[330, 360], Never),
        ("my", _) => (&[390], Never),
        ("th" | "vi" | "id" | "km" | "lo", _) => (&[420], Never),
        ("zh" | "ms" | "tl" | "fil" | "mn", _) => (&[480], Never),
        ("ja" | "ko", _) => (&[540], Never),
        ("es", "ES") => (&[60], Europe),
        ("es", _) => (&[-360, -300, -240, -180, 60, 120], Never),
        ("pt", _) => (&[-180, 0, 60], Never),
        _ => (&[], Never),
    };
    hours.iter().map(|minutes| Clock { minutes: *minutes, summer }).collect()
}

/// The day of an earlier version of an edited post.
fn earlier_version(post: &Post, cited: &[Date]) -> Option<String> {
    let dated = post.others.iter().find_map(|version| {
        let day = on(version.at?, 0).filter(|day| cited.contains(day))?;
        Some(format!("another version is of {day}"))
    });
    if dated.is_some() {
        return dated;
    }
    let versions = post.versions.iter().filter(|id| **id != post.name.id);
    versions
        .filter_map(|id| Some((id, on(crate::platform::x::snowflake::time_of(id)?, 0)?)))
        .find(|(_, day)| cited.contains(day))
        .map(|(id, day)| format!("an earlier version, {id}, is of {day}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn there(at: &str, date: &str, language: &str, zone: Option<&str>) -> Option<String> {
        let about = About {
            language: (!language.is_empty()).then(|| language.to_owned()),
            zone: zone.map(str::to_owned),
            ..About::default()
        };
        elsewhere(at.parse().unwrap(), date.parse().unwrap(), &about)
    }

    #[test]
    fn a_neighbouring_day_needs_a_clock_that_read_it() {
        for (at, date, language, zone, explained) in [
            // the platform's own pages of before 2020-07
            ("2019-06-10T04:52:09Z", "2019-06-09", "", None, true),
            ("2019-06-10T07:30:00Z", "2019-06-09", "", None, false), // summer time: UTC-7, so already the 10th
            ("2019-12-10T07:30:00Z", "2019-12-09", "", None, true),
            ("2023-06-10T04:52:09Z", "2023-06-09", "en", None, false), // those pages are gone, and English has no place
            ("2023-06-10T04:52:09Z", "2023-06-09", "en-US", None, true),
            ("2023-06-10T04:52:09Z", "2023-06-09", "en-GB", None, false),
            ("2023-06-10T23:20:00Z", "2023-06-11", "en-GB", None, true),
            ("2023-01-10T23:20:00Z", "2023-01-11", "en-GB", None, false),
            ("2023-06-10T23:20:00Z", "2023-06-11", "en", None, false),
            ("2023-01-10T22:30:00Z", "2023-01-11", "de", None, false),
            ("2023-07-10T22:30:00Z", "2023-07-11", "de", None, true),
            ("2023-07-10T22:30:00Z", "2023-07-09", "de", None, false),
            ("2023-07-10T18:40:00Z", "2023-07-11", "hi", None, true),
            ("2023-07-10T18:20:00Z", "2023-07-11", "hi", None, false),
            // what the statement says of its clock goes before any guess
            ("2023-06-10T18:30:00Z", "2023-06-11", "en", Some("+06:00"), true),
            ("2023-06-10T17:30:00Z", "2023-06-11", "en", Some("+06:00"), false),
            ("2023-07-10T22:30:00Z", "2023-07-11", "de", Some("-05:00"), false),
            ("2019-06-10T04:52:09Z", "2019-06-08", "en-US", None, false),
        ] {
            let found = there(at, date, language, zone);
            assert_eq!(found.is_some(), explained, "{at} {date} {language} {zone:?}: {found:?}");
        }
    }

    #[test]
    fn zones_are_read_or_refused() {
        assert_eq!(minutes_of("+06:00"), Some(360));
        assert_eq!(minutes_of("-0330"), Some(-210));
        for bad in ["", "+", "+6", "Z", "+25:00", "+06:99", "06:00", "+é:00", "+0é"] {
            assert_eq!(minutes_of(bad), None, "{bad}");
        }
    }

    proptest::proptest! {
        #[test]
        fn only_neighbouring_days_are_ever_explained(
            seconds in 1_262_304_000_i64..1_900_000_000,
            days in -9_i64..9,
            language in "(en|en-US|de|ru|ja|es|pt|ar|zz|)",
        ) {
            let at = Timestamp::from_second(seconds).unwrap();
            let day = on(at, 0).unwrap().checked_add(jiff::Span::new().days(days)).unwrap();
            let about = About { language: Some(language), ..About::default() };
            if elsewhere(at, day, &about).is_some() {
                proptest::prop_assert!(days.abs() <= 1);
            }
        }
    }
}
