//! The wire against raw loopback servers: what they wrote must be what was kept, to the byte.

mod bounds;
mod bytes;
mod guard;
mod names;
mod reader;
mod server;
mod tls;
