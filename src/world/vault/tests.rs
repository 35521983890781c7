//! The vault under a fixed clock: what is written is read back, what a crash tears is cut, nothing whole is lost.

use super::place::{OPEN, files, read_at, scan};
use super::recover::{Cut, Fate};
use super::*;
use crate::format::digest::Digest;
use crate::format::warc::read::{Item, Want};

/// A vault whose clock and ids count up from a fixed beginning.
fn open_with(dir: &Path, limits: Limits, disk: Disk) -> Result<(Vault, Recovered), Error> {
    let mut tick = 0_i64;
    let mut next = Uuid::new_v4().as_u128();
    let making = Making {
        now: Box::new(move || {
            tick += 1;
            Timestamp::from_second(1_560_153_524 + tick).unwrap()
        }),
        id: Box::new(move || {
            next += 1;
            Uuid::from_u128(next)
        }),
        about: vec![("software".into(), "onrecord".into()), ("format".into(), "WARC File Format 1.1".into())],
    };
    Vault::open(dir, limits, making, disk)
}

fn open(dir: &Path) -> (Vault, Recovered) {
    open_with(dir, Limits::default(), Disk::default()).unwrap()
}

fn page(n: u128) -> Record {
    let block = format!("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<p>page {n}</p>").into_bytes();
    let at = Timestamp::from_second(1_560_153_600).unwrap();
    Record::response(Uuid::from_u128(n), at, &format!("https://a.example/{n}"), block)
}

fn all(dir: &Path, name: &str) -> Vec<Item> {
    let (path, _) = place::open(dir, name).unwrap();
    let mut reader = scan(&path, 0, Want::ours()).unwrap();
    let mut items = Vec::new();
    while let Some(item) = reader.next().unwrap() {
        items.push(item.clone());
    }
    items
}

#[test]
fn a_record_is_read_back_by_its_place_open_or_sealed() {
    let dir = tempfile::tempdir().unwrap();
    let (mut vault, recovered) = open(dir.path());
    assert_eq!(recovered, Recovered::default());
    assert!(files(dir.path()).unwrap().is_empty(), "no file before the first record");
    let kept = vault.append(&page(7)).unwrap();
    vault.sync().unwrap();
    for _ in 0..2 {
        let found = read_at(dir.path(), &kept.place).unwrap();
        assert_eq!(found.record, page(7));
        assert_eq!(found.name, kept.name);
        assert_eq!(found.name.digest, page(7).sealed().1);
        vault.roll().unwrap();
    }
    assert_eq!(kept.place.file, "onrecord-20190610075845-000001.warc.gz");
    assert!(dir.path().join(&kept.place.file).exists());
}

#[test]
fn what_was_written_scans_without_a_problem() {
    let dir = tempfile::tempdir().unwrap();
    let (mut vault, _) = open(dir.path());
    let kept: Vec<Kept> = (1..=20).map(|n| vault.append(&page(n)).unwrap()).collect();
    vault.close().unwrap();
    let items = all(dir.path(), &kept[0].place.file);
    assert_eq!(items.len(), 21);
    for (item, kept) in items.iter().skip(1).zip(&kept) {
        assert!(item.problems.is_empty(), "{:?}", item.problems);
        assert_eq!((item.offset, item.length), (kept.place.offset, kept.place.length));
        assert_eq!(item.digests.whole, Some(kept.name.digest));
        assert_eq!(item.block_len, kept.block_len);
        assert_eq!(item.checked, 2);
    }
}

#[test]
fn files_roll_and_are_listed_in_order() {
    let dir = tempfile::tempdir().unwrap();
    let (mut vault, _) = open_with(dir.path(), Limits { roll_at: 1 }, Disk::default()).unwrap();
    let kept: Vec<Kept> = (1..=3).map(|n| vault.append(&page(n)).unwrap()).collect();
    let names: Vec<String> = kept.iter().map(|k| k.place.file.clone()).collect();
    assert_eq!(files(dir.path()).unwrap(), names);
    assert!(dir.path().join(format!("{}{OPEN}", names[2])).exists());
    vault.close().unwrap();
    assert!(dir.path().join(&names[2]).exists());
}

