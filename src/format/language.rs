//! Which language words are in, as a tag of BCP 47 (RFC 5646), guessed from their letters and trigrams.

/// Fewer words tell a language apart by chance.
const FEW: usize = 6;

/// The language of the words, where the guess is reliable, or its confidence (0 to 1) at least this.
pub fn guess(words: &str, confidence: f64) -> Option<&'static str> {
    let info = whatlang::detect(words).filter(|i| i.is_reliable() || i.confidence() >= confidence)?;
    let language = two_letters(info.lang());
    let foreign = words.chars().flat_map(char::to_lowercase).find(|c| is_foreign(language, *c));
    match foreign {
        None => Some(language),
        // no other language has these
        Some('\u{3041}'..='\u{30ff}') => Some("ja"),
        Some('ы' | 'э') if matches!(language, "bg" | "mk" | "sr" | "uk") => Some("ru"),
        Some(_) => None,
    }
}

/// Whether a letter is none of a language's own: trigrams of a few words take one language for its neighbour.
fn is_foreign(language: &str, c: char) -> bool {
    let ukrainian = matches!(c, 'і' | 'ї' | 'є' | 'ґ');
    let serbian = matches!(c, 'ј' | 'љ' | 'њ' | 'ћ' | 'ђ' | 'џ' | 'ѓ' | 'ќ' | 'ѕ');
    match language {
        "zh" => matches!(c, '\u{3041}'..='\u{3096}' | '\u{30a1}'..='\u{30fa}'),
        "bg" => matches!(c, 'ы' | 'э' | 'ё' | 'ў') || ukrainian || serbian,
        "mk" | "sr" => matches!(c, 'ы' | 'э' | 'ё' | 'ў' | 'щ' | 'ъ' | 'й' | 'ю' | 'я') || ukrainian,
        "uk" => matches!(c, 'ы' | 'э' | 'ё' | 'ў' | 'ъ') || serbian,
        "ru" => matches!(c, 'ў') || ukrainian || serbian,
        _ => false,
    }
}

/// The language of a sentence, where there is little doubt.
pub fn of(sentence: &str) -> Option<&'static str> {
    let plain = |w: &&str| !w.contains(['/', '@', '#']);
    let words: Vec<&str> = sentence.split_whitespace().filter(plain).collect();
    let spaced = sentence.is_ascii() || words.len() > 1;
    if spaced && words.len() < FEW {
        return None;
    }
    guess(&words.join(" "), 0.5)
}

/// ISO 639-3 to the shortest tag BCP 47 knows.
fn two_letters(lang: whatlang::Lang) -> &'static str {
    match lang.code() {
        "eng" => "en",
        "rus" => "ru",
        "cmn" => "zh",
        "spa" => "es",
        "por" => "pt",
        "ita" => "it",
        "ben" => "bn",
        "fra" => "fr",
        "deu" => "de",
        "ukr" => "uk",
        "kat" => "ka",
        "ara" => "ar",
        "hin" => "hi",
        "jpn" => "ja",
        "heb" => "he",
        "yid" => "yi",
        "pol" => "pl",
        "amh" => "am",
        "jav" => "jv",
        "kor" => "ko",
        "nob" => "nb",
        "dan" => "da",
        "swe" => "sv",
        "fin" => "fi",
        "tur" => "tr",
        "nld" => "nl",
        "hun" => "hu",
        "ces" => "cs",
        "ell" => "el",
        "bul" => "bg",
        "bel" => "be",
        "mar" => "mr",
        "kan" => "kn",
        "ron" => "ro",
        "slv" => "sl",
        "hrv" => "hr",
        "srp" => "sr",
        "mkd" => "mk",
        "lit" => "lt",
        "lav" => "lv",
        "est" => "et",
        "tam" => "ta",
        "vie" => "vi",
        "urd" => "ur",
        "tha" => "th",
        "guj" => "gu",
        "uzb" => "uz",
        "pan" => "pa",
        "aze" => "az",
        "ind" => "id",
        "tel" => "te",
        "pes" => "fa",
        "mal" => "ml",
        "ori" => "or",
        "mya" => "my",
        "nep" => "ne",
        "sin" => "si",
        "khm" => "km",
        "tuk" => "tk",
        "aka" => "ak",
        "zul" => "zu",
        "sna" => "sn",
        "afr" => "af",
        "lat" => "la",
        "slk" => "sk",
        "cat" => "ca",
        "tgl" => "tl",
        "hye" => "hy",
        "epo" => "eo",
        "cym" => "cy",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_tell_their_language_and_scraps_do_not() {
        assert_eq!(of("Der Hafen bleibt bis Freitag geschlossen, weil die Kräne geprüft werden."), Some("de"));
        assert_eq!(of("The council did not approve the new berth, whatever the papers say this week."), Some("en"));
        assert_eq!(of("Порт закрыт до пятницы, потому что проверяют краны."), Some("ru"));
        assert_eq!(guess("港は閉鎖されました。 — 港湾局 2024年3月5日", 0.5), Some("ja"));
        assert_ne!(guess("Порт закрыт. — Администрация порта 5 марта 2024 г. Не пишите на", 0.5), Some("bg"));
        for scrap in ["", "Quay 4", "https://t.co/AEoFZOhI3p #quay @board", "ok"] {
            assert_eq!(of(scrap), None, "{scrap}");
        }
    }
}
