//! A look into web archives for what is gone: the Wayback Machine's index, then the mementos nearest the cited date, told from the
//! archive's own pages; then archive.today's list, then every TimeGate. What is found names whose copy it is and of when.

use std::collections::{BTreeMap, VecDeque};

use jiff::Timestamp;
use url::Url;

use crate::format::http::{Answer, Request};
use crate::platform::archive_today;
use crate::platform::page;
use crate::platform::permalink;
use crate::platform::post::{Author, Platform, Post, PostName};
use crate::platform::registry;
use crate::platform::wayback::{self, Index, Memento, Row};
use crate::platform::x;
use crate::resolution::hop::FromArchive;
use crate::resolution::judge;

/// What is looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// a page
    Page(Url),
    /// a post
    Post(Sought),
    /// the profile page of an account of X
    Account(String),
}

/// A post to be found, and what its old URLs are made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sought {
    /// its name
    pub name: PostName,
    /// its author's handle, where it is known
    pub handle: Option<String>,
    /// the page that the statement names, where it does
    pub page: Option<Url>,
}

/// What was found.
#[derive(Clone, Debug, PartialEq)]
pub enum Found {
    /// the post
    Post(Box<Post>, FromArchive),
    /// the account
    Account(Author, FromArchive),
    /// the page
    Page(Box<page::Said>, FromArchive),
    /// a kept answer that is no text
    Bytes(FromArchive),
    /// a redirect of then: where it led
    Leads(Url, FromArchive),
    /// nothing, and why
    Nothing(String),
}

/// Rows asked of the index at once.
const ROWS: usize = 200;
/// Mementos tried of one lookup.
const TRIES: usize = 4;
/// Redirects of the archive between its own captures.
const ARCHIVE_HOPS: usize = 3;

/// Archives asked after the Wayback Machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct Elsewhere<'a> {
    /// archive.today is
    pub today: bool,
    /// and each of these, the URL sought put behind it
    pub timegates: &'a [Url],
}

/// The lookup, sans-I/O.
#[derive(Debug)]
pub struct Lookup {
    wanted: Wanted,
    near: Option<Timestamp>,
    indexes: VecDeque<String>,
    today: bool,
    gates: VecDeque<Url>,
    /// archive.today's copies, the nearest first
    copies: VecDeque<(Timestamp, Url)>,
    rows: VecDeque<Row>,
    queue: Vec<(u32, Request)>,
    pending: BTreeMap<u32, Pending>,
    next: u32,
    tries: usize,
    hops: usize,
    found: Option<Found>,
    notes: Vec<String>,
    answer: Option<Answer>,
    /// the page of a post, kept, with the post in no shape that can be read: better than nothing
    page: Option<(Found, Answer)>,
}

#[derive(Debug)]
enum Pending {
    Index,
    Memento(Box<Row>, Url),
    /// archive.today's list of copies
    List,
    /// one of them, of that instant
    Copy(Timestamp, Url),
}

impl Lookup {
    /// Looks for `wanted`, nearest to `near` where the statement gives a date.
    pub fn new(wanted: Wanted, near: Option<Timestamp>, elsewhere: Elsewhere<'_>) -> Self {
        let indexes = spellings(&wanted);
        let gates = elsewhere.timegates.iter().cloned().collect();
        let mut lookup = Self {
            wanted,
            near,
            indexes,
            today: elsewhere.today,
            gates,
            copies: VecDeque::new(),
            rows: VecDeque::new(),
            queue: Vec::new(),
            pending: BTreeMap::new(),
            next: 0,
            tries: 0,
            hops: 0,
            found: None,
            notes: Vec::new(),
            answer: None,
            page: None,
        };
        lookup.go_on();
        lookup
    }

    /// The same, where the index was already asked for these rows.
    pub fn with_rows(wanted: Wanted, near: Option<Timestamp>, rows: &[Row], elsewhere: Elsewhere<'_>) -> Self {
        let mut lookup = Self::new(wanted, near, elsewhere);
        lookup.indexes.clear();
        lookup.queue.clear();
        lookup.pending.clear();
        lookup.take(rows.to_vec());
        lookup.go_on();
        lookup
    }

    /// New requests.
    pub fn asks(&mut self) -> Vec<(u32, Request)> {
        std::mem::take(&mut self.queue)
    }

    /// The answer to a request, or why there is none.
    pub fn learn(&mut self, id: u32, answer: Result<&Answer, &str>) {
        let Some(pending) = self.pending.remove(&id) else { return };
        match (pending, answer) {
            (_, Err(why)) => self.notes.push(format!("the archive gave no answer: {why}")),
            (Pending::Index, Ok(answer)) => self.index(answer),
            (Pending::Memento(row, url), Ok(answer)) => self.memento(*row, &url, answer),
            (Pending::List, Ok(answer)) => self.list(answer),
            (Pending::Copy(at, url), Ok(answer)) => self.copy(at, &url, answer),
        }
        if self.found.is_none() && self.pending.is_empty() && self.queue.is_empty() {
            self.go_on();
        }
    }

