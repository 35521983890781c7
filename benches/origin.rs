//! A small web for `ours.sh`: links that lead over two or three hops to a page with three pictures, on loopback.
//!
//! `origin serve PORT [MS]` answers, each time after MS milliseconds; `origin urls N BASE` prints N links. `/t/n` 301 → `/hop/n` 302
//! [→ `/hop2/n` 307 where n is odd] → `/page/n`: HTML of 30 to 80 KB, in gzip where it is taken, and three pictures of 5 to 200 KB that do
//! not compress: 6.5 exchanges a link. `/big/BYTES` is one body of that many bytes. Every byte is a function of n. A thread a connection.
#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a tool for measuring")]

use std::io::{BufRead as _, BufReader, Read as _, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use flate2::{Compress, Compression, FlushCompress};
use onrecord::format::gzip;

/// Bytes of one piece of text; a page has one piece for each, from the first picked on.
const PIECE: usize = 10 << 10;
const PIECES: usize = 64;
const POOL: usize = 1 << 20;

struct Text {
    plain: Vec<u8>,
    /// deflated, and whole up to a byte's end, so that pieces can follow each other
    packed: Vec<u8>,
    crc: crc32fast::Hasher,
}

struct Web {
    texts: Vec<Text>,
    noise: Vec<u8>,
    wait: Duration,
}

fn mix(n: u64) -> u64 {
    let n = (n ^ (n >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let n = (n ^ (n >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    n ^ (n >> 31)
}

fn text(seed: u64) -> Text {
    const WORDS: [&str; 48] = [
        "the",
        "of",
        "and",
        "to",
        "in",
        "that",
        "was",
        "for",
        "is",
        "it",
        "with",
        "as",
        "his",
        "on",
        "be",
        "at",
        "by",
        "had",
        "are",
        "but",
        "from",
        "or",
        "have",
        "they",
        "which",
        "one",
        "you",
        "were",
        "all",
        "her",
        "she",
        "there",
        "would",
        "their",
        "we",
        "him",
        "been",
        "has",
        "when",
        "who",
        "will",
        "no",
        "more",
        "election",
        "statement",
        "archive",
        "post",
        "record",
    ];
    let mut plain = Vec::with_capacity(PIECE + 64);
    let mut n = seed;
    while plain.len() < PIECE {
        plain.extend_from_slice(format!("<p class=\"para\" id=\"s{n:x}\">").as_bytes());
        for _ in 0..40 {
            n = mix(n.wrapping_add(0x9e37_79b9_7f4a_7c15));
            let word = WORDS[(n % WORDS.len() as u64) as usize];
            match n >> 59 {
                0 => plain.extend_from_slice(format!("<a href=\"/page/{}\">{word}</a> ", n >> 40).as_bytes()),
                1 => plain.extend_from_slice(format!("{word}, {:x} ", n >> 32).as_bytes()),
                _ => plain.extend_from_slice(format!("{word} ").as_bytes()),
            }
        }
        plain.extend_from_slice(b"</p>\n");
    }
    let mut deflate = Compress::new(Compression::new(6), false);
    let mut packed = Vec::with_capacity(plain.len() + 1024);
    deflate.compress_vec(&plain, &mut packed, FlushCompress::Full).unwrap();
    assert_eq!(deflate.total_in(), plain.len() as u64);
    let mut crc = crc32fast::Hasher::new();
    crc.update(&plain);
    Text { plain, packed, crc }
}

impl Web {
    fn new(wait: Duration) -> Self {
        let texts = (0..PIECES as u64).map(|n| text(mix(n))).collect();
        let noise = (0..POOL as u64 / 8).flat_map(|n| mix(n ^ 0x5eed).to_le_bytes()).collect();
        Self { texts, noise, wait }
    }

    fn page(&self, n: u64, base: &str, packed: bool) -> Vec<u8> {
        let mut head = format!(
            "<!doctype html>\n<html lang=en><head><meta charset=utf-8><title>Page {n}</title><link rel=canonical href=\"{base}/page/{n}\">\
             </head><body><h1>Page {n}</h1>\n"
        );
        for k in 0..3 {
            head.push_str(&format!("<figure><img src=\"/img/{n}-{k}\" alt=\"figure {k}\"></figure>\n"));
        }
        let first = mix(n) as usize % PIECES;
        let texts = (0..3 + n as usize % 6).map(|at| &self.texts[(first + at) % PIECES]);
        if !packed {
            return texts.fold(head.into_bytes(), |mut out, text| {
                out.extend_from_slice(&text.plain);
                out
            });
        }
        let mut out = gzip::HEAD.to_vec();
        let mut crc = crc32fast::Hasher::new();
        crc.update(head.as_bytes());
        let mut len = head.len();
        gzip::stored_blocks(head.as_bytes(), &mut out);
        for text in texts {
            out.extend_from_slice(&text.packed);
            crc.combine(&text.crc);
            len += text.plain.len();
        }
        out.extend_from_slice(&gzip::stored_head(0, true));
        out.extend_from_slice(&gzip::trailer(crc.finalize(), len as u64));
        out
    }

    fn picture(&self, n: u64, k: u64) -> Vec<u8> {
        let dice = mix(n * 4 + k);
        let mut out = dice.to_le_bytes().repeat(2);
        let len = 5_000 + (dice % 100_000) as usize;
        out.extend_from_slice(&self.noise[(dice >> 40) as usize % (POOL - len)..][..len]);
        out
    }

    fn big(&self, to: &mut TcpStream, mut left: u64) -> std::io::Result<()> {
        write!(to, "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: {left}\r\n\r\n")?;
        let mut at = 0;
        while left > 0 {
            let len = left.min(64 << 10) as usize;
            at = (at + 4096 + 8) % (POOL - (64 << 10));
            to.write_all(&self.noise[at..at + len])?;
            left -= len as u64;
        }
        Ok(())
    }

    fn answer(&self, to: &mut TcpStream, path: &str, host: &str, gzip: bool) -> std::io::Result<()> {
        let base = format!("http://{host}");
        let mut parts = path.trim_start_matches('/').split(['/', '?']);
        let (kind, name) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let n: u64 = name.split('-').next().and_then(|n| n.parse().ok()).unwrap_or(0);
        let k: u64 = name.split('-').nth(1).and_then(|k| k.parse().ok()).unwrap_or(0);
        let moved = |code: u16, path: &str| {
            let body = format!("<a href=\"{base}{path}\">moved</a>\n");
            format!(
                "HTTP/1.1 {code} Moved\r\nLocation: {base}{path}\r\nContent-Type: text/html\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            )
            .into_bytes()
        };
        let found = |kind: &str, more: &str, body: Vec<u8>| {
            let head =
                format!("HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\n{more}Content-Length: {}\r\n\r\n", body.len());
            [head.as_bytes(), &body].concat()
        };
        let bytes = match kind {
            "big" => return self.big(to, n),
            "t" => moved(301, &format!("/hop/{n}?utm_source=t")),
            "hop" if n % 2 == 1 => moved(302, &format!("/hop2/{n}")),
            "hop" => moved(302, &format!("/page/{n}")),
            "hop2" => moved(307, &format!("/page/{n}")),
            "page" if gzip => found("text/html", "Content-Encoding: gzip\r\n", self.page(n, &base, true)),
            "page" => found("text/html", "", self.page(n, &base, false)),
            "img" => found("image/jpeg", "", self.picture(n, k)),
            _ => b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n".to_vec(),
        };
        to.write_all(&bytes)
    }

    fn serve(&self, stream: TcpStream) -> std::io::Result<()> {
        stream.set_nodelay(true)?;
        let mut from = BufReader::new(stream.try_clone()?.take(u64::MAX));
        let mut to = stream;
        let mut line = String::new();
        while from.read_line(&mut line)? > 0 {
            let path = line.split(' ').nth(1).unwrap_or("/").to_owned();
            let (mut host, mut gzip) = (String::new(), false);
            loop {
                line.clear();
                if from.read_line(&mut line)? == 0 || line.trim().is_empty() {
                    break;
                }
                let (name, value) = line.split_once(':').unwrap_or_default();
                match name.to_ascii_lowercase().as_str() {
                    "host" => host = value.trim().to_owned(),
                    "accept-encoding" => gzip = value.contains("gzip"),
                    _ => {}
                }
            }
            line.clear();
            std::thread::sleep(self.wait);
            self.answer(&mut to, &path, &host, gzip)?;
        }
        Ok(())
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    let number = |at: usize| arguments.get(at).and_then(|n| n.parse::<u64>().ok());
    match arguments.first().map(String::as_str) {
        Some("urls") => {
            let base = arguments.get(2).map_or("http://127.0.0.1:8470", String::as_str);
            (0..number(1).unwrap_or(0)).for_each(|n| println!("{base}/t/{n}"));
        }
        Some("serve") => {
            let web = Arc::new(Web::new(Duration::from_millis(number(2).unwrap_or(0))));
            let port = u16::try_from(number(1).unwrap_or(8470)).unwrap();
            let listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
            println!("listening");
            for stream in listener.incoming().flatten() {
                let web = web.clone();
                // A client that goes away is no matter.
                std::thread::spawn(move || drop(web.serve(stream)));
            }
        }
        _ => println!("origin serve PORT [MS] | origin urls N BASE"),
    }
}
