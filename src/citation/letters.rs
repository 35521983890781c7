//! What a character is to somebody looking for the end of a link, a handle or a hashtag, in any script.

use crate::format::effort::looked_at;

/// The character that begins at byte `at`.
#[inline]
pub(super) fn char_at(text: &str, at: usize) -> Option<char> {
    looked_at(1);
    match text.as_bytes().get(at) {
        Some(b) if b.is_ascii() => Some(char::from(*b)),
        Some(_) => text.get(at..).and_then(|t| t.chars().next()),
        None => None,
    }
}

/// The character that ends just before byte `at`.
#[inline]
pub(super) fn char_before(text: &str, at: usize) -> Option<char> {
    looked_at(1);
    match at.checked_sub(1).and_then(|i| text.as_bytes().get(i)) {
        Some(b) if b.is_ascii() => Some(char::from(*b)),
        Some(_) => text.get(..at).and_then(|t| t.chars().next_back()),
        None => None,
    }
}

/// Which bytes are letters or digits of ASCII or a low line.
const WORD: [bool; 256] = {
    let (mut table, mut b) = ([false; 256], 0u8);
    while b < 128 {
        table[b as usize] = b.is_ascii_alphanumeric() || b == b'_';
        b += 1;
    }
    table
};

/// Whether a byte is a letter or digit of ASCII or a low line: what names of accounts are made of.
#[inline]
pub(super) fn is_word(b: u8) -> bool {
    WORD.get(usize::from(b)).is_some_and(|is| *is)
}

/// As [`char::is_alphabetic`], which looks letters of the largest scripts up in tables.
#[inline]
pub(super) fn is_letter(c: char) -> bool {
    matches!(c, '\u{3041}'..='\u{3096}' | '\u{30a1}'..='\u{30fa}' | '\u{4e00}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}')
        || c.is_alphabetic()
}

/// Characters without width that typesetting and messengers leave inside words: they break no link.
pub(super) fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200b}'..='\u{200d}' | '\u{2060}' | '\u{feff}' | '\u{180e}')
}

/// Marks of text direction: they stand beside a link, never in it.
pub(super) fn is_direction(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{061c}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Letters of scripts written without spaces, and Hangul, whose particles follow a link directly.
pub(super) fn is_spaceless(c: char) -> bool {
    matches!(u32::from(c),
        0x0e00..=0x0eff          // Thai, Lao
        | 0x0f00..=0x0fff        // Tibetan
        | 0x1000..=0x109f        // Myanmar
        | 0x1100..=0x11ff        // Hangul Jamo
        | 0x1780..=0x17ff        // Khmer
        | 0x2e80..=0x2fdf        // radicals
        | 0x3005..=0x3007
        | 0x3021..=0x3029
        | 0x3031..=0x3035
        | 0x3038..=0x303c
        | 0x3041..=0x318f        // kana, bopomofo, Hangul
        | 0x31a0..=0x31ff
        | 0x3400..=0x4dbf        // Han
        | 0x4e00..=0x9fff
        | 0xa960..=0xa97f
        | 0xac00..=0xd7ff        // Hangul
        | 0xf900..=0xfaff
        | 0xff66..=0xffdc        // half-width kana and Hangul
        | 0x20000..=0x3ffff)
}

/// A Latin letter with an accent, as hosts and names may hold.
pub(super) fn is_latin_accent(c: char) -> bool {
    matches!(u32::from(c), 0xc0..=0xd6 | 0xd8..=0xf6 | 0xf8..=0x24f | 0x253..=0x26b | 0x1e00..=0x1eff)
        && c.is_alphabetic()
}

/// A letter of a script with spaces between its words: may stand in a path.
pub(super) fn is_path_letter(c: char) -> bool {
    !c.is_ascii() && !is_spaceless(c) && (c.is_alphanumeric() || unicode_normalization::char::is_combining_mark(c))
}

/// What a hashtag is made of: letters, marks and digits of every script, and the joiners words are written with.
#[inline]
pub(super) fn is_tag_char(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_alphanumeric() || c == '_';
    }
    c.is_alphanumeric()
        || matches!(
            c,
            '\u{b7}'
                | '\u{200c}'
                | '\u{200d}'
                | '\u{5be}'
                | '\u{5f3}'
                | '\u{5f4}'
                | '\u{f0b}'
                | '\u{f0c}'
                | '\u{ff5e}'
                | '\u{301c}'
                | '\u{309b}'
                | '\u{309c}'
                | '\u{30a0}'
                | '\u{30fb}'
                | '\u{3003}'
                | '\u{ff65}'
        )
        || (unicode_normalization::char::is_combining_mark(c)
            && !matches!(c, '\u{20dd}'..='\u{20e4}' | '\u{fe00}'..='\u{fe0f}'))
}
/// A closing quotation mark or bracket, of any script.
pub(super) fn is_closing_quote(c: char) -> bool {
    matches!(c, '"' | '\'' | '”' | '’' | '»' | '›' | '」' | '』' | '“' | '‘' | '〞' | '＂' | '》' | '〉' | '】' | '«')
}

/// The opening mark that belongs to a closing quotation mark, in the ways the world's presses set them.
pub(super) fn openers(close: char) -> &'static [char] {
    match close {
        '”' => &['“', '„', '”'],
        '’' => &['‘', '‚'],
        '"' => &['"'],
        '\'' => &['\''],
        '»' => &['«', '»'],
        '«' => &['»'],
        '›' => &['‹'],
        '」' => &['「'],
        '』' => &['『'],
        '“' => &['„', '“'],
        '‘' => &['‚'],
        '》' => &['《'],
        '〉' => &['〈'],
        '】' => &['【'],
        '〞' => &['〝'],
        _ => &[],
    }
}

/// An opening quotation mark.
pub(super) fn is_opening_quote(c: char) -> bool {
    matches!(c, '"' | '“' | '„' | '«' | '»' | '‹' | '「' | '『' | '‘' | '‚' | '《' | '〈' | '〝' | '\'' | '”' | '‟')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_are_those_of_the_standard() {
        for c in '\0'..=char::MAX {
            assert_eq!(is_letter(c), c.is_alphabetic(), "{c:?}");
        }
        for b in 0..=255u8 {
            assert_eq!(is_word(b), b.is_ascii_alphanumeric() || b == b'_', "{b}");
        }
    }
}
