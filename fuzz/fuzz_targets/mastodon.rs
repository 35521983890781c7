//! No status and no object makes the readers panic; an object is never read for another server than its own.
#![no_main]

use libfuzzer_sys::fuzz_target;
use onrecord::platform::mastodon::{note, status};
use serde_json::json;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(json) = serde_json::from_slice(bytes) {
        let _ = status::of_json(&json, "fedi.example");
        if let Ok(url) = url::Url::parse("https://fedi.example/users/a/statuses/1") {
            let _ = note::of_json(&json, &url);
        }
    }
    // and the words alone
    let html = String::from_utf8_lossy(bytes);
    let json = json!({"id": "1", "content": html, "account": {"acct": "a"}});
    if let Some(read) = status::of_json(&json, "fedi.example") {
        assert!(read.post.text.len() <= 4 * html.len());
    }
});
