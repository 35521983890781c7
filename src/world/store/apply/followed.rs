//! Rows of what happened to a citation: how it ended, what changed, what was found of its claims.

use jiff::Timestamp;
use rusqlite::{OptionalExtension as _, Row, params};

use crate::format::digest::Digest;
use crate::format::http::Truncated;
use crate::record::{ChangeSeen, FindingMade, ResolutionEnded, Stood};
use crate::resolution::ending::Ending;
use crate::resolution::hop::Hop;
use crate::world::store::apply::{Batch, Documents, held, name_of, own_url, signed};
use crate::world::store::read::{digest, ending};
use crate::world::store::{Error, keys};

/// A citation as what happens to it finds it.
struct Cited {
    key: i64,
    url: Option<String>,
    last: Option<i64>,
}

/// A look at a citation.
struct Look {
    record: i64,
    run: Option<i64>,
    leaf: Digest,
    ending: Ending,
    /// how what stood there ended: where nothing had changed, as its snapshot did
    stood: Ending,
    snapshot: Option<Digest>,
}

impl Look {
    fn of(r: &Row<'_>) -> Result<Self, Error> {
        let own = ending(&r.get::<_, String>(3)?)?;
        let of_snapshot = r.get::<_, Option<String>>(4)?.filter(|_| own == Ending::Unchanged);
        let stood = of_snapshot.map_or(Ok(own), |name| ending(&name))?;
        let snapshot = r.get::<_, Option<[u8; 32]>>(5)?.map(Digest);
        Ok(Self { record: r.get(0)?, run: r.get(1)?, leaf: digest(r, 2)?, ending: own, stood, snapshot })
    }

    /// A change says how the look ended, also where that left everything as it was at an earlier one.
    fn is_told_by(&self, after: &Stood) -> bool {
        let same = after.ending == self.ending || (self.ending == Ending::Unchanged && after.ending.is_kept());
        same && after.snapshot == self.snapshot && after.record.is_none()
    }
}

