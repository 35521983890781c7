//! One record's bytes as they pass: head, block, closing lines; what is declared is computed on the way and compared.

use std::collections::HashSet;

use sha2::Digest as _;

use super::{Item, Rules, Want};
use crate::format::digest::Digest;
use crate::format::gzip::Damage;
use crate::format::http::body::Body;
use crate::format::http::head::Framing;
use crate::format::sha2x::{self, Lane};
use crate::format::warc::RecordType;
use crate::format::warc::head::id_key;
use crate::format::warc::problem::{Kind, Problem};

/// A head longer than this is none. Ours are under 4 KiB plus a URL.
const HEAD_MAX: usize = 256 * 1024;
/// As much of an HTTP head as is kept to see how its body is coded.
const HTTP_HEAD_MAX: usize = 256 * 1024;
const CLOSING: &[u8] = b"\r\n\r\n";
/// Fields that may stand more than once (ISO 28500 §5; the last two by the IIPC's extension).
const REPEATABLE: [&str; 3] = ["WARC-Concurrent-To", "WARC-Protocol", "WARC-Cipher-Suite"];

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Head,
    Block,
    Closing,
    Done,
    Lost,
}

/// Where in the block an HTTP body begins.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Split {
    /// the block is no HTTP message: payload and block are the same bytes
    Whole,
    /// the head goes on; how much of its closing empty line was seen
    Head(usize),
    /// behind the head
    Body,
}

pub(super) struct Parse {
    want: Want,
    item: Item,
    state: State,
    /// the next record is the file's first
    first: bool,
    raw: Vec<u8>,
    left: u64,
    closed: usize,
    split: Split,
    whole: Option<Lane>,
    block: Check,
    payload: Check,
    /// the payload with its chunks put together, where it came in chunks
    entity: Option<(Body, Check)>,
    ids: HashSet<u128>,
}

impl Parse {
    pub(super) fn new(want: Want, first: bool) -> Self {
        Self {
            want,
            item: Item::default(),
            state: State::Done,
            first,
            raw: Vec::new(),
            left: 0,
            closed: 0,
            split: Split::Whole,
            whole: None,
            block: Check::default(),
            payload: Check::default(),
            entity: None,
            ids: HashSet::new(),
        }
    }

    pub(super) fn begin(&mut self, offset: u64, mid_member: bool, odd: Option<&'static str>) {
        self.item.offset = offset;
        self.item.length = 0;
        self.item.head.set(b"");
        self.item.block_len = 0;
        self.item.prefix.clear();
        self.item.digests = super::Digests::default();
        self.item.checked = 0;
        self.item.problems.clear();
        self.state = State::Head;
        self.raw.clear();
        self.closed = 0;
        self.item.http.clear();
        self.item.entity = None;
        (self.whole, self.block, self.payload, self.entity) = (None, Check::default(), Check::default(), None);
        if mid_member && self.want.rules == Rules::Ours {
            self.problem(Kind::NotAMemberPerRecord, "a record begins in the midst of a gzip member");
        }
        if let Some(what) = odd.filter(|_| self.want.rules == Rules::Ours) {
            self.problem(Kind::GzipHeadChanged, what);
        }
    }

    pub(super) fn is_done(&self) -> bool {
        matches!(self.state, State::Done | State::Lost)
    }

    pub(super) fn is_lost(&self) -> bool {
        self.state == State::Lost
    }

    /// Takes bytes up to the record's end; how many.
    pub(super) fn take(&mut self, bytes: &[u8]) -> usize {
        let mut used = 0;
        while used < bytes.len() && !self.is_done() {
            let rest = bytes.get(used..).unwrap_or_default();
            used += match self.state {
                State::Head => self.head(rest),
                State::Block => self.block(rest),
                _ => self.closing(rest),
            };
        }
        used
    }

