//! The reader of a Bluesky post: who, what the AppView shows, what the account's own server proves.

use std::mem;

use super::account::{Account, Purpose};
use super::post::{Whereabouts, of_record};
use super::proof::{Claim, Keys, Proof, prove};
use super::view::{Hidden, Shown, post_from_thread, success};
use super::{audit_log, document, get_post_thread, get_record_proof, resolve_handle, well_known};
use crate::format::aturi::Authority;
use crate::format::did::Did;
use crate::format::http::{Answer, Request};
use crate::format::plc::History;
use crate::platform::errand::Errands;
use crate::platform::post::{Author, Post};
use crate::platform::reader::{Attestation, Read, Reader, State};

/// An answer, or why there is none.
type Heard = Option<Result<Answer, String>>;

/// Reads one post.
#[derive(Debug)]
pub struct PostReader {
    errands: Errands<Purpose>,
    account: Account,
    rkey: String,
    thread: Heard,
    history: Heard,
    proof: Heard,
}

impl PostReader {
    /// The reader for the post whose id is `<did or handle>/<rkey>`; none where the id has another shape.
    pub fn new(id: &str) -> Option<Self> {
        let (authority, rkey) = super::address(id)?;
        let account = Account::of(authority);
        let errands = Errands::new();
        let mut reader = Self { errands, account, rkey: rkey.to_owned(), thread: None, history: None, proof: None };
        reader.start();
        Some(reader)
    }

    fn ask(&mut self, purpose: Purpose, request: Option<Request>) {
        if let Some(request) = request {
            self.errands.ask(purpose, request);
        }
    }

    fn start(&mut self) {
        match (&self.account.asked, &self.account.did) {
            (_, Some(did)) => {
                let (thread, document) = (get_post_thread(did, &self.rkey), document(did));
                self.ask(Purpose::Thread, thread);
                self.ask(Purpose::Document, document);
            }
            (Authority::Handle(handle), None) => {
                let request = resolve_handle(handle);
                self.ask(Purpose::Handle, request);
            }
            (Authority::Did(_), None) => {}
        }
    }

    /// Asks what an answer about the account makes it possible to ask.
    fn go_on(&mut self, purpose: Purpose) {
        match (purpose, &self.account.did, &self.account.asked) {
            (Purpose::Handle | Purpose::WellKnown, Some(_), _) => self.start(),
            (Purpose::Handle, None, Authority::Handle(handle)) => {
                let request = well_known(handle);
                self.ask(Purpose::WellKnown, request);
            }
            (Purpose::Document, Some(did), _) => {
                let proof = self.account.pds().and_then(|pds| get_record_proof(pds, did, &self.rkey));
                let log = audit_log(did).filter(|_| proof.is_some());
                self.ask(Purpose::Proof, proof);
                self.ask(Purpose::History, log);
            }
            _ => {}
        }
    }

    fn read(mut self) -> Read {
        let Some(did) = self.account.did.clone() else {
            let trouble = self.account.trouble.take();
            let trouble = trouble.unwrap_or_else(|| Hidden::new(State::Unknown, "the handle could not be looked up"));
            return Read::ended(trouble.state, trouble.why);
        };
        let mut attestations = self.account.attestations();
        let mut notes = Vec::new();
        let history = self.history(&did, &mut attestations);
        let proof = self.proof(&did, history.as_ref());
        let shown = match &self.thread {
            Some(Ok(answer)) => post_from_thread(answer, self.account.pds()),
            Some(Err(why)) => Err(Hidden::new(State::Unknown, format!("the AppView gave no answer: {why}"))),
            None => Err(Hidden::new(State::Unknown, "the AppView was not asked")),
        };
        match &proof {
            Ok(proof) => attestations.push(proof.attestation()),
            Err(why) => notes.push(format!("nothing is proved: {}", why.why)),
        }
        let mut read = self.weigh(&did, shown, proof);
        attestations.append(&mut read.attestations);
        notes.append(&mut read.notes);
        notes.extend(read.post.as_ref().and_then(odd_times));
        let known = history.as_ref().map(|history| self.former(history)).unwrap_or_default();
        let name = Some(super::name(&did, &self.rkey));
        Read { author: self.account.author(), name, attestations, notes, known, ..read }
    }

    /// The handles that the account had before, by its own signed history.
    fn former(&self, history: &History) -> Vec<Author> {
        let mut all: Vec<Author> = Vec::new();
        let handles = history.versions.iter().filter(|version| !version.nullified).flat_map(|version| &version.handles);
        for handle in handles.filter(|handle| self.account.handle().is_none_or(|now| !now.eq_ignore_ascii_case(handle)))
        {
            if !all.iter().any(|author| author.handle == *handle) {
                all.push(Author { handle: handle.clone(), name: None, id: Some(history.did.to_string()) });
            }
        }
        all
    }

