//! `onrecord ledger`: the checkpoint, proofs of records, remembered checkpoints, cosignatures, a change of the key.

use std::io::Write;
use std::path::PathBuf;

use serde_json::json;

use super::Global;
use super::bridge;
use super::fault::{Exit, Fault};
use crate::face::config::Settings;
use crate::face::config::flags::NetworkArgs;
use crate::face::{out, plain};
use crate::format::note::VerifierKey;
use crate::proof::{Bundle, Standing};
use crate::work::archive::OpenArchive;
use crate::work::parts::Paths;
use crate::work::prove::{self, Judged, Trusted};
use crate::work::verify::{Independence, Verdict};
use crate::work::{remember, rotate};
use crate::world::durable::Disk;
use crate::world::input;
use crate::world::services::node;

/// Longest note: a checkpoint with many signatures is far shorter.
const MAX_NOTE: u64 = 1 << 20;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Args {
    /// Print the current checkpoint, a signed note. Keep it elsewhere: it fixes everything below it
    Checkpoint,
    /// Prove a record to a stranger: one file with the record, its path, the checkpoint and its anchors
    Prove(Prove),
    /// Judge a file: a remembered checkpoint (equal, prefix, newer, forked), or a proof bundle (needs no archive)
    Check(Check),
    /// Add a witness's cosignature to the published checkpoint
    Cosign(Cosign),
    /// Store the hashes between those of the tiles (twice their size), so that proofs are read and not hashed; may be deleted
    Index,
    /// Pass the ledger on to a new signing key; both keys sign that it happens
    RotateKey,
}

#[derive(Debug, clap::Args)]
pub(super) struct Prove {
    /// A ledger index, or the digest of a statement, citation, snapshot or leaf (sha256:…, or its first hex digits)
    #[arg(value_name = "ID")]
    id: String,

    /// Where to write it; standard output where none is named
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,

    /// Put the WARC records that it rests on into the bundle too
    #[arg(long)]
    evidence: bool,

    /// Write the proof alone, as a C2SP tlog-proof
    #[arg(long, conflicts_with = "evidence")]
    tlog_proof: bool,
}

/// Exit 0 if it holds: equal or a prefix, or a proof without a fault; 5 if it is newer than the archive, of another history,
/// or damaged.
#[derive(Debug, clap::Args)]
pub(super) struct Check {
    /// A signed checkpoint, or a bundle that `ledger prove` wrote
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// The log's verifier key as you remember it: a file with its vkey line
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,

    /// PEM file with the roots that timestamp authorities are believed by (repeatable)
    #[arg(long, value_name = "FILE")]
    tsa_roots: Vec<PathBuf>,

