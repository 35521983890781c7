//! WARC files written and read: `cargo bench --bench warc -- write DIR [EXCHANGES]`, `-- stream DIR [MIB]`,
//! `-- verify FILE`, `-- index FILE`, `-- sha`. One JSON line each, with CPU seconds, so that it can stand beside other
//! tools in one table.

#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]
#![expect(clippy::unwrap_used, reason = "a benchmark that fails may end")]

use std::path::Path;
use std::time::Instant;

use jiff::Timestamp;
use onrecord::format::cdxj::Entry;
use onrecord::format::sha2x;
use onrecord::format::warc::read::{Reader, Rules, Want};
use onrecord::format::warc::record::Record;
use onrecord::world::durable::Disk;
use onrecord::world::vault::{Limits, Making, Vault};
use uuid::Uuid;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["write", dir, rest @ ..] => write(Path::new(dir), rest.first().map_or(6500, |n| n.parse().unwrap())),
        ["stream", dir, rest @ ..] => stream(Path::new(dir), rest.first().map_or(512, |n| n.parse().unwrap())),
        ["verify", file] => read(file, false),
        ["index", file] => read(file, true),
        ["sha"] => sha(),
        // `cargo test` runs it without words; there is nothing to do then.
        _ => {}
    }
}

/// User and system seconds of this process, and its peak memory in MiB.
fn cost() -> (f64, u64) {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    let ticks: f64 = fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap();
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    (ticks / 100.0, peak.trim().trim_end_matches(" kB").trim().parse::<u64>().unwrap() / 1024)
}

fn report(what: &str, bytes: u64, count: u64, from: (f64, Instant)) {
    let (cpu, peak) = cost();
    let cpu = cpu - from.0;
    let wall = from.1.elapsed().as_secs_f64();
    let rate = bytes as f64 / 1e6 / cpu.max(0.001);
    println!(
        "{{\"what\":\"{what}\",\"bytes\":{bytes},\"count\":{count},\"cpu_s\":{cpu:.3},\"wall_s\":{wall:.3},\
         \"MBps_cpu\":{rate:.0},\"cpu_s_per_1000\":{:.4},\"peak_MiB\":{peak}}}",
        cpu * 1000.0 / count.max(1) as f64
    );
}

struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn bytes(&mut self, len: usize) -> Vec<u8> {
        std::iter::repeat_with(|| self.next().to_le_bytes()).flatten().take(len).collect()
    }

    fn html(&mut self, len: usize) -> Vec<u8> {
        let words = ["what", "statement", "minister", "Monday", "said", "record", "the", "of", "and", "evidence", "a"];
        let mut out = Vec::with_capacity(len + 16);
        while out.len() < len {
            let n = self.next();
            out.extend_from_slice(words[(n % 11) as usize].as_bytes());
            out.extend_from_slice(if n.is_multiple_of(97) { b"</p>\n<p>" } else { b" " });
        }
        out
    }
}

fn vault(dir: &Path) -> Vault {
    let making = Making {
        now: Box::new(|| Timestamp::UNIX_EPOCH),
        id: Box::new(Uuid::new_v4),
        about: vec![("software".into(), "onrecord".into())],
    };
    Vault::open(dir, Limits::default(), making, Disk::default()).unwrap().0
}

/// Of 6.5 exchanges 2.5 are redirects, one a page of 30 to 80 KB, three pictures of 5 to 200 KB.
fn write(dir: &Path, exchanges: u64) {
    let mut chance = Chance(88_172_645_463_325_252);
    let page = chance.html(80_000);
    let picture = chance.bytes(200_000);
    let mut vault = vault(dir);
    let (mut bytes, from) = (0, (cost().0, Instant::now()));
    for n in 0..exchanges {
        let (head, body): (&str, &[u8]) = match n * 2 % 13 {
            0..=4 => ("301 Moved\r\nLocation: /next", b""),
            5 | 6 => ("200 OK\r\nContent-Type: text/html", &page[..30_000 + (chance.next() % 50_000) as usize]),
            _ => ("200 OK\r\nContent-Type: image/jpeg", &picture[..5_000 + (chance.next() % 50_000) as usize]),
        };
        let head = format!("HTTP/1.1 {head}\r\nContent-Length: {}\r\n\r\n", body.len());
        let url = format!("https://a.example/{n}");
        let id = Uuid::new_v4();
        let response = Record::response(id, Timestamp::UNIX_EPOCH, &url, [head.as_bytes(), body].concat());
        let asked = format!("GET /{n} HTTP/1.1\r\nHost: a.example\r\nAccept-Encoding: gzip\r\n\r\n").into_bytes();
        let request = Record::request(Uuid::new_v4(), Timestamp::UNIX_EPOCH, &url, asked).concurrent_to(id);
        bytes += vault.append(&response).unwrap().block_len;
        vault.append(&request).unwrap();
        if n % 50 == 49 {
            vault.sync().unwrap();
        }
    }
    vault.close().unwrap();
    report("write", bytes, exchanges, from);
}

fn stream(dir: &Path, mib: u64) {
    let piece = Chance(1).bytes(64 * 1024);
    let head = b"HTTP/1.1 200 OK\r\nContent-Type: video/mp4\r\n\r\n".to_vec();
    let record = Record::response(Uuid::new_v4(), Timestamp::UNIX_EPOCH, "https://a.example/big", head);
    let mut vault = vault(dir);
    let from = (cost().0, Instant::now());
    let mut stream = vault.stream(record, &[]).unwrap();
    for _ in 0..mib * 16 {
        stream.write(&piece).unwrap();
    }
    stream.finish(&[]).unwrap();
    report("stream", mib << 20, 1, from);
}

fn read(file: &str, index: bool) {
    let bytes = std::fs::metadata(file).unwrap().len();
    let from = (cost().0, Instant::now());
    let want = Want { rules: Rules::Foreign, check: !index, whole: false, entity: false, keep: 0 };
    let mut reader = Reader::new(std::fs::File::open(file).unwrap(), 0, want).unwrap();
    let (mut count, mut problems, mut checked, mut lines) = (0, 0, 0, Vec::new());
    while let Some(item) = reader.next().unwrap() {
        count += 1;
        problems += item.problems.len();
        checked += item.checked;
        if index && let Some(entry) = Entry::of(item, "a.warc.gz") {
            entry.write(&mut lines);
        }
    }
    println!("problems {problems}, digests {checked}, index bytes {}", lines.len());
    report(if index { "index" } else { "verify" }, bytes, count, from);
}

fn sha() {
    let (a, b) = (Chance(1).bytes(1 << 20), Chance(2).bytes(1 << 20));
    for (what, portable) in [("sha, sha2 crate, one after the other", true), ("sha, two in step", false)] {
        let from = (cost().0, Instant::now());
        for _ in 0..512 {
            let lane = || if portable { sha2x::Lane::portable() } else { sha2x::Lane::default() };
            let (mut first, mut second) = (lane(), lane());
            sha2x::update_both(&mut first, &a, &mut second, &b);
            std::hint::black_box((first.finish(), second.finish()));
        }
        report(what, 1024 << 20, 512, from);
    }
}
