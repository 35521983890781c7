//! Where records lie: file names, places, and one record read back from its place.

use std::fmt;
use std::fs::File;
use std::io::Read as _;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::Error;
use crate::format::digest::Digest;
use crate::format::gzip;
use crate::format::gzip::member::{Inflater, Whole};
use crate::format::time;
use crate::format::warc::RecordType;
use crate::format::warc::head::Head;
use crate::format::warc::read::{Reader, Want};
use crate::format::warc::record::{Record, Referred};
use crate::resolution::exchange::RecordName;

/// What a file's name ends in while it is written.
pub const OPEN: &str = ".open";
/// The largest record that is read into memory.
pub const WHOLE_MAX: u64 = 768 << 20;
/// The longest record that is inflated in one step, bytes.
const AT_ONCE: usize = 16 << 20;
const EXTENSION: &str = ".warc.gz";

/// One record's member in one file. `file` is the name it has once sealed, so it stays true.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place {
    /// file name, without folder and without `.open`
    pub file: String,
    /// where the member begins
    pub offset: u64,
    /// bytes of the compressed member
    pub length: u64,
}

impl fmt::Display for Place {
    /// `warc/FILE@OFFSET`, as the contract has it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "warc/{}@{}", self.file, self.offset)
    }
}

/// A record read back, under the name its bytes give it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// id and digest of the bytes as they lie there
    pub name: RecordName,
    /// the record
    pub record: Record,
}

/// The name of a new file.
pub(super) fn name(at: Timestamp, serial: u64) -> String {
    format!("onrecord-{}-{serial:06}{EXTENSION}", time::digits14(at))
}

/// The serial in a name of ours: files are numbered in the order they were begun.
pub fn serial(name: &str) -> Option<u64> {
    let bare = name.strip_prefix("onrecord-")?.strip_suffix(EXTENSION)?;
    bare.split_once('-')?.1.parse().ok()
}

/// Where a file of that sealed name lies, whether or not it is sealed.
pub(super) fn path_of(dir: &Path, name: &str) -> PathBuf {
    dir.join(name)
}

/// The length of a file that is sealed; none while it is written, or where it is not there.
pub fn sealed_length(dir: &Path, name: &str) -> Option<u64> {
    std::fs::metadata(path_of(dir, name)).ok().map(|about| about.len())
}

/// The names of all WARC files in the order they were begun, the ones still open last; names without `.open`.
///
/// # Errors
/// A folder that cannot be read. One that is not there holds no files.
pub fn files(dir: &Path) -> Result<Vec<String>, Error> {
    let failed = |source| Error::Read { path: dir.to_owned(), source };
    let entries = match std::fs::read_dir(dir) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => other.map_err(failed)?,
    };
    let mut names = Vec::new();
    for entry in entries {
        let Ok(name) = entry.map_err(failed)?.file_name().into_string() else { continue };
        let (bare, open) = match name.strip_suffix(OPEN) {
            Some(bare) => (bare.to_owned(), true),
            None => (name, false),
        };
        if bare.ends_with(EXTENSION) || bare.ends_with(".warc") {
            // One that was unpacked keeps its turn.
            let packed = bare.strip_suffix(".warc").map(|stem| format!("{stem}{EXTENSION}"));
            names.push((open, serial(packed.as_deref().unwrap_or(&bare)).unwrap_or(0), bare));
        }
    }
    names.sort();
    Ok(names.into_iter().map(|(_, _, name)| name).collect())
}

/// Bytes of all the files in `dir`.
///
/// # Errors
/// A folder or file that cannot be looked at.
pub fn bytes(dir: &Path) -> Result<u64, Error> {
    files(dir)?.iter().try_fold(0, |sum: u64, name| {
        let (path, file) = open(dir, name)?;
        let length = file.metadata().map_err(|source| Error::Read { path, source })?.len();
        Ok(sum.saturating_add(length))
    })
}

/// Opens a file of the vault by its sealed name, sealed or not.
///
/// # Errors
/// No such file; one that cannot be read.
pub fn open(dir: &Path, name: &str) -> Result<(PathBuf, File), Error> {
    // A name comes out of a database: it must not lead out of the folder.
    if name.contains('/') || name.is_empty() {
        return Err(Error::NoSuchFile { file: name.to_owned() });
    }
    // It may be sealed between the two looks, so the sealed name is asked twice.
    for path in [path_of(dir, name), dir.join(format!("{name}{OPEN}")), path_of(dir, name)] {
        match File::open(&path) {
            Ok(file) => return Ok((path, file)),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {}
            Err(source) => return Err(Error::Read { path, source }),
        }
    }
    Err(Error::NoSuchFile { file: name.to_owned() })
}

