//! Every carrier of a redirect and every trap, through `resolve`.

use serde_json::Value;

use super::world::{World, of_kind};

const END: &str = "https://harbour.example/q4";

/// Where it stands, how, and how the last URL was reached.
fn told(resolution: &Value) -> (String, String, String) {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let last = resolution["hops"].as_array().and_then(|hops| hops.last()).cloned().unwrap_or_default();
    (text(&resolution["ending"]), text(&resolution["final_url"]), text(&last["via"]))
}

fn resolve(world: &World, rows: &[(&str, &str, &str, &str)], more: &[&str]) -> Vec<String> {
    let mut arguments: Vec<String> = rows.iter().map(|row| row.0.to_owned()).collect();
    arguments.extend(more.iter().map(|flag| (*flag).to_owned()));
    let said = world.json("resolve", &arguments);
    let all = said["resolutions"].as_array().expect("resolutions");
    assert_eq!(all.len(), rows.len());
    let mut wrong = Vec::new();
    for ((url, ending, end, via), resolution) in rows.iter().zip(all) {
        let found = told(resolution);
        if found != ((*ending).to_owned(), (*end).to_owned(), (*via).to_owned()) {
            wrong.push(format!("{url}: {found:?}, not {:?}; {}", (ending, end, via), resolution["why"]));
        }
    }
    wrong
}

