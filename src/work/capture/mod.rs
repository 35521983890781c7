//! From what crossed the wire to what is kept: each exchange becomes WARC records, and a reading copy with their names.

mod memo;
mod spill;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use url::Url;
use uuid::Uuid;

use crate::citation::{Citation, CitationId};
use crate::format::digest::Digest;
use crate::format::http::{Method, Request};
use crate::format::warc::RecordType;
use crate::format::warc::record::{Record, Referred};
use crate::platform::post::{Author, Platform};
use crate::record::{ArchiveRequested, StatementAdded};
use crate::resolution::exchange::{Evidence, Exchange, Failure};
use crate::resolution::hop::{Ask, Part, Role};
use crate::work::capture::memo::Memo;
use crate::work::capture::spill::Spill;
use crate::work::drive::Fetch;
use crate::work::fault::Fault;
use crate::work::parts::{Paths, Tools};
use crate::work::recall::{Past, Recall};
use crate::work::robots::{self, Heard, Policy, Rules, Sites};
use crate::work::rows::{ENTITY_DIGEST, ENTITY_LENGTH};
use crate::work::seal::Seal;
use crate::world::manners;
use crate::world::random::Random;
use crate::world::store::Store;
use crate::world::store::read::{Located, Owed};
use crate::world::vault::place::{self, Place};
use crate::world::wire::Wire;
use crate::world::wire::taken::{Connection, Received, Taken};

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Makes exchanges and keeps them.
pub struct Capture {
    wire: Wire,
    seal: Seal,
    tools: Arc<Tools>,
    warc: PathBuf,
    reader: Mutex<Store>,
    recall: Recall,
    memo: Mutex<Memo>,
    policy: Policy,
    sites: Sites,
    /// by record and payload
    referable: Mutex<HashMap<(Uuid, Digest), Option<Referred>>>,
}

impl std::fmt::Debug for Capture {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Capture")
    }
}

/// Makes exchanges and keeps nothing.
pub struct Look {
    wire: Wire,
    random: Random,
}

impl std::fmt::Debug for Look {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Look")
    }
}

impl Look {
    /// Over `wire`.
    pub fn new(wire: Wire) -> Self {
        Self { wire, random: Random::system() }
    }
}

impl Fetch for Look {
    async fn fetch(self: Arc<Self>, ask: Ask) -> Result<Exchange, Fault> {
        let mut tries = 0;
        loop {
            let taken = self.wire.fetch(&ask.request, None).await;
            tries += 1;
            match manners::again(&taken, tries, jitter(&self.random)?) {
                Some(pause) => tokio::time::sleep(pause).await,
                None => return Ok(taken.into_exchange(None)),
            }
        }
    }
}

impl Fetch for Capture {
    async fn fetch(self: Arc<Self>, ask: Ask) -> Result<Exchange, Fault> {
        if self.policy == Policy::Obey && robots::concerns(ask.role) {
            let url = &ask.request.url;
            if let Some(heard) = self.heard(url).await?
                && heard.get().is_some_and(|(_, rules)| !rules.allow(robots::token(self.wire.user_agent()), url))
            {
                return Ok(self.forbidden(ask.request));
            }
        }
        if ask.request.method != Method::Get {
            return self.tried(&ask.request).await;
        }
        // Asked once in a run: two citations of one link rest on one exchange.
        let cell = lock(&self.memo).cell(&ask.request);
        let exchange = cell.get_or_try_init(|| self.tried(&ask.request)).await?.clone();
        let size = exchange.outcome.as_ref().map_or(0, |answer| answer.body.len());
        lock(&self.memo).weigh(&ask.request, size);
        Ok(exchange)
    }
}

impl Capture {
    /// Over an open archive. `reader` is a second, read-only look at the catalogue.
    pub fn new(wire: Wire, seal: Seal, tools: Arc<Tools>, paths: &Paths, reader: Store) -> Self {
        Self {
            wire,
            seal,
            tools,
            warc: paths.warc(),
            reader: Mutex::new(reader),
            recall: Recall::new(paths),
            memo: Mutex::default(),
            policy: Policy::default(),
            sites: Sites::default(),
            referable: Mutex::default(),
        }
    }

