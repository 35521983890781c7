//! The remnant of an embedded post: `words — Name (@handle) date`, as text extraction leaves it since 2012.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::{Ground, Seat, Told, place, quoted, site};
use crate::citation::letters::{char_at, char_before, is_closing_quote, is_opening_quote};
use crate::citation::link;
use crate::citation::mark::{Mark, What};
use crate::format::day::{self, Day};
use crate::platform::permalink;
use crate::platform::post::Platform;

/// Display names end at fifty characters on X, at sixty-four on Bluesky; entities and emoji take room.
const LONGEST_NAME: usize = 80;

/// Reads the remnant around a handle in parentheses.
pub(super) fn read(ground: &Ground<'_, '_>, seat: &Seat<'_, '_>) -> Option<Told> {
    let text = ground.text;
    let (open, close) = parentheses(text, seat.mark)?;
    let embed = ground.embed(seat.mark.start);
    let least = embed.map_or_else(|| behind_another(ground, seat), |e| e.start.max(seat.floor));
    let shared = shared_by(text, least, open);
    let day = date_behind(text, close, ground.language, shared.is_some());
    let name = match &shared {
        Some(caption) => Name { dash: caption.clone(), name: caption.end..open, mojibake: false },
        None => name_before(text, least, open)?,
    };
    if day.is_none() && !(embed.is_some() || ends_line(text, close) && stands_alone(text, least, &name)) {
        return None;
    }
    if day.is_none() && embed.is_some_and(|embed| is_signed_below(ground, seat, embed)) {
        return None;
    }
    let region = region(ground, least, name.dash.start, embed);
    let words = match &shared {
        Some(_) => quoted::within(text, behind_label(ground, region)),
        None => quoted::within(text, region),
    };
    let said = text.get(words.clone()).unwrap_or_default();
    // what closed a quotation inside another is no post
    let leftover = !said.is_empty() && said.chars().all(|c| is_closing_quote(c) || place::is_blank(c));
    if (words.is_empty() || leftover) && embed.is_none() && shared.is_none() {
        return None;
    }
    let author = author(
        text.get(name.name.clone())?,
        name.mojibake,
        text.get(words.clone()),
        day.as_ref().and_then(|d| text.get(d.start..d.end)),
    );
    let end = day.as_ref().map_or(close, |d| d.end);
    let date = day.as_ref().map(|d| d.start..d.end);
    let permalink = ground.permalink(seat, &date.clone().unwrap_or(end..end), 6);
    let permalink = permalink.or_else(|| embed.and_then(|e| ground.embedded(e)));
    let words = if embed.is_some() { without_button(ground, words, permalink.as_deref()) } else { words };
    // only Instagram's widget writes that caption
    let platform = if shared.is_some() { Platform::Instagram } else { seat.platform };
    let start = if words.is_empty() { name.name.start } else { words.start };
    Some(Told {
        span: start..end,
        platform,
        author,
        handle: Some(seat.handle.to_owned()),
        candidate: day.is_none() && embed.is_none(),
        readings: day.map(|d| d.readings).unwrap_or_default(),
        date,
        quoted: words,
        permalink,
    })
}

/// The parentheses around the handle: where the opening one stands, and behind the closing one.
fn parentheses(text: &str, mark: &Mark<'_>) -> Option<(usize, usize)> {
    let mut open = mark.start;
    for _ in 0..4 {
        let Some(c) = char_before(text, open).filter(|c| place::is_blank(*c)) else { break };
        open -= c.len_utf8();
    }
    let opening = char_before(text, open)?;
    let closing = match opening {
        '(' => ')',
        '（' => '）',
        _ => return None,
    };
    let after = place::skip_blank(text, mark.end);
    (char_at(text, after) == Some(closing)).then(|| (open - opening.len_utf8(), after + closing.len_utf8()))
}

/// How many handles before one are asked whether they sign words of their own.
const BEFORE: usize = 4;

