//! What an account of Bluesky posted in a stretch of time: record keys hold their time, so the account's own server is asked for
//! the keys of that stretch; where it does not answer, the AppView for the newest posts.

use serde_json::Value as Json;

use super::account::{Account, Purpose};
use super::post::{Whereabouts, of_record, text};
use super::view::{Hidden, shown, success};
use super::{POSTS, address, document, get_author_feed, list_records, resolve_handle, well_known};
use crate::format::aturi::{AtUri, Authority};
use crate::format::http::{Answer, Request};
use crate::format::tid::Tid;
use crate::platform::errand::Errands;
use crate::platform::lister::{Listed, Lister, Shelf, Stretch, is_of};
use crate::platform::post::{Platform, Post, PostName};
use crate::platform::reader::State;

/// Pages asked for at most in one look; a page holds a hundred posts.
const PAGES: usize = 3;

/// Lists the posts of one account.
#[derive(Debug)]
pub struct PostLister {
    errands: Errands<Purpose>,
    account: Account,
    stretch: Stretch,
    pages: usize,
    found: Vec<Post>,
    whole: bool,
    /// the answer that listed something
    told: Option<&'static str>,
    hidden: Option<Hidden>,
}

impl PostLister {
    /// The lister for a handle or a DID; none where it is neither.
    pub fn new(handle: &str) -> Option<Self> {
        let account = Account::of(handle.parse().ok()?);
        let stretch = jiff::Timestamp::UNIX_EPOCH..jiff::Timestamp::UNIX_EPOCH;
        let errands = Errands::new();
        Some(Self { errands, account, stretch, pages: 0, found: Vec::new(), whole: false, told: None, hidden: None })
    }

    fn ask(&mut self, purpose: Purpose, request: Option<Request>) {
        if let Some(request) = request {
            self.errands.ask(purpose, request);
        }
    }

    /// Asks for what comes next: who it is, where its server is, what that lists.
    fn go_on(&mut self) {
        match (&self.account.did, &self.account.asked) {
            (None, Authority::Handle(handle)) => {
                let request = resolve_handle(handle);
                self.ask(Purpose::Handle, request);
            }
            (Some(did), _) if self.account.document.is_none() => {
                let request = document(did);
                self.ask(Purpose::Document, request);
            }
            (Some(_), _) => self.ask_records(Tid::at(self.stretch.end, 0).map(|tid| tid.to_string()).as_deref()),
            (None, Authority::Did(_)) => {}
        }
    }

    fn ask_records(&mut self, before: Option<&str>) {
        let request = match (&self.account.did, self.account.pds(), before) {
            (Some(did), Some(pds), Some(before)) => list_records(pds, did, before),
            _ => None,
        };
        match request {
            Some(request) => self.errands.ask(Purpose::Records, request),
            None => self.ask_feed(None),
        }
    }

    fn ask_feed(&mut self, cursor: Option<&str>) {
        let request = self.account.did.as_ref().and_then(|did| get_author_feed(did, cursor));
        self.ask(Purpose::Feed, request);
    }

    fn heard_records(&mut self, answer: Result<&Answer, &str>) {
        let json = match heard(answer, "listRecords") {
            Ok(json) => json,
            Err(hidden) => {
                self.hidden.get_or_insert(hidden);
                return self.ask_feed(None);
            }
        };
        self.told = Some("listRecords");
        let records = json.get("records").and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default();
        let posts: Vec<Post> = records.iter().filter_map(|record| self.record(record)).collect();
        self.take(posts);
        let key = |record: &Json| Some(text(record, "uri")?.rsplit('/').next()?.to_owned());
        let last = records.last().and_then(key);
        let earlier = last.as_deref().and_then(|key| Some(key.parse::<Tid>().ok()?.time() < self.stretch.start));
        match text(&json, "cursor").filter(|_| earlier != Some(true) && !records.is_empty()) {
            Some(cursor) if self.pages < PAGES => self.ask_records(Some(cursor)),
            more => self.whole = more.is_none(),
        }
    }

    fn record(&self, record: &Json) -> Option<Post> {
        let uri: AtUri = text(record, "uri")?.parse().ok()?;
        let did = self.account.did.as_ref()?;
        let own = uri.authority == Authority::Did(did.clone()) && uri.collection.as_deref() == Some(POSTS);
        let rkey = uri.rkey.filter(|_| own)?;
        let at = Whereabouts { did, rkey: &rkey, handle: self.account.handle(), name: None, pds: self.account.pds() };
        of_record(record.get("value")?, &at)
    }

