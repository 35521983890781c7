//! Statements, each with one quoted post, and what a careful reader would find.

use std::collections::BTreeMap;

use onrecord_replica::post::Post;

use super::case::{self, Case};
use super::world::World;

/// The cast by what is the matter with each.
struct Cast(BTreeMap<&'static str, Post>);

impl Cast {
    fn post(&self, name: &str) -> &Post {
        self.0.get(name).unwrap_or_else(|| panic!("{name} is not in the cast"))
    }

    fn text(&self, name: &str) -> String {
        self.post(name).remnant()
    }

    /// As a page embeds it: with its permalink.
    fn embed(&self, name: &str) -> String {
        embed(&self.post(name).remnant(), &self.post(name).permalink())
    }
}

/// `words — Name (@handle) date` as the block of a page.
fn embed(remnant: &str, permalink: &str) -> String {
    let (words, by) = remnant.rsplit_once(" — ").unwrap_or_default();
    let (who, date) = by.split_once(") ").unwrap_or_default();
    let escape = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    format!(
        "<!doctype html><html lang=\"en\"><title>A page</title><p>It was said that day:</p>\n\
         <blockquote class=\"twitter-tweet\"><p lang=\"en\" dir=\"ltr\">{}</p>&mdash; {}) \
         <a href=\"{permalink}?ref_src=twsrc%5Etfw\">{date}</a></blockquote>\n<p>So it was.</p></html>\n",
        escape(words),
        escape(who)
    )
}

/// The plain words where a link in them, or the archive's index, leads to the post.
fn cases(cast: &Cast) -> Vec<Case> {
    let mut all = Vec::new();
    let mut add = |name: &'static str, text: String, expect: &[(&'static str, &str)]| {
        let mut case = Case::new(name, &text, expect);
        // the post is named by who is cast in it
        for (_, post) in case.expect.iter_mut().filter(|(key, post)| *key == "post" && post != "none") {
            *post = format!("x:{}", cast.post(post).id);
        }
        all.push(case);
    };
    let good =
        |post: &'static str| [("verdict", "corroborated"), ("text", "agrees"), ("author", "agrees"), ("post", post)];
    let bad =
        |check: &'static str, post: &'static str| [("verdict", "contradicted"), (check, "disagrees"), ("post", post)];
    let none = [("verdict", "none"), ("findings", "0")];

    // true quotes, by each way to the post
    add("true, by the index", cast.text("true"), &good("true"));
    add("true, by permalink", cast.embed("true"), &good("true"));
    add("true, by permalink alone", cast.embed("altered"), &good("altered"));
    add("true, with marks and entities", cast.embed("marked-up"), &good("marked-up"));
    add("true, two links", cast.embed("two-links"), &[good("two-links").as_slice(), &[("links", "agrees")]].concat());
    add(
        "true, by a picture's code",
        cast.text("photo-2019"),
        &[good("photo-2019").as_slice(), &[("media-time", "agrees")]].concat(),
    );
    add("true, four pictures", cast.text("photos-four"), &good("photos-four"));
    add("true, a video", cast.text("video"), &good("video"));
    add(
        "true, an old picture",
        cast.text("photo-reused"),
        &[good("photo-reused").as_slice(), &[("media-time", "agrees")]].concat(),
    );
    add("true, Arabic", cast.embed("arabic"), &good("arabic"));
    add("true, Russian", cast.embed("russian"), &good("russian"));
    add("true, Japanese", cast.embed("japanese"), &good("japanese"));
    add("true, emoji", cast.embed("emoji"), &good("emoji"));
    add(
        "true, a second before midnight",
        cast.text("before-midnight"),
        &[good("before-midnight").as_slice(), &[("date", "agrees")]].concat(),
    );
    add(
        "true, a second after midnight",
        cast.text("after-midnight"),
        &[good("after-midnight").as_slice(), &[("date", "agrees")]].concat(),
    );
    add(
        "true, an excerpt",
        cast.embed("altered").replace(" this morning, two cars are damaged", "…"),
        &good("altered"),
    );
    add(
        "true, an answer without its addressee",
        cast.embed("answer").replace("@QuayBoard And", "And"),
        &good("answer"),
    );
    add("true, a long post", cast.embed("note").replace('…', " …"), &good("note"));

    // what copying does to words
    let lost = cast.embed("emoji").replace("👩🏽‍🚒🇳🇴 ", "").replace(" 🙏🏼", "");
    add("true, emoji lost", lost, &good("emoji"));
    let raw = |name: &str| format!("{} {}", cast.text(name), cast.post(name).permalink());
    let entities = raw("marked-up").replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    add("true, entities left as they were", entities, &good("marked-up"));
    add("true, Russian without its dots", cast.embed("russian").replace('ё', "е"), &good("russian"));
    add("true, Arabic without its hashtag", cast.embed("arabic").replace(" #الميناء", ""), &good("arabic"));
    add("true, Japanese in half width", cast.embed("japanese").replace('３', "3"), &good("japanese"));
    let again = cast.embed("quoted").replace("No dredging", "RT @QuayBoard: No dredging");
    add("true, with a retweet's mark", again, &good("quoted"));
    let own = cast.embed("quoted").replace("the board decided", "[the members] decided");
    add(
        "words of the statement's own in brackets",
        own,
        &[("verdict", "undetermined"), ("text", "unknown"), ("post", "quoted")],
    );
    let two = cast.embed("quoted").replace("tonight", "tonight. Nobody was asked");
    add("two posts of a thread in one quotation", two, &bad("text", "quoted"));
    let stranger = cast.embed("answer").replace("Léna Varga (@lena_varga)", "Quay Board (@QuayBoard)");
    add("an answer in the mouth of whom it answers", stranger, &bad("author", "answer"));

    // one thing altered
    add("a word altered", cast.embed("altered").replace("Nobody was", "Somebody was"), &bad("text", "altered"));
    add("a number altered", cast.embed("altered").replace("two cars", "ten cars"), &bad("text", "altered"));
    add("a word left out", cast.embed("quoted").replace("No dredging", "Dredging"), &bad("text", "quoted"));
    add("a word altered, by the index", cast.text("true").replace("Thursday", "Tuesday"), &bad("text", "true"));
    add("Russian altered", cast.embed("russian").replace("не вышел", "вышел"), &bad("text", "russian"));
    add("Arabic altered", cast.embed("arabic").replace("مفتوح", "مغلق"), &bad("text", "arabic"));
    add("the wrong day", cast.embed("altered").replace("May 17, 2023", "May 19, 2023"), &bad("date", "altered"));
    add("the next day", cast.embed("altered").replace("May 17, 2023", "May 18, 2023"), &bad("date", "altered"));
    add("the wrong year", cast.text("photo-2019").replace("July 7, 2019", "July 7, 2018"), &bad("date", "photo-2019"));
    add(
        "the wrong author",
        cast.embed("altered").replace("Léna Varga (@lena_varga)", "Quay Board (@QuayBoard)"),
        &bad("author", "altered"),
    );
    add("a double's words", cast.embed("impostor").replace("@Lena_Varga_", "@lena_varga"), &bad("author", "impostor"));

    // no longer shown: the archive's copy speaks
    for name in ["deleted", "suspended", "protected", "age-gated", "withheld", "withheld-bare", "empty"] {
        // what the platform keeps from readers without a login, its own embeds may still show
        let embeds = matches!(name, "age-gated" | "withheld" | "withheld-bare");
        let ending = if embeds { "captured" } else { "captured-from-archive" };
        let expect = [good(name).as_slice(), &[("ending", ending)]].concat();
        add(name, cast.embed(name), &expect);
    }
    add(
        "deleted, by the index",
        cast.text("stream-only"),
        &[good("stream-only").as_slice(), &[("ending", "captured-from-archive")]].concat(),
    );
    add(
        "deleted, a word altered",
        cast.text("deleted").replace("4 am", "6 am"),
        &[bad("text", "deleted").as_slice(), &[("ending", "captured-from-archive")]].concat(),
    );
    add("deleted, microdata", cast.embed("microdata-only"), &good("microdata-only"));
    add(
        "deleted, a picture",
        cast.text("photo-deleted"),
        &[good("photo-deleted").as_slice(), &[("ending", "captured-from-archive")]].concat(),
    );
    add(
        "deleted, no copy",
        cast.embed("deleted-unkept"),
        &[none.as_slice(), &[("ending", "gone"), ("post", "deleted-unkept")]].concat(),
    );
    add(
        "deleted, an empty copy",
        cast.embed("shell-only"),
        &[none.as_slice(), &[("ending", "gone"), ("post", "shell-only")]].concat(),
    );

    // names that changed, versions, quotes
    let old = cast.embed("renamed").replace("Quay Camera Live (@QuayCameraLive)", "Quay Camera (@quaycam)");
    add("renamed since", old, &[("post", "renamed"), ("author", "disagrees"), ("verdict", "corroborated")]);
    let taken = cast.embed("taken-over");
    add("the handle's new owner", taken, &[("post", "taken-over"), ("author", "agrees"), ("verdict", "corroborated")]);
    add(
        "an edited post's first version",
        cast.embed("edited-first"),
        &[good("edited-first").as_slice(), &[("edits", "unknown")]].concat(),
    );
    add("an edited post's last version", cast.embed("edited-last"), &good("edited-last"));
    let mixed = cast.embed("edited-last").replace("16:00", "14:00");
    add(
        "the first version's words, the last one's link",
        mixed,
        &[("post", "edited-last"), ("text", "agrees"), ("edits", "agrees"), ("verdict", "corroborated")],
    );
    let never = cast.embed("edited-last").replace("16:00", "18:00");
    add(
        "what no version of an edited post said",
        never,
        &[("post", "edited-last"), ("text", "disagrees"), ("edits", "disagrees"), ("verdict", "contradicted")],
    );
    add("a quoting post", cast.embed("quoting"), &good("quoting"));
    let words = cast
        .embed("quoting")
        .replace("They promised the opposite in May", "No dredging before the spring tide, the board decided tonight");
    add("the quoted post's words in the quoter's mouth", words, &bad("text", "quoting"));
    add("a quoting post whose quoted one is gone", cast.embed("quoting-deleted"), &good("quoting-deleted"));
    add(
        "two posts with the same words",
        cast.text("twin-a"),
        &[("verdict", "undetermined"), ("findings", "2"), ("post", "none")],
    );
    all
}

fn cast(world: &World) -> Cast {
    world.replica.set(|world| {
        Cast(world.cast.iter().filter_map(|(name, id)| Some((*name, world.posts.get(id)?.clone()))).collect())
    })
}

/// Writes every statement and gives their names.
pub(super) fn write(world: &World) -> Vec<String> {
    case::written(world, "x", &cases(&cast(world)))
}

#[test]
fn every_annotated_statement_end_to_end() {
    let world = World::new();
    let cast = cast(&world);
    let cases = cases(&cast);
    assert!(cases.len() >= 40, "{}", cases.len());
    case::judge(&world, "x", &cases);
}
