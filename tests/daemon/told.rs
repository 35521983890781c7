//! What changed is seen, put on record and told: webhook, program, letter, feed.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use hmac::{KeyInit as _, Mac as _};
use jiff::Timestamp;
use onrecord::work::daemon::notices::{Messenger, Target, TargetWay};
use onrecord::work::daemon::status::Status;
use onrecord::world::clock::Clock;
use onrecord::world::services::Services;
use onrecord::world::services::webhook::Secret;
use onrecord_replica::Options;
use onrecord_replica::reply::Reply;
use serde_json::Value;

use super::house::{House, Receiver, mail_server, read};

const PAGE: &str = "http://press.example/said";

/// An archive that holds a page, after which the page is what `now` says, and is due again.
fn after(now: Reply) -> House {
    let house = House::new(Options::default(), "");
    house.replica.route("press.example", "/said", Reply::html(200, "<p>we said this</p>"));
    house.set("[capture]\nrequisites = false\n");
    house.drop_in("statement.txt", PAGE);
    assert_eq!(house.run(&["run"]).status.code(), Some(0));
    house.replica.route("press.example", "/said", now);
    house.change("UPDATE due SET at = 0");
    house
}

fn whats(house: &House) -> Vec<String> {
    let db = rusqlite::Connection::open(house.archive().join("onrecord.db")).unwrap();
    let mut query = db.prepare("SELECT what FROM changes ORDER BY ledger_index").unwrap();
    query.query_map([], |r| r.get(0)).unwrap().map(Result::unwrap).collect()
}

#[test]
fn a_page_changes_goes_and_comes_back_and_each_is_on_record() {
    let house = after(Reply::html(200, "<p>we said that</p>"));
    let look = |reply: Option<Reply>| {
        if let Some(reply) = reply {
            house.replica.route("press.example", "/said", reply);
        }
        house.change("UPDATE due SET at = 0");
        assert_eq!(house.run(&["run"]).status.code(), Some(0));
        whats(&house)
    };
    assert_eq!(look(None), ["words"]);
    assert_eq!(look(None), ["words"], "nothing new, nothing on record");
    assert_eq!(look(Some(Reply::html(410, "gone"))), ["words", "deleted"]);
    assert_eq!(look(None), ["words", "deleted"]);
    assert_eq!(look(Some(Reply::html(500, "a bad day"))), ["words", "deleted"]);
    assert_eq!(look(Some(Reply::html(200, "<p>we said that</p>"))), ["words", "deleted", "back"]);
    for _ in 0..2 {
        assert_eq!(look(Some(Reply::html(503, "a bad day"))).len(), 3);
    }
    assert_eq!(look(None).last().map(String::as_str), Some("lost"), "a bad week is a change");
    assert_eq!(look(None).len(), 4);
    assert_eq!(look(Some(Reply::html(200, "<p>we said that</p>"))).last().map(String::as_str), Some("back"));
    let report = house.json(&["verify"]);
    assert_eq!(report["verdict"], "intact", "{report}");
    house.json(&["reindex"]);
    assert_eq!(whats(&house).len(), 5, "all of it is in the records");
}

/// The catalogue says where the record of the look before lies; what stood there then, only that record says.
#[test]
fn what_a_change_says_of_the_look_before_is_what_the_ledger_has() {
    let page = |words: &str| Reply::html(200, format!("<p>{words}</p>"));
    let lies = [
        "UPDATE resolution SET ending = 'gone', snapshot = NULL",
        "UPDATE resolution SET ending = 'timeout'",
        "UPDATE snapshot SET ending = 'gone', content = zeroblob(32)",
    ];
    for lie in lies {
        let house = after(page("we said this"));
        house.change(lie);
        assert_eq!(house.run(&["run"]).status.code(), Some(0), "{lie}");
        house.json(&["reindex"]);
        assert_eq!(whats(&house), [""; 0], "{lie}: nothing had changed");
        assert_eq!(house.count("SELECT count(*) FROM snapshot"), 1, "{lie}");
        // And what has changed is measured against what the record says.
        house.change(lie);
        house.change("UPDATE due SET at = 0, planned = 1");
        house.replica.route("press.example", "/said", page("we said that"));
        assert_eq!(house.run(&["run"]).status.code(), Some(0), "{lie}");
        house.json(&["reindex"]);
        assert_eq!(whats(&house), ["words"], "{lie}");
        let before = "SELECT count(*) FROM change WHERE ending_before = 'captured' AND snapshot_before IS NOT NULL";
        assert_eq!(house.count(before), 1, "{lie}");
    }
}

