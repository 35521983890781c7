//! A post as its page tells it to those who run no scripts (Mastodon 3 to 4.5): who, when and which words stand in the page's
//! head, also where a server shows its API to members alone, and in what archives keep.

use url::Url;

use super::{address, authority, id_time};
use crate::format::markup::pieces;
use crate::platform::head::{Head, signed};
use crate::platform::post::{Author, Post, PostName};

/// The post of that name on the page; none where the page is another, or its words stand behind a warning.
pub fn read(html: &str, wanted: &PostName) -> Option<Post> {
    let (host, id) = address(&wanted.id)?;
    let head = Head::read(&pieces(html));
    let own = |text: &str| Url::parse(text).ok().filter(|url| is_of(url, host, id));
    let page = head.meta(&["og:url"]).and_then(own).or_else(|| head.links("canonical").find_map(own))?;
    let (name, handle) = head.meta(&["og:title"]).and_then(signed)?;
    let text = words(head.meta(&["og:description", "description"])?)?;
    Some(Post {
        permalink: page.to_string(),
        author: Author { handle: handle.to_ascii_lowercase(), name, id: None },
        posted: head.meta(&["og:published_time", "article:published_time"]).and_then(|time| time.trim().parse().ok()),
        id_time: id_time(id),
        text: text.to_owned(),
        ..Post::bare(wanted.clone())
    })
}

fn is_of(url: &Url, host: &str, id: &str) -> bool {
    let last = url.path_segments().and_then(|mut segments| segments.rfind(|segment| !segment.is_empty()));
    authority(url).is_some_and(|own| own.eq_ignore_ascii_case(host)) && last == Some(id)
}

/// The words without the line that counts what is attached; none where a warning hides them.
fn words(description: &str) -> Option<&str> {
    if description.starts_with("Content warning: ") {
        return None;
    }
    match description.split_once("\n\n") {
        Some((first, rest)) if first.starts_with("Attached: ") => Some(rest),
        None if description.starts_with("Attached: ") => Some(""),
        _ => Some(description),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::post::Platform;

    const PAGE: &str = "<meta content='Lena V. (@Lena@fedi.example)' property='og:title'><meta property='og:url' \
        content='https://fedi.example/@lena/116170144489341607'><meta property='og:published_time' content='2026-03-04T09:15:30Z'>\
        <meta property='og:description' content='Attached: 2 images\n\nPage 4 is back.\n\nAll of it.'>";

    fn wanted(id: &str) -> PostName {
        PostName { platform: Platform::Mastodon, id: id.to_owned() }
    }

    #[test]
    fn a_page_tells_who_when_and_what() {
        let post = read(PAGE, &wanted("fedi.example/116170144489341607")).unwrap();
        assert_eq!((post.author.handle.as_str(), post.author.name.as_deref()), ("lena@fedi.example", Some("Lena V.")));
        assert_eq!(post.text, "Page 4 is back.\n\nAll of it.");
        assert_eq!(post.posted.unwrap().to_string(), "2026-03-04T09:15:30Z");
        assert_eq!(post.id_time.unwrap().to_string(), "2026-03-04T09:15:30.123Z");
    }

    #[test]
    fn other_posts_warnings_and_shells_are_not_taken() {
        for (html, id) in [
            (PAGE.to_owned(), "fedi.example/116170144489341608"),
            (PAGE.to_owned(), "other.example/116170144489341607"),
            (PAGE.replace("Attached: 2 images", "Content warning: gore"), "fedi.example/116170144489341607"),
            ("<title>Mastodon</title>".to_owned(), "fedi.example/116170144489341607"),
        ] {
            assert_eq!(read(&html, &wanted(id)), None, "{id}");
        }
    }
}
