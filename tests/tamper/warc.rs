//! Attacks on single WARC records. Whoever does them covers the traces in the catalogue.

use onrecord::format::digest::Digest;

use super::world::{At, Fixture, Member, flip_body, gzip, other_nonce};
use super::{Attack, attack};

/// A page: which answer lies first in the file is the network's to say, and a redirect has no 200 to change.
fn response(f: &Fixture) -> At {
    let is_page = |m: &Member| m.block().starts_with(b"HTTP/1.1 200") && m.block().len() > 400;
    f.find(&f.warc(), |m| m.kind() == "response" && m.field("WARC-Payload-Digest").is_some() && is_page(m))
}

fn of_uri(f: &Fixture, begins: &str) -> At {
    f.find(&f.warc(), |m| m.uri().starts_with(begins))
}

/// Two responses with different bodies.
fn two(f: &Fixture) -> (At, At) {
    let all = f.warc();
    let one = response(f);
    let digest = one.1.field("WARC-Payload-Digest");
    let is_other = |m: &Member| {
        m.kind() == "response"
            && m.block().len() > 400
            && m.field("WARC-Payload-Digest").is_some_and(|d| Some(d) != digest)
    };
    (one, f.find_last(&all, is_other))
}

fn in_block(m: &Member, old: &str, new: &str) -> Vec<u8> {
    let at = m.block().windows(old.len()).position(|w| w == old.as_bytes()).expect("the block holds it");
    let mut block = m.block().to_vec();
    block.splice(at..at + old.len(), new.bytes());
    block
}

fn head_and(m: &Member, block: &[u8]) -> Vec<u8> {
    [m.head().as_bytes(), block, b"\r\n\r\n"].concat()
}

fn added(f: &Fixture, uri: &str, content_type: &str, block: &[u8]) -> Vec<u8> {
    let like = response(f).1;
    let id = "00000000-0000-4000-8000-000000000001";
    let kind = if content_type.starts_with("application/http") { "response" } else { "metadata" };
    let head = format!(
        "WARC/1.1\r\nWARC-Type: {kind}\r\nWARC-Record-ID: <urn:uuid:{id}>\r\nWARC-Date: {}\r\nWARC-Target-URI: {uri}\r\n\
         WARC-Block-Digest: {}\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\n\r\n",
        like.field("WARC-Date").unwrap(),
        Digest::of(block),
        block.len()
    );
    gzip(&[head.as_bytes(), block, b"\r\n\r\n"].concat())
}

const NEW_ID: &str = "00000000-0000-4000-8000-000000000001";

fn put_behind(f: &Fixture, at: &At, bytes: &[u8]) -> String {
    let path = f.path(&at.0);
    let end = at.1.offset + at.1.length;
    let mut all = std::fs::read(&path).unwrap();
    all.splice(end..end, bytes.iter().copied());
    std::fs::write(path, all).unwrap();
    format!("warc/{}@{end}", at.0)
}

/// Puts a record behind all others of a sealed file, and has the archive itself make its catalogue anew.
fn appended(f: &Fixture, file: &str, bytes: &[u8]) -> String {
    let end = std::fs::metadata(f.path(file)).unwrap().len();
    f.edit(&f.path(file), |all| all.extend_from_slice(bytes));
    let size = f.size();
    f.reindex();
    assert_eq!(f.size(), size, "nothing of it was signed");
    assert_eq!(
        f.one(&format!("SELECT count(*) || '' FROM warc_record WHERE id = x'{}'", NEW_ID.replace('-', ""))),
        "0"
    );
    format!("warc/{file}@{end}")
}

