//! WARC files in stretches, several read at once, whatever they are read for.
//!
//! Where a stretch ends is a guess, tested by the one before it: its last record must end exactly there. Behind damage, or
//! a wrong guess, the rest of the file is read in one piece, so that what is said of it does not depend on how many cores
//! there are.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError, mpsc};

use crate::format::warc::read::{Item, Want};
use crate::work::fault::Fault;
use crate::world::vault::place;

/// Bytes of a stretch: what is read in a few of them is held until it is handed over.
const STRETCH: u64 = 1 << 20;
/// More cores than that wait for the disk.
const CORES: usize = 16;
/// Stretches that may wait to be handed over while every core reads one: with fewer a reader stops as often as another one, which
/// hands over, reads a long one.
const AHEAD: usize = 12;
/// And so much of what they came to may wait, as [`Look::weight`] has it: small records come to several times the bytes they take in
/// the file.
const HEAVY: usize = 4 << 20;

/// What is read for.
pub(super) trait Look: Sync {
    /// what one stretch comes to
    type Out: Default + Send;

    /// Takes up one item of `file`.
    fn see(&self, out: &mut Self::Out, file: &str, item: &Item);

    /// About how many bytes of memory it takes.
    fn weight(&self, out: &Self::Out) -> usize;
}

/// A part of a file that one thread reads.
#[derive(Clone, Debug)]
struct Stretch {
    file: String,
    path: PathBuf,
    from: u64,
    /// where the next one begins; none where the file ends with it
    to: Option<u64>,
}

/// What was read in it, and whether it ended where the next begins, without a doubt on the way.
type Read<T> = Result<(T, bool), Fault>;

/// Reads files, each under its name, and hands what their stretches come to over in order.
///
/// # Errors
/// A file that cannot be read, and what `take` says.
pub(super) fn walk<L: Look>(
    files: &[(String, PathBuf)],
    want: Want,
    look: &L,
    take: impl FnMut(L::Out) -> Result<(), Fault>,
) -> Result<(), Fault> {
    walk_every(STRETCH, files, want, look, take)
}

fn walk_every<L: Look>(
    every: u64,
    files: &[(String, PathBuf)],
    want: Want,
    look: &L,
    mut take: impl FnMut(L::Out) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let mut stretches = Vec::new();
    for (file, path) in files {
        stretches.extend(cut(file, path, every)?);
    }
    // The file whose rest is read in one piece: nobody need read stretches of it.
    let whole: Mutex<Option<String>> = Mutex::default();
    let is_whole = |stretch: &Stretch| {
        whole.lock().unwrap_or_else(PoisonError::into_inner).as_ref().is_some_and(|file| *file == stretch.file)
    };
    let read = |stretch: &Stretch| match is_whole(stretch) {
        true => Ok((L::Out::default(), false)),
        false => one(stretch, want, look),
    };
    let weight = |read: &Read<L::Out>| read.as_ref().map_or(0, |(out, _)| look.weight(out));
    in_turn(&stretches, &read, &weight, |stretch, read| {
        if is_whole(stretch) {
            return Ok(());
        }
        let (out, is_sound) = read?;
        if is_sound {
            return take(out);
        }
        drop(out);
        *whole.lock().unwrap_or_else(PoisonError::into_inner) = Some(stretch.file.clone());
        take(one(&Stretch { to: None, ..stretch.clone() }, want, look)?.0)
    })
}

/// Cuts a file where members seem to begin.
fn cut(file: &str, path: &Path, every: u64) -> Result<Vec<Stretch>, Fault> {
    let starts = place::starts(path, every)?;
    let ends = starts.iter().skip(1).copied().map(Some).chain([None]);
    let stretch = |(from, to)| Stretch { file: file.to_owned(), path: path.to_owned(), from, to };
    Ok(starts.iter().copied().zip(ends).map(stretch).collect())
}

fn one<L: Look>(stretch: &Stretch, want: Want, look: &L) -> Read<L::Out> {
    let mut reader = place::scan(&stretch.path, stretch.from, want)?;
    if let Some(to) = stretch.to {
        reader.until(to);
    }
    let mut out = L::Out::default();
    let mut end = Some(stretch.from);
    while end.is_none() || stretch.to.is_none_or(|to| end < Some(to)) {
        let Some(item) = reader.next().map_err(Fault::file("WARC file", &stretch.path))? else { break };
        let is_sound = item.is_whole() && item.length > 0;
        end = end.filter(|_| is_sound).map(|_| item.offset + item.length);
        if end.is_none() && stretch.to.is_some() {
            // It is read again, together with what lies behind it.
            return Ok((out, false));
        }
        look.see(&mut out, &stretch.file, item);
    }
    Ok((out, stretch.to.is_none() || end == stretch.to))
}

