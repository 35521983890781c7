//! Instants as text: RFC 3339 (the contract), W3CDTF with microseconds (WARC 1.1), 14 digits (CDX), HTTP dates (RFC 9110).

use jiff::Timestamp;

/// `2019-06-10T07:58:44.123456Z`: a WARC-Date, always six fraction digits.
pub fn warc_date(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S.%6fZ").to_string()
}

/// `20190610075844`: the CDX form, whole seconds cut.
pub fn digits14(at: Timestamp) -> String {
    at.strftime("%Y%m%d%H%M%S").to_string()
}

/// `2019-06-10T07:58:44Z`: the contract's form, with microseconds only where there are any.
pub fn rfc3339(at: Timestamp) -> String {
    if at.subsec_nanosecond() / 1000 == 0 { at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string() } else { warc_date(at) }
}

/// Cuts to microseconds, the finest a WARC-Date of ours holds, so that an instant read back equals the one kept.
pub fn to_micros(at: Timestamp) -> Timestamp {
    Timestamp::from_microsecond(at.as_microsecond()).unwrap_or(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms() -> Result<(), jiff::Error> {
        let at: Timestamp = "2019-06-10T07:58:44.123456789Z".parse()?;
        assert_eq!(warc_date(at), "2019-06-10T07:58:44.123456Z");
        assert_eq!(digits14(at), "20190610075844");
        assert_eq!(rfc3339("2019-06-10T07:58:44Z".parse()?), "2019-06-10T07:58:44Z");
        assert_eq!(to_micros(at).to_string(), "2019-06-10T07:58:44.123456Z");
        Ok(())
    }
}
