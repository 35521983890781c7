//! Statements that quote posts of Bluesky, Mastodon, Telegram, YouTube and Reddit, and what a careful reader would find.

use jiff::Timestamp;
use onrecord_replica::world;

use super::case::{self, Case};
use super::world::World;

/// A post that a statement quotes.
#[derive(Clone)]
struct Said {
    words: &'static str,
    who: &'static str,
    handle: String,
    date: &'static str,
    url: String,
}

impl Said {
    /// `“words” — Name (@handle) date URL`.
    fn quoted(&self) -> String {
        format!("“{}” — {} (@{}) {} {}", self.words, self.who, self.handle, self.date, self.url)
    }

    fn with(&self, words: &'static str) -> Self {
        Self { words, ..self.clone() }
    }

    fn on(&self, date: &'static str) -> Self {
        Self { date, ..self.clone() }
    }

    fn by(&self, who: &'static str, handle: &str) -> Self {
        Self { who, handle: handle.to_owned(), ..self.clone() }
    }
}

#[derive(Default)]
struct Cases(Vec<Case>);

impl Cases {
    fn add(&mut self, name: &str, text: &str, expect: &[(&'static str, &str)]) {
        self.0.push(Case::new(name, text, expect));
    }

    /// True, altered by one word, of the wrong day, by the wrong author.
    fn four(
        &mut self,
        platform: &str,
        said: &Said,
        altered: &'static str,
        day: &'static str,
        other: (&'static str, &str),
    ) {
        let good = [
            ("verdict", "corroborated"),
            ("author", "agrees"),
            ("date", "agrees"),
            ("text", "agrees"),
            ("ending", "captured"),
        ];
        let bad = |check: &'static str| [("verdict", "contradicted"), (check, "disagrees")];
        self.add(&format!("{platform}: true"), &said.quoted(), &good);
        self.add(&format!("{platform}: a word altered"), &said.with(altered).quoted(), &bad("text"));
        self.add(&format!("{platform}: the wrong day"), &said.on(day).quoted(), &bad("date"));
        self.add(&format!("{platform}: the wrong author"), &said.by(other.0, other.1).quoted(), &bad("author"));
    }
}

fn at(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

fn gone(world: &mut world::World, name: &str) {
    world.gone.insert(name.to_owned());
}

/// `bluesky:did/rkey` and the page of an at-URI.
fn bluesky(uri: &str, handle: &str) -> (String, String) {
    let mut parts = uri.trim_start_matches("at://").split('/');
    let (did, rkey) = (parts.next().unwrap_or_default(), parts.nth(1).unwrap_or_default());
    (format!("bluesky:{did}/{rkey}"), format!("https://bsky.app/profile/{handle}/post/{rkey}"))
}

fn on_bluesky(world: &mut world::World, cases: &mut Cases) {
    let handle = "quay.replica.example";
    let mut say = |text: &'static str, when: &str| {
        let (name, url) = bluesky(&world.add_bluesky(handle, "Quay Workers", text, when), handle);
        (name, Said { words: text, who: "Quay Workers", handle: handle.into(), date: "April 2, 2025", url })
    };
    let (_, said) = say("We will not load a ship whose papers nobody may read.", "2025-04-02T10:00:00.000Z");
    let (lost, deleted) = say("The vote was nine to two, whatever the board says.", "2025-04-02T11:00:00.000Z");
    let (kept, archived) = say("Three of us were called in this morning.", "2025-04-02T12:00:00.000Z");
    cases.four(
        "Bluesky",
        &said,
        "We will now load a ship whose papers nobody may read.",
        "April 5, 2025",
        ("Foreign Desk", "desk.replica.example"),
    );
    let none = [("verdict", "none"), ("findings", "0"), ("ending", "gone")];
    cases.add(
        "Bluesky: deleted, proved absent",
        &deleted.quoted(),
        &[none.as_slice(), &[("post", &lost), ("why", "does not hold the post")]].concat(),
    );
    let copied = [
        ("verdict", "corroborated"),
        ("ending", "captured-from-archive"),
        ("text", "agrees"),
        ("author", "agrees"),
        ("post", &kept),
    ];
    cases.add("Bluesky: deleted, kept by an archive", &archived.quoted(), &copied);
    let altered = archived.with("Four of us were called in this morning.");
    cases.add(
        "Bluesky: deleted, kept, altered",
        &altered.quoted(),
        &[("verdict", "contradicted"), ("text", "disagrees"), ("ending", "captured-from-archive")],
    );
    world.keep(&archived.url, at("2025-04-03T00:00:00Z"));
    gone(world, &lost);
    gone(world, &kept);

    // the handle was changed since: the account's own signed history says so
    let old = "crane.replica.example";
    let uri =
        world.add_bluesky(old, "Crane Crew", "The new rota is out, and it is the old one.", "2025-04-06T10:00:00.000Z");
    let (name, page) = bluesky(&uri, name_of_did(&uri));
    world.renamed.insert(old.to_owned(), ("2025-06-01T00:00:00.000Z".into(), "cranecrew.replica.example".into()));
    let said = Said {
        words: "The new rota is out, and it is the old one.",
        who: "Crane Crew",
        handle: old.into(),
        date: "April 6, 2025",
        url: page,
    };
    let renamed = [("verdict", "corroborated"), ("author", "disagrees"), ("text", "agrees"), ("post", name.as_str())];
    cases.add("Bluesky: renamed since", &said.quoted(), &renamed);
}

fn name_of_did(uri: &str) -> &str {
    uri.trim_start_matches("at://").split('/').next().unwrap_or_default()
}

fn on_mastodon(world: &mut world::World, cases: &mut Cases) {
    let mut say = |text: &'static str, when: &str| {
        let url = world.add_mastodon("quay", "Quay Workers", text, at(when));
        let name = format!("mastodon:fedi.replica.example/{}", url.rsplit('/').next().unwrap_or_default());
        let handle = "quay@fedi.replica.example".to_owned();
        (name, Said { words: text, who: "Quay Workers", handle, date: "April 2, 2025", url })
    };
    let (_, said) = say("The ferry will not sail before the crew is paid.", "2025-04-02T10:00:00.123Z");
    let (lost, deleted) = say("Nobody told us of a meeting.", "2025-04-02T11:00:00.123Z");
    let (kept, archived) = say("The minutes were changed after the vote.", "2025-04-02T12:00:00.123Z");
    let (edited_name, edited) = say("The strike begins on Monday at six.", "2025-04-02T13:00:00.123Z");
    cases.four(
        "Mastodon",
        &said,
        "The ferry will not sail before the crew is asked.",
        "March 2, 2025",
        ("Léna Varga", "lena@fedi.replica.example"),
    );
    let none = [("verdict", "none"), ("findings", "0"), ("ending", "gone")];
    cases.add("Mastodon: deleted", &deleted.quoted(), &[none.as_slice(), &[("post", &lost)]].concat());
    let copied = [
        ("verdict", "corroborated"),
        ("ending", "captured-from-archive"),
        ("text", "agrees"),
        ("author", "agrees"),
        ("post", &kept),
    ];
    cases.add("Mastodon: deleted, kept by an archive", &archived.quoted(), &copied);
    world.keep(&archived.url, at("2025-04-03T00:00:00Z"));
    gone(world, lost.trim_start_matches("mastodon:").to_owned().as_str());
    gone(world, &lost);
    gone(world, &kept);

    world.edit_mastodon(&edited.url, "The strike begins on Tuesday at six.", at("2025-04-02T15:00:00Z"));
    let first = [("verdict", "corroborated"), ("text", "agrees"), ("edits", "agrees"), ("post", &edited_name)];
    cases.add("Mastodon: what it said before it was edited", &edited.quoted(), &first);
    let last = edited.with("The strike begins on Tuesday at six.");
    cases.add("Mastodon: what it says since it was edited", &last.quoted(), &first);
    let never = edited.with("The strike begins on Friday at six.");
    cases.add(
        "Mastodon: what no version said",
        &never.quoted(),
        &[("verdict", "contradicted"), ("text", "disagrees"), ("edits", "disagrees")],
    );
}

fn on_telegram(world: &mut world::World, cases: &mut Cases) {
    let mut say = |number: u64, text: &'static str, when: &str| {
        let url = world.add_telegram("dockline", "Dock Line", number, text, at(when));
        (
            format!("telegram:dockline/{number}"),
            Said { words: text, who: "Dock Line", handle: "dockline".into(), date: "April 2, 2025", url },
        )
    };
    let (_, said) = say(7, "Gate 3 stays shut until the inspectors have left.", "2025-04-02T10:00:07Z");
    let (lost, deleted) = say(8, "Two trucks went in at night.", "2025-04-02T11:00:07Z");
    let (kept, archived) = say(9, "The list of names is not ours.", "2025-04-02T12:00:07Z");
    let (_, edited) = say(10, "Паром не вышел в рейс из-за льда.", "2025-04-02T13:00:07Z");
    cases.four(
        "Telegram",
        &said,
        "Gate 3 stays open until the inspectors have left.",
        "April 9, 2025",
        ("Quay Board", "quayboard"),
    );
    let none = [("verdict", "none"), ("findings", "0"), ("ending", "gone")];
    cases.add(
        "Telegram: deleted",
        &deleted.quoted(),
        &[none.as_slice(), &[("post", &lost), ("why", "Post not found")]].concat(),
    );
    let copied = [
        ("verdict", "corroborated"),
        ("ending", "captured-from-archive"),
        ("text", "agrees"),
        ("author", "agrees"),
        ("post", &kept),
    ];
    cases.add("Telegram: deleted, kept by an archive", &archived.quoted(), &copied);
    world.keep(&format!("{}?embed=1&mode=tme", archived.url), at("2025-04-03T00:00:00Z"));
    world.keep(&archived.url, at("2025-04-02T13:00:00Z"));
    gone(world, &lost);
    gone(world, &kept);
    if let Some(message) = world.telegram.get_mut("dockline/10") {
        message.edited = true;
    }
    cases.add(
        "Telegram: edited, and quoted as it is",
        &edited.quoted(),
        &[("verdict", "corroborated"), ("edits", "unknown")],
    );
    let other = edited.with("Паром вышел в рейс из-за льда.");
    // what it said before, Telegram tells nobody
    cases.add(
        "Telegram: edited, and quoted otherwise",
        &other.quoted(),
        &[("verdict", "undetermined"), ("text", "disagrees")],
    );
}

fn on_youtube(world: &mut world::World, cases: &mut Cases) {
    let mut say = |id: &str, text: &'static str, when: &str| {
        let below = "Filmed from the old pier, nothing was cut.\nSecond camera: the tug.";
        let url = world.add_video(id, ("TideFilms", "Tide Films"), (text, below), at(when));
        (
            format!("youtube:{id}"),
            Said { words: text, who: "Tide Films", handle: "TideFilms".into(), date: "April 2, 2025", url },
        )
    };
    let (_, said) = say("tideFilm001", "The night the lower steps went under", "2025-04-02T10:00:00Z");
    let (lost, deleted) = say("tideFilm002", "What the harbour master told us", "2025-04-02T11:00:00Z");
    let (kept, archived) = say("tideFilm003", "Ten minutes at gate three", "2025-04-02T12:00:00Z");
    cases.four(
        "YouTube",
        &said,
        "The night the upper steps went under",
        "April 30, 2025",
        ("Harbour Bulletin", "HarbourBulletin"),
    );
    let below = said.with("Filmed from the old pier, nothing was cut.");
    cases.add(
        "YouTube: the words below the video",
        &below.quoted(),
        &[("verdict", "corroborated"), ("text", "agrees")],
    );
    let none = [("verdict", "none"), ("findings", "0"), ("ending", "gone")];
    cases.add(
        "YouTube: deleted",
        &deleted.quoted(),
        &[none.as_slice(), &[("post", &lost), ("why", "status 404")]].concat(),
    );
    let copied = [
        ("verdict", "corroborated"),
        ("ending", "captured-from-archive"),
        ("text", "agrees"),
        ("author", "agrees"),
        ("post", &kept),
    ];
    cases.add("YouTube: deleted, kept by an archive", &archived.quoted(), &copied);
    world.keep(&archived.url, at("2025-04-03T00:00:00Z"));
    gone(world, &lost);
    gone(world, &kept);
}

