//! The site that a statement names beside an account: `@name` alone is how X writes one, unless the words around it say where else.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::{Told, place};
use crate::citation::Kind;
use crate::citation::mark::{Mark, What};
use crate::platform::post::Platform;

/// Sites as languages write them; inflection adds a few letters.
const SITES: &[(&str, Platform)] = &[
    ("telegram", Platform::Telegram),
    ("телеграм", Platform::Telegram),
    ("телеграмм", Platform::Telegram),
    ("تيليغرام", Platform::Telegram),
    ("تلغرام", Platform::Telegram),
    ("تلگرام", Platform::Telegram),
    ("טלגרם", Platform::Telegram),
    ("youtube", Platform::Youtube),
    ("ютуб", Platform::Youtube),
    ("يوتيوب", Platform::Youtube),
    ("reddit", Platform::Reddit),
    ("bluesky", Platform::Bluesky),
    ("mastodon", Platform::Mastodon),
    ("мастодон", Platform::Mastodon),
    ("instagram", Platform::Instagram),
    ("инстаграм", Platform::Instagram),
    ("facebook", Platform::Facebook),
    ("фейсбук", Platform::Facebook),
    ("tiktok", Platform::Tiktok),
    ("тикток", Platform::Tiktok),
];
/// What says that it was X after all.
const X: &[&str] = &["twitter", "tweet", "retweet", "твит", "tuit", "تويتر", "ツイート", "tweeted", "tweets"];
/// Letters that inflection adds at most.
const ENDING: usize = 3;
/// What stands before a place; Latin, Greek and Cyrillic ones are words of their own.
const BEFORE: &[&str] = &[
    "on",
    "via",
    "from",
    "in",
    "at",
    "to",
    "auf",
    "bei",
    "über",
    "sur",
    "dans",
    "en",
    "por",
    "su",
    "op",
    "på",
    "na",
    "no",
    "w",
    "we",
    "la",
    "в",
    "на",
    "через",
    "у",
    "من",
    "على",
    "عبر",
    "في",
    "his",
    "her",
    "its",
    "their",
    "our",
    "the",
    "a",
    "el",
    "le",
    "der",
    "dem",
    "den",
    "im",
    "il",
    "seinem",
    "ihrem",
    "son",
    "sa",
    "su",
    "свой",
    "своем",
    "своём",
    "официальном",
];
/// What a site has that is somebody's.
const HAS: &[&str] =
    &["channel", "page", "account", "post", "video", "kanal", "canal", "chaîne", "канал", "kanał", "قناة", "thread"];

/// The one site other than X that the words around a post name: outside the quoted words and the author's name.
pub(super) fn named(text: &str, told: &Told) -> Option<Platform> {
    let before = place::before(text, 0, told.span.start);
    let before = before.rsplit('\n').next().unwrap_or_default();
    let before = before.rsplit(". ").next().unwrap_or_default();
    let behind = place::behind(text, told.span.end).split('\n').next().unwrap_or_default();
    let behind = behind.split(". ").next().unwrap_or_default();
    let inside = [told.span.start..told.quoted.start, told.quoted.end..told.span.end];
    let inside = inside.map(|range: Range<usize>| text.get(range).unwrap_or_default());
    let quoted = text.get(told.quoted.clone()).unwrap_or_default();
    if ["t.co/", "pic.twitter.com/", "pic.x.com/"].iter().any(|code| quoted.contains(code)) {
        return None;
    }
    if ![before, inside[0], inside[1], behind].into_iter().any(may_name) {
        return None;
    }
    let name = told.author.as_deref().unwrap_or_default();
    let around = [before, inside[0], inside[1], behind]
        .map(|part| if name.is_empty() { part.to_owned() } else { part.replace(name, "(") });
    let mut found = None;
    for part in &around {
        match in_part(part)? {
            Some(site) if found.is_some_and(|other| other != site) => return None,
            Some(site) => found = Some(site),
            None => {}
        }
    }
    found
}

