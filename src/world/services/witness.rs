//! Witnesses (C2SP tlog-witness): each is told of a checkpoint with the proof that it extends the last one it saw.

use url::Url;

use super::{Error, Services, below};
use crate::format::note::VerifierKey;
use crate::proof::{Submission, Witnessed, witnessed};

/// Submits a checkpoint whose text is `text`.
///
/// # Errors
/// No answer.
pub async fn submit(
    services: &Services,
    witness: &Url,
    key: &VerifierKey,
    submission: &Submission,
    text: &str,
) -> Result<Witnessed, Error> {
    let url = below(witness, "add-checkpoint");
    let reply = services.post(&url, "text/plain; charset=utf-8", "*/*", submission.to_body()).await?;
    Ok(witnessed(reply.status, &reply.media_type, &reply.body, text, key))
}
