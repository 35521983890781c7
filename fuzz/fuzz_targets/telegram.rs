//! No widget makes the reader panic, and none makes more words than it has.
#![no_main]

use libfuzzer_sys::fuzz_target;
use onrecord::platform::telegram::widget::{Widget, read};

fuzz_target!(|html: &str| {
    if let Widget::Shown(post, _) = read(html) {
        assert!(post.text.len() <= 4 * html.len());
    }
});
