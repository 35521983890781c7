//! Rows of snapshots, of the posts in them and of their words.

use jiff::Timestamp;
use rusqlite::params;

use crate::format::digest::Digest;
use crate::format::terms;
use crate::platform::post::Post;
use crate::resolution::exchange::RecordName;
use crate::snapshot::Manifest;
use crate::world::store::apply::{Batch, Documents, name_of, own_url, text_of};
use crate::world::store::{Error, keys};

impl Batch<'_> {
    pub(super) fn snapshot(
        &self,
        idx: i64,
        id: &Digest,
        manifest_name: &RecordName,
        docs: &dyn Documents,
    ) -> Result<(), Error> {
        let block = docs.block(manifest_name)?;
        let manifest: Manifest = serde_json::from_slice(&block).map_err(|e| Error::Shape(manifest_name.id, e))?;
        if keys::of_snapshot(self.tx, id)?.is_some() {
            return Ok(());
        }
        let place = self.placed(&manifest_name.id)?.ok_or(Error::Document(manifest_name.id))?.place;
        let (post, page) = (manifest.post.as_ref(), manifest.page.as_ref());
        self.put(
            "INSERT INTO snapshot (record, id, manifest, target, final, ending, at, title, post, content, text, indexed)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
            params![
                idx,
                id.0,
                place,
                manifest.target,
                manifest.final_url,
                manifest.ending.as_str(),
                manifest.at.as_microsecond(),
                page.and_then(|page| page.title.as_deref()),
                post.map(|p| p.name.to_string()),
                manifest.content_digest.0,
                page.map(|page| page.text_digest.0),
                // A post's words go in with it; a page's are read from its WARC record later, off the run's path.
                i64::from(page.is_none()),
            ],
        )?;
        self.count("total", "snapshot")?;
        for (n, part) in manifest.parts.iter().enumerate() {
            let asked = self.exchange(part.evidence.as_ref())?;
            let url = own_url(&part.url, asked.as_ref());
            self.put(
                "INSERT INTO snapshot_part (snapshot, n, role, url, exchange) VALUES (?1, ?2, ?3, ?4, ?5)",
                params![idx, n as i64, name_of(&part.role), url, asked.map(|asked| asked.place)],
            )?;
        }
        if let Some(post) = post {
            self.post(idx, post)?;
        }
        Ok(())
    }

    fn post(&self, snapshot: i64, post: &Post) -> Result<(), Error> {
        self.put(
            "INSERT INTO post (snapshot, name, platform, handle, author, author_id, posted, text, body)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            params![
                snapshot,
                post.name.to_string(),
                post.name.platform.as_str(),
                post.author.handle,
                post.author.name,
                post.author.id,
                post.posted.or(post.id_time).map(Timestamp::as_microsecond),
                post.text,
                text_of(post)?,
            ],
        )?;
        self.count("total", "post")?;
        let name = post.author.name.as_deref().unwrap_or_default();
        self.words("post", snapshot, &format!("{}\n{} @{}", post.text, name, post.author.handle))
    }

    /// The number of a snapshot, where one is named and is here.
    pub(super) fn snapshot_key(&self, id: Option<&Digest>) -> Result<Option<i64>, Error> {
        id.map_or(Ok(None), |id| keys::of_snapshot(self.tx, id))
    }

    /// Adds a text to the full-text index, under the thing it belongs to.
    pub(super) fn words(&self, kind: &str, of: i64, text: &str) -> Result<(), Error> {
        if !self.words
            || self.put("INSERT OR IGNORE INTO words_doc (kind, ref) VALUES (?1, ?2)", params![kind, of])? == 0
        {
            return Ok(());
        }
        let id = self.tx.last_insert_rowid();
        self.put("INSERT INTO words (rowid, text) VALUES (?1, ?2)", params![id, terms::indexed(text)])?;
        Ok(())
    }

    /// Adds the text of a snapshot's page to the full-text index, or marks it as one in which nothing could be read.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn page(&self, snapshot: &Digest, text: Option<&str>) -> Result<(), Error> {
        let Some(key) = keys::of_snapshot(self.tx, snapshot)? else { return Ok(()) };
        if let Some(text) = text {
            self.words("page", key, text)?;
        }
        self.put(
            "UPDATE snapshot SET indexed = ?2 WHERE record = ?1",
            params![key, if text.is_some() { 1 } else { 2 }],
        )?;
        Ok(())
    }
}
