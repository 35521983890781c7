//! Statements as a stranger would try them: links that lie, letters that only look alike, dates that can be read two ways, words left
//! out on purpose, quotations in another language.

use jiff::Timestamp;
use onrecord_replica::post::{Archived, NewPost, State};
use onrecord_replica::reply::Reply;
use onrecord_replica::world;

use super::case::{Case, judge};
use super::world::World;

fn at(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

#[derive(Default)]
struct Cases(Vec<Case>);

impl Cases {
    fn add(&mut self, name: &'static str, text: &str, expect: &[(&'static str, &str)]) {
        self.0.push(Case::new(name, text, expect));
    }
}

const LENA: (&str, &str) = ("lena_varga", "Léna Varga");
const BOARD: (&str, &str) = ("QuayBoard", "Quay Board");

fn post(world: &mut world::World, who: (&str, &str), text: &str, when: &str, more: NewPost) -> u64 {
    let base = NewPost { handle: who.0.into(), name: who.1.into(), text: text.into(), at: at(when), ..more };
    world.add_post(base)
}

fn on_x(world: &mut world::World, cases: &mut Cases) {
    let words = "The council did not approve the new berth, whatever the papers say this week.";
    let id = post(world, LENA, words, "2024-03-07T10:00:00Z", NewPost::default());
    let name = format!("x:{id}");
    let by = "Léna Varga (@lena_varga) March 7, 2024";
    let good = [("verdict", "corroborated"), ("text", "agrees"), ("post", name.as_str())];
    let bad = |check: &'static str| [("verdict", "contradicted"), (check, "disagrees"), ("post", name.as_str())];
    cases.add(
        "a permalink under somebody else's handle",
        &format!("“{words}” — Quay Board (@QuayBoard) March 7, 2024 https://x.com/QuayBoard/status/{id}"),
        &bad("author"),
    );
    for (what, link) in [
        (
            "a mobile address with its tracking",
            format!("https://mobile.twitter.com/lena_varga/status/{id}?s=20&t=aB3_x"),
        ),
        ("a front end's address", format!("https://fxtwitter.com/lena_varga/status/{id}")),
        ("an address of until 2010", format!("http://twitter.com/#!/lena_varga/statuses/{id}")),
        ("an embed's address", format!("https://platform.twitter.com/embed/Tweet.html?id={id}")),
    ] {
        cases.add(what, &format!("“{words}” — {by} {link}"), &good);
    }
    cases.add(
        "letters of another script that look alike",
        &format!("“{}” — {by} https://x.com/lena_varga/status/{id}", words.replace("approve", "аpprove")),
        &[bad("text").as_slice(), &[("said", "has letters of two scripts")]].concat(),
    );
    cases.add(
        "invisible characters between the letters",
        &format!("“{}” — {by} https://x.com/lena_varga/status/{id}", words.replace("berth", "be\u{200b}r\u{2060}th")),
        &good,
    );
    cases.add(
        "an omission that stands for one word",
        &format!("“{}” — {by} https://x.com/lena_varga/status/{id}", words.replace("did not approve", "did … approve")),
        &[("verdict", "undetermined"), ("text", "unknown"), ("said", "all that the mark stands for is")],
    );
    cases.add(
        "an omission that stands for a clause",
        &format!("“The council did not approve […] this week” — {by} https://x.com/lena_varga/status/{id}"),
        &good,
    );
    cases.add(
        "a translation",
        &format!(
            "“Der Rat hat den neuen Liegeplatz nicht genehmigt, was auch immer die Zeitungen diese Woche schreiben.” — {by} https://x.com/lena_varga/status/{id}"
        ),
        &[("verdict", "undetermined"), ("text", "unknown"), ("said", "a translation is not judged by its words")],
    );
    cases.add(
        "other words in the post's own language",
        &format!("“Everybody on the council was paid by the owners of the dock, and nobody denies it any more.” — {by} https://x.com/lena_varga/status/{id}"),
        &bad("text"),
    );
    cases.add(
        "the hundredth of the digits altered",
        &format!("“{}” — {by} https://x.com/lena_varga/status/{id}", words.replace("new", "new 3rd")),
        &bad("text"),
    );

    // the first draft, deleted, and what replaced it an hour later; each is quoted
    let kept = |when: &str| vec![(at(when), Archived::ApiV2Json)];
    let draft = "Berth 9 will open on 1 May for vessels of up to 90 metres.";
    let first = post(
        world,
        BOARD,
        draft,
        "2024-03-08T09:00:00Z",
        NewPost { state: State::Deleted, archived: kept("2024-03-08T09:20:00Z"), ..NewPost::default() },
    );
    let second = post(
        world,
        BOARD,
        &draft.replace("1 May", "7 May"),
        "2024-03-08T10:00:00Z",
        NewPost { archived: kept("2024-03-08T10:20:00Z"), ..NewPost::default() },
    );
    let (first, second) = (format!("x:{first}"), format!("x:{second}"));
    let by = "Quay Board (@QuayBoard) March 8, 2024";
    cases.add(
        "the draft that was deleted",
        &format!("“{draft}” — {by}"),
        &[("verdict", "corroborated"), ("post", &first), ("ending", "captured-from-archive")],
    );
    cases.add(
        "what replaced the draft",
        &format!("“{}” — {by}", draft.replace("1 May", "7 May")),
        &[("verdict", "corroborated"), ("post", &second), ("ending", "captured")],
    );
    cases.add(
        "a date with two readings, of which the second is right",
        &format!("“{draft}” — Quay Board (@QuayBoard) 08/03/2024"),
        &[("verdict", "corroborated"), ("post", &first), ("date", "agrees")],
    );
    // whose link leads to the post that is quoted inside
    let inner = post(world, LENA, "They will not let us in.", "2024-03-09T09:00:00Z", NewPost::default());
    let outer = post(
        world,
        BOARD,
        "This is not true, the gate is open to all https://t.co/StrngQt001",
        "2024-03-09T10:00:00Z",
        NewPost {
            quotes: Some(inner),
            links: vec![("StrngQt001".into(), format!("https://x.com/lena_varga/status/{inner}"))],
            archived: kept("2024-03-09T10:20:00Z"),
            ..NewPost::default()
        },
    );
    cases.add(
        "a link in the words that leads to another's post",
        "“This is not true, the gate is open to all https://t.co/StrngQt001” — Quay Board (@QuayBoard) March 9, 2024",
        &[("verdict", "corroborated"), ("post", &format!("x:{outer}"))],
    );
    // the code of a picture that is somebody else's
    let pictured = post(
        world,
        LENA,
        "The gate from the water side",
        "2024-03-10T09:00:00Z",
        NewPost { photos: Some(("StrngPic01".into(), 1)), ..NewPost::default() },
    );
    cases.add(
        "somebody else's picture behind the words",
        "“The gate is open to all, see for yourselves pic.twitter.com/StrngPic01” — Quay Board (@QuayBoard) March 10, 2024",
        &[("verdict", "contradicted"), ("author", "disagrees"), ("post", &format!("x:{pictured}"))],
    );
    let shouted =
        post(world, LENA, "Who signs for the keys? Nobody. #QuayGate", "2024-03-11T09:00:00Z", NewPost::default());
    let link = format!("https://x.com/lena_varga/status/{shouted}");
    for (what, quoted, text) in [
        ("in capitals", "WHO SIGNS FOR THE KEYS? NOBODY. #QUAYGATE", "agrees"),
        ("with guillemets inside", "«Who signs for the keys?» Nobody. #QuayGate", "agrees"),
        ("with its link written as one more word", "Who signs for the keys? Nobody. #QuayGate [link]", "unknown"),
        ("the question left out", "Nobody. #QuayGate", "unknown"),
        ("its answer left out", "Who signs for the keys? #QuayGate", "disagrees"),
    ] {
        cases.add(what, &format!("“{quoted}” — Léna Varga (@lena_varga) March 11, 2024 {link}"), &[("text", text)]);
    }
    cases.add(
        "the words before the numbers began, and no link",
        "“Just setting up our port office” — Quay Board (@QuayBoard) March 21, 2006",
        &[("verdict", "none"), ("ending", "unsupported"), ("post", "none")],
    );
}

