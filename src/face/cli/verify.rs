//! `onrecord verify`: is everything, or one thing, as it was written?

use std::collections::BTreeMap;
use std::io::Write;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};

use anstyle::{AnsiColor, Style};

use super::Global;
use super::bridge;
use super::bundle;
use super::fault::{Exit, Fault};
use crate::face::config::Settings;
use crate::face::config::flags::NetworkArgs;
use crate::face::config::value::flag;
use crate::face::{out, plain};
use crate::format::checkpoint::Signed;
use crate::format::tsp::Roots;
use crate::work::verify::{self, Independence, Report, Trust, Verdict};
use crate::world::input;
use crate::world::services::node;

/// Exit 0 if intact, 5 if damaged or incomplete, 4 if weaker than --require, 3 if the target is not here.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// What: a statement, snapshot, record or WARC record by its id, any sha256:, a file, or a proof bundle; the whole archive where none is named
    #[arg(value_name = "TARGET")]
    target: Option<String>,

    /// The archive's verifier key as you remember it: a file with its vkey line
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,

    /// A checkpoint as you remember it
    #[arg(long, value_name = "FILE")]
    checkpoint: Option<PathBuf>,

    /// Recheck only what came after this checkpoint, which you remember
    #[arg(long, value_name = "FILE", conflicts_with_all = ["target", "checkpoint"])]
    since_checkpoint: Option<PathBuf>,

    /// Read so many WARC records, chosen at random, again, and put on record that it was done
    #[arg(long, value_name = "N", value_parser = flag::<NonZeroU32>, conflicts_with_all = ["target", "since_checkpoint"])]
    sample: Option<NonZeroU32>,

    /// Check a WARC file by itself, anyone's, without an archive
    #[arg(long, value_name = "WARC", conflicts_with_all = ["target", "since_checkpoint", "sample", "key", "checkpoint", "require"])]
    foreign: Option<PathBuf>,

    /// PEM file with roots of timestamp authorities to believe, besides those of the settings
    #[arg(long, value_name = "FILE")]
    tsa_roots: Vec<PathBuf>,

    /// How strongly others must vouch for it
    #[arg(long, value_parser = ["pending", "anchored", "witnessed"])]
    require: Option<String>,
}

pub(super) fn run(global: &Global, args: Args) -> Result<Exit, Fault> {
    let settings = super::config::load(global, &NetworkArgs::default())?;
    if let Some((file, bytes)) = args.target.as_deref().and_then(|file| Some((file, handed(file)?))) {
        return bundle(global, settings, &args, (file, &bytes));
    }
    let paths = bridge::paths(global, &settings);
    let trust = trust(&settings, &args)?;
    let told = bridge::fault("verify");
    let report = match (&args.target, &args.foreign, args.sample) {
        (_, Some(file), _) => foreign(file).map(|()| verify::foreign(file))?,
        (Some(target), ..) => verify::one(&paths, target, &trust),
        (_, _, Some(count)) => verify::fixity(paths, bridge::choices(&settings)?, count.get().into(), &trust),
        _ if args.since_checkpoint.is_some() => verify::since(&paths, &trust),
        _ => verify::whole(&paths, &trust),
    };
    tell(global, &report.map_err(told)?, args.require.as_deref())
}

/// Judges a proof bundle, with the key given or that of the archive, where there is one.
fn bundle(global: &Global, mut settings: Settings, args: &Args, handed: (&str, &[u8])) -> Result<Exit, Fault> {
    let (file, bytes) = handed;
    settings.anchor.tsa_roots.extend(args.tsa_roots.iter().cloned());
    let given = args.key.as_deref().map(bridge::key).transpose()?;
    let known = given.or_else(|| bundle::own_key(&bridge::paths(global, &settings)));
    let judged = bundle::judge(&settings, bytes, known)?;
    tell(global, &verify::bundle(file, judged), args.require.as_deref())
}

/// Whether it is a file at all.
fn foreign(file: &Path) -> Result<(), Fault> {
    let told = |e: &dyn std::error::Error| {
        Fault::new(Exit::Usage, format!("read {}", file.display()), e).hint("expected a WARC file, compressed or not")
    };
    input::probe(file).map(drop).map_err(|e| told(&e))
}

/// A remembered checkpoint. One that is none says nothing of the archive.
fn remembered(file: &Path) -> Result<Vec<u8>, Fault> {
    let note = bridge::note(file)?;
    match Signed::parse(&note) {
        Ok(_) => Ok(note),
        Err(e) => Err(Fault::new(Exit::Usage, format!("read the checkpoint in {}", file.display()), &e)
            .hint("expected a signed checkpoint, as onrecord ledger checkpoint prints it")),
    }
}

