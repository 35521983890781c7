//! `onrecord anchor`: the checkpoint is shown to everyone named in the settings or by a flag, now.

use std::path::PathBuf;

use url::Url;

use super::Global;
use super::bridge;
use super::fault::{Exit, Fault};
use crate::face::config::Settings;
use crate::face::config::flags::NetworkArgs;
use crate::face::config::value::{Period, flag};
use crate::face::{out, report};
use crate::work::anchor::Anchors;
use crate::work::archive::OpenArchive;
use crate::work::attest;
use crate::work::parts::Paths;
use crate::world::durable::Disk;
use crate::world::services::node::{self, Headers};
use crate::world::store::Store;

/// Exit 0 where anyone gave anything or nothing is left to ask for, 1 where everyone who was asked failed.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A timestamp authority (RFC 3161), instead of those in the settings (repeatable)
    #[arg(long, value_name = "URL", value_parser = flag::<Url>)]
    tsa: Vec<Url>,

    /// PEM file with the roots that authorities are believed by (repeatable)
    #[arg(long, value_name = "FILE")]
    tsa_roots: Vec<PathBuf>,

    /// An OpenTimestamps calendar, instead of those in the settings (repeatable)
    #[arg(long, value_name = "URL", value_parser = flag::<Url>)]
    calendar: Vec<Url>,

    /// Block headers to confirm proofs with: a file of "HEIGHT HEX" lines, or a node's URL
    #[arg(long, value_name = "FILE|URL")]
    bitcoin_headers: Option<String>,

    /// Trust the certificates in this PEM file too (repeatable)
    #[arg(long, value_name = "FILE")]
    ca_cert: Vec<PathBuf>,

    /// Bound on one whole exchange
    #[arg(long, value_name = "SECONDS", value_parser = flag::<Period>)]
    timeout: Option<Period>,
}

pub(super) fn run(global: &Global, args: Args) -> Result<Exit, Fault> {
    let flags = NetworkArgs { timeout: args.timeout, ca_cert: args.ca_cert, ..NetworkArgs::default() };
    let mut settings = super::config::load(global, &flags)?;
    let here = std::env::current_dir().unwrap_or_default();
    replace(&mut settings.anchor.tsa, args.tsa);
    replace(&mut settings.anchor.tsa_roots, args.tsa_roots);
    replace(&mut settings.anchor.calendars, args.calendar);
    if let Some(named) = args.bitcoin_headers {
        let is_url = named.starts_with("http://") || named.starts_with("https://");
        settings.anchor.bitcoin_headers = if is_url { named } else { here.join(named).display().to_string() };
    }
    if settings.network.offline {
        return Err(Fault::plain(Exit::Usage, "failed to anchor: the network is off by the settings")
            .hint("unset offline in [network]; without anchors the archive vouches for itself alone"));
    }
    headers(&settings)?;
    let asking = bridge::asking(&settings)?;
    let told = bridge::fault("anchor");
    let paths = bridge::paths(global, &settings);
    if asking.settings.is_empty() && !(asking.settings.headers.is_some() && has_proofs(&paths)) {
        let unasked = Anchors::new(&paths.ledger(), asking.settings.clone(), asking.services.clone(), Disk::default())
            .unasked()
            .map_err(|e| told(e.into()))?;
        let hint = match unasked.as_slice() {
            [] => {
                "name someone with --tsa and --tsa-roots, with --calendar, or in [anchor] of onrecord.toml".to_owned()
            }
            some => format!("proofs are pending; {}", report::whom_to_name(some)),
        };
        return Err(Fault::plain(Exit::Usage, "failed to anchor: nobody is named").hint(hint));
    }
    let runtime = super::run::runtime()?;
    let open = OpenArchive::open(paths, bridge::choices(&settings)?).map_err(&told)?;
    for note in &open.notes {
        tracing::warn!("{note}");
    }
    let attested = runtime.block_on(attest::attest(&open, &asking));
    drop(runtime);
    let closed = open.close();
    let attested = attested.map_err(&told)?;
    closed.map_err(&told)?;
    if global.json {
        out::json(&attested)?;
    } else {
        out::text(|out| report::anchors(out, &attested))?;
    }
    let nobody = attested.added.is_empty() && !attested.failed.is_empty();
    Ok(if nobody { Exit::Failed } else { Exit::Done })
}

/// Block headers in a file must be some: with none of them nothing would ever be confirmed.
fn headers(settings: &Settings) -> Result<(), Fault> {
    let Some(Headers::File(path)) = bridge::headers(settings) else { return Ok(()) };
    let doing = format!("read the block headers in {}", path.display());
    let hint = "expected lines of a height and a header of 160 hex digits, or a node's URL";
    match node::all(&path) {
        Ok(known) if known.is_empty() => {
            Err(Fault::plain(Exit::Usage, format!("failed to {doing}: none stands there")).hint(hint))
        }
        Ok(_) => Ok(()),
        Err(e) => Err(Fault::new(Exit::Usage, doing, &e).hint(hint)),
    }
}

/// Whether there are proofs that block headers may confirm.
fn has_proofs(paths: &Paths) -> bool {
    let anchors = Store::open_read(&paths.catalogue()).and_then(|store| store.anchors());
    anchors.is_ok_and(|anchors| anchors.iter().any(|anchor| anchor.state == "unchecked"))
}

fn replace<T>(setting: &mut Vec<T>, flags: Vec<T>) {
    if !flags.is_empty() {
        *setting = flags;
    }
}
