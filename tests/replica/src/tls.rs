//! The replica's own certificate authority, and a certificate for every name asked for.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    date_time_ymd,
};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

/// What may be wrong with a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CertificateFault {
    /// It ended in 2020.
    Expired,
    /// It is for another name.
    WrongName,
    /// It is signed by itself.
    SelfSigned,
    /// It is signed by an authority that nobody was told of.
    UnknownIssuer,
}

/// One configuration for each name and fault.
type Configs = HashMap<(String, Option<CertificateFault>), Arc<ServerConfig>>;

/// Makes and keeps certificates.
pub(crate) struct Authority {
    pem: String,
    issuer: Issuer<'static, KeyPair>,
    stranger: Issuer<'static, KeyPair>,
    configs: Mutex<Configs>,
}

impl Authority {
    /// A fresh authority.
    pub(crate) fn new() -> io::Result<Authority> {
        let (issuer, pem) = authority("onrecord replica CA")?;
        let (stranger, _) = authority("An unknown CA")?;
        Ok(Authority { pem, issuer, stranger, configs: Mutex::default() })
    }

    /// The authority's certificate.
    pub(crate) fn pem(&self) -> &str {
        &self.pem
    }

    /// The server's side of TLS for a name; made once, so that sessions resume.
    pub(crate) fn config(&self, name: &str, fault: Option<CertificateFault>) -> io::Result<Arc<ServerConfig>> {
        let key = (name.to_owned(), fault);
        let mut configs = self.configs.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(config) = configs.get(&key) {
            return Ok(Arc::clone(config));
        }
        let config = Arc::new(self.make(name, fault)?);
        configs.insert(key, Arc::clone(&config));
        Ok(config)
    }

    fn make(&self, name: &str, fault: Option<CertificateFault>) -> io::Result<ServerConfig> {
        let named = if fault == Some(CertificateFault::WrongName) { "wrong.replica.test" } else { name };
        let mut params = CertificateParams::new(vec![named.to_owned()]).map_err(io::Error::other)?;
        params.distinguished_name.push(DnType::CommonName, named);
        params.not_before = date_time_ymd(2019, 1, 1);
        let ends = if fault == Some(CertificateFault::Expired) { 2020 } else { 2049 };
        params.not_after = date_time_ymd(ends, 1, 1);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        let key = KeyPair::generate().map_err(io::Error::other)?;
        let certificate = match fault {
            Some(CertificateFault::SelfSigned) => params.self_signed(&key),
            Some(CertificateFault::UnknownIssuer) => params.signed_by(&key, &self.stranger),
            _ => params.signed_by(&key, &self.issuer),
        };
        let chain = vec![certificate.map_err(io::Error::other)?.der().clone()];
        server_config(chain, PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der())))
    }
}

fn server_config(chain: Vec<CertificateDer<'static>>, key: PrivateKeyDer<'static>) -> io::Result<ServerConfig> {
    let provider = Arc::new(ring::default_provider());
    let builder = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
        .map_err(io::Error::other)?;
    let mut config = builder.with_no_client_auth().with_single_cert(chain, key).map_err(io::Error::other)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    config.ticketer = ring::Ticketer::new().map_err(io::Error::other)?;
    Ok(config)
}

fn authority(name: &str) -> io::Result<(Issuer<'static, KeyPair>, String)> {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.not_before = date_time_ymd(2019, 1, 1);
    params.not_after = date_time_ymd(2049, 1, 1);
    let key = KeyPair::generate().map_err(io::Error::other)?;
    let pem = params.self_signed(&key).map_err(io::Error::other)?.pem();
    Ok((Issuer::new(params, key), pem))
}
