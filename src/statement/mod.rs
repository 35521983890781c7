//! The statement: the document handed in. Its exact bytes, what they are, and the text read from them.

mod header;

use serde::{Deserialize, Serialize};

use crate::format::charset::{self, Decoded};
use crate::format::digest::Digest;
use crate::format::reading::Reading;
use crate::format::{dkim, html, mail, markdown, pdf, table};

/// A statement's id: the SHA-256 of its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StatementId(pub Digest);

impl std::fmt::Display for StatementId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// What is known of a document before it is read.
#[derive(Clone, Debug, Default)]
pub struct Hint {
    /// where it came from: a path, a URL, `-`
    pub source: String,
    /// media type with parameters, where something declares one (an HTTP answer does)
    pub content_type: Option<String>,
}

/// A part that could not be read, named so that nothing is skipped in silence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unread {
    /// which part: `page 3`, `part 2 (image/png)`, `bytes 120..123`
    pub part: String,
    /// why
    pub why: String,
}

/// A document's own words about itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    /// its date, `YYYY-MM-DD`
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub date: Option<String>,
    /// its clock's distance from UTC, `+06:00`, where its date says it
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub zone: Option<String>,
    /// title
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub title: Option<String>,
    /// BCP 47 tag
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub language: Option<String>,
    /// publisher
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub publisher: Option<String>,
    /// author
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub author: Option<String>,
    /// canonical URL
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub canonical: Option<String>,
}

/// A signature of an e-mail, as it is told of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seal {
    /// the domain that signs
    pub domain: String,
    /// the name of its key
    pub selector: String,
    /// `rsa-sha256`, `ed25519-sha256`, or what else is written there
    pub algorithm: String,
    /// what became of it
    pub state: dkim::State,
    /// in words
    pub why: String,
    /// whether the body is the one that was signed
    pub body: dkim::Body,
    /// bytes of the body that are signed, where not all of it is: what follows can be anybody's
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub length: Option<u64>,
    /// when it was made, RFC 3339
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub made: Option<String>,
    /// until when it is meant to hold, RFC 3339
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub expires: Option<String>,
    /// its domain only tries the key out
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub testing: bool,
}

impl Seal {
    /// A signature and what became of it.
    pub fn of(signature: &dkim::Signature, judged: dkim::Judged) -> Self {
        let instant = |seconds: i64| jiff::Timestamp::from_second(seconds).ok().map(|at| at.to_string());
        Self {
            domain: signature.domain.clone(),
            selector: signature.selector.clone(),
            algorithm: signature.algorithm.clone(),
            state: judged.state,
            why: judged.why,
            body: signature.body,
            length: signature.length,
            made: signature.made.and_then(instant),
            expires: signature.expires.and_then(instant),
            testing: judged.testing,
        }
    }

    /// A signature whose key nobody was asked for.
    pub fn unasked(signature: &dkim::Signature) -> Self {
        let judged = signature.without_key().unwrap_or_else(|| dkim::Judged {
            state: dkim::State::NotAsked,
            why: "not verified: its key was not asked for".to_owned(),
            testing: false,
        });
        Self::of(signature, judged)
    }
}

/// A statement and the text read from it.
#[derive(Clone, Debug)]
pub struct Statement {
    /// SHA-256 of `bytes`
    pub id: StatementId,
    /// exactly as handed in, where the text is not them: text is held once
    pub original: Option<Vec<u8>>,
    /// where it came from
    pub source: String,
    /// media type: `text/plain`, `text/html`, `message/rfc822`, …
    pub media_type: String,
    /// what it says of itself
    pub about: About,
    /// what of it could not be read
    pub unread: Vec<Unread>,
    /// the text that spans count in (the bytes themselves where they are UTF-8 text)
    pub text: String,
    /// `text` is not the bytes: spans are of the text read
    pub transformed: bool,
    /// signatures of an e-mail; a key is needed to judge them
    pub signatures: Vec<dkim::Signature>,
    /// the words of marked-up text, with their places in `text`; none where `text` is its own words
    pub reading: Option<Reading>,
}

impl Statement {
    /// The document, exactly as handed in.
    pub fn bytes(&self) -> &[u8] {
        self.original.as_deref().unwrap_or(self.text.as_bytes())
    }
}