/// Behind the attribution that comes before this one, where that one gave no day and so was none: its words and its name are not
/// this one's.
fn behind_another(ground: &Ground<'_, '_>, seat: &Seat<'_, '_>) -> usize {
    let before = ground.marks.get(..seat.n).unwrap_or_default().iter().rev().take_while(|m| m.start >= seat.floor);
    let handles = before.filter(|m| matches!(m.what, What::Handle(..))).take(BEFORE);
    handles.filter_map(|m| signed(ground.text, m, seat.floor)).next().unwrap_or(seat.floor)
}

/// Whether a later handle signs the embed that a handle without a day stands in: then that one belongs to the post's own words.
fn is_signed_below(ground: &Ground<'_, '_>, seat: &Seat<'_, '_>, embed: &Range<usize>) -> bool {
    let behind = ground.marks.get(seat.n + 1..).unwrap_or_default();
    let within = behind.get(..behind.partition_point(|m| m.start < embed.end)).unwrap_or_default();
    let last = within.iter().rev().filter(|m| matches!(m.what, What::Handle(..))).take(BEFORE);
    last.filter_map(|m| Some((m, parentheses(ground.text, m)?))).any(|(m, (open, _))| {
        ground.embed(m.start) == Some(embed) && name_before(ground.text, seat.mark.end, open).is_some()
    })
}

/// Quoted words, a dash and a name, and no day: `“words” — Name (@handle)`. Always a candidate.
pub(super) fn undated(ground: &Ground<'_, '_>, seat: &Seat<'_, '_>) -> Option<Told> {
    let text = ground.text;
    if ground.embed(seat.mark.start).is_some() {
        return None;
    }
    let end = signed(text, seat.mark, seat.floor)?;
    let least = behind_another(ground, seat);
    let (open, _) = parentheses(text, seat.mark)?;
    let name = name_before(text, least, open)?;
    let words = quoted::within(text, region(ground, least, name.dash.start, None));
    // marks of quotation must frame the words: nothing else says where they begin
    let behind = text.get(words.end..name.dash.start)?;
    let before = char_before(text, words.start).filter(|c| is_opening_quote(*c));
    if words.is_empty() || before.is_none() || !behind.starts_with(is_closing_quote) {
        return None;
    }
    Some(Told {
        span: words.start..end,
        platform: seat.platform,
        author: author(text.get(name.name.clone())?, name.mojibake, None, None),
        handle: Some(seat.handle.to_owned()),
        readings: Vec::new(),
        date: None,
        permalink: ground.permalink(seat, &(end..end), 6),
        quoted: words,
        candidate: true,
    })
}

/// Behind the parentheses around a handle that signs quoted words: `“words” — Name (@handle)`.
pub(super) fn signed(text: &str, mark: &Mark<'_>, least: usize) -> Option<usize> {
    let (open, close) = parentheses(text, mark)?;
    let name = name_before(text, least, open)?;
    let words = place::before(text, least, name.dash.start);
    let words = words.trim_end_matches(|c| place::is_blank(c) || matches!(c, ',' | '.' | ';'));
    words.ends_with(is_closing_quote).then_some(close)
}

/// The day right behind the parentheses; only a separator or a time of day may stand between.
fn date_behind(text: &str, close: usize, language: Option<&str>, shared: bool) -> Option<Day> {
    let mut at = place::skip_blank(text, site::behind(text, close));
    for _ in 0..3 {
        match char_at(text, at) {
            Some(c @ ('·' | '•' | '|' | ',' | '[' | ':' | '،' | '-' | '–')) => {
                at = place::skip_blank(text, at + c.len_utf8())
            }
            _ => break,
        }
    }
    if shared && text.get(at..).is_some_and(|t| t.starts_with("on ")) {
        at += 3;
    }
    at = behind_time(text, at);
    let day = day::read(text, at, language)?;
    let own = shared || !begins_sentence(text, close, &day);
    (own && day.start == place::skip_blank(text, at)).then(|| day::without_preposition(text, day, language))
}

