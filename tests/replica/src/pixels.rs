//! Small real files, the same for the same name: JPEG, PNG, icons, fonts and films.

use std::io::Write;

use flate2::write::ZlibEncoder;
use flate2::{Compression, Crc};

/// A grey baseline JPEG (ITU T.81) of this size; the name decides its pattern and stands in a comment.
///
/// Every 8×8 block is one grey: only DC coefficients are coded, so that a big picture costs a few kilobytes.
pub fn jpeg(name: &str, width: u16, height: u16) -> Vec<u8> {
    let mut out = vec![0xff, 0xd8];
    segment(&mut out, 0xe0, b"JFIF\0\x01\x01\0\0\x01\0\x01\0\0");
    segment(&mut out, 0xfe, name.as_bytes());
    let mut quantum = vec![0];
    quantum.extend([8u8; 64]);
    segment(&mut out, 0xdb, &quantum);
    let [h1, h0] = height.to_be_bytes();
    let [w1, w0] = width.to_be_bytes();
    segment(&mut out, 0xc0, &[8, h1, h0, w1, w0, 1, 1, 0x11, 0]);
    // DC table: the categories 0..=11 of Annex K. AC table: one code, end of block.
    let dc = [0, 0, 1, 5, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11];
    segment(&mut out, 0xc4, &dc);
    segment(&mut out, 0xc4, &[0x10, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    segment(&mut out, 0xda, &[1, 1, 0, 0, 63, 0]);
    scan(&mut out, name, width, height);
    out.extend([0xff, 0xd9]);
    out
}

fn segment(out: &mut Vec<u8>, marker: u8, body: &[u8]) {
    let length = u16::try_from(body.len() + 2).unwrap_or(2);
    out.extend([0xff, marker]);
    out.extend(length.to_be_bytes());
    out.extend(body);
}

fn scan(out: &mut Vec<u8>, name: &str, width: u16, height: u16) {
    let seed = hash(name);
    let mut bits = Bits { out, held: 0, count: 0 };
    let mut before = 0i32;
    for row in 0..u64::from(height.div_ceil(8)) {
        for column in 0..u64::from(width.div_ceil(8)) {
            let cell = mix(seed ^ (row / 9) << 32 ^ (column / 11));
            let grey = i32::try_from((cell % 200 + row % 9 + column % 11) % 256).unwrap_or(0) - 128;
            bits.difference(grey - before);
            bits.put(0, 1); // end of block
            before = grey;
        }
    }
    bits.flush();
}

struct Bits<'a> {
    out: &'a mut Vec<u8>,
    held: u32,
    count: u32,
}

impl Bits<'_> {
    /// One DC difference: its category's code, then its bits.
    fn difference(&mut self, value: i32) {
        let category = 32 - value.unsigned_abs().leading_zeros();
        match category {
            0 => self.put(0b00, 2),
            1..=5 => self.put(0b010 + category - 1, 3),
            _ => self.put((1 << (category - 2)) - 2, category - 2),
        }
        let bits = if value < 0 { value + (1 << category) - 1 } else { value };
        self.put(u32::try_from(bits).unwrap_or(0), category);
    }

    fn put(&mut self, value: u32, count: u32) {
        for at in (0..count).rev() {
            self.held = self.held << 1 | (value >> at & 1);
            self.count += 1;
            if self.count == 8 {
                self.byte();
            }
        }
    }

    fn byte(&mut self) {
        let byte = (self.held & 0xff) as u8;
        self.out.push(byte);
        if byte == 0xff {
            self.out.push(0);
        }
        (self.held, self.count) = (0, 0);
    }

    fn flush(&mut self) {
        while self.count > 0 {
            self.put(1, 1);
        }
    }
}

