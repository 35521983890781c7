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
    pub(super) named: Option<Box<Named>>,
    pub(super) defanged: bool,
}

/// What a link names on a platform.
#[derive(Clone, Debug)]
pub(super) struct Named {
    pub(super) platform: Platform,
    pub(super) post_id: Option<String>,
    pub(super) handle: Option<String>,
}

impl Named {
    /// As the grammar of permalinks has it.
    pub(super) fn of(named: permalink::Named) -> Box<Self> {
        Box::new(Self { platform: named.platform, post_id: named.post, handle: named.handle })
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