    fn heard_feed(&mut self, answer: Result<&Answer, &str>) {
        let json = match heard(answer, "getAuthorFeed") {
            Ok(json) => json,
            Err(hidden) => {
                self.hidden.get_or_insert(hidden);
                return;
            }
        };
        self.told = Some("getAuthorFeed");
        let items = json.get("feed").and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default();
        // what it reposted is somebody else's
        let own = items.iter().filter(|item| item.get("reason").is_none());
        let posts: Vec<Post> =
            own.filter_map(|item| shown(item.get("post")?, self.account.pds()).map(|shown| shown.post)).collect();
        let earlier = posts.last().and_then(|post| post.posted).is_some_and(|at| at < self.stretch.start);
        self.take(posts);
        match text(&json, "cursor").filter(|_| !earlier && !items.is_empty()) {
            Some(cursor) if self.pages < PAGES => self.ask_feed(Some(cursor)),
            more => self.whole = more.is_none(),
        }
    }

    fn take(&mut self, posts: Vec<Post>) {
        self.pages += 1;
        let did = self.account.did.as_ref().map(ToString::to_string);
        let own = posts.into_iter().filter(|post| post.author.id == did && is_of(post, &self.stretch));
        self.found.extend(own);
    }
}

fn heard(answer: Result<&Answer, &str>, method: &str) -> Result<Json, Hidden> {
    let answer = answer.map_err(|why| Hidden::new(State::Unknown, format!("{method} gave no answer: {why}")))?;
    success(answer, method)
}

impl Lister for PostLister {
    fn look(&mut self, stretch: Stretch) {
        self.stretch = stretch;
        (self.pages, self.whole, self.told, self.hidden) = (0, false, None, None);
        self.found.clear();
        self.go_on();
    }

    fn asks(&mut self) -> Vec<(u32, Request)> {
        self.errands.take()
    }

    fn learn(&mut self, id: u32, answer: Result<&Answer, &str>) {
        let Some((purpose, _)) = self.errands.settle(id, answer) else { return };
        match purpose {
            Purpose::Records => self.heard_records(answer),
            Purpose::Feed => self.heard_feed(answer),
            _ => {
                self.account.learn(purpose, answer);
                match (purpose, &self.account.did, &self.account.asked) {
                    (Purpose::Handle, None, Authority::Handle(handle)) => {
                        let request = well_known(handle);
                        self.ask(Purpose::WellKnown, request);
                    }
                    (Purpose::WellKnown, None, _) => {}
                    // without a document there is no server to ask, but the AppView
                    (Purpose::Document, ..) if self.account.document.is_none() => self.ask_feed(None),
                    _ => self.go_on(),
                }
            }
        }
    }

    fn done(&self) -> bool {
        self.errands.idle()
    }

    fn heard(&mut self) -> Listed {
        let posts = std::mem::take(&mut self.found);
        match self.told {
            Some(told) => Listed { posts, whole: self.whole, state: None, why: told.to_owned() },
            None => {
                let trouble = self.hidden.take().or_else(|| self.account.trouble.clone());
                let trouble = trouble.unwrap_or_else(|| Hidden::new(State::Unknown, "the account was not looked up"));
                Listed::none(trouble.state, trouble.why)
            }
        }
    }

    fn shelf(&self, stretch: &Stretch) -> Shelf {
        let ends = [Tid::at(stretch.start, 0), Tid::at(stretch.end, 0)].map(|tid| tid.map(|tid| tid.to_string()));
        let [Some(first), Some(last)] = ends else { return Shelf::default() };
        // three letters hold some thirteen days
        let mut keys: Vec<&str> = [&first, &last].into_iter().filter_map(|key| key.get(..3)).collect();
        keys.dedup();
        let mut who = vec![self.account.asked.to_string()];
        who.extend(self.account.did.as_ref().map(ToString::to_string));
        who.dedup();
        let place =
            |who: &String| keys.iter().map(|key| format!("bsky.app/profile/{who}/post/{key}*")).collect::<Vec<_>>();
        let posts = who.iter().flat_map(place).collect();
        Shelf { posts, lists: Vec::new() }
    }

    fn may_be(&self, name: &PostName, stretch: &Stretch) -> bool {
        let Some((authority, rkey)) = address(&name.id).filter(|_| name.platform == Platform::Bluesky) else {
            return false;
        };
        let own = match authority {
            Authority::Did(did) => self.account.did.as_ref() == Some(&did),
            Authority::Handle(handle) => self.account.asked.to_string().eq_ignore_ascii_case(&handle),
        };
        own && rkey.parse::<Tid>().is_ok_and(|tid| stretch.contains(&tid.time()))
    }

    /// bsky.app's page of an account shows nothing without its scripts.
    fn on_list(&self, _: &Answer) -> Vec<Post> {
        Vec::new()
    }
}
