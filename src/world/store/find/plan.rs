//! The plan of a question: which condition drives, and which only narrow.
//!
//! SQLite is told the order (`CROSS JOIN`): the condition that leaves the fewest citations comes first, and where there is
//! none, the endings newest first, so that a question with `--limit` stops early however large the archive is.

use rusqlite::types::Value;

use crate::format::terms;
use crate::platform::permalink;
use crate::world::store::find::{END, Wanted};

/// A part of an answer, in the order of the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// citations that were followed, newest ending first
    Followed,
    /// those that were not, newest statement first
    Unfollowed,
    /// both, in that order, where few citations are picked and their order costs nothing
    Either,
    /// followed citations of one statement
    FollowedIn,
    /// unfollowed ones of it
    UnfollowedIn,
    /// citations that led to one snapshot
    LedTo,
}

/// What drives.
enum Drive {
    /// ids of citations: `SELECT … AS id`
    Ids(String),
    /// endings by a condition with an index of its own
    Endings(&'static str),
    /// all endings
    All,
}

/// A question, planned.
pub(super) struct Plan {
    drive: Drive,
    conditions: Vec<String>,
    /// conditions that only a followed citation meets
    followed: Vec<String>,
    values: Vec<Value>,
    documents: Option<String>,
    /// a text was given and no word is in it: nothing has it
    no_words: bool,
    /// of a kind that is recorded and never followed
    unplanned: bool,
}

impl Plan {
    pub(super) fn of(wanted: &Wanted, anchored: u64) -> Self {
        let mut plan = Self {
            drive: Drive::All,
            conditions: Vec::new(),
            followed: Vec::new(),
            values: vec![signed(anchored).into()],
            documents: None,
            no_words: false,
            unplanned: wanted.kind.as_deref() == Some("hashtag"),
        };
        let mut picks = Vec::new();
        plan.ids(wanted, &mut picks);
        plan.narrow(wanted);
        plan.drive = match picks.len() {
            0 => plan.endings(wanted),
            _ => Drive::Ids(picks.join(" INTERSECT ")),
        };
        if let Some(text) = &wanted.text {
            plan.words(text);
        }
        plan
    }

    /// Adds a value and gives its place.
    fn value(&mut self, value: impl Into<Value>) -> String {
        self.values.push(value.into());
        format!("?{}", self.values.len())
    }

    /// Conditions that name few citations, each by an index: the most telling first.
    fn ids(&mut self, wanted: &Wanted, picks: &mut Vec<String>) {
        if let Some(id) = &wanted.citation {
            let at = self.value(id.0.0.to_vec());
            picks.push(format!(
                "SELECT key AS id FROM citation WHERE substr(id, 1, 6) = substr({at}, 1, 6) AND id = {at}"
            ));
        }
        if let Some(digest) = &wanted.digest {
            let at = self.value(digest.0.to_vec());
            picks.push(DIGEST.replace("?D", &at));
        }
        if let Some(statements) = &wanted.statements {
            let all: Vec<String> = statements.iter().map(|id| self.value(id.0.0.to_vec())).collect();
            let short: Vec<String> = all.iter().map(|at| format!("substr({at}, 1, 6)")).collect();
            picks.push(format!(
                "SELECT c.key AS id FROM statement s CROSS JOIN citation c ON {OF_STATEMENT}
                 WHERE substr(s.id, 1, 6) IN ({}) AND s.id IN ({})",
                short.join(", "),
                all.join(", ")
            ));
        }
        if let Some(post) = &wanted.post {
            let at = self.value(post.clone());
            picks.push(POST.replace("?P", &at));
        }
        if let Some(url) = &wanted.url {
            picks.push(format!("SELECT id FROM ({})", self.url(url)));
        }
        if let Some(handle) = &wanted.handle {
            let at = self.value(handle.clone());
            picks.push(format!("SELECT id FROM ({})", HANDLE.replace("?H", &at)));
        }
        if let Some(author) = &wanted.author {
            let fts = self.value(
                terms::asked(&format!("\"{}*\"", author.replace('"', " "))).unwrap_or_else(|| "\"\"".to_owned()),
            );
            picks.push(format!("SELECT id FROM ({})", AUTHOR.replace("?W", &fts)));
            let name = self.value(terms::indexed(author));
            self.conditions.push(format!(
                "(folded(c.author) LIKE '%' || {name} || '%'
                  OR EXISTS (SELECT 1 FROM post p WHERE p.snapshot = r.snapshot AND folded(p.author) LIKE '%' || {name} || '%'))"
            ));
        }
    }

