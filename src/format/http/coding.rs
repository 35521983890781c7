//! Content codings undone for reading (RFC 9110 §8.4): gzip, deflate, br (RFC 7932), zstd (RFC 8878, RFC 9659), each within
//! bounds of size and ratio.

use std::io::Read;

/// How far decoding goes.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// bytes that come out of any one coding; past it the body counts as unread
    pub output: u64,
    /// how many times longer than what went in; past it the body counts as unread
    pub ratio: u64,
    /// bytes that are kept; what comes after them is decoded, counted and dropped
    pub keep: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { output: 64 << 20, ratio: 200, keep: 8 << 20 }
    }
}

/// Below this much output the ratio says nothing: a small empty table may shrink a thousandfold.
const RATIO_FROM: u64 = 64 << 10;
/// Codings one upon the other; nobody sends more.
const MAX_CODINGS: usize = 4;
/// The largest zstd window a client needs to accept (RFC 9659).
const ZSTD_WINDOW_LOG: u32 = 23;
/// A piece of output between two looks at the bounds.
const PIECE: usize = 16 << 10;

/// Why a body could not be decoded; what could was kept.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unread {
    /// longer than the bound
    #[error("decodes to more than {0} bytes")]
    TooLong(u64),
    /// a bomb
    #[error("decodes to more than {0} times its size")]
    TooDense(u64),
    /// the bytes are not what their coding says
    #[error("is no {0}: {1}")]
    Broken(&'static str, String),
    /// nobody here knows it
    #[error("has a content coding that is not known: {0}")]
    Unknown(String),
    /// one upon the other upon the other
    #[error("has more than {0} content codings")]
    TooMany(usize),
}

/// A coding that is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Coding {
    Gzip,
    Deflate,
    Brotli,
    Zstd,
}

/// The codings of a Content-Encoding field's values, in the order they were applied.
fn codings(values: &[String]) -> Result<Vec<Coding>, Unread> {
    let mut found = Vec::new();
    for name in values.iter().flat_map(|value| value.split(',')) {
        let name = name.trim().to_ascii_lowercase();
        found.push(match name.as_str() {
            // Not codings, but sent as such; every browser takes the body as it is.
            "" | "identity" | "none" | "utf-8" | "binary" => continue,
            "gzip" | "x-gzip" => Coding::Gzip,
            "deflate" => Coding::Deflate,
            "br" => Coding::Brotli,
            "zstd" => Coding::Zstd,
            _ => return Err(Unread::Unknown(name.escape_default().take(40).collect())),
        });
        if found.len() > MAX_CODINGS {
            return Err(Unread::TooMany(MAX_CODINGS));
        }
    }
    Ok(found)
}

/// Undoes the codings that `values` (Content-Encoding fields in order) name. Gives what could be decoded, at most
/// `limits.keep` bytes, and why it is not all, if it is not.
pub fn decode(values: &[String], entity: &[u8], limits: &Limits) -> (Vec<u8>, Option<Unread>) {
    let codings = match codings(values) {
        Ok(codings) => codings,
        Err(why) => return (head_of(entity, limits.keep), Some(why)),
    };
    let mut rest = codings.iter().rev().peekable();
    let Some(&first) = rest.next() else { return (head_of(entity, limits.keep), None) };
    let whole = usize::try_from(limits.output).unwrap_or(usize::MAX);
    let keep = |last: bool| if last { limits.keep } else { whole };
    let (mut out, mut why) = undo(first, entity, keep(rest.peek().is_none()), limits);
    while let Some(&next) = rest.next() {
        if why.is_some() {
            return (Vec::new(), why);
        }
        (out, why) = undo(next, &out, keep(rest.peek().is_none()), limits);
    }
    (out, why)
}

fn head_of(bytes: &[u8], keep: usize) -> Vec<u8> {
    bytes.get(..bytes.len().min(keep)).unwrap_or_default().to_vec()
}

