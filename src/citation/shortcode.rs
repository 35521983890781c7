//! Shortcodes of publishing systems that stand for a post: `[tweet 1137…]`, `{{< x user="…" id="…" >}}`, `{% twitter 1137… %}`.

use std::borrow::Cow;

use super::Form;
use super::mark::{Link, Mark, Named, What};
use crate::platform::permalink;

/// Longer ones are something else.
const LONGEST: usize = 300;

/// Names that systems give to the shortcode, and what a bare id in it is an id of.
const NAMES: &[(&str, &str)] = &[
    ("tweet", "https://x.com/i/status/"),
    ("twitter", "https://x.com/i/status/"),
    ("twitter_simple", "https://x.com/i/status/"),
    ("tweet_simple", "https://x.com/i/status/"),
    ("x", "https://x.com/i/status/"),
    ("x_simple", "https://x.com/i/status/"),
    ("twitter_status", "https://x.com/i/status/"),
    ("youtube", "https://www.youtube.com/watch?v="),
    ("instagram", "https://www.instagram.com/p/"),
    ("tiktok", "https://www.tiktok.com/embed/v2/"),
];

/// The post that the bracket at `at` stands for.
pub(super) fn read(text: &str, at: usize) -> Option<Mark<'_>> {
    let bytes = text.as_bytes();
    let (open, close) = match bytes.get(at..)? {
        [b'{', b'{', b'<' | b'%', ..] => (3, "}}"),
        [b'{', b'%', ..] => (2, "%}"),
        [b'[', next, ..] if next.is_ascii_alphabetic() => (1, "]"),
        _ => return None,
    };
    let body_at = at + open;
    let mut reach = (body_at + LONGEST).min(text.len());
    while !text.is_char_boundary(reach) {
        reach -= 1;
    }
    let window = text.get(body_at..reach)?;
    let close_at = window.find(close)?;
    let body = window.get(..close_at)?.trim_end_matches(['>', '%', ' ', '/']).trim();
    let (name, arguments) = body.split_once(char::is_whitespace)?;
    let (_, base) = NAMES.iter().find(|(n, _)| n.eq_ignore_ascii_case(name))?;
    let url = target(base, arguments)?;
    let named = permalink::read(&url)?;
    named.post.as_ref()?;
    let link = Link {
        form: Form::Permalink,
        url: Cow::Owned(named.canonical.clone()),
        named: Some(Named::of(named)),
        defanged: false,
    };
    Some(Mark { start: at, end: body_at + close_at + close.len(), what: What::Link(link), candidate: false })
}

/// The URL that the arguments make: a URL, an id, or `user` and `id`.
fn target(base: &str, arguments: &str) -> Option<String> {
    let mut id = None;
    let mut user = None;
    for word in arguments.split_whitespace() {
        let (key, value) = word.split_once('=').unwrap_or(("", word));
        let value = value.trim_matches(['"', '\'', '“', '”']);
        match key {
            _ if value.starts_with("http") => return Some(value.to_owned()),
            "user" => user = Some(value),
            "" if id.is_some() => {}
            "id" | "tweet" | "" => id = Some(value),
            _ => {}
        }
    }
    let id = id?;
    match user {
        Some(user) if base.starts_with("https://x.com/") => Some(format!("https://x.com/{user}/status/{id}")),
        _ => Some(format!("{base}{id}")),
    }
}
