//! The plan of a run: which citations of which statements are followed.

use std::collections::HashSet;
use std::ops::Range;

use crate::citation::{Citation, CitationId};
use crate::statement::StatementId;
use crate::work::cited::{Cited, Sort};

/// One citation to follow.
#[derive(Clone, Debug)]
pub struct Planned {
    /// its number in the run
    pub number: usize,
    /// the statement it stands in
    pub statement: StatementId,
    /// itself
    pub citation: Citation,
}

/// A plan: places of citations, each list in the order of the statements. Accounts come last, for the posts captured before them
/// often tell their lasting ids.
#[derive(Debug, Default)]
pub struct Plan {
    /// links and posts
    pub first: Vec<usize>,
    /// accounts
    pub accounts: Vec<usize>,
    /// citations that stand here a second time (the same document handed in twice), by place, and the first place of each: they are
    /// followed once
    pub repeats: Vec<(usize, usize)>,
}

impl Plan {
    /// How many citations are followed.
    pub fn count(&self) -> usize {
        self.first.len() + self.accounts.len()
    }

    /// Their places, in order.
    pub fn places(&self) -> Vec<usize> {
        let mut all = [self.first.as_slice(), &self.accounts].concat();
        all.sort_unstable();
        all
    }

    /// The place at which a citation is followed: its own, or the first one where it repeats.
    pub fn first_place(&self, place: usize) -> usize {
        let found = self.repeats.binary_search_by_key(&place, |(again, _)| *again);
        found.ok().and_then(|at| self.repeats.get(at)).map_or(place, |(_, first)| *first)
    }
}

/// The plan over statements, each the places of its citations; only those in `only`, where it is given.
pub fn plan(
    cited: &Cited,
    statements: impl IntoIterator<Item = Range<usize>>,
    only: Option<&HashSet<CitationId>>,
) -> Plan {
    let wanted = |place: &usize| {
        let id = cited.id(*place);
        only.is_none_or(|only| id.is_some_and(|id| only.contains(&id))) && cited.sort(*place) != Some(Sort::Left)
    };
    let mut places: Vec<usize> = statements.into_iter().flatten().filter(wanted).collect();
    places.sort_unstable_by_key(|place| (cited.id(*place), *place));
    let mut plan = Plan::default();
    places.dedup_by(|again, first| {
        let same = cited.id(*again) == cited.id(*first);
        if same {
            plan.repeats.push((*again, *first));
        }
        same
    });
    places.sort_unstable();
    plan.repeats.sort_unstable();
    (plan.accounts, plan.first) = places.into_iter().partition(|place| cited.sort(*place) == Some(Sort::Account));
    plan
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statement::{self, Hint};

    #[test]
    fn each_citation_is_followed_once_and_accounts_last() {
        let mut cited = Cited::default();
        let mut find = |text: &str| {
            let hint = Hint { source: text.to_owned(), content_type: None };
            cited.find(&statement::read(text.as_bytes().to_vec(), &hint).unwrap()).unwrap()
        };
        let one = find("By @MajaEUspox: https://t.co/AEoFZOhI3p, see #Kazakhstan and @asiatimesonline.");
        let two = find("Another one: https://t.co/BEoFZOhI3p.");
        let again = find("By @MajaEUspox: https://t.co/AEoFZOhI3p, see #Kazakhstan and @asiatimesonline.");
        assert_eq!((one.clone(), two.clone(), again.clone()), (0..4, 4..5, 5..9));
        let whole = plan(&cited, [one.clone(), two.clone(), again.clone()], None);
        assert_eq!((whole.first.as_slice(), whole.accounts.as_slice()), (&[1, 4][..], &[0, 3][..]));
        assert_eq!(whole.repeats, [(5, 0), (6, 1), (8, 3)]);
        assert_eq!((whole.count(), whole.places()), (4, vec![0, 1, 3, 4]));
        assert_eq!([0, 4, 6, 7].map(|place| whole.first_place(place)), [0, 4, 1, 7]);
        let only = [cited.id(8), cited.id(4)].into_iter().flatten().collect();
        let some = plan(&cited, [one, two, again], Some(&only));
        assert_eq!((some.first.as_slice(), some.accounts.as_slice()), (&[4][..], &[3][..]));
        assert_eq!(cited.get(8).unwrap(), cited.get(3).unwrap());
        assert!(cited.get(9).is_err());
    }
}
