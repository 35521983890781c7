//! X: pages that show nothing, and the two keyless doors to one post (PLATFORMS 1.3, 1.4, 2).

use crate::calendar;
use crate::fixtures;
use crate::post::oembed::{self, Shape};
use crate::post::{Post, State, escape, quote, result};
use crate::reply::Reply;
use crate::request::{Client, Request};
use crate::world::{World, XPages};

/// A status page since 2020, which is nothing without its script.
pub const SHELL: &str = "<!DOCTYPE html><html dir=\"ltr\" lang=\"en\"><head><meta charset=\"utf-8\"/><title>X</title>\
    </head><body><noscript><p>JavaScript is not available.</p></noscript><div id=\"react-root\"></div></body></html>\n";

/// First path segments that are no handles.
const RESERVED: [&str; 12] =
    ["i", "home", "explore", "search", "hashtag", "intent", "share", "messages", "settings", "privacy", "tos", "login"];

/// twitter.com, x.com and their mobile hosts.
pub(crate) fn page(world: &World, request: &Request) -> Reply {
    let parts: Vec<&str> = request.path().trim_matches('/').split('/').collect();
    match (request.host.as_str(), parts.as_slice()) {
        ("mobile.twitter.com" | "m.twitter.com" | "www.twitter.com", _) => {
            Reply::to(302, &format!("https://twitter.com{}", request.target))
        }
        ("www.x.com" | "mobile.x.com", _) => Reply::to(302, &format!("https://x.com{}", request.target)),
        ("twitter.com", ["x", "migrate"]) => migrate(request),
        ("twitter.com", ["statuses", _]) => Reply::html(404, ""),
        ("twitter.com", ["safety", "unsafe_link_warning"]) => unsafe_link(request),
        ("twitter.com", parts) => to_x(&true_author(world, parts).unwrap_or_else(|| request.target.clone())),
        ("x.com", ["safety", "unsafe_link_warning"]) => unsafe_link(request),
        (_, ["i", "flow", "login"]) => Reply::html(200, SHELL),
        _ => x_page(world, request),
    }
}

/// The permalink under its true author, where the switch of before 2019-09 is on and another handle was asked for.
fn true_author(world: &World, parts: &[&str]) -> Option<String> {
    let (handle, id) = match parts {
        [handle, "status" | "statuses", id, ..] => (*handle, *id),
        _ => return None,
    };
    let post = world.posts.get(&id.parse().ok()?)?;
    let other = !post.made.handle.eq_ignore_ascii_case(handle) && !RESERVED.contains(&handle);
    (world.switches.true_author && other).then(|| format!("/{}/status/{id}", post.made.handle))
}

/// The redirect captured 2024-06-10.
fn to_x(target: &str) -> Reply {
    let location = format!("https://x.com{target}");
    let body = format!("Found. Redirecting to {location}");
    let mut reply = Reply::new(302)
        .with("perf", "7402827104")
        .with("vary", "Accept")
        .with("expiry", "Tue, 31 Mar 1981 05:00:00 GMT")
        .with("pragma", "no-cache")
        .with("server", "tsa_f")
        .with("location", &location)
        .with("set-cookie", CLEARED)
        .with("content-type", "text/plain; charset=utf-8")
        .with("x-powered-by", "Express")
        .with("cache-control", "no-cache, no-store, must-revalidate, pre-check=0, post-check=0")
        .with("x-frame-options", "DENY")
        .with("x-xss-protection", "0")
        .with("x-content-type-options", "nosniff")
        .with("strict-transport-security", "max-age=631138519");
    reply.body = body.into_bytes();
    reply
}

const CLEARED: &str = "ct0=; Max-Age=-1718035168; Expires=Thu, 01 Jan 1970 00:00:01 GMT; Path=/; \
    Domain=.twitter.com; Secure; SameSite=Lax";

fn x_page(world: &World, request: &Request) -> Reply {
    let migrated = request.header("cookie").is_some() || request.param("mx").is_some();
    match world.switches.x_pages {
        XPages::Blocked => Reply::html(403, "")
            .with("server", "cloudflare envoy")
            .with("x-powered-by", "Express")
            .with("cache-control", "no-cache, no-store, max-age=0")
            .with("origin-cf-ray", "a3fade207d5aacc6-IAD")
            .with("cf-cache-status", "DYNAMIC"),
        XPages::Migrate if !migrated => migrate_page(request.path()),
        _ => Reply::html(200, shell()).with("server", "cloudflare envoy").with("x-powered-by", "Express"),
    }
}

