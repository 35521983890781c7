//! Words as an index keeps them (UAX #15 compatibility forms, Unicode blocks of scripts written without spaces).
//!
//! One reading for what is indexed and for what is asked: case, diacritics, vowel points and width do not count. Scripts
//! that put no spaces between words are kept as overlapping pairs of characters, the last one also alone, so that a word of
//! any length is found wherever it stands: `東京都` is `東京 京都 都`, and asking for `京` asks for what begins with it.

use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

/// Characters of a word that are kept: longer ones are codes that nobody types.
const LONGEST: usize = 64;

/// Bytes of a text that are read for its words; nobody looks for one that first comes up behind some thousand pages.
const READ: usize = 4 << 20;

/// A word, or one character of a script without spaces, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Term {
    /// first byte
    pub start: usize,
    /// one past the last
    pub end: usize,
    /// folded
    pub word: String,
    /// of a script without spaces
    pub unspaced: bool,
}

/// What a character is to an index.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    /// part of a word
    Word,
    /// a word by itself, as far as spaces tell
    Unspaced,
    /// belongs to whatever stands before it
    Mark,
    /// between words
    Between,
}

fn class(c: char) -> Class {
    match c {
        'a'..='z' | 'A'..='Z' | '0'..='9' => Class::Word,
        '\0'..='\u{7f}' => Class::Between,
        '\u{ff9e}' | '\u{ff9f}' | '\u{ad}' | '\u{200c}' | '\u{200d}' | '\u{fe00}'..='\u{fe0f}' => Class::Mark,
        c if is_combining_mark(c) => Class::Mark,
        c if is_unspaced(c) => Class::Unspaced,
        c if c.is_alphanumeric() => Class::Word,
        _ => Class::Between,
    }
}

/// Thai, Lao, Tibetan, Myanmar, Hangul (whose words end in particles), Khmer, kana, Han, and their compatibility forms.
fn is_unspaced(c: char) -> bool {
    matches!(c,
        '\u{0E00}'..='\u{0EFF}' | '\u{0F00}'..='\u{0FBC}' | '\u{1000}'..='\u{109F}' | '\u{1100}'..='\u{11FF}'
        | '\u{1780}'..='\u{17D3}' | '\u{17E0}'..='\u{17FF}' | '\u{3005}'..='\u{3007}' | '\u{3031}'..='\u{3035}'
        | '\u{3041}'..='\u{309F}' | '\u{30A1}'..='\u{30FA}' | '\u{30FC}'..='\u{30FF}' | '\u{3105}'..='\u{318F}'
        | '\u{31A0}'..='\u{31BF}' | '\u{31F0}'..='\u{31FF}' | '\u{3400}'..='\u{4DBF}' | '\u{4E00}'..='\u{9FFF}'
        | '\u{A960}'..='\u{A97F}' | '\u{AC00}'..='\u{D7FF}' | '\u{F900}'..='\u{FAFF}' | '\u{FF66}'..='\u{FF9D}'
        | '\u{20000}'..='\u{3FFFD}')
        && c.is_alphanumeric()
}

/// Marks that readers leave out when they type: Latin, Greek and Cyrillic accents, Hebrew points, Arabic vowel signs.
fn is_left_out(c: char) -> bool {
    matches!(c,
        '\u{0300}'..='\u{036F}' | '\u{0483}'..='\u{0489}' | '\u{0591}'..='\u{05C7}' | '\u{0610}'..='\u{061A}' | '\u{0640}'
        | '\u{064B}'..='\u{065F}' | '\u{0670}' | '\u{06D6}'..='\u{06ED}' | '\u{1AB0}'..='\u{1AFF}' | '\u{1DC0}'..='\u{1DFF}'
        | '\u{20D0}'..='\u{20FF}' | '\u{FE20}'..='\u{FE2F}' | '\u{ad}' | '\u{200c}' | '\u{200d}' | '\u{fe00}'..='\u{fe0f}')
}

fn fold(word: &str, out: &mut String) {
    if word.is_ascii() {
        out.extend(word.get(..LONGEST).unwrap_or(word).chars().map(|c| c.to_ascii_lowercase()));
        return;
    }
    let kept = |c: &char| !is_left_out(*c) && (c.is_alphanumeric() || is_combining_mark(*c));
    let lower = word.chars().take(LONGEST).flat_map(char::to_lowercase);
    out.extend(lower.nfkd().filter(kept).map(|c| if c == 'ς' { 'σ' } else { c }).nfc());
}

/// The words of a text with their places, in order.
pub fn terms(text: &str) -> impl Iterator<Item = Term> + '_ {
    spans(text).filter_map(|Span { start, end, unspaced }| {
        let mut word = String::new();
        fold(text.get(start..end).unwrap_or_default(), &mut word);
        (!word.is_empty()).then_some(Term { start, end, word, unspaced })
    })
}

/// Where a word stands.
struct Span {
    start: usize,
    end: usize,
    unspaced: bool,
}

