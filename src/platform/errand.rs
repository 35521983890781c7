//! The errands of one reader: what is still to be asked, what is awaited, and which redirects of an endpoint are followed.

use std::collections::BTreeMap;

use url::Url;

use crate::format::http::{Answer, Method, Request};
use crate::platform::reader::State;

/// Redirects of one endpoint; an API that sends a client further than this is not answering.
const MAX_REDIRECTS: u8 = 3;

/// Requests with the purpose `K` each was sent for.
#[derive(Debug)]
pub(crate) struct Errands<K> {
    next: u32,
    queue: Vec<(u32, Request)>,
    awaited: BTreeMap<u32, Sent<K>>,
}

#[derive(Debug)]
struct Sent<K> {
    purpose: K,
    request: Request,
    redirects: u8,
}

impl<K: Clone> Errands<K> {
    pub(crate) fn new() -> Self {
        Self { next: 0, queue: Vec::new(), awaited: BTreeMap::new() }
    }

    /// Puts a request on the list.
    pub(crate) fn ask(&mut self, purpose: K, request: Request) {
        self.send(Sent { purpose, request, redirects: 0 });
    }

    fn send(&mut self, sent: Sent<K>) {
        self.queue.push((self.next, sent.request.clone()));
        self.awaited.insert(self.next, sent);
        self.next = self.next.wrapping_add(1);
    }

    /// What is to be asked now; each request is given out once.
    pub(crate) fn take(&mut self) -> Vec<(u32, Request)> {
        std::mem::take(&mut self.queue)
    }

    /// The purpose that this answer serves, and the URL that gave it; none where it is a redirect that will be followed, or
    /// where nobody asked.
    pub(crate) fn settle(&mut self, id: u32, answer: Result<&Answer, &str>) -> Option<(K, Url)> {
        let mut sent = self.awaited.remove(&id)?;
        let onward = answer.ok().and_then(|answer| onward(&sent.request, answer));
        match onward {
            Some(url) if sent.redirects < MAX_REDIRECTS => {
                sent.request.url = url;
                sent.redirects += 1;
                self.send(sent);
                None
            }
            _ => Some((sent.purpose, sent.request.url)),
        }
    }

    /// Whether nothing is to be asked or awaited.
    pub(crate) fn idle(&self) -> bool {
        self.queue.is_empty() && self.awaited.is_empty()
    }
}

/// Where an endpoint's redirect leads. An answer over TLS is not exchanged for one without, and a login page answers nothing.
fn onward(request: &Request, answer: &Answer) -> Option<Url> {
    let redirect = matches!(answer.status, 301 | 302 | 303 | 307 | 308) && request.method == Method::Get;
    let url = request.url.join(answer.headers.get("location")?.trim()).ok()?;
    let kept = url.scheme() == request.url.scheme() || url.scheme() == "https";
    let login = url.path().split('/').any(|segment| matches!(segment, "login" | "signin"));
    (redirect && kept && !login && matches!(url.scheme(), "http" | "https") && url != request.url).then_some(url)
}

/// What a status alone says of a post that is not shown.
pub(crate) fn refusal(status: u16) -> State {
    match status {
        401 => State::LoginGated,
        403 => State::Blocked,
        404 => State::NotFound,
        410 => State::Gone,
        429 => State::RateLimited,
        451 => State::Withheld,
        500..=599 => State::ServerError,
        _ => State::Unknown,
    }
}

/// `URL` with query parameters; none where the URL is not one.
pub(crate) fn endpoint(base: &str, query: &[(&str, &str)]) -> Option<Url> {
    let mut url = Url::parse(base).ok()?;
    if !query.is_empty() {
        url.query_pairs_mut().extend_pairs(query);
    }
    Some(url)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::http::Headers;

    fn redirect(to: &str) -> Answer {
        let headers = Headers(vec![("Location".into(), to.as_bytes().to_vec())]);
        Answer { status: 302, headers, ..Answer::default() }
    }

    #[test]
    fn redirects_are_followed_a_few_times_and_never_down_from_tls() {
        let mut errands = Errands::new();
        errands.ask('a', Request::get("https://a.example/x".parse().unwrap()).with("Accept", "b"));
        let mut asked = Vec::new();
        let end = loop {
            let (id, request) = errands.take().remove(0);
            asked.push(request.url.to_string());
            assert_eq!(request.headers.len(), 1);
            if let Some(end) = errands.settle(id, Ok(&redirect(&format!("/{}", asked.len())))) {
                break end;
            }
        };
        assert_eq!(asked, ["https://a.example/x", "https://a.example/1", "https://a.example/2", "https://a.example/3"]);
        assert_eq!((end.0, end.1.as_str()), ('a', "https://a.example/3"));
        assert!(errands.idle());

        for to in ["http://a.example/x", "/login/?reason=x", "ftp://a.example/", "https://a.example/x", "http://["] {
            errands.ask('b', Request::get("https://a.example/x".parse().unwrap()));
            let (id, _) = errands.take().remove(0);
            assert!(errands.settle(id, Ok(&redirect(to))).is_some(), "{to}");
        }
        assert!(errands.settle(99, Err("nobody asked")).is_none());
    }
}
