//! The house's rules, read from its sources: nothing imports upward, the corridor touches nothing outside, every file
//! says what it is.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// From the ground up. A file imports its own room and rooms below it.
const RANK: [&str; 14] = [
    "format",
    "platform",
    "statement",
    "citation",
    "resolution",
    "snapshot",
    "finding",
    "record",
    "ledger",
    "proof",
    "world",
    "work",
    "face",
    "main",
];

/// Rooms below this one are pure.
const FIRST_OUTSIDE: &str = "world";

/// Names under which anything could be put, and so everything would be.
const JUNK: [&str; 7] = ["util", "utils", "common", "core", "types", "helpers", "misc"];

/// What only `world/` may touch: files, sockets, clocks, chance. The corridor, `work/` and `face/` get values instead.
const OUTSIDE: [&str; 14] = [
    "std::fs",
    "tokio::fs",
    "tokio::net",
    "std::process::Command",
    "TcpStream",
    "TcpListener",
    "UdpSocket",
    "ToSocketAddrs",
    "SystemTime",
    "Timestamp::now",
    "Zoned::now",
    "getrandom",
    "new_v4",
    "rusqlite",
];

/// What the corridor may not touch besides: it is synchronous and unaware of the process it runs in.
const UNAWARE: [&str; 9] = [
    "tokio",
    "Instant",
    "std::env::var",
    "std::env::args",
    "std::thread",
    "std::io::stdin",
    "rand::",
    "async fn",
    "thread_rng",
];

/// What only `face/` may do: the library never prints.
const PRINTS: [&str; 7] = ["println", "eprintln", "print", "eprint", "io::stdout", "io::stderr", "anstream"];

/// The one file below the face that may name standard output: it asks how wide it is and writes nothing.
const ASKS_THE_TERMINAL: &str = "world/terminal.rs";

/// A source file: its path below `src/`, and its code without comments and text literals.
struct Source {
    path: String,
    text: String,
    code: String,
}

impl Source {
    fn new(path: &str, text: &str) -> Self {
        Self { path: path.to_owned(), text: text.to_owned(), code: bare(text) }
    }

    /// `face` for `face/cli/mod.rs`, `proof` for `proof.rs`.
    fn room(&self) -> &str {
        let first = self.path.split('/').next().unwrap_or_default();
        first.strip_suffix(".rs").unwrap_or(first)
    }

    fn rank(&self) -> Option<usize> {
        RANK.iter().position(|room| *room == self.room())
    }
}

/// `text` with comments and the insides of literals blanked, so that only code is judged. Line breaks stay.
fn bare(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let skipped = match c {
            '/' if rest.starts_with("//") => rest.find('\n').unwrap_or(rest.len()),
            '/' if rest.starts_with("/*") => block_comment(rest),
            'r' | 'b' | 'c' if !code.ends_with(is_word) => raw_string(rest),
            '"' => quoted(rest, '"'),
            '\'' => character(rest),
            _ => 0,
        };
        if skipped == 0 {
            code.push(c);
            rest = &rest[c.len_utf8()..];
        } else {
            code.push(' ');
            code.extend(rest[..skipped].chars().filter(|&c| c == '\n'));
            rest = &rest[skipped..];
        }
    }
    code
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn block_comment(text: &str) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < text.len() {
        if text[at..].starts_with("/*") {
            (depth, at) = (depth + 1, at + 2);
        } else if text[at..].starts_with("*/") {
            (depth, at) = (depth - 1, at + 2);
            if depth == 0 {
                return at;
            }
        } else {
            at += text[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    text.len()
}

/// The length of `r"…"`, `br#"…"#` and the like; 0 where none begins here.
fn raw_string(text: &str) -> usize {
    let Some(after) = text.trim_start_matches(['b', 'c']).strip_prefix('r') else { return 0 };
    let hashes = after.len() - after.trim_start_matches('#').len();
    let Some(inside) = after[hashes..].strip_prefix('"') else { return 0 };
    let end = format!("\"{}", "#".repeat(hashes));
    let head = text.len() - inside.len();
    inside.find(&end).map_or(text.len(), |at| head + at + end.len())
}

fn quoted(text: &str, mark: char) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == mark => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// The length of a character literal; 0 for a lifetime.
fn character(text: &str) -> usize {
    let mut inside = text[1..].chars();
    match (inside.next(), inside.next()) {
        (Some('\\'), _) | (Some(_), Some('\'')) => quoted(text, '\''),
        _ => 0,
    }
}

/// The rooms that a file names through `crate::`, also inside braces, with the lines they are named on.
fn imports(code: &str) -> Vec<(String, usize)> {
    let mut found = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        let line = code[..at].matches('\n').count() + 1;
        let after = &code[at + "crate::".len()..];
        match after.strip_prefix('{') {
            Some(group) => found.extend(group_heads(group).into_iter().map(|head| (head, line))),
            None => found.push((word(after), line)),
        }
    }
    found
}

fn word(text: &str) -> String {
    text.chars().take_while(|&c| is_word(c)).collect()
}

/// The first words of a group's items: `a::{b, c}, d}` gives `a` and `d`.
fn group_heads(group: &str) -> Vec<String> {
    let (mut depth, mut heads, mut expects) = (1, Vec::new(), true);
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 1 => expects = true,
            c if is_word(c) && expects => {
                heads.push(word(&group[at..]));
                expects = false;
            }
            _ => {}
        }
        if depth == 0 {
            break;
        }
    }
    heads
}

