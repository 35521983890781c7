//! `onrecord config`: every setting, its value and where it came from.

use serde_json::json;

use super::Global;
use super::fault::{Exit, Fault};
use crate::face::config::flags::NetworkArgs;
use crate::face::config::{Place, Row, Settings, file_of};
use crate::face::out;
use crate::face::table::{Cell, Column, Table};
use crate::world::terminal;

/// The network flags are taken as `run`, `daemon` and `resolve` take them, so that their effect can be seen.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    network: NetworkArgs,
}

pub(super) fn run(global: &Global, args: Args) -> Result<Exit, Fault> {
    let settings = load(global, &args.network)?;
    let mut rows = vec![archive(global)];
    rows.extend(settings.rows());
    if global.json {
        out::json(&json!({ "settings": rows }))?;
    } else {
        out::text(|out| table(&rows).write(out, terminal::width()))?;
    }
    Ok(Exit::Done)
}

/// The settings that hold for this command.
pub(super) fn load(global: &Global, flags: &NetworkArgs) -> Result<Settings, Fault> {
    Settings::load(&global.archive, std::env::vars_os(), flags).map_err(|error| {
        let place = error.place();
        let fault = Fault::new(Exit::Usage, "take the settings", &error);
        match place {
            Place::Environment => fault.hint("correct the variable, or unset it"),
            Place::File => fault.hint(format!("correct {}", file_of(&global.archive).display())),
        }
    })
}

fn archive(global: &Global) -> Row {
    let path = global.archive.to_string_lossy().into_owned();
    let place = match global.archive_from {
        "flag" => Some("--archive".to_owned()),
        "environment" => Some("ONRECORD_ARCHIVE".to_owned()),
        _ => None,
    };
    Row { key: "archive".into(), value: json!(path), text: path, from: global.archive_from, place }
}

fn table(rows: &[Row]) -> Table {
    let mut table = Table::new(vec![Column::new("SETTING").whole(), Column::new("VALUE"), Column::new("FROM").whole()]);
    for row in rows {
        let from = row.place.as_deref().unwrap_or(row.from);
        let style = if row.from == "default" { anstyle::Style::new().dimmed() } else { anstyle::Style::new().bold() };
        table.push(vec![Cell::new(&row.key), Cell::new(&row.text), Cell::new(from).styled(style)]);
    }
    table
}
