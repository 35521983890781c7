//! Public specifications: bytes to values and back. Pure; each file's first line names its spec.

pub mod digest;
pub mod http;
pub mod json;
pub mod time;
