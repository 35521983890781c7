//! How a URL is read by the tables: hosts first, then path patterns, then the shapes that federated servers share.

mod sites;
pub(super) mod wrapping;

use std::collections::HashMap;
use std::sync::LazyLock;

use super::{Named, Parts, Way};
use crate::platform::post::Platform;
use sites::{RESERVED, SITES, Site};
use wrapping::{ARCHIVES, CARRIERS, WRAPPERS};

/// Every host that a table names whole, and which of [`SITES`] do, as bits.
static HOSTS: LazyLock<HashMap<&str, u64>> = LazyLock::new(|| {
    let mut hosts: HashMap<&str, u64> = others().map(|host| (host, 0)).collect();
    for (n, site) in SITES.iter().enumerate() {
        for host in site.hosts.iter().filter(|h| !h.contains('*')) {
            *hosts.entry(host).or_default() |= 1 << n;
        }
    }
    for (host, bits) in &mut hosts {
        *bits |= by_pattern(host) | if ARCHIVES.contains(host) { ARCHIVE } else { 0 };
    }
    hosts
});

/// The bit of a web archive's host.
const ARCHIVE: u64 = 1 << 63;

/// Whether a host is a web archive's, whatever its path.
pub(super) fn is_archive(host: &str) -> bool {
    HOSTS.get(host).is_some_and(|bits| bits & ARCHIVE != 0)
}

/// The hosts with a `*`, and whose they are.
static PATTERNS: LazyLock<Vec<(usize, &str)>> = LazyLock::new(|| {
    let all = SITES.iter().enumerate().flat_map(|(n, site)| site.hosts.iter().map(move |host| (n, *host)));
    all.filter(|(_, host)| host.contains('*')).collect()
});

/// Hosts that tables other than [`SITES`] name.
fn others() -> impl Iterator<Item = &'static str> {
    let carriers = CARRIERS.iter().map(|(host, ..)| *host);
    let wrappers = WRAPPERS.iter().map(|(host, ..)| *host);
    carriers.chain(wrappers).chain(ARCHIVES.iter().copied()).chain(["unsafelink.com", "webcache.googleusercontent.com"])
}

/// Whether any table can say something of a host (lower case, without `www.`).
pub(super) fn may_know(host: &str) -> bool {
    if HOSTS.contains_key(host) {
        return true;
    }
    let first = host.split('.').next().unwrap_or_default();
    let parent = host.split_once('.').map_or("", |(_, rest)| rest);
    matches!(first, "nitter" | "invidious" | "piped" | "libreddit" | "redlib" | "google")
        || parent == "t.me"
        || parent.ends_with("protection.outlook.com")
        || PATTERNS.iter().any(|(_, h)| h.strip_prefix("*.") == Some(parent))
}

/// What the host's own table says of the URL.
pub(super) fn sites(parts: &Parts<'_>) -> Option<Named> {
    let bits = HOSTS.get(parts.host.as_ref()).copied().unwrap_or_else(|| by_pattern(&parts.host));
    let first = parts.path.split('/').find(|s| !s.is_empty());
    for (_, site) in SITES.iter().enumerate().filter(|(n, _)| bits & (1 << n) != 0) {
        for pattern in site.paths.iter().filter(|p| may_begin(p, first)) {
            if let Some(found) = matches(site, pattern, parts) {
                return Some(found);
            }
        }
    }
    // a host that is somebody's, or an archive's, is no server of the fediverse
    if bits != 0 { None } else { telegram_subdomain(parts).or_else(|| fediverse(parts)) }
}

/// The sites that have a host as one of a pattern's, as bits.
fn by_pattern(host: &str) -> u64 {
    PATTERNS.iter().filter(|(_, pattern)| host_is(pattern, host)).fold(0, |bits, (n, _)| bits | 1 << n)
}

