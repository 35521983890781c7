//! The quest by what the account itself lists of a day, and by lists that archives kept.

use crate::format::http::Answer;
use crate::platform::lister::{Listed, is_of};
use crate::platform::reader::State;
use crate::platform::wayback::Row;
use crate::resolution::ending::Ending;
use crate::resolution::exchange::{Exchange, Failure};
use crate::resolution::hop::{FromArchive, Role};
use crate::resolution::judge::{self, Judged};
use crate::resolution::lookup::{Elsewhere, Found, Lookup, Wanted};
use crate::resolution::pursuit::quest::{Lead, SAME, WIDER};
use crate::resolution::pursuit::{Purpose, Pursuit};

impl Pursuit {
    /// Looks at what the account lists of one day.
    pub(super) fn list(&mut self, days: i64, reading: usize) {
        let stretch =
            self.quest.as_ref().and_then(|quest| quest.stretch(days, reading)).filter(|_| self.limits.platform);
        let lister = self.quest.as_mut().and_then(|quest| quest.lister.as_mut());
        let (Some(stretch), Some(lister)) = (stretch, lister) else { return self.go_on_quest() };
        lister.look(stretch);
        self.pump_lister();
    }

    /// Makes the lister's requests while there are any left, and hears it out when it is done.
    pub(in crate::resolution::pursuit) fn pump_lister(&mut self) {
        let Some(mut lister) = self.quest.as_mut().and_then(|quest| quest.lister.take()) else { return };
        loop {
            let asks = lister.asks();
            if asks.is_empty() {
                break;
            }
            for (id, request) in asks {
                if self.left() > 0 {
                    self.ask(Role::Platform, request, Purpose::List(id));
                } else {
                    lister.learn(id, Err("the requests of this citation are used up"));
                }
            }
        }
        let heard = lister.done().then(|| lister.heard());
        if let Some(quest) = &mut self.quest {
            quest.lister = Some(lister);
        }
        match heard {
            Some(listed) if self.thread.is_some() => self.thread_listed(listed),
            Some(listed) => self.list_came(listed),
            None => {}
        }
    }

    pub(in crate::resolution::pursuit) fn list_learned(&mut self, id: u32, exchange: &Exchange) {
        match &exchange.outcome {
            Err(Failure::RateLimited(at)) => self.out.retry_at = Some(*at),
            Ok(answer) if answer.status == 429 => self.out.retry_at = judge::retry_at(answer, exchange.at),
            _ => {}
        }
        let Some(quest) = &mut self.quest else { return };
        if let (Err(failure), None) = (&exchange.outcome, &quest.failure) {
            quest.failure = Some(judge::failure(failure));
        }
        if let Some(lister) = &mut quest.lister {
            let why = exchange.outcome.as_ref().err().map(ToString::to_string).unwrap_or_default();
            lister.learn(id, exchange.outcome.as_ref().map_err(|_| why.as_str()));
        }
        self.pump_lister();
    }

    /// Every post of the list is a candidate.
    fn list_came(&mut self, listed: Listed) {
        let Some(quest) = &mut self.quest else { return };
        let Some(Lead::Listed(days, reading)) = quest.current else { return };
        if let Some(state) = listed.state {
            return self.no_list(state, &listed.why);
        }
        let Some(stretch) = quest.stretch(days, reading) else { return self.go_on_quest() };
        let day = stretch.start.strftime("%Y-%m-%d").to_string();
        let count = listed.posts.len();
        let part = if listed.whole { "" } else { ", and may leave some out" };
        let told = format!("{} has {count} of the account's posts of {day}{part}", listed.why);
        quest.lists.push(told.clone());
        if listed.whole {
            quest.whole.push(stretch);
        }
        self.out.notes.push(told);
        for post in listed.posts {
            let Some(quest) = self.quest.as_mut() else { return };
            if !quest.reached(&post.name) {
                continue;
            }
            quest.by = "list";
            // what it said before the edit, only its own history tells
            let edited = post.edited && quest.likeness(&post) < SAME;
            let name = post.name.clone();
            self.weigh(post, Judged::new(Ending::Captured, listed.why.clone()), None);
            if let Some(quest) = self.quest.as_mut().filter(|_| edited) {
                quest.looked.retain(|looked| *looked != name);
                quest.leads.push_front(Lead::Candidate(name, Vec::new(), None));
            }
        }
        self.go_on_quest();
    }

    /// The account lists nothing, and says why, or nobody answers: other days are not asked for.
    fn no_list(&mut self, state: State, why: &str) {
        let Some(quest) = &mut self.quest else { return };
        quest.leads.retain(|lead| !matches!(lead, Lead::Listed(..)));
        let judged = match (&quest.failure, state) {
            (Some(failure), State::Unknown) => failure.clone(),
            _ => judge::state(state, why),
        };
        if judged.ending == Ending::Offline {
            quest.over = true;
            return self.end(judged);
        }
        quest.lists.push(why.to_owned());
        self.out.notes.push(why.to_owned());
        if quest.ending.is_none() && judged.ending != Ending::Unsupported {
            quest.ending = Some(judged);
        }
        self.go_on_quest();
    }

    /// Looks at an archive's copy of the account's list.
    pub(super) fn look_at_copy(&mut self, row: Row) {
        let Some(quest) = &mut self.quest else { return };
        quest.by = "kept-list";
        let Ok(url) = url::Url::parse(&row.original) else { return self.go_on_quest() };
        let near = row.at();
        self.lookup = Some(Lookup::with_rows(Wanted::Page(url), near, &[row], Elsewhere::default()));
        self.pump_lookup();
    }

    /// What the archive's copy of a list shows; false where no list was looked at.
    pub(in crate::resolution::pursuit) fn copied_list(&mut self, found: &Found, answer: Option<&Answer>) -> bool {
        let Some(quest) = self.quest.as_mut().filter(|quest| matches!(quest.current, Some(Lead::Copy(_)))) else {
            return false;
        };
        let from: FromArchive = match found {
            Found::Page(_, from) | Found::Bytes(from) => from.clone(),
            Found::Nothing(why) => {
                self.out.notes.push(why.clone());
                self.go_on_quest();
                return true;
            }
            _ => {
                self.go_on_quest();
                return true;
            }
        };
        let shown =
            quest.lister.as_ref().zip(answer).map(|(lister, answer)| lister.on_list(answer)).unwrap_or_default();
        let days: Vec<_> = quest.stretches(0).into_iter().chain(quest.stretches(WIDER)).collect();
        let posts: Vec<_> = shown.into_iter().filter(|post| days.iter().any(|day| is_of(post, day))).collect();
        let told = format!(
            "{} keeps the account's list of {}: {} of its posts are of those days",
            from.archive,
            from.at,
            posts.len()
        );
        self.out.notes.push(told);
        let gone = format!(
            "the account's list does not show it any more (gone); {} keeps its list of {}",
            from.archive, from.at
        );
        for post in posts {
            let Some(quest) = self.quest.as_mut() else { break };
            if quest.reached(&post.name) {
                let judged = Judged::new(Ending::CapturedFromArchive, gone.clone());
                self.weigh(post, judged, Some(from.clone()));
            }
        }
        self.go_on_quest();
        true
    }
}
