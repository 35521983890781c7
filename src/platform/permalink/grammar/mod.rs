//! How a URL is read by the tables: hosts first, then path patterns, then the shapes that federated servers share.

mod sites;
pub(super) mod wrapping;

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::LazyLock;

use foldhash::fast::FixedState;

use super::{Glance, Parts, Read, Way};
use crate::platform::post::Platform;
use sites::{RESERVED, SITES, Site};
use wrapping::{ARCHIVES, CARRIERS, WRAPPERS};

/// What the tables know of a host: which of [`SITES`] it is one of, and whether it is a web archive's, as bits.
#[derive(Clone, Copy)]
pub(super) struct Known(u64);

/// The bit of a web archive's host.
const ARCHIVE: u64 = 1 << 63;

/// Every host that a table names whole. The keys are ours, so the hash need not withstand anybody.
static HOSTS: LazyLock<HashMap<&str, u64, FixedState>> = LazyLock::new(|| {
    let mut hosts: HashMap<&str, u64, FixedState> = others().map(|host| (host, 0)).collect();
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

/// Whether a host is a web archive's, whatever its path.
pub(super) fn is_archive(known: Option<Known>) -> bool {
    known.is_some_and(|Known(bits)| bits & ARCHIVE != 0)
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

/// What the tables can say of a host (lower case, without `www.`), if anything.
pub(super) fn known(host: &str) -> Option<Known> {
    if let Some(bits) = HOSTS.get(host) {
        return Some(Known(*bits));
    }
    let (first, parent) = host.split_once('.').unwrap_or((host, ""));
    let may_fit = matches!(first, "nitter" | "invidious" | "piped" | "libreddit" | "redlib" | "google")
        || parent == "t.me"
        || parent.ends_with("protection.outlook.com")
        || PARENTS.contains(&parent);
    may_fit.then(|| Known(by_pattern(host)))
}

/// What stands behind the `*.` of a pattern.
static PARENTS: LazyLock<Vec<&str>> =
    LazyLock::new(|| PATTERNS.iter().filter_map(|(_, host)| host.strip_prefix("*.")).collect());

/// A path pattern, taken apart once.
struct Pattern {
    segments: Vec<Want>,
    query: Option<(&'static str, Want)>,
    /// names no post: what follows must be a page of the account
    lone: bool,
}

/// What a pattern wants of a segment.
#[derive(Clone, Copy)]
enum Want {
    Id,
    Any,
    At,
    Handle,
    Literal(&'static str),
}

impl Want {
    fn of(text: &'static str) -> Self {
        match text {
            "{id}" => Self::Id,
            "{n}" => Self::Any,
            "{at}" => Self::At,
            "{handle}" => Self::Handle,
            literal => Self::Literal(literal),
        }
    }
}

impl Pattern {
    fn of(text: &'static str) -> Self {
        let (path, query) = text.split_once('?').unwrap_or((text, ""));
        Self {
            segments: path.split('/').filter(|s| !s.is_empty()).map(Want::of).collect(),
            query: query.split_once('=').map(|(key, want)| (key, Want::of(want))),
            lone: !text.contains("{id}"),
        }
    }

    /// Whether the literals of the path stand where they must: most patterns end here, before anything is read.
    fn fits(&self, given: &Segments<'_>) -> bool {
        self.segments.len() <= given.len
            && self.segments.iter().zip(given.held).all(|(want, given)| match want {
                Want::Literal(literal) => given.eq_ignore_ascii_case(literal),
                _ => true,
            })
    }
}

/// The patterns of each of [`SITES`].
static PATHS: LazyLock<Vec<Vec<Pattern>>> =
    LazyLock::new(|| SITES.iter().map(|site| site.paths.iter().map(|path| Pattern::of(path)).collect()).collect());

/// The first segments of a path: one more than any pattern has.
struct Segments<'u> {
    held: [&'u str; 6],
    len: usize,
}

impl<'u> Segments<'u> {
    fn of(path: &'u str) -> Self {
        let mut segments = Self { held: [""; 6], len: 0 };
        for (place, given) in segments.held.iter_mut().zip(path.split('/').filter(|s| !s.is_empty())) {
            *place = given;
            segments.len += 1;
        }
        segments
    }
}

/// What the host's own table says of the URL.
pub(super) fn sites<'u>(parts: &Parts<'u>) -> Option<Read<'u>> {
    let mut bits = parts.known.map_or(0, |Known(bits)| bits);
    // a host that is somebody's, or an archive's, is no server of the fediverse
    if bits == 0 {
        return telegram_subdomain(parts).or_else(|| fediverse(parts));
    }
    bits &= !ARCHIVE;
    let given = Segments::of(parts.path);
    while bits != 0 {
        let n = bits.trailing_zeros() as usize;
        bits &= bits - 1;
        let (Some(site), Some(patterns)) = (SITES.get(n), PATHS.get(n)) else { break };
        let fitting = patterns.iter().filter(|pattern| pattern.fits(&given));
        if let Some(read) = fitting.filter_map(|pattern| matches(site, pattern, &given, parts)).next() {
            return Some(read);
        }
    }
    None
}

/// The sites that have a host as one of a pattern's, as bits.
fn by_pattern(host: &str) -> u64 {
    PATTERNS.iter().filter(|(_, pattern)| host_is(pattern, host)).fold(0, |bits, (n, _)| bits | 1 << n)
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
struct Caught<'u> {
    id: Option<Cow<'u, str>>,
    handle: Option<Cow<'u, str>>,
}

fn matches<'u>(site: &Site, pattern: &Pattern, given: &Segments<'u>, parts: &Parts<'u>) -> Option<Read<'u>> {
    let mut caught = Caught::default();
    for (n, (want, given)) in pattern.segments.iter().zip(given.held).enumerate() {
        segment(site.platform, *want, Cow::Borrowed(given), n == 0, &mut caught)?;
    }
    if let Some((key, want)) = pattern.query {
        segment(site.platform, want, parts.param(key)?, false, &mut caught)?;
    }
    // A profile's sub-pages are still the profile; an unknown page under a name is not.
    let tab = given.held.get(pattern.segments.len()).filter(|tab| !tab.is_empty());
    if pattern.lone && !tab.is_none_or(|tab| PROFILE_TABS.contains(tab)) {
        return None;
    }
    finish(site, caught, parts)
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

fn segment<'u>(
    platform: Platform,
    want: Want,
    given: Cow<'u, str>,
    first: bool,
    caught: &mut Caught<'u>,
) -> Option<()> {
    let addressed = |given: &str| {
        if given.starts_with('@') {
            1
        } else if given.starts_with("%40") {
            3
        } else {
            0
        }
    };
    match want {
        Want::Id => caught.id = Some(cut(given, 0, |given| id_len(platform, given))?),
        Want::Any => {}
        Want::At => {
            let from = Some(addressed(&given)).filter(|from| *from > 0)?;
            caught.handle = Some(cut(given, from, |bare| handle_len(platform, bare))?);
        }
        Want::Handle => {
            let from = addressed(&given);
            if first && from == 0 && is_reserved(platform, &given) {
                return None;
            }
            caught.handle = Some(cut(given, from, |bare| handle_len(platform, bare))?);
        }
        Want::Literal(literal) => {
            if !given.eq_ignore_ascii_case(literal) {
                return None;
            }
        }
    }
    Some(())
}

/// A part of what was given: from `from`, as long as `len` says.
fn cut<'u>(given: Cow<'u, str>, from: usize, len: impl Fn(&str) -> Option<usize>) -> Option<Cow<'u, str>> {
    let to = from + len(given.get(from..)?)?;
    match given {
        Cow::Borrowed(given) => given.get(from..to).map(Cow::Borrowed),
        Cow::Owned(given) => given.get(from..to).map(|part| Cow::Owned(part.to_owned())),
    }
}

fn is_reserved(platform: Platform, segment: &str) -> bool {
    RESERVED.iter().any(|(p, words)| *p == platform && words.iter().any(|w| w.eq_ignore_ascii_case(segment)))
}

/// How long the post's id is at the start of a path segment; junk that pasting leaves behind it (`%22`, `.html`) is dropped.
fn id_len(platform: Platform, given: &str) -> Option<usize> {
    let run = |ok: fn(u8) -> bool| given.bytes().take_while(|b| ok(*b)).count();
    let digits = || {
        let n = run(|b| b.is_ascii_digit());
        let clean = given.as_bytes().get(n).is_none_or(|b| !b.is_ascii_alphanumeric() && *b != b'_');
        (n > 0 && n <= 20 && clean).then_some(n)
    };
    let word = || run(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
    Some(match platform {
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
    })
}

fn id_of(platform: Platform, given: &str) -> Option<&str> {
    given.get(..id_len(platform, given)?)
}

/// How long the handle is, where it is one in the platform's own alphabet.
fn handle_len(platform: Platform, given: &str) -> Option<usize> {
    let given = if given.ends_with("%22") { given.trim_end_matches("%22") } else { given };
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
    (fits && !given.is_empty() && given.len() <= 253).then_some(given.len())
}

fn finish<'u>(site: &Site, caught: Caught<'u>, parts: &Parts<'_>) -> Option<Read<'u>> {
    let Caught { id, handle } = caught;
    let post = match (site.platform, id, &handle) {
        (Platform::Bluesky | Platform::Telegram, Some(id), Some(h)) => Some(Cow::Owned(format!("{h}/{id}"))),
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
    Some(Read { glance: Glance { platform: site.platform, post, handle, way: site.way }, canonical })
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
fn telegram_subdomain<'u>(parts: &Parts<'u>) -> Option<Read<'u>> {
    let label = parts.host.strip_suffix(".t.me")?;
    let handle = label.get(..handle_len(Platform::Telegram, label)?)?;
    let id = parts.path.split('/').find(|s| !s.is_empty()).and_then(|s| id_of(Platform::Telegram, s));
    let post = id.map(|id| format!("{handle}/{id}"));
    let canonical = format!("https://t.me/{}", post.as_deref().unwrap_or(handle));
    let (post, handle) = (post.map(Cow::Owned), Some(Cow::Owned(handle.to_owned())));
    Some(Read { glance: Glance { platform: Platform::Telegram, post, handle, way: Way::Own }, canonical })
}

/// Hosts where `/@name/digits` means something else.
const NOT_FEDIVERSE: &[&str] =
    &["medium.com", "youtube.com", "tiktok.com", "threads.net", "threads.com", "substack.com", "flickr.com"];

/// Mastodon's paths, on any host: its software is what they have in common (docs.joinmastodon.org, 2026).
fn fediverse<'u>(parts: &Parts<'u>) -> Option<Read<'u>> {
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
    let glance = Glance {
        platform: Platform::Mastodon,
        post: Some(Cow::Owned(format!("{}/{id}", parts.host))),
        handle: Some(Cow::Owned(format!("{user}@{home}"))),
        way: Way::Own,
    };
    Some(Read { glance, canonical: format!("https://{}/@{name}/{id}", parts.host) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_host_of_every_site_finds_it() {
        assert!(SITES.len() < 63, "their numbers are bits");
        assert!(PATHS.iter().flatten().all(|p| p.segments.len() < Segments::of("").held.len()), "and one for the tab");
        for (n, site) in SITES.iter().enumerate() {
            for host in site.hosts {
                let spelled = host.replace('*', "nl");
                let bits = known(&spelled).map_or(0, |Known(bits)| bits);
                assert!(bits & (1 << n) != 0, "{host}");
            }
        }
    }
}
