//! The outside, one tool a room. The only rooms that touch network, files, clock, secrets or randomness.

pub mod aside;
pub mod clock;
pub mod doorway;
pub mod durable;
pub mod guard;
pub mod input;
pub mod keys;
pub mod lock;
pub mod manners;
pub mod memory;
pub mod random;
pub mod services;
pub mod steward;
pub mod store;
pub mod terminal;
pub mod tiles;
pub mod vault;
pub mod watcher;
pub mod wire;
