//! Names to addresses: the system's resolver configuration and hosts file, every answer kept as evidence.

use std::fmt::Write as _;
use std::future::Future;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::Pin;

use hickory_resolver::config::{ConnectionConfig, LookupIpStrategy, NameServerConfig, ResolverConfig};
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::{RData, Record};
use hickory_resolver::{ResolverBuilder, TokioResolver};
use jiff::Timestamp;
use tokio::sync::OnceCell;

use crate::world::clock::Clock;
use crate::world::wire::taken::{DnsAnswer, TextAnswer};

/// Why a name has no address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoAddress {
    /// the name servers say there is none
    #[error("{0}")]
    NoSuchHost(String),
    /// they could not be asked, or did not say
    #[error("{0}")]
    Unanswered(String),
}

/// The answer in the making; one a connection, so a box is cheap here.
pub type Lookup<'a> = Pin<Box<dyn Future<Output = Result<DnsAnswer, NoAddress>> + Send + 'a>>;

/// The texts in the making.
pub type Texts<'a> = Pin<Box<dyn Future<Output = Result<TextAnswer, NoAddress>> + Send + 'a>>;

/// Whoever knows the addresses of names.
pub trait Names: Send + Sync {
    /// The addresses of `name`, at least one.
    fn lookup<'a>(&'a self, name: &'a str) -> Lookup<'a>;

    /// The TXT records of `name`, at least one. Who knows addresses alone does not say.
    fn texts<'a>(&'a self, name: &'a str) -> Texts<'a> {
        Box::pin(async move { Err(NoAddress::Unanswered(format!("nobody is asked for the texts of {name}"))) })
    }
}

/// The system's configuration, read when the first name is asked.
pub struct SystemNames {
    clock: Clock,
    resolver: OnceCell<TokioResolver>,
    server: Option<SocketAddr>,
}

impl SystemNames {
    /// Asks nothing yet.
    pub fn new(clock: Clock) -> Self {
        Self { clock, resolver: OnceCell::new(), server: None }
    }

    /// Asks this name server instead of the system's, over UDP and, for what is too long for it, TCP.
    pub fn of(server: SocketAddr, clock: Clock) -> Self {
        Self { clock, resolver: OnceCell::new(), server: Some(server) }
    }

    fn builder(&self) -> Result<ResolverBuilder<TokioRuntimeProvider>, NetError> {
        let Some(server) = self.server else { return TokioResolver::builder_tokio() };
        let mut udp = ConnectionConfig::udp();
        let mut tcp = ConnectionConfig::tcp();
        udp.port = server.port();
        tcp.port = server.port();
        let name_server = NameServerConfig::new(server.ip(), true, vec![udp, tcp]);
        let config = ResolverConfig::from_parts(None, Vec::new(), vec![name_server]);
        Ok(TokioResolver::builder_with_config(config, TokioRuntimeProvider::default()))
    }

    async fn resolver(&self) -> Result<&TokioResolver, NoAddress> {
        let made = self.resolver.get_or_try_init(|| async {
            let mut builder = self.builder()?;
            let options = builder.options_mut();
            options.ip_strategy = LookupIpStrategy::Ipv4AndIpv6;
            options.preserve_intermediates = true;
            builder.build()
        });
        made.await.map_err(|e: NetError| NoAddress::Unanswered(format!("no resolver configuration: {e}")))
    }

    async fn ask(&self, name: &str) -> Result<DnsAnswer, NoAddress> {
        // The whole name, so that the search list never turns it into another one.
        let whole = format!("{}.", name.trim_end_matches('.'));
        let found = self.resolver().await?.lookup_ip(whole.as_str()).await.map_err(|e| no_address(&e))?;
        let records = found.as_lookup().answers();
        let mut text = String::new();
        let mut addresses = Vec::new();
        for record in records {
            let _ = writeln!(text, "{record}");
            if let Some(address) = record.data.ip_addr() {
                addresses.push((address, record.ttl));
            }
        }
        // Without a working IPv6 route an AAAA first would cost a timeout; the order within a family stays the answer's.
        addresses.sort_by_key(|(address, _)| address.is_ipv6());
        if addresses.is_empty() {
            return Err(NoAddress::NoSuchHost(format!("{name} has no address")));
        }
        Ok(DnsAnswer { name: name.to_owned(), addresses, text, at: self.clock.now() })
    }
}

/// The strings of each TXT record joined, without a space between them (RFC 6376 §3.6.2.2).
fn texts(name: &str, records: &[Record], at: Timestamp) -> TextAnswer {
    let mut answer = TextAnswer { name: name.to_owned(), texts: Vec::new(), text: String::new(), at };
    for record in records {
        let _ = writeln!(answer.text, "{record}");
        if let RData::TXT(txt) = &record.data {
            let bytes: Vec<u8> = txt.txt_data.iter().flat_map(|part| part.iter().copied()).collect();
            answer.texts.push(String::from_utf8_lossy(&bytes).into_owned());
        }
    }
    answer
}

fn no_address(error: &NetError) -> NoAddress {
    if error.is_no_records_found() {
        let why = if error.is_nx_domain() { "the name does not exist" } else { "the name has no address" };
        NoAddress::NoSuchHost(why.to_owned())
    } else {
        NoAddress::Unanswered(format!("name servers: {error}"))
    }
}

impl Names for SystemNames {
    fn lookup<'a>(&'a self, name: &'a str) -> Lookup<'a> {
        Box::pin(async move {
            match localhost(name, self.clock.now()) {
                Some(answer) => Ok(answer),
                None => self.ask(name).await,
            }
        })
    }

    fn texts<'a>(&'a self, name: &'a str) -> Texts<'a> {
        Box::pin(async move {
            let whole = format!("{}.", name.trim_end_matches('.'));
            let found = self.resolver().await?.txt_lookup(whole.as_str()).await.map_err(|e| no_address(&e))?;
            let answer = texts(name, found.answers(), self.clock.now());
            if answer.texts.is_empty() {
                return Err(NoAddress::NoSuchHost(format!("{name} has no text")));
            }
            Ok(answer)
        })
    }
}

/// RFC 6761 §6.3: these names are never asked of anybody.
fn localhost(name: &str, at: Timestamp) -> Option<DnsAnswer> {
    let plain = name.trim_end_matches('.');
    let is = plain.eq_ignore_ascii_case("localhost")
        || plain.len() > 10 && plain.get(plain.len() - 10..).is_some_and(|end| end.eq_ignore_ascii_case(".localhost"));
    let addresses = || vec![(IpAddr::V4(Ipv4Addr::LOCALHOST), 0), (IpAddr::V6(Ipv6Addr::LOCALHOST), 0)];
    is.then(|| DnsAnswer::of(name, addresses(), at))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn localhost_is_nobody_elses_business() {
        let at = Timestamp::UNIX_EPOCH;
        for name in ["localhost", "LOCALHOST.", "a.localhost", "a.b.localhost."] {
            let answer = localhost(name, at).unwrap();
            assert!(answer.addresses.iter().all(|(ip, _)| ip.is_loopback()), "{name}");
        }
        for name in ["localhost.example.org", "notlocalhost", "local"] {
            assert_eq!(localhost(name, at), None, "{name}");
        }
        assert_eq!(
            localhost("localhost", at).unwrap().text,
            "localhost.\t0\tIN\tA\t127.0.0.1\nlocalhost.\t0\tIN\tAAAA\t::1\n"
        );
    }
}
