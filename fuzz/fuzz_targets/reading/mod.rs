//! What must hold of any bytes read as a statement of one kind, whatever they are.

use onrecord::citation::{self, Citation};
use onrecord::statement::{self, Hint};

/// Reads `bytes` under the name `source`, which says their kind, and checks everything that follows from them.
pub fn holds(source: &str, bytes: &[u8]) {
    let hint = Hint { source: source.into(), content_type: None };
    let Ok(statement) = statement::read(bytes.to_vec(), &hint) else { return };
    assert_eq!(statement.bytes(), bytes, "the bytes are kept as they are");
    if !statement.transformed {
        assert_eq!(statement.text.as_bytes(), bytes, "spans are of the stored bytes");
    }
    let mut last = 0;
    let mut json = Vec::new();
    let taken = citation::each(&statement, |found| {
        let (start, end) = found.span;
        assert!(last <= start && start <= end, "{last} {start} {end}");
        assert_eq!(statement.text.get(start..end), Some(found.raw), "what stands at the span");
        last = start;
        json.clear();
        found.write_json(&mut json);
        let citation = Citation::from(found);
        assert_eq!(serde_json::to_vec(&citation).ok().as_deref(), Some(json.as_slice()));
        Ok::<_, ()>(())
    });
    assert!(taken.is_ok());
}
