//! Shorteners and other carriers of a redirect, in the spellings of PLATFORMS 1.5.

use crate::reply::Reply;
use crate::world::World;

const END: &str = "https://harbour.example/q4";

/// Puts one code of every carrier on its host; all lead to `harbour.example/q4`.
pub(crate) fn populate(world: &mut World) {
    bitly(world, "bit.ly/2Q4harb", END);
    world.page("j.mp/2Q4harb", Reply::to(301, "https://bit.ly/2Q4harb"));
    let buffer = Reply::to(301, END)
        .with("set-cookie", "_bit=q1; Domain=buff.ly; Expires=Wed, 22 Nov 2028 06:00:00 GMT")
        .with("content-security-policy", "referrer always;");
    world.page("buff.ly/2Q4harb", buffer);
    for (place, status) in [
        ("ow.ly/Q4hB30", 301),
        ("tinyurl.com/q4harbour", 301),
        ("is.gd/q4harb", 301),
        ("dlvr.it/Q4hB", 302),
        ("fb.me/2Q4harb", 302),
        ("wp.me/p1-q4", 301),
        ("trib.al/q4Harb", 301),
        ("carrier.replica.test/303", 303),
        ("carrier.replica.test/307", 307),
        ("carrier.replica.test/308", 308),
    ] {
        world.page(place, Reply::to(status, END));
    }
    headers(world);
    pages(world);
}

/// Makes a bit.ly code lead somewhere, as bit.ly answers it.
pub fn bitly(world: &mut World, place: &str, target: &str) {
    let body =
        format!("<html>\n<head><title>Bitly</title></head>\n<body><a href=\"{target}\">moved here</a></body>\n</html>");
    let reply = Reply::html(301, body)
        .with("server", "nginx")
        .with("cache-control", "private, max-age=90")
        .with("location", target)
        .with("set-cookie", "_bit=qbn60-2f0e-0a1b; Domain=bit.ly; Expires=Wed, 22 Nov 2028 06:00:00 GMT")
        .with("via", "1.1 google");
    world.page(place, reply);
}

fn headers(world: &mut World) {
    world.page("carrier.replica.test/refresh", Reply::html(200, "").with("refresh", format!("0;url={END}")));
    world.page("carrier.replica.test/refresh-spaced", Reply::html(200, "").with("Refresh", format!("3; URL='{END}'")));
    world.page("t.cn/Q4hB30", Reply::html(200, "").with("location", END));
    let cookie = Reply::to(302, "https://carrier.replica.test/cookie").with("set-cookie", "seen=1; Path=/");
    world.page("carrier.replica.test/cookie", cookie);
    world.page("carrier.replica.test/hop/1", Reply::to(302, "/hop/2"));
    world.page("carrier.replica.test/hop/2", Reply::to(302, "hop/../3?x=%zz"));
    world.page("carrier.replica.test/hop/3", Reply::to(301, END));
    world.page("carrier.replica.test/3", Reply::to(301, END));
    for n in 0..40 {
        let next = format!("https://carrier.replica.test/long/{}", n + 1);
        world.page(&format!("carrier.replica.test/long/{n}"), Reply::to(302, &next));
    }
    world.page("carrier.replica.test/long/40", Reply::to(302, END));
}

fn pages(world: &mut World) {
    let escaped = END.replace('/', "\\/");
    let meta =
        |content: &str| format!("<!doctype html><head><meta http-equiv=\"refresh\" content=\"{content}\"></head>");
    let script = |code: &str| format!("<!doctype html><head><title>…</title></head><script>{code}</script>");
    let shapes = [
        ("meta", meta(&format!("0;url={END}"))),
        ("meta-upper", format!("<META HTTP-EQUIV='Refresh' CONTENT='0; URL = {END}'>")),
        ("meta-amp", meta("0;url=https://harbour.example/q4?a=1&amp;b=2")),
        ("script-location", script(&format!("location = \"{END}\";"))),
        ("script-href", script(&format!("window.location.href='{END}'"))),
        ("script-replace", script(&format!("location.replace(\"{escaped}\")"))),
        ("script-assign", script(&format!("top.location.assign( '{END}' )"))),
        ("script-document", script(&format!("document.location = \"{END}\""))),
        ("script-comment", script("// location.replace('https://wrong.example/')\nvar here = location.href;")),
        ("interstitial", interstitial()),
    ];
    for (name, body) in shapes {
        world.page(&format!("carrier.replica.test/{name}"), Reply::html(200, body));
    }
    world.page("lnkd.in/e4Harbour", Reply::html(200, interstitial()));
    let hidden = format!("<html><body><input type=\"hidden\" value=\"{END}\" id='target'></body></html>");
    world.page("reurl.cc/Q4harb", Reply::html(200, hidden));
    world.page("x.gd/view/notfound", Reply::html(200, "<!doctype html><title>X.gd</title><p>Not found</p>"));
    world.page("x.gd/zzzz9", Reply::to(302, "https://x.gd/view/notfound"));
    world.page("goo.gl/zzzz9", Reply::html(404, "<!doctype html><title>Dynamic Link Not Found</title>"));
}

/// lnkd.in's page for targets elsewhere, attributes in another order than the row of the transactions has them.
fn interstitial() -> String {
    format!(
        "<!DOCTYPE html><html lang=\"en\"><head><title>LinkedIn</title></head><body><h1>This link will take you to a \
         page that’s not on LinkedIn</h1><a href=\"{END}\" class=\"artdeco-button\" \
         data-tracking-control-name=\"external_url_click\" data-tracking-will-navigate>{END}</a></body></html>"
    )
}
