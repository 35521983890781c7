//! A randomness beacon (drand's HTTP API, version 1): what a chain is, and its latest round.

use url::Url;

use super::{Error, Services, below};
use crate::format::drand::Hex;

/// Bytes that claim to be what was asked for, or the status that came instead.
pub type Answer = Result<Vec<u8>, u16>;

/// What the server says of a chain.
///
/// # Errors
/// No answer.
pub async fn info(services: &Services, server: &Url, chain: &Hex) -> Result<Answer, Error> {
    get(services, server, &format!("{chain}/info")).await
}

/// The latest round it has.
///
/// # Errors
/// No answer.
pub async fn latest(services: &Services, server: &Url, chain: &Hex) -> Result<Answer, Error> {
    get(services, server, &format!("{chain}/public/latest")).await
}

async fn get(services: &Services, server: &Url, path: &str) -> Result<Answer, Error> {
    let reply = services.get(&below(server, path), "application/json").await?;
    Ok(if reply.status == 200 { Ok(reply.body) } else { Err(reply.status) })
}
