//! A citation's JSON, written straight through: a statement can hold millions of them.

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use super::{Citation, Kind};

impl Serialize for Citation {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("id", &self.id)?;
        kind(&mut map, &self.kind)?;
        map.serialize_entry("raw", &self.raw)?;
        map.serialize_entry("span", &self.span)?;
        some(&mut map, "span_of", self.span_of.as_ref())?;
        flag(&mut map, "candidate", self.candidate)?;
        map.end()
    }
}

fn some<M: SerializeMap, T: Serialize>(map: &mut M, key: &str, value: Option<&T>) -> Result<(), M::Error> {
    value.map_or(Ok(()), |value| map.serialize_entry(key, value))
}

fn flag<M: SerializeMap>(map: &mut M, key: &str, value: bool) -> Result<(), M::Error> {
    if value { map.serialize_entry(key, &true) } else { Ok(()) }
}

fn kind<M: SerializeMap>(map: &mut M, kind: &Kind) -> Result<(), M::Error> {
    match kind {
        Kind::Link { form, url, platform, post_id, handle, defanged } => {
            map.serialize_entry("kind", "link")?;
            map.serialize_entry("form", form)?;
            map.serialize_entry("url", url)?;
            some(map, "platform", platform.as_ref())?;
            some(map, "post_id", post_id.as_ref())?;
            some(map, "handle", handle.as_ref())?;
            flag(map, "defanged", *defanged)
        }
        Kind::Handle { platform, handle } => {
            map.serialize_entry("kind", "handle")?;
            map.serialize_entry("platform", platform)?;
            map.serialize_entry("handle", handle)
        }
        Kind::Hashtag { tag } => {
            map.serialize_entry("kind", "hashtag")?;
            map.serialize_entry("tag", tag)
        }
        Kind::Post { .. } => post(map, kind),
    }
}

fn post<M: SerializeMap>(map: &mut M, kind: &Kind) -> Result<(), M::Error> {
    let Kind::Post { platform, author, handle, date, dates, date_raw, quoted, truncated, links, permalink, post_id } =
        kind
    else {
        return Ok(());
    };
    map.serialize_entry("kind", "post")?;
    map.serialize_entry("platform", platform)?;
    map.serialize_entry("author", author)?;
    map.serialize_entry("handle", handle)?;
    map.serialize_entry("date", date)?;
    if !dates.is_empty() {
        map.serialize_entry("dates", dates)?;
    }
    map.serialize_entry("date_raw", date_raw)?;
    map.serialize_entry("quoted", quoted)?;
    map.serialize_entry("truncated", truncated)?;
    map.serialize_entry("links", links)?;
    map.serialize_entry("permalink", permalink)?;
    map.serialize_entry("post_id", post_id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::citation;
    use crate::statement::{self, Hint};

    #[test]
    fn what_is_written_reads_back() -> Result<(), Box<dyn std::error::Error>> {
        let text = "Pier open hxxps://t[.]co/AEoFZOhI3p — Ana (@ana_ruiz9) March 6, 2026\n\n#Pier harbour.example/q4 @a.example.org x.com/a/status/20";
        let statement = statement::read(text.as_bytes().to_vec(), &Hint::default())?;
        let found = citation::find(&statement);
        assert!(found.len() > 6, "{found:?}");
        let json = serde_json::to_string(&found)?;
        assert_eq!(serde_json::from_str::<Vec<Citation>>(&json)?, found);
        Ok(())
    }
}