#[test]
fn a_torn_tail_is_cut_at_every_length_and_no_whole_record_is_lost() {
    let dir = tempfile::tempdir().unwrap();
    let (mut vault, _) = open(dir.path());
    let kept: Vec<Kept> = (1..=3).map(|n| vault.append(&page(n)).unwrap()).collect();
    drop(vault);
    let name = kept[0].place.file.clone();
    let whole = std::fs::read(dir.path().join(format!("{name}{OPEN}"))).unwrap();
    for len in 0..=whole.len() {
        let crashed = tempfile::tempdir().unwrap();
        std::fs::write(crashed.path().join(format!("{name}{OPEN}")), &whole[..len]).unwrap();
        let (mut vault, recovered) = open(crashed.path());
        let survivors: Vec<&Kept> = kept.iter().filter(|k| k.place.offset + k.place.length <= len as u64).collect();
        let leftover = &recovered.files[0];
        if survivors.is_empty() {
            assert_eq!(leftover.fate, Fate::Removed, "{len}");
            continue;
        }
        let good = survivors.last().map(|k| k.place.offset + k.place.length).unwrap();
        let cut = (good < len as u64).then(|| Cut { offset: good, bytes: len as u64 - good });
        assert_eq!((leftover.fate, &leftover.cut, leftover.length), (Fate::Continued, &cut, good), "{len}");
        assert_eq!(leftover.records, survivors.len() as u64 + 1);
        for kept in survivors {
            assert_eq!(read_at(crashed.path(), &kept.place).unwrap().name, kept.name);
        }
        let next = vault.append(&page(99)).unwrap();
        assert_eq!((next.place.file.as_str(), next.place.offset), (name.as_str(), good));
        vault.close().unwrap();
        assert!(all(crashed.path(), &name).iter().all(|item| item.problems.is_empty()), "{len}");
    }
}

#[test]
fn records_behind_damage_are_not_touched() {
    let dir = tempfile::tempdir().unwrap();
    let (mut vault, _) = open(dir.path());
    let kept: Vec<Kept> = (1..=3).map(|n| vault.append(&page(n)).unwrap()).collect();
    drop(vault);
    let name = kept[0].place.file.clone();
    let path = dir.path().join(format!("{name}{OPEN}"));
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[kept[1].place.offset as usize + 40] ^= 0xff;
    std::fs::write(&path, &bytes).unwrap();
    let (mut vault, recovered) = open(dir.path());
    assert_eq!(recovered.files[0].fate, Fate::SealedDamaged);
    assert_eq!(recovered.files[0].cut, None);
    assert_eq!(std::fs::read(dir.path().join(&name)).unwrap(), bytes);
    assert_eq!(read_at(dir.path(), &kept[2].place).unwrap().name, kept[2].name);
    assert!(matches!(read_at(dir.path(), &kept[1].place), Err(Error::Damaged { .. })));
    assert_ne!(vault.append(&page(4)).unwrap().place.file, name);
}

#[test]
fn a_name_cannot_lead_out_of_the_folder() {
    let dir = tempfile::tempdir().unwrap();
    let place = Place { file: "../x.warc.gz".into(), offset: 0, length: 1 };
    assert!(matches!(read_at(dir.path(), &place), Err(Error::NoSuchFile { .. })));
}

/// A stream of `body`, written in pieces of `piece` bytes.
fn streamed(vault: &mut Vault, head: &str, body: &[u8], piece: usize) -> Kept {
    let at = Timestamp::from_second(1_560_153_600).unwrap();
    let begun = body.len().min(10);
    let block = [format!("HTTP/1.1 200 OK\r\n{head}\r\n\r\n").as_bytes(), &body[..begun]].concat();
    let record = Record::response_known(Uuid::new_v4(), at, "https://a.example/big", block, None);
    let mut stream = vault.stream(record, &[]).unwrap();
    for piece in body[begun..].chunks(piece) {
        stream.write(piece).unwrap();
    }
    stream.finish(&[("WARC-Truncated", "length")]).unwrap().kept
}

fn noise(len: usize) -> Vec<u8> {
    let mut seed = 1_u32;
    let next = || {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        seed.to_be_bytes()[0]
    };
    std::iter::repeat_with(next).take(len).collect()
}

#[test]
fn a_streamed_record_is_one_like_any_other() {
    let dir = tempfile::tempdir().unwrap();
    let (mut vault, _) = open(dir.path());
    for len in [0, 1, 9, 11, 65_000, 65_535, 65_536, 4 * 65_535, 4 * 65_540, 600_000] {
        for (head, body) in
            [("Content-Type: video/mp4", noise(len)), ("Content-Type: text/plain", b"word ".repeat(len / 5))]
        {
            let kept = streamed(&mut vault, head, &body, 70_001);
            let items = all(dir.path(), &kept.place.file);
            assert_eq!(items.len(), 2);
            let item = &items[1];
            assert!(item.problems.is_empty(), "{len} {head}: {:?}", item.problems);
            assert_eq!((item.offset, item.length), (kept.place.offset, kept.place.length), "{len} {head}");
            assert_eq!(item.digests.whole, Some(kept.name.digest));
            assert_eq!(item.digests.payload, Some(Digest::of(&body)));
            assert_eq!(item.block_len, kept.block_len);
            let found = read_at(dir.path(), &kept.place).unwrap();
            assert_eq!(found.name, kept.name);
            assert!(found.record.block.ends_with(&body));
        }
    }
    let big = b"word ".repeat(200_000);
    let kept = streamed(&mut vault, "Content-Type: text/plain", &big, 1000);
    assert!(kept.place.length < 100_000, "text is deflated on the way");
}

