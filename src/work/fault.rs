//! Faults: what stops a deed. A dead link is none of them; it is an ending.
//!
//! This file alone folds the rooms' own errors into what the face must tell apart: bad input, something not there, an
//! archive in use, damage, and a failure of the machine.

use std::path::PathBuf;

use crate::world::{keys, lock, random, store, tiles, vault, wire};

/// What stops a deed.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// what was handed in cannot be used
    #[error("{what}")]
    Input {
        /// names it, and what was expected
        what: String,
        /// what to do
        hint: String,
    },
    /// what was asked for is not here
    #[error("{0}")]
    NotHere(String),
    /// there is no archive
    #[error("no archive in {0}")]
    NoArchive(PathBuf),
    /// the folder holds something else
    #[error("{dir} is no archive: {why}")]
    Foreign {
        /// the folder
        dir: PathBuf,
        /// what it lacks or holds
        why: String,
    },
    /// evidence is damaged, so that nothing may be added
    #[error("{0}")]
    Damaged(String),
    /// another process has it, or its lock cannot be taken
    #[error(transparent)]
    Lock(#[from] lock::Error),
    /// the catalogue
    #[error(transparent)]
    Store(#[from] store::Error),
    /// the WARC files
    #[error("WARC files")]
    Vault(#[from] vault::Error),
    /// the ledger's files
    #[error("ledger")]
    Ledger(#[from] tiles::Error),
    /// the anchors' folder
    #[error("anchors")]
    Anchor(#[from] crate::work::anchor::Failure),
    /// the client for authorities, calendars and witnesses
    #[error(transparent)]
    Services(#[from] crate::world::services::Error),
    /// a key that gave no signature
    #[error("signature")]
    NotSigned(#[from] crate::format::note::NotSigned),
    /// the signing key's file
    #[error(transparent)]
    Key(#[from] keys::Error),
    /// a signing key that is none
    #[error("signing key")]
    NotAKey(#[from] crate::format::note::NotAKey),
    /// the network's settings
    #[error("network settings")]
    Wire(#[from] wire::tls::Error),
    /// the operating system's randomness
    #[error(transparent)]
    Random(#[from] random::Error),
    /// a record that cannot be one
    #[error(transparent)]
    Record(#[from] crate::record::Error),
    /// a file of the archive
    #[error("{what} {path}")]
    File {
        /// what it is
        what: &'static str,
        /// where
        path: PathBuf,
        /// the operating system's word
        #[source]
        source: std::io::Error,
    },
    /// the pass that carried this deed failed
    #[error("sealing: {0}")]
    Sealing(String),
    /// a manifest that cannot be written
    #[error(transparent)]
    Manifest(#[from] crate::snapshot::NotJson),
    /// something that cannot be
    #[error("{0}")]
    Broken(&'static str),
    /// a value that is no JSON
    #[error("value that is no JSON")]
    Json(#[source] serde_json::Error),
    /// told to stop
    #[error("interrupted")]
    Interrupted,
}

impl Fault {
    /// A thread that could not be started.
    pub(crate) fn thread(_: std::io::Error) -> Self {
        Self::Broken("the operating system gives no thread")
    }

    /// A value that is no JSON.
    pub(crate) fn json(e: serde_json::Error) -> Self {
        Self::Json(e)
    }

    /// A long list that cannot be packed.
    pub(crate) fn packing(source: std::io::Error) -> Self {
        Self::Vault(vault::Error::Long { source })
    }

    /// What is set aside on disk, beside memory, and cannot be written or read.
    pub(crate) fn beside(source: std::io::Error) -> Self {
        Self::file("file set aside", std::env::temp_dir())(source)
    }

    /// Its message with those of its causes, where it can only be handed on as words.
    pub(crate) fn whole(&self) -> String {
        let mut said = self.to_string();
        let mut cause = std::error::Error::source(self);
        while let Some(next) = cause {
            said = format!("{said}: {next}");
            cause = next.source();
        }
        said
    }

    /// A file that failed.
    pub fn file(what: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { what, path, source }
    }
}
