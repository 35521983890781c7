//! Questions, through the real binary, over an archive composed once: three statements in several scripts, some links dead.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

use onrecord_replica::{Options, Replica};
use serde_json::Value;

/// Statements besides the sample: one in Japanese, one in Russian, Arabic, Thai and Korean with an escape in it.
const JAPANESE: &str = "2021-03-04\n\n東京都の記者が議事録を引用した。 https://ministry.example/minutes/4 と https://ministry.example/notice.txt を見よ。 https://goo.gl/zzzz9 #選挙\n";
const MIXED: &str = "2022-05-06\n\nВыборы: \u{1b}[2Jсм. https://hostile.replica.test/changes и https://t.co/AEoFZOhI3p \n\
    سَلَام على الجميع. การเลือกตั้ง 카자흐스탄의 선거. =HYPERLINK(\"x\") #выборы\n";

struct Archive {
    _folder: tempfile::TempDir,
    root: PathBuf,
}

/// Made once for all tests; none of them changes it but for the index of words.
fn archive() -> &'static Archive {
    static MADE: OnceLock<Archive> = OnceLock::new();
    MADE.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("archive");
        fs::write(folder.path().join("ja.txt"), JAPANESE).unwrap();
        fs::write(folder.path().join("mixed.txt"), MIXED).unwrap();
        let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("archive/statements/kazakhstan-election-2019.txt");
        fs::copy(sample, folder.path().join("kazakhstan.txt")).unwrap();
        let replica = Replica::start_blocking(Options::default()).unwrap();
        let ca = folder.path().join("ca.pem");
        fs::write(&ca, replica.ca_pem()).unwrap();
        let mut network = vec!["--ca-cert".to_owned(), ca.display().to_string()];
        network.extend(["127.0.0.0/8", "::1/128"].iter().flat_map(|net| ["--allow-net".to_owned(), (*net).to_owned()]));
        network.extend(replica.connect_to().into_iter().flat_map(|rule| ["--connect-to".to_owned(), rule]));
        let network: Vec<&str> = network.iter().map(String::as_str).collect();
        for name in ["kazakhstan.txt", "ja.txt", "mixed.txt", "mixed.txt"] {
            let path = folder.path().join(name).display().to_string();
            let output = on(&root, &[&["run", &path], &network[..]].concat());
            assert!(output.status.success(), "{}", err(&output));
        }
        Archive { _folder: folder, root }
    })
}

fn on(root: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_onrecord"));
    command.env_clear().args(["--archive", &root.display().to_string()]).args(arguments).stdin(Stdio::null());
    command.output().expect("the binary runs")
}

fn ask(arguments: &[&str]) -> Output {
    on(&archive().root, arguments)
}

fn err(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn text(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(0), "{}", err(output));
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn json(arguments: &[&str]) -> Value {
    serde_json::from_str(&text(&ask(&[arguments, &["--json"]].concat()))).expect("one JSON document")
}

/// The lines of a query.
fn lines(arguments: &[&str]) -> Vec<Value> {
    let output = ask(&[&["query", "--json"], arguments].concat());
    // Nothing found is no failure here, and no success either.
    if output.status.code() == Some(3) && output.stdout.is_empty() {
        return Vec::new();
    }
    text(&output).lines().map(|line| serde_json::from_str(line).expect("JSON Lines")).collect()
}

fn of<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_else(|| panic!("{pointer} is missing in {value}"))
}