/// Which stretch is read next, and how many have been handed over.
#[derive(Default)]
struct Turn {
    next: usize,
    done: usize,
    /// what those weigh that were read and not handed over yet
    held: usize,
    stop: bool,
}

impl Turn {
    /// The next stretch to read, where it is near enough.
    fn claim(&mut self, of: usize, ahead: usize) -> Option<usize> {
        let n = self.next;
        let is_next = !self.stop && n < of && self.has_room(ahead);
        self.next += usize::from(is_next);
        is_next.then_some(n)
    }

    /// Whether one more may be read: always the one that is handed over next.
    fn has_room(&self, ahead: usize) -> bool {
        self.next == self.done || (self.next < self.done + ahead && self.held < HEAVY)
    }
}

/// The line in which readers wait, so that no more is held than a few stretches come to.
#[derive(Default)]
struct Line(Mutex<Turn>, Condvar);

impl Line {
    fn turn(&self) -> MutexGuard<'_, Turn> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next stretch to read, once it is near enough; none where there is none.
    fn next(&self, of: usize, ahead: usize) -> Option<usize> {
        let mut turn = self.turn();
        while !turn.stop && turn.next < of && !turn.has_room(ahead) {
            turn = self.1.wait(turn).unwrap_or_else(PoisonError::into_inner);
        }
        turn.claim(of, ahead)
    }

    fn tell(&self, how: impl FnOnce(&mut Turn)) {
        how(&mut self.turn());
        self.1.notify_all();
    }
}

