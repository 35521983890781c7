//! Posts and pages beyond the founding case, for statements that quote truly, quote wrongly, or quote what is no more.
//!
//! `World::cast` names each post by what is the matter with it.

use crate::calendar::at;
use crate::post::{Archived, NewPost, State};
use crate::world::World;

mod pages;

/// Adds them.
pub(crate) fn populate(world: &mut World) {
    plain(world);
    lost(world);
    identities(world);
    versions(world);
    media(world);
    scripts(world);
    days(world);
    elsewhere(world);
    pages::populate(world);
}

/// An account of the cast: its handle and name.
type Who = (&'static str, &'static str);

const BOARD: Who = ("QuayBoard", "Quay Board");
const LENA: Who = ("lena_varga", "Léna Varga");
const COUNT: Who = ("count_watch", "Count Watch ✔");
const DESK: Who = ("foreigndesk_ht", "Harbour Times Foreign Desk");

fn post(who: Who, when: &str, text: &str) -> NewPost {
    NewPost { handle: who.0.into(), name: who.1.into(), text: text.into(), at: at(when), ..NewPost::default() }
}

impl NewPost {
    /// With a code in its words, and where that leads.
    fn linking(mut self, code: &str, target: &str) -> NewPost {
        self.links.push((code.into(), target.into()));
        self
    }

    /// Archived then, in that form.
    fn kept(mut self, when: &str, form: Archived) -> NewPost {
        self.archived.push((at(when), form));
        self
    }

    /// With what became of it.
    fn now(self, state: State) -> NewPost {
        NewPost { state, ..self }
    }
}

impl World {
    fn play(&mut self, name: &'static str, made: NewPost) -> u64 {
        let id = self.add_post(made);
        self.cast.insert(name, id);
        id
    }
}

/// Posts that are there and say one thing.
fn plain(world: &mut World) {
    let opening = "The new lock opens on Thursday at 06:00, vessels above 90 m need a pilot https://t.co/Lk7opQv2Zd";
    world.play(
        "true",
        post(BOARD, "2023-05-16T08:30:12.250Z", opening)
            .linking("Lk7opQv2Zd", "https://harbour-times.example/2023/05/lock")
            .kept("2023-05-16T09:00:00Z", Archived::ApiV2Json),
    );
    world.play(
        "altered",
        post(
            LENA,
            "2023-05-17T11:02:44.031Z",
            "Nobody was hurt when the crane came down this morning, two cars are damaged",
        ),
    );
    let marked = "Q&A at 7 <tonight> – \"no notes\", it's 5 > 4… & more: https://t.co/Qa1nda7Xyz #Q_and_A @QuayBoard";
    world.play(
        "marked-up",
        post(LENA, "2023-05-18T15:20:09.900Z", marked).linking("Qa1nda7Xyz", "https://harbour.example/q4?a=1&b=2"),
    );
    let two = "Two readings, two pages: https://t.co/Tw0fir5tAA and https://t.co/Tw0sec0ndB";
    world.play(
        "two-links",
        post(DESK, "2023-06-02T12:00:00.500Z", two)
            .linking("Tw0fir5tAA", "https://harbour-times.example/2023/06/first")
            .linking("Tw0sec0ndB", "https://harbour-times.example/2023/06/second"),
    );
    // Codes that differ in case alone lead to different pages.
    world.play(
        "case-upper",
        post(DESK, "2023-06-03T12:00:00.500Z", "Morning edition https://t.co/CaSe5eNsEa")
            .linking("CaSe5eNsEa", "https://harbour-times.example/morning"),
    );
    world.play(
        "case-lower",
        post(DESK, "2023-06-03T18:00:00.500Z", "Evening edition https://t.co/cAsE5EnSeA")
            .linking("cAsE5EnSeA", "https://harbour-times.example/evening"),
    );
    let dead = "The inquiry's first report is out https://t.co/D3adL1nkRp";
    world.play(
        "dead-link",
        post(DESK, "2019-09-20T10:11:12.345Z", dead)
            .linking("D3adL1nkRp", "https://ministry.example/reports/inquiry-1"),
    );
    world.play(
        "unsafe-link",
        post(DESK, "2024-07-01T10:00:00.001Z", "The leaked list https://t.co/uNsAfE0456")
            .linking("uNsAfE0456", "https://x.com/safety/unsafe_link_warning?unsafe_link=https://list.example/all"),
    );
}

