//! A post out of archived HTML: the pages of until 2020-06 (`div.permalink-tweet`), and the server-side microdata that some
//! clients got in 2022. The pages of since are empty shells, and so are not read.

use jiff::Timestamp;

use crate::format::markup::{self, Piece, Tag};
use crate::platform::post::{Author, Media, Post};
use crate::platform::x::answer::{bare, original};
use crate::platform::x::embed::Linked;
use crate::platform::x::{self, snowflake};

/// The post on the page, where there is one. `wanted` picks among several (a page shows answers too).
pub fn read(html: &str, wanted: Option<&str>) -> Option<Post> {
    let pieces = markup::pieces(html);
    permalink_page(&pieces, wanted).or_else(|| microdata(&pieces, wanted))
}

/// The account of an archived profile page: its stable id stands beside its handle.
pub fn profile(html: &str) -> Option<Author> {
    let pieces = markup::pieces(html);
    let tag = tags(&pieces)
        .find(|tag| tag.get("data-user-id").is_some() && tag.get("data-screen-name").is_some_and(x::is_handle))?;
    Some(author_of(tag))
}

/// Whether the page is the shell of since 2020, with nothing of the post in it.
pub fn is_shell(html: &str) -> bool {
    let pieces = markup::pieces(html);
    tags(&pieces).any(|tag| tag.get("id") == Some("react-root"))
        && !tags(&pieces).any(|tag| tag.get("itemtype").is_some() || tag.get("data-testid") == Some("tweetText"))
}

fn tags<'a>(pieces: &'a [Piece<'_>]) -> impl Iterator<Item = &'a Tag<'a>> {
    pieces.iter().filter_map(|piece| if let Piece::Open(tag) = piece { Some(tag) } else { None })
}

fn author_of(tag: &Tag<'_>) -> Author {
    Author {
        handle: tag.get("data-screen-name").unwrap_or_default().to_owned(),
        name: tag.get("data-name").map(str::to_owned),
        id: tag.get("data-user-id").map(str::to_owned),
    }
}

fn permalink_page(pieces: &[Piece<'_>], wanted: Option<&str>) -> Option<Post> {
    let is_post = |piece: &Piece<'_>| {
        matches!(piece, Piece::Open(tag) if tag.has_class("permalink-tweet")
            && tag.get("data-tweet-id").is_some_and(|id| x::is_id(id) && wanted.is_none_or(|wanted| wanted == id)))
    };
    let start = pieces.iter().position(is_post)?;
    let Some(Piece::Open(outer)) = pieces.get(start) else { return None };
    let rest = pieces.get(start + 1..)?;
    // answers to the post follow in blocks of their own
    let end = rest.iter().position(|p| matches!(p, Piece::Open(tag) if tag.get("data-tweet-id").is_some()));
    let inside = rest.get(..end.unwrap_or(rest.len()))?;
    let id = outer.get("data-tweet-id")?;
    let mut post = bare(id, author_of(outer), String::new());
    post.posted = tags(inside)
        .find_map(|tag| tag.get("data-time-ms")?.parse().ok())
        .and_then(|ms| Timestamp::from_millisecond(ms).ok());
    paragraph(inside, "tweet-text", "p", &mut post);
    for tag in tags(inside) {
        if let Some(url) = tag.get("data-image-url") {
            post.media.push(photo(url));
        }
    }
    Some(post)
}

fn photo(url: &str) -> Media {
    let uploaded = snowflake::uploaded(url);
    Media { kind: "photo".to_owned(), url: original(url), poster: None, alt: None, uploaded }
}

/// The text of the first element of that class, up to its end tag.
fn paragraph(pieces: &[Piece<'_>], class: &str, name: &str, post: &mut Post) {
    let start = pieces.iter().position(|p| matches!(p, Piece::Open(tag) if tag.has_class(class)));
    let Some(rest) = start.and_then(|start| pieces.get(start..)) else { return };
    if let Some(Piece::Open(tag)) = rest.first() {
        post.language = tag.get("lang").filter(|l| *l != "und").map(str::to_owned);
    }
    let mut text = Linked::default();
    for piece in rest.iter().skip(1).take_while(|p| !matches!(p, Piece::Close(close) if close == name)) {
        text.add(piece);
    }
    (post.text, post.links) = text.finish();
}

/// schema.org/SocialMediaPosting, in any page language: properties are named in English.
fn microdata(pieces: &[Piece<'_>], wanted: Option<&str>) -> Option<Post> {
    let starts = pieces.iter().enumerate().filter(|(_, piece)| {
        matches!(piece, Piece::Open(tag) if tag.get("itemtype").is_some_and(|t| t.ends_with("schema.org/SocialMediaPosting")))
    });
    let mut starts: Vec<usize> = starts.map(|(at, _)| at).collect();
    starts.push(pieces.len());
    starts.windows(2).find_map(|two| {
        let inside = pieces.get(*two.first()?..*two.get(1)?)?;
        posting(inside).filter(|post| wanted.is_none_or(|wanted| wanted == post.name.id))
    })
}

fn posting(inside: &[Piece<'_>]) -> Option<Post> {
    let person = inside.iter().position(|p| matches!(p, Piece::Open(tag) if tag.get("itemprop") == Some("author")))?;
    let property = |pieces: &[Piece<'_>], name: &str| {
        tags(pieces).find(|tag| tag.get("itemprop") == Some(name)).and_then(|tag| tag.get("content")).map(str::to_owned)
    };
    let (about, by) = inside.split_at(person);
    let id = property(about, "identifier").filter(|id| x::is_id(id))?;
    let author = Author {
        handle: property(by, "additionalName").unwrap_or_default(),
        name: property(by, "givenName"),
        id: property(by, "identifier"),
    };
    let mut post = bare(&id, author, String::new());
    post.posted =
        property(about, "dateCreated").or_else(|| property(about, "datePublished")).and_then(|t| t.parse().ok());
    let body =
        inside.iter().position(|p| matches!(p, Piece::Open(tag) if tag.get("itemprop") == Some("articleBody")))?;
    let rest = inside.get(body..)?;
    if let Some(Piece::Open(tag)) = rest.first() {
        post.language = tag.get("lang").map(str::to_owned);
    }
    let mut text = Linked::default();
    for piece in rest.iter().skip(1).take_while(|p| !matches!(p, Piece::Close(close) if close == "div")) {
        text.add(piece);
    }
    (post.text, post.links) = text.finish();
    Some(post)
}
