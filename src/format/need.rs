//! What a reader of a page needs to see it, read from its HTML (WHATWG HTML §4): pictures in their best rendition, sheets,
//! fonts, icons, posters, sound and film. Scripts and frames are named, not fetched.

use url::Url;

use crate::format::css;
use crate::format::markup::{Piece, Tag};

/// One thing that a page refers to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Need {
    /// where it is
    pub url: Url,
    /// what for
    pub kind: Kind,
}

/// What it is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// a style sheet; it may need more
    Sheet,
    /// a picture, poster or preview
    Picture,
    /// a font or another thing a sheet refers to
    OfSheet,
    /// an icon
    Icon,
    /// sound or film
    Media,
    /// a smaller rendition of a picture that is fetched: named only
    Smaller,
    /// a script: named only, for none is run
    Script,
    /// another page inside this one: named only
    Frame,
}

impl Kind {
    /// Why it is left out by rule; none where it is fetched.
    pub fn left_out(self) -> Option<&'static str> {
        match self {
            Self::Smaller => Some("a smaller rendition of a picture that was asked for"),
            Self::Script => Some("a script; none is run"),
            Self::Frame => Some("a frame with another page"),
            _ => None,
        }
    }
}

/// What an answer refers to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Needs {
    /// nothing: it is neither a page nor a sheet
    #[default]
    Nothing,
    /// a page, all of this
    Page(Vec<Need>),
    /// a style sheet, all of this
    Sheet(Vec<Need>),
}

/// Everything a style sheet at `base` refers to.
pub fn of_sheet(base: &Url, sheet: &str) -> Vec<Need> {
    let needs = css::references(sheet).into_iter().filter_map(|reference| {
        let kind = if reference.import { Kind::Sheet } else { Kind::OfSheet };
        Some(Need { url: resolve(base, &reference.url)?, kind })
    });
    needs.collect()
}

fn resolve(base: &Url, text: &str) -> Option<Url> {
    let mut url = base.join(text.trim()).ok()?;
    url.set_fragment(None);
    (matches!(url.scheme(), "http" | "https") && !text.trim().is_empty()).then_some(url)
}

/// References of one page at most.
const MOST: usize = 20_000;

/// Reads what a page refers to piece by piece, for whoever walks through it anyway.
#[derive(Debug)]
pub struct Reader {
    base: Url,
    out: Vec<Need>,
    seen: std::collections::HashSet<String>,
    in_style: bool,
}

impl Reader {
    /// Of the page at `base`.
    pub fn new(base: &Url) -> Self {
        Self { base: base.clone(), out: Vec::new(), seen: std::collections::HashSet::new(), in_style: false }
    }

    /// The next piece.
    pub fn piece(&mut self, piece: &Piece<'_>) {
        match piece {
            Piece::Open(tag) => self.open(tag),
            Piece::Text(text) if self.in_style => self.sheet(text),
            Piece::Close(name) if name == "style" => self.in_style = false,
            _ => {}
        }
    }

    /// Everything, each once, in the order of the page.
    pub fn finish(self) -> Vec<Need> {
        self.out
    }

    fn add(&mut self, text: Option<&str>, kind: Kind) {
        let Some(url) = text.and_then(|text| resolve(&self.base, text)) else { return };
        if self.out.len() < MOST && self.seen.insert(url.to_string()) {
            self.out.push(Need { url, kind });
        }
    }

    fn sheet(&mut self, text: &str) {
        for reference in css::references(text) {
            let kind = if reference.import { Kind::Sheet } else { Kind::OfSheet };
            self.add(Some(&reference.url), kind);
        }
    }

    fn open(&mut self, tag: &Tag<'_>) {
        if let Some(style) = tag.get("style") {
            self.sheet(style);
        }
        match &*tag.name {
            "base" => {
                if let Some(base) = tag.get("href").and_then(|href| self.base.join(href).ok()) {
                    self.base = base;
                }
            }
            "style" => self.in_style = true,
            "link" => self.link(tag),
            "img" | "source" | "amp-img" => self.picture(tag),
            "image" => self.add(tag.get("href").or_else(|| tag.get("xlink:href")), Kind::Picture),
            "input" if tag.get("type").is_some_and(|t| t.eq_ignore_ascii_case("image")) => {
                self.add(tag.get("src"), Kind::Picture)
            }
            "video" | "audio" => {
                self.add(tag.get("poster"), Kind::Picture);
                self.add(tag.get("src"), Kind::Media);
            }
            "track" | "embed" => self.add(tag.get("src"), Kind::Media),
            "object" => self.add(tag.get("data"), Kind::Media),
            "iframe" | "frame" => self.add(tag.get("src"), Kind::Frame),
            "script" => self.add(tag.get("src"), Kind::Script),
            "meta" => self.preview(tag),
            "body" | "table" | "td" => self.add(tag.get("background"), Kind::Picture),
            _ => {}
        }
    }

