//! `onrecord reindex`: makes the catalogue anew from the WARC files and the ledger.

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
    let told = bridge::fault("make the catalogue anew");
    let anew = OpenArchive::anew(bridge::paths(global, &settings), bridge::choices(&settings)?).map_err(&told)?;
    if global.json {
        out::json(&json!({ "archive": global.archive, "warc_records": anew.rows, "records": anew.records }))?;
    } else {
        out::text(|out| {
            writeln!(
                out,
                "{}: {} WARC records and {} ledger records catalogued",
                global.archive.display(),
                anew.rows,
                anew.records
            )
        })?;
    }
    Ok(Exit::Done)
}
