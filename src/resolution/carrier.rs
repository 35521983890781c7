//! Every way an answer can say "go there" (PLATFORMS: carriers of a redirect), read from one answer.
//!
//! No script is run: a script's redirect is found by the shape of the statement, and its hop is marked `script`.

use url::Url;

use crate::format::http::Answer;
use crate::format::markup::{self, Piece, Plain, Tag};
use crate::format::need::{self, Needs};
use crate::platform::page;
use crate::resolution::script;

/// How a URL was reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Via {
    /// it is where the resolution began
    #[default]
    Start,
    /// a 3xx with Location
    Http(u16),
    /// Location on an answer of 200
    Location200,
    /// the `Refresh` header
    RefreshHeader,
    /// `<meta http-equiv=refresh>`
    MetaRefresh,
    /// a script that sets the location
    Script,
    /// a page that asks for a click or an assent first
    Interstitial,
    /// read out of the URL itself, nothing asked
    Unwrapped,
}

impl std::fmt::Display for Via {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Start => f.write_str("start"),
            Self::Http(status) => write!(f, "http-{status}"),
            Self::Location200 => f.write_str("location-200"),
            Self::RefreshHeader => f.write_str("refresh-header"),
            Self::MetaRefresh => f.write_str("meta-refresh"),
            Self::Script => f.write_str("script"),
            Self::Interstitial => f.write_str("interstitial"),
            Self::Unwrapped => f.write_str("unwrapped"),
        }
    }
}

/// Where an answer leads.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Carried {
    /// the next URL; an `Err` holds a target that is no URL that can be asked
    pub to: Option<(Via, Result<Url, String>)>,
    /// what the answer asserts besides, never followed
    pub notes: Vec<String>,
    /// the page, read on the way, unless a header leads on
    pub said: Option<page::Said>,
    /// what a reader of it needs beside it, unless a header leads on or it is an error's page
    pub needs: Needs,
}

/// A page with more visible text than this is a page, whatever its scripts do (characters).
const SHELL_TEXT: usize = 400;
/// A refresh later than this is no redirect but a page that renews itself (seconds).
const PATIENCE: u64 = 30;
/// HTML longer than this is a page; interstitials are small (bytes).
const HTML: usize = 1 << 20;

/// Reads the carriers of `answer`, the answer to a request for `base`.
pub fn read(base: &Url, answer: &Answer) -> Carried {
    let mut carried = Carried::default();
    let redirect = (300..400).contains(&answer.status) && answer.status != 304;
    let locations: Vec<Vec<u8>> = values(answer, "location");
    for other in locations.iter().skip(1) {
        carried.notes.push(format!("a second Location was ignored: {}", String::from_utf8_lossy(other)));
    }
    if let Some(first) = locations.first() {
        if redirect {
            carried.to = Some((Via::Http(answer.status), target(base, first)));
            return carried;
        }
        let to = target(base, first);
        if answer.status == 200 && to.as_ref().is_ok_and(|to| !same_place(base, to)) {
            carried.to = Some((Via::Location200, to));
        }
    }
    note_links(base, answer, &mut carried.notes);
    if !redirect && !(200..300).contains(&answer.status) {
        carried.said = page::read(answer);
        return carried; // what an error page would like to do is no redirect
    }
    if carried.to.is_none() {
        carried.to = refresh_header(base, answer, &mut carried.notes);
    }
    if is_html(answer) {
        read_html(base, answer, &mut carried);
    } else {
        if answer.media_type() == "text/css" {
            let content_type = answer.headers.get("content-type").unwrap_or_default();
            carried.needs = Needs::Sheet(need::of_sheet(base, &markup::decode(&answer.body, &content_type)));
        }
        carried.said = page::read(answer);
    }
    carried
}

fn values(answer: &Answer, name: &str) -> Vec<Vec<u8>> {
    answer.headers.0.iter().filter(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.clone()).collect()
}

