//! What the statements of a run cite: set aside on disk as JSON, so that a run over very many citations holds a few words of each.

use std::io;
use std::ops::Range;

use crate::citation::{self, Citation, CitationId, Kind};
use crate::statement::Statement;
use crate::world::aside::{Aside, Spot};

/// Citations by their place, from 0: those of one statement are a range.
#[derive(Debug, Default)]
pub struct Cited {
    aside: Aside,
    all: Vec<One>,
}

/// What of a citation stays at hand.
#[derive(Debug)]
struct One {
    id: CitationId,
    spot: Spot,
    sort: Sort,
}

/// How a run goes about a citation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sort {
    /// recorded, not followed
    Left,
    /// an account
    Account,
    /// a link or a post
    Other,
}

impl Sort {
    fn of(citation: &Citation) -> Self {
        match citation.kind {
            _ if !citation.is_followed() => Self::Left,
            Kind::Handle { .. } => Self::Account,
            _ => Self::Other,
        }
    }
}

impl Cited {
    /// Adds every citation of a statement. Their places.
    ///
    /// # Errors
    /// As [`Cited::push`].
    pub fn find(&mut self, statement: &Statement) -> io::Result<Range<usize>> {
        let from = self.all.len();
        citation::each(statement, |found| self.push(&found.into()))?;
        Ok(from..self.all.len())
    }

    /// Adds a citation behind the others.
    ///
    /// # Errors
    /// One whose JSON has 4 GiB.
    pub fn push(&mut self, citation: &Citation) -> io::Result<()> {
        let spot = self.aside.push(&serde_json::to_vec(citation)?)?;
        if self.all.len() == self.all.capacity() {
            // Not doubled: of a long statement's that would be the largest piece of memory in a run.
            self.all.reserve_exact((self.all.len() / 8).max(64));
        }
        self.all.push(One { id: citation.id, spot, sort: Sort::of(citation) });
        Ok(())
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.all.len()
    }

    /// Which one stands at a place.
    pub fn id(&self, place: usize) -> Option<CitationId> {
        self.all.get(place).map(|one| one.id)
    }

    /// How a run goes about the one at a place.
    pub fn sort(&self, place: usize) -> Option<Sort> {
        self.all.get(place).map(|one| one.sort)
    }

    /// The citation at a place.
    ///
    /// # Errors
    /// A place that is none, and the file system's word.
    pub fn get(&self, place: usize) -> io::Result<Citation> {
        let one = self.all.get(place).ok_or(io::ErrorKind::NotFound)?;
        Ok(serde_json::from_slice(&self.aside.read(one.spot)?)?)
    }
}