/// Posts that are no longer shown, and those of which no copy was kept.
fn lost(world: &mut World) {
    let kept = "2019-06-11T08:00:00Z";
    let lines = [
        (
            "deleted",
            State::Deleted,
            "We were told at 4 am to leave the counting hall. Nobody gave a reason. #Count2019",
        ),
        (
            "suspended",
            State::Suspended,
            "Ballots from stations 14 to 19 arrived without seals, photographs to follow #Count2019",
        ),
        (
            "protected",
            State::Protected,
            "Observers at station 7 have been asked to sign a paper they may not read #Count2019",
        ),
        ("age-gated", State::AgeRestricted, "The square after dark, some of this is hard to look at #Count2019"),
        ("withheld", State::Withheld, "The list of the detained has now 112 names, we keep it up to date #Count2019"),
        ("withheld-bare", State::WithheldBare, "The list has now 140 names, thank you for every message #Count2019"),
        ("empty", State::Empty, "The hall is dark but the doors are open again #Count2019"),
    ];
    for (n, (name, state, text)) in lines.into_iter().enumerate() {
        let who: Who = [LENA, COUNT, BOARD, DESK].get(n % 4).copied().unwrap_or(LENA);
        let when = format!("2019-06-11T0{n}:14:3{n}.1{n}0Z");
        world.play(name, post(who, &when, text).kept(kept, Archived::LegacyHtml).now(state));
    }
    world.play(
        "deleted-unkept",
        post(LENA, "2019-06-12T07:00:00.777Z", "I take back what I said about the ferry, the fault was mine")
            .now(State::Deleted),
    );
    world.play(
        "shell-only",
        post(LENA, "2021-03-01T07:00:00.777Z", "Fog on the estuary, the beacon is out")
            .kept("2021-03-02T00:00:00Z", Archived::Shell)
            .now(State::Deleted),
    );
    world.play(
        "stream-only",
        post(COUNT, "2019-06-13T09:09:09.090Z", "Turnout at noon was 31 percent, one point below 2015")
            .kept("2019-06-13T09:09:20Z", Archived::StreamJson)
            .now(State::Deleted),
    );
    world.play(
        "microdata-only",
        post(COUNT, "2022-02-13T09:09:09.090Z", "Turnout at noon was 28 percent, three points below 2019")
            .kept("2022-03-01T00:00:00Z", Archived::Microdata)
            .now(State::Deleted),
    );
}

/// Handles that changed hands, or names.
fn identities(world: &mut World) {
    let old =
        post(("quaycam", "Quay Camera"), "2019-08-04T05:00:10.100Z", "Sunrise over pier 3, water level 2.10 m #quay");
    world.play(
        "renamed",
        NewPost {
            handle: "QuayCameraLive".into(),
            name: "Quay Camera Live".into(),
            former_handle: Some("quaycam".into()),
            user_id: Some(741_852_963),
            ..old.kept("2019-08-04T06:00:00Z", Archived::LegacyHtml)
        },
    );
    world.archive_profile("quaycam", at("2019-08-01T12:00:00Z"));
    // The handle that became free is another account's now.
    let new =
        post(("quaycam", "Cheap Quay Cams"), "2024-02-02T10:00:00.100Z", "All quay cameras half price until Sunday");
    world.play("taken-over", NewPost { user_id: Some(1_700_000_000_000_000_001), ..new });
    let double = post(
        ("Lena_Varga_", "Léna Varga"),
        "2023-05-17T11:40:00.031Z",
        "Nobody was hurt when the crane came down this morning, two cars are damaged",
    );
    world.play("impostor", double);
}

