//! The embed widget's HTML (t.me, class names as of 2026), read as a flat run of tags.

use crate::format::markup::{Piece, Tag};
use crate::platform::head::Head;
use crate::platform::post::{Author, Media, Post, PostLink, PostName};
use crate::platform::prose::Writer;
use crate::platform::reader::State;

/// What a widget shows.
#[derive(Clone, Debug, PartialEq)]
pub enum Widget {
    /// a post, and what a reader should know of it
    Shown(Box<Post>, Vec<String>),
    /// none, and why
    Refused(State, String),
}

/// Reads a widget.
pub fn read(html: &str) -> Widget {
    let pieces = crate::format::markup::pieces(html);
    if let Some(error) = text_of(&pieces, "tgme_widget_message_error") {
        let state = if error.to_ascii_lowercase().contains("not found") { State::NotFound } else { State::Unknown };
        return Widget::Refused(state, format!("the widget says: {error}"));
    }
    match message(&pieces, |_| true) {
        Some((post, notes)) => Widget::Shown(Box::new(post), notes),
        None => Widget::Refused(State::Unknown, "the page holds no widget with a post".to_owned()),
    }
}

/// The post of that name on a page that may show several (`t.me/s/…`), or whose head tells it; the head tells no time.
pub fn find(html: &str, wanted: &PostName) -> Option<Post> {
    let pieces = crate::format::markup::pieces(html);
    let shown = message(&pieces, |place| place.eq_ignore_ascii_case(&wanted.id));
    shown.map(|(post, _)| post).or_else(|| told(&pieces, wanted))
}

/// Every post of a channel's list (`t.me/s/…`), in the order shown: the oldest first.
pub fn list(html: &str) -> Vec<Post> {
    let pieces = crate::format::markup::pieces(html);
    let starts = (0..pieces.len()).filter(|&at| pieces.get(at).and_then(place).is_some());
    starts.filter_map(|at| Some(message_at(&pieces, at)?.0)).collect()
}

/// Where a message stands that begins here.
fn place<'a>(piece: &'a Piece<'_>) -> Option<&'a str> {
    match piece {
        Piece::Open(tag) => tag.get("data-post"),
        _ => None,
    }
}

