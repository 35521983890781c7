//! Every bound is crossed here once: time, head, interim heads, body, memory, decoding, exchanges at once.

use std::io::{self, Write};
use std::sync::atomic::Ordering;
use std::time::Duration;

use onrecord::format::digest::Digest;
use onrecord::format::http::{Request, Truncated};
use onrecord::resolution::exchange::Failure;
use onrecord::world::manners;
use onrecord::world::wire::settings::Settings;
use onrecord::world::wire::taken::{Overflow, Received};

use super::server::{Act, answer, answers, at, kept, say, serve, settings, wire, with};

#[derive(Default)]
struct Sink {
    bytes: Vec<u8>,
    writes: usize,
    full_at: Option<usize>,
}

impl Overflow for Sink {
    fn write(&mut self, wire: &[u8]) -> io::Result<()> {
        self.bytes.extend_from_slice(wire);
        self.writes += 1;
        match self.full_at {
            Some(most) if self.bytes.len() > most => Err(io::ErrorKind::StorageFull.into()),
            _ => Ok(()),
        }
    }
}

fn short() -> Settings {
    Settings { timeout: Duration::from_millis(400), ..settings() }
}

#[tokio::test]
async fn time_bounds_the_whole_exchange_slow_drips_included() {
    let head = b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n".to_vec();
    let drip = |bytes: Vec<u8>| Act::Drip(bytes, 1, Duration::from_millis(20));
    let server = serve(vec![vec![Act::Hear, Act::Stay]]);
    let silent = wire(short()).fetch(&at(server.address, "/"), None).await;
    assert!(matches!(silent.outcome, Err(Failure::Timeout(_))), "{:?}", silent.outcome);
    assert_eq!((silent.received, silent.truncated), (Received::Nothing, None));
    assert!(!silent.sent.is_empty() && silent.connection.is_some());

    let server = serve(vec![vec![Act::Hear, drip(head.clone())]]);
    let half = wire(short()).fetch(&at(server.address, "/"), None).await;
    assert!(matches!(half.outcome, Err(Failure::Timeout(_))), "{:?}", half.outcome);
    assert_eq!(half.truncated, Some(Truncated::Time));
    assert!(head.starts_with(kept(&half)) && !kept(&half).is_empty());

    let server = serve(vec![vec![Act::Hear, Act::Say(head.clone()), drip(vec![b'x'; 1000])]]);
    let body = wire(short()).fetch(&at(server.address, "/"), None).await;
    assert_eq!((answer(&body).status, body.truncated), (200, Some(Truncated::Time)));
    assert!(answer(&body).body.len() > 1 && answer(&body).body.len() < 100);
    assert!(body.ms >= 400 && body.ms < 5000, "{} ms", body.ms);
}

#[tokio::test]
async fn a_head_without_end_is_refused_at_its_bound() {
    let server = serve(vec![vec![
        Act::Hear,
        Act::Say(b"HTTP/1.1 200 OK\r\n".to_vec()),
        Act::Flood(b"X-Pad: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n".to_vec()),
    ]]);
    let taken = wire(settings()).fetch(&at(server.address, "/"), None).await;
    assert!(matches!(taken.outcome, Err(Failure::Malformed(_))), "{:?}", taken.outcome);
    let len = taken.received.len();
    assert!((256 << 10..=(256 << 10) + (64 << 10)).contains(&len), "{len}");
}

#[tokio::test]
async fn interim_heads_are_counted() {
    let hint = b"HTTP/1.1 103 Early Hints\r\n\r\n".to_vec();
    let server = serve(vec![vec![Act::Hear, Act::Flood(hint.clone())]]);
    let taken = wire(settings()).fetch(&at(server.address, "/"), None).await;
    assert!(matches!(taken.outcome, Err(Failure::Malformed(_))), "{:?}", taken.outcome);
    assert_eq!(taken.interim, vec![hint; 32]);
}

