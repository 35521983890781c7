//! A citation read back from its JSON, in one pass and with nothing set aside: a question may find thousands.

use serde::de::{Deserialize, Deserializer, Error};

use super::{Citation, CitationId, Form, Kind};
use crate::platform::post::Platform;

/// What `kind` says.
#[derive(Clone, Copy, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
enum Name {
    Link,
    Handle,
    Hashtag,
    Post,
}

/// The fields of every kind, side by side as they stand in the JSON.
#[derive(serde::Deserialize)]
struct Fields {
    id: CitationId,
    kind: Name,
    raw: String,
    span: (usize, usize),
    span_of: Option<String>,
    #[serde(default)]
    candidate: bool,
    form: Option<Form>,
    url: Option<String>,
    platform: Option<Platform>,
    post_id: Option<String>,
    handle: Option<String>,
    #[serde(default)]
    defanged: bool,
    tag: Option<String>,
    author: Option<String>,
    date: Option<String>,
    #[serde(default)]
    dates: Vec<String>,
    date_raw: Option<String>,
    quoted: Option<String>,
    truncated: Option<bool>,
    links: Option<Vec<String>>,
    permalink: Option<String>,
}

fn given<T, E: Error>(value: Option<T>, name: &'static str) -> Result<T, E> {
    value.ok_or_else(|| E::missing_field(name))
}

impl<'de> Deserialize<'de> for Citation {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let fields = Fields::deserialize(from)?;
        let kind = match fields.kind {
            Name::Link => Kind::Link {
                form: given(fields.form, "form")?,
                url: given(fields.url, "url")?,
                platform: fields.platform,
                post_id: fields.post_id,
                handle: fields.handle,
                defanged: fields.defanged,
            },
            Name::Handle => {
                Kind::Handle { platform: given(fields.platform, "platform")?, handle: given(fields.handle, "handle")? }
            }
            Name::Hashtag => Kind::Hashtag { tag: given(fields.tag, "tag")? },
            Name::Post => Kind::Post {
                platform: given(fields.platform, "platform")?,
                author: fields.author,
                handle: fields.handle,
                date: fields.date,
                dates: fields.dates,
                date_raw: fields.date_raw,
                quoted: given(fields.quoted, "quoted")?,
                truncated: given(fields.truncated, "truncated")?,
                links: given(fields.links, "links")?,
                permalink: fields.permalink,
                post_id: fields.post_id,
            },
        };
        let Fields { id, raw, span, span_of, candidate, .. } = fields;
        Ok(Self { id, kind, raw, span, span_of, candidate })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(fields: &str) -> Result<Citation, serde_json::Error> {
        let id = format!("sha256:{}", "0".repeat(64));
        serde_json::from_str(&format!("{{\"id\":\"{id}\",\"raw\":\"r\",\"span\":[1,2],{fields}}}"))
    }

    /// What [`Kind`] itself reads, which is the form of the contract.
    fn plain(fields: &str) -> Result<Kind, serde_json::Error> {
        serde_json::from_str(&format!("{{{fields}}}"))
    }

    #[test]
    fn every_kind_is_read_as_it_is_declared() {
        for fields in [
            r#""kind":"link","form":"tco","url":"https://t.co/a""#,
            r#""kind":"link","form":"permalink","url":"u","platform":"x","post_id":"1","handle":"h","defanged":true"#,
            r#""kind":"handle","platform":"bluesky","handle":"h""#,
            r#""kind":"hashtag","tag":"t""#,
            r#""kind":"post","platform":"x","author":"A","handle":null,"date":null,"dates":["2019-06-10","2019-10-06"],"date_raw":"d","quoted":"q","truncated":true,"links":["l"],"permalink":"p","post_id":"1""#,
            r#""kind":"post","platform":"x","quoted":"q","truncated":false,"links":[]"#,
        ] {
            assert_eq!(read(fields).unwrap().kind, plain(fields).unwrap(), "{fields}");
        }
        let more = read(r#""kind":"hashtag","tag":"t","span_of":"text","candidate":true,"later":[1]"#).unwrap();
        assert_eq!((more.span_of.as_deref(), more.candidate, more.span), (Some("text"), true, (1, 2)));
    }

    #[test]
    fn what_a_kind_needs_must_be_there() {
        for fields in [
            r#""kind":"link","form":"tco""#,
            r#""kind":"link","url":"u""#,
            r#""kind":"handle","platform":"x""#,
            r#""kind":"hashtag""#,
            r#""kind":"post","platform":"x","quoted":"q","truncated":false"#,
            r#""kind":"other""#,
            r#""form":"tco","url":"u""#,
        ] {
            assert!(read(fields).is_err(), "{fields}");
            assert!(plain(fields).is_err(), "{fields}");
        }
    }
}
