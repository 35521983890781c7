//! One thing of the archive with all that hangs on it, as one JSON value.

use std::path::PathBuf;

use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::citation::CitationId;
use crate::format::digest::Digest;
use crate::format::drand::Chain;
use crate::format::time;
use crate::record::{Event, Record};
use crate::statement::StatementId;
use crate::work::by_hand;
use crate::work::fault::Fault;
use crate::work::name::{Named, named};
use crate::work::parts::Paths;
use crate::world::store::Store;
use crate::world::store::find::{End, Wanted};
use crate::world::store::holds::Thing;
use crate::world::store::read::Located;
use crate::world::vault::place::{self, Place};

/// Finds `id` and everything that hangs on it. `roots` are the files of pinned roots that command lines name.
///
/// # Errors
/// Nothing has that id; the catalogue's own.
pub fn show(paths: &Paths, id: &str, roots: &[PathBuf]) -> Result<Value, Fault> {
    if !paths.is_archive() {
        return Err(Fault::NoArchive(paths.root.clone()));
    }
    let show = Show { paths, roots, store: Store::open_read(&paths.catalogue())? };
    let nothing = || Fault::NotHere(format!("nothing in the archive has the id {id}"));
    show.named(named(&show.store, id)?)?.ok_or_else(nothing)
}

struct Show<'a> {
    paths: &'a Paths,
    roots: &'a [PathBuf],
    store: Store,
}

