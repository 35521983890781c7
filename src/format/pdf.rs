//! PDF (ISO 32000): the text of its pages and the URLs of its link annotations, as far as both can be read.

use std::panic::{AssertUnwindSafe, catch_unwind};

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
    let read = catch_unwind(AssertUnwindSafe(|| pages(bytes)));
    read.unwrap_or_else(|_| Err("its structure is damaged".into()))
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
