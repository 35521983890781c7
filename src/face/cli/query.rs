//! `onrecord query`: citations by what they say, where they led and how they ended.

use std::io::Write;
use std::path::Path;

use clap::ValueEnum;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::Global;
use super::bridge;
use super::fault::{Exit, Fault, chain};
use super::nothing;
use super::usage::format;
use crate::face::config::flags::NetworkArgs;
use crate::face::report::{ended, label, style_of};
use crate::face::table::{Cell, Column, Table, csv};
use crate::face::{out, plain};
use crate::format::digest::Digest;
use crate::format::terms::{self, Snippet};
use crate::format::time;
use crate::platform::permalink;
use crate::platform::post::Platform;
use crate::resolution::ending::Ending;
use crate::statement::StatementId;
use crate::work::fault::Fault as Deed;
use crate::work::name::{Named, named};
use crate::work::parts::Paths;
use crate::work::words::{self, Snippets};
use crate::world::input;
use crate::world::store::Store;
use crate::world::store::find::{End, Hit, Wanted};
use crate::world::terminal;

/// Every condition narrows; all matches are printed, newest ending first, and what was never followed last. Exit 3 where
/// nothing fits.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Words in statements, posts and captured pages; "in quotes" they stand together; a * at a word's end stands for any rest
    #[arg(value_name = "TEXT")]
    text: Option<String>,
    /// Best match first, among the newest thousand, instead of newest first
    #[arg(long, requires = "text")]
    ranked: bool,
    /// In this statement: its id, the beginning of its id, or where it came from
    #[arg(long, visible_alias = "cited-in", value_name = "STATEMENT")]
    statement: Option<String>,
    /// Of this kind
    #[arg(long, value_parser = ["link", "handle", "hashtag", "post"])]
    kind: Option<String>,
    /// Of this account: cited, or of the post it led to
    #[arg(long, value_name = "HANDLE", value_parser = handle)]
    handle: Option<String>,
    /// By a writer of this name, or part of a name
    #[arg(long, value_name = "NAME", value_parser = name)]
    author: Option<String>,
    /// On this platform: cited, or of the post it led to
    #[arg(long, value_name = "PLATFORM", value_parser = platform)]
    platform: Option<String>,
    /// Citing or leading to this URL, with either scheme, or to the post it names; a * at its end matches any rest
    #[arg(long, value_name = "URL", value_parser = some)]
    url: Option<String>,
    /// Leading to this post: its name (x:1138…) or its URL
    #[arg(long, value_name = "POST", value_parser = some)]
    post: Option<String>,
    /// Resting on what has this digest: sha256:…, its beginning, or a file
    #[arg(long, value_name = "DIGEST|FILE", value_parser = some)]
    digest: Option<String>,
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
    /// comma-separated values, with a heading; before what a spreadsheet would take for a formula stands an apostrophe
    Csv,
}

fn some(text: &str) -> Result<String, String> {
    let text = text.trim();
    if text.is_empty() { Err("expected something to look for".to_owned()) } else { Ok(text.to_owned()) }
}

/// An account, or the URL of one.
fn handle(text: &str) -> Result<String, String> {
    if let Some(named) = permalink::read(text.trim()).filter(|_| text.contains('/'))
        && let Some(handle) = named.handle
    {
        return Ok(handle);
    }
    let bare = text.trim().trim_start_matches('@');
    if bare.is_empty() || bare.contains(char::is_whitespace) {
        return Err("expected an account like @MajaEUspox or user@host".to_owned());
    }
    Ok(bare.to_owned())
}

fn name(text: &str) -> Result<String, String> {
    if terms::indexed(text).is_empty() {
        return Err("expected a name or a part of one".to_owned());
    }
    Ok(text.to_owned())
}

fn platform(text: &str) -> Result<String, String> {
    let lower = text.trim().to_lowercase();
    let known = match lower.as_str() {
        "twitter" => "x",
        other => other,
    };
    serde_json::from_value::<Platform>(Value::String(known.to_owned()))
        .map(|platform| platform.as_str().to_owned())
        .map_err(|_| {
            "no platform has that name; x, bluesky, mastodon, telegram, youtube, reddit, instagram, facebook, threads and tiktok \
             are the ones known"
                .to_owned()
        })
}

