//! URLs that name a post or an account: one grammar for ten platforms, their front ends, embeds and intents, wrappers and web archives.

mod grammar;

use std::borrow::Cow;

use crate::platform::post::Platform;

/// What stands between the URL and the platform's own page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Way {
    /// the platform itself, in any of its spellings
    Own,
    /// somebody else's page about the same post (fxtwitter, nitter, an unroller)
    FrontEnd,
    /// a page that only forwards (`l.facebook.com/l.php?u=`)
    Wrapper,
    /// a web archive's copy
    Archive,
}

/// What a URL names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// the platform
    pub platform: Platform,
    /// the post's id as in [`crate::platform::post::PostName`]: `1137…`, `<did>/<rkey>`, `<host>/<id>`, `<channel>/<n>`
    pub post: Option<String>,
    /// the account, without `@`: `user@host` on Mastodon, a domain or a DID on Bluesky
    pub handle: Option<String>,
    /// the platform's own URL of the post, or of the account where no post is named
    pub canonical: String,
    /// how the URL gets there
    pub way: Way,
}

/// What a URL names, borrowed from it where it stands there: without its canonical form, of which most have no need.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Glance<'u> {
    /// the platform
    pub platform: Platform,
    /// the post's id
    pub post: Option<Cow<'u, str>>,
    /// the account, without `@`
    pub handle: Option<Cow<'u, str>>,
    /// how the URL gets there
    pub way: Way,
}

/// What the grammar reads: a glance and, where it was asked for, the canonical URL.
struct Read<'u> {
    glance: Glance<'u>,
    canonical: String,
}

impl From<Read<'_>> for Named {
    fn from(read: Read<'_>) -> Self {
        let Glance { platform, post, handle, way } = read.glance;
        let (post, handle) = (post.map(Cow::into_owned), handle.map(Cow::into_owned));
        Self { platform, post, handle, canonical: read.canonical, way }
    }
}

impl Read<'_> {
    /// Of a URL inside another.
    fn inside<'u>(named: Named, way: Way) -> Read<'u> {
        let Named { platform, post, handle, canonical, .. } = named;
        Read { glance: Glance { platform, post: post.map(Cow::Owned), handle: handle.map(Cow::Owned), way }, canonical }
    }
}

/// A web archive's URL, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Archived {
    /// the archive's host
    pub host: String,
    /// the 4 to 14 digits of the capture's time, where the URL gives them
    pub at: Option<String>,
    /// the URL that was captured, where the URL gives it
    pub original: Option<String>,
}

/// Wrappers inside wrappers are followed this far and no further.
const DEPTH: u8 = 4;

/// What `url` names, if it names a post or an account on a platform.
///
/// The scheme may be missing. Hosts are compared whole, so `nottwitter.com` and `twitter.com.example.org` name nothing.
pub fn read(url: &str) -> Option<Named> {
    read_within(url, DEPTH)
}

/// As [`read`], and whether the URL is a web archive's; `host` is the URL's, lower case. Says no at once to what no table
/// has heard of, which is most of what a text links to.
pub fn glance<'u>(url: &'u str, host: &str) -> (Option<Glance<'u>>, bool) {
    let host = host.strip_prefix("www.").unwrap_or(host);
    let other = url.starts_with("at:") || url.starts_with("tg:");
    let known = grammar::known(host);
    if !other && known.is_none() && !is_shaped(url) {
        return (None, false);
    }
    let Some(parts) = Parts::cut(url).filter(|_| !other) else {
        let named = read(url).map(|named| {
            let way = named.way;
            Read::inside(named, way).glance
        });
        return (named, archived(url).is_some());
    };
    let known = if parts.host == host { known } else { grammar::known(&parts.host) };
    let parts = Parts { canonical: false, known, ..parts };
    let archived = archived_parts(&parts);
    let is_archived = archived.is_some();
    (read_parts(&parts, archived, DEPTH).map(|read| read.glance), is_archived)
}

/// Whether a URL's path has a shape that says something on any host: a fediverse server's, or a URL inside it.
fn is_shaped(url: &str) -> bool {
    let authority = url.find("://").and_then(|i| url.get(i + 3..)).unwrap_or(url);
    let path = memchr::memchr(b'/', authority.as_bytes()).and_then(|i| authority.get(i..)).unwrap_or_default();
    ["/@", "/users/", "/web/", "/deck/"].iter().any(|p| path.starts_with(p))
        || memchr::memchr_iter(b'h', path.as_bytes())
            .any(|i| i > 0 && path.as_bytes().get(i - 1..).is_some_and(|tail| tail.starts_with(b"/http")))
}

