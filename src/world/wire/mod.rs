//! The wire that is evidence: asks one thing at a time of one host, and keeps the exact bytes of question and answer.
//!
//! One [`Wire`] serves any number of tasks at once. Bounds, in [`Settings`]: exchanges at once, in all and with one host; the
//! time of a whole exchange; bytes of heads, of a body, in memory, in the reading copy. Proxies of the environment are not
//! looked at. Every address passes the guard before it is connected to, and is connected to as it was judged: a name is
//! asked once an exchange, so an answer that changes in between changes nothing.

pub mod names;
pub mod settings;
pub mod taken;
pub mod tls;

mod ask;
mod connect;
mod exchange;
mod hosts;
mod stream;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use rustls::ClientConfig;
use rustls_pki_types::CertificateDer;
use tokio::sync::Semaphore;
use url::Url;

use crate::format::http::{Method, Request};
use crate::resolution::exchange::Failure;
use crate::world::clock::{Clock, Stopwatch};
use crate::world::guard::Guard;
use crate::world::manners;
use crate::world::wire::connect::{NoLine, Route};
use crate::world::wire::exchange::{Ended, Live, Stop};
use crate::world::wire::hosts::{Host, Hosts, Line};
use crate::world::wire::names::{Names, NoAddress, SystemNames};
use crate::world::wire::settings::Settings;
use crate::world::wire::taken::{Connection, DnsAnswer, Overflow, Received, Taken, TextAnswer};

/// Idle connections kept where no more exchanges at once are allowed than this.
const MOST_IDLE: usize = 32;

/// The capture client. Clones share connections, limits and sessions.
#[derive(Clone)]
pub struct Wire(Arc<Inner>);

struct Inner {
    settings: Settings,
    clock: Clock,
    guard: Guard,
    names: Box<dyn Names>,
    extra: Vec<CertificateDer<'static>>,
    tls: std::sync::OnceLock<Arc<ClientConfig>>,
    hosts: Hosts,
    permits: Semaphore,
    connections: AtomicU64,
}

impl Wire {
    /// A wire that asks the name server of the settings, else the system's.
    ///
    /// # Errors
    /// A file of trusted certificates that cannot be read or holds none.
    pub fn new(settings: Settings, clock: Clock) -> Result<Self, tls::Error> {
        let names = Box::new(match settings.name_server {
            Some(server) => SystemNames::of(server, clock.clone()),
            None => SystemNames::new(clock.clone()),
        });
        Self::with_names(settings, clock, names)
    }

    /// A wire that asks `names` instead.
    ///
    /// # Errors
    /// As [`Wire::new`].
    pub fn with_names(settings: Settings, clock: Clock, names: Box<dyn Names>) -> Result<Self, tls::Error> {
        let mut extra = Vec::new();
        for path in &settings.ca_certs {
            extra.extend(tls::read_ca(path)?);
        }
        Ok(Self(Arc::new(Inner {
            guard: Guard::new(settings.allow_net.clone()),
            hosts: Hosts::new(settings.per_host, settings.concurrency.max(MOST_IDLE), settings.idle),
            permits: Semaphore::new(settings.concurrency.max(1)),
            tls: std::sync::OnceLock::new(),
            connections: AtomicU64::new(0),
            settings,
            clock,
            names,
            extra,
        })))
    }

    /// What it calls itself.
    pub fn user_agent(&self) -> &str {
        &self.0.settings.user_agent
    }

    /// Makes one exchange, whatever comes of it; waits for its turn first. Asking again is [`manners::again`]'s decision and the
    /// caller's loop, so that every try is an exchange of its own.
    pub async fn fetch(&self, request: &Request, overflow: Option<&mut dyn Overflow>) -> Taken {
        let inner = &*self.0;
        match inner.admit(request) {
            Ok(bytes) => inner.take_turn(request, bytes, overflow).await,
            Err(failure) => inner.nothing(request, failure),
        }
    }
}

impl Wire {
    /// The texts that a name publishes.
    ///
    /// # Errors
    /// There are none, or nobody says.
    pub async fn texts(&self, name: &str) -> Result<TextAnswer, NoAddress> {
        let inner = &*self.0;
        if inner.settings.offline {
            return Err(NoAddress::Unanswered("asking nobody: offline".to_owned()));
        }
        let timeout = tokio::time::timeout(inner.settings.timeout, inner.names.texts(name));
        timeout.await.unwrap_or_else(|_| Err(NoAddress::Unanswered("name servers: no answer in time".to_owned())))
    }