fn elsewhere(world: &mut world::World, cases: &mut Cases) {
    let words = "Pilots are asked to stay on board until the fog lifts.";
    world.add_telegram("fogline", "Fog Line", 12, words, at("2025-04-03T10:00:00Z"));
    world.add_telegram("fogline", "Fog Line", 13, "The fog has lifted.", at("2025-04-03T18:00:00Z"));
    let found = [("verdict", "corroborated"), ("post", "telegram:fogline/12"), ("text", "agrees")];
    cases.add("a channel in capitals", &format!("“{words}” — Fog Line (@FogLine) on Telegram, April 3, 2025"), &found);
    cases.add("03/04 on a list", &format!("“{words}” — Fog Line (t.me/fogline) 03/04/2025"), &found);
    cases.add("04/03 on a list", &format!("“{words}” — Fog Line (t.me/fogline) 04/03/2025"), &found);
    let uri = world.add_bluesky("fog.replica.example", "Fog", words, "2025-04-03T10:00:00.000Z");
    let name = uri.replace("at://", "bluesky:").replace("app.bsky.feed.post/", "");
    cases.add(
        "a domain in capitals",
        &format!("“{words}” — Fog (@Fog.Replica.Example) April 3, 2025"),
        &[("verdict", "corroborated"), ("post", &name)],
    );
    let url = world.add_video(
        "fogFilm0001",
        ("FogFilms", "Fog Films"),
        ("Fog at the pier", "No cuts."),
        at("2025-04-03T10:00:00Z"),
    );
    cases.add(
        "words that are spoken in a film",
        &format!("“Nobody told us that the pilots had gone home” — Fog Films (@FogFilms) April 3, 2025 {url}"),
        &[("verdict", "undetermined"), ("text", "unknown"), ("author", "agrees")],
    );
    // each way to write where a post is
    let (did, rkey) = name.trim_start_matches("bluesky:").split_once('/').unwrap_or_default();
    let fedi = world.add_mastodon("fogboat", "Fog Boat", words, at("2025-04-03T10:00:00Z"));
    let id = fedi.rsplit('/').next().unwrap_or_default().to_owned();
    let reddit = world.add_reddit("2fogg1", "harbour", "fog_boat", (words, "So it says."), at("2025-04-03T10:00:00Z"));
    world.route("www.reddit.com", "/r/harbour/s/aB3dE5fG7h", Reply::to(301, &reddit));
    world.page("bit.ly/3StrFog", Reply::to(301, &reddit));
    let ways = [
        ("Fog (@fog.replica.example)", format!("at://{did}/app.bsky.feed.post/{rkey}"), name.clone()),
        ("Fog (@fog.replica.example)", format!("https://bsky.app/profile/{did}/post/{rkey}"), name.clone()),
        ("Fog Line (@fogline)", "https://t.me/s/fogline/12".into(), "telegram:fogline/12".into()),
        ("Fog Line (@fogline)", "https://telegram.me/FogLine/12?single".into(), "telegram:fogline/12".into()),
        ("Fog Line (@fogline)", "https://t.me/fogline/12?comment=345".into(), "telegram:fogline/12".into()),
        (
            "Fog Boat (@fogboat@fedi.replica.example)",
            format!("https://fedi.replica.example/users/fogboat/statuses/{id}"),
            format!("mastodon:fedi.replica.example/{id}"),
        ),
        ("fog_boat (@fog_boat)", "https://www.reddit.com/r/harbour/s/aB3dE5fG7h".into(), "reddit:2fogg1".into()),
        ("fog_boat (@fog_boat)", "https://redd.it/2fogg1".into(), "reddit:2fogg1".into()),
        ("fog_boat (@fog_boat)", "https://bit.ly/3StrFog".into(), "reddit:2fogg1".into()),
    ];
    for (who, link, post) in ways {
        let what: &'static str = link.clone().leak();
        let expect = [("verdict", "corroborated"), ("text", "agrees"), ("post", post.as_str())];
        cases.add(what, &format!("“{words}” — {who} April 3, 2025 {link}"), &expect);
    }
    for link in [
        "https://youtu.be/fogFilm0001?t=30",
        "https://m.youtube.com/watch?v=fogFilm0001&list=x",
        "https://www.youtube.com/shorts/fogFilm0001",
        "https://www.youtube.com/live/fogFilm0001?feature=share",
    ] {
        let expect = [("verdict", "corroborated"), ("text", "agrees"), ("post", "youtube:fogFilm0001")];
        cases.add(link, &format!("“Fog at the pier” — Fog Films (@FogFilms) April 3, 2025 {link}"), &expect);
    }
    // another account's post, in the list of a server that mixes them
    world.add_mastodon("fogger", "Fogger", words, at("2025-04-03T11:00:00Z"));
    cases.add(
        "another account's words",
        &format!("“{words}” — Fog Horn (@foghorn@fedi.replica.example) April 3, 2025"),
        &[("verdict", "none"), ("post", "none")],
    );
}

#[test]
fn what_a_stranger_would_try() {
    let world = World::new();
    let mut cases = Cases::default();
    world.replica.set(|world| {
        on_x(world, &mut cases);
        elsewhere(world, &mut cases);
    });
    assert!(cases.0.len() >= 20, "{}", cases.0.len());
    judge(&world, "stranger", &cases.0);
}
