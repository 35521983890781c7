//! The round of a randomness beacon that opens a run, and what ties the run to it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::format::digest::Hasher;
use crate::format::drand::{Chain, Refused, Round};
use crate::record::RunId;

/// A round of a randomness beacon that nobody could know before its time, and what ties a run to it.
///
/// The run's id is made from the round's signature, and every record of the run bears it: none of them was written before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Beacon {
    /// whose round
    pub chain: Chain,
    /// the round
    pub round: Round,
    /// 128 random bits, 32 hex digits: two runs may name the same round
    pub salt: String,
}

/// Why a beacon bounds nothing.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unbound {
    /// the round is not the chain's
    #[error("{0}")]
    Round(#[from] Refused),
    /// the id is not made from the round
    #[error("the run's id does not follow from round {0}")]
    Run(u64),
    /// the record says that it is older than the round it names
    #[error("the record is of {at}, and round {round}, which it names, was not known before {due}")]
    Early {
        /// when the record says it was made
        at: Timestamp,
        /// the round
        round: u64,
        /// when it was due
        due: Timestamp,
    },
}

impl Beacon {
    /// How far a clock may be behind the beacon's.
    pub const SLACK: jiff::SignedDuration = jiff::SignedDuration::from_secs(60);

    /// The id of a run that this round opens: the first 128 bits of SHA-256 over a label, the signature and the salt, as a
    /// version 8 UUID.
    pub fn run(&self) -> RunId {
        let mut hasher = Hasher::default();
        hasher.update(b"onrecord run\n");
        hasher.update(self.round.signature.bytes());
        hasher.update(self.salt.as_bytes());
        let digest = hasher.finish();
        let head = digest.0.first_chunk().copied().unwrap_or_default();
        RunId(uuid::Builder::from_custom_bytes(head).into_uuid())
    }

    /// Whether it bounds the run that a record of this time opens; the time before which nothing of it was written.
    ///
    /// # Errors
    /// Why it does not.
    pub fn bounds(&self, run: RunId, at: Timestamp) -> Result<Timestamp, Unbound> {
        let due = self.chain.verify(&self.round)?;
        let round = self.round.number;
        match () {
            () if self.run() != run => Err(Unbound::Run(round)),
            () if due.duration_since(at) > Self::SLACK => Err(Unbound::Early { at, round, due }),
            () => Ok(due),
        }
    }
}
