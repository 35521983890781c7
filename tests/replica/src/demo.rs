//! The founding case: the three posts that the sample statement cites, and where their links lead.
//!
//! Names, handles, days, codes and the quoted words are those of the statement; ids, media, articles and captures are
//! composed here, and fit them.

use crate::calendar::at;
use crate::hosts::article::{Article, Sent};
use crate::hosts::shortener;
use crate::post::{Archived, NewPost};
use crate::world::World;

const STATEMENT_PAGE: &str =
    "https://eeas.europa.eu/headquarters/headquarters-homepage/63902/presidential-elections-republic-kazakhstan_en";
const ASIA_TIMES: &str = "https://asiatimes.com/2019/06/article/kazakhstan-elects-handpicked-successor/";

/// Adds the three posts and their pages.
pub(crate) fn populate(world: &mut World) {
    spokesperson(world);
    newspaper(world);
    correspondent(world);
    for handle in ["MajaEUspox", "asiatimesonline", "rayhandemytrie"] {
        world.archive_profile(handle, at("2019-06-01T12:00:00Z"));
    }
}

fn spokesperson(world: &mut World) {
    world.add_post(NewPost {
        handle: "MajaEUspox".into(),
        name: "Maja Kocijančič".into(),
        text: "On the presidential elections in the Republic of Kazakhstan 🇰🇿 https://t.co/AEoFZOhI3p".into(),
        at: at("2019-06-10T15:04:37.412Z"),
        links: vec![("AEoFZOhI3p".into(), STATEMENT_PAGE.into())],
        archived: vec![
            (at("2019-06-10T15:31:08Z"), Archived::LegacyHtml),
            (at("2019-06-10T15:04:51Z"), Archived::StreamJson),
            (at("2021-02-02T10:00:00Z"), Archived::Shell),
        ],
        ..NewPost::default()
    });
    // Other posts of the same day: the words decide.
    world.add_post(NewPost {
        handle: "MajaEUspox".into(),
        name: "Maja Kocijančič".into(),
        text: "Today's midday briefing starts in ten minutes, questions on trade and on the neighbourhood welcome"
            .into(),
        at: at("2019-06-10T09:50:12.008Z"),
        archived: vec![(at("2019-06-10T10:15:00Z"), Archived::LegacyHtml)],
        ..NewPost::default()
    });
    world.add_article(&Article {
        site: "EEAS".into(),
        author: "The spokesperson".into(),
        published: at("2019-06-10T14:55:00Z"),
        sent: Sent::Plain,
        requisites: true,
        ..Article::note(
            STATEMENT_PAGE.trim_start_matches("https://"),
            "On the presidential elections in the Republic of Kazakhstan",
            &[
                "A spokesperson's reading of the vote of 9 June, in the replica's own words: the election was an \
                 opening for reform, and the observers sent by the OSCE found that the opening was not used.",
                "The mission saw an efficient administration and serious irregularities side by side, and the \
                 detention of people who had come out to protest in peace.",
                "The Union expects the findings to be answered, and keeps its offer of support to whoever answers them.",
            ],
        )
    });
}

fn newspaper(world: &mut World) {
    world.add_post(NewPost {
        handle: "asiatimesonline".into(),
        name: "Asia Times".into(),
        text: "Kazakhstan elected the hand-picked successor of former president Nursultan Nazarbayev with 70% of the \
               vote, as police arrested hundreds of protesters. #Kazakhstan #KazakhElection https://t.co/Mph7cr3obq"
            .into(),
        at: at("2019-06-09T23:41:19.730Z"),
        links: vec![("Mph7cr3obq".into(), "https://bit.ly/2KcTQx8".into())],
        archived: vec![
            (at("2019-06-09T23:58:40Z"), Archived::LegacyHtml),
            (at("2022-07-20T08:00:00Z"), Archived::Microdata),
        ],
        ..NewPost::default()
    });
    world.add_post(NewPost {
        handle: "asiatimesonline".into(),
        name: "Asia Times".into(),
        text: "Kazakhstan votes today: what to watch as the country picks its second president. #Kazakhstan".into(),
        at: at("2019-06-09T03:12:00.115Z"),
        archived: vec![(at("2019-06-09T04:00:00Z"), Archived::StreamJson)],
        ..NewPost::default()
    });
    shortener::bitly(world, "bit.ly/2KcTQx8", ASIA_TIMES);
    world.add_article(&Article {
        site: "Asia Times".into(),
        author: "A correspondent".into(),
        published: at("2019-06-09T22:30:00Z"),
        sent: Sent::GzipChunked,
        requisites: true,
        ..Article::note(
            ASIA_TIMES.trim_start_matches("https://"),
            "Kazakhstan elects hand-picked successor",
            &[
                "The result surprised nobody: the candidate chosen by the country's first president took seven votes \
                 in ten, by the official count.",
                "In the two largest cities police led hundreds of people away from squares on which they had gathered.",
                "<p>Observers are due to report on <a href=\"/2019/06/article/observers/\">Monday</a>.</p>",
            ],
        )
    });
}

fn correspondent(world: &mut World) {
    world.add_post(NewPost {
        handle: "rayhandemytrie".into(),
        name: "rayhan demytrie".into(),
        text: "The site of Sunday protests in #NurSultan riot police all along the Republic Street #KazakhElection"
            .into(),
        at: at("2019-06-10T05:27:44.951Z"),
        photos: Some(("AZJTrKcoce".into(), 1)),
        archived: vec![(at("2019-06-10T06:02:10Z"), Archived::LegacyHtml)],
        ..NewPost::default()
    });
    world.add_post(NewPost {
        handle: "rayhandemytrie".into(),
        name: "rayhan demytrie".into(),
        text: "Quiet now in #NurSultan, the shops along the avenue have opened again".into(),
        at: at("2019-06-10T11:20:03.600Z"),
        archived: vec![(at("2019-06-10T12:00:00Z"), Archived::LegacyHtml)],
        ..NewPost::default()
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Options;
    use crate::calendar::long;

    #[test]
    fn the_three_posts_read_as_statements_quote_them() {
        let world = World::new(&Options::default());
        let remnants: Vec<String> = world.posts.values().map(crate::post::Post::remnant).collect();
        let ends = [
            "🇰🇿 https://t.co/AEoFZOhI3p — Maja Kocijančič (@MajaEUspox) June 10, 2019",
            "#KazakhElection https://t.co/Mph7cr3obq — Asia Times (@asiatimesonline) June 9, 2019",
            "#KazakhElection pic.twitter.com/AZJTrKcoce — rayhan demytrie (@rayhandemytrie) June 10, 2019",
        ];
        for end in ends {
            assert_eq!(remnants.iter().filter(|remnant| remnant.ends_with(end)).count(), 1, "{end}");
        }
    }

    #[test]
    fn ids_fall_on_the_cited_days() {
        let world = World::new(&Options::default());
        for (code, day) in
            [("AEoFZOhI3p", "June 10, 2019"), ("Mph7cr3obq", "June 9, 2019"), ("AZJTrKcoce", "June 10, 2019")]
        {
            let of = |post: &&crate::post::Post| post.made.text.contains(code);
            let id = world.posts.values().find(of).map_or(0, |post| post.id);
            assert_eq!(long(crate::calendar::snowflake_time(id)), day, "{code}");
        }
    }
}
