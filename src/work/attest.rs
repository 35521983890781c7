//! Attesting: the open archive's checkpoint is shown to those named in the settings, and what they gave goes on record.
//!
//! Runs after the commit it is about; nothing here delays or undoes that. Authorities and calendars are asked for the
//! checkpoint as it stands, and `anchor.added` records say what came of it, which makes a new checkpoint. That one is what
//! witnesses are asked to cosign, so that the published checkpoint carries their lines; the record of a cosignature is
//! therefore written by the next pass. So is the record of an anchor that a crash left without one.

use std::collections::HashSet;
use std::time::Duration;

use crate::format::checkpoint::Signed;
use crate::record::Event;
use crate::work::anchor::{Added, Anchors, Attested, Failure, Outcome, Settings};
use crate::work::archive::OpenArchive;
use crate::work::fault::Fault;
use crate::work::seal::Deed;
use crate::world::durable::Disk;
use crate::world::services::Services;
use crate::world::store::Store;
use crate::world::tiles::reader::Tiles;

/// Whom to ask, how, and for how long at most.
#[derive(Clone, Debug)]
pub struct Asking {
    /// whom
    pub settings: Settings,
    /// how
    pub services: Services,
    /// after that long whoever has not answered is asked the next time
    pub within: Duration,
}

/// Shows the checkpoint to everyone and puts on record what they gave.
///
/// # Errors
/// The archive's own; whoever does not answer is in the result.
pub async fn attest(open: &OpenArchive, asking: &Asking) -> Result<Attested, Fault> {
    let Asking { settings, services, within } = asking;
    let ledger = open.paths.ledger();
    let signed = published(open)?;
    let mut attested = Attested { checkpoint: signed.checkpoint.size, ..Attested::default() };
    let known = Store::open_read(&open.paths.catalogue())?.anchors()?;
    let files: HashSet<String> = known.iter().map(|row| row.file.clone()).collect();
    let settled: HashSet<String> =
        known.iter().filter(|row| row.state == "confirmed").map(|row| row.file.clone()).collect();
    let anchors = Anchors::new(&ledger, settings.clone(), services.clone(), Disk::default());
    let deadline = tokio::time::Instant::now() + *within;
    let mut found = anchors.unrecorded(&files).await?;
    if settings.is_empty() && settings.headers.is_none() && found.added.is_empty() {
        return Ok(attested);
    }
    let dated = Settings { witnesses: Vec::new(), ..settings.clone() };
    let stamps = Anchors::new(&ledger, dated, services.clone(), Disk::default());
    let ask = async {
        found.extend(stamps.anchor(&signed).await?);
        found.extend(stamps.upgrade(&settled).await?);
        Ok::<_, Failure>(())
    };
    let late = match tokio::time::timeout_at(deadline, ask).await {
        Ok(asked) => asked.map(|()| false)?,
        Err(_) => true,
    };
    // A proof whose worth is what the catalogue says already is no news.
    found.added.retain(|added| {
        let state = added.state.as_str();
        let upgraded = found.changed.contains(&added.file);
        upgraded || !known.iter().any(|row| row.file == added.file && row.state == state)
    });
    attested.take(found, late);
    record(open, &attested.added).await?;
    // Crash here: the old proof in place, and beside it the one that its last record names.
    anchors.settle(&attested.added)?;
    if !settings.witnesses.is_empty() {
        witness(open, asking, deadline, &mut attested).await?;
    }
    attested.pending = pending(open)?;
    attested.unasked = anchors.unasked()?;
    Ok(attested)
}

async fn witness(
    open: &OpenArchive,
    asking: &Asking,
    deadline: tokio::time::Instant,
    attested: &mut Attested,
) -> Result<(), Fault> {
    let signed = published(open)?;
    let only = Settings { witnesses: asking.settings.witnesses.clone(), ..Settings::default() };
    let anchors = Anchors::new(&open.paths.ledger(), only, asking.services.clone(), Disk::default());
    match tokio::time::timeout_at(deadline, anchors.anchor(&signed)).await {
        Ok(outcome) => {
            let outcome = outcome?;
            if !outcome.cosignatures.is_empty() {
                open.seal.cosign(signed.checkpoint, outcome.cosignatures.clone()).await?;
            }
            attested.take(outcome, false);
        }
        Err(_) => attested.take(Outcome::default(), true),
    }
    Ok(())
}

/// Puts anchors on record.
///
/// # Errors
/// What stopped the sealing.
pub async fn record(open: &OpenArchive, added: &[Added]) -> Result<(), Fault> {
    if added.is_empty() {
        return Ok(());
    }
    open.seal.commit(Deed::of(added.iter().map(event).collect())).await.map(drop)
}

fn event(added: &Added) -> Event {
    Event::AnchorAdded {
        size: added.size,
        anchor: added.kind.as_str().to_owned(),
        authority: added.authority.clone(),
        state: added.state.as_str().to_owned(),
        file: added.file.clone(),
        digest: added.digest,
        time: added.at,
    }
}

/// The checkpoint as it is published.
///
/// # Errors
/// The ledger's.
pub fn published(open: &OpenArchive) -> Result<Signed, Fault> {
    let tiles = Tiles::new(&open.paths.ledger());
    let key = tiles.key()?;
    Ok(tiles.checkpoint(&[key])?)
}

fn pending(open: &OpenArchive) -> Result<u64, Fault> {
    let anchors = Store::open_read(&open.paths.catalogue())?.anchors()?;
    Ok(anchors.iter().filter(|row| row.state == "pending" || row.state == "unchecked").count() as u64)
}
