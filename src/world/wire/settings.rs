//! What the wire may do and how far it goes, each with a default.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use ipnet::IpNet;
use url::Url;

use crate::format::http::coding::Limits;

/// The wire's settings.
#[derive(Clone, Debug)]
pub struct Settings {
    /// where to connect instead, first match wins
    pub connect_to: Vec<ConnectTo>,
    /// PEM files whose certificates are trusted besides the system's and Mozilla's roots
    pub ca_certs: Vec<PathBuf>,
    /// networks let through the guard
    pub allow_net: Vec<IpNet>,
    /// the name server to ask, instead of the system's
    pub name_server: Option<SocketAddr>,
    /// the User-Agent field; says who asks and how to reach them
    pub user_agent: String,
    /// exchanges at once
    pub concurrency: usize,
    /// exchanges at once with one host
    pub per_host: usize,
    /// bound of one whole exchange, slow drips included
    pub timeout: Duration,
    /// entity bytes taken; past them the body is cut and marked
    pub max_body: u64,
    /// bytes of one head
    pub max_head: usize,
    /// interim (1xx) heads before the final one
    pub max_interim: usize,
    /// response bytes held in memory; past them they go to the overflow
    pub spill_at: usize,
    /// bounds of the reading copy
    pub reading: Limits,
    /// how long an unused connection is kept
    pub idle: Duration,
    /// ask nothing at all
    pub offline: bool,
    /// the services' usual rates; loopback addresses are never slowed
    pub rates: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            connect_to: Vec::new(),
            ca_certs: Vec::new(),
            allow_net: Vec::new(),
            name_server: None,
            user_agent: format!("onrecord/{}", env!("CARGO_PKG_VERSION")),
            concurrency: 16,
            per_host: 2,
            timeout: Duration::from_secs(30),
            max_body: 512 << 20,
            max_head: 256 << 10,
            max_interim: 32,
            spill_at: 1 << 20,
            reading: Limits::default(),
            idle: Duration::from_secs(15),
            offline: false,
            rates: true,
        }
    }
}

/// `HOST1:PORT1:HOST2:PORT2`, as in curl: connect to the second where the first is asked for. An empty first host or port
/// matches any; an empty second one leaves it as it is. IPv6 addresses stand in brackets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectTo {
    from_host: Option<String>,
    from_port: Option<u16>,
    to_host: Option<String>,
    to_port: Option<u16>,
}

/// Text that is no `HOST1:PORT1:HOST2:PORT2`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not HOST1:PORT1:HOST2:PORT2: {1}")]
pub struct NotAConnectTo(String, &'static str);

impl ConnectTo {
    /// Where to connect instead of `host` (as in a URL) and `port`, if this rule is about them.
    pub fn target(&self, host: &str, port: u16) -> Option<(String, u16)> {
        let host_fits = self.from_host.as_deref().is_none_or(|from| same_host(from, host));
        let port_fits = self.from_port.is_none_or(|from| from == port);
        (host_fits && port_fits)
            .then(|| (self.to_host.clone().unwrap_or_else(|| host.to_owned()), self.to_port.unwrap_or(port)))
    }
}

impl std::fmt::Display for ConnectTo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let host = |name: &Option<String>| name.clone().unwrap_or_default();
        let port = |port: Option<u16>| port.map(|n| n.to_string()).unwrap_or_default();
        let (from, to) = (host(&self.from_host), host(&self.to_host));
        write!(f, "{from}:{}:{to}:{}", port(self.from_port), port(self.to_port))
    }
}

fn same_host(rule: &str, host: &str) -> bool {
    rule == host || rule.trim_end_matches('.') == host.trim_end_matches('.')
}

impl FromStr for ConnectTo {
    type Err = NotAConnectTo;

    fn from_str(text: &str) -> Result<Self, NotAConnectTo> {
        let wrong = |why| NotAConnectTo(text.to_owned(), why);
        let (from_host, rest) = host(text).ok_or_else(|| wrong("the first host is not one"))?;
        let (from_port, rest) = rest.split_once(':').ok_or_else(|| wrong("four parts are needed"))?;
        let (to_host, to_port) = host(rest).ok_or_else(|| wrong("the second host is not one"))?;
        let port = |text: &str, why| match text {
            "" => Ok(None),
            _ => text.parse().ok().filter(|port| *port > 0).map(Some).ok_or_else(|| wrong(why)),
        };
        Ok(Self {
            from_host,
            from_port: port(from_port, "the first port is no number up to 65535")?,
            to_host,
            to_port: port(to_port, "the second port is no number up to 65535")?,
        })
    }
}

/// A host up to its colon, and what follows the colon.
fn host(text: &str) -> Option<(Option<String>, &str)> {
    let (name, rest) = match text.strip_prefix('[') {
        Some(_) => text.split_once("]:").map(|(name, rest)| (format!("{name}]"), rest))?,
        None => text.split_once(':').map(|(name, rest)| (name.to_owned(), rest))?,
    };
    if name.is_empty() {
        return Some((None, rest));
    }
    // As a URL would spell it: punycode, lower case, addresses in their one form.
    let url = Url::parse(&format!("http://{name}/")).ok()?;
    let plain = url.path() == "/" && url.username().is_empty() && url.query().is_none() && url.fragment().is_none();
    plain.then_some((Some(url.host_str()?.to_owned()), rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn to(rule: &str, host: &str, port: u16) -> Option<(String, u16)> {
        rule.parse::<ConnectTo>().unwrap().target(host, port)
    }

    #[test]
    fn rules_as_in_curl() {
        let at = |host: &str, port| Some((host.to_owned(), port));
        assert_eq!(to("t.co:443:127.0.0.1:8443", "t.co", 443), at("127.0.0.1", 8443));
        assert_eq!(to("T.CO:443:127.0.0.1:8443", "t.co", 443), at("127.0.0.1", 8443));
        assert_eq!(to("t.co:443:127.0.0.1:8443", "t.co", 80), None);
        assert_eq!(to("t.co:443:127.0.0.1:8443", "x.com", 443), None);
        assert_eq!(to("::127.0.0.1:8443", "x.com", 443), at("127.0.0.1", 8443));
        assert_eq!(to(":443:127.0.0.1:8443", "x.com", 443), at("127.0.0.1", 8443));
        assert_eq!(to(":443:127.0.0.1:8443", "x.com", 80), None);
        assert_eq!(to("x.com::127.0.0.1:", "x.com", 80), at("127.0.0.1", 80));
        assert_eq!(to("x.com:80::8080", "x.com", 80), at("x.com", 8080));
        assert_eq!(to("[::1]:80:[2001:db8::2]:81", "[::1]", 80), at("[2001:db8::2]", 81));
        assert_eq!(to("bücher.example:80:b:81", "xn--bcher-kva.example", 80), at("b", 81));
    }

    #[test]
    fn a_rule_is_shown_as_it_can_be_typed() {
        for rule in ["t.co:443:127.0.0.1:8443", "::127.0.0.1:8443", "x.com:80::", "[::1]:80:[2001:db8::2]:81"] {
            assert_eq!(rule.parse::<ConnectTo>().unwrap().to_string(), rule);
        }
    }

    #[test]
    fn what_is_no_rule_is_named() {
        for wrong in
            ["", "a", "a:1", "a:1:b", "a:x:b:2", "a:1:b:99999", "a:0:b:1", "a:1:b:2:3", "[::1:1:b:2", "a b:1:c:2"]
        {
            let error = wrong.parse::<ConnectTo>().unwrap_err().to_string();
            assert!(error.contains(&format!("{wrong:?}")), "{error}");
        }
    }
}
