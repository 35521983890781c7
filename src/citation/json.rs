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
        for byte in self.id.0.0 {
            out.extend_from_slice(&[hex_digit(byte >> 4), hex_digit(byte & 15)]);
        }
        out.extend_from_slice(b"\",\"kind\":");
        match &self.seen {
            Seen::Mark(What::Link(link)) => write_link(out, link),
            Seen::Mark(What::Handle(platform, handle)) => {
                out.extend_from_slice(b"\"handle\"");
                write_platform(out, *platform);
                write_text(out, b",\"handle\":", handle);
            }
            Seen::Mark(What::Hashtag(tag)) => write_text(out, b"\"hashtag\",\"tag\":", tag),
            Seen::Post(kind) => write_post(out, kind),
        }
        write_text(out, b",\"raw\":", self.raw);
        out.extend_from_slice(b",\"span\":[");
        write_number(out, self.span.0);
        out.push(b',');
        write_number(out, self.span.1);
        out.push(b']');
        if self.transformed {
            out.extend_from_slice(b",\"span_of\":\"text\"");
        }
        write_flag(out, b",\"candidate\":true", self.candidate);
        out.push(b'}');
    }
}

fn hex_digit(value: u8) -> u8 {
    if value < 10 { b'0' + value } else { b'a' + value - 10 }
}

fn write_flag(out: &mut Vec<u8>, text: &[u8], is: bool) {
    if is {
        out.extend_from_slice(text);
    }
}

fn write_number(out: &mut Vec<u8>, mut number: usize) {
    let mut digits = [0u8; 20];
    let mut count = 0;
    for place in digits.iter_mut().rev() {
        *place = b'0' + u8::try_from(number % 10).unwrap_or(0);
        number /= 10;
        count += 1;
        if number == 0 {
            break;
        }
    }
    out.extend_from_slice(digits.get(digits.len() - count..).unwrap_or_default());
}

fn write_platform(out: &mut Vec<u8>, platform: Platform) {
    write_text(out, b",\"platform\":", platform.as_str());
}

fn write_text(out: &mut Vec<u8>, key: &[u8], value: &str) {
    out.extend_from_slice(key);
    out.push(b'"');
    let bytes = value.as_bytes();
    let special = |b: u8| b < 0x20 || b == b'"' || b == b'\\';
    if bytes.iter().fold(false, |hit, b| hit | special(*b)) {
        for b in bytes {
            if special(*b) { write_escaped(out, *b) } else { out.push(*b) }
        }
    } else {
        out.extend_from_slice(bytes);
    }
    out.push(b'"');
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
    let form = match link.form {
        Form::Tco => "tco",
        Form::Pic => "pic",
        Form::Permalink => "permalink",
        Form::Archive => "archive",
        Form::AtUri => "at-uri",
        Form::Shortener => "shortener",
        Form::Url => "url",
        Form::Weak => "weak",
    };
    write_text(out, b"\"link\",\"form\":", form);
    write_text(out, b",\"url\":", &link.url);
    if let Some(platform) = link.platform {
        write_platform(out, platform);
    }
    write_some(out, b",\"post_id\":", link.post_id.as_deref());
    write_some(out, b",\"handle\":", link.handle.as_deref());
    write_flag(out, b",\"defanged\":true", link.defanged);
}

fn write_post(out: &mut Vec<u8>, kind: &Kind) {
    let Kind::Post { platform, author, handle, date, dates, date_raw, quoted, truncated, links, permalink, post_id } =
        kind
    else {
        return;
    };
    out.extend_from_slice(b"\"post\"");
    write_platform(out, *platform);
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
}
