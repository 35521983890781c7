//! Secrets on the disk: the signing key, Ed25519 in PKCS#8 PEM (RFC 8410), readable by its owner alone.
//!
//! Trust: whoever has this file can sign checkpoints in the archive's name. It is made from the system's randomness,
//! never printed, and refused when others can read it.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use ed25519_dalek::pkcs8::{DecodePrivateKey as _, EncodePrivateKey as _, KeypairBytes, spki::der::pem::LineEnding};

use crate::format::note::{Ed25519Signer, KeyKind, KeyName, NotAKey, VerifierKey};
use crate::world::durable::{self, Disk};

/// An Ed25519 secret key.
pub struct SecretKey(ed25519_dalek::SigningKey);

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// the disk failed, or refused
    #[error(transparent)]
    Disk(#[from] durable::Error),
    /// the file is not to be read or written
    #[error("open the key {}", .path.display())]
    File {
        /// the file
        path: PathBuf,
        /// what the system said
        source: std::io::Error,
    },
    /// others than its owner can read it
    #[error("open the key {}: others can read it (mode {:o})", .path.display(), .mode)]
    Exposed {
        /// the file
        path: PathBuf,
        /// its permission bits
        mode: u32,
    },
    /// it holds no Ed25519 key
    #[error("open the key {}: it is no Ed25519 key in PKCS#8 PEM", .0.display())]
    NotAKey(PathBuf),
    /// it holds no token of sixteen characters or more
    #[error("open the key {}: it holds no token of at least 16 characters", .0.display())]
    NoToken(PathBuf),
    /// the system gave no randomness
    #[error("make a key: the system gave no randomness")]
    Randomness(#[source] getrandom::Error),
}

impl SecretKey {
    /// A new key, in memory alone.
    ///
    /// # Errors
    /// The system gave no randomness.
    pub fn generate() -> Result<Self, Error> {
        Ok(Self(ed25519_dalek::SigningKey::from_bytes(&random()?)))
    }

    /// A new key in a new file of mode 0600; durable on return.
    ///
    /// # Errors
    /// There is a file of that name; the disk.
    pub fn create(path: &Path, disk: &Disk) -> Result<Self, Error> {
        let key = Self::generate()?;
        let pair = KeypairBytes { secret_key: key.0.to_bytes(), public_key: None };
        // Without the public key in it the file is PKCS#8 version 1, which every reader knows.
        let pem = pair.to_pkcs8_pem(LineEnding::LF).map_err(|_| Error::NotAKey(path.to_owned()))?;
        if let Some(folder) = path.parent() {
            disk.create_folder(folder)?;
        }
        let passing = path.with_extension("new");
        let _ = std::fs::remove_file(&passing); // one that a crash left behind was never used
        let file = |source| Error::File { path: path.to_owned(), source };
        let mut open = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&passing).map_err(file)?;
        open.write_all(pem.as_bytes()).map_err(file)?;
        disk.sync(&open, &passing)?;
        disk.rename(&passing, path)?;
        disk.sync_folder(path.parent().unwrap_or(Path::new(".")))?;
        Ok(key)
    }

    /// The key in a file.
    ///
    /// # Errors
    /// It is missing, no key, or others can read it.
    pub fn load(path: &Path) -> Result<Self, Error> {
        let file = |source| Error::File { path: path.to_owned(), source };
        let mode = std::fs::metadata(path).map_err(file)?.mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(Error::Exposed { path: path.to_owned(), mode });
        }
        let pem = std::fs::read_to_string(path).map_err(file)?;
        let key = ed25519_dalek::SigningKey::from_pkcs8_pem(&pem).map_err(|_| Error::NotAKey(path.to_owned()))?;
        Ok(Self(key))
    }

    /// The public key's 32 bytes.
    pub fn public(&self) -> [u8; 32] {
        self.0.verifying_key().to_bytes()
    }

    /// The key under a name, ready to sign.
    ///
    /// # Errors
    /// A weak key; none that was made here.
    pub fn signer(&self, name: KeyName, kind: KeyKind) -> Result<Ed25519Signer, NotAKey> {
        Ed25519Signer::new(name, kind, self.0.clone())
    }
}

/// Where the next key waits until the ledger goes by it.
pub fn waiting(key: &Path) -> PathBuf {
    key.with_extension("next.pem")
}

/// Puts the key that waits in the place of the old one, where the ledger goes by it already.
///
/// # Errors
/// The disk; a key file that holds none.
pub fn settle(key: &Path, vkey: &VerifierKey, disk: &Disk) -> Result<(), Error> {
    let next = waiting(key);
    if next.exists() && SecretKey::load(&next)?.public() == *vkey.public() {
        // Crash after this line: the key that waits is the ledger's, and the next open puts it in place.
        if key.exists() {
            disk.remove(key)?;
        }
        disk.rename(&next, key)?;
        disk.sync_folder(key.parent().unwrap_or(Path::new(".")))?;
    }
    Ok(())
}

/// A token that whoever hands something in must show: the line in the file, made where there is none.
///
/// # Errors
/// The file cannot be read or made, others can read it, or it holds no token.
pub fn token(path: &Path, disk: &Disk) -> Result<String, Error> {
    let file = |source| Error::File { path: path.to_owned(), source };
    if !path.exists() {
        if let Some(folder) = path.parent() {
            disk.create_folder(folder)?;
        }
        let made = data_encoding::BASE64URL_NOPAD.encode(&random::<32>()?);
        let mut open = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(file)?;
        open.write_all(format!("{made}\n").as_bytes()).map_err(file)?;
        disk.sync(&open, path)?;
        disk.sync_folder(path.parent().unwrap_or(Path::new(".")))?;
    }
    let line = secret(path)?;
    if line.len() < 16 { Err(Error::NoToken(path.to_owned())) } else { Ok(line) }
}

/// The line of a file that its owner alone can read.
///
/// # Errors
/// It cannot be read, or others can read it.
pub fn secret(path: &Path) -> Result<String, Error> {
    let file = |source| Error::File { path: path.to_owned(), source };
    let mode = std::fs::metadata(path).map_err(file)?.mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(Error::Exposed { path: path.to_owned(), mode });
    }
    Ok(std::fs::read_to_string(path).map_err(file)?.trim().to_owned())
}

/// Random bytes from the operating system, for nonces.
///
/// # Errors
/// It gave none.
pub fn random<const N: usize>() -> Result<[u8; N], Error> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(Error::Randomness)?;
    Ok(bytes)
}

/// Says nothing of the key.
impl std::fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SecretKey")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn a_key_is_its_owners_alone_and_comes_back_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys/ledger.pem");
        let made = SecretKey::create(&path, &Disk::default()).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        assert_eq!(SecretKey::load(&path).unwrap().public(), made.public());
        assert!(SecretKey::create(&path, &Disk::default()).is_err(), "a key is never overwritten");
        assert_eq!(SecretKey::load(&path).unwrap().public(), made.public());
        assert!(!format!("{made:?}").contains(&format!("{:?}", made.0.to_bytes())));

        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(SecretKey::load(&path), Err(Error::Exposed { mode: 0o640, .. })));
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        std::fs::write(&path, "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n").unwrap();
        assert!(matches!(SecretKey::load(&path), Err(Error::NotAKey(_))));
    }
}
