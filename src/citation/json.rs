//! A citation's JSON: through serde where it is part of something else, and byte for byte the same straight into a buffer,
//! because a statement can hold millions of them.

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use super::found::{Found, Seen};
use super::mark::{Link, What};
use super::{Citation, Form, Kind};
use crate::platform::post::Platform;

impl Serialize for Citation {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("id", &self.id)?;
        kind(&mut map, &self.kind)?;
        map.serialize_entry("raw", &self.raw)?;
        map.serialize_entry("span", &self.span)?;
        some(&mut map, "span_of", self.span_of.as_ref())?;
        flag(&mut map, "candidate", self.candidate)?;
        map.end()
    }
}

fn some<M: SerializeMap, T: Serialize>(map: &mut M, key: &str, value: Option<&T>) -> Result<(), M::Error> {
    value.map_or(Ok(()), |value| map.serialize_entry(key, value))
}

fn flag<M: SerializeMap>(map: &mut M, key: &str, value: bool) -> Result<(), M::Error> {
    if value { map.serialize_entry(key, &true) } else { Ok(()) }
}

fn kind<M: SerializeMap>(map: &mut M, kind: &Kind) -> Result<(), M::Error> {
    match kind {
        Kind::Link { form, url, platform, post_id, handle, defanged } => {
            map.serialize_entry("kind", "link")?;
            map.serialize_entry("form", form)?;
            map.serialize_entry("url", url)?;
            some(map, "platform", platform.as_ref())?;
            some(map, "post_id", post_id.as_ref())?;
            some(map, "handle", handle.as_ref())?;
            flag(map, "defanged", *defanged)
        }
        Kind::Handle { platform, handle } => {
            map.serialize_entry("kind", "handle")?;
            map.serialize_entry("platform", platform)?;
            map.serialize_entry("handle", handle)
        }
        Kind::Hashtag { tag } => {
            map.serialize_entry("kind", "hashtag")?;
            map.serialize_entry("tag", tag)
        }
        Kind::Post { .. } => post(map, kind),
    }
}

fn post<M: SerializeMap>(map: &mut M, kind: &Kind) -> Result<(), M::Error> {
    let Kind::Post { platform, author, handle, date, dates, date_raw, quoted, truncated, links, permalink, post_id } =
        kind
    else {
        return Ok(());
    };
    map.serialize_entry("kind", "post")?;
    map.serialize_entry("platform", platform)?;
    map.serialize_entry("author", author)?;
    map.serialize_entry("handle", handle)?;
    map.serialize_entry("date", date)?;
    if !dates.is_empty() {
        map.serialize_entry("dates", dates)?;
    }
    map.serialize_entry("date_raw", date_raw)?;
    map.serialize_entry("quoted", quoted)?;
    map.serialize_entry("truncated", truncated)?;
    map.serialize_entry("links", links)?;
    map.serialize_entry("permalink", permalink)?;
    map.serialize_entry("post_id", post_id)
}

impl Found<'_> {
    /// Adds the citation's JSON to `out`.
    pub fn write_json(&self, out: &mut Vec<u8>) {
        out.reserve(256 + 2 * self.raw.len());
        out.extend_from_slice(b"{\"id\":\"sha256:");
        out.extend_from_slice(&hex(&self.id.0.0));
        match self.seen {
            Seen::Mark(What::Link(link)) => write_link(out, link),
            Seen::Mark(What::Handle(platform, handle)) => {
                write_text(out, b"\",\"kind\":\"handle\",\"platform\":", platform.as_str());
                write_text(out, b",\"handle\":", handle);
            }
            Seen::Mark(What::Hashtag(tag)) => write_text(out, b"\",\"kind\":\"hashtag\",\"tag\":", tag),
            Seen::Post(kind) => write_post(out, kind),
        }
        write_text(out, b",\"raw\":", self.raw);
        out.extend_from_slice(b",\"span\":[");
        write_number(out, self.span.0);
        out.push(b',');
        write_number(out, self.span.1);
        out.push(b']');
        write_flag(out, b",\"span_of\":\"text\"", self.transformed);
        write_flag(out, b",\"candidate\":true", self.candidate);
        out.push(b'}');
    }
}

/// Lower-case digits, in a shape that compilers turn into vector instructions.
fn hex(bytes: &[u8; 32]) -> [u8; 64] {
    let mut digits = [0; 64];
    for (pair, byte) in digits.as_chunks_mut::<2>().0.iter_mut().zip(bytes) {
        *pair = [hex_digit(byte >> 4), hex_digit(byte & 15)];
    }
    digits
}

fn hex_digit(value: u8) -> u8 {
    value + b'0' + u8::from(value > 9) * (b'a' - b'9' - 1)
}

fn write_flag(out: &mut Vec<u8>, text: &[u8], is: bool) {
    if is {
        out.extend_from_slice(text);
    }
}

