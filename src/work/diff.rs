//! Two captures compared: words, links, media, headers, and what is said of each.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use similar::{Algorithm, DiffTag, capture_diff_slices};
use unicode_segmentation::UnicodeSegmentation as _;
use url::Url;

use crate::format::digest::Digest;
use crate::format::http::Answer;
use crate::format::markup::{self, Piece};
use crate::format::time;
use crate::resolution::hop::Role;
use crate::snapshot::Manifest;
use crate::statement::{self, Hint, StatementId};
use crate::work::fault::Fault;
use crate::work::name::{Named, named};
use crate::work::parts::Paths;
use crate::work::words;
use crate::world::store::Store;
use crate::world::store::find::words::Document;
use crate::world::vault::place::{self, Place};

/// Words or lines compared one by one; what is longer is compared line by line first, and what of it is longer still, as one.
const MOST: usize = 4000;

/// One of the two.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Side {
    /// its id
    pub id: String,
    /// `snapshot` or `statement`
    pub what: &'static str,
    /// when it was taken
    pub at: Option<String>,
}

/// What happened to a run of words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Op {
    /// in both
    Same,
    /// in the first alone
    Removed,
    /// in the second alone
    Added,
}

/// A run of words with one fate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Segment {
    /// its fate
    pub op: Op,
    /// the words
    pub text: String,
}

/// A value that is another one in the second.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Changed {
    /// whose value
    pub name: String,
    /// in the first
    pub a: Option<String>,
    /// in the second
    pub b: Option<String>,
}

/// Two sets compared.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Sets {
    /// in the first alone
    pub removed: Vec<String>,
    /// in the second alone
    pub added: Vec<String>,
    /// in both, and not the same
    pub changed: Vec<Changed>,
}

impl Sets {
    /// Whether they are the same.
    pub fn is_empty(&self) -> bool {
        self.removed.is_empty() && self.added.is_empty() && self.changed.is_empty()
    }
}

/// What two captures differ in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Diff {
    /// the first
    pub a: Side,
    /// the second
    pub b: Side,
    /// nothing below says otherwise but for headers, which differ every time
    pub same: bool,
    /// which of fields, words, links, media differ
    pub differs: Vec<&'static str>,
    /// what is said of it: final URL, ending, title, author, times
    pub fields: Vec<Changed>,
    /// the words, in runs; one run where they are the same
    pub words: Vec<Segment>,
    /// links out
    pub links: Sets,
    /// media by URL; `changed` where the bytes are others
    pub media: Sets,
    /// header fields of the final answer
    pub headers: Sets,
}

/// One of the two, read.
#[derive(Default)]
struct Read {
    side: Side,
    fields: Vec<(&'static str, String)>,
    text: String,
    links: BTreeSet<String>,
    media: BTreeMap<String, Option<String>>,
    headers: BTreeMap<String, String>,
}

/// Compares two snapshots, posts, citations or statements; with one name alone, its last two snapshots.
///
/// # Errors
/// A name that is none, or has no snapshot; the catalogue's.
pub fn diff(paths: &Paths, a: &str, b: Option<&str>) -> Result<Diff, Fault> {
    if !paths.is_archive() {
        return Err(Fault::NoArchive(paths.root.clone()));
    }
    let store = Store::open_read(&paths.catalogue())?;
    let look = Look { warc: paths.warc(), store: &store };
    let (a, b) = match b {
        Some(b) => (look.last(a)?, look.last(b)?),
        None => look.last_two(a)?,
    };
    Ok(compare(look.read(&a)?, look.read(&b)?))
}

/// What can be compared.
enum Subject {
    Snapshot(Digest),
    Statement(StatementId),
}

struct Look<'a> {
    warc: std::path::PathBuf,
    store: &'a Store,
}

