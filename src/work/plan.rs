//! The plan of a run: which citations of which statements are followed.

use crate::citation::{Citation, CitationId, Kind};
use crate::statement::StatementId;

/// Whether a citation is followed at all. Hashtags are recorded, not followed: they name no one thing.
pub fn is_planned(citation: &Citation) -> bool {
    !matches!(citation.kind, Kind::Hashtag { .. })
}

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
        for citation in citations.iter().filter(|c| is_planned(c)) {
            if known.insert(citation.id) {
                out.push(Planned { number: out.len(), statement, citation: citation.clone() });
            }
        }
    }
    out
}
