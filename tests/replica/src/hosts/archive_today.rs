//! archive.today: TimeMaps, captures, submissions (PLATFORMS 6.7).

use crate::calendar;
use crate::fixtures;
use crate::reply::Reply;
use crate::request::Request;
use crate::world::World;

/// archive.today: a TimeMap, a capture, or a submission.
pub(crate) fn answer(world: &World, request: &Request) -> Reply {
    if request.path().starts_with("/submit") {
        return Reply::html(200, "").with("refresh", "0;url=https://archive.is/wip/Q4hB3");
    }
    if let Some(url) = request.target.strip_prefix("/timemap/") {
        return today_map(world, url);
    }
    for (door, last) in [("/newest/", true), ("/oldest/", false)] {
        let Some(url) = request.target.strip_prefix(door) else { continue };
        let stamps = world.archive_today.iter().filter(|(original, _)| original == url).map(|(_, at)| at);
        return match if last { stamps.max() } else { stamps.min() } {
            Some(stamp) => Reply::to(302, &format!("https://archive.is/{stamp}/{url}")),
            None => Reply::html(404, "<!DOCTYPE html><title>archive.today</title><p>No results</p>"),
        };
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
