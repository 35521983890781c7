//! Standard output: results only, buffered, and quiet where the reader has gone.

use std::io::{self, BufWriter, Write};

use serde::Serialize;

use crate::face::cli::fault::{Exit, Fault};

/// Bytes gathered before they are written.
const BUFFER: usize = 64 * 1024;

/// Writes a result for a person; colours are kept or dropped as `--color` and the terminal say.
///
/// # Errors
/// What the system says, except that a reader who has gone is no error.
pub fn text(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), Fault> {
    let mut out = BufWriter::with_capacity(BUFFER, anstream::stdout().lock());
    settled(write(&mut out).and_then(|()| out.flush()))
}

/// Writes a result for a program: exactly the bytes that `write` gives.
///
/// # Errors
/// As [`text`].
pub fn bytes(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), Fault> {
    let mut out = BufWriter::with_capacity(BUFFER, io::stdout().lock());
    settled(write(&mut out).and_then(|()| out.flush()))
}

/// Writes one JSON document and a line feed.
///
/// # Errors
/// As [`text`].
pub fn json<T: Serialize + ?Sized>(value: &T) -> Result<(), Fault> {
    bytes(|out| {
        serde_json::to_writer(&mut *out, value)?;
        out.write_all(b"\n")
    })
}

fn settled(result: io::Result<()>) -> Result<(), Fault> {
    match result {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Fault::new(Exit::Failed, "write to standard output", &error))
        }
        _ => Ok(()),
    }
}