fn on_reddit(world: &mut world::World, cases: &mut Cases) {
    let mut say = |id: &str, title: &'static str, body: &str, when: &str| {
        let url = world.add_reddit(id, "harbour", "tally_ho", (title, body), at(when));
        (
            format!("reddit:{id}"),
            Said { words: title, who: "tally_ho", handle: "tally_ho".into(), date: "April 2, 2025", url },
        )
    };
    let body = "I counted them twice, from the wall & from the boat.";
    let (_, said) = say("2aaa01", "Nine cranes are idle this morning", body, "2025-04-02T10:00:00Z");
    let (_, removed) = say("2aaa02", "Somebody cut the mooring lines", "It was the blue tug.", "2025-04-02T11:00:00Z");
    let (kept, archived) = say("2aaa03", "The pilot was never asked", "Ask him.", "2025-04-02T12:00:00Z");
    let (lost, missing) = say("2aaa04", "A post that is no more", "Nothing.", "2025-04-02T12:30:00Z");
    cases.four("Reddit", &said, "Five cranes are idle this morning", "April 30, 2025", ("odelie_m", "odelie_m"));
    let below = said.with("I counted them twice, from the wall & from the boat.");
    cases.add("Reddit: the words below the title", &below.quoted(), &[("verdict", "corroborated"), ("text", "agrees")]);
    let none = [("verdict", "none"), ("findings", "0"), ("ending", "gone")];
    cases.add("Reddit: not there", &missing.quoted(), &[none.as_slice(), &[("post", &lost), ("why", "404")]].concat());
    cases.add(
        "Reddit: deleted, the title stays",
        &removed.quoted(),
        &[("verdict", "undetermined"), ("author", "unknown"), ("text", "agrees")],
    );
    let copied = [
        ("verdict", "corroborated"),
        ("ending", "captured-from-archive"),
        ("text", "agrees"),
        ("author", "agrees"),
        ("post", &kept),
    ];
    cases.add("Reddit: not there, kept by an archive", &archived.quoted(), &copied);
    world.keep(&archived.url, at("2025-04-03T00:00:00Z"));
    gone(world, &lost);
    gone(world, &kept);
    if let Some(post) = world.reddit.get_mut("2aaa02") {
        post.deleted = true;
    }
}

