//! Who carries, wraps and archives the URLs of others (as of autumn 2026).

use std::borrow::Cow;

use super::sites::SITES;
use crate::platform::permalink::{Parts, Way};
use crate::platform::post::Platform;

/// Host, path and keys of pages that carry a post's URL in their query.
pub(super) const CARRIERS: &[(&str, &str, &[&str])] = &[
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
pub(in crate::platform::permalink) fn carried(parts: &Parts<'_>) -> Option<String> {
    for (host, path, keys) in CARRIERS {
        if parts.host == *host && parts.path.starts_with(path) {
            let inner = keys.iter().find_map(|k| parts.param(k))?;
            return Some(if inner.starts_with('/') { format!("https://{host}{inner}") } else { inner.into_owned() });
        }
    }
    let own =
        SITES.iter().any(|s| s.platform == Platform::X && s.way == Way::Own && s.hosts.contains(&parts.host.as_ref()));
    let again = parts.path.find("http://").or_else(|| parts.path.find("https://")).filter(|_| own)?;
    parts.path.get(again..).map(str::to_owned)
}

/// Who forwards, on which path, under which key. An empty key: the whole query.
pub(super) const WRAPPERS: &[(&str, &str, &[&str])] = &[
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
pub(in crate::platform::permalink) fn wrapped(parts: &Parts<'_>) -> Option<String> {
    if let Some(inner) = google(parts) {
        return Some(inner);
    }
    if parts.host.ends_with(".safelinks.protection.outlook.com") {
        return parts.param("url").map(Cow::into_owned);
    }
    if parts.host == "unsafelink.com" {
        return parts.rest.strip_prefix('/').map(str::to_owned);
    }
    let (_, _, keys) = WRAPPERS
        .iter()
        .find(|(host, path, _)| parts.host == *host && (parts.path.starts_with(path) || *path == "/"))?;
    keys.iter()
        .find_map(|key| if key.is_empty() { Some(decoded(parts.query)) } else { parts.param(key).map(Cow::into_owned) })
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
            .or_else(|| parts.param("imgrefurl"))
            .map(Cow::into_owned),
        path => path.strip_prefix("/amp/s/").map(|inner| format!("https://{inner}")),
    }
}

/// Web archives whose URLs are copies, whatever their path.
pub(super) const ARCHIVES: &[&str] = &[
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
