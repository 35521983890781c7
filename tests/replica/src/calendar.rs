//! Dates in the forms the platforms print, and X's post ids, which are times.

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// The replica's own day, in every Date header: a second run gets the same bytes.
pub const NOW_HTTP: &str = "Mon, 23 Nov 2026 06:00:00 GMT";
/// The same moment, RFC 3339.
pub const NOW: &str = "2026-11-23T06:00:00Z";
/// Five minutes later.
pub(crate) const SOON_HTTP: &str = "Mon, 23 Nov 2026 06:05:00 GMT";
/// Two years later.
pub(crate) const LATER_HTTP: &str = "Wed, 22 Nov 2028 06:00:00 GMT";
/// The first millisecond of X's ids: 2010-11-04T01:42:54.657Z.
const EPOCH_MS: i64 = 1_288_834_974_657;

/// Reads RFC 3339; the Unix epoch when it is none.
pub fn at(text: &str) -> Timestamp {
    text.parse().unwrap_or(Timestamp::UNIX_EPOCH)
}

/// The id of a post made then, with these 22 low bits (datacenter, worker, sequence).
pub fn snowflake(at: Timestamp, low: u64) -> u64 {
    let ms = u64::try_from(at.as_millisecond().saturating_sub(EPOCH_MS)).unwrap_or(0);
    (ms << 22) | (low & 0x3f_ffff)
}

/// When an id was made.
pub fn snowflake_time(id: u64) -> Timestamp {
    let ms = i64::try_from(id >> 22).unwrap_or(0).saturating_add(EPOCH_MS);
    Timestamp::from_millisecond(ms).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// A media file's name, whose first eight bytes are the snowflake of its upload.
pub fn media_name(upload: u64, tail: [u8; 3]) -> String {
    let mut bytes = upload.to_be_bytes().to_vec();
    bytes.extend_from_slice(&tail);
    data_encoding::BASE64URL_NOPAD.encode(&bytes)
}

/// A strftime form of the moment in UTC.
pub fn form(at: Timestamp, form: &str) -> String {
    at.to_zoned(TimeZone::UTC).strftime(form).to_string()
}

/// `Mon, 10 Jun 2019 05:11:03 GMT`.
pub fn http(at: Timestamp) -> String {
    form(at, "%a, %d %b %Y %H:%M:%S GMT")
}

/// `2019-06-10T05:11:03.000Z`: X prints seconds with a milliseconds part of zero.
pub fn iso_seconds(at: Timestamp) -> String {
    form(at, "%Y-%m-%dT%H:%M:%S.000Z")
}

/// `Mon Jun 10 05:11:03 +0000 2019`.
pub fn v1(at: Timestamp) -> String {
    form(at, "%a %b %d %H:%M:%S +0000 %Y")
}

/// `June 10, 2019`.
pub fn long(at: Timestamp) -> String {
    form(at, "%B %-d, %Y")
}

/// `20190610051103`.
pub fn fourteen(at: Timestamp) -> String {
    form(at, "%Y%m%d%H%M%S")
}

/// The moment of fourteen digits; shorter ones mean the earliest they can.
pub fn from_fourteen(digits: &str) -> Option<Timestamp> {
    if digits.is_empty() || digits.len() > 14 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let full = format!("{digits}{}", "00000101000000".get(digits.len()..).unwrap_or_default());
    let part = |from: usize, to: usize| full.get(from..to).unwrap_or("00").to_owned();
    let text =
        format!("{}-{}-{}T{}:{}:{}Z", part(0, 4), part(4, 6), part(6, 8), part(8, 10), part(10, 12), part(12, 14));
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_times() {
        let id = 1_137_945_522_884_755_456;
        assert_eq!(snowflake_time(id), at("2019-06-10T04:52:09.318Z"));
        assert_eq!(snowflake(snowflake_time(id), id), id);
    }

    #[test]
    fn media_names_hold_their_upload_time() {
        let name = media_name(1_158_000_000_000_000_000, [1, 2, 3]);
        assert_eq!(name.len(), 15);
        let bytes = data_encoding::BASE64URL_NOPAD.decode(name.as_bytes()).unwrap();
        assert_eq!(u64::from_be_bytes(bytes[..8].try_into().unwrap()), 1_158_000_000_000_000_000);
    }

    #[test]
    fn dates_in_every_form() {
        let day = at("2019-06-10T05:11:03.5Z");
        assert_eq!(http(day), "Mon, 10 Jun 2019 05:11:03 GMT");
        assert_eq!(v1(day), "Mon Jun 10 05:11:03 +0000 2019");
        assert_eq!(long(at("2019-06-09T00:00:00Z")), "June 9, 2019");
        assert_eq!(from_fourteen("20190610051103").map(fourteen).as_deref(), Some("20190610051103"));
        assert_eq!(from_fourteen("2019").map(fourteen).as_deref(), Some("20190101000000"));
        assert_eq!(from_fourteen("twenty"), None);
    }
}
