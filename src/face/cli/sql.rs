//! `onrecord sql`: read-only SQL over the catalogue.

use std::io::Write;
use std::time::Duration;

use super::Global;
use super::bridge;
use super::fault::{Exit, Fault};
use crate::face::config::flags::NetworkArgs;
use crate::face::table::{Cell, Column, Table};
use crate::face::{out, plain};
use crate::world::store::ask::{Refused, Value, ask, views};
use crate::world::terminal;

/// The views of --schema are the documented ones; tables may change with a version.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// One SELECT
    #[arg(value_name = "SQL", required_unless_present = "schema")]
    sql: Option<String>,

    /// Print the documented views
    #[arg(long, conflicts_with = "sql")]
    schema: bool,

    /// Give up after this many seconds
    #[arg(long, value_name = "SECONDS", default_value = "60")]
    within: u64,
}

pub(super) fn run(global: &Global, args: Args) -> Result<Exit, Fault> {
    let Some(sql) = args.sql else {
        out::text(|out| out.write_all(views().as_bytes()))?;
        return Ok(Exit::Done);
    };
    let settings = super::config::load(global, &NetworkArgs::default())?;
    let paths = bridge::paths(global, &settings);
    if !paths.is_archive() {
        return Err(bridge::fault("ask")(crate::work::fault::Fault::NoArchive(paths.root)));
    }
    let within = Duration::from_secs(args.within.max(1));
    let mut rows: Vec<Vec<Value>> = Vec::new();
    let mut names: Vec<String> = Vec::new();
    let asked = ask(&paths.catalogue(), &sql, within, |columns, row| {
        if names.is_empty() {
            names = columns.to_vec();
        }
        rows.push(row);
        Ok(())
    });
    asked.map_err(refused)?;
    if global.json {
        let objects: Vec<serde_json::Map<String, serde_json::Value>> =
            rows.iter().map(|row| names.iter().cloned().zip(row.iter().map(json)).collect()).collect();
        out::json(&objects)?;
    } else {
        out::text(|out| draw(out, &names, &rows))?;
    }
    Ok(Exit::Done)
}

fn refused(refused: Refused) -> Fault {
    match refused {
        Refused::Store(error) => bridge::fault("ask")(error.into()),
        Refused::Rows(ref error) if error.kind() == std::io::ErrorKind::BrokenPipe => Fault::plain(Exit::Done, ""),
        other => Fault::new(Exit::Usage, "ask", &other).hint("onrecord sql --schema prints what can be asked"),
    }
}

fn json(value: &Value) -> serde_json::Value {
    match value {
        Value::Null => serde_json::Value::Null,
        Value::Integer(n) => (*n).into(),
        Value::Real(x) => (*x).into(),
        Value::Text(text) => text.clone().into(),
        Value::Blob(bytes) => data_encoding::HEXLOWER.encode(bytes).into(),
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Integer(n) => n.to_string(),
        Value::Real(x) => x.to_string(),
        Value::Text(text) => text.clone(),
        Value::Blob(bytes) => data_encoding::HEXLOWER.encode(bytes),
    }
}

/// A table on a terminal; tab-separated lines elsewhere, for other programs.
fn draw(out: &mut dyn Write, names: &[String], rows: &[Vec<Value>]) -> std::io::Result<()> {
    let Some(width) = terminal::width() else {
        let line =
            |cells: Vec<String>| cells.iter().map(|c| plain::line(c).replace('\t', " ")).collect::<Vec<_>>().join("\t");
        writeln!(out, "{}", line(names.to_vec()))?;
        return rows.iter().try_for_each(|row| writeln!(out, "{}", line(row.iter().map(text).collect())));
    };
    let mut table = Table::new(names.iter().map(|name| Column::new(name.clone())).collect());
    for row in rows {
        table.push(row.iter().map(|value| Cell::new(text(value))).collect());
    }
    table.write(out, Some(width))
}
