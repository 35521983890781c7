//! The data model's JSON form (atproto.com/specs/data-model): `{"$link": …}` is a link, `{"$bytes": …}` a byte string.

use std::borrow::Cow;

use data_encoding::BASE64_NOPAD;
use serde_json::Value as Json;

use super::Value;

/// Why a JSON value has no place in the data model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ModelError {
    /// a number that is no 64-bit integer
    #[error("a number that is no 64-bit integer")]
    Number,
    /// `$link` with no CID in it, or with company
    #[error("a malformed $link")]
    Link,
    /// `$bytes` with no base64 in it, or with company
    #[error("a malformed $bytes")]
    Bytes,
}

impl Value<'static> {
    /// The value that `json` writes. A float that is a whole number counts as that number, as the model's own test files
    /// have it.
    ///
    /// # Errors
    /// `ModelError` for what the model does not allow.
    pub fn from_json(json: &Json) -> Result<Self, ModelError> {
        Ok(match json {
            Json::Null => Value::Null,
            Json::Bool(b) => Value::Bool(*b),
            Json::Number(n) => Value::Int(integer(n).ok_or(ModelError::Number)?),
            Json::String(text) => Value::Text(Cow::Owned(text.clone())),
            Json::Array(items) => Value::List(items.iter().map(Self::from_json).collect::<Result<_, _>>()?),
            Json::Object(map) if map.contains_key("$link") => {
                only(map, "$link").and_then(|text| text.parse().ok()).map(Value::Link).ok_or(ModelError::Link)?
            }
            Json::Object(map) if map.contains_key("$bytes") => only(map, "$bytes")
                .and_then(|text| BASE64_NOPAD.decode(text.trim_end_matches('=').as_bytes()).ok())
                .map(|bytes| Value::Bytes(Cow::Owned(bytes)))
                .ok_or(ModelError::Bytes)?,
            Json::Object(map) => Value::Map(
                map.iter()
                    .map(|(key, item)| Ok((Cow::Owned(key.clone()), Self::from_json(item)?)))
                    .collect::<Result<_, _>>()?,
            ),
        })
    }
}

impl Value<'_> {
    /// The JSON that writes this value.
    pub fn to_json(&self) -> Json {
        match self {
            Self::Null => Json::Null,
            Self::Bool(b) => Json::Bool(*b),
            Self::Int(n) => Json::from(*n),
            Self::Bytes(bytes) => tagged("$bytes", BASE64_NOPAD.encode(bytes)),
            Self::Text(text) => Json::String(text.clone().into_owned()),
            Self::List(items) => Json::Array(items.iter().map(Self::to_json).collect()),
            Self::Map(entries) => {
                Json::Object(entries.iter().map(|(key, item)| (key.clone().into_owned(), item.to_json())).collect())
            }
            Self::Link(cid) => tagged("$link", cid.to_string()),
        }
    }
}

fn tagged(key: &str, text: String) -> Json {
    Json::Object(std::iter::once((key.to_owned(), Json::String(text))).collect())
}

fn only<'a>(map: &'a serde_json::Map<String, Json>, key: &str) -> Option<&'a str> {
    if map.len() == 1 { map.get(key)?.as_str() } else { None }
}

fn integer(n: &serde_json::Number) -> Option<i64> {
    n.as_i64().or_else(|| {
        // beyond 2^53 a float no longer tells which whole number was meant
        let float = n.as_f64()?;
        (float.fract() == 0.0 && float.abs() <= 9_007_199_254_740_992.0).then_some(float as i64)
    })
}
