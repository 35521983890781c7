//! Deeds: chain the stages, order the effects.

pub mod anchor;
pub mod archive;
pub mod capture;
pub mod drive;
pub mod errand;
pub mod fault;
pub mod keep;
pub mod news;
pub mod outcome;
pub mod parts;
pub mod plan;
pub mod pursue;
pub mod reindex;
pub mod rows;
pub mod run;
pub mod seal;
pub mod show;
pub mod verify;
