//! `onrecord daemon`: opens the archive, listens, obeys signals, and closes it again.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use jiff::SignedDuration;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{Notify, mpsc, oneshot, watch};

use super::Global;
use super::bridge;
use super::fault::{Exit, Fault};
use crate::face::config::Settings;
use crate::face::config::flags::NetworkArgs;
use crate::face::daemon::{Desk, router};
use crate::face::out;
use crate::format::digest::Digest;
use crate::work::archive::OpenArchive;
use crate::work::daemon::status::Status;
use crate::work::daemon::{Daemon, Ears, Orders};
use crate::world::doorway::Doorway;
use crate::world::durable::Disk;
use crate::world::wire::Wire;
use crate::world::{keys, memory, steward};

/// systemd is told that all is well only while the loop has shown life so lately.
const LIVELY: SignedDuration = SignedDuration::from_mins(10);

/// What is being answered when the last run is closed is finished within this.
const LAST_ANSWERS: Duration = Duration::from_secs(1);

/// Stops at SIGTERM or Ctrl-C once what is in flight has ended, or after the grace time; reads its settings again at SIGHUP.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    network: NetworkArgs,
}

pub(super) fn run(global: &Global, args: Args) -> Result<Exit, Fault> {
    memory::give_back();
    let settings = super::config::load(global, &args.network)?;
    let told = bridge::fault("run the daemon");
    // Few threads: what waits is mostly the network, and a thread that idles costs memory.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|e| Fault::new(Exit::Failed, "start", &e))?;
    let open = OpenArchive::or_init(bridge::paths(global, &settings), bridge::choices(&settings)?).map_err(&told)?;
    for note in &open.notes {
        tracing::warn!("{note}");
    }
    let status = Arc::new(Status::new(open.tools.clock.clone()));
    let done = runtime.block_on(serve(global, &args.network, &settings, &open, &status));
    drop(runtime);
    let closed = open.close();
    done?;
    closed.map_err(&told)?;
    if global.json {
        out::json(&serde_json::json!({ "runs": status.runs.get(), "interrupted": status.runs_interrupted.get(),
            "missed": status.missed.get(), "statements": status.statements.get() }))?;
    }
    Ok(Exit::Done)
}

async fn serve(
    global: &Global,
    flags: &NetworkArgs,
    settings: &Settings,
    open: &OpenArchive,
    status: &Arc<Status>,
) -> Result<(), Fault> {
    let told = bridge::fault("run the daemon");
    let (say_stop, stop) = watch::channel(false);
    let (say_orders, orders) = mpsc::channel(1);
    let handed_in = Arc::new(Notify::new());
    let first = orders_of(global, settings, open)?;
    let listen = settings.serve.listen;
    let door = Doorway::open(listen).await.map_err(|e| {
        Fault::new(Exit::Failed, format!("listen at {listen}"), &e).hint("set [serve] listen to a free address")
    })?;
    let at = door.at();
    let token = keys::token(&open.paths.root.join("keys/intake.token"), &Disk::default())
        .map_err(|e| Fault::new(Exit::Failed, "read the intake's token", &e))?;
    let desk = Arc::new(Desk {
        status: status.clone(),
        catalogue: open.paths.catalogue(),
        inbox: open.paths.statements(),
        token: Digest::of(token.as_bytes()),
        archive: open.origin.clone(),
        handed_in: handed_in.clone(),
    });
    // The door stays open while what is in flight is finished: whoever watches is told that it is well, and stopping.
    let (say_shut, shut) = oneshot::channel::<()>();
    let answers = tokio::spawn(door.answer(router(desk), async move {
        // A sender that is gone says so too.
        let _ = shut.await;
    }));
    let daemon = Daemon::new(open, first, status.clone(), stop.clone()).map_err(&told)?;
    let grace = settings.schedule.grace.0;
    // Listened for before anyone is told that it is ready: a signal that comes right then must not end the process.
    let (ends, hangup) = (Ends::listen()?, signal(SignalKind::hangup()).map_err(deaf)?);
    tokio::spawn(until_told(ends, say_stop, status.clone(), grace));
    tokio::spawn(watchdog(status.clone()));
    tracing::info!(%at, archive = %open.paths.root.display(), "daemon ready");
    steward::ready(&format!("listening at {at}"));
    let ears = Ears { stop, orders, handed_in };
    let reload = reloads(hangup, (global, flags), open, status, say_orders);
    let done = tokio::select! {
        done = daemon.run(ears) => done,
        () = reload => Ok(()),
    };
    let _ = say_shut.send(());
    let stopped = answers.abort_handle();
    if tokio::time::timeout(LAST_ANSWERS, answers).await.is_err() {
        stopped.abort();
    }
    tracing::info!("daemon stopped");
    done.map_err(&told)
}

fn orders_of(global: &Global, settings: &Settings, open: &OpenArchive) -> Result<Orders, Fault> {
    let wire = Wire::new(bridge::network(settings), open.tools.clock.clone())
        .map_err(|e| bridge::fault("set up the network")(e.into()))?;
    bridge::orders(global, settings, wire)
}

fn deaf(error: std::io::Error) -> Fault {
    Fault::new(Exit::Failed, "listen for signals", &error)
}

/// SIGTERM and Ctrl-C.
struct Ends {
    terminate: Signal,
    interrupt: Signal,
}

impl Ends {
    fn listen() -> Result<Self, Fault> {
        let terminate = signal(SignalKind::terminate()).map_err(deaf)?;
        let interrupt = signal(SignalKind::interrupt()).map_err(deaf)?;
        Ok(Self { terminate, interrupt })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// Says stop at the first SIGTERM or Ctrl-C; the second ends the process at once.
async fn until_told(mut ends: Ends, say: watch::Sender<bool>, status: Arc<Status>, grace: Duration) {
    ends.next().await;
    status.stopping.store(true, Ordering::Relaxed);
    tracing::info!("stopping: what is in flight is finished first, for at most {grace:?}; once more to stop at once");
    steward::stopping(grace + Duration::from_secs(10));
    // Nobody listens once the daemon is gone.
    let _ = say.send(true);
    ends.next().await;
    std::process::exit(i32::from(Exit::Interrupted as u8));
}

/// Reads the settings anew at every SIGHUP. Settings that cannot be taken leave the old ones in force. It never ends.
async fn reloads(
    mut hangup: Signal,
    (global, flags): (&Global, &NetworkArgs),
    open: &OpenArchive,
    status: &Arc<Status>,
    say: mpsc::Sender<Orders>,
) {
    while hangup.recv().await.is_some() {
        steward::reloading();
        match super::config::load(global, flags).and_then(|settings| orders_of(global, &settings, open)) {
            Ok(orders) => {
                status.reloads.up();
                tracing::info!("settings read anew");
                let _ = say.send(orders).await;
            }
            Err(fault) => {
                status.reloads_failed.up();
                status.trouble(format!("the old settings stay in force: {}", fault.message()));
            }
        }
        steward::ready("settings read anew");
    }
    std::future::pending().await
}

/// Tells systemd that all is well as long as it is.
async fn watchdog(status: Arc<Status>) {
    let Some(every) = steward::watchdog() else { return };
    loop {
        tokio::time::sleep(every).await;
        let beat = status.beat.get();
        if beat.is_some_and(|beat| status.clock.now().duration_since(beat) < LIVELY) {
            steward::well();
        }
    }
}
