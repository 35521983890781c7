//! TLS: what is agreed on is kept, bad certificates are refused with their chain, sessions are resumed.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use onrecord::format::http::{Request, Truncated};
use onrecord::resolution::exchange::Failure;
use onrecord::world::clock::Clock;
use onrecord::world::wire::Wire;
use onrecord::world::wire::settings::Settings;
use onrecord::world::wire::taken::Taken;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd};
use rustls::ServerConfig;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tempfile::TempDir;

use super::server::{Act, Server, answer, answers, kept, serve_with, settings};

const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// A certificate authority made for one test, its certificate in a file.
struct Ca {
    issuer: CertifiedIssuer<'static, KeyPair>,
    folder: TempDir,
}

impl Ca {
    fn new(name: &str) -> Self {
        let mut params = CertificateParams::new(vec![]).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let folder = TempDir::new().unwrap();
        std::fs::write(folder.path().join("ca.pem"), issuer.pem()).unwrap();
        Self { issuer, folder }
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    fn leaf(&self, name: &str, until: i32) -> (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>) {
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.not_before = date_time_ymd(2018, 1, 1);
        params.not_after = date_time_ymd(until, 1, 1);
        let key = KeyPair::generate().unwrap();
        let leaf = params.signed_by(&key, &self.issuer).unwrap();
        (vec![leaf.der().clone(), self.issuer.der().clone()], PrivatePkcs8KeyDer::from(key.serialize_der()).into())
    }
}

fn server_config(chain: Vec<CertificateDer<'static>>, key: PrivateKeyDer<'static>, tls13: bool) -> Arc<ServerConfig> {
    let versions = if tls13 { vec![&rustls::version::TLS13] } else { vec![&rustls::version::TLS12] };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&versions)
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    Arc::new(config)
}

/// A wire that finds every name at `server`, at a time when the certificates are good.
fn wire(server: &Server, trusted: &[&Ca]) -> Wire {
    let settings = Settings {
        connect_to: vec![format!("::127.0.0.1:{}", server.address.port()).parse().unwrap()],
        ca_certs: trusted.iter().map(|ca| ca.file()).collect(),
        ..settings()
    };
    Wire::new(settings, Clock::frozen("2019-06-10T00:00:00Z".parse().unwrap())).unwrap()
}

async fn get(wire: &Wire, url: &str) -> Taken {
    wire.fetch(&Request::get(url.parse().unwrap()), None).await
}

#[tokio::test]
async fn what_was_agreed_on_and_the_whole_chain_are_kept() {
    for (tls13, version, suite) in
        [(true, "tls/1.3", "TLS_AES_256_GCM_SHA384"), (false, "tls/1.2", "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384")]
    {
        let ca = Ca::new("trusted");
        let (chain, key) = ca.leaf("t.co", 2030);
        let server = serve_with(vec![answers(&[OK, OK])], Some(server_config(chain.clone(), key, tls13)));
        let wire = wire(&server, &[&ca]);
        let taken = get(&wire, "https://t.co/abc").await;
        assert_eq!((kept(&taken), answer(&taken).body.as_slice()), (OK, &b"ok"[..]));
        let facts = taken.connection.as_ref().unwrap();
        let tls = facts.tls.as_ref().unwrap();
        assert_eq!((tls.version.as_str(), tls.cipher_suite.as_str(), &tls.verified), (version, suite, &Ok(())));
        assert_eq!(tls.chain_der, chain.iter().map(|c| c.to_vec()).collect::<Vec<_>>());
        assert!(!get(&wire, "https://t.co/def").await.first_use_of_connection);
        assert!(server.heard.recv().unwrap().starts_with(b"GET /abc HTTP/1.1\r\nHost: t.co\r\n"));
    }
}

