//! What streams of objects (ISO 32000, 7.5.7) unpack to, found out before a document is opened: there they become values
//! that take many times their length.

use flate2::{Decompress, FlushDecompress, Status};

use crate::format::effort::looked_at;

/// As much may they hold together, and [`RATIO`] times the document's length besides.
pub(super) const LIMIT: usize = 8 << 20;
const RATIO: usize = 8;

/// Filters on filters are followed this far: nobody packs objects more than once.
const LAYERS: usize = 3;

/// How far a dictionary is looked at for the stream behind it.
const REACH: usize = 4096;

/// How a stream of objects names its type. A name's letters may be written as their codes (7.3.5), so that any of these may
/// stand for it; where one does not, a stream is unpacked in vain.
const NAMES: &[&[u8]] = &[b"ObjStm", b"#4f", b"#4F", b"#62", b"#6a", b"#6A", b"#53", b"#74", b"#6d", b"#6D"];

/// Whether its streams of objects unpack to more than a document of this length may.
pub(super) fn too_much(bytes: &[u8]) -> bool {
    let mut left = LIMIT.saturating_add(bytes.len().saturating_mul(RATIO));
    for name in NAMES {
        let mut behind = 0;
        for at in memchr::memmem::find_iter(bytes, name) {
            let dictionary = bytes.get(at..bytes.len().min(at + REACH)).unwrap_or_default();
            // one that the name before stood in too is known
            if at < behind {
                continue;
            }
            let Some(start) = memchr::memmem::find(dictionary, b"stream").map(|n| at + n + b"stream".len()) else {
                continue;
            };
            behind = start;
            let head = bytes.get(at.saturating_sub(REACH)..start).unwrap_or_default();
            // whatever else packs, it packs about as tight as this
            let other =
                memchr::memmem::find(head, b"LZW").is_some() || memchr::memmem::find(head, b"RunLength").is_some();
            let data = bytes.get(start..).unwrap_or_default();
            let data = data.strip_prefix(b"\r").unwrap_or(data);
            let data = data.strip_prefix(b"\n").unwrap_or(data);
            let packed = if other {
                memchr::memmem::find(data, b"endstream").map(|len| len * 1000)
            } else {
                unpacked(data, left)
            };
            match packed.and_then(|len| left.checked_sub(len)) {
                Some(rest) => left = rest,
                None => return true,
            }
        }
    }
    false
}

/// How long what is packed at the beginning of `data` is, layer by layer; none where that is more than `most`.
fn unpacked(data: &[u8], most: usize) -> Option<usize> {
    let (mut len, mut inner) = (0usize, None::<Vec<u8>>);
    for _ in 0..LAYERS {
        let next = inflated(inner.as_deref().unwrap_or(data), most.checked_sub(len)?)?;
        if next.is_empty() {
            break;
        }
        len += next.len();
        inner = Some(next);
    }
    Some(len)
}

/// The zlib stream (RFC 1950) at the beginning of `data`, as far as it is sound; none where it is longer than `most`.
fn inflated(data: &[u8], most: usize) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let mut state = Decompress::new(true);
    loop {
        let taken = usize::try_from(state.total_in()).unwrap_or(usize::MAX);
        let before = out.len();
        out.reserve(32 << 10);
        let status = state.decompress_vec(data.get(taken..).unwrap_or_default(), &mut out, FlushDecompress::None);
        looked_at(out.len() - before);
        if out.len() > most {
            return None;
        }
        match status {
            Ok(Status::Ok) if out.len() > before || state.total_in() > taken as u64 => {}
            _ => return Some(out),
        }
    }
}