/// Why a document cannot be a statement.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum Error {
    /// no bytes, or nothing but spaces
    #[error("the statement is empty: expected text, HTML, Markdown, an e-mail, a PDF, JSON or CSV")]
    Empty,
    /// bytes, but no words
    #[error("the statement is unreadable ({0}): expected text, HTML, Markdown, an e-mail, a PDF, JSON or CSV")]
    Unreadable(String),
}

/// Reads a document: its text, what it says of itself, and what of it could not be read.
///
/// # Errors
/// Nothing in it can be read. Its bytes can be kept all the same; the caller has them.
pub fn read(bytes: Vec<u8>, hint: &Hint) -> Result<Statement, Error> {
    let id = StatementId(Digest::of(&bytes));
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(Error::Empty);
    }
    let (mut draft, original) = match media_of(&bytes, hint) {
        Media::Pdf => (of_pdf(&bytes)?, Some(bytes)),
        Media::Mail => (of_mail(&bytes)?, Some(bytes)),
        Media::Text(kind) => of_text(bytes, kind, hint)?,
    };
    let words = draft.reading.as_ref().map_or(draft.text.as_str(), |r| r.text.as_str());
    if words.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}').is_empty()
        && draft.reading.as_ref().is_none_or(|r| r.pointers.is_empty() && r.anchors.is_empty())
    {
        return Err(Error::Empty);
    }
    let export = is_export(&draft);
    header::complete(&mut draft.about, words, export);
    let Draft { media_type, about, unread, text, transformed, signatures, reading } = draft;
    Ok(Statement {
        id,
        source: hint.source.clone(),
        media_type: media_type.into(),
        about,
        unread,
        text,
        transformed,
        signatures,
        reading,
        original,
    })
}

/// Whether it is a list of records: a date in one of them is that record's.
fn is_export(draft: &Draft) -> bool {
    let text = draft.text.trim_start_matches('\u{feff}').trim_start();
    let lines = || text.lines().map(str::trim).filter(|line| !line.is_empty()).take(2);
    let records =
        || text.starts_with('[') || lines().filter(|line| line.starts_with('{') && line.ends_with('}')).count() == 2;
    draft.media_type == "text/csv"
        || draft.reading.as_ref().is_some_and(|reading| !reading.rows.is_empty())
        || draft.media_type == "application/json" && records()
}

/// How many lines are named that are not what the others are.
const NAMED: usize = 16;

/// How the bytes are to be read.
enum Media {
    Pdf,
    Mail,
    Text(Kind),
}

/// What kind of text.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Plain,
    Html,
    Markdown,
    Json,
    Csv,
    /// nothing says; its beginning decides
    Unknown,
}

/// A statement in the making.
#[derive(Default)]
struct Draft {
    media_type: &'static str,
    about: About,
    unread: Vec<Unread>,
    text: String,
    transformed: bool,
    signatures: Vec<dkim::Signature>,
    reading: Option<Reading>,
}

/// By what the bytes are where they say so, then by declaration, then by name.
fn media_of(bytes: &[u8], hint: &Hint) -> Media {
    let head = bytes.get(..bytes.len().min(1024)).unwrap_or(bytes);
    if memchr::memmem::find(head, b"%PDF-").is_some() {
        return Media::Pdf;
    }
    let declared = hint
        .content_type
        .as_deref()
        .unwrap_or_default()
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    let name = hint.source.split(['?', '#']).next().unwrap_or_default();
    let ending = name.rsplit_once('.').map(|(_, e)| e.to_ascii_lowercase()).unwrap_or_default();
    match (declared.as_str(), ending.as_str()) {
        ("application/pdf", _) | ("", "pdf") => Media::Pdf,
        ("message/rfc822", _) | (_, "eml") => Media::Mail,
        ("text/html" | "application/xhtml+xml", _) | ("", "html" | "htm" | "xhtml") => Media::Text(Kind::Html),
        ("text/markdown" | "text/x-markdown", _) | ("" | "text/plain", "md" | "markdown" | "mdown") => {
            Media::Text(Kind::Markdown)
        }
        ("application/json" | "application/x-ndjson" | "application/jsonl", _) | (_, "json" | "jsonl" | "ndjson") => {
            Media::Text(Kind::Json)
        }
        ("text/csv" | "text/tab-separated-values", _) | (_, "csv" | "tsv") => Media::Text(Kind::Csv),
        _ if mail::looks_like(&String::from_utf8_lossy(head)) => Media::Mail,
        ("text/plain", _) => Media::Text(Kind::Plain),
        _ => Media::Text(Kind::Unknown),
    }
}