#[test]
fn every_carrier_leads_to_its_end() {
    let world = World::new();
    let x = "captured";
    let rows = [
        ("https://bit.ly/2Q4harb", x, END, "http-301"),
        ("https://j.mp/2Q4harb", x, END, "http-301"),
        ("https://buff.ly/2Q4harb", x, END, "http-301"),
        ("https://ow.ly/Q4hB30", x, END, "http-301"),
        ("https://tinyurl.com/q4harbour", x, END, "http-301"),
        ("https://is.gd/q4harb", x, END, "http-301"),
        ("https://dlvr.it/Q4hB", x, END, "http-302"),
        ("https://fb.me/2Q4harb", x, END, "http-302"),
        ("https://wp.me/p1-q4", x, END, "http-301"),
        ("https://trib.al/q4Harb", x, END, "http-301"),
        ("https://carrier.replica.test/303", x, END, "http-303"),
        ("https://carrier.replica.test/307", x, END, "http-307"),
        ("https://carrier.replica.test/308", x, END, "http-308"),
        ("https://carrier.replica.test/refresh", x, END, "refresh-header"),
        ("https://carrier.replica.test/refresh-spaced", x, END, "refresh-header"),
        ("https://t.cn/Q4hB30", x, END, "location-200"),
        ("https://carrier.replica.test/meta", x, END, "meta-refresh"),
        ("https://carrier.replica.test/meta-upper", x, END, "meta-refresh"),
        ("https://carrier.replica.test/meta-amp", x, "https://harbour.example/q4?a=1&b=2", "meta-refresh"),
        ("https://carrier.replica.test/script-location", x, END, "script"),
        ("https://carrier.replica.test/script-href", x, END, "script"),
        ("https://carrier.replica.test/script-replace", x, END, "script"),
        ("https://carrier.replica.test/script-assign", x, END, "script"),
        ("https://carrier.replica.test/script-document", x, END, "script"),
        // a call in a comment leads nowhere
        ("https://carrier.replica.test/script-comment", x, "https://carrier.replica.test/script-comment", "start"),
        ("https://carrier.replica.test/interstitial", x, END, "interstitial"),
        ("https://lnkd.in/e4Harbour", x, END, "interstitial"),
        ("https://reurl.cc/Q4harb", x, END, "interstitial"),
        ("https://href.li/?https://harbour.example/q4", x, END, "unwrapped"),
        ("https://www.google.com/url?q=https://harbour.example/q4", x, END, "unwrapped"),
        ("https://x.gd/zzzz9", "soft-404", "https://x.gd/view/notfound", "http-302"),
        ("https://goo.gl/zzzz9", "gone", "https://goo.gl/zzzz9", "start"),
        ("https://carrier.replica.test/cookie", "loop", "https://carrier.replica.test/cookie", "http-302"),
        ("https://carrier.replica.test/long/22", x, END, "http-302"),
        ("https://carrier.replica.test/long/0", "too-many-hops", "https://carrier.replica.test/long/20", "http-302"),
        ("https://carrier.replica.test/hop/1", x, END, "http-301"),
    ];
    let wrong = resolve(&world, &rows, &[]);
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn every_wrapper_is_read_through_without_a_request() {
    let world = World::new();
    let (x, coded) = ("captured", "https%3A%2F%2Fharbour.example%2Fq4");
    let unwrapped = [
        format!("https://www.google.com/url?sa=t&url={coded}&usg=x"),
        format!("https://l.facebook.com/l.php?u={coded}&h=AT0x"),
        format!("https://lm.facebook.com/l.php?u={coded}"),
        format!("https://l.instagram.com/?u={coded}&e=x"),
        format!("https://www.youtube.com/redirect?event=video_description&q={coded}"),
        format!("https://out.reddit.com/t3_1abcde?url={coded}&token=x"),
        format!("https://t.umblr.com/redirect?z={coded}&t=x"),
        format!("https://vk.com/away.php?to={coded}"),
        format!("https://t.me/iv?url={coded}&rhash=0"),
        format!("https://weibo.cn/sinaurl?u={coded}"),
        format!("https://duckduckgo.com/l/?uddg={coded}&rut=x"),
        "https://www.google.com/amp/s/harbour.example/q4".to_owned(),
        "https://unsafelink.com/https://harbour.example/q4".to_owned(),
    ];
    let asks_first = [
        format!("https://steamcommunity.com/linkfilter/?u={coded}"),
        format!("https://consent.youtube.com/m?continue={coded}&gl=DE"),
        format!("https://x.com/safety/unsafe_link_warning?unsafe_link={coded}"),
    ];
    let rows: Vec<(&str, &str, &str, &str)> = unwrapped
        .iter()
        .map(|url| (url.as_str(), x, END, "unwrapped"))
        .chain(asks_first.iter().map(|url| (url.as_str(), x, END, "interstitial")))
        .collect();
    let wrong = resolve(&world, &rows, &["--links-only"]);
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
    let hosts: Vec<String> = world.replica.log().iter().map(|served| served.host.clone()).collect();
    assert!(hosts.iter().all(|host| host == "harbour.example"), "{hosts:?}");
}

#[test]
fn redirects_alone_and_as_a_browser_sees_them() {
    let world = World::new();
    let pic = "https://pic.twitter.com/CdsTMkBRtm".to_owned();
    let said = world.json("resolve", &[pic.clone(), "--links-only".to_owned()]);
    let one = &said["resolutions"][0];
    assert_eq!(one["post"], Value::Null, "{one:#}");
    let hosts: Vec<String> = world.replica.log().iter().map(|served| served.host.clone()).collect();
    assert!(hosts.iter().all(|host| !host.contains("syndication") && !host.contains("publish")), "{hosts:?}");
    assert!(hosts.iter().any(|host| host == "t.co"));

    world.replica.clear_log();
    let said = world.json("resolve", &["https://t.co/UQRJgN8qRs".to_owned(), "--both-views".to_owned()]);
    let notes = said["resolutions"][0]["notes"].to_string();
    assert!(notes.contains("leads a browser to"), "{notes}");
    // asked twice: as ourselves and as a browser, which t.co answers with a page of its own
    let statuses: Vec<u16> =
        world.replica.log().iter().filter(|served| served.host == "t.co").map(|served| served.status).collect();
    assert_eq!(statuses, [301, 200]);

    // what differs is on record: a code that a plain client is told nothing of
    world.settings("[capture]\nboth-views = true\n");
    let run = world.json("run", &[world.statement("a.txt", "It was said at https://t.co/oldShape1 that day.\n")]);
    assert_eq!(of_kind(&run["statements"][0], "link")["ending"], "gone", "{run:#}");
    let told = "https://t.co/oldShape1 leads a plain client to nothing and a browser to http://harbour.example/a";
    assert!(String::from_utf8_lossy(&world.bytes()).contains(told));
}
