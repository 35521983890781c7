//! The pictures and videos of the post that was read, in the best quality there is, within the requests left.

use url::Url;

use crate::format::http::Request;
use crate::platform::bluesky;
use crate::platform::post::{Media, Post};
use crate::platform::reader::Attestation;
use crate::resolution::exchange::Exchange;
use crate::resolution::hop::Role;
use crate::resolution::pursuit::{Purpose, Pursuit};

/// A picture or video to be fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    url: String,
    /// what to ask where that is not there
    instead: Option<String>,
}

impl Wanted {
    fn of(media: &Media) -> Self {
        Self { url: media.url.clone(), instead: smaller(&media.url).or_else(|| media.poster.clone()) }
    }
}

/// `…/NAME?format=jpg&name=orig` where it is gone: the plain `…/NAME.jpg`, which is smaller but longer kept.
fn smaller(url: &str) -> Option<String> {
    let (stem, rest) = url.split_once("?format=")?;
    let format = rest.split('&').next()?;
    url.starts_with("https://pbs.twimg.com/media/").then(|| format!("{stem}.{format}"))
}

impl Pursuit {
    /// Media of the post and of the post it quotes.
    pub(super) fn begin_media(&mut self) {
        if !self.limits.media {
            return;
        }
        let mut all = Vec::new();
        for first in self.out.posts() {
            let mut post = Some(first);
            while let Some(one) = post {
                all.extend(wanted(one));
                post = one.quotes.as_deref();
            }
        }
        all.dedup();
        let left = self.left();
        if all.len() > left {
            for one in all.iter().skip(left) {
                self.out.notes.push(format!("left out, for the requests are used up: {}", one.url));
            }
            all.truncate(left);
        }
        for one in all {
            self.ask_media(one);
        }
    }

    fn ask_media(&mut self, wanted: Wanted) {
        if let Ok(url) = Url::parse(&wanted.url) {
            self.ask(Role::Media, Request::get(url), Purpose::Media(wanted));
        }
    }

    /// On Bluesky a picture's address holds the hash that its author signed.
    fn attest_blob(&mut self, exchange: &Exchange) {
        let (Some(cid), Ok(answer)) = (bluesky::blob_cid(&exchange.request.url), &exchange.outcome) else { return };
        if answer.truncated.is_some() || answer.unread.is_some() {
            return;
        }
        let holds = bluesky::blob_matches(&cid, &answer.body);
        let why = if holds { "its bytes hash to it" } else { "its bytes hash to something else" };
        self.out.attestations.push(Attestation {
            what: format!("the picture or video fetched is the blob {cid} of the signed record"),
            holds,
            why: why.to_owned(),
        });
    }

    pub(super) fn media_came(&mut self, wanted: Wanted, exchange: &Exchange) {
        let came = exchange.outcome.as_ref().is_ok_and(|answer| (200..300).contains(&answer.status));
        if came {
            return self.attest_blob(exchange);
        }
        let why = match &exchange.outcome {
            Ok(answer) => format!("status {}", answer.status),
            Err(failure) => failure.to_string(),
        };
        self.out.notes.push(format!("{} was not to be had: {why}", wanted.url));
        if let Some(instead) = wanted.instead.filter(|_| self.left() > 0) {
            self.ask_media(Wanted { url: instead, instead: None });
        }
    }
}

fn wanted(post: &Post) -> Vec<Wanted> {
    post.media.iter().map(Wanted::of).collect()
}
