//! Timestamp authorities (RFC 3161 §3.4): a request is posted, the whole response kept.

use url::Url;

use super::{Error, Services};
use crate::format::tsp::Query;

/// What an authority answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// bytes that claim to be a response; to be verified
    Response(Vec<u8>),
    /// something else: status and media type
    Other(u16, String),
}

/// Asks for a timestamp.
///
/// # Errors
/// No answer.
pub async fn ask(services: &Services, authority: &Url, query: &Query) -> Result<Answer, Error> {
    let kinds = ("application/timestamp-query", "application/timestamp-reply");
    let reply = services.post(authority, kinds.0, kinds.1, query.to_der()).await?;
    // An error page often comes with status 200; the type tells it from a token before any byte is judged.
    if reply.status == 200 && reply.media_type == kinds.1 {
        Ok(Answer::Response(reply.body))
    } else {
        Ok(Answer::Other(reply.status, reply.media_type))
    }
}