/// The shell with the bulk that its inlined state has.
fn shell() -> String {
    let state = data_encoding::HEXLOWER.encode(&crate::pixels::noise("initial state", 6000));
    let script = format!("<script nonce=\"TkVWRVJVU0VE\">window.__INITIAL_STATE__=\"{state}\";</script></body>");
    SHELL.replace("</body>", &script)
}

fn migrate_page(path: &str) -> Reply {
    let token = data_encoding::HEXLOWER.encode(format!("{{\"e\":\"{path}\",\"t\":1718035169}}").as_bytes());
    let to = format!("https://twitter.com/x/migrate?tok={token}00112233445566778899aabbccddeeff");
    let body = format!(
        "\n<!DOCTYPE html>\n<head>\n  <title>x.com</title>\n  <meta http-equiv=\"refresh\" content=\"0; url = {to}\" \
         />\n  <meta charset=\"utf-8\">\n  <script type=\"text/javascript\" charset=\"utf-8\" \
         nonce=\"TkVWRVJVU0VE\">document.location = \"{to}\"</script>\n</head>\n\
         <body style=\"background: #000\">\n</body>\n</html>\n"
    );
    Reply::html(200, body).with("cache-control", "no-store, max-age=0").with("x-powered-by", "Express")
}

/// The other half of the trap: a form that posts itself back to x.com.
fn migrate(request: &Request) -> Reply {
    let token = request.param("tok").unwrap_or_default();
    let known = token.get(..token.len().saturating_sub(32)).unwrap_or_default();
    let known = data_encoding::HEXLOWER.decode(known.as_bytes()).unwrap_or_default();
    let path = serde_json::from_slice::<serde_json::Value>(&known).ok();
    let path = path.as_ref().and_then(|v| v.get("e")).and_then(|v| v.as_str()).unwrap_or("/");
    let back = format!("https://x.com{path}?mx=2");
    let body = format!(
        "<!DOCTYPE html><title>x.com</title><form name=\"f\" action=\"https://x.com/x/migrate?mx=2\" method=\"post\">\
         <input type=\"hidden\" name=\"tok\" value=\"{}\"></form><script>document.location = \"{}\"</script>",
        escape(&token),
        escape(&back)
    );
    Reply::html(200, body)
}

fn unsafe_link(request: &Request) -> Reply {
    let target = escape(&request.param("unsafe_link").unwrap_or_default());
    let body = format!(
        "<!doctype html><title>Warning: this link may be unsafe</title><h1>Warning: this link may be unsafe</h1>\
         <p>{target}</p><p>The site you were trying to visit may be unsafe! This link has been flagged as \
         potentially spammy or unsafe.</p>"
    );
    Reply::html(200, body)
}

/// `tweet-result?id=`: live, tombstone, `{}`, 404 or 400.
pub(crate) fn syndication(world: &World, request: &Request) -> Reply {
    let id = request.param("id").unwrap_or_default();
    let token = request.param("token").unwrap_or_default();
    let number = id.parse::<u64>().ok();
    if request.path() != "/tweet-result" || token.is_empty() || number.is_none() {
        return Reply::json(400, fixtures::bytes("x/tweet-result/error.400.json"));
    }
    if world.is_gone(&format!("x:{id}")) {
        return Reply::json(200, fixtures::bytes("x/tweet-result/tombstone.deleted.json"));
    }
    match number.and_then(|number| world.posts.get(&number)) {
        Some(post) => state(world, post),
        None => match fixture(&id) {
            Some(bytes) => Reply::json(200, bytes),
            None => Reply::body(404, "text/html", ""),
        },
    }
}