/// Whether a site's name stands in a stretch at all: in most there is none.
fn may_name(part: &str) -> bool {
    static ANY: LazyLock<Option<Regex>> = LazyLock::new(|| {
        let names: Vec<&str> = SITES.iter().map(|(name, _)| *name).collect();
        Regex::new(&format!("(?i){}", names.join("|"))).ok()
    });
    ANY.as_ref().is_some_and(|any| any.is_match(part))
}

/// The site named in a stretch; the outer none where that is X, or where there are several.
#[expect(clippy::option_option, reason = "no site, and too many, are two things")]
fn in_part(part: &str) -> Option<Option<Platform>> {
    let mut found = None;
    let words: Vec<(usize, &str)> = words(part).collect();
    for (n, (at, word)) in words.iter().enumerate() {
        let own = part.get(..*at).is_some_and(|front| front.ends_with(['@', '#', '/', '.', '@']));
        if own || part.get(at + word.len()..).is_some_and(|rest| rest.starts_with(".com")) {
            continue;
        }
        let lower = word.to_lowercase();
        if X.iter().any(|x| lower == *x) {
            return None;
        }
        let Some(site) = site(&lower) else { continue };
        let before = n.checked_sub(1).and_then(|n| words.get(n)).map(|(_, word)| word.to_lowercase());
        let behind = words.get(n + 1).map(|(_, word)| word.to_lowercase()).unwrap_or_default();
        let placed = before.is_some_and(|word| BEFORE.contains(&word.as_str()))
            || part.get(..*at).is_some_and(|front| {
                front.trim_end().is_empty() || front.trim_end().ends_with([',', '(', '[', '|', '·', '•', '—', '–', ';'])
            })
            || HAS.iter().any(|has| behind.starts_with(has));
        if placed && found.is_some_and(|other| other != site) {
            return None;
        }
        found = if placed { Some(site) } else { found };
    }
    Some(found)
}

fn words(part: &str) -> impl Iterator<Item = (usize, &str)> {
    let base = part.as_ptr() as usize;
    part.split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(move |word| (word.as_ptr() as usize - base, word))
}

fn site(lower: &str) -> Option<Platform> {
    let is = |(name, _): &&(&str, Platform)| {
        lower
            .strip_prefix(name)
            .is_some_and(|ending| ending.is_empty() || name.len() > 4 && ending.chars().count() <= ENDING)
    };
    SITES.iter().find(is).map(|(_, platform)| *platform)
}

