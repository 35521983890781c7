//! Character references (WHATWG HTML §13.2.5.72 and on).

use std::borrow::Cow;

/// Text with its character references undone.
pub fn unescape(text: &str) -> Cow<'_, str> {
    if memchr::memchr(b'&', text.as_bytes()).is_none() {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = memchr::memchr(b'&', rest.as_bytes()) {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        let used = reference(from, &mut out);
        rest = from.get(used..).unwrap_or_default();
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// One character reference at the start of `from` (which begins with `&`): what it means goes to `out`; how long it was.
fn reference(from: &str, out: &mut String) -> usize {
    let numeric = from.strip_prefix("&#").and_then(numeric);
    if let Some((c, used)) = numeric {
        out.push(c);
        return used + 2;
    }
    let name = from.get(1..).unwrap_or_default();
    // the longest name there is has 31 letters
    let end = name.bytes().take(32).position(|c| !c.is_ascii_alphanumeric()).unwrap_or(name.len().min(32));
    let with_semicolon = usize::from(name.as_bytes().get(end) == Some(&b';'));
    for length in (1..=end + with_semicolon).rev() {
        let found = name.get(..length).and_then(|n| html5ever::data::NAMED_ENTITIES.get(n));
        if let Some(&(first, second)) = found.filter(|(first, _)| *first != 0) {
            out.extend(char::from_u32(first));
            out.extend(char::from_u32(second).filter(|_| second != 0));
            return length + 1;
        }
    }
    out.push('&');
    1
}

fn numeric(digits: &str) -> Option<(char, usize)> {
    let (body, radix, skipped) = match digits.strip_prefix(['x', 'X']) {
        Some(hex) => (hex, 16, 1),
        None => (digits, 10, 0),
    };
    let length = body.bytes().position(|c| !char::from(c).is_digit(radix)).unwrap_or(body.len());
    let number = u32::from_str_radix(body.get(..length)?, radix);
    if length == 0 {
        return None;
    }
    let semicolon = usize::from(body.as_bytes().get(length) == Some(&b';'));
    let code = number.unwrap_or(0);
    let c = windows_1252(code).or_else(|| char::from_u32(code)).filter(|&c| c != '\0').unwrap_or('\u{fffd}');
    Some((c, skipped + length + semicolon))
}

/// Numbers that name C1 controls mean windows-1252's characters (WHATWG HTML §13.2.5.80).
fn windows_1252(code: u32) -> Option<char> {
    let byte = u8::try_from(code).ok().filter(|b| (0x80..=0x9f).contains(b))?;
    encoding_rs::WINDOWS_1252.decode_without_bom_handling(&[byte]).0.chars().next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references() {
        assert_eq!(
            unescape("a &amp;&#x41;&#66;&mdash; &copy2 &nosuch; &#128; & &#0;"),
            "a &AB— ©2 &nosuch; € & \u{fffd}"
        );
    }
}
