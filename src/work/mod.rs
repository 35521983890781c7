//! Deeds: chain the stages, order the effects.

pub mod news;
pub mod outcome;