    fn link(&mut self, tag: &Tag<'_>) {
        let rel = tag.get("rel").unwrap_or_default().to_ascii_lowercase();
        let has = |word: &str| rel.split_ascii_whitespace().any(|r| r == word);
        let kind = match tag.get("as").unwrap_or_default() {
            _ if has("stylesheet") => Kind::Sheet,
            _ if rel.contains("icon") => Kind::Icon,
            "image" if has("preload") => Kind::Picture,
            "font" if has("preload") => Kind::OfSheet,
            "style" if has("preload") => Kind::Sheet,
            _ => return,
        };
        self.add(tag.get("href"), kind);
    }

    /// The best of a `srcset` stands for all; where there is one, `src` is the fallback that no reader of today sees.
    fn picture(&mut self, tag: &Tag<'_>) {
        let set = tag.get("srcset").or_else(|| tag.get("data-srcset")).map(candidates).unwrap_or_default();
        let best = set.iter().enumerate().max_by(|(i, a), (j, b)| a.1.total_cmp(&b.1).then(j.cmp(i))).map(|(at, _)| at);
        let is_media = tag.name == "source" && tag.get("src").is_some();
        let kind = if is_media { Kind::Media } else { Kind::Picture };
        for at in best.into_iter().chain((0..set.len()).filter(|at| Some(*at) != best)) {
            let kind = if Some(at) == best { Kind::Picture } else { Kind::Smaller };
            self.add(set.get(at).map(|(url, _)| url.as_str()), kind);
        }
        self.add(tag.get("src"), kind);
        self.add(tag.get("data-src"), kind);
    }

    fn preview(&mut self, tag: &Tag<'_>) {
        let name = tag.get("property").or_else(|| tag.get("name")).unwrap_or_default();
        if matches!(name, "og:image" | "og:image:url" | "og:image:secure_url" | "twitter:image" | "twitter:image:src") {
            self.add(tag.get("content"), Kind::Picture);
        }
    }
}

/// The candidates of a `srcset` with their width or density (WHATWG HTML §4.8.4.2). A URL may hold commas, but not end in
/// one.
fn candidates(set: &str) -> Vec<(String, f64)> {
    let mut out = Vec::new();
    let mut rest = set;
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == ',');
        if rest.is_empty() || out.len() >= 256 {
            return out;
        }
        let end = rest.find(|c: char| c.is_ascii_whitespace()).unwrap_or(rest.len());
        let (url, after) = rest.split_at(end);
        let bare = url.trim_end_matches(',');
        let (size, left) =
            if bare.len() < url.len() { ("", after) } else { after.split_once(',').unwrap_or((after, "")) };
        let number = size.trim().trim_end_matches(['w', 'x', 'h']).parse().unwrap_or(1.0);
        out.push((bare.to_owned(), number));
        rest = left;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::markup;

    fn of_page(base: &Url, html: &str) -> Vec<Need> {
        let mut reader = Reader::new(base);
        markup::walk(html).for_each(|piece| reader.piece(&piece));
        reader.finish()
    }

    #[test]
    fn a_page_and_what_it_needs() -> Result<(), url::ParseError> {
        let html = "<base href='/d/'><link rel='shortcut icon' href=i.ico><link rel=stylesheet href=a.css><link rel=canonical href=x>\
            <style>@import 'b.css'; p{background:url(c.png)}</style><script src=s.js></script><iframe src=f.html></iframe>\
            <img src=small.jpg srcset='m.jpg 640w, l,1.jpg 1280w,t.jpg 320w'><p style=\"background:url('d.png')\">\
            <video poster=p.jpg><source src=v.mp4></video><img src=data:image/png;base64,AA><img src=a.css#x><meta property=og:image content=https://o.example/og.jpg>";
        let needs = of_page(&Url::parse("https://h.example/x")?, html);
        let found: Vec<_> = needs.iter().map(|n| (n.url.path(), n.kind)).collect();
        assert_eq!(
            found,
            [
                ("/d/i.ico", Kind::Icon),
                ("/d/a.css", Kind::Sheet),
                ("/d/b.css", Kind::Sheet),
                ("/d/c.png", Kind::OfSheet),
                ("/d/s.js", Kind::Script),
                ("/d/f.html", Kind::Frame),
                ("/d/l,1.jpg", Kind::Picture),
                ("/d/m.jpg", Kind::Smaller),
                ("/d/t.jpg", Kind::Smaller),
                ("/d/small.jpg", Kind::Picture),
                ("/d/d.png", Kind::OfSheet),
                ("/d/p.jpg", Kind::Picture),
                ("/d/v.mp4", Kind::Media),
                ("/og.jpg", Kind::Picture),
            ]
        );
        Ok(())
    }

    #[test]
    fn candidate_lists() {
        let of = |set: &str| candidates(set).into_iter().map(|(url, _)| url).collect::<Vec<_>>();
        assert_eq!(of("a 1x, b 2x"), ["a", "b"]);
        assert_eq!(of("a, b"), ["a", "b"]);
        assert_eq!(of("a?x=1,2 1x,b"), ["a?x=1,2", "b"]);
        assert!(of(" ,, ").is_empty());
    }
}
