//! The finding: what the statement claims of a post, against what was captured.

mod author;
mod copied;
mod date;
mod links;
mod text;
mod thread;
mod time;

use serde::{Deserialize, Serialize};

use crate::citation::{Citation, CitationId, Kind};
use crate::format::digest::Digest;
use crate::platform::post::{Author, Post};
use crate::resolution::hop::Resolution;
use crate::statement::About;

/// What a check came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Agreement {
    /// both sides say the same
    Agrees,
    /// they do not
    Disagrees,
    /// one side is silent, or the capture cannot tell
    Unknown,
}

/// One check: one thing claimed, one thing found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Check {
    /// `author`, `date`, `text`, `links`, `media-time`, `id-time`, `identity`, `edits`, `candidates`, `thread`
    pub check: String,
    /// what it came to
    pub result: Agreement,
    /// what the statement says
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub cited: Option<String>,
    /// what was found
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub found: Option<String>,
    /// 0 to 1 for words
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub score: Option<f64>,
    /// why, where the result alone does not say
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub why: Option<String>,
}

/// The whole of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// author and words agree, and the date agrees or is explained
    Corroborated,
    /// author, date or words disagree and nothing recorded explains it
    Contradicted,
    /// neither
    Undetermined,
}

/// What a statement claims of one post, judged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// the citation
    pub citation: CitationId,
    /// the post, `x:1137…`
    pub post: String,
    /// the snapshot it rests on; set by whoever took it
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub snapshot: Option<Digest>,
    /// the whole of it
    pub verdict: Verdict,
    /// check by check
    pub checks: Vec<Check>,
}

/// What a statement claims of a quoted post, against what was captured. Nothing where the citation quotes no post, or no post
/// was captured. `known` are accounts seen in other captures: one with the cited handle and the found id is a renaming.
///
/// One finding for each post that may be the cited one. Where there are several, none is corroborated: which of them the
/// statement means cannot be told.
pub fn check(citation: &Citation, about: &About, resolution: &Resolution, known: &[Author]) -> Vec<Finding> {
    let posts: Vec<&Post> = resolution.posts().collect();
    let findings = posts.iter().filter_map(|post| one(citation, about, (post, &resolution.thread), known));
    if posts.len() < 2 {
        return findings.collect();
    }
    let names: Vec<String> = posts.iter().map(|post| post.name.to_string()).collect();
    let several = made("candidates", Agreement::Unknown, None, Some(names.join(" ")))
        .because(format!("{} posts match the quoted words equally well", posts.len()));
    findings
        .map(|mut finding| {
            finding.checks.push(several.clone());
            if finding.verdict == Verdict::Corroborated {
                finding.verdict = Verdict::Undetermined;
            }
            finding
        })
        .collect()
}

fn one(citation: &Citation, about: &About, (post, thread): (&Post, &[Post]), known: &[Author]) -> Option<Finding> {
    let claim = Claim::of(&citation.kind)?;
    let joined = thread::joined(&claim, post, thread);
    let (words, whole) = match &joined {
        Some(joined) => (joined.text(&claim), &joined.post),
        None => (text::check(&claim, post), post),
    };
    let mut judged = vec![author::check(&claim, post, known), date::check(&claim, post, about), words];
    let others = [
        joined.as_ref().map(thread::Joined::check),
        links::check(&claim, whole),
        time::media(post),
        time::id(post),
        author::identity(&claim, post, known),
        text::edits(&claim, post),
    ];
    let verdict = verdict(&judged);
    judged.extend(others.into_iter().flatten().map(Judged::plain));
    let checks = judged.into_iter().map(|judged| judged.check).collect();
    Some(Finding { citation: citation.id, post: post.name.to_string(), snapshot: None, verdict, checks })
}

/// Author, date and text in that order. An explained disagreement contradicts nothing; only a date may be explained and
/// still corroborate.
fn verdict(judged: &[Judged]) -> Verdict {
    let is = |at: usize, result: Agreement| judged.get(at).is_some_and(|j| j.check.result == result);
    let explained = |at: usize| judged.get(at).is_some_and(|j| j.explained);
    if judged.iter().any(|j| j.check.result == Agreement::Disagrees && !j.explained) {
        return Verdict::Contradicted;
    }
    let author = is(0, Agreement::Agrees) || (is(0, Agreement::Disagrees) && explained(0));
    let date = is(1, Agreement::Agrees) || (is(1, Agreement::Disagrees) && explained(1));
    if author && date && is(2, Agreement::Agrees) { Verdict::Corroborated } else { Verdict::Undetermined }
}

/// A check, and whether something recorded explains a disagreement.
struct Judged {
    check: Check,
    explained: bool,
}

impl Judged {
    fn plain(check: Check) -> Self {
        Self { check, explained: false }
    }

    fn explained(check: Check) -> Self {
        Self { check, explained: true }
    }
}

fn made(name: &str, result: Agreement, cited: Option<String>, found: Option<String>) -> Check {
    Check { check: name.to_owned(), result, cited, found, score: None, why: None }
}

impl Check {
    fn because(mut self, why: impl Into<String>) -> Self {
        self.why = Some(why.into());
        self
    }
}

/// What the statement claims.
struct Claim<'a> {
    author: Option<&'a str>,
    handle: Option<&'a str>,
    dates: Vec<&'a str>,
    quoted: &'a str,
    truncated: bool,
    links: &'a [String],
}

impl<'a> Claim<'a> {
    fn of(kind: &'a Kind) -> Option<Self> {
        let Kind::Post { author, handle, date, dates, quoted, truncated, links, .. } = kind else { return None };
        Some(Self {
            author: author.as_deref(),
            handle: handle.as_deref(),
            dates: date.iter().chain(dates).map(String::as_str).collect(),
            quoted,
            truncated: *truncated,
            links,
        })
    }
}