    /// A prefix is a range of the index: from itself up to itself followed by the last code point there is. A URL is asked for
    /// with either scheme; one that names a post, by whichever of its spellings, is asked for as that post too.
    fn url(&mut self, url: &str) -> String {
        let mut all = Vec::new();
        for url in spelled(url) {
            let test = match url.strip_suffix('*') {
                None => format!("= {}", self.value(url)),
                Some(prefix) => {
                    let (from, to) = (self.value(prefix.to_owned()), self.value(format!("{prefix}\u{10FFFF}")));
                    format!("BETWEEN {from} AND {to}")
                }
            };
            all.push(URL.replace("?U", &test));
        }
        let named = permalink::read(url).filter(|_| !url.ends_with('*'));
        if let Some((platform, id)) = named.and_then(|named| Some((named.platform, named.post?))) {
            let at = self.value(format!("{}:{id}", platform.as_str()));
            all.push(POST.replace("?P", &at));
        }
        all.join(" UNION ")
    }

    fn narrow(&mut self, wanted: &Wanted) {
        self.only("c.kind =", wanted.kind.clone());
        self.only("s.date >=", wanted.cited_since.clone());
        self.only("s.date <=", wanted.cited_until.clone());
        if let Some(platform) = &wanted.platform {
            let at = self.value(platform.clone());
            self.conditions.push(format!("(c.platform = {at} OR substr(r.post, 1, length({at}) + 1) = {at} || ':')"));
        }
        self.only_followed("r.ending =", wanted.ending.clone());
        self.only_followed("r.at >=", wanted.since.map(|t| t.as_microsecond()));
        self.only_followed("r.at <", wanted.until.map(|t| t.as_microsecond()));
        self.only_followed("r.verdict =", wanted.verdict.clone());
        self.only_followed("r.posted >=", wanted.posted_since.map(|t| t.as_microsecond()));
        self.only_followed("r.posted <", wanted.posted_until.map(|t| t.as_microsecond()));
        if wanted.anchored {
            self.followed.push("r.record < ?1".to_owned());
        }
    }

    fn only<T: Into<Value>>(&mut self, condition: &str, value: Option<T>) {
        if let Some(value) = value {
            let at = self.value(value);
            self.conditions.push(format!("{condition} {at}"));
        }
    }

    fn only_followed<T: Into<Value>>(&mut self, condition: &str, value: Option<T>) {
        if let Some(value) = value {
            let at = self.value(value);
            self.followed.push(format!("{condition} {at}"));
        }
    }

    /// Without a pick, an index on what an ending says, where a condition has one.
    fn endings(&mut self, wanted: &Wanted) -> Drive {
        if wanted.verdict.is_some() {
            return Drive::Endings("resolution_verdict");
        }
        if wanted.posted_since.is_some() || wanted.posted_until.is_some() {
            return Drive::Endings("resolution_posted");
        }
        if wanted.cited_since.is_some() || wanted.cited_until.is_some() {
            let from = self.value(wanted.cited_since.clone().unwrap_or_default());
            let to = self.value(wanted.cited_until.clone().unwrap_or_else(|| "9999-99-99".to_owned()));
            return Drive::Ids(format!(
                "SELECT c.key AS id FROM statement s CROSS JOIN citation c ON {OF_STATEMENT} WHERE s.date BETWEEN {from} AND {to}"
            ));
        }
        match () {
            () if wanted.ending.is_some() => Drive::Endings("resolution_ending"),
            // A bound from below alone stops the walk from the newest no earlier; an index by time does.
            () if wanted.since.is_some() || wanted.until.is_some() => Drive::Endings("resolution_at"),
            () => Drive::All,
        }
    }