fn tell(global: &Global, report: &Report, require: Option<&str>) -> Result<Exit, Fault> {
    if global.json {
        out::json(report)?
    } else {
        out::text(|out| draw(out, report, global.verbose > 0))?
    }
    Ok(exit(report, require))
}

/// The bytes of a proof bundle, if the file of that name is one, or says that it is.
fn handed(target: &str) -> Option<Vec<u8>> {
    let bytes = input::file(Path::new(target), crate::proof::MAX_BYTES as u64).ok()?;
    crate::proof::Bundle::is_meant(&bytes).then_some(bytes)
}

fn trust(settings: &Settings, args: &Args) -> Result<Trust, Fault> {
    let checkpoint = args.checkpoint.as_deref().or(args.since_checkpoint.as_deref());
    let mut roots = Roots::default();
    for path in settings.anchor.tsa_roots.iter().chain(&args.tsa_roots) {
        let pem = bridge::note(path)?;
        let some = Roots::from_pem(&pem)
            .map_err(|e| Fault::new(Exit::Usage, format!("read the roots in {}", path.display()), &e))?;
        roots.extend(some);
    }
    let headers = settings.anchor.bitcoin_headers.trim();
    let headers = match headers {
        "" => BTreeMap::new(),
        // Verification asks nobody: a node's headers are for `anchor`.
        url if url.starts_with("http://") || url.starts_with("https://") => BTreeMap::new(),
        path => node::all(Path::new(path))
            .map_err(|e| Fault::new(Exit::Usage, format!("read the block headers in {path}"), &e))?,
    };
    Ok(Trust {
        key: args.key.as_deref().map(bridge::key).transpose()?,
        checkpoint: checkpoint.map(remembered).transpose()?,
        roots,
        headers,
        witnesses: settings.anchor.witnesses.iter().map(|witness| witness.key.clone()).collect(),
        beacons: settings.anchor.beacon.iter().map(|source| source.chain.clone()).collect(),
    })
}

fn exit(report: &Report, require: Option<&str>) -> Exit {
    let wanted = match require {
        Some("pending") => Independence::Pending,
        Some("anchored") => Independence::Anchored,
        Some("witnessed") => Independence::Witnessed,
        _ => Independence::SelfAttested,
    };
    match report.verdict {
        Verdict::Damaged | Verdict::Incomplete => Exit::Damaged,
        Verdict::NothingChecked => Exit::NotFound,
        Verdict::Intact if report.independence < wanted => Exit::Weaker,
        Verdict::Intact => Exit::Done,
    }
}

/// The longest list of problems that a person is shown; `--json` has all.
const SHOWN: usize = 50;

fn draw(out: &mut dyn Write, report: &Report, verbose: bool) -> std::io::Result<()> {
    let (word, style) = match report.verdict {
        Verdict::Intact => ("intact", AnsiColor::Green),
        Verdict::Damaged => ("damaged", AnsiColor::Red),
        Verdict::Incomplete => ("incomplete", AnsiColor::Red),
        Verdict::NothingChecked => ("nothing to check", AnsiColor::Yellow),
    };
    let (style, dim) = (style.on_default().bold(), Style::new().dimmed());
    writeln!(out, "{}: {style}{word}{style:#}", plain::line(&report.target))?;
    let c = &report.checked;
    writeln!(
        out,
        "checked {} WARC records ({} bytes), {} records, {} leaves, {} checkpoints, {} anchors, {} catalogue rows",
        c.warc_records, c.bytes, c.records, c.leaves, c.checkpoints, c.anchors, c.rows
    )?;
    for problem in report.problems.iter().take(SHOWN) {
        let red = AnsiColor::Red.on_default();
        writeln!(out, "{red}{}{red:#}  {}  {}", problem.kind, plain::line(&problem.place), plain::line(&problem.what))?;
    }
    if report.problems.len() > SHOWN {
        writeln!(out, "and {} more; --json prints all", report.problems.len() - SHOWN)?;
    }
    let vouched = match report.independence {
        Independence::SelfAttested => "nobody but the archive itself vouches for it",
        Independence::Pending => "an outside authority has been asked and has not confirmed yet",
        Independence::Anchored => "an outside authority vouches for a checkpoint over it",
        Independence::Witnessed => "a witness vouches for its checkpoints",
    };
    writeln!(out, "{vouched}")?;
    for note in &report.notes {
        writeln!(out, "note: {}", plain::line(note))?;
    }
    for text in &report.not_checked {
        writeln!(out, "{dim}not checked: {}{dim:#}", plain::line(text))?;
    }
    if verbose {
        for text in &report.not_proved {
            writeln!(out, "{dim}not proved: {}{dim:#}", plain::line(text))?;
        }
    }
    Ok(())
}
