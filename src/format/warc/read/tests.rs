//! A file for every damage, made by code and named by what is wrong with it; and files of other writers' habits.

use std::io::Cursor;

use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::format::gzip::{self, Packer};
use crate::format::warc::record::Record;

fn at() -> jiff::Timestamp {
    "2019-06-10T08:00:00.5Z".parse().unwrap()
}

fn info() -> Record {
    Record::warcinfo(Uuid::from_u128(1), at(), "f.warc.gz", &[("software".into(), "onrecord".into())])
}

fn page(n: u128) -> Record {
    let block = format!("HTTP/1.1 200 OK\r\nX: {n}\r\n\r\n<p>page {n}</p>").into_bytes();
    Record::response(Uuid::from_u128(n), at(), &format!("https://a.example/{n}"), block)
}

fn member(plain: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    Packer::default().deflated(plain, &mut out);
    out
}

fn lines(record: &Record) -> Vec<u8> {
    [&record.to_bytes()[..], b"\r\n\r\n"].concat()
}

fn packed(record: &Record) -> Vec<u8> {
    member(&lines(record))
}

/// A record whose bytes were changed after they were digested.
fn altered(record: &Record, from: &str, to: &str) -> Vec<u8> {
    let text = String::from_utf8(lines(record)).unwrap();
    assert!(text.contains(from));
    member(text.replacen(from, to, 1).as_bytes())
}

fn read(file: &[u8], want: Want) -> Vec<Item> {
    let mut reader = Reader::new(Cursor::new(file), 0, want).unwrap();
    let mut items = Vec::new();
    while let Some(item) = reader.next().unwrap() {
        items.push(item.clone());
        assert!(items.len() < 10_000, "the reader does not end");
    }
    items
}

fn kinds(file: &[u8], want: Want) -> Vec<Kind> {
    read(file, want).iter().flat_map(|item| item.problems.iter().map(|p| p.kind)).collect()
}

/// The problems of a file that begins with a warcinfo, holds `middle`, and ends with a sound record, which must be found.
fn strictly(middle: &[u8]) -> Vec<Kind> {
    let file = [packed(&info()), middle.to_vec(), packed(&page(9))].concat();
    let items = read(&file, Want::ours());
    let last = items.last().unwrap();
    assert_eq!(last.head.uuid(), Some(Uuid::from_u128(9)), "the record behind the damage is found");
    assert_eq!(last.offset as usize, file.len() - packed(&page(9)).len());
    assert_eq!(last.digests.whole, Some(page(9).sealed().1));
    items.iter().flat_map(|item| item.problems.iter().map(|p| p.kind)).collect()
}

#[test]
fn a_sound_file_has_no_problem() {
    assert_eq!(strictly(&packed(&page(2))), []);
}

#[test]
fn changed_bytes_are_named_by_where_they_are() {
    assert_eq!(strictly(&altered(&page(2), "<p>page", "<p>Page")), [Kind::PayloadChanged]);
    assert_eq!(strictly(&altered(&page(2), "X: 2", "X: 3")), [Kind::HeaderChanged]);
    let resource = Record::resource(Uuid::from_u128(2), at(), "urn:x", "text/plain", b"words".to_vec());
    assert_eq!(strictly(&altered(&resource, "words", "wards")), [Kind::PayloadChanged]);
}

#[test]
fn damaged_gzip_is_named_and_passed() {
    let whole = packed(&page(2));
    let flipped = |at: usize| {
        let mut copy = whole.clone();
        copy[at] ^= 0x55;
        copy
    };
    assert_eq!(strictly(&flipped(whole.len() - 6)), [Kind::GzipMemberDamaged], "checksum");
    assert_eq!(strictly(&flipped(whole.len() - 2)), [Kind::GzipMemberDamaged], "length");
    // Some of these make the member swallow what follows it, to the end of the file; some let its record end early.
    for at in gzip::HEAD.len()..whole.len() - 8 {
        let mut kinds = strictly(&flipped(at));
        kinds.retain(|&kind| kind != Kind::NotAMemberPerRecord);
        assert_eq!(kinds, [Kind::GzipMemberDamaged], "data, byte {at}");
    }
    assert!(strictly(&flipped(0)).contains(&Kind::TrailingGarbage), "magic");
    assert_eq!(strictly(&whole[..whole.len() / 2]).len(), 1, "cut in the midst of the file");
}

#[test]
fn garbage_between_and_behind_members_is_named() {
    assert_eq!(strictly(b"\n\n"), [Kind::TrailingGarbage]);
    assert_eq!(strictly(&[0; 4096]), [Kind::TrailingGarbage]);
    let file = [packed(&info()), packed(&page(2)), b"\0\0\0\0".to_vec()].concat();
    assert_eq!(kinds(&file, Want::ours()), [Kind::TrailingGarbage]);
}

