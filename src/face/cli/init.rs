//! `onrecord init`: makes an archive.

use serde_json::json;

use super::Global;
use super::bridge;
use super::fault::{Exit, Fault};
use crate::face::config::flags::NetworkArgs;
use crate::face::out;
use crate::work::archive::OpenArchive;

#[derive(Debug, clap::Args)]
pub(super) struct Args {}

pub(super) fn run(global: &Global, _args: Args) -> Result<Exit, Fault> {
    let settings = super::config::load(global, &NetworkArgs::default())?;
    let paths = bridge::paths(global, &settings);
    let was_there = paths.is_archive();
    let told = bridge::fault("make the archive");
    let open = OpenArchive::or_init(paths, bridge::choices(&settings)?).map_err(&told)?;
    let (origin, vkey) = (open.origin.clone(), open.vkey.clone());
    open.close().map_err(&told)?;
    if global.json {
        out::json(&json!({ "archive": global.archive, "made": !was_there, "origin": origin, "vkey": vkey }))?;
    } else {
        let what = if was_there { "is an archive already" } else { "is an archive now" };
        out::text(|out| {
            writeln!(out, "{} {what}", global.archive.display())?;
            writeln!(out, "verifier key: {vkey}")?;
            writeln!(
                out,
                "Keep that line somewhere else: with it anyone can check this archive without trusting this machine."
            )
        })?;
    }
    Ok(Exit::Done)
}
