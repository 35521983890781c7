//! Everything the replica knows, and the one question put to it: what is answered to this request?

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::hosts::{self, wayback};
use crate::post::Post;
use crate::reply::{Answer, RawResponse, Reply, Then};
use crate::request::Request;
use crate::tls::CertificateFault;
use crate::transactions::{self, Transaction};
use crate::{Options, cast, demo, fixtures};

/// What is answered where platforms differ, changed over time, or nobody has looked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Switches {
    /// Rows of the transactions marked `guess` are answered too.
    pub guesses: bool,
    /// What x.com answers to a page request.
    pub x_pages: XPages,
    /// Whether pic.twitter.com leads to the post at once, not through t.co.
    pub pic_direct: bool,
    /// Whether a permalink under a wrong handle leads to the true author's (until 2019-09).
    pub true_author: bool,
    /// Which way publish.twitter.com and publish.x.com point: as in 2024, not as in 2026.
    pub oembed_2024: bool,
    /// Whether the ids and cookies of t.co differ from answer to answer.
    pub vary: bool,
    /// How many lookups pass before a saved page is found in the archive.
    pub save_lag: usize,
    /// How many times a save is pending before it is done.
    pub save_polls: usize,
    /// What the Bluesky server gives as proof of the signed post.
    pub proof: Proof,
    /// Whether api.x.com still gives guests a token.
    pub guests: bool,
    /// A fixture under `x/graphql` (without `.json`) that every GraphQL request is answered with.
    pub graphql: Option<&'static str>,
    /// Whether exchanges are logged and digested; off for load.
    pub log: bool,
}

impl Default for Switches {
    fn default() -> Switches {
        Switches {
            guesses: true,
            x_pages: XPages::Shell,
            pic_direct: false,
            true_author: false,
            oembed_2024: false,
            vary: false,
            save_lag: 0,
            save_polls: 1,
            proof: Proof::Honest,
            guests: false,
            graphql: None,
            log: true,
        }
    }
}

/// What x.com answers to a page request (PLATFORMS 1.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum XPages {
    /// 200 and a page that is nothing without its script (2026).
    Shell,
    /// 200 and a refresh to twitter.com/x/migrate, which leads back (2024).
    Migrate,
    /// 403 (2026, some clients).
    Blocked,
}

/// What the Bluesky server gives as proof of the signed post.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// The proof.
    Honest,
    /// One block is not what its CID says.
    Tampered,
    /// The commit is signed by another key.
    ForgedKey,
}

/// How a host fails.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outage {
    /// Nobody listens ([`crate::Replica::connect_to`] leads to a closed port; else a reset).
    Refuse,
    /// The connection is reset: before the handshake, or in place of an answer.
    Reset,
    /// The connection stays silent.
    Hang,
    /// The name leads nowhere ([`crate::Replica::connect_to`] leads to a name that does not exist).
    NoSuchHost,
    /// The certificate is bad.
    Certificate(CertificateFault),
    /// Every answer is this status.
    Status(u16),
    /// 429 to everything, with this Retry-After.
    RateLimited(Option<u32>),
}

/// Everything the replica knows.
#[derive(Debug, Default)]
pub struct World {
    /// What is answered where platforms differ.
    pub switches: Switches,
    /// What is deleted: URLs without scheme, posts by name (`x:ID`).
    pub gone: BTreeSet<String>,
    /// Hosts that fail.
    pub outages: BTreeMap<String, Outage>,
    /// How long every answer waits, by host; `""` is every other host.
    pub latencies: BTreeMap<String, Duration>,
    /// Posts on X, by id.
    pub posts: BTreeMap<u64, Post>,
    /// t.co and pic codes, exactly as spelt, and where they lead.
    pub codes: BTreeMap<String, String>,
    /// Pages and files, by `host/path?query` or `host/path`.
    pub pages: BTreeMap<String, Answer>,
    /// What the web archive holds, in the order of its index.
    pub captures: Vec<Arc<wayback::Capture>>,
    /// What archive.today holds: the original URL and fourteen digits.
    pub archive_today: Vec<(String, String)>,
    /// Posts on a Mastodon server, by `host/id`.
    pub fediverse: BTreeMap<String, hosts::mastodon::Status>,
    /// Posts in Telegram channels, by `channel/number`.
    pub telegram: BTreeMap<String, hosts::telegram::Message>,
    /// Posts on Reddit, by id.
    pub reddit: BTreeMap<String, hosts::reddit::Submission>,
    /// Videos on YouTube, by id.
    pub videos: BTreeMap<String, hosts::youtube::Video>,
    /// Handles on Bluesky that were changed: since when, and to what.
    pub renamed: BTreeMap<String, (String, String)>,
    /// Posts on Bluesky beyond the signed ones, by at-URI.
    pub bluesky: BTreeMap<String, hosts::bluesky::Composed>,
    /// The posts composed for statements, by what is the matter with them (see the README's table).
    pub cast: BTreeMap<&'static str, u64>,
    routes: BTreeMap<String, Answer>,
    transactions: Vec<Transaction>,
    pub(crate) saves: Mutex<wayback::Saves>,
    pub(crate) served: AtomicU64,
    pub(crate) counters: Mutex<BTreeMap<String, u64>>,
}

