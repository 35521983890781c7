//! Bytes to text (WHATWG Encoding): by byte-order mark, by declaration, by being UTF-8, by detection, in this order.

use std::ops::Range;

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};

/// Text, and how it was had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decoded {
    /// the text; a byte-order mark stays in it where the bytes are UTF-8
    pub text: String,
    /// the encoding's WHATWG name, lower case
    pub charset: String,
    /// the text is the bytes themselves
    pub exact: bool,
    /// nothing said which encoding it is, and it is not UTF-8
    pub guessed: bool,
    /// stretches of bytes that the encoding does not know, at most [`NAMED`]
    pub damaged: Vec<Range<usize>>,
    /// how many such stretches there are
    pub damages: usize,
}

/// How many damaged stretches are named.
pub const NAMED: usize = 16;

/// Reads bytes that are handed over: where the text is the bytes themselves it is made of them, else they are given back
/// beside it.
pub fn take(bytes: Vec<u8>, declared: Option<&str>) -> (Decoded, Option<Vec<u8>>) {
    let marked = Encoding::for_bom(&bytes).is_some_and(|(e, _)| e != UTF_8) || bytes.starts_with(&[0, 0, 0xfe, 0xff]);
    let bytes = if declared.is_some() || marked || unmarked_32(&bytes).is_some() || wide(&bytes).is_some() {
        bytes
    } else {
        match String::from_utf8(bytes) {
            Ok(text) => return (as_is(text), None),
            Err(error) => error.into_bytes(),
        }
    };
    let decoded = decode(&bytes, declared);
    let original = (!decoded.exact).then_some(bytes);
    (decoded, original)
}

fn as_is(text: String) -> Decoded {
    Decoded { text, charset: "utf-8".to_owned(), exact: true, guessed: false, damaged: Vec::new(), damages: 0 }
}

/// Reads `bytes`; `declared` is a charset that something says they are in.
pub fn decode(bytes: &[u8], declared: Option<&str>) -> Decoded {
    if let Some(text) = utf32(bytes) {
        return Decoded {
            text,
            charset: "utf-32".into(),
            exact: false,
            guessed: false,
            damaged: Vec::new(),
            damages: 0,
        };
    }
    if let Some((encoding, _)) = Encoding::for_bom(bytes) {
        return with(bytes, encoding);
    }
    // what is valid UTF-8 beyond ASCII is UTF-8, whatever was declared: nothing else looks like it by chance
    if std::str::from_utf8(bytes).is_ok()
        && (!bytes.is_ascii() || !declared.is_some_and(|d| d.to_ascii_lowercase().starts_with("utf-16")))
    {
        if let Some(encoding) = wide(bytes) {
            return with(bytes, encoding);
        }
        if !bytes.contains(&0x1b) || declared.is_none() {
            return with(bytes, UTF_8);
        }
    }
    let named = declared.and_then(|d| Encoding::for_label(d.trim().as_bytes()));
    if let Some(encoding) = named.filter(|e| *e != UTF_8).or_else(|| wide(bytes)) {
        return with(bytes, encoding);
    }
    let encoding = detected(bytes);
    Decoded { guessed: encoding != UTF_8, ..with(bytes, encoding) }
}

fn with(bytes: &[u8], encoding: &'static Encoding) -> Decoded {
    let charset = encoding.name().to_ascii_lowercase();
    if encoding == UTF_8 {
        return utf8(bytes, charset);
    }
    let (text, _, lossy) = encoding.decode(bytes);
    let damages = if lossy { text.matches('\u{fffd}').count().max(1) } else { 0 };
    Decoded { text: text.into_owned(), charset, exact: false, guessed: false, damaged: Vec::new(), damages }
}

fn utf8(bytes: &[u8], charset: String) -> Decoded {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return as_is(text.to_owned());
    }
    let mut text = String::with_capacity(bytes.len());
    let (mut damaged, mut damages, mut at) = (Vec::new(), 0, 0);
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        at += chunk.valid().len();
        if chunk.invalid().is_empty() {
            continue;
        }
        text.push('\u{fffd}');
        let range = at..at + chunk.invalid().len();
        at = range.end;
        damages += 1;
        if let Some(last) = damaged.last_mut().filter(|last: &&mut Range<usize>| last.end == range.start) {
            last.end = range.end;
        } else if damaged.len() < NAMED {
            damaged.push(range);
        }
    }
    Decoded { text, charset, exact: damages == 0, guessed: false, damaged, damages }
}

/// UTF-32, with or without its byte-order mark; no web page is, but files of statistics packages are.
fn utf32(bytes: &[u8]) -> Option<String> {
    let (order, from) = match bytes.first_chunk() {
        Some([0xff, 0xfe, 0, 0]) => (Order::Little, 4),
        Some([0, 0, 0xfe, 0xff]) => (Order::Big, 4),
        _ => (unmarked_32(bytes)?, 0),
    };
    let units = bytes.get(from..)?.chunks(4).map(|c| unit_32(c, order).unwrap_or('\u{fffd}'));
    Some(units.collect())
}

