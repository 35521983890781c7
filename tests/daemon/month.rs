//! The daemon in this process, by a clock that stands until it is moved: a month of schedules, with the machine off twice.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use onrecord::format::cron::Cron;
use onrecord::resolution::pursuit;
use onrecord::work::archive::{Choices, OpenArchive};
use onrecord::work::daemon::schedule::Schedule;
use onrecord::work::daemon::status::Status;
use onrecord::work::daemon::{Daemon, Ears, Orders};
use onrecord::work::errand::Manner;
use onrecord::work::fault::Fault;
use onrecord::work::parts::Paths;
use onrecord::work::pursue::Again;
use onrecord::work::robots::Policy;
use onrecord::world::clock::Clock;
use onrecord::world::wire::Wire;
use onrecord::world::wire::settings::Settings;
use onrecord_replica::Options;
use onrecord_replica::reply::Reply;
use onrecord_replica::world::Outage;
use tokio::sync::{Notify, mpsc, watch};

use super::house::House;

const HOUR: u64 = 3600;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn orders(house: &House, clock: &Clock, catch_up: bool) -> Orders {
    let settings = Settings {
        connect_to: house.replica.connect_to().iter().map(|rule| rule.parse().unwrap()).collect(),
        allow_net: vec!["127.0.0.0/8".parse().unwrap()],
        ..Settings::default()
    };
    let cron = Cron::read("0 */3 * * *").unwrap();
    let jitter = jiff::SignedDuration::ZERO;
    Orders {
        runs: Schedule { name: "runs".to_owned(), cron, zone: TimeZone::UTC, jitter },
        catch_up,
        quiet: jiff::SignedDuration::from_secs(2),
        folders: vec![house.archive().join("statements")],
        feeds: Vec::new(),
        manner: Manner {
            limits: pursuit::Limits { archives: false, ..pursuit::Limits::default() },
            budget: None,
            again: Again::default(),
            keep: None,
            at_once: 4,
            robots: Policy::Ignore,
            grace: None,
            beacon: None,
        },
        wire: Wire::new(settings, clock.clone()).unwrap(),
        targets: Vec::new(),
    }
}

/// The machine is on until `end`: the daemon starts, is idle, three hours go by, is idle again …
fn on_until(house: &House, clock: &Clock, end: &str, catch_up: bool) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let choices = Choices { clock: clock.clone(), frozen: true, ..Choices::default() };
    let open = open(house, &choices);
    runtime.block_on(days(house, clock, end, catch_up, &open));
    drop(runtime);
    open.close().unwrap();
}

/// Opens the archive. Another test of this process may be starting a program just now, which holds every lock of ours until
/// it is that program.
fn open(house: &House, choices: &Choices) -> OpenArchive {
    loop {
        match OpenArchive::or_init(Paths::new(house.archive()), choices.clone()) {
            Ok(open) => return open,
            Err(Fault::Lock(_)) => std::thread::sleep(Duration::from_millis(10)),
            Err(other) => panic!("{other}"),
        }
    }
}

