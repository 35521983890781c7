//! Fetches a list of URLs through the wire and keeps nothing: what one exchange costs before it is archived.
//!
//! `cargo bench --bench wire -- LIST [IN-FLIGHT]`: LIST is a file with one URL a line, all on loopback. Prints exchanges, wall and CPU
//! seconds, CPU-s per 1000 exchanges, and the peak of resident memory. Linux only (`/proc`).

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use onrecord::format::http::Request;
use onrecord::world::clock::Clock;
use onrecord::world::wire::Wire;
use onrecord::world::wire::settings::Settings;

type Failed = Box<dyn std::error::Error + Send + Sync>;

fn main() -> Result<(), Failed> {
    let mut args = std::env::args().skip(1).filter(|arg| arg != "--bench");
    // `cargo test` and `cargo bench` without a list run it too; there is nothing to do then.
    let Some(list) = args.next() else { return Ok(()) };
    let in_flight: usize = args.next().map_or(Ok(8), |n| n.parse())?;
    let urls = std::fs::read_to_string(list)?;
    let requests: Vec<Request> = urls.lines().map(|l| l.parse().map(Request::get)).collect::<Result<_, _>>()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let start = Instant::now();
    let (ok, bytes) = runtime.block_on(run(requests, in_flight))?;
    report(ok, bytes, start.elapsed())
}

async fn run(requests: Vec<Request>, in_flight: usize) -> Result<(u64, u64), Failed> {
    let settings = Settings {
        allow_net: vec!["127.0.0.0/8".parse()?],
        concurrency: in_flight,
        per_host: in_flight,
        ..Settings::default()
    };
    let wire = Wire::new(settings, Clock::real())?;
    let requests = Arc::new(requests);
    let next = Arc::new(AtomicUsize::new(0));
    let bytes = Arc::new(AtomicU64::new(0));
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..in_flight {
        let (wire, requests, next, bytes) =
            (wire.clone(), Arc::clone(&requests), Arc::clone(&next), Arc::clone(&bytes));
        tasks.spawn(async move {
            let mut ok = 0;
            while let Some(request) = requests.get(next.fetch_add(1, Ordering::Relaxed)) {
                let taken = wire.fetch(request, None).await;
                bytes.fetch_add(taken.received.len(), Ordering::Relaxed);
                ok += u64::from(taken.truncated.is_none() && taken.status().is_some());
            }
            ok
        });
    }
    let mut ok = 0;
    while let Some(task) = tasks.join_next().await {
        ok += task?;
    }
    Ok((ok, bytes.load(Ordering::Relaxed)))
}

#[expect(clippy::print_stdout, reason = "the figures are the result")]
fn report(ok: u64, bytes: u64, wall: Duration) -> Result<(), Failed> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let ticks: Vec<f64> = stat.split(' ').skip(13).take(2).filter_map(|field| field.parse().ok()).collect();
    let cpu = ticks.iter().sum::<f64>() / 100.0;
    let status = std::fs::read_to_string("/proc/self/status")?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default().trim();
    let (wall, each) = (wall.as_secs_f64(), cpu * 1000.0 / ok.max(1) as f64);
    println!("{ok} exchanges, {bytes} bytes, {wall:.2} s, {:.0} a second", ok as f64 / wall);
    println!("{cpu:.2} CPU-s, {each:.3} CPU-s per 1000 exchanges, peak {peak}");
    Ok(())
}