    /// What it asks through.
    pub fn wire(&self) -> &Wire {
        &self.wire
    }

    /// The same with another regard for robots.txt.
    #[must_use]
    pub fn heeding(self, policy: Policy) -> Self {
        Self { policy, ..self }
    }

    /// The robots.txt of a page's site as part of its snapshot; none where it is not wanted.
    ///
    /// # Errors
    /// The vault's.
    pub async fn robots(&self, page: &Url) -> Result<Option<Part>, Fault> {
        if self.policy == Policy::Ignore {
            return Ok(None);
        }
        let heard = self.heard(page).await?;
        Ok(heard.as_ref().and_then(|heard| heard.get()).map(|(exchange, _)| Part::of(Role::Robots, exchange)))
    }

    /// The robots.txt of a site, asked for once in a run.
    async fn heard(&self, url: &Url) -> Result<Option<Heard>, Fault> {
        let Some(robots) = robots::url_of(url) else { return Ok(None) };
        let site = self.sites.site(&robots);
        site.get_or_try_init(|| async {
            let mut exchange = self.tried(&Request::get(robots.clone())).await?;
            let rules = Rules::of(&exchange);
            // Its bytes are in the vault; of thousands of sites only the rules stay in memory.
            if let Ok(answer) = &mut exchange.outcome {
                answer.body = Vec::new();
            }
            Ok::<_, Fault>((exchange, rules))
        })
        .await?;
        Ok(Some(site))
    }

    fn forbidden(&self, request: Request) -> Exchange {
        let why = format!("robots.txt of {} forbids it", request.url.host_str().unwrap_or_default());
        let at = self.tools.clock.now();
        Exchange { request, at, ms: 0, remote: None, outcome: Err(Failure::Refused(why)), evidence: None }
    }

    /// The catalogue, as of the last pass.
    pub fn catalogue<T>(&self, ask: impl FnOnce(&Store) -> T) -> T {
        ask(&lock(&self.reader))
    }

    /// An exchange made anew, whatever was answered before in this run: for questions whose answer changes.
    ///
    /// # Errors
    /// What stops the run: the vault, never the network.
    pub async fn fresh(&self, request: &Request) -> Result<Exchange, Fault> {
        self.tried(request).await
    }

    /// What stood at a citation's end before, as the ledger has it.
    ///
    /// # Errors
    /// The catalogue's.
    pub fn before(&self, citation: &CitationId) -> Result<Past, Fault> {
        self.catalogue(|store| self.recall.before(store, citation))
    }

    /// Shows `each` what is due, as the records of its statements have it. What is not to be had from there stays due.
    ///
    /// # Errors
    /// The catalogue's, and what `each` says.
    pub fn owed(
        &self,
        due: &[Owed],
        each: impl FnMut(&StatementAdded, &Citation) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        let missing = |index| {
            tracing::warn!(
                "not all that is due of the statement of ledger record {index} is followed: what that record cites is not to be had; onrecord \
                 verify says what is wrong"
            );
        };
        self.catalogue(|store| self.recall.owed(store, due, each, missing))
    }

    /// The accounts of captured posts that share a handle or the lasting id, each once, as the snapshots on the ledger have them.
    ///
    /// # Errors
    /// The catalogue's.
    pub fn accounts(&self, platform: Platform, handle: &str, id: Option<&str>) -> Result<Vec<Author>, Fault> {
        self.catalogue(|store| {
            let mut all: Vec<Author> = Vec::new();
            // What is being sealed at this moment is not under a checkpoint yet.
            let sealed = |index: &u64| self.recall.covers(*index);
            for index in store.accounts(platform.as_str(), handle, id)?.into_iter().filter(sealed) {
                let Some((on, author)) = self.recall.author(store, index)? else {
                    tracing::warn!(
                        "the account @{} is not told by ledger record {index}, which the catalogue names for it; onrecord verify says \
                         what is wrong",
                        handle.escape_debug()
                    );
                    continue;
                };
                let is_asked = author.handle.eq_ignore_ascii_case(handle) || (id.is_some() && author.id.as_deref() == id);
                if on == platform && is_asked && !all.contains(&author) {
                    all.push(author);
                }
            }
            Ok(all)
        })
    }