impl Show<'_> {
    fn named(&self, named: Named) -> Result<Option<Value>, Fault> {
        match named {
            Named::Statement(id) => self.statement(&id.0),
            Named::Citation(id) => self.citation(&id.0),
            Named::Snapshot(id) => self.snapshot(&id),
            Named::Post(name) => self.post(&name),
            Named::Record(index) => self.record(index),
            Named::Run(id) => self.run(id),
            Named::Warc(id) => self.warc(id),
            Named::Held(digest, things) => self.held(&digest, &things),
        }
    }

    fn held(&self, digest: &Digest, things: &[Thing]) -> Result<Option<Value>, Fault> {
        let mut all = Vec::new();
        for thing in things {
            all.extend(match thing {
                Thing::Record(index) => self.record(*index)?,
                Thing::Warc(id) => self.warc(*id)?,
            });
        }
        Ok((!all.is_empty()).then(|| json!({ "digest": digest, "held_as": all })))
    }

    fn statement(&self, digest: &Digest) -> Result<Option<Value>, Fault> {
        let id = StatementId(*digest);
        let (Some((source, media_type, date)), Some(card)) =
            (self.store.statement_head(&id)?, self.store.statement_card(&id)?)
        else {
            return Ok(None);
        };
        let mut citations = Vec::new();
        let leaves = self.store.leaves()?;
        self.store.find::<Fault>(&Wanted { statements: Some(vec![id]), ..Wanted::default() }, |hit| {
            let mut line = json!({ "citation": hit.citation });
            extend(&mut line, hit.end.as_ref().map(|end| ending(end, leaves)));
            citations.push((hit.citation.span.0, line));
            Ok(())
        })?;
        citations.sort_by_key(|(start, _)| *start);
        let citations: Vec<Value> = citations.into_iter().map(|(_, line)| line).collect();
        let mut shown = json!({
            "statement": id, "source": source, "sources": card.sources, "media_type": media_type, "bytes": card.bytes,
            "date": date, "title": card.title, "language": card.language, "publisher": card.publisher, "author": card.author,
            "ledger_index": card.record, "kept_at": self.content(card.record)?, "anchors": self.anchors_of(digest)?, "citations": citations,
        });
        // what the record says of an e-mail's signatures, each with the answer that its key was read from
        let detail = self.detail(card.record)?;
        let signatures = detail.as_ref().and_then(|detail| detail.get("signatures"));
        extend(&mut shown, signatures.map(|signatures| json!({ "signatures": signatures })));
        Ok(Some(shown))
    }

    /// Where a statement's bytes lie.
    fn content(&self, record: u64) -> Result<Option<Value>, Fault> {
        let Ok(Some(detail)) = self.detail(record) else { return Ok(None) };
        let id = detail.pointer("/content/id").and_then(Value::as_str).and_then(|id| id.parse().ok());
        Ok(id.map(|id| self.store.locate(id)).transpose()?.flatten().as_ref().map(lying))
    }

    fn run(&self, id: Uuid) -> Result<Option<Value>, Fault> {
        let Some(row) = self.store.run(&id)? else { return Ok(None) };
        let mut endings = std::collections::BTreeMap::<String, u64>::new();
        let mut citations = Vec::new();
        for (index, citation, raw, ending) in self.store.run_endings(&id)? {
            citations.push(json!({
                "citation": CitationId(citation), "raw": raw, "ending": ending, "ledger_index": index,
            }));
            *endings.entry(ending).or_default() += 1;
        }
        Ok(Some(json!({
            "run": id, "opened": time::rfc3339(row.opened), "closed": row.closed.map(time::rfc3339), "planned": row.planned,
            "ended": row.ended, "not_before": self.opened_with(row.record)?, "opening_record": row.record, "closing_record": row.closing, "endings": endings,
            "citations": citations,
        })))
    }

    fn citation(&self, digest: &Digest) -> Result<Option<Value>, Fault> {
        let id = CitationId(*digest);
        let Some((statement, citation)) = self.store.citation(&id)? else { return Ok(None) };
        let leaves = self.store.leaves()?;
        let mut times = Vec::new();
        for end in self.store.ends(&id)? {
            let mut line = ending(&end, leaves);
            extend(&mut line, self.detail(end.index)?);
            extend(&mut line, Some(json!({ "not_before": self.not_before(end.index)? })));
            times.push(line);
        }
        Ok(Some(json!({ "citation": citation, "statement": statement, "followed": times })))
    }

    fn snapshot(&self, digest: &Digest) -> Result<Option<Value>, Fault> {
        let Some((index, manifest)) = self.store.manifest(digest)? else { return Ok(None) };
        let Some(at) = self.store.locate(manifest)? else { return Ok(None) };
        let block = place::read_at(&self.paths.warc(), &place_of(&at))?.record.block;
        let manifest: Value = serde_json::from_slice(&block).map_err(Fault::json)?;
        let leads: Vec<Value> = self
            .store
            .led_to(digest)?
            .into_iter()
            .map(|(record, citation)| json!({ "citation": CitationId(citation), "ledger_index": record }))
            .collect();
        Ok(Some(json!({
            "snapshot": digest, "ledger_index": index, "manifest_at": lying(&at), "manifest": manifest, "led_to_by": leads,
            "parts_at": self.parts(&manifest)?, "not_before": self.not_before(index)?, "anchors": self.anchors(index)?,
        })))
    }

    /// Where the WARC records of a manifest lie.
    fn parts(&self, manifest: &Value) -> Result<Vec<Value>, Fault> {
        let mut out = Vec::new();
        for part in manifest.get("parts").and_then(Value::as_array).into_iter().flatten() {
            let id = part.pointer("/evidence/response/id").and_then(Value::as_str).and_then(|id| id.parse().ok());
            if let Some(at) = id.map(|id| self.store.locate(id)).transpose()?.flatten() {
                let mut line = lying(&at);
                extend(&mut line, Some(json!({ "url": part.get("url"), "role": part.get("role") })));
                out.push(line);
            }
        }
        Ok(out)
    }

    fn post(&self, name: &str) -> Result<Option<Value>, Fault> {
        let snapshots = self.store.snapshots_of(name)?;
        if snapshots.is_empty() {
            return Ok(None);
        }
        let mut out = Vec::new();
        for (snapshot, at, body) in snapshots {
            let post: Value = serde_json::from_str(&body).map_err(Fault::json)?;
            out.push(json!({ "snapshot": snapshot, "at": time::rfc3339(at), "post": post }));
        }
        Ok(Some(json!({ "post": name, "snapshots": out })))
    }

    fn record(&self, index: u64) -> Result<Option<Value>, Fault> {
        let Some(row) = self.store.record(index)? else { return Ok(None) };
        let at = self.store.locate(row.warc)?;
        let own = self.store.anchors()?.into_iter().find(|anchor| anchor.record == index);
        Ok(Some(json!({
            "ledger_index": index, "leaf": row.leaf, "record": self.detail(index)?, "warc": at.as_ref().map(lying),
            "check": own.and_then(|own| by_hand::command(self.paths, self.roots, &own)),
            "not_before": self.not_before(index)?, "anchors": self.anchors(index)?,
        })))
    }

    /// Who outside vouches for a leaf, and how to check that.
    fn anchors(&self, index: u64) -> Result<Vec<Value>, Fault> {
        let rows = self.store.anchors_over(index)?;
        Ok(rows.iter().map(|row| by_hand::shown(self.paths, self.roots, row)).collect())
    }

    /// Before which instant a leaf's record was not written: the round of a beacon that its run was opened with.
    fn not_before(&self, index: u64) -> Result<Option<Value>, Fault> {
        let detail = self.detail(index)?.unwrap_or_default();
        let run = detail.get("run").and_then(Value::as_str).and_then(|id| id.parse().ok());
        let row = run.map(|run| self.store.run(&run)).transpose()?.flatten();
        Ok(row.map(|row| self.opened_with(row.record)).transpose()?.flatten())
    }

    /// The beacon's round in a run's opening record, if it holds.
    fn opened_with(&self, index: u64) -> Result<Option<Value>, Fault> {
        let detail = self.detail(index)?.unwrap_or_default();
        let Ok(record) = serde_json::from_value::<Record>(detail) else { return Ok(None) };
        let Event::RunOpened { run, beacon: Some(beacon), .. } = record.event else { return Ok(None) };
        let Ok(due) = beacon.bounds(run, record.at) else { return Ok(None) };
        let (chain, round) = (&beacon.chain, beacon.round.number);
        let public = Chain::known(&chain.hash).is_some();
        Ok(Some(json!({
            "at": time::rfc3339(due), "beacon": chain.id, "chain": chain.hash, "round": round, "known": public,
            "check": public.then(|| format!("curl https://api.drand.sh/{}/public/{round}", chain.hash)),
        })))
    }

    /// As [`Show::anchors`], for the record that speaks of a digest.
    fn anchors_of(&self, digest: &Digest) -> Result<Vec<Value>, Fault> {
        match self.store.things(digest)?.first() {
            Some(Thing::Record(index)) => self.anchors(*index),
            _ => Ok(Vec::new()),
        }
    }

    /// A record's own words.
    fn detail(&self, index: u64) -> Result<Option<Value>, Fault> {
        let Some(row) = self.store.record(index)? else { return Ok(None) };
        let Some(at) = self.store.locate(row.warc)? else { return Ok(None) };
        let block = place::read_at(&self.paths.warc(), &place_of(&at))?.record.block;
        Ok(Some(serde_json::from_slice(&block).map_err(Fault::json)?))
    }

    fn warc(&self, id: Uuid) -> Result<Option<Value>, Fault> {
        let Some(at) = self.store.locate(id)? else { return Ok(None) };
        let found = place::read_at(&self.paths.warc(), &place_of(&at))?;
        let fields: Vec<Value> =
            found.record.fields.iter().map(|(name, value)| json!(format!("{name}: {value}"))).collect();
        Ok(Some(json!({
            "warc_record": id, "type": found.record.kind.as_str(), "date": time::warc_date(found.record.date), "at": lying(&at),
            "fields": fields, "block_bytes": found.record.block.len(),
        })))
    }
}

