//! Attacks on the round of a beacon that opened a run, by a thief of the key: everything else is made right again.

use std::path::Path;

use onrecord::format::drand::Hex;
use onrecord::record::RunId;
use onrecord::record::beacon::Beacon;
use serde_json::{Value, json};

use super::world::Fixture;
use super::{Attack, attack};
use crate::beacon::{Signer, run, serve};

/// The chain that the settings of the archive name.
fn signer() -> Signer {
    Signer::new(9)
}

/// An archive with one run that a round opened.
pub(super) fn make(archive: &Path) {
    let served = serve(&signer());
    let inside = archive.join("archive");
    let said = run(&inside, &served.url, &[]);
    assert!(String::from_utf8_lossy(&said.stdout).contains("not_before"), "{}", String::from_utf8_lossy(&said.stderr));
    for entry in std::fs::read_dir(&inside).unwrap() {
        let entry = entry.unwrap();
        std::fs::rename(entry.path(), archive.join(entry.file_name())).unwrap();
    }
    std::fs::remove_dir(inside).unwrap();
    let settings = format!("[anchor]\nbeacon = \"https://beacon.example/{}\"\n", signer().chain.hash);
    std::fs::write(archive.join("onrecord.toml"), settings).unwrap();
}

/// Rewrites what the opening record says of its beacon.
fn opened(f: &Fixture, how: impl Fn(&mut Value)) -> String {
    f.rewrite("run.opened", |json| {
        let mut record: Value = serde_json::from_str(json).unwrap();
        how(&mut record);
        String::from_utf8(onrecord::format::json::canonical(&record).unwrap()).unwrap()
    })
}

/// Gives the run of both its records another id.
fn renamed(f: &Fixture, id: impl Fn(&Value) -> RunId) -> String {
    let old = f.one("SELECT lower(hex(id)) FROM run");
    let old = uuid::Uuid::parse_str(&old).unwrap();
    let mut new = None;
    let place = opened(f, |record| record["run"] = json!(id(&record["beacon"])));
    let records = f.records();
    for (_, member) in &records {
        let value: Value = serde_json::from_slice(member.block()).unwrap();
        if value["kind"] == "run.opened" {
            new = Some(value["run"].as_str().unwrap().parse::<uuid::Uuid>().unwrap());
        }
    }
    let new = new.unwrap();
    f.rewrite("run.closed", |json| json.replacen(&old.to_string(), &new.to_string(), 1));
    f.sql(&format!("UPDATE run SET id = x'{}'", new.simple()));
    place
}

pub(super) const ATTACKS: &[Attack] = &[
    attack("beacon-signature-forged", &["beacon-invalid"], |f| {
        renamed(f, |beacon| {
            // A signature of the next round, as if it had been this one's.
            let mut beacon: Beacon = serde_json::from_value(beacon.clone()).unwrap();
            beacon.round.signature = signer().sign(beacon.round.number + 1);
            beacon.run()
        });
        opened(f, |record| {
            let round = record["beacon"]["round"]["number"].as_u64().unwrap();
            record["beacon"]["round"]["signature"] = json!(signer().sign(round + 1));
        })
    })
    .blind(),
    attack("beacon-round-counted-on", &["beacon-invalid"], |f| {
        opened(f, |record| {
            let round = record["beacon"]["round"]["number"].as_u64().unwrap();
            record["beacon"]["round"]["number"] = json!(round + 1);
        })
    })
    .blind(),
    attack("beacon-key-swapped", &["beacon-invalid"], |f| {
        // The chain's name stays; who signs for it does not.
        renamed(f, |beacon| {
            let mut beacon: Beacon = serde_json::from_value(beacon.clone()).unwrap();
            beacon.round.signature = Signer::new(10).sign(beacon.round.number);
            beacon.run()
        });
        opened(f, |record| {
            let (thief, round) = (Signer::new(10), record["beacon"]["round"]["number"].as_u64().unwrap());
            record["beacon"]["round"]["signature"] = json!(thief.sign(round));
            record["beacon"]["chain"]["public_key"] = json!(thief.chain.public_key);
        })
    }),
    attack("beacon-of-another-run", &["beacon-invalid"], |f| {
        // A later round put into the record of a run whose id was there before it.
        opened(f, |record| {
            let round = record["beacon"]["round"]["number"].as_u64().unwrap() + 1;
            record["beacon"]["round"] = json!({"number": round, "signature": signer().sign(round)});
        })
    }),
    attack("beacon-younger-than-its-record", &["beacon-invalid"], |f| {
        // A run that is said to be a day older than the round that opened it.
        let place = opened(f, |record| {
            let at: jiff::Timestamp = record["at"].as_str().unwrap().parse().unwrap();
            let early = at - jiff::SignedDuration::from_hours(24);
            record["at"] = json!(onrecord::format::time::to_micros(early));
        });
        f.sql("UPDATE run SET opened = opened - 86400000000; UPDATE record SET at = at - 86400000000 WHERE kind = 'run.opened'");
        place
    }),
    attack("beacon-stripped-of-its-shape", &["record-malformed"], |f| {
        opened(f, |record| {
            record["beacon"]["round"]["signature"] = json!(Hex::of(&[1, 2]).to_string().to_uppercase() + "AB")
        })
    }),
];
