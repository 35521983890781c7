//! What is cited in a text: scored against annotated forms and statements, kind by kind.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "scores are printed, and what was not tested is said")]

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use onrecord::citation::{self, Citation, Form, Kind};
use onrecord::platform::post::Platform;
use onrecord::statement::{self, Hint, Statement};
use serde::Deserialize;
use serde_yaml_ng::Value;

/// Right, missed and invented answers of one kind.
#[derive(Default)]
struct Score {
    right: usize,
    missed: Vec<String>,
    invented: Vec<String>,
}

impl Score {
    fn add(&mut self, place: &str, want: &BTreeSet<String>, got: &BTreeSet<String>) {
        self.right += want.intersection(got).count();
        self.missed.extend(want.difference(got).map(|m| format!("{place}: {m}")));
        self.invented.extend(got.difference(want).map(|m| format!("{place}: {m}")));
    }

    fn recall(&self) -> f64 {
        ratio(self.right, self.right + self.missed.len())
    }

    fn precision(&self) -> f64 {
        ratio(self.right, self.right + self.invented.len())
    }

    fn report(&self, kind: &str) -> String {
        let mut out = format!(
            "{kind:<12} right {:>5}  precision {:.4}  recall {:.4}\n",
            self.right,
            self.precision(),
            self.recall()
        );
        for (mark, list) in [("missed", &self.missed), ("invented", &self.invented)] {
            for item in list.iter().take(40) {
                let _ = writeln!(out, "    {mark:<9}{item}");
            }
        }
        out
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts are small")]
fn ratio(part: usize, whole: usize) -> f64 {
    if whole == 0 { 1.0 } else { part as f64 / whole as f64 }
}

fn read(name: &str, bytes: &[u8]) -> Statement {
    let hint = Hint { source: name.to_owned(), content_type: None };
    statement::read(bytes.to_vec(), &hint).unwrap_or_else(|e| panic!("{name}: {e}"))
}

fn fixture(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(path)
}

/// A file of third parties, kept outside the repository; a test that needs it says that it is absent and returns.
fn outside(path: &str) -> Option<String> {
    let root = std::env::var_os("ONRECORD_SHARED")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"), PathBuf::from);
    let file = root.join("data").join(path);
    let text = std::fs::read_to_string(&file).ok();
    if text.is_none() {
        eprintln!("absent, not tested: {}", file.display());
    }
    text
}

/// Spans lie inside the text, are ordered, and `raw` is what stands there.
fn check_spans(name: &str, statement: &Statement, found: &[Citation]) {
    let mut last = 0;
    for c in found {
        assert!(c.span.0 >= last, "{name}: out of order: {c:?}");
        last = c.span.0;
        assert!(c.span.0 < c.span.1, "{name}: empty: {c:?}");
        assert_eq!(
            statement.text.get(c.span.0..c.span.1),
            Some(c.raw.as_str()),
            "{name}: raw is not what stands there"
        );
    }
}

#[derive(Deserialize)]
struct Forms {
    forms: Vec<FormCase>,
}

#[derive(Deserialize)]
struct FormCase {
    id: String,
    group: String,
    text: String,
    expect: Value,
    #[serde(default)]
    candidates: Vec<String>,
    #[serde(default)]
    soft: bool,
}

fn list<'a>(value: &'a Value, key: &str) -> Vec<&'a Value> {
    value.get(key).and_then(Value::as_sequence).map(|s| s.iter().collect()).unwrap_or_default()
}

fn text_of(value: &Value, key: &str) -> Option<String> {
    match value.get(key)? {
        Value::String(s) => Some(s.clone()),
        Value::Number(n) => Some(n.to_string()),
        _ => None,
    }
}

fn form_links(case: &FormCase, found: &[Citation]) -> (BTreeSet<String>, BTreeSet<String>) {
    let wanted: Vec<(String, String)> = list(&case.expect, "urls")
        .iter()
        .map(|u| {
            let span =
                list(u, "bytes").iter().map(|n| n.as_u64().unwrap_or(0).to_string()).collect::<Vec<_>>().join("-");
            (text_of(u, "url").unwrap_or_default(), span)
        })
        .collect();
    let got = found.iter().filter_map(|c| match &c.kind {
        // in pages the permalink is expected among posts only; what is marked a guess may be one of the candidates
        Kind::Link { form: Form::Permalink, url, .. }
            if case.group == "html" && !wanted.iter().any(|w| w.0 == *url) =>
        {
            None
        }
        Kind::Link { url, .. } if c.candidate && case.candidates.contains(url) => None,
        Kind::Link { url, .. } => Some(format!("{url} {}-{}", c.span.0, c.span.1)),
        _ => None,
    });
    (wanted.iter().map(|(u, s)| format!("{u} {s}")).collect(), got.collect())
}

