//! What a question costs in a large archive: a catalogue is generated through the code that every run uses, then asked.
//!
//! `ONRECORD_BENCH_N` snapshots (100,000 unless said) in `ONRECORD_BENCH_DIR` (a temporary folder unless said; an archive's
//! folder that `onrecord query` opens too, kept between runs).
//!
//! Each question is asked many times, each time about something else, and all of it once before the clock runs. Two times are
//! taken of each: the clock's, in which whatever else the machine does shows, and the CPU's of the thread that asks.

#![expect(clippy::unwrap_used, reason = "a bench that cannot go on has nothing to measure")]

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use uuid::Uuid;

use onrecord::citation::{Citation, CitationId, Form, Kind};
use onrecord::finding::Verdict;
use onrecord::format::digest::Digest;
use onrecord::platform::post::{Author, Platform, Post, PostName};
use onrecord::record::{Event, FindingMade, Held, Record, ResolutionEnded, RunId, StatementAdded, Way};
use onrecord::resolution::ending::Ending;
use onrecord::resolution::exchange::{Evidence, RecordName};
use onrecord::resolution::hop::{Hop, Part, Role};
use onrecord::snapshot::{Manifest, PageSummary};
use onrecord::statement::{About, StatementId};
use onrecord::world::store::apply::{Bound, Documents, ExchangeRow, Leaf, WarcRow};
use onrecord::world::store::find::Wanted;
use onrecord::world::store::{Error, Store};

/// Citations of one statement, all but one of which lead to a snapshot.
const CITATIONS: u64 = 10;
/// Citations that are due.
const DUE: u64 = 10_000;
/// Different words; word 0 stands in every text, word n in about one of n.
const WORDS: u64 = 50_000;

/// Accounts that so many snapshots' posts are by: an archive ten times as large knows ten times as many.
fn accounts(snapshots: u64) -> u64 {
    (snapshots / 10).max(1)
}

/// Numbers that look like chance and are the same every time (splitmix64).
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }

    fn uuid(&mut self) -> Uuid {
        Uuid::from_u64_pair(self.next(), self.next())
    }

    /// Common words often, rare ones seldom.
    fn word(&mut self) -> u64 {
        let share = (self.next() >> 11) as f64 / (1u64 << 53) as f64;
        ((WORDS as f64).powf(share) as u64).min(WORDS - 1)
    }

    fn text(&mut self, words: usize) -> String {
        let mut out = String::from("word0");
        for _ in 0..words {
            out.push_str(&format!(" word{}", self.word()));
        }
        out
    }
}

struct Blocks(HashMap<Uuid, Vec<u8>>);

impl Documents for Blocks {
    fn block(&self, name: &RecordName) -> Result<Vec<u8>, Error> {
        self.0.get(&name.id).cloned().ok_or(Error::Document(name.id))
    }
}

/// One batch on its way into the catalogue.
struct Maker {
    dice: Dice,
    index: u64,
    offset: u64,
    at: Timestamp,
    run: RunId,
    rows: Vec<WarcRow>,
    blocks: Blocks,
    records: Vec<(Digest, Uuid, Record, Vec<u8>)>,
    /// bytes of texts: what people wrote and where things stood, apart from all else
    texts: u64,
    /// one citation of so many is due at any time
    every: u64,
    /// accounts that posts are by
    accounts: u64,
    /// citations, and when each is due
    due: Vec<(Digest, Timestamp)>,
}

impl Maker {
    fn name(&mut self) -> RecordName {
        let id = self.dice.uuid();
        RecordName { id, digest: Digest::of(id.as_bytes()) }
    }

    fn warc(&mut self, name: RecordName, kind: u8, exchange: Option<ExchangeRow>) {
        let length = 400 + self.dice.below(4000);
        let file = format!("onrecord-20260101000000-{:06}.warc.gz", self.offset >> 30);
        let offset = self.offset & ((1 << 30) - 1);
        self.rows.push(WarcRow { id: name.id, file, offset, length, kind, digest: name.digest, exchange });
        self.offset += length;
    }

    fn record(&mut self, event: Event) {
        self.at = self.at.checked_add(jiff::SignedDuration::from_millis(40)).unwrap();
        let record = Record::new(self.at, u128::from(self.dice.next()), event);
        let (bytes, leaf) = record.seal().unwrap();
        let name = self.name();
        self.warc(name, 5, None);
        self.records.push((leaf, name.id, record, bytes));
        self.index += 1;
    }

