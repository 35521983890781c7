//! The kinds of value a setting can have, read from TOML, from the environment or from a flag, and shown again.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use ipnet::IpNet;
use jiff::{Span, SpanRelativeTo, Unit};
use serde_json::{Value, json};
use url::Url;

use crate::format::note::{KeyKind, VerifierKey};
use crate::work::anchor::Witness;
use crate::work::beacon::Source as Beacon;
use crate::world::wire::settings::ConnectTo;

/// A value as it was written. What comes from a file has a type; what comes from a flag or the environment is text.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::face) enum Raw {
    /// a TOML string
    Str(String),
    /// a TOML integer
    Int(i64),
    /// a TOML float
    Float(f64),
    /// a TOML boolean
    Bool(bool),
    /// a TOML array
    List(Vec<Raw>),
    /// anything else in TOML, by the name of its type
    Other(&'static str),
    /// untyped text: a flag's or the environment's; a list is separated by commas
    Loose(String),
}

impl fmt::Display for Raw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Str(text) | Self::Loose(text) => write!(f, "{text:?}"),
            Self::Int(n) => n.fmt(f),
            Self::Float(n) => n.fmt(f),
            Self::Bool(b) => b.fmt(f),
            Self::List(_) => f.write_str("a list"),
            Self::Other(name) => {
                write!(f, "{} {name}", if name.starts_with(['a', 'e', 'i', 'o']) { "an" } else { "a" })
            }
        }
    }
}

/// What was expected instead; fits after "expected ".
pub(in crate::face) type Expected = &'static str;

/// A type that a setting can have.
pub(in crate::face) trait Setting: Sized {
    /// Reads it.
    fn read(raw: &Raw) -> Result<Self, Expected>;

    /// As a program reads it; what a settings file would hold.
    fn json(&self) -> Value;

    /// As a person reads it.
    fn text(&self) -> String {
        match self.json() {
            Value::String(text) => text,
            other => other.to_string(),
        }
    }

    /// The same, with relative paths taken from `base`.
    #[must_use]
    fn based(self, _base: &Path) -> Self {
        self
    }
}

/// Reads a flag's value; the error is what clap prints after the flag's name.
pub(in crate::face) fn flag<T: Setting>(text: &str) -> Result<T, String> {
    T::read(&Raw::Loose(text.to_owned())).map_err(|expected| format!("expected {expected}"))
}

fn words(raw: &Raw) -> Option<&str> {
    match raw {
        Raw::Str(text) | Raw::Loose(text) => Some(text.trim()),
        _ => None,
    }
}

fn parsed<T: FromStr>(raw: &Raw, expected: Expected) -> Result<T, Expected> {
    words(raw).and_then(|text| text.parse().ok()).ok_or(expected)
}

fn whole(raw: &Raw) -> Option<u64> {
    match raw {
        Raw::Int(n) => u64::try_from(*n).ok(),
        Raw::Loose(text) => text.trim().parse().ok(),
        _ => None,
    }
}

impl Setting for bool {
    fn read(raw: &Raw) -> Result<Self, Expected> {
        match raw {
            Raw::Bool(b) => Ok(*b),
            Raw::Loose(text) => match text.trim().to_ascii_lowercase().as_str() {
                "true" | "yes" | "on" | "1" => Ok(true),
                "false" | "no" | "off" | "0" => Ok(false),
                _ => Err("true or false"),
            },
            _ => Err("true or false"),
        }
    }

    fn json(&self) -> Value {
        json!(self)
    }
}

impl Setting for u32 {
    fn read(raw: &Raw) -> Result<Self, Expected> {
        whole(raw).and_then(|n| n.try_into().ok()).ok_or("a whole number of at least 0")
    }

    fn json(&self) -> Value {
        json!(self)
    }
}

impl Setting for NonZeroU32 {
    fn read(raw: &Raw) -> Result<Self, Expected> {
        whole(raw).and_then(|n| u32::try_from(n).ok()).and_then(Self::new).ok_or("a whole number of at least 1")
    }

    fn json(&self) -> Value {
        json!(self)
    }
}

impl Setting for String {
    fn read(raw: &Raw) -> Result<Self, Expected> {
        // A line break would end a header or a line of the ledger early.
        match words(raw) {
            Some(text) if !text.chars().any(char::is_control) => Ok(text.to_owned()),
            _ => Err("one line of text"),
        }
    }

    fn json(&self) -> Value {
        json!(self)
    }
}