/// Platforms whose permalinks the forms do not annotate.
const UNANNOTATED: &[Platform] = &[Platform::Tiktok, Platform::Instagram, Platform::Facebook, Platform::Threads];

fn form_posts(case: &FormCase, found: &[Citation]) -> (BTreeSet<String>, BTreeSet<String>) {
    let want = list(&case.expect, "posts").into_iter().filter_map(|p| match text_of(p, "platform")?.as_str() {
        "bluesky" => Some(format!("bluesky:{}/{}", text_of(p, "repo")?, text_of(p, "rkey")?)),
        "mastodon" => Some(format!("mastodon:{}/{}", text_of(p, "host")?, text_of(p, "id")?)),
        "telegram" => Some(format!("telegram:{}/{}", text_of(p, "handle")?, text_of(p, "id")?)),
        other => Some(format!("{other}:{}", text_of(p, "id")?)),
    });
    let got = found.iter().filter(|c| !c.candidate).filter_map(|c| match &c.kind {
        Kind::Link { platform: Some(p), post_id: Some(id), .. } | Kind::Post { platform: p, post_id: Some(id), .. }
            if !UNANNOTATED.contains(p) =>
        {
            Some(format!("{}:{id}", p.as_str()))
        }
        _ => None,
    });
    (want.collect(), got.collect())
}

fn handles(found: &[Citation]) -> BTreeSet<String> {
    found
        .iter()
        .filter_map(|c| if let Kind::Handle { handle, .. } = &c.kind { Some(handle.clone()) } else { None })
        .collect()
}

fn tags(found: &[Citation]) -> BTreeSet<String> {
    found.iter().filter_map(|c| if let Kind::Hashtag { tag } = &c.kind { Some(tag.clone()) } else { None }).collect()
}

fn strings(value: &Value, key: &str) -> BTreeSet<String> {
    list(value, key).iter().filter_map(|v| v.as_str().map(str::to_owned)).collect()
}

/// Every attribution as one line of the fields that the form names; ours is shown with the same fields.
fn form_attributions(case: &FormCase, found: &[Citation]) -> (BTreeSet<String>, BTreeSet<String>) {
    let wanted = list(&case.expect, "attributions");
    let posts: Vec<&Kind> = found
        .iter()
        .filter(|c| !c.candidate || wanted.iter().any(|w| w.get("style").is_some()))
        .map(|c| &c.kind)
        .filter(|k| matches!(k, Kind::Post { .. }))
        .collect();
    let show = |value: Option<String>| value.unwrap_or_else(|| "none".into());
    let mut want = BTreeSet::new();
    let mut got = BTreeSet::new();
    for (n, w) in wanted.iter().enumerate() {
        let field = |key: &str, ours: String| if w.get(key).is_some() { ours } else { String::new() };
        let links = list(w, "links").iter().filter_map(|l| l.as_str()).collect::<Vec<_>>().join(" ");
        want.insert(format!(
            "{n} {} @{} {} [{}] “{}” <{links}> #{} {}",
            show(text_of(w, "name")),
            show(text_of(w, "handle")),
            show(text_of(w, "date")),
            show(text_of(w, "date_raw")),
            text_of(w, "quoted").unwrap_or_default(),
            text_of(w, "post").unwrap_or_default(),
            if w.get("truncated").is_some() { "truncated" } else { "" }
        ));
        if let Some(Kind::Post { author, handle, date, date_raw, quoted, links, post_id, truncated, .. }) = posts.get(n)
        {
            got.insert(format!(
                "{n} {} @{} {} [{}] “{}” <{}> #{} {}",
                show(author.clone()),
                show(handle.clone()),
                show(date.clone()),
                show(date_raw.clone()),
                field("quoted", quoted.clone()),
                field("links", links.join(" ")),
                field("post", post_id.clone().unwrap_or_default()),
                field("truncated", if *truncated { "truncated".into() } else { String::new() })
            ));
        }
    }
    got.extend(posts.iter().skip(wanted.len()).map(|p| format!("{p:?}")));
    (want, got)
}