fn of_pdf(bytes: &[u8]) -> Result<Draft, Error> {
    let pdf = pdf::read(bytes).map_err(|why| Error::Unreadable(format!("a PDF, but {why}")))?;
    if pdf.text.trim().is_empty() {
        let why = pdf.unread.first().map_or_else(|| "no pages".to_owned(), |(part, why)| format!("{part} {why}"));
        return Err(Error::Unreadable(format!("a PDF without text: {why}")));
    }
    let unread = pdf.unread.into_iter().map(|(part, why)| Unread { part, why }).collect();
    let about = About { date: pdf.created, title: pdf.title, author: pdf.author, ..About::default() };
    Ok(Draft { media_type: "application/pdf", about, unread, text: pdf.text, transformed: true, ..Draft::default() })
}

fn of_mail(bytes: &[u8]) -> Result<Draft, Error> {
    let mail = mail::read(bytes).ok_or_else(|| Error::Unreadable("an e-mail without a header".into()))?;
    let mut draft = Draft { media_type: "message/rfc822", transformed: true, ..Draft::default() };
    let mut reading = Reading::default();
    if let Some(subject) = mail.subject.as_ref().filter(|subject| may_cite(subject)) {
        draft.text = format!("{subject}\n\n");
        reading = Reading::literal(subject);
    }
    let subject = reading.text.len();
    for part in &mail.parts {
        let base = draft.text.len();
        draft.text.push_str(&part.text);
        draft.text.push_str("\n\n");
        let read = if part.html { html::read(&part.text).reading } else { Reading::literal(&part.text) };
        reading.append(read, base);
    }
    if reading.text.get(subject..).is_none_or(|words| words.trim().is_empty()) {
        return Err(Error::Unreadable("an e-mail without readable parts".into()));
    }
    draft.reading = Some(reading);
    draft.signatures = dkim::signatures(bytes);
    draft.unread = mail.unread.into_iter().map(|(part, why)| Unread { part, why }).collect();
    draft.about = About {
        zone: mail.date.as_deref().and_then(header::zone),
        date: mail.date.and_then(|d| header::day(&d)),
        title: mail.subject,
        author: mail.from,
        ..About::default()
    };
    Ok(draft)
}

/// Whether a subject may cite anything: only then it stands before the words, as most subjects only call them something.
fn may_cite(subject: &str) -> bool {
    subject.contains(['@', '＠', '#', '＃', '/'])
}

/// The draft, and the bytes where the text is not them.
fn of_text(bytes: Vec<u8>, kind: Kind, hint: &Hint) -> Result<(Draft, Option<Vec<u8>>), Error> {
    let declared = hint.content_type.as_deref().and_then(|t| {
        t.to_ascii_lowercase().split("charset=").nth(1).map(|c| c.trim_matches(['"', '\'', ' ', ';']).to_owned())
    });
    let declared = declared.or_else(|| declared_inside(&bytes));
    let (decoded, original) = charset::take(bytes, declared.as_deref());
    if is_binary(&decoded.text) {
        return Err(Error::Unreadable("binary data".into()));
    }
    let mut unread = damage(&decoded);
    if decoded.guessed {
        let why = format!("not UTF-8 and not declared; read as {}", decoded.charset);
        unread.push(Unread { part: "its encoding".into(), why });
    }
    let mut draft = Draft { unread, transformed: !decoded.exact, ..Draft::default() };
    let kind = match kind {
        Kind::Unknown | Kind::Plain if html::looks_like(&decoded.text) => Kind::Html,
        Kind::Unknown if decoded.text.trim_start().starts_with(['{', '[']) => Kind::Json,
        Kind::Unknown if decoded.text.starts_with("---\n") => Kind::Markdown,
        other => other,
    };
    shape(&mut draft, kind, &decoded.text);
    draft.text = decoded.text;
    Ok((draft, original))
}

