//! The guard: which URLs may be asked and which addresses connected to. Every hop passes it, before the first byte is sent.
//!
//! Addresses are judged by the IANA special-purpose registries (RFC 6890 and its updates); forms that carry an IPv4
//! address inside (mapped, translated, 6to4, Teredo, ISATAP) are judged by that address too. What `--allow-net` names is let
//! through as it stands, never in an embedded form.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use url::{Host, Url};

/// Why something is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// neither http nor https
    #[error("scheme {0} is not http or https")]
    Scheme(String),
    /// no host at all
    #[error("the URL names no host")]
    NoHost,
    /// user name or password; whom would it be shown to?
    #[error("the URL carries a user name or password")]
    UserInfo,
    /// neither 80 nor 443 nor above 1024, or a port that another protocol owns
    #[error("port {0} is not a web port")]
    Port(u16),
    /// not a public address
    #[error("{0} is {1}; --allow-net would let it through")]
    Address(IpAddr, &'static str),
    /// an IPv6 address with a private IPv4 address inside
    #[error("{0} carries {1} inside, which is {2}")]
    Embedded(Ipv6Addr, Ipv4Addr, &'static str),
}

/// What may be asked and connected to.
#[derive(Clone, Debug, Default)]
pub struct Guard {
    allowed: Vec<IpNet>,
}

impl Guard {
    /// A guard that lets through the public network, and `allowed`.
    pub fn new(allowed: Vec<IpNet>) -> Self {
        Self { allowed }
    }

    /// Judges a URL: scheme, user info, port, and its host where that is an address.
    ///
    /// # Errors
    /// The rule it breaks.
    pub fn url(&self, url: &Url) -> Result<(), Refusal> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err(Refusal::Scheme(url.scheme().to_owned()));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Refusal::UserInfo);
        }
        let port = url.port_or_known_default().unwrap_or_default();
        if !is_web_port(port) {
            return Err(Refusal::Port(port));
        }
        match url.host().ok_or(Refusal::NoHost)? {
            Host::Domain(_) => Ok(()),
            Host::Ipv4(ip) => self.address(ip.into()),
            Host::Ipv6(ip) => self.address(ip.into()),
        }
    }

    /// Judges an address about to be connected to.
    ///
    /// # Errors
    /// The rule it breaks.
    pub fn address(&self, address: IpAddr) -> Result<(), Refusal> {
        if self.allowed.iter().any(|net| net.contains(&address)) {
            return Ok(());
        }
        match address {
            IpAddr::V4(ip) => special_v4(ip).map_or(Ok(()), |why| Err(Refusal::Address(address, why))),
            IpAddr::V6(ip) => special_v6(ip),
        }
    }
}

/// 80, 443 and what lies above 1024, without the ports that the Fetch standard blocks because another protocol owns them.
fn is_web_port(port: u16) -> bool {
    const OWNED: [u16; 21] = [
        1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697,
        10080, 11211, 6379,
    ];
    matches!(port, 80 | 443) || (port > 1024 && !OWNED.contains(&port))
}

/// Why an IPv4 address is not public.
fn special_v4(ip: Ipv4Addr) -> Option<&'static str> {
    const TABLE: [(Ipv4Addr, u8, &str); 16] = [
        (Ipv4Addr::new(0, 0, 0, 0), 8, "this network"),
        (Ipv4Addr::new(10, 0, 0, 0), 8, "private"),
        (Ipv4Addr::new(100, 64, 0, 0), 10, "shared by a carrier (CGNAT)"),
        (Ipv4Addr::new(127, 0, 0, 0), 8, "loopback"),
        (Ipv4Addr::new(169, 254, 0, 0), 16, "link-local"),
        (Ipv4Addr::new(172, 16, 0, 0), 12, "private"),
        (Ipv4Addr::new(192, 0, 0, 0), 24, "reserved for protocols"),
        (Ipv4Addr::new(192, 0, 2, 0), 24, "for documentation"),
        (Ipv4Addr::new(192, 88, 99, 0), 24, "a 6to4 relay"),
        (Ipv4Addr::new(192, 168, 0, 0), 16, "private"),
        (Ipv4Addr::new(198, 18, 0, 0), 15, "for benchmarks"),
        (Ipv4Addr::new(198, 51, 100, 0), 24, "for documentation"),
        (Ipv4Addr::new(203, 0, 113, 0), 24, "for documentation"),
        (Ipv4Addr::new(224, 0, 0, 0), 4, "multicast"),
        (Ipv4Addr::new(240, 0, 0, 0), 4, "reserved"),
        (Ipv4Addr::BROADCAST, 32, "broadcast"),
    ];
    TABLE.iter().find(|(net, bits, _)| Ipv4Net::new_assert(*net, *bits).contains(&ip)).map(|(_, _, why)| *why)
}