/// The fixture that shows this post.
fn fixture(id: &str) -> Option<&'static [u8]> {
    let mark = format!("\"id_str\":\"{id}\",\"text\"");
    let whole = |bytes: &[u8]| {
        let text = std::str::from_utf8(bytes).unwrap_or_default();
        // Its own id stands before any quoted or parent post's.
        let own = text.find("\"quoted_tweet\"").or_else(|| text.find("\"parent\"")).unwrap_or(text.len());
        text.get(..own).is_some_and(|head| head.contains(&mark))
    };
    fixtures::under("x/tweet-result/").find(|(_, bytes)| whole(bytes)).map(|(_, bytes)| bytes)
}

fn state(world: &World, post: &Post) -> Reply {
    let tombstone = |name: &str| Reply::json(200, fixtures::bytes(&format!("x/tweet-result/tombstone.{name}.json")));
    match post.made.state {
        State::Live => Reply::json(200, result::tweet_result(world, post)),
        State::Deleted => tombstone("deleted"),
        State::Suspended => tombstone("suspended"),
        State::Protected => tombstone("protected"),
        State::AgeRestricted => tombstone("age-restricted"),
        State::Withheld => tombstone("empty"),
        State::WithheldBare => tombstone("bare"),
        State::Empty => Reply::json(200, "{}"),
        State::Never => Reply::body(404, "text/html", ""),
    }
}

/// `oembed?url=`; which of the two hosts answers and which redirects is a switch.
pub(crate) fn oembed(world: &World, request: &Request) -> Reply {
    let redirecting = if world.switches.oembed_2024 { "publish.x.com" } else { "publish.twitter.com" };
    if request.host == redirecting {
        let (status, other) =
            if world.switches.oembed_2024 { (302, "publish.twitter.com") } else { (301, "publish.x.com") };
        return Reply::to(status, &format!("https://{other}{}", request.target));
    }
    let Some(url) = request.param("url") else {
        return Reply::json(400, fixtures::bytes("x/oembed/error.400.no-url.json"));
    };
    let Some(id) = id_of(&url) else { return Reply::body(404, "text/html", "") };
    let shape = if world.switches.oembed_2024 { Shape::Twitter } else { Shape::X };
    let script = !matches!(request.param("omit_script").as_deref(), Some("1" | "true" | "t"));
    if world.is_gone(&format!("x:{id}")) {
        return Reply::body(404, "text/html", "");
    }
    match world.posts.get(&id) {
        Some(post)
            if matches!(
                post.made.state,
                State::Live | State::Withheld | State::WithheldBare | State::AgeRestricted
            ) =>
        {
            embedded(oembed::json(post, shape, script).into_bytes())
        }
        Some(post) if post.made.state == State::Protected => {
            Reply::json(403, fixtures::bytes("x/oembed/error.403.protected.json"))
        }
        Some(_) => Reply::body(404, "text/html", ""),
        None => match oembed_fixture(id, shape, request.param("lang").as_deref()) {
            Some(text) if script => embedded(text.as_bytes().to_vec()),
            Some(text) => embedded(without_script(text).into_bytes()),
            None => Reply::body(404, "text/html", ""),
        },
    }
}

fn embedded(body: Vec<u8>) -> Reply {
    Reply::json(200, body)
        .with("cache-control", "must-revalidate, max-age=3153600000")
        .with("content-disposition", "attachment; filename=json.json")
        .with("x-content-type-options", "nosniff")
        .with("x-frame-options", "SAMEORIGIN")
        .with("x-xss-protection", "0")
        .with("strict-transport-security", "max-age=631138519")
}

/// A post of the fixtures; in another language where one asks for it and it is there.
fn oembed_fixture(id: u64, shape: Shape, lang: Option<&str>) -> Option<&'static str> {
    let folder = if shape == Shape::X { "x/oembed/new-shape." } else { "x/oembed/old-shape." };
    let localised = format!("x/oembed/localised.{}.", lang.unwrap_or("en"));
    let (old, new) = (format!("\\/status\\/{id}\""), format!("/status/{id}\""));
    let of = |(_, bytes): &(&str, &'static [u8])| {
        std::str::from_utf8(bytes).ok().filter(|text| text.contains(&old) || text.contains(&new))
    };
    let mut files = fixtures::under(&localised).chain(fixtures::under(folder)).chain(fixtures::under("x/oembed/"));
    files.find_map(|file| of(&file))
}