/// Whether a day behind a line end begins a sentence of its own: `On 12 March 2024 the harbour …`. A blank line before it makes any
/// day one that does not end its line.
fn begins_sentence(text: &str, close: usize, day: &Day) -> bool {
    let between = text.get(close..day.start).unwrap_or_default();
    if !between.contains('\n') {
        return false;
    }
    let first = text.get(day.start..day.end).and_then(|raw| raw.split_whitespace().next()).unwrap_or_default();
    let article =
        first.starts_with(char::is_uppercase) && first.len() <= 2 && first.bytes().all(|b| b.is_ascii_alphabetic());
    let apart = between.split('\n').skip(1).any(|line| line.trim().is_empty()) && between.matches('\n').count() > 1;
    let rest = place::behind(text, day.end).split('\n').next().unwrap_or_default().trim();
    article || apart && rest.starts_with(char::is_alphanumeric)
}

/// Behind `7:58 AM · ` or `9:52 PM - `.
fn behind_time(text: &str, at: usize) -> usize {
    let rest = place::behind(text, at);
    let digits = |s: &str| s.bytes().take_while(u8::is_ascii_digit).count();
    let hours = digits(rest);
    let Some(tail) = rest.get(hours..).and_then(|t| t.strip_prefix(':')) else { return at };
    let minutes = digits(tail);
    if !(1..=2).contains(&hours) || minutes != 2 {
        return at;
    }
    let tail = tail.get(minutes..).unwrap_or_default().trim_start();
    let marks = ["a.m.", "p.m.", "am", "pm", "AM", "PM"];
    let tail = marks.iter().find_map(|m| tail.strip_prefix(m)).unwrap_or(tail).trim_start();
    let tail = tail.strip_prefix(['·', '-', '–', ',', '|']).map_or(tail, str::trim_start);
    at + (rest.len() - tail.len())
}

/// `A post shared by Name (@handle)`: Instagram's caption. Where the caption's own words stand.
fn shared_by(text: &str, least: usize, open: usize) -> Option<Range<usize>> {
    const CAPTIONS: &[&str] = &[
        "post shared by ",
        "video posted by ",
        "photo posted by ",
        "publication partagée par ",
        "publicación compartida de ",
        "post condiviso da ",
        "Beitrag geteilt von ",
    ];
    static ANY: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(&CAPTIONS.join("|")).ok());
    let before = place::before(text, least, open);
    let base = open - before.len();
    if !ANY.as_ref().is_some_and(|any| any.is_match(before)) {
        return None;
    }
    let found = CAPTIONS.iter().filter_map(|c| before.rfind(c).map(|i| i..i + c.len())).max_by_key(|r| r.end)?;
    // `A `, `Una `, `Ein `: the caption begins with its line
    let line = before.get(..found.start)?.rfind('\n').map_or(0, |i| i + 1);
    let start = if found.start - line <= 8 { line } else { found.start };
    Some(base + start..base + found.end)
}

/// Behind `View this post on Instagram`, in whatever language: an anchor that leads to the post and names the platform is the
/// embed's own button, not the post's words.
fn behind_label(ground: &Ground<'_, '_>, region: Range<usize>) -> Range<usize> {
    let start = quoted::trimmed(ground.text, region.clone()).start;
    let n = ground.anchors.partition_point(|(words, _)| words.end <= start);
    let Some((words, url)) = ground.anchors.get(n).filter(|(words, _)| words.start <= start && words.end <= region.end)
    else {
        return region;
    };
    let label = ground.text.get(words.clone()).unwrap_or_default();
    let own = permalink::read(url).filter(|named| named.post.is_some());
    let is_label =
        label.len() <= LONGEST_LABEL && own.is_some_and(|named| label.to_lowercase().contains(named.platform.as_str()));
    if is_label { words.end..region.end } else { region }
}

/// The words without the widget's own button at their end, which shows what the widget leaves out: `[image or embed]`, an anchor
/// in brackets that leads to the post itself.
fn without_button(ground: &Ground<'_, '_>, words: Range<usize>, permalink: Option<&str>) -> Range<usize> {
    let post = |url: &str| permalink::read(url).and_then(|named| named.post);
    let n = ground.anchors.partition_point(|(shown, _)| shown.end < words.end);
    let last = ground.anchors.get(n).filter(|(shown, _)| shown.end == words.end && words.start <= shown.start);
    let Some((shown, url)) = last else { return words };
    let label = ground.text.get(shown.clone()).unwrap_or_default().trim();
    let bracketed = label.starts_with('[') && label.ends_with(']') && label.len() <= LONGEST_LABEL;
    let own = bracketed && permalink.and_then(post).is_some_and(|own| post(url) == Some(own));
    if own { quoted::trimmed(ground.text, words.start..shown.start) } else { words }
}