#[test]
fn how_often_it_failed_is_counted_in_the_ledger() {
    let house = after(Reply::html(503, "a bad day"));
    house.change("UPDATE due SET failures = 9");
    assert_eq!(house.run(&["run"]).status.code(), Some(0));
    assert_eq!(whats(&house), [""; 0]);
}

/// A row that leads to another record, or to none: nothing is said of what stood there before, and that is said.
#[test]
fn where_the_look_before_is_not_found_no_change_is_signed() {
    let ended = "SELECT max(record) FROM resolution";
    for lie in [
        format!("UPDATE record SET warc = (SELECT warc FROM record WHERE idx = 0) WHERE idx = ({ended})"),
        format!("UPDATE resolution SET record = record - 1 WHERE record = ({ended})"),
        format!(
            "UPDATE warc_record SET length = length - 1 WHERE place = (SELECT warc FROM record WHERE idx = ({ended}))"
        ),
        "UPDATE snapshot SET manifest = (SELECT warc FROM record WHERE idx = 0)".to_owned(),
    ] {
        let house = after(Reply::html(410, "gone"));
        house.change(&lie);
        let run = house.run(&["run"]);
        let said = String::from_utf8_lossy(&run.stderr).into_owned();
        assert_eq!(run.status.code(), Some(0), "{lie}: {said}");
        assert!(said.contains("whether anything changed is not told"), "{lie}: {said}");
        house.json(&["reindex"]);
        assert_eq!(whats(&house), [""; 0], "{lie}");
        assert_eq!(house.json(&["verify"])["verdict"], "intact", "{lie}");
    }
}

/// A row that is gone does not make an older look the last one: the ledger has it, and that it is gone is said.
#[test]
fn a_look_whose_row_is_gone_is_the_look_before_all_the_same() {
    let lasting = "DELETE FROM change WHERE record = (SELECT max(record) FROM change)";
    let last = "(SELECT max(record) FROM resolution)";
    let delete = format!(
        "UPDATE citation SET last = (SELECT min(record) FROM resolution) WHERE last IS NOT NULL;
         DELETE FROM hop WHERE resolution = {last}; DELETE FROM resolution WHERE record = {last}"
    );
    for (lie, expected) in [
        // Looked at three times: captured, gone, and now there again as it was.
        (delete.as_str(), &["deleted", "back"][..]),
        ("DELETE FROM resolution", &["deleted", "back"]),
        (&format!("{lasting}; {delete}"), &["deleted", "back"]),
    ] {
        let house = after(Reply::html(410, "gone"));
        assert_eq!(house.run(&["run"]).status.code(), Some(0));
        house.replica.route("press.example", "/said", Reply::html(200, "<p>we said this</p>"));
        house.change("UPDATE due SET at = 0");
        house.change(lie);
        let run = house.run(&["run"]);
        let said = String::from_utf8_lossy(&run.stderr).into_owned();
        assert_eq!(run.status.code(), Some(0), "{lie}: {said}");
        assert!(said.contains("onrecord reindex makes it anew"), "{lie}: {said}");
        house.json(&["reindex"]);
        assert_eq!(whats(&house), expected, "{lie}");
        assert_eq!(house.json(&["verify"])["verdict"], "intact", "{lie}");
    }
    // Where the record's own row is gone too, nobody knows whose look it was: no change is signed.
    let house = after(Reply::html(410, "gone"));
    assert_eq!(house.run(&["run"]).status.code(), Some(0));
    house.change("UPDATE due SET at = 0");
    house.change(&format!("DELETE FROM record WHERE idx = {last}; {delete}"));
    house.replica.route("press.example", "/said", Reply::html(200, "<p>we said this</p>"));
    let said = String::from_utf8_lossy(&house.run(&["run"]).stderr).into_owned();
    assert!(said.contains("whether anything changed is not told"), "{said}");
}

