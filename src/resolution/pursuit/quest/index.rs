//! The quest by who and when: the archive's index of the addresses that posts of that author and day have.

use crate::platform::lister::Shelf;
use crate::platform::permalink;
use crate::platform::post::PostName;
use crate::platform::wayback::{self, Index, Row};
use crate::resolution::exchange::Exchange;
use crate::resolution::hop::Role;
use crate::resolution::pursuit::quest::Lead;
use crate::resolution::pursuit::{Purpose, Pursuit};

/// Rows asked for one prefix.
const ROWS: usize = 150;
/// Kept lists looked at.
const COPIES: usize = 2;

impl Pursuit {
    pub(super) fn search(&mut self, wider: i64) {
        let Some(quest) = &mut self.quest else { return };
        let (Some(handle), Some(day)) = (quest.handle.clone(), quest.day) else { return self.go_on_quest() };
        let stretches = quest.stretches(wider);
        let mut urls: Vec<String> = Vec::new();
        if let Some(lister) = &quest.lister {
            for Shelf { posts, lists } in stretches.iter().map(|stretch| lister.shelf(stretch)) {
                // a list shows the days around as well
                let all = posts.into_iter().chain(lists.into_iter().filter(|_| wider == 0));
                urls.extend(all.filter(|url| !url.is_empty()));
            }
        }
        urls.dedup();
        quest.rows.clear();
        if wider != 0 && !urls.is_empty() {
            self.out.notes.push(format!(
                "no post of @{handle} with these words is indexed for {day}; the days beside it were looked at"
            ));
        }
        for url in urls {
            if self.left() > 1
                && self.limits.archives
                && let Some(request) = wayback::cdx(&url, ROWS)
                && let Some(quest) = &mut self.quest
            {
                quest.waiting += 1;
                self.ask(Role::Archive, request, Purpose::Search);
            }
        }
        if self.quest.as_ref().is_some_and(|quest| quest.waiting == 0) {
            self.go_on_quest();
        }
    }

    pub(in crate::resolution::pursuit) fn search_learned(&mut self, exchange: &Exchange) {
        let Some(quest) = &mut self.quest else { return };
        quest.waiting = quest.waiting.saturating_sub(1);
        match exchange.outcome.as_ref().map(wayback::index) {
            Ok(Index::Rows(rows)) => quest.rows.extend(rows),
            Ok(Index::RateLimited) => {
                self.out.notes.push("the archive's index was asked too often".to_owned());
                quest.leads.retain(|lead| !matches!(lead, Lead::Days(_)));
            }
            Ok(Index::Excluded) => self.out.notes.push("the archive keeps these pages out of sight".to_owned()),
            Ok(Index::Unreadable(why)) => self.out.notes.push(why),
            Err(failure) => self.out.notes.push(format!("the archive's index gave no answer: {failure}")),
        }
        if quest.waiting > 0 {
            return;
        }
        if self.thread.is_some() {
            return self.thread_indexed();
        }
        self.line_up();
    }

    /// The posts of those rows whose ids may be of those days, the ones with readable copies first; then copies of lists.
    fn line_up(&mut self) {
        let Some(quest) = &mut self.quest else { return };
        let wider = if let Some(Lead::Days(n)) = quest.current { n } else { 0 };
        let rows = std::mem::take(&mut quest.rows);
        let stretches = quest.stretches(wider);
        let unlisted = stretches.iter().all(|stretch| quest.whole.contains(stretch));
        let unlisted = unlisted.then(|| "the account's own list of that day does not show it".to_owned());
        let Some(lister) = &quest.lister else { return self.go_on_quest() };
        let may_be = |name: &PostName| stretches.iter().any(|stretch| lister.may_be(name, stretch));
        let mut posts: Vec<(PostName, Vec<Row>)> = Vec::new();
        let mut lists: Vec<Row> = Vec::new();
        let own = quest.handle.clone().unwrap_or_default();
        for row in rows {
            let named = permalink::read(&row.original).filter(|n| n.platform == quest.platform);
            let handle = named.as_ref().and_then(|n| n.handle.clone());
            let name = named.and_then(|n| Some(PostName { platform: n.platform, id: n.post? }));
            match name {
                Some(name) if may_be(&name) => match posts.iter_mut().find(|(known, _)| *known == name) {
                    Some((_, rows)) => rows.push(row),
                    None => posts.push((name, vec![row])),
                },
                Some(_) => {}
                // names that begin alike are not one account's
                None if handle.is_none_or(|handle| handle.eq_ignore_ascii_case(&own)) => lists.push(row),
                None => {}
            }
        }
        posts.retain(|(name, _)| !quest.was_looked_at(name));
        posts.sort_by_key(|(_, rows)| !rows.iter().any(|row| row.mimetype == "application/json"));
        // what was listed soonest after that day began
        let start = stretches.first().map(|stretch| stretch.start);
        lists.retain(|row| row.status.is_none_or(|status| status == 200) && row.at() >= start && start.is_some());
        lists.sort_by(|one, other| one.timestamp.cmp(&other.timestamp));
        lists.dedup_by(|one, other| one.digest == other.digest);
        for row in lists.into_iter().take(COPIES).rev() {
            quest.leads.push_front(Lead::Copy(row));
        }
        for (name, rows) in posts.into_iter().rev() {
            quest.leads.push_front(Lead::Candidate(name, rows, unlisted.clone()));
        }
        self.go_on_quest();
    }
}