/// Reads the text's words as its kind has them.
fn shape(draft: &mut Draft, kind: Kind, text: &str) {
    draft.media_type = "text/plain";
    match kind {
        Kind::Html => {
            let read = html::read(text);
            draft.media_type = "text/html";
            draft.about = header::of_page(read.page);
            draft.reading = Some(read.reading);
        }
        Kind::Markdown => {
            let read = markdown::read(text);
            draft.media_type = "text/markdown";
            draft.about = header::of_front(&read.front, read.title);
            draft.reading = Some(read.reading);
        }
        Kind::Json => match table::json(text) {
            Some(read) => {
                draft.media_type = "application/json";
                draft.reading = Some(read.reading);
                let named = read
                    .broken
                    .iter()
                    .take(NAMED)
                    .map(|line| (format!("line {line}"), "not valid JSON; read as plain text".to_owned()));
                let more = read.broken.len().checked_sub(NAMED).filter(|more| *more > 0);
                let more = more.map(|more| {
                    ("more lines".to_owned(), format!("{more} more are not valid JSON; read as plain text"))
                });
                draft.unread.extend(named.chain(more).map(|(part, why)| Unread { part, why }));
            }
            None if text.trim_start().starts_with('{') => draft
                .unread
                .push(Unread { part: "its structure".into(), why: "not valid JSON; read as plain text".into() }),
            None => {}
        },
        Kind::Csv => {
            draft.media_type = "text/csv";
            draft.reading = Some(table::csv(text, table::delimiter(text)));
        }
        Kind::Plain | Kind::Unknown => {}
    }
}

/// The charset that a page's `meta` declares, looked for where HTML says it must stand: in the first 1,024 bytes.
fn declared_inside(bytes: &[u8]) -> Option<String> {
    let head = String::from_utf8_lossy(bytes.get(..bytes.len().min(1024))?).to_ascii_lowercase();
    let meta = head.find("<meta").or_else(|| head.find("<?xml"))?;
    let tail = head.get(meta..)?;
    let value = tail.split_once("charset=").or_else(|| tail.split_once("encoding="))?.1.trim_start_matches(['"', '\'']);
    let label: String =
        value.chars().take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | ':')).collect();
    (!label.is_empty()).then_some(label)
}

fn is_binary(text: &str) -> bool {
    let mut head = text.len().min(8192);
    while !text.is_char_boundary(head) {
        head -= 1;
    }
    let head = text.get(..head).unwrap_or(text);
    let control = head
        .chars()
        .filter(|c| matches!(c, '\0'..='\u{8}' | '\u{e}'..='\u{1a}' | '\u{1c}'..='\u{1f}' | '\u{fffd}'))
        .count();
    control * 10 > head.chars().count() || head.matches('\0').count() > 8
}

