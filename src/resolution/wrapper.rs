//! URLs that carry another URL inside: unwrapped without a request (PLATFORMS: wrappers; behaviour as of 2026).

use url::Url;

use crate::format::query;
use crate::platform::permalink;
use crate::resolution::carrier::Via;

/// A service that wraps: hosts, path, and the query fields that hold the target.
struct Wrapper {
    /// a host; a leading dot takes its subdomains too
    hosts: &'static [&'static str],
    /// the path, or its beginning where it ends in `/`; empty for any
    path: &'static str,
    fields: &'static [&'static str],
    via: Via,
}

const fn plain(hosts: &'static [&'static str], path: &'static str, fields: &'static [&'static str]) -> Wrapper {
    Wrapper { hosts, path, fields, via: Via::Unwrapped }
}

const fn warning(hosts: &'static [&'static str], path: &'static str, fields: &'static [&'static str]) -> Wrapper {
    Wrapper { hosts, path, fields, via: Via::Interstitial }
}

const TWITTER: &[&str] =
    &["twitter.com", "www.twitter.com", "mobile.twitter.com", "x.com", "www.x.com", "mobile.x.com"];

static WRAPPERS: &[Wrapper] = &[
    warning(TWITTER, "/safety/unsafe_link_warning", &["unsafe_link"]),
    plain(TWITTER, "/i/redirect", &["url"]),
    plain(&["l.facebook.com", "lm.facebook.com", "l.messenger.com"], "/l.php", &["u"]),
    plain(&["www.facebook.com", "facebook.com", "m.facebook.com"], "/l.php", &["u"]),
    plain(&["www.facebook.com", "facebook.com", "m.facebook.com"], "/flx/warn/", &["u"]),
    plain(&["l.instagram.com"], "", &["u"]),
    plain(&["l.threads.com", "l.threads.net"], "", &["u"]),
    plain(&["www.youtube.com", "youtube.com", "m.youtube.com"], "/redirect", &["q"]),
    warning(&["consent.youtube.com", "consent.google.com"], "", &["continue"]),
    plain(&["out.reddit.com"], "", &["url"]),
    plain(&["t.umblr.com"], "/redirect", &["z"]),
    plain(&["vk.com", "m.vk.com", "away.vk.com", "vk.ru", "away.vk.ru"], "/away.php", &["to"]),
    plain(&["vk.com", "m.vk.com", "vk.ru"], "/away", &["to"]),
    plain(&["t.me", "telegram.me"], "/iv", &["url"]),
    plain(&["weibo.cn", "m.weibo.cn", "www.weibo.cn"], "/sinaurl", &["u", "toasturl", "url"]),
    plain(&["t.cn", "weibo.com"], "/sinaurl", &["u"]),
    warning(&["steamcommunity.com", "www.steamcommunity.com"], "/linkfilter/", &["u", "url"]),
    plain(&["duckduckgo.com", "www.duckduckgo.com"], "/l/", &["uddg"]),
    plain(&["sba.yandex.net", "sba.yandex.ru", "clck.yandex.ru"], "/redirect", &["url"]),
    plain(&["slack-redir.net"], "/link", &["url"]),
    plain(&["www.linkedin.com", "linkedin.com"], "/redir/redirect", &["url"]),
    plain(&["www.linkedin.com", "linkedin.com"], "/safety/go", &["url"]),
    plain(&[".safelinks.protection.outlook.com"], "/", &["url"]),
    plain(&["exit.sc"], "", &["url"]),
    plain(&["gate.sc"], "", &["url"]),
    plain(&["disq.us"], "/url", &["url"]),
    plain(&["www.bing.com", "bing.com"], "/alink/link", &["url"]),
    plain(&["zhihu.com", "link.zhihu.com"], "/", &["target"]),
    plain(&["www.tiktok.com"], "/link/v2", &["target"]),
    plain(&["www.awin1.com"], "/cread.php", &["ued", "p"]),
    plain(&["go.redirectingat.com", "go.skimresources.com"], "", &["url"]),
    plain(&["urldefense.proofpoint.com"], "/v1/url", &["u"]),
];

/// The target that `url` carries, and how: `Unwrapped`, or `Interstitial` where the page in between is a warning or asks
/// for assent.
pub fn unwrap(url: &Url) -> Option<(Via, Url)> {
    let host = url.host_str()?;
    WRAPPERS
        .iter()
        .filter(|w| w.hosts.iter().any(|h| is_host(host, h)) && is_path(url.path(), w.path))
        .find_map(|w| w.fields.iter().find_map(|field| target(url, field)).map(|to| (w.via, to)))
        .or_else(|| in_the_path(url, host).or_else(|| shared(url)).map(|to| (Via::Unwrapped, to)))
        .filter(|(_, to)| to != url)
}

fn is_host(host: &str, pattern: &str) -> bool {
    if pattern.starts_with('.') { host.ends_with(pattern) } else { host == pattern }
}

