//! How a command ends: its exit code, or the one message that says what failed and what to do about it.

use std::error::Error;
use std::io::Write as _;
use std::process::ExitCode;

use anstyle::{AnsiColor, Style};

use crate::face::plain;

/// Exit codes, as promised to scripts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// done
    Done = 0,
    /// failed; nothing acknowledged is lost
    Failed = 1,
    /// bad usage or bad input
    Usage = 2,
    /// not found
    NotFound = 3,
    /// holds, but not as strongly as required
    Weaker = 4,
    /// damaged or missing evidence
    Damaged = 5,
    /// the archive is in use by another process
    InUse = 6,
    /// interrupted cleanly
    Interrupted = 130,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// What failed, said once.
#[derive(Debug)]
pub struct Fault {
    message: String,
    hint: Option<String>,
    exit: Exit,
}

impl Fault {
    /// `failed to <doing>: <error and its causes>`.
    pub fn new(exit: Exit, doing: impl AsRef<str>, error: &dyn Error) -> Self {
        Self { message: format!("failed to {}: {}", doing.as_ref(), chain(error)), hint: None, exit }
    }

    /// A message in its own words, where there is no error below it.
    pub fn plain(exit: Exit, message: impl Into<String>) -> Self {
        Self { message: message.into(), hint: None, exit }
    }

    /// Adds what to do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The code to exit with.
    pub fn exit(&self) -> Exit {
        self.exit
    }

    /// The message, on one line and safe to print.
    pub fn message(&self) -> String {
        plain::line(&self.message).into_owned()
    }

    /// Prints it to standard error. Where that is closed there is nobody left to tell.
    pub fn print(&self) {
        let (red, cyan) = (AnsiColor::Red.on_default().bold(), AnsiColor::Cyan.on_default());
        let mut err = anstream::stderr().lock();
        let mut say = |style: Style, label: &str, text: &str| {
            let _ = writeln!(err, "{style}{label}:{style:#} {}", plain::line(text));
        };
        say(red, "onrecord", &self.message);
        if let Some(hint) = &self.hint {
            say(cyan, "hint", hint);
        }
    }
}

/// An error and its causes, outermost first; a cause that its effect has already said is left out.
pub fn chain(error: &dyn Error) -> String {
    let mut said = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        let text = next.to_string();
        if !said.contains(&text) {
            said = format!("{said}: {text}");
        }
        cause = next.source();
    }
    said
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("open the box")]
    struct Outer(#[source] Inner);

    #[derive(Debug, thiserror::Error)]
    #[error("the lock is rusty")]
    struct Inner;

    #[derive(Debug, thiserror::Error)]
    #[error("open the box: {0}")]
    struct Repeats(#[source] Inner);

    #[test]
    fn causes_are_said_once() {
        assert_eq!(chain(&Outer(Inner)), "open the box: the lock is rusty");
        assert_eq!(chain(&Repeats(Inner)), "open the box: the lock is rusty");
        let fault = Fault::new(Exit::Failed, "get in", &Outer(Inner));
        assert_eq!(fault.message(), "failed to get in: open the box: the lock is rusty");
    }

    #[test]
    fn a_message_is_one_safe_line() {
        let fault = Fault::plain(Exit::Usage, "bad\u{1b}[2J\nname");
        assert_eq!(fault.message(), "bad\\u{1b}[2J name");
    }
}