#[test]
fn every_line_has_what_the_contract_names() {
    let all = lines(&[]);
    assert_eq!(all.len(), 13 + 4 + 3);
    for line in &all {
        for name in ["statement", "citation", "ending", "urls", "post", "snapshot", "ledger", "anchored", "verdict"] {
            assert!(line.get(name).is_some(), "{name} is missing in {line}");
        }
        if line["ending"].is_string() {
            assert!(line["ledger"]["index"].is_u64() && line["ledger"]["checkpoint"].is_u64(), "{line}");
            assert!(line["urls"]["start"].is_string(), "{line}");
        } else {
            assert_eq!(line["citation"]["kind"], "hashtag", "{line}");
        }
    }
    let followed: Vec<u64> = all.iter().filter_map(|line| line["ledger"]["index"].as_u64()).collect();
    assert!(followed.windows(2).all(|pair| pair[0] > pair[1]), "newest first: {followed:?}");
    assert_eq!(lines(&["--limit", "4"]), all[..4]);
    assert!(lines(&["--limit", "0"]).is_empty());
}

#[test]
fn each_filter_narrows_as_it_says() {
    let all = lines(&[]);
    let kept = |fits: &dyn Fn(&Value) -> bool| all.iter().filter(|line| fits(line)).count();
    let ja =
        of(lines(&["--kind", "link", "--url", "https://ministry.example/minutes/4"]).first().unwrap(), "/statement")
            .to_owned();
    let post = "x:1138099655561728000";
    let snapshot = of(lines(&["--post", post]).first().unwrap(), "/snapshot").to_owned();
    let day = &of(&all[0], "/at")[..10];
    for (arguments, count) in [
        (&["--statement", &ja][..], 4),
        (&["--statement", &ja[..20]], 4),
        (&["--cited-in", "ja.txt"], 4),
        (&["--kind", "hashtag"], kept(&|line| line["citation"]["kind"] == "hashtag")),
        (&["--kind", "link"], kept(&|line| line["citation"]["kind"] == "link")),
        (&["--handle", "@majaeuspox"], 2),
        (&["--author", "kocijancic"], 1),
        (&["--author", "Maja Koci"], 1),
        (&["--author", "aja"], 0),
        (&["--platform", "X"], kept(&|line| line["citation"]["platform"] == "x" || !line["post"].is_null())),
        (&["--url", "https://t.co/AEoFZOhI3p"], 3),
        (&["--url", "t.co/AEoFZOhI3p"], 3),
        (&["--url", "https://ministry.example/*"], 2),
        (&["--url", "https://nothing.example/*"], 0),
        (&["--url", "HTTP://T.CO/AEoFZOhI3p"], 3),
        (&["--url", "https://t.co/aeofzohi3p"], 0),
        // A post's URL in another spelling is that post.
        (
            &["--url", "https://mobile.twitter.com/majaeuspox/status/1138099655561728000?s=20"],
            kept(&|line| line["post"] == post),
        ),
        (&["--url", "x.com/MajaEUspox/status/1138099655561728000/"], kept(&|line| line["post"] == post)),
        (&["--url", "https://twitter.com/MajaEUspox/status/11380996555617280"], 0),
        (&["--handle", "https://twitter.com/MajaEUspox"], 2),
        (&["--post", post], kept(&|line| line["post"] == post)),
        (&["--digest", &snapshot], kept(&|line| line["snapshot"] == snapshot.as_str())),
        (&["--digest", &ja], 4),
        (&["--ending", "gone"], kept(&|line| line["ending"] == "gone")),
        (&["--verdict", "corroborated"], kept(&|line| line["verdict"] == "corroborated")),
        (&["--verdict", "contradicted"], 0),
        (&["--since", day], kept(&|line| line["ending"].is_string())),
        (&["--until", "2020-01-01"], 0),
        (&["--cited-since", "2021-03-04", "--cited-until", "2021-03-04"], 4),
        (&["--posted-since", "2019-06-09", "--posted-until", "2019-06-10"], kept(&|line| line["posted"].is_string())),
        (&["--posted-until", "2019-06-08"], 0),
        (&["--anchored"], 0),
        (&["--kind", "link", "--ending", "captured", "--cited-in", "ja.txt"], 1),
        (&["--platform", "x", "--kind", "post", "--verdict", "corroborated", "--limit", "2"], 2),
        (&["riot", "--kind", "hashtag", "--statement", &ja], 0),
    ] {
        assert_eq!(lines(arguments).len(), count, "{arguments:?}");
    }
    assert!(kept(&|line| line["ending"] == "gone") > 0 && kept(&|line| line["verdict"] == "corroborated") == 3);
}

