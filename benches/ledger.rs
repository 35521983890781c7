//! What the ledger costs: durable appends, audit paths from the tiles on the disk, and their checks.
//!
//! `cargo bench --bench ledger -- [--n LEAVES] [--batch LEAVES] [--dir FOLDER]`. One JSON line an operation, in the form of a
//! comparison that runs other logs beside it. The leaves are SHA-256 of their numbers, made outside the measured time;
//! leaves to prove are drawn by a fixed rule over the whole log. A log of that size already in FOLDER is read and not made.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a bench: what fails ends it, and it prints its figures")]

use std::path::{Path, PathBuf};
use std::time::Instant;

use onrecord::format::digest::Digest;
use onrecord::format::merkle::{record_leaf, verify_consistency, verify_inclusion};
use onrecord::format::note::{Ed25519Signer, KeyKind};
use onrecord::ledger::Edge;
use onrecord::world::durable::Disk;
use onrecord::world::keys::SecretKey;
use onrecord::world::tiles::Log;
use onrecord::world::tiles::nodes::Nodes;
use onrecord::world::tiles::prover::Prover;
use onrecord::world::tiles::reader::Tiles;

/// Proofs in one measurement.
const PROOFS: u64 = 200_000;

fn main() {
    let number = |name: &str, or: u64| argument(name).map_or(or, |n| n.parse().unwrap());
    let (n, batch) = (number("--n", 100_000), number("--batch", 1000));
    let scratch = tempfile::tempdir().unwrap();
    let folder = argument("--dir").map_or_else(|| scratch.path().join("ledger"), PathBuf::from);
    let signer = SecretKey::generate().unwrap().signer("bench.example".parse().unwrap(), KeyKind::Ed25519).unwrap();
    let tiles = Tiles::new(&folder);
    if tiles.claimed_size() != Some(n) {
        in_memory(n);
        on_disk(&folder, &signer, n, batch);
        proofs(&tiles, n, "prove_inclusion");
    }
    let lap = Lap::start();
    let built = Nodes::build(&tiles, n).unwrap();
    lap.end("build_nodes", n, &format!(",\"tiles\":{built}"));
    proofs(&tiles, n, "prove_inclusion (nodes stored)");
    consistency(&tiles, n);
}

fn argument(name: &str) -> Option<String> {
    std::env::args().skip_while(|word| word != name).nth(1)
}

fn leaf(i: u64) -> Digest {
    let mut bytes = [0; 32];
    for (chunk, word) in bytes.chunks_exact_mut(8).zip(1u64..) {
        chunk.copy_from_slice(&mix(i.wrapping_mul(4).wrapping_add(word)).to_le_bytes());
    }
    Digest(bytes)
}

/// splitmix64: spread over all 64 bits, the same every time.
fn mix(i: u64) -> u64 {
    let mut z = i.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Tree and tiles without a disk under them.
fn in_memory(n: u64) {
    let mut edge = Edge::default();
    let mut bytes = 0;
    let lap = Lap::start();
    for from in (0..n).step_by(1000) {
        let leaves: Vec<Digest> = (from..(from + 1000).min(n)).map(leaf).collect();
        edge.append_all(&leaves, &mut |_, held| bytes += held.len());
    }
    lap.end("append (in memory)", n, &format!(",\"root\":\"{}\"", edge.root().hex()));
    assert!(n < 256 || bytes > 0);
}

/// Every batch durable and under a signed checkpoint before the next.
fn on_disk(folder: &Path, signer: &Ed25519Signer, n: u64, batch: u64) {
    let mut log = Log::create(folder, signer, &Disk::default()).unwrap();
    let lap = Lap::start();
    let mut at = 0;
    while at < n {
        let end = (at + batch).min(n);
        let leaves: Vec<Digest> = (at..end).map(leaf).collect();
        log.append(&leaves);
        log.commit(signer).unwrap();
        at = end;
    }
    lap.end("append (durable)", n, &format!(",\"batch\":{batch}"));
}

/// In pieces, so that the paths made do not add up to the memory that is reported.
fn proofs(tiles: &Tiles, n: u64, what: &str) {
    let count = PROOFS.min(n);
    let root = tiles.root(n, n).unwrap();
    let mut prover = Prover::new(tiles, n);
    let (mut proving, mut checking) = (Lap::stopped(), Lap::stopped());
    for from in (0..count).step_by(1000) {
        let drawn = from..(from + 1000).min(count);
        let lap = Lap::start();
        let made: Vec<_> = drawn.clone().map(|i| prover.inclusion(mix(i) % n).unwrap()).collect();
        proving.add(&lap);
        let lap = Lap::start();
        for (i, path) in drawn.zip(&made) {
            let index = mix(i) % n;
            verify_inclusion(&record_leaf(&leaf(index)), index, n, path, &root).unwrap();
        }
        checking.add(&lap);
    }
    proving.print(what, count, "");
    checking.print("verify_inclusion", count, "");
}

fn consistency(tiles: &Tiles, n: u64) {
    let count = 2000.min(n);
    let root = tiles.root(n, n).unwrap();
    let lap = Lap::start();
    let made: Vec<_> = (0..count).map(|i| tiles.consistency(1 + mix(i) % (n - 1), n).unwrap()).collect();
    lap.end("prove_consistency", count, "");
    let old = 1 + mix(0) % (n - 1);
    verify_consistency(old, &tiles.root(old, n).unwrap(), n, &root, &made[0]).unwrap();
}

/// Wall and CPU time, at a start or in a sum.
struct Lap(f64, f64);

impl Lap {
    fn start() -> Self {
        Self(wall(), cpu())
    }

    fn stopped() -> Self {
        Self(0.0, 0.0)
    }

    fn add(&mut self, since: &Self) {
        self.0 += wall() - since.0;
        self.1 += cpu() - since.1;
    }

    fn end(self, op: &str, n: u64, more: &str) {
        let mut sum = Self::stopped();
        sum.add(&self);
        sum.print(op, n, more);
    }

    fn print(self, op: &str, n: u64, more: &str) {
        let Self(wall, cpu) = self;
        #[expect(clippy::cast_precision_loss, reason = "a rate")]
        let rate = n as f64 / cpu.max(1e-9);
        println!(
            "{{\"what\":\"merkle\",\"who\":\"onrecord\",\"op\":\"{op}\",\"n\":{n},\"wall_s\":{wall:.4},\"cpu_s\":{cpu:.4},\"per_s_cpu\":{rate:.0},\"rss_mib\":{}{more}}}",
            peak_mib()
        );
    }
}

fn wall() -> f64 {
    static BEGAN: std::sync::LazyLock<Instant> = std::sync::LazyLock::new(Instant::now);
    BEGAN.elapsed().as_secs_f64()
}

/// CPU seconds of the whole process so far, user and system.
fn cpu() -> f64 {
    let used = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    std::time::Duration::try_from(used).unwrap().as_secs_f64()
}

fn peak_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
}
