//! PDF (ISO 32000): the text of its pages and the URLs of its link annotations, as far as both can be read.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;

use lopdf::{Dictionary, Document, Object};

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
const PAGE_LIMIT: usize = 32 << 20;

/// Reads a document.
///
/// # Errors
/// Why nothing in it can be read: not a PDF, damaged, encrypted.
pub fn read(bytes: &[u8]) -> Result<Pdf, String> {
    // the reader is a library's: a panic in it is one more way of being unreadable
    let read = in_silence(|| catch_unwind(AssertUnwindSafe(|| pages(bytes))));
    read.unwrap_or_else(|_| Err("its structure is damaged".into()))
}

thread_local! {
    /// a document is being read on this thread: what panics here is caught and told of in another way
    static READING: Cell<bool> = const { Cell::new(false) };
}

/// Does `work` without a panic's message on standard error; panics elsewhere are reported as before.
fn in_silence<T>(work: impl FnOnce() -> T) -> T {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let report = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if !READING.get() {
                report(panic);
            }
        }));
    });
    READING.set(true);
    let done = work();
    READING.set(false);
    done
}

fn pages(bytes: &[u8]) -> Result<Pdf, String> {
    let document = Document::load_mem(bytes).map_err(|e| format!("its structure is damaged: {e}"))?;
    if document.is_encrypted() {
        return Err("it is encrypted".into());
    }
    let mut pdf = Pdf::default();
    information(&document, &mut pdf);
    for (number, page) in document.get_pages() {
        let start = pdf.text.len();
        match document.extract_text_with_limit(&[number], PAGE_LIMIT) {
            Ok(text) if !text.trim().is_empty() => {
                pdf.text.push_str(text.trim_end());
                pdf.text.push_str("\n\n");
            }
            Ok(_) => pdf.unread.push((format!("page {number}"), "holds no text (a picture of one?)".into())),
            Err(e) => pdf.unread.push((format!("page {number}"), format!("its text cannot be read: {e}"))),
        }
        for url in links(&document, page) {
            if !pdf.text.get(start..).is_some_and(|t| t.contains(&url)) {
                pdf.text.push_str(&url);
                pdf.text.push_str("\n\n");
            }
        }
    }
    Ok(pdf)
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
    fn a_panic_while_reading_is_silent_and_others_are_not() {
        assert!(in_silence(|| { READING.get() && catch_unwind(|| std::panic::resume_unwind(Box::new(()))).is_err() }));
        assert!(!READING.get());
    }
}