    /// Whether nothing is asked or awaited.
    pub fn done(&self) -> bool {
        self.pending.is_empty() && self.queue.is_empty()
    }

    /// What it came to, and the kept answer it rests on.
    pub fn finish(self) -> (Found, Option<Answer>) {
        if let (None, Some((found, answer))) = (&self.found, self.page) {
            return (found, Some(answer));
        }
        let nothing = || match self.notes.as_slice() {
            [] => format!("{} keeps no copy that can be read", wayback::HOST),
            notes => notes.join("; "),
        };
        (self.found.unwrap_or_else(|| Found::Nothing(nothing())), self.answer)
    }

    fn ask(&mut self, request: Request, pending: Pending) {
        self.queue.push((self.next, request));
        self.pending.insert(self.next, pending);
        self.next += 1;
    }

    fn go_on(&mut self) {
        if self.tries < TRIES
            && let Some(row) = self.rows.pop_front()
        {
            self.tries += 1;
            self.hops = 0;
            if let Some(url) = row.memento() {
                self.ask(Request::get(url.clone()), Pending::Memento(Box::new(row), url));
            }
        } else if let Some(url) = self.indexes.pop_front()
            && let Some(request) = wayback::cdx(&url, ROWS)
        {
            self.ask(request, Pending::Index);
        } else if self.tries < TRIES
            && let Some((at, url)) = self.copies.pop_front()
        {
            self.tries += 1;
            self.ask(Request::get(url.clone()), Pending::Copy(at, url));
        } else if std::mem::take(&mut self.today) && self.page.is_none() {
            self.tries = 0;
            if let Some(request) = archive_today::list(&sought(&self.wanted)) {
                self.ask(request, Pending::List);
            } else {
                self.go_on();
            }
        } else if let Some(gate) = self.gates.pop_front() {
            self.knock(&gate);
        }
    }

    /// Asks a TimeGate for the copy nearest to the cited time (RFC 7089 §4.2); its answer is read as any memento's is.
    fn knock(&mut self, gate: &Url) {
        let original = sought(&self.wanted);
        let Ok(url) = Url::parse(&format!("{gate}{original}")) else { return };
        let mut request = Request::get(url.clone());
        if let Some(near) = self.near {
            request = request.with("Accept-Datetime", &near.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string());
        }
        self.hops = 0;
        let row = Row { original, ..Row::default() };
        self.ask(request, Pending::Memento(Box::new(row), url));
    }

    fn list(&mut self, answer: &Answer) {
        match archive_today::copies(answer) {
            Ok(mut copies) => {
                let near = self.near.map_or(i64::MAX, Timestamp::as_second);
                copies.sort_by_key(|(at, _)| at.as_second().saturating_sub(near).saturating_abs());
                self.copies = copies.into();
            }
            Err(why) => self.notes.push(why),
        }
    }

    /// The list says of when it is; the page itself may say nothing of that, and a challenge is none of its copies.
    fn copy(&mut self, at: Timestamp, url: &Url, answer: &Answer) {
        match wayback::memento(url, answer) {
            Memento::Kept { at } => self.kept(&Row::default(), url, at, answer),
            Memento::Own if answer.status == 200 => self.kept(&Row::default(), url, at, answer),
            Memento::RateLimited | Memento::Excluded => {
                self.notes.push(format!(
                    "{} asks for a person to read a picture (status {})",
                    host(url),
                    answer.status
                ));
                self.copies.clear();
            }
            _ => self.notes.push(format!("{url} is no copy of it")),
        }
    }

    fn index(&mut self, answer: &Answer) {
        match wayback::index(answer) {
            Index::Rows(rows) => self.take(rows),
            Index::Excluded => self.notes.push("the archive keeps this site out of sight".to_owned()),
            Index::Unreadable(why) => self.notes.push(why),
            Index::RateLimited => {
                // to go on would get the address locked out for an hour
                self.notes.push("the archive's index was asked too often".to_owned());
                self.indexes.clear();
            }
        }
    }

    /// Keeps the rows that are of the wanted page, the most telling first, each payload once.
    fn take(&mut self, rows: Vec<Row>) {
        let mut rows: Vec<Row> = rows.into_iter().filter(|row| self.is_wanted(row)).collect();
        rows.sort_by_key(|row| (self.rank(row), self.distance(row)));
        let mut digests: Vec<String> = Vec::new();
        for row in rows {
            if !digests.contains(&row.digest) {
                digests.push(row.digest.clone());
                self.rows.push_back(row);
            }
        }
    }

