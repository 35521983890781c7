//! Handles: `@user` (X), `@user@host` (ActivityPub), `@domain` (AT Protocol), and what only looks like one.

use std::borrow::Cow;

use super::letters::{char_at, char_before, is_latin_accent, is_word};
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
        || next.is_some_and(|c| matches!(c, '@' | '＠' | '\u{300}'..='\u{36f}') || is_latin_accent(c))
        || bytes.get(end..).is_some_and(|t| t.starts_with(b"://"))
        || is_amount(bytes, name_at, end);
    if spoiled {
        return Read::Not { behind: link::ruined(text, end) };
    }
    Read::Handle { end, platform: Platform::X, handle: Cow::Borrowed(text.get(name_at..end).unwrap_or_default()) }
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
            !matches!(
                c,
                '\u{300}'..='\u{36f}' | '_' | '!' | '#' | '$' | '%' | '&' | '*' | '@' | '＠' | '＃' | '+' | '=' | '~'
            ) && !is_latin_accent(c)
        }
    }
}

/// `3 @15.99`, `@5:30`, `@7pm`: a price or a time.
fn is_amount(bytes: &[u8], start: usize, end: usize) -> bool {
    if let Some([hour @ .., b'a' | b'A' | b'p' | b'P', b'm' | b'M']) = bytes.get(start..end)
        && (1..=2).contains(&hour.len())
        && hour.iter().all(u8::is_ascii_digit)
    {
        return true;
    }
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

/// Where names hold dots, and how texts call it.
const DOTTED: &[(&str, Platform)] = &[
    ("instagram", Platform::Instagram),
    ("инстаграм", Platform::Instagram),
    ("インスタ", Platform::Instagram),
    ("tiktok", Platform::Tiktok),
    ("тикток", Platform::Tiktok),
    ("threads", Platform::Threads),
];
/// How near to a name its site is named, in bytes.
const NEAR: usize = 64;

/// The site with dotted names that is named beside a name, in its own paragraph; none where Bluesky is named too.
fn dotted_site(text: &str, at: usize, end: usize) -> Option<Platform> {
    let before = text.get(floor_char(text, at.saturating_sub(NEAR))..at).unwrap_or_default();
    let behind = text.get(end..ceil_char(text, end + NEAR)).unwrap_or_default();
    let before = before.rsplit("\n\n").next().unwrap_or_default().to_lowercase();
    let behind = behind.split("\n\n").next().unwrap_or_default().to_lowercase();
    let holds = |name: &str| before.contains(name) || behind.contains(name);
    DOTTED.iter().find(|(name, _)| holds(name) && !holds("bluesky") && !holds("bsky")).map(|(_, site)| *site)
}

/// Whether a name goes on behind the dot at `dot`: a sentence that begins without its space does so with a capital.
fn goes_on(bytes: &[u8], dot: usize) -> bool {
    bytes.get(dot) == Some(&b'.') && bytes.get(dot + 1).is_some_and(u8::is_ascii_lowercase)
}

/// `@name.example.org`: a domain that is a handle; or, where a site that allows them is named or in parentheses, a name with
/// dots. Of any other name with dots the part before the first is somebody else's.
fn with_dots(text: &str, at: usize, name_at: usize, end: usize) -> Option<Read<'_>> {
    let bytes = text.as_bytes();
    let dotted =
        matches!(bytes.get(end), Some(b'.' | b'-')) && bytes.get(end + 1).is_some_and(u8::is_ascii_alphanumeric);
    if !dotted {
        return None;
    }
    let run = bytes.get(name_at..)?.iter().take(65).take_while(|b| is_word(**b) || **b == b'.').count();
    let run = run - bytes.get(name_at..name_at + run)?.iter().rev().take_while(|b| **b == b'.').count();
    let stop = name_at + run;
    let named = |platform| Read::Handle {
        end: stop,
        platform,
        handle: Cow::Borrowed(text.get(name_at..stop).unwrap_or_default()),
    };
    let fits = run <= 30 && stop > end && !text.get(name_at..stop)?.contains("..");
    let site = if fits { dotted_site(text, at, stop) } else { None };
    let host = link::host::host(text, name_at).filter(|h| !h.defanged && h.end > end && site.is_none());
    if let Some(host) = &host {
        let plain = text.get(name_at..host.end)?;
        if host.known && plain.is_ascii() && !plain.contains('_') && !link::file::is_no_domain(text, name_at, host.end)
        {
            let handle =
                if plain == host.name { Cow::Borrowed(plain) } else { Cow::Owned(host.name.clone().into_owned()) };
            return Some(Read::Handle { end: host.end, platform: Platform::Bluesky, handle });
        }
    }
    let enclosed = char_before(text, at) == Some('(') && char_at(text, stop) == Some(')');
    match site {
        Some(site) if goes_on(bytes, end) => Some(named(site)),
        _ if enclosed && fits => Some(named(Platform::Instagram)),
        _ => goes_on(bytes, end).then(|| Read::Not { behind: link::ruined(text, end) }),
    }
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

/// Whether a mail address's at sign, written so that no program takes it for one, ends right before `at`: `[@]`, `(at)`.
pub(super) fn is_behind_mail_sign(text: &str, at: usize) -> bool {
    let near = text.get(floor_char(text, at.saturating_sub(8))..at).unwrap_or_default().trim_end().to_ascii_lowercase();
    ["@", "at"].iter().any(|sign| {
        near.strip_suffix([']', ')', '}'])
            .and_then(|near| near.strip_suffix(sign))
            .is_some_and(|near| near.ends_with(['[', '(', '{']))
    })
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
    let tail = bytes.get(end..).unwrap_or_default();
    if is_called(tail) || is_assigned(tail) || is_doc_tag(text, at, name) {
        return true;
    }
    let scoped = bytes.get(end) == Some(&b'/');
    let rule = is_at_rule_name(name);
    let head = bytes.get(at.saturating_sub(40)..at).unwrap_or_default();
    let first = || {
        head.iter().rev().find(|b| !matches!(b, b' ' | b'\t')).is_none_or(|b| *b == b'\n') && head.len() < 40
            || head.iter().rev().take_while(|b| **b != b'\n').all(|b| matches!(b, b' ' | b'\t'))
                && head.contains(&b'\n')
    };
    let announced =
        matches!(head, [.., b'r' | b's' | b'n' | b'e' | b'R' | b'S' | b'N' | b'E', b' ']) && is_announced(head);
    if !(scoped || rule || announced || may_begin_code(tail) && (first() || is_behind_annotations(head))) {
        return false;
    }
    let before = text.get(floor_char(text, at.saturating_sub(160))..at).unwrap_or_default();
    let line = before.rsplit('\n').next().unwrap_or_default();
    let after = text.get(end..ceil_char(text, end + 160)).unwrap_or_default();
    let line_after = after.split('\n').next().unwrap_or_default();
    announced
        || scoped && is_scope(line, line_after)
        || rule && is_at_rule(line_after)
        || line.split_whitespace().all(|word| word.starts_with('@')) && line_begins_code(line_after, after)
}

/// `@name = 1`, `@name := 1`, `@name func f()`: a variable, or an attribute of what is defined behind it.
fn is_assigned(after: &[u8]) -> bool {
    const SIGNS: &[&[u8]] = &[b" = ", b" := ", b" += ", b" ||= ", b" func ", b" var "];
    after.first() == Some(&b' ') && SIGNS.iter().any(|sign| after.starts_with(sign))
}

/// `@name()`, `@name("…`, `@name(key=…`: a call.
fn is_called(after: &[u8]) -> bool {
    let Some(inside) = after.strip_prefix(b"(") else { return false };
    let word = inside.iter().take(40).take_while(|b| is_word(**b)).count();
    matches!(inside.first(), Some(b')' | b'"' | b'\''))
        || word > 0 && inside.get(word) == Some(&b'=') && inside.get(word + 1) != Some(&b'=')
}

/// Tags of documentation comments (Javadoc, JSDoc, Doxygen) that nobody is called by.
const TAGS: &[&str] =
    &["param", "tparam", "return", "returns", "throws", "exception", "deprecated", "typedef", "inheritDoc", "brief"];
/// Others, which stand beside them.
const LESSER_TAGS: &[&str] = &[
    "see", "since", "author", "version", "link", "code", "type", "example", "todo", "private", "override", "property",
];

/// Whether the at sign begins a tag of a documentation comment: in `{@link …}`, or at the head of a line that such a comment
/// begins, or in a run of such lines.
fn is_doc_tag(text: &str, at: usize, name: &str) -> bool {
    let sure = TAGS.contains(&name);
    if !(sure || LESSER_TAGS.contains(&name)) {
        return false;
    }
    let before = text.get(floor_char(text, at.saturating_sub(240))..at).unwrap_or_default();
    if before.ends_with('{') {
        return true;
    }
    let mut lines = before.rsplit('\n');
    let head = lines.next().unwrap_or_default().trim();
    let starred = matches!(head, "*" | "/**" | "///" | "//!");
    if sure && starred || !(starred || head.is_empty()) {
        return sure && starred;
    }
    let after = text.get(at..ceil_char(text, at + 240)).unwrap_or_default();
    lines.take(3).chain(after.split('\n').skip(1).take(3)).any(begins_with_tag)
}

fn begins_with_tag(line: &str) -> bool {
    let tag = line.trim_start_matches([' ', '\t', '*', '/']).strip_prefix('@').unwrap_or_default();
    TAGS.iter().any(|name| tag.strip_prefix(name).is_some_and(|rest| rest.starts_with(char::is_whitespace)))
}

/// Whether what follows an at sign and a name at a line's beginning can be code: arguments, a dot, or the line's end.
fn may_begin_code(after: &[u8]) -> bool {
    let blank = after.iter().take_while(|b| matches!(b, b' ' | b'\t')).count();
    match after.get(blank) {
        None | Some(b'\n' | b'\r' | 0x0b | 0x0c | 0x80..) => true,
        Some(b'(' | b'.') => blank == 0,
        Some(b'@') => true,
        _ => false,
    }
}

/// Whether the line so far is other names with at signs and nothing else: annotations stand side by side.
fn is_behind_annotations(head: &[u8]) -> bool {
    let line = head.rsplit(|b| *b == b'\n').next().unwrap_or_default();
    let mut words = line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()).peekable();
    words.peek().is_some() && words.all(|word| word.starts_with(b"@"))
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
    let others = rest.split_whitespace().all(|word| word.starts_with('@'));
    if !(others || qualified) {
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

#[cfg(test)]
mod tests {
    use crate::citation::{Kind, found_in};

    fn accounts(text: &str) -> Vec<String> {
        let found = found_in("a.txt", text);
        let told = found.into_iter().filter_map(|c| match c.kind {
            Kind::Handle { platform, handle } => Some(format!("{} {handle}", platform.as_str())),
            _ => None,
        });
        told.collect()
    }

    #[test]
    fn a_name_with_dots_is_never_cut_to_another_name() {
        for (text, want) in [
            ("posted by @dock.lane on Instagram today", &["instagram dock.lane"][..]),
            ("on Instagram as @dock.lane_9.", &["instagram dock.lane_9"]),
            ("Instagram: @dock.design", &["instagram dock.design"]),
            ("thanks to @dock.lane.official.", &[]),
            ("the marker @dock.lane.skip was used", &[]),
            ("Bluesky (@dock.design), Instagram", &["bluesky dock.design"]),
            ("ask @dock.bsky.social or @dock.design", &["bluesky dock.bsky.social", "bluesky dock.design"]),
            ("Ask @dockline.Then go. See @dockline.", &["x dockline", "x dockline"]),
            ("see @dockline... and @dockline.", &["x dockline", "x dockline"]),
        ] {
            assert_eq!(accounts(text), want, "{text}");
        }
    }

    #[test]
    fn prices_and_times_are_no_accounts() {
        assert_eq!(accounts("at @5.99, @7pm, @11AM and @5:30; not @7pmnews, @1am_x"), ["x 7pmnews", "x 1am_x"]);
    }

    #[test]
    fn calls_and_tags_of_documentation_are_no_accounts() {
        for text in [
            "the decorated @app.route(\"/x\") and @app.get('/y')",
            "use @cached(maxsize=3) or @cached() here",
            "/**\n * Words.\n * @param x the x\n * @return y\n * @see Pier\n */",
            "* @param x the x",
            "@param x the x\n@return y\n@see Pier",
            "as {@link Pier} says",
            "@count = 1; @total := 2",
            "@objc func f()",
            "@Test @Deprecated\npublic void t() {}",
            "e\u{301}@x and @n\u{301}ame",
        ] {
            assert_eq!(accounts(text), Vec::<String>::new(), "{text}");
        }
        for (text, want) in [
            ("* @see said so\n* @author too", ["x see", "x author"]),
            ("@return and @param spoke", ["x return", "x param"]),
            ("@return @param\nspoke", ["x return", "x param"]),
            ("首相@dockline(首相) and @dockline (\"Dock\")", ["x dockline", "x dockline"]),
        ] {
            assert_eq!(accounts(text), want, "{text}");
        }
    }
}
