//! The resolution: from a citation, hop by hop, to its end. It never fails; it ends.
//!
//! Everything here is sans-I/O: a [`Pursuit`](pursuit) says what to ask next and is told what was answered.

pub mod ending;
pub mod exchange;
pub mod hop;