#[test]
fn annotated_forms() {
    let forms: Forms =
        serde_yaml_ng::from_str(&std::fs::read_to_string(fixture("citation-forms.yml")).expect("fixture"))
            .expect("yaml");
    let mut scores: Vec<(&str, Score)> =
        ["links", "handles", "hashtags", "posts", "permalinks", "candidates"].map(|k| (k, Score::default())).into();
    for case in forms.forms.iter().filter(|c| !c.soft) {
        let statement = read(&case.id, case.text.as_bytes());
        let found = citation::find(&statement);
        check_spans(&case.id, &statement, &found);
        let candidates: BTreeSet<String> = case.candidates.iter().cloned().collect();
        let guessed = found
            .iter()
            .filter(|c| c.candidate)
            .filter_map(|c| if let Kind::Link { url, .. } = &c.kind { Some(url.clone()) } else { None })
            .filter(|u| candidates.contains(u))
            .collect();
        let answers = [
            form_links(case, &found),
            (strings(&case.expect, "handles"), handles(&found)),
            (strings(&case.expect, "hashtags"), tags(&found)),
            form_attributions(case, &found),
            form_posts(case, &found),
            (candidates, guessed),
        ];
        for ((_, score), (want, got)) in scores.iter_mut().zip(answers) {
            score.add(&case.id, &want, &got);
        }
    }
    for (kind, score) in &scores {
        println!("{}", score.report(kind));
    }
    for (kind, score) in &scores {
        let least = if *kind == "posts" { 0.97 } else { 0.99 };
        assert!(score.precision() >= least && score.recall() >= least, "{kind}:\n{}", score.report(kind));
    }
}

#[derive(Deserialize)]
struct Conformance {
    tests: std::collections::BTreeMap<String, Vec<Value>>,
}

/// What our citations say in the words of that suite, which knows X alone and no candidates beyond bare domains.
fn conformance_answer(section: &str, found: &[Citation]) -> Option<BTreeSet<String>> {
    Some(if section.starts_with("urls") || section.starts_with("tco") {
        found.iter().filter(|c| matches!(c.kind, Kind::Link { .. })).map(|c| c.raw.clone()).collect()
    } else if section == "mentions" || section == "mentions_with_indices" || section == "mentions_or_lists_with_indices"
    {
        found
            .iter()
            .filter_map(|c| {
                if let Kind::Handle { platform: Platform::X, handle } = &c.kind { Some(handle.clone()) } else { None }
            })
            .collect()
    } else if section.starts_with("hashtags") {
        tags(found)
    } else {
        return None;
    })
}

#[test]
fn conformance_of_the_bird() {
    let Some(yaml) = outside("twitter-text/extract.yml") else { return };
    let suite: Conformance = serde_yaml_ng::from_str(&yaml).expect("yaml");
    let mut scores: std::collections::BTreeMap<&str, Score> = std::collections::BTreeMap::new();
    let mut cases = 0;
    for (section, tests) in &suite.tests {
        for test in tests {
            let text = text_of(test, "text").unwrap_or_default();
            let statement = read(section, text.as_bytes());
            let found = citation::find(&statement);
            check_spans(section, &statement, &found);
            let Some(got) = conformance_answer(section, &found) else { continue };
            let want = list(test, "expected")
                .iter()
                .filter_map(|e| {
                    e.as_str()
                        .map(str::to_owned)
                        .or_else(|| ["url", "screen_name", "hashtag"].iter().find_map(|k| text_of(e, k)))
                })
                .collect();
            cases += 1;
            let kind = if section.starts_with("urls") || section.starts_with("tco") {
                "links"
            } else if section.starts_with("hash") {
                "hashtags"
            } else {
                "handles"
            };
            scores.entry(kind).or_default().add(&text_of(test, "description").unwrap_or_default(), &want, &got);
        }
    }
    println!("{cases} cases");
    for (kind, score) in &scores {
        println!("{}", score.report(kind));
    }
    for (kind, score) in &scores {
        assert!(score.precision() >= 0.99 && score.recall() >= 0.99, "{kind}:\n{}", score.report(kind));
    }
}

