//! What a final answer, or the want of one, amounts to.

use jiff::Timestamp;
use url::Url;

use crate::format::http::{Answer, Truncated};
use crate::platform::page::{self, Said, Stands};
use crate::platform::post::{Platform, PostName};
use crate::platform::reader::State;
use crate::resolution::ending::Ending;
use crate::resolution::exchange::Failure;

/// An ending with its reason, in words that name the evidence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged {
    /// how it ended
    pub ending: Ending,
    /// why
    pub why: String,
}

impl Judged {
    /// An ending with its reason.
    pub fn new(ending: Ending, why: impl Into<String>) -> Self {
        Self { ending, why: why.into() }
    }
}

/// The ending of an answer that leads nowhere further. `from` is the URL that led to it.
pub fn answer(url: &Url, from: Option<&Url>, answer: &Answer, said: Option<&Said>) -> Judged {
    let status = answer.status;
    let by_status = |ending| Judged::new(ending, format!("{} answered {status}", host(url)));
    match status {
        200..300 => kept(url, from, answer, said),
        304 => by_status(Ending::Malformed),
        300..400 => Judged::new(Ending::Malformed, format!("{} answered {status}, which leads nowhere", host(url))),
        401 | 407 => by_status(Ending::LoginGated),
        404 | 410 => challenged(answer, said).unwrap_or_else(|| by_status(Ending::Gone)),
        408 => by_status(Ending::Timeout),
        429 => by_status(Ending::RateLimited),
        451 => by_status(Ending::Withheld),
        400..500 => by_status(Ending::Blocked),
        500..600 => challenged(answer, said).unwrap_or_else(|| by_status(Ending::ServerError)),
        _ => by_status(Ending::Malformed),
    }
}

fn host(url: &Url) -> &str {
    url.host_str().unwrap_or("the server")
}

fn challenged(answer: &Answer, said: Option<&Said>) -> Option<Judged> {
    let header = answer.headers.get("cf-mitigated").is_some_and(|v| v.eq_ignore_ascii_case("challenge"));
    let title = said.and_then(|s| s.title.as_deref()).is_some_and(|t| t.eq_ignore_ascii_case("just a moment..."));
    (header || title).then(|| Judged::new(Ending::Blocked, format!("a challenge was answered, with {}", answer.status)))
}

fn kept(url: &Url, from: Option<&Url>, answer: &Answer, said: Option<&Said>) -> Judged {
    let (stands, why) = page::stands(url, from, answer, said);
    match stands {
        Stands::Page if answer.truncated == Some(Truncated::Length) => Judged::new(
            Ending::TooLarge,
            format!("{} sends more than the bound; what came up to it is kept", host(url)),
        ),
        Stands::Page => Judged::new(Ending::Captured, format!("{} answered {}", host(url), answer.status)),
        Stands::Soft404 => Judged::new(Ending::Soft404, why),
        Stands::Login => Judged::new(Ending::LoginGated, why),
        Stands::Age => Judged::new(Ending::AgeGated, why),
        Stands::Challenge => Judged::new(Ending::Blocked, why),
    }
}

/// The ending of an exchange without answer.
pub fn failure(failure: &Failure) -> Judged {
    let ending = match failure {
        Failure::Refused(_) => Ending::Refused,
        Failure::Untrusted(_) => Ending::Untrusted,
        Failure::NoSuchHost(_) => Ending::NoSuchHost,
        Failure::Unreachable(_) => Ending::Unreachable,
        Failure::Timeout(_) => Ending::Timeout,
        Failure::Malformed(_) => Ending::Malformed,
        Failure::RateLimited(_) => Ending::RateLimited,
        Failure::Offline => Ending::Offline,
    };
    Judged::new(ending, failure.to_string())
}

/// The ending of a post that its platform does not show.
pub fn state(state: State, why: &str) -> Judged {
    let ending = match state {
        State::Gone | State::NotFound => Ending::Gone,
        State::Suspended => Ending::Suspended,
        State::Protected => Ending::Protected,
        State::LoginGated => Ending::LoginGated,
        State::AgeGated => Ending::AgeGated,
        State::Withheld => Ending::Withheld,
        State::RateLimited => Ending::RateLimited,
        State::Blocked => Ending::Blocked,
        State::ServerError => Ending::ServerError,
        State::Unknown => Ending::Unsupported,
    };
    Judged::new(ending, why)
}

/// Whether an archive may still hold what ended so. Endings that pass by themselves are left to the next try.
pub fn worth_an_archive(ending: Ending) -> bool {
    matches!(
        ending,
        Ending::Gone
            | Ending::Suspended
            | Ending::Protected
            | Ending::LoginGated
            | Ending::AgeGated
            | Ending::Withheld
            | Ending::Soft404
            | Ending::Blocked
            | Ending::NoSuchHost
            | Ending::Unsupported
    )
}

/// When an answer says it may be asked again: `Retry-After` in seconds after `at`, or as a date.
pub fn retry_at(answer: &Answer, at: Timestamp) -> Option<Timestamp> {
    let value = answer.headers.get("retry-after")?;
    match value.trim().parse::<u32>() {
        Ok(seconds) => at.checked_add(jiff::SignedDuration::from_secs(i64::from(seconds))).ok(),
        Err(_) => crate::platform::wayback::http_date(&value),
    }
}

/// Whether `id`, read from a URL, means that post. Accounts of Bluesky have two names; whose post it is, the page says.
pub fn is_same(name: &PostName, id: &str) -> bool {
    let key = |id: &str| id.rsplit('/').next().map(str::to_owned);
    match name.platform {
        Platform::Bluesky => key(id) == key(&name.id),
        Platform::Telegram => id.eq_ignore_ascii_case(&name.id),
        _ => id == name.id,
    }
}
