//! The two listeners, and every connection from its first byte to its last.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use sha2::{Digest, Sha256};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::LazyConfigAcceptor;

use crate::reply::{Piece, RawResponse, Then};
use crate::request::{self, Request};
use crate::tls::Authority;
use crate::world::{Outage, World};

/// One exchange, as it stood on the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Served {
    /// Which connection, counted from one.
    pub connection: usize,
    /// The host asked for.
    pub host: String,
    /// The method.
    pub method: String,
    /// The target as sent.
    pub target: String,
    /// The User-Agent, or nothing.
    pub user_agent: String,
    /// Whether it came over TLS.
    pub tls: bool,
    /// The status answered; 0 where no head was sent.
    pub status: u16,
    /// SHA-256 of the request's head and body.
    pub request_sha256: [u8; 32],
    /// How many bytes those are.
    pub request_length: u64,
    /// SHA-256 of everything put on the wire in answer: heads, framing, body.
    pub response_sha256: [u8; 32],
    /// How many bytes those are.
    pub response_length: u64,
    /// SHA-256 of the same without the interim (1xx) heads before it.
    pub final_sha256: [u8; 32],
    /// How many bytes the interim heads are.
    pub interim_length: u64,
}

impl Served {
    /// The URL asked for.
    pub fn url(&self) -> String {
        format!("{}://{}{}", if self.tls { "https" } else { "http" }, self.host, self.target)
    }
}

/// What the listeners and every connection share.
pub(crate) struct Shared {
    pub(crate) world: RwLock<World>,
    pub(crate) authority: Authority,
    pub(crate) log: Mutex<Vec<Served>>,
    pub(crate) in_flight: AtomicUsize,
    pub(crate) in_flight_max: AtomicUsize,
    pub(crate) connections: AtomicUsize,
}

impl Shared {
    pub(crate) fn new(world: World) -> io::Result<Shared> {
        Ok(Shared {
            world: RwLock::new(world),
            authority: Authority::new()?,
            log: Mutex::default(),
            in_flight: AtomicUsize::new(0),
            in_flight_max: AtomicUsize::new(0),
            connections: AtomicUsize::new(0),
        })
    }

    fn read<T>(&self, look: impl FnOnce(&World) -> T) -> T {
        look(&self.world.read().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Takes connections until it is aborted; its connections end with it.
pub(crate) async fn listen(listener: TcpListener, shared: Arc<Shared>, tls: bool) {
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        let Ok((stream, _)) = listener.accept().await else {
            // Out of descriptors, most likely: connections that end will bring some back.
            tokio::time::sleep(Duration::from_millis(20)).await;
            continue;
        };
        let number = shared.connections.fetch_add(1, Ordering::SeqCst) + 1;
        let shared = Arc::clone(&shared);
        connections.spawn(async move {
            // A connection that fails is the client's business, or the world's wish.
            let _ended = connection(stream, &shared, tls, number).await;
        });
    }
}

async fn connection(stream: TcpStream, shared: &Shared, tls: bool, number: usize) -> io::Result<()> {
    stream.set_nodelay(true)?;
    if !tls {
        let mut stream = stream;
        let then = converse(&mut stream, shared, false, number).await?;
        return finish(stream, then).await;
    }
    let peer = stream.local_addr()?;
    let start = LazyConfigAcceptor::new(rustls::server::Acceptor::default(), stream).await?;
    let name = start.client_hello().server_name().map_or_else(|| peer.ip().to_string(), str::to_owned);
    let outage = shared.read(|world| world.outages.get(&name).cloned());
    let fault = match outage {
        Some(Outage::Refuse | Outage::Reset) => {
            let accepted = start.into_stream(shared.authority.config(&name, None)?);
            if let Some(stream) = accepted.get_ref() {
                stream.set_zero_linger()?;
            }
            return Ok(());
        }
        Some(Outage::Hang) => return std::future::pending().await,
        Some(Outage::Certificate(fault)) => Some(fault),
        _ => None,
    };
    let mut stream = start.into_stream(shared.authority.config(&name, fault)?).await?;
    match converse(&mut stream, shared, true, number).await? {
        Then::KeepAlive | Then::Close => stream.shutdown().await,
        then => finish(stream.into_inner().0, then).await,
    }
}

async fn finish(mut stream: TcpStream, then: Then) -> io::Result<()> {
    match then {
        Then::Reset => stream.set_zero_linger(),
        Then::Hang => std::future::pending().await,
        Then::KeepAlive | Then::Close | Then::Cut => stream.shutdown().await,
    }
}

/// Answers requests in order until one ends the connection.
async fn converse<S>(stream: &mut S, shared: &Shared, tls: bool, number: usize) -> io::Result<Then>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut pending = Vec::with_capacity(4096);
    while let Some(request) = request::read(stream, &mut pending, tls).await? {
        let flight = Flight::new(shared);
        let (raw, latency) = shared.read(|world| {
            let raw = world.answer(&request).wire(request.method == "HEAD");
            (raw, world.latency(&request.host))
        });
        if !latency.is_zero() {
            tokio::time::sleep(latency).await;
        }
        send(stream, shared, &request, &raw, number).await?;
        drop(flight);
        let asked = request.header("connection").is_some_and(|v| v.eq_ignore_ascii_case("close"));
        match raw.then {
            Then::KeepAlive if asked => return Ok(Then::Close),
            Then::KeepAlive => {}
            then => return Ok(then),
        }
    }
    Ok(Then::Close)
}

/// Puts the pieces out; the log knows of each byte before the client can.
async fn send<S: AsyncWrite + Unpin>(
    stream: &mut S,
    shared: &Shared,
    request: &Request,
    raw: &RawResponse,
    number: usize,
) -> io::Result<()> {
    let mut entry = Entry::open(shared, request, raw, number);
    for piece in &raw.pieces {
        match piece {
            Piece::Bytes(bytes) => entry.put(stream, bytes).await?,
            Piece::Pause(time) => {
                stream.flush().await?;
                tokio::time::sleep(*time).await;
            }
            Piece::Drip(bytes, apart) => {
                for byte in bytes {
                    entry.put(stream, std::slice::from_ref(byte)).await?;
                    stream.flush().await?;
                    tokio::time::sleep(*apart).await;
                }
            }
            Piece::Fill(block, length) => fill(&mut entry, stream, block, *length).await?,
        }
    }
    stream.flush().await
}

async fn fill<S: AsyncWrite + Unpin>(
    entry: &mut Entry<'_>,
    stream: &mut S,
    block: &[u8],
    length: u64,
) -> io::Result<()> {
    let mut left = length;
    while left > 0 && !block.is_empty() {
        let now = usize::try_from(left).unwrap_or(usize::MAX).min(block.len());
        entry.put(stream, block.get(..now).unwrap_or_default()).await?;
        left -= now as u64;
    }
    Ok(())
}

/// A line of the log while its response goes out.
struct Entry<'a> {
    shared: &'a Shared,
    index: Option<usize>,
    all: Sha256,
    last: Sha256,
    interim: usize,
    length: u64,
}

