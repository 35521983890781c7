//! The pursuit of a citation: follows its link, asks the platform, looks into archives, and ends. Sans-I/O and bounded: it
//! ends whatever is answered, within its requests.

mod identity;
mod media;
mod post;
mod versions;

use std::collections::{BTreeMap, VecDeque};

use jiff::{SignedDuration, Timestamp};
use url::Url;

use crate::citation::Kind;
use crate::format::http::{Answer, Request};
use crate::platform::page;
use crate::platform::permalink;
use crate::platform::post::{Platform, PostName};
use crate::platform::reader::{Read, Reader, State};
use crate::platform::registry::{self, Aids};
use crate::platform::secret::Secret;
use crate::platform::x;
use crate::resolution::carrier::Via;
use crate::resolution::ending::Ending;
use crate::resolution::exchange::{Exchange, Failure};
use crate::resolution::hop::{Ask, FromArchive, Page, Part, Resolution, Role, Step};
use crate::resolution::judge::{self, Judged};
use crate::resolution::lookup::{Elsewhere, Found, Lookup, Sought, Wanted};
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
    Archive(u32),
    Search(u32),
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
    quest: Option<post::Quest>,
    media: VecDeque<media::Wanted>,
    /// versions of the post that are still to be asked for
    versions: Option<VecDeque<String>>,
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
                let quest = post::Quest::new(kind);
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

    fn ask_platform(&mut self, name: PostName, handle: Option<String>) {
        if handle.as_deref().is_some_and(|h| !h.is_empty() && h != "i") {
            self.handle = handle;
        }
        if let Some(quest) = &mut self.quest
            && !quest.reached(&name)
        {
            return self.go_on_quest(); // this post was looked at before
        }
        self.reader =
            registry::reader(&name, Aids { page: self.trail.url.as_ref(), x_bearer: self.limits.x_bearer.as_ref() });
        self.out.names = Some(name);
        self.pump_reader();
    }

    /// Makes the reader's requests while there are any left, and hears it out when it is done.
    fn pump_reader(&mut self) {
        let Some(mut reader) = self.reader.take() else { return };
        loop {
            let asks = reader.asks();
            if asks.is_empty() {
                break;
            }
            for (id, request) in asks {
                if self.left() > 0 {
                    self.ask(Role::Platform, request, Purpose::Reader(id));
                } else {
                    reader.learn(id, Err("the requests of this citation are used up"));
                }
            }
        }
        if reader.done() {
            let read = reader.finish();
            self.read(read);
        } else {
            self.reader = Some(reader);
        }
    }

    fn read(&mut self, read: Read) {
        if self.versions.is_some() {
            return self.version_read(read);
        }
        self.out.notes.extend(read.notes);
        self.out.attestations.extend(read.attestations);
        self.out.known.extend(read.known);
        if let (Some(name), Some(asked)) = (read.name, &mut self.out.names) {
            *asked = name;
        }
        if let Some(account) = read.author {
            self.out.account = Some(account);
        }
        if let Some(post) = read.post {
            return self.have(post, Judged::new(Ending::Captured, read.why), None);
        }
        if self.out.account.is_some() && read.state.is_none() {
            return self.close(Judged::new(Ending::Captured, read.why));
        }
        let state = read.state.unwrap_or(State::Unknown);
        let judged = match (&self.failure, state) {
            (Some(failure), State::Unknown) => failure.clone(),
            _ => judge::state(state, &read.why),
        };
        let soft = match state {
            State::Unknown | State::ServerError | State::Blocked | State::RateLimited => true,
            // a server that shows its API to members alone may still show its pages to everybody
            State::LoginGated => self.out.names.as_ref().is_some_and(|name| name.platform == Platform::Mastodon),
            _ => false,
        };
        match self
            .trail
            .url
            .clone()
            .filter(|_| soft && !self.page_asked && judged.ending != Ending::Offline && self.left() > 0)
        {
            Some(url) => {
                // the platform's refusal and the page itself are both on record
                self.page_asked = true;
                self.judged = Some(judged);
                let next = self.trail.page_itself(url);
                self.apply(next);
            }
            None => self.close(judged),
        }
    }

    // --- ending

    /// The ending as the chain or the platform has it: final where an archive has nothing to mend.
    fn close(&mut self, judged: Judged) {
        self.out.final_url = self.trail.url.as_ref().map(Url::to_string);
        if self.quest.as_ref().is_some_and(|quest| !quest.is_over()) && judged.ending != Ending::Offline {
            return self.lead_failed(judged);
        }
        if self.wants_account(&judged) {
            return self.look_for_account(judged);
        }
        let idle = self.lookups.is_empty() && self.lookup.is_none() && self.looked < 2;
        if self.limits.archives && judge::worth_an_archive(judged.ending) && idle {
            self.looked += 1;
            self.judged = Some(judged);
            self.lookups = self.what_to_look_up();
            return self.look_up();
        }
        self.end(judged);
    }

    fn what_to_look_up(&self) -> VecDeque<Wanted> {
        let mut all = VecDeque::new();
        if let Some(name) = &self.out.names {
            all.push_back(Wanted::Post(self.sought(name)));
        } else if let Some(url) = &self.trail.url {
            all.push_back(Wanted::Page(url.clone()));
        }
        if self.quest.is_none()
            && !self.led
            && let Ok(start) = parse(&self.out.start)
            && self.trail.url.as_ref() != Some(&start)
        {
            all.push_back(Wanted::Page(start));
        }
        all
    }

    fn sought(&self, name: &PostName) -> Sought {
        let page = self.trail.url.clone();
        Sought { name: name.clone(), handle: self.handle.clone(), page }
    }

    fn look_up(&mut self) {
        let Some(wanted) = self.lookups.pop_front().filter(|_| self.left() > 0) else {
            self.lookups.clear();
            let judged = self.judged.take().unwrap_or_else(|| Judged::new(Ending::Gone, "nothing was found"));
            return self.end(judged);
        };
        self.lookup = Some(Lookup::new(wanted, self.near, self.limits.elsewhere()));
        self.pump_lookup();
    }

    fn pump_lookup(&mut self) {
        let Some(mut lookup) = self.lookup.take() else { return };
        loop {
            let asks = lookup.asks();
            if asks.is_empty() {
                break;
            }
            for (id, request) in asks {
                if self.left() > 0 {
                    self.ask(Role::Archive, request, Purpose::Archive(id));
                } else {
                    lookup.learn(id, Err("the requests of this citation are used up"));
                }
            }
        }
        if lookup.done() {
            let (found, answer) = lookup.finish();
            self.found(found, answer.as_ref());
        } else {
            self.lookup = Some(lookup);
        }
    }

    fn found(&mut self, found: Found, answer: Option<&Answer>) {
        if self.look != Look::Ending {
            return self.identity_found(found);
        }
        let ended = self.judged.as_ref().map(|j| format!("{} ({})", j.why, j.ending.as_str())).unwrap_or_default();
        let why = |from: &FromArchive| format!("{ended}; {} keeps a copy of {}", from.archive, from.at);
        match found {
            Found::Post(post, from) => {
                let judged = Judged::new(Ending::CapturedFromArchive, why(&from));
                self.have(*post, judged, Some(from));
            }
            Found::Page(said, from) => {
                let why = why(&from);
                if self.out.names.is_some() {
                    self.out.notes.push(
                        "the archive's copy is of the post's page, which shows the post in no known shape".to_owned(),
                    );
                }
                self.out.page = Some(page_of(*said));
                self.keep_copy(from, answer, why);
            }
            Found::Bytes(from) => {
                let why = why(&from);
                self.keep_copy(from, answer, why);
            }
            // Where it led before its end was reached another way, nothing is learnt by going there again.
            Found::Leads(url, from) if !self.led && !self.trail.has_passed(&url) => {
                self.out.notes.push(format!("{} keeps a redirect of {}: it led to {url}", from.archive, from.at));
                self.lookups.clear();
                self.led = true;
                let next = self.trail.go(Via::Http(301), url);
                self.apply(next);
            }
            Found::Leads(..) | Found::Account(..) | Found::Nothing(_) => {
                if let Found::Nothing(why) = found {
                    self.out.notes.push(why);
                }
                if self.quest.as_ref().is_some_and(|quest| !quest.is_over()) {
                    let judged = self.judged.take().unwrap_or_else(|| Judged::new(Ending::Gone, "nothing was found"));
                    return self.lead_failed(judged);
                }
                self.look_up();
            }
        }
    }

    fn keep_copy(&mut self, from: FromArchive, answer: Option<&Answer>, why: String) {
        if let Some(answer) = answer {
            self.out.truncated = answer.truncated;
            self.out.unread.clone_from(&answer.unread);
        }
        self.out.from_archive = Some(from);
        self.end(Judged::new(Ending::CapturedFromArchive, why));
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

    // --- t.co as a browser sees it

    fn begin_views(&mut self) {
        if !self.limits.both_views || self.left() == 0 {
            return;
        }
        let short = self.trail.hops.iter().find(|hop| hop.url.contains("://t.co/") && hop.at.is_some());
        if let Some(url) = short.and_then(|hop| Url::parse(&hop.url).ok()) {
            let request = Request::get(url.clone()).with("User-Agent", BROWSER);
            self.ask(Role::Platform, request, Purpose::View(url));
        }
    }

    fn viewed(&mut self, url: &Url, exchange: &Exchange) {
        let first = self.trail.hops.iter().find(|hop| hop.url == url.as_str()).and_then(|hop| hop.to.clone());
        let second = match &exchange.outcome {
            Ok(answer) => crate::resolution::carrier::read(url, answer).to.map_or_else(
                || format!("status {}", answer.status),
                |(_, to)| to.map_or_else(|bad| bad, |to| to.to_string()),
            ),
            Err(failure) => failure.to_string(),
        };
        let note = if first.as_deref() == Some(second.as_str()) {
            format!("{url} leads a browser to the same place")
        } else {
            format!("{url} leads a plain client to {} and a browser to {second}", first.as_deref().unwrap_or("nothing"))
        };
        self.out.notes.push(note);
    }

    // --- hearing

    fn hop_learned(&mut self, exchange: Exchange) {
        let next = self.trail.learn(&exchange);
        let (Next::Stand(_), Ok(answer), Some(url)) = (&next, &exchange.outcome, self.trail.url.clone()) else {
            if let Err(Failure::RateLimited(at)) = &exchange.outcome {
                self.out.retry_at = Some(*at);
            }
            if self.page_asked {
                return self.page_came(None);
            }
            return self.apply(next);
        };
        let said = page::read(answer);
        let judged = judge::answer(&url, self.trail.before().as_ref(), answer, said.as_ref());
        self.out.truncated = answer.truncated;
        self.out.unread.clone_from(&answer.unread);
        self.out.payload = exchange.evidence.as_ref().and_then(|e| e.payload);
        self.out.retry_at = judge::retry_at(answer, exchange.at).or(self.out.retry_at);
        if self.page_asked {
            return self.page_came(Some((judged, said, answer)));
        }
        if judged.ending == Ending::Captured {
            self.out.page = said.map(page_of);
            self.out.answer = Some(answer.clone());
            self.archived_post(&url, answer, exchange.at);
            self.note_shell(&url, answer);
        }
        self.close(judged);
    }

    /// The page of a post whose platform would not tell: on record; on X it proves nothing, for it is the same shell for
    /// every post there is or is not.
    fn page_came(&mut self, page: Option<(Judged, Option<page::Said>, &Answer)>) {
        let first = self.judged.take().unwrap_or_else(|| Judged::new(Ending::Unsupported, "the platform did not tell"));
        let on_x = self.out.names.as_ref().is_none_or(|name| name.platform == Platform::X);
        let shown = |(judged, _, answer): &(Judged, Option<page::Said>, &Answer)| {
            let name = self.out.names.as_ref().filter(|_| !on_x && judged.ending == Ending::Captured)?;
            registry::kept(name, answer)
        };
        if let Some(post) = page.as_ref().and_then(shown) {
            let why = format!("the post's own page; {}", first.why);
            return self.have(post, Judged::new(Ending::Captured, why), None);
        }
        match page {
            Some((judged, said, _)) if !on_x && first.ending != Ending::LoginGated => {
                if judged.ending == Ending::Captured {
                    self.out.page = said.map(page_of);
                }
                self.close(Judged::new(judged.ending, format!("{}; {}", judged.why, first.why)));
            }
            _ => self.close(first),
        }
    }

    /// X sends everybody the same page; what it shows comes by script.
    fn note_shell(&mut self, url: &Url, answer: &Answer) {
        let content_type = answer.headers.get("content-type").unwrap_or_default();
        let on_x = url.host_str().is_some_and(|host| x::HOSTS.contains(&host));
        if on_x && x::legacy::is_shell(&crate::format::markup::decode(&answer.body, &content_type)) {
            self.out.notes.push(
                "the page is an empty shell until its scripts run: it shows nothing of the account or post".to_owned(),
            );
        }
    }

    /// A link to an archive's copy of a post: what is kept is the copy, and it may be read.
    fn archived_post(&mut self, url: &Url, answer: &Answer, at: Timestamp) {
        let Some(archived) = permalink::archived(url.as_str()) else { return };
        let named = permalink::read(url.as_str());
        let captured = archived.at.as_deref().and_then(crate::platform::wayback::instant);
        self.out.from_archive = Some(FromArchive {
            archive: archived.host,
            url: url.to_string(),
            at: captured.unwrap_or(at),
            digest: None,
            digest_matches: None,
        });
        let named = named.and_then(|n| Some(PostName { platform: n.platform, id: n.post? }));
        if let Some(name) = named.filter(registry::can_read) {
            self.out.post = registry::kept(&name, answer);
            self.out.names = Some(self.out.post.as_ref().map_or(name, |post| post.name.clone()));
        }
    }

    fn reader_learned(&mut self, id: u32, exchange: &Exchange) {
        if let (Err(failure), None) = (&exchange.outcome, &self.failure) {
            self.failure = Some(judge::failure(failure));
        }
        if let Err(Failure::RateLimited(at)) = &exchange.outcome {
            self.out.retry_at = Some(*at);
        }
        if let Ok(answer) = &exchange.outcome
            && answer.status == 429
        {
            self.out.retry_at = judge::retry_at(answer, exchange.at);
        }
        if let Some(reader) = &mut self.reader {
            let why = exchange.outcome.as_ref().err().map(ToString::to_string).unwrap_or_default();
            reader.learn(id, exchange.outcome.as_ref().map_err(|_| why.as_str()));
        }
        self.pump_reader();
    }

    fn note_part(&mut self, role: Role, exchange: &Exchange) {
        self.out.parts.push(Part::of(role, exchange));
    }
}

/// What t.co takes for a browser.
const BROWSER: &str =
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36";

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
            Purpose::View(_) | Purpose::Reader(_) => Role::Platform,
            Purpose::Archive(_) | Purpose::Search(_) => Role::Archive,
            Purpose::Media(_) => Role::Media,
        };
        self.note_part(role, &exchange);
        let began = self.began.map_or(exchange.at, |began| began.min(exchange.at));
        self.began = Some(began);
        self.late |= exchange.ended().duration_since(began) >= self.limits.time;
        match purpose {
            Purpose::Hop => self.hop_learned(exchange),
            Purpose::View(url) => self.viewed(&url, &exchange),
            Purpose::Reader(id) => self.reader_learned(id, &exchange),
            Purpose::Archive(id) => {
                if let Some(lookup) = &mut self.lookup {
                    let why = exchange.outcome.as_ref().err().map(ToString::to_string).unwrap_or_default();
                    lookup.learn(id, exchange.outcome.as_ref().map_err(|_| why.as_str()));
                }
                self.pump_lookup();
            }
            Purpose::Search(id) => self.search_learned(id, &exchange),
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
