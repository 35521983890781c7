//! Handles: `@user` (X), `@user@host` (ActivityPub), `@domain` (AT Protocol), and what only looks like one.

use std::borrow::Cow;

use super::letters::{char_at, char_before, is_latin_accent};
use super::link::{self, host::Host};
use super::mark::{Mark, What};
use crate::platform::post::Platform;

/// What stands at an at sign.
pub(super) enum Read<'t> {
    /// an account
    Handle { end: usize, platform: Platform, handle: Cow<'t, str> },
    /// none, and nothing before `behind` is one
    Not { behind: usize },
}

/// Longer ones are no handles of X (15 today, 20 in its early days).
const LONGEST: usize = 20;

/// Reads the at sign at `at`, which is `width` bytes wide (`@` or `＠`).
pub(super) fn read(text: &str, at: usize, width: usize) -> Read<'_> {
    let bytes = text.as_bytes();
    let name_at = at + width;
    let len = bytes.get(name_at..).map_or(0, |t| t.iter().take(64).take_while(|b| is_word(**b)).count());
    let end = name_at + len;
    if !may_precede(text, at) {
        return Read::Not { behind: behind_mail(text, at) };
    }
    if len == 0 {
        return Read::Not { behind: name_at };
    }
    if let Some(read) = with_host(text, name_at, end).or_else(|| with_dots(text, at, name_at, end)) {
        return read;
    }
    let next = char_at(text, end);
    let spoiled = len > LONGEST
        || next.is_some_and(|c| matches!(c, '@' | '＠') || is_latin_accent(c))
        || bytes.get(end..).is_some_and(|t| t.starts_with(b"://"))
        || is_amount(bytes, name_at, end);
    if spoiled {
        return Read::Not { behind: link::ruined(text, end) };
    }
    Read::Handle { end, platform: Platform::X, handle: Cow::Borrowed(text.get(name_at..end).unwrap_or_default()) }
}

fn is_word(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b == b'_'
}

/// Behind a letter or digit stands the domain of a mail address; `RT@user` is the exception of 2009.
fn may_precede(text: &str, at: usize) -> bool {
    match char_before(text, at) {
        None => true,
        Some(c) if c.is_ascii_alphanumeric() => {
            let bytes = text.as_bytes();
            let two = at.checked_sub(2).and_then(|s| bytes.get(s..at));
            two.is_some_and(|t| t.eq_ignore_ascii_case(b"rt"))
                && char_before(text, at - 2).is_none_or(|c| !c.is_alphanumeric() && c != '_')
        }
        Some(c) => {
            !matches!(c, '_' | '!' | '#' | '$' | '%' | '&' | '*' | '@' | '＠' | '＃' | '+' | '=' | '~')
                && !is_latin_accent(c)
        }
    }
}

/// `3 @15.99`, `@5:30`: a price or a time.
fn is_amount(bytes: &[u8], start: usize, end: usize) -> bool {
    bytes.get(start..end).is_some_and(|name| name.iter().all(u8::is_ascii_digit))
        && (end - start <= 4
            || matches!(bytes.get(end), Some(b'.' | b',' | b':' | b'%') if bytes.get(end + 1).is_some_and(u8::is_ascii_digit)))
}

/// `@user@host`: the host must be one.
fn with_host(text: &str, name_at: usize, end: usize) -> Option<Read<'_>> {
    let bytes = text.as_bytes();
    if !matches!(bytes.get(end), Some(b'@' | b'.' | b'-')) {
        return None;
    }
    // a Mastodon name may hold dots and hyphens inside
    let longer = bytes
        .get(name_at..)
        .map_or(0, |t| t.iter().take(64).take_while(|b| is_word(**b) || **b == b'.' || **b == b'-').count());
    let user_end = [end, name_at + longer].into_iter().find(|e| bytes.get(*e) == Some(&b'@'))?;
    let host_at = user_end + 1;
    let host = link::host::host(text, host_at).filter(|h| h.known && !h.defanged);
    Some(match host {
        Some(host) if !host.name.chars().all(|c| c.is_ascii_digit() || c == '.') => {
            let raw = text.get(name_at..host.end)?;
            let plain = text.get(host_at..host.end) == Some(host.name.as_ref());
            let handle = if plain {
                Cow::Borrowed(raw)
            } else {
                Cow::Owned(format!("{}@{}", text.get(name_at..user_end)?, host.name))
            };
            // `@test@example.com` is how ActivityPub writes accounts; with more behind it, it is something else
            Read::Handle { end: host.end, platform: Platform::Mastodon, handle }
        }
        _ => Read::Not { behind: link::ruined(text, host_at) },
    })
}

