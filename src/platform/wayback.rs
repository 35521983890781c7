//! The Wayback Machine: its index (CDX server), its mementos, and Save Page Now 2. Also any server that speaks Memento
//! (RFC 7089). The point throughout: what the archive says of itself is never taken for what it keeps, nor the reverse.

use jiff::Timestamp;
use serde_json::Value;
use url::Url;

use crate::format::http::{Answer, Request};
use crate::format::{link, query};
use crate::platform::permalink;

/// The archive's host.
pub const HOST: &str = "web.archive.org";

/// One row of the index.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Row {
    /// 14 digits
    pub timestamp: String,
    /// the URL that was captured, letter for letter: keys fold case, this does not
    pub original: String,
    /// media type; `warc/revisit` for a repeat
    pub mimetype: String,
    /// status; none for a repeat (`-`)
    pub status: Option<u16>,
    /// base32 SHA-1 of the payload
    pub digest: String,
}

impl Row {
    /// The instant of the capture.
    pub fn at(&self) -> Option<Timestamp> {
        instant(&self.timestamp)
    }

    /// The raw memento, nothing rewritten.
    pub fn memento(&self) -> Option<Url> {
        Url::parse(&format!("https://{HOST}/web/{}id_/{}", self.timestamp, self.original)).ok()
    }
}

/// 4 to 14 digits as an instant; what is missing is the earliest there is.
pub fn instant(digits: &str) -> Option<Timestamp> {
    let full = format!("{digits}{}", "00000101000000".get(digits.len()..)?);
    jiff::civil::DateTime::strptime("%Y%m%d%H%M%S", full)
        .ok()?
        .to_zoned(jiff::tz::TimeZone::UTC)
        .ok()
        .map(|z| z.timestamp())
}

/// Asks the index for captures of `url`; a trailing `*` asks for everything that begins so.
pub fn cdx(url: &str, limit: usize) -> Option<Request> {
    let coded = query::encode(url).replace("%2A", "*").replace("%2F", "/").replace("%3A", ":");
    let fields = "urlkey,timestamp,original,mimetype,statuscode,digest,length";
    let text = format!("https://{HOST}/cdx/search/cdx?url={coded}&output=json&fl={fields}&gzip=false&limit={limit}");
    Url::parse(&text).ok().map(Request::get)
}

/// What the index answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Index {
    /// its rows, repeats folded, none where nothing is kept
    Rows(Vec<Row>),
    /// asked too often: to go on would get the address locked out
    RateLimited,
    /// the site asked the archive to keep it out of sight
    Excluded,
    /// no answer of an index
    Unreadable(String),
}

/// Reads an answer of the index, as JSON or as lines.
pub fn index(answer: &Answer) -> Index {
    let text = String::from_utf8_lossy(&answer.body);
    if answer.status == 429 {
        return Index::RateLimited;
    }
    let excluded = "AdministrativeAccessControlException";
    let header = answer.headers.get("x-archive-wayback-runtime-error").unwrap_or_default();
    if text.contains(excluded) || header.contains(excluded) {
        return Index::Excluded;
    }
    if answer.status != 200 {
        return Index::Unreadable(format!("the index answered {}", answer.status));
    }
    match rows(&text) {
        Some(mut rows) => {
            rows.dedup();
            Index::Rows(rows)
        }
        None => Index::Unreadable("the index answered in no known shape".to_owned()),
    }
}

fn rows(text: &str) -> Option<Vec<Row>> {
    let text = text.trim();
    if text.starts_with('[') {
        let table: Vec<Vec<String>> = serde_json::from_str(text).ok()?;
        let mut lines = table.into_iter();
        let names = lines.next().unwrap_or_default();
        let column = |line: &[String], name: &str| {
            let at = names.iter().position(|n| n == name)?;
            line.get(at).cloned()
        };
        // an empty row ends the captures: a resume key follows
        return Some(
            lines.take_while(|line| line.len() > 1).filter_map(|line| row(|name| column(&line, name))).collect(),
        );
    }
    if text.starts_with('<') {
        return None;
    }
    let names = ["urlkey", "timestamp", "original", "mimetype", "statuscode", "digest", "length"];
    let lines = text.lines().take_while(|line| !line.trim().is_empty());
    let fields = lines.map(|line| line.split(' ').map(str::to_owned).collect::<Vec<_>>());
    Some(
        fields
            .filter_map(|line| row(|name| names.iter().position(|n| *n == name).and_then(|at| line.get(at).cloned())))
            .collect(),
    )
}

