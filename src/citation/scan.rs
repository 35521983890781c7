//! One pass over the text: stops at the few bytes that can belong to a citation and asks what stands there.

use std::borrow::Cow;
use std::ops::Range;

use super::Form;
use super::letters::{char_at, char_before, is_latin_accent, is_letter, is_spaceless};
use super::link::{self, Scheme};
use super::mark::{Mark, What};
use super::trigger::Triggers;
use super::{broken, handle, hashtag, shortcode};

/// A text under the scanner.
pub(super) struct Scanner<'t> {
    pub(super) text: &'t str,
    /// stretches of code: no handles, no hashtags in them
    quiet: &'t [Range<usize>],
    triggers: Triggers,
    /// how far the text has been looked at
    at: usize,
    /// behind the last stretch that belongs to a mark or was ruled out
    pub(super) floor: usize,
    pub(super) marks: Vec<Mark<'t>>,
}

/// Everything but attributions, in order of place.
pub(super) fn scan<'t>(text: &'t str, quiet: &'t [Range<usize>]) -> Vec<Mark<'t>> {
    let mut scanner = Scanner::new(text, quiet);
    scanner.go_on(usize::MAX);
    scanner.marks
}

impl<'t> Scanner<'t> {
    /// At the text's beginning.
    pub(super) fn new(text: &'t str, quiet: &'t [Range<usize>]) -> Self {
        Self { text, quiet, triggers: Triggers::default(), at: 0, floor: 0, marks: Vec::new() }
    }

    /// How far the text has been looked at; what is seen later begins hardly before it.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// Looks on until `enough` marks are held; whether the text is at its end.
    pub(super) fn go_on(&mut self, enough: usize) -> bool {
        let bytes = self.text.as_bytes();
        while self.marks.len() < enough {
            let Some(here) = self.triggers.next(bytes, self.at) else {
                self.at = bytes.len();
                return true;
            };
            self.at = self.read(here).max(here + 1);
        }
        false
    }

    /// Reads what stands at the trigger `here`; returns where to go on.
    fn read(&mut self, here: usize) -> usize {
        match self.text.as_bytes().get(here) {
            Some(b':') => self.colon(here),
            Some(b'.') => self.dot(here),
            Some(b'@') => self.mention(here, 1),
            Some(b'#') => self.tag(here, 1),
            Some(b'(') => self.spelled(here),
            Some(b'[' | b'{') => self.bracket(here),
            _ => match char_at(self.text, here) {
                Some('＠') => self.mention(here, 3),
                Some('＃') => self.tag(here, 3),
                Some('：') => self.take(broken::full_width(self.text, self.floor, here), here + 1),
                _ => here + 1,
            },
        }
    }

    fn take(&mut self, mark: Option<Mark<'t>>, or: usize) -> usize {
        match mark {
            Some(mark) => {
                let end = mark.end;
                self.marks.push(mark);
                self.rule_out(end)
            }
            None => or,
        }
    }

    fn rule_out(&mut self, to: usize) -> usize {
        self.floor = self.floor.max(to);
        to
    }

    fn is_quiet(&self, at: usize) -> bool {
        let n = self.quiet.partition_point(|r| r.end <= at);
        self.quiet.get(n).is_some_and(|r| r.start <= at)
    }

    fn mention(&mut self, here: usize, width: usize) -> usize {
        match handle::read(self.text, here, width) {
            handle::Read::Handle { end, platform, handle } => {
                let after = handle::behind(self.text, end);
                if self.is_quiet(here) || handle::in_code(self.text, here, end) {
                    return self.rule_out(after);
                }
                self.marks.push(Mark { start: here, end, what: What::Handle(platform, handle), candidate: false });
                self.rule_out(after)
            }
            handle::Read::Not { behind } => self.rule_out(behind),
        }
    }

    fn tag(&mut self, here: usize, width: usize) -> usize {
        match hashtag::read(self.text, here, width) {
            Ok((end, tag)) => {
                if self.is_quiet(here) {
                    return self.rule_out(end);
                }
                self.marks.push(Mark { start: here, end, what: What::Hashtag(Cow::Borrowed(tag)), candidate: false });
                self.rule_out(end)
            }
            Err(behind) => self.rule_out(behind),
        }
    }

    fn bracket(&mut self, here: usize) -> usize {
        if let Some(mark) = shortcode::read(self.text, here) {
            return self.take(Some(mark), here + 1);
        }
        // `[:]//`: the colon stands inside; `[.]`: the dot does; `[dot]` has neither
        self.spelled(here)
    }

