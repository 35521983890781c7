//! Entries of a platform's feed (Atom, RFC 4287, with the media elements of YouTube's), words kept as they are.

use crate::format::markup::{Piece, walk};

/// One entry.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Entry {
    /// its id
    pub(crate) id: String,
    /// its title
    pub(crate) title: String,
    /// its author's name
    pub(crate) author: String,
    /// when it was published, as it stands
    pub(crate) published: String,
    /// its page
    pub(crate) link: String,
    /// its content, as HTML, or the plain words below a video
    pub(crate) content: String,
}

/// The first so many entries.
pub(crate) fn entries(xml: &str, most: usize) -> Vec<Entry> {
    let mut out = Vec::new();
    let mut entry: Option<Entry> = None;
    let mut open = String::new();
    for piece in walk(xml) {
        match piece {
            Piece::Open(tag) if tag.name == "entry" => entry = Some(Entry::default()),
            Piece::Close(name) if name == "entry" => {
                out.extend(entry.take());
                if out.len() >= most {
                    break;
                }
            }
            Piece::Open(tag) => {
                if let Some(entry) = entry.as_mut().filter(|entry| tag.name == "link" && entry.link.is_empty()) {
                    tag.get("href").unwrap_or_default().clone_into(&mut entry.link);
                }
                open = tag.name.into_owned();
            }
            Piece::Close(_) => open.clear(),
            Piece::Text(text) => {
                if let Some(field) = entry.as_mut().and_then(|entry| entry.field(&open)) {
                    field.push_str(&text);
                }
            }
        }
    }
    out
}

impl Entry {
    fn field(&mut self, name: &str) -> Option<&mut String> {
        match name {
            "id" => Some(&mut self.id),
            "title" => Some(&mut self.title),
            "name" => Some(&mut self.author),
            "published" => Some(&mut self.published),
            "content" | "media:description" => Some(&mut self.content),
            _ => None,
        }
    }
}
