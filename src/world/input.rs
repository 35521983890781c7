//! Documents handed in: a file by its path, or standard input; whole, and never more than a bound.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

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
    let file = open(path)?;
    // one byte more than it is long shows its end without another growth
    let room = file.metadata().map_or(0, |about| about.len().min(bound).saturating_add(1));
    whole(file, bound, usize::try_from(room).unwrap_or(0))
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
    whole(io::stdin().lock(), bound, 0)
}

/// The plain files of a folder, hidden ones left out; empty where there is no such folder.
///
/// # Errors
/// What the system says.
pub fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(e),
    };
    let mut files = Vec::new();
    for entry in entries {
        let entry = entry?;
        let hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
        if !hidden && entry.path().is_file() {
            files.push(entry.path());
        }
    }
    Ok(files)
}

/// A plain file of a folder, as it is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lying {
    /// where it lies
    pub path: PathBuf,
    /// bytes
    pub size: u64,
    /// when it was last written to, by its own word
    pub changed: jiff::Timestamp,
}

/// The plain files of a folder with their sizes and times, hidden ones left out, by name; empty where there is no such folder.
///
/// # Errors
/// What the system says.
pub fn lying(folder: &Path) -> io::Result<Vec<Lying>> {
    let mut paths = files(folder)?;
    paths.sort();
    let about = |path: PathBuf| {
        let about = path.metadata().ok()?; // gone again since the folder was read
        let changed = jiff::Timestamp::try_from(about.modified().ok()?).ok()?;
        Some(Lying { path, size: about.len(), changed: crate::format::time::to_micros(changed) })
    };
    Ok(paths.into_iter().filter_map(about).collect())
}

/// A file that is gone when the value is.
#[derive(Debug)]
pub struct Scratch(PathBuf);

impl Scratch {
    /// Where it lies.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What cannot be taken away from a folder of temporary files stays there.
        let _ = std::fs::remove_file(&self.0);
    }
}

/// Writes `bytes` to a new file among the system's temporary ones.
///
/// # Errors
/// What the system says.
pub fn scratch(name: &str, bytes: &[u8]) -> io::Result<Scratch> {
    use std::io::Write as _;
    let path = std::env::temp_dir().join(format!("{}-{}", std::process::id(), name));
    let mut file = File::options().write(true).create_new(true).open(&path)?;
    file.write_all(bytes)?;
    Ok(Scratch(path))
}

/// A folder that is gone, with all that is in it, when the value is.
#[derive(Debug)]
pub struct ScratchFolder(PathBuf);

impl ScratchFolder {
    /// Where it lies.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for ScratchFolder {
    fn drop(&mut self) {
        // As with a scratch file.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Makes a new folder among the system's temporary ones, for this user alone.
///
/// # Errors
/// What the system says.
pub fn scratch_folder() -> io::Result<ScratchFolder> {
    use std::os::unix::fs::DirBuilderExt as _;
    for n in 0_u32.. {
        let path = std::env::temp_dir().join(format!("onrecord-{}-{n}", std::process::id()));
        match std::fs::DirBuilder::new().mode(0o700).create(&path) {
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
            made => return made.map(|()| ScratchFolder(path)),
        }
    }
    Err(io::Error::other("no free name"))
}

/// The digest of the file at `path`, read as a stream.
///
/// # Errors
/// Missing, a folder, or what the system says.
pub fn digest(path: &Path) -> Result<crate::format::digest::Digest, InputError> {
    let mut file = open(path)?;
    let mut hasher = crate::format::digest::Hasher::default();
    let mut piece = vec![0; 256 << 10];
    loop {
        let n = file.read(&mut piece)?;
        if n == 0 {
            return Ok(hasher.finish());
        }
        hasher.update(piece.get(..n).unwrap_or_default());
    }
}

/// The first entry of a folder that is none of `known`; none too where there is no such folder.
///
/// # Errors
/// What the system says.
pub fn strangers(folder: &Path, known: &[&str]) -> io::Result<Option<String>> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(e),
    };
    for entry in entries {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if !known.contains(&name.as_str()) {
            return Ok(Some(name));
        }
    }
    Ok(None)
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

fn whole(from: impl Read, bound: u64, room: usize) -> Result<Vec<u8>, InputError> {
    let mut bytes = Vec::with_capacity(room);
    from.take(bound.saturating_add(1)).read_to_end(&mut bytes)?;
    if u64::try_from(bytes.len()).is_ok_and(|n| n <= bound) { Ok(bytes) } else { Err(InputError::TooLong(bound)) }
}

/// Files in a folder and all below it, and their bytes together. A folder that is not there has none.
///
/// # Errors
/// The file system's.
pub fn size(folder: &Path) -> io::Result<(u64, u64)> {
    let mut sum = (0, 0);
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let entries = match std::fs::read_dir(&folder) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => continue,
            other => other?,
        };
        for entry in entries {
            let entry = entry?;
            let kind = entry.file_type()?;
            if kind.is_dir() {
                folders.push(entry.path());
            } else if kind.is_file() {
                sum = (sum.0 + 1, sum.1 + entry.metadata()?.len());
            }
        }
    }
    Ok(sum)
}

/// What a place is to whoever would write a new file there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spot {
    /// nothing is there
    Free,
    /// something is, if only a link that leads nowhere
    Taken,
    /// it is in the folder that is not to be written to
    Inside,
}

/// What `path` is, beside `kept`, a folder that is not to be written to.
///
/// # Errors
/// There is no folder that it would be in.
pub fn spot(path: &Path, kept: &Path) -> io::Result<Spot> {
    let above = path.parent().filter(|above| !above.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let above = std::fs::canonicalize(above)?;
    Ok(match std::fs::canonicalize(kept) {
        Ok(kept) if above.starts_with(&kept) => Spot::Inside,
        _ if std::fs::symlink_metadata(path).is_ok() => Spot::Taken,
        _ => Spot::Free,
    })
}

/// Bytes of a file; none where it is not there.
pub fn length(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |about| about.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bound_is_exact() {
        assert_eq!(whole(&b"abc"[..], 3, 0).ok(), Some(b"abc".to_vec()));
        assert!(matches!(whole(&b"abcd"[..], 3, 9), Err(InputError::TooLong(3))));
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
