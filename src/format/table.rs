//! Exports: the string values of JSON (RFC 8259) and JSON Lines, and the cells of CSV (RFC 4180), with their places.

use std::ops::Range;

use crate::format::reading::Reading;

/// The string values of JSON or JSON Lines, a blank line between them; `None` where `source` is neither.
pub fn json(source: &str) -> Option<Reading> {
    let whole = serde_json::from_str::<serde::de::IgnoredAny>(source).is_ok();
    if !whole
        && !source
            .lines()
            .filter(|l| !l.trim().is_empty())
            .all(|l| serde_json::from_str::<serde::de::IgnoredAny>(l).is_ok())
    {
        return None;
    }
    let bytes = source.as_bytes();
    let mut reading = Reading::default();
    let mut at = 0;
    while let Some(quote) = bytes.get(at..).and_then(|t| memchr::memchr(b'"', t)).map(|n| at + n) {
        let end = string_end(bytes, quote + 1);
        let after = bytes.get(end + 1..).and_then(|t| t.iter().find(|b| !b.is_ascii_whitespace()));
        if after != Some(&b':') {
            value(source, quote + 1..end, &mut reading);
        }
        at = end + 1;
    }
    Some(reading)
}

/// Where the string that begins at `at` ends: at its closing quotation mark.
fn string_end(bytes: &[u8], mut at: usize) -> usize {
    while let Some(n) = bytes.get(at..).and_then(|t| memchr::memchr2(b'"', b'\\', t)) {
        at += n;
        if bytes.get(at) == Some(&b'"') {
            return at;
        }
        at += 2;
    }
    bytes.len()
}

fn value(source: &str, range: Range<usize>, reading: &mut Reading) {
    let Some(raw) = source.get(range.clone()).filter(|r| !r.is_empty()) else { return };
    apart(reading, range.start);
    let mut at = 0;
    while let Some(rest) = raw.get(at..).filter(|r| !r.is_empty()) {
        let plain = memchr::memchr(b'\\', rest.as_bytes()).unwrap_or(rest.len());
        if plain > 0 {
            reading.push(rest.get(..plain).unwrap_or_default(), range.start + at);
            at += plain;
            continue;
        }
        let (c, len) = escape(rest);
        reading.push_for(c.encode_utf8(&mut [0; 4]), range.start + at..range.start + at + len);
        at += len;
    }
}

/// The escape at the beginning of `rest` and its length, surrogate pairs joined.
fn escape(rest: &str) -> (char, usize) {
    let unit = |at: usize| rest.get(at..at + 4).and_then(|h| u16::from_str_radix(h, 16).ok());
    match rest.as_bytes().get(1) {
        Some(b'n') => ('\n', 2),
        Some(b't') => ('\t', 2),
        Some(b'r') => ('\r', 2),
        Some(b'b') => ('\u{8}', 2),
        Some(b'f') => ('\u{c}', 2),
        Some(b'u') => match (unit(2), rest.get(6..8), unit(8)) {
            (Some(high @ 0xd800..=0xdbff), Some("\\u"), Some(low @ 0xdc00..=0xdfff)) => {
                let code = 0x10000 + ((u32::from(high) - 0xd800) << 10) + (u32::from(low) - 0xdc00);
                (char::from_u32(code).unwrap_or('\u{fffd}'), 12)
            }
            (Some(code), _, _) => (char::from_u32(u32::from(code)).unwrap_or('\u{fffd}'), 6),
            (None, _, _) => ('\u{fffd}', 2),
        },
        Some(b) if b.is_ascii() => (char::from(*b), 2),
        _ => ('\\', 1),
    }
}

/// The cells of CSV, a blank line between them; the first row, where it names columns, is left out.
pub fn csv(source: &str, delimiter: u8) -> Reading {
    let mut reading = Reading::default();
    let bytes = source.as_bytes();
    let (mut at, mut row) = (0, 0usize);
    let named = names_columns(source, delimiter);
    while at < bytes.len() {
        let (cell, next, last) = cell(bytes, at, delimiter);
        if row > 0 || !named {
            unquoted(source, cell, &mut reading);
        }
        row += usize::from(last);
        at = next;
    }
    reading
}