fn ending(text: &str) -> Result<String, String> {
    let known = || Ending::ALL.map(Ending::as_str).join(", ");
    let ending =
        Ending::of(text.trim()).ok_or_else(|| format!("no ending has that name; expected one of {}", known()))?;
    Ok(ending.as_str().to_owned())
}

fn day(text: &str) -> Result<String, String> {
    text.parse::<jiff::civil::Date>()
        .map(|date| date.to_string())
        .map_err(|_| "expected a day like 2019-06-10".to_owned())
}

fn from(text: &str) -> Result<Timestamp, String> {
    instant(text, 0)
}

pub(super) fn until(text: &str) -> Result<Timestamp, String> {
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
    in_order(&args)?;
    let settings = super::config::load(global, &NetworkArgs::default())?;
    let paths = bridge::paths(global, &settings);
    let told = bridge::fault("query");
    if !paths.is_archive() {
        return Err(told(Deed::NoArchive(paths.root)));
    }
    let format = format(global, args.format, Format::Json, Format::Table)?;
    let text = args.text.clone();
    if text.is_some() || args.author.is_some() {
        caught_up(&paths)?;
    }
    let store = Store::open_read(&paths.catalogue()).map_err(|e| told(e.into()))?.mapped();
    let wanted = wanted(&store, args).map_err(|deed| match deed {
        // Well asked, and nothing fits: as with every other filter.
        Deed::NotHere(what) => {
            Fault::plain(Exit::NotFound, format!("nothing in the archive fits: {what}")).hint(LISTED)
        }
        other => told(other),
    })?;
    let mut look = Look {
        leaves: store.leaves().map_err(|e| told(e.into()))?,
        snippets: text.as_deref().map(|typed| Snippets::new(&paths, &store, typed)),
    };
    let mut found = 0;
    match format {
        Format::Json => out::bytes(|out| {
            each(&store, &wanted, |hit| {
                found += 1;
                writeln!(out, "{}", plain::json(&look.value(&hit)?))
            })
        })?,
        Format::Csv => out::bytes(|out| {
            writeln!(out, "{}", HEADINGS.join(","))?;
            each(&store, &wanted, |hit| {
                found += 1;
                writeln!(out, "{}", row(&hit).map(|cell| csv(&cell)).join(","))
            })
        })?,
        Format::Table => out::text(|out| {
            let mut sheet = Vec::new();
            each(&store, &wanted, |hit| {
                let words = look.words(&hit)?;
                sheet.push((hit, words));
                Ok(())
            })?;
            found = sheet.len();
            draw(out, &sheet, text.is_some())
        })?,
    }
    match found {
        0 => Err(nothing::fault(&store, &wanted).map_err(|e| told(e.into()))?),
        _ => Ok(Exit::Done),
    }
}

/// Bounds the wrong way round fit nothing; whoever typed them meant something else.
fn in_order(args: &Args) -> Result<(), Fault> {
    let wrong = |name: &str| {
        Fault::plain(Exit::Usage, format!("--{name}since is later than --{name}until, so nothing can fit"))
            .hint("swap them")
    };
    match () {
        () if args.since.zip(args.until).is_some_and(|(from, to)| from >= to) => Err(wrong("")),
        () if args.posted_since.zip(args.posted_until).is_some_and(|(from, to)| from >= to) => Err(wrong("posted-")),
        () if args.cited_since.as_ref().zip(args.cited_until.as_ref()).is_some_and(|(from, to)| from > to) => {
            Err(wrong("cited-"))
        }
        () => Ok(()),
    }
}

/// Pages whose words a question indexes before it is answered; a page takes about a millisecond.
const PAGES: usize = 500;

/// Puts pages that no run has indexed yet into the index of words, or says that they are not in it.
fn caught_up(paths: &Paths) -> Result<(), Fault> {
    let indexed = words::catch_up(paths, PAGES).map_err(bridge::fault("index captured pages"))?;
    if indexed.waiting > 0 {
        let what = if indexed.waiting == 1 { "page is" } else { "pages are" };
        tracing::warn!("{} captured {what} not in the index of words yet", indexed.waiting);
    }
    Ok(())
}