fn spans(text: &str) -> impl Iterator<Item = Span> + '_ {
    let text = text.get(..text.floor_char_boundary(READ)).unwrap_or(text);
    let mut chars = text.char_indices().peekable();
    std::iter::from_fn(move || {
        loop {
            let (start, first) = chars.next()?;
            let kind = class(first);
            if !matches!(kind, Class::Word | Class::Unspaced) {
                continue;
            }
            let mut end = start + first.len_utf8();
            while let Some(&(at, c)) = chars.peek() {
                let joins = class(c) == Class::Mark || (kind == Class::Word && class(c) == Class::Word);
                if !joins {
                    break;
                }
                end = at + c.len_utf8();
                chars.next();
            }
            return Some(Span { start, end, unspaced: kind == Class::Unspaced });
        }
    })
}

/// A text as it goes into the index: words separated by single spaces.
pub fn indexed(text: &str) -> String {
    let mut out = String::with_capacity(text.len().min(READ));
    each_token(text, |token| {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(token);
    });
    out
}

/// Words, and pairs of characters where there are no spaces between words.
fn tokens(text: &str) -> Vec<String> {
    let mut out = Vec::new();
    each_token(text, |token| out.push(token.to_owned()));
    out
}

/// The same one by one: a long text has more of them than memory should hold.
fn each_token(text: &str, mut take: impl FnMut(&str)) {
    // The word at hand, and before it the one that waits for its neighbour, with where it ends.
    let (mut word, mut before, mut waits) = (String::new(), String::new(), None);
    for Span { start, end, unspaced } in spans(text) {
        word.clear();
        fold(text.get(start..end).unwrap_or_default(), &mut word);
        if word.is_empty() {
            continue;
        }
        if let Some(end) = waits.take() {
            // Alone at the end of its run; with its neighbour within.
            if unspaced && start == end {
                before.push_str(&word);
            }
            take(&before);
        }
        if unspaced {
            std::mem::swap(&mut word, &mut before);
            waits = Some(end);
        } else {
            take(&word);
        }
    }
    if waits.is_some() {
        take(&before);
    }
}

/// What a person typed, as an FTS5 query: every word must be there; words in quotes, and the parts of what is written
/// without a space, stand together; `*` at a word's end stands for any rest. Nothing else is syntax. None where no word is left.
pub fn asked(typed: &str) -> Option<String> {
    let mut out = Vec::new();
    for (n, piece) in typed.split('"').enumerate() {
        if n % 2 == 1 {
            out.extend(phrase(piece));
        } else {
            out.extend(piece.split_whitespace().filter_map(phrase));
        }
    }
    (!out.is_empty()).then(|| out.join(" "))
}

/// The phrases of a query that [`asked`] made, each as it stands there.
pub fn phrases(query: &str) -> impl Iterator<Item = &str> {
    let mut rest = query;
    std::iter::from_fn(move || {
        let from = rest.find('"')?;
        let end = from + 1 + rest.get(from + 1..)?.find('"')? + 1;
        let end = if rest.get(end..)?.starts_with('*') { end + 1 } else { end };
        let phrase = rest.get(from..end)?;
        rest = rest.get(end..)?;
        Some(phrase)
    })
}

fn phrase(piece: &str) -> Option<String> {
    let mut tokens = tokens(piece);
    let last = terms(piece).last()?;
    let mut open = piece.trim_end().ends_with('*');
    if last.unspaced {
        // Within a run of the text the last character only begins a pair; it stands alone at the run's end.
        open = !pairs_with(piece, &last);
        if !open {
            tokens.pop();
        }
    }
    Some(format!("\"{}\"{}", tokens.join(" "), if open { "*" } else { "" }))
}

/// Whether the character before `last` is of its run.
fn pairs_with(piece: &str, last: &Term) -> bool {
    terms(piece).any(|term| term.unspaced && term.end == last.start)
}

/// A piece of a text around the words asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snippet {
    /// the words, with `…` where something was left out
    pub text: String,
    /// where in `text` the words asked for stand, in bytes
    pub marks: Vec<(usize, usize)>,
}

/// Words of a snippet.
const AROUND: usize = 24;

/// The piece of `text` where most of the words typed stand together; none where none of them does.
pub fn snippet(text: &str, typed: &str) -> Option<Snippet> {
    let wanted: Vec<(String, bool)> = typed
        .split_whitespace()
        .flat_map(|piece| {
            let open = piece.trim_end_matches('"').ends_with('*');
            terms(piece).map(move |term| (term.word, open)).collect::<Vec<_>>()
        })
        .collect();
    let found: Vec<(Term, bool)> = terms(text)
        .map(|term| {
            let hit = wanted.iter().any(|(word, open)| term.word == *word || (*open && term.word.starts_with(word)));
            (term, hit)
        })
        .collect();
    let from = densest(&found.iter().map(|(_, hit)| *hit).collect::<Vec<_>>())?;
    let shown = found.get(from..(from + AROUND).min(found.len()))?;
    let (first, last) = (shown.first()?.0.start, shown.last()?.0.end);
    let mut snippet = Snippet { text: String::new(), marks: Vec::new() };
    if from > 0 {
        snippet.text.push('…');
    }
    let mut at = first;
    for (term, hit) in shown {
        push_folded(&mut snippet.text, text.get(at..term.start).unwrap_or_default());
        let begin = snippet.text.len();
        snippet.text.push_str(text.get(term.start..term.end).unwrap_or_default());
        if *hit {
            snippet.marks.push((begin, snippet.text.len()));
        }
        at = term.end;
    }
    if last < found.last().map_or(0, |(term, _)| term.end) {
        snippet.text.push('…');
    }
    Some(snippet)
}

