//! `onrecord diff ID [ID]`: two captures of one target, and what is not the same in them.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};

use super::Global;
use super::bridge;
use super::fault::{Exit, Fault};
use crate::face::config::flags::NetworkArgs;
use crate::face::{out, plain};
use crate::work::diff::{Diff, Op, Segment, Sets, diff};

/// Exit 0 whether they differ or not; --exit-code makes a difference 4. Headers are shown and are no difference: they change
/// every time.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A snapshot, a post, a citation (their last snapshot), or a statement
    #[arg(value_name = "ID")]
    a: String,

    /// The other one; where it is left out, the last two snapshots of the first are compared
    #[arg(value_name = "ID")]
    b: Option<String>,

    /// Exit with 4 where they differ
    #[arg(long)]
    exit_code: bool,
}

pub(super) fn run(global: &Global, args: Args) -> Result<Exit, Fault> {
    let settings = super::config::load(global, &NetworkArgs::default())?;
    let paths = bridge::paths(global, &settings);
    let found = diff(&paths, &args.a, args.b.as_deref()).map_err(bridge::fault("compare"))?;
    if global.json {
        out::json(&found)?;
    } else {
        out::text(|out| draw(out, &found))?;
    }
    Ok(if args.exit_code && !found.same { Exit::Weaker } else { Exit::Done })
}

const RED: Style = AnsiColor::Red.on_default();
const GREEN: Style = AnsiColor::Green.on_default();

fn draw(out: &mut dyn Write, diff: &Diff) -> io::Result<()> {
    for (sign, style, side) in [('-', RED, &diff.a), ('+', GREEN, &diff.b)] {
        let at = side.at.as_deref().unwrap_or_default();
        writeln!(out, "{style}{sign}{style:#} {} {}  {at}", side.what, side.id)?;
    }
    if diff.same {
        writeln!(out, "the same: words, links, media and what is said of them")?;
    }
    for changed in &diff.fields {
        heading(out, &changed.name)?;
        one(out, '-', changed.a.as_deref())?;
        one(out, '+', changed.b.as_deref())?;
    }
    if diff.words.iter().any(|segment| segment.op != Op::Same) {
        heading(out, "words")?;
        words(out, &diff.words)?;
    }
    for (name, sets) in [("links", &diff.links), ("media", &diff.media), ("headers", &diff.headers)] {
        draw_sets(out, name, sets)?;
    }
    Ok(())
}

fn heading(out: &mut dyn Write, name: &str) -> io::Result<()> {
    let bold = Style::new().bold();
    writeln!(out, "\n{bold}{}{bold:#}", plain::line(name))
}

fn one(out: &mut dyn Write, sign: char, value: Option<&str>) -> io::Result<()> {
    let Some(value) = value else { return Ok(()) };
    let style = if sign == '-' { RED } else { GREEN };
    writeln!(out, "  {style}{sign} {}{style:#}", plain::line(value))
}

fn draw_sets(out: &mut dyn Write, name: &str, sets: &Sets) -> io::Result<()> {
    if sets.is_empty() {
        return Ok(());
    }
    heading(out, name)?;
    sets.removed.iter().try_for_each(|value| one(out, '-', Some(value)))?;
    sets.added.iter().try_for_each(|value| one(out, '+', Some(value)))?;
    for changed in &sets.changed {
        writeln!(out, "  {}", plain::line(&changed.name))?;
        one(out, '-', changed.a.as_deref())?;
        one(out, '+', changed.b.as_deref())?;
    }
    Ok(())
}

/// Words that stand in both are shown this far around a difference.
const AROUND: usize = 80;

/// `[-removed-]` and `{+added+}` tell the two apart where there is no colour.
fn words(out: &mut dyn Write, segments: &[Segment]) -> io::Result<()> {
    write!(out, "  ")?;
    let last = segments.len().saturating_sub(1);
    for (n, segment) in segments.iter().enumerate() {
        let text = plain::line(&segment.text);
        match segment.op {
            Op::Same => write!(out, "{}", shortened(&text, n > 0, n < last))?,
            Op::Removed => write!(out, "{RED}[-{text}-]{RED:#}")?,
            Op::Added => write!(out, "{GREEN}{{+{text}+}}{GREEN:#}")?,
        }
    }
    writeln!(out)
}

fn shortened(text: &str, before: bool, after: bool) -> String {
    let chars: Vec<char> = text.chars().collect();
    if chars.len() <= 2 * AROUND {
        return text.to_owned();
    }
    let head: String = chars.iter().take(if before { AROUND } else { 0 }).collect();
    let tail: String = chars.iter().skip(chars.len() - if after { AROUND } else { 0 }).collect();
    format!("{head} … {tail}")
}
