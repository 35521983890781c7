//! The bytes of a document as text.

use std::borrow::Cow;

use crate::format::markup::BOUND;

/// Bytes as text: a byte order mark wins, then the declared charset, then the document's own `meta`, then UTF-8 where it
/// is UTF-8, then windows-1252.
pub fn decode<'a>(bytes: &'a [u8], content_type: &str) -> Cow<'a, str> {
    if let Some((encoding, _)) = encoding_rs::Encoding::for_bom(bytes) {
        return encoding.decode(bytes).0;
    }
    let declared = charset_of(content_type).or_else(|| declared_inside(bytes));
    match declared.and_then(|label| encoding_rs::Encoding::for_label(label.as_bytes())) {
        Some(encoding) => encoding.decode_without_bom_handling(bytes).0,
        None => match std::str::from_utf8(bytes) {
            Ok(text) => Cow::Borrowed(text),
            Err(bad) if bad.error_len().is_none() && bad.valid_up_to() >= BOUND => String::from_utf8_lossy(bytes), // cut
            Err(_) => encoding_rs::WINDOWS_1252.decode_without_bom_handling(bytes).0,
        },
    }
}

fn charset_of(content_type: &str) -> Option<String> {
    let at = content_type.to_ascii_lowercase().find("charset")?;
    let value = content_type.get(at + 7..)?.trim_start().strip_prefix('=')?.trim_start();
    let value = value.trim_start_matches(['"', '\'']);
    let end = value.find(['"', '\'', ';', ' ', '>', '/']).unwrap_or(value.len());
    value.get(..end).filter(|label| !label.is_empty()).map(str::to_owned)
}

/// The first kilobytes are where a document must declare itself (WHATWG HTML §13.2.3.2 says 1,024; many are late).
fn declared_inside(bytes: &[u8]) -> Option<String> {
    let start = String::from_utf8_lossy(bytes.get(..4096).unwrap_or(bytes));
    let meta = start.to_ascii_lowercase().find("<meta")?;
    charset_of(start.get(meta..)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn charsets() {
        assert_eq!(decode("жук".as_bytes(), ""), "жук");
        assert_eq!(decode(&[0xe6, 0xf3, 0xea], "text/html; charset=windows-1251"), "жук");
        assert_eq!(decode(b"<meta charset=\"koi8-r\">\xd6", ""), "<meta charset=\"koi8-r\">ж");
        assert_eq!(decode(b"caf\xe9", ""), "café");
    }
}