    fn head(&mut self, bytes: &[u8]) -> usize {
        let before = self.raw.len();
        let room = bytes.get(..bytes.len().min(HEAD_MAX - before.min(HEAD_MAX))).unwrap_or_default();
        // The empty line may lie across the seam. What stands behind it is not copied.
        let found = if before == 0 {
            memchr::memmem::find(room, CLOSING).map(|n| n + CLOSING.len())
        } else {
            let seam = before.saturating_sub(CLOSING.len() - 1);
            self.raw.extend_from_slice(room);
            let found = memchr::memmem::find(self.raw.get(seam..).unwrap_or_default(), CLOSING);
            self.raw.truncate(before);
            found.map(|n| seam + n + CLOSING.len() - before)
        };
        let take = found.unwrap_or(room.len());
        self.raw.extend_from_slice(room.get(..take).unwrap_or_default());
        let begun = self.raw.get(..5).unwrap_or(&self.raw);
        if !b"WARC/".starts_with(begun) {
            self.lose(Kind::NotWarc, "no WARC record begins here");
            return 0;
        }
        let first = memchr::memchr(b'\n', &self.raw).and_then(|at| at.checked_sub(1));
        if first.is_some_and(|before| self.raw.get(before) != Some(&b'\r')) {
            self.lose(Kind::HeadMalformed, "the lines of the record's head end in LF, not in CR LF");
            return 0;
        }
        if found.is_some() {
            self.item.head.set(&self.raw);
            self.opened();
        } else if self.raw.len() >= HEAD_MAX {
            self.lose(Kind::HeadMalformed, "the record's head does not end within 256 KiB");
        }
        take
    }

    /// The head is read: is it one, and what does it declare?
    fn opened(&mut self) {
        let Some(length) = self.item.head.length() else {
            return self.lose(Kind::HeadMalformed, "Content-Length is missing or no number");
        };
        self.left = length;
        self.state = if length == 0 { State::Closing } else { State::Block };
        self.split = if self.item.head.holds_http() { Split::Head(0) } else { Split::Whole };
        if self.want.whole {
            let mut whole = Lane::default();
            whole.update(&self.raw);
            self.whole = Some(whole);
        }
        if self.want.check {
            self.block = self.declared("WARC-Block-Digest");
            // A revisit's payload stands in the record it refers to.
            if self.item.head.kind() != Some(RecordType::Revisit) {
                self.payload = self.declared("WARC-Payload-Digest");
            }
        }
        if self.want.entity && !self.payload.is_running() {
            self.payload = Check::sha256();
        }
        self.judge();
        self.first = false;
    }

    fn declared(&mut self, field: &str) -> Check {
        let Some(text) = self.item.head.get(field) else { return Check::default() };
        match Check::of(text) {
            Some(check) => check,
            None => {
                let what = format!("{field} {text} cannot be checked");
                self.problem(Kind::DigestUnreadable, &what);
                Check::default()
            }
        }
    }

    fn judge(&mut self) {
        let strict = self.want.rules == Rules::Ours;
        if self.item.head.is_garbled() {
            self.problem(Kind::HeadMalformed, "a line of the head is no named field");
        }
        for field in ["WARC-Type", "WARC-Record-ID", "WARC-Date"] {
            if self.item.head.get(field).is_none() {
                self.problem(Kind::FieldMissing, &format!("{field} is missing"));
            }
        }
        if self.want.check
            && let Some(id) = self.item.head.id()
            && !self.ids.insert(id_key(id))
        {
            let what = format!("a second record has the id {id}");
            self.problem(Kind::DuplicateId, &what);
        }
        if strict {
            self.judge_strictly();
        }
    }

