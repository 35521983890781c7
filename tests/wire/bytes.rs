//! Exact bytes: framings, odd forms, broken ones, many exchanges on one connection.

use std::sync::atomic::Ordering;
use std::time::Duration;

use onrecord::format::digest::Digest;
use onrecord::format::http::head::Oddity;
use onrecord::format::http::{Answer, Method, Request, Truncated};
use onrecord::resolution::exchange::Failure;
use onrecord::world::wire::taken::Received;

use super::server::{Act, answer, answers, at, kept, one, say, serve, settings, wire};

const CHUNKED: &[u8] = b"HTTP/1.1 200 Okey-Dokey\r\nX-CaSe: A\r\nx-case:  b \r\nTransfer-Encoding: chunked\r\n\r\n\
    5;ext=\"1\"\r\nhello\r\n1\r\n \r\nA\r\n0123456789\r\n0\r\nX-Trailer: t\r\n\r\n";

#[tokio::test]
async fn a_chunked_answer_is_kept_as_it_came_and_read_without_its_framing() {
    for piece in [1, 2, 7, 17, CHUNKED.len()] {
        let server = serve(vec![vec![Act::Hear, Act::Drip(CHUNKED.to_vec(), piece, Duration::from_millis(1))]]);
        let taken = wire(settings()).fetch(&at(server.address, "/p?q=1#f"), None).await;
        assert_eq!(kept(&taken), CHUNKED, "in pieces of {piece}");
        assert_eq!(taken.sent, server.heard.recv().unwrap());
        assert!(taken.sent.starts_with(b"GET /p?q=1 HTTP/1.1\r\nHost: 127.0.0.1:"));
        let read = answer(&taken);
        assert_eq!((read.status, read.reason.as_str()), (200, "Okey-Dokey"));
        assert_eq!(read.headers.0[0], ("X-CaSe".to_owned(), b"A".to_vec()));
        assert_eq!(read.headers.all("X-CASE").collect::<Vec<_>>(), ["A", "b"]);
        assert_eq!(read.body, b"hello 0123456789");
        assert_eq!(taken.payload, Some(Digest::of(b"hello 0123456789")));
        assert_eq!((taken.payload_len, taken.chunked, taken.truncated), (16, true, None));
        assert_eq!(taken.connection.as_ref().unwrap().remote, server.address);
        assert!(taken.first_use_of_connection && taken.odd.is_empty() && taken.surplus.is_empty());
        let again = Answer::from_wire(kept(&taken), Method::Get, None, &settings().reading);
        assert_eq!(again.as_ref(), Ok(read), "kept bytes read back are what was read at capture");
    }
}

