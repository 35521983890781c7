//! A post's feed (Atom, RFC 4287, as www.reddit.com wrote it in 2026): its first entry is the post, the others are comments.

use super::{is_taken_away, put_together};
use crate::format::markup::{Piece, pieces};
use crate::platform::atom;
use crate::platform::post::{Author, Media, Post, PostName};
use crate::platform::prose::Writer;

/// Entries read of one feed; the site gives a hundred at most.
const MOST: usize = 200;

/// The post that the feed begins with, and notes; none where its first entry is another thing.
pub fn read(xml: &str, name: &PostName) -> Option<(Post, Vec<String>)> {
    let entry = atom::entries(xml, 1).into_iter().next()?;
    if entry.id.trim() != format!("t3_{}", name.id) {
        return None;
    }
    Some(of_entry(entry, name))
}

/// The posts of a feed, comments left out.
pub fn list(xml: &str) -> Vec<Post> {
    let of = |entry: atom::Entry| {
        let name = super::name(entry.id.trim().strip_prefix("t3_")?)?;
        Some(of_entry(entry, &name).0)
    };
    atom::entries(xml, MOST).into_iter().filter_map(of).collect()
}

fn of_entry(entry: atom::Entry, name: &PostName) -> (Post, Vec<String>) {
    let body = Body::read(&entry.content);
    let (text, cut) = put_together(&entry.title, &body.text);
    let author = entry.author.trim();
    let handle = author.strip_prefix("/u/").unwrap_or(author);
    let mut notes = Vec::new();
    if cut || is_taken_away(handle) {
        notes.push("the site shows the post without its words or without its author: removed or deleted".to_owned());
    }
    let own = |url: &String| url.contains(&format!("/comments/{}", name.id));
    let card = body.link.filter(|url| !own(url)).map(media);
    let post = Post {
        name: name.clone(),
        permalink: entry.link,
        author: Author { handle: super::handle(handle), name: None, id: None },
        posted: entry.published.trim().parse().ok(),
        id_time: None,
        text,
        language: None,
        cut,
        links: body.links,
        media: card.into_iter().collect(),
        versions: Vec::new(),
        others: Vec::new(),
        edited: false,
        reply_to: None,
        quotes: None,
    };
    (post, notes)
}

/// What a link post links to: a picture, or a page.
pub(super) fn media(url: String) -> Media {
    let path = url.split(['?', '#']).next().unwrap_or_default().to_ascii_lowercase();
    let picture = [".jpg", ".jpeg", ".png", ".webp", ".gif"].iter().any(|end| path.ends_with(end));
    let kind = if picture { "photo" } else { "card" };
    Media { kind: kind.to_owned(), url, poster: None, alt: None, uploaded: None }
}

/// The entry's content: the post's own words in `div.md`, then a line of links about it.
#[derive(Default)]
struct Body {
    text: String,
    links: Vec<crate::platform::post::PostLink>,
    link: Option<String>,
}

impl Body {
    fn read(html: &str) -> Self {
        let mut body = Self::default();
        let mut writer = Writer::default();
        let (mut depth, mut href) = (0usize, None);
        for piece in pieces(html) {
            match &piece {
                Piece::Open(tag) if tag.name == "div" && (depth > 0 || tag.has_class("md")) => depth += 1,
                Piece::Close(name) if name == "div" => depth = depth.saturating_sub(1),
                Piece::Open(tag) if depth == 0 && tag.name == "a" => href = tag.get("href").map(str::to_owned),
                Piece::Text(text) if depth == 0 && text.trim() == "[link]" => body.link = href.take(),
                _ if depth > 0 => writer.add(&piece),
                _ => {}
            }
        }
        let prose = writer.finish();
        (body.text, body.links) = (prose.text, prose.links);
        body
    }
}
