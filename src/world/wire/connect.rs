//! From a URL to a connection: connect-to, the name's addresses, the guard on each, TCP, TLS.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use rustls_pki_types::ServerName;
use tokio::net::TcpStream;
use url::{Host, Url};

use crate::resolution::exchange::Failure;
use crate::world::wire::hosts::Line;
use crate::world::wire::names::NoAddress;
use crate::world::wire::stream::Stream;
use crate::world::wire::taken::{Connection, DnsAnswer};
use crate::world::wire::{Inner, tls};

/// The longest wait for one address while others are left to try.
const ONE_ADDRESS: Duration = Duration::from_secs(5);

/// Where to connect: addresses that passed the guard.
#[derive(Debug)]
pub(super) struct Route {
    addresses: Vec<SocketAddr>,
    /// what the name was said to be; none where no name had to be asked
    pub(super) dns: Option<Arc<DnsAnswer>>,
}

impl Route {
    /// Whether it leads to this machine and nowhere else.
    pub(super) fn is_loopback(&self) -> bool {
        self.addresses.iter().all(|address| address.ip().is_loopback())
    }
}

/// Why there is no connection, and the evidence of the attempt.
#[derive(Debug)]
pub(super) struct NoLine {
    pub(super) failure: Failure,
    /// the connection, where it got as far as the handshake
    pub(super) facts: Option<Arc<Connection>>,
    /// the name's answer
    pub(super) dns: Option<Arc<DnsAnswer>>,
}

impl From<Failure> for NoLine {
    fn from(failure: Failure) -> Self {
        Self { failure, facts: None, dns: None }
    }
}

impl Inner {
    /// Finds where `url` leads. The guard judges every address; those it refuses are never connected to.
    pub(super) async fn route(&self, url: &Url) -> Result<Route, NoLine> {
        let host = url.host_str().unwrap_or_default();
        let port = url.port_or_known_default().unwrap_or_default();
        let rule = self.settings.connect_to.iter().find_map(|rule| rule.target(host, port));
        let (host, port) = rule.unwrap_or_else(|| (host.to_owned(), port));
        let (addresses, dns) = match address_of(&host) {
            Some(address) => (vec![address], None),
            None => {
                let answer = self.names.lookup(&host).await.map_err(|e| no_address(&host, e))?;
                (answer.addresses.iter().map(|(address, _)| *address).collect(), Some(Arc::new(answer)))
            }
        };
        match self.checked(addresses, port) {
            Ok(addresses) => Ok(Route { addresses, dns }),
            Err(failure) => Err(NoLine { failure, facts: None, dns }),
        }
    }

    fn checked(&self, addresses: Vec<IpAddr>, port: u16) -> Result<Vec<SocketAddr>, Failure> {
        let mut refusal = None;
        let mut good = Vec::with_capacity(addresses.len());
        for address in addresses {
            match self.guard.address(address) {
                Ok(()) => good.push(SocketAddr::new(address, port)),
                Err(why) => refusal = refusal.or(Some(why)),
            }
        }
        match (good.is_empty(), refusal) {
            (true, Some(why)) => Err(Failure::Refused(why.to_string())),
            (true, None) => Err(Failure::NoSuchHost("the name has no address".to_owned())),
            (false, _) => Ok(good),
        }
    }

    /// Connects, and agrees on TLS where the URL asks for it.
    pub(super) async fn connect(&self, url: &Url, route: &Route) -> Result<Line, NoLine> {
        let tcp = dial(&route.addresses).await?;
        let (remote, local) = ends(&tcp).map_err(|e| Failure::Unreachable(e.to_string()))?;
        let mut facts = Connection { id: self.next_id(), remote, local, dns: route.dns.clone(), tls: None };
        if url.scheme() != "https" {
            return Ok(Line { stream: Stream::Plain(tcp), facts: Arc::new(facts), used: false });
        }
        let name = server_name(url).ok_or_else(|| Failure::Unreachable("the host is no name for TLS".to_owned()))?;
        let config = self.tls().map_err(|e| Failure::Unreachable(e.to_string()))?;
        match tls::handshake(&config, name, tcp).await {
            Ok((stream, agreed)) => {
                facts.tls = Some(agreed);
                Ok(Line { stream: Stream::Tls(Box::new(stream)), facts: Arc::new(facts), used: false })
            }
            Err(tls::Broken::Untrusted(agreed, why)) => {
                facts.tls = Some(agreed);
                Err(NoLine { failure: Failure::Untrusted(why), facts: Some(Arc::new(facts)), dns: None })
            }
            Err(tls::Broken::Handshake(why)) => Err(NoLine {
                failure: Failure::Unreachable(format!("TLS: {why}")),
                facts: Some(Arc::new(facts)),
                dns: None,
            }),
            Err(tls::Broken::Io(e)) => Err(NoLine {
                failure: Failure::Unreachable(format!("TLS: {e}")),
                facts: Some(Arc::new(facts)),
                dns: None,
            }),
        }
    }
}

/// The address a host is, where it is one.
fn address_of(host: &str) -> Option<IpAddr> {
    host.trim_start_matches('[').trim_end_matches(']').parse().ok()
}

fn no_address(host: &str, why: NoAddress) -> Failure {
    match why {
        NoAddress::NoSuchHost(why) => Failure::NoSuchHost(format!("{host}: {why}")),
        NoAddress::Unanswered(why) => Failure::Unreachable(format!("{host}: {why}")),
    }
}

/// Tries each address in turn.
async fn dial(addresses: &[SocketAddr]) -> Result<TcpStream, Failure> {
    let mut tried = Vec::new();
    for (n, &address) in addresses.iter().enumerate() {
        let attempt = TcpStream::connect(address);
        let made = if n + 1 < addresses.len() {
            tokio::time::timeout(ONE_ADDRESS, attempt).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
        } else {
            attempt.await
        };
        match made {
            Ok(tcp) => {
                // Requests are one write; waiting to fill a packet would only delay them.
                let _ = tcp.set_nodelay(true);
                return Ok(tcp);
            }
            Err(e) => tried.push(format!("{address}: {e}")),
        }
    }
    Err(Failure::Unreachable(tried.join("; ")))
}

fn ends(tcp: &TcpStream) -> io::Result<(SocketAddr, SocketAddr)> {
    Ok((tcp.peer_addr()?, tcp.local_addr()?))
}

fn server_name(url: &Url) -> Option<ServerName<'static>> {
    match url.host()? {
        Host::Domain(name) => ServerName::try_from(name.trim_end_matches('.').to_owned()).ok(),
        Host::Ipv4(ip) => Some(ServerName::IpAddress(IpAddr::V4(ip).into())),
        Host::Ipv6(ip) => Some(ServerName::IpAddress(IpAddr::V6(ip).into())),
    }
}
