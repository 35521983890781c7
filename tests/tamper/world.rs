//! The archives that are attacked, made once, and the tools of whoever attacks them.

use std::fs;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use onrecord::format::digest::Digest;
use onrecord::format::note::{Ed25519Signer, KeyKind};
use onrecord::world::durable::Disk;
use onrecord::world::keys::SecretKey;
use onrecord::world::tiles::Log;
use onrecord::world::tiles::reader::Tiles;

use crate::timestamps::{Authority, EC, VALID, authority};

/// Three archives and what an honest user kept of them.
///
/// `older` is what `base` was one run ago; `anchored` is `base` with two stamped checkpoints; `beaconed` has one run that a
/// beacon's round opened; in `changed` a page changed, went and came back; `other` is somebody else's.
pub(super) struct World {
    folder: tempfile::TempDir,
    pub(super) python: bool,
    pub(super) authority: Option<Authority>,
}

/// Made by whoever comes first.
pub(super) fn world() -> &'static World {
    static WORLD: OnceLock<World> = OnceLock::new();
    WORLD.get_or_init(World::make)
}

fn onrecord(arguments: &[&str]) {
    let run = Command::new(env!("CARGO_BIN_EXE_onrecord")).args(arguments).output().unwrap();
    assert_eq!(run.status.code(), Some(0), "{arguments:?}: {}", String::from_utf8_lossy(&run.stderr));
}

pub(super) fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

impl World {
    fn make() -> Self {
        let python =
            Command::new("python3").args(["-c", "import cryptography"]).output().is_ok_and(|o| o.status.success());
        if !python {
            #[expect(clippy::print_stdout, reason = "a test that checks less must say so")]
            {
                println!("the second verifier is not run: there is no python3 with cryptography");
            }
        }
        let made = Self { folder: tempfile::tempdir().unwrap(), python, authority: authority(EC, VALID, "") };
        let [base, older, other] = ["base", "older", "other"].map(|name| made.path(name));
        onrecord(&["-q", "--archive", &base.display().to_string(), "demo"]);
        copy(&base, &older);
        fs::copy(base.join("ledger/checkpoint"), made.path("older-checkpoint")).unwrap();
        let second = made.path("second.txt");
        fs::write(&second, "A second look, June 11, 2019. See https://t.co/AEoFZOhI3p and @rayhandemytrie again.\n")
            .unwrap();
        onrecord(&["-q", "--archive", &base.display().to_string(), "demo", &second.display().to_string()]);
        onrecord(&["-q", "--archive", &other.display().to_string(), "init"]);
        fs::copy(base.join("ledger/checkpoint"), made.path("checkpoint")).unwrap();
        fs::copy(base.join("ledger/vkey"), made.path("vkey")).unwrap();
        super::beacons::make(&made.path("beaconed"));
        super::changes::make(&made.path("changed"));
        if let Some(authority) = &made.authority {
            fs::copy(authority.path("ca.pem"), made.path("roots.pem")).unwrap();
            copy(&base, &made.path("anchored"));
            super::anchors::stamp(&made.path("anchored"), authority);
            super::anchors::stamp(&made.path("anchored"), authority);
        }
        made
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A copy of `base` to be damaged; of `anchored` for attacks on anchors, of `beaconed` for those on beacons, of `changed` for those on changes.
    pub(super) fn fixture(&self, name: &str) -> Fixture {
        let from = match name.split('-').next() {
            Some("anchor") => "anchored",
            Some("beacon") => "beaconed",
            Some("change") => "changed",
            _ => "base",
        };
        self.copy_of(from, name)
    }

    /// A copy of one of the archives; they themselves are never opened again.
    pub(super) fn copy_of(&self, from: &str, name: &str) -> Fixture {
        let folder = tempfile::Builder::new().prefix(&format!("{name}-")).tempdir_in(self.folder.path()).unwrap();
        let root = folder.path().join("archive");
        copy(&self.path(from), &root);
        Fixture { root, _folder: folder }
    }
}

/// A record as it lies in its file.
#[derive(Clone, Debug)]
pub(super) struct Member {
    pub(super) offset: usize,
    pub(super) length: usize,
    pub(super) plain: Vec<u8>,
}

pub(super) fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    out.write_all(plain).unwrap();
    out.finish().unwrap()
}

impl Member {
    fn head_len(&self) -> usize {
        self.plain.windows(4).position(|w| w == b"\r\n\r\n").unwrap() + 4
    }

    pub(super) fn head(&self) -> String {
        String::from_utf8(self.plain[..self.head_len()].to_vec()).unwrap()
    }