fn is_path(path: &str, pattern: &str) -> bool {
    let bare = pattern.strip_suffix('/').unwrap_or(pattern);
    pattern.is_empty()
        || path == pattern
        || path.strip_suffix('/') == Some(bare)
        || (pattern.ends_with('/') && path.starts_with(pattern))
}

/// The field's value as a URL. A target that was not encoded runs to the end of the query, its own `&` included: it is
/// taken whole where the field is the last of the known ones, as X's warning page has it (2025).
fn target(url: &Url, field: &str) -> Option<Url> {
    let raw = url.query()?.split('&').position(|pair| pair.split('=').next() == Some(field))?;
    let rest: Vec<&str> = url.query()?.split('&').skip(raw).collect();
    let (_, first) = rest.first()?.split_once('=')?;
    let unencoded = first.starts_with("http://") || first.starts_with("https://");
    if unencoded && first.contains('?') {
        let whole = rest.join("&");
        return web(whole.split_once('=')?.1);
    }
    web(&query::field(url, field)?)
}

/// A URL that can be asked. One without scheme is taken where it looks like a host.
fn web(text: &str) -> Option<Url> {
    let text = text.trim();
    let url = match text.strip_prefix("//") {
        Some(rest) => Url::parse(&format!("https://{rest}")),
        None => Url::parse(text),
    };
    url.ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
}

/// Wrappers that the grammar of permalinks knows: a statement's links are read through them too.
fn shared(url: &Url) -> Option<Url> {
    web(&permalink::unwrap(url.as_str())?)
}

/// Targets that stand in the path or are the whole query.
fn in_the_path(url: &Url, host: &str) -> Option<Url> {
    let after = |prefix: &str| url.as_str().split_once(prefix).map(|(_, rest)| rest);
    match host {
        "href.li" | "www.href.li" | "hrefli.com" => web(url.query()?),
        "www.google.com" | "google.com" => {
            // an AMP copy keeps the page's own query
            let rest = url.as_str().split_once("google.com/amp/")?.1;
            let (scheme, rest) = rest.strip_prefix("s/").map_or(("http", rest), |rest| ("https", rest));
            web(&format!("{scheme}://{rest}")).filter(|to| to.host_str().is_some_and(|h| h.contains('.')))
        }
        "unsafelink.com" | "www.unsafelink.com" => web(after("unsafelink.com/")?),
        "nullrefer.com" | "www.nullrefer.com" | "anonym.to" | "www.anonym.to" | "dereferer.me" => web(url.query()?),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leads(url: &str) -> Option<(Via, String)> {
        unwrap(&Url::parse(url).ok()?).map(|(via, to)| (via, to.to_string()))
    }

    #[test]
    fn each_wrapper() {
        let inner = "https://harbour.example/q4?a=1&b=2";
        let coded = query::encode(inner);
        for wrapped in [
            format!("https://www.google.com/url?sa=t&q={coded}&usg=x"),
            format!("https://google.de/url?url={coded}"),
            format!("https://l.facebook.com/l.php?u={coded}&h=AT0"),
            format!("https://lm.facebook.com/l.php?h=AT0&u={coded}"),
            format!("https://l.instagram.com/?u={coded}&e=x"),
            format!("https://www.youtube.com/redirect?event=x&q={coded}"),
            format!("https://out.reddit.com/t3_x?url={coded}&token=y"),
            format!("https://t.umblr.com/redirect?z={coded}&t=1"),
            format!("https://vk.com/away.php?to={coded}"),
            format!("https://t.me/iv?url={coded}&rhash=1"),
            format!("https://weibo.cn/sinaurl?u={coded}"),
            format!("https://duckduckgo.com/l/?uddg={coded}"),
            format!("https://href.li/?{inner}"),
            format!("https://unsafelink.com/{inner}"),
            "https://www.google.com/amp/s/harbour.example/q4?a=1&b=2".to_owned(),
            format!("https://eur01.safelinks.protection.outlook.com/?url={coded}&data=x"),
        ] {
            assert_eq!(leads(&wrapped), Some((Via::Unwrapped, inner.to_owned())), "{wrapped}");
        }
        for wrapped in [
            format!("https://twitter.com/safety/unsafe_link_warning?unsafe_link={coded}"),
            format!("https://x.com/safety/unsafe_link_warning?unsafe_link={inner}"),
            format!("https://consent.youtube.com/m?continue={coded}&gl=ES"),
            format!("https://steamcommunity.com/linkfilter/?u={coded}"),
        ] {
            assert_eq!(leads(&wrapped), Some((Via::Interstitial, inner.to_owned())), "{wrapped}");
        }
    }

    #[test]
    fn other_urls_are_left_alone() {
        for url in [
            "https://www.google.com/search?q=https://a.example/",
            "https://example.com/url?q=https://a.example/",
            "https://vk.com/away.php?to=javascript:alert(1)",
            "https://l.facebook.com/l.php",
            "https://harbour.example/?u=https://a.example/",
            "https://www.google.com/amp/story",
        ] {
            assert_eq!(leads(url), None, "{url}");
        }
    }
}
