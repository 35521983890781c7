//! What can be wrong with a WARC file (ISO 28500:2017, and the tighter rules for files of our own). A problem is found,
//! not thrown: reading goes on behind it.

use std::fmt;

/// The kind of a problem, named as in the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// the bytes a payload digest is of are others
    PayloadChanged,
    /// the payload is the same, the head before it is not
    HeaderChanged,
    /// the file ends within a record
    FileTruncated,
    /// a gzip member that does not inflate to what its checksum says
    GzipMemberDamaged,
    /// a gzip member's head that is not the one every member written here has; what is in it is whole all the same
    GzipHeadChanged,
    /// bytes that belong to no record
    TrailingGarbage,
    /// one member holds several records, or one record several members
    NotAMemberPerRecord,
    /// no record begins where one should
    NotWarc,
    /// a head that is no list of named fields, or longer than any should be
    HeadMalformed,
    /// the block is not as long as its Content-Length says
    LengthWrong,
    /// a mandatory field is missing
    FieldMissing,
    /// a field's value is not what the standard allows
    FieldMalformed,
    /// a field stands twice that may not
    FieldRepeated,
    /// no digest where one must be
    DigestMissing,
    /// a digest in an algorithm or spelling that cannot be checked
    DigestUnreadable,
    /// two records of one id
    DuplicateId,
    /// the file does not begin with a warcinfo record
    WarcinfoMissing,
}

impl Kind {
    /// Its name in the contract.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PayloadChanged => "payload-changed",
            Self::HeaderChanged => "header-changed",
            Self::FileTruncated => "file-truncated",
            Self::GzipMemberDamaged => "gzip-member-damaged",
            Self::GzipHeadChanged => "gzip-head-changed",
            Self::TrailingGarbage => "trailing-garbage",
            Self::NotAMemberPerRecord => "not-a-member-per-record",
            Self::NotWarc => "not-warc",
            Self::HeadMalformed => "head-malformed",
            Self::LengthWrong => "length-wrong",
            Self::FieldMissing => "field-missing",
            Self::FieldMalformed => "field-malformed",
            Self::FieldRepeated => "field-repeated",
            Self::DigestMissing => "digest-missing",
            Self::DigestUnreadable => "digest-unreadable",
            Self::DuplicateId => "duplicate-id",
            Self::WarcinfoMissing => "warcinfo-missing",
        }
    }

    /// Whether bytes are lost or changed, as against written otherwise than the rules have it.
    pub fn is_damage(self) -> bool {
        matches!(
            self,
            Self::PayloadChanged
                | Self::HeaderChanged
                | Self::FileTruncated
                | Self::GzipMemberDamaged
                | Self::TrailingGarbage
                | Self::NotWarc
                | Self::HeadMalformed
                | Self::LengthWrong
        )
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// its kind
    pub kind: Kind,
    /// byte offset in the file of the member or record it is in
    pub offset: u64,
    /// in words
    pub what: String,
}
