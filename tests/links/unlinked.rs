//! Quoted posts that nothing links to, on platforms that list an account's posts to everybody: found by who, when and which words,
//! among all that was posted that day; told as two where two are alike; found in an archive where they are gone.

use jiff::Timestamp;
use onrecord_replica::world;

use super::case::{self, Case};
use super::world::World;

/// How one platform is written into.
struct Platform {
    name: &'static str,
    /// how the account is written, and the site named where the handle does not tell it
    who: &'static str,
    site: &'static str,
    /// adds a post; its name and address come back
    say: fn(&mut world::World, usize, &str, &str) -> (String, String),
    /// what an archive keeps of a post at this address, or of the account's list
    keep: fn(&mut world::World, &str),
}

fn at(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

fn bluesky(world: &mut world::World, _: usize, text: &str, when: &str) -> (String, String) {
    let uri = world.add_bluesky("pilots.replica.example", "Harbour Pilots", text, when);
    let mut parts = uri.trim_start_matches("at://").split('/');
    let (did, rkey) = (parts.next().unwrap_or_default(), parts.nth(1).unwrap_or_default());
    (format!("bluesky:{did}/{rkey}"), format!("https://bsky.app/profile/pilots.replica.example/post/{rkey}"))
}

fn mastodon(world: &mut world::World, _: usize, text: &str, when: &str) -> (String, String) {
    let url = world.add_mastodon("pilots", "Harbour Pilots", text, at(when));
    (format!("mastodon:fedi.replica.example/{}", url.rsplit('/').next().unwrap_or_default()), url)
}

fn telegram(world: &mut world::World, n: usize, text: &str, when: &str) -> (String, String) {
    let url = world.add_telegram("harbourpilots", "Harbour Pilots", 400 + n as u64, text, at(when));
    (format!("telegram:harbourpilots/{}", 400 + n), url)
}

fn youtube(world: &mut world::World, n: usize, text: &str, when: &str) -> (String, String) {
    let id = format!("pilotFilm{n:02}");
    let url = world.add_video(&id, ("HarbourPilots", "Harbour Pilots"), (text, "Filmed from the bridge."), at(when));
    (format!("youtube:{id}"), url)
}

fn reddit(world: &mut world::World, n: usize, text: &str, when: &str) -> (String, String) {
    let id = format!("3bbb{n:02}");
    let url = world.add_reddit(&id, "harbour", "harbour_pilots", (text, "Ask the pilots."), at(when));
    (format!("reddit:{id}"), url)
}

const LATER: &str = "2025-04-03T06:00:00Z";

/// The platforms, and what archives keep of each: the post's page, or where that names no author, a list of the account's posts.
const PLATFORMS: [Platform; 5] = [
    Platform {
        name: "Bluesky",
        who: "Harbour Pilots (@pilots.replica.example)",
        site: "",
        say: bluesky,
        keep: |world, url| world.keep(url, at(LATER)),
    },
    Platform {
        name: "Mastodon",
        who: "Harbour Pilots (@pilots@fedi.replica.example)",
        site: "",
        say: mastodon,
        keep: |world, url| world.keep(url, at(LATER)),
    },
    Platform {
        name: "Telegram",
        who: "Harbour Pilots (@harbourpilots)",
        site: " on Telegram,",
        say: telegram,
        keep: |world, url| world.keep(&format!("{url}?embed=1&mode=tme"), at(LATER)),
    },
    Platform {
        name: "YouTube",
        who: "Harbour Pilots (youtube.com/@HarbourPilots)",
        site: "",
        say: youtube,
        keep: |world, _| {
            let page = world.video_feed("HarbourPilots");
            world.keep(&page, at(LATER));
        },
    },
    Platform {
        name: "Reddit",
        who: "harbour_pilots (reddit.com/user/harbour_pilots)",
        site: "",
        say: reddit,
        keep: |world, _| world.keep("https://www.reddit.com/user/harbour_pilots/submitted/.rss", at(LATER)),
    },
];

const DAY: &str = "April 2, 2025";

impl Platform {
    fn case(&self, what: &str, words: &str, date: &str, expect: &[(&'static str, &str)]) -> Case {
        let words = format!("“{words}” — {}{} {date}", self.who, self.site);
        Case::new(&format!("{}: {what}", self.name), &words, expect)
    }

    fn cases(&self, world: &mut world::World) -> Vec<Case> {
        let mut n = 0;
        let mut say = |world: &mut world::World, text: &str, when: &str| {
            n += 1;
            (self.say)(world, n, text, when)
        };
        say(world, "The tide tables of this year are printed at last.", "2025-03-20T09:00:00.000Z");
        let (beside, _) = say(world, "The night shift was asked to stay until noon.", "2025-04-01T22:10:00.000Z");
        let (true_one, _) =
            say(world, "We boarded nine ships today and were thanked on two.", "2025-04-02T08:00:00.000Z");
        say(world, "No pilot boat leaves before the swell is below three metres.", "2025-04-02T09:00:00.000Z");
        say(world, "No pilot boat leaves before the swell is below three metres.", "2025-04-02T19:00:00.000Z");
        let (lost, address) = say(world, "The harbour master signed the list himself.", "2025-04-02T11:00:00.000Z");
        say(world, "The new radar hums.", "2025-04-04T10:00:00.000Z");
        (self.keep)(world, &address);
        world.gone.insert(lost.clone());
        let good = |post: &str| {
            [("verdict", "corroborated"), ("text", "agrees"), ("author", "agrees"), ("date", "agrees")]
                .into_iter()
                .chain([("post", post.to_owned().leak() as &str)])
                .collect::<Vec<_>>()
        };
        let captured = |mut all: Vec<(&'static str, &'static str)>, ending| {
            all.push(("ending", ending));
            all
        };
        let bad = |check: &'static str, post: &str| {
            vec![("verdict", "contradicted"), (check, "disagrees"), ("post", post.to_owned().leak() as &str)]
        };
        let true_words = "We boarded nine ships today and were thanked on two.";
        vec![
            self.case("found", true_words, DAY, &captured(good(&true_one), "captured")),
            self.case(
                "a word altered",
                "We boarded nine ships today and were thanked on ten.",
                DAY,
                &bad("text", &true_one),
            ),
            self.case(
                "two alike",
                "No pilot boat leaves before the swell is below three metres.",
                DAY,
                &[("verdict", "undetermined"), ("findings", "2"), ("post", "none"), ("candidates", "unknown")],
            ),
            self.case("of the day before", "The night shift was asked to stay until noon.", DAY, &bad("date", &beside)),
            self.case(
                "deleted, kept by an archive",
                "The harbour master signed the list himself.",
                DAY,
                &captured(good(&lost), "captured-from-archive"),
            ),
            self.case(
                "deleted, kept, a word altered",
                "The harbour master signed the letter himself.",
                DAY,
                &captured(bad("text", &lost), "captured-from-archive"),
            ),
            self.case(
                "never said",
                "Pilots will be paid by the hour from now on, the board has promised.",
                DAY,
                &[("verdict", "none"), ("findings", "0"), ("post", "none"), ("ending", "unsupported")],
            ),
        ]
    }
}

fn cases(world: &World) -> Vec<Case> {
    world.replica.set(|world| PLATFORMS.iter().flat_map(|platform| platform.cases(world)).collect())
}

/// Writes every statement and gives their names.
pub(super) fn write(world: &World) -> Vec<String> {
    case::written(world, "unlinked", &cases(world))
}

#[test]
fn a_post_without_a_link_is_found_where_its_platform_lists_it() {
    let world = World::new();
    case::judge(&world, "unlinked", &cases(&world));
    // every candidate is on record, with why it was taken or dropped
    let all = String::from_utf8_lossy(&world.bytes()).into_owned();
    for said in [
        "100 % of the words are the same",
        ": another post",
        "no less alike than another one, so it may be either",
        "listRecords has 3 of the account's posts of 2025-04-02",
        "the client API has 3 of the account's posts of 2025-04-02",
        "the channel's list has 3 of the account's posts of 2025-04-02",
        "the feed of the channel's newest videos has 3 of the account's posts of 2025-04-02",
        "the feed of the account's posts has 3 of the account's posts of 2025-04-02",
        "\"by\":\"list\"",
        "\"by\":\"kept-list\"",
        "\"by\":\"cdx-prefix\"",
    ] {
        assert!(all.contains(said), "{said}");
    }
    assert_eq!(world.json("verify", &[])["verdict"], "intact");
}