/// `@name.example.org`: a domain that is a handle; or, inside parentheses, a name with dots as Instagram allows.
fn with_dots(text: &str, at: usize, name_at: usize, end: usize) -> Option<Read<'_>> {
    let bytes = text.as_bytes();
    let dotted =
        matches!(bytes.get(end), Some(b'.' | b'-')) && bytes.get(end + 1).is_some_and(u8::is_ascii_alphanumeric);
    if !dotted {
        return None;
    }
    let host = link::host::host(text, name_at).filter(|h| !h.defanged && h.end > end);
    if let Some(host) = &host {
        let plain = text.get(name_at..host.end)?;
        if host.known && plain.is_ascii() && !plain.contains('_') && !link::file::is_no_domain(text, name_at, host.end)
        {
            let handle =
                if plain == host.name { Cow::Borrowed(plain) } else { Cow::Owned(host.name.clone().into_owned()) };
            return Some(Read::Handle { end: host.end, platform: Platform::Bluesky, handle });
        }
    }
    let run = bytes.get(name_at..)?.iter().take(31).take_while(|b| is_word(**b) || **b == b'.').count();
    let stop = name_at + run;
    let enclosed = char_before(text, at) == Some('(') && char_at(text, stop) == Some(')');
    (enclosed && run <= 30 && stop > end).then(|| Read::Handle {
        end: stop,
        platform: Platform::Instagram,
        handle: Cow::Borrowed(text.get(name_at..stop).unwrap_or_default()),
    })
}

/// Behind a handle: a list's or a package's path belongs to it and is no citation of its own.
pub(super) fn behind(text: &str, end: usize) -> usize {
    if text.as_bytes().get(end) == Some(&b'/') { link::ruined(text, end) } else { end }
}

/// The at sign of a mail address whose local part goes on at `at`.
pub(super) fn mail_sign(text: &str, at: usize) -> Option<usize> {
    let tail = text.as_bytes().get(at..)?;
    let local = tail.iter().take(64).take_while(|b| is_word(**b) || matches!(b, b'+' | b'.' | b'-' | b'%')).count();
    (tail.get(local) == Some(&b'@') && tail.get(local + 1).is_some_and(u8::is_ascii_alphanumeric)).then_some(at + local)
}

/// Behind the domain of a mail address whose at sign stands at `at`.
pub(super) fn behind_mail(text: &str, at: usize) -> usize {
    let tail = text.as_bytes().get(at..).unwrap_or_default();
    at + tail
        .iter()
        .take(256)
        .take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'@' | b'_'))
        .count()
        .max(1)
}

/// A domain that is an account by itself: `name.bsky.social`.
pub(super) fn bare_domain<'t>(text: &'t str, start: usize, host: &Host<'_>) -> Option<Mark<'t>> {
    let own = host.name.strip_suffix(".bsky.social")?;
    if own.is_empty()
        || own.contains('.')
        || host.defanged
        || matches!(text.as_bytes().get(host.end), Some(b'/' | b':'))
    {
        return None;
    }
    Some(Mark {
        start,
        end: host.end,
        what: What::Handle(Platform::Bluesky, Cow::Owned(host.name.clone().into_owned())),
        candidate: false,
    })
}

/// The names of CSS at-rules (CSS Snapshot 2025): in a text that holds a style sheet they look like handles.
fn is_at_rule_name(name: &str) -> bool {
    matches!(
        name,
        "charset"
            | "container"
            | "counter-style"
            | "font-face"
            | "font-feature-values"
            | "import"
            | "keyframes"
            | "layer"
            | "media"
            | "namespace"
            | "page"
            | "property"
            | "scope"
            | "starting-style"
            | "supports"
            | "view-transition"
    )
}

/// Whether the at sign belongs to a program or a style sheet: decorators, annotations, at-rules, package scopes.
pub(super) fn in_code(text: &str, at: usize, end: usize) -> bool {
    let bytes = text.as_bytes();
    let name = text.get(at + 1..end).unwrap_or_default();
    let scoped = bytes.get(end) == Some(&b'/');
    let rule = is_at_rule_name(name);
    let head = bytes.get(at.saturating_sub(40)..at).unwrap_or_default();
    let first = head.iter().rev().find(|b| !matches!(b, b' ' | b'\t')).is_none_or(|b| *b == b'\n') && head.len() < 40
        || head.iter().rev().take_while(|b| **b != b'\n').all(|b| matches!(b, b' ' | b'\t')) && head.contains(&b'\n');
    let announced =
        matches!(head, [.., b'r' | b's' | b'n' | b'e' | b'R' | b'S' | b'N' | b'E', b' ']) && is_announced(head);
    if !(scoped || rule || announced || first && may_begin_code(bytes.get(end..).unwrap_or_default())) {
        return false;
    }
    let before = text.get(floor_char(text, at.saturating_sub(160))..at).unwrap_or_default();
    let line = before.rsplit('\n').next().unwrap_or_default();
    let after = text.get(end..ceil_char(text, end + 160)).unwrap_or_default();
    let line_after = after.split('\n').next().unwrap_or_default();
    announced
        || scoped && is_scope(line, line_after)
        || rule && is_at_rule(line_after)
        || line.trim().is_empty() && line_begins_code(line_after, after)
}