fn damage(decoded: &Decoded) -> Vec<Unread> {
    let why = format!("not {}; read with replacement characters", decoded.charset.to_ascii_uppercase());
    let mut unread: Vec<Unread> = decoded
        .damaged
        .iter()
        .map(|r| Unread { part: format!("bytes {}..{}", r.start, r.end), why: why.clone() })
        .collect();
    if decoded.damages > 0 && unread.is_empty() || decoded.damages > charset::NAMED && unread.len() == charset::NAMED {
        unread.push(Unread { part: format!("{} places in all", decoded.damages), why });
    }
    unread
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(text: &str) -> Result<Statement, Error> {
        read(text.as_bytes().to_vec(), &Hint::default())
    }

    #[test]
    fn what_is_no_statement_says_why() {
        assert_eq!(plain(" \n\t").err(), Some(Error::Empty));
        assert_eq!(plain("<html><body><script>x</script></body></html>").err(), Some(Error::Empty));
        for bytes in
            [b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x03\0\x3e\0\x01\0\0\0".to_vec(), b"%PDF-1.4 nothing".to_vec()]
        {
            let error = read(bytes, &Hint::default()).err().map(|e| e.to_string()).unwrap_or_default();
            assert!(error.contains("expected text, HTML"), "{error}");
        }
    }

    #[test]
    fn invalid_bytes_are_kept_named_and_read_around() -> Result<(), Error> {
        let bytes = [b"caf\xc3\xa9 d\xc3\xa9j\xc3\xa0 \xff https://t.co/AEoFZOhI3p".as_slice()].concat();
        let s = read(bytes.clone(), &Hint::default())?;
        assert_eq!(s.bytes(), bytes);
        assert!(s.transformed && s.text.contains("https://t.co/AEoFZOhI3p"));
        assert_eq!(s.unread.first().map(|u| u.part.as_str()), Some("bytes 13..14"));
        Ok(())
    }

    #[test]
    fn a_broken_line_leaves_the_others_what_they_are() -> Result<(), Error> {
        let row = r#"{"created_at":"2024-03-11T17:00:00Z","username":"foo_b","text":"Hello \u2014 there"}"#;
        let hint = Hint { source: "a.jsonl".into(), content_type: None };
        let s = read(format!("{row}\n{{\"text\": \"cut\n{row}\n").into_bytes(), &hint)?;
        assert_eq!(s.media_type, "application/json");
        assert_eq!(s.reading.as_ref().map(|r| r.rows.len()), Some(2));
        let unread: Vec<&str> = s.unread.iter().map(|u| u.part.as_str()).collect();
        assert_eq!(unread, ["line 2"]);
        let many = format!("{row}\n{{\n").repeat(40);
        assert_eq!(read(many.into_bytes(), &hint)?.unread.len(), NAMED + 1);
        Ok(())
    }

    #[test]
    fn a_records_date_is_not_the_exports() -> Result<(), Error> {
        let row = r#"{"created_at":"2024-03-11T17:00:00Z","username":"foo_b","text":"Hello there"}"#;
        for (name, text) in [
            ("a.csv", "created_at,username,text\n2024-03-11,foo_b,Hello\n".to_owned()),
            ("a.csv", "when,what\n2024-03-11,Hello\n".to_owned()),
            ("a.json", format!("[{row},{row}]")),
            ("a.jsonl", format!("{row}\n{row}\n")),
            ("a.json", format!("{{\"posts\":[{row}]}}")),
            ("a.json", "[\"11 March 2024\",\"Hello\"]".to_owned()),
        ] {
            let read = read(text.clone().into_bytes(), &Hint { source: name.into(), content_type: None })?;
            assert_eq!(read.about.date, None, "{text}");
        }
        Ok(())
    }

    #[test]
    fn a_subject_that_cites_is_read_with_the_words() -> Result<(), Error> {
        let mail = |subject: &str| {
            plain(&format!("From: a@b.example\nTo: c@d.example\nSubject: {subject}\nMIME-Version: 1.0\n\nwords"))
        };
        let words = |s: &Statement| s.reading.as_ref().map(|r| r.text.trim().to_owned());
        let read = mail("=?utf-8?q?Caf=C3=A9?= https://t.co/AEoFZOhI3p @jane_doe")?;
        assert_eq!(words(&read).as_deref(), Some("Café https://t.co/AEoFZOhI3p @jane_doe\n\nwords"));
        let at = read.reading.as_ref().and_then(|r| Some(r.source(r.text.find("words")?..r.text.find("words")? + 5)));
        assert_eq!(at.and_then(|at| read.text.get(at)), Some("words"));
        assert_eq!(words(&mail("Quay 4")?).as_deref(), Some("words"));
        Ok(())
    }

    #[test]
    fn kinds_by_name_by_declaration_and_by_looks() -> Result<(), Error> {
        let kind = |source: &str, content_type: Option<&str>, text: &str| {
            let hint = Hint { source: source.into(), content_type: content_type.map(str::to_owned) };
            read(text.as_bytes().to_vec(), &hint).map(|s| s.media_type)
        };
        assert_eq!(kind("a.md", None, "# x")?, "text/markdown");
        assert_eq!(kind("-", None, "<p>x</p>")?, "text/html");
        assert_eq!(kind("-", None, "{\"a\":\"b\"}")?, "application/json");
        assert_eq!(kind("a.csv", None, "a,b\n1,2")?, "text/csv");
        assert_eq!(kind("https://a.example/x", Some("text/html; charset=utf-8"), "x")?, "text/html");
        assert_eq!(
            kind("-", None, "From: a@b.example\nTo: c@d.example\nSubject: x\nMIME-Version: 1.0\n\nwords")?,
            "message/rfc822"
        );
        assert_eq!(kind("a.txt", None, "5 < 6 and <b> is bold")?, "text/plain");
        Ok(())
    }
}
