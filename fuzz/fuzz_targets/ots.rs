//! Whatever is read as an OpenTimestamps proof is written so that it reads the same, and is never confirmed unasked.
#![no_main]

use libfuzzer_sys::fuzz_target;
use onrecord::format::ots::{Proof, Status, header};

fuzz_target!(|bytes: &[u8]| {
    let _ = header(bytes);
    if let Ok(proof) = Proof::parse(bytes) {
        assert_eq!(Proof::parse(&proof.to_bytes()).as_ref(), Ok(&proof));
        assert!(!matches!(proof.status(|_| None), Ok(Status::Confirmed(_) | Status::Contradicted(_))));
    }
});
