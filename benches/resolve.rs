//! Follows t.co links to their pages over TLS, and has curl follow the same links in one process: hops per CPU-second of each.
//!
//! `cargo bench --bench resolve -- LINKS [IN-FLIGHT]`. The loopback platforms run in a process of their own, so that their work is
//! not counted. Each link is three hops: t.co, a second redirect, a page of 4 KiB. Linux only (`/proc`); needs curl.

use std::io::{BufRead, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use onrecord::resolution::pursuit::{Limits, Pursuit};
use onrecord::work::capture::Look;
use onrecord::work::drive::drive;
use onrecord::world::clock::Clock;
use onrecord::world::wire::Wire;
use onrecord::world::wire::settings::Settings;
use onrecord_replica::{Options, Replica};

type Failed = Box<dyn std::error::Error + Send + Sync>;

/// Exchanges of one link.
const HOPS: usize = 3;

fn main() -> Result<(), Failed> {
    let mut args = std::env::args().skip(1).filter(|arg| arg != "--bench");
    // `cargo test` and `cargo bench` without a number run it too; there is nothing to do then.
    let Some(first) = args.next() else { return Ok(()) };
    if first == "serve" {
        return serve(args.next().ok_or("how many links")?.parse()?);
    }
    let links: usize = first.parse()?;
    let in_flight: usize = args.next().map_or(Ok(16), |n| n.parse())?;
    let folder = tempfile::tempdir()?;
    let mut platforms = Platforms::start(links, folder.path())?;
    let urls: Vec<String> = (0..links).map(|n| format!("https://t.co/{}", code(n))).collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let _warm = runtime.block_on(ours(&platforms, &urls, in_flight))?;
    let (before, start) = (cpu()?, Instant::now());
    let ended = runtime.block_on(ours(&platforms, &urls, in_flight))?;
    report("onrecord", ended, cpu()?.own - before.own, start.elapsed());
    let (before, start) = (cpu()?, Instant::now());
    curl(&platforms, &urls, in_flight, folder.path())?;
    report("curl", links * HOPS, cpu()?.children - before.children, start.elapsed());
    platforms.stop()
}

/// A code of ten letters and digits.
fn code(n: usize) -> String {
    format!("Bench{n:05}")
}

/// The loopback platforms, until standard input ends.
#[expect(clippy::print_stdout, reason = "the parent reads it")]
fn serve(links: usize) -> Result<(), Failed> {
    let replica = Replica::start_blocking(Options::default())?;
    replica.set(|world| {
        world.switches.log = false;
        for n in 0..links {
            world.code(&code(n), &format!("https://load.example/h/{n}"));
        }
    });
    for rule in replica.connect_to() {
        println!("{rule}");
    }
    println!();
    println!("{}", replica.ca_pem());
    println!("ready");
    std::io::stdin().read_line(&mut String::new())?;
    Ok(())
}

struct Platforms {
    child: Child,
    rules: Vec<String>,
    ca: std::path::PathBuf,
}

impl Platforms {
    fn start(links: usize, folder: &Path) -> Result<Self, Failed> {
        let mut child = Command::new(std::env::current_exe()?)
            .args(["serve", &links.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let lines = BufReader::new(child.stdout.take().ok_or("no output")?).lines();
        let said =
            lines.take_while(|line| line.as_ref().is_ok_and(|line| line != "ready")).collect::<Result<Vec<_>, _>>()?;
        let gap = said.iter().position(String::is_empty).ok_or("no rules")?;
        let (rules, pem) = said.split_at(gap);
        let ca = folder.join("ca.pem");
        std::fs::write(&ca, pem.join("\n"))?;
        Ok(Self { child, rules: rules.to_vec(), ca })
    }

    fn stop(&mut self) -> Result<(), Failed> {
        drop(self.child.stdin.take());
        self.child.wait()?;
        Ok(())
    }
}

/// Follows all links; gives the exchanges made.
async fn ours(platforms: &Platforms, urls: &[String], in_flight: usize) -> Result<usize, Failed> {
    let settings = Settings {
        connect_to: platforms.rules.iter().map(|rule| rule.parse()).collect::<Result<_, _>>()?,
        ca_certs: vec![platforms.ca.clone()],
        allow_net: vec!["127.0.0.0/8".parse()?],
        concurrency: in_flight,
        per_host: in_flight,
        ..Settings::default()
    };
    let look = Arc::new(Look::new(Wire::new(settings, Clock::real())?));
    let urls: Arc<[String]> = urls.into();
    let mut tasks = tokio::task::JoinSet::new();
    for first in 0..in_flight {
        let (look, urls) = (look.clone(), urls.clone());
        tasks.spawn(async move {
            let mut exchanges = 0;
            for url in urls.iter().skip(first).step_by(in_flight) {
                let ended = drive(Pursuit::link(url, Limits::follow_only()), &look, |_| ()).await?;
                if ended.exchanges() != HOPS {
                    return Err(Failed::from(format!("{url}: {} hops, {}", ended.exchanges(), ended.why)));
                }
                exchanges += HOPS;
            }
            Ok(exchanges)
        });
    }
    let mut exchanges = 0;
    while let Some(task) = tasks.join_next().await {
        exchanges += task??;
    }
    Ok(exchanges)
}

fn curl(platforms: &Platforms, urls: &[String], in_flight: usize, folder: &Path) -> Result<(), Failed> {
    let config = folder.join("curl.cfg");
    let mut file = std::fs::File::create(&config)?;
    for url in urls {
        writeln!(file, "url = \"{url}\"\noutput = /dev/null")?;
    }
    let mut curl = Command::new("curl");
    curl.args([
        "--silent",
        "--fail",
        "--location",
        "--http1.1",
        "--parallel",
        "--parallel-max",
        &in_flight.to_string(),
    ]);
    for rule in &platforms.rules {
        curl.args(["--connect-to", rule]);
    }
    let status = curl.arg("--cacert").arg(&platforms.ca).arg("--config").arg(&config).stderr(Stdio::null()).status()?;
    if status.success() { Ok(()) } else { Err(format!("curl ended with {status}").into()) }
}

/// CPU seconds so far.
struct Cpu {
    own: f64,
    /// of children that have ended
    children: f64,
}

fn cpu() -> Result<Cpu, Failed> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let behind = stat.rsplit(") ").next().unwrap_or_default();
    let ticks: Vec<f64> = behind.split(' ').skip(11).take(4).filter_map(|field| field.parse().ok()).collect();
    match ticks.as_slice() {
        [user, system, user_below, system_below] => {
            Ok(Cpu { own: (user + system) / 100.0, children: (user_below + system_below) / 100.0 })
        }
        _ => Err("no times in /proc/self/stat".into()),
    }
}

#[expect(clippy::print_stdout, reason = "the figures are the result")]
fn report(who: &str, hops: usize, cpu: f64, wall: Duration) {
    let per = hops as f64 / cpu.max(0.01);
    println!("{who}: {hops} hops, {cpu:.2} CPU-s, {per:.0} hops per CPU-second, {:.2} s", wall.as_secs_f64());
}