/// A statement of the corpus and what a careful reader finds in it.
#[derive(Deserialize)]
struct Annotation {
    links: Vec<String>,
    handles: Vec<String>,
    hashtags: Vec<String>,
    posts: Vec<PostNote>,
    #[serde(default)]
    date: Option<String>,
    #[serde(default)]
    language: Option<String>,
}

#[derive(Deserialize)]
struct PostNote {
    author: String,
    handle: String,
    date: Option<String>,
    quoted: String,
    #[serde(default)]
    truncated: bool,
}

fn numbered(items: impl Iterator<Item = String>) -> BTreeSet<String> {
    let mut seen = std::collections::BTreeMap::new();
    items
        .map(|item| {
            let n: &mut usize = seen.entry(item.clone()).or_default();
            *n += 1;
            format!("{item} ({n})")
        })
        .collect()
}

fn corpus_answers(note: &Annotation, found: &[Citation]) -> [(BTreeSet<String>, BTreeSet<String>); 4] {
    let sure = || found.iter().filter(|c| !c.candidate).map(|c| &c.kind);
    let links = sure().filter_map(|k| if let Kind::Link { url, .. } = k { Some(url.clone()) } else { None });
    let posts = sure().filter_map(|k| match k {
        Kind::Post { author, handle, date, quoted, truncated, .. } => {
            let show = |v: &Option<String>| v.clone().unwrap_or_else(|| "none".into());
            Some(format!("{} @{} {} {truncated} “{quoted}”", show(author), show(handle), show(date)))
        }
        _ => None,
    });
    let wanted = note.posts.iter().map(|p| {
        format!("{} @{} {} {} “{}”", p.author, p.handle, p.date.as_deref().unwrap_or("none"), p.truncated, p.quoted)
    });
    [
        (numbered(note.links.iter().cloned()), numbered(links)),
        (note.handles.iter().cloned().collect(), handles(found)),
        (note.hashtags.iter().cloned().collect(), tags(found)),
        (numbered(wanted), numbered(posts)),
    ]
}

#[test]
fn annotated_statements() {
    let folder = fixture("statements");
    let mut names: Vec<String> = std::fs::read_dir(&folder)
        .expect("the corpus")
        .filter_map(|e| e.ok()?.file_name().into_string().ok())
        .filter(|n| !n.ends_with(".yml"))
        .collect();
    names.sort();
    assert!(names.len() >= 60, "the corpus has {} statements", names.len());
    let mut scores: Vec<(&str, Score)> =
        ["links", "handles", "hashtags", "posts"].map(|k| (k, Score::default())).into();
    let mut said = Score::default();
    for name in &names {
        let note = std::fs::read_to_string(folder.join(format!("{name}.yml"))).expect("its annotation");
        let note: Annotation = serde_yaml_ng::from_str(&note).unwrap_or_else(|e| panic!("{name}: {e}"));
        let statement = read(name, &std::fs::read(folder.join(name)).expect("a statement"));
        let found = citation::find(&statement);
        check_spans(name, &statement, &found);
        for ((_, score), (want, got)) in scores.iter_mut().zip(corpus_answers(&note, &found)) {
            score.add(name, &want, &got);
        }
        let about = &statement.about;
        let told = |field: &Option<String>| field.clone().into_iter().collect::<BTreeSet<String>>();
        said.add(name, &told(&note.date), &if note.date.is_some() { told(&about.date) } else { BTreeSet::new() });
        said.add(
            name,
            &told(&note.language),
            &if note.language.is_some() { told(&about.language) } else { BTreeSet::new() },
        );
    }
    scores.push(("metadata", said));
    for (kind, score) in &scores {
        println!("{}", score.report(kind));
    }
    for (kind, score) in &scores {
        let least = if matches!(*kind, "posts" | "metadata") { 0.97 } else { 0.99 };
        assert!(score.precision() >= least && score.recall() >= least, "{kind}:\n{}", score.report(kind));
    }
}