impl World {
    /// The plain demo world, changed as the options say.
    pub fn new(options: &Options) -> World {
        let mut world = World {
            switches: options.switches.clone(),
            gone: options.gone.iter().cloned().collect(),
            outages: options.outages.iter().cloned().collect(),
            transactions: transactions::read(fixtures::text("http-transactions.json")),
            ..World::default()
        };
        world.latencies.insert(String::new(), options.latency);
        fixtures::populate(&mut world);
        demo::populate(&mut world);
        cast::populate(&mut world);
        hosts::populate(&mut world);
        world
    }

    /// How long an answer of this host waits.
    pub fn latency(&self, host: &str) -> Duration {
        let named = self.latencies.get(host).or_else(|| self.latencies.get(""));
        named.copied().unwrap_or(crate::server::NO_LATENCY)
    }

    /// Answers `host` + `target` like this from now on, before all else. A target without a query stands for any query.
    pub fn route(&mut self, host: &str, target: &str, answer: impl Into<Answer>) {
        self.routes.insert(format!("{host}{target}"), answer.into());
    }

    /// Takes a route back.
    pub fn unroute(&mut self, host: &str, target: &str) {
        self.routes.remove(&format!("{host}{target}"));
    }

    /// Sets a page or file at `host/path`, beneath routes, outages and what is gone.
    pub fn page(&mut self, place: &str, answer: impl Into<Answer>) {
        self.pages.insert(place.to_owned(), answer.into());
    }

    /// Makes a t.co (and pic.twitter.com) code lead somewhere.
    pub fn code(&mut self, code: &str, target: &str) {
        self.codes.insert(code.to_owned(), target.to_owned());
    }

    /// Adds a capture to the web archive.
    pub fn capture(&mut self, capture: wayback::Capture) {
        let order = |row: &Arc<wayback::Capture>| {
            (&row.key, &row.stamp, &row.original) < (&capture.key, &capture.stamp, &capture.original)
        };
        let at = self.captures.partition_point(order);
        self.captures.insert(at, Arc::new(capture));
    }

    /// Keeps in the web archive what stands at a URL now, as the archive's own client is answered.
    pub fn keep(&mut self, url: &str, at: jiff::Timestamp) {
        let capture = wayback::save::taken(self, url, at);
        self.capture(capture);
    }

    /// The rows of the transactions, for tests that walk them.
    pub fn transactions(&self) -> &[Transaction] {
        &self.transactions
    }

    /// Whether this URL or post was deleted in this world.
    pub fn is_gone(&self, name: &str) -> bool {
        self.gone.contains(name)
    }

    /// What is answered to this request.
    pub fn answer(&self, request: &Request) -> Answer {
        if let Some(answer) = lookup(&self.routes, request) {
            return answer.clone();
        }
        if let Some(answer) = self.outages.get(&request.host).and_then(outage) {
            return answer;
        }
        if self.is_gone(&format!("{}{}", request.host, request.target))
            || self.is_gone(&format!("{}{}", request.host, request.path()))
        {
            return hosts::not_found(410, request).into();
        }
        if let Some(answer) = transactions::answer(&self.transactions, request, self.switches.guesses) {
            return answer;
        }
        hosts::answer(self, request)
            .or_else(|| lookup(&self.pages, request).cloned())
            .unwrap_or_else(|| hosts::not_found(404, request).into())
            .negotiated(request.header("accept-encoding").unwrap_or_default())
    }
}

fn lookup<'a>(places: &'a BTreeMap<String, Answer>, request: &Request) -> Option<&'a Answer> {
    places
        .get(&format!("{}{}", request.host, request.target))
        .or_else(|| places.get(&format!("{}{}", request.host, request.path())))
}

fn outage(outage: &Outage) -> Option<Answer> {
    match outage {
        Outage::Refuse | Outage::Reset | Outage::NoSuchHost => Some(RawResponse::only(Then::Reset).into()),
        Outage::Hang => Some(RawResponse::only(Then::Hang).into()),
        Outage::Certificate(_) => None,
        Outage::Status(status) => {
            Some(Reply::html(*status, format!("<!doctype html><title>{status}</title><h1>{status}</h1>")).into())
        }
        Outage::RateLimited(wait) => {
            let reply = Reply::html(429, "<!doctype html><title>429 Too Many Requests</title>");
            Some(wait.map_or(reply.clone(), |seconds| reply.with("retry-after", seconds.to_string())).into())
        }
    }
}
