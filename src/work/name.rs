//! Names: what a person typed, and the one thing of the archive that it names.

use uuid::Uuid;

use crate::citation::CitationId;
use crate::format::digest::Digest;
use crate::platform::permalink;
use crate::platform::post::PostName;
use crate::statement::StatementId;
use crate::work::fault::Fault;
use crate::world::store::Store;
use crate::world::store::holds::Thing;

/// One thing of the archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Named {
    /// a statement
    Statement(StatementId),
    /// a citation
    Citation(CitationId),
    /// a snapshot
    Snapshot(Digest),
    /// a post, by name
    Post(String),
    /// a record, by ledger index
    Record(u64),
    /// a run
    Run(Uuid),
    /// a WARC record
    Warc(Uuid),
    /// what has a digest and is none of the above: entities, whole WARC records
    Held(Digest, Vec<Thing>),
}

/// What `typed` names: a digest, a UUID, a ledger index, a post's name or URL, a beginning that only one id has, or where one statement
/// came from.
///
/// # Errors
/// Nothing or more than one thing has that name; the catalogue's own.
pub fn named(store: &Store, typed: &str) -> Result<Named, Fault> {
    let typed = typed.trim();
    let nothing = || Fault::NotHere(format!("nothing in the archive has the id {typed}"));
    if let Some(post) = post(typed) {
        return if store.snapshots_of(&post)?.is_empty() { Err(nothing()) } else { Ok(Named::Post(post)) };
    }
    if let Ok(index) = typed.parse::<u64>()
        && let Some(row) = store.record(index)?
    {
        return Ok(Named::Record(row.index));
    }
    let bare = typed.trim_start_matches('<').trim_end_matches('>').trim_start_matches("urn:uuid:");
    let digits = bare.strip_prefix("sha256:").unwrap_or(bare).to_ascii_lowercase();
    let mut found = Vec::new();
    if !bare.starts_with("sha256:") {
        let (warc, runs) = store.by_uuid_prefix(&digits.replace('-', ""))?;
        found.extend(warc.into_iter().map(Named::Warc));
        found.extend(runs.into_iter().map(Named::Run));
    }
    for digest in store.by_prefix(&digits)? {
        found.push(thing(store, digest)?);
    }
    if found.is_empty() {
        found.extend(store.from_source(typed)?.into_iter().map(Named::Statement));
    }
    match found.len() {
        0 => Err(nothing()),
        1 => found.pop().ok_or_else(nothing),
        _ => Err(several(typed, &found)),
    }
}

/// A post's name, or the name of the post a URL leads to.
fn post(typed: &str) -> Option<String> {
    if ["http://", "https://", "at://"].iter().any(|scheme| typed.starts_with(scheme)) {
        let named = permalink::read(typed)?;
        return named.post.map(|id| PostName { platform: named.platform, id }.to_string());
    }
    let colon =
        typed.contains(':') && !typed.starts_with("sha256:") && !typed.starts_with("urn:") && !typed.starts_with('<');
    colon.then(|| typed.to_owned())
}

fn thing(store: &Store, digest: Digest) -> Result<Named, Fault> {
    let statement = StatementId(digest);
    if store.statement_head(&statement)?.is_some() {
        return Ok(Named::Statement(statement));
    }
    let citation = CitationId(digest);
    if store.citation(&citation)?.is_some() {
        return Ok(Named::Citation(citation));
    }
    if store.has_snapshot(&digest)? {
        return Ok(Named::Snapshot(digest));
    }
    let things = store.things(&digest)?;
    Ok(match things.as_slice() {
        [Thing::Record(index)] => Named::Record(*index),
        [Thing::Warc(id)] => Named::Warc(*id),
        _ => Named::Held(digest, things),
    })
}

fn several(typed: &str, found: &[Named]) -> Fault {
    let some: Vec<String> = found.iter().take(4).map(ToString::to_string).collect();
    Fault::Input {
        what: format!("{typed} names several things: {}", some.join(", ")),
        hint: "give more of the id".to_owned(),
    }
}

impl std::fmt::Display for Named {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Statement(id) => write!(f, "statement {id}"),
            Self::Citation(id) => write!(f, "citation {id}"),
            Self::Snapshot(id) => write!(f, "snapshot {id}"),
            Self::Post(name) => write!(f, "post {name}"),
            Self::Record(index) => write!(f, "record {index}"),
            Self::Run(id) => write!(f, "run {id}"),
            Self::Warc(id) => write!(f, "WARC record {id}"),
            Self::Held(digest, _) => write!(f, "{digest}"),
        }
    }
}
