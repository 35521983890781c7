//! Rows of exports: which cell of a record is a post's text, which its author, day and address, by the names people and
//! platforms give to columns.

use std::ops::Range;

use crate::format::reading::{Reading, Row};

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Column {
    /// the words
    Text,
    /// the account's name as it is addressed
    Handle,
    /// whoever posted: a name, or an account where it begins with an at sign
    Author,
    /// when
    Date,
    /// where
    Url,
}

/// Names of columns, lower case, without what separates their words.
const NAMES: &[(&str, Column)] = &[
    ("fulltext", Column::Text),
    ("text", Column::Text),
    ("content", Column::Text),
    ("body", Column::Text),
    ("tweet", Column::Text),
    ("tweettext", Column::Text),
    ("post", Column::Text),
    ("posttext", Column::Text),
    ("message", Column::Text),
    ("status", Column::Text),
    ("caption", Column::Text),
    ("screenname", Column::Handle),
    ("username", Column::Handle),
    ("userscreenname", Column::Handle),
    ("userusername", Column::Handle),
    ("handle", Column::Handle),
    ("userhandle", Column::Handle),
    ("authorhandle", Column::Handle),
    ("authorusername", Column::Handle),
    ("acct", Column::Handle),
    ("author", Column::Author),
    ("authorname", Column::Author),
    ("name", Column::Author),
    ("displayname", Column::Author),
    ("user", Column::Author),
    ("account", Column::Author),
    ("postedby", Column::Author),
    ("from", Column::Author),
    ("createdat", Column::Date),
    ("created", Column::Date),
    ("texto", Column::Text),
    ("texte", Column::Text),
    ("testo", Column::Text),
    ("mensaje", Column::Text),
    ("contenido", Column::Text),
    ("contenu", Column::Text),
    ("inhalt", Column::Text),
    ("nachricht", Column::Text),
    ("текст", Column::Text),
    ("usuario", Column::Author),
    ("autor", Column::Author),
    ("auteur", Column::Author),
    ("autore", Column::Author),
    ("compte", Column::Author),
    ("cuenta", Column::Author),
    ("konto", Column::Author),
    ("автор", Column::Author),
    ("fecha", Column::Date),
    ("datum", Column::Date),
    ("дата", Column::Date),
    ("enlace", Column::Url),
    ("lien", Column::Url),
    ("ссылка", Column::Url),
    ("uri", Column::Url),
    ("date", Column::Date),
    ("datetime", Column::Date),
    ("time", Column::Date),
    ("timestamp", Column::Date),
    ("publishedat", Column::Date),
    ("published", Column::Date),
    ("postedat", Column::Date),
    ("posted", Column::Date),
    ("url", Column::Url),
    ("link", Column::Url),
    ("permalink", Column::Url),
    ("permalinkurl", Column::Url),
    ("tweeturl", Column::Url),
    ("posturl", Column::Url),
];

/// What the column of that name holds, if a post's record has such a column.
pub(super) fn column(name: &str) -> Option<Column> {
    if name.len() > 40 {
        return None;
    }
    let plain: String = name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    NAMES.iter().find(|(known, _)| *known == plain).map(|(_, column)| *column)
}

/// Names of objects inside a record that are its author.
pub(super) fn is_author(name: &str) -> bool {
    matches!(column(name), Some(Column::Author))
}

/// A record in the making: the first cell of each kind, in the reading's text.
#[derive(Clone, Debug, Default)]
pub(super) struct Draft {
    text: Option<Range<usize>>,
    handle: Option<Range<usize>>,
    author: Option<Range<usize>>,
    date: Option<Range<usize>>,
    url: Option<Range<usize>>,
}

impl Draft {
    pub(super) fn put(&mut self, column: Column, cell: Range<usize>) {
        let place = match column {
            Column::Text => &mut self.text,
            Column::Handle => &mut self.handle,
            Column::Author => &mut self.author,
            Column::Date => &mut self.date,
            Column::Url => &mut self.url,
        };
        if !cell.is_empty() {
            place.get_or_insert(cell);
        }
    }

    /// Takes over what an object inside says that is the record itself (AT Protocol: `record`), its author apart.
    pub(super) fn take_record(&mut self, inner: Self) {
        self.text = self.text.take().or(inner.text);
        self.date = self.date.take().or(inner.date);
        self.url = self.url.take().or(inner.url);
        self.take_author(Self { text: None, date: None, url: None, ..inner });
    }

    /// Takes over what an object inside says of the author.
    pub(super) fn take_author(&mut self, inner: Self) {
        self.handle = self.handle.take().or(inner.handle);
        self.author = self.author.take().or(inner.author);
    }

    /// The record as a row, where it has words, somebody who said them and a day.
    pub(super) fn finish(self, reading: &mut Reading) {
        let (Some(text), Some(date)) = (self.text, self.date) else { return };
        if self.handle.is_some() || self.author.is_some() {
            reading.rows.push(Row { text, handle: self.handle, author: self.author, date, url: self.url });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_any_spelling_and_no_others() {
        for (name, want) in [
            ("full_text", Some(Column::Text)),
            ("Tweet Text", Some(Column::Text)),
            ("screenName", Some(Column::Handle)),
            ("user.screen_name", Some(Column::Handle)),
            ("Created-At", Some(Column::Date)),
            ("author", Some(Column::Author)),
            ("Autor", Some(Column::Author)),
            ("Fecha", Some(Column::Date)),
            ("created", Some(Column::Date)),
            ("permalink_url", Some(Column::Url)),
            ("likes", None),
            ("context", None),
            ("", None),
        ] {
            assert_eq!(column(name), want, "{name}");
        }
    }
}