/// Reads stretches on every core and hands them over in order. Whoever hands over reads too while nothing is to be handed over:
/// one thread more than there are cores would wait for one of them.
fn in_turn<'a, T: Send>(
    stretches: &'a [Stretch],
    read: &(impl Fn(&Stretch) -> Read<T> + Sync),
    weight: &(impl Fn(&Read<T>) -> usize + Sync),
    mut each: impl FnMut(&'a Stretch, Read<T>) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let cores = std::thread::available_parallelism().map_or(1, |n| n.get().min(CORES)).min(stretches.len());
    let (of, ahead) = (stretches.len(), cores + AHEAD);
    let line = Line::default();
    let (send, done) = mpsc::channel();
    std::thread::scope(|scope| {
        for _ in 1..cores {
            let (send, line) = (send.clone(), &line);
            scope.spawn(move || {
                while let Some(n) = line.next(of, ahead) {
                    let Some(stretch) = stretches.get(n) else { break };
                    let read = read(stretch);
                    line.tell(|turn| turn.held += weight(&read));
                    // Nobody to send it to: it is not wanted any more.
                    if send.send((n, read)).is_err() {
                        break;
                    }
                }
            });
        }
        drop(send);
        let mut early = BTreeMap::new();
        let mut wanted = |n: usize| -> Result<Read<T>, Fault> {
            loop {
                early.extend(done.try_iter());
                if let Some(read) = early.remove(&n) {
                    return Ok(read);
                }
                let mine = line.turn().claim(of, ahead);
                let (m, read) = match mine.and_then(|m| Some((m, stretches.get(m)?))) {
                    Some((m, stretch)) => {
                        let read = read(stretch);
                        line.tell(|turn| turn.held += weight(&read));
                        (m, read)
                    }
                    None => done.recv().map_err(|_| Fault::Broken("a reading thread died"))?,
                };
                early.insert(m, read);
            }
        };
        let handed = stretches.iter().enumerate().try_for_each(|(n, stretch)| {
            let read = wanted(n)?;
            let weight = weight(&read);
            each(stretch, read)?;
            line.tell(|turn| (turn.done, turn.held) = (n + 1, turn.held - weight.min(turn.held)));
            Ok(())
        });
        line.tell(|turn| turn.stop = true);
        handed
    })
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    /// Offsets, ids and problems, in the order they come.
    struct Places;

    impl Look for Places {
        type Out = Vec<(u64, String, Vec<&'static str>)>;

        fn see(&self, out: &mut Self::Out, _: &str, item: &Item) {
            let kinds = item.problems.iter().map(|p| p.kind.as_str()).collect();
            out.push((item.offset, item.head.id().unwrap_or_default().to_owned(), kinds));
        }

        /// So much that each waits for the one before.
        fn weight(&self, out: &Self::Out) -> usize {
            out.len() * HEAVY
        }
    }

    fn gzip(plain: &[u8], level: u32) -> Vec<u8> {
        let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(level));
        out.write_all(plain).unwrap();
        out.finish().unwrap()
    }

    fn member(n: usize, block: &[u8], level: u32) -> Vec<u8> {
        let head = format!(
            "WARC/1.1\r\nWARC-Type: resource\r\nWARC-Record-ID: <urn:uuid:00000000-0000-4000-8000-{n:012}>\r\n\
             WARC-Date: 2026-01-01T00:00:00Z\r\nContent-Length: {}\r\n\r\n",
            block.len()
        );
        gzip(&[head.as_bytes(), block, b"\r\n\r\n"].concat(), level)
    }

    fn walked(every: u64, bytes: &[u8]) -> Vec<(u64, String, Vec<&'static str>)> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.warc.gz");
        std::fs::write(&path, bytes).unwrap();
        let mut all = Vec::new();
        let files = [("a.warc.gz".to_owned(), path)];
        walk_every(every, &files, Want::foreign(), &Places, |part| {
            all.extend(part);
            Ok(())
        })
        .unwrap();
        all
    }

    #[test]
    fn in_however_many_stretches_a_file_is_read_the_same_is_said_of_it() {
        // Every seventh body is itself a stored WARC member, so that many a guess where one begins is wrong.
        let mut members = Vec::new();
        for n in 0..400 {
            let body = [b"x".repeat(n % 50), member(1000 + n, b"within", 6)].concat();
            members.push(if n % 7 == 0 { member(n, &body, 0) } else { member(n, &b"word ".repeat(n), 6) });
        }
        let sound = members.concat();
        let mut torn = sound.clone();
        let at = members[..200].concat().len() + 20;
        torn[at] ^= 0x55;
        let cut = sound[..sound.len() - 30].to_vec();
        let mut strange = members[..100].concat();
        strange.extend(gzip(b"no record at all", 6));
        strange.extend(members[100..].concat());
        for (what, bytes, count) in
            [("sound", sound, 400), ("torn", torn, 0), ("cut", cut, 400), ("strange", strange, 401)]
        {
            let whole = walked(u64::MAX, &bytes);
            assert!(count == 0 || whole.len() == count, "{what}: {}", whole.len());
            for every in [1, 500, 5000, 50_000] {
                assert_eq!(walked(every, &bytes), whole, "{what}, every {every}");
            }
        }
    }

    #[test]
    fn behind_a_body_of_many_megabytes_a_file_is_cut_on() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.warc.gz");
        let long: Vec<u8> =
            (0..9_000_000_u32).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()).take(9 << 20).collect();
        let few = |from: usize| (from..from + 20).map(|n| member(n, b"word", 6)).collect::<Vec<_>>().concat();
        let head = [few(0), member(99, &long, 0)].concat();
        std::fs::write(&path, [head.clone(), few(100)].concat()).unwrap();
        let starts = place::starts(&path, 1000).unwrap();
        assert!(starts.iter().any(|start| *start > 0 && *start < 3000), "{starts:?}");
        assert!(starts.iter().any(|start| *start >= head.len() as u64), "{starts:?}");
    }

    #[test]
    fn nothing_is_read_ahead_of_what_is_heavy_but_what_comes_next() {
        let mut turn = Turn { held: HEAVY - 1, ..Turn::default() };
        assert_eq!([turn.claim(9, 3), turn.claim(9, 3)], [Some(0), Some(1)]);
        turn.held = HEAVY;
        assert_eq!(turn.claim(9, 3), None, "there is room, and too much is held");
        turn.done = 2;
        assert_eq!([turn.claim(9, 3), turn.claim(9, 3)], [Some(2), None], "what comes next is read whatever is held");
        turn.held = 0;
        assert_eq!([turn.claim(9, 3), turn.claim(9, 3), turn.claim(9, 3)], [Some(3), Some(4), None]);
    }

    #[test]
    fn what_stops_the_taker_stops_the_readers() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.warc.gz");
        std::fs::write(&path, (0..300).map(|n| member(n, b"word", 6)).collect::<Vec<_>>().concat()).unwrap();
        let mut taken = 0;
        let stopped = walk_every(1, &[("a".to_owned(), path)], Want::foreign(), &Places, |_| {
            taken += 1;
            if taken == 3 { Err(Fault::Broken("enough")) } else { Ok(()) }
        });
        assert!(matches!(stopped, Err(Fault::Broken("enough"))));
        assert_eq!(taken, 3);
    }
}