fn read_within(url: &str, depth: u8) -> Option<Named> {
    if let Some(rest) = strip_prefix_ignore_case(url, "at://") {
        return at_uri(rest);
    }
    if let Some(rest) = strip_prefix_ignore_case(url, "tg://resolve") {
        return telegram_scheme(rest);
    }
    let parts = Parts::of(url)?;
    let archived = archived_parts(&parts);
    read_parts(&parts, archived, depth).map(Named::from)
}

fn read_parts<'u>(parts: &Parts<'u>, archived: Option<Archived>, depth: u8) -> Option<Read<'u>> {
    if let Some(read) = grammar::sites(parts) {
        return Some(read);
    }
    let depth = depth.checked_sub(1)?;
    if let Some(inner) = grammar::wrapping::carried(parts) {
        let named = read_within(&inner, depth)?;
        let way = named.way;
        return Some(Read::inside(named, way));
    }
    let (inner, way) = match archived.and_then(|a| a.original) {
        Some(original) => (original, Way::Archive),
        None => (unwrap_parts(parts)?, Way::Wrapper),
    };
    Some(Read::inside(read_within(&inner, depth)?, way))
}

/// The URL that `url` only forwards to, where that can be read off `url` itself (`google.com/url?q=…`).
pub fn unwrap(url: &str) -> Option<String> {
    unwrap_parts(&Parts::of(url)?)
}

/// Takes a web archive's URL apart.
pub fn archived(url: &str) -> Option<Archived> {
    archived_parts(&Parts::of(url)?)
}

fn unwrap_parts(parts: &Parts<'_>) -> Option<String> {
    grammar::wrapping::wrapped(parts).filter(|inner| is_web(inner))
}

fn archived_parts(parts: &Parts<'_>) -> Option<Archived> {
    let named = grammar::is_archive(parts.known);
    let replay = replay(parts.rest);
    if !named && replay.is_none() {
        return None;
    }
    let (at, original) = match replay {
        Some((at, original)) => (Some(at.to_owned()), Some(original.to_owned())),
        None => (None, bare_original(parts.rest)),
    };
    Some(Archived { host: parts.host.clone().into_owned(), at, original })
}

/// `…/20190610123456id_/https://…`: the replay form of every Memento server.
fn replay(rest: &str) -> Option<(&str, &str)> {
    memchr::memchr(b':', rest.as_bytes())?;
    let mut from = 0;
    for _ in 0..6 {
        let tail = rest.get(from..)?;
        let slash = from + tail.find('/')?;
        let after = rest.get(slash + 1..)?;
        let digits = after.bytes().take_while(u8::is_ascii_digit).count();
        let original = after.get(digits..).and_then(|t| t.find('/').and_then(|i| t.get(i + 1..)));
        if (4..=14).contains(&digits)
            && let Some(original) = original.filter(|o| is_web(o))
        {
            return Some((after.get(..digits)?, original));
        }
        from = slash + 1;
    }
    None
}

/// `/save/https://…`, `/newest/https://…`: an archive's URL that holds the original but no time.
fn bare_original(rest: &str) -> Option<String> {
    let at = rest.find("/http://").or_else(|| rest.find("/https://"))?;
    rest.get(at + 1..).map(str::to_owned)
}

fn is_web(url: &str) -> bool {
    strip_prefix_ignore_case(url, "http://").or_else(|| strip_prefix_ignore_case(url, "https://")).is_some()
}

/// `at://AUTHORITY/app.bsky.feed.post/RKEY` (AT Protocol, AT URI scheme).
fn at_uri(rest: &str) -> Option<Named> {
    let rest = rest.split(['?', '#']).next()?;
    let mut segments = rest.split('/');
    let repo = segments.next().filter(|r| !r.is_empty())?;
    let named = |post: Option<String>, canonical: String| Named {
        platform: Platform::Bluesky,
        post,
        handle: Some(repo.to_owned()),
        canonical,
        way: Way::Own,
    };
    match (segments.next(), segments.next()) {
        (Some("app.bsky.feed.post"), Some(rkey)) if !rkey.is_empty() => {
            Some(named(Some(format!("{repo}/{rkey}")), format!("https://bsky.app/profile/{repo}/post/{rkey}")))
        }
        _ => Some(named(None, format!("https://bsky.app/profile/{repo}"))),
    }
}

/// `tg://resolve?domain=channel&post=5`: what Telegram's own clients copy.
fn telegram_scheme(rest: &str) -> Option<Named> {
    let query = rest.trim_start_matches('/').strip_prefix('?')?;
    let value =
        |key: &str| url::form_urlencoded::parse(query.as_bytes()).find(|(k, _)| k == key).map(|(_, v)| v.into_owned());
    let mut inner = format!("https://t.me/{}", value("domain")?);
    if let Some(post) = value("post") {
        inner.push('/');
        inner.push_str(&post);
    }
    read_within(&inner, 0)
}

