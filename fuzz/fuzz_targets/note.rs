//! Whatever is read as a signed note, a proof file or a bundle is written back the same, and none holds without a key.
#![no_main]

use libfuzzer_sys::fuzz_target;
use onrecord::format::checkpoint::Signed;
use onrecord::format::note::Note;
use onrecord::format::tlog_proof::TlogProof;
use onrecord::proof::Bundle;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(note) = Note::parse(bytes) {
        assert_eq!(note.to_bytes(), bytes);
    }
    assert!(Signed::open(bytes, &[]).is_err());
    if let Ok(proof) = TlogProof::parse(bytes) {
        assert_eq!(TlogProof::parse(&proof.to_bytes()), Ok(proof));
    }
    assert!(!Bundle::parse(bytes).is_ok_and(|bundle| bundle.verify(&[]).is_ok()));
});