impl Look<'_> {
    fn last(&self, id: &str) -> Result<Subject, Fault> {
        if let Named::Statement(id) = named(self.store, id)? {
            return Ok(Subject::Statement(id));
        }
        let none = || Fault::NotHere(format!("no snapshot hangs on {id}"));
        self.snapshots(id)?.last().copied().map(Subject::Snapshot).ok_or_else(none)
    }

    fn last_two(&self, id: &str) -> Result<(Subject, Subject), Fault> {
        match self.snapshots(id)?.as_slice() {
            [.., a, b] => Ok((Subject::Snapshot(*a), Subject::Snapshot(*b))),
            _ => Err(Fault::NotHere(format!("{id} has no two snapshots to compare"))),
        }
    }

    /// The snapshots of a name, oldest first, each once.
    fn snapshots(&self, id: &str) -> Result<Vec<Digest>, Fault> {
        let mut all = match named(self.store, id)? {
            Named::Snapshot(id) => vec![id],
            Named::Post(name) => self.store.snapshots_of(&name)?.into_iter().map(|(id, ..)| id).collect(),
            Named::Citation(id) => self.store.ends(&id)?.into_iter().filter_map(|end| end.snapshot).collect(),
            other => {
                return Err(Fault::Input {
                    what: format!("{other} cannot be compared"),
                    hint: "name snapshots, posts, citations, or two statements".to_owned(),
                });
            }
        };
        all.dedup();
        Ok(all)
    }

    fn read(&self, subject: &Subject) -> Result<Read, Fault> {
        match subject {
            Subject::Snapshot(id) => self.snapshot(id),
            Subject::Statement(id) => self.statement(id),
        }
    }

    fn statement(&self, id: &StatementId) -> Result<Read, Fault> {
        let mut read = Read { side: Side { id: id.to_string(), what: "statement", at: None }, ..Read::default() };
        if let Some(Document::Statement { bytes, source, media_type }) = self.store.statement_document(id)? {
            read.fields = vec![("source", source.clone()), ("media type", media_type.clone())];
            let hint = Hint { source, content_type: Some(media_type) };
            read.text = statement::read(bytes, &hint).map(|statement| statement.text).unwrap_or_default();
        }
        Ok(read)
    }

    fn snapshot(&self, id: &Digest) -> Result<Read, Fault> {
        let missing = || Fault::NotHere(format!("the manifest of snapshot {id} is not in the archive"));
        let (_, manifest) = self.store.manifest(id)?.ok_or_else(missing)?;
        let at = self.store.locate(manifest)?.ok_or_else(missing)?;
        let place = Place { file: at.file, offset: at.offset, length: at.length };
        let block = place::read_at(&self.warc, &place)?.record.block;
        let manifest: Manifest = serde_json::from_slice(&block).map_err(Fault::json)?;
        let side = Side { id: id.to_string(), what: "snapshot", at: Some(time::rfc3339(manifest.at)) };
        let mut read = Read { side, fields: fields(&manifest), ..Read::default() };
        for part in manifest.parts.iter().filter(|part| part.role == Role::Media) {
            let payload = part.evidence.as_ref().and_then(|evidence| evidence.payload);
            read.media.insert(part.url.clone(), payload.map(|digest| digest.to_string()));
        }
        let page = words::page(&self.warc, self.store, id)?;
        if let Some((answer, _)) = &page {
            read.headers = headers(answer);
        }
        match (&manifest.post, page) {
            (Some(post), _) => {
                read.text = post.text.clone();
                read.links = post.links.iter().map(|link| link.expanded.clone()).collect();
                for media in &post.media {
                    read.media.entry(media.url.clone()).or_default();
                }
            }
            (None, Some((answer, text))) => {
                read.links = links(&answer, manifest.final_url.as_deref());
                read.text = text;
            }
            (None, None) => {}
        }
        Ok(read)
    }
}

fn fields(manifest: &Manifest) -> Vec<(&'static str, String)> {
    let mut out = vec![("cited as", manifest.target.clone()), ("ending", manifest.ending.as_str().to_owned())];
    let mut add = |name, value: Option<String>| out.extend(value.map(|value| (name, value)));
    add("final URL", manifest.final_url.clone());
    if let Some(page) = &manifest.page {
        add("title", page.title.clone());
        add("author", page.author.clone());
        add("published", page.published.clone());
    }
    if let Some(post) = &manifest.post {
        add("post", Some(post.name.to_string()));
        add("handle", Some(post.author.handle.clone()));
        add("author", post.author.name.clone());
        add("posted", post.posted.map(time::rfc3339));
        add("edited", post.edited.then(|| "yes".to_owned()));
        add("versions", (!post.versions.is_empty()).then(|| post.versions.join(" ")));
    }
    out
}

