//! `onrecord completions SHELL`: a script that completes commands and flags.

use clap_complete::Shell;

use super::fault::{Exit, Fault};
use super::{Global, definition};
use crate::face::out;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The shell to complete for
    #[arg(value_enum)]
    shell: Shell,
}

pub(super) fn run(_global: &Global, args: Args) -> Result<Exit, Fault> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut definition(), "onrecord", &mut script);
    out::bytes(|out| out.write_all(&script))?;
    Ok(Exit::Done)
}