/// Code of the file itself, without its unit tests, which may touch files and clocks. Line breaks stay.
fn untested(path: &str, code: &str) -> String {
    if path.ends_with("/tests.rs") {
        return String::new();
    }
    let mut kept = code.to_owned();
    for (at, mark) in code.match_indices("#[cfg(test)]") {
        let after = code[at + mark.len()..].trim_start();
        let module = after.trim_start_matches("pub(crate) ").trim_start_matches("pub(super) ");
        if module.starts_with("mod ") && module[..module.find(['{', ';']).unwrap_or(0) + 1].ends_with('{') {
            let end = at + block(&code[at..]);
            let blank: String = code[at..end].chars().map(blank).collect();
            kept.replace_range(at..end, &blank);
        }
    }
    kept
}

/// As many bytes of nothing as `c` has, so that what follows stays where it is.
fn blank(c: char) -> String {
    if c == '\n' { c.to_string() } else { " ".repeat(c.len_utf8()) }
}

/// The length of the code up to the end of its first block.
fn block(code: &str) -> usize {
    let mut depth = 0;
    for (at, c) in code.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 1 => return at + 1,
            '}' => depth -= 1,
            _ => {}
        }
    }
    code.len()
}

/// Everything wrong with one file.
fn problems(source: &Source) -> Vec<String> {
    let mut found = Vec::new();
    let path = &source.path;
    if !source.text.starts_with("//!") {
        found.push(format!("{path}: does not begin with a //! sentence"));
    }
    for part in path.split('/').map(|part| part.trim_end_matches(".rs")) {
        if JUNK.contains(&part) {
            found.push(format!("{path}: {part} is no room, anything would fit in it"));
        }
    }
    if path == "lib.rs" {
        return found;
    }
    let Some(rank) = source.rank() else {
        found.push(format!("{path}: {} is no room of the house", source.room()));
        return found;
    };
    for (room, line) in imports(&source.code) {
        match RANK.iter().position(|known| *known == room) {
            Some(other) if other > rank => found.push(format!("{path}:{line}: imports upward, from {room}")),
            Some(_) => {}
            None => found.push(format!("{path}:{line}: crate::{room} is no room; import from the defining one")),
        }
    }
    found.extend(outside(source, rank));
    found
}

fn outside(source: &Source, rank: usize) -> Vec<String> {
    let world = RANK.iter().position(|room| *room == FIRST_OUTSIDE).unwrap_or(RANK.len());
    let mut forbidden: Vec<&str> = Vec::new();
    if rank != world {
        forbidden.extend(OUTSIDE);
    }
    if rank < world {
        forbidden.extend(UNAWARE);
    }
    let face = RANK.iter().position(|room| *room == "face").unwrap_or(RANK.len());
    if rank < face && source.path != ASKS_THE_TERMINAL {
        forbidden.extend(PRINTS);
    }
    let code = untested(&source.path, &source.code);
    let named = |name: &&str| {
        code.match_indices(*name).find(|(at, _)| {
            let before = code[..*at].chars().next_back();
            let after = code[at + name.len()..].chars().next();
            !before.is_some_and(is_word) && (name.ends_with(':') || !after.is_some_and(is_word))
        })
    };
    let line = |at: usize| code[..at].matches('\n').count() + 1;
    forbidden
        .into_iter()
        .filter_map(|name| named(&name).map(|(at, _)| format!("{}:{}: touches {name}", source.path, line(at))))
        .collect()
}

fn sources(folder: &Path, root: &Path, into: &mut Vec<Source>) {
    for entry in fs::read_dir(folder).expect("the sources can be listed") {
        let path = entry.expect("the sources can be listed").path();
        if path.is_dir() {
            sources(&path, root, into);
        } else if path.extension().is_some_and(|e| e == "rs") {
            let text = fs::read_to_string(&path).expect("a source can be read");
            let below = path.strip_prefix(root).expect("below the root").to_string_lossy().replace('\\', "/");
            into.push(Source::new(&below, &text));
        }
    }
}

fn all(folder: &str) -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut found = Vec::new();
    sources(&root, &root, &mut found);
    found
}

