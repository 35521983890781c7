//! What a statement says of itself: page metadata, front matter, header lines, a dateline; its language where it does not say.

use super::About;
use crate::format::day;
use crate::format::html::page::Page;
use crate::format::language;

/// Header lines are looked for in this many lines and bytes.
const LINES: usize = 24;
const REACH: usize = 3000;

/// A page's metadata.
pub(super) fn of_page(page: Page) -> About {
    About {
        zone: page.published.as_deref().and_then(zone),
        date: page.published.as_deref().and_then(day),
        title: page.title,
        language: page.language.map(|l| l.trim().to_owned()),
        publisher: page.publisher,
        author: page.author,
        canonical: page.canonical.filter(|u| u.starts_with("http")),
    }
}

/// Front matter; `heading` is the title where it names none.
pub(super) fn of_front(front: &[(String, String)], heading: Option<String>) -> About {
    let mut about = About::default();
    for (key, value) in front {
        put(&mut about, key, value);
    }
    about.title = about.title.or(heading);
    about
}

/// The day in a timestamp or a written date, as `YYYY-MM-DD`; none where it has two readings.
pub(super) fn day(text: &str) -> Option<String> {
    match day::first(text, 0..text.len().min(120), None)?.readings.as_slice() {
        [one] => Some(one.to_string()),
        _ => None,
    }
}

/// The distance from UTC at the end of a timestamp, as `+06:00`: `2019-06-10T12:00:00+06:00`, `10 Jun 2019 12:00:00 +0600`. UTC
/// itself is what software writes that knows no better, so it says nothing of where the statement was written.
pub(super) fn zone(text: &str) -> Option<String> {
    let text = text.trim();
    let at = text.rfind(['+', '-'])?;
    let (before, sign) = (text.get(..at)?, text.get(at..at + 1)?);
    let digits: String = text.get(at + 1..)?.chars().filter(|c| *c != ':').collect();
    let clock = before.trim_end().rsplit(['T', 't', ' ']).next()?;
    let is_clock = clock.contains(':') && clock.bytes().all(|b| b.is_ascii_digit() || b":.".contains(&b));
    let (hours, minutes) = digits.split_at_checked(2).filter(|_| digits.bytes().all(|b| b.is_ascii_digit()))?;
    (is_clock && minutes.len() == 2 && digits != "0000").then(|| format!("{sign}{hours}:{minutes}"))
}

/// Adds what the words themselves say and what is still missing: header lines, then a dateline, then the language.
///
/// In an `export` no date is looked for: those are of its records.
pub(super) fn complete(about: &mut About, words: &str, export: bool) {
    let mut reach = words.len().min(REACH);
    while !words.is_char_boundary(reach) {
        reach -= 1;
    }
    let head = words.get(..reach).unwrap_or(words).trim_start_matches('\u{feff}');
    for line in head.lines().take(LINES) {
        if let Some((key, value)) = field(line).filter(|_| !export) {
            put(about, &key, value);
        }
    }
    if about.date.is_none() && !export {
        about.date = dateline(head);
    }
    if about.language.is_none() {
        about.language = language(head);
    }
}

/// `date 2019-06-10 …`, `Published: …`: a header line's key and value.
fn field(line: &str) -> Option<(String, &str)> {
    let line = line.trim().trim_start_matches(['*', '_', '#', '|']).trim_start();
    let (key, value) = match line.split_once([':', '：']) {
        Some((key, value)) if key.chars().count() <= 24 && !value.starts_with("//") => (key, value),
        // without a colon only a date is unmistakable
        _ => line.split_once(char::is_whitespace).filter(|(k, v)| {
            k.eq_ignore_ascii_case("date") && v.trim_start().starts_with(|c: char| c.is_ascii_digit())
        })?,
    };
    let value = value.trim().trim_matches(['*', '_', '|']).trim();
    (!value.is_empty()).then(|| (key.trim().trim_matches(['*', '_']).to_lowercase(), value))
}

fn put(about: &mut About, key: &str, value: &str) {
    let text = || Some(value.trim_matches(['"', '“', '”']).to_owned());
    match key {
        "date"
        | "published"
        | "publication date"
        | "pubdate"
        | "date published"
        | "release date"
        | "issued"
        | "datum"
        | "fecha"
        | "data"
        | "дата"
        | "日付"
        | "日期"
        | "발표일"
        | "تاريخ"
        | "التاريخ"
        | "تاریخ"
        | "tarih"
        | "päiväys"
        | "veröffentlicht"
        | "publié le"
        | "publicado"
        | "published on"
        | "date de publication"
            if about.date.is_none() =>
        {
            about.date = day(value);
            about.zone = about.date.as_ref().and_then(|_| zone(value));
        }
        "title" | "headline" | "subject" | "titel" | "titre" | "título" | "titolo" | "заголовок" | "标题" | "件名"
        | "제목" | "العنوان" => about.title = about.title.take().or_else(text),
        "author" | "by" | "byline" | "autor" | "auteur" | "autore" | "автор" | "作者" | "著者" | "기자" | "الكاتب" => {
            about.author = about.author.take().or_else(text)
        }
        "publisher" | "source" | "organisation" | "organization" | "outlet" | "quelle" | "éditeur" | "издание"
        | "来源" | "المصدر" => about.publisher = about.publisher.take().or_else(text),
        "language" | "lang" | "sprache" | "langue" if value.len() <= 16 => {
            about.language = about.language.take().or_else(text)
        }
        "url" | "canonical" | "link" | "permalink" if value.starts_with("http") => {
            about.canonical = about.canonical.take().or_else(text)
        }
        _ => {}
    }
}

