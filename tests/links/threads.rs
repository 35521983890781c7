//! Quotations that join several posts of one thread, true and false, and lists that are long, refused, or somebody else's.

use jiff::Timestamp;
use onrecord_replica::post::{Archived, NewPost};
use onrecord_replica::reply::Reply;
use onrecord_replica::world;

use super::case::{Case, judge};
use super::world::{World, of_kind};

fn at(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

fn case(name: &str, words: &str, by: &str, expect: &[(&'static str, &str)]) -> Case {
    Case::new(name, &format!("“{words}” — {by}"), expect)
}

const ONE: &str = "The crew of the Amalie has not been paid since January, all eleven of them.";
const TWO: &str = "The owner answers neither letters nor calls, and the agent has left town.";
const OTHER: &str = "Fresh herring at the north stairs from six.";

fn on_x(world: &mut world::World) -> (Vec<Case>, [String; 2]) {
    let mut say = |text: &str, when: &str, answers: Option<u64>, who: (&str, &str)| {
        world.add_post(NewPost {
            handle: who.0.into(),
            name: who.1.into(),
            text: text.into(),
            at: at(when),
            answers,
            archived: vec![(at("2025-03-05T00:00:00Z"), Archived::ApiV2Json)],
            ..NewPost::default()
        })
    };
    let crew = ("amalie_crew", "Crew of the Amalie");
    let one = say(ONE, "2025-03-04T10:00:00Z", None, crew);
    let two = say(TWO, "2025-03-04T10:05:00Z", Some(one), crew);
    say(OTHER, "2025-03-04T11:00:00Z", None, crew);
    let stranger = "I sailed with that owner in May and it was the same, believe me.";
    say(stranger, "2025-03-04T12:00:00Z", Some(one), ("old_bosun", "Old Bosun"));
    let by = "Crew of the Amalie (@amalie_crew) March 4, 2025";
    let link = |id: u64| format!("{by} https://x.com/amalie_crew/status/{id}");
    let (first, second) = (format!("x:{one}"), format!("x:{two}"));
    let good =
        |post: &'static str| [("verdict", "corroborated"), ("text", "agrees"), ("thread", "agrees"), ("post", post)];
    let bad = [("verdict", "contradicted"), ("text", "disagrees")];
    let leak = |text: &String| -> &'static str { text.clone().leak() };
    let both = format!("{ONE} {TWO}");
    let cases = vec![
        case("X: joined, the first one linked", &both, &link(one), &good(leak(&first))),
        case("X: joined, the second one linked", &both, &link(two), &good(leak(&second))),
        case("X: joined, no link", &both, by, &good(leak(&first))),
        case(
            "X: joined, with a gap that is marked",
            &format!("{ONE} […] the agent has left town."),
            &link(one),
            &good(leak(&first)),
        ),
        case("X: joined, a word altered in the second", &both.replace("neither", "both"), &link(one), &bad),
        case("X: joined the wrong way round", &format!("{TWO} {ONE}"), &link(two), &bad),
        case("X: joined with a post that is none of the thread", &format!("{ONE} {OTHER}"), &link(one), &bad),
        case("X: joined with a stranger's answer", &format!("{ONE} {stranger}"), &link(one), &bad),
    ];
    (cases, [first, second])
}

#[test]
fn quotations_that_join_posts_of_x_name_them() {
    let world = World::new();
    let (cases, names) = world.replica.set(on_x);
    let run = judge(&world, "thread", &cases);
    let first = of_kind(&run["statements"][0], "post");
    let text = first["findings"][0]["checks"].as_array().expect("checks").iter().find(|check| check["check"] == "text");
    let why = text.expect("words were compared")["why"].to_string();
    assert!(why.contains(&format!("joins 2 posts of one thread: {}, {}", names[0], names[1])), "{why}");
    // the snapshot holds both posts
    let kept = world.json("show", &[first["snapshot"].as_str().expect("a snapshot").to_owned()]).to_string();
    assert!(kept.contains(ONE) && kept.contains(TWO), "{kept}");
    assert_eq!(world.json("verify", &[])["verdict"], "intact");
}

fn elsewhere(world: &mut world::World) -> Vec<Case> {
    let both = format!("{ONE} {TWO}");
    let good = |post: &str| {
        let post: &'static str = post.to_owned().leak();
        [("verdict", "corroborated"), ("text", "agrees"), ("thread", "agrees"), ("post", post), ("ending", "captured")]
    };
    let bad = [("verdict", "contradicted"), ("text", "disagrees")];
    // Bluesky
    let handle = "amalie.replica.example";
    let one = world.add_bluesky(handle, "Amalie", &format!("1/2 {ONE}"), "2025-03-04T10:00:00.000Z");
    world.answer_bluesky(&one, handle, "Amalie", &format!("2/2 {TWO}"), "2025-03-04T10:01:00.000Z");
    world.add_bluesky(handle, "Amalie", OTHER, "2025-03-04T11:00:00.000Z");
    let name = one.replace("at://", "bluesky:").replace("app.bsky.feed.post/", "");
    let page = format!("https://bsky.app/profile/{handle}/post/{}", one.rsplit('/').next().unwrap_or_default());
    let by = format!("Amalie (@{handle}) March 4, 2025");
    let mut cases = vec![
        case("Bluesky: joined, linked", &both, &format!("{by} {page}"), &good(&name)),
        case("Bluesky: joined, no link", &both, &by, &good(&name)),
        case("Bluesky: joined with another post", &format!("{ONE} {OTHER}"), &format!("{by} {page}"), &bad),
    ];
    // Mastodon
    let one = world.add_mastodon("amalie", "Amalie", ONE, at("2025-03-04T10:00:00Z"));
    let two = world.answer_mastodon(&one, "amalie", "Amalie", TWO, at("2025-03-04T10:01:00Z"));
    let name = |url: &str| format!("mastodon:fedi.replica.example/{}", url.rsplit('/').next().unwrap_or_default());
    let by = "Amalie (@amalie@fedi.replica.example) March 4, 2025";
    cases.push(case("Mastodon: joined, the first linked", &both, &format!("{by} {one}"), &good(&name(&one))));
    cases.push(case("Mastodon: joined, the second linked", &both, &format!("{by} {two}"), &good(&name(&two))));
    cases.push(case("Mastodon: joined, no link", &both, by, &good(&name(&one))));
    cases.push(case("Mastodon: joined, altered", &both.replace("January", "June"), &format!("{by} {one}"), &bad));
    // Telegram
    let one = world.add_telegram("amaliecrew", "Amalie", 50, ONE, at("2025-03-04T10:00:00Z"));
    world.add_telegram("amaliecrew", "Amalie", 51, OTHER, at("2025-03-04T10:00:30Z"));
    world.add_telegram("amaliecrew", "Amalie", 52, TWO, at("2025-03-04T10:01:00Z"));
    if let Some(message) = world.telegram.get_mut("amaliecrew/52") {
        message.answers = Some(50);
    }
    let by = "Amalie (@amaliecrew) on Telegram, March 4, 2025";
    cases.push(case("Telegram: joined, linked", &both, &format!("{by} {one}"), &good("telegram:amaliecrew/50")));
    cases.push(case("Telegram: joined, no link", &both, by, &good("telegram:amaliecrew/50")));
    cases
}

#[test]
fn quotations_that_join_posts_of_other_platforms_name_them() {
    let world = World::new();
    let cases = world.replica.set(elsewhere);
    judge(&world, "thread", &cases);
}

#[test]
fn a_day_deep_in_a_long_channel_is_found_in_a_few_requests() {
    let world = World::new();
    // four years of it: quiet at first, then ever busier
    let said = world.replica.set(|world| {
        let mut when = at("2021-01-01T06:00:00Z").as_second();
        for n in 1..3000_u64 {
            when += 86_400 / (1 + i64::try_from(n).unwrap_or(0) / 400);
            let text = format!("Bulletin {n}: water level {} cm, wind from the west", 200 + n % 97);
            world.add_telegram("gaugeline", "Gauge Line", n, &text, Timestamp::from_second(when).expect("a time"));
        }
        let pick = |n: u64| world.telegram[&format!("gaugeline/{n}")].clone();
        [pick(37), pick(1204), pick(2350), pick(2999)]
    });
    let day = |at: Timestamp| at.strftime("%B %-d, %Y").to_string();
    let cases: Vec<Case> = said
        .iter()
        .map(|message| {
            let post: &'static str = format!("telegram:gaugeline/{}", message.number).leak();
            let by = format!("Gauge Line (@gaugeline) on Telegram, {}", day(message.at));
            case(post, &message.text, &by, &[("verdict", "corroborated"), ("post", post), ("date", "agrees")])
        })
        .collect();
    judge(&world, "thread", &cases);
    let asked = world.replica.log().iter().filter(|served| served.target.starts_with("/s/gaugeline")).count();
    assert!(asked <= 7 * cases.len(), "{asked} pages for {} days", cases.len());
}

#[test]
fn a_kept_list_is_that_of_the_very_account() {
    let world = World::new();
    let said = "The lamp on the north mole is out until Sunday.";
    world.replica.set(|world| {
        // a name that begins alike, with lists that were kept sooner
        world.add_telegram("molewatch", "Mole Watch", 3, "Nothing to see.", at("2025-05-05T09:00:00Z"));
        world.keep("https://t.me/s/molewatch", at("2025-05-05T10:30:00Z"));
        world.add_telegram("molewatch", "Mole Watch", 4, "Still nothing.", at("2025-05-05T10:40:00Z"));
        world.keep("https://t.me/s/molewatch?before=9", at("2025-05-05T10:45:00Z"));
        world.add_telegram("mole", "Mole", 5, said, at("2025-05-05T10:00:00Z"));
        world.add_telegram("mole", "Mole", 6, "The lamp is back.", at("2025-05-11T10:00:00Z"));
        world.keep("https://t.me/s/mole", at("2025-05-05T12:00:00Z"));
        world.gone.insert("telegram:mole/5".into());
    });
    judge(
        &world,
        "thread",
        &[case(
            "deleted, on a kept list",
            said,
            "Mole (@mole) on Telegram, May 5, 2025",
            &[("verdict", "corroborated"), ("post", "telegram:mole/5"), ("ending", "captured-from-archive")],
        )],
    );
    assert!(world.replica.log().iter().all(|served| !served.target.contains("id_/https://t.me/s/molewatch")));
}

#[test]
fn lists_that_are_refused_or_lacking_say_so() {
    let world = World::new();
    let said = "The tugs are paid by the metre and not by the hour.";
    let (silent, edited) = world.replica.set(|world| {
        let silent = world.add_bluesky("tugs.replica.example", "Tugs", said, "2025-05-05T10:00:00.000Z");
        world.add_bluesky("moved.replica.example", "Moved", "Nothing of that kind.", "2025-05-05T10:00:00.000Z");
        world.add_telegram("tugline", "Tug Line", 5, said, at("2025-05-05T10:00:00Z"));
        let edited = world.add_mastodon("tugs", "Tugs", said, at("2025-05-05T10:00:00Z"));
        world.edit_mastodon(&edited, "Something else altogether stands here now.", at("2025-05-05T12:00:00Z"));
        // one server shuts its lists; a channel turns its preview off; an account's feed is asked too often
        world.route("pds.replica.example", "/xrpc/com.atproto.repo.listRecords", Reply::json(500, "{}"));
        world.route("t.me", "/s/tugline", Reply::to(302, "https://t.me/tugline"));
        world.route(
            "www.reddit.com",
            "/user/tug_crew/submitted/.rss",
            Reply::html(429, "slow down").with("retry-after", "3600"),
        );
        (silent, edited)
    });
    let name = silent.replace("at://", "bluesky:").replace("app.bsky.feed.post/", "");
    let name: &'static str = name.leak();
    let post: &'static str =
        format!("mastodon:fedi.replica.example/{}", edited.rsplit('/').next().unwrap_or_default()).leak();
    let cases = [
        case(
            "Bluesky: by the AppView's list",
            said,
            "Tugs (@tugs.replica.example) May 5, 2025",
            &[("verdict", "corroborated"), ("post", name), ("why", "found on getAuthorFeed")],
        ),
        case(
            "Bluesky: an account that is not there",
            said,
            "Tugs (@nobody.replica.example) May 5, 2025",
            &[("verdict", "none"), ("ending", "gone"), ("post", "none")],
        ),
        case(
            "Mastodon: an account that is not there",
            said,
            "Tugs (@nobody@fedi.replica.example) May 5, 2025",
            &[("verdict", "none"), ("ending", "gone"), ("why", "no such account")],
        ),
        case(
            "Mastodon: what it said before it was edited, no link",
            said,
            "Tugs (@tugs@fedi.replica.example) May 5, 2025",
            &[("verdict", "corroborated"), ("post", post), ("edits", "agrees"), ("text", "agrees")],
        ),
        case(
            "Telegram: no preview",
            said,
            "Tug Line (@tugline) on Telegram, May 5, 2025",
            &[("verdict", "none"), ("ending", "unsupported"), ("why", "preview is off")],
        ),
        case(
            "Reddit: asked too often",
            said,
            "tug_crew (reddit.com/user/tug_crew) May 5, 2025",
            &[("verdict", "none"), ("ending", "rate-limited"), ("why", "429")],
        ),
        case(
            "a site where nobody is listed",
            said,
            "Tugs (@tugs.of.north) May 5, 2025",
            &[("verdict", "none"), ("ending", "unsupported")],
        ),
    ];
    let run = judge(&world, "thread", &cases);
    // without the network nothing is said of the post, and it is asked for again
    assert_eq!(run["counts"]["planned"], run["counts"]["ended"], "{}", run["counts"]);
    let offline = World::new();
    let statement = offline.statement("a.txt", &cases[0].text);
    let run = offline.json("run", &[statement, "--offline".to_owned()]);
    assert_eq!(of_kind(&run["statements"][0], "post")["ending"], "offline", "{run:#}");
}
