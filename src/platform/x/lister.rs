//! What an account of X posted in a stretch of time: nobody without a login is told (2026), but ids hold their time, so archives can
//! be asked for the ids of that stretch.

use crate::format::http::{Answer, Request};
use crate::platform::lister::{Listed, Lister, Shelf, Stretch};
use crate::platform::post::{Platform, Post, PostName};
use crate::platform::reader::State;
use crate::platform::x::{is_handle, snowflake};

/// Prefixes of one stretch and one host.
const PREFIXES: usize = 2;
/// Since then posts stand at x.com too.
const X_COM: jiff::civil::Date = jiff::civil::date(2023, 7, 1);

/// Knows where the posts of one account would be.
#[derive(Debug)]
pub struct PostLister {
    handle: String,
}

impl PostLister {
    /// The lister for a handle; none where it cannot be one.
    pub fn new(handle: &str) -> Option<Self> {
        is_handle(handle).then(|| Self { handle: handle.to_owned() })
    }
}

impl Lister for PostLister {
    fn look(&mut self, _: Stretch) {}

    fn asks(&mut self) -> Vec<(u32, Request)> {
        Vec::new()
    }

    fn learn(&mut self, _: u32, _: Result<&Answer, &str>) {}

    fn done(&self) -> bool {
        true
    }

    fn heard(&mut self) -> Listed {
        Listed::none(State::LoginGated, "X lists an account's posts to those alone who are logged in")
    }

    fn shelf(&self, stretch: &Stretch) -> Shelf {
        let Some(ids) = snowflake::between(stretch.start, stretch.end) else { return Shelf::default() };
        let handle = &self.handle;
        let own = stretch.end.to_zoned(jiff::tz::TimeZone::UTC).date() > X_COM;
        let place = |prefix: String| {
            let old = format!("twitter.com/{handle}/status/{prefix}*");
            std::iter::once(old).chain(own.then(|| format!("x.com/{handle}/status/{prefix}*")))
        };
        Shelf { posts: snowflake::prefixes(&ids, PREFIXES).into_iter().flat_map(place).collect(), lists: Vec::new() }
    }

    fn may_be(&self, name: &PostName, stretch: &Stretch) -> bool {
        name.platform == Platform::X && snowflake::time_of(&name.id).is_some_and(|at| stretch.contains(&at))
    }

    fn on_list(&self, _: &Answer) -> Vec<Post> {
        Vec::new()
    }
}