/// Whether a path pattern can fit a path whose first segment is `first`: most end here, before anything is taken apart.
fn may_begin(pattern: &str, first: Option<&str>) -> bool {
    let want = pattern.strip_prefix('/').unwrap_or(pattern);
    let len = want.bytes().position(|b| b == b'/' || b == b'?').unwrap_or(want.len());
    match (want.get(..len), first) {
        (Some("") | None, _) => true,
        (Some(want), Some(first)) => want.starts_with('{') || want.eq_ignore_ascii_case(first),
        (Some(_), None) => false,
    }
}

fn host_is(pattern: &str, host: &str) -> bool {
    if let Some(rest) = pattern.strip_prefix("*.") {
        return host.strip_suffix(rest).is_some_and(|label| label.len() > 1 && label.ends_with('.'));
    }
    match pattern.strip_suffix(".*") {
        Some(first) => host.strip_prefix(first).is_some_and(|tail| tail.len() > 2 && tail.starts_with('.')),
        None => host == pattern,
    }
}

/// What a pattern caught.
#[derive(Default)]
struct Caught {
    id: Option<String>,
    handle: Option<String>,
}

fn matches(site: &Site, pattern: &str, parts: &Parts<'_>) -> Option<Named> {
    let (path, query) = pattern.split_once('?').unwrap_or((pattern, ""));
    let mut caught = Caught::default();
    let mut given = parts.path.split('/').filter(|s| !s.is_empty());
    let lone = !pattern.contains("{id}");
    for (n, want) in path.split('/').filter(|s| !s.is_empty()).enumerate() {
        segment(site.platform, want, given.next()?, n == 0, &mut caught)?;
    }
    if let Some((key, want)) = query.split_once('=') {
        let value = parts.param(key)?;
        segment(site.platform, want, &value, false, &mut caught)?;
    }
    let named = finish(site, caught, parts)?;
    // A profile's sub-pages are still the profile; an unknown page under a name is not.
    (!lone || given.next().is_none_or(|tab| PROFILE_TABS.contains(&tab))).then_some(named)
}

/// Pages under an account that show the account.
const PROFILE_TABS: &[&str] = &[
    "with_replies",
    "media",
    "likes",
    "highlights",
    "articles",
    "followers",
    "following",
    "verified_followers",
    "videos",
    "shorts",
    "streams",
    "live",
    "featured",
    "about",
    "community",
    "posts",
    "photos",
    "reels",
    "tagged",
    "replies",
    "reposts",
    "submitted",
    "comments",
    "superfollows",
    "feed",
    "lists",
];

fn segment(platform: Platform, want: &str, given: &str, first: bool, caught: &mut Caught) -> Option<()> {
    match want {
        "{id}" => caught.id = Some(id_of(platform, given)?),
        "{n}" => {}
        "{at}" => {
            caught.handle = Some(handle_of(platform, given.strip_prefix('@').or_else(|| given.strip_prefix("%40"))?)?)
        }
        "{handle}" => {
            let bare = given.strip_prefix('@').or_else(|| given.strip_prefix("%40")).unwrap_or(given);
            if first && bare.len() == given.len() && is_reserved(platform, bare) {
                return None;
            }
            caught.handle = Some(handle_of(platform, bare)?);
        }
        literal => {
            if !given.eq_ignore_ascii_case(literal) {
                return None;
            }
        }
    }
    Some(())
}

fn is_reserved(platform: Platform, segment: &str) -> bool {
    RESERVED.iter().any(|(p, words)| *p == platform && words.iter().any(|w| w.eq_ignore_ascii_case(segment)))
}

