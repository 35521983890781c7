//! Query strings and percent-encoding (WHATWG URL §5.1, §1.3): read and write them without touching what is not asked for.

use url::Url;

/// The value of the first field `name`, decoded.
pub fn field(url: &Url, name: &str) -> Option<String> {
    url.query_pairs().find(|(n, _)| n == name).map(|(_, value)| value.into_owned())
}

/// Percent-decoding of a component; what is no UTF-8 is replaced.
pub fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&c) = bytes.get(at) {
        let pair = if c == b'%' { text.get(at + 1..at + 3).and_then(|h| u8::from_str_radix(h, 16).ok()) } else { None };
        match pair {
            Some(byte) => {
                out.push(byte);
                at += 3;
            }
            None => {
                out.push(c);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// Percent-encoding of a component: all but RFC 3986's unreserved characters.
pub fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trip() {
        for text in ["https://x.com/a?b=c&d=é", "%", "%4", "%zz", ""] {
            assert_eq!(decode(&encode(text)), text);
        }
        assert_eq!(encode("a/ é"), "a%2F%20%C3%A9");
        assert_eq!(decode("%41%zz%"), "A%zz%");
    }
}
