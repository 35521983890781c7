//! # onrecord: puts the social posts that a statement cites on record
//!
//! ```text
//!  main
//!  face/      people and timers
//!  work/      deeds: chain the stages
//!  world/     the outside, one tool a room
//!  ──────────────────────────────────────────────────────────────────────────────────────────
//!  statement → citation → resolution → snapshot → finding → record → ledger → proof      pure
//!  ──────────────────────────────────────────────────────────────────────────────────────────
//!  platform/  each site's own grammar
//!  format/    public specs, bytes ↔ values
//! ```
//!
//! A file imports its own folder and what stands below it, nothing else; `tests/layers.rs` reads the paths and fails on
//! one that runs upward. ARCHITECTURE.md has the map and the invariants, each with the test that holds it.

pub mod format;
pub mod platform;

pub mod statement;

pub mod citation;

pub mod resolution;

pub mod snapshot;

pub mod finding;

pub mod record;

pub mod ledger;

pub mod proof;

pub mod world;

pub mod work;

pub mod face;
