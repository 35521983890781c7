//! Citations of a text that is its own words, handed over window by window: a text of any length needs the room of one.

use std::convert::Infallible;

use super::attribution::{self, Ground, Progress};
use super::found::{Found, Item, Seen, hand_over, place};
use super::mark::Mark;
use super::scan::Scanner;
use super::{Kind, post};
use crate::statement::Statement;

/// Marks gathered before those that nothing behind them can change are handed over.
const GATHERED: usize = 1024;

/// How far behind a handle the text must have been scanned before its attribution is read: more than any rule looks ahead.
const AHEAD: usize = 32 * 1024;

/// A post that is told of, waiting for its turn.
struct Post {
    span: (usize, usize),
    candidate: bool,
    kind: Kind,
}

impl Post {
    fn item(&self) -> Item<'_> {
        Item { span: self.span, candidate: self.candidate, seen: Seen::Post(&self.kind) }
    }
}

/// Every citation, in order of place.
pub(super) fn each<E>(statement: &Statement, take: &mut impl FnMut(Found<'_>) -> Result<(), E>) -> Result<(), E> {
    windowed(statement, GATHERED, |marks, posts| hand_over(statement, merged(marks, posts), take))
}

/// How many there are.
pub(super) fn count(statement: &Statement) -> usize {
    let mut count = 0;
    let counted: Result<(), Infallible> = windowed(statement, GATHERED, |marks, posts| {
        count += marks.len() + posts.len();
        Ok(())
    });
    match counted {
        Ok(()) => count,
        Err(never) => match never {},
    }
}

/// Gives what was found away, window by window, marks and posts each in order of place.
fn windowed<E>(
    statement: &Statement,
    gathered: usize,
    mut give: impl FnMut(&[Mark<'_>], &[Post]) -> Result<(), E>,
) -> Result<(), E> {
    let text = statement.text.as_str();
    let language = statement.about.language.as_deref();
    let spaced = attribution::is_spaced(text);
    let mut scanner = Scanner::new(text, &[]);
    let mut enough = gathered;
    let mut progress = Progress::default();
    let mut posts: Vec<Post> = Vec::new();
    loop {
        let whole = scanner.go_on(enough);
        let horizon = if whole { usize::MAX } else { scanner.at().saturating_sub(AHEAD) };
        let ground = Ground { text, marks: &scanner.marks, language, embeds: &[], anchors: &[], pointers: &[], spaced };
        let known = posts.len();
        attribution::go_on(&ground, &mut progress, horizon, |told| {
            posts.push(Post {
                span: (told.span.start, told.span.end),
                candidate: told.candidate,
                kind: post::kind(text, &scanner.marks, &[], &told),
            });
        });
        let safe = if whole { usize::MAX } else { ground.settled(&progress, horizon) };
        for post in posts.iter().skip(known) {
            attribution::site::move_handle(&mut scanner.marks, &post.kind, post.span);
        }
        let n = scanner.marks.partition_point(|m| m.start < safe);
        let later = posts.partition_point(|p| p.span.0 < safe);
        // what cannot be handed over yet is looked at again after twice as much
        enough = if n * 2 < scanner.marks.len() { enough * 2 } else { gathered };
        progress.next = progress.next.saturating_sub(n);
        let (marks, told) = (scanner.marks.get_mut(..n), posts.get_mut(..later));
        let (marks, told) = (marks.unwrap_or_default(), told.unwrap_or_default());
        marks.sort_by_key(|m| place((m.start, m.end)));
        told.sort_by_key(|p| place(p.span));
        give(marks, told)?;
        scanner.marks.drain(..n);
        posts.drain(..later);
        if whole {
            return Ok(());
        }
    }
}

/// Marks and posts, each in order of place, in the order of both.
fn merged<'f>(marks: &'f [Mark<'_>], posts: &'f [Post]) -> impl Iterator<Item = Item<'f>> {
    let mut marks = marks.iter().map(Item::from).peekable();
    let mut posts = posts.iter().map(Post::item).peekable();
    std::iter::from_fn(move || match (marks.peek(), posts.peek()) {
        (Some(mark), Some(post)) if place(post.span) < place(mark.span) => posts.next(),
        (None, _) => posts.next(),
        _ => marks.next(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::citation::Citation;
    use crate::statement::{self, Hint};

    fn found(statement: &Statement, gathered: usize) -> Vec<Citation> {
        let mut out = Vec::new();
        let _: Result<(), ()> = windowed(statement, gathered, |marks, posts| {
            hand_over(statement, merged(marks, posts), &mut |found: Found<'_>| {
                out.push(found.into());
                Ok(())
            })
        });
        out
    }

    #[test]
    fn windows_change_nothing() -> Result<(), statement::Error> {
        let pieces = [
            "Pier #open https://t.co/AEoFZOhI3p — Ana Ruiz (@ana_ruiz9) March 6, 2026\n\n",
            "words http://a.example/b and @handle_1, more #words\n",
            "\n\n— Odelie (@odelie_m) 10. Juni 2019 https://x.com/odelie_m/status/1137945522884755456\n",
            "On 3 March 2020 @mira_k wrote “The quay is open” https://t.co/AZJTrKcoce\n\n",
            "Ana\n@ana_ruiz9\n·\n3h\nThe words of a copied post #quay\n\n",
            "x.com/a/status/20 https://t.co/AEoF\nZOhI3p t.me/harbour/5 ",
        ];
        for spaced in [true, false] {
            let mut text = String::new();
            let mut seed = 7usize;
            while text.len() < 5 * AHEAD {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let piece = pieces.get((seed >> 33) % pieces.len()).copied().unwrap_or_default();
                text.push_str(&if spaced { piece.to_owned() } else { piece.replace("\n\n", "\n") });
            }
            let text = if spaced { text } else { text.replace("\n\n", "\n") };
            let statement = statement::read(text.into_bytes(), &Hint { source: "a.txt".into(), content_type: None })?;
            let whole = found(&statement, usize::MAX);
            assert!(whole.len() > 4000, "{}", whole.len());
            assert_eq!(count(&statement), whole.len());
            for gathered in [1, 50, 700] {
                assert!(found(&statement, gathered) == whole, "{gathered}");
            }
        }
        Ok(())
    }
}