#[test]
fn words_are_found_in_any_script_and_shown_where_they_stand() {
    for (typed, at_least) in [
        ("riot police", 13),
        ("\"riot police\"", 13),
        ("KOCIJANCIC", 13),
        ("elec*", 13),
        ("東京都", 4),
        ("東京", 4),
        ("都", 4),
        ("議事録", 4),
        ("выборы", 3),
        ("ВЫБОРЫ", 3),
        ("سلام", 3),
        ("เลือกตั้ง", 3),
        ("카자흐스탄", 3),
        ("ferries", 1),
    ] {
        let found = lines(&[typed]);
        assert!(found.len() >= at_least, "{typed}: {}", found.len());
        let ids: std::collections::HashSet<_> = found.iter().map(|line| of(line, "/citation/id")).collect();
        assert_eq!(ids.len(), found.len(), "{typed}: each once");
    }
    let page = &lines(&["ferries"])[0];
    assert_eq!((of(page, "/matched/in"), of(page, "/ending")), ("page", "captured"), "{page}");
    assert!(of(page, "/matched/snippet").contains("No ferries on Sunday"), "{page}");
    let post = lines(&["hand-picked", "--kind", "post", "--ranked"]);
    let marks = post[0]["matched"]["marks"].as_array().unwrap();
    let (from, to) = (marks[0][0].as_u64().unwrap() as usize, marks[0][1].as_u64().unwrap() as usize);
    assert_eq!(&of(&post[0], "/matched/snippet")[from..to], "hand");
    for nothing in ["zyxwv", "riot zyxwv", "\"police riot\"", "東都", "  ", "\"\"", "()", "*"] {
        assert!(lines(&[nothing]).is_empty(), "{nothing}");
    }
    for hostile in [
        "a AND (b OR",
        "NEAR(",
        "words:riot",
        "'; DROP TABLE statement; --",
        "\u{1b}[2J",
        "\"unclosed",
        "^riot",
        "{a b}: c",
    ] {
        assert!(matches!(ask(&["query", hostile]).status.code(), Some(0 | 3)), "{hostile}");
    }
}

#[test]
fn bad_filters_are_one_clear_line() {
    for (arguments, said) in [
        (&["query", "--ending", "deleted"][..], "deleted"),
        (&["query", "--ending", "deleted"], "captured, captured-from-archive, unchanged, gone,"),
        (&["query", "--kind", "picture"], "picture"),
        (&["query", "--platform", "myspace"], "myspace"),
        (&["query", "--since", "yesterday"], "yesterday"),
        (&["query", "--cited-since", "2019-13-01"], "2019-13-01"),
        (&["query", "--since", "2020-01-02", "--until", "2020-01-01T00:00:00Z"], "later"),
        (&["query", "--limit", "-1"], "-1"),
        (&["query", "--statement", "sha256:zz"], "sha256:zz"),
        (&["query", "--statement", "sha256:ab"], "sha256:ab"),
        (&["query", "--digest", "sha256:zz"], "sha256:zz"),
        (&["query", "--handle", "@"], "account"),
        (&["query", "--format", "xml"], "xml"),
        (&["query", "--json", "--format", "csv"], "--json and --format"),
        (&["sql", "--json", "--format", "table", "SELECT 1"], "--json and --format"),
        (&["query", "--ranked"], "TEXT"),
        (&["query", "--colour", "red"], "--colour"),
        (&["stats", "--at", "2020-01-01"], "--at"),
        (&["sql", "DELETE FROM statement"], "reads"),
        (&["sql", "SELECT * FROM nowhere"], "nowhere"),
        (&["sql", "ATTACH 'x' AS y"], ""),
        (&["sql", "SELECT 1; SELECT 2"], ""),
        (&["sql", "PRAGMA writable_schema = ON"], "reads"),
        (&["sql", "SELECT load_extension('/tmp/x.so')"], ""),
        (&["sql", "SELECT length(zeroblob(1000000000))"], "too big"),
        (
            &[
                "sql",
                "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 100) SELECT count(DISTINCT hex(zeroblob(15000000)) || i) FROM n",
            ],
            "256 MiB",
        ),
        (
            &["sql", "SELECT instr(hex(zeroblob(30000000)), hex(zeroblob(7000000)) || '1')", "--within", "1"],
            "no answer within 1s",
        ),
        (
            &[
                "sql",
                "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM n) SELECT max(x) FROM n",
                "--within",
                "1",
            ],
            "no answer",
        ),
    ] {
        let output = ask(arguments);
        let message = err(&output);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {message}");
        assert!(output.stdout.is_empty(), "{arguments:?}");
        let mut told = message.lines();
        let first = told.next().unwrap_or_default();
        assert!(first.starts_with("onrecord: ") && first.contains(said), "{arguments:?}: {message}");
        assert!(told.all(|line| line.starts_with("hint: ")), "{arguments:?}: {message}");
        let late = first.contains("no answer within") && !first.contains("MiB");
        assert_eq!(late, message.contains("hint: --within SECONDS"), "{arguments:?}: {message}");
    }
}

