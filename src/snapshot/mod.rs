//! The snapshot: what stood at the end. All exchanges of one capture, the post read from them, one manifest, one digest.

pub mod change;
pub mod gather;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::format::digest::Digest;
use crate::format::json;
use crate::format::sha2x::Lane;
use crate::format::words;
use crate::platform::post::Post;
use crate::platform::reader::Attestation;
use crate::resolution::ending::Ending;
use crate::resolution::hop::{FromArchive, Hop, Page, Part, Resolution, Role};
use crate::snapshot::gather::{Gathered, LeftOut};

/// The title of a page and the digest of the text a reader reads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PageSummary {
    /// title
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub title: Option<String>,
    /// author, as the page says
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub author: Option<String>,
    /// when, as the page says
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub published: Option<String>,
    /// language tag
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub language: Option<String>,
    /// canonical URL it claims
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub canonical: Option<String>,
    /// the **text** digest: SHA-256 of what a reader reads, white space folded
    pub text_digest: Digest,
}

/// What a snapshot is made of. Its canonical JSON is kept as one record, and the digest of that names the snapshot.
///
/// Four kinds of digest stand in it, and one is never compared with another: `wire` (a whole WARC record, in `evidence`),
/// `payload` (an entity as transferred, in `evidence`), `text` (what a reader reads) and `post` (the canonical post).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// what was cited
    pub target: String,
    /// the last URL
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub final_url: Option<String>,
    /// how the resolution ended
    pub ending: Ending,
    /// on what evidence
    pub why: String,
    /// when it was taken
    pub at: Timestamp,
    /// the hops
    pub hops: Vec<Hop>,
    /// the post
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub post: Option<Post>,
    /// the **post** digest: of the post's canonical JSON
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub post_digest: Option<Digest>,
    /// other posts that match the quoted words no less
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub also: Vec<Post>,
    /// the posts of one thread that the quoted words join, in order
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub thread: Vec<Post>,
    /// what the answers prove by signature or arithmetic, and fail to
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub attestations: Vec<Attestation>,
    /// the page, where it is no post
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub page: Option<PageSummary>,
    /// whose copy it is, where it is an archive's
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub from_archive: Option<FromArchive>,
    /// every exchange with its role and its evidence by name
    pub parts: Vec<Part>,
    /// what was not fetched, and why
    pub left_out: Vec<LeftOut>,
    /// what the user should know and no field says
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub notes: Vec<String>,
    /// the same for two snapshots of the same content: where it ended, the post or else the payload, the media
    pub content_digest: Digest,
}

/// What makes two snapshots the same: no clock, no cookie, no header.
#[derive(Serialize)]
struct Content<'a> {
    final_url: Option<&'a str>,
    post: Option<Digest>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    also: Vec<Digest>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    thread: Vec<Digest>,
    text: Option<Digest>,
    payload: Option<Digest>,
    media: Vec<(&'a str, Digest)>,
}

