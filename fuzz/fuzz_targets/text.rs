//! Any bytes as plain text: read or refused, and every citation stands where it says.
#![no_main]

mod reading;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| reading::holds("a.txt", bytes));