    /// Words drive by themselves unless something else leaves few citations.
    fn words(&mut self, text: &str) {
        let Some(fts) = terms::asked(text) else {
            self.no_words = true;
            return;
        };
        if !matches!(self.drive, Drive::Ids(_)) {
            self.documents = Some(fts);
            return;
        }
        let at = self.value(fts);
        let holds = |kinds: &str, of: &str| {
            format!(
                "EXISTS (SELECT 1 FROM words_doc d CROSS JOIN words w ON w.rowid = d.id
                 WHERE d.kind IN ({kinds}) AND d.ref = {of} AND w.words MATCH {at})"
            )
        };
        self.conditions.push(format!(
            "({} OR {})",
            holds("'statement'", "c.key >> 24"),
            holds("'post', 'page'", "r.snapshot")
        ));
    }

    /// Whether a citation can come up more than once.
    pub(super) fn repeats(&self) -> bool {
        self.documents.is_some()
    }

    /// The words that drive.
    pub(super) fn documents(&self) -> Option<&str> {
        self.documents.as_deref()
    }

    pub(super) fn values(&self) -> &[Value] {
        &self.values
    }

    /// The parts of the answer where words do not drive.
    pub(super) fn parts(&self) -> &'static [Part] {
        match self.drive {
            Drive::Ids(_) if self.followed.is_empty() && !self.unplanned => &[Part::Either],
            _ => &[Part::Followed, Part::Unfollowed],
        }
    }

    /// The parts for one document that has the words.
    pub(super) fn parts_of(&self, kind: &str) -> &'static [Part] {
        match kind {
            "statement" => &[Part::FollowedIn, Part::UnfollowedIn],
            _ => &[Part::LedTo],
        }
    }

    /// The SQL of a part; the document, where there is one, is the last value. None where nothing can fit.
    pub(super) fn sql(&self, part: Part) -> Option<String> {
        let unfollowed = matches!(part, Part::Unfollowed | Part::UnfollowedIn);
        if self.no_words || (unfollowed && !self.followed.is_empty()) || (self.unplanned && !unfollowed) {
            return None;
        }
        let of = format!("?{}", self.values.len() + 1);
        let mut conditions = self.conditions.clone();
        let from = match part {
            Part::Followed => self.followed_rows(&mut conditions),
            Part::Unfollowed | Part::Either => self.unfollowed_rows(),
            Part::FollowedIn => {
                conditions.push(format!("c.key BETWEEN {of} << 24 AND ({of} << 24) + 16777215"));
                format!("citation c {STATEMENT} {STANDING}")
            }
            Part::UnfollowedIn => {
                conditions.push(format!("c.key BETWEEN {of} << 24 AND ({of} << 24) + 16777215"));
                format!("citation c {STATEMENT} {NOTHING}")
            }
            Part::LedTo => {
                conditions.push(format!("r.snapshot = {of} AND r.latest = 1"));
                format!(
                    "resolution r INDEXED BY resolution_snapshot CROSS JOIN citation c ON c.key = r.citation {STATEMENT}"
                )
            }
        };
        let order = if part == Part::Either {
            "r.record IS NULL, r.record DESC, s.record DESC, c.key"
        } else if unfollowed {
            conditions.push("r.record IS NULL".to_owned());
            "s.record DESC, c.key"
        } else {
            conditions.extend(self.followed.iter().cloned());
            "r.record DESC"
        };
        let conditions = if conditions.is_empty() { "1".to_owned() } else { conditions.join(" AND ") };
        Some(format!("SELECT s.id, s.source, s.date, c.body, {END} FROM {from} WHERE {conditions} ORDER BY {order}"))
    }

    fn followed_rows(&self, conditions: &mut Vec<String>) -> String {
        let rest = format!("CROSS JOIN citation c ON c.key = r.citation {STATEMENT}");
        match &self.drive {
            Drive::Ids(ids) => format!("({ids}) k CROSS JOIN citation c ON c.key = k.id {STATEMENT} {STANDING}"),
            Drive::Endings(index) => {
                conditions.push("r.latest = 1".to_owned());
                format!("resolution r INDEXED BY {index} {rest}")
            }
            Drive::All => {
                conditions.push("r.latest = 1".to_owned());
                format!("resolution r INDEXED BY resolution_newest {rest}")
            }
        }
    }

    fn unfollowed_rows(&self) -> String {
        match &self.drive {
            Drive::Ids(ids) => format!("({ids}) k CROSS JOIN citation c ON c.key = k.id {STATEMENT} {NOTHING}"),
            _ => format!("statement s CROSS JOIN citation c ON {OF_STATEMENT} {NOTHING}"),
        }
    }
}

const STATEMENT: &str = "CROSS JOIN statement s ON s.record = c.key >> 24";
/// Citations of `statement s`: their numbers follow each other.
const OF_STATEMENT: &str = "c.key BETWEEN s.record << 24 AND (s.record << 24) + 16777215";
const STANDING: &str = "CROSS JOIN resolution r ON r.record = c.last";
const NOTHING: &str = "LEFT JOIN resolution r ON r.record = c.last";

