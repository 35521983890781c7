//! A quotation that joins several posts of one thread: what the post that was found answers, and what answers it, by the same author,
//! as far as the quoted words go on in them.

use std::collections::VecDeque;

use crate::format::words;
use crate::platform::lister::Listed;
use crate::platform::permalink;
use crate::platform::post::{Author, Platform, Post, PostName};
use crate::platform::reader::{Read, Reader};
use crate::platform::registry::{self, Aids};
use crate::platform::wayback;
use crate::platform::x::reader::XReader;
use crate::resolution::hop::{Candidate, Role};
use crate::resolution::judge::Judged;
use crate::resolution::pursuit::quest::{Quest, SAME, without_links};
use crate::resolution::pursuit::{Purpose, Pursuit};

/// Posts that a quotation joins at most.
const MOST: usize = 4;
/// Fewer words may stand anywhere.
const FEW: f64 = 3.0;
/// Posts of the same day that are read to see whether they go on.
const TRIES: usize = 3;
/// Rows asked of the index.
const ROWS: usize = 150;

/// The posts of the thread so far.
#[derive(Debug)]
pub(super) struct Thread {
    /// in order
    posts: Vec<Post>,
    judged: Judged,
    /// what the first one answers is no part of the quotation, or is not to be had
    begins: bool,
    /// what is being read is what the first one answers
    up: bool,
    listed: bool,
    indexed: bool,
    to_read: VecDeque<PostName>,
}

impl Quest {
    /// How many words two texts share, how many the quotation has, and how many the other.
    fn shared(&self, text: &str) -> (f64, f64, f64) {
        let cited = self.cited();
        let text = without_links(text);
        let (a, b) = (words::words(&cited).len() as f64, words::words(&text).len() as f64);
        (words::compare(&cited, &text).score * (a + b) / 2.0, a, b)
    }

    /// Whether a post's words are part of the quotation; one that says itself that it leaves words out may have few of them.
    fn has_part(&self, text: &str) -> bool {
        let (shared, _, own) = self.shared(text);
        let cut = self.quoted.contains('…') || self.quoted.contains("...");
        own >= FEW && (shared >= SAME * own || cut && shared > FEW)
    }

    /// Whether the quotation says more than a text.
    fn has_more(&self, text: &str) -> bool {
        let (shared, cited, _) = self.shared(text);
        cited - shared >= FEW
    }

    /// The post that goes on where `last` ends, among those read.
    fn next_of(&self, last: &Post) -> Option<&Post> {
        let mut all = self.read.iter().map(|(post, ..)| post);
        all.find(|post| {
            post.reply_to.as_ref() == Some(&last.name) && is_by(&post.author, &last.author) && self.has_part(&post.text)
        })
    }
}

fn is_by(one: &Author, other: &Author) -> bool {
    match (&one.id, &other.id) {
        (Some(one), Some(other)) => one == other,
        _ => !one.handle.is_empty() && one.handle.eq_ignore_ascii_case(&other.handle),
    }
}

/// The words of several posts, in order.
fn joined(posts: &[Post]) -> String {
    posts.iter().map(|post| post.text.as_str()).collect::<Vec<_>>().join("\n")
}

impl Pursuit {
    /// Where no post has the quoted words, several of one thread may: the first of them is taken, and those that go on.
    pub(super) fn takes_thread(&mut self) -> bool {
        let Some(quest) = self.quest.as_ref().filter(|quest| !quest.has_best()) else { return false };
        let parts = quest.read.iter().filter(|(post, ..)| quest.has_part(&post.text));
        let first = parts.filter(|(post, ..)| {
            let mut all = vec![post.clone()];
            while let Some(next) = all.last().and_then(|last| quest.next_of(last)).filter(|_| all.len() < MOST) {
                all.push(next.clone());
            }
            let (shared, cited, own) = quest.shared(&joined(&all));
            all.len() > 1 && 2.0 * shared >= SAME * (cited + own)
        });
        let Some((post, judged, from)) = first.min_by_key(|(post, ..)| post.id_time.or(post.posted)).cloned() else {
            return false;
        };
        for candidate in self.out.candidates.iter_mut().filter(|c| c.post == post.name) {
            candidate.taken = true;
            candidate.why.push_str("; the quoted words go on in the posts that answer it");
        }
        if let Some(quest) = &mut self.quest {
            quest.end();
        }
        self.take(post, judged, from);
        true
    }

    /// The post is had. Where the quotation says more than it does, its neighbours in the thread are looked at.
    pub(super) fn look_for_thread(&mut self, judged: Judged) {
        let quest = self.quest.as_ref().filter(|_| self.limits.platform && self.out.also.is_empty());
        let joins = |(quest, post): (&Quest, &Post)| quest.has_part(&post.text) && quest.has_more(&post.text);
        let Some(post) = self.out.post.clone().filter(|post| quest.is_some_and(|quest| joins((quest, post)))) else {
            return self.look_for_versions(judged);
        };
        self.thread = Some(Thread {
            posts: vec![post],
            judged,
            begins: false,
            up: false,
            listed: false,
            indexed: false,
            to_read: VecDeque::new(),
        });
        self.go_on_thread();
    }

