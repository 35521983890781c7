//! The attack corpus: an archive made by the real binary, damaged in one way after the other. Each damage must get its own
//! name from `onrecord verify` and must not escape `tools/verify.py`, which shares no code with it.

mod alone;
mod anchors;
mod beacons;
mod bundles;
mod catalogue;
mod changes;
mod files;
mod ledger;
mod warc;
mod world;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use onrecord::work::parts::Paths;
use onrecord::work::verify::{self, Trust};
use serde_json::Value;
use world::{Fixture, World, world};

/// What the verifier must be given to see an attack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kept {
    /// nothing: the archive gives it away by itself
    Nothing,
    /// the verifier key
    Key,
    /// a checkpoint
    Checkpoint,
    /// the timestamp authority's root
    Roots,
    /// Bitcoin headers
    Headers,
    /// the key of a witness
    Witness,
}

/// Whether the verifier without SQLite can know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Second {
    /// it must say damaged
    Sees,
    /// it is about the catalogue, or needs what that verifier is not given
    Blind,
}

/// One attack: its name, the kinds of the problems it must be given (all of them, and no other), and where.
struct Attack {
    name: &'static str,
    kinds: &'static [&'static str],
    kept: Kept,
    second: Second,
    /// does the damage, and says where it must be found: a part of one problem's place
    damage: fn(&Fixture) -> String,
}

