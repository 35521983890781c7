//! Attributions: which words are whose post of which day. The remnant of an embed, a copied page, a reference list, prose.

mod copied;
mod place;
mod prose;
pub(super) mod quoted;
mod reference;
mod remnant;
pub(super) mod row;
pub(super) mod site;
mod unaddressed;

use std::ops::Range;

use jiff::civil::Date;

use super::Form;
use super::mark::{Link, Mark, What};
use crate::format::reading::Pointer;
use crate::platform::permalink;
use crate::platform::post::Platform;

/// What surrounds the marks.
pub(super) struct Ground<'t, 'm> {
    pub(super) text: &'t str,
    pub(super) marks: &'m [Mark<'t>],
    pub(super) language: Option<&'m str>,
    /// stretches that the page itself marks as one embedded post
    pub(super) embeds: &'m [Range<usize>],
    /// stretches of text that are anchors, with the URL behind each
    pub(super) anchors: &'m [(Range<usize>, String)],
    /// URLs in attributes, where the page has such
    pub(super) pointers: &'m [Pointer],
    /// paragraphs are separated by blank lines, not by every line end
    pub(super) spaced: bool,
}

/// A post as the statement tells of it.
#[derive(Clone, Debug)]
pub(super) struct Told {
    pub(super) span: Range<usize>,
    pub(super) platform: Platform,
    pub(super) author: Option<String>,
    pub(super) handle: Option<String>,
    pub(super) readings: Vec<Date>,
    pub(super) date: Option<Range<usize>>,
    pub(super) quoted: Range<usize>,
    pub(super) permalink: Option<String>,
    pub(super) candidate: bool,
}

/// How far posts have been looked for.
#[derive(Debug, Default)]
pub(super) struct Progress {
    /// the first of the ground's marks not looked at
    pub(super) next: usize,
    /// behind the last post told of
    floor: usize,
    /// the quotation mark that comes next
    quote: Quote,
}

/// The first opening quotation mark at or behind a place, remembered: handles come in order, so each byte is looked at once.
#[derive(Debug, Default)]
struct Quote {
    from: usize,
    at: usize,
}

impl Quote {
    /// Whether one stands in a stretch.
    fn stands_in(&mut self, text: &str, range: Range<usize>) -> bool {
        if range.start < self.from || range.start > self.at {
            *self = Self { from: range.start, at: quoted::next_opening(text.as_bytes(), range.start) };
        }
        self.at < range.end
    }
}

/// Whether paragraphs are separated by blank lines, not by every line end.
pub(super) fn is_spaced(text: &str) -> bool {
    let bytes = text.as_bytes();
    let (second, third) = (bytes.get(1..).unwrap_or_default(), bytes.get(2..).unwrap_or_default());
    // the last two bytes have no third
    bytes.ends_with(b"\n\n")
        || third.chunks(STRIDE).enumerate().any(|(n, third)| {
            let stretch = |bytes: &'_ [u8]| n * STRIDE..(n * STRIDE + third.len()).min(bytes.len());
            let first = bytes.get(stretch(bytes)).unwrap_or_default();
            let second = second.get(stretch(second)).unwrap_or_default();
            // without a branch for each byte: in a shape that compilers turn into vector instructions
            let blank = |((a, b), c): ((&u8, &u8), &u8)| {
                u8::from(*a == b'\n') & (u8::from(*b == b'\n') | u8::from(*b == b'\r') & u8::from(*c == b'\n'))
            };
            first.iter().zip(second).zip(third).map(blank).fold(0, |any, one| any | one) != 0
        })
}

/// Bytes that are looked at before asking whether a blank line was among them.
const STRIDE: usize = 4096;

/// Every post told of, in order of place.
pub(super) fn find(ground: &Ground<'_, '_>) -> Vec<Told> {
    let mut told = Vec::new();
    go_on(ground, &mut Progress::default(), usize::MAX, |post| told.push(post));
    told
}

/// Every post told of around the handles before `horizon` that were not looked at yet, in order of place.
pub(super) fn go_on(ground: &Ground<'_, '_>, progress: &mut Progress, horizon: usize, mut tell: impl FnMut(Told)) {
    while let Some(mark) = ground.marks.get(progress.next).filter(|m| m.start < horizon) {
        let n = progress.next;
        progress.next += 1;
        if mark.start < progress.floor {
            continue;
        }
        let (platform, handle) = match &mark.what {
            What::Handle(platform, handle) => (platform, handle),
            What::Link(link) if matches!(link.form, Form::Tco | Form::Pic) => {
                if let Some(post) = unaddressed::read(ground, n, mark, progress.floor) {
                    progress.floor = post.span.end;
                    tell(post);
                }
                continue;
            }
            What::Link(link) => {
                if let Some(post) = behind_profile(ground, n, mark, link, progress.floor) {
                    progress.floor = post.span.end.max(mark.end);
                    tell(post);
                }
                continue;
            }
            What::Hashtag(_) => continue,
        };
        let seat = Seat { n, mark, platform: *platform, handle, floor: progress.floor };
        let read = remnant::read(ground, &seat)
            .or_else(|| reference::read(ground, &seat))
            .or_else(|| copied::read(ground, &seat))
            .or_else(|| {
                let near = mark.start.saturating_sub(place::WINDOW).max(seat.floor)..mark.end + place::WINDOW;
                let quotes = progress.quote.stands_in(ground.text, near)
                    && progress.quote.stands_in(ground.text, prose::window(ground, &seat));
                quotes.then(|| prose::read(ground, &seat).or_else(|| remnant::undated(ground, &seat))).flatten()
            });
        if let Some(mut post) = read {
            progress.floor = post.span.end.max(mark.end);
            let named = post.permalink.as_deref().and_then(permalink::read).is_some_and(|named| named.post.is_some());
            if post.platform == Platform::X && !named {
                post.platform = site::named(ground.text, &post).unwrap_or(Platform::X);
            }
            tell(post);
        }
    }
}

