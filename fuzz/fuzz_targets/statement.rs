//! Any bytes as any kind of statement: read or refused, and every citation stands where it says.
#![no_main]

use libfuzzer_sys::fuzz_target;
use onrecord::citation;
use onrecord::statement::{self, Hint};

const NAMES: [&str; 8] = ["a.txt", "a.html", "a.md", "a.eml", "a.pdf", "a.json", "a.csv", "-"];

fuzz_target!(|data: &[u8]| {
    let Some((kind, bytes)) = data.split_first() else { return };
    let name = NAMES[usize::from(*kind) % NAMES.len()];
    let hint = Hint { source: name.into(), content_type: None };
    let Ok(statement) = statement::read(bytes.to_vec(), &hint) else { return };
    assert_eq!(statement.bytes(), bytes);
    for citation in citation::find(&statement) {
        assert_eq!(statement.text.get(citation.span.0..citation.span.1), Some(citation.raw.as_str()));
    }
});