fn strip_prefix_ignore_case<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let head = text.get(..prefix.len())?;
    if head.eq_ignore_ascii_case(prefix) { text.get(prefix.len()..) } else { None }
}

/// The pieces of an http(s) URL, as far as this grammar needs them.
struct Parts<'u> {
    /// lower case, without port, user and `www.`
    host: Cow<'u, str>,
    /// everything after the host
    rest: &'u str,
    /// the path, from its first slash; the hashbang's path where there is one
    path: &'u str,
    /// after `?`, before `#`
    query: &'u str,
    /// what the tables know of the host
    known: Option<grammar::Known>,
    /// the canonical URL of what is named is wanted
    canonical: bool,
}

impl<'u> Parts<'u> {
    fn of(url: &'u str) -> Option<Self> {
        let parts = Self::cut(url)?;
        Some(Self { known: grammar::known(&parts.host), ..parts })
    }

    /// The same, of a host that was not looked up yet.
    fn cut(url: &'u str) -> Option<Self> {
        let rest = strip_prefix_ignore_case(url, "https://")
            .or_else(|| strip_prefix_ignore_case(url, "http://"))
            .or_else(|| strip_prefix_ignore_case(url, "//"))
            .unwrap_or(url);
        let end = memchr::memchr3(b'/', b'?', b'#', rest.as_bytes()).unwrap_or(rest.len());
        let (authority, rest) = (rest.get(..end)?, rest.get(end..)?);
        let host = match memchr::memchr2(b'@', b':', authority.as_bytes()) {
            Some(_) => authority.rsplit('@').next()?.split(':').next()?,
            None => authority,
        };
        let host = host.trim_end_matches('.');
        if host.is_empty() || host.len() > 253 || !host.contains('.') {
            return None;
        }
        let host = if host.bytes().any(|b| b.is_ascii_uppercase()) {
            let lower = host.to_ascii_lowercase();
            Cow::Owned(lower.strip_prefix("www.").map(str::to_owned).unwrap_or(lower))
        } else {
            Cow::Borrowed(host.strip_prefix("www.").unwrap_or(host))
        };
        let (before, fragment, query_at) = match memchr::memchr2(b'#', b'?', rest.as_bytes()) {
            Some(_) => {
                let (before, fragment) = rest.split_once('#').unwrap_or((rest, ""));
                (before, fragment, before.find('?'))
            }
            None => (rest, "", None),
        };
        let (path, query) =
            query_at.and_then(|at| Some((before.get(..at)?, before.get(at + 1..)?))).unwrap_or((before, ""));
        let path = match fragment.strip_prefix('!') {
            Some(bang) if bang.starts_with('/') => bang.split('?').next().unwrap_or(bang),
            _ => path,
        };
        Some(Self { host, rest, path, query, known: None, canonical: true })
    }

    fn param(&self, key: &str) -> Option<Cow<'u, str>> {
        url::form_urlencoded::parse(self.query.as_bytes()).find(|(k, v)| k == key && !v.is_empty()).map(|(_, v)| v)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn short(url: &str) -> Option<String> {
        read(url).map(|n| {
            format!(
                "{}:{} @{}",
                n.platform.as_str(),
                n.post.as_deref().unwrap_or("-"),
                n.handle.as_deref().unwrap_or("-")
            )
        })
    }

    #[test]
    fn every_spelling_names_the_same_post() {
        let id = "1137945522884755456";
        for path in [
            "twitter.com/odelie_m/status/ID",
            "https://x.com/odelie_m/status/ID?s=20&t=AbC",
            "HTTPS://WWW.X.COM/odelie_m/status/ID/photo/1",
            "https://mobile.twitter.com/odelie_m/statuses/ID",
            "https://twitter.com/@odelie_m/status/ID",
            "https://twitter.com/#!/odelie_m/status/ID",
            "https://d.fxtwitter.com/odelie_m/status/ID.mp4",
            "https://nitter.example.org/odelie_m/status/ID#m",
            "https://publish.twitter.com/?query=https%3A%2F%2Ftwitter.com%2Fodelie_m%2Fstatus%2FID",
            "https://www.google.com/url?q=https://x.com/odelie_m/status/ID&sa=D",
            "https://web.archive.org/web/20190610123456/https://twitter.com/odelie_m/status/ID",
            "https://twitter.com/odelie_m/status/%22https://twitter.com/odelie_m/status/ID%22",
        ] {
            assert_eq!(short(&path.replace("ID", id)), Some(format!("x:{id} @odelie_m")), "{path}");
        }
        for path in [
            "https://x.com/i/status/ID",
            "https://twitter.com/i/web/status/ID",
            "https://twitter.com/statuses/ID",
            "https://twitter.com/intent/like?tweet_id=ID",
            "https://platform.twitter.com/embed/Tweet.html?dnt=false&id=ID&lang=en",
            "https://threadreaderapp.com/thread/ID.html",
            "https://api.fxtwitter.com/status/ID",
        ] {
            assert_eq!(short(&path.replace("ID", id)), Some(format!("x:{id} @-")), "{path}");
        }
    }

