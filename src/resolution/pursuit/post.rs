//! The quest for a quoted post: leads one after another, each with its candidates and why they were taken or dropped.

use std::cmp::Ordering;
use std::collections::VecDeque;

use jiff::Timestamp;
use jiff::civil::Date;
use url::Url;

use crate::citation::Kind;
use crate::format::words;
use crate::platform::post::{Platform, Post, PostName};
use crate::platform::wayback::{self, Index, Row};
use crate::platform::x::{self, snowflake};
use crate::platform::{permalink, registry};
use crate::resolution::carrier::Via;
use crate::resolution::ending::Ending;
use crate::resolution::exchange::Exchange;
use crate::resolution::hop::{Candidate, FromArchive, Role};
use crate::resolution::judge::Judged;
use crate::resolution::lookup::{Lookup, Sought, Wanted};
use crate::resolution::pursuit::{Purpose, Pursuit};
use crate::resolution::trail::Trail;

/// Words this alike are the same post; below, a candidate of the same author and day is another one.
const SAME: f64 = 0.7;
/// Rows asked for one prefix.
const ROWS: usize = 150;
/// Prefixes of one day and one host.
const PREFIXES: usize = 2;
/// Days before and after the cited one that are looked at when it has nothing.
const WIDER: i64 = 1;

/// One way to the post.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Lead {
    /// the statement names it
    Named(PostName),
    /// a link in the quoted words
    Link(Url, &'static str),
    /// the archive's index of that author's posts of these days
    Days(i64),
    /// a post of that day
    Candidate(PostName, Vec<Row>),
}

/// The candidate most like the quoted words so far, and those that are no less so.
#[derive(Debug)]
struct Best {
    likeness: f64,
    /// cited links that stand in it
    codes: usize,
    post: Post,
    judged: Judged,
    from: Option<FromArchive>,
    equals: Vec<Post>,
}

/// The quest for one quoted post.
#[derive(Debug)]
pub(super) struct Quest {
    platform: Platform,
    pub(super) handle: Option<String>,
    author: Option<String>,
    day: Option<Date>,
    quoted: String,
    leads: VecDeque<Lead>,
    current: Option<Lead>,
    by: &'static str,
    rows: Vec<Row>,
    searches: u32,
    waiting: usize,
    over: bool,
    ending: Option<Judged>,
    best: Option<Best>,
    links: Vec<String>,
    page: Option<Url>,
    looked: Vec<PostName>,
    /// posts that archives were asked for
    sought: Vec<PostName>,
}

impl Quest {
    pub(super) fn new(kind: &Kind) -> Self {
        let mut quest = Self {
            platform: Platform::X,
            handle: None,
            author: None,
            day: None,
            quoted: String::new(),
            leads: VecDeque::new(),
            current: None,
            by: "permalink",
            rows: Vec::new(),
            searches: 0,
            waiting: 0,
            over: false,
            ending: None,
            best: None,
            links: Vec::new(),
            page: None,
            looked: Vec::new(),
            sought: Vec::new(),
        };
        if let Kind::Post { platform, author, handle, date, dates, quoted, links, permalink, post_id, .. } = kind {
            quest.platform = *platform;
            quest.handle = handle.clone();
            quest.author = author.clone();
            quest.day = date.as_ref().or(dates.first()).and_then(|d| d.parse().ok());
            quest.quoted = quoted.clone();
            quest.links = links.clone();
            quest.page = permalink.as_deref().and_then(|page| Url::parse(page).ok());
            quest.leads = leads(*platform, post_id.as_deref(), permalink.as_deref(), links);
            if *platform == Platform::X && quest.handle.is_some() && quest.day.is_some() {
                quest.leads.extend([Lead::Days(0), Lead::Days(WIDER)]);
            }
        }
        quest
    }