/// A Location's bytes against the URL asked: bytes outside ASCII are percent-encoded as they are, in whatever charset the
/// server meant; a host in UTF-8 becomes its A-label. A target without fragment keeps the one asked for (RFC 9110 §10.2.2).
pub fn target(base: &Url, value: &[u8]) -> Result<Url, String> {
    let text = match std::str::from_utf8(value) {
        Ok(text) => text.to_owned(),
        Err(_) => {
            value.iter().map(|&b| if b.is_ascii() { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
        }
    };
    let text = text.trim();
    let mut url = base.join(text).map_err(|_| text.to_owned())?;
    if url.fragment().is_none() {
        url.set_fragment(base.fragment());
    }
    Ok(url)
}

/// The same but for the fragment.
fn same_place(a: &Url, b: &Url) -> bool {
    let strip = |url: &Url| {
        let mut url = url.clone();
        url.set_fragment(None);
        url
    };
    strip(a) == strip(b)
}

fn note_links(base: &Url, answer: &Answer, notes: &mut Vec<String>) {
    for value in answer.headers.all("link") {
        for link in crate::format::link::links(&value) {
            if link.has_rel("canonical")
                && let Ok(url) = base.join(&link.target)
            {
                notes.push(format!("canonical: {url}"));
            }
        }
    }
}

fn refresh_header(base: &Url, answer: &Answer, notes: &mut Vec<String>) -> Option<(Via, Result<Url, String>)> {
    let value = answer.headers.get("refresh")?;
    let to = refresh(base, answer, &value, notes)?;
    Some((Via::RefreshHeader, to))
}

/// `5; url='…'`, in the spellings browsers take (WHATWG HTML §4.2.5.3: shared declarative refresh steps).
pub fn refresh_value(value: &str) -> Option<(u64, &str)> {
    let value = value.trim_start();
    let digits = value.bytes().take_while(u8::is_ascii_digit).count();
    let seconds = match value.get(..digits)? {
        "" if value.starts_with('.') => 0,
        "" => return None,
        digits => digits.parse().unwrap_or(u64::MAX),
    };
    let rest = value.get(digits..)?.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
    let rest = rest.trim_start();
    let rest = rest.strip_prefix([';', ',']).unwrap_or(rest).trim_start();
    let url = match rest.get(..3) {
        Some(key) if key.eq_ignore_ascii_case("url") => {
            let after = rest.get(3..).unwrap_or_default().trim_start();
            after.strip_prefix('=').map_or(rest, str::trim_start)
        }
        _ => rest,
    };
    let url = match url.chars().next() {
        Some(quote @ ('"' | '\'')) => url.get(1..)?.split(quote).next().unwrap_or_default(),
        _ => url,
    };
    let url = url.trim();
    (!url.is_empty()).then_some((seconds, url))
}

fn refresh(base: &Url, answer: &Answer, value: &str, notes: &mut Vec<String>) -> Option<Result<Url, String>> {
    let (seconds, to) = refresh_value(value)?;
    let to = target(base, to.as_bytes());
    let renews = to.as_ref().is_ok_and(|to| same_place(base, to)) && values(answer, "set-cookie").is_empty();
    if renews {
        return None;
    }
    if seconds > PATIENCE {
        notes.push(format!("refreshes after {seconds} s: {}", to.as_ref().map_or("?", Url::as_str)));
        return None;
    }
    if to.as_ref().is_ok_and(is_migration) {
        notes.push("asks a browser to migrate between twitter.com and x.com".to_owned());
        return None;
    }
    Some(to)
}

/// x.com's first answer to a client without cookies sends it round by twitter.com/x/migrate and back, for ever (2024-06).
fn is_migration(to: &Url) -> bool {
    matches!(to.host_str(), Some("twitter.com" | "x.com" | "www.twitter.com" | "www.x.com"))
        && to.path() == "/x/migrate"
}

/// Whether the answer is HTML, by its label or, where it has none, by its first bytes.
pub fn is_html(answer: &Answer) -> bool {
    match answer.media_type().as_str() {
        "text/html" | "application/xhtml+xml" => true,
        "" => {
            let start = String::from_utf8_lossy(answer.body.get(..512).unwrap_or(&answer.body)).to_ascii_lowercase();
            let start = start.trim_start();
            ["<!doctype html", "<html", "<head", "<meta", "<script", "<noscript", "<body", "<title"]
                .iter()
                .any(|tag| start.starts_with(tag))
        }
        _ => false,
    }
}

/// What a small document says of redirects.
#[derive(Default)]
struct Found {
    meta: Option<String>,
    noscript_meta: Option<String>,
    scripts: Vec<String>,
    onload: Option<String>,
    canonical: Option<String>,
    click: Option<String>,
    text: Plain,
    in_script: bool,
    in_noscript: bool,
    in_template: usize,
    base: Option<String>,
}

fn read_html(base: &Url, answer: &Answer, carried: &mut Carried) {
    let content_type = answer.headers.get("content-type").unwrap_or_default();
    let html = markup::decode(&answer.body, &content_type);
    let mut page = page::is_markup(answer).then(page::Reader::default);
    // Only whether there is much of it matters; a character has four bytes at most.
    let mut found = Found { text: Plain::up_to(4 * SHELL_TEXT + 4), ..Found::default() };
    let mut pieces = markup::walk(&html);
    let mut needs = need::Reader::new(base);
    // One walk through a page serves all.
    while let Some(piece) = pieces.next() {
        if pieces.at() <= HTML {
            found.add(base, &piece);
        }
        page.iter_mut().for_each(|page| page.add(&piece));
        needs.piece(&piece);
        pieces.reuse(piece);
    }
    carried.said = page.map(page::Reader::finish);
    carried.needs = Needs::Page(needs.finish());
    let text = std::mem::take(&mut found.text).finish();
    let base = found.base.as_deref().and_then(|b| base.join(b).ok()).unwrap_or_else(|| base.clone());
    if let Some(canonical) = found.canonical.as_deref().and_then(|c| base.join(c).ok()) {
        carried.notes.push(format!("canonical: {canonical}"));
    }
    if carried.to.is_none() {
        carried.to = found.leads(&base, answer, text.chars().nth(SHELL_TEXT).is_none(), &mut carried.notes);
    }
}

impl Found {
    fn add(&mut self, base: &Url, piece: &Piece<'_>) {
        match piece {
            Piece::Open(tag) => self.open(base, tag),
            Piece::Close(name) => self.close(name),
            Piece::Text(text) if self.in_script && self.scripts.len() < 64 => self.scripts.push(text.to_string()),
            Piece::Text(_) => {}
        }
        if !self.in_noscript {
            self.text.add(piece);
        }
    }

    fn open(&mut self, base: &Url, tag: &Tag<'_>) {
        match &*tag.name {
            "noscript" => self.in_noscript = true,
            "template" => self.in_template += 1,
            _ if self.in_template > 0 => {}
            // It runs where scripts do not.
            "script" if self.in_noscript => {}
            "script" => self.in_script = is_program(tag),
            "body" => self.onload = tag.get("onload").map(str::to_owned),
            "base" if self.base.is_none() => self.base = tag.get("href").map(str::to_owned),
            "meta" => self.meta(tag),
            "link" => {
                let rel = tag.get("rel").unwrap_or_default();
                if self.canonical.is_none() && rel.split_ascii_whitespace().any(|r| r.eq_ignore_ascii_case("canonical"))
                {
                    self.canonical = tag.get("href").map(str::to_owned);
                }
            }
            "a" | "input" if self.click.is_none() => self.click = click(base, tag),
            _ => {}
        }
    }

    fn meta(&mut self, tag: &Tag<'_>) {
        if !tag.get("http-equiv").is_some_and(|h| h.trim().eq_ignore_ascii_case("refresh")) {
            return;
        }
        let slot = if self.in_noscript { &mut self.noscript_meta } else { &mut self.meta };
        if slot.is_none() {
            *slot = tag.get("content").map(str::to_owned);
        }
    }

    fn close(&mut self, name: &str) {
        match name {
            "script" => self.in_script = false,
            "noscript" => self.in_noscript = false,
            "template" => self.in_template = self.in_template.saturating_sub(1),
            _ => {}
        }
    }

    /// The order is that of certainty. A `noscript` refresh and a script count only on a page that shows next to nothing:
    /// on a page worth reading the one leads to a poorer copy, the other waits for a click.
    fn leads(
        &self,
        base: &Url,
        answer: &Answer,
        shell: bool,
        notes: &mut Vec<String>,
    ) -> Option<(Via, Result<Url, String>)> {
        let of = |value: &Option<String>, notes: &mut Vec<String>| {
            value.as_deref().and_then(|value| refresh(base, answer, value, notes))
        };
        if let Some(to) = of(&self.meta, notes) {
            return Some((Via::MetaRefresh, to));
        }
        if let Some(click) = &self.click {
            return Some((Via::Interstitial, target(base, click.as_bytes())));
        }
        if !shell {
            return None;
        }
        if let Some(to) = of(&self.noscript_meta, notes) {
            return Some((Via::MetaRefresh, to));
        }
        // One script may call what another one declares.
        let all: Vec<&str> = self.scripts.iter().chain(&self.onload).map(String::as_str).collect();
        let to = script::redirect(&all.join("\n;\n"), PATIENCE * 1000)
            .or_else(|| self.scripts.iter().find_map(|one| script::redirect(one, PATIENCE * 1000)))?;
        let to = target(base, to.as_bytes());
        if to.as_ref().is_ok_and(|to| same_place(base, to) || is_migration(to)) {
            return None;
        }
        Some((Via::Script, to))
    }
}

/// Whether a browser runs what stands in a script element: not data or a template of another type, and not what stands in for
/// a file (HTML §4.12.1).
fn is_program(tag: &Tag<'_>) -> bool {
    let named = tag.get("type").map(|named| named.trim().to_ascii_lowercase());
    let is_code = |named: &str| {
        let essence = named.strip_prefix("text/").or_else(|| named.strip_prefix("application/"));
        matches!(named, "" | "module") || matches!(essence, Some("javascript" | "ecmascript" | "x-javascript"))
    };
    tag.get("src").is_none() && named.is_none_or(|named| is_code(&named))
}

/// Pages that show the target behind a click: LinkedIn's for outside links, reurl.cc's hidden field.
fn click(base: &Url, tag: &Tag<'_>) -> Option<String> {
    let host = base.host_str().unwrap_or_default();
    match &*tag.name {
        // LinkedIn's own mark, also where somebody mirrors its page
        "a" => {
            let marked = tag.get("data-tracking-control-name") == Some("external_url_click");
            marked.then(|| tag.get("href").map(str::to_owned)).flatten()
        }
        "input" if matches!(host, "reurl.cc" | "www.reurl.cc") => {
            let marked = tag.get("id") == Some("target");
            marked.then(|| tag.get("value").map(str::to_owned)).flatten()
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::http::Headers;

    fn answer(status: u16, headers: &[(&str, &[u8])], body: &str) -> Answer {
        let headers = headers.iter().map(|(n, v)| ((*n).to_owned(), v.to_vec())).collect();
        Answer { status, headers: Headers(headers), body: body.as_bytes().to_vec(), ..Answer::default() }
    }

    fn leads(status: u16, headers: &[(&str, &[u8])], body: &str) -> Option<(String, String)> {
        let base = Url::parse("https://short.test/a/b#frag").ok()?;
        let (via, to) = read(&base, &answer(status, headers, body)).to?;
        Some((via.to_string(), to.map_or_else(|bad| bad, |url| url.to_string())))
    }

    fn pair(via: &str, to: &str) -> Option<(String, String)> {
        Some((via.to_owned(), to.to_owned()))
    }

    const HTML: (&str, &[u8]) = ("content-type", b"text/html");

    #[test]
    fn location_in_every_spelling() {
        assert_eq!(
            leads(302, &[("location", b"../final?x=1#f")], ""),
            pair("http-302", "https://short.test/final?x=1#f")
        );
        assert_eq!(leads(301, &[("LOCATION", b"//h.example/q")], ""), pair("http-301", "https://h.example/q#frag"));
        assert_eq!(
            leads(301, &[("location", "https://h.example/выборы".as_bytes())], ""),
            pair("http-301", "https://h.example/%D0%B2%D1%8B%D0%B1%D0%BE%D1%80%D1%8B#frag")
        );
        assert_eq!(leads(308, &[("location", b"/caf\xe9")], ""), pair("http-308", "https://short.test/caf%E9#frag"));
        assert_eq!(leads(302, &[("location", b"http://[bad")], ""), pair("http-302", "http://[bad"));
        assert_eq!(leads(304, &[("location", b"/x")], ""), None);
        assert_eq!(leads(404, &[("location", b"/x")], ""), None);
        assert_eq!(leads(200, &[("location", b"/x")], ""), pair("location-200", "https://short.test/x#frag"));
        assert_eq!(leads(200, &[("location", b"/a/b")], ""), None);
    }

    #[test]
    fn refreshes() {
        assert_eq!(refresh_value("0;URL=http://a/"), Some((0, "http://a/")));
        assert_eq!(refresh_value(" 0 ; url = 'http://a/ b' x"), Some((0, "http://a/ b")));
        assert_eq!(refresh_value("3,http://a/"), Some((3, "http://a/")));
        assert_eq!(refresh_value("0.5;url=\"x\""), Some((0, "x")));
        assert_eq!(refresh_value("300"), None);
        assert_eq!(refresh_value("soon;url=x"), None);
        let to = pair("refresh-header", "https://archive.test/x#frag");
        assert_eq!(leads(200, &[("Refresh", b"0;url=https://archive.test/x")], ""), to);
        assert_eq!(leads(200, &[("Refresh", b"300;url=https://archive.test/x")], ""), None);
        assert_eq!(leads(503, &[("Refresh", b"8;URL=/cdn-cgi/x")], ""), None);
    }

    #[test]
    fn meta_refreshes() {
        let meta = "<META HTTP-EQUIV=Refresh CONTENT=\"0; url='https://h.example/q4'\">";
        assert_eq!(leads(200, &[HTML], meta), pair("meta-refresh", "https://h.example/q4#frag"));
        assert_eq!(leads(200, &[], meta), pair("meta-refresh", "https://h.example/q4#frag"));
        assert_eq!(leads(200, &[("content-type", b"text/plain")], meta), None);
        assert_eq!(leads(200, &[HTML], &format!("<!-- {meta} --><title>final</title>")), None);
        assert_eq!(leads(200, &[HTML], &format!("<template>{meta}</template>")), None);
        assert_eq!(leads(200, &[HTML], "<meta http-equiv=refresh content=300>"), None);
        let shell = format!("<noscript>{meta}</noscript>");
        assert_eq!(leads(200, &[HTML], &shell), pair("meta-refresh", "https://h.example/q4#frag"));
        let page = format!("{shell}<p>{}</p>", "words ".repeat(100));
        assert_eq!(leads(200, &[HTML], &page), None);
    }

    #[test]
    fn code_that_is_no_program_of_the_page_is_not_followed() {
        let code = "location.replace('/gone')";
        for html in [
            format!("<template><script>{code}</script></template>"),
            format!("<script type='text/template'>{code}</script>"),
            format!("<script type=application/json>{code}</script>"),
            format!("<script src=/a.js>{code}</script>"),
            format!("<noscript><script>{code}</script></noscript>"),
            format!("<button onclick=\"{code}\">on</button><script>function on(){{ {code} }}</script>"),
        ] {
            assert_eq!(leads(200, &[HTML], &html), None, "{html}");
        }
        for html in [
            format!("<script type='text/JavaScript'>{code}</script>"),
            format!("<script>function on(){{ {code} }}</script><body onload='on()'>"),
            format!("<script>function on(){{ {code} }}</script><script type=module>on()</script>"),
        ] {
            assert!(leads(200, &[HTML], &html).is_some_and(|(via, _)| via == "script"), "{html}");
        }
    }

    #[test]
    fn scripts_on_shells_only() {
        let script = r#"<script>window.opener = null; location.replace("https:\/\/h.example\/q4?a=1&b=2")</script>"#;
        assert_eq!(leads(200, &[HTML], script), pair("script", "https://h.example/q4?a=1&b=2#frag"));
        assert_eq!(leads(200, &[HTML], &format!("{script}<p>{}", "words ".repeat(100))), None);
    }

    #[test]
    fn the_migration_of_2024_is_no_redirect() {
        let html = "<meta http-equiv=refresh content='0; url = https://twitter.com/x/migrate?tok=7b'><script>document.location = \"https://twitter.com/x/migrate?tok=7b\"</script>";
        assert_eq!(leads(200, &[HTML], html), None);
    }

    #[test]
    fn canonical_is_noted() {
        let base = Url::parse("https://amp.test/q4");
        let given = answer(
            200,
            &[HTML, ("link", b"<https://h.example/q4>; rel=\"canonical\"")],
            "<link rel=canonical href=/own><p>copy",
        );
        let carried = base.map(|base| read(&base, &given)).unwrap_or_default();
        assert_eq!(carried.to, None);
        assert_eq!(carried.notes, ["canonical: https://h.example/q4", "canonical: https://amp.test/own"]);
    }
}