async fn days(house: &House, clock: &Clock, end: &str, catch_up: bool, open: &OpenArchive) {
    let status = Arc::new(Status::new(clock.clone()));
    let (say, stop) = watch::channel(false);
    let (_reloads, reloaded) = mpsc::channel(1);
    let poke = Arc::new(Notify::new());
    let ears = Ears { stop: stop.clone(), orders: reloaded, handed_in: poke.clone() };
    let daemon = Daemon::new(open, orders(house, clock, catch_up), status.clone(), stop).unwrap();
    let hands = async {
        loop {
            // Each step crosses an occurrence; once the next one lies ahead, everything before it is served.
            while status.next_run.get().is_none_or(|next| next <= clock.now()) {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
            if clock.now() >= at(end) {
                break;
            }
            clock.advance(Duration::from_secs(3 * HOUR));
            poke.notify_one();
        }
        let _ = say.send(true);
    };
    let (done, ()) = tokio::join!(daemon.run(ears), hands);
    done.unwrap();
}

fn looks(house: &House, url: &str) -> Vec<String> {
    let db = rusqlite::Connection::open(house.archive().join("onrecord.db")).unwrap();
    let sql = "SELECT substr(r.at, 6, 11) || ' ' || r.ending FROM resolutions r JOIN citations c ON c.id = r.citation
               WHERE c.url = ?1 ORDER BY r.ledger_index";
    let mut query = db.prepare(sql).unwrap();
    query.query_map([url], |r| r.get(0)).unwrap().map(Result::unwrap).collect()
}

#[test]
fn a_month_with_the_machine_off_twice_is_a_curve_on_record() {
    let outages = vec![("ill.example".to_owned(), Outage::Refuse)];
    let house = House::new(Options { outages, ..Options::default() }, "");
    for host in ["steady", "mortal"] {
        house.replica.route(&format!("{host}.example"), "/a", Reply::html(200, "<p>we said this</p>"));
    }
    house.drop_in("said.txt", "http://steady.example/a http://mortal.example/a http://ill.example/a\n");
    let clock = Clock::frozen(at("2026-03-01T00:02:00Z"));
    on_until(&house, &clock, "2026-03-02T03:02:00Z", true);
    // Off for more than two days; what was missed is made up for at once.
    clock.advance(Duration::from_secs(56 * HOUR));
    on_until(&house, &clock, "2026-03-04T11:02:00Z", true);
    clock.advance(Duration::from_secs(HOUR));
    on_until(&house, &clock, "2026-03-06T00:02:00Z", true);
    house.replica.route("mortal.example", "/a", Reply::html(410, "gone"));
    house.drop_in("later.txt", "http://steady.example/b\n");
    on_until(&house, &clock, "2026-03-17T00:02:00Z", true);
    // Off again, and this time nothing is made up for.
    clock.advance(Duration::from_secs(47 * HOUR));
    on_until(&house, &clock, "2026-03-18T23:02:00Z", false);
    clock.advance(Duration::from_secs(HOUR));
    on_until(&house, &clock, "2026-04-01T00:02:00Z", false);

    assert_eq!(
        looks(&house, "http://steady.example/a"),
        ["03-01T03:02 captured", "03-01T06:02 unchanged", "03-04T11:02 unchanged", "03-11T12:02 unchanged"],
        "after 1 h, 1 d (the machine was off), 7 d"
    );
    assert_eq!(
        looks(&house, "http://mortal.example/a"),
        ["03-01T03:02 captured", "03-01T06:02 unchanged", "03-04T11:02 unchanged", "03-11T12:02 gone"]
    );
    assert_eq!(
        looks(&house, "http://ill.example/a"),
        [
            "03-01T03:02 unreachable",
            "03-01T06:02 unreachable",
            "03-01T12:02 unreachable",
            "03-02T00:02 unreachable",
            "03-04T11:02 unreachable",
            "03-11T12:02 unreachable",
            "03-19T00:02 unreachable",
            "03-26T00:02 unreachable"
        ],
        "after 1 h, 4 h, 12 h, 1 d, then every 7 d; what was missed without catch-up waits for the next run"
    );
    let missed = "SELECT group_concat(json_extract(body, '$.due') || ' ' || json_extract(body, '$.count'), ', ')
                  FROM (SELECT body FROM event WHERE kind = 'run.missed' ORDER BY record)";
    let db = rusqlite::Connection::open(house.archive().join("onrecord.db")).unwrap();
    let missed: String = db.query_row(missed, [], |row| row.get(0)).unwrap();
    assert_eq!(missed, "2026-03-02T06:00:00Z 18, 2026-03-17T03:00:00Z 15");
    let what: String = db.query_row("SELECT what FROM changes", [], |row| row.get(0)).unwrap();
    assert_eq!(what, "deleted", "and nothing else changed");
    let runs: i64 = db.query_row("SELECT count(*) FROM run WHERE closed IS NOT NULL", [], |row| row.get(0)).unwrap();
    let days: i64 = db.query_row("SELECT count(DISTINCT at) FROM resolution", [], |row| row.get(0)).unwrap();
    assert_eq!(runs, days, "a run with nothing to do leaves no record");
    assert_eq!(house.json(&["verify"])["verdict"], "intact");
    let statement = house.json(&["sql", "SELECT id FROM statements WHERE source LIKE '%said.txt'"]);
    let rot = house.json(&["stats", "--statement", statement[0]["id"].as_str().unwrap(), "--at", "2026-03-31"]);
    let curve: Vec<String> =
        rot["curve"].as_array().unwrap().iter().map(|day| format!("{}/{}", day["alive"], day["followed"])).collect();
    assert_eq!(curve.first().map(String::as_str), Some("2/3"), "{rot}");
    assert_eq!(curve.last().map(String::as_str), Some("1/3"), "{rot}");
}