/// The first message whose place (`channel/number`) is wanted, and notes.
fn message(pieces: &[Piece<'_>], is: impl Fn(&str) -> bool) -> Option<(Post, Vec<String>)> {
    let start = pieces.iter().position(|piece| place(piece).is_some_and(&is))?;
    message_at(pieces, start)
}

/// The message whose start tag stands there.
fn message_at(pieces: &[Piece<'_>], start: usize) -> Option<(Post, Vec<String>)> {
    let Some(Piece::Open(tag)) = pieces.get(start) else { return None };
    let own = pieces.get(start + 1..)?;
    // in a list the next message begins where this one ends
    let own = own.get(..own.iter().position(|piece| place(piece).is_some()).unwrap_or(own.len()))?;
    let (channel, number) = super::address(tag.get("data-post")?)?;
    let mut gathered = Gathered::default();
    gathered.read(own);
    let notes = gathered.notes(own);
    let post = Post {
        permalink: format!("https://t.me/{channel}/{number}"),
        author: Author {
            handle: channel.to_owned(),
            name: text_of(own, "tgme_widget_message_owner_name"),
            id: tag.get("data-peer").and_then(peer_id),
        },
        posted: gathered.posted,
        text: gathered.words,
        links: gathered.links,
        media: gathered.media,
        edited: gathered.edited,
        reply_to: gathered.reply_to,
        ..Post::bare(super::name(channel, number))
    };
    Some((post, notes))
}

/// The post's own page shows the widget in a frame; its words and its channel's title stand in the head.
fn told(pieces: &[Piece<'_>], wanted: &PostName) -> Option<Post> {
    let head = Head::read(pieces);
    let (channel, number) = super::address(&wanted.id)?;
    let place = format!("t.me/{channel}/{number}");
    let framed = pieces.iter().any(|piece| {
        let is = |url: &str| {
            let url = url.split(['?', '#']).next().unwrap_or_default();
            url.get(url.len().saturating_sub(place.len())..).is_some_and(|end| end.eq_ignore_ascii_case(&place))
        };
        matches!(piece, Piece::Open(tag) if matches!(&*tag.name, "iframe" | "script")
            && (tag.get("src").is_some_and(is) || tag.get("data-telegram-post").is_some_and(|post| post.eq_ignore_ascii_case(&wanted.id))))
    });
    let text = head.meta(&["og:description", "twitter:description"]).filter(|_| framed)?;
    Some(Post {
        permalink: format!("https://{place}"),
        author: Author { handle: channel.to_owned(), name: head.meta(&["og:title"]).map(str::to_owned), id: None },
        text: text.to_owned(),
        ..Post::bare(super::name(channel, number))
    })
}

/// The channel's own number in `c<number>_<access hash>`; it stays when the name changes.
pub(super) fn peer_id(peer: &str) -> Option<String> {
    let number = peer.strip_prefix('c')?.split('_').next()?;
    (!number.is_empty() && number.bytes().all(|b| b.is_ascii_digit())).then(|| number.to_owned())
}

/// The words inside the first element of this class.
pub(super) fn text_of(pieces: &[Piece<'_>], class: &str) -> Option<String> {
    let start = pieces.iter().position(|piece| matches!(piece, Piece::Open(tag) if tag.has_class(class)))?;
    let mut writer = Writer::default();
    inside(pieces, start).for_each(|piece| writer.add(piece));
    Some(writer.finish().text).filter(|text| !text.is_empty())
}

/// The pieces between a start tag and its end tag. Tags of other names need not be balanced.
fn inside<'a, 'b>(pieces: &'a [Piece<'b>], start: usize) -> impl Iterator<Item = &'a Piece<'b>> + use<'a, 'b> {
    let name = match pieces.get(start) {
        Some(Piece::Open(tag)) => &*tag.name,
        _ => "",
    };
    let mut depth = 1usize;
    pieces.iter().skip(start + 1).take_while(move |piece| {
        match piece {
            Piece::Open(tag) if tag.name == name => depth += 1,
            Piece::Close(closed) if closed == name => depth -= 1,
            _ => {}
        }
        depth > 0
    })
}

#[derive(Default)]
struct Gathered {
    words: String,
    links: Vec<PostLink>,
    media: Vec<Media>,
    posted: Option<jiff::Timestamp>,
    edited: bool,
    reply_to: Option<PostName>,
    in_date: bool,
    read_text: bool,
}

impl Gathered {
    fn read(&mut self, pieces: &[Piece<'_>]) {
        for (at, piece) in pieces.iter().enumerate() {
            match piece {
                Piece::Open(tag) => self.open(tag, pieces, at),
                Piece::Close(name) if name == "a" => self.in_date = false,
                _ => {}
            }
        }
    }

    fn open(&mut self, tag: &Tag<'_>, pieces: &[Piece<'_>], at: usize) {
        let class = |name: &str| tag.has_class(name);
        if tag.name == "time" && self.in_date {
            // a video's length is a `time` too, with no date around it
            self.posted = tag.get("datetime").and_then(|time| time.parse().ok());
        } else if class("tgme_widget_message_date") {
            self.in_date = true;
        } else if class("tgme_widget_message_meta") {
            let before = inside(pieces, at).take_while(|piece| !matches!(piece, Piece::Open(tag) if tag.name == "a"));
            self.edited = before.into_iter().any(|piece| matches!(piece, Piece::Text(text) if text.contains("edited")));
        } else if class("js-message_text") && !self.read_text {
            self.read_text = true;
            let mut writer = Writer::default();
            inside(pieces, at).for_each(|piece| writer.add(piece));
            let prose = writer.finish();
            (self.words, self.links) = (prose.text, prose.links);
        } else if class("tgme_widget_message_reply") {
            self.reply_to = tag.get("href").and_then(named);
        } else {
            self.media(tag);
        }
    }

    fn media(&mut self, tag: &Tag<'_>) {
        let class = |name: &str| tag.has_class(name);
        let styled = || tag.get("style").and_then(background);
        let found = if class("tgme_widget_message_photo_wrap") {
            styled().map(|url| ("photo", url))
        } else if tag.name == "video" {
            tag.get("src").filter(|_| !class("js-message_roundvideo_blured")).map(|src| ("video", src.to_owned()))
        } else if tag.name == "audio" {
            tag.get("src").map(|src| ("audio", src.to_owned()))
        } else if class("tgme_widget_message_sticker") {
            tag.get("data-webp").map(|src| ("photo", src.to_owned()))
        } else if class("tgme_widget_message_link_preview") {
            tag.get("href").map(|href| ("card", href.to_owned()))
        } else {
            self.still(
                styled().filter(|_| class("tgme_widget_message_video_thumb") || class("link_preview_image")),
                tag,
            );
            None
        };
        if let Some((kind, url)) = found.filter(|(_, url)| url.starts_with("https://") || url.starts_with("http://")) {
            let poster = self.poster(kind);
            self.media.push(Media { kind: kind.to_owned(), url, poster, alt: None, uploaded: None });
        }
    }

    /// A video's still comes before the video, a card's picture inside the card.
    fn still(&mut self, url: Option<String>, tag: &Tag<'_>) {
        let Some(url) = url else { return };
        match self.media.last_mut() {
            Some(card) if card.kind == "card" && tag.has_class("link_preview_image") => card.poster = Some(url),
            _ => self.media.push(Media { kind: "still".to_owned(), url, poster: None, alt: None, uploaded: None }),
        }
    }

    fn poster(&mut self, kind: &str) -> Option<String> {
        let still = self.media.pop_if(|last| kind == "video" && last.kind == "still")?;
        Some(still.url)
    }

    fn notes(&mut self, pieces: &[Piece<'_>]) -> Vec<String> {
        // a still whose video the widget does not hand out is all there is to keep
        for left in self.media.iter_mut().filter(|media| media.kind == "still") {
            left.kind = "photo".to_owned();
        }
        let said = [
            ("forwarded from", "tgme_widget_message_forwarded_from_name"),
            ("signed by", "tgme_widget_message_from_author"),
            ("a poll", "tgme_widget_message_poll_question"),
            ("a file", "tgme_widget_message_document_title"),
            ("not all of it is shown", "message_media_not_supported_label"),
        ];
        said.into_iter().filter_map(|(what, class)| Some(format!("{what}: {}", text_of(pieces, class)?))).collect()
    }
}

/// The URL in `background-image:url('…')`.
fn background(style: &str) -> Option<String> {
    let (_, rest) = style.split_once("url(")?;
    let url = rest.split(')').next()?.trim_matches(['\'', '"', ' ']);
    Some(if url.starts_with("//") { format!("https:{url}") } else { url.to_owned() })
}

/// The post that a link inside the widget names.
fn named(href: &str) -> Option<PostName> {
    let path = href.strip_prefix("https://t.me/")?;
    let id = path.split(['?', '#']).next()?;
    super::address(id).map(|(channel, number)| super::name(channel, number))
}
