//! A remnant that lost its account: words that end in a link of X, a dash, a name and a day. Always a candidate.

use super::{Ground, Told, place, quoted, remnant};
use crate::citation::letters::char_at;
use crate::citation::mark::Mark;
use crate::format::day;
use crate::platform::post::Platform;

/// Longer ones are no names.
const LONGEST: usize = 60;

/// Reads what stands behind the link `mark`, which is the ground's `n`th.
pub(super) fn read(ground: &Ground<'_, '_>, n: usize, mark: &Mark<'_>, floor: usize) -> Option<Told> {
    let text = ground.text;
    let dash = place::skip_blank(text, mark.end);
    let c = char_at(text, dash).filter(|c| matches!(c, '—' | '―' | '–') || *c == '-' && dash > mark.end)?;
    let from = dash + c.len_utf8();
    let line = place::behind(text, from).split('\n').next()?;
    let end = from + line.len();
    // another link, handle or tag belongs to other words
    if ground.marks.get(n + 1).is_some_and(|next| next.start < end && next.start < from + LONGEST) {
        return None;
    }
    let day = day::first(text, from..end, ground.language)?;
    let name = quoted::trimmed(text, from..day.start);
    let bare = text.get(name)?.trim_end_matches([',', ' ', '·', '(']);
    if !is_name(bare) || !ends_there(text, day.end) {
        return None;
    }
    let words = quoted::within(text, remnant::region(ground, floor, dash, ground.embed(mark.start)));
    let start = Some(words.start).filter(|_| !words.is_empty())?;
    Some(Told {
        span: start..day.end,
        platform: Platform::X,
        author: Some(bare.to_owned()),
        handle: None,
        date: Some(day.start..day.end),
        readings: day.readings,
        quoted: words,
        permalink: None,
        candidate: true,
    })
}

/// A name: some words, all of which could stand in one, and no sentence.
fn is_name(name: &str) -> bool {
    let words = name.split_whitespace().count();
    let small = name.split_whitespace().filter(|w| w.starts_with(char::is_lowercase)).count();
    (1..=6).contains(&words)
        && name.chars().count() <= LONGEST
        && small * 2 <= words
        && !name.contains(['@', '/', '"', '“', '”', ':', ';', '!', '?'])
        && !name.contains(". ")
        && name.starts_with(char::is_alphanumeric)
}

/// The date ends its line, or its sentence.
fn ends_there(text: &str, at: usize) -> bool {
    let behind = place::behind(text, at).split('\n').next().unwrap_or_default();
    let behind = behind.trim_start_matches([')', '.', ',', '”', '"']);
    behind.trim().is_empty() || behind.starts_with(' ')
}

#[cfg(test)]
mod tests {
    use crate::citation::{Kind, found_in};

    fn posts(text: &str) -> Vec<String> {
        let found = found_in("", text);
        let told = found.into_iter().filter_map(|c| match c.kind {
            Kind::Post { author, handle: None, date, quoted, .. } if c.candidate => {
                Some(format!("{} {} {quoted}", author.unwrap_or_default(), date.unwrap_or_default()))
            }
            _ => None,
        });
        told.collect()
    }

    #[test]
    fn a_name_and_a_day_behind_a_link_are_a_candidate() {
        assert_eq!(
            posts("Pier open again https://t.co/AEoFZOhI3p — Ana Ruiz, March 6, 2026\n\nMore words."),
            ["Ana Ruiz 2026-03-06 Pier open again https://t.co/AEoFZOhI3p"]
        );
        assert_eq!(
            posts("Der Hafen ist zu pic.twitter.com/AZJTrKcoce – Odelie de Maas 10. Juni 2019"),
            ["Odelie de Maas 2019-06-10 Der Hafen ist zu pic.twitter.com/AZJTrKcoce"]
        );
    }

    #[test]
    fn what_only_looks_like_one_is_none() {
        for text in [
            "Pier open https://t.co/AEoFZOhI3p — Ana Ruiz (@ana_ruiz9) March 6, 2026",
            "Pier open https://t.co/AEoFZOhI3p — as the harbour office said on March 6, 2026",
            "See https://t.co/AEoFZOhI3p — https://t.co/AEoFZOhI3q of March 6, 2026",
            "Pier open https://example.org/a — Ana Ruiz, March 6, 2026",
            "Pier open https://t.co/AEoFZOhI3p - it opened on 6 March 2026",
            "https://t.co/AEoFZOhI3p — Ana Ruiz, yesterday",
        ] {
            assert_eq!(posts(text), Vec::<String>::new(), "{text}");
        }
    }
}
