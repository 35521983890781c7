//! WARC files of ours before readers that are not: the strict checker, warcio, FastWARC, cdxj-indexer, and the `warc`
//! crate.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use jiff::Timestamp;
use onrecord::format::digest::Digest;
use onrecord::format::http::Truncated;
use onrecord::format::warc::record::{Record, Referred};
use onrecord::world::durable::Disk;
use onrecord::world::vault::{Kept, Limits, Making, Vault};
use uuid::Uuid;

fn at(second: i64) -> Timestamp {
    Timestamp::from_microsecond(1_560_153_600_123_456 + second * 1_000_000).unwrap()
}

fn id(n: u128) -> Uuid {
    Uuid::from_u128(0xffff_0000_0000_4000_8000_0000_0000_0000 + n)
}

fn vault(dir: &Path) -> Vault {
    let mut count = 0;
    let making = Making {
        now: Box::new(|| at(0)),
        id: Box::new(move || {
            count += 1;
            id(1_000_000 + count)
        }),
        about: vec![
            ("software".into(), "onrecord/0.1.0".into()),
            ("format".into(), "WARC File Format 1.1".into()),
            (
                "conformsTo".into(),
                "http://iipc.github.io/warc-specifications/specifications/warc-format/warc-1.1/".into(),
            ),
        ],
    };
    Vault::open(dir, Limits::default(), making, Disk::default()).unwrap().0
}

/// Asks for `url` and answers `response`: two records of one event.
fn exchange(n: u128, url: &str, response: Vec<u8>) -> [Record; 2] {
    let host = url.split('/').nth(2).unwrap();
    let request = format!("GET /{n} HTTP/1.1\r\nHost: {host}\r\nAccept-Encoding: gzip\r\n\r\n").into_bytes();
    let answered = Record::response(id(2 * n), at(n as i64), url, response)
        .from_ip("2001:db8:0::1".parse().unwrap())
        .over("http/1.1")
        .over("tls/1.3")
        .cipher("TLS_AES_256_GCM_SHA384");
    let asked = Record::request(id(2 * n + 1), at(n as i64), url, request)
        .concurrent_to(id(2 * n))
        .from_ip("2001:db8:0::1".parse().unwrap());
    [answered, asked]
}

fn noise(len: usize) -> Vec<u8> {
    let mut seed = 1_u32;
    let next = || {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        seed.to_be_bytes()[0]
    };
    std::iter::repeat_with(next).take(len).collect()
}

