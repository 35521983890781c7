//! Which words are quoted: where they begin, what frames them, whether the statement cut them.

use std::ops::Range;

use super::place;
use crate::citation::letters::{char_before, is_closing_quote, is_opening_quote, openers};
use crate::format::effort::looked_at;

/// Verbs and nouns that introduce a post with a colon, in the languages statements are mostly written in.
const INTRODUCERS: &[&str] = &[
    "tweeted",
    "tweets",
    "tweet",
    "wrote",
    "writes",
    "posted",
    "posts",
    "post",
    "said",
    "says",
    "stated",
    "added",
    "replied",
    "reads",
    "read",
    "twitter",
    "bluesky",
    "mastodon",
    "telegram",
    "threads",
    "écrit",
    "tweeté",
    "publié",
    "déclaré",
    "écrivait",
    "escribió",
    "tuiteó",
    "publicó",
    "tuit",
    "schrieb",
    "twitterte",
    "postete",
    "scritto",
    "scrive",
    "twittato",
    "pubblicato",
    "escreveu",
    "tuitou",
    "publicou",
    "написал",
    "написала",
    "пишет",
    "твит",
    "написав",
    "написала",
    "yazdı",
    "paylaştı",
    "napisał",
    "napisała",
    "schreef",
    "skrev",
    "كتب",
    "كتبت",
    "غرد",
    "غردت",
    "نوشت",
    "kirjoitti",
    "napsal",
    "napsala",
];

/// The quoted words inside `region`, without what introduces and what frames them.
pub(super) fn within(text: &str, region: Range<usize>) -> Range<usize> {
    let region = trimmed(text, behind_reply_marks(text, trimmed(text, region)));
    let region = trimmed(text, behind_introduction(text, region));
    let inner = unframed(text, &region);
    trimmed(text, inner.unwrap_or(region))
}

/// Behind the `>` that a reply sets before each line of what it answers.
fn behind_reply_marks(text: &str, region: Range<usize>) -> Range<usize> {
    let slice = text.get(region.clone()).unwrap_or_default();
    let bare = slice.trim_start_matches(['>', ' ']);
    if bare.is_empty() { region } else { region.start + (slice.len() - bare.len())..region.end }
}

/// How far back a quotation of several paragraphs is looked for.
pub(super) const LONGEST: usize = 4096;

/// Where the quotation begins that ends at `end`: with the paragraph at `start`, or, where its mark is closed there and was
/// opened in a paragraph before, with that one. Each paragraph of a long quotation may open it anew; only the last closes it.
pub(super) fn opened(text: &str, least: usize, start: usize, end: usize, spaced: bool) -> usize {
    let words = trimmed(text, start..end);
    let Some(close) = text.get(words.clone()).and_then(|w| w.chars().next_back()).filter(|c| is_closing_quote(*c))
    else {
        return start;
    };
    let opens = |c: char| opens_for(c, close);
    let least = least.max(place::floor(text, words.end.saturating_sub(LONGEST)));
    let inside = words.start..words.end - close.len_utf8();
    looked_at(inside.len());
    let marks = text.get(inside.clone()).unwrap_or_default().chars().filter(|c| opens(*c)).count();
    let anew = text.get(inside).is_some_and(|w| w.starts_with(opens));
    if marks > usize::from(anew) || anew && !opens_before(text, least, words.start, spaced, close) {
        return start;
    }
    let mut at = start;
    while at > least {
        let before = text.get(least..at).unwrap_or_default().trim_end_matches(place::is_blank);
        let begins = place::paragraph(text, least, least + before.len(), spaced);
        let paragraph = trimmed(text, begins..least + before.len());
        let Some(words) = text.get(paragraph.clone()).filter(|w| !w.is_empty() && begins < at) else { return start };
        looked_at(words.len());
        let closed = words.chars().any(|c| c == close && !opens(c));
        if closed {
            return start;
        }
        at = begins;
        if words.starts_with(opens) && !opens_before(text, least, paragraph.start, spaced, close) {
            return at;
        }
    }
    start
}

/// Whether the paragraph before the one at `start` begins with the opening mark too and leaves it open.
fn opens_before(text: &str, least: usize, start: usize, spaced: bool, close: char) -> bool {
    let before = text.get(least..start).unwrap_or_default().trim_end_matches(place::is_blank);
    let begins = place::paragraph(text, least, least + before.len(), spaced);
    let words = text.get(trimmed(text, begins..least + before.len())).unwrap_or_default();
    words.starts_with(|c| opens_for(c, close))
        && if opens_for(close, close) { words.matches(close).count() % 2 == 1 } else { !words.contains(close) }
}