/// The delimiter that the first line uses most.
pub fn delimiter(source: &str) -> u8 {
    let first = source.lines().next().unwrap_or_default();
    let count = |d: u8| first.bytes().filter(|b| *b == d).count();
    [b',', b'\t', b';', b'|'].into_iter().max_by_key(|d| (count(*d), u8::MAX - *d)).unwrap_or(b',')
}

/// A header: short cells without links, sentences or numbers.
fn names_columns(source: &str, delimiter: u8) -> bool {
    let Some((first, rest)) = source.split_once('\n') else { return false };
    let plain = |cell: &str| {
        let cell = cell.trim().trim_matches('"').trim_start_matches('\u{feff}');
        cell.len() < 48
            && !cell.contains("://")
            && !cell.contains(['@', '#'])
            && cell.starts_with(|c: char| c.is_alphabetic() || c == '_')
    };
    !rest.trim().is_empty() && first.split(char::from(delimiter)).all(plain)
}

/// The cell at `at`: where it stands, where the next begins, whether its row ends with it.
fn cell(bytes: &[u8], at: usize, delimiter: u8) -> (Range<usize>, usize, bool) {
    let quoted = bytes.get(at) == Some(&b'"');
    let mut i = at + usize::from(quoted);
    if quoted {
        while let Some(n) = bytes.get(i..).and_then(|t| memchr::memchr(b'"', t)) {
            i += n;
            if bytes.get(i + 1) != Some(&b'"') {
                break;
            }
            i += 2;
        }
        if bytes.get(i) != Some(&b'"') {
            return (at + 1..bytes.len(), bytes.len(), true);
        }
    }
    let end = bytes.get(i..).and_then(|t| memchr::memchr2(delimiter, b'\n', t)).map_or(bytes.len(), |n| i + n);
    let inside = if quoted { at + 1..i } else { at..end };
    (inside, end + 1, bytes.get(end) != Some(&delimiter))
}

fn unquoted(source: &str, cell: Range<usize>, reading: &mut Reading) {
    let Some(raw) = source.get(cell.clone()).filter(|r| !r.trim().is_empty()) else { return };
    apart(reading, cell.start);
    let mut at = 0;
    while let Some(rest) = raw.get(at..).filter(|r| !r.is_empty()) {
        let plain = rest.find("\"\"").unwrap_or(rest.len());
        reading.push(rest.get(..plain).unwrap_or_default(), cell.start + at);
        at += plain;
        if plain < rest.len() {
            reading.push_for("\"", cell.start + at..cell.start + at + 2);
            at += 2;
        }
    }
}

fn apart(reading: &mut Reading, source: usize) {
    if !reading.text.is_empty() {
        reading.push_for("\n\n", source..source);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_strings_come_unescaped_and_know_their_place() {
        let source = r#"{"text":"Caf\u00e9 \ud83d\ude00 https:\/\/t.co\/AEoFZOhI3p","n":1}"#;
        let r = json(source).unwrap_or_default();
        assert_eq!(r.text, "Café 😀 https://t.co/AEoFZOhI3p");
        let at = r.text.find("https").unwrap_or(0);
        assert_eq!(source.get(r.source(at..r.text.len())), Some(r"https:\/\/t.co\/AEoFZOhI3p"));
        assert!(json("{\"a\":1}\n{\"a\":\"b\"}\n").is_some_and(|r| r.text == "b"));
        assert_eq!(json("not json"), None);
    }

    #[test]
    fn csv_cells_with_quotes_and_line_ends() {
        let source = "id,text\n1,\"He said \"\"go\"\"\nhttps://t.co/AEoFZOhI3p\"\n2,plain\n";
        let r = csv(source, delimiter(source));
        assert_eq!(r.text, "1\n\nHe said \"go\"\nhttps://t.co/AEoFZOhI3p\n\n2\n\nplain");
        assert_eq!(csv("\"open", b',').text, "open");
    }
}
