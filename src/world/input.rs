//! Documents handed in: a file by its path, or standard input; whole, and never more than a bound.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// Why a document could not be read.
#[derive(Debug, thiserror::Error)]
pub enum InputError {
    /// there is nothing of that name
    #[error("no such file")]
    Missing,
    /// a folder, a device or a socket
    #[error("not a file but a {0}")]
    NotAFile(&'static str),
    /// longer than the bound
    #[error("longer than {0} bytes")]
    TooLong(u64),
    /// bytes that are no UTF-8 where text is expected
    #[error("not UTF-8 text at byte {0}")]
    NotText(usize),
    /// the system says no
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// The bytes of the file at `path`, at most `bound` of them.
///
/// # Errors
/// Missing, a folder, longer than the bound, or what the system says.
pub fn file(path: &Path, bound: u64) -> Result<Vec<u8>, InputError> {
    whole(open(path)?, bound)
}

/// Whether the file at `path` can be read, and how long it is where that is known. A pipe, as from a shell's `<(…)`, has no
/// length and is not opened: whoever writes to it would be told that its reader has gone.
///
/// # Errors
/// As [`file()`], except for the bound.
pub fn probe(path: &Path) -> Result<Option<u64>, InputError> {
    let about = path.metadata().map_err(missing)?;
    if about.is_dir() {
        return Err(InputError::NotAFile("folder"));
    }
    if !about.is_file() {
        return Ok(None);
    }
    File::open(path).map_err(missing)?;
    Ok(Some(about.len()))
}

fn open(path: &Path) -> Result<File, InputError> {
    if path.metadata().map_err(missing)?.is_dir() {
        return Err(InputError::NotAFile("folder"));
    }
    File::open(path).map_err(missing)
}

/// All of standard input, at most `bound` bytes.
///
/// # Errors
/// Longer than the bound, or what the system says.
pub fn standard(bound: u64) -> Result<Vec<u8>, InputError> {
    whole(io::stdin().lock(), bound)
}

/// The text of the file at `path`; none where there is no such file.
///
/// # Errors
/// As [`file()`], and where it is no UTF-8.
pub fn text_if_there(path: &Path, bound: u64) -> Result<Option<String>, InputError> {
    let bytes = match file(path, bound) {
        Ok(bytes) => bytes,
        Err(InputError::Missing) => return Ok(None),
        Err(other) => return Err(other),
    };
    String::from_utf8(bytes).map(Some).map_err(|error| InputError::NotText(error.utf8_error().valid_up_to()))
}

fn missing(error: io::Error) -> InputError {
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => InputError::Missing,
        _ => InputError::Io(error),
    }
}

fn whole(from: impl Read, bound: u64) -> Result<Vec<u8>, InputError> {
    let mut bytes = Vec::new();
    from.take(bound.saturating_add(1)).read_to_end(&mut bytes)?;
    if u64::try_from(bytes.len()).is_ok_and(|n| n <= bound) { Ok(bytes) } else { Err(InputError::TooLong(bound)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bound_is_exact() {
        assert_eq!(whole(&b"abc"[..], 3).ok(), Some(b"abc".to_vec()));
        assert!(matches!(whole(&b"abcd"[..], 3), Err(InputError::TooLong(3))));
    }

    #[test]
    fn what_is_no_file_is_named() -> io::Result<()> {
        let folder = tempfile::tempdir()?;
        assert!(matches!(file(folder.path(), 9), Err(InputError::NotAFile("folder"))));
        assert!(matches!(file(&folder.path().join("none"), 9), Err(InputError::Missing)));
        assert!(matches!(text_if_there(&folder.path().join("none"), 9), Ok(None)));
        assert!(matches!(probe(folder.path()), Err(InputError::NotAFile("folder"))));
        assert!(matches!(probe(&folder.path().join("none")), Err(InputError::Missing)));
        let binary = folder.path().join("binary");
        std::fs::write(&binary, [b'a', 0xff])?;
        assert!(matches!(text_if_there(&binary, 9), Err(InputError::NotText(1))));
        assert!(matches!(probe(&binary), Ok(Some(2))));
        Ok(())
    }
}