    /// `[dot]`, `(dot)`: a dot that is spelled out.
    fn spelled(&mut self, here: usize) -> usize {
        let spelled = self.text.as_bytes().get(here + 1..here + 4).is_some_and(|t| t.eq_ignore_ascii_case(b"dot"));
        if spelled { self.dot(here) } else { here + 1 }
    }

    /// A colon: the end of a scheme?
    fn colon(&mut self, here: usize) -> usize {
        let bytes = self.text.as_bytes();
        let tail = bytes.get(here..).unwrap_or_default();
        if !matches!(tail.get(1), Some(b'/' | b']' | b'[' | b' ')) {
            return here + 1;
        }
        let (before, after) = if tail.starts_with(b"://") {
            if let Some(start) = link::https_before(bytes, self.floor, here) {
                return self.web_link(start, Scheme::Https, here + 3, false);
            }
            (here, here + 3)
        } else if tail.starts_with(b":]//") && bytes.get(here.wrapping_sub(1)) == Some(&b'[') {
            (here - 1, here + 4)
        } else if tail.starts_with(b":[//]") || tail.starts_with(b":[/]/") {
            (here, here + 5)
        } else if tail.starts_with(b":[/][/]") {
            (here, here + 7)
        } else if tail.starts_with(b":// ") || tail.starts_with(b": //") || tail.starts_with(b": / /") {
            return self.take(broken::spaced(self.text, self.floor, here), here + 1);
        } else {
            return here + 1;
        };
        let Some((start, scheme)) = link::scheme_before(self.text, self.floor, before) else { return here + 1 };
        if matches!(scheme, Scheme::At | Scheme::Tg) {
            let mark = link::other_scheme(self.text, start, scheme, after);
            return self.take(mark, here + 1);
        }
        if before != here || after != here + 3 {
            return self.web_link(start, scheme, after, true);
        }
        self.web_link(start, scheme, after, false)
    }

    fn web_link(&mut self, start: usize, scheme: Scheme, after: usize, defanged: bool) -> usize {
        let tagged = char_before(self.text, start).is_some_and(|c| matches!(c, '@' | '＠' | '#' | '＃' | '$'));
        if let Some(mark) = link::whole_code(self.text, start, after).filter(|_| !tagged && !defanged) {
            return self.take(Some(mark), after);
        }
        let host_at = link::behind_user(self.text, after);
        let host = link::host::host(self.text, host_at);
        let mark = host.filter(|_| !tagged).and_then(|h| link::whole(self.text, start, scheme, host_at, h));
        if let Some(mut mark) = mark {
            if let What::Link(link) = &mut mark.what {
                link.defanged |= defanged;
            }
            let end = mark.end;
            let damaged = broken::cut_host(self.text, &mark);
            if !damaged {
                let joined = broken::wrapped(self.text, &mark);
                let shorter = broken::shorter(self.text, &mark);
                self.push_link(mark);
                self.marks.extend(shorter);
                self.marks.extend(joined);
            }
            return self.rule_out(end);
        }
        if let Some(mark) = broken::doubled(self.text, start, after)
            .or_else(|| broken::spaced(self.text, self.floor, start_colon(self.text, start)))
        {
            return self.take(Some(mark), after);
        }
        let end = link::ruined(self.text, after);
        self.rule_out(end)
    }

    /// Holds a link, as a guess where a line end left only a stump of it.
    fn push_link(&mut self, mut mark: Mark<'t>) {
        if broken::is_stump(self.text, &mark) {
            mark.candidate = true;
            if let What::Link(link) = &mut mark.what {
                link.form = Form::Weak;
            }
        }
        self.marks.push(mark);
    }

