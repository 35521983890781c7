//! The chain of hops: from one URL to the next, until an answer leads nowhere further or a URL names a post.

use std::collections::HashSet;

use url::Url;

use crate::format::http::{Answer, Request};
use crate::format::need::Needs;
use crate::platform::page::Said;
use crate::platform::permalink::{self, Named};
use crate::platform::post::PostName;
use crate::platform::registry;
use crate::resolution::carrier::{self, Via};
use crate::resolution::ending::Ending;
use crate::resolution::exchange::Exchange;
use crate::resolution::hop::Hop;
use crate::resolution::jar::Jar;
use crate::resolution::judge::{self, Judged};
use crate::resolution::wrapper;

/// What comes next.
#[derive(Debug)]
pub enum Next {
    /// ask this
    Ask(Request),
    /// the URL names a post: its platform is asked, not its page
    Post(PostName, Option<String>),
    /// it ended at an answer, judged; the text a carrier search already made of it
    Stand(Judged),
    /// it ended before or between answers
    End(Judged),
}

/// The chain so far.
#[derive(Debug, Default)]
pub struct Trail {
    /// the hops, unwrapped ones included
    pub hops: Vec<Hop>,
    /// where it stands
    pub url: Option<Url>,
    /// the page there, as it was read on the way
    pub said: Option<Said>,
    /// what that page needs
    pub needs: Needs,
    jar: Jar,
    seen: HashSet<String>,
    via: Via,
    asked: usize,
    most: usize,
    to_platforms: bool,
}

impl Trail {
    /// A chain of at most `most` exchanges. With `to_platforms`, it stops where a URL names a post that can be read.
    pub fn new(most: usize, to_platforms: bool) -> Self {
        Self { most, to_platforms, ..Self::default() }
    }

    /// Goes to a URL: reads through wrappers, stops at posts, asks for everything else.
    pub fn go(&mut self, via: Via, url: Url) -> Next {
        let (mut via, mut url) = (via, url);
        for _ in 0..self.most.max(1) {
            if !matches!(url.scheme(), "http" | "https") {
                let why = format!("{url} cannot be asked: the scheme is neither http nor https");
                self.url = Some(url);
                return Next::End(Judged::new(Ending::Unsupported, why));
            }
            let Some((how, inner)) = wrapper::unwrap(&url) else { break };
            self.pass(via, &url, Some(inner.to_string()));
            if how == Via::Interstitial && self.was_asked(&inner) {
                let host = url.host_str().unwrap_or_default().to_owned();
                let why = format!("{inner} sends to {host}, which sends back: it wants a person's consent first");
                self.url = Some(inner);
                return Next::End(Judged::new(Ending::Blocked, why));
            }
            (via, url) = (how, inner);
        }
        if let Some(next) = self.stop_at_post(via, &url) {
            self.url = Some(url);
            return next;
        }
        self.request(via, url)
    }

    fn stop_at_post(&mut self, via: Via, url: &Url) -> Option<Next> {
        let named = permalink::read(url.as_str()).filter(|_| self.to_platforms)?;
        let name = readable(&named)?;
        self.via = via;
        self.pass(via, url, None);
        Some(Next::Post(name, named.handle))
    }

    /// A hop without a request.
    fn pass(&mut self, via: Via, url: &Url, to: Option<String>) {
        let mut hop = self.hop(url, via);
        hop.to = to;
        self.hops.push(hop);
    }

    fn hop(&self, url: &Url, via: Via) -> Hop {
        Hop {
            n: self.hops.len(),
            url: url.to_string(),
            status: None,
            via: via.to_string(),
            to: None,
            at: None,
            ip: None,
            ms: None,
            error: None,
            notes: Vec::new(),
            evidence: None,
        }
    }

    /// Whether the chain came by this URL.
    pub fn has_passed(&self, url: &Url) -> bool {
        self.hops.iter().any(|hop| hop.url == url.as_str())
    }

    fn was_asked(&self, url: &Url) -> bool {
        self.hops.iter().any(|hop| hop.at.is_some() && hop.url == url.as_str())
    }

    fn request(&mut self, via: Via, url: Url) -> Next {
        let cookies = self.jar.header(&url);
        let mut bare = url.clone();
        bare.set_fragment(None);
        if !self.seen.insert(format!("GET {bare} {}", cookies.as_deref().unwrap_or_default())) {
            let why = format!("{bare} was asked before with the same cookies");
            self.url = Some(url);
            return Next::End(Judged::new(Ending::Loop, why));
        }
        if self.asked >= self.most {
            let why = format!("{} hops, and {url} would be one more", self.asked);
            self.url = Some(url);
            return Next::End(Judged::new(Ending::TooManyHops, why));
        }
        self.asked += 1;
        self.via = via;
        self.url = Some(url);
        let mut request = Request::get(bare);
        if let Some(cookies) = cookies {
            request = request.with("Cookie", &cookies);
        }
        Next::Ask(request)
    }

    /// The page itself, when its platform could not be asked: the hop that needed no request now is one.
    pub fn page_itself(&mut self, url: Url) -> Next {
        if self.hops.last().is_some_and(|hop| hop.at.is_none() && hop.url == url.as_str()) {
            self.hops.pop();
        }
        self.request(self.via, url)
    }

    /// Takes the answer to the last request.
    pub fn learn(&mut self, exchange: &Exchange) -> Next {
        let Some(url) = self.url.clone() else {
            return Next::End(Judged::new(Ending::Malformed, "an answer that was not asked for"));
        };
        let mut hop = self.hop(&url, self.via);
        hop.at = Some(exchange.at);
        hop.ms = Some(exchange.ms);
        hop.ip = exchange.remote.map(|address| address.ip().to_string());
        hop.evidence = exchange.evidence.clone();
        match &exchange.outcome {
            Err(failure) => {
                hop.error = Some(failure.to_string());
                self.hops.push(hop);
                Next::End(judge::failure(failure))
            }
            Ok(answer) => {
                hop.status = Some(answer.status);
                self.jar.learn(&url, answer);
                self.read(url, hop, answer)
            }
        }
    }

    fn read(&mut self, url: Url, mut hop: Hop, answer: &Answer) -> Next {
        let carried = carrier::read(&url, answer);
        hop.notes = carried.notes;
        self.said = carried.said;
        self.needs = carried.needs;
        hop.notes.dedup();
        match carried.to {
            None => {
                self.hops.push(hop);
                Next::Stand(Judged::new(Ending::Captured, ""))
            }
            Some((_, Err(text))) => {
                hop.to = Some(text.clone());
                self.hops.push(hop);
                Next::End(Judged::new(Ending::Malformed, format!("{url} leads to {text:?}, which is no URL")))
            }
            Some((via, Ok(to))) => {
                hop.to = Some(to.to_string());
                self.hops.push(hop);
                self.go(via, to)
            }
        }
    }

    /// The URL that led to the last one, if one did.
    pub fn before(&self) -> Option<Url> {
        let last = self.hops.len().checked_sub(2)?;
        self.hops.get(last).and_then(|hop| Url::parse(&hop.url).ok())
    }
}

/// The post's name, where some reader can read it. An archive's copy is what the statement cites, so it is fetched itself.
fn readable(named: &Named) -> Option<PostName> {
    let id = named.post.clone().filter(|_| named.way != permalink::Way::Archive)?;
    let name = PostName { platform: named.platform, id };
    registry::can_read(&name).then_some(name)
}