fn headers(answer: &Answer) -> BTreeMap<String, String> {
    let mut out: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in &answer.headers.0 {
        let (name, value) = (name.to_ascii_lowercase(), String::from_utf8_lossy(value));
        out.entry(name).and_modify(|all| *all = format!("{all}, {value}")).or_insert_with(|| value.into_owned());
    }
    out.insert(":status".to_owned(), answer.status.to_string());
    out
}

fn links(answer: &Answer, base: Option<&str>) -> BTreeSet<String> {
    if !answer.media_type().contains("html") {
        return BTreeSet::new();
    }
    let base = base.and_then(|base| Url::parse(base).ok());
    let html = markup::decode(&answer.body, &answer.headers.get("content-type").unwrap_or_default()).into_owned();
    let mut out = BTreeSet::new();
    for piece in markup::pieces(&html) {
        if let Piece::Open(tag) = piece
            && tag.name == "a"
            && let Some(href) = tag.get("href")
        {
            let whole = base.as_ref().and_then(|base| base.join(href).ok()).map(String::from);
            out.insert(whole.unwrap_or_else(|| href.to_owned()));
        }
    }
    out
}

fn compare(a: Read, b: Read) -> Diff {
    let fields = changed(&a.fields, &b.fields);
    let words = segments(&a.text, &b.text);
    let links = Sets {
        removed: a.links.difference(&b.links).cloned().collect(),
        added: b.links.difference(&a.links).cloned().collect(),
        changed: Vec::new(),
    };
    let media = maps(&a.media, &b.media);
    let some = |map: BTreeMap<String, String>| map.into_iter().map(|(k, v)| (k, Some(v))).collect();
    let headers = maps(&some(a.headers), &some(b.headers));
    let parts = [
        ("fields", !fields.is_empty()),
        ("words", words.iter().any(|segment| segment.op != Op::Same)),
        ("links", !links.is_empty()),
        ("media", !media.is_empty()),
    ];
    let differs: Vec<&'static str> = parts.into_iter().filter_map(|(name, differs)| differs.then_some(name)).collect();
    Diff { a: a.side, b: b.side, same: differs.is_empty(), differs, fields, words, links, media, headers }
}

