//! The guard on the way to a connection: names that lead inside, names that change their mind, connect-to.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use onrecord::format::http::Request;
use onrecord::resolution::exchange::Failure;
use onrecord::world::clock::Clock;
use onrecord::world::wire::Wire;
use onrecord::world::wire::names::{Lookup, Names, NoAddress};
use onrecord::world::wire::settings::Settings;
use onrecord::world::wire::taken::{DnsAnswer, Taken};

use super::server::{answer, answers, serve, settings, wire};

const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// Gives one set of addresses after the other, as a name does that is rebound between a check and its use.
struct Fickle {
    turns: Vec<Vec<&'static str>>,
    asked: Arc<AtomicUsize>,
}

impl Names for Fickle {
    fn lookup<'a>(&'a self, name: &'a str) -> Lookup<'a> {
        let turn = self.asked.fetch_add(1, Ordering::SeqCst);
        let answer = self.turns.get(turn).or(self.turns.last()).map(|addresses| {
            let addresses: Vec<(IpAddr, u32)> = addresses.iter().map(|ip| (ip.parse().unwrap(), 60)).collect();
            DnsAnswer::of(name, addresses, "2019-06-10T00:00:00Z".parse().unwrap())
        });
        Box::pin(async move { answer.ok_or_else(|| NoAddress::NoSuchHost("the name does not exist".to_owned())) })
    }
}

fn fickle(settings: Settings, turns: Vec<Vec<&'static str>>) -> (Wire, Arc<AtomicUsize>) {
    let asked = Arc::<AtomicUsize>::default();
    let names = Fickle { turns, asked: Arc::clone(&asked) };
    (Wire::with_names(settings, Clock::real(), Box::new(names)).unwrap(), asked)
}

fn get(url: &str) -> Request {
    Request::get(url.parse().unwrap())
}

fn refused(taken: &Taken) -> bool {
    matches!(taken.outcome, Err(Failure::Refused(_))) && taken.sent.is_empty() && taken.connection.is_none()
}

#[tokio::test]
async fn loopback_is_refused_unless_it_is_named() {
    let server = serve(vec![answers(&[OK])]);
    let url = format!("http://{}/", server.address);
    let closed = wire(Settings::default()).fetch(&get(&url), None).await;
    assert!(refused(&closed), "{:?}", closed.outcome);
    assert_eq!(server.taken.load(Ordering::SeqCst), 0, "no connection was made");
    assert_eq!(answer(&wire(settings()).fetch(&get(&url), None).await).body, b"ok");
}

