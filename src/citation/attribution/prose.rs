//! Prose that quotes a post: a handle, a verb, a day and words in quotation marks near each other. Always a candidate.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::{Ground, Seat, Told, place, quoted, remnant};
use crate::citation::letters::{char_before, is_spaceless};
use crate::citation::mark::What;
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
    "napisa",
    "napsal",
    "napísal",
    "objavi",
    "írta",
    "közzétet",
    "έγραψε",
    "ανάρτησ",
    "parašė",
    "rakstīja",
    "kirjutas",
    "жазды",
    "viết",
    "đăng",
    "menulis",
    "mengunggah",
    "โพสต์",
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
    let before = |w: &str| {
        w.starts_with(char::is_lowercase)
            || matches!(
                w.to_lowercase().as_str(),
                "on" | "via"
                    | "from"
                    | "in"
                    | "at"
                    | "auf"
                    | "bei"
                    | "sur"
                    | "en"
                    | "su"
                    | "op"
                    | "på"
                    | "na"
                    | "w"
                    | "в"
                    | "на"
            )
    };
    place && from_last.next().is_none_or(before)
}

/// The stretch around a handle that belongs to it: its paragraph, as far as an attribution reaches.
pub(super) fn window(ground: &Ground<'_, '_>, seat: &Seat<'_, '_>) -> Range<usize> {
    let before = place::before(ground.text, seat.floor, seat.mark.start).as_bytes();
    let behind = place::behind(ground.text, seat.mark.end).as_bytes();
    let (head, tail) = if ground.spaced {
        let head = memchr::memmem::rfind(before, b"\n\n").map_or(before.len(), |i| before.len() - i - 2);
        (head, memchr::memmem::find(behind, b"\n\n"))
    } else {
        let head = memchr::memrchr(b'\n', before).map_or(before.len(), |i| before.len() - i - 1);
        (head, memchr::memchr(b'\n', behind))
    };
    seat.mark.start - head..seat.mark.end + tail.unwrap_or(behind.len())
}

