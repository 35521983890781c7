//! The reader of HTTP messages as values: however the bytes are cut, it reads the same, and it reads anything.

use onrecord::format::http::body::Body;
use onrecord::format::http::head::{Framing, Head, end_of_head};
use onrecord::format::http::message::{Message, interim_heads};
use onrecord::format::http::{Answer, Method};
use proptest::prelude::*;

/// The entity, whether it is whole, and how many bytes belonged to it, when `wire` comes in pieces cut at `cuts`.
fn fed(framing: Framing, room: u64, wire: &[u8], cuts: &[usize]) -> (Vec<u8>, bool, bool, usize, bool) {
    let mut body = Body::new(framing, room);
    let (mut entity, mut taken, mut at) = (Vec::new(), 0, 0);
    let mut ends: Vec<usize> = cuts.iter().map(|cut| cut % (wire.len() + 1)).chain([wire.len()]).collect();
    ends.sort_unstable();
    for end in ends {
        let piece = &wire[at..end];
        at = end;
        match body.feed(piece, |bytes| entity.extend_from_slice(bytes)) {
            Ok(n) => taken += n,
            Err(_) => return (entity, false, false, 0, true),
        }
        if taken < at {
            break;
        }
    }
    (entity, body.is_done(), body.is_full(), taken, false)
}

fn chunked(pieces: &[Vec<u8>], trailer: &str) -> Vec<u8> {
    let mut wire = Vec::new();
    for piece in pieces.iter().filter(|piece| !piece.is_empty()) {
        wire.extend_from_slice(format!("{:X};a=b\r\n", piece.len()).as_bytes());
        wire.extend_from_slice(piece);
        wire.extend_from_slice(b"\r\n");
    }
    wire.extend_from_slice(format!("0\r\n{trailer}\r\n").as_bytes());
    wire
}

fn pieces() -> impl Strategy<Value = Vec<Vec<u8>>> {
    prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..8)
}

/// Bytes that look like HTTP more often than chance would have it.
fn http_like() -> impl Strategy<Value = Vec<u8>> {
    const WORDS: [&[u8]; 24] = [
        b"HTTP/1.1 200 OK\r\n",
        b"HTTP/1.0 301 \n",
        b"HTTP/1.1 103 E\r\n\r\n",
        b"\r\n",
        b"\n",
        b"\r",
        b" ",
        b":",
        b"\0",
        b"Content-Length: ",
        b"5",
        b"0",
        b"Transfer-Encoding: chunked\r\n",
        b"Transfer-Encoding: gzip\r\n",
        b"ffffffffffffffff",
        b"5\r\nhello\r\n",
        b"0\r\n\r\n",
        b";x",
        b"Content-Encoding: gzip\r\n",
        b"Content-Encoding: br, zstd\r\n",
        b"Location: /\xe9\r\n",
        b"\x1f\x8b\x08\0",
        b"Content-Type: image/png\r\n",
        b"Connection: close\r\n",
    ];
    let word = prop_oneof![
        8 => prop::sample::select(WORDS.to_vec()).prop_map(<[u8]>::to_vec),
        1 => prop::collection::vec(any::<u8>(), 0..20),
    ];
    prop::collection::vec(word, 0..20).prop_map(|words| words.concat())
}

proptest! {
    #[test]
    fn a_chunked_body_is_its_pieces_however_it_is_cut(
        pieces in pieces(),
        cuts in prop::collection::vec(any::<usize>(), 0..12),
        after in prop::collection::vec(any::<u8>(), 0..5),
    ) {
        let wire = chunked(&pieces, "X-T: 1\r\n");
        let with_more = [&wire[..], &after].concat();
        let read = fed(Framing::Chunked, u64::MAX, &with_more, &cuts);
        prop_assert_eq!(read, (pieces.concat(), true, false, wire.len(), false));
    }

    #[test]
    fn no_more_than_the_room_is_taken(pieces in pieces(), room in 0u64..100, cuts in prop::collection::vec(any::<usize>(), 0..6)) {
        let (entity, wire) = (pieces.concat(), chunked(&pieces, ""));
        let (read, done, full, _, broken) = fed(Framing::Chunked, room, &wire, &cuts);
        prop_assert!(!broken && read.len() as u64 <= room && entity.starts_with(&read));
        prop_assert_eq!(full, entity.len() as u64 > room);
        prop_assert_eq!(done, !full);
    }

    #[test]
    fn the_cuts_never_matter(wire in http_like(), cuts in prop::collection::vec(any::<usize>(), 0..12), n in 0u64..50) {
        for framing in [Framing::Chunked, Framing::Length(n), Framing::Close] {
            let (entity, done, full, taken, broken) = fed(framing, 60, &wire, &cuts);
            prop_assert_eq!((entity, done, full, taken, broken), fed(framing, 60, &wire, &[]));
        }
    }

    #[test]
    fn the_end_of_a_head_is_found_wherever_an_earlier_look_stopped(wire in http_like()) {
        let whole = end_of_head(&wire, 0);
        for stopped in 0..=wire.len() {
            match end_of_head(&wire[..stopped], 0) {
                Some(end) => { prop_assert_eq!(Some(end), whole); break; }
                None => prop_assert_eq!(end_of_head(&wire, stopped), whole),
            }
        }
    }

    #[test]
    fn anything_is_read_or_refused_and_nothing_beyond_its_end(wire in http_like()) {
        for method in [Method::Get, Method::Head] {
            let limits = Default::default();
            let skip: usize = interim_heads(&wire, 32).iter().sum();
            if let Ok(message) = Message::read(&wire[skip..], method) {
                let len = message.len;
                prop_assert!(len <= wire.len() - skip);
                let whole = message.whole && message.framing != Framing::Close;
                let read = message.answer(None, &limits);
                if whole && len < wire.len() - skip {
                    let again = Answer::from_wire(&wire[skip..skip + len], method, None, &limits);
                    prop_assert_eq!(again, Ok(read), "what follows the end changes nothing");
                }
            }
        }
    }

    #[test]
    fn a_head_reads_as_it_was_written(
        fields in prop::collection::vec(("[A-Za-z][A-Za-z0-9-]{0,12}", "([!-~]([ -~]{0,20}[!-~])?)?"), 0..10),
        status in 100u16..600,
        reason in "[A-Za-z ]{0,12}",
    ) {
        let lines: String = fields.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let wire = format!("HTTP/1.1 {status} {reason}\r\n{lines}\r\n");
        let head = Head::parse(wire.as_bytes()).unwrap();
        prop_assert_eq!((head.status, &head.reason), (status, &reason));
        let read: Vec<(String, String)> =
            head.headers.0.iter().map(|(n, v)| (n.clone(), String::from_utf8(v.clone()).unwrap())).collect();
        prop_assert_eq!(read, fields);
        prop_assert!(head.odd.is_empty());
        prop_assert_eq!(end_of_head(wire.as_bytes(), 0), Some(wire.len()));
    }
}
