//! Words compared as a reader compares them (UAX #15 compatibility forms, UAX #29 word boundaries): case, quotes, dashes,
//! white space and invisible characters do not count; every other character does.

use std::collections::HashMap;

use crate::format::day::number;
use similar::{Algorithm, DiffTag, capture_diff_slices};
use unicode_normalization::UnicodeNormalization as _;
use unicode_segmentation::UnicodeSegmentation as _;

/// Words compared at most: the longest posts have some thousands.
const MOST: usize = 6000;

/// Fewer cited words are found in any long text.
const FEW: usize = 5;

/// How alike two texts are.
#[derive(Clone, Debug, PartialEq)]
pub struct Likeness {
    /// 0 to 1: twice the words in common over all words
    pub score: f64,
    /// words of the first that the second lacks, with what stands in their place
    pub differences: Vec<Difference>,
    /// the first stands whole inside the second
    pub inside: bool,
}

/// One place where two texts differ; either side may be empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// the first text's words
    pub cited: String,
    /// the second's
    pub found: String,
}

impl std::fmt::Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.cited.as_str(), self.found.as_str()) {
            ("", found) => write!(f, "left out: {found:?}"),
            (cited, "") => write!(f, "added: {cited:?}"),
            (cited, found) => write!(f, "{cited:?} for {found:?}"),
        }
    }
}

/// Text without what readers do not see or do not tell apart.
pub fn fold(text: &str) -> String {
    let folded: String = text.nfkc().filter_map(fold_char).collect();
    // case folding proper differs from lower case in letters that no comparison here turns on
    folded.to_lowercase().nfkc().collect::<String>().split_whitespace().collect::<Vec<_>>().join(" ")
}

fn fold_char(c: char) -> Option<char> {
    Some(match c {
        '\u{2018}' | '\u{2019}' | '\u{201a}' | '\u{201b}' | '\u{2032}' | '\u{2035}' | '`' | '\u{b4}' | '\u{2bc}' => {
            '\''
        }
        '\u{201c}' | '\u{201d}' | '\u{201e}' | '\u{201f}' | '\u{2033}' | '\u{ab}' | '\u{bb}' | '\u{2039}'
        | '\u{203a}' => '"',
        '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{fe58}' | '\u{fe63}' => '-',
        // soft hyphen, joiners, direction marks, variation selectors, byte order mark
        '\u{ad}'
        | '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{2069}'
        | '\u{fe00}'..='\u{fe0f}'
        | '\u{feff}' => return None,
        c if c.is_control() && !c.is_whitespace() => return None,
        c if c.is_ascii() => c,
        c => return fold_script(c),
    })
}

/// What other scripts write in more than one way: digits of their own; Arabic's stretching and vowel marks, Hebrew's points; letters
/// that keyboards exchange (Arabic and Persian yeh and kaf), or print leaves the dots off (Russian yo).
fn fold_script(c: char) -> Option<char> {
    if let Some(digit) = number::digit(c).and_then(|n| char::from_digit(n, 10)) {
        return Some(digit);
    }
    Some(match c {
        '\u{640}' | '\u{64b}'..='\u{65f}' | '\u{670}' => return None,
        '\u{591}'..='\u{5bd}' | '\u{5bf}' | '\u{5c1}' | '\u{5c2}' | '\u{5c4}' | '\u{5c5}' | '\u{5c7}' => return None,
        '\u{5be}' => '-',
        '\u{5f3}' => '\'',
        '\u{5f4}' => '"',
        '\u{649}' | '\u{64a}' => '\u{6cc}',
        '\u{643}' => '\u{6a9}',
        'ё' => 'е',
        'Ё' => 'Е',
        c => c,
    })
}

/// The words of a text, folded. Punctuation around and dashes between words are left out; what stands inside a number or an
/// address (`11:30`, `-3.5`) is part of it. Scripts without spaces are cut by UAX #29.
pub fn words(text: &str) -> Vec<String> {
    let folded = fold(text);
    let tokens = folded.split_whitespace().flat_map(|token| {
        let joined = token.contains("://") || token.chars().any(|c| c.is_ascii_digit());
        token.split(move |c| c == '-' && !joined)
    });
    let bare = tokens.map(trim).filter(|token| !token.is_empty());
    let mut out = Vec::new();
    for token in bare {
        if out.len() >= MOST {
            break;
        }
        if token.chars().any(has_no_spaces) {
            out.extend(token.split_word_bounds().map(trim).filter(|w| !w.is_empty()).map(str::to_owned));
        } else {
            out.push(token.to_owned());
        }
    }
    out
}

fn trim(token: &str) -> &str {
    let end = token.trim_end_matches(|c| is_punctuation(c) && c != '%');
    let start = end.trim_start_matches(|c| is_punctuation(c) && !matches!(c, '#' | '@' | '$' | '+' | '-'));
    let unsigned = start.trim_start_matches(['+', '-']);
    // a sign is one only before a number
    if unsigned.starts_with(|c: char| c.is_numeric() || matches!(c, '.' | '$')) { start } else { unsigned }
}