#[test]
fn nothing_imports_upward_and_only_the_world_touches_the_outside() {
    let all = all("src");
    assert!(all.len() > 20, "only {} files were read", all.len());
    let wrong: Vec<String> = all.iter().flat_map(problems).collect();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn every_file_of_the_tests_says_what_it_is() {
    let all = all("tests");
    let silent: Vec<&str> = all.iter().filter(|s| !s.text.starts_with("//!")).map(|s| s.path.as_str()).collect();
    assert!(silent.is_empty(), "without a //! sentence: {silent:?}");
}

#[test]
fn the_rules_can_say_no() {
    for (path, text, said) in [
        ("format/a.rs", "//! A.\nuse crate::world::clock::Clock;", "format/a.rs:2: imports upward, from world"),
        ("citation/mod.rs", "//! A.\nuse crate::{format::a, ledger::{b, c}};", "imports upward, from ledger"),
        ("work/a.rs", "//! A.\nfn f() { crate::face::out::text(); }", "work/a.rs:2: imports upward, from face"),
        ("world/a.rs", "//! A.\nuse crate::Thing;", "crate::Thing is no room"),
        ("format/a.rs", "use std::fmt;", "does not begin with a //! sentence"),
        ("format/util.rs", "//! A.", "util is no room"),
        ("helpers/mod.rs", "//! A.", "helpers is no room of the house"),
        ("proof.rs", "//! A.\nfn f() { std::fs::read(p); }", "proof.rs:2: touches std::fs"),
        ("platform/x.rs", "//! A.\nfn f() -> Timestamp { jiff::Timestamp::now() }", "touches Timestamp::now"),
        ("resolution/a.rs", "//! A.\nuse tokio::sync::mpsc;", "touches tokio"),
        ("work/a.rs", "//! A.\nuse std::fs::File;", "touches std::fs"),
        ("world/a.rs", "//! A.\nfn f() { eprintln!(); }", "world/a.rs:2: touches eprintln"),
        ("work/a.rs", "//! A.\nfn f() { std::io::stdout().lock(); }", "touches io::stdout"),
        ("snapshot.rs", "//! A.\nuse std::net::TcpStream;", "touches TcpStream"),
        (
            "proof.rs",
            "//! A.\n#[cfg(test)]\nmod tests { fn f() {} }\nuse std::fs::File;",
            "proof.rs:4: touches std::fs",
        ),
    ] {
        let found = problems(&Source::new(path, text)).join("\n");
        assert!(found.contains(said), "{path}: expected {said:?}, found {found:?}");
    }
}

#[test]
fn the_rules_do_not_mistake_words_for_code() {
    for (path, text) in [
        ("format/a.rs", "//! Not crate::world.\n// std::fs\nconst A: &str = \"crate::face tokio\";"),
        ("format/a.rs", "//! A.\nconst A: &str = r#\"a \"crate::face\" b\"#;\n/* crate::face /* nested */ std::fs */"),
        ("format/a.rs", "//! A.\nfn f<'a>(c: char) -> bool { c == '\"' }\n// crate::face \"\nfn g<'a>() {}"),
        ("format/a.rs", "//! A.\nfn f() {}\n#[cfg(test)]\nmod tests { fn g() { std::fs::read(p); } }"),
        ("format/a.rs", "//! A.\n#[cfg(test)]\npub(crate) mod tests { fn g() { if x { std::fs::read(p); } } }"),
        ("format/a/tests.rs", "//! A.\nuse std::fs::File;"),
        ("format/a.rs", "//! A.\nuse std::net::{IpAddr, SocketAddr};\nstruct Instantaneous;"),
        ("work/a.rs", "//! A.\nuse crate::world::clock::Clock;\nuse tokio::sync::mpsc;"),
        ("world/a.rs", "//! A.\nuse std::fs::File;"),
    ] {
        let found = problems(&Source::new(path, text));
        assert!(found.is_empty(), "{text:?}: {found:?}");
    }
}

/// The invariants' table in ARCHITECTURE.md names tests; each must be there, or the table says what nobody checks.
#[test]
fn the_map_names_tests_that_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let map = fs::read_to_string(root.join("ARCHITECTURE.md")).expect("the map");
    let (_, table) = map.split_once("## Invariants").expect("the invariants");
    let rows: Vec<&str> =
        table.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| ---")).skip(1).collect();
    assert!(rows.len() > 4, "only {} invariants", rows.len());
    for row in rows {
        let held_by = row.trim_end_matches([' ', '|']).rsplit('|').next().unwrap_or_default();
        let named: Vec<&str> = held_by.split('`').skip(1).step_by(2).collect();
        assert!(!named.is_empty(), "no test holds: {row}");
        for path in named {
            let file = root.join(path);
            assert!(file.exists(), "{path} is not there: {row}");
            assert!(path.starts_with("tests/") || has_tests(&file), "{path} has no tests: {row}");
        }
    }
}

/// Whether a source, or a folder of them, has unit tests.
fn has_tests(path: &Path) -> bool {
    let mut found = Vec::new();
    if path.is_dir() {
        sources(path, path, &mut found);
        found.iter().any(|source| source.text.contains("#[test]"))
    } else {
        fs::read_to_string(path).is_ok_and(|text| text.contains("#[test]"))
    }
}

/// No part of the corridor may be in two places of the order, or the test above would compare nothing.
#[test]
fn the_order_names_every_room_once() {
    let mut seen = BTreeMap::new();
    for room in RANK {
        *seen.entry(room).or_insert(0) += 1;
    }
    assert!(seen.values().all(|&n| n == 1), "{seen:?}");
    let lib = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lib.rs")).expect("lib.rs");
    let modules: Vec<&str> = lib.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';')).collect();
    assert_eq!(modules, RANK[..RANK.len() - 1], "lib.rs lists the rooms in the order of the flow");
}
