//! WARC files read as a stream (ISO 28500:2017, gzip as in its Annex D): every record with its place, its digests and
//! what is wrong with it, in memory that does not grow with the records.
//!
//! The reader is strict with our own files and knows the habits of others': WARC 1.0, `<>` round URIs, SHA-1 in base32,
//! several records in a member, no compression at all. It goes on behind damage: the next member is looked for.

use std::io::{self, Read, Seek};

use crate::format::digest::Digest;
use crate::format::gzip::Damage;
use crate::format::warc::head::Head;
use crate::format::warc::problem::{Kind, Problem};

mod feed;
mod parse;

use feed::{End, Feed, Pull};
use parse::Parse;

/// Whose rules a file is held to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rules {
    /// ours: 1.1, a member a record, a SHA-256 block digest on each, a warcinfo first
    Ours,
    /// anyone's: what other readers accept is no problem
    Foreign,
}

/// What to work out besides the heads.
#[derive(Clone, Copy, Debug)]
pub struct Want {
    /// whose rules
    pub rules: Rules,
    /// check the digests that the heads declare
    pub check: bool,
    /// the SHA-256 of the whole record, which is its name in the ledger
    pub whole: bool,
    /// the SHA-256 and length of each entity: the payload with its chunks put together
    pub entity: bool,
    /// how many bytes of each block that is no HTTP message to keep in [`Item::prefix`]
    pub keep: usize,
}

impl Want {
    /// Everything our own archive's records are named and checked by.
    pub fn ours() -> Self {
        Self { rules: Rules::Ours, check: true, whole: true, entity: true, keep: 64 * 1024 }
    }

    /// What a file of unknown origin can be checked for.
    pub fn foreign() -> Self {
        Self { rules: Rules::Foreign, check: true, whole: false, entity: false, keep: 0 }
    }
}

/// SHA-256 digests of one record, those that were wanted or declared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Digests {
    /// from `WARC/` to the last byte of the block: the record's name in the ledger
    pub whole: Option<Digest>,
    /// of the block
    pub block: Option<Digest>,
    /// of the block without an HTTP head, transfer coding and all
    pub payload: Option<Digest>,
}

/// One record as it was found. The reader uses it again for the next.
#[derive(Clone, Debug, Default)]
pub struct Item {
    /// byte offset of its member (of the record itself, where the file is not compressed)
    pub offset: u64,
    /// bytes of its member; 0 where several records share one
    pub length: u64,
    /// its head
    pub head: Head,
    /// bytes of its block that were there
    pub block_len: u64,
    /// the block's beginning, as far as wanted
    pub prefix: Vec<u8>,
    /// the HTTP head the block begins with, its empty line included; at most 256 KiB
    pub http: Vec<u8>,
    /// digests
    pub digests: Digests,
    /// SHA-256 and length of the entity, content coding kept; none where it was not wanted, or its chunks are no chunks
    pub entity: Option<(Digest, u64)>,
    /// digests that were declared, computed and found right
    pub checked: u32,
    /// what is wrong with it
    pub problems: Vec<Problem>,
}

impl Item {
    /// Whether the record stands there from its first byte to its last.
    pub fn is_whole(&self) -> bool {
        !self.problems.iter().any(|p| {
            matches!(
                p.kind,
                Kind::FileTruncated
                    | Kind::GzipMemberDamaged
                    | Kind::TrailingGarbage
                    | Kind::NotWarc
                    | Kind::HeadMalformed
                    | Kind::LengthWrong
            )
        })
    }
}

/// Reads one file, record after record.
pub struct Reader<R> {
    feed: Feed<R>,
    parse: Parse,
}

impl<R: Read + Seek> Reader<R> {
    /// From byte `from`, where a member (or a record) begins.
    ///
    /// # Errors
    /// A source that cannot be positioned.
    pub fn new(source: R, from: u64, want: Want) -> io::Result<Self> {
        Ok(Self { feed: Feed::new(source, from, want.rules == Rules::Ours)?, parse: Parse::new(want, from == 0) })
    }

    /// What lies behind an offset will be read by somebody else: here only as far as a member that begins before it goes.
    pub fn until(&mut self, offset: u64) {
        self.feed.until(offset);
    }

    /// The next record, or the next stretch of bytes that holds none (its problems say so). None at the end.
    ///
    /// # Errors
    /// The source cannot be read. What is wrong with the bytes is no error.
    #[expect(clippy::should_implement_trait, reason = "it lends its item, which an Iterator cannot")]
    pub fn next(&mut self) -> io::Result<Option<&Item>> {
        if !self.feed.begin()? {
            return Ok(None);
        }
        let odd = match (self.feed.is_oddly_headed(), self.feed.is_plain()) {
            (false, _) => None,
            (true, true) => Some("the file was unpacked: each record is a gzip member of its own in every file here"),
            (true, false) => Some("the head of its gzip member is not the one that all members here have"),
        };
        self.parse.begin(self.feed.offset(), self.feed.is_mid_member(), odd);
        while !self.parse.is_done() {
            match self.feed.pull()? {
                Pull::Bytes => {
                    let used = self.parse.take(self.feed.plain());
                    self.feed.consume(used);
                }
                Pull::End => break,
                Pull::Damaged(damage) => return self.behind(damage),
            }
        }
        let length = if self.parse.is_lost() { self.skip()? } else { self.close()? };
        Ok(Some(self.parse.finish(length)))
    }

    /// After the record's last byte: its member must end here too.
    fn close(&mut self) -> io::Result<u64> {
        match self.feed.end_member()? {
            End::Member(length) => Ok(length),
            End::MoreRecords => {
                self.parse.shares_member();
                Ok(0)
            }
            End::Damaged(damage) => {
                self.behind(damage)?;
                Ok(0)
            }
        }
    }

    /// The record cannot be followed to its end: the next begins with the next member, or at the next first line.
    fn skip(&mut self) -> io::Result<u64> {
        match self.feed.skip()? {
            End::Damaged(damage) => self.behind(damage).map(|_| 0),
            End::Member(length) => Ok(length),
            End::MoreRecords => Ok(0),
        }
    }

    fn behind(&mut self, damage: Damage) -> io::Result<Option<&Item>> {
        self.parse.damaged(damage, !self.feed.is_plain());
        self.feed.recover(damage)?;
        Ok(Some(self.parse.finish(0)))
    }

    /// The source back.
    pub fn into_source(self) -> R {
        self.feed.into_source()
    }
}

#[cfg(test)]
mod tests;
