//! No feed makes the reader panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use onrecord::platform::reddit::{feed, name};

fuzz_target!(|xml: &str| {
    if let Some(name) = name("1abcde") {
        let _ = feed::read(xml, &name);
    }
});
