//! Whether JSON stands in its one spelling (RFC 8785), told at a glance where it is as plain as nearly all of ours: whole numbers, keys in
//! ASCII, no escapes by number. What is not is left to whoever writes it again and compares.

/// Lists and objects in each other; more are left to the long way.
const DEEPEST: usize = 64;
/// Digits of a whole number that every reader of JSON can hold.
const DIGITS: usize = 15;

/// None where a glance does not tell.
pub(super) fn is_canonical(bytes: &[u8]) -> Option<bool> {
    // What is no UTF-8 is no JSON.
    let Ok(text) = std::str::from_utf8(bytes) else { return Some(false) };
    let mut look = Look { rest: text.as_bytes() };
    match look.value(DEEPEST) {
        Ok(()) if look.rest.is_empty() => Some(true),
        Ok(()) | Err(Not::Canonical) => Some(false),
        Err(Not::Plain) => None,
    }
}

enum Not {
    /// it is written otherwise, or no JSON
    Canonical,
    /// it may be and may not be
    Plain,
}

struct Look<'a> {
    rest: &'a [u8],
}

impl<'a> Look<'a> {
    fn next(&mut self) -> Option<u8> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*first)
    }

    fn takes(&mut self, word: &[u8]) -> bool {
        let rest = self.rest.strip_prefix(word);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn must(&mut self, word: &[u8]) -> Result<(), Not> {
        if self.takes(word) { Ok(()) } else { Err(Not::Canonical) }
    }

    fn value(&mut self, deep: usize) -> Result<(), Not> {
        let deep = deep.checked_sub(1).ok_or(Not::Plain)?;
        match self.rest.first() {
            Some(b'{') => self.object(deep),
            Some(b'[') => self.list(deep),
            Some(b'"') => self.string().map(drop),
            Some(b't') => self.must(b"true"),
            Some(b'f') => self.must(b"false"),
            Some(b'n') => self.must(b"null"),
            _ => self.number(),
        }
    }

    fn list(&mut self, deep: usize) -> Result<(), Not> {
        self.must(b"[")?;
        if self.takes(b"]") {
            return Ok(());
        }
        loop {
            self.value(deep)?;
            if !self.takes(b",") {
                return self.must(b"]");
            }
        }
    }

    /// Keys in ASCII are in the same order by their bytes as by their UTF-16 units.
    fn object(&mut self, deep: usize) -> Result<(), Not> {
        self.must(b"{")?;
        if self.takes(b"}") {
            return Ok(());
        }
        let mut before: Option<&[u8]> = None;
        loop {
            let key = self.string()?;
            if !key.is_ascii() || key.contains(&b'\\') {
                return Err(Not::Plain);
            }
            if before.is_some_and(|before| before >= key) {
                return Err(Not::Canonical);
            }
            before = Some(key);
            self.must(b":")?;
            self.value(deep)?;
            if !self.takes(b",") {
                return self.must(b"}");
            }
        }
    }

    /// What stands between the quotation marks.
    fn string(&mut self) -> Result<&'a [u8], Not> {
        self.must(b"\"")?;
        let whole = self.rest;
        loop {
            let plain = self.rest.iter().position(|&b| b == b'"' || b == b'\\' || b < 0x20).ok_or(Not::Canonical)?;
            self.rest = self.rest.get(plain..).unwrap_or_default();
            match self.next() {
                Some(b'"') => return Ok(whole.get(..whole.len() - self.rest.len() - 1).unwrap_or_default()),
                Some(b'\\') => match self.next() {
                    Some(b'"' | b'\\' | b'b' | b'f' | b'n' | b'r' | b't') => {}
                    Some(b'u') => return Err(Not::Plain),
                    _ => return Err(Not::Canonical),
                },
                _ => return Err(Not::Canonical),
            }
        }
    }

    fn number(&mut self) -> Result<(), Not> {
        let minus = self.takes(b"-");
        let digits = self.rest.iter().take_while(|b| b.is_ascii_digit()).count();
        let (number, rest) = self.rest.split_at(digits);
        self.rest = rest;
        match number {
            [] => Err(Not::Canonical),
            _ if digits > DIGITS || matches!(rest.first(), Some(b'.' | b'e' | b'E')) => Err(Not::Plain),
            [b'0'] if !minus => Ok(()),
            [b'0', ..] => Err(Not::Canonical),
            _ => Ok(()),
        }
    }
}