    /// A full stop: inside a domain without a scheme?
    fn dot(&mut self, here: usize) -> usize {
        let bytes = self.text.as_bytes();
        let boxed = bytes.get(here).is_some_and(|b| matches!(b, b'[' | b'{' | b'('))
            || matches!(bytes.get(here + 1), Some(b']' | b')' | b'}'))
                && here.checked_sub(1).is_some_and(|p| matches!(bytes.get(p), Some(b'[' | b'(' | b'{')));
        let before = if boxed && bytes.get(here) == Some(&b'.') { here - 1 } else { here };
        let next_ok = boxed || char_at(self.text, here + 1).is_some_and(|c| is_letter(c) || c.is_alphanumeric());
        if !next_ok || before <= self.floor {
            return here + 1;
        }
        let glued = link::picture(bytes, here).filter(|start| *start >= self.floor);
        let Some(start) = glued.or_else(|| bare_start(self.text, self.floor, before)) else { return here + 1 };
        let Some(host) = link::host::host(self.text, start) else {
            return self.rule_out(link::ruined(self.text, here + 1));
        };
        if host.end <= here {
            return here + 1;
        }
        let end = host.end;
        if let Some(at) = handle::mail_sign(self.text, end) {
            return self.rule_out(handle::behind_mail(self.text, at));
        }
        if host.defanged && handle::is_behind_mail_sign(self.text, start) {
            return self.rule_out(end);
        }
        let placed = glued.is_some() || link::may_precede_bare(char_before(self.text, start));
        if !host.known || !placed {
            return self.rule_out(end);
        }
        let (defanged, name_end) = (host.defanged, host.end);
        if let Some(mark) = handle::bare_domain(self.text, start, &host) {
            return self.take(Some(mark), end);
        }
        let Some(mark) = link::whole(self.text, start, Scheme::Missing, start, host) else {
            return self.rule_out(link::ruined(self.text, end));
        };
        let reach = mark.end;
        // `README.md#usage`: a file's section
        let bare = self.text.get(name_end..reach).is_some_and(|tail| !tail.contains('/'));
        let guess = matches!(&mark.what, What::Link(l) if l.form == Form::Weak);
        if (bare && guess && !defanged && link::file::is_no_domain(self.text, start, name_end))
            || self.is_quiet(here) && guess
        {
            return self.rule_out(reach);
        }
        let coded = matches!(&mark.what, What::Link(l) if l.url.starts_with("https://"));
        let joined = if coded { broken::wrapped(self.text, &mark) } else { Vec::new() };
        self.push_link(mark);
        self.marks.extend(joined);
        self.rule_out(reach)
    }
}

fn start_colon(text: &str, start: usize) -> usize {
    text.as_bytes().get(start..).and_then(|t| t.iter().position(|b| *b == b':')).map_or(start, |n| start + n)
}

