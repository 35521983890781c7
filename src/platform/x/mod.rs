//! X, formerly Twitter: ids, answers of its open endpoints, archived shapes of its pages. All as observed until 2026-09.

pub mod answer;
pub mod embed;
pub mod legacy;
pub mod lister;
pub mod reader;
pub mod snowflake;
pub mod token;

/// Every host that serves X's own permalinks.
pub const HOSTS: [&str; 7] =
    ["x.com", "www.x.com", "mobile.x.com", "twitter.com", "www.twitter.com", "mobile.twitter.com", "m.twitter.com"];

/// The permalink we name a post by.
pub fn permalink(handle: &str, id: &str) -> String {
    if handle.is_empty() {
        format!("https://x.com/i/status/{id}")
    } else {
        format!("https://x.com/{handle}/status/{id}")
    }
}

/// Whether a word can be a handle: up to 15 letters of `[A-Za-z0-9_]` (20 in the earliest years).
pub fn is_handle(word: &str) -> bool {
    (1..=20).contains(&word.len()) && word.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'_')
}

/// Whether a text can be a post's id: up to 20 digits, no leading zero.
pub fn is_id(text: &str) -> bool {
    (1..=20).contains(&text.len()) && text.bytes().all(|c| c.is_ascii_digit()) && !text.starts_with('0')
}