/// What is asked for properly and is not here is not found; every filter says so alike.
#[test]
fn a_statement_or_digest_that_is_not_here_is_not_found() {
    let whole = format!("sha256:{}", "0".repeat(64));
    for (arguments, said) in [
        (&["query", "--statement", &whole][..], ""),
        (&["query", "--statement", &whole[..20]], &whole[..20]),
        (&["query", "--statement", "no-such-source.txt"], "no-such-source.txt"),
        (&["query", "--digest", &whole], ""),
        (&["query", "--digest", "00000000"], "00000000"),
        (&["stats", "--statement", &whole[..20]], &whole[..20]),
    ] {
        let output = ask(arguments);
        let message = err(&output);
        assert_eq!(output.status.code(), Some(3), "{arguments:?}: {message}");
        assert!(output.stdout.is_empty() && message.contains(said), "{arguments:?}: {message}");
        assert!(arguments[0] == "stats" || message.starts_with("onrecord: nothing in the archive fits"), "{message}");
    }
}

#[test]
fn where_nothing_fits_the_exit_code_says_so_and_a_hint_says_what_would() {
    for (arguments, hint) in [
        (&["query", "riot zyxwv"][..], "no statement, post or captured page has \"zyxwv\""),
        (&["query", "\"police riot\""], "without the quotation marks"),
        (&["query", "()"], "no word in it"),
        (&["query", "--ending", "suspended"], "there are "),
        (&["query", "--platform", "tiktok"], " x"),
        (&["query", "--verdict", "contradicted"], "3 corroborated"),
        (&["query", "--url", "https://ministry.example/other"], "--url 'https://ministry.example/*'"),
        (&["query", "--cited-in", "ja.txt", "--kind", "post"], "something does without --statement, or without --kind"),
        (&["query", "riot", "--anchored"], "something does without --anchored"),
        (&["query", "--handle", "nobody.here"], ""),
    ] {
        for format in [&[][..], &["--json"], &["--format", "csv"]] {
            let output = ask(&[arguments, format].concat());
            let said = err(&output);
            assert_eq!(output.status.code(), Some(3), "{arguments:?}: {said}");
            assert!(
                said.starts_with("onrecord: nothing in the archive fits\n") && said.contains(hint),
                "{arguments:?}: {said}"
            );
            assert!(String::from_utf8_lossy(&output.stdout).lines().count() <= 1, "a heading at most");
        }
    }
    let empty = tempfile::tempdir().unwrap();
    let root = empty.path().join("new");
    assert!(on(&root, &["init"]).status.success());
    let output = on(&root, &["query", "riot"]);
    assert_eq!(output.status.code(), Some(3));
    assert!(err(&output).contains("onrecord run FILE"), "{}", err(&output));
}

