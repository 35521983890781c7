//! Days as people of many languages write them (Unicode UTS #35 Part 4, CLDR): read, with all readings where there are several.

pub(super) mod number;
mod pieces;
mod words;

use std::borrow::Cow;

use icu::calendar::Iso;
use icu::calendar::cal::Hijri;
use jiff::civil::Date;

use pieces::{Kind, Piece, pieces, skip};
use words::{Calendar, Lexicon, Month};

/// A day found in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Day {
    /// where its first character stands
    pub start: usize,
    /// behind its last
    pub end: usize,
    /// its readings: one where it is sure, two where day and month can change places
    pub readings: Vec<Date>,
}

/// Reads the day that begins at `at` (leading spaces allowed). `language` (BCP 47) decides between readings where it can.
pub fn read(text: &str, at: usize, language: Option<&str>) -> Option<Day> {
    let start = skip(text, at);
    let first = text.get(start..)?.chars().next()?;
    if !(number::digit(first).is_some() || words::is_word(first)) {
        return None;
    }
    if let Some(day) = logged(text, start) {
        return Some(day);
    }
    let pieces = pieces(text, start);
    // no date has fewer; to know that saves the words of all languages from being looked up, or learned at all
    if pieces.iter().filter(|p| matches!(p.kind, Kind::Number { .. })).count() < 2 {
        return None;
    }
    let english = language.is_none_or(|l| primary(l) == "en") && pieces.iter().all(|p| p.ascii);
    if english
        && let Some(day) = resolve(&words::ENGLISH, text, &pieces, language)
        && !text.get(day.end..).is_some_and(|t| t.starts_with('.'))
    {
        return Some(day);
    }
    // numbers alone need no words; anything else may be of any language
    resolve(&words::ALL, text, &pieces, language)
}

/// `Mon Mar 11 17:00:00 +0000 2024`: the day around an hour, as C's `asctime` (C17 7.27.3.1), Unix `date` and X's `created_at`
/// write it, in English everywhere.
fn logged(text: &str, start: usize) -> Option<Day> {
    let line = text.get(start..)?.split('\n').next()?;
    // no such stamp is longer than its words, a zone among them, and their spaces
    let reach = line.char_indices().nth(48).map_or(line.len(), |(i, _)| i);
    let line = line.get(..reach).filter(|line| line.contains(':'))?;
    let mut words = words_of(line).peekable();
    words.next_if(|(_, word)| words::ENGLISH.is_weekday(&word.trim_end_matches(',').to_ascii_lowercase()));
    let (_, month) = words.next()?;
    let month = words::ENGLISH.month(&month.to_ascii_lowercase()).iter().find(|m| m.calendar == Calendar::Gregorian)?;
    let day = words.next().and_then(|(_, day)| day.parse().ok())?;
    words.next_if(|(_, clock)| is_clock(clock))?;
    words.next_if(|(_, zone)| is_zone(zone));
    let (at, year) = words.next()?;
    let digits = year.bytes().take_while(u8::is_ascii_digit).count();
    let value = year.get(..digits).filter(|_| digits == 4)?.parse().ok()?;
    let ends = year.get(digits..)?.chars().next().is_none_or(|c| !c.is_alphanumeric());
    let readings = vec![date(value, month.number, day, Calendar::Gregorian).filter(|_| ends)?];
    Some(Day { start, end: start + at + digits, readings })
}

/// The words of a line and where they begin.
fn words_of(line: &str) -> impl Iterator<Item = (usize, &str)> {
    let base = line.as_ptr() as usize;
    line.split_ascii_whitespace().map(move |word| (word.as_ptr() as usize - base, word))
}

fn is_clock(word: &str) -> bool {
    word.len() >= 4
        && word.starts_with(|c: char| c.is_ascii_digit())
        && word.contains(':')
        && word.bytes().all(|b| b.is_ascii_digit() || b == b':')
}