/// A grey PNG of this size; the name decides its pattern and stands in a text chunk.
pub fn png(name: &str, width: u32, height: u32) -> Vec<u8> {
    let mut out = b"\x89PNG\r\n\x1a\n".to_vec();
    let mut head = Vec::new();
    head.extend(width.to_be_bytes());
    head.extend(height.to_be_bytes());
    head.extend([8, 0, 0, 0, 0]);
    chunk(&mut out, b"IHDR", &head);
    let mut text = b"Title\0".to_vec();
    text.extend(name.as_bytes());
    chunk(&mut out, b"tEXt", &text);
    let seed = hash(name);
    let mut rows = Vec::new();
    for y in 0..u64::from(height) {
        rows.push(0);
        rows.extend((0..u64::from(width)).map(|x| (mix(seed ^ (y / 4) << 32 ^ (x / 4)) & 0xff) as u8));
    }
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    let packed = encoder.write_all(&rows).and_then(|()| encoder.finish()).unwrap_or_default();
    chunk(&mut out, b"IDAT", &packed);
    chunk(&mut out, b"IEND", b"");
    out
}

fn chunk(out: &mut Vec<u8>, kind: &[u8; 4], body: &[u8]) {
    out.extend(u32::try_from(body.len()).unwrap_or(0).to_be_bytes());
    out.extend(kind);
    out.extend(body);
    let mut crc = Crc::new();
    crc.update(kind);
    crc.update(body);
    out.extend(crc.sum().to_be_bytes());
}

/// An icon file that holds one PNG.
pub fn ico(name: &str) -> Vec<u8> {
    let picture = png(name, 16, 16);
    let mut out = vec![0, 0, 1, 0, 1, 0, 16, 16, 0, 0, 1, 0, 8, 0];
    out.extend(u32::try_from(picture.len()).unwrap_or(0).to_le_bytes());
    out.extend(22u32.to_le_bytes());
    out.extend(picture);
    out
}

/// A film's outer boxes (ISO/IEC 14496-12) with this many bytes of made-up samples.
pub fn mp4(name: &str, samples: usize) -> Vec<u8> {
    let mut out = Vec::new();
    boxed(&mut out, b"ftyp", b"isom\0\0\x02\0isomiso2avc1mp41");
    boxed(&mut out, b"free", name.as_bytes());
    boxed(&mut out, b"mdat", &noise(name, samples));
    out
}

fn boxed(out: &mut Vec<u8>, kind: &[u8; 4], body: &[u8]) {
    out.extend(u32::try_from(body.len() + 8).unwrap_or(8).to_be_bytes());
    out.extend(kind);
    out.extend(body);
}

/// What begins as a WOFF2 font does; its tables are noise.
pub fn woff2(name: &str) -> Vec<u8> {
    let mut out = b"wOF2\0\x01\0\0".to_vec();
    out.extend(noise(name, 1200));
    out
}

/// Bytes that do not compress, the same for the same name.
pub fn noise(name: &str, length: usize) -> Vec<u8> {
    let mut state = hash(name);
    let mut out = Vec::with_capacity(length + 8);
    while out.len() < length {
        state = mix(state);
        out.extend(state.to_le_bytes());
    }
    out.truncate(length);
    out
}

/// FNV-1a over a name.
pub fn hash(name: &str) -> u64 {
    name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// One step of SplitMix64.
pub fn mix(state: u64) -> u64 {
    let a = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let b = (a ^ a >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let c = (b ^ b >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    c ^ c >> 31
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_are_framed_and_repeatable() {
        let picture = jpeg("a.jpg", 1200, 900);
        assert!(picture.starts_with(&[0xff, 0xd8, 0xff, 0xe0]) && picture.ends_with(&[0xff, 0xd9]));
        assert_eq!(picture, jpeg("a.jpg", 1200, 900));
        assert_ne!(picture, jpeg("b.jpg", 1200, 900));
        assert!((4_000..40_000).contains(&picture.len()), "{}", picture.len());
        assert!(png("a", 8, 8).ends_with(b"IEND\xae\x42\x60\x82"));
    }

    #[test]
    fn an_icon_points_at_its_picture() {
        assert_eq!(ico("i").get(22..26), Some(b"\x89PNG".as_slice()));
    }
}
