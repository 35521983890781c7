//! `onrecord stats`: the archive at a glance, and link rot as a curve.

use std::collections::BTreeMap;
use std::io::{self, Write};

use anstyle::Style;
use jiff::Timestamp;

use super::Global;
use super::bridge;
use super::fault::{Exit, Fault};
use crate::face::config::flags::NetworkArgs;
use crate::face::report::style_of;
use crate::face::table::{Cell, Column, Table};
use crate::face::{out, plain};
use crate::work::fault::Fault as Deed;
use crate::work::name::{Named, named};
use crate::work::stats::{Overview, Rot, overview, rot};
use crate::world::clock::Clock;
use crate::world::store::Store;
use crate::world::terminal;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The link rot of this statement's citations
    #[arg(long, value_name = "ID", conflicts_with = "citation")]
    statement: Option<String>,

    /// The link rot of this citation
    #[arg(long, value_name = "ID")]
    citation: Option<String>,

    /// As it stood at the end of this day (UTC), or at this instant
    #[arg(long, value_name = "WHEN", value_parser = super::query::until)]
    at: Option<Timestamp>,
}

pub(super) fn run(global: &Global, args: Args) -> Result<Exit, Fault> {
    let settings = super::config::load(global, &NetworkArgs::default())?;
    let paths = bridge::paths(global, &settings);
    let told = bridge::fault("sum up");
    let now = Clock::default().now();
    let Some(id) = args.statement.as_ref().or(args.citation.as_ref()) else {
        if args.at.is_some() {
            return Err(Fault::plain(Exit::Usage, "--at goes with --statement or --citation")
                .hint("the archive at a glance is as it stands now"));
        }
        let sum = overview(&paths, now).map_err(told)?;
        return shown(global, &sum, |out| draw(out, &sum));
    };
    if !paths.is_archive() {
        return Err(told(Deed::NoArchive(paths.root)));
    }
    let store = Store::open_read(&paths.catalogue()).map_err(|e| told(e.into()))?;
    let (statement, only) = match named(&store, id).map_err(&told)? {
        Named::Statement(id) if args.statement.is_some() => (id, None),
        Named::Citation(id) if args.citation.is_some() => match store.citation(&id).map_err(|e| told(e.into()))? {
            Some((statement, _)) => (statement, Some(id)),
            None => return Err(told(Deed::NotHere(format!("nothing in the archive has the id {id}")))),
        },
        other => {
            let wanted = if args.statement.is_some() { "a statement" } else { "a citation" };
            return Err(Fault::plain(Exit::Usage, format!("{other} is not {wanted}"))
                .hint("onrecord show prints what an id is"));
        }
    };
    let rot = rot(&paths, statement, only, args.at.unwrap_or(now)).map_err(told)?;
    shown(global, &rot, |out| draw_rot(out, &rot))
}

