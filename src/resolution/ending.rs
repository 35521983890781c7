//! How a resolution can end. A dead link is an ending, never an error.

use serde::{Deserialize, Serialize};

/// The end of a resolution.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ending {
    /// what stood there is kept
    Captured,
    /// a web archive's copy is kept
    CapturedFromArchive,
    /// the same as the last snapshot of it
    Unchanged,
    /// deleted, or never was (404, 410, tombstone)
    Gone,
    /// the account is suspended
    Suspended,
    /// only approved followers see it
    Protected,
    /// a login is asked for
    LoginGated,
    /// an age check is asked for
    AgeGated,
    /// withheld from this viewer
    Withheld,
    /// an error page that says 200
    #[serde(rename = "soft-404")]
    Soft404,
    /// asked too often
    RateLimited,
    /// 403, a challenge
    Blocked,
    /// by our own guard
    Refused,
    /// TLS that did not verify
    Untrusted,
    /// the name has no address
    NoSuchHost,
    /// no connection
    Unreachable,
    /// too slow
    Timeout,
    /// hops that come back to where they were
    Loop,
    /// more hops than allowed
    TooManyHops,
    /// kept, but cut at the bound
    TooLarge,
    /// no HTTP, or a redirect that leads nowhere
    Malformed,
    /// a scheme or form that cannot be asked
    Unsupported,
    /// 5xx after retries
    ServerError,
    /// the network was off by request
    Offline,
}

impl Ending {
    /// All there are.
    pub const ALL: [Self; 24] = [
        Self::Captured,
        Self::CapturedFromArchive,
        Self::Unchanged,
        Self::Gone,
        Self::Suspended,
        Self::Protected,
        Self::LoginGated,
        Self::AgeGated,
        Self::Withheld,
        Self::Soft404,
        Self::RateLimited,
        Self::Blocked,
        Self::Refused,
        Self::Untrusted,
        Self::NoSuchHost,
        Self::Unreachable,
        Self::Timeout,
        Self::Loop,
        Self::TooManyHops,
        Self::TooLarge,
        Self::Malformed,
        Self::Unsupported,
        Self::ServerError,
        Self::Offline,
    ];

    /// Its name in the contract.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Captured => "captured",
            Self::CapturedFromArchive => "captured-from-archive",
            Self::Unchanged => "unchanged",
            Self::Gone => "gone",
            Self::Suspended => "suspended",
            Self::Protected => "protected",
            Self::LoginGated => "login-gated",
            Self::AgeGated => "age-gated",
            Self::Withheld => "withheld",
            Self::Soft404 => "soft-404",
            Self::RateLimited => "rate-limited",
            Self::Blocked => "blocked",
            Self::Refused => "refused",
            Self::Untrusted => "untrusted",
            Self::NoSuchHost => "no-such-host",
            Self::Unreachable => "unreachable",
            Self::Timeout => "timeout",
            Self::Loop => "loop",
            Self::TooManyHops => "too-many-hops",
            Self::TooLarge => "too-large",
            Self::Malformed => "malformed",
            Self::Unsupported => "unsupported",
            Self::ServerError => "server-error",
            Self::Offline => "offline",
        }
    }

    /// The ending of that name.
    pub fn of(name: &str) -> Option<Self> {
        serde_json::from_value(serde_json::Value::from(name)).ok()
    }

    /// Whether a snapshot stands at this end.
    pub fn is_kept(self) -> bool {
        matches!(self, Self::Captured | Self::CapturedFromArchive | Self::Unchanged)
    }

    /// Whether it is worth asking again soon.
    pub fn is_retryable(self) -> bool {
        matches!(
            self,
            Self::RateLimited
                | Self::Unreachable
                | Self::Timeout
                | Self::ServerError
                | Self::NoSuchHost
                | Self::Offline
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_are_listed_and_each_is_known_by_its_name() {
        assert!(Ending::ALL.iter().all(|ending| Ending::of(ending.as_str()) == Some(*ending)));
        // serde names every variant in its complaint.
        let complaint = serde_json::from_str::<Ending>("\"nonsense\"").unwrap_err().to_string();
        let known = complaint.split_once("expected one of").unwrap().1.matches('`').count() / 2;
        assert_eq!(Ending::ALL.len(), known, "{complaint}");
    }
}
