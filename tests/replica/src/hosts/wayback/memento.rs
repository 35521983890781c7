//! Mementos, TimeGate, TimeMap and the availability door (PLATFORMS 6.2; RFC 7089).

use std::sync::Arc;

use jiff::Timestamp;

use crate::calendar;
use crate::hosts::wayback::{Capture, held, own, page, surt};
use crate::post::quote;
use crate::reply::Reply;
use crate::request::Request;
use crate::world::World;

/// `/web/…`: a TimeMap, a TimeGate, or a memento.
pub(crate) fn answer(world: &World, request: &Request, rest: &str) -> Reply {
    if let Some(url) = rest.strip_prefix("timemap/link/") {
        return timemap(world, url);
    }
    if rest.contains("://excluded.example") {
        return page("Wayback Machine", "This URL has been excluded from the Wayback Machine.");
    }
    let (first, url) = rest.split_once('/').unwrap_or((rest, ""));
    let digits: String = first.chars().take_while(char::is_ascii_digit).collect();
    let flag = first.get(digits.len()..).unwrap_or_default();
    let Some(asked) = calendar::from_fourteen(&digits).filter(|_| flag.is_empty() || flag.ends_with('_')) else {
        return gate(world, request, rest);
    };
    let rows = of(world, url);
    let Some(near) = nearest(&rows, asked) else {
        let page = page("Wayback Machine", "The Wayback Machine has not archived that URL.");
        return Reply { status: 404, ..page };
    };
    if near.stamp != digits {
        let to = format!("https://web.archive.org/web/{}{flag}/{}", near.stamp, near.original);
        let found = format!("found capture at {}", near.stamp);
        let reply = Reply::to(302, &to).with("content-type", "text/plain; charset=utf-8");
        return own(reply.with("x-archive-redirect-reason", found).with("x-ts", "302"));
    }
    memento(&rows, near, flag)
}

/// Every capture under the key of a URL, oldest first.
fn of(world: &World, url: &str) -> Vec<Arc<Capture>> {
    let key = surt(&whole(url));
    held(world).into_iter().filter(|row| row.key == key).collect()
}

/// `https:/x` as some clients fold it, and no scheme at all.
fn whole(url: &str) -> String {
    match url.split_once(":/") {
        Some((scheme, rest)) => format!("{scheme}://{}", rest.trim_start_matches('/')),
        None => format!("http://{url}"),
    }
}

fn nearest(rows: &[Arc<Capture>], asked: Timestamp) -> Option<&Arc<Capture>> {
    let far = |row: &&Arc<Capture>| {
        let at = calendar::from_fourteen(&row.stamp).unwrap_or(Timestamp::UNIX_EPOCH);
        (at.as_second() - asked.as_second()).abs()
    };
    rows.iter().min_by_key(far)
}

fn memento(rows: &[Arc<Capture>], row: &Capture, flag: &str) -> Reply {
    let at = calendar::from_fourteen(&row.stamp).unwrap_or(Timestamp::UNIX_EPOCH);
    // A repeat gives back what it repeats.
    let repeated = |other: &&Arc<Capture>| other.digest == row.digest && other.status.is_some();
    let whole = rows.iter().find(repeated).filter(|_| row.status.is_none());
    let shown = whole.map_or(row, |other| other);
    let status = shown.status.unwrap_or(200);
    let mut reply = Reply::body(status, &charset(&shown.mime), shown.payload.clone())
        .with("memento-datetime", calendar::http(at))
        .with("link", links(rows, row))
        .with("x-archive-orig-content-type", charset(&shown.mime).replace("; ", ";"))
        .with("x-archive-orig-date", calendar::http(at))
        .with("x-archive-orig-server", "tsa_a")
        .with("x-archive-orig-content-length", shown.payload.len().to_string())
        .with("x-archive-src", source(&row.stamp))
        .with("x-ts", status.to_string());
    if let Some(location) = &shown.location {
        reply = reply
            .with("location", format!("https://web.archive.org/web/{}{flag}/{location}", row.stamp))
            .with("x-archive-orig-location", location);
    }
    if flag.is_empty() && shown.mime == "text/html" {
        // What replay does to a page: links and a banner are put in, so that only `id_` is the original.
        reply.body = [b"<!-- BEGIN WAYBACK TOOLBAR INSERT -->\n", reply.body.as_slice()].concat();
    }
    own(reply)
}

