//! The words of dates: month names and the words around them in every locale of CLDR that platforms print, taken from `icu`.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use foldhash::fast::FixedState;
use icu::calendar::cal::{Hijri, Persian, hijri::UmmAlQura};
use icu::calendar::{Date, Gregorian};
use icu::datetime::FixedCalendarDateTimeFormatter;
use icu::datetime::fieldsets::{M, YMD, YMDE};
use icu::locale::Locale;

use super::number;

/// Whose months they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Calendar {
    Gregorian,
    Persian,
    Hijri,
}

/// One reading of a month's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Month {
    pub(super) number: u8,
    pub(super) calendar: Calendar,
    /// index into [`LOCALES`]
    pub(super) locale: usize,
}

/// The words of a set of locales.
#[derive(Default)]
pub(super) struct Lexicon {
    /// by lower-case name, words joined by one space
    months: HashMap<String, Vec<Month>, FixedState>,
    /// words that stand in every date of some locale: `de`, `г`, `年`
    fillers: HashSet<String, FixedState>,
    weekdays: HashSet<String, FixedState>,
    /// what a locale writes behind the last number: `.`, ` г.`, `日`
    tails: Vec<(usize, String)>,
}

/// The locales of X's interface and of Bluesky's, Mastodon's and Telegram's beyond it (2026), English first.
pub(super) const LOCALES: &[&str] = &[
    "en", "en-GB", "fr", "es", "pt", "pt-PT", "de", "it", "nl", "ru", "ja", "ko", "ar", "pl", "tr", "sv", "da", "nb",
    "fi", "cs", "sk", "hu", "ro", "bg", "hr", "sr", "sr-Latn", "bs", "sl", "lt", "lv", "et", "el", "uk", "be", "kk",
    "ky", "uz", "az", "hy", "ka", "tg", "tk", "ar-EG", "ar-MA", "ar-SY", "ar-DZ", "ar-TN", "fa", "fa-AF", "ps", "ku",
    "he", "ur", "hi", "bn", "ta", "te", "mr", "gu", "kn", "ml", "pa", "or", "as", "th", "vi", "id", "ms", "fil", "zh",
    "zh-Hant", "ca", "eu", "gl", "ga", "gd", "cy", "br", "is", "fo", "lb", "mk", "sq", "sw", "af", "zu", "ha", "yo",
    "ig", "so", "am", "ti", "my", "km", "lo", "mn", "ne", "si", "de-AT", "es-MX", "fr-CA", "es-US", "mt", "eo", "nn",
    "fy", "jv", "rm", "tt", "sd", "ug", "ckb",
];

/// English alone: most dates are read without building the rest.
pub(super) static ENGLISH: LazyLock<Lexicon> = LazyLock::new(|| Lexicon::of(0..2));

/// All of them.
pub(super) static ALL: LazyLock<Lexicon> = LazyLock::new(|| Lexicon::of(0..LOCALES.len()));

impl Lexicon {
    fn of(range: std::ops::Range<usize>) -> Self {
        let mut lexicon = Self::default();
        for locale in range {
            lexicon.add(locale);
        }
        lexicon
    }

    /// The readings of a name made of one or more words.
    pub(super) fn month(&self, name: &str) -> &[Month] {
        self.months.get(name).map_or(&[], Vec::as_slice)
    }

    pub(super) fn is_filler(&self, word: &str) -> bool {
        self.fillers.contains(word)
    }

    pub(super) fn is_weekday(&self, word: &str) -> bool {
        self.weekdays.contains(word)
    }

    /// What the given locales (all, where none is given) write behind a date's last number, if `after` begins with it.
    pub(super) fn tail(&self, locales: &[usize], after: &str) -> usize {
        let own = self.tails.iter().filter(|(locale, _)| locales.is_empty() || locales.contains(locale));
        own.filter_map(|(_, tail)| fit(tail, after)).max().unwrap_or(0)
    }

    fn add(&mut self, locale: usize) {
        let Some(Ok(tag)) = LOCALES.get(locale).map(|l| l.parse::<Locale>()) else { return };
        for set in [YMD::long(), YMD::medium()] {
            self.learn(locale, Calendar::Gregorian, &gregorian(&tag, set));
        }
        self.learn(locale, Calendar::Gregorian, &standalone(&tag));
        self.learn_weekdays(&tag);
        let language = tag.id.language;
        if matches!(language.as_str(), "fa" | "ps" | "ckb" | "en") {
            self.learn(locale, Calendar::Persian, &persian(&tag));
        }
        if matches!(language.as_str(), "ar" | "fa" | "ur" | "en" | "tr" | "id") {
            self.learn(locale, Calendar::Hijri, &hijri(&tag));
        }
    }

