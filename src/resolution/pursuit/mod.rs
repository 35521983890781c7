//! The pursuit of a citation: follows its link, asks the platform, looks into archives, and ends. Sans-I/O and bounded: it
//! ends whatever is answered, within its requests.

mod archive;
mod hops;
mod identity;
mod media;
mod platform;
mod quest;
mod thread;
mod versions;

use std::collections::{BTreeMap, VecDeque};

use jiff::{SignedDuration, Timestamp};
use url::Url;

use crate::citation::Kind;
use crate::format::http::Request;
use crate::platform::page;
use crate::platform::post::{Platform, Post};
use crate::platform::reader::Reader;
use crate::platform::registry;
use crate::platform::secret::Secret;
use crate::platform::x;
use crate::resolution::carrier::Via;
use crate::resolution::ending::Ending;
use crate::resolution::exchange::Exchange;
use crate::resolution::hop::{Ask, Page, Part, Resolution, Role, Step};
use crate::resolution::judge::Judged;
use crate::resolution::lookup::{Elsewhere, Lookup, Wanted};
use crate::resolution::trail::{Next, Trail};

/// How far a pursuit goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// exchanges of one chain of redirects
    pub max_hops: usize,
    /// requests of one citation, all told; only a chain of redirects may go on beyond them, up to `max_hops`
    pub requests: usize,
    /// ask t.co a second time, as a browser, and note what differs
    pub both_views: bool,
    /// look into web archives for what is gone or gated
    pub archives: bool,
    /// ask the platform for a post instead of its page
    pub platform: bool,
    /// fetch a post's pictures and videos
    pub media: bool,
    /// look for the lasting id of an account in web archives, where its own page does not tell
    pub accounts: bool,
    /// Memento TimeGates (RFC 7089) asked after the Wayback Machine; the URL sought is put behind each
    pub timegates: Vec<Url>,
    /// archive.today is asked after the Wayback Machine
    pub archive_today: bool,
    /// the user's own bearer token for the API of X
    pub x_bearer: Option<Secret>,
    /// where the statement says when: the copy nearest to it is taken
    pub near: Option<Timestamp>,
    /// from the first request of one citation to the last that is begun
    pub time: SignedDuration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            timegates: Vec::new(),
            archive_today: true,
            x_bearer: None,
            max_hops: 20,
            requests: 12,
            both_views: false,
            archives: true,
            platform: true,
            media: true,
            accounts: true,
            near: None,
            time: SignedDuration::from_mins(5),
        }
    }
}

impl Limits {
    /// The archives beside the Wayback Machine.
    fn elsewhere(&self) -> Elsewhere<'_> {
        Elsewhere { today: self.archive_today, timegates: &self.timegates }
    }

    /// Redirects alone: neither platforms nor archives nor media are asked.
    pub fn follow_only() -> Self {
        Self { archives: false, platform: false, media: false, accounts: false, ..Self::default() }
    }
}

/// Why a request was made.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Purpose {
    Hop,
    View(Url),
    Reader(u32),
    /// how a page says that it is embedded
    Embedded,
    Archive(u32),
    List(u32),
    Search,
    Media(media::Wanted),
}

/// What an archive is looked into for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Look {
    /// what is gone or gated
    Ending,
    /// who had the cited handle, where the post now has another
    Identity,
    /// the lasting id of an account
    Account,
}

/// The pursuit of one citation.
pub struct Pursuit {
    limits: Limits,
    out: Resolution,
    trail: Trail,
    queue: Vec<Ask>,
    pending: BTreeMap<u32, Purpose>,
    next: u32,
    spent: usize,
    reader: Option<Box<dyn Reader + Send>>,
    /// the first failure of a platform's exchange
    failure: Option<Judged>,
    lookup: Option<Lookup>,
    /// what the archive is looked into for
    look: Look,
    /// lookups still worth making
    lookups: VecDeque<Wanted>,
    /// the ending that stands unless an archive mends it
    judged: Option<Judged>,
    handle: Option<String>,
    /// the account of X that is pursued
    account: Option<String>,
    near: Option<Timestamp>,
    /// an archived redirect was followed; once is enough
    led: bool,
    /// rounds of lookups begun: one, and one more for where an archived redirect led
    looked: u8,
    page_asked: bool,
    quest: Option<quest::Quest>,
    media: VecDeque<media::Wanted>,
    /// versions of the post that are still to be asked for
    versions: Option<VecDeque<String>>,
    /// the post as a list has it, while it is asked for by itself
    listed: Option<(Post, Judged)>,
    /// the posts around it, while a quotation that joins several is taken apart
    thread: Option<thread::Thread>,
    began: Option<Timestamp>,
    /// the citation's time is used up: nothing more is asked
    late: bool,
    done: bool,
}