/// Gives the account of a post that the words around place elsewhere to that site: the handle in its stretch is no account of X.
pub(in crate::citation) fn move_handle(marks: &mut [Mark<'_>], kind: &Kind, span: (usize, usize)) {
    let Kind::Post { platform, handle: Some(handle), .. } = kind else { return };
    if *platform == Platform::X {
        return;
    }
    let first = marks.partition_point(|mark| mark.start < span.0);
    for mark in marks.iter_mut().skip(first).take_while(|mark| mark.start < span.1) {
        match &mut mark.what {
            // a name with dots reads like a domain until something says where it is
            What::Handle(place @ (Platform::X | Platform::Bluesky), own) if own == handle => *place = *platform,
            _ => {}
        }
    }
}

/// Behind `on Telegram,`, `, YouTube,` and the like; `at` where nothing of the kind stands there.
pub(super) fn behind(text: &str, at: usize) -> usize {
    let rest = place::behind(text, at);
    let start = rest.trim_start_matches([' ', ',', '·', '|', '\u{a0}']);
    let offset = rest.len() - start.len();
    let mut all = words(start);
    let (Some(first), second) = (all.next().filter(|(at, _)| *at == 0), all.next()) else { return at };
    let end = |(from, word): (usize, &str)| at + offset + from + word.len();
    if site(&first.1.to_lowercase()).is_some() {
        return end(first);
    }
    let one_blank =
        |second: &(usize, &str)| start.get(first.1.len()..second.0).is_some_and(|gap| gap.trim().is_empty());
    match second.filter(one_blank) {
        Some(second)
            if BEFORE.contains(&first.1.to_lowercase().as_str()) && site(&second.1.to_lowercase()).is_some() =>
        {
            end(second)
        }
        _ => at,
    }
}

#[cfg(test)]
mod tests {
    use crate::citation::{Kind, found_in};

    fn platforms(text: &str) -> Vec<String> {
        let found = found_in("", text);
        let told = found.into_iter().filter_map(|c| match c.kind {
            Kind::Post { platform, handle, .. } => {
                Some(format!("{} {}", platform.as_str(), handle.unwrap_or_default()))
            }
            _ => None,
        });
        told.collect()
    }

    #[test]
    fn the_words_around_say_where_it_was_posted() {
        for (text, want) in [
            ("“The gate is shut.” — Dock Line (@dockline) on Telegram, April 2, 2025", "telegram dockline"),
            ("“The gate is shut.” — Dock Line (@dockline), Telegram, April 2, 2025", "telegram dockline"),
            ("“The gate is shut.” — Dock Line (@dockline) April 2, 2025, on Telegram", "telegram dockline"),
            ("On Telegram, Dock Line (@dockline) wrote on April 2, 2025: “The gate is shut.”", "telegram dockline"),
            (
                "Dock Line (@dockline) wrote on its Telegram channel on April 2, 2025: “The gate is shut.”",
                "telegram dockline",
            ),
            ("“The gate is shut” — Tide Films (@TideFilms), YouTube, April 2, 2025", "youtube TideFilms"),
            ("“Nine cranes are idle” — tally_ho (@tally_ho) on Reddit, April 2, 2025", "reddit tally_ho"),
            ("Порт (@port_nord) написал в Телеграме 2 апреля 2025 г.: «Ворота закрыты.»", "telegram port_nord"),
            ("“The gate is shut.” — Dock Line (t.me/dockline) April 2, 2025", "telegram dockline"),
            (
                "“The gate is shut.” — Tide Films (https://www.youtube.com/@TideFilms) April 2, 2025",
                "youtube TideFilms",
            ),
            ("“The gate is shut.” — tally_ho (reddit.com/user/tally_ho) April 2, 2025", "reddit tally_ho"),
        ] {
            assert_eq!(platforms(text), [want], "{text}");
        }
    }

    #[test]
    fn the_account_is_of_that_site_too() {
        for (text, want) in [
            (
                "“The gate is shut.” — Dock Line (@dockline) on Telegram, April 2, 2025. Elsewhere @dockline said so.",
                ["telegram", "x"],
            ),
            (
                "<p>“The gate is shut.” — Dock Line (@dockline) on Telegram, April 2, 2025</p><p>@dockline said so</p>",
                ["telegram", "x"],
            ),
        ] {
            let found = found_in("", text);
            let of: Vec<&str> = found
                .iter()
                .filter_map(
                    |c| if let Kind::Handle { platform, .. } = &c.kind { Some(platform.as_str()) } else { None },
                )
                .collect();
            assert_eq!(of, want, "{text}");
        }
    }

    #[test]
    fn a_site_that_is_only_spoken_of_is_not_the_place() {
        for text in [
            "“The gate is shut.” — Dock Line (@dockline) April 2, 2025",
            "“Telegram is down.” — Dock Line (@dockline) April 2, 2025",
            "“We moved to Telegram.” — Dock Line (@dockline) April 2, 2025",
            "“The gate is shut.” — YouTube (@YouTube) April 2, 2025",
            "“The gate is shut.” — Telegram Messenger (@telegram) April 2, 2025",
            "Dock Line (@dockline) tweeted on April 2, 2025 about Telegram: “The gate is shut.”",
            "On Telegram nobody spoke. “The gate is shut.” — Dock Line (@dockline) April 2, 2025",
            "On Telegram and on Reddit, Dock Line (@dockline) wrote on April 2, 2025: “The gate is shut.”",
            "“The gate is shut https://t.co/AEoFZOhI3p” — Dock Line (@dockline) on Telegram, April 2, 2025",
        ] {
            assert_eq!(
                platforms(text),
                ["x ".to_owned()
                    + if text.contains("YouTube (") {
                        "YouTube"
                    } else if text.contains("(@telegram") {
                        "telegram"
                    } else {
                        "dockline"
                    }],
                "{text}"
            );
        }
    }
}
