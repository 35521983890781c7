//! What is known of an account, and what is still to be asked: its DID by its handle, then the document behind that.

use url::Url;

use super::identity::{attestation, did_of_handle, did_of_well_known};
use super::view::Hidden;
use crate::format::aturi::Authority;
use crate::format::did::{Did, DidDocument};
use crate::format::http::Answer;
use crate::platform::errand::refusal;
use crate::platform::post::Author;
use crate::platform::reader::{Attestation, State};

/// What a request was sent for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    Handle,
    WellKnown,
    Thread,
    Document,
    History,
    Proof,
    Profile,
    Records,
    Feed,
}

/// What is known of an account.
#[derive(Debug)]
pub(super) struct Account {
    pub(super) asked: Authority,
    pub(super) did: Option<Did>,
    pub(super) document: Option<DidDocument>,
    /// why there is no DID or no document
    pub(super) trouble: Option<Hidden>,
}

impl Account {
    pub(super) fn of(authority: Authority) -> Self {
        let did = match &authority {
            Authority::Did(did) => Some(did.clone()),
            Authority::Handle(_) => None,
        };
        Self { asked: authority, did, document: None, trouble: None }
    }

    /// The handle to show: the one its document claims first, else the one asked for.
    pub(super) fn handle(&self) -> Option<&str> {
        let claimed = self.document.as_ref().and_then(|document| document.handles.first());
        match (&self.asked, claimed) {
            (_, Some(claimed)) => Some(claimed),
            (Authority::Handle(handle), None) => Some(handle),
            (Authority::Did(_), None) => None,
        }
    }

    pub(super) fn pds(&self) -> Option<&Url> {
        self.document.as_ref()?.pds.as_ref()
    }

    pub(super) fn author(&self) -> Option<Author> {
        let did = self.did.as_ref()?;
        let handle = self.handle().unwrap_or(did.as_str()).to_owned();
        Some(Author { handle, name: None, id: Some(did.to_string()) })
    }

    /// Learns from an answer about the account; whether it was one.
    pub(super) fn learn(&mut self, purpose: Purpose, answer: Result<&Answer, &str>) -> bool {
        match (purpose, answer) {
            (Purpose::Handle, Ok(answer)) => self.found(did_of_handle(answer)),
            (Purpose::WellKnown, Ok(answer)) => {
                if let Some(did) = did_of_well_known(answer) {
                    self.found(Ok(did));
                }
            }
            (Purpose::Document, Ok(answer)) => self.read_document(answer),
            (Purpose::Handle | Purpose::Document, Err(why)) => {
                self.trouble = Some(Hidden::new(State::Unknown, format!("the account could not be looked up: {why}")));
            }
            (Purpose::WellKnown, Err(_)) => {}
            _ => return false,
        }
        true
    }

    fn found(&mut self, did: Result<Did, Hidden>) {
        match did {
            Ok(did) => (self.did, self.trouble) = (Some(did), None),
            Err(why) => self.trouble = Some(why),
        }
    }

    fn read_document(&mut self, answer: &Answer) {
        let read = DidDocument::read(&answer.body).ok().filter(|document| Some(&document.id) == self.did.as_ref());
        let trouble = match (answer.status, &read) {
            (200, Some(_)) => None,
            (200, None) => Some(Hidden::new(State::Unknown, "the DID document is none, or another account's")),
            (410, _) => Some(Hidden::new(State::Gone, "the directory says that the account's DID was ended for good")),
            (404, _) => Some(Hidden::new(State::NotFound, "the directory does not know the account's DID")),
            (status, _) => {
                Some(Hidden::new(refusal(status), format!("the DID document was not given (status {status})")))
            }
        };
        self.document = read.filter(|_| trouble.is_none());
        self.trouble = trouble;
    }

    pub(super) fn attestations(&self) -> Vec<Attestation> {
        match (&self.asked, &self.document) {
            (Authority::Handle(handle), Some(document)) => vec![attestation(document, handle)],
            _ => Vec::new(),
        }
    }
}
