//! What the scanner sees: a stretch of the text and what stands there, borrowed as far as possible.

use std::borrow::Cow;

use super::Form;
use crate::platform::permalink;
use crate::platform::post::Platform;

/// A link as read.
#[derive(Clone, Debug)]
pub(super) struct Link<'t> {
    pub(super) form: Form,
    pub(super) url: Cow<'t, str>,
    /// in a box, because most links name nothing and millions of them pass through the scanner
    pub(super) named: Option<Box<Named<'t>>>,
    pub(super) defanged: bool,
}

/// What a link names on a platform.
#[derive(Clone, Debug)]
pub(super) struct Named<'t> {
    pub(super) platform: Platform,
    pub(super) post_id: Option<Cow<'t, str>>,
    pub(super) handle: Option<Cow<'t, str>>,
}

impl<'t> Named<'t> {
    /// As the grammar of permalinks has it.
    pub(super) fn of(named: permalink::Named) -> Box<Self> {
        let (post_id, handle) = (named.post.map(Cow::Owned), named.handle.map(Cow::Owned));
        Box::new(Self { platform: named.platform, post_id, handle })
    }

    /// As a glance saw it.
    pub(super) fn seen(glance: permalink::Glance<'t>) -> Box<Self> {
        Box::new(Self { platform: glance.platform, post_id: glance.post, handle: glance.handle })
    }

    /// As a glance saw it at a URL that is not the text's own.
    pub(super) fn seen_elsewhere(glance: permalink::Glance<'_>) -> Box<Self> {
        let owned = |text: Cow<'_, str>| Cow::Owned(text.into_owned());
        let (post_id, handle) = (glance.post.map(owned), glance.handle.map(owned));
        Box::new(Self { platform: glance.platform, post_id, handle })
    }
}

impl Link<'_> {
    /// Without what it borrows.
    pub(super) fn into_owned<'t>(self) -> Link<'t> {
        let owned = |text: Cow<'_, str>| Cow::Owned(text.into_owned());
        let named = self.named.map(|named| {
            let Named { platform, post_id, handle } = *named;
            Box::new(Named { platform, post_id: post_id.map(owned), handle: handle.map(owned) })
        });
        Link { form: self.form, url: owned(self.url), named, defanged: self.defanged }
    }
}

/// What stands in a stretch.
#[derive(Clone, Debug)]
pub(super) enum What<'t> {
    Link(Link<'t>),
    Handle(Platform, Cow<'t, str>),
    Hashtag(Cow<'t, str>),
}

/// One thing seen.
#[derive(Clone, Debug)]
pub(super) struct Mark<'t> {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) what: What<'t>,
    /// a guess
    pub(super) candidate: bool,
}
