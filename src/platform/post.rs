//! The post, whatever the platform: what a reader of it saw, normalised so that it can be compared and hashed.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Where posts live.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Platform {
    /// X, formerly Twitter
    X,
    /// Bluesky and other AT Protocol servers
    Bluesky,
    /// Mastodon and other ActivityPub servers
    Mastodon,
    /// Telegram channels
    Telegram,
    /// YouTube
    Youtube,
    /// Reddit
    Reddit,
    /// Instagram (permalinks are recognised; posts are not read without a login)
    Instagram,
    /// Facebook (the same)
    Facebook,
    /// Threads (the same)
    Threads,
    /// TikTok (the same)
    Tiktok,
}

impl Platform {
    /// The name used in JSON, tables and post names.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::X => "x",
            Self::Bluesky => "bluesky",
            Self::Mastodon => "mastodon",
            Self::Telegram => "telegram",
            Self::Youtube => "youtube",
            Self::Reddit => "reddit",
            Self::Instagram => "instagram",
            Self::Facebook => "facebook",
            Self::Threads => "threads",
            Self::Tiktok => "tiktok",
        }
    }
}

/// A post's name: `x:1138137…`, `bluesky:<did>/<rkey>`, `mastodon:<host>/<id>`, `telegram:<channel>/<n>`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PostName {
    /// the platform
    pub platform: Platform,
    /// the part after the colon
    pub id: String,
}

impl std::fmt::Display for PostName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.platform.as_str(), self.id)
    }
}

/// Who wrote a post, as the platform says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Author {
    /// handle without `@`, in the platform's own case (`user@host` on federated servers)
    pub handle: String,
    /// display name
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub name: Option<String>,
    /// the id that survives a renaming
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub id: Option<String>,
}

/// A link inside a post.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PostLink {
    /// as it stands in the text (`https://t.co/…`)
    pub raw: String,
    /// where the platform says it leads
    pub expanded: String,
    /// as shown to readers (`pic.x.com/…`)
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub shown: Option<String>,
}

/// A picture, video or sound of a post.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Media {
    /// `photo`, `video`, `gif`, `audio`, `card`
    pub kind: String,
    /// best quality there is
    pub url: String,
    /// the still before a video plays
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub poster: Option<String>,
    /// description for those who cannot see it
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub alt: Option<String>,
    /// when it was uploaded, where its name tells
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub uploaded: Option<Timestamp>,
}

impl Post {
    /// A post of which nothing but the name is known yet.
    pub fn bare(name: PostName) -> Self {
        Self {
            name,
            permalink: String::new(),
            author: Author::default(),
            posted: None,
            id_time: None,
            text: String::new(),
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
}

/// Another version of an edited post: what it said, and since when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version {
    /// its own id, where each version has one
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub id: Option<String>,
    /// when it was made, as the platform states it
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub at: Option<Timestamp>,
    /// its words
    pub text: String,
}

/// One post as read from an answer of its platform (or of an archive's copy of it).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Post {
    /// its name
    pub name: PostName,
    /// the platform's own URL of it
    pub permalink: String,
    /// who wrote it
    pub author: Author,
    /// the time the platform states
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub posted: Option<Timestamp>,
    /// the time its id holds
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub id_time: Option<Timestamp>,
    /// plain text, entities undone, links as they stand in it
    pub text: String,
    /// language tag
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub language: Option<String>,
    /// the text is known to be cut (long posts in short answers)
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub cut: bool,
    /// links in the text
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub links: Vec<PostLink>,
    /// media
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub media: Vec<Media>,
    /// ids of every version, oldest first, where the platform lets posts be edited
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub versions: Vec<String>,
    /// words of the other versions, where the platform gives them, oldest first
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub others: Vec<Version>,
    /// edited, by the platform's own mark
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub edited: bool,
    /// the post this one answers
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reply_to: Option<PostName>,
    /// the post quoted inside this one
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub quotes: Option<Box<Post>>,
}
