//! A post as its page shows it: the element of the site of since 2023, or the listing entry of the old one. Archives keep
//! both; live, the site shows them to few.

use jiff::Timestamp;

use super::{feed::media, name};
use crate::format::markup::{Piece, Tag, pieces};
use crate::platform::post::{Author, Post, PostName};
use crate::platform::prose::{Prose, Writer};

/// The post of that name on the page, where it is there.
pub fn read(html: &str, wanted: &PostName) -> Option<Post> {
    let pieces = pieces(html);
    let full = format!("t3_{}", wanted.id);
    pieces.iter().enumerate().find_map(|(at, piece)| {
        let Piece::Open(tag) = piece else { return None };
        let rest = pieces.get(at + 1..).unwrap_or_default();
        if tag.name == "shreddit-post" && [tag.get("id"), tag.get("thingid")].contains(&Some(full.as_str())) {
            return element(tag, rest, wanted);
        }
        let old = tag.has_class("thing") && tag.get("data-fullname") == Some(full.as_str());
        old.then(|| entry(tag, rest, wanted)).flatten()
    })
}

/// Posts read of one page at most.
const MOST: usize = 200;

/// The posts of an account's or a community's page.
pub fn list(html: &str) -> Vec<Post> {
    let pieces = pieces(html);
    let starts = pieces.iter().enumerate().filter_map(|(at, piece)| {
        let Piece::Open(tag) = piece else { return None };
        let new = tag.name == "shreddit-post";
        let full = if new { tag.get("id").or_else(|| tag.get("thingid")) } else { tag.get("data-fullname") };
        let wanted = name(full.filter(|_| new || tag.has_class("thing"))?.strip_prefix("t3_")?)?;
        let rest = pieces.get(at + 1..)?;
        if new { element(tag, rest, &wanted) } else { entry(tag, rest, &wanted) }
    });
    starts.take(MOST).collect()
}

fn element(tag: &Tag<'_>, rest: &[Piece<'_>], wanted: &PostName) -> Option<Post> {
    let end = rest.iter().position(|piece| matches!(piece, Piece::Close(name) if name == "shreddit-post"));
    let inside = rest.get(..end.unwrap_or(rest.len()))?;
    let body = within(inside, |tag| tag.get("slot") == Some("text-body"));
    let posted = tag.get("created-timestamp").and_then(instant);
    let id = tag.get("author-id").filter(|id| id.starts_with("t2_")).map(str::to_owned);
    made(
        wanted,
        tag.get("post-title")?,
        body,
        (tag.get("author")?, id),
        posted,
        tag.get("permalink"),
        tag.get("content-href"),
    )
}

fn entry(tag: &Tag<'_>, rest: &[Piece<'_>], wanted: &PostName) -> Option<Post> {
    // the comments below are entries too
    let next = |piece: &Piece<'_>| matches!(piece, Piece::Open(tag) if tag.get("data-fullname").is_some());
    let inside = rest.get(..rest.iter().position(next).unwrap_or(rest.len()))?;
    let title = within(inside, |tag| tag.name == "a" && tag.has_class("title"))?.text;
    let body = inside
        .iter()
        .position(|piece| matches!(piece, Piece::Open(tag) if tag.has_class("usertext-body")))
        .and_then(|at| within(inside.get(at..)?, |tag| tag.has_class("md")));
    let posted = tag.get("data-timestamp").and_then(|ms| Timestamp::from_millisecond(ms.parse().ok()?).ok());
    let id = inside.iter().find_map(|piece| match piece {
        Piece::Open(tag) if tag.has_class("author") => {
            tag.get("class")?.split_ascii_whitespace().find_map(|class| class.strip_prefix("id-")).map(str::to_owned)
        }
        _ => None,
    });
    let id = id.filter(|id| id.starts_with("t2_"));
    made(wanted, &title, body, (tag.get("data-author")?, id), posted, tag.get("data-permalink"), tag.get("data-url"))
}