    /// Whether it asks nobody.
    pub fn is_offline(&self) -> bool {
        self.0.settings.offline
    }
}

impl Inner {
    /// What can be said without the network.
    fn admit(&self, request: &Request) -> Result<Vec<u8>, Failure> {
        if self.settings.offline {
            return Err(Failure::Offline);
        }
        self.guard.url(&request.url).map_err(|why| Failure::Refused(why.to_string()))?;
        ask::bytes(request, &self.settings.user_agent)
    }

    /// Waits until the host, and then the wire, has room, and asks.
    async fn take_turn(&self, request: &Request, bytes: Vec<u8>, overflow: Option<&mut dyn Overflow>) -> Taken {
        let host = self.hosts.get(request.url.host_str().unwrap_or_default(), &self.clock);
        // The host's turn first, so that many requests to one slow host do not hold the places of all others.
        let _host = host.permits.acquire().await;
        let mut turn = Turn::new(self, request, &host);
        let mut live = Live::new(&self.settings, request.method, bytes, overflow);
        let way = match turn.prepare().await {
            Ok(way) => way,
            Err(no_line) => return self.failed(request, turn, live, no_line),
        };
        let _all = self.permits.acquire().await;
        turn.begin();
        let run = tokio::time::timeout(self.settings.timeout, turn.run(way, &mut live)).await;
        match run.unwrap_or(Ok(Stop::Timeout)) {
            Ok(stop) => self.finish(request, turn, live.end(stop)),
            Err(no_line) => self.failed(request, turn, live, no_line),
        }
    }

    fn finish(&self, request: &Request, mut turn: Turn<'_>, ended: Ended) -> Taken {
        if let Ok(answer) = &ended.outcome
            && let Some(then) = manners::host_is_closed_until(answer, turn.at)
            && !turn.loopback
        {
            turn.host.close_until(then);
        }
        let (connection, first) = match turn.line.take() {
            Some(mut line) => {
                let first = !std::mem::replace(&mut line.used, true);
                let facts = Arc::clone(&line.facts);
                if ended.reusable {
                    self.hosts.keep(turn.host, turn.https, turn.port, line, self.clock.start());
                }
                (Some(facts), first)
            }
            None => (turn.failed_facts.take(), true),
        };
        let dns = connection.as_ref().and_then(|connection| connection.dns.clone()).or(turn.dns);
        Taken {
            request: request.clone(),
            dns,
            at: turn.at,
            ms: u64::try_from(turn.watch.elapsed().as_millis()).unwrap_or(u64::MAX),
            connection,
            first_use_of_connection: first,
            sent: ended.sent,
            interim: ended.interim,
            received: ended.received,
            surplus: ended.surplus,
            odd: ended.odd,
            outcome: ended.outcome,
            payload: ended.payload,
            payload_len: ended.payload_len,
            block: ended.block,
            chunked: ended.chunked,
            truncated: ended.truncated,
            overflow_error: ended.overflow_error,
            replaced_stale: turn.replaced_stale,
        }
    }

    fn failed(&self, request: &Request, mut turn: Turn<'_>, live: Live<'_, '_>, no_line: NoLine) -> Taken {
        turn.failed_facts = no_line.facts;
        turn.dns = turn.dns.or(no_line.dns);
        let mut ended = live.end(Stop::Closed(None));
        ended.outcome = Err(no_line.failure);
        self.finish(request, turn, ended)
    }

    /// An exchange that did not begin.
    fn nothing(&self, request: &Request, failure: Failure) -> Taken {
        Taken {
            request: request.clone(),
            at: self.clock.now(),
            ms: 0,
            connection: None,
            dns: None,
            first_use_of_connection: false,
            sent: Vec::new(),
            interim: Vec::new(),
            received: Received::Nothing,
            surplus: Vec::new(),
            odd: Default::default(),
            outcome: Err(failure),
            payload: None,
            payload_len: 0,
            block: None,
            chunked: false,
            truncated: None,
            overflow_error: None,
            replaced_stale: false,
        }
    }

    fn next_id(&self) -> u64 {
        self.connections.fetch_add(1, Ordering::Relaxed)
    }

