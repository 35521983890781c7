//! Names asked of a real name server, one on loopback that says what the test wants said.

use std::net::{IpAddr, SocketAddr, UdpSocket};

use onrecord::resolution::exchange::Failure;
use onrecord::world::clock::Clock;
use onrecord::world::wire::Wire;
use onrecord::world::wire::names::{Names as _, NoAddress, SystemNames};

use super::server::{answers, serve, settings};
use onrecord::format::http::Request;

/// Answers every question about `alias.test` with an alias and the addresses of its target; all else does not exist.
fn name_server(addresses: &'static [IpAddr]) -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let at = socket.local_addr().unwrap();
    std::thread::spawn(move || {
        let mut packet = [0; 512];
        while let Ok((len, from)) = socket.recv_from(&mut packet) {
            let _ = socket.send_to(&said(&packet[..len], addresses), from);
        }
    });
    at
}

fn said(question: &[u8], addresses: &[IpAddr]) -> Vec<u8> {
    let mut end = 12;
    while question[end] != 0 {
        end += usize::from(question[end]) + 1;
    }
    let name = question[12..=end].to_ascii_lowercase();
    let kind = u16::from_be_bytes([question[end + 1], question[end + 2]]);
    let known = name == b"\x05alias\x04test\x00";
    let fitting: Vec<&IpAddr> =
        addresses.iter().filter(|ip| known && kind == if ip.is_ipv4() { 1 } else { 28 }).collect();
    // The response bit, what was asked for, recursion; NXDOMAIN for what is not known (RFC 1035 §4.1.1).
    let mut out = question[..2].to_vec();
    out.extend([0x81, if known { 0x80 } else { 0x83 }, 0, 1, 0, if known { 1 + fitting.len() as u8 } else { 0 }]);
    out.extend([0; 4]);
    out.extend(&question[12..end + 5]);
    if known {
        let target = b"\x06target\x04test\x00";
        out.extend([0xc0, 12, 0, 5, 0, 1, 0, 0, 0, 60, 0, target.len() as u8]);
        out.extend(target);
    }
    for ip in fitting {
        out.extend(b"\x06target\x04test\x00");
        let (kind, bytes) = match ip {
            IpAddr::V4(ip) => (1, ip.octets().to_vec()),
            IpAddr::V6(ip) => (28, ip.octets().to_vec()),
        };
        out.extend([0, kind, 0, 1, 0, 0, 0, 30, 0, bytes.len() as u8]);
        out.extend(bytes);
    }
    out
}

const LOOPBACK: &[IpAddr] = &[IpAddr::V4(std::net::Ipv4Addr::LOCALHOST)];
const MAPPED: &[IpAddr] =
    &[IpAddr::V6(std::net::Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, 0x7f00, 1)), IpAddr::V4(std::net::Ipv4Addr::LOCALHOST)];

#[tokio::test]
async fn an_answer_is_kept_with_its_aliases_and_times() {
    let names = SystemNames::of(name_server(LOOPBACK), Clock::real());
    let answer = names.lookup("alias.test").await.unwrap();
    assert_eq!(answer.addresses, [(LOOPBACK[0], 30)]);
    assert!(answer.text.contains("CNAME") && answer.text.contains("target.test."), "{}", answer.text);
    assert!(answer.text.contains("127.0.0.1"), "{}", answer.text);
    assert_eq!(answer.uri(), "dns:alias.test");
    assert!(matches!(names.lookup("other.test").await, Err(NoAddress::NoSuchHost(_))));
}

#[tokio::test]
async fn a_name_that_leads_to_us_is_refused_and_with_leave_reached() {
    let server = serve(vec![answers(&[b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"])]);
    let url = format!("http://alias.test:{}/", server.address.port());
    let fetch = async |settings, addresses| {
        let names = Box::new(SystemNames::of(name_server(addresses), Clock::real()));
        let wire = Wire::with_names(settings, Clock::real(), names).unwrap();
        wire.fetch(&Request::get(url.parse().unwrap()), None).await
    };
    let guarded = onrecord::world::wire::settings::Settings::default();
    for addresses in [LOOPBACK, MAPPED] {
        let taken = fetch(guarded.clone(), addresses).await;
        assert!(matches!(taken.outcome, Err(Failure::Refused(_))), "{:?}", taken.outcome);
        assert!(taken.sent.is_empty() && taken.dns.is_some());
    }
    let taken = fetch(settings(), LOOPBACK).await;
    assert_eq!(taken.status(), Some(200), "{:?}", taken.outcome);
    let dns = taken.connection.unwrap().dns.clone().unwrap();
    assert!(dns.text.contains("CNAME"), "{}", dns.text);
}