impl std::fmt::Debug for Pursuit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pursuit").field("start", &self.out.start).field("spent", &self.spent).finish_non_exhaustive()
    }
}

impl Pursuit {
    fn new(start: &str, limits: Limits) -> Self {
        let trail = Trail::new(limits.max_hops, limits.platform);
        let near = limits.near;
        Self {
            limits,
            out: Resolution::begun(start),
            trail,
            queue: Vec::new(),
            pending: BTreeMap::new(),
            next: 0,
            spent: 0,
            reader: None,
            failure: None,
            lookup: None,
            look: Look::Ending,
            lookups: VecDeque::new(),
            judged: None,
            handle: None,
            account: None,
            near,
            led: false,
            looked: 0,
            page_asked: false,
            quest: None,
            media: VecDeque::new(),
            versions: None,
            listed: None,
            thread: None,
            began: None,
            late: false,
            done: false,
        }
    }

    /// The pursuit of a link.
    pub fn link(url: &str, limits: Limits) -> Self {
        let mut pursuit = Self::new(url, limits);
        match parse(url) {
            Ok(url) => {
                let next = pursuit.trail.go(Via::Start, url);
                pursuit.apply(next);
            }
            Err(judged) => pursuit.end(judged),
        }
        pursuit
    }

    /// The pursuit of an account.
    pub fn handle(platform: Platform, handle: &str, limits: Limits) -> Self {
        let url = profile_url(platform, handle);
        let mut pursuit = Self::new(url.as_deref().unwrap_or(handle), limits);
        pursuit.handle = Some(handle.to_owned());
        pursuit.account = (platform == Platform::X && x::is_handle(handle)).then(|| handle.to_owned());
        let own = registry::profile(platform, handle).filter(|_| pursuit.limits.platform);
        match (own, url.and_then(|url| Url::parse(&url).ok())) {
            (Some(reader), url) => {
                pursuit.trail.url = url;
                pursuit.reader = Some(reader);
                pursuit.pump_reader();
            }
            (None, Some(url)) => {
                let next = pursuit.trail.go(Via::Start, url);
                pursuit.apply(next);
            }
            (None, None) => {
                let why = format!("no page of @{handle} on {} can be asked for", platform.as_str());
                pursuit.end(Judged::new(Ending::Unsupported, why));
            }
        }
        pursuit
    }

    /// The pursuit of a quoted post: by its permalink, by the links in it, or by who, when and which words. Any other kind of
    /// citation is pursued as what it is.
    pub fn post(kind: &Kind, limits: Limits) -> Self {
        match kind {
            Kind::Link { url, .. } => Self::link(url, limits),
            Kind::Handle { platform, handle } => Self::handle(*platform, handle, limits),
            Kind::Hashtag { tag } => {
                let mut pursuit = Self::new(tag, limits);
                pursuit.end(Judged::new(Ending::Unsupported, "hashtags are recorded, not resolved"));
                pursuit
            }
            Kind::Post { .. } => {
                let quest = quest::Quest::new(kind);
                let mut pursuit = Self::new(&quest.start(), limits);
                pursuit.near = quest.noon().or(pursuit.near); // the post's own day is nearer than the statement's
                pursuit.handle = quest.handle.clone();
                pursuit.quest = Some(quest);
                pursuit.go_on_quest();
                pursuit
            }
        }
    }

    // --- asking

    fn left(&self) -> usize {
        if self.late {
            return 0;
        }
        self.limits.requests.saturating_sub(self.spent)
    }

    fn ask(&mut self, role: Role, request: Request, purpose: Purpose) {
        self.spent += 1;
        self.queue.push(Ask { id: self.next, role, request });
        self.pending.insert(self.next, purpose);
        self.next += 1;
    }

    fn apply(&mut self, next: Next) {
        match next {
            Next::Ask(_) if self.late => {
                let why = format!("the hops took longer than {} s", self.limits.time.as_secs());
                self.end(Judged::new(Ending::Timeout, why));
            }
            Next::Ask(request) => self.ask(Role::Hop, request, Purpose::Hop),
            Next::Post(name, handle) => self.ask_platform(name, handle),
            Next::Stand(judged) | Next::End(judged) => self.close(judged),
        }
    }

