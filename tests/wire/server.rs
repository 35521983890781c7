//! Raw loopback servers that play a script, with TLS or without, and the small things every test of the wire needs.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use onrecord::format::http::{Answer, Request};
use onrecord::world::clock::Clock;
use onrecord::world::wire::Wire;
use onrecord::world::wire::settings::Settings;
use onrecord::world::wire::taken::{Received, Taken};

/// What a server does with one connection.
#[derive(Clone)]
pub(super) enum Act {
    /// writes these bytes
    Say(Vec<u8>),
    /// writes these bytes in pieces of so many, with a pause after each
    Drip(Vec<u8>, usize, Duration),
    /// writes these bytes over and over, until the other end has enough
    Flood(Vec<u8>),
    /// reads the next request
    Hear,
    /// waits
    Wait(Duration),
    /// waits until the other end has closed
    Stay,
}

/// A server that plays one script a connection, in order, then closes it. Closing with a request unread resets.
pub(super) struct Server {
    /// where it listens
    pub address: SocketAddr,
    /// the requests it read, as they came
    pub heard: mpsc::Receiver<Vec<u8>>,
    /// connections it has taken so far
    pub taken: Arc<AtomicUsize>,
    /// connections open now
    pub open: Arc<AtomicUsize>,
    /// the most requests that waited for an answer at once
    pub peak: Arc<AtomicUsize>,
}

/// Serves without TLS.
pub(super) fn serve(scripts: Vec<Vec<Act>>) -> Server {
    serve_with(scripts, None)
}

/// Serves over TLS where there is a configuration.
pub(super) fn serve_with(scripts: Vec<Vec<Act>>, tls: Option<Arc<rustls::ServerConfig>>) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (tell, heard) = mpsc::channel();
    let ears = Ears { tell, waiting: Arc::default(), peak: Arc::default() };
    let (taken, peak) = (Arc::<AtomicUsize>::default(), Arc::clone(&ears.peak));
    let (counted, open) = (Arc::clone(&taken), Arc::<AtomicUsize>::default());
    let open_here = Arc::clone(&open);
    thread::spawn(move || {
        for script in scripts {
            let Ok((stream, _)) = listener.accept() else { return };
            counted.fetch_add(1, Ordering::SeqCst);
            open_here.fetch_add(1, Ordering::SeqCst);
            let (ears, tls, open) = (ears.clone(), tls.clone(), Arc::clone(&open_here));
            thread::spawn(move || {
                match tls {
                    None => play(stream, &script, &ears),
                    Some(config) => {
                        let session = rustls::ServerConnection::new(config).unwrap();
                        play(rustls::StreamOwned::new(session, stream), &script, &ears);
                    }
                }
                open.fetch_sub(1, Ordering::SeqCst);
            });
        }
    });
    Server { address, heard, taken, open, peak }
}

/// What a server learns, shared by its connections.
#[derive(Clone)]
struct Ears {
    tell: mpsc::Sender<Vec<u8>>,
    waiting: Arc<AtomicUsize>,
    peak: Arc<AtomicUsize>,
}

fn play(mut stream: impl Read + Write, script: &[Act], ears: &Ears) {
    let mut waits = false;
    for act in script {
        match act {
            Act::Say(_) if std::mem::take(&mut waits) => drop(ears.waiting.fetch_sub(1, Ordering::SeqCst)),
            _ => (),
        }
        if act.play(&mut stream, &ears.tell).is_err() {
            return;
        }
        if matches!(act, Act::Hear) {
            waits = true;
            ears.peak.fetch_max(ears.waiting.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        }
    }
}

impl Act {
    fn play(&self, stream: &mut (impl Read + Write), tell: &mpsc::Sender<Vec<u8>>) -> io::Result<()> {
        match self {
            Self::Say(bytes) => stream.write_all(bytes).and_then(|()| stream.flush()),
            Self::Drip(bytes, piece, pause) => bytes.chunks(*piece).try_for_each(|piece| {
                stream.write_all(piece)?;
                stream.flush()?;
                thread::sleep(*pause);
                Ok(())
            }),
            Self::Flood(bytes) => loop {
                stream.write_all(bytes)?;
            },
            Self::Hear => hear(stream).map(|request| drop(tell.send(request))),
            Self::Wait(time) => {
                thread::sleep(*time);
                Ok(())
            }
            Self::Stay => stream.read_to_end(&mut Vec::new()).map(drop),
        }
    }
}

fn hear(stream: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut request = Vec::new();
    let mut byte = [0];
    while !request.ends_with(b"\r\n\r\n") {
        match stream.read(&mut byte)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            _ => request.push(byte[0]),
        }
    }
    let text = String::from_utf8_lossy(&request).to_ascii_lowercase();
    let length = text.lines().find_map(|l| l.strip_prefix("content-length: ")?.parse::<usize>().ok()).unwrap_or(0);
    let head = request.len();
    request.resize(head + length, 0);
    stream.read_exact(&mut request[head..])?;
    Ok(request)
}

/// A request heard, an answer said, the connection left for the next one.
pub(super) fn answers(answers: &[&[u8]]) -> Vec<Act> {
    let mut script: Vec<Act> = answers.iter().flat_map(|bytes| [Act::Hear, Act::Say(bytes.to_vec())]).collect();
    script.push(Act::Stay);
    script
}

/// A request heard, an answer said, the connection closed.
pub(super) fn say(bytes: &[u8]) -> Vec<Act> {
    vec![Act::Hear, Act::Say(bytes.to_vec())]
}

/// Settings under which loopback may be asked.
pub(super) fn settings() -> Settings {
    Settings {
        allow_net: vec!["127.0.0.0/8".parse().unwrap()],
        timeout: Duration::from_secs(20),
        ..Settings::default()
    }
}

/// A wire with the real clock.
pub(super) fn wire(settings: Settings) -> Wire {
    Wire::new(settings, Clock::real()).unwrap()
}

/// A GET of this server.
pub(super) fn at(address: SocketAddr, path: &str) -> Request {
    Request::get(format!("http://{address}{path}").parse().unwrap())
}

/// One exchange against a server that says these bytes and closes.
pub(super) async fn one(bytes: &[u8]) -> Taken {
    with(bytes, settings()).await
}

/// The same under these settings.
pub(super) async fn with(bytes: &[u8], settings: Settings) -> Taken {
    let server = serve(vec![say(bytes)]);
    wire(settings).fetch(&at(server.address, "/"), None).await
}

/// The kept bytes.
pub(super) fn kept(taken: &Taken) -> &[u8] {
    match &taken.received {
        Received::Memory(bytes) => bytes,
        Received::Nothing => b"",
        Received::Overflowed { .. } => panic!("not in memory"),
    }
}

/// The reading copy.
pub(super) fn answer(taken: &Taken) -> &Answer {
    taken.outcome.as_ref().expect("an answer")
}