/// Edits, quotes, answers, and posts longer than they seem.
fn versions(world: &mut World) {
    let first = world
        .play("edited-first", post(BOARD, "2024-10-01T09:00:00.100Z", "Pier 2 reopens at 14:00 after the inspection"));
    if let Some(last) =
        world.edit_post(first, at("2024-10-01T09:12:30.200Z"), "Pier 2 reopens at 16:00 after the inspection")
    {
        world.cast.insert("edited-last", last);
    }
    let quoted = world.play(
        "quoted",
        post(BOARD, "2024-10-02T08:00:00.100Z", "No dredging before the spring tide, the board decided tonight"),
    );
    let link = format!("https://x.com/{}/status/{quoted}", BOARD.0);
    world.play(
        "quoting",
        NewPost {
            quotes: Some(quoted),
            ..post(LENA, "2024-10-02T08:41:05.900Z", "They promised the opposite in May https://t.co/Qu0t1ngLna")
                .linking("Qu0t1ngLna", &link)
        },
    );
    let gone = world.play(
        "quoted-deleted",
        post(COUNT, "2024-10-03T08:00:00.100Z", "The recount begins at nine, all stations").now(State::Deleted),
    );
    let link = format!("https://x.com/{}/status/{gone}", COUNT.0);
    world.play(
        "quoting-deleted",
        NewPost {
            quotes: Some(gone),
            ..post(DESK, "2024-10-03T08:20:00.100Z", "And there it is https://t.co/Qu0t1ngDel")
                .linking("Qu0t1ngDel", &link)
        },
    );
    world.play(
        "answer",
        NewPost {
            answers: Some(quoted),
            ..post(LENA, "2024-10-02T09:00:00.100Z", "@QuayBoard And who asked the fishermen?")
        },
    );
    let long = "A long answer to those who asked how a seal is broken without a trace. First, it is not: every seal of the \
        2019 series has a thread that changes colour in air, and the colour cannot be put back. Second, the numbers are \
        read out twice, once before the box is opened and once after, by two people who may not be of one party.";
    let (head, _) = long.split_at(long.char_indices().nth(270).map_or(0, |(n, _)| n));
    world.play(
        "note",
        NewPost { note: Some(long.into()), ..post(COUNT, "2024-10-05T17:00:00.100Z", &format!("{head}…")) },
    );
}

/// Pictures and films.
fn media(world: &mut World) {
    let photos = |code: &str, count| Some((code.to_owned(), count));
    world.play(
        "photo-2019",
        NewPost {
            photos: photos("Ph0t0Nine9", 1),
            ..post(LENA, "2019-07-07T18:30:00.640Z", "The queue at the consulate, still two hours")
                .kept("2019-07-07T19:00:00Z", Archived::LegacyHtml)
        },
    );
    world.play(
        "photos-four",
        NewPost {
            photos: photos("F0urPh0t0s", 4),
            ..post(LENA, "2025-01-07T18:30:00.640Z", "Four sides of one story")
        },
    );
    world.play(
        "video",
        NewPost {
            video: Some("V1de0P0st5".into()),
            ..post(DESK, "2025-01-08T06:15:00.640Z", "The moment the gate gave way")
        },
    );
    world.play(
        "photo-reused",
        NewPost {
            photos: photos("Re0sedPh0t", 1),
            uploaded: Some(at("2016-04-02T10:00:00.640Z")),
            ..post(COUNT, "2025-01-09T06:15:00.640Z", "Happening right now outside the hall")
        },
    );
    world.play(
        "photo-deleted",
        NewPost {
            photos: photos("G0nePh0t01", 1),
            ..post(LENA, "2019-07-08T18:30:00.640Z", "Names on the wall, all of them")
                .kept("2019-07-09T00:00:00Z", Archived::LegacyHtml)
                .now(State::Deleted)
        },
    );
}

/// Other scripts.
fn scripts(world: &mut World) {
    let say = |lang: &str, made: NewPost| NewPost { lang: lang.into(), ..made };
    world.play(
        "arabic",
        say(
            "ar",
            post(
                ("mina_ar", "أخبار الميناء"),
                "2020-02-16T10:00:00.100Z",
                "الميناء مفتوح اليوم أمام السفن الصغيرة فقط #الميناء",
            ),
        ),
    );
    world.play(
        "russian",
        say(
            "ru",
            post(
                ("port_ru", "Порт сегодня"),
                "2020-02-17T10:00:00.100Z",
                "Паром №2 не вышел в рейс из‑за льда, пассажиров просят ждать на «Причале 4» #лёд",
            ),
        ),
    );
    world.play(
        "japanese",
        say(
            "ja",
            post(
                ("minato_ja", "港だより🌊"),
                "2020-02-18T10:00:00.100Z",
                "３番埠頭は本日休業です。再開は明日午前6時の予定。#港",
            ),
        ),
    );
    world.play(
        "emoji",
        post(("gauge_bot", "Gauge 🌡️🌊"), "2020-02-19T10:00:00.100Z", "👩🏽‍🚒🇳🇴 All crews back 🙏🏼 café naïve — ﬁn"),
    );
}