impl Batch<'_> {
    pub(super) fn resolution(
        &self,
        idx: i64,
        at: Timestamp,
        ended: &ResolutionEnded,
        docs: &dyn Documents,
    ) -> Result<(), Error> {
        let way = held(&ended.way, docs)?;
        let asked = way.hops.iter().filter(|hop| hop.at.is_some()).count();
        let citation = self.cited(&ended.citation.0)?;
        if let Some(cited) = &citation {
            self.overtake(cited)?;
        }
        let key = citation.as_ref().map(|cited| cited.key);
        // Where it began stands in the citation as a rule.
        let start =
            Some(&way.start).filter(|start| citation.as_ref().and_then(|cited| cited.url.as_ref()) != Some(start));
        let snapshot = self.snapshot_key(ended.snapshot.as_ref())?;
        let (posted, handle) = self.posted(snapshot)?;
        self.put(
            "INSERT INTO resolution (record, run, citation, at, ending, why, start, final_url, hops, post, snapshot, snapshot_id, posted,
              handle, retry_at, truncated, unread, latest, verdict)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, 1,
              (SELECT f.verdict FROM finding f WHERE f.citation = ?3 ORDER BY f.record DESC LIMIT 1))",
            params![
                idx,
                keys::of_run(self.tx, &ended.run.0)?,
                key,
                at.as_microsecond(),
                ended.ending.as_str(),
                way.why,
                start,
                way.final_url,
                asked as i64,
                ended.post.as_ref().map(ToString::to_string),
                snapshot,
                snapshot.and(ended.snapshot.as_ref()).map(|id| id.0),
                posted,
                handle,
                ended.retry_at.map(Timestamp::as_microsecond),
                way.truncated.map(Truncated::as_str),
                way.unread,
            ],
        )?;
        if let Some(key) = key {
            self.put("UPDATE citation SET last = ?2 WHERE key = ?1", [key, idx])?;
            self.looked(key, ended, at)?;
        }
        self.hops(idx, &way.hops)?;
        let mut urls: Vec<&str> = vec![&way.start];
        urls.extend(way.final_url.as_deref());
        urls.extend(way.hops.iter().map(|hop| hop.url.as_str()));
        for url in urls {
            self.put("INSERT OR IGNORE INTO way (url, record) VALUES (?1, ?2)", params![url, idx])?;
        }
        self.count("ending", ended.ending.as_str())?;
        self.count("standing", ended.ending.as_str())
    }

    /// When the post of a snapshot was written, and by whom.
    fn posted(&self, snapshot: Option<i64>) -> Result<(Option<i64>, Option<String>), Error> {
        let mut query = self.tx.prepare_cached("SELECT posted, handle FROM post WHERE snapshot = ?1")?;
        let found = query.query_row([snapshot], |r| Ok((r.get(0)?, Some(r.get(1)?)))).optional()?;
        Ok(found.unwrap_or_default())
    }

    /// The hops; a URL that the exchange or the next hop has is not written again.
    fn hops(&self, idx: i64, hops: &[Hop]) -> Result<(), Error> {
        for (i, hop) in hops.iter().enumerate() {
            let asked = self.exchange(hop.evidence.as_ref())?;
            let next = hops.get(i + 1).filter(|next| next.n == hop.n + 1);
            let onward = hop.to.is_some() && hop.to.as_ref() == next.map(|next| &next.url);
            self.put(
                "INSERT INTO hop (resolution, n, url, status, via, onward, to_url, at, ip, ms, error, exchange)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
                params![
                    idx,
                    hop.n as i64,
                    own_url(&hop.url, asked.as_ref()),
                    hop.status,
                    hop.via,
                    onward,
                    hop.to.as_ref().filter(|_| !onward),
                    hop.at.map(Timestamp::as_microsecond),
                    hop.ip,
                    hop.ms.map(signed),
                    hop.error,
                    asked.map(|asked| asked.place),
                ],
            )?;
        }
        Ok(())
    }

    fn cited(&self, citation: &Digest) -> Result<Option<Cited>, Error> {
        let mut query = self.tx.prepare_cached(
            "SELECT key, url, last FROM citation WHERE substr(id, 1, 6) = substr(?1, 1, 6) AND id = ?1",
        )?;
        let cited = query.query_row([citation.0], |r| Ok(Cited { key: r.get(0)?, url: r.get(1)?, last: r.get(2)? }));
        Ok(cited.optional()?)
    }

    /// The citation's last ending, if it has one, is no longer its last.
    fn overtake(&self, cited: &Cited) -> Result<(), Error> {
        let Some(last) = cited.last else { return Ok(()) };
        let ending: Option<String> = self
            .tx
            .prepare_cached("UPDATE resolution SET latest = 0, verdict = NULL WHERE record = ?1 RETURNING ending")?
            .query_row([last], |r| r.get(0))
            .optional()?;
        self.put("UPDATE tally SET n = n - 1 WHERE name = 'standing' AND value = ?1", [&ending])?;
        self.put("DELETE FROM tally WHERE name = 'standing' AND n = 0", [])?;
        Ok(())
    }

    /// Counts a look; when the next one is due is the policy's word, which [`Batch::due`] brings.
    fn looked(&self, citation: i64, ended: &ResolutionEnded, at: Timestamp) -> Result<(), Error> {
        let (looks, failures) = if ended.ending.is_retryable() { (0, 1) } else { (1, 0) };
        let at = ended.retry_at.unwrap_or(at).as_microsecond();
        self.put(
            "INSERT INTO due (citation, at, looks, failures, planned) VALUES (?1, ?2, ?3, ?4, 0)
             ON CONFLICT (citation) DO UPDATE SET at = excluded.at, looks = looks + excluded.looks,
             failures = CASE excluded.failures WHEN 0 THEN 0 ELSE failures + 1 END, planned = 0",
            params![citation, at, looks, failures],
        )?;
        Ok(())
    }

    pub(super) fn change(&self, idx: i64, at: Timestamp, seen: &ChangeSeen, docs: &dyn Documents) -> Result<(), Error> {
        let citation = keys::of_citation(self.tx, &seen.citation.0)?;
        let before = self.snapshot_key(seen.before.snapshot.as_ref())?;
        let after = self.snapshot_key(seen.after.snapshot.as_ref())?;
        for (n, change) in held(&seen.changes, docs)?.iter().enumerate() {
            self.put(
                "INSERT INTO change (record, n, citation, at, what, before, after, ending_before, ending_after, snapshot_before,
                 snapshot_after) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
                params![
                    idx,
                    n as i64,
                    citation,
                    at.as_microsecond(),
                    change.what.as_str(),
                    change.before,
                    change.after,
                    seen.before.ending.as_str(),
                    seen.after.ending.as_str(),
                    before,
                    after,
                ],
            )?;
            self.count("change", change.what.as_str())?;
        }
        Ok(())
    }

    /// Whether what a change.seen at a ledger index says of the look before and of its own is what their records say. Those are the
    /// rows of this transaction and of those before it: it means something only in a catalogue that is made anew.
    ///
    /// # Errors
    /// SQLite's own, and an ending that is none.
    pub fn bears_out(&self, index: u64, seen: &ChangeSeen) -> Result<bool, Error> {
        let Some(key) = keys::of_citation(self.tx, &seen.citation.0)? else { return Ok(false) };
        let run = keys::of_run(self.tx, &seen.run.0)?;
        let mut query = self.tx.prepare_cached(
            "SELECT r.record, r.run, l.leaf, r.ending, s.ending, s.id FROM resolution r JOIN record l ON l.idx = r.record
             LEFT JOIN snapshot s ON s.record = r.snapshot WHERE r.citation = ?1 AND r.record < ?2 ORDER BY r.record DESC",
        )?;
        let mut rows = query.query(params![key, signed(index)])?;
        let Some(now) = rows.next()?.map(Look::of).transpose()? else { return Ok(false) };
        if now.run != run || !now.is_told_by(&seen.after) {
            return Ok(false);
        }
        let (mut settled, mut led_to): (Option<Look>, Option<Digest>) = (None, None);
        while let Some(row) = rows.next()? {
            let look = Look::of(row)?;
            led_to = led_to.or(look.snapshot);
            settled = settled.or(Some(look).filter(|look| !look.ending.is_retryable()));
            if settled.is_some() && led_to.is_some() {
                break;
            }
        }
        let Some(settled) = settled else { return Ok(false) };
        let ending =
            self.lasting(key, settled.record + 1, signed(index))?.map_or(Ok(settled.stood), |name| ending(&name))?;
        Ok(seen.before == Stood { record: Some(settled.leaf), ending, snapshot: led_to })
    }

    /// How the failures ended that have been put on record as a change between two records, since they lasted.
    fn lasting(&self, citation: i64, after: i64, before: i64) -> Result<Option<String>, Error> {
        let mut query = self.tx.prepare_cached(
            "SELECT ending_after FROM change WHERE citation = ?1 AND record > ?2 AND record < ?3 ORDER BY record DESC LIMIT 1",
        )?;
        Ok(query.query_row([citation, after, before], |r| r.get(0)).optional()?)
    }

    pub(super) fn finding(
        &self,
        idx: i64,
        at: Timestamp,
        made: &FindingMade,
        docs: &dyn Documents,
    ) -> Result<(), Error> {
        let verdict = name_of(&made.verdict).unwrap_or_default();
        let citation = self.cited(&made.citation.0)?;
        let key = citation.as_ref().map(|cited| cited.key);
        self.put(
            "INSERT INTO finding (record, run, citation, snapshot, post, verdict, at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            params![
                idx,
                keys::of_run(self.tx, &made.run.0)?,
                key,
                self.snapshot_key(Some(&made.snapshot))?,
                made.post,
                verdict,
                at.as_microsecond(),
            ],
        )?;
        for (n, check) in held(&made.checks, docs)?.iter().enumerate() {
            self.put(
                "INSERT INTO finding_check (finding, n, \"check\", result, cited, found, score, why)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                params![
                    idx,
                    n as i64,
                    check.check,
                    name_of(&check.result),
                    check.cited,
                    check.found,
                    check.score,
                    check.why
                ],
            )?;
        }
        let last = citation.and_then(|cited| cited.last);
        self.put("UPDATE resolution SET verdict = ?2 WHERE record = ?1", params![last, verdict])?;
        self.count("verdict", &verdict)
    }

    /// When a citation is to be followed again, as the policy says.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn due(&self, citation: &Digest, at: Timestamp) -> Result<(), Error> {
        let key = keys::of_citation(self.tx, citation)?;
        self.put("UPDATE due SET at = ?2, planned = 1 WHERE citation = ?1", params![key, at.as_microsecond()])?;
        Ok(())
    }
}
