//! Any text as a day: what is read stands where it says and has readings, with and without a language.
#![no_main]

use libfuzzer_sys::fuzz_target;
use onrecord::format::day;

const LANGUAGES: [Option<&str>; 6] = [None, Some("en"), Some("en-US"), Some("de"), Some("ja"), Some("fa")];

fuzz_target!(|text: &str| {
    for language in LANGUAGES {
        for found in [day::read(text, 0, language), day::first(text, 0..text.len(), language)].into_iter().flatten() {
            assert!(text.get(found.start..found.end).is_some_and(|day| !day.is_empty()), "{found:?}");
            assert!(!found.readings.is_empty() && found.readings.len() <= 4, "{found:?}");
        }
    }
});