/// Whether every word typed stands somewhere in `text`.
pub fn has_all(text: &str, typed: &str) -> bool {
    let words: std::collections::HashSet<String> = terms(text).map(|term| term.word).collect();
    typed.split_whitespace().all(|piece| {
        let open = piece.trim_end_matches('"').ends_with('*');
        terms(piece)
            .all(|term| words.contains(&term.word) || (open && words.iter().any(|word| word.starts_with(&term.word))))
    })
}

/// White space of any length as one space.
fn push_folded(out: &mut String, between: &str) {
    for c in between.chars() {
        if !c.is_whitespace() {
            out.push(c);
        } else if !out.ends_with(' ') {
            out.push(' ');
        }
    }
}

/// The first of [`AROUND`] words in a row that hold the most hits, a few words ahead of the first hit.
fn densest(hits: &[bool]) -> Option<usize> {
    let mut inside = 0_usize;
    let mut best = (0_usize, 0_usize);
    for (n, hit) in hits.iter().enumerate() {
        inside += usize::from(*hit);
        if n >= AROUND && hits.get(n - AROUND).copied().unwrap_or(false) {
            inside -= 1;
        }
        if inside > best.0 {
            best = (inside, (n + 1).saturating_sub(AROUND));
        }
    }
    if best.0 == 0 {
        return None;
    }
    let first = hits.iter().enumerate().skip(best.1).find(|(_, hit)| **hit).map_or(best.1, |(n, _)| n);
    Some(first.saturating_sub(6).max(best.1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_reading_for_every_script() {
        for (text, expected) in [
            ("Maja Kocijančič", "maja kocijancic"),
            ("İSTANBUL Straße", "istanbul straße"),
            ("ＡＢＣ １２３", "abc 123"),
            ("ΟΔΥΣΣΕΥΣ", "οδυσσευσ"),
            ("سَلَام", "سلام"),
            ("שָׁלוֹם", "שלום"),
            ("हिन्दी", "हिन्दी"),
            ("東京都", "東京 京都 都"),
            ("日", "日"),
            ("2019年6月", "2019 年 6 月"),
            ("카자흐스탄의", "카자 자흐 흐스 스탄 탄의 의"),
            ("#NurSultan, don't", "nursultan don t"),
            ("", ""),
        ] {
            assert_eq!(indexed(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_typed_is_words_and_never_syntax() {
        for (typed, expected) in [
            ("riot police", Some("\"riot\" \"police\"")),
            ("\"riot police\" site*", Some("\"riot police\" \"site\"*")),
            ("a AND (b OR", Some("\"a\" \"and\" \"b\" \"or\"")),
            ("un\"closed", Some("\"un\" \"closed\"")),
            ("t.co/AEoF", Some("\"t co aeof\"")),
            ("京都", Some("\"京都\"")),
            ("東京都", Some("\"東京 京都\"")),
            ("都", Some("\"都\"*")),
            ("香香", Some("\"香香\"")),
            ("  ", None),
            ("\"\" * ( )", None),
        ] {
            assert_eq!(asked(typed).as_deref(), expected, "{typed}");
        }
    }

    #[test]
    fn a_text_without_end_costs_no_more_than_a_long_one() {
        assert!(indexed(&"a".repeat(2 * READ)).len() == LONGEST);
        assert!(indexed(&"a ".repeat(READ)).len() <= READ);
    }

    #[test]
    fn a_snippet_shows_where_the_words_stand_together() {
        let far = "word ".repeat(100);
        let text = format!("police {far} the riot   police\nstood along the street {far}");
        let snippet = snippet(&text, "riot police").unwrap();
        assert!(snippet.text.contains("riot police stood"), "{}", snippet.text);
        let marked: Vec<&str> = snippet.marks.iter().map(|(a, b)| &snippet.text[*a..*b]).collect();
        assert_eq!(marked, ["riot", "police"]);
        assert!(snippet.text.starts_with('…') && snippet.text.ends_with('…'));
        assert_eq!(super::snippet("nothing here", "riot"), None);
        assert_eq!(super::snippet("Kocijančič said", "kocijancic").unwrap().marks, [(0, 12)]);
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_and_any_part_of_it_is_asked_for(text: String, typed: String) {
            let words = indexed(&text);
            proptest::prop_assert!(!words.contains("  ") && !words.contains('"'));
            let _ = asked(&typed);
            if let Some(snippet) = snippet(&text, &typed) {
                for (from, to) in snippet.marks {
                    proptest::prop_assert!(snippet.text.get(from..to).is_some());
                }
            }
        }
    }
}
