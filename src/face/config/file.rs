//! `onrecord.toml` (TOML 1.0): read with the line of every key, so that what is wrong can be pointed at.

use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::section::Section;
use super::value::Raw;
use super::{ConfigError, FILE, Notify, Origin, SECTIONS, Settings, Source, nearest};

/// The file's text, and where each line in it begins.
struct Lines<'a>(&'a str);

impl Lines<'_> {
    fn line(&self, at: usize) -> usize {
        self.0.bytes().take(at).filter(|&b| b == b'\n').count() + 1
    }

    fn place(&self, at: usize) -> String {
        format!("{FILE} line {}", self.line(at))
    }
}

/// A key, its value, and where the key stands.
type Entry<'a, 't> = (&'a str, &'a DeValue<'t>, usize);

fn entries<'a, 't>(table: &'a DeTable<'t>) -> Vec<Entry<'a, 't>> {
    let mut all: Vec<Entry<'a, 't>> =
        table.iter().map(|(key, value)| (key.get_ref().as_ref(), value.get_ref(), key.span().start)).collect();
    // In the order of the file: the first mistake in it is the one named.
    all.sort_by_key(|(_, _, at)| *at);
    all
}

impl Settings {
    pub(super) fn read_file(&mut self, archive: &Path, text: &str) -> Result<(), ConfigError> {
        let lines = Lines(text);
        let table = DeTable::parse(text).map_err(|error| ConfigError::Syntax {
            place: lines.place(error.span().map_or(0, |span| span.start)),
            what: error.message().lines().collect::<Vec<_>>().join(", "),
        })?;
        for (name, value, at) in entries(table.get_ref()) {
            match name {
                "source" => self.sources = list(&lines, archive, "source", value, at, Source::lacks)?,
                "notify" => self.notify = list(&lines, archive, "notify", value, at, Notify::lacks)?,
                _ => self.read_section(&lines, archive, name, value, at)?,
            }
        }
        self.remember_list_origins(&lines, table.get_ref());
        Ok(())
    }

    fn read_section(
        &mut self,
        lines: &Lines<'_>,
        archive: &Path,
        name: &str,
        value: &DeValue<'_>,
        at: usize,
    ) -> Result<(), ConfigError> {
        let Some((section, keys)) = SECTIONS.iter().find(|(section, _)| *section == name) else {
            let names = SECTIONS.iter().map(|(section, _)| *section).chain(["source", "notify"]);
            return Err(unknown(lines, at, "section", name, nearest(name, names)));
        };
        for (key, value, at) in entries(table_of(lines, name, value, at)?) {
            if !keys.contains(&key) {
                return Err(unknown(lines, at, "key", key, nearest(key, keys.iter().copied())));
            }
            let raw = raw(value);
            let set = self.set(section, key, &raw, archive, Origin::File(lines.line(at)));
            set.map_err(|expected| bad(lines, at, &format!("{section}.{key}"), &raw, expected))?;
        }
        Ok(())
    }

    /// Where each key of each source and notice stands.
    fn remember_list_origins(&mut self, lines: &Lines<'_>, table: &DeTable<'_>) {
        for section in ["source", "notify"] {
            let items = table.get(section).and_then(|value| value.get_ref().as_array());
            let tables = items.into_iter().flat_map(|items| items.iter()).map(Spanned::get_ref);
            for (n, item) in tables.enumerate() {
                for (key, _, at) in item.as_table().map(entries).unwrap_or_default() {
                    self.origins.insert(format!("{section}[{n}].{key}"), Origin::File(lines.line(at)));
                }
            }
        }
    }
}

/// Reads `[[name]]`, every one of them.
fn list<S: Section>(
    lines: &Lines<'_>,
    archive: &Path,
    name: &'static str,
    value: &DeValue<'_>,
    at: usize,
    lacks: impl Fn(&S) -> Option<&'static str>,
) -> Result<Vec<S>, ConfigError> {
    let items = value.as_array().ok_or_else(|| bad(lines, at, name, &raw(value), "tables, each under [[…]]"))?;
    let mut all = Vec::new();
    for item in items.iter() {
        let at = item.span().start;
        let mut section = S::default();
        for (key, value, at) in entries(table_of(lines, name, item.get_ref(), at)?) {
            if !S::KEYS.contains(&key) {
                return Err(unknown(lines, at, "key", key, nearest(key, S::KEYS.iter().copied())));
            }
            let raw = raw(value);
            let set = section.set(key, &raw, archive);
            set.map_err(|expected| bad(lines, at, &format!("{name}.{key}"), &raw, expected))?;
        }
        if let Some(lacks) = lacks(&section) {
            return Err(ConfigError::Lacks { place: lines.place(at), section: name, lacks });
        }
        all.push(section);
    }
    Ok(all)
}

fn table_of<'a, 't>(
    lines: &Lines<'_>,
    name: &str,
    value: &'a DeValue<'t>,
    at: usize,
) -> Result<&'a DeTable<'t>, ConfigError> {
    value.as_table().ok_or_else(|| bad(lines, at, name, &raw(value), "a table"))
}

fn raw(value: &DeValue<'_>) -> Raw {
    match value {
        DeValue::String(text) => Raw::Str(text.clone().into_owned()),
        DeValue::Integer(n) => {
            i64::from_str_radix(n.as_str(), n.radix()).map_or(Raw::Other("integer too large"), Raw::Int)
        }
        DeValue::Float(n) => n.as_str().parse().map_or(Raw::Other("float"), Raw::Float),
        DeValue::Boolean(b) => Raw::Bool(*b),
        DeValue::Datetime(_) => Raw::Other("datetime"),
        DeValue::Array(items) => Raw::List(items.iter().map(|item| raw(item.get_ref())).collect()),
        DeValue::Table(_) => Raw::Other("table"),
    }
}

fn unknown(lines: &Lines<'_>, at: usize, what: &'static str, name: &str, nearest: Option<String>) -> ConfigError {
    ConfigError::Unknown { place: lines.place(at), what, name: name.to_owned(), nearest }
}

fn bad(lines: &Lines<'_>, at: usize, key: &str, raw: &Raw, expected: &'static str) -> ConfigError {
    ConfigError::BadValue { place: lines.place(at), key: key.to_owned(), found: raw.to_string(), expected }
}