/// The two digits of every number below a hundred.
const PAIRS: [[u8; 2]; 100] = {
    let mut pairs = [[0; 2]; 100];
    let mut n = 0;
    while n < 100 {
        pairs[n as usize] = [b'0' + n / 10, b'0' + n % 10];
        n += 1;
    }
    pairs
};

fn write_number(out: &mut Vec<u8>, mut number: usize) {
    let mut digits = [[b'0'; 2]; 10];
    let mut pairs = 0;
    for place in digits.iter_mut().rev() {
        *place = PAIRS.get(number % 100).copied().unwrap_or_default();
        number /= 100;
        pairs += 1;
        if number == 0 {
            break;
        }
    }
    let digits = digits.as_flattened();
    let digits = digits.get(digits.len() - 2 * pairs..).unwrap_or_default();
    out.extend_from_slice(digits.strip_prefix(b"0").filter(|rest| !rest.is_empty()).unwrap_or(digits));
}

fn write_platform(out: &mut Vec<u8>, platform: Platform) {
    write_text(out, b",\"platform\":", platform.as_str());
}

fn write_text(out: &mut Vec<u8>, key: &[u8], value: &str) {
    out.extend_from_slice(key);
    out.push(b'"');
    let bytes = value.as_bytes();
    if holds_special(bytes) {
        for b in bytes {
            if is_special(*b) { write_escaped(out, *b) } else { out.push(*b) }
        }
    } else {
        out.extend_from_slice(bytes);
    }
    out.push(b'"');
}

/// What JSON has to escape (RFC 8259 §7).
fn is_special(b: u8) -> bool {
    b < 0x20 || b == b'"' || b == b'\\'
}

/// Whether any byte is to be escaped: eight at a time, the last eight once more rather than one by one.
fn holds_special(bytes: &[u8]) -> bool {
    let Some(last) = bytes.last_chunk::<8>() else { return bytes.iter().any(|b| is_special(*b)) };
    let all = bytes.as_chunks::<8>().0.iter().chain([last]);
    all.fold(0, |hit, eight| hit | special_among(u64::from_ne_bytes(*eight))) != 0
}

/// Not zero where one of eight bytes is to be escaped.
fn special_among(eight: u64) -> u64 {
    const ONES: u64 = u64::MAX / 0xff;
    let below = |word: u64, least: u64| word.wrapping_sub(ONES * least) & !word & (ONES * 0x80);
    let equal = |byte: u8| below(eight ^ (ONES * u64::from(byte)), 1);
    below(eight, 0x20) | equal(b'"') | equal(b'\\')
}

/// The escapes of RFC 8259 §7, the short ones where there are.
fn write_escaped(out: &mut Vec<u8>, b: u8) {
    let short = match b {
        b'"' | b'\\' => b,
        0x08 => b'b',
        0x0c => b'f',
        b'\n' => b'n',
        b'\r' => b'r',
        b'\t' => b't',
        _ => {
            out.extend_from_slice(&[b'\\', b'u', b'0', b'0', hex_digit(b >> 4), hex_digit(b & 15)]);
            return;
        }
    };
    out.extend_from_slice(&[b'\\', short]);
}

fn write_some(out: &mut Vec<u8>, key: &[u8], value: Option<&str>) {
    if let Some(value) = value {
        write_text(out, key, value);
    }
}

fn write_or_null(out: &mut Vec<u8>, key: &[u8], value: Option<&str>) {
    match value {
        Some(value) => write_text(out, key, value),
        None => {
            out.extend_from_slice(key);
            out.extend_from_slice(b"null");
        }
    }
}

fn write_list(out: &mut Vec<u8>, key: &[u8], values: &[String]) {
    out.extend_from_slice(key);
    out.push(b'[');
    for (n, value) in values.iter().enumerate() {
        write_text(out, if n == 0 { b"" } else { b"," }, value);
    }
    out.push(b']');
}

fn write_link(out: &mut Vec<u8>, link: &Link<'_>) {
    let head: &[u8] = match link.form {
        Form::Tco => b"\",\"kind\":\"link\",\"form\":\"tco\",\"url\":",
        Form::Pic => b"\",\"kind\":\"link\",\"form\":\"pic\",\"url\":",
        Form::Permalink => b"\",\"kind\":\"link\",\"form\":\"permalink\",\"url\":",
        Form::Archive => b"\",\"kind\":\"link\",\"form\":\"archive\",\"url\":",
        Form::AtUri => b"\",\"kind\":\"link\",\"form\":\"at-uri\",\"url\":",
        Form::Shortener => b"\",\"kind\":\"link\",\"form\":\"shortener\",\"url\":",
        Form::Url => b"\",\"kind\":\"link\",\"form\":\"url\",\"url\":",
        Form::Weak => b"\",\"kind\":\"link\",\"form\":\"weak\",\"url\":",
    };
    write_text(out, head, &link.url);
    if let Some(named) = &link.named {
        write_platform(out, named.platform);
        write_some(out, b",\"post_id\":", named.post_id.as_deref());
        write_some(out, b",\"handle\":", named.handle.as_deref());
    }
    write_flag(out, b",\"defanged\":true", link.defanged);
}

