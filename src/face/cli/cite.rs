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
use crate::format::digest::Digest;
use crate::statement::{self, Hint, Seal, Statement, StatementId, Unread};
use crate::world::{input, terminal};

/// The longest document taken in; what is longer is no statement.
const LONGEST: u64 = 1 << 30;

/// Bytes of JSON gathered before they are written.
const GATHERED: usize = 128 * 1024;

/// Why a file without bytes is refused.
const EMPTY: &str = "it is empty";

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

/// What became of an argument.
enum Read {
    Statement(Box<Statement>),
    /// its bytes were had, but no words in them
    Wordless {
        id: StatementId,
        bytes: usize,
        why: String,
    },
    /// it names no document: nothing of that name, a folder, one that may not be opened
    Nameless {
        why: String,
    },
}

/// What is told when everything else is printed.
#[derive(Default)]
struct Tally {
    read: usize,
    /// documents without words in them, and why
    wordless: Vec<(String, String)>,
    /// what names no document
    nameless: Vec<Fault>,
}

impl Tally {
    /// Bad input where an argument names nothing, or where nothing at all could be read.
    fn exit(mut self) -> Result<Exit, Fault> {
        let mut last = self.nameless.pop();
        if last.is_none() && self.read == 0 {
            last = self.wordless.pop().map(|(name, why)| refused(&name, &why));
        }
        for (name, why) in &self.wordless {
            tracing::warn!("{name} is not read: {why}");
        }
        self.nameless.iter().for_each(Fault::print);
        last.map_or(Ok(Exit::Done), Err)
    }
}

pub(super) fn run(global: &Global, args: Args) -> Result<Exit, Fault> {
    let names = if args.statements.is_empty() { vec!["-".to_owned()] } else { args.statements };
    can_be_read(&names)?;
    // Statement by statement: a thousand of them need the room of one.
    let mut tally = Tally::default();
    let write = |out: &mut dyn Write| {
        if global.json { document(out, &names, &mut tally) } else { tables(out, &names, &mut tally) }
    };
    if global.json {
        out::bytes(write)?
    } else {
        out::text(write)?
    }
    tally.exit()
}

/// What is wrong with all of them is said before anything is printed.
fn can_be_read(names: &[String]) -> Result<(), Fault> {
    if names.iter().filter(|name| *name == "-").count() > 1 {
        return Err(Fault::plain(Exit::Usage, "standard input is named twice and can be read once"));
    }
    if names.iter().any(|name| name == "-") && io::stdin().is_terminal() {
        return Err(Fault::plain(Exit::Usage, "no statement: standard input is a terminal")
            .hint("name a file, or hand a statement in as in: onrecord cite - < statement.txt"));
    }
    let mut first = None;
    for name in names {
        let fault = match name.as_str() {
            "-" => return Ok(()),
            _ => match input::probe(Path::new(name)) {
                Ok(Some(0)) => refused(name, EMPTY),
                Ok(_) => return Ok(()),
                Err(error) => refused(name, &error.to_string()),
            },
        };
        first = first.or(Some(fault));
    }
    first.map_or(Ok(()), Err)
}

fn refused(name: &str, why: &str) -> Fault {
    Fault::plain(Exit::Usage, format!("failed to read the statement {name}: {why}"))
        .hint("expected a document, or - for standard input")
}

/// Reads a document, and warns of what in it could not be read.
fn read(name: &str, tally: &mut Tally) -> Read {
    let bytes = match name {
        "-" => input::standard(LONGEST),
        _ => input::file(Path::new(name), LONGEST),
    };
    let bytes = match bytes {
        Ok(bytes) => bytes,
        Err(error) => {
            let why = super::fault::chain(&error);
            tally.nameless.push(refused(name, &why));
            return Read::Nameless { why };
        }
    };
    let (id, length) = (StatementId(Digest::of(&bytes)), bytes.len());
    let hint = Hint { source: name.to_owned(), content_type: None };
    match statement::read(bytes, &hint) {
        Ok(statement) => {
            tally.read += 1;
            if let Some(first) = statement.unread.first() {
                let more = statement.unread.len() - 1;
                let more = if more > 0 { format!(" (and {more} more)") } else { String::new() };
                tracing::warn!("{name} is not read as it stands: {}: {}{more}", first.part, first.why);
            }
            Read::Statement(Box::new(statement))
        }
        Err(error) => {
            let why = if length == 0 { EMPTY.to_owned() } else { error.to_string() };
            tally.wordless.push((name.to_owned(), why.clone()));
            Read::Wordless { id, bytes: length, why }
        }
    }
}

/// One JSON document, an entry for each argument.
fn document(out: &mut dyn Write, names: &[String], tally: &mut Tally) -> io::Result<()> {
    out.write_all(b"{\"statements\":[")?;
    for (n, name) in names.iter().enumerate() {
        if n > 0 {
            out.write_all(b",")?;
        }
        match read(name, tally) {
            Read::Statement(statement) => statement_json(out, &statement)?,
            Read::Wordless { id, bytes, why } => unread_json(out, name, Some((id, bytes)), why)?,
            Read::Nameless { why } => unread_json(out, name, None, why)?,
        }
    }
    out.write_all(b"]}\n")
}

/// The entry of what could not be read.
fn unread_json(out: &mut dyn Write, source: &str, had: Option<(StatementId, usize)>, why: String) -> io::Result<()> {
    #[derive(Serialize)]
    struct Blank<'a> {
        id: Option<StatementId>,
        source: &'a str,
        media_type: Option<&'a str>,
        bytes: Option<usize>,
        date: Option<&'a str>,
        language: Option<&'a str>,
        unread: [Unread; 1],
        citations: [Citation; 0],
    }
    let unread = [Unread { part: "all of it".to_owned(), why }];
    let (id, bytes) = had.unzip();
    let blank = Blank { id, source, media_type: None, bytes, date: None, language: None, unread, citations: [] };
    out.write_all(&serde_json::to_vec(&blank)?)
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

fn tables(out: &mut dyn Write, names: &[String], tally: &mut Tally) -> io::Result<()> {
    for (n, name) in names.iter().enumerate() {
        let read = read(name, tally);
        if n > 0 {
            writeln!(out)?;
        }
        let statement = match read {
            Read::Statement(statement) => statement,
            // alone it is told as an error
            Read::Wordless { .. } | Read::Nameless { .. } if names.len() == 1 => continue,
            Read::Wordless { why, .. } | Read::Nameless { why } => {
                let bold = Style::new().bold();
                writeln!(out, "{bold}{}{bold:#}", plain::line(name))?;
                not_read(out, "all of it", &why)?;
                continue;
            }
        };
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

fn not_read(out: &mut dyn Write, part: &str, why: &str) -> io::Result<()> {
    let yellow = AnsiColor::Yellow.on_default();
    writeln!(out, "{yellow}not read{yellow:#}: {}: {}", plain::line(part), plain::line(why))
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
        not_read(out, &unread.part, &unread.why)?;
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