/// Reads prose around a handle.
pub(super) fn read(ground: &Ground<'_, '_>, seat: &Seat<'_, '_>) -> Option<Told> {
    let text = ground.text;
    let Range { start, end } = window(ground, seat);
    let (before, behind) = (text.get(start..seat.mark.start)?, text.get(seat.mark.end..end)?);
    let window = text.get(start..end)?;
    let behind_pair = quoted::pair(behind)
        .map(|(f, i)| (f.start + seat.mark.end..f.end + seat.mark.end, i.start + seat.mark.end..i.end + seat.mark.end));
    let (frame, words) = behind_pair
        .or_else(|| last_pair(before).map(|(f, i)| (f.start + start..f.end + start, i.start + start..i.end + start)))?;
    // `twitter.com` in a link says nothing of who wrote what
    let told = outside(text, start..end, &frame);
    let told = told.split_whitespace().filter(|word| !word.contains("://")).collect::<Vec<_>>().join(" ");
    let lower = told.to_lowercase();
    let referred = is_referred_to(text, frame.end, seat.mark.start);
    if !(has_stem(&lower) || referred || is_introduced(text, seat.mark.end, frame.start)) || window.len() < 12 {
        return None;
    }
    let day = [(start, frame.start), (frame.end, end)]
        .into_iter()
        .filter(|(a, b)| a < b)
        .find_map(|(a, b)| day::first(text, a..b, ground.language))?;
    let words = quoted::trimmed(text, words);
    let date = day.start..day.end;
    let span = words.start.min(date.start).min(seat.mark.start)..words.end.max(date.end).max(seat.mark.end);
    if holds_another(ground, seat, &span) {
        return None;
    }
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

/// Whether the account stands in parentheses right behind the words: `“…” (@ann, 3 May 2024)` says who wrote them without a verb.
fn is_referred_to(text: &str, words_end: usize, handle: usize) -> bool {
    text.get(words_end..handle).is_some_and(|between| matches!(between.trim(), "(" | "["))
}

/// Whether somebody else signs quoted words inside a stretch: then words and day are not of one post.
fn holds_another(ground: &Ground<'_, '_>, seat: &Seat<'_, '_>, span: &Range<usize>) -> bool {
    let first = ground.marks.partition_point(|m| m.start < span.start);
    let inside = ground.marks.iter().enumerate().skip(first).take_while(|(_, m)| m.start < span.end);
    let handles = inside.filter(|(n, m)| *n != seat.n && matches!(m.what, What::Handle(..)));
    handles.take(4).any(|(_, m)| remnant::signed(ground.text, m, seat.floor).is_some())
}

/// The last pair of quotation marks in a stretch.
fn last_pair(slice: &str) -> Option<(Range<usize>, Range<usize>)> {
    let (mut from, mut last) = (0, None);
    while let Some((frame, inside)) = slice.get(from..).and_then(quoted::pair) {
        last = Some((from + frame.start..from + frame.end, from + inside.start..from + inside.end));
        from += frame.end;
    }
    last
}

fn outside(text: &str, range: Range<usize>, frame: &Range<usize>) -> String {
    format!(
        "{} {}",
        text.get(range.start..frame.start).unwrap_or_default(),
        text.get(frame.end..range.end).unwrap_or_default()
    )
}

/// Whether nothing but a colon stands between the handle and the words: `Ann (@ann): “…”` says who speaks without a verb.
fn is_introduced(text: &str, handle_end: usize, words_start: usize) -> bool {
    let between = text.get(handle_end..words_start).unwrap_or_default();
    matches!(between.trim_matches(|c: char| c.is_whitespace() || matches!(c, ')' | ']' | '）')), ":" | "：")
}

/// Whether a word says that something was posted. Stems in Latin letters stand at the beginning of a word.
fn has_stem(lower: &str) -> bool {
    static ANY: LazyLock<Option<Regex>> = LazyLock::new(|| {
        let (latin, others): (Vec<&str>, Vec<&str>) = STEMS.iter().partition(|stem| stem.is_ascii());
        Regex::new(&format!(r"(?:^|[^\p{{Alphabetic}}\p{{N}}])(?:{})|{}", latin.join("|"), others.join("|"))).ok()
    });
    ANY.as_ref().is_some_and(|any| any.is_match(lower))
}

/// Whether a run of letters without spaces says more than a name does: it holds quotation marks, or tells of posting.
fn is_sentence(word: &str) -> bool {
    word.contains(['「', '」', '『', '』', '《', '》', '〈', '〉'])
        || word.chars().any(is_spaceless) && has_stem(&word.to_lowercase())
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
        if is_sentence(word) {
            break;
        }
        // scripts without capitals show no other end of a name before the verb
        let caseless = !word.chars().any(|c| c.is_lowercase() || c.is_uppercase());
        if caseless && has_stem(&word.to_lowercase()) {
            break;
        }
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
    // an article in front of an office is not part of a name
    let articles = words.iter().take_while(|word| matches!(**word, "der" | "den" | "la" | "le" | "el")).count();
    let name = words.get(articles..).unwrap_or_default().join(" ");
    let name = name.rsplit(['、', '。', '，']).next().unwrap_or_default();
    let name = name.trim_start_matches(|c: char| !c.is_alphanumeric()).trim_end_matches([',', ' ']);
    (!name.is_empty() && !ends_in_a_place(name)).then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::citation::{Kind, find, found_in};
    use crate::statement::{self, Hint};

    #[test]
    fn a_sentence_without_spaces_is_no_name() {
        let author = |text: &str| {
            let found = found_in("", text);
            found.into_iter().find_map(|c| if let Kind::Post { author, .. } = c.kind { Some(author) } else { None })
        };
        for (text, want) in [
            ("首相は「最善を尽くす」と投稿した(@shusho230、2024年3月11日)。", None),
            ("首相は「最善を 尽くす」とXで 投稿した(@shusho230、2024年3月11日)。", None),
            ("2024年3月11日、港湾太郎(@kowan_taro)は「最善を尽くす」と投稿した。", Some("港湾太郎")),
        ] {
            assert_eq!(author(text), Some(want.map(str::to_owned)), "{text}");
        }
    }

    #[test]
    fn every_stem_is_found_and_latin_ones_only_where_a_word_begins() {
        for stem in STEMS {
            assert!(has_stem(stem) && has_stem(&format!("so ({stem}ed")), "{stem}");
            assert_eq!(has_stem(&format!("com{stem}")), !stem.is_ascii(), "{stem}");
            assert_eq!(has_stem(&format!("2{stem}")), !stem.is_ascii(), "{stem}");
        }
        assert!(!has_stem("the quay opened"));
    }

    #[test]
    fn a_colon_alone_introduces_words() {
        for (text, want) in
            [("(@ann): “", true), ("@ann:“", true), ("@ann：「", true), ("@ann and Bob: “", false), ("@ann “", false)]
        {
            let at = text.find("nn").unwrap() + 2;
            assert_eq!(is_introduced(text, at, text.find(['“', '「']).unwrap()), want, "{text}");
        }
    }

    #[test]
    fn who_said_so_and_when() {
        for (text, want) in [
            (
                "am 3. April 2022 schrieb der Bürgermeister (@bm_stadt) auf Twitter: „Die Brücke wird gesperrt.“",
                "Bürgermeister bm_stadt 3. April 2022",
            ),
            ("كتب رئيس البلدية (@mayor_ar) في 3 أبريل 2022: «الجسر مغلق».", "رئيس البلدية mayor_ar 3 أبريل 2022"),
            ("On Mastodon (@us@social.example) we said on May 4, 2024: “Still.”", " us@social.example May 4, 2024"),
            (
                "Burmistrz (@burmistrz_m) napisał 3 kwietnia 2022 r.: „Most jest zamknięty”.",
                "Burmistrz burmistrz_m 3 kwietnia 2022",
            ),
            ("Belediye başkanı (@baskan_tr) 3 Nisan 2022’de “Köprü kapalı” diye paylaştı.", " baskan_tr 3 Nisan 2022"),
            ("市长@shizhang_x于2022年4月3日发推称：“大桥已关闭”。", " shizhang_x 2022年4月3日"),
            ("“It is shut” (@b_two, 3 May 2021), they say.", " b_two 3 May 2021"),
        ] {
            let found = found_in("", text);
            let told = found.into_iter().find_map(|c| match c.kind {
                Kind::Post { author, handle, date_raw, .. } if c.candidate => {
                    Some([author, handle, date_raw].map(Option::unwrap_or_default).join(" "))
                }
                _ => None,
            });
            assert_eq!(told.as_deref(), Some(want), "{text}");
        }
        let text = "“It is shut,” they say (@b_two, 3 May 2021).";
        let found =
            statement::read(text.into(), &Hint::default()).map(|statement| find(&statement)).unwrap_or_default();
        assert!(found.iter().all(|c| !matches!(c.kind, Kind::Post { .. })), "{found:?}");
    }

    #[test]
    fn an_account_behind_the_words_and_a_day_glued_to_the_letters_before_it() {
        for (text, want) in [
            (
                "港湾局は2023年8月2日、X（旧Twitter）で「東岸壁は終日閉鎖します」と投稿した（@harbor_jp）。",
                "@harbor_jp 2023-08-02 東岸壁は終日閉鎖します",
            ),
            (
                "Liman başkanı Derya Aksoy (@deryaaksoy34), 14 Nisan 2022’de Twitter’da “Rıhtım bugün de kapalı” diye yazdı.",
                "@deryaaksoy34 2022-04-14 Rıhtım bugün de kapalı",
            ),
        ] {
            let found = found_in("", text);
            let told = found.into_iter().find_map(|c| match c.kind {
                Kind::Post { handle, date, quoted, .. } if c.candidate => {
                    Some(format!("@{} {} {quoted}", handle.unwrap_or_default(), date.unwrap_or_default()))
                }
                _ => None,
            });
            assert_eq!(told.as_deref(), Some(want));
        }
    }
}
