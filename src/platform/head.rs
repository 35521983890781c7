//! The head of a post's page, word for word: what it says in `meta` and `link`, line ends kept, for pages that show a post to
//! those who run no scripts (Open Graph, schema.org; as sites wrote them in 2026).

use crate::format::markup::{Piece, Tag};

/// What a head says, in order.
#[derive(Debug, Default)]
pub(crate) struct Head {
    metas: Vec<(String, String)>,
    links: Vec<(String, String)>,
}

/// Entries kept of one page; a head has a few dozen.
const MOST: usize = 512;

impl Head {
    /// Reads it out of a page's pieces.
    pub(crate) fn read(pieces: &[Piece<'_>]) -> Self {
        let mut head = Self::default();
        for tag in pieces.iter().filter_map(|piece| if let Piece::Open(tag) = piece { Some(tag) } else { None }) {
            match &*tag.name {
                "meta" if head.metas.len() < MOST => head.metas.extend(meta(tag)),
                "link" if head.links.len() < MOST => head.links.extend(link(tag)),
                _ => {}
            }
        }
        head
    }

    /// The first of these that is there and not empty.
    pub(crate) fn meta(&self, names: &[&str]) -> Option<&str> {
        let of = |name: &&str| self.metas.iter().find(|(n, value)| n == name && !value.trim().is_empty());
        names.iter().find_map(of).map(|(_, value)| value.as_str())
    }

    /// Where links of that relation, or microdata of that property, lead.
    pub(crate) fn links<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.links.iter().filter(move |(n, _)| n == name).map(|(_, href)| href.as_str())
    }
}

fn meta(tag: &Tag<'_>) -> Option<(String, String)> {
    let name = ["property", "name", "itemprop"].iter().find_map(|key| tag.get(key))?;
    Some((name.trim().to_ascii_lowercase(), tag.get("content")?.to_owned()))
}

fn link(tag: &Tag<'_>) -> Option<(String, String)> {
    let name = ["rel", "itemprop"].iter().find_map(|key| tag.get(key))?;
    let value = tag.get("href").or_else(|| tag.get("content"))?;
    Some((name.trim().to_ascii_lowercase(), value.to_owned()))
}

/// `Name (@handle)`, taken apart.
pub(crate) fn signed(title: &str) -> Option<(Option<String>, String)> {
    let title = title.trim();
    if let Some(handle) = title.strip_prefix('@').filter(|handle| !handle.contains(' ')) {
        return Some((None, handle.to_owned()));
    }
    let (name, handle) = title.strip_suffix(')')?.rsplit_once("(@")?;
    let name = Some(name.trim()).filter(|name| !name.is_empty()).map(str::to_owned);
    (!handle.is_empty() && !handle.contains(char::is_whitespace)).then(|| (name, handle.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::markup::pieces;

    #[test]
    fn heads_are_read_word_for_word() {
        let html = "<meta property='og:title' content='A (@a@b.example)'><meta name=description content='one\n\ntwo'>\
            <meta itemprop=datePublished content=2024-05-01><meta property=og:empty content=' '>\
            <link rel=canonical href=/x><link itemprop=name content=Who><meta content=nameless>";
        let head = Head::read(&pieces(html));
        assert_eq!(head.meta(&["og:none", "og:empty", "description"]), Some("one\n\ntwo"));
        assert_eq!(head.meta(&["datepublished"]), Some("2024-05-01"));
        assert_eq!((head.links("canonical").next(), head.links("name").next()), (Some("/x"), Some("Who")));
    }

    #[test]
    fn signatures_are_taken_apart() {
        assert_eq!(signed("A (b) (@a@b.example)"), Some((Some("A (b)".into()), "a@b.example".into())));
        assert_eq!(signed("@a.example"), Some((None, "a.example".into())));
        for none in ["", "A", "A (@)", "A (@b c)", "@a b"] {
            assert_eq!(signed(none), None, "{none}");
        }
    }
}