/// No button has more words.
const LONGEST_LABEL: usize = 120;

/// A dash and the name behind it.
struct Name {
    dash: Range<usize>,
    name: Range<usize>,
    mojibake: bool,
}

/// The dashes that announce a name, the surest first. The flag: must stand between blanks.
const DASHES: &[(&str, bool)] = &[
    ("—", false),
    ("―", false),
    ("⸺", false),
    ("&mdash;", false),
    ("&#8212;", false),
    ("&#x2014;", false),
    ("â€”", false),
    ("&horbar;", false),
    ("–", true),
    ("&ndash;", true),
    ("&#8211;", true),
    ("â€“", true),
    ("--", true),
    ("−", true),
    ("-", true),
    ("~", true),
];

/// The name before the opening parenthesis and the dash before it.
fn name_before(text: &str, least: usize, open: usize) -> Option<Name> {
    let before = place::before(text, least, open);
    let base = open - before.len();
    for (dash, between_blanks) in DASHES {
        let mut end = before.len();
        while let Some(i) = before.get(..end).and_then(|b| rfind(b, dash)) {
            let name = before.get(i + dash.len()..).unwrap_or_default();
            let blank_before = before.get(..i).and_then(|b| b.chars().next_back()).is_none_or(char::is_whitespace);
            let placed = !between_blanks || (blank_before && name.starts_with(char::is_whitespace));
            if placed && is_name(name) && !holds_a_signature(name) {
                // a dash written as several is one
                let run = before.get(..i).unwrap_or_default().trim_end_matches(dash).len();
                return Some(Name {
                    dash: base + run..base + i + dash.len(),
                    name: base + i + dash.len()..open,
                    mojibake: dash.starts_with('â'),
                });
            }
            if !between_blanks && placed {
                break;
            }
            end = i;
        }
    }
    None
}

fn is_name(name: &str) -> bool {
    let name = name.trim();
    let bytes = name.as_bytes();
    !name.is_empty()
        && (name.len() <= LONGEST_NAME || name.chars().count() <= LONGEST_NAME)
        && !memchr::memchr_iter(b':', bytes).any(|i| bytes.get(i..).is_some_and(|tail| tail.starts_with(b"://")))
        && !memchr::memchr_iter(b'(', bytes).any(|i| bytes.get(i + 1) == Some(&b'@'))
        && memchr::memchr_iter(b'\n', bytes).take(2).count() <= 1
}

/// Whether quoted words end inside a name with a dash behind them: then the name behind that dash is the one meant.
fn holds_a_signature(name: &str) -> bool {
    let mut from = 0;
    while let Some((i, c)) = name.get(from..).and_then(|rest| rest.char_indices().find(|(_, c)| is_closing_quote(*c))) {
        from += i + c.len_utf8();
        let behind = name.get(from..).unwrap_or_default();
        let rest = behind.trim_start();
        if rest.starts_with(['—', '―', '–', '−']) || rest.len() < behind.len() && rest.starts_with("- ") {
            return true;
        }
    }
    false
}

/// Where `dash` stands last: by its last byte, which is seldom another character's.
fn rfind(text: &str, dash: &str) -> Option<usize> {
    let last = *dash.as_bytes().last()?;
    let found = memchr::memrchr_iter(last, text.as_bytes())
        .find(|i| text.as_bytes().get(..=*i).is_some_and(|head| head.ends_with(dash.as_bytes())));
    found.map(|i| i + 1 - dash.len())
}

/// Whether nothing but blanks stands between the parentheses and the line's end.
fn ends_line(text: &str, close: usize) -> bool {
    let line = place::behind(text, close).split('\n').next().unwrap_or_default();
    line.trim_matches(|c: char| place::is_blank(c)).is_empty()
}