const fn attack(name: &'static str, kinds: &'static [&'static str], damage: fn(&Fixture) -> String) -> Attack {
    Attack { name, kinds, kept: Kept::Nothing, second: Second::Sees, damage }
}

impl Attack {
    const fn kept(mut self, kept: Kept) -> Self {
        self.kept = kept;
        self
    }

    const fn blind(mut self) -> Self {
        self.second = Second::Blind;
        self
    }
}

/// What `onrecord verify --json` says.
struct Said {
    code: Option<i32>,
    verdict: String,
    independence: String,
    problems: Vec<(String, String)>,
    whole: String,
}

fn verified(archive: &Path, arguments: &[String]) -> Said {
    let run = Command::new(env!("CARGO_BIN_EXE_onrecord"))
        .arg("--archive")
        .arg(archive)
        .args(["verify", "--json"])
        .args(arguments)
        .output()
        .unwrap();
    let whole = String::from_utf8_lossy(&run.stdout).into_owned();
    let said: Value =
        serde_json::from_str(&whole).unwrap_or_else(|e| panic!("{e}: {whole}{}", String::from_utf8_lossy(&run.stderr)));
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let problems = said["problems"].as_array().unwrap().iter().map(|p| (text(&p["kind"]), text(&p["where"]))).collect();
    Said {
        code: run.status.code(),
        verdict: text(&said["verdict"]),
        independence: text(&said["independence"]),
        problems,
        whole,
    }
}

/// What the second verifier says: its exit code; none where there is no Python with what it needs.
fn second(archive: &Path, arguments: &[String]) -> Option<(Option<i32>, String)> {
    if !world().python {
        return None;
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tools/verify.py");
    let run = Command::new("python3").arg(script).arg(archive).args(arguments).output().unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
    Some((run.status.code(), said))
}

/// What is handed to our verifier and to the second one besides the archive.
fn given(world: &World, kept: Kept) -> (Vec<String>, Vec<String>) {
    let path = |name: &str| world.path(name).display().to_string();
    match kept {
        Kept::Key => {
            let vkey = std::fs::read_to_string(world.path("vkey")).unwrap();
            (vec!["--key".to_owned(), path("vkey")], vec!["--vkey".to_owned(), vkey.trim().to_owned()])
        }
        Kept::Checkpoint => {
            let both = vec!["--checkpoint".to_owned(), path("checkpoint")];
            (both.clone(), both)
        }
        Kept::Roots => (vec!["--tsa-roots".to_owned(), path("roots.pem")], Vec::new()),
        // Those two are settings; the damage writes them, and without them the archive passes.
        Kept::Nothing | Kept::Headers | Kept::Witness => (Vec::new(), Vec::new()),
    }
}

/// What is wrong with how an attack was met; empty where all is right.
fn met(attack: &Attack) -> Vec<String> {
    let world = world();
    let fixture = world.fixture(attack.name);
    let place = (attack.damage)(&fixture);
    let mut wrong = Vec::new();
    let (ours, theirs) = given(world, attack.kept);
    if matches!(attack.kept, Kept::Key | Kept::Checkpoint | Kept::Roots) {
        let alone = verified(&fixture.root, &[]);
        if alone.code != Some(0) {
            wrong.push(format!("found without {:?}: {}", attack.kept, alone.whole));
        }
        if let Some((code, said)) = second(&fixture.root, &[])
            && code != Some(0)
        {
            wrong.push(format!("verify.py found it without {:?}: {said}", attack.kept));
        }
    }
    let said = verified(&fixture.root, &ours);
    let kinds: BTreeSet<&str> = said.problems.iter().map(|(kind, _)| kind.as_str()).collect();
    let wanted: BTreeSet<&str> = attack.kinds.iter().copied().collect();
    let first = attack.kinds.first().copied().unwrap_or_default();
    if kinds != wanted {
        wrong.push(format!("kinds {kinds:?}, wanted {wanted:?}: {}", said.whole));
    } else if !said.problems.iter().any(|(kind, at)| kind == first && at.contains(&place)) {
        wrong.push(format!("not at {place}: {}", said.whole));
    }
    if said.code != Some(5) || !matches!(said.verdict.as_str(), "damaged" | "incomplete") {
        wrong.push(format!("code {:?}, verdict {}", said.code, said.verdict));
    }
    wrong.extend(second_met(attack, &fixture, &theirs, &said));
    if all_ways(&fixture.root) == Some(false) {
        wrong.push("another way of reading it says something else".to_owned());
    }
    wrong
}

/// Whether the same is said of an archive in one pass, step by step, and step by step where nothing of it is held; none where
/// they agree and one pass leaves the archive to the steps.
fn all_ways(archive: &Path) -> Option<bool> {
    let (paths, trust) = (Paths::new(archive), Trust::default());
    let steps = verify::step_by_step(&paths, &trust, verify::HELD).unwrap();
    if verify::step_by_step(&paths, &trust, 0).unwrap() != steps {
        return Some(false);
    }
    verify::in_one_pass(&paths, &trust).unwrap().map(|once| once == steps)
}

/// The verifier that shares no code with ours names the same, but for what only the catalogue shows.
fn second_met(attack: &Attack, fixture: &Fixture, given: &[String], ours: &Said) -> Vec<String> {
    let Some((code, said)) = second(&fixture.root, given) else { return Vec::new() };
    let sees = |kind: &&str| attack.second == Second::Sees && !kind.starts_with("row-");
    let wanted: BTreeSet<&str> = attack.kinds.iter().copied().filter(sees).collect();
    let kinds: BTreeSet<&str> = said
        .lines()
        .take_while(|line| !line.starts_with("not checked"))
        .filter_map(|line| line.split_once("  "))
        .map(|(kind, _)| kind)
        .collect();
    let mut wrong = Vec::new();
    if kinds != wanted || code != Some(if wanted.is_empty() { 0 } else { 5 }) {
        wrong.push(format!("verify.py: code {code:?}, kinds {kinds:?}, wanted {wanted:?}: {said}"));
    }
    let is_same = wanted.len() == attack.kinds.len();
    if is_same && !said.lines().any(|line| line.starts_with(&ours.verdict)) {
        wrong.push(format!("verify.py: not {}: {said}", ours.verdict));
    }
    wrong
}

fn all_met(attacks: &[Attack]) {
    let mut failures = Vec::new();
    for attack in attacks {
        let wrong = met(attack);
        if !wrong.is_empty() {
            failures.push(format!("{}: {}", attack.name, wrong.join("\n    ")));
        }
    }
    assert!(failures.is_empty(), "{} attacks not met:\n{}", failures.len(), failures.join("\n"));
}

fn corpus() -> Vec<&'static Attack> {
    [
        warc::ATTACKS,
        files::ATTACKS,
        catalogue::ATTACKS,
        ledger::ATTACKS,
        changes::ATTACKS,
        anchors::ATTACKS,
        beacons::ATTACKS,
    ]
    .into_iter()
    .flatten()
    .collect()
}

#[test]
fn the_archive_is_sound_before_it_is_touched() {
    for name in ["older", "base", "other", "beaconed", "changed"] {
        let fixture = world().copy_of(name, "sound");
        let archive = &fixture.root;
        let said = verified(archive, &[]);
        assert_eq!((said.code, said.verdict.as_str()), (Some(0), "intact"), "{name}: {}", said.whole);
        assert_eq!(all_ways(archive), Some(true), "{name}");
        if let Some((code, said)) = second(archive, &[]) {
            assert_eq!(code, Some(0), "{name}: {said}");
        }
    }
    let (ours, theirs) = given(world(), Kept::Checkpoint);
    let fixture = world().fixture("sound");
    assert_eq!(verified(&fixture.root, &ours).code, Some(0));
    assert!(second(&fixture.root, &theirs).is_none_or(|(code, _)| code == Some(0)));
}

#[test]
fn warc_records_are_what_the_ledger_names() {
    all_met(warc::ATTACKS);
}

#[test]
fn files_are_whole_and_hold_nothing_else() {
    all_met(files::ATTACKS);
}

#[test]
fn rows_follow_from_the_records() {
    all_met(catalogue::ATTACKS);
}

#[test]
fn the_ledger_is_the_one_that_was_signed() {
    all_met(ledger::ATTACKS);
}

#[test]
fn anchors_vouch_for_what_they_stamp() {
    if world().authority.is_some() {
        all_met(anchors::ATTACKS);
    }
}

#[test]
fn a_change_says_what_its_looks_say() {
    all_met(changes::ATTACKS);
}

#[test]
fn a_beacon_bounds_what_it_opened() {
    all_met(beacons::ATTACKS);
}

#[test]
fn pending_is_never_called_more() {
    if world().authority.is_none() {
        return;
    }
    let fixture = world().copy_of("anchored", "pending");
    let anchored = &fixture.root;
    let said = verified(anchored, &[]);
    assert_eq!((said.code, said.independence.as_str()), (Some(0), "pending"), "without roots: {}", said.whole);
    let roots = vec!["--tsa-roots".to_owned(), world().path("roots.pem").display().to_string()];
    let said = verified(anchored, &roots);
    assert_eq!((said.code, said.independence.as_str()), (Some(0), "anchored"), "{}", said.whole);
    let required = |level: &str| {
        let mut arguments = roots.clone();
        arguments.extend(["--require".to_owned(), level.to_owned()]);
        verified(anchored, &arguments).code
    };
    assert_eq!((required("anchored"), required("witnessed")), (Some(0), Some(4)));
}

/// A crash between the record of a grown proof and the moment when it is put in its place.
#[test]
fn a_proof_that_has_grown_and_is_not_in_its_place_yet_is_no_damage() {
    if world().authority.is_none() {
        return;
    }
    let fixture = world().copy_of("anchored", "grown");
    let file = anchors::grown(&fixture);
    let said = verified(&fixture.root, &[]);
    assert_eq!(said.code, Some(0), "{}", said.whole);
    assert!(said.whole.contains("has grown"), "{}", said.whole);
    assert!(second(&fixture.root, &[]).is_none_or(|(code, _)| code == Some(0)));
    // Without the grown one beside it, the old proof is an earlier state; beside it, something else is no earlier state.
    std::fs::remove_file(fixture.ledger(&format!("anchors/{file}.new"))).unwrap();
    let said = verified(&fixture.root, &[]);
    assert_eq!(said.problems[0].0, "anchor-changed", "{}", said.whole);
    assert!(second(&fixture.root, &[]).is_none_or(|(code, _)| code == Some(5)));
}

/// Somebody else's file that sorts before all of ours does not say whose key counts.
#[test]
fn the_key_is_the_one_of_the_first_leaf() {
    let fixture = world().fixture("foreign-first");
    let foreign = world().path("other").join("warc");
    let from = std::fs::read_dir(foreign).unwrap().next().unwrap().unwrap();
    std::fs::copy(from.path(), fixture.path("onrecord-20200101000000-000000.warc.gz")).unwrap();
    let said = verified(&fixture.root, &[]);
    assert!(!said.problems.iter().any(|(kind, _)| kind == "key-unknown"), "{}", said.whole);
    let (_, theirs) = second(&fixture.root, &[]).unwrap_or_default();
    assert!(!theirs.contains("key-unknown") && !theirs.contains("not signed with a known key"), "{theirs}");
}

#[test]
fn the_corpus_is_large_and_each_name_stands_in_the_threat_table() {
    let corpus = corpus();
    let names: BTreeSet<_> = corpus.iter().map(|attack| attack.name).collect();
    assert_eq!(names.len(), corpus.len(), "a name twice");
    assert!(names.len() >= 60, "only {}", names.len());
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/TRUST.md");
    let text = std::fs::read_to_string(page).unwrap();
    let table: BTreeSet<String> = text
        .lines()
        .filter_map(|line| line.strip_prefix("| `"))
        .map(|line| {
            let (name, rest) = line.split_once('`').unwrap();
            let kinds = rest.split('|').nth(2).unwrap_or_default().trim();
            let kept = rest.split('|').nth(3).unwrap_or_default().trim();
            format!("{name} {kinds} {kept}")
        })
        .collect();
    for attack in corpus {
        let kinds: Vec<String> = attack.kinds.iter().map(|kind| format!("`{kind}`")).collect();
        let kept = match attack.kept {
            Kept::Nothing => "nothing",
            Kept::Key => "the verifier key",
            Kept::Checkpoint => "a checkpoint",
            Kept::Roots => "the authority's root",
            Kept::Headers => "block headers",
            Kept::Witness => "the witness's key",
        };
        let row = format!("{} {} {kept}", attack.name, kinds.join(", "));
        assert!(table.contains(&row), "docs/TRUST.md has no row {row:?}");
    }
}