/// `+0000`, `UTC`, `CEST`.
fn is_zone(word: &str) -> bool {
    let offset =
        word.strip_prefix(['+', '-']).is_some_and(|rest| rest.bytes().all(|b| b.is_ascii_digit() || b == b':'));
    offset || (2..=5).contains(&word.len()) && word.bytes().all(|b| b.is_ascii_uppercase())
}

/// The first day that stands in a stretch; looked for only where numbers are.
pub fn first(text: &str, range: std::ops::Range<usize>, language: Option<&str>) -> Option<Day> {
    let slice = text.get(range.clone())?;
    let mut last = ' ';
    let starts: Vec<usize> = slice
        .char_indices()
        .filter_map(|(i, c)| {
            // scripts without spaces write a date right behind a word: `港湾局は2023年8月2日`
            let glued =
                number::digit(c).is_some() && last.is_alphabetic() && !last.is_lowercase() && !last.is_uppercase();
            let begins = c.is_alphanumeric() && !(last.is_alphanumeric() || matches!(last, '_' | '@')) || glued;
            last = c;
            begins.then_some(i)
        })
        .collect();
    let promising = |n: usize| {
        let here = starts.get(n).and_then(|s| slice.get(*s..starts.get(n + 1).copied().unwrap_or(slice.len())));
        let next = starts.get(n + 1).and_then(|s| slice.get(*s..)).and_then(|t| t.chars().next());
        here.is_some_and(|h| h.chars().any(char::is_numeric)) || next.is_some_and(char::is_numeric)
    };
    let tries = (0..starts.len()).filter(|n| promising(*n)).take(24).filter_map(|n| starts.get(n));
    let found = tries.filter_map(|start| read(text, range.start + start, language)).find(|d| d.end <= range.end + 8)?;
    Some(without_preposition(text, found, language))
}

/// The day without a word that languages set before their dates and that says nothing of them: `on 12 January`.
pub fn without_preposition(text: &str, day: Day, language: Option<&str>) -> Day {
    let pieces = pieces(text, day.start);
    let [Piece { kind: Kind::Word(word), .. }, rest @ ..] = pieces.as_slice() else { return day };
    let Some(second) = rest.first() else { return day };
    let is_known = |lexicon: &Lexicon| lexicon.is_weekday(word) || !lexicon.month(word).is_empty();
    // `on` is how Norwegians cut Wednesday short, but not before an English month
    let english = resolve(&words::ENGLISH, text, rest, language).is_some();
    if is_known(&words::ENGLISH) || !english && (is_known(&words::ALL) || !words::ALL.is_filler(word)) {
        return day;
    }
    let same = |rest: &Day| rest.start == second.start && (rest.end, &rest.readings) == (day.end, &day.readings);
    read(text, second.start, language).filter(same).unwrap_or(day)
}

/// Behind a day of no year, as platforms show those of the current one: `May 3`, `3. Mai`, `5月3日`.
pub fn behind_yearless(text: &str, at: usize) -> Option<usize> {
    let pieces = pieces(text, at);
    let is_day = |piece: &Piece<'_>| matches!(piece.kind, Kind::Number { value: 1..=31, .. });
    let is_month = |piece: &Piece<'_>| matches!(&piece.kind, Kind::Word(word) if !words::ALL.month(word).is_empty());
    let is_sign = |piece: &Piece<'_>, role| matches!(&piece.kind, Kind::Word(word) if marker(word) == Some(role));
    match pieces.as_slice() {
        [a, b, c, d, ..] if is_day(a) && is_sign(b, Role::Month) && is_day(c) && is_sign(d, Role::Day) => Some(d.end),
        [a, b, ..] if is_day(a) && is_month(b) || is_month(a) && is_day(b) => Some(b.end),
        _ => None,
    }
}

/// A number and what marks it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    Plain,
    Year,
    Month,
    Day,
}

