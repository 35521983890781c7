//! The quest for a quoted post: leads one after another, each with its candidates and why they were taken or dropped.

mod index;
mod list;
mod weigh;

use std::collections::VecDeque;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use url::Url;

use crate::citation::Kind;
use crate::format::words;
use crate::platform::lister::{Lister, Stretch};
use crate::platform::post::{Platform, Post, PostName};
use crate::platform::wayback::Row;
use crate::platform::x;
use crate::platform::{permalink, registry};
use crate::resolution::carrier::Via;
use crate::resolution::ending::Ending;
use crate::resolution::hop::{Candidate, FromArchive};
use crate::resolution::judge::{self, Judged};
use crate::resolution::lookup::{Elsewhere, Lookup, Sought, Wanted};
use crate::resolution::pursuit::Pursuit;
use crate::resolution::trail::Trail;

/// Words this alike are the same post; below, a candidate of the same author and day is another one.
pub(super) const SAME: f64 = 0.7;
/// Days before and after the cited one that are looked at when it has nothing.
const WIDER: i64 = 1;

/// One way to the post.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Lead {
    /// the statement names it
    Named(PostName),
    /// a link in the quoted words
    Link(Url, &'static str),
    /// what the account lists of one day, so many after the cited one; `02/04` has two readings, by the second number
    Listed(i64, usize),
    /// the archive's index of that author's posts of the cited day, or of the days so many before and after it
    Days(i64),
    /// an archive's copy of the account's list
    Copy(Row),
    /// a post of that day; what the account lists now may show that it is no more there
    Candidate(PostName, Vec<Row>, Option<String>),
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
pub(super) struct Quest {
    pub(super) platform: Platform,
    pub(super) handle: Option<String>,
    author: Option<String>,
    pub(super) day: Option<Date>,
    /// the day's other readings
    readings: Vec<Date>,
    pub(super) quoted: String,
    leads: VecDeque<Lead>,
    current: Option<Lead>,
    by: &'static str,
    rows: Vec<Row>,
    /// index answers awaited
    waiting: usize,
    over: bool,
    ending: Option<Judged>,
    best: Option<Best>,
    links: Vec<String>,
    page: Option<Url>,
    looked: Vec<PostName>,
    /// posts that archives were asked for
    sought: Vec<PostName>,
    pub(super) lister: Option<Box<dyn Lister + Send>>,
    /// the first failure of the lister's exchanges
    pub(super) failure: Option<Judged>,
    /// stretches whose posts the account lists to the last one
    whole: Vec<Stretch>,
    /// what the lists held, in words
    lists: Vec<String>,
    /// posts by that author that were read, whichever words they have: a quotation may join several
    pub(super) read: Vec<(Post, Judged, Option<FromArchive>)>,
}

impl Quest {
    pub(super) fn new(kind: &Kind) -> Self {
        let mut quest = Self {
            platform: Platform::X,
            handle: None,
            author: None,
            day: None,
            readings: Vec::new(),
            quoted: String::new(),
            leads: VecDeque::new(),
            current: None,
            by: "permalink",
            rows: Vec::new(),
            waiting: 0,
            over: false,
            ending: None,
            best: None,
            links: Vec::new(),
            page: None,
            looked: Vec::new(),
            sought: Vec::new(),
            lister: None,
            failure: None,
            whole: Vec::new(),
            lists: Vec::new(),
            read: Vec::new(),
        };
        if let Kind::Post { platform, author, handle, date, dates, quoted, links, permalink, post_id, .. } = kind {
            quest.platform = *platform;
            quest.handle = handle.clone();
            quest.author = author.clone();
            let mut readings = date.iter().chain(dates).filter_map(|d| d.parse().ok());
            quest.day = readings.next();
            quest.readings = readings.collect();
            quest.quoted = quoted.clone();
            quest.links = links.clone();
            quest.page = permalink.as_deref().and_then(|page| Url::parse(page).ok());
            quest.leads = leads(*platform, post_id.as_deref(), permalink.as_deref(), links);
            quest.lister = handle.as_deref().and_then(|handle| registry::lister(*platform, handle));
            if quest.lister.is_some() && quest.day.is_some() {
                quest.leads.extend(by_day(*platform, quest.readings.len()));
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
        self.day?.at(12, 0, 0, 0).to_zoned(TimeZone::UTC).ok().map(|z| z.timestamp())
    }

    /// The UTC day so many days after the cited one, by one of its readings.
    fn stretch(&self, days: i64, reading: usize) -> Option<Stretch> {
        let day = reading.checked_sub(1).map_or(self.day, |at| self.readings.get(at).copied());
        let day = day?.checked_add(jiff::Span::new().try_days(days).ok()?).ok()?;
        let midnight = |day: Date| Some(day.to_zoned(TimeZone::UTC).ok()?.timestamp());
        Some(midnight(day)?..midnight(day.tomorrow().ok()?)?)
    }

    /// The days that a search of so many days around the cited one is of.
    fn stretches(&self, wider: i64) -> Vec<Stretch> {
        let days = if wider == 0 { vec![0] } else { vec![-wider, wider] };
        let all = (0..=self.readings.len()).flat_map(|reading| days.iter().map(move |days| (*days, reading)));
        all.filter_map(|(days, reading)| self.stretch(days, reading)).collect()
    }

    pub(super) fn is_over(&self) -> bool {
        self.over
    }

    /// A lead reached a post; false where it was looked at before.
    pub(super) fn reached(&mut self, name: &PostName) -> bool {
        let new = !self.was_looked_at(name);
        if new {
            self.looked.push(name.clone());
        }
        new
    }

    fn was_looked_at(&self, name: &PostName) -> bool {
        self.looked.iter().any(|known| judge::is_same(known, &name.id) && known.platform == name.platform)
    }

    /// How alike the quoted words and a post's are, or another version's of it; the statement may have cut them.
    pub(super) fn likeness(&self, post: &Post) -> f64 {
        let cited = self.cited();
        let cited = cited.trim_end().trim_end_matches(['…', '.']).to_owned();
        let versions = post.others.iter().map(|version| version.text.as_str());
        let one = |text: &str| {
            let text = without_links(text);
            let likeness = words::compare(&cited, &text);
            let inside = likeness.inside && words::words(&cited).len() >= 4;
            if inside { 1.0 } else { likeness.score.max(words::likest_part(&cited, &text)) }
        };
        versions.chain([post.text.as_str()]).map(one).fold(0.0, f64::max)
    }

    pub(super) fn has_best(&self) -> bool {
        self.best.is_some()
    }

    pub(super) fn end(&mut self) {
        self.over = true;
    }

    /// An answer of the index is awaited.
    pub(super) fn awaits_rows(&mut self) {
        self.waiting += 1;
    }

    pub(super) fn waits(&self) -> bool {
        self.waiting > 0
    }

    pub(super) fn take_rows(&mut self) -> Vec<Row> {
        std::mem::take(&mut self.rows)
    }

    /// The quoted words without links.
    pub(super) fn cited(&self) -> String {
        without_links(&self.quoted)
    }
}

/// Links do not make two texts alike: each post has its own.
pub(super) fn without_links(text: &str) -> String {
    let is_link =
        |word: &str| word.contains("://") || word.starts_with("pic.twitter.com/") || word.starts_with("pic.x.com/");
    text.split_whitespace().filter(|word| !is_link(word)).collect::<Vec<_>>().join(" ")
}

/// The cited day first, by what the account lists and by what archives keep, then the days beside it.
fn by_day(platform: Platform, others: usize) -> Vec<Lead> {
    let listed = |days: i64| (0..=others).map(move |reading| Lead::Listed(days, reading));
    match platform {
        Platform::X => vec![Lead::Days(0), Lead::Days(WIDER)],
        _ => listed(0)
            .chain([Lead::Days(0)])
            .chain(listed(-WIDER))
            .chain(listed(WIDER))
            .chain([Lead::Days(WIDER)])
            .collect(),
    }
}

fn leads(platform: Platform, id: Option<&str>, permalink: Option<&str>, links: &[String]) -> VecDeque<Lead> {
    let mut out = VecDeque::new();
    let named = permalink.and_then(permalink::read).and_then(|n| Some(PostName { platform: n.platform, id: n.post? }));
    let behind = permalink.filter(|_| named.is_none()).and_then(|url| Url::parse(url).ok());
    let id = id.map(|id| PostName { platform, id: id.to_owned() });
    if let Some(name) = named.or(id).filter(registry::can_read) {
        out.push_back(Lead::Named(name));
    }
    // an address made short or to be shared, right behind the date
    out.extend(behind.map(|url| Lead::Link(url, "link-behind")));
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
            Some(Lead::Listed(days, reading)) => self.list(days, reading),
            Some(Lead::Days(wider)) => self.search(wider),
            Some(Lead::Copy(row)) => self.look_at_copy(row),
            Some(Lead::Candidate(name, rows, Some(unlisted))) => self.look_at_kept(name, &rows, unlisted),
            Some(Lead::Candidate(name, rows, None)) => {
                quest.by = if rows.is_empty() { "versions" } else { "cdx-prefix" };
                quest.rows = rows;
                let handle = quest.handle.clone();
                self.ask_platform(name, handle);
            }
        }
    }

    fn quest_over(&mut self, last: &str) {
        if self.takes_thread() {
            return;
        }
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
            return self.take_found(best.post, best.judged, best.from);
        }
        // what a link of the citation's own names is the cited post, shown or not
        let named = |c: &&Candidate| matches!(c.by.as_str(), "permalink" | "pic-code");
        self.out.names = self.out.candidates.iter().find(named).map(|c| c.post.clone());
        let judged = quest.ending.take().unwrap_or_else(|| {
            let who = quest.handle.as_ref().map_or_else(|| "the author".to_owned(), |h| format!("@{h}"));
            let lists = quest.lists.iter().map(|list| format!("; {list}")).collect::<String>();
            let why = format!(
                "nothing names the post: no link in the words leads to it, and no index lists one of {who} with these \
                 words ({last}){lists}"
            );
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
        let worth = judged.ending == Ending::Captured || judge::worth_an_archive(judged.ending);
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

    /// A post that the account lists no more: what an archive kept of it is looked at, the platform need not be asked.
    fn look_at_kept(&mut self, name: PostName, rows: &[Row], unlisted: String) {
        let Some(quest) = &mut self.quest else { return };
        quest.by = "cdx-prefix";
        quest.sought.push(name.clone());
        let page = rows.first().and_then(|row| Url::parse(&row.original).ok());
        let wanted = Wanted::Post(Sought { name: name.clone(), handle: quest.handle.clone(), page });
        self.out.names = Some(name);
        self.judged = Some(Judged::new(Ending::Gone, unlisted));
        self.lookup = Some(Lookup::with_rows(wanted, self.near, rows, Elsewhere::default()));
        self.pump_lookup();
    }

    /// Whether what is looked at may be another post than the cited one: a kept page without a post in it is no end then.
    pub(super) fn looks_at_candidate(&self) -> bool {
        let current = self.quest.as_ref().filter(|quest| !quest.over).and_then(|quest| quest.current.as_ref());
        matches!(current, Some(Lead::Candidate(..)))
    }
}
