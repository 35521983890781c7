//! Writes a value as canonical JSON (RFC 8785) as it is visited: fields stand as they came until their object ends, and are put in
//! order there, so no tree is built between.

use std::ops::Range;

use serde::ser::Serialize;
use serde_json::{Error, Number};

mod name;
mod value;

/// Whole numbers up to here are the same as integers and as the doubles that RFC 8785 means.
const SAFE: u64 = 1 << 53;

/// What has been written, and the fields of the objects that have not ended.
#[derive(Default)]
pub(super) struct Writer {
    /// the JSON
    pub(super) out: Vec<u8>,
    /// of all objects that are open, the outermost first
    fields: Vec<Field>,
    /// an object's fields while they are put in order
    spare: Vec<u8>,
}

/// A field of an object, by where it stands in what was written.
struct Field {
    /// between its quotation marks
    name: Range<usize>,
    /// the end of its value
    end: usize,
    /// its name as written is not its name as compared: it has an escape, or is no ASCII
    odd: bool,
}

impl Field {
    fn text<'a>(&self, out: &'a [u8]) -> &'a [u8] {
        out.get(self.name.clone()).unwrap_or_default()
    }

    /// By UTF-16 code units (RFC 8785 §3.2.3), which in ASCII is the order of bytes.
    fn order(&self, other: &Self, out: &[u8]) -> std::cmp::Ordering {
        if self.odd || other.odd {
            return units(self.text(out)).cmp(&units(other.text(out)));
        }
        self.text(out).cmp(other.text(out))
    }
}

/// The UTF-16 code units of a name that stands between quotation marks.
fn units(name: &[u8]) -> Vec<u16> {
    let quoted = [b"\"", name, b"\""].concat();
    serde_json::from_slice::<String>(&quoted).unwrap_or_default().encode_utf16().collect()
}

impl Writer {
    fn string(&mut self, text: &str) -> Result<(), Error> {
        // Told without a branch for each byte: nearly no text has anything to escape.
        let escapes = text.bytes().fold(false, |found, b| found | (b < 0x20) | (b == b'"') | (b == b'\\'));
        if escapes {
            return serde_json::to_writer(&mut self.out, text);
        }
        self.out.push(b'"');
        self.out.extend_from_slice(text.as_bytes());
        self.out.push(b'"');
        Ok(())
    }

    fn number(&mut self, number: &Number) -> Result<(), Error> {
        match number.as_i64() {
            Some(n) if n.unsigned_abs() <= SAFE => serde_json::to_writer(&mut self.out, &n),
            // Doubles as ECMAScript spells them.
            _ => serde_jcs::to_writer(&mut self.out, number),
        }
    }

    /// Writes `{` and what one field is called, for the variant of an enum that holds something.
    fn variant(&mut self, name: &str) -> Result<(), Error> {
        self.out.push(b'{');
        self.string(name)?;
        self.out.push(b':');
        Ok(())
    }

    fn name(&mut self, name: &str) -> Result<(), Error> {
        let start = self.out.len() + 1;
        self.string(name)?;
        let end = self.out.len() - 1;
        let odd = !name.is_ascii() || end - start != name.len();
        self.out.push(b':');
        self.fields.push(Field { name: start..end, end, odd });
        Ok(())
    }

    /// Closes the object that began at `start` and whose fields are those from `first` on.
    fn close(&mut self, start: usize, first: usize) {
        let Self { out, fields, spare } = self;
        let own = fields.get_mut(first..).unwrap_or_default();
        if !own.is_sorted_by(|a, b| a.order(b, out).is_lt()) {
            own.sort_by(|a, b| a.order(b, out));
            spare.clear();
            for (n, field) in own.iter().enumerate() {
                // Of two fields of one name the last one counts.
                if own.get(n + 1).is_some_and(|next| field.order(next, out).is_eq()) {
                    continue;
                }
                if !spare.is_empty() {
                    spare.push(b',');
                }
                spare.extend_from_slice(out.get(field.name.start - 1..field.end).unwrap_or_default());
            }
            out.truncate(start + 1);
            out.extend_from_slice(spare);
        }
        fields.truncate(first);
        out.push(b'}');
    }
}

/// An object, a list, or one in the only field of an object, while it is written.
pub(super) struct Compound<'a> {
    writer: &'a mut Writer,
    start: usize,
    first: usize,
    /// it stands in the variant of an enum, whose object ends with it
    wrapped: bool,
}

