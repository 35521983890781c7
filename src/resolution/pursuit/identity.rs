//! Who is behind a handle: handles are changed and taken over, the account's number stays.

use std::collections::VecDeque;

use crate::platform::post::{Author, Platform};
use crate::resolution::ending::Ending;
use crate::resolution::hop::FromArchive;
use crate::resolution::judge::Judged;
use crate::resolution::lookup::{Found, Sought, Wanted};
use crate::resolution::pursuit::{Look, Pursuit};

impl Pursuit {
    /// The post is had. Where it stands under another handle than the cited one, an archive may hold it under the cited one.
    pub(super) fn look_for_identity(&mut self, judged: Judged) {
        let cited = self.quest.as_ref().and_then(|quest| quest.handle.clone());
        let post = self.out.post.as_ref().filter(|post| post.name.platform == Platform::X);
        let (Some(cited), Some(post)) = (cited, post) else { return self.end(judged) };
        let other = !post.author.handle.eq_ignore_ascii_case(&cited) && post.author.id.is_some();
        if !other || !self.limits.archives || self.left() < 2 || self.out.from_archive.is_some() {
            return self.end(judged);
        }
        self.look = Look::Identity;
        self.judged = Some(judged);
        let sought = Sought { name: post.name.clone(), handle: Some(cited.clone()), page: None };
        self.lookups = VecDeque::from([Wanted::Post(sought), Wanted::Account(cited)]);
        self.look_up();
    }

    /// Whether this pursuit is of an account whose page, captured or not, does not tell its number.
    pub(super) fn wants_account(&self, judged: &Judged) -> bool {
        self.account.is_some()
            && self.look == Look::Ending
            && self.limits.accounts
            && self.limits.archives
            && self.out.account.is_none()
            && self.left() > 1
            && !judged.ending.is_retryable()
    }

    pub(super) fn look_for_account(&mut self, judged: Judged) {
        let Some(handle) = self.account.clone() else { return self.end(judged) };
        self.look = Look::Account;
        self.judged = Some(judged);
        self.lookups = VecDeque::from([Wanted::Account(handle)]);
        self.look_up();
    }

    /// What the archive has of the account, or of the post under its old handle.
    pub(super) fn identity_found(&mut self, found: Found) {
        let (author, from) = match found {
            Found::Post(post, from) => (post.author, from),
            Found::Account(author, from) => (author, from),
            Found::Nothing(why) => {
                self.out.notes.push(why);
                return self.look_up();
            }
            Found::Page(..) | Found::Bytes(_) | Found::Leads(..) => return self.look_up(),
        };
        let judged = self.judged.take().unwrap_or_else(|| Judged::new(Ending::Captured, ""));
        self.out.notes.push(told(&author, &from));
        self.lookups.clear();
        if self.look == Look::Identity {
            self.out.known.push(author);
            return self.end(judged);
        }
        self.out.account = Some(author);
        if judged.ending == Ending::Captured {
            return self.end(judged);
        }
        let why = format!("{} ({}); {} keeps a copy of {}", judged.why, judged.ending.as_str(), from.archive, from.at);
        self.out.from_archive = Some(from);
        self.end(Judged::new(Ending::CapturedFromArchive, why));
    }
}

fn told(author: &Author, from: &FromArchive) -> String {
    let id = author.id.as_deref().unwrap_or("without a number");
    format!("on {} @{} was account {id}: {} keeps a copy, {}", from.at, author.handle, from.archive, from.url)
}