/// What is due is what the statement's record cites, whatever a row says of it.
#[test]
fn what_is_followed_is_what_the_statement_cites() {
    for lie in [
        "UPDATE citation SET url = replace(url, 'said', 'else'), raw = replace(raw, 'said', 'else'), body = replace(body, 'said', 'else')",
        "UPDATE statement SET date = '2001-01-01', source = 'elsewhere'",
        "INSERT INTO due SELECT citation + 7, 0, 0, 0, 1 FROM due",
    ] {
        let house = after(Reply::html(200, "<p>we said that</p>"));
        // What lies in the inbox is read from there.
        fs::remove_file(house.archive().join("statements/statement.txt")).unwrap();
        house.replica.route("press.example", "/else", Reply::html(200, "<p>we never said that</p>"));
        house.change(lie);
        assert_eq!(house.run(&["run"]).status.code(), Some(0), "{lie}");
        house.json(&["reindex"]);
        assert_eq!(house.count("SELECT count(*) FROM way WHERE url LIKE '%/else'"), 0, "{lie}");
        assert_eq!((house.count("SELECT count(*) FROM resolution"), whats(&house)), (2, vec!["words".into()]), "{lie}");
    }
}

#[test]
fn what_is_due_of_a_statement_whose_record_is_not_found_is_not_followed() {
    let house = after(Reply::html(200, "<p>we said that</p>"));
    house.change("UPDATE record SET warc = (SELECT warc FROM record WHERE idx = 0) WHERE kind = 'statement.added'");
    fs::remove_file(house.archive().join("statements/statement.txt")).unwrap();
    let run = house.run(&["run"]);
    let said = String::from_utf8_lossy(&run.stderr).into_owned();
    assert!(run.status.code() == Some(0) && said.contains("not all that is due"), "{said}");
    assert_eq!(house.count("SELECT count(*) FROM resolution"), 1);
    assert_eq!(house.count("SELECT count(*) FROM due WHERE at = 0"), 1, "it stays due");
}

/// A row that says of another body that it is the one just received: nothing refers to it.
#[test]
fn a_body_is_left_out_only_where_the_record_referred_to_holds_it() {
    let house = after(Reply::html(200, "<p>we said that</p>"));
    let body = "<p>we said that</p>";
    let digest = onrecord::format::digest::Digest::of(body.as_bytes()).hex();
    house.change(&format!("UPDATE exchange SET payload = x'{digest}', payload_len = {}", body.len()));
    assert_eq!(house.run(&["run"]).status.code(), Some(0));
    house.json(&["reindex"]);
    assert_eq!(house.count("SELECT count(*) FROM warc_record WHERE type = 3"), 0);
}

/// A repeat refers to a record by what that record calls itself, whatever a row says of it.
#[test]
fn a_repeat_names_what_it_repeats_as_that_calls_itself() {
    let house = after(Reply::html(200, "<p>we said this</p>"));
    house.change("UPDATE exchange SET url = 'http://forged.example/', at = 0");
    assert_eq!(house.run(&["run"]).status.code(), Some(0));
    let db = rusqlite::Connection::open(house.archive().join("onrecord.db")).unwrap();
    let id: String = db.query_row("SELECT lower(hex(id)) FROM warc_record WHERE type = 3", [], |r| r.get(0)).unwrap();
    let shown = house.json(&["show", &id]).to_string();
    assert!(shown.contains(&format!("WARC-Refers-To-Target-URI: {PAGE}")), "{shown}");
    assert!(!shown.contains("forged") && !shown.contains("WARC-Refers-To-Date: 1970"), "{shown}");
}

/// A copy is asked about again because the ledger says that it was asked for, not because a row does.
#[test]
fn a_copy_that_only_a_row_speaks_of_is_not_asked_for() {
    let house = House::new(Options::default(), "[archives]\nsave-keys-file = \"../keys\"\n");
    fs::write(house.path("keys"), "ACCESS:s3cretSaveKey").unwrap();
    house.drop_in("a.txt", "See https://dead.example/page, which is no more.\n");
    assert_eq!(house.run(&["run"]).status.code(), Some(0));
    let body = "{\"archive\":\"web.archive.org\",\"asked\":[],\"at\":\"2019-06-10T08:00:00Z\",\"kind\":\"archive.requested\",\
        \"nonce\":\"00000000000000000000000000000000\",\"run\":\"01a20a6f-5acf-7846-96a6-228ad606408a\",\"state\":\"later\",\
        \"url\":\"https://forged.example/\",\"v\":1}";
    house.change(&format!(
        "INSERT INTO event (record, kind, at, body) SELECT idx, 'archive.requested', 0, '{body}' FROM record WHERE kind = 'run.opened';
         UPDATE due SET at = 0"
    ));
    let run = house.run(&["run"]);
    let said = String::from_utf8_lossy(&run.stderr).into_owned();
    assert_eq!(run.status.code(), Some(0), "{said}");
    assert!(said.contains("no copy was asked for by ledger record"), "{said}");
    assert_eq!(house.replica.log().iter().filter(|served| served.target.starts_with("/save")).count(), 0);
    house.json(&["reindex"]);
    assert_eq!(house.count("SELECT count(*) FROM event WHERE kind = 'archive.requested'"), 0);
}