    fn judge_strictly(&mut self) {
        if self.item.head.version() != "WARC/1.1" || self.item.head.is_folded() {
            self.problem(Kind::HeadMalformed, "not the head of a WARC/1.1 record");
        }
        if self.first && self.item.head.kind() != Some(RecordType::Warcinfo) {
            self.problem(Kind::WarcinfoMissing, "the file does not begin with a warcinfo record");
        }
        if self.item.head.get("WARC-Record-ID").is_some() && self.item.head.uuid().is_none() {
            self.problem(Kind::FieldMalformed, "WARC-Record-ID is no <urn:uuid:…>");
        }
        if self.item.head.get("WARC-Date").is_some() && self.item.head.date().is_none() {
            self.problem(Kind::FieldMalformed, "WARC-Date is no UTC instant");
        }
        match self.item.head.kind() {
            None => self.problem(Kind::FieldMalformed, "WARC-Type names no type of the standard"),
            Some(kind) if kind.needs_uri() && self.item.head.uri().is_none() => {
                self.problem(Kind::FieldMissing, "WARC-Target-URI is missing");
            }
            Some(_) => {}
        }
        if !self.item.head.get("WARC-Block-Digest").is_some_and(|d| d.starts_with("sha256:")) {
            self.problem(Kind::DigestMissing, "no SHA-256 WARC-Block-Digest");
        }
        if let Some(name) = repeated(&self.item) {
            self.problem(Kind::FieldRepeated, &format!("{name} stands more than once"));
        }
    }

    fn block(&mut self, bytes: &[u8]) -> usize {
        let take = usize::try_from(self.left).unwrap_or(usize::MAX).min(bytes.len());
        let bytes = bytes.get(..take).unwrap_or_default();
        self.left -= take as u64;
        self.item.block_len += take as u64;
        if self.split == Split::Whole {
            let keep = self.want.keep.saturating_sub(self.item.prefix.len()).min(take);
            self.item.prefix.extend_from_slice(bytes.get(..keep).unwrap_or_default());
        }
        let body = self.body_of(bytes);
        self.digest(bytes, body);
        self.update_entity(body);
        if self.left == 0 {
            self.state = State::Closing;
        }
        take
    }

