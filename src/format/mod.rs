//! Public specifications: bytes to values and back. Pure; each file's first line names its spec.

pub mod aturi;
pub mod car;
pub mod cbor;
pub mod cdxj;
pub mod checkpoint;
pub mod cid;
pub mod day;
pub mod did;
pub mod digest;
pub mod gzip;
pub mod http;
pub mod json;
pub mod merkle;
pub mod mst;
pub mod multikey;
pub mod note;
pub mod plc;
pub mod robots;
pub mod sha2x;
pub mod surt;
pub mod tid;
pub mod tile;
pub mod time;
pub mod tlog_proof;
pub mod warc;