#[test]
fn nothing_found_steers_a_terminal_or_a_spreadsheet() {
    let all: Vec<String> = [
        &["query", "выборы"][..],
        &["query", "выборы", "--json"],
        &["query", "выборы", "--format", "csv"],
        &["show", "x:1138099655561728000"],
        &["stats"],
        &["sql", "SELECT raw FROM citations"],
        &["sql", "SELECT CAST(bytes AS TEXT) FROM statement", "--format", "csv"],
        &["sql", "SELECT CAST(bytes AS TEXT) AS b FROM statement", "--format", "json"],
    ]
    .iter()
    .map(|arguments| text(&ask(arguments)))
    .collect();
    for printed in &all {
        assert!(!printed.contains('\u{1b}'), "{printed}");
    }
    let csv = text(&ask(&["query", "--format", "csv"]));
    assert_eq!(csv.lines().next().unwrap().split(',').next(), Some("statement"));
    assert!(!csv.contains(",@") && csv.contains(",'@MajaEUspox"), "{csv}");
}

#[test]
fn everything_that_has_an_id_is_shown_by_it_and_by_its_beginning() {
    let line = &lines(&["--kind", "post", "--handle", "MajaEUspox"])[0];
    let snapshot = of(line, "/snapshot");
    for (id, expected) in [
        (of(line, "/statement"), "statement sha256:"),
        (of(line, "/citation/id"), "citation sha256:"),
        (snapshot, "snapshot sha256:"),
        (&snapshot[7..19], "snapshot sha256:"),
        (of(line, "/post"), "post x:"),
        ("ja.txt", "statement sha256:"),
        ("https://twitter.com/MajaEUspox/status/1138099655561728000", "post x:"),
        ("0", "record 0"),
    ] {
        let shown = text(&ask(&["show", id]));
        assert!(shown.starts_with(expected), "{id}: {shown}");
        assert!(json(&["show", id]).is_object());
    }
    let shown = json(&["show", snapshot]);
    let at = &shown["manifest_at"];
    let extract = at["extract"].as_str().unwrap();
    let out = Command::new("sh").args(["-c", extract]).current_dir(&archive().root).output().unwrap();
    assert!(String::from_utf8_lossy(&out.stdout).starts_with("WARC/1.1\r\n"), "{extract}");
    let runs = json(&["sql", "SELECT id FROM runs"]);
    let run = text(&ask(&["show", runs[0]["id"].as_str().unwrap()]));
    assert!(run.starts_with("run ") && run.contains("captured"), "{run}");
    let record = json(&["show", "3"]);
    let uuid = text(&ask(&["sql", "SELECT id FROM exchanges LIMIT 1", "--format", "csv"]));
    let warc = text(&ask(&["show", uuid.lines().nth(1).unwrap()]));
    assert!(warc.starts_with("WARC record ") && warc.contains("WARC-Target-URI"), "{warc}");
    assert!(record["leaf"].is_string());
    assert_eq!(ask(&["verify", &of(&record, "/leaf")[..24]]).status.code(), Some(0));
    for missing in ["sha256:0000000000000000", "x:1", "999999", "https://x.com/a/status/1", "nonsense"] {
        let output = ask(&["show", missing]);
        assert_eq!(output.status.code(), Some(3), "{missing}: {}", err(&output));
    }
}