    /// The part of these block bytes that is payload.
    fn body_of<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let Split::Head(seen) = self.split else { return bytes };
        let (seen, end) = closing_in(bytes, seen);
        let head = bytes.get(..end.unwrap_or(bytes.len())).unwrap_or_default();
        let room = HTTP_HEAD_MAX.saturating_sub(self.item.http.len()).min(head.len());
        self.item.http.extend_from_slice(head.get(..room).unwrap_or_default());
        let Some(end) = end else {
            self.split = Split::Head(seen);
            return &[];
        };
        self.split = Split::Body;
        if self.payload.is_running() && is_chunked(&self.item.http) {
            self.entity = Some((Body::new(Framing::Chunked, u64::MAX), self.payload.clone()));
        }
        bytes.get(end..).unwrap_or_default()
    }

    /// Two SHA-256 together cost little more than one, so they go in pairs.
    fn digest(&mut self, block: &[u8], body: &[u8]) {
        match (&mut self.block.hash, &mut self.payload.hash) {
            (Hash::Sha256(a), Hash::Sha256(b)) => {
                match &mut self.whole {
                    Some(whole) => sha2x::update_three(a, whole, block, b, body),
                    None => sha2x::update_both(a, block, b, body),
                }
                self.block.len += block.len() as u64;
                self.payload.len += body.len() as u64;
            }
            (Hash::Sha256(a), _) if self.whole.is_some() => {
                if let Some(whole) = &mut self.whole {
                    sha2x::update_both(a, block, whole, block);
                }
                self.block.len += block.len() as u64;
                self.payload.update(body);
            }
            _ => {
                self.block.update(block);
                self.payload.update(body);
                if let Some(whole) = &mut self.whole {
                    whole.update(block);
                }
            }
        }
    }

    fn update_entity(&mut self, body: &[u8]) {
        let Some((framing, check)) = &mut self.entity else { return };
        let mut whole = true;
        if !body.is_empty() {
            whole = framing.feed(body, |piece| check.update(piece)).is_ok_and(|n| n == body.len());
        }
        if !whole {
            // Bytes that are no chunks, or follow the last one: there is no such entity.
            self.entity = None;
        }
    }

    fn closing(&mut self, bytes: &[u8]) -> usize {
        let want = CLOSING.get(self.closed..).unwrap_or_default();
        let take = want.len().min(bytes.len());
        if bytes.get(..take) != want.get(..take) {
            self.lose(Kind::LengthWrong, "the block does not end where Content-Length says");
            return 0;
        }
        self.closed += take;
        if self.closed == CLOSING.len() {
            self.state = State::Done;
        }
        take
    }

    /// More follows in the member although the record has ended.
    pub(super) fn shares_member(&mut self) {
        if self.want.rules == Rules::Ours {
            self.problem(Kind::NotAMemberPerRecord, "its gzip member goes on after the record");
        }
    }

    /// The member, or in a file without members the record, cannot be read on.
    pub(super) fn damaged(&mut self, damage: Damage, in_member: bool) {
        let kind = match damage {
            Damage::NotGzip => Kind::TrailingGarbage,
            Damage::Truncated => Kind::FileTruncated,
            _ => Kind::GzipMemberDamaged,
        };
        // What was read out of damaged bytes is not what was written: whatever else seemed wrong with it follows from this.
        self.item.problems.clear();
        self.first = false;
        match damage {
            Damage::Truncated if !in_member => self.problem(kind, "the file ends within the record"),
            _ => self.problem(kind, &damage.to_string()),
        }
        self.state = State::Lost;
    }

    /// No record can be followed here: whatever else seemed wrong is said of none.
    fn lose(&mut self, kind: Kind, what: &str) {
        self.item.problems.clear();
        self.first = false;
        self.problem(kind, what);
        self.state = State::Lost;
    }

    fn problem(&mut self, kind: Kind, what: &str) {
        self.item.problems.push(Problem { kind, offset: self.item.offset, what: what.to_owned() });
    }

    /// The record as found; its digests compared where it is whole.
    pub(super) fn finish(&mut self, length: u64) -> &Item {
        self.item.length = length;
        if self.state == State::Done {
            self.compare();
        } else if matches!(self.state, State::Block | State::Closing | State::Head) {
            // Whatever else seemed wrong with it is said of no whole record.
            self.item.problems.clear();
            self.problem(Kind::LengthWrong, "its gzip member ends before the record does");
        }
        &self.item
    }

    fn compare(&mut self) {
        self.item.digests.whole = self.whole.take().map(Lane::finish);
        let block = std::mem::take(&mut self.block).finish();
        let payload = std::mem::take(&mut self.payload).finish();
        let entity = self.entity.take().filter(|(framing, _)| framing.is_done()).map(|(_, check)| check.finish());
        self.item.digests.block = block.sha256;
        self.item.digests.payload = payload.sha256;
        if self.want.entity {
            let read = entity.as_ref().unwrap_or(&payload);
            self.item.entity = read.sha256.map(|digest| (digest, read.len));
        }
        // Some writers digest a payload as it came, some with its chunks put together; either is right. Of a truncated
        // one nobody knows what was digested.
        let either = payload.right.map(|right| right || entity.and_then(|e| e.right) == Some(true));
        let open = self.item.head.get("WARC-Truncated").is_some();
        self.item.checked = [block.right, either].into_iter().flatten().map(u32::from).sum();
        match (block.right, either) {
            (Some(false), Some(true)) => self.problem(Kind::HeaderChanged, "the block's head is not what was digested"),
            (Some(false), _) => self.problem(Kind::PayloadChanged, "the block is not what was digested"),
            (_, Some(false)) if !open || block.right.is_none() => {
                self.problem(Kind::PayloadChanged, "the payload is not what was digested");
            }
            _ => {}
        }
    }
}

/// How much of an empty line was seen at the end of `bytes`, of which `seen` came before them; where it ended, if it
/// did.
fn closing_in(bytes: &[u8], mut seen: usize) -> (usize, Option<usize>) {
    let mut at = 0;
    while at < bytes.len() {
        if seen == 0
            && let Some(n) = memchr::memchr(b'\r', bytes.get(at..).unwrap_or_default())
        {
            at += n;
        } else if seen == 0 {
            return (0, None);
        }
        let byte = bytes.get(at);
        seen = match (CLOSING.get(seen) == byte, byte) {
            (true, _) => seen + 1,
            (false, Some(b'\r')) => 1,
            (false, _) => 0,
        };
        at += 1;
        if seen == CLOSING.len() {
            return (seen, Some(at));
        }
    }
    (seen, None)
}

