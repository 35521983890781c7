//! A proof bundle that somebody was handed: judged with what the settings pin, and told.

use std::io::Write;

use super::Global;
use super::bridge;
use super::fault::{Exit, Fault};
use crate::face::config::Settings;
use crate::face::{out, plain};
use crate::format::note::VerifierKey;
use crate::proof::Bundle;
use crate::work::parts::Paths;
use crate::work::prove::{self, Judged, Trusted};
use crate::work::remember;
use crate::work::verify::{Independence, Verdict};
use crate::world::services::node;

/// The archive's key, where there is an archive; it is as good as the archive.
pub(super) fn own_key(paths: &Paths) -> Option<VerifierKey> {
    remember::published(paths).ok().map(|published| published.key)
}

/// Judges a bundle with what the settings pin.
pub(super) fn judge(settings: &Settings, bytes: &[u8], key: Option<VerifierKey>) -> Result<Judged, Fault> {
    let mut trusted = Trusted {
        keys: key.into_iter().collect(),
        roots: bridge::roots(&settings.anchor.tsa_roots)?,
        witnesses: settings.anchor.witnesses.iter().map(|witness| witness.key.clone()).collect(),
        ..Trusted::default()
    };
    if let (Ok(bundle), Some(source)) = (Bundle::parse(bytes), bridge::headers(settings)) {
        let asking = bridge::asking(settings)?;
        let runtime = super::run::runtime()?;
        for height in prove::heights(&bundle) {
            let header = runtime.block_on(node::at(&asking.services, &source, height));
            let header = header.map_err(|e| Fault::new(Exit::Failed, "get block headers", &e))?;
            trusted.headers.extend(header.map(|header| (height, header)));
        }
    }
    Ok(prove::judge(bytes, &trusted))
}

/// Prints what a bundle came to.
pub(super) fn show(global: &Global, judged: &Judged) -> Result<Exit, Fault> {
    if global.json {
        out::json(judged)?;
    } else {
        out::text(|out| draw(out, judged))?;
    }
    Ok(if judged.verdict == Verdict::Intact { Exit::Done } else { Exit::Damaged })
}

fn draw(out: &mut dyn Write, judged: &Judged) -> std::io::Result<()> {
    let word = if judged.verdict == Verdict::Intact { "it holds" } else { "it does not hold" };
    writeln!(out, "proof bundle: {word}")?;
    if let (Some(record), Some(index), Some(origin), Some(size)) =
        (&judged.record, judged.index, &judged.origin, judged.size)
    {
        let (kind, at) = (judged.kind.unwrap_or("record"), judged.at);
        let at = at.map(|at| format!(" of {}", crate::format::time::rfc3339(at))).unwrap_or_default();
        writeln!(out, "{kind}{at}, {record}")?;
        writeln!(out, "stands at {index} under a checkpoint of {size} leaves of {}", plain::line(origin))?;
    }
    for problem in &judged.problems {
        writeln!(out, "{}  {}  {}", problem.kind, plain::line(&problem.place), plain::line(&problem.what))?;
    }
    for anchor in &judged.anchors {
        let at = anchor.at.map(|at| format!("  {}", crate::format::time::rfc3339(at))).unwrap_or_default();
        writeln!(out, "{}  {}{at}", anchor.state.as_str(), plain::line(&anchor.file))?;
    }
    if judged.evidence > 0 {
        writeln!(out, "{} WARC records came with it and are those it names", judged.evidence)?;
    }
    if judged.independence == Independence::SelfAttested {
        writeln!(out, "nobody but the log itself vouches for it")?;
    }
    judged.not_checked.iter().try_for_each(|text| writeln!(out, "not checked: {}", plain::line(text)))
}
