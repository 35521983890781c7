//! People and timers: the command line, settings, reports, progress. The only rooms that print.

pub mod cli;
