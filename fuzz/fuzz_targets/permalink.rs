//! Any text as a URL: named, unwrapped or not, never a panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use onrecord::platform::permalink;

fuzz_target!(|url: &str| {
    let _ = permalink::read(url);
    let _ = permalink::unwrap(url);
    let _ = permalink::archived(url);
});
