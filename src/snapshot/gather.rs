//! The requisites of a page, gathered in rounds: what the page refers to, then what its sheets refer to, within a budget.
//! What is left out is named with the reason.

use std::collections::{BTreeMap, HashSet, VecDeque};

use serde::{Deserialize, Serialize};
use url::Url;

use crate::format::http::{Answer, Request};
use crate::format::markup;
use crate::format::need::{self, Kind, Need, Needs};
use crate::resolution::exchange::Exchange;
use crate::resolution::hop::{Ask, Part, Role, Step};

/// What a snapshot may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// requests
    pub count: usize,
    /// bytes of their entities
    pub bytes: u64,
    /// from the first request to the last, milliseconds
    pub ms: u64,
    /// sheets that sheets import, one from the other
    pub depth: u8,
    /// requests under way at once
    pub at_once: usize,
}

impl Default for Budget {
    fn default() -> Self {
        Self { count: 200, bytes: 1 << 30, ms: 300_000, depth: 5, at_once: 8 }
    }
}

/// Something the page refers to that was not fetched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOut {
    /// where it is
    pub url: String,
    /// why it was left
    pub why: String,
}

/// What was gathered.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Gathered {
    /// every exchange, in the order answered
    pub parts: Vec<Part>,
    /// what was not fetched
    pub left_out: Vec<LeftOut>,
}

/// The gathering, sans-I/O.
#[derive(Debug)]
pub struct Gather {
    budget: Budget,
    waiting: VecDeque<(Need, u8)>,
    pending: BTreeMap<u32, (Need, u8)>,
    seen: HashSet<String>,
    next: u32,
    bytes: u64,
    /// when the first was asked, and when the last answer so far was whole: microseconds since 1970
    time: Option<(i64, i64)>,
    out: Gathered,
}

impl Gather {
    /// Gathers what the answer at the end needs. `already` are the exchanges of the resolution: nothing is asked twice.
    pub fn new(needs: Needs, already: &[Part], budget: Budget) -> Self {
        let mut gather = Self {
            budget,
            waiting: VecDeque::new(),
            pending: BTreeMap::new(),
            seen: already.iter().map(|part| part.url.clone()).collect(),
            next: 0,
            bytes: 0,
            time: None,
            out: Gathered::default(),
        };
        match needs {
            Needs::Nothing => {}
            Needs::Page(all) => gather.want(all, 0),
            Needs::Sheet(all) => gather.want(all, 1),
        }
        gather
    }

    fn want(&mut self, needs: Vec<Need>, depth: u8) {
        for need in needs {
            if !self.seen.insert(need.url.to_string()) {
                continue;
            }
            if let Some(why) = need.kind.left_out() {
                self.leave(need.url.as_str(), why);
            } else if depth > self.budget.depth {
                self.leave(need.url.as_str(), "sheets import sheets too deep");
            } else {
                self.waiting.push_back((need, depth));
            }
        }
    }

    fn leave(&mut self, url: &str, why: &str) {
        self.out.left_out.push(LeftOut { url: url.to_owned(), why: why.to_owned() });
    }

    /// Why nothing more may be asked, where the budget is used up.
    fn used_up(&self) -> Option<&'static str> {
        if usize::try_from(self.next).unwrap_or(usize::MAX) >= self.budget.count {
            return Some("the snapshot's requests are used up");
        }
        if self.bytes >= self.budget.bytes {
            return Some("the snapshot's bytes are used up");
        }
        let spent = self.time.map_or(0, |(first, last)| last.abs_diff(first) / 1000);
        (spent >= self.budget.ms).then_some("the snapshot's time is used up")
    }

    fn learn_sheet(&mut self, url: &Url, depth: u8, answer: &Answer) {
        let kind = answer.media_type();
        if kind == "text/css" || kind.is_empty() {
            let content_type = answer.headers.get("content-type").unwrap_or_default();
            let needs = need::of_sheet(url, &markup::decode(&answer.body, &content_type));
            self.want(needs, depth + 1);
        }
    }

    /// A requisite that moved is followed once by the same rules.
    fn learn_moved(&mut self, need: &Need, depth: u8, answer: &Answer) {
        let to = answer.headers.get("location").and_then(|to| need.url.join(&to).ok());
        match to.filter(|to| matches!(to.scheme(), "http" | "https")) {
            Some(to) if depth < self.budget.depth => self.want(vec![Need { url: to, kind: need.kind }], depth + 1),
            _ => self.leave(need.url.as_str(), "it redirects too often, or nowhere"),
        }
    }
}

impl Step for Gather {
    type Out = Gathered;

    fn asks(&mut self) -> Vec<Ask> {
        let mut asks = Vec::new();
        while self.pending.len() < self.budget.at_once.max(1) {
            let Some((need, depth)) = self.waiting.pop_front() else { break };
            if let Some(why) = self.used_up() {
                self.leave(need.url.as_str(), why);
                continue;
            }
            asks.push(Ask { id: self.next, role: Role::Requisite, request: Request::get(need.url.clone()) });
            self.pending.insert(self.next, (need, depth));
            self.next += 1;
        }
        asks
    }

