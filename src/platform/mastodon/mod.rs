//! Mastodon and its kin: posts by server and id, read from the client API or as ActivityPub objects, at the server they come
//! from (docs.joinmastodon.org; W3C ActivityPub; RFC 7033, 2026).
//!
//! ActivityPub objects carry no signature that lasts: what is read is the server's word.

pub mod lister;
pub mod note;
pub mod page;
pub mod reader;
pub mod status;

use jiff::Timestamp;
use url::Url;

use crate::format::http::Request;
use crate::platform::errand::endpoint;
use crate::platform::post::{Platform, PostName};

/// The media types that make a server answer with the object instead of its page.
const ACTIVITY: &str =
    "application/activity+json, application/ld+json; profile=\"https://www.w3.org/ns/activitystreams\"";

/// Takes a post's id apart: `<host>/<id>`.
pub fn address(id: &str) -> Option<(&str, &str)> {
    let (host, id) = id.split_once('/')?;
    let host_ok = host.contains('.') && host.bytes().all(|b| b.is_ascii_alphanumeric() || b"-.:".contains(&b));
    let id_ok =
        !id.is_empty() && id.len() <= 128 && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b));
    (host_ok && id_ok).then_some((host, id))
}

/// The name of a post.
pub fn name(host: &str, id: &str) -> PostName {
    PostName { platform: Platform::Mastodon, id: format!("{}/{id}", host.to_ascii_lowercase()) }
}

/// The name of the post that an object's own id or page means: its host and the last segment of its path.
pub fn name_of_url(url: &Url) -> Option<PostName> {
    let id = url.path_segments()?.rfind(|segment| !segment.is_empty())?;
    let named = format!("{}/{id}", authority(url)?);
    address(&named).map(|(host, id)| name(host, id))
}

/// Host, and port where it is not the scheme's own.
pub(crate) fn authority(url: &Url) -> Option<String> {
    let host = url.host_str()?;
    Some(url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")))
}

/// The time that a Mastodon id holds: milliseconds above the low 16 bits. Older servers counted from 1, and other software
/// counts otherwise; what falls outside Mastodon's own years is no time.
pub fn id_time(id: &str) -> Option<Timestamp> {
    let id: i64 = id.parse().ok()?;
    let time = Timestamp::from_millisecond(id >> 16).ok()?;
    let year = time.strftime("%Y").to_string();
    ("2016".."2100").contains(&year.as_str()).then_some(time)
}

/// Asks a server's client API for a post.
pub fn get_status(host: &str, id: &str) -> Option<Request> {
    endpoint(&format!("https://{host}/api/v1/statuses/{id}"), &[])
        .map(|url| Request::get(url).with("Accept", "application/json"))
}

/// Asks a server's client API for every version of a post that was edited.
pub fn get_history(host: &str, id: &str) -> Option<Request> {
    endpoint(&format!("https://{host}/api/v1/statuses/{id}/history"), &[])
        .map(|url| Request::get(url).with("Accept", "application/json"))
}

/// The first id of an instant, as [`id_time`] reads them.
pub fn id_at(at: Timestamp) -> Option<u64> {
    Some(u64::try_from(at.as_millisecond()).ok()? << 16)
}

/// Asks a server's client API which account of its own a name is.
pub fn lookup(host: &str, user: &str) -> Option<Request> {
    endpoint(&format!("https://{host}/api/v1/accounts/lookup"), &[("acct", user)])
        .map(|url| Request::get(url).with("Accept", "application/json"))
}

/// Asks a server's client API for an account's own posts between two ids, from the first on.
pub fn get_statuses(host: &str, account: &str, between: (&str, &str)) -> Option<Request> {
    let query = [("limit", "40"), ("exclude_reblogs", "true"), ("min_id", between.0), ("max_id", between.1)];
    endpoint(&format!("https://{host}/api/v1/accounts/{account}/statuses"), &query)
        .map(|url| Request::get(url).with("Accept", "application/json"))
}

/// Asks for the object behind a page.
pub fn get_object(url: &Url) -> Request {
    Request::get(url.clone()).with("Accept", ACTIVITY)
}

/// Asks a server which account `user@host` is.
pub fn webfinger(user: &str, host: &str) -> Option<Request> {
    let resource = format!("acct:{user}@{host}");
    endpoint(&format!("https://{host}/.well-known/webfinger"), &[("resource", &resource)])
        .map(|url| Request::get(url).with("Accept", "application/jrd+json, application/json"))
}

/// Asks a server how a page of its own is embedded.
pub fn oembed(page: &Url) -> Option<Request> {
    let base = format!("{}://{}/api/oembed", page.scheme(), authority(page)?);
    endpoint(&base, &[("url", page.as_str())]).map(Request::get)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_hold_their_time_on_mastodon_only() {
        assert_eq!(id_time("116170144489341607").unwrap().to_string(), "2026-03-04T09:15:30.123Z");
        for id in ["1", "411", "730342342342342342", "9223372036854775807", "01HQ", "-5", ""] {
            assert_eq!(id_time(id), None, "{id}");
        }
    }

    #[test]
    fn addresses_are_taken_apart() {
        assert_eq!(
            address("fedi.replica.example/116170144489341607"),
            Some(("fedi.replica.example", "116170144489341607"))
        );
        for wrong in [
            "",
            "fedi/1",
            "fedi.example",
            "fedi.example/",
            "fedi.example/a/b",
            "fedi.example/a?b",
            "a b.example/1",
            "u@h.example/1",
        ] {
            assert_eq!(address(wrong), None, "{wrong}");
        }
        let url = |text: &str| name_of_url(&text.parse().unwrap()).map(|name| name.id);
        assert_eq!(url("https://A.example/users/mira/statuses/11/").as_deref(), Some("a.example/11"));
        assert_eq!(url("https://a.example"), None);
    }
}