fn shown<T: serde::Serialize>(
    global: &Global,
    value: &T,
    draw: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<Exit, Fault> {
    if global.json {
        out::json(value)?
    } else {
        out::text(draw)?
    }
    Ok(Exit::Done)
}

/// Columns of the longest bar.
const BAR: u64 = 40;

fn draw(out: &mut dyn Write, sum: &Overview) -> io::Result<()> {
    let citations: u64 = sum.citations.values().sum();
    line(out, "statements", &count(sum.statements))?;
    line(out, "citations", &format!("{} ({})", count(citations), listed(&sum.citations)))?;
    line(out, "snapshots", &format!("{}, {} of them posts", count(sum.snapshots), count(sum.posts)))?;
    line(out, "followed", &format!("{} times", count(sum.followed)))?;
    let runs = &sum.runs;
    let cut = if runs.cut_off > 0 { format!(", {} cut off", runs.cut_off) } else { String::new() };
    let last = runs.last.as_ref().map(|at| format!(", the last at {at}")).unwrap_or_default();
    line(out, "runs", &format!("{}{cut}{last}", count(runs.opened)))?;
    let sizes = &sum.sizes;
    line(
        out,
        "on disk",
        &format!(
            "{} in {} WARC files, {} catalogue, {} ledger",
            bytes(sizes.warc_bytes),
            count(sizes.warc_files),
            bytes(sizes.catalogue_bytes),
            bytes(sizes.ledger_bytes)
        ),
    )?;
    let anchored = &sum.anchored;
    let waiting = anchored.waiting_since.as_ref().map(|at| format!(", the oldest since {at}")).unwrap_or_default();
    line(out, "ledger", &format!("{} records, {} not anchored{waiting}", count(sum.records), count(anchored.missing)))?;
    let next = sum.due.next.as_ref().map(|at| format!(", the next at {at}")).unwrap_or_default();
    line(out, "due", &format!("{} now{next}", count(sum.due.now)))?;
    if sum.not_indexed > 0 {
        line(
            out,
            "not searchable",
            &format!("{} captured pages; query TEXT or reindex takes them up", sum.not_indexed),
        )?;
    }
    chart(out, "ENDINGS", &sum.endings)?;
    chart(out, "VERDICTS", &sum.verdicts)?;
    chart(out, "PLATFORMS", &sum.platforms)
}

fn line(out: &mut dyn Write, name: &str, value: &str) -> io::Result<()> {
    let bold = Style::new().bold();
    writeln!(out, "{bold}{name:<14}{bold:#}  {}", plain::line(value))
}

fn listed(counts: &BTreeMap<String, u64>) -> String {
    counts.iter().map(|(name, n)| format!("{} {name}", count(*n))).collect::<Vec<_>>().join(", ")
}

fn chart(out: &mut dyn Write, heading: &str, counts: &BTreeMap<String, u64>) -> io::Result<()> {
    let Some(most) = counts.values().copied().max().filter(|most| *most > 0) else { return Ok(()) };
    writeln!(out)?;
    let mut rows: Vec<(&String, u64)> = counts.iter().map(|(name, n)| (name, *n)).collect();
    rows.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
    let mut table = Table::new(vec![
        Column::new(heading.to_owned()).whole(),
        Column::new("").whole().right(),
        Column::new("").whole(),
    ]);
    for (name, n) in rows {
        let length = (n * BAR).div_ceil(most);
        let bar = "█".repeat(usize::try_from(length).unwrap_or(0));
        table.push(vec![Cell::new(name), Cell::new(count(n)), Cell::new(bar).styled(style_of(name))]);
    }
    table.write(out, terminal::width())
}

fn draw_rot(out: &mut dyn Write, rot: &Rot) -> io::Result<()> {
    writeln!(out, "{} up to {}", rot.statement, rot.until)?;
    let (followed, alive) = rot.curve.last().map_or((0, 0), |day| (day.followed, day.alive));
    writeln!(
        out,
        "{alive} of {followed} followed citations stood where they were cited; {} are followed at all",
        rot.planned
    )?;
    writeln!(out)?;
    let mut table = Table::new(vec![
        Column::new("DAY").whole(),
        Column::new("STOOD").whole().right(),
        Column::new("OF").whole().right(),
        Column::new("").whole(),
    ]);
    for day in &rot.curve {
        let length = (day.alive * BAR).checked_div(day.followed).unwrap_or(0);
        let bar = "█".repeat(usize::try_from(length).unwrap_or(0));
        table.push(vec![
            Cell::new(&day.day),
            Cell::new(count(day.alive)),
            Cell::new(count(day.followed)),
            Cell::new(bar),
        ]);
    }
    table.write(out, terminal::width())?;
    writeln!(out)?;
    let mut table = Table::new(vec![
        Column::new("CITATION"),
        Column::new("ENDING").whole(),
        Column::new("WHEN").whole(),
        Column::new("TIMES").whole().right(),
        Column::new("LOOKS"),
    ]);
    for line in &rot.citations {
        let ending = line.ending.as_deref().unwrap_or("-");
        let looks: Vec<&str> = line.looks.iter().map(|look| if look.alive { "▇" } else { "▁" }).collect();
        table.push(vec![
            Cell::new(&line.citation.raw),
            Cell::new(ending).styled(style_of(ending)),
            Cell::new(line.at.as_deref().unwrap_or_default()),
            Cell::new(count(line.times)),
            Cell::new(looks.concat()),
        ]);
    }
    table.write(out, terminal::width())
}

/// A number with its thousands apart.
fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

fn bytes(n: u64) -> String {
    let mut size = n as f64;
    for unit in ["bytes", "KiB", "MiB", "GiB"] {
        if size < 1024.0 {
            return if unit == "bytes" { format!("{n} bytes") } else { format!("{size:.1} {unit}") };
        }
        size /= 1024.0;
    }
    format!("{size:.1} TiB")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_easy_to_read() {
        assert_eq!([count(7), count(1000), count(1_234_567)], ["7", "1,000", "1,234,567"]);
        assert_eq!([bytes(7), bytes(2048), bytes(5 << 30)], ["7 bytes", "2.0 KiB", "5.0 GiB"]);
    }

    #[test]
    fn the_smallest_count_still_has_a_bar() {
        let mut out = Vec::new();
        let counts = BTreeMap::from([("captured".to_owned(), 1_000_000), ("gone".to_owned(), 1)]);
        chart(&mut out, "ENDINGS", &counts).unwrap();
        let text = anstream::adapter::strip_bytes(&out).into_vec();
        let text = String::from_utf8(text).unwrap();
        assert!(text.lines().last().unwrap().contains("gone") && text.lines().last().unwrap().contains('█'), "{text}");
    }
}
