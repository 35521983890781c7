//! The words: folded as a reader reads them, links apart, an excerpt judged as an excerpt.

use crate::finding::copied::{self, Words};
use crate::finding::{Agreement, Check, Claim, Judged, made};
use crate::format::language;
use crate::format::time::rfc3339;
use crate::format::words::{self, Likeness};
use crate::platform::post::{Platform, Post, Version};

/// An excerpt shorter than this may stand anywhere.
const EXCERPT: usize = 4;
/// Words left out at the ends of a sentence, up to this many, change it more than they shorten it.
const FEW: usize = 2;
/// Words this alike are a title with a change in it; below, they are something else.
const ALIKE: f64 = 0.7;
/// Words less alike than this have nothing to do with each other, or are of two languages.
const OTHER: f64 = 0.3;
/// Differences told one by one.
const TOLD: usize = 12;

/// The cited words against the post's, then against what other versions of it said.
pub(super) fn check(claim: &Claim<'_>, post: &Post) -> Judged {
    let own = against(claim, post, &post.text);
    if own.check.result == Agreement::Agrees || post.others.is_empty() {
        return own;
    }
    match quoted_version(claim, post) {
        Some((version, mut other)) => {
            let own = other.check.why.take().map(|why| format!("; {why}")).unwrap_or_default();
            let made = version.at.map(|at| format!(" of {}", rfc3339(at))).unwrap_or_default();
            Judged::plain(
                other.check.because(format!("these are the words of another version{made}: the post was edited{own}")),
            )
        }
        // all that it ever said is known, and this is not in it
        None if post.versions.len() <= post.others.len() + 1 => {
            let own = against(claim, &Post { edited: false, versions: Vec::new(), ..post.clone() }, &post.text);
            let why = own.check.why.clone().unwrap_or_default();
            let why = format!("{why}; no version of the post has these words ({} were read)", post.others.len() + 1);
            Judged { check: own.check.because(why), explained: own.explained }
        }
        None => own,
    }
}

/// The version that has the cited words.
fn quoted_version<'p>(claim: &Claim<'_>, post: &'p Post) -> Option<(&'p Version, Judged)> {
    post.others.iter().find_map(|version| {
        let judged = against(claim, post, &version.text);
        (judged.check.result == Agreement::Agrees).then_some((version, judged))
    })
}

/// The cited words against these.
fn against(claim: &Claim<'_>, post: &Post, text: &str) -> Judged {
    let Words { cited, found, lost_emoji } = Words::of(claim, post, text);
    let of = |result, likeness: &Likeness| Check {
        score: Some((likeness.score * 1000.0).round() / 1000.0),
        ..made("text", result, Some(claim.quoted.to_owned()), Some(text.to_owned()))
    };
    let likeness = words::compare(&cited, &found);
    if words::words(&cited).is_empty() {
        let only_links = !claim.links.is_empty() && words::words(&found).is_empty();
        let result = if only_links { Agreement::Agrees } else { Agreement::Unknown };
        return Judged::plain(of(result, &likeness).because("the statement quotes no words"));
    }
    if likeness.differences.is_empty() {
        let check = of(Agreement::Agrees, &likeness);
        return Judged::plain(if lost_emoji {
            check.because("but for the emoji, which the statement has none of")
        } else {
            check
        });
    }
    if let Some(judged) = titled(post, &cited, text, &of) {
        return judged;
    }
    let said = excerpt(claim, &cited, &found).or_else(|| around(&cited, &found));
    if let Some((result, why)) =
        said.or_else(|| but_for_emoji(&likeness)).or_else(|| in_brackets(claim, &cited, &found))
    {
        return Judged::plain(of(result, &likeness).because(why));
    }
    if post.cut && words::words(&cited).starts_with(&words::words(found.trim_end_matches('…'))) {
        return Judged::plain(
            of(Agreement::Unknown, &likeness).because("the captured text is cut: it agrees as far as it goes"),
        );
    }
    differs(post, &cited, likeness, of)
}