    /// Twelve dates that differ in their month alone: what they share is filler, what differs is the month's name.
    fn learn(&mut self, locale: usize, calendar: Calendar, dates: &[String]) {
        let split: Vec<Vec<String>> = dates.iter().map(|d| words(d)).collect();
        let Some(first) = split.first().filter(|_| split.len() == 12) else { return };
        let shared: HashSet<&String> = first.iter().filter(|w| split.iter().all(|s| s.contains(w))).collect();
        for (n, words) in split.iter().enumerate() {
            let name: Vec<&str> = words.iter().filter(|w| !shared.contains(w)).map(String::as_str).collect();
            let number = u8::try_from(n + 1).unwrap_or(0);
            let month = Month { number, calendar, locale };
            let known = self.months.entry(name.join(" ")).or_default();
            if !name.is_empty() && !known.contains(&month) {
                known.push(month);
            }
        }
        self.months.remove("");
        self.fillers.extend(shared.into_iter().cloned());
        if let Some(tail) = dates.first().map(|d| tail_of(d)).filter(|t| !t.is_empty()) {
            self.tails.push((locale, tail.to_owned()));
        }
    }

    fn learn_weekdays(&mut self, tag: &Locale) {
        for set in [YMDE::long(), YMDE::medium()] {
            let Ok(formatter) = FixedCalendarDateTimeFormatter::<Gregorian, _>::try_new(tag.into(), set) else {
                continue;
            };
            let days: Vec<Vec<String>> = (10..17)
                .filter_map(|d| Date::try_new_gregorian(2019, 6, d).ok())
                .map(|d| words(&formatter.format(&d).to_string()))
                .collect();
            for day in &days {
                let own = day.iter().filter(|w| !days.iter().all(|other| other.contains(w)));
                self.weekdays.extend(own.cloned());
            }
            self.fillers.extend(
                days.first()
                    .into_iter()
                    .flatten()
                    .filter(|w| days.iter().all(|d| d.contains(w)) && self.month(w).is_empty())
                    .cloned()
                    .collect::<Vec<_>>(),
            );
        }
    }
}

/// How many bytes of `after` a tail takes up; blanks of every kind are the same.
fn fit(tail: &str, after: &str) -> Option<usize> {
    let mut given = after.chars();
    let mut len = 0;
    for c in tail.chars() {
        let g = given.next()?;
        if g != c && !(g.is_whitespace() && c.is_whitespace()) {
            return None;
        }
        len += g.len_utf8();
    }
    Some(len)
}

fn gregorian(tag: &Locale, set: YMD) -> Vec<String> {
    let Ok(formatter) = FixedCalendarDateTimeFormatter::<Gregorian, _>::try_new(tag.into(), set) else {
        return Vec::new();
    };
    (1..=12)
        .filter_map(|m| Date::try_new_gregorian(2019, m, 23).ok())
        .map(|d| formatter.format(&d).to_string())
        .collect()
}

fn standalone(tag: &Locale) -> Vec<String> {
    let Ok(formatter) = FixedCalendarDateTimeFormatter::<Gregorian, _>::try_new(tag.into(), M::long()) else {
        return Vec::new();
    };
    (1..=12)
        .filter_map(|m| Date::try_new_gregorian(2019, m, 23).ok())
        .map(|d| formatter.format(&d).to_string())
        .collect()
}

fn persian(tag: &Locale) -> Vec<String> {
    let Ok(formatter) = FixedCalendarDateTimeFormatter::<Persian, _>::try_new(tag.into(), YMD::long()) else {
        return Vec::new();
    };
    (1..=12).filter_map(|m| Date::try_new_persian(1398, m, 23).ok()).map(|d| formatter.format(&d).to_string()).collect()
}

fn hijri(tag: &Locale) -> Vec<String> {
    let Ok(formatter) = FixedCalendarDateTimeFormatter::<Hijri<UmmAlQura>, _>::try_new(tag.into(), YMD::long()) else {
        return Vec::new();
    };
    (1..=12)
        .filter_map(|m| Date::try_new_hijri_with_calendar(1440, m, 23, Hijri::new_umm_al_qura()).ok())
        .map(|d| formatter.format(&d).to_string())
        .collect()
}

/// The words of a date, lower case, numbers and punctuation left out.
pub(super) fn words(date: &str) -> Vec<String> {
    date.split(|c: char| !is_word(c)).filter(|w| !w.is_empty()).map(str::to_lowercase).collect()
}

/// What the words of dates are made of.
pub(super) fn is_word(c: char) -> bool {
    (c.is_alphabetic()
        || unicode_normalization::char::is_combining_mark(c)
        || matches!(c, '\'' | '’' | 'ʼ' | '\u{200c}' | '\u{200d}'))
        && number::digit(c).is_none()
}

/// What stands behind the last number or month name.
fn tail_of(date: &str) -> &str {
    let last_digit = date.char_indices().rfind(|(_, c)| number::digit(*c).is_some());
    last_digit.and_then(|(i, c)| date.get(i + c.len_utf8()..)).filter(|t| t.chars().count() <= 8).unwrap_or_default()
}
