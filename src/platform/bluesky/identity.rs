//! Who a handle is (atproto.com/specs/handle): a handle leads to a DID, and counts only where the DID's document leads back.

use crate::format::did::{Did, DidDocument};
use crate::format::http::Answer;
use crate::platform::bluesky::post::text;
use crate::platform::bluesky::view::{Hidden, success};
use crate::platform::reader::{Attestation, State};

/// The DID in an answer of `resolveHandle`.
///
/// # Errors
/// [`Hidden`] where there is none, and why.
pub fn did_of_handle(answer: &Answer) -> Result<Did, Hidden> {
    let json = success(answer, "resolveHandle")?;
    let did = text(&json, "did").and_then(|did| did.parse().ok());
    did.ok_or_else(|| Hidden { state: State::Unknown, why: "resolveHandle answered without a DID".to_owned() })
}

/// The DID in an answer of `/.well-known/atproto-did`: plain text with nothing else in it.
pub fn did_of_well_known(answer: &Answer) -> Option<Did> {
    let body = answer.body.get(..answer.body.len().min(4096))?;
    (answer.status == 200).then(|| std::str::from_utf8(body).ok()?.trim().parse().ok())?
}

/// Whether the document claims the handle back; without that, anyone's host could point at anyone's account.
pub fn claims(document: &DidDocument, handle: &str) -> bool {
    document.handles.iter().any(|claimed| claimed.eq_ignore_ascii_case(handle))
}

/// The same as an attestation.
pub fn attestation(document: &DidDocument, handle: &str) -> Attestation {
    let holds = claims(document, handle);
    let why = match (holds, document.handles.first()) {
        (true, _) => "the handle leads to the account, and its document leads back".to_owned(),
        (false, Some(other)) => format!("the account's document claims {other} instead"),
        (false, None) => "the account's document claims no handle".to_owned(),
    };
    Attestation { what: format!("the handle {handle} is {}", document.id), holds, why }
}