fn changed(a: &[(&'static str, String)], b: &[(&'static str, String)]) -> Vec<Changed> {
    let of =
        |side: &[(&'static str, String)], name: &str| side.iter().find(|(n, _)| *n == name).map(|(_, v)| v.clone());
    let mut names: Vec<&str> = a.iter().chain(b).map(|(name, _)| *name).collect();
    let mut seen = BTreeSet::new();
    names.retain(|name| seen.insert(*name));
    names
        .into_iter()
        .map(|name| Changed { name: name.to_owned(), a: of(a, name), b: of(b, name) })
        .filter(|changed| changed.a != changed.b)
        .collect()
}

/// Two maps; a value that is not known is not held against the other.
fn maps(a: &BTreeMap<String, Option<String>>, b: &BTreeMap<String, Option<String>>) -> Sets {
    let mut sets = Sets::default();
    for (name, one) in a {
        match b.get(name) {
            None => sets.removed.push(name.clone()),
            Some(other) if one.is_some() && other.is_some() && one != other => {
                sets.changed.push(Changed { name: name.clone(), a: one.clone(), b: other.clone() });
            }
            Some(_) => {}
        }
    }
    sets.added = b.keys().filter(|name| !a.contains_key(*name)).cloned().collect();
    sets
}

/// Two texts, word by word.
pub fn segments(a: &str, b: &str) -> Vec<Segment> {
    let mut out = Vec::new();
    let (words_a, words_b): (Vec<&str>, Vec<&str>) = (a.split_word_bounds().collect(), b.split_word_bounds().collect());
    if words_a.len() <= MOST && words_b.len() <= MOST {
        by_piece(&words_a, &words_b, &mut out, &mut |a, b, out| push_both(a, b, out));
        return out;
    }
    let (lines_a, lines_b): (Vec<&str>, Vec<&str>) =
        (a.split_inclusive('\n').collect(), b.split_inclusive('\n').collect());
    if lines_a.len() > MOST || lines_b.len() > MOST {
        if a == b {
            push(&mut out, Op::Same, a);
        } else {
            push_both(a, b, &mut out);
        }
        return out;
    }
    by_piece(&lines_a, &lines_b, &mut out, &mut |a, b, out| {
        let (a, b): (Vec<&str>, Vec<&str>) = (a.split_word_bounds().collect(), b.split_word_bounds().collect());
        if a.len() <= MOST && b.len() <= MOST {
            by_piece(&a, &b, out, &mut |a, b, out| push_both(a, b, out));
        } else {
            push_both(&a.concat(), &b.concat(), out);
        }
    });
    out
}

fn by_piece(a: &[&str], b: &[&str], out: &mut Vec<Segment>, replaced: &mut dyn FnMut(&str, &str, &mut Vec<Segment>)) {
    for op in capture_diff_slices(Algorithm::Myers, a, b) {
        let old = a.get(op.old_range()).unwrap_or_default().concat();
        let new = b.get(op.new_range()).unwrap_or_default().concat();
        match op.tag() {
            DiffTag::Equal => push(out, Op::Same, &old),
            DiffTag::Delete => push(out, Op::Removed, &old),
            DiffTag::Insert => push(out, Op::Added, &new),
            DiffTag::Replace => replaced(&old, &new, out),
        }
    }
}

fn push_both(a: &str, b: &str, out: &mut Vec<Segment>) {
    push(out, Op::Removed, a);
    push(out, Op::Added, b);
}

fn push(out: &mut Vec<Segment>, op: Op, text: &str) {
    if text.is_empty() {
        return;
    }
    match out.last_mut() {
        Some(last) if last.op == op => last.text.push_str(text),
        _ => out.push(Segment { op, text: text.to_owned() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_compared_one_by_one() {
        let made = segments("riot police all along the street", "riot police all over the old street");
        let told: Vec<(Op, &str)> = made.iter().map(|s| (s.op, s.text.as_str())).collect();
        assert_eq!(
            told,
            [
                (Op::Same, "riot police all "),
                (Op::Removed, "along"),
                (Op::Added, "over"),
                (Op::Same, " the "),
                (Op::Added, "old "),
                (Op::Same, "street"),
            ]
        );
        assert!(segments("", "").is_empty());
    }

    #[test]
    fn long_texts_are_compared_by_lines_first_and_lose_nothing() {
        let a: String = (0..3000).map(|n| format!("line {n} of it\n")).collect();
        let b = a.replace("line 1500 of", "line 1500 and of");
        let made = segments(&a, &b);
        let side = |not: Op| made.iter().filter(|s| s.op != not).map(|s| s.text.as_str()).collect::<String>();
        assert_eq!(side(Op::Added), a);
        assert_eq!(side(Op::Removed), b);
        assert_eq!(made.iter().filter(|s| s.op != Op::Same).count(), 1);
    }

    #[test]
    fn media_whose_bytes_are_others_are_swapped() {
        let map = |pairs: &[(&str, Option<&str>)]| {
            pairs.iter().map(|(k, v)| ((*k).to_owned(), v.map(str::to_owned))).collect::<BTreeMap<_, _>>()
        };
        let sets = maps(&map(&[("u", Some("1")), ("gone", None)]), &map(&[("u", Some("2")), ("new", None)]));
        assert_eq!(
            (sets.removed.as_slice(), sets.added.as_slice()),
            (&["gone".to_owned()][..], &["new".to_owned()][..])
        );
        assert_eq!(sets.changed.len(), 1);
    }
}