    fn history(&self, did: &Did, attestations: &mut Vec<Attestation>) -> Option<History> {
        let Some(Ok(answer)) = &self.history else { return None };
        let what = format!("the history of {did}");
        let (history, holds, why) = match History::read(did, &answer.body) {
            _ if answer.status != 200 => return None,
            Ok(history) => {
                let why =
                    format!("{} operations, each signed by a key that the one before names", history.versions.len());
                (Some(history), true, why)
            }
            Err(why) => (None, false, why.to_string()),
        };
        attestations.push(Attestation { what, holds, why });
        history
    }

    fn proof(&self, did: &Did, history: Option<&History>) -> Result<Proof, Hidden> {
        match &self.proof {
            Some(Ok(answer)) if answer.status == 200 => {
                let keys = Keys { document: self.account.document.as_ref(), history };
                Ok(prove(did, &self.rkey, &answer.body, keys))
            }
            Some(Ok(answer)) => Err(success(answer, "sync.getRecord").err().unwrap_or_else(no_server)),
            Some(Err(why)) => Err(Hidden::new(State::Unknown, format!("the account's server gave no answer: {why}"))),
            None => Err(self.account.trouble.clone().unwrap_or_else(no_server)),
        }
    }

    /// Puts together what is shown and what is proved. A proved record is the author's own word and goes before what the
    /// AppView shows of it.
    fn weigh(&self, did: &Did, shown: Result<Shown, Hidden>, proof: Result<Proof, Hidden>) -> Read {
        let verified = proof.as_ref().ok().filter(|proof| proof.verified());
        match (shown, verified.and_then(|proof| proof.claim)) {
            (Ok(shown), Some(Claim::Included(cid))) => {
                let same = Attestation {
                    what: "the post shown is the record signed".to_owned(),
                    holds: shown.hashes && shown.cid == Some(cid),
                    why: format!(
                        "shown as {}, signed as {cid}",
                        shown.cid.map_or("nothing".to_owned(), |c| c.to_string())
                    ),
                };
                let signed = verified.and_then(|proof| self.signed(did, proof, Some(&shown.post)));
                let mut read =
                    Read::post(signed.unwrap_or(shown.post), "the account's signed repository and the AppView");
                read.attestations.push(same);
                read.notes = shown.notes;
                read
            }
            (Ok(shown), Some(Claim::Absent)) => {
                let mut read = Read::post(shown.post, "getPostThread");
                read.notes = shown.notes;
                read.notes.push("the AppView still shows what the account's repository no longer holds".to_owned());
                read
            }
            (Ok(shown), None) => {
                let mut read = Read::post(shown.post, "getPostThread");
                read.notes = shown.notes;
                read
            }
            (Err(hidden), Some(Claim::Included(_))) => match verified.and_then(|proof| self.signed(did, proof, None)) {
                Some(post) => {
                    let mut read = Read::post(post, "the account's signed repository");
                    read.notes.push(format!("not shown: {}", hidden.why));
                    read
                }
                None => Read::ended(State::Unknown, "the record under this name is no post"),
            },
            (Err(_), Some(Claim::Absent)) => {
                let rev = verified.and_then(|proof| proof.rev.clone()).unwrap_or_default();
                Read::ended(
                    State::Gone,
                    format!("the account's signed repository at revision {rev} does not hold the post"),
                )
            }
            (Err(hidden), None) => {
                let server = proof.err().unwrap_or_else(|| Hidden::new(State::Unknown, ""));
                let told = if telling(server.state) < telling(hidden.state) { server } else { hidden };
                Read::ended(told.state, told.why)
            }
        }
    }

    /// The post in the signed record, with what only the AppView knows.
    fn signed(&self, did: &Did, proof: &Proof, shown: Option<&Post>) -> Option<Post> {
        let at = Whereabouts {
            did,
            rkey: &self.rkey,
            handle: self.account.handle().or(shown.map(|post| post.author.handle.as_str())),
            name: shown.and_then(|post| post.author.name.as_deref()),
            pds: self.account.pds(),
        };
        let mut post = of_record(proof.record.as_ref()?, &at)?;
        post.quotes = shown.and_then(|post| post.quotes.clone());
        Some(post)
    }
}

impl Reader for PostReader {
    fn asks(&mut self) -> Vec<(u32, Request)> {
        self.errands.take()
    }

    fn learn(&mut self, id: u32, answer: Result<&Answer, &str>) {
        let Some((purpose, _)) = self.errands.settle(id, answer) else { return };
        if self.account.learn(purpose, answer) {
            return self.go_on(purpose);
        }
        let heard = Some(answer.cloned().map_err(str::to_owned));
        match purpose {
            Purpose::Thread => self.thread = heard,
            Purpose::History => self.history = heard,
            Purpose::Proof => self.proof = heard,
            _ => {}
        }
    }