/// Han, kana, Hangul is spaced, Thai, Lao, Khmer, Myanmar.
fn has_no_spaces(c: char) -> bool {
    matches!(c, '\u{e00}'..='\u{eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}' | '\u{3040}'..='\u{30ff}'
        | '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}

fn is_punctuation(c: char) -> bool {
    (c.is_ascii_punctuation() && !matches!(c, '$' | '+' | '=' | '<' | '>'))
        || matches!(c, '\u{a1}' | '\u{a7}' | '\u{b6}' | '\u{b7}' | '\u{bf}' | '\u{2010}'..='\u{205e}' | '\u{3001}'..='\u{3003}' | '\u{3008}'..='\u{3011}'
        | '\u{3014}'..='\u{301f}' | '\u{60c}' | '\u{61b}' | '\u{61f}' | '\u{66a}'..='\u{66d}' | '\u{6d4}' | '\u{964}' | '\u{965}' | '\u{fe30}'..='\u{fe4f}')
}

/// Compares a cited text with the one found.
pub fn compare(cited: &str, found: &str) -> Likeness {
    let (a, b) = (words(cited), words(found));
    if a.is_empty() && b.is_empty() {
        return Likeness { score: 1.0, differences: Vec::new(), inside: true };
    }
    let inside = is_inside(&a, &b);
    let (left, right) = numbered(&a, &b);
    let ops = capture_diff_slices(Algorithm::Myers, &left, &right);
    let mut common = 0_usize;
    let mut differences = Vec::new();
    for op in ops {
        let part = |words: &[String], range: std::ops::Range<usize>| words.get(range).unwrap_or_default().join(" ");
        if op.tag() == DiffTag::Equal {
            common += op.old_range().len();
        } else {
            differences.push(Difference { cited: part(&a, op.old_range()), found: part(&b, op.new_range()) });
        }
    }
    let score = 2.0 * common as f64 / (a.len() + b.len()) as f64;
    Likeness { score, differences, inside }
}

/// How alike a cited text is to the stretch of another, longer one that has most of its words: an excerpt with a change in it.
/// 0 to 1; 0 where the other text is not much longer, or too little is cited to tell.
pub fn likest_part(cited: &str, found: &str) -> f64 {
    let (a, b) = (words(cited), words(found));
    if a.len() < FEW || 2 * b.len() < 3 * a.len() {
        return 0.0;
    }
    let (left, right) = numbered(&a, &b);
    // how often each word is still missing from the window; the window's words beyond that do not count
    let mut missing: HashMap<usize, i64> = HashMap::new();
    left.iter().for_each(|word| *missing.entry(*word).or_insert(0) += 1);
    let (mut common, mut best) = (0_usize, (0_usize, 0_usize));
    for (end, word) in right.iter().enumerate() {
        if let Some(count) = missing.get_mut(word) {
            common += usize::from(*count > 0);
            *count -= 1;
        }
        if let Some(gone) = end.checked_sub(left.len()).and_then(|at| right.get(at))
            && let Some(count) = missing.get_mut(gone)
        {
            *count += 1;
            common -= usize::from(*count > 0);
        }
        if common > best.0 {
            best = (common, end);
        }
    }
    let start = (best.1 + 1).saturating_sub(left.len());
    let window = b.get(start..=best.1).unwrap_or_default();
    compare(cited, &window.join(" ")).score
}

/// Words as numbers, so that comparing two is one instruction.
fn numbered<'a>(a: &'a [String], b: &'a [String]) -> (Vec<usize>, Vec<usize>) {
    let mut seen: HashMap<&'a str, usize> = HashMap::new();
    let mut number = |word: &'a String| {
        let next = seen.len();
        *seen.entry(word.as_str()).or_insert(next)
    };
    let left = a.iter().map(&mut number).collect();
    (left, b.iter().map(&mut number).collect())
}

fn is_inside(part: &[String], whole: &[String]) -> bool {
    part.len() <= whole.len() && (part.is_empty() || whole.windows(part.len()).any(|window| window == part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_count() {
        for (a, b) in [
            ("“It’s”  done—now", "\"It's\" done-now"),
            ("Caf\u{e9} ﬁne", "cafe\u{301} FINE"),
            ("a\u{200d}b\u{ad}c", "abc"),
            ("one,\ntwo", "one, two"),
            ("⚓\u{fe0f} here", "⚓ here"),
        ] {
            assert_eq!(compare(a, b).score, 1.0, "{a} | {b}");
            assert!(compare(a, b).differences.is_empty());
        }
    }

    #[test]
    fn a_changed_excerpt_is_found_in_a_long_text() {
        let long = "It rained all day. The harbour master signed the list himself, as he had in March, and went home early to sleep.";
        assert_eq!(likest_part("The harbour master signed the list himself", long), 1.0);
        let changed = likest_part("the harbour master signed the letter himself", long);
        assert!(changed > 0.8 && changed < 1.0, "{changed}");
        assert!(likest_part("the pilots boarded nine ships in one night", long) < 0.5);
        assert_eq!(likest_part("signed the list", long), 0.0, "too few words tell nothing");
        assert_eq!(likest_part(long, long), 0.0, "no part of it");
        assert_eq!(likest_part("", ""), 0.0);
    }

    #[test]
    fn what_does() {
        let one = compare("the drill starts at 11:00", "the drill starts at 11:30");
        assert_eq!(one.differences, [Difference { cited: "11:00".into(), found: "11:30".into() }]);
        assert!(one.score > 0.7 && one.score < 1.0 && !one.inside);
        assert!(compare("not guilty", "guilty").score < 1.0);
        assert_eq!(compare("+3 m", "-3 m").differences.len(), 1);
        assert_eq!(compare("3 m", "-3 m").differences.len(), 1);
        assert_eq!(compare("5 %", "5%").differences.len(), 1);
        assert_eq!(compare("#Tag", "Tag").differences.len(), 1);
        assert_eq!(words("港は今日閉鎖です。"), words("港は、今日 閉鎖です"));
        assert!(compare("a b", "x a b y").inside);
        assert!(!compare("b a", "a b").inside);
        assert!(compare("الميناء مغلق", "الميناء مفتوح").score < 1.0);
        assert_eq!(compare("", "").score, 1.0);
        assert_eq!(compare("x", "").score, 0.0);
    }
}
