//! Where citations lead and what they say, through the real binary: statements whose right answers are annotated, every
//! carrier of a redirect, every row of the transactions, dead links, requests counted.

#![expect(clippy::print_stdout, reason = "what was counted is printed, and what was not followed is said")]

mod archives;
mod carriers;
mod case;
mod clauses;
mod doors;
mod platforms;
mod statements;
mod strangers;
mod threads;
mod transactions;
mod unlinked;
mod world;
