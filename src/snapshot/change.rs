//! What changed between two looks at one citation: how it ended, and what stood there.

use serde::{Deserialize, Serialize};

use crate::platform::post::Post;
use crate::resolution::ending::Ending;
use crate::resolution::hop::Role;
use crate::snapshot::Manifest;

/// Longest value a change quotes, in characters; the snapshots have the rest.
const QUOTED: usize = 2000;
/// Failures in a row after which a thing that cannot be reached counts as lost; fewer are a bad day.
pub const LASTING: u32 = 3;

/// What kind of change it is. The names are fixed for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum What {
    /// it was deleted
    Deleted,
    /// its account was suspended
    Suspended,
    /// a login, an age check, a follower's rights or another country are asked for now
    Gated,
    /// it can no longer be had, for any other reason
    Lost,
    /// it can be had again
    Back,
    /// its words are others
    Words,
    /// its platform says that it was edited
    Edited,
    /// its pictures or videos are others
    Media,
    /// its author's handle or name is another
    Author,
    /// it leads elsewhere now
    Moved,
    /// something else that a reader sees
    Other,
}

impl What {
    /// Every kind.
    pub const ALL: [Self; 11] = [
        Self::Deleted,
        Self::Suspended,
        Self::Gated,
        Self::Lost,
        Self::Back,
        Self::Words,
        Self::Edited,
        Self::Media,
        Self::Author,
        Self::Moved,
        Self::Other,
    ];

    /// The kind of that name.
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|what| what.as_str() == name)
    }

    /// Its name in records, tables and notices.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Deleted => "deleted",
            Self::Suspended => "suspended",
            Self::Gated => "gated",
            Self::Lost => "lost",
            Self::Back => "back",
            Self::Words => "words",
            Self::Edited => "edited",
            Self::Media => "media",
            Self::Author => "author",
            Self::Moved => "moved",
            Self::Other => "other",
        }
    }
}

/// One change, with what stood there before and what stands there now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// which kind
    pub what: What,
    /// before
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub before: Option<String>,
    /// now
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub after: Option<String>,
}

impl Change {
    fn of(what: What, before: &str, after: &str) -> Self {
        let quote = |text: &str| (!text.is_empty()).then(|| text.chars().take(QUOTED).collect());
        Self { what, before: quote(before), after: quote(after) }
    }
}

/// The changes in how a citation ended. A retryable ending is no change until it has lasted: `failures` counts them in a row,
/// this one included.
pub fn of_ending(before: Ending, after: Ending, failures: u32) -> Option<Change> {
    if after.is_retryable() && failures < LASTING {
        return None;
    }
    let (was, is) = (state(before), state(after));
    let what = if was == is { return None } else { is.unwrap_or(What::Back) };
    Some(Change::of(what, before.as_str(), after.as_str()))
}

/// What an ending says of the thing itself; nothing where it is there as it should be.
fn state(ending: Ending) -> Option<What> {
    match ending {
        Ending::Captured | Ending::Unchanged | Ending::TooLarge => None,
        Ending::Gone | Ending::Soft404 => Some(What::Deleted),
        Ending::Suspended => Some(What::Suspended),
        Ending::Protected | Ending::LoginGated | Ending::AgeGated | Ending::Withheld => Some(What::Gated),
        _ => Some(What::Lost),
    }
}

/// The changes between two snapshots of one citation; none where only bytes differ that no reader sees.
pub fn of_content(before: &Manifest, after: &Manifest) -> Vec<Change> {
    let mut changes = match (&before.post, &after.post) {
        (Some(one), Some(other)) => of_post(one, other),
        (None, None) => of_page(before, after),
        (Some(_), None) => vec![Change::of(What::Other, "a post", "a page")],
        (None, Some(_)) => vec![Change::of(What::Other, "a page", "a post")],
    };
    let (had, has) = (media(before), media(after));
    // Media that could not be fetched this time are not other media.
    if !had.is_empty() && !has.is_empty() && had != has {
        changes.push(Change::of(What::Media, &had.join(" "), &has.join(" ")));
    }
    if before.post.is_none() && before.final_url != after.final_url {
        let url = |manifest: &Manifest| manifest.final_url.clone().unwrap_or_default();
        changes.push(Change::of(What::Moved, &url(before), &url(after)));
    }
    changes
}