#[test]
fn a_file_is_asked_for_by_its_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let held = folder.path().join("copy.txt");
    fs::write(&held, JAPANESE).unwrap();
    assert_eq!(lines(&["--digest", &held.display().to_string()]).len(), 4);
    let notice = folder.path().join("notice.txt");
    fs::write(&notice, "No ferries on Sunday.\n").unwrap();
    let found = lines(&["--digest", &notice.display().to_string()]);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(of(&found[0], "/citation/raw"), "https://ministry.example/notice.txt");
    let strange = folder.path().join("strange.txt");
    fs::write(&strange, "not here").unwrap();
    assert!(lines(&["--digest", &strange.display().to_string()]).is_empty());
    assert_eq!(ask(&["verify", &strange.display().to_string()]).status.code(), Some(3));
    assert_eq!(ask(&["verify", &held.display().to_string()]).status.code(), Some(0));
}

#[test]
fn two_captures_are_compared_word_by_word() {
    let changes = &lines(&["--url", "https://hostile.replica.test/changes"])[0];
    let id = of(changes, "/citation/id");
    let diff = json(&["diff", id]);
    assert_eq!(diff["same"], false, "{diff}");
    assert!(diff["differs"].as_array().unwrap().contains(&"words".into()), "{diff}");
    let ops: Vec<&str> = diff["words"].as_array().unwrap().iter().map(|s| s["op"].as_str().unwrap()).collect();
    assert!(ops.contains(&"removed") && ops.contains(&"added"), "{diff}");
    let shown = text(&ask(&["diff", id]));
    assert!(shown.contains("[-") && shown.contains("{+"), "{shown}");
    assert_eq!(ask(&["diff", id, "--exit-code"]).status.code(), Some(4));
    let post = "x:1138099655561728000";
    let same = json(&["diff", post, post]);
    assert_eq!((same["same"].as_bool(), same["headers"]["changed"].as_array().map(Vec::len)), (Some(true), Some(0)));
    assert_eq!(ask(&["diff", post, post, "--exit-code"]).status.code(), Some(0));
    let other = json(&["diff", post, "x:1137867300842524672"]);
    for part in ["fields", "words", "links"] {
        assert!(other["differs"].as_array().unwrap().contains(&part.into()), "{part}: {other}");
    }
    assert_eq!(ask(&["diff", "0", post]).status.code(), Some(2));
    assert_eq!(ask(&["diff", "sha256:0000000000", post]).status.code(), Some(3));
}

#[test]
fn the_archive_at_a_glance_and_its_curves() {
    let stats = json(&["stats"]);
    let all = lines(&[]);
    let count = |ending: &str| all.iter().filter(|line| line["ending"] == ending).count() as u64;
    for ending in ["captured", "gone"] {
        assert_eq!(stats["endings"][ending].as_u64(), Some(count(ending)), "{stats}");
    }
    assert_eq!(stats["statements"], 3);
    assert_eq!(stats["not_indexed"], 0);
    assert!(stats["followed"].as_u64() > Some(count("captured")), "followed twice: {stats}");
    assert_eq!(stats["anchored"]["missing"], stats["records"]);
    assert!(stats["sizes"]["warc_bytes"].as_u64() > Some(0));
    let shown = text(&ask(&["stats"]));
    assert!(shown.contains("captured") && shown.contains('█'), "{shown}");

    let ja = of(&lines(&["--cited-in", "ja.txt"])[0], "/statement").to_owned();
    let rot = json(&["stats", "--statement", &ja[..20]]);
    assert_eq!((rot["planned"].as_u64(), rot["endings"]["gone"].as_u64()), (Some(3), Some(1)), "{rot}");
    let day = &rot["curve"].as_array().unwrap()[0];
    assert_eq!((day["followed"].as_u64(), day["alive"].as_u64()), (Some(3), Some(1)), "{rot}");
    let before = json(&["stats", "--statement", &ja, "--at", "2020-01-01"]);
    assert!(before["curve"].as_array().unwrap().is_empty() && before["citations"][0]["ending"].is_null(), "{before}");
    let changes = &lines(&["--url", "https://hostile.replica.test/changes"])[0];
    let one = json(&["stats", "--citation", of(changes, "/citation/id")]);
    assert_eq!(one["citations"][0]["times"], 2, "{one}");
    for named in [ja.as_str(), "ja.txt"] {
        assert!(text(&ask(&["stats", "--statement", named])).contains("1 of 3 followed citations stood"), "{named}");
    }
    let post = text(&ask(&["show", "x:1138099655561728000"]));
    assert_eq!(post.matches("post x:").count(), 1, "its name stands once: {post}");
    assert_eq!(ask(&["stats", "--statement", of(changes, "/citation/id")]).status.code(), Some(2));
}