#[tokio::test]
async fn many_exchanges_on_one_connection_each_with_its_own_bytes() {
    let said: [&[u8]; 6] = [
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfirst",
        b"HTTP/1.1 204 No Content\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 400\r\n\r\n",
        CHUNKED,
        b"HTTP/1.1 304 Not Modified\r\nContent-Length: 77\r\nETag: \"x\"\r\n\r\n",
        b"HTTP/1.0 200 Fine\r\nconnection: Keep-Alive\r\ncontent-length: 4\r\n\r\nlast",
    ];
    let server = serve(vec![answers(&said)]);
    let wire = wire(settings());
    for (n, bytes) in said.iter().enumerate() {
        let method = if n == 2 { Method::Head } else { Method::Get };
        let request = Request { method, ..at(server.address, &format!("/{n}")) };
        let taken = wire.fetch(&request, None).await;
        assert_eq!(kept(&taken), *bytes, "exchange {n}");
        assert_eq!(taken.sent, server.heard.recv().unwrap(), "exchange {n}");
        assert_eq!((taken.first_use_of_connection, taken.truncated), (n == 0, None), "exchange {n}");
        assert_eq!(taken.connection.as_ref().unwrap().id, 0, "exchange {n}");
    }
    assert_eq!(server.taken.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn bytes_after_the_end_are_set_apart_and_the_connection_is_dropped() {
    let first = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil";
    let second = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood";
    let server = serve(vec![answers(&[first]), answers(&[second])]);
    let wire = wire(settings());
    let taken = wire.fetch(&at(server.address, "/"), None).await;
    assert_eq!(kept(&taken), &first[..40]);
    assert_eq!(taken.surplus, &first[40..]);
    assert_eq!(answer(&taken).body, b"ok");
    let next = wire.fetch(&at(server.address, "/"), None).await;
    assert_eq!(answer(&next).body, b"good");
    assert!(next.first_use_of_connection);
}

#[tokio::test]
async fn bytes_that_come_while_nothing_is_asked_end_the_connection() {
    let ok: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    let late = Act::Say(b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n".to_vec());
    let script = vec![Act::Hear, Act::Say(ok.to_vec()), Act::Wait(Duration::from_millis(50)), late, Act::Stay];
    let server = serve(vec![script, answers(&[ok])]);
    let wire = wire(settings());
    assert_eq!(answer(&wire.fetch(&at(server.address, "/"), None).await).status, 200);
    tokio::time::sleep(Duration::from_millis(300)).await;
    let next = wire.fetch(&at(server.address, "/"), None).await;
    assert_eq!(answer(&next).status, 200);
    assert!(next.first_use_of_connection && !next.replaced_stale);
}

#[tokio::test]
async fn a_kept_connection_closed_in_the_meantime_is_replaced() {
    let ok: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    // The first connection hears a second request and closes without a word.
    let server = serve(vec![vec![Act::Hear, Act::Say(ok.to_vec()), Act::Hear], answers(&[ok])]);
    let wire = wire(settings());
    wire.fetch(&at(server.address, "/"), None).await;
    let next = wire.fetch(&at(server.address, "/"), None).await;
    assert_eq!(answer(&next).status, 200);
    assert!(next.replaced_stale && next.first_use_of_connection);
    assert_eq!(server.heard.iter().take(3).count(), 3);
}

#[tokio::test]
async fn a_post_is_not_sent_twice() {
    let ok: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    let server = serve(vec![vec![Act::Hear, Act::Say(ok.to_vec()), Act::Hear], answers(&[ok])]);
    let wire = wire(settings());
    let post = Request { method: Method::Post, body: b"a=b".to_vec(), ..at(server.address, "/") };
    let first = wire.fetch(&post, None).await;
    assert!(first.sent.ends_with(b"\r\n\r\na=b"));
    assert_eq!(server.heard.recv().unwrap(), first.sent);
    let next = wire.fetch(&post, None).await;
    assert!(matches!(next.outcome, Err(Failure::Unreachable(_))), "{:?}", next.outcome);
    assert!(!next.replaced_stale);
}

#[tokio::test]
async fn interim_heads_stand_apart() {
    let hints: &[u8] = b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n";
    let more: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";
    let last: &[u8] = b"HTTP/1.1 301 Moved\r\nLocation: /b\r\nContent-Length: 0\r\n\r\n";
    for piece in [1, 9, 1000] {
        let all = [hints, more, last].concat();
        let server = serve(vec![vec![Act::Hear, Act::Drip(all, piece, Duration::from_millis(1)), Act::Stay]]);
        let taken = wire(settings()).fetch(&at(server.address, "/"), None).await;
        assert_eq!(taken.interim, [hints.to_vec(), more.to_vec()]);
        assert_eq!(kept(&taken), last);
        assert_eq!(answer(&taken).status, 301);
    }
}

#[tokio::test]
async fn an_answer_cut_short_says_so() {
    let cut = [
        (&b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"[..], &b"half"[..]),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nhalf", b"half"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n", b"half"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n0\r\n", b"half"),
    ];
    for (bytes, body) in cut {
        let taken = one(bytes).await;
        let shown = bytes.escape_ascii();
        assert_eq!(kept(&taken), bytes, "{shown}");
        assert_eq!(taken.truncated, Some(Truncated::Disconnect), "{shown}");
        assert_eq!(answer(&taken).truncated, Some(Truncated::Disconnect), "{shown}");
        assert_eq!((answer(&taken).body.as_slice(), answer(&taken).unread.as_ref()), (body, None), "{shown}");
        assert_eq!(taken.payload, Some(Digest::of(body)), "{shown}");
    }
}

#[tokio::test]
async fn a_reset_keeps_what_came_before_it() {
    let bytes = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf";
    // The request is never read: closing then resets.
    let server = serve(vec![vec![Act::Say(bytes.to_vec()), Act::Wait(Duration::from_millis(300))]]);
    let taken = wire(settings()).fetch(&at(server.address, "/"), None).await;
    assert_eq!((kept(&taken), taken.truncated), (&bytes[..], Some(Truncated::Disconnect)));
}

#[tokio::test]
async fn a_body_without_length_ends_where_the_connection_does() {
    let bytes = b"HTTP/1.1 200 OK\r\nServer: old\r\n\r\nall there is";
    let taken = one(bytes).await;
    assert_eq!((kept(&taken), taken.truncated), (&bytes[..], None));
    assert_eq!(answer(&taken).body, b"all there is");
}

#[tokio::test]
async fn no_head_no_answer() {
    let silent = one(b"").await;
    assert!(matches!(silent.outcome, Err(Failure::Unreachable(_))), "{:?}", silent.outcome);
    assert_eq!((silent.received, silent.payload, silent.truncated), (Received::Nothing, None, None));
    let half = one(b"HTTP/1.1 200 OK\r\nContent-Le").await;
    assert!(matches!(half.outcome, Err(Failure::Unreachable(_))), "{:?}", half.outcome);
    assert_eq!((kept(&half), half.truncated), (&b"HTTP/1.1 200 OK\r\nContent-Le"[..], Some(Truncated::Disconnect)));
}

#[tokio::test]
async fn bytes_that_are_no_http_or_have_no_certain_end_are_malformed_and_kept() {
    let wrong: [&[u8]; 14] = [
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"220 mail.example.org ESMTP\r\n",
        b"HTTP/2 200\r\n\r\n",
        b"HTTP/1.1 20 OK\r\n\r\n",
        b"HTTP/1.1 2000 OK\r\n\r\n",
        b"HTTP/1.1 abc OK\r\n\r\n",
        b"<html>hello</html>",
        b"\r\nHTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5, 6\r\n\r\nabcdef",
        b"HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\nabcde",
        b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\nabcde",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: gzip\r\n\r\n0\r\n\r\n",
    ];
    for bytes in wrong {
        let taken = one(bytes).await;
        assert!(matches!(taken.outcome, Err(Failure::Malformed(_))), "{}: {:?}", bytes.escape_ascii(), taken.outcome);
        assert_eq!(kept(&taken), bytes, "{}", bytes.escape_ascii());
    }
}

#[tokio::test]
async fn what_cannot_be_read_is_listened_to_a_little_longer() {
    let bytes = b"220 mail.example.org ESMTP\r\n221 this is no web server\r\n";
    let server = serve(vec![vec![Act::Hear, Act::Drip(bytes.to_vec(), 5, Duration::from_millis(5))]]);
    let taken = wire(settings()).fetch(&at(server.address, "/"), None).await;
    assert!(matches!(taken.outcome, Err(Failure::Malformed(_))), "{:?}", taken.outcome);
    assert_eq!(kept(&taken), bytes);
    // A peer that never stops talking is not heard to the end.
    let server = serve(vec![vec![Act::Hear, Act::Flood(b"no http, ever. ".repeat(100))]]);
    let taken = wire(settings()).fetch(&at(server.address, "/"), None).await;
    assert!(taken.received.len() >= 64 << 10 && taken.received.len() < 256 << 10, "{}", taken.received.len());
}

#[tokio::test]
async fn odd_forms_that_browsers_take_are_read_and_the_connection_not_used_again() {
    let odd: [(&[u8], Oddity); 9] = [
        (b"HTTP/1.1 200 OK\nContent-Length: 4\n\nbody", Oddity::BareLf),
        (b"HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 4\r\n\r\nbody", Oddity::Folded),
        (b"HTTP/1.1 200 OK\r\nno colon\r\nContent-Length: 4\r\n\r\nbody", Oddity::LineIgnored),
        (b"HTTP/1.1 200 OK\r\nb\xe4d: x\r\nContent-Length: 4\r\n\r\nbody", Oddity::LineIgnored),
        (b"HTTP/1.1 200 OK\r\nContent-Length : 4\r\n\r\nbody", Oddity::SpaceBeforeColon),
        (b"HTTP/1.1 200 OK\r\nX: a\0b\r\nContent-Length: 4\r\n\r\nbody", Oddity::ControlInLine),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nContent-Length: 4\r\n\r\nbody", Oddity::RepeatedLength),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n",
            Oddity::LengthAndTransferEncoding,
        ),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4  \r\nbody\r\n0\r\n\r\n", Oddity::SpaceInChunkSize),
    ];
    for (bytes, oddity) in odd {
        let server = serve(vec![answers(&[bytes]), answers(&[bytes])]);
        let wire = wire(settings());
        for _ in 0..2 {
            let taken = wire.fetch(&at(server.address, "/"), None).await;
            let shown = bytes.escape_ascii();
            assert_eq!((kept(&taken), answer(&taken).body.as_slice()), (bytes, &b"body"[..]), "{shown}");
            assert!(taken.odd.iter().any(|found| found == oddity), "{shown}");
            assert!(taken.first_use_of_connection, "{shown}");
        }
    }
}

#[tokio::test]
async fn broken_chunks_are_kept_and_named() {
    let broken: [&[u8]; 5] = [b"x\r\n", b"4\r\nbodyX", b"fffffffffffffffff\r\n", b"4\rbody", b"-1\r\n"];
    for framing in broken {
        let bytes = [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\npart\r\n", framing].concat();
        let taken = one(&bytes).await;
        let shown = bytes.escape_ascii();
        assert_eq!(kept(&taken), bytes, "{shown}");
        assert!(answer(&taken).body.starts_with(b"part"), "{shown}");
        assert!(answer(&taken).unread.as_ref().is_some_and(|why| why.contains("chunk framing")), "{shown}");
    }
}

#[tokio::test]
async fn old_forms_of_header_and_status_line() {
    let taken = one(b"HTTP/1.1 404\r\nContent-Length: 0\r\n\r\n").await;
    assert_eq!((answer(&taken).status, answer(&taken).reason.as_str()), (404, ""));
    let taken = one(b"HTTP/1.0 200 Tr\xe8s bien\r\nLocation: http://e.org/\xe9\r\n\r\n").await;
    assert_eq!(answer(&taken).reason, "Tr\u{e8}s bien");
    assert_eq!(answer(&taken).headers.get("location").as_deref(), Some("http://e.org/\u{e9}"));
}

#[tokio::test]
async fn a_server_that_answers_before_it_has_read_all_is_heard() {
    let bytes = b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    let server = serve(vec![vec![Act::Say(bytes.to_vec()), Act::Wait(Duration::from_millis(300))]]);
    let body = vec![b'x'; 16 << 20];
    let post = Request { method: Method::Post, body, ..at(server.address, "/") };
    let taken = wire(settings()).fetch(&post, None).await;
    assert_eq!(kept(&taken), bytes);
    assert!(taken.sent.len() < 16 << 20, "only what was handed over counts as sent");
}

#[tokio::test]
async fn header_fields_of_the_caller_are_sent_and_smuggled_ones_are_not() {
    let server = serve(vec![say(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")]);
    let wire = wire(settings());
    let taken = wire.fetch(&at(server.address, "/").with("Accept", "application/json"), None).await;
    let sent = String::from_utf8(server.heard.recv().unwrap()).unwrap();
    assert!(sent.contains("\r\nAccept: application/json\r\n") && !sent.contains("*/*"), "{sent}");
    assert_eq!(taken.sent, sent.as_bytes());
    let smuggled = wire.fetch(&at(server.address, "/").with("X", "a\r\n\r\nGET /evil HTTP/1.1"), None).await;
    assert!(matches!(smuggled.outcome, Err(Failure::Refused(_))));
    assert!(smuggled.sent.is_empty());
}