fn wanted(store: &Store, args: Args) -> Result<Wanted, Deed> {
    let post = match args.post {
        Some(typed) => match named(store, &typed) {
            Ok(Named::Post(name)) => Some(name),
            // A post that was cited and never read has a name all the same.
            _ => Some(typed),
        },
        None => None,
    };
    Ok(Wanted {
        text: args.text,
        ranked: args.ranked,
        statements: args.statement.map(|typed| statements(store, &typed)).transpose()?,
        citation: None,
        kind: args.kind,
        handle: args.handle,
        author: args.author,
        platform: args.platform,
        url: args.url,
        post,
        digest: args.digest.map(|typed| digest(store, &typed)).transpose()?,
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
    })
}

/// What helps whoever named a thing that is not here.
const LISTED: &str = "onrecord sql \"SELECT id, source FROM statements\" lists the statements; onrecord sql --schema, what else there is";

/// By id, by the beginning of it, or by where it came from.
fn statements(store: &Store, typed: &str) -> Result<Vec<StatementId>, Deed> {
    if let Ok(digest) = typed.parse::<Digest>() {
        return Ok(vec![StatementId(digest)]);
    }
    let from = store.from_source(typed)?;
    if !from.is_empty() {
        return Ok(from);
    }
    match named(store, typed) {
        Ok(Named::Statement(id)) => Ok(vec![id]),
        Err(error) if !matches!(error, Deed::NotHere(_)) => Err(error),
        _ if !may_be_digest(typed) && typed.starts_with("sha256:") => Err(Deed::Input {
            what: format!("{typed} is no id of a statement"),
            hint: "expected sha256: and 64 hex digits, or the first four or more of them".to_owned(),
        }),
        _ => Err(Deed::NotHere(format!("no statement has the id or source {typed}"))),
    }
}

/// Whether it is a digest, or the beginning of one that is long enough to be looked for.
fn may_be_digest(typed: &str) -> bool {
    let hex = typed.strip_prefix("sha256:").unwrap_or(typed);
    (4..=64).contains(&hex.len()) && hex.bytes().all(|b| b.is_ascii_hexdigit())
}

/// A digest, the beginning of one that the archive knows, or a file's.
fn digest(store: &Store, typed: &str) -> Result<Digest, Deed> {
    let hex = typed.strip_prefix("sha256:").unwrap_or(typed).to_ascii_lowercase();
    if let Ok(digest) = format!("sha256:{hex}").parse::<Digest>() {
        return Ok(digest);
    }
    let path = Path::new(typed);
    if path.is_file() {
        return input::digest(path).map_err(|e| Deed::Input {
            what: format!("{typed}: {e}"),
            hint: "name a file that can be read".to_owned(),
        });
    }
    match store.by_prefix(&hex)?.as_slice() {
        [digest] => Ok(*digest),
        [] if may_be_digest(typed) => Err(Deed::NotHere(format!("no digest here begins with {typed}"))),
        several => Err(Deed::Input {
            what: format!(
                "{typed} is {}",
                if several.is_empty() {
                    "no digest, no beginning of one that is here, and no file"
                } else {
                    "the beginning of several digests"
                }
            ),
            hint: "expected sha256: and 64 hex digits, four or more of them, or a file".to_owned(),
        }),
    }
}

/// What goes wrong with the catalogue in the middle of writing is told as what went wrong with writing.
fn each(store: &Store, wanted: &Wanted, mut take: impl FnMut(Hit) -> std::io::Result<()>) -> std::io::Result<()> {
    struct Io(std::io::Error);
    impl From<crate::world::store::Error> for Io {
        fn from(e: crate::world::store::Error) -> Self {
            Self(std::io::Error::other(e))
        }
    }
    store.find::<Io>(wanted, |hit| take(hit).map_err(Io)).map_err(|Io(error)| error)
}

/// What is told of a hit besides itself.
struct Look<'a> {
    leaves: u64,
    snippets: Option<Snippets<'a>>,
}

