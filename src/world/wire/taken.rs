//! What one exchange left behind: its exact bytes both ways, the connection it ran on, and a reading copy.

use std::fmt::Write as _;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use jiff::Timestamp;

use crate::format::digest::Digest;
use crate::format::http::head::Oddities;
use crate::format::http::{Answer, Request, Truncated};
use crate::resolution::exchange::{Evidence, Exchange, Failure};

/// Takes the response's bytes once there are too many to hold: all of them, the head first, in order. Without one they are read,
/// hashed and dropped, but for the beginning that is needed for reading.
pub trait Overflow: Send {
    /// The next bytes of the wire.
    ///
    /// # Errors
    /// They could not be kept; the exchange is broken off and says so in [`Taken::overflow_error`].
    fn write(&mut self, wire: &[u8]) -> io::Result<()>;
}

/// The final response's bytes as they crossed the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Received {
    /// not one
    Nothing,
    /// all of them
    Memory(Vec<u8>),
    /// more than memory is for; the overflow has all of them
    Overflowed {
        /// how many
        len: u64,
    },
}

impl Received {
    /// How many bytes came.
    pub fn len(&self) -> u64 {
        match self {
            Self::Nothing => 0,
            Self::Memory(bytes) => bytes.len() as u64,
            Self::Overflowed { len } => *len,
        }
    }

    /// Whether no byte came.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// An exchange as it was taken from the wire.
#[derive(Debug)]
pub struct Taken {
    /// what was asked
    pub request: Request,
    /// our clock at request start, microseconds
    pub at: Timestamp,
    /// milliseconds until the last byte
    pub ms: u64,
    /// the connection; none where there was none
    pub connection: Option<Arc<Connection>>,
    /// the name's answer, also where no connection came of it; none where no name had to be asked
    pub dns: Option<Arc<DnsAnswer>>,
    /// whether this is the first exchange on it
    pub first_use_of_connection: bool,
    /// the request's bytes that were handed to the connection
    pub sent: Vec<u8>,
    /// the interim (1xx) heads before the final response
    pub interim: Vec<Vec<u8>>,
    /// the final response's bytes
    pub received: Received,
    /// bytes that came after the response's end and belong to nothing that was asked; the connection was dropped
    pub surplus: Vec<u8>,
    /// what was odd about the response's form
    pub odd: Oddities,
    /// the reading copy, or why there is none
    pub outcome: Result<Answer, Failure>,
    /// SHA-256 of the entity as transferred (framing undone, content coding kept), as far as it came
    pub payload: Option<Digest>,
    /// bytes of that entity
    pub payload_len: u64,
    /// SHA-256 of the final response's bytes as they crossed the wire, head and framing and all; none where they are no whole
    /// head with a body behind it
    pub block: Option<Digest>,
    /// whether the body came in chunks
    pub chunked: bool,
    /// why the bytes are not the whole response
    pub truncated: Option<Truncated>,
    /// the overflow failed; nothing of this exchange can be believed to be kept
    pub overflow_error: Option<io::Error>,
    /// a kept-alive connection that the peer had closed in the meantime was replaced without an answer having begun
    pub replaced_stale: bool,
}

impl Taken {
    /// The exchange that steps learn of.
    pub fn into_exchange(self, evidence: Option<Evidence>) -> Exchange {
        let remote = self.connection.as_ref().map(|connection| connection.remote);
        Exchange { request: self.request, at: self.at, ms: self.ms, remote, outcome: self.outcome, evidence }
    }

    /// The status, where there is an answer.
    pub fn status(&self) -> Option<u16> {
        self.outcome.as_ref().ok().map(|answer| answer.status)
    }
}

/// A connection, or an attempt at one that got as far as the handshake.
#[derive(Debug)]
pub struct Connection {
    /// unique within this process
    pub id: u64,
    /// the address connected to
    pub remote: SocketAddr,
    /// our own end
    pub local: SocketAddr,
    /// the name's answer that led here; none where the URL or connect-to named the address
    pub dns: Option<Arc<DnsAnswer>>,
    /// what TLS agreed on; none without TLS
    pub tls: Option<Tls>,
}

/// The facts of a TLS session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tls {
    /// `tls/1.2` or `tls/1.3`; empty where the handshake failed before it was agreed
    pub version: String,
    /// the IANA name; empty likewise
    pub cipher_suite: String,
    /// the certificates the peer sent, its own first
    pub chain_der: Vec<Vec<u8>>,
    /// whether an earlier session was resumed; the chain is then that session's
    pub resumed: bool,
    /// whether they were good, or why not
    pub verified: Result<(), String>,
}

/// What a name was said to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DnsAnswer {
    /// the name asked
    pub name: String,
    /// addresses and the seconds each is good for, in the order given
    pub addresses: Vec<(IpAddr, u32)>,
    /// every record of the answer, aliases included, one a line in master file form (RFC 1035 §5, as `text/dns` of RFC 4027)
    pub text: String,
    /// when it was answered
    pub at: Timestamp,
}

/// The texts published under a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextAnswer {
    /// the name asked
    pub name: String,
    /// the TXT records, the strings of each joined
    pub texts: Vec<String>,
    /// every record of the answer, one a line in master file form, as `text/dns`
    pub text: String,
    /// when it was answered
    pub at: Timestamp,
}

impl TextAnswer {
    /// The URI of its resource record (RFC 4501).
    pub fn uri(&self) -> String {
        format!("dns:{}?type=TXT", self.name.trim_end_matches('.'))
    }
}

impl DnsAnswer {
    /// An answer made of addresses alone.
    pub fn of(name: &str, addresses: Vec<(IpAddr, u32)>, at: Timestamp) -> Self {
        let mut text = String::new();
        for (address, ttl) in &addresses {
            let kind = if address.is_ipv4() { "A" } else { "AAAA" };
            let _ = writeln!(text, "{}.\t{ttl}\tIN\t{kind}\t{address}", name.trim_end_matches('.'));
        }
        Self { name: name.to_owned(), addresses, text, at }
    }

    /// The URI of its resource record (RFC 4501).
    pub fn uri(&self) -> String {
        format!("dns:{}", self.name.trim_end_matches('.'))
    }
}
