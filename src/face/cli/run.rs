//! `onrecord run`: one archival run over statements, or over all that is due.

use std::path::Path;
use std::sync::Arc;

use tokio::sync::watch;
use url::Url;

use super::Global;
use super::bridge;
use super::fault::{Exit, Fault};
use crate::face::config::Settings;
use crate::face::config::flags::NetworkArgs;
use crate::face::progress::{Manner, Progress};
use crate::face::{out, report};
use crate::statement::Hint;
use crate::work::archive::OpenArchive;
use crate::work::attest::{self, Asking};
use crate::work::errand::{Done, Errand, Input, MAX_STATEMENT};
use crate::work::statements::Handed;
use crate::world::wire::Wire;
use crate::world::{input, memory, terminal};

/// Without a statement: whatever is new in the inbox, and every citation that is due again.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Statements: files, addresses of pages, or - for standard input
    #[arg(value_name = "FILE|URL|-")]
    statements: Vec<String>,

    /// Exit with 4 unless every citation was captured
    #[arg(long)]
    strict: bool,

    /// Ask t.co a second time, as a browser, and note what differs
    #[arg(long)]
    both_views: bool,

    #[command(flatten)]
    network: NetworkArgs,
}

pub(super) fn run(global: &Global, args: Args) -> Result<Exit, Fault> {
    memory::give_back();
    let mut settings = super::config::load(global, &args.network)?;
    settings.capture.both_views |= args.both_views;
    let inputs = args.statements.iter().map(|name| handed(name)).collect::<Result<Vec<_>, _>>()?;
    let done = over(global, &settings, (!inputs.is_empty()).then_some(inputs))?;
    show(global, &done)?;
    Ok(exit(&done, args.strict))
}

/// Opens the archive, runs, and closes it again.
pub(super) fn over(global: &Global, settings: &Settings, inputs: Option<Vec<Input>>) -> Result<Done, Fault> {
    let told = bridge::fault("run");
    let asking = bridge::asking_someone(settings)?;
    let runtime = runtime()?;
    // What is wrong with them is told before anything is written.
    bridge::certificates(&settings.network.ca_cert)?;
    let open = OpenArchive::or_init(bridge::paths(global, settings), bridge::choices(settings)?).map_err(&told)?;
    for note in &open.notes {
        tracing::warn!("{note}");
    }
    let wire = {
        let _entered = runtime.enter();
        Wire::new(bridge::network(settings), open.tools.clock.clone()).map_err(|e| told(e.into()))?
    };
    let progress: Arc<Progress> = Arc::new(Progress::new(Manner::fitting(global.quiet, global.verbose)));
    let errand = Errand { open: &open, wire, manner: bridge::manner(settings)?, watch: progress };
    let done = runtime.block_on(async {
        let stop = on_interrupt();
        let mut done = match inputs {
            Some(inputs) => errand.over(inputs, stop).await,
            None => errand.due(stop).await,
        }?;
        if let Some(asking) = asking.as_ref().filter(|_| !done.interrupted) {
            anchor(&open, asking, &mut done).await;
        }
        Ok(done)
    });
    // Tasks that were cut short let go of the archive before it is closed.
    drop(runtime);
    let closed = open.close();
    let done = done.map_err(&told)?;
    closed.map_err(&told)?;
    Ok(done)
}

/// Shows the checkpoint to those named in the settings. What the run did is sealed already, whatever comes of this.
async fn anchor(open: &OpenArchive, asking: &Asking, done: &mut Done) {
    match attest::attest(open, asking).await {
        Ok(attested) => done.outcome.anchors = Some(attested),
        Err(fault) => tracing::warn!("no anchor was added: {}", super::fault::chain(&fault)),
    }
}

/// What is printed at the end.
pub(super) fn show(global: &Global, done: &Done) -> Result<(), Fault> {
    for (source, why) in &done.unreadable {
        if is_nothing_read(done) {
            Fault::plain(Exit::Usage, format!("failed to read the statement {source}: {why}"))
                .hint("its bytes are kept all the same; hand in a document with words in it")
                .print();
        } else {
            tracing::warn!("{source} is not read: {why}; its bytes are kept all the same");
        }
    }
    if global.json {
        out::json(&done.outcome)
    } else {
        out::text(|out| {
            report::run(out, &done.outcome, terminal::width())?;
            done.outcome.anchors.iter().try_for_each(|attested| report::anchors(out, attested))
        })
    }
}

/// Whether there were statements, and words in none of them.
fn is_nothing_read(done: &Done) -> bool {
    !done.unreadable.is_empty() && done.unreadable.len() >= done.outcome.statements.len()
}

pub(super) fn exit(done: &Done, strict: bool) -> Exit {
    if done.interrupted {
        Exit::Interrupted
    } else if is_nothing_read(done) {
        Exit::Usage
    } else if strict && !done.outcome.is_all_kept() {
        let counts = &done.outcome.counts;
        tracing::warn!("--strict: of {} citations planned {} were captured", counts.planned, counts.kept);
        Exit::Weaker
    } else {
        Exit::Done
    }
}

pub(super) fn runtime() -> Result<tokio::runtime::Runtime, Fault> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(|e| Fault::new(Exit::Failed, "start", &e))
}

/// Becomes true at the first Ctrl-C or SIGTERM; a second one ends the process at once.
fn on_interrupt() -> watch::Receiver<bool> {
    let (say, stop) = watch::channel(false);
    tokio::spawn(async move {
        signalled().await;
        tracing::warn!("stopping: what is in flight is finished first; once more to stop at once");
        // Nobody listens once the run is over.
        let _ = say.send(true);
        signalled().await;
        std::process::exit(i32::from(Exit::Interrupted as u8));
    });
    stop
}

async fn signalled() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
        }
        Err(_) => {
            let _ = tokio::signal::ctrl_c().await;
        }
    }
}

pub(super) fn handed(name: &str) -> Result<Input, Fault> {
    if name == "-" {
        let bytes = input::standard(MAX_STATEMENT).map_err(|e| refused("standard input", &e))?;
        return document("-", bytes);
    }
    if (name.starts_with("http://") || name.starts_with("https://")) && !Path::new(name).exists() {
        let url = Url::parse(name).map_err(|e| {
            Fault::new(Exit::Usage, format!("read the address {name}"), &e).hint("expected http:// or https://")
        })?;
        return Ok(Input::Page(url));
    }
    let bytes = input::file(Path::new(name), MAX_STATEMENT).map_err(|e| refused(name, &e))?;
    document(name, bytes)
}

fn document(source: &str, bytes: Vec<u8>) -> Result<Input, Fault> {
    if bytes.is_empty() {
        return Err(Fault::plain(Exit::Usage, format!("failed to read the statement {source}: it is empty"))
            .hint("hand in a document: text, HTML, Markdown, e-mail, PDF, JSON or CSV"));
    }
    Ok(Input::Document(Handed { bytes, hint: Hint { source: source.to_owned(), content_type: None }, fetched: None }))
}

fn refused(source: &str, error: &input::InputError) -> Fault {
    Fault::new(Exit::Usage, format!("read the statement {source}"), error)
        .hint("expected a file, an address, or - for standard input")
}
