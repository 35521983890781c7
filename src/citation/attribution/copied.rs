//! A post copied from the page of its platform: name, handle, a middle dot, a day or an age, the words.

use std::ops::Range;

use super::{Ground, Seat, Told, place, quoted};
use crate::citation::letters::char_at;
use crate::citation::mark::What;
use crate::format::day::{self, Day};
use crate::format::effort::looked_at;

/// Longer ones are no post's words (X allows 25,000 characters to those who pay, and pages show a few hundred of them).
const LONGEST: usize = 8 * 1024;

/// Reads `Name⏎@handle⏎·⏎3h⏎words` and its one-line kin.
pub(super) fn read(ground: &Ground<'_, '_>, seat: &Seat<'_, '_>) -> Option<Told> {
    let text = ground.text;
    if let Some([b' ', next, ..] | [next, ..]) = text.as_bytes().get(seat.mark.end..)
        && next.is_ascii_graphic()
    {
        return None;
    }
    let mut at = place::skip_blank(text, seat.mark.end);
    if !matches!(char_at(text, at), Some('·' | '•')) {
        return opened(ground, seat);
    }
    at = place::skip_blank(text, at + 2 + usize::from(char_at(text, at) == Some('•')));
    let name = name_before(text, seat)?;
    let day = day::read(text, at, ground.language).filter(|d| d.start == at);
    let yearless = day::behind_yearless(text, at).filter(|_| day.is_none()).map(|end| at..end);
    let date = day.as_ref().map(|d| d.start..d.end).or(yearless);
    let after = match &date {
        Some(date) => date.end,
        None => behind_age(text, at)?,
    };
    let words = words_behind(ground, seat, after);
    let end = words.end.max(after);
    Some(Told {
        span: name.start..end,
        platform: seat.platform,
        author: text.get(name).map(str::to_owned),
        handle: Some(seat.handle.to_owned()),
        readings: day.map(|d| d.readings).unwrap_or_default(),
        permalink: date.as_ref().and_then(|d| ground.permalink(seat, d, 2)),
        date,
        quoted: words,
        candidate: false,
    })
}

/// Reads the page of one post, whose day stands below the words: `Name⏎@handle⏎words⏎10:05 AM · Mar 11, 2024 · 1.2M Views`.
fn opened(ground: &Ground<'_, '_>, seat: &Seat<'_, '_>) -> Option<Told> {
    let text = ground.text;
    let line = place::before(text, seat.floor, seat.mark.start).rsplit('\n').next()?;
    if !line.trim().is_empty() || !is_alone(place::behind(text, seat.mark.end)) {
        return None;
    }
    let name = name_before(text, seat)?;
    let (at, day) = day_below(ground, seat)?;
    let words = quoted::trimmed(text, seat.mark.end..at);
    let date = day.start..day.end;
    Some(Told {
        span: name.start..day.end,
        platform: seat.platform,
        author: text.get(name).map(str::to_owned),
        handle: Some(seat.handle.to_owned()),
        readings: day.readings,
        permalink: ground.permalink(seat, &date, 2),
        date: Some(date),
        candidate: false,
        quoted: words.clone(),
    })
    .filter(|_| !words.is_empty())
}

/// Whether nothing stands in the rest of a line.
fn is_alone(rest: &str) -> bool {
    rest.split('\n').next().is_some_and(|line| line.trim().is_empty()) && rest.contains('\n')
}

/// The line of a clock and a day below the words, and where it begins: before the next account that has its line to itself.
fn day_below(ground: &Ground<'_, '_>, seat: &Seat<'_, '_>) -> Option<(usize, Day)> {
    let text = ground.text;
    let rest = text.get(seat.mark.end..place::floor(text, seat.mark.end + LONGEST))?;
    let mut at = seat.mark.end;
    for line in rest.split_inclusive('\n') {
        looked_at(line.len());
        let bare = line.trim();
        if bare.starts_with('@') && !bare.contains(char::is_whitespace) {
            return None;
        }
        if let Some(day) = stamp(text, at, line, ground.language) {
            return Some((at, day));
        }
        at += line.len();
    }
    None
}

/// The day of `10:05 AM · Mar 11, 2024 · 1.2M Views`, a line that begins at `at`.
fn stamp(text: &str, at: usize, line: &str, language: Option<&str>) -> Option<Day> {
    let (clock, rest) = line.split_once('·')?;
    let digits = |s: &str| s.bytes().rev().take_while(u8::is_ascii_digit).count();
    let is_clock = clock.chars().count() <= 16
        && clock.match_indices([':', '.', 'h']).any(|(i, _)| {
            let minutes = clock.get(i + 1..).unwrap_or_default().bytes().take_while(u8::is_ascii_digit).count();
            (1..=2).contains(&digits(clock.get(..i).unwrap_or_default())) && minutes == 2
        });
    let from = at + clock.len() + '·'.len_utf8();
    let day = is_clock.then(|| day::read(text, from, language)).flatten()?;
    let behind = line.get(day.end.checked_sub(at)?..)?.trim();
    (rest.len() < 120 && (behind.is_empty() || behind.starts_with('·'))).then_some(day)
}

