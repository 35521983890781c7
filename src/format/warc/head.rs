//! The head of a WARC record as it is read (ISO 28500:2017 §4; WARC 1.0 and files of other writers too): one buffer and
//! the places of its fields in it, so that reading a million heads allocates next to nothing.

use std::ops::Range;

use jiff::Timestamp;
use uuid::Uuid;

use crate::format::digest::Digest;
use crate::format::warc::RecordType;

/// A record's head. Used again for the next record.
#[derive(Clone, Debug, Default)]
pub struct Head {
    raw: Vec<u8>,
    fields: Vec<(Range<usize>, Range<usize>)>,
    version: Range<usize>,
    folded: bool,
    garbled: bool,
}

impl Head {
    /// Reads the head that `raw` is, its closing empty line included.
    pub fn read(raw: &[u8]) -> Self {
        let mut head = Self::default();
        head.set(raw);
        head
    }

    /// The same into this value's memory.
    pub fn set(&mut self, raw: &[u8]) {
        self.raw.clear();
        self.raw.extend_from_slice(raw);
        self.fields.clear();
        (self.folded, self.garbled) = (false, false);
        let mut at = 0;
        self.version = 0..0;
        let mut first = true;
        while at < self.raw.len() {
            let rest = self.raw.get(at..).unwrap_or_default();
            let len = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
            let line = trim(&self.raw, at..at + len);
            if first {
                self.version = line;
            } else if !line.is_empty() {
                self.add(at, line);
            }
            first = false;
            at += len + 1;
        }
    }

    fn add(&mut self, start: usize, line: Range<usize>) {
        if matches!(self.raw.get(start), Some(b' ' | b'\t')) {
            // RFC 822 folding, which WARC 1.0 allowed: the value goes on.
            self.folded = true;
            if let Some((_, value)) = self.fields.last_mut() {
                value.end = line.end;
            }
            return;
        }
        let text = self.raw.get(line.clone()).unwrap_or_default();
        match memchr::memchr(b':', text) {
            Some(colon) => {
                let name = trim(&self.raw, line.start..line.start + colon);
                let value = trim(&self.raw, line.start + colon + 1..line.end);
                self.fields.push((name, value));
            }
            None => self.garbled = true,
        }
    }

    /// The head's bytes as they stood in the file.
    pub fn raw(&self) -> &[u8] {
        &self.raw
    }

    /// `WARC/1.1`, `WARC/1.0`, …
    pub fn version(&self) -> &str {
        self.text(&self.version)
    }

    /// A line was continued on the next (allowed in 1.0, not written since).
    pub fn is_folded(&self) -> bool {
        self.folded
    }

    /// A line has no colon, or bytes are no UTF-8.
    pub fn is_garbled(&self) -> bool {
        self.garbled || std::str::from_utf8(&self.raw).is_err()
    }

    /// The fields in order; a value that is no UTF-8 reads as empty.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &str)> {
        self.fields.iter().map(|(name, value)| (self.text(name), self.text(value)))
    }

    /// The first value of `name`, in any case.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(n, _)| self.is_named(n, name)).map(|(_, value)| self.text(value))
    }

    /// Every value of `name`.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> + 'a {
        self.fields.iter().filter(move |(n, _)| self.is_named(n, name)).map(|(_, value)| self.text(value))
    }

    fn is_named(&self, field: &Range<usize>, name: &str) -> bool {
        self.raw.get(field.clone()).is_some_and(|have| have.eq_ignore_ascii_case(name.as_bytes()))
    }

    /// The record's type; none where it is missing or unknown.
    pub fn kind(&self) -> Option<RecordType> {
        self.get("WARC-Type").and_then(RecordType::of)
    }

    /// `WARC-Record-ID` without its brackets.
    pub fn id(&self) -> Option<&str> {
        self.get("WARC-Record-ID").map(bare)
    }

    /// The id's UUID, where it is one.
    pub fn uuid(&self) -> Option<Uuid> {
        self.id().and_then(uuid)
    }

    /// `WARC-Date`, where it is a whole instant.
    pub fn date(&self) -> Option<Timestamp> {
        self.get("WARC-Date").and_then(|text| text.parse().ok())
    }

    /// `WARC-Target-URI` without the brackets that 1.0 files have.
    pub fn uri(&self) -> Option<&str> {
        self.get("WARC-Target-URI").map(bare)
    }

    /// `Content-Length`, where it is digits that 64 bits hold.
    pub fn length(&self) -> Option<u64> {
        let text = self.get("Content-Length")?;
        if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        text.parse().ok()
    }

    /// Whether the block is an HTTP message of a server.
    pub fn holds_response(&self) -> bool {
        matches!(self.kind(), Some(RecordType::Response | RecordType::Revisit)) && self.holds_http()
    }

    /// Whether the block is an HTTP message.
    pub fn holds_http(&self) -> bool {
        let media = self.get("Content-Type").unwrap_or_default();
        let bare = media.split(';').next().unwrap_or_default().trim();
        bare.eq_ignore_ascii_case("application/http")
    }

    fn text(&self, range: &Range<usize>) -> &str {
        let bytes = self.raw.get(range.clone()).unwrap_or_default();
        std::str::from_utf8(bytes).unwrap_or_default()
    }
}

/// `urn:uuid:…` or `<urn:uuid:…>` as a UUID.
pub fn uuid(text: &str) -> Option<Uuid> {
    Uuid::try_parse(bare(text).strip_prefix("urn:uuid:")?).ok()
}

/// 128 bits that stand for an id: the UUID itself, or the beginning of the text's digest.
pub fn id_key(id: &str) -> u128 {
    match uuid(id) {
        Some(uuid) => uuid.as_u128(),
        None => Digest::of(id.as_bytes()).0.first_chunk().map_or(0, |head| u128::from_be_bytes(*head)),
    }
}

/// `text` without angle brackets.
fn bare(text: &str) -> &str {
    text.strip_prefix('<').and_then(|t| t.strip_suffix('>')).unwrap_or(text)
}

fn trim(raw: &[u8], range: Range<usize>) -> Range<usize> {
    let bytes = raw.get(range.clone()).unwrap_or_default();
    let lead = bytes.len() - bytes.trim_ascii_start().len();
    let len = bytes.trim_ascii().len();
    range.start + lead..range.start + lead + len
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_in_any_case_and_brackets_are_taken_off() {
        let head = Head::read(
            b"WARC/1.0\r\nWARC-Type: response\r\nwarc-record-id:<urn:uuid:00000000-0000-0000-0000-00000000000a>\r\n\
              WARC-Target-URI: <https://a.example/>\r\nX-Note: one\r\n two\r\nContent-Length: 0012\r\n\r\n",
        );
        assert_eq!(head.version(), "WARC/1.0");
        assert_eq!(head.kind(), Some(RecordType::Response));
        assert_eq!(head.uuid(), Some(Uuid::from_u128(10)));
        assert_eq!(head.uri(), Some("https://a.example/"));
        assert_eq!(head.length(), Some(12));
        assert_eq!(head.get("x-note"), Some("one\r\n two"));
        assert!(head.is_folded() && !head.is_garbled());
    }

    #[test]
    fn lengths_that_are_no_plain_number_are_refused() {
        for wrong in ["-1", "+1", "1 2", "0x10", "", "18446744073709551616"] {
            let head = Head::read(format!("WARC/1.1\r\nContent-Length: {wrong}\r\n\r\n").as_bytes());
            assert_eq!(head.length(), None, "{wrong}");
        }
    }
}