fn charset(mime: &str) -> String {
    match mime {
        "text/html" | "application/json" => format!("{mime}; charset=utf-8"),
        _ => mime.to_owned(),
    }
}

/// The WARC file a capture came from.
fn source(stamp: &str) -> String {
    format!("liveweb-{stamp}/live-{stamp}-wwwb-app30.us.archive.org.warc.gz")
}

fn links(rows: &[Arc<Capture>], row: &Capture) -> String {
    let url = &row.original;
    let mut parts = vec![
        format!("<{url}>; rel=\"original\""),
        format!("<https://web.archive.org/web/timemap/link/{url}>; rel=\"timemap\"; type=\"application/link-format\""),
        format!("<https://web.archive.org/web/{url}>; rel=\"timegate\""),
    ];
    for (n, other) in rows.iter().enumerate() {
        let rel = match (n, n + 1 == rows.len(), other.stamp == row.stamp) {
            (0, ..) => "first memento",
            (_, true, _) => "last memento",
            (_, _, true) => "memento",
            _ => continue,
        };
        parts.push(one(other, rel));
    }
    parts.join(", ")
}

fn one(row: &Capture, rel: &str) -> String {
    let at = calendar::from_fourteen(&row.stamp).unwrap_or(Timestamp::UNIX_EPOCH);
    let (stamp, url) = (&row.stamp, &row.original);
    format!("<https://web.archive.org/web/{stamp}/{url}>; rel=\"{rel}\"; datetime=\"{}\"", calendar::http(at))
}

/// `/web/URL`: to the capture nearest to Accept-Datetime, else the latest.
fn gate(world: &World, request: &Request, url: &str) -> Reply {
    let rows = of(world, url);
    let asked = request.header("accept-datetime").and_then(|text| jiff::fmt::rfc2822::parse(text).ok());
    let near = match asked {
        Some(zoned) => nearest(&rows, zoned.timestamp()),
        None => rows.last(),
    };
    let Some(near) = near else {
        let page = page("Wayback Machine", "The Wayback Machine has not archived that URL.");
        return Reply { status: 404, ..page };
    };
    let link = format!(
        "<{url}>; rel=\"original\", <https://web.archive.org/web/timemap/link/{url}>; rel=\"timemap\"; \
         type=\"application/link-format\"",
        url = near.original
    );
    let to = format!("https://web.archive.org/web/{}/{}", near.stamp, near.original);
    own(Reply::to(302, &to).with("vary", "accept-datetime").with("link", link))
}

fn timemap(world: &World, url: &str) -> Reply {
    let rows = of(world, url);
    let Some(first) = rows.first() else {
        return own(Reply::body(404, "text/plain", ""));
    };
    let from = calendar::from_fourteen(&first.stamp).map(calendar::http).unwrap_or_default();
    let mut lines = vec![
        format!("<{}>; rel=\"original\"", first.original),
        format!(
            "<https://web.archive.org/web/timemap/link/{}>; rel=\"self\"; type=\"application/link-format\"; \
             from=\"{from}\"",
            first.original
        ),
        "<https://web.archive.org>; rel=\"timegate\"".to_owned(),
    ];
    for (n, row) in rows.iter().enumerate() {
        let rel = match (n, n + 1 == rows.len()) {
            (0, _) => "first memento",
            (_, true) => "last memento",
            _ => "memento",
        };
        lines.push(one(row, rel));
    }
    own(Reply::body(200, "application/link-format", lines.join(",\n") + "\n"))
}

