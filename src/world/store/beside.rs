//! A catalogue made anew beside the one in use. What WARC files alone say, the rows of their records and exchanges, is most of it,
//! and it comes in the order in which the catalogue has it: it is compared as it comes and not made a second time.
//!
//! Whatever differs is only said to differ. Which row it is, and how, is told by [`compare`] over catalogues that are both whole.

use std::path::Path;

use rusqlite::types::ValueRef;
use rusqlite::{OptionalExtension as _, Rows};
use uuid::Uuid;

use crate::format::digest::Digest;
use crate::world::store::apply::{Batch, Bound, ExchangeRow, WarcRow};
use crate::world::store::read::digest;
use crate::world::store::{Error, Store, compare};

/// The tables that are not made anew: their rows are read from the catalogue in use, where they were found right.
const LENT: [&str; 2] = ["warc_record", "exchange"];

impl Store {
    /// A scratch catalogue at `path` that takes the rows of WARC records from the one in use, under the same names; none where that
    /// one cannot be read or is not made as it should be.
    ///
    /// # Errors
    /// SQLite's own about the new one.
    pub fn scratch_beside(path: &Path, used: &Path) -> Result<Option<Self>, Error> {
        let anew = Self::scratch(path)?;
        let lent = Self::open_read(used).is_ok() && compare::attach(anew.db(), used).is_ok();
        if !lent || !compare::is_laid_alike(anew.db()).unwrap_or(false) {
            return Ok(None);
        }
        // Its rows pass once, in their order, and few of its pages are asked for again; without them the new one is a third as large.
        anew.db().pragma_update(Some("main"), "cache_size", -1024)?;
        anew.db().pragma_update(Some("used"), "cache_size", -256)?;
        for table in LENT {
            anew.db().execute_batch(&format!("DROP TABLE main.{table}"))?;
        }
        Ok(Some(anew))
    }

    /// How many rows of the catalogue in use were compared, all of them the same; none where one differs. It is asked once every WARC
    /// record has been compared, `seen` of their rows.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn rest_agrees(&self, used: &Path, seen: u64) -> Result<Option<u64>, Error> {
        let compared = compare::rest(self, used, &LENT)?;
        Ok(compared.differences.is_empty().then_some(compared.rows + seen))
    }
}

/// The rows of WARC records and of their exchanges in the catalogue in use, one after the other.
pub struct Beside<'a> {
    records: Rows<'a>,
    exchanges: Rows<'a>,
    /// rows seen of each
    seen: (u64, u64),
    /// records that the first ledger record to name them is said to bind
    bound: u64,
}

impl std::fmt::Debug for Beside<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Beside({:?}, {})", self.seen, self.bound)
    }
}

impl Batch<'_> {
    /// Runs `deed` with the rows in use, in their order, and says besides whether all of them were seen and each record's is bound by
    /// the ledger record that it says; how many there are.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn beside<T>(&self, deed: impl FnOnce(&mut Beside<'_>) -> T) -> Result<(T, Option<u64>), Error> {
        let mut records =
            self.db().prepare("SELECT place, id, length, type, digest, record FROM used.warc_record ORDER BY place")?;
        let mut exchanges = self.db().prepare(
            "SELECT place, url, at, ip, status, media_type, payload, payload_len, refers_to FROM used.exchange ORDER BY place",
        )?;
        let mut beside =
            Beside { records: records.query([])?, exchanges: exchanges.query([])?, seen: (0, 0), bound: 0 };
        let done = deed(&mut beside);
        let Beside { mut records, mut exchanges, seen, bound } = beside;
        let at_end = records.next()?.is_none() && exchanges.next()?.is_none();
        Ok((done, (at_end && bound == seen.0).then_some(seen.0 + seen.1)))
    }
}

impl Beside<'_> {
    /// The ledger record by which a WARC record, the next one, is said to be bound; none where its row says anything else than `row`,
    /// or that nothing binds it.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn next(&mut self, place: i64, row: &WarcRow) -> Result<Option<i64>, Error> {
        let Some(used) = self.records.next()? else { return Ok(None) };
        let same = is(used.get_ref(0)?, place)
            && used.get_ref(1)? == ValueRef::Blob(row.id.as_bytes())
            && is(used.get_ref(2)?, row.length)
            && is(used.get_ref(3)?, row.kind)
            && used.get_ref(4)? == ValueRef::Blob(&row.digest.0);
        let bound = match used.get_ref(5)? {
            ValueRef::Integer(bound) if same => bound,
            _ => return Ok(None),
        };
        self.seen.0 += 1;
        let has_exchange = match &row.exchange {
            Some(exchange) => self.exchange(place, exchange)?,
            None => true,
        };
        Ok(has_exchange.then_some(bound))
    }

    fn exchange(&mut self, place: i64, row: &ExchangeRow) -> Result<bool, Error> {
        let Some(used) = self.exchanges.next()? else { return Ok(false) };
        self.seen.1 += 1;
        Ok(is(used.get_ref(0)?, place)
            && used.get_ref(1)? == ValueRef::Text(row.url.as_bytes())
            && is(used.get_ref(2)?, row.at.as_microsecond())
            && used.get_ref(3)? == text(row.ip.as_deref())
            && may_be(used.get_ref(4)?, row.status)
            && used.get_ref(5)? == text(row.media_type.as_deref())
            && used.get_ref(6)? == row.payload.as_ref().map_or(ValueRef::Null, |payload| ValueRef::Blob(&payload.0))
            && may_be(used.get_ref(7)?, row.payload_len)
            && used.get_ref(8)? == row.refers_to.as_ref().map_or(ValueRef::Null, |id| ValueRef::Blob(id.as_bytes())))
    }

    /// Whether the rows of what ledger records name may say so: bound by these, or by one before them. `near` knows digest and binding
    /// record of what was compared lately.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn binds(
        &mut self,
        batch: &Batch<'_>,
        bound: &Bound,
        near: impl Fn(&Uuid) -> Option<(Digest, i64)>,
    ) -> Result<bool, Error> {
        for (id, name, index) in bound.each() {
            let row = near(id).map_or_else(|| batch.binding(id), |row| Ok(Some(row)))?;
            let Some((_, said)) = row.filter(|(digest, _)| name.is_none_or(|name| name == digest)) else { continue };
            if said > index {
                return Ok(false);
            }
            // Each row is counted by the record it names, if that is the first to name it; so all are counted only if all are right.
            self.bound += u64::from(said == index);
        }
        Ok(true)
    }
}

impl Batch<'_> {
    /// Digest of a WARC record, and the ledger record that binds it.
    fn binding(&self, id: &Uuid) -> Result<Option<(Digest, i64)>, Error> {
        let mut query = self.db().prepare_cached(
            "SELECT digest, record FROM warc_record WHERE substr(id, 1, 8) = substr(?1, 1, 8) AND id = ?1",
        )?;
        let found =
            query.query_row([id.as_bytes()], |r| Ok((digest(r, 0)?, r.get::<_, Option<i64>>(1)?))).optional()?;
        Ok(found.and_then(|(digest, bound)| Some((digest, bound?))))
    }
}

fn text(value: Option<&str>) -> ValueRef<'_> {
    value.map_or(ValueRef::Null, |text| ValueRef::Text(text.as_bytes()))
}

fn is(value: ValueRef<'_>, number: impl TryInto<i64>) -> bool {
    number.try_into().is_ok_and(|number| value == ValueRef::Integer(number))
}

fn may_be(value: ValueRef<'_>, number: Option<impl TryInto<i64>>) -> bool {
    match number {
        Some(number) => is(value, number),
        None => value == ValueRef::Null,
    }
}
