//! Snowflake ids: 41 bits of milliseconds since 2010-11-04T01:42:54.657Z, 5 of datacenter, 5 of worker, 12 of sequence.
//!
//! The day that an embed prints is the UTC day of its id (84 of 84 embeds of 2012 to 2026), so a day is an interval of
//! ids, and an interval is a few decimal prefixes that an archive's index can be asked for.

use std::ops::RangeInclusive;

use jiff::Timestamp;
use jiff::civil::Date;

/// Milliseconds of the Unix clock at snowflake zero.
const EPOCH: u64 = 1_288_834_974_657;
/// Ids below were given out one by one, until 2010-11-04; they hold no time.
const FIRST: u64 = 300_000_000_000_000;

/// The time an id holds, to the millisecond.
pub fn time(id: u64) -> Option<Timestamp> {
    if id < FIRST {
        return None;
    }
    let ms = (id >> 22).checked_add(EPOCH)?;
    Timestamp::from_millisecond(i64::try_from(ms).ok()?).ok()
}

/// The time a post's id holds.
pub fn time_of(id: &str) -> Option<Timestamp> {
    time(id.parse().ok()?)
}

/// Every id of a UTC day; none before snowflakes.
pub fn day(date: Date) -> Option<RangeInclusive<u64>> {
    let midnight = |date: Date| Some(date.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp());
    between(midnight(date)?, midnight(date.tomorrow().ok()?)?)
}

/// Every id from one instant to before another; none before snowflakes.
pub fn between(start: Timestamp, end: Timestamp) -> Option<RangeInclusive<u64>> {
    let id = |at: Timestamp| Some(u64::try_from(at.as_millisecond()).ok()?.saturating_sub(EPOCH) << 22);
    let (start, end) = (id(start)?.max(FIRST), id(end)?);
    (start < end).then(|| start..=end - 1)
}

/// The shortest decimal prefixes, at most `most` of one length of ids, whose ids cover the interval. What they cover
/// besides, the caller sifts out by [`RangeInclusive::contains`].
pub fn prefixes(ids: &RangeInclusive<u64>, most: usize) -> Vec<String> {
    let mut out = Vec::new();
    for digits in 1..=20_u32 {
        let low = if digits == 1 { 0 } else { 10_u64.pow(digits - 1) };
        let high = 10_u64.checked_pow(digits).map_or(u64::MAX, |n| n - 1);
        let (start, end) = (*ids.start().max(&low), *ids.end().min(&high));
        if start <= end && !ids.is_empty() {
            out.extend(cover(start, end, digits, most));
        }
    }
    out
}

/// The longest prefixes that are still at most `most`: fewer rows come back that must be thrown away.
fn cover(start: u64, end: u64, digits: u32, most: usize) -> Vec<String> {
    let span = |cut: u32| {
        let unit = 10_u64.checked_pow(cut).unwrap_or(u64::MAX);
        (start / unit, end / unit)
    };
    let cut = (0..digits)
        .find(|&cut| {
            let (first, last) = span(cut);
            usize::try_from(last - first).is_ok_and(|n| n < most)
        })
        .unwrap_or(digits - 1);
    let (first, last) = span(cut);
    (first..=last).map(|prefix| prefix.to_string()).collect()
}

/// When a picture or video was uploaded: the id in a video's path, or the first eight bytes of a media file's name, which
/// is base64url (four of four known ones precede their posts by seconds).
pub fn uploaded(url: &str) -> Option<Timestamp> {
    let path = url.split(['?', '#']).next()?.split_once("//")?.1;
    let mut segments = path.split('/').skip(1);
    match segments.next()? {
        "media" => {
            let name = segments.next()?.split(['.', ':']).next()?;
            let bytes = data_encoding::BASE64URL_NOPAD.decode(name.get(..12)?.as_bytes()).ok()?;
            time(u64::from_be_bytes(bytes.get(..8)?.try_into().ok()?)).filter(plausible)
        }
        "ext_tw_video" | "amplify_video" | "ext_tw_video_thumb" | "amplify_video_thumb" | "card_img" => {
            time_of(segments.next()?).filter(plausible)
        }
        _ => None,
    }
}

