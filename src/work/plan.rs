//! The plan of a run: which citations of which statements are followed.

use crate::citation::{Citation, CitationId};
use crate::statement::StatementId;

/// One citation to follow.
#[derive(Clone, Debug)]
pub struct Planned {
    /// its number in the run, from 0
    pub number: usize,
    /// the statement it stands in
    pub statement: StatementId,
    /// itself
    pub citation: Citation,
}

/// The plan over statements and their citations, in order; a citation that comes twice (the same document handed in
/// twice) is followed once.
pub fn plan<'a>(statements: impl IntoIterator<Item = (StatementId, &'a [Citation])>) -> Vec<Planned> {
    let mut known = std::collections::HashSet::<CitationId>::new();
    let mut out = Vec::new();
    for (statement, citations) in statements {
        for citation in citations.iter().filter(|c| c.is_followed()) {
            if known.insert(citation.id) {
                out.push(Planned { number: out.len(), statement, citation: citation.clone() });
            }
        }
    }
    out
}
