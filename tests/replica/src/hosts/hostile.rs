//! hostile.replica.test: what servers do wrong, by accident or on purpose; `/` lists all of it.

use std::sync::PoisonError;
use std::time::Duration;

use crate::calendar;
use crate::pixels;
use crate::reply::{Answer, Framing, Piece, RawResponse, Reply, Then, gzip};
use crate::request::Request;
use crate::world::World;

/// Its name.
pub const HOST: &str = "hostile.replica.test";

const PAGE: &str = "<!doctype html><title>kept</title><p>What could be read of it.</p>\n";

/// Puts every fault on its path.
pub(crate) fn populate(world: &mut World) {
    let mut all = framing();
    all.extend(heads());
    all.extend(codings());
    all.extend(times());
    all.extend(targets());
    all.extend(statuses());
    all.extend(charsets());
    let list: Vec<String> = all.iter().map(|(path, _)| format!("<li><a href=\"/{path}\">{path}</a>")).collect();
    world.page(&format!("{HOST}/"), Reply::html(200, format!("<!doctype html><ul>{}</ul>\n", list.join("\n"))));
    for (path, answer) in all {
        world.page(&format!("{HOST}/{path}"), answer);
    }
}

type Faults = Vec<(&'static str, Answer)>;

fn raw(head: &str, body: &[u8], then: Then) -> Answer {
    RawResponse::closing([head.as_bytes(), body].concat()).then(then).into()
}

/// Bodies whose end is told wrongly, or not at all.
fn framing() -> Faults {
    let ok = "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\n";
    let chunked = format!("{ok}transfer-encoding: chunked\r\n\r\n");
    let whole = b"3a\r\n<!doctype html><title>kept</title><p>What could be read of\r\n";
    let mut annotated = Reply::html(200, PAGE);
    annotated.framing = Framing::Chunked {
        size: 16,
        trailers: "x-checksum: sha256=0000\r\nx-note: after the body\r\n".into(),
        extension: ";name=value;quoted=\"a;b\"".into(),
    };
    let mut closing = Reply::html(200, PAGE);
    closing.framing = Framing::UntilClose;
    vec![
        ("length-short", raw(&format!("{ok}content-length: 1000\r\n\r\n"), PAGE.as_bytes(), Then::Cut)),
        ("length-short-reset", raw(&format!("{ok}content-length: 1000\r\n\r\n"), PAGE.as_bytes(), Then::Reset)),
        ("length-long", raw(&format!("{ok}content-length: 10\r\n\r\n"), PAGE.as_bytes(), Then::Close)),
        (
            "length-twice",
            raw(&format!("{ok}content-length: 67\r\ncontent-length: 12\r\n\r\n"), PAGE.as_bytes(), Then::Close),
        ),
        ("length-negative", raw(&format!("{ok}content-length: -1\r\n\r\n"), PAGE.as_bytes(), Then::Close)),
        (
            "length-huge",
            raw(&format!("{ok}content-length: 99999999999999999999\r\n\r\n"), PAGE.as_bytes(), Then::Close),
        ),
        (
            "length-and-chunked",
            raw(
                &format!("{ok}content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n"),
                b"4\r\nkept\r\n0\r\n\r\n",
                Then::Close,
            ),
        ),
        ("until-close", closing.into()),
        ("until-reset", raw(&format!("{ok}\r\n"), PAGE.as_bytes(), Then::Reset)),
        ("chunk-cut", raw(&chunked, b"100\r\n<!doctype html><title>kept", Then::Cut)),
        ("chunk-last-missing", raw(&chunked, whole, Then::Cut)),
        ("chunk-size-word", raw(&chunked, b"zz\r\n<!doctype html>\r\n0\r\n\r\n", Then::Close)),
        ("chunk-size-huge", raw(&chunked, b"fffffffffffffffff\r\nabc", Then::Close)),
        ("chunk-annotated", annotated.into()),
        ("chunk-one-by-one", Reply::html(200, PAGE).chunked(1).into()),
        ("body-204", raw("HTTP/1.1 204 No Content\r\n\r\n", PAGE.as_bytes(), Then::Close)),
        ("body-endless", endless("")),
        ("empty", raw("", b"", Then::Close)),
        ("no-head", raw("", PAGE.as_bytes(), Then::Close)),
    ]
}

/// 64 GiB, for clients that do not stop by themselves.
fn endless(fields: &str) -> Answer {
    let head = format!("HTTP/1.1 200 OK\r\ncontent-type: text/html\r\n{fields}\r\n");
    RawResponse::closing(head).and(Piece::Fill(pixels::noise("endless", 64 * 1024), 64 << 30)).into()
}

/// Heads that are not as RFC 9112 has them.
fn heads() -> Faults {
    let with = |lines: &[u8]| {
        let head = [b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\n", lines, b"content-length: 67\r\n\r\n"].concat();
        RawResponse::keeping([head.as_slice(), PAGE.as_bytes()].concat()).then(Then::Close).into()
    };
    let long = format!("x-long: {}\r\n", "a".repeat(300 * 1024));
    let many: String = (0..5000).map(|n| format!("x-{n}: {n}\r\n")).collect();
    let mut hinted = Reply::html(200, PAGE);
    hinted.interim = b"HTTP/1.1 103 Early Hints\r\nlink: </site.css>; rel=preload; as=style\r\n\r\n\
        HTTP/1.1 103 Early Hints\r\nlink: </text.woff2>; rel=preload; as=font\r\n\r\n"
        .to_vec();
    let mut continued = Reply::html(200, PAGE);
    continued.interim = b"HTTP/1.1 100 Continue\r\n\r\n".to_vec();
    let endless =
        RawResponse::closing("HTTP/1.1 200 OK\r\n").and(Piece::Fill(b"x-more: and more\r\n".repeat(4096), 1 << 32));
    vec![
        ("early-hints", hinted.into()),
        ("continue", continued.into()),
        ("name-with-space", with(b"x bad : 1\r\n")),
        ("line-without-colon", with(b"this is no field\r\n")),
        ("folded", with(b"x-folded: one\r\n two\r\n")),
        ("nul", with(b"x-nul: a\0b\r\n")),
        ("bell", with(b"x-bell: a\x07b\r\n")),
        ("latin1", with(b"x-latin: caf\xe9\r\n")),
        ("utf8", with("x-utf8: кафе\r\n".as_bytes())),
        ("empty-name", with(b": no name\r\n")),
        ("bare-cr", with(b"x-cr: a\rb\r\n")),
        ("head-long", with(long.as_bytes())),
        ("head-many", with(many.as_bytes())),
        ("head-endless", endless.into()),
        (
            "bare-lf",
            raw("HTTP/1.1 200 OK\ncontent-type: text/html\ncontent-length: 67\n\n", PAGE.as_bytes(), Then::Close),
        ),
        ("http-1.0", raw("HTTP/1.0 200 OK\r\ncontent-type: text/html\r\n\r\n", PAGE.as_bytes(), Then::Close)),
        ("http-3.7", raw("HTTP/3.7 200 OK\r\ncontent-length: 67\r\n\r\n", PAGE.as_bytes(), Then::Close)),
        ("icy", raw("ICY 200 OK\r\ncontent-length: 67\r\n\r\n", PAGE.as_bytes(), Then::Close)),
        ("reason-missing", raw("HTTP/1.1 200\r\ncontent-length: 67\r\n\r\n", PAGE.as_bytes(), Then::Close)),
        (
            "reason-latin1",
            RawResponse::closing(b"HTTP/1.1 404 Non trouv\xe9\r\ncontent-length: 0\r\n\r\n".to_vec()).into(),
        ),
        ("status-word", raw("HTTP/1.1 two OK\r\ncontent-length: 67\r\n\r\n", PAGE.as_bytes(), Then::Close)),
        ("status-999", raw("HTTP/1.1 999 Request denied\r\ncontent-length: 67\r\n\r\n", PAGE.as_bytes(), Then::Close)),
        ("status-099", raw("HTTP/1.1 099 Low\r\ncontent-length: 67\r\n\r\n", PAGE.as_bytes(), Then::Close)),
        ("junk-before", raw("\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 67\r\n\r\n", PAGE.as_bytes(), Then::Close)),
        ("not-http", RawResponse::closing(pixels::noise("not http", 512)).into()),
        ("ssh", raw("SSH-2.0-OpenSSH_9.6\r\n", b"", Then::Close)),
        (
            "upgrade",
            raw("HTTP/1.1 101 Switching Protocols\r\nupgrade: h2c\r\nconnection: upgrade\r\n\r\n", b"", Then::Close),
        ),
    ]
}

/// Content codings that lie, end early, or explode.
fn codings() -> Faults {
    let coded = |coding: &str, body: Vec<u8>| -> Answer {
        Reply::body(200, "text/html; charset=utf-8", body).with("content-encoding", coding).into()
    };
    let packed = gzip(PAGE.as_bytes());
    let half = packed.get(..packed.len() / 2).unwrap_or_default().to_vec();
    let mut wrong = packed.clone();
    if let Some(byte) = wrong.iter_mut().rev().nth(5) {
        *byte ^= 0x55; // in the checksum
    }
    let bomb = |coding: &'static str, times: usize| {
        Answer::made(move || {
            let body = (0..times).fold(vec![0; 64 << 20], |body, _| gzip(&body));
            Reply::body(200, "text/html; charset=utf-8", body).with("content-encoding", coding)
        })
    };
    vec![
        ("gzip", coded("gzip", packed.clone())),
        ("gzip-cut", coded("gzip", half)),
        ("gzip-checksum", coded("gzip", wrong)),
        ("gzip-is-plain", coded("gzip", PAGE.as_bytes().to_vec())),
        ("gzip-twice", coded("gzip, gzip", gzip(&packed))),
        ("gzip-unlabelled", Reply::html(200, packed.clone()).into()),
        ("gzip-and-junk", coded("gzip", [packed.as_slice(), b"junk after the member"].concat())),
        ("gzip-members", coded("gzip", [gzip(b"<title>kept</title>"), gzip(b"<p>in two members")].concat())),
        ("gzip-bomb", bomb("gzip", 1)),
        ("gzip-bomb-twice", bomb("gzip, gzip", 2)),
        ("gzip-empty", coded("gzip", vec![])),
        ("x-gzip", coded("x-gzip", packed)),
        ("coding-unknown", coded("snappy", PAGE.as_bytes().to_vec())),
        ("coding-identity", coded("identity", PAGE.as_bytes().to_vec())),
        ("deflate-is-plain", coded("deflate", PAGE.as_bytes().to_vec())),
        ("br-is-plain", coded("br", PAGE.as_bytes().to_vec())),
    ]
}

/// Answers that come late, in drips, or never.
fn times() -> Faults {
    let slow = Duration::from_secs(5);
    let ok = "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 67\r\n\r\n";
    vec![
        ("hang", RawResponse::only(Then::Hang).into()),
        ("hang-in-head", raw("HTTP/1.1 200 OK\r\ncontent-ty", b"", Then::Hang)),
        ("hang-after-head", raw(ok, b"", Then::Hang)),
        ("hang-in-body", raw(ok, b"<!doctype html><title>kept</title>", Then::Hang)),
        ("drip-head", RawResponse::closing("").and(Piece::Drip(ok.into(), slow)).into()),
        ("drip-body", RawResponse::closing(ok).and(Piece::Drip(PAGE.into(), slow)).into()),
        ("reset", RawResponse::only(Then::Reset).into()),
        ("reset-in-head", raw("HTTP/1.1 200 OK\r\ncontent-ty", b"", Then::Reset)),
        ("close", RawResponse::only(Then::Close).into()),
        (
            "late",
            RawResponse::default()
                .and(Piece::Pause(Duration::from_millis(300)))
                .and(Piece::Bytes([ok, PAGE].concat().into()))
                .into(),
        ),
    ]
}

/// Redirects that a guard must refuse, or a reader cannot follow.
fn targets() -> Faults {
    let places: [(&'static str, &str); 24] = [
        ("to-loopback", "http://127.0.0.1:22/"),
        ("to-loopback-name", "http://localhost/"),
        ("to-loopback-short", "http://127.1/"),
        ("to-loopback-decimal", "http://2130706433/"),
        ("to-loopback-hex", "http://0x7f.0.0.1/"),
        ("to-loopback-octal", "http://0177.0.0.1/"),
        ("to-loopback-v6", "http://[::1]/"),
        ("to-mapped", "http://[::ffff:169.254.169.254]/latest/meta-data/"),
        ("to-nat64", "http://[64:ff9b::a9fe:a9fe]/latest/meta-data/"),
        ("to-link-local", "http://169.254.169.254/latest/meta-data/"),
        ("to-private", "http://10.0.0.1/"),
        ("to-cgnat", "http://100.64.0.1/"),
        ("to-unspecified", "http://0.0.0.0/"),
        ("to-userinfo", "https://harbour.example@10.0.0.1/"),
        ("to-port", "https://harbour.example:22/"),
        ("to-file", "file:///etc/passwd"),
        ("to-javascript", "javascript:alert(1)"),
        ("to-data", "data:text/html,<p>here</p>"),
        ("to-ftp", "ftp://harbour.example/"),
        ("to-mail", "mailto:board@harbour.example"),
        ("to-nothing", ""),
        ("to-space", "https://harbour.example/a b"),
        ("to-broken", "https://[harbour.example/"),
        ("to-itself", "/to-itself"),
    ];
    let mut all: Faults = places.iter().map(|(path, to)| (*path, Reply::to(302, to).into())).collect();
    let latin = Reply::new(302).with("location", b"https://harbour.example/caf\xe9");
    all.push(("to-latin1", latin.into()));
    let crossed = Reply::to(302, "https://harbour.example/q4").with("location", "https://a.example/");
    all.push(("to-two", crossed.into()));
    all.push(("to-each-other-a", Reply::to(302, "/to-each-other-b").into()));
    all.push(("to-each-other-b", Reply::to(302, "/to-each-other-a").into()));
    all.push(("to-long", Reply::to(302, &format!("https://harbour.example/?{}", "a".repeat(100_000))).into()));
    let choices = Reply::html(300, "<!doctype html><a href=\"/a\">a</a><a href=\"/b\">b</a>");
    all.push(("to-choices", choices.into()));
    all.push(("to-304", Reply::new(304).into()));
    all
}

/// Statuses that mean one thing and pages that mean another.
fn statuses() -> Faults {
    let page = |status: u16, title: &str, words: &str| -> Reply {
        Reply::html(
            status,
            format!(
                "<!doctype html><html><head><title>{title}</title></head><body><h1>{title}</h1><p>{words}</p></body></html>\n"
            ),
        )
    };
    let challenge = page(403, "Just a moment...", "Enable JavaScript and cookies to continue")
        .with("server", "cloudflare")
        .with("cf-mitigated", "challenge")
        .with("cf-ray", "a3fade207d5aacc6-IAD");
    let login = "<form action=\"/login\" method=\"post\"><input type=\"password\" name=\"p\"></form>";
    vec![
        ("401", page(401, "Unauthorized", "").with("www-authenticate", "Basic realm=\"board\"").into()),
        ("402", page(402, "Payment Required", "").into()),
        ("403", page(403, "Forbidden", "").into()),
        ("403-challenge", challenge.into()),
        ("404", page(404, "Not Found", "").into()),
        ("410", page(410, "Gone", "").into()),
        ("429", page(429, "Too Many Requests", "").into()),
        ("429-seconds", page(429, "Too Many Requests", "").with("retry-after", "1").into()),
        ("429-long", page(429, "Too Many Requests", "").with("retry-after", "3600").into()),
        ("429-date", page(429, "Too Many Requests", "").with("retry-after", calendar::LATER_HTTP).into()),
        ("429-word", page(429, "Too Many Requests", "").with("retry-after", "soon").into()),
        (
            "451",
            page(451, "Unavailable For Legal Reasons", "")
                .with("link", "<https://court.example>; rel=\"blocked-by\"")
                .into(),
        ),
        ("500", page(500, "Internal Server Error", "").into()),
        ("502", page(502, "Bad Gateway", "").into()),
        ("503", page(503, "Service Unavailable", "").with("retry-after", "2").into()),
        ("soft-404", page(200, "Page not found", "The page you are looking for does not exist.").into()),
        ("login-wall", page(200, "Log in to continue", login).into()),
        ("age-gate", page(200, "Age verification", "You must be 18 or older to view this page.").into()),
        ("206", page(206, "Part", "of it").with("content-range", "bytes 0-99/5000").into()),
        ("type-missing", raw("HTTP/1.1 200 OK\r\ncontent-length: 67\r\n\r\n", PAGE.as_bytes(), Then::Close)),
        ("type-lies", Reply::body(200, "image/png", PAGE).into()),
        (
            "type-download",
            Reply::body(200, "application/octet-stream", PAGE)
                .with("content-disposition", "attachment; filename=\"../../etc/passwd\"")
                .into(),
        ),
    ]
}

/// Pages in other charsets, declared well, badly, or not.
fn charsets() -> Faults {
    let word = [0xe2, 0xfb, 0xe1, 0xee, 0xf0, 0xfb]; // "выборы" in windows-1251
    let page = |meta: &str| [b"<!doctype html>", meta.as_bytes(), b"<title>", &word, b"</title>"].concat();
    let utf16: Vec<u8> =
        "\u{feff}<!doctype html><title>выборы</title>".encode_utf16().flat_map(u16::to_le_bytes).collect();
    vec![
        ("charset-header", Reply::body(200, "text/html; charset=windows-1251", page("")).into()),
        ("charset-meta", Reply::body(200, "text/html", page("<meta charset=windows-1251>")).into()),
        ("charset-none", Reply::body(200, "text/html", page("")).into()),
        ("charset-wrong", Reply::body(200, "text/html; charset=utf-8", page("")).into()),
        ("charset-utf16", Reply::body(200, "text/html", utf16).into()),
        ("charset-made-up", Reply::body(200, "text/html; charset=klingon", page("")).into()),
    ]
}

/// What remembers: `/flaky/N/NAME` is 503 N times, then a page; `/cookie-loop` sets another cookie and comes back;
/// `/cookie-gate` comes back until its cookie does; `/changes` is another page each time.
pub(crate) fn answer(world: &World, request: &Request) -> Option<Answer> {
    let parts: Vec<&str> = request.path().trim_matches('/').split('/').collect();
    let cookie = request.header("cookie").unwrap_or_default();
    let reply = match parts.as_slice() {
        ["flaky", times, _] => match count(world, request.path()) <= times.parse().unwrap_or(0) {
            true => Reply::html(503, "<!doctype html><title>503</title>"),
            false => Reply::html(200, PAGE),
        },
        ["cookie-loop"] => {
            let turn = cookie.rsplit("turn=").next().and_then(|n| n.parse::<u32>().ok()).unwrap_or(0);
            Reply::to(302, "/cookie-loop").with("set-cookie", format!("turn={}; Path=/", turn.saturating_add(1)))
        }
        ["cookie-gate"] if cookie.contains("passed=1") => Reply::html(200, PAGE),
        ["cookie-gate"] => Reply::to(302, "/cookie-gate").with("set-cookie", "passed=1; Path=/"),
        ["changes"] => {
            let turn = count(world, "changes");
            Reply::html(200, format!("<!doctype html><title>Turn {turn}</title><p>This was turn {turn}.</p>\n"))
        }
        _ => return None,
    };
    Some(reply.into())
}

/// How many times this was asked, this time included.
fn count(world: &World, name: &str) -> u64 {
    let mut counters = world.counters.lock().unwrap_or_else(PoisonError::into_inner);
    let count = counters.entry(name.to_owned()).or_insert(0);
    *count += 1;
    *count
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Options;

    #[test]
    fn the_page_is_as_long_as_its_heads_say() {
        assert_eq!(PAGE.len(), 67);
    }

    #[test]
    fn every_fault_is_listed_and_served() {
        let world = World::new(&Options::default());
        let list = world.answer(&Request::get(&format!("https://{HOST}/"), "curl/8")).wire(false).bytes();
        let list = String::from_utf8(list).unwrap();
        let links: Vec<&str> = list.split("href=\"/").skip(1).filter_map(|rest| rest.split('"').next()).collect();
        assert!(links.len() > 110, "{}", links.len());
        for link in links {
            assert!(world.pages.contains_key(&format!("{HOST}/{link}")), "{link}");
        }
    }

    #[test]
    fn what_is_flaky_comes_right() {
        let world = World::new(&Options::default());
        let ask = || {
            let request = Request::get(&format!("https://{HOST}/flaky/2/a"), "curl/8");
            world.answer(&request).wire(false).bytes().get(9..12).unwrap().to_vec()
        };
        assert_eq!([ask(), ask(), ask()], [b"503", b"503", b"200"]);
    }
}