#[tokio::test]
async fn certificates_that_are_not_good_end_it_before_a_byte_is_sent_and_are_kept() {
    let (ca, stranger) = (Ca::new("trusted"), Ca::new("stranger"));
    for (issuer, name, until, why) in [
        (&stranger, "t.co", 2030, "UnknownIssuer"),
        (&ca, "x.com", 2030, "not valid for name"),
        (&ca, "t.co", 2019, "expired"),
    ] {
        for tls13 in [true, false] {
            let (chain, key) = issuer.leaf(name, until);
            let server = serve_with(vec![answers(&[OK])], Some(server_config(chain.clone(), key, tls13)));
            let taken = get(&wire(&server, &[&ca]), "https://t.co/abc").await;
            let said = match &taken.outcome {
                Err(Failure::Untrusted(said)) => said,
                other => panic!("{name} until {until}: {other:?}"),
            };
            assert!(said.contains(why), "{said}");
            let facts = taken.connection.as_ref().unwrap();
            let tls = facts.tls.as_ref().unwrap();
            assert_eq!(tls.chain_der, chain.iter().map(|c| c.to_vec()).collect::<Vec<_>>(), "the chain is evidence");
            assert!(tls.verified.is_err() && taken.sent.is_empty() && taken.received.is_empty());
            assert!(server.heard.try_recv().is_err(), "nothing was asked");
        }
    }
}

#[tokio::test]
async fn what_is_no_tls_is_unreachable_not_untrusted() {
    let ca = Ca::new("trusted");
    let server = serve_with(vec![vec![Act::Say(b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec()), Act::Stay]], None);
    let taken = get(&wire(&server, &[&ca]), "https://t.co/").await;
    assert!(
        matches!(&taken.outcome, Err(Failure::Unreachable(why)) if why.starts_with("TLS: ")),
        "{:?}",
        taken.outcome
    );
}

#[tokio::test]
async fn a_body_without_length_that_ends_without_a_tls_goodbye_may_be_cut() {
    let ca = Ca::new("trusted");
    let (chain, key) = ca.leaf("t.co", 2030);
    let bytes = b"HTTP/1.1 200 OK\r\n\r\nmaybe all";
    let server = serve_with(vec![vec![Act::Hear, Act::Say(bytes.to_vec())]], Some(server_config(chain, key, true)));
    let taken = get(&wire(&server, &[&ca]), "https://t.co/").await;
    assert_eq!((kept(&taken), taken.truncated), (&bytes[..], Some(Truncated::Disconnect)));
    assert_eq!(answer(&taken).body, b"maybe all");
}

#[tokio::test]
async fn sessions_are_resumed_and_their_chain_is_still_known() {
    let ca = Ca::new("trusted");
    let (chain, key) = ca.leaf("t.co", 2030);
    let closing = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok";
    let config = server_config(chain.clone(), key, true);
    let script = vec![Act::Hear, Act::Say(closing.to_vec()), Act::Wait(Duration::from_millis(20))];
    let server = serve_with(vec![script.clone(), script], Some(config));
    let wire = wire(&server, &[&ca]);
    for n in 0..2 {
        let taken = get(&wire, "https://t.co/").await;
        assert_eq!(answer(&taken).body, b"ok");
        let facts = taken.connection.as_ref().unwrap();
        let tls = facts.tls.as_ref().unwrap();
        assert_eq!((facts.id, tls.resumed), (n, n == 1));
        assert_eq!(tls.chain_der.len(), chain.len());
    }
}

#[test]
fn a_file_without_certificates_is_named() {
    let folder = TempDir::new().unwrap();
    let empty = folder.path().join("empty.pem");
    std::fs::write(&empty, "no certificate\n").unwrap();
    for path in [empty, folder.path().join("absent.pem")] {
        let settings = Settings { ca_certs: vec![path.clone()], ..settings() };
        let error = Wire::new(settings, Clock::real()).err().expect("an error").to_string();
        assert!(error.contains(&*path.to_string_lossy()), "{error}");
    }
}