impl Setting for PathBuf {
    fn read(raw: &Raw) -> Result<Self, Expected> {
        match words(raw) {
            Some(text) if !text.is_empty() && !text.contains('\0') => Ok(text.into()),
            _ => Err("a path"),
        }
    }

    fn json(&self) -> Value {
        json!(self.to_string_lossy())
    }

    fn based(self, base: &Path) -> Self {
        base.join(self)
    }
}

impl Setting for IpNet {
    fn read(raw: &Raw) -> Result<Self, Expected> {
        let text = words(raw).unwrap_or_default();
        let net = text.parse().or_else(|_| text.parse().map(|address: std::net::IpAddr| address.into()));
        net.map_err(|_| "an address range such as 127.0.0.0/8 or ::1/128")
    }

    fn json(&self) -> Value {
        json!(self.to_string())
    }
}

impl Setting for SocketAddr {
    fn read(raw: &Raw) -> Result<Self, Expected> {
        parsed(raw, "an address and port such as 127.0.0.1:8044")
    }

    fn json(&self) -> Value {
        json!(self.to_string())
    }
}

/// A name server: an address, and a port where it is not 53 (RFC 1035 §4.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NameServer(pub SocketAddr);

impl Setting for NameServer {
    fn read(raw: &Raw) -> Result<Self, Expected> {
        const EXPECTED: Expected = "the address of a name server such as 9.9.9.9, [2620:fe::fe] or 127.0.0.1:5353";
        let text = words(raw).ok_or(EXPECTED)?;
        let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
        let alone = || bare.parse().ok().map(|ip: IpAddr| SocketAddr::new(ip, 53));
        text.parse().ok().or_else(alone).filter(|at| at.port() > 0).map(Self).ok_or(EXPECTED)
    }

    fn json(&self) -> Value {
        json!(self.0.to_string())
    }
}

impl Setting for Url {
    fn read(raw: &Raw) -> Result<Self, Expected> {
        const EXPECTED: Expected = "an http or https URL";
        let url: Self = parsed(raw, EXPECTED)?;
        if matches!(url.scheme(), "http" | "https") { Ok(url) } else { Err(EXPECTED) }
    }

    fn json(&self) -> Value {
        json!(self.as_str())
    }
}

/// An address of drand's HTTP API; quicknet's rounds are asked for where it ends in no chain's hash.
impl Setting for Beacon {
    fn read(raw: &Raw) -> Result<Self, Expected> {
        const EXPECTED: Expected =
            "a drand server, as in \"https://api.drand.sh\", with or without a chain's hash behind it";
        Self::at(&Url::read(raw).map_err(|_| EXPECTED)?).ok_or(EXPECTED)
    }

    fn json(&self) -> Value {
        json!(format!("{}/{}", self.server.as_str().trim_end_matches('/'), self.chain))
    }
}

/// A witness as it is written: `VKEY URL`, or the key alone where it is not asked but known.
impl Setting for Witness {
    fn read(raw: &Raw) -> Result<Self, Expected> {
        const EXPECTED: Expected = "a witness's key and address, as in \"name+hash+key https://witness.example/\"";
        let text = words(raw).ok_or(EXPECTED)?;
        let (key, url) = text.split_once(' ').map_or((text, None), |(key, url)| (key, Some(url.trim())));
        let key: VerifierKey = key.parse().map_err(|_| EXPECTED)?;
        let url = url.map(|url| Url::read(&Raw::Loose(url.to_owned())).map_err(|_| EXPECTED)).transpose()?;
        if key.kind == KeyKind::CosignatureV1 { Ok(Self { key, url }) } else { Err(EXPECTED) }
    }

    fn json(&self) -> Value {
        let url = self.url.as_ref().map(|url| format!(" {url}")).unwrap_or_default();
        json!(format!("{}{url}", self.key))
    }
}

impl<T: Setting> Setting for Vec<T> {
    fn read(raw: &Raw) -> Result<Self, Expected> {
        match raw {
            Raw::List(items) => items.iter().map(T::read).collect(),
            Raw::Loose(text) if text.trim().is_empty() => Ok(Self::new()),
            Raw::Loose(text) => text.split(',').map(|item| T::read(&Raw::Loose(item.trim().to_owned()))).collect(),
            _ => Err("a list"),
        }
    }

    fn json(&self) -> Value {
        self.iter().map(T::json).collect()
    }

    fn text(&self) -> String {
        self.iter().map(T::text).collect::<Vec<_>>().join(", ")
    }

    fn based(self, base: &Path) -> Self {
        self.into_iter().map(|item| item.based(base)).collect()
    }
}

