//! Statements and the posts they quote: what a careful reader would find, case by case.

use onrecord::citation::{Citation, CitationId, Kind};
use onrecord::finding;
use onrecord::format::digest::Digest;
use onrecord::platform::post::{Author, Platform, Post};
use onrecord::platform::x::answer::{self, Said};
use onrecord::resolution::hop::Resolution;
use onrecord::statement::About;
use serde_json::Value;

type Fallible<T> = Result<T, Box<dyn std::error::Error>>;

fn post(given: &Value) -> Fallible<Option<Post>> {
    match given {
        Value::Null => Ok(None),
        Value::String(name) => {
            let path = format!("{}/tests/fixtures/x/tweet-result/{name}.json", env!("CARGO_MANIFEST_DIR"));
            let json: Value = serde_json::from_slice(&std::fs::read(path)?)?;
            match answer::read(&json) {
                Some(Said::Post(post)) => Ok(Some(*post)),
                other => Err(format!("{name} was read as {other:?}").into()),
            }
        }
        inline => Ok(Some(serde_json::from_value(inline.clone())?)),
    }
}

fn citation(cited: &Value) -> Citation {
    let text = |key: &str| cited.get(key).and_then(Value::as_str).map(str::to_owned);
    let list = |key: &str| -> Vec<String> {
        cited
            .get(key)
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(|v| v.as_str().map(str::to_owned))
            .collect()
    };
    let kind = Kind::Post {
        platform: Platform::X,
        author: text("author"),
        handle: text("handle"),
        date: text("date"),
        dates: list("dates"),
        date_raw: None,
        quoted: text("quoted").unwrap_or_default(),
        truncated: cited.get("truncated").and_then(Value::as_bool).unwrap_or(false),
        links: list("links"),
        permalink: None,
        post_id: None,
    };
    Citation {
        id: CitationId(Digest::of(b"c")),
        kind,
        raw: String::new(),
        span: (0, 0),
        span_of: None,
        candidate: false,
    }
}

#[test]
fn every_annotated_statement() -> Fallible<()> {
    let path = format!("{}/tests/fixtures/findings/statements.yml", env!("CARGO_MANIFEST_DIR"));
    let cases: Vec<Value> = serde_yaml_ng::from_slice(&std::fs::read(path)?)?;
    assert!(cases.len() >= 40, "{}", cases.len());
    let mut wrong = Vec::new();
    for case in &cases {
        let name = case["name"].as_str().unwrap_or_default();
        let mut resolution = Resolution::begun("x");
        resolution.post = post(&case["post"])?;
        let about = About { language: case["language"].as_str().map(str::to_owned), ..About::default() };
        let known: Vec<Author> =
            case.get("known").map(|k| serde_json::from_value(k.clone())).transpose()?.unwrap_or_default();
        let found = finding::check(&citation(&case["cited"]), &about, &resolution, &known).into_iter().next();
        let json = serde_json::to_value(&found)?;
        for (key, expected) in case["expect"].as_object().ok_or("no expectation")? {
            let got = match key.as_str() {
                "verdict" => json.get("verdict").cloned().unwrap_or_else(|| "none".into()),
                check => {
                    let all = json["checks"].as_array();
                    let one = all.into_iter().flatten().find(|c| c["check"] == *check);
                    one.map_or(Value::Null, |c| c["result"].clone())
                }
            };
            if got != *expected {
                wrong.push(format!("{name}: {key} is {got}, not {expected}; {json:#}"));
            }
        }
        for check in json["checks"].as_array().into_iter().flatten() {
            // a disagreement is shown with both sides; what could not be checked says why
            if check["result"] == "unknown" && check.get("why").is_none() {
                wrong.push(format!("{name}: {} is unknown without a reason", check["check"]));
            }
            if check["result"] == "disagrees" && check["check"] != "links" && check.get("found").is_none() {
                wrong.push(format!("{name}: {} shows one side only", check["check"]));
            }
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
    Ok(())
}
