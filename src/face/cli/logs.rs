//! Logs: what happens inside, to standard error, as much of it as was asked for.

use std::io::{self, Write};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

use super::Global;
use super::fault::{Exit, Fault};
use crate::face::progress;

/// The variable that asks for other logs than `-v` gives, in tracing's own filter language.
const VARIABLE: &str = "ONRECORD_LOG";

/// Begins logging. Without `-v` only warnings are heard.
pub(super) fn set_up(global: &Global) -> Result<(), Fault> {
    let level = match (global.quiet, global.verbose) {
        (true, _) => "error",
        (false, 0) => "warn",
        (false, 1) => "onrecord=info,warn",
        (false, 2) => "onrecord=debug,info",
        (false, _) => "trace",
    };
    let asked = std::env::var(VARIABLE).ok().filter(|asked| !asked.trim().is_empty());
    let filter = EnvFilter::builder().parse(asked.as_deref().unwrap_or(level)).map_err(|error| {
        Fault::new(Exit::Usage, format!("read the filter in {VARIABLE}"), &error)
            .hint("expected a level or targets, as in onrecord=debug")
    })?;
    let coloured = anstream::AutoStream::choice(&io::stderr()) != anstream::ColorChoice::Never;
    // A second subscriber can only be refused where a test has set one first.
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(coloured)
        .with_target(global.verbose > 1)
        .with_writer(AboveTheBars)
        .try_init();
    Ok(())
}

/// Writes log lines above the progress bars instead of through them.
struct AboveTheBars;

impl<'a> MakeWriter<'a> for AboveTheBars {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        Self
    }
}

impl Write for AboveTheBars {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        progress::bars().suspend(|| io::stderr().write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}
