//! Rows of WARC records and of the exchanges in them, and which ledger record binds each.

use rusqlite::{OptionalExtension as _, params};
use uuid::Uuid;

use crate::world::store::apply::{Batch, Bound, Placed, WarcRow, Written, signed};
use crate::world::store::{Error, keys};
use crate::world::vault::place;

impl Batch<'_> {
    /// Writes what was left for the end of the transaction.
    pub(crate) fn settle(&self) -> Result<(), Error> {
        for file in self.files.borrow().values() {
            self.put(
                "UPDATE warc_file SET known = max(known, ?2) WHERE id = ?1",
                params![file.id, signed(file.known)],
            )?;
        }
        Ok(())
    }

    /// Adds a WARC record; false where one of that id is there already, which changes nothing.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn warc(&self, row: &WarcRow) -> Result<bool, Error> {
        let place = self.place(row)?;
        if keys::of_warc(self.tx, &row.id)?.is_some() {
            return Ok(false);
        }
        // Where a file of other making has two records in one member, the second is numbered behind all that are there.
        Ok(self.warc_bound(row, place, None)? || self.warc_bound(row, self.behind(place)?, None)?)
    }

    fn behind(&self, place: i64) -> Result<i64, Error> {
        let mut query = self
            .tx
            .prepare_cached("SELECT max(place) + 1 FROM warc_record WHERE place >= ?1 AND place >> 38 = ?1 >> 38")?;
        Ok(query.query_row([place], |r| r.get(0))?)
    }

    /// Rows that will be added by [`Batch::warcs`] at the end of this transaction, for the records that name them.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn expect(&self, rows: &[WarcRow]) -> Result<(), Error> {
        for row in rows {
            let placed = Placed { place: self.place(row)?, url: row.exchange.as_ref().map(|e| e.url.clone()) };
            self.coming.borrow_mut().insert(row.id, placed);
        }
        Ok(())
    }

    /// Adds WARC records of new ids that are bound by records just added: written once, and not again to say so.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn warcs(&self, rows: &[WarcRow], mut bound: Bound) -> Result<(), Error> {
        for row in rows {
            self.warc_bound(row, self.place(row)?, bound.take(row))?;
        }
        self.coming.borrow_mut().clear();
        self.bind(bound)
    }

    fn warc_bound(&self, row: &WarcRow, place: i64, record: Option<i64>) -> Result<bool, Error> {
        let added = self.put(
            "INSERT OR IGNORE INTO warc_record (place, id, length, type, digest, record) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![place, row.id.as_bytes(), signed(row.length), i64::from(row.kind), row.digest.0, record],
        )?;
        let Some(e) = row.exchange.as_ref().filter(|_| added > 0) else { return Ok(added > 0) };
        self.put(
            "INSERT INTO exchange (place, url, at, ip, status, media_type, payload, payload_len, refers_to)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            params![
                place,
                e.url,
                e.at.as_microsecond(),
                e.ip,
                e.status,
                e.media_type,
                e.payload.map(|d| d.0),
                e.payload_len.map(signed),
                // By its id: it may lie in a file that a rebuild comes to later.
                e.refers_to.map(|id| *id.as_bytes()),
            ],
        )?;
        Ok(true)
    }

    /// The number of a WARC record that is here or about to be, and its exchange's URL where it has one.
    pub(super) fn placed(&self, id: &Uuid) -> Result<Option<Placed>, Error> {
        if let Some(coming) = self.coming.borrow().get(id) {
            return Ok(Some(coming.clone()));
        }
        let mut query = self.tx.prepare_cached(
            "SELECT w.place, e.url FROM warc_record w LEFT JOIN exchange e ON e.place = w.place
             WHERE substr(w.id, 1, 8) = substr(?1, 1, 8) AND w.id = ?1",
        )?;
        Ok(query.query_row([id.as_bytes()], |r| Ok(Placed { place: r.get(0)?, url: r.get(1)? })).optional()?)
    }

    /// Forgets the rows that were expected: they are in the catalogue already.
    pub fn expected(&self) {
        self.coming.borrow_mut().clear();
    }

    /// The number of a record, whose file is known to the record's end from now on.
    ///
    /// # Errors
    /// SQLite's own, and an offset that no number has room for.
    pub fn place(&self, row: &WarcRow) -> Result<i64, Error> {
        let end = row.offset.saturating_add(row.length);
        if let Some(file) = self.files.borrow_mut().get_mut(&row.file) {
            file.known = file.known.max(end);
            return keys::place(file.id, row.offset);
        }
        let found: Option<i64> = self
            .tx
            .prepare_cached("SELECT id FROM warc_file WHERE name = ?1")?
            .query_row([&row.file], |r| r.get(0))
            .optional()?;
        let id = match found {
            Some(id) => id,
            None => self.file(&row.file)?,
        };
        self.files.borrow_mut().insert(row.file.clone(), Written { id, known: end });
        keys::place(id, row.offset)
    }

    /// A new file: by the serial in its name, so that it is the same in every rebuild. One that has none, or another's, is not of
    /// our making.
    fn file(&self, name: &str) -> Result<i64, Error> {
        let serial = place::serial(name).and_then(|serial| i64::try_from(serial).ok()).filter(|serial| *serial > 0);
        if let Some(serial) = serial
            && self.put("INSERT OR IGNORE INTO warc_file (id, name) VALUES (?1, ?2)", params![serial, name])? > 0
        {
            return Ok(serial);
        }
        self.put(
            "INSERT INTO warc_file (id, name) SELECT min(0, coalesce(min(id), 0)) - 1, ?1 FROM warc_file",
            [name],
        )?;
        Ok(self.tx.last_insert_rowid())
    }

    /// Notes which records bind WARC records that are in the catalogue already; what was bound before stays as it is.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn bind(&self, bound: Bound) -> Result<(), Error> {
        for (id, idx) in bound.own {
            self.put(
                "UPDATE warc_record SET record = ?1 WHERE substr(id, 1, 8) = substr(?2, 1, 8) AND id = ?2 AND record IS NULL",
                params![idx, id.as_bytes()],
            )?;
        }
        for (name, idx) in bound.named {
            self.put(
                "UPDATE warc_record SET record = ?1
                 WHERE substr(id, 1, 8) = substr(?2, 1, 8) AND id = ?2 AND record IS NULL AND digest = ?3",
                params![idx, name.id.as_bytes(), name.digest.0],
            )?;
        }
        Ok(())
    }

    /// Forgets what lies in a WARC file from an offset on.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn forget(&self, file: &str, from: u64) -> Result<(), Error> {
        let mut query = self.tx.prepare_cached("SELECT id FROM warc_file WHERE name = ?1")?;
        let Some(id) = query.query_row([file], |r| r.get(0)).optional()? else { return Ok(()) };
        let (first, next) = (keys::place(id, from)?, keys::place(id.saturating_add(1), 0)?);
        self.put("DELETE FROM exchange WHERE place >= ?1 AND place < ?2", [first, next])?;
        self.put("DELETE FROM warc_record WHERE place >= ?1 AND place < ?2", [first, next])?;
        self.put("UPDATE warc_file SET known = ?2, sealed = 0 WHERE id = ?1", params![id, signed(from)])?;
        Ok(())
    }

    /// Forgets single WARC records, which nothing speaks of; what lies behind them stays known.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn leave_out(&self, file: &str, offset: u64) -> Result<(), Error> {
        let mut query = self.tx.prepare_cached("SELECT id FROM warc_file WHERE name = ?1")?;
        let Some(id) = query.query_row([file], |r| r.get(0)).optional()? else { return Ok(()) };
        let place = keys::place(id, offset)?;
        self.put("DELETE FROM exchange WHERE place = ?1", [place])?;
        self.put("DELETE FROM warc_record WHERE place = ?1", [place])?;
        Ok(())
    }

    /// A WARC file that is sealed and known to its end.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn sealed(&self, file: &str) -> Result<(), Error> {
        self.put("UPDATE warc_file SET sealed = 1 WHERE name = ?1", [file])?;
        Ok(())
    }
}
