//! `onrecord query`: citations by what they say, where they led and how they ended.

use std::io::Write;

use clap::ValueEnum;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::Global;
use super::bridge;
use super::fault::{Exit, Fault};
use crate::face::config::flags::NetworkArgs;
use crate::face::out;
use crate::face::report::ending_style;
use crate::face::table::{Cell, Column, Table};
use crate::format::digest::Digest;
use crate::format::time;
use crate::resolution::ending::Ending;
use crate::statement::StatementId;
use crate::work::fault::Fault as Deed;
use crate::world::store::Store;
use crate::world::store::find::{Hit, Wanted};
use crate::world::terminal;

/// Every condition narrows; all matches are printed, newest ending first.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Words in statements, posts and captured pages; "in quotes" they stand together
    #[arg(value_name = "TEXT")]
    text: Option<String>,
    /// In this statement
    #[arg(long, value_name = "sha256:…", value_parser = digest)]
    statement: Option<Digest>,
    /// Of this kind
    #[arg(long, value_parser = ["link", "handle", "hashtag", "post"])]
    kind: Option<String>,
    /// Of this account
    #[arg(long, value_name = "HANDLE")]
    handle: Option<String>,
    /// On this platform
    #[arg(long, value_name = "PLATFORM")]
    platform: Option<String>,
    /// Citing or leading to this URL; a * at its end matches any rest
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// That ended so
    #[arg(long, value_name = "ENDING", value_parser = ending)]
    ending: Option<String>,
    /// Judged so
    #[arg(long, value_parser = ["corroborated", "contradicted", "undetermined"])]
    verdict: Option<String>,
    /// Followed on or after this day or instant
    #[arg(long, value_name = "WHEN", value_parser = from)]
    since: Option<Timestamp>,
    /// Followed on or before this day, or before this instant
    #[arg(long, value_name = "WHEN", value_parser = until)]
    until: Option<Timestamp>,
    /// In a statement of this day or later
    #[arg(long, value_name = "DAY", value_parser = day)]
    cited_since: Option<String>,
    /// In a statement of this day or earlier
    #[arg(long, value_name = "DAY", value_parser = day)]
    cited_until: Option<String>,
    /// Leading to a post of this day or instant or later
    #[arg(long, value_name = "WHEN", value_parser = from)]
    posted_since: Option<Timestamp>,
    /// Leading to a post of this day or earlier, or before this instant
    #[arg(long, value_name = "WHEN", value_parser = until)]
    posted_until: Option<Timestamp>,
    /// Only what an outside authority vouches for
    #[arg(long)]
    anchored: bool,
    /// At most so many
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    /// How to print
    #[arg(long, value_enum)]
    format: Option<Format>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// for people
    Table,
    /// JSON Lines
    Json,
    /// comma-separated values, with a heading
    Csv,
}

fn digest(text: &str) -> Result<Digest, String> {
    text.parse().map_err(|e: crate::format::digest::NotADigest| e.to_string())
}

fn ending(text: &str) -> Result<String, String> {
    serde_json::from_value::<Ending>(Value::String(text.to_owned()))
        .map(|ending| ending.as_str().to_owned())
        .map_err(|_| "no ending has that name; captured, gone, suspended, timeout … are some".to_owned())
}

fn day(text: &str) -> Result<String, String> {
    text.parse::<jiff::civil::Date>()
        .map(|date| date.to_string())
        .map_err(|_| "expected a day like 2019-06-10".to_owned())
}

fn from(text: &str) -> Result<Timestamp, String> {
    instant(text, 0)
}

fn until(text: &str) -> Result<Timestamp, String> {
    instant(text, 1)
}

/// An instant, or a day in UTC; `days` later where it bounds from above.
fn instant(text: &str, days: i64) -> Result<Timestamp, String> {
    let wrong = |_| "expected a day like 2019-06-10 or an instant like 2019-06-10T08:00:00Z".to_owned();
    if let Ok(at) = text.parse::<Timestamp>() {
        return Ok(at);
    }
    let date = text.parse::<jiff::civil::Date>().map_err(wrong)?;
    let date = date.checked_add(jiff::Span::new().days(days)).map_err(wrong)?;
    date.to_zoned(jiff::tz::TimeZone::UTC).map(|zoned| zoned.timestamp()).map_err(wrong)
}

pub(super) fn run(global: &Global, args: Args) -> Result<Exit, Fault> {
    let settings = super::config::load(global, &NetworkArgs::default())?;
    let paths = bridge::paths(global, &settings);
    let told = bridge::fault("query");
    if !paths.is_archive() {
        return Err(told(Deed::NoArchive(paths.root)));
    }
    let format = args.format.unwrap_or(if global.json { Format::Json } else { Format::Table });
    let store = Store::open_read(&paths.catalogue()).map_err(|e| told(e.into()))?;
    let leaves = store.leaves().map_err(|e| told(e.into()))?;
    let mut found = Vec::new();
    let wanted = wanted(args);
    match format {
        Format::Json => {
            out::text(|out| each(&store, &wanted, |hit| writeln!(out, "{}", value(&hit, leaves))))?;
        }
        Format::Csv => out::text(|out| {
            writeln!(out, "{}", HEADINGS.join(","))?;
            each(&store, &wanted, |hit| writeln!(out, "{}", row(&hit).map(|cell| quoted(&cell)).join(",")))
        })?,
        Format::Table => {
            each(&store, &wanted, |hit| {
                found.push(hit);
                Ok(())
            })
            .map_err(|e| Fault::new(Exit::Failed, "query", &e))?;
            out::text(|out| draw(out, &found))?;
        }
    }
    Ok(Exit::Done)
}