    /// How the resolution's beginning is told.
    pub(super) fn start(&self) -> String {
        match self.leads.front() {
            Some(Lead::Link(url, _)) => url.to_string(),
            Some(Lead::Named(name)) => name.to_string(),
            _ => match (&self.handle, &self.day) {
                (Some(handle), Some(day)) => format!("@{handle} {day}"),
                (Some(handle), None) => format!("@{handle}"),
                _ => self.author.clone().unwrap_or_else(|| "a post".to_owned()),
            },
        }
    }

    /// The middle of the cited day.
    pub(super) fn noon(&self) -> Option<Timestamp> {
        self.day?.at(12, 0, 0, 0).to_zoned(jiff::tz::TimeZone::UTC).ok().map(|z| z.timestamp())
    }

    pub(super) fn is_over(&self) -> bool {
        self.over
    }

    /// A lead reached a post; false where it was looked at before.
    pub(super) fn reached(&mut self, name: &PostName) -> bool {
        let new = !self.looked.contains(name);
        if new {
            self.looked.push(name.clone());
        }
        new
    }

    /// How alike the quoted words and a post's are; the statement may have cut them.
    pub(super) fn likeness(&self, post: &Post) -> f64 {
        let cited = without_links(&self.quoted);
        let cited = cited.trim_end().trim_end_matches(['…', '.']).to_owned();
        let likeness = words::compare(&cited, &without_links(&post.text));
        if likeness.inside && words::words(&cited).len() >= 4 { 1.0 } else { likeness.score }
    }
}

/// Links do not make two texts alike: each post has its own.
fn without_links(text: &str) -> String {
    let is_link =
        |word: &str| word.contains("://") || word.starts_with("pic.twitter.com/") || word.starts_with("pic.x.com/");
    text.split_whitespace().filter(|word| !is_link(word)).collect::<Vec<_>>().join(" ")
}

fn leads(platform: Platform, id: Option<&str>, permalink: Option<&str>, links: &[String]) -> VecDeque<Lead> {
    let mut out = VecDeque::new();
    let named = permalink.and_then(permalink::read).and_then(|n| Some(PostName { platform: n.platform, id: n.post? }));
    let id = id.map(|id| PostName { platform, id: id.to_owned() });
    if let Some(name) = named.or(id).filter(registry::can_read) {
        out.push_back(Lead::Named(name));
    }
    let urls: Vec<Url> = links.iter().filter_map(|link| Url::parse(link).ok()).collect();
    let host = |url: &Url| url.host_str().unwrap_or_default().to_owned();
    let is_pic = |url: &Url| matches!(host(url).as_str(), "pic.twitter.com" | "pic.x.com");
    // a picture's code leads to the post itself; the last t.co of a post may
    out.extend(urls.iter().filter(|url| is_pic(url)).map(|url| Lead::Link(url.clone(), "pic-code")));
    let others = urls
        .iter()
        .rev()
        .filter(|url| !is_pic(url) && (host(url) == "t.co" || permalink::read(url.as_str()).is_some()));
    out.extend(others.map(|url| Lead::Link(url.clone(), "tco-in-quote")));
    out
}

impl Pursuit {
    /// Takes up the next lead; ends the quest where there is none.
    pub(super) fn go_on_quest(&mut self) {
        let Some(quest) = &mut self.quest else { return };
        let lead = quest.leads.pop_front();
        quest.current.clone_from(&lead);
        let short = self.limits.requests.saturating_sub(self.spent) == 0;
        match lead {
            Some(_) if short => {
                quest.leads.clear();
                self.quest_over("the requests of this citation are used up");
            }
            None => self.quest_over("no other lead"),
            Some(Lead::Named(name)) => {
                quest.by = "permalink";
                let handle = quest.handle.clone();
                self.trail.url = match name.platform {
                    Platform::X => Url::parse(&x::permalink(handle.as_deref().unwrap_or_default(), &name.id)).ok(),
                    _ => quest.page.clone(),
                };
                self.ask_platform(name, handle);
            }
            Some(Lead::Link(url, by)) => {
                quest.by = by;
                let hops = std::mem::take(&mut self.trail.hops);
                self.trail = Trail::new(self.limits.max_hops, self.limits.platform);
                self.trail.hops = hops;
                let next = self.trail.go(Via::Start, url);
                self.apply(next);
            }
            Some(Lead::Days(wider)) => self.search(wider),
            Some(Lead::Candidate(name, rows)) => {
                quest.by = "cdx-prefix";
                quest.rows = rows;
                let handle = quest.handle.clone();
                self.ask_platform(name, handle);
            }
        }
    }

