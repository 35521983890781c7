//! The outside, one tool a room. The only rooms that touch network, files, clock, secrets or randomness.

pub mod durable;
pub mod input;
pub mod terminal;
pub mod vault;
