//! Any text as a URL: what the guard lets through leads nowhere private, by a judgement written another way.
#![no_main]

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use libfuzzer_sys::fuzz_target;
use onrecord::world::guard::Guard;
use url::{Host, Url};

fuzz_target!(|data: &[u8]| {
    let guard = Guard::default();
    if let Ok(bytes) = <[u8; 16]>::try_from(data) {
        let address = Ipv6Addr::from(bytes);
        if guard.address(IpAddr::V6(address)).is_ok() {
            assert!(is_public_v6(address), "{address}");
        }
    }
    let Some(url) = std::str::from_utf8(data).ok().and_then(|text| Url::parse(text).ok()) else { return };
    if guard.url(&url).is_err() {
        return;
    }
    assert!(matches!(url.scheme(), "http" | "https"));
    assert!(url.username().is_empty() && url.password().is_none());
    match url.host() {
        Some(Host::Ipv4(ip)) => assert!(is_public_v4(ip), "{url}"),
        Some(Host::Ipv6(ip)) => assert!(is_public_v6(ip), "{url}"),
        Some(Host::Domain(name)) => assert!(name.parse::<IpAddr>().is_err(), "{url}"),
        None => panic!("a URL without a host passed: {url}"),
    }
});

fn is_public_v4(ip: Ipv4Addr) -> bool {
    let [a, b, c, _] = ip.octets();
    let shared = a == 100 && (64..128).contains(&b);
    let bench = a == 198 && (b == 18 || b == 19);
    let protocols = a == 192 && b == 0 && c == 0;
    let special = ip.is_private() || ip.is_loopback() || ip.is_link_local() || ip.is_documentation();
    !(a == 0 || a >= 224 || shared || bench || protocols || special)
}

fn is_public_v6(ip: Ipv6Addr) -> bool {
    let s = ip.segments();
    if let Some(inner) = ip.to_ipv4_mapped() {
        return is_public_v4(inner);
    }
    let [.., a, b, c, d] = ip.octets();
    if s[..6] == [0x64, 0xff9b, 0, 0, 0, 0] {
        return is_public_v4(Ipv4Addr::new(a, b, c, d));
    }
    let [_, _, e, f, g, h, ..] = ip.octets();
    let six_to_four = s[0] != 0x2002 || is_public_v4(Ipv4Addr::new(e, f, g, h));
    s[0] >> 13 == 1 && six_to_four && s[..2] != [0x2001, 0xdb8]
}