    fn quest_over(&mut self, last: &str) {
        let Some(quest) = &mut self.quest else { return };
        quest.over = true;
        if let Some(best) = quest.best.take() {
            if !best.equals.is_empty() {
                let names: Vec<String> = best.equals.iter().map(|post| post.name.to_string()).collect();
                self.out.notes.push(format!(
                    "{} and {} match the quoted words equally well: which of them is cited cannot be told",
                    best.post.name,
                    names.join(", ")
                ));
            }
            self.out.also = best.equals;
            return self.take(best.post, best.judged, best.from);
        }
        // what a link of the citation's own names is the cited post, shown or not
        let named = |c: &&Candidate| matches!(c.by.as_str(), "permalink" | "pic-code");
        self.out.names = self.out.candidates.iter().find(named).map(|c| c.post.clone());
        let judged = quest.ending.take().unwrap_or_else(|| {
            let who = quest.handle.as_ref().map_or_else(|| "the author".to_owned(), |h| format!("@{h}"));
            let why = format!("nothing names the post: no link in the words leads to it, and no index lists one of {who} with these words ({last})");
            Judged::new(Ending::Unsupported, why)
        });
        self.lookup = None;
        self.end(judged);
    }

    /// A lead came to nothing.
    pub(super) fn lead_failed(&mut self, judged: Judged) {
        let left = self.left();
        let Some(quest) = &mut self.quest else { return };
        let named = matches!(quest.current, Some(Lead::Named(_) | Lead::Candidate(..))) || self.out.names.is_some();
        let candidate = matches!(quest.current, Some(Lead::Candidate(..)));
        // a page that was captured and shows no post is no end of a quest for one
        let worth = judged.ending == Ending::Captured || crate::resolution::judge::worth_an_archive(judged.ending);
        if named
            && self.limits.archives
            && self.judged.is_none()
            && self.lookup.is_none()
            && left > 0
            && worth
            && let Some(name) = self.out.names.clone().filter(|name| !quest.sought.contains(name))
        {
            quest.sought.push(name.clone());
            let rows = std::mem::take(&mut quest.rows);
            let wanted = Wanted::Post(Sought { name, handle: quest.handle.clone(), page: self.trail.url.clone() });
            self.judged = Some(judged);
            self.lookup = Some(if rows.is_empty() {
                Lookup::new(wanted, self.near, self.limits.elsewhere())
            } else {
                Lookup::with_rows(wanted, self.near, &rows, self.limits.elsewhere())
            });
            return self.pump_lookup();
        }
        if let Some(name) = self.out.names.take() {
            let by = quest.by.to_owned();
            let why = format!("not read: {} ({})", judged.why, judged.ending.as_str());
            if !candidate && quest.ending.is_none() {
                quest.ending = Some(judged.clone());
            }
            self.out.candidates.push(Candidate { post: name, by, taken: false, why });
        } else if quest.ending.is_none() && !matches!(judged.ending, Ending::Captured | Ending::Unsupported) {
            quest.ending = Some(judged);
        }
        self.judged = None;
        self.go_on_quest();
    }

