//! Every answer of the archive that the fixtures hold, each told for what it is.

use onrecord::format::http::{Answer, Headers};
use onrecord::platform::wayback::{
    Index, Memento, Save, body_target, confirms, digest_matches, index, instant, memento, same, save, time_map,
};
use serde_json::Value;
use url::Url;

type Fallible = Result<(), Box<dyn std::error::Error>>;

fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(format!("{}/tests/fixtures/wayback/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap_or_default()
}

fn answer(status: u16, body: Vec<u8>) -> Answer {
    Answer { status, body, ..Answer::default() }
}

#[test]
fn the_index_in_both_forms() {
    let json = index(&answer(200, fixture("cdx.prefix.json")));
    let Index::Rows(rows) = json else { panic!("no rows: {json:?}") };
    assert!(rows.iter().any(|row| row.mimetype == "warc/revisit" && row.status.is_none()));
    assert!(rows.iter().all(|row| row.at().is_some() && row.memento().is_some()));
    let Index::Rows(lines) = index(&answer(200, fixture("cdx.all.txt"))) else { panic!("no rows") };
    assert_eq!(lines.len(), 22);
    for (name, expected) in
        [("cdx.limit3.resume.json", 3), ("cdx.limit3.resume.txt", 3), ("cdx.empty.json", 0), ("cdx.empty.txt", 0)]
    {
        let Index::Rows(rows) = index(&answer(200, fixture(name))) else { panic!("no rows in {name}") };
        assert_eq!(rows.len(), expected, "{name}");
    }
    assert_eq!(index(&answer(403, fixture("cdx.blocked.403.txt"))), Index::Excluded);
    assert_eq!(index(&answer(429, b"<html>".to_vec())), Index::RateLimited);
    assert!(matches!(index(&answer(200, b"<html>busy".to_vec())), Index::Unreadable(_)));
}

#[test]
fn a_code_in_another_case_is_another_page() {
    let Index::Rows(rows) = index(&answer(200, fixture("cdx.tco-case-collision.json"))) else { panic!("no rows") };
    assert_eq!(rows.len(), 2);
    let own: Vec<_> = rows.iter().filter(|row| same(&row.original, "http://t.co/CdsTMkBRtm")).collect();
    assert_eq!(own.len(), 1);
    assert_eq!(own.first().and_then(|row| row.status), Some(301));
}

#[test]
fn digests() -> Fallible {
    let Index::Rows(rows) = index(&answer(200, fixture("cdx.all.txt"))) else { return Err("no rows".into()) };
    for row in &rows {
        let body = fixture(&format!("payloads/{}", row.digest));
        assert_eq!(digest_matches(row, &body), Some(true), "{}", row.digest);
        assert_eq!(digest_matches(row, b"other"), Some(false));
    }
    Ok(())
}

#[test]
fn what_is_kept_and_what_is_the_archives_own() -> Fallible {
    let given: Value = serde_json::from_slice(&fixture("memento-transactions.json"))?;
    let mut seen = Vec::new();
    for one in given.as_array().ok_or("no list")? {
        let id = one["id"].as_str().ok_or("no id")?;
        let request = one["request"].as_str().ok_or("no request")?;
        let url = Url::parse(request.split_whitespace().nth(1).ok_or("no url")?)?;
        let headers = one["headers"].as_array().ok_or("no headers")?.iter();
        let headers =
            headers.filter_map(|h| Some((h[0].as_str()?.to_owned(), h[1].as_str()?.as_bytes().to_vec()))).collect();
        let body = one["body"].as_str().unwrap_or_default().as_bytes().to_vec();
        let status = u16::try_from(one["status"].as_u64().ok_or("no status")?)?;
        let given = Answer { status, headers: Headers(headers), body, ..Answer::default() };
        let said = memento(&url, &given);
        let name = match (&said, id) {
            (Memento::Kept { .. }, "memento-exact-200")
            | (Memento::Hop(_), "memento-inexact-302" | "fresh-capture-not-yet-indexed" | "timegate")
            | (Memento::KeptError { .. }, "memento-archived-429")
            | (Memento::RateLimited, "live-429")
            | (Memento::None, "never-archived-404")
            | (Memento::Excluded, "blocked-view-200") => id,
            (Memento::Redirect { to, .. }, "memento-archived-301") => {
                assert_eq!(to.as_str(), "https://twitter.com/odelie_m/status/1137945522884755456/photo/1");
                id
            }
            _ => return Err(format!("{id} was read as {said:?}").into()),
        };
        seen.push(name.to_owned());
        assert!(!confirms("20261123032758", &said), "{id} confirms nothing of that instant");
    }
    assert_eq!(seen.len(), 9);
    let at = "2026-11-23T03:27:58Z".parse()?;
    assert!(confirms("20261123032758", &Memento::Kept { at }));
    Ok(())
}

#[test]
fn saving_has_three_states() -> Fallible {
    let of = |name: &str, status| save(&answer(status, fixture(&format!("spn2/{name}"))));
    assert!(matches!(of("submit.200.json", 200), Save::Submitted { job } if job.starts_with("spn2-")));
    assert!(matches!(of("submit.too-soon.200.json", 200), Save::Submitted { .. }));
    assert!(matches!(of("submit.401.json", 401), Save::Refused(_)));
    assert!(matches!(of("submit.daily-limit.200.json", 200), Save::Refused(_)));
    assert!(matches!(of("submit.session-limit.200.json", 200), Save::Later(_)));
    assert!(matches!(of("status.pending.json", 200), Save::Submitted { .. }));
    assert!(matches!(of("status.success.json", 200), Save::Claimed { timestamp, .. } if timestamp == "20261123032758"));
    assert!(matches!(of("status.error.json", 200), Save::Refused(_)));
    assert!(matches!(of("status.too-many-requests-in-200.json", 200), Save::Later(_)));
    assert_eq!(save(&answer(200, b"<html>".to_vec())), Save::Unreadable);
    Ok(())
}

#[test]
fn time_maps_and_instants() {
    let map = time_map(&String::from_utf8_lossy(&fixture("archive-today.timemap.link")));
    assert_eq!(map.len(), 2);
    assert_eq!(map.first().map(|(at, _)| at.to_string()).as_deref(), Some("2019-06-10T06:15:00Z"));
    assert_eq!(time_map("TimeMap does not exists."), []);
    assert_eq!(instant("2019").map(|t| t.to_string()).as_deref(), Some("2019-01-01T00:00:00Z"));
    assert_eq!(instant("20190610051103").map(|t| t.to_string()).as_deref(), Some("2019-06-10T05:11:03Z"));
    assert_eq!(instant("20191310"), None);
    assert_eq!(instant("201906100511031"), None);
}

#[test]
fn a_body_that_redirects() {
    let body = fixture("payloads/SGW7OIFKGZA4OHBABH2KJFKWH4P5ZVQL");
    assert!(body_target(&answer(301, body)).is_some());
    assert_eq!(body_target(&answer(200, b"<a href='http://a/'>x</a>".to_vec())), None);
}