/// Whether an HTTP head says that its body comes in chunks and in no other coding.
fn is_chunked(head: &[u8]) -> bool {
    head.split(|&b| b == b'\n').any(|line| {
        let mut halves = line.splitn(2, |&b| b == b':');
        let name = halves.next().unwrap_or_default().trim_ascii();
        let value = halves.next().unwrap_or_default().trim_ascii();
        name.eq_ignore_ascii_case(b"transfer-encoding") && value.eq_ignore_ascii_case(b"chunked")
    })
}

fn repeated(item: &Item) -> Option<String> {
    let names: Vec<&str> = item.head.fields().map(|(name, _)| name).collect();
    let again = names.iter().enumerate().find(|(i, name)| {
        !REPEATABLE.iter().any(|r| r.eq_ignore_ascii_case(name))
            && names.iter().take(*i).any(|earlier| earlier.eq_ignore_ascii_case(name))
    });
    again.map(|(_, name)| (*name).to_owned())
}

/// A digest being computed, and what was declared of it.
#[derive(Clone, Default)]
struct Check {
    declared: Option<Vec<u8>>,
    hash: Hash,
    len: u64,
}

#[derive(Clone, Default)]
enum Hash {
    #[default]
    None,
    Sha1(sha1::Sha1),
    Sha256(Lane),
    Sha512(sha2::Sha512),
}

#[derive(Default)]
struct Checked {
    right: Option<bool>,
    sha256: Option<Digest>,
    len: u64,
}

impl Check {
    /// `label:value`, the value in hex or base32 of the label's length.
    fn of(text: &str) -> Option<Self> {
        let (label, value) = text.split_once(':')?;
        let (hash, len) = match label.to_ascii_lowercase().as_str() {
            "sha1" | "sha-1" => (Hash::Sha1(sha1::Sha1::new()), 20),
            "sha256" | "sha-256" => (Hash::Sha256(Lane::default()), 32),
            "sha512" | "sha-512" => (Hash::Sha512(sha2::Sha512::new()), 64),
            _ => return None,
        };
        let declared = if value.len() == 2 * len {
            data_encoding::HEXLOWER_PERMISSIVE.decode(value.as_bytes())
        } else {
            let bare = value.trim_end_matches('=').to_ascii_uppercase();
            data_encoding::BASE32_NOPAD.decode(bare.as_bytes())
        };
        let declared = declared.ok().filter(|d| d.len() == len)?;
        Some(Self { declared: Some(declared), hash, len: 0 })
    }

    /// One that nothing is declared of.
    fn sha256() -> Self {
        Self { declared: None, hash: Hash::Sha256(Lane::default()), len: 0 }
    }

    fn is_running(&self) -> bool {
        !matches!(self.hash, Hash::None)
    }

    fn update(&mut self, bytes: &[u8]) {
        self.len += bytes.len() as u64;
        match &mut self.hash {
            Hash::None => {}
            Hash::Sha1(h) => h.update(bytes),
            Hash::Sha256(h) => h.update(bytes),
            Hash::Sha512(h) => h.update(bytes),
        }
    }

    fn finish(self) -> Checked {
        let (value, sha256) = match self.hash {
            Hash::None => return Checked { len: self.len, ..Checked::default() },
            Hash::Sha1(h) => (h.finalize().to_vec(), None),
            Hash::Sha256(h) => {
                let digest = h.finish();
                (digest.0.to_vec(), Some(digest))
            }
            Hash::Sha512(h) => (h.finalize().to_vec(), None),
        };
        Checked { right: self.declared.map(|declared| declared == value), sha256, len: self.len }
    }
}