impl<'a> Compound<'a> {
    fn new(writer: &'a mut Writer, opening: u8, wrapped: bool) -> Self {
        let (start, first) = (writer.out.len(), writer.fields.len());
        writer.out.push(opening);
        Self { writer, start, first, wrapped }
    }

    fn comma(&mut self) {
        if self.writer.out.len() > self.start + 1 {
            self.writer.out.push(b',');
        }
    }

    fn item<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.comma();
        value.serialize(&mut *self.writer)
    }

    fn value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        let at = self.writer.fields.len();
        value.serialize(&mut *self.writer)?;
        let end = self.writer.out.len();
        if let Some(field) = at.checked_sub(1).and_then(|at| self.writer.fields.get_mut(at)) {
            field.end = end;
        }
        Ok(())
    }

    fn field<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) -> Result<(), Error> {
        self.comma();
        self.writer.name(name)?;
        self.value(value)
    }

    fn list_ends(self) {
        self.writer.out.push(b']');
        self.unwrap();
    }

    fn object_ends(self) {
        self.writer.close(self.start, self.first);
        self.unwrap();
    }

    fn unwrap(self) {
        if self.wrapped {
            self.writer.out.push(b'}');
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::{Value, json};

    use super::*;
    use crate::format::json::canonical;

    /// Every shape that serde knows, with fields in no order.
    #[derive(serde::Serialize)]
    enum Shape {
        Unit,
        New(u8),
        Tuple(i64, f32),
        Struct {
            z: Option<char>,
            a: (),
            #[serde(skip_serializing_if = "Option::is_none")]
            gone: Option<u8>,
        },
    }

    #[derive(serde::Serialize)]
    struct Inner {
        y: i8,
        b: &'static str,
    }

    #[derive(serde::Serialize)]
    struct Outer {
        shapes: Vec<Shape>,
        #[serde(flatten)]
        inner: Inner,
        by_number: BTreeMap<u16, bool>,
        by_text: BTreeMap<String, Inner>,
        big: u64,
        pair: (i16, [u32; 2]),
        #[serde(flatten)]
        more: BTreeMap<char, f64>,
    }

    #[test]
    fn every_shape_is_written_as_its_tree_would_be() -> Result<(), Error> {
        let odd = ["\u{e000}", "\u{1f600}", "\"", "\\", "é", "", "\n"];
        let outer = Outer {
            shapes: vec![
                Shape::Unit,
                Shape::New(7),
                Shape::Tuple(-(1 << 60), 0.5),
                Shape::Struct { z: Some('"'), a: (), gone: None },
                Shape::Struct { z: None, a: (), gone: Some(1) },
            ],
            inner: Inner { y: -1, b: "x\u{1}\"\\é" },
            by_number: [(10, true), (9, false), (100, true)].into(),
            by_text: odd.iter().map(|name| ((*name).to_owned(), Inner { y: 0, b: "" })).collect(),
            big: u64::MAX,
            pair: (-3, [1, 2]),
            more: [('é', 1e21), ('Z', -0.0), ('\\', 1.5)].into(),
        };
        let tree = serde_json::to_value(&outer)?;
        let by_reference = serde_jcs::to_vec(&tree)?;
        assert_eq!(String::from_utf8_lossy(&canonical(&outer)?), String::from_utf8_lossy(&by_reference));
        assert_eq!(canonical(&tree)?, by_reference);
        Ok(())
    }

    #[test]
    fn of_two_fields_of_one_name_the_last_counts() -> Result<(), Error> {
        #[derive(serde::Serialize)]
        struct Twice {
            b: u8,
            a: u8,
            #[serde(flatten)]
            again: BTreeMap<&'static str, u8>,
        }
        let twice = Twice { b: 1, a: 2, again: [("a", 3), ("b", 4)].into() };
        assert_eq!(canonical(&twice)?, br#"{"a":3,"b":4}"#);
        assert_eq!(serde_json::to_value(&twice)?, json!({"a": 3, "b": 4}));
        Ok(())
    }

    #[test]
    fn what_json_cannot_hold_is_an_error() {
        assert!(canonical(&f64::NAN).is_err());
        assert!(canonical(&f64::INFINITY).is_err());
        assert!(canonical(&BTreeMap::from([(vec![1], 1)])).is_err());
        assert!(canonical(&BTreeMap::from([(None::<u8>, Value::Null)])).is_err());
        assert!(canonical(&BTreeMap::from([((), Value::Null)])).is_err());
    }
}