#[test]
fn the_views_answer_in_every_format() {
    let schema = text(&ask(&["sql", "--schema"]));
    for line in schema.lines().filter_map(|line| line.strip_prefix("CREATE VIEW ")) {
        let view = line.split_whitespace().next().unwrap();
        let sql = format!("SELECT * FROM {view} LIMIT 3");
        assert!(json(&["sql", &sql]).is_array(), "{view}");
        text(&ask(&["sql", &sql, "--format", "csv"]));
        text(&ask(&["sql", &sql]));
        // What is not there is null, never a prefix with nothing behind it.
        let all = json(&["sql", &format!("SELECT * FROM {view}")]);
        let values = all.as_array().unwrap().iter().flat_map(|row| row.as_object().unwrap().values());
        assert_eq!(values.filter(|value| *value == "sha256:").count(), 0, "{view}");
    }
    let lacking = json(&["sql", "SELECT count(*) AS n FROM citations WHERE snapshot IS NULL"]);
    assert!(lacking[0]["n"].as_u64().unwrap() > 0, "{lacking}");
    let sql = "SELECT kind, count(*) AS n FROM citations GROUP BY kind ORDER BY kind";
    assert_eq!(text(&ask(&["sql", sql, "--format", "csv"])).lines().next(), Some("kind,n"));
    assert_eq!(json(&["sql", sql])[0]["kind"], "handle");
    assert_eq!(json(&["sql", "SELECT 1 WHERE 0"]), serde_json::json!([]));
    // Columns of one name are all there.
    let twice = json(&["sql", "SELECT 1 AS a, 2 AS a, 3 AS \"a:1\", 4 AS a"]);
    assert_eq!(twice, serde_json::json!([{ "a": 1, "a:1": 2, "a:1:1": 3, "a:2": 4 }]));
}