fn wanted(args: Args) -> Wanted {
    Wanted {
        text: args.text,
        statement: args.statement.map(StatementId),
        kind: args.kind,
        handle: args.handle.map(|handle| handle.trim_start_matches('@').to_owned()),
        platform: args.platform.map(|platform| platform.to_lowercase()),
        url: args.url,
        ending: args.ending,
        verdict: args.verdict,
        since: args.since,
        until: args.until,
        cited_since: args.cited_since,
        cited_until: args.cited_until,
        posted_since: args.posted_since,
        posted_until: args.posted_until,
        anchored: args.anchored,
        limit: args.limit,
    }
}

/// What goes wrong with the catalogue in the middle of writing is told as what went wrong with writing.
fn each(store: &Store, wanted: &Wanted, mut take: impl FnMut(Hit) -> std::io::Result<()>) -> std::io::Result<()> {
    struct Io(std::io::Error);
    impl From<crate::world::store::Error> for Io {
        fn from(error: crate::world::store::Error) -> Self {
            Self(std::io::Error::other(error))
        }
    }
    store.find::<Io>(wanted, |hit| take(hit).map_err(Io)).map_err(|Io(error)| error)
}

/// One line of the contract's JSON Lines.
fn value(hit: &Hit, leaves: u64) -> Value {
    let mut line = json!({
        "statement": hit.statement, "source": hit.source, "statement_date": hit.statement_date, "citation": hit.citation,
    });
    if let (Some(line), Some(end)) = (line.as_object_mut(), &hit.end)
        && let Value::Object(fields) = crate::work::show::ending(end, leaves)
    {
        line.extend(fields);
    }
    line
}

const HEADINGS: [&str; 11] =
    ["statement", "source", "kind", "raw", "ending", "at", "final_url", "post", "snapshot", "verdict", "ledger_index"];

fn row(hit: &Hit) -> [String; 11] {
    let kind = crate::work::pursue::kind_name(&hit.citation.kind).to_owned();
    let end =
        |of: fn(&crate::world::store::find::End) -> Option<String>| hit.end.as_ref().and_then(of).unwrap_or_default();
    [
        hit.statement.to_string(),
        hit.source.clone(),
        kind,
        hit.citation.raw.clone(),
        end(|e| Some(e.ending.clone())),
        end(|e| Some(time::rfc3339(e.at))),
        end(|e| e.final_url.clone()),
        end(|e| e.post.clone()),
        end(|e| e.snapshot.map(|d| d.to_string())),
        end(|e| e.verdict.clone()),
        end(|e| Some(e.index.to_string())),
    ]
}

/// RFC 4180; what a spreadsheet would take for a formula is set off with an apostrophe.
fn quoted(cell: &str) -> String {
    let formula = cell.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let cell = if formula { format!("'{cell}") } else { cell.to_owned() };
    if cell.contains(['"', ',', '\n', '\r']) { format!("\"{}\"", cell.replace('"', "\"\"")) } else { cell }
}

fn draw(out: &mut dyn Write, hits: &[Hit]) -> std::io::Result<()> {
    if hits.is_empty() {
        return writeln!(out, "nothing fits");
    }
    let mut table = Table::new(vec![
        Column::new("CITATION"),
        Column::new("ENDING").whole(),
        Column::new("LED TO"),
        Column::new("WHEN").whole(),
        Column::new("VERDICT").whole(),
        Column::new("STATEMENT"),
    ]);
    for hit in hits {
        let end = hit.end.as_ref();
        let style = end
            .and_then(|e| serde_json::from_value::<Ending>(Value::String(e.ending.clone())).ok())
            .map(ending_style)
            .unwrap_or_default();
        let led = end.map(|e| e.post.clone().or_else(|| e.final_url.clone()).unwrap_or_default()).unwrap_or_default();
        table.push(vec![
            Cell::new(&hit.citation.raw),
            Cell::new(end.map(|e| e.ending.as_str()).unwrap_or("-")).styled(style),
            Cell::new(led),
            Cell::new(end.map(|e| e.at.strftime("%Y-%m-%d").to_string()).unwrap_or_default()),
            Cell::new(end.and_then(|e| e.verdict.as_deref()).unwrap_or_default()),
            Cell::new(&hit.source),
        ]);
    }
    table.write(out, terminal::width())?;
    writeln!(out, "{} found", hits.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_instants() {
        assert_eq!(from("2019-06-10").unwrap().to_string(), "2019-06-10T00:00:00Z");
        assert_eq!(until("2019-06-10").unwrap().to_string(), "2019-06-11T00:00:00Z");
        assert_eq!(until("2019-06-10T08:00:00Z").unwrap().to_string(), "2019-06-10T08:00:00Z");
        for wrong in ["", "2019-13-01", "yesterday", "2019"] {
            assert!(from(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn cells_cannot_break_a_row_or_run_as_formulas() {
        assert_eq!(quoted("a,\"b\""), "\"a,\"\"b\"\"\"");
        assert_eq!(quoted("=HYPERLINK(1)"), "'=HYPERLINK(1)");
        assert_eq!(quoted("@user"), "'@user");
    }
}
