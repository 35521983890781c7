//! The loopback copy of the platforms: real HTTP and real TLS on 127.0.0.1, every byte decided here.
//!
//! ```no_run
//! # fn main() -> std::io::Result<()> {
//! let replica = onrecord_replica::Replica::start_blocking(onrecord_replica::Options::default())?;
//! std::fs::write("ca.pem", replica.ca_pem())?;
//! for rule in replica.connect_to() {
//!     println!("curl --cacert ca.pem --connect-to {rule} https://t.co/AEoFZOhI3p");
//! }
//! # Ok(()) }
//! ```
//!
//! | room | what is in it |
//! | --- | --- |
//! | [`world`] | everything the replica knows and can be told: posts, pages, codes, captures, switches, outages |
//! | [`post`] | posts as platforms hold them, and [`post::NewPost`] to add one |
//! | [`reply`], [`request`] | what goes out, to the byte; what came in |
//! | [`hosts`] | one file a platform |
//! | [`server`] | the listeners, and the log of what was served |
//! | [`calendar`], [`pixels`] | dates and ids; small real files |

pub mod calendar;
mod cast;
mod demo;
mod fixtures;
pub mod hosts;
pub mod pixels;
pub mod post;
pub mod reply;
pub mod request;
pub mod server;
pub mod tls;
mod transactions;
pub mod world;

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket};
use tokio::runtime::Runtime;
use tokio::task::AbortHandle;

use crate::reply::Answer;
use crate::server::{Served, Shared};
use crate::world::{Outage, Switches, World};

/// How a replica starts; all of it but the ports can be changed while it runs ([`Replica::set`]).
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The plain port; 0 takes a free one.
    pub http_port: u16,
    /// The TLS port; 0 takes a free one.
    pub https_port: u16,
    /// What is answered where platforms differ or nobody knows.
    pub switches: Switches,
    /// Every response waits so long first.
    pub latency: Duration,
    /// What is deleted: URLs without their scheme (`asiatimes.com/2019/…`), or posts (`x:1138…`).
    pub gone: Vec<String>,
    /// Hosts that fail, and how.
    pub outages: Vec<(String, Outage)>,
}

/// A running replica. It stops when dropped.
pub struct Replica {
    shared: Arc<Shared>,
    http: SocketAddr,
    https: SocketAddr,
    tasks: Vec<AbortHandle>,
    runtime: Option<Runtime>,
    closed: (TcpSocket, SocketAddr),
}

impl Replica {
    /// Starts on the current runtime.
    pub async fn start(options: Options) -> io::Result<Replica> {
        let plain = TcpListener::bind(("127.0.0.1", options.http_port)).await?;
        let secure = TcpListener::bind(("127.0.0.1", options.https_port)).await?;
        let (http, https) = (plain.local_addr()?, secure.local_addr()?);
        let shared = Arc::new(Shared::new(World::new(&options))?);
        let tasks = vec![
            tokio::spawn(server::listen(plain, Arc::clone(&shared), false)).abort_handle(),
            tokio::spawn(server::listen(secure, Arc::clone(&shared), true)).abort_handle(),
        ];
        Ok(Replica { shared, http, https, tasks, runtime: None, closed: server::closed_port()? })
    }

    /// Starts on a runtime of its own, for callers that have none.
    pub fn start_blocking(options: Options) -> io::Result<Replica> {
        // On a thread of its own, so that it also works where a runtime is running already.
        let started = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .worker_threads(2)
                .thread_name("replica")
                .enable_all()
                .build()?;
            let mut replica = runtime.block_on(Replica::start(options))?;
            replica.runtime = Some(runtime);
            Ok(replica)
        });
        started.join().unwrap_or_else(|_| Err(io::Error::other("the replica's thread did not start")))
    }

    /// Where plain HTTP is.
    pub fn http_addr(&self) -> SocketAddr {
        self.http
    }

    /// Where TLS is.
    pub fn https_addr(&self) -> SocketAddr {
        self.https
    }

    /// Rules for `--connect-to` that bring every host here, those that refuse or do not exist first.
    pub fn connect_to(&self) -> Vec<String> {
        let mut rules = Vec::new();
        self.set(|world| {
            for (host, outage) in &world.outages {
                match outage {
                    Outage::Refuse => rules.push(format!("{host}::127.0.0.1:{}", self.closed.1.port())),
                    Outage::NoSuchHost => rules.push(format!("{host}::no-such-host.invalid:")),
                    _ => {}
                }
            }
        });
        rules.push(format!(":80:127.0.0.1:{}", self.http.port()));
        rules.push(format!(":443:127.0.0.1:{}", self.https.port()));
        rules
    }

    /// The certificate of the replica's authority.
    pub fn ca_pem(&self) -> &str {
        self.shared.authority.pem()
    }

    /// Every exchange so far, in the order in which the answers began.
    pub fn log(&self) -> Vec<Served> {
        self.shared.log.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Forgets the log and the greatest number in flight.
    pub fn clear_log(&self) {
        self.shared.log.lock().unwrap_or_else(PoisonError::into_inner).clear();
        self.shared.in_flight_max.store(0, Ordering::SeqCst);
    }

    /// The most requests that were being answered at one moment.
    pub fn in_flight_max(&self) -> usize {
        self.shared.in_flight_max.load(Ordering::SeqCst)
    }

    /// How many connections were taken.
    pub fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }

    /// Changes the world, or looks at it, between two answers.
    pub fn set<T>(&self, change: impl FnOnce(&mut World) -> T) -> T {
        change(&mut self.shared.world.write().unwrap_or_else(PoisonError::into_inner))
    }

    /// Answers this host and target (with its query, or the path alone for any query) like this from now on.
    pub fn route(&self, host: &str, target: &str, answer: impl Into<Answer>) {
        self.set(|world| world.route(host, target, answer));
    }
}

impl Drop for Replica {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