fn of_post(before: &Post, after: &Post) -> Vec<Change> {
    let mut changes = Vec::new();
    // A text known to be cut says nothing of the words it leaves out.
    if !before.cut && !after.cut && folded(&before.text) != folded(&after.text) {
        changes.push(Change::of(What::Words, &before.text, &after.text));
    }
    if (after.edited && !before.edited) || (!before.versions.is_empty() && after.versions.len() > before.versions.len())
    {
        changes.push(Change::of(What::Edited, &versions(before), &versions(after)));
    }
    if before.author.handle != after.author.handle || before.author.name != after.author.name {
        changes.push(Change::of(What::Author, &author(before), &author(after)));
    }
    if before.name != after.name {
        changes.push(Change::of(What::Moved, &before.name.to_string(), &after.name.to_string()));
    }
    changes
}

fn of_page(before: &Manifest, after: &Manifest) -> Vec<Change> {
    let (Some(one), Some(other)) = (&before.page, &after.page) else { return Vec::new() };
    if one.text_digest == other.text_digest {
        return Vec::new();
    }
    let (had, has) = (one.text_digest.to_string(), other.text_digest.to_string());
    vec![Change::of(What::Words, &had, &has)]
}

fn folded(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn versions(post: &Post) -> String {
    if post.versions.is_empty() { "no versions told".to_owned() } else { post.versions.join(" ") }
}

fn author(post: &Post) -> String {
    format!("{} @{}", post.author.name.as_deref().unwrap_or_default(), post.author.handle).trim().to_owned()
}

/// Digests of the post's media as they came, in order.
fn media(manifest: &Manifest) -> Vec<String> {
    let parts = manifest.parts.iter().filter(|part| part.role == Role::Media && part.status == Some(200));
    let mut digests: Vec<String> =
        parts.filter_map(|part| Some(part.evidence.as_ref()?.payload?.to_string())).collect();
    digests.sort_unstable();
    digests.dedup();
    digests
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::digest::Digest;
    use crate::platform::post::{Author, Platform, PostName};
    use crate::resolution::exchange::Evidence;
    use crate::resolution::hop::{Page, Part, Resolution};
    use crate::snapshot::gather::Gathered;
    use jiff::Timestamp;

    fn post(text: &str) -> Post {
        Post {
            name: PostName { platform: Platform::X, id: "1".to_owned() },
            permalink: "https://x.com/a/status/1".to_owned(),
            author: Author { handle: "a".to_owned(), name: None, id: None },
            posted: None,
            id_time: None,
            text: text.to_owned(),
            language: None,
            cut: false,
            links: Vec::new(),
            media: Vec::new(),
            versions: Vec::new(),
            others: Vec::new(),
            edited: false,
            reply_to: None,
            quotes: None,
        }
    }

    fn manifest(set: impl FnOnce(&mut Resolution)) -> Manifest {
        let mut resolution = Resolution::begun("https://t.co/abcdefghij");
        resolution.ending = Ending::Captured;
        resolution.final_url = Some("https://h.example/".to_owned());
        set(&mut resolution);
        Manifest::of(&resolution, Gathered::default(), Timestamp::UNIX_EPOCH).unwrap()
    }

    fn whats(before: &Manifest, after: &Manifest) -> Vec<What> {
        of_content(before, after).into_iter().map(|change| change.what).collect()
    }

    #[test]
    fn endings_change_as_a_reader_would_say() {
        use Ending::*;
        for (before, after, expected) in [
            (Captured, Gone, Some(What::Deleted)),
            (Unchanged, Soft404, Some(What::Deleted)),
            (Captured, Suspended, Some(What::Suspended)),
            (Captured, LoginGated, Some(What::Gated)),
            (Unchanged, CapturedFromArchive, Some(What::Lost)),
            (Captured, Blocked, Some(What::Lost)),
            (Gone, Captured, Some(What::Back)),
            (Gone, Unchanged, Some(What::Back)),
            (Suspended, Gone, Some(What::Deleted)),
            (Captured, Unchanged, None),
            (Gone, Soft404, None),
            (Protected, AgeGated, None),
        ] {
            let found = of_ending(before, after, 0).map(|change| change.what);
            assert_eq!(found, expected, "{} to {}", before.as_str(), after.as_str());
        }
    }

    #[test]
    fn a_bad_day_is_no_loss_and_a_bad_week_is() {
        for failures in 1..LASTING {
            assert_eq!(of_ending(Ending::Captured, Ending::Timeout, failures), None);
        }
        let lost = of_ending(Ending::Captured, Ending::Timeout, LASTING).unwrap();
        assert_eq!((lost.what, lost.after.as_deref()), (What::Lost, Some("timeout")));
        assert_eq!(of_ending(Ending::Timeout, Ending::Unreachable, LASTING + 1), None);
        assert_eq!(of_ending(Ending::Timeout, Ending::Captured, 0).map(|c| c.what), Some(What::Back));
    }

    #[test]
    fn words_edits_authors_and_names_of_posts() {
        let before = manifest(|r| r.post = Some(post("a b")));
        assert!(whats(&before, &manifest(|r| r.post = Some(post("a  b\n")))).is_empty());
        let words = of_content(&before, &manifest(|r| r.post = Some(post("a c"))));
        assert_eq!(words, [Change::of(What::Words, "a b", "a c")]);
        let edited =
            manifest(|r| r.post = Some(Post { edited: true, versions: vec!["1".into(), "2".into()], ..post("a b") }));
        assert_eq!(whats(&before, &edited), [What::Edited]);
        let renamed = Author { handle: "b".to_owned(), ..Author::default() };
        assert_eq!(
            whats(&before, &manifest(|r| r.post = Some(Post { author: renamed, ..post("a b") }))),
            [What::Author]
        );
        let cut = manifest(|r| r.post = Some(Post { cut: true, ..post("a") }));
        assert!(whats(&before, &cut).is_empty(), "a short answer is no shorter post");
        assert_eq!(whats(&before, &manifest(|_| ())), [What::Other]);
    }

    #[test]
    fn pages_change_by_what_a_reader_reads() {
        let page = |text: &str| Page { text: text.to_owned(), ..Page::default() };
        let before = manifest(|r| r.page = Some(page("a b")));
        assert_eq!(whats(&before, &manifest(|r| r.page = Some(page("a c")))), [What::Words]);
        let other_bytes = manifest(|r| {
            r.page = Some(page("a b"));
            r.payload = Some(Digest::of(b"another nonce"));
        });
        assert!(whats(&before, &other_bytes).is_empty());
        let moved = manifest(|r| {
            r.page = Some(page("a b"));
            r.final_url = Some("https://h.example/2".to_owned());
        });
        assert_eq!(whats(&before, &moved), [What::Moved]);
    }

    #[test]
    fn swapped_media_are_seen_and_missing_ones_are_not_swapped() {
        let with = |bytes: Option<&[u8]>| {
            manifest(|r| {
                r.post = Some(post("a b"));
                r.parts = bytes.iter().map(|bytes| media_part(bytes)).collect();
            })
        };
        assert_eq!(whats(&with(Some(b"one")), &with(Some(b"two"))), [What::Media]);
        assert!(whats(&with(Some(b"one")), &with(Some(b"one"))).is_empty());
        assert!(whats(&with(Some(b"one")), &with(None)).is_empty());
    }

    fn media_part(bytes: &[u8]) -> Part {
        Part {
            role: Role::Media,
            url: "https://pbs.example/1.jpg".to_owned(),
            status: Some(200),
            media_type: "image/jpeg".to_owned(),
            at: Timestamp::UNIX_EPOCH,
            evidence: Some(Evidence {
                response: None,
                request: None,
                metadata: None,
                payload: Some(Digest::of(bytes)),
                length: bytes.len() as u64,
                also: Vec::new(),
            }),
            error: None,
        }
    }

    #[test]
    fn long_words_are_cut() {
        let long = "a".repeat(QUOTED * 2);
        let change = Change::of(What::Words, &long, "");
        assert_eq!(change.before.map(|text| text.len()), Some(QUOTED));
        assert_eq!(change.after, None);
    }
}
