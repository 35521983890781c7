//! A response too long for memory: from the wire straight to a WARC file of its own.

use uuid::Uuid;

use crate::format::warc::RecordType;
use crate::format::warc::record::Record;
use crate::resolution::exchange::RecordName;
use crate::work::capture::head_len;
use crate::work::fault::Fault;
use crate::work::parts;
use crate::work::rows::{self, Lying, Seen};
use crate::work::seal::Seal;
use crate::world::vault::stream::{self, Stream};
use crate::world::wire::taken::{Overflow, Taken};

/// Takes the bytes of a response that no longer fits in memory straight to a WARC file of its own.
pub(super) struct Spill {
    pub(super) seal: Seal,
    pub(super) id: Uuid,
    pub(super) uri: String,
    pub(super) at: jiff::Timestamp,
    pub(super) stream: Option<Stream>,
    /// the HTTP head and a little more, for the catalogue
    pub(super) beginning: Vec<u8>,
}

/// Bytes of a response's beginning that the catalogue looks at.
const BEGINNING: usize = 64 << 10;

impl Overflow for Spill {
    fn write(&mut self, wire: &[u8]) -> std::io::Result<()> {
        let stream = match &mut self.stream {
            Some(stream) => stream,
            None => {
                self.beginning = wire.get(..wire.len().min(BEGINNING)).unwrap_or_default().to_vec();
                let record = Record::response_known(self.id, self.at, &self.uri, Vec::new(), None);
                let head = wire.get(..head_len(wire)).unwrap_or_default().to_vec();
                let begun = head.len();
                let record = Record { block: head, ..record };
                let body = wire.get(begun..).unwrap_or_default();
                let stream = self.seal.with_vault(|vault| Ok(vault.stream(record, body)?));
                let stream = stream.map_err(std::io::Error::other)?;
                let stream = self.stream.insert(stream);
                stream.hashed_elsewhere();
                stream.write(body).map_err(std::io::Error::other)?;
                return Ok(());
            }
        };
        stream.write(wire).map_err(std::io::Error::other)
    }
}

impl Spill {
    /// Closes the record; its file is sealed and durable then.
    pub(super) fn finish(self, dressing: Record, taken: &Taken) -> Result<Option<RecordName>, Fault> {
        let Some(mut stream) = self.stream else { return Ok(None) };
        if let Some(error) = &taken.overflow_error {
            return Err(Fault::Sealing(format!("a body could not be written: {error}")));
        }
        stream.set_date(taken.at);
        let fields: Vec<(&str, &str)> = dressing.fields.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        let (Some(block), Some(payload)) = (taken.block, taken.payload) else {
            return Err(Fault::Broken("a long body came without its digests"));
        };
        let stream::Streamed { kept, begun: (info, begun) } = stream.finish_known(block, payload, &fields)?;
        let mut seen = Record { kind: RecordType::Response, block: self.beginning, ..dressing };
        seen = seen.about(&self.uri);
        if let (Some(payload), false) = (taken.payload, taken.chunked) {
            seen = seen.with("WARC-Payload-Digest", &payload.to_string());
        }
        let lying = Lying { file: &kept.place.file, offset: kept.place.offset, length: kept.place.length };
        let row = rows::row(RecordType::Response, taken.at, kept.name, &lying, &Streamed(&seen, kept.block_len));
        self.seal.took([parts::row(&info, &begun), row]);
        Ok(Some(kept.name))
    }
}

/// A streamed record as the catalogue sees it: its fields, its beginning, its real length.
struct Streamed<'a>(&'a Record, u64);

impl Seen for Streamed<'_> {
    fn field(&self, name: &str) -> Option<String> {
        self.0.field(name).map(str::to_owned)
    }

    fn beginning(&self) -> &[u8] {
        &self.0.block
    }

    fn block_len(&self) -> u64 {
        self.1
    }
}
