//! Redirects in scripts, found without running them: `location = "…"` and its kin, with a literal or a constant as target.
//!
//! Only what surely runs while the page loads counts. What waits for a click, for a condition or for long is a page's own
//! business: in doubt the page is the end, for a live page taken for a redirect would be recorded as what it never led to.

use std::collections::{HashMap, HashSet};

/// Objects that have a `location`.
const OWNERS: [&str; 7] = ["window", "document", "self", "top", "parent", "globalThis", "frames"];

/// What is read of one script; a redirect page's is small.
const BOUND: usize = 64 << 10;

/// A bracket deeper than this is not looked into.
const DEPTH: usize = 64;

/// The target of the first statement that sets the location and surely runs while the page loads, as the string's value. A
/// call later than `patience` (milliseconds) is none of it.
pub fn redirect(script: &str, patience: u64) -> Option<String> {
    let tokens = tokens(head(script));
    let pairs = pairs(&tokens)?;
    let mut run = Run { tokens: &tokens, pairs, functions: HashMap::new(), ran: HashSet::new(), depth: 0, patience };
    run.declare();
    match run.part(0, tokens.len(), None) {
        Err(Stop::Found(to)) => Some(to).filter(|to| !to.trim().is_empty()),
        _ => None,
    }
}

/// Where each bracket's partner stands, both ways; one that is never closed ends with the script. None where they do not
/// fit: then it is not known what belongs to what.
fn pairs(tokens: &[Token<'_>]) -> Option<Vec<usize>> {
    let mut pairs = vec![tokens.len(); tokens.len()];
    let mut open = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        let Token::Mark(c) = token else { continue };
        match c {
            b'(' | b'[' | b'{' => open.push((at, c)),
            b')' | b']' | b'}' => {
                let (from, opened) = open.pop()?;
                if !matches!((opened, c), (b'(', b')') | (b'[', b']') | (b'{', b'}')) {
                    return None;
                }
                *pairs.get_mut(from)? = at;
                *pairs.get_mut(at)? = from;
            }
            _ => {}
        }
    }
    Some(pairs)
}

/// Why a walk through statements ends before their last one.
enum Stop {
    /// the location is set
    Found(String),
    /// what follows may not run
    Left,
}

/// A walk through what surely runs, in the order it stands there.
struct Run<'a> {
    tokens: &'a [Token<'a>],
    pairs: Vec<usize>,
    /// bodies by name, each the place of its `{`
    functions: HashMap<&'a str, usize>,
    /// bodies that were walked through: none is walked through twice
    ran: HashSet<usize>,
    depth: usize,
    patience: u64,
}

impl<'a> Run<'a> {
    fn is(&self, at: usize, c: u8) -> bool {
        mark(self.tokens, at, c)
    }

    fn partner(&self, at: usize) -> usize {
        self.pairs.get(at).copied().unwrap_or(self.tokens.len())
    }

    /// `function go() {` and `go = function () {`, wherever they stand.
    fn declare(&mut self) {
        for at in 0..self.tokens.len() {
            let Some(body) = self.body(at) else { continue };
            let named = (name(self.tokens, at) == Some("function")).then(|| name(self.tokens, at + 1)).flatten();
            let assigned = || (at >= 2 && self.is(at - 1, b'=')).then(|| name(self.tokens, at - 2)).flatten();
            if let Some(name) = named.or_else(assigned) {
                self.functions.entry(name).or_insert(body);
            }
        }
    }

    /// The `{` of the function that begins here: `function …(…) {`, `(…) => {`, `x => {`.
    fn body(&self, at: usize) -> Option<usize> {
        let arrow = |end: usize| {
            let leads = self.is(end, b'=') && self.is(end + 1, b'>') && self.is(end + 2, b'{');
            leads.then_some(end + 2)
        };
        match self.tokens.get(at)? {
            Token::Name("function") => {
                let open = (at + 1..at + 4).find(|at| self.is(*at, b'('))?;
                let body = self.partner(open) + 1;
                self.is(body, b'{').then_some(body)
            }
            Token::Name(_) => arrow(at + 1),
            Token::Mark(b'(') => arrow(self.partner(at) + 1),
            _ => None,
        }
    }

