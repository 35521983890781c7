//! Services that are asked and believed only by what they sign: timestamp authorities, calendars, witnesses,
//! nodes, beacons.
//!
//! Nothing they answer is evidence of the web, so the recording wire is not used. Redirects are not followed, answers are
//! bounded in size and time, and the addresses asked are those of the settings, never one that an answer names.

pub mod beacon;
pub mod calendar;
pub mod command;
pub mod mail;
pub mod node;
pub mod tsa;
pub mod webhook;
pub mod witness;

use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{ACCEPT, CONTENT_TYPE};
use rustls_pki_types::CertificateDer;
use url::Url;

/// No answer of any of them is longer.
const MAX_ANSWER: usize = 256 * 1024;

/// A client for all of them. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Services(reqwest::Client);

/// What came back, whatever its status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// HTTP status
    pub status: u16,
    /// media type in lower case, without parameters
    pub media_type: String,
    /// the body
    pub body: Vec<u8>,
}

/// Why nothing came back.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// the client cannot be set up
    #[error("set up TLS for services")]
    Setup(#[source] rustls::Error),
    /// the same, said by the HTTP library
    #[error("set up the client for services")]
    Client(#[source] reqwest::Error),
    /// no connection, no answer, or one cut short
    #[error("ask {}: {}", .url, cause(.source))]
    Unreachable {
        /// who was asked
        url: Url,
        /// what went wrong
        source: reqwest::Error,
    },
    /// more than an answer of its kind ever has
    #[error("ask {0}: the answer is too long")]
    TooLong(Url),
}

/// The innermost reason; what lies above it only repeats the address.
fn cause(error: &reqwest::Error) -> String {
    let mut inner: &dyn std::error::Error = error;
    while let Some(source) = inner.source() {
        inner = source;
    }
    inner.to_string()
}

impl Services {
    /// A client that waits `timeout` for a whole answer and trusts `roots` besides the system's and Mozilla's.
    ///
    /// # Errors
    /// TLS cannot be set up.
    pub fn new(user_agent: &str, timeout: Duration, roots: &[CertificateDer<'static>]) -> Result<Self, Error> {
        let mut store = rustls::RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        store.add_parsable_certificates(roots.iter().cloned());
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(Error::Setup)?
            .with_root_certificates(store)
            .with_no_client_auth();
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .user_agent(user_agent)
            .redirect(reqwest::redirect::Policy::none())
            .timeout(timeout)
            .build()
            .map_err(Error::Client)?;
        Ok(Self(client))
    }

    async fn get(&self, url: &Url, accept: &str) -> Result<Reply, Error> {
        self.answer(url, self.0.get(url.clone()).header(ACCEPT, accept)).await
    }

    async fn post(&self, url: &Url, kind: &str, accept: &str, body: Vec<u8>) -> Result<Reply, Error> {
        let request = self.0.post(url.clone()).header(CONTENT_TYPE, kind).header(ACCEPT, accept);
        self.answer(url, request.body(body)).await
    }

    async fn answer(&self, url: &Url, request: reqwest::RequestBuilder) -> Result<Reply, Error> {
        let failed = |source: reqwest::Error| Error::Unreachable { url: url.clone(), source: source.without_url() };
        let mut response = request.send().await.map_err(failed)?;
        let media_type = response.headers().get(CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
        let media_type = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(failed)? {
            if body.len() + chunk.len() > MAX_ANSWER {
                return Err(Error::TooLong(url.clone()));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Reply { status: response.status().as_u16(), media_type, body })
    }
}

/// A path below a service's address, which may or may not end in a slash.
fn below(base: &Url, path: &str) -> Url {
    let mut url = base.clone();
    url.set_path(&format!("{}/{path}", base.path().trim_end_matches('/')));
    url
}