    /// Copies that outside archives were asked for and that nobody has read back yet, as the ledger's records have them; the oldest first.
    ///
    /// # Errors
    /// The catalogue's.
    pub fn unconfirmed_copies(&self, limit: usize) -> Result<Vec<(Timestamp, ArchiveRequested)>, Fault> {
        self.catalogue(|store| {
            let mut all = Vec::new();
            for index in store.unconfirmed_copies(limit)? {
                match self.recall.requested(store, index)? {
                    Some(requested) => all.push(requested),
                    None => tracing::warn!(
                        "no copy was asked for by ledger record {index}, as the catalogue has it; onrecord verify says what is wrong"
                    ),
                }
            }
            Ok(all)
        })
    }

    async fn tried(&self, request: &Request) -> Result<Exchange, Fault> {
        let mut tries = 0;
        let mut earlier = Vec::new();
        loop {
            let mut spill = Spill {
                seal: self.seal.clone(),
                id: self.tools.uuid()?,
                uri: request.url.as_str().to_owned(),
                at: self.tools.clock.now(),
                stream: None,
                beginning: Vec::new(),
            };
            let taken = self.wire.fetch(request, Some(&mut spill)).await;
            tries += 1;
            let again = manners::again(&taken, tries, jitter(&self.tools.random)?);
            let mut exchange = self.keep(taken, spill)?;
            match again {
                Some(pause) => {
                    earlier.extend(exchange.evidence.iter().flat_map(Evidence::names));
                    tokio::time::sleep(pause).await;
                }
                None => {
                    if let Some(evidence) = &mut exchange.evidence {
                        evidence.also.append(&mut earlier);
                    }
                    return Ok(exchange);
                }
            }
        }
    }

    /// Writes the records of one exchange.
    fn keep(&self, mut taken: Taken, spill: Spill) -> Result<Exchange, Fault> {
        let uri = taken.request.url.as_str().to_owned();
        let response_id = spill.id;
        let mut records = Vec::with_capacity(4);
        let mut streamed = None;
        match std::mem::replace(&mut taken.received, Received::Nothing) {
            Received::Nothing => {}
            Received::Overflowed { .. } => {
                let bare = Record::new(RecordType::Response, response_id, taken.at, Vec::new());
                streamed = spill.finish(self.dress(described(bare, &taken), &taken), &taken)?;
            }
            Received::Memory(block) => records.push(self.response(response_id, &taken, &uri, block)?),
        }
        let answered = streamed.is_some() || !records.is_empty();
        if !taken.sent.is_empty() {
            let (sent, withheld) = without_secrets(std::mem::take(&mut taken.sent));
            let mut request = Record::request(self.tools.uuid()?, taken.at, &uri, sent);
            if withheld {
                request = request.with(WITHHELD, "Authorization");
            }
            if answered {
                request = request.concurrent_to(response_id);
            }
            records.push(self.dress(request, &taken));
        }
        let at_request = records.iter().position(|record| record.kind == RecordType::Request);
        let at_metadata = match self.metadata(&taken, &uri, answered.then_some(response_id))? {
            Some(record) => {
                records.push(record);
                Some(records.len() - 1)
            }
            None => None,
        };
        let of_exchange = records.len();
        if taken.first_use_of_connection
            && let Some(connection) = &taken.connection
        {
            records.extend(self.connection(connection, &taken, answered.then_some(response_id))?);
        }
        let names = self.seal.keep(&records)?;
        let in_memory = answered && streamed.is_none();
        let evidence = Evidence {
            response: streamed.or_else(|| names.first().copied().filter(|_| in_memory)),
            request: at_request.and_then(|n| names.get(n).copied()),
            metadata: at_metadata.and_then(|n| names.get(n).copied()),
            also: names.get(of_exchange..).unwrap_or_default().to_vec(),
            payload: taken.payload,
            length: taken.payload_len,
        };
        Ok(taken.into_exchange(Some(evidence)))
    }

