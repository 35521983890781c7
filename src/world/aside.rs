//! Values set aside on disk while a run goes on: a file without a name among the system's temporary ones, gone with the process.
//!
//! Nothing here is evidence. What is short in sum never leaves memory, and where no file can be written nothing does: a run is not
//! given up for want of a temporary file.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};

/// So much stays in memory before it is written.
const TAIL: usize = 256 << 10;

/// Bytes written one after the other and read again in any order.
#[derive(Debug, Default)]
pub struct Aside {
    file: Option<File>,
    /// what the file has
    written: u64,
    /// what comes behind it
    tail: Vec<u8>,
    /// the file took no more: what comes stays in memory
    refused: bool,
}

/// Where a value lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spot {
    at: u64,
    length: u32,
}

impl Aside {
    /// Sets `value` aside.
    ///
    /// # Errors
    /// A value of 4 GiB or more.
    pub fn push(&mut self, value: &[u8]) -> io::Result<Spot> {
        let length = u32::try_from(value.len()).map_err(io::Error::other)?;
        if self.tail.len() >= TAIL && !self.refused {
            self.refused = self.write().is_err();
        }
        let spot = Spot { at: self.written + self.tail.len() as u64, length };
        self.tail.extend_from_slice(value);
        Ok(spot)
    }

    /// The value at `spot`.
    ///
    /// # Errors
    /// What the system says.
    pub fn read(&self, spot: Spot) -> io::Result<Vec<u8>> {
        let length = usize::try_from(spot.length).map_err(io::Error::other)?;
        if let Some(at) = spot.at.checked_sub(self.written) {
            let at = usize::try_from(at).map_err(io::Error::other)?;
            let value = self.tail.get(at..).and_then(|from| from.get(..length));
            return value.map(<[u8]>::to_vec).ok_or_else(|| io::ErrorKind::UnexpectedEof.into());
        }
        let mut value = vec![0; length];
        let file = self.file.as_ref().ok_or(io::ErrorKind::UnexpectedEof)?;
        file.read_exact_at(&mut value, spot.at)?;
        Ok(value)
    }

    fn write(&mut self) -> io::Result<()> {
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(nameless()?),
        };
        file.write_all_at(&self.tail, self.written)?;
        self.written += self.tail.len() as u64;
        self.tail.clear();
        Ok(())
    }
}

/// A new file for this user alone, its name taken away at once.
fn nameless() -> io::Result<File> {
    for n in 0_u32.. {
        let path = std::env::temp_dir().join(format!("onrecord-{}-aside-{n}", std::process::id()));
        match OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(&path) {
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
            Err(e) => return Err(e),
            Ok(file) => return std::fs::remove_file(&path).map(|()| file),
        }
    }
    Err(io::Error::other("no free name"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_set_aside_is_read_again_wherever_it_lies() {
        let mut aside = Aside::default();
        let values: Vec<Vec<u8>> = (0..600_u32).map(|n| n.to_be_bytes().repeat(n as usize)).collect();
        let spots: Vec<Spot> = values.iter().map(|value| aside.push(value).unwrap()).collect();
        assert!(aside.written > 0 && !aside.tail.is_empty());
        for (spot, value) in spots.iter().zip(&values).rev() {
            assert_eq!(&aside.read(*spot).unwrap(), value);
        }
        let read_only = tempfile::NamedTempFile::new().unwrap();
        let mut kept = Aside { file: Some(File::open(read_only.path()).unwrap()), ..Aside::default() };
        let spots: Vec<Spot> = values.iter().map(|value| kept.push(value).unwrap()).collect();
        assert!(kept.refused && kept.written == 0);
        assert!(spots.iter().zip(&values).all(|(spot, value)| &kept.read(*spot).unwrap() == value));
        let beyond = Spot { at: aside.written + aside.tail.len() as u64, length: 1 };
        assert!(aside.read(beyond).is_err());
    }
}
