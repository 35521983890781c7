//! `onrecord show ID`: one thing with all that hangs on it.

use super::Global;
use super::bridge;
use super::fault::{Exit, Fault};
use crate::face::config::flags::NetworkArgs;
use crate::face::{out, plain, shown};
use crate::work::show::show;
use crate::world::terminal;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A statement, citation, snapshot, leaf, entity or WARC record (sha256:…, UUID, or their first four digits or more), a run (UUID), a statement by where it came from, a
    /// post (x:1138…, or its URL), a ledger index
    #[arg(value_name = "ID")]
    id: String,
}

pub(super) fn run(global: &Global, args: Args) -> Result<Exit, Fault> {
    let settings = super::config::load(global, &NetworkArgs::default())?;
    let paths = bridge::paths(global, &settings);
    let found = show(&paths, &args.id, &settings.anchor.tsa_roots).map_err(bridge::fault("show"))?;
    if global.json {
        out::bytes(|out| writeln!(out, "{}", plain::json(&found)))?;
    } else {
        out::text(|out| shown::draw(out, &found, terminal::width()))?;
    }
    Ok(Exit::Done)
}
