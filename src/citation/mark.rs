//! What the scanner sees: a stretch of the text and what stands there, borrowed as far as possible.

use std::borrow::Cow;

use super::Form;
use crate::platform::post::Platform;

/// A link as read.
#[derive(Clone, Debug)]
pub(super) struct Link<'t> {
    pub(super) form: Form,
    pub(super) url: Cow<'t, str>,
    pub(super) platform: Option<Platform>,
    pub(super) post_id: Option<String>,
    pub(super) handle: Option<String>,
    pub(super) defanged: bool,
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
