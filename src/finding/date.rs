//! When it was posted: the cited day against the UTC day of the post, which is the day that embeds print; a day that differs
//! by one may be the same moment elsewhere.

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
    if let Some((date, hours)) = cited.iter().find_map(|date| elsewhere(at, *date, about).map(|hours| (date, hours))) {
        let why = format!("it was {} UTC, which is {date} where clocks are at UTC{hours:+}", at.strftime("%H:%M"));
        return Judged::explained(of(Agreement::Disagrees).because(why));
    }
    if let Some(why) = earlier_version(post, &cited) {
        return Judged::explained(of(Agreement::Disagrees).because(why));
    }
    let apart = cited.iter().map(|date| day.since(*date).map_or(0, |s| s.get_days())).min_by_key(|n| n.abs());
    Judged::plain(of(Agreement::Disagrees).because(format!("{} days apart", apart.unwrap_or(0).abs())))
}

fn on(at: Timestamp, hours: i8) -> Option<Date> {
    Some(Offset::from_hours(hours).ok()?.to_datetime(at).date())
}

/// The offset at which the moment falls on that day, among those where the statement may have been written.
fn elsewhere(at: Timestamp, date: Date, about: &About) -> Option<i8> {
    offsets(about.language.as_deref().unwrap_or_default()).find(|hours| on(at, *hours) == Some(date))
}

/// Whole hours from UTC, nearest first, where a language's press sits; X's own pages showed US Pacific time until 2020, so
/// that is among them always.
fn offsets(language: &str) -> impl Iterator<Item = i8> + use<> {
    let primary = language.split(['-', '_']).next().unwrap_or_default().to_ascii_lowercase();
    let region = language.split(['-', '_']).next_back().unwrap_or_default().to_ascii_uppercase();
    let (west, east) = match (primary.as_str(), region.as_str()) {
        (_, "US" | "CA") => (-8, -4),
        (_, "AU" | "NZ") => (8, 13),
        (_, "IN") => (5, 6),
        (_, "BR" | "AR" | "MX" | "CO" | "CL") => (-8, -2),
        (
            "de" | "fr" | "it" | "nl" | "pl" | "cs" | "sk" | "hu" | "sv" | "da" | "nb" | "no" | "hr" | "sr" | "sl"
            | "sq",
            _,
        ) => (1, 2),
        ("ro" | "bg" | "el" | "fi" | "uk" | "et" | "lv" | "lt" | "he", _) => (2, 3),
        ("tr" | "be", _) => (3, 3),
        ("ru", _) => (2, 12),
        ("ar", _) => (0, 4),
        ("fa" | "hy" | "ka" | "az", _) => (3, 5),
        ("kk" | "ky" | "uz" | "tg" | "ur" | "hi" | "bn" | "ta" | "te" | "ne" | "si", _) => (5, 7),
        ("th" | "vi" | "id" | "km" | "lo" | "my", _) => (6, 9),
        ("zh" | "ms" | "tl" | "fil", _) => (8, 8),
        ("ja" | "ko", _) => (9, 9),
        ("es", _) => (-7, 2),
        ("pt", _) => (-4, 1),
        _ => (-8, 2),
    };
    let mut all: Vec<i8> = (west..=east).chain([-8, -7]).collect();
    all.sort_by_key(|hours| hours.abs());
    all.dedup();
    all.into_iter()
}

/// The day of an earlier version of an edited post.
fn earlier_version(post: &Post, cited: &[Date]) -> Option<String> {
    let versions = post.versions.iter().filter(|id| **id != post.name.id);
    versions
        .filter_map(|id| Some((id, on(crate::platform::x::snowflake::time_of(id)?, 0)?)))
        .find(|(_, day)| cited.contains(day))
        .map(|(id, day)| format!("an earlier version, {id}, is of {day}"))
}
