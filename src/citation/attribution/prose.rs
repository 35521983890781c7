//! Prose that quotes a post: a handle, a verb, a day and words in quotation marks near each other. Always a candidate.

use super::{Ground, Seat, Told, place, quoted};
use crate::citation::letters::char_before;
use crate::format::day;

/// What says that something was posted, in the languages statements are mostly written in; matched as beginnings of words.
const STEMS: &[&str] = &[
    "tweet",
    "twitt",
    "retweet",
    "post",
    "wrote",
    "writes",
    "said on",
    "bluesky",
    "mastodon",
    "telegram",
    "toot",
    "skeet",
    "escrib",
    "publi",
    "tuit",
    "écri",
    "écrit",
    "schrieb",
    "verkünd",
    "scriss",
    "scrit",
    "escrev",
    "написал",
    "пишет",
    "опубликовал",
    "твит",
    "твіт",
    "написа",
    "opubl",
    "wpis",
    "yazd",
    "paylaş",
    "tvit",
    "schreef",
    "skrev",
    "投稿",
    "ツイート",
    "发文",
    "發文",
    "推文",
    "发推",
    "贴文",
    "貼文",
    "트윗",
    "게시",
    "غرد",
    "تغريد",
    "كتب",
    "نشر",
    "نوشت",
    "توییت",
    "צייץ",
    "כתב",
    "लिखा",
    "ट्वीट",
    "ทวีต",
    "kirjoit",
];

/// Where things are posted: `wrote on Twitter (@name)` gives no name.
const PLACES: &[&str] = &[
    "twitter",
    "x",
    "bluesky",
    "mastodon",
    "telegram",
    "instagram",
    "threads",
    "facebook",
    "youtube",
    "reddit",
    "tiktok",
];

/// Whether words end in a place to post in, as a sentence does and a name does not: `responded on Bluesky`.
pub(super) fn ends_in_a_place(words: &str) -> bool {
    let mut from_last = words.split_whitespace().rev();
    let place = from_last.next().is_some_and(|w| PLACES.contains(&w.to_lowercase().as_str()));
    place && from_last.next().is_none_or(|w| w.starts_with(char::is_lowercase))
}

/// Reads prose around a handle.
pub(super) fn read(ground: &Ground<'_, '_>, seat: &Seat<'_, '_>) -> Option<Told> {
    let text = ground.text;
    let before = place::before(text, seat.floor, seat.mark.start);
    let behind = place::behind(text, seat.mark.end);
    let stop = if ground.spaced { "\n\n" } else { "\n" };
    let before = before.rsplit(stop).next()?;
    let behind = behind.split(stop).next()?;
    if !may_quote(before) && !may_quote(behind) {
        return None;
    }
    let start = seat.mark.start - before.len();
    let end = seat.mark.end + behind.len();
    let window = text.get(start..end)?;
    let behind_pair = quoted::pair(behind)
        .map(|(f, i)| (f.start + seat.mark.end..f.end + seat.mark.end, i.start + seat.mark.end..i.end + seat.mark.end));
    let (frame, words) = behind_pair
        .or_else(|| last_pair(before).map(|(f, i)| (f.start + start..f.end + start, i.start + start..i.end + start)))?;
    let lower = outside(text, start..end, &frame).to_lowercase();
    if !STEMS.iter().any(|s| has_stem(&lower, s)) || window.len() < 12 {
        return None;
    }
    let day = [(start, frame.start), (frame.end, end)]
        .into_iter()
        .filter(|(a, b)| a < b)
        .find_map(|(a, b)| day::first(text, a..b, ground.language))?;
    let words = quoted::trimmed(text, words);
    let date = day.start..day.end;
    let span = words.start.min(date.start).min(seat.mark.start)..words.end.max(date.end).max(seat.mark.end);
    Some(Told {
        span: span.clone(),
        platform: seat.platform,
        author: name_before(text, seat),
        handle: Some(seat.handle.to_owned()),
        permalink: ground.permalink(seat, &(span.end..span.end), 40),
        readings: day.readings,
        date: Some(date),
        quoted: words,
        candidate: true,
    })
}

/// Whether a stretch holds a byte that quotation marks begin with.
fn may_quote(slice: &str) -> bool {
    memchr::memchr3(b'"', 0xe2, 0xc2, slice.as_bytes()).is_some() || memchr::memchr(0xe3, slice.as_bytes()).is_some()
}

/// The last pair of quotation marks in a stretch.
fn last_pair(slice: &str) -> Option<(std::ops::Range<usize>, std::ops::Range<usize>)> {
    let (mut from, mut last) = (0, None);
    while let Some((frame, inside)) = slice.get(from..).and_then(quoted::pair) {
        last = Some((from + frame.start..from + frame.end, from + inside.start..from + inside.end));
        from += frame.end;
    }
    last
}

fn outside(text: &str, range: std::ops::Range<usize>, frame: &std::ops::Range<usize>) -> String {
    format!(
        "{} {}",
        text.get(range.start..frame.start).unwrap_or_default(),
        text.get(frame.end..range.end).unwrap_or_default()
    )
}

fn has_stem(lower: &str, stem: &str) -> bool {
    lower.match_indices(stem).any(|(i, _)| {
        !stem.is_ascii() || lower.get(..i).and_then(|b| b.chars().next_back()).is_none_or(|c| !c.is_alphanumeric())
    })
}

/// The capitalised words right before the parentheses around the handle.
pub(super) fn name_before(text: &str, seat: &Seat<'_, '_>) -> Option<String> {
    let open = seat.mark.start.checked_sub(1)?;
    if !matches!(char_before(text, seat.mark.start), Some('(' | '[')) {
        return None;
    }
    let before = place::before(text, seat.floor, open).rsplit('\n').next()?.trim_end();
    let mut words: Vec<&str> = Vec::new();
    for word in before.rsplit(' ').take(6) {
        let capital = word.chars().find(|c| c.is_alphabetic()).is_some_and(|c| c.is_uppercase() || !c.is_lowercase());
        let particle = matches!(
            word,
            "de" | "da"
                | "di"
                | "van"
                | "von"
                | "der"
                | "den"
                | "la"
                | "le"
                | "el"
                | "al"
                | "bin"
                | "ibn"
                | "dos"
                | "du"
        );
        if !(capital || particle && !words.is_empty())
            || (word.ends_with(['.', ',', ';', ':', '”', '"', '!', '?']) && !words.is_empty())
        {
            break;
        }
        words.push(word);
    }
    words.reverse();
    let name = words.join(" ");
    let name = name.trim_start_matches(|c: char| !c.is_alphanumeric()).trim_end_matches([',', ' ']);
    (!name.is_empty() && !ends_in_a_place(name)).then(|| name.to_owned())
}