/// `BRUSSELS, 10 June 2019 –`: a line among the first that is a date, or begins with a place and one.
fn dateline(head: &str) -> Option<String> {
    let (mut offset, mut above) = (0, "");
    for line in head.split_inclusive('\n').take(8) {
        let start = offset;
        offset += line.len();
        let trimmed = line.trim();
        if trimmed.is_empty() {
            continue;
        }
        // an account or a middle dot in the line above is how a platform shows a post's day, and how a remnant breaks
        let signed =
            above.ends_with(['·', '•']) || above.starts_with('@') || above.contains("(@") && above.ends_with(')');
        above = trimmed;
        if signed {
            continue;
        }
        let near: usize = line.char_indices().nth(48).map_or(line.len(), |(i, _)| i);
        let Some(found) = day::first(head, start..start + near, None) else { continue };
        let before = head.get(start..found.start).unwrap_or_default().trim();
        let after = head.get(found.end..offset).unwrap_or_default().trim_start_matches([')', ',', '.', ' ']);
        let alone = after.trim().is_empty() && before.chars().count() <= 24;
        // a sentence has words of its own before its day: `He wrote on 5 March 2024: …`
        let told = before.split_whitespace().any(|w| w.starts_with(char::is_lowercase) && w.chars().count() > 3);
        let place = after.starts_with(['—', '–', '-', '|', ':'])
            && before.chars().count() <= 30
            && !before.contains('@')
            && !told;
        // a clock and a middle dot before it are how a platform shows a post's day; a dash is in a sentence, or before a name
        let shown = before.contains(['@', '—', '·']);
        if (alone || place) && !shown {
            return match found.readings.as_slice() {
                [one] => Some(one.to_string()),
                _ => None,
            };
        }
    }
    None
}

/// The language of the words, where it is certain.
fn language(head: &str) -> Option<String> {
    // scripts without spaces glue links to their words
    let bare = head.split_whitespace().map(|w| w.split("http").next().unwrap_or_default());
    let words: String = bare.filter(|w| !w.contains(['/', '@', '#'])).flat_map(|w| [w, " "]).collect();
    language::guess(&words, 0.5).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timestamp_says_its_clock() {
        for (text, expected) in [
            ("2019-06-10T12:00:00+06:00", Some("+06:00")),
            ("2019-06-10T12:00:00.5-0330", Some("-03:30")),
            ("Mon, 10 Jun 2019 12:00:00 +0600", Some("+06:00")),
            ("2019-06-10T12:00:00Z", None),
            ("2019-06-10T12:00:00+00:00", None),
            ("2019-06-10", None),
            ("2019-06-10 - 0600", None),
            ("12:00 +é0", None),
            ("10 June 2019", None),
        ] {
            assert_eq!(zone(text).as_deref(), expected, "{text}");
        }
    }

    fn about(words: &str) -> About {
        let mut about = About::default();
        complete(&mut about, words, false);
        about
    }

    #[test]
    fn header_lines_with_and_without_colons() {
        let a = about(
            " date 2019-06-10 “Presidential elections took place in the Republic of Kazakhstan on 9 June 2019 with Kassym-Jomart Tokayev voted into his first term as President.”",
        );
        assert_eq!((a.date.as_deref(), a.language.as_deref()), (Some("2019-06-10"), Some("en")));
        let a = about("Title: Quay 4 closed\nBy: Ana Ruiz\nPublished: 6 March 2026\n\nWords.");
        assert_eq!(
            (a.title.as_deref(), a.author.as_deref(), a.date.as_deref()),
            (Some("Quay 4 closed"), Some("Ana Ruiz"), Some("2026-03-06"))
        );
    }

    #[test]
    fn datelines_but_no_dates_of_attributions() {
        assert_eq!(about("BRUSSELS, 10 June 2019 – The Union said").date.as_deref(), Some("2019-06-10"));
        assert_eq!(about("Press release\n10 juin 2019\n\nWords").date.as_deref(), Some("2019-06-10"));
        assert_eq!(about("Pier open — Ana (@ana_ruiz9) March 6, 2026").date, None);
        assert_eq!(about("03/04/2020\nWords").date, None, "two readings");
        let glued = about("港は閉鎖されました。https://t.co/Ab12Cd34Ef — 港湾局 (@minato_k) 2024年3月5日");
        assert_eq!(glued.language.as_deref(), Some("ja"));
        for post in [
            "She wrote — on 5 March 2024 — that nobody should care",
            "Il sindaco ha twittato il 3 aprile 2022: «Il ponte è chiuso»",
            "“We are closing”\n\n— Port (@port)\n\nMarch 5, 2024\n\nThe next paragraph.",
            "Name\n@handle_q\n·\nMar 5, 2024\nThe words.",
        ] {
            assert_eq!(about(post).date, None, "{post}");
        }
    }
}