#[test]
fn an_unfinished_stream_leaves_nothing_behind() {
    let dir = tempfile::tempdir().unwrap();
    let (mut vault, _) = open(dir.path());
    vault.append(&page(1)).unwrap();
    // A body that is a WARC file itself: its members must not be taken for records of ours.
    let inner = std::fs::read(dir.path().join(format!("{}{OPEN}", files(dir.path()).unwrap()[0]))).unwrap();
    let block = [b"HTTP/1.1 200 OK\r\nContent-Type: application/gzip\r\n\r\n", &inner[..]].concat();
    let mut stream = vault
        .stream(Record::response(Uuid::new_v4(), Timestamp::UNIX_EPOCH, "https://a.example/", block), &[])
        .unwrap();
    stream.write(&noise(300_000)).unwrap();
    drop(stream);
    drop(vault);
    let (_, recovered) = open(dir.path());
    let fates: Vec<Fate> = recovered.files.iter().map(|f| f.fate).collect();
    assert_eq!(fates, [Fate::Continued, Fate::Removed]);
    assert_eq!(files(dir.path()).unwrap().len(), 1);
}

/// Lets the n-th deed have a fate; when `killed`, every later one fails too, as after the end of the process.
struct Nth {
    left: std::sync::atomic::AtomicI64,
    fate: durable::Fate,
    killed: bool,
}

impl durable::Fault for Nth {
    fn fate(&self, _: durable::Deed, _: &Path) -> durable::Fate {
        match self.left.fetch_sub(1, std::sync::atomic::Ordering::Relaxed) {
            1 => self.fate,
            n if n < 1 && self.killed => durable::Fate::Failed,
            _ => durable::Fate::Done,
        }
    }
}

/// A block that is written in three parts, and its record without it.
fn long() -> (Record, long::Long) {
    let mut writer = long::Writer::default();
    (0..200).for_each(|n| writer.write(format!("{{\"n\":{n}}}").as_bytes()).unwrap());
    let record = Record::metadata(Uuid::from_u128(9), Timestamp::UNIX_EPOCH, "application/json", Vec::new());
    (record, writer.finish().unwrap())
}

/// Appends, syncs, streams and rolls; what was acknowledged before the first error.
fn work_until_it_fails(dir: &Path, disk: Disk) -> (Vec<Kept>, bool) {
    let mut acknowledged = Vec::new();
    let mut pending = Vec::new();
    let run = || -> Result<(), Error> {
        let (mut vault, _) = open_with(dir, Limits { roll_at: 1500 }, disk)?;
        for n in 0..6 {
            pending.push(vault.append(&page(1000 + n))?);
            if n % 2 == 1 {
                vault.sync()?;
                acknowledged.append(&mut pending);
            }
        }
        let (record, long) = long();
        pending.push(vault.append_long(&record, &long)?);
        vault.sync()?;
        acknowledged.append(&mut pending);
        let block = [b"HTTP/1.1 200 OK\r\nContent-Type: video/mp4\r\n\r\n", &[7; 70_000][..]].concat();
        let stream =
            vault.stream(Record::response(Uuid::new_v4(), Timestamp::UNIX_EPOCH, "https://a.example/s", block), &[])?;
        acknowledged.push(stream.finish(&[])?.kept);
        vault.close()
    };
    let ended = run().is_ok();
    (acknowledged, ended)
}

