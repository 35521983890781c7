//! Bad usage, said in one clear line and one hint; help and version where they were asked for.

use std::ffi::OsString;

use clap::ColorChoice;
use clap::error::ErrorKind;

use super::Global;
use super::fault::{Exit, Fault};
use crate::face::out;

/// Prints what `error` is about and gives the code to exit with.
pub(super) fn explain(error: &clap::Error) -> Exit {
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => asked_for(error),
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            let _ = error.print();
            Exit::Usage
        }
        _ => {
            fault(error).print();
            Exit::Usage
        }
    }
}

fn asked_for(error: &clap::Error) -> Exit {
    let printed = out::text(|out| write!(out, "{}", error.render().ansi()));
    match printed {
        Ok(()) => Exit::Done,
        Err(fault) => {
            fault.print();
            fault.exit()
        }
    }
}

/// clap writes several paragraphs: what is wrong, tips, the usage, where help is. The first becomes the message, a tip
/// or else the usage becomes the hint.
fn fault(error: &clap::Error) -> Fault {
    let said = error.render().to_string();
    let mut paragraphs = said.split("\n\n").map(|p| p.split_whitespace().collect::<Vec<_>>().join(" "));
    let wrong = paragraphs.next().unwrap_or_default();
    let wrong = wrong.strip_prefix("error: ").unwrap_or(&wrong).to_owned();
    let rest: Vec<String> = paragraphs.collect();
    let tip = rest.iter().find_map(|p| p.strip_prefix("tip: ")).map(str::to_owned);
    let usage = rest.iter().find_map(|p| p.strip_prefix("Usage: ")).map(|usage| format!("usage: {usage}"));
    let help = || "try 'onrecord --help'".to_owned();
    Fault::plain(Exit::Usage, wrong).hint(tip.or(usage).unwrap_or_else(help))
}

/// How to print: as `--format` says, or else as `--json` does.
///
/// # Errors
/// The two say different things.
pub(super) fn format<F: PartialEq + Copy>(global: &Global, typed: Option<F>, json: F, usual: F) -> Result<F, Fault> {
    match typed {
        Some(format) if global.json && format != json => {
            Err(Fault::plain(Exit::Usage, "--json and --format ask for different things").hint("leave one of them out"))
        }
        Some(format) => Ok(format),
        None => Ok(if global.json { json } else { usual }),
    }
}

/// What `--color` says, read before the rest so that complaints about the rest obey it.
pub(super) fn colour_asked_for(typed: &[OsString]) -> ColorChoice {
    let words: Vec<_> = typed.iter().map(|word| word.to_string_lossy()).collect();
    let separate = words.windows(2).filter(|pair| pair[0] == "--color").map(|pair| pair[1].as_ref());
    let joined = words.iter().filter_map(|word| word.strip_prefix("--color="));
    match separate.chain(joined).next() {
        Some("always") => ColorChoice::Always,
        Some("never") => ColorChoice::Never,
        _ => ColorChoice::Auto,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(line: &str) -> String {
        let typed: Vec<OsString> = line.split(' ').map(OsString::from).collect();
        super::super::parse(&typed).err().map(|error| fault(&error).message()).unwrap_or_default()
    }

    #[test]
    fn one_line_says_what_is_wrong() {
        assert_eq!(said("onrecord config --jsno"), "unexpected argument '--jsno' found");
        assert_eq!(said("onrecord confgi"), "unrecognized subcommand 'confgi'");
        let shell = said("onrecord completions csh");
        assert!(shell.starts_with("invalid value 'csh' for '<SHELL>' [possible values: bash"), "{shell}");
        let hops = said("onrecord config --max-hops many");
        assert!(hops.starts_with("invalid value 'many' for '--max-hops <N>': expected a whole number"), "{hops}");
        assert!(said("onrecord completions").contains("<SHELL>"));
    }

    #[test]
    fn colour_is_known_before_the_rest_is() {
        let typed = |line: &str| line.split(' ').map(OsString::from).collect::<Vec<_>>();
        assert_eq!(colour_asked_for(&typed("onrecord --color never x")), ColorChoice::Never);
        assert_eq!(colour_asked_for(&typed("onrecord x --color=always")), ColorChoice::Always);
        assert_eq!(colour_asked_for(&typed("onrecord x")), ColorChoice::Auto);
    }
}
