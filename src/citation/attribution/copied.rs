//! A post copied from the page of its platform: name, handle, a middle dot, a day or an age, the words.

use std::ops::Range;

use super::{Ground, Seat, Told, place, quoted};
use crate::citation::letters::char_at;
use crate::citation::mark::What;
use crate::format::day;

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
        return None;
    }
    at = place::skip_blank(text, at + 2 + usize::from(char_at(text, at) == Some('•')));
    let name = name_before(text, seat)?;
    let day = day::read(text, at, ground.language).filter(|d| d.start == at);
    let after = match &day {
        Some(day) => day.end,
        None => behind_age(text, at)?,
    };
    let words = words_behind(ground, seat, after);
    let date = day.as_ref().map(|d| d.start..d.end);
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