#[test]
fn a_file_cut_off_at_any_byte_says_so_and_keeps_what_is_whole() {
    let (a, b) = (packed(&info()), packed(&page(2)));
    let file = [a.clone(), b.clone()].concat();
    for len in 1..file.len() {
        let items = read(&file[..len], Want::ours());
        let whole = items.iter().filter(|i| i.is_whole()).count();
        assert_eq!(whole, usize::from(len >= a.len()), "{len}");
        let cut = items.iter().flat_map(|i| &i.problems).any(|p| p.kind == Kind::FileTruncated);
        assert_eq!(cut, len != a.len(), "{len}");
    }
}

#[test]
fn a_torn_body_that_is_a_warc_file_brings_no_records() {
    let inner = [packed(&info()), packed(&page(3))].concat();
    let resource = Record::resource(Uuid::from_u128(2), at(), "urn:x", "application/warc", inner);
    let mut stored = Vec::new();
    gzip::stored(&[&lines(&resource)], &mut stored);
    let file = [packed(&info()), stored].concat();
    for len in file.len() - 30..file.len() {
        let items = read(&file[..len], Want::ours());
        assert_eq!(items.len(), 2, "{len}");
        assert_eq!(items[1].problems[0].kind, Kind::FileTruncated);
    }
}

#[test]
fn wrong_lengths_are_named() {
    let length = |n: usize| format!("Content-Length: {n}\r\n");
    let n = page(2).block.len();
    for wrong in [n - 1, n + 1, n + 4, n + 1000, 0] {
        assert_eq!(strictly(&altered(&page(2), &length(n), &length(wrong))), [Kind::LengthWrong], "{wrong}");
    }
    assert_eq!(strictly(&altered(&page(2), &length(n), "Content-Length: -1\r\n")), [Kind::HeadMalformed]);
    assert_eq!(strictly(&altered(&page(2), &length(n), "")), [Kind::HeadMalformed]);
    let huge = length(usize::MAX);
    assert_eq!(strictly(&altered(&page(2), &length(n), &huge)), [Kind::LengthWrong]);
}

#[test]
fn members_that_are_not_one_record_are_named() {
    let two = member(&[lines(&page(2)), lines(&page(3))].concat());
    assert_eq!(strictly(&two), [Kind::NotAMemberPerRecord, Kind::NotAMemberPerRecord]);
    let spare = member(&[lines(&page(2)), b"\r\n".to_vec()].concat());
    assert!(strictly(&spare).contains(&Kind::NotAMemberPerRecord));
    assert_eq!(strictly(&member(b"")), [Kind::LengthWrong]);
    assert_eq!(strictly(&member(b"no record")), [Kind::NotWarc]);
    let bytes = lines(&page(2));
    let (head, tail) = bytes.split_at(bytes.len() - 10);
    let split = [member(head), member(tail)].concat();
    assert_eq!(strictly(&split), [Kind::LengthWrong, Kind::NotWarc]);
}

#[test]
fn heads_that_are_not_as_they_must_be_are_named() {
    let of = |from: &str, to: &str| strictly(&altered(&page(2), from, to));
    assert_eq!(of("WARC/1.1", "WARC/1.0"), [Kind::HeadMalformed]);
    assert_eq!(of("WARC-Type: response\r\n", ""), [Kind::FieldMissing, Kind::FieldMalformed]);
    assert_eq!(of("WARC-Type: response", "WARC-Type: answer"), [Kind::FieldMalformed]);
    assert_eq!(of("WARC-Target-URI", "X-Target-URI"), [Kind::FieldMissing]);
    assert_eq!(of("WARC-Date: 2019", "WARC-Date: 2019 "), [Kind::FieldMalformed]);
    assert_eq!(of("<urn:uuid:", "<urn:x:"), [Kind::FieldMalformed]);
    assert_eq!(
        of("WARC-Block-Digest: sha256", "WARC-Block-Digest: md5"),
        [Kind::DigestUnreadable, Kind::DigestMissing]
    );
    assert_eq!(of("WARC-Block-Digest", "X-Block-Digest"), [Kind::DigestMissing]);
    assert_eq!(of("WARC-Type: response", "WARC-Type: response\r\nwarc-type: response"), [Kind::FieldRepeated]);
    assert_eq!(of("WARC-Type: response", "WARC-Type: response\r\nno colon"), [Kind::HeadMalformed]);
    assert_eq!(
        of("WARC-Type: response", "WARC-Type: response\r\n folded"),
        [Kind::HeadMalformed, Kind::FieldMalformed]
    );
    let endless = member(&[b"WARC/1.1\r\n".to_vec(), b"X: y\r\n".repeat(60_000)].concat());
    assert_eq!(strictly(&endless), [Kind::HeadMalformed]);
}

#[test]
fn an_id_used_twice_and_a_missing_warcinfo_are_named() {
    assert_eq!(strictly(&[packed(&page(2)), packed(&page(2))].concat()), [Kind::DuplicateId]);
    assert_eq!(kinds(&packed(&page(2)), Want::ours()), [Kind::WarcinfoMissing]);
}

