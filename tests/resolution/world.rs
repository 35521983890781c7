//! A small world of answers as plain values, and a pursuit driven through it.

use std::collections::BTreeMap;

use onrecord::format::http::{Answer, Headers};
use onrecord::resolution::exchange::{Exchange, Failure};
use onrecord::resolution::hop::{Ask, Resolution, Role, Step};
use onrecord::resolution::pursuit::{Limits, Pursuit};

/// Answers by URL; what is not there answers 404, as a server does that knows nothing.
#[derive(Default)]
pub(super) struct World {
    pub(super) answers: BTreeMap<String, Result<Answer, Failure>>,
    pub(super) asked: Vec<(Role, String)>,
}

pub(super) fn fixture(path: &str) -> Vec<u8> {
    std::fs::read(format!("{}/tests/fixtures/{path}", env!("CARGO_MANIFEST_DIR"))).unwrap_or_default()
}

pub(super) fn answer(status: u16, headers: &[(&str, &str)], body: impl Into<Vec<u8>>) -> Answer {
    let headers = headers.iter().map(|(n, v)| ((*n).to_owned(), v.as_bytes().to_vec())).collect();
    Answer { status, headers: Headers(headers), body: body.into(), ..Answer::default() }
}

impl World {
    pub(super) fn with(mut self, url: &str, given: Answer) -> Self {
        self.answers.insert(url.to_owned(), Ok(given));
        self
    }

    pub(super) fn redirect(self, url: &str, to: &str) -> Self {
        self.with(url, answer(301, &[("location", to)], ""))
    }

    pub(super) fn fails(mut self, url: &str, failure: Failure) -> Self {
        self.answers.insert(url.to_owned(), Err(failure));
        self
    }

    pub(super) fn page(self, url: &str, html: &str) -> Self {
        self.with(url, answer(200, &[("content-type", "text/html")], html))
    }

    pub(super) fn json(self, url: &str, path: &str) -> Self {
        self.with(url, answer(200, &[("content-type", "application/json")], fixture(path)))
    }

    pub(super) fn post(self, id: &str, path: &str) -> Self {
        self.json(&onrecord::platform::x::reader::syndication_url(id), path)
    }

    pub(super) fn index(self, url: &str, path: &str) -> Self {
        match onrecord::platform::wayback::cdx(url, 200) {
            Some(request) => self.json(request.url.as_str(), path),
            None => self,
        }
    }

    pub(super) fn days(self, url: &str, path: &str) -> Self {
        match onrecord::platform::wayback::cdx(url, 150) {
            Some(request) => self.json(request.url.as_str(), path),
            None => self,
        }
    }

    pub(super) fn memento(self, stamp: &str, original: &str, kind: &str, payload: &str) -> Self {
        let at =
            onrecord::platform::wayback::instant(stamp).map(|at| at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string());
        let url = format!("https://web.archive.org/web/{stamp}id_/{original}");
        let body = fixture(&format!("wayback/payloads/{payload}"));
        self.with(&url, answer(200, &[("content-type", kind), ("memento-datetime", &at.unwrap_or_default())], body))
    }

    pub(super) fn exchange(&mut self, ask: &Ask) -> Exchange {
        let url = ask.request.url.to_string();
        self.asked.push((ask.role, url.clone()));
        let outcome = self.answers.get(&url).cloned().unwrap_or_else(|| Ok(answer(404, &[], "")));
        Exchange {
            request: ask.request.clone(),
            at: jiff::Timestamp::UNIX_EPOCH,
            ms: 1,
            remote: None,
            outcome,
            evidence: None,
        }
    }

    pub(super) fn drive(&mut self, mut pursuit: Pursuit) -> Resolution {
        for _ in 0..200 {
            let asks = pursuit.asks();
            if asks.is_empty() {
                break;
            }
            for ask in asks {
                let exchange = self.exchange(&ask);
                pursuit.learn(ask.id, exchange);
            }
        }
        assert!(pursuit.done(), "the pursuit waits for nothing");
        pursuit.finish()
    }

    pub(super) fn link(&mut self, url: &str) -> Resolution {
        self.drive(Pursuit::link(url, Limits::default()))
    }

    pub(super) fn count(&self, role: Role) -> usize {
        self.asked.iter().filter(|(r, _)| *r == role).count()
    }
}

pub(super) fn vias(resolution: &Resolution) -> Vec<&str> {
    resolution.hops.iter().map(|hop| hop.via.as_str()).collect()
}

pub(super) const ID: &str = "1137945522884755456";
