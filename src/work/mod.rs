//! Deeds: chain the stages, order the effects.

pub mod anchor;
pub mod archive;
pub mod attest;
pub mod by_hand;
pub mod capture;
pub mod drive;
pub mod errand;
pub mod fault;
pub mod keep;
pub mod news;
pub mod outcome;
pub mod parts;
pub mod plan;
pub mod prove;
pub mod pursue;
pub mod reindex;
pub mod remember;
pub mod rotate;
pub mod rows;
pub mod run;
pub mod seal;
pub mod show;
pub mod verify;
