//! People and timers: the command line, settings, reports, progress. The only rooms that print.

pub mod cli;
pub mod config;
pub mod daemon;
pub mod out;
pub mod plain;
pub mod progress;
pub mod report;
pub mod shown;
pub mod table;
