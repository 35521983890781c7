//! `onrecord man`: the manual page of the program, or the pages of all its commands.

use std::path::{Path, PathBuf};

use clap_mangen::Man;

use super::fault::{Exit, Fault};
use super::{Global, definition};
use crate::face::out;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Write one page for each command into this folder instead of printing the main one
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

pub(super) fn run(_global: &Global, args: Args) -> Result<Exit, Fault> {
    match args.out {
        Some(folder) => write_all(&folder)?,
        None => print()?,
    }
    Ok(Exit::Done)
}

fn print() -> Result<(), Fault> {
    let page = Man::new(definition().disable_help_subcommand(true));
    out::bytes(|mut out| page.render(&mut out))
}

fn write_all(folder: &Path) -> Result<(), Fault> {
    clap_mangen::generate_to(definition(), folder).map_err(|error| {
        let fault = Fault::new(Exit::Failed, format!("write the manual pages into {}", folder.display()), &error);
        if folder.is_dir() { fault } else { fault.hint("make the folder first") }
    })
}