    fn is_wanted(&self, row: &Row) -> bool {
        match &self.wanted {
            Wanted::Page(url) => {
                wayback::same(&row.original, url.as_str()) && row.status.is_none_or(|s| (200..400).contains(&s))
            }
            Wanted::Account(handle) => {
                let named = permalink::read(&row.original).filter(|n| n.platform == Platform::X && n.post.is_none());
                let same = named.and_then(|n| n.handle).is_some_and(|h| h.eq_ignore_ascii_case(handle));
                same && row.status.is_none_or(|s| s == 200)
            }
            Wanted::Post(Sought { name, .. }) => {
                let named = permalink::read(&row.original).filter(|n| n.platform == name.platform);
                let same = named.and_then(|n| n.post).is_some_and(|id| judge::is_same(name, &id));
                let junk = row.original.contains('"') || row.original.contains("%22");
                same && !junk && row.status.is_none_or(|s| s == 200)
            }
        }
    }

    /// For posts JSON comes first, then the pages of until 2020, then those of 2022; what came since is mostly shells.
    fn rank(&self, row: &Row) -> u8 {
        match &self.wanted {
            Wanted::Page(_) => u8::from(row.status.is_some_and(|s| s != 200)),
            Wanted::Post(Sought { name: PostName { platform: Platform::X, .. }, .. }) | Wanted::Account(_) => {
                match row.timestamp.get(..6).unwrap_or_default() {
                    _ if row.mimetype == "application/json" => 0,
                    month if month < "202007" => 1,
                    month if ("202201".."202307").contains(&month) => 2,
                    _ => 3,
                }
            }
            // Telegram's own page of a post tells no time; its widget and the channel's list do
            Wanted::Post(Sought { name: PostName { platform: Platform::Telegram, .. }, .. }) => {
                u8::from(!row.original.contains("embed=") && !row.original.contains("/s/"))
            }
            Wanted::Post(_) => u8::from(row.mimetype != "application/json"),
        }
    }

    fn distance(&self, row: &Row) -> i64 {
        let at = row.at().map_or(i64::MAX, Timestamp::as_second);
        self.near.map_or(at, |near| at.saturating_sub(near.as_second()).saturating_abs())
    }

    fn memento(&mut self, row: Row, url: &Url, answer: &Answer) {
        match wayback::memento(url, answer) {
            Memento::Kept { at } => self.kept(&row, url, at, answer),
            Memento::Redirect { at, to } => {
                let from = from_archive(url, at, None);
                if !wayback::same(to.as_str(), &row.original) {
                    self.found = Some(Found::Leads(to, from));
                }
            }
            Memento::Hop(to) if self.hops < ARCHIVE_HOPS => {
                self.hops += 1;
                self.ask(Request::get(to.clone()), Pending::Memento(Box::new(row), to));
            }
            Memento::RateLimited => {
                self.notes.push("the archive was asked too often".to_owned());
                self.rows.clear();
                self.indexes.clear();
            }
            Memento::Excluded => self.notes.push("the archive keeps this page out of sight".to_owned()),
            Memento::KeptError { .. } | Memento::Hop(_) | Memento::None | Memento::Own => {
                self.notes.push(format!("{url} is no copy of it"));
            }
        }
    }

    fn kept(&mut self, row: &Row, url: &Url, at: Timestamp, answer: &Answer) {
        let from = from_archive(url, at, Some((row, answer)));
        let found = match &self.wanted {
            Wanted::Post(Sought { name, .. }) => match registry::kept(name, answer) {
                Some(post) => Some(Found::Post(Box::new(post), from)),
                // what the Wayback Machine has of X's pages since 2020 shows nothing; archive.today runs their scripts
                None if name.platform != Platform::X || archive_today::is_host(host(url)) => {
                    let page = page_of(url, answer, from).filter(|_| self.page.is_none());
                    self.page = page.map(|found| (found, answer.clone())).or(self.page.take());
                    None
                }
                None => None,
            },
            Wanted::Account(handle) => account(handle, answer).map(|author| Found::Account(author, from)),
            Wanted::Page(page_url) => page_of(page_url, answer, from),
        };
        match found {
            Some(found) => {
                self.answer = Some(answer.clone());
                self.found = Some(found);
            }
            None => self.notes.push(format!("{url} keeps an empty shell, or another page")),
        }
    }
}

fn host(url: &Url) -> &str {
    url.host_str().unwrap_or_default()
}

fn page_of(wanted: &Url, answer: &Answer, from: FromArchive) -> Option<Found> {
    let said = page::read(answer);
    let (stands, _) = page::stands(wanted, None, answer, said.as_ref());
    if stands != page::Stands::Page {
        return None;
    }
    Some(said.map_or(Found::Bytes(from.clone()), |said| Found::Page(Box::new(said), from)))
}

