//! Cookies of one chain (RFC 6265 §5, as far as a chain of redirects needs them): they live as long as the chain.

use url::Url;

use crate::format::http::Answer;

/// Cookies kept at most; a hostile answer may set as many as its head holds.
const MOST: usize = 64;
/// Bytes of one cookie at most (RFC 6265 §6.1).
const LONGEST: usize = 4096;

/// The cookies of one chain.
#[derive(Clone, Debug, Default)]
pub struct Jar(Vec<Cookie>);

#[derive(Clone, Debug)]
struct Cookie {
    name: String,
    value: String,
    domain: String,
    host_only: bool,
    path: String,
    secure: bool,
}

impl Jar {
    /// Takes the cookies of the answer to a request for `url`.
    pub fn learn(&mut self, url: &Url, answer: &Answer) {
        for line in answer.headers.all("set-cookie") {
            if line.len() <= LONGEST
                && let Some((cookie, gone)) = parse(url, &line)
            {
                self.0.retain(|c| (&c.name, &c.domain, &c.path) != (&cookie.name, &cookie.domain, &cookie.path));
                if !gone && self.0.len() < MOST {
                    self.0.push(cookie);
                }
            }
        }
    }

    /// The `Cookie` header for a request for `url`.
    pub fn header(&self, url: &Url) -> Option<String> {
        let sent: Vec<String> =
            self.0.iter().filter(|c| c.goes_to(url)).map(|c| format!("{}={}", c.name, c.value)).collect();
        (!sent.is_empty()).then(|| sent.join("; "))
    }
}

impl Cookie {
    fn goes_to(&self, url: &Url) -> bool {
        let host = url.host_str().unwrap_or_default();
        let domain = if self.host_only { host == self.domain } else { within(host, &self.domain) };
        let path = url.path();
        let below = path == self.path
            || (path.starts_with(&self.path)
                && (self.path.ends_with('/') || path.as_bytes().get(self.path.len()) == Some(&b'/')));
        domain && below && (!self.secure || url.scheme() == "https")
    }
}

fn within(host: &str, domain: &str) -> bool {
    host == domain || host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.'))
}

/// A cookie, and whether it is one that takes itself back.
fn parse(url: &Url, line: &str) -> Option<(Cookie, bool)> {
    let host = url.host_str()?;
    let mut parts = line.split(';');
    let (name, value) = parts.next()?.split_once('=')?;
    let clean = |text: &str| text.trim().chars().filter(|c| !c.is_control()).collect::<String>();
    let mut cookie = Cookie {
        name: clean(name),
        value: clean(value),
        domain: host.to_owned(),
        host_only: true,
        path: default_path(url),
        secure: false,
    };
    let mut gone = false;
    for part in parts {
        let (key, value) = part.split_once('=').unwrap_or((part, ""));
        let value = value.trim();
        match key.trim().to_ascii_lowercase().as_str() {
            "domain" if !value.is_empty() => {
                let domain = value.trim_start_matches('.').to_ascii_lowercase();
                // a cookie for a whole top-level domain, or for somebody else's, is not taken
                if !within(host, &domain) || !domain.contains('.') {
                    return None;
                }
                cookie.domain = domain;
                cookie.host_only = false;
            }
            "path" if value.starts_with('/') => cookie.path = value.to_owned(),
            "secure" => cookie.secure = true,
            "max-age" => gone = value.starts_with('-') || value == "0",
            _ => {}
        }
    }
    (!cookie.name.is_empty()).then_some((cookie, gone))
}

fn default_path(url: &Url) -> String {
    match url.path().rfind('/') {
        None | Some(0) => "/".to_owned(),
        Some(at) => url.path().get(..at).unwrap_or("/").to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::http::Headers;

    fn jar(url: &str, lines: &[&str]) -> Result<Jar, url::ParseError> {
        let mut jar = Jar::default();
        let headers = lines.iter().map(|l| ("Set-Cookie".to_owned(), l.as_bytes().to_vec())).collect();
        jar.learn(&Url::parse(url)?, &Answer { headers: Headers(headers), ..Answer::default() });
        Ok(jar)
    }

    fn sent(jar: &Jar, url: &str) -> Option<String> {
        jar.header(&Url::parse(url).ok()?)
    }

    #[test]
    fn who_gets_what() -> Result<(), url::ParseError> {
        let lines = [
            "a=1",
            "b=2; Domain=.t.co; Secure; Path=/",
            "c=3; Path=/x",
            "d=4; Domain=evil.example",
            "e=5; Domain=co",
            "f=6; Max-Age=0",
        ];
        let jar = jar("https://www.t.co/x/y", &lines)?;
        assert_eq!(sent(&jar, "https://www.t.co/x/y").as_deref(), Some("a=1; b=2; c=3"));
        assert_eq!(sent(&jar, "https://t.co/").as_deref(), Some("b=2"));
        assert_eq!(sent(&jar, "http://t.co/"), None);
        assert_eq!(sent(&jar, "https://www.t.co/xx"), None.or(Some("b=2".to_owned())));
        assert_eq!(sent(&jar, "https://evil.example/"), None);
        Ok(())
    }

    #[test]
    fn a_cookie_is_replaced_and_taken_back() -> Result<(), url::ParseError> {
        assert_eq!(sent(&jar("https://a.example/", &["a=1", "a=2"])?, "https://a.example/").as_deref(), Some("a=2"));
        assert_eq!(sent(&jar("https://a.example/", &["a=1", "a=; Max-Age=-1"])?, "https://a.example/"), None);
        assert_eq!(
            sent(&jar("https://a.example/", &["a=1\r\nX: y"])?, "https://a.example/").as_deref(),
            Some("a=1X: y")
        );
        Ok(())
    }
}