/// Whether the dash begins its line, as a signature does.
fn stands_alone(text: &str, least: usize, name: &Name) -> bool {
    let line = place::before(text, least, name.dash.start);
    line.rsplit('\n').next().is_some_and(|l| l.trim().is_empty()) && !line.trim().is_empty()
}

/// The stretch that can hold the quoted words: the embed's, or the paragraph before the dash.
pub(super) fn region(ground: &Ground<'_, '_>, least: usize, dash: usize, embed: Option<&Range<usize>>) -> Range<usize> {
    if embed.is_some() {
        return least..dash;
    }
    let text = ground.text;
    let start = place::paragraph(text, least, dash, ground.spaced);
    // a reply's marks of quotation are no words
    let before = text.get(start..dash).unwrap_or_default();
    if before.trim_matches(|c| place::is_blank(c) || c == '>').is_empty() {
        // the dash begins its paragraph: the words are the one before
        let words = text.get(least..dash).unwrap_or_default().trim_end_matches(|c| place::is_blank(c) || c == '>');
        let end = least + words.len();
        let last = place::paragraph(text, least, end, ground.spaced);
        return quoted::opened(text, least, last, end, ground.spaced)..end;
    }
    quoted::opened(text, least, start, dash, ground.spaced)..dash
}

/// The display name as it was meant: line ends and entities undone, mojibake repaired, a Japanese embed's honorific taken off.
fn author(raw: &str, mojibake: bool, _words: Option<&str>, date: Option<&str>) -> Option<String> {
    let mut name = String::with_capacity(raw.len());
    let mut at = 0;
    while let Some(c) = char_at(raw, at) {
        if let Some((len, c)) = (c == '&').then(|| link::rest::entity(raw, at)).flatten() {
            name.push(c);
            at += len;
            continue;
        }
        name.push(if c.is_whitespace() { ' ' } else { c });
        at += c.len_utf8();
    }
    let name = name.trim_matches(place::is_blank).trim_matches('*').trim();
    let name = if mojibake { repaired(name) } else { name.to_owned() };
    // until 2013 the Japanese embed wrote `名前さん` and `7月 3, 2012`
    let honoured = date.is_some_and(|d| d.contains("月 "));
    let name = if honoured { name.strip_suffix("さん").map(str::to_owned).unwrap_or(name) } else { name };
    (!name.is_empty()).then_some(name)
}

