//! The archive, open: its folder, its parts, and how they are brought level after a crash.

use std::path::Path;
use std::sync::Arc;

use uuid::Uuid;

use crate::format::digest::Digest;
use crate::format::note::{Ed25519Signer, KeyKind};
use crate::record::Event;
use crate::work::capture::Capture;
use crate::work::fault::Fault;
use crate::work::mark;
use crate::work::parts::{self, Parts, Paths, Tools};
use crate::work::reindex;
use crate::work::seal::{Deed, Seal, Sealer};
use crate::work::words;
use crate::world::clock::Clock;
use crate::world::durable::Disk;
use crate::world::input;
use crate::world::keys::{self, SecretKey};
use crate::world::lock::{self, Lock};
use crate::world::random::Random;
use crate::world::store::{self, Store};
use crate::world::tiles::Log;
use crate::world::vault::place::{self, Place};
use crate::world::vault::recover::{Leftover, Recovered};
use crate::world::vault::{self, Vault};
use crate::world::wire::Wire;

/// Name and version, as they stand in warcinfo records and the archive's first record.
pub const SOFTWARE: &str = concat!("onrecord/", env!("CARGO_PKG_VERSION"));
/// What lies in an archive, for whoever opens the folder.
const README: &str = include_str!("../../archive/README.md");

/// How an archive is opened.
#[derive(Clone, Default)]
pub struct Choices {
    /// the ledger's origin, where a new archive is made; made from the key where none is given
    pub origin: Option<String>,
    /// bounds of the WARC files
    pub limits: vault::Limits,
    /// the clock
    pub clock: Clock,
    /// the clock is a test's; the archive says so
    pub frozen: bool,
    /// randomness, from a seed where a test wants the same world twice; the archive says so
    pub seed: Option<u64>,
    /// the disk, with faults where a test wants them
    pub disk: Disk,
}

impl Choices {
    /// Name and version, as the archive's first record and its WARC files have them. Ids and nonces that a seed decided
    /// hide nothing, and a clock that stands proves nothing: whoever is handed such an archive reads it here.
    fn software(&self) -> String {
        match (self.frozen, self.seed.is_some()) {
            (false, false) => SOFTWARE.to_owned(),
            (true, false) => format!("{SOFTWARE} (a test: its clock stands still)"),
            (false, true) => format!("{SOFTWARE} (a test: its randomness has a seed)"),
            (true, true) => format!("{SOFTWARE} (a test: its clock stands still, its randomness has a seed)"),
        }
    }

    /// The seed, moved on by what the archive holds already: the same ids never come twice in one archive.
    fn random(&self, log: &Log, paths: &Paths) -> Result<Random, Fault> {
        let Some(seed) = self.seed else { return Ok(Random::system()) };
        let held = place::bytes(&paths.warc())?;
        let state = Digest::of(format!("{seed} {} {held}", log.size()).as_bytes());
        Ok(Random::seeded(state.0.first_chunk().map_or(seed, |head| u64::from_be_bytes(*head))))
    }
}

impl std::fmt::Debug for Choices {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Choices({:?}, {:?})", self.origin, self.limits)
    }
}

/// Captured pages whose words go into the index when a run ends; more are left to the next question or `reindex`, so that
/// no run ends late for it.
const PAGES: usize = 64;

/// An archive that this process holds and writes to.
pub struct OpenArchive {
    /// where
    pub paths: Paths,
    /// clock, randomness, key
    pub tools: Arc<Tools>,
    /// makes deeds durable
    pub seal: Seal,
    /// the ledger's origin
    pub origin: String,
    /// the verifier key
    pub vkey: String,
    /// what opening found and did, for people
    pub notes: Vec<String>,
    sealer: Sealer,
    _lock: Lock,
}

impl std::fmt::Debug for OpenArchive {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "OpenArchive({})", self.paths.root.display())
    }
}

impl OpenArchive {
    /// Opens the archive, and makes it first where there is none.
    ///
    /// # Errors
    /// A folder of something else, an archive in use, a newer catalogue, a disk that does not take it.
    pub fn or_init(paths: Paths, choices: Choices) -> Result<Self, Fault> {
        if !paths.is_archive() {
            lay(&paths, &choices.disk)?;
        }
        Self::open(paths, choices)
    }

