//! `onrecord show ID`: one thing with all that hangs on it.

use std::io::Write;

use serde_json::{Value, json};

use super::Global;
use super::bridge;
use super::fault::{Exit, Fault};
use crate::face::config::flags::NetworkArgs;
use crate::face::{out, plain};
use crate::work::show::show;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A statement, citation, snapshot or leaf (sha256:…, or its first hex digits), a post (x:1138…), a WARC record (UUID), a ledger index
    #[arg(value_name = "ID")]
    id: String,
}

pub(super) fn run(global: &Global, args: Args) -> Result<Exit, Fault> {
    let settings = super::config::load(global, &NetworkArgs::default())?;
    let paths = bridge::paths(global, &settings);
    let shown = show(&paths, &args.id, &settings.anchor.tsa_roots).map_err(bridge::fault("show"))?;
    if global.json {
        out::json(&shown)?;
    } else {
        out::text(|out| draw(out, &shown, 0))?;
    }
    Ok(Exit::Done)
}

/// Names and values, one a line, what belongs together indented; empty things are left out.
fn draw(out: &mut dyn Write, value: &Value, depth: usize) -> std::io::Result<()> {
    let indent = "  ".repeat(depth);
    match value {
        Value::Object(map) => {
            map.iter().filter(|(_, inner)| !is_empty(inner)).try_for_each(|(name, inner)| match inner {
                Value::Object(_) | Value::Array(_) => {
                    writeln!(out, "{indent}{}:", plain::line(name))?;
                    draw(out, inner, depth + 1)
                }
                plain => writeln!(out, "{indent}{}: {}", plain::line(name), text(plain)),
            })
        }
        Value::Array(list) => list.iter().enumerate().try_for_each(|(n, inner)| match inner {
            Value::Object(_) | Value::Array(_) => {
                writeln!(out, "{indent}{}.", n + 1)?;
                draw(out, inner, depth + 1)
            }
            plain => writeln!(out, "{indent}- {}", text(plain)),
        }),
        plain => writeln!(out, "{indent}{}", text(plain)),
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(list) => list.is_empty(),
        Value::Object(map) => map.is_empty(),
        Value::String(text) => text.is_empty(),
        _ => false,
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => plain::line(text).into_owned(),
        other => json!(other).to_string(),
    }
}
