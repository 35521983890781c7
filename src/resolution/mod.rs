//! The resolution: from a citation, hop by hop, to its end. It never fails; it ends.
//!
//! Everything here is sans-I/O: a [`pursuit::Pursuit`] says what to ask next and is told what was answered.

pub mod carrier;
pub mod ending;
pub mod exchange;
pub mod hop;
pub mod jar;
pub mod judge;
pub mod lookup;
pub mod pursuit;
pub mod script;
pub mod trail;
pub mod wrapper;