    fn done(&self) -> bool {
        self.errands.idle()
    }

    fn finish(self: Box<Self>) -> Read {
        self.read()
    }
}

fn no_server() -> Hidden {
    Hidden::new(State::Unknown, "the account's server is not known")
}

/// How much a state tells; lower tells more.
fn telling(state: State) -> u8 {
    match state {
        State::Suspended => 0,
        State::Gone => 1,
        State::Withheld | State::Protected | State::LoginGated | State::AgeGated => 2,
        State::NotFound => 3,
        State::RateLimited | State::Blocked | State::ServerError => 4,
        State::Unknown => 5,
    }
}

/// Both times are the author's own claims; software sets them together, so a gap means that somebody chose one.
fn odd_times(post: &Post) -> Option<String> {
    let (posted, id_time) = (post.posted?, post.id_time?);
    let gap = id_time.duration_since(posted);
    (gap.abs() > jiff::SignedDuration::from_mins(10))
        .then(|| format!("createdAt says {posted}, the record key says {id_time}: one of them was chosen by hand"))
}

/// Reads one account.
#[derive(Debug)]
pub struct ProfileReader {
    errands: Errands<Purpose>,
    account: Account,
    profile: Heard,
}

impl ProfileReader {
    /// The reader for a handle or a DID; none where it is neither.
    pub fn new(handle: &str) -> Option<Self> {
        let account = Account::of(handle.parse().ok()?);
        let mut reader = Self { errands: Errands::new(), account, profile: None };
        match (&reader.account.asked, &reader.account.did) {
            (Authority::Handle(handle), None) => {
                let request = resolve_handle(handle)?;
                reader.errands.ask(Purpose::Handle, request);
            }
            _ => reader.look_up(),
        }
        Some(reader)
    }

    fn look_up(&mut self) {
        let Some(did) = &self.account.did else { return };
        let requests = [(Purpose::Document, document(did)), (Purpose::Profile, super::get_profile(did))];
        for (purpose, request) in requests {
            if let Some(request) = request {
                self.errands.ask(purpose, request);
            }
        }
    }

    fn read(mut self) -> Read {
        let author = self.account.author();
        let shown = match mem::take(&mut self.profile) {
            Some(Ok(answer)) => success(&answer, "getProfile"),
            Some(Err(why)) => Err(Hidden::new(State::Unknown, format!("the AppView gave no answer: {why}"))),
            None => Err(Hidden::new(State::Unknown, "the AppView was not asked")),
        };
        let Some(mut author) = author else {
            let trouble = self
                .account
                .trouble
                .unwrap_or_else(|| Hidden::new(State::Unknown, "the handle could not be looked up"));
            return Read::ended(trouble.state, trouble.why);
        };
        let attestations = self.account.attestations();
        let mut read = match shown {
            Ok(profile) => {
                let name = super::post::text(&profile, "displayName").filter(|name| !name.is_empty());
                author.name = name.map(str::to_owned);
                Read { why: "resolveHandle and getProfile".to_owned(), ..Read::default() }
            }
            Err(hidden) if self.account.document.is_some() && hidden.state == State::Unknown => {
                Read { why: "the DID document".to_owned(), notes: vec![hidden.why], ..Read::default() }
            }
            Err(hidden) => Read::ended(hidden.state, hidden.why),
        };
        read.author = Some(author);
        read.attestations = attestations;
        read
    }
}

impl Reader for ProfileReader {
    fn asks(&mut self) -> Vec<(u32, Request)> {
        self.errands.take()
    }

    fn learn(&mut self, id: u32, answer: Result<&Answer, &str>) {
        let Some((purpose, _)) = self.errands.settle(id, answer) else { return };
        match (purpose, &self.account.asked) {
            (Purpose::Profile, _) => self.profile = Some(answer.cloned().map_err(str::to_owned)),
            (Purpose::Handle, Authority::Handle(handle)) => {
                let fallback = well_known(handle);
                self.account.learn(purpose, answer);
                match (&self.account.did, fallback) {
                    (None, Some(request)) => self.errands.ask(Purpose::WellKnown, request),
                    _ => self.look_up(),
                }
            }
            (Purpose::WellKnown, _) => {
                self.account.learn(purpose, answer);
                self.look_up();
            }
            _ => {
                self.account.learn(purpose, answer);
            }
        }
    }

    fn done(&self) -> bool {
        self.errands.idle()
    }

    fn finish(self: Box<Self>) -> Read {
        self.read()
    }
}

#[cfg(test)]
mod tests;