/// What has been read of a date so far.
#[derive(Default)]
struct Draft {
    numbers: Vec<(i32, usize, Role)>,
    /// how the second number is separated from the first
    glue: Option<char>,
    months: Vec<Month>,
    era: Option<Era>,
    end: usize,
    last_is_number: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Era {
    /// years since 1911 (民國)
    Minguo,
    /// the year before the era's first
    Japan(i32),
}

fn resolve(lexicon: &Lexicon, text: &str, pieces: &[Piece<'_>], language: Option<&str>) -> Option<Day> {
    let mut draft = Draft::default();
    let mut n = 0;
    while let Some(piece) = pieces.get(n) {
        if draft.complete() {
            break;
        }
        n += match &piece.kind {
            Kind::Number { value, digits } => {
                let role = role(pieces.get(n + 1));
                if draft.numbers.len() == 1 && draft.months.is_empty() {
                    draft.glue = Some(piece.glue);
                }
                draft.numbers.push((*value, *digits, role));
                draft.end = piece.end;
                draft.last_is_number = true;
                1 + usize::from(role != Role::Plain)
            }
            Kind::Word(word) => word_at(lexicon, &mut draft, pieces, n, word)?,
        };
        if let Some(marker) = n
            .checked_sub(1)
            .and_then(|i| pieces.get(i))
            .filter(|p| matches!(&p.kind, Kind::Word(w) if marker(w).is_some()))
        {
            draft.end = draft.end.max(marker.end);
        }
    }
    finish(lexicon, text, draft, pieces, language)
}

/// Takes the word at `n`; how many pieces it used up, `None` where no date goes on like this.
fn word_at(lexicon: &Lexicon, draft: &mut Draft, pieces: &[Piece<'_>], n: usize, word: &str) -> Option<usize> {
    let glued_ordinal = pieces.get(n)?.glue == '\0'
        && draft.last_is_number
        && matches!(word, "st" | "nd" | "rd" | "th" | "er" | "re" | "º" | "ª" | "o" | "a" | "e");
    if let Some(era) = era(word) {
        draft.era = Some(era);
        return Some(1);
    }
    let run =
        pieces.iter().skip(n).take(3).map_while(|p| if let Kind::Word(w) = &p.kind { Some(w.as_ref()) } else { None });
    for len in (1..=run.clone().count()).rev() {
        let name = if len == 1 {
            Cow::Borrowed(word)
        } else {
            Cow::Owned(run.clone().take(len).collect::<Vec<_>>().join(" "))
        };
        let months = lexicon.month(name.trim_end_matches(['\'', '’']));
        if !months.is_empty() && draft.months.is_empty() {
            draft.months = months.to_vec();
            draft.end = pieces.get(n + len - 1)?.end;
            draft.last_is_number = false;
            return Some(len);
        }
    }
    let empty = draft.numbers.is_empty() && draft.months.is_empty();
    (glued_ordinal || lexicon.is_filler(word) || (empty && lexicon.is_weekday(word)) || word == "of" || word == "the")
        .then_some(1)
}

/// Whether a sign is what [`marker`] knows.
fn is_marker(c: char) -> bool {
    marker(c.encode_utf8(&mut [0; 4])).is_some()
}

/// The marker behind a number: 年 月 日 and the Korean ones.
fn marker(word: &str) -> Option<Role> {
    Some(match word {
        "年" | "년" => Role::Year,
        "月" | "월" => Role::Month,
        "日" | "일" | "號" | "号" => Role::Day,
        _ => return None,
    })
}

fn role(next: Option<&Piece<'_>>) -> Role {
    match next {
        Some(Piece { kind: Kind::Word(word), .. }) => marker(word).unwrap_or(Role::Plain),
        _ => Role::Plain,
    }
}

fn era(word: &str) -> Option<Era> {
    Some(match word {
        "民國" | "民国" | "中華民國" => Era::Minguo,
        "令和" => Era::Japan(2018),
        "平成" => Era::Japan(1988),
        _ => return None,
    })
}

impl Draft {
    fn complete(&self) -> bool {
        self.numbers.len() == if self.months.is_empty() { 3 } else { 2 }
    }
}

fn finish(lexicon: &Lexicon, text: &str, draft: Draft, pieces: &[Piece<'_>], language: Option<&str>) -> Option<Day> {
    let start = pieces.first()?.start;
    if !draft.complete() {
        return None;
    }
    let mut readings: Vec<Date> = Vec::new();
    let mut locales = Vec::new();
    if draft.months.is_empty() {
        readings = numeric(&draft, language);
    } else {
        let own = |m: &&Month| {
            language.is_some_and(|l| words::LOCALES.get(m.locale).is_some_and(|x| primary(x) == primary(l)))
        };
        let tail = |m: &&Month| lexicon.tail(&[m.locale], text.get(draft.end..).unwrap_or_default()) > 0;
        let chosen = narrowed(&draft.months, own, tail);
        for month in chosen {
            locales.push(month.locale);
            if let Some(date) = named(&draft, month).filter(|d| !readings.contains(d)) {
                readings.push(date);
            }
        }
    }
    if readings.is_empty() {
        return None;
    }
    let mut end = draft.end;
    if draft.last_is_number || locales.is_empty() {
        let after = text.get(end..).unwrap_or_default();
        // numbers alone have no locale: only what is unmistakable may follow them
        let tail = if locales.is_empty() { 0 } else { lexicon.tail(&locales, after) };
        let dotted = pieces.iter().any(|p| {
            p.end < draft.end
                && matches!(p.kind, Kind::Number { .. })
                && text.get(p.end..).is_some_and(|t| t.starts_with('.'))
        });
        end += if dotted { tail } else { sentence_safe(after, tail, &locales) };
    }
    Some(Day { start, end, readings })
}

/// A bare full stop belongs to the date only where no English reading is left; else it ends the sentence.
fn sentence_safe(after: &str, tail: usize, locales: &[usize]) -> usize {
    let plain = after.get(..tail) == Some(".");
    let english = locales.iter().any(|l| words::LOCALES.get(*l).is_some_and(|l| primary(l) == "en"));
    if plain && english { 0 } else { tail }
}

fn primary(tag: &str) -> &str {
    tag.split(['-', '_']).next().unwrap_or(tag)
}

/// Of the readings of a month's name: those of the text's language, else those whose locale writes what follows, else all.
fn narrowed(months: &[Month], own: impl Fn(&&Month) -> bool, tail: impl Fn(&&Month) -> bool) -> Vec<&Month> {
    let distinct = |set: &[&Month]| {
        set.iter().any(|m| set.first().is_some_and(|f| (f.number, f.calendar) != (m.number, m.calendar)))
    };
    let all: Vec<&Month> = months.iter().collect();
    if !distinct(&all) {
        return all;
    }
    for set in [months.iter().filter(own).collect::<Vec<_>>(), months.iter().filter(tail).collect()] {
        if !set.is_empty() {
            return set;
        }
    }
    all
}

fn named(draft: &Draft, month: &Month) -> Option<Date> {
    let [(a, a_digits, a_role), (b, b_digits, _)] = draft.numbers.as_slice() else { return None };
    let (day, year, year_digits) =
        if *a_digits >= 3 || *a_role == Role::Year || *a > 31 { (*b, *a, *a_digits) } else { (*a, *b, *b_digits) };
    let year = match (year_digits, draft.era) {
        (_, Some(era)) => in_era(year, era),
        (2, None) => 2000 + year,
        _ => year,
    };
    date(year, month.number, day, month.calendar)
}

fn in_era(year: i32, era: Era) -> i32 {
    match era {
        Era::Minguo => year.saturating_add(1911),
        Era::Japan(before) => year.saturating_add(before),
    }
}

/// Three numbers: by their markers, their sizes, the language, or both ways.
fn numeric(draft: &Draft, language: Option<&str>) -> Vec<Date> {
    let [a, b, c] = draft.numbers.as_slice() else { return Vec::new() };
    let role = |role: Role| draft.numbers.iter().find(|n| n.2 == role).map(|n| n.0);
    if let Some(month) = role(Role::Month) {
        let mut others = draft.numbers.iter().filter(|n| n.2 != Role::Month);
        let (Some(x), Some(y)) = (others.next(), others.next()) else { return Vec::new() };
        let (year, day) = if x.2 == Role::Year || (x.1 == 4 && y.2 != Role::Year) { (x.0, y.0) } else { (y.0, x.0) };
        let year = draft.era.map_or(year, |e| in_era(year, e));
        return u8::try_from(month).ok().and_then(|m| date(year, m, day, Calendar::Gregorian)).into_iter().collect();
    }
    let make = |y: i32, m: i32, d: i32| u8::try_from(m).ok().and_then(|m| date(y, m, d, Calendar::Gregorian));
    if a.1 == 4 {
        return make(a.0, b.0, c.0).into_iter().collect();
    }
    if c.1 != 4 {
        return Vec::new();
    }
    let (day_first, month_first) = (make(c.0, b.0, a.0), make(c.0, a.0, b.0));
    let dotted = draft.glue == Some('.') || draft.glue == Some(' ');
    match (day_first, month_first) {
        (Some(d), Some(m)) if d != m && !dotted => match language {
            Some("en-US") => vec![m],
            Some(l) if primary(l) != "en" => vec![d],
            _ => vec![d, m],
        },
        (Some(d), _) => vec![d],
        (None, Some(m)) if !dotted => vec![m],
        _ => Vec::new(),
    }
}

/// A day in a calendar, as a day of ours; only years in which posts and statements about them can fall.
fn date(year: i32, month: u8, day: i32, calendar: Calendar) -> Option<Date> {
    let day = u8::try_from(day).ok()?;
    // No calendar here counts more years than this for a day that is plausible, and none need reckon with any number that stands in a text.
    let year = Some(year).filter(|year| (1..=9999).contains(year))?;
    let date = match calendar {
        Calendar::Persian => icu::calendar::Date::try_new_persian(year, month, day).ok()?.to_calendar(Iso),
        Calendar::Hijri => icu::calendar::Date::try_new_hijri_with_calendar(year, month, day, Hijri::new_umm_al_qura())
            .ok()?
            .to_calendar(Iso),
        Calendar::Gregorian => {
            // the Buddhist era counts 543 years more
            let year = if (2400..2700).contains(&year) { year - 543 } else { year };
            let month = i8::try_from(month).ok()?;
            return Date::new(i16::try_from(year).ok()?, month, i8::try_from(day).ok()?).ok().filter(plausible);
        }
    };
    let (year, month, day) = (date.year().extended_year(), date.month().ordinal, date.day_of_month().0);
    Date::new(i16::try_from(year).ok()?, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok().filter(plausible)
}

fn plausible(date: &Date) -> bool {
    (1900..=2100).contains(&date.year())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str, language: Option<&str>) -> Option<(String, String)> {
        read(text, 0, language).map(|d| {
            let days: Vec<String> = d.readings.iter().map(ToString::to_string).collect();
            (days.join(" or "), text.get(d.start..d.end).unwrap_or_default().to_owned())
        })
    }

    #[test]
    fn every_locale_reads_its_own_forms() {
        use icu::calendar::{Date as Icu, Gregorian};
        use icu::datetime::{FixedCalendarDateTimeFormatter, fieldsets::YMD};
        let mut wrong = Vec::new();
        for locale in words::LOCALES {
            let Ok(tag) = locale.parse::<icu::locale::Locale>() else { continue };
            let Ok(formatter) = FixedCalendarDateTimeFormatter::<Gregorian, _>::try_new((&tag).into(), YMD::long())
            else {
                continue;
            };
            for (y, m, d) in [(2019, 6, 10), (2018, 12, 1), (2020, 2, 16), (2021, 10, 31)] {
                let Ok(date) = Icu::try_new_gregorian(y, m, d) else { continue };
                let text = formatter.format(&date).to_string();
                let want = format!("{y}-{m:02}-{d:02}");
                let got = shown(&text, Some(locale));
                if got.as_ref().is_none_or(|g| g.0 != want || g.1 != text) {
                    wrong.push(format!("{locale}: {text}: {got:?}"));
                }
            }
        }
        assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
    }

    #[test]
    fn a_number_too_long_for_a_year_is_none() {
        let nines = "9".repeat(30);
        for text in [
            format!("民國{nines} jun 2"),
            format!("令和{nines}年6月10日"),
            format!("民國{nines}年6月10日"),
            format!("10 khordad {nines}"),
            format!("۲۰ خرداد {nines}"),
            format!("7 Shawwal {nines}"),
        ] {
            assert_eq!(shown(&text, None).map(|found| found.0), None, "{text}");
        }
    }

    #[test]
    fn a_day_begins_behind_letters_that_no_space_follows() {
        let found =
            |text: &str| first(text, 0..text.len(), None).and_then(|d| text.get(d.start..d.end).map(str::to_owned));
        assert_eq!(found("港湾局は2023年8月2日、そう述べた").as_deref(), Some("2023年8月2日"));
        assert_eq!(found("port2023 8 2"), None);
    }

    #[test]
    fn an_hour_is_no_year() {
        for (text, want) in [
            ("Mon Mar 11 17:00:00 +0000 2024", Some("Mon Mar 11 17:00:00 +0000 2024")),
            ("Mon Mar 11 17:00:00 2024, and", Some("Mon Mar 11 17:00:00 2024")),
            ("Mon Mar  4 17:00:00 CEST 2024\n", Some("Mon Mar  4 17:00:00 CEST 2024")),
            ("Mon Mar 11 17:00:00 +0000", None),
            ("Mar 11 17:00", None),
            ("11 March 17:00", None),
            ("March 11, 2024 17:00", Some("March 11, 2024")),
        ] {
            let found = shown(text, None);
            assert_eq!(found.as_ref().map(|(_, raw)| raw.as_str()), want, "{text}");
            assert!(found.is_none_or(|(day, _)| day.starts_with("2024-03-")), "{text}");
        }
    }

    #[test]
    fn a_word_before_a_day_is_not_the_days() {
        for (text, want) in [
            ("said on 12 January 2023 that", "12 January 2023"),
            ("on Monday, 10 June 2019", "Monday, 10 June 2019"),
            ("el 10 de junio de 2019", "10 de junio de 2019"),
            ("2019 m. birželio 10 d.", "2019 m. birželio 10 d."),
            ("le 10 juin 2019", "10 juin 2019"),
            ("(@baskan_tr) 3 Nisan 2022’de", "3 Nisan 2022"),
            ("于2022年4月3日发推称", "2022年4月3日"),
            ("은 2022년 4월 3일은 트위터", "2022년 4월 3일"),
        ] {
            let day = first(text, 0..text.len(), None).unwrap();
            assert_eq!(text.get(day.start..day.end), Some(want), "{text}");
        }
    }

    #[test]
    fn the_same_day_in_many_languages() {
        for text in [
            "June 10, 2019",
            "Jun 10, 2019",
            "10 June 2019",
            "10 Jun. 2019",
            "Monday, June 10, 2019",
            "10 juin 2019",
            "10 de junho de 2019",
            "10. Juni 2019",
            "10 giugno 2019",
            "10. června 2019",
            "2019. június 10.",
            "10. lipnja 2019.",
            "10 Haziran 2019",
            "10 июня 2019 г.",
            "2019 ж. 10 маусым",
            "١٠ يونيو ٢٠١٩",
            "۱۰ ژوئن ۲۰۱۹",
            "10 जून 2019",
            "10 tháng 6, 2019",
            "2019년 6월 10일",
            "6月 10, 2019",
            "2019, 6月 10",
            "2019年6月10日",
            "10. kesäkuuta 2019",
            "۲۰ خرداد ۱۳۹۸",
            "10 มิถุนายน 2562",
            "10 มิถุนายน ค.ศ. 2019",
            "10 червня 2019 р.",
            "2019 m. birželio 10 d.",
            "2019. gada 10. jūnijs",
            "10 de juny del 2019",
            "2019(e)ko ekainaren 10(a)",
            "2019-06-10",
            "10.06.2019",
            "2019. 6. 10.",
            "民國108年6月10日",
            "令和1年6月10日",
            "7 Shawwal 1440",
        ] {
            assert_eq!(shown(text, None).map(|s| s.0).as_deref(), Some("2019-06-10"), "{text}");
        }
    }
}
