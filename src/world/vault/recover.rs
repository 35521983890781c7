//! What a crash left: `.open` files. Complete records are kept, a torn last one is cut off.

use std::fs::{File, OpenOptions};
use std::path::Path;
use std::sync::Arc;

use super::place::{self, OPEN};
use super::{Error, Main, seal};
use crate::format::warc::problem::Kind;
use crate::format::warc::read::{Rules, Want};
use crate::world::durable::Disk;

/// What was found and done, file by file, in the order the files were begun.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recovered {
    /// none after a clean close
    pub files: Vec<Leftover>,
}

/// One file that was left open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leftover {
    /// its name, without `.open`
    pub file: String,
    /// complete records in it, the warcinfo included
    pub records: u64,
    /// its length now
    pub length: u64,
    /// a torn end was cut off
    pub cut: Option<Cut>,
    /// what became of it
    pub fate: Fate,
}

/// Bytes that made no whole record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cut {
    /// where they began
    pub offset: u64,
    /// how many there were
    pub bytes: u64,
}

/// What became of a file that was left open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// the next records go on in it
    Continued,
    /// sealed, since only one file goes on
    Sealed,
    /// sealed as it is: records stand behind damage, and nothing of them is touched
    SealedDamaged,
    /// taken away, since no record was in it but its warcinfo
    Removed,
}

/// What a look through an open file says.
struct Look {
    records: u64,
    /// end of the last whole record
    good: u64,
    /// whole records stand behind damage
    gap: bool,
}

/// Sees to every `.open` file; the last one that is sound goes on.
pub(super) fn recover(dir: &Path, disk: &Disk) -> Result<(Recovered, Option<Main>), Error> {
    let mut recovered = Recovered::default();
    let mut main = None;
    for name in place::files(dir)? {
        let path = dir.join(format!("{name}{OPEN}"));
        if !path.exists() {
            continue;
        }
        // Only one file goes on, the last; an earlier candidate is sealed after all.
        let (leftover, next) = settle(dir, disk, &name, &path)?;
        if next.is_some() {
            finish(dir, disk, &mut recovered, std::mem::replace(&mut main, next))?;
        }
        recovered.files.push(leftover);
    }
    Ok((recovered, main))
}

fn finish(dir: &Path, disk: &Disk, recovered: &mut Recovered, main: Option<Main>) -> Result<(), Error> {
    let Some(main) = main else { return Ok(()) };
    seal(disk, dir, &main.path, &main.name)?;
    for leftover in recovered.files.iter_mut().filter(|l| l.file == main.name) {
        leftover.fate = Fate::Sealed;
    }
    Ok(())
}

fn settle(dir: &Path, disk: &Disk, name: &str, path: &Path) -> Result<(Leftover, Option<Main>), Error> {
    let failed = |source| Error::Read { path: path.to_owned(), source };
    let look = look(path)?;
    let file = OpenOptions::new().read(true).write(true).open(path).map_err(|e| not_writable(path, e))?;
    let length = file.metadata().map_err(failed)?.len();
    let mut leftover =
        Leftover { file: name.to_owned(), records: look.records, length, cut: None, fate: Fate::Continued };
    if look.gap {
        disk.sync(&file, path)?;
        seal(disk, dir, path, name)?;
        leftover.fate = Fate::SealedDamaged;
        return Ok((leftover, None));
    }
    if look.good < length {
        leftover.cut = Some(Cut { offset: look.good, bytes: length - look.good });
        leftover.length = look.good;
    }
    if look.records < 2 {
        disk.remove(path)?;
        disk.sync_folder(dir)?;
        leftover.fate = Fate::Removed;
        return Ok((leftover, None));
    }
    Ok((leftover, Some(go_on(dir, disk, name, path, file, look.good, length)?)))
}

/// Cuts the torn end off and makes sure of the rest: what was written before the crash but never synced is about to be
/// told to the database.
fn go_on(dir: &Path, disk: &Disk, name: &str, path: &Path, file: File, good: u64, length: u64) -> Result<Main, Error> {
    if good < length {
        disk.cut(&file, path, good)?;
    }
    disk.sync(&file, path)?;
    disk.sync_folder(dir)?;
    Ok(Main {
        name: name.to_owned(),
        path: path.to_owned(),
        file: Arc::new(file),
        len: good,
        dirty: false,
        failed: Arc::default(),
        nameless: false,
        info: None,
    })
}

fn look(path: &Path) -> Result<Look, Error> {
    // Checksums of the members are enough to tell a torn one; the digests are for `verify`.
    let want = Want { rules: Rules::Foreign, check: false, whole: false, entity: false, keep: 0 };
    let mut reader = place::scan(path, 0, want)?;
    let mut look = Look { records: 0, good: 0, gap: false };
    let mut damaged = false;
    while let Some(item) = reader.next().map_err(|source| Error::Read { path: path.to_owned(), source })? {
        if item.is_whole() && item.length > 0 {
            look.gap |= damaged;
            look.records += 1;
            if !damaged {
                look.good = item.offset + item.length;
            }
        } else {
            damaged = true;
        }
        if item.problems.iter().any(|p| p.kind == Kind::FileTruncated) {
            break;
        }
    }
    Ok(look)
}

fn not_writable(path: &Path, source: std::io::Error) -> Error {
    match source.kind() {
        std::io::ErrorKind::ReadOnlyFilesystem | std::io::ErrorKind::PermissionDenied => {
            Error::Disk(crate::world::durable::Error::NotWritable {
                deed: crate::world::durable::Deed::Write,
                path: path.to_owned(),
            })
        }
        _ => Error::Read { path: path.to_owned(), source },
    }
}
