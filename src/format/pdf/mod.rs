//! PDF (ISO 32000): the text of its pages and the URLs of its link annotations, as far as both can be read.

mod packed;

use std::collections::HashSet;

use lopdf::{DecompressError, Dictionary, Document, LoadOptions, Object, ObjectId, Stream, dictionary};

use crate::format::contained::contained;
use crate::format::effort::looked_at;

/// A document, read.
#[derive(Clone, Debug, Default)]
pub struct Pdf {
    /// the pages' text; URLs of links that do not stand in it follow each page
    pub text: String,
    /// `Title` of its information dictionary
    pub title: Option<String>,
    /// `Author`
    pub author: Option<String>,
    /// `CreationDate` as `YYYY-MM-DD`
    pub created: Option<String>,
    /// pages that were not read: which, and why
    pub unread: Vec<(String, String)>,
}

/// Decoded page content beyond this is not looked at: no page of words is as long.
const PAGE_LIMIT: usize = 4 << 20;

/// Nor are more words of its language: each takes some hundred bytes while it is read.
const PAGE_WORDS: usize = 1 << 19;

/// What a stream may unpack to that the structure is read from. All of them together are held to [`packed::LIMIT`].
const STREAM_LIMIT: usize = 64 << 20;

/// As much may all pages unpack to together, and this many times the document's own length besides: pages can share what they
/// show, so that a short document would else be work without end.
const TOTAL: usize = 16 << 20;
const RATIO: usize = 64;

/// What may still be looked at, in bytes.
struct Budget(usize);

impl Budget {
    fn of(bytes: &[u8]) -> Self {
        Self(TOTAL.saturating_add(bytes.len().saturating_mul(RATIO)))
    }

    /// Takes some of it; whether there was as much.
    fn take(&mut self, bytes: usize) -> bool {
        looked_at(bytes);
        let enough = self.0 >= bytes;
        self.0 = self.0.saturating_sub(bytes);
        enough
    }
}

/// Reads a document.
///
/// # Errors
/// Why nothing in it can be read: not a PDF, damaged, encrypted.
pub fn read(bytes: &[u8]) -> Result<Pdf, String> {
    contained(|| pages(bytes)).unwrap_or_else(|| Err("its structure is damaged".into()))
}

fn pages(bytes: &[u8]) -> Result<Pdf, String> {
    let mut budget = Budget::of(bytes);
    // objects are unpacked while the document is opened, each to many times its length
    if packed::too_much(bytes) {
        return Err("its objects unpack to more than a document of its length may".into());
    }
    let options = LoadOptions::with_max_decompressed_size(STREAM_LIMIT);
    let mut document =
        Document::load_mem_with_options(bytes, options).map_err(|e| format!("its structure is damaged: {e}"))?;
    if document.is_encrypted() {
        return Err("it is encrypted".into());
    }
    let mut pdf = Pdf::default();
    information(&document, &mut pdf);
    let pages: Vec<ObjectId> = document.page_iter().collect();
    for (n, page) in pages.iter().enumerate() {
        let number = n + 1;
        let start = pdf.text.len();
        let (cost, fits) = cost(&document, *page);
        if !budget.take(cost) {
            let rest = format!("pages {number} to {}", pages.len());
            pdf.unread.push((rest, "they unpack to more than a document of this length may".into()));
            break;
        }
        let unread = match fits.then(|| text(&mut document, *page)) {
            Some(Ok(text)) if !text.trim().is_empty() => {
                pdf.text.push_str(text.trim_end());
                pdf.text.push_str("\n\n");
                None
            }
            Some(Ok(_)) => Some("holds no text (a picture of one?)".to_owned()),
            Some(Err(e)) => Some(format!("its text cannot be read: {e}")),
            None => Some("it unpacks to more than a page of words does".to_owned()),
        };
        pdf.unread.extend(unread.map(|why| (format!("page {number}"), why)));
        append_links(&document, *page, &mut pdf.text, start, &mut budget);
    }
    Ok(pdf)
}

/// The text of one page. The library counts all pages each time it is asked for one, so that page is made the only one.
fn text(document: &mut Document, page: ObjectId) -> lopdf::Result<String> {
    let alone = document.add_object(dictionary! { "Type" => "Pages", "Kids" => vec![page.into()], "Count" => 1 });
    document.catalog_mut()?.set("Pages", alone);
    let text = document.extract_text_with_limit(&[1], PAGE_LIMIT);
    document.objects.remove(&alone);
    document.max_id = alone.0.saturating_sub(1);
    text
}