    /// The TLS configuration, made when it is first needed: reading the system's roots takes longer than a run without https.
    fn tls(&self) -> Result<Arc<ClientConfig>, tls::Error> {
        if let Some(config) = self.tls.get() {
            return Ok(Arc::clone(config));
        }
        let made = tls::config(&self.extra, self.clock.clone())?;
        Ok(Arc::clone(self.tls.get_or_init(|| made)))
    }
}

/// One exchange's turn with its host.
struct Turn<'a> {
    wire: &'a Inner,
    url: &'a Url,
    host: &'a Host,
    idempotent: bool,
    https: bool,
    port: u16,
    at: Timestamp,
    watch: Stopwatch,
    loopback: bool,
    line: Option<Line>,
    failed_facts: Option<Arc<Connection>>,
    dns: Option<Arc<DnsAnswer>>,
    replaced_stale: bool,
}

/// How the host will be reached.
enum Way {
    /// over a connection that is open, in [`Turn::line`]
    Open,
    /// over a new one
    New(Route),
}

impl<'a> Turn<'a> {
    fn new(wire: &'a Inner, request: &'a Request, host: &'a Host) -> Self {
        Self {
            wire,
            url: &request.url,
            host,
            idempotent: request.method != Method::Post,
            https: request.url.scheme() == "https",
            port: request.url.port_or_known_default().unwrap_or_default(),
            at: wire.clock.now(),
            watch: wire.clock.start(),
            loopback: false,
            line: None,
            failed_facts: None,
            dns: None,
            replaced_stale: false,
        }
    }

    /// Finds the way, and waits as long as manners ask. None of this counts towards the exchange's time.
    async fn prepare(&mut self) -> Result<Way, NoLine> {
        let way = self.way().await?;
        if !self.loopback {
            self.wait_until_open().await?;
            self.keep_pace().await;
        }
        Ok(way)
    }

    async fn way(&mut self) -> Result<Way, NoLine> {
        if let Some(line) = self.wire.hosts.reuse(self.host, self.https, self.port) {
            self.loopback = line.facts.remote.ip().is_loopback();
            self.line = Some(line);
            return Ok(Way::Open);
        }
        let limit = self.wire.settings.timeout;
        let route = tokio::time::timeout(limit, self.wire.route(self.url)).await;
        let route = route.unwrap_or_else(|_| Err(Failure::Timeout("name servers did not answer".to_owned()).into()))?;
        self.dns = route.dns.clone();
        self.loopback = route.is_loopback();
        Ok(Way::New(route))
    }

    async fn wait_until_open(&self) -> Result<(), NoLine> {
        if let Some(then) = self.host.closed_until() {
            let wait = self.wire.clock.until(then);
            if wait > manners::LONGEST_WAIT {
                return Err(Failure::RateLimited(then).into());
            }
            tokio::time::sleep(wait).await;
        }
        Ok(())
    }

    async fn keep_pace(&self) {
        if !self.wire.settings.rates {
            return;
        }
        let host = self.url.host_str().unwrap_or_default();
        let Some((counter, rate)) = manners::usual_rate(host, self.url.path()) else { return };
        let pace = self.host.pace(counter, rate);
        while let Err(wait) = pace.take() {
            tokio::time::sleep(wait.max(Duration::from_millis(1))).await;
        }
    }

    /// The exchange's time begins here.
    fn begin(&mut self) {
        self.at = self.wire.clock.now();
        self.watch = self.wire.clock.start();
    }

    async fn run(&mut self, way: Way, live: &mut Live<'_, '_>) -> Result<Stop, NoLine> {
        if let Way::New(route) = way {
            self.line = Some(self.wire.connect(self.url, &route).await?);
        }
        let Some(line) = self.line.as_mut() else { return Ok(Stop::Closed(None)) };
        let stop = live.drive(&mut line.stream).await;
        if !(line.used && self.idempotent && matches!(stop, Stop::Closed(_)) && live.is_unanswered()) {
            return Ok(stop);
        }
        // The peer closed a kept-alive connection just as it was used again (RFC 9112 §9.3.1): once more on a new one.
        self.replaced_stale = true;
        self.line = None;
        live.rewind();
        let route = self.wire.route(self.url).await?;
        let line = self.line.insert(self.wire.connect(self.url, &route).await?);
        Ok(live.drive(&mut line.stream).await)
    }
}
