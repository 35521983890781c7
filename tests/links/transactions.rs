//! Every row of the transactions and every fault of the hostile host, served by the loopback platforms and followed by the real
//! binary. What becomes of each is a row of a fixture; a row that cannot be served says why.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::world::World;

const BROWSER: &str =
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36";

/// How a row is asked for, and how that ends.
#[derive(Debug, Deserialize)]
struct Expected {
    id: String,
    /// `plain`: as anybody would; `links`: redirects alone; `browser`: redirects alone, called a browser; `none`: not at all
    #[serde(default = "plain")]
    ask: String,
    #[serde(default)]
    ending: String,
    /// where it ends; the row's own URL where it is not named
    #[serde(default)]
    end: Option<String>,
    #[serde(default)]
    via: String,
    /// why it cannot be asked for
    #[serde(default)]
    why: String,
}

fn plain() -> String {
    "plain".to_owned()
}

fn flags(ask: &str) -> Vec<String> {
    let flags: &[&str] = match ask {
        "links" => &["--links-only"],
        "browser" => &["--links-only", "--user-agent", BROWSER],
        _ => &[],
    };
    flags.iter().map(|flag| (*flag).to_owned()).collect()
}

fn fixture<T: serde::de::DeserializeOwned>(name: &str) -> T {
    let path = format!("{}/tests/fixtures/{name}", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).expect(name);
    serde_yaml_ng::from_str(&text).unwrap_or_else(|e| panic!("{name}: {e}"))
}

/// Ending, end and how the end was reached.
fn told(resolution: &Value) -> (String, String, String) {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let last = resolution["hops"].as_array().and_then(|hops| hops.last()).cloned().unwrap_or_default();
    (text(&resolution["ending"]), text(&resolution["final_url"]), text(&last["via"]))
}

#[test]
fn every_row_is_served_and_ends_as_it_should() {
    let rows: Vec<Value> = fixture("http-transactions.json");
    let expected: Vec<Expected> = fixture("links/transactions.yml");
    let by_id: BTreeMap<&str, &Value> = rows.iter().filter_map(|row| Some((row["id"].as_str()?, row))).collect();
    let named: Vec<&str> = expected.iter().map(|row| row.id.as_str()).collect();
    assert_eq!(
        by_id.keys().copied().collect::<std::collections::BTreeSet<_>>(),
        named.iter().copied().collect(),
        "each row once"
    );
    assert_eq!(named.len(), rows.len());

    let world = World::new();
    let (mut wrong, mut followed) = (Vec::new(), 0);
    for ask in ["plain", "links", "browser"] {
        let asked: Vec<&Expected> = expected.iter().filter(|row| row.ask == ask).collect();
        let url = |row: &Expected| by_id[row.id.as_str()]["request"]["url"].as_str().unwrap_or_default().to_owned();
        let mut arguments: Vec<String> = asked.iter().map(|row| url(row)).collect();
        arguments.extend(flags(ask));
        world.replica.clear_log();
        let said = world.json("resolve", &arguments);
        let log = world.replica.log();
        for (row, resolution) in asked.iter().zip(said["resolutions"].as_array().expect("resolutions")) {
            followed += 1;
            let found = told(resolution);
            let right = (row.ending.clone(), row.end.clone().unwrap_or_else(|| url(row)), row.via.clone());
            if found != right {
                wrong.push(format!("{}: {found:?}, not {right:?}; {}", row.id, resolution["why"]));
            }
            // the row itself was on the wire, unless the URL names its end without a question
            let status = by_id[row.id.as_str()]["response"]["status"].as_u64();
            let first = &resolution["hops"][0];
            let served = log.iter().any(|s| {
                url(row).ends_with(&format!("{}{}", s.host, s.target.trim_end_matches('/')))
                    && Some(u64::from(s.status)) == status
            });
            if !served && first["status"] != Value::Null {
                wrong.push(format!("{}: the row was not what was served", row.id));
            }
        }
    }
    for row in expected.iter().filter(|row| row.ask == "none") {
        assert!(!row.why.is_empty(), "{} is not asked for and does not say why", row.id);
        println!("{} is not followed: {}", row.id, row.why);
    }
    println!("{followed} of {} rows followed", rows.len());
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn every_fault_of_a_hostile_server_ends() {
    let world = World::new();
    let expected: BTreeMap<String, String> = fixture("links/hostile.yml");
    let listed = world.replica.set(|world| {
        let list =
            world.pages.keys().filter_map(|place| place.strip_prefix("hostile.replica.test/").map(str::to_owned));
        list.filter(|path| !path.is_empty()).collect::<Vec<String>>()
    });
    let mut arguments: Vec<String> =
        expected.keys().map(|path| format!("https://hostile.replica.test/{path}")).collect();
    arguments.push("--links-only".to_owned());
    let said = world.json("resolve", &arguments);
    let mut wrong: Vec<String> = listed
        .iter()
        .filter(|path| !expected.contains_key(*path))
        .map(|path| format!("{path}: no word on it"))
        .collect();
    for ((path, ending), resolution) in expected.iter().zip(said["resolutions"].as_array().expect("resolutions")) {
        let found = resolution["ending"].as_str().unwrap_or_default();
        if found != ending {
            wrong.push(format!("{path}: {found}, not {ending}; {}", resolution["why"]));
        }
    }
    assert!(wrong.is_empty(), "{} wrong of {}:\n{}", wrong.len(), expected.len(), wrong.join("\n"));
}