/// Who an account is, captured posts say: their snapshots on the ledger, whatever the rows have made of them.
#[test]
fn an_account_is_who_the_captured_post_says() {
    let house = House::new(Options::default(), "[capture]\nrequisites = false\n");
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("archive/statements/kazakhstan-election-2019.txt");
    fs::copy(sample, house.archive().join("statements/sample.txt")).unwrap();
    let ids = |done: &Value| -> Vec<String> {
        let all = done["statements"][0]["citations"].as_array().unwrap().iter();
        let handles = all.filter(|citation| citation["kind"] == "handle");
        handles.map(|citation| citation["account"]["id"].as_str().unwrap_or_default().to_owned()).collect()
    };
    let first = ids(&house.json(&["run"]));
    assert!(first.iter().any(|id| !id.is_empty()), "{first:?}");
    for lie in [
        "UPDATE post SET author_id = 'forged', author = 'Forged'",
        "UPDATE post SET author_id = 'forged'; UPDATE snapshot SET manifest = (SELECT warc FROM record WHERE idx = 0)",
        "INSERT INTO post SELECT (SELECT min(idx) FROM record WHERE kind = 'finding.made'), name, platform, handle, 'Forged', 'forged', posted, text, body
          FROM post LIMIT 1; UPDATE resolution SET snapshot = (SELECT min(idx) FROM record WHERE kind = 'finding.made')
          WHERE record = (SELECT max(record) FROM resolution WHERE handle IS NOT NULL)",
    ] {
        house.change(&format!("{lie}; UPDATE due SET at = 0"));
        let run = house.run(&["run", "--json"]);
        let done: Value = serde_json::from_slice(&run.stdout).unwrap();
        assert!(!done.to_string().to_lowercase().contains("forged"), "{lie}: {done:#}");
        if lie.starts_with("UPDATE post SET author_id = 'forged', ") {
            assert_eq!(ids(&done), first, "{lie}");
        }
        house.json(&["reindex"]);
        let way = "SELECT count(*) FROM post WHERE author_id = 'forged'";
        assert_eq!((house.count(way), house.run(&["verify"]).status.code()), (0, Some(0)), "{lie}");
    }
}

