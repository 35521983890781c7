//! A post told of, as a citation: its words, its links, its day.

use std::ops::Range;

use super::Kind;
use super::attribution::{Told, quoted};
use super::mark::{Mark, What};
use crate::platform::permalink;

/// The citation's kind. `anchored` are links that the words themselves do not show: where they stand among them, and their URLs.
pub(super) fn kind(text: &str, marks: &[Mark<'_>], anchored: &[(Range<usize>, String)], told: &Told) -> Kind {
    let words = text.get(told.quoted.clone()).unwrap_or_default();
    let links = links(marks, anchored, &told.quoted);
    let named = told.permalink.as_deref().and_then(permalink::read);
    let sure = match told.readings.as_slice() {
        [one] => Some(one.to_string()),
        _ => None,
    };
    let truncated = quoted::is_truncated(words, ending(text, &links, &told.quoted));
    Kind::Post {
        platform: named.as_ref().map_or(told.platform, |n| n.platform),
        author: told.author.clone(),
        handle: told.handle.clone(),
        dates: if sure.is_none() { told.readings.iter().map(ToString::to_string).collect() } else { Vec::new() },
        date: sure,
        date_raw: told.date.clone().and_then(|d| text.get(d)).map(str::to_owned),
        quoted: words.to_owned(),
        truncated,
        links: links.into_iter().map(|(_, url)| url).collect(),
        permalink: told.permalink.clone(),
        post_id: named.and_then(|n| n.post),
    }
}

/// The links among the quoted words, in order.
fn links(marks: &[Mark<'_>], anchored: &[(Range<usize>, String)], range: &Range<usize>) -> Vec<(Range<usize>, String)> {
    let first = marks.partition_point(|m| m.start < range.start);
    let shown = marks.iter().skip(first).take_while(|m| m.start < range.end).filter_map(|m| match &m.what {
        What::Link(link) if !m.candidate && m.end <= range.end => Some((m.start..m.end, link.url.clone().into_owned())),
        _ => None,
    });
    let mut links: Vec<(Range<usize>, String)> = shown.collect();
    let from = anchored.partition_point(|(r, _)| r.start < range.start);
    for (words, url) in anchored.iter().skip(from).take_while(|(r, _)| r.start < range.end) {
        if !links.iter().any(|(r, _)| r.start < words.end && words.start < r.end) {
            links.push((words.clone(), url.clone()));
        }
    }
    links.sort_by_key(|(r, _)| r.start);
    links
}

/// Where the links that end the words begin, counted from the words' start.
fn ending(text: &str, links: &[(Range<usize>, String)], range: &Range<usize>) -> usize {
    let mut end = range.end;
    for (link, _) in links.iter().rev() {
        if !text.get(link.end..end).is_some_and(|t| t.trim().is_empty()) {
            break;
        }
        end = link.start;
    }
    end.saturating_sub(range.start)
}