    pub(super) fn block(&self) -> &[u8] {
        &self.plain[self.head_len()..self.plain.len() - 4]
    }

    pub(super) fn field(&self, name: &str) -> Option<String> {
        let head = self.head();
        let line = head.lines().find(|line| line.starts_with(&format!("{name}: ")))?;
        Some(line[name.len() + 2..].to_owned())
    }

    pub(super) fn kind(&self) -> String {
        self.field("WARC-Type").unwrap_or_default()
    }

    pub(super) fn uri(&self) -> String {
        self.field("WARC-Target-URI").unwrap_or_default()
    }

    pub(super) fn id(&self) -> String {
        let id = self.field("WARC-Record-ID").unwrap();
        id.trim_start_matches("<urn:uuid:").trim_end_matches('>').to_owned()
    }

    /// Another head before the same block.
    pub(super) fn with_head(&self, head: &str) -> Vec<u8> {
        [head.as_bytes(), self.block(), b"\r\n\r\n"].concat()
    }

    /// A field with another value, the rest as it was.
    pub(super) fn with_field(&self, name: &str, value: &str) -> Vec<u8> {
        let old = format!("{name}: {}\r\n", self.field(name).unwrap());
        self.with_head(&self.head().replacen(&old, &format!("{name}: {value}\r\n"), 1))
    }

    /// Without a field.
    pub(super) fn without(&self, name: &str) -> Vec<u8> {
        let old = format!("{name}: {}\r\n", self.field(name).unwrap());
        self.with_head(&self.head().replacen(&old, "", 1))
    }

    /// Another block, every digest and length made right for it.
    pub(super) fn with_block(&self, block: &[u8]) -> Vec<u8> {
        let mut next = self.clone();
        let body = block.windows(4).position(|w| w == b"\r\n\r\n").map_or(0, |at| at + 4);
        let set = |next: &mut Self, name: &str, value: String| {
            if next.field(name).is_some() {
                next.plain = next.with_field(name, &value);
            }
        };
        set(&mut next, "WARC-Block-Digest", Digest::of(block).to_string());
        let http = self.field("Content-Type").is_some_and(|t| t.starts_with("application/http"));
        set(&mut next, "WARC-Payload-Digest", Digest::of(if http { &block[body..] } else { block }).to_string());
        set(&mut next, "Content-Length", block.len().to_string());
        [next.head().as_bytes(), block, b"\r\n\r\n"].concat()
    }

    fn body_at(&self) -> usize {
        let block = self.block();
        block.windows(4).position(|w| w == b"\r\n\r\n").map_or(0, |at| at + 4)
    }

    /// The block with one byte of its content turned.
    pub(super) fn turned(&self) -> Vec<u8> {
        let mut block = self.block().to_vec();
        let at = if self.body_at() < block.len() { self.body_at() } else { block.len() - 5 };
        block[at] ^= 1;
        block
    }
}

/// One byte of the content turned, and nothing done to hide it.
pub(super) fn flip_body(member: &Member) -> Vec<u8> {
    [member.head().as_bytes(), &member.turned(), b"\r\n\r\n"].concat()
}

/// The same record with another nonce: canonical, and never made by the archive.
pub(super) fn other_nonce(json: &str) -> String {
    let at = json.find("\"nonce\":\"").unwrap() + 9;
    let new = if json[at..].starts_with('0') { "1" } else { "0" };
    format!("{}{new}{}", &json[..at], &json[at + 1..])
}

/// A copy of an archive, to be damaged.
pub(super) struct Fixture {
    pub(super) root: PathBuf,
    _folder: tempfile::TempDir,
}

/// A member and the file it lies in.
pub(super) type At = (String, Member);