/// Judges an IPv6 address: by the IPv4 address inside where it has one, else by its range.
fn special_v6(ip: Ipv6Addr) -> Result<(), Refusal> {
    for inner in embedded(ip).into_iter().flatten() {
        if let Some(why) = special_v4(inner) {
            return Err(Refusal::Embedded(ip, inner, why));
        }
    }
    reserved_v6(ip).map_or(Ok(()), |why| Err(Refusal::Address(ip.into(), why)))
}

fn reserved_v6(ip: Ipv6Addr) -> Option<&'static str> {
    const fn net(a: u16, b: u16, c: u16, bits: u8) -> Ipv6Net {
        Ipv6Net::new_assert(Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0), bits)
    }
    const OPEN: [Ipv6Net; 2] = [net(0x64, 0xff9b, 0, 96), net(0x2001, 0, 0, 32)];
    const TABLE: [(Ipv6Net, &str); 9] = [
        (net(0xfc00, 0, 0, 7), "private"),
        (net(0xfe80, 0, 0, 10), "link-local"),
        (net(0xfec0, 0, 0, 10), "site-local"),
        (net(0xff00, 0, 0, 8), "multicast"),
        (net(0x64, 0xff9b, 1, 48), "translated to a private network"),
        (net(0x100, 0, 0, 64), "discarded"),
        (net(0x2001, 0, 0, 23), "reserved for protocols"),
        (net(0x2001, 0xdb8, 0, 32), "for documentation"),
        (net(0x3fff, 0, 0, 20), "for documentation"),
    ];
    if ip == Ipv6Addr::LOCALHOST {
        return Some("loopback");
    }
    if ip.is_unspecified() {
        return Some("unspecified");
    }
    let mapped = ip.to_ipv4_mapped().is_some();
    if mapped || OPEN.iter().any(|open| open.contains(&ip)) {
        return None; // judged by what is inside
    }
    if let Some((_, why)) = TABLE.iter().find(|(net, _)| net.contains(&ip)) {
        return Some(why);
    }
    let global = ip.segments()[0] & 0xe000 == 0x2000;
    (!global).then_some("not in the global range")
}

