//! A quotation that joins several posts of one thread: their words in order, as one text, and which posts they are.

use crate::finding::{Agreement, Check, Claim, Judged, made, text};
use crate::format::words;
use crate::platform::post::Post;

/// Several posts read as one.
pub(super) struct Joined {
    /// the post, with the words and links of all
    pub(super) post: Post,
    /// which ones, in order
    names: Vec<String>,
}

/// The posts of the thread as one, where the quotation is of all of them rather than of the one.
pub(super) fn joined(claim: &Claim<'_>, post: &Post, thread: &[Post]) -> Option<Joined> {
    thread.iter().find(|one| one.name == post.name).filter(|_| thread.len() > 1)?;
    let all = |without: bool| {
        let words = |post: &Post| if without { uncounted(&post.text).to_owned() } else { post.text.clone() };
        let text = thread.iter().map(words).collect::<Vec<_>>().join("\n");
        let links = thread.iter().flat_map(|post| post.links.iter().cloned()).collect();
        let (edited, cut) = (thread.iter().any(|post| post.edited), thread.iter().any(|post| post.cut));
        Post { text, links, edited, cut, versions: Vec::new(), others: Vec::new(), quotes: None, ..post.clone() }
    };
    let score = |post: &Post| words::compare(claim.quoted, &post.text).score;
    let (plain, bare) = (all(false), all(true));
    let best = if score(&bare) > score(&plain) { bare } else { plain };
    let names = thread.iter().map(|post| post.name.to_string()).collect();
    // a quotation that leaves words out may be less like all of them than like the one, and be true all the same
    let agrees = text::check(claim, &best).check.result == Agreement::Agrees;
    (agrees || score(&best) > score(post)).then_some(Joined { post: best, names })
}

impl Joined {
    /// The cited words against those of all.
    pub(super) fn text(&self, claim: &Claim<'_>) -> Judged {
        let judged = text::check(claim, &self.post);
        let own = judged.check.why.clone().map(|why| format!("; {why}")).unwrap_or_default();
        let why =
            format!("the quotation joins {} posts of one thread: {}{own}", self.names.len(), self.names.join(", "));
        Judged { check: judged.check.because(why), explained: judged.explained }
    }

    /// That they are of one thread.
    pub(super) fn check(&self) -> Check {
        made("thread", Agreement::Agrees, None, Some(self.names.join(" ")))
            .because("the posts answer each other and are of one author; the quoted words stand in them in this order")
    }
}

/// A post's words without its number in the thread: `1/3`, `(2/3)`, `3/` at either end.
fn uncounted(text: &str) -> &str {
    let is_count = |word: &str| {
        let bare = word.trim_matches(['(', ')', '[', ']', '.', ':']);
        let digits = |part: &str| part.len() <= 3 && part.bytes().all(|b| b.is_ascii_digit());
        bare.split_once('/').is_some_and(|(n, of)| !n.is_empty() && digits(n) && digits(of))
    };
    let mut rest = text.trim();
    if let Some((_, behind)) = rest.split_once(char::is_whitespace).filter(|(first, _)| is_count(first)) {
        rest = behind.trim_start();
    }
    match rest.rsplit_once(char::is_whitespace).filter(|(_, last)| is_count(last)) {
        Some((before, _)) => before.trim_end(),
        None => rest,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_a_thread_are_no_words() {
        for (text, bare) in [
            ("1/3 The gate is shut", "The gate is shut"),
            ("(2/3) The gate is shut.", "The gate is shut."),
            ("The gate is shut 3/", "The gate is shut"),
            ("The gate is shut [4/4]", "The gate is shut"),
            ("1/2 of the gate is shut", "of the gate is shut"),
            ("The gate is half/shut", "The gate is half/shut"),
            ("2024/05 was bad", "2024/05 was bad"),
            ("1/2", "1/2"),
            ("", ""),
        ] {
            assert_eq!(uncounted(text), bare, "{text}");
        }
    }
}