/// Nothing differs but emoji that the statement left out; one that stands for another does differ.
fn but_for_emoji(likeness: &Likeness) -> Option<(Agreement, String)> {
    let lost = |d: &words::Difference| {
        let emoji = |c: char| copied::is_emoji(c) || c.is_whitespace();
        d.cited.is_empty() && d.found.chars().all(emoji)
    };
    likeness.differences.iter().all(lost).then(|| (Agreement::Agrees, format!("but for emoji: {}", told(likeness))))
}

/// Words that the statement itself marks as its own, in square brackets, in place of the post's.
fn in_brackets(claim: &Claim<'_>, cited: &str, found: &str) -> Option<(Agreement, String)> {
    let (own, rest) = copied::bracketed(cited)?;
    excerpt(claim, &rest, found)?;
    let own: Vec<String> = own.iter().map(|words| format!("[{words}]")).collect();
    Some((Agreement::Unknown, format!("as the post has it but for the statement's own words: {}", own.join(" "))))
}

/// On YouTube and Reddit a post begins with its title, which may be all that is quoted, and all that was captured.
fn titled(post: &Post, cited: &str, text: &str, of: &impl Fn(Agreement, &Likeness) -> Check) -> Option<Judged> {
    if !matches!(post.name.platform, Platform::Youtube | Platform::Reddit) {
        return None;
    }
    let title = text.split("\n\n").next().unwrap_or_default();
    let likeness = words::compare(cited, &copied::plain(title, &post.links));
    if likeness.differences.is_empty() {
        return Some(Judged::plain(of(Agreement::Agrees, &likeness).because("the title")));
    }
    if likeness.score >= ALIKE {
        return Some(Judged::plain(of(Agreement::Disagrees, &likeness).because(told(&likeness))));
    }
    let film = post.name.platform == Platform::Youtube;
    // what is said below a title, or in a film, is not captured with the title
    let why = match (post.cut, film) {
        (true, _) => "no more than the title was captured, and these are other words",
        (false, true) => "these are not the words beside the film; what is said in it was not captured",
        (false, false) => return None,
    };
    let beside = film && words::likest_part(cited, text) >= ALIKE;
    let elsewhere = !beside && !words::compare(cited, &copied::plain(text, &post.links)).inside;
    elsewhere.then(|| Judged::plain(of(Agreement::Unknown, &likeness).because(why)))
}

fn differs(post: &Post, cited: &str, likeness: Likeness, of: impl Fn(Agreement, &Likeness) -> Check) -> Judged {
    let mut why = told(&likeness);
    if let Some(quoted) = &post.quotes
        && words::compare(cited, &copied::plain(&quoted.text, &quoted.links)).differences.is_empty()
    {
        why = format!("these are the words of {}, the post it quotes", quoted.name);
    }
    let described = |alt: &&str| words::compare(cited, alt).differences.is_empty();
    if post.media.iter().filter_map(|media| media.alt.as_deref()).any(|alt| described(&alt)) {
        why = "these are the words that describe a picture of the post, not its own".to_owned();
    }
    if let Some(why) = translated(cited, &copied::plain(&post.text, &post.links), likeness.score) {
        return Judged::plain(of(Agreement::Unknown, &likeness).because(why));
    }
    let check = of(Agreement::Disagrees, &likeness);
    if post.edited || post.versions.len() > 1 {
        let why = format!("{why}; the post was edited, so they may be an earlier version's words");
        return Judged::explained(check.because(why));
    }
    Judged::plain(check.because(why))
}

/// Words in another language than the post's may be its translation, which words alone cannot judge.
fn translated(cited: &str, found: &str, score: f64) -> Option<String> {
    let (one, other) = (language::of(cited)?, language::of(found)?);
    (score < OTHER && one != other)
        .then(|| format!("the post is in {other}, the quotation in {one}: a translation is not judged by its words"))
}