fn row(of: impl Fn(&str) -> Option<String>) -> Option<Row> {
    Some(Row {
        timestamp: of("timestamp").filter(|t| t.len() == 14 && t.bytes().all(|c| c.is_ascii_digit()))?,
        original: of("original")?,
        mimetype: of("mimetype").unwrap_or_default(),
        status: of("statuscode").and_then(|s| s.parse().ok()),
        digest: of("digest").unwrap_or_default(),
    })
}

/// Whether two URLs are the same page but for scheme, `www.`, port and a last slash. Case counts: `t.co/a` is not `t.co/A`,
/// though one index key holds both.
pub fn same(a: &str, b: &str) -> bool {
    fn bare(url: &str) -> Option<(String, String)> {
        let url = Url::parse(url).ok()?;
        let host = url.host_str()?.trim_start_matches("www.").to_owned();
        let path = url.path().trim_end_matches('/');
        Some((host, url.query().map_or_else(|| path.to_owned(), |q| format!("{path}?{q}"))))
    }
    bare(a).is_some_and(|a| Some(a) == bare(b))
}

/// What an answer to a memento's URL is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Memento {
    /// a capture, with the status it was captured with
    Kept {
        /// its Memento-Datetime
        at: Timestamp,
    },
    /// a captured redirect: it leads there, or led
    Redirect {
        /// its Memento-Datetime
        at: Timestamp,
        /// the original target
        to: Url,
    },
    /// a captured error page: evidence of an error then, not now
    KeptError {
        /// its Memento-Datetime
        at: Timestamp,
    },
    /// the archive sends us to another of its captures
    Hop(Url),
    /// the archive has none
    None,
    /// the archive keeps it out of sight
    Excluded,
    /// the archive was asked too often
    RateLimited,
    /// some other answer of the archive's own
    Own,
}

/// Tells a kept answer from the archive's own: only the former has Memento-Datetime.
pub fn memento(url: &Url, answer: &Answer) -> Memento {
    let at = answer.headers.get("memento-datetime").and_then(|at| http_date(&at));
    let location = answer.headers.get("location").and_then(|to| url.join(&to).ok());
    let redirect = (300..400).contains(&answer.status);
    match (at, answer.status) {
        (Some(at), _) if redirect => {
            redirect_target(url, answer, location).map_or(Memento::KeptError { at }, |to| Memento::Redirect { at, to })
        }
        (Some(at), 200..300) => Memento::Kept { at },
        (Some(at), _) => Memento::KeptError { at },
        (None, _) if redirect => location.map_or(Memento::Own, Memento::Hop),
        (None, 404) => Memento::None,
        (None, 429) => Memento::RateLimited,
        (None, 403) => Memento::Excluded,
        (None, _) if String::from_utf8_lossy(&answer.body).contains("has been excluded from the Wayback Machine") => {
            Memento::Excluded
        }
        (None, _) => Memento::Own,
    }
}

/// Where a captured redirect led: the archive rewrites Location, or gives the original beside it; some captures of old
/// answers have it in the body alone.
fn redirect_target(url: &Url, answer: &Answer, location: Option<Url>) -> Option<Url> {
    let original = answer.headers.get("x-archive-orig-location").and_then(|to| {
        let from = permalink::archived(url.as_str()).and_then(|a| a.original).and_then(|o| Url::parse(&o).ok());
        from.map_or_else(|| Url::parse(&to).ok(), |from| from.join(&to).ok())
    });
    let rewritten = || {
        let location = location?;
        match permalink::archived(location.as_str()).and_then(|a| a.original) {
            Some(original) => Url::parse(&original).ok(),
            None => Some(location),
        }
    };
    original.or_else(rewritten).or_else(|| body_target(answer))
}

/// `<html><body>You are being <a href="…">redirected</a>.</body></html>`, as Twitter's old redirects had it.
pub fn body_target(answer: &Answer) -> Option<Url> {
    let text = String::from_utf8_lossy(answer.body.get(..4096).unwrap_or(&answer.body)).into_owned();
    if !text.contains("You are being") {
        return None;
    }
    let href = crate::format::markup::pieces(&text).into_iter().find_map(|piece| match piece {
        crate::format::markup::Piece::Open(tag) if tag.name == "a" => tag.get("href").map(str::to_owned),
        _ => None,
    })?;
    Url::parse(&href).ok()
}

