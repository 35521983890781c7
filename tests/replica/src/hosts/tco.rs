//! t.co and pic.twitter.com: one code space, answered by User-Agent (PLATFORMS 1.1, 1.2).

use std::sync::atomic::Ordering;

use crate::calendar;
use crate::pixels;
use crate::post::escape;
use crate::reply::{Answer, Reply};
use crate::request::{Client, Request};
use crate::world::World;

/// t.co's answer: 301 to plain clients, a page that refreshes to browsers, 404 to codes it does not know.
pub(crate) fn answer(world: &World, request: &Request) -> Answer {
    let code = request.path().trim_start_matches('/');
    if code.is_empty() {
        return Reply::html(200, "<!doctype html><title>t.co / Twitter</title>").with("server", "tsa_b").into();
    }
    match world.codes.get(code) {
        None => Reply::html(404, "").with("server", "tsa_b").into(),
        Some(target) if request.client() == Client::Browser => browser(target, &identity(world, code)).into(),
        Some(target) => plain(target, &identity(world, code)).into(),
    }
}

/// The ids of an answer: the same for the same code, unless the world varies them.
fn identity(world: &World, code: &str) -> u64 {
    let turn = if world.switches.vary { world.served.fetch_add(1, Ordering::Relaxed) + 1 } else { 0 };
    pixels::mix(pixels::hash(code) ^ turn)
}

/// The header set captured 2023-09-29.
fn plain(target: &str, id: &u64) -> Reply {
    let cookie = uuid(*id);
    let life = format!("Max-Age=63072000; Expires={}", calendar::LATER_HTTP);
    Reply::new(301)
        .with("perf", "7402827104")
        .with("vary", "Origin")
        .with("server", "tsa_b")
        .with("expires", calendar::SOON_HTTP)
        .with("location", target)
        .with("set-cookie", format!("muc={cookie}; {life}; Domain=t.co; Secure; SameSite=None"))
        .with("set-cookie", format!("muc_ads={cookie}; {life}; Path=/; Domain=t.co; Secure; SameSite=None"))
        .with("cache-control", "private,max-age=300")
        .with("x-transaction-id", format!("{id:016x}"))
        .with("strict-transport-security", "max-age=0")
        .with("x-response-time", (id % 20 + 4).to_string())
        .with("x-connection-hash", format!("{:08x}", id >> 32))
        .chunked(1)
}

/// The page captured 2021-04.
fn browser(target: &str, id: &u64) -> Reply {
    let (shown, script) = (escape(target), target.replace('/', "\\/"));
    let body = format!(
        "<head><noscript><META http-equiv=\"refresh\" content=\"0;URL={shown}\"></noscript>\
         <title>{shown}</title></head><script>window.opener = null; location.replace(\"{script}\")</script>"
    );
    let life = format!("Max-Age=63072000; Expires={}", calendar::LATER_HTTP);
    Reply::html(200, body)
        .with("cache-control", "private,max-age=300")
        .with("set-cookie", format!("muc={}; {life}; Domain=t.co", uuid(*id)))
        .with("strict-transport-security", "max-age=0")
        .with("vary", "Origin")
        .with("x-xss-protection", "0")
}

fn uuid(id: u64) -> String {
    let other = pixels::mix(id);
    format!(
        "{:08x}-{:04x}-4{:03x}-8{:03x}-{:012x}",
        id >> 32,
        id >> 16 & 0xffff,
        id & 0xfff,
        other >> 52,
        other & 0xffff_ffff_ffff
    )
}

/// pic.x.com leads to pic.twitter.com, that to t.co's code of the same spelling (or, by switch, to the post at once).
pub(crate) fn pic(world: &World, request: &Request) -> Reply {
    let code = request.path().trim_start_matches('/');
    match world.codes.get(code) {
        None => Reply::html(404, "").with("server", "tsa_b"),
        Some(_) if request.host == "pic.x.com" => Reply::to(301, &format!("https://pic.twitter.com/{code}")),
        Some(target) if world.switches.pic_direct => Reply::to(301, target).with("server", "tsa_b"),
        Some(_) => Reply::to(301, &format!("https://t.co/{code}")).with("server", "tsa_b"),
    }
}