    fn learn(&mut self, id: u32, exchange: Exchange) {
        let Some((need, depth)) = self.pending.remove(&id) else { return };
        let answer = exchange.outcome.as_ref().ok();
        let length = exchange.evidence.as_ref().map_or_else(|| answer.map_or(0, |a| a.body.len() as u64), |e| e.length);
        self.bytes = self.bytes.saturating_add(length);
        let asked = exchange.at.as_microsecond();
        let whole = asked.saturating_add(i64::try_from(exchange.ms.saturating_mul(1000)).unwrap_or(i64::MAX));
        let (first, last) = self.time.unwrap_or((asked, whole));
        self.time = Some((first.min(asked), last.max(whole)));
        self.out.parts.push(Part {
            role: Role::Requisite,
            url: need.url.to_string(),
            status: answer.map(|a| a.status),
            media_type: answer.map(Answer::media_type).unwrap_or_default(),
            at: exchange.at,
            error: exchange.outcome.as_ref().err().map(ToString::to_string),
            evidence: exchange.evidence.clone(),
        });
        match answer {
            Some(answer) if (300..400).contains(&answer.status) => self.learn_moved(&need, depth, answer),
            Some(answer) if need.kind == Kind::Sheet && answer.status == 200 => {
                self.learn_sheet(&need.url, depth, answer)
            }
            _ => {}
        }
    }

    fn done(&self) -> bool {
        self.waiting.is_empty() && self.pending.is_empty()
    }

    fn finish(self) -> Gathered {
        self.out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::http::Headers;

    fn given(kind: &str, body: &str) -> Answer {
        let headers = Headers(vec![("content-type".into(), kind.as_bytes().to_vec())]);
        Answer { status: 200, headers, body: body.into(), ..Answer::default() }
    }

    fn drive(page: &str, budget: Budget, of: impl Fn(&str) -> Answer) -> Result<Gathered, url::ParseError> {
        let url = Url::parse("https://h.example/")?;
        let needs = crate::resolution::carrier::read(&url, &given("text/html", page)).needs;
        let mut gather = Gather::new(needs, &[], budget);
        while !gather.done() {
            for ask in gather.asks() {
                let outcome = Ok(of(ask.request.url.path()));
                let at = jiff::Timestamp::UNIX_EPOCH;
                gather
                    .learn(ask.id, Exchange { request: ask.request, at, ms: 0, remote: None, outcome, evidence: None });
            }
        }
        Ok(gather.finish())
    }

    fn paths(gathered: &Gathered) -> Vec<&str> {
        gathered.parts.iter().map(|p| p.url.trim_start_matches("https://h.example")).collect()
    }

    #[test]
    fn sheets_are_read_in_turn() -> Result<(), url::ParseError> {
        let gathered =
            drive("<link rel=stylesheet href=/a.css><img src=/p.png>", Budget::default(), |path| match path {
                "/a.css" => given("text/css", "@import '/b.css'; x{background:url(/p.png)}"),
                "/b.css" => given("text/css", "@import '/a.css'; @font-face{src:url(f.woff2)}"),
                _ => given("image/png", "x"),
            })?;
        assert_eq!(paths(&gathered), ["/a.css", "/p.png", "/b.css", "/f.woff2"]);
        assert!(gathered.left_out.is_empty());
        Ok(())
    }

    #[test]
    fn a_budget_holds_and_the_rest_is_named() -> Result<(), url::ParseError> {
        let page = "<img src=/1><img src=/2><img src=/3><script src=/s.js></script>";
        let gathered = drive(page, Budget { count: 2, ..Budget::default() }, |_| given("image/png", "x"))?;
        assert_eq!(paths(&gathered), ["/1", "/2"]);
        assert_eq!(gathered.left_out.len(), 2);
        let small = Budget { bytes: 1, at_once: 1, ..Budget::default() };
        let gathered = drive(page, small, |_| given("image/png", "x"))?;
        assert_eq!(gathered.parts.len(), 1);
        assert!(gathered.left_out.iter().any(|l| l.url.ends_with("/2") && l.why.contains("bytes")));
        Ok(())
    }

    #[test]
    fn slow_requisites_use_the_time_up() -> Result<(), url::ParseError> {
        let url = Url::parse("https://h.example/")?;
        let page = given("text/html", "<img src=/1><img src=/2><img src=/3>");
        let budget = Budget { ms: 1500, at_once: 1, ..Budget::default() };
        let mut gather = Gather::new(crate::resolution::carrier::read(&url, &page).needs, &[], budget);
        let mut at = jiff::Timestamp::UNIX_EPOCH;
        while !gather.done() {
            for ask in gather.asks() {
                let outcome = Ok(given("image/png", "x"));
                gather.learn(
                    ask.id,
                    Exchange { request: ask.request, at, ms: 800, remote: None, outcome, evidence: None },
                );
                at += jiff::SignedDuration::from_millis(800);
            }
        }
        let gathered = gather.finish();
        assert_eq!(paths(&gathered), ["/1", "/2"]);
        assert!(gathered.left_out.iter().all(|l| l.url.ends_with("/3") && l.why.contains("time")));
        assert_eq!(gathered.left_out.len(), 1);
        Ok(())
    }

    #[test]
    fn endless_sheets_end() -> Result<(), url::ParseError> {
        let gathered = drive("<link rel=stylesheet href=/0>", Budget::default(), |path| {
            let n: u32 = path.trim_start_matches('/').parse().unwrap_or(0);
            given("text/css", &format!("@import '/{}';", n + 1))
        })?;
        assert_eq!(gathered.parts.len(), 6);
        assert_eq!(gathered.left_out.len(), 1);
        Ok(())
    }
}