#[test]
fn an_index_made_anew_gives_the_same_answers() {
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("copy");
    copy_folder(&archive().root, &copy);
    fs::remove_file(copy.join("onrecord.db")).unwrap();
    let _ = fs::remove_file(copy.join("onrecord.db-wal"));
    let _ = fs::remove_file(copy.join("onrecord.db-shm"));
    let made = on(&copy, &["reindex"]);
    assert!(made.status.success(), "{}", err(&made));
    let laid = "SELECT type, name, sql FROM sqlite_schema ORDER BY name";
    assert_eq!(text(&on(&copy, &["sql", laid])), text(&ask(&["sql", laid])), "every index is there");
    for arguments in [
        &["query", "--json"][..],
        &["query", "--json", "東京"],
        &["query", "--json", "ferries"],
        &["query", "--json", "--ending", "gone"],
        &["query", "--json", "--url", "https://t.co/*"],
        &["sql", "SELECT * FROM findings", "--json"],
    ] {
        assert_eq!(text(&on(&copy, arguments)), text(&ask(arguments)), "{arguments:?}");
    }
    assert_eq!(on(&copy, &["verify"]).status.code(), Some(0));
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// A body cut short and one that cannot be decoded are captured all the same; what is wrong with them is said wherever the ending is.
#[test]
fn a_capture_that_is_not_whole_is_called_so_everywhere() {
    let folder = tempfile::tempdir().unwrap();
    let (root, statement) = (folder.path().join("archive"), folder.path().join("halves.txt"));
    let url = |path: &str| format!("https://hostile.replica.test/{path}");
    fs::write(&statement, format!("{}\n{}\n{}\n", url("length-short"), url("gzip-is-plain"), url("until-close")))
        .unwrap();
    let replica = Replica::start_blocking(Options::default()).unwrap();
    let ca = folder.path().join("ca.pem");
    fs::write(&ca, replica.ca_pem()).unwrap();
    let mut network =
        vec!["--ca-cert".to_owned(), ca.display().to_string(), "--allow-net".to_owned(), "127.0.0.0/8".into()];
    network.extend(replica.connect_to().into_iter().flat_map(|rule| ["--connect-to".to_owned(), rule]));
    let network: Vec<&str> = network.iter().map(String::as_str).collect();
    let statement = statement.display().to_string();
    let run = |more: &[&str]| on(&root, &[&["run", &statement], more, &network[..]].concat());

    let done: Value = serde_json::from_str(&text(&run(&["--json", "--strict"]))).unwrap();
    let citations = done["statements"][0]["citations"].as_array().unwrap();
    let said = |line: &Value| (line["truncated"].clone(), line["unread"].is_string());
    assert_eq!(
        citations.iter().map(said).collect::<Vec<_>>(),
        [("disconnect".into(), false), (Value::Null, true), (Value::Null, false)]
    );
    let table = text(&run(&[]));
    let row = |table: &str, path: &str| table.lines().find(|line| line.contains(&url(path))).unwrap().to_owned();
    for (path, expected) in [
        ("length-short", "unchanged, truncated (disconnect)"),
        ("gzip-is-plain", "unchanged, unread"),
        ("until-close", "unchanged "),
    ] {
        assert!(row(&table, path).contains(expected), "{table}");
        assert!(row(&text(&on(&root, &["query"])), path).contains(expected));
        assert!(
            row(&text(&on(&root, &["show", &done["statements"][0]["id"].as_str().unwrap()[..20]])), path)
                .contains(expected)
        );
    }

    let lines = text(&on(&root, &["query", "--json"]));
    let found: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of_path = |path: &str| found.iter().find(|line| line["citation"]["url"] == url(path).as_str()).unwrap();
    let why = of(of_path("gzip-is-plain"), "/unread").to_owned();
    assert_eq!(said(of_path("length-short")), ("disconnect".into(), false));
    assert_eq!(said(of_path("until-close")), (Value::Null, false));
    let csv = text(&on(&root, &["query", "--format", "csv"]));
    assert!(csv.lines().next().unwrap().ends_with(",truncated,unread"), "{csv}");
    assert!(row(&csv, "length-short").ends_with(",disconnect,") && row(&csv, "until-close").ends_with(",,"), "{csv}");
    let shown = text(&on(&root, &["show", of(of_path("gzip-is-plain"), "/citation/id")]));
    assert!(shown.contains(&format!("unread       {why}")), "{shown}");

    for view in ["resolutions", "citations"] {
        let sql = format!(
            "SELECT count(truncated) AS t, count(unread) AS u, count(*) AS n FROM {view} WHERE ending = 'unchanged'"
        );
        let counts = text(&on(&root, &["sql", &sql, "--format", "csv"]));
        assert_eq!(counts.lines().nth(1), Some("1,1,3"), "{view}");
    }
    assert!(on(&root, &["reindex"]).status.success());
    assert_eq!(text(&on(&root, &["query", "--json"])), lines, "made anew from the records");
    for column in ["truncated", "unread"] {
        let db = rusqlite::Connection::open(root.join("onrecord.db")).unwrap();
        db.execute(&format!("UPDATE resolution SET {column} = NULL WHERE latest = 1"), []).unwrap();
        let verified = on(&root, &["verify", "--json"]);
        assert_eq!(verified.status.code(), Some(5));
        assert!(String::from_utf8_lossy(&verified.stdout).contains("\"row-changed\""), "{column}");
        assert!(on(&root, &["reindex"]).status.success());
    }
}
