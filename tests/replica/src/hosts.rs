//! Who answers for which host; one file a platform.

use crate::post::escape;
use crate::reply::{Answer, Reply};
use crate::request::Request;
use crate::world::World;

pub mod api;
pub mod archive_today;
pub mod article;
pub mod bluesky;
pub mod hostile;
pub mod load;
pub mod mastodon;
pub mod media;
pub mod reddit;
pub mod shortener;
pub mod tco;
pub mod telegram;
pub mod wayback;
pub mod x;
pub mod youtube;

/// The answer of the platform that this host belongs to, where it has one.
pub(crate) fn answer(world: &World, request: &Request) -> Option<Answer> {
    if request.path() == "/robots.txt" {
        return Some(robots(request).into());
    }
    match request.host.as_str() {
        "t.co" => Some(tco::answer(world, request)),
        "pic.twitter.com" | "pic.x.com" => Some(tco::pic(world, request).into()),
        "twitter.com" | "www.twitter.com" | "mobile.twitter.com" | "m.twitter.com" | "x.com" | "www.x.com"
        | "mobile.x.com" => Some(x::page(world, request).into()),
        "cdn.syndication.twimg.com" => Some(x::syndication(world, request).into()),
        "publish.twitter.com" | "publish.x.com" => Some(x::oembed(world, request).into()),
        "api.fxtwitter.com" | "fxtwitter.com" => Some(x::fxtwitter(world, request).into()),
        "pbs.twimg.com" | "video.twimg.com" => media::answer(world, request).map(Answer::from),
        "web.archive.org" | "archive.org" => Some(wayback::answer(world, request).into()),
        "archive.ph" | "archive.today" | "archive.is" | "archive.md" | "archive.li" | "archive.vn" | "archive.fo" => {
            Some(archive_today::answer(world, request).into())
        }
        "public.api.bsky.app"
        | "api.bsky.app"
        | "pds.replica.example"
        | "plc.directory"
        | "bsky.app"
        | "cdn.bsky.app"
        | "observer.replica.example" => bluesky::answer(world, request).map(Answer::from),
        "fedi.replica.example" | "mastodon.replica.example" => Some(mastodon::answer(world, request).into()),
        "t.me" | "telegram.me" => Some(telegram::answer(world, request).into()),
        "www.youtube.com" | "youtube.com" | "youtu.be" | "consent.youtube.com" => {
            youtube::answer(world, request).map(Answer::from)
        }
        "www.reddit.com" | "old.reddit.com" | "reddit.com" => Some(reddit::answer(world, request).into()),
        "load.example" => load::answer(request),
        "api.x.com" | "api.twitter.com" => Some(api::answer(world, request).into()),
        hostile::HOST => hostile::answer(world, request),
        host if bluesky::is_handle(world, host) => bluesky::answer(world, request).map(Answer::from),
        _ => None,
    }
}

/// Puts the static pages of every host into the world.
pub(crate) fn populate(world: &mut World) {
    shortener::populate(world);
    article::populate(world);
    hostile::populate(world);
    mastodon::populate(world);
}

/// A host's robots.txt; x.com's shuts out all but a few, as it does.
fn robots(request: &Request) -> Reply {
    let rules = match request.host.as_str() {
        "x.com" | "twitter.com" | "t.co" => "User-agent: *\nDisallow: /\n",
        "load.example" => "User-agent: *\nDisallow:\n",
        _ => "User-agent: *\nDisallow: /private/\nCrawl-delay: 1\n",
    };
    Reply::body(200, "text/plain; charset=utf-8", rules)
}

/// A page that says what is not there.
pub(crate) fn not_found(status: u16, request: &Request) -> Reply {
    let what = if status == 410 { "Gone" } else { "Not found" };
    let body = format!(
        "<!doctype html><html lang=\"en\"><head><title>{status} {what}</title></head><body><h1>{what}</h1>\
         <p>There is no page at {}.</p></body></html>\n",
        escape(request.path())
    );
    Reply::html(status, body).with("server", "nginx")
}
