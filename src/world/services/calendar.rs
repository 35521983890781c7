//! OpenTimestamps calendars: a digest is posted, a promise comes back; later the promise is redeemed.

use url::Url;

use super::{Error, Services, below};

const ACCEPT: &str = "application/vnd.opentimestamps.v1";

/// No calendar's answer is longer; the reference client's bound.
const MAX_ANSWER: usize = 10_000;

/// What a calendar answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// a timestamp, to be read
    Timestamp(Vec<u8>),
    /// not yet, or never heard of; its own words
    NotYet(String),
    /// something else
    Other(u16),
}

/// Submits a commitment.
///
/// # Errors
/// No answer.
pub async fn submit(services: &Services, calendar: &Url, commitment: &[u8; 32]) -> Result<Answer, Error> {
    let kind = "application/x-www-form-urlencoded"; // as the reference client sends; calendars read the body as it is
    let reply = services.post(&below(calendar, "digest"), kind, ACCEPT, commitment.to_vec()).await?;
    Ok(match reply.status {
        200 if reply.body.len() <= MAX_ANSWER => Answer::Timestamp(reply.body),
        status => Answer::Other(status),
    })
}

/// Asks what became of a promise.
///
/// # Errors
/// No answer.
pub async fn redeem(services: &Services, calendar: &Url, message: &[u8]) -> Result<Answer, Error> {
    let path = format!("timestamp/{}", data_encoding::HEXLOWER.encode(message));
    let reply = services.get(&below(calendar, &path), ACCEPT).await?;
    Ok(match reply.status {
        200 if reply.body.len() <= MAX_ANSWER => Answer::Timestamp(reply.body),
        404 => Answer::NotYet(String::from_utf8_lossy(&reply.body).chars().take(200).collect()),
        status => Answer::Other(status),
    })
}
