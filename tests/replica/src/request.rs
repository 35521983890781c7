//! A request as it came off the wire, read with no more than the replica needs.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt};

/// The largest head the replica reads; a longer one ends the connection.
const HEAD_MAX: usize = 256 * 1024;
/// The largest request body it reads.
const BODY_MAX: usize = 4 * 1024 * 1024;

/// One request: what the hosts decide by, and the exact bytes.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// The method, as sent.
    pub method: String,
    /// The request target, as sent: `/path?query`, or an absolute form.
    pub target: String,
    /// The host it is for, lower case, without a port.
    pub host: String,
    /// Whether it came over TLS.
    pub tls: bool,
    /// Header fields in order, names as sent.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// Head and body, exactly as they came.
    pub raw: Vec<u8>,
}

impl Request {
    /// A GET, for asking a world in-process.
    pub fn get(url: &str, user_agent: &str) -> Request {
        let (tls, rest) = match url.split_once("://") {
            Some((scheme, rest)) => (scheme == "https", rest),
            None => (true, url),
        };
        let cut = rest.find('/').unwrap_or(rest.len());
        let (host, target) = rest.split_at(cut);
        Request {
            method: "GET".into(),
            target: if target.is_empty() { "/".into() } else { target.into() },
            host: host.to_ascii_lowercase(),
            tls,
            headers: vec![("host".into(), host.into()), ("user-agent".into(), user_agent.into())],
            ..Request::default()
        }
    }

    /// The first field of this name, any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_str())
    }

    /// The target without its query.
    pub fn path(&self) -> &str {
        self.target.split_once('?').map_or(self.target.as_str(), |(path, _)| path)
    }

    /// The query as sent, or nothing.
    pub fn query(&self) -> &str {
        self.target.split_once('?').map_or("", |(_, query)| query)
    }

    /// The first query parameter of this name, decoded.
    pub fn param(&self, name: &str) -> Option<String> {
        url::form_urlencoded::parse(self.query().as_bytes()).find(|(n, _)| n == name).map(|(_, v)| v.into_owned())
    }

    /// Every query parameter of this name, decoded.
    pub fn params(&self, name: &str) -> Vec<String> {
        let pairs = url::form_urlencoded::parse(self.query().as_bytes());
        pairs.filter(|(n, _)| n == name).map(|(_, v)| v.into_owned()).collect()
    }

    /// The URL asked for.
    pub fn url(&self) -> String {
        format!("{}://{}{}", if self.tls { "https" } else { "http" }, self.host, self.target)
    }

    /// Which of the three kinds of client the platforms tell apart.
    pub fn client(&self) -> Client {
        Client::of(self.header("user-agent").unwrap_or_default())
    }
}

/// What a platform takes a client for, by its User-Agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Client {
    /// curl, wget, libraries, unknown strings.
    Plain,
    /// `Mozilla/5.0 …`.
    Browser,
    /// Search engines and link previewers.
    Bot,
}

impl Client {
    /// Reads a User-Agent.
    pub fn of(user_agent: &str) -> Client {
        let lower = user_agent.to_ascii_lowercase();
        let bot = ["bot", "facebookexternalhit", "spider", "crawler"].iter().any(|word| lower.contains(word));
        match () {
            () if bot => Client::Bot,
            () if lower.starts_with("mozilla/") => Client::Browser,
            () => Client::Plain,
        }
    }
}

/// Reads the next request; none when the client closed between two of them.
pub(crate) async fn read<S: AsyncRead + Unpin>(
    stream: &mut S,
    pending: &mut Vec<u8>,
    tls: bool,
) -> io::Result<Option<Request>> {
    let head = loop {
        if let Some(end) = find(pending, b"\r\n\r\n") {
            break end + 4;
        }
        if pending.len() > HEAD_MAX {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "request head is too long"));
        }
        if !more(stream, pending).await? {
            return Ok(None);
        }
    };
    let mut request = parse(pending.get(..head).unwrap_or_default(), tls);
    let length = request.header("content-length").and_then(|v| v.trim().parse::<usize>().ok()).unwrap_or(0);
    let end = head + length.min(BODY_MAX);
    while pending.len() < end {
        if !more(stream, pending).await? {
            return Ok(None);
        }
    }
    request.raw = pending.drain(..end).collect();
    request.body = request.raw.get(head..).unwrap_or_default().to_vec();
    Ok(Some(request))
}

async fn more<S: AsyncRead + Unpin>(stream: &mut S, pending: &mut Vec<u8>) -> io::Result<bool> {
    Ok(stream.read_buf(pending).await? > 0)
}

fn parse(head: &[u8], tls: bool) -> Request {
    let text = String::from_utf8_lossy(head);
    let mut lines = text.split("\r\n");
    let mut words = lines.next().unwrap_or_default().split(' ');
    let mut request = Request {
        method: words.next().unwrap_or_default().into(),
        target: words.next().unwrap_or("/").into(),
        tls,
        ..Request::default()
    };
    for line in lines {
        if let Some((name, value)) = line.split_once(':') {
            request.headers.push((name.into(), value.trim().into()));
        }
    }
    let host = request.header("host").unwrap_or_default().to_ascii_lowercase();
    request.host = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name.into(),
        _ => host,
    };
    origin_form(&mut request);
    request
}

/// `GET http://host/path` becomes host and path, as for a proxy.
fn origin_form(request: &mut Request) {
    if let Some((_, rest)) = request.target.split_once("://").filter(|(scheme, _)| scheme.len() < 6) {
        let cut = rest.find('/').unwrap_or(rest.len());
        request.host = rest.get(..cut).unwrap_or_default().to_ascii_lowercase();
        request.target = rest.get(cut..).filter(|path| !path.is_empty()).unwrap_or("/").to_owned();
    }
}

fn find(bytes: &[u8], needle: &[u8]) -> Option<usize> {
    bytes.windows(needle.len()).position(|window| window == needle)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_a_target_apart() {
        let request = parse(b"GET /a/b?c=d%20e&c=f HTTP/1.1\r\nHost: T.co:443\r\nUser-Agent: curl/8\r\n\r\n", true);
        assert_eq!((request.host.as_str(), request.path(), request.query()), ("t.co", "/a/b", "c=d%20e&c=f"));
        assert_eq!(request.params("c"), ["d e", "f"]);
        assert_eq!(request.client(), Client::Plain);
    }

    #[test]
    fn tells_clients_apart() {
        assert_eq!(Client::of("Mozilla/5.0 (X11; Linux x86_64) Chrome/120"), Client::Browser);
        assert_eq!(Client::of("Mozilla/5.0 (compatible; Googlebot/2.1)"), Client::Bot);
        assert_eq!(Client::of("onrecord/0.1"), Client::Plain);
    }

    #[tokio::test]
    async fn reads_pipelined_requests_one_by_one() {
        let mut wire: &[u8] =
            b"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabcGET /b HTTP/1.1\r\nHost: x\r\n\r\n";
        let mut pending = Vec::new();
        let first = read(&mut wire, &mut pending, false).await.unwrap().unwrap();
        assert_eq!((first.target.as_str(), first.body.as_slice()), ("/a", b"abc".as_slice()));
        assert!(first.raw.ends_with(b"abc"));
        assert_eq!(read(&mut wire, &mut pending, false).await.unwrap().unwrap().target, "/b");
        assert!(read(&mut wire, &mut pending, false).await.unwrap().is_none());
    }
}