/// The name: the line before the handle's, or what stands before the handle in its own line.
fn name_before(text: &str, seat: &Seat<'_, '_>) -> Option<Range<usize>> {
    let before = place::before(text, seat.floor, seat.mark.start);
    let base = seat.mark.start - before.len();
    let trimmed = before.trim_end_matches(place::is_blank);
    let line = trimmed.rfind('\n').map_or(0, |i| i + 1);
    let name = quoted::trimmed(text, base + line..base + trimmed.len());
    let count = text.get(name.clone())?.chars().count();
    (count > 0 && count <= 60).then_some(name)
}

/// Behind `3h`, `12 min`, `2 d`: how long ago, of no use without the hour of the copy.
fn behind_age(text: &str, at: usize) -> Option<usize> {
    let line = place::behind(text, at).split('\n').next()?;
    let digits = line.chars().take_while(|c| c.is_numeric()).count();
    let unit: String =
        line.chars().skip(digits).skip_while(|c| *c == ' ').take_while(|c| c.is_alphabetic() || *c == '.').collect();
    let len: usize =
        line.chars().take_while(|c| c.is_numeric() || *c == ' ').map(char::len_utf8).sum::<usize>() + unit.len();
    ((1..=2).contains(&digits) && (1..=6).contains(&unit.chars().count())).then_some(at + len)
}

/// The words: the lines that follow, up to a blank line, the counters or the next post.
fn words_behind(ground: &Ground<'_, '_>, seat: &Seat<'_, '_>, after: usize) -> Range<usize> {
    let text = ground.text;
    let near = ground.marks.iter().skip(seat.n + 1).take_while(|m| m.start < after + 2 * LONGEST);
    let next = near.filter(|m| matches!(m.what, What::Handle(..)) && m.start >= after).find(|m| {
        let at = place::skip_blank(text, m.end);
        matches!(char_at(text, at), Some('·' | '•'))
    });
    let start = place::skip_blank(text, after);
    let mut end = start;
    let limit = next.map_or(place::floor(text, start + 2 * LONGEST), |m| {
        let head = text.get(start..m.start).unwrap_or_default().trim_end();
        start + head.rfind('\n').unwrap_or(0)
    });
    for line in text.get(start..limit.max(start)).unwrap_or_default().split_inclusive('\n') {
        if line.trim().is_empty() || is_counter(line) || end - start + line.len() > LONGEST {
            break;
        }
        end += line.len();
    }
    quoted::trimmed(text, start..end)
}

/// `1,234`, `56K`, `12 Likes`: what the page counts.
fn is_counter(line: &str) -> bool {
    let line = line.trim();
    line.starts_with(|c: char| c.is_numeric())
        && line
            .split_whitespace()
            .all(|w| w.chars().all(|c| c.is_numeric() || matches!(c, ',' | '.' | 'K' | 'M' | 'k')))
}

#[cfg(test)]
mod tests {
    use crate::citation::{Kind, found_in};

    fn cited(name: &str, text: &str) -> Vec<String> {
        let found = found_in(name, text);
        let told = found.into_iter().filter_map(|c| {
            let guess = if c.candidate { " ?" } else { "" };
            match c.kind {
                Kind::Handle { platform, handle } => Some(format!("{} {handle}{guess}", platform.as_str())),
                Kind::Post { platform, author, handle, date, quoted, .. } => Some(format!(
                    "post {} {} @{} {} [{quoted}]{guess}",
                    platform.as_str(),
                    author.unwrap_or_default(),
                    handle.unwrap_or_default(),
                    date.unwrap_or_default()
                )),
                _ => None,
            }
        });
        told.collect()
    }

    #[test]
    fn the_page_of_one_post_has_its_day_below() {
        for (stamp, date) in [
            ("10:05 AM · Mar 11, 2024 · 1.2M Views", "2024-03-11"),
            ("10:05 AM · Mar 11, 2024", "2024-03-11"),
            ("10:05 · 11 mars 2024 · 1,2 M vues", "2024-03-11"),
            ("午前10:05 · 2024年3月11日 · 1.2万 件の表示", "2024-03-11"),
        ] {
            let text =
                format!("Jane Doe\n@jane_doe\nThe pier is closed today.\n\nAsk #harbour.\n{stamp}\n\nMore text.");
            let want = format!("post x Jane Doe @jane_doe {date} [The pier is closed today.\n\nAsk #harbour.]");
            assert_eq!(cited("a.txt", &text), [want, "x jane_doe".to_owned()], "{text}");
        }
    }

    #[test]
    fn a_list_of_accounts_is_no_page_of_a_post() {
        for text in [
            "Jane Doe\n@jane_doe\nMara Quay\n@mara_quay\nThe pier\n",
            "Jane Doe\n@jane_doe\nThe pier is closed, 10:05 AM, Mar 11, 2024\n",
            "Jane Doe\n@jane_doe\nThe pier is closed\n10:05 AM · Mar 11, 2024 said the clock\n",
            "Thanks to\nJane Doe @jane_doe\nThe pier is closed\n10:05 AM · Mar 11, 2024\n",
        ] {
            assert!(cited("a.txt", text).iter().all(|c| !c.starts_with("post")), "{text}");
        }
    }
}
