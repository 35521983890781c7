//! Signatures of e-mails: their keys asked of name servers, the answers kept, what holds on record.

use crate::format::dkim::{Judged, Signature, State};
use crate::format::warc::record::Record as WarcRecord;
use crate::record::Signed;
use crate::resolution::exchange::RecordName;
use crate::statement::Seal as Said;
use crate::work::fault::Fault;
use crate::work::parts::Tools;
use crate::work::seal::Seal;
use crate::world::wire::Wire;
use crate::world::wire::names::NoAddress;
use crate::world::wire::taken::TextAnswer;

/// Judges signatures; the answers of name servers are kept, durable with the next pass.
///
/// # Errors
/// The vault's, or the operating system's randomness.
pub async fn judged(
    (seal, tools, wire): (&Seal, &Tools, &Wire),
    signatures: &[Signature],
) -> Result<Vec<Signed>, Fault> {
    let mut out = Vec::with_capacity(signatures.len());
    for signature in signatures {
        let expired = signature.is_expired(tools.clock.now().as_second());
        let (said, key) = if signature.without_key().is_some() || wire.is_offline() {
            (Said::unasked(signature), None)
        } else {
            asked((seal, tools, wire), signature).await?
        };
        out.push(Signed { seal: said, expired, key });
    }
    Ok(out)
}

async fn asked(
    (seal, tools, wire): (&Seal, &Tools, &Wire),
    signature: &Signature,
) -> Result<(Said, Option<RecordName>), Fault> {
    let unheard = |state, why: String| Judged { state, why, testing: false };
    Ok(match wire.texts(&signature.key_name()).await {
        Ok(answer) => {
            let key = seal.keep(&[record(tools, &answer)?])?.pop();
            (Said::of(signature, signature.under(&answer.texts)), key)
        }
        Err(NoAddress::NoSuchHost(why)) => (Said::of(signature, unheard(State::KeyAbsent, why)), None),
        Err(NoAddress::Unanswered(why)) => (Said::of(signature, unheard(State::Unanswered, why)), None),
    })
}

fn record(tools: &Tools, answer: &TextAnswer) -> Result<WarcRecord, Fault> {
    let text = answer.text.clone().into_bytes();
    Ok(WarcRecord::resource(tools.uuid()?, answer.at, &answer.uri(), "text/dns", text))
}