/// Eleven base64 letters of anything decode to some time; only one within the service's life is one.
fn plausible(at: &Timestamp) -> bool {
    at.as_second() < 4_102_444_800 // 2100
}

#[cfg(test)]
mod tests {
    use super::*;

    type Fallible = Result<(), Box<dyn std::error::Error>>;

    #[test]
    fn times_of_known_ids() -> Fallible {
        let given: serde_json::Value =
            serde_json::from_str(include_str!("../../../tests/fixtures/x/snowflake-vectors.json"))?;
        let vectors = given["vectors"].as_array().ok_or("no vectors")?;
        assert!(vectors.len() > 10);
        for vector in vectors {
            let id = vector["id"].as_str().ok_or("no id")?;
            let expected: Option<Timestamp> = vector["time"].as_str().map(str::parse).transpose()?;
            assert_eq!(time_of(id), expected, "{id}");
        }
        assert_eq!(time_of("20"), None);
        Ok(())
    }

    #[test]
    fn days_and_their_prefixes() -> Fallible {
        let given: serde_json::Value =
            serde_json::from_str(include_str!("../../../tests/fixtures/x/day-prefix-vectors.json"))?;
        for vector in given["vectors"].as_array().ok_or("no vectors")? {
            let date: Date = vector["utc_day"].as_str().ok_or("no day")?.parse()?;
            let ids = day(date).ok_or("no ids")?;
            assert_eq!(ids.start().to_string(), vector["first_id"].as_str().ok_or("no first")?);
            assert_eq!(ids.end().to_string(), vector["last_id"].as_str().ok_or("no last")?);
            for most in [2, 6] {
                let all = prefixes(&ids, most);
                for id in [*ids.start(), *ids.end(), ids.start().midpoint(*ids.end())] {
                    assert!(all.iter().any(|p| id.to_string().starts_with(p.as_str())), "{date} {id} {all:?}");
                }
            }
        }
        let june = day("2019-06-10".parse()?).ok_or("no ids")?;
        assert_eq!(prefixes(&june, 2), ["1137", "1138"]);
        assert_eq!(prefixes(&june, 6), ["11378", "11379", "11380", "11381", "11382"]);
        assert_eq!(day("2006-03-21".parse()?), None);
        Ok(())
    }

    #[test]
    fn uploads() -> Fallible {
        let at = |url: &str| uploaded(url).map(|t| t.strftime("%Y-%m-%dT%H:%M:%SZ").to_string());
        assert_eq!(at("https://pbs.twimg.com/media/EBGbJe_U8AA4Ekb.jpg").as_deref(), Some("2019-08-04T04:53:23Z"));
        assert_eq!(
            at("https://pbs.twimg.com/media/EBGbJe_U8AA4Ekb?format=jpg&name=orig").as_deref(),
            Some("2019-08-04T04:53:23Z")
        );
        assert_eq!(
            at("https://video.twimg.com/amplify_video/2029832021837516800/vid/avc1/1x1/a.mp4").as_deref(),
            Some("2026-03-06T08:10:41Z")
        );
        assert_eq!(at("https://pbs.twimg.com/media/short.jpg"), None);
        assert_eq!(at("https://pbs.twimg.com/profile_images/1/x.jpg"), None);
        Ok(())
    }

    proptest::proptest! {
        #[test]
        fn every_id_of_a_day_has_a_prefix(days in 15_000_i64..30_000, part in 0.0..1.0_f64, most in 1_usize..8) {
            let date = jiff::civil::date(1970, 1, 1).checked_add(jiff::Span::new().days(days)).unwrap_or_default();
            if let Some(ids) = day(date) {
                let id = ids.start() + ((ids.end() - ids.start()) as f64 * part) as u64;
                let all = prefixes(&ids, most);
                proptest::prop_assert!(all.iter().any(|p| id.to_string().starts_with(p.as_str())));
            }
        }
    }
}
