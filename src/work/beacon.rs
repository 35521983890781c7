//! The beacon: a round that nobody could know before its time opens a run, so that the run's records bear a date on both
//! sides, this one and that of an anchor.
//!
//! A beacon that does not answer, or answers something that does not hold, is said and costs the run nothing else.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use url::Url;

use crate::format::drand::{self, Chain, Hex, Refused, Round};
use crate::record::RunId;
use crate::record::beacon::Beacon;
use crate::work::fault::Fault;
use crate::work::outcome::BeaconOutcome;
use crate::work::parts::Tools;
use crate::world::services::{self, Services, beacon};

/// A round older than that is old news, and said to be.
const STALE: SignedDuration = SignedDuration::from_mins(10);

/// Which chain, and whose server has its rounds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// where drand's HTTP API is, without the chain
    pub server: Url,
    /// the chain's hash
    pub chain: Hex,
}

impl Source {
    /// An address that ends in a chain's hash, as drand's own do; without one, quicknet's rounds are asked for there.
    pub fn at(url: &Url) -> Option<Self> {
        let mut server = url.clone();
        let last = url.path_segments()?.rfind(|segment| !segment.is_empty()).unwrap_or_default();
        match last.parse::<Hex>().ok().filter(|hash| hash.bytes().len() == 32) {
            Some(chain) => {
                let path = url.path().trim_end_matches('/');
                server.set_path(path.strip_suffix(last)?);
                Some(Self { server, chain })
            }
            None => Some(Self { server, chain: drand::quicknet()?.hash }),
        }
    }
}

/// How it is asked.
#[derive(Clone, Debug)]
pub struct Asking {
    /// whom; nobody, and why, where the network may not be asked
    pub source: Source,
    /// how; none where the network may not be asked
    pub services: Option<Services>,
    /// the run waits for no longer than that
    pub within: Duration,
}

/// Why there is no round.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Unreachable(#[from] services::Error),
    #[error("it answered {0}")]
    Status(u16),
    #[error(transparent)]
    Refused(#[from] Refused),
    #[error("no answer within the time there was")]
    Late,
    #[error("the network is not to be asked")]
    Offline,
    #[error("its round {0} is of {1}, and the clock here says {2}: one of the two is wrong")]
    Ahead(u64, Timestamp, Timestamp),
}

/// A new run's id, made from a round where one is to be had; and what came of asking.
///
/// # Errors
/// The operating system's randomness. Whatever is wrong with the beacon is in the outcome.
pub async fn open(
    asking: Option<&Asking>,
    tools: &Tools,
) -> Result<(RunId, Option<Box<Beacon>>, Option<BeaconOutcome>), Fault> {
    let Some(asking) = asking else { return Ok((RunId(tools.uuid()?), None, None)) };
    let asked = tokio::time::timeout(asking.within, asking.round(tools)).await;
    match asked.unwrap_or(Err(Failure::Late)) {
        Ok((chain, round, due)) => {
            let age = tools.clock.now().duration_since(due);
            if age > STALE {
                tracing::warn!(
                    "the beacon's latest round {} is of {due}: the bound it gives is that old",
                    round.number
                );
            }
            let outcome = BeaconOutcome::Named { round: round.number, not_before: due };
            let beacon = Beacon { chain, round, salt: format!("{:032x}", tools.random.bits128()?) };
            Ok((beacon.run(), Some(Box::new(beacon)), Some(outcome)))
        }
        Err(failure) => {
            let failed = failure.to_string();
            tracing::warn!("the run names no round of the beacon {}: {failed}", asking.source.server);
            Ok((RunId(tools.uuid()?), None, Some(BeaconOutcome::Failed { failed })))
        }
    }
}

impl Asking {
    async fn round(&self, tools: &Tools) -> Result<(Chain, Round, Timestamp), Failure> {
        let services = self.services.as_ref().ok_or(Failure::Offline)?;
        let Source { server, chain: hash } = &self.source;
        let chain = match Chain::known(hash) {
            Some(chain) => chain,
            None => {
                let info = beacon::info(services, server, hash).await?.map_err(Failure::Status)?;
                Chain::from_info(&info, hash)?
            }
        };
        let answer = beacon::latest(services, server, hash).await?.map_err(Failure::Status)?;
        let round = Round::from_answer(&answer)?;
        let due = chain.verify(&round)?;
        let now = tools.clock.now();
        if due.duration_since(now) > Beacon::SLACK {
            return Err(Failure::Ahead(round.number, due, now));
        }
        Ok((chain, round, due))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_is_named_by_the_address_or_is_quicknet() {
        let at = |url: &str| Source::at(&url.parse().unwrap()).unwrap();
        let quicknet = drand::quicknet().unwrap().hash;
        assert_eq!(at("https://api.drand.example").chain, quicknet);
        assert_eq!(at("https://api.drand.example/v1/").chain, quicknet);
        let other = "8990e7a9aaed2ffed73dbd7092123d6f289930540d7651336225dc172e51b2ce";
        let named = at(&format!("https://api.drand.example/mirror/{other}/"));
        assert_eq!(named.chain.to_string(), other);
        assert_eq!(named.server.as_str(), "https://api.drand.example/mirror/");
        assert_eq!(at(&format!("https://api.drand.example/{other}")).server.as_str(), "https://api.drand.example/");
    }
}