/// Reads every record of a file, from byte `from`.
///
/// # Errors
/// A file that cannot be opened.
pub fn scan(path: &Path, from: u64, want: Want) -> Result<Reader<File>, Error> {
    let failed = |source| Error::Read { path: path.to_owned(), source };
    let file = File::open(path).map_err(failed)?;
    Reader::new(file, from, want).map_err(failed)
}

/// Where members seem to begin in a file, the first one and then one every so many bytes.
///
/// # Errors
/// A file that cannot be read.
pub fn starts(path: &Path, every: u64) -> Result<Vec<u64>, Error> {
    let length = std::fs::metadata(path).map_err(|source| Error::Read { path: path.to_owned(), source })?.len();
    let mut starts = vec![0];
    let mut near = every;
    while near < length {
        match member_near(path, near)? {
            Some(start) => {
                starts.push(start);
                near = start + every;
            }
            // A long body; there may be many a member behind it.
            None => near += WINDOW as u64,
        }
    }
    Ok(starts)
}

/// How far a member's beginning is looked for.
const WINDOW: usize = 4 << 20;

/// Where a member seems to begin at or after `near`, within the next few megabytes. It is a guess: bytes in a member can look
/// like one.
///
/// # Errors
/// A file that cannot be read.
fn member_near(path: &Path, near: u64) -> Result<Option<u64>, Error> {
    const FIRST_LINE: &[u8] = b"WARC/1.";
    let failed = |source| Error::Read { path: path.to_owned(), source };
    let file = File::open(path).map_err(failed)?;
    let mut bytes = Vec::new();
    let mut window = vec![0; 64 << 10];
    let mut unpacker = gzip::Unpacker::default();
    while bytes.len() < WINDOW {
        let read = file.read_at(&mut window, near + bytes.len() as u64).map_err(failed)?;
        let from = bytes.len().saturating_sub(64);
        bytes.extend_from_slice(window.get(..read).unwrap_or_default());
        for at in memchr::memmem::find_iter(bytes.get(from..).unwrap_or_default(), b"\x1f\x8b\x08") {
            let input = bytes.get(from + at..).unwrap_or_default();
            let mut line = [0; FIRST_LINE.len()];
            unpacker.reset();
            if unpacker.step(input, &mut line).is_ok_and(|step| step.made == line.len()) && line == *FIRST_LINE {
                return Ok(Some(near + (from + at) as u64));
            }
        }
        if read == 0 {
            break;
        }
    }
    Ok(None)
}

/// The one record at a place, into memory: its member whole, nothing before or behind, its digest right.
///
/// # Errors
/// No such file, one that cannot be read, and everything about the bytes that is not as it was written.
pub fn read_at(dir: &Path, place: &Place) -> Result<Found, Error> {
    Shelf::new(dir).read(place)
}

/// Reads one record after another; the file it read last stays open.
pub struct Shelf {
    dir: PathBuf,
    last: Option<(String, PathBuf, File)>,
    inflater: Option<Inflater>,
}

impl fmt::Debug for Shelf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Shelf({})", self.dir.display())
    }
}

impl Shelf {
    /// Over a vault's folder. Nothing is read yet.
    pub fn new(dir: &Path) -> Self {
        Self { dir: dir.to_owned(), last: None, inflater: Inflater::new() }
    }

    /// As [`read_at`].
    ///
    /// # Errors
    /// As [`read_at`].
    pub fn read(&mut self, place: &Place) -> Result<Found, Error> {
        found(self.plain(place)?).map_err(|what| damaged(place, what))
    }

    /// The block of the record at a place, by whatever name and with whatever digests: for those who know its digest from elsewhere.
    ///
    /// # Errors
    /// No such file, one that cannot be read, and a member that is not one record.
    pub fn block(&mut self, place: &Place) -> Result<Vec<u8>, Error> {
        let mut plain = self.plain(place)?;
        let (_, end) = head(&mut plain).map_err(|what| damaged(place, what))?;
        plain.drain(..end);
        Ok(plain)
    }

    /// The bytes of the member at a place.
    fn plain(&mut self, place: &Place) -> Result<Vec<u8>, Error> {
        if place.length > WHOLE_MAX {
            return Err(damaged(place, "too large to be read at once"));
        }
        let (_, path, file) = match self.last.take().filter(|(name, ..)| *name == place.file) {
            Some(last) => self.last.insert(last),
            None => {
                let (path, file) = open(&self.dir, &place.file)?;
                self.last.insert((place.file.clone(), path, file))
            }
        };
        let mut member = vec![0; usize::try_from(place.length).unwrap_or(0)];
        match file.read_exact_at(&mut member, place.offset) {
            Err(e) if e.kind() == std::io::ErrorKind::UnexpectedEof => {
                return Err(damaged(place, "the file ends before it does"));
            }
            other => other.map_err(|source| Error::Read { path: path.clone(), source })?,
        }
        // Somebody may have unpacked the file: what was digested is the same.
        if member.starts_with(b"WARC/") {
            return Ok(member);
        }
        if let Some(plain) = self.inflater.as_mut().and_then(|inflater| inflated(inflater, &member)) {
            return Ok(plain);
        }
        let max = usize::try_from(WHOLE_MAX).unwrap_or(usize::MAX);
        gzip::whole(&member, max).map_err(|damage| damaged(place, &damage.to_string()))
    }
}

