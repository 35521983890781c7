//! Deeds: chain the stages, order the effects.

pub mod anchor;
pub mod news;
pub mod outcome;
