//! DER (ITU-T X.690), read leniently: definite lengths only, but no insistence on the order of a SET OF, which timestamp
//! authorities in use get wrong; and written as far as a timestamp request needs.

/// One element: its tag, what it holds, and all its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Element<'a> {
    /// the identifier octet
    pub tag: u8,
    /// the contents
    pub value: &'a [u8],
    /// identifier, length and contents
    pub raw: &'a [u8],
}

/// BOOLEAN
pub const BOOLEAN: u8 = 0x01;
/// INTEGER
pub const INTEGER: u8 = 0x02;
/// BIT STRING
pub const BIT_STRING: u8 = 0x03;
/// OCTET STRING
pub const OCTET_STRING: u8 = 0x04;
/// OBJECT IDENTIFIER
pub const OID: u8 = 0x06;
/// GeneralizedTime
pub const GENERALIZED_TIME: u8 = 0x18;
/// SEQUENCE
pub const SEQUENCE: u8 = 0x30;
/// SET
pub const SET: u8 = 0x31;

/// The constructed context-specific tag `[n]`.
pub const fn context(n: u8) -> u8 {
    0xa0 | n
}

/// Bytes that are not DER, or not the DER expected.
#[derive(Clone, Copy, Debug, thiserror::Error, PartialEq, Eq)]
#[error("not the DER expected")]
pub struct NotDer;

impl<'a> Element<'a> {
    /// The first element and what follows it.
    ///
    /// # Errors
    /// Bytes cut short, a tag of several octets, an indefinite length.
    pub fn first(bytes: &'a [u8]) -> Result<(Self, &'a [u8]), NotDer> {
        let (&tag, rest) = bytes.split_first().ok_or(NotDer)?;
        let (&short, rest) = rest.split_first().ok_or(NotDer)?;
        if tag & 0x1f == 0x1f {
            return Err(NotDer);
        }
        let (length, rest) = match short {
            0..=0x7f => (usize::from(short), rest),
            0x81..=0x84 => {
                let (octets, rest) = rest.split_at_checked(usize::from(short & 0x7f)).ok_or(NotDer)?;
                (octets.iter().fold(0usize, |sum, octet| sum << 8 | usize::from(*octet)), rest)
            }
            _ => return Err(NotDer),
        };
        let (value, rest) = rest.split_at_checked(length).ok_or(NotDer)?;
        let raw = bytes.get(..bytes.len() - rest.len()).ok_or(NotDer)?;
        Ok((Self { tag, value, raw }, rest))
    }

    /// The one element that `bytes` are.
    ///
    /// # Errors
    /// No element, or something after it.
    pub fn only(bytes: &'a [u8]) -> Result<Self, NotDer> {
        let (element, rest) = Self::first(bytes)?;
        if rest.is_empty() { Ok(element) } else { Err(NotDer) }
    }

    /// The elements inside, all of them.
    ///
    /// # Errors
    /// Contents that are no elements.
    pub fn inside(&self) -> Result<Elements<'a>, NotDer> {
        let mut list = Vec::new();
        let mut rest = self.value;
        while !rest.is_empty() {
            let (element, after) = Self::first(rest)?;
            list.push(element);
            rest = after;
        }
        Ok(Elements { list, at: 0 })
    }

    /// The same, if this is a `tag`.
    ///
    /// # Errors
    /// Another tag, or contents that are no elements.
    pub fn inside_of(&self, tag: u8) -> Result<Elements<'a>, NotDer> {
        if self.tag == tag { self.inside() } else { Err(NotDer) }
    }
}

/// Elements side by side, taken in order.
#[derive(Clone, Debug)]
pub struct Elements<'a> {
    list: Vec<Element<'a>>,
    at: usize,
}

impl<'a> Elements<'a> {
    /// The next one, whatever it is.
    ///
    /// # Errors
    /// There is none.
    pub fn any(&mut self) -> Result<Element<'a>, NotDer> {
        let element = self.list.get(self.at).copied().ok_or(NotDer)?;
        self.at += 1;
        Ok(element)
    }

    /// The next one, which must be a `tag`.
    ///
    /// # Errors
    /// There is none, or it is another.
    pub fn take(&mut self, tag: u8) -> Result<Element<'a>, NotDer> {
        self.any().and_then(|element| if element.tag == tag { Ok(element) } else { Err(NotDer) })
    }

    /// The next one if it is a `tag`.
    pub fn take_if(&mut self, tag: u8) -> Option<Element<'a>> {
        let element = self.list.get(self.at).copied().filter(|element| element.tag == tag)?;
        self.at += 1;
        Some(element)
    }

    /// Those not taken yet.
    pub fn rest(&self) -> &[Element<'a>] {
        self.list.get(self.at..).unwrap_or_default()
    }
}

/// An element's bytes from its tag and contents.
pub fn element(tag: u8, contents: &[&[u8]]) -> Vec<u8> {
    let length: usize = contents.iter().map(|part| part.len()).sum();
    let mut out = vec![tag];
    let octets = length.to_be_bytes();
    let skip = octets.iter().take_while(|octet| **octet == 0).count();
    if length < 0x80 {
        out.extend(octets.last());
    } else {
        out.push(0x80 | u8::try_from(octets.len() - skip).unwrap_or(8));
        out.extend(octets.iter().skip(skip));
    }
    contents.iter().for_each(|part| out.extend_from_slice(part));
    out
}

/// An object identifier's text, `1.2.840.113549`; `None` for contents that are none.
pub fn oid_text(contents: &[u8]) -> Option<String> {
    let mut arcs: Vec<u64> = Vec::new();
    let mut arc = 0u64;
    for octet in contents {
        arc = arc.checked_mul(128)?.checked_add(u64::from(octet & 0x7f))?;
        if octet & 0x80 == 0 {
            arcs.push(arc);
            arc = 0;
        }
    }
    let (first, rest) = arcs.split_first()?;
    let root = (first / 40).min(2);
    let numbers = [root, first - root * 40].into_iter().chain(rest.iter().copied());
    let whole = contents.last().is_some_and(|octet| octet & 0x80 == 0);
    whole.then(|| numbers.map(|n| n.to_string()).collect::<Vec<_>>().join("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_of_every_length_come_back() {
        for length in [0, 1, 127, 128, 255, 256, 70_000] {
            let value = vec![7; length];
            let bytes = element(OCTET_STRING, &[&value]);
            let read = Element::only(&bytes).unwrap();
            assert_eq!((read.tag, read.value, read.raw), (OCTET_STRING, &value[..], &bytes[..]));
            assert_eq!(Element::only(&bytes[..bytes.len() - 1]), Err(NotDer));
            assert_eq!(Element::only(&[&bytes[..], &[0]].concat()), Err(NotDer));
        }
        for wrong in [&[][..], &[0x30], &[0x30, 0x80, 0, 0], &[0x1f, 1, 1], &[0x30, 0x85, 0, 0, 0, 0, 0]] {
            assert_eq!(Element::first(wrong), Err(NotDer));
        }
    }

    #[test]
    fn identifiers_as_text() {
        assert_eq!(oid_text(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d]).as_deref(), Some("1.2.840.113549"));
        assert_eq!(oid_text(&[0x88, 0x37]).as_deref(), Some("2.999"));
        assert_eq!(oid_text(&[0x2a, 0x86]), None);
        assert_eq!(oid_text(&[]), None);
    }
}
