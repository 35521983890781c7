//! References as style guides write them: name, handle, quoted words, site, day (MLA, APA, Chicago and their kin).

use std::ops::Range;

use super::{Ground, Seat, Told, place, quoted, remnant};
use crate::citation::letters::{char_at, char_before, is_opening_quote};
use crate::citation::mark::What;
use crate::format::day::{self, Day};

/// Reads a reference built around a handle in brackets, or one that begins a line.
pub(super) fn read(ground: &Ground<'_, '_>, seat: &Seat<'_, '_>) -> Option<Told> {
    let text = ground.text;
    let frame = frame(text, seat)?;
    if frame.name.as_ref().and_then(|n| text.get(n.clone())).is_some_and(super::prose::ends_in_a_place) {
        return None;
    }
    // a dash behind quoted words makes the name theirs, not that of what follows
    if remnant::signed(text, seat.mark, seat.floor).is_some() {
        return None;
    }
    let mut at = place::skip_blank(text, frame.end);
    while let Some('.' | ',' | ':') = char_at(text, at) {
        at = place::skip_blank(text, at + 1);
    }
    let (words, day) =
        if char_at(text, at) == Some('(') { dated_first(ground, at)? } else { quoted_first(ground, at)? };
    if is_anothers(ground, seat, words.end..day.start) {
        return None;
    }
    let author = name(text, seat, &frame);
    let start = frame.name.as_ref().map_or(seat.mark.start, |n| n.start).min(words.start);
    let date = day.start..day.end;
    let end = date.end.max(words.end);
    Some(Told {
        span: start..end,
        platform: seat.platform,
        author,
        handle: Some(seat.handle.to_owned()),
        permalink: ground.permalink(seat, &(end..end), 48),
        readings: day.readings,
        date: Some(date),
        quoted: words,
        candidate: false,
    })
}

/// Whether the day behind the words is of another account, which stands between the two.
fn is_anothers(ground: &Ground<'_, '_>, seat: &Seat<'_, '_>, between: Range<usize>) -> bool {
    let behind = ground.marks.iter().skip(seat.n + 1).skip_while(|m| m.start < between.start);
    behind.take_while(|m| m.start < between.end).any(|m| matches!(m.what, What::Handle(..)))
}

/// The brackets around the handle and the name before them.
struct Frame {
    name: Option<Range<usize>>,
    end: usize,
}

fn frame(text: &str, seat: &Seat<'_, '_>) -> Option<Frame> {
    let before = char_before(text, seat.mark.start);
    let after = char_at(text, seat.mark.end);
    if !matches!((before, after), (Some('['), Some(']')) | (Some('('), Some(')')) | (_, Some('.'))) {
        return None;
    }
    let near = place::before(text, seat.floor, seat.mark.start);
    let line = seat.mark.start - near.len() + near.rfind('\n').map_or(0, |i| i + 1);
    match (before, after) {
        (Some('['), Some(']')) | (Some('('), Some(')')) => {
            let name =
                quoted::trimmed(text, line.max(seat.mark.start.saturating_sub(place::WINDOW))..seat.mark.start - 1);
            Some(Frame { name: text.get(name.clone()).map(|_| name), end: seat.mark.end + 1 })
        }
        _ => {
            let alone = text.get(line..seat.mark.start)?.chars().all(|c| !c.is_alphabetic());
            alone.then_some(Frame { name: None, end: seat.mark.end })
        }
    }
}

/// The name in front of the brackets: what the line holds there, without a list's number.
fn name(text: &str, seat: &Seat<'_, '_>, frame: &Frame) -> Option<String> {
    let raw = text.get(frame.name.clone()?)?;
    let raw = raw.trim_start_matches(|c: char| {
        c.is_ascii_digit() || matches!(c, '.' | ')' | '[' | ']' | '-' | '*' | '•' | '–') || c.is_whitespace()
    });
    let name = raw.trim_end_matches([',', ' ', ':']).trim();
    // a whole sentence is no name: its last words may be
    let name = if name.chars().count() > 60 || name.contains(". ") && !name.contains(", ") {
        super::prose::name_before(text, seat)?
    } else {
        name.to_owned()
    };
    (!name.is_empty()).then_some(name)
}

/// `(2019, June 10). The words [Tweet]. Twitter.`
fn dated_first(ground: &Ground<'_, '_>, open: usize) -> Option<(Range<usize>, Day)> {
    let text = ground.text;
    let day = day::read(text, open + 1, ground.language)?;
    let tail = place::behind(text, day.end);
    let close = tail.find(')').filter(|i| *i <= 24)?;
    let from = day.end + close + 1;
    let rest = place::behind(text, from);
    let end = rest.find('[').or_else(|| rest.find("https://")).unwrap_or_else(|| rest.find('\n').unwrap_or(rest.len()));
    let words = quoted::trimmed(text, from..from + end);
    let skipped = text.get(words.clone())?;
    let lead = skipped.len() - skipped.trim_start_matches(['.', ',', ' ']).len();
    let words = quoted::within(text, words.start + lead..words.end);
    (!words.is_empty()).then_some((words, day))
}

/// `“The words.” Twitter, 10 June 2019, 4:52 a.m.`
fn quoted_first(ground: &Ground<'_, '_>, at: usize) -> Option<(Range<usize>, Day)> {
    let text = ground.text;
    if !char_at(text, at).is_some_and(|c| is_opening_quote(c) && c != '\'') {
        return None;
    }
    let window = text.get(at..place::floor(text, at + 2 * place::WINDOW))?;
    let window = window.split("\n\n").next()?;
    let (frame, inside) = quoted::pair(window)?;
    if frame.start != 0 {
        return None;
    }
    let from = at + frame.end;
    let tail = place::behind(text, from);
    let line = tail.split('\n').next().unwrap_or_default();
    let day = day::first(text, from..from + place::floor(line, 96), ground.language)?;
    Some((quoted::trimmed(text, at + inside.start..at + inside.end), day))
}