    /// Walks through a stretch; `call` is the `(` whose arguments it is.
    fn part(&mut self, from: usize, to: usize, call: Option<usize>) -> Result<(), Stop> {
        if self.depth >= DEPTH {
            return Err(Stop::Left);
        }
        self.depth += 1;
        let walked = self.statements(from, to, call);
        self.depth -= 1;
        walked
    }

    fn statements(&mut self, from: usize, to: usize, call: Option<usize>) -> Result<(), Stop> {
        // Up to the statement's end it is not sure, or nothing behind that end is.
        let (mut doubt, mut leaving) = (false, false);
        let mut at = from;
        while at < to {
            if let Some(body) = self.body(at) {
                if !doubt && self.is_run(at, body, call) {
                    self.function(body)?;
                }
                at = self.partner(body) + 1;
                continue;
            }
            match self.tokens.get(at) {
                Some(Token::Mark(b';')) if leaving => return Err(Stop::Left),
                Some(Token::Mark(b';')) => doubt = false,
                Some(Token::Mark(c @ (b'(' | b'[' | b'{'))) => {
                    let end = self.partner(at);
                    let is_method = *c == b'{' && at > 0 && self.is(at - 1, b')');
                    if !doubt && !is_method {
                        self.part(at + 1, end.min(to), (*c == b'(').then_some(at))?;
                    }
                    at = end;
                }
                Some(Token::Mark(_)) if self.is_choice(at) => doubt = true,
                // A function of one expression: it is sure where the function surely runs.
                Some(Token::Mark(b'=')) if at > 0 && self.is(at + 1, b'>') => {
                    let begin = if self.is(at - 1, b')') { self.partner(at - 1) } else { at - 1 };
                    doubt |= !self.is_handed_over(begin, call);
                }
                Some(Token::Name(word)) => match *word {
                    "if" | "while" | "for" | "with" | "switch" | "catch" | "else" | "class" if !self.is_field(at) => {
                        let (next, is_open) = self.perhaps(at)?;
                        doubt |= is_open;
                        at = next;
                        continue;
                    }
                    "return" | "throw" if doubt => return Err(Stop::Left),
                    "return" | "throw" => leaving = true,
                    _ if doubt => {}
                    word => self.word(at, word, call)?,
                },
                _ => {}
            }
            at += 1;
        }
        if leaving { Err(Stop::Left) } else { Ok(()) }
    }

    /// `a.if` and `{if: …}` are fields.
    fn is_field(&self, at: usize) -> bool {
        (at > 0 && self.is(at - 1, b'.')) || self.is(at + 1, b':')
    }

    /// `&&`, `||`, `??` and `… ? … : …`: what stands behind may not run. `?.` has no say in that.
    fn is_choice(&self, at: usize) -> bool {
        let twice = |c| self.is(at, c) && self.is(at + 1, c);
        twice(b'&') || twice(b'|') || (self.is(at, b'?') && !self.is(at + 1, b'.'))
    }

    /// Passes over what runs only perhaps: where it ends, and whether its statement is yet to come. Where it may leave the
    /// function, nothing behind it is sure.
    fn perhaps(&self, at: usize) -> Result<(usize, bool), Stop> {
        let mut next = at + 1;
        if name(self.tokens, at) == Some("class") {
            next = (next..self.tokens.len()).find(|at| self.is(*at, b'{')).unwrap_or(self.tokens.len());
        } else if name(self.tokens, next) == Some("await") {
            next += 1;
        }
        if self.is(next, b'(') {
            next = self.partner(next) + 1;
        }
        if !self.is(next, b'{') {
            return Ok((next, name(self.tokens, next) != Some("if")));
        }
        let end = self.partner(next);
        let inside = self.tokens.get(next..end.min(self.tokens.len())).unwrap_or_default();
        let leaves = inside.iter().any(|token| matches!(token, Token::Name("return" | "throw")));
        if leaves && name(self.tokens, at) != Some("class") { Err(Stop::Left) } else { Ok((end + 1, false)) }
    }

