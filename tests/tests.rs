//! The tests: one binary.

// the AT Protocol formats, against the protocol's own vectors
#[cfg(test)]
mod atproto;