/// Puts every post into the world and composes the statements over them.
fn cases(world: &World) -> Vec<Case> {
    let mut cases = Cases::default();
    world.replica.set(|world| {
        for platform in [on_bluesky, on_mastodon, on_telegram, on_youtube, on_reddit] {
            platform(world, &mut cases);
        }
    });
    cases.0
}

pub(super) fn write(world: &World) -> Vec<String> {
    case::written(world, "other", &cases(world))
}

#[test]
fn every_platform_has_its_statements() {
    let world = World::new();
    case::judge(&world, "other", &cases(&world));
}

#[test]
fn handles_lead_to_the_number_that_lasts() {
    let world = World::new();
    write(&world);
    let said = "Seen there: @quay.replica.example, @quay@fedi.replica.example, https://t.me/dockline/7 and https://www.youtube.com/@TideFilms, \
        and @QuayBoard of X: https://x.com/QuayBoard/status/";
    let (id, did, names) = world.replica.set(|world| {
        let did =
            world.bluesky.values().find(|post| post.handle == "quay.replica.example").map(|post| post.did.clone());
        (world.cast["quoted"], did.expect("an account"), said.to_owned())
    });
    let statement = world.statement("handles.txt", &format!("{names}{id}\n"));
    let run = world.json("run", &[statement]);
    let all = run["statements"][0]["citations"].as_array().expect("citations").clone();
    let account = |raw: &str| all.iter().find(|c| c["raw"] == raw).map(|c| c["account"].clone()).unwrap_or_default();
    assert_eq!(account("@quay.replica.example")["id"], did.as_str(), "{all:#?}");
    assert_eq!(account("@quay@fedi.replica.example")["id"], "https://fedi.replica.example/users/quay");
    assert!(account("@QuayBoard")["id"].is_string(), "by the post captured beside it: {all:#?}");
    // links to posts show the account that the capture gives
    let shown = world.json(
        "sql",
        &["SELECT platform, author_id FROM posts WHERE author_id IS NOT NULL ORDER BY platform".to_owned()],
    );
    let rows = shown.to_string();
    for platform in ["telegram", "x"] {
        assert!(rows.contains(platform), "{rows}");
    }
}
