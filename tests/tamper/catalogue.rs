//! Attacks on the catalogue. The verifier without SQLite is blind to them; evidence is untouched, and reindex heals them.

use std::fs;

use super::world::Fixture;
use super::{Attack, attack};

fn sql(f: &Fixture, sql: &str) {
    f.sql(sql);
}

pub(super) const ATTACKS: &[Attack] = &[
    attack("row-ending-edited", &["row-changed"], |f| {
        let record = f.one("SELECT CAST(min(record) AS TEXT) FROM resolution");
        sql(f, &format!("UPDATE resolution SET ending = 'gone' WHERE record = {record}"));
        format!("onrecord.db:resolution/{record}")
    })
    .blind(),
    attack("row-verdict-edited", &["row-changed"], |f| {
        let record = f.one("SELECT CAST(min(record) AS TEXT) FROM finding");
        sql(f, &format!("UPDATE finding SET verdict = 'undetermined' || verdict WHERE record = {record}"));
        format!("onrecord.db:finding/{record}")
    })
    .blind(),
    attack("row-post-text-edited", &["row-changed"], |f| {
        let snapshot = f.one("SELECT CAST(min(snapshot) AS TEXT) FROM post");
        sql(f, &format!("UPDATE post SET text = text || '!' WHERE snapshot = {snapshot}"));
        format!("onrecord.db:post/{snapshot}")
    })
    .blind(),
    attack("row-statement-bytes-edited", &["row-changed"], |f| {
        let record = f.one("SELECT CAST(min(record) AS TEXT) FROM statement");
        let edited = "CAST(replace(CAST(bytes AS TEXT), 'a', 'b') AS BLOB)";
        sql(f, &format!("UPDATE statement SET bytes = {edited} WHERE record = {record}"));
        format!("onrecord.db:statement/{record}")
    })
    .blind(),
    attack("row-snapshot-moved-to-another-citation", &["row-changed"], |f| {
        let record = f.one("SELECT CAST(min(record) AS TEXT) FROM resolution WHERE snapshot IS NOT NULL");
        let other = "SELECT max(s.record) FROM snapshot s, resolution r WHERE r.record =";
        sql(f, &format!("UPDATE resolution SET snapshot = ({other} {record} AND s.record <> r.snapshot) WHERE record = {record}"));
        format!("onrecord.db:resolution/{record}")
    })
    .blind(),
    attack("row-pointed-at-another-place", &["row-missing", "row-added"], |f| {
        let place = f.one("SELECT CAST(min(place) AS TEXT) FROM warc_record WHERE type = 1");
        sql(f, &format!("UPDATE warc_record SET place = place + 7 WHERE place = {place}"));
        format!("onrecord.db:warc_record/{place}")
    })
    .blind(),
    attack("row-digest-edited", &["row-changed"], |f| {
        let place = f.one("SELECT CAST(min(place) AS TEXT) FROM warc_record WHERE type = 1");
        sql(f, &format!("UPDATE warc_record SET digest = zeroblob(32) WHERE place = {place}"));
        format!("onrecord.db:warc_record/{place}")
    })
    .blind(),
    attack("row-bound-by-an-earlier-record", &["row-changed"], |f| {
        let place = f.one("SELECT CAST(max(place) AS TEXT) FROM warc_record WHERE type = 1 AND record > 2");
        sql(f, &format!("UPDATE warc_record SET record = record - 1 WHERE place = {place}"));
        format!("onrecord.db:warc_record/{place}")
    })
    .blind(),
    attack("row-bound-by-a-later-record", &["row-changed"], |f| {
        let place = f.one("SELECT CAST(min(place) AS TEXT) FROM warc_record WHERE type = 1");
        sql(f, &format!("UPDATE warc_record SET record = record + 1 WHERE place = {place}"));
        format!("onrecord.db:warc_record/{place}")
    })
    .blind(),
    attack("row-bound-by-nothing", &["row-changed"], |f| {
        let place = f.one("SELECT CAST(max(place) AS TEXT) FROM warc_record WHERE type = 1");
        sql(f, &format!("UPDATE warc_record SET record = NULL WHERE place = {place}"));
        format!("onrecord.db:warc_record/{place}")
    })
    .blind(),
    attack("row-of-the-last-warc-record-deleted", &["row-missing"], |f| {
        let place = f.one("SELECT CAST(max(place) AS TEXT) FROM warc_record");
        sql(f, &format!("DELETE FROM warc_record WHERE place = {place}"));
        format!("onrecord.db:warc_record/{place}")
    })
    .blind(),
    attack("row-of-an-exchange-behind-the-last-inserted", &["row-added"], |f| {
        let place = f.one("SELECT CAST(max(place) + 1 AS TEXT) FROM warc_record");
        sql(f, &format!("INSERT INTO exchange (place, url, at) VALUES ({place}, 'https://example.org/', 0)"));
        format!("onrecord.db:exchange/{place}")
    })
    .blind(),
    attack("catalogue-with-a-page-overwritten", &["row-changed"], |f| {
        // The tables' definitions are whole; rows in the midst of one cannot be read.
        let page = f.one("SELECT CAST(rootpage AS TEXT) FROM sqlite_schema WHERE name = 'exchange'");
        let at = (page.parse::<usize>().unwrap() - 1) * 4096;
        f.edit(&f.root.join("onrecord.db"), |b| b[at..at + 4096].fill(0x5a));
        "onrecord.db".to_owned()
    })
    .blind(),
    attack("row-url-of-an-exchange-edited", &["row-changed"], |f| {
        let place = f.one("SELECT CAST(min(place) AS TEXT) FROM exchange");
        sql(f, &format!("UPDATE exchange SET url = 'https://example.org/' WHERE place = {place}"));
        format!("onrecord.db:exchange/{place}")
    })
    .blind(),
    attack("row-hop-deleted", &["row-missing"], |f| {
        let record = f.one("SELECT CAST(min(resolution) AS TEXT) FROM hop");
        sql(f, &format!("DELETE FROM hop WHERE resolution = {record} AND n = 0"));
        format!("onrecord.db:hop/{record},0")
    })
    .blind(),
    attack("row-finding-deleted", &["row-missing"], |f| {
        let record = f.one("SELECT CAST(min(record) AS TEXT) FROM finding");
        sql(f, &format!("DELETE FROM finding WHERE record = {record}"));
        format!("onrecord.db:finding/{record}")
    })
    .blind(),
    attack("row-citation-deleted", &["row-missing"], |f| {
        let key = f.one("SELECT CAST(min(key) AS TEXT) FROM citation");
        sql(f, &format!("DELETE FROM citation WHERE key = {key}"));
        format!("onrecord.db:citation/{key}")
    })
    .blind(),
    attack("row-anchor-inserted", &["row-added"], |f| {
        sql(f, "INSERT INTO anchor (record, size, kind, authority, state, file, at) VALUES (3, 4, 'tsr', 'tsa.example', 'verified', '4.tsa.example.tsr', 0)");
        "onrecord.db:anchor/3".to_owned()
    })
    .blind(),
    attack("row-post-inserted", &["row-added"], |f| {
        sql(f, "INSERT INTO post (snapshot, name, platform, handle, text, body) VALUES (0, 'x:1', 'x', 'someone', 'words', '{}')");
        "onrecord.db:post/0".to_owned()
    })
    .blind(),
    attack("row-run-hidden", &["row-missing"], |f| {
        let record = f.one("SELECT CAST(min(record) AS TEXT) FROM run");
        sql(f, &format!("DELETE FROM run WHERE record = {record}"));
        format!("onrecord.db:run/{record}")
    })
    .blind(),
    attack("row-count-edited", &["row-changed"], |f| {
        sql(f, "UPDATE tally SET n = n + 1 WHERE name = 'ending' AND value = 'captured'");
        "onrecord.db:tally/ending,captured".to_owned()
    })
    .blind(),
    attack("catalogue-with-another-view", &["row-changed"], |f| {
        // Every row is right, and every finding is corroborated.
        let sql = f.one("SELECT sql FROM sqlite_schema WHERE type = 'view' AND name = 'findings'");
        let lie = sql.replacen("verdict", "'corroborated' AS verdict", 1);
        assert_ne!(lie, sql);
        f.sql(&format!("DROP VIEW findings; {lie}"));
        "onrecord.db:sqlite_schema/view/findings".to_owned()
    })
    .blind(),
    attack("catalogue-with-a-trigger", &["row-added"], |f| {
        f.sql("CREATE TRIGGER quiet BEFORE INSERT ON finding BEGIN SELECT RAISE(IGNORE); END");
        "onrecord.db:sqlite_schema/trigger/quiet".to_owned()
    })
    .blind(),
    attack("catalogue-with-an-index-that-lies", &["row-changed"], |f| {
        // A row that is there and is not found by what it is looked for by.
        let sql = f.one("SELECT sql FROM sqlite_schema WHERE name = 'citation_url'");
        f.sql("DROP INDEX citation_url; CREATE INDEX citation_url ON citation (url) WHERE kind <> 'link'");
        f.sql(&format!(
            "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = '{sql}' WHERE name = 'citation_url'"
        ));
        "onrecord.db:sqlite_schema/".to_owned()
    })
    .blind(),
    attack("catalogue-removed", &["row-missing"], |f| {
        fs::remove_file(f.root.join("onrecord.db")).unwrap();
        "onrecord.db".to_owned()
    })
    .blind(),
    attack("catalogue-overwritten", &["row-changed"], |f| {
        f.edit(&f.root.join("onrecord.db"), |b| b.iter_mut().skip(4096).for_each(|byte| *byte ^= 0x5a));
        "onrecord.db".to_owned()
    })
    .blind(),
    attack("catalogue-of-another-archive", &["row-added", "row-changed", "row-missing"], |f| {
        fs::copy(super::world().path("other").join("onrecord.db"), f.root.join("onrecord.db")).unwrap();
        // By chance its records may lie where this one's do.
        f.sql("UPDATE warc_record SET place = place + 100000000000");
        "onrecord.db:".to_owned()
    })
    .blind(),
];
