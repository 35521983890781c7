//! The mark that each ledger record bears in its WARC head: made with the archive's secret, for the one case in which a record
//! is believed because of where it lies.
//!
//! What a process that was cut off had written and not yet logged is logged by the next one. Without a mark whoever can write to
//! `warc/` could leave records there as such a process would, and have them signed.

use std::path::Path;

use crate::format::digest::Digest;
use crate::format::note::Ed25519Signer;
use crate::work::fault::Fault;
use crate::world::vault::place::{self, Place};

/// The field of the WARC head.
pub const FIELD: &str = "Onrecord-Mark";
const PURPOSE: &str = "onrecord ledger record\n";

/// The mark of the record with this leaf.
pub fn of(key: &Ed25519Signer, leaf: &Digest) -> String {
    data_encoding::BASE64URL_NOPAD.encode(key.mac(PURPOSE, &leaf.0).get(..16).unwrap_or_default())
}

/// Refuses a record that is to be logged and was not written by a holder of the key.
///
/// # Errors
/// It bears another mark, or none; it cannot be read.
pub fn check(key: &Ed25519Signer, warc: &Path, place: &Place, leaf: &Digest) -> Result<(), Fault> {
    let found = place::read_at(warc, place)?;
    let is_its_own = Digest::of(&found.record.block) == *leaf;
    if is_its_own && found.record.field(FIELD) == Some(of(key, leaf).as_str()) {
        return Ok(());
    }
    Err(Fault::Damaged(format!(
        "the record at {place} is in no checkpoint and was not written with this archive's key; nothing was signed: move that \
         file out of warc/ and run onrecord reindex"
    )))
}
