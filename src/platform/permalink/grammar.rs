//! The tables: which hosts speak for which platform, what their paths mean, who wraps and who archives (as of autumn 2026).

use std::collections::HashSet;
use std::sync::LazyLock;

use super::{Named, Parts, Way};
use crate::platform::post::Platform;

/// One platform's spellings.
struct Site {
    platform: Platform,
    way: Way,
    /// whole hosts, without `www.`; a leading `*.` stands for any label, a trailing `.*` for any rest
    hosts: &'static [&'static str],
    /// path patterns, tried in order; what follows the last segment is ignored
    paths: &'static [&'static str],
}

const X_PATHS: &[&str] = &[
    "/i/web/status/{id}",
    "/i/status/{id}",
    "/intent/like?tweet_id={id}",
    "/intent/favorite?tweet_id={id}",
    "/intent/retweet?tweet_id={id}",
    "/intent/post?in_reply_to={id}",
    "/intent/tweet?in_reply_to={id}",
    "/intent/user?screen_name={handle}",
    "/intent/follow?screen_name={handle}",
    "/statuses/{id}",
    "/{handle}/status/{id}",
    "/{handle}/statuses/{id}",
    "/{handle}",
];

const SITES: &[Site] = &[
    Site {
        platform: Platform::X,
        way: Way::Own,
        hosts: &[
            "twitter.com",
            "x.com",
            "mobile.twitter.com",
            "mobile.x.com",
            "m.twitter.com",
            "m.x.com",
            "twitter3e4tixl4xyajtrzo62zg5vztmjuricljdp2c5kshju4avyoid.onion",
        ],
        paths: X_PATHS,
    },
    Site {
        platform: Platform::X,
        way: Way::FrontEnd,
        hosts: &[
            "fxtwitter.com",
            "*.fxtwitter.com",
            "vxtwitter.com",
            "*.vxtwitter.com",
            "twittpr.com",
            "*.twittpr.com",
            "fixvx.com",
            "*.fixvx.com",
            "fixupx.com",
            "*.fixupx.com",
            "fixupx.net",
            "twitfix.com",
            "nitter.*",
            "xcancel.com",
            "twiiit.com",
            "sotwe.com",
            "twstalker.com",
            "lightbrd.com",
            "nuku.trabun.org",
            "tweetdeck.twitter.com",
        ],
        paths: &[
            "/status/{id}",
            "/Twitter/status/{id}",
            "/i/status/{id}",
            "/{handle}/status/{id}",
            "/{handle}/statuses/{id}",
        ],
    },
    Site {
        platform: Platform::X,
        way: Way::Own,
        hosts: &["platform.twitter.com", "platform.x.com"],
        paths: &[
            "/embed/Tweet.html?id={id}",
            "/embed/index.html?id={id}",
            "/widgets/tweet_button.html?in_reply_to={id}",
        ],
    },
    Site {
        platform: Platform::X,
        way: Way::Own,
        hosts: &["cdn.syndication.twimg.com", "api.twitter.com", "api.x.com"],
        paths: &[
            "/tweet-result?id={id}",
            "/1/statuses/oembed.json?id={id}",
            "/1.1/statuses/show.json?id={id}",
            "/2/tweets/{id}",
        ],
    },
    Site {
        platform: Platform::X,
        way: Way::FrontEnd,
        hosts: &[
            "threadreaderapp.com",
            "threader.app",
            "en.rattibha.com",
            "rattibha.com",
            "typefully.com",
            "unrollthread.com",
        ],
        paths: &["/thread/{id}", "/{handle}/status/{id}"],
    },
    Site {
        platform: Platform::Bluesky,
        way: Way::Own,
        hosts: &["bsky.app", "staging.bsky.app", "main.bsky.dev"],
        paths: &["/profile/{handle}/post/{id}", "/profile/{handle}"],
    },
    Site {
        platform: Platform::Bluesky,
        way: Way::FrontEnd,
        hosts: &[
            "fxbsky.app",
            "*.fxbsky.app",
            "bskx.app",
            "*.bskx.app",
            "bsyy.app",
            "bskyx.app",
            "xbsky.app",
            "vxbsky.app",
            "deer.social",
            "blacksky.community",
            "skyview.social",
        ],
        paths: &["/profile/{handle}/post/{id}"],
    },
    Site {
        platform: Platform::Bluesky,
        way: Way::Own,
        hosts: &["embed.bsky.app"],
        paths: &["/embed/{handle}/app.bsky.feed.post/{id}"],
    },
    Site {
        platform: Platform::Telegram,
        way: Way::Own,
        hosts: &["t.me", "telegram.me", "telegram.dog"],
        paths: &["/s/{handle}/{id}", "/s/{handle}", "/{handle}/{n}/{id}", "/{handle}/{id}", "/{handle}"],
    },
    Site {
        platform: Platform::Telegram,
        way: Way::FrontEnd,
        hosts: &["tgstat.com", "tgstat.ru"],
        paths: &["/channel/{handle}/{id}"],
    },
    Site {
        platform: Platform::Youtube,
        way: Way::Own,
        hosts: &["youtube.com", "m.youtube.com", "music.youtube.com", "gaming.youtube.com", "youtube-nocookie.com"],
        paths: &[
            "/watch?v={id}",
            "/watch/{id}",
            "/shorts/{id}",
            "/live/{id}",
            "/embed/{id}",
            "/v/{id}",
            "/e/{id}",
            "/oembed?v={id}",
            "/{at}",
            "/c/{handle}",
            "/user/{handle}",
            "/channel/{handle}",
        ],
    },
    Site { platform: Platform::Youtube, way: Way::Own, hosts: &["youtu.be"], paths: &["/{id}"] },
    Site {
        platform: Platform::Youtube,
        way: Way::FrontEnd,
        hosts: &["yewtu.be", "invidious.*", "inv.nadeko.net", "piped.video", "piped.*", "yt.artemislena.eu"],
        paths: &["/watch?v={id}", "/embed/{id}", "/shorts/{id}"],
    },
    Site {
        platform: Platform::Reddit,
        way: Way::Own,
        hosts: &[
            "reddit.com",
            "old.reddit.com",
            "new.reddit.com",
            "np.reddit.com",
            "m.reddit.com",
            "i.reddit.com",
            "sh.reddit.com",
            "amp.reddit.com",
            "embed.reddit.com",
        ],
        paths: &[
            "/r/{n}/comments/{id}",
            "/user/{handle}/comments/{id}",
            "/u/{handle}/comments/{id}",
            "/comments/{id}",
            "/gallery/{id}",
            "/video/{id}",
            "/user/{handle}",
            "/u/{handle}",
        ],
    },
    Site { platform: Platform::Reddit, way: Way::Own, hosts: &["redd.it"], paths: &["/{id}"] },
    Site {
        platform: Platform::Reddit,
        way: Way::FrontEnd,
        hosts: &["rxddit.com", "vxreddit.com", "libreddit.*", "redlib.*", "teddit.net", "safereddit.com"],
        paths: &["/r/{n}/comments/{id}", "/comments/{id}"],
    },
    Site {
        platform: Platform::Instagram,
        way: Way::Own,
        hosts: &["instagram.com", "m.instagram.com", "instagr.am"],
        paths: &[
            "/p/{id}",
            "/reel/{id}",
            "/reels/{id}",
            "/tv/{id}",
            "/{handle}/p/{id}",
            "/{handle}/reel/{id}",
            "/{handle}/tv/{id}",
            "/stories/{handle}",
            "/{handle}",
        ],
    },
    Site {
        platform: Platform::Instagram,
        way: Way::FrontEnd,
        hosts: &["ddinstagram.com", "kkinstagram.com", "vxinstagram.com", "imginn.com"],
        paths: &["/p/{id}", "/reel/{id}", "/reels/{id}", "/tv/{id}"],
    },
    Site {
        platform: Platform::Facebook,
        way: Way::Own,
        hosts: &[
            "facebook.com",
            "m.facebook.com",
            "mbasic.facebook.com",
            "web.facebook.com",
            "touch.facebook.com",
            "fb.com",
        ],
        paths: &[
            "/permalink.php?story_fbid={id}",
            "/story.php?story_fbid={id}",
            "/photo.php?fbid={id}",
            "/photo?fbid={id}",
            "/watch?v={id}",
            "/watch/live?v={id}",
            "/video.php?v={id}",
            "/reel/{id}",
            "/groups/{n}/posts/{id}",
            "/groups/{n}/permalink/{id}",
            "/{handle}/posts/{n}/{id}",
            "/{handle}/posts/{id}",
            "/{handle}/videos/{n}/{id}",
            "/{handle}/videos/{id}",
            "/{handle}/photos/{n}/{id}",
            "/{handle}",
        ],
    },
    Site {
        platform: Platform::Threads,
        way: Way::Own,
        hosts: &["threads.net", "threads.com"],
        paths: &["/{at}/post/{id}", "/t/{id}", "/{at}"],
    },
    Site {
        platform: Platform::Threads,
        way: Way::FrontEnd,
        hosts: &["fixthreads.net", "vxthreads.net"],
        paths: &["/{at}/post/{id}"],
    },
    Site {
        platform: Platform::Tiktok,
        way: Way::Own,
        hosts: &["tiktok.com", "m.tiktok.com"],
        paths: &[
            "/{at}/video/{id}",
            "/{at}/photo/{id}",
            "/embed/v2/{id}",
            "/embed/{id}",
            "/player/v1/{id}",
            "/v/{id}",
            "/{at}",
        ],
    },
    Site {
        platform: Platform::Tiktok,
        way: Way::FrontEnd,
        hosts: &["vxtiktok.com", "tnktok.com", "fxtiktok.com", "kktiktok.com"],
        paths: &["/{at}/video/{id}", "/{at}/photo/{id}"],
    },
];