fn place_of(at: &Located) -> Place {
    Place { file: at.file.clone(), offset: at.offset, length: at.length }
}

fn lying(at: &Located) -> Value {
    // One gzip member is one record, so these bytes are a whole file by themselves.
    let extract = format!("tail -c +{} warc/{} | head -c {} | gzip -dc", at.offset + 1, at.file, at.length);
    json!({
        "file": format!("warc/{}", at.file), "offset": at.offset, "length": at.length, "record_digest": at.digest,
        "extract": extract,
    })
}

fn extend(value: &mut Value, with: Option<Value>) {
    if let (Value::Object(value), Some(Value::Object(with))) = (value, with) {
        value.extend::<Map<String, Value>>(with);
    }
}

/// What is said of an ending wherever one is shown.
pub fn ending(end: &End, leaves: u64) -> Value {
    json!({
        "ending": end.ending, "why": end.why, "at": time::rfc3339(end.at), "urls": { "start": end.start, "final": end.final_url },
        "hops": end.hops, "post": end.post, "posted": end.posted.map(time::rfc3339), "snapshot": end.snapshot, "verdict": end.verdict, "anchored": end.anchored,
        "truncated": end.truncated, "unread": end.unread,
        "ledger": { "index": end.index, "checkpoint": leaves },
    })
}