/// A word written with letters of several scripts looks like another one.
fn mixed(likeness: &Likeness) -> Option<String> {
    let script = |c: char| match c {
        'a'..='z' | 'A'..='Z' => 1,
        '\u{370}'..='\u{3ff}' => 2,
        '\u{400}'..='\u{52f}' => 4,
        _ => 0,
    };
    let is_mixed = |word: &&str| word.chars().fold(0_u32, |seen, c| seen | script(c)).count_ones() > 1;
    let mut all = likeness.differences.iter().flat_map(|d| d.cited.split(' ').chain(d.found.split(' ')));
    all.find(is_mixed).map(|word| format!("{word:?} has letters of two scripts"))
}

fn told(likeness: &Likeness) -> String {
    let mut all: Vec<String> = likeness.differences.iter().take(TOLD).map(ToString::to_string).collect();
    if likeness.differences.len() > TOLD {
        all.push(format!("and {} more", likeness.differences.len() - TOLD));
    }
    all.extend(mixed(likeness));
    all.join("; ")
}

/// Parts between marks of omission, each of which must stand in the post, in order.
fn excerpt(claim: &Claim<'_>, cited: &str, found: &str) -> Option<(Agreement, String)> {
    let marked = claim.truncated || cited.contains('…') || cited.contains("...");
    if !marked {
        return None;
    }
    let cited =
        cited.replace("[…]", "…").replace("(…)", "…").replace("[...]", "…").replace("(...)", "…").replace("...", "…");
    let parts: Vec<Vec<String>> = cited.split('…').map(words::words).filter(|part| !part.is_empty()).collect();
    let found = words::words(found);
    let total: usize = parts.iter().map(Vec::len).sum();
    let mut at = 0;
    let last = parts.len().checked_sub(1)?;
    let mut hidden: Vec<String> = Vec::new();
    for (n, part) in parts.iter().enumerate() {
        // the statement may have cut inside the last word
        let start = position(&found, part, at, claim.truncated && n == last)?;
        let gap = found.get(at..start).unwrap_or_default();
        if n > 0 && (1..=FEW).contains(&gap.len()) {
            hidden.push(gap.join(" "));
        }
        at = start + part.len();
    }
    let share = 100 * total / found.len().max(1);
    if !hidden.is_empty() {
        // "will … load" for "will not load" is marked, and says the opposite
        let why = format!("an excerpt, marked as one, but all that the mark stands for is: {hidden:?}");
        return Some((Agreement::Unknown, why));
    }
    Some((Agreement::Agrees, format!("an excerpt, marked as one: {share} % of the words")))
}

fn position(whole: &[String], part: &[String], from: usize, open: bool) -> Option<usize> {
    let tail = whole.get(from..)?;
    if part.is_empty() {
        return Some(from);
    }
    let same = |window: &[String]| {
        window == part
            || (open
                && window
                    .split_last()
                    .zip(part.split_last())
                    .is_some_and(|((w, ws), (p, ps))| ws == ps && w.starts_with(p.as_str())))
    };
    tail.windows(part.len()).position(same).map(|at| from + at)
}