/// What reading a page's text looks at, its content and its fonts' tables unpacked; whether it is no more than a page may have.
fn cost(document: &Document, page: ObjectId) -> (usize, bool) {
    let (mut cost, mut words, mut fits) = (256usize, 0usize, true);
    let mut add = |stream: &Stream, is_content: bool| {
        // once it is too much the rest need not be known
        if !fits {
            return;
        }
        let content = match stream.get_plain_content_with_limit(PAGE_LIMIT) {
            Err(lopdf::Error::Decompress(DecompressError::MemoryLimitExceeded { .. })) => {
                cost = cost.saturating_add(PAGE_LIMIT);
                fits = false;
                return;
            }
            // a damaged one ends where it is damaged
            Err(_) => Vec::new(),
            Ok(content) => content,
        };
        if is_content {
            words = words.saturating_add(words_of(&content));
        }
        cost = cost.saturating_add(content.len()).saturating_add(stream.content.len());
        fits = cost <= 2 * PAGE_LIMIT && words <= PAGE_WORDS;
    };
    for id in document.get_page_contents(page) {
        if let Ok(stream) = document.get_object(id).and_then(Object::as_stream) {
            add(stream, true);
        }
    }
    let mut rest = 0usize;
    for font in document.get_page_fonts(page).unwrap_or_default().values() {
        if let Ok(stream) = font.get_deref(b"ToUnicode", document).and_then(Object::as_stream) {
            add(stream, false);
        }
        let encoding = font.get_deref(b"Encoding", document).and_then(Object::as_dict);
        let differences = encoding.and_then(|encoding| encoding.get_deref(b"Differences", document));
        rest = rest.saturating_add(256 + 32 * differences.and_then(Object::as_array).map_or(0, Vec::len));
    }
    (cost.saturating_add(rest), fits)
}

/// How many operators, operands and brackets some content has (7.2.2): what begins behind a blank or a delimiter, and each
/// delimiter.
fn words_of(content: &[u8]) -> usize {
    let delimits = |b: u8| matches!(b, b'(' | b')' | b'<' | b'>' | b'[' | b']' | b'{' | b'}' | b'/' | b'%');
    let blank = |b: u8| matches!(b, 0 | b'\t' | b'\n' | 0x0c | b'\r' | b' ');
    let mut apart = true;
    let mut words = 0;
    for b in content {
        let delimiter = delimits(*b);
        let now_apart = delimiter || blank(*b);
        words += usize::from(delimiter || apart && !now_apart);
        apart = now_apart;
    }
    words
}

/// Adds the URLs of a page's links that do not stand in its text, which begins at `start`.
fn append_links(document: &Document, page: ObjectId, text: &mut String, start: usize, budget: &mut Budget) {
    let entries = document.get_dictionary(page).and_then(|page| page.get_deref(b"Annots", document));
    if !budget.take(64 * entries.and_then(Object::as_array).map_or(0, Vec::len)) {
        return;
    }
    let mut told = HashSet::new();
    for url in links(document, page) {
        // looked for in the words as long as that is no more work than the document may be
        let stands = text.get(start..).is_some_and(|t| budget.take(t.len() / 8) && t.contains(&url));
        if !stands && told.insert(url.clone()) {
            text.push_str(&url);
            text.push_str("\n\n");
        }
    }
}

/// The URLs of a page's link annotations (12.5.6.5, 12.6.4.8).
fn links(document: &Document, page: lopdf::ObjectId) -> Vec<String> {
    let uri = |annotation: &Dictionary| {
        let action = annotation.get(b"A").ok()?;
        let action = match action {
            Object::Reference(id) => document.get_object(*id).ok()?,
            other => other,
        };
        let uri = action.as_dict().ok()?.get(b"URI").ok()?.as_str().ok()?;
        std::str::from_utf8(uri).ok().filter(|u| u.starts_with("http")).map(str::to_owned)
    };
    document.get_page_annotations(page).map(|list| list.into_iter().filter_map(uri).collect()).unwrap_or_default()
}