/// Which byte of a number comes first.
#[derive(Clone, Copy)]
enum Order {
    Little,
    Big,
}

fn unit_32(four: &[u8], order: Order) -> Option<char> {
    let four = four.try_into().ok()?;
    char::from_u32(match order {
        Order::Little => u32::from_le_bytes(four),
        Order::Big => u32::from_be_bytes(four),
    })
}

/// How much of a text is looked at where nothing says that its characters are wide.
const HEAD: usize = 2048;

/// UTF-32 without a mark: every four bytes a character that texts are made of, as they are in nothing else.
fn unmarked_32(bytes: &[u8]) -> Option<Order> {
    let head = bytes.get(..bytes.len().min(HEAD) & !3).filter(|head| head.len() >= 8)?;
    let all = |order| head.chunks(4).all(|four| unit_32(four, order).is_some_and(is_of_text));
    [Order::Little, Order::Big].into_iter().find(|order| all(*order))
}

/// No control character but those that lay a text out, and nothing that Unicode gives to no writing.
fn is_of_text(c: char) -> bool {
    let nobodys =
        matches!(c, '\u{e000}'..='\u{f8ff}' | '\u{fffe}' | '\u{ffff}' | '\u{40000}'..='\u{dffff}' | '\u{f0000}'..);
    !nobodys && (!c.is_control() || matches!(c, '\t' | '\n' | '\r' | '\u{c}'))
}

/// UTF-16 without a mark: every other byte of Latin text is zero; of other scripts, the order in which all of it is text.
fn wide(bytes: &[u8]) -> Option<&'static Encoding> {
    let head = bytes.get(..bytes.len().min(HEAD) & !1)?;
    if head.len() < 8 {
        return None;
    }
    let zeros = |odd: usize| head.iter().skip(odd).step_by(2).filter(|b| **b == 0).count();
    let (even, odd, half) = (zeros(0), zeros(1), head.len() / 2);
    if odd * 10 > half * 4 && even * 20 < half {
        Some(UTF_16LE)
    } else if even * 10 > half * 4 && odd * 20 < half {
        Some(UTF_16BE)
    } else {
        wide_of_any_script(head)
    }
}

/// UTF-16 by what only it has: bytes of control characters, as no other text has them, that are halves of spaces, signs and
/// letters. Read in the other order its spaces are none.
fn wide_of_any_script(head: &[u8]) -> Option<&'static Encoding> {
    let control = |b: &&u8| **b < 0x20 && !matches!(b, b'\t' | b'\n' | b'\r' | 0x0c | 0x1b);
    if head.iter().filter(control).count() * 16 < head.len() {
        return None;
    }
    let read = |order: fn([u8; 2]) -> u16| {
        let units = head.as_chunks::<2>().0.iter().map(|two| order(*two));
        let (mut all, mut known, mut ascii) = (0usize, 0usize, 0usize);
        for c in char::decode_utf16(units) {
            all += 1;
            match c {
                Ok(c) if !is_of_text(c) => return None,
                Ok(c) => {
                    ascii += usize::from(c.is_ascii());
                    known += usize::from(c.is_ascii() || c.is_alphanumeric() || is_sign(c));
                }
                // the head may end inside a pair
                Err(_) if all * 2 + 2 < head.len() => return None,
                Err(_) => {}
            }
        }
        (all >= 8 && known * 20 >= all * 19).then_some(ascii)
    };
    match (read(u16::from_le_bytes), read(u16::from_be_bytes)) {
        (Some(little), big) if big.is_none_or(|big| little > big) => Some(UTF_16LE),
        (little, Some(big)) if little.is_none_or(|little| big > little) => Some(UTF_16BE),
        _ => None,
    }
}

/// Marks, punctuation and symbols beyond ASCII that texts have between their letters.
fn is_sign(c: char) -> bool {
    unicode_normalization::char::is_combining_mark(c)
        || matches!(c, '\u{a0}'..='\u{bf}' | '\u{600}'..='\u{61f}' | '\u{964}' | '\u{2000}'..='\u{206f}' | '\u{20a0}'..='\u{20cf}' | '\u{2100}'..='\u{27bf}')
        || matches!(c, '\u{3000}'..='\u{303f}' | '\u{30fb}' | '\u{fe00}'..='\u{fe0f}' | '\u{ff00}'..='\u{ffef}' | '\u{1f000}'..='\u{1faff}')
}

