//! pbs.twimg.com and video.twimg.com: real small files for every name that a post in the world has.

use crate::fixtures;
use crate::pixels;
use crate::reply::Reply;
use crate::request::Request;
use crate::world::World;

/// A picture, a film or a playlist; nothing for a name nobody posted.
pub(crate) fn answer(world: &World, request: &Request) -> Option<Reply> {
    let path = request.path().trim_start_matches('/');
    if !known(world, path) {
        return Some(Reply::body(404, "text/plain", "").with("server", "ECAcc (dcd/7D5A)"));
    }
    let name = path.rsplit('/').next().unwrap_or_default();
    let (kind, body) = match path.rsplit('.').next() {
        Some("mp4") => ("video/mp4", pixels::mp4(name, film_length(path))),
        Some("m3u8") => ("application/x-mpegURL", playlist(path).into_bytes()),
        _ => picture(request, name),
    };
    let reply = Reply::body(200, kind, body)
        .with("cache-control", "max-age=604800, must-revalidate")
        .with("last-modified", "Mon, 10 Jun 2019 04:51:49 GMT")
        .with("x-content-type-options", "nosniff")
        .with("server", "ECAcc (dcd/7D5A)");
    Some(reply)
}

/// Whether some post has this file.
fn known(world: &World, path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default();
    let stem = name.split(['.', ':']).next().unwrap_or_default();
    if stem.is_empty() {
        return false;
    }
    let composed = || {
        world.posts.values().any(|post| {
            let of_video = post.made.video.is_some() && path.contains(&crate::post::result::video_id(post).to_string());
            let of_author = crate::post::result::avatar(post).rsplit('/').next().is_some_and(|a| stem.starts_with(a));
            post.media.iter().any(|media| media == stem) || of_video || of_author
        })
    };
    let fixture = || fixtures::under("x/").any(|(_, bytes)| std::str::from_utf8(bytes).is_ok_and(|t| t.contains(stem)));
    let avatar = stem.trim_end_matches("_normal").trim_end_matches("_bigger").trim_end_matches("_400x400");
    let of_fixture =
        || fixtures::under("x/").any(|(_, bytes)| std::str::from_utf8(bytes).is_ok_and(|t| t.contains(avatar)));
    composed() || fixture() || of_fixture()
}

/// `?format=jpg&name=large`, `:orig`, `_normal.jpg`: the size asked for, as a real picture of that size.
fn picture(request: &Request, name: &str) -> (&'static str, Vec<u8>) {
    let size = request.param("name").or_else(|| name.split_once(':').map(|(_, size)| size.to_owned()));
    let avatar = name.contains("_normal") || name.contains("_bigger") || name.contains("_400x400");
    let (width, height) = match size.as_deref() {
        _ if avatar => (48, 48),
        Some("small") => (680, 510),
        Some("thumb") => (150, 150),
        _ => (1200, 900),
    };
    let png = request.param("format").as_deref() == Some("png") || name.ends_with(".png");
    let stem = name.split(['.', ':']).next().unwrap_or_default();
    if png {
        return ("image/png", pixels::png(stem, u32::from(width) / 4, u32::from(height) / 4));
    }
    ("image/jpeg", pixels::jpeg(stem, width, height))
}

/// Better quality has more bytes.
fn film_length(path: &str) -> usize {
    match () {
        () if path.contains("1280x720") => 96_000,
        () if path.contains("640x360") => 48_000,
        () => 16_000,
    }
}

fn playlist(path: &str) -> String {
    let stem = path.split("/pl/").next().unwrap_or_default();
    format!(
        "#EXTM3U\n#EXT-X-VERSION:6\n#EXT-X-STREAM-INF:BANDWIDTH=2176000,RESOLUTION=1280x720\n\
         /{stem}/pl/avc1/1280x720/oN6hTz4KpXs7aWc9.m3u8\n"
    )
}