/// Words left out at either end without a mark: those of a reply's addressees and closing hashtags are no part of what was
/// said; others are, and it is told.
fn around(cited: &str, found: &str) -> Option<(Agreement, String)> {
    let (part, whole) = (words::words(cited), words::words(found));
    let at = position(&whole, &part, 0, false)?;
    let before = whole.get(..at)?;
    let after = whole.get(at + part.len()..)?;
    let is_tag = |word: &String| word.starts_with('#') || word.starts_with('@');
    if before.iter().chain(after).all(is_tag) {
        return Some((
            Agreement::Agrees,
            format!("left out: {}", before.iter().chain(after).cloned().collect::<Vec<_>>().join(" ")),
        ));
    }
    let end = at + part.len();
    let (begins, ends) = (clause_starts(found), end);
    let whole_clauses = (at == 0 || begins.contains(&at) || before.iter().all(is_tag))
        && (ends == whole.len() || begins.contains(&ends) || after.iter().all(is_tag));
    let say = |what: &str| format!("{what}: {} of {} words", part.len(), whole.len());
    let left_out = before.len() + after.len();
    Some(match (whole_clauses, part.len() >= EXCERPT) {
        (true, true) => (Agreement::Agrees, say("an excerpt that is not marked as one")),
        // "no" left out before the first word is no excerpt
        (false, true) if left_out <= FEW => {
            let words = before.iter().chain(after).cloned().collect::<Vec<_>>().join(" ");
            (Agreement::Disagrees, format!("left out, inside a sentence and without a mark: {words:?}"))
        }
        (false, true) => (Agreement::Unknown, say("an excerpt that is not marked as one and cuts a sentence")),
        (_, false) => (Agreement::Unknown, say("an excerpt that is not marked as one")),
    })
}

/// Where clauses begin: the numbers of the words that stand behind a mark of punctuation or a line's end.
fn clause_starts(text: &str) -> Vec<usize> {
    let is_end = |c: char| {
        matches!(
            c,
            '.' | '!'
                | '?'
                | ':'
                | ';'
                | ','
                | '…'
                | '—'
                | '–'
                | '。'
                | '！'
                | '？'
                | '，'
                | '、'
                | '；'
                | '：'
                | '،'
                | '؛'
                | '؟'
                | '।'
        )
    };
    let mut out = Vec::new();
    let mut count = 0;
    // a mark inside a word or a number ends nothing, so what ends a clause is the end of a token
    for line in text.split_inclusive('\n') {
        for token in line.split_inclusive(char::is_whitespace) {
            let mut rest = token;
            while let Some(at) = rest.find(['。', '！', '？', '，', '、', '；', '：']) {
                let next = at + rest.get(at..).and_then(|t| t.chars().next()).map_or(1, char::len_utf8);
                count += words::words(rest.get(..next).unwrap_or_default()).len();
                out.push(count);
                rest = rest.get(next..).unwrap_or_default();
            }
            count += words::words(rest).len();
            if rest.trim_end().trim_end_matches(['"', '\'', '”', '’', '»', ')', ']']).ends_with(is_end) {
                out.push(count);
            }
        }
        out.push(count);
    }
    out
}

/// Which version was captured, where there are several, and which one was quoted, where their words are known.
pub(super) fn edits(claim: &Claim<'_>, post: &Post) -> Option<Check> {
    if post.versions.len() < 2 && !post.edited {
        return None;
    }
    if !post.others.is_empty() {
        return Some(quoted_edit(claim, post));
    }
    let at = post.versions.iter().position(|id| *id == post.name.id);
    let found = at.map(|at| format!("version {} of {}", at + 1, post.versions.len()));
    Some(
        made("edits", Agreement::Unknown, None, found)
            .because("the post was edited; the other versions may have other words"),
    )
}

fn quoted_edit(claim: &Claim<'_>, post: &Post) -> Check {
    let count = post.others.len() + 1;
    let of = |result, found: Option<String>| made("edits", result, None, found);
    if against(claim, post, &post.text).check.result == Agreement::Agrees {
        return of(Agreement::Agrees, None).because(format!("quoted as captured; {count} versions were read"));
    }
    match quoted_version(claim, post) {
        Some((version, _)) => {
            let at = version.at.map(rfc3339).unwrap_or_default();
            let name =
                version.id.as_deref().map(|id| format!("version {id}")).unwrap_or_else(|| "a version".to_owned());
            of(Agreement::Agrees, Some(format!("{name} of {at}").trim_end().to_owned()))
                .because("another version than the one captured was quoted")
        }
        None => of(Agreement::Disagrees, None).because(format!("none of the {count} versions read was quoted")),
    }
}