pub(super) const ATTACKS: &[Attack] = &[
    attack("warc-payload-flipped", &["payload-changed"], |f| f.change(&response(f), flip_body)),
    attack("warc-payload-replaced-digests-recomputed", &["payload-changed"], |f| {
        f.change(&response(f), |m| m.with_block(&m.turned()))
    }),
    attack("warc-payload-shortened-digests-recomputed", &["payload-changed"], |f| {
        f.change(&response(f), |m| m.with_block(&m.block()[..m.block().len() - 40]))
    }),
    attack("warc-http-status-edited", &["header-changed"], |f| {
        f.change(&response(f), |m| head_and(m, &in_block(m, "200", "404")))
    }),
    attack("warc-http-status-edited-digests-recomputed", &["header-changed"], |f| {
        f.change(&response(f), |m| m.with_block(&in_block(m, "200", "404")))
    }),
    attack("warc-url-edited", &["header-changed"], |f| {
        f.change(&response(f), |m| m.with_field("WARC-Target-URI", &format!("{}x", m.uri())))
    }),
    attack("warc-date-edited", &["header-changed"], |f| {
        f.change(&response(f), |m| m.with_field("WARC-Date", "2019-06-10T08:00:00.000000Z"))
    }),
    attack("warc-address-edited", &["header-changed"], |f| {
        f.change(&response(f), |m| m.with_field("WARC-IP-Address", "192.0.2.7"))
    }),
    attack("warc-payload-digest-stripped", &["header-changed"], |f| {
        f.change(&response(f), |m| m.without("WARC-Payload-Digest"))
    }),
    attack("warc-block-digest-stripped", &["digest-missing"], |f| {
        f.change(&response(f), |m| m.without("WARC-Block-Digest"))
    }),
    attack("warc-date-stripped", &["field-missing", "record-missing"], |f| {
        f.change(&response(f), |m| m.without("WARC-Date"))
    }),
    attack("warc-length-shortened", &["length-wrong", "record-missing"], |f| {
        f.change(&response(f), |m| m.with_field("Content-Length", &(m.block().len() - 1).to_string()))
    }),
    attack("warc-length-lengthened", &["length-wrong", "record-missing"], |f| {
        f.change(&response(f), |m| m.with_field("Content-Length", &(m.block().len() + 1).to_string()))
    }),
    attack("warc-field-repeated", &["field-repeated"], |f| {
        f.change(&response(f), |m| {
            m.with_head(&m.head().replacen("\r\n", "\r\nWARC-Target-URI: https://example.org/\r\n", 1))
        })
    }),
    attack("warc-request-edited-digests-recomputed", &["record-changed"], |f| {
        let request = f.find(&f.warc(), |m| m.kind() == "request");
        f.change(&request, |m| m.with_block(&in_block(m, "GET /", "GET //")))
    }),
    attack("warc-request-tied-to-another-response", &["record-changed"], |f| {
        let request = f.find(&f.warc(), |m| m.kind() == "request" && m.field("WARC-Concurrent-To").is_some());
        f.change(&request, |m| m.with_field("WARC-Concurrent-To", &format!("<urn:uuid:{NEW_ID}>")))
    }),
    attack("warc-certificates-replaced", &["record-changed"], |f| {
        f.change(&of_uri(f, "urn:x-tls-chain:"), |m| m.with_block(&m.turned()))
    }),
    attack("warc-statement-replaced", &["payload-changed"], |f| {
        f.change(&of_uri(f, "urn:onrecord:statement:"), |m| m.with_block(&m.turned()))
    }),
    attack("warc-manifest-edited", &["payload-changed"], |f| {
        f.change(&of_uri(f, "urn:onrecord:snapshot:"), |m| m.with_block(&in_block(m, "captured", "Captured")))
    }),
    attack("warc-response-dropped", &["record-missing"], |f| {
        let at = response(f);
        f.drop(&at);
        at.1.id()
    }),
    attack("warc-request-dropped", &["record-missing"], |f| {
        let at = f.find(&f.warc(), |m| m.kind() == "request");
        f.drop(&at);
        at.1.id()
    }),
    attack("warc-certificates-dropped", &["record-missing"], |f| {
        let at = of_uri(f, "urn:x-tls-chain:");
        f.drop(&at);
        at.1.id()
    }),
    attack("warc-statement-dropped", &["record-missing"], |f| {
        let at = of_uri(f, "urn:onrecord:statement:");
        f.drop(&at);
        at.1.id()
    }),
    attack("warc-manifest-dropped", &["record-missing"], |f| {
        let at = of_uri(f, "urn:onrecord:snapshot:");
        f.drop(&at);
        at.1.id()
    }),
    attack("warc-ledger-record-dropped", &["record-missing"], |f| {
        let at = f.records()[3].clone();
        f.drop(&at);
        "ledger/leaf/3".to_owned()
    }),
    attack("warc-exchange-added", &["record-added"], |f| {
        let at = response(f);
        let bytes =
            added(f, "https://example.org/", "application/http; msgtype=response", b"HTTP/1.1 200 OK\r\n\r\nnew");
        let place = put_behind(f, &at, &bytes);
        f.catalogued(NEW_ID, &bytes, &at.0, 1);
        place
    }),
    attack("warc-ledger-record-added", &["record-added"], |f| {
        let at = f.records()[2].clone();
        let forged = other_nonce(std::str::from_utf8(f.records()[1].1.block()).unwrap());
        let uri = format!("urn:onrecord:record:{}", Digest::of(forged.as_bytes()).hex());
        let bytes = added(f, &uri, "application/json", forged.as_bytes());
        let place = put_behind(f, &at, &bytes);
        f.catalogued(NEW_ID, &bytes, &at.0, 5);
        place
    }),
    attack("warc-exchange-appended-and-catalogued-anew", &["record-added"], |f| {
        let bytes =
            added(f, "https://example.org/", "application/http; msgtype=response", b"HTTP/1.1 200 OK\r\n\r\nnew");
        appended(f, &f.warc_names()[0], &bytes)
    }),
    attack("warc-exchange-appended-to-the-last-file-and-catalogued-anew", &["record-added"], |f| {
        let bytes =
            added(f, "https://example.org/", "application/http; msgtype=response", b"HTTP/1.1 200 OK\r\n\r\nnew");
        appended(f, f.warc_names().last().unwrap(), &bytes)
    }),
    attack("warc-exchange-put-between-and-catalogued-anew", &["record-added"], |f| {
        let bytes =
            added(f, "https://example.org/", "application/http; msgtype=response", b"HTTP/1.1 200 OK\r\n\r\nnew");
        let place = put_behind(f, &response(f), &bytes);
        f.reindex();
        place
    }),
    attack("warc-ledger-record-appended-and-catalogued-anew", &["record-added"], |f| {
        let forged = other_nonce(std::str::from_utf8(f.records()[1].1.block()).unwrap());
        let uri = format!("urn:onrecord:record:{}", Digest::of(forged.as_bytes()).hex());
        appended(f, &f.warc_names()[0], &added(f, &uri, "application/json", forged.as_bytes()))
    }),
    attack("warc-ledger-record-copied-with-its-mark-and-catalogued-anew", &["record-added"], |f| {
        let again = f.records()[2].1.with_field("WARC-Record-ID", &format!("<urn:uuid:{NEW_ID}>"));
        appended(f, f.warc_names().last().unwrap(), &gzip(&again))
    }),
    attack("warc-record-duplicated", &["duplicate-id"], |f| {
        let at = response(f);
        let place = put_behind(f, &at, &gzip(&at.1.plain));
        f.cover();
        place
    }),
    attack("warc-bodies-swapped", &["payload-changed"], |f| {
        let (one, two) = two(f);
        let place = f.change(&one, |m| m.with_block(two.1.block()));
        let other = f.find(&f.warc(), |m| m.id() == two.1.id());
        f.change(&other, |m| m.with_block(one.1.block()));
        place
    }),
    attack("warc-ids-swapped", &["payload-changed"], |f| {
        let (one, two) = two(f);
        let id = |m: &Member| m.field("WARC-Record-ID").unwrap();
        let place = f.change(&one, |m| m.with_field("WARC-Record-ID", &id(&two.1)));
        let other = f.find_last(&f.warc(), |m| m.uri() == two.1.uri() && m.block() == two.1.block());
        f.change(&other, |m| m.with_field("WARC-Record-ID", &id(&one.1)));
        place
    }),
    attack("warc-records-reordered", &["row-missing", "row-added", "row-changed"], |f| {
        let file = f.warc_names()[0].clone();
        let mut all = f.members(&file);
        let is_ours = |m: &Member| m.uri().starts_with("urn:onrecord:record:");
        let at = (1..all.len()).find(|n| !is_ours(&all[*n]) && !is_ours(&all[n + 1])).unwrap();
        all.swap(at, at + 1);
        std::fs::write(f.path(&file), all.iter().flat_map(|m| gzip(&m.plain)).collect::<Vec<_>>()).unwrap();
        "onrecord.db:warc_record/".to_owned()
    })
    .blind(),
    attack("warc-ledger-records-reordered", &["record-misplaced"], |f| {
        let records = f.records();
        let (one, two) = records.iter().zip(&records[1..]).find(|(a, b)| a.0 == b.0).unwrap();
        let mut all = f.members(&one.0);
        let place = |at: &At| all.iter().position(|m| m.id() == at.1.id()).unwrap();
        let (a, b) = (place(one), place(two));
        all.swap(a, b);
        std::fs::write(f.path(&one.0), all.iter().flat_map(|m| gzip(&m.plain)).collect::<Vec<_>>()).unwrap();
        f.cover();
        format!("warc/{}@", one.0)
    }),
    attack("warc-outcome-edited", &["payload-changed"], |f| {
        let at =
            f.find(&f.warc(), |m| m.uri().starts_with("urn:onrecord:record:") && in_text(m, "\"ending\":\"captured\""));
        f.change(&at, |m| m.with_block(&in_block(m, "\"ending\":\"captured\"", "\"ending\":\"gone\"")))
    }),
    attack("warc-outcome-edited-and-renamed", &["record-missing", "record-added"], |f| {
        let at =
            f.find(&f.warc(), |m| m.uri().starts_with("urn:onrecord:record:") && in_text(m, "\"ending\":\"captured\""));
        let index = f.records().iter().position(|(_, m)| m.id() == at.1.id()).unwrap();
        f.change(&at, |m| {
            let block = in_block(m, "\"ending\":\"captured\"", "\"ending\":\"gone\"");
            let plain = m.with_block(&block);
            let next = Member { plain, ..m.clone() };
            next.with_field("WARC-Target-URI", &format!("urn:onrecord:record:{}", Digest::of(&block).hex()))
        });
        format!("ledger/leaf/{index}")
    }),
];

fn in_text(m: &Member, what: &str) -> bool {
    String::from_utf8_lossy(m.block()).contains(what)
}
