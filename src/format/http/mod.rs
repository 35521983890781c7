//! HTTP/1.1 messages (RFC 9110, RFC 9112): what is asked, and a reading copy of what was answered.
//!
//! The bytes that crossed the wire are kept elsewhere and never rebuilt from these values.

pub mod body;
pub mod coding;
pub mod date;
pub mod head;
pub mod message;

use std::borrow::Cow;

use jiff::{SignedDuration, Timestamp};
use url::Url;

/// A request's method; nothing else is ever sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    /// GET
    Get,
    /// HEAD
    Head,
    /// POST
    Post,
}

impl Method {
    /// As it stands on the request line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post => "POST",
        }
    }
}

/// What to ask. Host, User-Agent, Accept-Encoding and framing headers are the wire's own business.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// the method
    pub method: Method,
    /// the whole URL; a fragment is never sent
    pub url: Url,
    /// further headers, in order
    pub headers: Vec<(String, String)>,
    /// the body; empty with GET and HEAD
    pub body: Vec<u8>,
}

impl Request {
    /// A plain GET.
    pub fn get(url: Url) -> Self {
        Self { method: Method::Get, url, headers: Vec::new(), body: Vec::new() }
    }

    /// The same with one more header.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }
}

/// Header fields in the order and case they came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Headers(pub Vec<(String, Vec<u8>)>);

impl Headers {
    /// When the answer asks to be asked again (RFC 9110 §10.2.3), counted from `now`: an HTTP date, or seconds.
    pub fn retry_after(&self, now: Timestamp) -> Option<Timestamp> {
        let value = self.get("retry-after")?;
        match value.trim().parse::<u32>() {
            Ok(seconds) => now.checked_add(SignedDuration::from_secs(i64::from(seconds))).ok(),
            Err(_) => date::parse(&value),
        }
    }

    /// The first value of `name` in any case; bytes that are no UTF-8 are read as ISO-8859-1.
    pub fn get(&self, name: &str) -> Option<Cow<'_, str>> {
        self.0.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| text(value))
    }

    /// Every value of `name`, in order.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = Cow<'a, str>> + 'a {
        self.0.iter().filter(move |(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| text(value))
    }
}

fn text(value: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(value) {
        Ok(s) => Cow::Borrowed(s),
        Err(_) => Cow::Owned(value.iter().map(|&b| char::from(b)).collect()),
    }
}

/// Why a body was not kept to its end (WARC 1.1 §5.13).
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Truncated {
    /// longer than the bound
    Length,
    /// slower than the bound
    Time,
    /// the peer closed early
    Disconnect,
}

impl Truncated {
    /// The value of `WARC-Truncated`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Length => "length",
            Self::Time => "time",
            Self::Disconnect => "disconnect",
        }
    }
}

/// The reading copy of a response: transfer and content coding undone, bounded in size.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// three digits
    pub status: u16,
    /// reason phrase as sent
    pub reason: String,
    /// header fields
    pub headers: Headers,
    /// the decoded body, or its beginning where it is longer than the reading bound
    pub body: Vec<u8>,
    /// the kept body is not whole
    pub truncated: Option<Truncated>,
    /// why the body could not be decoded; `body` then holds what could
    pub unread: Option<String>,
}

impl Answer {
    /// Media type in lower case without parameters, empty where there is none.
    pub fn media_type(&self) -> String {
        let value = self.headers.get("content-type").unwrap_or_default();
        value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
    }
}
