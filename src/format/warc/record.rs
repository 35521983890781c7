//! A WARC 1.1 record as it is written (ISO 28500:2017 §4 to §6): the value, the constructors that set the fields its type
//! demands, its bytes and its digest.

use std::net::IpAddr;

use jiff::Timestamp;
use uuid::Uuid;

use crate::format::digest::Digest;
use crate::format::http::Truncated;
use crate::format::sha2x::Lane;
use crate::format::time;
use crate::format::warc::head::Head;
use crate::format::warc::{IDENTICAL_PAYLOAD, NOT_MODIFIED, RecordType};

/// One record. Its block digest and length are written from `block` itself, so they stand in no field here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// the UUID of `WARC-Record-ID`
    pub id: Uuid,
    /// `WARC-Type`
    pub kind: RecordType,
    /// `WARC-Date`, to the microsecond; one capture event has one date
    pub date: Timestamp,
    /// further named fields, in order
    pub fields: Vec<(String, String)>,
    /// the block
    pub block: Vec<u8>,
    /// SHA-256 of the block, where it is known already; whoever changes the block takes it away
    pub known: Option<Digest>,
}

/// The record a revisit stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Referred {
    /// its id
    pub id: Uuid,
    /// its target
    pub uri: String,
    /// its date
    pub date: Timestamp,
}

impl Record {
    /// A bare record of a type.
    pub fn new(kind: RecordType, id: Uuid, date: Timestamp, block: Vec<u8>) -> Self {
        Self { id, kind, date: time::to_micros(date), fields: Vec::new(), block, known: None }
    }

    /// The record a file begins with. `pairs` are warc-fields: software, format, conformsTo, operator, hostname, …
    pub fn warcinfo(id: Uuid, date: Timestamp, file: &str, pairs: &[(String, String)]) -> Self {
        let mut block = Vec::new();
        for (name, value) in pairs {
            line(&mut block, name, value);
        }
        Self::new(RecordType::Warcinfo, id, date, block)
            .with("WARC-Filename", file)
            .with("Content-Type", "application/warc-fields")
    }

    /// What was sent, byte for byte.
    pub fn request(id: Uuid, date: Timestamp, uri: &str, block: Vec<u8>) -> Self {
        Self::new(RecordType::Request, id, date, block)
            .about(uri)
            .with("Content-Type", "application/http;msgtype=request")
    }

    /// What came, byte for byte, the final head first. The payload digest is computed here; where the response is
    /// transfer-coded it is left out, since half of the readers take it before and half after decoding.
    pub fn response(id: Uuid, date: Timestamp, uri: &str, block: Vec<u8>) -> Self {
        let payload = payload_of_response(&block).map(Digest::of);
        Self::response_known(id, date, uri, block, payload)
    }

    /// The same where the caller already has the digest of the bytes after the head; none leaves the field out, as it
    /// must be on a transfer-coded response.
    pub fn response_known(id: Uuid, date: Timestamp, uri: &str, block: Vec<u8>, payload: Option<Digest>) -> Self {
        let record = Self::new(RecordType::Response, id, date, block)
            .about(uri)
            .with("Content-Type", "application/http;msgtype=response");
        match payload {
            Some(digest) => record.with("WARC-Payload-Digest", &digest.to_string()),
            None => record,
        }
    }

    /// A response whose entity a committed record already holds: `head` is the response's head as it came, its end
    /// included; `payload` the entity's digest, the same as the referred record's.
    pub fn revisit(id: Uuid, date: Timestamp, uri: &str, head: Vec<u8>, payload: Digest, referred: &Referred) -> Self {
        Self::new(RecordType::Revisit, id, date, head)
            .about(uri)
            .with("Content-Type", "application/http;msgtype=response")
            .with("WARC-Profile", IDENTICAL_PAYLOAD)
            .with("WARC-Payload-Digest", &payload.to_string())
            .refers(referred)
            .with("WARC-Truncated", "length")
    }

    /// A 304 to a conditional request.
    pub fn not_modified(id: Uuid, date: Timestamp, uri: &str, block: Vec<u8>, referred: &Referred) -> Self {
        Self::new(RecordType::Revisit, id, date, block)
            .about(uri)
            .with("Content-Type", "application/http;msgtype=response")
            .with("WARC-Profile", NOT_MODIFIED)
            .refers(referred)
    }

    /// Bytes as they are: a statement, a certificate chain, a DNS answer, a screenshot.
    pub fn resource(id: Uuid, date: Timestamp, uri: &str, media_type: &str, block: Vec<u8>) -> Self {
        let payload = Digest::of(&block).to_string();
        Self::new(RecordType::Resource, id, date, block)
            .about(uri)
            .with("Content-Type", media_type)
            .with("WARC-Payload-Digest", &payload)
    }