#[tokio::test]
async fn a_name_is_asked_once_and_only_good_addresses_are_connected_to() {
    let server = serve(vec![answers(&[OK, OK])]);
    let url = format!("http://rebound.example:{}/", server.address.port());
    let (wire, asked) = fickle(settings(), vec![vec!["10.0.0.1", "169.254.169.254", "127.0.0.1"], vec!["10.0.0.1"]]);
    let taken = wire.fetch(&get(&url), None).await;
    assert_eq!(answer(&taken).body, b"ok");
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    let facts = taken.connection.unwrap();
    assert_eq!(facts.remote, server.address);
    let dns = facts.dns.as_ref().unwrap();
    assert_eq!(dns.addresses.len(), 3, "the whole answer is kept, what was not used included");
    assert!(dns.text.starts_with("rebound.example.\t60\tIN\tA\t10.0.0.1\n"), "{}", dns.text);
    assert_eq!(dns.uri(), "dns:rebound.example");
    assert_eq!(answer(&wire.fetch(&get(&url), None).await).body, b"ok", "over the same connection");
    assert_eq!(asked.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_name_that_leads_inside_is_refused() {
    for inside in ["127.0.0.1", "10.1.2.3", "169.254.169.254", "::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "fd00::1"]
    {
        let (wire, _) = fickle(Settings::default(), vec![vec![inside]]);
        let taken = wire.fetch(&get("http://inside.example/"), None).await;
        assert!(refused(&taken), "{inside}");
        assert!(
            taken.dns.is_some_and(|dns| dns.addresses[0].0.to_string() == inside),
            "the answer is evidence: {inside}"
        );
    }
    let (wire, _) = fickle(settings(), vec![vec!["::ffff:127.0.0.1"]]);
    assert!(refused(&wire.fetch(&get("http://inside.example/"), None).await), "allowed nets cover no mapped form");
    let (wire, _) = fickle(settings(), vec![]);
    let none = wire.fetch(&get("http://nowhere.example/"), None).await;
    assert!(matches!(none.outcome, Err(Failure::NoSuchHost(_))), "{:?}", none.outcome);
}

#[tokio::test]
async fn localhost_needs_no_name_server() {
    let server = serve(vec![answers(&[OK])]);
    let url = format!("http://app.localhost:{}/", server.address.port());
    assert_eq!(answer(&wire(settings()).fetch(&get(&url), None).await).body, b"ok");
    assert!(refused(&wire(Settings::default()).fetch(&get(&url), None).await));
}

#[tokio::test]
async fn connect_to_changes_the_way_and_nothing_else() {
    let server = serve(vec![answers(&[OK])]);
    let rule = format!("t.co:80:127.0.0.1:{}", server.address.port()).parse().unwrap();
    let (wire, asked) = fickle(Settings { connect_to: vec![rule], ..settings() }, vec![]);
    let taken = wire.fetch(&get("http://t.co/abc"), None).await;
    assert_eq!(answer(&taken).body, b"ok");
    assert!(server.heard.recv().unwrap().starts_with(b"GET /abc HTTP/1.1\r\nHost: t.co\r\n"));
    let facts = taken.connection.unwrap();
    assert_eq!((facts.remote, facts.dns.as_ref()), (server.address, None));
    assert_eq!(asked.load(Ordering::SeqCst), 0, "an address needs no name server");
}

#[tokio::test]
async fn with_connect_to_both_ends_are_judged() {
    let server = serve(vec![answers(&[OK])]);
    let rule = format!("::127.0.0.1:{}", server.address.port()).parse().unwrap();
    let wire_to = |allow: &[&str]| {
        let allow_net = allow.iter().map(|net| net.parse().unwrap()).collect();
        wire(Settings { connect_to: vec![std::clone::Clone::clone(&rule)], allow_net, ..Settings::default() })
    };
    assert!(refused(&wire_to(&[]).fetch(&get("http://t.co/"), None).await), "where it leads");
    let metadata = wire_to(&["127.0.0.0/8"]).fetch(&get("http://169.254.169.254/latest/"), None).await;
    assert!(refused(&metadata), "what the URL names");
    let mapped = wire_to(&["127.0.0.0/8"]).fetch(&get("http://[::ffff:127.0.0.1]/"), None).await;
    assert!(refused(&mapped), "what the URL names, mapped");
    assert_eq!(server.taken.load(Ordering::SeqCst), 0);
    assert_eq!(answer(&wire_to(&["127.0.0.0/8"]).fetch(&get("http://t.co/"), None).await).body, b"ok");
}

#[tokio::test]
async fn offline_asks_nothing() {
    let server = serve(vec![answers(&[OK])]);
    let wire = wire(Settings { offline: true, ..settings() });
    let taken = wire.fetch(&get(&format!("http://{}/", server.address)), None).await;
    assert_eq!(taken.outcome.err(), Some(Failure::Offline));
    assert_eq!(server.taken.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn nobody_there_is_unreachable() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let taken = wire(settings()).fetch(&get(&format!("http://{free}/")), None).await;
    assert!(matches!(&taken.outcome, Err(Failure::Unreachable(why)) if why.contains(&free.to_string())));
    assert!(taken.sent.is_empty() && taken.connection.is_none());
}