/// An HTTP date (RFC 9110 §5.6.7), the preferred form.
pub fn http_date(text: &str) -> Option<Timestamp> {
    let text = text.trim().strip_suffix("GMT")?;
    let (_, rest) = text.split_once(", ")?;
    let at = jiff::civil::DateTime::strptime("%d %b %Y %H:%M:%S", rest.trim()).ok()?;
    at.to_zoned(jiff::tz::TimeZone::UTC).ok().map(|z| z.timestamp())
}

/// Whether the bytes have the digest the index claims (base32 of SHA-1 over the payload).
pub fn digest_matches(row: &Row, body: &[u8]) -> Option<bool> {
    use sha1::Digest as _;
    if row.digest.len() != 32 {
        return None;
    }
    let made = data_encoding::BASE32.encode(&sha1::Sha1::digest(body));
    Some(made == row.digest)
}

/// The mementos of a TimeMap (link-format, RFC 7089 §5), oldest first as listed.
pub fn time_map(text: &str) -> Vec<(Timestamp, Url)> {
    let all = link::links(text);
    let mementos = all.iter().filter(|link| link.has_rel("memento"));
    mementos.filter_map(|link| Some((http_date(link.get("datetime")?)?, Url::parse(&link.target).ok()?))).collect()
}

/// What Save Page Now 2 was asked, and how far it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Save {
    /// taken on; ask again for the job
    Submitted {
        /// `spn2-<40 hex>`
        job: String,
    },
    /// said to be kept at that instant; confirmed only when the memento of that very instant is read back
    Claimed {
        /// 14 digits
        timestamp: String,
        /// the URL after redirects
        original: String,
    },
    /// the service says it cannot now, but may later
    Later(String),
    /// the service refuses
    Refused(String),
    /// no answer of this service
    Unreadable,
}

/// Codes that pass by themselves.
const PASSING: [&str; 12] = [
    "error:user-session-limit",
    "error:too-many-requests",
    "error:gateway-timeout",
    "error:bad-gateway",
    "error:service-unavailable",
    "error:internal-server-error",
    "error:browsing-timeout",
    "error:job-failed",
    "error:no-browsers-available",
    "error:proxy-error",
    "error:read-timeout",
    "error:celery",
];

/// Reads an answer of Save Page Now 2. Errors come with status 200, both to a submission and to a question.
pub fn save(answer: &Answer) -> Save {
    let Ok(json) = serde_json::from_slice::<Value>(&answer.body) else {
        return if answer.status == 429 { Save::Later("status 429".to_owned()) } else { Save::Unreadable };
    };
    let text = |key: &str| json.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let message = || if text("message").is_empty() { text("status_ext") } else { text("message") };
    match (text("status").as_str(), text("job_id")) {
        ("success", _) => Save::Claimed { timestamp: text("timestamp"), original: text("original_url") },
        ("error", _) if PASSING.contains(&text("status_ext").as_str()) => Save::Later(message()),
        ("error", _) => Save::Refused(message()),
        (_, job) if !job.is_empty() => Save::Submitted { job },
        _ if answer.status == 401 => Save::Refused(message()),
        _ => Save::Unreadable,
    }
}

/// Asks for a copy to be kept. `key` is `access:secret`; without one the service refuses (401).
pub fn submit(url: &str, key: &str) -> Option<Request> {
    let mut request = Request::get(Url::parse(&format!("https://{HOST}/save")).ok()?)
        .with("Accept", "application/json")
        .with("Authorization", &format!("LOW {key}"))
        .with("Content-Type", "application/x-www-form-urlencoded");
    request.method = crate::format::http::Method::Post;
    request.body = format!("url={}&skip_first_archive=1", query::encode(url)).into_bytes();
    Some(request)
}

/// Asks how a job is doing.
pub fn status(job: &str, key: &str) -> Option<Request> {
    let url = Url::parse(&format!("https://{HOST}/save/status/{}", query::encode(job))).ok()?;
    Some(Request::get(url).with("Accept", "application/json").with("Authorization", &format!("LOW {key}")))
}

/// Whether reading back the memento of a claimed instant confirms it: the same instant, not an older capture that the
/// archive redirects to while the new one is not indexed yet (measured 2026-08-27).
pub fn confirms(timestamp: &str, memento: &Memento) -> bool {
    match memento {
        Memento::Kept { at } | Memento::KeptError { at } | Memento::Redirect { at, .. } => {
            instant(timestamp) == Some(*at)
        }
        _ => false,
    }
}