    /// A post was read. Without a quest it is the one; with one it is a candidate.
    pub(super) fn have(&mut self, post: Post, judged: Judged, from: Option<FromArchive>) {
        let Some(quest) = self.quest.as_mut().filter(|quest| !quest.over) else {
            return self.take(post, judged, from);
        };
        self.judged = None;
        let score = quest.likeness(&post);
        let own = quest.handle.as_deref().is_some_and(|h| h.eq_ignore_ascii_case(&post.author.handle));
        let by = quest.by;
        let sure = matches!(by, "permalink" | "pic-code") || (by == "tco-in-quote" && (own || score >= SAME));
        let words = format!("{:.0} % of the words are the same", score * 100.0);
        if sure {
            quest.over = true;
            let why =
                format!("{} names it; {words}", if by == "pic-code" { "the code of its picture" } else { "a link" });
            self.out.candidates.push(Candidate { post: post.name.clone(), by: by.to_owned(), taken: true, why });
            return self.take(post, judged, from);
        }
        self.weigh(post, judged, from, score, words);
    }

    fn weigh(&mut self, post: Post, judged: Judged, from: Option<FromArchive>, likeness: f64, words: String) {
        let Some(quest) = &mut self.quest else { return };
        let codes = codes(&quest.links, &post);
        let mut candidate = Candidate { post: post.name.clone(), by: quest.by.to_owned(), taken: false, why: words };
        if codes > 0 {
            candidate.why.push_str(&format!(", and {codes} of the links"));
        }
        if likeness < SAME {
            candidate.why.push_str(": another post");
        } else {
            let rank = quest.best.as_ref().map(|best| rank((likeness, codes), (best.likeness, best.codes)));
            candidate.taken = rank != Some(Ordering::Less);
            match (rank, &mut quest.best) {
                (Some(Ordering::Less), _) => candidate.why.push_str(": another one is more alike"),
                (Some(Ordering::Equal), Some(best)) => {
                    candidate.why.push_str(": no less alike than another one, so it may be either");
                    best.equals.push(post);
                }
                _ => {
                    for other in self.out.candidates.iter_mut().filter(|c| c.taken) {
                        other.taken = false;
                        other.why.push_str(": another one is more alike");
                    }
                    quest.best = Some(Best { likeness, codes, post, judged, from, equals: Vec::new() });
                }
            }
        }
        self.out.candidates.push(candidate);
        self.out.names = None;
        // words that agree to the last one, on the cited day, end the search of other days
        if quest.best.is_some() {
            quest.leads.retain(|lead| !matches!(lead, Lead::Days(_)));
        }
        self.go_on_quest();
    }

    fn take(&mut self, post: Post, judged: Judged, from: Option<FromArchive>) {
        self.out.names = Some(post.name.clone());
        if self.trail.url.is_none() || self.quest.as_ref().is_some_and(|q| q.by == "cdx-prefix") {
            self.out.final_url = Some(post.permalink.clone());
        } else {
            self.out.final_url = self.trail.url.as_ref().map(Url::to_string);
        }
        self.out.post = Some(post);
        self.out.from_archive = from;
        self.look_for_versions(judged);
    }

    // --- by who and when

    fn search(&mut self, wider: i64) {
        let Some(quest) = &mut self.quest else { return };
        let (Some(handle), Some(day)) = (quest.handle.clone(), quest.day) else { return self.go_on_quest() };
        let days: Vec<Date> = match wider {
            0 => vec![day],
            n => [-n, n].iter().filter_map(|n| day.checked_add(jiff::Span::new().days(*n)).ok()).collect(),
        };
        let mut urls = Vec::new();
        for ids in days.iter().filter_map(|day| snowflake::day(*day)) {
            for prefix in snowflake::prefixes(&ids, PREFIXES) {
                urls.push(format!("twitter.com/{handle}/status/{prefix}*"));
                if day >= jiff::civil::date(2023, 7, 1) {
                    urls.push(format!("x.com/{handle}/status/{prefix}*"));
                }
            }
        }
        urls.dedup();
        quest.rows.clear();
        if wider != 0 {
            self.out.notes.push(format!(
                "no post of @{handle} with these words is indexed for {day}; the days beside it were looked at"
            ));
        }
        for url in urls {
            if self.left() > 1
                && self.limits.archives
                && let Some(request) = wayback::cdx(&url, ROWS)
                && let Some(quest) = &mut self.quest
            {
                quest.searches += 1;
                quest.waiting += 1;
                let number = quest.searches;
                self.ask(Role::Archive, request, Purpose::Search(number));
            }
        }
        if self.quest.as_ref().is_some_and(|quest| quest.waiting == 0) {
            self.go_on_quest();
        }
    }

