//! A statement that quotes a post, its right answers, and how a run is held against them.

use serde_json::Value;

use super::world::{World, check, of_kind};

/// A statement and its right answers, by key: `verdict`, `findings` (how many), `ending`, `post`, `why` and `said` (what they hold), or
/// the name of a check.
pub(super) struct Case {
    pub(super) name: String,
    pub(super) text: String,
    pub(super) expect: Vec<(&'static str, String)>,
}

impl Case {
    /// Prose around `words`; a page, which begins with `<`, stays as it is.
    pub(super) fn new(name: &str, words: &str, expect: &[(&'static str, &str)]) -> Self {
        let text = match words.starts_with('<') {
            true => words.to_owned(),
            false => format!("date 2026-05-01 Put together for the record.\n\n{words}\n\nNothing else was said.\n"),
        };
        let expect = expect.iter().map(|(key, value)| (*key, (*value).to_owned())).collect();
        Self { name: name.to_owned(), text, expect }
    }
}

/// Writes every statement and gives their names, which begin with `prefix`.
pub(super) fn written(world: &World, prefix: &str, cases: &[Case]) -> Vec<String> {
    let name = |(n, case): (usize, &Case)| {
        let kind = if case.text.starts_with('<') { "html" } else { "txt" };
        world.statement(&format!("{prefix}-{n:02}.{kind}"), &case.text)
    };
    cases.iter().enumerate().map(name).collect()
}

/// Runs over the statements and compares every answer.
pub(super) fn judge(world: &World, prefix: &str, cases: &[Case]) -> Value {
    let run = world.json("run", &written(world, prefix, cases));
    assert_eq!(run["counts"]["planned"], run["counts"]["ended"], "{}", run["counts"]);
    let statements = run["statements"].as_array().expect("statements");
    assert_eq!(statements.len(), cases.len());
    let wrong: Vec<String> =
        cases.iter().zip(statements).flat_map(|(case, statement)| differs(case, statement)).collect();
    assert!(wrong.is_empty(), "{} wrong of {}:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
    run
}

fn differs(case: &Case, statement: &Value) -> Vec<String> {
    let citation = of_kind(statement, "post");
    let mut wrong = Vec::new();
    for (key, expected) in &case.expect {
        let found = told(citation, key);
        let fits = if matches!(*key, "why" | "said") { found.contains(expected.as_str()) } else { found == *expected };
        if !fits {
            wrong.push(format!(
                "{}: {key} is {found}, not {expected} ({} {} {})",
                case.name, citation["ending"], citation["why"], citation["findings"][0]["checks"]
            ));
        }
    }
    wrong
}

fn told(citation: &Value, key: &str) -> String {
    let text = |value: &Value| value.as_str().map_or_else(|| "none".to_owned(), str::to_owned);
    match key {
        "verdict" => text(&citation["findings"][0]["verdict"]),
        "findings" => citation["findings"].as_array().map_or(0, Vec::len).to_string(),
        "ending" | "post" | "why" => text(&citation[key]),
        "said" => citation["findings"][0]["checks"].to_string(),
        other => text(check(citation, other)),
    }
}
