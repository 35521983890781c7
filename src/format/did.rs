//! Decentralised identifiers and their documents (W3C DID Core; atproto.com/specs/did): who an account is when its handle
//! changes, which key signs for it, which server holds it.

use std::fmt;
use std::str::FromStr;

use serde_json::Value as Json;
use url::Url;

use crate::format::multikey::{KeyError, PublicKey};

/// Bytes a DID may have.
const MAX_DID: usize = 2048;

/// A DID in AT Protocol's syntax.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Did(String);

/// Text that is no DID.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a DID: expected did:<method>:<identifier>")]
pub struct NotADid;

impl Did {
    /// The whole text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// `plc`, `web`, or another method.
    pub fn method(&self) -> &str {
        self.0.split(':').nth(1).unwrap_or_default()
    }

    /// What stands after the method.
    pub fn specific(&self) -> &str {
        self.0.splitn(3, ':').nth(2).unwrap_or_default()
    }

    /// Where its document is published: the PLC directory, or the host that a did:web names. None for other methods, and for
    /// did:web with a path, which AT Protocol does not allow.
    pub fn document_url(&self) -> Option<Url> {
        match self.method() {
            "plc" => Url::parse(&format!("https://plc.directory/{}", self.0)).ok(),
            "web" if !self.specific().contains([':', '%']) => {
                Url::parse(&format!("https://{}/.well-known/did.json", self.specific())).ok()
            }
            _ => None,
        }
    }
}

impl fmt::Display for Did {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Did {
    type Err = NotADid;

    fn from_str(text: &str) -> Result<Self, NotADid> {
        let rest = text.strip_prefix("did:").ok_or(NotADid)?;
        let (method, specific) = rest.split_once(':').ok_or(NotADid)?;
        let method_ok = !method.is_empty() && method.bytes().all(|b| b.is_ascii_lowercase());
        let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b':' | b'%' | b'-');
        let specific_ok = specific.bytes().all(allowed) && !specific.ends_with([':', '%']) && !specific.is_empty();
        if method_ok && specific_ok && text.len() <= MAX_DID { Ok(Self(text.to_owned())) } else { Err(NotADid) }
    }
}

/// What AT Protocol reads from a DID document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DidDocument {
    /// whose document it is
    pub id: Did,
    /// the handles it claims, in its order, without `at://`; the first is the one that counts
    pub handles: Vec<String>,
    /// the key that signs its repository, or why there is none to use
    pub key: Result<PublicKey, MethodError>,
    /// the server that holds its repository
    pub pds: Option<Url>,
}

/// Why a document gives no signing key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MethodError {
    /// no `#atproto` verification method
    #[error("a document without an #atproto key")]
    Missing,
    /// its key is of no use
    #[error("an #atproto method with {0}")]
    Key(KeyError),
}

/// Bytes that are no DID document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a DID document: expected a JSON object with a DID as its id")]
pub struct NotADocument;

impl DidDocument {
    /// Reads a document; what it lacks is missing in the value, not an error.
    ///
    /// # Errors
    /// [`NotADocument`] where it is no JSON object with an id.
    pub fn read(bytes: &[u8]) -> Result<Self, NotADocument> {
        let json: Json = serde_json::from_slice(bytes).map_err(|_| NotADocument)?;
        let id: Did = json.get("id").and_then(Json::as_str).and_then(|id| id.parse().ok()).ok_or(NotADocument)?;
        let handles = list(&json, "alsoKnownAs").filter_map(|uri| uri.as_str()?.strip_prefix("at://"));
        let handles = handles.map(str::to_owned).collect();
        let key = signing_key(&json, &id);
        let pds = list(&json, "service").find_map(|service| pds(service, &id));
        Ok(Self { id, handles, key, pds })
    }
}

fn list<'a>(json: &'a Json, key: &str) -> impl Iterator<Item = &'a Json> {
    json.get(key).and_then(Json::as_array).into_iter().flatten()
}

/// Whether `entry` has the id `#name`, alone or after the DID.
fn is_named(entry: &Json, did: &Did, name: &str) -> bool {
    let id = entry.get("id").and_then(Json::as_str).unwrap_or_default();
    id.strip_prefix(did.as_str()).unwrap_or(id).strip_prefix('#') == Some(name)
}

fn signing_key(json: &Json, did: &Did) -> Result<PublicKey, MethodError> {
    let method = list(json, "verificationMethod").find(|method| is_named(method, did, "atproto"));
    let method = method.ok_or(MethodError::Missing)?;
    let field = |name| method.get(name).and_then(Json::as_str).unwrap_or_default();
    if field("controller") != did.as_str() {
        return Err(MethodError::Missing);
    }
    PublicKey::of_method(field("type"), field("publicKeyMultibase")).map_err(MethodError::Key)
}

fn pds(service: &Json, did: &Did) -> Option<Url> {
    let fits = is_named(service, did, "atproto_pds")
        && service.get("type").and_then(Json::as_str) == Some("AtprotoPersonalDataServer");
    let url = Url::parse(service.get("serviceEndpoint")?.as_str()?).ok()?;
    (fits && matches!(url.scheme(), "http" | "https") && url.has_host()).then_some(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCUMENT: &str = include_str!("../../tests/fixtures/bluesky/did.json");

    #[test]
    fn a_document_is_read() {
        let doc = DidDocument::read(DOCUMENT.as_bytes()).unwrap();
        assert_eq!(doc.id.as_str(), "did:plc:iehgelpsa6hrxqbomgxsvwfi");
        assert_eq!(doc.handles, ["observer.replica.example"]);
        let key = doc.key.unwrap().to_string();
        assert_eq!(key, "did:key:zQ3shcv1GXPxd9YPu1HVB3Y97NLNnBbZ57NHLnq1eWq89StZy");
        assert_eq!(doc.pds.unwrap().as_str(), "https://pds.replica.example/");
    }

    #[test]
    fn what_a_document_lacks_is_named() {
        let read = |text: String| DidDocument::read(text.as_bytes()).unwrap();
        assert_eq!(read(DOCUMENT.replace("#atproto\"", "#other\"")).key, Err(MethodError::Missing));
        let foreign = DOCUMENT.replace("\"controller\": \"did:plc:i", "\"controller\": \"did:plc:j");
        assert_eq!(read(foreign).key, Err(MethodError::Missing));
        assert_eq!(
            read(DOCUMENT.replace("\"Multikey\"", "\"JsonWebKey2020\"")).key,
            Err(MethodError::Key(KeyError::Kind))
        );
        assert_eq!(read(DOCUMENT.replace("zQ3sh", "Q3sh")).key, Err(MethodError::Key(KeyError::Text)));
        assert_eq!(read(DOCUMENT.replace("https://pds", "file://pds")).pds, None);
        assert_eq!(read(DOCUMENT.replace("AtprotoPersonal", "Other")).pds, None);
        for wrong in ["", "[]", "{}", r#"{"id":"x"}"#, r#"{"id":7}"#] {
            assert_eq!(DidDocument::read(wrong.as_bytes()), Err(NotADocument), "{wrong}");
        }
    }

    #[test]
    fn documents_are_where_the_method_says() {
        let url = |text: &str| text.parse::<Did>().unwrap().document_url().map(String::from);
        assert_eq!(url("did:plc:abc").as_deref(), Some("https://plc.directory/did:plc:abc"));
        assert_eq!(url("did:web:press.example").as_deref(), Some("https://press.example/.well-known/did.json"));
        assert_eq!(url("did:web:press.example:a"), None);
        assert_eq!(url("did:key:zQ3"), None);
    }
}
