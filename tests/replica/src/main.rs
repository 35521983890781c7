//! `onrecord-replica`: the loopback platforms by hand, until Ctrl-C.

use std::io::{self, Write};
use std::process::ExitCode;

use onrecord_replica::world::XPages;
use onrecord_replica::{Options, Replica};

const HELP: &str = "\
Plays t.co, X, web archives, shorteners and article hosts on 127.0.0.1.

Usage: onrecord-replica [--http PORT] [--https PORT] [--ca FILE] [--latency MS]
                        [--x shell|migrate|blocked] [--no-guesses] [--gone NAME]…

  --http PORT    plain HTTP on this port (default: a free one)
  --https PORT   TLS on this port (default: a free one)
  --ca FILE      writes the authority's certificate there (default: replica-ca.pem)
  --latency MS   every response waits so long first
  --x KIND       what x.com answers to a page request
  --no-guesses   leaves out the answers that nobody has verified
  --gone NAME    deletes a page (HOST/PATH) or a post (x:ID); repeatable
  --help         prints this

It prints the flags for onrecord and curl, and serves until Ctrl-C.
";

fn main() -> ExitCode {
    let done = read(std::env::args().skip(1)).and_then(|asked| match asked {
        Some((options, ca)) => serve(options, &ca).map_err(|error| error.to_string()),
        None => io::stdout().write_all(HELP.as_bytes()).map_err(|error| error.to_string()),
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            // Nothing is left to do if standard error is closed.
            let _closed = writeln!(io::stderr(), "failed to start: {why}\nhint: onrecord-replica --help");
            ExitCode::from(2)
        }
    }
}

/// What the arguments mean; none when they ask for help.
fn read(mut arguments: impl Iterator<Item = String>) -> Result<Option<(Options, String)>, String> {
    let (mut options, mut ca) = (Options::default(), "replica-ca.pem".to_owned());
    while let Some(flag) = arguments.next() {
        let mut value = || arguments.next().ok_or_else(|| format!("{flag} needs a value"));
        match flag.as_str() {
            "--help" | "-h" => return Ok(None),
            "--http" => options.http_port = number(&flag, &value()?)?,
            "--https" => options.https_port = number(&flag, &value()?)?,
            "--ca" => ca = value()?,
            "--latency" => options.latency = std::time::Duration::from_millis(number(&flag, &value()?)?),
            "--no-guesses" => options.switches.guesses = false,
            "--gone" => options.gone.push(value()?),
            "--x" => {
                options.switches.x_pages = match value()?.as_str() {
                    "shell" => XPages::Shell,
                    "migrate" => XPages::Migrate,
                    "blocked" => XPages::Blocked,
                    other => return Err(format!("--x takes shell, migrate or blocked, not {other:?}")),
                }
            }
            other => return Err(format!("unknown argument {other:?}")),
        }
    }
    Ok(Some((options, ca)))
}

fn number<T: std::str::FromStr>(flag: &str, text: &str) -> Result<T, String> {
    text.parse().map_err(|_| format!("{flag} takes a number, not {text:?}"))
}

fn serve(options: Options, ca: &str) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let replica = Replica::start(options).await?;
        std::fs::write(ca, replica.ca_pem())?;
        let rules: Vec<String> = replica.connect_to().iter().map(|rule| format!("--connect-to {rule}")).collect();
        let rules = rules.join(" ");
        let mut out = io::stdout();
        writeln!(out, "onrecord run --ca-cert {ca} --allow-net 127.0.0.1/32 {rules} STATEMENT")?;
        writeln!(out, "curl --cacert {ca} {rules} -sSiL https://t.co/AEoFZOhI3p")?;
        out.flush()?;
        tokio::signal::ctrl_c().await
    })
}