    pub(super) fn search_learned(&mut self, _number: u32, exchange: &Exchange) {
        let Some(quest) = &mut self.quest else { return };
        quest.waiting = quest.waiting.saturating_sub(1);
        match exchange.outcome.as_ref().map(wayback::index) {
            Ok(Index::Rows(rows)) => quest.rows.extend(rows),
            Ok(Index::RateLimited) => {
                self.out.notes.push("the archive's index was asked too often".to_owned());
                quest.leads.retain(|lead| !matches!(lead, Lead::Days(_)));
            }
            Ok(Index::Excluded) => self.out.notes.push("the archive keeps these pages out of sight".to_owned()),
            Ok(Index::Unreadable(why)) => self.out.notes.push(why),
            Err(failure) => self.out.notes.push(format!("the archive's index gave no answer: {failure}")),
        }
        if quest.waiting == 0 {
            self.line_up();
        }
    }

    /// The posts of those rows whose ids are of those days, the ones with readable copies first.
    fn line_up(&mut self) {
        let Some(quest) = &mut self.quest else { return };
        let wider = if let Some(Lead::Days(n)) = quest.current { n } else { 0 };
        let rows = std::mem::take(&mut quest.rows);
        let Some(day) = quest.day else { return self.go_on_quest() };
        let mut posts: Vec<(PostName, Vec<Row>)> = Vec::new();
        for row in rows {
            let named = permalink::read(&row.original).filter(|n| n.platform == Platform::X);
            let Some(id) = named.and_then(|n| n.post).filter(|id| is_of(id, day, wider)) else { continue };
            let name = PostName { platform: Platform::X, id };
            match posts.iter_mut().find(|(known, _)| *known == name) {
                Some((_, rows)) => rows.push(row),
                None => posts.push((name, vec![row])),
            }
        }
        let seen = std::mem::take(&mut quest.looked);
        posts.retain(|(name, _)| !seen.contains(name));
        quest.looked = seen;
        posts.sort_by_key(|(_, rows)| !rows.iter().any(|row| row.mimetype == "application/json"));
        for (name, rows) in posts.into_iter().rev() {
            quest.leads.push_front(Lead::Candidate(name, rows));
        }
        self.go_on_quest();
    }
}

/// Words first, then links.
fn rank(one: (f64, usize), other: (f64, usize)) -> Ordering {
    if (one.0 - other.0).abs() < 1e-9 { one.1.cmp(&other.1) } else { one.0.total_cmp(&other.0) }
}

/// How many of the cited links stand in the post, code for code.
fn codes(cited: &[String], post: &Post) -> usize {
    let code = |url: &str| url.rsplit('/').next().unwrap_or_default().to_owned();
    let own: Vec<String> = post.links.iter().map(|link| code(&link.raw)).collect();
    cited.iter().map(|url| code(url)).filter(|code| !code.is_empty() && own.contains(code)).count()
}

/// Whether an id is of the day, or within so many days of it.
fn is_of(id: &str, day: Date, wider: i64) -> bool {
    let Some(at) = snowflake::time_of(id) else { return false };
    let posted = at.to_zoned(jiff::tz::TimeZone::UTC).date();
    day.until(posted).is_ok_and(|span| i64::from(span.get_days()).abs() <= wider && span.get_months() == 0)
}
