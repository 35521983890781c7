//! Folders of statements: which files have been left alone for long enough to be read.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};

use crate::world::input::Lying;

/// Names that programs give to files they have not finished.
const UNFINISHED: [&str; 6] = [".part", ".partial", ".tmp", ".crdownload", ".swp", "~"];

/// Remembers what files looked like, to tell which are still being written.
#[derive(Debug)]
pub struct Quiet {
    /// how long a file must not have changed
    pub after: SignedDuration,
    seen: HashMap<PathBuf, Seen>,
}

#[derive(Clone, Debug)]
struct Seen {
    size: u64,
    changed: Timestamp,
    since: Timestamp,
}

impl Quiet {
    /// Files are left for `after`.
    pub fn new(after: SignedDuration) -> Self {
        Self { after, seen: HashMap::new() }
    }

    /// Sorts the files that lie in the folders now: those that can be read, and when to look at the others again.
    pub fn sort(&mut self, lying: Vec<Lying>, now: Timestamp) -> (Vec<Lying>, Option<Timestamp>) {
        let mut before = std::mem::take(&mut self.seen);
        let (mut ready, mut again): (Vec<Lying>, Option<Timestamp>) = (Vec::new(), None);
        for file in lying.into_iter().filter(|file| file.size > 0 && is_finished(&file.path)) {
            let same = |seen: &Seen| seen.size == file.size && seen.changed == file.changed;
            let since = before.remove(&file.path).filter(same).map_or(now, |seen| seen.since);
            // Its own time may be wrong, or kept from elsewhere by whoever copied it here; what was seen here is not.
            let since = if file.changed <= now { since.min(file.changed) } else { since };
            if now.duration_since(since) >= self.after {
                ready.push(file);
                continue;
            }
            let look = since.checked_add(self.after).unwrap_or(now);
            again = Some(again.map_or(look, |other| other.min(look)));
            self.seen.insert(file.path.clone(), Seen { size: file.size, changed: file.changed, since });
        }
        (ready, again)
    }
}

fn is_finished(path: &Path) -> bool {
    let name = path.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
    !UNFINISHED.iter().any(|end| name.ends_with(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: SignedDuration = SignedDuration::from_secs(1);

    fn file(name: &str, size: u64, changed: Timestamp) -> Lying {
        Lying { path: PathBuf::from(name), size, changed }
    }

    #[test]
    fn a_file_being_written_is_left_until_it_is_quiet() {
        let start: Timestamp = "2026-11-23T07:15:00Z".parse().unwrap();
        let mut quiet = Quiet::new(SECOND * 2);
        let (ready, again) = quiet.sort(vec![file("a.txt", 5, start)], start);
        assert!(ready.is_empty());
        assert_eq!(again, Some(start + SECOND * 2));
        // Written to in between: the wait begins anew.
        let later = start + SECOND * 2;
        let (ready, again) = quiet.sort(vec![file("a.txt", 9, later - SECOND)], later);
        assert!(ready.is_empty());
        assert_eq!(again, Some(later + SECOND));
        let (ready, again) = quiet.sort(vec![file("a.txt", 9, later - SECOND)], later + SECOND);
        assert_eq!((ready.len(), again), (1, None));
    }

    #[test]
    fn an_old_file_is_quiet_at_once_and_one_from_the_future_after_a_wait() {
        let now: Timestamp = "2026-11-23T07:15:00Z".parse().unwrap();
        let mut quiet = Quiet::new(SECOND * 2);
        assert_eq!(quiet.sort(vec![file("old.txt", 5, now - SECOND * 60)], now).0.len(), 1);
        let future = vec![file("future.txt", 5, now + SECOND * 3600)];
        assert_eq!(quiet.sort(future.clone(), now).0.len(), 0);
        assert_eq!(quiet.sort(future, now + SECOND * 2).0.len(), 1);
    }

    #[test]
    fn empty_and_unfinished_files_are_left() {
        let now: Timestamp = "2026-11-23T07:15:00Z".parse().unwrap();
        let old = now - SECOND * 60;
        let names = ["a.txt.part", "b.tmp", "c.txt~", "d.CRDOWNLOAD"];
        let mut lying: Vec<Lying> = names.iter().map(|name| file(name, 5, old)).collect();
        lying.push(file("empty.txt", 0, old));
        assert_eq!(Quiet::new(SECOND).sort(lying, now), (Vec::new(), None));
    }
}