/// Pieces that texts under the properties are made of: what triggers, what ends, what spans several bytes.
const PIECES: &[&str] = &[
    "@",
    "#",
    ":",
    "://",
    "http",
    "https://t.co/AEoFZOhI3p",
    "pic.twitter.com/AZJTrKcoce",
    "@odelie_m",
    "(@odelie_m)",
    " — ",
    "—",
    "June 10, 2019",
    "(",
    ")",
    "[",
    "]",
    "[.]",
    ".",
    "example.com",
    "x.com/a/status/20",
    " ",
    "\n",
    "\n\n",
    "“",
    "”",
    "«",
    "中",
    "文",
    "é",
    "́",
    "\u{200b}",
    "\u{2066}",
    "🌊",
    "＠",
    "＃",
    "：／／",
    "&amp;",
    "…",
    "...",
    "<p>",
    "</a>",
    "<a href=\"https://t.co/AEoFZOhI3p\">",
    "<blockquote>",
    "{{< x id=",
    ">}}",
    "\"",
    "\\",
    "٣",
    "·",
    "tweeted",
    "1",
    "w.",
];

fn composed() -> impl proptest::strategy::Strategy<Value = String> {
    use proptest::prelude::*;
    prop_oneof![
        proptest::collection::vec(proptest::sample::select(PIECES), 0..40).prop_map(|v| v.concat()),
        proptest::collection::vec(
            proptest::prop_oneof![
                proptest::sample::select(PIECES).prop_map(str::to_owned),
                any::<char>().prop_map(String::from)
            ],
            0..30
        )
        .prop_map(|v| v.concat()),
    ]
}

proptest::proptest! {
    #![proptest_config(proptest::test_runner::Config { failure_persistence: None, cases: 400, ..proptest::test_runner::Config::default() })]

    /// Any text, of any kind: spans are inside, ordered, on character boundaries, and raw is what stands there.
    #[test]
    fn spans_hold_on_any_text(text in composed(), name in proptest::sample::select(&["a.txt", "a.html", "a.md", "a.csv", "a.json"][..])) {
        let hint = Hint { source: name.to_owned(), content_type: None };
        if let Ok(statement) = statement::read(text.into_bytes(), &hint) {
            check_spans(name, &statement, &citation::find(&statement));
        }
    }

    /// Any bytes, as any kind: no panic, and a statement or a reason.
    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..400), name in proptest::sample::select(&["-", "a.eml", "a.pdf", "a.html", "a.md"][..])) {
        let hint = Hint { source: name.to_owned(), content_type: None };
        if let Ok(statement) = statement::read(bytes.clone(), &hint) {
            proptest::prop_assert_eq!(statement.bytes(), bytes.as_slice());
            check_spans(name, &statement, &citation::find(&statement));
        }
    }
}

/// Kinds, raws and places of a text's citations, moved by `shift`.
fn placed(text: &str, shift: usize) -> Vec<(String, usize, usize)> {
    let found = citation::find(&read("a.txt", text.as_bytes()));
    found.into_iter().map(|c| (c.raw, c.span.0 + shift, c.span.1 + shift)).collect()
}

#[test]
fn a_concatenation_holds_what_its_parts_hold() {
    let folder = fixture("statements");
    let mut parts: Vec<String> = Vec::new();
    let mut names: Vec<_> =
        std::fs::read_dir(folder).expect("the corpus").filter_map(Result::ok).map(|e| e.path()).collect();
    names.sort();
    for path in names.iter().filter(|p| p.extension().is_some_and(|e| e == "txt")) {
        parts.push(format!("{}\n\n", std::fs::read_to_string(path).expect("a statement").trim_end()));
    }
    for pair in parts.windows(2) {
        let joined = pair.concat();
        let mut want = placed(&pair[0], 0);
        want.extend(placed(&pair[1], pair[0].len()));
        assert_eq!(placed(&joined, 0), want, "{joined}");
    }
}

/// Texts that make a careless reader look at everything again and again: read to their end, with every place sound.
#[test]
fn hostile_texts_are_read_to_their_end() {
    let pieces = [
        "@",
        "(",
        "—",
        "http://",
        "\u{301}",
        ".",
        "#",
        "a.",
        "(@a) ",
        "— a (@a) ",
        "“",
        "<",
        "<a ",
        "&",
        "[",
        "{{",
        "@a·",
        "://",
        "@a.b",
        "a@",
        "\n— x (@y) ",
    ];
    for piece in pieces {
        for name in ["a.txt", "a.html", "a.md"] {
            let text = piece.repeat(12_000 / piece.len());
            let hint = Hint { source: name.to_owned(), content_type: None };
            if let Ok(statement) = statement::read(text.into_bytes(), &hint) {
                check_spans(name, &statement, &citation::find(&statement));
            }
        }
    }
}
