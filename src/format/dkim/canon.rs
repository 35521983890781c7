//! Putting a message in order before it is digested (RFC 6376 §3.4), with the line ends that mail travels with.

/// How.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// as it stands
    Simple,
    /// blanks folded, names in lower case
    Relaxed,
}

/// A header field.
#[derive(Clone, Copy, Debug)]
pub(super) struct Field<'m> {
    /// what stands before its colon
    pub(super) label: &'m [u8],
    /// what stands behind it, folded lines included, without the line's end
    pub(super) value: &'m [u8],
}

impl Field<'_> {
    pub(super) fn is(&self, name: &str) -> bool {
        self.label.trim_ascii_end().eq_ignore_ascii_case(name.as_bytes())
    }

    /// Its name, lower case.
    pub(super) fn name(&self) -> String {
        String::from_utf8_lossy(self.label.trim_ascii_end()).to_ascii_lowercase()
    }
}

/// The header's fields and the body. A mailbox may have kept the message with bare line feeds; both ends of lines are taken.
pub(super) fn split(message: &[u8]) -> (Vec<Field<'_>>, &[u8]) {
    let mut fields = Vec::new();
    let mut rest = message;
    while !rest.is_empty() {
        let (len, end) = field(rest);
        let (line, after) = (rest.get(..len).unwrap_or_default(), rest.get(end..).unwrap_or_default());
        rest = after;
        if line.is_empty() {
            break;
        }
        let Some(colon) = line.iter().position(|b| *b == b':') else { continue };
        let (label, value) = line.split_at(colon);
        fields.push(Field { label, value: value.get(1..).unwrap_or_default() });
    }
    (fields, rest)
}

/// Where the field that `text` begins with ends, and where the next begins: lines that begin with a blank belong to it.
fn field(text: &[u8]) -> (usize, usize) {
    let mut from = 0;
    loop {
        let end = text.get(from..).and_then(|t| memchr::memchr(b'\n', t)).map(|n| from + n);
        let Some(end) = end else { return (text.len(), text.len()) };
        let cut = end - usize::from(end > from && text.get(end - 1) == Some(&b'\r'));
        if cut == 0 || !matches!(text.get(end + 1), Some(b' ' | b'\t')) {
            return (cut, end + 1);
        }
        from = end + 1;
    }
}

/// Adds a field in order, without a line's end.
pub(super) fn header(field: &Field<'_>, way: Way, out: &mut Vec<u8>) {
    if way == Way::Simple {
        out.extend_from_slice(field.label);
        out.push(b':');
        for (n, line) in field.value.split(|b| *b == b'\n').enumerate() {
            if n > 0 {
                out.extend_from_slice(b"\r\n");
            }
            out.extend_from_slice(line.strip_suffix(b"\r").unwrap_or(line));
        }
        return;
    }
    out.extend(field.label.trim_ascii_end().to_ascii_lowercase());
    out.push(b':');
    let words = field.value.split(|b| matches!(b, b' ' | b'\t' | b'\r' | b'\n')).filter(|word| !word.is_empty());
    for (n, word) in words.enumerate() {
        if n > 0 {
            out.push(b' ');
        }
        out.extend_from_slice(word);
    }
}

/// Hands over a body in order, piece by piece.
pub(super) fn body(body: &[u8], way: Way, mut take: impl FnMut(&[u8])) {
    let mut lines = body.split(|b| *b == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line)).peekable();
    // empty lines count only where something follows them
    let (mut empty, mut any) = (0usize, false);
    while let Some(line) = lines.next() {
        if lines.peek().is_none() && line.is_empty() {
            break;
        }
        let line = if way == Way::Relaxed { line.trim_ascii_end_blanks() } else { line };
        if line.is_empty() {
            empty += 1;
            continue;
        }
        for _ in 0..std::mem::take(&mut empty) {
            take(b"\r\n");
        }
        any = true;
        match way {
            Way::Simple => take(line),
            Way::Relaxed => relaxed(line, &mut take),
        }
        take(b"\r\n");
    }
    if !any && way == Way::Simple {
        take(b"\r\n");
    }
}

/// A line with every run of blanks as one space.
fn relaxed(line: &[u8], take: &mut impl FnMut(&[u8])) {
    let mut from = 0;
    while let Some(n) = line.get(from..).and_then(|t| memchr::memchr2(b' ', b'\t', t)) {
        take(line.get(from..from + n).unwrap_or_default());
        take(b" ");
        let run = line.get(from + n..).unwrap_or_default();
        from += n + run.iter().take_while(|b| is_blank(**b)).count();
    }
    take(line.get(from..).unwrap_or_default());
}

fn is_blank(b: u8) -> bool {
    matches!(b, b' ' | b'\t')
}

/// Blanks at a line's end.
trait Blanks {
    fn trim_ascii_end_blanks(&self) -> &[u8];
}

impl Blanks for [u8] {
    fn trim_ascii_end_blanks(&self) -> &[u8] {
        let len = self.len() - self.iter().rev().take_while(|b| is_blank(**b)).count();
        self.get(..len).unwrap_or_default()
    }
}
