//! What an account posted in a stretch of time, by the client API of its server: ids hold their time, so a stretch is an interval
//! of ids (docs.joinmastodon.org/methods/accounts, 2026; Pleroma and its kin, whose ids hold none, are asked the same).

use serde_json::Value as Json;

use super::status::{self, text};
use super::{address, get_statuses, id_at, id_time, lookup};
use crate::format::http::{Answer, Request};
use crate::platform::errand::{Errands, refusal};
use crate::platform::lister::{Listed, Lister, Shelf, Stretch, is_of};
use crate::platform::mastodon::reader::success;
use crate::platform::post::{Platform, Post, PostName};
use crate::platform::reader::State;
use crate::platform::x::snowflake;

/// Pages asked for at most in one look.
const PAGES: usize = 3;
/// Posts of one page.
const PAGE: usize = 40;
/// Prefixes of one stretch.
const PREFIXES: usize = 2;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Purpose {
    Account,
    Statuses,
}

/// Lists the posts of one account.
#[derive(Debug)]
pub struct PostLister {
    errands: Errands<Purpose>,
    user: String,
    host: String,
    /// the account's number at its server
    number: Option<String>,
    stretch: Stretch,
    pages: usize,
    found: Vec<Post>,
    whole: bool,
    told: bool,
    hidden: Option<(State, String)>,
}

impl PostLister {
    /// The lister for `user@host`; none where the handle has another shape.
    pub fn new(handle: &str) -> Option<Self> {
        let (user, host) = handle.trim_start_matches('@').split_once('@')?;
        let sound = !user.is_empty() && user.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.-".contains(&b));
        address(&format!("{host}/x")).filter(|_| sound)?;
        Some(Self {
            errands: Errands::new(),
            user: user.to_owned(),
            host: host.to_ascii_lowercase(),
            number: None,
            stretch: jiff::Timestamp::UNIX_EPOCH..jiff::Timestamp::UNIX_EPOCH,
            pages: 0,
            found: Vec::new(),
            whole: false,
            told: false,
            hidden: None,
        })
    }

    /// Asks for the posts behind `after`, or for the account where it is not known.
    fn go_on(&mut self, after: Option<&str>) {
        let Some(number) = &self.number else {
            if let Some(request) = lookup(&self.host, &self.user) {
                self.errands.ask(Purpose::Account, request);
            }
            return;
        };
        let ends = id_at(self.stretch.start).zip(id_at(self.stretch.end));
        let Some((first, behind)) = ends else { return };
        // the first id of the stretch is one of its own
        let after = after.map_or_else(|| first.saturating_sub(1).to_string(), str::to_owned);
        if let Some(request) = get_statuses(&self.host, number, (&after, &behind.to_string())) {
            self.errands.ask(Purpose::Statuses, request);
        }
    }

    fn heard_account(&mut self, answer: Result<&Answer, &str>) {
        match json(answer, "the account's lookup") {
            Ok(json) => {
                self.number = text(&json, "id").map(str::to_owned);
                match self.number {
                    Some(_) => self.go_on(None),
                    None => self.hidden = Some((State::Unknown, "the account's lookup names no account".to_owned())),
                }
            }
            Err(hidden) => self.hidden = Some(hidden),
        }
    }

    fn heard_statuses(&mut self, answer: Result<&Answer, &str>) {
        let json = match json(answer, "the account's statuses") {
            Ok(json) => json,
            Err(hidden) => {
                self.hidden = Some(hidden);
                return;
            }
        };
        let all = json.as_array().map(Vec::as_slice).unwrap_or_default();
        self.told = true;
        self.pages += 1;
        let own = all.iter().filter(|status| !status.get("reblog").is_some_and(Json::is_object));
        let posts = own.filter_map(|json| status::of_json(json, &self.host)).map(|status| status.post);
        // a server may give its accounts another host than its own
        let by = |post: &Post| {
            post.author.handle.split('@').next().is_some_and(|user| user.eq_ignore_ascii_case(&self.user))
        };
        let new = posts.filter(|post| by(post) && is_of(post, &self.stretch) && !self.found.contains(post));
        let new: Vec<Post> = new.collect();
        self.found.extend(new);
        // a page begins with its newest post
        let newest = all.first().and_then(|status| text(status, "id")).map(str::to_owned);
        match newest.filter(|_| all.len() >= PAGE) {
            Some(newest) if self.pages < PAGES => self.go_on(Some(&newest)),
            more => self.whole = more.is_none(),
        }
    }
}

fn json(answer: Result<&Answer, &str>, what: &str) -> Result<Json, (State, String)> {
    let answer = answer.map_err(|why| (State::Unknown, format!("{what} gave no answer: {why}")))?;
    match answer.status {
        404 | 410 => {
            Err((refusal(answer.status), format!("{what}: the server has no such account (status {})", answer.status)))
        }
        status => success(answer).map_err(|why| (refusal(status), format!("{what}: {why}"))),
    }
}

impl Lister for PostLister {
    fn look(&mut self, stretch: Stretch) {
        self.stretch = stretch;
        (self.pages, self.whole, self.told, self.hidden) = (0, false, false, None);
        self.found.clear();
        self.go_on(None);
    }

    fn asks(&mut self) -> Vec<(u32, Request)> {
        self.errands.take()
    }

    fn learn(&mut self, id: u32, answer: Result<&Answer, &str>) {
        match self.errands.settle(id, answer) {
            Some((Purpose::Account, _)) => self.heard_account(answer),
            Some((Purpose::Statuses, _)) => self.heard_statuses(answer),
            None => {}
        }
    }

    fn done(&self) -> bool {
        self.errands.idle()
    }

    fn heard(&mut self) -> Listed {
        let posts = std::mem::take(&mut self.found);
        match self.hidden.take() {
            Some((state, why)) if !self.told => Listed::none(state, why),
            Some((_, why)) => Listed { posts, whole: false, state: None, why: format!("the client API; then {why}") },
            None => Listed { posts, whole: self.whole, state: None, why: "the client API".to_owned() },
        }
    }

    fn shelf(&self, stretch: &Stretch) -> Shelf {
        let ends = id_at(stretch.start).zip(id_at(stretch.end));
        let Some((first, behind)) = ends.filter(|(first, behind)| first < behind) else { return Shelf::default() };
        let place = |prefix: String| format!("{}/@{}/{prefix}*", self.host, self.user);
        let posts = snowflake::prefixes(&(first..=behind - 1), PREFIXES).into_iter().map(place).collect();
        Shelf { posts, lists: Vec::new() }
    }

    fn may_be(&self, name: &PostName, stretch: &Stretch) -> bool {
        let own = address(&name.id).filter(|(host, _)| name.platform == Platform::Mastodon && *host == self.host);
        own.and_then(|(_, id)| id_time(id)).is_some_and(|at| stretch.contains(&at))
    }

    /// The page of an account shows nothing without its scripts (since Mastodon 4).
    fn on_list(&self, _: &Answer) -> Vec<Post> {
        Vec::new()
    }
}