#[tokio::test]
async fn a_body_longer_than_its_bound_is_cut_there_and_marked() {
    let tight = || Settings { max_body: 1000, ..settings() };
    let text = vec![b'x'; 1001];
    let chunk = [&b"3e9\r\n"[..], &text, b"\r\n0\r\n\r\n"].concat();
    for (head, body) in [("Content-Length: 1001", &text), ("Transfer-Encoding: chunked", &chunk), ("X: y", &text)] {
        let bytes = [format!("HTTP/1.1 200 OK\r\n{head}\r\n\r\n").as_bytes(), body].concat();
        let taken = with(&bytes, tight()).await;
        assert_eq!(taken.truncated, Some(Truncated::Length), "{head}");
        assert_eq!(taken.payload_len, 1000, "{head}");
        assert_eq!(taken.payload, Some(Digest::of(&text[..1000])), "{head}");
        assert!(bytes.starts_with(kept(&taken)), "{head}");
        assert_eq!(answer(&taken).body, &text[..1000], "{head}");
    }
    let whole = [&b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"[..], &text[..1000]].concat();
    let taken = with(&whole, tight()).await;
    assert_eq!((taken.truncated, kept(&taken)), (None, &whole[..]));
}

fn large(media_type: &str, chunked: bool) -> (Vec<u8>, Vec<u8>) {
    let body: Vec<u8> = (0..700_000u32).flat_map(|n| n.to_le_bytes()).collect();
    let mut bytes = format!("HTTP/1.1 200 OK\r\nContent-Type: {media_type}\r\n").into_bytes();
    if chunked {
        bytes.extend_from_slice(b"Transfer-Encoding: chunked\r\n\r\n");
        for piece in body.chunks(50_001) {
            bytes.extend_from_slice(format!("{:x}\r\n", piece.len()).as_bytes());
            bytes.extend_from_slice(piece);
            bytes.extend_from_slice(b"\r\n");
        }
        bytes.extend_from_slice(b"0\r\n\r\n");
    } else {
        bytes.extend_from_slice(format!("Content-Length: {}\r\n\r\n", body.len()).as_bytes());
        bytes.extend_from_slice(&body);
    }
    (bytes, body)
}

#[tokio::test]
async fn what_is_too_large_for_memory_goes_to_the_overflow_whole() {
    for (media_type, chunked) in [("text/plain", false), ("text/plain", true), ("video/mp4", false)] {
        let (bytes, body) = large(media_type, chunked);
        let server = serve(vec![answers(&[&bytes, b"HTTP/1.1 204 Next\r\n\r\n"])]);
        let wire = wire(settings());
        let mut sink = Sink::default();
        let taken = wire.fetch(&at(server.address, "/"), Some(&mut sink)).await;
        assert!(sink.bytes == bytes, "{media_type} chunked: {chunked}");
        assert!(sink.writes > 1, "in pieces");
        assert_eq!(taken.received, Received::Overflowed { len: bytes.len() as u64 });
        assert_eq!((taken.payload, taken.payload_len), (Some(Digest::of(&body)), body.len() as u64));
        assert_eq!((taken.truncated, answer(&taken).truncated), (None, None));
        let read = &answer(&taken).body;
        if media_type == "text/plain" {
            assert!(*read == body, "read to its end: {} of {}", read.len(), body.len());
        } else {
            assert_eq!(read, &body[..4096], "only a glance at what nobody reads as text");
        }
        assert!(!wire.fetch(&at(server.address, "/"), None).await.first_use_of_connection);
    }
}

#[tokio::test]
async fn the_reading_copy_is_bounded_however_much_comes() {
    let (bytes, body) = large("text/plain", false);
    let mut tight = settings();
    tight.reading.keep = 100_000;
    let taken = with(&bytes, tight).await;
    assert!(answer(&taken).body == body[..100_000]);
    assert_eq!(taken.payload, Some(Digest::of(&body)), "the digest is of all of it");
    assert_eq!(taken.received, Received::Overflowed { len: bytes.len() as u64 });
}

#[tokio::test]
async fn an_overflow_that_fails_stops_the_exchange_and_says_so() {
    let (bytes, _) = large("video/mp4", false);
    let server = serve(vec![say(&bytes)]);
    let mut sink = Sink { full_at: Some(1 << 21), ..Sink::default() };
    let taken = wire(settings()).fetch(&at(server.address, "/"), Some(&mut sink)).await;
    assert_eq!(taken.overflow_error.as_ref().map(io::Error::kind), Some(io::ErrorKind::StorageFull));
    assert_eq!(manners::again(&taken, 1, 0.5), None);
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut coder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    coder.write_all(bytes).unwrap();
    coder.finish().unwrap()
}

fn coded(body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {}\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

#[tokio::test]
async fn a_coded_body_is_decoded_for_reading_and_kept_as_it_came() {
    let body = gzip(b"the words");
    let taken = with(&coded(&body), settings()).await;
    assert_eq!(kept(&taken), coded(&body));
    assert_eq!(answer(&taken).body, b"the words");
    assert_eq!(taken.payload, Some(Digest::of(&body)));

    let bomb = gzip(&vec![0; 20 << 20]);
    let taken = with(&coded(&bomb), settings()).await;
    assert_eq!(kept(&taken), coded(&bomb));
    assert!(answer(&taken).unread.as_ref().is_some_and(|why| why.contains("200 times")), "{:?}", answer(&taken).unread);

    let taken = with(&coded(b"not gzip at all"), settings()).await;
    assert!(answer(&taken).unread.as_ref().is_some_and(|why| why.contains("no gzip")), "{:?}", answer(&taken).unread);
    assert_eq!(answer(&taken).status, 200);
}

#[tokio::test]
async fn a_coded_body_cut_short_gives_what_it_can_and_is_not_called_broken() {
    let text: Vec<u8> = (0..50_000u32).flat_map(|n| (n * 7919).to_string().into_bytes()).collect();
    let whole = coded(&gzip(&text));
    let taken = with(&whole[..whole.len() / 2], settings()).await;
    assert_eq!((taken.truncated, answer(&taken).unread.as_ref()), (Some(Truncated::Disconnect), None));
    let read = &answer(&taken).body;
    assert!(read.len() > 10_000 && text.starts_with(read), "{}", read.len());
}

async fn all_at_once(settings: Settings, requests: usize) -> (usize, usize) {
    let slow = vec![Act::Hear, Act::Wait(Duration::from_millis(60)), Act::Say(b"HTTP/1.1 204 N\r\n\r\n".to_vec())];
    let server = serve(vec![slow; requests]);
    let wire = wire(settings);
    let mut tasks = tokio::task::JoinSet::new();
    for n in 0..requests {
        let (wire, request) = (wire.clone(), at(server.address, &format!("/{n}")));
        tasks.spawn(async move { wire.fetch(&request, None).await.status() });
    }
    while let Some(status) = tasks.join_next().await {
        assert_eq!(status.unwrap(), Some(204));
    }
    (server.taken.load(Ordering::SeqCst), server.peak.load(Ordering::SeqCst))
}

#[tokio::test]
async fn no_more_exchanges_at_once_than_allowed() {
    let (taken, peak) = all_at_once(Settings { per_host: 2, concurrency: 16, ..settings() }, 8).await;
    assert!(taken >= 2 && peak <= 2, "{peak} at once with a host");
    let (_, peak) = all_at_once(Settings { per_host: 16, concurrency: 3, ..settings() }, 9).await;
    assert!(peak <= 3, "{peak} at once in all");
    let (_, peak) = all_at_once(Settings { per_host: 16, concurrency: 16, ..settings() }, 8).await;
    assert!(peak > 3, "{peak} at once where more are allowed");
}

#[tokio::test]
async fn idle_connections_are_few_however_many_hosts_there_are() {
    let none: &[u8] = b"HTTP/1.1 204 N\r\n\r\n";
    let server = serve(vec![answers(&[none; 3]); 100]);
    let rule = format!("::127.0.0.1:{}", server.address.port()).parse().unwrap();
    let wire = wire(Settings { connect_to: vec![rule], concurrency: 1, ..settings() });
    let get = |n: usize| Request::get(format!("http://h{n}.example/").parse().unwrap());
    for n in 0..70 {
        assert_eq!(wire.fetch(&get(n), None).await.status(), Some(204));
    }
    while server.open.load(Ordering::SeqCst) > 32 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(!wire.fetch(&get(69), None).await.first_use_of_connection, "the newest are the ones that are kept");
    assert!(wire.fetch(&get(0), None).await.first_use_of_connection, "the oldest are closed");
}
