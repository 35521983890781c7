//! Which platform has which reader: a new platform is one file and one line here.

use url::Url;

use crate::format::http::Answer;
use crate::format::markup;
use crate::platform::lister::Lister;
use crate::platform::post::{Platform, Post, PostName};
use crate::platform::reader::Reader;
use crate::platform::secret::Secret;
use crate::platform::{bluesky, mastodon, reddit, telegram, x, youtube};

/// What helps a reader and need not be there.
#[derive(Clone, Copy, Debug, Default)]
pub struct Aids<'a> {
    /// the post's page: some servers can be asked for nothing else
    pub page: Option<&'a Url>,
    /// a bearer token for the API of X
    pub x_bearer: Option<&'a Secret>,
}

/// The reader for a post, where its platform can be read without a login.
pub fn reader(name: &PostName, aids: Aids<'_>) -> Option<Box<dyn Reader + Send>> {
    match name.platform {
        Platform::X => Some(Box::new(x::reader::XReader::new(&name.id, true).with_bearer(aids.x_bearer))),
        Platform::Bluesky => boxed(bluesky::reader::PostReader::new(&name.id)),
        Platform::Mastodon => boxed(mastodon::reader::PostReader::new(&name.id).map(|reader| match aids.page {
            Some(page) => reader.with_page(page.clone()),
            None => reader,
        })),
        Platform::Telegram => boxed(telegram::PostReader::new(&name.id)),
        Platform::Youtube => boxed(youtube::PostReader::new(&name.id)),
        Platform::Reddit => boxed(reddit::PostReader::new(&name.id)),
        Platform::Instagram | Platform::Facebook | Platform::Threads | Platform::Tiktok => None,
    }
}

/// The reader for an account, where its platform can be asked for one without a login. `handle` stands without `@`.
pub fn profile(platform: Platform, handle: &str) -> Option<Box<dyn Reader + Send>> {
    match platform {
        Platform::Bluesky => boxed(bluesky::reader::ProfileReader::new(handle)),
        Platform::Mastodon => boxed(mastodon::reader::ProfileReader::new(handle)),
        Platform::Telegram => boxed(telegram::ProfileReader::new(handle)),
        Platform::Youtube => boxed(youtube::ProfileReader::new(handle)),
        Platform::X
        | Platform::Reddit
        | Platform::Instagram
        | Platform::Facebook
        | Platform::Threads
        | Platform::Tiktok => None,
    }
}

/// The lister of what an account posted; it may know no more than where archives would keep that. `handle` stands without `@`.
pub fn lister(platform: Platform, handle: &str) -> Option<Box<dyn Lister + Send>> {
    fn boxed<L: Lister + Send + 'static>(lister: Option<L>) -> Option<Box<dyn Lister + Send>> {
        lister.map(|lister| Box::new(lister) as Box<dyn Lister + Send>)
    }
    match platform {
        Platform::X => boxed(x::lister::PostLister::new(handle)),
        Platform::Bluesky => boxed(bluesky::lister::PostLister::new(handle)),
        Platform::Mastodon => boxed(mastodon::lister::PostLister::new(handle)),
        Platform::Telegram => boxed(telegram::lister::PostLister::new(handle)),
        Platform::Youtube => boxed(youtube::lister::PostLister::new(handle)),
        Platform::Reddit => boxed(reddit::lister::PostLister::new(handle)),
        Platform::Instagram | Platform::Facebook | Platform::Threads | Platform::Tiktok => None,
    }
}

/// The post of that name in the answer to a question for its page, or in what an archive kept of either; none where neither
/// shows it.
pub fn kept(name: &PostName, answer: &Answer) -> Option<Post> {
    let content_type = answer.headers.get("content-type").unwrap_or_default();
    if name.platform == Platform::X {
        return x::reader::archived(&answer.body, &content_type, &name.id);
    }
    if let Ok(json) = serde_json::from_slice(&answer.body) {
        return kept_json(name, &json);
    }
    let text = markup::decode(&answer.body, &content_type);
    match name.platform {
        Platform::Bluesky => bluesky::page::read(&text, name),
        Platform::Mastodon => mastodon::page::read(&text, name),
        Platform::Telegram => telegram::widget::find(&text, name),
        Platform::Youtube => youtube::of_page(&text, name),
        Platform::Reddit => reddit::page::read(&text, name).or_else(|| Some(reddit::feed::read(&text, name)?.0)),
        Platform::X | Platform::Instagram | Platform::Facebook | Platform::Threads | Platform::Tiktok => None,
    }
}

fn kept_json(name: &PostName, json: &serde_json::Value) -> Option<Post> {
    match name.platform {
        Platform::Mastodon => {
            let (host, _) = mastodon::address(&name.id)?;
            let status = mastodon::status::of_json(json, host).map(|status| status.post);
            status.or_else(|| mastodon::note::of_host(json, host)).filter(|post| post.name == *name)
        }
        Platform::Reddit => reddit::listing::of_json(json).map(|(post, _)| post).filter(|post| post.name == *name),
        _ => None,
    }
}

/// Whether [`reader`] reads posts of that name.
pub fn can_read(name: &PostName) -> bool {
    reader(name, Aids::default()).is_some()
}

fn boxed<R: Reader + Send + 'static>(reader: Option<R>) -> Option<Box<dyn Reader + Send>> {
    reader.map(|reader| Box::new(reader) as Box<dyn Reader + Send>)
}
