//! Candidates weighed against the quoted words: which is taken, which dropped, which are no less alike.

use std::cmp::Ordering;

use crate::platform::post::{Platform, Post};
use crate::platform::reader::Read;
use crate::platform::registry::{self, Aids};
use crate::resolution::ending::Ending;
use crate::resolution::hop::{Candidate, FromArchive};
use crate::resolution::judge::Judged;
use crate::resolution::pursuit::Pursuit;
use crate::resolution::pursuit::quest::{Best, Lead, SAME};

/// From here on nothing can be more alike.
const ALL: f64 = 1.0 - 1e-9;

impl Pursuit {
    /// A post was read. Without a quest it is the one; with one it is a candidate.
    pub(in crate::resolution::pursuit) fn have(&mut self, post: Post, judged: Judged, from: Option<FromArchive>) {
        let Some(quest) = self.quest.as_mut().filter(|quest| !quest.over) else {
            return self.take(post, judged, from);
        };
        self.judged = None;
        let score = quest.likeness(&post);
        let own = quest.handle.as_deref().is_some_and(|h| h.eq_ignore_ascii_case(&post.author.handle));
        let by = quest.by;
        let sure = matches!(by, "permalink" | "pic-code")
            || (matches!(by, "tco-in-quote" | "link-behind") && (own || score >= SAME));
        if sure {
            quest.over = true;
            let named = if by == "pic-code" { "the code of its picture" } else { "a link" };
            let why = format!("{named} names it; {}", told(score));
            self.out.candidates.push(Candidate { post: post.name.clone(), by: by.to_owned(), taken: true, why });
            return self.take(post, judged, from);
        }
        self.weigh(post, judged, from);
        self.go_on_quest();
    }

    /// Puts a candidate in its place among the others.
    pub(super) fn weigh(&mut self, post: Post, judged: Judged, from: Option<FromArchive>) {
        let Some(quest) = &mut self.quest else { return };
        let likeness = quest.likeness(&post);
        let codes = codes(&quest.links, &post);
        let mut candidate =
            Candidate { post: post.name.clone(), by: quest.by.to_owned(), taken: false, why: told(likeness) };
        if codes > 0 {
            candidate.why.push_str(&format!(", and {codes} of the links"));
        }
        quest.read.push((post.clone(), judged.clone(), from.clone()));
        if likeness < SAME {
            candidate.why.push_str(": another post");
        } else {
            let rank = quest.best.as_ref().map(|best| rank((likeness, codes), (best.likeness, best.codes)));
            candidate.taken = rank != Some(Ordering::Less);
            match (rank, &mut quest.best) {
                (Some(Ordering::Less), _) => candidate.why.push_str(": another one is more alike"),
                (Some(Ordering::Equal), Some(best)) => {
                    candidate.why.push_str(": no less alike than another one, so it may be either");
                    best.equals.push(post);
                }
                _ => {
                    for other in self.out.candidates.iter_mut().filter(|c| c.taken) {
                        other.taken = false;
                        other.why.push_str(": another one is more alike");
                    }
                    quest.best = Some(Best { likeness, codes, post, judged, from, equals: Vec::new() });
                }
            }
        }
        self.out.candidates.push(candidate);
        self.out.names = None;
        self.leave_off();
    }

    /// A post like the quoted words ends the search of other days; one with all of them ends the search.
    fn leave_off(&mut self) {
        let Some(quest) = &mut self.quest else { return };
        let Some(best) = &quest.best else { return };
        let (all, on_x) = (best.likeness >= ALL, quest.platform == Platform::X);
        quest.leads.retain(|lead| match lead {
            Lead::Days(0) => !on_x && !all,
            Lead::Listed(..) | Lead::Days(_) => false,
            _ => true,
        });
    }

    pub(in crate::resolution::pursuit) fn take(&mut self, post: Post, judged: Judged, from: Option<FromArchive>) {
        self.out.names = Some(post.name.clone());
        let by_day = |quest: &super::Quest| matches!(quest.by, "cdx-prefix" | "list" | "kept-list" | "versions");
        if self.trail.url.is_none() || self.quest.as_ref().is_some_and(by_day) {
            self.out.final_url = Some(post.permalink.clone());
        } else {
            self.out.final_url = self.trail.url.as_ref().map(ToString::to_string);
        }
        self.out.post = Some(post);
        self.out.from_archive = from;
        self.look_for_thread(judged);
    }

    /// Takes a post that was found by its words. One that a list shows is asked for by itself, for what a list leaves out: its
    /// proof, its versions, what confirms it.
    pub(super) fn take_found(&mut self, post: Post, judged: Judged, from: Option<FromArchive>) {
        let listed = self.out.candidates.iter().any(|c| c.taken && c.post == post.name && c.by == "list");
        let reader = registry::reader(&post.name, Aids::default()).filter(|_| listed && self.left() > 0);
        let Some(reader) = reader else { return self.take(post, judged, from) };
        self.reader = Some(reader);
        self.listed = Some((post, judged));
        self.pump_reader();
    }

    /// What came of asking for a listed post by itself.
    pub(in crate::resolution::pursuit) fn listed_read(&mut self, listed: (Post, Judged), read: Read) {
        let (post, judged) = listed;
        match read.post {
            Some(own) => {
                let why = format!("{}; found on {}", read.why, judged.why);
                self.take(own, Judged::new(Ending::Captured, why), None);
            }
            None => {
                self.out.notes.push(format!("asked for by itself, the post was not shown: {}", read.why));
                self.take(post, judged, None);
            }
        }
    }
}

fn told(likeness: f64) -> String {
    format!("{:.0} % of the words are the same", likeness * 100.0)
}

/// Words first, then links.
fn rank(one: (f64, usize), other: (f64, usize)) -> Ordering {
    if (one.0 - other.0).abs() < 1e-9 { one.1.cmp(&other.1) } else { one.0.total_cmp(&other.0) }
}

/// How many of the cited links stand in the post, code for code.
fn codes(cited: &[String], post: &Post) -> usize {
    let code = |url: &str| url.rsplit('/').next().unwrap_or_default().to_owned();
    let own: Vec<String> = post.links.iter().map(|link| code(&link.raw)).collect();
    cited.iter().map(|url| code(url)).filter(|code| !code.is_empty() && own.contains(code)).count()
}