/// Cited, or on the way of the last time it was followed.
const URL: &str = "SELECT key AS id FROM citation WHERE url ?U
 UNION SELECT r.citation FROM way u CROSS JOIN resolution r ON r.record = u.record WHERE u.url ?U AND r.latest = 1";

/// Led to it.
const POST: &str = "SELECT citation AS id FROM resolution INDEXED BY resolution_post WHERE post = ?P AND latest = 1";

/// Cited, or the writer of the post it led to.
const HANDLE: &str = "SELECT key AS id FROM citation WHERE handle = ?H COLLATE NOCASE
 UNION SELECT citation FROM resolution INDEXED BY resolution_handle WHERE handle = ?H COLLATE NOCASE AND latest = 1";

/// Citations of documents in which the name stands; the names themselves are compared afterwards.
const AUTHOR: &str = "SELECT c.key AS id FROM words w CROSS JOIN words_doc d ON d.id = w.rowid
 CROSS JOIN citation c ON c.key BETWEEN d.ref << 24 AND (d.ref << 24) + 16777215
 WHERE w.words MATCH ?W AND d.kind = 'statement'
 UNION SELECT r.citation FROM words w CROSS JOIN words_doc d ON d.id = w.rowid CROSS JOIN resolution r INDEXED BY resolution_snapshot ON r.snapshot = d.ref AND r.latest = 1
 WHERE w.words MATCH ?W AND d.kind = 'post'";

/// Whatever has a digest, and the citations that rest on it.
const DIGEST: &str = "SELECT id FROM (
 WITH kept (id) AS (SELECT place FROM exchange WHERE payload IS NOT NULL AND substr(payload, 1, 6) = substr(?D, 1, 6) AND payload = ?D
   UNION SELECT place FROM warc_record WHERE substr(digest, 1, 6) = substr(?D, 1, 6) AND digest = ?D)
 SELECT key AS id FROM citation WHERE substr(id, 1, 6) = substr(?D, 1, 6) AND id = ?D
 UNION SELECT c.key FROM statement s CROSS JOIN citation c ON c.key BETWEEN s.record << 24 AND (s.record << 24) + 16777215
   WHERE substr(s.id, 1, 6) = substr(?D, 1, 6) AND s.id = ?D
 UNION SELECT r.citation FROM snapshot x CROSS JOIN resolution r INDEXED BY resolution_snapshot ON r.snapshot = x.record
   WHERE substr(x.id, 1, 6) = substr(?D, 1, 6) AND x.id = ?D
 UNION SELECT r.citation FROM record l CROSS JOIN resolution r ON r.record = l.idx
   WHERE substr(l.leaf, 1, 6) = substr(?D, 1, 6) AND l.leaf = ?D
 UNION SELECT r.citation FROM kept k CROSS JOIN snapshot_part p ON p.exchange = k.id CROSS JOIN resolution r INDEXED BY resolution_snapshot ON r.snapshot = p.snapshot
 UNION SELECT r.citation FROM kept k CROSS JOIN exchange e ON e.place = k.id CROSS JOIN way u ON u.url = e.url
   CROSS JOIN hop h ON h.resolution = u.record AND h.exchange = e.place CROSS JOIN resolution r ON r.record = h.resolution)";

/// A URL as the catalogue may have it: scheme and host in lower case, and a web page's with either scheme.
fn spelled(url: &str) -> Vec<String> {
    let (scheme, rest) =
        url.split_once("://").map_or((None, url), |(scheme, rest)| (Some(scheme.to_ascii_lowercase()), rest));
    let is_web = scheme.as_deref().is_none_or(|scheme| scheme == "http" || scheme == "https");
    if !is_web || url.starts_with("at:") {
        return vec![url.to_owned()];
    }
    let (host, path) = rest.split_at(rest.find(['/', '?', '#', '*']).unwrap_or(rest.len()));
    ["https", "http"].iter().map(|scheme| format!("{scheme}://{}{path}", host.to_ascii_lowercase())).collect()
}