    fn end(&mut self, judged: Judged) {
        self.out.ending = judged.ending;
        self.out.why = judged.why;
        self.lookups.clear();
        self.out.retry_at = self.out.retry_at.filter(|_| judged.ending.is_retryable());
        if self.out.final_url.is_none() {
            self.out.final_url = self.trail.url.as_ref().map(Url::to_string);
        }
        self.begin_views();
        self.begin_media();
        self.check_done();
    }

    fn check_done(&mut self) {
        self.done = self.pending.is_empty() && self.queue.is_empty() && self.media.is_empty();
    }

    fn note_part(&mut self, role: Role, exchange: &Exchange) {
        self.out.parts.push(Part::of(role, exchange));
    }
}

impl Step for Pursuit {
    type Out = Resolution;

    fn asks(&mut self) -> Vec<Ask> {
        let asks = std::mem::take(&mut self.queue);
        self.check_done();
        asks
    }

    fn learn(&mut self, id: u32, exchange: Exchange) {
        let Some(purpose) = self.pending.remove(&id) else { return };
        let role = match &purpose {
            Purpose::Hop => Role::Hop,
            Purpose::View(_) | Purpose::Embedded | Purpose::Reader(_) | Purpose::List(_) => Role::Platform,
            Purpose::Archive(_) | Purpose::Search => Role::Archive,
            Purpose::Media(_) => Role::Media,
        };
        self.note_part(role, &exchange);
        let began = self.began.map_or(exchange.at, |began| began.min(exchange.at));
        self.began = Some(began);
        self.late |= exchange.ended().duration_since(began) >= self.limits.time;
        match purpose {
            Purpose::Hop => self.hop_learned(exchange),
            Purpose::View(url) => self.viewed(&url, &exchange),
            Purpose::Embedded => self.embedded_came(&exchange),
            Purpose::Reader(id) => self.reader_learned(id, &exchange),
            Purpose::Archive(id) => {
                if let Some(lookup) = &mut self.lookup {
                    let why = exchange.outcome.as_ref().err().map(ToString::to_string).unwrap_or_default();
                    lookup.learn(id, exchange.outcome.as_ref().map_err(|_| why.as_str()));
                }
                self.pump_lookup();
            }
            Purpose::List(id) => self.list_learned(id, &exchange),
            Purpose::Search => self.search_learned(&exchange),
            Purpose::Media(wanted) => self.media_came(wanted, &exchange),
        }
        self.check_done();
    }

    fn done(&self) -> bool {
        self.done
    }

    fn finish(self) -> Resolution {
        let mut out = self.out;
        out.hops = self.trail.hops;
        out
    }
}

fn page_of(said: page::Said) -> Page {
    Page {
        title: said.title,
        text: said.text,
        author: said.author,
        published: said.published,
        language: said.language,
        canonical: said.canonical,
    }
}

/// A link as a statement has it; one without scheme is taken as https.
fn parse(text: &str) -> Result<Url, Judged> {
    let text = text.trim();
    let parsed = Url::parse(text).or_else(|bad| match bad {
        url::ParseError::RelativeUrlWithoutBase if text.contains('.') => {
            Url::parse(&format!("https://{}", text.trim_start_matches('/')))
        }
        other => Err(other),
    });
    parsed.map_err(|bad| Judged::new(Ending::Malformed, format!("{text:?} is no URL: {bad}")))
}

fn profile_url(platform: Platform, handle: &str) -> Option<String> {
    let federated = || {
        let (user, host) = handle.split_once('@')?;
        Some(format!("https://{host}/@{user}"))
    };
    match platform {
        Platform::X => x::is_handle(handle).then(|| format!("https://x.com/{handle}")),
        Platform::Bluesky => Some(format!("https://bsky.app/profile/{handle}")),
        Platform::Mastodon => federated(),
        Platform::Telegram => Some(format!("https://t.me/s/{handle}")),
        Platform::Youtube => Some(format!("https://www.youtube.com/@{handle}")),
        Platform::Reddit => Some(format!("https://www.reddit.com/user/{handle}/")),
        Platform::Instagram => Some(format!("https://www.instagram.com/{handle}/")),
        Platform::Facebook => Some(format!("https://www.facebook.com/{handle}")),
        Platform::Threads => Some(format!("https://www.threads.com/@{handle}")),
        Platform::Tiktok => Some(format!("https://www.tiktok.com/@{handle}")),
    }
}
