//! Links quoted with the words: each must be one of the post's own, code for code.

use crate::finding::{Agreement, Check, Claim, made};
use crate::platform::post::Post;

/// The cited links against the post's.
pub(super) fn check(claim: &Claim<'_>, post: &Post) -> Option<Check> {
    if claim.links.is_empty() {
        return None;
    }
    let own: Vec<&str> = post.links.iter().map(|link| link.raw.as_str()).collect();
    let of = |result| made("links", result, Some(claim.links.join(" ")), (!own.is_empty()).then(|| own.join(" ")));
    let missing: Vec<&str> = claim.links.iter().map(String::as_str).filter(|link| !has(post, link)).collect();
    Some(match missing.as_slice() {
        [] => of(Agreement::Agrees),
        _ if own.is_empty() && post.cut => of(Agreement::Unknown).because("the captured text is cut"),
        all => of(Agreement::Disagrees).because(format!("not in the post: {}", all.join(" "))),
    })
}

fn has(post: &Post, cited: &str) -> bool {
    let cited = bare(cited);
    let own = post
        .links
        .iter()
        .flat_map(|link| [Some(link.raw.as_str()), Some(link.expanded.as_str()), link.shown.as_deref()]);
    own.flatten().any(|own| bare(own) == cited) || post.text.contains(&cited)
}

/// Without scheme, and with the three hosts of X's codes as one: `pic.twitter.com/a` is `t.co/a`, but not `t.co/A`.
fn bare(link: &str) -> String {
    let rest = link.split_once("://").map_or(link, |(_, rest)| rest).trim_end_matches('/');
    let rest = rest.strip_prefix("www.").unwrap_or(rest);
    match rest.split_once('/') {
        Some(("pic.twitter.com" | "pic.x.com", code)) => format!("t.co/{code}"),
        _ => rest.to_owned(),
    }
}