impl Look<'_> {
    fn words(&mut self, hit: &Hit) -> std::io::Result<Option<(&'static str, Snippet)>> {
        let Some(snippets) = &mut self.snippets else { return Ok(None) };
        snippets.of(hit).map_err(|e| std::io::Error::other(chain(&e)))
    }

    /// One line of the contract's JSON Lines. What is not known yet is null, so that every line has the same names.
    fn value(&mut self, hit: &Hit) -> std::io::Result<Value> {
        let mut line = json!({
            "statement": hit.statement, "source": hit.source, "statement_date": hit.statement_date, "citation": hit.citation,
            "ending": null, "why": null, "at": null, "urls": null, "hops": null, "post": null, "posted": null, "snapshot": null,
            "verdict": null, "anchored": false, "truncated": null, "unread": null, "ledger": null,
        });
        let Some(object) = line.as_object_mut() else { return Ok(line) };
        if let Some(end) = &hit.end
            && let Value::Object(fields) = crate::work::show::ending(end, self.leaves)
        {
            object.extend(fields);
        }
        if let Some((place, snippet)) = self.words(hit)? {
            let marks: Vec<[usize; 2]> = snippet.marks.iter().map(|(from, to)| [*from, *to]).collect();
            object.insert("matched".to_owned(), json!({ "in": place, "snippet": snippet.text, "marks": marks }));
        }
        Ok(line)
    }
}

const HEADINGS: [&str; 18] = [
    "statement",
    "source",
    "kind",
    "raw",
    "ending",
    "at",
    "final_url",
    "post",
    "snapshot",
    "verdict",
    "ledger_index",
    "citation",
    "statement_date",
    "posted",
    "hops",
    "anchored",
    "truncated",
    "unread",
];

fn row(hit: &Hit) -> [String; 18] {
    let kind = crate::work::pursue::kind_name(&hit.citation.kind).to_owned();
    let end = |of: fn(&End) -> Option<String>| hit.end.as_ref().and_then(of).unwrap_or_default();
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
        hit.citation.id.to_string(),
        hit.statement_date.clone().unwrap_or_default(),
        end(|e| e.posted.map(time::rfc3339)),
        end(|e| Some(e.hops.to_string())),
        end(|e| Some(e.anchored.to_string())),
        end(|e| e.truncated.clone()),
        end(|e| e.unread.clone()),
    ]
}

fn draw(out: &mut dyn Write, hits: &[(Hit, Option<(&'static str, Snippet)>)], words: bool) -> std::io::Result<()> {
    if hits.is_empty() {
        return Ok(());
    }
    let mut columns = vec![
        Column::new("CITATION"),
        Column::new("ENDING").whole(),
        Column::new("LED TO"),
        Column::new("WHEN").whole(),
        Column::new("VERDICT").whole(),
        Column::new("STATEMENT"),
    ];
    if words {
        columns.push(Column::new("WORDS"));
    }
    let mut table = Table::new(columns);
    for (hit, words) in hits {
        let end = hit.end.as_ref();
        let led = end.map(|e| e.post.clone().or_else(|| e.final_url.clone()).unwrap_or_default()).unwrap_or_default();
        table.push(vec![
            Cell::new(label(&hit.citation.raw)),
            Cell::new(end.map_or_else(
                || "-".to_owned(),
                |e| ended(&e.ending, e.truncated.as_deref().unwrap_or_default(), e.unread.is_some()),
            ))
            .styled(end.map(|e| style_of(&e.ending)).unwrap_or_default()),
            Cell::new(led),
            Cell::new(end.map(|e| e.at.strftime("%Y-%m-%d").to_string()).unwrap_or_default()),
            Cell::new(end.and_then(|e| e.verdict.as_deref()).unwrap_or_default()),
            Cell::new(&hit.source),
            Cell::new(words.as_ref().map(|(place, snippet)| format!("{place}: {}", snippet.text)).unwrap_or_default()),
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
        assert_eq!(csv("a,\"b\""), "\"a,\"\"b\"\"\"");
        assert_eq!(csv("=HYPERLINK(1)"), "'=HYPERLINK(1)");
        assert_eq!(csv("@user"), "'@user");
        assert_eq!(csv("\u{1b}[2J"), "\\u{1b}[2J");
    }
}
