//! Hosts whose URLs are codes for other URLs, as services and platforms run them (as of autumn 2026).

use std::collections::HashSet;
use std::sync::LazyLock;

use foldhash::fast::FixedState;

/// Whether `host` (any case, with or without `www.`) only forwards codes. `t.co` and `pic.twitter.com` are not in this
/// list: they have forms of their own.
pub fn is_known(host: &str) -> bool {
    if host.len() > LONGEST {
        return false;
    }
    if host.bytes().any(|b| b.is_ascii_uppercase()) {
        return is_known(&host.to_ascii_lowercase());
    }
    TABLE.contains(host.strip_prefix("www.").unwrap_or(host))
}

/// [`HOSTS`], to be asked of every link; the keys are ours.
static TABLE: LazyLock<HashSet<&str, FixedState>> = LazyLock::new(|| HOSTS.iter().copied().collect());

/// No host in the list is longer, with `www.`.
const LONGEST: usize = 24;

/// Sorted. Services open to anybody, and the houses that shorten their own links.
const HOSTS: &[&str] = &[
    "0rz.tw",
    "1url.com",
    "2.gp",
    "abcn.ws",
    "adf.ly",
    "aje.io",
    "alturl.com",
    "amn.st",
    "amzn.asia",
    "amzn.eu",
    "amzn.to",
    "ans.ly",
    "apne.ws",
    "apple.co",
    "apple.news",
    "bbc.in",
    "bddy.me",
    "bit.do",
    "bit.ly",
    "bitly.com",
    "bl.ink",
    "bloom.bg",
    "brook.gs",
    "buff.ly",
    "chilp.it",
    "clck.ru",
    "cnb.cx",
    "cnet.co",
    "cnn.it",
    "cort.as",
    "cutt.ly",
    "cutt.us",
    "db.tt",
    "dlvr.it",
    "econ.st",
    "ed.gr",
    "eepurl.com",
    "engt.co",
    "es.pn",
    "f24.my",
    "fal.cn",
    "fave.co",
    "fb.me",
    "fb.watch",
    "flic.kr",
    "flip.it",
    "fxn.ws",
    "g.co",
    "git.io",
    "go.nasa.gov",
    "goo.gl",
    "goo.su",
    "gu.com",
    "hill.cm",
    "ht.ly",
    "hubs.la",
    "hubs.ly",
    "huff.to",
    "hyperurl.co",
    "ibm.co",
    "ift.tt",
    "interc.pt",
    "is.gd",
    "j.mp",
    "jo.my",
    "kck.st",
    "l.ead.me",
    "lat.ms",
    "lemde.fr",
    "linktr.ee",
    "lnk.bio",
    "lnkd.in",
    "maps.app.goo.gl",
    "merky.de",
    "msft.it",
    "mz.cm",
    "n.pr",
    "naver.me",
    "nbcnews.to",
    "nyer.cm",
    "nyti.ms",
    "on.fb.me",
    "on.ft.com",
    "on.msnbc.com",
    "on.rt.com",
    "on.wsj.com",
    "ow.ly",
    "owl.li",
    "p.dw.com",
    "pca.st",
    "po.st",
    "politi.co",
    "qr.ae",
    "qr.net",
    "rb.gy",
    "rdcu.be",
    "rebrand.ly",
    "reurl.cc",
    "reut.rs",
    "s.id",
    "scr.bi",
    "shar.es",
    "shorl.com",
    "short.io",
    "shorturl.at",
    "skfb.ly",
    "smarturl.it",
    "smu.gs",
    "snip.ly",
    "spoti.fi",
    "spr.ly",
    "surl.li",
    "t.cn",
    "t.ly",
    "tcrn.ch",
    "tgr.ph",
    "theatln.tc",
    "ti.me",
    "tiny.cc",
    "tiny.one",
    "tiny.pl",
    "tinyurl.com",
    "tmblr.co",
    "tr.im",
    "trib.al",
    "tw.gs",
    "u.nu",
    "u.to",
    "url.ie",
    "urlz.fr",
    "usat.ly",
    "v.gd",
    "vk.cc",
    "vm.tiktok.com",
    "vt.tiktok.com",
    "vurl.com",
    "w.wiki",
    "wapo.st",
    "wef.ch",
    "wp.me",
    "x.gd",
    "xurl.es",
    "yhoo.it",
    "zpr.io",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_sorted_and_answers_in_any_case() {
        assert!(HOSTS.is_sorted(), "binary search needs it");
        assert!(HOSTS.iter().all(|host| host.len() + 4 <= LONGEST), "what is longer is not looked up");
        assert!(is_known("BIT.LY") && is_known("www.tinyurl.com") && is_known("on.ft.com"));
        assert!(!is_known("example.org") && !is_known("ly") && !is_known("t.co"));
    }
}
