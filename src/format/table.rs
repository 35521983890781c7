//! Exports: the string values of JSON (RFC 8259) and JSON Lines, and the cells of CSV (RFC 4180), with their places.

use std::ops::Range;

use crate::format::effort::looked_at;
use crate::format::reading::Reading;
use crate::format::rows;

/// What was read of JSON.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Json {
    /// the string values, a blank line between them
    pub reading: Reading,
    /// lines that are no JSON, counted from 1; their words are read as they stand
    pub broken: Vec<usize>,
}

/// The string values of JSON or JSON Lines; `None` where `source` is neither. Of lines some may be broken, but no more than half.
pub fn json(source: &str) -> Option<Json> {
    let valid = |text: &str| serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok();
    let start = source.len() - source.trim_start_matches('\u{feff}').len();
    let mut walk = Walk { source, reading: Reading::default(), open: Vec::new(), key: None };
    if valid(source.get(start..)?) {
        walk.over(start..source.len());
        return Some(Json { reading: walk.reading, broken: Vec::new() });
    }
    let (mut at, mut lines, mut broken, mut records) = (start, 0usize, Vec::new(), 0usize);
    for line in source.get(start..)?.split_inclusive('\n') {
        let range = at..at + line.len();
        at = range.end;
        lines += 1;
        if line.trim().is_empty() {
            continue;
        }
        if valid(line) {
            records += usize::from(line.trim_start().starts_with('{'));
            walk.over(range);
        } else {
            broken.push(lines);
            walk.reading.begin_cell(range.start);
            walk.reading.push(line.trim_end(), range.start);
        }
    }
    // a document that was cut or damaged has lines that are values too
    let is_lines = broken.is_empty() && lines > 0 || records > 0 && records >= broken.len();
    is_lines.then_some(Json { reading: walk.reading, broken })
}

/// A walk over JSON from string to string.
struct Walk<'s> {
    source: &'s str,
    reading: Reading,
    /// the objects that are open: the key each stands under, and what it says of a post so far
    open: Vec<(Option<&'s str>, rows::Draft)>,
    /// the key read last
    key: Option<&'s str>,
}

impl Walk<'_> {
    /// Goes over one value, which is valid.
    fn over(&mut self, range: Range<usize>) {
        let bytes = self.source.as_bytes().get(..range.end).unwrap_or_default();
        let mut at = range.start;
        while let Some(quote) = bytes.get(at..).and_then(|t| memchr::memchr(b'"', t)).map(|n| at + n) {
            self.between(at..quote);
            let end = string_end(bytes, quote + 1);
            let blank = bytes.get(end + 1..).map_or(0, |t| t.iter().take_while(|b| b.is_ascii_whitespace()).count());
            let after = bytes.get(end + 1 + blank);
            looked_at(2 * (end - at) + blank);
            if after == Some(&b':') {
                self.key = self.source.get(quote + 1..end);
            } else {
                self.value(quote + 1..end);
            }
            at = end + 1;
        }
        self.between(at..bytes.len());
    }

    /// What stands between two strings: objects open and close there.
    fn between(&mut self, gap: Range<usize>) {
        for b in self.source.as_bytes().get(gap).unwrap_or_default() {
            match b {
                b'{' => self.open.push((self.key.take(), rows::Draft::default())),
                b'}' => self.close(),
                _ => {}
            }
        }
    }

    fn close(&mut self) {
        let Some((key, draft)) = self.open.pop() else { return };
        match self.open.last_mut() {
            Some((_, outer)) if key.is_some_and(rows::is_author) => outer.take_author(draft),
            Some((_, outer)) if key == Some("record") => outer.take_record(draft),
            _ => draft.finish(&mut self.reading),
        }
    }

    fn value(&mut self, range: Range<usize>) {
        let column = self.key.and_then(rows::column).filter(|_| !range.is_empty());
        value(self.source, range, &mut self.reading);
        if let (Some(column), Some((_, draft))) = (column, self.open.last_mut()) {
            draft.put(column, self.reading.last_cell());
        }
    }
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
    reading.begin_cell(range.start);
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
    let columns = if named { columns(source, delimiter) } else { Vec::new() };
    let (mut n, mut draft) = (0, rows::Draft::default());
    while at < bytes.len() {
        let (cell, next, last) = cell(bytes, at, delimiter);
        looked_at(next - at);
        if row > 0 || !named {
            let before = reading.text.len();
            unquoted(source, cell, &mut reading);
            if let Some(column) = columns.get(n).copied().flatten().filter(|_| reading.text.len() > before) {
                draft.put(column, reading.last_cell());
            }
        }
        n += 1;
        if last {
            std::mem::take(&mut draft).finish(&mut reading);
            (row, n) = (row + 1, 0);
        }
        at = next;
    }
    reading
}

