//! The keys of maps: texts, and what is written as one.

use serde::ser::{self, Error as _, Impossible, Serialize};
use serde_json::Error;

use crate::format::json::writer::Writer;

/// Writes the key of a map, which in JSON is a text.
pub(super) struct Name<'a>(pub(super) &'a mut Writer);

/// What a key that is no text ends with.
fn no_text<T>() -> Result<T, Error> {
    Err(Error::custom("a key must be a text"))
}

/// Keys that are whole numbers stand as their digits.
macro_rules! digits {
    ($($name:ident: $int:ty),*) => {
        $(fn $name(self, v: $int) -> Result<(), Error> {
            self.0.name(&v.to_string())
        })*
    };
}

impl ser::Serializer for Name<'_> {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = Impossible<(), Error>;
    type SerializeTuple = Impossible<(), Error>;
    type SerializeTupleStruct = Impossible<(), Error>;
    type SerializeTupleVariant = Impossible<(), Error>;
    type SerializeMap = Impossible<(), Error>;
    type SerializeStruct = Impossible<(), Error>;
    type SerializeStructVariant = Impossible<(), Error>;

    digits!(serialize_i8: i8, serialize_i16: i16, serialize_i32: i32, serialize_i64: i64);
    digits!(serialize_u8: u8, serialize_u16: u16, serialize_u32: u32, serialize_u64: u64);

    fn serialize_bool(self, v: bool) -> Result<(), Error> {
        self.0.name(if v { "true" } else { "false" })
    }

    fn serialize_f32(self, _: f32) -> Result<(), Error> {
        no_text()
    }

    fn serialize_f64(self, _: f64) -> Result<(), Error> {
        no_text()
    }

    fn serialize_char(self, v: char) -> Result<(), Error> {
        self.0.name(v.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(self, v: &str) -> Result<(), Error> {
        self.0.name(v)
    }

    fn serialize_bytes(self, _: &[u8]) -> Result<(), Error> {
        no_text()
    }

    fn serialize_none(self) -> Result<(), Error> {
        no_text()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), Error> {
        no_text()
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), Error> {
        no_text()
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<(), Error> {
        self.0.name(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<(), Error> {
        no_text()
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Self::SerializeSeq, Error> {
        no_text()
    }

    fn serialize_tuple(self, _: usize) -> Result<Self::SerializeTuple, Error> {
        no_text()
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Self::SerializeTupleStruct, Error> {
        no_text()
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, Error> {
        no_text()
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Self::SerializeMap, Error> {
        no_text()
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self::SerializeStruct, Error> {
        no_text()
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, Error> {
        no_text()
    }
}