    /// A name in a statement that surely runs: it sets the location, or has a function run that is known here.
    fn word(&mut self, at: usize, word: &str, call: Option<usize>) -> Result<(), Stop> {
        if let Some(to) = sets_location(self.tokens, at) {
            return Err(Stop::Found(to));
        }
        let Some(&body) = self.functions.get(word) else { return Ok(()) };
        let foreign = at >= 2 && self.is(at - 1, b'.') && name(self.tokens, at - 2) != Some("window");
        let called = self.is(at + 1, b'(');
        if !foreign && (called || self.is_handed_over(at, call)) { self.function(body) } else { Ok(()) }
    }

    /// Whether the function that begins at `at` runs: it is called where it stands, or handed to what calls it in time.
    fn is_run(&self, at: usize, body: usize, call: Option<usize>) -> bool {
        let behind = self.partner(body) + 1;
        let is_call = |at: usize| {
            let by_name = self.is(at, b'.') && matches!(name(self.tokens, at + 1), Some("call" | "apply"));
            self.is(at, b'(') || by_name
        };
        let before = at.checked_sub(1).and_then(|at| self.tokens.get(at));
        let is_value = !matches!(before, None | Some(Token::Mark(b';' | b'{' | b'}')));
        let is_grouped = self.is(behind, b')') && call.is_some_and(|open| !self.is_of_call(open));
        (is_value && is_call(behind)) || (is_grouped && is_call(behind + 1)) || self.is_handed_over(at, call)
    }

    /// Whether this `(` opens arguments, and no group.
    fn is_of_call(&self, open: usize) -> bool {
        let before = open.checked_sub(1).and_then(|at| self.tokens.get(at));
        !matches!(before, None | Some(Token::Name("return" | "void" | "await" | "typeof") | Token::Text(_)))
            && !matches!(before, Some(Token::Mark(c)) if !matches!(c, b')' | b']'))
    }

    /// Whether a function named or written at `at` is called by the browser while the page loads or soon after.
    fn is_handed_over(&self, at: usize, call: Option<usize>) -> bool {
        if at >= 2 && self.is(at - 1, b'=') && name(self.tokens, at - 2) == Some("onload") {
            return true;
        }
        let Some(open) = call.filter(|open| *open > 0) else { return false };
        match name(self.tokens, open - 1) {
            Some("setTimeout") => at == open + 1 && self.is_soon(open),
            Some("requestAnimationFrame" | "queueMicrotask") => at == open + 1,
            Some("addEventListener") => matches!(
                self.tokens.get(open + 1),
                Some(Token::Text(event)) if event == "load" || event == "DOMContentLoaded"
            ),
            _ => false,
        }
    }

    /// Whether a timer's delay, its second argument, is a number within patience, or left out.
    fn is_soon(&self, open: usize) -> bool {
        let end = self.partner(open);
        let mut at = open + 1;
        while at < end && !self.is(at, b',') {
            let opens = matches!(self.tokens.get(at), Some(Token::Mark(b'(' | b'[' | b'{')));
            at = if opens { self.partner(at) + 1 } else { at + 1 };
        }
        let alone = at + 2 == end || self.is(at + 2, b',');
        let delay = name(self.tokens, at + 1).and_then(|number| number.parse::<u64>().ok());
        at >= end || (alone && delay.is_some_and(|delay| delay <= self.patience))
    }

    fn function(&mut self, body: usize) -> Result<(), Stop> {
        if !self.ran.insert(body) {
            return Ok(());
        }
        match self.part(body + 1, self.partner(body), None) {
            Err(Stop::Left) | Ok(()) => Ok(()),
            found => found,
        }
    }
}