/// `omit_script=1`.
fn without_script(json: &str) -> String {
    let cut = json.find("\\n<script").or_else(|| json.find("\\n\\u003Cscript"));
    let end = json.find("\",\"width\"");
    match (cut, end) {
        (Some(cut), Some(end)) if cut < end => {
            format!("{}\\n{}", json.get(..cut).unwrap_or_default(), json.get(end..).unwrap_or_default())
        }
        _ => json.to_owned(),
    }
}

/// The post that a permalink on twitter.com or x.com names.
fn id_of(url: &str) -> Option<u64> {
    let (_, rest) = url.split_once("://")?;
    let (host, path) = rest.split_once('/')?;
    if !matches!(host, "twitter.com" | "x.com" | "www.twitter.com" | "www.x.com" | "mobile.twitter.com") {
        return None;
    }
    let mut parts = path.split(['/', '?', '#']);
    parts.find(|part| matches!(*part, "status" | "statuses"))?;
    parts.next()?.parse().ok()
}

/// api.fxtwitter.com's JSON, and the page fxtwitter.com shows to bots.
pub(crate) fn fxtwitter(world: &World, request: &Request) -> Reply {
    let id = request.path().split('/').skip_while(|part| *part != "status").nth(1).unwrap_or_default();
    let post = id.parse().ok().and_then(|id: u64| world.posts.get(&id));
    let live = post.filter(|post| post.made.state == State::Live && !world.is_gone(&format!("x:{id}")));
    if request.host == "api.fxtwitter.com" {
        let fixture = fixtures::text("x/fxtwitter/status.photos.json");
        return match live {
            Some(post) => Reply::json(200, fxtwitter_json(post)),
            None if fixture.contains(&format!("\"id\":\"{id}\",\"text\"")) => Reply::json(200, fixture),
            None => Reply::json(404, fixtures::bytes("x/fxtwitter/status.404.json")),
        };
    }
    if request.client() != Client::Bot {
        return Reply::to(302, &format!("https://x.com{}", request.target));
    }
    let (title, text) = match live {
        Some(post) => (format!("{} (@{})", post.made.name, post.made.handle), post.made.text.clone()),
        None => ("FxTwitter".to_owned(), "This post is unavailable :(".to_owned()),
    };
    let body = format!(
        "<!DOCTYPE html><html lang=\"en\"><head><link rel=\"canonical\" href=\"https://x.com{}\"/>\
         <meta property=\"og:title\" content=\"{}\"/><meta property=\"og:description\" content=\"{}\"/></head></html>",
        escape(request.path()),
        escape(&title),
        escape(&text)
    );
    Reply::html(200, body)
}

fn fxtwitter_json(post: &Post) -> String {
    let made = &post.made;
    let text = made.note.as_ref().unwrap_or(&made.text);
    let mut shown = text.clone();
    for (code, target) in &made.links {
        shown = shown.replace(&format!("https://t.co/{code}"), target);
    }
    if let Some((code, _)) = post.media_link() {
        shown = shown.replace(&format!(" https://t.co/{code}"), "");
    }
    let photos = post.media.iter().filter(|_| made.photos.is_some()).map(|name| {
        format!(
            "{{\"type\":\"photo\",\"url\":\"https://pbs.twimg.com/media/{name}.jpg?name=orig\",\
             \"width\":1200,\"height\":900}}"
        )
    });
    let photos: Vec<String> = photos.collect();
    format!(
        "{{\"code\":200,\"message\":\"OK\",\"tweet\":{{\"url\":\"https://x.com/{handle}/status/{id}\",\
         \"id\":\"{id}\",\"text\":{},\"raw_text\":{{\"text\":{},\"facets\":[]}},\"author\":{{\"id\":\"{}\",\
         \"name\":{},\"screen_name\":{}}},\"created_at\":\"{}\",\"created_timestamp\":{},\
         \"possibly_sensitive\":false,\"is_note_tweet\":{},\"lang\":{},\"media\":{{\"photos\":[{}]}},\
         \"provider\":\"twitter\"}}}}",
        quote(&shown),
        quote(text),
        post.user_id,
        quote(&made.name),
        quote(&made.handle),
        calendar::v1(post.at),
        post.at.as_second(),
        made.note.is_some(),
        quote(&made.lang),
        photos.join(","),
        handle = made.handle,
        id = post.id,
    )
}
