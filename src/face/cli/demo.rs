//! `onrecord demo`: the whole main job on the sample statement, against the built-in loopback copy of the platforms.

use std::path::PathBuf;

use onrecord_replica::{Options, Replica};

use super::Global;
use super::fault::{Exit, Fault};
use crate::face::config::Settings;
use crate::face::config::flags::NetworkArgs;
use crate::face::out;
use crate::statement::Hint;
use crate::work::errand::Input;
use crate::work::statements::Handed;

const SAMPLE: &[u8] = include_bytes!("../../../archive/statements/kazakhstan-election-2019.txt");

/// No network is needed or touched.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Run on this statement instead of the sample
    #[arg(value_name = "FILE")]
    statement: Option<PathBuf>,
}

pub(super) fn run(global: &Global, args: Args) -> Result<Exit, Fault> {
    let replica = Replica::start_blocking(Options::default())
        .map_err(|e| Fault::new(Exit::Failed, "start the loopback platforms", &e))?;
    // Unless told otherwise, a demonstration leaves the working folder's archive alone.
    let archive =
        if global.archive_from == "default" { PathBuf::from("./onrecord-demo") } else { global.archive.clone() };
    let global = Global { archive, archive_from: "flag", ..global.clone() };
    let ca = crate::world::input::scratch("onrecord-demo-ca.pem", replica.ca_pem().as_bytes())
        .map_err(|e| Fault::new(Exit::Failed, "write the loopback platforms' certificate", &e))?;
    let settings = settings(&global, &replica, ca.path())?;
    let input = match args.statement {
        Some(path) => super::run::handed(&path.to_string_lossy())?,
        None => Input::Document(Handed {
            bytes: SAMPLE.to_vec(),
            hint: Hint { source: "kazakhstan-election-2019.txt".to_owned(), content_type: None },
            fetched: None,
        }),
    };
    let done = super::run::over(&global, &settings, Some(vec![input]))?;
    super::run::show(&global, &done)?;
    if !global.json {
        let dir = global.archive.display();
        out::text(|out| {
            writeln!(out)?;
            writeln!(
                out,
                "Everything above came from loopback copies of the platforms, through the same code as the real network."
            )?;
            writeln!(out, "The archive is in {dir}. Try:")?;
            for command in ["verify", "query", "query riot", "sql \"SELECT * FROM findings\""] {
                writeln!(out, "  onrecord --archive {dir} {command}")?;
            }
            Ok(())
        })?;
    }
    Ok(super::run::exit(&done, false))
}

fn settings(global: &Global, replica: &Replica, ca: &std::path::Path) -> Result<Settings, Fault> {
    let loopback =
        |rule: &String| rule.parse().map_err(|e| Fault::new(Exit::Failed, "reach the loopback platforms", &e));
    let flags = NetworkArgs {
        connect_to: replica.connect_to().iter().map(loopback).collect::<Result<_, _>>()?,
        ca_cert: vec![ca.to_owned()],
        allow_net: ["127.0.0.0/8", "::1/128"].iter().filter_map(|net| net.parse().ok()).collect(),
        ..NetworkArgs::default()
    };
    super::config::load(global, &flags)
}
