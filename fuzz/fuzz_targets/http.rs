//! Any bytes as an HTTP response: no panic, nothing read past the message's end, the same whatever the cuts.
#![no_main]

use libfuzzer_sys::fuzz_target;
use onrecord::format::http::body::Body;
use onrecord::format::http::coding::Limits;
use onrecord::format::http::head::{Framing, end_of_head};
use onrecord::format::http::message::{Message, interim_heads};
use onrecord::format::http::{Answer, Method};

fuzz_target!(|data: &[u8]| {
    let Some((&how, wire)) = data.split_first() else { return };
    let method = if how & 1 == 0 { Method::Get } else { Method::Head };
    let limits = Limits { output: 1 << 20, ratio: 200, keep: 1 << 16 };
    let skip: usize = interim_heads(wire, 32).iter().sum();
    let rest = &wire[skip..];
    if let Ok(message) = Message::read(rest, method) {
        let (len, whole, framing) = (message.len, message.whole, message.framing);
        assert!(len <= rest.len());
        let read = message.answer(None, &limits);
        assert!(read.body.len() <= limits.keep);
        if whole && framing != Framing::Close {
            assert_eq!(Answer::from_wire(&rest[..len], method, None, &limits), Ok(read));
        }
    }
    cuts_do_not_matter(wire, usize::from(how >> 1) + 1);
});

fn cuts_do_not_matter(wire: &[u8], piece: usize) {
    for framing in [Framing::Chunked, Framing::Length(wire.len() as u64 / 2), Framing::Close] {
        let (mut one, mut two) = (Body::new(framing, 1000), Body::new(framing, 1000));
        let (mut a, mut b) = (Vec::new(), Vec::new());
        let whole = one.feed(wire, |bytes| a.extend_from_slice(bytes));
        let mut taken = 0;
        let mut broken = false;
        for bytes in wire.chunks(piece) {
            match two.feed(bytes, |bytes| b.extend_from_slice(bytes)) {
                Ok(n) => taken += n,
                Err(_) => broken = true,
            }
            if broken || two.is_done() || two.is_full() {
                break;
            }
        }
        assert_eq!(a, b);
        assert_eq!(whole.is_err(), broken);
        if let Ok(n) = whole {
            assert_eq!((n, one.is_done()), (taken, two.is_done()));
        }
    }
    let end = end_of_head(wire, 0);
    for stopped in (0..wire.len()).step_by(piece) {
        if end.is_none_or(|end| end > stopped) {
            assert_eq!(end_of_head(wire, stopped), end);
        }
    }
}
