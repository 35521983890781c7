//! CDXJ index lines (CDXJ 0.1.0, <https://specs.webrecorder.net/cdxj/0.1.0/>, in the dialect that cdxj-indexer writes and
//! pywb and ReplayWeb.page read): `<SURT> <14 digits> {json}`, offset, length and status as strings.

use std::io::Write as _;

use crate::format::digest::Digest;
use crate::format::surt;
use crate::format::time;
use crate::format::warc::RecordType;
use crate::format::warc::read::Item;

/// What one line says of one record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry<'a> {
    /// the target, as on the record
    pub url: &'a str,
    /// when it was captured
    pub date: jiff::Timestamp,
    /// media type without parameters; `warc/revisit` on a revisit
    pub mime: &'a str,
    /// HTTP status, where there is one
    pub status: Option<u16>,
    /// `sha256:…` of the payload as the record says, else of the entity
    pub digest: String,
    /// base name of the WARC file
    pub file: &'a str,
    /// where the member begins in it
    pub offset: u64,
    /// its compressed length
    pub length: u64,
    /// SHA-256 of the compressed member, where it is wanted
    pub record_digest: Option<Digest>,
}

impl<'a> Entry<'a> {
    /// The entry of a record as it was read with [`Want::entity`](crate::format::warc::read::Want); none for records that
    /// are not indexed: requests, warcinfo, metadata in warc-fields, and what has no URL or date.
    pub fn of(item: &'a Item, file: &'a str) -> Option<Self> {
        let content = media_type(item.head.get("Content-Type").unwrap_or_default());
        let (mime, status) = match item.head.kind()? {
            RecordType::Response => (http_type(&item.http), http_status(&item.http)),
            RecordType::Revisit => ("warc/revisit", http_status(&item.http)),
            RecordType::Resource | RecordType::Metadata if content != "application/warc-fields" => (content, None),
            _ => return None,
        };
        let digest = match item.head.get("WARC-Payload-Digest") {
            Some(declared) => declared.to_owned(),
            None => item.entity.map(|(digest, _)| digest.to_string())?,
        };
        Some(Self {
            url: item.head.uri()?,
            date: item.head.date()?,
            mime: if mime.is_empty() { "unk" } else { mime },
            status,
            digest,
            file,
            offset: item.offset,
            length: item.length,
            record_digest: None,
        })
    }

    /// Appends the line, its newline included.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(surt::key(self.url).as_bytes());
        out.push(b' ');
        out.extend_from_slice(time::digits14(self.date).as_bytes());
        out.extend_from_slice(b" {\"url\": ");
        text(self.url, out);
        out.extend_from_slice(b", \"mime\": ");
        text(self.mime, out);
        if let Some(status) = self.status {
            // A vector takes every write.
            let _ = write!(out, ", \"status\": \"{status}\"");
        }
        out.extend_from_slice(b", \"digest\": ");
        text(&self.digest, out);
        let _ = write!(out, ", \"length\": \"{}\", \"offset\": \"{}\", \"filename\": ", self.length, self.offset);
        text(self.file, out);
        if let Some(digest) = self.record_digest {
            let _ = write!(out, ", \"recordDigest\": \"{digest}\"");
        }
        out.extend_from_slice(b"}\n");
    }
}

/// Lines in the order that readers bisect by: bytes, not letters; each once.
pub fn sorted(lines: &[u8]) -> Vec<u8> {
    let mut each: Vec<&[u8]> = lines.split_inclusive(|&b| b == b'\n').collect();
    each.sort_unstable();
    each.dedup();
    each.concat()
}

fn text(value: &str, out: &mut Vec<u8>) {
    if value.bytes().all(|b| (0x20..0x7f).contains(&b) && !matches!(b, b'"' | b'\\')) {
        out.push(b'"');
        out.extend_from_slice(value.as_bytes());
        out.push(b'"');
    } else if serde_json::to_writer(&mut *out, value).is_err() {
        out.extend_from_slice(b"\"\"");
    }
}

fn media_type(value: &str) -> &str {
    value.split(|c: char| c == ';' || c.is_whitespace()).next().unwrap_or_default()
}

fn http_type(head: &[u8]) -> &str {
    head.split(|&b| b == b'\n')
        .skip(1)
        .find_map(|line| {
            let colon = memchr::memchr(b':', line)?;
            let name = line.get(..colon)?.trim_ascii();
            let value = line.get(colon + 1..)?.trim_ascii();
            name.eq_ignore_ascii_case(b"content-type").then(|| std::str::from_utf8(value).unwrap_or_default())
        })
        .map_or("", media_type)
}

fn http_status(head: &[u8]) -> Option<u16> {
    let line = head.split(|&b| b == b'\r').next()?;
    let digits = line.split(|&b| b == b' ').nth(1)?;
    std::str::from_utf8(digits).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::warc::read::{Reader, Want};
    use crate::format::warc::record::Record;
    use jiff::Timestamp;
    use uuid::Uuid;

    #[test]
    fn lines_as_other_tools_write_them() {
        let at: Timestamp = "2019-06-10T07:58:44.9Z".parse().unwrap();
        let page = |block: &[u8]| Record::response(Uuid::nil(), at, "https://www.a.example/B?x", block.to_vec());
        let records = [
            page(b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n\r\nhi"),
            page(b"HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n"),
            Record::request(Uuid::nil(), at, "https://www.a.example/B?x", b"GET / HTTP/1.1\r\n\r\n".to_vec()),
            Record::resource(Uuid::nil(), at, "urn:X-tls:1", "text/\u{e4}\"x", b"hi".to_vec()),
            Record::metadata(Uuid::nil(), at, "application/warc-fields", b"via: x\r\n".to_vec()),
        ];
        let mut file = Vec::new();
        for record in &records {
            crate::format::gzip::stored(&[&record.to_bytes(), b"\r\n\r\n"], &mut file);
        }
        let mut reader = Reader::new(std::io::Cursor::new(file), 0, Want::ours()).unwrap();
        let mut lines = Vec::new();
        while let Some(item) = reader.next().unwrap() {
            if let Some(entry) = Entry::of(item, "f.warc.gz") {
                Entry { offset: 0, length: 1, ..entry }.write(&mut lines);
            }
        }
        let digest = Digest::of(b"hi");
        let line = |key: &str, rest: &str| {
            let tail = format!(r#""digest": "{digest}", "length": "1", "offset": "0", "filename": "f.warc.gz"}}"#);
            format!("{key} 20190610075844 {{{rest}, {tail}\n")
        };
        let want = [
            line("example,a)/b?x", r#""url": "https://www.a.example/B?x", "mime": "text/html", "status": "200""#),
            line("example,a)/b?x", r#""url": "https://www.a.example/B?x", "mime": "unk", "status": "404""#),
            line("urn:X-tls:1", r#""url": "urn:X-tls:1", "mime": "text/ä\"x""#),
        ];
        assert_eq!(String::from_utf8(lines.clone()).unwrap(), want.concat());
        assert_eq!(sorted(&[&lines[..], &lines].concat()), want.concat().as_bytes());
    }
}