impl<T: Setting> Setting for Option<T> {
    fn read(raw: &Raw) -> Result<Self, Expected> {
        if words(raw) == Some("") { Ok(None) } else { T::read(raw).map(Some) }
    }

    fn json(&self) -> Value {
        self.as_ref().map_or(Value::Null, T::json)
    }

    fn text(&self) -> String {
        self.as_ref().map(T::text).unwrap_or_default()
    }

    fn based(self, base: &Path) -> Self {
        self.map(|item| item.based(base))
    }
}

/// A number of bytes, at least one: `65536`, `512 MiB`, `1.5 GB`. Binary units count in 1024, decimal ones in 1000.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Size(pub u64);

const UNITS: [(&str, u64); 9] = [
    ("b", 1),
    ("kib", 1 << 10),
    ("mib", 1 << 20),
    ("gib", 1 << 30),
    ("tib", 1 << 40),
    ("kb", 1000),
    ("mb", 1_000_000),
    ("gb", 1_000_000_000),
    ("tb", 1_000_000_000_000),
];

impl Size {
    fn from_words(text: &str) -> Option<Self> {
        let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
        let (number, unit) = text.split_at_checked(digits)?;
        let unit = unit.trim().to_ascii_lowercase();
        let factor = if unit.is_empty() { 1 } else { UNITS.iter().find(|(name, _)| *name == unit)?.1 };
        let (units, fraction) = number.split_once('.').unwrap_or((number, ""));
        let mut bytes = u128::from(units.parse::<u64>().ok()?) * u128::from(factor);
        if !fraction.is_empty() {
            // Nine digits are finer than any byte count needs and keep the product far below the type's end.
            let scale = 10_u128.pow(u32::try_from(fraction.len()).ok().filter(|&n| n <= 9)?);
            bytes += u128::from(fraction.parse::<u64>().ok()?) * u128::from(factor) / scale;
        }
        u64::try_from(bytes).ok().filter(|&n| n > 0).map(Self)
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = [("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1_u64 << 10)];
        match named.iter().find(|(_, factor)| self.0.is_multiple_of(*factor)) {
            Some((unit, factor)) => write!(f, "{} {unit}", self.0 / factor),
            None => write!(f, "{} B", self.0),
        }
    }
}

impl Setting for Size {
    fn read(raw: &Raw) -> Result<Self, Expected> {
        let size = match raw {
            Raw::Int(_) => whole(raw).filter(|&n| n > 0).map(Self),
            _ => words(raw).and_then(Self::from_words),
        };
        size.ok_or("a number of bytes such as 65536 or \"512 MiB\"")
    }

    fn json(&self) -> Value {
        json!(self.0)
    }

    fn text(&self) -> String {
        self.to_string()
    }
}

/// A length of time greater than zero: `30` (seconds), `2.5`, `1h`, `7d`, `1m 30s`. A day has 24 hours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Period(pub Duration);

/// Longer than any schedule, short enough that a deadline never overflows.
const LONGEST: Duration = Duration::from_secs(100 * 366 * 86_400);

impl Period {
    fn from_seconds(seconds: f64) -> Option<Self> {
        Duration::try_from_secs_f64(seconds).ok().map(Self)
    }

    fn from_words(text: &str) -> Option<Self> {
        if let Ok(seconds) = text.parse::<f64>() {
            return Self::from_seconds(seconds);
        }
        let span: Span = text.parse().ok()?;
        if span.get_years() != 0 || span.get_months() != 0 {
            return None;
        }
        let days_of_24_hours = SpanRelativeTo::days_are_24_hours();
        span.total((Unit::Second, days_of_24_hours)).ok().and_then(Self::from_seconds)
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs();
        if self.0.subsec_nanos() != 0 {
            return write!(f, "{}s", self.0.as_secs_f64());
        }
        let named = [("d", 86_400), ("h", 3600), ("m", 60)];
        match named.iter().find(|(_, factor)| seconds.is_multiple_of(*factor)) {
            Some((unit, factor)) => write!(f, "{}{unit}", seconds / factor),
            None => write!(f, "{seconds}s"),
        }
    }
}

impl Setting for Period {
    fn read(raw: &Raw) -> Result<Self, Expected> {
        let period = match raw {
            Raw::Int(n) => u64::try_from(*n).ok().map(|n| Self(Duration::from_secs(n))),
            Raw::Float(n) => Self::from_seconds(*n),
            _ => words(raw).and_then(Self::from_words),
        };
        period
            .filter(|p| !p.0.is_zero() && p.0 <= LONGEST)
            .ok_or("a length of time such as 30 (seconds), \"90s\", \"1h\" or \"7d\"")
    }

    fn json(&self) -> Value {
        if self.0.subsec_nanos() == 0 { json!(self.0.as_secs()) } else { json!(self.0.as_secs_f64()) }
    }

    fn text(&self) -> String {
        self.to_string()
    }
}

impl Setting for ConnectTo {
    fn read(raw: &Raw) -> Result<Self, Expected> {
        parsed(raw, "HOST1:PORT1:HOST2:PORT2, as curl's --connect-to")
    }

    fn json(&self) -> Value {
        json!(self.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn loose<T: Setting>(text: &str) -> Result<T, Expected> {
        T::read(&Raw::Loose(text.to_owned()))
    }

    #[test]
    fn sizes_in_bytes_binary_and_decimal_units() {
        for (text, bytes) in [
            ("1", 1),
            ("512 MiB", 512 << 20),
            ("512mib", 512 << 20),
            ("1.5 GiB", 3 << 29),
            ("1 GB", 1_000_000_000),
            ("0.5KiB", 512),
        ] {
            assert_eq!(loose::<Size>(text), Ok(Size(bytes)), "{text}");
        }
        for wrong in
            ["", "0", "-1", "MiB", "1 parsec", "1..5 MiB", "1.5.5", "99999999999 TiB", "1.0000000001 GiB", ".", "5 é"]
        {
            assert!(loose::<Size>(wrong).is_err(), "{wrong}");
        }
        assert_eq!(Size(512 << 20).to_string(), "512 MiB");
        assert_eq!(Size(1000).to_string(), "1000 B");
    }

    #[test]
    fn periods_in_seconds_and_in_words() {
        for (text, seconds) in [("30", 30), ("90s", 90), ("1h", 3600), ("7d", 604_800), ("1m 30s", 90), ("PT2M", 120)] {
            assert_eq!(loose::<Period>(text), Ok(Period(Duration::from_secs(seconds))), "{text}");
        }
        assert_eq!(loose::<Period>("0.25"), Ok(Period(Duration::from_millis(250))));
        for wrong in ["", "0", "-5", "1 month", "soon", "nan", "inf", "1e300", "-1h"] {
            assert!(loose::<Period>(wrong).is_err(), "{wrong}");
        }
        assert_eq!(Period(Duration::from_secs(604_800)).to_string(), "7d");
        assert_eq!(Period(Duration::from_secs(90)).to_string(), "90s");
    }

    #[test]
    fn a_typed_value_of_another_type_is_refused() {
        assert!(bool::read(&Raw::Str("true".into())).is_err());
        assert!(u32::read(&Raw::Str("3".into())).is_err());
        assert!(String::read(&Raw::Int(3)).is_err());
        assert!(Vec::<String>::read(&Raw::Str("one".into())).is_err());
        assert!(String::read(&Raw::Str("two\nlines".into())).is_err());
    }

    #[test]
    fn lists_come_from_commas_or_toml() {
        assert_eq!(loose::<Vec<u32>>("1, 2"), Ok(vec![1, 2]));
        assert_eq!(loose::<Vec<u32>>(""), Ok(vec![]));
        assert_eq!(Vec::<u32>::read(&Raw::List(vec![Raw::Int(3)])), Ok(vec![3]));
    }

    #[test]
    fn an_address_alone_is_a_range_of_one() {
        assert_eq!(loose::<IpNet>("127.0.0.1").map(|net| net.to_string()), Ok("127.0.0.1/32".into()));
        assert!(loose::<IpNet>("127.0.0.1/33").is_err());
    }

    proptest::proptest! {
        #[test]
        fn a_value_shown_can_be_typed_again(bytes in 1_u64.., seconds in 1_u64..3_000_000_000) {
            proptest::prop_assert_eq!(loose::<Size>(&Size(bytes).to_string()), Ok(Size(bytes)));
            let period = Period(Duration::from_secs(seconds));
            proptest::prop_assert_eq!(loose::<Period>(&period.to_string()), Ok(period));
        }

        #[test]
        fn no_text_is_too_odd_to_be_refused(text: String) {
            let _ = (loose::<Size>(&text), loose::<Period>(&text), loose::<ConnectTo>(&text), loose::<IpNet>(&text));
            let _ = (loose::<Url>(&text), loose::<SocketAddr>(&text), loose::<Vec<u32>>(&text), loose::<bool>(&text));
        }
    }
}
