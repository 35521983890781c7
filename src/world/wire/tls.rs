//! TLS of the wire: rustls with ring, HTTP/1.1 only, sessions resumed, and the peer's chain kept whatever it is worth.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{Resumption, WebPkiServerVerifier};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, OtherError, RootCertStore, SignatureScheme};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::world::clock::Clock;
use crate::world::wire::taken::Tls;

/// Hosts whose sessions are remembered for resumption.
const SESSIONS: usize = 1024;

/// Why TLS cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// a file of certificates could not be read
    #[error("no certificate read from {path}")]
    CaCert {
        /// the file
        path: PathBuf,
        /// why
        source: rustls_pki_types::pem::Error,
    },
    /// a file without a certificate in it
    #[error("no certificate stands in {0}")]
    NoCaCert(PathBuf),
    /// a certificate that is none
    #[error("{path} is no usable trust anchor")]
    BadCaCert {
        /// the file
        path: PathBuf,
        /// why
        source: rustls::Error,
    },
    /// TLS itself
    #[error("TLS cannot be set up")]
    Setup(#[source] rustls::Error),
    /// the verifier
    #[error("no verifier of certificates")]
    Verifier(#[source] rustls::client::VerifierBuilderError),
}

/// The certificates in some PEM files.
///
/// # Errors
/// A file that cannot be read or holds none.
pub fn roots_in(files: &[std::path::PathBuf]) -> Result<Vec<CertificateDer<'static>>, Error> {
    Ok(files.iter().map(|file| read_ca(file)).collect::<Result<Vec<_>, _>>()?.concat())
}

/// The certificates of `path`, a PEM file.
///
/// # Errors
/// No such file, or none in it.
pub(super) fn read_ca(path: &Path) -> Result<Vec<CertificateDer<'static>>, Error> {
    let failed = |source| Error::CaCert { path: path.to_owned(), source };
    let found: Result<Vec<_>, _> = CertificateDer::pem_file_iter(path).map_err(failed)?.collect();
    let found = found.map_err(failed)?;
    if found.is_empty() {
        return Err(Error::NoCaCert(path.to_owned()));
    }
    let mut probe = RootCertStore::empty();
    for certificate in &found {
        probe.add(certificate.clone()).map_err(|source| Error::BadCaCert { path: path.to_owned(), source })?;
    }
    Ok(found)
}

/// The one configuration all connections share, so that sessions are resumed.
///
/// # Errors
/// rustls refuses it.
pub(super) fn config(extra: &[CertificateDer<'static>], clock: Clock) -> Result<Arc<ClientConfig>, Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    // A system without a store, or with a broken certificate in it, still has Mozilla's roots.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    for certificate in extra {
        roots.add(certificate.clone()).map_err(Error::Setup)?;
    }
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
        .build()
        .map_err(Error::Verifier)?;
    let mut config = ClientConfig::builder_with_details(provider, Arc::new(clock))
        .with_safe_default_protocol_versions()
        .map_err(Error::Setup)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Keeping(verifier)))
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    config.resumption = Resumption::in_memory_sessions(SESSIONS);
    Ok(Arc::new(config))
}

/// The ordinary verifier, whose refusals carry the chain that was refused.
#[derive(Debug)]
struct Keeping(Arc<WebPkiServerVerifier>);

/// A refusal with its evidence.
#[derive(Debug)]
struct Refused {
    chain: Vec<Vec<u8>>,
    why: rustls::Error,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.why, f)
    }
}

impl std::error::Error for Refused {}

fn refused<'a>(why: rustls::Error, chain: impl Iterator<Item = &'a CertificateDer<'a>>) -> rustls::Error {
    let chain = chain.map(|certificate| certificate.to_vec()).collect();
    // Inside InvalidCertificate, so that the peer gets a certificate alert as from any other client.
    rustls::Error::InvalidCertificate(CertificateError::Other(OtherError(Arc::new(Refused { chain, why }))))
}

impl ServerCertVerifier for Keeping {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        self.0
            .verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
            .map_err(|why| refused(why, std::iter::once(end_entity).chain(intermediates)))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.0.verify_tls12_signature(message, cert, dss).map_err(|why| refused(why, std::iter::once(cert)))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.0.verify_tls13_signature(message, cert, dss).map_err(|why| refused(why, std::iter::once(cert)))
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }
}

/// How a handshake failed.
pub(super) enum Broken {
    /// the peer's certificates were not good; they are kept
    Untrusted(Tls, String),
    /// no common language, or not TLS at all
    Handshake(String),
    /// the connection broke
    Io(io::Error),
}

/// Agrees on TLS over `tcp` with the peer that is meant to be `name`.
pub(super) async fn handshake(
    config: &Arc<ClientConfig>,
    name: ServerName<'static>,
    tcp: TcpStream,
) -> Result<(TlsStream<TcpStream>, Tls), Broken> {
    let stream = TlsConnector::from(Arc::clone(config)).connect(name, tcp).await.map_err(broken)?;
    let session = stream.get_ref().1;
    let chain = session.peer_certificates().unwrap_or_default();
    let tls = Tls {
        version: session.protocol_version().map(version).unwrap_or_default(),
        cipher_suite: session.negotiated_cipher_suite().map(|suite| iana(suite.suite())).unwrap_or_default(),
        chain_der: chain.iter().map(|certificate| certificate.to_vec()).collect(),
        resumed: session.handshake_kind() == Some(rustls::HandshakeKind::Resumed),
        verified: Ok(()),
    };
    Ok((stream, tls))
}

fn version(version: rustls::ProtocolVersion) -> String {
    match version {
        rustls::ProtocolVersion::TLSv1_2 => "tls/1.2".to_owned(),
        rustls::ProtocolVersion::TLSv1_3 => "tls/1.3".to_owned(),
        other => format!("{other:?}"),
    }
}

/// The IANA name; rustls writes the 1.3 suites with the version in front.
fn iana(suite: rustls::CipherSuite) -> String {
    let name = format!("{suite:?}");
    name.strip_prefix("TLS13_").map_or(name.clone(), |rest| format!("TLS_{rest}"))
}

fn broken(error: io::Error) -> Broken {
    let Some(inner) = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) else {
        return Broken::Io(error);
    };
    if let rustls::Error::InvalidCertificate(CertificateError::Other(OtherError(other))) = inner
        && let Some(Refused { chain, why }) = other.downcast_ref::<Refused>()
    {
        let why = why.to_string();
        let tls = Tls {
            version: String::new(),
            cipher_suite: String::new(),
            chain_der: chain.clone(),
            resumed: false,
            verified: Err(why.clone()),
        };
        return Broken::Untrusted(tls, why);
    }
    Broken::Handshake(inner.to_string())
}
