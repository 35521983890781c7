//! A citation as it is found, borrowed from its statement: most are printed once and forgotten.

use super::mark::What;
use super::{Citation, CitationId, Kind};
use crate::format::sha2x;
use crate::statement::{Statement, StatementId};

/// One citation, borrowed from its statement as far as possible.
#[derive(Clone, Debug)]
pub struct Found<'t> {
    /// its id
    pub id: CitationId,
    pub(super) seen: Seen<'t>,
    /// exactly as it stands in the statement
    pub raw: &'t str,
    /// UTF-8 byte offsets `[start, end)`
    pub span: (usize, usize),
    /// the span is of the text read, not of the stored bytes
    pub transformed: bool,
    /// a guess
    pub candidate: bool,
}

/// What was seen.
#[derive(Clone, Debug)]
pub(super) enum Seen<'t> {
    Mark(What<'t>),
    Post(Box<Kind>),
}

impl From<Found<'_>> for Citation {
    fn from(found: Found<'_>) -> Self {
        Self {
            id: found.id,
            kind: found.seen.into_kind(),
            raw: found.raw.to_owned(),
            span: found.span,
            span_of: found.transformed.then(|| "text".to_owned()),
            candidate: found.candidate,
        }
    }
}

impl Seen<'_> {
    /// The letter that stands for the kind in an id.
    fn letter(&self) -> u8 {
        match self {
            Self::Mark(What::Link(_)) => b'l',
            Self::Mark(What::Handle(..)) => b'h',
            Self::Mark(What::Hashtag(_)) => b't',
            Self::Post(_) => b'p',
        }
    }

    fn into_kind(self) -> Kind {
        match self {
            Self::Post(kind) => *kind,
            Self::Mark(What::Link(link)) => Kind::Link {
                form: link.form,
                url: link.url.into_owned(),
                platform: link.platform,
                post_id: link.post_id,
                handle: link.handle,
                defanged: link.defanged,
            },
            Self::Mark(What::Handle(platform, handle)) => Kind::Handle { platform, handle: handle.into_owned() },
            Self::Mark(What::Hashtag(tag)) => Kind::Hashtag { tag: tag.into_owned() },
        }
    }
}

/// What was seen at a place of the statement's text, before it has its id.
#[derive(Clone, Debug)]
pub(super) struct Item<'t> {
    pub(super) span: (usize, usize),
    pub(super) candidate: bool,
    pub(super) seen: Seen<'t>,
}

impl Item<'_> {
    /// Where it stands in the order of citations: by its beginning, the longer first.
    pub(super) fn place(&self) -> (usize, std::cmp::Reverse<usize>) {
        (self.span.0, std::cmp::Reverse(self.span.1))
    }
}

/// Hands the items over, in their order, each with its id.
pub(super) fn hand_over<'t, E>(
    statement: &'t Statement,
    items: &mut Vec<Item<'t>>,
    take: &mut impl FnMut(Found<'t>) -> Result<(), E>,
) -> Result<(), E> {
    let mut waiting = None;
    for item in items.drain(..) {
        match waiting.take() {
            None => waiting = Some(item),
            Some(first) => {
                // two ids cost little more than one
                let (a, b) = sha2x::short_pair(&message(statement.id, &first), &message(statement.id, &item));
                take(found(statement, first, CitationId(a)))?;
                take(found(statement, item, CitationId(b)))?;
            }
        }
    }
    match waiting {
        Some(last) => {
            let (id, _) = sha2x::short_pair(&message(statement.id, &last), &[]);
            take(found(statement, last, CitationId(id)))
        }
        None => Ok(()),
    }
}

fn found<'t>(statement: &'t Statement, item: Item<'t>, id: CitationId) -> Found<'t> {
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
fn message(statement: StatementId, item: &Item<'_>) -> [u8; 49] {
    let mut message = [0; 49];
    let parts: [&[u8]; 4] = [
        &statement.0.0,
        &[item.seen.letter()],
        &(item.span.0 as u64).to_be_bytes(),
        &(item.span.1 as u64).to_be_bytes(),
    ];
    let mut rest = message.as_mut_slice();
    for part in parts {
        let Some((room, behind)) = rest.split_at_mut_checked(part.len()) else { break };
        room.copy_from_slice(part);
        rest = behind;
    }
    message
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