/// First path segments that are pages of the platform, never accounts.
const RESERVED: &[(Platform, &[&str])] = &[
    (
        Platform::X,
        &[
            "i",
            "home",
            "explore",
            "search",
            "search-advanced",
            "hashtag",
            "intent",
            "share",
            "messages",
            "notifications",
            "settings",
            "privacy",
            "tos",
            "compose",
            "login",
            "logout",
            "signup",
            "jobs",
            "about",
            "download",
            "account",
            "oauth",
            "statuses",
            "status",
            "widgets",
            "who_to_follow",
            "following",
            "followers",
            "safety",
            "lists",
            "bookmarks",
            "communities",
            "help",
            "rules",
            "en",
        ],
    ),
    (
        Platform::Telegram,
        &[
            "joinchat",
            "addstickers",
            "addemoji",
            "addtheme",
            "addlist",
            "share",
            "proxy",
            "socks",
            "iv",
            "s",
            "c",
            "login",
            "setlanguage",
            "bg",
            "contact",
            "m",
            "boost",
            "giftcode",
            "invoice",
            "confirmphone",
            "blog",
            "faq",
            "apps",
            "durov_s",
        ],
    ),
    (
        Platform::Instagram,
        &[
            "p",
            "reel",
            "reels",
            "tv",
            "explore",
            "accounts",
            "about",
            "legal",
            "developer",
            "stories",
            "direct",
            "web",
            "challenge",
            "press",
            "privacy",
        ],
    ),
    (
        Platform::Facebook,
        &[
            "sharer",
            "sharer.php",
            "share",
            "share.php",
            "dialog",
            "plugins",
            "login",
            "login.php",
            "groups",
            "events",
            "pages",
            "watch",
            "reel",
            "hashtag",
            "photo",
            "photo.php",
            "permalink.php",
            "story.php",
            "help",
            "policies",
            "privacy",
            "settings",
            "marketplace",
            "gaming",
            "business",
            "ads",
            "l.php",
            "flx",
            "video.php",
            "media",
            "profile.php",
            "notes",
            "public",
            "search",
            "tr",
            "v",
            "people",
            "stories",
        ],
    ),
];