/// Where the label before the dot at `dot` begins: no further back than one label, never into another script.
fn bare_start(text: &str, floor: usize, dot: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let least = dot.saturating_sub(64).max(floor);
    let mut start = dot;
    while start > least {
        let b = *bytes.get(start - 1)?;
        if b.is_ascii_alphanumeric() || b == b'-' || b == b'_' {
            start -= 1;
        } else if b.is_ascii() {
            break;
        } else {
            let c = char_before(text, start)?;
            let fits = if start < dot && bytes.get(start).is_some_and(u8::is_ascii) {
                is_latin_accent(c)
            } else {
                c.is_alphabetic() && !is_spaceless(c)
            };
            if !fits {
                break;
            }
            start -= c.len_utf8();
        }
    }
    (start < dot).then_some(start)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raws(text: &str) -> Vec<&str> {
        scan(text, &[]).iter().filter_map(|m| text.get(m.start..m.end)).collect()
    }

    #[test]
    fn codes_that_the_end_of_a_sentence_glues() {
        assert_eq!(
            raws("https://t.co/aaaaaaaaa4?https://t.co/aaaaaaaaa5!https://t.co/aaaaaaaaa6?amp=1"),
            ["https://t.co/aaaaaaaaa4", "https://t.co/aaaaaaaaa5", "https://t.co/aaaaaaaaa6?amp=1"]
        );
    }

    #[test]
    fn dots_that_are_spelled_out() {
        assert_eq!(
            raws(
                "evil(dot)example(dot)org/a, evil[dot]example[dot]org, a.example[.]org. (dot) is none, f(dotted) nor f(dot)"
            ),
            ["evil(dot)example(dot)org/a", "evil[dot]example[dot]org", "a.example[.]org"]
        );
        for mail in [
            "user[@]mail[.]example",
            "user(at)mail(dot)example",
            "user [at] mail [dot] example",
            "user{@}mail{.}example",
        ] {
            assert_eq!(raws(&format!("write to {mail} now")), Vec::<&str>::new(), "{mail}");
        }
    }

    #[test]
    fn sections_of_files_are_no_domains() {
        assert_eq!(raws("see README.md#usage and lib.rs?x, or harbour.example#quays"), ["harbour.example#quays"]);
    }

    #[test]
    fn a_picture_is_found_whatever_it_is_glued_to() {
        for (text, want) in [
            (
                "https://t.co/AbCdEfGhIkpic.twitter.com/AbCdEfGhIj",
                &["https://t.co/AbCdEfGhIk", "pic.twitter.com/AbCdEfGhIj"][..],
            ),
            ("at the pierpic.twitter.com/AbCdEfGhIk end", &["pic.twitter.com/AbCdEfGhIk"]),
            ("埠頭pic.x.com/AbCdEfGhIk", &["pic.x.com/AbCdEfGhIk"]),
            (
                "https://a.example/storypic.twitter.com/AbCdEfGhIk",
                &["https://a.example/story", "pic.twitter.com/AbCdEfGhIk"],
            ),
            (
                "https://a.example/u?to=pic.twitter.com/AbCdEfGhIk",
                &["https://a.example/u?to=pic.twitter.com/AbCdEfGhIk"],
            ),
            ("a pic.twitter.com/AbCdEfGhIk", &["pic.twitter.com/AbCdEfGhIk"]),
        ] {
            assert_eq!(raws(text), want, "{text}");
        }
    }

    #[test]
    fn lines_of_a_preprocessor_hold_no_tags() {
        assert_eq!(
            raws("#ifdef X\n  #pragma once\n#ifndef pier_h // guard\n#include <a>\n#endif\n"),
            Vec::<&str>::new()
        );
        assert_eq!(
            raws("#ifdef is a tag, #pragma too\n#pragma is one\n#define love"),
            ["#ifdef", "#pragma", "#pragma", "#define"]
        );
    }

    fn found(text: &str) -> Vec<String> {
        let shown = |m: &Mark<'_>| match &m.what {
            What::Link(link) => Some(format!("{}{}", link.url, if m.candidate { " ?" } else { "" })),
            _ => None,
        };
        scan(text, &[]).iter().filter_map(shown).collect()
    }

    #[test]
    fn codes_that_a_line_end_cut() {
        for (text, want) in [
            (
                "x pic.twitter.com/\nAbCdEfGhIk and",
                &["https://pic.twitter.com/ ?", "https://pic.twitter.com/AbCdEfGhIk ?"][..],
            ),
            ("https://t.co/\r\nAbCdEfGhIk so", &["https://t.co/ ?", "https://t.co/AbCdEfGhIk ?"]),
            ("t.co/AbCd\nEfGhIj so", &["https://t.co/AbCd ?", "https://t.co/AbCdEfGhIj ?"]),
            ("https://t.co/AbCd\nEfGhIj", &["https://t.co/AbCd ?", "https://t.co/AbCdEfGhIj ?"]),
            ("https://t.co/AbCd\nlisten", &["https://t.co/AbCd ?"]),
            ("https://t.co/AbCdEfG\nThe", &["https://t.co/AbCdEfG"]),
            ("https://t.co/AbCdEfGhIk\n123", &["https://t.co/AbCdEfGhIk"]),
        ] {
            assert_eq!(found(text), want, "{text:?}");
        }
    }

    #[test]
    fn titles_that_go_on_without_a_space() {
        for (text, want) in [
            (
                "https://ja.wikipedia.org/wiki/2019年カザフスタン大統領選挙 for",
                &["https://ja.wikipedia.org/wiki/2019年カザフスタン大統領選挙", "https://ja.wikipedia.org/wiki/2019 ?"]
                    [..],
            ),
            (
                "https://zh.wikipedia.org/wiki/NHK紅白2019年",
                &["https://zh.wikipedia.org/wiki/NHK紅白2019年", "https://zh.wikipedia.org/wiki/NHK ?"],
            ),
            ("https://ja.wikipedia.org/wiki/NHKを参照", &["https://ja.wikipedia.org/wiki/NHK"]),
            ("https://ko.wikipedia.org/wiki/KBS를 보라", &["https://ko.wikipedia.org/wiki/KBS"]),
            ("https://ja.wikipedia.org/wiki/日本 x", &["https://ja.wikipedia.org/wiki/日本"]),
            ("https://a.example/path中国語", &["https://a.example/path"]),
            ("https://t.co/AEoFZOhI3pから", &["https://t.co/AEoFZOhI3p"]),
        ] {
            assert_eq!(found(text), want, "{text}");
        }
    }

    #[test]
    fn addresses_of_the_sixth_version() {
        assert_eq!(
            raws("See http://[2001:db8::1]/page, https://[::1]:8080/x?y. Not http://[pier]/x"),
            ["http://[2001:db8::1]/page", "https://[::1]:8080/x?y"]
        );
    }

    #[test]
    fn domains_between_spaceless_letters() {
        assert_eq!(
            raws("です。example.com/path/index.html中国語example.com/path한국"),
            ["example.com/path/index.html", "example.com/path"]
        );
    }
}
