//! Rows of statements and of their citations.

use jiff::Timestamp;
use rusqlite::params;

use crate::citation::{Citation, Kind};
use crate::record::StatementAdded;
use crate::statement::{self, Hint};
use crate::world::store::apply::{Batch, Documents, held_each, name_of, text_of};
use crate::world::store::{Error, keys};

impl Batch<'_> {
    pub(super) fn statement(
        &self,
        idx: i64,
        at: Timestamp,
        added: &StatementAdded,
        docs: &dyn Documents,
    ) -> Result<(), Error> {
        let id = &added.statement.0;
        let known = keys::of_statement(self.tx, id)?;
        self.put(
            "INSERT OR IGNORE INTO statement_source (statement, source, record) VALUES (?1, ?2, ?3)",
            params![known.unwrap_or(idx), added.source, idx],
        )?;
        let bytes = docs.foreign(&added.content)?;
        if known.is_some() {
            return Ok(());
        }
        let about = &added.about;
        self.put(
            "INSERT INTO statement (record, id, media_type, source, date, title, language, publisher, author, bytes)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
            params![
                idx,
                id.0,
                added.media_type,
                added.source,
                about.date,
                about.title,
                about.language,
                about.publisher,
                about.author,
                bytes,
            ],
        )?;
        self.count("total", "statement")?;
        held_each(&added.citations, docs, |seq, citation: &Citation| {
            // Each once; its number is its order among all.
            if self.is_cited(idx, citation)? {
                return Ok(());
            }
            let key = keys::citation(idx, seq)?;
            self.citation(key, citation)?;
            if citation.is_followed() {
                self.put(
                    "INSERT OR IGNORE INTO due (citation, at, looks, failures, planned) VALUES (?1, ?2, 0, 0, 1)",
                    params![key, at.as_microsecond()],
                )?;
            }
            Ok(())
        })?;
        let hint = Hint { source: added.source.clone(), content_type: Some(added.media_type.clone()) };
        if self.words
            && let Ok(read) = statement::read(bytes, &hint)
        {
            self.words("statement", idx, &read.text)?;
        }
        Ok(())
    }

    /// Whether a citation of this statement is here already.
    fn is_cited(&self, statement: i64, citation: &Citation) -> Result<bool, Error> {
        let mut query = self.tx.prepare_cached(
            "SELECT 1 FROM citation WHERE substr(id, 1, 6) = substr(?2, 1, 6) AND id = ?2 AND key >> 24 = ?1",
        )?;
        Ok(query.exists(params![statement, citation.id.0.0])?)
    }

    fn citation(&self, key: i64, citation: &Citation) -> Result<(), Error> {
        let columns = Columns::of(&citation.kind);
        self.put(
            "INSERT INTO citation (key, id, kind, form, raw, url, platform, handle, tag, author, date, quoted, span_start, span_end, body)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)",
            params![
                key,
                citation.id.0.0,
                columns.kind,
                columns.form,
                citation.raw,
                columns.url,
                columns.platform,
                columns.handle,
                columns.tag,
                columns.author,
                columns.date,
                columns.quoted,
                citation.span.0 as i64,
                citation.span.1 as i64,
                text_of(citation)?,
            ],
        )?;
        if let Some(platform) = columns.platform {
            self.count("platform", platform)?;
        }
        self.count("kind", columns.kind)
    }
}

#[derive(Default)]
struct Columns<'a> {
    kind: &'static str,
    form: Option<String>,
    url: Option<&'a str>,
    platform: Option<&'static str>,
    handle: Option<&'a str>,
    tag: Option<&'a str>,
    author: Option<&'a str>,
    date: Option<&'a str>,
    quoted: Option<&'a str>,
}

impl<'a> Columns<'a> {
    fn of(kind: &'a Kind) -> Self {
        match kind {
            Kind::Link { form, url, platform, handle, .. } => Self {
                kind: "link",
                form: name_of(form),
                url: Some(url),
                platform: platform.map(|p| p.as_str()),
                handle: handle.as_deref(),
                ..Self::default()
            },
            Kind::Handle { platform, handle } => {
                Self { kind: "handle", platform: Some(platform.as_str()), handle: Some(handle), ..Self::default() }
            }
            Kind::Hashtag { tag } => Self { kind: "hashtag", tag: Some(tag), ..Self::default() },
            Kind::Post { platform, author, handle, date, quoted, permalink, .. } => Self {
                kind: "post",
                url: permalink.as_deref(),
                platform: Some(platform.as_str()),
                handle: handle.as_deref(),
                author: author.as_deref(),
                date: date.as_deref(),
                quoted: Some(quoted),
                ..Self::default()
            },
        }
    }
}