impl Fixture {
    pub(super) fn warc_names(&self) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(self.root.join("warc"))
            .unwrap()
            .map(|e| e.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    pub(super) fn path(&self, file: &str) -> PathBuf {
        self.root.join("warc").join(file)
    }

    pub(super) fn members(&self, file: &str) -> Vec<Member> {
        let bytes = fs::read(self.path(file)).unwrap();
        let (mut at, mut out) = (0, Vec::new());
        while at < bytes.len() {
            let mut inflate = flate2::bufread::GzDecoder::new(&bytes[at..]);
            let mut plain = Vec::new();
            inflate.read_to_end(&mut plain).unwrap();
            let next = bytes.len() - inflate.into_inner().len();
            out.push(Member { offset: at, length: next - at, plain });
            at = next;
        }
        out
    }

    /// Every member of every file.
    pub(super) fn warc(&self) -> Vec<At> {
        let all = self.warc_names().into_iter();
        all.flat_map(|name| self.members(&name).into_iter().map(move |m| (name.clone(), m))).collect()
    }

    pub(super) fn find(&self, all: &[At], is: impl Fn(&Member) -> bool) -> At {
        all.iter().find(|(_, m)| is(m)).expect("the archive holds such a record").clone()
    }

    pub(super) fn find_last(&self, all: &[At], is: impl Fn(&Member) -> bool) -> At {
        all.iter().rfind(|(_, m)| is(m)).expect("the archive holds such a record").clone()
    }

    /// Puts these bytes in place of a member, and covers the traces in the catalogue. Says where.
    pub(super) fn put(&self, (file, member): &At, bytes: &[u8]) -> String {
        let path = self.path(file);
        let mut all = fs::read(&path).unwrap();
        all.splice(member.offset..member.offset + member.length, bytes.iter().copied());
        fs::write(&path, all).unwrap();
        self.cover();
        format!("warc/{file}@{}", member.offset)
    }

    /// Rewrites one record.
    pub(super) fn change(&self, at: &At, how: impl Fn(&Member) -> Vec<u8>) -> String {
        self.put(at, &gzip(&how(&at.1)))
    }

    /// Makes offsets and lengths in the catalogue those of the files, for every record that can still be read.
    pub(super) fn cover(&self) {
        let db = rusqlite::Connection::open(self.root.join("onrecord.db")).unwrap();
        db.execute_batch("CREATE TEMP TABLE moved (old INTEGER PRIMARY KEY, new INTEGER, length INTEGER)").unwrap();
        let mut seen = std::collections::HashSet::new();
        for file in self.warc_names() {
            let bytes = fs::read(self.path(&file)).unwrap();
            let mut at = 0;
            while at < bytes.len() {
                let mut inflate = flate2::bufread::GzDecoder::new(&bytes[at..]);
                let mut plain = Vec::new();
                if inflate.read_to_end(&mut plain).is_err() || !plain.starts_with(b"WARC/") {
                    break;
                }
                let next = bytes.len() - inflate.into_inner().len();
                let member = Member { offset: at, length: next - at, plain };
                let id = uuid::Uuid::parse_str(&member.id()).unwrap();
                at = next;
                if !seen.insert(id) {
                    continue;
                }
                db.execute(
                    "INSERT INTO moved SELECT w.place, f.id << 38 | ?1, ?2 FROM warc_record w JOIN warc_file f ON f.id = w.place >> 38
                     WHERE w.id = ?3 AND f.name = ?4",
                    rusqlite::params![member.offset as i64, member.length as i64, id.as_bytes(), file],
                )
                .unwrap();
            }
        }
        // By way of numbers below zero, so that no row meets one that is still to move; one that is in no file any more makes way.
        db.execute_batch(
            "UPDATE warc_record SET place = place + 1 WHERE place IN (SELECT new FROM moved) AND place NOT IN (SELECT old FROM moved);
             UPDATE exchange SET place = place + 1 WHERE place IN (SELECT new FROM moved) AND place NOT IN (SELECT old FROM moved);
             UPDATE warc_record SET (place, length) = (SELECT -1 - new, length FROM moved WHERE old = place) WHERE place IN (SELECT old FROM moved);
             UPDATE exchange SET place = (SELECT -1 - new FROM moved WHERE old = place) WHERE place IN (SELECT old FROM moved);
             UPDATE warc_record SET place = -1 - place WHERE place < 0; UPDATE exchange SET place = -1 - place WHERE place < 0;
             UPDATE record SET warc = (SELECT new FROM moved WHERE old = warc) WHERE warc IN (SELECT old FROM moved);
             UPDATE snapshot SET manifest = (SELECT new FROM moved WHERE old = manifest) WHERE manifest IN (SELECT old FROM moved);
             UPDATE hop SET exchange = (SELECT new FROM moved WHERE old = exchange) WHERE exchange IN (SELECT old FROM moved);
             UPDATE snapshot_part SET exchange = (SELECT new FROM moved WHERE old = exchange) WHERE exchange IN (SELECT old FROM moved)",
        )
        .unwrap();
    }

    /// Adds a row for a record that was put in, as the one who put it there would.
    pub(super) fn catalogued(&self, id: &str, bytes: &[u8], file: &str, kind: u8) {
        let mut plain = Vec::new();
        flate2::read::GzDecoder::new(bytes).read_to_end(&mut plain).unwrap();
        self.sql(&format!(
            "INSERT INTO warc_record (id, place, length, type, digest) SELECT x'{}', id << 38 | 1, 0, {kind}, x'{}' FROM warc_file WHERE name = '{file}'",
            id.replace('-', ""),
            Digest::of(&plain[..plain.len() - 4]).hex()
        ));
        self.cover();
    }

    /// Appends a record to a file, and its row to the catalogue. Says where.
    pub(super) fn append(&self, file: &str, id: &str, kind: u8, bytes: &[u8]) -> String {
        let end = fs::metadata(self.path(file)).unwrap().len();
        self.edit(&self.path(file), |all| all.extend_from_slice(bytes));
        self.catalogued(id, bytes, file, kind);
        format!("warc/{file}@{end}")
    }

    /// Takes a record out of its file and its row out of the catalogue.
    pub(super) fn drop(&self, at: &At) {
        let id = uuid::Uuid::parse_str(&at.1.id()).unwrap();
        self.sql(&format!(
            "DELETE FROM exchange WHERE place = (SELECT place FROM warc_record WHERE id = x'{0}'); DELETE FROM warc_record WHERE id = x'{0}'",
            id.simple()
        ));
        self.put(at, &[]);
    }

    /// Makes the catalogue anew from what was changed.
    pub(super) fn reindex(&self) {
        onrecord(&["-q", "--archive", &self.root.display().to_string(), "reindex"]);
    }

    pub(super) fn sql(&self, sql: &str) {
        let db = rusqlite::Connection::open(self.root.join("onrecord.db")).unwrap();
        db.execute_batch(sql).unwrap();
    }

    pub(super) fn one(&self, sql: &str) -> String {
        let db = rusqlite::Connection::open(self.root.join("onrecord.db")).unwrap();
        db.query_row(sql, [], |row| row.get(0)).unwrap()
    }

    pub(super) fn ledger(&self, name: &str) -> PathBuf {
        self.root.join("ledger").join(name)
    }

    pub(super) fn edit(&self, path: &Path, how: impl FnOnce(&mut Vec<u8>)) {
        let mut bytes = fs::read(path).unwrap();
        how(&mut bytes);
        fs::write(path, bytes).unwrap();
    }

    pub(super) fn size(&self) -> u64 {
        let tiles = Tiles::new(&self.root.join("ledger"));
        tiles.checkpoint(&[tiles.key().unwrap()]).unwrap().checkpoint.size
    }

    /// Ledger records in order: the member each lies in.
    pub(super) fn records(&self) -> Vec<At> {
        self.warc().into_iter().filter(|(_, m)| m.uri().starts_with("urn:onrecord:record:")).collect()
    }

    /// The key of the archive, as its thief has it.
    pub(super) fn key(&self) -> Ed25519Signer {
        let name = Tiles::new(&self.root.join("ledger")).key().unwrap().name;
        SecretKey::load(&self.root.join("keys/ledger.pem")).unwrap().signer(name, KeyKind::Ed25519).unwrap()
    }

    /// Writes the ledger anew over the records as they are now, signed by `signer`.
    pub(super) fn relog(&self, signer: &Ed25519Signer) {
        let leaves: Vec<Digest> = self.records().iter().map(|(_, m)| Digest::of(m.block())).collect();
        let folder = self.root.join("ledger");
        fs::remove_dir_all(&folder).unwrap();
        let mut log = Log::create(&folder, signer, &Disk::default()).unwrap();
        log.append(&leaves);
        log.commit(signer).unwrap();
    }

    /// The thief of the key rewrites one record of the ledger, and with it the WARC record, the ledger and the catalogue.
    pub(super) fn rewrite(&self, kind: &str, how: impl Fn(&str) -> String) -> String {
        let named = format!("\"kind\":\"{kind}\"");
        let at =
            self.records().into_iter().rfind(|(_, m)| String::from_utf8_lossy(m.block()).contains(&named)).unwrap();
        let old = Digest::of(at.1.block());
        let block = how(std::str::from_utf8(at.1.block()).unwrap()).into_bytes();
        assert_ne!(block, at.1.block(), "nothing was changed");
        let new = Digest::of(&block);
        let mut member = at.1.clone();
        member.plain = member.with_block(&block);
        member.plain = member.with_field("WARC-Target-URI", &format!("urn:onrecord:record:{}", new.hex()));
        let place = self.put(&at, &gzip(&member.plain));
        let whole = Digest::of(&member.plain[..member.plain.len() - 4]);
        let id = uuid::Uuid::parse_str(&at.1.id()).unwrap();
        self.sql(&format!(
            "UPDATE record SET leaf = x'{}' WHERE leaf = x'{}'; UPDATE warc_record SET digest = x'{}' WHERE id = x'{}'",
            new.hex(),
            old.hex(),
            whole.hex(),
            id.simple()
        ));
        self.relog(&self.key());
        place
    }
}