/// Posts at the edges of a day, and two that say the same.
fn days(world: &mut World) {
    world.play(
        "before-midnight",
        post(DESK, "2023-03-09T23:59:58.900Z", "Last boat has left, good night")
            .kept("2023-03-10T00:10:00Z", Archived::ApiV2Json),
    );
    world.play(
        "after-midnight",
        post(DESK, "2023-03-10T00:00:01.100Z", "First boat is at the pier, good morning")
            .kept("2023-03-10T00:20:00Z", Archived::ApiV2Json),
    );
    for (name, when) in [("twin-a", "2019-11-05T09:00:00.100Z"), ("twin-b", "2019-11-05T17:00:00.100Z")] {
        let made = post(BOARD, when, "Bridge closed to traffic due to wind, use the tunnel");
        world.play(name, made.kept("2019-11-06T00:00:00Z", Archived::LegacyHtml));
    }
    for hour in 0..10 {
        let when = format!("2019-11-07T{:02}:30:00.100Z", hour + 8);
        let text =
            format!("Water level at {:02}:30 is {}.{} m, wind {} knots", hour + 8, 2 + hour / 7, hour, 10 + hour);
        let made = post(("gauge_bot", "Gauge 🌡️🌊"), &when, &text);
        world.add_post(made.kept("2019-11-08T00:00:00Z", Archived::LegacyHtml));
    }
}

/// On other platforms.
fn elsewhere(world: &mut World) {
    world.add_bluesky(
        "lena.replica.example",
        "Léna Varga",
        "The board has published the minutes, page 4 is missing.",
        "2025-02-01T10:00:00.000Z",
    );
    world.add_bluesky(
        "desk.replica.example",
        "Foreign Desk",
        "Our correspondent is at the lock: nothing moves.",
        "2025-02-02T10:00:00.000Z",
    );
    world.add_mastodon("lena", "Léna Varga", "The minutes are back, page 4 included.", at("2025-02-03T10:00:00.123Z"));
    world.add_telegram(
        "quayboard",
        "Quay Board",
        411,
        "Lock closed until 18:00.\nPilots on channel 12.",
        at("2025-02-04T10:00:07Z"),
    );
    let edited =
        world.add_telegram("quayboard", "Quay Board", 412, "Lock open again since 17:40.", at("2025-02-04T17:41:00Z"));
    if let Some(message) = edited.strip_prefix("https://t.me/").and_then(|place| world.telegram.get_mut(place)) {
        message.edited = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::Request;
    use crate::{Options, calendar};

    #[test]
    fn everyone_is_played_and_ids_are_times() {
        let world = World::new(&Options::default());
        assert!(world.cast.len() >= 40, "{}", world.cast.len());
        for (name, id) in &world.cast {
            let post = &world.posts[id];
            assert_eq!(calendar::snowflake_time(*id).as_millisecond(), post.made.at.as_millisecond(), "{name}");
        }
    }

    #[test]
    fn media_are_uploaded_before_their_posts() {
        let world = World::new(&Options::default());
        for post in world.posts.values().filter(|post| !post.media.is_empty()) {
            for name in &post.media {
                let bytes = data_encoding::BASE64URL_NOPAD.decode(name.as_bytes()).unwrap();
                let upload = calendar::snowflake_time(u64::from_be_bytes(bytes[..8].try_into().unwrap()));
                assert!(upload < post.at && name.len() == 15, "{name}");
            }
        }
    }

    #[test]
    fn fates_are_told_apart() {
        let world = World::new(&Options::default());
        let told = |name: &str| {
            let url = format!("https://cdn.syndication.twimg.com/tweet-result?id={}&token=a", world.cast[name]);
            String::from_utf8(world.answer(&Request::get(&url, "curl/8")).wire(false).bytes()).unwrap()
        };
        assert!(told("deleted").contains("deleted by the Post author"));
        assert!(told("suspended").contains("suspended account"));
        assert!(told("withheld").contains("\"tombstone\":{}"));
        assert!(
            told("withheld-bare").ends_with("{\"__typename\":\"TweetTombstone\"}\n")
                || told("withheld-bare").ends_with("Tombstone\"}")
        );
        assert!(told("edited-first").contains("\"isStaleEdit\":true"));
        assert!(told("edited-last").contains("\"isEdited\":true"));
        assert!(told("quoting").contains("\"quoted_tweet\":{"));
        assert!(!told("quoting-deleted").contains("\"quoted_tweet\""));
        assert!(told("marked-up").contains("Q&amp;A at 7 &lt;tonight&gt;"));
        for name in world.cast.keys() {
            let text = told(name);
            let body = text.split("\r\n\r\n").nth(1).unwrap();
            serde_json::from_str::<serde_json::Value>(body).unwrap();
        }
    }
}
