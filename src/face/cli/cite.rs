//! `onrecord cite [FILE|-]…`: what a statement cites. Touches neither network nor archive.

use std::io::{self, IsTerminal as _, Write};
use std::path::Path;

use anstyle::{AnsiColor, Style};
use serde::Serialize;

use super::Global;
use super::fault::{Exit, Fault};
use crate::citation::{self, Citation, Form, Kind};
use crate::face::table::{Cell, Column, Table};
use crate::face::{out, plain};
use crate::statement::{self, Hint, Seal, Statement, StatementId, Unread};
use crate::world::{input, terminal};

/// The longest document taken in; what is longer is no statement.
const LONGEST: u64 = 1 << 30;

/// Bytes of JSON gathered before they are written.
const GATHERED: usize = 128 * 1024;

/// Characters of a quoted post that a table shows.
const QUOTE: usize = 400;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Statements: files, or - for standard input, which is also read where none is named
    #[arg(value_name = "FILE|-")]
    statements: Vec<String>,
}

/// One statement, as the contract has it; its citations stand behind the rest.
#[derive(Serialize)]
struct Entry<'a> {
    id: StatementId,
    source: &'a str,
    media_type: &'a str,
    bytes: usize,
    date: Option<&'a str>,
    language: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<&'a str>,
    #[serde(skip_serializing_if = "<[Unread]>::is_empty")]
    unread: &'a [Unread],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    signatures: Vec<Seal>,
}

pub(super) fn run(global: &Global, args: Args) -> Result<Exit, Fault> {
    let names = if args.statements.is_empty() { vec!["-".to_owned()] } else { args.statements };
    can_be_read(&names)?;
    // Statement by statement: a thousand of them need the room of one.
    let mut late = None;
    let write = |out: &mut dyn Write| {
        if global.json { document(out, &names, &mut late) } else { tables(out, &names, &mut late) }
    };
    if global.json {
        out::bytes(write)?
    } else {
        out::text(write)?
    }
    late.map_or(Ok(Exit::Done), Err)
}

/// Everything that can be known to be wrong is said before anything is printed.
fn can_be_read(names: &[String]) -> Result<(), Fault> {
    if names.iter().filter(|name| *name == "-").count() > 1 {
        return Err(Fault::plain(Exit::Usage, "standard input is named twice and can be read once"));
    }
    if names.iter().any(|name| name == "-") && io::stdin().is_terminal() {
        return Err(Fault::plain(Exit::Usage, "no statement: standard input is a terminal")
            .hint("name a file, or hand a statement in as in: onrecord cite - < statement.txt"));
    }
    for name in names.iter().filter(|name| *name != "-") {
        if input::probe(Path::new(name)).map_err(|error| refused(name, &error))? == Some(0) {
            return Err(empty(name));
        }
    }
    Ok(())
}

fn refused(name: &str, error: &dyn std::error::Error) -> Fault {
    Fault::new(Exit::Usage, format!("read the statement {name}"), error)
        .hint("expected a document, or - for standard input")
}

fn empty(name: &str) -> Fault {
    Fault::plain(Exit::Usage, format!("failed to read the statement {name}: it is empty"))
        .hint("expected a document, or - for standard input")
}

fn read(name: &str) -> Result<Statement, Fault> {
    let bytes = match name {
        "-" => input::standard(LONGEST),
        _ => input::file(Path::new(name), LONGEST),
    };
    let bytes = bytes.map_err(|error| refused(name, &error))?;
    if bytes.is_empty() {
        return Err(empty(name));
    }
    let hint = Hint { source: name.to_owned(), content_type: None };
    let statement = statement::read(bytes, &hint).map_err(|error| refused(name, &error))?;
    if let Some(first) = statement.unread.first() {
        let more = statement.unread.len() - 1;
        let more = if more > 0 { format!(" (and {more} more)") } else { String::new() };
        tracing::warn!("{name} is not read as it stands: {}: {}{more}", first.part, first.why);
    }
    Ok(statement)
}

/// One JSON document, closed also where a statement in the middle fails after all.
fn document(out: &mut dyn Write, names: &[String], late: &mut Option<Fault>) -> io::Result<()> {
    out.write_all(b"{\"statements\":[")?;
    for (n, name) in names.iter().enumerate() {
        let statement = match read(name) {
            Ok(statement) => statement,
            Err(fault) => {
                *late = Some(fault);
                break;
            }
        };
        if n > 0 {
            out.write_all(b",")?;
        }
        statement_json(out, &statement)?;
    }
    out.write_all(b"]}\n")
}

