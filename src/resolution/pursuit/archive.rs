//! What is gone or gated, looked for in web archives.

use std::collections::VecDeque;

use url::Url;

use crate::format::http::Answer;
use crate::platform::post::PostName;
use crate::resolution::carrier::Via;
use crate::resolution::ending::Ending;
use crate::resolution::hop::{FromArchive, Role};
use crate::resolution::judge::{self, Judged};
use crate::resolution::lookup::{Found, Lookup, Sought, Wanted};
use crate::resolution::pursuit::{Look, Purpose, Pursuit, page_of, parse};

impl Pursuit {
    /// The ending as the chain or the platform has it: final where an archive has nothing to mend.
    pub(super) fn close(&mut self, judged: Judged) {
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

    pub(super) fn what_to_look_up(&self) -> VecDeque<Wanted> {
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

    pub(super) fn sought(&self, name: &PostName) -> Sought {
        let page = self.trail.url.clone();
        Sought { name: name.clone(), handle: self.handle.clone(), page }
    }

    pub(super) fn look_up(&mut self) {
        let Some(wanted) = self.lookups.pop_front().filter(|_| self.left() > 0) else {
            self.lookups.clear();
            let judged = self.judged.take().unwrap_or_else(|| Judged::new(Ending::Gone, "nothing was found"));
            return self.end(judged);
        };
        self.lookup = Some(Lookup::new(wanted, self.near, self.limits.elsewhere()));
        self.pump_lookup();
    }

    pub(super) fn pump_lookup(&mut self) {
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

    pub(super) fn found(&mut self, found: Found, answer: Option<&Answer>) {
        if self.look != Look::Ending {
            return self.identity_found(found);
        }
        if self.copied_list(&found, answer) {
            return;
        }
        let other = self.looks_at_candidate() && matches!(found, Found::Page(..) | Found::Bytes(_));
        let found = if other {
            Found::Nothing("the archive's copy shows the post in no known shape".to_owned())
        } else {
            found
        };
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

    pub(super) fn keep_copy(&mut self, from: FromArchive, answer: Option<&Answer>, why: String) {
        if let Some(answer) = answer {
            self.out.truncated = answer.truncated;
            self.out.unread.clone_from(&answer.unread);
        }
        self.out.from_archive = Some(from);
        self.end(Judged::new(Ending::CapturedFromArchive, why));
    }
}
