//! `onrecord ledger`: the checkpoint, proofs of records, remembered checkpoints, cosignatures, a change of the key.

use std::path::{Path, PathBuf};

use serde_json::json;

use super::Global;
use super::bridge;
use super::bundle;
use super::fault::{Exit, Fault};
use crate::face::config::Settings;
use crate::face::config::flags::NetworkArgs;
use crate::face::{out, plain};
use crate::format::note::VerifierKey;
use crate::proof::Standing;
use crate::work::archive::OpenArchive;
use crate::work::parts::Paths;
use crate::work::prove;
use crate::work::{remember, rotate};
use crate::world::durable::Disk;
use crate::world::input::{self, Spot};

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
    args.output.as_deref().map(|path| free(path, paths)).transpose()?;
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
            if args.tlog_proof {
                writeln!(
                    out,
                    "any verifier of C2SP tlog-proofs checks it; onrecord checks the whole bundle: onrecord ledger prove {} \
                     -o FILE, then onrecord ledger check FILE --key VKEY-FILE",
                    args.id
                )
            } else {
                writeln!(out, "anyone can check it: onrecord ledger check {} --key VKEY-FILE", path.display())
            }
        })?;
    }
    Ok(Exit::Done)
}

/// A proof is written where nothing is, and outside the archive: nothing in there is anyone else's to change.
fn free(path: &Path, paths: &Paths) -> Result<(), Fault> {
    let doing = || format!("write {}", path.display());
    match input::spot(path, &paths.root).map_err(|e| Fault::new(Exit::Usage, doing(), &e))? {
        Spot::Free => Ok(()),
        Spot::Taken => Err(Fault::plain(Exit::Usage, format!("failed to {}: it is there already", doing()))
            .hint("name a new file, or move that one away")),
        Spot::Inside => Err(Fault::plain(Exit::Usage, format!("failed to {}: it is inside the archive", doing()))
            .hint("name a file outside of it")),
    }
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
    let key = args.key.as_deref().map(bridge::key).transpose()?;
    if bytes.first() == Some(&b'{') {
        let judged = bundle::judge(&settings, &bytes, key.or_else(|| bundle::own_key(paths)))?;
        return bundle::show(global, &judged);
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
