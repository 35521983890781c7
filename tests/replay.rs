//! A replay by another project: pywb is given the WARC files of two runs and must give back, for each capture, the entity
//! whose SHA-256 the catalogue has: for repeats too, which lead it to the record they refer to.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::process::Command;

use onrecord_replica::reply::Reply;

use crate::world::{World, absent, err, others, shared, validators, warcs};

const PAGES: usize = 6;

fn ran_twice() -> World {
    let mut world = World::new();
    let mut text = String::from("Said on Monday.\n");
    world.replica.set(|w| {
        for n in 0..PAGES {
            let page =
                format!("<title>Page {n}</title><p>{}<img src=/picture/{n}.png>", "Said on Monday. ".repeat(40 * n));
            let reply = Reply::html(200, page);
            // Plain, chunked, and in a coding where the client takes one.
            let reply = match n % 3 {
                0 => reply,
                1 => reply.chunked(100),
                _ => reply.offering("gzip"),
            };
            w.route("replay.test", &format!("/page/{n}"), reply);
            let picture: Vec<u8> = (0..20_000 + n).map(|at| ((at * at) >> 7) as u8).collect();
            w.route("replay.test", &format!("/picture/{n}.png"), Reply::body(200, "image/png", picture));
            w.route("replay.test", &format!("/t/{n}"), Reply::to(301, &format!("/page/{n}")));
            writeln!(text, "http://replay.test/t/{n}").unwrap();
        }
    });
    world.file("statement.txt", &text);
    world.run(&["statement.txt"]);
    world.pass(1);
    world.run(&["statement.txt"]);
    world
}

/// What a replay has to give, by the catalogue alone: entities that came in no content coding, whose digest is that of the bytes
/// a reader is served.
fn expected(world: &World) -> (String, usize, usize) {
    let plain: HashMap<String, bool> = warcs(&world.archive())
        .iter()
        .flat_map(|file| others(file))
        .map(|record| {
            let head =
                String::from_utf8_lossy(&record.block).split("\r\n\r\n").next().unwrap_or_default().to_lowercase();
            (record.id.replace('-', ""), !head.contains("content-encoding"))
        })
        .collect();
    let (mut lines, mut whole, mut repeats) = (String::new(), 0, 0);
    for row in world.sql(
        "SELECT lower(hex(w.id)) AS id, e.url, strftime('%Y%m%d%H%M%S', e.at / 1000000, 'unixepoch') AS ts, e.status,
         lower(hex(e.payload)) AS sha256, e.refers_to IS NOT NULL AS repeat FROM exchange e JOIN warc_record w ON w.place = e.place
         WHERE e.payload IS NOT NULL",
    ) {
        if !plain[row["id"].as_str().unwrap()] {
            continue;
        }
        if row["repeat"] == 1 {
            repeats += 1
        } else {
            whole += 1
        }
        writeln!(
            lines,
            "{}",
            serde_json::json!({"url": row["url"], "ts": row["ts"], "status": row["status"], "sha256": row["sha256"]})
        )
        .unwrap();
    }
    (lines, whole, repeats)
}

#[test]
fn pywb_gives_back_every_entity() {
    let script = shared().join("validators/check-replay.py");
    let Some(python) = validators()
        .map(|v| v.join("bin/python"))
        .filter(|python| script.exists() && python.exists() && python.with_file_name("wayback").exists())
    else {
        return absent("pywb is not installed here, so nothing was replayed");
    };
    let world = ran_twice();
    let (lines, whole, repeats) = expected(&world);
    assert!(whole > 12 && repeats > 6, "{whole} whole and {repeats} repeated captures are too few to mean anything");
    let list = world.folder().join("expected.jsonl");
    std::fs::write(&list, &lines).unwrap();
    let replay = |expect: &[&str]| {
        let output = Command::new(&python).arg(&script).args(expect).args(warcs(&world.archive())).output().unwrap();
        (output.status.success(), format!("{}{}", String::from_utf8_lossy(&output.stdout), err(&output)))
    };
    // By our catalogue, and by what another reader makes of the records, codings undone.
    let (passed, said) = replay(&["--expect", list.to_str().unwrap()]);
    assert!(passed && said.contains("CHECK-REPLAY PASS"), "{said}");
    let (passed, said) = replay(&[]);
    assert!(passed && said.contains("CHECK-REPLAY PASS"), "{said}");
    // And it would say so if one were not the same.
    let other = lines.replacen("\"sha256\":\"", "\"sha256\":\"00", 1);
    std::fs::write(&list, other).unwrap();
    assert!(!replay(&["--expect", list.to_str().unwrap()]).0, "an entity that was never kept was given back");
}