    /// Facts about other records; `concurrent_to` or `refers_to` says about which.
    pub fn metadata(id: Uuid, date: Timestamp, media_type: &str, block: Vec<u8>) -> Self {
        Self::new(RecordType::Metadata, id, date, block).with("Content-Type", media_type)
    }

    /// The record that a head and its block are; none where the head lacks what every record of ours has.
    pub fn of(head: &Head, block: Vec<u8>) -> Option<Self> {
        let own = ["WARC-Type", "WARC-Record-ID", "WARC-Date", "WARC-Block-Digest", "Content-Length"];
        let fields = head
            .fields()
            .filter(|(name, _)| !own.iter().any(|o| o.eq_ignore_ascii_case(name)))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        Some(Self { id: head.uuid()?, kind: head.kind()?, date: head.date()?, fields, block, known: None })
    }

    /// The same with one more field.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.fields.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The same about a target.
    #[must_use]
    pub fn about(self, uri: &str) -> Self {
        self.with("WARC-Target-URI", &escaped_uri(uri))
    }

    /// The same as a part of the capture event that `other` is of.
    #[must_use]
    pub fn concurrent_to(self, other: Uuid) -> Self {
        self.with("WARC-Concurrent-To", &urn(other))
    }

    /// The same about another record.
    #[must_use]
    pub fn refers_to(self, other: Uuid) -> Self {
        self.with("WARC-Refers-To", &urn(other))
    }

    /// The same from an address; IPv6 is written as RFC 5952 has it.
    #[must_use]
    pub fn from_ip(self, ip: IpAddr) -> Self {
        self.with("WARC-IP-Address", &ip.to_string())
    }

    /// The same over a protocol: `http/1.1`, `tls/1.3`. Repeatable.
    #[must_use]
    pub fn over(self, protocol: &str) -> Self {
        self.with("WARC-Protocol", protocol)
    }

    /// The same under a cipher suite, by its IANA name.
    #[must_use]
    pub fn cipher(self, name: &str) -> Self {
        self.with("WARC-Cipher-Suite", name)
    }

    /// The same, its block not whole.
    #[must_use]
    pub fn truncated(self, why: Truncated) -> Self {
        self.with("WARC-Truncated", why.as_str())
    }

    fn refers(self, referred: &Referred) -> Self {
        self.refers_to(referred.id)
            .with("WARC-Refers-To-Target-URI", &escaped_uri(&referred.uri))
            .with("WARC-Refers-To-Date", &time::warc_date(referred.date))
    }

    /// The first value of a field in `fields`.
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The head's bytes, from `WARC/1.1` to the empty line, for a block of that digest and length.
    pub fn head(&self, block: Digest, len: u64) -> Vec<u8> {
        let mut out = Vec::with_capacity(512 + 32 * self.fields.len());
        out.extend_from_slice(b"WARC/1.1\r\n");
        line(&mut out, "WARC-Type", self.kind.as_str());
        line(&mut out, "WARC-Record-ID", &urn(self.id));
        line(&mut out, "WARC-Date", &time::warc_date(self.date));
        for (name, value) in &self.fields {
            line(&mut out, name, value);
        }
        line(&mut out, "WARC-Block-Digest", &block.to_string());
        line(&mut out, "Content-Length", &len.to_string());
        out.extend_from_slice(b"\r\n");
        out
    }

    /// The digest of the block.
    pub fn block_digest(&self) -> Digest {
        self.known.unwrap_or_else(|| Digest::of(&self.block))
    }

    /// With the digest of its block, which whoever read the block worked out.
    #[must_use]
    pub fn known(self, block: Option<Digest>) -> Self {
        Self { known: block, ..self }
    }

    /// The record's head, and the digest that names the record: SHA-256 from `WARC/1.1` to the last byte of the block.
    pub fn sealed(&self) -> (Vec<u8>, Digest) {
        let head = self.head(self.block_digest(), self.block.len() as u64);
        let mut lane = Lane::default();
        lane.update(&head);
        lane.update(&self.block);
        (head, lane.finish())
    }

    /// The record's bytes, from `WARC/1.1` to the last byte of the block: what its name's digest is of. In the file
    /// CRLF CRLF follows.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = self.head(self.block_digest(), self.block.len() as u64);
        out.extend_from_slice(&self.block);
        out
    }
}

