//! The tests: one binary.

// the AT Protocol formats, against the protocol's own vectors
#[cfg(test)]
mod atproto;
// The house's rules: who imports whom, who may touch the outside.
mod layers;

// What a person at a terminal meets: usage, settings, completions, manual pages.
mod face;