/// Whether `c` opens what `close` closes. Of marks that can stand at both ends only the straight ones are taken to open.
fn opens_for(c: char, close: char) -> bool {
    openers(close).contains(&c) && (c != close || matches!(c, '"' | '\''))
}

/// Blanks and stray marks at both ends taken away.
pub(super) fn trimmed(text: &str, range: Range<usize>) -> Range<usize> {
    let Some(slice) = text.get(range.clone()) else { return range };
    looked_at(slice.len() - slice.trim_matches(place::is_blank).len());
    let front = slice.trim_start_matches(|c: char| place::is_blank(c));
    let start = range.start + (slice.len() - front.len());
    let end = start + front.trim_end_matches(|c: char| place::is_blank(c)).len();
    start..end
}

/// Behind `The minister wrote on Twitter:`.
fn behind_introduction(text: &str, region: Range<usize>) -> Range<usize> {
    let Some(slice) = text.get(region.clone()) else { return region };
    let head = slice.get(..place::floor(slice, 240)).unwrap_or(slice);
    // the full-width colon begins with EF
    for i in memchr::memchr2_iter(b':', 0xef, head.as_bytes()) {
        let mut tail = head.get(i..).unwrap_or_default().chars();
        if !matches!(tail.next(), Some(':' | '：')) {
            continue;
        }
        let after = tail.next();
        if !after.is_some_and(|c| c.is_whitespace() || is_opening_quote(c)) {
            continue;
        }
        let before = head.get(..i).unwrap_or_default();
        let last = before.split_whitespace().rev().take(3).any(|w| {
            let w = w.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase();
            INTRODUCERS.contains(&w.as_str())
        });
        if last && !before.starts_with("RT ") {
            let colon = head.get(i..).and_then(|t| t.chars().next()).map_or(1, char::len_utf8);
            return region.start + i + colon..region.end;
        }
    }
    region
}

/// Inside the quotation marks, where they frame the whole or its last part.
fn unframed(text: &str, region: &Range<usize>) -> Option<Range<usize>> {
    let slice = text.get(region.clone())?;
    looked_at(slice.len());
    let bare = without_gloss(slice);
    let last = bare.chars().next_back()?;
    let first = bare.chars().next()?;
    if is_closing_quote(last) {
        let body = bare.get(..bare.len() - last.len_utf8())?;
        let open = body.char_indices().rfind(|(_, c)| openers(last).contains(c));
        let whole = openers(last).contains(&first);
        let (i, c) = if whole { (0, first) } else { open? };
        // a possessive or an inch sign is no frame: an opening mark stands at the beginning or behind a blank
        let placed = i == 0
            || body
                .get(..i)?
                .chars()
                .next_back()
                .is_some_and(|c| c.is_whitespace() || matches!(c, ':' | '(' | '，' | '：'));
        let inside = body.get(i + c.len_utf8()..)?;
        return (placed && !inside.trim().is_empty())
            .then(|| region.start + i + c.len_utf8()..region.start + body.len());
    }
    None
}

/// Without a note in parentheses at the end: `« … » (traduction)`.
fn without_gloss(slice: &str) -> &str {
    let Some(body) = slice.strip_suffix(')') else { return slice };
    match body.rfind('(') {
        Some(i) => {
            let front = body.get(..i).unwrap_or(slice).trim_end();
            if front.chars().next_back().is_some_and(is_closing_quote)
                && front.chars().next().is_some_and(is_opening_quote)
            {
                front
            } else {
                slice
            }
        }
        None => slice,
    }
}

/// Whether the statement itself left words out: an ellipsis that stands alone, or at the end of the words.
pub(in crate::citation) fn is_truncated(words: &str, links_from: usize) -> bool {
    let prose = words.get(..links_from).unwrap_or(words).trim_end();
    if prose.ends_with('…') || prose.ends_with("...") || prose.starts_with('…') || prose.starts_with("...") {
        return true;
    }
    memchr::memchr2_iter(b'.', 0xe2, prose.as_bytes()).any(|i| {
        prose.get(i..).is_some_and(|tail| tail.starts_with('…') || tail.starts_with("..."))
            && char_before(prose, i).is_some_and(|c| c.is_whitespace() || c == '[' || c == '(')
    })
}