fn plain(status: &str, head: &str, body: &[u8]) -> Vec<u8> {
    [format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n{head}\r\n", body.len()).as_bytes(), body].concat()
}

/// Every kind of record there is, in one archive: two files, one of them a stream's.
fn everything(dir: &Path) -> (Vec<PathBuf>, Vec<Kept>) {
    let mut vault = vault(dir);
    let mut records = Vec::new();
    let page = b"<!doctype html><p>said on Monday</p>".repeat(900);
    records.extend(exchange(1, "https://a.example/1", plain("200 OK", "Content-Type: text/html\r\n", &page)));
    records.extend(exchange(2, "https://a.example/2", plain("301 Moved", "Location: /1\r\n", b"")));
    records.extend(exchange(
        3,
        "https://a.example/3",
        plain("200 OK", "Content-Type: image/jpeg\r\n", &noise(140_000)),
    ));
    let chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n".to_vec();
    records.extend(exchange(4, "https://a.example/4", chunked));
    records.extend(exchange(5, "https://a.example/5", b"HTTP/1.1 204 No Content\r\n\r\n".to_vec()));
    let mut short = plain("200 OK", "", b"0123456789");
    short.truncate(short.len() - 4);
    let [cut, asked] = exchange(6, "https://a.example/\u{fc}", short);
    records.extend([cut.truncated(Truncated::Disconnect), asked]);
    let again = plain("200 OK", "Content-Type: text/html\r\n", &page);
    let head = again[..again.len() - page.len()].to_vec();
    let referred = Referred { id: id(2), uri: "https://a.example/1".into(), date: at(1) };
    records.push(Record::revisit(id(100), at(20), "https://a.example/1", head, Digest::of(&page), &referred));
    let request = b"GET /1 HTTP/1.1\r\nHost: a.example\r\n\r\n".to_vec();
    records.push(Record::request(id(101), at(20), "https://a.example/1", request).concurrent_to(id(100)));
    records.push(Record::resource(
        id(102),
        at(21),
        "dns:a.example",
        "text/dns",
        b"20190610 a.example 300 IN A 192.0.2.1".to_vec(),
    ));
    records.push(
        Record::metadata(id(103), at(20), "application/json", b"{\"kind\":\"x\"}".to_vec()).concurrent_to(id(100)),
    );
    let mut kept: Vec<Kept> = records.iter().map(|r| vault.append(r).unwrap()).collect();
    let body = noise(500_000);
    let [mut big, asked] = exchange(70, "https://a.example/70", plain("200 OK", "Content-Type: video/mp4\r\n", &body));
    let rest = big.block.split_off(1000);
    let mut stream = vault.stream(big, &[]).unwrap();
    rest.chunks(9999).for_each(|piece| stream.write(piece).unwrap());
    kept.push(stream.finish(&[]).unwrap().kept);
    kept.push(vault.append(&asked).unwrap());
    vault.close().unwrap();
    let mut names: Vec<String> = kept.iter().map(|k| k.place.file.clone()).collect();
    names.sort();
    names.dedup();
    (names.iter().map(|name| dir.join(name)).collect(), kept)
}

fn validators() -> Option<PathBuf> {
    let near = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared");
    let shared = std::env::var_os("ONRECORD_SHARED").map_or(near, PathBuf::from);
    let script = shared.join("validators/check-warc.sh");
    let venv = std::env::var_os("VAL_VENV")
        .map(PathBuf::from)
        .or_else(|| std::env::var_os("HOME").map(|home| Path::new(&home).join(".cache/onrecord-val")))?;
    (script.exists() && venv.join("bin/warcio").exists()).then_some(script)
}

#[test]
#[expect(clippy::print_stdout, reason = "a test that checks nothing must say so")]
fn four_independent_readers_accept_every_file() {
    let Some(script) = validators() else {
        println!("NOT CHECKED: the validators are not installed here");
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let (files, kept) = everything(dir.path());
    assert_eq!(files.len(), 2);
    let count = (kept.len() + files.len()).to_string();
    let run =
        Command::new("bash").arg(&script).args(["--sha256-required", "--count", &count]).args(&files).output().unwrap();
    let said = String::from_utf8_lossy(&run.stdout);
    assert!(run.status.success(), "{said}{}", String::from_utf8_lossy(&run.stderr));
    assert!(said.contains("CHECK-WARC PASS"), "{said}");
    let warnings: Vec<&str> = said.lines().filter(|line| line.starts_with("warning")).collect();
    assert!(warnings.iter().all(|w| w.contains("truncated")), "{said}");
}

#[test]
fn the_warc_crate_reads_every_record_byte_for_byte() {
    let dir = tempfile::tempdir().unwrap();
    let (files, kept) = everything(dir.path());
    let mut seen = 0;
    for file in &files {
        let reader = ::warc::WarcReader::from_path_gzip(file).unwrap();
        for record in reader.iter_records() {
            let record = record.unwrap();
            let name = record.warc_id().trim_matches(['<', '>']).to_owned();
            if let Some(kept) = kept.iter().find(|k| name == format!("urn:uuid:{}", k.name.id)) {
                let found = onrecord::world::vault::place::read_at(dir.path(), &kept.place).unwrap();
                assert_eq!(record.body(), found.record.block);
                seen += 1;
            }
        }
    }
    assert_eq!(seen, kept.len());
}

#[test]
fn gzip_itself_reads_the_same_bytes() {
    let dir = tempfile::tempdir().unwrap();
    let (files, _) = everything(dir.path());
    for file in &files {
        let mut plain = Vec::new();
        flate2::read::MultiGzDecoder::new(std::fs::File::open(file).unwrap()).read_to_end(&mut plain).unwrap();
        assert!(plain.starts_with(b"WARC/1.1\r\nWARC-Type: warcinfo\r\n"));
        assert!(plain.ends_with(b"\r\n\r\n"));
    }
}