/// The post's id at the start of a path segment; junk that pasting leaves behind it (`%22`, `.html`) is dropped.
fn id_of(platform: Platform, given: &str) -> Option<String> {
    let run = |ok: fn(u8) -> bool| given.bytes().take_while(|b| ok(*b)).count();
    let digits = || {
        let n = run(|b| b.is_ascii_digit());
        let clean = given.as_bytes().get(n).is_none_or(|b| !b.is_ascii_alphanumeric() && *b != b'_');
        (n > 0 && n <= 20 && clean).then_some(n)
    };
    let word = || run(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
    let n = match platform {
        Platform::X => digits().filter(|n| *n <= 19 && !given.starts_with('0'))?,
        Platform::Telegram | Platform::Mastodon | Platform::Tiktok => digits()?,
        Platform::Youtube => Some(word()).filter(|n| *n == 11)?,
        Platform::Reddit => Some(run(|b| b.is_ascii_alphanumeric())).filter(|n| (4..=10).contains(n))?,
        Platform::Bluesky => Some(run(|b| b.is_ascii_alphanumeric() || b"._:~-".contains(&b))).filter(|n| *n > 0)?,
        Platform::Facebook => match digits() {
            Some(n) => n,
            None if given.starts_with("pfbid") => word(),
            None => return None,
        },
        Platform::Instagram | Platform::Threads => Some(word()).filter(|n| *n >= 5 && *n <= 60)?,
    };
    given.get(..n).map(str::to_owned)
}

/// A handle in the platform's own alphabet.
fn handle_of(platform: Platform, given: &str) -> Option<String> {
    let given = given.trim_end_matches("%22");
    let all = |ok: fn(u8) -> bool| given.bytes().all(ok);
    let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    let fits = match platform {
        Platform::X => given.len() <= 20 && all(|b| b.is_ascii_alphanumeric() || b == b'_'),
        Platform::Telegram => {
            (4..=32).contains(&given.len()) && all(word) && given.starts_with(|c: char| c.is_ascii_alphabetic())
        }
        Platform::Bluesky => {
            given.starts_with("did:")
                || (given.contains('.') && all(|b| b.is_ascii_alphanumeric() || b == b'.' || b == b'-'))
        }
        _ => all(|b| b.is_ascii_alphanumeric() || b"._-%".contains(&b)),
    };
    (fits && !given.is_empty() && given.len() <= 253).then(|| given.to_owned())
}

fn finish(site: &Site, caught: Caught, parts: &Parts<'_>) -> Option<Named> {
    let Caught { id, handle } = caught;
    let post = match (site.platform, id, &handle) {
        (Platform::Bluesky | Platform::Telegram, Some(id), Some(h)) => Some(format!("{h}/{id}")),
        (Platform::Bluesky | Platform::Telegram, Some(_), None) => return None,
        (_, id, _) => id,
    };
    if post.is_none() && handle.is_none() {
        return None;
    }
    let canonical = if parts.canonical {
        canonical(site.platform, post.as_deref(), handle.as_deref(), parts)
    } else {
        String::new()
    };
    Some(Named { platform: site.platform, post, handle, canonical, way: site.way })
}

fn canonical(platform: Platform, post: Option<&str>, handle: Option<&str>, parts: &Parts<'_>) -> String {
    let h = handle.unwrap_or("i");
    match (platform, post) {
        (Platform::X, Some(id)) => format!("https://x.com/{h}/status/{id}"),
        (Platform::X, None) => format!("https://x.com/{h}"),
        (Platform::Bluesky, Some(id)) => format!("https://bsky.app/profile/{}", id.replacen('/', "/post/", 1)),
        (Platform::Bluesky, None) => format!("https://bsky.app/profile/{h}"),
        (Platform::Telegram, Some(id)) => format!("https://t.me/{id}"),
        (Platform::Telegram, None) => format!("https://t.me/{h}"),
        (Platform::Youtube, Some(id)) => format!("https://www.youtube.com/watch?v={id}"),
        (Platform::Youtube, None) => format!("https://www.youtube.com{}", parts.path.trim_end_matches('/')),
        (Platform::Reddit, Some(id)) => format!("https://www.reddit.com/comments/{id}"),
        (Platform::Reddit, None) => format!("https://www.reddit.com/user/{h}"),
        (Platform::Instagram, Some(id)) => format!("https://www.instagram.com/p/{id}/"),
        (Platform::Instagram, None) => format!("https://www.instagram.com/{h}/"),
        (Platform::Facebook, Some(_)) => {
            let query = if parts.path.ends_with(".php") || handle.is_none() { parts.query } else { "" };
            let mark = if query.is_empty() { "" } else { "?" };
            format!("https://www.facebook.com{}{mark}{query}", parts.path)
        }
        (Platform::Facebook, None) => format!("https://www.facebook.com/{h}"),
        (Platform::Threads, Some(id)) => match handle {
            Some(h) => format!("https://www.threads.com/@{h}/post/{id}"),
            None => format!("https://www.threads.com/t/{id}"),
        },
        (Platform::Threads, None) => format!("https://www.threads.com/@{h}"),
        (Platform::Tiktok, Some(id)) => match handle {
            Some(h) => format!("https://www.tiktok.com/@{h}/video/{id}"),
            None => format!("https://www.tiktok.com/embed/v2/{id}"),
        },
        (Platform::Tiktok, None) => format!("https://www.tiktok.com/@{h}"),
        (Platform::Mastodon, _) => format!("https://{}{}", parts.host, parts.path),
    }
}

/// `channel.t.me/411`: Telegram gives every channel a host of its own.
fn telegram_subdomain(parts: &Parts<'_>) -> Option<Named> {
    let handle = handle_of(Platform::Telegram, parts.host.strip_suffix(".t.me")?)?;
    let id = parts.path.split('/').find(|s| !s.is_empty()).and_then(|s| id_of(Platform::Telegram, s));
    let post = id.map(|id| format!("{handle}/{id}"));
    let canonical = format!("https://t.me/{}", post.as_deref().unwrap_or(&handle));
    Some(Named { platform: Platform::Telegram, post, handle: Some(handle), canonical, way: Way::Own })
}

/// Hosts where `/@name/digits` means something else.
const NOT_FEDIVERSE: &[&str] =
    &["medium.com", "youtube.com", "tiktok.com", "threads.net", "threads.com", "substack.com", "flickr.com"];

/// Mastodon's paths, on any host: its software is what they have in common (docs.joinmastodon.org, 2026).
fn fediverse(parts: &Parts<'_>) -> Option<Named> {
    let within = |h: &&str| parts.host.strip_suffix(*h).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    if NOT_FEDIVERSE.iter().any(within) {
        return None;
    }
    let mut segments = parts.path.split('/').filter(|s| !s.is_empty());
    let (name, id) = match (segments.next()?, segments.next()?, segments.next(), segments.next()) {
        ("users", name, Some("statuses"), Some(id)) => (name, id),
        ("web" | "deck", at, Some(id), _) if at.starts_with('@') => (at.strip_prefix('@')?, id),
        (at, id, tail, None)
            if at.starts_with('@') && tail.is_none_or(|t| t == "embed" || t == "reblogs" || t == "favourites") =>
        {
            (at.strip_prefix('@')?, id)
        }
        _ => return None,
    };
    let id = id.bytes().all(|b| b.is_ascii_digit()).then(|| id_of(Platform::Mastodon, id))??;
    let (user, home) = name.split_once('@').unwrap_or((name, &parts.host));
    if user.is_empty() || !user.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.-".contains(&b)) {
        return None;
    }
    Some(Named {
        platform: Platform::Mastodon,
        post: Some(format!("{}/{id}", parts.host)),
        handle: Some(format!("{user}@{home}")),
        canonical: format!("https://{}/@{name}/{id}", parts.host),
        way: Way::Own,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_host_of_every_site_finds_it() {
        assert!(SITES.len() < 63, "their numbers are bits");
        for (n, site) in SITES.iter().enumerate() {
            for host in site.hosts {
                let spelled = host.replace('*', "nl");
                assert!(may_know(&spelled) || host.ends_with(".*"), "{host}");
                let bits = HOSTS.get(spelled.as_str()).copied().unwrap_or_else(|| by_pattern(&spelled));
                assert!(bits & (1 << n) != 0, "{host}");
            }
        }
    }
}
