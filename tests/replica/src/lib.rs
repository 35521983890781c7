//! The loopback copy of the platforms.
