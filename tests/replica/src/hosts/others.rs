//! YouTube, Reddit and archive.today: the little of them that answers without a login (PLATFORMS 5, 6.7).

use crate::calendar;
use crate::fixtures;
use crate::reply::Reply;
use crate::request::Request;
use crate::world::World;

/// YouTube's oEmbed by what became of the video, the page, and the consent wall.
pub(crate) fn youtube(request: &Request) -> Option<Reply> {
    match (request.host.as_str(), request.path()) {
        ("www.youtube.com" | "youtube.com", "/oembed") => Some(youtube_oembed(request)),
        ("consent.youtube.com", "/m") => {
            let body = "<!doctype html><title>Before you continue to YouTube</title><form action=\"/save\"></form>";
            Some(Reply::html(200, body))
        }
        ("youtu.be", path) => {
            let id = path.trim_matches('/');
            Some(
                Reply::to(303, &format!("https://www.youtube.com/watch?v={id}&feature=youtu.be")).with("server", "ESF"),
            )
        }
        (_, "/watch") => {
            let id = request.param("v").unwrap_or_default();
            let id: String = id.chars().filter(|c| c.is_ascii_alphanumeric() || "-_".contains(*c)).collect();
            let body = format!(
                "<!DOCTYPE html><html><head><title>A video - YouTube</title><link rel=\"alternate\" \
                 type=\"application/json+oembed\" href=\"https://www.youtube.com/oembed?format=json&amp;\
                 url=https%3A%2F%2Fwww.youtube.com%2Fwatch%3Fv%3D{id}\"></head><body></body></html>\n"
            );
            Some(Reply::html(200, body))
        }
        _ => None,
    }
}

/// The video ids that stand for an error: their first letters say which.
fn youtube_oembed(request: &Request) -> Reply {
    let url = request.param("url").unwrap_or_default();
    let id = url.rsplit(['=', '/']).next().unwrap_or_default();
    match id {
        "" => Reply::body(400, "text/html; charset=utf-8", "Bad Request"),
        _ if id.starts_with("noembed") => Reply::body(401, "text/html; charset=utf-8", "Unauthorized"),
        _ if id.starts_with("private") => Reply::body(403, "text/html; charset=utf-8", "Forbidden"),
        _ if id.starts_with("deleted") => Reply::body(404, "text/html; charset=utf-8", "Not Found"),
        _ => Reply::json(200, fixtures::bytes("youtube/oembed.json")),
    }
}

/// Reddit: `.json` is shut, old.reddit asks for a login, feeds and oEmbed answer.
pub(crate) fn reddit(request: &Request) -> Reply {
    let path = request.path();
    match request.host.as_str() {
        "old.reddit.com" => Reply::to(302, "https://www.reddit.com/login/?reason=lor2"),
        _ if path == "/oembed" => Reply::json(200, fixtures::bytes("reddit/oembed.json")),
        _ if path.ends_with(".json") => {
            Reply::html(403, "<!doctype html><title>Reddit</title><shreddit-app></shreddit-app>")
        }
        _ if path.ends_with(".rss") => {
            let feed = "<?xml version=\"1.0\" encoding=\"UTF-8\"?><feed xmlns=\"http://www.w3.org/2005/Atom\">\
                <title>A thread</title></feed>\n";
            Reply::body(200, "application/atom+xml; charset=UTF-8", feed)
        }
        _ if path.starts_with("/login") => Reply::html(200, "<!doctype html><title>Log in to Reddit</title>"),
        _ => Reply::html(200, "<!doctype html><title>Reddit - A thread</title><shreddit-app></shreddit-app>"),
    }
}

/// archive.today: a TimeMap, a capture, or a submission.
pub(crate) fn archive_today(world: &World, request: &Request) -> Reply {
    if request.path().starts_with("/submit") {
        return Reply::html(200, "").with("refresh", "0;url=https://archive.is/wip/Q4hB3");
    }
    if let Some(url) = request.target.strip_prefix("/timemap/") {
        return today_map(world, url);
    }
    let place = request.target.trim_start_matches('/');
    let (stamp, url) = place.split_once('/').unwrap_or((place, ""));
    match world.archive_today.iter().find(|(original, at)| original == url && at == stamp) {
        Some((original, _)) => Reply::html(
            200,
            format!(
                "<!DOCTYPE html><html><head><title>archived</title><link rel=\"bookmark\" href=\"{original}\">\
                     </head><body><div id=\"HEADER\">Saved from {original}</div></body></html>\n"
            ),
        ),
        None => Reply::html(404, "<!DOCTYPE html><title>archive.today</title><p>No results</p>"),
    }
}

fn today_map(world: &World, url: &str) -> Reply {
    let mut held: Vec<&str> =
        world.archive_today.iter().filter(|(original, _)| original == url).map(|(_, at)| at.as_str()).collect();
    held.sort_unstable();
    let (Some(first), Some(last)) = (held.first().copied(), held.last().copied()) else {
        return Reply::body(404, "text/plain", fixtures::bytes("wayback/archive-today.timemap.404"));
    };
    let when = |stamp: &str| calendar::from_fourteen(stamp).map(calendar::http).unwrap_or_default();
    let mut lines =
        vec![format!("<{url}>; rel=\"original\""), format!("<https://archive.is/timegate/{url}>; rel=\"timegate\"")];
    for stamp in &held {
        let rel = match (*stamp == first, *stamp == last) {
            (true, true) => "first last memento",
            (true, false) => "first memento",
            (false, true) => "last memento",
            (false, false) => "memento",
        };
        lines.push(format!("<https://archive.is/{stamp}/{url}>; rel=\"{rel}\"; datetime=\"{}\"", when(stamp)));
    }
    lines.push(format!(
        "<https://archive.is/timemap/{url}>; rel=\"self\"; type=\"application/link-format\"; from=\"{}\"; until=\"{}\"",
        when(first),
        when(last)
    ));
    Reply::body(200, "application/link-format", lines.join(",\n") + "\n")
}