/// One statement, its citations written as they are found.
fn statement_json(out: &mut dyn Write, statement: &Statement) -> io::Result<()> {
    let mut json = serde_json::to_vec(&entry(statement))?;
    json.pop();
    json.extend_from_slice(b",\"citations\":[");
    let mut separate = false;
    citation::each(statement, |found| {
        if separate {
            json.push(b',');
        }
        separate = true;
        found.write_json(&mut json);
        if json.len() < GATHERED {
            return Ok(());
        }
        let written = out.write_all(&json);
        json.clear();
        written
    })?;
    json.extend_from_slice(b"]}");
    out.write_all(&json)
}

fn entry(statement: &Statement) -> Entry<'_> {
    Entry {
        id: statement.id,
        source: &statement.source,
        media_type: &statement.media_type,
        bytes: statement.bytes().len(),
        date: statement.about.date.as_deref(),
        language: statement.about.language.as_deref(),
        title: statement.about.title.as_deref(),
        unread: &statement.unread,
        signatures: statement.signatures.iter().map(Seal::unasked).collect(),
    }
}

fn tables(out: &mut dyn Write, names: &[String], late: &mut Option<Fault>) -> io::Result<()> {
    for (n, name) in names.iter().enumerate() {
        let statement = match read(name) {
            Ok(statement) => statement,
            Err(fault) => {
                *late = Some(fault);
                break;
            }
        };
        if n > 0 {
            writeln!(out)?;
        }
        heading(out, &statement)?;
        let citations = citation::find(&statement);
        if citations.is_empty() {
            writeln!(out, "cites nothing")?;
        } else {
            table(&citations).write(out, terminal::width())?;
        }
    }
    Ok(())
}

fn heading(out: &mut dyn Write, statement: &Statement) -> io::Result<()> {
    let bold = Style::new().bold();
    let date = statement.about.date.as_deref().map(|date| format!(", {date}")).unwrap_or_default();
    writeln!(
        out,
        "{bold}{}{bold:#}  {}, {} bytes{}",
        plain::line(&statement.source),
        plain::line(&statement.media_type),
        statement.bytes().len(),
        plain::line(&date)
    )?;
    writeln!(out, "{}", statement.id)?;
    for unread in &statement.unread {
        let yellow = AnsiColor::Yellow.on_default();
        writeln!(out, "{yellow}not read{yellow:#}: {}: {}", plain::line(&unread.part), plain::line(&unread.why))?;
    }
    for signature in statement.signatures.iter().map(Seal::unasked) {
        let (domain, why) = (plain::line(&signature.domain), plain::line(&signature.why));
        writeln!(out, "signed by {domain}: {why}")?;
    }
    Ok(())
}

fn table(citations: &[Citation]) -> Table {
    let mut table = Table::new(vec![
        Column::new("KIND").whole(),
        Column::new("AS IT STANDS"),
        Column::new("POINTS TO"),
        Column::new("BYTES").right().whole(),
    ]);
    for citation in citations {
        let guess = if citation.candidate { Style::new().dimmed() } else { Style::new() };
        table.push(vec![
            Cell::new(kind(&citation.kind)).styled(AnsiColor::Cyan.on_default()),
            Cell::new(shortened(&citation.raw)).styled(guess),
            Cell::new(points_to(citation)),
            Cell::new(format!("{}..{}", citation.span.0, citation.span.1)),
        ]);
    }
    table
}

fn kind(kind: &Kind) -> &'static str {
    match kind {
        Kind::Link { form: Form::Weak, .. } => "link?",
        Kind::Link { .. } => "link",
        Kind::Handle { .. } => "handle",
        Kind::Hashtag { .. } => "hashtag",
        Kind::Post { .. } => "post",
    }
}

fn points_to(citation: &Citation) -> String {
    match &citation.kind {
        Kind::Link { platform: Some(platform), post_id: Some(id), .. } => format!("{}:{id}", platform.as_str()),
        // What merely repeats the column before it would only take its room.
        Kind::Link { url, .. } if *url == citation.raw => String::new(),
        Kind::Link { url, .. } => url.clone(),
        Kind::Handle { platform, handle } => format!("{}: @{handle}", platform.as_str()),
        Kind::Hashtag { tag } => tag.clone(),
        Kind::Post { platform, author, handle, date, date_raw, .. } => {
            let handle = handle.as_deref().map(|handle| format!("@{handle}"));
            let by: Vec<&str> = [author.as_deref(), handle.as_deref(), date.as_deref().or(date_raw.as_deref())]
                .into_iter()
                .flatten()
                .collect();
            format!("{}: {}", platform.as_str(), by.join(", "))
        }
    }
}

fn shortened(raw: &str) -> String {
    let mut short: String = raw.chars().take(QUOTE).collect();
    if short.len() < raw.len() {
        short.push('…');
    }
    short
}
