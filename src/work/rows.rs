//! From a WARC record to its catalogue row: one function for the record just written and for the one read back.

use jiff::Timestamp;
use uuid::Uuid;

use crate::format::digest::Digest;
use crate::format::warc::RecordType;
use crate::format::warc::record::Record;
use crate::resolution::exchange::RecordName;
use crate::world::store::apply::{ExchangeRow, WarcRow};

/// The entity's digest, chunk framing undone, where `WARC-Payload-Digest` cannot say it: half of the WARC readers take
/// that field before and half after the framing is undone, so it is left off transfer-coded responses.
pub const ENTITY_DIGEST: &str = "Onrecord-Entity-Digest";
/// The entity's length, where the block does not hold just it (transfer-coded, revisit).
pub const ENTITY_LENGTH: &str = "Onrecord-Entity-Length";

/// A record's head and the beginning of its block, however it is held.
pub trait Seen {
    /// The first value of a named field.
    fn field(&self, name: &str) -> Option<String>;
    /// The block's beginning, its HTTP head at least.
    fn beginning(&self) -> &[u8];
    /// The block's length.
    fn block_len(&self) -> u64;
}

impl Seen for Record {
    fn field(&self, name: &str) -> Option<String> {
        Record::field(self, name).map(str::to_owned)
    }

    fn beginning(&self) -> &[u8] {
        &self.block
    }

    fn block_len(&self) -> u64 {
        self.block.len() as u64
    }
}

/// Where a record lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lying<'a> {
    /// base name of the file, without `.open`
    pub file: &'a str,
    /// first byte of its member
    pub offset: u64,
    /// bytes of its member
    pub length: u64,
}

/// The number of a record type in schema.sql.
pub fn number(kind: RecordType) -> u8 {
    match kind {
        RecordType::Warcinfo => 0,
        RecordType::Response => 1,
        RecordType::Request => 2,
        RecordType::Revisit => 3,
        RecordType::Resource => 4,
        RecordType::Metadata => 5,
        RecordType::Conversion => 6,
        RecordType::Continuation => 7,
    }
}

/// The row of a record.
pub fn row(kind: RecordType, date: Timestamp, name: RecordName, lying: &Lying<'_>, seen: &impl Seen) -> WarcRow {
    let exchange = matches!(kind, RecordType::Response | RecordType::Revisit).then(|| exchange(kind, date, seen));
    WarcRow {
        id: name.id,
        file: lying.file.to_owned(),
        offset: lying.offset,
        length: lying.length,
        kind: number(kind),
        digest: name.digest,
        exchange,
    }
}

fn exchange(kind: RecordType, date: Timestamp, seen: &impl Seen) -> ExchangeRow {
    let head = Head::read(seen.beginning());
    let payload = seen
        .field(ENTITY_DIGEST)
        .or_else(|| seen.field("WARC-Payload-Digest"))
        .and_then(|text| text.parse::<Digest>().ok());
    let own_length = || (kind == RecordType::Response).then(|| seen.block_len().saturating_sub(head.len as u64));
    let payload_len =
        payload.and_then(|_| seen.field(ENTITY_LENGTH).and_then(|text| text.parse().ok()).or_else(own_length));
    ExchangeRow {
        url: seen.field("WARC-Target-URI").unwrap_or_default(),
        at: date,
        ip: seen.field("WARC-IP-Address"),
        status: head.status,
        media_type: head.media_type,
        payload,
        payload_len,
        refers_to: seen.field("WARC-Refers-To").and_then(|text| urn(&text)),
    }
}

/// The UUID in `<urn:uuid:…>`.
pub fn urn(text: &str) -> Option<Uuid> {
    text.trim().strip_prefix("<urn:uuid:")?.strip_suffix('>')?.parse().ok()
}

/// What the catalogue shows of an HTTP head. Lenient: the bytes are kept whatever they say.
struct Head {
    status: Option<u16>,
    media_type: Option<String>,
    len: usize,
}

impl Head {
    fn read(block: &[u8]) -> Self {
        let mut head = Self { status: None, media_type: None, len: block.len() };
        let mut at = 0;
        while let Some(end) = memchr::memchr(b'\n', block.get(at..).unwrap_or_default()) {
            let line = block.get(at..at + end).unwrap_or_default();
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            if at == 0 {
                head.status = status(line);
            } else if line.is_empty() {
                head.len = at + end + 1;
                break;
            } else if head.media_type.is_none() {
                head.media_type = media_type(line);
            }
            at += end + 1;
        }
        head
    }
}

fn status(line: &[u8]) -> Option<u16> {
    let rest = line.strip_prefix(b"HTTP/")?;
    let digits = rest.split(|&b| b == b' ').find(|part| !part.is_empty() && !part.contains(&b'.'))?;
    std::str::from_utf8(digits).ok()?.parse().ok().filter(|n| (100..1000).contains(n))
}

fn media_type(line: &[u8]) -> Option<String> {
    let colon = memchr::memchr(b':', line)?;
    let (name, value) = line.split_at(colon);
    if !name.eq_ignore_ascii_case(b"content-type") {
        return None;
    }
    let value = String::from_utf8_lossy(value.get(1..)?).into_owned();
    let essence = value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    (!essence.is_empty()).then_some(essence)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_are_read_whatever_they_look_like() {
        let head = Head::read(b"HTTP/1.1 200 OK\r\ncontent-TYPE: Text/HTML; charset=x\r\n\r\nbody\r\n\r\n");
        assert_eq!((head.status, head.media_type.as_deref(), head.len), (Some(200), Some("text/html"), 55));
        assert_eq!(Head::read(b"SSH-2.0-OpenSSH\r\n").status, None);
        assert_eq!(Head::read(b"HTTP/1.1 99 x\n\n").status, None);
        assert_eq!(Head::read(b"").len, 0);
    }
}