/// Whether what follows an at sign and a name at a line's beginning can be code: arguments, a dot, or the line's end.
fn may_begin_code(after: &[u8]) -> bool {
    let blank = after.iter().take_while(|b| matches!(b, b' ' | b'\t')).count();
    match after.get(blank) {
        None | Some(b'\n' | b'\r' | 0x0b | 0x0c | 0x80..) => true,
        Some(b'(' | b'.') => blank == 0,
        _ => false,
    }
}

/// Whether the last word is one that announces a piece of a program.
fn is_announced(head: &[u8]) -> bool {
    let word = head.strip_suffix(b" ").and_then(|h| h.rsplit(|b| !b.is_ascii_alphabetic()).next()).unwrap_or_default();
    ANNOUNCERS.iter().any(|a| a.eq_ignore_ascii_case(word))
}

/// Words that announce a piece of a program.
const ANNOUNCERS: &[&[u8]] = &[b"decorator", b"decorators", b"annotation", b"annotations", b"directive"];

fn is_at_rule(after: &str) -> bool {
    let body = after.trim_start();
    after.contains('{')
        || body.starts_with("url(")
        || body.starts_with(['"', '\'', '('])
        || (body.is_empty() && after.is_empty())
}

/// `"@types/node"`, `npm install @scope/name`, `from '@scope/name'`, `@scope/name@1.2.3`.
fn is_scope(line: &str, after: &str) -> bool {
    const TOOLS: &[&str] = &[
        "npm ",
        "npx ",
        "yarn ",
        "pnpm ",
        "bun ",
        "deno ",
        "jsr:",
        "import ",
        "require(",
        "from ",
        "node_modules",
        "package",
    ];
    /// What a package is called in prose; lists of accounts are not.
    const NOUNS: &[&str] = &[
        "package",
        "packages",
        "library",
        "libraries",
        "module",
        "modules",
        "dependency",
        "dependencies",
        "plugin",
        "plugins",
        "npm",
        "sdk",
        "cli",
        "loader",
        "framework",
        "typings",
    ];
    let quoted = line.ends_with(['"', '\'', '`']);
    let versioned = after.split_whitespace().next().is_some_and(|w| w.get(1..).is_some_and(|w| w.contains('@')));
    let noun = |word: &str| {
        let word = word.trim_matches(|c: char| !c.is_alphanumeric());
        NOUNS.iter().any(|noun| word.eq_ignore_ascii_case(noun))
    };
    // beside it, as in `the package @a/b` and `the @a/b library`: a list of accounts is called neither
    let beside = line.split_whitespace().rev().take(3).any(noun) || after.split_whitespace().skip(1).take(2).any(noun);
    quoted || versioned || beside || TOOLS.iter().any(|t| line.contains(t))
}

/// A line that begins with an at sign and goes on like a decorator or an annotation: its arguments, or a definition below.
fn line_begins_code(rest: &str, after: &str) -> bool {
    const DEFINES: &[&str] = &[
        "def ",
        "async def ",
        "class ",
        "public ",
        "private ",
        "protected ",
        "static ",
        "final ",
        "function ",
        "export ",
        "interface ",
        "abstract ",
        "fun ",
        "val ",
        "var ",
        "void ",
    ];
    if rest.starts_with('(') {
        return rest.trim_end().ends_with(')');
    }
    let qualified = rest.strip_prefix('.').is_some_and(|r| {
        r.trim_end().ends_with(')') || r.trim_end().bytes().all(|b| is_word(b) || b == b'.') && !r.is_empty()
    });
    if !(rest.trim().is_empty() || qualified) {
        return false;
    }
    let next = after.split_once('\n').map(|(_, t)| t.trim_start()).unwrap_or_default();
    DEFINES.iter().any(|d| next.starts_with(d))
}

fn floor_char(text: &str, mut at: usize) -> usize {
    while at > 0 && !text.is_char_boundary(at) {
        at -= 1;
    }
    at.min(text.len())
}

fn ceil_char(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at += 1;
    }
    at
}