/// No UTF-8: UTF-8 with damage where most of it is, else what the letters' frequencies say.
fn detected(bytes: &[u8]) -> &'static Encoding {
    let (mut good, mut bad) = (0usize, 0usize);
    for chunk in bytes.utf8_chunks() {
        good += chunk.valid().bytes().filter(|b| *b >= 0xc0).count();
        bad += usize::from(!chunk.invalid().is_empty());
    }
    if good > bad {
        return UTF_8;
    }
    let mut detector = chardetng::EncodingDetector::new(chardetng::Iso2022JpDetection::Allow);
    detector.feed(bytes.get(..bytes.len().min(1 << 20)).unwrap_or(bytes), true);
    let guess = detector.guess(None, chardetng::Utf8Detection::Allow);
    if guess == UTF_8 { encoding_rs::WINDOWS_1252 } else { guess }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_declarations_and_detection() {
        let text = "Заявление о выборах: https://t.co/AEoFZOhI3p — наблюдатели зафиксировали нарушения на участках.";
        let (windows, _, _) = encoding_rs::WINDOWS_1251.encode(text);
        assert_eq!(decode(&windows, Some("windows-1251")).text, text);
        assert_eq!(decode(&windows, None).text, text, "detected");
        let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let marked: Vec<u8> = [0xff, 0xfe].into_iter().chain(wide).collect();
        assert_eq!(decode(&marked, None).text, text);
        assert!(decode(text.as_bytes(), Some("iso-8859-1")).exact, "valid UTF-8 is UTF-8");
        let plain: Vec<u8> = "See https://t.co/AEoFZOhI3p".encode_utf16().flat_map(u16::to_be_bytes).collect();
        assert_eq!(decode(&plain, None).text, "See https://t.co/AEoFZOhI3p");
    }

    #[test]
    fn bytes_handed_over_read_as_bytes_looked_at() {
        let utf16: Vec<u8> = "See https://t.co/AEoFZOhI3p".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let texts: [&[u8]; 7] = [
            b"plain",
            "\u{feff}marked é".as_bytes(),
            &utf16,
            b"\xff\xfea\0b\0",
            b"\0\0\xfe\xff\0\0\0a",
            b"caf\xe9 d\xe9j\xe0 vu",
            b"\x1b$B$3$l\x1b(B",
        ];
        for bytes in texts {
            for declared in [None, Some("utf-8"), Some("iso-2022-jp"), Some("utf-16le")] {
                let (decoded, original) = take(bytes.to_vec(), declared);
                assert_eq!(decoded, decode(bytes, declared), "{bytes:?} {declared:?}");
                assert_eq!(original.as_deref().unwrap_or(decoded.text.as_bytes()), bytes, "{bytes:?} {declared:?}");
            }
        }
    }

    #[test]
    fn wide_characters_need_no_mark() {
        for text in [
            "See https://t.co/AEoFZOhI3p — “so”",
            "Заявление: https://t.co/AEoFZOhI3p — Имя (@name) 10 июня 2019",
            "声明：見よ https://t.co/AEoFZOhI3p 😀、港は閉鎖。",
            "بيان: https://t.co/AEoFZOhI3p — الاسم (@name)",
            "Δήλωση του λιμένα, 10 Ιουνίου",
            "घोषणा: बंदरगाह बंद है, https://t.co/AEoFZOhI3p",
            "📢📢 https://t.co/AEoFZOhI3p 📢📢📢",
        ] {
            let of_16 = |order: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(order).collect::<Vec<u8>>();
            let of_32 = |order: fn(u32) -> [u8; 4]| text.chars().flat_map(|c| order(u32::from(c))).collect::<Vec<u8>>();
            for (bytes, charset) in [
                (of_16(u16::to_le_bytes), "utf-16le"),
                (of_16(u16::to_be_bytes), "utf-16be"),
                (of_32(u32::to_le_bytes), "utf-32"),
                (of_32(u32::to_be_bytes), "utf-32"),
            ] {
                let (decoded, original) = take(bytes.clone(), None);
                assert_eq!((decoded.text.as_str(), decoded.charset.as_str()), (text, charset));
                assert_eq!(original.as_deref(), Some(bytes.as_slice()), "{text}");
            }
        }
    }

    #[test]
    fn what_only_has_some_zeros_is_not_wide() {
        let numbers: Vec<u8> = (0..200u32).flat_map(u32::to_le_bytes).collect();
        let (windows, _, _) = encoding_rs::WINDOWS_1251.encode("Заявление о выборах, наблюдатели");
        let (shift_jis, _, _) = encoding_rs::SHIFT_JIS.encode("港は閉鎖されました。見よ。");
        for bytes in [&numbers[..], &windows, &shift_jis, b"a\0b plain text with one zero", b"\x1b[1mbold\x1b[0m text"]
        {
            let decoded = decode(bytes, None);
            assert!(!decoded.charset.starts_with("utf-32") && !decoded.charset.starts_with("utf-16"), "{decoded:?}");
        }
    }

    #[test]
    fn damage_is_named() {
        let d = decode("ä ö ü ß \u{fffd}".replace('\u{fffd}', "").as_bytes(), None);
        assert!(d.exact);
        let bytes = [b"caf\xc3\xa9 \xc3\xbc \xff\xfe x ".as_slice(), "é".as_bytes()].concat();
        let d = decode(&bytes, None);
        assert_eq!(
            (d.exact, d.damaged.first(), d.damaged.len(), d.charset.as_str()),
            (false, Some(&(9..11)), 1, "utf-8")
        );
    }
}
