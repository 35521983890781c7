//! News: what a run tells whoever watches it. The run does not know whether anybody does.

use crate::resolution::ending::Ending;

/// Where a citation is on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// its hops are followed
    Resolving,
    /// what stands at the end, and around it, is fetched
    Capturing,
    /// the post is compared with what the statement claims
    Checking,
    /// it is written down
    Recording,
}

impl Stage {
    /// Its name for a person.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Resolving => "resolving",
            Self::Capturing => "capturing",
            Self::Checking => "checking",
            Self::Recording => "recording",
        }
    }
}

/// One thing that happened. `number` counts the planned citations of a run from 0; `label` is the citation as it stands
/// in the statement, and is not to be trusted.
#[derive(Clone, Debug, PartialEq)]
pub enum News {
    /// the run has begun
    Planned {
        /// citations to resolve
        citations: usize,
    },
    /// a citation has come to a stage
    Stage {
        /// which citation
        number: usize,
        /// as it stands in the statement
        label: String,
        /// where it is now
        stage: Stage,
    },
    /// a citation has taken a hop
    Hop {
        /// which citation
        number: usize,
        /// exchanges so far
        hops: usize,
        /// the URL asked
        url: String,
    },
    /// a citation has ended
    Ended {
        /// which citation
        number: usize,
        /// as it stands in the statement
        label: String,
        /// how
        ending: Ending,
    },
    /// the run is closed
    Closed,
}

/// Whoever is told. Called from any thread and never waited for long.
pub trait Watch: Send + Sync {
    /// Something happened.
    fn see(&self, news: News);
}

/// Nobody.
#[derive(Clone, Copy, Debug, Default)]
pub struct Nobody;

impl Watch for Nobody {
    fn see(&self, _news: News) {}
}

impl<F: Fn(News) + Send + Sync> Watch for F {
    fn see(&self, news: News) {
        self(news);
    }
}
