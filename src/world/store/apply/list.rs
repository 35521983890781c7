//! JSON lists read one item at a time: one of a statement's citations may have a million.

use std::marker::PhantomData;

use serde::de::{DeserializeSeed, Deserializer, Error as _, SeqAccess, Visitor};
use uuid::Uuid;

use crate::world::store::Error;

/// Why a list was not read to its end.
pub(super) enum Stopped {
    /// it is no list of these
    Shape(serde_json::Error),
    /// whoever was shown an item said so
    Said(Error),
}

impl Stopped {
    /// The same of the document it happened in.
    pub(super) fn of(self, document: Uuid) -> Error {
        match self {
            Self::Shape(error) => Error::Shape(document, error),
            Self::Said(error) => error,
        }
    }
}

/// Shows `each` every item, with its number from 0.
pub(super) fn each<'de, T: serde::de::DeserializeOwned, R: serde_json::de::Read<'de>>(
    json: &mut serde_json::Deserializer<R>,
    each: &mut dyn FnMut(usize, &T) -> Result<(), Error>,
) -> Result<(), Stopped> {
    let mut said = None;
    let read = Items { each, said: &mut said, item: PhantomData }.deserialize(&mut *json).and_then(|()| json.end());
    match (said, read) {
        (Some(error), _) => Err(Stopped::Said(error)),
        (None, read) => read.map_err(Stopped::Shape),
    }
}

struct Items<'f, T> {
    each: &'f mut dyn FnMut(usize, &T) -> Result<(), Error>,
    said: &'f mut Option<Error>,
    item: PhantomData<T>,
}

impl<'de, T: serde::de::DeserializeOwned> DeserializeSeed<'de> for Items<'_, T> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_seq(self)
    }
}

impl<'de, T: serde::de::DeserializeOwned> Visitor<'de> for Items<'_, T> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let mut n = 0;
        while let Some(item) = items.next_element()? {
            if let Err(error) = (self.each)(n, &item) {
                *self.said = Some(error);
                return Err(A::Error::custom("told to stop"));
            }
            n += 1;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(json: &str, stop_at: usize) -> (Vec<u8>, Result<(), Stopped>) {
        let mut items = Vec::new();
        let mut take = |n: usize, item: &u8| {
            assert_eq!(n, items.len());
            items.push(*item);
            if n == stop_at { Err(Error::Document(Uuid::nil())) } else { Ok(()) }
        };
        let slice = each(&mut serde_json::Deserializer::from_str(json), &mut take);
        let from_slice = std::mem::take(&mut items);
        let mut take = |_: usize, item: &u8| {
            items.push(*item);
            if items.len() == stop_at + 1 { Err(Error::Document(Uuid::nil())) } else { Ok(()) }
        };
        let stream = each(&mut serde_json::Deserializer::from_reader(json.as_bytes()), &mut take);
        assert_eq!((from_slice, slice.is_ok()), (items.clone(), stream.is_ok()));
        (items, stream)
    }

    #[test]
    fn items_are_shown_in_order_until_someone_objects() {
        assert!(matches!(seen("[1,2,3]", 9), (all, Ok(())) if all == [1, 2, 3]));
        assert!(matches!(seen("[]", 9), (all, Ok(())) if all.is_empty()));
        assert!(matches!(seen("[1,2,3]", 1), (all, Err(Stopped::Said(Error::Document(_)))) if all == [1, 2]));
        for wrong in ["[1,2", "[1,\"a\"]", "{}", "[1]2", "", "[300]"] {
            assert!(matches!(seen(wrong, 9), (_, Err(Stopped::Shape(_)))), "{wrong}");
        }
    }
}
