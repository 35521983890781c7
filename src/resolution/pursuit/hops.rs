//! The answers of the chain's hops: where it stands, what an archive's copy shows, and t.co as a browser sees it.

use jiff::Timestamp;
use url::Url;

use crate::format::http::{Answer, Request};
use crate::platform::page;
use crate::platform::permalink;
use crate::platform::post::PostName;
use crate::platform::registry;
use crate::platform::x;
use crate::resolution::ending::Ending;
use crate::resolution::exchange::{Exchange, Failure};
use crate::resolution::hop::{FromArchive, Role};
use crate::resolution::judge;
use crate::resolution::pursuit::{Purpose, Pursuit, page_of};
use crate::resolution::trail::Next;

/// What t.co takes for a browser.
const BROWSER: &str =
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36";

impl Pursuit {
    pub(super) fn hop_learned(&mut self, exchange: Exchange) {
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
        let said = self.trail.said.take();
        let judged = judge::answer(&url, self.trail.before().as_ref(), answer, said.as_ref());
        self.out.truncated = answer.truncated;
        self.out.unread.clone_from(&answer.unread);
        self.out.payload = exchange.evidence.as_ref().and_then(|e| e.payload);
        self.out.retry_at = judge::retry_at(answer, exchange.at).or(self.out.retry_at);
        if self.page_asked {
            return self.page_came(Some((judged, said, answer)));
        }
        if judged.ending == Ending::Captured {
            self.ask_embedded(&url, said.as_ref());
            self.out.page = said.map(page_of);
            self.out.needs = Some(std::mem::take(&mut self.trail.needs));
            self.archived_post(&url, answer, exchange.at);
            self.note_shell(&url, answer);
        }
        self.close(judged);
    }

    /// A page that names no author may say how it is embedded, and that who wrote it.
    fn ask_embedded(&mut self, url: &Url, said: Option<&page::Said>) {
        let said = said.filter(|said| self.limits.platform && (said.author.is_none() || said.title.is_none()));
        let endpoint = said.and_then(|said| url.join(said.oembed.as_deref()?.trim()).ok());
        let sound = endpoint.filter(|to| matches!(to.scheme(), "http" | "https") && to.scheme() >= url.scheme());
        if let Some(endpoint) = sound.filter(|_| self.left() > 0) {
            self.ask(Role::Platform, Request::get(endpoint), Purpose::Embedded);
        }
    }

    pub(super) fn embedded_came(&mut self, exchange: &Exchange) {
        let said = exchange.outcome.as_ref().ok().and_then(page::embedded);
        let (Some(said), Some(page)) = (said, &mut self.out.page) else { return };
        page.title = page.title.take().or(said.title);
        page.author = page.author.take().or(said.author);
    }

    /// X sends everybody the same page; what it shows comes by script.
    pub(super) fn note_shell(&mut self, url: &Url, answer: &Answer) {
        let content_type = answer.headers.get("content-type").unwrap_or_default();
        let on_x = url.host_str().is_some_and(|host| x::HOSTS.contains(&host));
        if on_x && x::legacy::is_shell(&crate::format::markup::decode(&answer.body, &content_type)) {
            self.out.notes.push(
                "the page is an empty shell until its scripts run: it shows nothing of the account or post".to_owned(),
            );
        }
    }

    /// A link to an archive's copy of a post: what is kept is the copy, and it may be read.
    pub(super) fn archived_post(&mut self, url: &Url, answer: &Answer, at: Timestamp) {
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

    pub(super) fn begin_views(&mut self) {
        if !self.limits.both_views || self.left() == 0 {
            return;
        }
        let short = self.trail.hops.iter().find(|hop| hop.url.contains("://t.co/") && hop.at.is_some());
        if let Some(url) = short.and_then(|hop| Url::parse(&hop.url).ok()) {
            let request = Request::get(url.clone()).with("User-Agent", BROWSER);
            self.ask(Role::Platform, request, Purpose::View(url));
        }
    }

    pub(super) fn viewed(&mut self, url: &Url, exchange: &Exchange) {
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
}
