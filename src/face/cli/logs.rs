//! Logs: what happens inside, to standard error, as much of it as was asked for.

use std::io::{self, Write};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

use super::Global;
use super::fault::{Exit, Fault};
use crate::face::progress;

/// The variable that asks for other logs than `-v` gives, in tracing's own filter language.
const VARIABLE: &str = "ONRECORD_LOG";

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Manner {
    /// for a person who gave a command: what went wrong
    Command,
    /// for a person who reads a daemon's log: what it does, too
    Daemon,
    /// the same for a program: one JSON object a line
    Structured,
}

impl Manner {
    /// What fits the command.
    pub(super) fn fitting(global: &Global, is_daemon: bool) -> Self {
        match (is_daemon, global.json) {
            (true, true) => Self::Structured,
            (true, false) => Self::Daemon,
            (false, _) => Self::Command,
        }
    }
}

/// Begins logging. Without `-v` a command says only warnings.
pub(super) fn set_up(global: &Global, manner: Manner) -> Result<(), Fault> {
    let level = match (global.quiet, global.verbose) {
        (true, _) => "error",
        (false, 0) if manner != Manner::Command => "onrecord=info,warn",
        (false, 0) => "warn",
        (false, 1) => "onrecord=info,warn",
        (false, 2) => "onrecord=debug,info",
        (false, _) => "trace",
    };
    let asked = std::env::var(VARIABLE).ok().filter(|asked| !asked.trim().is_empty());
    // what a damaged PDF lacks is named as unread; its reader would say so object by object
    let level = if global.verbose > 2 { level.to_owned() } else { format!("{level},lopdf=off") };
    let filter = EnvFilter::builder().parse(asked.unwrap_or(level)).map_err(|error| {
        Fault::new(Exit::Usage, format!("read the filter in {VARIABLE}"), &error)
            .hint("expected a level or targets, as in onrecord=debug")
    })?;
    let coloured = anstream::AutoStream::choice(&io::stderr()) != anstream::ColorChoice::Never;
    // A second subscriber can only be refused where a test has set one first.
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(AboveTheBars);
    let _ = match manner {
        Manner::Structured => lines.json().flatten_event(true).with_ansi(false).try_init(),
        _ => lines.with_ansi(coloured).with_target(global.verbose > 1).try_init(),
    };
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
