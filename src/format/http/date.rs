//! HTTP dates (RFC 9110 §5.6.7): the one form that is sent, and the two old ones that must still be read.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// Reads an HTTP date; all three forms are UTC.
pub fn parse(text: &str) -> Option<Timestamp> {
    const FORMS: [&str; 3] = ["%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y"];
    let text = text.trim();
    FORMS.iter().find_map(|form| DateTime::strptime(form, text).ok()).and_then(utc)
}

fn utc(civil: DateTime) -> Option<Timestamp> {
    TimeZone::UTC.to_timestamp(civil).ok()
}

/// Writes the form that is sent: `Sun, 06 Nov 1994 08:49:37 GMT`.
pub fn format(at: Timestamp) -> String {
    at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_three_forms_say_the_same() {
        for text in ["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"] {
            let at = parse(text).unwrap();
            assert_eq!(format(at), "Sun, 06 Nov 1994 08:49:37 GMT", "{text}");
        }
        for wrong in ["", "tomorrow", "Sun, 06 Nov 1994", "1994-11-06T08:49:37Z", "-5"] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }
}