    fn response(&self, id: Uuid, taken: &Taken, uri: &str, block: Vec<u8>) -> Result<Record, Fault> {
        if let (Some(payload), Some(referred)) = (taken.payload, self.referred(taken)?) {
            let head = head_len(&block);
            let mut block = block;
            block.truncate(head);
            let record = Record::revisit(id, taken.at, uri, block, payload, &referred)
                .with(ENTITY_LENGTH, &taken.payload_len.to_string());
            return Ok(self.dress(record, taken));
        }
        let declared = taken.payload.filter(|_| !taken.chunked);
        let record = Record::response_known(id, taken.at, uri, block, declared).known(taken.block);
        Ok(self.dress(described(record, taken), taken))
    }

    /// A committed record with the same entity, read again from its file before it is relied on.
    fn referred(&self, taken: &Taken) -> Result<Option<Referred>, Fault> {
        let (Some(payload), None, Ok(_)) = (taken.payload, taken.truncated, &taken.outcome) else {
            return Ok(None);
        };
        if taken.payload_len == 0 {
            return Ok(None);
        }
        let Some(held) = lock(&self.reader).body(&payload, taken.payload_len)? else { return Ok(None) };
        Ok(self.read_again(&held, payload))
    }

    fn read_again(&self, held: &Located, payload: Digest) -> Option<Referred> {
        let asked = (held.id, payload);
        if let Some(known) = lock(&self.referable).get(&asked) {
            return known.clone();
        }
        // Of the body the row may say anything: that it is this one, and what it was an answer to, the record says.
        let place = Place { file: held.file.clone(), offset: held.offset, length: held.length };
        let read = place::within(&self.warc, &place).ok();
        let read = read.filter(|read| read.whole == held.digest && read.digests.contains(&payload));
        let referred = read.and_then(|read| read.named).filter(|named| named.id == held.id);
        lock(&self.referable).insert(asked, referred.clone());
        referred
    }

    /// What every record of an exchange says of its connection.
    fn dress(&self, mut record: Record, taken: &Taken) -> Record {
        let Some(connection) = &taken.connection else { return record };
        record = record.from_ip(connection.remote.ip()).over("http/1.1");
        if let Some(tls) = &connection.tls {
            record = record.over(&tls.version).cipher(&tls.cipher_suite);
        }
        record
    }

    /// What is known of an exchange and stands in no other record: the error, interim heads, how long it took.
    fn metadata(&self, taken: &Taken, uri: &str, response: Option<Uuid>) -> Result<Option<Record>, Fault> {
        let error = taken.outcome.as_ref().err().map(ToString::to_string);
        let odd: Vec<&str> = taken.odd.iter().map(|oddity| oddity.as_str()).collect();
        if error.is_none() && taken.interim.is_empty() && odd.is_empty() && taken.surplus.is_empty() {
            return Ok(None);
        }
        let mut lines = format!("fetchTimeMs: {}\r\n", taken.ms);
        let mut line = |name: &str, value: &str| {
            lines.push_str(name);
            lines.push_str(": ");
            lines.extend(value.chars().map(|c| if c.is_control() { ' ' } else { c }));
            lines.push_str("\r\n");
        };
        if let Some(error) = &error {
            line("error", error);
        }
        for head in &taken.interim {
            line("interim", &data_encoding::BASE64.encode(head));
        }
        for name in odd {
            line("odd", name);
        }
        if !taken.surplus.is_empty() {
            line("surplus", &data_encoding::BASE64.encode(&taken.surplus));
        }
        let mut record =
            Record::metadata(self.tools.uuid()?, taken.at, "application/warc-fields", lines.into_bytes()).about(uri);
        if let Some(id) = response {
            record = record.concurrent_to(id);
        }
        Ok(Some(self.dress(record, taken)))
    }