fn head(script: &str) -> &str {
    let mut end = BOUND.min(script.len());
    while !script.is_char_boundary(end) {
        end -= 1;
    }
    script.get(..end).unwrap_or_default()
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token<'a> {
    Name(&'a str),
    Text(String),
    Mark(u8),
}

/// Names, strings and punctuation; comments and white space are gone.
fn tokens(script: &str) -> Vec<Token<'_>> {
    let bytes = script.as_bytes();
    let mut out = Vec::new();
    let mut at = 0;
    while let Some(&c) = bytes.get(at) {
        let rest = script.get(at..).unwrap_or_default();
        at += match c {
            _ if c.is_ascii_whitespace() => 1,
            b'/' if rest.starts_with("//") => rest.find('\n').unwrap_or(rest.len()),
            b'/' if rest.starts_with("/*") => rest.find("*/").map_or(rest.len(), |end| end + 2),
            b'/' if may_be_pattern(out.last()) && pattern(rest).is_some() => {
                out.push(Token::Text(String::new()));
                pattern(rest).unwrap_or(1)
            }
            b'"' | b'\'' | b'`' => {
                let (mut value, length) = literal(rest, char::from(c));
                if c == b'`' && value.contains("${") {
                    // What it comes to is not written here.
                    value.clear();
                }
                out.push(Token::Text(value));
                length
            }
            _ if is_name(c) => {
                let length = rest.bytes().position(|c| !is_name(c)).unwrap_or(rest.len());
                out.push(Token::Name(rest.get(..length).unwrap_or_default()));
                length
            }
            _ => {
                out.push(Token::Mark(c));
                rest.chars().next().map_or(1, char::len_utf8)
            }
        };
    }
    out
}

/// Whether a slash behind this token begins a pattern, and is no division.
fn may_be_pattern(last: Option<&Token<'_>>) -> bool {
    match last {
        None | Some(Token::Name("return" | "typeof" | "case")) => true,
        Some(Token::Mark(c)) => !matches!(c, b')' | b']' | b'}'),
        Some(_) => false,
    }
}

/// The length of a regular expression literal (ECMA-262 §12.9.5), which ends on its line; its brackets and quotes are none.
fn pattern(rest: &str) -> Option<usize> {
    let (mut class, mut escaped) = (false, false);
    for (at, c) in rest.bytes().enumerate().skip(1) {
        match c {
            b'\n' => return None,
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'[' => class = true,
            b']' => class = false,
            b'/' if !class => return Some(at + 1),
            _ => {}
        }
    }
    None
}

fn is_name(c: u8) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, b'_' | b'$')
}

/// A string literal's value and its length with both quotes (ECMA-262 §12.9.4).
fn literal(rest: &str, quote: char) -> (String, usize) {
    let mut value = String::new();
    let mut chars = rest.char_indices().skip(1);
    while let Some((at, c)) = chars.next() {
        match c {
            _ if c == quote => return (value, at + c.len_utf8()),
            '\n' if quote != '`' => return (String::new(), at), // no string after all: a quote in a regex, say
            '\\' => escape(&mut chars, &mut value),
            _ => value.push(c),
        }
    }
    (String::new(), rest.len())
}

fn escape(chars: &mut impl Iterator<Item = (usize, char)>, value: &mut String) {
    let code = |chars: &mut dyn Iterator<Item = (usize, char)>, digits: usize| {
        let hex: String = chars.take(digits).map(|(_, c)| c).collect();
        u32::from_str_radix(&hex, 16).ok().and_then(char::from_u32)
    };
    match chars.next().map(|(_, c)| c) {
        Some('x') => value.extend(code(chars, 2)),
        Some('u') => value.extend(code(chars, 4)),
        Some('n' | 'r' | 't') | None => {}
        Some(c) => value.push(c),
    }
}

fn name<'a>(tokens: &[Token<'a>], at: usize) -> Option<&'a str> {
    match tokens.get(at) {
        Some(Token::Name(name)) => Some(name),
        _ => None,
    }
}