/// The IPv4 addresses that an IPv6 address carries by rule: mapped (RFC 4291), translated (RFC 6052), 6to4 (RFC 3056),
/// Teredo (RFC 4380: server, and client with its bits flipped), ISATAP (RFC 5214).
fn embedded(ip: Ipv6Addr) -> [Option<Ipv4Addr>; 2] {
    let s = ip.segments();
    let v4 = |a: u16, b: u16| Some(Ipv4Addr::from(u32::from(a) << 16 | u32::from(b)));
    let tail = v4(s[6], s[7]);
    match s {
        [0, 0, 0, 0, 0, 0xffff, _, _] => [tail, None],
        [0x64, 0xff9b, 0, 0, 0, 0, _, _] => [tail, None],
        [0x2002, a, b, ..] => [v4(a, b), None],
        [0x2001, 0, a, b, _, _, c, d] => [v4(a, b), v4(!c, !d)],
        [_, _, _, _, 0 | 0x200, 0x5efe, _, _] => [tail, None],
        _ => [None, None],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(allowed: &[&str], address: &str) -> Result<(), Refusal> {
        Guard::new(allowed.iter().map(|net| net.parse().unwrap()).collect()).address(address.parse().unwrap())
    }

    fn ask(allowed: &[&str], url: &str) -> Result<(), Refusal> {
        let guard = Guard::new(allowed.iter().map(|net| net.parse().unwrap()).collect());
        guard.url(&url.parse().unwrap())
    }

    #[test]
    fn the_edges_of_every_range() {
        let outside = [
            "1.0.0.0",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
            "128.0.0.0",
            "169.253.255.255",
            "169.255.0.0",
            "172.15.255.255",
            "172.32.0.0",
            "191.255.255.255",
            "192.0.1.0",
            "192.0.3.0",
            "192.88.98.255",
            "192.88.100.0",
            "192.167.255.255",
            "192.169.0.0",
            "198.17.255.255",
            "198.20.0.0",
            "198.51.99.255",
            "198.51.101.0",
            "203.0.112.255",
            "203.0.114.0",
            "223.255.255.255",
            "2606:4700::1111",
            "2001:200::1",
            "2001:4860:4860::8888",
            "2003::1",
            "64:ff9b::8.8.8.8",
            "::ffff:8.8.8.8",
            "2002:808:808::1",
            "2001:0:808:808:0:0:f7f7:f7f7",
            "2a00::5efe:8.8.8.8",
        ];
        for address in outside {
            assert_eq!(judge(&[], address), Ok(()), "{address}");
        }
        let inside = [
            "0.0.0.0",
            "0.255.255.255",
            "10.0.0.0",
            "10.255.255.255",
            "100.64.0.0",
            "100.127.255.255",
            "127.0.0.0",
            "127.255.255.255",
            "169.254.0.0",
            "169.254.169.254",
            "169.254.255.255",
            "172.16.0.0",
            "172.31.255.255",
            "192.0.0.0",
            "192.0.0.255",
            "192.0.2.0",
            "192.88.99.1",
            "192.168.0.0",
            "192.168.255.255",
            "198.18.0.0",
            "198.19.255.255",
            "198.51.100.7",
            "203.0.113.255",
            "224.0.0.0",
            "239.255.255.255",
            "240.0.0.0",
            "255.255.255.255",
            "::",
            "::1",
            "::2",
            "::7f00:1",
            "fc00::",
            "fdff::1",
            "fe80::1",
            "febf::1",
            "fec0::1",
            "ff02::1",
            "100::1",
            "2001:db8::1",
            "2001:2::1",
            "2001:10::1",
            "2001:20::1",
            "2001:1ff::1",
            "3fff::1",
            "3fff:fff::1",
            "4000::1",
            "5f00::1",
            "64:ff9b:1::8.8.8.8",
            "200::1",
            "1::1",
        ];
        for address in inside {
            assert!(matches!(judge(&[], address), Err(Refusal::Address(..))), "{address}");
        }
    }

    #[test]
    fn embedded_forms_are_judged_by_what_is_inside() {
        let hidden = [
            "::ffff:127.0.0.1",
            "::ffff:10.1.2.3",
            "64:ff9b::169.254.169.254",
            "64:ff9b::7f00:1",
            "2002:7f00:1::1",
            "2002:a00:1::",
            "2001:0:a00:1:0:0:f7f7:f7f7",
            "2001:0:808:808:0:0:80ff:fffe",
            "2a00::5efe:127.0.0.1",
            "2a00::200:5efe:a00:1",
        ];
        for address in hidden {
            assert!(matches!(judge(&[], address), Err(Refusal::Embedded(..))), "{address}");
            assert!(judge(&["127.0.0.0/8", "10.0.0.0/8", "169.254.0.0/16"], address).is_err(), "{address} allowed");
        }
        assert_eq!(judge(&["::ffff:127.0.0.0/104"], "::ffff:127.0.0.1"), Ok(()));
    }

    #[test]
    fn allowed_nets_cover_what_they_name_and_no_more() {
        assert_eq!(judge(&["127.0.0.0/8"], "127.0.0.1"), Ok(()));
        assert_eq!(judge(&["127.0.0.1/32"], "127.0.0.1"), Ok(()));
        assert!(judge(&["127.0.0.1/32"], "127.0.0.2").is_err());
        assert!(judge(&["127.0.0.0/8"], "::1").is_err());
        assert!(judge(&["0.0.0.0/0"], "::ffff:127.0.0.1").is_err());
        assert_eq!(judge(&["::1/128"], "::1"), Ok(()));
    }

    #[test]
    fn every_spelling_of_a_private_host_is_seen_through() {
        for host in
            ["127.0.0.1", "127.1", "2130706433", "0x7f000001", "0x7f.1", "017700000001", "0177.0.0.01", "127.0.0.1."]
        {
            let url = format!("http://{host}/");
            assert!(matches!(ask(&[], &url), Err(Refusal::Address(..))), "{url}");
            assert_eq!(ask(&["127.0.0.0/8"], &url), Ok(()), "{url}");
        }
        for url in ["http://[::1]/", "http://[::ffff:7f00:1]/", "http://[::ffff:127.0.0.1]/", "http://①②⑦.0.0.1/"]
        {
            assert!(ask(&["127.0.0.0/8"], url).is_err() || url.contains('①'), "{url}");
            assert!(ask(&[], url).is_err(), "{url}");
        }
    }

    #[test]
    fn scheme_user_info_and_port() {
        for url in ["ftp://example.org/", "file:///etc/passwd", "gopher://example.org:80/", "data:text/html,x"] {
            assert!(matches!(ask(&[], url), Err(Refusal::Scheme(_))), "{url}");
        }
        for url in ["http://user@example.org/", "https://x.com:secret@example.org/", "http://:p@example.org/"] {
            assert_eq!(ask(&[], url), Err(Refusal::UserInfo), "{url}");
        }
        for port in [1, 21, 22, 25, 79, 81, 442, 444, 1023, 1024, 6000, 6667, 10080] {
            assert_eq!(ask(&["0.0.0.0/0"], &format!("http://example.org:{port}/")), Err(Refusal::Port(port)));
        }
        for port in [80, 443, 1025, 8080, 8443, 65535] {
            assert_eq!(ask(&[], &format!("http://example.org:{port}/")), Ok(()));
        }
    }
}