    /// Opens the archive and brings it level.
    ///
    /// # Errors
    /// As [`OpenArchive::or_init`], and where there is none.
    pub fn open(paths: Paths, choices: Choices) -> Result<Self, Fault> {
        if !paths.is_archive() {
            return Err(Fault::NoArchive(paths.root));
        }
        let lock = Lock::take(&paths.root)?;
        let (log, key) = ledger(&paths, choices.origin.as_deref(), &choices.disk)?;
        let random = choices.random(&log, &paths)?;
        let software = choices.software();
        let tools = Arc::new(Tools { clock: choices.clock, random, key });
        let making = making(&tools, &software);
        let (vault, recovered) = Vault::open(&paths.warc(), choices.limits, making, choices.disk.clone())?;
        let mut notes = recovered.files.iter().filter_map(leftover).collect::<Vec<_>>();
        let store = match Store::open(&paths.catalogue()) {
            // It is an index: an earlier version's is made anew from what it indexes.
            Err(store::Error::Older { found, .. }) => {
                notes.push(format!("the catalogue was of version {found}"));
                Store::remove(&paths.catalogue())?;
                Store::open(&paths.catalogue())?
            }
            other => other?,
        }
        .on(choices.disk.clone());
        let (origin, vkey) = (log.key().name.to_string(), log.key().to_string());
        let mut parts = Parts { vault, store, log };
        let (level, rolled_back) = catch_up(&paths, &tools, &mut parts, &recovered)?;
        notes.extend(level);
        let is_new = parts.log.size() == 0;
        let (seal, sealer) = Seal::start(parts, tools.clone())?;
        let open = Self { paths, tools, seal, origin, vkey, notes, sealer, _lock: lock };
        let said = if is_new { open.first_record(software) } else { open.put_on_record(rolled_back) };
        if let Err(fault) = said {
            // Nothing of it is held any longer when this returns; what stopped the sealing is what is told.
            let _ = open.close();
            return Err(fault);
        }
        Ok(open)
    }

    /// Makes the catalogue anew: the old one is set aside until the new one stands.
    ///
    /// # Errors
    /// As [`OpenArchive::open`].
    pub fn anew(paths: Paths, choices: Choices) -> Result<reindex::TakenUp, Fault> {
        if !paths.is_archive() {
            return Err(Fault::NoArchive(paths.root));
        }
        let lock = Lock::take(&paths.root)?;
        let (log, key) = ledger(&paths, choices.origin.as_deref(), &choices.disk)?;
        let tools = Arc::new(Tools { clock: choices.clock.clone(), random: Random::system(), key });
        let (new, now) = (paths.root.join("onrecord.db.new"), paths.catalogue());
        ours(&now)?;
        // An open WARC file is recovered first, so that the same bytes are looked at as by the next run.
        let making = making(&tools, &choices.software());
        let (vault, recovered) = Vault::open(&paths.warc(), choices.limits, making, choices.disk.clone())?;
        drop(vault);
        Store::remove(&new)?;
        let mut store = Store::anew(&new)?.on(choices.disk.clone());
        let taken = reindex::take_up(&paths.warc(), &mut store, &log, &tools.key, &recovered.files)?;
        words::index(&paths.warc(), &mut store, usize::MAX)?;
        store.whole()?;
        Store::remove(&now)?;
        choices.disk.rename(&new, &now).map_err(vault::Error::from)?;
        drop((log, lock));
        Self::open(paths, choices)?.close()?;
        Ok(taken)
    }

    fn first_record(&self, software: String) -> Result<(), Fault> {
        let (origin, vkey) = (self.origin.clone(), self.vkey.clone());
        let event = Event::ArchiveCreated { origin, vkey, software };
        self.seal.commit_now(Deed::of(vec![event])).map(|_| ())
    }

