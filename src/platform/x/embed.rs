//! oEmbed's answer: the very remnant that statements quote. It has the words and the day, not the time.

use serde_json::Value;

use crate::format::markup::{self, Piece, Plain};
use crate::platform::permalink;
use crate::platform::post::{Author, Post, PostLink};
use crate::platform::x::{self, answer};

/// The post in an oEmbed answer (shapes of 2012 to 2026: escaped or not, twitter.com or x.com).
pub fn read(json: &Value) -> Option<Post> {
    let html = json.get("html")?.as_str()?;
    let url = json.get("url")?.as_str()?;
    let id = permalink::read(url)?.post.filter(|id| x::is_id(id))?;
    let handle = json.get("author_url").and_then(Value::as_str).and_then(|u| u.rsplit('/').next()).unwrap_or_default();
    let author = Author {
        handle: Some(handle).filter(|h| x::is_handle(h)).unwrap_or_default().to_owned(),
        name: json.get("author_name").and_then(Value::as_str).map(str::to_owned),
        id: None,
    };
    let mut post = answer::bare(&id, author, String::new());
    words(html, &mut post)?;
    Some(post)
}

/// The first paragraph of the blockquote is the text; links in it show a short form and lead to `t.co`.
fn words(html: &str, post: &mut Post) -> Option<()> {
    let pieces = markup::pieces(html);
    let start = pieces.iter().position(|p| matches!(p, Piece::Open(tag) if tag.name == "p"))?;
    let end = pieces.iter().position(|p| matches!(p, Piece::Close(name) if name == "p")).unwrap_or(pieces.len());
    if let Some(Piece::Open(tag)) = pieces.get(start) {
        post.language = tag.get("lang").filter(|l| *l != "und").map(str::to_owned);
    }
    let mut text = Linked::default();
    for piece in pieces.get(start + 1..end)? {
        text.add(piece);
    }
    (post.text, post.links) = text.finish();
    Some(())
}

/// Text in which each link to `t.co` stands as its address, as in the platform's own answers.
#[derive(Default)]
pub(super) struct Linked {
    text: Plain,
    links: Vec<PostLink>,
    inside: Option<String>,
}

impl Linked {
    pub(super) fn add(&mut self, piece: &Piece<'_>) {
        match piece {
            Piece::Open(tag) if tag.name == "a" => self.open(tag),
            Piece::Close(name) if name == "a" => self.inside = None,
            Piece::Text(shown) if self.inside.is_some() => self.shown(shown),
            _ if self.inside.is_some() => {}
            _ => self.text.add(piece),
        }
    }

    fn open(&mut self, tag: &markup::Tag<'_>) {
        let Some(href) = tag.get("href").filter(|h| h.contains("//t.co/")) else { return };
        // a hidden link to the post's own picture follows the last word without a space
        self.text.add(&Piece::Text(" ".into()));
        self.text.add(&Piece::Text(href.to_owned().into()));
        let expanded = tag.get("data-expanded-url").or_else(|| tag.get("title")).filter(|u| u.starts_with("http"));
        self.links.push(PostLink { raw: href.to_owned(), expanded: expanded.unwrap_or(href).to_owned(), shown: None });
        self.inside = Some(href.to_owned());
    }

    fn shown(&mut self, shown: &str) {
        if let Some(link) = self.links.last_mut() {
            let text = link.shown.get_or_insert_default();
            text.push_str(shown);
        }
    }

    pub(super) fn finish(self) -> (String, Vec<PostLink>) {
        let mut links = self.links;
        for link in &mut links {
            link.shown = link.shown.take().map(|s| s.trim().to_owned()).filter(|s| !s.is_empty() && *s != link.raw);
        }
        (self.text.finish(), links)
    }
}
