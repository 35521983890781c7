//! robots.txt (RFC 9309): asked for once a run and site, kept as evidence, obeyed only where a setting says so.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OnceCell;
use url::{Position, Url};

use crate::format::robots::Robots;
use crate::resolution::exchange::Exchange;
use crate::resolution::hop::Role;

/// Sites remembered in one run; one that is forgotten is asked again.
const REMEMBERED: usize = 4096;

/// What robots.txt is to us.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Policy {
    /// kept beside the page; what it says is not followed, for pages that a statement names are fetched singly
    #[default]
    Record,
    /// kept, and what it forbids is not asked for
    Obey,
    /// not asked for
    Ignore,
}

/// What a site allows.
#[derive(Clone, Debug, PartialEq)]
pub enum Rules {
    /// everything: it has none (4xx), or nothing was said of it
    Everything,
    /// nothing: it could not be had (RFC 9309 §2.3.1.4)
    Nothing,
    /// what they say
    Said(Robots),
}

impl Rules {
    /// What the answer to a request for robots.txt means.
    pub fn of(exchange: &Exchange) -> Self {
        match &exchange.outcome {
            Ok(answer) if (200..300).contains(&answer.status) => Self::Said(Robots::parse(&answer.body)),
            Ok(answer) if (300..500).contains(&answer.status) && answer.status != 429 => Self::Everything,
            _ => Self::Nothing,
        }
    }

    /// Whether `agent` may fetch `url`.
    pub fn allow(&self, agent: &str, url: &Url) -> bool {
        match self {
            Self::Everything => true,
            Self::Nothing => false,
            Self::Said(robots) => robots.allows(agent, &url[Position::BeforePath..Position::AfterQuery]),
        }
    }
}

/// A site's robots.txt as it came, and what it means.
pub type Heard = Arc<OnceCell<(Exchange, Rules)>>;

/// The sites of one run.
#[derive(Debug, Default)]
pub struct Sites(Mutex<HashMap<String, Heard>>);

impl Sites {
    /// The place of a site's robots.txt, filled or still to be filled.
    pub fn site(&self, robots: &Url) -> Heard {
        let mut sites = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if sites.len() >= REMEMBERED && !sites.contains_key(robots.as_str()) {
            sites.clear();
        }
        sites.entry(robots.as_str().to_owned()).or_default().clone()
    }
}

/// Where the site of `url` keeps its robots.txt.
pub fn url_of(url: &Url) -> Option<Url> {
    let mut robots = url.clone();
    robots.set_path("/robots.txt");
    robots.set_query(None);
    robots.set_fragment(None);
    (matches!(url.scheme(), "http" | "https") && robots != *url).then_some(robots)
}

/// Whether what is asked for in this role is a page, or part of one, and not a platform's or archive's own interface.
pub fn concerns(role: Role) -> bool {
    matches!(role, Role::Hop | Role::Requisite | Role::Media)
}

/// The product token of a User-Agent: `onrecord` of `onrecord/0.1.0 (+…)`.
pub fn token(user_agent: &str) -> &str {
    user_agent.split(['/', ' ']).next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::http::{Answer, Request};
    use crate::resolution::exchange::Failure;

    fn rules(outcome: Result<(u16, &str), Failure>) -> Result<Rules, url::ParseError> {
        let request = Request::get(Url::parse("https://h.example/robots.txt")?);
        let outcome =
            outcome.map(|(status, body)| Answer { status, body: body.as_bytes().to_vec(), ..Answer::default() });
        let at = jiff::Timestamp::UNIX_EPOCH;
        Ok(Rules::of(&Exchange { request, at, ms: 0, remote: None, outcome, evidence: None }))
    }

    #[test]
    fn what_cannot_be_had_forbids_and_what_is_not_there_allows() -> Result<(), url::ParseError> {
        let page = Url::parse("https://h.example/private/a?b")?;
        let said = "User-agent: onrecord\nDisallow: /private/\n";
        assert!(!rules(Ok((200, said)))?.allow("onrecord", &page));
        assert!(rules(Ok((200, said)))?.allow("other", &page));
        assert!(rules(Ok((404, said)))?.allow("onrecord", &page));
        assert!(!rules(Ok((503, "")))?.allow("onrecord", &page));
        assert!(!rules(Err(Failure::Unreachable("reset".into())))?.allow("onrecord", &page));
        Ok(())
    }

    #[test]
    fn every_site_has_its_own() -> Result<(), url::ParseError> {
        let of = |url: &str| Ok::<_, url::ParseError>(url_of(&Url::parse(url)?).map(|url| url.to_string()));
        assert_eq!(of("https://h.example:8443/a?b#c")?.as_deref(), Some("https://h.example:8443/robots.txt"));
        assert_eq!(of("https://h.example/robots.txt")?, None);
        assert_eq!(token("onrecord/0.1.0 (+https://h.example)"), "onrecord");
        Ok(())
    }
}