    /// What was found on opening that a clean close does not leave: whoever reads the ledger later is to know of it too.
    fn put_on_record(&self, found: Option<RolledBack>) -> Result<(), Fault> {
        let Some(found) = found else { return Ok(()) };
        tracing::warn!("{found}");
        let event = Event::FixityChecked { checked: found.records, problems: vec![found.to_string()] };
        self.seal.commit_now(Deed::of(vec![event])).map(|_| ())
    }

    /// Makes exchanges over `wire` and keeps them here.
    ///
    /// # Errors
    /// The catalogue's.
    pub fn capture(&self, wire: Wire) -> Result<Capture, Fault> {
        let reader = Store::open_read(&self.paths.catalogue())?;
        Ok(Capture::new(wire, self.seal.clone(), self.tools.clone(), &self.paths, reader))
    }

    /// Finishes what is in flight, seals the open WARC file and folds the catalogue into one file.
    ///
    /// # Errors
    /// What stopped the sealing.
    pub fn close(self) -> Result<(), Fault> {
        self.close_after(|_| Ok(()))
    }

    /// The same, with a last deed on the ledger once nothing is in flight.
    ///
    /// # Errors
    /// What stopped the sealing, and what `last` says.
    pub(crate) fn close_after(self, last: impl FnOnce(&mut Log) -> Result<(), Fault>) -> Result<(), Fault> {
        let Self { paths, seal, sealer, .. } = self;
        drop(seal);
        let Parts { vault, mut store, mut log } = sealer.finish()?;
        last(&mut log)?;
        drop(log);
        vault.close()?;
        words::index(&paths.warc(), &mut store, PAGES)?;
        reindex::seal_known(&paths.warc(), &mut store)?;
        store.checkpoint()?;
        Ok(())
    }
}

/// Makes the folders of a new archive. A folder that holds something else is left alone.
fn lay(paths: &Paths, disk: &Disk) -> Result<(), Fault> {
    let root = &paths.root;
    if root.exists() && !root.is_dir() {
        return Err(Fault::Foreign { dir: root.clone(), why: "it is a file".to_owned() });
    }
    let strange = input::strangers(root, &["README.md", "statements", "onrecord.toml", "keys", lock::FILE])
        .map_err(Fault::file("archive folder", root))?;
    if let Some(name) = strange {
        return Err(Fault::Foreign { dir: root.clone(), why: format!("it holds {name} and no warc/ or ledger/") });
    }
    for folder in [root.clone(), paths.statements(), paths.warc(), paths.ledger()] {
        disk.create_folder(&folder).map_err(vault::Error::from)?;
    }
    if !root.join("README.md").exists() {
        disk.replace(&root.join("README.md"), README.as_bytes()).map_err(vault::Error::from)?;
    }
    Ok(())
}

/// A catalogue that another program or a later version made is not this version's to throw away; a broken one is.
fn ours(catalogue: &Path) -> Result<(), Fault> {
    match Store::open_read(catalogue) {
        Err(error @ (store::Error::Newer { .. } | store::Error::Foreign(_))) => Err(error.into()),
        _ => Ok(()),
    }
}

fn making(tools: &Arc<Tools>, software: &str) -> vault::Making {
    let (clock, ids) = (tools.clone(), tools.clone());
    let line = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    vault::Making {
        now: Box::new(move || clock.clock.now()),
        // Without randomness nothing else works either; the record that comes next says so.
        id: Box::new(move || ids.uuid().unwrap_or_else(|_| Uuid::nil())),
        about: vec![
            line("software", software),
            line("format", "WARC File Format 1.1"),
            line("conformsTo", "https://iipc.github.io/warc-specifications/specifications/warc-format/warc-1.1/"),
            line("robots", "ignore"),
        ],
    }
}

fn leftover(leftover: &Leftover) -> Option<String> {
    let cut = leftover.cut.as_ref()?;
    Some(format!(
        "the last process was cut off: {} bytes at warc/{}@{} made no whole record and were cut",
        cut.bytes, leftover.file, cut.offset
    ))
}