fn made(
    wanted: &PostName,
    title: &str,
    body: Option<Prose>,
    (handle, id): (&str, Option<String>),
    posted: Option<Timestamp>,
    permalink: Option<&str>,
    link: Option<&str>,
) -> Option<Post> {
    let body = body.unwrap_or_default();
    let own = |link: &str| link.starts_with('/') || link.contains(&format!("/comments/{}", wanted.id));
    let link = link.filter(|link| link.starts_with("http") && !own(link)).map(|link| media(link.to_owned()));
    let (text, cut) = super::put_together(title, &body.text);
    let path = permalink.filter(|path| path.starts_with("/r/") || path.starts_with("/user/"));
    let page = path.map_or_else(|| super::page(&wanted.id), |path| format!("https://www.reddit.com{path}"));
    Some(Post {
        permalink: page,
        author: Author { handle: super::handle(handle), name: None, id },
        posted,
        text,
        cut,
        links: body.links,
        media: link.into_iter().collect(),
        ..Post::bare(name(&wanted.id)?)
    })
}

/// `2026-08-31T14:25:05.266000+0000`: RFC 3339 but for the colon.
fn instant(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    text.parse().ok().or_else(|| format!("{}Z", text.strip_suffix("+0000")?).parse().ok())
}

/// The prose inside the first element that is one.
fn within(pieces: &[Piece<'_>], is: impl Fn(&Tag<'_>) -> bool) -> Option<Prose> {
    let start = pieces.iter().position(|piece| matches!(piece, Piece::Open(tag) if is(tag)))?;
    let Some(Piece::Open(outer)) = pieces.get(start) else { return None };
    let (mut depth, mut writer) = (1usize, Writer::default());
    for piece in pieces.iter().skip(start + 1) {
        match piece {
            Piece::Open(tag) if tag.name == outer.name => depth += 1,
            Piece::Close(name) if *name == outer.name => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            break;
        }
        writer.add(piece);
    }
    Some(writer.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEW: &str = "<shreddit-post id=t3_other post-title=Other author=x></shreddit-post>\
        <shreddit-post id=t3_1abcde post-title='Quay 4 closed until Friday' author=odelie_m author-id=t2_9qrstu \
        created-timestamp=2026-03-04T09:15:30.123000+0000 permalink=/r/harbour/comments/1abcde/quay_4/ content-href=https://harbour.example/q4>\
        <div slot=text-body><div class=md><p>The notice hangs &amp; says <a href=https://harbour.example/q4>why</a>.</p></div></div></shreddit-post>\
        <shreddit-comment><p>Again?</p></shreddit-comment>";
    const OLD: &str = "<div class='thing link' data-fullname=t3_1abcde data-author=odelie_m data-timestamp=1772615730000 \
        data-permalink=/r/harbour/comments/1abcde/quay_4/ data-url=/r/harbour/comments/1abcde/quay_4/><p class=title>\
        <a class='title may-blank' href=/r/harbour/comments/1abcde/quay_4/>Quay 4 closed until Friday</a></p><a class='author id-t2_9qrstu'>odelie_m</a>\
        <div class='usertext-body'><div class=md><p>The notice hangs &amp; says <a href=https://harbour.example/q4>why</a>.</p></div></div></div>\
        <div class='thing comment' data-fullname=t1_kz><div class='usertext-body'><div class=md>Again?</div></div></div>";

    #[test]
    fn both_pages_say_the_same() {
        let wanted = name("1abcde").unwrap();
        let (new, old) = (read(NEW, &wanted).unwrap(), read(OLD, &wanted).unwrap());
        assert_eq!(new.text, "Quay 4 closed until Friday\n\nThe notice hangs & says why.");
        assert_eq!((&new.text, &new.author, &new.permalink), (&old.text, &old.author, &old.permalink));
        assert_eq!(new.author.id.as_deref(), Some("t2_9qrstu"));
        assert_eq!(new.posted.unwrap().to_string(), "2026-03-04T09:15:30.123Z");
        assert_eq!(old.posted.unwrap().to_string(), "2026-03-04T09:15:30Z");
        assert_eq!((new.links.len(), new.media.len(), old.media.len()), (1, 1, 0));
    }

    #[test]
    fn pages_without_the_post_give_none() {
        for html in ["", "<title>Reddit</title><shreddit-app></shreddit-app>", NEW] {
            assert_eq!(read(html, &name("zzzzz").unwrap()), None);
        }
    }
}
