//! No archive of any bytes makes the proof of a record panic, or hold without a key.
#![no_main]

use libfuzzer_sys::fuzz_target;
use onrecord::format::car::Car;
use onrecord::platform::bluesky::proof::{Keys, prove};

fuzz_target!(|bytes: &[u8]| {
    let _ = Car::read(bytes);
    if let Ok(did) = "did:plc:iehgelpsa6hrxqbomgxsvwfi".parse() {
        assert!(!prove(&did, "3mg7x3ipobs2f", bytes, Keys::default()).verified());
    }
});