/// UTF-8 that was read as windows-1252, read back.
fn repaired(name: &str) -> String {
    let (bytes, _, lossy) = encoding_rs::WINDOWS_1252.encode(name);
    match std::str::from_utf8(&bytes) {
        Ok(text) if !lossy => text.to_owned(),
        _ => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use crate::citation::{Kind, find, found_in};
    use crate::statement::{self, Hint};

    fn posts(text: &str) -> Vec<String> {
        let found = found_in("", text);
        let told = found.into_iter().filter_map(|c| match c.kind {
            Kind::Post { author, handle, date: Some(date), quoted, .. } => {
                Some(format!("{} @{} {date} {quoted}", author.unwrap_or_default(), handle.unwrap_or_default()))
            }
            _ => None,
        });
        told.collect()
    }

    #[test]
    fn the_next_sentences_day_is_not_the_names() {
        for text in [
            "“The gate is shut.” — Dock Line (@dockline)\n\nOn 12 March 2024 the harbour opened it.",
            "“The gate is shut.” — Dock Line (@dockline)\nOn 12 March 2024 the harbour opened it.",
            "“The gate is shut.” — Dock Line (@dockline)\n\n12 March 2024 was a good day.",
        ] {
            assert_eq!(posts(text), Vec::<String>::new(), "{text}");
        }
        for text in [
            "“The gate is shut.” — Dock Line (@dockline)\n12 March 2024",
            "“The gate is shut.” — Dock Line (@dockline)\n\n12 March 2024\n\nMore.",
            "“The gate is shut.” — Dock Line (@dockline)\nMay 12, 2024 and more",
        ] {
            assert_eq!(posts(text).len(), 1, "{text}");
        }
    }

    #[test]
    fn the_marks_of_a_reply_are_no_words() {
        assert_eq!(
            posts("so:\n> the gate is shut\n> — Dock Line (@dockline) on May 1, 2021\nMore."),
            ["Dock Line @dockline 2021-05-01 the gate is shut"]
        );
    }

    #[test]
    fn a_dash_behind_quoted_words_begins_the_name() {
        assert_eq!(
            posts(
                "‘Over’ – Harbour Board (@board) – 25/3/2024 – was the message. ‘No’ - Mara Quay (@maraquay), March 26th, 2024."
            ),
            ["Harbour Board @board 2024-03-25 Over", "Mara Quay @maraquay 2024-03-26 No"]
        );
        assert_eq!(
            posts("“As he said: “The dock is ours” — Ben (@ben_dock) June 1, 2023” — Ana (@ana_dock) June 2, 2023"),
            ["Ben @ben_dock 2023-06-01 The dock is ours"]
        );
    }

    #[test]
    fn quoted_words_with_a_name_and_no_day_are_a_candidate() {
        let undated = |text: &str| {
            let found =
                statement::read(text.as_bytes().to_vec(), &Hint::default()).map(|s| find(&s)).unwrap_or_default();
            let told = found.into_iter().filter_map(|c| match c.kind {
                Kind::Post { author, date: None, quoted, .. } => {
                    Some(format!("{} {quoted} {}", author.unwrap_or_default(), c.candidate))
                }
                _ => None,
            });
            told.collect::<Vec<_>>()
        };
        for text in [
            "“The gate is shut.” — Dock Line (@dockline)\n“The gate is open.” — Mara Quay (@maraquay), 12 March 2024.",
            "“The gate is shut.” — Dock Line (@dockline), yesterday. “It opened.” - Mara Quay (@maraquay), 12 March 2024",
            "As he put it, “The gate is shut.” — Dock Line (@dockline).",
        ] {
            assert_eq!(undated(text), ["Dock Line The gate is shut. true"], "{text}");
        }
        for text in
            ["The gate is shut — Dock Line (@dockline) says so", "He said “so” and left — Dock Line (@dockline)"]
        {
            assert_eq!(undated(text), Vec::<String>::new(), "{text}");
        }
    }

    #[test]
    fn words_signed_inside_an_embed_are_the_posts_own() {
        let page = |words: &str| {
            format!(
                "<blockquote class=\"twitter-tweet\"><p>{words}</p>&mdash; Mara Quay (@maraquay) <a href=\"https://twitter.com/maraquay/status/1138137\">March 12, 2024</a></blockquote>"
            )
        };
        for words in
            ["“The gate is shut.” — Dock Line (@dockline)", "“The gate is shut.” — Dock Line (@dockline)<br>So it is."]
        {
            let want = words.replace("<br>", "\n");
            assert_eq!(posts(&page(words)), [format!("Mara Quay @maraquay 2024-03-12 {want}")], "{words}");
        }
    }

    #[test]
    fn a_name_without_a_day_does_not_take_the_next_ones() {
        for text in [
            "“The gate is shut.” — Dock Line (@dockline)\n“The gate is open.” — Mara Quay (@maraquay), 12 March 2024.",
            "“The gate is shut.” — Dock Line (@dockline)\n\n“The gate is open.” — Mara Quay (@maraquay), 12 March 2024.",
            "\"The gate is shut,\" — Dock Line (@dockline). \"The gate is open.\" — Mara Quay (@maraquay) March 12, 2024",
            "“The gate is shut.” — Dock Line (@dockline), 11 March. “The gate is open.” — Mara Quay (@maraquay), 12 March 2024",
            "“The gate is shut.” – Dock Line (@dockline), yesterday. “The gate is open.” - Mara Quay (@maraquay), 12 March 2024",
            "\"The gate is shut\" — Dock Line (@dockline), Mar 11. Then \"The gate is open.\" — Mara Quay (@maraquay) March 12, 2024",
            "«The gate is shut», — Dock Line (@dockline) posted. «The gate is open.» — Mara Quay (@maraquay) March 12, 2024",
        ] {
            assert_eq!(posts(text), ["Mara Quay @maraquay 2024-03-12 The gate is open."], "{text}");
        }
    }
}
