//! What copying does to a post's words, undone: links are checked apart, entities are characters, a retweet's mark and `[sic]` are no
//! part of what was said, emoji may have been lost.

use crate::finding::Claim;
use crate::format::markup::unescape;
use crate::platform::post::{Post, PostLink};

/// The cited words and the post's, brought to where they can be compared.
pub(super) struct Words {
    pub(super) cited: String,
    pub(super) found: String,
    /// the statement has none of the post's emoji
    pub(super) lost_emoji: bool,
}

impl Words {
    /// The claim's words and `text`, which is the post's or one of its versions'.
    pub(super) fn of(claim: &Claim<'_>, post: &Post, text: &str) -> Self {
        let cited = unescape(claim.quoted);
        let cited = plain(without_sic(without_mark(&cited, &post.author.handle)).as_str(), &post.links);
        let found = plain(&unescape(text), &post.links);
        let lost_emoji = !cited.contains(is_emoji) && found.contains(is_emoji);
        let found = if lost_emoji { without_emoji(&found) } else { found };
        Self { cited, found, lost_emoji }
    }
}

/// A text without its links; its lines stay lines.
pub(super) fn plain(text: &str, links: &[PostLink]) -> String {
    let is_link = |word: &str| {
        let word = word.trim_start_matches(['(', '[', '"', '“', '«']);
        let code = ["t.co/", "pic.twitter.com/", "pic.x.com/"].iter().any(|host| word.starts_with(host));
        word.contains("://") || code || links.iter().any(|link| shows(word, link))
    };
    let line = |line: &str| line.split_whitespace().filter(|word| !is_link(word)).collect::<Vec<_>>().join(" ");
    text.split('\n').map(line).collect::<Vec<_>>().join("\n")
}

/// Whether a word is a link as the platform shows it: without scheme, and often cut.
fn shows(word: &str, link: &PostLink) -> bool {
    let cut = word.contains('…') || word.contains("...");
    let bare = |text: &str| {
        let text = text.split_once("://").map_or(text, |(_, rest)| rest);
        let text = text.strip_prefix("www.").unwrap_or(text);
        text.trim_end_matches(['…', '/', '.', ',', ')', ']', '"', '”']).to_owned()
    };
    let word = bare(word);
    let own = [Some(link.raw.as_str()), Some(link.expanded.as_str()), link.shown.as_deref()];
    word.contains('.')
        && own
            .into_iter()
            .flatten()
            .map(bare)
            .any(|own| own == word || (cut && word.contains('/') && own.starts_with(&word)))
}

/// Without `RT @handle:` before the words of that very account.
fn without_mark<'t>(text: &'t str, handle: &str) -> &'t str {
    let own = || {
        let rest = text.trim_start().strip_prefix("RT ")?.trim_start().strip_prefix('@')?;
        let (who, words) = rest.split_once(char::is_whitespace)?;
        who.trim_end_matches(':').eq_ignore_ascii_case(handle).then_some(words)
    };
    own().unwrap_or(text)
}

/// Without the remark that an error is the post's own.
fn without_sic(text: &str) -> String {
    ["[sic]", "(sic)", "[sic!]", "(sic!)", "[Sic]", "[SIC]"]
        .iter()
        .fold(text.to_owned(), |text, sic| text.replace(sic, ""))
}

/// Pictures among letters (Unicode's emoji blocks, regional indicators, keycaps and tags); dingbats are some.
pub(super) fn is_emoji(c: char) -> bool {
    matches!(c, '\u{20e3}' | '\u{2300}'..='\u{23ff}' | '\u{2600}'..='\u{27bf}' | '\u{2b00}'..='\u{2bff}' | '\u{1f000}'..='\u{1faff}'
        | '\u{e0020}'..='\u{e007f}')
}

fn without_emoji(text: &str) -> String {
    text.chars().map(|c| if is_emoji(c) { ' ' } else { c }).collect()
}

/// What stands in square brackets, which is the statement's own, and the words with gaps in its place; none where there is nothing
/// of the kind.
pub(super) fn bracketed(cited: &str) -> Option<(Vec<&str>, String)> {
    let (mut own, mut rest, mut out) = (Vec::new(), cited, String::new());
    while let Some((before, after)) = rest.split_once('[') {
        let Some((inside, behind)) = after.split_once(']') else { break };
        out.push_str(before);
        out.push('…');
        if inside.chars().any(char::is_alphanumeric) {
            own.push(inside);
        }
        rest = behind;
    }
    out.push_str(rest);
    (!own.is_empty()).then_some((own, out))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shown_links_are_links() {
        let link = |shown: &str| PostLink {
            raw: "https://t.co/Ab3".into(),
            expanded: "https://www.harbour.example/notices/2026/quay-4".into(),
            shown: Some(shown.into()),
        };
        for (word, is) in [
            ("harbour.example/notices/20…", true),
            ("harbour.example/notices/2026/quay-4.", true),
            ("harbour.example/notices/20", false),
            ("harbour.example/other…", false),
            ("harbour…", false),
            ("notices", false),
        ] {
            assert_eq!(shows(word, &link("harbour.example/notices/2026…")), is, "{word}");
        }
    }

    #[test]
    fn marks_brackets_and_remarks() {
        assert_eq!(without_mark("RT @Quay: no", "quay"), "no");
        assert_eq!(without_mark("RT @Other: no", "quay"), "RT @Other: no");
        assert_eq!(without_sic("an eror [sic]"), "an eror ");
        assert_eq!(
            bracketed("[The board] decided [to]night"),
            Some((vec!["The board", "to"], "… decided …night".into()))
        );
        assert_eq!(bracketed("no […] more ["), None);
    }
}