// SQLite's integers are signed; no count here comes near 2^63.
fn signed(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::store::Store;

    /// Each filter by itself.
    fn filters() -> Vec<(&'static str, Wanted)> {
        let none = Wanted::default;
        let some = |text: &str| Some(text.to_owned());
        let digest = crate::format::digest::Digest::of(b"");
        let instant = Some(jiff::Timestamp::UNIX_EPOCH);
        vec![
            ("nothing", none()),
            ("citation", Wanted { citation: Some(crate::citation::CitationId(digest)), ..none() }),
            ("statement", Wanted { statements: Some(vec![crate::statement::StatementId(digest)]), ..none() }),
            ("digest", Wanted { digest: Some(digest), ..none() }),
            ("url", Wanted { url: some("https://a.example/"), ..none() }),
            ("url*", Wanted { url: some("a.example/*"), ..none() }),
            ("post", Wanted { post: some("x:1"), ..none() }),
            ("handle", Wanted { handle: some("a"), ..none() }),
            ("author", Wanted { author: some("a"), ..none() }),
            ("verdict", Wanted { verdict: some("contradicted"), ..none() }),
            ("ending", Wanted { ending: some("gone"), ..none() }),
            ("since", Wanted { since: instant, ..none() }),
            ("until", Wanted { until: instant, ..none() }),
            ("cited", Wanted { cited_since: some("2019-01-01"), cited_until: some("2019-02-01"), ..none() }),
            ("posted", Wanted { posted_since: instant, posted_until: instant, ..none() }),
            ("kind", Wanted { kind: some("link"), ..none() }),
            ("platform", Wanted { platform: some("x"), ..none() }),
            ("anchored", Wanted { anchored: true, ..none() }),
            ("words", Wanted { text: some("riot police"), ..none() }),
        ]
    }

    /// Two questions in one.
    fn both(a: &Wanted, b: &Wanted) -> Wanted {
        let (a, b) = (a.clone(), b.clone());
        Wanted {
            text: a.text.or(b.text),
            statements: a.statements.or(b.statements),
            citation: a.citation.or(b.citation),
            kind: a.kind.or(b.kind),
            handle: a.handle.or(b.handle),
            author: a.author.or(b.author),
            platform: a.platform.or(b.platform),
            url: a.url.or(b.url),
            post: a.post.or(b.post),
            digest: a.digest.or(b.digest),
            ending: a.ending.or(b.ending),
            verdict: a.verdict.or(b.verdict),
            since: a.since.or(b.since),
            until: a.until.or(b.until),
            cited_since: a.cited_since.or(b.cited_since),
            cited_until: a.cited_until.or(b.cited_until),
            posted_since: a.posted_since.or(b.posted_since),
            posted_until: a.posted_until.or(b.posted_until),
            anchored: a.anchored || b.anchored,
            ..Wanted::default()
        }
    }

    #[test]
    fn no_filter_alone_or_beside_another_walks_a_table_that_an_index_spares() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&dir.path().join("onrecord.db")).unwrap();
        for (one, a) in filters() {
            for (other, b) in filters() {
                let plan = Plan::of(&both(&a, &b), 0);
                let parts: Vec<(Part, bool)> = match plan.documents() {
                    Some(_) => [Part::FollowedIn, Part::UnfollowedIn, Part::LedTo].map(|part| (part, true)).to_vec(),
                    None => plan.parts().iter().map(|part| (*part, false)).collect(),
                };
                for (part, of) in parts {
                    let Some(sql) = plan.sql(part) else { continue };
                    let mut values = plan.values().to_vec();
                    values.extend(of.then_some(Value::Integer(0)));
                    let mut query = store.db().prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
                    let steps = query.query_map(rusqlite::params_from_iter(values), |r| r.get::<_, String>(3)).unwrap();
                    for step in steps.map(Result::unwrap) {
                        let walks =
                            ["SCAN c", "SCAN r", "SCAN p", "SCAN h", "SCAN u", "SCAN f", "SCAN e", "SCAN l", "SCAN x"];
                        let walks = walks.iter().any(|walk| step == *walk || step.starts_with(&format!("{walk} ")));
                        assert!(!walks, "{one} and {other}: {step}");
                        let newest = step.contains("resolution_newest");
                        assert!(!newest || matches!(plan.drive, Drive::All), "{one} and {other}: {step}");
                        let statements = step == "SCAN s";
                        assert!(!statements || !matches!(plan.drive, Drive::Ids(_)), "{one} and {other}: {step}");
                    }
                }
            }
        }
    }
}