/// `<urn:uuid:…>`
pub fn urn(id: Uuid) -> String {
    format!("<urn:uuid:{id}>")
}

/// `uri` with every byte that no URI holds percent-encoded (WARC 1.1 asks for RFC 3986, without angle brackets).
pub fn escaped_uri(uri: &str) -> String {
    let mut out = String::with_capacity(uri.len());
    for byte in uri.bytes() {
        if (0x21..0x7f).contains(&byte) && !matches!(byte, b'<' | b'>') {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// The bytes after the head of an HTTP response, where they are the entity itself: none where a transfer coding frames
/// them or where no head ends.
pub fn payload_of_response(block: &[u8]) -> Option<&[u8]> {
    let end = memchr::memmem::find(block, b"\r\n\r\n")? + 4;
    let (head, body) = (block.get(..end)?, block.get(end..)?);
    (!is_transfer_coded(head)).then_some(body)
}

/// Whether an HTTP head declares a transfer coding.
pub fn is_transfer_coded(head: &[u8]) -> bool {
    head.split(|&b| b == b'\n').any(|line| {
        let name = line.split(|&b| b == b':').next().unwrap_or_default();
        name.trim_ascii().eq_ignore_ascii_case(b"transfer-encoding")
    })
}

/// One `Name: value` line. A control character would end the line early and forge the next, so it becomes a space.
fn line(out: &mut Vec<u8>, name: &str, value: &str) {
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b": ");
    if value.chars().any(char::is_control) {
        let plain: String = value.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        out.extend_from_slice(plain.as_bytes());
    } else {
        out.extend_from_slice(value.as_bytes());
    }
    out.extend_from_slice(b"\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at() -> Timestamp {
        "2019-06-10T07:58:44.123456789Z".parse().unwrap()
    }

    #[test]
    fn a_response_is_written_as_the_standard_has_it() {
        let block = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi".to_vec();
        let record = Record::response(Uuid::from_u128(1), at(), "https://a.example/\u{fc} <x>", block)
            .from_ip("2001:db8::1".parse().unwrap())
            .over("http/1.1")
            .over("tls/1.3")
            .cipher("TLS_AES_256_GCM_SHA384");
        insta::assert_snapshot!(String::from_utf8(record.to_bytes()).unwrap().replace('\r', ""), @r"
        WARC/1.1
        WARC-Type: response
        WARC-Record-ID: <urn:uuid:00000000-0000-0000-0000-000000000001>
        WARC-Date: 2019-06-10T07:58:44.123456Z
        WARC-Target-URI: https://a.example/%C3%BC%20%3Cx%3E
        Content-Type: application/http;msgtype=response
        WARC-Payload-Digest: sha256:8f434346648f6b96df89dda901c5176b10a6d83961dd3c1ac88b59b2dc327aa4
        WARC-IP-Address: 2001:db8::1
        WARC-Protocol: http/1.1
        WARC-Protocol: tls/1.3
        WARC-Cipher-Suite: TLS_AES_256_GCM_SHA384
        WARC-Block-Digest: sha256:7d85e18e30a2178f63c9f769274141c4510694876dfb7c77349ea2b589f78498
        Content-Length: 40

        HTTP/1.1 200 OK
        Content-Length: 2

        hi
        ");
    }

    #[test]
    fn a_record_is_named_by_all_its_bytes() {
        let record = Record::metadata(Uuid::nil(), at(), "text/plain", b"said\r\n\r\non Monday".to_vec());
        let (head, name) = record.sealed();
        assert_eq!(record.to_bytes(), [&head[..], &record.block].concat());
        assert_eq!(name, Digest::of(&record.to_bytes()));
        assert_eq!(record.clone().known(Some(Digest::of(&record.block))).sealed(), (head, name));
    }

    #[test]
    fn a_chunked_response_has_no_payload_digest() {
        for head in ["Transfer-Encoding: chunked", "transfer-encoding:chunked", "TRANSFER-ENCODING : gzip, chunked"] {
            let block = format!("HTTP/1.1 200 OK\r\n{head}\r\n\r\n0\r\n\r\n").into_bytes();
            let record = Record::response(Uuid::nil(), at(), "https://a.example/", block);
            assert_eq!(record.field("WARC-Payload-Digest"), None, "{head}");
        }
    }

    #[test]
    fn no_value_can_forge_a_line() {
        let record = Record::metadata(Uuid::nil(), at(), "text/plain\r\nWARC-Type: response", Vec::new());
        let bytes = String::from_utf8(record.to_bytes()).unwrap();
        assert_eq!(bytes.matches("\r\nWARC-Type:").count(), 1);
    }
}
