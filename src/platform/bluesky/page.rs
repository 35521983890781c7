//! A post as its page tells it to those who run no scripts (bsky.app, 2024 to 2026): what archives keep of it.

use super::{POSTS, address, name};
use crate::format::aturi::{AtUri, Authority};
use crate::format::did::Did;
use crate::format::markup::{Piece, pieces};
use crate::platform::head::{Head, signed};
use crate::platform::post::{Author, Platform, Post, PostName};
use crate::platform::prose::Writer;

/// The post of that name on the page; none where the page shows none, or another. The time is the AppView's, the words may
/// have their shortened links written out.
pub fn read(html: &str, wanted: &PostName) -> Option<Post> {
    let (authority, rkey) = address(&wanted.id)?;
    let pieces = pieces(html);
    let head = Head::read(&pieces);
    let (title, handle) = head.meta(&["og:title"]).and_then(signed)?;
    let did = did_of(&head, &pieces, rkey)?;
    let same = match &authority {
        Authority::Did(wanted) => did.as_ref() == Some(wanted),
        Authority::Handle(wanted) => wanted.eq_ignore_ascii_case(&handle),
    };
    if !same {
        return None;
    }
    let text = summary(&pieces, "bsky_post_text")
        .or_else(|| head.meta(&["og:description", "description"]).map(str::to_owned))?;
    let named = match &did {
        Some(did) => name(did, rkey),
        None => PostName { platform: Platform::Bluesky, id: format!("{handle}/{rkey}") },
    };
    Some(Post {
        permalink: format!("https://bsky.app/profile/{handle}/post/{rkey}"),
        author: Author { handle, name: title, id: did.map(|did| did.to_string()) },
        posted: head.meta(&["article:published_time", "twitter:value1"]).and_then(|time| time.trim().parse().ok()),
        id_time: rkey.parse().ok().map(crate::format::tid::Tid::time),
        text,
        ..Post::bare(named)
    })
}

/// The account's DID, where the page names the very post: in the AT URI beside it, or in the summary for readers without
/// scripts. Outer none: the page is of another post; inner none: of this one, without a DID.
#[expect(clippy::option_option, reason = "another post, and this post without a DID, are two things")]
fn did_of(head: &Head, pieces: &[Piece<'_>], rkey: &str) -> Option<Option<Did>> {
    let uris = head.links("alternate").filter_map(|href| href.parse::<AtUri>().ok());
    for uri in uris.filter(|uri| uri.collection.as_deref() == Some(POSTS) && uri.rkey.as_deref() == Some(rkey)) {
        if let Authority::Did(did) = uri.authority {
            return Some(Some(did));
        }
    }
    let end = format!("/post/{rkey}");
    let own = |url: &str| url.split(['?', '#']).next().is_some_and(|url| url.trim_end_matches('/').ends_with(&end));
    let own = head.links("canonical").any(own) || head.meta(&["og:url"]).is_some_and(own);
    own.then(|| summary(pieces, "bsky_did").and_then(|did| did.parse().ok()))
}

/// The words of the element of that id.
fn summary(pieces: &[Piece<'_>], id: &str) -> Option<String> {
    let start = pieces.iter().position(|piece| matches!(piece, Piece::Open(tag) if tag.get("id") == Some(id)))?;
    let Some(Piece::Open(open)) = pieces.get(start) else { return None };
    let mut writer = Writer::default();
    for piece in pieces.iter().skip(start + 1) {
        match piece {
            Piece::Close(name) if *name == open.name => break,
            // line ends are in the words as they are
            Piece::Text(text) => text.split('\n').enumerate().for_each(|(n, line)| {
                if n > 0 {
                    writer.line_end();
                }
                writer.add(&Piece::Text(line.into()));
            }),
            piece => writer.add(piece),
        }
    }
    Some(writer.finish().text).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    const DID: &str = "did:plc:iehgelpsa6hrxqbomgxsvwfi";

    fn page(alternate: &str) -> String {
        format!(
            "<meta property=og:title content='Léna (@lena.example)'><meta property=og:description content='Page 4 is\n\nmissing &amp; so on'>\
             <meta property=article:published_time content=2025-02-01T10:00:00.000Z>\
             <link rel=canonical href=https://bsky.app/profile/lena.example/post/3mg7x3ipobs2f>{alternate}"
        )
    }

    fn wanted(authority: &str) -> PostName {
        PostName { platform: Platform::Bluesky, id: format!("{authority}/3mg7x3ipobs2f") }
    }

    #[test]
    fn a_page_tells_who_when_and_what() {
        let html = page(&format!("<link rel=alternate href=at://{DID}/app.bsky.feed.post/3mg7x3ipobs2f>"));
        let post = read(&html, &wanted(DID)).unwrap();
        assert_eq!(post.name.to_string(), format!("bluesky:{DID}/3mg7x3ipobs2f"));
        assert_eq!((post.author.handle.as_str(), post.author.name.as_deref()), ("lena.example", Some("Léna")));
        assert_eq!(post.text, "Page 4 is\n\nmissing & so on");
        assert_eq!(post.posted.unwrap().to_string(), "2025-02-01T10:00:00Z");
        assert_eq!(read(&html, &wanted("lena.example")).unwrap().name, post.name);
        let summary = format!("{html}<div id=bsky_post_summary><p id=bsky_post_text>Page 4\nis back</p></div>");
        assert_eq!(read(&summary, &wanted(DID)).unwrap().text, "Page 4\nis back");
    }

    #[test]
    fn other_posts_and_shells_are_not_taken() {
        let html = page("");
        assert!(read(&html, &wanted("lena.example")).unwrap().author.id.is_none());
        assert_eq!(read(&html, &wanted(DID)), None, "no DID on the page");
        assert_eq!(read(&html, &wanted("desk.example")), None);
        assert_eq!(read(&html.replace("3mg7x3ipobs2f", "3mg7xffoz722f"), &wanted("lena.example")), None);
        assert_eq!(read("<title>Bluesky</title><div id=root></div>", &wanted(DID)), None);
    }
}