fn write_post(out: &mut Vec<u8>, kind: &Kind) {
    let Kind::Post { platform, author, handle, date, dates, date_raw, quoted, truncated, links, permalink, post_id } =
        kind
    else {
        return;
    };
    write_text(out, b"\",\"kind\":\"post\",\"platform\":", platform.as_str());
    write_or_null(out, b",\"author\":", author.as_deref());
    write_or_null(out, b",\"handle\":", handle.as_deref());
    write_or_null(out, b",\"date\":", date.as_deref());
    if !dates.is_empty() {
        write_list(out, b",\"dates\":", dates);
    }
    write_or_null(out, b",\"date_raw\":", date_raw.as_deref());
    write_text(out, b",\"quoted\":", quoted);
    out.extend_from_slice(if *truncated { b",\"truncated\":true" } else { b",\"truncated\":false" });
    write_list(out, b",\"links\":", links);
    write_or_null(out, b",\"permalink\":", permalink.as_deref());
    write_or_null(out, b",\"post_id\":", post_id.as_deref());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::citation;
    use crate::statement::{self, Hint};

    #[test]
    fn straight_into_a_buffer_it_is_the_same() -> Result<(), Box<dyn std::error::Error>> {
        for (name, text) in [
            (
                "a.txt",
                "a\u{0} \"Pier\t\u{1f}open\\\" hxxps://t[.]co/AEoFZOhI3p — Ana \"\\ (@ana_ruiz9) March 6, 2026\r\n\r\n#Pier harbour.example/q4 @a.example.org x.com/a/status/20",
            ),
            (
                "a.txt",
                "Nie (@ana_ruiz9) · 3h\nwords … t.me/harbour/5 https://web.archive.org/web/2019/http://t.co/AbC at://did:plc:abc/app.bsky.feed.post/3mg bit.ly/x pic.x.com/AZJTrKcoce",
            ),
            ("a.txt", "„Так“ — Ana (@ana_ruiz9) 03/04/2020 https://x.com/ana_ruiz9/status/1137945522884755456"),
            ("a.html", "<p>See <a href='https://x.com/a/status/20'>this</a> #Pier — @ana_ruiz9 &amp; t.co/AEoFZOhI3p"),
        ] {
            let hint = Hint { source: name.to_owned(), content_type: None };
            let statement = statement::read(text.as_bytes().to_vec(), &hint)?;
            let mut count = 0;
            citation::each(&statement, |found| {
                let mut json = Vec::new();
                found.write_json(&mut json);
                assert_eq!(String::from_utf8(json).ok(), serde_json::to_string(&Citation::from(found)).ok());
                count += 1;
                Ok::<_, ()>(())
            })
            .map_err(|()| "nothing refuses")?;
            assert!(count > 2, "{text}");
        }
        Ok(())
    }

    #[test]
    fn what_is_written_reads_back() -> Result<(), Box<dyn std::error::Error>> {
        let text = "Pier open hxxps://t[.]co/AEoFZOhI3p — Ana (@ana_ruiz9) March 6, 2026\n\n#Pier harbour.example/q4 @a.example.org x.com/a/status/20";
        let statement = statement::read(text.as_bytes().to_vec(), &Hint::default())?;
        let found = citation::find(&statement);
        assert!(found.len() > 6, "{found:?}");
        let json = serde_json::to_string(&found)?;
        assert_eq!(serde_json::from_str::<Vec<Citation>>(&json)?, found);
        Ok(())
    }

    #[test]
    fn numbers_and_every_byte_that_is_escaped() {
        for number in [0, 1, 9, 10, 99, 100, 101, 1000, 99_999, 100_000, usize::MAX] {
            let mut out = Vec::new();
            write_number(&mut out, number);
            assert_eq!(out, number.to_string().into_bytes());
        }
        for byte in 0..=255u8 {
            for at in 0..21 {
                let mut bytes = [b'a'; 21];
                if let Some(place) = bytes.get_mut(at) {
                    *place = byte;
                }
                for len in [3, 7, 8, 9, 15, 16, 17, 21] {
                    let part = bytes.get(..len).unwrap_or_default();
                    assert_eq!(holds_special(part), part.iter().any(|b| is_special(*b)), "{byte} at {at} of {len}");
                }
            }
        }
        assert_eq!(hex(&[0x9f; 32]), *b"9f".repeat(32));
    }
}
