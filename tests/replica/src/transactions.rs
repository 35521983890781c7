//! The rows of `http-transactions.json`: one request each, and what was seen, reported or guessed to answer it.

use serde_json::Value;

use crate::calendar;
use crate::fixtures;
use crate::reply::{Answer, Framing, Piece, RawResponse, Reply, Then, gzip};
use crate::request::{Client, Request};

use std::time::Duration;

/// One row.
#[derive(Debug, Clone)]
pub struct Transaction {
    /// Its name.
    pub id: String,
    /// The method asked with.
    pub method: String,
    /// The URL asked for.
    pub url: String,
    /// Which client it answers; none answers all.
    pub client: Option<Client>,
    /// Whether it is answered only to requests without cookies.
    pub without_cookies: bool,
    /// How well it is known.
    pub evidence: Evidence,
    answer: Answer,
}

/// How well a row is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Evidence {
    /// Header names, values and body shape are from a capture.
    Captured,
    /// Described by a maintained project; bytes not seen.
    Reported,
    /// Not verified anywhere.
    Guess,
    /// Made up to try a client's limits.
    Synthetic,
}

/// Reads all rows.
pub(crate) fn read(json: &str) -> Vec<Transaction> {
    let rows: Value = serde_json::from_str(json).unwrap_or_default();
    rows.as_array().into_iter().flatten().filter_map(row).collect()
}

/// The row for a request: its own method before another, its own client before any.
pub(crate) fn answer(rows: &[Transaction], request: &Request, guesses: bool) -> Option<Answer> {
    let url = request.url();
    let cookies = request.header("cookie").is_some();
    let fits = |row: &&Transaction| {
        row.url == url
            && (row.method == request.method || (row.method == "GET" && request.method == "HEAD"))
            && row.client.is_none_or(|client| client == request.client())
            && (guesses || row.evidence != Evidence::Guess)
            && !(row.without_cookies && cookies)
    };
    let best = rows.iter().filter(fits).max_by_key(|row| (row.method == request.method, row.client.is_some()));
    best.map(|row| row.answer.clone())
}

fn row(value: &Value) -> Option<Transaction> {
    let request = value.get("request")?;
    let text = |key: &str| request.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    Some(Transaction {
        id: value.get("id")?.as_str()?.to_owned(),
        method: text("method"),
        url: text("url"),
        client: match text("ua").as_str() {
            "cli" => Some(Client::Plain),
            "browser" => Some(Client::Browser),
            "bot" => Some(Client::Bot),
            _ => None,
        },
        without_cookies: text("cookies") == "none",
        evidence: match value.get("evidence").and_then(Value::as_str) {
            Some("captured") => Evidence::Captured,
            Some("reported") => Evidence::Reported,
            Some("guess") => Evidence::Guess,
            _ => Evidence::Synthetic,
        },
        answer: response(value.get("response")?)?,
    })
}

fn response(value: &Value) -> Option<Answer> {
    let status = u16::try_from(value.get("status")?.as_u64()?).ok()?;
    let mut reply = Reply::new(status);
    for pair in value.get("headers").and_then(Value::as_array).into_iter().flatten() {
        let (name, text) = (pair.get(0)?.as_str()?, pair.get(1)?.as_str()?);
        match name {
            "transfer-encoding" => reply = reply.chunked(8192),
            _ => reply = reply.with(name.to_owned(), dated(text)),
        }
    }
    let body = value.get("body").and_then(Value::as_str).unwrap_or_default();
    Some(match body {
        "<1 byte every 5 s>" => drip(&reply),
        "<10 MiB of zeros gzip'd to 10 KiB>" => {
            // Ten mebibytes of zeros, made only when somebody asks.
            Answer::made(move || Reply { body: gzip(&vec![0; 10 * 1024 * 1024]), ..reply.clone() })
        }
        _ => {
            reply.body = match body.strip_prefix("@../") {
                Some(file) => fixtures::bytes(file).to_vec(),
                None => body.as_bytes().to_vec(),
            };
            reply.into()
        }
    })
}

fn dated(value: &str) -> String {
    let soon = value.replace("<date + 5 min>", calendar::SOON_HTTP);
    soon.replace("<+2y>", calendar::LATER_HTTP)
}

/// A page of which a byte comes every five seconds: longer than anyone waits.
fn drip(reply: &Reply) -> Answer {
    let mut head = reply.clone();
    head.framing = Framing::UntilClose;
    let page = b"<!doctype html><title>slow</title><p>This page is in no hurry at all.</p>".to_vec();
    head.wire(true).and(Piece::Drip(page, Duration::from_secs(5))).then(Then::Close).into()
}

impl Transaction {
    /// The bytes it answers with.
    pub fn wire(&self) -> RawResponse {
        self.answer.wire(self.method == "HEAD")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_read_and_answers_its_own_request() {
        let rows = read(fixtures::text("http-transactions.json"));
        assert_eq!(rows.len(), 49);
        for row in &rows {
            let agent = match row.client {
                Some(Client::Browser) => "Mozilla/5.0 Chrome/120",
                Some(Client::Bot) => "Googlebot/2.1",
                _ => "curl/8.5.0",
            };
            let mut request = Request::get(&row.url, agent);
            request.method = row.method.clone();
            let got = answer(&rows, &request, true).unwrap().wire(row.method == "HEAD").bytes();
            assert_eq!(got, row.wire().bytes(), "{}", row.id);
        }
    }

    #[test]
    fn guesses_can_be_switched_off() {
        let rows = read(fixtures::text("http-transactions.json"));
        let request = Request::get("https://t.co/bad", "curl/8.5.0");
        assert!(answer(&rows, &request, true).is_some());
        assert!(answer(&rows, &request, false).is_none());
    }
}