    /// What is kept once for each connection: the name's addresses, and who proved to be there.
    fn connection(&self, connection: &Connection, taken: &Taken, response: Option<Uuid>) -> Result<Vec<Record>, Fault> {
        let mut out = Vec::with_capacity(2);
        let tied = |record: Record| match response {
            Some(id) => record.concurrent_to(id),
            None => record,
        };
        if let Some(dns) = &connection.dns {
            let record =
                Record::resource(self.tools.uuid()?, taken.at, &dns.uri(), "text/dns", dns.text.clone().into_bytes());
            out.push(tied(record));
        }
        if let Some(tls) = &connection.tls
            && let Some(leaf) = tls.chain_der.first()
        {
            let uri = format!("urn:x-tls-chain:{}", Digest::of(leaf).hex());
            let pem = tls.chain_der.iter().map(|der| pem(der)).collect::<String>();
            let record = Record::resource(
                self.tools.uuid()?,
                taken.at,
                &uri,
                "application/pem-certificate-chain",
                pem.into_bytes(),
            );
            out.push(tied(record.from_ip(connection.remote.ip())));
        }
        Ok(out)
    }
}

/// What a response record says beyond its own block.
fn described(mut record: Record, taken: &Taken) -> Record {
    if let (Some(payload), true) = (taken.payload, taken.chunked) {
        record = record.with(ENTITY_DIGEST, &payload.to_string()).with(ENTITY_LENGTH, &taken.payload_len.to_string());
    }
    match taken.truncated {
        Some(why) => record.truncated(why),
        None => record,
    }
}

/// Names the header of a request whose value was a secret and is not kept.
const WITHHELD: &str = "Onrecord-Withheld";

/// A request's bytes with the value of Authorization struck out: it is the user's, proves nothing of the answer, and archives
/// are handed on. Said in the record's own head, so that nobody takes the rest for the whole.
fn without_secrets(sent: Vec<u8>) -> (Vec<u8>, bool) {
    let head = head_len(&sent);
    let mut out = Vec::with_capacity(sent.len());
    let mut withheld = false;
    for line in sent.get(..head).unwrap_or_default().split_inclusive(|byte| *byte == b'\n') {
        let secret = line.get(..14).is_some_and(|start| start.eq_ignore_ascii_case(b"authorization:"));
        withheld |= secret;
        out.extend_from_slice(if secret { b"Authorization: (withheld)\r\n" } else { line });
    }
    out.extend_from_slice(sent.get(head..).unwrap_or_default());
    (out, withheld)
}

/// A number from 0 to 1.
fn jitter(random: &Random) -> Result<f64, Fault> {
    Ok(f64::from((random.bits128()? & 0xffff_ffff) as u32) / f64::from(u32::MAX))
}

fn pem(der: &[u8]) -> String {
    let text = data_encoding::BASE64.encode(der);
    let mut out = String::from("-----BEGIN CERTIFICATE-----\n");
    let mut rest = text.as_str();
    while !rest.is_empty() {
        let (line, tail) = rest.split_at(rest.len().min(64));
        out.push_str(line);
        out.push('\n');
        rest = tail;
    }
    out.push_str("-----END CERTIFICATE-----\n");
    out
}

/// The length of the HTTP head, its blank line included.
fn head_len(block: &[u8]) -> usize {
    memchr::memmem::find(block, b"\r\n\r\n").map_or(block.len(), |at| at + 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_struck_out_of_requests_and_nothing_else_is() {
        let sent = b"GET / HTTP/1.1\r\nHost: a\r\nauthorization: Bearer s3cret\r\nX: y\r\n\r\nauthorization: body";
        let (kept, withheld) = without_secrets(sent.to_vec());
        assert!(withheld);
        let text = String::from_utf8(kept).unwrap();
        assert_eq!(text, "GET / HTTP/1.1\r\nHost: a\r\nAuthorization: (withheld)\r\nX: y\r\n\r\nauthorization: body");
        for plain in [&b"GET / HTTP/1.1\r\nHost: a\r\nCookie: b\r\n\r\n"[..], b"", b"\r\n", b"authorization"] {
            assert_eq!(without_secrets(plain.to_vec()), (plain.to_vec(), false));
        }
    }
}