/// Every host that a table names whole.
static HOSTS: LazyLock<HashSet<&str>> = LazyLock::new(|| {
    let whole = SITES.iter().flat_map(|s| s.hosts.iter().copied()).filter(|h| !h.contains('*'));
    let carriers = CARRIERS.iter().map(|(host, ..)| *host);
    let wrappers = WRAPPERS.iter().map(|(host, ..)| *host);
    whole
        .chain(carriers)
        .chain(wrappers)
        .chain(ARCHIVES.iter().copied())
        .chain(["unsafelink.com", "webcache.googleusercontent.com"])
        .collect()
});

/// Whether any table can say something of a host (lower case, without `www.`).
pub(super) fn may_know(host: &str) -> bool {
    if HOSTS.contains(host) {
        return true;
    }
    let first = host.split('.').next().unwrap_or_default();
    let parent = host.split_once('.').map_or("", |(_, rest)| rest);
    matches!(first, "nitter" | "invidious" | "piped" | "libreddit" | "redlib" | "google")
        || parent == "t.me"
        || parent.ends_with("protection.outlook.com")
        || SITES.iter().any(|s| s.hosts.iter().any(|h| h.strip_prefix("*.") == Some(parent)))
}

/// What the host's own table says of the URL.
pub(super) fn sites(parts: &Parts<'_>) -> Option<Named> {
    let mut known = false;
    for site in SITES.iter().filter(|s| s.hosts.iter().any(|h| host_is(h, &parts.host))) {
        known = true;
        for pattern in site.paths {
            if let Some(found) = matches(site, pattern, parts) {
                return Some(found);
            }
        }
    }
    if known || is_archive(&parts.host) { None } else { telegram_subdomain(parts).or_else(|| fediverse(parts)) }
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
    let canonical = canonical(site.platform, post.as_deref(), handle.as_deref(), parts);
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
    if NOT_FEDIVERSE.iter().any(|h| parts.host == *h || parts.host.ends_with(&format!(".{h}"))) {
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

/// Host, path and keys of pages that carry a post's URL in their query.
const CARRIERS: &[(&str, &str, &[&str])] = &[
    ("publish.twitter.com", "/", &["query", "url"]),
    ("publish.x.com", "/", &["query", "url"]),
    ("api.twitter.com", "/1/statuses/oembed", &["url"]),
    ("facebook.com", "/plugins/post.php", &["href"]),
    ("facebook.com", "/plugins/video.php", &["href"]),
    ("youtube.com", "/oembed", &["url"]),
    ("youtube.com", "/attribution_link", &["u"]),
    ("embed.bsky.app", "/oembed", &["url"]),
    ("reddit.com", "/oembed", &["url"]),
    ("redditmedia.com", "/", &["url"]),
];

/// Pages of the platforms that carry a post's URL inside: publishers, oEmbed, embeds of embeds, pasted junk.
pub(super) fn carried(parts: &Parts<'_>) -> Option<String> {
    for (host, path, keys) in CARRIERS {
        if parts.host == *host && parts.path.starts_with(path) {
            let inner = keys.iter().find_map(|k| parts.param(k))?;
            return Some(if inner.starts_with('/') { format!("https://{host}{inner}") } else { inner });
        }
    }
    let own =
        SITES.iter().any(|s| s.platform == Platform::X && s.way == Way::Own && s.hosts.contains(&parts.host.as_str()));
    let again = parts.path.find("http://").or_else(|| parts.path.find("https://")).filter(|_| own)?;
    parts.path.get(again..).map(str::to_owned)
}

/// Who forwards, on which path, under which key. An empty key: the whole query.
const WRAPPERS: &[(&str, &str, &[&str])] = &[
    ("l.facebook.com", "/l.php", &["u"]),
    ("lm.facebook.com", "/l.php", &["u"]),
    ("facebook.com", "/l.php", &["u"]),
    ("facebook.com", "/flx/warn", &["u"]),
    ("l.instagram.com", "/", &["u"]),
    ("l.threads.net", "/", &["u"]),
    ("l.threads.com", "/", &["u"]),
    ("youtube.com", "/redirect", &["q"]),
    ("consent.youtube.com", "/", &["continue"]),
    ("consent.google.com", "/", &["continue"]),
    ("out.reddit.com", "/", &["url"]),
    ("t.umblr.com", "/redirect", &["z"]),
    ("vk.com", "/away.php", &["to"]),
    ("m.vk.com", "/away.php", &["to"]),
    ("href.li", "/", &[""]),
    ("t.me", "/iv", &["url"]),
    ("weibo.cn", "/sinaurl", &["u", "url"]),
    ("steamcommunity.com", "/linkfilter", &["url", "u"]),
    ("duckduckgo.com", "/l/", &["uddg"]),
    ("linkedin.com", "/redir/redirect", &["url"]),
    ("slack-redir.net", "/link", &["url"]),
    ("disq.us", "/url", &["url"]),
    ("exit.sc", "/", &["url"]),
    ("ok.ru", "/dk", &["st.link"]),
    ("twitter.com", "/safety/unsafe_link_warning", &["unsafe_link"]),
    ("x.com", "/safety/unsafe_link_warning", &["unsafe_link"]),
    ("sba.yandex.net", "/redirect", &["url"]),
    ("deviantart.com", "/users/outgoing", &[""]),
    ("outgoing.prod.webservices.mozgcp.net", "/", &["url"]),
    ("getpocket.com", "/redirect", &["url"]),
    ("translate.google.com", "/translate", &["u"]),
];

/// The URL inside a wrapper.
pub(super) fn wrapped(parts: &Parts<'_>) -> Option<String> {
    if let Some(inner) = google(parts) {
        return Some(inner);
    }
    if parts.host.ends_with(".safelinks.protection.outlook.com") {
        return parts.param("url");
    }
    if parts.host == "unsafelink.com" {
        return parts.rest.strip_prefix('/').map(str::to_owned);
    }
    let (_, _, keys) = WRAPPERS
        .iter()
        .find(|(host, path, _)| parts.host == *host && (parts.path.starts_with(path) || *path == "/"))?;
    keys.iter().find_map(|key| if key.is_empty() { Some(decoded(parts.query)) } else { parts.param(key) })
}

fn decoded(query: &str) -> String {
    if query.contains("://") {
        return query.to_owned();
    }
    url::form_urlencoded::parse(query.as_bytes()).next().map(|(k, _)| k.into_owned()).unwrap_or_default()
}

/// `google.TLD/url?q=`, its AMP viewer and its page cache.
fn google(parts: &Parts<'_>) -> Option<String> {
    if parts.host == "webcache.googleusercontent.com" {
        let q = parts.param("q")?;
        let inner = q.strip_prefix("cache:")?;
        return inner.find("http").and_then(|at| inner.get(at..)).map(str::to_owned);
    }
    let tld = parts.host.strip_prefix("google.")?;
    if tld.len() > 6 {
        return None;
    }
    match parts.path {
        "/url" | "/imgres" => parts
            .param("q")
            .filter(|q| q.contains("://"))
            .or_else(|| parts.param("url"))
            .or_else(|| parts.param("imgrefurl")),
        path => path.strip_prefix("/amp/s/").map(|inner| format!("https://{inner}")),
    }
}

/// Web archives whose URLs are copies, whatever their path.
const ARCHIVES: &[&str] = &[
    "web.archive.org",
    "wayback.archive.org",
    "web-beta.archive.org",
    "archive.today",
    "archive.ph",
    "archive.is",
    "archive.md",
    "archive.li",
    "archive.vn",
    "archive.fo",
    "archiveiya74codqgiixo33q62qlrqtkgmcitqx5u2oeqnmn5bpcbiyd.onion",
    "perma.cc",
    "webcitation.org",
    "ghostarchive.org",
    "arquivo.pt",
    "webarchive.org.uk",
    "wayback.archive-it.org",
    "webarchive.loc.gov",
    "webarchive.nationalarchives.gov.uk",
    "vefsafn.is",
    "megalodon.jp",
    "swap.stanford.edu",
    "haw.nsk.hr",
    "web.archive.bibalex.org",
    "wayback.vefsafn.is",
    "preservetube.com",
];

/// Whether a host is a web archive's.
pub(super) fn is_archive(host: &str) -> bool {
    ARCHIVES.contains(&host)
}