fn information(document: &Document, pdf: &mut Pdf) {
    let info = document.trailer.get(b"Info").ok().and_then(|o| match o {
        Object::Reference(id) => document.get_dictionary(*id).ok(),
        Object::Dictionary(dictionary) => Some(dictionary),
        _ => None,
    });
    let Some(info) = info else { return };
    let text = |key: &[u8]| {
        info.get(key)
            .ok()
            .and_then(|o| lopdf::decode_text_string(o).ok())
            .map(|t| t.trim().to_owned())
            .filter(|t| !t.is_empty())
    };
    pdf.title = text(b"Title");
    pdf.author = text(b"Author");
    let digits: String =
        text(b"CreationDate").unwrap_or_default().chars().filter(char::is_ascii_digit).take(8).collect();
    if let (Some(y), Some(m), Some(d)) = (digits.get(..4), digits.get(4..6), digits.get(6..8)) {
        pdf.created = Some(format!("{y}-{m}-{d}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::effort::counted;

    /// A document of numbered objects, the first of them its catalogue, the last its information.
    fn document(objects: &[&[u8]]) -> Vec<u8> {
        let mut out = b"%PDF-1.4\n".to_vec();
        let mut places = Vec::new();
        for (n, object) in objects.iter().enumerate() {
            places.push(out.len());
            out.extend(format!("{} 0 obj\n", n + 1).bytes());
            out.extend_from_slice(object);
            out.extend_from_slice(b"\nendobj\n");
        }
        let table = out.len();
        out.extend(format!("xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1).bytes());
        for place in places {
            out.extend(format!("{place:010} 00000 n \n").bytes());
        }
        let count = objects.len();
        out.extend(
            format!("trailer\n<</Size {}/Root 1 0 R/Info {count} 0 R>>\nstartxref\n{table}\n%%EOF\n", count + 1)
                .bytes(),
        );
        out
    }

    fn stream(filter: &str, content: &[u8]) -> Vec<u8> {
        let head = format!("<</Length {}{filter}>>\nstream\n", content.len());
        [head.as_bytes(), content, b"\nendstream"].concat()
    }

    fn three_pages() -> Vec<u8> {
        let page = |contents: u8, more: &str| {
            format!(
                "<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Resources<</Font<</F1 6 0 R>>>>/Contents {contents} 0 R{more}>>"
            )
        };
        let words = |words: &str| stream("", format!("BT /F1 12 Tf 72 720 Td ({words}) Tj ET").as_bytes());
        let (first, second, third) = (page(7, "/Annots[10 0 R]"), page(8, ""), page(9, ""));
        let (one, three) = (words("Quay 4 is closed https://t.co/Hq7LmZx2Pa"), words("Ask @HarbourBulletin"));
        let damaged = stream("/Filter/FlateDecode", b"\x78\x9cno deflated data at all");
        document(&[
            b"<</Type/Catalog/Pages 2 0 R>>",
            b"<</Type/Pages/Kids[3 0 R 4 0 R 5 0 R]/Count 3>>",
            first.as_bytes(),
            second.as_bytes(),
            third.as_bytes(),
            b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>",
            &one,
            &damaged,
            &three,
            b"<</Type/Annot/Subtype/Link/Rect[0 0 9 9]/A<</S/URI/URI(https://x.com/HarbourBulletin/status/2029900000000000000)>>>>",
            b"<</Title(Statement on quay 4)/Author(Press Office)/CreationDate(D:20260307093000Z)>>",
        ])
    }

    #[test]
    fn pages_links_and_the_damaged_page_by_name() -> Result<(), String> {
        let pdf = read(&three_pages())?;
        for part in
            ["https://t.co/Hq7LmZx2Pa", "@HarbourBulletin", "https://x.com/HarbourBulletin/status/2029900000000000000"]
        {
            assert!(pdf.text.contains(part), "{part} in {:?}", pdf.text);
        }
        assert_eq!(pdf.unread.iter().map(|(part, _)| part.as_str()).collect::<Vec<_>>(), ["page 2"]);
        assert_eq!(
            (pdf.title.as_deref(), pdf.author.as_deref(), pdf.created.as_deref()),
            (Some("Statement on quay 4"), Some("Press Office"), Some("2026-03-07"))
        );
        Ok(())
    }

    #[test]
    fn cut_and_disturbed_documents_are_read_or_refused() {
        let whole = three_pages();
        for n in (0..whole.len()).step_by(7) {
            let _ = read(whole.get(..n).unwrap_or_default());
            let mut disturbed = whole.clone();
            if let Some(byte) = disturbed.get_mut(n) {
                *byte ^= 0x15;
            }
            let _ = read(&disturbed);
        }
    }

    #[test]
    fn twice_the_pages_is_twice_the_work() {
        let effort = |pages: usize| {
            let words = stream("", b"BT /F1 12 Tf 72 720 Td (Quay 4 is closed) Tj ET");
            let kids = format!("<</Type/Pages/Kids[{}]/Count {pages}>>", "3 0 R ".repeat(pages));
            let page = "<</Type/Page/Parent 2 0 R/Resources<</Font<</F1 4 0 R>>>>/Contents 5 0 R/Annots 6 0 R>>";
            let annotation = "<</Type/Annot/Subtype/Link/A<</S/URI/URI(https://x.com/a/status/20)>>>>".repeat(pages);
            let (font, annotations) = ("<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>", format!("[{annotation}]"));
            let mut objects = vec![b"<</Type/Catalog/Pages 2 0 R>>".as_slice(), kids.as_bytes(), page.as_bytes()];
            objects.extend([font.as_bytes(), &words, annotations.as_bytes()]);
            // a page is one no more often than there are objects
            objects.extend(std::iter::repeat_n(b"null".as_slice(), pages));
            let bytes = document(&objects);
            (counted(|| drop(read(&bytes))), bytes.len())
        };
        let ((few, _), (many, len)) = (effort(500), effort(1000));
        assert!(few > 10_000 && many <= few * 23 / 10, "{few} then {many}");
        assert!(many <= TOTAL + (RATIO + 4) * len, "{many} of {len}");
    }

    #[test]
    fn words_of_content_are_counted() {
        assert_eq!(words_of(b"BT /F1 12 Tf (Quay 4) Tj ET q"), 12);
        assert_eq!(words_of(b"q[q]q[ 1 2]"), 9);
        assert_eq!(words_of(b""), 0);
    }
}