fn undo(coding: Coding, entity: &[u8], keep: usize, limits: &Limits) -> (Vec<u8>, Option<Unread>) {
    if entity.is_empty() {
        return (Vec::new(), None); // an empty body says it is gzip more often than one would think
    }
    match coding {
        Coding::Gzip => gzip_at_once(entity, keep, limits).map_or_else(
            || drain(Gzip { rest: entity, member: None }, "gzip", entity.len(), keep, limits),
            |out| (out, None),
        ),
        Coding::Deflate if is_zlib(entity) => {
            drain(flate2::bufread::ZlibDecoder::new(entity), "deflate", entity.len(), keep, limits)
        }
        Coding::Deflate => drain(flate2::bufread::DeflateDecoder::new(entity), "deflate", entity.len(), keep, limits),
        Coding::Brotli => drain(brotli::Decompressor::new(entity, PIECE), "br", entity.len(), keep, limits),
        Coding::Zstd => match zstd_reader(entity) {
            Ok(reader) => drain(reader, "zstd", entity.len(), keep, limits),
            Err(e) => (Vec::new(), Some(Unread::Broken("zstd", e.to_string()))),
        },
    }
}

fn zstd_reader(entity: &[u8]) -> std::io::Result<zstd::stream::read::Decoder<'static, &[u8]>> {
    let mut reader = zstd::stream::read::Decoder::with_buffer(entity)?;
    reader.window_log_max(ZSTD_WINDOW_LOG)?;
    Ok(reader)
}

/// "deflate" means zlib (RFC 1950), but some servers send bare deflate (RFC 1951); the first two bytes tell.
fn is_zlib(entity: &[u8]) -> bool {
    matches!(entity, [a, b, ..] if a & 0x0f == 8 && (u16::from(*a) << 8 | u16::from(*b)) % 31 == 0)
}

/// The common case, several times faster than a stream: one member whose last four bytes tell its length.
fn gzip_at_once(entity: &[u8], keep: usize, limits: &Limits) -> Option<Vec<u8>> {
    let size: [u8; 4] = entity.last_chunk().copied()?;
    let size = u64::from(u32::from_le_bytes(size));
    let dense = size > RATIO_FROM && size > limits.ratio.saturating_mul(entity.len() as u64);
    if dense || size > limits.output || size > keep as u64 || size == 0 {
        return None;
    }
    let mut out = vec![0; usize::try_from(size).ok()?];
    let n = libdeflater::Decompressor::new().gzip_decompress(entity, &mut out).ok()?;
    (n == out.len()).then_some(out)
}

/// Gzip members one after the other; what follows the last is not looked at, as in browsers.
struct Gzip<'a> {
    rest: &'a [u8],
    member: Option<flate2::bufread::GzDecoder<&'a [u8]>>,
}

impl Read for Gzip<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        loop {
            let mut member = match self.member.take() {
                Some(member) => member,
                None => flate2::bufread::GzDecoder::new(self.rest),
            };
            let n = member.read(buffer)?;
            if n > 0 {
                self.member = Some(member);
                return Ok(n);
            }
            self.rest = member.into_inner();
            if !self.rest.starts_with(&[0x1f, 0x8b]) {
                return Ok(0);
            }
        }
    }
}

