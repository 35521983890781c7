//! No timestamp response of any bytes makes the judge panic, and none holds where no root is pinned.
#![no_main]

use libfuzzer_sys::fuzz_target;
use onrecord::format::digest::Digest;
use onrecord::format::tsp::{Query, Roots, verify};

fuzz_target!(|bytes: &[u8]| {
    assert!(verify(bytes, &Digest::of(b"x"), None, &Roots::default()).is_err());
    if let Ok(query) = Query::parse(bytes) {
        assert_eq!(query.to_der(), bytes);
    }
});
