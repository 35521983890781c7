//! Handles, record keys and AT URIs (atproto.com/specs: handle, record-key, nsid, at-uri-scheme): how a record is named.

use std::fmt;
use std::str::FromStr;

use crate::format::did::Did;

/// Whether `text` is a handle: a host name of at least two labels whose last begins with a letter.
pub fn is_handle(text: &str) -> bool {
    let labels: Vec<&str> = text.split('.').collect();
    let label = |l: &&str| {
        (1..=63).contains(&l.len())
            && l.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !l.starts_with('-')
            && !l.ends_with('-')
    };
    text.len() <= 253
        && labels.len() >= 2
        && labels.iter().all(label)
        && labels.last().is_some_and(|last| last.starts_with(|c: char| c.is_ascii_alphabetic()))
}

/// Whether `text` can name a record within its collection.
pub fn is_record_key(text: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'~' | b'.' | b':' | b'-');
    (1..=512).contains(&text.len()) && text.bytes().all(allowed) && text != "." && text != ".."
}

/// Whether `text` is a namespaced id such as `app.bsky.feed.post`: a reversed host name, then a name.
pub fn is_nsid(text: &str) -> bool {
    let Some((authority, name)) = text.rsplit_once('.') else { return false };
    let mut labels = authority.split('.');
    let label = |l: &str| {
        (1..=63).contains(&l.len())
            && l.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !l.starts_with('-')
            && !l.ends_with('-')
    };
    text.len() <= 317
        && authority.len() <= 253
        && authority.contains('.')
        && authority.starts_with(|c: char| c.is_ascii_alphabetic())
        && labels.all(label)
        && (1..=63).contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.bytes().all(|b| b.is_ascii_alphanumeric())
}

/// Whose a record is: by DID, or by a handle that has yet to be resolved.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Authority {
    /// the lasting name
    Did(Did),
    /// the changing one, in lower case
    Handle(String),
}

impl fmt::Display for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Did(did) => did.fmt(f),
            Self::Handle(handle) => f.write_str(handle),
        }
    }
}

impl FromStr for Authority {
    type Err = NotAnAtUri;

    fn from_str(text: &str) -> Result<Self, NotAnAtUri> {
        match text.parse() {
            Ok(did) => Ok(Self::Did(did)),
            Err(_) if is_handle(text) => Ok(Self::Handle(text.to_ascii_lowercase())),
            Err(_) => Err(NotAnAtUri),
        }
    }
}

/// `at://<authority>[/<collection>[/<record key>]]`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AtUri {
    /// whose
    pub authority: Authority,
    /// which collection, `app.bsky.feed.post` for posts
    pub collection: Option<String>,
    /// which record in it
    pub rkey: Option<String>,
}

/// Text that is no AT URI.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an AT URI: expected at://<did or handle>/<collection>/<record key>")]
pub struct NotAnAtUri;

impl AtUri {
    /// The URI of a record.
    pub fn record(authority: Authority, collection: &str, rkey: &str) -> Self {
        Self { authority, collection: Some(collection.to_owned()), rkey: Some(rkey.to_owned()) }
    }
}

impl fmt::Display for AtUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at://{}", self.authority)?;
        [&self.collection, &self.rkey].into_iter().flatten().try_for_each(|part| write!(f, "/{part}"))
    }
}

impl FromStr for AtUri {
    type Err = NotAnAtUri;

    fn from_str(text: &str) -> Result<Self, NotAnAtUri> {
        let rest = text.strip_prefix("at://").filter(|rest| rest.len() <= 8192).ok_or(NotAnAtUri)?;
        let mut parts = rest.split('/');
        let authority = parts.next().unwrap_or_default().parse()?;
        let collection = parts.next().map(str::to_owned);
        let rkey = parts.next().map(str::to_owned);
        let sound = parts.next().is_none()
            && collection.as_deref().is_none_or(is_nsid)
            && rkey.as_deref().is_none_or(is_record_key);
        if sound { Ok(Self { authority, collection, rkey }) } else { Err(NotAnAtUri) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn record_names_round_trip() {
        for text in [
            "at://did:plc:iehgelpsa6hrxqbomgxsvwfi/app.bsky.feed.post/3mg7x3ipobs2f",
            "at://observer.replica.example/app.bsky.feed.post/self",
            "at://observer.replica.example",
        ] {
            assert_eq!(text.parse::<AtUri>().unwrap().to_string(), text);
        }
        let upper = "at://Observer.Replica.Example/app.bsky.feed.post/Self".parse::<AtUri>().unwrap();
        assert_eq!(upper.to_string(), "at://observer.replica.example/app.bsky.feed.post/Self");
    }

    #[test]
    fn other_names_are_refused() {
        for text in [
            "",
            "at://",
            "https://bsky.app",
            "at://observer",
            "at://x.example/",
            "at://x.example/post",
            "at://x.example/app.bsky.feed.post/",
            "at://x.example/app.bsky.feed.post/a/b",
            "at://x.example/app.bsky.feed.post/..",
            "at://x.example/app.bsky.feed.post/a b",
            "at://x.example/app.bsky.feed.po-st/a",
        ] {
            assert_eq!(text.parse::<AtUri>(), Err(NotAnAtUri), "{text}");
        }
    }
}
