//! The command line: what was typed becomes what is meant. Each command has its file.

mod anchor;
mod bridge;
mod bundle;
mod cite;
mod completions;
mod config;
mod daemon;
#[cfg(feature = "demo")]
mod demo;
mod diff;
pub mod fault;
mod init;
mod ledger;
mod logs;
mod man;
mod nothing;
mod query;
mod reindex;
mod resolve;
mod run;
mod show;
mod sql;
mod stats;
mod usage;
mod verify;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::parser::ValueSource;
use clap::{ArgAction, ArgMatches, ColorChoice, CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

use self::fault::{Exit, Fault};

/// Puts the social posts that a statement cites on record: resolved, captured byte for byte, checked, and provable.
#[derive(Debug, Parser)]
#[command(name = "onrecord", version, subcommand_required = true, arg_required_else_help = true)]
#[command(max_term_width = 110, after_long_help = MORE)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

/// What the full help and the manual page say besides.
const MORE: &str = "\
Exit codes: 0 done; 1 failed, and nothing acknowledged is lost; 2 bad usage or bad input; 3 not found; 4 holds, but not as \
strongly as required; 5 damaged or missing evidence; 6 archive in use by another process; 130 interrupted cleanly.

Settings: a flag beats the environment (ONRECORD_SECTION_KEY, as in ONRECORD_NETWORK_TIMEOUT), which beats onrecord.toml in \
the archive's folder, which beats the default. 'onrecord config' prints them all. ONRECORD_LOG takes a filter for the logs, \
such as onrecord=debug.";

/// What every command is told.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Everywhere")]
pub struct Global {
    /// The archive's folder
    #[arg(long, global = true, value_name = "DIR", env = "ONRECORD_ARCHIVE", default_value = "./archive")]
    pub archive: PathBuf,

    /// Print one JSON document to standard output
    #[arg(long, global = true)]
    pub json: bool,

    /// Say more; twice for details, three times for everything
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub verbose: u8,

    /// Say nothing but results and failures
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,

    /// When to colour what is printed
    #[arg(long, global = true, value_name = "WHEN", value_enum, default_value = "auto")]
    pub color: ColorChoice,

    /// where `archive` came from: `flag`, `environment`, `default`
    #[arg(skip)]
    pub archive_from: &'static str,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make an archive
    Init(init::Args),
    /// Take statements through an archival run, or follow all that is due
    Run(run::Args),
    /// Run on a schedule, watch the inbox, folders and feeds, and tell of changes
    Daemon(daemon::Args),
    /// Follow links and print every hop; keeps nothing
    Resolve(resolve::Args),
    /// Check that everything, or one thing, is as it was written
    Verify(verify::Args),
    /// Show one thing with all that hangs on it
    Show(show::Args),
    /// Find citations by what they say, where they led and how they ended
    Query(Box<query::Args>),
    /// Compare two captures: words, links, media, headers
    Diff(diff::Args),
    /// Ask the catalogue in SQL, read-only
    Sql(sql::Args),
    /// Checkpoints and proofs: print, prove, compare, cosign, change the key
    #[command(subcommand)]
    Ledger(ledger::Args),
    /// Show the checkpoint to timestamp authorities, calendars and witnesses now; take pending proofs further
    Anchor(anchor::Args),
    /// The archive at a glance, or the link rot of a statement or citation
    Stats(stats::Args),
    /// Make the catalogue anew from the WARC files and the ledger
    Reindex(reindex::Args),
    /// See the whole main job against a built-in loopback copy of the platforms
    #[cfg(feature = "demo")]
    Demo(demo::Args),
    /// Print what a statement cites; touches neither network nor archive
    Cite(cite::Args),
    /// Print every setting, its value and where it came from
    Config(config::Args),
    /// Print a completion script for a shell
    Completions(completions::Args),
    /// Print the manual page, or write the pages of all commands
    Man(man::Args),
}

impl Command {
    fn run(self, global: &Global) -> Result<Exit, Fault> {
        match self {
            Self::Init(args) => init::run(global, args),
            Self::Run(args) => run::run(global, args),
            Self::Daemon(args) => daemon::run(global, args),
            Self::Resolve(args) => resolve::run(global, args),
            Self::Verify(args) => verify::run(global, args),
            Self::Show(args) => show::run(global, args),
            Self::Query(args) => query::run(global, *args),
            Self::Diff(args) => diff::run(global, args),
            Self::Sql(args) => sql::run(global, args),
            Self::Ledger(args) => ledger::run(global, args),
            Self::Anchor(args) => anchor::run(global, args),
            Self::Stats(args) => stats::run(global, args),
            Self::Reindex(args) => reindex::run(global, args),
            #[cfg(feature = "demo")]
            Self::Demo(args) => demo::run(global, args),
            Self::Cite(args) => cite::run(global, args),
            Self::Config(args) => config::run(global, args),
            Self::Completions(args) => completions::run(global, args),
            Self::Man(args) => man::run(global, args),
        }
    }
}

/// Runs one command and gives its exit code.
pub fn main() -> ExitCode {
    let typed: Vec<OsString> = std::env::args_os().collect();
    colour(usage::colour_asked_for(&typed));
    let cli = match parse(&typed) {
        Ok(cli) => cli,
        Err(error) => return usage::explain(&error).into(),
    };
    colour(cli.global.color);
    let manner = logs::Manner::fitting(&cli.global, matches!(cli.command, Command::Daemon(_)));
    match logs::set_up(&cli.global, manner).and_then(|()| cli.command.run(&cli.global)) {
        Ok(exit) => exit.into(),
        Err(fault) => {
            fault.print();
            fault.exit().into()
        }
    }
}

fn parse(typed: &[OsString]) -> Result<Cli, clap::Error> {
    let matches = definition().try_get_matches_from(typed)?;
    let mut cli = Cli::from_arg_matches(&matches)?;
    cli.global.archive_from = archive_from(&matches);
    Ok(cli)
}

fn archive_from(matches: &ArgMatches) -> &'static str {
    match matches.value_source("archive") {
        Some(ValueSource::CommandLine) => "flag",
        Some(ValueSource::EnvVariable) => "environment",
        _ => "default",
    }
}

/// The whole command line as a value, for parsing, completions and manual pages.
fn definition() -> clap::Command {
    Cli::command()
}

fn colour(choice: ColorChoice) {
    match choice {
        ColorChoice::Auto => anstream::ColorChoice::Auto,
        ColorChoice::Always => anstream::ColorChoice::Always,
        ColorChoice::Never => anstream::ColorChoice::Never,
    }
    .write_global();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_contradicts_itself_nowhere() {
        definition().debug_assert();
    }
}