    fn statement(&mut self, number: u64) {
        let text = format!("statement{number} {}", self.dice.text(200));
        let id = StatementId(Digest::of(text.as_bytes()));
        let citations: Vec<Citation> = (0..CITATIONS).map(|n| self.citation(number, n)).collect();
        let content = self.name();
        self.warc(content, 4, None);
        self.texts += 2 * text.len() as u64;
        let size = text.len() as u64;
        self.blocks.0.insert(content.id, text.into_bytes());
        let day = 1 + self.dice.below(28);
        let added = StatementAdded {
            statement: id,
            source: format!("https://press.example/{number}"),
            media_type: "text/plain".to_owned(),
            bytes: size,
            content,
            about: About { date: Some(format!("2019-{:02}-{day:02}", 1 + number % 12)), ..About::default() },
            unread: Vec::new(),
            signatures: Vec::new(),
            count: CITATIONS,
            citations: Held::Here(citations.clone()),
            fetched: None,
        };
        self.record(Event::StatementAdded(Box::new(added)));
        for (n, citation) in citations.iter().enumerate() {
            self.follow(id, citation, number * CITATIONS + n as u64);
        }
    }

    fn citation(&mut self, statement: u64, n: u64) -> Citation {
        let url = format!("https://t.co/c{:09}", statement * CITATIONS + n);
        self.texts += 3 * url.len() as u64;
        let id = CitationId(Digest::of(url.as_bytes()));
        let raw = url.clone();
        let kind = Kind::Link { form: Form::Tco, url, platform: None, post_id: None, handle: None, defanged: false };
        let span = (n as usize * 100, n as usize * 100 + raw.len());
        Citation { id, kind, raw, span, span_of: None, candidate: false }
    }

    fn follow(&mut self, statement: StatementId, citation: &Citation, number: u64) {
        let start = citation.raw.clone();
        let handle = format!("writer{}", self.dice.below(self.accounts));
        let gone = number % CITATIONS == CITATIONS - 1;
        let is_post = !number.is_multiple_of(3);
        let final_url = match is_post {
            true => format!("https://x.com/{handle}/status/{}", 1_000_000_000_000_000_000 + number),
            false => format!("https://news.example/2019/{number}/article"),
        };
        let response = self.name();
        let payload = Digest::of(final_url.as_bytes());
        let exchange = ExchangeRow {
            url: final_url.clone(),
            at: self.at,
            ip: Some("192.0.2.1".to_owned()),
            status: Some(if gone { 404 } else { 200 }),
            media_type: Some("text/html".to_owned()),
            payload: Some(payload),
            payload_len: Some(20_000),
            refers_to: None,
        };
        self.warc(response, 1, Some(exchange));
        let request = self.name();
        self.warc(request, 2, None);
        self.texts += 5 * final_url.len() as u64 + start.len() as u64;
        let evidence = Evidence {
            response: Some(response),
            request: Some(request),
            metadata: None,
            also: Vec::new(),
            payload: Some(payload),
            length: 20_000,
        };
        let hop = Hop {
            n: 0,
            url: final_url.clone(),
            status: Some(200),
            via: "start".to_owned(),
            to: None,
            at: Some(self.at),
            ip: None,
            ms: Some(80),
            error: None,
            notes: Vec::new(),
            evidence: Some(evidence.clone()),
        };
        let name = PostName { platform: Platform::X, id: (1_000_000_000_000_000_000 + number).to_string() };
        let snapshot =
            (!gone).then(|| self.snapshot(&start, &final_url, &hop, evidence, is_post.then(|| (name.clone(), handle))));
        let ended = ResolutionEnded {
            run: self.run,
            statement,
            citation: citation.id,
            ending: if gone { Ending::Gone } else { Ending::Captured },
            post: (is_post && !gone).then(|| name.clone()),
            snapshot,
            retry_at: None,
            way: Held::Here(Way {
                start,
                why: "answered".to_owned(),
                final_url: Some(final_url),
                hops: vec![hop],
                candidates: Vec::new(),
                from_archive: None,
                asked: Vec::new(),
                notes: Vec::new(),
                truncated: None,
                unread: None,
                account: None,
                attestations: Vec::new(),
            }),
        };
        self.record(Event::ResolutionEnded(Box::new(ended)));
        // Ten thousand are due at any time after the beginning; the others in years.
        let due = if number.is_multiple_of(self.every) { "2026-01-01T00:00:00Z" } else { "2036-01-01T00:00:00Z" };
        self.due.push((citation.id.0, due.parse().unwrap()));
        if let (Some(snapshot), true) = (snapshot, is_post && number.is_multiple_of(7)) {
            let verdict = if number.is_multiple_of(700) { Verdict::Contradicted } else { Verdict::Corroborated };
            let checks = Held::Here(Vec::new());
            let made = FindingMade {
                run: self.run,
                statement,
                citation: citation.id,
                snapshot,
                post: name.to_string(),
                verdict,
                checks,
            };
            self.record(Event::FindingMade(Box::new(made)));
        }
    }

