//! HTML read as a flat run of tags and text (WHATWG HTML §13.2.5): no tree, so hostile nesting costs nothing.
//!
//! Contents of `script`, `style`, `textarea`, `title`, `xmp`, `iframe`, `noembed` and `noframes` are text; those of
//! `noscript` are markup, for we run no script. Time is linear in the input and memory a small multiple of it.

use std::borrow::Cow;

mod decode;
mod plain;
mod reference;
mod walk;

pub use decode::decode;
pub use plain::{Plain, plain};
pub use reference::unescape;
pub use walk::Pieces;

/// A tag or a run of text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece<'a> {
    /// a start tag
    Open(Tag<'a>),
    /// an end tag's name, lower case
    Close(Cow<'a, str>),
    /// text; entities undone, save inside `script` and `style`, where there are none
    Text(Cow<'a, str>),
}

/// A start tag.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tag<'a> {
    /// lower case
    pub name: Cow<'a, str>,
    /// names in lower case, values with entities undone, in order
    pub attributes: Vec<(Cow<'a, str>, Cow<'a, str>)>,
}

impl Tag<'_> {
    /// The first value of an attribute.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(n, _)| n == name).map(|(_, value)| &**value)
    }

    /// Whether its `class` holds this word.
    pub fn has_class(&self, class: &str) -> bool {
        self.get("class").is_some_and(|all| all.split_ascii_whitespace().any(|one| one == class))
    }
}

/// What is read of one document; the rest of a longer one is left.
pub const BOUND: usize = 8 << 20;

/// Every piece of `html`, in order.
pub fn pieces(html: &str) -> Vec<Piece<'_>> {
    walk(html).collect()
}

/// The same one by one: nothing but the piece at hand is held.
pub fn walk(html: &str) -> Pieces<'_> {
    Pieces::new(head(html, BOUND))
}

fn head(text: &str, bound: usize) -> &str {
    let mut end = bound.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn anything_ends(html in ".{0,400}") {
            let _ = pieces(&html);
            let _ = plain(&html);
        }

        #[test]
        fn tag_soup_ends(html in "[<>/!a-c =\"'&#;é-]{0,200}") {
            let _ = plain(&html);
        }
    }
}
