//! `onrecord sql`: read-only SQL over the catalogue.

use std::io::Write;
use std::time::Duration;

use clap::ValueEnum;

use super::Global;
use super::bridge;
use super::fault::{Exit, Fault};
use super::usage::format;
use crate::face::config::flags::NetworkArgs;
use crate::face::table::{Cell, Column, Table, csv};
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

    /// How to print
    #[arg(long, value_enum)]
    format: Option<Format>,

    /// Give up after this many seconds
    #[arg(long, value_name = "SECONDS", default_value = "60", value_parser = clap::value_parser!(u64).range(1..=86_400))]
    within: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// for people; tab-separated where no terminal is
    Table,
    /// one array of objects
    Json,
    /// comma-separated values, with a heading; before what a spreadsheet would take for a formula stands an apostrophe
    Csv,
}

/// Bytes of an answer that are held back until the question is answered whole; a longer answer is written as it comes.
const HELD: usize = 32 << 20;
/// Rows of a table on a terminal, whose columns are measured before the first one is written.
const TABLE: usize = 10_000;

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
    let format = format(global, args.format, Format::Json, Format::Table)?;
    let within = Duration::from_secs(args.within);
    give_up_after(within);
    let mut sheet = Sheet { format, width: terminal::width(), rows: 0, text: Vec::new(), table: None };
    let asked = ask(&paths.catalogue(), &sql, within, |columns, row| sheet.add(columns, row));
    asked.map_err(refused)?;
    sheet.end()?;
    Ok(Exit::Done)
}

/// SQLite looks at the time between the steps of its program. One step can be long, a LIKE with many wildcards for one:
/// then the process ends a little later all the same.
fn give_up_after(within: Duration) {
    std::thread::spawn(move || {
        std::thread::sleep(within + Duration::from_secs(1));
        refused(Refused::TooLong(within)).print();
        std::process::exit(i32::from(Exit::Usage as u8));
    });
}

/// An answer on its way out.
struct Sheet {
    format: Format,
    width: Option<usize>,
    rows: usize,
    text: Vec<u8>,
    table: Option<Table>,
}

impl Sheet {
    fn add(&mut self, names: &[String], row: Vec<Value>) -> std::io::Result<()> {
        self.rows += 1;
        match self.format {
            Format::Json => {
                let begin = if self.rows == 1 { "[" } else { ",\n" };
                let object: serde_json::Map<_, _> = keys(names).into_iter().zip(row.iter().map(json)).collect();
                write!(self.text, "{begin}{}", plain::json(&object.into()))?;
            }
            Format::Csv => {
                if self.rows == 1 {
                    self.line(names.iter().map(|name| csv(name)), ",")?;
                }
                self.line(row.iter().map(|value| csv(&text(value))), ",")?;
            }
            Format::Table if self.width.is_some() && self.rows <= TABLE => {
                let heading = || Table::new(names.iter().map(|name| Column::new(name.clone())).collect());
                let cells = row.iter().map(|value| Cell::new(text(value))).collect();
                self.table.get_or_insert_with(heading).push(cells);
            }
            Format::Table => {
                let cell = |text: &str| plain::line(text).replace('\t', " ");
                self.drain()?;
                if self.rows == 1 {
                    self.line(names.iter().map(|name| cell(name)), "\t")?;
                }
                self.line(row.iter().map(|value| cell(&text(value))), "\t")?;
            }
        }
        if self.text.len() > HELD { self.flush() } else { Ok(()) }
    }

    fn line(&mut self, cells: impl Iterator<Item = String>, between: &str) -> std::io::Result<()> {
        writeln!(self.text, "{}", cells.collect::<Vec<_>>().join(between))
    }

    /// What was gathered as a table is written; what follows comes line by line.
    fn drain(&mut self) -> std::io::Result<()> {
        match self.table.take() {
            Some(table) => table.write(&mut self.text, self.width),
            None => Ok(()),
        }
    }

    fn flush(&mut self) -> std::io::Result<()> {
        let text = std::mem::take(&mut self.text);
        let mut failed = None;
        let _ = out::text(|out| {
            failed = out.write_all(&text).err().map(|e| e.kind());
            Ok(())
        });
        failed.map_or(Ok(()), |kind| Err(kind.into()))
    }

    fn end(mut self) -> Result<(), Fault> {
        if self.format == Format::Json {
            self.text.extend_from_slice(if self.rows == 0 { b"[]\n" } else { b"]\n" });
        }
        let table = self.drain();
        out::text(|out| table.and_then(|()| out.write_all(&self.text)))
    }
}

fn refused(refused: Refused) -> Fault {
    match refused {
        Refused::Store(error) => bridge::fault("ask")(error.into()),
        Refused::Rows(ref error) if error.kind() == std::io::ErrorKind::BrokenPipe => Fault::plain(Exit::Done, ""),
        late @ Refused::TooLong(_) => Fault::new(Exit::Usage, "ask", &late).hint(
            "--within SECONDS lets it take longer; LIMIT N, or a condition on an id, a URL or a handle, makes it quicker",
        ),
        large @ Refused::TooMuch(_) => Fault::new(Exit::Usage, "ask", &large)
            .hint("fewer rows or shorter values need less: LIMIT N, WHERE, or no sorting and grouping of long texts"),
        other => Fault::new(Exit::Usage, "ask", &other).hint("onrecord sql --schema prints what can be asked"),
    }
}

/// The names of an object's members: of columns that are named alike, those that follow get a number, as SQLite itself numbers
/// them in a subquery, so that none is lost.
fn keys(names: &[String]) -> Vec<String> {
    let mut keys: Vec<String> = Vec::with_capacity(names.len());
    for name in names {
        let numbered = (1..=names.len()).map(|n| format!("{name}:{n}"));
        let free = std::iter::once(name.clone()).chain(numbered).find(|key| !keys.contains(key));
        keys.push(free.unwrap_or_default());
    }
    keys
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