impl<'a> Entry<'a> {
    fn open(shared: &'a Shared, request: &Request, raw: &RawResponse, number: usize) -> Entry<'a> {
        let index = shared.read(|world| world.switches.log).then(|| {
            let mut log = shared.log.lock().unwrap_or_else(PoisonError::into_inner);
            log.push(served(request, raw, number));
            log.len() - 1
        });
        Entry { shared, index, all: Sha256::new(), last: Sha256::new(), interim: raw.interim, length: 0 }
    }

    async fn put<S: AsyncWrite + Unpin>(&mut self, stream: &mut S, bytes: &[u8]) -> io::Result<()> {
        self.note(bytes);
        stream.write_all(bytes).await
    }

    fn note(&mut self, bytes: &[u8]) {
        let Some(index) = self.index else { return };
        self.all.update(bytes);
        let skipped = self.interim.min(bytes.len());
        self.interim -= skipped;
        self.last.update(bytes.get(skipped..).unwrap_or_default());
        self.length += bytes.len() as u64;
        let mut log = self.shared.log.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(line) = log.get_mut(index) {
            line.response_sha256 = self.all.clone().finalize().into();
            line.final_sha256 = self.last.clone().finalize().into();
            line.response_length = self.length;
        }
    }
}

fn served(request: &Request, raw: &RawResponse, connection: usize) -> Served {
    let nothing: [u8; 32] = Sha256::digest(b"").into();
    Served {
        connection,
        host: request.host.clone(),
        method: request.method.clone(),
        target: request.target.clone(),
        user_agent: request.header("user-agent").unwrap_or_default().to_owned(),
        tls: request.tls,
        status: status(raw),
        request_sha256: Sha256::digest(&request.raw).into(),
        request_length: request.raw.len() as u64,
        response_sha256: nothing,
        response_length: 0,
        final_sha256: nothing,
        interim_length: raw.interim as u64,
    }
}

/// The status of the final head, read from the bytes themselves.
fn status(raw: &RawResponse) -> u16 {
    let bytes = raw.pieces.iter().find_map(|piece| match piece {
        Piece::Bytes(bytes) | Piece::Drip(bytes, _) if !bytes.is_empty() => Some(bytes),
        _ => None,
    });
    let Some(bytes) = bytes else { return 0 };
    let head = bytes.get(raw.interim..).unwrap_or_default();
    let digits = head.strip_prefix(b"HTTP/1.").and_then(|rest| rest.get(2..5));
    digits.and_then(|d| std::str::from_utf8(d).ok()).and_then(|d| d.parse().ok()).unwrap_or(0)
}

/// Counts a request from its last byte in to its response's last byte out.
struct Flight<'a>(&'a Shared);

impl<'a> Flight<'a> {
    fn new(shared: &'a Shared) -> Flight<'a> {
        let now = shared.in_flight.fetch_add(1, Ordering::SeqCst) + 1;
        shared.in_flight_max.fetch_max(now, Ordering::SeqCst);
        Flight(shared)
    }
}

impl Drop for Flight<'_> {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::SeqCst);
    }
}

/// A port that nobody listens on, for as long as this is held.
pub(crate) fn closed_port() -> io::Result<(tokio::net::TcpSocket, SocketAddr)> {
    let socket = tokio::net::TcpSocket::new_v4()?;
    socket.bind(SocketAddr::from(([127, 0, 0, 1], 0)))?;
    let address = socket.local_addr()?;
    Ok((socket, address))
}

/// How long nothing is: the latency of a world without any.
pub(crate) const NO_LATENCY: Duration = Duration::ZERO;