/// Where the next mark stands at or behind `from` that [`pair`] can begin with; beyond the text where there is none.
///
/// In UTF-8 those are `"`, `«` and `»` (which begin with C2), and characters whose second byte is 80.
pub(super) fn next_opening(bytes: &[u8], from: usize) -> usize {
    let tail = bytes.get(from..).unwrap_or_default();
    let found = memchr::memchr3_iter(b'"', 0x80, 0xc2, tail).find_map(|n| begin_of_mark(tail, n)).map(|n| from + n);
    looked_at(found.map_or(tail.len(), |at| at.saturating_sub(from)));
    found.unwrap_or(usize::MAX)
}

/// Where the opening mark begins that the byte at `n` is telling of, by the bytes of its UTF-8.
fn begin_of_mark(tail: &[u8], n: usize) -> Option<usize> {
    let next = tail.get(n + 1).copied().unwrap_or_default();
    match tail.get(n)? {
        b'"' => Some(n),
        0xc2 => matches!(next, 0xab | 0xbb).then_some(n),
        _ => {
            let before = n.checked_sub(1)?;
            let marks: &[u8] = match tail.get(before)? {
                0xe2 => &[0x98, 0x9a, 0x9c, 0x9d, 0x9e, 0x9f, 0xb9],
                0xe3 => &[0x88, 0x8a, 0x8c, 0x8e, 0x9d],
                _ => &[],
            };
            marks.contains(&next).then_some(before)
        }
    }
}

/// The first pair of quotation marks in a stretch of prose, and what stands inside.
pub(super) fn pair(slice: &str) -> Option<(Range<usize>, Range<usize>)> {
    looked_at(slice.len());
    for (i, open) in slice.char_indices().filter(|(_, c)| is_opening_quote(*c) && *c != '\'' && *c != '’') {
        // corner and angle brackets are never apostrophes, and stand between letters without spaces
        let at_start = matches!(open, '「' | '『' | '《' | '〈' | '〝')
            || slice.get(..i).and_then(|b| b.chars().next_back()).is_none_or(|c| !c.is_alphanumeric());
        let from = i + open.len_utf8();
        let tail = slice.get(from..)?;
        looked_at(tail.len());
        let close = tail.char_indices().find(|(_, c)| is_closing_quote(*c) && openers(*c).contains(&open));
        if let Some((j, c)) = close.filter(|(j, _)| at_start && *j > 0) {
            return Some((i..from + j + c.len_utf8(), from..from + j));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_opening_mark_is_found_wherever_it_stands() {
        for mark in (0..=0xffff).filter_map(char::from_u32).filter(|c| is_opening_quote(*c) && *c != '\'') {
            for before in 0..40 {
                for after in [0, 1, 2, 20] {
                    let text = format!(
                        "{}{mark}{}",
                        "é,'’".chars().cycle().take(before).collect::<String>(),
                        "—".repeat(after)
                    );
                    assert_eq!(
                        text.char_indices().find(|(_, c)| *c == mark).map(|(i, _)| i),
                        Some(next_opening(text.as_bytes(), 0)),
                        "{text}"
                    );
                }
            }
        }
        assert_eq!(next_opening("no marks, isn’t it? 'so' — yes…".as_bytes(), 0), usize::MAX);
    }

    #[test]
    fn a_quotation_closed_here_may_have_been_opened_paragraphs_ago() {
        let begins = |text: &str, spaced: bool| {
            let end = text.rfind(" —").unwrap_or(0);
            let start = place::paragraph(text, 0, end, spaced);
            text.get(opened(text, 0, start, end, spaced)..).map(|t| t.chars().take(6).collect::<String>())
        };
        for (text, spaced, want) in [
            ("Before.\n\n“One.\n\nTwo.\n\nThree.” — A", true, "“One.\n"),
            ("Before.\n\n“One.\n\n“Two.\n\n“Three.” — A", true, "“One.\n"),
            ("\"One.\nTwo.\" — A", false, "\"One.\n"),
            ("“Another.”\n\n“Three.” — A", true, "“Three"),
            ("Before “one.\n\nThree.” — A", true, "Three."),
            ("Before.\n\nHe said “Three.” — A", true, "He sai"),
            ("“One.\n\nclosed” here\n\nThree.” — A", true, "Three."),
            ("Nothing is open.\n\nThree.” — A", true, "Three."),
            ("Nothing is closed.\n\nThree. — A", true, "Three."),
        ] {
            assert_eq!(begins(text, spaced).as_deref(), Some(want), "{text}");
        }
    }

    #[test]
    fn brackets_between_letters_and_apostrophes_in_words() {
        let inside = |text: &'static str| pair(text).and_then(|(_, inside)| text.get(inside));
        assert_eq!(inside("9日に「避難してください」と投稿した"), Some("避難してください"));
        assert_eq!(inside("a 5\" pipe and “so”"), Some("so"));
    }
}
