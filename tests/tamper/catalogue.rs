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
        let snapshot = f.one("SELECT lower(hex(min(snapshot))) FROM post");
        sql(f, &format!("UPDATE post SET text = text || '!' WHERE snapshot = x'{snapshot}'"));
        format!("onrecord.db:post/{snapshot}")
    })
    .blind(),
    attack("row-statement-bytes-edited", &["row-changed"], |f| {
        let id = f.one("SELECT lower(hex(min(id))) FROM statement");
        sql(f, &format!("UPDATE statement SET bytes = CAST(replace(CAST(bytes AS TEXT), 'a', 'b') AS BLOB) WHERE id = x'{id}'"));
        format!("onrecord.db:statement/{id}")
    })
    .blind(),
    attack("row-snapshot-moved-to-another-citation", &["row-changed"], |f| {
        let record = f.one("SELECT CAST(min(record) AS TEXT) FROM resolution WHERE snapshot IS NOT NULL");
        let other = "SELECT max(s.id) FROM snapshot s, resolution r WHERE r.record =";
        sql(f, &format!("UPDATE resolution SET snapshot = ({other} {record} AND s.id <> r.snapshot) WHERE record = {record}"));
        format!("onrecord.db:resolution/{record}")
    })
    .blind(),
    attack("row-pointed-at-another-place", &["row-changed"], |f| {
        let id = f.one("SELECT lower(hex(min(id))) FROM warc_record WHERE type = 1");
        sql(f, &format!("UPDATE warc_record SET offset = offset + 7 WHERE id = x'{id}'"));
        format!("onrecord.db:warc_record/{id}")
    })
    .blind(),
    attack("row-digest-edited", &["row-changed"], |f| {
        let id = f.one("SELECT lower(hex(min(id))) FROM warc_record WHERE type = 1");
        sql(f, &format!("UPDATE warc_record SET digest = zeroblob(32) WHERE id = x'{id}'"));
        format!("onrecord.db:warc_record/{id}")
    })
    .blind(),
    attack("row-url-of-an-exchange-edited", &["row-changed"], |f| {
        let id = f.one("SELECT lower(hex(min(id))) FROM exchange");
        sql(f, &format!("UPDATE exchange SET url = 'https://example.org/' WHERE id = x'{id}'"));
        format!("onrecord.db:exchange/{id}")
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
        let id = f.one("SELECT lower(hex(min(id))) FROM citation");
        sql(f, &format!("DELETE FROM citation WHERE id = x'{id}'"));
        format!("onrecord.db:citation/{id}")
    })
    .blind(),
    attack("row-anchor-inserted", &["row-added"], |f| {
        sql(f, "INSERT INTO anchor (record, size, kind, authority, state, file, at) VALUES (3, 4, 'tsr', 'tsa.example', 'verified', '4.tsa.example.tsr', 0)");
        "onrecord.db:anchor/3".to_owned()
    })
    .blind(),
    attack("row-post-inserted", &["row-added"], |f| {
        sql(f, "INSERT INTO post (snapshot, name, platform, handle, text, body) VALUES (zeroblob(32), 'x:1', 'x', 'someone', 'words', '{}')");
        format!("onrecord.db:post/{}", "0".repeat(64))
    })
    .blind(),
    attack("row-run-hidden", &["row-missing"], |f| {
        let id = f.one("SELECT lower(hex(min(id))) FROM run");
        sql(f, &format!("DELETE FROM run WHERE id = x'{id}'"));
        format!("onrecord.db:run/{id}")
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
        let sql = f.one("SELECT sql FROM sqlite_schema WHERE name = 'exchange_url'");
        f.sql("DROP INDEX exchange_url; CREATE INDEX exchange_url ON exchange (url, at) WHERE status <> 200");
        f.sql(&format!(
            "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = '{sql}' WHERE name = 'exchange_url'"
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
        "onrecord.db:".to_owned()
    })
    .blind(),
];