    #[test]
    fn other_platforms() {
        for (url, want) in [
            (
                "https://bsky.app/profile/a.example.org/post/3mg7x3ipobs2f",
                "bluesky:a.example.org/3mg7x3ipobs2f @a.example.org",
            ),
            ("at://did:plc:abc/app.bsky.feed.post/3mg", "bluesky:did:plc:abc/3mg @did:plc:abc"),
            (
                "https://fedi.example.org/@mira/113900000000000001",
                "mastodon:fedi.example.org/113900000000000001 @mira@fedi.example.org",
            ),
            ("https://fedi.example.org/users/mira/statuses/5", "mastodon:fedi.example.org/5 @mira@fedi.example.org"),
            (
                "https://fedi.example.org/@ana@other.example/113900000000000001/embed",
                "mastodon:fedi.example.org/113900000000000001 @ana@other.example",
            ),
            ("t.me/s/harbourchannel/411", "telegram:harbourchannel/411 @harbourchannel"),
            ("https://t.me/s/harbourchannel?before=412", "telegram:- @harbourchannel"),
            ("https://youtu.be/dQw4w9WgXcQ?t=3", "youtube:dQw4w9WgXcQ @-"),
            ("https://www.youtube.com/watch?feature=share&v=dQw4w9WgXcQ", "youtube:dQw4w9WgXcQ @-"),
            ("https://www.youtube.com/shorts/dQw4w9WgXcQ", "youtube:dQw4w9WgXcQ @-"),
            ("https://www.youtube.com/@odelie_m", "youtube:- @odelie_m"),
            ("https://old.reddit.com/r/harbour/comments/c1abcd/queue/", "reddit:c1abcd @-"),
            ("https://redd.it/c1abcd", "reddit:c1abcd @-"),
            ("https://www.instagram.com/odelie.m/reel/BygAbC_de-1/", "instagram:BygAbC_de-1 @odelie.m"),
            ("https://www.facebook.com/harbour/posts/10156", "facebook:10156 @harbour"),
            ("https://m.facebook.com/story.php?story_fbid=10156&id=99", "facebook:10156 @-"),
            ("https://www.threads.net/@odelie_m/post/CuABC", "threads:CuABC @odelie_m"),
            ("https://www.tiktok.com/@odelie_m/video/7000000000000000000", "tiktok:7000000000000000000 @odelie_m"),
        ] {
            assert_eq!(short(url).as_deref(), Some(want), "{url}");
        }
    }

    #[test]
    fn look_alikes_name_nothing() {
        for url in [
            "https://nottwitter.com/a/status/1",
            "https://twitter.com.evil.example/a/status/2",
            "https://example.org/?u=https://twitter.com/a/status/3",
            "https://x.com/search?q=from%3Aodelie_m",
            "https://x.com/hashtag/harbour",
            "https://t.me/joinchat/AAAAA",
            "https://t.me/c/1234567890/5",
            "https://medium.com/@odelie_m/post-1",
            "https://help.twitter.com/en/using",
            "https://www.youtube.com/about",
            "https://bsky.app/search",
        ] {
            assert_eq!(short(url), None, "{url}");
        }
    }

    #[test]
    fn archives_and_wrappers_come_apart() {
        let a = archived("https://web.archive.org/web/20190610id_/http://t.co/AbC");
        assert_eq!(a.and_then(|a| a.original).as_deref(), Some("http://t.co/AbC"));
        assert!(archived("https://archive.ph/AbCdE").is_some());
        assert_eq!(archived("https://example.org/2019/06/10/story"), None);
        assert_eq!(
            unwrap("https://l.facebook.com/l.php?u=https%3A%2F%2Fa.example%2F%3Fb%3D1&h=x").as_deref(),
            Some("https://a.example/?b=1")
        );
        assert_eq!(unwrap("https://href.li/?https://a.example/b").as_deref(), Some("https://a.example/b"));
        assert_eq!(unwrap("https://a.example/?u=https://b.example/"), None);
    }
}