/// What a member of ordinary length holds, if nothing is wrong with it.
fn inflated(inflater: &mut Inflater, member: &[u8]) -> Option<Vec<u8>> {
    let length = u32::from_le_bytes(*member.last_chunk()?) as usize;
    // No deflated byte stands for more than 1,032.
    let mut plain = vec![0; Some(length).filter(|length| *length <= AT_ONCE.min(member.len().saturating_mul(1032)))?];
    let sound = Whole::Member { used: member.len(), made: length };
    (inflater.inflate(member, &mut plain) == sound).then_some(plain)
}

fn damaged(place: &Place, what: &str) -> Error {
    Error::Damaged { place: place.clone(), what: what.to_owned() }
}

/// The head of the one record that `plain` is, and where its block begins; `plain` then ends with the block.
fn head(plain: &mut Vec<u8>) -> Result<(Head, usize), &'static str> {
    let end = memchr::memmem::find(plain, b"\r\n\r\n").ok_or("no head")? + 4;
    let head = Head::read(plain.get(..end).unwrap_or_default());
    let len = head.length().and_then(|n| usize::try_from(n).ok()).ok_or("no length")?;
    if plain.len().checked_sub(end + 4) != Some(len) || !plain.ends_with(b"\r\n\r\n") {
        return Err("its block is not as long as its head says");
    }
    plain.truncate(end + len);
    Ok((head, end))
}

fn found(mut plain: Vec<u8>) -> Result<Found, &'static str> {
    let (head, end) = head(&mut plain)?;
    let digest = Digest::of(&plain);
    let block = plain.split_off(end);
    let record = Record::of(&head, block).ok_or("its head is not one of ours")?;
    if head.get("WARC-Block-Digest") != Some(&Digest::of(&record.block).to_string()) {
        return Err("its block is not what was digested");
    }
    Ok(Found { name: RecordName { id: record.id, digest }, record })
}

/// A record read as a stream, without its block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Within {
    /// of the whole record
    pub whole: Digest,
    /// of all that lies in it: block, payload, entity, and the payload that a revisit stands for
    pub digests: Vec<Digest>,
    /// what it calls itself, where it is an answer that another record can refer to
    pub named: Option<Referred>,
}

/// The digest of the whole record at a place, and those of all that lies in it.
///
/// # Errors
/// As [`within`].
pub fn digests_at(dir: &Path, place: &Place) -> Result<(Digest, Vec<Digest>), Error> {
    within(dir, place).map(|read| (read.whole, read.digests))
}

/// What the record at a place is and holds, its own digests checked on the way.
///
/// # Errors
/// As [`read_at`].
pub fn within(dir: &Path, place: &Place) -> Result<Within, Error> {
    let (path, file) = open(dir, &place.file)?;
    let failed = |source| Error::Read { path: path.clone(), source };
    let mut reader = Reader::new(file, place.offset, Want { keep: 0, ..Want::ours() }).map_err(failed)?;
    let item = reader.next().map_err(failed)?.ok_or_else(|| damaged(place, "nothing is there"))?;
    if let Some(problem) = item.problems.first() {
        return Err(damaged(place, &problem.what));
    }
    let whole = item.digests.whole.ok_or_else(|| damaged(place, "no whole record is there"))?;
    let said = item.head.get("WARC-Payload-Digest").and_then(|said| said.parse().ok());
    let entity = item.entity.map(|(digest, _)| digest);
    let digests = [item.digests.block, item.digests.payload, entity, said].into_iter().flatten().collect();
    let is_answer = item.head.kind() == Some(RecordType::Response);
    let named = item.head.uuid().zip(item.head.uri()).zip(item.head.date()).filter(|_| is_answer);
    let named = named.map(|((id, uri), date)| Referred { id, uri: uri.to_owned(), date });
    Ok(Within { whole, digests, named })
}

/// The bytes of a member as they lie in the file, for copies.
///
/// # Errors
/// No such file; one that is shorter.
pub fn member_at(dir: &Path, place: &Place, out: &mut dyn std::io::Write) -> Result<(), Error> {
    use std::io::Seek as _;
    let (path, mut file) = open(dir, &place.file)?;
    let failed = |source| Error::Read { path: path.clone(), source };
    file.seek(std::io::SeekFrom::Start(place.offset)).map_err(failed)?;
    let copied = std::io::copy(&mut file.take(place.length), out).map_err(failed)?;
    if copied < place.length {
        return Err(Error::Damaged { place: place.clone(), what: "the file ends before it does".to_owned() });
    }
    Ok(())
}