    /// Looks at the next neighbour, as long as words are left over.
    fn go_on_thread(&mut self) {
        let left = self.left();
        let (Some(thread), Some(quest)) = (&mut self.thread, &mut self.quest) else { return };
        while let Some(next) = thread.posts.last().and_then(|last| quest.next_of(last)).cloned() {
            if thread.posts.len() >= MOST || thread.posts.iter().any(|post| post.name == next.name) {
                break;
            }
            thread.posts.push(next);
        }
        let more = quest.has_more(&joined(&thread.posts)) && thread.posts.len() < MOST && left > 0;
        let (Some(first), Some(last)) = (thread.posts.first(), thread.posts.last()) else { return };
        let above = first.reply_to.clone().filter(|_| more && !thread.begins);
        if let Some(name) = above {
            thread.up = true;
            return self.read_neighbour(&name);
        }
        thread.up = false;
        let (on_x, since) = (last.name.platform == Platform::X, last.id_time.or(last.posted));
        let until = since.and_then(|at| at.checked_add(jiff::SignedDuration::from_hours(24)).ok());
        let stretch = since.zip(until).map(|(since, until)| since..until).filter(|_| more);
        if quest.lister.is_none() {
            quest.lister = registry::lister(last.name.platform, &last.author.handle);
        }
        match (stretch, &mut quest.lister) {
            (Some(stretch), Some(lister)) if !on_x && !thread.listed => {
                thread.listed = true;
                lister.look(stretch);
                self.pump_lister();
            }
            (Some(stretch), Some(lister)) if on_x && !thread.indexed && self.limits.archives => {
                thread.indexed = true;
                let urls = lister.shelf(&stretch).posts;
                self.search_thread(urls);
            }
            _ => match thread.to_read.pop_front().filter(|_| more) {
                Some(name) => self.read_neighbour(&name),
                None => self.end_thread(),
            },
        }
    }

    fn read_neighbour(&mut self, name: &PostName) {
        self.reader = match name.platform {
            // one witness is enough for what stands beside the post
            Platform::X => Some(Box::new(XReader::new(&name.id, false)) as Box<dyn Reader + Send>),
            _ => registry::reader(name, Aids::default()),
        };
        match self.reader {
            Some(_) => self.pump_reader(),
            None => self.thread_read(Read::default()),
        }
    }

    /// A neighbour was read, or was not to be had.
    pub(super) fn thread_read(&mut self, read: Read) {
        let (Some(thread), Some(quest)) = (&mut self.thread, &mut self.quest) else { return };
        let new = |post: &Post| thread.posts.iter().all(|known| known.name != post.name);
        let own =
            |post: &Post| thread.posts.first().is_some_and(|first| is_by(&post.author, &first.author)) && new(post);
        match read.post {
            Some(post) if thread.up && own(&post) && quest.has_part(&post.text) => thread.posts.insert(0, post),
            Some(post) if !thread.up => quest.read.push((post, thread.judged.clone(), None)),
            _ if thread.up => thread.begins = true,
            _ => {}
        }
        self.go_on_thread();
    }

    pub(super) fn thread_listed(&mut self, listed: Listed) {
        let (Some(thread), Some(quest)) = (&self.thread, &mut self.quest) else { return };
        if listed.state.is_some() {
            self.out.notes.push(listed.why);
        }
        quest.read.extend(listed.posts.into_iter().map(|post| (post, thread.judged.clone(), None)));
        self.go_on_thread();
    }

    fn search_thread(&mut self, urls: Vec<String>) {
        for request in urls.iter().filter_map(|url| wayback::cdx(url, ROWS)) {
            if self.left() > 1
                && let Some(quest) = &mut self.quest
            {
                quest.awaits_rows();
                self.ask(Role::Archive, request, Purpose::Search);
            }
        }
        if self.quest.as_ref().is_none_or(|quest| !quest.waits()) {
            self.go_on_thread();
        }
    }

    /// Posts of that day, as the archive's index has them: the next ones are read.
    pub(super) fn thread_indexed(&mut self) {
        let (Some(thread), Some(quest)) = (&mut self.thread, &mut self.quest) else { return };
        let named = |url: &str| {
            let named = permalink::read(url).filter(|named| named.platform == Platform::X)?;
            Some(PostName { platform: Platform::X, id: named.post? })
        };
        let number = |name: &PostName| name.id.parse::<u64>().unwrap_or(0);
        let mut names: Vec<PostName> = quest.take_rows().iter().filter_map(|row| named(&row.original)).collect();
        let last = thread.posts.last().map_or(0, |post| number(&post.name));
        names.retain(|name| number(name) > last && !quest.read.iter().any(|(post, ..)| post.name == *name));
        names.sort_by_key(number);
        names.dedup();
        thread.to_read = names.into_iter().take(TRIES).collect();
        self.go_on_thread();
    }

    fn end_thread(&mut self) {
        let Some(Thread { posts, judged, .. }) = self.thread.take() else { return };
        if posts.len() > 1 {
            let main = self.out.post.as_ref().map(|post| post.name.clone());
            for post in posts.iter().filter(|post| Some(&post.name) != main.as_ref()) {
                let why = "of the same thread and author: the quoted words go on in it".to_owned();
                let taken = Candidate { post: post.name.clone(), by: "thread".to_owned(), taken: true, why };
                match self.out.candidates.iter_mut().find(|c| c.post == post.name) {
                    Some(candidate) => *candidate = taken,
                    None => self.out.candidates.push(taken),
                }
            }
            self.out.thread = posts;
        }
        self.look_for_versions(judged);
    }
}