/// A post whose account is given by the address of its profile: `Name (t.me/name) date`.
fn behind_profile(ground: &Ground<'_, '_>, n: usize, mark: &Mark<'_>, link: &Link<'_>, floor: usize) -> Option<Told> {
    let named = link.named.as_ref().filter(|named| named.post_id.is_none())?;
    let handle = named.handle.as_deref()?;
    let seat = Seat { n, mark, platform: named.platform, handle, floor };
    remnant::read(ground, &seat).filter(|told| told.date.is_some())
}

/// The handle an attribution may be built around.
pub(super) struct Seat<'a, 't> {
    /// its place among the marks
    pub(super) n: usize,
    pub(super) mark: &'a Mark<'t>,
    pub(super) platform: Platform,
    pub(super) handle: &'a str,
    /// behind the last post told of
    pub(super) floor: usize,
}

impl<'t, 'm> Ground<'t, 'm> {
    /// A text and its marks, with nothing else known.
    pub(super) fn of(text: &'t str, marks: &'m [Mark<'t>]) -> Self {
        Self { text, marks, language: None, embeds: &[], anchors: &[], pointers: &[], spaced: is_spaced(text) }
    }
}

impl Ground<'_, '_> {
    /// Before this place no post can begin any more: the next one's words may be the paragraph before the one its dash is in,
    /// and a quotation that ends there may have begun some paragraphs earlier.
    pub(super) fn settled(&self, progress: &Progress, horizon: usize) -> usize {
        let floor = progress.floor;
        let next = self.marks.get(progress.next).map_or(horizon, |m| m.start.min(horizon));
        let near = place::floor(self.text, next.saturating_sub(2 * place::WINDOW + quoted::LONGEST));
        if near <= floor {
            return floor.min(near);
        }
        let start = place::paragraph(self.text, floor, near, self.spaced);
        let words = self.text.get(floor..start).unwrap_or_default().trim_end_matches(place::is_blank);
        place::paragraph(self.text, floor, floor + words.len(), self.spaced)
    }

    /// The permalink that belongs to a post: behind its date's anchor, or right behind the date.
    fn permalink(&self, seat: &Seat<'_, '_>, date: &Range<usize>, reach: usize) -> Option<String> {
        let post = |url: &str| permalink::read(url).filter(|n| n.post.is_some());
        let own = |url: &str| {
            post(url).filter(|n| {
                n.handle.as_deref().is_none_or(|h| {
                    h.eq_ignore_ascii_case(seat.handle) || seat.platform != Platform::X || n.platform != Platform::X
                })
            })
        };
        let n = self.anchors.partition_point(|(r, _)| r.end <= date.start);
        if let Some((range, url)) = self.anchors.get(n)
            && range.start < date.end
            && post(url).is_some()
        {
            // Behind the date's own anchor it is the post's, whoever the statement says wrote it.
            return Some(url.clone());
        }
        let behind = self.marks.iter().skip(seat.n + 1).find(|m| m.start >= date.end)?;
        let between = self.text.get(date.end..behind.start)?;
        let near = between.chars().count() <= reach && !between.contains("\n\n");
        let beside = date.start < date.end && between.chars().count() <= 3 && !between.contains('\n');
        // an address that was made short or to be shared: where it leads, only the one who asks knows
        let short = |link: &Link<'_>| {
            matches!(link.form, Form::Tco | Form::Shortener)
                || link.url.contains("reddit.com/r/") && link.url.contains("/s/")
        };
        match &behind.what {
            What::Link(link)
                if near
                    && !behind.candidate
                    && (own(&link.url).is_some() || (beside && (post(&link.url).is_some() || short(link)))) =>
            {
                Some(link.url.clone().into_owned())
            }
            _ => None,
        }
    }

    /// The address of the post that an embed is, as its own attributes give it.
    fn embedded(&self, embed: &Range<usize>) -> Option<String> {
        let n = self.pointers.partition_point(|p| p.at < embed.start);
        let own = self.pointers.iter().skip(n).take_while(|p| p.at == embed.start).take(16);
        let posts = own.filter(|p| permalink::read(&p.url).is_some_and(|named| named.post.is_some()));
        posts.last().map(|p| p.url.clone())
    }

    /// The stretch of the embed that holds `at`.
    fn embed(&self, at: usize) -> Option<&Range<usize>> {
        // the innermost of those that hold it; deeper nests than this hold no posts
        let n = self.embeds.partition_point(|r| r.start <= at);
        self.embeds.iter().take(n).rev().take(16).find(|r| r.end > at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_blank_line_is_seen_wherever_it_stands() {
        for lead in [0, 1, 2, STRIDE - 3, STRIDE - 2, STRIDE - 1, STRIDE, STRIDE + 1] {
            for tail in [0, 1, 2, 40] {
                for (end, want) in [("\n\n", true), ("\n\r\n", true), ("\n", false), ("\r\n", false), ("\n \n", false)]
                {
                    let text = format!("{}{end}{}", "a".repeat(lead), "b".repeat(tail));
                    assert_eq!(is_spaced(&text), want, "{lead} {end:?} {tail}");
                }
            }
        }
    }
}
