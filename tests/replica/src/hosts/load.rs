//! load.example: as many citations as a test wants, all decided by their number.
//!
//! `/t/N` → 301 `/h/N` → 302 `/page/N`, a page of about 4 KiB with three pictures; `/big/BYTES` is one body that long;
//! `/post/N` is a page without pictures.

use crate::pixels;
use crate::reply::{Answer, Piece, RawResponse, Reply, Then};
use crate::request::Request;

/// The answer for a number.
pub(crate) fn answer(request: &Request) -> Option<Answer> {
    let parts: Vec<&str> = request.path().trim_matches('/').split('/').collect();
    let reply = match parts.as_slice() {
        ["t", n] => Reply::to(301, &format!("https://load.example/h/{}", number(n)?)),
        ["h", n] => Reply::to(302, &format!("https://load.example/page/{}", number(n)?)),
        ["page", n] => Reply::html(200, page(number(n)?, true)),
        ["post", n] => Reply::html(200, page(number(n)?, false)),
        ["img", n, k] => {
            let (n, k) = (number(n)?, number(k.strip_suffix(".jpg")?)?);
            Reply::body(200, "image/jpeg", pixels::jpeg(&format!("{n}-{k}"), 160, 120))
        }
        ["site.css"] => Reply::body(200, "text/css", "body{font-family:serif;max-width:40em;margin:auto}\n"),
        ["big", bytes] => return Some(big(number(bytes)?).into()),
        _ => return None,
    };
    Some(reply.into())
}

fn number(text: &str) -> Option<u64> {
    text.parse().ok()
}

fn page(n: u64, pictures: bool) -> String {
    let shown: String = (0..3).filter(|_| pictures).map(|k| format!("<img src=\"/img/{n}/{k}.jpg\">\n")).collect();
    let words = ["ballot", "harbour", "notice", "count", "station", "observer", "queue", "board", "result", "morning"];
    let word = |k: u64| words.get((pixels::mix(n ^ k << 20) % 10) as usize).copied().unwrap_or("word");
    let prose: Vec<&str> = (0..500).map(word).collect();
    format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Page {n}</title>\
         <link rel=\"stylesheet\" href=\"/site.css\"></head><body><h1>Page {n}</h1>\n{shown}<p>{}</p></body></html>\n",
        prose.join(" ")
    )
}

/// A body of any length out of one block that does not compress.
fn big(length: u64) -> RawResponse {
    let head = Reply::body(200, "application/octet-stream", "").with("content-length", length.to_string());
    let block = pixels::noise("big", 256 * 1024);
    head.wire(true).and(Piece::Fill(block, length)).then(Then::KeepAlive)
}
