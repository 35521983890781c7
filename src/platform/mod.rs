//! Each site's own grammar: URL forms, answers, ids. Pure: bytes in, values out. A new platform is one file and one line.

pub mod archive_today;
mod atom;
pub mod bluesky;
mod errand;
mod head;
pub mod lister;
pub mod mastodon;
pub mod page;
pub mod permalink;
pub mod post;
mod prose;
pub mod reader;
pub mod reddit;
pub mod registry;
pub mod secret;
pub mod shortener;
pub mod telegram;
pub mod wayback;
pub mod x;
pub mod youtube;