    fn snapshot(
        &mut self,
        start: &str,
        end: &str,
        hop: &Hop,
        evidence: Evidence,
        post: Option<(PostName, String)>,
    ) -> Digest {
        let post = post.map(|(name, handle)| {
            let text = self.dice.text(18);
            self.texts += 3 * text.len() as u64;
            Post {
                permalink: end.to_owned(),
                author: Author { handle, name: Some("A Writer".to_owned()), id: None },
                posted: Some(self.at),
                id_time: None,
                text,
                language: None,
                cut: false,
                links: Vec::new(),
                media: Vec::new(),
                versions: Vec::new(),
                others: Vec::new(),
                edited: false,
                reply_to: None,
                quotes: None,
                name,
            }
        });
        let text_digest = Digest::of(start.as_bytes());
        let page = PageSummary {
            title: Some("An article".to_owned()),
            author: None,
            published: None,
            language: None,
            canonical: None,
            text_digest,
        };
        let part = Part {
            role: Role::Hop,
            url: end.to_owned(),
            status: Some(200),
            media_type: "text/html".to_owned(),
            at: self.at,
            error: None,
            evidence: Some(evidence),
        };
        let manifest = Manifest {
            target: start.to_owned(),
            final_url: Some(end.to_owned()),
            ending: Ending::Captured,
            why: String::new(),
            at: self.at,
            hops: vec![hop.clone()],
            post_digest: None,
            page: post.is_none().then_some(page),
            post,
            from_archive: None,
            also: Vec::new(),
            thread: Vec::new(),
            attestations: Vec::new(),
            parts: vec![part],
            left_out: Vec::new(),
            notes: Vec::new(),
            content_digest: Digest::of(end.as_bytes()),
        };
        let block = manifest.canonical().unwrap();
        let snapshot = Digest::of(&block);
        let name = self.name();
        self.warc(name, 5, None);
        self.blocks.0.insert(name.id, block);
        self.record(Event::SnapshotTaken { run: self.run, snapshot, manifest: name });
        snapshot
    }

    fn flush(&mut self, store: &mut Store) {
        let rows = std::mem::take(&mut self.rows);
        let records = std::mem::take(&mut self.records);
        let due = std::mem::take(&mut self.due);
        store
            .commit(|batch| {
                // As a pass of the seal does.
                batch.expect(&rows)?;
                let mut bound = Bound::default();
                for (index, (leaf, warc, record, bytes)) in (batch.next_index()?..).zip(&records) {
                    let leaf = Leaf { index, data: *leaf, warc: *warc, record };
                    batch.record_naming(leaf, bytes, &self.blocks, &mut bound)?;
                }
                batch.warcs(&rows, bound)?;
                due.iter().try_for_each(|(citation, at)| batch.due(citation, *at))
            })
            .unwrap();
        self.blocks.0.clear();
    }
}