    /// Block headers to confirm OpenTimestamps proofs with: a file of "HEIGHT HEX" lines, or a node's URL
    #[arg(long, value_name = "FILE|URL")]
    bitcoin_headers: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(super) struct Cosign {
    /// The witness's signature line, or the checkpoint with its line added
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// The witness's verifier key, where the settings do not name it
    #[arg(long, value_name = "VKEY")]
    witness: Option<VerifierKey>,
}

pub(super) fn run(global: &Global, args: Args) -> Result<Exit, Fault> {
    let settings = super::config::load(global, &NetworkArgs::default())?;
    let paths = bridge::paths(global, &settings);
    match args {
        Args::Checkpoint => checkpoint(global, &paths),
        Args::Prove(args) => prove_one(global, &paths, &args),
        Args::Check(args) => check(global, settings, &paths, args),
        Args::Cosign(args) => cosign(global, &settings, paths, &args),
        Args::Index => index(global, &settings, paths),
        Args::RotateKey => rotate_key(global, &settings, paths),
    }
}

fn checkpoint(global: &Global, paths: &Paths) -> Result<Exit, Fault> {
    let published = remember::published(paths).map_err(bridge::fault("read the checkpoint"))?;
    let (checkpoint, note) = (&published.signed.checkpoint, String::from_utf8_lossy(&published.signed.note));
    if global.json {
        out::json(&json!({
            "origin": checkpoint.origin.to_string(), "size": checkpoint.size, "root": checkpoint.root_base64(),
            "vkey": published.key.to_string(), "note": note,
        }))?;
    } else {
        out::bytes(|out| out.write_all(&published.signed.note))?;
    }
    Ok(Exit::Done)
}

fn prove_one(global: &Global, paths: &Paths, args: &Prove) -> Result<Exit, Fault> {
    let bundle = prove::prove(paths, &args.id, args.evidence).map_err(bridge::fault("prove it"))?;
    let mut bytes = if args.tlog_proof { bundle.proof.clone().into_bytes() } else { Vec::new() };
    if bytes.is_empty() {
        bytes = serde_json::to_vec_pretty(&bundle).map_err(|e| Fault::new(Exit::Failed, "write the bundle", &e))?;
        bytes.push(b'\n');
    }
    let Some(path) = &args.output else {
        out::bytes(|out| out.write_all(&bytes))?;
        return Ok(Exit::Done);
    };
    let written = Disk::default().replace(path, &bytes);
    written.map_err(|e| Fault::new(Exit::Failed, format!("write {}", path.display()), &e))?;
    let size = bytes.len();
    if global.json {
        out::json(&json!({ "file": path, "bytes": size, "anchors": bundle.anchors.keys().collect::<Vec<_>>() }))?;
    } else {
        out::text(|out| {
            writeln!(out, "{} holds the proof ({size} bytes, {} WARC records)", path.display(), bundle.evidence.len())?;
            writeln!(out, "anyone can check it: onrecord ledger check {} --key VKEY-FILE", path.display())
        })?;
    }
    Ok(Exit::Done)
}

fn check(global: &Global, mut settings: Settings, paths: &Paths, args: Check) -> Result<Exit, Fault> {
    let bound = crate::proof::MAX_BYTES as u64;
    let bytes = input::file(&args.file, bound).map_err(|e| {
        Fault::new(Exit::Usage, format!("read {}", args.file.display()), &e)
            .hint("expected a signed checkpoint, or a bundle from onrecord ledger prove")
    })?;
    if !args.tsa_roots.is_empty() {
        settings.anchor.tsa_roots.clone_from(&args.tsa_roots);
    }
    if let Some(named) = &args.bitcoin_headers {
        settings.anchor.bitcoin_headers.clone_from(named);
    }
    let key = args.key.as_deref().map(super::verify::key).transpose()?;
    if bytes.first() == Some(&b'{') {
        let judged = judge(&settings, &bytes, key.or_else(|| own_key(paths)))?;
        return show_judged(global, &judged);
    }
    let remembered = remember::compare(paths, &bytes, key.as_ref()).map_err(bridge::fault("compare the checkpoint"))?;
    if global.json {
        out::json(&remembered)?;
    } else {
        out::text(|out| writeln!(out, "{}: {}", standing(remembered.standing), remembered.what))?;
    }
    Ok(match remembered.standing {
        Standing::Equal | Standing::Prefix => Exit::Done,
        Standing::Newer | Standing::Forked | Standing::Unrelated => Exit::Damaged,
    })
}

fn standing(standing: Standing) -> &'static str {
    match standing {
        Standing::Equal => "equal",
        Standing::Prefix => "prefix",
        Standing::Newer => "newer",
        Standing::Forked => "forked",
        Standing::Unrelated => "unrelated",
    }
}

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
pub(super) fn show_judged(global: &Global, judged: &Judged) -> Result<Exit, Fault> {
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

fn cosign(global: &Global, settings: &Settings, paths: Paths, args: &Cosign) -> Result<Exit, Fault> {
    let bytes = input::file(&args.file, MAX_NOTE)
        .map_err(|e| Fault::new(Exit::Usage, format!("read {}", args.file.display()), &e))?;
    let mut keys: Vec<VerifierKey> = settings.anchor.witnesses.iter().map(|witness| witness.key.clone()).collect();
    keys.extend(args.witness.clone());
    let told = bridge::fault("add the cosignature");
    let open = OpenArchive::open(paths, bridge::choices(settings)?).map_err(&told)?;
    let added = remember::cosign(&open, &bytes, &keys);
    let closed = open.close();
    let added = added.map_err(&told)?;
    closed.map_err(&told)?;
    if global.json {
        out::json(&json!({ "added": added }))?;
    } else {
        out::text(|out| {
            added.iter().try_for_each(|one| {
                let (who, size) = (plain::line(&one.authority), one.size);
                writeln!(out, "{who} vouches for checkpoint {size}: its line stands on ledger/checkpoint now")
            })
        })?;
    }
    Ok(Exit::Done)
}

fn index(global: &Global, settings: &Settings, paths: Paths) -> Result<Exit, Fault> {
    let told = bridge::fault("store the ledger's inner hashes");
    let open = OpenArchive::open(paths, bridge::choices(settings)?).map_err(&told)?;
    let stored = remember::index(&open);
    let closed = open.close();
    let tiles = stored.map_err(&told)?;
    closed.map_err(&told)?;
    if global.json {
        out::json(&json!({ "tiles": tiles }))?;
    } else {
        out::text(|out| {
            writeln!(out, "ledger/nodes has the hashes of {tiles} tiles more; it may be deleted at any time")
        })?;
    }
    Ok(Exit::Done)
}

fn rotate_key(global: &Global, settings: &Settings, paths: Paths) -> Result<Exit, Fault> {
    let told = bridge::fault("change the key");
    let open = OpenArchive::open(paths, bridge::choices(settings)?).map_err(&told)?;
    let rotated = rotate::rotate(open).map_err(&told)?;
    let (old, new) = (rotated.old.to_string(), rotated.new.to_string());
    if global.json {
        out::json(&json!({ "old": old, "new": new, "size": rotated.size }))?;
    } else {
        out::text(|out| {
            writeln!(out, "the ledger goes by a new key from checkpoint {} on; both keys signed that", rotated.size)?;
            writeln!(out, "verifier key until now: {old}")?;
            writeln!(out, "verifier key from now on: {new}")?;
            writeln!(out, "Keep both lines somewhere else, beside each other.")
        })?;
    }
    Ok(Exit::Done)
}