/// What each column holds, by the names in the first row.
fn columns(source: &str, delimiter: u8) -> Vec<Option<rows::Column>> {
    let first = source.lines().next().unwrap_or_default().trim_start_matches('\u{feff}');
    first.split(char::from(delimiter)).map(|name| rows::column(name.trim().trim_matches('"'))).collect()
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
    reading.begin_cell(cell.start);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_strings_come_unescaped_and_know_their_place() {
        let source = r#"{"text":"Caf\u00e9 \ud83d\ude00 https:\/\/t.co\/AEoFZOhI3p","n":1}"#;
        let r = json(source).unwrap_or_default().reading;
        assert_eq!(r.text, "Café 😀 https://t.co/AEoFZOhI3p");
        let at = r.text.find("https").unwrap_or(0);
        assert_eq!(source.get(r.source(at..r.text.len())), Some(r"https:\/\/t.co\/AEoFZOhI3p"));
        assert!(json("{\"a\":1}\n{\"a\":\"b\"}\n").is_some_and(|r| r.reading.text == "b"));
        assert_eq!(json("not json"), None);
        assert_eq!(json("[1]\nThe pier\n[2]\nThe quay\n"), None, "footnotes");
        assert_eq!(json("[\n{\"a\":\"b\"},\n{\"a\":\"b\"}\n"), None, "one document, cut");
    }

    #[test]
    fn broken_lines_are_named_and_read_as_they_stand() {
        let source =
            "\u{feff}{\"a\":\"b\"}\n\n{\"a\":\"https://t.co/AEoFZOhI3p\nplain @pier\n{\"a\":\"c\"}\r\n{\"a\":\"d\"}";
        let r = json(source).unwrap_or_default();
        assert_eq!(r.broken, [3, 4]);
        assert_eq!(r.reading.text, "b\n\n{\"a\":\"https://t.co/AEoFZOhI3p\n\nplain @pier\n\nc\n\nd");
        let at = r.reading.text.find("plain").unwrap_or_default();
        assert_eq!(source.get(r.reading.source(at..at + 11)), Some("plain @pier"));
    }

    #[test]
    fn a_record_inside_its_view_is_one_post() {
        let view = r#"[{"uri":"at://x/app.bsky.feed.post/3k","author":{"handle":"a.example"},"record":{"text":"shut","createdAt":"2024-05-03T10:00:00Z"}}]"#;
        let reading = json(view).unwrap_or_default().reading;
        let rows = &reading.rows;
        assert_eq!(rows.len(), 1);
        let cell = |range: Option<Range<usize>>| range.and_then(|range| reading.text.get(range)).unwrap_or_default();
        let row = rows.first().cloned().map(|r| [Some(r.text), r.handle, Some(r.date), r.url].map(cell));
        assert_eq!(row, Some(["shut", "a.example", "2024-05-03T10:00:00Z", "at://x/app.bsky.feed.post/3k"]));
    }

    fn told(reading: &Reading) -> Vec<String> {
        let cell = |range: &Range<usize>| reading.text.get(range.clone()).unwrap_or("?").to_owned();
        let some = |range: &Option<Range<usize>>| range.as_ref().map_or("-".to_owned(), cell);
        let row = |r: &crate::format::reading::Row| {
            [cell(&r.text), some(&r.handle), some(&r.author), cell(&r.date), some(&r.url)].join("|")
        };
        reading.rows.iter().map(row).collect()
    }

    #[test]
    fn rows_say_who_posted_what_and_when() {
        let lines = r#"{"created_at":"2019-06-10","full_text":"Pier \"open\"","user":{"name":"Ana","screen_name":"ana_ruiz9","entities":{"url":"x"}},"url":"https://x.com/ana_ruiz9/status/20"}
{"text":"no day","user":"@a","date":""}
{"items":[{"post":"one","date":"2020-01-02","author":"@b"},{"text":"nobody","date":"2020-01-02"}],"text":"outer","date":"2021-01-01","name":"Outer"}"#;
        let reading = json(lines).unwrap_or_default().reading;
        assert_eq!(
            told(&reading),
            [
                "Pier \"open\"|ana_ruiz9|Ana|2019-06-10|https://x.com/ana_ruiz9/status/20",
                "one|-|@b|2020-01-02|-",
                "outer|-|Outer|2021-01-01|-"
            ]
        );
        let source = "\u{feff}Date;User Name;Text;Likes\n2019-06-10;ana_ruiz9;\"Pier \"\"open\"\"\nat six\";3\n2019-06-11;;nobody;1\n;a;b;\n";
        assert_eq!(told(&csv(source, delimiter(source))), ["Pier \"open\"\nat six|ana_ruiz9|-|2019-06-10|-"]);
        assert!(csv("1,2019-06-10,words\n2,2019-06-11,more\n", b',').rows.is_empty(), "no names, no rows");
    }

    #[test]
    fn csv_cells_with_quotes_and_line_ends() {
        let source = "id,text\n1,\"He said \"\"go\"\"\nhttps://t.co/AEoFZOhI3p\"\n2,plain\n";
        let r = csv(source, delimiter(source));
        assert_eq!(r.text, "1\n\nHe said \"go\"\nhttps://t.co/AEoFZOhI3p\n\n2\n\nplain");
        assert_eq!(csv("\"open", b',').text, "open");
    }
}