fn made(path: &Path, snapshots: u64) {
    if path.exists() {
        return;
    }
    let begun = Instant::now();
    let mut store = Store::anew(path).unwrap();
    let mut dice = Dice(7);
    let run = RunId(dice.uuid());
    let mut maker = Maker {
        dice,
        index: 0,
        offset: 0,
        at: "2026-01-01T00:00:00Z".parse().unwrap(),
        run,
        rows: Vec::new(),
        blocks: Blocks(HashMap::new()),
        records: Vec::new(),
        texts: 0,
        due: Vec::new(),
        accounts: accounts(snapshots),
        every: (snapshots.div_ceil(CITATIONS - 1) * CITATIONS).div_ceil(DUE),
    };
    maker.record(Event::RunOpened { run, planned: snapshots, plan: Held::Here(Vec::new()), beacon: None });
    for number in 0..snapshots.div_ceil(CITATIONS - 1) {
        maker.statement(number);
        if number.is_multiple_of(200) {
            maker.flush(&mut store);
        }
        if number % 20_000 == 19_999 {
            let took = begun.elapsed().as_secs_f64();
            say(&format!(
                "… {} snapshots in {took:.0} s, {:.0} of the CPU",
                (number + 1) * (CITATIONS - 1),
                cpu().as_secs_f64()
            ));
        }
    }
    maker.flush(&mut store);
    store.whole().unwrap();
    let size = std::fs::metadata(path).unwrap().len();
    let rows = rows(path);
    let per = (size - maker.texts.min(size)) as f64;
    say(&format!(
        "{snapshots} snapshots, {} records, {rows} rows, made in {:.0} s of the clock and {:.0} of the CPU; {} MiB, of which texts {} MiB; beyond them {:.0} bytes a snapshot, {:.0} a record, {:.0} a row",
        maker.index,
        begun.elapsed().as_secs_f64(),
        cpu().as_secs_f64(),
        size >> 20,
        maker.texts >> 20,
        per / snapshots as f64,
        per / maker.index as f64,
        per / rows as f64
    ));
}

/// What this thread has used of the CPU.
fn cpu() -> Duration {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(now.tv_sec.unsigned_abs(), u32::try_from(now.tv_nsec).unwrap_or(0))
}

/// Rows of all tables, those of the index of words left out.
fn rows(path: &Path) -> u64 {
    let db = rusqlite::Connection::open(path).unwrap();
    let sql =
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'words%' AND name NOT LIKE 'sqlite%'";
    let mut tables = db.prepare(sql).unwrap();
    let names: Vec<String> = tables.query_map([], |r| r.get(0)).unwrap().map(Result::unwrap).collect();
    let count =
        |name: &String| db.query_row(&format!("SELECT count(*) FROM {name}"), [], |r| r.get::<_, i64>(0)).unwrap();
    names.iter().map(|name| count(name).unsigned_abs()).sum()
}

#[expect(clippy::print_stdout, reason = "a bench prints what it measured")]
fn say(text: &str) {
    println!("{text}");
}

