//! Attacks on WARC files as files: cut, appended to, removed, added.

use std::fs;

use onrecord::format::digest::Digest;

use super::world::{At, Fixture, gzip};
use super::{Attack, attack};

/// The warcinfo record that the n-th file begins with.
fn info(f: &Fixture, n: usize) -> At {
    let file = f.warc_names()[n].clone();
    let first = f.members(&file)[0].clone();
    (file, first)
}

fn last(f: &Fixture) -> String {
    f.warc_names().pop().unwrap()
}

pub(super) const ATTACKS: &[Attack] = &[
    attack("file-cut-at-a-record-boundary", &["record-missing"], |f| {
        let file = last(f);
        let members = f.members(&file);
        let at = members[members.len() - 3].offset;
        f.edit(&f.path(&file), |b| b.truncate(at));
        "ledger/leaf/".to_owned()
    }),
    attack("file-cut-inside-a-record", &["file-truncated", "record-missing"], |f| {
        let file = last(f);
        let member = f.members(&file).pop().unwrap();
        f.edit(&f.path(&file), |b| b.truncate(member.offset + member.length / 2));
        format!("warc/{file}@{}", member.offset)
    }),
    attack("file-checksum-flipped", &["gzip-member-damaged", "record-missing"], |f| {
        let (file, member) = f.find(&f.warc(), |m| m.kind() == "response");
        f.edit(&f.path(&file), |b| b[member.offset + member.length - 8] ^= 1);
        format!("warc/{file}@{}", member.offset)
    }),
    attack("file-compressed-bytes-flipped", &["gzip-member-damaged", "record-missing"], |f| {
        let (file, member) = f.find(&f.warc(), |m| m.kind() == "response" && m.block().len() > 2000);
        f.edit(&f.path(&file), |b| b[member.offset + member.length / 2] ^= 0x55);
        format!("warc/{file}@{}", member.offset)
    }),
    attack("file-garbage-appended", &["trailing-garbage"], |f| {
        let file = last(f);
        let end = fs::metadata(f.path(&file)).unwrap().len();
        f.edit(&f.path(&file), |b| b.extend_from_slice(b"and more"));
        format!("warc/{file}@{end}")
    }),
    attack("file-two-records-in-one-member", &["not-a-member-per-record"], |f| {
        let file = f.warc_names()[0].clone();
        let members = f.members(&file);
        let joined = [&members[2].plain[..], &members[3].plain].concat();
        let mut bytes: Vec<u8> = Vec::new();
        for (n, member) in members.iter().enumerate() {
            match n {
                2 => bytes.extend(gzip(&joined)),
                3 => {}
                _ => bytes.extend(gzip(&member.plain)),
            }
        }
        fs::write(f.path(&file), bytes).unwrap();
        format!("warc/{file}@")
    }),
    attack("warcinfo-stripped", &["warcinfo-missing", "record-missing"], |f| {
        let first = info(f, 0);
        f.drop(&first);
        format!("warc/{}@0", first.0)
    }),
    attack("warcinfo-edited-digests-recomputed", &["record-changed"], |f| {
        f.change(&info(f, 0), |m| {
            let said = String::from_utf8(m.block().to_vec()).unwrap();
            m.with_block(said.replace("software: onrecord/", "software: Onrecord/").as_bytes())
        })
    }),
    attack("warcinfo-date-edited", &["record-changed"], |f| {
        f.change(&info(f, 1), |m| m.with_field("WARC-Date", "2019-06-10T08:00:00.000000Z"))
    }),
    attack("warcinfo-added", &["record-added"], |f| {
        let like = info(f, 0);
        let bytes = gzip(&like.1.with_field("WARC-Record-ID", "<urn:uuid:00000000-0000-4000-8000-000000000001>"));
        f.append(&like.0, "00000000-0000-4000-8000-000000000001", 0, &bytes)
    }),
    attack("warcinfo-replaced-by-another", &["record-missing"], |f| {
        let old = info(f, 0);
        let id = "00000000-0000-4000-8000-000000000001";
        let new = old.1.with_field("WARC-Record-ID", &format!("<urn:uuid:{id}>"));
        f.drop(&old);
        f.edit(&f.path(&old.0), |b| drop(b.splice(0..0, gzip(&new))));
        f.catalogued(id, &gzip(&new), &old.0, 0);
        old.1.id()
    }),
    attack("warcinfo-swapped-between-files", &["warcinfo-misplaced"], |f| {
        let (one, two) = (info(f, 0), info(f, 1));
        let place = f.put(&one, &gzip(&two.1.plain));
        f.put(&two, &gzip(&one.1.plain));
        for (member, file) in [(&two.1, &one.0), (&one.1, &two.0)] {
            f.sql(&format!(
                "UPDATE warc_record SET place = (SELECT id << 38 | 2 FROM warc_file WHERE name = '{file}') WHERE id = x'{}'",
                member.id().replace('-', "")
            ));
        }
        f.cover();
        place
    }),
    attack("file-renamed", &["warcinfo-misplaced"], |f| {
        // A day earlier, so that what it holds seems to have been captured then.
        let (old, new) = (f.warc_names()[0].clone(), "onrecord-20190610080000-000001.warc.gz");
        fs::rename(f.path(&old), f.path(new)).unwrap();
        f.sql(&format!("UPDATE warc_file SET name = '{new}' WHERE name = '{old}'"));
        format!("warc/{new}@0")
    }),
    attack("file-removed", &["record-missing"], |f| {
        fs::remove_file(f.path(&f.warc_names()[0])).unwrap();
        "ledger/leaf/0".to_owned()
    }),
    attack("file-of-another-archive-added", &["record-added", "warcinfo-misplaced", "row-missing"], |f| {
        let file = f.warc_names()[0].clone();
        let foreign = super::world().path("other").join("warc");
        let from = fs::read_dir(foreign).unwrap().next().unwrap().unwrap();
        let name = "onrecord-20200101000000-000000.warc.gz";
        assert_ne!(file, name);
        fs::copy(from.path(), f.path(name)).unwrap();
        format!("warc/{name}@")
    }),
    attack(
        "file-unpacked",
        &["gzip-head-changed", "warcinfo-misplaced", "row-added", "row-changed", "row-missing"],
        |f| {
            let file = f.warc_names()[0].clone();
            let plain: Vec<u8> = f.members(&file).iter().flat_map(|member| member.plain.clone()).collect();
            let bare = file.trim_end_matches(".gz");
            fs::write(f.path(bare), plain).unwrap();
            fs::remove_file(f.path(&file)).unwrap();
            format!("warc/{bare}@0")
        },
    ),
    attack("file-unpacked-under-its-name", &["gzip-head-changed", "row-added", "row-changed", "row-missing"], |f| {
        let file = last(f);
        let plain: Vec<u8> = f.members(&file).iter().flat_map(|member| member.plain.clone()).collect();
        fs::write(f.path(&file), plain).unwrap();
        format!("warc/{file}@0")
    }),
    attack("file-of-garbage-before-a-record", &["trailing-garbage", "record-added", "row-missing"], |f| {
        let (_, info) = f.find(&f.warc(), |m| m.kind() == "warcinfo");
        let name = "onrecord-20300101000000-000099.warc.gz";
        let like = info.with_field("WARC-Record-ID", "<urn:uuid:00000000-0000-4000-8000-000000000001>");
        let like = String::from_utf8(like).unwrap().replace(&info.field("WARC-Filename").unwrap(), name);
        fs::write(f.path(name), [b"and more", &gzip(like.as_bytes())[..]].concat()).unwrap();
        format!("warc/{name}@0")
    }),
    attack("file-hidden-as-unfinished", &["record-added"], |f| {
        // An unfinished file excuses what a process left behind its last closed run, and nothing before that.
        let (file, member) = f.find(&f.warc(), |m| m.kind() == "response");
        let like = member.with_field("WARC-Record-ID", "<urn:uuid:00000000-0000-4000-8000-000000000001>");
        let path = f.path(&file);
        let end = member.offset + member.length;
        f.edit(&path, |b| {
            b.splice(end..end, gzip(&like));
        });
        f.cover();
        f.sql(&format!(
            "INSERT INTO warc_record (id, place, length, type, digest) SELECT x'00000000000040008000000000000001', id << 38 | {end}, {}, 1, x'{}' FROM warc_file WHERE name = '{file}'",
            gzip(&like).len(),
            Digest::of(&like[..like.len() - 4]).hex()
        ));
        let last = last(f);
        fs::rename(f.path(&last), f.path(&format!("{last}.open"))).unwrap();
        format!("warc/{file}@{end}")
    }),
];