#[test]
fn what_other_writers_do_is_no_problem_in_a_foreign_file() {
    let block = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n";
    let record = |n: u32, payload: &str| {
        let head = format!(
            "WARC/1.0\r\nWARC-Type: response\r\nWARC-Record-ID: <urn:x:{n}>\r\nWARC-Date: 2019-06-10T08:00:00Z\r\n\
             WARC-Target-URI: <http://a.example/>\r\nContent-Type: application/http; msgtype=response\r\n\
             WARC-Payload-Digest: {payload}\r\nContent-Length: {}\r\n\r\n",
            block.len()
        );
        [head.as_bytes(), block, b"\r\n\r\n"].concat()
    };
    let sha1 = |bytes: &[u8]| {
        use sha2::Digest as _;
        format!("sha1:{}", data_encoding::BASE32.encode(&sha1::Sha1::digest(bytes)))
    };
    let (entity, raw) = (sha1(b"hi"), sha1(b"2\r\nhi\r\n0\r\n\r\n"));
    let both = [record(1, &entity), record(2, &raw)].concat();
    for file in [both.clone(), member(&both), [member(&record(1, &entity)), member(&record(2, &raw))].concat()] {
        let items = read(&file, Want::foreign());
        assert_eq!(items.len(), 2);
        assert!(items.iter().all(|i| i.problems.is_empty() && i.checked == 1), "{items:?}");
        assert_eq!(items[0].head.uri(), Some("http://a.example/"));
    }
    let wrong = [record(1, &sha1(b"ho")), b"\r\n".to_vec(), record(2, &raw)].concat();
    assert_eq!(kinds(&wrong, Want::foreign()), [Kind::PayloadChanged]);
    let garbled = [b"garbage\n".to_vec(), record(1, &entity), b"garbage\n".to_vec(), record(2, &raw)].concat();
    let items = read(&garbled, Want::foreign());
    assert_eq!(items.iter().filter(|i| i.problems.is_empty()).count(), 2);
}

#[test]
fn large_records_pass_through_small_memory() {
    let body = vec![b'x'; 3_000_000];
    let block = [b"HTTP/1.1 200 OK\r\n\r\n", &body[..]].concat();
    let record = Record::response(Uuid::from_u128(2), at(), "https://a.example/", block);
    let mut stored = Vec::new();
    gzip::stored(&[&lines(&record)], &mut stored);
    for middle in [stored, packed(&record)] {
        assert_eq!(strictly(&middle), []);
    }
}

/// Counts what is read from it.
struct Counted(Cursor<Vec<u8>>, std::rc::Rc<std::cell::Cell<u64>>);

impl Read for Counted {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let n = self.0.read(into)?;
        self.1.set(self.1.get() + n as u64);
        Ok(n)
    }
}

impl Seek for Counted {
    fn seek(&mut self, to: io::SeekFrom) -> io::Result<u64> {
        self.0.seek(to)
    }
}

#[test]
fn bytes_made_to_be_read_again_and_again_are_read_in_linear_time() {
    // Members that begin well, each within the data of those before, none of which ends.
    let mut begun = gzip::HEAD.to_vec();
    begun.extend_from_slice(&gzip::stored_head(16, false));
    begun.extend_from_slice(b"WARC/1.1\r\nX: yyy");
    let file: Vec<u8> = begun.iter().copied().cycle().take(3_000_000).collect();
    let count = std::rc::Rc::new(std::cell::Cell::new(0));
    let source = Counted(Cursor::new(file), count.clone());
    let mut reader = Reader::new(source, 0, Want::ours()).unwrap();
    while reader.next().unwrap().is_some() {}
    assert!(count.get() < 2_000_000_000, "{}", count.get());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn no_bytes_make_the_reader_panic_or_loop(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        read(&bytes, Want::ours());
        read(&bytes, Want::foreign());
        read(&[packed(&page(2)), bytes].concat(), Want::ours());
    }

    #[test]
    fn one_flipped_byte_is_never_missed(at in 0_usize..10_000, flip in 1_u8..=255) {
        let mut file = [packed(&info()), packed(&page(2)), packed(&page(3))].concat();
        let sound: Vec<_> = read(&file, Want::ours()).iter().map(|i| i.digests.whole).collect();
        let at = at % file.len();
        // Time, extra flags and system in a gzip head are no part of any record, nor are the spare bits of the last deflate
        // byte, nine from a member's end.
        let (first, second) = (packed(&info()).len(), packed(&info()).len() + packed(&page(2)).len());
        prop_assume!(![0, first, second].iter().any(|&head| (head + 4..head + 10).contains(&at)));
        prop_assume!(![first, second, file.len()].iter().any(|&end| at == end - 9));
        file[at] ^= flip;
        let items = read(&file, Want::ours());
        let same = items.iter().map(|i| i.digests.whole).collect::<Vec<_>>() == sound;
        prop_assert!(!same || items.iter().any(|i| !i.problems.is_empty()), "byte {at}");
    }
}
