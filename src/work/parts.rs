//! What every deed needs of an archive: where its things lie, what is written to, and the tools that no deed owns.

use std::path::PathBuf;

use uuid::Uuid;

use crate::format::checkpoint::Signed;
use crate::format::digest::Digest;
use crate::format::note::Ed25519Signer;
use crate::format::warc::record::Record as WarcRecord;
use crate::work::fault::Fault;
use crate::work::rows::{self, Lying};
use crate::world::clock::Clock;
use crate::world::random::{self, Random};
use crate::world::store::Store;
use crate::world::store::apply::WarcRow;
use crate::world::tiles::Log;
use crate::world::vault::{Kept, Vault};

/// Target URIs of records begin so.
pub const RECORD_URN: &str = "urn:onrecord:record:";
/// Where things lie in an archive's folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paths {
    /// the folder
    pub root: PathBuf,
    /// the ledger's key, inside or outside the folder
    pub key: PathBuf,
}

impl Paths {
    /// The usual layout.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        let root = root.into();
        let key = root.join("keys/ledger.pem");
        Self { root, key }
    }

    /// SQLite.
    pub fn catalogue(&self) -> PathBuf {
        self.root.join("onrecord.db")
    }

    /// The WARC files.
    pub fn warc(&self) -> PathBuf {
        self.root.join("warc")
    }

    /// Tiles, checkpoint, anchors.
    pub fn ledger(&self) -> PathBuf {
        self.root.join("ledger")
    }

    /// The inbox.
    pub fn statements(&self) -> PathBuf {
        self.root.join("statements")
    }

    /// Whether an archive is here.
    pub fn is_archive(&self) -> bool {
        self.ledger().join("checkpoint").is_file() || self.warc().is_dir()
    }
}

/// Clock, randomness and key: what every pass needs and none owns.
#[derive(Debug)]
pub struct Tools {
    /// the clock
    pub clock: Clock,
    /// randomness
    pub random: Random,
    /// the signing key
    pub key: Ed25519Signer,
}

impl Tools {
    /// A new id.
    ///
    /// # Errors
    /// The operating system's randomness.
    pub fn uuid(&self) -> Result<Uuid, random::Error> {
        self.random.uuid(self.clock.now())
    }
}

/// What is written to.
pub struct Parts {
    /// the WARC files
    pub vault: Vault,
    /// the catalogue
    pub store: Store,
    /// the ledger
    pub log: Log,
}

/// Appends leaves from index `first` on, and signs a checkpoint over them.
///
/// # Errors
/// The ledger's: the disk, or a log that is not what it was.
pub(crate) fn append(log: &mut Log, tools: &Tools, first: u64, leaves: &[Digest]) -> Result<(u64, Digest), Fault> {
    if log.size() != first {
        return Err(Fault::Damaged(format!("the ledger has {} leaves where {first} were expected", log.size())));
    }
    log.append_at(first, leaves)?;
    Ok(head(log.commit(&tools.key)?))
}

/// Leaves and root under a checkpoint.
pub(crate) fn head(signed: &Signed) -> (u64, Digest) {
    (signed.checkpoint.size, signed.checkpoint.root)
}

/// The catalogue row of a record just kept.
pub(crate) fn row(record: &WarcRecord, kept: &Kept) -> WarcRow {
    let place = &kept.place;
    let lying = Lying { file: &place.file, offset: place.offset, length: place.length };
    rows::row(record.kind, record.date, kept.name, &lying, record)
}