/// A value that JSON cannot hold; none of ours is one.
#[derive(Debug, thiserror::Error)]
#[error("write the manifest as canonical JSON")]
pub struct NotJson(#[from] serde_json::Error);

impl Manifest {
    /// The manifest of a capture.
    ///
    /// # Errors
    /// Where a value cannot be written as JSON.
    pub fn of(resolution: &Resolution, gathered: Gathered, at: Timestamp) -> Result<Self, NotJson> {
        let post_digest = resolution.post.as_ref().map(json::digest).transpose()?;
        let page = resolution.page.as_ref().map(summary);
        let mut parts = resolution.parts.clone();
        parts.extend(gathered.parts);
        let content_digest = Self::content(resolution, post_digest, page.as_ref())?;
        Ok(Self {
            target: resolution.start.clone(),
            final_url: resolution.final_url.clone(),
            ending: resolution.ending,
            why: resolution.why.clone(),
            at,
            hops: resolution.hops.clone(),
            post: resolution.post.clone(),
            post_digest,
            also: resolution.also.clone(),
            thread: resolution.thread.clone(),
            attestations: resolution.attestations.clone(),
            page,
            from_archive: resolution.from_archive.clone(),
            parts,
            left_out: gathered.left_out,
            notes: resolution.notes.clone(),
            content_digest,
        })
    }

    /// The digest over the final URL, the post or else the final entity, and the entities of the post's media. A post's
    /// answers carry counters that change by the minute, so of them only the post counts.
    fn content(resolution: &Resolution, post: Option<Digest>, page: Option<&PageSummary>) -> Result<Digest, NotJson> {
        let media = resolution.parts.iter().filter(|part| part.role == Role::Media && part.status == Some(200));
        let mut media: Vec<(&str, Digest)> =
            media.filter_map(|part| Some((part.url.as_str(), part.evidence.as_ref()?.payload?))).collect();
        media.sort_unstable();
        let no_post = post.is_none();
        let content = Content {
            final_url: resolution.final_url.as_deref(),
            post,
            also: resolution.also.iter().map(json::digest).collect::<Result<_, _>>()?,
            thread: resolution.thread.iter().map(json::digest).collect::<Result<_, _>>()?,
            payload: resolution.payload.filter(|_| no_post),
            text: page.map(|p| p.text_digest).filter(|_| no_post && resolution.payload.is_none()),
            media,
        };
        Ok(json::digest(&content)?)
    }

    /// The canonical JSON that is kept.
    ///
    /// # Errors
    /// Where a value cannot be written as JSON.
    pub fn canonical(&self) -> Result<Vec<u8>, NotJson> {
        Ok(json::canonical(self)?)
    }

    /// The digest that names the snapshot.
    ///
    /// # Errors
    /// As [`Manifest::canonical`].
    pub fn digest(&self) -> Result<Digest, NotJson> {
        Ok(Digest::of(&self.canonical()?))
    }
}

fn summary(page: &Page) -> PageSummary {
    PageSummary {
        title: page.title.clone(),
        author: page.author.clone(),
        published: page.published.clone(),
        language: page.language.clone(),
        canonical: page.canonical.clone(),
        text_digest: text_digest(&page.text),
    }
}

/// The text digest: of the words in reading order, white space folded to single spaces.
pub fn text_digest(text: &str) -> Digest {
    let mut lane = Lane::default();
    lane.update(&folded(text));
    lane.finish()
}

/// Bytes looked at at once.
const PIECE: usize = 64;

/// The words of a text with one space between them. Pages are long, and nearly all of them is folded already: pieces without two
/// blanks in a row, and without a byte that may begin a wider blank (U+0085, U+00A0, U+1680, U+2000 to U+3000), are taken whole.
fn folded(text: &str) -> Vec<u8> {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let (mut at, mut spaced) = (0, true);
    while at < bytes.len() {
        if let Some(piece) = bytes.get(at..=at + PIECE).filter(|piece| is_even(piece, spaced)) {
            // Copied whole and then mended in place: a loop over a slice has no end to look for byte by byte.
            let copied = out.len();
            out.extend_from_slice(piece.get(..PIECE).unwrap_or_default());
            for byte in out.get_mut(copied..).unwrap_or_default() {
                *byte = if is_blank(*byte) { b' ' } else { *byte };
            }
            spaced = out.last() == Some(&b' ');
            at += PIECE;
            continue;
        }
        // A piece may have ended within a character.
        let start = (at..=bytes.len()).find(|&at| text.is_char_boundary(at)).unwrap_or(bytes.len());
        let cut = bytes.get(at..start).unwrap_or_default();
        out.extend_from_slice(cut);
        spaced &= cut.is_empty();
        at = start;
        for c in text.get(start..).unwrap_or_default().chars() {
            let blank = c.is_whitespace();
            if !blank {
                out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
            } else if !spaced {
                out.push(b' ');
            }
            spaced = blank;
            at += c.len_utf8();
            if at >= start + PIECE {
                break;
            }
        }
    }
    if out.last() == Some(&b' ') {
        out.pop();
    }
    out
}

#[inline]
fn is_blank(byte: u8) -> bool {
    (byte == b' ') | (byte.wrapping_sub(b'\t') < 5)
}

fn is_even(piece: &[u8], spaced: bool) -> bool {
    let next = piece.get(1..).unwrap_or_default();
    let odd = piece.iter().zip(next).fold(false, |odd, (&byte, &next)| {
        odd | (is_blank(byte) & is_blank(next)) | (byte == 0xc2) | ((0xe1..=0xe3).contains(&byte))
    });
    !odd && (!spaced || piece.first().is_some_and(|&first| !is_blank(first)))
}

/// How alike the texts of two snapshots are, for people who compare them.
pub fn likeness(one: &str, other: &str) -> words::Likeness {
    words::compare(one, other)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ended(text: &str) -> Resolution {
        let mut resolution = Resolution::begun("https://t.co/abcdefghij");
        resolution.ending = Ending::Captured;
        resolution.final_url = Some("https://h.example/".to_owned());
        resolution.page = Some(Page { text: text.to_owned(), ..Page::default() });
        resolution
    }

    #[test]
    fn the_content_digest_knows_no_clock() -> Result<(), NotJson> {
        let one = Manifest::of(&ended("a b"), Gathered::default(), Timestamp::UNIX_EPOCH)?;
        let mut later = ended("a  b");
        later.notes.push("seen later".to_owned());
        let other = Manifest::of(&later, Gathered::default(), Timestamp::MAX)?;
        assert_eq!(one.content_digest, other.content_digest);
        assert_ne!(one.digest()?, other.digest()?);
        let changed = Manifest::of(&ended("a c"), Gathered::default(), Timestamp::UNIX_EPOCH)?;
        assert_ne!(one.content_digest, changed.content_digest);
        let mut moved = ended("a b");
        moved.final_url = Some("https://h.example/2".to_owned());
        assert_ne!(
            one.content_digest,
            Manifest::of(&moved, Gathered::default(), Timestamp::UNIX_EPOCH)?.content_digest
        );
        Ok(())
    }

    #[test]
    fn texts_are_folded_as_their_words_are() {
        let pieces = [
            "word",
            " ",
            "  ",
            "\n",
            "\t\r\n",
            "\u{b}",
            "\u{85}",
            "\u{a0}",
            "\u{2003}",
            "\u{3000}",
            "é",
            "слово",
            "語",
            "\u{1f600}",
            "\u{a1}",
            "x",
        ];
        let mut dice = 7_u32;
        let mut next = || {
            dice = dice.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (dice >> 16) as usize
        };
        for round in 0..3000 {
            // From texts that are all oddities to texts that have hardly any.
            let rare = 1 + round % 40;
            let text: String = (0..next() % 200)
                .map(|_| {
                    if next() % rare == 0 {
                        pieces[next() % pieces.len()]
                    } else {
                        ["on", "Monday", " a", "ж "][next() % 4]
                    }
                })
                .collect();
            let want = text.split_whitespace().collect::<Vec<_>>().join(" ");
            assert_eq!(String::from_utf8(folded(&text)).unwrap(), want, "{text:?}");
        }
    }

    #[test]
    fn a_manifest_is_canonical_and_reads_back() -> Result<(), Box<dyn std::error::Error>> {
        let manifest = Manifest::of(&ended("a b"), Gathered::default(), Timestamp::UNIX_EPOCH)?;
        let bytes = manifest.canonical()?;
        assert!(json::is_canonical(&bytes));
        let back: Manifest = serde_json::from_slice(&bytes)?;
        assert_eq!(back, manifest);
        assert_eq!(back.digest()?, manifest.digest()?);
        Ok(())
    }
}