/// Asks `times` times, each time something else, and prints the median and the 99th percentile by the clock and of the CPU,
/// and how much was found.
fn timed(name: &str, times: u64, mut ask: impl FnMut(&mut Dice) -> usize) {
    let mut dice = Dice(99);
    let mut found = 0;
    let (mut by_clock, mut of_cpu): (Vec<Duration>, Vec<Duration>) = (Vec::new(), Vec::new());
    // Once without a clock: what the disk takes is the disk's figure, and a large archive does not fit into memory whole.
    for _ in 0..times {
        ask(&mut dice);
    }
    dice = Dice(99);
    for _ in 0..times {
        let (begun, used) = (Instant::now(), cpu());
        found += ask(&mut dice);
        of_cpu.push(cpu() - used);
        by_clock.push(begun.elapsed());
    }
    let at = |taken: &mut Vec<Duration>, share: f64| {
        taken.sort();
        taken[((taken.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e6
    };
    say(&format!(
        "{name:<32} clock p50 {:>9.1} p99 {:>9.1} µs   CPU p50 {:>9.1} p99 {:>9.1} µs   found {found} in {times}",
        at(&mut by_clock, 0.5),
        at(&mut by_clock, 0.99),
        at(&mut of_cpu, 0.5),
        at(&mut of_cpu, 0.99)
    ));
}

/// Where and over what it was measured.
fn machine() {
    let cpus = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpus.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or(": unknown");
    let threads = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    say(&format!(
        "{threads} x {}, SQLite {}, load {}",
        model.trim_start_matches(['\t', ' ', ':']),
        rusqlite::version(),
        load.trim()
    ));
}

fn find(store: &Store, wanted: Wanted) -> usize {
    let mut n = 0;
    store
        .find::<Error>(&wanted, |_| {
            n += 1;
            Ok(())
        })
        .unwrap();
    n
}

fn main() {
    let number = |name: &str, usual: u64| std::env::var(name).ok().and_then(|n| n.parse().ok()).unwrap_or(usual);
    let snapshots = number("ONRECORD_BENCH_N", 100_000);
    let scratch = tempfile::tempdir().unwrap();
    let folder = std::env::var_os("ONRECORD_BENCH_DIR").map_or_else(|| scratch.path().to_owned(), PathBuf::from);
    std::fs::create_dir_all(folder.join("warc")).unwrap();
    let path = folder.join("onrecord.db");
    machine();
    made(&path, snapshots);
    timed("open", 50, |_| usize::from(Store::open_read(&path).is_ok()));
    timed("open for writing", 50, |_| usize::from(Store::open(&path).is_ok()));
    // As `onrecord query` opens it.
    let store = Store::open_read(&path).unwrap().mapped();
    let citations = snapshots.div_ceil(CITATIONS - 1) * CITATIONS;
    let url = |n: u64| format!("https://t.co/c{n:09}");
    let wanted = Wanted::default;
    let some = Some(20);
    timed("by citation id", 2000, |dice| {
        let id = CitationId(Digest::of(url(dice.below(citations)).as_bytes()));
        find(&store, Wanted { citation: Some(id), ..wanted() })
    });
    timed("by URL cited", 2000, |dice| find(&store, Wanted { url: Some(url(dice.below(citations))), ..wanted() }));
    let article = |dice: &mut Dice| format!("https://news.example/2019/{}/article", dice.below(citations) / 3 * 3);
    timed("by URL led to", 2000, |dice| find(&store, Wanted { url: Some(article(dice)), ..wanted() }));
    timed("by payload digest", 2000, |dice| {
        let digest = Digest::of(article(dice).as_bytes());
        find(&store, Wanted { digest: Some(digest), ..wanted() })
    });
    timed("by a digest that is not here", 2000, |dice| {
        let digest = Digest::of(&dice.next().to_be_bytes());
        find(&store, Wanted { digest: Some(digest), ..wanted() })
    });
    timed("by handle", 2000, |dice| {
        find(&store, Wanted { handle: Some(format!("writer{}", dice.below(accounts(snapshots)))), ..wanted() })
    });
    let ids: Vec<StatementId> = (0..200)
        .filter_map(|n| store.from_source(&format!("https://press.example/{}", n * 37 % (citations / CITATIONS))).ok())
        .flatten()
        .collect();
    timed("by statement", 2000, |dice| {
        let id = ids[dice.below(ids.len() as u64) as usize];
        find(&store, Wanted { statements: Some(vec![id]), ..wanted() })
    });
    timed("newest 20", 200, |_| find(&store, Wanted { limit: some, ..wanted() }));
    timed("ending gone, newest 20", 200, |_| {
        find(&store, Wanted { ending: Some("gone".to_owned()), limit: some, ..wanted() })
    });
    timed("contradicted, newest 20", 200, |_| {
        find(&store, Wanted { verdict: Some("contradicted".to_owned()), limit: some, ..wanted() })
    });
    for (name, rank) in [("rare", 40_000), ("middling", 700), ("common", 3)] {
        timed(&format!("one {name} word, newest 20"), 1000, |dice| {
            find(&store, Wanted { text: Some(format!("word{}", rank + dice.below(3))), limit: some, ..wanted() })
        });
    }
    timed("the commonest word, newest 20", 1000, |_| {
        find(&store, Wanted { text: Some("word0".to_owned()), limit: some, ..wanted() })
    });
    timed("two words, newest 20", 1000, |dice| {
        let text = format!("word{} word{}", 1 + dice.below(20), 100 + dice.below(300));
        find(&store, Wanted { text: Some(text), limit: some, ..wanted() })
    });
    timed("the commonest word, ranked 20", 100, |_| {
        find(&store, Wanted { text: Some("word0".to_owned()), ranked: true, limit: some, ..wanted() })
    });
    timed("two words, ranked 20", 100, |dice| {
        let text = format!("word{} word{}", 1 + dice.below(5), 100 + dice.below(300));
        find(&store, Wanted { text: Some(text), ranked: true, limit: some, ..wanted() })
    });
    timed("counts by ending", 200, |_| store.tallies().unwrap().len());
    timed("due now, next due", 200, |_| usize::from(store.due_at(Timestamp::UNIX_EPOCH).is_ok()));
    timed("10,000 due citations found", 20, |_| {
        store.due("2027-01-01T00:00:00Z".parse().unwrap(), 100_000).unwrap().len()
    });
}
