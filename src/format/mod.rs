//! Public specifications: bytes to values and back. Pure; each file's first line names its spec.

pub mod aturi;
pub mod car;
pub mod cbor;
pub mod cid;
pub mod did;
pub mod digest;
pub mod gzip;
pub mod http;
pub mod json;
pub mod mst;
pub mod multikey;
pub mod plc;
pub mod tid;
pub mod time;
pub mod warc;
