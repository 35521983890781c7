//! What crosses the wire: TLS that verifies, bytes that are logged, and the founding case from end to end.

#![expect(clippy::unwrap_used, reason = "a failed unwrap here is a failed test")]

use std::sync::Arc;

use onrecord_replica::reply::{Piece, RawResponse, Then};
use onrecord_replica::tls::CertificateFault;
use onrecord_replica::world::Outage;
use onrecord_replica::{Options, Replica};
use rustls::pki_types::{CertificateDer, ServerName, pem::PemObject};
use sha2::{Digest, Sha256};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

async fn plain(replica: &Replica, request: &str) -> Vec<u8> {
    let mut stream = TcpStream::connect(replica.http_addr()).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut all = Vec::new();
    let _cut = stream.read_to_end(&mut all).await;
    all
}

async fn secure(replica: &Replica, host: &str, request: &str) -> std::io::Result<Vec<u8>> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(replica.ca_pem().as_bytes()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from(host.to_owned()).unwrap();
    let stream = TcpStream::connect(replica.https_addr()).await?;
    let mut stream = tokio_rustls::TlsConnector::from(Arc::new(config)).connect(name, stream).await?;
    stream.write_all(request.as_bytes()).await?;
    let mut all = Vec::new();
    stream.read_to_end(&mut all).await?;
    Ok(all)
}

async fn get(replica: &Replica, url: &str) -> Vec<u8> {
    let rest = url.strip_prefix("https://").unwrap();
    let (host, path) = rest.split_once('/').unwrap();
    let request =
        format!("GET /{path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: curl/8.5.0\r\nConnection: close\r\n\r\n");
    secure(replica, host, &request).await.unwrap()
}

fn location(response: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(response);
    text.lines().find_map(|line| line.strip_prefix("location: ")).map(str::to_owned)
}

async fn follow(replica: &Replica, url: &str) -> (Vec<String>, Vec<u8>) {
    let mut hops = vec![url.to_owned()];
    loop {
        let response = get(replica, hops.last().unwrap()).await;
        match location(&response) {
            Some(to) if hops.len() < 20 => hops.push(to),
            _ => return (hops, response),
        }
    }
}

#[tokio::test]
async fn the_founding_case_leads_where_it_should() {
    let replica = Replica::start(Options::default()).await.unwrap();
    let (hops, page) = follow(&replica, "https://t.co/AEoFZOhI3p").await;
    assert_eq!(hops.len(), 2);
    assert!(hops[1].starts_with("https://eeas.europa.eu/"));
    assert!(page.starts_with(b"HTTP/1.1 200 OK\r\n"));
    let (hops, _) = follow(&replica, "https://t.co/Mph7cr3obq").await;
    assert_eq!(hops.len(), 3, "{hops:?}");
    assert!(hops[2].starts_with("https://asiatimes.com/2019/06/"));
    let (hops, _) = follow(&replica, "https://pic.twitter.com/AZJTrKcoce").await;
    assert_eq!(hops[1], "https://t.co/AZJTrKcoce");
    assert!(hops[2].starts_with("https://twitter.com/rayhandemytrie/status/11379"), "{hops:?}");
    assert!(hops[2].ends_with("/photo/1"));
    assert!(hops[3].starts_with("https://x.com/rayhandemytrie/"));
}

#[tokio::test]
async fn the_log_is_what_was_on_the_wire() {
    let replica = Replica::start(Options::default()).await.unwrap();
    let wire = get(&replica, "https://t.co/AEoFZOhI3p").await;
    let log = replica.log();
    assert_eq!(log.len(), 1);
    assert_eq!(log[0].url(), "https://t.co/AEoFZOhI3p");
    assert_eq!((log[0].status, log[0].tls, log[0].user_agent.as_str()), (301, true, "curl/8.5.0"));
    assert_eq!(log[0].response_sha256, <[u8; 32]>::from(Sha256::digest(&wire)));
    assert_eq!(log[0].response_length, wire.len() as u64);
    assert_eq!(get(&replica, "https://t.co/AEoFZOhI3p").await, wire, "the same bytes again");
    assert_eq!(replica.connections(), 2);
    assert_eq!(replica.in_flight_max(), 1);
}

#[tokio::test]
async fn connections_are_kept_alive() {
    let replica = Replica::start(Options::default()).await.unwrap();
    let one = "GET /page/1 HTTP/1.1\r\nHost: load.example\r\n\r\n";
    let last = "GET /page/2 HTTP/1.1\r\nHost: load.example\r\nConnection: close\r\n\r\n";
    let both = plain(&replica, &format!("{one}{last}")).await;
    assert_eq!(String::from_utf8_lossy(&both).matches("HTTP/1.1 200 OK").count(), 2);
    assert_eq!((replica.connections(), replica.log().len()), (1, 2));
}

#[tokio::test]
async fn a_route_puts_exactly_these_bytes_out() {
    let replica = Replica::start(Options::default()).await.unwrap();
    let odd = RawResponse::closing("HTTP/1.1 200 Odd\r\nX: \u{1}\r\n\r\nab").and(Piece::Bytes(b"cd".to_vec()));
    replica.route("odd.example", "/", odd.then(Then::Cut));
    let got = plain(&replica, "GET / HTTP/1.1\r\nHost: odd.example\r\n\r\n").await;
    assert_eq!(got, b"HTTP/1.1 200 Odd\r\nX: \x01\r\n\r\nabcd");
    replica.route("odd.example", "/", RawResponse::only(Then::Reset));
    assert!(plain(&replica, "GET / HTTP/1.1\r\nHost: odd.example\r\n\r\n").await.is_empty());
}

#[tokio::test]
async fn bad_certificates_do_not_verify() {
    let replica = Replica::start(Options::default()).await.unwrap();
    let request = "GET / HTTP/1.1\r\nHost: harbour.example\r\nConnection: close\r\n\r\n";
    assert!(secure(&replica, "harbour.example", request).await.is_ok());
    for fault in [
        CertificateFault::Expired,
        CertificateFault::WrongName,
        CertificateFault::SelfSigned,
        CertificateFault::UnknownIssuer,
    ] {
        replica.set(|world| world.outages.insert("harbour.example".into(), Outage::Certificate(fault)));
        assert!(secure(&replica, "harbour.example", request).await.is_err(), "{fault:?}");
    }
    replica.set(|world| world.outages.insert("harbour.example".into(), Outage::Reset));
    assert!(secure(&replica, "harbour.example", request).await.is_err());
}

#[tokio::test]
async fn refused_hosts_lead_to_a_port_nobody_listens_on() {
    let replica = Replica::start(Options::default()).await.unwrap();
    replica.set(|world| world.outages.insert("down.example".into(), Outage::Refuse));
    let rule = replica.connect_to().remove(0);
    let address = rule.strip_prefix("down.example::").unwrap();
    let refused = TcpStream::connect(address).await.unwrap_err();
    assert_eq!(refused.kind(), std::io::ErrorKind::ConnectionRefused);
}

#[test]
fn starts_where_no_runtime_is_and_stops_when_dropped() {
    let replica = Replica::start_blocking(Options::default()).unwrap();
    let address = replica.http_addr();
    assert!(std::net::TcpStream::connect(address).is_ok());
    drop(replica);
    let gone = (0..200).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(10));
        std::net::TcpStream::connect(address).is_err()
    });
    assert!(gone);
}