/// `/wayback/available?url=&timestamp=`.
pub(crate) fn available(world: &World, request: &Request) -> Reply {
    let url = request.param("url").unwrap_or_default();
    let stamp = request.param("timestamp").unwrap_or_default();
    let rows: Vec<_> = of(world, &url).into_iter().filter(|row| row.status == Some(200)).collect();
    let near = match calendar::from_fourteen(&stamp) {
        Some(asked) => nearest(&rows, asked),
        None => rows.last(),
    };
    let closest = near.map_or_else(String::new, |row| {
        let place = format!("http://web.archive.org/web/{}/{}", row.stamp, row.original);
        format!(
            "\"closest\": {{\"status\": \"200\", \"available\": true, \"url\": {}, \"timestamp\": \"{}\"}}",
            quote(&place),
            row.stamp
        )
    });
    let asked = if stamp.is_empty() { String::new() } else { format!(", \"timestamp\": {}", quote(&stamp)) };
    let body = format!("{{\"url\": {}, \"archived_snapshots\": {{{closest}}}{asked}}}", quote(&url));
    own(Reply::json(200, body))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Options, fixtures};

    const STATUS: &str = "https://twitter.com/odelie_m/status/1137945522884755456";

    fn ask(place: &str) -> Reply {
        let url = format!("https://web.archive.org{place}");
        super::super::answer(&World::new(&Options::default()), &Request::get(&url, "curl/8"))
    }

    fn field(reply: &Reply, name: &str) -> Option<String> {
        let found = reply.headers.iter().find(|(n, _)| n == name);
        found.map(|(_, value)| String::from_utf8_lossy(value).into_owned())
    }

    #[test]
    fn an_exact_memento_is_the_original_bytes() {
        let reply = ask(&format!("/web/20190610051103id_/{STATUS}"));
        assert_eq!(reply.body, fixtures::bytes("wayback/payloads/D2S3HPZ5PCBSDP42AT5VB7E65ZQ3SSIS"));
        assert_eq!(field(&reply, "memento-datetime").as_deref(), Some("Mon, 10 Jun 2019 05:11:03 GMT"));
    }

    #[test]
    fn an_inexact_time_is_a_hop_of_the_archive() {
        let reply = ask(&format!("/web/20190610000000id_/{STATUS}"));
        let to = format!("https://web.archive.org/web/20190610050001id_/{STATUS}");
        assert_eq!((reply.status, field(&reply, "location")), (302, Some(to)));
        assert_eq!(field(&reply, "memento-datetime"), None);
    }

    #[test]
    fn an_archived_redirect_has_its_time_and_place() {
        let reply = ask("/web/20190610053000id_/https://pic.twitter.com/CdsTMkBRtm");
        let to = format!("https://web.archive.org/web/20190610053000id_/{STATUS}/photo/1");
        assert_eq!((reply.status, field(&reply, "location")), (301, Some(to)));
        assert!(field(&reply, "memento-datetime").is_some());
    }

    #[test]
    fn the_timemap_and_the_door_answer_as_the_fixtures_do() {
        let map = ask(&format!("/web/timemap/link/{STATUS}"));
        assert_eq!(String::from_utf8_lossy(&map.body), fixtures::text("wayback/timemap.link"));
        let door = ask(&format!("/wayback/available?url={STATUS}&timestamp=20190610"));
        let hit: serde_json::Value = serde_json::from_slice(&door.body).unwrap();
        assert_eq!(hit["archived_snapshots"]["closest"]["available"], true);
        assert_eq!(ask("/web/20190610000000id_/https://never.example/").status, 404);
    }

    #[test]
    fn a_timegate_negotiates() {
        let mut request = Request::get(&format!("https://web.archive.org/web/{STATUS}"), "curl/8");
        request.headers.push(("Accept-Datetime".into(), "Mon, 10 Jun 2019 05:11:00 GMT".into()));
        let reply = super::super::answer(&World::new(&Options::default()), &request);
        assert_eq!(field(&reply, "location"), Some(format!("https://web.archive.org/web/20190610051103/{STATUS}")));
    }
}
