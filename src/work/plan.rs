//! The plan of a run: which citations of which statements are followed.

use std::collections::HashSet;

use crate::citation::{Citation, CitationId, Kind};
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

/// Where a planned citation stands: a plan of a million citations holds them once, in their statements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// its number in the run, from 0
    pub number: usize,
    /// which statement of those handed in
    pub statement: usize,
    /// which citation of it
    pub citation: usize,
}

/// A plan in the order in which it is followed: accounts come last, for the posts captured before them often tell their lasting
/// ids.
#[derive(Debug, Default)]
pub struct Plan {
    /// links and posts
    pub first: Vec<Place>,
    /// accounts
    pub accounts: Vec<Place>,
    /// every citation of it, by number
    pub ids: Vec<CitationId>,
}

/// The plan over statements and their citations, in order; a citation that comes twice (the same document handed in
/// twice) is followed once, and only those in `only`, where it is given.
pub fn plan<'a>(statements: impl IntoIterator<Item = &'a [Citation]>, only: Option<&HashSet<CitationId>>) -> Plan {
    let mut known = HashSet::<CitationId>::new();
    let mut plan = Plan::default();
    for (statement, citations) in statements.into_iter().enumerate() {
        for (at, citation) in citations.iter().enumerate() {
            let wanted = citation.is_followed() && only.is_none_or(|only| only.contains(&citation.id));
            if !wanted || !known.insert(citation.id) {
                continue;
            }
            let place = Place { number: plan.ids.len(), statement, citation: at };
            match citation.kind {
                Kind::Handle { .. } => plan.accounts.push(place),
                _ => plan.first.push(place),
            }
            plan.ids.push(citation.id);
        }
    }
    plan
}