/// Brings catalogue and ledger level with the WARC files, by the functions of the normal path: records that were fsynced
/// and not yet catalogued are catalogued, records that were catalogued and not yet logged are logged.
fn catch_up(
    paths: &Paths,
    tools: &Tools,
    parts: &mut Parts,
    recovered: &Recovered,
) -> Result<(Vec<String>, Option<RolledBack>), Fault> {
    let mut notes = Vec::new();
    let (ledger, catalogue) = (parts.log.size(), parts.store.leaves()?);
    let found = reindex::take_up(&paths.warc(), &mut parts.store, &parts.log, &tools.key, &recovered.files)?;
    if found.records > 0 || found.rows > 0 {
        let anew = catalogue == 0 && ledger > 0;
        let why = if anew { "the catalogue was missing and was made anew" } else { "the last process was cut off" };
        notes.push(format!("{why}: {} WARC records and {} ledger records were taken up", found.rows, found.records));
    }
    let leaves = parts.store.leaves()?;
    if leaves < parts.log.size() {
        return Err(Fault::Damaged(format!(
            "the ledger has {} leaves and only {leaves} of their records are in warc/",
            parts.log.size()
        )));
    }
    let from = parts.log.size();
    let mut missing = Vec::new();
    parts.store.records(from, |row| {
        missing.push((row.leaf, row.warc));
        Ok::<_, Fault>(())
    })?;
    let mut rolled_back = RolledBack { size: from, records: 0 };
    for (leaf, warc) in &missing {
        let at = parts.store.locate(*warc)?.ok_or_else(|| {
            Fault::Damaged(format!(
                "the record of leaf {leaf} is not in warc/; onrecord verify says what else is missing"
            ))
        })?;
        let place = Place { file: at.file, offset: at.offset, length: at.length };
        mark::check(&tools.key, &paths.warc(), &place, leaf)?;
        let left_open = recovered.files.iter().any(|leftover| leftover.file == place.file);
        rolled_back.records += u64::from(!left_open);
    }
    let missing: Vec<_> = missing.into_iter().map(|(leaf, _)| leaf).collect();
    if !missing.is_empty() {
        parts::append(&mut parts.log, tools, from, &missing)?;
    }
    Ok((notes, Some(rolled_back).filter(|found| found.records > 0)))
}

/// Records in sealed WARC files that the checkpoint does not cover. A file is sealed when an archive is closed, once a checkpoint covers
/// all of it; a process that is cut off leaves its file open, but for the moment in which it goes on to the next one.
struct RolledBack {
    /// leaves under the checkpoint
    size: u64,
    /// records behind them, in sealed files
    records: u64,
}

impl std::fmt::Display for RolledBack {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "checkpoint-rolled-back: the checkpoint had {} leaves, and {} later records stood in sealed WARC files; an older ledger was put \
             back, or a process was cut off just as it sealed a file. They are logged again",
            self.size, self.records
        )
    }
}

/// The ledger and the key that signs it; both are made where there is no checkpoint yet.
fn ledger(paths: &Paths, origin: Option<&str>, disk: &Disk) -> Result<(Log, Ed25519Signer), Fault> {
    let folder = paths.ledger();
    if folder.join("checkpoint").is_file() {
        let log = Log::open(&folder, disk)?;
        keys::settle(&paths.key, log.key(), disk)?;
        let signer = SecretKey::load(&paths.key)?.signer(log.key().name.clone(), KeyKind::Ed25519)?;
        return Ok((log, signer));
    }
    // A crash may have left the key and no checkpoint; the key is used then.
    let key = if paths.key.exists() { SecretKey::load(&paths.key)? } else { SecretKey::create(&paths.key, disk)? };
    let made = || format!("onrecord.invalid/{}", Digest::of(&key.public()).hex().get(..16).unwrap_or_default());
    let origin = origin.map_or_else(made, str::to_owned);
    let name = origin.parse().map_err(|_| Fault::Input {
        what: format!("the ledger's origin {origin:?} is no key name"),
        hint: "set [ledger] origin to something like archive.example.org/log, without spaces or +".to_owned(),
    })?;
    let signer = key.signer(name, KeyKind::Ed25519)?;
    let log = Log::create(&folder, &signer, disk)?;
    Ok((log, signer))
}