fn drain(
    mut reader: impl Read,
    name: &'static str,
    input: usize,
    keep: usize,
    limits: &Limits,
) -> (Vec<u8>, Option<Unread>) {
    let mut out = Vec::new();
    let mut total: u64 = 0;
    let mut piece = [0; PIECE];
    loop {
        let n = match reader.read(&mut piece) {
            Ok(0) => return (out, None),
            Ok(n) => n,
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(e) => return (out, Some(Unread::Broken(name, e.to_string()))),
        };
        total += n as u64;
        let room = keep.saturating_sub(out.len()).min(n);
        out.extend_from_slice(piece.get(..room).unwrap_or_default());
        if total > limits.output {
            return (out, Some(Unread::TooLong(limits.output)));
        }
        if total > RATIO_FROM && total > limits.ratio.saturating_mul(input as u64) {
            return (out, Some(Unread::TooDense(limits.ratio)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn gz(bytes: &[u8]) -> Vec<u8> {
        let mut e = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        e.write_all(bytes).unwrap();
        e.finish().unwrap()
    }

    fn all_codings(text: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
        let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
        zlib.write_all(text).unwrap();
        let mut raw = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::default());
        raw.write_all(text).unwrap();
        let mut br = Vec::new();
        let quick = brotli::enc::BrotliEncoderParams { quality: 2, ..Default::default() };
        brotli::BrotliCompress(&mut &text[..], &mut br, &quick).unwrap();
        vec![
            ("gzip", gz(text)),
            ("X-GZip", gz(text)),
            ("deflate", zlib.finish().unwrap()),
            ("deflate", raw.finish().unwrap()),
            ("br", br),
            ("zstd", zstd::encode_all(text, 3).unwrap()),
            ("identity", text.to_vec()),
        ]
    }

    #[test]
    fn every_coding_gives_the_text_back() {
        let text: Vec<u8> = (0..50_000u32).flat_map(|n| (n * 7919).to_string().into_bytes()).collect();
        for (name, coded) in all_codings(&text) {
            let (out, why) = decode(&[name.to_owned()], &coded, &Limits::default());
            assert_eq!((out == text, why), (true, None), "{name}");
        }
    }

    #[test]
    fn a_cut_or_altered_body_says_so_and_keeps_what_it_could() {
        let text: Vec<u8> = (0..50_000u32).flat_map(|n| (n * 7919).to_string().into_bytes()).collect();
        for (name, coded) in all_codings(&text).into_iter().filter(|(name, _)| *name != "identity") {
            let cut = &coded[..coded.len() / 2];
            let (out, why) = decode(&[name.to_owned()], cut, &Limits::default());
            assert!(why.is_some(), "{name} cut");
            assert!(text.starts_with(&out) && !out.is_empty(), "{name} cut: {}", out.len());
        }
        let mut wrong = gz(&text);
        let middle = wrong.len() / 2;
        wrong[middle] ^= 0x55;
        assert!(decode(&["gzip".into()], &wrong, &Limits::default()).1.is_some());
        assert!(matches!(decode(&["gzip".into()], b"<html>", &Limits::default()).1, Some(Unread::Broken("gzip", _))));
    }

    #[test]
    fn codings_one_upon_the_other_and_members_in_a_row() {
        let twice = gz(&gz(b"inner"));
        assert_eq!(decode(&["gzip, gzip".into()], &twice, &Limits::default()), (b"inner".to_vec(), None));
        let row = [gz(b"one "), gz(b"two"), b"garbage".to_vec()].concat();
        assert_eq!(decode(&["gzip".into()], &row, &Limits::default()), (b"one two".to_vec(), None));
        let five = "gzip,gzip,gzip,gzip,gzip".to_owned();
        assert_eq!(decode(&[five], b"x", &Limits::default()).1, Some(Unread::TooMany(4)));
        let (body, why) = decode(&["rot13".into()], b"body", &Limits::default());
        assert_eq!((body.as_slice(), why), (&b"body"[..], Some(Unread::Unknown("rot13".into()))));
    }

    #[test]
    fn each_bound_stops_a_bomb() {
        let bomb = gz(&vec![0; 10 << 20]);
        let (out, why) = decode(&["gzip".into()], &bomb, &Limits::default());
        assert_eq!(why, Some(Unread::TooDense(200)));
        assert!(out.len() as u64 <= 201 * bomb.len() as u64 + PIECE as u64);
        let small = gz(&vec![0; 60 << 10]);
        assert_eq!(decode(&["gzip".into()], &small, &Limits::default()), (vec![0; 60 << 10], None));
        let text: Vec<u8> = (0..50_000u32).flat_map(|n| (n * 7919).to_string().into_bytes()).collect();
        for (name, coded) in all_codings(&text).into_iter().filter(|(name, _)| *name != "identity") {
            let tight = Limits { output: 100_000, ratio: 200, keep: 1000 };
            let (out, why) = decode(&[name.to_owned()], &coded, &tight);
            assert_eq!((out.as_slice(), why), (&text[..1000], Some(Unread::TooLong(100_000))), "{name}");
            let kept = Limits { keep: 1000, ..Limits::default() };
            assert_eq!(decode(&[name.to_owned()], &coded, &kept), (text[..1000].to_vec(), None), "{name}");
        }
    }
}
