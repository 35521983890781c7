//! A citation as it is found, borrowed from its statement: most are printed once and forgotten.

use std::cmp::Reverse;

use super::mark::{Mark, What};
use super::{Citation, CitationId, Kind};
use crate::format::sha2x;
use crate::statement::{Statement, StatementId};

/// One citation, borrowed from its statement as far as possible.
#[derive(Clone, Copy, Debug)]
pub struct Found<'f> {
    /// its id
    pub id: CitationId,
    pub(super) seen: Seen<'f>,
    /// exactly as it stands in the statement
    pub raw: &'f str,
    /// UTF-8 byte offsets `[start, end)`
    pub span: (usize, usize),
    /// the span is of the text read, not of the stored bytes
    pub transformed: bool,
    /// a guess
    pub candidate: bool,
}

/// What was seen.
#[derive(Clone, Copy, Debug)]
pub(super) enum Seen<'f> {
    Mark(&'f What<'f>),
    Post(&'f Kind),
}

impl From<Found<'_>> for Citation {
    fn from(found: Found<'_>) -> Self {
        Self {
            id: found.id,
            kind: found.seen.kind(),
            raw: found.raw.to_owned(),
            span: found.span,
            span_of: found.transformed.then(|| "text".to_owned()),
            candidate: found.candidate,
        }
    }
}

impl Seen<'_> {
    /// The letter that stands for the kind in an id.
    fn letter(self) -> u8 {
        match self {
            Self::Mark(What::Link(_)) => b'l',
            Self::Mark(What::Handle(..)) => b'h',
            Self::Mark(What::Hashtag(_)) => b't',
            Self::Post(_) => b'p',
        }
    }

    fn kind(self) -> Kind {
        match self {
            Self::Post(kind) => kind.clone(),
            Self::Mark(What::Link(link)) => Kind::Link {
                form: link.form,
                url: link.url.clone().into_owned(),
                platform: link.named.as_ref().map(|n| n.platform),
                post_id: link.named.as_ref().and_then(|n| n.post_id.as_deref()).map(str::to_owned),
                handle: link.named.as_ref().and_then(|n| n.handle.as_deref()).map(str::to_owned),
                defanged: link.defanged,
            },
            Self::Mark(What::Handle(platform, handle)) => {
                Kind::Handle { platform: *platform, handle: handle.clone().into_owned() }
            }
            Self::Mark(What::Hashtag(tag)) => Kind::Hashtag { tag: tag.clone().into_owned() },
        }
    }
}

/// What was seen at a place of the statement's text, before it has its id.
#[derive(Clone, Copy, Debug)]
pub(super) struct Item<'f> {
    pub(super) span: (usize, usize),
    pub(super) candidate: bool,
    pub(super) seen: Seen<'f>,
}

impl<'f> From<&'f Mark<'_>> for Item<'f> {
    fn from(mark: &'f Mark<'_>) -> Self {
        Self { span: (mark.start, mark.end), candidate: mark.candidate, seen: Seen::Mark(&mark.what) }
    }
}

/// Where something stands in the order of citations: by its beginning, the longer first.
pub(super) fn place(span: (usize, usize)) -> (usize, Reverse<usize>) {
    (span.0, Reverse(span.1))
}

/// Hands the items over, in their order, each with its id.
pub(super) fn hand_over<'f, E>(
    statement: &'f Statement,
    items: impl Iterator<Item = Item<'f>>,
    take: &mut impl FnMut(Found<'_>) -> Result<(), E>,
) -> Result<(), E> {
    let blocks = Blocks::of(statement.id);
    let mut waiting = None;
    for item in items {
        match waiting.take() {
            None => waiting = Some(item),
            Some(first) => {
                // two ids cost little more than one
                let (a, b) = sha2x::block_pair(&blocks.block(&first), &blocks.block(&item));
                take(found(statement, first, CitationId(a)))?;
                take(found(statement, item, CitationId(b)))?;
            }
        }
    }
    match waiting {
        Some(last) => {
            let block = blocks.block(&last);
            let (id, _) = sha2x::block_pair(&block, &block);
            take(found(statement, last, CitationId(id)))
        }
        None => Ok(()),
    }
}

fn found<'f>(statement: &'f Statement, item: Item<'f>, id: CitationId) -> Found<'f> {
    Found {
        id,
        raw: statement.text.get(item.span.0..item.span.1).unwrap_or_default(),
        seen: item.seen,
        span: item.span,
        transformed: statement.transformed,
        candidate: item.candidate,
    }
}

/// What an id is the SHA-256 of: the statement's id, one letter for the kind, and the span as two 64-bit big-endian numbers.
const MESSAGE: usize = 32 + 1 + 8 + 8;

/// The blocks of ids of one statement: all but seventeen bytes of them are the same.
struct Blocks([u8; sha2x::BLOCK]);

impl Blocks {
    fn of(statement: StatementId) -> Self {
        let mut message = [0; MESSAGE];
        if let Some(id) = message.first_chunk_mut() {
            *id = statement.0.0;
        }
        Self(sha2x::padded(&message).unwrap_or([0; sha2x::BLOCK]))
    }

    fn block(&self, item: &Item<'_>) -> [u8; sha2x::BLOCK] {
        let mut block = self.0;
        if let Some((letter, span)) = block.get_mut(32..MESSAGE).and_then(<[u8]>::split_first_mut) {
            *letter = item.seen.letter();
            let (from, to) = span.split_at_mut(8);
            from.copy_from_slice(&(item.span.0 as u64).to_be_bytes());
            to.copy_from_slice(&(item.span.1 as u64).to_be_bytes());
        }
        block
    }
}

#[cfg(test)]
mod tests {
    use crate::citation::find;
    use crate::format::digest::Digest;
    use crate::statement::{self, Hint};

    #[test]
    fn an_id_is_the_digest_of_statement_kind_and_place() -> Result<(), statement::Error> {
        let bytes = b"#Pier https://t.co/AEoFZOhI3p @ana_ruiz9".to_vec();
        let statement = statement::read(bytes, &Hint::default())?;
        for (found, letter) in find(&statement).iter().zip([b't', b'l', b'h']) {
            let mut message = statement.id.0.0.to_vec();
            message.push(letter);
            message.extend((found.span.0 as u64).to_be_bytes());
            message.extend((found.span.1 as u64).to_be_bytes());
            assert_eq!(found.id.0, Digest::of(&message));
        }
        Ok(())
    }
}