fn mark(tokens: &[Token<'_>], at: usize, c: u8) -> bool {
    tokens.get(at) == Some(&Token::Mark(c))
}

/// A statement at `tokens[at]` that sets the location.
fn sets_location(tokens: &[Token<'_>], at: usize) -> Option<String> {
    match name(tokens, at)? {
        "location" if is_the_location(tokens, at) => {}
        "navigate" | "open" if mark(tokens, at + 1, b'(') && of_window(tokens, at) => {
            // window.open goes elsewhere unless it names this very window
            let own = name(tokens, at) == Some("navigate")
                || tokens.get(at + 4).is_some_and(|t| matches!(t, Token::Text(t) if t == "_self" || t == "_top"));
            return own.then(|| value(tokens, at + 2)).flatten();
        }
        _ => return None,
    }
    if mark(tokens, at + 1, b'=') && !mark(tokens, at + 2, b'=') {
        return value(tokens, at + 2);
    }
    if !mark(tokens, at + 1, b'.') {
        return None;
    }
    match name(tokens, at + 2)? {
        "href" if mark(tokens, at + 3, b'=') && !mark(tokens, at + 4, b'=') => value(tokens, at + 4),
        "replace" | "assign" if mark(tokens, at + 3, b'(') => value(tokens, at + 4),
        _ => None,
    }
}

fn of_window(tokens: &[Token<'_>], at: usize) -> bool {
    at >= 2 && mark(tokens, at - 1, b'.') && name(tokens, at - 2) == Some("window")
}

/// `location` alone or behind an object that has the real one; `map.location = …` is something else.
fn is_the_location(tokens: &[Token<'_>], at: usize) -> bool {
    if at == 0 || !mark(tokens, at - 1, b'.') {
        // `var location =` and `{location: …}` set no location
        let declared = at > 0 && matches!(name(tokens, at - 1), Some("var" | "let" | "const" | "function"));
        return !declared;
    }
    at >= 2 && name(tokens, at - 2).is_some_and(|owner| OWNERS.contains(&owner))
}

/// The string that stands at `at`: a literal, a constant set earlier, or either inside `decodeURIComponent(…)`. A string
/// that is added to is none.
fn value(tokens: &[Token<'_>], at: usize) -> Option<String> {
    match tokens.get(at)? {
        Token::Text(text) if !mark(tokens, at + 1, b'+') && !mark(tokens, at + 1, b'.') => Some(text.clone()),
        Token::Name("decodeURIComponent" | "unescape" | "decodeURI") if mark(tokens, at + 1, b'(') => {
            let inner = value(tokens, at + 2)?;
            Some(crate::format::query::decode(&inner))
        }
        Token::Name(variable)
            if !mark(tokens, at + 1, b'+') && !mark(tokens, at + 1, b'(') && !mark(tokens, at + 1, b'.') =>
        {
            tokens.windows(3).find_map(|three| match three {
                [Token::Name(name), Token::Mark(b'='), Token::Text(text)] if name == variable => Some(text.clone()),
                _ => None,
            })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings() {
        for script in [
            "location='http://a/';",
            "location.href = \"http://a/\"",
            "window.location=`http://a/`",
            "document.location = \"http:\\/\\/a\\/\"",
            "top.location.href='http://a/'",
            "location.replace('http:\\x2f\\u002fa/')",
            "/* location='http://b/' */ self.location.assign( \"http://a/\" )",
            "// location='http://b/'\nsetTimeout(function(){ window.location.href = 'http://a/' }, 10)",
            "var to = 'http://a/'; location.replace(to)",
            "location.href = decodeURIComponent('http%3A%2F%2Fa%2F')",
            "window.open('http://a/', '_self')",
            "var location; location = 'http://a/'",
        ] {
            assert_eq!(redirect(script, 30_000).as_deref(), Some("http://a/"), "{script}");
        }
    }

    #[test]
    fn things_that_only_look_like_it() {
        for script in [
            "var location = 'http://a/'",
            "map.location = 'http://a/'",
            "if (location.href == 'http://a/') x()",
            "if (location == 'http://a/') x()",
            "location.href = 'http://a/?x=' + y",
            "x = \"location = 'http://a/'\"",
            "window.open('http://a/')",
            "location.reload()",
            "location.href = make('http://a/')",
            "location = ''",
        ] {
            assert_eq!(redirect(script, 30_000), None, "{script}");
        }
    }

    #[test]
    fn what_surely_runs_at_load_is_followed() {
        for script in [
            "(function(){ 'use strict'; var x = {a: 1}; location = 'http://a/' })()",
            "!function(){ location = 'http://a/' }();",
            "(() => { location = 'http://a/' })()",
            "function go(){ location = 'http://a/' } go();",
            "var go = function(){ location = 'http://a/' }; setTimeout(go, 500)",
            "window.onload = function(){ location = 'http://a/' }",
            "function go(){ location = 'http://a/' } window.onload = go",
            "addEventListener('load', () => { location = 'http://a/' })",
            "document.addEventListener('DOMContentLoaded', function(e){ location = 'http://a/' }, false)",
            "setTimeout(() => location.replace('http://a/'), 0)",
            "setTimeout(function(){ location = 'http://a/' })",
            "try { location = 'http://a/' } catch (e) { }",
            "if (window.opener) { window.opener = null } location = 'http://a/'",
            "if (x) y(); location = 'http://a/'",
            "function other(){ return 1 } var r = /[(\"]/; location = 'http://a/'",
            "{ location = 'http://a/' }",
        ] {
            assert_eq!(redirect(script, 30_000).as_deref(), Some("http://a/"), "{script}");
        }
    }

    #[test]
    fn what_may_never_run_is_not_followed() {
        for script in [
            "function next(){ window.location = 'http://a/' }",
            "var next = function(){ location = 'http://a/' }",
            "let next = () => { location = 'http://a/' }",
            "let next = () => location.replace('http://a/')",
            "button.onclick = function(){ location = 'http://a/' }",
            "button.addEventListener('click', function(){ location = 'http://a/' })",
            "setTimeout(function(){ location.href = 'http://a/' }, 600000)",
            "setTimeout(() => location.replace('http://a/'), 600000)",
            "setTimeout(function(){ location.href = 'http://a/' }, delay)",
            "setTimeout(function(){ location.href = 'http://a/' }, 60 * 1000)",
            "function go(){ location = 'http://a/' } setTimeout(go, 600000)",
            "if (top.location !== self.location) top.location = 'http://a/'",
            "if (top != self) { top.location = 'http://a/' }",
            "if (a) b(); else location = 'http://a/'",
            "if (a) { b() } else { location = 'http://a/' }",
            "if (a) { b() } else if (c) { location = 'http://a/' }",
            "logged_in || (location = 'http://a/')",
            "logged_in ? stay() : location.replace('http://a/')",
            "(function(){ if (!old) { return } location = 'http://a/' })()",
            "(function(){ if (!old) return; location = 'http://a/' })()",
            "switch (x) { case 1: location = 'http://a/' }",
            "try { x() } catch (e) { location = 'http://a/' }",
            "while (x) location = 'http://a/'",
            "var page = { next() { location = 'http://a/' } }",
            "var page = { next: function () { location = 'http://a/' } }",
            "class Page { next() { location = 'http://a/' } }",
            "location = `http://a/${x}`",
            "fetch('/x').then(function(){ location = 'http://a/' })",
            "} location = 'http://a/'",
        ] {
            assert_eq!(redirect(script, 30_000), None, "{script}");
        }
        assert_eq!(redirect(&"(".repeat(70_000), 0), None);
    }

    proptest::proptest! {
        #[test]
        fn anything_ends(script in "[\\PC\n]{0,300}") {
            let _ = redirect(&script, 30_000);
        }
    }
}