#[test]
fn whatever_deed_fails_the_vault_opens_again_with_all_that_was_acknowledged() {
    use durable::Fate::{Failed, FailedAfter, Torn};
    let mut deeds = 0;
    for fate in [Failed, FailedAfter, Torn(1), Torn(100)] {
        for killed in [false, true] {
            for n in 1.. {
                let dir = tempfile::tempdir().unwrap();
                let fault = Nth { left: n.into(), fate, killed };
                let (acknowledged, ended) =
                    work_until_it_fails(dir.path(), Disk::with_fault(std::sync::Arc::new(fault)));
                let (mut vault, recovered) = open(dir.path());
                let case = format!("deed {n}, {fate:?}, killed {killed}: {recovered:?}");
                assert!(recovered.files.iter().all(|f| f.fate != Fate::SealedDamaged), "{case}");
                for kept in &acknowledged {
                    assert_eq!(read_at(dir.path(), &kept.place).expect(&case).name, kept.name, "{case}");
                }
                vault.append(&page(1)).expect(&case);
                vault.close().expect(&case);
                for name in files(dir.path()).unwrap() {
                    let items = all(dir.path(), &name);
                    let problems: Vec<_> = items.iter().flat_map(|i| &i.problems).collect();
                    assert!(problems.is_empty(), "{case}: {name}: {problems:?}");
                }
                if ended {
                    assert_eq!(acknowledged.len(), 8);
                    deeds = n;
                    break;
                }
            }
        }
    }
    assert!(deeds > 20, "the table has {deeds} deeds");
}

#[test]
fn after_a_failed_sync_nothing_is_acknowledged_until_it_is_opened_again() {
    let dir = tempfile::tempdir().unwrap();
    // create, warcinfo, record: the fourth deed is the sync.
    let fault = Nth { left: 4.into(), fate: durable::Fate::Failed, killed: false };
    let (mut vault, _) =
        open_with(dir.path(), Limits::default(), Disk::with_fault(std::sync::Arc::new(fault))).unwrap();
    vault.append(&page(1)).unwrap();
    assert!(matches!(vault.sync(), Err(Error::Disk(_))));
    assert!(matches!(vault.sync(), Err(Error::InDoubt)));
    assert!(matches!(vault.append(&page(2)), Err(Error::InDoubt)));
}

/// Whoever rolls the file in the moment in which a sync elsewhere has failed, and has not said so yet, is told too.
#[test]
fn a_file_whose_sync_failed_is_never_sealed() {
    let dir = tempfile::tempdir().unwrap();
    let fault = Nth { left: 4.into(), fate: durable::Fate::Failed, killed: false };
    let (mut vault, _) =
        open_with(dir.path(), Limits::default(), Disk::with_fault(std::sync::Arc::new(fault))).unwrap();
    vault.append(&page(1)).unwrap();
    let unsynced = vault.unsynced().unwrap().unwrap();
    assert!(matches!(unsynced.run(), Err(Error::Disk(_))));
    assert!(matches!(vault.roll(), Err(Error::InDoubt)));
    let names: Vec<_> = std::fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(names.iter().all(|name| name.to_string_lossy().ends_with(OPEN)), "{names:?}");
}

#[test]
fn a_file_is_told_of_once_something_stands_in_it_and_stays_when_it_must() {
    let dir = tempfile::tempdir().unwrap();
    let (mut vault, _) = open_with(dir.path(), Limits { roll_at: 1 }, Disk::default()).unwrap();
    assert!(vault.begun().is_empty());
    let first = vault.append(&page(1)).unwrap();
    let [(info, kept)] = &vault.begun()[..] else { panic!("one file was begun") };
    assert_eq!((&kept.place.file, kept.place.offset), (&first.place.file, 0));
    assert_eq!(read_at(dir.path(), &kept.place).unwrap().record, *info);
    assert_eq!(read_at(dir.path(), &kept.place).unwrap().name, kept.name);
    vault.stay(true);
    assert_eq!(vault.append(&page(2)).unwrap().place.file, first.place.file);
    assert!(vault.begun().is_empty());
    vault.stay(false);
    assert_ne!(vault.append(&page(3)).unwrap().place.file, first.place.file);
    assert_eq!(vault.begun().len(), 1);
    let stream = vault.stream(page(4), b"").unwrap();
    let written = stream.finish(&[]).unwrap();
    assert_eq!(read_at(dir.path(), &written.begun.1.place).unwrap().name, written.begun.1.name);
    assert_eq!(read_at(dir.path(), &written.begun.1.place).unwrap().record, written.begun.0);
}

#[test]
fn a_file_that_holds_nothing_but_its_beginning_is_taken_away() {
    let dir = tempfile::tempdir().unwrap();
    // create, warcinfo: the third deed is the record.
    let fault = Nth { left: 3.into(), fate: durable::Fate::Failed, killed: false };
    let disk = Disk::with_fault(std::sync::Arc::new(fault));
    let (mut vault, _) = open_with(dir.path(), Limits::default(), disk).unwrap();
    assert!(vault.append(&page(1)).is_err());
    assert!(vault.begun().is_empty());
    vault.close().unwrap();
    assert!(files(dir.path()).unwrap().is_empty());
}
