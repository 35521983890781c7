//! A post or an account asked of its platform, and the page itself where the platform does not tell.

use crate::format::http::Answer;
use crate::platform::page;
use crate::platform::post::{Platform, PostName};
use crate::platform::reader::{Read, State};
use crate::platform::registry::{self, Aids};
use crate::resolution::ending::Ending;
use crate::resolution::exchange::{Exchange, Failure};
use crate::resolution::hop::Role;
use crate::resolution::judge::{self, Judged};
use crate::resolution::pursuit::{Purpose, Pursuit, page_of};

impl Pursuit {
    pub(super) fn ask_platform(&mut self, name: PostName, handle: Option<String>) {
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
    pub(super) fn pump_reader(&mut self) {
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

    pub(super) fn read(&mut self, read: Read) {
        if self.versions.is_some() {
            return self.version_read(read);
        }
        if self.thread.is_some() {
            return self.thread_read(read);
        }
        self.out.notes.extend(read.notes.iter().cloned());
        self.out.attestations.extend(read.attestations.iter().cloned());
        self.out.known.extend(read.known.iter().cloned());
        if let Some(listed) = self.listed.take() {
            return self.listed_read(listed, read);
        }
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

    pub(super) fn reader_learned(&mut self, id: u32, exchange: &Exchange) {
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

    /// The page of a post whose platform would not tell: on record; on X it proves nothing, for it is the same shell for
    /// every post there is or is not.
    pub(super) fn page_came(&mut self, page: Option<(Judged, Option<page::Said>, &Answer)>) {
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
}