#[test]
fn every_way_of_telling_tells() {
    let house = after(Reply::html(404, "no"));
    let hook = Receiver::start(&[]);
    let (mail, letters) = mail_server();
    let (secret, told) = (house.path("secret"), house.path("told.json"));
    fs::write(&secret, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n").unwrap();
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o600)).unwrap();
    house.set(&format!(
        "[capture]\nrequisites = false\n\
         [[notify]]\nkind = \"webhook\"\nurl = {:?}\nsecret-file = {:?}\n\
         [[notify]]\nkind = \"command\"\ncommand = [\"sh\", \"-c\", \"cat > {}\"]\n\
         [[notify]]\nkind = \"email\"\nsmtp = \"{mail}\"\nfrom = \"archive@press.example\"\nto = [\"editor@press.example\"]\n\
         [[notify]]\nkind = \"command\"\ncommand = [\"false\"]\nonly = [\"words\"]\n",
        hook.url,
        secret.display().to_string(),
        told.display(),
    ));
    let mut daemon = house.start();
    daemon.until_so("told", || house.count("SELECT count(*) FROM notice WHERE state = 1") == 3);
    assert_eq!(house.count("SELECT count(*) FROM notice"), 3, "only words go to the fourth");
    let got = hook.got();
    let (head, body) = got.first().unwrap().split_once("\n\n").or_else(|| got[0].split_once("\r\n\n")).unwrap();
    let header = |name: &str| {
        let line = head.lines().find(|line| line.to_lowercase().starts_with(name));
        line.and_then(|line| line.split_once(": ")).map(|(_, value)| value.trim().to_owned()).unwrap()
    };
    let key = data_encoding::BASE64.decode(b"MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
    let mut mac = hmac::Hmac::<sha2::Sha256>::new_from_slice(&key).unwrap();
    mac.update(format!("{}.{}.{body}", header("webhook-id"), header("webhook-timestamp")).as_bytes());
    let signature = format!("v1,{}", data_encoding::BASE64.encode(&mac.finalize().into_bytes()));
    assert_eq!(header("webhook-signature"), signature);
    let notice: Value = serde_json::from_str(body).unwrap();
    assert_eq!((&notice["kind"], &notice["raw"]), (&"change.seen".into(), &PAGE.into()));
    assert_eq!((&notice["changes"][0]["what"], &notice["after"]["ending"]), (&"deleted".into(), &"gone".into()));
    assert_eq!(serde_json::from_str::<Value>(&read(&told)).unwrap(), notice);
    let letter = letters.lock().unwrap().first().cloned().unwrap();
    assert!(letter.contains("Subject: onrecord: deleted: http://press.example/said"), "{letter}");
    assert!(letter.contains("To: editor@press.example"), "{letter}");
    let (status, feed) = daemon.get("/changes.atom");
    assert_eq!(status, 200);
    let feed = feed_rs::parser::parse(feed.as_bytes()).unwrap();
    assert_eq!(feed.entries.len(), 1);
    assert_eq!(daemon.stop().0, Some(0));
    // Nothing is told twice after a restart.
    assert_eq!(house.start().stop().0, Some(0));
    assert_eq!(hook.got().len(), 1);
}

fn messenger(house: &House, url: &str, clock: &Clock) -> Messenger {
    let services = Services::new("onrecord/test", Duration::from_secs(30), &[]).unwrap();
    let way = TargetWay::Webhook { url: url.parse().unwrap(), secret: Some(Secret::read("a secret")), services };
    let target = Target { name: "hook".to_owned(), only: Vec::new(), way };
    let status = Arc::new(Status::new(clock.clone()));
    let path: &Path = &house.archive().join("onrecord.db");
    Messenger::new(path, vec![target], status, "an archive".to_owned()).unwrap()
}

#[tokio::test]
async fn a_notice_that_nobody_takes_is_tried_again_under_the_same_id_until_it_is_given_up() {
    let house = after(Reply::html(404, "no"));
    let (hook, clock) = (Receiver::start(&[500, 503]), Clock::frozen(Timestamp::now()));
    let mut first = messenger(&house, &hook.url, &clock);
    assert_eq!(house.run(&["run"]).status.code(), Some(0));
    let again = first.deliver().await.unwrap().unwrap();
    assert_eq!(again.duration_since(clock.now()).as_secs(), 10);
    assert_eq!(first.deliver().await.unwrap(), Some(again), "not before its time");
    assert_eq!(hook.got().len(), 1);
    clock.advance(Duration::from_secs(10));
    drop(first);
    // Another process takes it up.
    let mut second = messenger(&house, &hook.url, &clock);
    let again = second.deliver().await.unwrap().unwrap();
    assert_eq!(again.duration_since(clock.now()).as_secs(), 60);
    clock.advance(Duration::from_secs(60));
    assert_eq!(second.deliver().await.unwrap(), None);
    let ids: Vec<String> = hook
        .got()
        .iter()
        .filter_map(|got| got.lines().find(|line| line.to_lowercase().starts_with("webhook-id")).map(str::to_owned))
        .collect();
    assert_eq!(ids.len(), 3);
    assert!(ids.windows(2).all(|two| two[0] == two[1]), "{ids:?}");
    assert_eq!(house.count("SELECT count(*) FROM notice WHERE state = 1 AND tries = 2"), 1);

    // Nobody there at all: given up in the end, and kept.
    house.change("UPDATE notice SET state = 0, tries = 0, at = 0");
    let mut third = messenger(&house, "http://127.0.0.1:1/hook", &clock);
    for _ in 0..40 {
        third.deliver().await.unwrap();
        clock.advance(Duration::from_secs(24 * 3600));
    }
    assert_eq!(house.count("SELECT count(*) FROM notice WHERE state = 2 AND tries = 16"), 1);
}
