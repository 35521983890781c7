//! Text from strangers made safe to print: statements, posts and servers must not steer a person's terminal.

use std::borrow::Cow;

/// `text` on one line, with nothing in it that a terminal obeys. Line breaks and tabs become spaces; escapes, other
/// control characters and characters that reorder what follows them are spelled out, as in `\u{1b}`.
pub fn line(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_unsafe) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '\n' | '\r' | '\t' | '\u{2028}' | '\u{2029}' => safe.push(' '),
            c if is_unsafe(c) => safe.extend(c.escape_unicode()),
            c => safe.push(c),
        }
    }
    Cow::Owned(safe)
}

/// The same for text of several lines: line feeds stay.
pub fn lines(text: &str) -> String {
    text.split('\n').map(line).collect::<Vec<_>>().join("\n")
}

/// A JSON value on one line that steers no terminal: JSON itself escapes C0 controls, and the others are escaped as it would.
pub fn json(value: &serde_json::Value) -> String {
    let text = value.to_string();
    if text.is_ascii() && !text.contains('\u{7f}') {
        return text;
    }
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        if is_unsafe(c) {
            safe.push_str(&format!("\\u{:04x}", u32::from(c)));
        } else {
            safe.push(c);
        }
    }
    safe
}

/// C0 and C1 controls, line and paragraph separators, and the characters that embed, override or isolate a direction
/// (Unicode UAX #9). Plain direction marks and joiners stay: they are part of how words are written.
fn is_unsafe(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_a_terminal_obeys_comes_through() {
        assert_eq!(line("a\u{1b}[31mb\u{9b}0mc\u{7}"), "a\\u{1b}[31mb\\u{9b}0mc\\u{7}");
        assert_eq!(line("one\r\ntwo\tthree"), "one  two three");
        assert_eq!(line("safe\u{202e}exe.txt"), "safe\\u{202e}exe.txt");
        assert!(!lines("a\n\u{1b}]0;x\u{7}").contains('\u{1b}'));
        assert_eq!(lines("a\nb"), "a\nb");
    }

    #[test]
    fn words_in_any_script_stay_as_they_are() {
        for text in ["Kocijančič", "выборы", "سلام", "👩‍👩‍👧", "क्षि", "🇰🇿", "a\u{200f}b"]
        {
            assert!(matches!(line(text), Cow::Borrowed(same) if same == text), "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn whatever_comes_in_nothing_unsafe_goes_out(text: String) {
            let safe = line(&text);
            proptest::prop_assert!(!safe.chars().any(is_unsafe));
            proptest::prop_assert_eq!(line(&safe), safe.clone(), "safe text stays as it is");
        }
    }
}