fn account(handle: &str, answer: &Answer) -> Option<Author> {
    let content_type = answer.headers.get("content-type").unwrap_or_default();
    let author = x::legacy::profile(&crate::format::markup::decode(&answer.body, &content_type))?;
    author.handle.eq_ignore_ascii_case(handle).then_some(author)
}

fn from_archive(url: &Url, at: Timestamp, row: Option<(&Row, &Answer)>) -> FromArchive {
    let whole = row.filter(|(_, answer)| answer.truncated.is_none() && answer.unread.is_none());
    FromArchive {
        archive: url.host_str().unwrap_or_default().to_owned(),
        url: url.to_string(),
        at,
        digest: row.filter(|(row, _)| !row.digest.is_empty()).map(|(row, _)| format!("sha1:{}", row.digest)),
        digest_matches: whole.and_then(|(row, answer)| wayback::digest_matches(row, &answer.body)),
    }
}

/// The URL to put behind a TimeGate.
fn sought(wanted: &Wanted) -> String {
    match wanted {
        Wanted::Page(url) => url.to_string(),
        Wanted::Account(handle) => format!("https://twitter.com/{handle}"),
        Wanted::Post(Sought { name, handle, .. }) if name.platform == Platform::X => {
            x::permalink(handle.as_deref().unwrap_or_default(), &name.id)
        }
        Wanted::Post(sought) => match (&sought.page, places(sought).pop()) {
            (Some(page), _) => page.to_string(),
            (None, place) => place.map(|place| format!("https://{place}")).unwrap_or_default(),
        },
    }
}

/// The URLs to ask the index for, most likely first.
fn spellings(wanted: &Wanted) -> VecDeque<String> {
    match wanted {
        Wanted::Page(url) => {
            let mut bare = url.clone();
            bare.set_fragment(None);
            VecDeque::from([bare.to_string()])
        }
        Wanted::Post(Sought { name, handle, .. }) if name.platform == Platform::X => {
            let id = &name.id;
            match handle.as_deref().filter(|h| x::is_handle(h)) {
                Some(h) => VecDeque::from([format!("twitter.com/{h}/status/{id}*"), format!("x.com/{h}/status/{id}*")]),
                None => VecDeque::from([format!("twitter.com/i/web/status/{id}"), format!("x.com/i/status/{id}")]),
            }
        }
        Wanted::Account(handle) => VecDeque::from([format!("twitter.com/{handle}")]),
        // a query or a slash more is still the page of that post
        Wanted::Post(sought) => places(sought).into_iter().map(|place| format!("{place}*")).collect(),
    }
}

/// Where a post of the other platforms stood, without scheme, the likeliest first.
fn places(sought: &Sought) -> Vec<String> {
    let id = &sought.name.id;
    let bare = |url: &Url| {
        let host = url.host_str()?;
        Some(format!("{}{}", host.strip_prefix("www.").unwrap_or(host), url.path().trim_end_matches('/')))
    };
    // an API's or an archive's address is no page's
    let named = |url: &&Url| permalink::read(url.as_str()).is_some_and(|n| n.way == permalink::Way::Own);
    let page = sought.page.as_ref().filter(named).and_then(bare);
    let mut all: Vec<String> = match sought.name.platform {
        Platform::Bluesky => {
            let (authority, rkey) = id.split_once('/').unwrap_or_default();
            let who = [sought.handle.as_deref().unwrap_or(authority), authority];
            page.into_iter().chain(who.map(|who| format!("bsky.app/profile/{who}/post/{rkey}"))).collect()
        }
        Platform::Mastodon => {
            let (host, id) = id.split_once('/').unwrap_or_default();
            let user = sought.handle.as_deref().map(|handle| match handle.split_once('@') {
                Some((user, own)) if own == host => user,
                _ => handle,
            });
            page.into_iter().chain(user.map(|user| format!("{host}/@{user}/{id}"))).collect()
        }
        Platform::Telegram => {
            let (channel, number) = id.split_once('/').unwrap_or_default();
            vec![format!("t.me/{channel}/{number}"), format!("t.me/s/{channel}/{number}")]
        }
        Platform::Youtube => vec![format!("youtube.com/watch?v={id}"), format!("youtu.be/{id}")],
        Platform::Reddit => {
            // with and without the slug, of the new site and the old one
            let short = page.as_ref().and_then(|page| {
                let (front, _) = page.split_once(&format!("/comments/{id}"))?;
                let front = front.strip_prefix("old.").unwrap_or(front);
                Some([format!("{front}/comments/{id}"), format!("old.{front}/comments/{id}")])
            });
            short.into_iter().flatten().chain([format!("reddit.com/comments/{id}")]).collect()
        }
        _ => Vec::new(),
    };
    let mut seen: Vec<String> = Vec::new();
    all.retain(|place| {
        let new = !seen.contains(place);
        seen.push(place.clone());
        new
    });
    all
}
