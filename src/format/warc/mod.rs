//! WARC 1.1 (ISO 28500:2017; <https://iipc.github.io/warc-specifications/>): records written, heads and files read.

pub mod head;
pub mod problem;
pub mod read;
pub mod record;

/// The eight record types (ISO 28500 §6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RecordType {
    /// about the records that follow it in the file
    Warcinfo,
    /// what a server sent
    Response,
    /// what was sent to it
    Request,
    /// a response whose payload stands in another record
    Revisit,
    /// bytes without the protocol that brought them
    Resource,
    /// about another record
    Metadata,
    /// another record's content in another form
    Conversion,
    /// a further part of a record (never written here, read in others' files)
    Continuation,
}

impl RecordType {
    /// The value of `WARC-Type`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Warcinfo => "warcinfo",
            Self::Response => "response",
            Self::Request => "request",
            Self::Revisit => "revisit",
            Self::Resource => "resource",
            Self::Metadata => "metadata",
            Self::Conversion => "conversion",
            Self::Continuation => "continuation",
        }
    }

    /// The type a `WARC-Type` names; none where the standard has no such type.
    pub fn of(text: &str) -> Option<Self> {
        [
            Self::Warcinfo,
            Self::Response,
            Self::Request,
            Self::Revisit,
            Self::Resource,
            Self::Metadata,
            Self::Conversion,
            Self::Continuation,
        ]
        .into_iter()
        .find(|kind| kind.as_str().eq_ignore_ascii_case(text))
    }

    /// Whether the standard demands a `WARC-Target-URI` on it.
    pub fn needs_uri(self) -> bool {
        !matches!(self, Self::Warcinfo | Self::Metadata)
    }
}

/// The profile of a revisit that repeats a payload (ISO 28500 §6.7.2).
pub const IDENTICAL_PAYLOAD: &str = "http://netpreserve.org/warc/1.1/revisit/identical-payload-digest";
/// The profile of a revisit that a server answered with 304 (ISO 28500 §6.7.3).
pub const NOT_MODIFIED: &str = "http://netpreserve.org/warc/1.1/revisit/server-not-modified";
